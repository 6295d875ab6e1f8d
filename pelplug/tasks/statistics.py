"""Errors over independent samples: one bootstrap, one jackknife, Student's factor, and what an error says of itself.

A sample is whatever is independent of the others: a run, an inherent structure, a stretch of a trajectory that is
longer than what is correlated in it. Particles, pairs, bonds and visits of one sample are not.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import special, stats

from pelplug.errors import InputError

if TYPE_CHECKING:
    import xarray as xr
    from numpy.typing import ArrayLike

__all__ = [
    "FEWEST_FOR_ERROR",
    "FEWEST_FOR_INTERVAL",
    "ONE_SIGMA",
    "Bootstrap",
    "Jackknife",
    "Resampling",
    "block_of",
    "block_sums",
    "effective_samples",
    "relative_to",
    "standard_error",
    "state_errors",
    "statistical_inefficiency",
    "student_factor",
]

ONE_SIGMA = 0.6826894921370859
"""Probability that the truth lies within one stated error."""

FEWEST_FOR_ERROR = 3
"""Fewer independent samples tell no error."""

FEWEST_FOR_INTERVAL = 5
"""Fewer independent samples tell no interval."""

_WITH_A_VALUE = 0.9  # least share of resamples that must have a value


def student_factor(samples: ArrayLike, confidence: float = ONE_SIGMA) -> np.ndarray:
    """Return by what an error from few samples is widened, so that it holds as often as one from many.

    Parameters
    ----------
    samples : array_like
        Number of independent samples, which need not be whole.
    confidence : float
        Probability that the interval shall hold.

    Returns
    -------
    ndarray
        Quantile of Student's distribution with ``samples - 1`` degrees of freedom over that of the normal one: 1.32 for
        3, 1.14 for 5, 1.03 for 20 samples at one standard error; NaN below two.
    """
    number = np.asarray(samples, dtype=float)
    quantile = 0.5 * (1.0 + confidence)
    freedom = np.where(number >= 2.0, number - 1.0, np.nan)
    return special.stdtrit(freedom, quantile) / special.ndtri(quantile)  # stats.t.ppf takes a hundred times as long


def standard_error(values: ArrayLike, axis: int = 0) -> np.ndarray:
    """Return the standard error of the mean of independent samples, with Student's factor.

    Parameters
    ----------
    values : array_like
        One entry along `axis` for each sample; NaN is left out.
    axis : int
        Of the samples.

    Returns
    -------
    ndarray
        NaN where fewer than `FEWEST_FOR_ERROR` samples have a value.
    """
    array = np.moveaxis(np.asarray(values, dtype=float), axis, 0)
    number = np.isfinite(array).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return _scatter(array, 0.0) / np.sqrt(np.maximum(number, 1)) * _widening(number)


class Resampling(abc.ABC):
    """The same choices among independent samples for every quantity, so that errors of their combinations are right.

    What it gives has the value of all samples first and those of the resamples behind it, shape (1 + R, ...); further
    numbers are computed of it row by row before `error` or `interval` is asked.

    Attributes
    ----------
    samples : int
        Number of independent samples.
    weights : ndarray, shape (R, samples)
        How often each resample has each sample.
    method : str
        ``"bootstrap"`` or ``"jackknife"``.
    """

    method: str
    samples: int
    weights: np.ndarray

    def sums(self, parts: ArrayLike) -> np.ndarray:
        """Return sums over samples, shape (1 + R, ...), of what each has, shape (samples, ...)."""
        array = np.asarray(parts, dtype=float)
        if len(array) != self.samples:
            raise ValueError(f"there are {self.samples} samples, not {len(array)}")
        return np.concatenate([array.sum(axis=0)[None], np.tensordot(self.weights, array, axes=(1, 0))])

    def means(self, values: ArrayLike, counts: ArrayLike | None = None) -> np.ndarray:
        """Return means over samples, shape (1 + R, ...); with `counts` ratios of sums, NaN where nothing counts."""
        counted = self.sums(np.ones(self.samples) if counts is None else counts)
        above = self.sums(values)
        below = counted.reshape(counted.shape + (1,) * (above.ndim - counted.ndim))
        above, below = np.broadcast_arrays(above, below)
        return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)

    def apply(self, statistic: Callable[..., ArrayLike], *arrays: ArrayLike) -> np.ndarray:
        """Return any statistic of the samples, shape (1 + R, ...): ``statistic(*arrays)`` of each choice of them.

        Parameters
        ----------
        statistic : callable
            Of arrays that have one entry for each chosen sample along the first axis.
        *arrays : array_like
            One entry for each sample along the first axis.
        """
        whole = [np.asarray(one) for one in arrays]
        chosen = (np.repeat(np.arange(self.samples), row) for row in self.weights.astype(int))
        rows = [statistic(*whole), *(statistic(*(one[index] for one in whole)) for index in chosen)]
        return np.asarray(rows, dtype=float)

    @abc.abstractmethod
    def error(self, values: ArrayLike, samples: ArrayLike | None = None) -> np.ndarray:
        """Return the standard error, with Student's factor.

        Parameters
        ----------
        values : array_like, shape (1 + R, ...)
            As `sums`, `means` and `apply` give them, or what was computed of those.
        samples : array_like, optional
            Number of samples that a value really rests on where that is less than all of them.

        Returns
        -------
        ndarray, shape (...)
            NaN below `FEWEST_FOR_ERROR` samples, and where more than a tenth of the resamples have no value.
        """

    @abc.abstractmethod
    def interval(
        self, values: ArrayLike, confidence: float, samples: ArrayLike | None = None, *, positive: bool = False
    ) -> np.ndarray:
        """Return lower and upper bound, shape (2, ...); NaN below `FEWEST_FOR_INTERVAL` samples. As for `error`.

        Of what is never negative (`positive`), as moduli are, it is Student's interval of the logarithm, wherever all
        resamples lie above zero: that holds with five skewed samples too.
        """

    def _students(self, values: ArrayLike, confidence: float, samples: ArrayLike | None, positive: bool) -> np.ndarray:
        array = np.asarray(values, dtype=float)
        if positive:
            array = np.log(array, out=np.full(array.shape, np.nan), where=np.all(array > 0, axis=0))
        number = np.asarray(self.samples if samples is None else samples, dtype=float)
        wide = student_factor(number, confidence) / student_factor(number) * stats.norm.ppf(0.5 * (1.0 + confidence))
        half = np.where(number >= FEWEST_FOR_INTERVAL, wide * self.error(array, samples), np.nan)
        bounds = np.stack([array[0] - half, array[0] + half])
        return np.exp(bounds) if positive else bounds

    def attributes(self, of: str, confidence: float = ONE_SIGMA, samples: Any = None) -> dict[str, Any]:
        """Return what an error says of itself in a file; `state_errors` writes it.

        Parameters
        ----------
        of : str
            What the samples are: ``"inherent structures"``.
        confidence : float
            Probability that the interval holds.
        samples : float or str, optional
            Effective number of samples, or the variable that has it; by default all.
        """
        number = self.samples if samples is None else samples
        return _attributes(f"{self.method} over {of}", number, confidence)


class Bootstrap(Resampling):
    """Random choices of as many samples as there are, with repetition.

    Parameters
    ----------
    samples : int
        Number of independent samples.
    resamples : int
        Random choices R.
    seed : int
        Of the choices.

    References
    ----------
    B. Efron, Ann. Stat. 7, 1 (1979); intervals of few samples widened after T. C. Hesterberg, Am. Stat. 69, 371 (2015),
    section 5.3.
    """

    method = "bootstrap"

    def __init__(self, samples: int, *, resamples: int = 1000, seed: int = 0):
        if samples < 1 or resamples < 2:
            raise InputError("A bootstrap needs at least one sample and two resamples.")
        self.samples = samples
        rng = np.random.default_rng(seed)
        self.weights = rng.multinomial(samples, np.full(samples, 1.0 / samples), size=resamples).astype(float)

    def error(self, values: ArrayLike, samples: ArrayLike | None = None) -> np.ndarray:
        """Return the standard deviation of the resamples, unbiased, with Student's factor; see `Resampling.error`."""
        number = np.asarray(self.samples if samples is None else samples, dtype=float)
        with np.errstate(invalid="ignore", divide="ignore"):
            unbiased = np.sqrt(number / (number - 1.0))  # a resample scatters about the samples' mean, not the truth
            return _scatter(np.asarray(values, dtype=float)[1:]) * unbiased * _widening(number)

    def interval(
        self, values: ArrayLike, confidence: float, samples: ArrayLike | None = None, *, positive: bool = False
    ) -> np.ndarray:
        """Return percentiles of the resamples, further out the fewer samples there are; see `Resampling.interval`."""
        drawn = np.asarray(values, dtype=float)[1:]
        number = np.broadcast_to(np.asarray(self.samples if samples is None else samples, dtype=float), drawn.shape[1:])
        bounds = np.full((2, *drawn.shape[1:]), np.nan)
        known = (number >= FEWEST_FOR_INTERVAL) & (np.isfinite(drawn).mean(axis=0) >= _WITH_A_VALUE)
        for place in (one for one in np.ndindex(known.shape) if known[one]):
            n, column = number[place], drawn[(slice(None), *place)]
            outer = stats.norm.cdf(-np.sqrt(n / (n - 1.0)) * stats.t.ppf(0.5 * (1.0 + confidence), n - 1.0))
            bounds[(slice(None), *place)] = np.quantile(column[np.isfinite(column)], [outer, 1.0 - outer])
        if positive:
            logarithmic = self._students(values, confidence, samples, positive)
            bounds = np.where(np.isfinite(logarithmic), logarithmic, bounds)
        return bounds


