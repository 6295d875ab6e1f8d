"""OpenMM as an engine: it moves the particles of potentials that it computes, in its own precision and units."""

from __future__ import annotations

from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.units import Units
from pelplug.engines.engine import EnergyLog, Engine, EngineStatus, EquationsOfMotion, Session
from pelplug.engines.native import NativeData
from pelplug.errors import InputError, RunError
from pelplug.execution.device import Device
from pelplug.execution.openmm import (
    INSTALL,
    Ewald,
    load_openmm,
    openmm_errors,
    openmm_version,
    reduced_box,
    start_context,
    system_of,
)
from pelplug.models.base import Model
from pelplug.potentials.base import potential_name

__all__ = ["OpenmmEngine", "OpenmmSession"]

_OURS = Units.of("gromacs")
_SINGLE = 1e-4  # relative: of forces in single precision, asked for twice


class OpenmmEngine(Engine):
    """OpenMM, on the platform that the potential is computed on.

    It takes potentials that answer ``native("openmm")``, as those of ``openmm:system.xml`` and ``gromacs:topol.top``
    do.
    """

    name = "openmm"
    any_potential = False
    summary = "OpenMM; potentials of openmm:system.xml and gromacs:topol.top"

    def __init__(self, device: str | Device = "auto", threads: int | None = None):
        super().__init__(device, threads)
        if self.device.kind == "cuda":
            raise InputError(
                "The engine openmm goes by the platform of the potential; leave --device out, and say platform=CUDA "
                "with --potential-param."
            )
        if not self.available():
            raise InputError(f"OpenMM cannot be used here. {INSTALL}")

    @classmethod
    def status(cls) -> EngineStatus:
        """Return version and devices; OpenMM is not loaded."""
        version = openmm_version()
        return EngineStatus(False, missing=INSTALL) if version is None else EngineStatus(True, version, ("cpu",))

    def session(
        self,
        configuration: Configuration,
        model: Model,
        dynamics: EquationsOfMotion,
        *,
        seed: int,
        log_every: int = 0,
        internal: dict[str, np.ndarray] | None = None,
    ) -> OpenmmSession:
        """Start a Context that holds the system; see `Engine.session`."""
        if dynamics.minimises:
            raise InputError(
                f"The engine openmm does not descend by {dynamics.method}; minimise with `pelplug quench`, or use "
                "another engine."
            )
        return OpenmmSession(configuration, model, dynamics, seed, log_every, internal)


