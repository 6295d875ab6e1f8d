"""The landscape of traps, against quadrature written plainly, closed forms, limits, and numbers of paper 2."""

import numpy as np
import pytest
from scipy import integrate, stats

import pelplug

TABLE_I = pelplug.TrapLandscape()
FREE = pelplug.TrapLandscape(cutoff=-np.inf, plateau=False)
OTHER = pelplug.TrapLandscape(
    sigma=1.7,
    lam=0.8,
    crossover=-4.0,
    entropic_factor=0.3,
    rate_prefactor=2.0,
    last_barrier=0.6,
    cutoff=-7.5,
    centre=1.0,
)


def plain(landscape, temperature, n, function=lambda e: 1.0):
    """Return <f Gamma^n> over p_eq, from the formulas as they stand on paper."""
    s, e_c = landscape.sigma, landscape.crossover
    k = (landscape.centre - e_c) / s**2
    mean = landscape.centre - s**2 / temperature

    def rate(e):
        depth = min(e - e_c, 0.0) if landscape.plateau else e - e_c
        slope = landscape.lam * (1 / temperature - landscape.entropic_factor * k)
        return landscape.rate_prefactor * np.exp(-landscape.last_barrier / temperature + slope * depth)

    def weight(e):
        return np.exp(-((e - mean) ** 2) / (2 * s**2))

    shift = n * landscape.lam * s**2 / temperature
    low = max(landscape.cutoff, mean - 14 * s - abs(shift))
    high = max(mean, landscape.cutoff) + 14 * s + abs(shift)
    breaks = [e for e in (e_c, mean, mean + shift) if low < e < high]
    options = {"points": sorted({low, *breaks, high}), "limit": 500, "epsabs": 0, "epsrel": 1e-12}
    above = integrate.quad(lambda e: weight(e) * rate(e) ** n * function(e), low, high, **options)[0]
    return above / integrate.quad(weight, low, high, **options)[0]


@pytest.mark.parametrize("temperature", [0.4, 0.5, 0.8, 2.0])
@pytest.mark.parametrize("n", [1, -1, 2, -2, 0.5])
@pytest.mark.parametrize("landscape", [TABLE_I, FREE, OTHER], ids=["table-i", "free", "other"])
def test_moments_are_the_integrals(landscape, n, temperature):
    expected = plain(landscape, temperature, n)
    assert landscape.moment(n, temperature) == pytest.approx(expected, rel=1e-9)
    if landscape is FREE:
        assert landscape.closed_moment(n, temperature) == pytest.approx(expected, rel=1e-9)


def test_a_moment_of_nothing_is_one_and_densities_are_normalised():
    temperature = np.array([[0.1, 0.3], [0.5, 2.0]])
    assert TABLE_I.moment(0, temperature) == pytest.approx(np.ones((2, 2)), rel=1e-12)
    for one in (0.1, 0.3, 0.5):
        total = integrate.quad(TABLE_I.equilibrium, -25.0, 15.0, args=(one,), points=[-24.9, -24, -20], limit=200)[0]
        assert total == pytest.approx(1, rel=1e-7)
        assert TABLE_I.mean_energy(one) == pytest.approx(plain(TABLE_I, one, 0, lambda e: e), rel=1e-9)
    assert TABLE_I.equilibrium(-25.1, 0.3) == 0


def test_closed_forms_are_those_of_appendix_a():
    temperature = np.geomspace(0.02, 3.0, 12)
    landscape = pelplug.TrapLandscape(cutoff=-np.inf, plateau=False, last_barrier=0.7)
    k, s2 = 11.9 / 2.9**2, 2.9**2
    beta = 1 / temperature
    up = 0.5 * 0.5 * s2 * (beta - 0.56 * k) * (beta * (0.5 - 2) - k * (0.5 * 0.56 - 2)) - 0.7 * beta
    down = 0.5 * 0.5 * s2 * (beta - 0.56 * k) * (beta * (0.5 + 2) - k * (0.5 * 0.56 + 2)) + 0.7 * beta
    for sign, expected in ((1, up), (-1, down)):
        for found in (landscape.log_moment, landscape.closed_log_moment):
            assert found(sign, temperature) - sign * np.log(4.82) == pytest.approx(expected, rel=1e-10, abs=1e-9)
    both = landscape.log_moment(1, temperature) + landscape.log_moment(-1, temperature)
    assert both == pytest.approx(0.25 * s2 * (beta - 0.56 * k) ** 2, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("temperature", "xi"), [(0.6, 0.615), (0.5, 0.506), (0.45, 0.378), (0.4, 0.172)])
