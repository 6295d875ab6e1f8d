"""Replica theory of Mari-Kurchan against its equation written otherwise, hard spheres, and the published T_MCT."""

import json

import numpy as np
import pytest
from pelplug_replica.cage import CagePotential
from pelplug_replica.solving import Cages
from pelplug_replica.study import Replica
from scipy import integrate, optimize, special

import pelplug
from pelplug.testing import parametrize_with_checks

DENSITY = 6 * 0.5 / np.pi


@parametrize_with_checks([Replica])
def test_contract(check):
    check()


def pair(r, cutoff=4.0):
    """The paper's Eq. 5 of one size."""
    inside = r**-12 - 28 * cutoff**-12 + 48 * cutoff**-14 * r**2 - 21 * cutoff**-16 * r**4
    return np.where(r < cutoff, inside, 0.0)


def cages(**parameters):
    model = pelplug.model("mari-kurchan", **parameters)
    return Cages(model.pair_energy, cutoff=model.parameters["cutoff"], density=model.density, dimension=model.dimension)


@pytest.fixture(scope="module")
def papers():
    """The paper's parameters, solved once."""
    solver = cages()
    return solver, solver.transition(1e-5)


def written_out(alpha, temperature):
    """Alpha times the right side of Eq. S1 as it stands, by plain sums: d Q / d alpha by differences."""
    r = np.linspace(1e-3, 9.0, 900)
    u = np.linspace(1e-4, 14.0, 14_000)
    f = np.exp(-np.minimum(pair(u) / temperature, 700.0))

    def smeared(size):
        width = 2.0 * size
        kernel = np.exp(-((r[:, None] - u) ** 2) / (2 * width)) - np.exp(-((r[:, None] + u) ** 2) / (2 * width))
        return integrate.trapezoid(kernel * u * f, u, axis=1) / (r * np.sqrt(2 * np.pi * width))

    h = 1e-4 * alpha
    change = (smeared(alpha + h) - smeared(alpha - h)) / (2 * h)
    integral = integrate.simpson(4 * np.pi * r**2 * change * np.log(smeared(alpha)), x=r)
    return -alpha * DENSITY / 3 * integral


@pytest.mark.parametrize(("alpha", "temperature"), [(0.13, 0.0084), (0.13, 0.0083), (0.4, 0.02)])
def test_criterion_is_the_equation_of_the_paper(alpha, temperature):
    found = CagePotential(
        pelplug.model("mari-kurchan").pair_energy, cutoff=4.0, temperature=temperature, density=DENSITY
    ).smeared(alpha)
    assert found.criterion == pytest.approx(written_out(alpha, temperature), rel=2e-6)
    assert found.criterion_error < 1e-10


@pytest.mark.parametrize("dimension", [2, 3, 5])
def test_smeared_factor_is_a_mean_over_displacements(dimension):
    model = pelplug.model("mari-kurchan", dimension=dimension)
    one = CagePotential(model.pair_energy, cutoff=4.0, temperature=0.01, density=model.density, dimension=dimension)
    rng = np.random.default_rng(1)
    moved = np.sqrt(2 * 0.1) * rng.normal(size=(200_000, dimension))
    for r in (0.05, 1.2, 2.0):
        moved_to = np.linalg.norm(moved + r * np.eye(dimension)[0], axis=1)
        drawn = np.exp(-np.minimum(pair(moved_to) / 0.01, 700.0))
        q, _ = one.smear(np.array([r]), 0.1)
        assert abs(q[0] - drawn.mean()) < 5 * drawn.std() / drawn.size**0.5 + 1e-12


