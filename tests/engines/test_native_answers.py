"""What a potential answers to `native` is looked at before an engine has it; what is wrong with it is one sentence."""

import copy
import os
import pathlib
import re

import numpy as np
import pytest
from oracles.strangers import Mixture, Stranger

import pelplug

HOSTILE = ["1.0\nshell touch PWNED", "$(x)", "a b", "'", '"', "#", "&", "é", ""]


class Says(Stranger):
    """Answers what it is told to."""

    answer: object = None

    def native(self, engine):
        return self.answer


def changed(engine, *path, to):
    """Return the honest answer with one thing in it that is not: removed where ``to`` is Ellipsis."""
    answer = copy.deepcopy(Stranger().native(engine))
    at = answer
    for name in path[:-1]:
        at = at[name]
    if to is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return answer


@pytest.fixture(scope="module")
def state():
    model = pelplug.model("kob-andersen")
    start = model.random_configuration(200, 1)
    return start.replace(velocities=np.zeros_like(start.positions), step=0)


def begin(engine, potential, state, route):
    if engine == "lammps":
        pytest.importorskip("lammps")
        from pelplug.engines.lammps.engine import LammpsEngine as Engine
    else:
        from pelplug.engines.hoomd.engine import HoomdEngine as Engine
    dynamics = pelplug.EquationsOfMotion("nve", 0.001)
    return Engine("cpu", route=route).session(state, Mixture(lambda: potential), dynamics, seed=1)


def refused(engine, answer, state, route="native"):
    """Return the sentence in which an answer is refused."""
    with pytest.raises(pelplug.InputError) as caught:
        begin(engine, type("Says", (Says,), {"answer": answer})(), state, route)
    said = str(caught.value)
    assert len(said.splitlines()) == 1 and said.startswith("Says.native(") and "--route kernel" in said, said
    return said


COEFFICIENTS = ("pairs", 0, "coefficients")
LAMMPS = {
    "no mapping": ([1, 2], "mapping"),
    "a text": ("lj/cut", "mapping"),
    "an unknown name": (changed("lammps", "shell", to="touch x"), "unknown shell"),
    "no style": (changed("lammps", "style", to=...), "style = None"),
    "a style that is a text": (changed("lammps", "style", to="lj/cut 2.5"), "style = 'lj/cut 2.5' where a list"),
    "a style that is a number": (changed("lammps", "style", 0, to=1.0), "does not begin with the name"),
    "no pairs": (changed("lammps", "pairs", to=...), "both or neither"),
    "a pair less": (changed("lammps", "pairs", 1, to=...), "no entry of pairs for the species A and B"),
    "three species": (changed("lammps", "pairs", 0, "species", to=["A", "A", "B"]), "two names or None"),
    "no coefficients": (changed("lammps", *COEFFICIENTS, to=[]), "coefficients = [] where a list"),
    "nan": (changed("lammps", *COEFFICIENTS, 0, to=float("nan")), "not finite"),
    "yes": (changed("lammps", *COEFFICIENTS, 0, to=True), "cannot be told"),
    "a nested list": (changed("lammps", *COEFFICIENTS, 0, to=[1.0]), "cannot be told"),
    "a formula that is none": (changed("lammps", *COEFFICIENTS, 0, to={"formula": "r; shell x"}), "formula"),
    "another mapping": (changed("lammps", *COEFFICIENTS, 0, to={"file": "/etc/passwd"}), "cannot be told"),
    "a reach of nobody": (changed("lammps", *COEFFICIENTS, 0, to={"reach": 1.0}), "cannot be told"),
    "modify": (changed("lammps", "modify", to=["shift", "yes\nshell x"]), "modify"),
    "a flag that is a word": (changed("lammps", "sets_masses", to="yes"), "true or false"),
    "rows of text": ({"style": ["sw"], "file": {"rows": ["Si Si Si 1.0"], "elements": "Si"}}, "no list of words"),
    "a hostile row": ({"style": ["sw"], "file": {"rows": [["Si", "# x"]], "elements": "Si"}}, "rows"),
    "an element less": ({"style": ["sw"], "file": {"rows": [["Si"]], "elements": {"A": "Si"}}}, "species B"),
    "a hostile element": (
        {"style": ["sw"], "file": {"rows": [["Si"]], "elements": {"A": "Si", "B": "x\nshell x"}}}, "elements"
    ),
    "a file by its path": ({"style": ["sw"], "file": "/etc/passwd"}, "mapping"),
}  # fmt: skip


