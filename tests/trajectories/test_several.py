"""Several trajectories of one system in one analysis: order, conditions, and what is refused."""

import shutil

import numpy as np
import pytest

import pelplug
from pelplug.trajectories.several import SeveralTrajectories, opened
from pelplug.trajectories.source import Frames

N, L = 30, 5.0


def states(seed, frames=3, n=N, length=L, shuffled=True):
    rng = np.random.default_rng(seed)
    species = np.repeat(["A", "B"], [n - 10, 10])
    species = rng.permutation(species) if shuffled else species
    positions = rng.uniform(0, length, size=(n, 3))
    for k in range(frames):
        moved = positions + 0.05 * k
        yield pelplug.Configuration(moved, np.full(3, length), species, frame=k, step=10 * k).wrapped()


@pytest.fixture
def runs(tmp_path):
    for seed, frames in ((1, 3), (2, 4), (3, 2)):
        pelplug.write_trajectory(tmp_path / f"run-{seed}.gsd", states(seed, frames))
    return [tmp_path / f"run-{seed}.gsd" for seed in (1, 2, 3)]


@pelplug.analysis(provides={"x": pelplug.Field(("frame", "particle"), "length", "the first coordinate")})
def first_coordinate(configuration):
    """Return where particles are along x."""
    return {"x": configuration.positions[:, 0]}


def test_frames_come_in_the_order_given(runs, tmp_path):
    for given in (runs, str(tmp_path / "run-*.gsd"), [pelplug.open_trajectory(path) for path in runs]):
        with opened(given) as found:
            assert len(found) == 9
            assert [found.place(k) for k in (0, 2, 3, 6, 7, 8)] == [(0, 0), (0, 2), (1, 0), (1, 3), (2, 0), (2, 1)]
            last = pelplug.read_configuration(runs[1])
            order = np.argsort(last.species, kind="stable")
            again = np.argsort(found.species, kind="stable")
            assert np.array_equal(found.configuration(6).positions[again], last.positions[order])
            assert found.configuration(6).frame == 6
            for k in range(9):  # the particles are in the order of the first file's species
                assert np.array_equal(found.configuration(k).species, found.species)


def test_a_selection_is_of_each(runs):
    with opened(runs) as found:
        assert found.select(Frames(start=1)).tolist() == [1, 2, 4, 5, 6, 8]
        with pytest.raises(pelplug.InputError, match=r"run-3\.gsd has 2 frames"):
            found.select(Frames(start=2))


def copied(path):
    shutil.copy(path, path.with_name("copy.gsd"))
    return path.with_name("copy.gsd")


def written(path, **changes):
    pelplug.write_trajectory(path.with_name("other.gsd"), states(7, **changes))
    return path.with_name("other.gsd")


@pytest.mark.parametrize(
    "other, said",
    [
        (lambda path: path, r"run-1\.gsd is named twice"),
        (lambda path: path.parent / "." / ".." / path.parent.name / path.name, "is named twice"),
        (copied, r"copy\.gsd is a copy of .*run-1\.gsd"),
        (lambda path: written(path, n=31), r"other\.gsd has 31 particles and .*run-1\.gsd 30; analyse them apart"),
        (lambda path: written(path, length=5.1), r"other\.gsd has the density 0\.226\d* and .*--pressure"),
    ],
)
def test_what_is_no_independent_run_of_the_same_is_refused(runs, other, said):
    with pytest.raises(pelplug.InputError, match=said):
        opened([runs[0], other(runs[0])]).conditions  # noqa: B018


def test_species_are_counted(runs, tmp_path):
    def fewer():
        for one in states(9):
            yield one.replace(species=np.repeat(["A", "B"], [21, 9]))

    pelplug.write_trajectory(tmp_path / "fewer.gsd", fewer())
    with pytest.raises(pelplug.InputError, match=r"fewer\.gsd has 21 A, 9 B and .*run-1\.gsd 20 A, 10 B"):
        opened([runs[0], tmp_path / "fewer.gsd"])


def test_conditions_are_those_that_all_share(runs):
    given = [pelplug.open_trajectory(path, temperature=0.5, replica=k) for k, path in enumerate(runs)]
    found = SeveralTrajectories(given).conditions
    assert (found.temperature, found.replica, found.several) == (0.5, None, ("replica",))
    assert found.n == N
    other = pelplug.open_trajectory(runs[1], temperature=0.6)
    with pytest.raises(pelplug.InputError, match=r"run-2\.gsd has the temperature 0\.6 and .*run-1\.gsd 0\.5; analyse"):
        SeveralTrajectories([given[0], other]).conditions  # noqa: B018
    silent = [given[0], pelplug.open_trajectory(runs[1])]
    with pytest.raises(pelplug.InputError, match=r"run-2\.gsd says none; if it is the same, pass --temperature 0\.5"):
        SeveralTrajectories(silent).conditions  # noqa: B018
    told = SeveralTrajectories(silent).under(pelplug.Conditions(temperature=0.5))
    assert told.conditions.temperature == 0.5


def test_a_pattern_that_fits_nothing(tmp_path):
    with pytest.raises(pelplug.InputError, match="No file fits"):
        opened(str(tmp_path / "run-*.gsd"))
    with pytest.raises(pelplug.InputError, match="No trajectory is given"):
        opened([])


def test_the_frames_of_each_are_what_they_are_alone(runs):
    together = first_coordinate.analysis(runs).run().to_dataset()
    assert together["run"].values.tolist() == [0, 0, 0, 1, 1, 1, 1, 2, 2]
    assert together["frame_in_run"].values.tolist() == [0, 1, 2, 0, 1, 2, 3, 0, 1]
    assert together["frame"].values.tolist() == list(range(9))
    for k, path in enumerate(runs):
        alone = first_coordinate.analysis(path).run().to_dataset()
        mine = together["x"].values[together["run"] == k]
        assert np.array_equal(np.sort(mine, axis=1), np.sort(alone["x"].values, axis=1))
        assert "run" not in alone.coords
