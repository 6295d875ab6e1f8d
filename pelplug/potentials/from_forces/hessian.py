"""The Hessian by differences of forces, in blocks, with what its checks found; and a provider's own, looked at."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import scipy.sparse

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.potentials.answers import asked
from pelplug.potentials.base import Potential, potential_name
from pelplug.potentials.from_forces.colouring import colours_of
from pelplug.potentials.from_forces.columns import columns_of, columns_of_groups
from pelplug.potentials.from_forces.displaced import DisplacedState, spacing
from pelplug.potentials.from_forces.products import BENT
from pelplug.potentials.from_forces.reach import Pattern, pattern_within
from pelplug.potentials.from_forces.steps import Noise, Step

__all__ = ["BlockMatrix", "acoustic_sum", "asymmetry", "matrix_by_differences", "own_hessian"]

SEEN = 5.0  # standard deviations of noise from which a block is not zero
_FINER = (8.0, 64.0, 512.0)
_OWN_ERROR = 1e-6  # relative asymmetry of an analytic Hessian: rounding leaves 1e-13


@dataclasses.dataclass(frozen=True)
class BlockMatrix:
    """Blocks of the Hessian as measured, not symmetrised.

    Attributes
    ----------
    matrix : bsr_matrix, shape (N * d, N * d)
        [energy / length**2].
    floor : float
        Norm below which a block is noise [energy / length**2].
    colours : int
        Groups of particles displaced together.
    refined, unresolved : int
        Columns with a kink inside the step, found again by smaller ones; and those where that did not help.
    leak : float
        Largest change of a force that no displaced particle should have changed, in standard deviations of the noise.
    """

    matrix: scipy.sparse.bsr_matrix
    floor: float
    colours: int
    refined: int
    unresolved: int
    leak: float


def matrix_by_differences(
    state: DisplacedState,
    pattern: Pattern,
    noise: Noise,
    step: Step,
    workers: int | str = 1,
    atoms: np.ndarray | None = None,
) -> BlockMatrix:
    """Measure the Hessian's columns of all particles, or of some.

    Parameters
    ----------
    state : DisplacedState
    pattern : Pattern
        Which blocks may be other than zero.
    noise : Noise
    step : Step
    workers : int or "auto"
        As of `columns_of_groups`.
    atoms : ndarray of int, optional
        Only the columns of these.
    """
    n, d = state.shape
    groups = colours_of(pattern.matrix, atoms)
    start, indices = pattern.matrix.indptr, pattern.matrix.indices
    floor = SEEN * d * step.noise
    rows, columns, blocks = [], [], []
    refined = unresolved = 0
    leak = 0.0
    for group, (found, bend) in zip(groups, columns_of_groups(state, groups, step, workers), strict=True):
        owned = [indices[start[atom] : start[atom + 1]] for atom in group]
        bent = _bent(found, bend, step, noise)
        for atom, near in zip(group, owned, strict=True):
            values = found[:, near]  # (axis of the displacement, particle, axis of the force)
            if np.any(bent[:, near]):
                finer, settled = _finer(state, int(atom), step, noise, near)
                refined += 1
                unresolved += not settled
                values = finer[:, near]
            block = np.ascontiguousarray(values.transpose(1, 2, 0))
            kept = (np.linalg.norm(block, axis=(1, 2)) > floor) | (near == atom)
            rows.append(near[kept])
            columns.append(np.full(np.count_nonzero(kept), atom))
            blocks.append(block[kept])
        elsewhere = np.ones(n, dtype=bool)
        elsewhere[np.concatenate(owned)] = False
        if elsewhere.any():
            leak = max(leak, float(np.abs(found[:, elsewhere]).max()) / step.noise)
    matrix = _from_blocks(np.concatenate(rows), np.concatenate(columns), np.concatenate(blocks), n, d)
    return BlockMatrix(matrix, floor, len(groups), refined, unresolved, leak)


def _bent(found: np.ndarray, bend: np.ndarray, step: Step, noise: Noise) -> np.ndarray:
    """Tell which forces have a kink or jump within the step, shape (d, N)."""
    change = 2.0 * step.size * np.linalg.norm(found, axis=2)
    return (bend > BENT * change) & (bend > 20.0 * noise.force)


def _finer(state: DisplacedState, atom: int, step: Step, noise: Noise, near: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return a particle's columns at the first smaller step at which no force has a kink, and whether there is one."""
    found = None
    for factor in _FINER:
        small = dataclasses.replace(step, size=step.size / factor, order=2)
        found, bend = columns_of(state, np.array([atom]), small.size, small.order)
        if not np.any(_bent(found, bend, small, noise)[:, near]):
            return found, True
    return found, False


