"""The study random-walk on walks in landscapes of known law: what comes back, what is not told, what is refused."""

import json

import numpy as np
import pytest
import xarray as xr
from pelplug_metabasins.random_walk import RandomWalk
from pelplug_metabasins.walk_curves import where_equal
from pelplug_metabasins.walk_law import WalkLaw
from pelplug_metabasins.walk_rates import RatesOfTemperature
from pelplug_metabasins.walk_samples import PARTICLES, walks
from pelplug_metabasins.walk_states import fit_cutoff
from pelplug_metabasins.walk_variables import PARAMETERS

import pelplug
from pelplug.testing import parametrize_with_checks

TEMPERATURES = (0.45, 0.5, 0.6, 0.75)
QUICK = {"resamples": 60, "bins": 20, "times": 12}


@parametrize_with_checks([RandomWalk])
def test_contract(check):
    check()


def landscape(rng) -> pelplug.TrapLandscape:
    """Return one whose cutoff, crossover and plateau are seen at these temperatures."""
    return pelplug.TrapLandscape(
        sigma=rng.uniform(2.5, 3.2),
        lam=rng.uniform(0.4, 0.6),
        crossover=rng.uniform(-13.0, -11.0),
        entropic_factor=rng.uniform(0.3, 0.7),
        rate_prefactor=rng.uniform(3.0, 7.0),
        last_barrier=rng.uniform(0.0, 0.6),
        cutoff=rng.uniform(-21.0, -18.0),
        sigma_gamma=rng.uniform(0.3, 1.0),
    )


def study(law, temperatures=TEMPERATURES, metabasins=1500, seed=1, **parameters):
    results = walks(law, temperatures, metabasins, seed, analysed=False)
    return pelplug.study("random-walk", results, **{**QUICK, **parameters})


def test_landscapes_of_a_seed_come_back(pelplug_seed):
    """At most 3 of all pairs of parameter and seed beyond three errors, none beyond five."""
    away, held = [], []
    for k in range(5):
        law = landscape(np.random.default_rng([pelplug_seed, k]))
        ds = study(law, seed=pelplug_seed + k, resamples=200)
        away += [abs(float(ds[name]) - getattr(law, name)) / float(ds[f"{name}_error"]) for name in PARAMETERS]
        at = np.array(TEMPERATURES)
        for name, truth in (("predicted_waiting_time", law.mean_waiting_time(at)), ("exponent", law.exponent(at))):
            away += (np.abs(ds[name] - truth) / ds[f"{name}_error"]).values.tolist()
        low, high = ds["cutoff_interval"].values
        assert law.cutoff - 3 * float(ds["centre_error"]) < float(ds["lowest_energy"])
        held.append(not low > law.cutoff and high > law.cutoff)
    assert np.sum(held) >= 1  # of 5 intervals with 68 %: fewer in 3 of 1000
    away = np.array(away)
    assert np.isfinite(away).all()
    assert np.count_nonzero(away > 3) <= 3 and away.max() < 5
    assert 0.45 < np.mean(away < 1) < 0.9


def test_the_cutoff_is_an_extreme_value_with_its_bias_and_interval():
    """Energies with the density exp(-e) above 0: the lowest of n is exponential, with the mean 1/n."""
    rng, number, found = np.random.default_rng(5), 20, []
    for low in rng.exponential(1.0 / number, 300):
        found.append(fit_cutoff(np.ones(1), np.array([20.0]), lambda e: np.zeros((1, e.size)), 0.0, 1e6, low, 8.0))
    inside = np.mean([one.lower < 0.0 < one.upper for one in found])
    below = np.mean([one.value < 0.0 for one in found])
    assert abs(inside - pelplug.ONE_SIGMA) < 3.3 * (0.217 / 300) ** 0.5 and abs(below - 0.5) < 3.3 * (0.25 / 300) ** 0.5
    assert np.median([one.bias for one in found]) == pytest.approx(1.0 / number, rel=0.05)
    assert all(one.lower < one.value < one.upper < one.lowest for one in found)


def test_the_bias_of_the_lowest_energy_has_none_itself():
    """In a Gaussian with a cutoff in its tail, where the density changes much between it and the lowest energy."""
    rng, beta, number, cutoff = np.random.default_rng(6), np.array([2.0]), np.array([500.0]), -13.0
    law, off = pelplug.TrapLandscape(sigma=2.0, cutoff=cutoff, lam=0.0, sigma_gamma=0.0), []
    for _ in range(200):
        low = law.draw(500, 0.5, rng).min()
        found = fit_cutoff(beta, number, lambda e: np.zeros((1, e.size)), 0.0, 2.0, low, 2.0)
        off.append((low - cutoff, found.bias))
    above, stated = np.transpose(off)
    assert above.mean() > 0.1
    assert abs((above - stated).mean()) < 3.3 * (above - stated).std() / 200**0.5


