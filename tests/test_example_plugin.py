"""The examples for authors: the package as a wheel in a fresh environment, its own tests, and the class in a file."""

import importlib.util
import json
import os
import pathlib
import shutil
import site
import subprocess
import sys
import venv

import numpy as np
import pytest

import pelplug
from pelplug.core.python_files import load_file
from pelplug.testing import checks_of, crystal, make_trajectory, parametrize_with_checks
from pelplug.testing.states import rotation

EXAMPLES = pathlib.Path(__file__).parents[1] / "examples"
PACKAGE = EXAMPLES / "pelplug-bond-order"
Coordination = load_file(EXAMPLES / "coordination.py").Coordination


def run(*command, code=0, **more):
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True, **more)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the package; a copy of it, for building leaves files behind."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(PACKAGE, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    isolated = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    run(sys.executable, "-m", "pip", "wheel", "--no-deps", *isolated, "-w", folder, folder / "source")
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture
def python(tmp_path):
    """The interpreter of a fresh environment that sees what is installed here, pelplug too, as those of users do."""
    venv.EnvBuilder(with_pip=True).create(tmp_path / "env")
    interpreter = tmp_path / "env" / "bin" / "python"
    packages = run(interpreter, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    lines = [f"import site; site.addsitedir({folder!r})" for folder in site.getsitepackages()]
    (pathlib.Path(packages) / "installed_here.pth").write_text("\n".join(lines) + "\n")
    return interpreter


def listed(python):
    rows = run(python, "-m", "pelplug", "plugins", env={**os.environ, "COLUMNS": "200"}).splitlines()
    return {row.split()[0]: row.split()[1:4] for row in rows if row[:1].strip()}


def test_a_wheel_is_installed_found_run_removed_and_gone(wheel, python, tmp_path):
    path = make_trajectory(tmp_path / "t.gsd", n=60, frames=3)
    command = (python, "-m", "pelplug", "analyze", path, "--plugin", "bond-order", "--workers", 2, "--r-max", 1.5)
    assert "There is no analysis 'bond-order'" in run(*command, "-o", tmp_path / "no.nc", code=2)
    run(python, "-m", "pip", "install", "--no-deps", "--no-index", wheel)
    assert listed(python)["bond-order"] == ["pelplug-bond-order", "1.0.0", "loaded"]
    run(*command, "-o", tmp_path / "order.nc")
    found = pelplug.read_results(tmp_path / "order.nc")["bond-order"]
    assert found.attrs["plugin"] == "pelplug-bond-order 1.0.0"
    assert found["q6"].dims == ("frame", "particle") and found["q6"].shape == (3, 60)
    assert json.loads(found.attrs["parameters"]) == {"r_max": 1.5}
    np.testing.assert_allclose(found["q6"][2], q6_by_hand(pelplug.read_configuration(path, frame=2), 1.5), atol=1e-5)
    run(python, "-m", "pip", "uninstall", "-y", "pelplug-bond-order")
    assert "bond-order" not in listed(python)
    assert "There is no analysis 'bond-order'" in run(*command, "-o", tmp_path / "no.nc", code=2)
    assert list((tmp_path / "env").rglob("*bond_order*")) == []


def q6_by_hand(state, r_max):
    """sqrt(4 pi / 13 sum_m |mean Y_6m|^2), by the addition theorem: the mean of P_6 over all pairs of bonds."""
    shift = state.positions[:, None] - state.positions
    lengths = np.diag(state.cell)
    shift -= lengths * np.rint(shift / lengths)
    distances = np.linalg.norm(shift, axis=2)
    p6 = np.polynomial.Legendre.basis(6)
    values = []
    for k in range(state.n):
        near = (distances[k] < r_max) & (np.arange(state.n) != k)
        bonds = shift[k, near] / distances[k, near, None]
        values.append(np.sqrt(p6(bonds @ bonds.T).mean()))
    return values


def test_the_package_has_less_than_thirty_lines():
    files = ["pyproject.toml", "pelplug_bond_order.py"]
    assert sorted(path.name for path in PACKAGE.iterdir() if path.is_file()) == sorted(files)
    assert sum(len((PACKAGE / name).read_text().splitlines()) for name in files) < 30


def test_its_own_tests_pass(tmp_path):
    tests = shutil.copytree(PACKAGE / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))
    path = os.pathsep.join(filter(None, [str(PACKAGE), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    shown = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests, cwd=tmp_path, env=environment)
    # As many rules hold for both; neither states an error of which to ask how it was found.
    assert f"{len(checks_of(Coordination)) + 1} passed, 1 skipped" in shown


@parametrize_with_checks([Coordination])
def test_the_class_keeps_the_contract(check):
    check()


SHELLS = {"sc": 6, "fcc": 12, "hcp": 12, "square": 4, "triangular": 6}


@pytest.mark.parametrize("name", SHELLS)
def test_the_class_counts_the_first_shell_of_crystals(name, tmp_path):
    state = crystal(name, 4, spacing=1.0).replace(frame=0, step=0)
    pelplug.write_trajectory(tmp_path / "t.gsd", [state])
    dataset = Coordination(tmp_path / "t.gsd", distance=1.2).run().to_dataset()
    assert (dataset["coordination"] == SHELLS[name]).all()
    assert dataset["number"].values.tolist() == [SHELLS[name]] and dataset["probability"].values.tolist() == [1.0]


def test_the_class_counts_in_a_tilted_cell_in_any_orientation():
    rng = np.random.default_rng(3)
    cell = np.array([[6.0, 0.0, 0.0], [2.5, 6.0, 0.0], [-1.5, 2.0, 6.0]]) @ rotation(3, 3)
    positions = rng.uniform(size=(150, 3)) @ cell
    configuration = pelplug.Configuration(positions, cell, ["A"] * 150)
    counts = Coordination(None, distance=1.3).compute(configuration)["coordination"]
    images = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), axis=-1).reshape(-1, 3) @ cell
    distances = np.linalg.norm(positions[:, None, None] - positions[None, :, None] + images, axis=-1)
    np.testing.assert_array_equal(counts, (distances < 1.3).sum(axis=(1, 2)) - 1)


def test_the_class_refuses_a_distance_beyond_half_the_box(tmp_path):
    state = crystal("sc", 4, spacing=1.0).replace(frame=0, step=0)
    pelplug.write_trajectory(tmp_path / "t.gsd", [state])
    with pytest.raises(pelplug.InputError, match=r"The distance 2\.5 is beyond half the box; choose less"):
        Coordination(tmp_path / "t.gsd", distance=2.5).run()
