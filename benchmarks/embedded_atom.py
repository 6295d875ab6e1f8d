"""Force evaluations a second of Cu50Zr50: pelplug against LAMMPS eam/fs, one core, the same motion, in one run.

    python benchmarks/embedded_atom.py [-N 2048] [--rounds 10]

LAMMPS runs a solid at 300 K (NVE, 2 fs, skin 1 Angstrom); pelplug then evaluates the forces at the very positions of
each step, neighbour lists included. Both in turns of 25 steps; times are CPU times, those of LAMMPS with its
integrator. Energies are compared first.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time

os.environ["PELPLUG_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

import pelplug

STEPS = 25


def start_lammps(state: pelplug.Configuration, file: str):
    """Return a LAMMPS that holds the state."""
    lmp = pelplug.load_lammps().lammps(cmdargs=["-screen", "none", "-log", "none"])
    edge = float(state.cell[0, 0])
    lmp.commands_string(f"""
        units metal
        atom_modify map array
        region box block 0 {edge!r} 0 {edge!r} 0 {edge!r}
        create_box 2 box
    """)
    types = [1 if name == "Cu" else 2 for name in state.species]
    lmp.create_atoms(state.n, list(range(1, state.n + 1)), types, state.wrapped().positions.ravel().tolist())
    lmp.commands_string(f"""
        pair_style eam/fs
        pair_coeff * * {file} Cu Zr
        neighbor 1.0 bin
        thermo_modify norm no
        thermo 1000000
        velocity all create 600 1
        fix 1 all nve
        timestep 0.002
        run 0
    """)
    return lmp


def positions_of(lmp, before: np.ndarray, edge: float) -> np.ndarray:
    """Return LAMMPS's positions, moved by box lengths to where they continue ``before``."""
    x = np.ctypeslib.as_array(lmp.gather_atoms("x", 1, 3)).reshape(-1, 3)
    return x - edge * np.round((x - before) / edge)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-N", type=int, default=2048, help="atoms")
    parser.add_argument("--rounds", type=int, default=10, help="turns of 25 steps")
    options = parser.parse_args()
    model = pelplug.model("cu50zr50")
    state = model.random_configuration(options.N, 1)
    potential = model.potential(state)
    state = pelplug.quench(state, potential, max_evaluations=200).configuration.wrapped()
    edge = float(state.cell[0, 0])
    lmp = start_lammps(state, potential.tables.path)
    assert abs(lmp.get_thermo("pe") / potential.energy(state) - 1.0) < 1e-9
    lmp.command("run 200")
    x, forces = positions_of(lmp, state.positions, edge), np.empty((state.n, 3))
    evaluate = potential.evaluator(state.replace(positions=x))
    evaluate(x, forces)
    rates = {"pelplug": [], "LAMMPS": []}
    for _ in range(options.rounds):
        path = []
        for _ in range(STEPS):
            lmp.command("run 1 pre no post no")
            x = positions_of(lmp, x, edge)
            path.append(x)
        begin = time.process_time()
        for place in path:
            energy = evaluate(place, forces)
        rates["pelplug"].append(STEPS / (time.process_time() - begin))
        begin = time.process_time()
        lmp.command(f"run {STEPS} pre no post no")
        rates["LAMMPS"].append(STEPS / (time.process_time() - begin))
        x = positions_of(lmp, x, edge)
    assert np.isfinite(energy)
    for name, values in rates.items():
        print(f"{name:8} {max(values):7.1f} evaluations/s at best, {statistics.median(values):7.1f} in the middle")
    ratio = statistics.median(a / b for a, b in zip(*rates.values(), strict=True))
    print(f"N = {state.n}: pelplug / LAMMPS = {ratio:.2f} (median of {options.rounds}), "
          f"{evaluate.rebuilds} neighbour searches in {evaluate.evaluations} evaluations")  # fmt: skip


if __name__ == "__main__":
    main()
