"""Sticky spheres: a 50:50 mixture with a strong attraction of short range."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.parameters import Param
from pelplug.models.base import Model
from pelplug.models.inverse_power_law import SIGMA
from pelplug.potentials.base import Potential
from pelplug.potentials.forms.sticky_spheres import STICKY_MINIMUM, STICKY_SPHERES

__all__ = ["StickySpheres", "attraction_coefficients"]

_TIME_STEPS = {0.6: 0.005, 0.7: 0.003, 0.95: 0.002}


def attraction_coefficients(cutoff: float) -> np.ndarray:
    """Coefficients of the attractive branch ``a x**-12 - b x**-6 + c0 + c2 x**2 + c4 x**4 + c6 x**6``.

    Parameters
    ----------
    cutoff : float
        x_c [sigma_ij], beyond the minimum at 2**(1/6).

    Returns
    -------
    ndarray, shape (6,)
        a, b, c0, c2, c4, c6 [epsilon], from six linear equations: U, U', U'' are those of the Lennard-Jones
        branch at its minimum, and zero at x_c.
    """
    powers = np.array([-12.0, -6.0, 0.0, 2.0, 4.0, 6.0])
    signs = np.array([1.0, -1.0, 1.0, 1.0, 1.0, 1.0])

    def rows(x):
        value = signs * x**powers
        slope = value * powers / x
        return [value, slope, slope * (powers - 1.0) / x]

    matrix = np.array(rows(STICKY_MINIMUM) + rows(cutoff))
    # At the minimum of 4 (x^-12 - x^-6): U = -1, U' = 0, U'' = 72 / x^2.
    right = np.array([-1.0, 0.0, 72.0 / STICKY_MINIMUM**2, 0.0, 0.0, 0.0])
    return np.linalg.solve(matrix, right)


class StickySpheres(Model):
    """50:50 mixture with a Lennard-Jones core and a deep, short attraction."""

    name = "sticky-spheres"
    aliases = ("ss", "css")
    summary = "50:50 mixture with a Lennard-Jones core and a short, strong attraction"
    formula = (
        "4 epsilon (x^-12 - x^-6) for x < 2^(1/6); "
        "epsilon (a x^-12 - b x^-6 + c0 + c2 x^2 + c4 x^4 + c6 x^6) up to the cutoff, x = r / sigma_ij"
    )
    scales = "length sigma_SS, energy epsilon, mass m = 1, k_B = 1"
    cites = (
        "J. Chattoraj and M. P. Ciamarra, Phys. Rev. Lett. 124, 028001 (2020)",
        "G. Kapteijns et al., J. Chem. Phys. 155, 074502 (2021)",
    )
    species = ("S", "L")
    composition: ClassVar = {"S": 0.5, "L": 0.5}

    def __init__(
        self,
        *,
        density: Annotated[
            float,
            Param("number density, which also sets the time step", choices=tuple(_TIME_STEPS), unit="sigma_SS**-3"),
        ] = 0.6,
        cutoff: Annotated[
            float, Param("range of the attraction", exclusive_minimum=STICKY_MINIMUM, unit="sigma_ij")
        ] = 1.2 * STICKY_MINIMUM,
    ):
        super().__init__()

    @property
    def density(self) -> float:
        """Number density [sigma_SS**-3]."""
        return self.parameters["density"]

    @property
    def time_step(self) -> float:
        """The papers' time step at this density."""
        return _TIME_STEPS[self.density]

    @property
    def coefficients(self) -> np.ndarray:
        """a, b, c0, c2, c4, c6 [epsilon], shape (6,)."""
        return attraction_coefficients(self.parameters["cutoff"])

    @property
    def constants(self) -> dict:
        """Energy scale, sizes and coefficients."""
        names = ("a", "b", "c0", "c2", "c4", "c6")
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
        names = STICKY_SPHERES.parameters[1:]
        return PairPotential(
            STICKY_SPHERES,
            species=self.species,
            sigma=sigma,
            cutoff=self.parameters["cutoff"] * sigma,
            parameters={"epsilon": 1.0, **dict(zip(names, self.coefficients, strict=True))},
            truncation="cut",
        )
