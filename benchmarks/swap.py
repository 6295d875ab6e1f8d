"""Swap Monte Carlo: moves per second on one core, against the programs that could be had.

    python benchmarks/swap.py [-N 1000 8000] [--peer CLONE]

1. polydisperse-soft-spheres-2d at T = 0.2, equilibrated with pelplug. The peer is github.com/NikitaY69/swap_montecarlo
   (C++, the same model and moves): ``--peer`` names a clone, whose moves are compiled with the flags of its README and
   called by the loop of its ``MC`` without the output. Displacements alone, and with 20 % swaps. Its swaps of diameters
   that differ by more than 0.2 are moves that do nothing; they are not counted (pelplug draws another pair instead).
   Processor time is compared, since machines are shared; of pelplug's it is all that a call of its function takes.
2. kob-andersen at T = 1: ``fix atom/swap`` of LAMMPS, which finds the energy of the whole system for each swap,
   against pelplug with swaps only but for one move in a hundred.

mandadapu-group/parallel-swap-mc is a plugin of HOOMD-blue 2.9 and needs its JIT module with LLVM below 10; it is not
run here.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import tempfile
import time

for _name in ("PELPLUG_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402 (threads are counted when it is loaded)

import pelplug  # noqa: E402

STUB = "namespace boost { namespace program_options {} }\n"
DRIVER = r"""
#include "swap.h"
#include <ctime>
int N, tau = 1, cycles = 1, steps = 1, tw = 1;
double T, p_swap, Size;
const int nr = 50, ns = 100;
double *X, *Y, *S, *Sref, *X0, *Y0, *Xfull, *Yfull, *Xref, *Yref;
std::vector<std::vector<double>> Xtw, Ytw;
std::vector<std::vector<int>> NL, NN;
std::vector<std::vector<std::vector<int>>> NN_tw, RL;
std::vector<std::string> allObs;
int main(int argc, char** argv) {
    std::ifstream in(argv[1]);
    T = atof(argv[2]); p_swap = atof(argv[3]); steps = atoi(argv[4]);
    in >> N;
    Size = std::sqrt(N);
    srand(1);
    for (double** a : {&X, &Y, &S, &Sref, &X0, &Y0, &Xfull, &Yfull, &Xref, &Yref}) *a = new double[N]();
    for (int i = 0; i < N; i++) {
        in >> S[i] >> X[i] >> Y[i];
        X0[i] = X[i] = Pshift(X[i]);
        Y0[i] = Y[i] = Pshift(Y[i]);
    }
    UpdateNL();
    long empty = 0;
    std::clock_t begin = std::clock();
    for (int t = 1; t <= steps; t++) {
        if ((t - 1) % 150 == 0) {
            double most = 0;
            for (int i = 0; i < N; i++) {
                double x = bcs(X[i], X0[i]), y = bcs(Y[i], Y0[i]);
                most = std::max(most, x * x + y * y);
            }
            if (most > RUpdate) {
                UpdateNL();
                for (int i = 0; i < N; i++) { X0[i] = X[i]; Y0[i] = Y[i]; }
            }
        }
        for (int i = 0; i < N; i++) {
            if (ranf() > p_swap) TryDisp(i);
            else {
                int k = floor(ranf() * N);
                empty += std::abs(S[i] - S[k]) > deltaSMax;
                TrySwap(i, k);
            }
        }
    }
    double seconds = double(std::clock() - begin) / CLOCKS_PER_SEC;
    printf("%.9g %.9g\n", (double(N) * steps - empty) / seconds, VTotal() / (2 * N));
}
"""


def compile_peer(clone: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    """Compile the peer's moves with a loop that only makes moves."""
    (folder / "boost").mkdir()
    (folder / "boost" / "program_options.hpp").write_text(STUB)  # only its main() reads options
    (folder / "driver.cpp").write_text(DRIVER)
    source = clone / "src" / "SMC"
    files = [source / name for name in ("montecarlo.cpp", "neighbours.cpp", "observables.cpp")]
    flags = ["-lstdc++fs", "-O2", "-mfma", "-mbmi2", "-flto", "-w"]
    program = folder / "peer"
    subprocess.run(
        ["g++", f"-I{folder}", f"-I{source}", folder / "driver.cpp", *files, "-o", program, *flags], check=True
    )
    return program


