"""Soft modes against finite differences, SciPy's minimiser, perturbation theory, and symmetry."""

import sys

import numpy as np
import pytest
import scipy.optimize
from oracles.states import numerical_gradient

import pelplug
from pelplug.landscape.soft_modes import MAX_ITERATIONS, TOLERANCE, cubic, minimise_cost
from pelplug.testing.crystals import crystal


def spring(x, p):
    """Half k (x - 1)**2, without stress at x = 1."""
    return 0.5 * p[0] * (x - 1.0) ** 2, p[0] * (x - 1.0), p[0]


SPRING = pelplug.Form(name="spring", function=spring, parameters=("k",), formula="k/2 (x - 1)^2")


def fcc(cells):
    """Nearest neighbours at distance one."""
    return crystal("fcc", cells, spacing=1.0)


def springs(soft):
    """Springs of stiffness one between A and A, ``soft`` between A and B."""
    k = [[1.0, soft], [soft, 1.0]]
    return pelplug.PairPotential(
        SPRING, sigma=np.ones((2, 2)), cutoff=np.full((2, 2), 1.2), parameters={"k": k}, species=("A", "B"),
        truncation="cut",
    )  # fmt: skip


def with_soft_spot(soft, cells=3):
    state = fcc(cells)
    species = state.species.copy()
    species[17] = "B"
    state = state.replace(species=species)
    return pelplug.LinearResponse(state, springs(soft))


def cost_and_gradient(hessian, i, j, z, d):
    """C and its gradient, written out with sparse products and np.add.at."""
    z = z.reshape(-1, d)
    force = (hessian @ z.ravel()).reshape(-1, d)
    s = np.sum(z * force)
    difference = z[j] - z[i]
    square = np.sum(difference**2, axis=1)
    q = np.sum(square**2)
    zeta = np.zeros_like(z)
    np.add.at(zeta, j, square[:, None] * difference)
    np.add.at(zeta, i, -square[:, None] * difference)
    return s**2 / q, (s**2 / q) * (4 * force / s - 4 * zeta / q).ravel()


@pytest.fixture(scope="module", params=["kob-andersen", "inverse-power-law-2d"])
def glass(request):
    """A small inherent structure: response and dipole stiffnesses."""
    options = {"truncation": "smooth"} if request.param == "kob-andersen" else {}
    model = pelplug.model(request.param, **options)
    start = model.random_configuration(200, 3)
    potential = model.potential(start)
    state = pelplug.quench(start, potential, "lbfgs").require_converged().configuration
    response = pelplug.LinearResponse(state, potential)
    return response, pelplug.dipole_stiffness(response)


@pytest.fixture(scope="module")
def found(glass):
    return pelplug.soft_modes(*glass, 60)


def test_the_cubic_field_is_the_gradient_of_the_quartic_sum(glass):
    response, _ = glass
    i, j = response.pairs.i.astype(np.int64), response.pairs.j.astype(np.int64)
    z = np.random.default_rng(0).standard_normal(response.backbone.positions.shape)

    def quartic(field):
        difference = field[j] - field[i]
        return np.sum(np.sum(difference**2, axis=1) ** 2)

    zeta, q = cubic(z[None], i, j)
    assert q[0] == pytest.approx(quartic(z), rel=1e-12)
    reference = numerical_gradient(quartic, z, h=1e-3)
    np.testing.assert_allclose(4 * zeta[0], reference, rtol=0, atol=1e-8 * np.abs(reference).max())


def test_modes_are_what_they_are_said_to_be(glass, found):
    response, _ = glass
    hessian, d = response.hessian, response.backbone.dimension
    lowest = np.linalg.eigvalsh(hessian.toarray())[d]
    i, j = response.pairs.i, response.pairs.j
    assert len(found) > 1
    assert found.n_unconverged == 0
    assert found.starts.sum() == found.n_starts == 60
    assert (np.diff(found.stiffness) >= 0).all()
    for k, z in enumerate(found.vectors):
        assert np.sum(z**2) == pytest.approx(1.0, abs=1e-12)
        np.testing.assert_allclose(z.sum(axis=0), 0.0, atol=1e-10)
        assert found.stiffness[k] == pytest.approx(z.ravel() @ (hessian @ z.ravel()), rel=1e-10)
        # The variational principle.
        assert found.stiffness[k] >= lowest * (1 - 1e-10)
        assert found.frequency[k] == pytest.approx(np.sqrt(found.stiffness[k]), rel=1e-12)
        squared = np.sum(z**2, axis=1)
        assert found.core[k] == np.argmax(squared)
        assert found.participation_ratio[k] == pytest.approx(1 / (len(z) * np.sum(squared**2)), rel=1e-10)
        cost, gradient = cost_and_gradient(hessian, i, j, z, d)
        assert found.cost[k] == pytest.approx(cost, rel=1e-10)
        # A quarter of the gradient of log C, against M z / (z.M.z), the term that it would be without the other.
        force = hessian @ z.ravel()
        rest = np.linalg.norm(gradient / cost) / 4 / np.linalg.norm(force / (z.ravel() @ force))
        assert rest < 1.01 * TOLERANCE
        assert rest == pytest.approx(found.residual[k], rel=0.05)


