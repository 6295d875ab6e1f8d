"""Errors over independent samples hold as often as they say; every number here is known without pelplug."""

import numpy as np
import pytest
import xarray as xr
from scipy import signal

from pelplug.tasks.statistics import (
    Bootstrap,
    Jackknife,
    block_of,
    block_sums,
    effective_samples,
    relative_to,
    standard_error,
    state_errors,
    statistical_inefficiency,
    student_factor,
)

# Of 2000 sets, 3.3 standard deviations of a share: chance lets one in a thousand of right errors fall outside.
SETS = 2000


def share_band(p):
    return p - 3.3 * (p * (1 - p) / SETS) ** 0.5, p + 3.3 * (p * (1 - p) / SETS) ** 0.5


def test_students_factor_is_that_of_the_tables():
    # Two-sided 95 % points of t with 2, 4, 9 and 19 degrees of freedom, over 1.960: any table has them.
    assert student_factor([3, 5, 10, 20], 0.95) * 1.959964 == pytest.approx([4.303, 2.776, 2.262, 2.093], abs=6e-4)
    assert np.isnan(student_factor(1.5)) and student_factor(1e6) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("samples", [3, 5, 12])
def test_an_error_of_few_samples_holds_as_often_as_one_of_many(samples):
    values = np.random.default_rng(samples).normal(2.0, 3.0, (SETS, samples))
    off = np.abs(values.mean(axis=1) - 2.0)
    low, high = share_band(0.6827)
    for error in (
        standard_error(values, axis=1),
        [
            Bootstrap(samples, resamples=300, seed=k).error(Bootstrap(samples, resamples=300, seed=k).means(one))
            for k, one in enumerate(values)
        ],
        [Jackknife(samples).error(Jackknife(samples).means(one)) for one in values],
    ):
        assert low < np.mean(off < error) < high
        assert not low < np.mean(off < 0.5 * np.asarray(error)) < high  # halved it would not


@pytest.mark.parametrize("kind", [Jackknife, Bootstrap])
def test_a_ninety_percent_interval_of_five_samples_holds_in_ninety_percent(kind):
    values = np.random.default_rng(11).normal(0.0, 1.0, (SETS, 5))
    held = 0
    for k, one in enumerate(values):
        resampling = Jackknife(5) if kind is Jackknife else Bootstrap(5, resamples=400, seed=k)
        low, high = resampling.interval(resampling.means(one), 0.9)
        held += low < 0 < high
    # The bootstrap's goes no further than the five values: 88 % of normal ones.
    assert (0.86 if kind is Bootstrap else share_band(0.9)[0]) < held / SETS < share_band(0.9)[1]


def test_too_few_samples_tell_nothing():
    two, four = Bootstrap(2), Jackknife(4)
    assert np.isnan(two.error(two.means([1.0, 2.0])))
    assert np.isfinite(four.error(four.means([1.0, 2.0, 3.0, 5.0])))
    assert np.isnan(four.interval(four.means([1.0, 2.0, 3.0, 5.0]), 0.9)).all()
    assert np.isnan(standard_error([1.0, 2.0])) and np.isnan(standard_error([1.0, np.nan, 2.0]))


def test_the_jackknife_takes_out_the_bias_of_a_variance():
    values = np.random.default_rng(3).normal(size=9)
    jackknife = Jackknife(9)
    # Of the plain variance the jackknife gives the unbiased one, exactly (Efron and Stein).
    assert jackknife.unbiased(jackknife.apply(np.var, values)) == pytest.approx(values.var(ddof=1), rel=1e-12)
    mean = jackknife.error(jackknife.means(values))
    assert mean == pytest.approx(values.std(ddof=1) / 3.0 * student_factor(9), rel=1e-12)


