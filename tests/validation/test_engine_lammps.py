"""LAMMPS by pelplug conserves energy over 1e5 steps (docs/records/2026-11-21-energy-conservation-lammps.md).

    pytest tests/validation/test_engine_lammps.py -m validation -s

Protocol, fixed before the first run, as for HOOMD-blue: the liquids of tests/engines/lammps/test_engine.py; 5000
steps with the thermostat, then 1e5 steps of Newton's equations at the model's time step (half of it for stillinger-
weber, whose own is known to drift with velocity Verlet), energy every 100 steps. The drift is the slope of a line
through all of them times 1e5 steps; it must stay below 2e-3 k_B T for each particle. kob-andersen is left out with
its own truncation, whose force jumps at the cutoff, and taken with ``smooth``.
"""

import importlib.util
import pathlib

import numpy as np
import pytest

_PATH = pathlib.Path(__file__).parents[1] / "engines" / "lammps" / "test_engine.py"
_SPEC = importlib.util.spec_from_file_location("fast_lammps_tests", _PATH)
fast = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(fast)

TRUNCATION = {"kob-andersen": {"truncation": "smooth"}, "kob-andersen-2d": {"truncation": "smooth"}}
HALVED = ("stillinger-weber",)

pytestmark = pytest.mark.validation


@pytest.mark.parametrize("name", fast.MODELS)
def test_energy_over_1e5_steps(name):
    temperature = fast.MODELS[name][1]
    model, start = fast.liquid(name, **TRUNCATION.get(name, {}))
    step = model.time_step * (0.5 if name in HALVED else 1.0)
    with fast.session(model, start, "nvt", temperature=temperature, time_step=step) as run:
        run.run(5000)
        state, route = run.configuration(), run.route
    with fast.session(model, state, "nve", log_every=100, time_step=step) as run:
        log = run.run(100_000)
    kinetic = 0.5 * state.dimension * (state.n - 1) * model.boltzmann * log.kinetic_temperature
    energy = (log.potential_energy + kinetic) / (state.n * model.boltzmann * temperature)
    drift = np.polyfit(log.step / 1e5, energy, 1)[0]
    print(
        f"| {name} | {route} | {state.n} | {step} | {log.kinetic_temperature.mean():.4g} | {drift:+.1e} | "
        f"{energy.std():.1e} |",
        flush=True,
    )
    assert abs(drift) < 2e-3
