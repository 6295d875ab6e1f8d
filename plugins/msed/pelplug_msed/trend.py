"""Whether a series of energies ages: a test for a trend that allows for its relaxation."""

from __future__ import annotations

import dataclasses

import numpy as np
from scipy import stats

__all__ = ["LEVEL", "Trend", "find_trend"]

LEVEL = 0.01
"""Of the test: so often a stationary series is taken for one that ages."""

BLOCKS = 20
_LEAST = 10
_CAUTION = 1.5  # a relaxation time from few of them is as often too short as too long, and only the first does harm


@dataclasses.dataclass(frozen=True)
class Trend:
    """What the means of successive blocks say.

    Attributes
    ----------
    change : float
        By which a straight line through them rises from the beginning to the end [energy].
    probability : float
        Of a course as steep in a stationary series; NaN if it cannot be told.
    """

    change: float = np.nan
    probability: float = np.nan

    @property
    def found(self) -> bool:
        """Whether the series ages, at the stated level."""
        return bool(self.probability < LEVEL)

    def words(self) -> str:
        """Say it."""
        if not np.isfinite(self.probability):
            return "not tested: too few relaxation times or entries"
        which = "a trend" if self.found else "no trend"
        return f"{which} at the level of {100 * LEVEL:g} % (p = {self.probability:.2g})"


def find_trend(means: np.ndarray, tau: float) -> Trend:
    """Look for a trend in the means of equal successive blocks.

    Two contrasts are tested, each at half the level: the slope of the straight line through all blocks, for what ages
    to the end, and the mean of the first tenth less that of the last half, for what has settled by then.

    Parameters
    ----------
    means : ndarray, shape (B,)
        [energy]
    tau : float
        Relaxation time, in blocks. Means of successive blocks are taken to be correlated as those of an
        Ornstein-Uhlenbeck process, which is on the safe side where fast fluctuations are added.

    Returns
    -------
    Trend

    Notes
    -----
    A contrast over its standard error follows Student's distribution, with the degrees of freedom of
    F. E. Satterthwaite, Biometrics Bull. 2, 110 (1946), for the correlated residuals; the first tenth against the last
    half after J. Geweke, in Bayesian Statistics 4, 169 (1992).
    """
    b = len(means)
    if b < _LEAST:
        return Trend()
    correlation = _block_correlation(b, _CAUTION * tau)
    centred = np.arange(b) - (b - 1) / 2.0
    line = centred / (centred @ centred)
    residual = np.eye(b) - 1.0 / b - np.outer(centred, line)
    late = np.where(np.arange(b) >= b // 2, 1.0, 0.0)
    early = np.where(np.arange(b) < max(1, b // 10), 1.0, 0.0)
    within = np.diag(late) - np.outer(late, late) / late.sum()
    both = [
        _probability(means, line, residual, correlation),
        _probability(means, early / early.sum() - late / late.sum(), within, correlation),
    ]
    return Trend(float(line @ means) * b, min(1.0, 2.0 * min(both)))


def _block_correlation(b: int, tau: float) -> np.ndarray:
    """Return the correlation, shape (b, b), of means of successive blocks of an Ornstein-Uhlenbeck process."""
    rate = 1.0 / max(tau, 1e-3)
    apart = np.arange(b)
    own = 2.0 * (rate + np.expm1(-rate))
    row = np.where(apart == 0, 1.0, np.exp(-(np.maximum(apart, 1) - 1) * rate) * np.expm1(-rate) ** 2 / own)
    return row[np.abs(apart[:, None] - apart[None, :])]


def _probability(means, contrast, residual, correlation) -> float:
    product = residual @ correlation
    trace = np.trace(product)
    scale = means @ residual @ means / trace
    if not scale > 0.0:
        return 1.0
    size = abs(contrast @ means) / np.sqrt(scale * (contrast @ correlation @ contrast))
    return float(2.0 * stats.t.sf(size, trace**2 / np.trace(product @ product)))
