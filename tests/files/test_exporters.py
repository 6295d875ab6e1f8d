import json
import subprocess
import types

import ase.io
import gsd.hoomd
import numpy as np
import pandas
import pytest
import xarray as xr

from pelplug.configuration import Configuration
from pelplug.core.cells import upper_triangular
from pelplug.errors import InputError, RunError
from pelplug.files.exporters import export
from pelplug.files.gsd import GSDWriter
from pelplug.trajectories.opening import open_trajectory

GENERAL_CELL = np.array([[4.0, 0.5, -0.3], [-1.0, 5.0, 0.2], [0.7, 0.4, 6.0]])


def _configurations(cell, n=20, frames=3, images=True):
    rng = np.random.default_rng(7)
    d = len(cell)
    species = np.array(["Ni", "P"])[rng.integers(0, 2, n)]
    for frame in range(frames):
        yield Configuration(
            rng.uniform(-0.7, 1.4, (n, d)) @ cell,
            cell,
            species,
            diameters=np.linspace(0.8, 1.1, n),
            masses=np.full(n, 0.1),
            velocities=rng.normal(size=(n, d)),
            images=rng.integers(-2, 3, (n, d)) if images else None,
            frame=frame,
            step=1000 * frame,
            time=5.0 * frame,
        )


def _trajectory(cell, **keywords):
    frames = list(_configurations(cell, **keywords))
    return types.SimpleNamespace(path="nowhere", configuration=lambda label: frames[label], model_record=None)


def _dataset(n=20, labels=(0, 2)):
    rng = np.random.default_rng(5)
    kappa = rng.lognormal(size=(len(labels), n))
    kappa[0, 3] = np.nan  # a rattler
    return xr.Dataset(
        {
            "kappa": (("frame", "particle"), kappa, {"units": "energy / length**2"}),
            "rattler": (("frame", "particle"), np.isnan(kappa)),
            "force": (("frame", "particle", "dimension"), rng.normal(size=(len(labels), n, 3))),
            "energy": ("frame", rng.normal(size=len(labels)), {"units": "energy"}),
            "method": ("frame", ["fire"] * len(labels)),
            "pair_kappa": ("pair", rng.normal(size=9)),
            "P": ("kappa_bin", np.array([0.1, 1 / 3])),
        },
        coords={
            "frame": list(labels),
            "time": ("frame", 5.0 * np.array(labels)),
            "kappa_bin": ("kappa_bin", [0.5, 1.5]),
            "pair_frame": ("pair", [0] * 4 + [2] * 5),
        },
        attrs={"analysis": "kappa", "model": json.dumps({"name": "kob-andersen", "parameters": {"cutoff": 2.5}})},
    )


def _minimum_images(positions, cell):
    """All pair distances under the nearest image, by brute force over neighbouring cells."""
    d = len(cell)
    shifts = np.stack(np.meshgrid(*[[-2, -1, 0, 1, 2]] * d, indexing="ij"), -1).reshape(-1, d) @ cell
    difference = positions[:, None] - positions[None]
    return np.linalg.norm(difference[:, :, None] + shifts, axis=-1).min(axis=-1)


def _gsd_cell(box):
    lx, ly, lz, xy, xz, yz = np.asarray(box, dtype=float)
    return np.array([[lx, 0, 0], [xy * ly, ly, 0], [xz * lz, yz * lz, lz]])


