"""HOOMD-blue moves particles as the models and the equations of motion say."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from oracles.threads import count_threads

import pelplug
from pelplug.engines.engine import EquationsOfMotion
from pelplug.engines.hoomd.engine import HoomdEngine
from pelplug.engines.hoomd.forces import choose_route
from pelplug.engines.hoomd.view import HoomdView
from pelplug.engines.velocities import kinetic_temperature, thermalised
from pelplug.errors import InputError, RunError
from pelplug.tasks.in_situ import InSitu
from pelplug.testing import states

needs_hoomd = pytest.mark.hoomd

# Model, parameters, particles, density (None: its own), temperature of a liquid.
MODELS = {
    "kob-andersen": ("kob-andersen", {}, 155, None, 0.6),
    "kob-andersen, shifted force": ("kob-andersen", {"truncation": "shifted-force"}, 155, None, 0.6),
    "kob-andersen, smooth": ("kob-andersen", {"truncation": "smooth"}, 155, None, 0.6),
    "kob-andersen-2d": ("kob-andersen-2d", {}, 100, None, 0.6),
    "modified-kob-andersen": ("modified-kob-andersen", {}, 155, None, 0.6),
    "inverse-power-law": ("inverse-power-law", {}, 155, None, 0.6),
    "inverse-power-law-2d": ("inverse-power-law-2d", {}, 100, None, 0.6),
    "sticky-spheres": ("sticky-spheres", {}, 155, 0.7, 0.6),
    "polydisperse-soft-spheres": ("polydisperse-soft-spheres", {}, 155, None, 0.2),
    "polydisperse-soft-spheres-2d": ("polydisperse-soft-spheres-2d", {}, 100, None, 0.2),
    "harmonic-spheres 2d": ("harmonic-spheres", {"dimension": 2}, 100, None, 0.01),
    "harmonic-spheres 3d": ("harmonic-spheres", {"dimension": 3}, 155, None, 0.01),
    "stillinger-weber": ("stillinger-weber", {}, 128, None, 0.1),
    "mari-kurchan": ("mari-kurchan", {}, 100, None, 0.02),
    "cu50zr50": ("cu50zr50", {}, 128, None, 1500.0),
}
_DENSE = {}


def liquid(name, seed=3):
    """The model and a state of its liquid without overlaps, with velocities; the same arrays every time."""
    if name not in _DENSE:
        kind, parameters, n, density, temperature = MODELS[name]
        model = pelplug.model(kind, **parameters)
        state = model.random_configuration(n, seed, density)
        state = pelplug.quench(state, model.potential(state), force_tolerance=0.05).configuration
        _DENSE[name] = model, thermalised(state, model, temperature, seed), temperature
    return _DENSE[name]


def begin(name, method="nve", route="auto", log_every=0, state=None, internal=None, seed=5, **dynamics):
    model, start, temperature = liquid(name)
    if method in ("nvt", "langevin"):
        dynamics.setdefault("temperature", temperature)
    dynamics.setdefault("time_step", model.time_step or 0.005)
    return HoomdEngine(device="cpu", route=route).session(
        start if state is None else state,
        model,
        EquationsOfMotion(method, **dynamics),
        seed=seed,
        log_every=log_every,
        internal=internal,
    )


def total_energy(model, n, d, log):
    return log.potential_energy + 0.5 * model.boltzmann * d * (n - 1) * log.kinetic_temperature


# --- without HOOMD-blue -----------------------------------------------------------------------------------------


def test_says_how_to_get_it_where_it_is_missing(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "hoomd" else find(name, *a))
    status = HoomdEngine.status()
    assert not status.available and status.version == "" and status.devices == ()
    assert "conda install -c conda-forge hoomd" in status.missing and "environment.yml" in status.missing
    assert not HoomdEngine.available()
    with pytest.raises(InputError, match="conda-forge"):
        HoomdEngine()


def test_a_broken_installation_is_reported_not_raised(monkeypatch, tmp_path):
    (tmp_path / "hoomd").mkdir()
    (tmp_path / "hoomd" / "__init__.py").write_text("raise ImportError('libcudart is missing')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name == "hoomd" or name.startswith("hoomd.")]:
        monkeypatch.delitem(sys.modules, name)
    status = HoomdEngine.status()
    assert not status.available and "libcudart is missing" in status.missing


def test_importing_the_engine_imports_no_hoomd():
    code = "import sys, pelplug.engines.hoomd.engine; raise SystemExit('hoomd' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("name", "cpu", "cuda", "mpi"),
    [
        ("kob-andersen", "kernel", "native", "native"),
        ("modified-kob-andersen", "kernel", "table", "table"),
        ("polydisperse-soft-spheres", "kernel", "kernel", "leave --mpi out"),
        ("stillinger-weber", "kernel", "no CUDA kernel for StillingerWeberPotential", "leave --mpi out"),
    ],
)
def test_what_auto_takes_on_each_device(name, cpu, cuda, mpi):
    model = pelplug.model(name)
    state = model.random_configuration(400, 1)
    state = states.without_overlaps(state, model.potential(state), 60)
    frame = HoomdView(state, model)
    for kind, expected in (("cpu", cpu), ("cuda", cuda), ("mpi", mpi)):
        arguments = ("auto", model.potential(state), frame, state, kind)
        if expected in ("kernel", "native", "table"):
            assert choose_route(*arguments).kind == expected
        else:
            with pytest.raises(InputError, match=expected):
                choose_route(*arguments)


# --- forces -----------------------------------------------------------------------------------------------------


@needs_hoomd
@pytest.mark.parametrize("name", MODELS)
def test_kernel_forces_are_the_models(name):
    model, start, _ = liquid(name)
    energy, forces = model.potential(start).energy_forces(start)
    with begin(name) as session:
        got_energy, got_forces = session.energy_forces()
        assert session.route.startswith("kernel")
    assert got_energy == pytest.approx(energy, rel=1e-12)
    assert np.abs(got_forces - forces).max() <= 1e-9 * np.abs(forces).max()


@needs_hoomd
@pytest.mark.parametrize("name", ["kob-andersen-2d", "inverse-power-law", "stillinger-weber"])
@pytest.mark.parametrize("mirror", [False, True])
def test_any_cell_will_do(name, mirror):
    model, start, _ = liquid(name)
    state = states.tilted(start, 4, tilt=0.15)
    if mirror:
        state = state.replace(positions=state.positions[:, ::-1], cell=state.cell[:, ::-1])
    state = states.without_overlaps(state, model.potential(state), 200)
    state = thermalised(state, model, 0.1, 1)
    energy, forces = model.potential(state).energy_forces(state)
    with begin(name, "nve", state=state, log_every=50, time_step=0.002) as session:
        got_energy, got_forces = session.energy_forces()
        before = session.configuration()
        log = session.run(400)
        after = session.configuration()
    assert got_energy == pytest.approx(energy, rel=1e-12)
    assert np.abs(got_forces - forces).max() <= 1e-9 * np.abs(forces).max()
    np.testing.assert_allclose(before.velocities, state.velocities, rtol=0, atol=1e-14)
    np.testing.assert_allclose(before.cell, state.cell)
    np.testing.assert_allclose(before.unwrapped_positions(), state.unwrapped_positions(), rtol=0, atol=1e-12)
    energies = total_energy(model, state.n, state.dimension, log)
    assert np.ptp(energies) < 2e-3 * state.n * 0.1
    assert model.potential(after).energy(after) == pytest.approx(log.potential_energy[-1], rel=1e-11)


@needs_hoomd
@pytest.mark.parametrize("name", ["kob-andersen", "kob-andersen-2d"])
def test_native_forces_are_the_models(name):
    # In a box that HOOMD's neighbour list can take.
    model = pelplug.model(MODELS[name][0])
    state = model.random_configuration(400, 2)
    state = pelplug.quench(state, model.potential(state), force_tolerance=0.05).configuration
    state = thermalised(state, model, 0.6, 1)
    energy, forces = model.potential(state).energy_forces(state)
    dynamics = EquationsOfMotion("nve", 0.005)
    with HoomdEngine(device="cpu", route="native").session(state, model, dynamics, seed=1) as session:
        got_energy, got_forces = session.energy_forces()
        assert "pair.LJ" in session.route
    # HOOMD 4.8.2 computes pair forces in double precision on a CPU; a build in single precision would not pass.
    assert got_energy == pytest.approx(energy, rel=1e-12)
    assert np.abs(got_forces - forces).max() <= 1e-9 * np.abs(forces).max()


@needs_hoomd
@pytest.mark.parametrize(
    "name", ["modified-kob-andersen", "inverse-power-law", "inverse-power-law-2d", "sticky-spheres"]
)
def test_a_table_errs_no_more_than_it_says(name):
    kind, parameters, _, density, temperature = MODELS[name]
    model = pelplug.model(kind, **parameters)
    state = model.random_configuration(400, 2, density)
    state = pelplug.quench(state, model.potential(state), force_tolerance=0.05).configuration
    state = thermalised(state, model, temperature, 1)
    potential = model.potential(state)
    energy, forces = potential.energy_forces(state)
    dynamics = EquationsOfMotion("nve", 0.002)
    with HoomdEngine(device="cpu", route="table").session(state, model, dynamics, seed=1) as session:
        got_energy, got_forces = session.energy_forces()
        error = session.interpolation_error
    pairs = potential.pairs(state)
    neighbours = np.bincount(np.concatenate([pairs.i, pairs.j])).max()
    assert 0 < error["energy"] < 1e-4 and 0 < error["force"] < 3e-3 and error["jump"] < 1e-9
    assert abs(got_energy - energy) <= error["energy"] * len(pairs)
    assert np.abs(got_forces - forces).max() <= error["force"] * neighbours
    assert abs(got_energy - energy) < 1e-6 * abs(energy)


@needs_hoomd
def test_routes_that_cannot_be():
    with pytest.raises(InputError, match="use the route kernel"):
        begin("kob-andersen", route="native")  # half of the box is not beyond the cutoff
    with pytest.raises(InputError, match="no pair force of exactly this form"):
        begin("modified-kob-andersen", route="native")
    for name in ("stillinger-weber", "polydisperse-soft-spheres"):
        with pytest.raises(InputError, match="table serves"):
            begin(name, route="table")
    for wrong in ({"device": "tpu"}, {"route": "fast"}, {"threads": 0}):
        with pytest.raises(InputError):
            HoomdEngine(**wrong)


@needs_hoomd
def test_devices_that_are_not_here():
    import hoomd

    if not hoomd.version.gpu_enabled:
        with pytest.raises(InputError, match="use device cpu"):
            HoomdEngine(device="gpu")
    if not hoomd.version.mpi_enabled:
        with pytest.raises(InputError, match="built without MPI"):
            HoomdEngine(mpi=True)
    status = HoomdEngine.status()
    assert status.available and status.version == hoomd.version.version and status.devices[0] == "cpu"


# --- equations of motion ----------------------------------------------------------------------------------------


@needs_hoomd
@pytest.mark.parametrize("name", MODELS)
def test_newton_conserves_energy_and_momentum(name):
    model, start, temperature = liquid(name)
    # The energy of velocity Verlet swings with the square of the time step; silicon's is a long one.
    shorter = {"time_step": 0.5 * model.time_step} if name == "stillinger-weber" else {}
    with begin(name, log_every=20, **shorter) as session:
        session.run(500)
        log = session.run({"cu50zr50": 2500, "stillinger-weber": 4000, "mari-kurchan": 2500}.get(name, 10_000))
        end = session.configuration()
    energy = total_energy(model, start.n, start.dimension, log)
    thermal = model.boltzmann * temperature
    half = len(energy) // 2
    drift = energy[half:].mean() - energy[:half].mean()
    assert abs(drift) < 1e-3 * start.n * thermal
    assert energy.std() < 1e-3 * start.n * thermal
    masses = np.ones(start.n) if end.masses is None else end.masses
    scale = np.abs(masses[:, None] * end.velocities).sum()
    assert np.abs(masses @ end.velocities).max() < 1e-10 * scale
    # The centre of mass stays only if images are right.
    moved = masses @ (end.unwrapped_positions() - start.unwrapped_positions()) / masses.sum()
    assert np.abs(moved).max() < 1e-9
    fractional = end.fractional()
    assert fractional.min() >= 0.0 and fractional.max() < 1.0
    assert end.images.any()
    assert model.potential(end).energy(end) == pytest.approx(log.potential_energy[-1], rel=1e-10)
    assert kinetic_temperature(end, model) == pytest.approx(log.kinetic_temperature[-1], rel=1e-10)


@needs_hoomd
def test_a_thermostat_holds_the_temperature_and_conserves_what_it_should():
    name = "inverse-power-law-2d"
    model, start, temperature = liquid(name)
    with begin(name, "nvt", log_every=5, thermostat_time=0.2) as session:
        session.run(5000)
        conserved = []
        logs = []
        for _ in range(640):
            logs.append(session.run(500))
            kinetic = start.n - 1  # degrees of freedom over d
            conserved.append(
                logs[-1].potential_energy[-1]
                + kinetic * logs[-1].kinetic_temperature[-1]
                + session.simulation.operations.integrator.methods[0].thermostat.energy
            )
        end = session.configuration()
    temperatures = np.concatenate([log.kinetic_temperature for log in logs])
    blocks = temperatures.reshape(20, -1).mean(axis=1)
    # HOOMD holds the velocities of half steps at T, and with them the positions; those of full steps, which are logged,
    # are colder by Omega**2 dt**2 / 4 (velocity Verlet; exact for an oscillator). Omega is the Einstein frequency.
    einstein = model.potential(end).hessian(end).diagonal().mean()
    expected = temperature * (1.0 - einstein * model.time_step**2 / 4.0)
    error = blocks.std(ddof=1) / np.sqrt(len(blocks))
    assert error < 5e-4 * temperature
    assert abs(blocks.mean() - expected) < 4 * error
    # Canonical, not merely held: the variance of the kinetic temperature is 2 T**2 / (degrees of freedom).
    assert temperatures.var() == pytest.approx(2 * temperature**2 / (2 * (start.n - 1)), rel=0.25)
    # It fluctuates with the time step's error, and does not drift: of 80,000 steps alone the slope would be noise
    # (starts that differ by 1e-12 gave up to 0.0007 N T).
    drift = np.polyfit(np.arange(len(conserved)), conserved, 1)[0] * len(conserved) / 4
    assert abs(drift) < 3e-4 * start.n * temperature and np.std(conserved) < 6e-4 * start.n * temperature


@needs_hoomd
def test_langevin_holds_the_temperature_and_the_centre_of_mass():
    name = "inverse-power-law-2d"
    model, start, temperature = liquid(name)
    heavy = start.replace(masses=np.where(start.species == "L", 4.0, 1.0))
    state = thermalised(heavy, model, temperature, 1)
    with begin(name, "langevin", state=state, log_every=5, friction=2.0) as session:
        session.run(2000)
        log = session.run(20_000)
        end = session.configuration()
    blocks = log.kinetic_temperature.reshape(20, -1).mean(axis=1)
    assert abs(blocks.mean() - temperature) < max(4 * blocks.std(ddof=1) / np.sqrt(len(blocks)), 0.01 * temperature)
    assert blocks.std(ddof=1) / np.sqrt(len(blocks)) < 0.01 * temperature
    assert np.abs(end.masses @ end.velocities).max() < 1e-11
    assert kinetic_temperature(end, model) == pytest.approx(log.kinetic_temperature[-1], rel=0.05)


@needs_hoomd
def test_langevin_friction_is_per_mass():
    # Without interaction, in the mean: the velocity decays as exp(-friction t) for every mass alike.
    name = "inverse-power-law-2d"
    model, start, _ = liquid(name)
    dilute = start.replace(positions=start.positions * 40, cell=start.cell * 40, velocities=None)
    dilute = dilute.replace(masses=np.where(dilute.species == "L", 4.0, 1.0))
    state = thermalised(dilute, model, 1.0, 1)
    with begin(name, "langevin", state=state, temperature=1e-8, friction=0.5, time_step=0.01) as session:
        session.run(200)
        end = session.configuration()
    for species in ("S", "L"):
        mine = state.species == species
        ratio = np.linalg.norm(end.velocities[mine]) / np.linalg.norm(state.velocities[mine])
        assert ratio == pytest.approx(np.exp(-0.5 * 2.0), rel=1e-3)


@needs_hoomd
@pytest.mark.parametrize("method", ["nvt", "langevin"])
def test_a_ramp_goes_by_absolute_steps(method):
    name = "inverse-power-law-2d"
    model, start, _ = liquid(name)
    state = thermalised(start.replace(step=7000), model, 1.0, 2)
    ramp = dict(temperature=1.0, end_temperature=0.4, ramp_start=8000, ramp_steps=20_000, friction=5.0)
    with begin(name, method, state=state, log_every=10, **ramp) as session:
        log = session.run(26_000)
    assert log.step[0] == 7010 and log.step[-1] == 33_000
    for first, last in ((7000, 9000), (17_000, 19_000), (30_000, 33_000)):
        window = (log.step > first) & (log.step <= last)
        expected = np.mean([session._dynamics.temperature_at(step) for step in log.step[window]])
        assert log.kinetic_temperature[window].mean() == pytest.approx(expected, rel=0.06)


@needs_hoomd
def test_metal_units():
    """At the start the fluctuation of a cold crystal's temperature fixes k_B, mass and time at once: equipartition."""
    model = pelplug.model("cu50zr50")
    start = thermalised(liquid("cu50zr50")[1], model, 600.0, 4)
    with begin("cu50zr50", "nve", state=start, log_every=1, time_step=0.001) as session:
        first = session.run(1)
        got = session.configuration()
    assert first.kinetic_temperature[0] == pytest.approx(600.0, rel=0.05)
    # One step of velocity Verlet by hand, eV, Angstrom and ps.
    forces = model.potential(start).forces(start)
    accelerations = forces / (model.mass_unit * start.masses[:, None])
    moved = start.velocities * 0.001 + 0.5 * accelerations * 0.001**2
    np.testing.assert_allclose(
        got.unwrapped_positions() - start.unwrapped_positions(), moved, rtol=0, atol=1e-11 * start.cell.max()
    )


