"""All elastic constants against matscipy, dense numpy, lattice sums, published silicon, and strained cells."""

import dataclasses
import itertools

import numpy as np
import oracles
import pytest
from oracles.elastic import dense_elasticity, every_pair
from oracles.silicon import diamond
from oracles.silicon import state as silicon_like

import pelplug
from pelplug.landscape import LinearResponse, elastic_constants, shear_modulus
from pelplug.potentials.forms import FORMS
from pelplug.testing import states
from pelplug.testing.crystals import crystal


def quenched(model, n, seed, **keywords):
    start = model.random_configuration(n, seed, **keywords)
    potential = model.potential(start)
    return pelplug.quench(start, potential, "lbfgs", force_tolerance=1e-12).require_converged().configuration, potential


# --- the derivatives ------------------------------------------------------------------------------------------------


def pair_case(name, n, **keywords):
    model = pelplug.model(name, **keywords)
    start = states.tilted(model.random_configuration(n, 3), rng=3)
    return states.without_overlaps(start, model.potential(start)), model.potential(start)


CASES = {
    "kob-andersen": lambda: pair_case("kob-andersen", 30, truncation="smooth"),
    "soft discs": lambda: pair_case("polydisperse-soft-spheres-2d", 20),
    "harmonic d = 4": lambda: pair_case("harmonic", 20, dimension=4, volume_fraction=0.8),
    "stillinger-weber": lambda: (
        silicon_like(16, "triclinic"),
        pelplug.model("stillinger-weber").potential(diamond(1)),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_curvature_and_coupling_by_differences(case):
    state, potential = CASES[case]()
    d, h = state.dimension, 2e-6

    def slope(function, a, b):
        values = []
        for k in (-2, -1, 1, 2):
            f = np.eye(d)
            f[a, b] += k * h
            values.append(function(state.replace(positions=state.positions @ f.T, cell=state.cell @ f.T), f))
        return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)

    def derivative(strained, f):
        # dU/dF from that of a further deformation.
        return potential.strain_derivatives(strained).first @ np.linalg.inv(f).T

    exact = potential.strain_derivatives(state)
    planes = list(itertools.combinations_with_replacement(range(d), 2))
    for a, b in planes if d < 4 else planes[1::4]:
        k = planes.index((a, b))
        pulls = []
        for c, e in {(a, b), (b, a)}:
            numerical = slope(derivative, c, e)
            np.testing.assert_allclose(
                exact.curvature[:, :, c, e], numerical, atol=2e-6 * np.abs(exact.curvature).max()
            )
            pulls.append(slope(lambda strained, f: -potential.forces(strained).ravel(), c, e))
        np.testing.assert_allclose(exact.coupling[k], np.mean(pulls, axis=0), atol=1e-6 * np.abs(exact.coupling).max())


# --- other programs -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "solver"),
    [
        ("kob-andersen", "dense"),
        ("kob-andersen", "sparse"),
        ("kob-andersen", "cg"),
        ("inverse-power-law", "dense"),
        ("polydisperse-soft-spheres", "dense"),
    ],
)
def test_all_constants_agree_with_matscipy(name, solver):
    keywords = {"truncation": "smooth"} if name == "kob-andersen" else {}
    model = pelplug.model(name, **keywords)
    state, potential = quenched(model, 140, 7)
    found = elastic_constants(LinearResponse(state, potential, solver=solver))
    atoms = oracles.ase_atoms(state, model.species)
    atoms.calc = oracles.matscipy_calculator(name, **keywords)
    eigenvalues, vectors = np.linalg.eigh(atoms.calc.get_property("hessian", atoms).toarray())
    with pytest.warns(DeprecationWarning):
        nonaffine = atoms.calc.get_non_affine_contribution_to_elastic_constants(
            atoms, eigenvalues=eigenvalues[3:], eigenvectors=vectors[:, 3:]
        )
    born, birch = (atoms.calc.get_property(f"{kind}", atoms) for kind in ("born_constants", "birch_coefficients"))
    size = np.abs(born).max()
    np.testing.assert_allclose(found.born, born, atol=1e-9 * size)
    np.testing.assert_allclose(found.green_lagrange, born + nonaffine, atol=1e-8 * size)
    np.testing.assert_allclose(found.stress_strain, birch + nonaffine, atol=1e-8 * size)
    assert np.abs(found.stress).max() > 0.01 and found.origin == "analytic"
    alone = shear_modulus(LinearResponse(state, potential, solver=solver))
    np.testing.assert_allclose(found.shear.values, alone.values, rtol=1e-8)


