"""The 50:50 inverse-power-law mixture, exponent 10, in three and two dimensions."""

from __future__ import annotations

from math import prod
from typing import Annotated, ClassVar

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.parameters import Param
from pelplug.models.base import Model
from pelplug.potentials.base import Potential
from pelplug.potentials.forms.inverse_power_law_smooth import INVERSE_POWER_LAW_SMOOTH

__all__ = ["SIGMA", "InversePowerLaw", "InversePowerLaw2D", "smoothing_coefficients"]

SIGMA = ((1.0, 1.18), (1.18, 1.4))
"""sigma of SS, SL and LL pairs, shared with the sticky spheres."""


def smoothing_coefficients(cutoff: float, exponent: int = 10, order: int = 3) -> np.ndarray:
    """Coefficients c_{2l} of ``x**-n + sum_l c_{2l} x**(2l)`` that end it smoothly.

    Parameters
    ----------
    cutoff : float
        x_c, where the energy and its first ``order`` derivatives vanish [sigma_ij].
    exponent : int
        n, even.
    order : int
        q.

    Returns
    -------
    ndarray, shape (order + 1,)
        c_0, c_2, ... [epsilon]: ``(-1)**(l+1) / ((2q-2l)!! (2l)!!) (n+2q)!! / ((n-2)!! (n+2l)) x_c**-(n+2l)``.
    """
    n, q = exponent, order
    return np.array(
        [
            (-1.0) ** (k + 1)
            / (_double_factorial(2 * q - 2 * k) * _double_factorial(2 * k))
            * _double_factorial(n + 2 * q)
            / (_double_factorial(n - 2) * (n + 2 * k))
            * cutoff ** -(n + 2 * k)
            for k in range(q + 1)
        ]
    )


def _double_factorial(number: int) -> int:
    return prod(range(number, 0, -2))


class InversePowerLaw(Model):
    """50:50 mixture repelling as r**-10."""

    name = "inverse-power-law"
    aliases = ("ipl",)
    summary = "50:50 mixture repelling as r^-10 in three dimensions, smooth at the cutoff"
    formula = "epsilon (x^-10 + c0 + c2 x^2 + c4 x^4 + c6 x^6) for x < cutoff, x = r / sigma_ij"
    scales = "length sigma_SS, energy epsilon, mass m = 1, k_B = 1"
    cites = (
        "E. Lerner, J. Non-Cryst. Solids 522, 119570 (2019)",
        "G. Kapteijns et al., J. Chem. Phys. 155, 074502 (2021)",
    )
    species = ("S", "L")
    composition: ClassVar = {"S": 0.5, "L": 0.5}
    density = 0.82
    time_step = 0.005
    other_dimensions: ClassVar = {2: "inverse-power-law-2d"}

    def __init__(
        self,
        *,
        cutoff: Annotated[float, Param("cutoff of every pair", exclusive_minimum=0.0, unit="sigma_ij")] = 1.48,
    ):
        super().__init__()

    @property
    def coefficients(self) -> np.ndarray:
        """c0, c2, c4, c6 [epsilon], shape (4,)."""
        return smoothing_coefficients(self.parameters["cutoff"])

    @property
    def constants(self) -> dict:
        """Energy scale, sizes and coefficients."""
        names = ("c0", "c2", "c4", "c6")
        return {
            "epsilon": 1.0,
            "sigma": {"SS": 1.0, "SL": 1.18, "LL": 1.4},
            **{name: float(value) for name, value in zip(names, self.coefficients, strict=True)},
        }

    @property
    def largest_size(self) -> float:
        """sigma_LL."""
        return 1.4

    def potential_of(self, configuration: Configuration) -> Potential:
        """Return the pair potential of the mixture."""
        from pelplug.potentials.pair import PairPotential

        sigma = np.array(SIGMA)
        c0, c2, c4, c6 = self.coefficients
        return PairPotential(
            INVERSE_POWER_LAW_SMOOTH,
            species=self.species,
            sigma=sigma,
            cutoff=self.parameters["cutoff"] * sigma,
            parameters={"epsilon": 1.0, "c0": c0, "c2": c2, "c4": c4, "c6": c6},
            truncation="cut",
        )


class InversePowerLaw2D(InversePowerLaw):
    """50:50 mixture repelling as r**-10 in two dimensions."""

    name = "inverse-power-law-2d"
    aliases = ("ipl-2d",)
    summary = "50:50 mixture repelling as r^-10 in two dimensions, smooth at the cutoff"
    dimension = 2
    density = 0.86
    other_dimensions: ClassVar = {3: "inverse-power-law"}
