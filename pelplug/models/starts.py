"""Disordered starting configurations of a model: how many of each species, which diameters, where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.units import Units
from pelplug.errors import InputError

if TYPE_CHECKING:
    from pelplug.models.base import Model

__all__ = ["Startable"]


class Startable:
    """The part of `Model` that makes configurations."""

    name: ClassVar[str]
    dimension: int | None
    density: float | None
    composition: ClassVar[Mapping[str, float]]
    needs_diameters: bool
    units: Units

    def species_counts(self, n: int) -> dict[str, int]:
        """Return how many of ``n`` particles are of each species, as near to `composition` as whole numbers allow."""
        composition = self.composition or {"A": 1.0}
        exact = {name: n * fraction for name, fraction in composition.items()}
        counts = {name: int(np.floor(value + 1e-9)) for name, value in exact.items()}
        by_remainder = sorted(exact, key=lambda name: counts[name] - exact[name])
        for name in by_remainder[: n - sum(counts.values())]:
            counts[name] += 1
        return counts

    def sample_diameters(self, n: int, rng: np.random.Generator | int) -> np.ndarray:
        """Draw ``n`` diameters [length], shape (n,)."""
        raise InputError(f"The model {self.name} has no distribution of diameters.")

    def random_configuration(
        self, n: int, rng: np.random.Generator | int, density: float | None = None, arrangement: str = "lattice"
    ) -> Configuration:
        """Make a disordered start of exact composition in a cubic box.

        Parameters
        ----------
        n : int
            Number of particles.
        rng : numpy.random.Generator or int
            Source of randomness, or its seed.
        density : float, optional
            Number density [length**-d]; the model's own when left out.
        arrangement : {"lattice", "random"}
            Shuffled sites of a simple cubic lattice, each displaced by up to a tenth of the lattice constant
            (no overlaps: good to start molecular dynamics), or positions without any correlation (T = infinity).

        Returns
        -------
        Configuration

        Raises
        ------
        InputError
            If n < 1, or dimension or density is neither given nor known.
        """
        rng = np.random.default_rng(rng)
        if n < 1:
            raise InputError(f"A configuration needs at least one particle, not {n}.")
        if arrangement not in ("lattice", "random"):
            raise InputError(f"The arrangement is lattice or random, not {arrangement!r}.")
        d = self._dimension_to_build()
        density = self.density if density is None else density
        if density is None:
            raise InputError(f"The model {self.name} has no density of its own in {d} dimensions; give density=.")
        if not density > 0:
            raise InputError(f"The density must be positive, not {density}.")
        length = (n / density) ** (1.0 / d)
        if arrangement == "lattice":
            side = int(np.ceil(n ** (1.0 / d) - 1e-9))
            sites = rng.choice(side**d, size=n, replace=False)
            grid = np.stack(np.unravel_index(sites, (side,) * d), axis=1)
            positions = (grid + 0.5 + rng.uniform(-0.1, 0.1, size=(n, d))) * (length / side)
        else:
            positions = rng.uniform(0.0, length, size=(n, d))
        species = np.concatenate([np.full(count, name) for name, count in self.species_counts(n).items()])
        diameters = self.sample_diameters(n, rng) if self.needs_diameters else None
        start = Configuration(positions, np.full(d, length), rng.permutation(species), diameters=diameters)
        masses = None if self.units.is_reduced else self.known_masses(start)
        return start if masses is None else start.replace(masses=masses)

    def _dimension_to_build(self) -> int:
        if self.dimension is None:
            raise InputError(f"The model {self.name} works in any dimension; say which with dimension=.")
        return self.dimension

    def planted(self, n: int, temperature: float, seed: int) -> tuple[Model, Configuration]:
        """Return a model of this kind together with an equilibrium configuration of it, made without any dynamics.

        Only for models with quenched disorder that can be drawn around a configuration; see `MariKurchan.planted`.

        Parameters
        ----------
        n : int
            Number of particles.
        temperature : float
            T [energy].
        seed : int
            Of configuration and disorder.

        Raises
        ------
        InputError
            If this model has no disorder to draw, or a number is out of range.
        """
        raise InputError(f"The model {self.name} has no disorder to plant a configuration in; start from a lattice.")
