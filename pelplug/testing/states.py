"""Disordered states, and the same state told in another way: turned, renumbered, in other cells. For plugin authors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pelplug.configuration import PER_PARTICLE, Configuration

if TYPE_CHECKING:
    from pelplug.potentials.base import Potential

__all__ = [
    "in_other_images",
    "liquid",
    "renumbered",
    "rotation",
    "supercell",
    "tilted",
    "turned",
    "with_other_vectors",
    "without_overlaps",
]


def liquid(
    n: int = 64, d: int = 3, density: float = 1.0, species: str | Sequence[str] = "A", seed: int = 0
) -> Configuration:
    """Return a disordered state without close pairs, as a dense liquid has it.

    Parameters
    ----------
    n : int
        Number of particles.
    d : int
        Dimension of space, 2 to 8.
    density : float
        Number density [length**-d].
    species : str or sequence of str
        Names, given to the particles in turn.
    seed : int
        Of the positions.

    Notes
    -----
    Sites of a cubic lattice, some of them empty, displaced at random and then pushed apart as soft spheres of the mean
    distance of neighbours.
    """
    from pelplug.landscape import quench
    from pelplug.potentials.forms.harmonic import HARMONIC
    from pelplug.potentials.pair import PairPotential

    rng = np.random.default_rng(seed)
    spacing = density ** (-1.0 / d)
    length, side = spacing * n ** (1.0 / d), int(np.ceil(n ** (1.0 / d) - 1e-9))
    sites = np.stack(np.unravel_index(rng.choice(side**d, size=n, replace=False), (side,) * d), axis=1)
    positions = (sites + rng.uniform(-0.4, 0.4, size=(n, d))) * (length / side)
    names = [species] if isinstance(species, str) else list(species)
    start = Configuration(positions, np.full(d, length), [names[k % len(names)] for k in range(n)])
    spheres = PairPotential(HARMONIC, sigma=spacing, cutoff=spacing, parameters={"epsilon": 1.0})
    return quench(start, spheres, max_evaluations=50).configuration


def without_overlaps(
    configuration: Configuration, potential: Potential, steps: int = 60, largest: float = 0.03
) -> Configuration:
    """Return a state whose worst overlaps are gone, by steepest descent with steps of limited length.

    Parameters
    ----------
    configuration : Configuration
        The start.
    potential : Potential
        Its interactions.
    steps : int
        How many.
    largest : float
        No particle moves farther in one [length].
    """
    evaluate = potential.evaluator(configuration)
    x = np.array(configuration.positions)
    f = np.empty_like(x)
    for _ in range(steps):
        evaluate(x, f)
        length = np.linalg.norm(f, axis=1, keepdims=True)
        x += f * np.minimum(0.002, largest / np.maximum(length, 1e-300))
    return configuration.replace(positions=x)


def rotation(d: int, seed=0) -> np.ndarray:
    """Return a random rotation, shape (d, d).

    Parameters
    ----------
    d : int
        Dimension.
    seed : int or numpy.random.Generator
        Which.
    """
    q, r = np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))
    q = q * np.sign(np.diag(r))
    if np.linalg.det(q) < 0:
        q[:, 0] *= -1
    return q


def turned(configuration: Configuration, turn: np.ndarray) -> Configuration:
    """Return the state with all of space turned: positions, velocities and cell vectors times a matrix from the right.

    Parameters
    ----------
    configuration : Configuration
        The state.
    turn : ndarray, shape (d, d)
        An orthogonal matrix; see `rotation`.
    """
    velocities = configuration.velocities
    return configuration.replace(
        positions=configuration.positions @ turn,
        cell=configuration.cell @ turn,
        velocities=None if velocities is None else velocities @ turn,
    )


def with_other_vectors(configuration: Configuration, seed: int = 0) -> Configuration:
    """Return the same crystal of copies by other cell vectors, which span a cell of the same volume.

    Parameters
    ----------
    configuration : Configuration
        The state; its images are counted in the new vectors.
    seed : int
        Which vectors: one is added to, or taken from, each that comes after it.
    """
    d = configuration.dimension
    change = np.eye(d) + np.tril(np.random.default_rng(seed).choice([-1, 1], size=(d, d)), -1)
    images = configuration.images
    if images is not None:
        images = np.rint(images @ np.linalg.inv(change)).astype(np.int64)
    return configuration.replace(cell=change @ configuration.cell, images=images)


def tilted(configuration: Configuration, rng=0, tilt: float = 0.3, rotate: bool = True) -> Configuration:
    """Return another state of the same density: cell and positions sheared and turned, some particles in other cells.

    Parameters
    ----------
    configuration : Configuration
        The state.
    rng : int or numpy.random.Generator
        Of shear, turn and images.
    tilt : float
        Largest component of the shear.
    rotate : bool
        Whether to turn it.
    """
    rng = np.random.default_rng(rng)
    d = configuration.dimension
    shear = np.eye(d) + np.tril(rng.uniform(-tilt, tilt, size=(d, d)), -1)
    turn = rotation(d, rng) if rotate else np.eye(d)
    cell = configuration.cell @ shear @ turn
    fractional = configuration.fractional() + rng.integers(-1, 2, size=configuration.positions.shape)
    return configuration.replace(positions=fractional @ cell, cell=cell)


def in_other_images(configuration: Configuration, seed: int = 0) -> Configuration:
    """Return the same state with particles moved by whole cell vectors, to any of the neighbouring cells.

    Image flags, if there are any, are those of the new places: the unwrapped positions stay.

    Parameters
    ----------
    configuration : Configuration
        The state.
    seed : int
        Where to.
    """
    shifts = np.random.default_rng(seed).integers(-1, 2, size=configuration.positions.shape)
    images = None if configuration.images is None else configuration.images - shifts
    return configuration.replace(positions=configuration.positions + shifts @ configuration.cell, images=images)


def renumbered(configuration: Configuration, order: np.ndarray) -> Configuration:
    """Return the state with its particles in another order.

    Parameters
    ----------
    configuration : Configuration
        The state.
    order : ndarray of int, shape (N,)
        Which particle comes at each place.
    """
    kept = {name: getattr(configuration, name) for name in PER_PARTICLE}
    return configuration.replace(**{name: None if value is None else value[order] for name, value in kept.items()})


def supercell(configuration: Configuration, times: int = 2) -> Configuration:
    """Return copies of the cell along every vector: the same infinite crystal, told with more particles.

    Parameters
    ----------
    configuration : Configuration
        The state; copy c of particle i is particle ``c N + i``.
    times : int
        How many along each.
    """
    d = configuration.dimension
    shifts = np.stack(np.meshgrid(*[np.arange(times)] * d, indexing="ij"), -1).reshape(-1, d) @ configuration.cell

    def copies(values):
        return None if values is None else np.tile(values, len(shifts))

    return Configuration(
        (shifts[:, None, :] + configuration.positions[None]).reshape(-1, d),
        configuration.cell * times,
        copies(configuration.species),
        diameters=copies(configuration.diameters),
        masses=copies(configuration.masses),
        charges=copies(configuration.charges),
    )
