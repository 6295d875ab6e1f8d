"""Harmonic spheres above jamming, in any dimension."""

from __future__ import annotations

from collections.abc import Iterable
from math import gamma, pi
from typing import Annotated, ClassVar, Literal

import numpy as np

from pelplug.configuration import Configuration, natural_order
from pelplug.core.parameters import Param
from pelplug.errors import InputError
from pelplug.models.base import Model
from pelplug.models.polydisperse_soft_spheres import (
    LARGEST_DIAMETER,
    SMALLEST_DIAMETER,
    non_additive,
    sample_polydisperse,
)
from pelplug.potentials.base import Potential
from pelplug.potentials.expressions import expressed
from pelplug.potentials.forms.harmonic import HARMONIC

__all__ = ["HarmonicSpheres", "additive", "ball_volume", "mean_power"]

VOLUME_FRACTIONS = {2: 1.2, 3: 0.73, 4: 0.5, 8: 0.1}
"""The volume fractions of the paper, all above jamming, by dimension."""


@expressed("0.5*(d_i+d_j)")
def additive(d_i, d_j):
    """d_ij = (d_i + d_j) / 2."""
    return 0.5 * (d_i + d_j)


def ball_volume(d: int) -> float:
    """Volume of a ball of diameter 1 in ``d`` dimensions."""
    return pi ** (d / 2) / gamma(d / 2 + 1) / 2**d


def mean_power(power: int) -> float:
    """Mean of diameter**power over f(d) ~ d**-3 between the model's limits."""
    low, high = SMALLEST_DIAMETER, LARGEST_DIAMETER
    norm = 2.0 / (low**-2 - high**-2)
    if power == 2:
        return norm * np.log(high / low)
    return norm * (high ** (power - 2) - low ** (power - 2)) / (power - 2)


