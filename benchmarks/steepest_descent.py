"""Cost of a steepest descent of two-dimensional harmonic spheres from a random start to its inherent structure.

    python benchmarks/steepest_descent.py [N ...] [--rtol 0.01]

For each N: evaluations, seconds, and the time zeta length**2 / energy at which it arrived. With --compare also what
explicit Euler and SciPy's RK45 need, and the error of the energy they leave, at t = 10 and N = 1000; and how many
evaluations each takes to t = 1000, where trajectories have parted and no error can be told.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

import pelplug


def random_start(n: int):
    """Return a start without correlations, and its potential."""
    model = pelplug.model("harmonic-spheres", dimension=2)
    start = model.random_configuration(n, 1, arrangement="random")
    return start, model.potential(start)


def compare(n: int = 1000, until: float = 10.0) -> None:
    """Print evaluations and energy errors of several integrators at one time."""
    from scipy.integrate import solve_ivp

    start, potential = random_start(n)
    exact = pelplug.steepest_descent(start, potential, [until], rtol=1e-6, to_minimum=False).energy[0]
    rows = []
    for rtol in (1e-2, 1e-3, 1e-4):
        clock = time.perf_counter()
        r = pelplug.steepest_descent(start, potential, [until], rtol=rtol, to_minimum=False)
        rows.append((f"pelplug, rtol {rtol:g}", r.evaluations, r.energy[0], time.perf_counter() - clock))
    evaluate, forces = potential.evaluator(start), np.empty_like(start.positions)
    for step in (0.1, 0.01, 0.001):
        x = np.array(start.positions)
        clock = time.perf_counter()
        for _ in range(round(until / step)):
            evaluate(x, forces)
            x += step * forces
        seconds = time.perf_counter() - clock
        rows.append((f"Euler, step {step:g}", round(until / step), evaluate(x, forces), seconds))

    def velocity(_, y):
        evaluate(np.ascontiguousarray(y.reshape(forces.shape)), forces)
        return forces.ravel().copy()

    for tolerance in (1e-3, 1e-5):
        clock = time.perf_counter()
        r = solve_ivp(velocity, (0, until), start.positions.ravel(), "RK45", rtol=1e-12, atol=tolerance)
        seconds = time.perf_counter() - clock
        energy = evaluate(np.ascontiguousarray(r.y[:, -1].reshape(forces.shape)), forces)
        rows.append((f"SciPy RK45, atol {tolerance:g}", r.nfev, energy, seconds))
    far = pelplug.steepest_descent(start, potential, [1000.0], rtol=1e-2, to_minimum=False).evaluations
    other = solve_ivp(velocity, (0, 1000.0), start.positions.ravel(), "RK45", [1000.0], rtol=1e-12, atol=1e-3).nfev
    for name, evaluations, energy, seconds in rows:
        wrong = abs(energy - exact) / exact
        print(f"{name:24s} {evaluations:7d} evaluations {seconds:7.2f} s   energy at t = {until:g} off by {wrong:.1e}")
    print(f"to t = 1000: pelplug, rtol 0.01, {far} evaluations; SciPy RK45, atol 0.001, {other}")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=[1000])
    parser.add_argument("--rtol", type=float, default=1e-2)
    parser.add_argument("--compare", action="store_true")
    arguments = parser.parse_args()
    pelplug.steepest_descent(*random_start(200), [0.1], to_minimum=False)  # compile
    for n in arguments.sizes:
        start, potential = random_start(n)
        clock = time.perf_counter()
        r = pelplug.steepest_descent(start, potential, rtol=arguments.rtol, max_evaluations=10**8)
        seconds = time.perf_counter() - clock
        print(
            f"N = {n}, rtol {arguments.rtol:g}: {'arrived' if r.converged else r.reason} at t = {r.end_time:.0f}, "
            f"{r.evaluations} evaluations, {r.steps} steps ({r.rejected} repeated), {seconds:.1f} s, "
            f"{1e6 * seconds / r.evaluations / n:.3f} us per evaluation and particle, "
            f"energy defect {r.final_energy_defect:.1e}",
            flush=True,
        )
    if arguments.compare:
        compare()


if __name__ == "__main__":
    main()
