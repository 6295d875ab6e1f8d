"""One event after the other: what is compiled.

Rates are the leaves of a tree in which each node has eight children, next to each other in memory, and is their sum:
a system is found, and its rate put in, by as many nodes as the lattice has powers of eight. A row of numbers, one or
two to a line of the processor's cache, has all else that is known of a system.
"""

from __future__ import annotations

import math

import numpy as np

import pelplug

__all__ = [
    "ACTIVE",
    "CHANGE",
    "ENERGY",
    "PASSIVE",
    "REJECTED",
    "RELAXED",
    "SINCE",
    "VISITED",
    "bin_edges",
    "fill",
    "lowest_bin",
    "run",
]

ENERGY, SINCE = 0, 1  # columns of a row: the energy, then since when each kind of interval lasts
CHANGE, RELAXED = 0, 1  # kinds of intervals: between any two changes, between active processes, then of each factor
ACTIVE, PASSIVE, REJECTED, VISITED = 0, 1, 2, 3  # what is counted
# entries of `law`, the numbers of which the rules are made
(TOP, SLOPE, CROSSOVER, LIMIT, SPREAD, ACTIVE_SHIFT, PASSIVE_SHIFT, FIRST_EDGE, PER_ENERGY, RULE, CERTAIN, MEMORY, PEAK,
 WIDTH, CUTOFF, FASTEST, FIRST, SPACING, NORMAL_FIRST, NORMAL_SPACING, LOWEST) = range(21)  # fmt: skip

_SHORTEST = -24  # exponent of two of the shortest interval that has its own bin, in typical ones
_OCTAVES = 72
_SHIFT = 49  # bits of a double below the three first of its mantissa: eight bins an octave
_BINS = np.int64(8 * _OCTAVES)


def bin_edges(typical: int = 0) -> np.ndarray:
    """Return the lower edges of the bins of intervals, eight an octave; the first bin begins at 0.

    The typical length of an interval is given as an exponent of two: edges are the same for all, but for the range.
    """
    octave, eighth = np.divmod(np.arange(8 * _OCTAVES), 8)
    edges = np.ldexp(1.0 + eighth / 8.0, typical + _SHORTEST + octave)
    edges[0] = 0.0
    return edges


def lowest_bin(typical: int) -> int:
    """Return the first bits of the shortest interval that has its own bin."""
    return (1023 + typical + _SHORTEST) << 3


# --- random numbers: SplitMix64 (Steele, Lea and Flood 2014), a counter that goes by its own steps, and is mixed ------


