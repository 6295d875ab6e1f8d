"""Sizes to draw particles with: their own, those of the potential, or spheres that touch at the peaks of g(r)."""

from __future__ import annotations

import dataclasses

import numpy as np

from pelplug.configuration import Configuration
from pelplug.potentials.base import Potential
from pelplug.potentials.first_shells import first_shells

__all__ = ["ParticleSizes", "particle_sizes"]


@dataclasses.dataclass(frozen=True)
class ParticleSizes:
    """Diameters to draw particles with, which need not be those that they interact by.

    Attributes
    ----------
    diameters : ndarray, shape (N,)
        [length].
    rule : {"configuration", "potential", "g(r)", "density"}
        Where they are from.
    """

    diameters: np.ndarray
    rule: str


def particle_sizes(configuration: Configuration, potential: Potential | None = None) -> ParticleSizes:
    """Return the diameters to draw particles with.

    The first that there is of: the configuration's diameters; those of the potential (`Potential.sizes`); in two and
    three dimensions the first peak of g(r) of each species with itself, all multiplied by the one number that lets no
    two species overlap at the first peak of their own g(r); the mean distance ``rho**(-1/d)``. A species whose own g(r)
    has no clear peak takes the nearest that it has with others.

    Parameters
    ----------
    configuration : Configuration
    potential : Potential, optional

    Returns
    -------
    ParticleSizes
    """
    if configuration.diameters is not None:
        return ParticleSizes(configuration.diameters, "configuration")
    if potential is not None and (known := potential.sizes(configuration)) is not None:
        return ParticleSizes(np.asarray(known, dtype=np.float64), "potential")
    if configuration.dimension in (2, 3) and (touching := _touching(configuration)) is not None:
        return ParticleSizes(touching, "g(r)")
    spacing = configuration.density ** (-1.0 / configuration.dimension)
    return ParticleSizes(np.full(configuration.n, spacing), "density")


def _touching(configuration: Configuration) -> np.ndarray | None:
    """Return diameters by the first peaks of g(r); None where some species has no clear one."""
    shells = first_shells([configuration])
    peaks = np.where(shells.peaks > 0, shells.peaks, np.inf)  # NaN is not above zero
    own = np.diag(peaks)
    own = np.where(np.isfinite(own), own, peaks.min(axis=1))
    if not np.all(np.isfinite(own)):
        return None
    shrunk = min(1.0, float((peaks / (0.5 * (own[:, None] + own[None, :]))).min()))
    return shrunk * own[shells.numbers(configuration)]
