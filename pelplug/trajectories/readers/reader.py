"""Reader: what reads a file format that pelplug does not know; for plugins, by the hook `pelplug_readers`."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.conditions import Conditions
from pelplug.core.units import Units

__all__ = ["Reader"]


class Reader(abc.ABC):
    """Base of a reader: one object reads one file, frame by frame. `n_frames` and `configuration` are all it must have.

    Two- and three-dimensional files, frames that are damaged or change their number of particles, units, masses, times,
    species and workers are pelplug's affair, as with its own formats::

        class Text(pelplug.Reader):
            name = "text"
            summary = "one particle a line"
            suffixes = (".particles",)

            def __init__(self, path):
                super().__init__(path)
                self.table = numpy.loadtxt(path)

            @property
            def n_frames(self):
                return 1

            def configuration(self, frame):
                return pelplug.Configuration(self.table, [10.0, 10.0, 10.0], ["A"] * len(self.table))

    Parameters
    ----------
    path : str
        The file. Each process that reads opens it for itself.

    Attributes
    ----------
    name : str
        Lower-case words joined by hyphens; what ``--format`` takes.
    summary : str
        One line.
    suffixes : tuple of str
        Endings of names of such files, ``".particles"``; none that pelplug or MDAnalysis reads.
    units : Units or str
        What the numbers are in, where the file or the format says so: "metal", for one.
    unordered : str
        Why a row without an id is not the same particle in every frame, where it is not; for a sentence.

    Raises
    ------
    InputError
        For a file that cannot be read, with the remedy. What else a reader raises becomes a sentence with its owner.
    """

    name: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    suffixes: ClassVar[tuple[str, ...]] = ()
    units: Units = Units()
    unordered: str = ""

    def __init__(self, path: str):
        self.path = path

    @classmethod
    def recognises(cls, path: str, head: bytes) -> bool:
        """Tell whether a file whose ending nobody knows is of this format, by its first 64 bytes, unpacked."""
        return False

    @property
    @abc.abstractmethod
    def n_frames(self) -> int:
        """Number of frames."""

    @abc.abstractmethod
    def configuration(self, frame: int) -> Configuration:
        """Return a frame: positions, cell, species, and what else the file has, step and time too.

        Parameters
        ----------
        frame : int
            From 0 to ``n_frames - 1``.
        """

    def ids(self, frame: int) -> np.ndarray | None:
        """Return the ids of the particles of a frame, shape (N,), in the order of its rows; None if there are none."""
        return None

    def log(self, frame: int) -> Mapping[str, Any]:
        """Return what else the file records of a frame, by name."""
        return {}

    def conditions(self) -> Conditions:
        """Return at what conditions the states were sampled, as far as the file says."""
        return Conditions()

    def model_record(self) -> Mapping[str, Any] | None:
        """Return the record of the model, as `Model.to_dict` gives it, if the file carries one."""
        return None

    def close(self) -> None:  # noqa: B027 (nothing to let go of, in most)
        """Let go of the file."""
