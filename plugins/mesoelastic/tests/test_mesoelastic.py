"""The study mesoelastic: a known law comes back from synthetic results, and what cannot be read is refused."""

import json

import numpy as np
import pytest
import xarray as xr
from pelplug_mesoelastic.study import Mesoelastic

import pelplug
from pelplug.testing import parametrize_with_checks

MODEL = {"name": "inverse-power-law", "parameters": {"cutoff": 1.48}}
UNITS = pelplug.Units.of("reduced")
TEMPERATURES = (2.0, 1.4, 1.0, 0.8, 0.7, 0.6, 0.55)


@parametrize_with_checks([Mesoelastic])
def test_keeps_the_contract(check):
    check()


def of(analysis, variables, coordinates, temperature, seed, density=0.82, **more):
    """A result of an analysis, with what every result says of itself."""
    dataset = xr.Dataset(variables, coordinates)
    said = pelplug.Conditions(
        **{"model": MODEL, "n": 200, "density": density, "temperature": temperature, "seed": seed, "units": UNITS}
        | more
    )
    file = f"{analysis}-{density}-{temperature}-{seed}"
    parameters = {"wave_number": 6.35} if analysis == "dynamics" else {}
    dataset.attrs = {"analysis": analysis, "parameters": json.dumps(parameters), "created": file}
    dataset.attrs |= {"trajectories": json.dumps([{"file": file, "sha256": file, "frames": ""}])}
    dataset.attrs |= {"model": json.dumps(said.model or ""), "units": json.dumps(said.units.to_dict())}
    dataset.attrs |= said.to_attributes()
    return dataset


def kappa_of(kappa, modulus, temperature, seed, **more):
    """Runs of one structure each, of two pairs of equal stiffness; several numbers are several runs of one result."""
    kappa, particles = np.atleast_1d(kappa), np.arange(4)
    frames = np.arange(kappa.size)
    dataset = of(
        "kappa",
        {
            "kappa_ij": ("pair", np.repeat(kappa, 2), {"units": "energy / length**2"}),
            "shear_modulus": (("frame", "plane"), np.full((kappa.size, 3), modulus)),
            "diameter": (("frame", "particle"), np.tile(np.where(particles < 2, 1.0, 1.4), (kappa.size, 1))),
            "species": ("particle", np.where(particles < 2, "S", "L")),
            "positions": (("frame", "particle", "dimension"), np.zeros((kappa.size, 4, 3))),
        },
        {"frame": frames, "pair_frame": ("pair", np.repeat(frames, 2)), "plane": ["xy", "xz", "yz"]},
        temperature,
        seed,
        **more,
    )
    if kappa.size > 1:
        dataset = dataset.assign_coords(run=("frame", frames))
        files = [f"kappa-{temperature}-{k}" for k in frames]
        dataset.attrs["trajectories"] = json.dumps([{"file": one, "sha256": one, "frames": ""} for one in files])
    return dataset


def dynamics_of(tau, diffusion, temperature, seed, kinds=("L", "S"), errors=(np.nan, np.nan), **more):
    over = ("kind", "wave_number")
    one = np.where(np.array(kinds) == kinds[0], 1.0, 7.0)
    return of(
        "dynamics",
        {
            "reduced_tau_alpha": (over, (tau * one)[:, None]),
            "reduced_tau_alpha_error": (over, (errors[0] * one)[:, None]),
            "reduced_diffusion_coefficient": ("kind", diffusion * one),
            "reduced_diffusion_coefficient_error": ("kind", errors[1] * one),
        },
        {"kind": list(kinds), "wave_number": [6.35]},
        temperature,
        seed,
        **more,
    )


def stiffness(temperature, density=0.82):
    """A kappa(T) like that of the paper's liquid."""
    return 22.0 * (1.0 + 0.8 * (1.0 / temperature - 0.5)) * (density / 0.82) ** 2


