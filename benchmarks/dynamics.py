"""Mean squared displacement and F_s(q, t) beside freud, dynasor, atooms and NumPy.

    python benchmarks/dynamics.py [--python PYTHON_WITH_DYNASOR_AND_ATOOMS]

One random walk of N particles in F frames. dynasor and atooms run under the interpreter given;
processor time, the programs in turns, medians and the range of the ratios.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402 - after the numbers of threads

SCALE, LENGTH = 0.05, 9.4
Q = 2 * np.pi * 11 / LENGTH  # fits the box, as dynasor asks


def walk(frames, n):
    """Return unwrapped positions, shape (F, N, 3)."""
    rng = np.random.default_rng(1)
    steps = rng.normal(scale=SCALE, size=(frames, n, 3))
    steps[0] = rng.uniform(0, LENGTH, (n, 3))
    return np.cumsum(steps, axis=0)


def pelplug(positions, lags):
    """MSD, r**4, overlap and F_s at the lags from every origin; the sums of the `dynamics` plugin."""
    from pelplug_dynamics.correlate import pair_sums
    from pelplug_dynamics.lags import frame_pairs

    pairs = frame_pairs(np.arange(len(positions)), lags)
    array = np.ascontiguousarray(positions.transpose(0, 2, 1))
    sums = pair_sums(array, np.arange(positions.shape[1]), pairs, (Q,), 0.3, False) / positions.shape[1]
    means = [np.bincount(pairs.lag, sums[:, k]) / np.bincount(pairs.lag) for k in (0, 3)]
    return means


def numpy_direct(positions, lags):
    """Compute the same MSD and F_s with arrays."""
    msd, fs = [], []
    for lag in lags:
        moved = positions[lag:] - positions[:-lag]
        msd.append(np.einsum("tid,tid->ti", moved, moved).mean())
        fs.append(np.cos(Q * moved).mean())
    return np.array(msd), np.array(fs)


def freud(positions, lags):
    """MSD at every lag, by Fourier transforms; no F_s."""
    import freud as library

    return library.msd.MSD(mode="window").compute(positions).msd[lags], None


def peer(name, frames, n, lags):
    """Run dynasor or atooms; return processor time and the curve at the lags."""
    positions = walk(frames, n)
    if name == "atooms":
        return atooms(positions, lags)
    return dynasor(positions, lags)


def atooms(positions, lags):
    """F_s by atooms.postprocessing: NumPy over all origins that the time grid has."""
    from atooms.postprocessing import SelfIntermediateScattering
    from atooms.system import Cell, Particle, System
    from atooms.trajectory import TrajectoryRam

    with TrajectoryRam() as trajectory:
        for step, frame in enumerate(positions):
            system = System([Particle(position=one.copy(), species="A") for one in frame], Cell([LENGTH] * 3))
            trajectory.write(system, step)
        trajectory.timestep = 1.0
        # Three vectors at one wave number: one an axis.
        start = time.process_time()
        found = SelfIntermediateScattering(trajectory, kgrid=[Q], nk=3, tgrid=[0.0, *map(float, lags)], norigins=-1)
        found.compute()
        seconds = time.process_time() - start
    return seconds, np.asarray(found.value[0])[1:].tolist()


def dynasor(positions, lags):
    """F_s by dynasor: three vectors, every lag up to the longest, all origins; read from a file, as it must be."""
    import dynasor as library

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "walk.xyz"
        with open(path, "w") as file:
            for frame in positions:
                print(f'{len(frame)}\nLattice="{LENGTH} 0 0 0 {LENGTH} 0 0 0 {LENGTH}" Properties=species:S:1:pos:R:3',
                      file=file)  # fmt: skip
                np.savetxt(file, frame, fmt="Ar %.7f %.7f %.7f")
        start = time.process_time()
        trajectory = library.Trajectory(str(path), trajectory_format="extxyz")
        for _ in trajectory:
            pass
        reading = time.process_time() - start
        trajectory = library.Trajectory(str(path), trajectory_format="extxyz")
        start = time.process_time()
        sample = library.compute_dynamic_structure_factors(
            trajectory, Q * np.eye(3), dt=1.0, window_size=int(lags[-1]), window_step=1, calculate_incoherent=True
        )
        seconds = time.process_time() - start - reading
    return seconds, np.asarray(sample.Fqt_incoh).mean(axis=0)[np.asarray(lags)].tolist()


def timed(function, *arguments):
    """Return processor time and what the function returned."""
    start = time.process_time()
    value = function(*arguments)
    return time.process_time() - start, value


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="interpreter with dynasor and atooms")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("-N", type=int, default=1000, help="particles")
    parser.add_argument("-F", type=int, default=400, help="frames")
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    frames, n = arguments.F, arguments.N
    log_lags = np.unique(np.geomspace(1, frames // 2, 24).astype(int))
    all_lags = np.arange(1, frames)
    if arguments.peer:
        lags = log_lags if arguments.peer == "atooms" else np.arange(1, frames // 2)
        print("RESULT", json.dumps(peer(arguments.peer, frames, n, lags)))
        return 0
    positions = walk(frames, n)
    for lags in (log_lags[:2], all_lags[:2]):
        pelplug(positions, lags)  # compiles
    rows = []
    cases = [("24 lags in log t", log_lags, numpy_direct), ("every lag", all_lags, freud)]
    cases.append(("24 lags in log t", log_lags, freud))
    for what, lags, other in cases:
        own, theirs = [], []
        for _ in range(arguments.turns):
            seconds, (msd, fs) = timed(pelplug, positions, lags)
            own.append(seconds)
            seconds, (their_msd, their_fs) = timed(other, positions, lags)
            theirs.append(seconds)
            assert np.allclose(msd, their_msd, rtol=1e-3), other
            assert their_fs is None or np.allclose(fs, their_fs, atol=1e-9), other
        rows.append((what, other.__name__, own, theirs))
    for name in ("atooms", "dynasor") if arguments.python else ():
        lags = log_lags if name == "atooms" else np.arange(1, frames // 2)
        own, theirs = [], []
        for _ in range(min(arguments.turns, 3)):
            seconds, (_, fs) = timed(pelplug, positions, lags)
            own.append(seconds)
            command = [arguments.python, os.path.abspath(__file__), "--peer", name, "-N", str(n), "-F", str(frames)]
            with tempfile.TemporaryDirectory() as folder:  # atooms compiles into the working folder
                run = subprocess.run(command, capture_output=True, text=True, cwd=folder)
            line = [line for line in run.stdout.splitlines() if line.startswith("RESULT")]
            if not line:
                print(f"{name} did not run: {run.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
                break
            seconds, curve = json.loads(line[0][7:])
            theirs.append(seconds)
            print(f"{name}: largest difference of F_s {np.abs(np.array(curve) - fs).max():.2g}", file=sys.stderr)
        if theirs:
            rows.append(("24 lags in log t" if name == "atooms" else "every lag to F/2", name, own, theirs))
    print(f"N = {n}, F = {frames}, one thread, processor seconds\n")
    print("| lags | other program | pelplug: MSD, r^4, overlap, F_s | other | ratio (least to largest) |")
    print("|---|---|---|---|---|")
    for what, name, own, theirs in rows:
        ratios = np.array(theirs) / np.array(own)
        print(f"| {what} | {name} | {np.median(own):.3f} | {np.median(theirs):.3f} | {np.median(ratios):.2g} "
              f"({ratios.min():.2g} to {ratios.max():.2g}) |")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
