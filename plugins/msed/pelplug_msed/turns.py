"""Where a quantity turns over temperature: two lines that meet, or a parabola that goes on along its tangent."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import stats

__all__ = ["KINDS", "Turn", "find_turn"]

KINDS = ("kink", "tangent")
_GRID = 60  # places tried between the outermost that are allowed
_FEWEST = {"kink": 6, "tangent": 7}  # points, of which so many stand on each side
_BEFORE = {"kink": 2, "tangent": 3}
_BEYOND = 2
_LEVEL = 0.01
_UNCERTAIN = 0.2  # share of resamples without a place, from which on there is no error


@dataclasses.dataclass(frozen=True)
class Turn:
    """Where it turns.

    Attributes
    ----------
    place, error : float
        And its standard error, in units of x; NaN where there is none.
    probability : float
        That points without a turn look as much like one; NaN where that was not asked.
    why : str
        Why there is no place; empty if there is one.
    line : ndarray, shape (K,)
        The best one with a turn at the points; empty without a place.
    """

    place: float = np.nan
    error: float = np.nan
    probability: float = np.nan
    why: str = ""
    line: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0))


def find_turn(x, y, errors, kind: str, drawn: np.ndarray) -> Turn:
    """Look for a turn, by weighted least squares.

    Parameters
    ----------
    x : ndarray, shape (K,)
        Ascending.
    y, errors : ndarray, shape (K,)
        Values and their standard errors.
    kind : {"kink", "tangent"}
        Two straight lines that meet, against one; or a parabola that goes on along its tangent, against a parabola.
    drawn : ndarray, shape (R, K)
        Values with errors drawn anew, for the error of the place.

    Returns
    -------
    Turn
        With a place only where chance makes one as good as it in fewer than one case of a hundred: the fall of the sum
        of squared residuals over errors (over the scatter, where that is larger) against that of two more parameters.
    """
    if x.size < _FEWEST[kind]:
        return Turn(why=f"it takes values with errors at {_FEWEST[kind]} temperatures, and there are {x.size}")
    places, bases = _bases(x, 1.0 / errors, kind)
    plain = _orthonormal(_columns(x, None, kind), 1.0 / errors)
    with_turn, place = _best(y / errors, bases)
    without = _left(y / errors, plain)
    left = x.size - 2 - plain.shape[1]  # degrees of freedom with a turn
    scale = max(1.0, with_turn / max(left, 1))
    probability = float(stats.chi2.sf((without - with_turn) / scale, 2))
    if not probability < _LEVEL:
        which = "one straight line" if kind == "kink" else "a parabola in 1/T"
        return Turn(
            probability=probability, why=f"{which} describes the values as well (probability {probability:.2g})"
        )
    line = bases[place] @ (bases[place].T @ (y / errors)) * errors
    # About the best line: the points are off it already, and drawn about them they would be so twice.
    about = (line + drawn - y) / errors
    found = places[np.argmax(np.sum(np.einsum("rk,pkc->rpc", about, bases) ** 2, axis=2), axis=1)]
    inside = (found > places[0]) & (found < places[-1])
    error = float(np.std(found)) if np.mean(inside) > 1.0 - _UNCERTAIN else np.nan
    return Turn(float(places[place]), error, probability, "", line)


def _bases(x, weights, kind):
    """Return places of the turn, and for each the orthonormal columns of its design."""
    places = np.linspace(x[_BEFORE[kind] - 1], x[-_BEYOND], _GRID + 2)[1:-1]
    return places, np.stack([_orthonormal(_columns(x, place, kind), weights) for place in places])


def _columns(x, place, kind):
    if kind == "kink":
        return np.stack([np.ones_like(x), x] + ([] if place is None else [np.maximum(x - place, 0.0)]), axis=1)
    bent = x**2 if place is None else np.where(x < place, x**2, place * (2.0 * x - place))
    return np.stack([np.ones_like(x), x, bent], axis=1)


def _orthonormal(design, weights):
    return np.linalg.qr(design * weights[:, None])[0]


def _best(y, bases) -> tuple[float, int]:
    """Return the smallest sum of squared residuals, and for which design."""
    captured = np.sum((y @ bases) ** 2, axis=-1)
    best = int(np.argmax(captured))
    return float(np.sum(y**2) - captured[best]), best


def _left(y, basis) -> float:
    return float(np.sum(y**2) - np.sum((y @ basis) ** 2))
