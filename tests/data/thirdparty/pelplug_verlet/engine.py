"""Velocity Verlet, whole: what the author of an engine writes."""

import numpy as np

import pelplug


class Verlet(pelplug.Engine):
    """Newton's equations of motion; at constant temperature with velocities scaled after every step."""

    name = "verlet"
    summary = "velocity Verlet on the forces of any potential"

    def session(self, configuration, model, dynamics, *, seed, log_every=0, internal=None):
        if dynamics.method not in ("nve", "nvt"):
            raise pelplug.InputError(f"The engine verlet has no {dynamics.method}; it has nve and nvt.")
        return VerletSession(configuration, model, dynamics, log_every)


class VerletSession(pelplug.Session):
    """One system."""

    route = "kernel: pelplug"

    def __init__(self, start, model, dynamics, log_every):
        self.start, self.model, self.dynamics, self.log_every = start, model, dynamics, log_every
        self.step = start.step or 0
        self.thermostat = "velocities scaled at every step" if dynamics.thermostatted else ""
        self.x, self.v = start.unwrapped_positions(), np.array(start.velocities)
        self.f = np.empty_like(self.x)
        self.mass = model.mass_unit * model.masses_of(start)[:, None]
        self.evaluate = model.potential(start).evaluator(start)
        self.energy = self.evaluate(self.x, self.f)

    def run(self, steps):
        dt, rows = self.dynamics.time_step, []
        for _ in range(steps):
            self.v += 0.5 * dt * self.f / self.mass
            self.x += dt * self.v
            self.energy = self.evaluate(self.x, self.f)
            self.v += 0.5 * dt * self.f / self.mass
            self.step += 1
            if self.dynamics.thermostatted:
                self.v *= np.sqrt(self.dynamics.temperature_at(self.step) / self.temperature())
            if self.log_every and self.step % self.log_every == 0:
                rows.append((self.step, self.energy, self.temperature()))
        return pelplug.EnergyLog.of(rows)

    def temperature(self):
        return pelplug.kinetic_temperature(self.configuration(), self.model)

    def configuration(self):
        return self.start.replace(positions=self.x, velocities=self.v, images=None, step=self.step)

    def energy_forces(self):
        return self.energy, self.f.copy()
