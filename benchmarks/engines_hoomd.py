"""HOOMD-blue by pelplug against HOOMD-blue by hand, and pelplug's routes to forces against each other, on one core.

    python benchmarks/engines_hoomd.py [-N 1000 4000] [--folder WHERE_HOOMD_IS]

Kob-Andersen, cut and shifted, T = 0.6, rho = 1.2, dt = 0.005, Nose-Hoover (MTTK), energy and temperature logged every
10 steps. The script by hand is what HOOMD's documentation shows: pair.LJ, a Cell list with buffer 0.4, the log by
hoomd.write.Table to a file. All start from one state, melted and equilibrated for 5000 steps. They run by turns, 250
steps each, and what is printed is the median over the rounds of the ratio of CPU times within a round: the machine may
be busy.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time

for _name in ("PELPLUG_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np  # noqa: E402 (threads are counted when it is loaded)

import pelplug  # noqa: E402

TEMPERATURE, STEP, LOG = 0.6, 0.005, 10


def by_hand(state, log_file):
    """Set up the liquid as a plain HOOMD script does; return what runs so many steps."""
    import hoomd

    simulation = hoomd.Simulation(device=hoomd.device.CPU(notice_level=1), seed=1)
    snapshot = hoomd.Snapshot()
    length = state.cell[0, 0]
    snapshot.configuration.box = [length, length, length, 0, 0, 0]
    snapshot.particles.N = state.n
    snapshot.particles.types = ["A", "B"]
    snapshot.particles.typeid[:] = state.species == "B"
    snapshot.particles.position[:] = state.wrapped().positions - length / 2
    snapshot.particles.velocity[:] = state.velocities
    simulation.create_state_from_snapshot(snapshot)
    lj = hoomd.md.pair.LJ(hoomd.md.nlist.Cell(buffer=0.4), mode="shift")
    for pair, epsilon, sigma in ((("A", "A"), 1.0, 1.0), (("A", "B"), 1.5, 0.8), (("B", "B"), 0.5, 0.88)):
        lj.params[pair] = {"epsilon": epsilon, "sigma": sigma}
        lj.r_cut[pair] = 2.5 * sigma
    everything = hoomd.filter.All()
    thermostat = hoomd.md.methods.thermostats.MTTK(kT=TEMPERATURE, tau=40 * STEP)
    method = hoomd.md.methods.ConstantVolume(everything, thermostat)
    simulation.operations.integrator = hoomd.md.Integrator(dt=STEP, methods=[method], forces=[lj])
    thermo = hoomd.md.compute.ThermodynamicQuantities(everything)
    simulation.operations.computes.append(thermo)
    logger = hoomd.logging.Logger(categories=["scalar"])
    logger.add(simulation, quantities=["timestep"])
    logger.add(thermo, quantities=["potential_energy", "kinetic_temperature"])
    table = hoomd.write.Table(output=log_file, trigger=hoomd.trigger.Periodic(LOG), logger=logger)
    simulation.operations.writers.append(table)
    return simulation.run


def by_pelplug(state, model, route):
    """Set up the same by the engine; return what runs so many steps, and the route in words."""
    from pelplug.engines.engine import EquationsOfMotion
    from pelplug.engines.hoomd.engine import HoomdEngine

    dynamics = EquationsOfMotion("nvt", STEP, temperature=TEMPERATURE)
    session = HoomdEngine(device="cpu", route=route).session(state, model, dynamics, seed=1, log_every=LOG)
    return session.run, session.route


def liquid(model, n):
    """Melt a shuffled lattice and bring it to the temperature."""
    from pelplug.engines.engine import EquationsOfMotion
    from pelplug.engines.hoomd.engine import HoomdEngine
    from pelplug.engines.velocities import thermalised

    start = model.random_configuration(n, 1)
    start = pelplug.quench(start, model.potential(start), force_tolerance=1.0).configuration
    for temperature in (3.0, TEMPERATURE):
        start = thermalised(start, model, temperature, 2)
        dynamics = EquationsOfMotion("nvt", STEP if temperature < 1 else 0.5 * STEP, temperature=temperature)
        session = HoomdEngine(device="cpu").session(start, model, dynamics, seed=1)
        session.run(2500)
        start = session.configuration()
    return start.replace(step=0, time=None)


def main() -> int:
    """Run and print; exit 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-N", type=int, nargs="+", default=[1000, 4000])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--folder", default=os.environ.get("PELPLUG_HOOMD_PATH"), help="folder with the hoomd package")
    options = parser.parse_args()
    if options.folder:
        sys.path.append(options.folder)
    try:
        import hoomd
        import hoomd.md
    except ImportError:
        print("HOOMD-blue is not here: install it from conda-forge, or name its folder with --folder. Nothing was run.")
        return 0
    print(f"HOOMD-blue {hoomd.version.version}, precision {hoomd.version.floating_point_precision}, one core\n")
    model = pelplug.model("kob-andersen")
    print("| N | what runs | steps/s of CPU time | time over that of the script by hand (quartiles) |")
    print("|---|---|---|---|")
    for n in options.N:
        state = liquid(model, n)
        with tempfile.TemporaryFile("w") as log_file:
            runs = {"HOOMD by hand: pair.LJ": by_hand(state, log_file)}
            for route in ("native", "table", "kernel"):
                run, text = by_pelplug(state, model, route)
                runs[f"pelplug, {text.split(',')[0]}"] = run
            for run in runs.values():
                run(options.steps)
            seconds = np.empty((options.rounds, len(runs)))
            for k in range(options.rounds):
                for j in np.roll(np.arange(len(runs)), k):
                    began = time.process_time()
                    list(runs.values())[j](options.steps)
                    seconds[k, j] = time.process_time() - began
        ratios = seconds / seconds[:, :1]
        for j, name in enumerate(runs):
            low, middle, high = np.percentile(ratios[:, j], [25, 50, 75])
            speed = options.steps / np.median(seconds[:, j])
            print(f"| {n} | {name} | {speed:.0f} | {middle:.3f} ({low:.3f} to {high:.3f}) |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
