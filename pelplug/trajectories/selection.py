"""Which frames of a trajectory to analyse, of one or of each of several."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, Self

import numpy as np

from pelplug.errors import InputError
from pelplug.trajectories.part import TrajectoryPart
from pelplug.trajectories.source import Frames

__all__ = ["SelectedFrames", "select_frames"]


class SelectedFrames(TrajectoryPart):
    """The part of a `Trajectory` that says of frames what `SeveralTrajectories` says of those of several."""

    @property
    def trajectories(self) -> tuple[Self, ...]:
        """Return this one alone."""
        return (self,)

    def by_file(self, frames: Iterable[int]) -> tuple[tuple[Self, np.ndarray], ...]:
        """Return each trajectory with the numbers that those of the frames which belong to it have there."""
        return ((self, np.asarray(list(frames), dtype=np.int64)),)

    def select(self, selection: Frames) -> np.ndarray:
        """Return the numbers of the frames that a selection takes, shape (n,)."""
        return select_frames(self.n_frames, selection, os.fspath(self.path))


def select_frames(n_frames: int, selection: Frames, source: str = "the file") -> np.ndarray:
    """Return the numbers of the selected frames, shape (n,), none of them negative.

    Parameters
    ----------
    n_frames : int
        Number of frames there are.
    selection : Frames
        Which.
    source : str, optional
        Name of the file, for the sentence.

    Raises
    ------
    InputError
        If nothing is selected, a frame does not exist or is named twice, or both ways are mixed.
    """
    start, stop, step, frames = selection.start, selection.stop, selection.step, selection.frames
    if n_frames == 0:
        raise InputError(f"There are no frames in {source}; give a trajectory that has some.")
    if frames is not None:
        if not (start is None and stop is None and step is None):
            raise InputError("Give either frames or start, stop and step, not both.")
        return _named_frames(n_frames, frames, source)
    if step == 0:
        raise InputError("step is 0; give a positive number to go forward, a negative one to go backward.")
    if start is not None and not -n_frames <= start < n_frames:
        raise InputError(f"start = {start} is out of range: {source} has {n_frames} frames, 0 to {n_frames - 1}.")
    selected = np.arange(n_frames)[slice(start, stop, step)]
    if len(selected) == 0:
        given = ", ".join(
            f"{name} = {value}"
            for name, value in (("start", start), ("stop", stop), ("step", step))
            if value is not None
        )
        raise InputError(f"No frame is selected by {given}: {source} has {n_frames} frames, 0 to {n_frames - 1}.")
    return selected


def _named_frames(n_frames: int, frames: Any, source: str) -> np.ndarray:
    selected = np.atleast_1d(np.asarray(frames))
    if selected.size == 0:
        raise InputError("The list of frames is empty; name at least one.")
    if selected.ndim != 1 or selected.dtype.kind not in "biu":
        raise InputError(f"frames must be a list of integers or of truth values, not {frames!r}.")
    if selected.dtype == bool:
        if len(selected) != n_frames:
            raise InputError(f"frames has {len(selected)} truth values, but {source} has {n_frames} frames.")
        selected = np.flatnonzero(selected)
        if selected.size == 0:
            raise InputError("frames selects no frame; at least one entry must be true.")
    selected = selected.astype(np.int64)
    outside = selected[(selected < -n_frames) | (selected >= n_frames)]
    if outside.size:
        raise InputError(f"Frame {outside[0]} is out of range: {source} has {n_frames} frames, 0 to {n_frames - 1}.")
    selected = np.where(selected < 0, selected + n_frames, selected)
    if len(np.unique(selected)) < len(selected):
        raise InputError("A frame is named twice in frames; name each once.")
    return selected
