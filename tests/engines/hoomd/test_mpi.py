"""HOOMD-blue by several processes, as ``mpirun`` starts them.

Needs an MPI build of HOOMD-blue, mpi4py, and the ``mpirun`` of the same MPI (or PELPLUG_MPIRUN).
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time

import gsd.hoomd
import numpy as np
import pytest

import pelplug

pytestmark = pytest.mark.hoomd
MPIRUN = os.environ.get("PELPLUG_MPIRUN") or shutil.which("mpirun")
PROGRAM = "from pelplug.cli.main import main; main()"
PROTOCOL = (
    "kob-andersen",
    "-T1.0",
    "--equilibration=20",
    "--melt-steps=20",
    "--engine=hoomd",
    "--frames=20",
    "-oa.gsd",
)


@pytest.fixture(scope="module", autouse=True)
def mpi():
    hoomd = pytest.importorskip("hoomd")
    if not (hoomd.version.mpi_enabled and MPIRUN and importlib.util.find_spec("mpi4py")):
        pytest.skip("no MPI build of HOOMD-blue with mpi4py and mpirun")


def start(folder, *arguments):
    command = [MPIRUN, "-n", "2", "--oversubscribe", sys.executable, "-c", PROGRAM, "simulate", *PROTOCOL, *arguments]
    environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder, env=environment,
        start_new_session=True,
    )  # fmt: skip


def end(process):
    out, err = process.communicate(timeout=500)
    return process.returncode, out, [line for line in err.splitlines() if line.startswith("pelplug: ")]


def frames_of(path):
    with gsd.hoomd.open(path) as file:
        steps = [frame.configuration.step for frame in file]
        energies = np.concatenate([frame.log["pelplug/energies/step"] for frame in file])
    return steps, energies.tolist()


def test_two_processes_write_one_trajectory(tmp_path):
    code, out, said = end(start(tmp_path, "-N", "2000", "--steps", "60", "--log-every", "10", "--mpi"))
    assert code == 0 and out.count("frames of 2000 particles") == 1 and not said
    assert os.listdir(tmp_path) == ["a.gsd"]
    assert frames_of(tmp_path / "a.gsd") == ([0, 20, 40, 60], [0, 10, 20, 30, 40, 50, 60])
    model = pelplug.model("kob-andersen")
    with pelplug.open_trajectory(tmp_path / "a.gsd") as trajectory:
        assert trajectory.simulation_record["device"] == "mpi: 2 ranks"
        last = trajectory.configuration(3)
    with gsd.hoomd.open(tmp_path / "a.gsd") as file:
        energy = file[3].log["pelplug/energies/potential_energy"][-1]
    assert energy == pytest.approx(model.potential(last).energy(last), rel=1e-6)


def test_the_name_that_it_had_works_and_is_told_once(tmp_path):
    code, out, said = end(start(tmp_path, "-N", "2000", "--steps", "20", "--device", "mpi"))
    assert code == 0 and out.count("frames of 2000 particles") == 1
    assert len(said) == 1 and "is now an option" in said[0]
    with pelplug.open_trajectory(tmp_path / "a.gsd") as trajectory:
        assert trajectory.simulation_record["device"] == "mpi: 2 ranks"


def test_killed_and_taken_up_again(tmp_path):
    arguments = ("-N", "2000", "--steps", "200", "--checkpoint", "0", "--mpi")
    process = start(tmp_path, *arguments)
    begun = time.monotonic()
    while not list(tmp_path.glob(".a.gsd.*.partial/checkpoint.npz")):
        assert process.poll() is None and time.monotonic() - begun < 400
        time.sleep(0.1)
    time.sleep(1.0)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "a.gsd").exists()
    code, out, said = end(start(tmp_path, *arguments))
    assert code == 0 and out.count("frames of 2000 particles") == 1
    assert len(said) == 1 and "going on from there" in said[0]
    assert frames_of(tmp_path / "a.gsd")[0] == list(range(0, 201, 20))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("-N", "300", "--mpi"), "fewer ranks"),
        (("-N", "2000", "--mpi", "--route", "kernel"), "leave --mpi out"),
        (("-N", "2000", "--device", "auto"), "--mpi"),
        (("-N", "2000", "--mpi", "--threads", "-1"), "threads"),
        (("-N", "2000", "--mpi", "--device", "cuda"), "leave out --device cuda"),
    ],
)
def test_refused_once_by_all(arguments, word, tmp_path):
    code, out, said = end(start(tmp_path, "--steps", "60", *arguments))
    assert code == 2 and not out
    assert all(word in line for line in said)
    assert len(said) == 1 or "auto" in arguments
    assert not os.listdir(tmp_path)
