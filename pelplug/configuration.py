"""Configuration: one state of the system in float64, the thing that flows through the program."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pelplug.core.cells import compact, heights_of, upper_triangular
from pelplug.errors import InputError

__all__ = ["PER_PARTICLE", "Configuration", "natural_order", "whole_numbers"]

PER_PARTICLE = ("positions", "species", "diameters", "masses", "charges", "velocities", "images", "unwrapped")
"""The fields of a configuration that have one entry for each particle."""


@dataclasses.dataclass(frozen=True, eq=False)
class Configuration:
    """Positions, periodic cell and species of N particles in d dimensions.

    Parameters
    ----------
    positions : array_like, shape (N, d)
        Positions [length], wrapped or not.
    cell : array_like, shape (d,) or (d, d)
        Edge lengths of an orthorhombic cell, or the cell vectors as rows [length].
    species : array_like of str, shape (N,)
        Species name of each particle.
    diameters : array_like, shape (N,), optional
        Diameter of each particle [length]; polydisperse models need them.
    masses : array_like, shape (N,), optional
        Masses [mass]; 0 for a site that has none, such as the fourth site of a water model.
    velocities : array_like, shape (N, d), optional
        Velocities [length / time].
    images : array_like of int, shape (N, d), optional
        How many cell vectors to add to a wrapped position to unwrap it.
    frame : int, optional
        Label of the trajectory frame the state came from.
    step : int, optional
        Simulation step.
    time : float, optional
        Time [time].
    unwrapped : array_like, shape (N, d), optional
        Continuous positions, where the cell has changed since the first frame, so that images alone do not give them
        [length].
    charges : array_like, shape (N,), optional
        Charges, in elementary charges where units are real, for potentials that do not bring their own.

    Raises
    ------
    InputError
        If shapes disagree, a number is not finite, or the cell is missing or flat.

    Notes
    -----
    Arrays are copied to float64 and made read-only: a configuration can be shared between threads
    and plugins. Use `replace` to get a changed one.
    """

    positions: np.ndarray
    cell: np.ndarray
    species: np.ndarray
    diameters: np.ndarray | None = None
    masses: np.ndarray | None = None
    velocities: np.ndarray | None = None
    images: np.ndarray | None = None
    frame: int | None = None
    step: int | None = None
    time: float | None = None
    unwrapped: np.ndarray | None = None
    charges: np.ndarray | None = None

    if TYPE_CHECKING:  # what is given may be any array_like, what is kept is an array

        def __init__(
            self,
            positions: npt.ArrayLike,
            cell: npt.ArrayLike,
            species: npt.ArrayLike,
            diameters: npt.ArrayLike | None = None,
            masses: npt.ArrayLike | None = None,
            velocities: npt.ArrayLike | None = None,
            images: npt.ArrayLike | None = None,
            frame: int | None = None,
            step: int | None = None,
            time: float | None = None,
            unwrapped: npt.ArrayLike | None = None,
            charges: npt.ArrayLike | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        positions = _float_array(self.positions, "positions")
        if positions.ndim != 2 or positions.shape[0] == 0 or positions.shape[1] < 1:
            raise InputError(f"Positions must have shape (N, d) with N > 0, not {positions.shape}.")
        n, d = positions.shape
        species = np.array(self.species, dtype=str)
        if species.shape != (n,):
            raise InputError(
                f"There are {n} positions but species has shape {species.shape}; give one name a particle."
            )
        values = {"positions": positions, "cell": _cell_matrix(self.cell, d), "species": species}
        shapes = {"diameters": (n,), "masses": (n,), "charges": (n,), "velocities": (n, d), "unwrapped": (n, d)}
        for name, shape in shapes.items():
            if (value := getattr(self, name)) is not None:
                values[name] = _float_array(value, name)
                _check_shape(values[name], shape, name)
        if "diameters" in values and not np.all(values["diameters"] > 0):
            raise InputError("All diameters must be positive.")
        if "masses" in values and not (np.all(values["masses"] >= 0) and np.any(values["masses"] > 0)):
            raise InputError("All masses must be positive, or 0 for sites without mass beside others that have one.")
        if self.images is not None:
            values["images"] = whole_numbers(self.images, "image flag")
            _check_shape(values["images"], (n, d), "images")
        _check_distance(values)
        for name, value in values.items():
            value.setflags(write=False)
            object.__setattr__(self, name, value)

    @property
    def n(self) -> int:
        """Number of particles N."""
        return self.positions.shape[0]

    @property
    def dimension(self) -> int:
        """Dimension of space d."""
        return self.positions.shape[1]

    @cached_property
    def volume(self) -> float:
        """Volume of the cell [length**d]."""
        return float(abs(np.linalg.det(self.cell)))

    @property
    def density(self) -> float:
        """Number density N / V [length**-d]."""
        return self.n / self.volume

    @cached_property
    def heights(self) -> np.ndarray:
        """Distance between opposite faces of the cell along each cell vector, shape (d,) [length]."""
        return heights_of(self.cell)

    @cached_property
    def half_box(self) -> float:
        """How far a particle meets no other one twice, whichever cell vectors span the lattice [length].

        Half the least distance between opposite faces, of the most compact cell of the lattice.
        """
        return 0.5 * float(heights_of(compact(self.cell)).min())

    @cached_property
    def species_names(self) -> tuple[str, ...]:
        """The names of the species present, sorted."""
        return tuple(str(name) for name in np.unique(self.species))

    def fractional(self) -> np.ndarray:
        """Positions in units of the cell vectors, shape (N, d), not wrapped."""
        return self.positions @ np.linalg.inv(self.cell)

    def require_masses(self, what: str) -> None:
        """Refuse sites without mass, for what needs the mass of every particle.

        Parameters
        ----------
        what : str
            What needs them, to begin a sentence with.

        Raises
        ------
        InputError
            If a mass is 0; configurations without any masses pass.
        """
        if self.masses is not None and (massless := int(np.count_nonzero(self.masses == 0))):
            raise InputError(
                f"{what} a mass of every particle, and {massless} of {self.n} have the mass 0 (virtual sites?); write "
                "trajectory and topology without these sites."
            )

    def wrapped(self) -> Configuration:
        """Return the same state with every position in [0, 1) of the cell and `images` adjusted to match."""
        fractional = self.fractional()
        shift = np.floor(fractional)
        images = shift.astype(np.int64) + (self.images if self.images is not None else 0)
        return self.replace(positions=self.positions - shift @ self.cell, images=images, unwrapped=self.unwrapped)

    def unwrapped_positions(self) -> np.ndarray:
        """Positions with `images` cell vectors added, or `unwrapped` where that is known, shape (N, d) [length]."""
        if self.unwrapped is not None:
            return np.array(self.unwrapped)
        if self.images is None:
            return np.array(self.positions)
        return self.positions + self.images @ self.cell

    def freud(self) -> tuple:
        """Return what freud takes for a system, right in any cell: its box, and the positions in it.

        freud wants a along x and b in the xy plane. The state is turned so, never mirrored; a cell so tilted that freud
        would miss neighbours is described by other vectors of the same lattice.

        Returns
        -------
        box : freud.box.Box
        points : ndarray, shape (N, 3)
            Wrapped positions in the axes of the box, in the order of the particles [length]; z = 0 in two dimensions.

        Raises
        ------
        InputError
            Outside two and three dimensions.

        Notes
        -----
        freud computes in single precision. `freud.locality.AABBQuery`, which freud takes by itself, refuses a distance
        beyond half the least height of the box; `LinkCell` does not, and misses neighbours there.

        Examples
        --------
        >>> freud.order.Steinhardt(6).compute(configuration.freud(), neighbors={"r_max": 1.4})
        >>> query = freud.locality.AABBQuery(*configuration.freud())
        """
        from freud.box import Box

        lower, rotation = self._of_freud
        fractional = self.positions @ rotation @ np.linalg.inv(lower)
        points = np.zeros((self.n, 3))
        points[:, : self.dimension] = (fractional - np.floor(fractional + 0.5)) @ lower
        matrix = np.zeros((3, 3))
        matrix[: self.dimension, : self.dimension] = lower.T
        return Box.from_matrix(matrix, dimensions=self.dimension), points

    def from_freud(self, vectors: npt.ArrayLike) -> np.ndarray:
        """Turn vectors that freud computed, such as bonds, back to the axes of this state.

        Parameters
        ----------
        vectors : array_like, shape (..., 3)
            In the axes of the box of `freud`.

        Returns
        -------
        ndarray, shape (..., d)
        """
        _, rotation = self._of_freud
        return np.asarray(vectors, dtype=np.float64)[..., : self.dimension] @ rotation.T

    @cached_property
    def _of_freud(self) -> tuple[np.ndarray, np.ndarray]:
        if self.dimension not in (2, 3):
            raise InputError(f"freud works in two and three dimensions, and the configuration has {self.dimension}.")
        return upper_triangular(compact(self.cell))

    def replace(self, **changes: Any) -> Configuration:
        """Return a copy with some fields changed; what follows from the old positions (`unwrapped`) is left out."""
        if changes.keys() & {"positions", "cell", "images"}:
            changes.setdefault("unwrapped", None)
        return dataclasses.replace(self, **changes)

    def __len__(self) -> int:
        return self.n

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}: {np.count_nonzero(self.species == name)}" for name in self.species_names)
        return f"<Configuration: N = {self.n}, d = {self.dimension}, density = {self.density:.6g}, {counts}>"


def _float_array(value: npt.ArrayLike, name: str) -> np.ndarray:
    try:
        array = np.array(value, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise InputError(f"The {name} are not numbers: {error}.") from None
    if not np.all(np.isfinite(array)):
        raise InputError(f"The {name} contain NaN or infinity; the frame is damaged, {_OTHERS}.")
    return array


def whole_numbers(values: npt.ArrayLike, name: str) -> np.ndarray:
    """Return image flags, ids and the like as int64.

    Parameters
    ----------
    values : array_like, shape (N,) or (N, d)
        As a file has them, perhaps as floating-point numbers.
    name : str
        What one of them is, for the sentence.

    Raises
    ------
    InputError
        If one is not a whole number, or so large that no program counts so far: the frame is damaged.
    """
    array = np.array(values)
    if array.dtype.kind not in "iuf":
        raise InputError(f"The {name}s are not numbers; the frame is damaged, {_OTHERS}.")
    far = name == "image flag" and array.size and np.abs(np.nan_to_num(array.astype(np.float64))).max() > _FARTHEST
    if far or (array.dtype.kind == "f" and not np.all(array == np.rint(array))) or not np.all(np.isfinite(array)):
        bad = ~np.isfinite(array) | (array != np.rint(array))
        bad |= (np.abs(np.nan_to_num(array.astype(np.float64))) > _FARTHEST) if far else False
        place = tuple(np.argwhere(bad)[0])
        raise InputError(
            f"Particle {place[0]} has the {name} {array[place]:g}, which cannot be; the frame is damaged, {_OTHERS}."
        )
    return array.astype(np.int64)


_OTHERS = "use the frames before or after it (--stop, --start) or repair it"
_FARTHEST = 2.0**20  # cells: as far as any image flags of LAMMPS count, and where float64 still has 1e-10 of a cell


def _check_distance(values: Mapping[str, np.ndarray]) -> None:
    """Refuse positions so many cells away that they can only be damaged."""
    positions, cell = values["positions"], values["cell"]
    reach = _FARTHEST * np.linalg.norm(cell, axis=1).max()
    if max(positions.max(), -positions.min()) > reach:
        particle = int(np.abs(positions).max(axis=1).argmax())
        raise InputError(
            f"Particle {particle} is at {np.abs(positions[particle]).max():.3g}, more than a million cells away; the "
            f"frame is damaged, {_OTHERS}."
        )


def _check_shape(array: np.ndarray, shape: tuple[int, ...], name: str) -> None:
    if array.shape != shape:
        raise InputError(f"The {name} have shape {array.shape}; expected {shape}.")


def _cell_matrix(cell: npt.ArrayLike | None, d: int) -> np.ndarray:
    if cell is None:
        raise InputError("There is no periodic cell; give the box lengths or cell vectors.")
    matrix = _float_array(cell, "cell")
    if matrix.shape == (d,):
        matrix = np.diag(matrix)
    _check_shape(matrix, (d, d), "cell")
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        lengths = np.linalg.norm(matrix, axis=1)
        volume, most = abs(np.linalg.det(matrix)), np.prod(lengths)
    if not (np.isfinite(volume) and np.isfinite(most)):
        raise InputError(f"The periodic cell is too large for its volume to be a number; {_OTHERS}.")
    if not np.all(lengths > 0) or volume <= 1e-12 * most:
        raise InputError("The periodic cell has no volume; give a box whose edges are all longer than zero.")
    return matrix


def natural_order(names: Iterable[str]) -> list[str]:
    """Sort names for people: 2 before 10, B2 before B10.

    Parameters
    ----------
    names : iterable of str
        Species, types or elements.

    Returns
    -------
    list of str
    """

    def key(name: str) -> list[tuple[bool, int, str]]:
        parts = [part for part in re.split(r"([0-9]+)", name) if part]
        return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]

    return sorted(names, key=key)
