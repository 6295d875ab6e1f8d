"""The checks of an engine that need more than one session: going on after a cut, a simulation, and what it refuses."""

from __future__ import annotations

import unittest

import numpy as np

from pelplug.engines.engine import EquationsOfMotion
from pelplug.errors import InputError
from pelplug.host.simulations import simulate
from pelplug.testing.checks import check, require
from pelplug.testing.engines import STEPS, engine_of, model_of, session_of, start_of
from pelplug.testing.samples import registry_with
from pelplug.trajectories.opening import open_trajectory

__all__ = []


@check("engine")
def check_engine_resumes(cls, kit):
    """From the state and `internal` another session goes on as the first one would have."""
    for method in ("nve", "nvt"):
        try:
            with session_of(cls, kit, method) as session:
                session.run(STEPS // 2)
                state = session.configuration()
                internal = {name: np.array(values) for name, values in session.internal().items()}
                session.run(STEPS // 2)
                whole = session.configuration()
        except unittest.SkipTest:
            continue
        with session_of(cls, kit, method, state, internal=internal) as session:
            session.run(STEPS // 2)
            found = session.configuration()
        off = float(np.abs(found.unwrapped_positions() - whole.unwrapped_positions()).max())
        require(off <= kit.tolerance, f"with {method} it goes on {off:.3g} away from where it would have gone")
        require(found.step == whole.step, f"it goes on at step {found.step}, not {whole.step}")


class _StopError(Exception):
    """Ends a simulation as a kill would."""


@check("engine")
def check_engine_simulates(cls, kit):
    """It runs pelplug.simulate; stopped on the way, the same command goes on, and nothing of the file is different."""
    engine_of(cls, kit)
    start, model = start_of(kit), model_of(kit)
    registry = registry_with(cls)
    given = {
        "steps": STEPS, "ensemble": "nve", "start": start, "equilibration": 0, "frames": 20, "log_every": 10,
        "time_step": model.time_step or 0.005, "engine": cls.name, "engine_options": dict(kit.parameters),
        "registry": registry, "checkpoint_seconds": 0.0, "device": "cpu",
    }  # fmt: skip

    def stop(stage, done, total):
        if done >= STEPS // 2:
            raise _StopError

    whole, broken = kit.folder / "whole.gsd", kit.folder / "broken.gsd"
    simulate(model, output=whole, **given)
    try:
        simulate(model, output=broken, progress=stop, **given)
    except _StopError:
        simulate(model, output=broken, **given)
    frames, places = list(range(0, STEPS + 1, 20)), []
    for path in (whole, broken):
        with open_trajectory(path) as trajectory:
            steps = [state.step for state in trajectory]
            require(steps == frames, f"frames are of the steps {steps}, not {frames}")
            logged = [trajectory.log(k)["pelplug/energies/step"] for k in range(len(trajectory))]
            energies = [trajectory.log(k)["pelplug/energies/potential_energy"] for k in range(len(trajectory))]
            steps = np.concatenate(logged).tolist()
            require(steps == list(range(0, STEPS + 1, 10)), f"energies are of the steps {steps}, not every 10")
            places.append((trajectory[-1].unwrapped_positions(), np.concatenate(energies)))
    near = 1e-5 * float(np.abs(start.cell).max())  # files have single precision
    require(np.allclose(places[0][0], places[1][0], atol=near), "a run that was stopped and went on ends elsewhere")
    close = kit.tolerance * (np.abs(places[0][1]).max() + 1.0)
    require(np.allclose(places[0][1], places[1][1], atol=close), "a run that went on logs other energies")


@check("engine")
def check_engine_refuses(cls, kit):
    """A start without velocities, and species that the model does not have, are refused by an InputError."""
    state = start_of(kit)
    strangers = {"a start without velocities": state.replace(velocities=None)}
    if model_of(kit).species:
        strangers["an unknown species"] = state.replace(species=np.full(state.n, "unheard-of"))
    engine, dynamics = engine_of(cls, kit), EquationsOfMotion("nve", model_of(kit).time_step or 0.005)
    for what, stranger in strangers.items():
        try:
            engine.session(stranger, model_of(kit), dynamics, seed=1).close()
        except InputError as error:
            require(str(error).strip(), f"{what} is refused without a sentence")
        except Exception as error:
            raise AssertionError(f"{what} ends in {type(error).__name__} ({error}), not in an InputError") from error
        else:
            raise AssertionError(f"{what} is not refused")
