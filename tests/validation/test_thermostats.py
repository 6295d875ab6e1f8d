"""Silicon at its long time step: HOOMD-blue, LAMMPS and the limit of small steps are one ensemble.

PELPLUG_HOOMD_PATH=... pytest tests/validation/test_thermostats.py -m validation -s
"""

import json
import subprocess
import sys

import numpy as np
import pytest

pytestmark = [pytest.mark.validation, pytest.mark.hoomd]

# Each in a process of its own: an MPI build of HOOMD-blue and the MPI of LAMMPS do not go together.
PROGRAM = """
import json, sys
import numpy as np, pelplug
from pelplug.engines.engine import EquationsOfMotion
from pelplug.engines.velocities import thermalised
engine, step = sys.argv[1], float(sys.argv[2])
if engine == "hoomd":
    from pelplug.engines.hoomd.engine import HoomdEngine as Engine
else:
    from pelplug.engines.lammps.engine import LammpsEngine as Engine
model, temperature = pelplug.model("stillinger-weber"), 0.07
start = model.random_configuration(512, 1)
state = pelplug.quench(start, model.potential(start), force_tolerance=1e-2, max_evaluations=200).configuration
state = thermalised(state, model, 0.2, 1).replace(step=0)
for warm, steps in ((0.2, 2000), (temperature, 6000)):
    with Engine().session(state, model, EquationsOfMotion("nvt", 0.02, warm), seed=1) as run:
        run.run(steps)
        state = run.configuration().replace(step=0)
dynamics, steps = EquationsOfMotion("nvt", step, temperature, thermostat_time=2.6), round(1300 / step)
with Engine().session(state, model, dynamics, seed=1, log_every=round(0.65 / step)) as run:
    run.run(steps // 5)
    energies = run.run(steps).potential_energy / state.n
blocks = np.array([block.mean() for block in np.array_split(energies, 16)])
print("found", json.dumps([blocks.mean(), blocks.std(ddof=1) / 4]))
"""


def test_potential_energies_agree():
    found = {}
    for engine in ("hoomd", "lammps"):
        for step in ("0.065", "0.01625"):
            done = subprocess.run([sys.executable, "-c", PROGRAM, engine, step], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            found[engine, step] = json.loads(done.stdout.rpartition("found")[2])
            print(engine, step, "U/N = {:.5f} +- {:.5f}".format(*found[engine, step]))
    values, errors = np.array(list(found.values())).T
    mean = np.average(values, weights=errors**-2)
    # Four numbers about their mean: chi-squared of three degrees of freedom exceeds 16.3 once in a thousand times.
    assert np.sum(((values - mean) / errors) ** 2) < 16.3
    assert np.all(errors < 6e-4)  # without the correction LAMMPS is off by 2.8e-3 at the long step
