"""Errors from blocks of successive metabasins, drawn anew."""

from __future__ import annotations

import numpy as np

__all__ = ["BlockBootstrap", "ratio", "spread"]


class BlockBootstrap:
    """The same random draws of blocks for every quantity, so that errors of their combinations are right.

    Parameters
    ----------
    blocks : int
        Contiguous parts that a list is cut into.
    samples : int
        Draws.
    seed : int
        Of the draws.
    """

    def __init__(self, blocks: int, samples: int, seed: int):
        self.blocks = blocks
        draws = np.random.default_rng(seed).integers(blocks, size=(samples, blocks))
        self.times = np.apply_along_axis(np.bincount, 1, draws, minlength=blocks)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum over a list, shape (1 + samples, ...): of all entries first, then of each draw."""
        edges = np.arange(self.blocks) * len(values) // self.blocks
        return self.draw(np.add.reduceat(values, edges, axis=0))

    def draw(self, parts: np.ndarray) -> np.ndarray:
        """As `sums`, from the sums over each block, shape (blocks, ...)."""
        return np.concatenate([parts.sum(axis=0)[None], np.tensordot(self.times, parts, axes=(1, 0))])

    def block_of(self, n: int) -> np.ndarray:
        """Block of each entry of a list of n."""
        return np.searchsorted(np.arange(1, self.blocks) * n // self.blocks, np.arange(n), side="right")


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Divide; NaN where there is nothing to divide by."""
    above, below = np.broadcast_arrays(np.asarray(above, dtype=float), below)
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below > 0)


def spread(values: np.ndarray) -> np.ndarray:
    """Return the standard error from draws of `BlockBootstrap`; NaN if more than a tenth of them have no value."""
    drawn = np.asarray(values)[1:]
    with np.errstate(invalid="ignore"):
        good = np.isfinite(drawn)
        number = good.sum(axis=0)
        mean = np.where(good, drawn, 0.0).sum(axis=0) / np.maximum(number, 1)
        square = np.square(np.where(good, drawn - mean, 0.0)).sum(axis=0) / np.maximum(number - 1, 1)
    return np.where(number >= 0.9 * len(drawn), np.sqrt(square), np.nan)
