"""Several trajectories of one system as one: independent runs at one state point, analysed together."""

from __future__ import annotations

import contextlib
import dataclasses
import glob
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Self

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.conditions import Conditions
from pelplug.core.units import Units
from pelplug.errors import InputError, PelplugError
from pelplug.trajectories.memory import in_memory
from pelplug.trajectories.opening import open_trajectory
from pelplug.trajectories.recorded import joined_conditions
from pelplug.trajectories.selection import select_frames
from pelplug.trajectories.source import Frames, Source
from pelplug.trajectories.trajectory import Trajectory

__all__ = ["SeveralTrajectories", "fitting_files", "opened"]

_APART = "analyse them apart, and put the results together with pelplug plot or pelplug study"
_DENSITY = 0.01  # by which constant volumes of one state point differ at most
# What the first says for all.
_OF_THE_FIRST = frozenset(
    {"path", "topology", "format", "source", "universe", "dt", "frame_interval", "positions", "order_is_kept"}
    | {"species", "species_names", "dimension", "n", "ignored", "given_masses", "simulation_record", "open_another"}
    | {"units", "file_units", "length_unit", "any_length"}
)


class SeveralTrajectories:
    """Frames of several trajectories in the order given, with numbers that go on from one to the next.

    What it says of the particles and of how files are read is what the first says; the others say the same.

    Parameters
    ----------
    trajectories : sequence of Trajectory
        Independent runs of one system.

    Attributes
    ----------
    trajectories : tuple of Trajectory
        In the units of the first, with particles in the order of its species.
    offsets : ndarray of int
        Number of the first frame of each, and behind them the number of frames.

    Raises
    ------
    InputError
        If one is there twice, or they are not of the same particles, model and units.
    """

    def __init__(self, trajectories: Sequence[Trajectory]) -> None:
        first = trajectories[0]
        _refuse_twice(trajectories)
        for other in trajectories[1:]:
            _refuse_others(first, other)
        alike = (one.in_units(first.units, first._conversion.model) for one in trajectories[1:])
        self.trajectories = (first, *(one.in_order_of(first.species) for one in alike))
        self.offsets = np.cumsum([0, *(one.n_frames for one in trajectories)])

    def __getattr__(self, name: str) -> Any:
        if name in _OF_THE_FIRST:
            return getattr(self.trajectories[0], name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    # --- frames -------------------------------------------------------------------------------------------------

    @property
    def n_frames(self) -> int:
        """Number of frames of all of them."""
        return int(self.offsets[-1])

    @property
    def reader(self) -> _Readers:
        """What an analysis hands to `AnalysisBase`."""
        return _Readers(self.trajectories)

    def place(self, frame: int) -> tuple[int, int]:
        """Return to which trajectory a frame belongs, and its number there."""
        if not 0 <= frame < self.n_frames:
            raise InputError(
                f"There is no frame {frame} in these {len(self.trajectories)} trajectories, which have {self.n_frames} "
                f"frames; ask for 0 to {self.n_frames - 1}."
            )
        run = int(np.searchsorted(self.offsets, frame, side="right")) - 1
        return run, int(frame - self.offsets[run])

    def where(self, frame: int) -> str:
        """Return the words for a frame: its file, and its number there."""
        run, number = self.place(frame)
        return f"frame {number} of {self.trajectories[run].path}"

    def by_file(self, frames: Iterable[int]) -> tuple[tuple[Trajectory, np.ndarray], ...]:
        """Return each trajectory with the numbers that those of the frames which belong to it have there."""
        numbers = np.asarray(list(frames), dtype=np.int64)
        runs = np.searchsorted(self.offsets, numbers, side="right") - 1
        return tuple((one, numbers[runs == k] - self.offsets[k]) for k, one in enumerate(self.trajectories))

    def select(self, selection: Frames) -> np.ndarray:
        """Return the numbers of the frames that a selection takes of each of them, shape (n,)."""
        each = (select_frames(one.n_frames, selection, os.fspath(one.path)) for one in self.trajectories)
        return np.concatenate([offset + numbers for offset, numbers in zip(self.offsets[:-1], each, strict=True)])

    def configuration(self, frame: int) -> Configuration:
        """Read one frame; its `frame` is the number among those of all trajectories."""
        run, number = self.place(frame)
        return self.trajectories[run].configuration(number).replace(frame=int(frame))

    def cell_of_file(self, frame: int) -> np.ndarray | None:
        """Return the cell vectors that the file itself records for a frame, None if it does not."""
        run, number = self.place(frame)
        return self.trajectories[run].cell_of_file(number)

    def log(self, frame: int) -> dict:
        """Return what else the file records for a frame."""
        run, number = self.place(frame % self.n_frames)
        return self.trajectories[run].log(number)

    def __len__(self) -> int:
        return self.n_frames

    def __getitem__(self, frame: int) -> Configuration:
        return self.configuration(frame)

    def __iter__(self) -> Iterator[Configuration]:
        return (self.configuration(number) for number in range(self.n_frames))

    # --- who the particles are ----------------------------------------------------------------------------------

    def has(self, quantity: str) -> bool:
        """Tell whether the frames of all carry a quantity, as `Trajectory.has`."""
        return all(one.has(quantity) for one in self.trajectories)

    def check_identity(self, frames: Iterable[int], same_species: bool = True) -> None:
        """Refuse a trajectory whose rows are not the same particles in those of the frames that are its own."""
        for one, numbers in self.by_file(frames):
            one.check_identity(numbers, same_species)

    def why_not_followed(self, frames: Iterable[int] | None = None) -> str:
        """Return why rows are not the same particles in all frames."""
        return f"frames of {len(self.trajectories)} independent runs, {self}"

    def unwrapped(self, *selection: Any, **keywords: Any) -> Iterator[Configuration]:
        """Refuse to follow particles from one run into the next."""
        raise InputError(
            f"No particle can be followed through {len(self.trajectories)} independent runs; analyse them apart."
        )

    def check_same_particles(self, frame: int, other: Any, other_frame: int) -> None:
        """Refuse another file that is to have the same particles: it can be of one run only."""
        raise InputError(
            f"{other.path} can belong to one of the {len(self.trajectories)} trajectories only; give one with it."
        )

    # --- conditions ---------------------------------------------------------------------------------------------

    @property
    def model_record(self) -> dict | None:
        """The model that pelplug recorded, in those of the files that have one."""
        return next((one.model_record for one in self.trajectories if one.model_record), None)

    @property
    def conditions(self) -> Conditions:
        """What all trajectories share, with all of their frames."""
        return self.conditions_of(range(self.n_frames))

    def conditions_of(self, frames: Sequence[int]) -> Conditions:
        """Return what the conditions of some frames have in common; see `Trajectory.conditions_of`.

        Raises
        ------
        InputError
            If the trajectories are not of one state point: replica and seed alone may differ.
        """
        found = [(one, one.conditions_of(numbers.tolist())) for one, numbers in self.by_file(frames) if len(numbers)]
        joined = joined_conditions(found, _APART)
        if joined.pressure is None:
            self._refuse_other_density()
        return joined

    def _refuse_other_density(self) -> None:
        found = []
        for one in self.trajectories:
            with contextlib.suppress(PelplugError):  # a damaged frame is the run's to record
                found.append((one, one.configuration(0).density))
        for one, density in found[1:]:
            if abs(density - found[0][1]) > _DENSITY * found[0][1]:
                raise InputError(
                    f"{one.path} has the density {density:.5g} and {found[0][0].path} {found[0][1]:.5g}; {_APART}, or, "
                    "if they are of one pressure, say which with --pressure (pressure= in Python)."
                )

    # --- the same, otherwise ------------------------------------------------------------------------------------

    def each(self, change: Callable[[Trajectory], Trajectory]) -> Self:
        """Return the same trajectories, each changed."""
        other = object.__new__(type(self))
        other.trajectories, other.offsets = tuple(map(change, self.trajectories)), self.offsets
        return other

    def under(self, given: Conditions) -> Self:
        """Return the same with more said of the conditions of each."""
        return self.each(lambda one: one.under(given))

    def in_units(self, units: Units, model: Any = None) -> Self:
        """Return the same with the frames of each in other units."""
        return self.each(lambda one: one.in_units(units, model))

    def close(self) -> None:
        """Close the files."""
        for one in self.trajectories:
            one.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __str__(self) -> str:
        return ", ".join(os.fspath(one.path) for one in self.trajectories)

    def __repr__(self) -> str:
        return f"<{len(self.trajectories)} trajectories, {self.n_frames} frames: {self}>"


class _Readers:
    """As much of a reader as `AnalysisBase` uses: frames are read by the trajectories."""

    def __init__(self, trajectories: tuple[Trajectory, ...]) -> None:
        self._readers = tuple(one.reader for one in trajectories)
        self.transformations = [change for one in self._readers for change in one.transformations]

    def __len__(self) -> int:
        return sum(map(len, self._readers))

    def __getitem__(self, frames: Any) -> Any:
        return np.arange(len(self))[frames]

    @property
    def ts(self) -> Any:
        return self._readers[0].ts


# --- opening ----------------------------------------------------------------------------------------------------------


def opened(given: Any, source: Source | None = None) -> Trajectory | SeveralTrajectories:
    """Return what is to be analysed: one trajectory, or several as one.

    Parameters
    ----------
    given : path, pattern, Trajectory, or an iterable of these
        A pattern is of names of files, ``"run-*/traj.gsd"``. Or states in memory; see `in_memory`.
    source : Source, optional
        How each file is read.

    Raises
    ------
    InputError
        If there is none, a file cannot be read, or they do not belong together.
    """
    source = source or Source()
    if (there := in_memory(given, source)) is not None:
        return there
    if isinstance(given, str | os.PathLike):
        given = fitting_files(given)
    elif _is_open(given) or not isinstance(given, Iterable) or isinstance(given, bytes | bytearray):
        given = [given]
    else:
        given = [one for each in given for one in (fitting_files(each) if isinstance(each, str) else [each])]
    if not given:
        raise InputError("No trajectory is given; name a file.")
    found: list[Any] = []
    for one in given:
        if _is_open(one):
            for name in source.given():
                raise InputError(f"The trajectory is open already; give {name} to pelplug.open_trajectory.")
            found += one.trajectories
        else:
            found.append(_one_of(one, source, None if len(given) == 1 else given[0]))
    if source.species and all(one.source.species is None for one in found):
        open_trajectory(given[0], source=source)  # says which labels there are
    return found[0] if len(found) == 1 else SeveralTrajectories(found)


def _one_of(path: Any, source: Source, first: Any) -> Trajectory:
    """Open one of several files, of which not all need be of one format, nor have the labels of another's species."""
    if first is not None and source.format is not None and _ending(path) != _ending(getattr(first, "path", first)):
        source = dataclasses.replace(source, format=None)
    try:
        return open_trajectory(path, source=source)
    except InputError:
        if first is None or source.species is None:
            raise
        with contextlib.suppress(InputError):
            other = open_trajectory(path, source=dataclasses.replace(source, species=None))
            if set(other.species_names) <= set(source.species.values()):  # it has the names already
                return other
        raise


def fitting_files(name: str | os.PathLike[str]) -> list[str | os.PathLike[str]]:
    """Return the files that fit a pattern, sorted; a name that is no pattern, or is that of a file, as it is.

    Raises
    ------
    InputError
        If none fits.
    """
    text = os.fspath(name)
    if not isinstance(text, str) or os.path.lexists(text) or not glob.has_magic(text):
        return [name]
    if not (found := sorted(glob.glob(text, recursive=True))):
        raise InputError(f"No file fits {text}; check the pattern, or name the files.")
    return list(found)


def _is_open(given: Any) -> bool:
    return hasattr(given, "conditions_of")


def _ending(path: Any) -> str:
    return os.path.splitext(os.fspath(path))[1].lower()


# --- whether they belong together -------------------------------------------------------------------------------------


def _refuse_twice(trajectories: Sequence[Trajectory]) -> None:
    seen: dict[Any, Trajectory] = {}
    for one in trajectories:
        path = os.path.realpath(one.path)
        if path in seen:
            raise InputError(f"{one.path} is named twice; name each independent run once.")
        seen[path] = one
    sizes = [os.path.getsize(one.path) for one in trajectories]
    contents: dict[str, Trajectory] = {}
    for one, size in zip(trajectories, sizes, strict=True):
        if sizes.count(size) > 1 and (same := contents.setdefault(one.checksum(), one)) is not one:
            raise InputError(f"{one.path} is a copy of {same.path}, and no independent run; leave one of them out.")


def _refuse_others(first: Trajectory, other: Trajectory) -> None:
    """Refuse a trajectory that is not of the particles, the model and the units of the first."""
    for name, mine, theirs in (
        ("dimensions", first.dimension, other.dimension),
        ("particles", first.n, other.n),
    ):
        if mine != theirs:
            raise InputError(f"{other.path} has {theirs} {name} and {first.path} {mine}; {_APART}.")
    if not np.array_equal(first.species, other.species):
        if first.species_names != other.species_names:
            names = [", ".join(one.species_names) for one in (other, first)]
            raise InputError(
                f"{other.path} has the species {names[0]} and {first.path} {names[1]}; {_APART}, or give the same "
                "names to both with --species (species= in Python)."
            )
        counts = [np.unique(one.species, return_counts=True)[1].tolist() for one in (other, first)]
        if counts[0] != counts[1]:
            raise InputError(
                f"{other.path} has {_numbers(other, counts[0])} and {first.path} {_numbers(first, counts[1])}; "
                f"{_APART}."
            )
    _refuse_other_units(first, other)
    records = [one.model_record for one in (first, other)]  # with the seed of a disorder: another one, another energy
    if None not in records and records[0] != records[1]:
        names = [str((one or {}).get("name")) for one in records]
        words = f"{names[1]} and {first.path} {names[0]}" if names[0] != names[1] else "with other parameters"
        raise InputError(f"{other.path} records the model {words}; {_APART}.")


def _numbers(trajectory: Trajectory, counts: list[int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in zip(trajectory.species_names, counts, strict=True))


def _refuse_other_units(first: Trajectory, other: Trajectory) -> None:
    mine, theirs = first.units, other.units
    dimensions = ("length", "energy", "mass", "time")
    stated = [[getattr(units, name) is not None for name in dimensions] for units in (mine, theirs)]
    if mine == theirs or (stated[0] == stated[1] and mine.is_reduced == theirs.is_reduced):
        return  # those of one kind are converted
    raise InputError(
        f"{other.path} comes in {_words(theirs)} and {first.path} in {_words(mine)}; say what the numbers of both are "
        f"in with --units (units= in Python), or {_APART}."
    )


def _words(units: Units) -> str:
    if units.is_reduced:
        return "reduced units"
    return f"the units {units}" if units.is_stated else "units that it does not state"
