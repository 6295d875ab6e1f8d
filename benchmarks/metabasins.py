"""Metabasins from a million visits of inherent structures: time against number, and against a loop over pairs.

    python benchmarks/metabasins.py [--visits 1000000] [--pairs 20000]

The visits are a walk that goes back and forth between neighbouring structures and on now and then. The peer is
the definition written down: every pair of intervals compared, and what overlaps joined, in NumPy one row at a time;
it is timed on few visits. Both must give the same metabasins. Processor time, one thread.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ["NUMBA_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from pelplug_metabasins.intervals import group_visits
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components


def walk(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Structure, first and last frame of n visits."""
    rng = np.random.default_rng(seed)
    structure = 5 * np.cumsum(rng.random(4 * n) < 0.2) + rng.integers(0, 6, size=4 * n)
    structure = structure[np.r_[True, structure[1:] != structure[:-1]]][:n]
    ends = np.cumsum(rng.geometric(0.1, size=n)) - 1
    return structure, np.r_[0, ends[:-1] + 1], ends


def pairwise(structure: np.ndarray, first: np.ndarray, last: np.ndarray, merge: str) -> int:
    """Return the number of metabasins, from all pairs of intervals."""
    border = np.r_[2 * first[0], last[:-1] + first[1:], 2 * last[-1]]
    names, inverse = np.unique(structure, return_inverse=True)
    start, stop = np.full(len(names), border[-1]), np.zeros(len(names), dtype=int)
    np.minimum.at(start, inverse, border[:-1])
    np.maximum.at(stop, inverse, border[1:])
    rows, columns = [], []
    for k in range(len(names)):
        shared = np.minimum(stop, stop[k]) - np.maximum(start, start[k])
        least = 0 if merge == "overlap" else np.minimum(stop - start, stop[k] - start[k])
        found = np.flatnonzero(2 * shared > least)
        columns.append(found)
        rows.append(np.full(len(found), k))
    rows, columns = np.concatenate(rows), np.concatenate(columns)
    graph = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(names), len(names)))
    return connected_components(graph, directed=False)[0]


def seconds(function, *arguments) -> tuple[float, object]:
    """Return processor time and result."""
    begin = time.process_time()
    result = function(*arguments)
    return time.process_time() - begin, result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=1_000_000, help="of the longest walk")
    parser.add_argument("--pairs", type=int, default=20_000, help="visits of the comparison with the loop over pairs")
    options = parser.parse_args()
    for merge in ("overlap", "half"):
        group_visits(*walk(100), merge)  # compiled kernels are loaded
        for n in (options.visits // 100, options.visits // 10, options.visits):
            took, begin = seconds(group_visits, *walk(n), merge)
            print(f"{merge}: {n} visits, {len(begin)} metabasins, {took:.3f} s, {1e9 * took / n:.0f} ns a visit")
        visits = walk(options.pairs)
        ours, begin = min((seconds(group_visits, *visits, merge) for _ in range(5)), key=lambda one: one[0])
        peer, number = seconds(pairwise, *visits, merge)
        assert number == len(begin), "the two disagree"
        print(f"{merge}: {options.pairs} visits, all pairs {peer:.3f} s, pelplug {ours:.4f} s, ratio {peer / ours:.0f}")


if __name__ == "__main__":
    main()
