"""Dense factorisation of a Hessian in place: every dipole from one inverse."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.linalg import blas, lapack
from scipy.sparse.csgraph import reverse_cuthill_mckee

from pelplug.execution.threads import run_ranges
from pelplug.landscape.hessian import kernels
from pelplug.landscape.hessian.factor import PIVOT_FLOOR, HessianFactor, not_a_minimum, remove_translations

__all__ = ["DenseFactor"]


class DenseFactor(HessianFactor):
    """Cholesky factor of M + c sum_a T_a T_a^T, T_a the normalised translations and c M's mean diagonal element.

    The shift makes M definite without touching its action off the translations. One array of (N d)**2 numbers is
    all that is held: the factor overwrites the matrix, and the inverse overwrites the factor.

    Parameters
    ----------
    hessian : bsr_matrix, shape (N * d, N * d)
        The Hessian, in blocks of (d, d) [energy / length**2].
    dimension : int
        d.

    Raises
    ------
    NotAMinimumError
        If a pivot is negative or zero.
    """

    solver = "dense"

    def __init__(self, hessian: sp.bsr_matrix, dimension: int):
        super().__init__(hessian, dimension)
        size = hessian.shape[0]
        scale = float(np.mean(hessian.diagonal()))
        # The lower triangle in C order is LAPACK's upper triangle in Fortran order: no copy is made.
        self._matrix = np.zeros((size, size))
        arrays = (hessian.indptr, hessian.indices, hessian.data)
        run_ranges(kernels.fill_dense, self.n, *arrays, scale / self.n, self._matrix, serial_below=200)
        upper, info = lapack.dpotrf(self._matrix.T, lower=0, clean=0, overwrite_a=1)
        if info != 0 or upper.diagonal().min() ** 2 < PIVOT_FLOOR * scale:
            del upper, self._matrix
            raise not_a_minimum(hessian, dimension)
        # The d translations, which the shift has lifted to c, are taken off.
        self._log_determinant = 2.0 * float(np.log(upper.diagonal()).sum()) - dimension * float(np.log(scale))
        self._inverted = False

    @property
    def log_determinant(self) -> float:
        """See `HessianFactor.log_determinant`."""
        return self._log_determinant

    def solve(self, rhs: np.ndarray) -> np.ndarray:
        """See `HessianFactor.solve`."""
        force = np.asfortranarray(remove_translations(np.asarray(rhs, dtype=np.float64), self.dimension))
        columns = force.reshape(force.shape[0], -1, order="F")
        if self._inverted:
            x = blas.dsymm(1.0, self._matrix.T, columns)
        else:
            x, _ = lapack.dpotrs(self._matrix.T, columns, lower=0)
        return remove_translations(x, self.dimension).reshape(rhs.shape)

    def dipole_products(self, i: np.ndarray, j: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `HessianFactor.dipole_products`; few pairs are solved for, many read off the inverse."""
        if not self._inverted and i.size < self.hessian.shape[0] // 3:
            return super().dipole_products(i, j, unit)
        self._invert()
        # Neighbours in memory as in space: rows of the inverse then stay in cache from one pair to the next.
        pattern = sp.csr_array((np.ones(self.hessian.indices.size), self.hessian.indices, self.hessian.indptr))
        rank = np.empty(self.n, dtype=np.int64)
        rank[reverse_cuthill_mckee(pattern, symmetric_mode=True)] = np.arange(self.n)
        order = np.lexsort((np.maximum(rank[i], rank[j]), np.minimum(rank[i], rank[j])))
        first, second = np.empty(i.size), np.empty(i.size)
        run_ranges(kernels.dense_products, i.size, order, i, j, unit, self._matrix, first, second)
        return first, second

    def _invert(self) -> None:
        if not self._inverted:
            lapack.dpotri(self._matrix.T, lower=0, overwrite_c=1)
            run_ranges(kernels.mirror, self._matrix.shape[0], self._matrix, serial_below=500)
            self._inverted = True