def by_law(
    rng, length=0.4, time=0.1, xi=0.76, runs=5, scatter=(0.04, 0.15, 0.1), density=0.82, temperatures=TEMPERATURES
):
    """Runs at several temperatures that follow the law, each with a scatter of its own in kappa, tau and D."""
    made = []
    for temperature in temperatures:
        kappa = stiffness(temperature, density)
        tau = time * np.exp(length**2 * density ** (-2 / 3) * kappa / temperature)
        for seed in range(runs):
            noise = np.array(scatter) * rng.normal(size=3)
            modulus = 10.0 * (kappa / stiffness(2.0, density)) ** 0.33
            made.append(kappa_of(kappa * (1 + noise[0]), modulus, temperature, seed, density=density))
            values = tau * np.exp(noise[1]), 0.1 * tau**-xi * np.exp(noise[2])
            made.append(dynamics_of(*values, temperature, seed, density=density))
    return made


def pooled_by_law(rng, runs=8, scatter=(0.04, 0.15, 0.1)):
    """The same with one result of all runs at a temperature, as the command makes them of several trajectories."""
    made = []
    for temperature in TEMPERATURES:
        tau = 0.1 * np.exp(0.4**2 * 0.82 ** (-2 / 3) * stiffness(temperature) / temperature)
        noise = np.array(scatter)[:, None] * rng.normal(size=(3, runs))
        made.append(kappa_of(stiffness(temperature) * (1 + noise[0]), 10.0, temperature, 0))
        values = np.array([tau, 0.1 * tau**-0.76]) * np.exp(noise[1:].mean(axis=1))
        errors = values * pelplug.standard_error(noise[1:], axis=1)
        made.append(dynamics_of(*values, temperature, 0, errors=errors))
    return made


def study(results, **parameters):
    return Mesoelastic(results, **parameters).run().to_dataset()


def remarks(dataset):
    return " ".join(json.loads(dataset.attrs["not_found"]))


def test_the_exact_law_comes_back():
    ds = study(by_law(np.random.default_rng(0), scatter=(0, 0, 0)), activated=2.0)
    assert float(ds["reduced_length"][0]) == pytest.approx(0.4, rel=1e-9)
    assert float(ds["reduced_time"][0]) == pytest.approx(0.1, rel=1e-8)
    assert float(ds["stokes_einstein_exponent"][0]) == pytest.approx(0.76, rel=1e-9)
    assert ds["temperature"].values.tolist() == sorted(TEMPERATURES)
    assert ds["fitted"].values[0].tolist() == (ds["reduced_tau_alpha"].values[0] >= 2.0).astype(int).tolist()
    np.testing.assert_allclose(
        ds["reduced_stiffness"][0], [0.82 ** (-2 / 3) * stiffness(t) / t for t in sorted(TEMPERATURES)]
    )
    np.testing.assert_allclose(ds["kappa_relative"][0], [stiffness(t) / stiffness(2.0) for t in sorted(TEMPERATURES)])
    # G goes as kappa^0.33 here, so that kappa doubles where G has grown by 26 %.
    assert float(ds["kappa_growth"][0]) == pytest.approx(1.26 ** (1 / 0.33), rel=0.01)


def test_parameters_lie_within_their_errors(pelplug_seed):
    """Of a hundred sets of runs one error holds as often as it says, three hardly ever fail, five never."""
    names = {"reduced_length": 0.4, "log_reduced_time": np.log(0.1), "stokes_einstein_exponent": 0.76}
    off = {name: [] for name in names}
    for seed in range(100):
        rng = np.random.default_rng([pelplug_seed, seed])
        ds = study(pooled_by_law(rng), resamples=100)
        for name, truth in names.items():
            off[name].append((float(ds[name][0]) - truth) / float(ds[f"{name}_error"][0]))
    off = {name: np.array(values) for name, values in off.items()}
    for name, values in off.items():
        inside = np.count_nonzero(np.abs(values) < 1.0)
        assert 52 <= inside <= 83, (name, inside)  # 99.9 % of the binomial law of 100 at 0.683
        assert abs(values.mean()) < 0.35, (name, values.mean())
    together = np.abs(np.concatenate(list(off.values())))
    assert np.count_nonzero(together > 3.0) <= 3 and together.max() < 5.0


