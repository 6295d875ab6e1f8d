"""Dipole stiffness against pseudo-inverses, SciPy's CG, closed forms and sum rules."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import cg

import pelplug
from pelplug.landscape import LinearResponse, dipole_stiffness, pairs_near_cutoff, shear_modulus
from pelplug.landscape.hessian import dissection as hessian_dissection
from pelplug.landscape.hessian.factor import unit_dipoles
from pelplug.landscape.hessian.rattlers import find_rattlers
from pelplug.landscape.hessian.solvers import factorise
from pelplug.potentials.forms import FORMS
from pelplug.testing.crystals import crystal

SOLVERS = ("dense", "sparse", "cg")


def springs(i, j, unit, stiffness, n):
    """The Hessian of unstretched springs, as the sum over springs of 2 k d d^T."""
    dipoles = sp.csr_array(unit_dipoles(i, j, unit, n))
    d = unit.shape[1]
    hessian = (dipoles * (2.0 * stiffness)) @ dipoles.T
    hessian = (hessian + 1e-300 * sp.eye_array(n * d)).tobsr((d, d))
    hessian.sort_indices()
    return sp.bsr_matrix(hessian)


def network(n, d, seed=0, contacts=9.0):
    """Random points in a periodic box joined by springs: (fractional, heights, i, j, unit, stiffness, hessian)."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(n ** (1 / d)))
    grid = np.stack(np.meshgrid(*[np.arange(side)] * d, indexing="ij"), -1).reshape(-1, d)
    x = (grid[rng.permutation(len(grid))[:n]] + 0.5 + 0.2 * rng.standard_normal((n, d))) / side
    i, j = np.triu_indices(n, 1)
    vectors = x[j] - x[i]
    vectors -= np.rint(vectors)
    distances = np.linalg.norm(vectors, axis=1)
    near = np.argsort(distances)[: int(contacts * d * n / 2)]
    i, j, unit = i[near], j[near], vectors[near] / distances[near, None]
    stiffness = rng.uniform(0.5, 2.0, near.size)
    return x, np.full(d, float(side)), i, j, unit, stiffness, springs(i, j, unit, stiffness, n)


def ring(n, stiffness=1.0):
    """A chain of n particles in one dimension, closed by periodicity."""
    i = np.arange(n)
    return i, (i + 1) % n, np.ones((n, 1)), springs(i, (i + 1) % n, np.ones((n, 1)), np.full(n, stiffness), n)


@pytest.fixture
def many_fronts(monkeypatch):
    """Small leaves, so that a small system already has a deep tree."""
    monkeypatch.setattr(hessian_dissection, "LEAF_SIZE", 12)


@pytest.fixture(scope="module")
def glass():
    """An inherent structure of N = 400 with its potential."""
    model = pelplug.model("kob-andersen", truncation="smooth")
    start = model.random_configuration(400, 3)
    potential = model.potential(start)
    return pelplug.quench(start, potential).require_converged().configuration, potential


# --- all pairs against independent inverses --------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("n", "d", "contacts"), [(200, 3, 6.0), (300, 2, 4.0), (256, 4, 3.0), (80, 1, 4.0)])
def test_every_pair_agrees_with_the_pseudo_inverse(solver, n, d, contacts, many_fronts):
    x, heights, i, j, unit, _, hessian = network(n, d, contacts=contacts)
    factor = factorise(hessian, x, heights, solver=solver, sample=i.size if solver == "cg" else None)
    assert factor.solver == solver
    if solver == "sparse":
        assert len(factor.tree.fronts) > 2
    first, second = factor.dipole_products(i, j, unit)
    dipoles = unit_dipoles(i, j, unit, n)
    response = np.linalg.pinv(hessian.toarray(), hermitian=True, rcond=1e-11) @ dipoles
    np.testing.assert_allclose(first, np.sum(dipoles * response, axis=0), rtol=1e-9)
    np.testing.assert_allclose(second, np.sum(response**2, axis=0), rtol=1e-9)


