"""Damaged files are refused in one sentence, or read as far as nothing of the damage can be known; nothing else."""

import gzip
import shutil
import struct
import warnings

import h5py
import MDAnalysis
import numpy as np
import pytest
from oracles import damage

import pelplug
from pelplug import InputError, open_trajectory

N, FRAMES = 60, 4
KINDS = ["xtc", "trr", "dcd", "gsd", "nc", "ncdf", "h5md", "dump.gz", "dump", "xyz"]


def frames():
    rng = np.random.default_rng(0)
    x = rng.uniform(0, 20, (N, 3))
    for k in range(FRAMES):
        conf = pelplug.Configuration(
            x,
            [20.0, 21.0, 22.0],
            ["A"] * 40 + ["B"] * 20,
            velocities=rng.normal(size=x.shape),
            step=10 * k,
            time=0.5 * k,
        )
        yield conf.replace(images=np.zeros((N, 3), int)).wrapped()
        x = x + 0.2 * rng.normal(size=x.shape)


def write(path):
    """A good file of the kind that its ending names."""
    kind = path.name.partition(".")[2]
    if kind in ("gsd", "nc"):
        pelplug.write_trajectory(path, frames())
    elif kind == "h5md":
        states = list(frames())
        with h5py.File(path, "w") as file:
            group = file.create_group("particles/all")
            for name, values in (("position", "positions"), ("image", "images")):
                group[f"{name}/value"] = np.array([getattr(conf, values) for conf in states])
                group[f"{name}/step"] = [conf.step for conf in states]
            group["species"] = (states[0].species == "B").astype(int)
            group.create_group("box").attrs["boundary"] = ["periodic"] * 3
            group["box/edges"] = np.diag(states[0].cell)
    elif kind in ("dump", "dump.gz", "xyz"):
        with (gzip.open if kind == "dump.gz" else open)(path, "wt") as file:
            file.writelines(map(as_xyz if kind == "xyz" else as_dump, frames()))
    else:
        universe = MDAnalysis.Universe.empty(N, trajectory=True, velocities=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with MDAnalysis.Writer(str(path), n_atoms=N) as writer:
                for conf in frames():
                    ts = universe.trajectory.ts
                    universe.dimensions = [*np.diag(conf.cell), 90, 90, 90]
                    universe.atoms.positions, universe.atoms.velocities = conf.positions, conf.velocities
                    ts.frame, ts.time, ts.data["step"] = conf.step // 10, conf.time, conf.step
                    writer.write(universe.atoms)
    return path


def as_dump(conf) -> str:
    text = f"ITEM: TIMESTEP\n{conf.step}\nITEM: NUMBER OF ATOMS\n{N}\nITEM: BOX BOUNDS pp pp pp\n"
    text += "".join(f"0 {edge}\n" for edge in np.diag(conf.cell)) + "ITEM: ATOMS id type x y z ix iy iz\n"
    rows = zip(conf.species, conf.positions.tolist(), conf.images.tolist(), strict=True)
    return text + "".join(
        f"{k + 1} {'AB'.index(name) + 1} {x:.6f} {y:.6f} {z:.6f} {a} {b} {c}\n"
        for k, (name, (x, y, z), (a, b, c)) in enumerate(rows)
    )


def as_xyz(conf) -> str:
    edges = " ".join(map(str, conf.cell.ravel()))
    text = f'{N}\nLattice="{edges}" Properties=species:S:1:pos:R:3:force:R:3 step={conf.step}\n'
    rows = zip(conf.species, conf.positions.tolist(), strict=True)
    return text + "".join(f"{name} {x:.6f} {y:.6f} {z:.6f} 0.5 0.5 0.5\n" for name, (x, y, z) in rows)


def topology(path):
    """The names, for formats that have none."""
    if path.name.partition(".")[2] not in ("xtc", "trr", "dcd", "ncdf"):
        return None
    names = path.parent / "names.xyz"
    names.write_text(f"{N}\n\n" + "A 0 0 0\n" * 40 + "B 0 0 0\n" * 20)
    return names


def assert_harmless(path, count):
    found = damage.tally(path, topology(path), count)
    assert sum(found.values()) == count and set(found) <= {"same", "changed", "refused"}, found
    assert found["refused"] > count // 4
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_random_damage_does_no_harm(tmp_path, kind):
    assert_harmless(write(tmp_path / f"a.{kind}"), 36)


@pytest.mark.parametrize("kind", ["xtc", "trr", "dcd"])
def test_good_files_are_read_as_mdanalysis_reads_them(tmp_path, kind):
    path = write(tmp_path / f"a.{kind}")
    trajectory = open_trajectory(path, topology=topology(path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = [ts.positions.copy() for ts in MDAnalysis._READERS[kind.upper()](str(path))]
    assert len(trajectory) == FRAMES
    for conf, positions in zip(trajectory, theirs, strict=True):
        np.testing.assert_array_equal(conf.positions, positions)


def test_nothing_is_left_beside_an_xtc(tmp_path):
    path = write(tmp_path / "a.xtc")
    names = topology(path)
    before = sorted(one.name for one in tmp_path.iterdir())
    assert len(list(open_trajectory(path, topology=names))) == FRAMES
    assert sorted(one.name for one in tmp_path.iterdir()) == before


@pytest.mark.parametrize("kind", ["xtc", "trr", "dcd"])
def test_frames_before_a_cut_are_read(tmp_path, kind):
    path = write(tmp_path / f"a.{kind}")
    names = topology(path)
    good = [conf.positions for conf in open_trajectory(path, topology=names)]
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * 0.9)])
    trajectory = open_trajectory(path, topology=names)
    assert len(trajectory) == FRAMES
    for frame in range(FRAMES - 1):
        np.testing.assert_array_equal(trajectory[frame].positions, good[frame])
    with pytest.raises(InputError, match=f"Frame {FRAMES - 1} of .*use the frames before it"):
        trajectory[FRAMES - 1]


