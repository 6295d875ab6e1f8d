"""Stillinger-Weber: a network liquid with a favoured bond angle."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pelplug.configuration import Configuration, natural_order
from pelplug.core.parameters import Param
from pelplug.errors import InputError
from pelplug.models.scales import ScaledModel
from pelplug.potentials.base import Potential

__all__ = ["NUMBERS", "StillingerWeber"]

# The paper's, but for the two scales and the strength of the three-body part.
NUMBERS = {
    "A": 7.049556277,
    "B": 0.6022245584,
    "p": 4,
    "q": 0,
    "a": 1.80,
    "gamma": 1.20,
    "cos_theta0": -1.0 / 3.0,
}


class StillingerWeber(ScaledModel):
    """One kind of particle with the parameters of silicon, the three-body part made weaker."""

    name = "stillinger-weber"
    aliases = ("sw",)
    summary = "network liquid with a three-body term that favours tetrahedral angles"
    formula = (
        "A epsilon (B x^-p - x^-q) exp(1 / (x - a)) a pair + lambda epsilon (cos theta - cos theta_0)^2 "
        "exp(gamma / (x_ij - a)) exp(gamma / (x_ik - a)) an angle, for x = r / sigma < a"
    )
    cites = (
        "F. H. Stillinger and T. A. Weber, Phys. Rev. B 31, 5262 (1985)",
        "J. Russo, F. Romano and H. Tanaka, Phys. Rev. X 8, 021040 (2018)",
        "G. Kapteijns et al., J. Chem. Phys. 155, 074502 (2021)",
    )
    scales = "length sigma, energy epsilon, mass m = 1, k_B = 1"
    composition: ClassVar = {"A": 1.0}
    density = 0.52
    time_step = 0.065

    def __init__(
        self,
        *,
        three_body: Annotated[
            float,
            Param("strength lambda of the three-body part; 21 is silicon", exclusive_minimum=0.0, unit="epsilon"),
        ] = 18.75,
        **scales: Any,
    ) -> None:
        super().__init__(**scales)

    @property
    def constants(self) -> dict:
        """Every number of the potential but three_body, which is a parameter."""
        return {"epsilon": self.energy_scale, "sigma": self.length_scale, **NUMBERS}

    def check(self, configuration: Configuration) -> None:
        """Raise `InputError` if the configuration does not fit; see `Model.check`. A mixture does not."""
        present = natural_order(configuration.species_names)
        if len(present) > 1:
            example = ",".join(f"{name}={present[0]}" for name in present)
            raise InputError(
                f"The model {self.name} has one kind of particle, but the configuration has {', '.join(present)}; if "
                f"they are all the same, say so with --species {example}."
            )
        super().check(configuration)

    def potential_of(self, configuration: Configuration) -> Potential:
        """Return the Stillinger-Weber potential."""
        from pelplug.potentials.stillinger_weber import StillingerWeberPotential

        return StillingerWeberPotential(three_body=self.parameters["three_body"], **self.constants)