@pytest.mark.parametrize("solver", ["dense", "sparse"])
def test_random_pairs_of_a_glass_agree_with_scipy_conjugate_gradients(glass, solver, many_fronts):
    state, potential = glass
    response = LinearResponse(state, potential, solver=solver)
    stiffness = dipole_stiffness(response)
    pairs = potential.pairs(state)
    hessian = potential.hessian(state)
    for p in np.random.default_rng(1).choice(len(pairs), 8, replace=False):
        dipole = np.zeros((state.n, 3))
        dipole[pairs.j[p]] = pairs.vectors[p] / pairs.distances[p] / np.sqrt(2)
        dipole[pairs.i[p]] = -dipole[pairs.j[p]]
        z, info = cg(hessian, dipole.ravel(), rtol=1e-10, maxiter=20000)
        assert info == 0
        z = (z.reshape(-1, 3) - z.reshape(-1, 3).mean(axis=0)).ravel()
        assert stiffness.kappa_ij[p] == pytest.approx(z @ (hessian @ z) / (z @ z), rel=1e-6)


def test_solvers_agree_and_a_sample_is_part_of_the_whole(glass):
    state, potential = glass
    whole = dipole_stiffness(LinearResponse(state, potential, solver="dense"))
    for solver in SOLVERS:
        part = dipole_stiffness(LinearResponse(state, potential, solver=solver, pairs=50), pairs=50, seed=4)
        place = {(a, b): k for a, b, k in zip(whole.i, whole.j, whole.kappa_ij, strict=True)}
        assert part.kappa_ij.size == 50
        assert part.n_pairs == whole.n_pairs == whole.kappa_ij.size
        expected = [place[pair] for pair in zip(part.i, part.j, strict=True)]
        np.testing.assert_allclose(part.kappa_ij, expected, rtol=1e-8)
    again = dipole_stiffness(LinearResponse(state, potential, pairs=50), pairs=50, seed=4)
    other = dipole_stiffness(LinearResponse(state, potential, pairs=50), pairs=50, seed=5)
    assert np.array_equal(part.i, again.i)
    assert not np.array_equal(part.i, other.i)


def test_mean_over_the_pairs_of_a_particle(glass):
    state, potential = glass
    stiffness = dipole_stiffness(LinearResponse(state, potential))
    for particle in (0, 17, 399):
        mine = (stiffness.i == particle) | (stiffness.j == particle)
        assert stiffness.kappa_i[particle] == pytest.approx(stiffness.kappa_ij[mine].mean(), rel=1e-12)


