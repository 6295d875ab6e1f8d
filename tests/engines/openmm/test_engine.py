"""OpenMM as an engine: the kit's rules on the Kob-Andersen mixture as a System, and the simulations of users."""

import functools
import json
import pathlib

import numpy as np
import pytest
from click.testing import CliRunner
from oracles.with_openmm import kob_andersen

import pelplug
from pelplug.cli.main import cli
from pelplug.engines.engine import EquationsOfMotion
from pelplug.engines.openmm.engine import OpenmmEngine
from pelplug.engines.velocities import thermalised
from pelplug.models.given import GivenModel
from pelplug.potentials.openmm.potential import OpenmmPotential
from pelplug.testing import Kit, parametrize_with_checks

openmm = pytest.importorskip("openmm")

N = 60
WARM = 1.0 / 0.00831446261815324  # K: k_B T = 1 kJ/mol


def xml():
    return openmm.XmlSerializer.serialize(kob_andersen(["A"] * 48 + ["B"] * 12, 1.8))


@functools.cache
def liquid():
    """60 particles in Angstrom, eased, at k_B T = 1 kJ/mol."""
    model = GivenModel(OpenmmPotential(xml(), {"provider": "openmm"}))
    model.time_step = 0.004  # ps: particles of 100 g/mol have the ps as their unit of time
    own = pelplug.model("kob-andersen", truncation="smooth", cutoff=1.8)
    start = own.random_configuration(N, np.random.default_rng(1))
    start = pelplug.quench(start, own.potential(start), force_tolerance=1e-2).configuration
    start = start.replace(masses=[100.0] * N, images=None)
    return model, thermalised(start, model, WARM, 1).replace(step=7)


@pytest.fixture
def moving():
    return liquid()


def test_an_interrupted_run_goes_on_to_the_last_bit(moving):
    model, state = moving
    for method, temperature in (("nvt", WARM), ("langevin", WARM)):
        dynamics = EquationsOfMotion(method, model.time_step, temperature=temperature, friction=5.0)
        with OpenmmEngine().session(state, model, dynamics, seed=3) as run:
            run.run(20)
            half, internal = run.configuration(), run.internal()
            run.run(20)
            whole = run.configuration()
        with OpenmmEngine().session(half, model, dynamics, seed=3, internal=internal) as run:
            run.run(20)
            again = run.configuration()
        assert np.array_equal(again.positions, whole.positions), method
        assert again.step == whole.step == 47


def test_a_ramp_follows_its_line(moving):
    model, state = moving
    ramp = {"temperature": WARM, "end_temperature": 0.5 * WARM, "ramp_start": 7, "ramp_steps": 3000}
    dynamics = EquationsOfMotion("langevin", model.time_step, friction=10.0, **ramp)
    with OpenmmEngine().session(state, model, dynamics, seed=1, log_every=10) as run:
        log = run.run(3000)
    late = log.step > 1500  # the start is still settling before
    exact = WARM * (1 - 0.5 * (log.step[late] - 7) / 3000)
    assert log.kinetic_temperature[late].mean() == pytest.approx(exact.mean(), rel=0.08)


def test_what_it_cannot_do_is_refused(moving):
    model, state = moving
    for method, numbers, words in (
        ("fire", {}, "does not descend by fire; minimise with `pelplug quench`"),
        ("npt", {"temperature": WARM, "pressure": 1.0}, "holds no pressure"),
    ):
        with pytest.raises(pelplug.InputError, match=words):
            OpenmmEngine().session(state, model, EquationsOfMotion(method, 1e-3, **numbers), seed=1)
    other = pelplug.model("kob-andersen")
    with pytest.raises(pelplug.InputError, match="is no System of it, so use --engine lammps or hoomd"):
        OpenmmEngine().session(state, other, EquationsOfMotion("nve", 1e-3), seed=1)
    with pytest.raises(pelplug.InputError, match="say platform=CUDA"):
        OpenmmEngine("cuda")


def test_replicas_run_one_by_one(moving):
    """Each is a System of its own; at short times displacements are those of the velocities."""
    model, state = moving
    runs = pelplug.isoconfigurational(
        state, model, times=[0.004], replicas=2, temperature=WARM, engine="openmm", time_step=0.004, seed=1
    )
    assert runs.displacements.shape == (2, 1, N, 3) and runs.engine == "openmm"
    exact = 0.004 * runs.velocities + 0.5 * 0.004**2 * model.given.forces(state) / (model.mass_unit * 100.0)
    assert np.abs(runs.displacements[:, 0] - exact).max() < 1e-10


def test_simulate_from_a_file(tmp_path, monkeypatch, moving):
    """The command, its record, and energies of its frames that are the potential's."""
    monkeypatch.chdir(tmp_path)
    _, state = moving
    pathlib.Path("ka.xml").write_text(xml())
    rows = [
        f"{k:5d}{name:<5}{name:>5}{k:5d}" + "".join(f"{0.1 * x:8.3f}" for x in row)
        for k, (name, row) in enumerate(zip(state.species, state.positions, strict=True), start=1)
    ]
    edges = "".join(f"{0.1 * edge:10.5f}" for edge in np.diag(state.cell))
    pathlib.Path("start.gro").write_text("\n".join(["start", f"{N:5d}", *rows, edges, ""]))
    words = [
        "simulate", "--potential", "openmm:ka.xml", "--start", "start.gro", "-T", str(WARM), "--steps", "40",
        "--equilibration", "0", "--time-step", "0.0004", "--ensemble", "langevin",
        "-o", "run.gsd", "--frames", "20", "--log-every", "20", "--quiet",
    ]  # fmt: skip
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    assert pelplug.open_trajectory("run.gsd").simulation_record["engine"] == "openmm"
    found = pelplug.analyze("inherent-structures", "run.gsd", potential="openmm:ka.xml", force_tolerance=1.0)
    assert found.sizes["frame"] > 1 and found.initial_energy.attrs["units"] == "kJ/mol"
    assert json.loads(found.attrs["conditions"])["temperature"] == pytest.approx(WARM)


@parametrize_with_checks([OpenmmEngine], kit=Kit(model=liquid()[0], configuration=liquid()[1]))
def test_contract(check):
    check()