@pytest.mark.parametrize("cell", [np.diag([4.0, 5.0, 6.0]), GENERAL_CELL, GENERAL_CELL[::-1], np.tril(GENERAL_CELL)])
def test_gsd_keeps_geometry_fields_and_precision(tmp_path, cell):
    trajectory, dataset = _trajectory(cell), _dataset()
    path = export(dataset, tmp_path / "kappa.gsd", trajectory)
    with gsd.hoomd.open(str(path)) as file:
        assert len(file) == 2
        for index, label in enumerate((0, 2)):
            conf, frame = trajectory.configuration(label), file[index]
            box = _gsd_cell(frame.configuration.box)
            assert frame.configuration.step == 1000 * label
            assert frame.configuration.dimensions == 3
            names = np.array(frame.particles.types)[frame.particles.typeid]
            assert names.tolist() == conf.species.tolist()
            fractional = frame.particles.position.astype(float) @ np.linalg.inv(box)
            assert np.all(np.abs(fractional) <= 0.5 + 1e-6)
            # float32 of the schema
            expected = _minimum_images(conf.positions, conf.cell)
            np.testing.assert_allclose(_minimum_images(frame.particles.position, box), expected, atol=1e-5)
            # float64 beside it
            exact, cell64 = frame.log["particles/pelplug/position"], frame.log["pelplug/cell"]
            np.testing.assert_allclose(_minimum_images(exact, cell64), expected, atol=1e-13)
            np.testing.assert_allclose(exact, frame.particles.position, atol=1e-6)
            # unwrapped: distances between particles without any minimum image
            unwrapped = exact + frame.particles.image @ cell64
            np.testing.assert_allclose(
                np.linalg.norm(unwrapped[:, None] - unwrapped, axis=-1),
                np.linalg.norm(conf.unwrapped_positions()[:, None] - conf.unwrapped_positions(), axis=-1),
                atol=1e-12,
            )
            kappa = dataset.kappa.sel(frame=label).values
            assert frame.log["particles/kappa"].dtype == np.float64
            assert frame.log["particles/kappa"].tobytes() == kappa.tobytes()
            assert frame.log["particles/rattler"].tolist() == np.isnan(kappa).astype(float).tolist()
            assert frame.log["pelplug/energy"] == dataset.energy.sel(frame=label).item()
            np.testing.assert_allclose(frame.particles.diameter, conf.diameters, rtol=1e-6)
        assert json.loads(file[0].log["pelplug/model"].tobytes())["parameters"] == {"cutoff": 2.5}
        assert not file.file.chunk_exists(1, "log/pelplug/model")
        first = file[0].log
        assert first["particles/pelplug/diameter"].tolist() == trajectory.configuration(0).diameters.tolist()
        assert first["particles/pelplug/mass"].tolist() == [0.1] * 20
        assert not file.file.chunk_exists(1, "log/particles/pelplug/mass")  # as in the first frame


def test_gsd_rotates_vectors_with_the_cell(tmp_path):
    trajectory, dataset = _trajectory(GENERAL_CELL), _dataset(labels=(1,))
    conf = trajectory.configuration(1)
    with gsd.hoomd.open(str(export(dataset, tmp_path / "a.gsd", trajectory))) as file:
        log, frame = file[0].log, file[0]
    # A scalar product with a cell vector does not depend on the axes.
    np.testing.assert_allclose(log["particles/force"] @ log["pelplug/cell"].T, dataset.force.values[0] @ conf.cell.T)
    velocity = frame.log["particles/pelplug/velocity"]
    np.testing.assert_allclose(velocity @ log["pelplug/cell"].T, conf.velocities @ conf.cell.T)


def test_upper_triangular_leaves_a_triangular_cell_alone():
    cell = np.tril(GENERAL_CELL)
    turned, rotation = upper_triangular(cell)
    assert turned.tolist() == cell.tolist() and rotation.tolist() == np.eye(3).tolist()
    turned, rotation = upper_triangular(GENERAL_CELL)
    np.testing.assert_allclose(GENERAL_CELL @ rotation, turned, atol=1e-14)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-14)
    assert np.all(np.diag(turned) > 0) and np.all(np.triu(turned, 1) == 0)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_gsd_of_two_dimensions(tmp_path):
    trajectory = _trajectory(np.diag([6.0, 7.0]))
    dataset = _dataset()[["kappa"]]
    with gsd.hoomd.open(str(export(dataset, tmp_path / "a.gsd", trajectory))) as file:
        frame = file[0]
        assert frame.configuration.dimensions == 2
        assert frame.configuration.box.tolist() == [6, 7, 1, 0, 0, 0]
        assert np.all(frame.particles.position[:, 2] == 0)
        np.testing.assert_allclose(frame.log["pelplug/cell"], np.diag([6, 7, 1]))


