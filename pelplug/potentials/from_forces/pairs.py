"""Interacting pairs, read off the blocks of a Hessian that was measured."""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.sparse

from pelplug.configuration import Configuration
from pelplug.potentials.base import Pairs
from pelplug.potentials.from_forces.displaced import DisplacedState
from pelplug.potentials.from_forces.reach import SEEN, Neighbours, neighbours_within, one_direction

__all__ = ["FoundPairs", "count_near_cutoff", "find_pairs", "repeated_cell", "times_repeated"]

_CENTRAL = 1e-4  # relative: what many bodies add to forces between two is much more
_FAINT = 10.0  # times the floor: whether so weak a block is one is not certain
_HALVINGS = 40


@dataclasses.dataclass(frozen=True)
class FoundPairs:
    """Pairs, and what is known of them.

    Attributes
    ----------
    pairs : Pairs
    rule : {"central", "cutoff", "blocks"}
        Who counts as a pair. ``central``: forces are sums over pairs along their axes, and those count whose block of
        the Hessian is not zero. ``cutoff``: they are not, and all nearer than the potential's cutoff count.
        ``blocks``: nobody knows a cutoff, and all blocks that are not zero count.
    ranges : dict
        Of each two species, the longest distance of a pair that counts, and the shortest of one that does not, None
        where there is none, and the whole where they contradict each other [length].
    """

    pairs: Pairs
    rule: str
    ranges: dict[tuple[str, str], tuple[float, float | None] | None]


def times_repeated(configuration: Configuration, reach: float) -> np.ndarray:
    """Return how often the cell has to be repeated along each vector for images within reach to be different particles.

    Parameters
    ----------
    configuration : Configuration
    reach : float
        [length]
    """
    return np.maximum(1, np.ceil(2.0 * reach * (1.0 + 1e-9) / configuration.heights)).astype(int)


def repeated_cell(configuration: Configuration, times: np.ndarray) -> Configuration:
    """Return the state in a cell repeated along its vectors; the first N particles are the original ones."""
    shifts = np.array(np.meshgrid(*[range(k) for k in times], indexing="ij")).reshape(len(times), -1).T
    arrays = ("species", "diameters", "masses", "charges")
    values = {name: getattr(configuration, name) for name in arrays}
    return Configuration(
        np.concatenate([configuration.positions + shift @ configuration.cell for shift in shifts]),
        configuration.cell * np.asarray(times)[:, None],
        **{name: np.tile(value, len(shifts)) for name, value in values.items() if value is not None},
    )


def find_pairs(
    configuration: Configuration,
    matrix: scipy.sparse.bsr_matrix,
    forces: np.ndarray,
    reach: float,
    floor: float,
    error: float,
    cutoff: float | None,
    n: int,
) -> FoundPairs:
    """Return the interacting pairs.

    Parameters
    ----------
    configuration : Configuration
        The state, or a repeated cell whose first ``n`` particles are the state's: within reach of a particle there is
        no second image of another.
    matrix : bsr_matrix
        Blocks of the Hessian: the columns of the first ``n`` particles at least.
    forces : ndarray, shape (n, d)
        [energy / length]
    reach : float
        Distance beyond which there are no blocks [length].
    floor : float
        Norm below which a block is noise [energy / length**2].
    error : float
        Relative error of the Hessian.
    cutoff : float or None
        Of the potential [length].
    n : int
        Particles of the state.
    """
    d = configuration.dimension
    near = neighbours_within(configuration, reach)
    mine = near.i < n
    near = Neighbours(near.i[mine], near.j[mine], near.vectors[mine], near.distances[mine])
    blocks = -_blocks_of(matrix, near.j, near.i)
    norm = np.linalg.norm(blocks, axis=(1, 2))
    unit = near.vectors / near.distances[:, None]
    along = np.einsum("pa,pab,pb->p", unit, blocks, unit)
    across = (np.einsum("paa->p", blocks) - along) / max(d - 1, 1)
    axial = (along - across)[:, None, None] * unit[:, :, None] * unit[:, None, :] + across[:, None, None] * np.eye(d)
    first = across * near.distances
    allowed = _CENTRAL + 30.0 * error
    bent = float(np.linalg.norm(blocks - axial) / max(np.linalg.norm(blocks), 1e-300))
    pulls = np.stack([np.bincount(near.i, first * unit[:, a], n) for a in range(d)], axis=1)
    size = float(np.sqrt(np.mean(np.bincount(near.i, np.abs(first), n) ** 2)))
    size += 30.0 * error * float(np.sqrt(np.mean(np.bincount(near.i, np.abs(along) * near.distances, n) ** 2)))
    off = float(np.sqrt(np.mean(np.sum((forces - pulls) ** 2, axis=1))))
    central = d > 1 and bent <= allowed and off <= allowed * max(size, 1e-300)
    rule = "central" if central else "cutoff" if cutoff is not None else "blocks"
    there = near.distances < cutoff if rule == "cutoff" else norm > floor / 2.0
    j = near.j % n
    once = one_direction(near.i, j, near.vectors)
    ranges = _ranges(configuration, near, there)
    gap = _gaps(configuration, near, ranges, cutoff if rule == "cutoff" else None)
    faint = 0 if rule == "cutoff" else int(np.count_nonzero(once & there & (norm < _FAINT * floor)))
    kept = np.flatnonzero(once & there)
    kept = kept[np.lexsort((j[kept], near.i[kept]))]
    pairs = Pairs(near.i[kept], j[kept], near.vectors[kept], near.distances[kept], first[kept], along[kept], gap[kept],
                  uncertain=faint, central=central)  # fmt: skip
    return FoundPairs(pairs, rule, ranges)


