"""Crystals whose neighbours and lattice sums are known: states with right answers. For plugin authors.

::

    fcc = pelplug.testing.crystal("fcc", 4, density=1.0)      # a Configuration of 4 x 4 x 4 cells
    pelplug.testing.CRYSTALS["fcc"].shells[0].count           # 12

Each lattice can be had in its conventional or its primitive cell, and `pelplug.testing.states` turns it, chooses other
cell vectors of the same crystal, numbers its particles anew.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.parameters import closest
from pelplug.errors import InputError

__all__ = ["CRYSTALS", "Crystal", "Shell", "crystal", "hypercubic"]


@dataclasses.dataclass(frozen=True)
class Shell:
    """Neighbours at one distance.

    Attributes
    ----------
    squared : float
        Square of the distance, in units of that of the nearest neighbours.
    count : int
        How many.
    """

    squared: float
    count: int

    @property
    def distance(self) -> float:
        """Distance in units of that of the nearest neighbours."""
        return math.sqrt(self.squared)


@dataclasses.dataclass(frozen=True)
class Crystal:
    """A crystal structure and what is known of it.

    Attributes
    ----------
    name : str
        As ``fcc``.
    cell : ndarray, shape (d, d)
        Vectors of the conventional cell as rows, in units of its first edge; orthogonal.
    basis : ndarray, shape (B, d)
        Its sites, in units of the cell vectors.
    primitive : ndarray, shape (d, d)
        Vectors of a primitive cell, in the same units.
    primitive_basis : ndarray, shape (b, d)
        Its sites, in units of these vectors.
    spacing : float
        Distance of nearest neighbours, in units of the first edge.
    shells : tuple of Shell
        The first shells of neighbours, by distance.
    sums : dict of int to float
        Lattice sums: of ``(spacing / r)**n`` over the neighbours of a particle, for some n.
    """

    name: str
    cell: np.ndarray
    basis: np.ndarray
    primitive: np.ndarray
    primitive_basis: np.ndarray
    spacing: float
    shells: tuple[Shell, ...]
    sums: dict[int, float] = dataclasses.field(default_factory=dict)

    @property
    def dimension(self) -> int:
        """Dimension of space."""
        return len(self.cell)

    @property
    def coordination(self) -> int:
        """Number of nearest neighbours."""
        return self.shells[0].count

    def configuration(
        self,
        cells: int | Sequence[int] = 3,
        *,
        density: float | None = None,
        spacing: float | None = None,
        species: str | Sequence[str] = "A",
        primitive: bool = False,
    ) -> Configuration:
        """Return some cells of the crystal.

        Parameters
        ----------
        cells : int or sequence of int
            How many cells along every vector, or along each.
        density : float, optional
            Number density [length**-d]; 1 if neither this nor the spacing is given.
        spacing : float, optional
            Distance of nearest neighbours [length], instead of a density.
        species : str or sequence of str
            Names, given to the sites of a cell in turn: two of them make of bcc the structure of CsCl.
        primitive : bool
            Take the primitive cell.

        Raises
        ------
        InputError
            If both density and spacing are given, or one is not positive.
        """
        if density is not None and spacing is not None:
            raise InputError("A crystal has either a density or a spacing; give one of them.")
        for name, value in (("density", density), ("spacing", spacing)):
            if value is not None and not value > 0:
                raise InputError(f"The {name} of a crystal must be positive, not {value}.")
        cell, basis = (self.primitive, self.primitive_basis) if primitive else (self.cell, self.basis)
        d = self.dimension
        edge = ((len(basis) / abs(np.linalg.det(cell))) / (density or 1.0)) ** (1.0 / d)
        if spacing is not None:
            edge = spacing / self.spacing
        times = np.full(d, cells) if np.ndim(cells) == 0 else np.array(cells)
        corners = np.stack(np.meshgrid(*map(np.arange, times), indexing="ij"), -1).reshape(-1, 1, d)
        names = [species] if isinstance(species, str) else list(species)
        site_names = [names[k % len(names)] for k in range(len(basis))]
        return Configuration(
            (corners + basis).reshape(-1, d) @ (edge * cell), edge * cell * times[:, None], site_names * len(corners)
        )

    def lennard_jones_energy(self, spacing: float) -> float:
        """Return U / N of the infinite crystal, of pairs ``4 (r**-12 - r**-6)`` without cutoff [epsilon].

        Parameters
        ----------
        spacing : float
            Distance of nearest neighbours [sigma].
        """
        return 2.0 * (self.sums[12] * spacing**-12 - self.sums[6] * spacing**-6)

    @property
    def lennard_jones_spacing(self) -> float:
        """Distance of nearest neighbours at which `lennard_jones_energy` is lowest [sigma]."""
        return (2.0 * self.sums[12] / self.sums[6]) ** (1.0 / 6.0)


def hypercubic(d: int) -> Crystal:
    """Return the simple cubic lattice of any dimension.

    Parameters
    ----------
    d : int
        Dimension.
    """
    # Points of Z^d at the squares of distance 1, 2 and 3: sums of so many different unit vectors, of either sign.
    shells = tuple(Shell(k, 2**k * math.comb(d, k)) for k in range(1, min(d, 3) + 1))
    one, corner = np.eye(d), np.zeros((1, d))
    return Crystal(f"hypercubic-{d}d", one, corner, one, corner, 1.0, shells)


def _shells(*pairs: tuple[float, int]) -> tuple[Shell, ...]:
    return tuple(Shell(*pair) for pair in pairs)


def _centred() -> list[Crystal]:
    origin = np.zeros((1, 3))
    cube = np.eye(3)
    faces = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2
    fcc = np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) / 2
    quarter = np.full(3, 0.25)
    return [
        Crystal(
            "bcc",
            cube,
            np.array([[0.0] * 3, [0.5] * 3]),
            np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / 2,
            origin,
            math.sqrt(0.75),
            _shells((1, 8), (4 / 3, 6), (8 / 3, 12)),
            {6: 12.25366786729, 12: 9.11418326808},
        ),
        Crystal(
            "fcc",
            cube,
            faces,
            fcc,
            origin,
            math.sqrt(0.5),
            _shells((1, 12), (2, 6), (3, 24)),
            {6: 14.45392104374, 12: 12.13188019654},
        ),
        Crystal(
            "diamond",
            cube,
            np.concatenate([faces, faces + quarter]),
            fcc,
            np.array([[0.0] * 3, [0.25] * 3]),
            math.sqrt(3) / 4,
            _shells((1, 4), (8 / 3, 12), (11 / 3, 12)),
        ),
    ]


def _hexagonal() -> list[Crystal]:
    height = math.sqrt(8 / 3)
    return [
        Crystal(
            "hcp",
            np.diag([1.0, math.sqrt(3), height]),
            np.array([[0, 0, 0], [1 / 2, 1 / 2, 0], [0, 1 / 3, 1 / 2], [1 / 2, 5 / 6, 1 / 2]]),
            np.array([[1, 0, 0], [0.5, math.sqrt(0.75), 0], [0, 0, height]]),
            np.array([[0, 0, 0], [-1 / 3, 2 / 3, 1 / 2]]),
            1.0,
            _shells((1, 12), (2, 6), (8 / 3, 2), (3, 18)),
            {6: 14.45489727784, 12: 12.13229376910},
        ),
        Crystal(
            "triangular",
            np.diag([1.0, math.sqrt(3)]),
            np.array([[0, 0], [0.5, 0.5]]),
            np.array([[1, 0], [0.5, math.sqrt(0.75)]]),
            np.zeros((1, 2)),
            1.0,
            _shells((1, 6), (3, 6), (4, 6)),
            {6: 6.37588155283, 12: 6.00981392797},
        ),
    ]


def _cubic() -> list[Crystal]:
    return [
        dataclasses.replace(hypercubic(3), name="sc", sums={6: 8.40192397483, 12: 6.20214904505}),
        dataclasses.replace(hypercubic(2), name="square", sums={6: 4.65891361560, 12: 4.06402192772}),
    ]


CRYSTALS: dict[str, Crystal] = {one.name: one for one in (*_cubic(), *_centred(), *_hexagonal())}
"""The crystals by name: sc, square, bcc, fcc, diamond, hcp, triangular.

The sums in three dimensions are those of J. E. Jones and A. E. Ingham, Proc. R. Soc. Lond. A 107, 636 (1925), with more
digits; in two they are products of zeta functions.
"""


def crystal(name: str, cells: int | Sequence[int] = 3, **options: Any) -> Configuration:
    """Return some cells of a crystal by its name; see `Crystal.configuration` for the options.

    Raises
    ------
    InputError
        If there is no crystal of that name.
    """
    if name not in CRYSTALS:
        raise InputError(f"There is no crystal {name!r}{closest(name, CRYSTALS)}; there are {', '.join(CRYSTALS)}.")
    return CRYSTALS[name].configuration(cells, **options)
