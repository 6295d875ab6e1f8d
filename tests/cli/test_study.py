"""`pelplug study`: results in, a result, a figure and curves out; its refusals are told before anything is written."""

from typing import ClassVar

import numpy as np
import pandas
import pytest
from oracles.studies import Slope, files, registry  # noqa: F401 (fixtures)

import pelplug
from pelplug.cli import cli
from pelplug.tasks.parameter_file import ParameterFile


@pytest.fixture(autouse=True)
def here(files, registry, monkeypatch):  # noqa: F811
    monkeypatch.chdir(files)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        cli.main([str(one) for one in arguments])
    out, err = capsys.readouterr()
    return end.value.code, out, err


def test_it_writes_a_result_a_figure_and_curves(capsys, files):  # noqa: F811
    command = ("study", "slope", "run-0.nc", "run-*.nc", "--factor", "2", "--plot", "s.png", "--export", "s.csv")
    code, out, err = run(capsys, *command)
    assert (code, err) == (0, "") and "slope: 4 results" in out and "wrote slope.nc" in out
    dataset = pelplug.read_results("slope.nc")["slope"]
    assert dataset["mean"].values.tolist() == [8.0, 16.5] and dataset.attrs["command"].startswith("pelplug study slope")
    assert (files / "s.png").read_bytes().startswith(b"\x89PNG")
    assert pandas.read_csv("s.csv")["mean [energy / length**2]"].tolist() == [8.0, 16.5]
    code, out, err = run(capsys, *command)
    assert code == 0 and "slope.nc was finished by this command already" in err
    code, out, err = run(capsys, "study", "slope", "run-0.nc")
    assert code == 2 and "slope.nc exists" in err and "--overwrite" in err
    assert run(capsys, "study", "slope", "run-0.nc", "--overwrite", "--quiet") == (0, "", "")
    assert run(capsys, "plot", "slope.nc", "-o", "again.png")[0] == 0
    code, _, err = run(capsys, "plot", "slope.nc", "--plugin", "square", "-o", "no.png")
    assert code == 2 and "no results of square" in err and not (files / "no.png").exists()


def test_a_study_chooses_what_is_printed(capsys, monkeypatch):
    """Variables over the same conditions beside each other, with their errors; what is not chosen is in the file."""
    assert "mean (temperature 0.5)" in run(capsys, "study", "slope", "run-*.nc")[1]
    monkeypatch.setattr(Slope, "prints", ("mean", "largest"))
    lines = run(capsys, "study", "slope", "run-*.nc", "--factor", "2", "--overwrite")[1].splitlines()
    assert [line.split() for line in lines[3:6]] == [
        ["temperature", "mean", "(energy", "/", "length**2)"], ["0.5", "8", "+-", "2"], ["1", "16.5", "+-", "0.5"]
    ]  # fmt: skip
    assert lines[2].split()[:2] == ["largest", "16.5"]
    monkeypatch.setattr(Slope, "prints", ("largest",))
    out = run(capsys, "study", "slope", "run-*.nc", "--factor", "3", "--overwrite")[1]
    assert "largest" in out and "mean height" not in out


def test_a_theory_needs_no_file(capsys):
    assert run(capsys, "study", "--points", "3", "square")[0] == 0
    assert pelplug.read_results("square.nc")["square"]["y"].values.tolist() == [0.0, 0.25, 1.0]


def test_parameters_are_read_from_a_file(capsys, files):  # noqa: F811
    """One file for several studies; what is typed counts before it."""
    (files / "p.toml").write_text("[square]\npoints = 3\n[slope]\nfactor = 2\n")
    assert run(capsys, "study", "square", "--parameters", "p.toml")[0] == 0
    assert pelplug.read_results("square.nc")["square"].sizes == {"x": 3}
    assert run(capsys, "study", "--parameters", "p.toml", "square", "--points", "4", "--overwrite")[0] == 0
    assert pelplug.read_results("square.nc")["square"].sizes == {"x": 4}
    (files / "plain.toml").write_text("factor = 3.0\n[square]\npoints = 3\n")
    assert pelplug.study("slope", "run-*.nc", parameters="plain.toml")["mean"].values.tolist() == [12.0, 24.75]
    assert pelplug.study("slope", "run-*.nc", parameters="p.toml")["mean"].values.tolist() == [8.0, 16.5]


