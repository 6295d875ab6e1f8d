"""Derivatives compared with differences whose own error is measured: what is off by more than that is wrong."""

from __future__ import annotations

import numpy as np

from pelplug.potentials.differences import extrapolated
from pelplug.testing.checks import require

__all__ = ["require_derivative"]

_KNOWN = 1e-5  # relative: a difference that is not as good as this says nothing


def require_derivative(given, function, largest: float, scale: float, what: str, by: str, close: float) -> int:
    """Require that numbers are the derivative of a function at 0, within the error of its differences.

    Parameters
    ----------
    given : array_like
        The numbers.
    function : callable
        Of a number, see `extrapolated`.
    largest : float
        Step to begin with.
    scale : float
        Of the numbers: what is small against it.
    what, by : str
        What they are, and what they should be the derivative of, for the sentence.
    close : float
        Relative difference that is allowed anyway.

    Returns
    -------
    int
        How many components could be compared.
    """
    given = np.asarray(given, dtype=float)
    require(np.all(np.isfinite(given)), f"{what} is not finite")
    # As small as the noise allows: pairs that cross a cutoff make a derivative jump, and larger steps settle on a mean
    # that has the jumps in it.
    noise = _noise(function, 1e-7 * largest)
    step = float(np.clip(30.0 * noise / (_KNOWN * scale), 1e-4 * largest, largest))
    (found, error), (other, doubt) = (extrapolated(function, part * step, 4) for part in (1.0, 0.618))
    require(given.shape == found.shape, f"{what} has the shape {given.shape}, not {found.shape}")
    finest = (np.asarray(function(step / 16)) - np.asarray(function(-step / 16))) / (step / 8)
    typical, apart = np.maximum(scale, np.abs(found)), np.abs(found - other)
    # A derivative that jumps again and again, as that of a table does at its knots, goes on changing at small steps.
    drift = np.abs(found - finest)
    known = np.maximum.reduce([error, apart, drift]) < _KNOWN * typical
    # What the extrapolations doubt and differ by, and what the noise leaves of a step.
    allowed = close * typical + 30.0 * (error + doubt) + 10.0 * (apart + drift) + 30.0 * noise / step
    wrong = known & (np.abs(given - found) > allowed)
    if np.any(wrong):
        place = np.unravel_index(np.argmax(wrong * np.abs(given - found)), given.shape)
        by = f"differences of {by} give {found[place]:.10g} (to {allowed[place]:.1g})"
        raise AssertionError(f"{what} is {given[place]:.10g} where {by}")
    return int(np.count_nonzero(known))


def _noise(function, tiny: float) -> float:
    """Return the noise of a function: what is left of it by fourth differences over tiny steps (More and Wild)."""
    values = np.array([function(k * tiny) for k in range(7)], dtype=float)
    left = np.abs(np.diff(values, n=4, axis=0)) / np.sqrt(70.0)
    return float(max(np.median(left.max(axis=0)), np.finfo(float).eps * np.abs(values).max()))
