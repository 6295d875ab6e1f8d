"""Elastic constants stated again in plain numpy: Green-Lagrange strain, all images by hand, dense matrices."""

from __future__ import annotations

import itertools

import numpy as np


def every_pair(positions: np.ndarray, cell: np.ndarray, reach: float, images: int = 1):
    """i, j and r_j - r_i of all pairs nearer than ``reach``, each once, through any of the neighbouring cells."""
    d = positions.shape[1]
    found = []
    for shift in itertools.product(range(-images, images + 1), repeat=d):
        vectors = positions[None, :] - positions[:, None] + np.array(shift) @ cell
        i, j = np.nonzero(np.linalg.norm(vectors, axis=2) < reach)
        once = (i < j) | ((i == j) & (np.array([shift > (0,) * d] * len(i), dtype=bool)))
        found.append((i[once], j[once], vectors[i[once], j[once]]))
    return tuple(np.concatenate(part) for part in zip(*found, strict=True))


def dense_elasticity(i, j, vectors, first, second, n: int, volume: float):
    """C_abcd by Green-Lagrange strain with its relaxation, and the stress; ``first`` and ``second`` are U' and U''.

    With q = r^2 and U = V(q), the strain E changes q by 2 r.E.r, so dU/dE_ab = 2 V' r_a r_b and so on.
    """
    d = vectors.shape[1]
    r = np.linalg.norm(vectors, axis=1)
    v1, v2 = first / (2 * r), (second - first / r) / (4 * r**2)
    one = np.eye(d)
    hessian, mixed = np.zeros((n * d, n * d)), np.zeros((d, d, n, d))
    for p, (a, b) in enumerate(zip(i, j, strict=True)):
        x = vectors[p]
        block = 4 * v2[p] * np.outer(x, x) + 2 * v1[p] * one
        at = [slice(k * d, (k + 1) * d) for k in (a, b)]
        for s, t in itertools.product((0, 1), repeat=2):
            hessian[at[s], at[t]] += block if s == t else -block
        pull = 4 * v2[p] * np.einsum("a,b,c->abc", x, x, x)
        pull += 2 * v1[p] * (np.einsum("ac,b->abc", one, x) + np.einsum("bc,a->abc", one, x))
        mixed[:, :, b] += pull
        mixed[:, :, a] -= pull
    born = 4 * np.einsum("p,pa,pb,pc,pd->abcd", v2, vectors, vectors, vectors, vectors, optimize=True)
    values, modes = np.linalg.eigh(hessian)
    stiff = values > 1e-9 * values.max()
    along = mixed.reshape(d, d, n * d) @ modes[:, stiff]
    relaxed = born - np.einsum("abm,m,cdm->abcd", along, 1 / values[stiff], along)
    stress = 2 * np.einsum("p,pa,pb->ab", v1, vectors, vectors)
    return relaxed / volume, stress / volume, int(np.count_nonzero(~stiff))
