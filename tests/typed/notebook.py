"""What users write in notebooks and scripts, for a strict type checker; read by mypy in .ci/run, and not run."""

from typing import Any, assert_type

import numpy as np
import xarray as xr

import pelplug
from pelplug import Configuration, Potential, quench

# --- what is run ------------------------------------------------------------------------------------------------------

kappa = pelplug.analyze("kappa", "traj.gsd", model="kob-andersen", stop=2, pairs=100)
assert_type(kappa, xr.Dataset)
both = pelplug.analyze(["kappa", "dynamics"], "traj.gsd")
assert_type(both, dict[str, xr.Dataset])
fitted = pelplug.study("mesoelastic", [kappa, "other.nc"])
assert_type(fitted, xr.Dataset)
pelplug.plot(kappa).savefig("kappa.png")
run = pelplug.analyses.Dynamics("traj.gsd", device="cpu").run(stop=5, n_workers=2)
dataset: xr.Dataset = run.to_dataset()
simulated = pelplug.simulate(
    "kob-andersen", n=1000, temperature=0.5, steps=10**6, engine="lammps", output="traj.gsd", seed=1
)
print(simulated, pelplug.__version__)

model = pelplug.model("kob-andersen", truncation="smooth")
assert_type(model, pelplug.Model)
derived: Any = pelplug.models.KobAndersen
assert_type(pelplug.potential("lammps:in.potential"), Potential)
sampled = pelplug.swap_monte_carlo(model.random_configuration(100, 1), model, temperature=1.0, sweeps=10, threads=2)
assert_type(sampled, pelplug.SwapResult)
watch = pelplug.InSitu(pelplug.analyses.InherentStructures(None, model=model), every=100)
seen: dict[str, xr.Dataset] = watch.datasets()

# --- states, files and results ----------------------------------------------------------------------------------------

with pelplug.open_trajectory("traj.dump", species={"1": "A", "2": "B"}, dt=0.005) as trajectory:
    assert_type(trajectory, pelplug.Trajectory)
    state = trajectory[-1]
    assert_type(state, Configuration)
    assert_type(trajectory[1:], list[Configuration])
    conditions: pelplug.Conditions = trajectory.conditions
    units: pelplug.Units = trajectory.units
state = pelplug.read_configuration("traj.gsd", frame=0)
box, points = state.freud()
mine = Configuration([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]], [5.0, 5.0, 5.0], ["A", "B"], masses=[1.0, 2.0])
count: int = pelplug.write_trajectory("two.gsd", [mine, mine.replace(step=1)], conditions=conditions)
results: dict[str, xr.Dataset] = pelplug.read_results("kappa.nc")
pelplug.write_netcdf("copy.nc", results, overwrite=True)
energies = pelplug.read_energies("log.lammps", column="PotEng")

# --- from a state to its minimum, and there ---------------------------------------------------------------------------

potential = model.potential(state)
energy, forces = potential.energy_forces(state)
assert_type(forces, np.ndarray)
minimum = quench(state, potential, method="fire", force_tolerance=1e-10, threads=1).require_converged()
assert_type(minimum, pelplug.QuenchResult)
descent = pelplug.steepest_descent(state, potential, [1.0, 10.0])
assert_type(descent, pelplug.SteepestDescentResult)
response = pelplug.LinearResponse(minimum.configuration, potential, solver="auto", pairs="all")
stiffness: pelplug.DipoleStiffness = pelplug.dipole_stiffness(response)
answer: pelplug.DipoleResponse = pelplug.dipole_response(response, stiffness.i[:2], stiffness.j[:2])
logarithms: float = pelplug.log_frequency_sum(response, np.ones(state.n))
modulus: pelplug.ShearModulus = pelplug.shear_modulus(response)
constants: pelplug.ElasticConstants = pelplug.elastic_constants(response)
modes: pelplug.SoftModes = pelplug.soft_modes(response, stiffness, starts=100)
near: int = pelplug.pairs_near_cutoff(response)

traps = pelplug.TrapLandscape(sigma=2.9, lam=0.5, cutoff=-25.0)
assert_type(traps.draw(100, 0.5, np.random.default_rng(1), weight=1.0), np.ndarray)
xi: np.ndarray = traps.exponent([0.5, 0.6]) + traps.closed_moment(-1, 0.5)

# --- errors, and where it is computed ---------------------------------------------------------------------------------

try:
    with pelplug.Device("cpu", threads=2):
        runs: pelplug.IsoconfigurationalRuns = pelplug.isoconfigurational(state, model, 0.5, [1.0, 10.0], replicas=10)
        ends: pelplug.SimulationResult | list[pelplug.SimulationResult] = simulated
except (pelplug.InputError, pelplug.RunError) as error:
    said: pelplug.PelplugError = error
except (pelplug.NotAMinimumError, pelplug.NotConvergedError):
    raise
