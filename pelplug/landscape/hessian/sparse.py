"""Sparse factorisation of a Hessian, with the entries of M^-1 and M^-2 on M's own pattern.

Multifrontal block elimination along a nested dissection. One particle is grounded (its d rows and columns are
left out), so that the rest, M_g, is positive definite at a minimum. With a front F = [F11, F21^T; F21, F22],

    X = F11^-1,   G = F21 X,   S = F22 - G F21^T   (added into the parent's front),

and from the root down the selected inverse Z = M_g^-1,

    Z21 = -Z22 G,   Z11 = X - G^T Z21.

M_g^-2 = -d/ds (M_g + s)^-1 at s = 0: every step above is differentiated along M_g + s, exactly, with no finite
difference (a prime marks d/ds; F11' starts as the identity),

    S'   = F22' - W G^T - G W^T,  W = F21' - G F11' / 2,
    G'   = (F21' - G F11') X,     X' = -X F11' X,
    Z21' = -Z22' G - Z22 G',      Z11' = X' - G'^T Z21 - G^T Z21'.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import scipy.sparse as sp
from scipy.linalg import blas, lapack

from pelplug.execution.threads import run_ranges
from pelplug.landscape.hessian import kernels
from pelplug.landscape.hessian.dissection import EliminationTree
from pelplug.landscape.hessian.factor import PIVOT_FLOOR, HessianFactor, not_a_minimum, remove_translations

__all__ = ["SparseFactor", "grounded_particle"]


def grounded_particle(hessian: sp.bsr_matrix) -> int:
    """Return the particle held most stiffly by its neighbours: grounding it spoils the condition least."""
    d = hessian.blocksize[0]
    return int(np.argmax(hessian.diagonal().reshape(-1, d).sum(axis=1)))


@dataclasses.dataclass
class _Block:
    """What a front leaves behind: X, G and, for M^-2, their derivatives (C order; G has shape (m, k))."""

    inverse: np.ndarray
    coupling: np.ndarray
    inverse_prime: np.ndarray | None = None
    coupling_prime: np.ndarray | None = None


class SparseFactor(HessianFactor):
    """Multifrontal factorisation of a grounded Hessian.

    Parameters
    ----------
    hessian : bsr_matrix, shape (N * d, N * d)
        The Hessian, in blocks of (d, d) [energy / length**2].
    dimension : int
        d.
    tree : EliminationTree
        From `dissect`, with one particle grounded.
    tangent : bool
        Keep what `dipole_products` needs for every pair; without it, pairs cost one solve each.

    Raises
    ------
    NotAMinimumError
        If a pivot is negative or zero.
    """

    solver = "sparse"

    def __init__(self, hessian: sp.bsr_matrix, dimension: int, tree: EliminationTree, tangent: bool = True):
        super().__init__(hessian, dimension)
        self.tree = tree
        self.tangent = tangent
        self._floor = PIVOT_FLOOR * float(np.mean(hessian.diagonal()))
        self._local = np.full(self.n, -1)
        self._blocks: list[_Block] = []
        # A minor without one particle is that of the whole off its translations over N**d (matrix-tree theorem).
        self._log_determinant = dimension * float(np.log(self.n))
        updates: dict[int, tuple] = {}
        for index, front in enumerate(tree.fronts):
            block, updates[index] = self._eliminate(front, [(tree.fronts[c], updates.pop(c)) for c in front.children])
            self._blocks.append(block)

    @property
    def log_determinant(self) -> float:
        """See `HessianFactor.log_determinant`."""
        return self._log_determinant

    def _eliminate(self, front, children):
        d = self.dimension
        k, m = front.own.size * d, front.boundary.size * d
        local = self._local
        local[front.own] = np.arange(front.own.size)
        local[front.boundary] = np.arange(front.own.size, front.own.size + front.boundary.size)

        f11, f21, f22 = np.zeros((k, k)), np.zeros((m, k)), np.zeros((m, m))
        kernels.scatter_own(self.hessian.indptr, self.hessian.indices, self.hessian.data, front.own, local, f11, f21)
        prime = (np.eye(k), np.zeros((m, k)), np.zeros((m, m))) if self.tangent else None
        for child, update in children:
            rows = local[child.boundary]
            run_ranges(kernels.extend_add, rows.size, rows, d, update[0], f11, f21, f22, serial_below=200)
            if prime:
                run_ranges(kernels.extend_add, rows.size, rows, d, update[1], *prime, serial_below=200)
        local[front.own] = -1
        local[front.boundary] = -1

        # SciPy's BLAS works on Fortran order: the transpose of a C-ordered array, its lower triangle the upper one.
        # NumPy's matmul is avoided on purpose: it has another pool of threads, and the two pools would compete.
        upper, info = lapack.dpotrf(f11.T, lower=0, clean=0, overwrite_a=1)
        if info != 0 or upper.diagonal().min() ** 2 < self._floor:
            raise not_a_minimum(self.hessian, d)
        self._log_determinant += 2.0 * float(np.log(upper.diagonal()).sum())
        half = blas.dtrsm(1.0, upper, f21.T, side=0, lower=0, trans_a=1, overwrite_b=1) if m else f21.T
        if m:
            f22 = blas.dsyrk(-1.0, half, beta=1.0, c=f22.T, trans=1, lower=0, overwrite_c=1).T
            coupling = blas.dtrsm(1.0, upper, half, side=0, lower=0, trans_a=0, overwrite_b=1).T
        else:
            coupling = f21
        inverse, _ = lapack.dpotri(upper, lower=0, overwrite_c=1)
        inverse = inverse.T
        run_ranges(kernels.mirror, k, inverse, serial_below=500)
        block = _Block(inverse, coupling)
        if not prime:
            return block, (f22,)

        p11, p21, p22 = prime
        run_ranges(kernels.mirror, k, p11, serial_below=500)
        # G p11 lands in `moved`; everything is written for the transposed (Fortran) views.
        if m:
            moved = blas.dgemm(1.0, p11.T, coupling.T).T
            p21 -= 0.5 * moved
            p22 = blas.dsyr2k(-1.0, p21.T, coupling.T, beta=1.0, c=p22.T, trans=1, lower=0, overwrite_c=1).T
            p21 -= 0.5 * moved
            block.coupling_prime = blas.dgemm(1.0, inverse.T, p21.T, c=moved.T, overwrite_c=1).T
        else:
            block.coupling_prime = p21
        block.inverse_prime = _symmetric_product(-1.0, inverse, blas.dgemm(1.0, inverse.T, p11.T).T)
        return block, (f22, p22)

    def solve(self, rhs: np.ndarray) -> np.ndarray:
        """See `HessianFactor.solve`."""
        d = self.dimension
        shape = rhs.shape
        x = np.ascontiguousarray(remove_translations(np.asarray(rhs, dtype=np.float64), d).reshape(self.n, d, -1))
        for front, block in zip(self.tree.fronts, self._blocks, strict=True):
            if front.boundary.size:
                own = x[front.own].reshape(front.own.size * d, -1)
                x[front.boundary] -= _multiply(block.coupling, own).reshape(front.boundary.size, d, -1)
        x[np.flatnonzero(self.tree.position < 0)] = 0.0
        for front, block in zip(reversed(self.tree.fronts), reversed(self._blocks), strict=True):
            own = _multiply(block.inverse, x[front.own].reshape(front.own.size * d, -1))
            if front.boundary.size:
                own -= _multiply(block.coupling.T, x[front.boundary].reshape(front.boundary.size * d, -1))
            x[front.own] = own.reshape(front.own.size, d, -1)
        return remove_translations(x.reshape(self.n * d, -1), d).reshape(shape)

    def dipole_products(self, i: np.ndarray, j: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `HessianFactor.dipole_products`; every pair must be coupled in the Hessian."""
        if not self.tangent:
            return super().dipole_products(i, j, unit)
        d, tree = self.dimension, self.tree
        # w_a = M_g^-1 T_a, T_a the unit translation along a: what has to be taken off |M_g^-1 d|^2.
        translations = self._grounded_translations()
        first, second = np.zeros(i.size), np.zeros(i.size)
        earlier = np.where(tree.position[i] < tree.position[j], i, j)
        later = np.where(tree.position[i] < tree.position[j], j, i)
        home = np.where(tree.position[earlier] < 0, -1, tree.front_of[earlier])
        order = np.argsort(home, kind="stable")
        bounds = np.searchsorted(home[order], np.arange(len(tree.fronts) + 1))
        diagonal, diagonal_prime = np.zeros((self.n, d, d)), np.zeros((self.n, d, d))
        for index, z11, z21, y11, y21 in self._selected_inverse():
            front = tree.fronts[index]
            members = np.concatenate([front.own, front.boundary])
            self._local[members] = np.arange(members.size)
            mine = order[bounds[index] : bounds[index + 1]]
            for z_own, z_far, out, diagonals in ((z11, z21, first, diagonal), (y11, y21, second, diagonal_prime)):
                kernels.pair_elements(mine, earlier, later, unit, self._local, z_own, z_far, out)
                kernels.diagonal_blocks(front.own, z_own, diagonals)
            self._local[members] = -1
        for out, diagonals in ((first, diagonal), (second, diagonal_prime)):
            ends = diagonals[i] + diagonals[j]
            out *= -1.0
            out += 0.5 * np.einsum("pa,pab,pb->p", unit, ends, unit)
        drift = np.einsum("pa,pab->pb", unit, translations[j] - translations[i])
        second = -second - 0.5 * np.sum(drift**2, axis=1)
        return first, second

    def _grounded_translations(self) -> np.ndarray:
        """Return M_g^-1 T_a for each axis a, shape (N, d, d), zero at the grounded particle."""
        d = self.dimension
        ground = int(np.flatnonzero(self.tree.position < 0)[0])
        # A translation less its own mean at the grounded particle: solve() wants a force of zero sum.
        force = np.tile(np.eye(d), (self.n, 1)) / np.sqrt(self.n)
        force[ground * d : (ground + 1) * d] -= np.sqrt(self.n) * np.eye(d)
        shifted = self.solve(force).reshape(self.n, d, d)
        return shifted - shifted[ground]

    def _selected_inverse(self):
        """Yield (index, Z11, Z21, Z11', Z21') of every front, the root first."""
        d = self.dimension
        # Beside each front, its parent with the pieces (Z11, Z21, lower triangle of Z22) of Z and of Z'.
        stack = [(len(self.tree.fronts) - 1, None, None, None)]
        while stack:
            index, parent, pieces, pieces_prime = stack.pop()
            front, block = self.tree.fronts[index], self._blocks[index]
            m = front.boundary.size * d
            z22, y22 = np.empty((m, m)), np.empty((m, m))
            if m:
                members = np.concatenate([parent.own, parent.boundary])
                self._local[members] = np.arange(members.size)
                rows = self._local[front.boundary]
                self._local[members] = -1
                for source, target in ((pieces, z22), (pieces_prime, y22)):
                    run_ranges(kernels.gather, rows.size, rows, d, *source, target, serial_below=200)
                # Transposed throughout: (Z22 G)^T = G^T Z22, with Z22 symmetric.
                z21 = blas.dsymm(-1.0, z22.T, block.coupling.T, side=1)
                y21 = blas.dsymm(-1.0, y22.T, block.coupling.T, side=1)
                y21 = blas.dsymm(-1.0, z22.T, block.coupling_prime.T, side=1, beta=1.0, c=y21, overwrite_c=1)
                z21, y21 = z21.T, y21.T
                z11 = _symmetric_product(-1.0, block.coupling.T, z21, block.inverse)
                y11 = _symmetric_product(-1.0, block.coupling_prime.T, z21, block.inverse_prime)
                y11 = _symmetric_product(-1.0, block.coupling.T, y21, y11)
            else:
                z11, z21, y11, y21 = block.inverse, block.coupling, block.inverse_prime, block.coupling_prime
            yield index, z11, z21, y11, y21
            stack.extend((child, front, (z11, z21, z22), (y11, y21, y22)) for child in front.children)
            del pieces, pieces_prime, z22, y22


def _multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the product of two matrices by SciPy's BLAS, whatever the order of ``a``."""
    left, transposed = (a, 0) if a.flags.f_contiguous else (a.T, 1)
    return blas.dgemm(1.0, left, b, trans_a=transposed)


def _symmetric_product(alpha: float, a: np.ndarray, b: np.ndarray, c: np.ndarray | None = None) -> np.ndarray:
    """Return c + alpha a b for a product known to be symmetric, at little more than half the work."""
    size = a.shape[0]
    out = np.zeros((size, size)) if c is None else c.copy()
    step = max(256, -(-size // 6))
    for start in range(0, size, step):
        stop = min(start + step, size)
        out[start:, start:stop] += alpha * _multiply(np.asarray(a[start:]), np.asarray(b[:, start:stop]))
    run_ranges(kernels.mirror, size, out, serial_below=500)
    return out
