"""Fit of the slow rise of the mean-squared energy difference, with errors from blocks of the series."""

from __future__ import annotations

import dataclasses

import numpy as np

__all__ = ["RelaxationFit", "block_errors", "fit_rise", "fit_with_errors", "variance_error", "vibration_end"]

_GRID = 20  # relaxation times a decade tried before the best one is refined
_MODEL_ERROR = 0.01  # of the curve: no point may weigh more than one known so well
_COUNTS = (10, 20, 40)  # blocks in which errors are looked for
_LEAST = 6


@dataclasses.dataclass(frozen=True)
class RelaxationFit:
    """``u0_squared + um_squared (1 - exp(-t / tau))``, Eq. 11 of the paper.

    Attributes
    ----------
    u0_squared, um_squared : float
        [energy**2]
    tau : float
        [time]
    """

    u0_squared: float
    um_squared: float
    tau: float

    def __call__(self, t):
        """Return the curve at some times."""
        return self.u0_squared - self.um_squared * np.expm1(-np.asarray(t) / self.tau)


class _Projection:
    """Weighted least squares of the curve: for a given tau it is linear, so tau alone is searched for."""

    def __init__(self, times, weights):
        self.times, self.weights = times, weights
        decades = np.log10(times[-1] / times[0]) + 2.0
        self.taus = np.geomspace(times[0] / 3.0, 30.0 * times[-1], int(_GRID * decades))
        self.bases = np.stack([self._basis(tau)[0] for tau in self.taus])  # (G, K, 2), orthonormal columns

    def _basis(self, tau):
        design = np.stack([np.ones_like(self.times), -np.expm1(-self.times / tau)], axis=1) * self.weights[:, None]
        return np.linalg.qr(design)

    def fit(self, curve) -> RelaxationFit:
        """Fit one curve."""
        y = self.weights * curve
        best = int(np.argmax(np.sum((y @ self.bases) ** 2, axis=1)))
        low, high = (np.log(self.taus[min(max(best + k, 0), len(self.taus) - 1)]) for k in (-1, 1))
        for _ in range(40):  # golden section, for what the curve leaves over
            a, b = low + 0.381966 * (high - low), low + 0.618034 * (high - low)
            if self._captured(np.exp(a), y) > self._captured(np.exp(b), y):
                high = b
            else:
                low = a
        return self._at(float(np.exp(0.5 * (low + high))), y)

    def fit_many(self, curves) -> np.ndarray:
        """Return u0_squared, um_squared and ln tau of many curves; tau by a parabola through three of the grid."""
        y = self.weights * curves
        flat = self.bases.transpose(1, 0, 2).reshape(len(self.times), -1)
        captured = np.sum((y @ flat).reshape(len(y), -1, 2) ** 2, axis=2)
        best = np.argmax(captured, axis=1)
        middle = np.clip(best, 1, len(self.taus) - 2)
        left, centre, right = (captured[np.arange(len(y)), middle + k] for k in (-1, 0, 1))
        bend = left - 2.0 * centre + right
        shift = np.where((bend < 0) & (best == middle), 0.5 * (left - right) / np.where(bend < 0, bend, -1.0), 0.0)
        step = np.log(self.taus[1] / self.taus[0])
        log_tau = np.log(self.taus[best]) + shift * step
        # Normal equations of the two linear numbers, one row a curve.
        square = self.weights**2
        rise = -np.expm1(-self.times / np.exp(log_tau)[:, None])
        s11, s12, s22 = square.sum(), rise @ square, rise**2 @ square
        b1, b2 = curves @ square, np.einsum("rk,rk->r", curves * square, rise)
        determinant = s11 * s22 - s12**2
        return (
            np.stack([(s22 * b1 - s12 * b2), (s11 * b2 - s12 * b1), log_tau * determinant], axis=1)
            / determinant[:, None]
        )

    def _at(self, tau, y) -> RelaxationFit:
        q, r = self._basis(tau)
        u0, um = np.linalg.solve(r, y @ q)
        return RelaxationFit(float(u0), float(um), float(tau))

    def _captured(self, tau, y) -> float:
        return float(np.sum((y @ self._basis(tau)[0]) ** 2))


def fit_rise(times, curve, errors=None) -> RelaxationFit:
    """Fit Eq. 11 by least squares, each point weighted by its error.

    Parameters
    ----------
    times : ndarray, shape (K,)
        Ascending lags, at least 4 [time].
    curve : ndarray, shape (K,)
        Mean-squared energy difference [energy**2].
    errors : ndarray, shape (K,), optional
        Standard errors; a hundredth of the curve is added to each.

    Returns
    -------
    RelaxationFit
    """
    return _Projection(times, _weights(curve, errors)).fit(curve)


def _weights(curve, errors):
    errors = np.zeros_like(curve) if errors is None else errors
    return 1.0 / np.sqrt(errors**2 + (_MODEL_ERROR * curve) ** 2)