@pytest.mark.parametrize("what", LAMMPS)
def test_what_lammps_is_not_told(what, state):
    answer, word = LAMMPS[what]
    assert word in refused("lammps", answer, state)


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize(
    "path", [("style", 0), ("style", 1), (*COEFFICIENTS, 0), ("modify", 0), (*COEFFICIENTS, 1)], ids=str
)
def test_nothing_is_injected(path, word, state, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused("lammps", changed("lammps", *path, to=word), state)
    assert os.listdir(tmp_path) == []


HOOMD = {
    "no mapping": ([1, 2], "mapping"),
    "an unknown name": (changed("hoomd", "shell", to="x"), "unknown shell"),
    "a force that is none": (changed("hoomd", "force", to="md.pair"), "pair.NAME"),
    "something else of HOOMD": (changed("hoomd", "force", to="pair.np"), "does not have"),
    "a private name": (changed("hoomd", "force", to="pair.__class__"), "pair.NAME"),
    "a force that it lacks": (changed("hoomd", "force", to="pair.NoSuchThing"), "does not have"),
    "a mode that it lacks": (changed("hoomd", "mode", to="sideways"), "does not take"),
    "no pairs": (changed("hoomd", "pairs", to=...), "pairs = None"),
    "a pair less": (changed("hoomd", "pairs", 2, to=...), "species B and B"),
    "a pair twice": (changed("hoomd", "pairs", 1, "species", to=["A", "A"]), "2 entries of pairs"),
    "no cutoff": (changed("hoomd", "pairs", 0, "cutoff", to=...), "cutoff = None"),
    "a wrong parameter": (changed("hoomd", "pairs", 0, "parameters", to={"eps": 1.0}), "does not take"),
    "parameters that are none": (changed("hoomd", "pairs", 0, "parameters", to=[1.0, 1.0]), "mapping of names"),
    "a parameter that is no number": (
        changed("hoomd", "pairs", 0, "parameters", "epsilon", to="strong"), "does not take"
    ),
}  # fmt: skip


@pytest.mark.hoomd
@pytest.mark.parametrize("what", HOOMD)
def test_what_hoomd_is_not_told(what, state):
    answer, word = HOOMD[what]
    assert word in refused("hoomd", answer, state)


TABLES = {
    "no mapping": (3, "mapping"),
    "a text": (changed("table", "pairs", 0, "energy", to="1 2 3"), "energy = '1 2 3' where a list"),
    "nan": (changed("table", "pairs", 0, "force", 7, to=float("nan")), "finite numbers"),
    "one energy less": (changed("table", "pairs", 0, "energy", 7, to=...), "4000 energies and 4001 forces"),
    "the end before the beginning": (changed("table", "pairs", 0, "cutoff", to=0.5), "from 0.6 to 0.5"),
    "a negative beginning": (changed("table", "pairs", 0, "first", to=-1.0), "first = -1.0"),
}


@pytest.mark.hoomd
@pytest.mark.parametrize("what", TABLES)
def test_what_is_no_table(what, state):
    answer, word = TABLES[what]
    assert word in refused("hoomd", answer, state, "table")


@pytest.mark.parametrize("engine", ["lammps", pytest.param("hoomd", marks=pytest.mark.hoomd)])
def test_a_potential_that_fails_is_said_in_a_sentence(engine, state, monkeypatch):
    monkeypatch.setattr(Says, "native", lambda self, engine: {}["no such\nthing"])
    assert "answers with an error (KeyError" in refused(engine, None, state)
    monkeypatch.setattr(Says, "native", Stranger.native)
    monkeypatch.setattr(Says, "energy_forces", lambda self, configuration: (1.0, np.zeros(3)))
    with pytest.raises(AssertionError, match=r"Says gives as forces an array of float64 of shape \(3,\)"):
        refused(engine, None, state)


@pytest.mark.parametrize("engine", ["lammps", pytest.param("hoomd", marks=pytest.mark.hoomd)])
def test_a_potential_that_fails_on_the_way_is_said_in_a_sentence(engine, state):
    class Tired(Stranger):
        calls = 0

        def energy_forces(self, configuration):
            self.calls += 1
            return (1 / 0) if self.calls > 5 else super().energy_forces(configuration)

    with begin(engine, Tired(), state, "kernel") as run:
        with pytest.raises(pelplug.RunError, match=r"failed .*division by zero") as caught:
            run.run(50)
        assert len(str(caught.value).splitlines()) == 1


def test_engines_know_no_potential_and_no_form():
    """They go by what they are told; what knows of kinds of potentials would go by them."""
    known = {"pelplug.potentials.base", "pelplug.potentials.interaction", "pelplug.models.base"}
    of_form = {"pelplug.potentials.form", "pelplug.potentials.pair_row"}  # of the CUDA kernel: types and its body
    engines = pathlib.Path(pelplug.__file__).parent / "engines"
    files = [*engines.glob("lammps/*.py"), *engines.glob("hoomd/*.py")]
    assert len(files) > 10
    for path in files:
        text = path.read_text()
        found = set(re.findall(r"^\s*from (pelplug\.(?:potentials|models)[\w.]*) import", text, re.MULTILINE))
        assert found <= known | (of_form if path.name == "cuda_pair.py" else set()), path
        assert not re.search(r"type\(potential\) (is|==|in)|isinstance\(potential", text), path