# --- minimisers -------------------------------------------------------------------------------------------------


@needs_hoomd
@pytest.mark.parametrize("name", ["inverse-power-law-2d", "polydisperse-soft-spheres"])
def test_steepest_descent_is_the_flow(name):
    model, start, _ = liquid(name)
    hot = thermalised(start, model, 2.0 * liquid(name)[2], 8)
    with begin(name, "nve", state=hot, time_step=0.002) as session:
        session.run(500)
        hot = session.configuration().replace(step=0)
    times = np.array([0.01, 0.05, 0.2])
    exact = pelplug.steepest_descent(hot, model.potential(hot), times, rtol=1e-5, to_minimum=False)
    errors = []
    for step in (2e-4, 1e-4):
        with begin(name, "steepest-descent", state=hot, time_step=step, log_every=round(0.01 / step)) as session:
            log = session.run(round(0.2 / step))
            assert np.all(np.isnan(log.kinetic_temperature)) and session.configuration().velocities is None
        energies = np.interp(times, log.step * step, log.potential_energy)
        errors.append(np.abs(energies - exact.energy) / (exact.initial_energy - exact.energy))
    assert errors[1].max() < 0.01
    # Euler's method: half the step, half the error.
    assert errors[0].max() / errors[1].max() == pytest.approx(2.0, rel=0.2)


