"""Bad input, one case each: one sentence with the remedy on stderr, the right exit code, no file changed."""

import os
import shutil
import subprocess
import sys

import gsd.hoomd
import numpy as np
import pytest

import pelplug
from pelplug.cli import cli
from pelplug.files.gsd import GSDWriter
from pelplug.files.results import read_results
from pelplug.host import functions as host
from pelplug.host.registry import Registry

MODEL = ("--model", "kob-andersen", "--model-param", "cutoff=1.8")


@pytest.fixture(scope="session")
def states():
    """Three small Kob-Andersen states, quenched so that no test waits for it."""
    model = pelplug.model("kob-andersen", cutoff=1.8)
    result = []
    for frame in range(3):
        conf = model.random_configuration(65, frame + 1).replace(step=10 * frame)
        result.append(pelplug.quench(conf, model.potential(conf), method="lbfgs").require_converged().configuration)
    return result


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def write(folder, states):
    """Write states, changed by `change`, to a GSD file."""

    def write(name="traj.gsd", change=lambda conf: conf, model=None):
        with GSDWriter(folder / name, {"model": model} if model else None) as writer:
            for conf in states:
                writer.write(change(conf))
        return name

    return write


@pytest.fixture(autouse=True)
def plain_registry():
    yield
    host.use_registry(None)


def _contents(folder):
    return {
        path.relative_to(folder): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if ".partial" not in str(path)
    }


@pytest.fixture
def refused(folder, capsys):
    """Run pelplug, and check that it fails as it should; gives the sentence."""

    def refused(*args, code=2, words=()):
        before = _contents(folder)
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            cli.main([str(one) for one in args])
        out, err = capsys.readouterr()
        assert stop.value.code == code, err
        assert len(err.splitlines()) == 1, err
        assert err.startswith("pelplug: ")
        assert err.rstrip().endswith((".", "?", "?)")), err
        assert "Traceback" not in err + out
        assert out == ""
        assert len(err) < 600
        for word in words:
            assert word in err, err
        assert _contents(folder) == before
        return err

    return refused


def _kappa(name, *more):
    return ("analyze", "--plugin", "kappa", name, *MODEL, *more)


COMMANDS = {
    "analyze": lambda name, *more: _kappa(name, *more),
    "quench": lambda name, *more: ("quench", name, *MODEL, "-o", "is.gsd", *more),
}
both = pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)


# --- the file -----------------------------------------------------------------------------------------------------


@both
def test_missing_file(refused, command):
    refused(*command("nowhere.gsd"), words=["nowhere.gsd", "check"])


