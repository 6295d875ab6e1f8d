"""Sequences of inherent structures from elsewhere, and quenches that are not made twice."""

import json

import numpy as np
import pytest
import xarray as xr
from pelplug_metabasins.metabasins import Metabasins
from pelplug_metabasins.sequences import read_sequence

import pelplug
from pelplug.testing import parametrize_with_checks

# Frame by frame: A B A B C C D D D E, with the energy of each.
SERIES = [0, 1, 0, 1, 2, 2, 3, 3, 3, 4]
ENERGY = [-1.0, -2.0, -3.0, -1.5, -4.0]
TIMES = 0.5 * np.arange(10)


def metabasins(path, **parameters):
    return Metabasins(None, inherent_structures=str(path), minimum=2, **parameters).run().to_dataset()


def table(header, columns, comment="", separator=","):
    rows = [separator.join(f"{value:g}" for value in row) for row in zip(*columns, strict=True)]
    return "\n".join([comment + separator.join(header), *rows]) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        table(["time", "energy", "structure"], [TIMES, np.take(ENERGY, SERIES), SERIES]),
        table(["Time [ps]", "Energy (eV)", "IS"], [TIMES, np.take(ENERGY, SERIES), 10 * np.array(SERIES) + 7], "# "),
        table(["t", "energy"], [TIMES, np.take(ENERGY, SERIES)], separator="\t"),
        "# made by hand\n" + table(["time", "u_is"], [TIMES, np.take(ENERGY, SERIES)], separator="  "),
    ],
    ids=["csv", "units and comment", "by energy", "blanks"],
)
def test_tables(tmp_path, text):
    path = tmp_path / "is.csv"
    path.write_text(text)
    found = metabasins(path)
    # A and B go back and forth: one metabasin until between frames 3 and 4; then C, D, E.
    np.testing.assert_allclose(found["start_time"], [0.0, 1.75, 2.75, 4.25])
    np.testing.assert_allclose(found["end_time"], [1.75, 2.75, 4.25, 4.5])
    np.testing.assert_allclose(found["metabasin_energy"], [-2.0, -3.0, -1.5, -4.0])
    np.testing.assert_array_equal(found["metabasin_structures"], [2, 1, 1, 1])
    assert float(found["jump_rate"]) == pytest.approx(3 / 4.5)
    assert "positions" not in found and "diffusion_coefficient" not in found and "persistence" in found
    assert found.attrs["inherent_structures_sha256"].startswith("sha256:")
    Metabasins.from_dataset(found).figure()


def test_a_table_of_visits(tmp_path):
    path = tmp_path / "visits.txt"
    path.write_text("start end energy structure\n0 1.5 -1 1\n1.5 2 -2 2\n2 4 -1 1\n4 9 -5 3\n9 10 -6 4\n")
    found = metabasins(path)
    np.testing.assert_allclose(found["waiting_time"], [4.0, 5.0, 1.0])
    np.testing.assert_allclose(found["metabasin_energy"], [-2.0, -5.0, -6.0])


def walk(n=40, d=3, edge=4.0):
    """Places of five structures, the particles of one of them on the other side of the cell."""
    rng = np.random.default_rng(1)
    places = rng.uniform(0, edge, (n, d)) + np.cumsum(rng.normal(scale=0.1, size=(5, n, d)), axis=0)
    return places % edge, edge * np.eye(d)


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_netcdf_of_others_with_positions(tmp_path, engine):
    places, cell = walk()
    values = {
        "energy": ("frame", np.take(ENERGY, SERIES)),
        "structure": ("frame", SERIES),
        "positions": (("frame", "particle", "dimension"), places[SERIES]),
        "cell": (("vector", "dimension"), cell),
    }
    path = tmp_path / "theirs.nc"
    xr.Dataset(values, {"time": ("frame", TIMES)}).to_netcdf(path, engine=engine)
    found = metabasins(path)
    np.testing.assert_allclose(found["start_time"], [0.0, 1.75, 2.75, 4.25])
    # From B to C and so on, each the nearest image, without drift.
    for k, (a, b) in enumerate([(1, 2), (2, 3), (3, 4)]):
        step = places[b] - places[a]
        step -= 4.0 * np.round(step / 4.0)
        step -= step.mean(axis=0)
        assert float(found["jump_length"][k]) == pytest.approx(np.linalg.norm(step), rel=1e-9)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0,1,2\n1,2,3\n", "no header"),
        ("", "no header"),
        ("time,energy\n0,-1\n1\n2,-3\n", "Row 2"),
        ("time,energy\n0,-1\n1,x\n", "Row 2"),
        ("time,energy\n0,-1\n0,-2\n", "do not increase"),
        ("step,energy\n0,-1\n1,-2\n", "needs time"),
        ("time,energy\n0,nan\n1,-2\n", "no numbers"),
        ("time,energy,structure\n0,-1,0.5\n1,-2,1\n", "whole numbers"),
        ("time,energy\n0,-1\n1,-1\n", "one inherent structure"),
        ("start,end,energy\n0,2,-1\n1,3,-2\n", "do not increase"),
    ],
)
def test_what_is_no_sequence_is_refused(pelplug_command, tmp_path, text, sentence):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(pelplug.InputError, match=sentence):
        metabasins(path)
    done = pelplug_command("metabasins", path, code=2)
    assert "Traceback" not in done.stderr


