"""Shear modulus against matscipy's elastic constants, a sheared and re-minimised box, and lattice sums."""

import numpy as np
import oracles
import pytest

import pelplug
from pelplug.landscape import LinearResponse, shear_modulus
from pelplug.potentials.forms import FORMS
from pelplug.testing.crystals import crystal


@pytest.fixture(scope="module", params=["smooth", "shift"])
def glass(request):
    """An inherent structure of N = 300 with its potential and truncation."""
    model = pelplug.model("kob-andersen", truncation=request.param)
    start = model.random_configuration(300, 7)
    potential = model.potential(start)
    return pelplug.quench(start, potential).require_converged().configuration, potential, request.param


@pytest.mark.parametrize("solver", ["dense", "sparse", "cg"])
def test_agrees_with_matscipy(glass, solver):
    """Green-Lagrange strain of x -> (I + g e_a e_b) x is g/2 (ab + ba) + g^2/2 bb: d2U/dg2 = V (C_abab + stress_bb)."""
    state, potential, truncation = glass
    modulus = shear_modulus(LinearResponse(state, potential, solver=solver))
    atoms = oracles.ase_atoms(state, ("A", "B"))
    atoms.calc = oracles.matscipy_calculator("kob-andersen", truncation=truncation)
    stress = atoms.get_stress(voigt=False)
    born = atoms.calc.get_property("born_constants", atoms)
    birch = atoms.calc.get_property("birch_coefficients", atoms)
    eigenvalues, vectors = np.linalg.eigh(atoms.calc.get_property("hessian", atoms).toarray())
    with pytest.warns(DeprecationWarning):
        nonaffine = atoms.calc.get_non_affine_contribution_to_elastic_constants(
            atoms, eigenvalues=eigenvalues[3:], eigenvectors=vectors[:, 3:]
        )
    assert modulus.planes == ((0, 1), (0, 2), (1, 2))
    assert modulus.names == ["xy", "xz", "yz"]
    for (a, b), value, affine, taken in zip(
        modulus.planes, modulus.values, modulus.born, modulus.nonaffine, strict=True
    ):
        assert affine == pytest.approx(born[a, b, a, b] + stress[b, b], rel=1e-9)
        assert taken == pytest.approx(-nonaffine[a, b, a, b], rel=1e-8)
        # The Birch coefficient belongs to the symmetric strain and the Cauchy stress.
        total = birch[a, b, a, b] + nonaffine[a, b, a, b] + (stress[b, b] - stress[a, a]) / 2
        assert value == pytest.approx(total, rel=1e-8)


@pytest.mark.parametrize("plane", [0, 1, 2])
def test_agrees_with_a_box_that_is_sheared_and_minimised_again(glass, plane):
    state, potential, truncation = glass
    if truncation != "smooth":
        pytest.skip("with a force that jumps at the cutoff, finite differences cross kinks")
    modulus = shear_modulus(LinearResponse(state, potential))
    a, b = modulus.planes[plane]
    g = 1e-4
    energies, stresses = [], []
    for strain in (-g, 0.0, g):
        shear = np.eye(3)
        shear[a, b] = strain
        sheared = state.replace(positions=state.positions @ shear.T, cell=state.cell @ shear.T, images=None)
        relaxed = pelplug.quench(sheared, potential).require_converged()
        energies.append(relaxed.energy)
        stresses.append(potential.stress(relaxed.configuration)[a, b])
    second = (energies[0] - 2 * energies[1] + energies[2]) / g**2 / state.volume
    assert modulus.values[plane] == pytest.approx(second, rel=2e-3)
    # Row b of the deformation stays that of the identity, so the true stress along ab is (1/V) dU/dg at every g.
    slope = (stresses[2] - stresses[0]) / (2 * g)
    assert modulus.values[plane] == pytest.approx(slope, rel=1e-4)


@pytest.mark.parametrize("d", [2, 3])
def test_a_bravais_crystal_relaxes_nothing(d):
    """Triangular and face-centred cubic: the non-affine part is zero, the Born part a sum over bonds."""
    potential = pelplug.PairPotential(
        FORMS["lennard-jones"], sigma=[[1.0]], cutoff=[[1.3]], parameters={"epsilon": 1.0}, species=("A",)
    )
    state = crystal("fcc", 3, spacing=1.1) if d == 3 else crystal("triangular", 5, spacing=1.1)
    modulus = shear_modulus(LinearResponse(state, potential))
    np.testing.assert_allclose(modulus.nonaffine, 0.0, atol=1e-9)
    r = 1.1
    u1, u2 = -48 * r**-13 + 24 * r**-7, 624 * r**-14 - 168 * r**-8
    angles = np.arange(6) * np.pi / 3
    bonds = np.array([[np.cos(t), np.sin(t)] for t in angles])
    if d == 3:
        signs = [(s, t) for s in (1, -1) for t in (1, -1)]
        bonds = np.array([np.insert(pair, axis, 0) for axis in range(3) for pair in signs]) / np.sqrt(2)
    for (a, b), value in zip(modulus.planes, modulus.born, strict=True):
        na, nb = bonds[:, a], bonds[:, b]
        per_bond = u2 * r**2 * na**2 * nb**2 + u1 * r * (nb**2 - na**2 * nb**2)
        assert value == pytest.approx(state.density / 2 * per_bond.sum(), rel=1e-10)


def test_triclinic_cells_change_nothing():
    """The same crystal of a glass described by other cell vectors has the same moduli."""
    model = pelplug.model("kob-andersen", truncation="smooth")
    start = model.random_configuration(200, 9)
    potential = model.potential(start)
    state = pelplug.quench(start, potential).require_converged().configuration
    other = state.replace(cell=np.array([[1, 0, 0], [1, 1, 0], [0, -1, 1]]) @ state.cell, images=None).wrapped()
    ours = [shear_modulus(LinearResponse(one, potential)) for one in (state, other)]
    np.testing.assert_allclose(ours[0].values, ours[1].values, rtol=1e-9)
    np.testing.assert_allclose(ours[0].born, ours[1].born, rtol=1e-9)


@pytest.mark.parametrize("name", ["shear_modulus", "elastic_constants", "pairs_near_cutoff", "dipole_stiffness"])
def test_what_is_no_response_is_one_sentence(name):
    state = pelplug.model("kob-andersen").random_configuration(50, 1)
    with pytest.raises(pelplug.InputError, match="Configuration is no linear response"):
        getattr(pelplug, name)(state)
