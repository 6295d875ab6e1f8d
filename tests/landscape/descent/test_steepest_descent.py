"""Steepest descent as an ODE: analytic solutions, SciPy's stiff solvers, energy balance, order, hard starts."""

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import pelplug
from pelplug.errors import InputError, NotConvergedError
from pelplug.landscape.descent.chebyshev import coefficients
from pelplug.potentials.base import Evaluator, Potential
from pelplug.testing import states


class Springs(Potential):
    """U = (x - x0).K.(x - x0) / 2 - 3 for each axis, K a weighted graph Laplacian of stiffnesses from 1e-2 to 1e3."""

    cutoff = 1.0

    def __init__(self, n, d, seed):
        rng = np.random.default_rng(seed)
        stiffness = 10.0 ** rng.uniform(-2, 3, size=(n, n)) * (rng.random((n, n)) < 0.04)
        stiffness += np.diag(np.ones(n - 1), 1)
        stiffness = stiffness + stiffness.T
        self.k = np.diag(stiffness.sum(axis=1)) - stiffness
        self.centre = rng.normal(size=(n, d))
        self.start = pelplug.Configuration(
            self.centre + rng.normal(scale=0.5, size=(n, d)), np.full(d, 50.0), ["A"] * n
        )

    def at(self, time):
        """Positions at a time: exp(-K t) of the displacement."""
        values, vectors = np.linalg.eigh(self.k)
        decay = np.exp(-np.clip(values, 0, None) * time)
        return self.centre + vectors @ (decay[:, None] * (vectors.T @ (self.start.positions - self.centre)))

    def record(self):
        return {"k": self.k.tolist()}

    def energy_forces(self, configuration):
        pull = self.k @ (configuration.positions - self.centre)
        return 0.5 * float(np.sum((configuration.positions - self.centre) * pull)) - 3.0, -pull

    def evaluator(self, configuration):
        class Calls(Evaluator):
            def __call__(inner, positions, forces):  # noqa: N805
                pull = self.k @ (positions - self.centre)
                forces[:] = -pull
                return 0.5 * float(np.sum((positions - self.centre) * pull)) - 3.0

        return Calls()


@pytest.fixture(scope="module")
def springs():
    return Springs(40, 3, seed=1)


class Ledges(Potential):
    """Each coordinate y by itself: U = y**2 / 2 + jump min(y - ledge, 0); the force jumps where y passes its ledge.

    As for Lennard-Jones particles cut at 2.5, the force is stronger inside: with ``jump < 0`` it is weaker there, as
    for a repulsion that is cut, and for ``ledge < -jump`` coordinates stay on their ledges.
    """

    cutoff = 1.0

    def __init__(self, n, jump, ledges, seed):
        rng = np.random.default_rng(seed)
        self.jump = jump
        self.ledges = rng.uniform(*ledges, size=(n, 3))
        self.y0 = self.ledges + rng.uniform(0.1, 2.0, size=(n, 3))
        self.start = pelplug.Configuration(self.y0.copy(), np.full(3, 50.0), ["A"] * n)

    def at(self, time):
        """Coordinates at a time, for a positive jump: exponentials with a change at the ledge."""
        passed = np.log(self.y0 / self.ledges)
        after = -self.jump + (self.ledges + self.jump) * np.exp(-(time - passed))
        return np.where(time < passed, self.y0 * np.exp(-time), after)

    def record(self):
        return {"jump": self.jump}

    def energy_forces(self, configuration):
        forces = np.empty((configuration.n, 3))
        return self.evaluator(configuration)(configuration.positions, forces), forces

    def evaluator(self, configuration):
        class Calls(Evaluator):
            def __call__(inner, y, forces):  # noqa: N805
                forces[:] = -y - self.jump * (y < self.ledges)
                return float(np.sum(0.5 * y**2 + self.jump * np.minimum(y - self.ledges, 0.0)))

        return Calls()


def soft_discs(n, seed):
    """A random start of polydisperse soft discs, with the worst overlaps taken away, and its potential."""
    model = pelplug.model("polydisperse-soft-spheres-2d")
    start = model.random_configuration(n, seed, arrangement="random")
    potential = model.potential(start)
    return states.without_overlaps(start, potential, steps=30), potential


def harmonic(n, d, seed):
    model = pelplug.model("harmonic-spheres", dimension=d)
    start = model.random_configuration(n, seed, arrangement="random")
    return start, model.potential(start)


def kob_andersen(n, seed):
    model = pelplug.model("kob-andersen", truncation="smooth")
    start = model.random_configuration(n, seed, arrangement="random")
    potential = model.potential(start)
    return states.without_overlaps(start, potential, steps=60), potential


