"""Tables from which energies and normal numbers are drawn, in a time that does not depend on their length.

A density is replaced by its interpolant, linear between equidistant nodes. That is a sum of hat functions, so one is
drawn by the alias method, with its weight, and then a place under the hat, as the sum of two uniform numbers. Between
two nodes a distance h apart the density is off by less than ``h**2 max|p''| / 8``; with h = sigma/256 that is 2e-6 of a
Gaussian at its centre, and 1e-4 of it 7 sigma from there. The rate's kink is on a node, and the cutoff is the first.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

import pelplug

__all__ = ["Table", "alias_table", "energy_tables", "normal_table"]

_PER_WIDTH = 256  # nodes
_REACH = 9.0  # widths on either side
_MOST_NODES = 10**6


@dataclasses.dataclass(frozen=True)
class Table:
    """A density as a sum of hats.

    Attributes
    ----------
    first, spacing : float
        Of the nodes. What falls below the first one is reflected.
    keep : ndarray of float32, shape (K,)
        Share of each column of the alias method that belongs to its own node.
    other : ndarray of int32, shape (K,)
        Whose the rest is.
    """

    first: float
    spacing: float
    keep: np.ndarray
    other: np.ndarray

    @property
    def nodes(self) -> np.ndarray:
        """Where the hats are."""
        return self.first + self.spacing * np.arange(self.keep.size)


def alias_table(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Walker's table of some weights, by Vose's construction.

    Parameters
    ----------
    weights : ndarray, shape (K,)
        Need not be normalised.

    Returns
    -------
    keep : ndarray of float32, shape (K,)
    other : ndarray of int32, shape (K,)
    """
    share = (np.asarray(weights, dtype=float) * (len(weights) / np.sum(weights))).tolist()
    keep, other = np.ones(len(share), np.float32), np.arange(len(share), dtype=np.int32)
    small = [k for k, value in enumerate(share) if value < 1.0]
    large = [k for k, value in enumerate(share) if value >= 1.0]
    while small and large:
        low, high = small.pop(), large[-1]
        keep[low], other[low] = share[low], high
        share[high] -= 1.0 - share[low]
        if share[high] < 1.0:
            small.append(large.pop())
    return keep, other


@functools.lru_cache(8)
def energy_tables(landscape: pelplug.TrapLandscape, temperature: float) -> tuple[Table, Table]:
    """Return the tables of p_eq(e) and of p_eq(e) Gamma(e).

    Parameters
    ----------
    landscape : TrapLandscape
    temperature : float
        [temperature]

    Returns
    -------
    passive, active : Table
        On the same nodes [energy].

    Raises
    ------
    InputError
        If both lie so far apart that the table is too long.
    """
    sigma, cutoff = landscape.sigma, landscape.cutoff
    peak = float(landscape.peak(temperature))
    shift = float(landscape.slope(temperature)) * sigma**2  # of the peak, for each power of the rate
    tops = [peak, peak + shift]
    steep = [max(0.0, (cutoff - top) / sigma) for top in tops]  # how steeply it falls from the cutoff on
    spacing = sigma / (_PER_WIDTH * (1.0 + max(steep)))
    first = max(cutoff, min(*tops, peak - shift) - _REACH * sigma)
    last = max(max(top, cutoff) + _REACH * sigma / (1.0 + fall / _REACH) for top, fall in zip(tops, steep, strict=True))
    if landscape.plateau and first + spacing < landscape.crossover < last:  # the kink of the rate is a node
        between = landscape.crossover - first
        if cutoff < first:
            first = landscape.crossover - spacing * np.ceil(between / spacing)
        else:
            spacing = between / np.ceil(between / spacing)
    if not (last - first) / spacing < _MOST_NODES:
        raise pelplug.InputError(
            f"At T = {temperature:g} energies of active and passive processes lie {abs(shift) / sigma:.3g} widths "
            "sigma apart, too far to be simulated; give a larger sigma, or a smaller lambda or entropic factor."
        )
    nodes = first + spacing * np.arange(int(np.ceil((last - first) / spacing)) + 1)
    log = -0.5 * ((nodes - peak) / sigma) ** 2
    found = []
    for power in (0.0, 1.0):
        weight = log + power * landscape.log_rate(nodes, temperature)
        weight = np.exp(weight - weight.max())
        weight[0] *= 0.5  # half a hat: the density ends there
        found.append(Table(float(first), float(spacing), *alias_table(weight)))
    return found[0], found[1]


@functools.cache
def normal_table() -> Table:
    """Return the table of a normal distribution of variance 1, to which the width of the hats has its part."""
    spacing = 1.0 / 64
    nodes = spacing * np.arange(-int(_REACH / spacing), int(_REACH / spacing) + 1)
    weights = np.exp(-0.5 * nodes**2 / (1.0 - spacing**2 / 6.0))
    return Table(float(nodes[0]), spacing, *alias_table(weights))