@needs_hoomd
@pytest.mark.parametrize("name", ["inverse-power-law-2d", "modified-kob-andersen", "cu50zr50"])
def test_fire_finds_a_minimum(name):
    model, start, _ = liquid(name)
    tolerance = 1e-8
    with begin(name, "fire", state=start, force_tolerance=tolerance) as session:
        assert not session.converged
        for _ in range(60):
            session.run(500)
            if session.converged:
                break
        found, (energy, forces) = session.configuration(), session.energy_forces()
    assert session.converged and np.abs(forces).max() <= tolerance
    potential = model.potential(found)
    assert np.abs(potential.forces(found)).max() < 2 * tolerance
    polished = pelplug.quench(found, potential, force_tolerance=1e-11)
    assert energy == pytest.approx(polished.energy, abs=1e-9 * start.n)
    assert np.abs(polished.configuration.positions - found.positions).max() < 1e-4


# --- going on ---------------------------------------------------------------------------------------------------


@needs_hoomd
@pytest.mark.parametrize("method", ["nve", "nvt", "langevin"])
@pytest.mark.parametrize("name", ["kob-andersen", "stillinger-weber"])
def test_a_session_goes_on_where_another_was(name, method):
    with begin(name, method, log_every=10) as session:
        session.run(130)
        state, internal = session.configuration(), session.internal()
        log = session.run(100)
        expected = session.configuration()
    with begin(name, method, log_every=10, state=state, internal=internal) as session:
        assert session.step == 130
        np.testing.assert_array_equal(session.configuration().positions, state.positions)
        again = session.run(100)
        got = session.configuration()
    np.testing.assert_array_equal(again.step, log.step)
    # Rounding differs, as neighbours are listed in another order, and grows with time.
    np.testing.assert_allclose(again.potential_energy, log.potential_energy, rtol=1e-12)
    np.testing.assert_allclose(again.kinetic_temperature, log.kinetic_temperature, rtol=1e-11)
    assert got.step == expected.step == 230
    np.testing.assert_allclose(got.unwrapped_positions(), expected.unwrapped_positions(), rtol=0, atol=1e-11)


