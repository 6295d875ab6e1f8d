"""The length d_ij that scales the distance of a pair: sigma of its species, or a rule for its diameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.potentials.base import Potential
from pelplug.potentials.first_shells import FirstShells

__all__ = ["LengthScale", "length_scale"]

# Diameters looked at for the largest d_ij and for the mean of d_ij**d: quantiles of them, where there are more.
QUANTILES = 1500


@dataclasses.dataclass(frozen=True)
class LengthScale:
    """The length d_ij of each pair, from species (a table) or from particle diameters (a rule).

    Attributes
    ----------
    groups : ndarray of int, shape (N,)
        Row of each particle in ``table``; zeros with diameters.
    table : ndarray, shape (S, S), or None
        d_ij by species [length].
    diameters : ndarray, shape (N,)
        Own diameter of each particle [length].
    mixing : callable or None
        ``(d_i, d_j) -> d_ij`` where there is no table.
    """

    groups: np.ndarray
    table: np.ndarray | None
    diameters: np.ndarray
    mixing: Callable | None = None

    def of(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """Return d_ij of pairs of particles [length]."""
        if self.table is not None:
            return self.table[self.groups[i], self.groups[j]]
        return _mixed(self.mixing, self.diameters[i], self.diameters[j])

    def _grid(self) -> np.ndarray:
        if self.table is not None:
            present = np.unique(self.groups)
            return self.table[np.ix_(present, present)]
        own = np.sort(self.diameters)
        if own.size > QUANTILES:
            own = own[np.round(np.linspace(0, own.size - 1, QUANTILES)).astype(int)]
        return _mixed(self.mixing, own[:, None], own[None, :])

    @property
    def largest(self) -> float:
        """Largest d_ij [length]."""
        return float(self._grid().max())

    def mean_power(self, power: int) -> float:
        """Mean of d_ij**power over pairs of different particles [length**power]."""
        n = self.diameters.size
        if self.table is not None:
            counts = np.bincount(self.groups, minlength=len(self.table)).astype(float)
            total = counts @ self.table**power @ counts - counts @ np.diag(self.table) ** power
            return float(total / (n * (n - 1)))
        grid = self._grid() ** power
        if n > QUANTILES:
            return float(grid.mean())
        return float((grid.sum() - np.trace(grid)) / (n * (n - 1)))


def length_scale(
    configuration: Configuration,
    potential: Potential | None,
    sigma: Literal["auto"] | float,
    shells: FirstShells | None = None,
) -> LengthScale:
    """Find d_ij: the number given, or the potential's table or rule for diameters, or the first peaks of g(r).

    Parameters
    ----------
    configuration : Configuration
        Species and diameters.
    potential : Potential or None
        Asked for ``sigma``, ``species`` and ``mixing``, as a `pelplug.PairPotential` has them, and for one
        ``parameters["sigma"]``.
    sigma : "auto" or float
        One length for all pairs [length], or what the potential says.
    shells : FirstShells, optional
        Where the first peak of g_ab(r) is, which counts where the potential says nothing.

    Raises
    ------
    InputError
        If none of them gives a length, or a first peak that is needed is not clear.
    """
    if getattr(potential, "shifted", False):
        raise InputError(
            "Bonds are told by distances in space, and the pairs of this model see each other at random shifts; "
            "broken bonds and defects are not defined for it."
        )
    n = configuration.n
    if sigma != "auto":
        return LengthScale(np.zeros(n, dtype=int), np.full((1, 1), float(sigma)), np.full(n, float(sigma)))
    mixing = getattr(potential, "mixing", None)
    if mixing is not None and configuration.diameters is not None:
        return LengthScale(np.zeros(n, dtype=int), None, configuration.diameters, mixing)
    stated = getattr(potential, "sigma", None)
    if stated is None:  # one length among the parameters, as Stillinger-Weber has it
        stated = dict(getattr(potential, "parameters", None) or {}).get("sigma")
    try:
        table = np.array(stated, dtype=float)
    except (TypeError, ValueError):
        table = np.array(np.nan)
    table = table.reshape(1, 1) if table.ndim == 0 else table
    names = [str(name) for name in getattr(potential, "species", ())]
    square = table.ndim == 2 and table.shape[0] == table.shape[1] and np.all(table > 0)
    if (
        square
        and table.shape[0] == max(1, len(names))
        and (len(table) == 1 or set(configuration.species) <= set(names))
    ):
        groups = np.zeros(n, dtype=int)
        if len(names) > 1:
            groups = np.array([names.index(name) for name in configuration.species])
        return LengthScale(groups, table, np.diag(table)[groups])
    if shells is not None:
        return _by_peaks(configuration, shells)
    raise InputError(
        "The interactions give no length that scales the distance of a pair; pass --sigma LENGTH (sigma= in Python), "
        "the distance of touching particles, or a model that has one."
    )


def _by_peaks(configuration: Configuration, shells: FirstShells) -> LengthScale:
    shells.require("or pass --sigma LENGTH (sigma= in Python), the distance of touching particles")
    groups = shells.numbers(configuration)
    # Of a species with one particle nobody needs its distance to its own kind.
    table = np.where(shells.peaks > 0, shells.peaks, shells.peaks.max())
    return LengthScale(groups, table, np.diag(table)[groups])


def _mixed(mixing: Any, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    try:
        value = np.asarray(mixing(first, second), dtype=float)
        if value.shape == np.broadcast_shapes(first.shape, second.shape):
            return value
    except (TypeError, ValueError):
        pass  # written for two numbers, with an if perhaps
    return np.vectorize(mixing, otypes=[float])(first, second)