def soft_discs(n: int, turns: int, program: pathlib.Path | None, folder: pathlib.Path) -> None:
    """Time pelplug and the peer in turns from the same equilibrated state: processor seconds, medians of the turns."""
    temperature, sweeps = 0.2, max(50, 1_500_000 // n)
    model = pelplug.model("polydisperse-soft-spheres-2d")
    start = model.random_configuration(n, 1)
    start = pelplug.swap_monte_carlo(start, model, temperature, 10, equilibration=4 * sweeps // 3, seed=1).configuration
    table = folder / f"start{n}.txt"
    np.savetxt(table, np.column_stack((start.diameters, start.positions)), header=str(n), comments="")
    for p_swap in (0.0, 0.2):
        ours, theirs, energies = [], [], {}
        for turn in range(turns):
            begin = time.process_time()
            run = pelplug.swap_monte_carlo(start, model, temperature, sweeps, delta=0.06, p_swap=p_swap, seed=turn)
            ours.append(n * sweeps / (time.process_time() - begin))
            energies["pelplug"] = run.energies[-1] / n
            if program is not None:
                found = subprocess.run(
                    [program, table, str(temperature), str(p_swap), str(sweeps)], capture_output=True, check=True
                ).stdout.split()
                theirs.append(float(found[0]))
                energies["peer"] = float(found[1])
        line = f"soft discs, N = {n}, p_swap = {p_swap}: pelplug {np.median(ours) / 1e6:.3f} million moves/s"
        if theirs:
            ratios = np.array(ours) / theirs
            line += f", swap_montecarlo {np.median(theirs) / 1e6:.3f}, ratio {np.median(ratios):.2f} "
            line += f"({ratios.min():.2f} to {ratios.max():.2f})"
        print(line, "; last energy a particle:", ", ".join(f"{k} {v:.4f}" for k, v in energies.items()), flush=True)


def mixture(n: int) -> None:
    """Time swaps of species: LAMMPS fix atom/swap against pelplug."""
    try:
        lmp = pelplug.load_lammps().lammps(cmdargs=["-screen", "none", "-log", "none"])
    except (pelplug.InputError, OSError) as error:
        print(f"kob-andersen: LAMMPS is missing ({error})")
        return
    if not lmp.has_style("fix", "atom/swap"):
        print("kob-andersen: this LAMMPS has no fix atom/swap")
        return
    temperature = 1.0
    model = pelplug.model("kob-andersen")
    start = model.random_configuration(n, 1)
    start = pelplug.swap_monte_carlo(start, model, temperature, 10, equilibration=200, p_swap=0.0, seed=1).configuration
    edge = float(start.cell[0, 0])
    lmp.commands_string(f"""
        units lj
        atom_modify map array sort 0 0
        region box block 0 {edge!r} 0 {edge!r} 0 {edge!r}
        create_box 2 box
    """)
    types = [1 if name == "A" else 2 for name in start.species]
    lmp.create_atoms(n, list(range(1, n + 1)), types, start.positions.ravel().tolist())
    swaps = 2000
    lmp.commands_string(f"""
        mass * 1.0
        pair_style lj/cut 2.5
        pair_coeff 1 1 1.0 1.0 2.5
        pair_coeff 1 2 1.5 0.8 2.0
        pair_coeff 2 2 0.5 0.88 2.2
        pair_modify shift yes
        group everything type 1 2
        fix swap everything atom/swap 1 {swaps} 4711 {temperature} types 1 2 ke no
    """)
    lmp.command("run 1 post no")
    begin = time.perf_counter()
    lmp.command("run 1 post no")
    theirs = swaps / (time.perf_counter() - begin)
    accepted = lmp.extract_fix("swap", 0, 1, 1) / lmp.extract_fix("swap", 0, 1, 0)
    lmp.close()
    pelplug.swap_monte_carlo(start, model, temperature, 1, p_swap=0.99, delta=0.06, seed=1)
    begin = time.perf_counter()
    run = pelplug.swap_monte_carlo(start, model, temperature, 20, p_swap=0.99, delta=0.06, seed=1)
    ours = 20 * n / (time.perf_counter() - begin)
    print(
        f"kob-andersen, N = {n}, swaps of species: pelplug {ours:.0f} a second (accepted {run.swap_acceptance:.2g}), "
        f"LAMMPS fix atom/swap {theirs:.0f} (accepted {accepted:.2g}), ratio {ours / theirs:.1f}"
    )


def main() -> None:
    """Run both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-N", type=int, nargs="+", default=[1000, 8000])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--peer", type=pathlib.Path, help="clone of github.com/NikitaY69/swap_montecarlo")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        program = compile_peer(arguments.peer, folder) if arguments.peer else None
        if program is None:
            print("swap_montecarlo is left out: clone it and pass --peer CLONE")
        for n in arguments.N:
            soft_discs(n, arguments.turns, program, folder)
    mixture(1000)


if __name__ == "__main__":
    main()
