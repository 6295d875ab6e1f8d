"""One simulation by several processes: the first locks, writes and decides, the others follow, and none waits for ever.

The processes are threads here, and their messages go through queues; `mpirun` itself is tried with HOOMD-blue
(`tests/engines/hoomd/test_mpi.py`).
"""

import json
import os
import subprocess
import sys
import threading
from typing import Annotated

import gsd.hoomd
import numpy as np
import pytest

import pelplug
from pelplug.engines.run import run_simulation
from pelplug.errors import InputError, RunError
from pelplug.execution.ranks import ALONE, Ranks, rank_in_environment, size_in_environment
from pelplug.testing.toy_engine import ToyEngine, ToySession

SHORT = {"n": 60, "temperature": 2.0, "steps": 120, "melt_steps": 40, "equilibration": 40, "log_every": 7, "frames": 10}


class World:
    """What mpi4py's communicator has, for threads."""

    def __init__(self, size):
        self.size, self.aborted = size, []
        self._barrier, self._box = threading.Barrier(size), [None] * size

    def communicator(self, rank):
        return Communicator(self, rank)


class Communicator:
    def __init__(self, world, rank):
        self.world, self.rank, self.size = world, rank, world.size

    def allgather(self, value):
        world = self.world
        world._box[self.rank] = value
        world._barrier.wait(60)
        values = list(world._box)
        world._barrier.wait(60)
        return values

    def bcast(self, value, root=0):
        return self.allgather(value)[root]

    def Abort(self, code):  # noqa: N802 (MPI's name)
        self.world.aborted.append((self.rank, code))
        self.world._barrier.abort()


