"""Silicon: LAMMPS's own file of parameters, its own runs, the published crystal."""

import numpy as np
import oracles
import pytest
from oracles.metals import SHIPPED, needs_shipped

import pelplug
from pelplug.testing import crystal, states

MODEL = pelplug.model("silicon")


def assert_same(state, answer):
    energy, forces = MODEL.potential(state).energy_forces(state)
    assert energy == pytest.approx(answer.energy, rel=1e-9)
    typical = np.sqrt(np.mean(answer.forces**2))
    assert typical > 1e-2
    np.testing.assert_allclose(forces, answer.forces, rtol=1e-9, atol=1e-9 * typical)
    stress = MODEL.potential(state).stress(state)
    np.testing.assert_allclose(stress, answer.stress, rtol=1e-9, atol=1e-9 * np.abs(answer.stress).max())


@needs_shipped
@pytest.mark.parametrize("cell", ["orthorhombic", "triclinic"])
@pytest.mark.parametrize("kind", ["liquid", "warm crystal"])
def test_lammps_by_its_own_file(kind, cell):
    if kind == "liquid":
        state = MODEL.random_configuration(200, 1)
        state = states.without_overlaps(state, MODEL.potential(state))
    else:
        state = crystal("diamond", 3, density=MODEL.density, species="Si")
        moved = np.random.default_rng(2).normal(scale=0.1, size=state.positions.shape)
        state = state.replace(positions=state.positions + moved)
    if cell == "triclinic":
        state = states.tilted(state, 3)
    commands = f"pair_style sw\npair_coeff * * {SHIPPED / 'Si.sw'} Si"
    assert_same(state, oracles.lammps(state, ("Si",), commands, units="metal"))


def test_the_crystal_is_the_published_one():
    """Each pair in its minimum -epsilon, four neighbours an atom, no angle strained, nothing beyond: -2 epsilon."""
    state = crystal("diamond", 3, density=MODEL.density, species="Si")
    energy, forces = MODEL.potential(state).energy_forces(state)
    assert energy / state.n == pytest.approx(-2 * 2.1683, rel=1e-9)
    assert np.abs(forces).max() < 1e-10 and np.abs(MODEL.potential(state).stress(state)).max() < 1e-8
    assert (state.volume / state.n * 8) ** (1 / 3) == pytest.approx(5.431, abs=5e-4)  # silicon's lattice constant
    assert MODEL.masses_of(state) == pytest.approx(28.0855)


RUN = """
units metal
atom_modify map array
lattice diamond 5.431
region box block 0 2 0 2 0 2
create_box 1 box
create_atoms 1 box
mass 1 28.0855
pair_style sw
pair_coeff * * {file} Si
thermo_modify norm no
velocity all create 2000 7
fix 1 all nve
dump 1 all custom 30 {dump} id type x y z
dump_modify 1 sort id units yes format float %.15g
run 30
"""


@needs_shipped
def test_a_dump_of_lammps_is_analysed_in_electronvolts(pelplug_command):
    """LAMMPS's energy of the frame; at the minimum the crystal's energy and published C44."""
    folder, lmp = pelplug_command.folder, oracles.start_lammps()
    lmp.commands_string(RUN.format(file=SHIPPED / "Si.sw", dump=folder / "silicon.dump"))
    energy = lmp.get_thermo("pe")
    lmp.close()
    given = ["analyze", "silicon.dump", "--model", "silicon", "--dt", "0.001", "--start", "1", "--plugin"]
    refused = pelplug_command(*given, "kappa", "-o", "a.nc", code=2).stderr
    assert "has the species Si, but the configuration has 1; say which is which, for example --species 1=Si" in refused
    found = {}
    for name in ("inherent-structures", "vibrations"):
        pelplug_command(*given, name, "--species", "1=Si", "-o", f"{name}.nc", code=0)
        found[name] = pelplug.read_results(folder / f"{name}.nc")[name]
    minima, modes = found.values()
    assert float(minima["initial_energy"][0]) == pytest.approx(energy, rel=1e-9)
    assert float(minima["energy_per_particle"][0]) == pytest.approx(-2 * 2.1683, rel=1e-6)  # 5.431 is no more exact
    assert minima["energy"].attrs["units"] == "eV" and float(minima["time"][0]) == pytest.approx(0.03)
    # 56.4 GPa: H. Balamane et al., Phys. Rev. B 46, 2250 (1992).
    assert modes["shear_modulus"].attrs["units"] == "eV / Angstrom**3" and modes["omega"].attrs["units"] == "rad / ps"
    assert float(modes["shear_modulus"][0]) * 160.21766 == pytest.approx(56.4, abs=0.1)
