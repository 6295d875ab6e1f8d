"""Engine: a program that moves particles; Session: one system that it moves; EquationsOfMotion: how.

A protocol (`pelplug.engines.driver`) speaks to every engine in these words only. An engine knows how to compute the
forces of a model and to integrate them; when to write a frame, when a liquid is in equilibrium and how to go on after
a kill are the driver's.
"""

from __future__ import annotations

import abc
import dataclasses
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np

from pelplug.core.parameters import Param
from pelplug.core.parametrised import Parametrised
from pelplug.engines.agreement import compared
from pelplug.engines.energy_log import EnergyLog
from pelplug.engines.request import ENSEMBLES, MINIMISERS
from pelplug.errors import InputError
from pelplug.execution.device import Device
from pelplug.execution.ranks import ALONE, Ranks

if TYPE_CHECKING:
    from collections.abc import Callable

    from pelplug.configuration import Configuration
    from pelplug.models.base import Model

__all__ = ["METHODS", "EnergyLog", "Engine", "EngineStatus", "EquationsOfMotion", "Session"]

METHODS = (*ENSEMBLES, *MINIMISERS)


_FEWEST_STEPS = {"thermostat_time": 2, "barostat_time": 10}
_TEMPERATURE = {"exclusive_minimum": 0.0, "unit": "temperature"}
_TIME = {"exclusive_minimum": 0.0, "unit": "time"}


@dataclasses.dataclass(frozen=True)
class EquationsOfMotion(Parametrised):
    """Equations of motion, and the numbers in them.

    Parameters
    ----------
    method : {"nvt", "npt", "nve", "langevin", "steepest-descent", "fire"}
        An ensemble, or how to go down in energy: Nosé–Hoover (canonical, MTTK where the engine has it), the same with
        an isotropic barostat (Martyna, Tobias and Klein, J. Chem. Phys. 101, 4177 (1994)), Newton, Langevin; overdamped
        without noise (``zeta dr/dt = -grad U``, fixed step), or minimisation by FIRE.
    time_step : float
        [time]; for steepest-descent in units of ``zeta length**2 / energy``.
    temperature : float, optional
        T of the thermostat (nvt, npt, langevin), in the model's units: ``model.boltzmann`` times it is an energy.
    end_temperature : float, optional
        Where a linear ramp of the thermostat ends; constant temperature if None.
    ramp_start, ramp_steps : int
        Absolute step at which the ramp starts, and its length.
    thermostat_time : float, optional
        Relaxation time of the Nosé–Hoover thermostat; 40 time steps if None [time].
    friction : float
        Langevin friction coefficient over mass [1 / time].
    force_tolerance : float
        Largest force component at which FIRE stops [energy / length].
    pressure : float, optional
        P of the barostat (npt) [energy / length**d].
    barostat_time : float, optional
        Relaxation time of the barostat; 400 time steps if None [time].

    Raises
    ------
    InputError
        If a number is out of range or one that the method needs is missing.
    """

    noun = "dynamics"

    method: Annotated[str, Param("equations of motion")]
    time_step: Annotated[float, Param("time step", **_TIME)]
    temperature: Annotated[float | None, Param("of the thermostat", **_TEMPERATURE)] = None
    end_temperature: Annotated[float | None, Param("where a ramp of the thermostat ends", **_TEMPERATURE)] = None
    ramp_start: Annotated[int, Param("step at which the ramp starts", minimum=0)] = 0
    ramp_steps: Annotated[int, Param("its length in steps", minimum=0)] = 0
    thermostat_time: Annotated[float | None, Param("relaxation time of the thermostat", **_TIME)] = None
    friction: Annotated[float, Param("of Langevin dynamics over mass", exclusive_minimum=0.0, unit="1 / time")] = 1.0
    force_tolerance: Annotated[
        float, Param("largest force component at which fire stops", exclusive_minimum=0.0, unit="energy / length")
    ] = 1e-6
    pressure: Annotated[float | None, Param("of the barostat", unit="energy / length**dimension")] = None
    barostat_time: Annotated[float | None, Param("relaxation time of the barostat", **_TIME)] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.method not in METHODS:
            raise InputError(
                f"There is no ensemble {self.method!r}; it is one of {', '.join(ENSEMBLES)}, or a minimiser: "
                f"{', '.join(MINIMISERS)}."
            )
        if self.thermostatted and self.temperature is None:
            raise InputError(f"The ensemble {self.method} needs a temperature; give one with -T.")
        if (self.method == "npt") != (self.pressure is not None):
            raise InputError("The ensemble npt, and no other, needs a pressure; give both or neither.")
        if self.end_temperature is not None and not (self.thermostatted and self.ramp_steps > 0):
            raise InputError("A temperature ramp needs a thermostat (nvt, npt or langevin) and a number of steps.")
        if self.thermostat_time is None:
            object.__setattr__(self, "thermostat_time", 40.0 * self.time_step)
        if self.barostat_time is None and self.pressure is not None:
            object.__setattr__(self, "barostat_time", 400.0 * self.time_step)
        for name, fewest in _FEWEST_STEPS.items():
            time = getattr(self, name)
            if time is not None and time < fewest * self.time_step * (1.0 - 1e-9):
                raise InputError(
                    f"The {name.replace('_', ' ')} is {time:g}, less than {fewest} time steps of {self.time_step:g}, "
                    f"over which nothing relaxes stably; raise --{name.replace('_', '-')}."
                )

    @property
    def thermostatted(self) -> bool:
        """Whether a thermostat holds the temperature."""
        return self.method in ("nvt", "npt", "langevin")

    @property
    def minimises(self) -> bool:
        """Whether this goes down in energy instead of moving in time."""
        return self.method in MINIMISERS

    def temperature_at(self, step: int) -> float | None:
        """Return the temperature of the thermostat at an absolute step, in the model's units."""
        if self.end_temperature is None or self.temperature is None:
            return self.temperature
        done = min(max((step - self.ramp_start) / self.ramp_steps, 0.0), 1.0)
        return self.temperature + done * (self.end_temperature - self.temperature)