def with_scipy(start, potential, times, method):
    """Positions at the times by one of SciPy's implicit solvers at a tolerance of 1e-10."""
    evaluate = potential.evaluator(start)
    forces = np.empty_like(start.positions)

    def velocity(_, y):
        evaluate(np.ascontiguousarray(y.reshape(forces.shape)), forces)
        return forces.ravel().copy()

    def jacobian(_, y):
        return -potential.hessian(start.replace(positions=y.reshape(forces.shape))).toarray()

    found = solve_ivp(velocity, (0, times[-1]), start.positions.ravel(), method, times, jac=jacobian, rtol=1e-10,
                      atol=1e-12)  # fmt: skip
    assert found.success
    return found.y.T.reshape(len(times), *forces.shape)


@pytest.mark.parametrize("stages", [2, 3, 5, 20, 100, 400])
def test_the_scheme_is_of_second_order_and_stable(stages):
    first, recurrence = coefficients(stages)

    def factor(z):
        older, newer = np.ones_like(z), 1.0 + first * z
        for mu, nu, mu_force, gamma in recurrence:
            older, newer = newer, (
                (1.0 - mu - nu) + mu * newer + nu * older + mu_force * z * newer + gamma * z
            )  # fmt: skip
        return newer

    z = -np.array([1e-2, 2e-2])
    wrong = np.abs(factor(z) - (1.0 + z + 0.5 * z**2))
    assert np.all(wrong < np.abs(z) ** 3)  # Taylor series right up to second order
    along = -np.linspace(0.0, 0.65, 20_001)[1:] * (stages**2 - 1)
    assert np.abs(factor(along)).max() < 1.0


def test_springs_follow_the_exponential(springs):
    times = np.geomspace(1e-4, 3.0, 12)
    result = pelplug.steepest_descent(springs.start, springs, times, rtol=1e-6, to_minimum=False)
    np.testing.assert_array_equal(result.times, times)
    for k, time in enumerate(times):
        x = springs.at(time)
        pull = springs.k @ (x - springs.centre)
        assert result.rms_velocity[k] == pytest.approx(np.sqrt((pull**2).sum() / 40), rel=2e-5)
        assert result.energy[k] == pytest.approx(0.5 * np.sum((x - springs.centre) * pull) - 3.0, rel=2e-5)
        assert result.max_force[k] == pytest.approx(np.abs(pull).max(), rel=1e-4)
    np.testing.assert_allclose(result.configuration.positions, springs.at(times[-1]), atol=1e-5)
    assert result.end_time == times[-1]
    assert not result.converged


def test_springs_end_at_rest(springs):
    result = pelplug.steepest_descent(springs.start, springs).require_converged()
    expected = springs.centre + (springs.start.positions - springs.centre).mean(axis=0)
    np.testing.assert_allclose(result.configuration.positions, expected, atol=1e-8)
    assert result.final_max_force < 1e-10
    slowest = np.linalg.eigvalsh(springs.k)[1]
    assert 15 / slowest < result.end_time < 40 / slowest  # exp(-slowest t) from 1 to 1e-10


def test_a_stiff_system_costs_far_less_than_explicit_euler(springs):
    result = pelplug.steepest_descent(springs.start, springs, rtol=1e-2)
    euler = result.end_time * np.linalg.eigvalsh(springs.k)[-1] / 2  # steps at its limit of stability
    assert result.evaluations < 0.15 * euler


def test_error_goes_down_in_proportion_to_the_tolerance(springs):
    wrong = []
    for rtol in (1e-2, 1e-3, 1e-4, 1e-5, 1e-6):
        end = pelplug.steepest_descent(springs.start, springs, [0.5], rtol=rtol, to_minimum=False).configuration
        wrong.append(np.sqrt(np.mean((end.positions - springs.at(0.5)) ** 2)))
    wrong = np.array(wrong)
    assert wrong[0] < 1e-2
    slope = np.polyfit(np.log(10.0 ** -np.arange(2, 7)), np.log(wrong), 1)[0]
    assert 0.8 < slope < 1.2


def test_the_absolute_tolerance_is_an_error_a_step(springs):
    few = pelplug.steepest_descent(springs.start, springs, [0.5], rtol=1e-8, atol=1e-5, to_minimum=False)
    many = pelplug.steepest_descent(springs.start, springs, [0.5], rtol=1e-8, to_minimum=False)
    wrong = np.sqrt(np.mean((few.configuration.positions - springs.at(0.5)) ** 2))
    assert few.steps < 0.1 * many.steps
    assert wrong < few.steps * 1e-5


