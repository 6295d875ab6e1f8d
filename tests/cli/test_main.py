import json
import os
import signal
import subprocess
import sys
import time

import gsd.hoomd
import numpy as np
import pytest
import xarray as xr

import pelplug
from pelplug.files.gsd import GSDWriter
from pelplug.files.results import read_results
from pelplug.host import functions as host
from pelplug.host.registry import Registry

MODEL = ("--model", "kob-andersen", "--model-param", "cutoff=1.8")
QUICK = ("--pairs", "20", "--resamples", "100")


@pytest.fixture(scope="session")
def liquid(tmp_path_factory):
    """Four frames of 65 particles that pelplug wrote, with their model in the file; not quenched."""
    model = pelplug.model("kob-andersen", cutoff=1.8)
    rng = np.random.default_rng(4)
    path = tmp_path_factory.mktemp("liquid") / "liquid.gsd"
    conf = model.random_configuration(65, 1)
    conf = pelplug.quench(conf, model.potential(conf), method="lbfgs").configuration
    with GSDWriter(path, {"model": model.to_dict()}) as writer:
        for frame in range(4):
            moved = conf.positions + rng.normal(scale=0.08, size=(65, 3))
            writer.write(conf.replace(positions=moved, step=100 * frame, images=np.zeros((65, 3), int)))
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def plain_registry():
    yield
    host.use_registry(None)


# --- starting ---------------------------------------------------------------------------------------------------------

HEAVY = ("MDAnalysis", "h5netcdf", "matplotlib", "numba", "numpy", "pandas", "rich", "scipy", "tqdm", "xarray", "gsd")


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["quench", "--help"], ["models", "--help"], ["nope"]])
def test_help_loads_no_numerical_library(args):
    program = (
        "import sys; from pelplug.cli import cli\n"
        f"try: cli.main({args!r})\n"
        f"finally: print([m for m in {HEAVY!r} if m in sys.modules], len(sys.modules))"
    )
    environment = {**os.environ, "PELPLUG_DISABLE_PLUGINS": "all"}
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    loaded, count = result.stdout.splitlines()[-1].rsplit(" ", 1)
    assert loaded == "[]"
    assert int(count) < 500


def test_help_names_every_command(run):
    out = run("--help").out
    for name in ("analyze", "quench", "plot", "plugins", "models"):
        assert f"\n  {name} " in out
    assert run("--version").out.startswith("pelplug, version 0.")


def test_help_shows_the_parameters_of_the_selected_analyses(run):
    plain = run("analyze", "--help").out
    assert "--pairs" not in plain and "With --plugin NAME" in plain
    out = run("analyze", "--plugin", "kappa", "--help").out
    assert "Options of kappa" in out and "--pairs" in out and "[default: all]" in out
    # ... and of those it uses
    assert "Options of inherent-structures" in out and "--force-tolerance" in out


# --- analyze ----------------------------------------------------------------------------------------------------------


def test_the_main_job(folder, liquid, run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "140")  # pytest-xdist says 80, where columns of the table are cut
    outputs = ("k.nc", "k.png", "k.gsd", "k.xyz", "k.csv")
    before = liquid.read_bytes()
    more = [part for name in outputs[2:] for part in ("--export", name)]
    captured = run("analyze", "--plugin", "kappa", liquid, "-o", "k.nc", "--plot", "k.png", *more, "--stop", 3)
    assert captured.err == ""
    assert all(f"wrote {name}" in captured.out for name in outputs)
    assert "kappa_mean" in captured.out and "energy / length**2" in captured.out
    assert sorted(path.name for path in folder.iterdir()) == sorted(outputs)
    assert liquid.read_bytes() == before
    dataset = read_results("k.nc")["kappa"]
    expected = pelplug.analyze("kappa", liquid, stop=3)
    xr.testing.assert_equal(dataset, expected)
    assert json.loads(dataset.attrs["parameters"])["pairs"] == "all"
    assert json.loads(dataset.attrs["model"]) == pelplug.model("kob-andersen", cutoff=1.8).to_dict()
    assert dataset.attrs["command"].startswith("pelplug analyze --plugin kappa")
    assert (folder / "k.png").read_bytes().startswith(b"\x89PNG")
    with gsd.hoomd.open("k.gsd") as file:
        assert len(file) == 3
        assert file[2].log["particles/kappa"].tobytes() == dataset.kappa.values[2].tobytes()
    # the exported state is the inherent structure: its own minimum, to the last bit that matters
    conf = pelplug.read_configuration("k.gsd", 2)
    assert np.abs(pelplug.model("kob-andersen", cutoff=1.8).potential(conf).forces(conf)).max() < 1e-10