def test_exponent_of_table_i(temperature, xi):
    assert TABLE_I.exponent(temperature) == pytest.approx(xi, abs=1e-3)


def test_exponent_without_cutoff_goes_to_its_limit():
    cold = np.array([0.05, 0.03, 0.01])
    for landscape in (FREE, pelplug.TrapLandscape(cutoff=-np.inf)):
        assert landscape.exponent(cold) == pytest.approx(0.40, abs=0.01)
    hot = np.array([0.5, 0.2, 0.1, 0.05])
    assert FREE.closed_exponent(hot) == pytest.approx([0.504, 0.425, 0.411, 0.405], abs=6e-4)
    assert FREE.exponent(hot) == pytest.approx(FREE.closed_exponent(hot), rel=1e-9)
    barrier = [pelplug.TrapLandscape(last_barrier=v).exponent(0.6) for v in (0.5, 1.0)]
    assert barrier == pytest.approx([0.570, 0.531], abs=6e-4)


@pytest.mark.parametrize("landscape", [TABLE_I, OTHER], ids=["table-i", "other"])
def test_exponent_is_the_slope_along_the_temperature(landscape):
    """By central differences of the integrals, which know no derivative."""
    for temperature in (0.4, 0.6, 1.1):
        near = 1 / (1 / temperature + np.array([-1e-4, 1e-4]))
        up, down = (np.diff([np.log(plain(landscape, t, n)) for t in near]) for n in (1, -1))
        assert landscape.exponent(temperature) == pytest.approx(float(((up + down) / down)[0]), rel=1e-5)


@pytest.mark.parametrize("sigma_gamma", [0.0, 1.0, 2.0])
def test_persistence_falls_from_one_and_its_integral_is_tau_alpha(sigma_gamma):
    landscape = pelplug.TrapLandscape(sigma_gamma=sigma_gamma)
    for temperature in (0.45, 0.6):
        log_time = np.linspace(-12, np.log(landscape.relaxation_time(temperature)) + 15 + 3 * sigma_gamma**2, 801)
        found = landscape.persistence(np.exp(log_time), temperature)
        assert landscape.persistence(0.0, temperature) == pytest.approx(1, abs=1e-12)
        assert np.all(np.diff(found) <= 0)
        area = integrate.simpson(found * np.exp(log_time), x=log_time)
        assert area + np.exp(-12) == pytest.approx(float(landscape.relaxation_time(temperature)), rel=1e-6)
    narrow = pelplug.TrapLandscape(sigma=1e-4, centre=-13.0, sigma_gamma=0.0, entropic_factor=0.0)
    assert narrow.persistence(5.0, 0.5) == pytest.approx(np.exp(-5.0 * narrow.rate(-13.0, 0.5)), rel=1e-6)


@pytest.mark.parametrize("temperature", [0.8, 0.45, 0.3, 0.05])
@pytest.mark.parametrize("weight", [0, 1, -1])
def test_energies_are_drawn_from_what_they_should(temperature, weight):
    """Also far below the temperature at which p_eq leaves the cutoff, where rejection would never end."""
    for landscape in (TABLE_I, pelplug.TrapLandscape(cutoff=-np.inf)):
        energies = landscape.draw(20_000, temperature, np.random.default_rng(7), weight)
        middle = landscape.peak(temperature) + np.clip(weight, -1, 1) * 0.5 * 2.9**2 / temperature
        grid = np.linspace(max(landscape.cutoff, min(energies.min(), middle) - 1.0), energies.max() + 3.0, 100_001)
        log = -((grid - landscape.peak(temperature)) ** 2) / (2 * 2.9**2) + weight * landscape.log_rate(
            grid, temperature
        )
        density = np.exp(log - log.max())
        heap = integrate.cumulative_simpson(density, x=grid, initial=0.0)
        found = stats.kstest(energies, lambda e, grid=grid, heap=heap: np.interp(e, grid, heap / heap[-1]))
        assert found.pvalue > 1e-3
        assert np.isfinite(energies).all() and energies.min() >= landscape.cutoff


