"""Worker processes: they end with whoever started them, and leave its script alone."""

import os
import subprocess
import sys
import time

import pytest
from oracles.processes import has_ended

from pelplug.core.python_files import load_file
from pelplug.errors import InputError, RunError
from pelplug.execution.device import Device, device_in_use, thread_count
from pelplug.execution.processes import WorkerPool

PROGRAM = """
import os, time
from pelplug.core.python_files import load_file
from pelplug.execution.processes import WorkerPool
print("script", flush=True)
if __name__ == "__main__":
    with WorkerPool(1) as pool:
        (future,) = pool.submit([(os.getpid,)])
        print(future.result(), flush=True)
        time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_end_with_their_master_and_do_not_run_its_script(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    master = subprocess.Popen([sys.executable, tmp_path / "program.py"], stdout=subprocess.PIPE, text=True)
    assert master.stdout.readline() == "script\n"
    worker = int(master.stdout.readline())  # a worker that runs the script would have said so first
    master.kill()
    master.wait()
    master.stdout.close()
    assert has_ended(worker)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_an_error_ends_workers_at_once():
    began = time.monotonic()
    with pytest.raises(ZeroDivisionError), WorkerPool(1) as pool:
        worker, _ = pool.submit([(os.getpid,), (time.sleep, 120)])
        process = worker.result()
        _ = 1 / 0
    assert has_ended(process) and time.monotonic() - began < 60


def test_a_worker_that_dies_breaks_the_pool():
    with pytest.raises(RunError, match=r"A worker process died.*use fewer workers"), WorkerPool(1) as pool:
        (future,) = pool.submit([(os._exit, 3)])
        future.result()


def test_workers_share_the_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("pelplug.execution.processes.available_cores", lambda: 6)
    with WorkerPool(2) as pool:
        (future,) = pool.submit([(os.getenv, "OMP_NUM_THREADS")])
        assert future.result() == "3"
    assert "OMP_NUM_THREADS" not in os.environ
    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    with WorkerPool(2) as pool:
        (future,) = pool.submit([(os.getenv, "OMP_NUM_THREADS")])
        assert future.result() == "5"


def test_workers_have_the_device_of_where_they_start(monkeypatch):
    for name in ("PELPLUG_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pelplug.execution.processes.available_cores", lambda: 6)
    calls = [(thread_count,), (device_in_use,), (os.getenv, "OMP_NUM_THREADS")]
    with WorkerPool(3) as pool:
        assert [future.result() for future in pool.submit(calls)] == [2, Device(), "2"]  # their share
    with Device("cuda", 4), WorkerPool(3) as pool:
        assert [future.result() for future in pool.submit(calls)] == [4, Device("cuda", 4), "4"]


def test_what_cannot_be_sent_is_refused_before_a_worker_starts():
    with pytest.raises(InputError, match=r"cannot be sent.*lambda.*in a module"):
        WorkerPool(1, lambda: None)
    with WorkerPool(1) as pool:
        with pytest.raises(InputError, match=r"cannot be sent.*no --workers"):
            pool.submit([(lambda: None,)])
        assert not pool._executor._processes


def test_workers_that_miss_a_file_as_it_was_say_so(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("def twice(x):\n    return 2 * x\n")
    twice = load_file(path).twice
    with WorkerPool(1) as pool:
        assert [future.result() for future in pool.submit([(twice, 3)])] == [6]
    path.write_text("def twice(x):\n    return 3 * x\n")
    with pytest.raises(RunError, match=r"mine\.py was changed while worker processes needed it"), WorkerPool(1) as pool:
        pool.submit([(twice, 3)])[0].result()
