"""Sums over particles for many pairs of frames."""

from __future__ import annotations

import numpy as np

import pelplug

__all__ = ["against_neighbours", "histogram", "lasting_bonds", "moments", "scattering", "squares"]

# Sums may be reordered, so that they become vector instructions; NaN and infinity keep their meaning.
_FAST = {"reassoc", "contract", "nsz", "arcp"}


@pelplug.kernel(fastmath=_FAST)
def moments(positions, first, second, overlap_squared, out):
    """Add the sums of dr**2, dr**4 and [dr**2 < overlap_squared] over the particles to `out`.

    Parameters
    ----------
    positions : ndarray, shape (F, d, n)
        Unwrapped [length].
    first, second : ndarray of int, shape (P,)
        Frames.
    overlap_squared : float
        [length**2].
    out : ndarray, shape (P, 3)
        Written to.
    """
    d, n = positions.shape[1], positions.shape[2]
    squared = np.empty(n)
    for p in range(first.size):
        a, b = positions[first[p]], positions[second[p]]
        s2, s4, near = 0.0, 0.0, 0.0
        if d == 3:
            for i in range(n):
                x, y, z = b[0, i] - a[0, i], b[1, i] - a[1, i], b[2, i] - a[2, i]
                r2 = x * x + y * y + z * z
                s2 += r2
                s4 += r2 * r2
                near += 1.0 if r2 < overlap_squared else 0.0
        else:
            squared[:] = 0.0
            for k in range(d):
                for i in range(n):
                    x = b[k, i] - a[k, i]
                    squared[i] += x * x
            for i in range(n):
                r2 = squared[i]
                s2 += r2
                s4 += r2 * r2
                near += 1.0 if r2 < overlap_squared else 0.0
        out[p, 0] += s2
        out[p, 1] += s4
        out[p, 2] += near


@pelplug.kernel(fastmath=_FAST)
def squares(coordinates, first, second, out):
    """Add the sums of dr**2 over the particles to `out`.

    Parameters
    ----------
    coordinates : ndarray, shape (F, d * n)
        Unwrapped [length].
    first, second : ndarray of int, shape (P,)
        Frames.
    out : ndarray, shape (P,)
        Written to.
    """
    for p in range(first.size):
        a, b = coordinates[first[p]], coordinates[second[p]]
        total = 0.0
        for i in range(a.size):
            x = b[i] - a[i]
            total += x * x
        out[p] += total


@pelplug.kernel(fastmath=_FAST)
def scattering(phases, first, second, out):
    """Add the sums of cos(q dx) over particles and axes to `out`, from cos(b - a) = cos b cos a + sin b sin a.

    Parameters
    ----------
    phases : ndarray, shape (F, M)
        cos(q x) and then sin(q x) of every particle and axis.
    first, second : ndarray of int, shape (P,)
        Frames.
    out : ndarray, shape (P,)
        Written to.
    """
    for p in range(first.size):
        a, b = phases[first[p]], phases[second[p]]
        total = 0.0
        for i in range(a.size):
            total += a[i] * b[i]
        out[p] += total


@pelplug.kernel
def histogram(positions, first, second, r_max, counts):
    """Count displacements by length in equal bins up to `r_max`; longer ones are not counted.

    Parameters
    ----------
    positions : ndarray, shape (F, d, n)
        Unwrapped [length].
    first, second : ndarray of int, shape (P,)
        Frames.
    r_max : float
        [length].
    counts : ndarray of int, shape (B,)
        Written to.
    """
    d, n = positions.shape[1], positions.shape[2]
    scale = counts.size / r_max
    for p in range(first.size):
        a, b = positions[first[p]], positions[second[p]]
        for i in range(n):
            r2 = 0.0
            for k in range(d):
                x = b[k, i] - a[k, i]
                r2 += x * x
            where = np.sqrt(r2) * scale
            if where < counts.size:
                counts[int(where)] += 1


@pelplug.kernel
def against_neighbours(moved, first, other, out):
    """Take off each displacement the mean of those of the particle's neighbours; 0 where it has none.

    Parameters
    ----------
    moved : ndarray, shape (d, n)
        Displacements [length].
    first : ndarray of int, shape (n + 1,)
        Where the neighbours of each begin among `other`.
    other : ndarray of int, shape (M,)
        Neighbours.
    out : ndarray, shape (d, n)
        Written to [length].
    """
    for i in range(moved.shape[1]):
        begin, end = first[i], first[i + 1]
        for k in range(moved.shape[0]):
            total = 0.0
            for m in range(begin, end):
                total += moved[k, other[m]]
            out[k, i] = moved[k, i] - total / (end - begin) if end > begin else 0.0


@pelplug.kernel
def lasting_bonds(moved, i, j, vectors, limits, out):
    """Add to each of two bonded particles 1 if they are not too far apart after their displacements.

    Parameters
    ----------
    moved : ndarray, shape (d, n)
        Displacements [length].
    i, j : ndarray of int, shape (B,)
        Bonded particles.
    vectors : ndarray, shape (B, d)
        From i to j before [length].
    limits : ndarray, shape (B,)
        Square of the distance up to which a bond lasts [length**2].
    out : ndarray, shape (n,)
        Written to.
    """
    for m in range(i.size):
        r2 = 0.0
        for k in range(moved.shape[0]):
            x = vectors[m, k] + moved[k, j[m]] - moved[k, i[m]]
            r2 += x * x
        if r2 <= limits[m]:
            out[i[m]] += 1.0
            out[j[m]] += 1.0