@pytest.mark.parametrize(
    "law",
    [
        pelplug.TrapLandscape(cutoff=-18.0, sigma_gamma=0.0),
        pelplug.TrapLandscape(cutoff=-9.0, sigma_gamma=0.0),  # above the crossover
        pelplug.TrapLandscape(cutoff=-np.inf, plateau=False, sigma_gamma=0.0),
    ],
)
def test_moments_of_the_rates_are_those_by_quadrature(law):
    beta, one = np.array([1.2, 1.7, 2.2]), np.ones(1)
    entropic = law.lam * law.entropic_factor * law.entropy_slope
    rates = RatesOfTemperature(
        *(value * one for value in (np.log(law.rate_prefactor), law.last_barrier, law.lam, entropic, law.crossover)),
        law.plateau,
    )
    walk = WalkLaw(beta, rates, 0.0 * one, law.sigma * one, None, law.cutoff * one, None)
    exact = np.stack([law.log_moment(n, 1.0 / beta) for n in (1.0, -1.0)])[..., None]
    np.testing.assert_allclose(walk.log_moments(beta), exact, atol=1e-10)


def test_metabasins_tell_diffusion_and_relaxation_beside_the_landscape():
    law = pelplug.TrapLandscape(sigma_gamma=0.5)
    ds = pelplug.study("random-walk", walks(law, (0.6, 0.8), 600, 3), **QUICK)
    at = np.array((0.6, 0.8))
    squared = 3 * (PARTICLES - 1) * 0.075**2
    truth = squared * law.moment(1, at) / (6 * PARTICLES)
    for whose in ("measured", "predicted"):
        off = np.abs(ds[f"{whose}_diffusion_coefficient"] - truth) / ds[f"{whose}_diffusion_coefficient_error"]
        assert off.max() < 4
    off = np.abs(ds["predicted_relaxation_time"] - law.relaxation_time(at)) / ds["predicted_relaxation_time_error"]
    assert off.max() < 4
    assert abs(float(ds["sigma_gamma"]) - 0.5) < 4 * float(ds["sigma_gamma_error"])
    early = ds.sel(lag_time=slice(None, 3.0))
    assert np.nanmax(np.abs(early["persistence"] - early["predicted_persistence"])) < 0.15
    assert np.nanmax(np.abs(early["persistence"] - early["hopping"])) < 0.05
    assert json.loads(ds.attrs["not_found"])[-1] == (
        "No k_c: no results of dynamics at several wave numbers are given."
    )
    axes = pelplug.plot(ds).axes
    assert "no results of dynamics" in axes[2].texts[0].get_text() + axes[2].texts[-1].get_text()


def test_the_density_of_states_by_reweighting_is_the_gaussian():
    ds = study(pelplug.TrapLandscape(sigma_gamma=0.0, cutoff=-np.inf), metabasins=4000, bins=24)
    known = np.isfinite(ds["density_error"]) & (ds["density_error"] < 0.5 * ds["density"])
    x, y = (ds[name].values[known] for name in ("energy", "density"))
    weight = y / ds["density_error"].values[known]
    curvature = np.polyfit(x, np.log(y), 2, w=weight)[0]
    assert known.sum() > 8 and (-0.5 / curvature) ** 0.5 == pytest.approx(2.9, rel=0.08)
    assert np.isnan(ds["cutoff"]) and any("No cutoff e_cut" in one for one in json.loads(ds.attrs["not_found"]))


def test_what_the_data_do_not_fix_is_not_told():
    close = study(pelplug.TrapLandscape(), (0.50, 0.52), 500)
    said = " ".join(json.loads(close.attrs["not_found"]))
    assert np.isnan(close["last_barrier"]) and np.isnan(close["rate_prefactor"])
    assert "only Gamma_0 exp(-V_0/T) is fixed; give a wider range" in said
    given = study(pelplug.TrapLandscape(), (0.50, 0.52), 500, last_barrier=0.0)
    assert abs(float(given["rate_prefactor"]) - 4.82) < 4 * float(given["rate_prefactor_error"])
    assert float(given["last_barrier"]) == 0.0 and np.isnan(given["last_barrier_error"])
    deep = study(pelplug.TrapLandscape(plateau=False, crossover=-8.0), (0.5, 0.6), 1000)
    assert np.isnan(deep["crossover"]) and np.isfinite(deep["lam_error"])
    assert "the waiting times show no crossover energy" in deep.attrs["not_found"]


