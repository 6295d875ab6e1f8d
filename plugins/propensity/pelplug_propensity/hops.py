"""Local events: the hop indicator p_hop, and where it exceeds a threshold."""

from __future__ import annotations

import numpy as np

import pelplug

__all__ = ["hop_indicator", "local_events"]


def hop_indicator(positions: np.ndarray, half: int) -> np.ndarray:
    """Return ``p_hop = sqrt(<(r_A - <r_B>)**2> <(r_B - <r_A>)**2>)`` of every particle in every frame.

    A is the `half` frames before a frame and B the `half` frames from it on: the measure by which Candelier, Dauchot
    and Biroli, Phys. Rev. Lett. 102, 088001 (2009) divide a trajectory into cages, in a sliding window.

    Parameters
    ----------
    positions : ndarray, shape (F, N, d)
        Unwrapped, evenly spaced in time [length].
    half : int
        Frames in A, and in B.

    Returns
    -------
    ndarray, shape (F, N)
        [length**2]; 0 in the first and last frames, where the window is not complete. A jump by a between two frames
        without vibrations gives a**2 in the first frame after it.
    """
    return _hop_indicator(np.ascontiguousarray(positions, dtype=np.float64), int(half))


@pelplug.kernel
def _hop_indicator(positions, half):
    frames, n, d = positions.shape
    found = np.zeros((frames, n))
    for k in range(half, frames - half + 1):
        for i in range(n):
            apart, before, after = 0.0, 0.0, 0.0
            for c in range(d):
                # About a member of the window, so that variances do not drown in large coordinates.
                origin = positions[k - half, i, c]
                mean_a = mean_b = square_a = square_b = 0.0
                for m in range(half):
                    a = positions[k - half + m, i, c] - origin
                    b = positions[k + m, i, c] - origin
                    mean_a += a
                    mean_b += b
                    square_a += a * a
                    square_b += b * b
                mean_a /= half
                mean_b /= half
                apart += (mean_a - mean_b) ** 2
                before += square_a / half - mean_a * mean_a
                after += square_b / half - mean_b * mean_b
            found[k, i] = np.sqrt(max(before + apart, 0.0) * max(after + apart, 0.0))
    return found


@pelplug.kernel
def _events(indicator, threshold, count_only, frames_found, particles_found):
    frames, n = indicator.shape
    number = 0
    for i in range(n):
        best = -1
        for k in range(frames + 1):
            if k < frames and indicator[k, i] > threshold:
                if best < 0 or indicator[k, i] > indicator[best, i]:
                    best = k
            elif best >= 0:
                if not count_only:
                    frames_found[number] = best
                    particles_found[number] = i
                number += 1
                best = -1
    return number


def local_events(indicator: np.ndarray, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Return frame and particle of every local event, in the order of time, then of particles.

    An event is a stretch of frames in which p_hop of a particle exceeds `threshold`; its frame is that of the maximum.

    Parameters
    ----------
    indicator : ndarray, shape (F, N)
        Of `hop_indicator` [length**2].
    threshold : float
        [length**2].
    """
    nothing = np.empty(0, dtype=np.int64)
    number = _events(indicator, float(threshold), True, nothing, nothing)
    frames, particles = np.empty(number, dtype=np.int64), np.empty(number, dtype=np.int64)
    _events(indicator, float(threshold), False, frames, particles)
    order = np.lexsort((particles, frames))
    return frames[order], particles[order]
