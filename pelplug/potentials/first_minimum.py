"""Where a radial distribution function has its first minimum: how far neighbours are."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

__all__ = ["first_minimum"]


def first_minimum(
    g: np.ndarray, width: float, smoothing: float, noise: np.ndarray | float = 0.0, *, least_peak: float = 1.0
) -> float:
    """Return where a radial distribution function has its first minimum behind its first peak; NaN if it has none.

    g is smoothed with a Gaussian of standard deviation ``smoothing``; a peak must rise above ``least_peak``, and peak
    and minimum must stand out by five times the noise that smoothing leaves (at least 0.05). Of a gap where nothing is
    found the middle counts; any other minimum is placed within its bin by a parabola through the smoothed curve.

    Parameters
    ----------
    g : ndarray
        In equal bins from r = 0.
    width : float
        Of a bin, in the unit of r.
    smoothing : float
        Standard deviation of the Gaussian, in the unit of r.
    noise : float or ndarray
        Standard error of each bin of g where g is one.
    least_peak : float
        What a peak must rise above.

    Returns
    -------
    float
        In the unit of r.
    """
    spread = smoothing / width
    smooth = gaussian_filter1d(g, spread, mode="nearest") if smoothing > 0 else np.asarray(g, dtype=float)
    left = noise / np.sqrt(max(1.0, 2.0 * np.sqrt(np.pi) * spread))
    # Of pure noise the highest and the lowest of all bins are nearly five standard errors apart.
    needed = np.broadcast_to(np.maximum(0.05, 5.0 * left), smooth.shape)
    peaks, found = find_peaks(smooth, height=least_peak, prominence=0.05)
    peaks = peaks[found["prominences"] >= needed[peaks]]
    if peaks.size == 0:
        return np.nan
    dips, found = find_peaks(-smooth[peaks[0] :], prominence=0.05, plateau_size=1)
    clear = found["prominences"] >= needed[peaks[0] + dips]
    dips, plateaus = dips[clear], found["plateau_sizes"][clear]
    if dips.size == 0:
        return np.nan
    at = peaks[0] + dips[0]
    if plateaus[0] > 1 or smooth[at] <= 1e-6:
        # Nothing between two shells: the middle of the gap.
        empty = np.flatnonzero(smooth[peaks[0] :] <= max(1e-6, smooth[at]))
        run = empty[: np.argmax(np.append(np.diff(empty) > 1, True)) + 1]
        return float(width * (peaks[0] + 0.5 * (run[0] + run[-1]) + 0.5))
    reach = max(2, round(spread))
    low, high = max(peaks[0], at - reach), min(smooth.size - 1, at + reach)
    offset = np.arange(low, high + 1) - at
    curvature, slope, _ = np.polyfit(offset, smooth[low : high + 1], 2)
    move = -slope / (2.0 * curvature) if curvature > 0 else 0.0
    return float(width * (at + 0.5 + np.clip(move, -reach, reach)))