def spoilt(change, law=None):
    results = walks(law or pelplug.TrapLandscape(), (0.5, 0.6), 60, 1, analysed=False)
    return [change(one) if k == 1 else one for k, one in enumerate(results)]


def renamed(dataset, **attributes):
    return dataset.assign_attrs(attributes)


@pytest.mark.parametrize(
    "results, sentence",
    [
        ([], "reads results of metabasins, and there are none"),
        (walks(pelplug.TrapLandscape(), (0.5,), 60, 1, analysed=False), "more than one temperature, and all of these"),
        (spoilt(lambda one: renamed(one, model='{"name": "other", "parameters": {}}')), "of different models"),
        (spoilt(lambda one: one.assign(single_frame_share=((), 0.7))), "most of its metabasins last one frame; make"),
        (spoilt(lambda one: one.isel(metabasin=slice(0, 9))), "have 9 jumps between metabasins, fewer than 20; give"),
        (spoilt(lambda one: one.drop_vars("waiting_time")), "has no waiting_time"),
    ],
)
def test_what_cannot_be_read_together_is_refused(results, sentence):
    with pytest.raises(pelplug.InputError, match=sentence) as error:
        pelplug.study("random-walk", results, **QUICK)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def scattering(like, wave_numbers, power=-2.0, time=300.0):
    """A result of dynamics: F_s = 0.5 exp(-t / tau), tau = time (k / 10)**power."""
    k, lags = np.array(wave_numbers, dtype=float), np.geomspace(1e-3, 1e4, 60)
    tau = time * (k / 10.0) ** power
    dims = ("kind", "wave_number")
    dataset = xr.Dataset(
        {
            "kww_mean_time": (dims, tau[None]),
            "kww_mean_time_error": (dims, 0.1 * tau[None]),
            "kww_beta": (dims, np.ones((1, k.size))),
            "kww_beta_error": (dims, 0.1 * np.ones((1, k.size))),
            "kww_amplitude": (dims, np.full((1, k.size), 0.5)),
            "fs": ((*dims, "lag_time"), 0.5 * np.exp(-lags / tau[:, None])[None]),
        },
        {"kind": ["all"], "wave_number": k, "lag_time": lags},
    )
    return dataset.assign_attrs({**like.attrs, "analysis": "dynamics", "created": like.attrs["created"] + "d"})


def test_k_c_is_where_the_continuous_trajectory_decays_as_the_metabasins():
    results = walks(pelplug.TrapLandscape(), (0.6, 0.8), 300, 2)
    tau = float(results[0]["relaxation_time"])
    walk = scattering(results[0], (8.0, 12.0, 16.0, 20.0), time=tau * 1.5**2)  # tau at k = 15
    ds = pelplug.study("random-walk", [*results, walk], **QUICK)
    assert float(ds["k_c"][0]) == pytest.approx(15.0, rel=1e-6) and np.isnan(ds["k_c"][1])
    relative = np.hypot(0.1, float(results[0]["relaxation_time_error"]) / tau) / 2
    assert float(ds["k_c_error"][0]) == pytest.approx(15.0 * relative, rel=1e-6)
    assert "F_s at T = 0.6 is drawn at k = 16." in json.loads(ds.attrs["remarks"])
    assert "k_c$ = " in " ".join(one.get_text() for one in pelplug.plot(ds).axes[2].get_legend().get_texts())
    beyond = scattering(results[0], (8.0, 12.0), time=100 * tau)
    said = json.loads(pelplug.study("random-walk", [*results, beyond], **QUICK).attrs["not_found"])
    assert any("No k_c at T = 0.6: F_s decays in" in one and "at other wave numbers" in one for one in said)
    with pytest.raises(pelplug.InputError, match="has no kww_beta; make it anew"):
        pelplug.study("random-walk", [*results, walk.drop_vars("kww_beta")], **QUICK)


def test_no_wave_number_without_times():
    class Lost:
        wave_number, time, time_error = np.array([1.0, 2.0]), np.array([np.nan, 1.0]), np.ones(2)

    assert np.isnan(where_equal(Lost, 1.0, 0.1)[0])
