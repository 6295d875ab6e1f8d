"""Silicon: the Stillinger-Weber potential with its published numbers, in units of metals."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pelplug.configuration import Configuration
from pelplug.core.parameters import Param
from pelplug.core.units import Units
from pelplug.models.base import Model
from pelplug.models.stillinger_weber import NUMBERS, StillingerWeber
from pelplug.potentials.base import Potential

__all__ = ["Silicon"]


class Silicon(Model):
    """Silicon by the potential of Stillinger and Weber."""

    name = "silicon"
    aliases = ("si",)
    summary = "silicon by Stillinger and Weber, in eV and Angstrom: crystal, liquid and amorphous"
    formula = StillingerWeber.formula
    cites = StillingerWeber.cites[:1]
    units = Units.of("metal")
    species = ("Si",)
    composition: ClassVar = {"Si": 1.0}
    masses: ClassVar = {"Si": 28.0855}
    # Of the crystal at T = 0: eight atoms in a cube whose nearest neighbours sit in the pair's minimum, 2**(1/6) sigma.
    density = 8.0 / (4.0 * 2.0 ** (1.0 / 6.0) * 2.0951 / 3.0**0.5) ** 3
    time_step = 0.001

    def __init__(
        self,
        *,
        three_body: Annotated[
            float,
            Param("strength lambda of the three-body part; 21 is silicon", exclusive_minimum=0.0, unit="epsilon"),
        ] = 21.0,
    ) -> None:
        super().__init__()

    @property
    def constants(self) -> dict:
        """Every number of the potential but three_body, which is a parameter."""
        return {"epsilon": 2.1683, "sigma": 2.0951, **NUMBERS}

    @property
    def largest_size(self) -> float:
        """The length sigma."""
        return self.constants["sigma"]

    def potential_of(self, configuration: Configuration) -> Potential:
        """Return the Stillinger-Weber potential."""
        from pelplug.potentials.stillinger_weber import StillingerWeberPotential

        return StillingerWeberPotential(three_body=self.parameters["three_body"], **self.constants)
