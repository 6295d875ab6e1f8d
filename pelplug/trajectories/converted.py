"""What a file's numbers are in, and the same frames in other units."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self

import numpy as np

from pelplug.core.units import Units
from pelplug.trajectories.part import TrajectoryPart

if TYPE_CHECKING:
    from pelplug.models.base import Model

__all__ = ["ConvertedFrames"]


class ConvertedFrames(TrajectoryPart):
    """The part of a `Trajectory` that knows of units."""

    @property
    def units(self) -> Units:
        """What the configurations are in."""
        return self._conversion.units

    @property
    def length_unit(self) -> str:
        """Unit of length: "angstrom" where MDAnalysis's reader gives it, else "file": numbers as the file has them."""
        return "angstrom" if self._generic is not None and self.file_units.length == "Angstrom" else "file"

    @property
    def file_units(self) -> Units:
        """What the numbers of the file are in, as far as that is known."""
        return self._conversion.file

    @property
    def given_masses(self) -> Mapping[str, float] | None:
        """The masses by species that were given when it was opened."""
        return self._conversion.masses

    @property
    def any_length(self) -> bool:
        """Whether nothing but the custom of the format says that lengths are Angstrom (DCD, PDB, ...)."""
        return self._conversion.loose

    def in_order_of(self, species: np.ndarray) -> Self:
        """Return the same trajectory with its particles in another order, that of some species.

        Those of one species stay in the order of the file. Rows of independent runs are no more than that: particles of
        a kind.

        Parameters
        ----------
        species : ndarray of str, shape (N,)
            As many of each as in its first frame.
        """
        if np.array_equal(self.species, species):
            return self
        order = np.empty(len(species), dtype=np.intp)
        order[np.argsort(species, kind="stable")] = np.argsort(self.species, kind="stable")
        other = copy.copy(self)
        other.species = self.species[order]
        other.species.setflags(write=False)
        other._conversion = dataclasses.replace(self._conversion, order=order)
        return other

    def in_units(self, units: Units, model: Model | None = None) -> Self:
        """Return the same trajectory with its frames in other units, and with a model's masses where it has none.

        Parameters
        ----------
        units : Units
            What lengths, times and masses become; those that the file does not state stay as they are.
        model : Model, optional
            Gives the masses of particles whose mass is not in the file.
        """
        other = copy.copy(self)
        other._conversion = dataclasses.replace(self._conversion, units=units, model=model)
        return other
