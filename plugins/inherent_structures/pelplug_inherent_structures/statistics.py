"""Numbers over a series of inherent structures, with their errors."""

from __future__ import annotations

import numpy as np
import xarray as xr
from scipy import stats

import pelplug

__all__ = ["EnergySamples", "ballistic_time", "density_of", "energy_moments", "miss_rate", "transition_rate"]

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


FEWEST = {"mean": 3, "variance": 5, "skewness": 10}
"""Independent samples without which a moment has no error."""
_ENOUGH = 20
"""Of so few independent entries the correlation time of a series is not known, and no error of it."""


class EnergySamples(pelplug.Jackknife):
    """The independent samples of a series of energies: runs, single frames, or blocks longer than what is correlated.

    Parameters
    ----------
    dataset : Dataset
        With ``frame``, and ``run`` along it where there are several.
    series : ndarray, shape (frames,)
        Energies in time.

    Attributes
    ----------
    unit : ndarray of int, shape (frames,)
        Sample of each frame.
    of : str
        What the samples are.
    series : ndarray, shape (frames,)
        What was given.
    """

    def __init__(self, dataset: xr.Dataset, series: np.ndarray):
        self.unit, self.of = pelplug.independent_samples(dataset, series)
        self.series = series
        number, n = int(self.unit.max()) + 1, len(series)
        if self.of.startswith("blocks") and n < _ENOUGH * pelplug.statistical_inefficiency(series):
            self.unit, number = np.zeros(n, dtype=int), 1
        super().__init__(number)

    def remarks(self, name: str) -> list[str]:
        """Return the sentence for moments without errors, with the remedy; of few frames nothing need be said."""
        if len(self.unit) < _ENOUGH and self.of != "runs":
            return []
        together = f"analyse {{}} independent runs together: pelplug analyze --plugin {name} run-*.gsd."
        if self.samples < FEWEST["mean"]:
            return [
                f"No errors of energies and rates are told: the frames are worth fewer than {_ENOUGH} independent "
                f"inherent structures; use a longer run, or {together.format('several')}"
            ]
        without = [moment for moment, least in FEWEST.items() if self.samples < least]
        if not without:
            return []
        least = max(FEWEST[moment] for moment in without)
        return [
            f"No error of the {' and the '.join(without)} of the energy: the {self.samples} {self.of} are fewer than "
            f"the {least} samples that it takes; {together.format(f'{least} or more')}"
        ]

    def error_of(self, rows: np.ndarray, power: int = 1) -> np.ndarray:
        """Return the standard error of what is made of the first powers of the series.

        Means over neighbouring blocks are alike (`pelplug.scatter_of_blocks`). The scatter of n samples has
        2 n / (k - 1) degrees of freedom, k their kurtosis, which enter Student's factor.
        """
        moved = rows[1:] - rows[1:].mean(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            kurtosis = np.mean(moved**4, axis=0) / np.mean(moved**2, axis=0) ** 2
            freedom = np.clip(2.0 * self.samples / (kurtosis - 1.0), 2.0, max(self.samples - 1.0, 2.0))
        wider = pelplug.student_factor(freedom + 1.0) / pelplug.student_factor(self.samples)
        return self.error(rows) * np.where(np.isfinite(wider), wider, 1.0) / self.scatter(power)

    def scatter(self, power: int = 1) -> float:
        """Return the scatter of the samples over that of independent ones, of powers of the series."""
        return pelplug.scatter_of_blocks(self.series, self.unit, self.of, power)


def energy_moments(series: np.ndarray, samples: EnergySamples) -> dict[str, tuple[float, float]]:
    """Mean, variance and skewness of a correlated series, each with a standard error.

    Parameters
    ----------
    series : ndarray, shape (n,)
        The series in time, of one run or several.
    samples : EnergySamples
        Its independent samples.

    Returns
    -------
    dict of str to (float, float)
        ``mean``, ``variance``, ``skewness`` (third central moment over the 3/2 power of the second); NaN where the
        series is too short. An error needs as many samples as `FEWEST` says.

    Notes
    -----
    The mean square deviation from the mean of a finite record is too small by the variance of that mean, which is
    found from the samples and added; with independent entries that is the division by n - 1.
    """
    series = np.asarray(series, dtype=float)
    centre, n = float(series.mean()), len(series)
    powers = np.stack([(series - centre) ** k for k in range(4)], axis=1)
    parts = pelplug.unit_sums(powers, samples.unit)
    mean, square, skewness = _moments(samples.sums(parts))
    number = len(parts)
    missing = np.nan if n < 2 else square[0] / (n - 1)
    if number > 1:
        of_mean = np.square(parts[:, 1] - mean[0] * parts[:, 0]).sum() / n**2
        missing = of_mean * number / (number - 1) / samples.scatter() ** 2
    values = {"mean": centre + mean[0], "variance": square[0] + missing, "skewness": skewness[0]}
    rows = {"mean": mean, "variance": square * (1.0 + missing / (square[0] or 1.0)), "skewness": skewness}
    return {
        name: (
            float(values[name]),
            float(samples.error_of(rows[name], power)) if number >= FEWEST[name] else np.nan,
        )
        for power, name in enumerate(rows, start=1)
    }


def _moments(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, mean square deviation and skewness from sums of the powers 0 to 3, shape (1 + R, 4)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        first, second, third = (sums[:, 1:] / sums[:, :1]).T
        spread = second - first**2
        spread = np.where(spread > 1e-14 * second, spread, 0.0 * spread)
        skewness = np.where(spread > 0, (third - 3 * first * second + 2 * first**3) / np.abs(spread) ** 1.5, np.nan)
    return first, spread, skewness


def density_of(values: np.ndarray, edges: np.ndarray, samples: EnergySamples) -> tuple[np.ndarray, np.ndarray]:
    """Probability density in bins, and its standard error over independent samples; shape (bins,) each."""
    bins = len(edges) - 1
    place = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
    number = samples.samples
    counts = np.bincount(samples.unit * bins + place, minlength=number * bins).reshape(number, bins)
    density = samples.means(counts, counts.sum(axis=1)) / np.diff(edges)
    # What is seen in one sample alone was there once: nobody knows how often it is.
    told = np.count_nonzero(counts, axis=0) > 1
    return density[0], np.where(told, samples.error_of(density), np.nan)


def ballistic_time(configuration, speed: float) -> float:
    """End of ballistic motion, 0.1 t0, with t0 = a0 / speed and a0 = (V / N)**(1 / d) [time].

    Kapteijns et al., J. Chem. Phys. 155, 074502 (2021); the speed is sqrt(k_B T / m) of the mean mass.
    """
    spacing = (configuration.volume / configuration.n) ** (1 / configuration.dimension)
    return 0.1 * spacing / speed


def transition_rate(
    times: np.ndarray, run: np.ndarray, changed: np.ndarray, samples: EnergySamples
) -> tuple[float, float]:
    """Transitions per time, and its standard error: transitions come in bursts, so it is not Poisson's.

    Parameters
    ----------
    times : ndarray, shape (n,)
        Of the frames, run after run [time].
    run : ndarray of int, shape (n,)
        Of each frame.
    changed : ndarray of int
        Frames after which there is a transition.
    samples : EnergySamples
        Independent samples of the frames.

    Returns
    -------
    rate, error : float
        [1 / time]
    """
    lasting = np.r_[np.where(run[1:] == run[:-1], np.diff(times), 0.0), 0.0]
    if not lasting.sum() > 0:
        return np.nan, np.nan
    number = np.bincount(changed, minlength=len(times)).astype(float)
    rate = samples.means(*(pelplug.unit_sums(one, samples.unit) for one in (number, lasting)))
    return float(rate[0]), float(samples.error_of(rate)) if len(changed) else np.nan