def _blocks_of(matrix: scipy.sparse.bsr_matrix, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the blocks at some places, zero where none is stored."""
    d = matrix.blocksize[0]
    count = matrix.shape[0] // d
    there = np.repeat(np.arange(count), np.diff(matrix.indptr)).astype(np.int64) * count + matrix.indices
    order = np.argsort(there, kind="stable")
    wanted = rows * count + columns
    place = np.minimum(np.searchsorted(there, wanted, sorter=order), len(there) - 1)
    found = matrix.data[order[place]].copy()
    found[there[order[place]] != wanted] = 0.0
    return found


def _species_pairs(configuration: Configuration, near: Neighbours) -> dict[tuple[str, str], np.ndarray]:
    names = configuration.species_names
    kind = np.searchsorted(np.array(names), configuration.species)
    low, high = np.minimum(kind[near.i], kind[near.j]), np.maximum(kind[near.i], kind[near.j])
    return {
        (names[a], names[b]): np.flatnonzero((low == a) & (high == b))
        for a in range(len(names))
        for b in range(a, len(names))
    }


def _ranges(configuration, near: Neighbours, there: np.ndarray) -> dict:
    found = {}
    for names, members in _species_pairs(configuration, near).items():
        inside, outside = near.distances[members][there[members]], near.distances[members][~there[members]]
        if len(inside):
            longest, shortest = float(inside.max()), float(outside.min()) if len(outside) else None
            found[names] = (longest, shortest) if shortest is None or shortest > longest else None
    return found


def _gaps(configuration, near: Neighbours, ranges: dict, cutoff: float | None) -> np.ndarray:
    """Cutoff minus distance, the cutoff of two species halfway between the last pair that counts and the next."""
    if cutoff is not None:
        return cutoff - near.distances
    gap = np.full(len(near.i), np.nan)
    for names, members in _species_pairs(configuration, near).items():
        if ranges.get(names) is not None:
            longest, shortest = ranges[names]
            end = longest if shortest is None else (longest + shortest) / 2.0
            gap[members] = np.maximum(end - near.distances[members], 0.0)
    return gap


def count_near_cutoff(
    state: DisplacedState, found: FoundPairs, reach: float, tolerance: float, noise: float
) -> int | None:
    """Count the pairs whose distance is their cutoff, to within a fraction of it, on either side.

    The cutoff of two species is found by moving the last particle that counts away until the force vanishes.

    Returns
    -------
    int or None
        None where pairs of two species have no one cutoff.
    """
    if any(bounds is None for bounds in found.ranges.values()):
        return None
    near = neighbours_within(state.configuration, reach * (1.0 + 2.0 * tolerance))
    once = one_direction(near.i, near.j, near.vectors)
    total = 0
    for names, members in _species_pairs(state.configuration, near).items():
        if names not in found.ranges:
            continue
        longest, shortest = found.ranges[names]
        distances = near.distances[members][once[members]]
        end = reach
        if shortest is not None:
            last = members[np.argmin(np.abs(near.distances[members] - longest))]
            end = _end_of_force(state, near, int(last), shortest, noise)
        total += int(np.count_nonzero(np.abs(distances / end - 1.0) < tolerance))
    return total


def _end_of_force(state: DisplacedState, near: Neighbours, pair: int, shortest: float, noise: float) -> float:
    """Return the distance at which the force between two particles vanishes in the noise."""
    i, j, distance = near.i[pair], near.j[pair], near.distances[pair]
    outward = -near.vectors[pair] / distance

    def pull(r: float) -> np.ndarray:
        shift = np.zeros(state.shape)
        shift[i] = (r - distance) * outward
        return state(shift)[1][j]

    nothing = pull(shortest)
    low, high = distance, shortest
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if np.abs(pull(middle) - nothing).max() > SEEN * noise:
            low = middle
        else:
            high = middle
        if high - low < 1e-12 * high:
            break
    return (low + high) / 2.0