class HarmonicSpheres(Model):
    """Spheres that repel harmonically when they overlap."""

    name = "harmonic-spheres"
    aliases = ("harmonic",)
    summary = "spheres with a harmonic repulsion on overlap, above jamming, in 2 to 8 dimensions"
    formula = "v0 / 2 (1 - x)^2 for x < 1, x = r / d_ij"
    scales = "length the (mean) diameter, energy v0, k_B = 1"
    cites = (
        "D. J. Durian, Phys. Rev. Lett. 75, 4780 (1995)",
        "C. S. O'Hern, S. A. Langer, A. J. Liu and S. R. Nagel, Phys. Rev. Lett. 88, 075507 (2002)",
        "Y. Nishikawa et al., Phys. Rev. X 12, 021001 (2022)",
    )
    composition: ClassVar = {"A": 1.0}
    time_step = 0.05
    trial: ClassVar = {"parameters": {"dimension": 3}}  # what pelplug.testing tries it with

    def __init__(
        self,
        *,
        dimension: Annotated[
            Literal["any", 2, 3, 4, 5, 6, 7, 8], Param("dimension of space, needed to build a start")
        ] = "any",
        sizes: Annotated[
            Literal["auto", "one", "additive", "non-additive"],
            Param(
                "diameters: all 1 (one), or the configuration's with a rule for d_ij; auto: non-additive in two "
                "dimensions, else one"
            ),
        ] = "auto",
        volume_fraction: Annotated[
            float | None,
            Param(
                "volume of the spheres over that of the box, overlaps counted twice; the paper's by default",
                exclusive_minimum=0.0,
            ),
        ] = None,
    ):
        super().__init__()

    @property
    def dimension(self) -> int | None:
        """Dimension of space, or None."""
        return None if self.parameters["dimension"] == "any" else self.parameters["dimension"]

    @property
    def needs_diameters(self) -> bool:
        """Whether each particle has its own diameter; decided with the configuration while the dimension is open."""
        return self._sizes(self.dimension) != "one"

    @property
    def volume_fraction(self) -> float | None:
        """Volume fraction, or None while the dimension is open or the paper has none for it."""
        given = self.parameters["volume_fraction"]
        return VOLUME_FRACTIONS.get(self.dimension) if given is None else given

    @property
    def density(self) -> float | None:
        """Number density [diameter**-d] at the volume fraction."""
        d, fraction = self.dimension, self.volume_fraction
        if d is None or fraction is None:
            return None
        volume = ball_volume(d) * (mean_power(d) if self.needs_diameters else 1.0)
        return fraction / volume

    @property
    def constants(self) -> dict:
        """Energy scale and volume fractions."""
        fraction = self.volume_fraction
        fractions = VOLUME_FRACTIONS if fraction is None else fraction
        text = {f"d = {d}": value for d, value in fractions.items()} if isinstance(fractions, dict) else fractions
        return {"v0": 1.0, "volume fraction": text}

    @property
    def largest_size(self) -> float:
        """1, or 0 where the configuration's diameters decide."""
        return 0.0 if self.needs_diameters else 1.0

    def _sizes(self, d: int | None) -> str:
        sizes = self.parameters["sizes"]
        if sizes == "auto":
            return "non-additive" if d == 2 else "one"
        return sizes

    def _uses_diameters(self, configuration: Configuration) -> bool:
        return self._sizes(configuration.dimension) != "one"

    def _mixing(self, d_i, d_j):
        # Only reached for configurations that use diameters.
        return additive(d_i, d_j) if self.parameters["sizes"] == "additive" else non_additive(d_i, d_j)

    def check(self, configuration: Configuration) -> None:
        """Raise `InputError` if the configuration does not fit: see `Model.check`; unlike sizes are refused too."""
        super().check(configuration)
        if configuration.dimension < 2 or configuration.dimension > 8:
            raise InputError(f"The model {self.name} works in 2 to 8 dimensions, not d = {configuration.dimension}.")
        if self._uses_diameters(configuration):
            return
        if len(configuration.species_names) > 1:
            raise InputError(
                f"The model {self.name} has particles of one kind in d = {configuration.dimension}, but the "
                f"configuration has the species {', '.join(natural_order(configuration.species_names))}; give "
                "diameters and sizes=additive, or a model of a mixture."
            )
        if configuration.diameters is not None and not np.allclose(configuration.diameters, 1.0, rtol=0, atol=1e-6):
            raise InputError(
                f"The model {self.name} has spheres of diameter 1 in d = {configuration.dimension}, but the "
                "configuration has other diameters; use sizes=additive or sizes=non-additive."
            )

    def fits(self, species: Iterable[str], dimension: int, has_diameters: bool = False) -> bool:
        """Return whether particles of these species, dimension and diameters can be of this model."""
        if self.dimension not in (None, dimension) or not 2 <= dimension <= 8:
            return False
        return has_diameters if self._sizes(dimension) != "one" else len(set(species)) == 1

    def sample_diameters(self, n: int, rng: np.random.Generator | int) -> np.ndarray:
        """Draw ``n`` diameters from f(d) ~ d**-3, mean 1, shape (n,); all 1 where there is one size."""
        return sample_polydisperse(n, rng) if self.needs_diameters else np.ones(n)

    def potential_of(self, configuration: Configuration) -> Potential:
        """Return the harmonic repulsion, with one size or with the configuration's diameters."""
        from pelplug.potentials.pair import PairPotential

        sizes = self._sizes(configuration.dimension)
        if sizes == "one":
            one = np.ones((1, 1))
            return PairPotential(
                HARMONIC,
                species=configuration.species_names,
                sigma=one,
                cutoff=one,
                parameters={"epsilon": one},
                truncation="cut",
            )
        return PairPotential(
            HARMONIC,
            sigma="diameters",
            mixing=additive if sizes == "additive" else non_additive,
            cutoff=1.0,
            parameters={"epsilon": 1.0},
            truncation="cut",
        )
