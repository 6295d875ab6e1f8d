import os
import signal
import subprocess
import sys
import threading

import pytest

from pelplug.core.lock import is_locked, lock_outputs
from pelplug.core.outputs import atomic_output
from pelplug.errors import InputError

HOLDER = """
import sys
from pelplug.core.lock import lock_outputs
with lock_outputs(*sys.argv[1:]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder():
    """Start a process that locks files until it is told to end, or killed."""
    processes = []

    def start(*paths):
        command = [sys.executable, "-c", HOLDER, *map(str, paths)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "held\n"
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_another_process_is_refused_and_told_who_writes(tmp_path, holder):
    process = holder(tmp_path / "a.nc")
    with (
        pytest.raises(InputError, match=rf"Another process is writing .*a\.nc \(process {process.pid} on .*: -c"),
        lock_outputs(tmp_path / "a.nc"),
    ):
        pass
    with lock_outputs(tmp_path / "b.nc"):
        pass
    process.communicate("")
    with lock_outputs(tmp_path / "a.nc"):
        assert is_locked(tmp_path / "a.nc")
    assert not is_locked(tmp_path / "a.nc")
    assert list(tmp_path.iterdir()) == []


def test_a_kill_leaves_no_lock(tmp_path, holder):
    process = holder(tmp_path / "a.nc")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert (tmp_path / ".a.nc.lock").exists()  # a file that nobody has locked
    with lock_outputs(tmp_path / "a.nc"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["relative", "through a folder", "symbolic link", "link to nothing yet"])
def test_two_names_of_a_file_are_one(tmp_path, monkeypatch, holder, name):
    (tmp_path / "there").mkdir()
    target = tmp_path / "there" / "a.nc"
    if name == "symbolic link":
        target.write_text("old")
    (tmp_path / "link.nc").symlink_to(target)
    (tmp_path / "folder").symlink_to(tmp_path / "there")
    holder(target)
    monkeypatch.chdir(tmp_path / "there")
    other = {"relative": "a.nc", "through a folder": tmp_path / "folder" / "a.nc"}.get(name, tmp_path / "link.nc")
    with pytest.raises(InputError, match="Another process is writing"), lock_outputs(other):
        pass


def test_one_of_several_is_enough_and_the_others_are_free_again(tmp_path, holder):
    holder(tmp_path / "b.nc")
    with (
        pytest.raises(InputError, match=r"b\.nc"),
        lock_outputs(tmp_path / "a.nc", None, tmp_path / "b.nc", tmp_path / "c.nc"),
    ):
        pass
    holder(tmp_path / "a.nc", tmp_path / "c.nc")


def test_waiting_for_a_worker_that_ends(tmp_path, holder):
    process = holder(tmp_path / "a.nc")
    threading.Timer(0.5, process.kill).start()
    with lock_outputs(tmp_path / "a.nc", patience=30):
        pass


def test_a_thread_may_lock_again_what_it_has_and_no_other_thread_may(tmp_path):
    path, said = tmp_path / "a.nc", []

    def other():
        try:
            with lock_outputs(path):
                said.append("locked")
        except InputError as error:
            said.append(str(error))

    with lock_outputs(path):
        with lock_outputs(path):
            pass
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        assert is_locked(path) and "Another process is writing" in said[0]
    other()
    assert said[1] == "locked"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_left_to_who_checks_the_output(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with lock_outputs(tmp_path / "a.nc"):
            assert not is_locked(tmp_path / "a.nc")
    finally:
        tmp_path.chmod(0o700)


def test_a_disk_without_locks(tmp_path, monkeypatch):
    import errno
    import fcntl

    def unknown(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", unknown)
    with atomic_output(tmp_path / "a.txt") as temporary:
        assert not is_locked(tmp_path / "a.txt")
        temporary.write_text("written")
    assert (tmp_path / "a.txt").read_text() == "written"


def test_what_a_killed_writer_left_goes_with_the_next_one(tmp_path):
    program = (
        "import os, sys; from pelplug.core.outputs import atomic_output\n"
        "with atomic_output(sys.argv[1]) as temporary:\n"
        "    temporary.write_text('half'); os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "a.nc")])
    mine = tmp_path / ".a.12345678.tmp.gsd"
    mine.write_text("of another output")
    assert len(list(tmp_path.iterdir())) == 3
    with atomic_output(tmp_path / "a.nc") as temporary:
        temporary.write_text("whole")
    assert sorted(tmp_path.iterdir()) == [mine, tmp_path / "a.nc"]
    assert (tmp_path / "a.nc").read_text() == "whole"
