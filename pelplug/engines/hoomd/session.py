"""One system in the hands of HOOMD-blue."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable

import numpy as np

from pelplug.configuration import Configuration
from pelplug.engines.agreement import summed_error
from pelplug.engines.engine import EnergyLog, EquationsOfMotion, Session
from pelplug.engines.hoomd.forces import choose_route
from pelplug.engines.hoomd.view import HoomdView, Raw
from pelplug.engines.runaway import refuse_runaway
from pelplug.errors import InputError, RunError, reason_of
from pelplug.execution.device import Device
from pelplug.models.base import Model

__all__ = ["HoomdSession"]

_NO_LIMIT = 1e300
_SINGLE = 1e-5  # relative error of a sum over pairs in single precision


class HoomdSession(Session):
    """A ``hoomd.Simulation`` with one model and one integrator; see `pelplug.engines.engine.Session`.

    Attributes
    ----------
    simulation : hoomd.Simulation
        What runs.
    interpolation_error : dict or None
        Of the route ``table``: largest error of pair energy and force, and from which distance [sigma] on.
    """

    def __init__(
        self,
        configuration: Configuration,
        model: Model,
        dynamics: EquationsOfMotion,
        *,
        device,
        kind: str,
        route: str,
        on: Device,
        seed: int,
        log_every: int,
        internal: dict[str, np.ndarray] | None,
    ):
        self._frame = HoomdView(configuration, model, by_mass=dynamics.method == "langevin")
        self._model, self._dynamics = model, dynamics
        self._kind, self._on = kind, on
        raw = self._frame.raw(configuration)
        if internal:
            raw = Raw.from_arrays(internal)
            if not self._frame.agrees(raw, configuration):
                raise InputError("The checkpoint's arrays and its configuration are not of one state; start anew.")
        potential = model.potential(configuration)
        chosen = choose_route(route, potential, self._frame, configuration, kind, virial=dynamics.pressure is not None)
        self.route, self.interpolation_error = chosen.text, chosen.interpolation_error
        self.relative_error = _relative_error(kind, chosen.kind)
        if chosen.errors is not None:
            self.table_error = summed_error(configuration, chosen.cutoff, chosen.errors)
        if kind == "cuda":
            self.device = f"cuda: {getattr(device, 'device', 'unnamed')}"
        elif kind == "mpi":
            self.device = f"mpi: {device.communicator.num_ranks} ranks"
        self._start_time, self._start_step = configuration.time, raw.step
        self.step = raw.step
        self._log = _Log(log_every)
        self._build(chosen, configuration, raw, device, seed)

    @property
    def own_forces(self) -> bool:
        """Whether HOOMD-blue computes the forces; pelplug's kernel on a GPU has neighbours of HOOMD-blue's too."""
        return super().own_forces or self._kind == "cuda"

    # --- building ---------------------------------------------------------------------------------------------

    def _build(self, chosen, configuration, raw, device, seed) -> None:
        import hoomd

        self.simulation = simulation = hoomd.Simulation(device=device, seed=int(seed) % 65536)
        simulation.timestep = raw.step
        simulation.create_state_from_snapshot(self._snapshot(raw, device.communicator))
        simulation.always_compute_pressure = self._dynamics.pressure is not None
        if self._kind == "mpi":
            self._check_domains(chosen.reach, configuration, device.communicator.num_ranks)
        self._force = chosen.build(simulation, self._frame, configuration, raw)
        if chosen.kind == "kernel" and self._kind == "cpu":
            # pelplug's own neighbour list puts near what is near: sorting particles would only cost.
            simulation.operations.tuners.clear()
        everything = hoomd.filter.All()
        simulation.operations.integrator = self._integrator(everything)
        self._thermo = hoomd.md.compute.ThermodynamicQuantities(everything)
        simulation.operations.computes.append(self._thermo)
        if self._dynamics.method == "langevin":
            # The noise of all particles together would move the centre of mass.
            simulation.operations.updaters.append(hoomd.md.update.ZeroMomentum(hoomd.trigger.Periodic(1)))
        if self._log.every:
            self._write(self._log.every, self._log_energy)
        try:
            with self._errors():
                self._run(0)
        except RunError as error:
            if chosen.kind == "kernel" or not isinstance(error.__cause__, AttributeError):
                raise
            # HOOMD-blue can be built without some of its forces, which shows where they are attached.
            raise InputError(
                f"This HOOMD-blue cannot compute by {self.route!r} ({error.__cause__}); say --route kernel, or table."
            ) from error.__cause__
        self._volume = float(self.simulation.state.box.volume)  # at constant pressure it changes
        if raw.acceleration is not None:
            self._set_accelerations(raw.acceleration)
        if raw.thermostat is not None and self._thermostat is not None:
            self._thermostat.translational_dof = tuple(map(float, raw.thermostat))
        if raw.barostat is not None and self._barostat is not None:
            self._barostat.barostat_dof = tuple(map(float, raw.barostat))

    def _check_domains(self, reach: float, configuration: Configuration, ranks: int) -> None:
        parts = np.array(self.simulation.state.domain_decomposition[: self._frame.dimension])
        width = float(np.min(np.where(parts > 1, configuration.heights / parts, np.inf)))
        if width < 2.0 * reach:
            raise InputError(
                f"HOOMD-blue divides the box among {ranks} ranks into domains {width:.4g} wide, and each must be wider "
                f"than twice the cutoff with its margin ({2.0 * reach:.4g}); use fewer ranks or a larger system."
            )

    def _snapshot(self, raw: Raw, communicator):
        import hoomd

        snapshot = hoomd.Snapshot(communicator)
        if snapshot.communicator.rank == 0:
            snapshot.configuration.box = self._frame.box(raw.lower)
            particles = snapshot.particles
            particles.N = self._frame.n
            particles.types = self._frame.names
            particles.typeid[:] = self._frame.types
            particles.mass[:] = self._frame.masses
            particles.position[:] = raw.position
            particles.image[:] = raw.image
            particles.velocity[:] = raw.velocity
        return snapshot

    def _integrator(self, everything):
        import hoomd

        dynamics, methods = self._dynamics, hoomd.md.methods
        if dynamics.method == "fire":
            # HOOMD stops at a root mean square acceleration; this one bounds every component of the force.
            tolerance = dynamics.force_tolerance / np.sqrt(self._frame.dimension * self._frame.n)
            return hoomd.md.minimize.FIRE(
                dt=dynamics.time_step,
                force_tol=tolerance / float(self._frame.masses.max()),
                angmom_tol=_NO_LIMIT,
                energy_tol=_NO_LIMIT,
                methods=[methods.ConstantVolume(everything)],
                forces=[self._force],
            )
        if dynamics.method == "steepest-descent":
            method = methods.OverdampedViscous(everything, default_gamma=1.0)
        elif dynamics.method == "langevin":
            self.thermostat = "Langevin noise"
            method = methods.Langevin(everything, kT=self._target())
            for name, mass in zip(self._frame.names, self._frame.type_masses(), strict=True):
                method.gamma[name] = dynamics.friction * float(mass)
        elif dynamics.method == "nve":
            method = methods.ConstantVolume(everything)
        else:
            self._thermostat = methods.thermostats.MTTK(kT=self._target(), tau=dynamics.thermostat_time)
            self.thermostat = "the temperature of the positions, and of velocities at half steps; MTTK"
            if dynamics.pressure is None:
                method = methods.ConstantVolume(everything, self._thermostat)
            else:
                self._barostat = method = methods.ConstantPressure(
                    everything,
                    S=float(dynamics.pressure),
                    tauS=float(dynamics.barostat_time),
                    couple="xyz" if self._frame.dimension == 3 else "xy",
                    thermostat=self._thermostat,
                )
        return hoomd.md.Integrator(dt=dynamics.time_step, methods=[method], forces=[self._force])

    def _target(self):
        import hoomd

        dynamics, k = self._dynamics, self._model.boltzmann
        if dynamics.end_temperature is None:
            return k * dynamics.temperature
        return hoomd.variant.Ramp(
            A=k * dynamics.temperature,
            B=k * dynamics.end_temperature,
            t_start=dynamics.ramp_start,
            t_ramp=dynamics.ramp_steps,
        )

    def _write(self, period: int, function: Callable[[int], None]) -> None:
        import hoomd

        writer = hoomd.write.CustomWriter(action=_action(function), trigger=hoomd.trigger.Periodic(period))
        self.simulation.operations.writers.append(writer)

    # --- running ----------------------------------------------------------------------------------------------

    def run(self, steps: int) -> EnergyLog:
        """Advance; see `pelplug.engines.engine.Session.run`. Observers are called inside."""
        if steps < 0:
            raise InputError(f"The number of steps must not be negative, not {steps}.")
        self._log.expect(self.step, steps)
        with self._errors():
            self._run(steps)
        self.step = int(self.simulation.timestep)
        if self._dynamics.pressure is not None:
            volume = float(self.simulation.state.box.volume)
            refuse_runaway(self._volume, volume, self._dynamics.pressure, self.step)
        log = self._log.taken()
        if not (np.isfinite(self._thermo.potential_energy) and np.all(np.isfinite(log.potential_energy))):
            raise RunError(
                f"The energy is no longer finite at step {self.step}; use a smaller time step or a melted start."
            )
        if self._dynamics.method == "fire":
            self.converged = float(np.abs(self.energy_forces()[1]).max()) <= self._dynamics.force_tolerance
        return log

    def _run(self, steps: int) -> None:
        kernel = self._force if hasattr(self._force, "begin") else None
        if kernel is not None:
            kernel.begin()
        self.simulation.run(steps)
        if kernel is not None:
            kernel.end()

    def advance(self, steps: int) -> EnergyLog:
        """Advance with the observers called; the same as `run` here."""
        return self.run(steps)

    def observe(self, period: int, callback: Callable[[Configuration, float], None]) -> None:
        """Call ``callback(configuration, potential_energy)`` inside `run` at multiples of so many steps."""
        super().observe(period, callback)

        def look(timestep):
            callback(self._state(self._raw(timestep)), float(self._thermo.potential_energy))

        self._write(period, look)

    def _log_energy(self, timestep: int) -> None:
        more = () if self._barostat is None else (self._thermo.volume, self._thermo.pressure)
        self._log.note(timestep, self._thermo.potential_energy, self._kinetic_temperature(), *more)

    def _kinetic_temperature(self) -> float:
        if self._dynamics.minimises or self._frame.n < 2:
            return float("nan")
        degrees = self._frame.dimension * (self._frame.n - 1)
        return 2.0 * self._thermo.kinetic_energy / (self._model.boltzmann * degrees)

    @contextlib.contextmanager
    def _errors(self):
        """Give the kernels their threads, and turn what HOOMD-blue says of a failure into one sentence."""
        try:
            with self._on:
                yield
        except RunError:
            raise
        except InputError as error:
            raise RunError(f"The simulation failed near step {self.step}: {error}") from None
        except RuntimeError as error:
            said = " ".join(str(error).split()) or type(error).__name__
            if self._dynamics.pressure is not None and "minimum image" in said:
                raise RunError(
                    f"At about step {self.step} the box has become smaller than twice the cutoff with its margin, for "
                    "which HOOMD-blue finds no neighbours; use a larger system, or --engine lammps."
                ) from error
            raise RunError(
                f"HOOMD-blue stopped near step {self.step} ({said}); a smaller time step or a melted start may help."
            ) from error
        except Exception as error:  # of somebody else's evaluator, which HOOMD-blue calls
            raise RunError(
                f"The simulation failed near step {self.step} ({type(error).__name__}: {reason_of(error)})."
            ) from error

    # --- the state --------------------------------------------------------------------------------------------

    def configuration(self) -> Configuration:
        """Return the state; see `pelplug.engines.engine.Session.configuration`."""
        return self._state(self._raw(self.step))

    def energy_forces(self) -> tuple[float, np.ndarray]:
        """Return U and the forces that HOOMD-blue moves the particles with."""
        forces = self._everywhere(self._force.forces)
        return float(self._thermo.potential_energy), forces[:, : self._frame.dimension] @ self._frame.turn

    def pressure(self) -> float:
        """Return the pressure at this moment, as HOOMD-blue has it."""
        return float(self._thermo.pressure)

    def internal(self) -> dict[str, np.ndarray]:
        """Return the raw state of HOOMD-blue, thermostat, barostat and accelerations included.

        A session that is begun with it goes on with the same equations from the same numbers; its trajectory departs
        from the uninterrupted one by rounding only, because neighbours are listed in another order. FIRE begins
        anew from the same positions.
        """
        return self._raw(self.step).to_arrays()

    def close(self) -> None:
        """Let HOOMD-blue free its memory."""
        self.simulation = self._force = self._thermo = self._thermostat = self._barostat = None

    _thermostat = _barostat = None

    def _state(self, raw: Raw) -> Configuration:
        time = None
        if self._start_time is not None:
            time = self._start_time + (raw.step - self._start_step) * self._dynamics.time_step
        if self._dynamics.method == "langevin":
            raw = dataclasses.replace(raw, velocity=self._without_drift(raw.velocity))
        return self._frame.configuration(raw, time, velocities=not self._dynamics.minimises)

    def _without_drift(self, velocity: np.ndarray) -> np.ndarray:
        # What ZeroMomentum does before the next step: the same momentum taken from every particle.
        masses = self._frame.masses[:, None]
        return velocity - (masses * velocity).mean(axis=0) / masses

    def _raw(self, step: int) -> Raw:
        snapshot = self.simulation.state.get_snapshot()
        arrays = (None,) * 4
        if snapshot.communicator.rank == 0:
            p = snapshot.particles
            arrays = tuple(np.array(a) for a in (p.position, p.image, p.velocity, p.acceleration))
        thermostat = None if self._thermostat is None else np.array(self._thermostat.translational_dof)
        lower = barostat = None
        if self._barostat is not None:
            lower = self._frame.lower_of(self.simulation.state.box)
            barostat = np.array(self._barostat.barostat_dof)
        return Raw(step, *self._everywhere(arrays), thermostat=thermostat, lower=lower, barostat=barostat)

    def _set_accelerations(self, accelerations: np.ndarray) -> None:
        # HOOMD computes them from the forces at the start; after a Langevin step they held the noise as well.
        with self.simulation.state.cpu_local_snapshot as data:
            data.particles.acceleration[:] = accelerations[np.array(data.particles.tag)]

    def _everywhere(self, value):
        """Under MPI, hand what only the first rank has to all of them."""
        if self._kind != "mpi":
            return value
        from mpi4py import MPI

        return MPI.COMM_WORLD.bcast(value, root=0)


def _relative_error(kind: str, route: str) -> float:
    """Return how far HOOMD-blue's forces may be from exact ones.

    By its documentation those of pairs are in single precision; on CPUs version 4 has them in double.
    """
    import hoomd

    single = getattr(hoomd.version, "floating_point_precision", (64, 64))[-1] < 64
    measured = kind != "cuda" and hoomd.version.version.startswith("4.")
    return _SINGLE if single and not measured and route != "kernel" else HoomdSession.relative_error


class _Log:
    """Energies of one run, in arrays made before it."""

    def __init__(self, every: int):
        if every < 0:
            raise InputError(f"The energies are logged every so many steps, or never with 0, not {every}.")
        self.every = every
        self.expect(0, 0)

    def expect(self, step: int, steps: int) -> None:
        count = (step + steps) // self.every - step // self.every if self.every else 0
        self._step, self._values = np.empty(count, dtype=np.int64), np.empty((count, 4))
        self._n = self._known = 0

    def note(self, step: int, *values: float) -> None:
        at, self._known = self._n, len(values)
        self._step[at], self._values[at, : len(values)] = step, values
        self._n = at + 1

    def taken(self) -> EnergyLog:
        known = self._known if self._n else 2
        return EnergyLog(self._step[: self._n], *np.ascontiguousarray(self._values[: self._n, :known].T))


def _action(function: Callable[[int], None]):
    import hoomd

    class Call(hoomd.custom.Action):
        def act(self, timestep):
            function(timestep)

    return Call()
