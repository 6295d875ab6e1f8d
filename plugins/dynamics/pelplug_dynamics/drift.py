"""How far the centre of mass moves, and what taking its motion off does to the displacements."""

from __future__ import annotations

import numpy as np

from pelplug_dynamics.lags import frame_pairs

__all__ = ["drift", "drift_remark"]


def drift(runs, lags: np.ndarray) -> np.ndarray:
    """Return the mean squared displacement of the centre of mass at each lag [length**2].

    Parameters
    ----------
    runs : sequence of (ndarray of int, shape (F,), ndarray, shape (F, d))
        Ticks and centres of mass of each trajectory.
    lags : ndarray of int
        In ticks.
    """
    total, count = np.zeros(lags.size), np.zeros(lags.size)
    for ticks, centres in runs:
        pairs = frame_pairs(ticks, lags)
        squares = np.sum((centres[pairs.second] - centres[pairs.first]) ** 2, axis=1)
        total += np.bincount(pairs.lag, squares, minlength=lags.size)
        count += np.bincount(pairs.lag, minlength=lags.size)
    return total / np.maximum(count, 1)


def drift_remark(dataset, removed: bool) -> str:
    """Say in a sentence what was done about the motion of the centre of mass, and how much it matters."""
    motion = dataset["drift_msd"].values
    whole = dataset["msd"].values[-1]  # of all particles
    # Where the masses are equal, the two add up to the MSD of the positions as they stand in the file.
    share = motion / np.where(whole + removed * motion > 0, whole + removed * motion, np.inf)
    k = int(np.argmax(share))
    at = f"{100 * share[k]:.3g} % of the MSD at t = {dataset['lag_time'].values[k]:.4g}"
    if removed:
        return (
            f"Displacements are from the centre of mass (remove_drift), whose own motion, at most {at}, is taken off; "
            "--no-remove-drift leaves it in."
        )
    return f"Displacements are those of the file, the motion of the centre of mass included: at most {at}."