def test_scipy_reaches_the_same_minima_from_the_same_starts(glass, found):
    response, stiffness = glass
    hessian, d = response.hessian, response.backbone.dimension
    pairs = response.pairs
    for p in np.argsort(stiffness.kappa_ij)[:60:20]:
        dipole = np.zeros((response.backbone.n, d))
        dipole[stiffness.j[p]] = stiffness.unit[p] / np.sqrt(2)
        dipole[stiffness.i[p]] -= stiffness.unit[p] / np.sqrt(2)
        start = response.factor.solve(dipole.ravel())
        start /= np.linalg.norm(start)
        best = scipy.optimize.minimize(
            lambda z: cost_and_gradient(hessian, pairs.i, pairs.j, z, d), start, jac=True, method="L-BFGS-B",
            options={"maxiter": 20000, "maxfun": 40000, "ftol": 1e-15, "gtol": 1e-9, "maxcor": 30},
        )  # fmt: skip
        mode = best.x / np.linalg.norm(best.x)
        overlaps = np.abs(found.vectors.reshape(len(found), -1) @ mode)
        k = int(np.argmax(overlaps))
        # The two descend by other paths, but from the softest responses into the same minima.
        assert overlaps[k] > 1 - 1e-6
        assert best.fun == pytest.approx(found.cost[k], rel=1e-8)


def test_the_cost_only_falls(glass):
    response, _ = glass
    forces = np.random.default_rng(1).standard_normal((5, *response.backbone.positions.shape))
    forces -= forces.mean(axis=1, keepdims=True)
    run = minimise_cost(response, forces, tolerance=0.0, max_iterations=60)
    costs = np.array(run.costs)
    assert costs.shape == (61, 5)
    assert (np.diff(costs, axis=0) <= 1e-12 * costs[:-1]).all()
    assert (costs[-1] < 0.5 * costs[0]).all()


def test_modes_are_minima_in_random_directions(glass, found):
    response, _ = glass
    hessian, d = response.hessian, response.backbone.dimension
    rng = np.random.default_rng(2)
    for z, cost in zip(found.vectors, found.cost, strict=True):
        for _ in range(20):
            step = response.factor.solve(rng.standard_normal(z.size))
            moved = z.ravel() + 1e-2 * step / np.linalg.norm(step)
            assert cost_and_gradient(hessian, response.pairs.i, response.pairs.j, moved, d)[0] > cost


def test_iterations_that_run_out_are_left_out(glass):
    few = pelplug.soft_modes(*glass, 60, max_iterations=3)
    assert few.n_unconverged > 0
    assert few.starts.sum() + few.n_unconverged == few.n_starts == 60
    assert (few.residual <= TOLERANCE).all()
    assert len(pelplug.soft_modes(*glass, 5, max_iterations=0)) == 0
    assert MAX_ITERATIONS >= 100


def test_every_start_counts_once_whatever_the_blocks(glass, found, monkeypatch):
    # The function has its module's name.
    module = sys.modules["pelplug.landscape.soft_modes"]
    monkeypatch.setattr(module, "FIRST", 7)
    monkeypatch.setattr(module, "BLOCK", 11)
    again = pelplug.soft_modes(*glass, 60)
    np.testing.assert_allclose(again.stiffness, found.stiffness, rtol=1e-8)
    np.testing.assert_array_equal(again.starts, found.starts)


@pytest.mark.parametrize(("solver", "starts"), [("sparse", 60), ("cg", 1)])
def test_solvers_agree(glass, solver, starts):
    response, stiffness = glass
    first = pelplug.soft_modes(response, stiffness, starts)
    other = pelplug.LinearResponse(response.configuration, response.potential, solver=solver, pairs=60)
    again = pelplug.soft_modes(other, stiffness, starts)
    np.testing.assert_allclose(again.stiffness, first.stiffness, rtol=1e-8)
    np.testing.assert_array_equal(again.core, first.core)


def test_particles_may_be_renumbered(glass, found):
    response, _ = glass
    state = response.configuration
    order = np.random.default_rng(5).permutation(state.n)
    other = state.replace(positions=state.positions[order], species=state.species[order])
    again = pelplug.LinearResponse(other, response.potential)
    modes = pelplug.soft_modes(again, pelplug.dipole_stiffness(again), 60)
    np.testing.assert_allclose(modes.stiffness, found.stiffness, rtol=1e-7)
    np.testing.assert_array_equal(order[modes.core], found.core)
    np.testing.assert_array_equal(modes.starts, found.starts)
    np.testing.assert_allclose(modes.vectors, found.vectors[:, order], atol=1e-5)


# --- a soft spot made by hand ----------------------------------------------------------------------------------------


