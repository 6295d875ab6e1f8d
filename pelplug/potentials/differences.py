"""What the checks of a third party's derivatives share: which differences count, and what has passed before.

A difference counts only where two steps of different size give the same, so that kinks, jumps at a cutoff, hard cores
and rounding never refuse a right function. What has passed is remembered by its code, in the user's cache folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from pelplug.execution.kernel_cache import cache_folder, content_of

__all__ = ["STEPS", "WRONG", "extrapolated", "key_of", "known", "remember", "settled"]

STEPS = (1e-3, 3e-4, 1e-4, 3e-5, 1e-5, 3e-6, 1e-6)
WRONG = 1e-3
"""Relative difference from which a derivative is called wrong."""

_CONCLUSIVE = 1e-6  # relative: two differences
_passed: set[str] = set()


def settled(numbers: list[float], scale: float) -> float | None:
    """Return a difference that two successive steps agree on; None where there is none."""
    for one, other in itertools.pairwise(numbers):
        if np.isfinite(one) and np.isfinite(other) and abs(one - other) <= _CONCLUSIVE * max(scale, abs(other)):
            return other
    # Steps of another size lose half of their digits: good for a rough no.
    for one, other in itertools.pairwise(numbers):
        if np.isfinite(one) and np.isfinite(other) and abs(one - other) <= 0.02 * WRONG * max(scale, abs(other)):
            return other
    return None


def extrapolated(function: Callable[[float], Any], largest: float, halvings: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """Return the derivative of a function at 0 and its error, each component by itself.

    Central differences at steps from ``largest`` down, extrapolated to none; of all these the one that disagrees least
    with those it was made of. Where the derivative jumps within all steps, the error says so.

    Parameters
    ----------
    function : callable
        Of a number; returns a number or an array.
    largest : float
        First step.
    halvings : int
        How often it is halved.

    Returns
    -------
    derivative, error : ndarray
        Shaped as what the function returns.

    References
    ----------
    C. J. F. Ridders, Adv. Eng. Softw. 4, 75 (1982).
    """
    best, error, above = None, None, []
    for k in range(halvings + 1):
        h = largest / 2**k
        row = [(np.asarray(function(h), dtype=float) - np.asarray(function(-h), dtype=float)) / (2.0 * h)]
        for m, before in enumerate(above, start=1):
            row.append(row[-1] + (row[-1] - before) / (4.0**m - 1.0))
            # Against the same order at twice the step, and the lower order at this one.
            against = [np.abs(row[m] - row[m - 1]), np.abs(row[m] - before)]
            doubt = np.maximum(*against)
            if best is None:
                best, error = row[m], doubt
            else:
                better = doubt < error
                best, error = np.where(better, row[m], best), np.where(better, doubt, error)
        above = row
    return best, error


def key_of(kind: str, content: Any) -> str | None:
    """Return what names a check by the content of all that it looks at; None where something has no name."""
    found = content_of(content)
    return None if found is None else hashlib.sha256(f"{kind} {found}".encode()).hexdigest()


def _path(key: str):
    folder = cache_folder()
    return None if folder is None or len(key) != 64 else folder / "derivatives" / key


def known(key: str | None) -> bool:
    """Return whether a check has passed, here or in an earlier session."""
    if key is None:
        return False
    if key not in _passed:
        path = _path(key)
        with contextlib.suppress(OSError):
            if path is not None and path.exists():
                _passed.add(key)
    return key in _passed


def remember(key: str | None) -> None:
    """Keep that a check has passed."""
    if key is None:
        return
    _passed.add(key)
    path = _path(key)
    with contextlib.suppress(OSError):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
