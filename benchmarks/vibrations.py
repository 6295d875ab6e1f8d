"""The lowest modes of a glass: pelplug's factorisation and block Lanczos against SciPy's eigsh with SuperLU.

    python benchmarks/vibrations.py [-N 1000] [--modes 200] [--no-peer]

The state is an inherent structure of the Kob-Andersen mixture, quenched from a random start. The peer is
``scipy.sparse.linalg.eigsh`` in shift-invert mode just below zero, as it comes: it factorises by SuperLU. Both start
from the Hessian as a matrix, factorisation included, one thread each; times are CPU times. Frequencies are compared.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ["PELPLUG_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
from pelplug_vibrations.modes import lowest_modes
from scipy.sparse.linalg import eigsh

import pelplug


def inherent_structure(n: int):
    """Return a minimum from a random start, and its potential."""
    model = pelplug.model("kob-andersen", truncation="smooth")
    start = model.random_configuration(n, 1)
    potential = model.potential(start)
    return pelplug.quench(start, potential, "lbfgs").require_converged().configuration.wrapped(), potential


def ours(state, potential, count: int) -> tuple[np.ndarray, float, float]:
    """Return frequencies, seconds of the factorisation, seconds of the modes."""
    begin = time.process_time()
    response = pelplug.LinearResponse(state, potential, solver="sparse", pairs=3 * count)
    middle = time.process_time()
    omega, _ = lowest_modes(response, np.ones(response.backbone.n), count)
    return omega, middle - begin, time.process_time() - middle


def peer(state, potential, count: int) -> tuple[np.ndarray, float]:
    """Return frequencies and seconds of SciPy; the translations come with the lowest modes."""
    begin = time.process_time()
    matrix = potential.hessian(state).tocsc()
    # Below the translations' zero by a small part of a mode's omega**2: the matrix must not be singular.
    values = eigsh(matrix, k=count + state.dimension, sigma=-1e-3, which="LM", return_eigenvectors=True)[0]
    return np.sqrt(np.sort(values)[state.dimension :]), time.process_time() - begin


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-N", type=int, default=1000, help="particles")
    parser.add_argument("--modes", type=int, default=200, help="how many of the lowest")
    parser.add_argument("--no-peer", action="store_true", help="pelplug only")
    options = parser.parse_args()
    ours(*inherent_structure(100), 8)  # compiled kernels are loaded
    state, potential = inherent_structure(options.N)
    omega, factorisation, modes = ours(state, potential, options.modes)
    print(
        f"N = {options.N}, {options.modes} modes: pelplug {factorisation + modes:.2f} s, of which Hessian and "
        f"factorisation {factorisation:.2f} s, modes {modes:.2f} s = {modes / factorisation:.1f} factorisations"
    )
    if not options.no_peer:
        expected, seconds = peer(state, potential, options.modes)
        difference = np.abs(omega / expected - 1.0).max()
        assert difference < 1e-8, difference
        print(f"SciPy's eigsh with SuperLU {seconds:.2f} s, ratio {seconds / (factorisation + modes):.1f}; largest "
              f"relative difference of a frequency {difference:.1e}")  # fmt: skip


if __name__ == "__main__":
    main()
