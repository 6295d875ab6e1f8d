"""Kernels of swap Monte Carlo: local energies over a cell list that follows every move."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math

import numpy as np
from numba.extending import register_jitable

from pelplug.potentials.compilation import Family
from pelplug.potentials.kernels import pair_kernels

# As in the force kernels: sums may be reordered, NaN and infinity keep their meaning.
_FASTMATH = {"reassoc", "contract", "arcp", "nsz"}
__all__ = ["Grid", "SwapKernels", "swap_kernels"]


@dataclasses.dataclass
class Grid:
    """Particles sorted into the cells of an orthorhombic box.

    A cell holds what its particles are asked for side by side: ``slots[cell, :d]`` the positions, ``slots[cell, d]``
    the diameter (or the number of the species), ``ids[cell]`` which particle it is. Moving a particle to another
    cell costs a constant time: the last of its old cell takes its place.

    Attributes
    ----------
    edges : ndarray, shape (d,)
        Edges of the box [length].
    shape : ndarray of int, shape (d,)
        Number of cells along each edge.
    near : ndarray of int, shape (cells, n_near)
        The cells that may hold interacting particles, the cell itself included, each once.
    slots, ids, count : ndarray
        Shapes (cells, d + 1, capacity), (cells, capacity), (cells,).
    where : ndarray of int, shape (N, 2)
        Cell and slot of each particle.
    """

    edges: np.ndarray
    shape: np.ndarray
    near: np.ndarray
    slots: np.ndarray
    ids: np.ndarray
    count: np.ndarray
    where: np.ndarray

    @classmethod
    def build(cls, positions: np.ndarray, payload: np.ndarray, edges: np.ndarray, reach: float) -> Grid:
        """Sort particles at ``positions`` (inside the box) into cells half as wide as ``reach``, or somewhat wider."""
        n, d = positions.shape
        shape = np.maximum(1, np.floor(2.0 * edges / reach).astype(np.int64))
        while np.prod(shape) > 8 * n + 64:  # a dilute box would have many more cells than particles
            shape = np.maximum(1, shape // 2)
        # ``place`` multiplies in the same way, so that a particle on a face lands in one cell for both.
        inside = np.minimum((positions * (shape / edges)).astype(np.int64), shape - 1)
        cell = np.ravel_multi_index(tuple(inside.T), tuple(shape))
        count = np.bincount(cell, minlength=int(np.prod(shape)))
        order = np.argsort(cell, kind="stable")
        slot = np.empty(n, dtype=np.int64)
        slot[order] = np.arange(n) - np.repeat(np.cumsum(count) - count, count)
        capacity = 8 * (int(count.max()) // 8 + 1)
        slots = np.zeros((len(count), d + 1, capacity))
        ids = np.full((len(count), capacity), -1, dtype=np.int32)
        slots[cell, :d, slot] = positions
        slots[cell, d, slot] = payload
        ids[cell, slot] = np.arange(n)
        where = np.column_stack((cell, slot)).astype(np.int32)
        return cls(edges, shape, _near(shape, edges, reach), slots, ids, count.astype(np.int32), where)

    def grow(self) -> None:
        """Double the room in every cell."""
        cells, width, capacity = self.slots.shape
        self.slots = np.concatenate((self.slots, np.zeros((cells, width, capacity))), axis=2)
        self.ids = np.concatenate((self.ids, np.full((cells, capacity), -1, dtype=np.int32)), axis=1)

    def positions(self) -> np.ndarray:
        """Positions of the particles, shape (N, d) [length]."""
        cell, slot = self.where.T
        return np.ascontiguousarray(self.slots[cell, : len(self.edges), slot])

    def arrays(self) -> tuple:
        """Return what the kernels take."""
        return self.edges, self.shape, self.near, self.slots, self.ids, self.count, self.where


def _near(shape: np.ndarray, edges: np.ndarray, reach: float) -> np.ndarray:
    """For each cell the cells within reach, each once even where the box is only one or two cells wide."""
    width = edges / shape
    steps = np.floor(reach / width).astype(np.int64) + 1
    offsets = set()
    for offset in itertools.product(*(range(-step, step + 1) for step in steps)):
        gap = np.maximum(np.abs(offset) - 1, 0) * width
        if np.sum(gap * gap) < reach * reach:
            offsets.add(tuple(np.mod(offset, shape)))
    cells = np.stack(np.unravel_index(np.arange(np.prod(shape)), tuple(shape)), axis=1)
    neighbours = (cells[:, None, :] + np.array(sorted(offsets))[None, :, :]) % shape
    return np.ravel_multi_index(tuple(np.moveaxis(neighbours, -1, 0)), tuple(shape)).astype(np.int32)


@dataclasses.dataclass(frozen=True)
class SwapKernels:
    """``run`` makes moves until their number is reached or a cell is full; ``relocate`` finishes such a move."""

    run: object
    relocate: object


@functools.cache
def swap_kernels(form, truncation: str, d: int, mixing) -> SwapKernels:
    """Compile the kernels for one functional form in two or three dimensions; see `pair_kernels`."""
    terms = pair_kernels(form, truncation, d, mixing).terms
    per_particle = mixing is not None
    mix = register_jitable(mixing) if per_particle else _no_mixing
    family = Family(form, mixing, constants=(truncation, d, "swap"))

    @family.inline
    def pair_range(mine, other, tables):
        # Of two particles, given by diameters or species: sigma (from a table: 1 / sigma) and the squared cutoff.
        inverse_sigma, _, _, cutoff_squared = tables
        if per_particle:
            sigma = mix(mine, other)
            return sigma, cutoff_squared[0, 0] * sigma * sigma
        return inverse_sigma[int(mine), int(other)], cutoff_squared[int(mine), int(other)]

    @family.inline
    def energy(square, scale, mine, other, tables):
        # ``scale`` is sigma, or 1 / sigma from a table.
        _, parameters, tail, _ = tables
        if per_particle:
            return terms(math.sqrt(square) / scale, parameters[0, 0], tail[0, 0])[0]
        a, b = int(mine), int(other)
        return terms(math.sqrt(square) * scale, parameters[a, b], tail[a, b])[0]

    @family.inline
    def square_distance(x, y, z, slots, cell, k, edges):
        # To the nearest image; all positions are inside the box.
        dx = abs(slots[cell, 0, k] - x)
        dx = min(dx, edges[0] - dx)
        dy = abs(slots[cell, 1, k] - y)
        dy = min(dy, edges[1] - dy)
        square = dx * dx + dy * dy
        if d == 3:
            dz = abs(slots[cell, 2, k] - z)
            dz = min(dz, edges[2] - dz)
            square += dz * dz
        return square

    @family.inline
    def move_difference(i, kind, home, x, y, z, target, new_x, new_y, new_z, edges, near, slots, ids, count, tables):
        change = 0.0
        if target == home:  # most moves: one walk for the old and the new place
            for m in range(near.shape[1]):
                cell = near[home, m]
                for k in range(count[cell]):
                    old = square_distance(x, y, z, slots, cell, k, edges)
                    new = square_distance(new_x, new_y, new_z, slots, cell, k, edges)
                    other = slots[cell, d, k]
                    scale, limit = pair_range(kind, other, tables)
                    if min(old, new) < limit and ids[cell, k] != i:
                        if new < limit:
                            change += energy(new, scale, kind, other, tables)
                        if old < limit:
                            change -= energy(old, scale, kind, other, tables)
            return change
        for m in range(near.shape[1]):
            cell = near[home, m]
            for k in range(count[cell]):
                old = square_distance(x, y, z, slots, cell, k, edges)
                other = slots[cell, d, k]
                scale, limit = pair_range(kind, other, tables)
                if old < limit and ids[cell, k] != i:
                    change -= energy(old, scale, kind, other, tables)
            cell = near[target, m]
            for k in range(count[cell]):
                new = square_distance(new_x, new_y, new_z, slots, cell, k, edges)
                other = slots[cell, d, k]
                scale, limit = pair_range(kind, other, tables)
                if new < limit and ids[cell, k] != i:
                    change += energy(new, scale, kind, other, tables)
        return change

    @family.inline
    def kind_difference(i, j, kind, new_kind, home, slot, edges, near, slots, ids, count, tables):
        # Of a particle that becomes another; its pair with the other one stays what it is and is left out.
        x = slots[home, 0, slot]
        y = slots[home, 1, slot]
        z = slots[home, 2, slot] if d == 3 else 0.0
        change = 0.0
        for m in range(near.shape[1]):
            cell = near[home, m]
            for k in range(count[cell]):
                square = square_distance(x, y, z, slots, cell, k, edges)
                other = slots[cell, d, k]
                scale, limit = pair_range(kind, other, tables)
                new_scale, new_limit = pair_range(new_kind, other, tables)
                if square < max(limit, new_limit) and ids[cell, k] != i and ids[cell, k] != j:
                    if square < new_limit:
                        change += energy(square, new_scale, new_kind, other, tables)
                    if square < limit:
                        change -= energy(square, scale, kind, other, tables)
        return change

    @family.inline
    def accepted(change, beta, rng):
        # False for NaN: two particles at one point.
        return change <= 0.0 or rng.random() < math.exp(-beta * change)

    @family.inline
    def displaced(x, edge, delta, rng):
        x += delta * (2.0 * rng.random() - 1.0)
        x -= edge * math.floor(x / edge)
        return x if x < edge else 0.0  # rounding may give the edge itself

    @family.inline
    def place(x, y, z, edges, shape):
        cell = min(int(x * (shape[0] / edges[0])), shape[0] - 1)
        cell = cell * shape[1] + min(int(y * (shape[1] / edges[1])), shape[1] - 1)
        if d == 3:
            cell = cell * shape[2] + min(int(z * (shape[2] / edges[2])), shape[2] - 1)
        return cell

    @family.inline
    def put(i, kind, home, slot, target, x, y, z, slots, ids, count, where):
        if target != home:
            last = count[home] - 1
            if slot != last:
                for a in range(d + 1):
                    slots[home, a, slot] = slots[home, a, last]
                ids[home, slot] = ids[home, last]
                where[ids[home, slot], 1] = slot
            count[home] = last
            slot = count[target]
            count[target] = slot + 1
            ids[target, slot] = i
            slots[target, d, slot] = kind
            where[i, 0] = target
            where[i, 1] = slot
        slots[target, 0, slot] = x
        slots[target, 1, slot] = y
        if d == 3:
            slots[target, 2, slot] = z

    @family.kernel(fastmath=_FASTMATH, error_model="numpy")
    def run(begin, end, series, rng, beta, delta, p_swap, swap_range, edges, shape, near, slots, ids, count, where,
            payload, inverse_sigma, parameters, tail, cutoff_squared, counters, sums, pending):  # fmt: skip
        # Moves begin..end; the energy after every n-th goes into ``series``. counters: moves tried and accepted, swaps
        # tried and accepted. sums: running energy, largest |energy| seen. Returns where it stopped: before the end
        # where ``pending`` holds an accepted move into a full cell.
        n = payload.shape[0]
        tables = (inverse_sigma, parameters, tail, cutoff_squared)
        for move in range(begin, end):
            full = False
            if rng.random() < p_swap:
                while True:  # uniform over the pairs that may swap; their number never changes
                    i = int(rng.random() * n)
                    j = int(rng.random() * n)
                    if payload[i] != payload[j] and abs(payload[i] - payload[j]) < swap_range:
                        break
                ci, ki = where[i, 0], where[i, 1]
                cj, kj = where[j, 0], where[j, 1]
                change = kind_difference(i, j, payload[i], payload[j], ci, ki, edges, near, slots, ids, count,
                                         tables)  # fmt: skip
                change += kind_difference(j, i, payload[j], payload[i], cj, kj, edges, near, slots, ids, count,
                                          tables)  # fmt: skip
                counters[2] += 1
                if accepted(change, beta, rng):
                    counters[3] += 1
                    sums[0] += change
                    slots[ci, d, ki] = payload[j]
                    slots[cj, d, kj] = payload[i]
                    ids[ci, ki] = j
                    ids[cj, kj] = i
                    where[i, 0], where[i, 1] = cj, kj
                    where[j, 0], where[j, 1] = ci, ki
            else:
                i = int(rng.random() * n)
                home, slot = where[i, 0], where[i, 1]
                x = slots[home, 0, slot]
                y = slots[home, 1, slot]
                z = slots[home, 2, slot] if d == 3 else 0.0
                new_x = displaced(x, edges[0], delta, rng)
                new_y = displaced(y, edges[1], delta, rng)
                new_z = displaced(z, edges[2], delta, rng) if d == 3 else 0.0
                target = place(new_x, new_y, new_z, edges, shape)
                change = move_difference(i, payload[i], home, x, y, z, target, new_x, new_y, new_z, edges, near,
                                         slots, ids, count, tables)  # fmt: skip
                counters[0] += 1
                if accepted(change, beta, rng):
                    counters[1] += 1
                    sums[0] += change
                    full = target != home and count[target] == slots.shape[2]
                    if full:
                        pending[0] = i
                        pending[1] = new_x
                        pending[2] = new_y
                        pending[3] = new_z
                    else:
                        put(i, payload[i], home, slot, target, new_x, new_y, new_z, slots, ids, count, where)
            sums[1] = max(sums[1], abs(sums[0]))
            if (move + 1) % n == 0:
                series[move // n] = sums[0]
            if full:
                return move + 1
        return end

    @family.kernel(fastmath=_FASTMATH, error_model="numpy")
    def relocate(edges, shape, near, slots, ids, count, where, payload, pending):
        i = int(pending[0])
        x, y, z = pending[1], pending[2], pending[3]
        target = place(x, y, z, edges, shape)
        put(i, payload[i], where[i, 0], where[i, 1], target, x, y, z, slots, ids, count, where)

    return SwapKernels(run, relocate)


@register_jitable
def _no_mixing(d_i, d_j):
    return 1.0
