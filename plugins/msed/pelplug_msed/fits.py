"""Fit of the slow rise of the mean-squared energy difference, with errors from blocks of the series."""

from __future__ import annotations

import dataclasses

import numpy as np

import pelplug
from pelplug_msed.blocks import Runs

__all__ = [
    "RelaxationFit",
    "block_errors",
    "fast_end",
    "fit_rise",
    "fit_with_errors",
    "variance_error",
    "vibration_end",
]

_GRID = 20  # relaxation times a decade tried before the best one is refined
_MODEL_ERROR = 0.01  # of the curve: no point may weigh more than one known so well
_COUNTS = (10, 20)  # blocks in which errors are looked for
_LEAST = 6
_BETTER = 9.0  # by which the sum of squared residuals over errors falls if there is a second rise


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


def fast_end(times, curve, errors) -> float:
    """Return the lag from which on a fast part that rises without a maximum is over; the first one if there is none.

    Two exponentials, ``c + a (1 - exp(-t / fast)) + b (1 - exp(-t / slow))``, are fitted. Where they describe the curve
    so much better than one that chance cannot be why, and the slow one is seen, the fast one is over when what is left
    of it is a third of the error.

    Parameters
    ----------
    times, curve, errors : ndarray, shape (K,)
        Ascending lags [time], mean-squared energy differences and their errors [energy**2].
    """
    weights = _weights(curve, errors)
    taus = np.geomspace(times[0] / 3.0, 10.0 * times[-1], 60)
    rises = -np.expm1(-times / taus[:, None])
    rows = np.concatenate([np.ones((1, len(times))), rises]) * weights
    square, against = rows @ rows.T, rows @ (weights * curve)
    one = np.arange(1, len(rows))
    apart = int(np.ceil(np.log(5.0) / np.log(taus[1] / taus[0])))  # two rises nearer than that look like one
    i, j = (1 + index for index in np.triu_indices(len(taus), apart))
    matrix = _of_pairs(square, (np.zeros_like(i), i, j))
    vector = np.stack([np.full(len(i), against[0]), against[i], against[j]], axis=1)
    with np.errstate(all="ignore"):
        found = np.linalg.solve(matrix + 1e-12 * np.eye(3) * square.max(), vector[..., None])[..., 0]
        captured = np.where((found[:, 1:] > 0).all(axis=1), np.sum(found * vector, axis=1), -np.inf)
        alone = square[0, 0] * square[one, one] - square[0, one] ** 2
        best_alone = np.max(
            (against[0] ** 2 * square[one, one] - 2 * against[0] * against[one] * square[0, one]
             + against[one] ** 2 * square[0, 0]) / alone
        )  # fmt: skip
    best = int(np.argmax(captured))
    if not captured[best] > best_alone + _BETTER:
        return float(times[0])
    # If the slow one is no more than the scatter of the long lags, the fast one is the relaxation looked for.
    if not found[best, 2] > 3.0 * errors[np.argmin(np.abs(times - taus[j[best] - 1]))]:
        return float(times[0])
    left = found[best, 1] * np.exp(-times / taus[i[best] - 1])
    over = np.flatnonzero(left < errors / 3.0)
    return float(times[over[0]]) if over.size else float(times[0])


def _of_pairs(square, index) -> np.ndarray:
    return np.stack([np.stack([square[a, b] for b in index], axis=-1) for a in index], axis=-2)


def _weights(curve, errors):
    errors = np.zeros_like(curve) if errors is None else errors
    return 1.0 / np.sqrt(errors**2 + (_MODEL_ERROR * curve) ** 2)


def block_errors(blocks, lags) -> tuple[np.ndarray, np.ndarray]:
    """Return standard errors of the mean-squared differences at `lags`, from the scatter between blocks or runs.

    Returns
    -------
    errors : ndarray, shape (K,)
        The largest that blocks of several lengths give, none shorter than two lags; NaN where there are fewer than 6.
    number : ndarray, shape (K,)
        Of the blocks that gave it; 0 where none did.
    """
    largest = _Largest(len(lags))
    for sums, counts in _of_several_lengths(blocks):
        jackknife = pelplug.Jackknife(len(sums))
        error = jackknife.error(jackknife.means(sums, counts))
        room = blocks.shortest if isinstance(blocks, Runs) else blocks.n / len(sums)
        fit = (lags * 2 <= room) & np.all(counts > 0, axis=0)
        largest.take(np.where(fit, error, np.nan), len(sums))
    return largest.errors, largest.number


def variance_error(blocks) -> tuple[float, int]:
    """Return the standard error of the variance of the series, and from how many blocks; NaN if there are too few."""
    largest = _Largest(1)
    for at_most in _COUNTS:
        moments = blocks.blocks(at_most=at_most)[2]
        if len(moments) < _LEAST and not isinstance(blocks, Runs):
            continue
        jackknife = pelplug.Jackknife(len(moments))
        number, total, squares = jackknife.sums(moments).T
        largest.take(jackknife.error((squares / number - (total / number) ** 2)[:, None]), len(moments))
    return float(largest.errors[0]), int(largest.number[0])


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
    spread, number : ndarray, shape (3 + M,)
        Standard errors of u0_squared, um_squared and tau, and of what is derived: the largest that blocks of several
        lengths give, and how many blocks gave it; NaN and 0 if there are too few.
    """
    projection = _Projection(times, _weights(curve, errors))
    fit = projection.fit(curve)
    largest = _Largest(3 + (0 if derived is None else derived(*np.zeros((2, 1))).shape[1]))
    for sums, counts in _of_several_lengths(blocks):
        bootstrap = pelplug.Bootstrap(len(sums), resamples=resamples, seed=seed)
        curves = scale * bootstrap.means(sums[:, chosen], counts[:, chosen])
        usable = np.all(np.isfinite(curves), axis=1)
        if not usable[0]:
            continue
        # The blocks tell how the curve scatters; about which curve, the exact one does.
        found = projection.fit_many(curve + np.where(usable[:, None], curves - curves[0], 0.0))
        if derived is not None:
            found = np.column_stack([found, derived(found[:, 0], found[:, 1])])
        found[~usable] = np.nan
        # A few resamples without a rise have a tau at the edge of the search: quantiles do not mind.
        low, high = bootstrap.interval(found, pelplug.ONE_SIGMA)
        width = 0.5 * (high - low)
        width[2] *= fit.tau
        largest.take(width, len(sums))
    return fit, largest.errors, largest.number


class _Largest:
    """The largest of several errors, and how many samples it is from."""

    def __init__(self, size: int):
        self.errors, self.number = np.full(size, np.nan), np.zeros(size, dtype=int)

    def take(self, errors: np.ndarray, samples: int) -> None:
        larger = np.isfinite(errors) & ~(errors <= self.errors)
        self.errors[larger], self.number[larger] = errors[larger], samples


def _of_several_lengths(blocks):
    if isinstance(blocks, Runs):
        yield blocks.blocks()[:2]
        return
    for at_most in _COUNTS:
        sums, counts = blocks.blocks(at_most=at_most)[:2]
        if len(sums) >= _LEAST:
            yield sums, counts


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
