"""Models: their numbers, their choices, and what they refuse."""

from __future__ import annotations

import numpy as np
import oracles
import pytest
from scipy import stats

import pelplug
import pelplug.host
import pelplug.models as models
from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.models.inverse_power_law import smoothing_coefficients
from pelplug.models.sticky_spheres import attraction_coefficients

NAMES = [
    "kob-andersen",
    "kob-andersen-2d",
    "modified-kob-andersen",
    "inverse-power-law",
    "inverse-power-law-2d",
    "sticky-spheres",
    "polydisperse-soft-spheres",
    "polydisperse-soft-spheres-2d",
    "harmonic-spheres",
    "stillinger-weber",
    "mari-kurchan",
]

# --- numbers --------------------------------------------------------------------------------------------------------


def test_published_coefficients_of_the_inverse_power_law():
    np.testing.assert_allclose(smoothing_coefficients(1.48), oracles.IPL_COEFFICIENTS, rtol=1e-12)


@pytest.mark.parametrize("cutoff", [1.3, 1.48, 2.0])
def test_closed_form_solves_the_four_equations(cutoff):
    np.testing.assert_allclose(smoothing_coefficients(cutoff), oracles.exact_ipl_coefficients(cutoff), rtol=1e-13)


def test_published_coefficients_of_the_sticky_spheres():
    minimum = 2.0 ** (1.0 / 6.0)
    np.testing.assert_allclose(attraction_coefficients(1.2 * minimum), oracles.STICKY_COEFFICIENTS, rtol=1e-9)


@pytest.mark.parametrize("ratio", ["1.2", "1.3", "1.5"])
def test_sticky_coefficients_solve_the_six_equations(ratio):
    minimum = 2.0 ** (1.0 / 6.0)
    exact = oracles.exact_sticky_coefficients(ratio)
    np.testing.assert_allclose(attraction_coefficients(float(ratio) * minimum), exact, rtol=1e-10)


def test_soft_sphere_coefficients():
    c0, c1, c2 = models.build("pss").coefficients
    assert (c0, c1, c2) == pytest.approx((-28 * 1.25**-12, 48 * 1.25**-14, -21 * 1.25**-16))


def two_particles(model, species, x, sigma):
    """A pair at r = x sigma in a box too large for images."""
    d = model.dimension or 3
    positions = np.zeros((2, d))
    positions[1, 0] = x * sigma
    diameters = np.ones(2) if model.needs_diameters else None
    return Configuration(positions, np.full(d, 20.0), list(species), diameters=diameters)


def pair_terms(model, species, x, sigma):
    """U, U', U'' of one pair at x."""
    configuration = two_particles(model, species, x, sigma)
    potential = model.potential(configuration)
    pairs = potential.pairs(configuration)
    return potential.energy(configuration), pairs.first[0] * sigma, pairs.second[0] * sigma**2


def test_slope_at_the_cutoff_of_shifted_kob_andersen():
    # The published steps of the force, U'(r_c) in units of epsilon_AA / sigma_AA.
    model = models.build("kalj")
    for species, sigma, slope in (("AA", 1.0, 0.039), ("AB", 0.8, 0.073), ("BB", 0.88, 0.022)):
        energy, first, _ = pair_terms(model, species, 2.5 - 1e-9, sigma)
        assert abs(energy) < 1e-9
        assert first / sigma == pytest.approx(slope, abs=5e-4)


SMOOTH = [
    ("kalj", {"truncation": "smooth"}, (("AA", 1.0), ("AB", 0.8), ("BB", 0.88)), 2.5),
    ("kalj", {"truncation": "smooth", "cutoff": 1.8}, (("AA", 1.0), ("AB", 0.8)), 1.8),
    ("ipl", {}, (("SS", 1.0), ("SL", 1.18), ("LL", 1.4)), 1.48),
    ("ss", {}, (("SS", 1.0), ("SL", 1.18), ("LL", 1.4)), 1.2 * 2 ** (1 / 6)),
    ("pss", {}, (("AA", 1.0),), 1.25),
]


@pytest.mark.parametrize(("name", "parameters", "pairs", "x_c"), SMOOTH)
def test_energy_slope_and_curvature_vanish_at_the_cutoff(name, parameters, pairs, x_c):
    model = models.build(name, **parameters)
    for species, sigma in pairs:
        inside = pair_terms(model, species, x_c - 1e-7, sigma)
        np.testing.assert_allclose(inside, 0.0, atol=2e-3 if name == "ss" else 1e-4)
        assert model.potential(c := two_particles(model, species, x_c + 1e-9, sigma)).energy(c) == 0.0


@pytest.mark.parametrize(("species", "sigma"), [("SS", 1.0), ("SL", 1.18), ("LL", 1.4)])
def test_sticky_branches_join_at_the_minimum(species, sigma):
    model, minimum = models.build("ss"), 2.0 ** (1.0 / 6.0)
    below, above = (pair_terms(model, species, minimum + step, sigma) for step in (-1e-9, 1e-9))
    np.testing.assert_allclose(below, above, atol=1e-5)
    np.testing.assert_allclose(below, (-1.0, 0.0, 72.0 / minimum**2), atol=1e-5)