@pytest.mark.parametrize(
    ("kind", "place", "value", "match"),
    [
        ("xtc", 4, 2**30, "does not begin as a frame"),  # would take 12 GB
        ("xtc", 52, 2**30, "does not begin as a frame"),
        ("xtc", 88, 2**31 - 1, "damaged|ends in the middle"),  # bytes of the frame
        ("xtc", 84, 200, "header is damaged"),  # index behind the table of sizes
        ("trr", 64, 2**30, "sizes"),
        ("dcd", 348, 2**30, "damaged|too short"),
    ],
)
def test_sizes_that_the_file_cannot_have(tmp_path, kind, place, value, match):
    path = write(tmp_path / f"a.{kind}")
    data = bytearray(path.read_bytes())
    data[place : place + 4] = value.to_bytes(4, "little" if kind == "dcd" else "big")
    path.write_bytes(data)
    with pytest.raises(InputError, match=match):
        open_trajectory(path, topology=topology(path))[0]


def test_frames_of_a_trr_that_have_no_positions(tmp_path):
    """GROMACS writes velocities at steps of their own (nstvout)."""

    def frame(step, x, v):
        sizes = [0, 0, 36, 0, 0, 0, 0, *(0 if one is None else 12 * N for one in (x, v)), 0, N, step, 0]
        numbers = [np.eye(3) * 2, *(one for one in (x, v) if one is not None)]
        head = struct.pack(">3i12s13i2f", 1993, 13, 12, b"GMX_trn_file", *sizes, 0.1 * step, 0.0)
        return head + b"".join(one.astype(">f4").tobytes() for one in numbers)

    x = np.random.default_rng(0).uniform(0, 2, (3, N, 3))
    path = tmp_path / "a.trr"
    path.write_bytes(frame(0, x[0], x[1]) + frame(1, None, x[1]) + frame(2, x[2], None))
    trajectory = open_trajectory(path, topology=topology(path))
    np.testing.assert_allclose(trajectory[0].positions, 10 * x[0], rtol=1e-6)
    with pytest.raises(InputError, match="Frame 1 has no positions"):
        trajectory[1]
    assert trajectory[2].velocities is None and trajectory[2].step == 2
    path.write_bytes(frame(0, None, x[1]))
    with pytest.raises(InputError, match="Frame 0 has no positions"):
        open_trajectory(path, topology=topology(path))


@pytest.mark.parametrize("kind", ["dump", "xyz"])
@pytest.mark.parametrize("change", ["a value more", "a value less", "a line of the next table"])
def test_rows_of_another_length_are_damage(tmp_path, kind, change):
    path = write(tmp_path / f"a.{kind}")
    lines = path.read_text().splitlines()
    head = 9 if kind == "dump" else 2
    row = head + N + head + 5  # of the second frame
    words = lines[row].split()
    lines[row] = {
        # Behind the columns that are read, or shifting them: neither is told from the other.
        "a value more": " ".join([*words[:2], "0.5", *words[2:]]),
        "a value less": " ".join(words[:-1]),
        "a line of the next table": " ".join([*words, *words]),
    }[change]
    path.write_text("\n".join(lines) + "\n")
    trajectory = open_trajectory(path)
    with pytest.raises(InputError, match=r"Frame 1 .*line 6 has \d+ columns instead of"):
        trajectory[1]
    assert trajectory[0].step == 0 and trajectory[2].step == 20


def test_rows_of_another_length_in_a_data_file(tmp_path):
    path = tmp_path / "a.data"
    text = "t\n\n2 atoms\n\n0 9 xlo xhi\n0 9 ylo yhi\n0 9 zlo zhi\n\nAtoms # atomic\n\n1 1 1 2 3\n2 1 4 5 6{}\n"
    path.write_text(text.format(""))
    assert open_trajectory(path)[0].n == 2
    path.write_text(text.format(" 7"))
    with pytest.raises(InputError, match="columns"):
        open_trajectory(path)
    path.write_text(text.format("") + "\nVelocities\n\n1 0 0 0\n2 0 0 0 0\n")
    with pytest.raises(InputError, match="columns"):
        open_trajectory(path)


def test_plain_xyz_may_have_more_columns(tmp_path):
    path = tmp_path / "a.xyz"
    path.write_text("2\n\nA 0 0 0 9 9 9\nA 1 1 1 9 9 9\n")
    assert open_trajectory(path).n == 2
    path.write_text("2\n\nA 0 0 0 9 9 9\nA 1 1 1 9 9\n")
    with pytest.raises(InputError, match="columns"):
        open_trajectory(path)


@pytest.mark.validation
@pytest.mark.parametrize("kind", KINDS)
def test_much_random_damage_does_no_harm(tmp_path, kind):
    """``pytest -m validation tests/test_damaged_files.py -s`` prints the counts."""
    found = assert_harmless(write(tmp_path / f"a.{kind}"), 600)
    print(f"\n{kind}: " + ", ".join(f"{value} {key}" for key, value in sorted(found.items())))
    shutil.rmtree(tmp_path)
