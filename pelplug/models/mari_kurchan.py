"""The Mari-Kurchan model: soft spheres that see each other at random shifts, a mean-field glass in finite dimension."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np

from pelplug.configuration import Configuration, natural_order
from pelplug.core.parameters import Param
from pelplug.errors import InputError
from pelplug.models.base import Model
from pelplug.models.harmonic_spheres import ball_volume
from pelplug.models.polydisperse_soft_spheres import soft_sphere_coefficients
from pelplug.potentials.base import Potential
from pelplug.potentials.forms.soft_spheres_12 import SOFT_SPHERES_12

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["MariKurchan"]

_MOST_IMAGES = 1e7


class MariKurchan(Model):
    """Soft spheres of one size with quenched random shifts: any two particles may be neighbours.

    The shift of a pair has every component uniform in [0, L), and ``A_ij = -A_ji``. Shifts are drawn from a counter
    keyed by `seed` and the particles' numbers whenever they are needed, so the model's parameters are all there is to
    keep. With `planted_temperature` set they are instead drawn from ``exp(-u / T)`` of the pair vector at random
    reference positions, which makes these positions an equilibrium configuration at T: see `planted`.
    """

    name = "mari-kurchan"
    aliases = ("mk",)
    summary = "soft spheres r^-12 of one size with a random shift for every pair: a mean-field model"
    formula = "v0 (x^-12 + c0 + c1 x^2 + c2 x^4) for x < cutoff, x = |r_i - r_j + A_ij|, A_ij = -A_ji uniform"
    scales = "length the diameter, energy v0, k_B = 1"
    cites = (
        "R. Mari and J. Kurchan, J. Chem. Phys. 135, 124504 (2011)",
        "Y. Nishikawa et al., Phys. Rev. X 12, 021001 (2022)",
    )
    composition: ClassVar = {"A": 1.0}
    time_step = 0.005
    plantable = True
    # What pelplug.testing cannot ask of it.
    trial: ClassVar = {
        "expected_failures": dict.fromkeys(
            ("check_potential_strain_is_derivative", "check_potential_strain_curvature"),
            "its shifts are drawn in a cubic cell: a strained one has no energy",
        )
    }

    def __init__(
        self,
        *,
        seed: Annotated[int, Param("seed of the shifts", minimum=0, maximum=2**63 - 1)] = 0,
        planted_temperature: Annotated[
            float | None,
            Param(
                "temperature at which the shifts are planted around the reference configuration; uniform shifts if "
                "unset",
                exclusive_minimum=0.0,
                unit="v0",
            ),
        ] = None,
        dimension: Annotated[Literal[2, 3, 4, 5, 6, 7, 8], Param("dimension of space")] = 3,
        volume_fraction: Annotated[
            float,
            Param("volume of the spheres over that of the box, overlaps counted twice", exclusive_minimum=0.0),
        ] = 0.5,
        cutoff: Annotated[float, Param("cutoff of every pair", exclusive_minimum=0.0, unit="diameter")] = 4.0,
    ):
        super().__init__()

    @property
    def dimension(self) -> int:
        """Dimension of space."""
        return self.parameters["dimension"]

    @property
    def density(self) -> float:
        """Number density [diameter**-d]."""
        return self.parameters["volume_fraction"] / ball_volume(self.dimension)

    @property
    def coefficients(self) -> np.ndarray:
        """c0, c1, c2 [v0], shape (3,): U, U' and U'' vanish at the cutoff."""
        return soft_sphere_coefficients(self.parameters["cutoff"])

    @property
    def constants(self) -> dict:
        """Energy scale, coefficients and volume fraction."""
        names = ("c0", "c1", "c2")
        return {
            "v0": 1.0,
            **{name: float(value) for name, value in zip(names, self.coefficients, strict=True)},
        }

    @property
    def largest_size(self) -> float:
        """0: a particle does not see its own images."""
        return 0.0

    def pair_energy(self, distance: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return u [v0] of a pair and du/dr [v0 / diameter] at distances, which the shift has been added to.

        Parameters
        ----------
        distance : array_like
            ``|r_i - r_j + A_ij|``, above 0 [diameter].
        """
        r = np.asarray(distance, dtype=float)
        u, slope, _ = SOFT_SPHERES_12.function(r, (1.0, *self.coefficients))
        inside = r < self.parameters["cutoff"]
        return np.where(inside, u, 0.0), np.where(inside, slope, 0.0)

    def edge(self, n: int) -> float:
        """Edge of the cubic box of ``n`` particles at the model's density [diameter]."""
        return (n / self.density) ** (1.0 / self.dimension)

    def check(self, configuration: Configuration) -> None:
        """Raise `InputError` if the configuration does not fit.

        Beside what every model checks: fewer than two particles, particles of several kinds or diameters, a box that is
        not cubic, and, where the shifts are planted, another density than the model's (the shifts belong to one box).
        """
        super().check(configuration)
        if configuration.n < 2:
            raise InputError(f"The model {self.name} needs at least two particles, for a shift belongs to a pair.")
        if len(configuration.species_names) > 1:
            raise InputError(
                f"The model {self.name} has particles of one kind, but the configuration has the species "
                f"{', '.join(natural_order(configuration.species_names))}."
            )
        if configuration.diameters is not None and not np.allclose(configuration.diameters, 1.0, rtol=0, atol=1e-6):
            raise InputError(f"The model {self.name} has spheres of diameter 1; the configuration has other diameters.")
        length = float(configuration.cell[0, 0])
        cube = length * np.eye(self.dimension)
        if length <= 0 or not np.allclose(configuration.cell, cube, rtol=0, atol=1e-6 * abs(length)):
            raise InputError(f"The model {self.name} needs a cubic box along the axes; the configuration has another.")
        # Of every pair all images within the cutoff are summed.
        if not self.dimension * np.log(2.0 * self.parameters["cutoff"] / length + 1.0) < np.log(_MOST_IMAGES):
            raise InputError(
                f"The cutoff {self.parameters['cutoff']:.4g} of {self.name} reaches over too many boxes of edge "
                f"{length:.4g} to sum the images of every pair; use a larger system, or lower the cutoff."
            )
        wanted = self.edge(configuration.n)
        # Files keep the box in single precision.
        if self.parameters["planted_temperature"] is not None and abs(length - wanted) > 1e-5 * wanted:
            raise InputError(
                f"The shifts of this {self.name} are planted in a box of edge {wanted:.7g} for {configuration.n} "
                f"particles, and the configuration's is {length:.7g}: it is not the planted one, or volume_fraction is "
                "another."
            )

    def fits(self, species: Iterable[str], dimension: int, has_diameters: bool = False) -> bool:
        """Return False: no configuration is known to be of this model unless its file carries the shifts' seed."""
        return False

    def planted(self, n: int, temperature: float, seed: int) -> tuple[MariKurchan, Configuration]:
        """Return a model with planted shifts and the equilibrium configuration they are planted around.

        Reference positions are uniform in the box. The shift of a pair is then drawn from ``exp(-u(r_ij + A) / T)``:
        a uniform vector is proposed and accepted with probability ``exp(-u / T)``, as often as it takes. Over shifts
        and positions together this is the Boltzmann distribution, so the configuration is in equilibrium at T without
        any dynamics, and no two samples share anything. Nishikawa et al. make 200 Metropolis steps a pair from a
        uniform shift instead; rejection (about one proposal a pair, as the core is a small part of the box) is exact.

        Parameters
        ----------
        n : int
            Number of particles.
        temperature : float
            T [v0].
        seed : int
            Of positions and shifts.

        Returns
        -------
        model : MariKurchan
            Carries seed and temperature; its other parameters are this model's.
        configuration : Configuration

        Raises
        ------
        InputError
            If n < 2, or the temperature or the seed is out of range.
        """
        if temperature is None:
            raise InputError("Say at which temperature to plant.")
        model = type(self)(**(self.parameters | {"seed": seed, "planted_temperature": temperature}))
        return model, model.planted_configuration(n)

    def planted_configuration(self, n: int) -> Configuration:
        """Return the reference configuration of ``n`` particles: at infinite temperature if the model is not planted.

        Raises
        ------
        InputError
            If n < 2.
        """
        if n < 2:
            raise InputError(f"The model {self.name} needs at least two particles, not {n}.")
        d, length = self.dimension, self.edge(n)
        reference = self._potential(n).reference_positions(d)
        return Configuration(reference * length, np.full(d, length), np.full(n, "A"))

    def potential_of(self, configuration: Configuration) -> Potential:
        """Return the shifted pair potential of as many particles as the configuration has."""
        return self._potential(configuration.n)

    def _potential(self, n: int) -> Potential:
        from pelplug.potentials.shifted_pairs import ShiftedPairPotential

        c0, c1, c2 = (float(value) for value in self.coefficients)
        return ShiftedPairPotential(
            SOFT_SPHERES_12,
            cutoff=self.parameters["cutoff"],
            parameters={"epsilon": 1.0, "c0": c0, "c1": c1, "c2": c2},
            particles=n,
            seed=self.parameters["seed"],
            planted_temperature=self.parameters["planted_temperature"],
            planted_length=self.edge(n),
        )
