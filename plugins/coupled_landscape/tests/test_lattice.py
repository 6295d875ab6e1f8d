"""Which systems are coupled, how often each is touched, and what is refused."""

import numpy as np
import pytest
from pelplug_coupled_landscape.lattice import Coupling, Lattice
from pelplug_coupled_landscape.simulation import Simulation

import pelplug

T = 0.5
PLAIN = pelplug.TrapLandscape(sigma_gamma=0.0)


def energies(simulation):
    return simulation.state()["rows"][:, 0]


def around(lattice, system, offset):
    """The system so far from another one, on a lattice that goes round."""
    shape = (lattice.side,) * lattice.dimension
    place = (np.array(np.unravel_index(system, shape)) + offset) % lattice.side
    return int(np.ravel_multi_index(tuple(place), shape))


def changes(simulation, events):
    """Of one event after the other: which system relaxed, and which others were redrawn."""
    for _ in range(events):
        before = simulation.state()["rows"]
        after = simulation.run(events=1).state()["rows"]
        changed = np.flatnonzero(before[:, 0] != after[:, 0])
        (relaxed,) = np.flatnonzero(before[:, 2] != after[:, 2])
        yield int(relaxed), set(changed.tolist()) - {int(relaxed)}


@pytest.mark.parametrize("dimension", range(1, 9))
def test_nearest_neighbours_are_redrawn_at_q_1(dimension):
    lattice = Lattice(3, dimension)
    simulation = Simulation(PLAIN, T, lattice, Coupling(q=1.0), seed=dimension)
    steps = [sign * row for row in np.eye(dimension, dtype=int) for sign in (-1, 1)]
    for relaxed, touched in changes(simulation, 20):
        assert touched == {around(lattice, relaxed, step) for step in steps}


def test_systems_far_away_are_touched_by_their_distance():
    """Each with q r^-n, and independently of the others."""
    lattice, coupling, events = Lattice(7, 2), Coupling(q=0.9, exponent=1.5, reach=3.0), 2500
    grid = [np.array([x, y]) for x in range(-3, 4) for y in range(-3, 4) if 0 < x * x + y * y <= 9]
    expected = np.array([0.9 * np.hypot(*step) ** -1.5 for step in grid])
    assert coupling.effective_neighbours(lattice) == pytest.approx(expected.sum() / 0.9, rel=1e-12)
    simulation = Simulation(PLAIN, T, lattice, coupling, seed=5)
    hits = []
    for relaxed, touched in changes(simulation, events):
        hits.append([around(lattice, relaxed, step) in touched for step in grid])
        assert len(touched) == sum(hits[-1])
    hits = np.array(hits)
    error = np.sqrt(expected * (1.0 - expected) / events)
    assert np.all(np.abs(hits.mean(axis=0) - expected) < 4.5 * error)
    together = np.cov(hits.T.astype(float)) - np.diag(expected * (1.0 - expected))
    assert np.all(np.abs(together) < 5.5 * 0.25 / np.sqrt(events))


def test_a_single_system_has_no_neighbours():
    simulation = Simulation(PLAIN, T, Lattice(), Coupling(q=1.0)).run(events=100)
    assert simulation.observed().passive == 0
    assert Coupling(q=1.0).effective_neighbours(Lattice()) == 0.0


@pytest.mark.parametrize(
    ("lattice", "coupling", "words"),
    [
        (Lattice(2, 3), Coupling(q=0.1), "smaller than the range of the coupling, 1: .* side of 3 or more"),
        (Lattice(10, 3), Coupling(q=0.1, exponent=3.0, reach=5.0), "side of 11 or more"),
        (Lattice(3, 3), Coupling(q=0.21, rule="rate"), "give q~ up to 0.2075"),
        (Lattice(3, 3), Coupling(q=0.1, rule="gaussian", width=3.0), "between 0 and sigma = 2.9"),
        (Lattice(3, 3), Coupling(q=0.1, rule="gaussian", width=0.0), "between 0 and sigma = 2.9"),
    ],
)
def test_what_does_not_go_together_is_refused(lattice, coupling, words):
    with pytest.raises(pelplug.InputError, match=words):
        Simulation(PLAIN, T, lattice, coupling)


@pytest.mark.parametrize(
    ("lattice", "coupling"),
    [
        (Lattice(3, 3), Coupling(q=0.1)),
        (Lattice(11, 2), Coupling(q=0.1, exponent=3.0, reach=5.0)),
        (Lattice(3, 3), Coupling(q=0.2074, rule="rate")),
        (Lattice(3, 3), Coupling(q=0.1, rule="gaussian", width=2.9)),
        (Lattice(2, 3), Coupling(q=0.0)),
    ],
)
def test_the_remedies_work(lattice, coupling):
    assert Simulation(PLAIN, T, lattice, coupling).run(events=10).observed().active == 10


def test_a_rate_without_bound_has_no_rate_proportional_rule():
    with pytest.raises(pelplug.InputError, match="give q~ up to 0"):
        Coupling(q=1e-9, rule="rate").check(Lattice(3, 3), pelplug.TrapLandscape(plateau=False), T)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Coupling(q=1.5), "probability, not 1.5"),
        (lambda: Coupling(q=-0.1), "0 or more, not -0.1"),
        (lambda: Coupling(q=np.nan), "not nan"),
        (lambda: Coupling(rule="metropolis"), "one of boltzmann, gaussian, rate"),
        (lambda: Coupling(reach=2.0), "give both or none"),
        (lambda: Coupling(exponent=-1.0), "0 or more, not -1"),
        (lambda: Coupling(exponent=3.0, reach=0.5), "1 lattice spacing or more"),
        (lambda: Coupling(width=1.0), "goes with the rule gaussian"),
        (lambda: Coupling(exponent=1.0, reach=32.0).neighbours(Lattice(65, 3)), "more than 100000 others"),
        (lambda: Lattice(0), "1 system or more"),
        (lambda: Lattice(3, 9), "1 to 8 dimensions"),
        (lambda: Lattice(1000, 3), "give a smaller side"),
        (lambda: Simulation(PLAIN, T, factors=(1.0,)), "less than 1"),
        (lambda: Simulation(PLAIN, T, passive_rates="lost"), "one of found, entered"),
        (lambda: Simulation(PLAIN, 0.02), "rates are exp.-321. to exp.2., .* give a higher temperature"),
        (lambda: Simulation(PLAIN, T).run(), "Give the time"),
        (lambda: Simulation(PLAIN, T).run(until=2.0).run(until=1.0), "give a later time"),
    ],
)
def test_bad_values_are_refused(make, words):
    with pytest.raises(pelplug.InputError, match=words):
        make()
