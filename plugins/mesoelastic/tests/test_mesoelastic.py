"""The study mesoelastic: a known law comes back from synthetic results, and what cannot be read is refused."""

import json

import numpy as np
import pytest
import xarray as xr
from pelplug_mesoelastic.study import Mesoelastic

import pelplug
from pelplug.testing import parametrize_with_checks

MODEL = {"name": "inverse-power-law", "parameters": {"cutoff": 1.48}}
TEMPERATURES = (2.0, 1.4, 1.0, 0.8, 0.7, 0.6, 0.55)


@parametrize_with_checks([Mesoelastic])
def test_keeps_the_contract(check):
    check()


def of(analysis, variables, coordinates, temperature, seed, density=0.82, **more):
    """A result of an analysis, with what every result says of itself."""
    dataset = xr.Dataset(variables, coordinates)
    said = pelplug.Conditions(
        **{"model": MODEL, "n": 200, "density": density, "temperature": temperature, "seed": seed} | more
    )
    file = f"{analysis}-{density}-{temperature}-{seed}"
    parameters = {"wave_number": 6.35} if analysis == "dynamics" else {}
    dataset.attrs = {"analysis": analysis, "parameters": json.dumps(parameters), "created": file}
    dataset.attrs |= {"trajectories": json.dumps([{"file": file, "sha256": file, "frames": ""}])}
    dataset.attrs |= {"model": json.dumps(said.model or ""), "units": json.dumps(said.units.to_dict())}
    dataset.attrs |= said.to_attributes()
    return dataset


def kappa_of(kappa, modulus, temperature, seed, **more):
    """One run of one structure, of two pairs of equal stiffness."""
    particles = np.arange(4)
    return of(
        "kappa",
        {
            "kappa_ij": ("pair", [kappa, kappa], {"units": "energy / length**2"}),
            "shear_modulus": (("frame", "plane"), np.full((1, 3), modulus)),
            "diameter": (("frame", "particle"), np.where(particles[None] < 2, 1.0, 1.4)),
            "species": ("particle", np.where(particles < 2, "S", "L")),
            "positions": (("frame", "particle", "dimension"), np.zeros((1, 4, 3))),
        },
        {"frame": [0], "pair_frame": ("pair", [0, 0]), "plane": ["xy", "xz", "yz"]},
        temperature,
        seed,
        **more,
    )


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
    return 22.0 * (1.0 + 0.35 * (1.0 / temperature - 0.5)) * (density / 0.82) ** 2


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
    """Over a hundred sets of runs: one standard error as often as it says, hardly any beyond three, none beyond five."""
    names = {"reduced_length": 0.4, "log_reduced_time": np.log(0.1), "stokes_einstein_exponent": 0.76}
    off = {name: [] for name in names}
    for seed in range(100):
        rng = np.random.default_rng([pelplug_seed, seed])
        ds = study(by_law(rng), resamples=100)
        for name, truth in names.items():
            off[name].append((float(ds[name][0]) - truth) / float(ds[f"{name}_error"][0]))
    off = {name: np.array(values) for name, values in off.items()}
    for name, values in off.items():
        inside = np.count_nonzero(np.abs(values) < 1.0)
        assert 52 <= inside <= 83, (name, inside)  # 99.9 % of the binomial law of 100 at 0.683
        assert abs(values.mean()) < 0.35, (name, values.mean())
    together = np.abs(np.concatenate(list(off.values())))
    assert np.count_nonzero(together > 3.0) <= 3 and together.max() < 5.0