@pytest.mark.parametrize(
    ("system", "method"),
    [
        (lambda: soft_discs(50, 1), "BDF"),
        (lambda: soft_discs(30, 2), "Radau"),
        (lambda: kob_andersen(40, 3), "LSODA"),
        (lambda: harmonic(40, 2, 5), "LSODA"),
    ],
)
def test_the_trajectory_and_the_minimum_are_those_of_scipy(system, method):
    start, potential = system()
    times = np.array([0.003, 0.03, 0.3, 3.0, 30.0])
    reference = with_scipy(start, potential, times, method)
    mine = pelplug.steepest_descent(start, potential, times, rtol=1e-6, to_minimum=False)
    for k in range(len(mine.times)):
        energy, forces = potential.energy_forces(start.replace(positions=reference[k]))
        assert mine.energy[k] == pytest.approx(energy, rel=1e-5, abs=1e-9)
        assert mine.rms_velocity[k] == pytest.approx(np.sqrt((forces**2).sum() / start.n), rel=1e-3, abs=1e-8)
    # Both go on to the inherent structure from where they are.
    end = pelplug.steepest_descent(start, potential, rtol=1e-6).require_converged().configuration
    other = start.replace(positions=reference[-1])
    other = pelplug.steepest_descent(other, potential, rtol=1e-6).require_converged().configuration
    np.testing.assert_allclose(end.positions, other.positions, atol=1e-4)
    assert potential.energy(end) == pytest.approx(potential.energy(other), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("system", [lambda: soft_discs(200, 3), lambda: harmonic(150, 3, 1)])
def test_energy_balance(system):
    start, potential = system()
    coarse = pelplug.steepest_descent(start, potential, rtol=1e-2).require_converged()
    fine = pelplug.steepest_descent(start, potential, rtol=1e-4).require_converged()
    assert abs(fine.final_energy_defect) < 1e-4
    assert np.abs(fine.energy_defect).max() < 1e-3
    assert abs(fine.final_energy_defect) < 0.2 * abs(coarse.final_energy_defect)
    assert np.all(np.diff(fine.energy) <= 1e-12 * abs(fine.energy[:-1]))
    # The same by another quadrature, from the output alone.
    lost = fine.energy[:-1] - fine.energy[1:]
    log_times = np.log(fine.times)
    power = fine.times * fine.rms_velocity**2 * start.n
    rough = 0.5 * (power[1:] + power[:-1]) * np.diff(log_times)
    assert rough.sum() == pytest.approx(lost.sum(), rel=0.05)


def test_forces_of_random_overlaps_are_no_danger():
    model = pelplug.model("polydisperse-soft-spheres")
    start = model.random_configuration(200, 1, arrangement="random")
    x = np.array(start.positions)
    x[1] = x[0] + [0.01, 0.0, 0.0]
    start = start.replace(positions=x)
    potential = model.potential(start)
    assert np.abs(potential.forces(start)).max() > 1e24
    result = pelplug.steepest_descent(start, potential).require_converged()
    assert result.evaluations < 100_000
    assert np.abs(potential.forces(result.configuration)).max() < 1.1e-10
    # Two particles that repel as r**-12 alone part as r**14 = r0**14 + 14 * 24 sigma**12 t.
    early = pelplug.steepest_descent(start, potential, [1e-26, 1e-24], rtol=1e-4, to_minimum=False)
    sigma = 0.5 * (start.diameters[0] + start.diameters[1])
    sigma *= 1.0 - 0.2 * abs(start.diameters[0] - start.diameters[1])
    r = (0.01**14 + 14 * 24 * sigma**12 * 1e-24) ** (1 / 14)
    moved = early.configuration.positions
    assert np.linalg.norm(moved[1] - moved[0]) == pytest.approx(r, rel=1e-3)


def test_quench_by_sd_ends_where_the_ode_does():
    start, potential = soft_discs(100, 4)
    ode = pelplug.steepest_descent(start, potential, rtol=1e-4).require_converged()
    quenched = pelplug.quench(start, potential, "sd", rtol=1e-4).require_converged()
    np.testing.assert_allclose(quenched.configuration.positions, ode.configuration.positions, atol=1e-6)
    assert quenched.parameters == {
        "rtol": 1e-4,
        "atol": 0.0,
        "max_stages": 200,
        "force_tolerance": 1e-10,
        "max_evaluations": 100_000,
    }
    assert ode.parameters["max_evaluations"] == 1_000_000


def test_mean_position_stays():
    start, potential = harmonic(200, 2, 7)
    end = pelplug.steepest_descent(start, potential).configuration
    np.testing.assert_allclose((end.positions - start.positions).mean(axis=0), 0.0, atol=1e-11)


@pytest.mark.parametrize("rtol", [1e-2, 1e-3])
def test_forces_that_jump_are_crossed(rtol):
    # 60 jumps, each as large as the forces.
    ledges = Ledges(20, 0.3, (0.05, 0.5), seed=2)
    length = np.sqrt(np.mean((ledges.y0 + 0.3) ** 2))  # of the path
    for time in (0.5, 2.0, 8.0):
        result = pelplug.steepest_descent(ledges.start, ledges, [time], rtol=rtol, to_minimum=False)
        error = np.sqrt(np.mean((result.configuration.positions - ledges.at(time)) ** 2))
        assert error < rtol * length, time
    end = pelplug.steepest_descent(ledges.start, ledges, rtol=rtol).require_converged()
    np.testing.assert_allclose(end.configuration.positions, -0.3, atol=1e-9)
    assert abs(end.final_energy_defect) < 0.01
    assert end.evaluations < 200 * 60


def test_a_lennard_jones_force_that_jumps_at_the_cutoff():
    model = pelplug.model("kob-andersen")
    start = model.random_configuration(108, 1)
    potential = model.potential(start)
    assert potential.truncation == "shift"
    start = pelplug.quench(start, potential, "fire", force_tolerance=1e-2).configuration
    shaken = start.positions + np.random.default_rng(1).normal(scale=0.03, size=start.positions.shape)
    result = pelplug.steepest_descent(start.replace(positions=shaken), potential, rtol=1e-2).require_converged()
    assert np.abs(potential.forces(result.configuration)).max() < 1.1e-10
    assert abs(result.final_energy_defect) < 0.01


def test_a_descent_that_sticks_where_the_force_jumps_says_so():
    ledges = Ledges(1, -1.0, (0.2, 0.8), seed=3)
    result = pelplug.steepest_descent(ledges.start, ledges, rtol=1e-2, max_evaluations=10_000)
    assert not result.converged
    assert "cutoff" in result.reason
    assert np.abs(result.configuration.positions - ledges.ledges).min() < 1e-9
    with pytest.raises(NotConvergedError, match="jump"):
        result.require_converged()


def test_a_minimum_needs_no_step():
    start, potential = soft_discs(100, 4)
    minimum = pelplug.quench(start, potential, "lbfgs").require_converged().configuration
    result = pelplug.steepest_descent(minimum, potential)
    assert result.converged
    assert (result.steps, result.end_time, len(result.times), result.final_energy_defect) == (0, 0.0, 0, 0.0)


def test_output_ends_with_the_minimum():
    start, potential = soft_discs(50, 1)
    result = pelplug.steepest_descent(start, potential, [0.0, 1.0, 1e6]).require_converged()
    assert result.times.tolist() == [0.0, 1.0]
    assert result.energy[0] == result.initial_energy == pytest.approx(potential.energy(start), rel=1e-12)
    assert 1.0 < result.end_time < 1e6
    assert math.isclose(result.final_energy, potential.energy(result.configuration), rel_tol=1e-12)


def test_too_few_evaluations():
    start, potential = soft_discs(50, 1)
    result = pelplug.steepest_descent(start, potential, max_evaluations=100)
    assert not result.converged
    assert result.evaluations <= 100
    with pytest.raises(NotConvergedError, match=r"limit of 100 force evaluations.*raise max_evaluations"):
        result.require_converged()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"times": [1.0, 1.0]}, "increasing"),
        ({"times": [-1.0, 1.0]}, "not negative"),
        ({"times": [1.0, math.inf]}, "finite"),
        ({"times": ["soon"]}, "finite"),
        ({"rtol": 0.0}, "rtol"),
        ({"rtol": 0.5}, "rtol"),
        ({"atol": -1.0}, "atol"),
        ({"max_stages": 1}, "max_stages"),
        ({"force_tolerance": -1.0}, "force_tolerance"),
        ({"max_evaluations": 1}, "max_evaluations"),
    ],
)
def test_wrong_parameters_are_refused(options, words, springs):
    with pytest.raises(InputError, match=words):
        pelplug.steepest_descent(springs.start, springs, **options)


def test_two_particles_at_one_point():
    start, potential = soft_discs(50, 1)
    x = np.array(start.positions)
    x[17] = x[3]
    with pytest.raises(InputError, match="3 and 17"):
        pelplug.steepest_descent(start.replace(positions=x), potential)
