"""What every solver of the Hessian offers, whatever its method."""

from __future__ import annotations

import abc

import numpy as np
import scipy.sparse as sp

from pelplug.errors import InputError, NotAMinimumError

__all__ = ["BLOCK", "PIVOT_FLOOR", "HessianFactor", "not_a_minimum", "remove_translations", "unit_dipoles"]

# A pivot below this fraction of the mean diagonal element is a zero mode: rounding leaves about 1e-13.
PIVOT_FLOOR = 1e-10
# Right-hand sides solved together: enough for BLAS 3, few enough to stay small in memory.
BLOCK = 192


class HessianFactor(abc.ABC):
    """The inverse of a Hessian off its d translations, however it is represented.

    Attributes
    ----------
    solver : str
        ``"dense"``, ``"sparse"`` or ``"cg"``.
    hessian : bsr_matrix, shape (N * d, N * d)
        The Hessian M [energy / length**2].
    n, dimension : int
        N and d.
    """

    solver: str

    def __init__(self, hessian: sp.bsr_matrix, dimension: int):
        self.hessian = hessian
        self.dimension = dimension
        self.n = hessian.shape[0] // dimension

    @abc.abstractmethod
    def solve(self, rhs: np.ndarray) -> np.ndarray:
        """Return z, free of translations, with M z = rhs; the translations in ``rhs`` are removed first.

        Parameters
        ----------
        rhs : ndarray, shape (N * d,) or (N * d, K)
            Forces.

        Returns
        -------
        ndarray
            Displacements, of the same shape.
        """

    @property
    def log_determinant(self) -> float:
        """Logarithm of the product of the eigenvalues, the translations left out [ln(energy / length**2)].

        Raises
        ------
        InputError
            If this solver has no pivots.
        """
        raise InputError(
            f"The solver {self.solver} gives no determinant of the Hessian; choose auto, dense or sparse, and of "
            "pelplug.FromForces hessian='matrix'."
        )

    def dipole_products(self, i: np.ndarray, j: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return d.M^-1.d and d.M^-2.d of each pair's unit dipole, one solve a pair.

        Parameters
        ----------
        i, j : ndarray of int, shape (P,)
            Particle numbers, i != j.
        unit : ndarray, shape (P, d)
            Unit vectors from i to j.

        Returns
        -------
        first, second : ndarray, shape (P,)
            d.M^-1.d [length**2 / energy] and d.M^-2.d [length**4 / energy**2].
        """
        first, second = np.empty(i.size), np.empty(i.size)
        for start in range(0, i.size, BLOCK):
            part = slice(start, start + BLOCK)
            dipoles = unit_dipoles(i[part], j[part], unit[part], self.n)
            response = self.solve(dipoles)
            first[part] = np.einsum("xp,xp->p", dipoles, response)
            second[part] = np.einsum("xp,xp->p", response, response)
        return first, second


def unit_dipoles(i: np.ndarray, j: np.ndarray, unit: np.ndarray, n: int) -> np.ndarray:
    """Return the dipoles (1/sqrt 2) dr_ij/dx as columns, shape (N * d, P).

    References
    ----------
    Kapteijns et al., J. Chem. Phys. 155, 074502 (2021), Eq. A2.
    """
    p, d = unit.shape
    dipoles = np.zeros((n * d, p), order="F")
    pairs = np.arange(p)[:, None]
    axes = np.arange(d)
    dipoles[j[:, None] * d + axes, pairs] += unit / np.sqrt(2.0)
    dipoles[i[:, None] * d + axes, pairs] -= unit / np.sqrt(2.0)
    return dipoles


def remove_translations(vectors: np.ndarray, dimension: int) -> np.ndarray:
    """Return ``vectors``, shape (N * d, ...), less the mean over particles of each component."""
    shaped = vectors.reshape(vectors.shape[0] // dimension, dimension, *vectors.shape[1:])
    return (shaped - shaped.mean(axis=0)).reshape(vectors.shape)


def not_a_minimum(hessian: sp.bsr_matrix, dimension: int) -> NotAMinimumError:
    """Return the error that says this is no minimum, with the lowest eigenvalue where a short Lanczos run finds it."""
    from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, LinearOperator, eigsh

    size = hessian.shape[0]
    scale = float(np.mean(np.abs(hessian.diagonal()))) or 1.0

    def lifted(vector):
        # Translations moved from 0 to `scale`, out of the way of the eigenvalue asked for.
        vector = vector.reshape(-1)
        return hessian @ vector + scale * (vector - remove_translations(vector, dimension))

    value = None
    try:
        if size <= 20:
            value = float(np.linalg.eigvalsh([lifted(row) for row in np.eye(size)])[0])
        else:
            operator = LinearOperator((size, size), matvec=lifted, dtype=np.float64)
            start = np.random.default_rng(0).standard_normal(size)
            value = float(
                eigsh(operator, k=1, which="SA", tol=1e-4, maxiter=40, v0=start, return_eigenvectors=False)[0]
            )
    except ArpackNoConvergence as error:
        value = float(error.eigenvalues[0]) if len(error.eigenvalues) else None
    except ArpackError:
        pass
    if value is None or value > PIVOT_FLOOR * scale:
        kind = "a negative or zero eigenvalue besides the translations"
    elif value < -1e-9 * scale:
        kind = f"a negative eigenvalue, {value:.3g}"
    else:
        kind = f"a zero mode besides the translations (eigenvalue {value:.1g})"
    return NotAMinimumError(
        f"This state is not a minimum: its Hessian has {kind}; quench it to a smaller force tolerance or leave the "
        "frame out."
    )
