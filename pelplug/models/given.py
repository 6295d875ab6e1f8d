"""GivenModel: somebody else's potential in the place of a model; its particles come from a file."""

from __future__ import annotations

from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.units import Units
from pelplug.errors import InputError
from pelplug.models.base import Model
from pelplug.potentials.answers import asked, plain_record
from pelplug.potentials.base import Potential, potential_name
from pelplug.potentials.given import as_potential

__all__ = ["GivenModel", "either"]


class GivenModel(Model):
    """What a `Potential` that was given is to analyses and engines: a model that knows nothing of its particles.

    Parameters
    ----------
    potential : Potential
        For every configuration.
    units : Units, optional
        What its numbers are in, where it does not say.
    """

    noun, name = "potential", "given"
    summary, formula, scales = "a potential that was given", "", ""

    def __init__(self, potential: Potential, units: Units | None = None, /):
        super().__init__()
        self.given, self.made_of = potential, (potential,)
        try:
            self.units = Units.of(potential.units if units is None else units)
        except InputError as error:
            raise InputError(f"The units of the potential {potential_name(potential)}: {error}") from None
        self._record = plain_record(potential)
        named = self._record.get("potential")
        self.name = named if isinstance(named, str) and named else potential_name(potential)

    @property
    def constants(self) -> dict:
        """Nothing: the potential keeps its numbers."""
        return {}

    @property
    def largest_size(self) -> float:
        """Return 0: not known without a configuration."""
        return 0.0

    def potential_of(self, configuration: Configuration) -> Potential:
        """Return the potential, which is the same for all."""
        return self.given

    def known_masses(self, configuration: Configuration) -> np.ndarray | None:
        """Return the masses that the potential knows, shape (N,) [mass]; None where it knows none."""
        return asked(self.given, "masses", configuration)

    def random_configuration(self, *arguments: Any, **keywords: Any) -> Configuration:
        """Refuse: nobody knows of what particles.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            f"The potential {self.name} does not say of what particles it is; begin with a state that has them: "
            "--start FILE (start= in Python)."
        )

    def in_units(self, units: Units) -> GivenModel:
        """Return the same with its numbers in units that were not stated before."""
        return GivenModel(self.given, units)

    def to_dict(self) -> dict:
        """Return the potential's own record, its name, and its units unless reduced."""
        units = {} if self.units.is_reduced or not self.units.is_stated else {"units": self.units.to_dict()}
        return {"potential": self.name, "record": self._record, **units}


def either(model: Model | None, potential: Any) -> Model | None:
    """Return a model that was given, or one around a potential that was, or what stands for one.

    Raises
    ------
    InputError
        If both were given, or the record of the potential is not plain data.
    """
    if potential is None:
        return model
    if model is not None:
        raise InputError("Give either --model or --potential, not both (model= or potential= in Python).")
    return GivenModel(as_potential(potential))