def test_an_isolated_soft_spot_is_the_softest_mode():
    """One particle on weak springs: its three rattling modes leave the band, and the soft modes become them."""
    stiffnesses, excess, mixing = (1e-2, 1e-3, 1e-4), [], []
    for soft in stiffnesses:
        response = with_soft_spot(soft)
        modes = pelplug.soft_modes(response, pelplug.dipole_stiffness(response), 12)
        values, vectors = np.linalg.eigh(response.hessian.toarray())
        local, local_values = vectors[:, 3:6], values[3:6]
        # Cubic symmetry: three degenerate modes, well below the sound waves.
        np.testing.assert_allclose(local_values, local_values[0], rtol=1e-7)
        assert local_values[0] < 0.1 * values[6]
        assert modes.core[0] == 17
        # A free particle of mass one against 107: (1 - 1/N)^2 + ... ~ 1 - 1/N, shared by the translation taken off.
        assert modes.participation_ratio[0] * 108 == pytest.approx(1.0, abs=0.1)
        excess.append(modes.stiffness[0] / local_values[0] - 1)
        mixing.append(1 - np.sum((local.T @ modes.vectors[0].ravel()) ** 2))
    assert min(excess) > 0
    # What mixes in of other modes, an amplitude of the order of soft, counts with its square: the deviation of the
    # stiffness falls as soft**2 / soft (their stiffness over the mode's), and the mixing as soft**2.
    rates = np.diff(np.log(excess)) / np.diff(np.log(stiffnesses))
    np.testing.assert_allclose(rates, 1.0, atol=0.15)
    rates = np.diff(np.log(mixing)) / np.diff(np.log(stiffnesses))
    np.testing.assert_allclose(rates, 2.0, atol=0.15)
    assert excess[-1] < 1e-3


def test_a_crystal_has_equal_modes_and_none_is_a_saddle():
    """A bond's response has the bond's symmetry, and so has the stationary point it leads to: a saddle."""
    state = fcc(2)
    response = pelplug.LinearResponse(state, springs(1.0))
    stiffness = pelplug.dipole_stiffness(response)
    dipole = np.zeros((state.n, 3))
    dipole[stiffness.j[0]] = stiffness.unit[0]
    dipole[stiffness.i[0]] = -stiffness.unit[0]
    saddle = minimise_cost(response, dipole[None])
    assert saddle.residual[0] <= TOLERANCE
    modes = pelplug.soft_modes(response, stiffness, 40)
    assert modes.starts.sum() == modes.n_starts == 40
    assert modes.n_unconverged == 0
    assert len(modes) > 1
    assert modes.cost.max() < 0.9 * saddle.costs[-1][0]
    # Every site is like every other: the same mode, moved and turned.
    np.testing.assert_allclose(modes.cost, modes.cost[0], rtol=1e-8)
    np.testing.assert_allclose(modes.stiffness, modes.stiffness[0], rtol=1e-5)
    squared = np.sort(np.sum(modes.vectors**2, axis=2), axis=1)
    np.testing.assert_allclose(squared, np.broadcast_to(squared[0], squared.shape), atol=1e-5)
    flat = modes.vectors.reshape(len(modes), -1)
    assert np.triu(np.abs(flat @ flat.T), 1).max() <= 0.99


def test_rattlers_do_not_move():
    model = pelplug.model("harmonic-spheres", dimension=2, volume_fraction=1.0)
    start = model.random_configuration(150, 5)
    potential = model.potential(start)
    state = pelplug.quench(start, potential, force_tolerance=1e-13).require_converged().configuration
    response = pelplug.LinearResponse(state, potential)
    assert response.n_rattlers > 0
    modes = pelplug.soft_modes(response, pelplug.dipole_stiffness(response), 30)
    assert (modes.vectors[:, response.rattlers] == 0).all()
    assert not response.rattlers[modes.core].any()
    keep = ~response.rattlers
    alone = pelplug.LinearResponse(
        state.replace(positions=state.positions[keep], species=state.species[keep], diameters=state.diameters[keep]),
        potential,
    )
    without = pelplug.soft_modes(alone, pelplug.dipole_stiffness(alone), 30)
    np.testing.assert_allclose(without.stiffness, modes.stiffness, rtol=1e-7)
    np.testing.assert_allclose(without.participation_ratio, modes.participation_ratio, rtol=1e-6)
    np.testing.assert_array_equal(np.flatnonzero(keep)[without.core], modes.core)


def test_masses_enter_the_frequency_only(glass, found):
    response, stiffness = glass
    heavy = pelplug.LinearResponse(
        response.configuration.replace(masses=np.full(response.configuration.n, 4.0)), response.potential
    )
    modes = pelplug.soft_modes(heavy, stiffness, 60)
    np.testing.assert_allclose(modes.stiffness, found.stiffness, rtol=1e-8)
    np.testing.assert_allclose(modes.frequency, 0.5 * found.frequency, rtol=1e-8)


@pytest.mark.parametrize(("keywords", "words"), [
    ({"starts": 0}, "starts of soft_modes must be at least 1"),
    ({"starts": "some"}, "starts of soft_modes must be an integer or all"), ({"overlap": 1.0}, "overlap"),
])  # fmt: skip
def test_senseless_parameters_are_refused(glass, keywords, words):
    with pytest.raises(pelplug.InputError, match=words):
        pelplug.soft_modes(*glass, **keywords)