@pelplug.kernel(forceinline=True)
def _mixed(counter):  # pragma: no cover
    z = (counter ^ (counter >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@pelplug.kernel(forceinline=True)
def _uniform(counter):  # pragma: no cover
    """Return a number above 0 and below 1."""
    return (np.float64(np.int64(_mixed(counter) >> np.uint64(12))) + 0.5) * 2.0**-52


@pelplug.kernel(forceinline=True)
def _hat(counter):  # pragma: no cover
    """Return a number between -1 and 1, under a hat: the sum of two uniform ones."""
    bits = _mixed(counter)
    both = np.int64(bits >> np.uint64(32)) + np.int64(bits & np.uint64(0xFFFFFFFF))
    return (both + 1) * 2.0**-32 - 1.0


@pelplug.kernel(forceinline=True)
def _bin(length, lowest):  # pragma: no cover
    """Return the bin of an interval."""
    at = (np.float64(length).view(np.int64) >> _SHIFT) - lowest
    return max(np.int64(0), min(at, _BINS - 1))


@pelplug.kernel
def fill(tree, starts):  # pragma: no cover
    """Sum up all rates."""
    for level in range(1, len(starts)):
        below = starts[level - 1]
        for node in range((starts[level] - below) // 8):
            tree[starts[level] + node] = tree[below + 8 * node : below + 8 * node + 8].sum()


# --- the run ----------------------------------------------------------------------------------------------------------
# All of it is one function, as each array that is handed to another one costs the counting of its references.


@pelplug.kernel(error_model="numpy")
def run(
    until, most, clock, counts, rng, tree, starts, rows, intervals, energies, law, keep, other, normal_keep,
    normal_other, side, offsets, hazard, guide, factors,
):  # fmt: skip  # pragma: no cover
    """Go on until a time, or for so many active processes.

    Each event draws when the next one is to be, which stays as it is where a run ends before it: however a run is cut
    into parts, its numbers are the same.
    """
    top, slope, crossover, limit = law[TOP], law[SLOPE], law[CROSSOVER], law[LIMIT]
    spread, fastest, cutoff = law[SPREAD], law[FASTEST], law[CUTOFF]
    memory, peak, width, rule = law[MEMORY], law[PEAK], law[WIDTH], law[RULE]
    first, spacing, columns = law[FIRST], law[SPACING], np.float64(keep.shape[1])
    first_edge, per_energy, last_energy = law[FIRST_EDGE], law[PER_ENERGY], len(energies) - 1.0
    normals, normal_first, normal_spacing = np.float64(len(normal_keep)), law[NORMAL_FIRST], law[NORMAL_SPACING]
    dimension, marks, levels, root = offsets.shape[1], len(factors), len(starts), starts[-1]
    certain, last = np.int64(law[CERTAIN]), hazard[-1]
    per_hazard = (len(guide) - 1) / last if last > 0.0 else 0.0
    place, lowest = np.zeros(dimension, np.int64), np.int64(law[LOWEST])
    counter, step = rng[0], rng[1]
    now, following = clock[0], clock[1]
    done, passive, tried, visited = 0, 0, 0, 0
    while done < most and following <= until:
        now = following
        total = (
            ((tree[root] + tree[root + 1]) + (tree[root + 2] + tree[root + 3]))
            + ((tree[root + 4] + tree[root + 5]) + (tree[root + 6] + tree[root + 7]))
        )  # fmt: skip
        counter += step
        target = _uniform(counter) * total
        system = np.int64(0)
        for level in range(levels - 1, -1, -1):
            visited += 1
            at = starts[level] + 8 * system
            child = np.int64(0)
            for k in range(8):
                weight = tree[at + k]
                if weight > 0.0:  # where rounding leads beyond the last, that one is meant
                    child = k
                    if target < weight:
                        break
                    target -= weight
            system = 8 * system + child
        who, k, reached, relaxes, known = system, np.int64(0), 0.0, True, False
        while True:
            # one system changes: first the one that relaxes, then the neighbours that are touched
            old = rows[who, ENERGY]
            energy, changes, weighted = 0.0, True, 1
            if not relaxes:
                tried += 1
                if rule == 0.0:
                    weighted = 0
                elif rule == 1.0:
                    counter += step
                    column = _uniform(counter) * normals
                    node = np.int64(column)
                    if column - node >= normal_keep[node]:
                        node = np.int64(normal_other[node])
                    counter += step
                    noise = normal_first + normal_spacing * (node + _hat(counter))
                    energy = peak + memory * (old - peak) + width * noise
                    changes = energy >= cutoff
                else:
                    counter += step
                    changes = _uniform(counter) * fastest < math.exp(top + slope * min(old - crossover, limit))
                passive += changes
            if changes:
                if relaxes or rule != 1.0:
                    counter += step
                    column = _uniform(counter) * columns
                    node = np.int64(column)
                    if column - node >= keep[weighted, node]:
                        node = np.int64(other[weighted, node])
                    counter += step
                    energy = first + spacing * abs(node + _hat(counter))
                log_rate = top + slope * min(energy - crossover, limit)
                if spread > 0.0:
                    counter += step
                    column = _uniform(counter) * normals
                    node = np.int64(column)
                    if column - node >= normal_keep[node]:
                        node = np.int64(normal_other[node])
                    counter += step
                    noise = normal_first + normal_spacing * (node + _hat(counter))
                    log_rate += spread * noise + (law[ACTIVE_SHIFT] if relaxes else law[PASSIVE_SHIFT])
                length = now - rows[who, SINCE]
                bin_ = np.int64(max(0.0, min((old - first_edge) * per_energy, last_energy)))
                energies[bin_, 0] += length
                energies[bin_, 1] += length * old
                energies[bin_, 2] += length * old * old
                rows[who, ENERGY] = energy
                rows[who, SINCE] = now
                bin_, square = _bin(length, lowest), length * length
                intervals[CHANGE, bin_, 0] += 1.0
                intervals[CHANGE, bin_, 1] += length
                intervals[CHANGE, bin_, 2] += square
                intervals[CHANGE, bin_, 3] += square * length
                if relaxes:
                    chance = 1.0
                    if marks > 0:
                        counter += step
                        chance = _uniform(counter)
                    for mark in range(-1, marks):
                        if mark < 0 or chance >= factors[mark]:
                            kind = RELAXED + 1 + mark
                            length = now - rows[who, SINCE + kind]
                            rows[who, SINCE + kind] = now
                            bin_, square = _bin(length, lowest), length * length
                            intervals[kind, bin_, 0] += 1.0
                            intervals[kind, bin_, 1] += length
                            intervals[kind, bin_, 2] += square
                            intervals[kind, bin_, 3] += square * length
                tree[who] = math.exp(log_rate)
                visited += 1
                node = who
                for level in range(1, levels):
                    node >>= 3
                    visited += 1
                    at = starts[level - 1] + 8 * node
                    tree[starts[level] + node] = (
                        ((tree[at] + tree[at + 1]) + (tree[at + 2] + tree[at + 3]))
                        + ((tree[at + 4] + tree[at + 5]) + (tree[at + 6] + tree[at + 7]))
                    )  # fmt: skip
            # which neighbour is next: those that are touched are the events of a process whose time is the hazard
            relaxes = False
            if k >= certain:
                if last == 0.0:
                    break
                counter += step
                reached -= math.log(_uniform(counter))
                if reached >= last:
                    break
                k = certain + guide[np.int64(reached * per_hazard)]
                while hazard[k - certain + 1] <= reached:
                    k += 1
                reached = hazard[k - certain + 1]
            if not known:
                rest = system
                for axis in range(dimension - 1, -1, -1):
                    place[axis] = rest % side
                    rest //= side
                known = True
            who = np.int64(0)
            for axis in range(dimension):
                x = place[axis] + offsets[k, axis]
                if x < 0:
                    x += side
                elif x >= side:
                    x -= side
                who = who * side + x
            k += 1
        done += 1
        counter += step
        total = (
            ((tree[root] + tree[root + 1]) + (tree[root + 2] + tree[root + 3]))
            + ((tree[root + 4] + tree[root + 5]) + (tree[root + 6] + tree[root + 7]))
        )  # fmt: skip
        following = now - math.log(_uniform(counter)) / total
    if following > until:
        now = until
    clock[0], clock[1] = now, following
    rng[0] = counter
    counts[ACTIVE] += done
    counts[PASSIVE] += passive
    counts[REJECTED] += tried - passive
    counts[VISITED] += visited
