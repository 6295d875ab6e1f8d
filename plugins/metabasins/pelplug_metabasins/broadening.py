"""Broadening of the rates at given energy: a log-normal distribution of rates, by maximum likelihood."""

from __future__ import annotations

import functools

import numpy as np

__all__ = ["BINS", "bin_of", "fit_broadening"]

_STEP = 0.05
_LOG_TIMES = np.arange(-30.0, 30.0 + _STEP / 2, _STEP)
BINS = len(_LOG_TIMES)
"""Bins of the logarithm of a waiting time over the mean one at its energy."""
_SIGMAS = np.arange(0.0, 3.55, 0.1)
_REACH = 1.5  # how far the most likely shift of the logarithm is from the one guessed


def bin_of(reduced: np.ndarray) -> np.ndarray:
    """Return the bin of reduced waiting times tau Gamma(e)."""
    place = np.round((np.log(np.maximum(reduced, 1e-300)) - _LOG_TIMES[0]) / _STEP).astype(int)
    return np.clip(place, 0, BINS - 1)


def fit_broadening(seen: np.ndarray, shorter: np.ndarray, longer: np.ndarray) -> np.ndarray:
    r"""Return sigma_gamma**2, shape (R,), the variance of ln(rate) at given energy.

    Parameters
    ----------
    seen, shorter, longer : ndarray, shape (R, `BINS`)
        Metabasins by the logarithm of their reduced waiting time: those of which it is known, those that lasted less,
        and those that lasted longer, for each of R choices of metabasins.

    Notes
    -----
    The waiting time is :math:`\langle g e^{-g x}\rangle` distributed, with :math:`\ln g` Gaussian (C. Rehwald and A.
    Heuer, Phys. Rev. E 86, 051504 (2012), Eq. 2). Its logarithm is that of an exponential time and a Gaussian together;
    mean and width of the Gaussian are those of greatest likelihood. Moments of the time itself would not do: that of
    :math:`\tau^2` rests on a few of the longest.
    """
    density, below, above = _tables()
    known = seen + shorter + longer
    used = np.flatnonzero(known.sum(axis=0) > 0)
    guess = (known[0] @ _LOG_TIMES) / known[0].sum() + np.euler_gamma
    shifts = np.arange(int(np.floor((guess - _REACH) / _STEP)), int(np.ceil((guess + _REACH) / _STEP)) + 1)
    place = np.clip(used[None] - shifts[:, None], 0, BINS - 1)
    likelihood = np.zeros((len(known), len(_SIGMAS), len(shifts)))
    for table, number in ((density, seen), (below, shorter), (above, longer)):
        if number[:, used].any():
            likelihood += np.tensordot(number[:, used], table[:, place], axes=(1, 2))
    best = likelihood.reshape(len(known), -1).argmax(axis=1)
    row, column = np.unravel_index(best, likelihood.shape[1:])
    row, column = np.clip(row, 1, len(_SIGMAS) - 2), np.clip(column, 1, len(shifts) - 2)
    sigma = np.array([_SIGMAS[r] + 0.1 * _top(one[r - 1 : r + 2, c - 1 : c + 2])
                      for one, r, c in zip(likelihood, row, column, strict=True)])  # fmt: skip
    return np.square(np.maximum(sigma, 0.0))


def _top(values: np.ndarray) -> float:
    """Return where along the first axis a paraboloid through 3 by 3 values is highest, -1 to 1."""
    gradient = np.array([values[2, 1] - values[0, 1], values[1, 2] - values[1, 0]]) / 2
    mixed = (values[2, 2] + values[0, 0] - values[2, 0] - values[0, 2]) / 4
    own = np.array([values[2, 1] + values[0, 1], values[1, 2] + values[1, 0]]) - 2 * values[1, 1]
    hessian = np.array([[own[0], mixed], [mixed, own[1]]])
    if own[0] >= 0 or np.linalg.det(hessian) <= 0:
        return float(np.sign(gradient[0])) if own[0] >= 0 else float(np.clip(-gradient[0] / own[0], -1, 1))
    return float(np.clip(-np.linalg.solve(hessian, gradient)[0], -1, 1))


@functools.cache
def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return logarithms of the density of ln x, and of the chances to last less and longer; (sigmas, `BINS`) each."""
    e = np.exp(np.minimum(_LOG_TIMES, 7.0))
    kernels = (e * np.exp(-e), -np.expm1(-e), np.exp(-e))
    tables = []
    for kernel in kernels:
        rows = []
        for sigma in _SIGMAS:
            reach = int(np.ceil(8 * sigma / _STEP))
            weight = np.exp(-np.square(_STEP * np.arange(-reach, reach + 1) / max(sigma, 1e-9)) / 2)
            rows.append(np.convolve(np.pad(kernel, reach, mode="edge"), weight / weight.sum(), "valid"))
        tables.append(np.log(np.maximum(rows, 1e-300)))
    return tuple(tables)
