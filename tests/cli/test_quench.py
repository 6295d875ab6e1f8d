"""The minimiser on the command line: its options, parameters, refusals and record."""

import json

import gsd.hoomd
import numpy as np
import pytest

import pelplug
from pelplug.cli import cli
from pelplug.core.minimisation import Quenching
from pelplug.landscape import MINIMISERS, quench_parameters


@pytest.fixture
def run(capsys):
    """Run pelplug in this process; gives what it wrote to stdout and stderr."""

    def run(*args, code=0):
        with pytest.raises(SystemExit) as stop:
            cli.main([str(one) for one in args])
        captured = capsys.readouterr()
        assert stop.value.code == code, captured.err
        return captured

    return run


@pytest.fixture(scope="module")
def liquid(tmp_path_factory):
    model = pelplug.model("kob-andersen", cutoff=1.8, truncation="smooth")
    path = tmp_path_factory.mktemp("liquid") / "liquid.gsd"
    pelplug.write_trajectory(path, [model.random_configuration(65, 1).replace(step=0)], model_record=model.to_dict())
    return path


def record_of(path):
    with gsd.hoomd.open(path) as trajectory:
        return json.loads(np.asarray(trajectory[0].log["pelplug/quench"], np.uint8).tobytes())


@pytest.mark.parametrize(
    ("options", "method", "expected"),
    [
        (
            ("--minimiser-param", "dt_max=0.05", "--minimiser-param", "f_inc=1.2"),
            "fire",
            {"dt_max": 0.05, "f_inc": 1.2},
        ),
        (
            ("--method", "lbfgs", "--minimiser-param", "memory=7,max_step=0.05"),
            "lbfgs",
            {"memory": 7, "max_step": 0.05},
        ),
    ],
)
def test_parameters_of_the_minimiser_are_used_and_recorded(run, liquid, tmp_path, options, method, expected):
    run("quench", liquid, "-o", tmp_path / "is.gsd", "--force-tolerance", "1e-6", "--quiet", *options)
    used = quench_parameters(method, **expected)
    tolerances = {"force_tolerance": 1e-6, "max_evaluations": 100_000}
    assert record_of(tmp_path / "is.gsd") == {"method": method, **tolerances, **used}
    state, model = pelplug.read_configuration(liquid), pelplug.model("kob-andersen", cutoff=1.8, truncation="smooth")
    again = pelplug.quench(state, model.potential(state), method=method, force_tolerance=1e-6, **expected)
    found = pelplug.read_configuration(tmp_path / "is.gsd")
    assert model.potential(found).energy(found) == pytest.approx(again.energy, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--minimiser-param", "dtmax=1"), "minimiser fire has no parameter 'dtmax' (did you mean dt_max?); its param"),
        (("--method", "cg", "--minimiser-param", "dt_max=1"), "The minimiser cg has no parameter 'dt_max'"),
        (("--minimiser-param", "dt_max"), "must be pairs key=value with commas between them, each key once (--m"),
        (("--minimiser-param", "dt_max=-1"), "dt_max of the minimiser fire must be above 0 (in units of length / en"),
        (("--minimiser-param", "dt_max=slow"), "dt_max of the minimiser fire must be a number, not 'slow'"),
        (("--method", "newton"), "The parameter method (--method) must be one of fire, cg, lbfgs, sd, not 'newton'"),
        (("--max-evaluations", "1"), "max_evaluations (--max-evaluations) must be at least 2"),
    ],
)
def test_wrong_parameters_are_one_sentence(run, liquid, tmp_path, options, words):
    said = run("quench", liquid, "-o", tmp_path / "is.gsd", *options, code=2)
    assert words in said.err and said.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_former_option_is_taken_with_a_note(run, liquid, tmp_path):
    said = run("analyze", "--plugin", "inherent-structures", liquid, "-o", tmp_path / "is.nc", "--force-tolerance",
               "1e-3", "--settings", "dt_max=0.05", "--quiet")  # fmt: skip
    assert "settings of the analysis inherent-structures is called minimiser_parameters now" in said.err
    used = json.loads(pelplug.read_results(tmp_path / "is.nc")["inherent-structures"].attrs["quench"])
    assert used["dt_max"] == 0.05


def test_the_parameters_of_every_minimiser_are_listed(run):
    assert tuple(MINIMISERS) == Quenching.parameter_specs()["method"].choices
    shown = run("plugins", "-v").out
    for name, cls in MINIMISERS.items():
        part = shown.partition(f"\n  {name}: {cls.summary}")[2].partition("\n\n")[0]
        assert all(f"  {one} " in part for one in cls.parameter_specs())
    assert "--settings" not in shown