def test_quantiles_rise_through_the_crossover_without_a_step():
    share = np.linspace(1e-12, 1 - 1e-12, 100_001)
    for temperature in (0.6, 0.2):
        energies = TABLE_I.quantile(share, temperature, 1)
        assert np.all(np.diff(energies) > 0)
        at = TABLE_I.quantile([0.3, 0.7], temperature, 1)
        assert TABLE_I.share(-25, float(at[0]), temperature, 1) == pytest.approx(0.3, rel=1e-9)
        assert TABLE_I.share(float(at[1]), np.inf, temperature, 1) == pytest.approx(0.3, rel=1e-9)


def test_a_random_walk_over_traps_has_the_times_of_the_moments():
    """Metabasins that are entered, each left at its own rate: <tau>, <tau^2> and the time spent at each energy."""
    landscape, temperature, rng = (
        pelplug.TrapLandscape(sigma=1.5, crossover=-3.0, cutoff=-6.0),
        0.9,
        np.random.default_rng(3),
    )
    energy = landscape.draw(10**6, temperature, rng, weight=1)
    tau = rng.exponential(size=energy.size) / landscape.draw_rates(energy, temperature, rng, weight=1)
    blocks = tau.reshape(100, -1)
    mean, square = blocks.mean(axis=1), (blocks**2).mean(axis=1)
    for found, expected in (
        (mean, landscape.mean_waiting_time(temperature)),
        (square, 2 * landscape.mean_waiting_time(temperature) * landscape.relaxation_time(temperature)),
    ):
        assert abs(found.mean() - expected) < 4 * found.std() / 10 < 0.2 * expected
    at_any_time = (tau * energy).reshape(100, -1).sum(axis=1) / blocks.sum(axis=1)
    assert abs(at_any_time.mean() - landscape.mean_energy(temperature)) < 4 * at_any_time.std() / 10
    # Broadening by sigma_gamma = 1 alone, at one energy: <tau^2> / (2 <tau>^2) = e.
    rates = landscape.draw_rates(np.full(10**6, -4.0), temperature, rng, weight=1)
    assert np.mean(1 / rates) * landscape.rate(-4.0, temperature) == pytest.approx(1, abs=0.01)
    assert np.mean(rates**-2) / np.mean(1 / rates) ** 2 == pytest.approx(np.e, abs=0.1)
    seen = landscape.draw_rates(np.full(10**6, -4.0), temperature, rng)
    assert np.mean(seen) / landscape.rate(-4.0, temperature) == pytest.approx(1, abs=0.01)
    assert np.all(pelplug.TrapLandscape(sigma_gamma=0).draw_rates([-20.0], 0.5, rng) == TABLE_I.rate([-20.0], 0.5))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"sigma": 0.0}, "must be above 0"),
        ({"lam": -0.1}, "at least 0"),
        ({"cutoff": 1.0}, "must lie below the centre"),
        ({"cutoff": np.inf}, "must lie below the centre"),
        ({"crossover": np.nan}, "not a number"),
        ({"rate_prefactor": 0.0}, "above 0"),
        ({"sigma_gamma": "wide"}, "a number"),
        ({"sigma": 1e-200}, "sigma of at least 1e-100"),
        ({"sigma": 1e200}, "widths of at most 1e"),
        ({"sigma_gamma": 1e200}, "widths of at most 1e"),
    ],
)
def test_parameters_without_meaning_are_refused(values, said):
    with pytest.raises(pelplug.InputError, match=said):
        pelplug.TrapLandscape(**values)


def test_what_cannot_be_told_is_refused():
    for temperature in (0.0, -0.5, np.nan, [0.5, 0.0]):
        with pytest.raises(pelplug.InputError, match="above 0"):
            TABLE_I.moment(1, temperature)
    with pytest.raises(pelplug.InputError, match="beyond the largest number"):
        FREE.moment(-1, 0.02)
    assert FREE.log_moment(-1, 0.02) == pytest.approx(float(FREE.closed_log_moment(-1, 0.02)), rel=1e-12)
    with pytest.raises(pelplug.InputError, match="lower energy first"):
        TABLE_I.share(-10, -20, 0.5)
