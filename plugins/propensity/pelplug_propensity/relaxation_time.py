"""The relaxation time of a trajectory: where its F_s falls to a threshold."""

from __future__ import annotations

import numpy as np

import pelplug

__all__ = ["relaxation_time"]

_ORIGINS = 40
_LAGS = 60
_PER_E_FOLD = 10  # bins of the lag


def relaxation_time(trajectory, species: str, wave_number: float, threshold: float) -> float:
    """Return tau_alpha: F_s(q, tau_alpha) = threshold, interpolated in the logarithm of time.

    Parameters
    ----------
    trajectory : Trajectory
        With times.
    species : str
        Whose F_s.
    wave_number : float
        q [1 / length].
    threshold : float
        As 0.2.

    Returns
    -------
    float
        [time].

    Raises
    ------
    InputError
        If the trajectory has no times, one frame, or its F_s never falls so low: nothing is extrapolated.
    """
    if not trajectory.has("times"):
        raise pelplug.InputError(
            f"{trajectory.path} records no times, so its relaxation time is unknown; give --duration, or the time of a "
            "step (--dt) or of a frame (--frame-interval)."
        )
    try:
        trajectory.check_identity()
    except pelplug.InputError as error:
        raise pelplug.InputError(
            f"The relaxation time is unknown, so give --duration. Where it comes from: {error}"
        ) from None
    frames = np.unique(np.linspace(0, trajectory.n_frames - 1, min(trajectory.n_frames, 400)).astype(int))
    chosen = trajectory.species == species
    positions, times = [], []
    for label, state in enumerate(trajectory.unwrapped()):
        if label in frames:
            moved = state.unwrapped_positions()
            positions.append((moved - moved.mean(axis=0))[chosen])
            times.append(state.time)
    trajectory.check_times(frames, times)
    positions, times = np.array(positions), np.array(times)
    sums: dict[int, list[tuple[float, float]]] = {}
    for origin in np.unique(np.linspace(0, len(times) - 2, min(_ORIGINS, max(len(times) - 1, 0))).astype(int)):
        later = np.arange(origin + 1, len(times))
        lags = np.unique(np.geomspace(1, later.size, min(_LAGS, later.size)).astype(int)) - 1
        for k in later[lags]:
            value = np.cos(wave_number * (positions[k] - positions[origin])).mean()
            log_time = np.log(times[k] - times[origin])
            sums.setdefault(int(np.floor(_PER_E_FOLD * log_time + 1e-9)), []).append((log_time, value))
    if not sums:
        raise pelplug.InputError(
            f"{trajectory.path} has one frame, so its relaxation time is unknown; give --duration."
        )
    log_times, curve = np.array([np.mean(sums[key], axis=0) for key in sorted(sums)]).T
    below = np.flatnonzero(curve < threshold)
    if below.size == 0:
        raise pelplug.InputError(
            f"F_s(q = {wave_number:.3g}) of {trajectory.path} falls to {curve.min():.2f} only, not to {threshold:g}, "
            "so tau_alpha is unknown; give --duration."
        )
    k = int(below[0])
    if k == 0:
        raise pelplug.InputError(
            f"F_s(q = {wave_number:.3g}) of {trajectory.path} is below {threshold:g} at the first lag already, so "
            "tau_alpha is unknown; give --duration."
        )
    share = (curve[k - 1] - threshold) / (curve[k - 1] - curve[k])
    return float(np.exp(log_times[k - 1] + share * (log_times[k] - log_times[k - 1])))
