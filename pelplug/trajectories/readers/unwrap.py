"""Particles followed through periodic boundaries, whatever a file says about images, in cells that may change."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError

__all__ = ["Follower", "continued", "convention_of"]

_LONGEST_MOVE = 0.45  # of a cell vector, from one frame to the next; beyond half of it the other way round is shorter
_LONGEST_JUMP = 2**14  # cell vectors by which image flags may change from one frame to the next
_WINDOW = 1.1  # cell vectors that wrapped positions span: atoms stand outside a little between two neighbour lists
_OWN_RANGE = 2.0  # cell vectors that one particle of a molecule kept whole may span over time
_LATTICE = 0.25  # of a cell vector: the most that a particle moves besides being put back by whole ones
_STILL = 0.1  # of a cell vector: frames this close leave no doubt which jumps are whole cell vectors

_SAMPLE = 40
_CENTRED = 0.6  # cell vectors from the origin, for positions around it; atoms stand outside a little

_SAY = "say --positions wrapped or --positions unwrapped (positions= in Python)"


class Follower:
    """Continuous positions of the frames of one trajectory, taken one after the other.

    Parameters
    ----------
    path : path_like
        The file, for sentences.
    convention : {"auto", "wrapped", "unwrapped"}
        What the positions are where a frame has no images.
    scan : callable
        ``scan(most)`` gives the fractional positions of the frames that are to come, at most so many of them equally
        spaced, or all for None: for when only they can tell the convention.

    Notes
    -----
    The displacement from one frame to the next is that of the wrapped positions, and the crossings times the cell of
    the later frame: ``r_t - r_(t-1) + (n_t - n_(t-1)) h_t``. In a cell that changes, the sum of these displacements
    does not depend on which image a particle is in, as ``r + n h`` does (the toroidal-view-preserving scheme: S. von
    Bülow, J. T. Bullerjahn and G. Hummer, J. Chem. Phys. 153, 021101 (2020); J. T. Bullerjahn et al., J. Chem. Theory
    Comput. 19, 3406 (2023)); in a constant cell the two are the same. Crossings are the change of the images where
    there are images; else the nearest image counts (H. Kulke and J. V. Vermaas, J. Chem. Theory Comput. 18, 6161
    (2022)), in units of the cell vectors, so that they hold in tilted and changing cells.
    """

    # None before the first frame.
    _raw: Any
    _inside: Any
    _turns: Any
    _total: Any
    _images: Any
    _offset: Any
    _cell: Any
    _span: Any

    def __init__(self, path: Any, convention: str, scan: Callable[[int | None], Iterable[np.ndarray]]):
        self._path, self._scan = path, scan
        self._convention = convention
        self._low: Any = None  # where the cell begins, in cell vectors
        self._span = None  # what fractional positions span, where a sample of the frames told the convention
        self._last: Any = None
        self._raw = self._inside = self._turns = self._total = self._images = None
        self._offset = None  # of the file's images, where they began later than the frames
        self._cell, self._changed = None, False

    def follow(self, number: int, state: Configuration) -> Configuration:
        """Return the next frame so that its `unwrapped_positions` are continuous with those before.

        Raises
        ------
        InputError
            If a crossing cannot be told: a particle moves too far, or the images do not belong to the positions.
        """
        raw = state.fractional()
        if self._low is None:
            # Wrapped as the file wraps, around the origin or from it: displacements in a changing cell are seen so.
            centred = (
                np.all((raw.min(axis=0) >= -_CENTRED) & (raw.max(axis=0) <= _CENTRED)) and raw.min() < 0.5 - _CENTRED
            )
            self._low = -0.5 if centred else 0.0
        floor = np.floor(raw - self._low)
        shift, inside = floor.astype(np.int64), raw - floor
        if self._raw is None:
            turns = shift if state.images is None else shift + state.images
            self._offset = None if state.images is None else 0
        elif state.images is None:
            turns = self._turns + self._count(number, raw, inside, shift)
        else:
            turns = shift + state.images
            if self._images is not None:
                self._check_images(number, raw, state.images)
            elif self._offset is None:  # images of earlier frames are not known: count up to here
                self._offset = turns - self._turns - self._crossings(number, inside)
            turns = turns - self._offset
        if self._raw is None:
            self._cell, self._total = state.cell, (inside + turns) @ state.cell
        else:
            self._changed = self._changed or not np.array_equal(state.cell, self._cell)
            self._total = self._total + _moved(
                (self._inside, self._turns, self._last.cell), (inside, turns, state.cell)
            )
        self._last, self._raw, self._inside, self._turns = state, raw, inside, turns
        self._images = state.images
        images = turns - shift
        return state.replace(images=images, **({"unwrapped": self._total} if self._changed else {}))

    def _count(self, number: int, raw, inside, shift) -> np.ndarray:
        """Return by how many cells each particle has crossed since the last frame, where no images tell."""
        if self._convention == "unwrapped":
            return shift - np.floor(self._raw - self._low).astype(np.int64)
        if self._convention == "auto":
            if np.abs(raw - self._raw).max() <= 0.5:  # it is all the same
                return self._crossings(number, inside)
            self._convention, self._span = "wrapped", _span(self._scan(_SAMPLE))
            if _width(self._span) > _WINDOW:
                self._convention, self._span = convention_of(self._scan(None), self._path), None
            return self._count(number, raw, inside, shift)
        if self._span is not None:  # taken from a sample
            self._span = _span([*self._span, raw])
            if _width(self._span) > _WINDOW:
                self._span = None
                if convention_of(self._scan(None), self._path) != "wrapped":
                    raise InputError(f"{self._path} has positions that leave the cell late, at frame {number}; {_SAY}.")
        return self._crossings(number, inside)

    def _crossings(self, number: int, inside) -> np.ndarray:
        """Return the crossings by which each particle moves least; refuse moves of about half the cell."""
        moved = inside - self._inside
        crossings = -np.rint(moved).astype(np.int64)
        moved = np.abs(moved + crossings)
        particle = int(moved.max(axis=1).argmax())
        if (most := moved[particle].max()) > _LONGEST_MOVE:
            raise InputError(
                f"{self._path} has wrapped positions without image flags, and particle {particle} moves {most:.2f} of "
                f"the cell from frame {number - 1} to {number}, so nobody can tell which way round the cell; write "
                "frames more often, or with image flags or unwrapped positions. If the file's positions are unwrapped, "
                "pass --positions unwrapped (positions= in Python). Where swap moves exchange particles, as in frames "
                "of pelplug prepare, no path can be followed."
            )
        return crossings

    def _check_images(self, number: int, raw, images) -> None:
        """Refuse image flags that are damaged, or by which particles go round the whole cell while all others stay."""
        moved, flags = raw - self._raw, images - self._images
        if (most := np.abs(flags)).max() > _LONGEST_JUMP:
            raise InputError(
                f"Particle {int(most.max(axis=1).argmax())} of {self._path} moves by {most.max()} cells from frame "
                f"{number - 1} to {number}, after its image flags; one of the frames is damaged, use the frames "
                f"before or from it on (--stop {number}, --start {number})."
            )
        whole = moved + flags
        far = np.abs(whole) > 0.5
        if not far.any():
            return
        rest = np.abs(np.where(far, 0.0, whole)).max()
        if rest > _STILL or np.abs(whole - np.rint(whole))[far].max() > max(2.0 * rest, 0.02):
            return
        particle = int(np.flatnonzero(far.any(axis=1))[0])
        between = f"particle {particle} from frame {number - 1} to {number}"
        if not flags.any():
            raise InputError(
                f"{self._path} has image flags that do not change while positions jump across the cell ({between}), so "
                "they were not followed; pass --positions wrapped (positions= in Python) to count crossings instead."
            )
        for origin in (0.0, 0.5):
            crossed = np.floor(raw + origin) - np.floor(self._raw + origin)
            if np.array_equal(crossed[far], flags[far]):
                raise InputError(
                    f"{self._path} has image flags beside positions that are unwrapped already ({between}); pass "
                    "--positions unwrapped (positions= in Python) to leave the flags out."
                )
        if (several := np.count_nonzero(far.any(axis=1))) > 1:  # one may have gone round the cell
            raise InputError(
                f"{self._path} has image flags by which {several} particles go round the whole cell from frame "
                f"{number - 1} to {number} while all others stay; the flags are not of one run; pass --positions "
                f"wrapped (positions= in Python) to count crossings, or use the frames before (--stop {number})."
            )


def continued(positions: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Return continuous positions of a run in a cell that may change; see `Follower`.

    Parameters
    ----------
    positions : ndarray, shape (F, N, d)
        Wrapped positions and as many cell vectors as a particle has crossed, ``r + n h`` [length].
    cells : ndarray, shape (F, d, d)
        Of each state, vectors as rows [length].
    """
    if np.all(cells == cells[0]):
        return positions
    raw = positions @ np.linalg.inv(cells)
    turns = np.floor(raw)
    states = list(zip(raw - turns, turns, cells, strict=True))
    moved = [_moved(one, other) for one, other in itertools.pairwise(states)]
    return positions[0] + np.concatenate([np.zeros_like(positions[:1]), np.cumsum(moved, axis=0)])