def test_several_results_or_one_of_several_runs_are_alike():
    rng = np.random.default_rng(2)
    ds = study(by_law(rng), activated=2.0)
    assert float(ds["reduced_length"][0]) == pytest.approx(0.4, abs=3 * float(ds["reduced_length_error"][0]))
    assert ds["runs"].values.tolist() == [[5] * len(TEMPERATURES)] == ds["motion_runs"].values.tolist()
    error = ds["reduced_tau_alpha_error"].values[0] / ds["reduced_tau_alpha"].values[0]
    assert (np.abs(np.log(error / (0.15 / np.sqrt(5)))) < 1.5).all()
    assert ds["reduced_tau_alpha_error"].attrs["error_method"] == "over results"
    assert ds["kappa_error"].attrs["error_method"] == "bootstrap over runs"


def test_the_largest_species_is_taken_and_another_can_be_asked_for():
    results = by_law(np.random.default_rng(0), scatter=(0, 0, 0))
    large, small = study(results, activated=2.0), study(results, activated=2.0, kind="S")
    np.testing.assert_allclose(small["reduced_tau_alpha"], 7.0 * large["reduced_tau_alpha"])
    with pytest.raises(pelplug.InputError, match="tells no motion of B; choose one of L, S"):
        study(results, kind="B")


def test_too_few_runs_tell_no_error():
    ds = study(by_law(np.random.default_rng(1), runs=2), activated=2.0)
    assert np.isfinite(ds["reduced_length"]).all() and np.isnan(ds["reduced_length_error"]).all()
    assert "No errors of the law at the density 0.82" in remarks(ds) and "3 or more independent runs" in remarks(ds)


def test_a_law_that_does_not_hold_says_so():
    made = by_law(np.random.default_rng(3), scatter=(0.002, 0.01, 0.01))
    for one in made:
        if one.attrs["analysis"] == "dynamics":
            one["reduced_tau_alpha"] = one["reduced_tau_alpha"] ** 1.5 * (1 + one["reduced_tau_alpha"] ** 0.3)
    ds = study(made)
    assert float(ds["probability"][0]) < 0.01 and "The law does not hold at the density 0.82" in remarks(ds)


def test_what_no_temperature_shows_is_missing_with_its_reason():
    made = by_law(np.random.default_rng(4), temperatures=(2.0, 1.4))
    ds = study(made)
    assert np.isnan(ds["reduced_length"]).all() and np.isnan(ds["stokes_einstein_exponent"]).all()
    assert "No law at the density 0.82: tau_alpha/t0 is 10 or more at 0 of 2 temperatures; give results of lower" in (
        remarks(ds)
    )
    falling = by_law(np.random.default_rng(4), length=0.0, time=100.0, scatter=(0, 0, 0))
    for one in falling:
        if one.attrs["analysis"] == "dynamics":
            one["reduced_tau_alpha"] *= json.loads(one.attrs["conditions"])["temperature"]
    assert "tau_alpha does not grow with kappa/T there" in remarks(study(falling))


def test_densities_are_compared_at_equal_relaxation_times():
    """Both follow the law, so that a0^2 kappa / k_B T is the same at equal tau_alpha/t0, whatever the temperatures."""
    rng = np.random.default_rng(5)
    fine = tuple(np.round(np.arange(0.55, 1.6, 0.05), 2))
    made = by_law(rng, scatter=(0, 0, 0), temperatures=fine)
    made += by_law(rng, scatter=(0, 0, 0), temperatures=tuple(1.3 * np.array(fine)), density=0.95)
    for one in made:  # errors by the scatter of runs
        if one.attrs["analysis"] == "dynamics":
            one["reduced_tau_alpha"] *= np.exp(0.1 * rng.normal())
    ds = study(made, activated=2.0, equal_at=(30.0, 100.0))
    assert ds["tau_level"].values.tolist() == [30.0, 100.0] and ds["density"].values.tolist() == [0.82, 0.95]
    law = np.log(np.array([30.0, 100.0]) / 0.1) / 0.16
    off = (ds["equal_reduced_stiffness"].values - law) / ds["equal_reduced_stiffness_error"].values
    assert np.abs(off).max() < 4.0
    assert (ds["equal_temperature"][1] > ds["equal_temperature"][0]).all()
    assert ((ds["equal_temperature_error"] > 0) & (ds["equal_temperature_error"] < 0.05)).all()
    middle = study(made, activated=2.0)["tau_level"].values
    reached = study(made)["reduced_tau_alpha"].values
    low, high = np.nanmin(reached, axis=1).max(), np.nanmax(reached, axis=1).min()
    assert middle == pytest.approx([np.sqrt(low * high)])
    with pytest.raises(pelplug.InputError, match=r"= 1e\+09 is not measured at the density 0.82, where it goes from"):
        study(made, equal_at=(1e9,))


