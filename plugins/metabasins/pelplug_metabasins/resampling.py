"""Errors from independent stretches of a list of metabasins, or from independent runs."""

from __future__ import annotations

import numpy as np

import pelplug

__all__ = ["Samples", "ratio"]


class Samples(pelplug.Bootstrap):
    """The same random choices of blocks of successive metabasins, or of runs, for every quantity.

    Parameters
    ----------
    run : ndarray of int, shape (n,)
        Number of the run of each metabasin, from 0 and rising.
    blocks : int
        Parts into which the list is cut.
    resamples : int
        Random choices.
    seed : int
        Of the choices.

    Attributes
    ----------
    unit : ndarray of int, shape (n,)
        Independent sample to which each metabasin belongs.
    of : str
        What the samples are.
    """

    def __init__(self, run: np.ndarray, blocks: int, resamples: int, seed: int):
        sizes = np.bincount(run)
        if len(sizes) >= pelplug.FEWEST_FOR_INTERVAL:
            self.unit, self.of = run, "independent runs"
        else:
            shares = np.maximum(np.round(blocks * sizes / len(run)).astype(int), 1)
            shares = np.minimum(shares, sizes)
            parts = [pelplug.block_of(size, share) for size, share in zip(sizes, shares, strict=True)]
            self.unit = np.concatenate([part + k for part, k in zip(parts, np.cumsum(shares) - shares, strict=True)])
            self.of = "blocks of successive metabasins"
        super().__init__(int(self.unit.max()) + 1, resamples=resamples, seed=seed)

    def total(self, values: np.ndarray, unit: np.ndarray | None = None) -> np.ndarray:
        """Return sums over a list, shape (1 + R, ...): of all entries first, then of each choice.

        Parameters
        ----------
        values : ndarray, shape (m, ...)
            One entry for each metabasin, or for some of them.
        unit : ndarray of int, shape (m,), optional
            Sample of each entry; by default that of each metabasin.
        """
        unit = self.unit if unit is None else unit
        parts = np.zeros((self.samples, *values.shape[1:]))
        np.add.at(parts, unit, values)
        return self.sums(parts)

    def histogram(
        self, place: np.ndarray, bins: int, weights: np.ndarray | None = None, unit: np.ndarray | None = None
    ) -> np.ndarray:
        """Return weights summed in each bin, shape (1 + R, bins), from the bin of each entry of a list."""
        cell = (self.unit if unit is None else unit) * bins + place
        return self.sums(np.bincount(cell, weights, minlength=self.samples * bins).reshape(self.samples, bins))


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Divide; NaN where there is nothing to divide by."""
    above, below = np.broadcast_arrays(np.asarray(above, dtype=float), below)
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)
