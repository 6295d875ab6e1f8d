"""Engines with one fault each: the toy engine of the kit, with something wrong in its session."""

import dataclasses
from typing import Annotated, Literal

import numpy as np

import pelplug
from faulty import Faulty
from pelplug.engines.engine import EnergyLog
from pelplug.testing.toy_engine import ToyEngine, ToySession


def engine(name, **changes):
    """Return an engine whose session has some methods changed."""
    session = type(f"{name}Session", (ToySession,), changes)

    def begin(self, configuration, model, dynamics, *, seed, log_every=0, internal=None):
        if dynamics.minimises:
            return Falling(configuration, model, dynamics, log_every, seed=seed)
        return session(configuration, model, dynamics, log_every, seed=seed)

    return type(name, (ToyEngine,), {"__doc__": "As its name says.", "session": begin, "name": "toy-with-a-fault"})


class Falling(ToySession):
    """FIRE in few lines."""

    def __init__(self, configuration, model, dynamics, log_every=0, pause=0.0, seed=0):
        still = configuration.replace(velocities=np.zeros_like(configuration.positions))
        super().__init__(still, model, dynamics, log_every, pause, seed)
        self.found = pelplug.quench(still, model.potential(still), force_tolerance=dynamics.force_tolerance)

    def run(self, steps):
        self.x = np.array(self.found.configuration.positions)
        self.energy = self.evaluate(self.x, self.f)
        self.step += steps
        self.converged = True
        return EnergyLog.empty()


class Rising(Falling):
    """It says that it has come down and has not moved."""

    def run(self, steps):
        self.step += steps
        self.converged = True
        return EnergyLog.empty()


def euler(self, steps):
    """Advance with the forces of the start of each step."""
    rows = []
    for _ in range(steps):
        acceleration = self.f / self.m
        self.x += self.dynamics.time_step * self.v
        self.v += self.dynamics.time_step * acceleration
        self.energy = self.evaluate(self.x, self.f)
        self.step += 1
        if self.log_every and self.step % self.log_every == 0:
            rows.append((self.step, self.energy, self._temperature()))
    return EnergyLog.of(rows)


def every_step_counts(self, steps):
    """Advance, and log at the last step whatever its number."""
    found = ToySession.run(self, steps)
    if self.log_every and not (len(found) and found.step[-1] == self.step):
        last = EnergyLog.of([(self.step, self.energy, self._temperature())])
        found = EnergyLog.joined([found, last])
    return found


def observe_late(self, period, callback):
    """Look on at every other multiple."""
    ToySession.observe(self, 2 * period, callback)


def too_hot(method):
    """Return how a session begins that holds twice the temperature with one thermostat."""

    def begin(self, configuration, model, dynamics, *arguments, **keywords):
        if dynamics.method == method:
            dynamics = dataclasses.replace(dynamics, temperature=2.0 * dynamics.temperature)
        ToySession.__init__(self, configuration, model, dynamics, *arguments, **keywords)

    return begin


def light(self, *arguments, **keywords):
    """Take all particles to have the mass 1."""
    ToySession.__init__(self, *arguments, **keywords)
    self.m = self.model.mass_unit * np.ones_like(self.m)


def one_step_more(self, *arguments, **keywords):
    """Begin to count anew."""
    ToySession.__init__(self, *arguments, **keywords)
    self.step = 0


def halves(self):
    energy, forces = ToySession.energy_forces(self)
    return 0.5 * energy, forces


def rubbing(self, steps):
    """Rub a very little."""
    found = ToySession.run(self, steps)
    self.v *= (1.0 - 3e-8) ** steps
    return found


def squeeze(self, pressure):
    """Hold more than the pressure asked for."""
    ToySession._try_another_volume(self, pressure + 10.0)


def take_a_stranger(self, configuration, *arguments, **keywords):
    """Take unknown species for the first one."""
    names = np.where(configuration.species == "unheard-of", "A", configuration.species)
    ToySession.__init__(self, configuration.replace(species=names), *arguments, **keywords)


class NoChoice(ToyEngine):
    """It does not take the device that it is told."""

    def __init__(self):
        super().__init__()


class NoStatus(ToyEngine):
    """Its status is a word."""

    @classmethod
    def status(cls):
        return pelplug.EngineStatus(True, "1", ())


class Redraws(ToyEngine):
    """It takes up a system with a little more speed than it was left with."""

    def session(self, configuration, model, dynamics, *, seed, log_every=0, internal=None):
        made = super().session(configuration, model, dynamics, seed=seed, log_every=log_every)
        if internal is not None:
            made.v *= 1.0001
        return made


class Halving(ToySession):
    energy_forces = halves


class Routes(ToyEngine):
    """By one of its two routes forces are halved."""

    def __init__(
        self,
        device="auto",
        threads=None,
        *,
        route: Annotated[Literal["whole", "half"], pelplug.Param("how forces are computed")] = "whole",
    ):
        super().__init__(device, threads)
        self.route = route

    def session(self, configuration, model, dynamics, *, seed, log_every=0, internal=None):
        if dynamics.minimises:
            raise pelplug.InputError("It does not minimise.")
        kind = Halving if self.route == "half" else ToySession
        return kind(configuration, model, dynamics, log_every, seed=seed)


class NeverDown(ToyEngine):
    """Its minimisation stays where it is."""

    def session(self, configuration, model, dynamics, *, seed, log_every=0, internal=None):
        kind = Rising if dynamics.minimises else ToySession
        return kind(configuration, model, dynamics, log_every, seed=seed)


GOOD = engine("Right")
COUNTED = ("check_engine_logs", "check_engine_observed", "check_engine_resumes", "check_engine_simulates")
FAULTY = [
    Faulty(NoStatus, "check_engine_declared", "no device"),
    Faulty(engine("Half", energy_forces=halves), "check_engine_forces", "the potential's",
           also=("check_engine_logs", "check_engine_observed")),
    Faulty(Routes, "check_engine_routes", "by the route half"),
    Faulty(engine("Light", __init__=light), "check_engine_masses", "force over mass"),
    Faulty(engine("Euler", run=euler), "check_engine_conserves_energy", "divides the fluctuations",
           also=("check_engine_reversible", "check_engine_temperature", "check_engine_langevin",
                 "check_engine_pressure")),
    Faulty(engine("Rubbing", run=rubbing), "check_engine_reversible", "as many back",
           also=("check_engine_masses",)),
    Faulty(engine("Anew", __init__=one_step_more), "check_engine_counts_steps", "starts at step 0",
           also=COUNTED),
    Faulty(engine("Always", run=every_step_counts), "check_engine_logs", "it logs at"),
    Faulty(engine("Late", observe=observe_late), "check_engine_observed", "it shows"),
    Faulty(engine("Hot", __init__=too_hot("nvt")), "check_engine_temperature", "have the temperature"),
    Faulty(engine("Warm", __init__=too_hot("langevin")), "check_engine_langevin", "have the temperature"),
    Faulty(engine("Squeezed", _try_another_volume=squeeze), "check_engine_pressure", "the mean pressure is"),
    Faulty(NeverDown, "check_engine_minimises", "the energy goes from"),
    Faulty(Redraws, "check_engine_resumes", "away from where", also=("check_engine_simulates",)),
    Faulty(NoChoice, "check_engine_simulates", "TypeError"),
    Faulty(engine("Stranger", __init__=take_a_stranger), "check_engine_refuses", "not refused"),
]  # fmt: skip
