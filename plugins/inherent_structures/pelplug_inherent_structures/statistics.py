"""Numbers over a series of inherent structures, with their errors."""

from __future__ import annotations

import numpy as np
from scipy import stats

__all__ = ["ballistic_time", "block_bootstrap_moments", "miss_rate"]

CONFIDENCE = 0.95


def miss_rate(missed: int, size: int) -> tuple[float, float, float]:
    """Fraction missed and its exact binomial 95% interval (Clopper and Pearson), NaN without a sample.

    Parameters
    ----------
    missed, size : int
        Misses in a random sample, and its size.

    Returns
    -------
    rate, low, high : float
    """
    if size == 0:
        return np.nan, np.nan, np.nan
    interval = stats.binomtest(missed, size).proportion_ci(CONFIDENCE, method="exact")
    return missed / size, float(interval.low), float(interval.high)


def block_bootstrap_moments(series: np.ndarray, blocks: int, samples: int, seed: int) -> dict[str, tuple[float, float]]:
    """Mean, variance and skewness of a correlated series, each with a standard error.

    Parameters
    ----------
    series : ndarray, shape (n,)
        The series in time.
    blocks : int
        Contiguous parts it is cut into; whole blocks are drawn anew, so that correlation within them is kept.
    samples : int
        Bootstrap samples.
    seed : int
        Of the draws.

    Returns
    -------
    dict of str to (float, float)
        ``mean``, ``variance`` (of a sample: divided by n - 1), ``skewness`` (third central moment over the 3/2 power of
        the second); NaN where the series is too short. Errors need at least two blocks.
    """
    series = np.asarray(series, dtype=float)
    centre = float(series.mean())
    powers = np.stack([np.ones(len(series)), *((series - centre) ** k for k in (1, 2, 3))])
    sums = np.stack([part.sum(axis=1) for part in np.array_split(powers, min(blocks, len(series)), axis=1)])
    draws = np.random.default_rng(seed).integers(len(sums), size=(samples, len(sums)))
    values = _moments(sums.sum(axis=0)[None])
    errors = np.full(3, np.nan)
    if len(sums) > 1 and samples > 1:
        errors = np.std(_moments(sums[draws].sum(axis=1)), axis=0, ddof=1)
    values[0, 0] += centre
    return {
        name: (float(value), float(error))
        for name, value, error in zip(("mean", "variance", "skewness"), values[0], errors, strict=True)
    }


def _moments(sums: np.ndarray) -> np.ndarray:
    """Mean, variance and skewness from sums of the powers 0 to 3, shape (samples, 4)."""
    n = sums[:, 0]
    first, second, third = (sums[:, 1:] / n[:, None]).T
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = second - first**2
        skewness = np.where(spread > 0, (third - 3 * first * second + 2 * first**3) / np.abs(spread) ** 1.5, np.nan)
        variance = np.where(n > 1, spread * n / (n - 1), np.nan)
    return np.stack([first, variance, skewness], axis=1)


def ballistic_time(configuration, speed: float) -> float:
    """End of ballistic motion, 0.1 t0, with t0 = a0 / speed and a0 = (V / N)**(1 / d) [time].

    Kapteijns et al., J. Chem. Phys. 155, 074502 (2021); the speed is sqrt(k_B T / m) of the mean mass.
    """
    spacing = (configuration.volume / configuration.n) ** (1 / configuration.dimension)
    return 0.1 * spacing / speed