class Jackknife(Resampling):
    """All samples but one, each left out in turn; for smooth statistics, and where their bias is wanted.

    Parameters
    ----------
    samples : int
        Number of independent samples.

    References
    ----------
    M. H. Quenouille, Biometrika 43, 353 (1956); J. W. Tukey, Ann. Math. Stat. 29, 614 (1958).
    """

    method = "jackknife"

    def __init__(self, samples: int):
        if samples < 1:
            raise InputError("A jackknife needs at least one sample.")
        self.samples = samples
        self.weights = 1.0 - np.eye(samples)

    def error(self, values: ArrayLike, samples: ArrayLike | None = None) -> np.ndarray:
        """Return the jackknife's standard error, with Student's factor; see `Resampling.error`."""
        number = np.asarray(self.samples if samples is None else samples, dtype=float)
        with np.errstate(invalid="ignore"):
            scatter = _scatter(np.asarray(values, dtype=float)[1:]) * (self.samples - 1) / self.samples**0.5
            return scatter * _widening(number)

    def interval(
        self, values: ArrayLike, confidence: float, samples: ArrayLike | None = None, *, positive: bool = False
    ) -> np.ndarray:
        """Return the value less and plus so many standard errors; see `Resampling.interval`."""
        bounds = self._students(values, confidence, samples, positive)
        return np.where(np.isfinite(bounds), bounds, self._students(values, confidence, samples, positive=False))

    def unbiased(self, values: ArrayLike) -> np.ndarray:
        """Return the value without the part of its bias that falls as one over the number of samples."""
        array = np.asarray(values, dtype=float)
        return self.samples * array[0] - (self.samples - 1) * array[1:].mean(axis=0)


