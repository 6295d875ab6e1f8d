"""Hessian assembly: pelplug against matscipy, on the same Kob-Andersen configurations, in one run.

    python benchmarks/hessian.py [-N 1000 8000]

Both build the sparse Hessian of one configuration from scratch, neighbour list included; the times are the best
of several. matscipy uses one core; pelplug is measured on one thread and on all. The matrices are compared first.
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np

import pelplug

SIGMA = {(1, 1): 1.0, (1, 2): 0.8, (2, 2): 0.88}
EPSILON = {(1, 1): 1.0, (1, 2): 1.5, (2, 2): 0.5}


def best(action, repeats: int) -> float:
    """Return the shortest of ``repeats`` wall-clock times [s]."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return min(times)


def liquid(n: int) -> pelplug.Configuration:
    """Return a Kob-Andersen configuration with liquid-like contacts: a random start, partly quenched."""
    model = pelplug.model("kob-andersen")
    start = model.random_configuration(n, np.random.default_rng(1))
    return pelplug.quench(start, model.potential(start), force_tolerance=1e-2).configuration.wrapped()


def compare(n: int, repeats: int = 5) -> list[str]:
    """Return a row of the table for ``n`` particles."""
    from ase import Atoms
    from matscipy.calculators.pair_potential import LennardJonesCut, PairPotential

    state = liquid(n)
    potential = pelplug.model("kob-andersen").potential(state)
    numbers = np.where(state.species == "A", 1, 2)
    atoms = Atoms(numbers=numbers, positions=state.positions, cell=state.cell, pbc=True)
    theirs = PairPotential({pair: LennardJonesCut(EPSILON[pair], SIGMA[pair], 2.5 * SIGMA[pair]) for pair in SIGMA})
    ours = potential.hessian(state)
    reference = theirs.get_hessian(atoms, format="sparse")
    difference = abs(ours - reference).max() / abs(reference).max()
    seconds_theirs = best(lambda: theirs.get_hessian(atoms, format="sparse"), repeats)
    row = [str(n), f"{difference:.1e}", f"{1e3 * seconds_theirs:.1f}"]
    for threads in (1, os.cpu_count()):
        with pelplug.Device(threads=threads):
            seconds = best(lambda: potential.hessian(state), repeats)
        row += [f"{1e3 * seconds:.1f}", f"{seconds_theirs / seconds:.1f}"]
    return row


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-N", type=int, nargs="+", default=[1000, 8000])
    sizes = parser.parse_args().N
    cores = os.cpu_count()
    print("| N | largest relative difference | matscipy [ms] | pelplug, 1 thread [ms] | ratio "
          f"| pelplug, {cores} threads [ms] | ratio |")  # fmt: skip
    print("|---|---|---|---|---|---|---|")
    for n in sizes:
        print("| " + " | ".join(compare(n)) + " |", flush=True)


if __name__ == "__main__":
    main()
