"""Models: their numbers, their choices, and what they refuse; and the calculus of their potentials by differences."""

from __future__ import annotations

import itertools
import json
import tomllib

import numpy as np
import oracles
import pytest
from scipy import stats

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
    ("polydisperse-soft-spheres", {}, 3, 1.02, {"A": 1.0}, 0.005),
    ("polydisperse-soft-spheres-2d", {}, 2, 1.0, {"A": 1.0}, 0.005),
]


@pytest.mark.parametrize(("name", "parameters", "d", "density", "composition", "dt"), STATED)
def test_what_a_model_states(name, parameters, d, density, composition, dt):
    model = models.build(name, **parameters)
    assert (model.dimension, model.density, model.composition, model.time_step) == (d, density, composition, dt)
    assert model.units and model.formula and model.cites and model.summary


@pytest.mark.parametrize("name", NAMES)
def test_start_has_the_composition_and_density_of_the_model(name):
    model = models.build(name, **({"dimension": 3} if name == "harmonic-spheres" else {}))
    for n, arrangement in ((65, "lattice"), (100, "random")):
        c = model.random_configuration(n, rng=3, arrangement=arrangement)
        assert c.n == n and c.density == pytest.approx(model.density) and c.dimension == model.dimension
        for species, fraction in model.composition.items():
            assert abs(np.count_nonzero(c.species == species) - n * fraction) < 1
        again = model.random_configuration(n, rng=3, arrangement=arrangement)
        np.testing.assert_array_equal(c.positions, again.positions)
        np.testing.assert_array_equal(c.species, again.species)
        assert not np.array_equal(c.positions, model.random_configuration(n, 4, arrangement=arrangement).positions)
        model.check(c)


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


# --- calculus -------------------------------------------------------------------------------------------------------

CALCULUS = [
    ("kob-andersen", {}, 30),
    ("kob-andersen", {"truncation": "shifted-force"}, 30),
    ("kob-andersen", {"truncation": "smooth", "cutoff": 1.8}, 30),
    ("kob-andersen-2d", {"truncation": "smooth"}, 20),
    ("modified-kob-andersen", {}, 30),
    ("inverse-power-law", {}, 30),
    ("inverse-power-law-2d", {}, 20),
    ("sticky-spheres", {}, 30),
    ("polydisperse-soft-spheres", {}, 30),
    ("polydisperse-soft-spheres-2d", {}, 20),
    ("harmonic-spheres", {"dimension": 2}, 20),
    ("harmonic-spheres", {"dimension": 3}, 20),
    ("harmonic-spheres", {"dimension": 4, "volume_fraction": 0.8}, 16),
    ("harmonic-spheres", {"dimension": 5, "volume_fraction": 0.8}, 12),
    ("harmonic-spheres", {"dimension": 6, "volume_fraction": 0.35}, 12),
    ("harmonic-spheres", {"dimension": 8, "volume_fraction": 0.03}, 10),
]


