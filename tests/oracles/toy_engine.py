"""A simulation engine as a third party would write one: velocity Verlet on pelplug's own forces."""

from __future__ import annotations

import time

import numpy as np

from pelplug.engines.engine import EnergyLog, Engine, EngineStatus, Session
from pelplug.errors import InputError


class ToyEngine(Engine):
    """Deterministic: the thermostat rescales the velocities after every step."""

    name = "toy"
    summary = "velocity Verlet with rescaled velocities"
    seconds_a_step = 0.0  # for tests that need a slow one

    @classmethod
    def status(cls):
        return EngineStatus(True, "1", ("cpu",))

    def session(self, configuration, model, dynamics, *, seed, log_every=0, internal=None):
        if dynamics.minimises:
            raise InputError("The engine toy does not minimise; use another engine.")
        return ToySession(configuration, model, dynamics, log_every, self.seconds_a_step)


class ToySession(Session):
    route = "kernel: pelplug"

    def __init__(self, configuration, model, dynamics, log_every, pause):
        self.model, self.dynamics, self.log_every, self.pause = model, dynamics, log_every, pause
        self.start = configuration
        self.step = configuration.step or 0
        self.x, self.v = configuration.unwrapped_positions(), np.array(configuration.velocities)
        self.evaluate = model.potential(configuration).evaluator(configuration)
        self.f = np.empty_like(self.x)
        self.energy = self.evaluate(self.x, self.f)
        masses = np.ones(configuration.n) if configuration.masses is None else configuration.masses
        self.m = model.mass_unit * masses[:, None]

    def run(self, steps):
        dt, rows = self.dynamics.time_step, []
        for _ in range(steps):
            self.v += 0.5 * dt * self.f / self.m
            self.x += dt * self.v
            self.energy = self.evaluate(self.x, self.f)
            self.v += 0.5 * dt * self.f / self.m
            self.step += 1
            target = self.dynamics.temperature_at(self.step)
            if self.dynamics.thermostatted:
                self.v *= np.sqrt(target / self.temperature())
            if self.log_every and self.step % self.log_every == 0:
                rows.append((self.step, self.energy, self.temperature()))
            if self.pause:
                time.sleep(self.pause)
        if not rows:
            return EnergyLog.empty()
        step, energy, temperature = map(np.array, zip(*rows, strict=True))
        return EnergyLog(step, energy, temperature)

    def temperature(self):
        return np.sum(self.m * self.v**2) / (self.model.boltzmann * self.v.shape[1] * (len(self.v) - 1))

    def configuration(self):
        # Unwrapped: what is added to a wrapped position would be lost from its last digits.
        return self.start.replace(positions=self.x, velocities=self.v, images=None, step=self.step)

    def energy_forces(self):
        return self.energy, self.f.copy()

    def internal(self):
        return {"x": self.x.copy()}
