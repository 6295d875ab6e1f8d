"""The checks of an engine: forces, conservation, what it logs, temperatures, going on after a cut, what it refuses.

It is made with the parameters of the kit and moves the kit's model: by default a Kob-Andersen liquid of 60 particles
whose forces are smooth. An engine that is not installed is not checked but for what it declares.
"""

from __future__ import annotations

import itertools
import re
import unittest

import numpy as np

from pelplug.configuration import Configuration
from pelplug.engines.engine import Engine, EngineStatus, EquationsOfMotion, Session
from pelplug.engines.velocities import kinetic_temperature, thermalised
from pelplug.errors import InputError
from pelplug.models import KobAndersen
from pelplug.models.base import Model
from pelplug.potentials.base import Capability
from pelplug.testing.checks import check, require
from pelplug.testing.models import disordered
from pelplug.testing.potentials import scale_of

__all__ = ["engine_of", "model_of", "session_of", "start_of"]

STEPS = 60
"""Of most runs."""

_SETTINGS = ("force_tolerance", "end_temperature", "ramp_steps", "pressure", "barostat_time")
_MINIMA = 2000  # steps that a minimisation may take


def model_of(kit) -> Model:
    """Return the model that engines are tried with."""
    return kit.model if isinstance(kit.model, Model) else kit.once("model", _liquid)


def _liquid() -> Model:
    return KobAndersen(truncation="smooth", cutoff=1.8)


def _temperature(kit) -> float:
    return 1.0 / model_of(kit).boltzmann


def start_of(kit) -> Configuration:
    """Return a moving state at step 7, in a tilted cell, some particles in other images."""

    def make() -> Configuration:
        model = model_of(kit)
        state = kit.configuration or disordered(model, 60, kit.seed)
        if state.velocities is None:
            state = thermalised(state, model, _temperature(kit), kit.seed)
        return state.replace(step=7)

    return kit.once("start", make)


def engine_of(cls: type[Engine], kit) -> Engine:
    """Return the engine; skip the check where it cannot be used."""
    if not cls.available():
        raise unittest.SkipTest(f"it cannot be used here: {cls.status().missing}")
    return kit.once("engine", lambda: cls(**kit.parameters))


def session_of(
    cls: type[Engine], kit, method: str = "nve", state: Configuration | None = None, *, engine=None, factor=1.0, **more
) -> Session:
    """Return a session; skip the check where the engine has no such method."""
    model = model_of(kit)
    settings = {name: more.pop(name) for name in _SETTINGS if name in more}
    if method in ("nvt", "npt", "langevin"):
        settings["temperature"] = _temperature(kit)
    dynamics = EquationsOfMotion(method, factor * (model.time_step or 0.005), **settings)
    more.setdefault("seed", 1)
    engine = engine or engine_of(cls, kit)
    try:
        return engine.session(start_of(kit) if state is None else state, model, dynamics, **more)
    except InputError as error:
        if method != "nve":
            raise unittest.SkipTest(f"it has no {method}: {error}") from error
        raise


def _require_forces(session: Session, kit, when: str) -> None:
    """Require the energy and forces of the potential, where the session is."""
    model, state = model_of(kit), session.configuration()
    energy, forces = model.potential(state).energy_forces(state)
    found, theirs = session.energy_forces()
    close = max(10.0 * session.relative_error, kit.tolerance * 1e-3)
    of_energy, of_force = session.table_error
    off = abs(found - energy)
    require(
        off <= close * (abs(energy) + scale_of(forces)) + 10 * of_energy,
        f"{when} its energy is {found:.10g}, and the potential's {energy:.10g} ({session.route})",
    )
    off = float(np.abs(theirs - forces).max())
    require(
        off <= close * float(np.abs(forces).max()) + 10 * of_force,
        f"{when} its forces differ from the potential's by {off:.3g} ({session.route})",
    )


def _total(session: Session, log, kit) -> np.ndarray:
    n, d = session.configuration().positions.shape
    return log.potential_energy + 0.5 * d * (n - 1) * model_of(kit).boltzmann * log.kinetic_temperature


# --- what it declares -------------------------------------------------------------------------------------------------