def test_missing_file_is_found_before_plugins_are_loaded(folder):
    program = (
        "import sys; from pelplug.cli import cli\n"
        "try: cli.main(['analyze', '--plugin', 'kappa', 'nowhere.gsd'])\n"
        "finally: print([m for m in ('numpy', 'MDAnalysis', 'pelplug_kappa') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=folder)
    assert (result.returncode, result.stdout) == (2, "[]\n")
    assert "There is no file nowhere.gsd" in result.stderr


@both
def test_folder_in_place_of_a_file(refused, folder, command):
    (folder / "traj.gsd").mkdir()
    refused(*command("traj.gsd"), words=["traj.gsd"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@both
def test_unreadable_file(refused, folder, write, command):
    name = write()
    (folder / name).chmod(0)
    refused(*command(name), words=[name])


@both
def test_file_that_cannot_be_read(refused, command):
    # Not even root reads this one: the system answers with an error, not with data.
    refused(*command("/proc/self/mem"), words=["/proc/self/mem"])


@both
def test_text_file_called_gsd(refused, folder, command):
    (folder / "traj.gsd").write_text("step energy\n0 -1.0\n")
    refused(*command("traj.gsd"), words=["not a GSD file", "--format"])


@both
def test_empty_file(refused, folder, command):
    (folder / "traj.gsd").touch()
    refused(*command("traj.gsd"), words=["empty"])


@both
@pytest.mark.parametrize("kept", [0.02, 0.3, 0.7])
def test_truncated_gsd(refused, folder, write, command, kept):
    data = (folder / write()).read_bytes()
    (folder / "traj.gsd").write_bytes(data[: int(kept * len(data))])
    refused(*command("traj.gsd"), words=["traj.gsd", "truncated"], code=2)


@both
def test_no_frames(refused, folder, command):
    gsd.hoomd.open(str(folder / "traj.gsd"), "w").close()
    refused(*command("traj.gsd"), words=["no frames"])


@both
@pytest.mark.parametrize("options", [("--start", "7"), ("--start", "2", "--stop", "1"), ("--step", "0")])
def test_frame_out_of_range(refused, write, command, options):
    refused(*command(write(), *options), words=[options[-1] if options[0] == "--step" else "3 frames"])


@both
def test_no_box(refused, folder, command):
    (folder / "traj.xyz").write_text("2\nno box\nA 0 0 0\nB 1 1 1\n")
    refused(*command("traj.xyz"), words=["no periodic box", "Lattice"])


# --- the particles --------------------------------------------------------------------------------------------------


@both
def test_species_the_model_lacks(refused, write, command):
    name = write(change=lambda conf: conf.replace(species=np.where(conf.species == "A", "Si", "O")))
    refused(*command(name), words=["Si", "--species"])


@both
@pytest.mark.parametrize("mapping", ["X=A", "A", "A=", "A=B,A=C"])
def test_species_mapping_that_does_not_fit(refused, write, command, mapping):
    refused(*command(write(), "--species", mapping), words=["--species"])


@both
def test_model_of_another_dimension(refused, write, command):
    args = [one if one != "kob-andersen" else "kob-andersen-2d" for one in command(write())]
    refused(*args, words=["d = 3", "use kob-andersen"])


@both
def test_nan_coordinates(refused, folder, states, command):
    positions = np.array(states[0].positions, dtype=np.float32)
    positions[3, 1] = np.nan
    frame = gsd.hoomd.Frame()
    frame.configuration.box = [*np.diag(states[0].cell), 0, 0, 0]
    frame.particles.N = len(positions)
    frame.particles.position = positions
    frame.particles.types = ["A", "B"]
    frame.particles.typeid = (states[0].species == "B").astype(int)
    with gsd.hoomd.open(str(folder / "nan.gsd"), "w") as file:
        file.append(frame)
    refused(*command("nan.gsd"), words=["NaN", "frame"])


def _overlapping(conf):
    positions = np.array(conf.positions)
    positions[1] = positions[0]
    return conf.replace(positions=positions)


@both
def test_two_particles_at_one_point(refused, write, command):
    refused(*command(write(change=_overlapping)), words=["0", "1", "same"], code=2)


@both
def test_box_smaller_than_the_model_allows(refused, write, command):
    # A hundred times as dense as any liquid: no larger system helps, another unit does.
    refused(*command(write(change=lambda conf: conf.replace(cell=conf.cell / 5))), words=["units of length"])


# --- names and values -----------------------------------------------------------------------------------------------


def test_unknown_plugin(refused, write):
    refused("analyze", "--plugin", "kapa", write(), words=["'kapa'", "kappa"])
    refused("analyze", "--plugin", "zzz", "traj.gsd", words=["'zzz'", "there are"])
    refused("analyze", "--plugin", ",", "traj.gsd", words=["pelplug plugins"])


@both
def test_unknown_model(refused, write, command):
    args = [one if one != "kob-andersen" else "kob-anderson" for one in command(write())]
    refused(*args, words=["'kob-anderson'", "kob-andersen"])


@both
def test_unknown_model_parameter(refused, write, command):
    refused(*command(write(), "--model-param", "cutof=2"), words=["cutof", "cutoff"])


@both
@pytest.mark.parametrize("value", ["cutoff", "cutoff=", "=3", "truncation=never", "truncation=1"])
def test_wrong_model_parameter(refused, write, command, value):
    refused(*command(write(), "--model-param", value), words=["key=value" if value[-1] in "f=3" else "shifted-force"])


@both
@pytest.mark.parametrize(("value", "words"), [("-1", "above 0"), ("nan", "number"), ("x", "number")])
def test_model_parameter_out_of_range(refused, write, command, value, words):
    args = [one if one != "cutoff=1.8" else f"cutoff={value}" for one in command(write())]
    refused(*args, words=["cutoff", words])


def test_no_model(refused, write):
    for command in (("analyze", "--plugin", "kappa"), ("quench", "-o", "is.gsd")):
        refused(*command, write(), words=["--model", "kob-andersen"])
        refused(*command, "traj.gsd", "--model-param", "cutoff=2", words=["--model"])
        refused(*command, "traj.gsd", *MODEL, "--potential", "python:a.py", words=["either"])
        refused(*command, "traj.gsd", "--model", "a.toml", words=["a.toml"])
        refused(*command, "traj.gsd", "--potential", "a.txt", words=["PROVIDER:FILE"])


def test_damaged_model_file(refused, folder, write):
    (folder / "a.toml").write_text("name = [")
    refused("quench", write(), "-o", "is.gsd", "--model", "a.toml", words=["a.toml"])


def test_unknown_parameter(refused, write):
    refused(*_kappa(write(), "--pairz", "3"), words=["--pairz", "--pairs"])
    refused(*_kappa("traj.gsd", "--kappa.foo", "3"), words=["--kappa.foo", "--help"])


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--pairs", "many", "integer"),
        ("--pairs", "2.5", "integer"),
        ("--pairs", "0", "at least 1"),
        ("--solver", "magic", "auto"),
        ("--confidence", "1.5", "below 1"),
        ("--kappa.seed", "-3", "at least 0"),
        ("--force-tolerance", "0", "above 0"),
        ("--method", "newton", "fire"),
    ],
)
def test_parameter_of_the_wrong_type_or_out_of_range(refused, write, option, value, words):
    refused(*_kappa(write(), option, value), words=[words, option.split(".")[-1].lstrip("-").replace("-", "_")])


@pytest.mark.parametrize(
    ("option", "value"), [("--method", "x"), ("--force-tolerance", "-1"), ("--max-evaluations", "z")]
)
def test_quench_parameter(refused, write, option, value):
    refused(*COMMANDS["quench"](write(), option, value), words=[option.strip("-").replace("-", "_")])


@both
@pytest.mark.parametrize(
    "options", [("--start", "x"), ("--backend", "gpu"), ("--dt", "fast"), ("--dt", "-1"), ("--nope",)]
)
def test_wrong_options(refused, write, command, options):
    refused(*command(write(), *options))


@both
def test_workers_and_scheduler(refused, write, command):
    refused(*command(write(), "--workers", "0"), words=["--workers", "at least 1"])
    refused(*command("traj.gsd", "--scheduler", "tcp://127.0.0.1:1", "--backend", "serial"), words=["--backend dask"])
    # nobody listens there, or dask.distributed is not installed
    refused(*command("traj.gsd", "--scheduler", "tcp://127.0.0.1:1"), words=["dask", "scheduler"])


# --- plugins --------------------------------------------------------------------------------------------------------


def _install(folder, monkeypatch, name, code):
    """Lay a distribution out as pip does, on the path of this process."""
    site = folder.parent / f"{folder.name}-site"
    info = site / f"pelplug_{name}-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: pelplug-{name}\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text(f"[pelplug]\n{name} = pelplug_{name}\n")
    (site / f"pelplug_{name}.py").write_text(code)
    monkeypatch.syspath_prepend(str(site))
    host.use_registry(None)


def test_plugin_that_fails_to_import(refused, folder, write, monkeypatch, capsys):
    _install(folder, monkeypatch, "broken", "import a_module_that_is_not_there\n")
    refused("analyze", "--plugin", "broken", write(), words=["broken", "pelplug-broken", "a_module_that_is_not_there"])
    with pytest.raises(SystemExit) as stop:
        cli.main(["plugins"])
    out = capsys.readouterr().out
    assert stop.value.code == 0
    assert "failed" in out and "a_module_that_is_not_there" in out and "kappa" in out
    with pytest.raises(SystemExit) as stop:
        cli.main(["--no-plugins", "quench", "--help"])
    assert stop.value.code == 0


class _Fragile(pelplug.Analysis):
    name = "fragile"
    summary = "Fails in one frame, or in all"
    provides = {"x": pelplug.Field(("frame",), "1", "x")}  # noqa: RUF012
    fails = (1,)

    def compute(self, configuration):
        if configuration.frame in self.fails:
            raise ZeroDivisionError("division by zero")
        return {"x": float(configuration.frame)}


class _Hopeless(_Fragile):
    name = "hopeless"
    fails = (0, 1, 2)


class _Plugin:
    @pelplug.hookimpl
    def pelplug_analyses(self):
        return [_Fragile, _Hopeless]


@pytest.fixture
def fragile():
    registry = Registry()
    registry.register(_Plugin(), "fragile-plugin")
    host.use_registry(registry)


def test_plugin_that_raises_in_one_frame(folder, write, fragile, capsys):
    name = write()
    before = (folder / name).read_bytes()
    with pytest.raises(SystemExit) as stop:
        cli.main(["analyze", "--plugin", "fragile", name, "-o", "x.nc"])
    err = capsys.readouterr().err
    assert stop.value.code == 0
    assert len(err.splitlines()) == 1 and "Traceback" not in err
    assert "1 of 3 frames" in err and "frame 1" in err and "division by zero" in err
    dataset = read_results("x.nc")["fragile"]
    assert dataset.frame.values.tolist() == [0, 2] and dataset.x.values.tolist() == [0.0, 2.0]
    assert '"1"' in dataset.attrs["failed_frames"] and "division by zero" in dataset.attrs["failed_frames"]
    assert (folder / name).read_bytes() == before
    assert sorted(path.name for path in folder.iterdir()) == [name, "x.nc"]


def test_plugin_that_raises_in_every_frame(refused, write, fragile):
    refused("analyze", "--plugin", "hopeless", write(), code=1, words=["hopeless", "all 3 frames", "division by zero"])


def test_quench_that_does_not_converge(refused, write):
    def shaken(conf):
        return conf.replace(positions=conf.positions + np.random.default_rng(3).normal(scale=0.05, size=(conf.n, 3)))

    options = ("--max-evaluations", "4")
    words = ["did not converge", "max_evaluations"]
    refused(*COMMANDS["quench"](write(change=shaken), *options), code=1, words=words)
    refused(*_kappa("traj.gsd", *options), code=1, words=words)


# --- the output -----------------------------------------------------------------------------------------------------


def test_output_exists(refused, folder, write):
    name = write()
    for path in ("k.nc", "k.png", "k.gsd", "is.gsd", "traj.kappa.nc"):
        (folder / path).write_text("precious")
    refused(*_kappa(name, "-o", "k.nc"), words=["k.nc", "--overwrite"])
    refused(*_kappa(name), words=["traj.kappa.nc", "--overwrite"])
    refused(*_kappa(name, "-o", "new.nc", "--plot", "k.png"), words=["k.png", "--overwrite"])
    refused(*_kappa(name, "-o", "new.nc", "--export", "k.gsd"), words=["k.gsd", "--overwrite"])
    refused(*COMMANDS["quench"](name), words=["is.gsd", "--overwrite"])


def test_output_is_the_input(refused, folder, write):
    name = write()
    os.link(folder / name, folder / "hard.gsd")
    (folder / "soft.gsd").symlink_to(folder / name)
    for path in (name, "hard.gsd", "soft.gsd"):
        refused(*_kappa(name, "-o", "k.nc", "--export", path, "--overwrite"), words=["input file"])
        refused("quench", name, *MODEL, "-o", path, "--overwrite", words=["input file"])


@pytest.mark.parametrize("path", ["missing/k.nc", "traj.gsd/k.nc", "/proc/k.nc", "."])
def test_output_folder_that_cannot_be_written(refused, write, path):
    name = write()
    refused(*_kappa(name, "-o", path), words=["folder"])
    refused("quench", name, *MODEL, "-o", path.replace(".nc", ".gsd"), words=["folder"])


def test_output_on_a_read_only_disk(refused, folder, write):
    name = write()
    disk = folder / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("mounting needs root")
    try:
        refused(*_kappa(name, "-o", disk / "k.nc"), words=["Read-only", "writable"])
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_formats_without_four_dimensions(refused, folder):
    model = pelplug.model("harmonic-spheres")
    rng = np.random.default_rng(2)
    conf = pelplug.Configuration(rng.random((40, 4)) * 2.3, np.full(4, 2.3), ["A"] * 40)
    pelplug.write_trajectory("four.nc", [conf], model_record=model.to_dict())
    command = ("analyze", "--plugin", "inherent-structures", "four.nc", "--model", "harmonic-spheres", "-o", "is.nc")
    for name in ("is.gsd", "is.xyz"):
        refused(*command, "--export", name, words=["4 dimensions", "NetCDF"])
    refused("quench", "four.nc", "--model", "harmonic-spheres", "-o", "is.gsd", words=["has 4"])


def test_endings_nobody_writes(refused, write):
    name = write()
    refused(*_kappa(name, "-o", "k.txt"), words=["k.nc"])
    refused(*_kappa(name, "--plot", "k.foo"), words=[".png"])
    refused(*_kappa(name, "--export", "k.foo"), words=[".gsd"])
    refused("quench", name, *MODEL, "-o", "is.xyz", words=["is.gsd"])
    refused(*_kappa(name, "-o", "a.nc", "--export", "a.nc"), words=["same name"])


LIMITED = """
import importlib, resource, sys
from pelplug.cli import cli

module, name = sys.argv[1].rsplit(".", 1)
module = importlib.import_module(module)
real = getattr(module, name)

def then_full(*args, **keywords):
    result = real(*args, **keywords)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
    return result

setattr(module, name, then_full)
cli.main(sys.argv[2:])
"""


@pytest.mark.parametrize(
    ("full_after", "command", "target"),
    [
        ("pelplug.cli.run.execute", ("analyze", "--plugin", "kappa", "-o", "k.nc"), "k.nc"),
        (
            "pelplug.files.results.write_netcdf",
            ("analyze", "--plugin", "kappa", "-o", "k.nc", "--plot", "k.png"),
            "k.png",
        ),
        (
            "pelplug.files.results.write_netcdf",
            ("analyze", "--plugin", "kappa", "-o", "k.nc", "--export", "k.xyz"),
            "k.xyz",
        ),
        (
            "pelplug.files.results.write_netcdf",
            ("analyze", "--plugin", "kappa", "-o", "k.nc", "--export", "k.gsd"),
            "k.gsd",
        ),
        ("pelplug.cli.run.execute", ("quench", "-o", "is.gsd"), "is.gsd"),
    ],
)
def test_disk_full_while_writing(folder, write, full_after, command, target):
    """In a process of its own, whose files may not grow beyond 5 kB once the results are there."""
    name = write()
    shutil.copy(name, "copy")
    (folder / target).write_text("old")
    # -B: Python would leave its own compiled files of pelplug cut.
    command = [sys.executable, "-B", "-c", LIMITED, full_after, *command, name, *MODEL, "--overwrite"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert result.returncode == 1, result.stderr
    # With h5py 3.16, HDF5 tries once more when the interpreter ends, whose lines of complaint say nothing.
    noise = ("Error in sys.excepthook", "Original exception was")
    said = [line for line in result.stderr.splitlines() if line and not line.startswith(noise)]
    assert len(said) == 1, result.stderr
    assert result.stderr.startswith(f"pelplug: The disk is full: {target} was not written")
    assert "same command again" in result.stderr
    assert (folder / target).read_text() == "old"
    assert (folder / name).read_bytes() == (folder / "copy").read_bytes()
    assert not [path.name for path in folder.iterdir() if ".tmp" in path.name]
    if target == "k.nc":  # the work is not lost: the finished frames are used when there is room again
        assert list(folder.glob(".k.nc.*.partial/frame-*.npz"))


def test_results_that_cannot_be_plotted(refused, folder, write):
    (folder / "a.nc").write_text("text")
    refused("plot", "a.nc", "-o", "a.png", words=["a.nc"])
    refused("plot", "missing.nc", "-o", "a.png", words=["missing.nc", "check"])
    refused("plot", write(), "-o", "a.png", words=["traj.gsd"])
    refused("plot", "-o", "a.png", words=["--help"])


def test_unknown_command(refused):
    refused("analyse", words=["analyse", "--help"])
    refused("models", "kob-anderson", words=["kob-andersen"])
    refused("--nope", words=["--nope"])


def test_an_error_of_the_program_is_one_sentence_too(refused, write, monkeypatch):
    name = write()

    def broken(*args, **keywords):
        raise AttributeError("nobody thought of this")

    monkeypatch.setattr("pelplug.trajectories.several.open_trajectory", broken)
    refused(*_kappa(name), code=1, words=["internal error", "nobody thought of this", "--debug"])


def test_debug_shows_the_traceback(write, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["quench", write(), "-o", "is.gsd", "--model", "nope", "--debug"])
    err = capsys.readouterr().err
    assert stop.value.code == 2
    assert "Traceback" in err and err.splitlines()[-1].startswith("pelplug: ")


def test_a_closed_pipe_is_quiet():
    command = f"{sys.executable} -m pelplug plugins | true"
    result = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert result.stderr == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_standard_output_on_a_full_disk():
    result = subprocess.run(
        f"{sys.executable} -m pelplug models > /dev/full", shell=True, capture_output=True, text=True
    )
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1 and "disk" in result.stderr
