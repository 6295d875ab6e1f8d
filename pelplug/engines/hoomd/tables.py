"""Tables for ``hoomd.md.pair.Table`` from what a potential answers to ``native("table")``, and how far they err."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from pelplug.engines.hoomd.view import HoomdView
from pelplug.engines.native import NativeData
from pelplug.errors import InputError
from pelplug.potentials.interaction import nearest_distances

__all__ = ["PairTables", "read_tables"]

_WIDTH = 20_000  # the fewest values that are taken where there are more


@dataclasses.dataclass(frozen=True)
class PairTables:
    """Energies and forces of pairs of particle types.

    Attributes
    ----------
    parameters : dict
        For each pair of types ``r_min``, ``U`` and ``F`` of HOOMD-blue.
    cutoffs : dict
        Their cutoffs [length].
    tables : dict
        By numbers of types, with the errors of each.
    error : dict
        Largest error of a pair's ``energy`` and ``force`` from ``distance`` [length of the pair] on; ``jump``, the
        largest force at a cutoff, which HOOMD spreads over the last interval; ``inside``, the error before it.
    """

    parameters: dict[tuple[str, str], dict]
    cutoffs: dict[tuple[str, str], float]
    tables: dict[tuple[int, int], _Tabulated]
    error: dict[str, float]

    @property
    def cutoff(self) -> float:
        """The longest [length]."""
        return max(self.cutoffs.values())

    def errors(
        self, types: np.ndarray, i: np.ndarray, j: np.ndarray, distances: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the largest errors of energy and force of pairs, shape (P,), by their distances and types."""
        found = np.zeros((2, len(distances)))
        of_i, of_j = types[i], types[j]
        for (a, b), table in self.tables.items():
            here = ((of_i == a) & (of_j == b)) | ((of_i == b) & (of_j == a))
            found[:, here] = table.error_at(distances[here])
        return found[0], found[1]


@dataclasses.dataclass(frozen=True)
class _Tabulated:
    length: float
    first: float
    cutoff: float
    energy: np.ndarray
    force: np.ndarray

    @classmethod
    def of(cls, entry: NativeData) -> _Tabulated:
        first, cutoff = entry.number("first", least=0.0), entry.number("cutoff", least=0.0)
        columns = [entry.column(name) for name in ("energy", "force")]
        if not (first < cutoff and len(columns[0]) == len(columns[1]) and len(columns[0]) >= 3):
            raise entry.wrong(
                f"a table of {len(columns[0])} energies and {len(columns[1])} forces from {first:.6g} to {cutoff:.6g}, "
                "where as many of both, three at least, belong, from first up to the cutoff"
            )
        return cls(entry.number("length", default=cutoff, least=1e-300), first, cutoff, *columns)

    @property
    def stride(self) -> int:
        """Every how many values are taken: so many that what is left shows the error."""
        intervals = len(self.energy) - 1
        return max(k for k in range(1, max(1, intervals // _WIDTH) + 1) if intervals % k == 0)

    def taken(self) -> dict:
        """Return what HOOMD-blue is given: values from ``first`` to before the cutoff."""
        return {"r_min": self.first, "U": self.energy[: -1 : self.stride], "F": self.force[: -1 : self.stride]}

    @functools.cached_property
    def errors(self) -> np.ndarray:
        """Largest errors of energy and force in every interval, shape (2, K).

        Where every value is taken, those of a table of half as many, which are larger. Beyond the cutoff there is
        nothing: what is left of energy and force there goes over the last interval.
        """
        stride = max(self.stride, 2)
        knots = np.arange(0, len(self.energy) - stride, stride)
        worst = np.zeros((2, len(knots)))
        for found, values in zip(worst, (self.energy, self.force), strict=True):
            for k in range(1, stride):
                guess = values[knots] + k / stride * (values[knots + stride] - values[knots])
                np.maximum(found, np.abs(guess - values[knots + k]), out=found)
            found[-1] = max(found[-2:].max(), abs(values[-1]))
        return worst

    def interval(self, distances: np.ndarray | float) -> np.ndarray:
        """Return in which intervals of `errors` distances are."""
        count = self.errors.shape[1]
        width = (self.cutoff - self.first) / (len(self.energy) - 1) * max(self.stride, 2)
        return np.clip((np.asarray(distances) - self.first) / width, 0, count - 1).astype(np.int64)

    def error_at(self, distances: np.ndarray) -> np.ndarray:
        """Return the largest errors about some distances, shape (2, P); nothing beyond the cutoff."""
        around = np.pad(self.errors, ((0, 0), (1, 1)), mode="edge")
        around = np.max([around[:, :-2], around[:, 1:-1], around[:, 2:]], axis=0)
        return np.where(distances < self.cutoff, around[:, self.interval(distances)], 0.0)

    def error_from(self, nearest: float) -> np.ndarray:
        """Return the largest errors of energy and force from a distance on to the last interval but one, shape (2,)."""
        return self.errors[:, min(int(self.interval(nearest)), self.errors.shape[1] - 2) : -1].max(axis=1)


def read_tables(answer: NativeData, frame: HoomdView) -> PairTables:
    """Read the tables for the types of a simulation.

    Parameters
    ----------
    answer : NativeData
        With ``pairs``; see docs/hooks/engines.md.
    frame : HoomdView
        Types, and the start, whose nearest particles say from where on errors count.

    Raises
    ------
    InputError
        If the answer is malformed, or two particles are nearer than a table begins.
    """
    tables = {}
    for types, entry in answer.pairs(frame.species, ("length", "first", "cutoff", "energy", "force")):
        tables[types] = _Tabulated.of(entry)
    nearest = 0.9
    for (a, b), table in tables.items():
        of_a, of_b = (frame.start.species == frame.species[k] for k in (a, b))
        distances = nearest_distances(frame.start, of_a, of_b)
        nearest = min(nearest, float(distances.min(initial=np.inf)) / table.length)
    for table in tables.values():
        if table.first > 0.0 and table.first >= 0.9 * nearest * table.length:
            raise InputError(
                f"Two particles are {nearest:.3g} sigma apart, nearer than the table of this potential begins; "
                "quench or melt the configuration with the route kernel first."
            )
    inside = np.max([table.error_from(0.9 * nearest * table.length) for table in tables.values()], axis=0)
    jump = np.max([(abs(table.energy[-1]), abs(table.force[-1])) for table in tables.values()], axis=0)
    energy, force = np.maximum(inside, jump).tolist()
    error = {"energy": energy, "force": force, "jump": float(jump[1]), "inside": float(inside[1])}
    error["distance"] = 0.9 * nearest
    named = {(frame.names[a], frame.names[b]): table for (a, b), table in tables.items()}
    return PairTables(
        {pair: table.taken() for pair, table in named.items()},
        {pair: table.cutoff for pair, table in named.items()},
        tables,
        error,
    )