def test_published_constants_of_stillinger_weber_silicon():
    """C11, C12, C44 of 151.4, 76.4, 56.4 GPa (E. R. Cowley, Phys. Rev. Lett. 60, 2379 (1988); LAMMPS's ELASTIC)."""
    model = pelplug.model("stillinger-weber", three_body=21.0)
    crystal = diamond(3)
    found = elastic_constants(LinearResponse(crystal, model.potential(crystal)))
    gigapascal = 2.1683 / 2.0951**3 * 160.2176621
    assert found.c11 * gigapascal == pytest.approx(151.4, abs=0.1)
    assert found.c12 * gigapascal == pytest.approx(76.4, abs=0.1)
    assert found.c44 * gigapascal == pytest.approx(56.4, abs=0.1)
    assert found.bulk_modulus == pytest.approx((found.c11 + 2 * found.c12) / 3, rel=1e-12)
    # Without the inner displacement: 117.2 for epsilon = 2.315 eV in the literature, here scaled.
    assert found.born[0, 1, 0, 1] * gigapascal == pytest.approx(117.2 * 2.1683 / 2.315, rel=0.01)


# --- lattice sums ---------------------------------------------------------------------------------------------------


def lattice(d, r):
    """Face-centred cubic (d = 3) or triangular, nearest neighbours at r, Lennard-Jones between these alone."""
    return crystal("fcc", 3, spacing=r) if d == 3 else crystal("triangular", 5, spacing=r)


def lennard_jones(r):
    return 4 * (r**-12 - r**-6), -48 * r**-13 + 24 * r**-7, 624 * r**-14 - 168 * r**-8


@pytest.mark.parametrize(("d", "r"), [(2, 1.1), (3, 1.1), (3, 2 ** (1 / 6)), (3, 1.02)])
def test_crystals_with_and_without_pressure(d, r):
    """U(V) and the stress of a strained lattice, by sums over its bonds."""
    state = lattice(d, r)
    potential = pelplug.PairPotential(
        FORMS["lennard-jones"], sigma=[[1.0]], cutoff=[[1.3]], parameters={"epsilon": 1.0}, species=("A",)
    )
    found = elastic_constants(LinearResponse(state, potential))
    _, u1, u2 = lennard_jones(r)
    bonds = {2: 3, 3: 6}[d]
    # U/N = bonds u(r), V/N = v0 r^d: V U_VV = [r^2 u'' - (d - 1) r u'] bonds rho / d^2.
    assert found.bulk_modulus == pytest.approx(bonds * state.density * (r**2 * u2 - (d - 1) * r * u1) / d**2, rel=1e-11)
    _, _, vectors = every_pair(state.positions, state.cell, 1.3)

    def stress(f):
        moved = vectors @ f.T
        length = np.linalg.norm(moved, axis=1)
        pull = lennard_jones(length)[1] / length
        return np.einsum("p,pa,pb->ab", pull, moved, moved) / (state.volume * np.linalg.det(f))

    h = 1e-5
    for a, b in itertools.combinations_with_replacement(range(d), 2):
        e = np.zeros((d, d))
        e[a, b] += h / 2
        e[b, a] += h / 2
        slope = (8 * (stress(np.eye(d) + e) - stress(np.eye(d) - e)) - stress(np.eye(d) + 2 * e)
                 + stress(np.eye(d) - 2 * e)) / (12 * h)  # fmt: skip
        np.testing.assert_allclose(
            found.stress_strain[:, :, a, b], slope, atol=1e-7 * np.abs(found.stress_strain).max()
        )
    np.testing.assert_allclose(found.nonaffine, 0.0, atol=1e-10)
    if r == 2 ** (1 / 6):  # without pressure both conventions agree, and Cauchy's relation holds
        np.testing.assert_allclose(found.green_lagrange, found.stress_strain, atol=1e-9)
        assert found.c12 == pytest.approx(found.c44, rel=1e-10) and found.c11 == pytest.approx(2 * found.c12, rel=1e-10)
    if d == 2:  # a triangular lattice is isotropic
        assert found.shear_average == pytest.approx(found.c44, rel=1e-10)
        assert (found.c11 - found.c12) / 2 == pytest.approx(found.c44, rel=1e-10)


def test_a_copper_crystal():
    model = pelplug.model("cu50zr50")
    a = 3.639
    crystal = states.supercell(
        pelplug.Configuration(np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]) * a / 2, [a] * 3, ["Cu"] * 4), 2
    )
    potential = model.potential(crystal)
    found = elastic_constants(LinearResponse(crystal, potential))
    h = 1e-7  # between the knots of the tables, at which second derivatives jump
    pressures = [
        -np.trace(potential.stress(crystal.replace(positions=crystal.positions * s, cell=crystal.cell * s))) / 3
        for s in (1 - h, 1 + h)
    ]
    assert found.bulk_modulus == pytest.approx((pressures[0] - pressures[1]) / (6 * h), rel=1e-6)
    assert found.bulk_modulus == pytest.approx((found.c11 + 2 * found.c12) / 3, rel=1e-12)
    assert 0 < found.c12 < found.c11 and found.c44 > 0