def test_number_of_threads_changes_nothing_but_rounding(glass, tmp_path):
    state, _ = glass
    np.savez(tmp_path / "state.npz", x=state.positions, cell=state.cell, species=state.species)
    code = (
        "import sys, numpy as np, pelplug\n"
        "from pelplug.landscape import LinearResponse, dipole_stiffness\n"
        "s = np.load(sys.argv[1]); c = pelplug.Configuration(s['x'], s['cell'], s['species'])\n"
        "p = pelplug.model('kob-andersen', truncation='smooth').potential(c)\n"
        "r = [dipole_stiffness(LinearResponse(c, p, solver=n)).kappa_ij for n in ('dense', 'sparse')]\n"
        "np.save(sys.argv[2], r)\n"
    )
    results = []
    for threads in ("1", "2"):
        names = ("PELPLUG_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
        environment = os.environ | dict.fromkeys(names, threads)
        out = tmp_path / f"{threads}.npy"
        subprocess.run([sys.executable, "-c", code, tmp_path / "state.npz", out], check=True, env=environment)
        results.append(np.load(out))
    np.testing.assert_allclose(results[0], results[1], rtol=1e-10)


# --- closed forms and sum rules --------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
def test_ring_of_springs(solver, many_fronts):
    # The dipole's bond stretches by F(N-1)/(Nk), every other shrinks by F/(Nk): kappa = 12 k / (N + 1).
    n, k = 101, 2.5
    i, j, unit, hessian = ring(n, k)
    factor = factorise(hessian, np.arange(n)[:, None] / n, np.array([float(n)]), solver=solver, sample=None)
    first, second = factor.dipole_products(i, j, unit)
    np.testing.assert_allclose(first, (n - 1) / (2 * k * n), rtol=1e-9)
    np.testing.assert_allclose(first / second, 12 * k / (n + 1), rtol=1e-9)


def test_two_particles_and_a_spring():
    hessian = springs(np.array([0]), np.array([1]), np.ones((1, 1)), np.array([3.0]), 2)
    for solver in SOLVERS:
        factor = factorise(hessian, np.array([[0.1], [0.4]]), np.array([5.0]), solver=solver)
        first, second = factor.dipole_products(np.array([0]), np.array([1]), np.ones((1, 1)))
        assert first[0] == pytest.approx(1 / 6, rel=1e-12)
        assert first[0] / second[0] == pytest.approx(6.0, rel=1e-12)


@pytest.mark.parametrize("solver", ["dense", "sparse"])
@pytest.mark.parametrize(("n", "d", "contacts"), [(300, 3, 7.0), (250, 2, 5.0)])
def test_sum_rules_of_a_spring_network(solver, n, d, contacts, many_fronts):
    # M = sum 2 k d d^T, so sum 2 k d.M^-1.d counts the modes that are not translations, and sum 2 k d.M^-2.d = tr M^-1.
    x, heights, i, j, unit, stiffness, hessian = network(n, d, seed=2, contacts=contacts)
    first, second = factorise(hessian, x, heights, solver=solver).dipole_products(i, j, unit)
    assert np.sum(2 * stiffness * first) == pytest.approx(n * d - d, rel=1e-10)
    modes = np.linalg.eigvalsh(hessian.toarray())[d:]
    assert np.sum(2 * stiffness * second) == pytest.approx(np.sum(1 / modes), rel=1e-9)


def fcc(cells, neighbour_distance, cutoff):
    """A face-centred cubic crystal with a cut Lennard-Jones interaction."""
    potential = pelplug.PairPotential(
        FORMS["lennard-jones"], sigma=[[1.0]], cutoff=[[cutoff]], parameters={"epsilon": 1.0}, species=("A",)
    )
    return crystal("fcc", cells, spacing=neighbour_distance), potential


def bloch_kappa(cells, neighbour_distance, cutoff):
    """kappa of a nearest-neighbour dipole in the fcc crystal, by a sum over wave vectors; nothing of pelplug in it."""
    edge = np.sqrt(2) * neighbour_distance
    reach = np.arange(-4, 5)
    sites = np.array([v for v in itertools.product(reach, repeat=3) if sum(v) % 2 == 0 and any(v)]) * edge / 2
    sites = sites[np.linalg.norm(sites, axis=1) < cutoff]
    r = np.linalg.norm(sites, axis=1)
    u1 = -48 * r**-13 + 24 * r**-7
    u2 = 624 * r**-14 - 168 * r**-8
    n = sites / r[:, None]
    along = n[:, :, None] * n[:, None, :]
    blocks = u2[:, None, None] * along + (u1 / r)[:, None, None] * (np.eye(3) - along)
    bond = np.array([0.0, edge / 2, edge / 2])
    unit = bond / np.linalg.norm(bond)
    # Wave vectors of the primitive cell that fit the box: those of the box, modulo the reciprocal lattice (bcc).
    vectors = {}
    for m in itertools.product(range(2 * cells), repeat=3):
        images = [tuple((np.array(m) + cells * np.array(s)) % (2 * cells)) for s in ((0, 0, 0), (1, 1, 1))]
        vectors.setdefault(min(images), m)
    assert len(vectors) == 4 * cells**3
    first = second = 0.0
    for m in vectors.values():
        if not any(m):
            continue
        q = 2 * np.pi * np.array(m) / (cells * edge)
        dynamical = np.einsum("s,sab->ab", 1 - np.cos(sites @ q), blocks)
        force = unit * abs(np.exp(1j * q @ bond) - 1) / np.sqrt(2)
        z = np.linalg.solve(dynamical, force)
        first += force @ z
        second += z @ z
    return first / second


@pytest.mark.parametrize("solver", ["dense", "sparse"])
@pytest.mark.parametrize(("cells", "cutoff"), [(3, 1.3), (4, 1.7), (2, 1.9)])
def test_fcc_crystal_agrees_with_its_lattice_sum(cells, cutoff, solver, many_fronts):
    # Two cells: the box is 3.1 across and the cutoff 1.9, so pairs interact with several images.
    distance = 1.1
    state, potential = fcc(cells, distance, cutoff)
    response = LinearResponse(state, potential, solver=solver)
    stiffness = dipole_stiffness(response)
    nearest = np.abs(response.pairs.distances[response.pairs.i != response.pairs.j] - distance) < 1e-9
    assert np.count_nonzero(nearest) == 6 * state.n
    np.testing.assert_allclose(stiffness.kappa_ij[nearest], bloch_kappa(cells, distance, cutoff), rtol=1e-9)


# --- what is refused, left out or counted ----------------------------------------------------------------------------


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_saddle_is_refused_with_its_eigenvalue(solver):
    # Simple cubic: every force vanishes by symmetry, but the crystal is unstable.
    potential = fcc(1, 1.0, 2.0)[1]
    state = crystal("sc", 6, spacing=1.1)
    lowest = np.linalg.eigvalsh(potential.hessian(state).toarray())[0]
    assert lowest < 0
    with pytest.raises(pelplug.NotAMinimumError, match="negative eigenvalue") as refusal:
        dipole_stiffness(LinearResponse(state, potential, solver=solver, pairs=20), pairs=20)
    assert f"{lowest:.3g}" in str(refusal.value)


@pytest.mark.parametrize("solver", ["dense", "sparse"])
def test_a_floppy_network_is_refused(solver, many_fronts):
    # The square lattice with nearest-neighbour springs shears for free.
    side = 8
    index = np.arange(side * side).reshape(side, side)
    i = np.concatenate([index.ravel(), index.ravel()])
    j = np.concatenate([np.roll(index, -1, 0).ravel(), np.roll(index, -1, 1).ravel()])
    unit = np.repeat(np.eye(2), side * side, axis=0)
    hessian = springs(i, j, unit, np.ones(i.size), side * side)
    x = np.argwhere(index >= 0) / side
    with pytest.raises(pelplug.NotAMinimumError, match=r"zero (mode|eigenvalue)"):
        factorise(hessian, x, np.full(2, float(side)), solver=solver)


def test_separate_clusters_are_refused():
    i, j = np.array([0, 2]), np.array([1, 3])
    hessian = springs(i, j, np.ones((2, 1)), np.ones(2), 4)
    with pytest.raises(pelplug.NotAMinimumError, match="2 clusters"):
        factorise(hessian, np.linspace(0, 1, 4)[:, None], np.ones(1))


def test_a_state_with_forces_left_is_refused(glass):
    state, potential = glass
    rounded = state.replace(positions=state.positions.astype(np.float32))
    with pytest.raises(pelplug.NotAMinimumError, match=r"a force of .* is left"):
        LinearResponse(rounded, potential)


def test_rattlers_are_found_until_none_is_left():
    # 0-1-2-3 all joined; 4 hangs on 0, 1, 2 and 5, so it falls once 5, which hangs on 4 alone, has fallen.
    i, j = np.array([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3], [0, 4], [1, 4], [4, 5]]).T
    assert find_rattlers(i, j, 7, 2).tolist() == [False] * 4 + [True] * 3
    assert find_rattlers(i, j, 7, 3).all()