@needs_hoomd
def test_a_checkpoint_of_another_state_is_refused():
    with begin("kob-andersen") as session:
        session.run(20)
        internal = session.internal()
    with pytest.raises(InputError, match="not of one state"):
        begin("kob-andersen", internal=internal)
    with pytest.raises(InputError, match="not written by the engine hoomd"):
        begin("kob-andersen", internal={"xi": np.zeros(2)})


@needs_hoomd
@pytest.mark.parametrize("name", ["kob-andersen-2d", "polydisperse-soft-spheres-2d"])
def test_how_a_run_is_chopped_makes_no_difference(name):
    ends = []
    for pieces in ([300], [1, 0, 99, 7, 193]):
        with begin(name, "nvt", log_every=25) as session:
            logs = []
            for piece in pieces:
                logs.append(session.run(piece))
                session.internal(), session.configuration(), session.energy_forces()
            ends.append((session.configuration(), np.concatenate([log.potential_energy for log in logs])))
    np.testing.assert_array_equal(ends[0][0].positions, ends[1][0].positions)
    np.testing.assert_array_equal(ends[0][1], ends[1][1])
    assert len(ends[0][1]) == 12


@needs_hoomd
def test_threads_make_no_difference(monkeypatch):
    monkeypatch.setenv("PELPLUG_NUM_THREADS", "1")
    model = pelplug.model("inverse-power-law-2d")
    state = model.random_configuration(2100, 1)  # below 2000 one thread does everything
    state = thermalised(states.without_overlaps(state, model.potential(state), 30), model, 0.6, 1)
    ends = []
    for threads in (1, 2):
        engine = HoomdEngine(device="cpu", threads=threads)
        with engine.session(state, model, EquationsOfMotion("nve", 0.002), seed=1) as session:
            session.run(40)
            ends.append(session.configuration().positions)
    np.testing.assert_array_equal(*ends)
    assert os.environ["PELPLUG_NUM_THREADS"] == "1"
    seen = count_threads(monkeypatch, "pelplug.potentials.pair", 3)
    with HoomdEngine(device="cpu", threads=3).session(state, model, EquationsOfMotion("nve", 0.002), seed=1) as session:
        session.run(3)
    assert len(seen) >= 4 and set(seen) == {(3, 3)}


