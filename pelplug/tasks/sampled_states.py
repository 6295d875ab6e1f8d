"""What states an analysis is given, and at what conditions they were sampled: of one trajectory or of several."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from pelplug.core.conditions import Conditions
from pelplug.core.fields import Need, check_temperature
from pelplug.core.units import Units
from pelplug.errors import InputError
from pelplug.tasks.task import Task
from pelplug.trajectories.matching import units_of
from pelplug.trajectories.recorded import with_density
from pelplug.trajectories.several import SeveralTrajectories, fitting_files

if TYPE_CHECKING:
    from pelplug.models.base import Model

__all__ = ["SampledStates"]


class SampledStates(Task):
    """The part of `Analysis` that knows of its trajectories and of their conditions."""

    needs: ClassVar[Need]
    reads_frames: ClassVar[bool]
    pools: ClassVar[bool | None]
    model: Model | None
    joined: Any
    trajectory: Any
    trajectories: tuple[Any, ...]
    selections: tuple[np.ndarray, ...]
    _trajectory: Any
    _said: Conditions
    joined_frames: np.ndarray | None

    def _is_given(self, trajectory: Any) -> None:
        self.joined = trajectory  # several as one, or the one
        self.trajectories = tuple(() if trajectory is None else trajectory.trajectories)
        if (count := len(self.trajectories)) > 1:
            self.check_several(count)
        self.trajectory = self.trajectories[0] if count and not self.reads_frames else trajectory

    @classmethod
    def check_several(cls, count: int) -> None:
        """Refuse several trajectories, unless this kind of analysis takes them."""
        # What simulates from the states of a run takes its relaxation and settings from that run.
        takes = cls.reads_frames and Need.ENGINE not in cls.needs if cls.pools is None else cls.pools
        if not takes:
            raise InputError(
                f"The analysis {cls.name} takes one trajectory, not {count}; run it on each, and lay the results "
                "over each other with pelplug plot."
            )

    def join(self, paths: Iterable[Any]) -> None:
        """Take further files as if they had been given behind the trajectory: for a parameter that names such.

        They are opened as it was: with its topology, species, dt, temperature and all the rest.

        Parameters
        ----------
        paths : iterable of path_like
            Files, or patterns of their names.

        Raises
        ------
        InputError
            If one cannot be read, or they do not belong together.
        """
        if self.joined is None:  # rebuilt from its dataset
            return
        if paths := [one for path in paths for one in fitting_files(path)]:
            others = [self.trajectories[0].open_another(path) for path in paths]
            self._is_given(SeveralTrajectories([*self.trajectories, *others]))
            self._trajectory = self.trajectory.reader

    @property
    def units(self) -> Units:
        """What the numbers of the result are in: those of the potential or model, else what the file states.

        Where nobody states any, they are reduced: k_B = 1, and masses of 1 where the file has none.
        """
        return units_of(self.model, self.trajectory)

    @property
    def conditions(self) -> Conditions:
        """At what conditions the selected frames were sampled, in `units`; their density only in the result."""
        if self._conditions is None:
            frames = range(self.joined.n_frames) if self.joined is not None else ()
            return self._hold(self._said if self.joined is None else self.joined.conditions_of(frames))
        return self._conditions

    def note_frames(self, frames: np.ndarray, conditions: Conditions | None = None) -> None:
        """Take note of the frames that will be computed and of their conditions; the host and `run` call this."""
        if self.joined_frames is None or not np.array_equal(self.joined_frames, frames):
            self.joined_frames = frames
            self.selections = tuple(numbers for _, numbers in self.joined.by_file(frames))
            self.sampled_at(self.joined.conditions_of(frames) if conditions is None else conditions)

    def sampled_at(self, conditions: Conditions, source: str = "The simulation") -> None:
        """Take note of the conditions of the states; who simulates calls this, and who takes them from a result.

        Raises
        ------
        InputError
            If they contradict what was given, or have no temperature though this analysis needs one.
        """
        self._hold(conditions if self.trajectory is not None else conditions.merged(self._said, source))
        if Need.TEMPERATURE in self.needs:
            self.require_temperature()

    def _hold(self, conditions: Conditions) -> Conditions:
        conditions = conditions.in_units(self.units, self._dimension_of_space() or 3)
        self._conditions = dataclasses.replace(conditions, model=self.interactions() or conditions.model)
        return self._conditions

    def _dimension_of_space(self) -> int | None:
        found = self.trajectory if self.trajectory is not None else self.model
        return getattr(found, "dimension", None)

    def _look_at_density(self) -> None:
        """Add the density to the conditions: at the end, for it takes frames."""
        if self.trajectory is not None and self.joined_frames is not None:
            self._conditions = with_density(self.conditions, self.joined, self.joined_frames.tolist())

    def require_temperature(self) -> float:
        """Return the temperature at which the states were sampled [temperature].

        Raises
        ------
        InputError
            If the file does not say, and nobody gave it.
        """
        source = "The simulation" if self.trajectory is None else self.trajectory.path
        check_temperature(self.name, self.conditions, source)
        return self.conditions.temperature  # type: ignore[return-value]  # checked

    def interactions(self) -> dict | None:
        """Return the record of the model or potential, None if there is neither."""
        return None if self.model is None else self.model.to_dict()
