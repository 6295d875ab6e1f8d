"""Derivatives of a pair energy with respect to strain."""

from __future__ import annotations

import itertools

import numpy as np
import scipy.sparse

from pelplug.potentials.base import Pairs, StrainDerivatives

__all__ = ["pair_strain_derivatives"]


def pair_strain_derivatives(pairs: Pairs, n: int, d: int) -> StrainDerivatives:
    """Differentiate the sum of U(r) over ``pairs`` under x -> F x.

    A pair vector r becomes F r, so with U' and U'' of the pair and the unit vector u::

        dU/dF_ab        = sum U' u_a r_b
        d2U/dF_ab dF_cd = sum (U'' - U'/r) u_a r_b u_c r_d + (U'/r) delta_ac r_b r_d
        d2U/dF_ab dx_j  = sum (U'' - U'/r) u (u_a r_b) + (U'/r) r_b e_a        (minus that for x_i)

    Parameters
    ----------
    pairs : Pairs
        The interacting pairs.
    n, d : int
        Number of particles and dimension.

    References
    ----------
    Kapteijns et al., J. Chem. Phys. 155, 074502 (2021), Eq. A1.
    """
    planes = tuple(itertools.combinations(range(d), 2))
    unit = pairs.vectors / pairs.distances[:, None]
    across = pairs.first / pairs.distances
    first = np.einsum("p,pa,pb->ab", pairs.first, unit, pairs.vectors)
    stretch = np.einsum("pa,pb->pab", unit, pairs.vectors).reshape(-1, d * d)
    curvature = (stretch.T @ (stretch * (pairs.second - across)[:, None])).reshape(d, d, d, d)
    sidewise = np.einsum("p,pb,pd->bd", across, pairs.vectors, pairs.vectors)
    curvature += np.einsum("ac,bd->abcd", np.eye(d), sidewise)
    number = np.arange(len(pairs))
    ends = (np.concatenate([pairs.j, pairs.i]), np.concatenate([number, number]))
    difference = scipy.sparse.csr_array((np.repeat([1.0, -1.0], len(pairs)), ends), shape=(n, len(pairs)))

    def pull(a: int, b: int) -> np.ndarray:
        height = pairs.vectors[:, b]
        force = ((pairs.second - across) * unit[:, a] * height)[:, None] * unit
        force[:, a] += across * height
        return force

    mixed = np.array([(difference @ pull(a, b)).ravel() for a, b in planes]).reshape(len(planes), n * d)
    strains = itertools.combinations_with_replacement(range(d), 2)
    coupling = np.array([(difference @ (pull(a, b) + pull(b, a))).ravel() / 2 for a, b in strains])
    second = np.array([curvature[a, b, a, b] for a, b in planes])
    return StrainDerivatives(planes, first, second, mixed, curvature, coupling)