@check("engine")
def check_engine_declared(cls, kit):
    """Name, summary, docstring and status are as lists want them."""
    require(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", cls.name), f"{cls.name!r} is not lower-case words and hyphens")
    require(cls.summary.strip() and "\n" not in cls.summary, "its summary is not one line")
    require((cls.__doc__ or "").strip(), "it has no docstring")
    status = cls.status()
    require(isinstance(status, EngineStatus), "status() is no pelplug.EngineStatus")
    require(status.available or status.missing.strip(), "where it cannot be used it does not say what is missing")
    require(not status.available or status.devices, "it names no device that it can run on")


# --- forces and Newton's equations ------------------------------------------------------------------------------------


@check("engine")
def check_engine_forces(cls, kit):
    """Energy and forces are those of the model's potential, at the start and later."""
    with session_of(cls, kit) as session:
        _require_forces(session, kit, "at the start")
        session.run(STEPS // 2)
        _require_forces(session, kit, f"after {STEPS // 2} steps")


@check("engine", when=lambda cls: "route" in cls.parameter_specs())
def check_engine_routes(cls, kit):
    """By each route that it offers the forces are the same."""
    engine_of(cls, kit)
    taken = []
    for route in cls.parameter_specs()["route"].choices or ():
        try:
            session = session_of(cls, kit, engine=cls(**{**kit.parameters, "route": route}))
        except InputError:  # this model has no such route
            continue
        with session:
            _require_forces(session, kit, f"by the route {route}")
        taken.append(route)
    require(taken, "it takes none of its routes")


@check("engine")
def check_engine_masses(cls, kit):
    """In a short step a velocity changes by the force over the mass."""
    state, model = start_of(kit), model_of(kit)
    state = state.replace(masses=np.random.default_rng(kit.seed).uniform(0.5, 4.0, state.n))
    dt = 1e-4 * (model.time_step or 0.005)
    with session_of(cls, kit, state=state, factor=1e-4) as session:
        _, forces = session.energy_forces()
        session.run(1)
        after = session.configuration()
    wanted = dt * forces / (model.mass_unit * state.masses[:, None])
    off = float(np.abs(after.velocities - state.velocities - wanted).max() / np.abs(wanted).max())
    require(off < 1e-3, f"velocities do not change by force over mass: by {off:.3g} of it too much or too little")
    moved = after.unwrapped_positions() - state.unwrapped_positions()
    mean = 0.5 * (state.velocities + after.velocities)  # strong forces change a slow velocity even in so short a step
    off = float(np.abs(moved - dt * mean).max() / np.abs(dt * mean).max())
    require(off < 1e-3, f"positions do not change by velocity times time: by {off:.3g} of it too much or too little")


@check("engine")
def check_engine_conserves_energy(cls, kit):
    """Without a thermostat energy is conserved to second order in the time step, and momentum."""
    spreads, start, model = [], start_of(kit), model_of(kit)
    for factor in (0.8, 0.4, 0.2):
        with session_of(cls, kit, log_every=1, factor=factor) as session:
            log = session.run(round(STEPS / factor))
            total = _total(session, log, kit)
            after = session.configuration()
        spreads.append(float(np.std(total)))
        masses = model.masses_of(start)
        drift = np.abs(masses @ (after.velocities - start.velocities)).max()
        require(drift <= 1e-7 * np.abs(masses[:, None] * start.velocities).sum(), f"momentum changes by {drift:.3g}")
    ratios = [one / other for one, other in itertools.pairwise(spreads)]
    rounding = 1e-11 * float(np.abs(total).max())
    require(
        spreads[-1] < rounding or min(ratios) > 3.0,
        f"half the time step divides the fluctuations of the energy by {ratios[0]:.3g} and {ratios[1]:.3g}, not by 4",
    )
    kinetic = 0.5 * start.dimension * start.n
    require(spreads[-1] < 0.01 * kinetic / model.boltzmann * model.boltzmann, f"the energy varies by {spreads[-1]:.3g}")


@check("engine")
def check_engine_reversible(cls, kit):
    """With velocities reversed it goes back to where it came from."""
    start = start_of(kit)
    with session_of(cls, kit) as session:
        session.run(STEPS)
        there = session.configuration()
    with session_of(cls, kit, state=there.replace(velocities=-there.velocities)) as session:
        session.run(STEPS)
        back = session.configuration()
    off = float(np.abs(back.unwrapped_positions() - start.unwrapped_positions()).max())
    far = float(np.abs(there.unwrapped_positions() - start.unwrapped_positions()).max())
    require(off <= kit.tolerance * far, f"after {STEPS} steps and as many back it is {off:.3g} off, of {far:.3g}")


# --- counting, logging, looking on ------------------------------------------------------------------------------------


@check("engine")
def check_engine_counts_steps(cls, kit):
    """Steps go on from that of the start, in one run or several; unwrapped positions are continuous."""
    start, model = start_of(kit), model_of(kit)
    with session_of(cls, kit) as session:
        require(session.step == start.step, f"it starts at step {session.step}, the state at {start.step}")
        session.run(STEPS)
        whole = session.configuration()
        require(session.step == whole.step == start.step + STEPS, f"after {STEPS} steps it is at {session.step}")
    require(whole.n == start.n and np.array_equal(whole.species, start.species), "particles have changed places")
    close = 1e-9 * float(np.abs(start.cell).max())
    require(np.allclose(whole.cell, start.cell, atol=close), "the cell is not that of the start")
    with session_of(cls, kit) as session:
        before = start.unwrapped_positions()
        for steps in (1, 7, STEPS - 8):
            session.run(steps)
            now = session.configuration()
            moved = np.abs(now.unwrapped_positions() - before).max()
            fastest = max(np.abs(now.velocities).max(), np.abs(start.velocities).max())
            most = 5 * steps * (model.time_step or 0.005) * fastest + close
            require(moved <= most, f"in {steps} steps a particle moves by {moved:.3g}: images are not counted?")
            before = now.unwrapped_positions()
    off = float(np.abs(before - whole.unwrapped_positions()).max())
    require(off <= kit.tolerance, f"in several runs it comes to another place than in one, by {off:.3g}")


@check("engine")
def check_engine_logs(cls, kit):
    """Energies are logged at multiples of the period after the first step, and are those of the states."""
    with session_of(cls, kit, log_every=5) as session:
        logs = [session.run(steps) for steps in (3, 10, 7)]
        state = session.configuration()
    steps = np.concatenate([log.step for log in logs]).tolist()
    require(steps == [10, 15, 20, 25], f"from step 7 to 27, every 5, it logs at {steps}")
    with session_of(cls, kit, log_every=5) as session:
        log = session.run(13)
        state = session.configuration()
        energy, forces = session.energy_forces()
    require(log.step.tolist() == [10, 15, 20], f"from step 7 to 20, every 5, it logs at {log.step.tolist()}")
    close = kit.tolerance * (abs(energy) + scale_of(forces))
    require(abs(log.potential_energy[-1] - energy) <= close, "the energy in the log is not that of the state")
    temperature = kinetic_temperature(state, model_of(kit))
    off = abs(log.kinetic_temperature[-1] / temperature - 1)
    require(off <= kit.tolerance, f"the temperature in the log is by {off:.3g} not that of the velocities")
    with session_of(cls, kit) as session:
        require(len(session.run(20)) == 0, "it logs where no log is asked for")


@check("engine")
def check_engine_observed(cls, kit):
    """Observers see the state at each multiple of their period, with its energy."""
    seen = []
    with session_of(cls, kit) as session:
        session.observe(10, lambda state, energy: seen.append((state, energy)))
        session.advance(28)
    steps = [state.step for state, _ in seen]
    require(steps == [10, 20, 30], f"from step 7 to 35, every 10, it shows {steps}")
    for state, energy in seen:
        wanted = model_of(kit).potential(state).energy(state)
        close = max(10.0 * session.relative_error, kit.tolerance) * abs(wanted) + 10 * session.table_error[0]
        require(
            abs(energy - wanted) <= close, f"an observer is told the energy {energy:.8g} of a state of {wanted:.8g}"
        )


# --- thermostats and minimisation -------------------------------------------------------------------------------------


@check("engine")
def check_engine_temperature(cls, kit):
    """With nvt the velocities have the temperature, those of every species."""
    _require_temperature(cls, kit, "nvt")


@check("engine")
def check_engine_langevin(cls, kit):
    """With langevin the velocities have the temperature, those of every species."""
    _require_temperature(cls, kit, "langevin")


def _require_temperature(cls, kit, method: str) -> None:
    model, wanted = model_of(kit), _temperature(kit)
    found: dict[str, list[float]] = {}
    with session_of(cls, kit, method) as session:
        require(session.thermostat.strip(), "the session does not say what holds the temperature")
        session.run(500)
        for _ in range(40):
            session.run(50)
            state = session.configuration()
            masses = model.mass_unit * model.masses_of(state)
            for name in state.species_names:
                some = state.species == name
                energy = np.mean(masses[some, None] * state.velocities[some] ** 2)
                # The centre of mass is at rest: of each degree of freedom 1 / N is taken away.
                found.setdefault(name, []).append(energy / model.boltzmann / (1 - 1 / state.n))
    for name, values in found.items():
        blocks = np.mean(np.reshape(values, (8, -1)), axis=1)
        error = np.std(blocks, ddof=1) / np.sqrt(len(blocks))
        mean = float(np.mean(values))
        require(
            abs(mean - wanted) <= 5 * error + 0.01 * wanted and error < 0.2 * wanted,
            f"particles {name} have the temperature {mean:.4g} +- {error:.2g}, not {wanted:.4g}",
        )


@check("engine", when=lambda cls: cls.holds_pressure)
def check_engine_pressure(cls, kit):
    """With npt the potential's own virial has the pressure in the mean; cells, log and `pressure` are of the moment."""
    model, start = model_of(kit), start_of(kit)

    def pressure_of(state: Configuration) -> float:
        thermal = model.boltzmann * kinetic_temperature(state, model) * (state.n - 1)
        return float(thermal / state.volume - np.trace(model.potential(state).stress(state)) / state.dimension)

    if not model.potential(start).can(Capability.STRAIN):
        raise unittest.SkipTest("the potential of the model gives no stress")
    with session_of(cls, kit, "nvt") as session:
        session.run(500)
        liquid = session.configuration().replace(step=0)
        wanted = pressure_of(liquid) + model.boltzmann * _temperature(kit) * liquid.density
    barostat = 100 * (model.time_step or 0.005)
    found, cells = [], []
    with session_of(cls, kit, "npt", liquid, pressure=wanted, barostat_time=barostat, log_every=50) as session:
        session.run(1000)
        for _ in range(80):
            log, state = session.run(50), session.configuration()
            found.append(pressure_of(state))
            cells.append(state.cell)
            close = (1e-6 + 10 * session.relative_error) * (abs(found[-1]) + state.density * model.boltzmann)
            off = abs(session.pressure() - found[-1])
            require(off <= close + 100 * session.table_error[1], f"its pressure differs from the virial's by {off:.3g}")
            if log.volume is None or log.pressure is None:
                raise AssertionError("it logs no volume and pressure")
            require(abs(log.volume[-1] / state.volume - 1) <= 1e-9, "the volume in the log is not that of the state")
    shapes = np.array([cell / np.abs(np.linalg.det(cell)) ** (1 / state.dimension) for cell in cells])
    require(np.ptp(np.linalg.det(cells)) != 0, "the cell does not change")
    require(np.ptp(shapes, axis=0).max() <= 1e-9 * np.abs(shapes).max(), "the cell changes its shape")
    blocks = np.mean(np.reshape(found, (8, -1)), axis=1)
    error, mean = np.std(blocks, ddof=1) / np.sqrt(len(blocks)), float(np.mean(found))
    unit = model.boltzmann * _temperature(kit) * liquid.density
    require(
        abs(mean - wanted) <= 5 * error + 0.02 * unit and error < unit,
        f"the mean pressure is {mean:.4g} +- {error:.2g}, not {wanted:.4g}",
    )


@check("engine")
def check_engine_minimises(cls, kit):
    """FIRE lowers the energy, to forces below the tolerance where it says so."""
    tolerance = 1e-3 * float(np.abs(model_of(kit).potential(start_of(kit)).forces(start_of(kit))).max())
    with session_of(cls, kit, "fire", force_tolerance=tolerance) as session:
        before, _ = session.energy_forces()
        done = 0
        while not session.converged and done < _MINIMA:
            session.run(100)
            done += 100
        after, forces = session.energy_forces()
    require(after < before, f"the energy goes from {before:.8g} to {after:.8g}")
    largest = float(np.abs(forces).max())
    require(not session.converged or largest <= 1.01 * tolerance, f"converged, its largest force is {largest:.3g}")
    require(
        session.converged, f"after {_MINIMA} steps the largest force is {largest:.3g}, of {tolerance:.3g} asked for"
    )
