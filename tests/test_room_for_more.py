"""A new model, form or engine is one new file or folder, a new analysis its folder and the lines of packaging.

Each is put into a copy of the program, in which nothing else is changed; commands of the copy find it, and its numbers
are those of formulas written down here.
"""

import filecmp
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tomllib

import gsd.hoomd
import numpy as np
import pytest
import xarray as xr

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPIED = ("pelplug", "plugins", "pyproject.toml")

MODEL = '''"""Particles of diameter 1 that repel as springs."""

import numpy as np

from pelplug.models.base import Model
from pelplug.potentials.forms.harmonic import HARMONIC


class Springs(Model):
    """Springs of stiffness 3 between particles that overlap."""

    name = "springs"
    summary = "particles that repel as springs of stiffness 3"
    formula = "3 / 2 (1 - x)^2 for x < 1"
    species = ("A",)
    composition = {"A": 1.0}
    density = 1.1
    time_step = 0.01
    constants = {"stiffness": 3.0}
    largest_size = 1.0

    def potential_of(self, configuration):
        from pelplug.potentials.pair import PairPotential

        one = np.ones((1, 1))
        return PairPotential(
            HARMONIC, species=self.species, sigma=one, cutoff=one, parameters={"epsilon": 3 * one}, truncation="cut"
        )
'''

FORM = '''"""Gaussian core: ``epsilon exp(-x**2)``."""

import math

from pelplug.potentials.form import Form


def gaussian_core(x, p):
    """Return u, du/dx and d2u/dx2."""
    u = p[0] * math.exp(-x * x)
    return u, -2.0 * x * u, (4.0 * x * x - 2.0) * u


GAUSSIAN_CORE = Form("gaussian-core", gaussian_core, ("epsilon",), "epsilon exp(-x^2)", repulsive=True)
'''

USES_FORM = """
form = "gaussian-core"
dimension = 3
species = ["A"]
cutoff = 3.0
truncation = "cut"
pair = [{species = ["A", "A"], sigma = 1.2, epsilon = 0.7}]
"""

ANALYSIS = '''"""How many particles each has within a distance."""

from typing import Annotated, ClassVar

import numpy as np

import pelplug


class Within(pelplug.Analysis):
    """Number of particles within a distance."""

    name = "within"
    summary = "Number of particles within a distance"
    needs = pelplug.Need.POSITIONS
    provides: ClassVar = {"within": pelplug.Field(("frame", "particle"), "1", "particles within the distance")}

    def __init__(
        self,
        trajectory,
        *,
        distance: Annotated[float, pelplug.Param("largest distance", exclusive_minimum=0, unit="length")] = 1.0,
        **base,
    ):
        super().__init__(trajectory, **base)
        self.distance = distance

    def compute(self, configuration):
        """Count in one frame."""
        apart = configuration.positions[:, None] - configuration.positions
        lengths = np.diag(configuration.cell)
        apart -= lengths * np.rint(apart / lengths)
        near = np.linalg.norm(apart, axis=2) < self.distance
        return {"within": near.sum(axis=1) - 1}

    def plot(self, ax=None, **keywords):
        """Draw the numbers of the first frame."""
        if ax is None:
            from matplotlib.figure import Figure

            ax = Figure().add_subplot()
        ax.plot(self.to_dataset()["within"][0], **keywords)
        return ax
'''

ANALYSIS_OFFERED = '''"""Analysis `within`."""

import pelplug


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analysis."""
    from pelplug_within.within import Within

    return [Within]
'''


