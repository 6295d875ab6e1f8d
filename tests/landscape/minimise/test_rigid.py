"""Quenches of rigid molecules: nothing pulls or turns one at the end, and what needs free particles is refused."""

import numpy as np
import pytest

import pelplug
from pelplug.engines.engine import EquationsOfMotion
from pelplug.models.given import GivenModel
from pelplug.testing import ToyEngine

LENGTH = 0.9


class Dimers(pelplug.Potential):
    """Kob-Andersen particles of which each two are held at one distance."""

    capabilities = pelplug.Capability.CONSTRAINTS
    flexible = " (springs)"

    def __init__(self, model, state, more=()):
        self.own, self.more = model.potential(state), more

    def energy_forces(self, configuration):
        return self.own.energy_forces(configuration)

    def constraints(self, configuration):
        i = np.arange(0, configuration.n, 2)
        pairs = np.array([*zip(i, i + 1, strict=True), *(one[:2] for one in self.more)])
        lengths = np.concatenate([np.full(len(i), LENGTH), [one[2] for one in self.more]])
        return pelplug.Constraints(*pairs.T, lengths)

    def record(self):
        return {"potential": "dimers", "length": LENGTH}


@pytest.fixture(scope="module")
def liquid():
    """32 molecules, broken by the box, whose distances are off by a hundredth as in a file of few digits."""
    rng, edge = np.random.default_rng(3), 4.0
    centres = (np.stack(np.meshgrid(*[np.arange(4)] * 3, indexing="ij"), -1).reshape(-1, 3)[::2] + 0.5) * edge / 4
    axes = rng.normal(size=centres.shape)
    axes *= 0.5 * LENGTH * rng.uniform(0.99, 1.01, (len(axes), 1)) / np.linalg.norm(axes, axis=1, keepdims=True)
    positions = np.stack([centres - axes, centres + axes], axis=1).reshape(-1, 3) + 0.5
    state = pelplug.Configuration(positions, [edge] * 3, ["A", "A", "A", "B"] * 16).wrapped().replace(images=None)
    model = pelplug.model("kob-andersen", truncation="smooth")
    return state, Dimers(model, state), model


@pytest.mark.parametrize("method", ["fire", "lbfgs", "cg"])
def test_nothing_pulls_or_turns_a_molecule(liquid, method):
    state, potential, _ = liquid
    found = pelplug.quench(state, potential, method=method, force_tolerance=1e-9).require_converged()
    x, f = found.configuration.positions.reshape(-1, 2, 3), potential.forces(found.configuration).reshape(-1, 2, 3)
    apart = x[:, 1] - x[:, 0]
    apart -= np.rint(apart / 4.0) * 4.0
    assert np.any(np.abs(x[:, 1] - x[:, 0]) > 2.0)  # the box breaks some
    assert np.linalg.norm(apart, axis=1) == pytest.approx(LENGTH, abs=1e-13)
    assert np.abs(f).max() > 0.1  # what holds two particles together
    assert np.abs(f.sum(axis=1)).max() < 1e-8
    assert np.abs(np.cross(apart, f[:, 1] - f[:, 0])).max() < 1e-8
    assert found.energy < found.initial_energy - 1.0
    rng = np.random.default_rng(1)
    for _ in range(3):  # turned and moved a little, as rigid bodies, it is never lower
        turn = apart + 0.01 * rng.normal(size=apart.shape)
        turn *= LENGTH / np.linalg.norm(turn, axis=1, keepdims=True)
        centre = x[:, 0] + 0.5 * apart + 0.01 * rng.normal(size=apart.shape)
        near = np.stack([centre - 0.5 * turn, centre + 0.5 * turn], axis=1).reshape(-1, 3)
        assert potential.energy(found.configuration.replace(positions=near)) > found.energy


def test_what_needs_free_particles_is_refused(liquid, tmp_path):
    state, potential, model = liquid
    file = tmp_path / "dimers.gsd"
    pelplug.write_trajectory(file, state)
    for ask in (
        lambda: pelplug.LinearResponse(state, potential),
        lambda: pelplug.FromForces(potential).hessian(state),
        lambda: pelplug.analyze("kappa", file, potential=potential),
        lambda: pelplug.analyze("vibrations", file, potential=potential),
    ):
        with pytest.raises(pelplug.InputError, match=r"holds distances constant.*needs flexible ones \(springs\)"):
            ask()
    for ask in (
        lambda: pelplug.quench(state, potential, method="sd"),
        lambda: pelplug.steepest_descent(state, potential, [0.1]),
    ):
        with pytest.raises(pelplug.InputError, match="steepest descent needs flexible ones"):
            ask()
    given, moving = GivenModel(potential), state.replace(velocities=np.zeros(state.positions.shape))
    with pytest.raises(pelplug.InputError, match="a simulation needs flexible ones"):
        ToyEngine().session(moving, given, EquationsOfMotion("nve", 0.001), seed=1)
    far = state.replace(positions=state.positions + 0.1 * np.random.default_rng(1).normal(size=(64, 3)))
    with pytest.raises(pelplug.InputError, match="% off the distance that the potential Dimers holds constant"):
        pelplug.quench(far, potential)
    for more, words in (
        ([(0, 1, LENGTH)], "depend on each other"),
        ([(0, 64, 1.0)], "not pairs of particles 0 to 63"),
    ):
        with pytest.raises(pelplug.InputError, match=words):
            pelplug.quench(state, Dimers(model, state, more))


def test_inherent_structures_of_rigid_molecules(liquid, tmp_path):
    state, potential, _ = liquid
    pelplug.write_trajectory(tmp_path / "dimers.gsd", state)
    found = pelplug.analyze("inherent-structures", tmp_path / "dimers.gsd", potential=potential, force_tolerance=1e-6)
    exact = pelplug.quench(state, potential, force_tolerance=1e-6)
    assert float(found.energy[0]) == pytest.approx(exact.energy, rel=1e-12)
    assert float(found.max_force[0]) < 1e-6
