"""First shells: where g(r) of each two species has its first peak and the minimum behind it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.special import gamma

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.potentials.first_minimum import first_minimum
from pelplug.potentials.near_pairs import near_pairs

__all__ = ["FirstShells", "first_shells"]

# In units of the mean distance rho**(-1/d): how far is looked, the bins, and the Gaussian that smooths g(r).
_REACH, _BIN, _SMOOTHING = 3.0, 0.01, 0.04


@dataclasses.dataclass(frozen=True)
class FirstShells:
    """Where neighbours are, of each two species.

    Attributes
    ----------
    species : tuple of str
        In the order of the rows.
    peaks, minima : ndarray, shape (S, S)
        Where g_ab(r) has its first peak and the first minimum behind it [length]; NaN where none is clear.
    """

    species: tuple[str, ...]
    peaks: np.ndarray
    minima: np.ndarray

    def unclear(self) -> list[str]:
        """Return the pairs of species of which nothing stands out of the noise, as ``A-B``."""
        rows = range(len(self.species))
        return [f"{self.species[a]}-{self.species[b]}" for a in rows for b in rows[a:] if np.isnan(self.minima[a, b])]

    def text(self, digits: int = 4, *, of: str = "minima") -> str:
        """Return the minima, or peaks, in words, as ``A-B 1.42, B-B 1.1``."""
        rows, lengths = range(len(self.species)), getattr(self, of)
        return ", ".join(
            f"{self.species[a]}-{self.species[b]} {lengths[a, b]:.{digits}g}" for a in rows for b in rows[a:]
        )

    def require(self, remedy: str) -> FirstShells:
        """Return the same where every two species have a first shell.

        Parameters
        ----------
        remedy : str
            What to give besides more frames.

        Raises
        ------
        InputError
            With those that have none.
        """
        if unclear := self.unclear():
            raise InputError(
                f"g(r) of {', '.join(unclear)} has no first minimum that stands out of the noise of so few particles "
                f"or frames; give more frames, {remedy}."
            )
        return self

    def numbers(self, configuration: Configuration) -> np.ndarray:
        """Return the row of each particle, shape (N,)."""
        return _kinds(self.species, configuration)


def first_shells(states: Iterable[Configuration]) -> FirstShells:
    """Find the first peak and minimum of g(r) of each two species, averaged over some states of the same particles.

    g(r) is counted up to three mean distances ``rho**(-1/d)`` in bins of 0.01 of it, and smoothed with a Gaussian of
    0.04 of it; peak and minimum must stand out of the noise (`first_minimum`).

    Parameters
    ----------
    states : iterable of Configuration
        One at least.

    Returns
    -------
    FirstShells
    """
    counts: np.ndarray | None = None
    names: tuple[str, ...] = ()
    unit, d = 1.0, 3
    for state in states:
        if counts is None:
            d, names = state.dimension, tuple(state.species_names)
            unit = (state.volume / state.n) ** (1.0 / d)
            edges = _BIN * unit * np.arange(round(_REACH / _BIN) + 1)
            ball = np.diff(np.pi ** (d / 2) / gamma(d / 2 + 1) * edges**d)
            counts, expected = np.zeros((2, len(names), len(names), len(ball)))
            kind = _kinds(names, state)
            number = np.bincount(kind, minlength=len(names)).astype(float)
            pairs = np.outer(number, number)
            np.fill_diagonal(pairs, number * (number - 1.0))
        near = near_pairs(state.positions, state.cell, float(edges[-1]))
        rows = np.searchsorted(edges, near.distances, side="right") - 1
        # Each pair twice, as A-B and B-A, and so are those that uncorrelated particles would give.
        np.add.at(counts, (kind[near.i], kind[near.j], np.minimum(rows, len(ball) - 1)), 1.0)
        np.add.at(counts, (kind[near.j], kind[near.i], np.minimum(rows, len(ball) - 1)), 1.0)
        expected += pairs[:, :, None] * ball / state.volume
    if counts is None:
        raise InputError("No state was given; give one at least.")
    peaks, minima = np.full((2, len(names), len(names)), np.nan)
    for a in range(len(names)):
        for b in range(a, len(names)):
            if pairs[a, b] > 0:
                g, due = counts[a, b] / expected[a, b], expected[a, b] * (0.5 if a == b else 1.0)
                found = first_minimum(g, _BIN * unit, _SMOOTHING * unit, 1.0 / np.sqrt(due), least_peak=0.0)
                minima[a, b] = minima[b, a] = found
                if np.isfinite(found):
                    before = gaussian_filter1d(g, _SMOOTHING / _BIN, mode="nearest")[: int(found / (_BIN * unit))]
                    peaks[a, b] = peaks[b, a] = _BIN * unit * (np.argmax(before) + 0.5)
            else:  # nobody whose neighbours they could be
                peaks[a, b] = peaks[b, a] = minima[a, b] = minima[b, a] = 0.0
    return FirstShells(names, peaks, minima)


def _kinds(names: tuple[str, ...], state: Configuration) -> np.ndarray:
    places = {name: k for k, name in enumerate(names)}
    return np.array([places[name] for name in state.species.tolist()])