def test_options_of_plugins_reach_all_or_one(folder, liquid, run):
    run(
        "analyze",
        "--plugin",
        "kappa",
        liquid,
        "-o",
        "a.nc",
        "--stop",
        1,
        "--kappa.pairs",
        7,
        "--method",
        "cg",
        "--quiet",
    )
    dataset = read_results("a.nc")["kappa"]
    assert dataset.sizes["pair"] == 7
    inputs = json.loads(dataset.attrs["inputs"])
    assert inputs["inherent-structures"]["parameters"]["method"] == "cg"


def test_default_output_and_several_analyses(folder, liquid, run):
    captured = run("analyze", "--plugin", "inherent-structures,kappa", liquid, "--stop", 2, *QUICK, "--plot", "two.pdf")
    assert "wrote liquid.inherent-structures.kappa.nc" in captured.out
    found = read_results("liquid.inherent-structures.kappa.nc")
    assert list(found) == ["inherent-structures", "kappa"]
    with xr.open_dataset("liquid.inherent-structures.kappa.nc", group="kappa", engine="h5netcdf") as dataset:
        assert dataset.sizes["pair"] == 40
    assert (folder / "two.pdf").read_bytes().startswith(b"%PDF")


def test_quiet_is_quiet_and_overwrite_overwrites(folder, liquid, run):
    (folder / "a.nc").write_text("old")
    command = ("analyze", "--plugin", "kappa", liquid, "-o", "a.nc", "--stop", 1, *QUICK, "--quiet")
    assert "--overwrite" in run(*command, code=2).err
    captured = run(*command, "--overwrite")
    assert captured.out == captured.err == ""
    assert "kappa" in read_results("a.nc")


def test_workers_change_nothing(folder, liquid, run):
    run("quench", liquid, "-o", "one.gsd", "--quiet")
    run("quench", liquid, "-o", "two.gsd", "--workers", 2, "--quiet")
    with gsd.hoomd.open("one.gsd") as one, gsd.hoomd.open("two.gsd") as two:
        assert len(one) == len(two) == 4
        for first, second in zip(one, two, strict=True):
            names = ("particles/pelplug/position", "pelplug/energy", "pelplug/max_force")
            assert all(first.log[name].tobytes() == second.log[name].tobytes() for name in names)


def test_species_time_and_topology_of_a_dump(folder, liquid, run):
    conf = pelplug.read_configuration(liquid, 0)
    length = float(conf.cell[0, 0])
    with open("t.dump", "w") as file:
        for step in (0, 50):
            file.write(f"ITEM: TIMESTEP\n{step}\nITEM: NUMBER OF ATOMS\n{conf.n}\nITEM: BOX BOUNDS pp pp pp\n")
            file.write(f"0 {length!r}\n" * 3 + "ITEM: ATOMS id type x y z\n")
            for index, (name, position) in enumerate(zip(conf.species, conf.wrapped().positions, strict=True)):
                file.write(f"{index + 1} {'AB'.index(name) + 1} {' '.join(map(repr, position.tolist()))}\n")
    run(
        "analyze", "--plugin", "inherent-structures", "t.dump", *MODEL, "--species", "1=A,2=B", "--dt", 0.005, "--quiet"
    )
    dataset = read_results("t.inherent-structures.nc")["inherent-structures"]
    assert dataset.step.values.tolist() == [0, 50]
    np.testing.assert_allclose(dataset.time, [0, 0.25])
    energy = pelplug.analyze("inherent-structures", liquid, stop=1).energy.values[0]
    np.testing.assert_allclose(dataset.energy.values, energy, rtol=1e-6)


# --- quench -----------------------------------------------------------------------------------------------------------