@needs_hoomd
def test_observers_see_the_run_from_inside():
    name = "inverse-power-law-2d"
    model, _, _ = liquid(name)
    seen = []

    def minimum(configuration, energy):
        quenched = pelplug.quench(configuration, model.potential(configuration), force_tolerance=1e-8)
        seen.append((configuration.step, energy, quenched.energy))

    with begin(name, "nvt", log_every=20) as session:
        session.observe(40, minimum)
        log = session.advance(200)
    with begin(name, "nvt", log_every=20) as session:
        for step, energy, inherent in seen:
            session.run(step - session.step)
            state = session.configuration()
            assert energy == pytest.approx(session.energy_forces()[0], rel=1e-13)
            assert inherent == pelplug.quench(state, model.potential(state), force_tolerance=1e-8).energy
            assert inherent < energy
    assert [step for step, _, _ in seen] == [40, 80, 120, 160, 200]
    np.testing.assert_allclose([energy for _, energy, _ in seen], log.potential_energy[1::2], rtol=1e-13)


@needs_hoomd
def test_an_analysis_runs_inside_the_simulation(tmp_path):
    """The same dataset as from a trajectory of the same states."""
    name = "inverse-power-law-2d"
    model, _, _ = liquid(name)
    make = pelplug.host.functions.default_registry().analysis("inherent-structures")
    watch = InSitu(make(None, model=model, force_tolerance=1e-9))
    seen = []
    with begin(name, "nvt") as session:
        session.observe(50, watch)
        session.observe(50, lambda configuration, energy: seen.append(configuration))
        session.advance(150)
    dataset = watch.datasets()["inherent-structures"]
    path = tmp_path / "states.gsd"
    pelplug.write_trajectory(path, seen, model_record=model.to_dict())
    by_file = pelplug.analyze("inherent-structures", path, model=model, force_tolerance=1e-9)
    assert dataset.step.values.tolist() == [50, 100, 150] == by_file.step.values.tolist()
    np.testing.assert_allclose(dataset.energy, by_file.energy, rtol=1e-12)
    np.testing.assert_allclose(dataset.initial_energy, by_file.initial_energy, rtol=1e-12)
    assert dataset.attrs["model"] == by_file.attrs["model"] and dataset.attrs["input_file"] == ""
    assert dataset.energy.attrs == by_file.energy.attrs
    with pytest.raises(InputError, match="pass model="):
        InSitu(make(None))
    with pytest.raises(InputError, match="at least one"):
        InSitu()


