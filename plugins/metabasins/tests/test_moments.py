"""Moments of waiting times on landscapes of known law: values, errors that hold, and what is refused."""

import json

import numpy as np
import pytest
import xarray as xr
from pelplug_metabasins.averages import Averages
from pelplug_metabasins.broadening import BINS, bin_of, fit_broadening
from pelplug_metabasins.hopping import squared_displacement
from pelplug_metabasins.metabasins import INPUT, Metabasins
from pelplug_metabasins.moments import plain_moments
from pelplug_metabasins.resampling import Samples
from pelplug_metabasins.waiting import survival_weights

PARAMETERS = {
    "k": (400.0,), "per_decade": 8, "waiting_per_decade": 5, "energy_bins": 20, "minimum": 20, "first_jump": "auto",
    "last_jump": "auto", "blocks": 20, "samples": 60, "seed": 0,
}  # fmt: skip
MIDDLE, WIDTH, SLOPE, BROADENING = -50.0, 2.5, 0.4, 0.8
SPREAD = (SLOPE * WIDTH) ** 2
MEAN, SQUARE = np.exp(SPREAD / 2), 2 * np.exp(BROADENING + 2 * SPREAD)
TRUTH = {
    "mean_waiting_time": MEAN,
    "jump_rate": 1 / MEAN,
    "mean_square_waiting_time": SQUARE,
    "relaxation_time": SQUARE / (2 * MEAN),
    "fitted_mean_waiting_time": MEAN,
    "fitted_mean_square_waiting_time": SQUARE,
    "fitted_relaxation_time": SQUARE / (2 * MEAN),
    "fitted_sigma_gamma_squared": BROADENING,
    "sigma_gamma_squared_mean": BROADENING,
    "rate_slope": SLOPE,
}
"""Gaussian energies, Gamma(e) an exponential, log-normal rates about it: the moments are Gaussian integrals."""


def draw(rng, number):
    """Energies and waiting times of metabasins of the landscape."""
    energy = rng.normal(MIDDLE, WIDTH, size=number)
    rate = np.exp(SLOPE * (energy - MIDDLE) + np.sqrt(BROADENING) * rng.normal(size=number) + BROADENING / 2)
    return energy, rng.exponential(1 / rate)


def record(rng, number):
    """A stationary record as long as so many metabasins are on average."""
    energy, stay = draw(rng, 4 * number + 4000)
    end, length = np.cumsum(stay), number * MEAN
    begin = rng.uniform(0, end[-1] - length)
    inside = np.flatnonzero((end > begin) & (end - stay < begin + length))
    seen = np.minimum(end, begin + length) - np.maximum(end - stay, begin)
    return energy[inside], seen[inside]


def averages(energy, stay, run=None, spacing=None, **parameters):
    run = np.zeros(len(stay), dtype=int) if run is None else run
    first, last = np.r_[True, run[1:] != run[:-1]], np.r_[run[1:] != run[:-1], True]
    found = {"waiting_time": stay, "metabasin_energy": energy, "run": run, "ends": 1.0 - (first * 0.5 + last * 0.5)}
    return Averages(found, spacing, PARAMETERS | parameters)


@pytest.fixture(scope="module")
def many():
    """Values and errors of each quantity in sixty records of 300 metabasins."""
    rng = np.random.default_rng(21)
    found = [averages(*record(rng, 300), seed=seed).values for seed in range(60)]
    return {name: np.array([[one[name][1], one[f"{name}_error"][1]] for one in found]).T for name in TRUTH}


def test_errors_hold_as_often_as_they_say(many):
    """Pooled over quantities, and none of them far away: half of any error fails."""
    deviation = {name: np.abs(value - TRUTH[name]) / error for name, (value, error) in many.items()}
    for name, one in deviation.items():
        told = one[np.isfinite(one)]
        assert len(told) > 20, name
        assert 0.5 < np.mean(told < 1) < 0.87, name  # 99.8 % of 60
    pooled = np.concatenate([one[np.isfinite(one)] for one in deviation.values()])
    assert 0.62 < np.mean(pooled < 1) < 0.76
    assert np.mean(pooled < 0.5) < 0.5


def test_the_fitted_law_has_no_bias_where_the_record_has(many):
    plain, fitted = (np.median(many[name][0]) / TRUTH[name] for name in ("relaxation_time", "fitted_relaxation_time"))
    assert plain < 0.7 and 0.75 < fitted < 1.3
    assert abs(np.median(many["fitted_sigma_gamma_squared"][0]) - BROADENING) < 0.15
    assert np.nanmedian(many["sigma_gamma_squared_mean"][0]) < 0.75 * BROADENING


