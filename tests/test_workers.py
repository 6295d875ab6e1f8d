"""Everything that takes workers, from real scripts: plain ones, from standard input, with classes of their own."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from oracles.processes import children, has_ended

import pelplug

SIMULATE = """
import sys
sys.path.insert(0, {sources!r})
import pelplug
from pelplug.testing import ToyEngine, registry_with

registry = registry_with(ToyEngine)
print("script", flush=True)
results = pelplug.simulate(
    {model}, 155, 2.0, 20, engine="toy", output="traj.gsd", seed=4, replicas=2, workers=2, melt_steps=20,
    equilibration=0, registry=registry,
)
print([result.path.name for result in results])
"""
OWN_MODEL = """
import pelplug

class Mine(type(pelplug.model("kob-andersen"))):
    name = "mine"

"""
QUENCH = """
import pelplug
print("script", flush=True)
dataset = pelplug.analyze("inherent-structures", "a.gsd", backend="multiprocessing", n_workers=2)
print(dataset.sizes["frame"])
"""
TRANSITIONS = """
import pelplug
from pelplug_inherent_structures.throughput import analyze_many
print("script", flush=True)
more = {"n_workers": 2}
dataset = pelplug.analyze("inherent-structure-transitions", "a.gsd", dt=1.0, backend="multiprocessing", **more)
print(len(analyze_many(["a.gsd", "a.gsd"], "inherent-structures", **more)))
"""
SOURCES = os.path.dirname(__file__)


def run(script, folder, how="file", **environment):
    command, given = [sys.executable, "script.py"], None
    (folder / "script.py").write_text(script)
    if how == "-c":
        command = [sys.executable, "-c", script]
    elif how == "stdin":
        command, given = [sys.executable, "-"], script
    elif how == "prompt":  # each statement as it comes
        command, given = [sys.executable, "-i", "-q"], f"exec({script!r})\n"
    environment = {**os.environ, **environment}
    return subprocess.run(command, input=given, capture_output=True, text=True, cwd=folder, env=environment)


@pytest.fixture
def trajectory(tmp_path):
    """Two frames of a small liquid, for what quenches them."""
    model = pelplug.model("inverse-power-law-2d")
    first = model.random_configuration(40, 1)
    moved = first.positions + np.random.default_rng(2).normal(scale=0.2, size=first.positions.shape)
    states = [
        pelplug.quench(state, model.potential(state), force_tolerance=1e-8).configuration.replace(step=step)
        for step, state in enumerate((first, first.replace(positions=moved)))
    ]
    pelplug.write_trajectory(tmp_path / "a.gsd", iter(states), model_record=model.to_dict())
    return tmp_path


@pytest.mark.parametrize("how", ["file", "-c", "stdin", "prompt"])
def test_replicas_at_once_from_a_plain_script(how, tmp_path):
    done = run(SIMULATE.format(sources=SOURCES, model="'kob-andersen'"), tmp_path, how)
    assert done.stdout.splitlines() == ["script", "['traj-seed4.gsd', 'traj-seed5.gsd']"], done.stderr
    first, second = (pelplug.read_configuration(tmp_path / f"traj-seed{seed}.gsd").positions for seed in (4, 5))
    assert not np.allclose(first, second)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("script", [QUENCH, TRANSITIONS])
def test_analyses_from_a_plain_script(script, trajectory):
    done = run(script, trajectory)
    assert done.stdout.splitlines() == ["script", "2"], done.stderr  # no worker runs the script
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("how", ["file", "-c", "stdin"])
def test_a_model_of_the_script_itself_is_refused_before_work(how, tmp_path):
    done = run(OWN_MODEL + SIMULATE.format(sources=SOURCES, model="Mine()"), tmp_path, how)
    assert done.stdout == "script\n" and os.listdir(tmp_path) == ["script.py"]
    said = done.stderr.splitlines()[-1]
    assert said.startswith("pelplug.errors.InputError: Mine is defined in ")
    assert ("below `if __name__ == '__main__':`" in said) == (how == "file")
    assert "put it into a module" in said or "put Mine into a module" in said


def test_and_the_remedies_of_that_sentence_work(tmp_path):
    guarded = SIMULATE.format(sources=SOURCES, model="Mine()").replace("\n", "\n    ")
    done = run(OWN_MODEL + "if __name__ == '__main__':" + guarded, tmp_path)
    assert done.stdout.splitlines() == ["script", "['traj-seed4.gsd', 'traj-seed5.gsd']"], done.stderr
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.py").write_text(OWN_MODEL)
    done = run("from mine import Mine\n" + SIMULATE.format(sources=SOURCES, model="Mine()"), other)
    assert done.stdout.splitlines() == ["script", "['traj-seed4.gsd', 'traj-seed5.gsd']"], done.stderr


def test_a_guard_in_the_wrong_place_ends_in_a_sentence(tmp_path):
    script = OWN_MODEL + SIMULATE.format(sources=SOURCES, model="Mine()")
    done = run(script + "\nif __name__ == '__main__':\n    print('main')\n", tmp_path)
    assert done.stderr.splitlines()[-1].startswith("pelplug.errors.RunError: A worker process died")
    assert "below `if __name__ == '__main__':`" in done.stderr.splitlines()[-1]
    assert done.stderr.count("Traceback (most recent call last)") == 2  # of the script: the cause and the sentence


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_an_interrupt_stops_all_replicas_at_a_checkpoint(tmp_path):
    script = SIMULATE.format(sources=SOURCES, model="'kob-andersen'").replace("2.0, 20,", "2.0, 10**7,")
    (tmp_path / "script.py").write_text(script)
    master = subprocess.Popen([sys.executable, "script.py"], stderr=subprocess.PIPE, text=True, cwd=tmp_path)
    began = time.monotonic()
    while len(list(tmp_path.glob(".traj-seed*/[!.]*.npz"))) < 2:  # each has begun
        assert master.poll() is None and time.monotonic() - began < 300
        time.sleep(0.1)
    workers = children(master.pid)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob(".traj-seed*/[!.]*.npz")}
    master.send_signal(signal.SIGINT)
    _, said = master.communicate(timeout=120)
    assert said.rstrip().endswith("KeyboardInterrupt") and said.count("Traceback") == 1, said
    after = {path: path.stat().st_mtime_ns for path in tmp_path.glob(".traj-seed*/[!.]*.npz")}
    assert before.keys() == after.keys() and all(after[path] > before[path] for path in after)
    assert len(workers) >= 2 and all(map(has_ended, workers))