# --- near jamming ---------------------------------------------------------------------------------------------------


def packing(d, n, fraction, seed):
    model = pelplug.model("harmonic", dimension=d, sizes="one", volume_fraction=fraction)
    return quenched(model, n, seed)


@pytest.mark.parametrize(
    ("d", "n", "fraction", "seed"),
    [(2, 40, 0.90, 2), (3, 60, 0.665, 4), (3, 50, 0.65, 2), (4, 60, 0.52, 1), (5, 50, 0.35, 2)],
)
def test_packings_against_dense_matrices(d, n, fraction, seed):
    state, potential = packing(d, n, fraction, seed)
    response = LinearResponse(state, potential)
    found = elastic_constants(response)
    i, j, vectors = every_pair(response.backbone.positions, response.backbone.cell, 1.0)
    r = np.linalg.norm(vectors, axis=1)
    expected, stress, zeros = dense_elasticity(i, j, vectors, r - 1, np.ones(len(r)), response.backbone.n, state.volume)
    assert zeros == d
    size = np.abs(expected).max()
    np.testing.assert_allclose(found.stress, stress, atol=1e-12 * size)
    np.testing.assert_allclose(found.green_lagrange, expected, atol=1e-9 * size)
    trace = np.einsum("aabb", expected) + (2 - d) * np.trace(stress)
    assert found.bulk_modulus == pytest.approx(trace / d**2, rel=1e-9)
    assert found.voigt().shape == (d * (d + 1) // 2,) * 2


def test_quenched_shifts_against_dense_matrices():
    state, potential = quenched(pelplug.model("mari-kurchan"), 40, 1)
    pairs = potential.pairs(state)
    found = elastic_constants(LinearResponse(state, potential))
    expected, stress, _ = dense_elasticity(
        pairs.i, pairs.j, pairs.vectors, pairs.first, pairs.second, state.n, state.volume
    )
    np.testing.assert_allclose(found.green_lagrange, expected, atol=1e-9 * np.abs(expected).max())
    np.testing.assert_allclose(found.stress, stress, atol=1e-11 * np.abs(expected).max())


def test_bulk_modulus_near_jamming_is_that_of_the_energy():
    """By pressures of cells so little larger and smaller, and quenched again, that no contact opens or closes."""
    state, potential = packing(3, 60, 0.665, 4)
    response = LinearResponse(state, potential)
    pressures = []
    for s in (1 - 1e-8, 1 + 1e-8):
        scaled = state.replace(positions=state.positions * s, cell=state.cell * s)
        moved = pelplug.quench(scaled, potential, "lbfgs", force_tolerance=1e-15).configuration
        pressures.append(-np.trace(potential.stress(moved)) / 3)
    found = elastic_constants(response).bulk_modulus
    assert found == pytest.approx((pressures[0] - pressures[1]) / 6e-8, rel=1e-3)


# --- potentials of others -------------------------------------------------------------------------------------------


class Plain:
    """A third-party potential that says nothing of second derivatives by strain but the shears'."""

    def __init__(self, potential):
        self._potential = potential

    def __getattr__(self, name):
        return getattr(self._potential, name)

    def strain_derivatives(self, configuration):
        return dataclasses.replace(self._potential.strain_derivatives(configuration), curvature=None, coupling=None)


def test_differences_stand_in_where_the_potential_knows_none():
    state, potential = quenched(pelplug.model("inverse-power-law"), 100, 3)
    exact = elastic_constants(LinearResponse(state, potential))
    found = elastic_constants(LinearResponse(state, Plain(potential)))
    assert found.origin == "differences"
    size = np.abs(exact.green_lagrange).max()
    np.testing.assert_allclose(found.green_lagrange, exact.green_lagrange, atol=1e-6 * size)
    np.testing.assert_allclose(found.stress_strain, exact.stress_strain, atol=1e-6 * size)


def test_differences_that_cross_contacts_give_nothing():
    state, potential = packing(3, 60, 0.665, 4)
    found = elastic_constants(LinearResponse(state, Plain(potential)))
    assert found.origin.startswith("none: ") and np.isnan(found.bulk_modulus) and np.isnan(found.voigt()).all()
    np.testing.assert_allclose(found.shear.values, shear_modulus(LinearResponse(state, potential)).values, rtol=1e-10)