def test_three_dimensions_by_sinh_are_those_by_bessel_functions():
    """The kernel of d dimensions by SciPy's Bessel functions, which for d = 3 are not used."""
    one = CagePotential(pelplug.model("mari-kurchan").pair_energy, cutoff=4.0, temperature=0.01, density=DENSITY)
    r, width = 1.3, np.sqrt(0.2)

    def integrand(u):
        z = r * u / width**2
        gauss = np.exp(-0.5 * ((r - u) / width) ** 2)
        return (u / r) ** 0.5 * u / width**2 * gauss * special.ive(0.5, z) * np.exp(-pair(u) / 0.01)

    found, _ = integrate.quad(integrand, 0.5, 8.0, points=[1.3, 4.0], epsabs=1e-13, limit=200)
    assert one.smear(np.array([r]), 0.1)[0][0] == pytest.approx(found, rel=1e-9)


def test_free_energy_has_the_criterion_for_its_slope():
    one = CagePotential(pelplug.model("mari-kurchan").pair_energy, cutoff=4.0, temperature=0.006, density=DENSITY)
    for alpha in (0.03, 0.13, 0.6):
        up, down = (one.smeared(alpha * np.exp(h)).free_energy for h in (1e-3, -1e-3))
        assert (up - down) / 2e-3 == pytest.approx(1.5 * (one.smeared(alpha).criterion - 1), abs=2e-6)


def hard_spheres():
    """Phi and alpha of the dynamical transition of hard spheres in three dimensions: Q by error functions."""

    def criterion(alpha):
        s = np.sqrt(2 * alpha)
        r = np.linspace(1e-4, 1 + 12 * s, 40_001)
        plus, minus = (1 + r) / (np.sqrt(2) * s), (1 - r) / (np.sqrt(2) * s)
        outside = s / (np.sqrt(2 * np.pi) * r) * (np.exp(-(minus**2)) - np.exp(-(plus**2)))
        q = 0.5 * (special.erfc(plus) + special.erfc(minus)) + outside
        slope = np.gradient(q, r, edge_order=2)
        return alpha * 6 / np.pi / 3 * 4 * np.pi * integrate.simpson(r**2 * slope**2 / q, x=r)

    best = optimize.minimize_scalar(lambda x: -criterion(np.exp(x)), bounds=(-6, -1), method="bounded")
    return -1.0 / best.fun, np.exp(best.x)


def test_hard_spheres_are_what_is_left_at_zero_temperature():
    """Cut at their diameter, T -> 0: the criterion is linear in phi, so its peak tells the transition."""
    phi, alpha = hard_spheres()
    assert phi == pytest.approx(1.776, abs=1e-3)
    size, height, _ = cages(cutoff=1.0, volume_fraction=1.0).peak(1e-8)
    assert 1.0 / height == pytest.approx(phi, rel=2e-3)
    assert size == pytest.approx(alpha, rel=5e-3)


def test_hard_spheres_in_many_dimensions():
    """2**d phi_d / d goes to 4.8067 (Parisi and Zamponi, Rev. Mod. Phys. 82, 789 (2010)) as 1 / d does to 0."""

    def steep(r):
        with np.errstate(all="ignore"):
            u = np.where(r > 0, r, 1e-3) ** -20_000.0
            return u, -20_000.0 * u / r

    values = []
    for d in (20, 40):
        ball = np.exp(0.5 * d * np.log(np.pi) - special.gammaln(0.5 * d + 1))
        one = CagePotential(steep, cutoff=1.2, temperature=1.0, density=d / ball, dimension=d)
        at = optimize.minimize_scalar(
            lambda x, one=one: -one.criterion(np.exp(x)), bounds=np.log([0.2 / d**2, 2.0 / d**2]), method="bounded",
            options={"xatol": 1e-3},
        )  # fmt: skip
        values.append(-1.0 / at.fun)
    assert 2 * values[1] - values[0] == pytest.approx(4.8067, rel=3e-3)