def test_moments_of_known_records():
    """tau_alpha is the integral of S0, which is known without bias up to the length of a run."""
    times = np.linspace(0, 3, 300_001)
    for runs in ([[2.0, 1.0, 3.0]], [[2.0, 1.0, 3.0], [0.5, 0.25], [1.5]]):
        stay, run = np.concatenate(runs), np.repeat(np.arange(len(runs)), [len(one) for one in runs])
        lengths = np.array([sum(one) for one in runs])
        above = sum(np.maximum(one - times, 0) for one in stay)
        below = sum(np.maximum(one - times, 0) for one in lengths)
        mean, relaxation, longest = plain_moments(stay, run)
        assert relaxation == pytest.approx(np.trapezoid(above / below, times), rel=1e-4)
        assert mean == pytest.approx(stay.sum() / (len(stay) - len(runs)))
        assert longest == pytest.approx(9 / np.square(stay).sum())


def test_records_of_any_length_give_the_mean_waiting_time():
    """Complete metabasins alone give too little; jumps over time, and weights of what fits in, do not."""
    rng = np.random.default_rng(22)
    rate, relaxation, weighted, complete = [], [], [], []
    for _ in range(1500):
        stay = rng.exponential(1.0, size=60)
        end, begin = np.cumsum(stay), 15.0
        inside = np.flatnonzero((end > begin) & (end - stay < begin + 8.0))
        seen = np.minimum(end[inside], begin + 8.0) - np.maximum(end[inside] - stay[inside], begin)
        rate.append((len(seen) - 1) / 8.0)
        relaxation.append(plain_moments(seen, np.zeros(len(seen), dtype=int))[1])
        weight = survival_weights(seen[1:-1], np.array([8.0]))
        weighted.append([(weight * seen[1:-1]).sum(), weight.sum()])
        complete.append([seen[1:-1].sum(), len(seen) - 2])
    rate, relaxation = np.array(rate), np.array(relaxation)
    assert abs(rate.mean() - 1) < 4 * rate.std() / np.sqrt(1500)
    assert abs(relaxation.mean() - 1) < 4 * relaxation.std() / np.sqrt(1500)
    (above, below), (short, number) = (np.sum(one, axis=0) for one in (weighted, complete))
    assert above / below == pytest.approx(1, abs=0.05) and short / number < 0.9


@pytest.mark.parametrize("broadening", [0.0, 0.4, 1.0, 2.5])
def test_broadening_of_log_normal_rates(broadening):
    rng = np.random.default_rng(23)
    counts = np.zeros((3, 40, BINS))
    for k in range(40):
        stay = rng.exponential(np.exp(np.sqrt(broadening) * rng.normal(size=1000)))
        end = rng.exponential(30.0, size=1000)
        late = stay > end  # seen only so far
        stay = np.minimum(stay, end)
        early = ~late & (stay < 0.1)  # only known to be short
        for kind, (chosen, shown) in enumerate(((~late & ~early, stay), (early, np.full(1000, 0.1)), (late, stay))):
            counts[kind, k] = np.bincount(bin_of(shown[chosen]), minlength=BINS)
    found = fit_broadening(*counts)
    assert abs(found.mean() - broadening) < 4 * found.std() / np.sqrt(40) + 0.03 * broadening + 0.02
    assert found.std() < 0.1 + 0.1 * broadening


def test_displacements_that_share_jumps_across_blocks_are_not_independent():
    """A walk of 300 Gaussian jumps, a^2 from 30 of them: the scatter of many walks is what is stated."""
    rng = np.random.default_rng(29)
    values, errors = [], []
    lags = np.array([3, 30])
    for seed in range(150):
        places = np.cumsum(rng.normal(size=(300, 2, 3)), axis=0)
        run = np.zeros(300, dtype=int)
        samples = Samples(run, 20, 60, seed)
        squared = squared_displacement(places, run, lags, samples)[:, 1]
        one = Averages.__new__(Averages)
        one.samples, one.stay = samples, np.ones(300)
        values.append(squared[0])
        errors.append(float(samples.error(squared)) * one._overlap(30))
    scatter = np.std(values, ddof=1)
    assert 0.8 < np.mean(errors) / scatter < 1.25


# --- several runs -------------------------------------------------------------------------------------------------


