"""Soft modes from the softest dipole responses: all starts at once against SciPy's L-BFGS, one start at a time.

    python benchmarks/soft_modes.py [-N 1000] [--starts 48] [--peer 4] [--rounds 2]

The state is an inherent structure of the inverse-power-law mixture, quenched from a random start. SciPy's L-BFGS-B
(30 corrections) minimises log C, with its gradient from the sparse Hessian and NumPy sums over pairs, from
some of the same starts; both must reach the same minima. Rounds alternate. Times are processor time, which other work
on the machine changes little; use one thread (OMP_NUM_THREADS=1, PELPLUG_NUM_THREADS=1). The factorisation and kappa of
all pairs, by which the starts are chosen, are not in them.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import scipy.optimize

import pelplug


def one_by_one(response, stiffness, chosen) -> tuple[float, list, int]:
    """Return seconds of SciPy from the chosen dipole responses, the modes reached, and evaluations."""
    hessian, pairs, d = response.hessian.tocsr(), response.pairs, response.backbone.dimension
    n = response.backbone.n
    ends = np.concatenate([pairs.i, pairs.j])

    def cost(z):
        force = hessian @ z
        s = z @ force
        difference = z.reshape(n, d)[pairs.j] - z.reshape(n, d)[pairs.i]
        square = np.einsum("pa,pa->p", difference, difference)
        push = square[:, None] * difference
        both = np.concatenate([-push, push])
        zeta = np.stack([np.bincount(ends, both[:, a], minlength=n) for a in range(d)], axis=1)
        q = square @ square
        return 2 * np.log(s) - np.log(q), 4 * force / s - 4 * zeta.ravel() / q

    starts = []
    for p in chosen:
        dipole = np.zeros((n, d))
        dipole[stiffness.j[p]] = stiffness.unit[p] / np.sqrt(2)
        dipole[stiffness.i[p]] -= stiffness.unit[p] / np.sqrt(2)
        z = response.factor.solve(dipole.ravel())
        starts.append(z / np.linalg.norm(z))
    modes, evaluations, begin = [], 0, time.process_time()
    for start in starts:
        options = {"maxiter": 20000, "maxfun": 40000, "ftol": 1e-13, "gtol": 1e-6, "maxcor": 30}
        found = scipy.optimize.minimize(cost, start, jac=True, method="L-BFGS-B", options=options)
        evaluations += found.nfev
        modes.append(found.x / np.linalg.norm(found.x))
    return time.process_time() - begin, modes, evaluations


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-N", type=int, default=1000)
    parser.add_argument("--starts", type=int, default=48)
    parser.add_argument("--peer", type=int, default=4, help="starts minimised by SciPy too")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    model = pelplug.model("inverse-power-law")
    # A small state first: compiled kernels are loaded, libraries have started their threads.
    for n in (200, options.N):
        start = model.random_configuration(n, 1)
        potential = model.potential(start)
        state = pelplug.quench(start, potential, "lbfgs").require_converged().configuration
        begin = time.process_time()
        response = pelplug.LinearResponse(state, potential)
        stiffness = pelplug.dipole_stiffness(response)
        before = time.process_time() - begin
        modes = pelplug.soft_modes(response, stiffness, 8)
    order = np.argsort(stiffness.kappa_ij, kind="stable")[: options.starts]
    chosen = order[:: max(1, options.starts // options.peer)][: options.peer]
    print(f"N = {options.N}, {response.factor.solver} solver, factorisation and all pairs {before:.2f} s; gradient of "
          "log C left 1e-8 (pelplug, relative), 1e-6 (SciPy, largest component)\n")  # fmt: skip
    print("| round | starts | modes | pelplug a start [s] | SciPy a start [s] | evaluations a start | ratio | least "
          "overlap of the modes |")  # fmt: skip
    print("|---" * 8 + "|")
    for k in range(options.rounds):
        begin = time.process_time()
        modes = pelplug.soft_modes(response, stiffness, options.starts)
        mine = (time.process_time() - begin) / options.starts
        seconds, theirs, evaluations = one_by_one(response, stiffness, chosen)
        theirs_each = seconds / options.peer
        kept = modes.vectors[:, response.members].reshape(len(modes), -1)
        overlap = min(np.abs(kept @ z).max() for z in theirs)
        row = [
            k + 1,
            options.starts,
            len(modes),
            f"{mine:.4f}",
            f"{theirs_each:.3f}",
            round(evaluations / options.peer),
        ]
        row += [f"{theirs_each / mine:.1f}", f"{overlap:.8f}"]
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


if __name__ == "__main__":
    main()
