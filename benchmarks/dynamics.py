"""Mean squared displacement and F_s(q, t) beside freud, dynasor, atooms and NumPy.

    python benchmarks/dynamics.py [--python PYTHON_WITH_DYNASOR_AND_ATOOMS]

One random walk of N particles in F frames, in memory. Each row: both programs compute the same quantity at the same
lags from every time origin; where the other one always computes more lags, the row says so. dynasor and atooms run
under the interpreter given, after a first run of the same, in which they compile. One thread each, processor time,
the programs in turns; medians and the range of the ratios.
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
WHAT = {
    "atooms-msd": "MSD, 24 lags in log t",
    "atooms-fs": "MSD and F_s, 24 lags in log t; atooms: F_s",
    "dynasor": "F_s at one wave number, every lag to F/2",
    "dynasor-20": "F_s at 20 wave numbers, every lag to F/2",
}


def walk(frames, n):
    """Return unwrapped positions, shape (F, N, 3)."""
    rng = np.random.default_rng(1)
    steps = rng.normal(scale=SCALE, size=(frames, n, 3))
    steps[0] = rng.uniform(0, LENGTH, (n, 3))
    return np.cumsum(steps, axis=0)


def pelplug(positions, lags, quantities=("msd", "fs", "chi_4"), wave_numbers=(Q,)):
    """MSD, F_s, and r**4 and overlap if chi_4 is asked; the sums of the `dynamics` plugin, of 20 stretches."""
    from pelplug_dynamics.sums import Asked, Run, sums_by_kind

    frames, n, _ = positions.shape
    array = np.ascontiguousarray(positions.transpose(0, 2, 1))
    run = Run(array, np.arange(frames), np.arange(frames) * 20 // frames, np.asarray(lags))
    asked = Asked(wave_numbers if "fs" in quantities else (), 0.3 if "chi_4" in quantities else None, False)
    sums = sums_by_kind([run], {"A": np.arange(n)}, asked, 20)["A"].sum(axis=2) / n / run.counts(20).sum(axis=1)
    return sums[0], sums[4] if "fs" in quantities else None


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
    """Run dynasor or atooms twice; return processor time of the second run, which compiles nothing, and the curve."""
    run = dynasor if name.startswith("dynasor") else atooms
    run(walk(frames, n), lags, name)
    return run(walk(frames, n), lags, name)


def atooms(positions, lags, name):
    """F_s or MSD by atooms.postprocessing, over all origins that the time grid has; F_s by its Fortran kernel."""
    from atooms import postprocessing
    from atooms.system import Cell, Particle, System
    from atooms.trajectory import TrajectoryRam

    with TrajectoryRam() as trajectory:
        for step, frame in enumerate(positions):
            system = System([Particle(position=one.copy(), species="A") for one in frame], Cell([LENGTH] * 3))
            trajectory.write(system, step)
        trajectory.timestep = 1.0
        grid = [0.0, *map(float, lags)]
        start = time.process_time()
        if name == "atooms-msd":
            found = postprocessing.MeanSquareDisplacement(
                trajectory, tgrid=grid, norigins=len(positions), no_offset=True
            )
        else:
            # Three vectors at one wave number: one an axis.
            found = postprocessing.SelfIntermediateScattering(trajectory, kgrid=[Q], nk=3, tgrid=grid, norigins=-1)
        found.compute()
        seconds = time.process_time() - start
    curve = found.value if name == "atooms-msd" else found.value[0]
    return seconds, np.asarray(curve)[1:].tolist()


def dynasor(positions, lags, name):
    """F_s by dynasor: three vectors a wave number, every lag up to the longest, all origins; from a file."""
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
        vectors = np.concatenate([q * np.eye(3) for q in wave_numbers_of(name)])
        start = time.process_time()
        sample = library.compute_dynamic_structure_factors(
            trajectory, vectors, dt=1.0, window_size=int(lags[-1]), window_step=1, calculate_incoherent=True
        )
        seconds = time.process_time() - start - reading
    return seconds, np.asarray(sample.Fqt_incoh)[:3].mean(axis=0)[np.asarray(lags)].tolist()


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
    parser.add_argument("-N", type=int, nargs="+", default=[1000, 300, 100], help="particles")
    parser.add_argument("-F", type=int, nargs="+", default=[400, 200, 5000], help="frames, as many numbers")
    parser.add_argument("--peer-N", type=int, default=300, help="particles for dynasor and atooms")
    parser.add_argument("--peer-F", type=int, default=200, help="frames for dynasor and atooms")
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        frames, n = arguments.F[0], arguments.N[0]
        print("RESULT", json.dumps(peer(arguments.peer, frames, n, lags_of(arguments.peer, frames))))
        return 0
    rows = []
    for lags in (np.array([1, 2]), np.arange(1, 150)):  # compiles
        for quantities in ((), ("msd", "fs"), ("msd", "fs", "chi_4")):
            pelplug(walk(150, 10), lags, quantities)
    for frames, n in zip(arguments.F, arguments.N, strict=True):
        positions = walk(frames, n)
        some, every = lags_of("", frames), np.arange(1, frames)
        for what, lags, quantities, other in (
            ("MSD, every lag", every, ("msd",), freud),
            ("MSD, 24 lags in log t; freud: every lag", some, ("msd",), freud),
            ("MSD and F_s, 24 lags in log t; pelplug: r^4 and overlap too", some, ("msd", "fs", "chi_4"), numpy_direct),
        ):
            own, theirs = [], []
            for _ in range(arguments.turns):
                seconds, (msd, fs) = timed(pelplug, positions, lags, quantities)
                own.append(seconds)
                seconds, (their_msd, their_fs) = timed(other, positions, lags)
                theirs.append(seconds)
                # freud returns single precision.
                assert np.allclose(msd, their_msd, rtol=1e-3 if other is freud else 1e-9), other
                assert their_fs is None or np.allclose(fs, their_fs, atol=1e-9), other
            rows.append((n, frames, what, other.__name__, own, theirs))
    for name in WHAT if arguments.python else ():
        frames, n = arguments.peer_F, arguments.peer_N
        positions, lags = walk(frames, n), lags_of(name, frames)
        own, theirs = [], []
        for _ in range(arguments.turns):
            quantities = ("msd",) if name == "atooms-msd" else ("msd", "fs")
            seconds, curves = timed(pelplug, positions, lags, quantities, wave_numbers_of(name))
            own.append(seconds)
            command = [arguments.python, os.path.abspath(__file__), "--peer", name, "-N", str(n), "-F", str(frames)]
            with tempfile.TemporaryDirectory() as folder:  # atooms compiles into the working folder
                path = os.pathsep.join([str(pathlib.Path(arguments.python).parent), os.environ.get("PATH", "")])
                environment = {**os.environ, "PATH": path}  # with meson and ninja, which atooms compiles with
                run = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)
            line = [line for line in run.stdout.splitlines() if line.startswith("RESULT")]
            if not line:
                print(f"{name} did not run: {run.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
                break
            seconds, curve = json.loads(line[0][7:])
            theirs.append(seconds)
            off = np.abs(np.array(curve) - curves[name != "atooms-msd"]).max()
            print(f"{name}: largest difference {off:.2g}", file=sys.stderr)
        if len(theirs) == arguments.turns:
            rows.append((n, frames, WHAT[name], name.partition("-")[0], own, theirs))
    print("one thread, processor seconds\n")
    print("| N | F | what | other program | pelplug | other | ratio (least to largest) |")
    print("|---|---|---|---|---|---|---|")
    for n, frames, what, name, own, theirs in rows:
        ratios = np.array(theirs) / np.array(own)
        print(f"| {n} | {frames} | {what} | {name} | {np.median(own):.3g} | {np.median(theirs):.3g} "
              f"| {np.median(ratios):.2g} ({ratios.min():.2g} to {ratios.max():.2g}) |")  # fmt: skip
    return 0


def wave_numbers_of(name):
    """Wave numbers that a program is asked for; the first is Q."""
    fit = tuple(2 * np.pi / LENGTH * np.arange(1, 21))
    return (Q, *(q for q in fit if q != Q)) if name == "dynasor-20" else (Q,)


def lags_of(name, frames):
    """Lags that a program is asked for: dynasor takes every one up to half the frames."""
    return (
        np.arange(1, frames // 2)
        if name.startswith("dynasor")
        else np.unique(np.geomspace(1, frames // 2, 24).astype(int))
    )


if __name__ == "__main__":
    sys.exit(main())