@needs_hoomd
def test_what_cannot_start():
    start = liquid("kob-andersen")[1]
    with pytest.raises(InputError, match="thermalise"):
        begin("kob-andersen", state=start.replace(velocities=None))
    four = pelplug.model("harmonic-spheres", dimension=4)
    state = four.random_configuration(64, 1, 1.0)
    with pytest.raises(InputError, match="two and three dimensions"):
        HoomdEngine().session(state, four, EquationsOfMotion("fire", 0.01), seed=1)


@needs_hoomd
def test_a_run_that_blows_up_says_so():
    model = pelplug.model("kob-andersen")
    state = thermalised(model.random_configuration(155, 1, arrangement="random"), model, 1.0, 1)
    with pytest.raises(RunError, match="smaller time step"), begin("kob-andersen", state=state) as session:
        session.run(2000)


# --- the kernel of the GPU --------------------------------------------------------------------------------------


CUDA_SCRIPT = """
import sys
import numba, numpy as np, pelplug
from pelplug.testing import states
from pelplug.engines.hoomd.cuda_pair import cuda_pair_kernel, pair_body
from pelplug.engines.hoomd.cuda import pair_constants
from pelplug.engines.hoomd.view import HoomdView

cases = [
    ("kob-andersen", {}),
    ("kob-andersen-2d", {"truncation": "smooth"}),
    ("modified-kob-andersen", {}),
    ("sticky-spheres", {}),
    ("polydisperse-soft-spheres-2d", {}),
    ("harmonic-spheres", {"dimension": 3}),
]
if sys.argv[1] == "processor":
    cases = [cases[0], cases[1], cases[4]]
for name, parameters in cases:
    model = pelplug.model(name, **parameters)
    conf = model.random_configuration(220 if model.dimension != 2 else 120, 1, model.density or 0.7)
    conf = states.tilted(conf, 3, tilt=0.1)
    potential = model.potential(conf)
    conf = states.without_overlaps(conf, potential, 30)
    energy, forces = potential.energy_forces(conf)
    frame = HoomdView(conf, model)
    raw = frame.raw(conf)
    terms = potential.pair_terms(conf)
    constants, reach = pair_constants(terms, frame), terms.reach
    assert 2 * reach < conf.heights.min(), (name, reach, conf.heights)
    # HOOMD keeps particles in an order of its own, and says by tags which is which.
    tags = np.random.default_rng(1).permutation(conf.n).astype(np.uint32)
    fractional = conf.fractional()[tags]
    apart = fractional[:, None] - fractional
    distance = np.linalg.norm((apart - np.round(apart)) @ conf.cell, axis=-1)
    near = (distance < 1.1 * reach) & ~np.eye(conf.n, dtype=bool)
    count = near.sum(axis=1).astype(np.uint32)
    head = np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.uint64)
    near = np.nonzero(near)[1].astype(np.uint32)
    kind = (terms.form, frame.dimension, terms.mixing)
    if sys.argv[1] == "simulator":
        position, out, energies = raw.position[tags], np.zeros((conf.n, 3)), np.zeros(conf.n)
        # The simulator makes a Python thread of every CUDA thread: not more than needed.
        kernel = cuda_pair_kernel(*kind)
        kernel[1, conf.n](position, tags, head, count, near, *constants, out, energies)
    else:
        # HOOMD's vectors have four components, of which the arrays show three; force and energy are one array.
        four, both = np.zeros((conf.n, 4)), np.zeros((conf.n, 4))
        four[:, :3] = raw.position[tags]
        position, out, energies = four[:, :3], both[:, :3], both[:, 3]
        body = numba.njit(pair_body(*kind, "cpu"))
        for i in range(conf.n):
            body(i, position, tags, head, count, near, *constants, out, energies)
    got = np.empty((conf.n, 3))
    got[tags] = out
    got = got[:, : frame.dimension] @ frame.turn
    assert abs(energies.sum() - energy) < 1e-12 * abs(energy), (name, energies.sum(), energy)
    assert np.abs(got - forces).max() < 1e-12 * np.abs(forces).max() + 1e-12, name
print("agree", len(cases))
"""


@pytest.mark.parametrize("how", ["simulator", "processor"])
def test_the_cuda_kernel_computes_the_same(tmp_path, how):
    """By numba's CUDA simulator, and its body compiled for the CPU with HOOMD's types; it was not run on a GPU."""
    script = tmp_path / "kernel.py"
    script.write_text(CUDA_SCRIPT)
    path = os.pathsep.join([str(pathlib.Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1" if how == "simulator" else "0", "PYTHONPATH": path}
    done = subprocess.run([sys.executable, script, how], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"agree {3 if how == 'processor' else 6}", done.stderr[-2000:]
