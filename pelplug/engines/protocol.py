"""Protocol: what is simulated, on whatever engine."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from pelplug.configuration import Configuration
from pelplug.core.conditions import Conditions
from pelplug.core.parameters import Param
from pelplug.core.parametrised import Parametrised
from pelplug.engines.engine import EquationsOfMotion
from pelplug.engines.schedule import Schedule
from pelplug.errors import InputError
from pelplug.models.base import Model

__all__ = ["Protocol"]


@dataclasses.dataclass(frozen=True)
class Protocol(Parametrised):
    """What is simulated, on whatever engine.

    Parameters
    ----------
    model : Model
        The interactions.
    dynamics : EquationsOfMotion
        Of the production.
    steps : int
        Of the production.
    schedule : Schedule
        Its frames.
    seed : int
        Of the start, the velocities and the noise.
    n : int or None
        Number of particles, where there is no `start`.
    density : float or None
        Number density; the model's if None [length**-d].
    start : Configuration or None
        State to begin with, instead of a melt.
    equilibration : int or None
        Steps; None for as many as the stationarity of MSD and F_s takes, up to `longest_equilibration`.
    longest_equilibration : int or None
        Where equilibration ends, stationary or not; the longer of `steps` and 100,000 if None.
    melt_steps : int
        Steps at five times the temperature, and as many to cool.
    log_every : int
        Steps between entries of the energy log.
    said : Conditions
        Label, replica and parent temperature, which go into the record of the file.
    """

    noun = "protocol"
    not_parameters = ("model", "dynamics", "schedule", "start", "said")

    model: Model
    dynamics: EquationsOfMotion
    steps: Annotated[int, Param("of the production", minimum=1)]
    schedule: Schedule
    seed: Annotated[int, Param("of the start, the velocities and the noise", minimum=0)]
    n: Annotated[int | None, Param("number of particles, where there is no start", minimum=1)] = None
    density: Annotated[float | None, Param("number density", exclusive_minimum=0.0, unit="1 / length**dimension")] = (
        None
    )
    start: Configuration | None = None
    equilibration: Annotated[int | None, Param("steps before", minimum=0)] = None
    longest_equilibration: Annotated[int | None, Param("where equilibration ends", minimum=0)] = None
    melt_steps: Annotated[int, Param("steps at five times the temperature", minimum=0)] = 5000
    log_every: Annotated[int, Param("steps between entries of the energy log", minimum=1)] = 100
    said: Conditions = Conditions()  # noqa: RUF009 (frozen)

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.n is None) == (self.start is None):
            raise InputError("Say either how many particles (-N) or which file to start from (--start).")

    def record(self) -> dict:
        """Return what the simulation depends on, as plain numbers and text."""
        dynamics = dataclasses.asdict(self.dynamics)
        if self.dynamics.pressure is None:  # as in files that were written before there was one
            dynamics = {name: value for name, value in dynamics.items() if name not in ("pressure", "barostat_time")}
        return {
            "model": self.model.to_dict(),
            **dynamics,
            "steps": self.steps,
            "frames": str(self.schedule),
            "seed": self.seed,
            "n": self.n if self.start is None else self.start.n,
            "density": self.density,
            "equilibration": self.equilibration,
            "longest_equilibration": self.longest_equilibration,
            "melt_steps": self.melt_steps,
            "log_every": self.log_every,
        }
