"""Which steps of a simulation get a frame: linear, logarithmic, or blocks that each start a logarithmic series."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Literal

import numpy as np

from pelplug.core.parameters import Param
from pelplug.core.parametrised import Parametrised
from pelplug.errors import InputError

__all__ = ["Schedule"]

_PER_DECADE = 10
_FRAMES = 1000  # linear frames where nothing was asked for


@dataclasses.dataclass(frozen=True)
class Schedule(Parametrised):
    """The steps at which frames are written.

    Parameters
    ----------
    kind : {"linear", "log", "blocks"}
        A frame every `period` steps; at steps equally spaced in log t; or a logarithmic series from each multiple of
        `period`, so that every lag up to `period` has many time origins.
    period : int
        Steps between frames, or length of a block; of no use to ``log``.
    per_decade : int
        Frames a decade of a logarithmic series.

    Raises
    ------
    InputError
        If a number is not positive.

    Examples
    --------
    >>> Schedule("linear", 20).steps(100).tolist()
    [0, 20, 40, 60, 80, 100]
    >>> Schedule("log", per_decade=2).steps(100).tolist()
    [0, 1, 3, 10, 32, 100]
    >>> Schedule("blocks", 100, per_decade=1).steps(200).tolist()
    [0, 1, 10, 100, 101, 110, 200]
    """

    noun = "frames"

    kind: Annotated[Literal["linear", "log", "blocks"], Param("how they follow each other")]
    period: Annotated[int, Param("steps between frames, or length of a block", minimum=1)] = 1
    per_decade: Annotated[int, Param("frames a decade of a logarithmic series", minimum=1)] = _PER_DECADE

    @classmethod
    def parse(cls, text: str | int | None, steps: int) -> Schedule:
        """Read ``100``, ``log``, ``log:20``, ``blocks:10000`` or ``blocks:10000:20``; None is about 1000 frames.

        Raises
        ------
        InputError
            If the text is none of these.
        """
        if text is None:
            return cls("linear", max(1, steps // _FRAMES))
        words = str(text).split(":")
        kind = words[0] if words[0] in ("log", "blocks") else "linear"
        try:
            numbers = [int(word) for word in (words if kind == "linear" else words[1:])]
        except ValueError:
            numbers = None
        allowed = {"linear": (1,), "log": (0, 1), "blocks": (1, 2)}[kind]
        if numbers is None or len(numbers) not in allowed:
            raise InputError(
                f"Frames {text!r} cannot be read; write a number of steps, log, log:PER_DECADE, blocks:LENGTH or "
                "blocks:LENGTH:PER_DECADE."
            )
        if kind == "log":
            return cls("log", per_decade=numbers[0] if numbers else _PER_DECADE)
        return cls(kind, numbers[0], numbers[1] if len(numbers) == 2 else _PER_DECADE)

    def steps(self, total: int) -> np.ndarray:
        """Return the steps with a frame, from 0 to `total`, both included; shape (F,)."""
        if self.kind == "linear":
            found = np.arange(0, total + 1, self.period)
        elif self.kind == "log":
            found = self._series(total)
        else:
            series = self._series(self.period)
            found = (np.arange(0, total + 1, self.period)[:, None] + series[None, :]).ravel()
        found = np.union1d(found, [0, total]).astype(np.int64)
        return found[found <= total]

    def __str__(self) -> str:
        if self.kind == "linear":
            return str(self.period)
        length = f":{self.period}" if self.kind == "blocks" else ""
        return f"{self.kind}{length}:{self.per_decade}"

    def _series(self, last: int) -> np.ndarray:
        points = int(np.floor(self.per_decade * np.log10(max(last, 1)) + 1e-9)) + 1
        steps = np.rint(10.0 ** (np.arange(points) / self.per_decade)).astype(np.int64)
        return np.union1d([0], steps)
