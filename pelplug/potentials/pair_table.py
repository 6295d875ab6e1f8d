"""TablePotential: pair energies and forces from tables, as splines smooth enough for second derivatives."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.interpolate import BSpline, make_interp_spline

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.potentials.form import Form
from pelplug.potentials.interaction import nearest_distances
from pelplug.potentials.pair import PairPotential, group_numbers
from pelplug.potentials.pair_native import INTERVALS, evaluate_pair
from pelplug.potentials.pair_table_file import Section

__all__ = ["Spline", "TablePotential", "splined", "table", "table_form"]

DEGREE = 5  # of the force: with it the curvature changes smoothly three times over
_DISAGREE = 1e-3  # of the energy: more between energies and integrated forces is another table
_ROUGH = 1e-2  # of the force: what is missed by every second row alone where rows are too few, or a kink is between
_CORE = 0.8  # of where the energy changes its sign: below, particles do not come


def table(x: float, p: Any) -> tuple[float, float, float]:
    """Return u, du/dx and d2u/dx2 [energy] of a spline; infinite below its first knot.

    ``p`` holds the number of pieces n, whether knots are equally far apart in x (0) or in its square (1), the first
    knot (or its square), one over their distance, the n + 1 knots, and seven coefficients of each piece.
    """
    n = int(p[0])
    if x < p[4]:
        return math.inf, -math.inf, math.inf
    place = x * x if p[1] > 0.5 else x
    k = min(max(int((place - p[2]) * p[3]), 0), n - 1)
    while k > 0 and x < p[4 + k]:  # where knots are not that regular, and for rounding
        k -= 1
    while k < n - 1 and x >= p[5 + k]:
        k += 1
    t = x - p[4 + k]
    c = 5 + n + 7 * k
    u = p[c + 6]
    du = 0.0
    ddu = 0.0
    for j in range(5, -1, -1):
        ddu = ddu * t + 2.0 * du
        du = du * t + u
        u = u * t + p[c + j]
    return u, du, ddu


@functools.cache
def table_form(size: int, repulsive: bool) -> Form:
    """Return the form of splines that are described by some numbers each.

    Parameters
    ----------
    size : int
        How many numbers.
    repulsive : bool
        Whether no force attracts.
    """
    names = tuple(f"n{k}" for k in range(size))
    return Form("table", table, names, "a spline through the forces of a table", repulsive=repulsive)


@dataclasses.dataclass(frozen=True)
class Spline:
    """The energy of one pair of species as pieces of sixth degree, whose first five derivatives are continuous.

    Attributes
    ----------
    knots : ndarray, shape (K,)
        [length].
    coefficients : ndarray, shape (K - 1, 7)
        Of powers of the distance from the knot before [energy / length**j].
    squared : bool
        Whether squares of knots are equally far apart.
    scale : float or None
        Where the energy first changes its sign from the far end, [length]; None where it does not.
    disagreement : float
        Largest difference of the table's energies and its integrated forces, relative.
    missed : float
        What a spline through every second row misses of the forces between, relative to the largest one.
    """

    knots: np.ndarray
    coefficients: np.ndarray
    squared: bool
    scale: float | None
    disagreement: float
    missed: float

    def numbers(self, sigma: float) -> np.ndarray:
        """Return what `table` takes as ``p``, with distances in units of ``sigma``."""
        knots = self.knots / sigma
        places = knots**2 if self.squared else knots
        head = [len(knots) - 1, float(self.squared), places[0], (len(knots) - 1) / (places[-1] - places[0])]
        return np.concatenate((head, knots, (self.coefficients * sigma ** np.arange(7)).ravel()))


def splined(section: Section, path: str, cutoff: float) -> Spline:
    """Return the spline through the forces of a table, whose energy is that of its last row there.

    Parameters
    ----------
    section : Section
    path : str
        The file, for sentences.
    cutoff : float
        Rows beyond are left out, but for the first of them where none is at the cutoff [length].

    Raises
    ------
    InputError
        If the cutoff is beyond the table, forces are not those of the energies, or rows are too few or not smooth.
    """
    where = f"The section {section.keyword} of {path}"
    r = section.distances
    if not r[0] < cutoff <= r[-1] * (1.0 + 1e-9):
        raise InputError(
            f"{where} goes from {r[0]:.6g} to {r[-1]:.6g}, and the cutoff is {cutoff:.6g}; give one inside."
        )
    count = int(np.searchsorted(r, cutoff * (1.0 - 1e-9))) + 1
    r, energies, forces = r[:count], section.energies[:count], section.forces[:count]
    spline = _force_spline(r, forces, where)
    steps = np.diff(r)
    coefficients = np.zeros((len(steps), 7))
    for order in range(DEGREE + 1):
        derivative = spline(r[:-1], nu=order) / math.factorial(order)
        coefficients[:, order + 1] = -derivative / (order + 1)
    fall = -np.sum(coefficients[:, 1:] * steps[:, None] ** np.arange(1, 7), axis=1)
    # From the far end, where nothing large is added up first.
    ours = energies[-1] + np.append(np.cumsum(fall[::-1])[::-1], 0.0)
    coefficients[:, 0] = ours[:-1]
    change = np.flatnonzero((energies[:-1] > 0) & (energies[1:] <= 0))
    scale = None
    if len(change) and energies.min() < 0:
        k = int(change[0])
        scale = float(r[k] + steps[k] * energies[k] / (energies[k] - energies[k + 1]))
    met = r >= (_CORE * scale if scale is not None else r[0])
    far = r >= (scale if scale is not None else 0.5 * (r[0] + cutoff))
    depth = float(np.abs(energies[far]).max())
    apart = np.abs(ours - energies) / (np.abs(energies) + depth + np.finfo(float).tiny)
    worst = int(np.argmax(np.where(met, apart, 0.0)))
    if apart[worst] > _DISAGREE:
        raise InputError(
            f"{where} has forces that are not those of its energies: from the end to r = {r[worst]:.6g} they add to "
            f"{ours[worst]:.6g}, and the energy there is {energies[worst]:.6g}; write it again, with more rows if it "
            "is coarse."
        )
    missed, at = _missed(r, forces, met, float(np.abs(forces[far]).max()), where)
    if missed > _ROUGH:
        raise InputError(
            f"{where} is not smooth enough for second derivatives: near r = {at:.6g} a row differs by "
            f"{100 * missed:.2g} % of the force from what its neighbours say; write more rows, or end it before a kink "
            "(--potential-param cutoff=...)."
        )
    return Spline(r, coefficients, section.squared, scale, float(apart[worst]), missed)


def _force_spline(r: np.ndarray, forces: np.ndarray, where: str) -> BSpline:
    if len(r) < DEGREE + 1:
        raise InputError(f"{where} has {len(r)} rows up to the cutoff; a table has {DEGREE + 1} or more there.")
    return make_interp_spline(r, forces, k=DEGREE)


def _missed(r: np.ndarray, forces: np.ndarray, met: np.ndarray, usual: float, where: str) -> tuple[float, float]:
    """Return by how much a spline through every second row misses the forces between, and where most."""
    kept = np.unique(np.append(np.arange(0, len(r), 2), len(r) - 1))
    if len(kept) < DEGREE + 1:
        return 0.0, float(r[0])
    off = np.abs(_force_spline(r[kept], forces[kept], where)(r) - forces)
    missed = np.where(met, off / (np.maximum(np.abs(forces), usual) + np.finfo(float).tiny), 0.0)
    worst = int(np.argmax(missed))
    return float(missed[worst]), float(r[worst])


class TablePotential(PairPotential):
    """The sum over all pairs of tabulated energies: a spline of fifth degree through the forces of each table.

    Parameters
    ----------
    splines : mapping of (str, str) to Spline
        Of every two species, in their order; with one spline and no species it is that of every pair.
    species : sequence of str
    cutoff : array_like, shape (S, S)
        Of each pair of species [length].
    truncation : str
        As that of a `PairPotential`.
    made_from : mapping
        What it is recorded by.
    """

    def __init__(
        self,
        splines: Mapping[tuple[str, str], Spline],
        *,
        species: Sequence[str],
        cutoff: np.ndarray,
        truncation: str,
        made_from: Mapping[str, Any],
    ):
        names = tuple(species) or ("",)
        self._splines, self._made_from = dict(splines), dict(made_from)
        size = len(names)
        sigma = np.array(cutoff, dtype=np.float64)
        for a, b in np.ndindex(size, size):
            sigma[a, b] = self._spline(names, a, b).scale or sigma[a, b]
        rows = [[self._spline(names, a, b).numbers(sigma[a, b]) for b in range(size)] for a in range(size)]
        longest = max(len(one) for row in rows for one in row)
        numbers = np.zeros((longest, size, size))
        for a, b in np.ndindex(size, size):
            numbers[: len(rows[a][b]), a, b] = rows[a][b]
        form = table_form(longest, all(np.all(one.coefficients[:, 1] <= 0) for one in splines.values()))
        parameters = dict(zip(form.parameters, numbers, strict=True))
        super().__init__(
            form, sigma=sigma, cutoff=cutoff, parameters=parameters, species=tuple(species), truncation=truncation
        )

    def _spline(self, names: Sequence[str], a: int, b: int) -> Spline:
        return self._splines[(names[min(a, b)], names[max(a, b)])]

    def record(self) -> dict[str, Any]:
        """Return the file by its SHA-256, which section is whose, cutoffs and truncation, and how the splines fit."""
        found = {"-".join(pair): (one.disagreement, one.missed) for pair, one in self._splines.items()}
        return {
            "potential": "table",
            **self._made_from,
            "species": list(self.species),
            "cutoff": self.pair_cutoff.tolist(),
            "truncation": self.truncation,
            "disagreement": {pair: float(f"{one[0]:.2g}") for pair, one in found.items()},
            "missed": {pair: float(f"{one[1]:.2g}") for pair, one in found.items()},
        }

    def sizes(self, configuration: Configuration) -> np.ndarray | None:  # type: ignore[override]  # no size in some
        """Return where the energy with its own kind changes its sign, shape (N,) [length]; None where it does not."""
        names = self.species or ("",)
        if any(self._spline(names, a, a).scale is None for a in range(len(names))):
            return None
        return np.diag(self.sigma)[group_numbers(configuration, self.species)]

    def energy_forces(self, configuration: Configuration) -> tuple[float, np.ndarray]:
        """Return U [energy] and the forces, shape (N, d) [energy / length].

        Raises
        ------
        InputError
            If a species has no table, or two particles are nearer than the first row of theirs.
        """
        try:
            return super().energy_forces(configuration)
        except InputError:
            nearest, first = (
                float(nearest_distances(configuration).min()),
                max(s.knots[0] for s in self._splines.values()),
            )
            if not nearest < first:
                raise
            raise InputError(
                f"Two particles are {nearest:.6g} apart, and tables begin at {first:.6g}; begin with another state, or "
                "write the tables from a smaller distance."
            ) from None

    def native(self, engine: str) -> dict[str, Any] | None:
        """Return its pairs as tables for an engine that interpolates, from the first row of each."""
        if engine != "table":
            return None
        pairs = []
        for a, first in enumerate(self.species or ("",)):
            for b, second in enumerate((self.species or ("",))[a:], start=a):
                start, end = self._spline(self.species or ("",), a, b).knots[0], float(self.pair_cutoff[a, b])
                energy, force = evaluate_pair(self, (a, b), np.linspace(start * (1.0 + 1e-12), end, INTERVALS + 1))
                entry = {"length": float(self.sigma[a, b]), "first": float(start), "cutoff": end}
                names = [first, second] if self.species else None
                pairs.append({"species": names, **entry, "energy": energy.tolist(), "force": force.tolist()})
        return {"pairs": pairs}