@pytest.mark.parametrize(
    "text, sentence",
    [
        (
            "[square]\npoint = 3",
            "file p.toml: The study square has no parameter 'point' (did you mean points?)",
        ),
        ("points = 1", "In the parameter file p.toml: The parameter points of the study square must be at least 2"),
        (
            "points = [1, 2]",
            "file p.toml: The parameter points of the study square must be an integer",
        ),
        ("square = 3", "In the parameter file p.toml: square is a study; write its parameters under [square]"),
        ("points =", "The parameter file p.toml is not valid TOML"),
        (None, "p.toml"),
    ],
)
def test_a_parameter_file_that_does_not_fit_is_refused(capsys, files, text, sentence):  # noqa: F811
    if text is not None:
        (files / "p.toml").write_text(text)
    code, out, err = run(capsys, "study", "square", "--parameters", "p.toml")
    assert (code, out) == (2, "") and sentence in err and err.count("\n") == 1 and not (files / "square.nc").exists()


def test_one_parameter_by_two_names_is_refused(files):  # noqa: F811
    specs, others = pelplug.TrapLandscape.parameter_specs(), ("walk", "hops")
    (files / "p.toml").write_text("lam = 0.4\nlambda = 0.6\n")
    with pytest.raises(pelplug.InputError, match=r"p\.toml: lam and lambda are the same parameter; leave one of them"):
        ParameterFile(parameters="p.toml").values("walk", specs, others)
    (files / "p.toml").write_text("lam = 0.4\n[walk]\nlambda = 0.6\n")
    assert ParameterFile(parameters="p.toml").values("walk", specs, others) == {"lam": 0.6}
    assert ParameterFile(parameters="p.toml").values("hops", specs, others) == {"lam": 0.4}


def test_help_has_the_parameters_of_the_study(capsys):
    _, out, _ = run(capsys, "study", "slope", "--help")
    assert "Options of slope" in out and "A factor (at least 0).  [default: 1.0]" in out
    _, out, _ = run(capsys, "study", "--help")
    assert "With NAME, --help shows the options of that study too" in out and "--factor" not in out
    _, out, _ = run(capsys, "plugins", "-v")
    assert "mine: studies slope, square" in out and "--factor" in out


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["slpe", "run-0.nc"], "There is no study 'slpe' (did you mean slope?)."),
        (["kappa", "run-0.nc"], "There is no study 'kappa': it is the analysis `pelplug analyze --plugin kappa`."),
        (["slope"], "reads results of height, and there are none"),
        (["slope", "run-9.nc"], "There is no file run-9.nc"),
        (["slope", "run-0.nc", "--factor", "-1"], "The parameter factor of the study slope must be at least 0"),
        (["slope", "run-0.nc", "-o", "slope.dat"], "Results are NetCDF files; call the output slope.nc"),
        (["slope", "run-0.nc", "--export", "s.gsd2"], "Nothing exports to s.gsd2"),
        (["slope", "run-0.nc", "--plot", "s.what"], "No figure can be written to s.what"),
        (["slope", "run-0.nc", "-o", "run-0.nc", "--overwrite"], "run-0.nc"),
        (["square", "run-0.nc"], "is a theory, which reads no results; leave run-0.nc out"),
    ],
)
def test_refusals_are_one_sentence_and_leave_nothing(capsys, files, arguments, sentence):  # noqa: F811
    before = {path.name: path.read_bytes() for path in files.iterdir()}
    code, out, err = run(capsys, "study", *arguments)
    assert (code, out) == (2, "") and sentence in err and err.count("\n") == 1
    assert {path.name: path.read_bytes() for path in files.iterdir() if not path.name.startswith(".")} == before