def test_rattlers_of_a_packing_are_left_out():
    model = pelplug.model("harmonic-spheres", dimension=2, volume_fraction=1.0)
    start = model.random_configuration(150, 5)
    potential = model.potential(start)
    state = pelplug.quench(start, potential, force_tolerance=1e-13).require_converged().configuration
    response = LinearResponse(state, potential)
    stiffness = dipole_stiffness(response)
    assert response.n_rattlers > 0
    assert np.array_equal(np.isnan(stiffness.kappa_i), response.rattlers)
    assert not np.isin(np.flatnonzero(response.rattlers), np.concatenate([stiffness.i, stiffness.j])).any()
    # The state with those particles deleted has the same backbone, and the same modulus.
    keep = ~response.rattlers
    without = state.replace(
        positions=state.positions[keep], species=state.species[keep], diameters=state.diameters[keep]
    )
    alone = LinearResponse(without, potential)
    assert alone.n_rattlers == 0
    np.testing.assert_allclose(dipole_stiffness(alone).kappa_ij, stiffness.kappa_ij, rtol=1e-10)
    np.testing.assert_allclose(shear_modulus(alone).values, shear_modulus(response).values, rtol=1e-8)


def test_nothing_but_rattlers_is_refused():
    state, potential = fcc(2, 1.5, 1.2)
    with pytest.raises(pelplug.NotAMinimumError, match="rattlers"):
        LinearResponse(state, potential)


