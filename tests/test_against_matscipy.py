"""Hessians, forces and stresses against matscipy's analytic ones."""

from __future__ import annotations

import numpy as np
import oracles
import pytest

import pelplug.models as models
from pelplug.testing import states

pytest.importorskip("matscipy")

# model, parameters, matscipy's parameters, and numbers of particles: ordinary, and so few that r_c > L/2.
CASES = {
    "ka-shift": ("kob-andersen", {}, {}, 150, 65),
    "ka-shifted-force": (
        "kob-andersen",
        {"truncation": "shifted-force"},
        {"truncation": "shifted-force"},
        150,
        65,
    ),
    "ka-smooth": ("kob-andersen", {"truncation": "smooth"}, {"truncation": "smooth"}, 150, 65),
    "ka-smooth-1.8": (
        "kob-andersen",
        {"truncation": "smooth", "cutoff": 1.8},
        {"truncation": "smooth", "cutoff": 1.8},
        150,
        40,
    ),
    "ka-2d": ("kob-andersen-2d", {}, {}, 100, 24),
    "mblj": ("modified-kob-andersen", {}, {}, 150, 50),
    "ipl": ("inverse-power-law", {}, {}, 150, 40),
    "ipl-2d": ("inverse-power-law-2d", {}, {}, 100, 12),
    "ss": ("sticky-spheres", {}, {}, 150, 30),
    "pss": ("polydisperse-soft-spheres", {}, {}, 150, 40),
    "pss-2d": ("polydisperse-soft-spheres-2d", {}, {}, 100, 12),
    "harmonic-2d": ("harmonic-spheres", {"dimension": 2}, {"per_particle": True}, 100, 9),
    "harmonic-3d": ("harmonic-spheres", {"dimension": 3}, {}, 150, 9),
}


def make(case: str, size: str, cell: str):
    name, parameters, theirs, ordinary, small = CASES[case]
    n = ordinary if size == "ordinary" else small
    model = models.build(name, **parameters)
    configuration = model.random_configuration(n, rng=n + 1)
    if cell == "triclinic":
        # ase keeps the plane of two dimensions in x and y, so a turned cell is fine there too.
        configuration = states.tilted(configuration, rng=n + 1)
    potential = model.potential(configuration)
    calculator = oracles.matscipy_calculator(name, **theirs)
    return model, states.without_overlaps(configuration, potential), potential, calculator


@pytest.mark.parametrize("cell", ["orthorhombic", "triclinic"])
@pytest.mark.parametrize("size", ["ordinary", "cutoff beyond half the box"])
@pytest.mark.parametrize("case", CASES)
def test_hessian_forces_and_stress(case, size, cell):
    model, configuration, potential, calculator = make(case, size, cell)
    theirs = oracles.matscipy_hessian(configuration, model.species, calculator)
    ours = potential.hessian(configuration).toarray()
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9 * np.abs(theirs).max())
    answer = oracles.matscipy(configuration, model.species, calculator)
    energy, forces = potential.energy_forces(configuration)
    assert energy == pytest.approx(answer.energy, rel=1e-9)
    np.testing.assert_allclose(forces, answer.forces, rtol=1e-9, atol=1e-9 * np.sqrt(np.mean(forces**2)))
    if configuration.dimension == 3:
        stress = potential.stress(configuration)
        np.testing.assert_allclose(stress, answer.stress, rtol=1e-9, atol=1e-9 * np.abs(stress).max())


def test_matscipys_own_inverse_power_law():
    # matscipy states this model itself: r^-10 ended to q = 3. Its size rule gives sigma_SL = 1.18 for na = 1/24.
    from matscipy.calculators.polydisperse import InversePowerLawPotential, Polydisperse

    model = models.build("inverse-power-law")
    configuration = model.random_configuration(150, rng=8)
    potential = model.potential(configuration)
    configuration = states.without_overlaps(configuration, potential)
    sized = configuration.replace(diameters=np.where(configuration.species == "S", 1.0, 1.4))
    calculator = Polydisperse(InversePowerLawPotential(1.0, 1.48, 1.0 / 24.0, 3, 1.0, 1.4))
    theirs = oracles.matscipy_hessian(sized, model.species, calculator)
    ours = potential.hessian(configuration).toarray()
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9 * np.abs(theirs).max())
    assert potential.energy(configuration) == pytest.approx(
        oracles.matscipy(sized, model.species, calculator).energy, rel=1e-9
    )


@pytest.mark.parametrize("case", ["ka-smooth", "ipl", "pss"])
def test_affine_shear_against_the_born_constants(case):
    # Simple shear moves r by g r_b e_a, so d2U/dg2 is V times the Born constant plus V sigma_bb.
    model, configuration, potential, calculator = make(case, "ordinary", "orthorhombic")
    atoms = oracles.ase_atoms(configuration, model.species)
    atoms.calc = calculator
    born = calculator.get_property("born_constants", atoms)
    shear = potential.strain_derivatives(configuration)
    stress = potential.stress(configuration)
    assert shear.planes == ((0, 1), (0, 2), (1, 2))
    for second, (a, b) in zip(shear.second, shear.planes, strict=True):
        assert second / configuration.volume - stress[b, b] == pytest.approx(born[a, b, a, b], rel=1e-9)
