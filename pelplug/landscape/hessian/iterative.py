"""Conjugate gradients on a Hessian: for samples of pairs in systems too large to factorise."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from pelplug.errors import NotConvergedError
from pelplug.landscape.hessian.factor import HessianFactor, not_a_minimum, remove_translations
from pelplug.landscape.hessian.rattlers import blocks_of_particles

__all__ = ["IterativeFactor", "expected_iterations"]


# Products by differences are good to about that.
_OPERATOR_TOLERANCE = 1e-9


def expected_iterations(n: int, dimension: int) -> float:
    """Return about how many iterations a solve takes for N particles in d dimensions."""
    return 400.0 * (n / 2000.0) ** (1.0 / dimension)


class IterativeFactor(HessianFactor):
    """Solve by conjugate gradients, preconditioned by the inverse (d, d) blocks on the diagonal.

    Parameters
    ----------
    hessian : bsr_matrix or LinearOperator, shape (N * d, N * d)
        The Hessian, in blocks of (d, d) [energy / length**2]; of an operator only products are asked.
    dimension : int
        d.
    tolerance : float
        Largest norm of the residual in units of the right-hand side's.
    max_iterations : int
        Iterations a solve may take.

    Raises
    ------
    NotAMinimumError
        If a direction of negative curvature is met.
    NotConvergedError
        If the iterations run out.
    """

    solver = "cg"

    def __init__(
        self, hessian: sp.bsr_matrix, dimension: int, tolerance: float = 1e-11, max_iterations: int | None = None
    ):
        super().__init__(hessian, dimension)
        self.tolerance = tolerance
        self.max_iterations = max_iterations or 20 * hessian.shape[0]
        if not sp.issparse(hessian):  # an operator: scaled, so that numbers keep their size
            scale = float(np.mean(hessian.diagonal()))
            if not scale > 0.0:
                raise not_a_minimum(hessian, dimension)
            self.tolerance = max(tolerance, _OPERATOR_TOLERANCE)
            self._preconditioner = np.broadcast_to(np.eye(dimension) / scale, (self.n, dimension, dimension))
            return
        diagonal = blocks_of_particles(hessian)
        if np.linalg.eigvalsh(diagonal).min() <= 0.0:
            raise not_a_minimum(hessian, dimension)
        self._preconditioner = np.linalg.inv(diagonal)

    def solve(self, rhs: np.ndarray) -> np.ndarray:
        """See `HessianFactor.solve`."""
        shape = rhs.shape
        rhs = remove_translations(np.asarray(rhs, dtype=np.float64), self.dimension).reshape(self.hessian.shape[0], -1)
        # Five arrays of this width are held; keep each within about a quarter of a gigabyte.
        width = max(1, 2**25 // rhs.shape[0])
        parts = [self._solve_block(rhs[:, start : start + width]) for start in range(0, rhs.shape[1], width)]
        return remove_translations(np.concatenate(parts, axis=1), self.dimension).reshape(shape)

    def _solve_block(self, rhs: np.ndarray) -> np.ndarray:
        """Every column by its own recurrence, all sharing the products with M."""
        solution = np.zeros_like(rhs)
        goal = self.tolerance * np.linalg.norm(rhs, axis=0)
        columns = np.flatnonzero(goal > 0.0)
        x, residual = np.zeros((rhs.shape[0], columns.size)), rhs[:, columns].copy()
        ahead = self._precondition(residual)
        direction = ahead.copy()
        slope = np.einsum("xp,xp->p", residual, ahead)
        for _ in range(self.max_iterations):
            if columns.size == 0:
                return solution
            forward = self.hessian @ direction
            curvature = np.einsum("xp,xp->p", direction, forward)
            if curvature.min() <= 0.0:
                raise not_a_minimum(self.hessian, self.dimension)
            step = slope / curvature
            x += step * direction
            residual -= step * forward
            done = np.linalg.norm(residual, axis=0) <= goal[columns]
            if done.any():
                solution[:, columns[done]] = x[:, done]
                left = ~done
                columns, x, residual, direction = columns[left], x[:, left], residual[:, left], direction[:, left]
                slope = slope[left]
            ahead = self._precondition(residual)
            new_slope = np.einsum("xp,xp->p", residual, ahead)
            direction = ahead + (new_slope / slope) * direction
            slope = new_slope
        raise NotConvergedError(
            f"Conjugate gradients did not reach a relative residual of {self.tolerance:g} in {self.max_iterations} "
            "iterations; choose the dense or sparse solver, or quench the state to a smaller force tolerance."
        )

    def _precondition(self, residual: np.ndarray) -> np.ndarray:
        blocks = residual.reshape(self.n, self.dimension, -1)
        return remove_translations((self._preconditioner @ blocks).reshape(residual.shape), self.dimension)