def test_cold_cages_are_harmonic():
    """As T -> 0 alpha is T over the mean stiffness that a particle feels, rho / d int f laplacian(u)."""
    solver = cages(cutoff=1.25, volume_fraction=3.0)
    temperature = 1e-4
    r = np.linspace(1e-3, 1.25, 200_001)
    u, slope = pelplug.model("mari-kurchan", cutoff=1.25).pair_energy(r)
    np.testing.assert_allclose(u[1000:], pair(r, 1.25)[1000:], rtol=1e-9, atol=1e-12)
    f = np.exp(-np.minimum(u / temperature, 700.0))
    # By parts: int f laplacian(u) = int f (du/dr)**2 / T.
    density = 6 * 3.0 / np.pi
    steep = np.where(f > 0, slope, 0.0) ** 2
    stiffness = density / 3 * integrate.simpson(4 * np.pi * r**2 * f * steep / temperature, x=r)
    one = solver.at(temperature)
    for alpha in (1e-9, 1e-8):
        assert one.criterion(alpha) == pytest.approx(alpha * stiffness / temperature, rel=1e-3)


def test_published_transition(papers):
    _, found = papers
    assert f"{found.temperature:.2g}" == "0.0084" and f"{found.cage:.2g}" == "0.13"
    low, high = found.bracket
    assert low < found.temperature < high and high / low - 1 < 1.01e-5
    assert found.peaks[0] > 1 > found.peaks[1]
    assert found.cage_bracket[0] < found.cage < found.cage_bracket[1]


def test_roots_come_with_a_square_root(papers):
    solver, found = papers
    assert np.isnan(solver.roots(found.bracket[1])).all()
    for below in (1e-4, 1e-3):
        small, large = solver.roots(found.temperature * (1 - below))
        assert small < found.cage < large
        assert np.log(large / small) / 2 == pytest.approx(found.amplitude * below**0.5, rel=0.01)
    for root in solver.roots(0.005):
        assert written_out(root, 0.005) == pytest.approx(1.0, abs=1e-5)


def test_transition_goes_as_the_fourth_power_of_the_density(papers):
    """For r**-12 only rho T**(-1/4) counts, but for a cutoff that is far away."""
    _, found = papers
    denser = cages(volume_fraction=1.0).transition(1e-3)
    assert denser.temperature == pytest.approx(16 * found.temperature, rel=2e-3)
    assert denser.cage == pytest.approx(found.cage / 2 ** (2 / 3), rel=2e-3)


def test_minimum_is_the_cage_and_the_maximum_its_barrier():
    ds = pelplug.study("replica", temperatures=(0.004, 0.01), tolerance=1e-3, points=4)
    assert json.loads(ds.attrs["not_found"])[0].startswith("No cage at T = 0.01")
    assert np.isnan(ds["cage"][1]) and np.isnan(ds["barrier"][1])
    one = cages().at(0.004)
    size, top = float(ds["cage"][0]), float(ds["cage_unstable"][0])
    low, high = one.smeared(size).free_energy, one.smeared(top).free_energy
    assert float(ds["barrier"][0]) == pytest.approx(high - low)
    assert min(one.smeared(size * x).free_energy for x in (0.9, 1.1)) > low
    assert max(one.smeared(top * x).free_energy for x in (0.9, 1.1)) < high


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--temperatures", "0.01"], "T_MCT = 0.0083"),
        (["--volume-fraction", "0.02"], "give a volume fraction more than 1.3"),
        (["--cutoff", "0.1"], "too few for a glass; give a larger cutoff"),
        (["--temperatures", "1e-30,0.005"], "leave such low temperatures out"),
        (["--volume-fraction", "nan"], "volume_fraction of the study replica is not a number"),
        (["--cutoff", "0"], "cutoff"),
        (["--temperatures", "-1"], "temperatures"),
        (["--tolerance", "0"], "tolerance"),
        (["--dimension", "1"], "dimension"),
    ],
)
def test_bad_input_is_refused(tmp_path, options, words, pelplug_command):
    if "--tolerance" not in options:
        options = [*options, "--tolerance", "1e-3"]
    done = pelplug_command("study", "replica", *options, "-o", tmp_path / "r.nc", code=2)
    assert words in done.stderr and "Traceback" not in done.stderr and len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.glob("*.nc"))