def relative_to(values: ArrayLike, errors: ArrayLike, place: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """Return independent values over one of them, and the standard errors of these ratios.

    Parameters
    ----------
    values, errors : array_like, shape (K,)
        Values and their standard errors.
    place : int
        Of the one, which is 1 without an error.

    Returns
    -------
    ratio, error : ndarray, shape (K,)
    """
    value, error = np.asarray(values, dtype=float), np.asarray(errors, dtype=float)
    ratio = value / value[place]
    spread = np.abs(ratio) * np.hypot(error / value, error[place] / value[place])
    spread[place] = np.nan
    return ratio, spread


def block_of(n: int, blocks: int) -> np.ndarray:
    """Return the number of the block, from 0, of each of n entries in a row, cut into blocks of equal length."""
    return np.searchsorted(np.arange(1, blocks) * n // blocks, np.arange(n), side="right")


def block_sums(values: ArrayLike, blocks: int) -> np.ndarray:
    """Return sums over blocks of equal length.

    Parameters
    ----------
    values : array_like, shape (K, ...)
        Entries in a row.
    blocks : int
        How many.

    Returns
    -------
    ndarray, shape (blocks, ...)
    """
    array = np.asarray(values, dtype=float)
    return np.add.reduceat(array, np.arange(blocks) * len(array) // blocks, axis=0)


def statistical_inefficiency(series: ArrayLike) -> float:
    """Return how many successive entries of a correlated series are worth one independent one, at least 1.

    Parameters
    ----------
    series : array_like, shape (K,)
        Equally spaced in time.

    Returns
    -------
    float
        ``1 + 2 sum rho(k)`` over lags up to five times the half of it, where the autocorrelation ends (Sokal's
        window); n for a constant series.

    References
    ----------
    A. D. Sokal, in Functional Integration, NATO ASI Series 361, 131 (1997), Eq. 3.17.
    """
    array = np.asarray(series, dtype=float)
    n = len(array)
    moved = array - array.mean() if n else array
    if n < 2 or not np.any(np.abs(moved) > 1e-12 * (np.abs(array).max() or 1.0)):
        return float(max(n, 1))
    length = 1 << (2 * n - 1).bit_length()
    power = np.abs(np.fft.rfft(moved, length)) ** 2
    correlation = np.fft.irfft(power, length)[:n]
    integrated = 2.0 * np.cumsum(correlation / correlation[0]) - 1.0
    end = np.flatnonzero(np.arange(n) >= 2.5 * integrated)
    return float(np.clip(integrated[end[0] if end.size else n - 1], 1.0, n))


def effective_samples(series: ArrayLike) -> float:
    """Return how many independent samples a correlated series is worth; see `statistical_inefficiency`."""
    return len(np.asarray(series)) / statistical_inefficiency(series)


def state_errors(
    dataset: xr.Dataset,
    names: Iterable[str],
    method: str | dict[str, Any],
    samples: Any = None,
    confidence: float = ONE_SIGMA,
) -> xr.Dataset:
    """Write into errors and intervals how they were found, and on how many samples they rest.

    Parameters
    ----------
    dataset : Dataset
        Changed.
    names : iterable of str
        Variables, as ``kappa_mean_error``; those that are not there are left out.
    method : str or dict
        As ``"standard error over independent runs"``, or what `Resampling.attributes` gives.
    samples : float or str
        Effective number of samples, or the name of the variable that has them.
    confidence : float
        Probability that the interval holds; of errors that of one standard error.

    Returns
    -------
    Dataset
        The same.
    """
    said = _attributes(method, samples, confidence) if isinstance(method, str) else method
    for name in names:
        if name in dataset.variables:
            dataset[name].attrs.update(said)
    return dataset


def _attributes(method: str, samples: Any, confidence: float) -> dict[str, Any]:
    number = samples if isinstance(samples, str) else float(samples)
    return {"error_method": method, "effective_samples": number, "confidence": round(float(confidence), 4)}


def _widening(number: np.ndarray) -> np.ndarray:
    return np.where(np.asarray(number) >= FEWEST_FOR_ERROR, student_factor(number), np.nan)


def _scatter(values: np.ndarray, least: float = _WITH_A_VALUE) -> np.ndarray:
    """Return the standard deviation along the first axis of what has a value; NaN unless so large a share has one."""
    finite = np.isfinite(values)
    number = finite.sum(axis=0)
    filled = np.where(finite, values, 0.0)
    mean = filled.sum(axis=0) / np.maximum(number, 1)
    square = np.where(finite, (filled - mean) ** 2, 0.0).sum(axis=0) / np.maximum(number - 1, 1)
    return np.where((number > 1) & (number >= least * len(values)), np.sqrt(square), np.nan)