def test_transitions_and_propensity_are_taken_where_they_are():
    made = by_law(np.random.default_rng(6), scatter=(0, 0, 0))
    for temperature, rate, correlation in ((0.7, 0.02, 0.4), (0.6, 0.01, 0.5)):
        values = {"reduced_rate": ((), rate), "reduced_rate_error": ((), 0.001)}
        made.append(of("inherent-structure-transitions", values, {}, temperature, 1))
        values = {"spearman_mean": ((), correlation), "spearman_error": ((), 0.02)}
        made.append(of("propensity", values, {}, temperature, 1))
    tau = study(made)["reduced_tau_alpha"].sel(temperature=[0.6, 0.7]).values[0]
    ds = study(made, equal_at=(float(np.sqrt(tau.prod())),))
    assert float(ds["equal_spearman"][0, 0]) == pytest.approx(0.45, abs=1e-9)
    assert float(ds["equal_spearman_error"][0, 0]) == pytest.approx(0.02 / np.sqrt(2), rel=0.01)
    assert float(ds["equal_reduced_rate"][0, 0]) == pytest.approx(0.015, abs=1e-9)
    panels = [ax.get_ylabel() for ax in pelplug.plot(ds).figure.axes]
    assert panels[-1] == "$C_s$" and panels[0] == r"$\tau_\alpha / t_0$"


def refused(results, **parameters):
    with pytest.raises(pelplug.InputError) as error:
        study(results, **parameters)
    assert str(error.value).count(". ") == 0
    return str(error.value)


def test_refusals():
    made = by_law(np.random.default_rng(0), runs=1, temperatures=(1.0, 0.7))
    cold = [one for one in made if json.loads(one.attrs["conditions"])["temperature"] == 0.7]
    assert "compares results of more than one temperature, and all of these are of 0.7" in refused(cold)
    assert "there is none of dynamics; give one" in refused([one for one in made if one.attrs["analysis"] == "kappa"])
    other = by_law(np.random.default_rng(0), runs=1, temperatures=(0.6,), density=0.95)
    assert "All results at the density 0.95 are of one temperature" in refused(made + other)
    assert "There is no result of dynamics at the density 0.95" in refused(made + other[:1])
    metal = [kappa_of(20.0, 10.0, 0.6, 1, units=pelplug.Units.of("metal"))]
    assert "in different units" in refused(made + metal)
    shift = [kappa_of(20.0, 10.0, 0.6, 1, model={**MODEL, "parameters": {"cutoff": 2.0}})]
    assert "of different models, cutoff (1.48 in dataset 1, 2 in" in refused(made + shift)
    larger = [kappa_of(20.0, 10.0, 0.6, 1, n=500)]
    assert "The n is 200" in refused(made + larger) or "particles is 200" in refused(made + larger)
    without = [one.copy() for one in made]
    for one in without:
        if one.attrs["analysis"] == "dynamics":
            one["reduced_tau_alpha"] = np.nan * one["reduced_tau_alpha"]
            one.attrs["not_found"] = json.dumps(["tau_alpha of L: F_s(q = 6.35) stays above 0.2; use a longer run."])
    said = refused(without)
    assert "has both kappa and tau_alpha at no temperature" in said and "stays above 0.2; use a longer run" in said
    no_fs = [one.drop_vars("reduced_tau_alpha") if "reduced_tau_alpha" in one else one for one in made]
    assert "has no tau_alpha, for F_s was not asked for; make it anew with --quantities msd,fs" in refused(no_fs)
