"""The whole kappa field: one factorisation against one conjugate-gradient solve a pair, in one run.

    python benchmarks/kappa.py [-N 2000] [--solvers dense sparse] [--pairs 10] [--no-cg]

The state is an inherent structure of the Kob-Andersen mixture, quenched from a random start. SciPy's CG (relative
tolerance 1e-8) is timed on a few random pairs, and all pairs would take as long each; kappa of those pairs is compared.
Each solver runs in a process of its own, so that its peak memory can be told. ``-N 8000`` takes some minutes and up to
5 GiB.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

import numpy as np
from scipy.sparse.linalg import cg

import pelplug
from pelplug.landscape import LinearResponse, dipole_stiffness, shear_modulus

MODEL = ("kob-andersen", {"truncation": "shift"})


def inherent_structure(n: int) -> pelplug.Configuration:
    """Return a minimum: random start, FIRE."""
    model = pelplug.model(MODEL[0], **MODEL[1])
    start = model.random_configuration(n, 1)
    quenched = pelplug.quench(start, model.potential(start), force_tolerance=1e-9).require_converged()
    return quenched.configuration.wrapped()


def load(path: str):
    """Return the state kept in a file, and its potential."""
    with np.load(path) as kept:
        state = pelplug.Configuration(kept["positions"], kept["cell"], kept["species"])
    return state, pelplug.model(MODEL[0], **MODEL[1]).potential(state)


def measure(path: str, solver: str) -> None:
    """Time one solver and print seconds, peak memory and the results as JSON; runs in a process of its own."""
    # A small state first: compiled kernels are loaded, libraries have started their threads.
    small = inherent_structure(100)
    warm = LinearResponse(small, pelplug.model(MODEL[0], **MODEL[1]).potential(small), solver=solver)
    dipole_stiffness(warm)
    state, potential = load(path)
    seconds = {}
    begin = time.perf_counter()
    response = LinearResponse(state, potential, solver=solver)
    seconds["factorisation"] = time.perf_counter() - begin
    begin = time.perf_counter()
    modulus = shear_modulus(response)
    seconds["shear modulus"] = time.perf_counter() - begin
    begin = time.perf_counter()
    stiffness = dipole_stiffness(response)
    seconds["all pairs"] = time.perf_counter() - begin
    np.save(pathlib.Path(path).with_suffix(f".{solver}.npy"), stiffness.kappa_ij)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    report = {"solver": response.factor.solver, "seconds": seconds, "peak_gib": peak, "pairs": stiffness.n_pairs}
    print(json.dumps(report | {"mean": stiffness.mean, "modulus": modulus.mean}))


def one_pair_at_a_time(path: str, count: int) -> tuple[float, np.ndarray, np.ndarray]:
    """Return seconds a pair of SciPy's CG, the pairs solved, and their kappa."""
    state, potential = load(path)
    hessian = potential.hessian(state).tocsr()
    pairs = potential.pairs(state)
    chosen = np.random.default_rng(0).choice(len(pairs), count, replace=False)
    kappa, begin = np.empty(count), time.perf_counter()
    for k, p in enumerate(chosen):
        dipole = np.zeros((state.n, state.dimension))
        dipole[pairs.j[p]] = pairs.vectors[p] / pairs.distances[p] / np.sqrt(2.0)
        dipole[pairs.i[p]] = -dipole[pairs.j[p]]
        z, info = cg(hessian, dipole.ravel(), rtol=1e-8)
        if info:
            raise SystemExit(f"SciPy's CG did not converge on pair {p}.")
        z = (z.reshape(-1, state.dimension) - z.reshape(-1, state.dimension).mean(axis=0)).ravel()
        kappa[k] = (z @ (hessian @ z)) / (z @ z)
    return (time.perf_counter() - begin) / count, chosen, kappa


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-N", type=int, default=2000)
    parser.add_argument("--solvers", nargs="+", default=["dense", "sparse"], choices=["auto", "dense", "sparse"])
    parser.add_argument("--pairs", type=int, default=10, help="pairs solved by CG")
    parser.add_argument("--no-cg", action="store_true", help="only time and memory of the solvers")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(*options.measure)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder, "state.npz"))
        state = inherent_structure(options.N)
        np.savez(path, positions=state.positions, cell=state.cell, species=state.species)
        if not options.no_cg:
            per_pair, chosen, reference = one_pair_at_a_time(path, options.pairs)
        print("| N | pairs | solver | factorisation [s] | G [s] | all pairs [s] | whole [s] | peak memory [GiB] "
              "| CG a pair [s] | CG all pairs [s] | ratio | largest relative difference |")  # fmt: skip
        print("|---" * 12 + "|")
        for solver in options.solvers:
            command = [sys.executable, __file__, "--measure", path, solver]
            report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            seconds = report["seconds"]
            whole = seconds["factorisation"] + seconds["all pairs"]
            row = [options.N, report["pairs"], report["solver"], *(f"{value:.2f}" for value in seconds.values())]
            row += [f"{whole:.2f}", f"{report['peak_gib']:.2f}"]
            if options.no_cg:
                row += ["-"] * 4
            else:
                kappa = np.load(pathlib.Path(path).with_suffix(f".{solver}.npy"))[chosen]
                total = per_pair * report["pairs"]
                difference = np.abs(kappa / reference - 1.0).max()
                row += [f"{per_pair:.3f}", f"{total:.0f}", f"{total / whole:.0f}", f"{difference:.1e}"]
            print("| " + " | ".join(map(str, row)) + " |", flush=True)


if __name__ == "__main__":
    main()