def test_means_with_counts_are_ratios_of_sums():
    bootstrap = Bootstrap(4, resamples=50, seed=0)
    found = bootstrap.means([[2.0, 0.0], [4.0, 0.0], [6.0, 0.0], [8.0, 0.0]], [1.0, 2.0, 3.0, 4.0])
    assert found.shape == (51, 2) and np.allclose(found[:, 0], 2.0) and np.allclose(found[:, 1], 0.0)
    assert np.isnan(bootstrap.means([1.0, 2.0, 3.0, 4.0], np.zeros(4))).all()


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.95])
def test_the_inefficiency_of_an_autoregressive_series_is_the_exact_one(memory):
    noise = np.random.default_rng(5).normal(size=400_000)
    series = signal.lfilter([1.0], [1.0, -memory], noise)
    exact = (1.0 + memory) / (1.0 - memory)
    assert statistical_inefficiency(series) == pytest.approx(exact, rel=0.06)
    assert effective_samples(series) == pytest.approx(len(series) / exact, rel=0.06)


def test_a_constant_series_is_one_sample():
    assert effective_samples(np.full(50, 0.1)) == pytest.approx(1.0)


def test_blocks_are_of_equal_length_and_lose_nothing():
    assert block_of(7, 3).tolist() == [0, 0, 1, 1, 2, 2, 2]
    assert block_sums(np.arange(7.0), 3).tolist() == [1.0, 5.0, 15.0]
    assert np.bincount(block_of(1000, 7)).tolist() == block_sums(np.ones(1000), 7).tolist()


def test_an_error_says_how_it_was_found():
    dataset = xr.Dataset({"a": ((), 1.0), "a_error": ((), 0.1)})
    state_errors(dataset, ["a_error", "not_there_error"], Bootstrap(6).attributes("inherent structures"))
    assert dataset["a_error"].attrs == {
        "error_method": "bootstrap over inherent structures",
        "effective_samples": 6.0,
        "confidence": 0.6827,
    }
    assert dataset["a"].attrs == {}


@pytest.mark.parametrize("kind", [Jackknife, Bootstrap])
def test_an_interval_of_five_skewed_samples_holds_where_they_are_positive(kind):
    # Lognormal: the mean is exp(1/8) exactly. Half the logarithm's width to either side would not hold.
    truth = np.exp(0.125)
    resampling = Jackknife(5) if kind is Jackknife else Bootstrap(5, resamples=400)
    means = resampling.means(np.random.default_rng(17).lognormal(0.0, 0.5, (5, SETS)))  # a set a column
    low, high = resampling.interval(means, 0.9, positive=True)
    held = np.mean((low < truth) & (truth < high))
    half = np.mean((np.sqrt(low * means[0]) < truth) & (truth < np.sqrt(high * means[0])))
    low, high = resampling.interval(means, 0.9)
    plain = np.mean((low < truth) & (truth < high))
    assert abs(held - 0.9) < 0.03 and plain < held and half < 0.75


def test_an_interval_of_what_reaches_zero_is_not_of_its_logarithm():
    bootstrap = Bootstrap(6, resamples=300)
    means = bootstrap.means([[0.0, 4.0], [0.0, 5.0], [0.0, 6.0], [0.0, 4.5], [3.0, 5.5], [1.0, 5.1]])
    low, high = bootstrap.interval(means, 0.9, positive=True)
    assert low[0] == 0.0 < high[0] and 4.0 < low[1] < 5.0 < high[1]


def test_ratios_to_one_of_several_values_scatter_as_they_say():
    rng = np.random.default_rng(8)
    truth, errors = np.array([3.0, 2.0, 4.0]), np.array([0.03, 0.05, 0.02])
    drawn = truth + errors * rng.normal(size=(4000, 3))
    ratio, error = relative_to(truth, errors, 1)
    np.testing.assert_allclose(ratio, truth / 2.0)
    np.testing.assert_allclose(error[[0, 2]], (drawn / drawn[:, 1:2]).std(axis=0)[[0, 2]], rtol=0.05)
    assert np.isnan(error[1])
