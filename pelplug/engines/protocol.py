"""Protocol: what is simulated, on whatever engine."""

from __future__ import annotations

import dataclasses

from pelplug.configuration import Configuration
from pelplug.core.conditions import Conditions
from pelplug.engines.engine import Dynamics
from pelplug.engines.schedule import Schedule
from pelplug.errors import InputError
from pelplug.models.base import Model

__all__ = ["Protocol"]


@dataclasses.dataclass(frozen=True)
class Protocol:
    """What is simulated, on whatever engine.

    Parameters
    ----------
    model : Model
        The interactions.
    dynamics : Dynamics
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
        Label, replica and parent temperature, which go into the record of the file and change nothing else.
    """

    model: Model
    dynamics: Dynamics
    steps: int
    schedule: Schedule
    seed: int
    n: int | None = None
    density: float | None = None
    start: Configuration | None = None
    equilibration: int | None = None
    longest_equilibration: int | None = None
    melt_steps: int = 5000
    log_every: int = 100
    said: Conditions = Conditions()  # noqa: RUF009 (frozen)

    def __post_init__(self):
        for name, least in (("steps", 1), ("melt_steps", 0), ("log_every", 1), ("seed", 0)):
            if getattr(self, name) < least:
                words = name.replace("_", " ")
                raise InputError(f"The {words} must be a whole number of at least {least}, not {getattr(self, name)}.")
        if self.equilibration is not None and self.equilibration < 0:
            raise InputError(f"The steps of equilibration cannot be negative ({self.equilibration}).")
        if (self.n is None) == (self.start is None):
            raise InputError("Say either how many particles (-N) or which file to start from (--start).")

    def record(self) -> dict:
        """Return what the simulation depends on, as plain numbers and text."""
        dynamics = dataclasses.asdict(self.dynamics)
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
