"""The study of defects over temperature: T_def of known laws with binomial noise, what it refuses, its figure."""

import json

import numpy as np
import pytest
import xarray as xr
from pelplug_defects.study import DefectsOfTemperature
from scipy import stats

import pelplug
from pelplug.testing import parametrize_with_checks

MODEL = {"name": "polydisperse-soft-spheres-2d", "parameters": {}}
N = 1000
TEMPERATURES = np.array([0.06, 0.1, 0.14, 0.18, 0.22, 0.26, 0.3, 0.4, 0.5, 0.7])


def result(temperature, phi, seed=1, parameters=None, runs=1, **more):
    """A result of defects: `phi` has the share of defects of each frame, of as many runs one after another."""
    phi = np.asarray(phi, dtype=float)
    constant = {name: ("frame", np.full(phi.size, value)) for name, value in (("broken_frame", 0.2), ("x_eq", 1.4))}
    values = {"phi_frame": ("frame", phi), "inserted_frame": ("frame", np.full(phi.size, 0.25)), **constant}
    coordinates = {"frame": np.arange(phi.size), "run": ("frame", np.repeat(np.arange(runs), phi.size // runs))}
    dataset = xr.Dataset(values, coordinates)
    said = pelplug.Conditions(
        **{"model": MODEL, "n": N, "density": 1.0, "temperature": temperature, "seed": seed} | more
    )
    name = f"{temperature}-{seed}-{phi[:3]}"
    dataset.attrs = {"analysis": "defects", "model": json.dumps(said.model or ""), "created": name}
    read = [{"file": f"{name}-{k}", "sha256": f"{name}-{k}", "frames": ""} for k in range(runs)]
    dataset.attrs |= {"trajectories": json.dumps(read)}
    dataset.attrs |= {"units": json.dumps(said.units.to_dict()), "parameters": json.dumps(parameters or {})}
    dataset.attrs |= said.to_attributes()
    return dataset


def logistic(temperature, middle, width):
    """A share of defects whose logit is (ln T - ln T0) / w: steepest against ln T at T0."""
    return 1.0 / (1.0 + np.exp(-np.log(temperature / middle) / width))


def sampled(rng, law, temperatures=TEMPERATURES, runs=6, frames=20, scale=1.0):
    """Runs with binomial noise: chi is scale * phi (1 - phi)."""
    size = round(N / scale)
    return [
        result(temperature, rng.binomial(size, law(temperature), size=frames * runs) / size, runs=runs)
        for temperature in temperatures
    ]


def study(results, **parameters):
    return DefectsOfTemperature(results, **parameters).run().to_dataset()


@parametrize_with_checks([DefectsOfTemperature])
def test_keeps_the_contract(check):
    check()


def test_t_def_of_a_known_law_within_its_error(pelplug_seed):
    # d phi/dT is largest where (1 - 2 phi) = w, so at T0 ((1 - w) / (1 + w))^w; chi = phi (1 - phi) at phi = 1/2.
    middle, width, many = 0.22, 0.3, 100
    truth = {
        "t_def_slope": middle * ((1 - width) / (1 + width)) ** width,
        "t_def_log_slope": middle,
        "t_def_chi": middle,
    }
    off = {name: [] for name in truth}
    for k in range(many):
        rng = np.random.default_rng([pelplug_seed, k])
        # Of fewer runs an error is Student's, beyond three of which there are more than three in 300.
        made = sampled(rng, lambda t: logistic(t, middle, width), runs=96, frames=5, scale=50.0)
        ds = study(made, resamples=200)
        for name, value in truth.items():
            off[name].append((float(ds[name]) - value) / float(ds[f"{name}_error"]))
    off = {name: np.abs(values) for name, values in off.items()}
    low, high = stats.binom.ppf([0.0005, 0.9995], many, pelplug.ONE_SIGMA)
    for name, values in off.items():
        assert np.isfinite(values).all(), name
        assert low <= np.count_nonzero(values < 1) <= high, (name, np.count_nonzero(values < 1))
        assert values.max() < 5, (name, values.max())
    assert sum(np.count_nonzero(values > 3) for values in off.values()) <= 3


def test_means_fluctuations_and_errors_are_those_of_the_noise():
    ds = study(sampled(np.random.default_rng(1), lambda t: logistic(t, 0.22, 0.3), runs=8, frames=50))
    exact = logistic(TEMPERATURES, 0.22, 0.3)
    assert np.abs((ds["phi"] - exact) / ds["phi_error"]).max() < 4.5
    np.testing.assert_allclose(ds["phi_error"], np.sqrt(exact * (1 - exact) / (N * 400)), rtol=0.8)
    assert np.abs((ds["chi"] - exact * (1 - exact)) / ds["chi_error"]).max() < 4.5
    assert ds["runs"].values.tolist() == [8] * 10 and ds["frames"].values.tolist() == [400] * 10
    assert ds["phi_error"].attrs["error_method"] == "bootstrap over runs"
    assert 0.2 < float(ds["phi_reduced_chi_squared"]) < 4
    assert json.loads(ds.attrs["not_found"]) == []


def test_a_t_def_at_the_edge_is_not_given():
    ds = study(sampled(np.random.default_rng(2), lambda t: logistic(t, 0.04, 0.3)))  # steepest below all of them
    for name in ("t_def_log_slope", "t_def_slope", "t_def_chi"):
        assert np.isnan(ds[name]) and np.isnan(ds[f"{name}_error"])
        (said,) = [one for one in json.loads(ds.attrs["not_found"]) if name in one.split(":")[0]]
        assert "at the edge of the temperatures given, 0.06 to 0.7; give results beyond it" in said
    assert (ds["phi_error"] > 0).all()


def test_too_few_runs_or_temperatures():
    rng = np.random.default_rng(3)
    one = study(sampled(rng, lambda t: logistic(t, 0.22, 0.3), runs=1, frames=2))
    assert np.isnan(one["t_def_slope_error"]) and np.isnan(one["phi_error"]).all()
    assert any("fewer than 3 independent samples" in said for said in json.loads(one.attrs["not_found"]))
    three = study(sampled(rng, lambda t: logistic(t, 0.22, 0.3), temperatures=TEMPERATURES[3:6]))
    assert "t_def_slope" in three and np.isnan(three["t_def_slope"])
    assert any("fewer than 4 temperatures" in said for said in json.loads(three.attrs["not_found"]))
    frozen = study(sampled(rng, lambda t: 0.0))
    assert np.isnan(frozen["t_def_chi"]) and (frozen["phi"] == 0).all()


def refused(results):
    with pytest.raises(pelplug.InputError) as error:
        study(results)
    assert str(error.value).count(". ") == 0
    return str(error.value)


def test_refusals():
    cold, hot = result(0.1, [0.1, 0.2]), result(0.2, [0.3, 0.4])
    assert "more than one temperature, and all of these are of 0.1" in refused([cold, result(0.1, [0.3], seed=2)])
    assert "in different units" in refused([cold, result(0.2, [0.3], units=pelplug.Units.of("metal"))])
    assert "temperature" in refused([cold, result(None, [0.3])])
    other = {"name": "polydisperse-soft-spheres", "parameters": {}}
    assert "give those of one" in refused([cold, result(0.2, [0.3], model=other)])
    assert "give those of one" in refused([cold, result(0.2, [0.3], n=2000)])
    assert "infinite temperature" in refused([cold, result(np.inf, [0.9])])
    first, second = (result(0.1, [0.1, 0.2], seed=k, parameters={"x_eq": 1.4 + 0.1 * k}) for k in (0, 1))
    assert "parameter x_eq of defects" in refused([first, second, result(0.2, [0.1], parameters={"x_eq": 1.4})])
    study([first, result(0.2, [0.1], parameters={"x_eq": 1.45}), hot.assign_attrs(parameters='{"x_eq": 1.45}')])


def test_its_figure_says_what_it_shows():
    ds = study(sampled(np.random.default_rng(6), lambda t: logistic(t, 0.22, 0.3)))
    figure = pelplug.plot(ds)
    assert [ax.get_ylabel() for ax in figure.axes] == [r"$\langle\varphi\rangle$", r"$\chi$"]
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert any("steepest in $T$" in one for one in labels)