def image_distances(configuration, reach):
    """All distances below ``reach``, directly: every pair, every image."""
    cell = configuration.cell
    fractional = configuration.fractional()
    fractional -= np.floor(fractional)
    x = fractional @ cell
    most = np.ceil(reach / configuration.heights).astype(int)
    shifts = np.array(list(itertools.product(*(range(-m, m + 1) for m in most)))) @ cell
    i, j = np.triu_indices(len(x))
    out = []
    for a, b in zip(i, j, strict=True):
        r = np.linalg.norm(x[b] - x[a] + shifts, axis=1)
        r = r[(r < reach) & (r > 1e-12)]
        out.append((a, b, r if a != b else np.sort(r)[: len(r) // 2]))
    return out


def reach_of(potential, configuration, i, j):
    if potential.per_particle:
        d = configuration.diameters
        return potential.cutoff * potential.mixing(d[i], d[j])
    index = [potential.species.index(name) for name in configuration.species[[i, j]]]
    return potential.pair_cutoff[index[0], index[1]]


def calculus_case(name, parameters, n, margin=1e-3):
    """A small configuration in a tilted box, no pair nearer than ``margin`` to its cutoff, where U'' or U' may jump."""
    model = models.build(name, **parameters)
    for seed in range(2000):
        c = oracles.tilted(model.random_configuration(n, rng=seed), rng=seed, tilt=0.2)
        potential = model.potential(c)
        if model.dimension < 4:
            c = oracles.settle(c, potential, steps=30)
        largest = potential.cutoff * (1.7 if potential.per_particle else 1.0)
        gaps = [
            np.min(np.abs(r - reach_of(potential, c, a, b)))
            for a, b, r in image_distances(c, largest + margin)
            if len(r)
        ]
        if min(gaps) > margin:
            return c, potential
        margin = max(0.8 * margin, 5e-5)
    raise AssertionError("no configuration without a pair at its cutoff")


@pytest.mark.parametrize(("name", "parameters", "n"), CALCULUS)
def test_derivatives_by_differences(name, parameters, n):
    c, potential = calculus_case(name, parameters, n)
    h = 1e-5
    energy, forces = potential.energy_forces(c)
    evaluate = potential.evaluator(c)

    def energy_at(x):
        return evaluate(np.ascontiguousarray(x), np.empty_like(x))

    def forces_at(x):
        out = np.empty_like(x)
        evaluate(np.ascontiguousarray(x), out)
        return out

    scale = np.sqrt(np.mean(forces**2))
    assert scale > 1e-4 and energy == pytest.approx(energy_at(c.positions), rel=1e-12)
    gradient = oracles.numerical_gradient(energy_at, np.array(c.positions), h)
    np.testing.assert_allclose(-forces, gradient, atol=2e-7 * max(scale, abs(energy)))
    hessian = potential.hessian(c).toarray()
    stiffest = np.abs(hessian).max()
    numerical = oracles.numerical_hessian(forces_at, np.array(c.positions), h)
    np.testing.assert_allclose(hessian, numerical, atol=2e-7 * stiffest)
    np.testing.assert_allclose(hessian, hessian.T, rtol=0, atol=1e-13 * stiffest)
    for axis in range(c.dimension):
        shift = np.zeros_like(c.positions)
        shift[:, axis] = 1.0
        assert np.abs(hessian @ shift.ravel()).max() < 1e-11 * stiffest
    np.testing.assert_allclose(forces.sum(axis=0), 0.0, atol=1e-11 * scale * n)


@pytest.mark.parametrize(("name", "parameters", "n"), CALCULUS)
def test_strain_derivatives_by_differences(name, parameters, n):
    c, potential = calculus_case(name, parameters, n)
    d = c.dimension
    h = 2e-6

    def strained(a, b, g):
        f = np.eye(d)
        f[a, b] += g
        return c.replace(positions=c.positions @ f.T, cell=c.cell @ f.T)

    def five(function, a, b):
        values = [function(strained(a, b, k * h)) for k in (-2, -1, 1, 2)]
        return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)

    exact = potential.strain_derivatives(c)
    stress = potential.stress(c)
    assert stress == pytest.approx(exact.first / c.volume)
    directions = list(itertools.product(range(d), repeat=2)) if d < 4 else [(0, 0), (0, 1), (2, 1), (d - 1, d - 2)]
    size = np.abs(exact.first).max() + abs(potential.energy(c))
    for a, b in directions:
        assert exact.first[a, b] == pytest.approx(five(potential.energy, a, b), abs=3e-7 * size)
    assert list(exact.planes) == list(itertools.combinations(range(d), 2))
    planes = range(len(exact.planes)) if d < 4 else (0, len(exact.planes) - 1)
    for k in planes:
        a, b = exact.planes[k]
        # dU/dg of the sheared state is not its dU/dF_ab = sum U' u_a r_b: that derivative is of a further
        # deformation of the sheared state; they agree because (1 + g e_a e_b) shears add: F(g + h) = F(h) F(g).
        second = five(lambda state, a=a, b=b: potential.strain_derivatives(state).first[a, b], a, b)
        assert exact.second[k] == pytest.approx(second, rel=1e-6, abs=1e-6 * size)
        mixed = five(lambda state: -potential.forces(state).ravel(), a, b)
        np.testing.assert_allclose(exact.mixed[k], mixed, atol=3e-7 * np.abs(exact.mixed).max())


@pytest.mark.parametrize(
    ("d", "fraction", "n"), [(4, 0.8, 20), (5, 0.8, 14), (6, 0.35, 12), (7, 0.1, 10), (8, 0.03, 9)]
)
def test_harmonic_energy_in_high_dimensions_is_the_sum_over_images(d, fraction, n):
    model = models.build("harmonic", dimension=d, volume_fraction=fraction)
    c = oracles.tilted(model.random_configuration(n, rng=d), rng=d, tilt=0.15)
    distances = np.concatenate([r for _, _, r in image_distances(c, 1.0)])
    assert len(distances) > 3
    potential = model.potential(c)
    assert potential.energy(c) == pytest.approx(0.5 * np.sum((1 - distances) ** 2), rel=1e-12)
    np.testing.assert_allclose(np.sort(potential.pairs(c).distances), np.sort(distances), rtol=1e-12)


# --- choosing and refusing ------------------------------------------------------------------------------------------


def test_listing_and_aliases():
    assert list(models())[: len(NAMES)] == NAMES
    seen = [key for cls in models.BUNDLED for key in (cls.name, *cls.aliases)]
    assert len(seen) == len(set(seen))
    for alias, name in {"kalj": NAMES[0], "bmlj": NAMES[0], "kalj-2d": NAMES[1], "mblj": NAMES[2], "ipl": NAMES[3],
                        "ipl-2d": NAMES[4], "ss": NAMES[5], "css": NAMES[5], "pss": NAMES[6], "pss-2d": NAMES[7],
                        "harmonic": NAMES[8]}.items():  # fmt: skip
        assert models.build(alias).name == name


@pytest.mark.parametrize(
    ("name", "parameters", "words"),
    [
        ("kob-anderson", {}, "did you mean kob-andersen"),
        ("nothing like it", {}, "pelplug models"),
        ("kalj", {"truncation": "foo"}, "shift, shifted-force, smooth"),
        ("kalj", {"cutoff": 0}, "above 0"),
        ("kalj", {"cutoff": -2.5}, "above 0"),
        ("kalj", {"cutoff": "wide"}, "is a number"),
        ("kalj", {"cutoff": float("nan")}, "must be a number"),
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


@pytest.mark.parametrize("name", NAMES)
def test_record_rebuilds_the_model(name):
    options = {"kob-andersen": {"truncation": "smooth", "cutoff": 1.8}, "sticky-spheres": {"density": 0.95}}
    model = models.build(name, **options.get(name, {}))
    log = model.to_log()
    assert log.dtype == np.uint8
    again = models.from_record(log)
    assert again == model and again.parameters == model.parameters and hash(again) == hash(model)
    assert models.from_record(json.loads(log.tobytes())) == model
    assert model.name in model.describe() and "Parameters:" in model.describe()


@pytest.mark.parametrize("record", [b"not json", b"{}", b"[1]", np.array([1, 2], dtype=np.uint8)])
def test_damaged_record(record):
    with pytest.raises(InputError, match="--model"):
        models.from_record(record)


# --- a user's own model ---------------------------------------------------------------------------------------------

OWN = """
name = "my-mixture"
form = "lennard-jones"
dimension = 3
species = ["A", "B"]
cutoff = 2.5
truncation = "shift"
density = 1.2
composition = {A = 0.8, B = 0.2}

[[pair]]
species = ["A", "A"]
epsilon = 1.0

[[pair]]
species = ["A", "B"]
sigma = 0.8
epsilon = 1.5

[[pair]]
species = ["B", "B"]
sigma = 0.88
epsilon = 0.5
"""


def test_kob_andersen_as_a_file(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    own = models.from_file(path)
    reference = models.build("kalj")
    c = own.random_configuration(120, 1)
    assert own.potential(c).energy(c) == reference.potential(c).energy(c)
    np.testing.assert_array_equal(own.potential(c).forces(c), reference.potential(c).forces(c))
    assert models.from_record(own.to_log()) == own
    assert own.name == "my-mixture" and "A-B 1.5" in own.describe()


def test_diameters_in_a_file(tmp_path):
    path = tmp_path / "discs.toml"
    path.write_text(
        'form = "inverse-power-law"\nsigma = "diameters"\nmixing = "non-additive"\ncutoff = 1.25\n'
        'truncation = "smooth"\n[parameters]\nepsilon = 1.0\nexponent = 12\n'
    )
    own = models.from_file(path)
    assert own.name == "discs" and own.needs_diameters and own.dimension is None
    c = models.build("pss").random_configuration(100, 1)
    expected = models.build("pss").potential(c)
    assert own.potential(c).energy(c) == pytest.approx(expected.energy(c), rel=1e-12)
    np.testing.assert_allclose(own.potential(c).forces(c), expected.forces(c), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('form = "lennard-jones"', 'form = "lennard-bones"', "there is no form"),
        ('form = "lennard-jones"', "", "'form' is missing"),
        ('truncation = "shift"', 'truncation = "chop"', "truncation is one of"),
        ("cutoff = 2.5", "", "cutoff of the pair A-A is missing"),
        ("cutoff = 2.5", "cutoff = -1", "must be positive"),
        ("epsilon = 1.5", "", "lacks 'epsilon'"),
        ("epsilon = 1.5", "epsilon = 1.5\ndepth = 3", "has 'depth'"),
        ("epsilon = 1.5", 'epsilon = "deep"', "is a number"),
        ('species = ["A", "B"]\nsigma', 'species = ["A", "C"]\nsigma', "names two of the species"),
        ('species = ["B", "B"]', 'species = ["B", "A"]', "given twice"),
        ("dimension = 3", "dimension = 1", "from 2 to 8"),
        ("dimension = 3", "dimensions = 3", "'dimensions' is unknown"),
        ("composition = {A = 0.8, B = 0.2}", "composition = {A = 0.8}", "with sum 1"),
        ("density = 1.2", "density = ", "not valid TOML"),
    ],
)
def test_bad_files_are_one_sentence(tmp_path, old, new, words):
    path = tmp_path / "own.toml"
    assert old in OWN
    path.write_text(OWN.replace(old, new, 1))
    with pytest.raises(InputError, match=words) as caught:
        models.from_file(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [None, -1, True, "x", [], [1], {}, {"a": 1}, [["A"]], float("inf")])
def test_values_of_the_wrong_kind_never_escape(value):
    base = tomllib.loads(OWN)
    changed = [{**base, key: value} for key in (*base, "sigma", "mixing", "parameters", "units", "cites", "time_step")]
    for key in ("species", "sigma", "epsilon", "cutoff"):
        changed.append({**base, "pair": [base["pair"][0], {**base["pair"][1], key: value}, base["pair"][2]]})
    changed += [{"form": "harmonic", "sigma": "diameters", "parameters": item} for item in (value, {"epsilon": value})]
    refused = 0
    for definition in changed:
        try:
            models.UserModel(definition).describe()
        except InputError as error:
            refused += 1
            assert "\n" not in str(error)
    assert refused > len(changed) / 2


def test_missing_file_and_missing_pair(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        models.from_file(tmp_path / "none.toml")
    path = tmp_path / "own.toml"
    path.write_text(OWN[: OWN.rindex("[[pair]]")])
    with pytest.raises(InputError, match="B-B has no"):
        models.from_file(path)
