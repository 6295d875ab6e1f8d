"""The study of descents: beta and z of curves of known law, T_SF, what it refuses, its figure."""

import json

import numpy as np
import pytest
import xarray as xr
from pelplug_relaxation.study import DescentExponents
from scipy import stats

import pelplug
from pelplug.testing import parametrize_with_checks

MODEL = {"name": "harmonic-spheres", "parameters": {"dimension": 2}}
TIMES = 10.0 ** (np.arange(71) / 10 - 2)


def result(temperature, n, curves, seed=1, times=TIMES, parameters=None, distances=None, **more):
    """A result of relaxation: v(t) of each descent, all of runs of their own."""
    curves = np.atleast_2d(curves)
    frames = len(curves)
    ends = np.array([times[np.flatnonzero(one > 0)[-1]] for one in curves])
    variables = {
        "rms_velocity": (("frame", "descent_time"), curves),
        "energy_per_particle": (("frame", "descent_time"), np.random.default_rng(seed).normal(size=curves.shape)),
        "end_time": ("frame", ends),
        "positions": (("frame", "particle", "dimension"), np.zeros((frames, 1, 2))),
    }
    if distances is not None:
        variables |= {
            f"distance_{name}": ("frame", np.full(frames, distances)) for name in ("sd_cg", "sd_fire", "cg_fire")
        }
    places = {"frame": np.arange(frames), "run": ("frame", np.arange(frames)), "descent_time": times}
    dataset = xr.Dataset(variables, places)
    said = pelplug.Conditions(
        **{"model": MODEL, "n": n, "density": 1.0, "temperature": temperature, "seed": seed} | more
    )
    name = f"{temperature}-{n}-{seed}"
    dataset.attrs = {"analysis": "relaxation", "model": json.dumps(said.model or ""), "created": name}
    read = [{"file": f"{name}-{k}", "sha256": f"{name}-{k}", "frames": ""} for k in range(frames)]
    dataset.attrs |= {"trajectories": json.dumps(read)}
    dataset.attrs |= {"units": json.dumps(said.units.to_dict()), "parameters": json.dumps(parameters or {})}
    return dataset.assign_attrs(said.to_attributes())


def law(n, beta, z):
    """v = N^(-beta z) F(t / N^z), F(x) = x^-beta exp(-x^3); at rest where exp(-x^3) is below 1e-15."""
    x = TIMES / n**z
    return np.where(x**3 < 34.0, n ** (-beta * z) * x**-beta * np.exp(-np.minimum(x**3, 40.0)), 0.0)


def sampled(rng, beta, z, sizes=(500, 2000, 8000), runs=6, temperature=np.inf, noise=0.03):
    """Runs whose curves scatter by an amplitude of their own, and from time to time."""
    made = []
    for n in sizes:
        scatter = np.exp(2 * noise * rng.normal(size=(runs, 1)) + noise * rng.normal(size=(runs, TIMES.size)))
        made.append(result(temperature, n, law(n, beta, z) * scatter))
    return made


def study(results, **parameters):
    return DescentExponents(results, **parameters).run().to_dataset()


@parametrize_with_checks([DescentExponents])
def test_keeps_the_contract(check):
    check()


def test_beta_and_z_of_a_known_law_within_their_errors(pelplug_seed):
    off, many = {"beta": [], "z": []}, 100
    for k in range(many):
        rng = np.random.default_rng([pelplug_seed, k])
        beta, z = rng.uniform(0.7, 1.0), rng.uniform(0.45, 0.9)
        ds = study(sampled(rng, beta, z, runs=24), t_min=0.1, t_max=3.0, resamples=100, seed=k)
        hot = ds.isel(temperature=0)
        off["beta"].append((float(hot["beta"][-1]) - beta) / float(hot["beta_error"][-1]))
        off["z"].append((float(hot["z"]) - z) / float(hot["z_error"]))
    off = {name: np.abs(values) for name, values in off.items()}
    low, high = stats.binom.ppf([0.0005, 0.9995], many, pelplug.ONE_SIGMA)
    for name, values in off.items():
        assert low <= np.count_nonzero(values < 1) <= high, (name, np.count_nonzero(values < 1))
        assert values.max() < 5, (name, values.max())
    assert sum(np.count_nonzero(values > 3) for values in off.values()) <= 3


def test_the_collapse_says_how_good_it_is():
    rng = np.random.default_rng(2)
    good = study(sampled(rng, 0.9, 0.6, noise=0.01), t_min=0.1, t_max=3.0)
    # A law that has no such scaling: the time of the cutoff is the same, the height is not.
    bad = [result(np.inf, n, law(2000, 0.9, 0.6) * n**0.3, seed=seed) for n in (500, 2000, 8000) for seed in range(3)]
    bad = study(bad, t_min=0.1, t_max=3.0)
    assert float(good["collapse_spread"][0]) < 0.1 < float(bad["collapse_spread"][0])
    assert float(good["collapse_beta"][0]) == float(good["beta"][0, -1])
    fixed = study(sampled(rng, 0.9, 0.6, noise=0.01), t_min=0.1, t_max=3.0, collapse_beta=0.9)
    assert float(fixed["collapse_beta"][0]) == 0.9 and float(fixed["z"][0]) == pytest.approx(0.6, abs=0.05)
    assert (good["z_error"].attrs["error_method"], good["z_error"].attrs["effective_samples"]) == (
        "bootstrap over runs of each size",
        6.0,
    )


