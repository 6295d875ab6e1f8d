"""Whether two inherent structures are the same one, up to periodic images and a translation of the whole system."""

from __future__ import annotations

import math

import numpy as np

import pelplug

__all__ = ["Catalogue", "displacements", "follow", "goes_far", "images_of"]


def displacements(before: np.ndarray, after: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Displacement of each particle between two states of one periodic cell, without images and without drift.

    Parameters
    ----------
    before, after : ndarray, shape (N, d)
        Positions [length], wrapped or not.
    cell : ndarray, shape (d, d)
        Cell vectors as rows [length].

    Returns
    -------
    ndarray, shape (N, d)
        Displacements whose mean is zero [length].

    Notes
    -----
    Images are taken relative to one particle, then to the median, and only then is the mean taken out: a translation of
    the system by half a cell would otherwise tear it apart. Right as long as no particle moves by more than half
    a cell relative to most others.
    """
    moved = np.linalg.solve(cell.T, (after - before).T).T
    for origin in (moved[0], None):
        moved = moved - (np.median(moved, axis=0) if origin is None else origin)
        moved -= np.round(moved)
    return (moved - moved.mean(axis=0)) @ cell


def images_of(before: np.ndarray, after: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Image of each particle in one of two states of one structure, shape (N, d), relative to the first particle's.

    Parameters
    ----------
    before, after : ndarray, shape (N, d)
        Positions [length], the same but for images and a translation.
    cell : ndarray, shape (d, d)
        Cell vectors as rows [length].
    """
    moved = np.linalg.solve(cell.T, (after - before).T).T
    return np.round(moved - moved[0]).astype(np.int32)


def goes_far(moves, cell: np.ndarray) -> bool:
    """Whether in one of some displacements, shape (N, d) each, a particle moves by more than half a cell.

    Where none does, images and nearest images say the same.
    """
    inverse = np.linalg.inv(cell)
    return any(np.abs((moved - np.median(moved, axis=0)) @ inverse).max() > 0.5 for moved in moves)


def follow(trajectory, images: dict[int, np.ndarray]) -> str:
    """Add to the images of particles in some frames those that only the frames in between tell; check image flags.

    Parameters
    ----------
    trajectory : Trajectory
        The frames.
    images : dict of int to ndarray, shape (N, d)
        By frame, as the frame on its own has them; changed in place.

    Returns
    -------
    str
        Why particles cannot be followed from frame to frame; empty if they can.
    """
    if not images:
        return ""
    start, flags = min(images), set()
    try:
        for number, frame in enumerate(trajectory.unwrapped(start, max(images) + 1), start):
            flags.add(trajectory.has("images"))
            if len(flags) > 1:
                return f"frame {number} and those before differ in image flags"
            if number in images and flags == {False}:
                images[number] += frame.images
    except Exception as error:  # of a frame that cannot be read, which fails alone elsewhere
        return " ".join(str(error).split())
    return ""


class Catalogue:
    """The distinct inherent structures met so far, found again by energy and then by displacement.

    Parameters
    ----------
    energy_tolerance : float
        Two states of one structure differ by less in total energy [energy].
    displacement_tolerance : float
        No particle moves farther between two states of one structure, images and drift aside [length].

    Attributes
    ----------
    energies : list of float
        Total energy of each structure [energy].
    positions : list of ndarray, shape (N, d)
        Positions of each structure, as first met [length].
    """

    def __init__(self, energy_tolerance: float, displacement_tolerance: float):
        self.energy_tolerance = energy_tolerance
        self.displacement_tolerance = displacement_tolerance
        self.energies: list[float] = []
        self.positions: list[np.ndarray] = []
        self.cell: np.ndarray | None = None
        self._bins: dict[int, list[int]] = {}

    def identify(self, energy: float, positions: np.ndarray, cell: np.ndarray) -> int:
        """Return the number of a structure, a new one if it was not met before.

        Raises
        ------
        InputError
            If the cell is not that of the structures before.
        """
        if self.cell is None:
            self.cell = np.array(cell)
        elif not np.allclose(cell, self.cell, rtol=1e-6, atol=1e-6 * np.abs(self.cell).max()):
            raise pelplug.InputError(
                "The cell changes between frames, so no inherent structure can come again; use frames of constant cell."
            )
        # A neighbour in energy lies in the same bin or in one beside it.
        place = math.floor(energy / self.energy_tolerance)
        for number in sorted(k for offset in (-1, 0, 1) for k in self._bins.get(place + offset, ())):
            if abs(energy - self.energies[number]) < self.energy_tolerance:
                moved = displacements(self.positions[number], positions, self.cell)
                if np.sqrt(np.square(moved).sum(axis=1).max()) < self.displacement_tolerance:
                    return number
        number = len(self.energies)
        self.energies.append(float(energy))
        self.positions.append(np.array(positions))
        self._bins.setdefault(place, []).append(number)
        return number
