"""How many threads compute, and who says so: the threads themselves are counted, no times."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import pelplug
from pelplug.execution.device import Device, device_in_use
from pelplug.execution.threads import run_ranges

VARIABLES = ("PELPLUG_NUM_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS")


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pelplug.execution.device.available_cores", lambda: 5)


def threads_seen(n=1000) -> int:
    """Count the threads on which parts of a range run at once: each waits for all the others."""
    seen, expected = set(), pelplug.thread_count()
    barrier = threading.Barrier(expected, timeout=60)

    def part(begin, end):
        seen.add(threading.get_ident())
        barrier.wait()
        return end - begin

    assert sum(run_ranges(part, n, serial_below=0)) == n
    return len(seen)


def test_what_is_said_last_counts(monkeypatch):
    assert threads_seen() == 5
    for count, name in enumerate(reversed(VARIABLES), start=2):  # each is asked before those that follow it
        monkeypatch.setenv(name, str(count))
        assert threads_seen() == count
    with Device(threads=6):
        assert threads_seen() == 6
        with Device("cpu"):
            assert threads_seen() == 6 and device_in_use() == Device("cpu", 6)
        with Device(threads=1) as device:
            assert threads_seen() == 1 and device == Device("auto", 1)
        assert threads_seen() == 6
    assert threads_seen() == 4 and device_in_use() == Device()


def test_the_environment_is_asked_once_at_the_top(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    with Device():
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
        assert threads_seen() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    with pytest.raises(pelplug.InputError, match="OMP_NUM_THREADS is 'many'"), Device():
        raise AssertionError("a wrong number is refused where the block begins")
    with Device(threads=2):
        assert threads_seen() == 2  # nobody asks


def test_a_block_ends_by_an_error_too():
    with pytest.raises(ZeroDivisionError), Device(threads=2):
        _ = 1 / 0
    assert device_in_use() == Device()


def test_wrong_devices():
    assert Device("gpu", np.int64(2)) == Device("cuda", 2)
    for wrong, words in (
        (("tpu",), "no device 'tpu'; it is one of auto, cpu, cuda"),
        (("mpi",), "option of the engine hoomd"),
        (("cpu", 0), "at least 1, not 0"),
        (("cpu", 1.5), "not 1.5"),
        (("cpu", True), "not True"),
    ):
        with pytest.raises(pelplug.InputError, match=words):
            Device(*wrong)


def test_each_thread_of_a_user_may_have_its_own():
    counted = []

    def count(threads):
        with Device(threads=threads):
            counted.append(threads_seen())

    users = [threading.Thread(target=count, args=(threads,)) for threads in (2, 3)]
    for user in users:
        user.start()
    for user in users:
        user.join()
    assert sorted(counted) == [2, 3]


def test_a_process_of_somebody_elses_uses_one_thread():
    program = (
        "import multiprocessing, pelplug\n"
        "if __name__ == '__main__':\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.apply(pelplug.thread_count))\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.stdout == "1\n", done.stderr
