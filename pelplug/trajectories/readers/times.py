"""Whether times of frames can be used, and what to do where they cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pelplug.errors import InputError

__all__ = ["check_times"]


def check_times(times, frames, path, steps=None) -> None:
    """Refuse times that do not grow from frame to frame, with what can be done about it.

    Parameters
    ----------
    times : sequence of float or None
        Of the frames [time].
    frames : sequence of int
        Numbers of the frames in the file, in the order of `times`.
    path : path_like
        The file, for the sentence.
    steps : sequence of int or None, optional
        Simulation steps of the frames.

    Raises
    ------
    InputError
        If a frame has no time, the frames are taken backwards, all times are equal, or one is not after that before it.
    """
    frames = [int(number) for number in frames]
    grow = steps is not None and all(step is not None for step in steps) and np.all(np.diff(np.array(steps)) > 0)
    remedy = "pass --dt, the time of one step (dt= in Python)" if grow else _INTERVAL
    for number, time in zip(frames, times, strict=True):
        if time is None or not np.isfinite(time):
            raise InputError(f"Frame {number} of {path} has no time; {remedy}.")
    times = np.array(times, dtype=np.float64)
    if len(times) < 2 or np.all(np.diff(times) > 0):
        return
    if np.ptp(times) == 0:
        raise InputError(
            f"All frames of {path} are at time {times[0]:g}, so their order says nothing of time; {remedy}."
        )
    k = int(np.flatnonzero(np.diff(times) <= 0)[0])
    first, second = frames[k], frames[k + 1]
    parts = []
    if k > 0:
        parts.append(f"--stop {second}")
    if k + 2 < len(times):
        parts.append(f"--start {second}")
    parts = f"take one part by itself ({' or '.join(parts)}), or " if parts else ""
    raise InputError(
        f"Times of {Path(path)} do not increase: frame {second} is at {times[k + 1]:g}, after frame {first} at "
        f"{times[k]:g}, as where a run was restarted; {parts}{_INTERVAL}."
    )


_INTERVAL = "say how far frames are apart with --frame-interval (frame_interval= in Python)"