def test_a_part_that_fails_is_told_and_the_exit_code_is_1(capsys, monkeypatch):
    def compute(self, collection):
        with self.part("the largest"):
            raise ValueError("no largest")
        return {"temperature": [1.0], "mean": [2.0]}

    monkeypatch.setattr(Slope, "compute", compute)
    code, _, err = run(capsys, "study", "slope", "run-0.nc")
    assert code == 1 and "slope left out the largest, which failed (ValueError: no largest)" in err
    assert pelplug.read_results("slope.nc")["slope"]["mean"].values.tolist() == [2.0]


class Spread(pelplug.Study):
    """Last MSD over temperature."""

    name = "spread"
    summary = "Last mean squared displacement over temperature"
    uses = ("dynamics",)
    varies = ("temperature",)
    provides: ClassVar = {
        "temperature": pelplug.Field(("temperature",), "temperature", "temperature"),
        "msd": pelplug.Field(("temperature",), "length**2", "mean squared displacement"),
    }

    def compute(self, collection):
        groups = collection.groups("temperature")
        last = [np.mean([float(one["msd"].values.ravel()[-1]) for one in group]) for group in groups]
        return {"temperature": [group.value("temperature") for group in groups], "msd": last}


def walk(name, temperature, n=30, **given):
    rng = np.random.default_rng(n)
    places = np.cumsum(rng.normal(0, 0.05, (6, n, 3)), axis=0) + rng.uniform(0, 5, (n, 3))
    still = pelplug.Configuration(places[0], [5.0] * 3, ["A"] * n, masses=np.ones(n))
    states = (still.replace(positions=one, step=k).wrapped() for k, one in enumerate(places))
    said = None if temperature is None else pelplug.Conditions(temperature=temperature, **given)
    pelplug.write_trajectory(f"{name}.gsd", states, conditions=said)


def test_the_remedy_of_each_refusal_works(capsys, registry):  # noqa: F811
    class Plugin:
        """One more."""

        @staticmethod
        @pelplug.hookimpl
        def pelplug_studies():
            return [Spread]

    registry.register(Plugin(), "spread")

    def analyze(name, *more):
        command = f"analyze {name}.gsd -o {name}.nc --plugin dynamics --quantities msd --dt 1 --quiet"
        code, _, err = run(capsys, *command.split(), *more)
        assert code == 0, err

    def study(*names, code=0):
        found, _, err = run(capsys, "study", "spread", *(f"{one}.nc" for one in names), "--overwrite", "--quiet")
        assert found == code, err
        return err

    walk("a", 0.5)
    walk("silent", None)
    analyze("a")
    analyze("silent")
    assert study("a", "silent", code=2) == (
        "pelplug: silent.nc does not say its temperature, which the study spread needs; make it anew with "
        "--temperature (temperature= in Python) and --overwrite.\n"
    )
    analyze("silent", "--temperature", "0.7", "--overwrite")
    study("a", "silent")
    analyze("silent", "--temperature", "0.7", "--units", "metal", "--overwrite")
    assert "in different units, length (length in a.nc, Angstrom in silent.nc)" in study("a", "silent", code=2)
    analyze("a", "--units", "metal", "--overwrite")
    study("a", "silent")
    walk("larger", 0.6, n=31)
    analyze("larger", "--units", "metal")
    assert "number of particles (30 in a.nc, 31 in larger.nc)" in study("a", "silent", "larger", code=2)
    old = pelplug.read_results("a.nc")["dynamics"]
    old.attrs["provenance_version"] = 1
    pelplug.write_netcdf("a.nc", old, overwrite=True)
    assert "make a.nc anew, with --overwrite, or leave it out" in study("a", "silent", code=2)
    study("silent")
    analyze("a", "--units", "metal", "--overwrite")
    study("a", "silent")
    pelplug.write_netcdf("again.nc", pelplug.read_results("a.nc")["dynamics"])
    assert "a.nc and again.nc are one result of dynamics" in study("a", "again", code=2)
