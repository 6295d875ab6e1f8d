"""Soft spheres of continuous, non-additive diameters, in three and two dimensions."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.parameters import Param
from pelplug.errors import InputError
from pelplug.models.base import Model
from pelplug.potentials.base import Potential
from pelplug.potentials.expressions import expressed
from pelplug.potentials.forms.soft_spheres_12 import SOFT_SPHERES_12

__all__ = [
    "DIAMETER_RATIO",
    "LARGEST_DIAMETER",
    "SMALLEST_DIAMETER",
    "PolydisperseSoftSpheres",
    "PolydisperseSoftSpheres2D",
    "non_additive",
    "sample_polydisperse",
    "soft_sphere_coefficients",
]

DIAMETER_RATIO = 0.449
"""d_min / d_max of f(d) ~ d**-3; the polydispersity is 0.23."""

# The mean of f(d) ~ d^-3 is 2 d_min d_max / (d_min + d_max), and it is the unit of length.
SMALLEST_DIAMETER = (1.0 + DIAMETER_RATIO) / 2.0
LARGEST_DIAMETER = SMALLEST_DIAMETER / DIAMETER_RATIO


@expressed("0.5*(d_i+d_j)*(1-0.2*abs(d_i-d_j))")
def non_additive(d_i, d_j):
    """d_ij = (d_i + d_j) / 2 (1 - 0.2 |d_i - d_j|), in units of the mean diameter."""
    return 0.5 * (d_i + d_j) * (1.0 - 0.2 * abs(d_i - d_j))


def soft_sphere_coefficients(cutoff: float) -> np.ndarray:
    """c0, c1, c2 [v0], shape (3,), with which x^-12 + c0 + c1 x^2 + c2 x^4, U' and U'' vanish at the cutoff."""
    return np.array([-28.0 * cutoff**-12, 48.0 * cutoff**-14, -21.0 * cutoff**-16])


def sample_polydisperse(n: int, rng: np.random.Generator | int) -> np.ndarray:
    """Draw ``n`` diameters from f(d) ~ d**-3 on [0.7245, 1.6136], mean 1, shape (n,), by inverting its integral."""
    if n < 1:
        raise InputError(f"The number of diameters must be positive, not {n}.")
    uniform = np.random.default_rng(rng).uniform(size=n)
    low, high = SMALLEST_DIAMETER**-2, LARGEST_DIAMETER**-2
    return 1.0 / np.sqrt(low + uniform * (high - low))


class PolydisperseSoftSpheres(Model):
    """Soft repulsive spheres of continuous size: swap Monte Carlo equilibrates them deep in the glass."""

    name = "polydisperse-soft-spheres"
    aliases = ("pss",)
    summary = "soft spheres r^-12 of continuous, non-additive diameters in three dimensions"
    formula = (
        "v0 (x^-12 + c0 + c1 x^2 + c2 x^4) for x < cutoff, "
        "x = r / d_ij, d_ij = (d_i + d_j)/2 (1 - 0.2 |d_i - d_j|), f(d) ~ d^-3"
    )
    scales = "length the mean diameter, energy v0, k_B = 1"
    cites = (
        "A. Ninarello, L. Berthier and D. Coslovich, Phys. Rev. X 7, 021039 (2017)",
        "Y. Nishikawa et al., Phys. Rev. X 12, 021001 (2022)",
    )
    density = 1.02
    time_step = 0.005
    needs_diameters = True
    composition: ClassVar = {"A": 1.0}
    other_dimensions: ClassVar = {2: "polydisperse-soft-spheres-2d"}

    def __init__(
        self,
        *,
        cutoff: Annotated[float, Param("cutoff of every pair", exclusive_minimum=0.0, unit="d_ij")] = 1.25,
    ):
        super().__init__()

    @property
    def coefficients(self) -> np.ndarray:
        """c0, c1, c2 [v0], shape (3,): U, U' and U'' vanish at the cutoff."""
        return soft_sphere_coefficients(self.parameters["cutoff"])

    @property
    def constants(self) -> dict:
        """Energy scale, coefficients and the range of diameters."""
        names = ("c0", "c1", "c2")
        return {
            "v0": 1.0,
            **{name: float(value) for name, value in zip(names, self.coefficients, strict=True)},
            "d_min": SMALLEST_DIAMETER,
            "d_max": LARGEST_DIAMETER,
        }

    @property
    def largest_size(self) -> float:
        """0: the configuration's diameters decide."""
        return 0.0

    _mixing = staticmethod(non_additive)

    def sample_diameters(self, n: int, rng: np.random.Generator | int) -> np.ndarray:
        """Draw ``n`` diameters from f(d) ~ d**-3, mean 1, shape (n,)."""
        return sample_polydisperse(n, rng)

    def potential_of(self, configuration: Configuration) -> Potential:
        """Return the pair potential with one size a particle."""
        from pelplug.potentials.pair import PairPotential

        c0, c1, c2 = (float(value) for value in self.coefficients)
        return PairPotential(
            SOFT_SPHERES_12,
            sigma="diameters",
            mixing=non_additive,
            cutoff=self.parameters["cutoff"],
            parameters={"epsilon": 1.0, "c0": c0, "c1": c1, "c2": c2},
            truncation="cut",
        )


class PolydisperseSoftSpheres2D(PolydisperseSoftSpheres):
    """Soft spheres of continuous size in two dimensions."""

    name = "polydisperse-soft-spheres-2d"
    aliases = ("pss-2d",)
    summary = "soft discs r^-12 of continuous, non-additive diameters in two dimensions"
    dimension = 2
    density = 1.0
    other_dimensions: ClassVar = {3: "polydisperse-soft-spheres"}