@dataclasses.dataclass(frozen=True)
class EngineStatus:
    """What ``pelplug engines`` says of an engine on this machine.

    Attributes
    ----------
    available : bool
        Whether it can be used.
    version : str
        Its version; empty if it is not installed.
    devices : tuple of str
        What it can run on here, as ``("cpu", "gpu: NVIDIA H100")``.
    missing : str
        What to do to have it, or more of it; one sentence, or empty.
    """

    available: bool
    version: str = ""
    devices: tuple[str, ...] = ()
    missing: str = ""


class Engine(Parametrised, abc.ABC):
    """A simulation program; its options are keyword-only arguments annotated with `pelplug.Param`.

    A subclass has `name`, `summary`, `status` and `session`. It gets the forces from the model: by
    ``model.potential(configuration).evaluator(configuration)``, or by forms of its own, for which it asks the potential
    ``native(name)`` and never goes by names or classes. What a session of its own forces begins with is compared with
    the potential, and refused where it differs; see `Session`.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"} or Device
        What to run on; auto is a GPU where the engine can use one, else the CPU.
    threads : int, optional
        Threads on a CPU; see `pelplug.Device`.

    Attributes
    ----------
    name, summary : str
        Name on the command line, and one line about it.
    holds_pressure : bool
        Whether it has the ensemble npt: its sessions then give the cell as it is, log volume and pressure, and have
        `Session.pressure`. Without it npt is refused before `session` is asked.
    any_potential : bool
        Whether it moves particles of any potential, by pelplug's kernel if need be.
    device : Device
        With what is not said here as it is around: sessions compute under it.
    parameters : dict
        Value of every option, defaults included; recorded with each simulation.
    ranks : Ranks
        The processes that share each session; this one alone unless the engine says otherwise.

    Raises
    ------
    InputError
        If it is not installed or has no such device.
    """

    noun = "engine"
    not_parameters = ("device", "threads")
    summary: ClassVar[str]
    holds_pressure: ClassVar[bool] = False
    any_potential: ClassVar[bool] = True
    ranks: Ranks = ALONE

    device: Device = Device()

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "session" in vars(cls):
            cls.session = compared(cls.session)  # type: ignore[method-assign]  # the same, looked after

    def __init__(self, device: str | Device = "auto", threads: int | None = None):
        self.device = Device.of(device, threads)

    @classmethod
    def available(cls) -> bool:
        """Return whether the engine can be used on this machine."""
        return cls.status().available

    @classmethod
    def status(cls) -> EngineStatus:
        """Return version, devices, and what is missing; by default it is there, on the processor."""
        return EngineStatus(True, devices=("cpu",))

    @abc.abstractmethod
    def session(
        self,
        configuration: Configuration,
        model: Model,
        dynamics: EquationsOfMotion,
        *,
        seed: int,
        log_every: int = 0,
        internal: dict[str, np.ndarray] | None = None,
    ) -> Session:
        """Take up a system.

        Parameters
        ----------
        configuration : Configuration
            Two- or three-dimensional state with velocities (but for minimisation); its ``step`` is where the count
            goes on, 0 if None.
        model : Model
            The interactions.
        dynamics : EquationsOfMotion
            Equations of motion.
        seed : int
            Of the noise, if there is any.
        log_every : int
            Log energies at multiples of this many steps; 0 for never.
        internal : dict of str to ndarray, optional
            From `Session.internal` of a session that was cut off: the new one goes on where that one was.

        Returns
        -------
        Session

        Raises
        ------
        InputError
            If this engine cannot run the model, the dimension, the box or the dynamics.
        """


