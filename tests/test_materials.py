"""The walk-throughs of docs/materials, small: files by another program, commands of pelplug, one number of both."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import pelplug

MATERIALS = pathlib.Path(__file__).parents[1] / "examples" / "materials"
PATH = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])


def needs(program, of):
    return pytest.mark.skipif(not shutil.which(program, path=PATH), reason=f"{of}'s program {program} is not there")


def walked(name, folder, **sizes):
    """Run a walk-through, which compares with the other program, and return its results by file."""
    environment = {**os.environ, **{key: str(value) for key, value in sizes.items()}, "PATH": PATH}
    command = ["sh", str(MATERIALS / name / "run.sh"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "of it apart" in done.stdout
    return {path.stem: pelplug.read_results(path) for path in pathlib.Path(folder).glob("*.nc")}


@needs("lmp", "LAMMPS")
def test_cu_zr(tmp_path):
    found = walked("cu-zr", tmp_path / "run", CELLS=2, STEPS=250)
    structures, msed = found["structures"], found["msed"]["msed"]
    assert structures["kappa"]["kappa"].attrs["units"] == "eV / Angstrom**2"
    assert structures["vibrations"]["omega"].attrs["units"] == "rad / ps"
    assert msed["lag"].attrs["units"] == "ps"


@pytest.mark.validation
@needs("lmp", "LAMMPS")
def test_polymer(tmp_path):
    found = walked("polymer", tmp_path / "run", ROWS=5, STEPS=1000)
    structures = found["structures"]
    assert int(structures["kappa"]["n_rattlers"][0]) == 0
    assert structures["vibrations"]["omega"].attrs["units"] == "rad / time"


@pytest.mark.validation
@needs("gmx", "GROMACS")
@needs("gmx_d", "GROMACS")
def test_gromacs_mixture(tmp_path):
    pytest.importorskip("openmm")
    found = walked("gromacs-mixture", tmp_path / "run", CELLS=3, STEPS=500)
    structures = found["structures"]
    assert structures["inherent-structures"]["energy"].attrs["units"] == "kJ/mol"
    assert structures["vibrations"]["omega"].attrs["units"] == "rad / ps"


@pytest.mark.validation
@needs("lmp", "LAMMPS")
def test_silicon(tmp_path):
    found = walked("silicon", tmp_path / "run", CELLS=2, GLASSES=2, COOLING=10000, STEPS=500)
    for potential in ("sw", "tersoff"):
        assert found[potential]["kappa"].attrs["pair_rule"].startswith("first-shell")
        assert found[potential]["vibrations"]["omega"].attrs["units"] == "rad / ps"
    assert found["sw-msed"]["msed"]["lag"].attrs["units"] == "ps"


@pytest.mark.validation
def test_ase_calculator(tmp_path):
    pytest.importorskip("ase")
    pytest.importorskip("matscipy")
    structures = walked("ase-calculator", tmp_path / "run", STEPS=400)["structures"]
    assert structures["kappa"]["kappa"].attrs["units"] == "eV / Angstrom**2"
    assert structures["vibrations"]["omega"].attrs["units"] == "rad / ps"


@pytest.mark.validation
@needs("gmx", "GROMACS")
@needs("gmx_d", "GROMACS")
def test_water(tmp_path):
    pytest.importorskip("openmm")
    energies = walked("water", tmp_path / "run", STEPS=500)["structures"]["inherent-structures"]
    assert energies["energy"].attrs["units"] == "kJ/mol"
    assert (energies["energy"] < energies["initial_energy"]).all()
