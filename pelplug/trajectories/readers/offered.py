"""Readers of plugins: which of them a file needs, and their frames in the shape that pelplug's own readers give."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from MDAnalysis.lib.util import store_init_arguments

from pelplug.configuration import Configuration
from pelplug.core.offers import offered
from pelplug.core.units import Units
from pelplug.errors import InputError, PelplugError, reason_of
from pelplug.trajectories.readers.base import FrameReader, RawFrame, about_frame
from pelplug.trajectories.readers.identity import order_by_id
from pelplug.trajectories.readers.reader import Reader

__all__ = ["Offer", "OfferedFrames", "recognised", "with_name", "with_suffix"]


@dataclasses.dataclass(frozen=True)
class Offer:
    """The reader of a plugin, and whose it is.

    Parameters
    ----------
    reader : type of Reader
    owner : str
        In words.
    """

    reader: type[Reader]
    owner: str

    @property
    def who(self) -> str:
        """Who reads, for sentences."""
        return f"the reader {self.reader.name} of {self.owner}"

    def frames(self) -> Callable[..., OfferedFrames]:
        """Return what makes an MDAnalysis reader of a file."""
        return functools.partial(OfferedFrames, offer=self)


def with_name(name: str) -> Offer | None:
    """Return the reader of a name, in whatever letters."""
    return _offers().get(name.lower())


def with_suffix(suffix: str) -> Offer | None:
    """Return the reader of files with an ending, with its dot."""
    return _offers().get(suffix.lower()) if suffix else None


def recognised(path: str, head: bytes) -> Offer | None:
    """Return the reader that recognises a file by its beginning.

    Raises
    ------
    InputError
        If several do, or one fails over it.
    """
    found = []
    for offer in {offer.reader: offer for offer in _offers().values()}.values():
        try:
            if offer.reader.recognises(path, head):
                found.append(offer)
        except Exception as error:
            raise InputError(
                f"It could not be found out whether {path} is of the format of {offer.who}, which failed "
                f"({_words(error)}); pass its format (--format), or tell the reader's author."
            ) from error
    if len(found) > 1:
        raise InputError(
            f"{path} is recognised by {' and by '.join(one.who for one in found)}; say which it is: --format "
            f"{found[0].reader.name}, or {found[1].reader.name}."
        )
    return found[0] if found else None


def _offers() -> dict[str, Offer]:
    """Return the readers of plugins by name and by ending."""
    return {name: Offer(reader, owner) for name, (reader, owner) in offered("readers").items()}


class OfferedFrames(FrameReader):
    """Frames of a plugin's reader; what it raises is one sentence, with its owner.

    Parameters
    ----------
    filename : path_like
        File to read.
    time_step : float, optional
        As of `FrameReader`.
    offer : Offer
        Who reads it.
    """

    handles = ("_reader",)

    @store_init_arguments
    def __init__(self, filename, time_step=None, *, offer: Offer, **kwargs):
        self._offer, self._dimension = offer, None
        super().__init__(filename, time_step, **kwargs)

    def _open(self) -> None:
        self._connect()
        self._count = operator.index(self._ask("n_frames"))
        self.stated_units, self.unordered = Units.of(self._ask("units")), str(self._ask("unordered"))

    def _connect(self) -> None:
        self._reader = self._guarded(lambda: self._offer.reader(self.filename))

    def _load(self, frame: int) -> RawFrame:
        found = self._ask("configuration", frame)
        if not isinstance(found, Configuration):
            raise InputError(f"{self._offer.who} gave {type(found).__name__} for a Configuration; tell its author.")
        self._dimension = self._dimension or found.dimension
        if found.dimension != self._dimension:
            raise InputError(
                f"it has d = {found.dimension}, unlike the first (d = {self._dimension}); use the frames before it."
            )
        arrays: dict[str, Any] = {
            name: getattr(found, name)
            for name in ("positions", "images", "velocities", "diameters", "masses", "charges")
        }
        names = found.species
        if (ids := self._ask("ids", frame)) is not None:
            if np.shape(ids) != (found.n,):
                raise InputError(f"{self._offer.who} gave {np.shape(ids)} ids of {found.n} particles; tell its author.")
            order = order_by_id(ids)
            ids, names = np.asarray(ids)[order].astype(np.int64), names[order]
            arrays = {name: None if one is None else one[order] for name, one in arrays.items()}
        return RawFrame(**arrays, cell=found.cell, labels={"names": names}, step=found.step, time=found.time, ids=ids)

    def log(self, frame):
        """Return what else the file records of a frame."""
        try:
            return dict(self._ask("log", frame))
        except InputError as error:
            raise InputError(about_frame(frame, self.filename, error)) from None

    def model_record(self):
        """Return the record of the model, if the file carries one."""
        return self._ask("model_record")

    def condition_records(self) -> dict[int, dict[str, dict]]:
        """Return what the file says of its conditions, for the frames from the first."""
        return {0: {"conditions": self._ask("conditions").to_record()}}

    def close(self) -> None:
        """Let go of the file."""
        with contextlib.suppress(Exception):  # nothing is lost by it
            self._reader.close()

    def code(self) -> tuple[type, ...]:
        """Return what, besides pelplug, decides what is read."""
        return (self._offer.reader,)

    def _ask(self, name: str, *frame: int) -> Any:
        def ask():
            answer = getattr(self._reader, name)
            return answer(*frame) if callable(answer) else answer

        return self._guarded(ask, whole=not frame)

    def _guarded(self, ask: Callable[[], Any], whole: bool = True) -> Any:
        """Return what a reader answers; `whole` is whether it was asked of the file, not of a frame of it."""
        try:
            return ask()
        except (PelplugError, MemoryError):
            raise
        except Exception as error:
            sentence = f"{self._offer.who} failed ({_words(error)})"
            if whole:
                sentence = (
                    f"{self.filename} cannot be read, for {sentence}; check the file, or tell the reader's author."
                )
            else:
                sentence = f"{sentence}; use the frames before it, or tell the reader's author."
            raise InputError(sentence) from error


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {reason_of(error)}"
