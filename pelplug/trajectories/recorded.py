"""What a file itself records of its conditions: the run that wrote it, or what another file was made from."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from pelplug.core.conditions import Conditions, Ramp, same_value
from pelplug.errors import InputError, PelplugError
from pelplug.trajectories.part import TrajectoryPart

__all__ = ["RecordedConditions", "joined_conditions", "of_simulation", "with_density"]

_STEADY = 1e-5  # a cell that changes by less is one that was written with few digits
_LOOKED_AT = 5  # frames; a barostat changes the cell in nearly every one


class RecordedConditions(TrajectoryPart):
    """The part of a `Trajectory` that knows at what conditions its frames were sampled."""

    @property
    def conditions(self) -> Conditions:
        """Temperature and the like of all frames, and their density if it is the same in all; see `conditions_of`."""
        frames = range(self.n_frames)
        return with_density(self.conditions_of(frames), self, frames)

    def conditions_of(self, frames: Sequence[int]) -> Conditions:
        """Return at what conditions some frames were sampled: what the file records, and what was said of it.

        Parameters
        ----------
        frames : sequence of int
            Their numbers.

        Returns
        -------
        Conditions
            In `units`, without the density: no frame is read. What is not the same in all is in `Conditions.several`.

        Raises
        ------
        InputError
            If what was said contradicts the file, or the file itself.
        """
        found = _recorded(self._condition_records, frames, self.path)
        if not found.units.is_stated:
            found = dataclasses.replace(found, units=self.file_units)
        found = dataclasses.replace(found, n=self.n, density=None).in_units(self.units, self.dimension)
        return found.merged(self._given, str(self.path))

    @functools.cached_property
    def _condition_records(self) -> dict:
        return getattr(self.reader, "condition_records", dict)()

    def under(self, given: Conditions) -> Self:
        """Return the same trajectory with more said of its conditions: what the file does not record.

        Parameters
        ----------
        given : Conditions
            Its temperature, parent temperature, pressure, replica and label.
        """
        other = copy.copy(self)
        other._given = self._given.merged(given, f"What was said of {self.path}")
        return other


def of_simulation(record: Mapping[str, Any]) -> Conditions:
    """Return what the record of a simulation says, `SimulationResult.record`.

    A thermostat gives the temperature, one that changes a ramp; a barostat gives the pressure. At constant energy the
    temperature is that of the thermostat that was there before, if there was one. A minimisation has no temperature:
    its states come from the liquid that it began with.

    Raises
    ------
    InputError
        If a number in it cannot be what it says.
    """
    temperature, end = record.get("temperature"), record.get("end_temperature")
    found: dict[str, Any] = {name: record.get(name) for name in ("n", "seed", "replica", "label", "parent_temperature")}
    method = record.get("method")
    if temperature is not None and end is not None:
        time = (record.get("ramp_steps") or 0) * (record.get("time_step") or 0.0)
        found["ramp"] = Ramp(float(temperature), float(end), abs(end - temperature) / time if time > 0 else None)
    elif method in ("steepest-descent", "fire"):
        if temperature is not None and _was_thermostatted(record):
            found["parent_temperature"] = temperature
    elif method != "nve" or _was_thermostatted(record):
        found["temperature"] = temperature
    if method == "npt":
        found["pressure"] = record.get("pressure")
    return Conditions(**found)


def _was_thermostatted(record: Mapping[str, Any]) -> bool:
    """Tell whether a simulation was at its temperature before production: melt and cool, or equilibrate."""
    report = record.get("equilibration_report")
    steps = report.get("steps") if isinstance(report, Mapping) else record.get("equilibration")
    return bool(steps) or (record.get("start") is None and bool(record.get("melt_steps")))


def _recorded(records: Mapping[int, Mapping[str, Mapping]], frames: Sequence[int], source: Any) -> Conditions:
    """Return what the records of a file say of some of its frames; nothing, where there are none.

    Parameters
    ----------
    records : mapping of int to mapping
        For each frame that carries any: ``simulation`` and ``conditions``, as they stand. They are of this frame and
        of all that follow until the next; files that were joined have more than one.
    frames : sequence of int
        Which are asked for, ascending or not.
    source : path_like
        The file, for sentences.

    Raises
    ------
    InputError
        If two records of one frame contradict each other, or one is damaged.
    """
    begins = np.array(sorted(records), dtype=np.int64)
    places = np.unique(np.searchsorted(begins, np.asarray(frames, dtype=np.int64), side="right"))
    parts = [Conditions() if place == 0 else _of(records[int(begins[place - 1])], source) for place in places]
    return Conditions.joined(parts) if parts else Conditions()


def _of(found: Mapping[str, Mapping], source: Any) -> Conditions:
    try:
        said = Conditions.from_record(found.get("conditions", {}))
        if "simulation" not in found:
            return said
        run = of_simulation(found["simulation"])
    except (InputError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"The conditions that {source} records are damaged: {error}") from None
    remedy = "write its frames anew (pelplug.write_trajectory) and give --temperature"
    return run.merged(said, f"The simulation record of {source}", "its record of conditions", remedy)


def with_density(conditions: Conditions, trajectory: Any, frames: Sequence[int]) -> Conditions:
    """Return conditions with the number density of the frames, or with density among what is not the same in all.

    The first of each trajectory, the last and some between are looked at; where none can be read, nothing is said.

    Parameters
    ----------
    conditions : Conditions
        Of these frames, `Trajectory.conditions_of`.
    trajectory : Trajectory
        Whose frames.
    frames : sequence of int
        Their numbers.
    """
    found = []
    for one, numbers in trajectory.by_file(frames):
        for place in np.unique(np.linspace(0, len(numbers) - 1, _LOOKED_AT).astype(int)) if len(numbers) else ():
            with contextlib.suppress(PelplugError):  # a damaged frame is the run's to record
                found.append(one.configuration(int(numbers[place])).density)
    if not found:
        return conditions
    if "density" in conditions.several or max(found) - min(found) > _STEADY * max(found):
        return dataclasses.replace(conditions, several=tuple(sorted({*conditions.several, "density"})))
    return dataclasses.replace(conditions, density=float(np.mean(found)))


def joined_conditions(found: Sequence[tuple[Any, Conditions]], remedy: str) -> Conditions:
    """Return what the conditions of independent runs of the same have in common: replica and seed alone may differ.

    Parameters
    ----------
    found : sequence of (Trajectory, Conditions)
        In the same units.
    remedy : str
        What else can be done with runs at other conditions.

    Raises
    ------
    InputError
        If they were sampled at other temperatures, pressures or ramps, or some do not say at which.
    """
    (first, mine), *others = found
    for name in ("temperature", "parent_temperature", "pressure", "ramp", "label"):
        words = name.replace("_", " ")
        for one, conditions in found if others else ():
            if name in conditions.several:
                raise InputError(
                    f"{one.path} has more than one {words}; select frames of one with --start and --stop (start=, "
                    f"stop=), or {remedy}."
                )
        value = getattr(mine, name)
        for one, conditions in others:
            theirs = getattr(conditions, name)
            if same_value(value, theirs) or (name == "label" and None in (value, theirs)):
                continue
            if None in (value, theirs) and name != "ramp":
                silent, known, said = (one, first, value) if theirs is None else (first, one, theirs)
                option = name.replace("_", "-")
                raise InputError(
                    f"{known.path} has the {words} {said:g}, and {silent.path} says none; if it is the same, pass "
                    f"--{option} {said:g} ({name}= in Python), or {remedy}."
                )
            raise InputError(f"{one.path} has the {words} {_text(theirs)} and {first.path} {_text(value)}; {remedy}.")
    return Conditions.joined(conditions for _, conditions in found)


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "none" if value is None else str(value)
