"""The sum of ln omega against eigenvalues by NumPy, closed forms of chains, and the spectrum of a crystal by waves."""

import itertools

import numpy as np
import pytest
import scipy.sparse as sp

import pelplug
from pelplug.landscape import LinearResponse, log_frequency_sum
from pelplug.landscape.hessian import dissection as hessian_dissection
from pelplug.landscape.hessian.factor import unit_dipoles
from pelplug.landscape.hessian.solvers import factorise
from pelplug.testing.crystals import crystal


@pytest.fixture
def many_fronts(monkeypatch):
    """Small leaves, so that a small system already has a deep tree."""
    monkeypatch.setattr(hessian_dissection, "LEAF_SIZE", 12)


@pytest.fixture(scope="module")
def glass():
    model = pelplug.model("kob-andersen", truncation="smooth")
    start = model.random_configuration(120, 3)
    potential = model.potential(start)
    return pelplug.quench(start, potential).require_converged().configuration, potential


def by_eigenvalues(hessian, masses, d):
    """Sum of ln omega of the dynamical matrix, its d lowest eigenvalues left out."""
    root = np.repeat(np.sqrt(masses), d)
    squares = np.linalg.eigvalsh(hessian / root / root[:, None])
    assert abs(squares[:d]).max() < 1e-9 * squares[d]
    return 0.5 * np.log(squares[d:]).sum()


@pytest.mark.parametrize("solver", ["dense", "sparse"])
def test_a_glass_of_unlike_masses_agrees_with_its_eigenvalues(glass, solver):
    state, potential = glass
    masses = np.where(state.species == "A", 1.0, 3.5)
    response = LinearResponse(state, potential, solver=solver, pairs=1)
    expected = by_eigenvalues(potential.hessian(state).toarray(), masses, 3)
    assert log_frequency_sum(response, masses) == pytest.approx(expected, abs=1e-7)
    assert response.n_modes == 3 * state.n - 3


def test_a_network_of_many_fronts_agrees_with_its_eigenvalues(many_fronts):
    state = crystal("triangular", 13, spacing=1.0)
    far = state.fractional()[:, None] - state.fractional()[None]
    vectors = (far - np.rint(far)) @ state.cell
    i, j = np.nonzero(np.triu(np.linalg.norm(vectors, axis=2) < 1.1, 1))
    dipoles = sp.csr_array(unit_dipoles(i, j, -vectors[i, j], state.n))
    stiffness = np.random.default_rng(2).uniform(0.5, 2.0, i.size)
    hessian = sp.bsr_matrix(((dipoles * (2.0 * stiffness)) @ dipoles.T).tobsr((2, 2)))
    hessian.sort_indices()
    factor = factorise(hessian, state.fractional(), state.heights, solver="sparse", sample=1)
    assert len(factor.tree.fronts) > 4
    assert factor.log_determinant == pytest.approx(
        2 * by_eigenvalues(hessian.toarray(), np.ones(state.n), 2), rel=1e-10
    )


@pytest.mark.parametrize("solver", ["dense", "sparse"])
def test_a_ring_has_its_closed_form(solver):
    """omega = 2 sqrt(k/m) sin(pi q/N), whose product over q = 1 .. N - 1 is N (k/m)^((N - 1)/2)."""
    n, stiffness = 61, 2.7
    i = np.arange(n)
    dipoles = sp.csr_array(unit_dipoles(i, (i + 1) % n, np.ones((n, 1)), n))
    hessian = sp.bsr_matrix((2.0 * stiffness * dipoles @ dipoles.T).tobsr((1, 1)))
    hessian.sort_indices()
    factor = factorise(hessian, i[:, None] / n, np.array([float(n)]), solver=solver, sample=1)
    expected = 2.0 * np.log(n) + (n - 1) * np.log(stiffness)
    assert factor.log_determinant == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("name", "cells", "model"), [("fcc", 6, "kob-andersen"), ("triangular", 9, "kob-andersen-2d")])
def test_a_crystal_agrees_with_its_waves(name, cells, model):
    """All frequencies of a Bravais lattice are those of plane waves: D(k) = sum_r phi(r) (1 - cos k.r)."""
    state = crystal(name, cells, density=1.05, primitive=True)
    potential = pelplug.model(model, truncation="smooth").potential(state)
    pairs, d, mass = potential.pairs(state), state.dimension, 2.5
    mine = (pairs.i == 0) | (pairs.j == 0)
    vectors, radii = pairs.vectors[mine], pairs.distances[mine]
    unit = vectors / radii[:, None]
    outer = unit[:, :, None] * unit[:, None, :]
    tension = (pairs.first[mine] / radii)[:, None, None]
    blocks = pairs.second[mine][:, None, None] * outer + tension * (np.eye(d) - outer)
    partner = np.where(pairs.i[mine] == 0, pairs.j[mine], pairs.i[mine])
    moved = (state.positions - state.positions[0])[partner] @ np.linalg.inv(state.cell) * 2.0 * np.pi
    total = 0.0
    for numbers in itertools.product(range(cells), repeat=d):
        if any(numbers):
            matrix = (blocks * (1.0 - np.cos(moved @ numbers))[:, None, None]).sum(axis=0) / mass
            total += 0.5 * np.linalg.slogdet(matrix)[1]
    found = log_frequency_sum(LinearResponse(state, potential, determinant=True), np.full(state.n, mass))
    assert found == pytest.approx(total, rel=1e-10)


def test_rattlers_are_left_out():
    """A particle that nothing touches changes neither the sum nor the number of modes."""
    model = pelplug.model("harmonic-spheres", dimension=2, volume_fraction=0.86)
    start = model.random_configuration(60, 4)
    state = pelplug.quench(start, model.potential(start)).require_converged().configuration
    response = LinearResponse(state, model.potential(state), determinant=True)
    backbone = response.backbone
    masses = np.random.default_rng(1).uniform(0.5, 2.0, state.n)
    hessian = model.potential(backbone).hessian(backbone).toarray()
    expected = by_eigenvalues(hessian, masses[response.members], 2)
    assert log_frequency_sum(response, masses) == pytest.approx(expected, abs=1e-6)
    assert response.n_rattlers > 0 and response.n_modes == 2 * (state.n - response.n_rattlers - 1)


def test_conjugate_gradients_are_refused_and_not_chosen(glass):
    state, potential = glass
    with pytest.raises(pelplug.InputError, match="gives no determinant of the Hessian; choose auto, dense or sparse"):
        log_frequency_sum(LinearResponse(state, potential, solver="cg", pairs=1), np.ones(state.n))
    assert LinearResponse(state, potential, pairs=1, determinant=True).factor.solver != "cg"
    with pytest.raises(pelplug.InputError, match="120 positive masses"):
        log_frequency_sum(LinearResponse(state, potential), np.ones(3))
