"""The kit for plugin authors finds what authors get wrong."""

import sys
from pathlib import Path

import numpy as np
import pytest

import pelplug
from pelplug.testing import check_analysis, make_trajectory, pelplug_trajectory  # noqa: F401 (a fixture)

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "thirdparty"))

from faulty import analyses as mistaken
from pelplug_good.analyses import Busiest, Near


def test_a_good_analysis_passes_and_its_result_comes_back(pelplug_trajectory):  # noqa: F811
    dataset = check_analysis(Near, pelplug_trajectory, parameters={"distance": 1.1})
    assert dataset.sizes == {"frame": 4, "particle": 100, "pair": int(dataset["total"].sum()), "end": 2}


def test_used_analyses_that_are_not_installed_are_given(pelplug_trajectory):  # noqa: F811
    assert check_analysis(Busiest, pelplug_trajectory, also=(Near,)).sizes["frame"] == 4


@pytest.mark.parametrize(
    ("cls", "words"),
    [
        (mistaken.NoSummary, "has no summary"),
        (mistaken.PlainDims, "pelplug.Field"),
        (mistaken.NoCompute, "has no compute"),
        (mistaken.NoBase, r"must take \*\*base"),
        (mistaken.CountsFrames, "x differs between one process and several"),
        (mistaken.FailsOnce, "frames failed.*told to"),
        (mistaken.Unpicklable, "cannot be pickled"),
    ],
)
def test_what_authors_get_wrong_is_found(cls, words, pelplug_trajectory):  # noqa: F811
    with pytest.raises(AssertionError, match=words):
        check_analysis(cls, pelplug_trajectory)


@pytest.mark.parametrize(
    ("model", "suffix", "dimension"), [("kob-andersen-2d", "gsd", 2), ("polydisperse-soft-spheres", "gsd", 3)]
)
def test_made_trajectories_fit_their_model(tmp_path, model, suffix, dimension):
    path = make_trajectory(tmp_path / f"t.{suffix}", model=model, n=64, frames=3, seed=4)
    trajectory = pelplug.open_trajectory(path)
    assert (len(trajectory), trajectory.n, trajectory.dimension) == (3, 64, dimension)
    assert trajectory.has("velocities") and trajectory.has("images")
    built = pelplug.model(model)
    for conf in trajectory:
        assert np.isfinite(built.potential(conf).energy(conf))
    again = make_trajectory(tmp_path / f"again.{suffix}", model=model, n=64, frames=3, seed=4)
    np.testing.assert_array_equal(pelplug.open_trajectory(again)[2].positions, trajectory[2].positions)