def test_shifted_force_removes_the_step_of_the_force():
    model = models.build("mblj")
    for species, sigma, x in (("AA", 1.0, 1.5), ("AB", 0.8, 2.5), ("BB", 0.88, 1.5)):
        energy, first, second = pair_terms(model, species, x - 1e-8, sigma)
        assert abs(energy) < 1e-12 and abs(first) < 1e-7 and abs(second) > 1e-2
        assert model.potential(c := two_particles(model, species, x + 1e-9, sigma)).energy(c) == 0.0


# --- densities, compositions, diameters -----------------------------------------------------------------------------

STATED = [
    ("kob-andersen", {}, 3, 1.2, {"A": 0.8, "B": 0.2}, 0.005),
    ("kob-andersen-2d", {}, 2, 1.2, {"A": 0.65, "B": 0.35}, 0.005),
    ("modified-kob-andersen", {}, 3, 1.2, {"A": 0.8, "B": 0.2}, 0.005),
    ("inverse-power-law", {}, 3, 0.82, {"S": 0.5, "L": 0.5}, 0.005),
    ("inverse-power-law-2d", {}, 2, 0.86, {"S": 0.5, "L": 0.5}, 0.005),
    ("sticky-spheres", {}, 3, 0.6, {"S": 0.5, "L": 0.5}, 0.005),
    ("sticky-spheres", {"density": 0.7}, 3, 0.7, {"S": 0.5, "L": 0.5}, 0.003),
    ("sticky-spheres", {"density": "0.95"}, 3, 0.95, {"S": 0.5, "L": 0.5}, 0.002),
    ("stillinger-weber", {}, 3, 0.52, {"A": 1.0}, 0.065),
    ("polydisperse-soft-spheres", {}, 3, 1.02, {"A": 1.0}, 0.005),
    ("polydisperse-soft-spheres-2d", {}, 2, 1.0, {"A": 1.0}, 0.005),
]


@pytest.mark.parametrize(("name", "parameters", "d", "density", "composition", "dt"), STATED)
def test_what_a_model_states(name, parameters, d, density, composition, dt):
    model = models.build(name, **parameters)
    assert (model.dimension, model.density, model.composition, model.time_step) == (d, density, composition, dt)
    assert model.units and model.formula and model.cites and model.summary


def test_papers_small_systems_have_the_papers_composition():
    assert models.build("kalj").species_counts(65) == {"A": 52, "B": 13}
    assert models.build("kalj").species_counts(155) == {"A": 124, "B": 31}
    assert models.build("kalj-2d").species_counts(125000) == {"A": 81250, "B": 43750}
    for n in range(1, 40):
        assert sum(models.build("ipl").species_counts(n).values()) == n


def test_diameters_follow_the_power_law():
    d = models.build("pss").sample_diameters(200_000, rng=11)
    low, high = d.min(), d.max()
    assert low >= 0.7245 and high <= 1.61359 and low / high == pytest.approx(0.449, abs=1e-3)
    assert d.mean() == pytest.approx(1.0, abs=2e-3)
    assert d.std() / d.mean() == pytest.approx(0.23, abs=2e-3)

    def distribution(x):
        return (0.7245**-2 - np.asarray(x) ** -2) / (0.7245**-2 - 1.6135857**-2)

    assert stats.kstest(d, distribution).pvalue > 1e-3
    np.testing.assert_array_equal(d, models.build("pss-2d").sample_diameters(200_000, rng=11))


@pytest.mark.parametrize(("d", "fraction"), [(2, 1.2), (3, 0.73), (4, 0.5), (8, 0.1)])
def test_harmonic_density_gives_the_volume_fraction(d, fraction):
    model = models.build("harmonic", dimension=d)
    c = model.random_configuration(4000, rng=1)
    ball = {2: np.pi / 4, 3: np.pi / 6, 4: np.pi**2 / 32, 8: np.pi**4 / 6144}[d]
    diameters = np.ones(c.n) if c.diameters is None else c.diameters
    measured = ball * np.sum(diameters**d) / c.volume
    assert measured == pytest.approx(fraction, rel=1e-12 if d > 2 else 0.03)
    assert (c.diameters is not None) == (d == 2)


# --- choosing and refusing ------------------------------------------------------------------------------------------