def _from_blocks(rows, columns, blocks, n: int, d: int) -> scipy.sparse.bsr_matrix:
    order = np.lexsort((columns, rows))
    start = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))])
    return scipy.sparse.bsr_matrix((blocks[order], columns[order], start), shape=(n * d, n * d))


def asymmetry(matrix: scipy.sparse.bsr_matrix) -> float:
    """Return |H - H^T| / |H|, Frobenius norms."""
    size = scipy.sparse.linalg.norm(matrix)
    return float(scipy.sparse.linalg.norm(matrix - matrix.T) / size) if size > 0 else 0.0


def acoustic_sum(matrix: scipy.sparse.bsr_matrix) -> float:
    """Return how far the forces of a translation are from none: |sum_j H_ij| over |H|, Frobenius norms."""
    d = matrix.blocksize[0]
    size = scipy.sparse.linalg.norm(matrix)
    translations = np.tile(np.eye(d), (matrix.shape[0] // d, 1))
    return float(np.linalg.norm(matrix @ translations) / size) if size > 0 else 0.0


def symmetrised(matrix: scipy.sparse.bsr_matrix) -> scipy.sparse.bsr_matrix:
    """Return (H + H^T) / 2 in blocks of the same size, columns in order."""
    d = matrix.blocksize[0]
    mean = ((matrix + matrix.T) * 0.5).tobsr((d, d))
    mean.sort_indices()
    return mean


def own_hessian(potential: Potential, configuration: Configuration) -> tuple[scipy.sparse.bsr_matrix, dict[str, Any]]:
    """Return the Hessian that a potential gives itself, in any sparse format or dense, and what its checks found.

    Raises
    ------
    InputError
        If it fails, or its shape, symmetry or numbers are not those of a Hessian.
    """
    name, n, d = potential_name(potential), configuration.n, configuration.dimension
    found, matrix = asked(potential, "hessian", configuration), None
    if np.shape(found) == (n * d, n * d):
        matrix = scipy.sparse.bsr_matrix(found, blocksize=(d, d), dtype=np.float64)
    if matrix is None:
        raise InputError(
            f"The potential {name} gives a Hessian of shape {np.shape(found)} for {n} particles in {d} dimensions; "
            f"hessian() must return a matrix of shape ({n * d}, {n * d})."
        )
    if not np.all(np.isfinite(matrix.data)):
        raise InputError(f"The potential {name} gives a Hessian that is not finite everywhere; correct hessian().")
    matrix.sum_duplicates()
    checks = {"asymmetry": asymmetry(matrix), "acoustic_sum": acoustic_sum(matrix)}
    if checks["asymmetry"] > _OWN_ERROR:
        raise InputError(
            f"The potential {name} gives a Hessian that is not symmetric: |H - H^T| / |H| = {checks['asymmetry']:.2g}; "
            "correct hessian(), or leave HESSIAN out of its capabilities."
        )
    if checks["acoustic_sum"] > _OWN_ERROR:
        raise InputError(
            f"The potential {name} gives a Hessian by which a translation of all particles costs energy (the blocks of "
            f"a row add to {checks['acoustic_sum']:.2g} of |H|); correct hessian(), or leave out what acts from "
            "outside."
        )
    return symmetrised(matrix), checks


def enlarged(configuration: Configuration, pattern: Pattern) -> Pattern:
    """Return the pattern of a reach that is a quarter, and at least a tenth of the spacing, larger."""
    reach = max(1.25 * pattern.reach, pattern.reach + 0.1 * spacing(configuration))
    return pattern_within(configuration, reach, "measured, enlarged by its check")