class OpenmmSession(Session):
    """A Context that holds one system.

    Notes
    -----
    OpenMM wants a triangular cell, nm and ps: positions, velocities and forces are turned and converted on the way in
    and out. Positions are the continuous ones.
    """

    def __init__(
        self,
        configuration: Configuration,
        model: Model,
        dynamics: EquationsOfMotion,
        seed: int,
        log_every: int,
        internal: dict[str, np.ndarray] | None,
    ):
        potential = model.potential(configuration)
        answer = NativeData.asked(potential, "openmm", ("system", "platform", "ewald"))
        if answer is None:
            raise InputError(
                f"The engine openmm moves what OpenMM computes; {potential_name(potential)} is no System of it, so use "
                "--engine lammps or hoomd."
            )
        configuration.require_masses("A simulation needs")
        platform = answer.word("platform") if "platform" in answer else "Reference"
        self._start, self._model, self._dynamics = configuration, model, dynamics
        self.step, self._log_every = configuration.step or 0, log_every
        self._length, self._time, self._energy = (
            model.units.factor(_OURS, one) for one in ("length", "time", "energy")
        )
        box, rotation = reduced_box(configuration.cell * self._length)
        self._rotation = rotation
        self._masses = model.masses_of(configuration)
        self.route = f"native: OpenMM's platform {platform}"
        self.relative_error = 1e-9 if platform != "CPU" else _SINGLE
        system = system_of(answer.word("system"), _ewald(answer), box)
        self._integrator = self._prepared(system, seed)
        self._context = start_context(system, self._integrator, platform)
        self._context.setPeriodicBoxVectors(*box.tolist())
        if internal is not None:
            with openmm_errors("OpenMM does not take up its checkpoint", RunError):
                self._context.loadCheckpoint(internal["checkpoint"].tobytes())
            return
        velocities = np.zeros_like(configuration.positions)
        if configuration.velocities is not None:
            velocities = configuration.velocities @ rotation * (self._length / self._time)
        self._context.setPositions(configuration.unwrapped_positions() @ rotation * self._length)
        self._context.setVelocities(velocities)

    def _prepared(self, system: Any, seed: int) -> Any:
        """Give the System the masses, and return the integrator of the equations of motion."""
        openmm, dynamics = load_openmm(), self._dynamics
        scale = self._model.units.factor(_OURS, "mass")
        for k, mass in enumerate(self._masses):
            system.setParticleMass(k, float(mass) * scale)
        time_step = dynamics.time_step * self._time
        if dynamics.method == "nve":
            return _velocity_verlet(openmm, time_step)
        system.addForce(openmm.CMMotionRemover(1))  # the centre of mass is no degree of freedom
        self.thermostat = "the temperature of the positions, and of velocities at half steps; "
        temperature = float(dynamics.temperature or 0.0)
        if dynamics.method == "langevin":
            self.thermostat += "friction and noise, by the middle scheme"
            found = openmm.LangevinMiddleIntegrator(temperature, dynamics.friction / self._time, time_step)
            # The seed goes with the step, so that a run that is taken up again does not repeat its noise.
            found.setRandomNumberSeed((seed * 7919 + self.step * 104729) % 2_000_000_000 + 1)
            return found
        self.thermostat += "Nose-Hoover chain, by the middle scheme"
        relaxation = float(dynamics.thermostat_time or 40.0 * dynamics.time_step) * self._time
        return openmm.NoseHooverIntegrator(temperature, 1.0 / relaxation, time_step)

    # --- the contract -------------------------------------------------------------------------------------------

    def run(self, steps: int) -> EnergyLog:
        """Advance; energies are logged where OpenMM stops, at multiples of ``log_every``."""
        end, rows = self.step + steps, []
        while self.step < end:
            stop = end
            if self._log_every:
                stop = min(end, (self.step // self._log_every + 1) * self._log_every)
            with openmm_errors(f"OpenMM stopped after step {self.step} (use a smaller time step?)", RunError):
                self._advance(stop - self.step)
            self.step = stop
            if self._log_every and self.step % self._log_every == 0:
                rows.append((self.step, self.energy_forces()[0], self._kinetic_temperature()))
        return EnergyLog.of(rows)

    def _advance(self, steps: int) -> None:
        if self._dynamics.end_temperature is None:
            self._integrator.step(steps)
            return
        for k in range(1, steps + 1):  # along a ramp each step has a temperature of its own
            temperature = float(self._dynamics.temperature_at(self.step + k) or 0.0)
            self._integrator.setTemperature(temperature)
            self._integrator.step(1)

    def configuration(self) -> Configuration:
        """Return the state in the axes of the start."""
        positions = self._asked(getPositions=True).getPositions(asNumpy=True)._value / self._length
        velocities = None if self._start.velocities is None else self._velocities()
        return self._start.replace(
            positions=positions @ self._rotation.T, images=None, velocities=velocities, step=self.step
        )

    def energy_forces(self) -> tuple[float, np.ndarray]:
        """Return energy and forces as OpenMM has them."""
        state = self._asked(getEnergy=True, getForces=True)
        forces = state.getForces(asNumpy=True)._value @ self._rotation.T * (self._length / self._energy)
        return float(state.getPotentialEnergy()._value) / self._energy, forces

    def internal(self) -> dict[str, np.ndarray]:
        """Return OpenMM's checkpoint, which has the thermostat's variables and random numbers too."""
        return {"checkpoint": np.frombuffer(self._context.createCheckpoint(), dtype=np.uint8)}

    def close(self) -> None:
        """Let the Context go."""
        self._context = self._integrator = None

    # --- odds and ends ------------------------------------------------------------------------------------------

    def _asked(self, **what: bool) -> Any:
        with openmm_errors("OpenMM cannot compute the state", RunError):
            return self._context.getState(**what)

    def _velocities(self) -> np.ndarray:
        found = self._asked(getVelocities=True).getVelocities(asNumpy=True)._value @ self._rotation.T
        found = found * (self._time / self._length)
        if self._dynamics.thermostatted:  # the noise of the last step moves the centre of mass
            found = found - self._masses @ found / self._masses.sum()
        return found

    def _kinetic_temperature(self) -> float:
        velocities, (n, d) = self._velocities(), self._start.positions.shape
        twice = self._model.mass_unit * float(np.sum(self._masses[:, None] * velocities**2))
        return twice / (self._model.boltzmann * d * (n - 1))


def _ewald(answer: NativeData) -> Ewald | None:
    if "ewald" not in answer:
        return None
    fine = answer.part("ewald", ("screening", "cutoff", "spacing"))
    spacing = fine.number("spacing", least=0.0) if "spacing" in fine else None
    return Ewald(fine.number("screening", least=0.0), fine.number("cutoff", least=0.0), spacing)


def _velocity_verlet(openmm: Any, time_step: float) -> Any:
    """Return Newton's equations with positions and velocities at the same time, which OpenMM's own has not."""
    verlet = openmm.CustomIntegrator(time_step)
    verlet.addUpdateContextState()
    verlet.addComputePerDof("v", "v+0.5*dt*f/m")
    verlet.addComputePerDof("x", "x+dt*v")
    verlet.addComputePerDof("v", "v+0.5*dt*f/m")
    return verlet
