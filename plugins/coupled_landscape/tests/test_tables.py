"""What is drawn from tables against the distributions that they stand for."""

import numpy as np
import pytest
from pelplug_coupled_landscape.kww import stretched
from pelplug_coupled_landscape.tables import alias_table, energy_tables, normal_table

import pelplug


def weights(keep, other):
    """What the alias method draws, to the last digit: each column's share, and what it gives away."""
    found = keep.astype(float)
    np.add.at(found, other, 1.0 - keep.astype(float))
    return found / found.size


def test_the_alias_method_draws_its_weights():
    wanted = np.random.default_rng(2).lognormal(sigma=3.0, size=1000)
    wanted[::7] = 0.0
    assert weights(*alias_table(wanted)) == pytest.approx(wanted / wanted.sum(), rel=1e-6, abs=1e-10)


LAWS = {
    "Table I": {},
    "no cutoff": {"cutoff": -np.inf},
    "no plateau": {"plateau": False},
    "cutoff above the peak": {"cutoff": -5.0},
    "crossover below the cutoff": {"crossover": -30.0},
}


@pytest.mark.parametrize("temperature", [0.3, 0.5, 1.0])
@pytest.mark.parametrize("name", LAWS)
def test_energies_are_as_the_exact_distribution_function_says(name, temperature):
    landscape = pelplug.TrapLandscape(**LAWS[name])
    for power, table in enumerate(energy_tables(landscape, temperature)):
        weight, x = weights(table.keep, table.other), table.nodes
        assert x[0] >= landscape.cutoff
        # the mass up to a node is that of all hats below, and half of its own; the first is folded onto its right side
        cdf = np.cumsum(weight) - 0.5 * weight
        cdf[0] = 0.0
        for k in range(100, x.size, x.size // 12):
            exact = float(landscape.share(-np.inf, x[k], temperature, weight=power))
            assert cdf[k] == pytest.approx(exact, abs=3e-6), x[k]
            if exact > 1e-9:  # deep states are rare, and decide <1/Gamma>
                assert cdf[k] == pytest.approx(exact, rel=2e-4), x[k]


def test_the_normal_table_has_the_moments_of_the_normal_distribution():
    table = normal_table()
    weight, x, h = weights(table.keep, table.other), table.nodes, table.spacing
    assert weight @ x == pytest.approx(0.0, abs=1e-7)
    assert weight @ x**2 + h**2 / 6.0 == pytest.approx(1.0, abs=1e-7)
    assert weight @ (x**4 + x**2 * h**2 + h**4 / 15.0) == pytest.approx(3.0, abs=1e-6)
    assert weight @ np.exp(x) * 2.0 * (np.cosh(h) - 1.0) / h**2 == pytest.approx(np.exp(0.5), rel=1e-6)


@pytest.mark.parametrize(("tau", "beta"), [(3.0, 1.0), (0.2, 0.4), (5e4, 0.7)])
def test_a_stretched_exponential_is_found_again(tau, beta):
    times = np.geomspace(1e-8, 1e9, 200)
    assert stretched(times, np.exp(-((times / tau) ** beta))) == pytest.approx((tau, beta), rel=1e-7)


@pytest.mark.parametrize(
    "values", [[1.0, 1.0, 1.0, 1.0, 1.0], [0.99, 0.5, 0.01, 0.0, np.nan], [0.2, 0.3, 0.4, 0.5, 0.6]]
)
def test_what_is_no_stretched_exponential_has_none(values):
    assert np.isnan(stretched(np.arange(1.0, 6.0), values)).all()
