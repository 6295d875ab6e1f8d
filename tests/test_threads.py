"""--threads and threads= reach whatever computes, in this process and in workers; what has no GPU says so."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
from oracles.counting import Plugin

import pelplug
from pelplug.host.functions import run_analyses
from pelplug.host.registry import Registry
from pelplug.testing.toy_engine import ToyEngine, ToySession

VARIABLES = ("PELPLUG_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
HERE = pathlib.Path(__file__).resolve().parent


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def registry():
    registry = Registry(third_party=False)
    registry.register(Plugin(), "counting")
    return registry


@pytest.fixture
def path(tmp_path):
    state = pelplug.model("inverse-power-law-2d").random_configuration(10, 1)
    pelplug.write_trajectory(tmp_path / "a.gsd", iter([state.replace(step=step) for step in range(4)]))
    return tmp_path / "a.gsd"


@pytest.mark.parametrize("backend", ["serial", "multiprocessing", "dask"])
def test_an_analysis_has_the_threads_asked_for(backend, path, registry):
    workers = {} if backend == "serial" else {"workers": 2}
    found = run_analyses(
        "threads", path, registry=registry, backend=backend, threads=3, parameters={}, **workers
    ).datasets["threads"]
    assert found.kernels.values.tolist() == [3] * 4
    if backend == "serial":
        assert set(found.process.values) == {os.getpid()}
    else:
        assert os.getpid() not in found.process.values and found.libraries.values.tolist() == [3] * 4
    with pelplug.Device(threads=2):
        assert set(run_analyses("threads", path, registry=registry).datasets["threads"].kernels.values) == {2}
    assert pelplug.thread_count() == pelplug.available_cores()


def test_workers_share_the_cores_unless_told(path, registry, monkeypatch):
    monkeypatch.setattr("pelplug.execution.processes.available_cores", lambda: 10)
    found = run_analyses("threads", path, registry=registry, workers=2).datasets["threads"]
    assert set(found.kernels.values) == set(found.libraries.values) == {5}
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    found = run_analyses("threads", path, registry=registry, workers=2).datasets["threads"]
    assert set(found.kernels.values) == set(found.libraries.values) == {4}


def test_a_simulation_and_what_runs_inside_have_the_threads_asked_for(tmp_path, monkeypatch, registry):
    seen = []

    class Counting(ToySession):
        def run(self, steps):
            seen.append(pelplug.thread_count())
            return super().run(steps)

    class Engine(ToyEngine):
        def session(self, configuration, model, dynamics, *, seed, log_every=0, internal=None):
            return Counting(configuration, model, dynamics, log_every, 0.0)

    class Engines:
        @pelplug.hookimpl
        def pelplug_engines(self):
            return [Engine]

    registry.register(Engines(), "engines")
    result = pelplug.simulate(
        "kob-andersen", 155, 2.0, 20, engine="toy", output=tmp_path / "a.gsd", threads=3, melt_steps=20,
        equilibration=0, registry=registry, in_situ="threads", in_situ_every=10,
    )  # fmt: skip
    assert set(seen) == {3} and set(result.datasets["threads"].kernels.values) == {3}


def test_the_command_tells_linear_algebra_too(path):
    program = (
        "import atexit, os, sys\n"
        "from pelplug.cli import main\n"
        "assert 'numpy' not in sys.modules  # else it would be too late\n"
        "names = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')\n"
        "atexit.register(lambda: print([os.environ.get(name) for name in names], 'numpy' in sys.modules))\n"
        "main()\n"
    )
    command = [sys.executable, "-c", program, "quench", str(path), "-o", "b.gsd", "--quiet", "--stop", "0"]
    for more, told in (([], None), (["--threads", "3"], "3"), (["--threads=2"], "2")):
        done = subprocess.run([*command, *more], capture_output=True, text=True, cwd=path.parent)
        assert done.stdout.splitlines()[-1] == f"{[told] * 3} True", done.stderr


def test_what_is_computed_on_the_cpu_says_so_before_work(path, tmp_path):
    for command, words in (
        (["analyze", "--plugin", "kappa", str(path), "--device", "gpu"], "kappa is computed on the CPU only"),
        (["quench", str(path), "--device", "cuda", "-o", "b.gsd"], "quench is computed on the CPU only"),
        (["prepare", "kob-andersen", "-N", "50", "-T", "1", "--sweeps", "1", "--device", "cuda", "-o", "b.gsd"],
         "prepare makes is computed on the CPU only"),
        (["analyze", "--plugin", "kappa", str(path), "--device", "tpu"], "no device 'tpu'"),
        (["prepare", "kob-andersen", "-N", "50", "-T", "1", "--sweeps", "1", "--threads", "0", "-o", "b.gsd"],
         "at least 1"),
    ):  # fmt: skip
        done = subprocess.run([sys.executable, "-m", "pelplug", *command], capture_output=True, text=True, cwd=tmp_path)
        assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1, done.stderr
        assert os.listdir(tmp_path) == ["a.gsd"]
    # The remedy works.
    command = ["prepare", "kob-andersen", "-N", "500", "-T", "5", "--sweeps", "1", "--device", "cpu", "-o", "b.gsd"]
    subprocess.run([sys.executable, "-m", "pelplug", *command], check=True, capture_output=True, cwd=tmp_path)
    assert np.isfinite(pelplug.read_configuration(tmp_path / "b.gsd").positions).all()
