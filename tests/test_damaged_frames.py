"""Numbers in a frame that cannot be: the frame is refused by its number, in every format, and the others are kept."""

import json
import warnings

import gsd.hoomd
import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import pelplug
from pelplug.cli import cli
from pelplug.errors import InputError

LENGTH, N = 6.0, 8
GRID = 3.0 * np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=float) + 0.5


def good(frame):
    """Positions, image flags, velocities, ids and box of frame number `frame`."""
    return {
        "position": (GRID + 2.0 * frame) % LENGTH,
        "image": (GRID + 2.0 * frame) // LENGTH,
        "velocity": np.ones((N, 3)),
        "box": np.full(3, LENGTH),
    }


def damaged(what, value):
    """Four frames, in the third of which one number of particle 5 is `value`."""
    frames = [good(k) for k in range(4)]
    frames[2][what].reshape(-1)[16 if what != "box" else 1] = value
    return frames


def dump(path, frames):
    with open(path, "w") as file:
        for k, frame in enumerate(frames):
            file.write(f"ITEM: TIMESTEP\n{k}\nITEM: NUMBER OF ATOMS\n{N}\nITEM: BOX BOUNDS pp pp pp\n")
            file.writelines(f"0 {length:g}\n" for length in frame["box"])
            file.write("ITEM: ATOMS id type x y z ix iy iz vx vy vz\n")
            for i in range(N):
                values = [*frame["position"][i], *frame["image"][i], *frame["velocity"][i]]
                file.write(f"{i + 1} 1 {' '.join(f'{one:g}' for one in values)}\n")
    return path


def extxyz(path, frames):
    with open(path, "w") as file:
        for k, frame in enumerate(frames):
            a, b, c = frame["box"]
            file.write(f'{N}\nLattice="{a} 0 0 0 {b} 0 0 0 {c}" step={k} ')
            file.write("Properties=species:S:1:pos:R:3:map_shift:I:3:velo:R:3\n")
            for i in range(N):
                values = [*frame["position"][i], *frame["image"][i], *frame["velocity"][i]]
                file.write(f"A {' '.join(f'{one:g}' for one in values)}\n")
    return path


def h5md(path, frames):
    with h5py.File(path, "w") as file:
        group = file.create_group("particles/all")
        for name in ("position", "image", "velocity"):
            group[f"{name}/value"] = np.array([frame[name] for frame in frames])
            group[f"{name}/step"], group[f"{name}/time"] = np.arange(4), np.arange(4.0)
        group["species"] = np.zeros(N, dtype=int)
        group.create_group("box").attrs["boundary"] = ["periodic"] * 3
        group["box/edges/value"] = np.array([frame["box"] for frame in frames])
        group["box/edges/step"], group["box/edges/time"] = np.arange(4), np.arange(4.0)
    return path


def gsd_file(path, frames):
    with gsd.hoomd.open(path, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k, frame in enumerate(frames):
            one = gsd.hoomd.Frame()
            one.particles.N, one.configuration.step = N, k
            one.configuration.box = [*frame["box"], 0, 0, 0]
            one.particles.position = frame["position"] - LENGTH / 2
            one.particles.image, one.particles.velocity = frame["image"], frame["velocity"]
            file.append(one)
    return path


WRITERS = {"a.dump": dump, "a.xyz": extxyz, "a.h5md": h5md, "a.gsd": gsd_file}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(
    ("what", "value"),
    [
        ("image", np.nan),
        ("image", 1e9),
        ("image", -2147483648),
        ("image", 0.5),
        ("image", np.inf),
        ("position", 1e30),
        ("position", -1e12),
        ("position", np.nan),
        ("position", np.inf),
        ("velocity", np.nan),
        ("velocity", np.inf),
        ("box", np.nan),
        ("box", np.inf),
        ("box", 0.0),
        ("box", -6.0),
        ("box", 1e200),
    ],
)
def test_one_number_that_cannot_be(tmp_path, name, what, value):
    if name == "a.gsd" and what == "image" and not float(value).is_integer():
        pytest.skip("gsd writes image flags as integers")
    path = WRITERS[name](tmp_path / name, damaged(what, value))
    with warnings.catch_warnings(), pelplug.open_trajectory(path) as trajectory:
        warnings.simplefilter("error")
        with pytest.raises(InputError, match=r"[Ff]rame 2 of") as caught:
            trajectory.configuration(2)
        assert "\n" not in str(caught.value)
        for k in (0, 1, 3):  # the others are there, before and after
            np.testing.assert_array_equal(trajectory.configuration(k).images, good(k)["image"])


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_files_undamaged(tmp_path, name):
    with pelplug.open_trajectory(WRITERS[name](tmp_path / name, [good(k) for k in range(4)])) as trajectory:
        moved = [conf.unwrapped_positions() for conf in trajectory]
        np.testing.assert_allclose(moved[3] - moved[0], 6.0, rtol=1e-5)


def test_flags_that_jump_are_damaged_too(tmp_path):
    path = dump(tmp_path / "a.dump", damaged("image", 200_000))
    with pelplug.open_trajectory(path, dt=1.0) as trajectory:
        with pytest.raises(InputError, match=r"frame 1 to 2"):
            list(trajectory.unwrapped())
        assert len(list(trajectory.unwrapped(0, 2))) == 2


def test_particles_may_be_far_away(tmp_path):
    """A thousand cells away is no damage."""
    frames = [good(k) for k in range(4)]
    for frame in frames:
        frame["image"] += 1000
    with pelplug.open_trajectory(dump(tmp_path / "a.dump", frames)) as trajectory:
        assert all(np.all(conf.images >= 1000) for conf in trajectory)


def test_what_the_command_says_and_does(tmp_path):
    path = dump(tmp_path / "a.dump", damaged("position", 1e30))
    run = ["analyze", "--plugin", "dynamics", "--quantities", "msd", str(path), "--dt", "1", "--quiet"]
    answer = CliRunner().invoke(cli, [*run, "-o", str(tmp_path / "a.nc")])
    assert answer.exit_code == 2 and "Frame 2 of" in answer.stderr
    for option in ("--stop", "--start"):
        assert option in answer.stderr
    answer = CliRunner().invoke(cli, [*run, "-o", str(tmp_path / "b.nc"), "--stop", "2"])
    assert answer.exit_code == 0 and answer.stderr == ""
    # An analysis frame by frame leaves the damaged one out, and its exit code says so.
    quench = ["analyze", "--plugin", "inherent-structures", str(path), "--species", "1=A", "--quiet"]
    (tmp_path / "m.toml").write_text(
        'name = "soft"\nform = "harmonic"\ndimension = 3\nspecies = ["A"]\n'
        '[[pair]]\nspecies = ["A", "A"]\nsigma = 4.0\nepsilon = 1.0\ncutoff = 4.0\n'
    )
    potential = ["--model", str(tmp_path / "m.toml")]
    answer = CliRunner().invoke(cli, [*quench, *potential, "-o", str(tmp_path / "c.nc")])
    assert answer.exit_code == 3 and "frame 2" in answer.stderr
    found = pelplug.read_results(tmp_path / "c.nc")["inherent-structures"]
    assert list(found["frame"].values) == [0, 1, 3] and list(json.loads(found.attrs["failed_frames"])) == ["2"]
