"""What counts as one independent sample among frames, judged by series whose correlation time is known."""

import numpy as np
import pytest
import xarray as xr
from scipy import signal

from pelplug.tasks.independence import frame_sums, independent_samples, unit_sums
from pelplug.tasks.statistics import standard_error


def frames(n, runs=None):
    dataset = xr.Dataset(coords={"frame": np.arange(n)})
    return dataset if runs is None else dataset.assign_coords(run=("frame", runs))


def correlated(n, tau, rng):
    """Return an autoregressive series: its statistical inefficiency is (1 + rho) / (1 - rho), rho = exp(-1 / tau)."""
    rho = np.exp(-1.0 / tau)
    noise = rng.normal(size=n + round(20 * tau)) * np.sqrt(1 - rho**2)
    return signal.lfilter([1.0], [1.0, -rho], noise)[-n:]


def test_five_structures_are_five_samples():
    unit, of = independent_samples(frames(5), np.arange(5.0))
    assert (unit.tolist(), of) == ([0, 1, 2, 3, 4], "inherent structures")
    assert independent_samples(frames(5), of="frames")[1] == "frames"


def test_five_runs_are_five_samples_whatever_their_frames():
    runs = np.repeat([7, 3, 4, 0, 9], 30)
    unit, of = independent_samples(frames(150, runs), np.random.default_rng(0).normal(size=150))
    assert of == "runs" and unit.max() == 4
    for name in runs:
        assert np.unique(unit[runs == name]).size == 1


def test_uncorrelated_frames_stay_single():
    rng = np.random.default_rng(3)
    single = [independent_samples(frames(200), rng.normal(size=200))[0].max() == 199 for _ in range(100)]
    assert np.mean(single) > 0.7  # one standard deviation of a correlation that is none, one-sided: 84 %


@pytest.mark.parametrize("tau", [1.0, 3.0, 10.0])
def test_correlated_frames_make_blocks_whose_errors_hold(tau):
    rng = np.random.default_rng(round(10 * tau))
    held = np.array([_held(correlated(600, tau, rng)) for _ in range(400)], dtype=float)
    assert np.mean(np.isfinite(held[:, 0])) > 0.9
    one, half, naive = np.nanmean(held, axis=0)
    assert 0.60 < one < 0.75  # the binomial 99.9 % band of 400 about 0.683, and what a finite block leaves
    assert half < 0.45 and naive < 0.55  # halved, or with single frames for samples, they would not


def _held(series):
    unit, of = independent_samples(frames(series.size), series)
    means = unit_sums(series, unit) / np.bincount(unit)
    off, error = abs(series.mean()), standard_error(means)
    assert of.startswith("blocks of ") or of == "inherent structures" or not np.isfinite(error)
    return [np.nan] * 3 if not np.isfinite(error) else [off < error, off < error / 2, off < standard_error(series)]


def test_blocks_end_with_their_run():
    rng = np.random.default_rng(5)
    runs = np.repeat([0, 1, 2], [300, 200, 250])
    unit, of = independent_samples(
        frames(750, runs), np.concatenate([correlated(k, 4.0, rng) for k in (300, 200, 250)])
    )
    assert of.startswith("blocks of ")
    for sample in range(unit.max() + 1):
        members = np.flatnonzero(unit == sample)
        assert np.unique(runs[members]).size == 1 and np.ptp(members) == members.size - 1


def test_a_run_too_short_for_what_is_correlated_in_it_is_one_sample():
    drift = np.linspace(0.0, 1.0, 40)
    assert independent_samples(frames(40), drift) == (pytest.approx(np.zeros(40)), "runs")
    unit, of = independent_samples(frames(80, np.repeat([0, 1], 40)), np.concatenate([drift, drift + 3.0]))
    assert of == "runs" and unit.tolist() == [0] * 40 + [1] * 40


def test_sums_of_samples():
    values = np.arange(12.0).reshape(4, 3)
    np.testing.assert_array_equal(unit_sums(values, np.array([1, 0, 1, 1])), [[3, 4, 5], [15, 18, 21]])


def test_sums_of_what_each_frame_has():
    """Frames keep their labels, and one without an entry has none."""
    dataset = xr.Dataset(
        {"kappa_ij": ("pair", [1.0, 2.0, 4.0])}, {"frame": [3, 5, 9], "pair_frame": ("pair", [9, 3, 9])}
    )
    sums, counts = frame_sums(dataset, "kappa_ij")
    assert sums.tolist() == [2.0, 0.0, 5.0] and counts.tolist() == [1, 0, 2]