def test_quenched_states_can_be_used_again(folder, liquid, run):
    captured = run("quench", liquid, "-o", "is.gsd", "--method", "lbfgs", "--start", 1)
    assert "wrote is.gsd" in captured.out and "max_force" in captured.out
    model = pelplug.model("kob-andersen", cutoff=1.8)
    with pelplug.open_trajectory("is.gsd") as trajectory, pelplug.open_trajectory(liquid) as source:
        assert trajectory.n_frames == 3
        assert trajectory.model_record == model.to_dict()
        for frame, conf in enumerate(trajectory):
            energy, forces = model.potential(conf).energy_forces(conf)
            log = trajectory.log(frame)
            assert np.abs(forces).max() < 1e-10
            np.testing.assert_allclose(log["pelplug/energy"], energy, rtol=1e-13)
            assert log["pelplug/frame"] == frame + 1 and conf.step == 100 * (frame + 1)
            assert conf.species.tolist() == source.species.tolist()
            # unwrapped coordinates go on from those of the trajectory
            moved = conf.unwrapped_positions() - source.configuration(frame + 1).unwrapped_positions()
            assert np.abs(moved).max() < 1.0
        provenance = json.loads(trajectory.log(0)["pelplug/provenance"].tobytes())["quench"]
    assert json.loads(provenance["parameters"])["method"] == "lbfgs"
    # no --model: the file carries it; and a minimum is its own inherent structure
    run("quench", "is.gsd", "-o", "again.gsd", "--quiet")
    with gsd.hoomd.open("again.gsd") as file:
        assert all(frame.log["pelplug/evaluations"] <= 3 for frame in file)


# --- Ctrl-C -----------------------------------------------------------------------------------------------------------


class _Slow(pelplug.Analysis):
    name = "slow"
    summary = "Is interrupted at a frame"
    provides = {"x": pelplug.Field(("frame",), "1", "x")}  # noqa: RUF012
    stop_at = None
    computed = ()

    def compute(self, configuration):
        if configuration.frame == self.stop_at:
            raise KeyboardInterrupt
        type(self).computed = (*self.computed, configuration.frame)
        return {"x": 1 / (3 + configuration.frame)}


class _Plugin:
    @pelplug.hookimpl
    def pelplug_analyses(self):
        return [_Slow]


def test_the_same_command_goes_on_after_ctrl_c(folder, liquid, run, monkeypatch):
    registry = Registry()
    registry.register(_Plugin(), "slow-plugin")
    host.use_registry(registry)
    command = ("analyze", "--plugin", "slow", liquid, "-o", "slow.nc")
    monkeypatch.setattr(_Slow, "computed", ())
    monkeypatch.setattr(_Slow, "stop_at", 0)
    assert "before the first frame" in run(*command, code=130).err
    monkeypatch.setattr(_Slow, "stop_at", 2)
    err = run(*command, code=130).err
    assert err == "pelplug: interrupted; 2 finished frames are kept, and the same command goes on from there.\n"
    assert not (folder / "slow.nc").exists()
    monkeypatch.setattr(_Slow, "stop_at", None)
    captured = run(*command)
    assert "2 finished frames of slow found" in captured.err
    assert _Slow.computed == (0, 1, 2, 3)
    assert [path.name for path in folder.iterdir()] == ["slow.nc"]
    dataset = read_results("slow.nc")["slow"]
    assert dataset.x.values.tolist() == [1 / 3, 1 / 4, 1 / 5, 1 / 6]
    assert dataset.step.values.tolist() == [0, 100, 200, 300]


SLEEPER = """
import os
import time
import pelplug

class Sleeper(pelplug.Analysis):
    name = "sleeper"
    summary = "Takes its time"
    provides = {"x": pelplug.Field(("frame",), "1", "x")}
    def compute(self, configuration):
        time.sleep(0.0 if configuration.frame < 2 else float(os.environ["PAUSE"]))
        return {"x": float(configuration.frame)}

@pelplug.hookimpl
def pelplug_analyses():
    return [Sleeper]
"""


@pytest.mark.parametrize(("backend", "stop"), [("serial", signal.SIGINT), ("multiprocessing", signal.SIGINT),
                                               ("serial", signal.SIGKILL)])  # fmt: skip