def together(action, size=2):
    """Run ``action(ranks)`` on all; return what each gave or raised, and who aborted."""
    world, ends = World(size), [None] * size

    def one(rank):
        try:
            ends[rank] = action(Ranks(world.communicator(rank)))
        except BaseException as error:
            ends[rank] = error

    threads = [threading.Thread(target=one, args=(rank,)) for rank in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive(), "a process waits for ever"
    return ends, world.aborted


@pytest.fixture(scope="module")
def model():
    return pelplug.model("kob-andersen", cutoff=1.8)


def simulate(model, path, ranks, engine_class=ToyEngine, **changes):
    engine = engine_class()
    engine.ranks = ranks
    return run_simulation(model, engine, path, **{**SHORT, **changes})


def frames_of(path):
    with gsd.hoomd.open(path) as file:
        return [frame.configuration.step for frame in file], np.array([frame.particles.position for frame in file])


def test_all_follow_the_first(model, tmp_path):
    simulate(model, tmp_path / "alone.gsd", ALONE)
    ends, aborted = together(lambda ranks: simulate(model, tmp_path / "many.gsd", ranks, checkpoint_seconds=0), size=3)
    assert not aborted and ends[0].record == ends[1].record == ends[2].record
    for one, other in zip(frames_of(tmp_path / "alone.gsd"), frames_of(tmp_path / "many.gsd"), strict=True):
        assert np.array_equal(one, other)
    assert sorted(os.listdir(tmp_path)) == ["alone.gsd", "many.gsd"]
    # The same command again: nothing is left to do, for any of them.
    said = []
    ends, aborted = together(lambda ranks: simulate(model, tmp_path / "many.gsd", ranks, announce=said.append))
    assert not aborted and [end.path.name for end in ends] == ["many.gsd"] * 2
    assert all("finished by this command" in text for text in said)


@pytest.mark.parametrize("obstacle", ["output", "folder", "lock", "unfinished"])
def test_a_refusal_is_everybody_s(obstacle, model, tmp_path, monkeypatch):
    path = tmp_path / "a.gsd"
    if obstacle == "output":
        path.write_text("another")
    elif obstacle == "folder":
        path = tmp_path / "nowhere" / "a.gsd"
    elif obstacle == "unfinished":
        folder = tmp_path / ".a.gsd.12345678.partial"
        folder.mkdir()
        (folder / "command.json").write_text("{}")
    else:
        busy = InputError("Another process is writing a.gsd; wait for it, or end it.")
        monkeypatch.setattr("pelplug.engines.recorder.Recorder.lock", lambda *_: (_ for _ in ()).throw(busy))
    ends, aborted = together(lambda ranks: simulate(model, path, ranks))
    assert not aborted
    assert [type(end) for end in ends] == [InputError] * 2 and str(ends[0]) == str(ends[1])


def test_interrupted_together_and_taken_up_again(model, tmp_path):
    class Stopping(ToyEngine):
        def driver_stop(self):
            pass

        def session(self, *args, **kwargs):
            session = super().session(*args, **kwargs)
            run, engine = session.run, self

            def until(steps):
                log = run(steps)
                if session.log_every and session.step >= 50:
                    engine.driver_stop()
                return log

            session.run = until
            return session

    from pelplug.engines import driver

    def stopped(ranks):
        engine = Stopping()
        engine.ranks = ranks
        original = driver.Driver.run

        def run(self):
            # Only the last one is told to stop, as by a signal.
            self.engine.driver_stop = lambda: setattr(self, "_stop", self._ranks.rank == 1 or self._stop)
            return original(self)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(driver.Driver, "run", run)
            return run_simulation(model, engine, tmp_path / "a.gsd", **SHORT)

    ends, aborted = together(stopped)
    assert not aborted and [type(end) for end in ends] == [KeyboardInterrupt] * 2
    assert list(tmp_path.glob(".a.gsd.*.partial")) and not (tmp_path / "a.gsd").exists()
    said = []
    ends, aborted = together(lambda ranks: simulate(model, tmp_path / "a.gsd", ranks, Stopping, announce=said.append))
    assert not aborted and not any(isinstance(end, BaseException) for end in ends), ends
    assert all("going on from there" in text for text in said)
    simulate(model, tmp_path / "alone.gsd", ALONE)
    assert np.array_equal(frames_of(tmp_path / "alone.gsd")[0], frames_of(tmp_path / "a.gsd")[0])


def test_one_that_fails_alone_ends_all(model, tmp_path, capfd):
    class Failing(ToyEngine):
        def session(self, *args, **kwargs):
            session = super().session(*args, **kwargs)
            if self.ranks.rank == 1:
                session.run = lambda steps: (_ for _ in ()).throw(RunError("It has lost a particle."))
            return session

    ends, aborted = together(lambda ranks: simulate(model, tmp_path / "a.gsd", ranks, Failing))
    assert (1, 1) in aborted and isinstance(ends[1], RunError)
    assert "process 1 failed: It has lost a particle" in capfd.readouterr().err


@pytest.mark.parametrize("together", [("--mpi",), ("--device", "mpi")])
def test_only_the_first_says_what_is_wrong(together):
    program = "import sys; from pelplug.cli.main import main; main()"
    command = [sys.executable, "-c", program, "simulate", "no-such-model", *together, "-o", "a.gsd"]
    said = []
    for rank in ("0", "1"):
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMPI_COMM_WORLD_RANK": rank})
        assert done.returncode == 2 and not done.stdout
        said.append(done.stderr)
    assert "no-such-model" in said[0] and said[1] == ""


def test_ranks_of_an_environment(monkeypatch):
    for name in list(os.environ):
        if name.endswith(("RANK", "SIZE", "RANKID", "NRANKS")):
            monkeypatch.delenv(name)
    assert (rank_in_environment(), size_in_environment()) == (0, 1)
    monkeypatch.setenv("PMI_RANK", "3")
    monkeypatch.setenv("PMI_SIZE", "8")
    assert (rank_in_environment(), size_in_environment()) == (3, 8)
    assert (ALONE.rank, ALONE.size, ALONE.share("a"), ALONE.any(True), ALONE.any(False)) == (0, 1, "a", True, False)


# --- what was used is what is recorded --------------------------------------------------------------------------------


CALLED = {"auto": "cpu"}  # what a device is called in the record, if not by its name


class TwoWays(ToyEngine):
    """Its route is an option, as of the engines that pelplug has."""

    name = "two-ways"

    def __init__(
        self,
        device="auto",
        threads=None,
        *,
        route: Annotated[str, pelplug.Param("whose forces are said to be used")] = "auto",
    ):
        super().__init__(device, threads)
        self.route = route

    def session(self, *args, **kwargs):
        session = super().session(*args, **kwargs)
        session.route = f"{'kernel' if self.route == 'auto' else self.route}: by hand"
        session.device = f"{CALLED.get(self.device.kind, self.device.kind)}: something"
        return session


def interrupted(model, path, engine):
    """Leave an unfinished run behind."""
    original = ToySession.run

    def run(self, steps):
        if self.log_every and self.step > 50:
            raise KeyboardInterrupt
        return original(self, steps)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ToySession, "run", run)
        with pytest.raises(KeyboardInterrupt):
            run_simulation(model, engine, path, **SHORT, checkpoint_seconds=0)