def test_beta_between_its_limits_and_distances():
    rng = np.random.default_rng(3)

    def at(temperature, beta, distance):
        return [
            result(temperature, 1000, 2.0 * TIMES**-beta * np.exp(0.02 * rng.normal(size=TIMES.size)), seed=seed,
                   distances=distance * (1 + 0.1 * rng.normal()), parameters={"compare": True})
            for seed in range(5)
        ]  # fmt: skip

    ds = study(at(0.1, 1.0, 0.01) + at(1.0, 0.92, 0.3), t_min=1.0, t_max=1e3)
    np.testing.assert_allclose(ds["beta"][:, 0], [1.0, 0.92], atol=0.01)
    assert (ds["beta_error"] < 0.01).all() and (ds["beta_error"] > 0).all()
    assert float(ds["beta_hot"]) == 0.92 and float(ds["beta_harmonic"]) == 1.0
    np.testing.assert_allclose(ds["distance_sd_cg"][:, 0], [0.01, 0.3], rtol=0.2)
    assert "z" not in ds
    assert np.isnan(ds["t_sf_lower"]) and "at the lowest temperature the decay is not cut off" in ds.attrs["not_found"]
    figure = pelplug.plot(ds)
    assert len(figure.axes) == 3
    assert figure.axes[1].get_ylabel() == r"$\beta$"


def test_the_temperature_of_state_following():
    rng = np.random.default_rng(4)

    def at(temperature, rate, n=1000):
        curve = TIMES**-0.75 * np.exp(-rate * TIMES)
        curve = np.where(curve > 1e-300, curve, 0.0)
        return [
            result(temperature, n, curve * np.exp(0.02 * rng.normal(size=TIMES.size)), seed=seed) for seed in range(5)
        ]

    window = {"t_min": 10.0, "t_max": 3000.0}
    rates = {0.001: 2e-3, 0.003: 1e-3, 0.006: 0.0, 0.015: 0.0}
    ds = study([one for temperature, rate in rates.items() for one in at(temperature, rate)], **window)
    assert (float(ds["t_sf_lower"]), float(ds["t_sf_upper"])) == (0.003, 0.006)
    np.testing.assert_allclose(ds["cutoff_rate"][:2, 0], [2e-3, 1e-3], rtol=0.1)
    # A rate that falls as the system grows is the size's.
    sizes = at(0.001, 2e-3) + at(0.001, 2e-4, n=8000) + at(0.015, 0.0)
    ds = study(sizes, **window)
    assert np.isnan(ds["t_sf_lower"])


def refused(results, **parameters):
    with pytest.raises(pelplug.InputError) as error:
        study(results, **parameters)
    assert str(error.value).count(". ") == 0
    return str(error.value)


def test_refusals():
    one, other = result(0.1, 500, law(500, 0.9, 0.6)), result(0.2, 500, law(500, 0.9, 0.6))
    said = refused([one, result(0.1, 500, law(500, 0.9, 0.6), seed=2)])
    assert "more than one temperature or number of particles" in said and "T = 0.1 and N = 500" in said
    assert "in different units" in refused([one, result(0.2, 500, law(500, 0.9, 0.6), units=pelplug.Units.of("metal"))])
    assert "give those of one" in refused([one, result(0.2, 500, law(500, 0.9, 0.6), model={"name": "kob-andersen"})])
    assert "temperature" in refused([one, result(None, 500, law(500, 0.9, 0.6))])
    shorter = result(0.1, 500, law(500, 0.9, 0.6)[:50], seed=2, times=TIMES[:50])
    assert "--per-decade" in refused([one, shorter, other])
    assert "raise t_max" in refused([one, other], t_min=2.0, t_max=1.0)
    study([one, other], t_min=0.1, t_max=2.0)


def test_too_few_runs_tell_no_error():
    results = [result(0.1, 500, law(500, 0.9, 0.6)), result(0.1, 2000, law(2000, 0.9, 0.6))]
    ds = study(results, t_min=0.1, t_max=2.0)
    assert np.isfinite(ds["z"][0]) and np.isnan(ds["z_error"][0]) and np.isnan(ds["beta_error"]).all()
    assert "No errors at T = 0.1, N = 500; T = 0.1, N = 2000" in ds.attrs["not_found"]
    ds = study(results, t_min=0.1, t_max=0.13)
    assert np.isnan(ds["beta"]).all() and "No beta at" in ds.attrs["not_found"]


def test_planted_samples_of_one_temperature_are_runs():
    def planted(temperature, seed):
        parameters = {"seed": seed, "planted_temperature": temperature, "dimension": 3}
        model = {"name": "mari-kurchan", "parameters": parameters}
        return result(temperature, 500, TIMES**-0.75, seed=seed, model=model)

    ds = study([planted(t, seed) for t in (0.001, 0.015) for seed in range(3)], t_min=1.0, t_max=100.0)
    assert ds["runs"].values.tolist() == [[3], [3]]


def test_its_figure_shows_the_collapse():
    ds = study(sampled(np.random.default_rng(5), 0.9, 0.6), t_min=0.1, t_max=3.0)
    figure = pelplug.plot(ds)
    assert [ax.get_xlabel() for ax in figure.axes][-1] == "$t / N^z$"


def test_an_exponent_within_its_error_of_the_edge_is_not_told():
    rng = np.random.default_rng(8)
    ds = study(sampled(rng, 0.8, 1.98, sizes=(500, 700), noise=0.1), t_min=0.1, t_max=3.0)
    assert "z" not in ds or np.isnan(float(ds["z"][0]))
    assert "within an error of it" in ds.attrs["not_found"]


def test_a_mean_field_model_has_its_own_limit():
    model = {"name": "mari-kurchan", "parameters": {"dimension": 3, "volume_fraction": 0.5, "cutoff": 4.0, "seed": 1}}
    made = [result(t, 256, TIMES**-0.75, seed=k, model=model) for k, t in enumerate((0.001, 0.015))]
    ds = study(made, t_min=1.0, t_max=10.0)
    assert float(ds["beta_hot"]) == 0.75 and "beta_harmonic" not in ds