def test_gsd_refuses_four_dimensions(tmp_path):
    with pytest.raises(InputError, match="two or three dimensions"):
        export(_dataset()[["kappa"]], tmp_path / "a.gsd", _trajectory(np.eye(4) * 5))
    assert list(tmp_path.iterdir()) == []


def test_images_are_not_invented(tmp_path):
    trajectory = _trajectory(np.diag([4.0, 5.0, 6.0]), images=False)
    with gsd.hoomd.open(str(export(_dataset(), tmp_path / "a.gsd", trajectory))) as file:
        assert not file.file.find_matching_chunk_names("particles/image")


def test_positions_of_the_results_replace_those_of_the_trajectory(tmp_path):
    trajectory = _trajectory(np.diag([4.0, 5.0, 6.0]))
    conf = trajectory.configuration(1)
    quenched = conf.positions + 0.01
    quenched[:5] += [4.0, 0, -6.0]  # the same states, put back into the box another way
    dataset = _dataset(labels=(1,)).assign(positions=(("frame", "particle", "dimension"), quenched[None]))
    with gsd.hoomd.open(str(export(dataset, tmp_path / "a.gsd", trajectory))) as file:
        log, image = file[0].log, file[0].particles.image
    assert "particles/positions" not in log
    unwrapped = log["particles/pelplug/position"] + image @ log["pelplug/cell"]
    np.testing.assert_allclose(unwrapped, conf.unwrapped_positions() + 0.01, atol=1e-12)


def test_fields_of_several_analyses(tmp_path):
    trajectory = _trajectory(np.diag([4.0, 5.0, 6.0]))
    one, other = _dataset(labels=(0, 1)), _dataset(labels=(1, 2))[["kappa"]]
    path = export({"kappa": one, "other": other}, tmp_path / "a.gsd", trajectory)
    with gsd.hoomd.open(str(path)) as file:
        assert len(file) == 3
        assert {"particles/kappa.kappa", "particles/other.kappa", "particles/rattler"} <= set(file[1].log)
        assert np.isnan(file[0].log["particles/other.kappa"]).all()
        assert file[2].log["particles/other.kappa"].tobytes() == other.kappa[1].values.tobytes()


@pytest.mark.parametrize("suffix", [".xyz", ".extxyz"])
@pytest.mark.parametrize("cell", [np.diag([4.0, 5.0, 6.0]), GENERAL_CELL])
def test_extxyz_is_read_back_by_ase(tmp_path, suffix, cell):
    trajectory, dataset = _trajectory(cell), _dataset()
    path = export(dataset, tmp_path / f"a{suffix}", trajectory)
    atoms = ase.io.read(path, index=":", format="extxyz")
    assert len(atoms) == 2
    for one, label in zip(atoms, (0, 2), strict=True):
        conf = trajectory.configuration(label)
        assert one.cell.array.tolist() == conf.cell.tolist()
        assert one.positions.tolist() == conf.positions.tolist()
        assert one.get_chemical_symbols() == conf.species.tolist()
        assert one.pbc.tolist() == [True] * 3
        assert one.arrays["kappa"].tobytes() == dataset.kappa.sel(frame=label).values.tobytes()
        assert one.info["step"] == 1000 * label and one.info["time"] == 5.0 * label
        assert one.info["method"] == "fire"
        energy = one.calc.results["energy"] if one.calc else one.info["energy"]
        assert energy == dataset.energy.sel(frame=label)


def test_extxyz_of_two_dimensions(tmp_path):
    path = export(_dataset()[["kappa"]], tmp_path / "a.xyz", _trajectory(np.diag([6.0, 7.0])))
    atoms = ase.io.read(path, index=0, format="extxyz")
    assert atoms.pbc.tolist() == [True, True, False]
    assert np.diag(atoms.cell.array).tolist() == [6, 7, 1]


def test_csv_holds_curves_and_series(tmp_path):
    dataset = _dataset()
    table = pandas.read_csv(export(dataset, tmp_path / "a.csv"))
    assert table["P"].dropna().tolist() == [0.1, 1 / 3]
    assert table["kappa_bin"].dropna().tolist() == [0.5, 1.5]
    assert table["energy [energy]"].tolist() == dataset.energy.values.tolist()
    assert table["frame"].tolist() == [0, 2]
    assert table["time"].tolist() == [0, 10]
    assert not any("pair" in name or name.startswith("kappa [") for name in table)
    two = pandas.read_csv(export({"a": dataset, "b": dataset}, tmp_path / "b.csv"))
    assert {"a.P", "b.P"} <= set(two)