@pytest.mark.parametrize(("option", "other"), [("route", "native"), ("device", "cuda")])
def test_a_run_goes_on_by_the_route_and_device_it_had(option, other, model, tmp_path):
    path = tmp_path / "a.gsd"
    interrupted(model, path, TwoWays(**{option: other}))
    with pytest.raises(InputError, match=f"say --{option} {other} to finish it, or remove") as refused:
        run_simulation(model, TwoWays(), path, **SHORT)
    # What the sentence says can be done.
    result = run_simulation(model, TwoWays(**{option: other}), path, **SHORT)
    assert result.record[option].startswith(f"{other}: ")
    interrupted(model, tmp_path / "b.gsd", TwoWays(**{option: other}))
    folder = next(tmp_path.glob(".b.gsd.*.partial"))
    assert str(path.parent) in str(refused.value)
    for name in os.listdir(folder):
        (folder / name).unlink()
    folder.rmdir()
    assert run_simulation(model, TwoWays(), tmp_path / "b.gsd", **SHORT).record["device"] == "cpu: something"


def test_a_run_on_a_gpu_by_the_version_before_goes_on(model, tmp_path, monkeypatch):
    with monkeypatch.context() as before:
        before.setitem(CALLED, "cuda", "gpu")
        interrupted(model, tmp_path / "a.gsd", TwoWays(device="gpu"))
    said = []
    result = run_simulation(model, TwoWays(device="gpu"), tmp_path / "a.gsd", **SHORT, announce=said.append)
    assert result.record["device"] == "cuda: something" and "going on from there" in said[0]


@pytest.mark.parametrize(
    ("first", "then", "said"),
    [("mpi", "cpu", "say --mpi to finish"), ("cpu", "mpi", r"say --device cpu \(without --mpi\) to finish")],
)
def test_mpi_is_told_as_the_option_that_it_is(first, then, said, model, tmp_path, monkeypatch):
    monkeypatch.setitem(CALLED, "auto", first)
    interrupted(model, tmp_path / "a.gsd", TwoWays())
    monkeypatch.setitem(CALLED, "auto", then)
    with pytest.raises(InputError, match=said):
        run_simulation(model, TwoWays(), tmp_path / "a.gsd", **SHORT)


def test_the_record_has_the_device_that_was_used(model, tmp_path):
    result = run_simulation(model, TwoWays(device="auto"), tmp_path / "a.gsd", **SHORT)
    with pelplug.open_trajectory(tmp_path / "a.gsd") as trajectory:
        record = trajectory.simulation_record
    assert record["device"] == result.record["device"] == "cpu: something"  # not "auto", which was asked
    assert record["route"] == "kernel: by hand" and json.dumps(record)


LAMMPS_FIRST = """
load_lammps().lammps(cmdargs=["-screen", "none", "-log", "none"])
import hoomd
HoomdEngine("cpu")._get_device("cpu")
"""
HOOMD_FIRST = """
import hoomd
HoomdEngine("cpu")._get_device("cpu")
load_lammps().lammps(cmdargs=["-screen", "none", "-log", "none"])
"""


@pytest.mark.hoomd
@pytest.mark.parametrize("order", [LAMMPS_FIRST, HOOMD_FIRST])
def test_two_mpis_in_one_process_are_refused(order):
    """The calls of one would go to the other, which ends the process."""
    pytest.importorskip("lammps")
    program = "from pelplug import load_lammps\nfrom pelplug.engines.hoomd.engine import HoomdEngine\n" + order
    # What an MPI that runs in this process has left for those that it would start.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PMI", "OMPI_", "ORTE_"))}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    if done.returncode:
        assert "InputError" in done.stderr and "process of its own" in done.stderr