def test_listing_and_aliases():
    assert list(pelplug.host.models())[: len(NAMES)] == NAMES
    seen = [key for cls in models.BUNDLED for key in (cls.name, *cls.aliases)]
    assert len(seen) == len(set(seen))
    for alias, name in {"kalj": NAMES[0], "bmlj": NAMES[0], "kalj-2d": NAMES[1], "mblj": NAMES[2], "ipl": NAMES[3],
                        "ipl-2d": NAMES[4], "ss": NAMES[5], "css": NAMES[5], "pss": NAMES[6], "pss-2d": NAMES[7],
                        "harmonic": NAMES[8], "sw": NAMES[9]}.items():  # fmt: skip
        assert models.build(alias).name == name


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("kob-anderson", {}, "did you mean kob-andersen"),
        ("nothing like it", {}, "pelplug models"),
        ("kalj", {"truncation": "foo"}, "shift, shifted-force, smooth"),
        ("kalj", {"cutoff": 0}, "above 0"),
        ("kalj", {"cutoff": -2.5}, "above 0"),
        ("kalj", {"cutoff": "wide"}, "must be a number, not 'wide'"),
        ("kalj", {"cutoff": float("nan")}, "cutoff of the model kob-andersen is not a number"),
        ("kalj", {"cutof": 2.5}, "did you mean cutoff"),
        ("ss", {"density": 0.65}, "0.6, 0.7, 0.95"),
        ("ss", {"cutoff": 1.0}, "above 1.12246"),
        ("harmonic", {"dimension": 9}, "one of any, 2, 3"),
        ("pss", {"mass": 1}, "has no parameter 'mass'"),
    ],
)
def test_bad_choices_are_one_sentence(name, parameters, words):
    with pytest.raises(InputError, match=words) as caught:
        models.build(name, **parameters)
    assert "\n" not in str(caught.value)


def test_species_the_model_lacks():
    c = models.build("kalj").random_configuration(100, 1)
    numbered = c.replace(species=np.where(c.species == "A", "1", "2"))
    with pytest.raises(InputError, match=r"species A, B.*--species 1=A,2=B"):
        models.build("kalj").potential(numbered)
    with pytest.raises(InputError, match="of one kind"):
        models.build("harmonic").potential(c)


def test_wrong_dimension_names_the_other_model():
    flat = models.build("kalj-2d").random_configuration(100, 1)
    with pytest.raises(InputError, match="use kob-andersen-2d"):
        models.build("kalj").potential(flat)
    with pytest.raises(InputError, match="pelplug models"):
        models.build("mblj").potential(flat)
    with pytest.raises(InputError, match="say which with dimension="):
        models.build("harmonic").random_configuration(10, 1)
    with pytest.raises(InputError, match="give density="):
        models.build("harmonic", dimension=5).random_configuration(10, 1)


@pytest.mark.parametrize("name", ["pss", "pss-2d", "harmonic"])
def test_missing_diameters(name):
    d = 3 if name == "pss" else 2
    c = Configuration(np.random.default_rng(1).uniform(0, 9, (50, d)), [9.0] * d, ["A"] * 50)
    with pytest.raises(InputError, match="diameter of each particle"):
        models.build(name).potential(c)


def test_diameters_that_cannot_be():
    c = models.build("pss").random_configuration(100, 1)
    wild = np.array(c.diameters)
    wild[0] = 9.0
    with pytest.raises(InputError, match="too unequal"):
        models.build("pss").potential(c.replace(diameters=wild))
    three = models.build("harmonic", dimension=3)
    unlike = three.random_configuration(100, 1).replace(diameters=c.diameters)
    with pytest.raises(InputError, match="other diameters"):
        three.potential(unlike)
    assert models.build("harmonic", dimension=3, sizes="additive").potential(unlike).energy(unlike) > 0


def test_box_smaller_than_a_particle():
    # Beyond half the box is fine; below the largest sigma_ij nothing is.
    for n, fine in ((3, True), (1, False)):
        c = models.build("kalj").random_configuration(n, 1)
        if fine:
            assert np.isfinite(models.build("kalj").potential(c).energy(c))
        else:
            with pytest.raises(InputError, match="overlap its own image"):
                models.build("kalj").potential(c)
    slanted = Configuration([[0.1, 0.1], [1.1, 0.3]], [[2.0, 0.0], [9.0, 0.9]], ["A", "A"])
    with pytest.raises(InputError, match=r"only 0\.89"):
        models.build("kalj-2d").potential(slanted.replace(cell=[[2.0, 0.0], [0.2, 0.897]]))
    big = models.build("pss").random_configuration(3, 1)
    with pytest.raises(InputError, match="overlap its own image"):
        models.build("pss").potential(big.replace(diameters=[1.6, 1.6, 1.6]))


def test_suggestions_for_a_trajectory():
    assert models.suggest({"A", "B"}, 3) == ["kob-andersen", "modified-kob-andersen"]
    assert models.suggest({"A", "B"}, 2) == ["kob-andersen-2d"]
    assert models.suggest({"S", "L"}, 2) == ["inverse-power-law-2d"]
    assert models.suggest({"1", "2"}, 3) == []
    assert "polydisperse-soft-spheres-2d" in models.suggest({"X"}, 2, has_diameters=True)
    assert models.suggest({"X"}, 2, has_diameters=False) == []
    assert models.suggest({"X"}, 5) == ["harmonic-spheres"]


@pytest.mark.parametrize("record", [b"not json", b"{}", b"[1]", np.array([1, 2], dtype=np.uint8)])
def test_damaged_record(record):
    with pytest.raises(InputError, match="--model"):
        models.from_record(record)
