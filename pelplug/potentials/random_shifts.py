"""Quenched random shifts of pairs, drawn from a counter whenever they are asked for and never stored.

The generator is Philox4x32-10: a bijection of a counter of four 32-bit words under a key of two. The key is the seed,
the counter (i, j, draw, block) with i < j for the shift of a pair, and (i, i, 0, block) for the place of a particle. So
every number is found without those before it, on any thread, in any order.

Lengths are in units of the box, as 32-bit words: a word w means w / 2**32, and the wrap of integers is the periodic
box. In this arithmetic A_ij = -A_ji holds exactly.

References
----------
J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, SC '11, "Parallel random numbers: as easy as 1, 2, 3".
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable

import numpy as np
from numba.extending import register_jitable

from pelplug.execution.compile import Family
from pelplug.potentials.form import Form

__all__ = ["MOST_DRAWS", "ShiftKernels", "philox", "shift_kernels"]

MOST_DRAWS = 100_000
"""Proposals after which a pair is given up: the box has no room for it at that temperature."""

_BATCH = 512
_LOW = np.uint64(0xFFFFFFFF)
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)
_HALF = np.uint64(32)


@register_jitable
def philox(first, step, words, begin, count, c2, c3, key):
    """Philox4x32-10 of the counters (first[0] + k step[0], first[1] + k step[1], c2, c3), k below ``count``.

    Parameters
    ----------
    first, step : tuple of int
        First two words of the counter.
    words : ndarray of uint32, shape (W, K)
        Word m of the k-th block goes to ``words[begin + m, k]``.
    begin, count : int
        See above.
    c2, c3 : int
        Last two words of the counter.
    key : ndarray of uint64, shape (2,)
        Two 32-bit words.
    """
    # One loop with all ten rounds in its body, and no call: only so is it compiled to vector instructions.
    w0, w1, w2, w3 = words[begin], words[begin + 1], words[begin + 2], words[begin + 3]
    key_0, key_1 = key[0], key[1]
    a0, a1, a2, a3 = np.uint64(first[0]), np.uint64(first[1]), np.uint64(c2), np.uint64(c3)
    s0, s1 = np.uint64(step[0]), np.uint64(step[1])
    for k in range(count):
        v0 = a0 + s0 * np.uint64(k)
        v1 = a1 + s1 * np.uint64(k)
        v2 = a2
        v3 = a3
        k0 = key_0
        k1 = key_1
        for _ in range(10):
            p0 = _MULTIPLIER_0 * v0
            p1 = _MULTIPLIER_1 * v2
            v0 = (p1 >> _HALF) ^ v1 ^ k0
            v1 = p1 & _LOW
            v2 = (p0 >> _HALF) ^ v3 ^ k1
            v3 = p0 & _LOW
            k0 = (k0 + _WEYL_0) & _LOW
            k1 = (k1 + _WEYL_1) & _LOW
        w0[k] = v0
        w1[k] = v1
        w2[k] = v2
        w3[k] = v3


@dataclasses.dataclass(frozen=True)
class ShiftKernels:
    """Compiled kernels for one pair term and dimension; ranges are over rows, particles or given pairs."""

    places: Callable
    shifts: Callable
    search: Callable


@functools.cache
def shift_kernels(form: Form, d: int) -> ShiftKernels:
    """Compile the kernels.

    Parameters
    ----------
    form : Form
        Functional form of the pair term, truncated.
    d : int
        Dimension of space.
    """
    family = Family(form.function, constants=("shifts", d))
    function = family.use(form.function)
    blocks = d // 4 + 1  # d words for the vector, one for whether it is accepted

    @family.inline
    def draw(i, j, attempt, key, words):
        for block in range(blocks):
            philox((i, j), (0, 0), words, 4 * block, 1, attempt, block, key)

    @family.inline
    def nearest(word):
        # A word as a signed fraction of the box, from -1/2 to 1/2: the nearest image.
        w = np.int64(word)
        if w >= 2147483648:
            w -= 4294967296
        return w / 4294967296.0

    @family.inline
    def images_within(reach):
        # How many images on either side may be closer than a reach in units of the box.
        return np.int64(math.floor(reach + 0.5))

    @family.inline
    def energy_of(words, length, cutoff, parameters):
        # Energy of a pair at that vector, summed over the images.
        n = images_within(cutoff / length)
        side = 2 * n + 1
        total = 0.0
        for code in range(side**d):
            rest = code
            square = 0.0
            for a in range(d):
                x = (nearest(words[a, 0]) + (rest % side - n)) * length
                rest //= side
                square += x * x
            if square < cutoff * cutoff:
                u, _, _ = function(math.sqrt(square), parameters)
                total += u
        return total

    @family.inline
    def accept(i, j, key, beta, length, cutoff, parameters, words):
        # Words of the pair vector: rejection makes their distribution exp(-beta U), exactly, as U is not negative.
        # ``words`` holds the first draw; returns False if there is no end to it.
        attempt = 0
        while True:
            u = energy_of(words, length, cutoff, parameters)
            # A word stands for the middle of its interval.
            if u == 0.0 or (np.float64(words[d, 0]) + 0.5) / 4294967296.0 < math.exp(-beta * u):
                return True
            attempt += 1
            if attempt == MOST_DRAWS:
                return False
            draw(i, j, attempt, key, words)

    @family.kernel()
    def places(begin, end, key, out):
        words = np.empty((4 * blocks, 1), dtype=np.uint32)
        for i in range(begin, end):
            draw(i, i, 0, key, words)
            for a in range(d):
                out[i, a] = words[a, 0]

    @family.kernel(error_model="numpy")
    def shifts(begin, end, i, j, place, key, beta, length, cutoff, parameters, out):
        # A_ij of given pairs, i < j; returns how many pairs were given up.
        words = np.empty((4 * blocks, 1), dtype=np.uint32)
        failed = 0
        for p in range(begin, end):
            draw(i[p], j[p], 0, key, words)
            if beta > 0.0:
                failed += not accept(i[p], j[p], key, beta, length, cutoff, parameters, words)
            for a in range(d):
                out[p, a] = np.uint32(words[a, 0] - place[i[p], a] + place[j[p], a])
        return failed

    @family.inline
    def first_draws(low, high, i, below, key, words):
        # The first draws of the pairs of one row, all below or all above it.
        for block in range(blocks):
            if below:
                philox((low, i), (1, 0), words, 4 * block, high - low, 0, block, key)
            else:
                philox((i, low), (0, 1), words, 4 * block, high - low, 0, block, key)

    @family.inline
    def screen(low, high, i, below, moved, words, near, free, nearness):
        # Which pairs may be within reach, or have a first draw that may be refused.
        sign = np.uint32(1) if below else np.uint32(0xFFFFFFFF)
        for k in range(high - low):
            now = 0.0
            drawn = 0.0
            for a in range(d):
                word = np.uint32(words[a, k])
                x = np.float64(np.int32(np.uint32(moved[a, low + k] - moved[a, i] + sign * word)))
                now += x * x
                x = np.float64(np.int32(word))
                drawn += x * x
            nearness[k] = (now < near) | (drawn < free)

    @family.inline
    def longer(found, offset, size):
        more = np.empty(size, dtype=np.int64)
        further = np.empty((size, d))
        more[: len(found)] = found
        further[: len(found)] = offset
        return more, further

    @family.kernel(error_model="numpy")
    def search(begin, end, fractional, place, key, beta, planted_length, length, cutoff, skin, parameters,
               tally):  # fmt: skip
        # Returns, for the rows end to end, the neighbours, what to add to their positions, and how many pairs were
        # given up. Every pair is looked at from both sides: a row is then written in one piece.
        n = len(fractional)
        reach = cutoff + skin
        limit = reach * reach
        # Words of the present positions are rounded: the test on them lets through somewhat more.
        near = (4294967296.0 * reach / length + 16.0) ** 2
        # Beyond, a draw has no energy and is taken as it is.
        free = (4294967296.0 * cutoff / planted_length + 16.0) ** 2 if beta > 0.0 else 0.0
        many = images_within(reach / length)
        if many > 0 or (beta > 0.0 and images_within(cutoff / planted_length) > 0):
            near = np.inf  # all pairs are looked at
        side = 2 * many + 1
        moved = np.empty((d, n), dtype=np.uint32)
        for i in range(n):
            for a in range(d):
                f = fractional[i, a]
                moved[a, i] = np.uint32(np.uint64((f - math.floor(f)) * 4294967296.0)) - place[i, a]
        words = np.empty((4 * blocks, _BATCH), dtype=np.uint32)
        chosen = np.empty((4 * blocks, 1), dtype=np.uint32)
        nearness = np.empty(_BATCH, dtype=np.uint8)
        shift = np.empty(d)
        size = 256 * (end - begin) + 256
        found = np.empty(size, dtype=np.int64)
        offset = np.empty((size, d))
        total = 0
        failed = 0
        for i in range(begin, end):
            before = total
            for below in (True, False):
                first, last = (0, i) if below else (i + 1, n)
                for low in range(first, last, _BATCH):
                    high = min(low + _BATCH, last)
                    first_draws(low, high, i, below, key, words)
                    screen(low, high, i, below, moved, words, near, free, nearness)
                    for k in range(high - low):
                        if nearness[k] == 0:
                            continue
                        j = low + k
                        one, other = min(i, j), max(i, j)
                        for b in range(4 * blocks):
                            chosen[b, 0] = words[b, k]
                        if beta > 0.0 and not accept(one, other, key, beta, planted_length, cutoff, parameters, chosen):
                            failed += 1
                            continue
                        for a in range(d):
                            # -A_ij of the nearest image, for the place of j as i sees it.
                            value = np.uint32(chosen[a, 0] - place[one, a] + place[other, a]) / 4294967296.0
                            if not below:
                                value = -value
                            shift[a] = value - np.rint(fractional[j, a] - fractional[i, a] + value)
                        for code in range(side**d):
                            rest = code
                            square = 0.0
                            if total == size:
                                size *= 2
                                found, offset = longer(found, offset, size)
                            for a in range(d):
                                s = shift[a] + (rest % side - many)
                                rest //= side
                                x = (fractional[j, a] - fractional[i, a] + s) * length
                                square += x * x
                                offset[total, a] = s * length
                            found[total] = j
                            total += square < limit
            tally[i, 0] = total - before
        return found[:total].copy(), offset[:total].copy(), failed

    return ShiftKernels(places, shifts, search)
