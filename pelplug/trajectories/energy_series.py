"""An energy series as it comes: restarts, gaps and odd entries are found, and equally spaced segments handed on."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator

import numpy as np

from pelplug.core.units import Units
from pelplug.errors import InputError

__all__ = ["EnergyChunk", "EnergyOrigin", "EnergySegments", "gathered"]

_STATE = ("spacing", "dropped", "segments", "entries", "kinetic", "taken", "_first", "_last", "_whole")
_GATHER = 65_536
_LOOSE = 0.05  # times are printed with few digits: a difference may depart by so much of the spacing


@dataclasses.dataclass(frozen=True)
class EnergyChunk:
    """Some consecutive entries.

    Attributes
    ----------
    at : ndarray, shape (K,)
        Simulation steps (whole numbers) or times.
    energy : ndarray, shape (K,)
        Potential energies.
    begins : bool
        Whether a run begins here; only there may steps go back.
    kinetic_temperature : ndarray, shape (K,), optional
        Of the velocities, where it is logged too [temperature].
    """

    at: np.ndarray
    energy: np.ndarray
    begins: bool = False
    kinetic_temperature: np.ndarray | None = None


@dataclasses.dataclass
class EnergyOrigin:
    """What is known of a series; filled in while it is read.

    Attributes
    ----------
    source : str
        Where it is from, in words.
    time_step : float or None
        Time of one step; 1 if entries are told by their times.
    n : int or None
        Number of particles.
    extensive : bool or None
        Whether energies are of the whole system; None if nobody said.
    unit : str
        Of energies, in words.
    temperature : float or None
        Of the simulation.
    note : str
        What was left out, in words.
    system : Units
        What energies and times are in, where that is known.
    """

    source: str
    time_step: float | None = None
    n: int | None = None
    extensive: bool | None = None
    unit: str = "that of the model"
    temperature: float | None = None
    note: str = ""
    system: Units = dataclasses.field(default_factory=Units)

    def take_units(self, units: Units) -> None:
        """Take the units of the model or the file, where all of them are stated; reduced ones name nothing."""
        if units.is_complete and not units.is_reduced:
            self.system, self.unit = units, str(units.energy)


def gathered(chunks: Iterable[EnergyChunk], size: int = _GATHER) -> Iterator[EnergyChunk]:
    """Join small chunks, but never over the beginning of a run."""
    pending, count, begins = [], 0, False
    for chunk in chunks:
        if pending and (chunk.begins or count >= size):
            yield _joined(pending, begins)
            pending, count, begins = [], 0, False
        begins = begins or chunk.begins
        pending.append(chunk)
        count += len(chunk.at)
    if pending:
        yield _joined(pending, begins)


def _joined(chunks: list[EnergyChunk], begins: bool) -> EnergyChunk:
    warm = [c.kinetic_temperature for c in chunks if c.kinetic_temperature is not None]
    return EnergyChunk(
        np.concatenate([c.at for c in chunks]),
        np.concatenate([c.energy for c in chunks]),
        begins,
        np.concatenate(warm) if len(warm) == len(chunks) else None,
    )


class EnergySegments:
    """A series, cut into equally spaced segments chunk by chunk.

    Parameters
    ----------
    origin : EnergyOrigin
        For error messages.
    spacing : float, optional
        Steps or time between entries; the median of the first chunk if None.

    Attributes
    ----------
    spacing : float or None
        Steps or time between entries.
    dropped : int
        Entries left out because a restarted run logged their steps again.
    segments : int
        Pieces so far.
    entries : int
        Entries in them.
    kinetic : float
        Sum of the kinetic temperatures of all that came; NaN once some had none [temperature].
    """

    def __init__(self, origin: EnergyOrigin, spacing: float | None = None):
        self.origin, self.spacing = origin, spacing
        self.dropped, self.segments, self.entries = 0, 0, 0
        self.kinetic, self.taken = 0.0, 0
        self._first = self._last = None
        self._whole = True

    def pieces(self, chunk: EnergyChunk) -> Iterator[tuple[bool, np.ndarray]]:
        """Yield (whether a new segment begins, energies) for one chunk.

        Raises
        ------
        InputError
            If an energy is not a number, steps go back within a run, or a run begins at or before the first entry.
        """
        at, energy = np.asarray(chunk.at), np.asarray(chunk.energy, dtype=float)
        if not len(at):
            return
        warm = chunk.kinetic_temperature
        self.taken += len(at)
        self.kinetic += np.nan if warm is None else float(np.sum(warm))
        source = self.origin.source
        if not (np.all(np.isfinite(energy)) and np.all(np.isfinite(at))):
            bad = int(np.flatnonzero(~(np.isfinite(energy) & np.isfinite(at)))[0])
            raise InputError(
                f"An energy of {source} near step or time {at[bad]:g} is not a finite number; mend or cut the series."
            )
        if np.any(np.diff(at) <= 0):
            back = at[int(np.flatnonzero(np.diff(at) <= 0)[0]) + 1]
            raise InputError(
                f"The steps of {source} do not increase near {back:g}; give one series, in the order of time."
            )
        new = self._last is None
        if not new and at[0] <= self._last:
            if not chunk.begins:
                raise InputError(
                    f"The steps of {source} do not increase near {at[0]:g}; give one series, in the order of time."
                )
            if at[0] <= self._first:
                raise InputError(
                    f"A run in {source} begins again at step or time {at[0]:g}, so that its entries cannot be "
                    "placed after those before it; choose one run with --block (0 the first, -1 the last)."
                )
            again = int(np.searchsorted(at, self._last, side="right"))
            self.dropped += again
            # The last entry of one run is the first of the next. More than that is another course of events.
            new = again > 1
            at, energy = at[again:], energy[again:]
            if not len(at):
                return
        if self.spacing is None and len(at) + (0 if new else 1) > 1:
            steps = np.diff(at) if new else np.diff(np.concatenate([[self._last], at]))
            self.spacing = float(np.median(steps))
            if self._whole and np.issubdtype(at.dtype, np.floating):
                self._whole = bool(np.all(at == np.rint(at)))
        yield from self._cut(at, energy, new)
        self._first = at[0] if self._first is None else self._first
        self._last = at[-1]

    def _cut(self, at, energy, new):
        before = at[0] - (self.spacing or 0.0) if new else self._last
        steps = np.diff(np.concatenate([[before], at]))
        spacing = self.spacing or 1.0
        # Whole steps are exact; times have the rounding of their digits.
        loose = 1e-9 if self._whole else _LOOSE
        breaks = np.flatnonzero(np.abs(steps - spacing) > loose * spacing)
        starts = np.unique(np.concatenate([[0], breaks]))
        for k, start in enumerate(starts):
            stop = starts[k + 1] if k + 1 < len(starts) else len(at)
            begins = new if start == 0 and 0 not in breaks else True
            self.segments += bool(begins)
            self.entries += int(stop - start)
            yield bool(begins), energy[start:stop]

    def begin_run(self, origin: EnergyOrigin) -> None:
        """Begin the energies of another run, whose steps may be any; messages name its origin."""
        self.origin = origin
        self._first = self._last = None

    @property
    def kinetic_temperature(self) -> float:
        """Mean kinetic temperature of the entries; NaN where it is not logged with all [temperature]."""
        return self.kinetic / self.taken if self.taken else np.nan

    @property
    def words(self) -> str:
        """How many segments there are and what was left out."""
        many = f"{self.segments} {'segment' if self.segments == 1 else 'segments'}"
        note = f"; {self.origin.note}" if self.origin.note else ""
        return f"{many}; {self.dropped} left out that a restart repeats{note}"

    def state(self) -> str:
        """Return all there is as JSON, for `restore`."""
        values = {name.strip("_"): getattr(self, name) for name in _STATE}
        return json.dumps({key: value.item() if hasattr(value, "item") else value for key, value in values.items()})

    def restore(self, state: str) -> None:
        """Go on where `state` was taken."""
        values = json.loads(state)
        values.setdefault("kinetic", np.nan)  # of a version that did not keep it
        values.setdefault("taken", values["entries"])
        for name in _STATE:
            setattr(self, name, values[name.strip("_")])

    def check(self, pairs: int) -> None:
        """Refuse a series of which less than half is equally spaced, or that has too few entries.

        Parameters
        ----------
        pairs : int
            Neighbouring entries one spacing apart.

        Raises
        ------
        InputError
            With what to do.
        """
        source = self.origin.source
        if self.entries < 4:
            count = "one entry" if self.entries == 1 else f"{self.entries or 'no'} entries"
            raise InputError(f"{source} has {count}; an energy series takes at least 4, better thousands.")
        if 2 * pairs < self.entries:
            raise InputError(
                f"The entries of {source} are not equally spaced: only {pairs} of {self.entries} follow the one before "
                f"after {self.spacing:g}; log energies every so many steps, or choose a stretch that is."
            )