def test_what_cannot_be_exported_is_one_sentence(tmp_path):
    trajectory, dataset = _trajectory(np.diag([4.0, 5.0, 6.0])), _dataset()
    for selected, name, given, words in (
        (dataset, "a.foo", trajectory, r"\.csv, \.extxyz, \.gsd, \.xyz"),
        (dataset[["P"]], "a.gsd", trajectory, "no per-particle fields"),
        (dataset[["kappa"]], "a.csv", trajectory, "no curves"),
        (dataset, "a.gsd", None, "trajectory file"),
        (dataset.isel(particle=slice(5)), "a.gsd", trajectory, "5 particles"),
        (dataset.isel(frame=[]), "a.gsd", trajectory, "No frame"),
    ):
        with pytest.raises((InputError, RunError), match=words):
            export(selected, tmp_path / name, given)
        assert list(tmp_path.iterdir()) == []


class _Lines:
    name, summary, suffixes = "lines", "number of variables", (".lines", ".gsd.lines")

    def __init__(self, error=None):
        self.error = error

    def export(self, datasets, trajectory, path):
        path.write_text(str(len(datasets["kappa"])))
        if self.error:
            raise self.error


def test_a_third_party_exporter(tmp_path):
    path = export(_dataset(), tmp_path / "a.LINES", exporters=[_Lines()])
    assert path.read_text() == "7"
    with pytest.raises(RunError, match=r"lines failed .*no luck.*tell its author"):
        export(_dataset(), tmp_path / "b.lines", exporters=[_Lines(ValueError("no luck"))])
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.LINES"]


def test_float64_of_later_frames_is_kept(tmp_path):
    conf = next(_configurations(np.diag([4.0, 5.0, 6.0])))
    with GSDWriter(tmp_path / "a.gsd") as writer:
        for mass in (0.1, 0.1, 0.3):
            writer.write(conf.replace(masses=np.full(20, mass)))
        with pytest.raises(ValueError, match="pelplug/new"):
            writer.write(conf, log={"new": 1.0})
    with gsd.hoomd.open(str(tmp_path / "a.gsd")) as file:
        assert len(file) == 3
        assert file[1].log["particles/pelplug/velocity"].tolist() == conf.velocities.tolist()
        assert not file.file.chunk_exists(1, "log/particles/pelplug/mass")
        assert [frame.log["particles/pelplug/mass"][0] for frame in file] == [0.1, 0.1, 0.3]


@pytest.mark.parametrize("cell", [np.diag([4.0, 5.0, 6.0]), np.tril(GENERAL_CELL), np.diag([6.0, 7.0])])
def test_pelplug_reads_its_own_gsd_to_the_last_bit(tmp_path, cell):
    written = [conf.wrapped() for conf in _configurations(cell)]
    with GSDWriter(tmp_path / "a.gsd", {"model": {"name": "kob-andersen", "parameters": {}}}) as writer:
        for conf in written:
            writer.write(conf)
    with open_trajectory(tmp_path / "a.gsd") as trajectory:
        assert trajectory.model_record == {"name": "kob-andersen", "parameters": {}}
        for conf, back in zip(written, trajectory, strict=True):
            assert back.cell.tolist() == conf.cell.tolist()
            np.testing.assert_allclose(back.unwrapped_positions(), conf.unwrapped_positions(), rtol=0, atol=1e-14)
            for name in ("velocities", "masses", "diameters", "species", "step"):
                assert np.array_equal(getattr(back, name), getattr(conf, name)), name


def test_disk_full_while_exporting(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        trajectory = _trajectory(np.diag([4.0, 5.0, 6.0]), n=3000)
        for name in ("a.gsd", "a.xyz"):
            with pytest.raises(RunError, match="disk is full"):
                export(_dataset(n=3000)[["kappa"]], disk / name, trajectory)
            assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