def test_errors_are_over_runs_where_there_are_five():
    rng = np.random.default_rng(24)
    parts = [record(rng, 60) for _ in range(6)]
    energy, stay = (np.concatenate(one) for one in zip(*parts, strict=True))
    run = np.repeat(np.arange(6), [len(one) for one, _ in parts])
    together = averages(energy, stay, run)
    assert (together.samples.samples, together.samples.of) == (6, "independent runs")
    assert together.values["jump_rate"][1] == pytest.approx((len(stay) - 6) / stay.sum())
    two = Samples(run[run < 2], 20, 10, 0)
    assert two.samples == 20 and not set(two.unit[run[run < 2] == 0]) & set(two.unit[run[run < 2] == 1])


# --- what is refused ----------------------------------------------------------------------------------------------


def source_of(frames, energy, spacing=1.0):
    """What inherent-structure-transitions gives where each metabasin is one structure of so many frames."""
    last = np.cumsum(frames) - 1
    labels = np.arange(last[-1] + 1)
    return xr.Dataset(
        {
            "visit_structure": ("visit", np.arange(len(frames))),
            "visit_first": ("visit", np.r_[0, last[:-1] + 1]),
            "visit_last": ("visit", last),
            "visit_energy": ("visit", energy),
        },
        {"frame": ("frame", labels), "time": ("frame", spacing * labels)},
    )


def result_of(source):
    ds = Metabasins(None, inputs={INPUT: source}, samples=50).summarize(xr.Dataset())
    return ds, json.loads(ds.attrs["not_found"])


def test_frames_too_far_apart_tell_no_times():
    """Most metabasins last one frame: the mean waiting time would be that of the frames."""
    rng = np.random.default_rng(25)
    ds, said = result_of(source_of(rng.geometric(0.8, size=300), rng.normal(size=300)))
    for name in (*TRUTH, "rate_plateau", "crossover_energy"):
        assert np.isnan(ds[name]) and np.isnan(ds[f"{name}_error"]), name
    assert np.isnan(ds["waiting_time_by_energy"]).all() and np.isnan(ds["sigma_gamma_squared"]).all()
    assert len(said) == 1 and "last one frame" in said[0] and "write frames more often" in said[0]
    assert ds.attrs["rate_fit"].startswith("none") and float(ds["single_frame_share"]) > 0.7
    finer, said = result_of(source_of(rng.geometric(0.2, size=300), rng.normal(size=300)))
    assert np.isfinite(finer["relaxation_time"]) and said == []


def test_a_record_shorter_than_the_relaxation_time_tells_none():
    rng = np.random.default_rng(26)
    frames = rng.geometric(0.1, size=60)
    frames[-1] = 2000
    ds, said = result_of(source_of(frames, rng.normal(size=60)))
    assert np.isnan(ds["relaxation_time"]) and np.isnan(ds["mean_square_waiting_time"])
    assert np.isfinite(ds["mean_waiting_time"]) and np.isfinite(ds["mean_waiting_time_error"])
    assert "shorter than the relaxation time" in said[0] and "run-*.gsd" in said[0]


def test_one_metabasin_with_most_of_the_square_leaves_a_large_error():
    rng = np.random.default_rng(27)
    frames = rng.geometric(0.1, size=60)
    frames[30] = 400
    ds, said = result_of(source_of(frames, rng.normal(size=60)))
    assert not ds["relaxation_time_error"] < 0.5 * ds["relaxation_time"]
    assert float(ds["longest_share"]) > 0.9 and np.isfinite(ds["mean_waiting_time_error"])
    assert "The longest metabasin has" in said[0] and "run-*.gsd" in said[0]


def test_an_error_of_many_times_its_value_is_not_told():
    """Twenty-five metabasins of rates three decades wide: what they hide is many times what they show."""
    refused = 0
    for seed in range(40, 60):
        rng = np.random.default_rng(seed)
        found = averages(rng.normal(MIDDLE, 4.0, 25), rng.exponential(np.exp(2.0 * rng.normal(size=25))))
        positive = [name for name in TRUTH if "time" in name]
        for name in positive:
            value, error = found.values[name][1], found.values[f"{name}_error"][1]
            assert not error > 100 * value, name
        if found._vague:
            refused += 1
            (said,) = (one for one in found.not_found if "times the value" in one)
            assert found._vague[0] in said and "run-*.gsd" in said
    assert refused


def test_every_error_says_how_it_was_found():
    rng = np.random.default_rng(28)
    ds, _ = result_of(source_of(rng.geometric(0.1, size=200), rng.normal(size=200)))
    errors = [name for name in ds.data_vars if name.endswith("_error")]
    assert len(errors) > 15
    for name in errors:
        attributes = ds[name].attrs
        assert attributes["confidence"] == 0.6827 and "effective_samples" in attributes, name
        assert "blocks of successive metabasins" in attributes["error_method"] or "drawn" in attributes["error_method"]