def block_errors(blocks, lags) -> np.ndarray:
    """Return standard errors of the mean-squared differences at `lags`, from the scatter between blocks.

    The largest that blocks of several lengths give, none shorter than two lags; NaN where there are fewer than 6.
    """
    result = np.full(len(lags), np.nan)
    for at_most in _COUNTS:
        sums, counts = blocks.blocks(at_most=at_most)[:2]
        length = blocks.n / len(sums)
        if len(sums) < _LEAST:
            continue
        fit = (lags * 2 <= length) & np.all(counts > 0, axis=0)
        s, c = sums[:, fit], counts[:, fit]
        mean = s.sum(axis=0) / c.sum(axis=0)
        spread = np.sum((s - mean * c) ** 2, axis=0) * len(s) / (len(s) - 1)
        result[fit] = np.fmax(result[fit], np.sqrt(spread) / c.sum(axis=0))
    return result


def variance_error(correlator) -> float:
    """Return the standard error of the variance of the series, from the scatter between blocks; NaN if too few."""
    largest = np.nan
    for at_most in _COUNTS:
        moments = correlator.blocks(at_most=at_most)[2]
        if len(moments) < _LEAST:
            continue
        total = moments.sum(axis=0)
        mean = total[1] / total[0]
        square = moments[:, 2] - 2 * mean * moments[:, 1] + mean**2 * moments[:, 0]
        variance = square.sum() / total[0]
        spread = np.sum((square - variance * moments[:, 0]) ** 2) * len(moments) / (len(moments) - 1)
        largest = np.fmax(largest, np.sqrt(spread) / total[0])
    return float(largest)


def fit_with_errors(blocks, chosen, times, curve, errors, scale, resamples, seed, derived=None):
    """Fit Eq. 11 and find the errors of its numbers by block bootstrap.

    Parameters
    ----------
    blocks : Correlator or SeriesBlocks
        Gives the sums in blocks.
    chosen : ndarray of bool
        Which of its lags are in the window.
    times, curve, errors : ndarray, shape (K,)
        Lags [time], mean-squared differences and their errors [energy**2] in the window.
    scale : float
        What a squared difference of the blocks is multiplied by.
    resamples, seed : int
        Bootstrap resamples of the blocks, and their seed.
    derived : callable, optional
        Gives further numbers, shape (R, M), of u0_squared and um_squared of R resamples.

    Returns
    -------
    fit : RelaxationFit
    spread : ndarray, shape (3 + M,)
        Standard errors of u0_squared, um_squared and tau, and of what is derived: the largest that blocks of several
        lengths give; NaN if there are too few blocks.
    """
    projection = _Projection(times, _weights(curve, errors))
    fit = projection.fit(curve)
    spread = np.full(3 + (0 if derived is None else derived(*np.zeros((2, 1))).shape[1]), np.nan)
    rng = np.random.default_rng(seed)
    for at_most in _COUNTS:
        sums, counts = blocks.blocks(at_most=at_most)[:2]
        b = len(sums)
        if b < _LEAST or np.any(counts[:, chosen].sum(axis=0) == 0):
            continue
        weights = rng.multinomial(b, np.full(b, 1.0 / b), size=resamples)
        below = weights @ counts[:, chosen]
        usable = np.all(below > 0, axis=1)
        curves = scale * (weights @ sums[:, chosen])[usable] / below[usable]
        own = scale * sums[:, chosen].sum(axis=0) / counts[:, chosen].sum(axis=0)
        # The blocks tell how the curve scatters; about which curve, the exact one does.
        found = projection.fit_many(curve + curves - own)
        if derived is not None:
            found = np.column_stack([found, derived(found[:, 0], found[:, 1])])
        # A few resamples without a rise have a tau at the edge of the search: quantiles do not mind.
        with np.errstate(invalid="ignore"):  # heat capacities can be infinite
            low, high = np.quantile(found, [0.158655, 0.841345], axis=0)
            width = 0.5 * (high - low) * np.sqrt(b / (b - 1))
        width[2] *= fit.tau
        spread = np.fmax(spread, width)
    return fit, spread


def vibration_end(times, curve, errors) -> float:
    """Return the lag from which on vibrations are over: the first plateau.

    Ten times the lag of the first maximum, if the curve falls after it by more than 2 % and three errors before it
    comes as high again; the shortest lag if there is no such maximum, as in a series logged less often than particles
    vibrate.
    """
    errors = np.nan_to_num(errors)
    highest = 0
    for k in range(1, len(curve)):
        if curve[k] > curve[highest]:
            highest = k
        drop = curve[highest] - curve[k]
        # Hot liquids at constant energy have a low maximum: 6 % in Kob-Andersen's at T = 0.8.
        if drop > 0.02 * curve[highest] and drop > 3.0 * np.hypot(errors[highest], errors[k]):
            # In the noise of the longest lags a fall says nothing about vibrations.
            return float(10.0 * times[highest]) if times[highest] < 0.01 * times[-1] else float(times[0])
    return float(times[0])
