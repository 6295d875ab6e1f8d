"""Tables for ``hoomd.md.pair.Table`` from what a potential answers to ``native("table")``, and how far they err."""

from __future__ import annotations

import dataclasses

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
    error : dict
        Largest error of a pair's ``energy`` and ``force`` from ``distance`` [length of the pair] on; ``jump``, the
        largest force at a cutoff, which HOOMD spreads over the last interval; ``inside``, the error before it.
    """

    parameters: dict[tuple[str, str], dict]
    cutoffs: dict[tuple[str, str], float]
    error: dict[str, float]

    @property
    def cutoff(self) -> float:
        """The longest [length]."""
        return max(self.cutoffs.values())


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

    def error(self, nearest: float) -> tuple[float, float]:
        """Return the largest error of energy and force in every interval from a distance on to the last but one.

        Where every value is taken, the errors of a table of half as many, which are larger.
        """
        stride = max(self.stride, 2)
        knots = np.arange(0, len(self.energy), stride)
        width = (self.cutoff - self.first) / (len(self.energy) - 1) * stride
        begin = min(max(0, int((nearest - self.first) / width)), max(len(knots) - 3, 0))
        index, worst = knots[begin:-2], []
        for values in (self.energy, self.force):
            apart = [0.0]
            for k in range(1, stride):
                guess = values[index] + k / stride * (values[index + stride] - values[index])
                apart.append(float(np.abs(guess - values[index + k]).max(initial=0.0)))
            worst.append(max(apart))
        return worst[0], worst[1]


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
    errors = [table.error(0.9 * nearest * table.length) for table in tables.values()]
    # Beyond the cutoff there is nothing: what is left of energy and force there goes over the last interval.
    jumps = {name: max(abs(float(getattr(one, name)[-1])) for one in tables.values()) for name in ("energy", "force")}
    inside = {"energy": max(e for e, _ in errors), "force": max(f for _, f in errors)}
    error = {name: max(inside[name], jumps[name]) for name in inside}
    error |= {"jump": jumps["force"], "inside": inside["force"], "distance": 0.9 * nearest}
    named = {(frame.names[a], frame.names[b]): table for (a, b), table in tables.items()}
    return PairTables(
        {pair: table.taken() for pair, table in named.items()},
        {pair: table.cutoff for pair, table in named.items()},
        error,
    )
