"""GRO files of many frames against MDAnalysis, which reads the first frame of each of their parts, and plain numpy."""

import gzip
import pickle

import MDAnalysis
import numpy as np
import pytest

import pelplug
from pelplug import InputError, open_trajectory

N, F = 12, 7


def text(
    k, positions, velocities=None, box="3.00000 3.10000 3.20000", title="water t= {time:.5f} step= {step}", digits=3
):
    lines = [title.format(time=0.5 * k, step=250 * k), f"{len(positions):5d}"]
    for i, place in enumerate(positions):
        name = "OW" if i % 3 == 0 else "HW"
        line = f"{i // 3 + 1:5d}{'SOL':5s}{name:>5s}{i + 1:5d}" + "".join(f"{x:{digits + 5}.{digits}f}" for x in place)
        if velocities is not None:
            line += "".join(f"{v:{digits + 5}.{digits + 1}f}" for v in velocities[i])
        lines.append(line)
    return "\n".join([*lines, f"   {box}", ""])


@pytest.fixture(scope="module")
def walk():
    rng = np.random.default_rng(0)
    return np.cumsum(np.concatenate([rng.uniform(0, 3, (1, N, 3)), rng.normal(0, 0.1, (F - 1, N, 3))]), axis=0)


@pytest.mark.parametrize("box", ["3.00000 3.10000 3.20000", "3.0 3.1 3.2 0.0 0.0 0.5 0.0 -0.4 0.7"])
@pytest.mark.parametrize("digits", [3, 6])
@pytest.mark.parametrize("packed", [False, True])
def test_every_frame_is_what_mdanalysis_reads_of_it_alone(tmp_path, walk, box, digits, packed):
    rng = np.random.default_rng(1)
    velocities = rng.normal(0, 0.3, (F, N, 3))
    parts = [text(k, walk[k], velocities[k], box, digits=digits) for k in range(F)]
    path = tmp_path / ("all.gro.gz" if packed else "all.gro")
    path.write_bytes(gzip.compress("".join(parts).encode()) if packed else "".join(parts).encode())
    trajectory = open_trajectory(path)
    assert len(trajectory) == F and trajectory.species_names == ("HW", "OW")
    for k in (0, F - 1, 2):
        single = tmp_path / f"{k}.gro"
        single.write_text(parts[k])
        theirs = MDAnalysis.Universe(str(single)).trajectory.ts
        state = trajectory[k]
        np.testing.assert_allclose(state.positions, theirs.positions, rtol=1e-6)
        np.testing.assert_allclose(state.velocities, theirs.velocities, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(state.volume, theirs.volume, rtol=1e-6)
        assert (state.time, state.step) == (0.5 * k, 250 * k)
    copy = pickle.loads(pickle.dumps(trajectory))
    np.testing.assert_array_equal(copy[4].positions, trajectory[4].positions)


def test_msd_and_times(tmp_path, walk):
    path = tmp_path / "all.gro"
    path.write_text("".join(text(k, walk[k] % [3.0, 3.1, 3.2], digits=6) for k in range(F)) + "\n\n")
    found = pelplug.analyze("dynamics", path, quantities=("msd",), min_origins=1, per_decade=1000)
    moved = 10 * (walk[2:] - walk[:-2])  # Angstrom
    names = np.array(["OW" if i % 3 == 0 else "HW" for i in range(N)])
    moved -= moved.mean(axis=1, keepdims=True)
    expected = np.mean(np.sum(moved**2, axis=2)[:, names == "OW"])
    assert float(found.msd.sel(kind="OW", lag_time=1.0)) == pytest.approx(expected, rel=1e-4)


def test_what_is_wrong_with_a_frame(tmp_path, walk):
    good = [text(k, walk[k]) for k in range(3)]
    path = tmp_path / "all.gro"
    path.write_text(good[0] + good[1] + good[2][:300])
    trajectory = open_trajectory(path)
    assert trajectory[1].time == 0.5
    with pytest.raises(InputError, match=r"Frame 2 of .*--stop 2"):
        trajectory[2]
    path.write_text(good[0] + text(1, walk[1][:-3]))
    with pytest.raises(InputError, match="9 particles, and frame 0 12"):
        open_trajectory(path)[1]
    path.write_text(good[0] + "rubbish\nmore rubbish\n")
    with pytest.raises(InputError, match="frame 1 does not give its number of atoms"):
        open_trajectory(path)
    path.write_text("".join(text(k, walk[k], title="no time") for k in range(3)))
    assert open_trajectory(path)[2].time is None
    found = pelplug.analyze("dynamics", path, frame_interval=0.5, quantities=("msd",), min_origins=1)
    assert found.msd.size