class House:
    """A copy of the program in which files may be added, and the commands of that copy."""

    def __init__(self, folder):
        self.folder, self.added, self.packaging = folder / "house", set(), False
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            self.folder.mkdir(exist_ok=True)
            ignored = {"ignore": shutil.ignore_patterns("__pycache__", "tests")} if (ROOT / name).is_dir() else {}
            copy(ROOT / name, self.folder / name, **ignored)
        self.cwd = folder

    def add(self, path, text):
        assert not (self.folder / path).exists()
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)
        self.added.add(path)

    def lines_of_packaging(self, like, name):
        """Repeat the lines of pyproject.toml that name one plugin for another."""
        path, lines = self.folder / "pyproject.toml", []
        for line in path.read_text().splitlines(keepends=True):
            lines += [line, line.replace(like, name)] if like in line else [line]
        path.write_text("".join(lines))
        self.packaging = True

    def changed(self):
        """Files that differ from those of the tree, or are in one of the two only."""
        files = set()
        for name in COPIED[:2]:
            for root in (ROOT, self.folder):
                found = (path for path in (root / name).rglob("*") if path.is_file() and path.suffix != ".pyc")
                files |= {path.relative_to(root) for path in found}
        files = {path for path in files if "tests" not in path.parts}
        same = lambda path: (  # noqa: E731
            (self.folder / path).is_file()
            and (ROOT / path).is_file()
            and filecmp.cmp(self.folder / path, ROOT / path, shallow=False)
        )
        return {path.as_posix() for path in files if not same(path)}

    def run(self, *arguments, code=0):
        """Run Python on the copy as an editable installation of its pyproject.toml does."""
        project = tomllib.loads((self.folder / "pyproject.toml").read_text())
        build = project["tool"]["hatch"]["build"]
        installed = self.cwd / "site" / "pelplug-0.dist-info"
        installed.mkdir(parents=True, exist_ok=True)
        version = project["project"]["version"]
        (installed / "METADATA").write_text(f"Metadata-Version: 2.1\nName: pelplug\nVersion: {version}\n")
        points = project["project"]["entry-points"]["pelplug"].items()
        (installed / "entry_points.txt").write_text("\n".join(["[pelplug]", *(f"{k} = {v}" for k, v in points)]))
        places = [installed.parent, *(self.folder / part for part in build["dev-mode-dirs"])]
        path = os.pathsep.join([*map(str, places), *filter(None, [os.environ.get("PYTHONPATH")])])
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=self.cwd,
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stderr
        return done.stdout

    def pelplug(self, *arguments):
        return self.run("-m", "pelplug", *arguments)


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    assert made.changed() == set()
    yield made
    assert made.changed() == made.added
    same = (ROOT / "pyproject.toml").read_text() == (made.folder / "pyproject.toml").read_text()
    assert same is not made.packaging
    assert made.run("-c", "import pelplug; print(pelplug.__file__)").strip().startswith(str(tmp_path))


def write_pair(path, distance, speed=0.0):
    """Two particles of mass 1 along x, in the middle of a cube, that move towards each other."""
    with gsd.hoomd.open(path, "w") as file:
        frame = gsd.hoomd.Frame()
        frame.particles.N = 2
        frame.particles.types = ["A"]
        frame.particles.typeid = [0, 0]
        frame.particles.mass = [1.0, 1.0]
        frame.particles.position = [[-distance / 2, 0, 0], [distance / 2, 0, 0]]
        frame.particles.velocity = [[speed / 2, 0, 0], [-speed / 2, 0, 0]]
        frame.configuration.box = [8, 8, 8, 0, 0, 0]
        file.append(frame)


PROVIDER = '''
"""Particles that attract each other."""

import itertools

import numpy as np

from pelplug.potentials.base import Potential
from pelplug.potentials.provider import Provider


class Attraction(Potential):
    """U = f r of each pair."""

    def __init__(self, force):
        self.force = force

    def energy_forces(self, configuration):
        forces, energy = np.zeros_like(configuration.positions), 0.0
        for i, j in itertools.combinations(range(configuration.n), 2):
            apart = configuration.positions[j] - configuration.positions[i]
            length = np.linalg.norm(apart)
            energy += self.force * length
            forces[i] += self.force * apart / length
            forces[j] -= self.force * apart / length
        return energy, forces

    def record(self):
        return {"potential": "attraction", "force": self.force}


class AttractionProvider(Provider):
    """Attraction by a number."""

    name, summary, takes = "attraction", "pairs by a constant force", "NUMBER"

    def potential(self, file):
        """Return the attraction of a strength."""
        return Attraction(float(file))
'''

STATE = "import sys, json, numpy as np, pelplug\nc = pelplug.read_configuration(sys.argv[1])\n"
ANSWER = """
potential = model.potential(c)
energy, forces = potential.energy_forces(c)
hessian = potential.hessian(c)
hessian = hessian.toarray() if hasattr(hessian, "toarray") else hessian
print(json.dumps([energy, forces.tolist(), np.asarray(hessian)[0].tolist()]))
"""


