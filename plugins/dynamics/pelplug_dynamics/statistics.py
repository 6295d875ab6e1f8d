"""Means over time origins, chi_4, and bootstrap resamples of them."""

from __future__ import annotations

import dataclasses

import numpy as np

__all__ = ["BLOCKS", "Curves", "Resampling", "each_resample", "spread", "susceptibility"]

BLOCKS = 20
"""Stretches of equal time a trajectory is cut into; an origin belongs to the stretch it is in."""


@dataclasses.dataclass(frozen=True)
class Curves:
    """Functions of the lag.

    Attributes
    ----------
    msd : ndarray, shape (..., L)
        Mean squared displacement [length**2].
    alpha_2 : ndarray, shape (..., L)
        Non-Gaussian parameter ``d <dr**4> / ((d + 2) <dr**2>**2) - 1``.
    fs : ndarray, shape (..., Q, L)
        Self-intermediate scattering function.
    overlap : ndarray, shape (..., L)
        Share of particles that moved less than the overlap length.
    chi_4 : ndarray, shape (..., L)
        ``n (<Q**2> - <Q>**2)`` of that share over origins.
    """

    msd: np.ndarray
    alpha_2: np.ndarray
    fs: np.ndarray
    overlap: np.ndarray
    chi_4: np.ndarray


class Resampling:
    """Sums by lag and unit, and means of random choices of the units.

    A unit is a stretch of one trajectory, or a whole trajectory where there are enough of them.

    Parameters
    ----------
    counts : ndarray, shape (L, U)
        LagPairs of frames by lag and unit.
    resamples, seed : int
        Random choices, and their seed.
    """

    def __init__(self, counts, resamples: int, seed: int):
        self.counts = counts
        self.contributing = (counts > 0).sum(axis=1)
        rng = np.random.default_rng(seed)
        units = counts.shape[1]
        self._weights = rng.multinomial(units, np.full(units, 1.0 / units), size=resamples).astype(float)

    def curves(self, sums: np.ndarray, particles: int, dimension: int) -> tuple[Curves, Curves]:
        """Return the curves of all pairs and those of the resamples, which lead their shapes.

        Parameters
        ----------
        sums : ndarray, shape (4 + Q, L, U)
            Of `sums_by_kind`.
        particles : int
            Number in the sums.
        dimension : int
            d.
        """
        means = sums / particles
        means[3] /= particles
        whole = self._curves(means, np.ones((1, self.counts.shape[1])), particles, dimension)
        whole = Curves(*(values[0] for values in dataclasses.astuple(whole)))
        return whole, self._curves(means, self._weights, particles, dimension)

    @property
    def known(self) -> np.ndarray:
        """Lags whose scatter tells an error: at least 3 units contribute; resamples of one unit are all the same."""
        return self.contributing >= 3

    def of_known_lags(self, resampled: Curves) -> Curves:
        """Return the resamples with NaN at the other lags."""
        return Curves(*(np.where(self.known, values, np.nan) for values in dataclasses.astuple(resampled)))

    def error(self, resampled: np.ndarray) -> np.ndarray:
        """Return the standard deviation over resamples; NaN at lags to which fewer than 3 units contribute."""
        with np.errstate(invalid="ignore"):
            scatter = _std(resampled)
        return np.where(self.known, scatter, np.nan)

    def _curves(self, sums, weights, particles, dimension) -> Curves:
        with np.errstate(invalid="ignore", divide="ignore"):
            counts = weights @ self.counts.T
            msd, fourth, overlap, squares, *fs = [weights @ one.T / counts for one in sums]
            alpha_2 = dimension * fourth / ((dimension + 2.0) * msd**2) - 1.0
        return Curves(
            msd=msd,
            alpha_2=alpha_2,
            fs=np.stack(fs, axis=-2) if fs else np.empty((len(weights), 0, msd.shape[-1])),
            overlap=overlap,
            chi_4=susceptibility(overlap, squares, counts, particles),
        )


def susceptibility(mean, mean_square, origins, particles: int) -> np.ndarray:
    """Return ``n (<Q**2> - <Q>**2)``; NaN where there is one origin."""
    return np.where(origins > 1, particles * np.maximum(mean_square - mean**2, 0.0), np.nan)


def _std(values: np.ndarray) -> np.ndarray:
    """Return the standard deviation over the first axis, of what is finite."""
    finite = np.isfinite(values)
    number = finite.sum(axis=0)
    filled = np.where(finite, values, 0.0)
    mean = filled.sum(axis=0) / np.maximum(number, 1)
    variance = np.where(finite, (values - mean) ** 2, 0.0).sum(axis=0) / np.maximum(number - 1, 1)
    return np.where(number > 0.5 * len(values), np.sqrt(variance), np.nan)


def each_resample(resampled):
    """Yield the curves of one resample after the other."""
    for k in range(len(resampled.msd)):
        yield Curves(*(getattr(resampled, field.name)[k] for field in dataclasses.fields(resampled)))


def spread(values: np.ndarray):
    """Return the standard deviation of the resamples; NaN unless most of them have a value."""
    finite = np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if finite.sum() < 0.5 * len(values):
        return np.full(values.shape[1:], np.nan) if values.ndim > 1 else np.nan
    scatter = values[finite].std(axis=0, ddof=1)
    return scatter if values.ndim > 1 else float(scatter)