def test_a_process_that_is_stopped_loses_nothing(folder, liquid, backend, stop):
    site = folder / "site"
    info = site / "pelplug_sleeper-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pelplug-sleeper\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[pelplug]\nsleeper = pelplug_sleeper\n")
    (site / "pelplug_sleeper.py").write_text(SLEEPER)
    command = [sys.executable, "-m", "pelplug", "analyze", "--plugin", "sleeper", str(liquid), "-o", "out.nc"]
    command += ["--backend", backend, "--workers", "2"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}
    process = subprocess.Popen(
        command,
        env={**environment, "PAUSE": "60"},
        start_new_session=True,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while len(list(folder.glob(".out.nc.*.partial/frame-*.npz"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, stop)  # as a terminal does: parent and workers
    _, err = process.communicate(timeout=30)
    if stop == signal.SIGINT:
        assert process.returncode == 130, err
        assert err.splitlines() == [
            "pelplug: interrupted; 2 finished frames are kept, and the same command goes on from there."
        ]
    assert not (folder / "out.nc").exists()
    again = subprocess.run(command, env={**environment, "PAUSE": "0"}, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert "2 finished frames of sleeper found" in again.stderr
    assert read_results("out.nc")["sleeper"].x.values.tolist() == [0, 1, 2, 3]
    assert not list(folder.glob(".out.nc*"))


# --- the other commands -----------------------------------------------------------------------------------------------


def test_plugins_are_listed(run):
    out = run("plugins").out
    for name in ("kappa", "inherent-structures", "models", "potentials"):
        assert any(line.split()[:2] == [name, "pelplug"] and "loaded" in line for line in out.splitlines())
    verbose = run("plugins", "-v").out
    assert "--pairs" in verbose and "uses inherent-structures" in verbose and "harmonic-spheres" in verbose


def test_models_are_listed_and_described(run):
    out = run("models").out
    for name in ("kob-andersen", "harmonic-spheres", "polydisperse-soft-spheres-2d"):
        assert name in out
    described = run("models", "kalj", "--model-param", "cutoff=1.8").out
    for part in ("epsilon", "0.8", "1.2", "truncation", "cutoff = 1.8", "Phys. Rev. E"):
        assert part in described


def test_results_are_plotted_again(folder, liquid, run):
    import matplotlib
    from matplotlib import pyplot

    before = dict(matplotlib.rcParams)
    for name, frames in (("a", 1), ("b", 2)):
        command = ("analyze", "--plugin", "kappa", "--plugin", "inherent-structures", liquid, *QUICK, "--quiet")
        run(*command, "-o", f"{name}.nc", "--stop", frames)
    assert "wrote one.png" in run("plot", "a.nc", "--plugin", "kappa", "-o", "one.png").out
    run("plot", "a.nc", "b.nc", "-o", "both.svg")
    svg = (folder / "both.svg").read_text()
    assert "<!-- a -->" in svg and "<!-- b -->" in svg  # the legend names the files
    assert (folder / "one.png").read_bytes().startswith(b"\x89PNG")
    assert "--overwrite" in run("plot", "a.nc", "-o", "one.png", code=2).err
    assert "no results of msed" in run("plot", "a.nc", "--plugin", "msed", "-o", "x.png", code=2).err
    assert dict(matplotlib.rcParams) == before and pyplot.get_fignums() == []


COMMANDS = '''
"""A plugin with a command and an exporter."""
import click, pelplug

class Lines:
    name, summary, suffixes = "lines", "counts", (".lines",)
    def export(self, datasets, trajectory, path):
        with open(path, "w") as file:
            file.write(" ".join(datasets))

@pelplug.hookimpl
def pelplug_exporters():
    return [Lines()]

@pelplug.hookimpl
def pelplug_commands(group):
    @group.command()
    def hello():
        "Say hello."
        click.echo("hello from a plugin")
    @group.command()
    def fails():
        "Fail."
        raise RuntimeError("on purpose")
    @group.command()
    def models():
        "Take the place of a command of pelplug."
        click.echo("mine")
'''


def test_commands_and_exporters_of_a_third_party(folder, liquid, run, monkeypatch):
    for name, code in (("commands", COMMANDS), ("broken", "raise RuntimeError('no')\n")):
        info = folder / "site" / f"pelplug_{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: pelplug-{name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[pelplug]\n{name} = pelplug_{name}\n")
        (folder / "site" / f"pelplug_{name}.py").write_text(code)
    monkeypatch.syspath_prepend(str(folder / "site"))
    host.use_registry(None)
    captured = run("--help")
    assert "hello" in captured.out and "Say hello." in captured.out and "quench" in captured.out
    assert captured.err == ""
    assert run("hello").out == "hello from a plugin\n"
    assert run("fails", code=1).err.startswith("pelplug: internal error (RuntimeError: on purpose)")
    assert "kob-andersen" in run("models").out
    listed = run("plugins").out
    assert "models" in listed and "pelplug-commands" in listed and "RuntimeError: no" in listed
    run("analyze", "--plugin", "kappa", liquid, "--stop", 1, *QUICK, "--export", "k.lines", "--quiet")
    assert (folder / "k.lines").read_text().split() == ["kappa", "inherent-structures"]
    assert "hello" not in run("--no-plugins", "--help").out
    assert "No such command" in run("--no-plugins", "hello", code=2).err
