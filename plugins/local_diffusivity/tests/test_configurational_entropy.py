"""Configurational entropy by integration: closed forms, what is told and refused.

Synthetic energies are drawn by a seed: ``pytest plugins/local_diffusivity --pelplug-seed 7``.
"""

import json

import numpy as np
import pytest
from pelplug_local_diffusivity.entropy import ConfigurationalEntropy
from pelplug_local_diffusivity.integration import anharmonic, integral_over_beta, kauzmann
from pelplug_local_diffusivity.trial import Solid
from scipy.special import gammaln
from scipy.stats import binom

import pelplug
from pelplug.testing import parametrize_with_checks

TEMPERATURES = (0.5, 0.55, 0.6, 0.7, 0.85, 1.0, 1.5, 2.5, 5.0, 12.0, 40.0)
HOTTER = (*TEMPERATURES, 400.0)  # so that what lies above is no part of the error


def study(results, **parameters):
    return ConfigurationalEntropy(results, **parameters).run().to_dataset()


@pytest.mark.parametrize("power", [0.25, 0.3, 1.0])
def test_the_integral_from_the_ideal_gas_is_that_of_the_closed_form(power):
    beta = 1 / np.array(TEMPERATURES)
    energy = 2.0 * beta ** (power - 1) + 0.3 * beta ** (2 * power - 1) - 7.0
    exact = 2.0 * beta**power / power + 0.3 * beta ** (2 * power) / (2 * power) - 7.0 * beta
    found, share, off = integral_over_beta(beta, energy[None], power)
    np.testing.assert_allclose(found[0], exact, atol=2e-3 * np.abs(exact).max())
    assert 0 < share < 1 and off < 0.05 * np.abs(exact).max()


def test_the_integral_of_an_inverse_power_gas_is_its_second_virial_term():
    """U of particles r^-n at low density is that of pairs: of ln(Z/V^N) = -B_2 N^2/V, B_2 as T^(-3/n)."""
    beta, power = 1 / np.array(TEMPERATURES), 3 / 12
    virial = 2.7 * beta**power  # B_2 N^2 / V
    energy = 2.7 * power * beta ** (power - 1)  # its derivative by beta
    np.testing.assert_allclose(integral_over_beta(beta, energy[None], power)[0][0], virial, rtol=1e-9)


def test_anharmonic_entropy_and_the_zero_are_those_of_the_series():
    thermal = np.array([0.4, 0.5, 0.6, 1.0])
    energy = 0.3 * thermal**2 - 0.1 * thermal**3
    fitted = np.array([True, True, True, False])
    np.testing.assert_allclose(
        anharmonic(thermal, energy[None], fitted)[0], 0.6 * thermal - 0.15 * thermal**2, rtol=1e-9
    )
    limit, slope, point = kauzmann(thermal, (0.8 - 0.08 / thermal**2)[None], fitted)
    assert (limit[0], slope[0], point[0]) == pytest.approx((0.8, 0.08, np.sqrt(0.1)))
    assert np.isnan(kauzmann(thermal, thermal[None] * 0 + 0.2 + 0.1 / thermal**2, fitted)[2][0])


def exact(solid, temperature, counts=(124, 31), density=1.2):
    """S_liquid and the harmonic part per particle, in k_B, with hbar = 1 and unit masses."""
    n, d, volume = solid.n, 3, solid.n / density
    kinetic = 0.5 * d * (1 + np.log(temperature / (2 * np.pi)))
    ideal = n * (np.log(volume) + kinetic) - sum(gammaln(count + 1) for count in counts)
    liquid = ideal + solid.energy(temperature) / temperature - solid.integral(temperature)
    modes = d * (n - 1)
    waves = modes * (1 + np.log(temperature) - solid.logarithm)
    centre = np.log(volume) + 0.5 * d * (1 + np.log(n * temperature / (2 * np.pi)))
    return liquid / n, (waves + centre) / n


def test_entropies_of_known_energies_are_given_back_within_errors():
    rng, solid = np.random.default_rng(5), Solid()
    results = [one for temperature in TEMPERATURES for one in solid.results(rng, temperature, 6)]
    found = study(results)
    temperature = found["temperature"].values
    liquid, harmonic = exact(solid, temperature)
    assert np.all(np.abs(found["liquid_entropy"] - liquid) < 4 * found["liquid_entropy_error"] + 1e-3)
    assert np.all(np.abs(found["harmonic_entropy"] - harmonic) < 5 * found["harmonic_entropy_error"] + 1e-9)
    cold = found["fitted"].values == 1
    assert cold.sum() == 6 and temperature[cold].max() == 1.0
    thermal = temperature
    energy = (solid.energy(thermal) - solid.inherent(thermal)) / solid.n - 1.5 * (1 - 1 / solid.n) * thermal
    np.testing.assert_allclose(found["anharmonic_energy"], energy, atol=0.01)
    whole = found["liquid_entropy"] - found["harmonic_entropy"] - found["anharmonic_entropy"]
    np.testing.assert_allclose(found["configurational_entropy"], whole)
    assert 0 < float(found["extrapolated"]) < 1
    errors = found["configurational_entropy_error"]
    assert (errors.values[cold] > 0).all() and np.isnan(errors.values[~cold]).all()
    assert errors.attrs["effective_samples"] == "samples"


