"""Quenching: exact solutions, known minima, bookkeeping, and what must not be reported as a minimum."""

import math
import pickle

import numpy as np
import pytest

import pelplug
from pelplug.errors import InputError, NotConvergedError
from pelplug.landscape import quench, quench_parameters
from pelplug.landscape.descent import trace as descent_module
from pelplug.potentials.base import Evaluator, Potential
from pelplug.potentials.form import Form
from pelplug.potentials.forms.lennard_jones import lennard_jones
from pelplug.potentials.pair import PairPotential

METHODS = ("fire", "cg", "lbfgs", "sd")
LJ = Form("lennard-jones", lennard_jones, ("epsilon",), "4 epsilon (x**-12 - x**-6)")


class Function(Potential):
    """A potential made of a plain function ``positions -> (energy, forces)``."""

    cutoff = 1.0

    def __init__(self, function):
        self.function = function

    def evaluator(self, configuration):
        class Calls(Evaluator):
            def __call__(inner, positions, forces):  # noqa: N805
                energy, forces[:] = self.function(positions)
                return energy

        return Calls()

    def energy_forces(self, configuration):
        return self.function(configuration.positions)

    def record(self):
        return {"function": self.function.__qualname__}


def springs(n, d, seed):
    """Harmonic springs of random stiffness and rest vectors between all pairs: U = (x - x0).K.(x - x0) / 2."""
    rng = np.random.default_rng(seed)
    stiffness = 10.0 ** rng.uniform(-1, 2, size=(n, n)) * (rng.random((n, n)) < 0.3)
    stiffness += np.diag(np.ones(n - 1), 1)  # connected
    stiffness = stiffness + stiffness.T
    laplacian = np.diag(stiffness.sum(axis=1)) - stiffness
    centre = rng.normal(size=(n, d))

    def function(x):
        pull = laplacian @ (x - centre)
        return 0.5 * float(np.sum((x - centre) * pull)) - 3.0, -pull

    return function, centre


def cluster(positions, edge=60.0):
    return pelplug.Configuration(positions + edge / 2, np.full(3, edge), ["A"] * len(positions))


@pytest.fixture(scope="module")
def liquid():
    """A random Kob-Andersen start without the worst overlaps, and the smooth potential."""
    model = pelplug.model("kob-andersen", truncation="smooth")
    start = model.random_configuration(200, np.random.default_rng(3))
    potential = model.potential(start)
    return quench(start, potential, force_tolerance=1.0).configuration, potential


@pytest.fixture(scope="module")
def minimum(liquid):
    start, potential = liquid
    return quench(start, potential, "lbfgs").require_converged().configuration, potential


@pytest.mark.parametrize("method", METHODS)
def test_harmonic_springs_relax_to_their_rest_positions(method):
    function, centre = springs(40, 3, seed=1)
    rng = np.random.default_rng(2)
    start = pelplug.Configuration(centre + rng.normal(scale=0.5, size=centre.shape), np.full(3, 50.0), ["A"] * 40)
    q = quench(start, Function(function), method)
    assert q.converged
    # The centre of mass stays where it was.
    expected = centre + (start.positions - centre).mean(axis=0)
    np.testing.assert_allclose(q.configuration.positions, expected, atol=1e-8)
    assert q.energy == pytest.approx(-3.0, abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("n", "energy"), [(13, -44.326801), (38, -173.928427)])
