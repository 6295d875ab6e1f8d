"""Kinetic Monte Carlo of the coupled landscape model: time of an event, and how it grows with the lattice.

    python benchmarks/coupled_landscape.py [--events 200000] [--rounds 25]

The peer is the same model by rejection in plain Python: systems are tried at the largest rate, and most trials are
refused. Times are processor time of one core, the best of all rounds; the load of the machine stands beside them.
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np
from pelplug_coupled_landscape.lattice import Coupling, Lattice
from pelplug_coupled_landscape.simulation import Simulation

import pelplug

T = 0.5
ROWS = [
    ("one system", Lattice(), 0.0, (), 0.0),
    ("27 systems", Lattice(3), 0.0, (), 0.0),
    ("27 systems", Lattice(3), 0.1, (), 0.0),
    ("27 systems", Lattice(3), 1.0, (), 0.0),
    ("27 systems, three k", Lattice(3), 0.1, (0.2, 0.5, 0.9), 0.0),
    ("27 systems, broadened", Lattice(3), 0.1, (), 1.0),
    ("1000 systems", Lattice(10), 0.1, (), 0.0),
    ("32,768 systems", Lattice(32), 0.1, (), 0.0),
    ("10^6 systems", Lattice(100), 0.1, (), 0.0),
    ("10^6 systems", Lattice(100), 1.0, (), 0.0),
]


def best(simulation: Simulation, events: int, rounds: int) -> float:
    """Return processor seconds of an active process, with all that it brings."""
    simulation.run(events=max(events // 5, simulation.lattice.systems // 10))
    times = []
    for _ in range(rounds):
        begin = time.process_time()
        simulation.run(events=events)
        times.append(time.process_time() - begin)
    return min(times) / events


def by_rejection(landscape: pelplug.TrapLandscape, q: float, events: int) -> float:
    """Return processor seconds of an active process of 27 systems, by trials in plain Python."""
    rng = np.random.default_rng(1)
    slope = float(landscape.slope(T))
    draws = [landscape.draw(8 * events, T, rng, weight=weight).tolist() for weight in (0, 1)]
    offsets, _ = Coupling().neighbours(Lattice(3))
    places = np.array(np.unravel_index(np.arange(27), (3, 3, 3))).T
    near = [[int(np.ravel_multi_index(tuple((place + step) % 3), (3, 3, 3))) for step in offsets] for place in places]
    energies, done = landscape.draw(27, T, rng).tolist(), 0
    begin = time.process_time()
    while done < events:
        which, chance = rng.integers(27, size=4096).tolist(), rng.random(4096).tolist()
        for system, share in zip(which, chance, strict=True):
            if share < np.exp(slope * min(energies[system] - landscape.crossover, 0.0)):
                done += 1
                energies[system] = draws[1][done]
                for other in near[system]:
                    if rng.random() < q:
                        energies[other] = draws[0].pop()
    return (time.process_time() - begin) / done


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=200_000, help="of one round")
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    print("| lattice | q | an active process | with passive ones | active processes a second |\n|---|---|---|---|---|")
    found = {}
    for name, lattice, q, factors, broadening in ROWS:
        landscape = pelplug.TrapLandscape(sigma_gamma=broadening)
        simulation = Simulation(landscape, T, lattice, Coupling(q=q), seed=1, factors=factors)
        found.setdefault((lattice.systems, q), seconds := best(simulation, options.events, options.rounds))
        seen = simulation.observed()
        print(
            f"| {name} | {q:g} | {1e9 * seconds:.0f} ns | {seen.passive / seen.active:.1f} | {1e-6 / seconds:.1f} "
            "million |",
            flush=True,
        )
    slow = by_rejection(pelplug.TrapLandscape(sigma_gamma=0.0), 0.1, 20_000)
    times = slow / found[27, 0.1]
    print(f"\nBy rejection in plain Python, 27 systems, q = 0.1: {1e9 * slow:.0f} ns, {times:.0f} times as long.")
    for q in (0.1, 1.0):
        print(f"10^6 systems against 27 at q = {q:g}: {found[10**6, q] / found[27, q]:.1f} times the time.")
    print(f"Load of the machine: {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores.")


if __name__ == "__main__":
    main()