class Session(abc.ABC):
    """One system in the hands of an engine.

    Attributes
    ----------
    step : int
        Absolute step it is at.
    route : str
        How the forces are computed, and by what: ``kernel: ...`` by the potential's evaluator; by the engine itself
        ``native: ...`` or ``table: ...``, with the engine's name for the form.
    relative_error, table_error : float, tuple of float
        How far energy and forces that the engine computes itself may be from the potential's: relative to the energy
        and the largest force (or what forces that cancel are made of); and what interpolation adds to that, of the
        energy [energy] and a force component [energy / length].
    agreement : tuple of float, or None
        How far they were at the start: of the energy, and the largest of a force component.
    device : str
        What the forces are computed on: ``cpu``, ``cuda: NAME`` or ``mpi: N ranks``.
    thermostat : str
        Which temperature is held, and by what; empty without a thermostat.
    converged : bool
        Whether a minimisation has reached its tolerance.
    observers : tuple of (int, callable)
        What `observe` was given.
    """

    step: int
    route: str
    relative_error: float = 1e-9
    table_error: tuple[float, float] = (0.0, 0.0)
    agreement: tuple[float, float] | None = None
    device: str = "cpu"
    thermostat: str = ""
    converged: bool = False
    observers: tuple[tuple[int, Callable[[Configuration, float], None]], ...] = ()

    @property
    def own_forces(self) -> bool:
        """Whether the engine computes the forces by itself, so that they are compared with the potential's."""
        return not self.route.startswith("kernel")

    @abc.abstractmethod
    def run(self, steps: int) -> EnergyLog:
        """Advance by so many steps and return what was logged at multiples of ``log_every`` after the first one.

        Raises
        ------
        RunError
            If the engine failed or the energy is no longer finite.
        """

    @abc.abstractmethod
    def configuration(self) -> Configuration:
        """Return the state in float64: positions in the cell of the start, or at constant pressure of now; velocities.

        Positions are wrapped and have images, or they are the continuous ones and have none: either way
        `Configuration.unwrapped_positions` goes on from that of the start.
        """

    @abc.abstractmethod
    def energy_forces(self) -> tuple[float, np.ndarray]:
        """Return U [energy] and the forces, shape (N, d) [energy / length], as the engine computes them.

        Those of the interactions alone, without the noise or friction of a thermostat; before the first step too.
        """

    def pressure(self) -> float:
        """Return the pressure at this moment, of the forces and the velocities [energy / length**d].

        An engine that holds a pressure has it.
        """
        raise NotImplementedError(f"{type(self).__name__} holds no pressure")

    def internal(self) -> dict[str, np.ndarray]:
        """Return what, besides the configuration, the engine needs to go on: thermostat variables and the like.

        By default nothing.
        """
        return {}

    def observe(self, period: int, callback: Callable[[Configuration, float], None]) -> None:
        """Have a callable look at the state every so many steps, without a trajectory on disk.

        Parameters
        ----------
        period : int
            Steps; the callable is called after each step whose absolute number is a multiple.
        callback : callable
            ``callback(configuration, potential_energy)``; an analysis for example.
        """
        if period < 1:
            raise InputError(f"A simulation is observed every so many steps, at least 1, not {period}.")
        self.observers = (*self.observers, (int(period), callback))

    def advance(self, steps: int) -> EnergyLog:
        """Do what `run` does, and call the observers at their steps.

        An engine that can call them from inside overrides this; here `run` is stopped for them.
        """
        logs, end = [], self.step + steps
        while True:
            stops = [(self.step // period + 1) * period for period, _ in self.observers]
            logs.append(self.run(min([end, *stops]) - self.step))
            due = [callback for period, callback in self.observers if self.step % period == 0]
            if due and steps > 0:
                state, energy = self.configuration(), self.energy_forces()[0]
                for callback in due:
                    callback(state, energy)
            if self.step >= end:
                return EnergyLog.joined(logs)

    def close(self) -> None:  # noqa: B027 (most have nothing to give back)
        """Give back what the engine holds; the session is of no use after."""

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