@pytest.mark.parametrize(("distance", "expected"), [(1.3 * (1 - 1e-8), True), (1.3 * (1 + 1e-8), True), (1.25, False)])
def test_pairs_at_the_cutoff_are_counted_on_both_sides(distance, expected):
    # Twelve neighbours at the cutoff, inside or outside; further ones give the crystal something to hold it.
    edge = np.sqrt(2) * distance
    state, _ = fcc(3, distance, 1.3)
    table = [[1.3, 1.9], [1.9, 1.9]]
    potential = pelplug.PairPotential(
        FORMS["lennard-jones"], sigma=np.ones((2, 2)), cutoff=table, parameters={"epsilon": 1.0}, species=("A", "B")
    )
    corner = np.all(np.isclose(state.positions % edge, 0) | np.isclose(state.positions % edge, edge), axis=1)
    state = state.replace(species=np.where(corner, "B", "A"))
    try:
        response = LinearResponse(state, potential)
    except pelplug.NotAMinimumError:
        # The count does not ask whether the crystal is stable.
        response = object.__new__(LinearResponse)
        response.potential, response.pairs = potential, potential.pairs(state)
        response.backbone = response.evaluated = state
        response.pair_rule = "interacting"
    n_aa = 0
    for a, b in zip(*(index.ravel() for index in np.triu_indices(state.n, 1)), strict=True):
        if not (corner[a] or corner[b]):
            v = state.positions[b] - state.positions[a]
            v -= state.cell[0, 0] * np.rint(v / state.cell[0, 0])
            n_aa += abs(np.linalg.norm(v) - distance) < 1e-6
    assert pairs_near_cutoff(response, 1e-6) == (n_aa if expected else 0)


# --- the choice of solver --------------------------------------------------------------------------------------------


def test_auto_takes_the_sparse_solver_where_fill_is_small():
    n = 3000
    i, j, unit, hessian = ring(n)
    factor = factorise(hessian, np.arange(n)[:, None] / n, np.array([float(n)]))
    assert factor.solver == "sparse"
    first, second = factor.dipole_products(i, j, unit)
    np.testing.assert_allclose(first / second, 12 / (n + 1), rtol=1e-8)


def test_memory_decides_and_refuses_in_one_sentence():
    x, heights, *_, hessian = network(400, 3)
    assert factorise(hessian, x, heights).solver == "dense"
    with pytest.raises(pelplug.InputError, match=r"GiB.*sample instead \(pairs="):
        factorise(hessian, x, heights, memory=1e5)
    with pytest.raises(pelplug.InputError, match="dense solver needs about"):
        factorise(hessian, x, heights, solver="dense", memory=1e5)
    assert factorise(hessian, x, heights, sample=3, memory=4e6).solver == "cg"
    with pytest.raises(pelplug.InputError, match="no solver 'lu'"):
        factorise(hessian, x, heights, solver="lu")


@pytest.mark.parametrize("pairs", [0, -3, "some"])
def test_a_senseless_number_of_pairs_is_refused(glass, pairs):
    state, potential = glass
    response = LinearResponse(state, potential)
    with pytest.raises(
        pelplug.InputError, match=r"pairs of dipole_stiffness must be (at least 1|an integer or all), not"
    ):
        dipole_stiffness(response, pairs)


def test_an_unstressed_crystal_is_a_minimum():
    """Springs at their rest length exert nothing, so no leftover force can be large against what pairs exert."""
    state = crystal("fcc", 3, spacing=1.0 - 1e-12)  # nearest neighbours touch
    potential = pelplug.model("harmonic-spheres", dimension=3).potential(state)
    response = pelplug.LinearResponse(state, potential)
    stiffness = pelplug.dipole_stiffness(response)
    assert len(stiffness.kappa_ij) == 6 * state.n
    np.testing.assert_allclose(stiffness.kappa_ij, stiffness.kappa_ij[0], rtol=1e-6)
