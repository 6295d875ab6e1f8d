"""Rattlers by contacts and by soft blocks of the Hessian: the same in packings, right where contacts say nothing."""

import numpy as np
import pytest
import scipy.sparse as sp

import pelplug
from pelplug.landscape import LinearResponse, dipole_stiffness, elastic_constants, log_frequency_sum, shear_modulus
from pelplug.landscape.hessian.factor import unit_dipoles
from pelplug.landscape.hessian.rattlers import find_rattlers, soft_particles, without_soft
from pelplug.testing.crystals import crystal


class Unlisted(pelplug.Potential):
    """What another potential computes, without saying that all its forces are sums over the pairs that it lists."""

    capabilities = pelplug.Capability.HESSIAN | pelplug.Capability.PAIRS | pelplug.Capability.STRAIN

    def __init__(self, potential):
        self.of = potential

    def record(self):
        return {"potential": "unlisted", "of": self.of.record()}

    def energy_forces(self, configuration):
        return self.of.energy_forces(configuration)

    def hessian(self, configuration):
        return self.of.hessian(configuration)

    def strain_derivatives(self, configuration):
        return self.of.strain_derivatives(configuration)

    def pairs(self, configuration):
        found = self.of.pairs(configuration)
        return pelplug.Pairs(**{**vars(found), "central": False})


def packing(dimension, fraction, n, seed):
    model = pelplug.model("harmonic-spheres", dimension=dimension, volume_fraction=fraction)
    start = model.random_configuration(n, seed)
    potential = model.potential(start)
    state = pelplug.quench(start, potential, force_tolerance=1e-13).require_converged().configuration
    return state, potential


@pytest.mark.parametrize(
    ("dimension", "fraction", "n", "seed"), [(2, 1.0, 150, 5), (2, 0.98, 150, 3), (3, 0.645, 120, 0)]
)
def test_both_rules_find_the_same_in_a_jammed_packing(dimension, fraction, n, seed):
    state, potential = packing(dimension, fraction, n, seed)
    pairs = potential.pairs(state)
    by_contacts = find_rattlers(pairs.i, pairs.j, state.n, dimension)
    by_blocks, _ = without_soft(potential.hessian(state))
    assert 0 < np.count_nonzero(by_contacts) < n / 2
    np.testing.assert_array_equal(by_blocks, by_contacts)


def test_what_a_packing_without_rattlers_answers_does_not_depend_on_the_rule():
    state, potential = packing(2, 1.0, 150, 5)
    deleted, followed = LinearResponse(state, potential), LinearResponse(state, Unlisted(potential))
    assert (deleted.rattlers_by, followed.rattlers_by) == ("contacts", "blocks")
    np.testing.assert_array_equal(deleted.rattlers, followed.rattlers)
    kappa, other = dipole_stiffness(deleted), dipole_stiffness(followed)
    np.testing.assert_array_equal((kappa.i, kappa.j), (other.i, other.j))
    np.testing.assert_allclose(other.kappa_ij, kappa.kappa_ij, rtol=1e-8)
    np.testing.assert_array_equal(np.isnan(other.kappa_i), deleted.rattlers)
    np.testing.assert_allclose(shear_modulus(followed).values, shear_modulus(deleted).values, rtol=1e-7)
    constants, others = elastic_constants(deleted), elastic_constants(followed)
    np.testing.assert_allclose(others.stress_strain, constants.stress_strain, rtol=0, atol=1e-7 * constants.c11)
    masses = np.linspace(1.0, 2.0, state.n)
    assert log_frequency_sum(followed, masses) == pytest.approx(log_frequency_sum(deleted, masses), rel=1e-8)