def test_the_errors_of_the_liquid_hold():
    rng, solid, inside, many = np.random.default_rng(8), Solid(), [], 40
    temperatures = (0.5, 0.6, 0.8, 1.0, 2.0, 6.0, 30.0)
    for _ in range(many):
        means = np.array([solid.energy(one) + 3.0 * rng.normal(size=8) for one in temperatures])
        boots = [pelplug.Bootstrap(8, resamples=150, seed=k) for k in range(len(temperatures))]
        rows = np.stack([boot.means(one) for boot, one in zip(boots, means, strict=True)], axis=1)
        beta = 1 / np.array(temperatures)
        found = integral_over_beta(beta, rows, 0.25)[0]
        inside.append(np.abs(found[0, :5] - solid.integral(1 / beta[:5])) < boots[0].error(found)[:5])
    assert 0.5 < np.mean(inside) < 0.85, np.mean(inside, axis=0)


class Glass(Solid):
    """Vibrations of energy ``3/2 T + b T^2 + c T^3`` in basins of the rest of U, and entropy left at the coldest."""

    squared, cubed = -0.05, 0.02

    def inherent(self, temperature):
        vibrations = 1.5 * (1 - 1 / self.n) * temperature + self.squared * temperature**2 + self.cubed * temperature**3
        return self.energy(temperature) - self.n * vibrations


def true_values(glass):
    """What is told of the coldest temperature, and s_0, s_1 and T_K, where energies have no scatter."""
    temperature = np.array(HOTTER)
    liquid, harmonic = exact(glass, temperature)
    whole = liquid - harmonic - 2.0 * glass.squared * temperature - 1.5 * glass.cubed * temperature**2
    cold = temperature <= 2.0 * temperature[0]
    slope, limit = np.polyfit(temperature[cold] ** -2, whole[cold], 1)
    return {
        "liquid_entropy": liquid[0],
        "harmonic_entropy": harmonic[0],
        "configurational_entropy": whole[0],
        "entropy_limit": limit,
        "entropy_slope": -slope,
        "kauzmann_temperature": np.sqrt(-slope / limit),
    }


def told_of(rng, glass, collection, samples=40):
    """The same from energies that scatter from sample to sample, with errors; results only tell n and the model."""
    one = ConfigurationalEntropy(collection, resamples=200)
    means = {
        "energy": glass.energy,
        "inherent": glass.inherent,
        "logarithms": lambda _: glass.logarithm * 3 * (glass.n - 1),
        "modes": lambda _: 3.0 * (glass.n - 1),
    }

    def drawn(groups, n):
        rows = {name: [] for name in means}
        for k, temperature in enumerate(HOTTER):
            boot = pelplug.Bootstrap(samples, resamples=200, seed=k)
            for name, law in means.items():
                scatter = 0.0 if name == "modes" else 6.0
                rows[name].append(boot.means(law(temperature) + scatter * rng.normal(size=samples)))
        return {name: np.stack(some, axis=1) for name, some in rows.items()}, np.full(len(HOTTER), samples)

    one._means = drawn
    found = one.compute(one.collection)
    pick = {name: (np.ravel(found[name])[0], np.ravel(found[f"{name}_error"])[0]) for name in true_values(glass)}
    return pick


def test_errors_hold_over_many_glasses(pelplug_seed):
    """At most 3 of all pairs of number and glass are beyond three errors, none beyond five; 68 % within one."""
    rng, sets = np.random.default_rng(pelplug_seed), 100
    collection = pelplug.Collection([Solid().results(rng, temperature, 1)[0] for temperature in HOTTER])
    off = []
    for _ in range(sets):
        glass = Glass(core=rng.uniform(1.95, 2.1), vibrations=rng.uniform(0.03, 0.07), logarithm=rng.uniform(3.2, 3.4))
        glass.center, glass.squared, glass.cubed = rng.uniform([-7.4, -0.08, 0.0], [-7.2, -0.02, 0.03])
        true, told = true_values(glass), told_of(rng, glass, collection)
        off.append([(told[name][0] - value) / told[name][1] for name, value in true.items()])
    off = np.abs(off)
    low, high = binom.ppf([0.0005, 0.9995], sets, pelplug.ONE_SIGMA)
    inside = dict(zip(true, np.count_nonzero(off < 1, axis=0), strict=True))
    assert all(low <= number <= high for number in inside.values()), inside
    assert np.isfinite(off).all() and off.max() < 5 and np.count_nonzero(off > 3) <= 3, np.sort(off.ravel())[-8:]


def refused(results, words, **parameters):
    with pytest.raises(pelplug.InputError, match=words) as error:
        study(results, **parameters)
    assert str(error.value).count(". ") == 0


def test_what_is_refused_and_what_is_said():
    rng, solid = np.random.default_rng(9), Solid()
    results = [one for temperature in (0.5, 0.7, 1.0, 3.0) for one in solid.results(rng, temperature, 2)]
    refused(results[:6], "3 temperatures, and U is integrated over 1/T")
    refused(results, "larger --cold", cold=0.6)
    refused([results[0].drop_vars("log_frequency_sum"), *results[1:]], "--log-frequency-sum and --overwrite")
    refused([results[0].assign(n_rattlers=results[0]["n_rattlers"] + 1), *results[1:]], "rattlers")
    other = Solid(vibrations=2.0)
    found = study([other.results(rng, temperature, 1)[0] for temperature in (0.5, 0.7, 1.0, 3.0)])
    said = json.loads(found.attrs["not_found"])
    assert any("Above the highest temperature, 3, U is extrapolated" in one for one in said)


@parametrize_with_checks([ConfigurationalEntropy])
def test_keeps_the_contract(check):
    check()
