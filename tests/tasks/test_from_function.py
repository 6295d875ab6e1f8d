"""One function is an analysis: called in a test, run in several processes, refused with one sentence."""

import importlib
import inspect
import pickle
import subprocess
import sys
from typing import Annotated

import numpy as np
import pytest

import pelplug
from pelplug import Field, Need, Param, analysis
from pelplug.errors import InputError, RunError
from pelplug.host.functions import run_analyses
from pelplug.testing import make_trajectory, registry_with

MODULE = '''"""Distances from a point."""

from __future__ import annotations

from typing import Annotated

import pelplug


@pelplug.analysis(
    provides={
        "square": pelplug.Field(("frame", "particle"), "length**2", "distance squared"),
        "largest": pelplug.Field(("frame",), "length**2", "the largest"),
    },
    cites=("nobody",),
)
def far_away(configuration, *, scale: Annotated[float, pelplug.Param("a factor", minimum=0)] = 1.0):
    """Squared distance from the origin.

    More about it.
    """
    square = scale * (configuration.positions**2).sum(axis=1)
    return {"square": square, "largest": square.max()}


@pelplug.analysis(provides={"energy": pelplug.Field(("frame",), "energy", "energy")}, name="its-energy", summary="U.")
def energy(configuration, potential):
    return {"energy": potential.energy_forces(configuration)[0]}


@pelplug.hookimpl
def pelplug_analyses():
    return [far_away, energy.analysis]
'''


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_trajectory(tmp_path_factory.mktemp("function") / "t.gsd", n=40, frames=5)


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    folder = tmp_path_factory.mktemp("module")
    (folder / "pelplug_distances.py").write_text(MODULE)
    sys.path.insert(0, str(folder))
    yield importlib.import_module("pelplug_distances")
    sys.path.remove(str(folder))
    del sys.modules["pelplug_distances"]


def test_the_function_is_still_a_function(module, path):
    state = pelplug.read_configuration(path)
    assert inspect.isfunction(module.far_away)
    values = module.far_away(state, scale=2.0)
    np.testing.assert_allclose(values["square"], 2 * np.linalg.norm(state.positions, axis=1) ** 2, rtol=1e-14)


def test_it_declares_what_the_function_says(module):
    cls = module.far_away.analysis
    assert issubclass(cls, pelplug.Analysis)
    assert (cls.name, cls.summary, cls.needs) == ("far-away", "Squared distance from the origin", Need.POSITIONS)
    assert cls.cites == ("nobody",) and cls.parameter_specs()["scale"].default == 1.0
    assert list(inspect.signature(cls).parameters) == ["trajectory", "scale", "base"]
    assert "scale : float, default 1.0\n    A factor (at least 0)." in cls.__doc__
    assert "More about it." in cls.__doc__
    assert (module.energy.analysis.name, module.energy.analysis.summary) == ("its-energy", "U")
    assert Need.POTENTIAL in module.energy.analysis.needs


def test_workers_find_it_by_the_functions_name(module, path):
    cls = module.far_away.analysis
    assert pickle.loads(pickle.dumps(cls)) is cls
    kept = ["square", "largest"]
    alone = cls(path, scale=3.0).run().to_dataset()
    assert alone["square"].dims == ("frame", "particle") and alone["square"].attrs["units"] == "length**2"
    for backend in ("multiprocessing", "dask"):
        many = cls(path, scale=3.0).run(backend=backend, n_workers=2).to_dataset()
        assert many[kept].drop_attrs().identical(alone[kept].drop_attrs()), backend


def test_a_hook_takes_the_function_and_a_run_its_options(module, path):
    registry = registry_with()
    record = registry.register(module, "distances")
    assert registry.plugins() and record.error is None
    assert record.provides == {"analyses": ["far-away", "its-energy"]}
    both = run_analyses(["far-away", "its-energy"], path, registry=registry, parameters={"scale": 2.0}).datasets
    state = pelplug.read_configuration(path, frame=3)
    assert both["far-away"]["largest"][3] == (2 * (state.positions**2).sum(axis=1)).max()
    energy = pelplug.model("kob-andersen").potential(state).energy_forces(state)[0]
    assert both["its-energy"]["energy"][3] == pytest.approx(energy, rel=1e-12)
    with pytest.raises(InputError, match=r"The parameter scale .* must be at least 0, not -1"):
        run_analyses("far-away", path, registry=registry, parameters={"scale": -1})


def test_what_is_needed_is_told_beforehand_and_given(path):
    def stiffness(configuration, potential):
        """Trace of the Hessian."""
        return {"x": potential.hessian(configuration).diagonal().sum()}

    def no_use(configuration):
        """Only asks for it."""
        return {"x": 0.0}

    provides, model = {"x": Field(("frame",), "energy / length**2", "trace")}, pelplug.model("kob-andersen")
    for function in (stiffness, no_use):
        cls = analysis(provides=provides, needs=Need.POSITIONS | Need.HESSIAN)(function).analysis
        with pytest.raises(InputError, match="needs a Hessian"):
            cls(path).run()
        found = cls(path, model=model).run(stop=1).to_dataset()
    cls = analysis(provides=provides, needs=Need.HESSIAN)(stiffness).analysis
    state = pelplug.read_configuration(path, frame=0)
    trace = model.potential(state).hessian(state).diagonal().sum()
    assert float(cls(path, model=model).run(stop=1).to_dataset()["x"][0]) == pytest.approx(trace, rel=1e-12)
    assert found["x"][0] == 0