def test_lennard_jones_clusters(method, n, energy):
    # The global minima of the Cambridge Cluster Database: the centred icosahedron and the fcc truncated octahedron.
    if n == 13:
        golden = (1 + 5**0.5) / 2
        corners = [(0, a, b * golden) for a in (-1, 1) for b in (-1, 1)]
        points = [(0, 0, 0), *corners, *[c[1:] + c[:1] for c in corners], *[c[2:] + c[:2] for c in corners]]
        points = np.array(points) / 2 * 1.1
    else:
        grid = np.stack(np.meshgrid(*[np.arange(-3, 4)] * 3, indexing="ij"), -1).reshape(-1, 3)
        size = np.abs(grid).sum(axis=1)
        points = grid[((size == 1) | (size == 3)) & (np.abs(grid).max(axis=1) < 3)] * 2**-0.5 * 1.1
    assert len(points) == n
    start = cluster(points + np.random.default_rng(n).normal(scale=0.03, size=(n, 3)))
    potential = PairPotential(LJ, sigma=[[1.0]], cutoff=[[20.0]], parameters={"epsilon": 1.0}, species=("A",))
    q = quench(start, potential, method)
    assert q.converged
    assert q.energy == pytest.approx(energy, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_forces_of_an_independent_evaluation_are_below_the_tolerance(method, liquid):
    start, potential = liquid
    q = quench(start, potential, method)
    assert q.converged
    assert q.max_force < 1e-10
    energy, forces = potential.energy_forces(q.configuration)
    assert np.abs(forces).max() < 1.1e-10
    assert energy == pytest.approx(q.energy, rel=1e-13)
    assert q.energy < q.initial_energy == pytest.approx(potential.energy(start), rel=1e-13)


@pytest.mark.parametrize("method", METHODS)
def test_a_perturbed_minimum_is_found_again(method, minimum):
    state, potential = minimum
    kick = np.random.default_rng(5).normal(scale=2e-3, size=state.positions.shape)
    kick -= kick.mean(axis=0)
    q = quench(state.replace(positions=state.positions + kick), potential, method)
    assert q.converged
    assert q.energy == pytest.approx(potential.energy(state), abs=1e-9)
    np.testing.assert_allclose(q.configuration.positions, state.positions, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_minimum_stays_where_it_is(method, minimum):
    state, potential = minimum
    q = quench(state, potential, method)
    assert q.converged
    assert q.evaluations <= 3
    np.testing.assert_allclose(q.configuration.positions, state.positions, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_overlapping_random_start(method):
    model = pelplug.model("kob-andersen", truncation="shifted-force")
    rng = np.random.default_rng(8)
    start = model.random_configuration(200, rng)
    x = rng.random((200, 3)) @ start.cell
    x[1] = x[0] + [0.02, 0.0, 0.0]
    start = start.replace(positions=x)
    potential = model.potential(start)
    assert np.abs(potential.forces(start)).max() > 1e20
    q = quench(start, potential, method)
    assert q.converged
    assert q.energy / 200 < -5.0


@pytest.mark.parametrize("method", ["cg", "lbfgs"])
def test_energy_never_rises(method, liquid, monkeypatch):
    energies = []
    accept = descent_module.Descent.accept

    def record(self, point, max_force):
        energies.append(point.energy)
        return accept(self, point, max_force)

    monkeypatch.setattr(descent_module.Descent, "accept", record)
    start, potential = liquid
    quench(start, potential, method)
    energies = np.array(energies)
    assert len(energies) > 50
    assert np.all(np.diff(energies) <= 1e-12 * np.abs(energies[1:]))


@pytest.mark.parametrize("method", METHODS)
def test_drift_free_and_continuous_with_the_start(method, liquid):
    state, potential = liquid
    rng = np.random.default_rng(4)
    images = rng.integers(-3, 4, size=state.positions.shape)
    start = state.wrapped().replace(
        images=images, velocities=rng.normal(size=images.shape), masses=np.full(200, 2.0), frame=7, step=70, time=0.35
    )
    q = quench(start, potential, method, force_tolerance=1e-6)
    moved = q.configuration.positions - start.positions
    np.testing.assert_allclose(moved.sum(axis=0), 0.0, atol=1e-11)
    assert np.abs(moved).max() < 1.5
    assert q.displacement == pytest.approx(np.sqrt((moved**2).sum(axis=1).mean()))
    end = q.configuration
    np.testing.assert_array_equal(end.images, images)
    np.testing.assert_allclose(end.unwrapped_positions() - start.unwrapped_positions(), moved, atol=1e-12)
    assert end.velocities is None
    assert (end.frame, end.step, end.time) == (7, 70, 0.35)
    np.testing.assert_array_equal(end.masses, start.masses)


@pytest.mark.parametrize("method", METHODS)
def test_two_dimensions_in_a_sheared_cell(method):
    model = pelplug.model("inverse-power-law-2d")
    start = model.random_configuration(120, np.random.default_rng(1))
    cell = start.cell @ np.array([[1.0, 0.0], [0.3, 1.0]])
    start = start.replace(positions=start.fractional() @ cell, cell=cell)
    q = quench(start, model.potential(start), method)
    assert q.converged
    assert np.abs(model.potential(start).forces(q.configuration)).max() < 1.1e-10


@pytest.mark.parametrize("method", METHODS)
def test_the_same_start_gives_the_same_result(method, liquid):
    start, potential = liquid
    first, second = quench(start, potential, method), quench(start, potential, method)
    assert first.evaluations == second.evaluations
    np.testing.assert_array_equal(first.configuration.positions, second.configuration.positions)


def test_every_parameter_is_recorded(liquid):
    start, potential = liquid
    q = quench(start, potential, "fire", force_tolerance=1e-3, max_evaluations=5000, dt_max=0.02)
    assert q.parameters == quench_parameters("fire") | {
        "dt_max": 0.02,
        "force_tolerance": 1e-3,
        "max_evaluations": 5000,
    }
    assert {"dt_start", "n_min", "f_inc", "f_dec", "alpha_start", "f_alpha", "max_step", "half_step_back"} <= set(
        q.parameters
    )
    assert pickle.loads(pickle.dumps(q)).parameters == q.parameters


@pytest.mark.parametrize("options", [{"stability": 0.0, "dt_max": 0.03}, {"half_step_back": False}])
def test_variants_of_fire_converge(options, liquid):
    start, potential = liquid
    assert quench(start, potential, "fire", **options).converged


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_one_time_step_limit_serves_stiff_and_soft_potentials(scale, liquid):
    # Without the learnt limit the original algorithm keeps losing its velocity to the fastest mode.
    start, potential = liquid
    evaluate, forces = potential.evaluator(start), np.empty_like(start.positions)
    scaled = Function(lambda x: (scale * evaluate(x, forces), scale * forces))
    options = {"dt_start": 1e-2 / scale**0.5, "dt_max": 1e3, "force_tolerance": 1e-9 * scale}
    learnt = quench(start, scaled, "fire", **options)
    original = quench(start, scaled, "fire", stability=0.0, **options)
    assert learnt.converged
    assert learnt.evaluations < 0.7 * original.evaluations


# --- ends that are not minima -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_too_few_evaluations(method, liquid):
    start, potential = liquid
    q = quench(start, potential, method, max_evaluations=25)
    assert not q.converged
    assert q.evaluations == 25
    assert "25 force evaluations" in q.reason
    assert q.max_force == pytest.approx(np.abs(potential.forces(q.configuration)).max(), rel=1e-6)
    with pytest.raises(NotConvergedError, match=r"25 force evaluations.*raise max_evaluations"):
        q.require_converged()


@pytest.mark.parametrize("method", METHODS)
def test_an_energy_that_becomes_nan_is_not_followed(method):
    function, centre = springs(20, 3, seed=3)

    def broken(x):
        energy, forces = function(x)
        inside = np.abs(x - centre).max() < 1.0
        return (math.nan, np.full_like(forces, np.nan)) if inside else (energy, forces)

    start = pelplug.Configuration(
        centre + np.random.default_rng(1).normal(size=centre.shape) * 3, [50.0] * 3, ["A"] * 20
    )
    q = quench(start, Function(broken), method, max_evaluations=3000)
    assert not q.converged
    assert np.all(np.isfinite(q.configuration.positions))
    assert q.evaluations < 3000


@pytest.mark.parametrize("method", METHODS)
def test_forces_that_point_uphill_are_not_followed(method):
    function, centre = springs(20, 3, seed=3)

    def wrong(x):
        energy, forces = function(x)
        return energy, -forces

    start = pelplug.Configuration(centre + np.random.default_rng(1).normal(size=centre.shape), [50.0] * 3, ["A"] * 20)
    q = quench(start, Function(wrong), method)
    assert not q.converged
    assert q.evaluations < (20_000 if method == "sd" else 1000)
    reasons = {"fire": "diverged", "sd": "neither energy nor maximum force went down"}
    assert reasons.get(method, "no step along the forces lowers the energy") in q.reason


@pytest.mark.parametrize("method", METHODS)
def test_a_tolerance_below_rounding_ends_with_a_reason(method, liquid):
    start, potential = liquid
    q = quench(start, potential, method, force_tolerance=1e-20)
    assert not q.converged
    assert "rounding" in q.reason
    assert q.max_force < 1e-10
    assert q.evaluations < 50_000  # of 100,000; how many it takes to see that nothing goes down is chance in rounding


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(3))
def test_forces_that_jump_at_the_cutoff(method, seed):
    # Cutting at the potential minimum's far slope makes large jumps: a converged state must be one, and nothing hangs.
    potential = PairPotential(
        LJ, sigma=[[1.0]], cutoff=[[1.4]], parameters={"epsilon": 1.0}, species=("A",), truncation="shift"
    )
    rng = np.random.default_rng(seed)
    start = pelplug.Configuration(rng.random((120, 3)) * 5.0, np.full(3, 5.0), ["A"] * 120)
    q = quench(start, potential, method, max_evaluations=30_000)
    forces = np.abs(potential.forces(q.configuration)).max()
    assert q.max_force == pytest.approx(forces, rel=1e-3, abs=1e-12)
    assert q.converged == (q.max_force < 1e-10)
    assert q.energy < q.initial_energy


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "newton"}, "fire, cg, lbfgs"),
        ({"dt": 0.1}, "The minimiser fire has no parameter 'dt'; its parameters are .*dt_start"),
        ({"method": "cg", "dt_max": 0.1}, "The minimiser cg has no parameter 'dt_max'"),
        ({"dt_start": 2.0, "dt_max": 1.0}, "lower it"),
        ({"dt_max": "fast"}, "dt_max of the minimiser fire must be a number"),
        ({"max_step": -0.1}, "max_step .*must be above 0"),
        ({"max_step": math.nan}, "max_step .*is not a number"),
        ({"f_inc": 0.9}, "f_inc"),
        ({"stability": 3.0}, "stability"),
        ({"method": "lbfgs", "memory": 0}, "memory"),
        ({"force_tolerance": 0.0}, "force_tolerance of the quench must be above 0"),
        ({"force_tolerance": math.nan}, "force_tolerance .*is not a number"),
        ({"max_evaluations": 1}, "at least 2"),
        ({"max_evaluations": 10.5}, "max_evaluations .*must be an integer"),
    ],
)
def test_wrong_parameters_are_refused(options, words, liquid):
    start, potential = liquid
    with pytest.raises(InputError, match=words):
        quench(start, potential, **options)


@pytest.mark.parametrize("method", METHODS)
def test_two_particles_at_one_point(method, liquid):
    start, potential = liquid
    x = np.array(start.positions)
    x[17] = x[3]
    with pytest.raises(InputError, match="3 and 17"):
        quench(start.replace(positions=x), potential, method)