def assert_pair(answer, distance, u, du, ddu):
    """Energy, forces and a row of the Hessian of two particles along x, from u(r) and its derivatives."""
    energy, forces, row = json.loads(answer)
    assert energy == pytest.approx(u, rel=1e-12)
    np.testing.assert_allclose(forces, [[du, 0, 0], [-du, 0, 0]], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(row, [ddu, 0, 0, -ddu, 0, 0], rtol=1e-12, atol=1e-13)


def names_of_models(house):
    table = house.pelplug("models").partition("\nform of ")[0]
    return [line.split()[0] for line in table.splitlines() if line[:1].strip()]


def test_a_model_is_one_file(house, tmp_path):
    before = names_of_models(house)
    house.add("pelplug/models/springs.py", MODEL)
    assert names_of_models(house) == [*before, "springs"]
    assert "stiffness" in house.pelplug("models", "springs")
    write_pair(tmp_path / "pair.gsd", 0.75)
    answer = house.run("-c", STATE + "model = pelplug.model('springs')" + ANSWER, "pair.gsd")
    assert_pair(answer, 0.75, 1.5 * 0.25**2, -3 * 0.25, 3.0)
    house.pelplug("quench", "pair.gsd", "--model", "springs", "-o", "minimum.gsd")
    with gsd.hoomd.open(tmp_path / "minimum.gsd", "r") as file:
        apart = np.diff(file[0].particles.position, axis=0)
    assert 1 - 1e-6 < np.linalg.norm(apart) < 1.5  # no overlap is left


def test_a_form_is_one_file(house, tmp_path):
    house.add("pelplug/potentials/forms/gaussian_core.py", FORM)
    write_pair(tmp_path / "pair.gsd", 1.5)
    (tmp_path / "mine.toml").write_text(USES_FORM)
    answer = house.run("-c", STATE + "model = pelplug.models.from_file('mine.toml')" + ANSWER, "pair.gsd")
    x = 1.5 / 1.2
    u = 0.7 * np.exp(-(x**2))
    assert_pair(answer, 1.5, u, -2 * x * u / 1.2, (4 * x**2 - 2) * u / 1.2**2)


def test_a_provider_of_potentials_is_one_file(house, tmp_path):
    house.add("pelplug/potentials/external/attraction.py", PROVIDER)
    assert "attraction:NUMBER" in house.pelplug("models") and "by a constant force" in house.pelplug("models")
    write_pair(tmp_path / "pair.gsd", 2.0)
    answer = house.run("-c", STATE + "print(json.dumps(pelplug.potential('attraction:0.25').energy(c)))", "pair.gsd")
    assert json.loads(answer) == pytest.approx(0.5, rel=1e-12)


def test_an_engine_is_one_folder(house, tmp_path):
    """Two particles that meet: half a period of a harmonic oscillator of reduced mass 1/2."""
    house.add("pelplug/models/springs.py", MODEL)
    house.add("pelplug/engines/toy/__init__.py", '"""Velocity Verlet, as an engine."""\n')
    text = (ROOT / "pelplug" / "testing" / "toy_engine.py").read_text()
    house.add("pelplug/engines/toy/engine.py", text)
    assert "toy" in [line.split()[0] for line in house.pelplug("engines").splitlines() if line[:1].strip()]
    write_pair(tmp_path / "pair.gsd", 1.0, speed=0.5)
    options = ("--ensemble", "nve", "--steps", 1000, "--time-step", 1e-3, "--frames", 100, "--equilibration", 0)
    house.pelplug("simulate", "springs", "--engine", "toy", "--start", "pair.gsd", *options, "-o", "met.gsd")
    with gsd.hoomd.open(tmp_path / "met.gsd", "r") as file:
        time = np.array([frame.configuration.step for frame in file]) * 1e-3
        apart = np.array([np.linalg.norm(np.diff(frame.particles.position, axis=0)) for frame in file])
    assert len(time) == 11 and time[-1] == pytest.approx(1.0)
    omega = np.sqrt(3.0 / 0.5)
    np.testing.assert_allclose(apart, 1 - 0.5 / omega * np.sin(omega * time), atol=3e-6)


def test_an_analysis_is_its_folder_and_the_lines_of_packaging(house, tmp_path):
    """In a simple cubic lattice each particle has 6 neighbours at a distance of 1, and 12 more at the root of 2."""
    kappa = (ROOT / "plugins" / "kappa" / "pyproject.toml").read_text()
    house.add("plugins/within/pyproject.toml", kappa.replace("kappa", "within"))
    house.add("plugins/within/README.md", "# pelplug-within\n")
    house.add("plugins/within/pelplug_within/__init__.py", ANALYSIS_OFFERED)
    house.add("plugins/within/pelplug_within/within.py", ANALYSIS)
    house.lines_of_packaging("kappa", "within")
    listed = {line.split()[0]: line.split()[1:4] for line in house.pelplug("plugins").splitlines() if line[:1].strip()}
    assert listed["within"] == [listed["kappa"][0], listed["kappa"][1], "loaded"]
    grid = np.stack(np.meshgrid(*3 * [np.arange(-2.5, 3)], indexing="ij"), axis=-1).reshape(-1, 3)
    with gsd.hoomd.open(tmp_path / "lattice.gsd", "w") as file:
        frame = gsd.hoomd.Frame()
        frame.particles.N, frame.particles.types, frame.particles.position = len(grid), ["A"], grid
        frame.configuration.box = [6, 6, 6, 0, 0, 0]
        file.append(frame)
    for distance, number in ((1.2, 6), (1.5, 18)):
        arguments = ("--plugin", "within", "--distance", distance, "-o", f"{number}.nc", "--plot", f"{number}.png")
        house.pelplug("analyze", "lattice.gsd", *arguments)
        with xr.open_dataset(tmp_path / f"{number}.nc", engine="h5netcdf") as result:
            assert (result["within"] == number).all() and result["within"].shape == (1, 216)