def test_what_a_notebook_changes_is_another_fingerprint(path):
    """At a prompt there is no file whose content could tell."""
    text = MODULE.partition("@pelplug.hookimpl")[0] + f"print(far_away.analysis({str(path)!r}).fingerprint())"
    changed = text.replace("positions**2", "positions**4")
    marks = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for code in (text, text, changed)
    ]
    assert marks[0] == marks[1] != marks[2]


FIELD = Field(("frame", "particle"), "1", "what")


def none(configuration):
    """Return nothing."""


def wrong_name(configuration):
    """Return another name."""
    return {"y": np.zeros(configuration.n)}


def one_missing(configuration):
    """Return one of two."""
    return {"x": np.zeros(configuration.n)}


def wrong_shape(configuration):
    """Return too few."""
    return {"x": np.zeros(configuration.n - 1)}


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (none, "must return a dict of variables from .*, not NoneType"),
        (wrong_name, r"returned the variable 'y', which it does not declare per frame \(declared: x, z\)"),
        (one_missing, "did not return 'z', which it provides"),
        (wrong_shape, "returned 'x' with length 39 along particle, but the configuration has 40"),
    ],
)
def test_what_a_function_returns_is_compared_with_what_it_provides(path, function, said):
    provides = {"x": FIELD, "z": Field(("frame",), "1", "another")}
    with pytest.raises(RunError, match=said):
        analysis(provides=provides)(function).analysis(path).run()


def positional(configuration, r_max=1.4):
    """Positional."""


def nothing():
    """Nothing."""


def many(configuration, *others):
    """Any number."""


def free(configuration, **others):
    """Anything."""


def bare(configuration, *, r_max=1.4):
    """Not annotated."""


def unreadable(configuration, *, r_max: "Nowhere" = 1.4):  # noqa: F821
    """Annotated by nothing."""


def taken(configuration, *, workers: Annotated[int, Param("of pelplug")] = 1):
    """A name that analyze() has."""


def asked(configuration, *, potential):
    """A potential in the wrong place."""


def hidden(configuration, *, _r: Annotated[float, Param("hidden")] = 1.0):
    """A name that is no option."""


def unfit(configuration, *, r: Annotated[float, Param("radius", minimum=2)] = 1.0):
    """A default out of range."""


def no_words(configuration):
    return {}


def Größe(configuration):  # noqa: N802
    """A letter that no command line has."""


@pytest.mark.parametrize(
    ("function", "more", "said"),
    [
        (positional, {}, "the parameter 'r_max' of positional must be keyword-only: put it after a *"),
        (nothing, {}, "nothing must take a configuration as its first argument"),
        (many, {}, r"many must name each of its parameters, with no \*others"),
        (free, {}, r"free must name each of its parameters, with no \*others"),
        (bare, {}, r"must be annotated as Annotated\[<type>, pelplug.Param"),
        (unreadable, {}, "the annotations of unreadable cannot be read"),
        (taken, {}, "the parameter name 'workers' is reserved by pelplug"),
        (asked, {}, r"'potential' of a parameter of asked is reserved by pelplug; put it before the \*, as"),
        (hidden, {}, "the parameter name '_r' cannot be an option"),
        (unfit, {}, "default of Unfit does not fit its own declaration"),
        (no_words, {}, "no_words has no docstring"),
        (Größe, {}, "Größe cannot be called 'Größe' on a command line; give name="),
        (none, {"name": "Two Words"}, "none cannot be called 'Two Words'"),
        (none, {"provides": {}}, "none must say what it returns"),
        (none, {"provides": {"x": "1"}}, r"must give provides\['x'\] as a pelplug.Field"),
        (none, {"provides": {"x": Field(("bin",), "1", "what")}}, "the dims of 'x' begin with \"frame\""),
        (np.sin, {}, "stands above a function"),
        (pelplug.Analysis, {}, "stands above a function"),
    ],
)
def test_what_cannot_be_an_analysis_is_refused_in_one_sentence(function, more, said):
    with pytest.raises(TypeError, match=said) as refused:
        analysis(**{"provides": {"x": FIELD}, **more})(function)
    assert "\n" not in str(refused.value)


def test_one_inside_a_function_is_refused_where_it_has_to_be_sent(path):
    @analysis(provides={"x": FIELD})
    def local(configuration):
        """Compute."""
        return {"x": configuration.positions[:, 0]}

    assert local.analysis(path).run().to_dataset().sizes["frame"] == 5
    with pytest.raises(InputError, match=r"local.*in a module, or use one process \(no --workers\)"):
        local.analysis(path).run(backend="multiprocessing", n_workers=2)


@pytest.mark.parametrize("backend", ["multiprocessing", "dask"])
def test_one_of_a_script_without_a_guard_is_refused(path, tmp_path, backend):
    body = MODULE.partition("@pelplug.hookimpl")[0]
    script = f"far_away.analysis({str(path)!r}).run(backend={backend!r}, n_workers=2)\n"
    (tmp_path / "script.py").write_text(body + script)
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert "InputError: far_away is defined in script.py, which each worker" in done.stderr, done.stderr
