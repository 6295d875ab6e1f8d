"""A small engine that is always there: for tests of what simulates, without LAMMPS or HOOMD-blue.

It is in no list of plugins; `pelplug.testing.registry_with` makes a registry that has it.
"""

from __future__ import annotations

import time

import numpy as np

from pelplug.configuration import Configuration
from pelplug.engines.engine import EnergyLog, Engine, EngineStatus, EquationsOfMotion, Session
from pelplug.errors import InputError
from pelplug.models.base import Model

__all__ = ["ToyEngine", "ToySession"]


class ToyEngine(Engine):
    """Velocity Verlet on the forces of the model's potential, on one core.

    ``nvt`` scales the velocities to the temperature after every step; ``npt`` also tries another volume at every tenth,
    as Monte Carlo does (R. Eppenga and D. Frenkel, Mol. Phys. 52, 1303 (1984)); ``langevin`` puts friction and noise
    between two half steps of the positions, and draws the noise of each step from its number, so that a run that is
    taken up again goes on as if it had not been cut.

    Attributes
    ----------
    seconds_a_step : float
        How long it waits at each step, for tests that need a slow one [s].
    """

    name = "toy"
    holds_pressure = True
    summary = "velocity Verlet on one core, for tests"
    seconds_a_step = 0.0

    @classmethod
    def status(cls) -> EngineStatus:
        """Return that it is there."""
        return EngineStatus(True, "1", ("cpu",))

    def session(self, configuration, model, dynamics, *, seed, log_every=0, internal=None) -> ToySession:
        """Take up a system; see `Engine.session`."""
        if dynamics.minimises:
            raise InputError("The engine toy does not minimise; use another engine.")
        return ToySession(configuration, model, dynamics, log_every, self.seconds_a_step, seed)


class ToySession(Session):
    """One system in its hands."""

    route = "kernel: pelplug"

    def __init__(
        self,
        configuration: Configuration,
        model: Model,
        dynamics: EquationsOfMotion,
        log_every: int = 0,
        pause: float = 0.0,
        seed: int = 0,
    ):
        self.start, self.model, self.dynamics = configuration, model, dynamics
        self.seed, self.log_every, self.pause = seed, log_every, pause
        self.step = configuration.step or 0
        self.x, self.v = configuration.unwrapped_positions(), np.array(configuration.velocities)
        self.m = model.mass_unit * model.masses_of(configuration)[:, None]
        self.evaluate = model.potential(configuration).evaluator(configuration)
        self.f = np.empty_like(self.x)
        self.energy = self.evaluate(self.x, self.f)
        if dynamics.thermostatted:
            kind = "friction and noise" if dynamics.method == "langevin" else "velocities scaled at every step"
            self.thermostat = f"the temperature of the velocities; {kind}"

    def run(self, steps: int) -> EnergyLog:
        """Advance by so many steps; see `Session.run`."""
        dt, rows = self.dynamics.time_step, []
        for _ in range(steps):
            self.v += 0.5 * dt * self.f / self.m
            if self.dynamics.method == "langevin":
                self.x += 0.5 * dt * self.v
                self._bath(dt)
                self.x += 0.5 * dt * self.v
            else:
                self.x += dt * self.v
            self.energy = self.evaluate(self.x, self.f)
            self.v += 0.5 * dt * self.f / self.m
            self.step += 1
            if self.dynamics.method in ("nvt", "npt"):
                self.v *= np.sqrt(self.dynamics.temperature_at(self.step) / self._temperature())
            if self.dynamics.pressure is not None and self.step % 10 == 0:
                self._try_another_volume(self.dynamics.pressure)
            if self.log_every and self.step % self.log_every == 0:
                more = () if self.dynamics.pressure is None else (self.start.volume, self.pressure())
                rows.append((self.step, self.energy, self._temperature(), *more))
            if self.pause:
                time.sleep(self.pause)
        return EnergyLog.of(rows)

    def _bath(self, dt: float) -> None:
        """Solve the friction and noise of one step exactly (B. Leimkuhler and C. Matthews, AMRX 2013, 34)."""
        kept = np.exp(-self.dynamics.friction * dt)
        thermal = self.model.boltzmann * self.dynamics.temperature_at(self.step + 1)
        noise = np.random.default_rng([self.seed, self.step]).standard_normal(self.v.shape)
        kick = np.sqrt((1.0 - kept**2) * thermal / self.m) * noise
        self.v *= kept
        self.v += kick - np.sum(self.m * kick, axis=0) / np.sum(self.m)  # the centre of mass is no degree of freedom

    def _try_another_volume(self, pressure: float) -> None:
        """Scale everything by a random factor, or not, so that volumes have the weights of constant pressure."""
        (n, d), rng = self.x.shape, np.random.default_rng([self.seed, self.step, 1])
        thermal = self.model.boltzmann * self.dynamics.temperature_at(self.step)
        growth = 0.05 * rng.uniform(-1.0, 1.0)  # of ln V
        scale = np.exp(growth / d)
        state = self.start.replace(positions=scale * self.x, cell=scale * self.start.cell, images=None)
        evaluate, forces = self.model.potential(state).evaluator(state), np.empty_like(self.f)
        energy = evaluate(np.array(state.positions), forces)
        work = energy - self.energy + pressure * (state.volume - self.start.volume)
        if np.log(rng.uniform()) < (n + 1) * growth - work / thermal:
            self.start, self.x = state, np.array(state.positions)
            self.evaluate, self.energy, self.f = evaluate, energy, forces

    def pressure(self) -> float:
        """Return the pressure of the virial and the velocities; see `Session.pressure`."""
        state, (n, d) = self.configuration(), self.x.shape
        kinetic = self.model.boltzmann * self._temperature() * (n - 1) / state.volume
        return float(kinetic - np.trace(self.model.potential(state).stress(state)) / d)

    def _temperature(self) -> float:
        n, d = self.v.shape
        return float(np.sum(self.m * self.v**2)) / (self.model.boltzmann * d * (n - 1))

    def configuration(self) -> Configuration:
        """Return the state; its positions are continuous, as the last digits of wrapped ones would be lost."""
        return self.start.replace(positions=self.x, velocities=self.v, images=None, step=self.step)

    def energy_forces(self) -> tuple[float, np.ndarray]:
        """Return U [energy] and the forces, shape (N, d) [energy / length]."""
        return self.energy, self.f.copy()
