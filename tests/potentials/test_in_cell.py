"""Evaluators in a cell that changes its size: energy, forces and virial are those of the potential, step by step."""

import numpy as np
import pytest

import pelplug

MODELS = {
    "kob-andersen": (90, {}),
    "kob-andersen-2d": (60, {}),
    "polydisperse-soft-spheres": (120, {}),
    "harmonic-spheres": (80, {"dimension": 4}),
    "cu50zr50": (100, {}),
    "mari-kurchan": (100, {}),  # whose shifts go with the cell
}


@pytest.mark.parametrize("name", MODELS)
def test_energy_forces_and_virial_follow_the_cell(name):
    n, parameters = MODELS[name]
    model = pelplug.model(name, **parameters)
    state = model.random_configuration(n, 4)
    state = pelplug.quench(state, model.potential(state), force_tolerance=1e-1, max_evaluations=100).configuration
    d, rng = state.dimension, np.random.default_rng(5)
    tilt = np.eye(d) + (0.0 if name == "mari-kurchan" else 0.2) * np.triu(np.ones((d, d)), 1)
    state = state.replace(positions=state.positions @ tilt, cell=state.cell @ tilt)
    potential = model.potential(state)
    evaluator, forces = potential.evaluator(state), np.empty(state.positions.shape)
    assert evaluator.gives_virial
    spacing = state.density ** (-1 / d)
    positions, cell = np.array(state.positions), np.array(state.cell)
    velocity = 0.004 * spacing * rng.standard_normal(positions.shape)
    for step in range(120):
        # It breathes by several percent, jumps once each way, and everything moves.
        scale = 1.0 + 0.004 * np.sin(0.15 * step) + {40: -0.06, 80: 0.07}.get(step, 0.0)
        positions, cell = scale * positions + velocity, scale * cell
        energy, virial = evaluator.in_cell(positions, cell, forces)
        if step % 3 and step not in (40, 80):
            continue
        now = state.replace(positions=positions, cell=cell)
        exact, pulls = potential.energy_forces(now)
        assert energy == pytest.approx(exact, rel=1e-10)
        np.testing.assert_allclose(forces, pulls, atol=1e-9 * np.abs(pulls).max())
        trace = np.trace(potential.stress(now)) * now.volume
        assert virial == pytest.approx(trace, rel=1e-9, abs=1e-9 * abs(exact))
    assert evaluator.rebuilds < 40


def test_what_gives_no_virial_says_so():
    model = pelplug.model("stillinger-weber")
    state = model.random_configuration(64, 1)
    evaluator = model.potential(state).evaluator(state)
    assert not evaluator.gives_virial