def _moved(before: tuple, after: tuple) -> np.ndarray:
    """Return ``r_t - r_(t-1) + (n_t - n_(t-1)) h_t`` of two states: fractional positions, crossings, cell."""
    (inside, turns, cell), (inside_now, turns_now, cell_now) = before, after
    return inside_now @ cell_now - inside @ cell + (turns_now - turns) @ cell_now


def convention_of(frames: Iterable[np.ndarray], path) -> str:
    """Return what positions without images are, from all frames: "wrapped" or "unwrapped".

    Parameters
    ----------
    frames : iterable of ndarray, shape (N, d)
        Fractional positions of successive frames, as the file has them.
    path : path_like
        The file, for the sentence.

    Raises
    ------
    InputError
        If both are possible and not the same.

    Notes
    -----
    Wrapped positions span one cell, a little more between two neighbour lists, or more where molecules are kept whole;
    then what jumps does so by whole cell vectors. A particle that is found further apart than a molecule is large is
    unwrapped.
    """
    low: Any = None
    high: Any = None
    last: Any = None
    jump: Any = None  # the jump that is furthest from whole cell vectors: by how much, how far, particle, frame
    lattice = True
    for number, raw in enumerate(frames):
        if last is None:
            low, high = raw.copy(), raw.copy()
        else:
            np.minimum(low, raw, out=low)
            np.maximum(high, raw, out=high)
            moved = np.abs(raw - last)
            far = moved > 0.5
            if far.any():
                beside = np.where(far, np.abs(moved - np.rint(moved)), 0.0)
                rest = np.where(far, 0.0, moved).max()
                lattice = lattice and beside.max() <= min(max(2.0 * rest, 0.05), _LATTICE)
                particle, axis = np.unravel_index(int(beside.argmax()), beside.shape)
                if jump is None or beside[particle, axis] > jump[0]:
                    jump = beside[particle, axis], moved[particle, axis], int(particle), number
        last = raw
    if jump is None or _width((low, high)) <= _WINDOW:
        return "wrapped"
    if (high - low).max() > _OWN_RANGE:
        return "unwrapped"
    if lattice:
        return "wrapped"
    beside, moved, particle, number = jump
    raise InputError(
        f"{path} does not tell whether its positions are wrapped, and both are possible: between two frames (around "
        f"frame {number}) particle {particle} moves {moved:.2f} of the cell, or {beside:.2f} the shorter way; {_SAY}."
    )


def _span(frames: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest coordinates, each shape (1, d)."""
    low: Any = np.inf
    high: Any = -np.inf
    for raw in frames:
        low, high = np.minimum(low, raw.min(axis=0)), np.maximum(high, raw.max(axis=0))
    return low[None], high[None]


def _width(span) -> float:
    low, high = span
    return float((high.max(axis=0) - low.min(axis=0)).max())
