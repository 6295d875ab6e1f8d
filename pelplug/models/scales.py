"""Models whose lengths and energies the user may set: a reduced model in the units of a real system."""

from __future__ import annotations

from typing import Annotated

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.parameters import Param
from pelplug.core.units import SYSTEMS, Units
from pelplug.errors import InputError
from pelplug.models.base import Model

__all__ = ["ScaledModel"]


class ScaledModel(Model):
    """A model with the parameters sigma, epsilon, mass and units.

    With other scales than 1 and without ``units`` the numbers are in whatever units the file says.
    """

    def __init__(
        self,
        *,
        sigma: Annotated[
            float,
            Param(
                "unit of length of the model, in that of the file; 2.0951 Angstrom for silicon",
                exclusive_minimum=0.0,
                unit="length",
            ),
        ] = 1.0,
        epsilon: Annotated[
            float, Param("unit of energy of the model; 2.1683 eV for silicon", exclusive_minimum=0.0, unit="energy")
        ] = 1.0,
        mass: Annotated[
            float | None,
            Param("mass of a particle where the file has none; 1 in reduced units", exclusive_minimum=0.0, unit="mass"),
        ] = None,
        units: Annotated[
            str | None,
            Param("what these are in: metal (Angstrom, eV), real, gromacs, ...; else the file's", file=False),
        ] = None,
    ):
        super().__init__()
        given, self._length = self.parameters, 1.0
        if given["units"] is not None:
            try:
                self.units, self._length = Units.of(given["units"]).for_atoms()
            except InputError as error:
                raise InputError(f"The parameter units of {self.name}: {error}") from None
        elif (given["sigma"], given["epsilon"]) != (1.0, 1.0):
            self.units = Units()
        if self.density is not None and self.dimension is not None:
            self.density = self.density / self.length_scale**self.dimension
        if self.time_step is not None:
            self.time_step = self._scaled_time_step()

    @property
    def length_scale(self) -> float:
        """The unit sigma [length]."""
        return self._length * self.parameters["sigma"]

    @property
    def energy_scale(self) -> float:
        """The unit epsilon [energy]."""
        return self.parameters["epsilon"]

    @property
    def largest_size(self) -> float:
        """The unit sigma."""
        return self.length_scale

    def _scaled_time_step(self) -> float | None:
        mass = self.parameters["mass"]
        if mass is None and self.units.is_reduced:
            mass = 1.0
        if mass is None or not self.units.is_complete:
            return None
        return self.time_step * self.length_scale * (mass * self.units.mass_unit / self.energy_scale) ** 0.5

    def known_masses(self, configuration: Configuration):
        """Return `mass` for every particle, None where it was not given."""
        mass = self.parameters["mass"]
        return super().known_masses(configuration) if mass is None else np.full(configuration.n, mass)

    def in_units(self, units: Units) -> ScaledModel:
        """Return the same model with its numbers in units that were not stated before."""
        name = next((name for name, known in SYSTEMS.items() if known == units), None)
        return self if name is None else type(self)(**{**self.parameters, "units": name})