def test_a_chain_that_hangs_on_a_network_falls_link_by_link():
    rng = np.random.default_rng(3)
    n, d = 30, 3
    x = rng.uniform(size=(n, d))
    i, j = np.triu_indices(n, 1)
    near = np.linalg.norm(x[j] - x[i], axis=1) < 0.6
    i, j = i[near], j[near]
    unit = (x[j] - x[i]) / np.linalg.norm(x[j] - x[i], axis=1)[:, None]

    def hessian(i, j, unit, n):
        dipoles = sp.csr_array(unit_dipoles(i, j, unit, n))
        return sp.bsr_matrix((2.0 * dipoles @ dipoles.T + 1e-300 * sp.eye_array(n * d)).tobsr((d, d)))

    alone = hessian(i, j, unit, n)
    links = rng.normal(size=(3, d))
    links /= np.linalg.norm(links, axis=1)[:, None]
    # 30 hangs on 4, 31 on 30, 32 on 31: only the last has a free direction before others have fallen.
    with_chain = hessian(np.append(i, [4, 30, 31]), np.append(j, [30, 31, 32]), np.concatenate([unit, links]), n + 3)
    limit = 1e-5 * float(np.mean(with_chain.diagonal()))
    assert np.flatnonzero(soft_particles(with_chain, limit)).tolist() == [30, 31, 32]
    rattlers, condensed = without_soft(with_chain)
    assert np.flatnonzero(rattlers).tolist() == [30, 31, 32]
    np.testing.assert_allclose(condensed.hessian.toarray(), alone.toarray(), atol=1e-12)


def test_an_unstable_particle_is_no_rattler():
    matrix = sp.bsr_matrix(np.diag([1.0, 1.0, 1.0, 1.0, -0.5, 1.0]), blocksize=(3, 3))
    assert not without_soft(matrix)[0].any()


@pytest.fixture(scope="module")
def network():
    """Stillinger-Weber silicon with a void, at a minimum; and the same with an atom alone in the void."""
    model = pelplug.model("stillinger-weber", three_body=21.0)
    state = crystal("diamond", 3, spacing=1.1224, species="A")
    middle = np.full(3, 0.5) @ state.cell
    state = state.replace(positions=state.positions + np.random.default_rng(0).normal(scale=0.03, size=(state.n, 3)))
    away = state.positions - middle
    away -= np.rint(away @ np.linalg.inv(state.cell)) @ state.cell
    kept = np.linalg.norm(away, axis=1) > 2.2
    state = state.replace(positions=state.positions[kept], species=state.species[kept])
    potential = model.potential(state)
    state = pelplug.quench(state, potential).require_converged().configuration.wrapped().replace(images=None)
    with_one = state.replace(positions=np.vstack([state.positions, middle]), species=np.append(state.species, "A"))
    return state, with_one, potential


def test_atoms_with_few_neighbours_are_held_by_angles_and_one_in_a_void_is_not(network):
    state, with_one, potential = network
    pairs = potential.pairs(state)
    neighbours = np.bincount(np.concatenate([pairs.i, pairs.j])[np.tile(pairs.distances < 1.4, 2)], minlength=state.n)
    assert (neighbours < 4).sum() > 5  # around the void
    alone, response = LinearResponse(state, potential), LinearResponse(with_one, potential)
    assert alone.rattlers_by == "blocks" and alone.n_rattlers == 0
    assert np.flatnonzero(response.rattlers).tolist() == [state.n]
    kappa, other = dipole_stiffness(alone), dipole_stiffness(response)
    np.testing.assert_allclose(other.kappa_i[:-1], kappa.kappa_i, rtol=1e-8)
    assert np.isnan(other.kappa_i[-1])
    np.testing.assert_allclose(
        elastic_constants(response).stress_strain, elastic_constants(alone).stress_strain, rtol=0, atol=1e-8
    )


def test_the_same_by_forces_alone(network):
    """The block of the free atom is nothing but noise."""
    _, with_one, potential = network

    class Forces(Unlisted):
        capabilities = pelplug.Capability(0)

    response = LinearResponse(with_one, Forces(potential))
    assert response.rattlers_by == "blocks"
    assert np.flatnonzero(response.rattlers).tolist() == [with_one.n - 1]
    exact = LinearResponse(with_one, potential)
    np.testing.assert_allclose(shear_modulus(response).values, shear_modulus(exact).values, rtol=1e-6)


def test_nothing_but_free_atoms_is_refused(network):
    _, _, potential = network
    far = crystal("sc", 2, spacing=3.0, species="A")
    with pytest.raises(pelplug.NotAMinimumError, match=r"All 8 particles are rattlers \(in some direction"):
        LinearResponse(far, potential)
