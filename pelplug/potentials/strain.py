"""Derivatives of a pair energy with respect to simple shear."""

from __future__ import annotations

import itertools

import numpy as np

from pelplug.potentials.base import Pairs, StrainDerivatives

__all__ = ["pair_strain_derivatives"]


def pair_strain_derivatives(pairs: Pairs, n: int, d: int) -> StrainDerivatives:
    """Differentiate the sum of U(r) over ``pairs`` under x -> (I + g e_a e_b) x.

    A pair vector r becomes r + g r_b e_a, so with U' and U'' of the pair and the unit vector u::

        dU/dF_ab  = sum U' u_a r_b
        d2U/dg2   = sum U'' (u_a r_b)**2 + (U'/r) (r_b**2 - (u_a r_b)**2)
        d2U/dgdx_j = sum (U'' - U'/r) u (u_a r_b) + (U'/r) r_b e_a        (minus that for x_i)

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
    second = np.empty(len(planes))
    mixed = np.zeros((len(planes), n * d))
    for k, (a, b) in enumerate(planes):
        height = pairs.vectors[:, b]
        stretch = unit[:, a] * height
        second[k] = np.sum(pairs.second * stretch**2 + across * (height**2 - stretch**2))
        pull = ((pairs.second - across) * stretch)[:, None] * unit
        pull[:, a] += across * height
        for c in range(d):
            mixed[k, c::d] = np.bincount(pairs.j, pull[:, c], n) - np.bincount(pairs.i, pull[:, c], n)
    return StrainDerivatives(planes, first, second, mixed)
