"""What a user asks of a simulation: what is simulated, by which program, where it goes, and how many of it."""

from __future__ import annotations

import dataclasses
import pathlib
import warnings
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pelplug.core.arguments import Arguments
from pelplug.core.given import Label, ParentTemperature
from pelplug.core.parameters import Param, unknown_parameter
from pelplug.errors import InputError
from pelplug.execution.placement import Computing

if TYPE_CHECKING:
    from pelplug.engines.engine import Engine
    from pelplug.engines.protocol import Protocol
    from pelplug.models.base import Model
    from pelplug.potentials.base import Potential

__all__ = ["Isoconfigurational", "Program", "Recording", "Replication", "Request"]

ENSEMBLES = ("nvt", "npt", "nve", "langevin")
_CONSTANT_VOLUME = ("nvt", "nve", "langevin")
MINIMISERS = ("fire", "steepest-descent")
"""What goes down in energy instead of moving in time."""

# What several kinds of run share.
_TimeStep = Annotated[
    float | None, Param("time of one step, the model's by default", metavar="DT", exclusive_minimum=0.0, unit="time")
]
_ThermostatTime = Annotated[
    float | None,
    Param(
        "relaxation time of the thermostat of nvt, 40 time steps by default",
        metavar="TAU",
        exclusive_minimum=0.0,
        unit="time",
    ),
]
_Friction = Annotated[
    float, Param("friction of Langevin dynamics over mass", metavar="GAMMA", exclusive_minimum=0.0, unit="1 / time")
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request(Arguments):
    """What is simulated."""

    in_order: ClassVar[tuple[str, ...]] = ("n", "temperature", "steps")

    n: Annotated[
        int | None,
        Param("number of particles, where there is no start", metavar="N", minimum=1, option="particles", short="N"),
    ] = None
    temperature: Annotated[
        float | None,
        Param(
            "temperature, in the units of the model",
            metavar="T",
            exclusive_minimum=0.0,
            unit="temperature",
            short="T",
        ),
    ] = None
    steps: Annotated[
        int | None,
        Param("steps to produce after equilibration; of a ramp, its length", metavar="N", minimum=1),
    ] = None
    end_temperature: Annotated[
        float | None,
        Param(
            "cool or heat linearly to this temperature",
            metavar="T",
            exclusive_minimum=0.0,
            unit="temperature",
            option="to",
        ),
    ] = None
    rate: Annotated[
        float | None,
        Param(
            "temperature per time of the ramp, in place of steps",
            metavar="R",
            exclusive_minimum=0.0,
            unit="temperature / time",
        ),
    ] = None
    ensemble: Annotated[str, Param("equations of motion", choices=ENSEMBLES)] = "nvt"
    minimise: Annotated[
        str | None,
        Param(
            "go down in energy instead of moving in time",
            choices=MINIMISERS,
            details="By FIRE, or overdamped without noise: ``zeta dr/dt = -grad U`` with a fixed step.",
        ),
    ] = None
    seed: Annotated[int, Param("makes the run repeatable", metavar="N", minimum=0)] = 0
    frames: Annotated[
        int | str | None,
        Param(
            "steps between frames, log[:PER_DECADE], or blocks:LENGTH[:PER_DECADE]; about 1000 frames by default",
            metavar="SPEC",
        ),
    ] = None
    log_every: Annotated[
        int | None, Param("steps between energies, 100 or a 1000th by default", metavar="N", minimum=1)
    ] = None
    equilibration: Annotated[
        int | Literal["auto"] | None,
        Param(
            "steps before; auto: until MSD and F_s are stationary",
            metavar="auto|N",
            minimum=0,
            details="None is auto too.",
        ),
    ] = "auto"
    longest_equilibration: Annotated[
        int | None,
        Param("where auto gives up, the longer of steps and 100000 by default", metavar="N", minimum=1),
    ] = None
    melt_steps: Annotated[int, Param("steps at 5 T, and as many to cool", metavar="N", minimum=0)] = 5000
    start: Annotated[
        Any, Param("begin with the last frame of a file", metavar="FILE", details="Or with a `Configuration`.")
    ] = None
    density: Annotated[
        float | None,
        Param(
            "number density, the model's by default", metavar="RHO", exclusive_minimum=0.0, unit="1 / length**dimension"
        ),
    ] = None
    pressure: Annotated[
        float | None,
        Param(
            "hold this pressure from equilibration on (npt), in the units of the model",
            metavar="P",
            unit="energy / length**dimension",
            details="In metal units eV/Angstrom**3, in which 1 bar is 6.2415e-7.",
        ),
    ] = None
    time_step: _TimeStep = None
    thermostat_time: _ThermostatTime = None
    barostat_time: Annotated[
        float | None,
        Param(
            "relaxation time of the barostat of npt, 400 time steps by default",
            metavar="TAU",
            exclusive_minimum=0.0,
            unit="time",
        ),
    ] = None
    friction: _Friction = 1.0
    force_tolerance: Annotated[
        float,
        Param(
            "largest force component at which fire stops", metavar="F", exclusive_minimum=0.0, unit="energy / length"
        ),
    ] = 1e-6
    parent_temperature: ParentTemperature = None
    label: Label = None
    replica: Annotated[int | None, Param("which of several independent runs this is", minimum=0, option="")] = None

    def __post_init__(self) -> None:
        if self.ensemble in MINIMISERS:  # as they were given once
            warnings.warn(
                f"{self.ensemble} is no ensemble; it is taken as --minimise {self.ensemble} "
                f"(minimise={self.ensemble!r} in Python), which is to be given",
                stacklevel=2,
            )
            self._set("minimise", self.minimise or self.ensemble)
            self._set("ensemble", "nvt")
        super().__post_init__()
        if self.minimise is not None and self.ensemble != "nvt":
            raise InputError("A minimisation has no ensemble; give either --minimise or --ensemble.")
        self._settle_pressure()
        if self.equilibration == "auto":
            self._set("equilibration", None)
        if self.rate is None and self.steps is None:
            raise InputError("Say how many steps to produce (--steps).")
        if self.rate is not None and (self.end_temperature is None or self.temperature is None):
            raise InputError("A rate needs a ramp: give the temperatures where it starts (-T) and ends (--to).")
        if self.rate is not None and self.steps is not None:
            raise InputError("Give the length of a ramp either as --steps or by its --rate, not both.")
        if (self.n is None) == (self.start is None):
            raise InputError("Say either how many particles (-N) or which file to start from (--start).")

    def _settle_pressure(self) -> None:
        """Make the ensemble that of constant pressure where one is asked for."""
        if self.pressure is None:
            if self.ensemble == "npt":
                raise InputError("The ensemble npt needs a pressure; give one (--pressure).")
            if self.barostat_time is not None:
                raise InputError("A barostat holds a pressure; give one (--pressure), or leave out --barostat-time.")
            return
        if self.minimise is not None:
            raise InputError("A minimisation is done at constant volume; leave out --pressure.")
        if self.ensemble not in ("nvt", "npt"):
            raise InputError(
                f"A pressure is held by the ensemble npt, not by {self.ensemble}; leave out --pressure or --ensemble."
            )
        self._set("ensemble", "npt")

    def protocol(self, model: Model) -> Protocol:
        """Return the protocol of a model that this asks for, with all that is not said filled in.

        Raises
        ------
        InputError
            If the model has no time step and none is given, or the parts do not go together.
        """
        from pelplug.core.conditions import Conditions
        from pelplug.engines.engine import EquationsOfMotion
        from pelplug.engines.protocol import Protocol
        from pelplug.engines.schedule import Schedule

        time_step, steps = time_step_of(model, self.time_step), self.steps
        if self.rate is not None:
            steps = max(1, round(abs(self.end_temperature - self.temperature) / (self.rate * time_step)))
        ramp = {} if self.end_temperature is None else {"end_temperature": self.end_temperature, "ramp_steps": steps}
        # Some engines begin a minimisation anew after each frame.
        rare = self.frames is None and self.minimise == "fire"
        return Protocol(
            model=model,
            dynamics=EquationsOfMotion(
                method=self.minimise or self.ensemble,
                time_step=time_step,
                temperature=self.temperature,
                thermostat_time=self.thermostat_time,
                friction=self.friction,
                force_tolerance=self.force_tolerance,
                pressure=self.pressure,
                barostat_time=self.barostat_time,
                **ramp,
            ),
            steps=steps,
            schedule=Schedule.parse(max(100, steps // 1000) if rare else self.frames, steps),
            seed=self.seed,
            n=self.n,
            density=self.density,
            start=self.start,
            equilibration=self.equilibration,
            longest_equilibration=self.longest_equilibration,
            melt_steps=self.melt_steps,
            log_every=max(1, min(100, steps // 1000)) if self.log_every is None else self.log_every,
            said=Conditions(label=self.label, replica=self.replica, parent_temperature=self.parent_temperature),
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Isoconfigurational(Arguments):
    """How runs from one configuration are made."""

    replicas: Annotated[int, Param("how many runs", minimum=1)] = 20
    seed: Annotated[Any, Param("of the velocities: a whole number, or several")] = 0
    ensemble: Annotated[str, Param("equations of motion, at constant volume", choices=_CONSTANT_VOLUME)] = "nve"
    time_step: _TimeStep = None
    thermostat_time: _ThermostatTime = None
    friction: _Friction = 1.0
    together: Annotated[
        bool,
        Param(
            "run all replicas in one simulation, in which no force acts between them: one start of the engine for all",
            details="Never with nvt, whose thermostat would tie them together.",
        ),
    ] = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Program(Computing):
    """What simulates, and on what."""

    engine: Annotated[
        str,
        Param(
            "what simulates; auto: HOOMD-blue if it is installed, else LAMMPS; the program of a --potential",
            metavar="auto|hoomd|lammps",
        ),
    ] = "auto"
    engine_options: Annotated[
        dict[str, Any] | None,
        Param("options of the engine, which are keywords of their own as well", option=""),
    ] = None

    def started(
        self,
        engines: Mapping[str, type[Engine]],
        more: Mapping[str, Any],
        others: Iterable[str],
        potential: Potential | None = None,
    ) -> Engine:
        """Return the engine, ready to take up systems.

        Parameters
        ----------
        engines : mapping of str to type
            Those there are.
        more : mapping
            Options of the engine that were given as keywords of the call.
        others : iterable of str
            Other keywords of the call, one of which may have been meant.
        potential : Potential, optional
            What was given in place of a model, which may belong to an engine.

        Raises
        ------
        InputError
            If there is no such engine or option, or it cannot be used.
        """
        from pelplug.engines.run import choose_engine

        cls = choose_engine(self.engine, engines, potential)
        options = {**(self.engine_options or {}), **more}
        known = cls.parameter_specs()
        for name in options:
            if name not in known:
                raise InputError(unknown_parameter(name, known, f"the engine {cls.name}", others))
        return cls(device=self.device, threads=self.threads, **options)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recording(Arguments):
    """Where a simulation goes."""

    in_order: ClassVar[tuple[str, ...]] = ("output",)

    output: Annotated[pathlib.Path, Param("trajectory to write", metavar="TRAJ.gsd", short="o")]
    overwrite: Annotated[bool, Param("replace existing output files")] = False
    checkpoint_seconds: Annotated[
        float, Param("wall time between checkpoints, in seconds", metavar="SECONDS", minimum=0.0, option="checkpoint")
    ] = 60.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.output.suffix.lower() != ".gsd":
            raise InputError(f"A simulation writes a GSD file; give {self.output.name} the ending .gsd.")

    def of_replica(self, seed: int) -> Recording:
        """Return where the replica of a seed goes: ``traj.gsd`` becomes ``traj-seed5.gsd``."""
        return dataclasses.replace(self, output=output_of_replica(self.output, seed))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Replication(Arguments):
    """How many simulations."""

    replicas: Annotated[
        int,
        Param(
            "independent runs: seeds seed, seed + 1, ..., files -seedN.gsd",
            metavar="N",
            minimum=1,
        ),
    ] = 1
    workers: Annotated[int, Param("replicas to run at once, each in a process of its own", metavar="N", minimum=1)] = 1


def time_step_of(model: Model, given: float | None) -> float:
    """Return the time step that is given, or the model's own."""
    if given is None and model.time_step is None:
        raise InputError(f"The {model.noun} {model.name} has no time step of its own; give one (--time-step).")
    return model.time_step if given is None else given


def output_of_replica(output, seed: int) -> pathlib.Path:
    """Return the path with the seed of a replica before its ending."""
    output = pathlib.Path(output)
    return output.with_name(f"{output.stem}-seed{seed}{output.suffix}")
