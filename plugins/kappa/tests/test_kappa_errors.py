"""Errors and intervals of kappa, G and P(kappa/<kappa>) hold as often as they say, on structures of a known law."""

import numpy as np
import pytest
import xarray as xr
from pelplug_kappa.statistics import averaged
from scipy import stats

BETWEEN, WITHIN, SHEAR = 0.2, 0.5, 0.4  # standard deviations of ln kappa of structures and of their pairs, and of ln G
MEAN = np.exp((BETWEEN**2 + WITHIN**2) / 2)
MEAN_SHEAR = np.exp(SHEAR**2 / 2)
SETS = 200


def structures(rng, n):
    """Return n structures with random numbers of pairs; kappa is lognormal about a mean that differs between them."""
    pairs = rng.integers(200, 400, size=n)
    frame = np.repeat(np.arange(n), pairs)
    kappa = np.exp(rng.normal(0, BETWEEN, n)[frame] + rng.normal(0, WITHIN, frame.size))
    shear = np.exp(rng.normal(0, SHEAR, n))
    moduli = dict.fromkeys(("bulk_modulus", "shear_modulus_average", "c11", "c12", "c44"), ("frame", shear))
    return xr.Dataset(
        {
            "kappa_ij": ("pair", kappa),
            "kappa_frame": ("frame", np.bincount(frame, kappa) / pairs),
            "shear_modulus": (("frame", "plane"), np.tile(shear[:, None], 3)),
            **moduli,
        },
        coords={"frame": np.arange(n), "pair_frame": ("pair", frame)},
    )


def analysed(dataset, **options):
    return averaged(dataset, **{"bins": 30, "confidence": 0.9, "resamples": 120, "seed": 1, **options})


def law(edges):
    """Return P(kappa/<kappa>) of the law: a lognormal of mean one, averaged over each bin."""
    width = np.hypot(BETWEEN, WITHIN)
    return np.diff(stats.norm.cdf((np.log(edges) + width**2 / 2) / width)) / np.diff(edges)


@pytest.mark.parametrize("n", [5, 20])
def test_errors_and_intervals_of_few_structures_hold(n):
    rng = np.random.default_rng(n)
    held = np.array([one_set(rng, n) for _ in range(SETS)])
    # Four standard deviations of the share in so many sets, and what the skewness of five lognormal moduli leaves.
    one_sigma, ninety = 0.683 + 0.12 * np.array([-1, 1]), 0.9 + 0.08 * np.array([-1, 1])
    kappa, shear, kappa_in, shear_in, kappa_half, shear_half = held.mean(axis=0)
    assert one_sigma[0] < kappa < one_sigma[1] and one_sigma[0] < shear < one_sigma[1]
    assert ninety[0] < kappa_in < ninety[1] and ninety[0] < shear_in < ninety[1]
    assert max(kappa_half, shear_half) < one_sigma[0]


def one_set(rng, n):
    one, _ = analysed(structures(rng, n))
    off = abs(float(one["kappa_mean"]) - MEAN), abs(float(one["shear_modulus_mean"]) - MEAN_SHEAR)
    errors = float(one["kappa_mean_error"]), float(one["shear_modulus_mean_error"])
    inside = [
        one[name][0] < truth < one[name][1]
        for name, truth in (("kappa_interval", MEAN), ("shear_modulus_interval", MEAN_SHEAR))
    ]
    within = [a < b for a, b in zip(off, errors, strict=True)]
    return [*within, *inside, *(a < b / 2 for a, b in zip(off, errors, strict=True))]


@pytest.mark.parametrize("n", [5, 20])
def test_errors_of_the_distribution_hold_and_poisson_ones_do_not(n):
    rng, rows = np.random.default_rng(n), []
    for _ in range(60):
        one, _ = analysed(structures(rng, n))
        density, error = one["kappa_distribution"].values, one["kappa_distribution_error"].values
        known = np.isfinite(error)
        np.testing.assert_array_equal(known, one["kappa_samples"] >= 3)
        poisson = density / np.sqrt(np.maximum(one["kappa_counts"].values, 1))
        low, high = one["kappa_distribution_interval"].values
        truth = law(one["kappa_ratio_edges"].values)
        off = np.abs(density - truth)
        sure = np.isfinite(low)
        np.testing.assert_array_equal(sure, one["kappa_samples"] >= 5)
        rows.append([np.sum(off < e) for e in (error, error / 2, np.where(known, poisson, 0.0))]
                    + [known.sum(), np.sum((low < truth) & (truth < high)), sure.sum()])  # fmt: skip
    held, half, poisson, known, inside, sure = np.sum(rows, axis=0)
    assert 0.64 < held / known < 0.74  # bins of one set are correlated: some 60 sets of some 10 independent bins
    assert 0.86 < inside / sure < 0.94
    assert half / known < 0.5 and poisson / known < held / known


def test_frames_that_follow_each_other_closely_are_no_independent_structures():
    """One structure, recorded ten times in a row, is one: the error does not fall."""
    rng = np.random.default_rng(0)
    once = structures(rng, 30)
    again = xr.Dataset(
        {
            name: (variable.dims, np.concatenate([variable.values[k] for k in np.repeat(np.arange(30), 10)[:, None]]))
            for name, variable in once.data_vars.items()
            if variable.dims[0] == "frame"
        }
    )
    places = [np.flatnonzero(once["pair_frame"].values == k) for k in np.repeat(np.arange(30), 10)]
    again["kappa_ij"] = ("pair", once["kappa_ij"].values[np.concatenate(places)])
    again = again.assign_coords(
        frame=np.arange(300), pair_frame=("pair", np.repeat(np.arange(300), [len(one) for one in places]))
    )
    one, many = analysed(once)[0], analysed(again)[0]
    assert many["kappa_mean_error"].attrs["error_method"].startswith("bootstrap over blocks of ")
    assert float(many["kappa_mean_error"]) > 0.7 * float(one["kappa_mean_error"])


def test_runs_are_the_samples_where_there_are_five():
    rng = np.random.default_rng(2)
    dataset = structures(rng, 20).assign_coords(run=("frame", np.repeat(np.arange(5), 4)))
    one, few = analysed(dataset)
    assert not few
    for name in ("kappa_mean_error", "kappa_interval", "shear_modulus_mean_error", "c44_mean_error"):
        assert one[name].attrs["error_method"] == "bootstrap over runs"
        assert one[name].attrs["effective_samples"] == 5
    assert one["kappa_samples"].max() == 5