def test_files_that_are_not_there_or_no_text(tmp_path):
    with pytest.raises(pelplug.InputError, match="cannot be read"):
        metabasins(tmp_path / "none.csv")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00\x81" * 20)
    with pytest.raises(pelplug.InputError, match="neither NetCDF nor text"):
        metabasins(tmp_path / "bytes")
    (tmp_path / "torn.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 100)
    with pytest.raises(pelplug.InputError, match="NetCDF"):
        metabasins(tmp_path / "torn.nc")


def test_files_are_no_parameters_of_another_meaning(tmp_path):
    """Results of one file each are read together, as of several temperatures by a study."""
    found = []
    for name, shift in (("a", 0.0), ("b", 1.0)):
        path = tmp_path / f"{name}.csv"
        path.write_text(table(["time", "energy"], [TIMES, np.take(ENERGY, SERIES) - shift]))
        found.append(metabasins(path))
    assert Metabasins.parameter_specs()["inherent_structures"].is_free
    assert found[0].attrs["inherent_structures_sha256"] != found[1].attrs["inherent_structures_sha256"]
    assert found[0].attrs["fingerprint"] != found[1].attrs["fingerprint"]


def test_quenches_of_files_are_compared_as_those_made_here(tmp_path):
    """How a file's structures were quenched is recorded: a study refuses other tolerances, and not other budgets."""
    trajectory = pelplug.testing.make_trajectory(tmp_path / "t.gsd", frames=12)
    for name, asked in {
        "inherent-structures": {"force_tolerance": 1e-9},
        "inherent-structure-transitions": {"force_tolerance": 1e-9, "budget": 0.5},
    }.items():
        path = tmp_path / f"{name}.nc"
        pelplug.write_netcdf(path, {name: pelplug.analyze(name, trajectory, dt=0.001, **asked)})
        made = json.loads(metabasins(path).attrs["inputs"])[name]
        assert made["parameters"]["force_tolerance"] == 1e-9
        assert "force_tolerance" not in made["free_parameters"]
    assert {"budget", "sample"} <= set(made["free_parameters"])


# --- several runs -------------------------------------------------------------------------------------------------


def test_runs_in_one_table(tmp_path):
    """Two runs that share structures: what is visited in both is another metabasin in each, and no jump joins them."""
    rows = [[0, t, ENERGY[s], s] for t, s in zip(TIMES, SERIES, strict=True)]
    rows += [[1, t, ENERGY[s], s] for t, s in zip(TIMES, SERIES[::-1], strict=True)]
    path = tmp_path / "runs.csv"
    path.write_text(table(["run", "time", "energy", "structure"], np.transpose(rows)))
    found = metabasins(path)
    np.testing.assert_allclose(found["start_time"], [0.0, 1.75, 2.75, 4.25, 0.0, 0.25, 1.75, 2.75])
    np.testing.assert_allclose(found["end_time"], [1.75, 2.75, 4.25, 4.5, 0.25, 1.75, 2.75, 4.5])
    assert found["metabasin_run"].values.tolist() == [0] * 4 + [1] * 4
    assert found["complete"].values.tolist() == [0, 1, 1, 0] * 2
    assert float(found["jump_rate"]) == pytest.approx(6 / 9.0)
    path.write_text(table(["run", "time", "energy"], np.transpose([[0, 0, -1], [1, 0, -2], [0, 1, -3]])))
    with pytest.raises(pelplug.InputError, match="all rows of one run together"):
        metabasins(path)


# --- quenches are not made twice ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trajectory(tmp_path_factory):
    """Soft discs that move from frame to frame by little, and now and then by much."""
    folder = tmp_path_factory.mktemp("sequence")
    model = pelplug.model("pss-2d")
    rng = np.random.default_rng(2)
    start = model.random_configuration(20, rng)
    potential = model.potential(start)
    start = start.replace(positions=rng.uniform(size=(20, 2)) @ start.cell)
    minima = [pelplug.quench(start, potential, "lbfgs")]
    while len(minima) < 4:
        moved = minima[-1].configuration.positions + rng.normal(scale=0.25, size=(20, 2))
        other = pelplug.quench(start.replace(positions=moved), potential, "lbfgs")
        if all(abs(other.energy - one.energy) > 1e-3 for one in minima):
            minima.append(other)
    minima = [one.require_converged().configuration for one in minima]
    order = [0, 0, 1, 0, 1, 2, 2, 3, 3]
    frames = [
        minima[k].replace(positions=minima[k].positions + rng.normal(scale=1e-3, size=(20, 2)), frame=f, step=10 * f,
                          time=0.1 * f).wrapped()
        for f, k in enumerate(order)
    ]  # fmt: skip
    pelplug.write_trajectory(folder / "t.gsd", frames, model_record=model.to_dict())
    return folder / "t.gsd"


def analyze(run, *arguments):
    done = run("analyze", "--plugin", "metabasins", *arguments, "--minimum", 2, code=0)
    return done.stdout + done.stderr


def test_another_merge_quenches_nothing(trajectory, pelplug_command, monkeypatch):
    folder = pelplug_command.folder
    first = analyze(pelplug_command, trajectory, "-o", "a.nc")
    beside = folder / "a.inherent-structure-transitions.nc"
    assert beside.exists() and beside.name in first

    def refuse(*_, **__):
        raise AssertionError("quenched again")

    monkeypatch.setattr("pelplug_inherent_structures.quenching.Quencher.quench", refuse)
    again = analyze(pelplug_command, trajectory, "-o", "b.nc", "--merge", "half")
    assert "took inherent-structure-transitions" in again
    assert not (folder / "b.inherent-structure-transitions.nc").exists()
    given = analyze(pelplug_command, trajectory, "-o", "c.nc", "--merge", "half", "--inherent-structures", beside)
    assert "took" not in given
    options = ("--minimum", 2, "--merge", "half", "--plot", "d.png")
    pelplug_command("metabasins", beside, "-o", "d.nc", *options, code=0)
    b, c, d = (pelplug.read_results(folder / f"{name}.nc")["metabasins"] for name in "bcd")
    for other in (c, d):
        for name in ("waiting_time", "metabasin_energy", "jump_length", "positions"):
            np.testing.assert_array_equal(b[name], other[name])
    assert c.attrs["fingerprint"] != b.attrs["fingerprint"]


def test_other_frames_or_another_minimiser_are_quenched(trajectory, pelplug_command):
    analyze(pelplug_command, trajectory, "-o", "a.nc")
    assert "took" not in analyze(pelplug_command, trajectory, "-o", "b.nc", "--stop", 8)
    assert "took" not in analyze(pelplug_command, trajectory, "-o", "c.nc", "--method", "lbfgs")
    assert "took" in analyze(pelplug_command, trajectory, "-o", "e.nc", "--k", "7")


def test_structures_of_every_frame_from_a_result(trajectory, tmp_path):
    frames = pelplug.analyze("inherent-structures", trajectory)
    pelplug.write_netcdf(tmp_path / "frames.nc", {"inherent-structures": frames})
    sequence = read_sequence(tmp_path / "frames.nc")
    assert "positions" in sequence and sequence.sizes["visit"] == 6
    found = pelplug.analyze("metabasins", trajectory, inherent_structures=str(tmp_path / "frames.nc"), minimum=2)
    expected = pelplug.analyze("metabasins", trajectory, minimum=2, search="all")
    np.testing.assert_allclose(found["waiting_time"], expected["waiting_time"])
    np.testing.assert_allclose(found["jump_length"], expected["jump_length"], rtol=1e-4)


def test_several_trajectories_are_the_metabasins_of_each(trajectory, tmp_path):
    """The second has the same states in another order: no transition, jump or metabasin goes from one to the other."""
    first = pelplug.open_trajectory(trajectory)
    frames = [first.configuration(k) for k in (8, 7, 3, 4, 2, 1, 0)]
    again = [one.replace(frame=k, step=10 * k, time=0.1 * k) for k, one in enumerate(frames)]
    pelplug.write_trajectory(tmp_path / "u.gsd", again, model_record=first.model_record)
    paths = [trajectory, tmp_path / "u.gsd"]
    each = [pelplug.analyze("metabasins", path, minimum=2, search="all") for path in paths]
    both = pelplug.analyze("metabasins", paths, minimum=2, search="all")
    for name in ("waiting_time", "metabasin_energy", "jump_length", "complete", "metabasin_visits"):
        np.testing.assert_allclose(both[name], np.concatenate([one[name] for one in each]), rtol=1e-9, atol=1e-9)
    sizes = [one.sizes["metabasin"] for one in each]
    assert both["metabasin_run"].values.tolist() == np.repeat([0, 1], sizes).tolist()
    assert float(both["jump_rate"]) == pytest.approx((sum(sizes) - 2) / (0.8 + 0.6))
    found = pelplug.analyze("inherent-structure-transitions", paths, search="all")
    alone = [pelplug.analyze("inherent-structure-transitions", path, search="all") for path in paths]
    assert found["transition_before"].values.tolist() == [
        *alone[0]["transition_before"].values, *(9 + alone[1]["transition_before"].values)
    ]  # fmt: skip
    assert found["run"].values.tolist() == [0] * 9 + [1] * 7
    assert float(found["transition_rate"]) == pytest.approx(sum(one.sizes["transition"] for one in alone) / (0.8 + 0.6))


@parametrize_with_checks([Metabasins])
def test_keeps_the_contract(check):
    check()
