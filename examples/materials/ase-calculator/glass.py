"""Amorphous silicon by ASE: a liquid, a glass cooled from it, and a minimum, by its own dynamics and minimiser."""

import pathlib
import sys

import numpy as np
from ase.build import bulk
from ase.io import write
from ase.md.langevin import Langevin
from ase.md.logger import MDLogger
from ase.md.verlet import VelocityVerlet
from ase.optimize import FIRE
from ase.units import fs, kB
from calculator import silicon

cells, steps = map(int, sys.argv[1:])
rng = np.random.default_rng(1)
atoms = bulk("Si", cubic=True, a=5.431) * cells
atoms.calc = silicon()
atoms.set_momenta(rng.normal(size=(len(atoms), 3)) * np.sqrt(8000 * kB * atoms.get_masses())[:, None])


def at(temperature, steps):
    """Hold the atoms at a temperature [K]."""
    Langevin(atoms, 2 * fs, temperature_K=temperature, friction=0.02 / fs, rng=rng, fixcm=False).run(steps)


at(4000, steps // 2)
at(3000, steps // 2)
run = VelocityVerlet(atoms, 2 * fs, trajectory="run.traj", loginterval=5)
run.attach(MDLogger(run, atoms, "run.log", mode="w"), interval=2)
run.run(steps)

for temperature in range(2900, 200, -100):
    at(temperature, steps // 20)
write("glass.traj", atoms)
pathlib.Path("glass.energy").write_text(repr(float(atoms.get_potential_energy())))

# For the comparison: ASE's own minimum.
FIRE(atoms, logfile=None).run(fmax=1e-6, steps=5000)
write("minimum.traj", atoms)
pathlib.Path("minimum.energy").write_text(repr(float(atoms.get_potential_energy())))
