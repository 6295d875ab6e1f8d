"""The checks of an analysis, and of a study: what it declares and gives, the same however it is run."""

from __future__ import annotations

import json
import pickle
import re
import unittest
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from pelplug.core.conditions import Conditions
from pelplug.core.fields import Need
from pelplug.errors import InputError
from pelplug.files.results import read_results, write_netcdf
from pelplug.host.checks import check_analysis_contract, check_study_contract
from pelplug.plotting.figures import entitle
from pelplug.tasks.study import Study
from pelplug.testing.checks import check, checks_of, require
from pelplug.testing.kit import Kit

__all__ = ["check_analysis", "unfit_values"]

_PROVENANCE = ("analysis", "plugin", "parameters", "versions", "fingerprint", "created")
_OF_ERRORS = ("error_method", "effective_samples", "confidence")
_SECTIONS = (
    "Parameters", "Returns", "Yields", "Receives", "Other Parameters", "Raises", "Warns", "Attributes", "Methods",
    "See Also", "Notes", "References", "Examples",
)  # fmt: skip


@check("analysis", "study")
def check_declared(cls, kit):
    """Name, summary, variables and parameters are declared as the host wants them."""
    try:
        (check_study_contract if issubclass(cls, Study) else check_analysis_contract)(cls)
    except TypeError as error:
        raise AssertionError(str(error)) from error


@check("analysis", "study")
def check_documented(cls, kit):
    """The docstring is numpydoc and describes every parameter."""
    text = cls.__doc__ or ""
    require(text.strip(), f"{cls.__name__} has no docstring")
    first = text.strip().partition("\n\n")[0]
    require(first.rstrip().endswith("."), f"the docstring of {cls.__name__} does not begin with a sentence: {first!r}")
    found = re.findall(r"^ *([A-Z][A-Za-z ]+)\n *-{3,}$", text, re.MULTILINE)
    strange = [name for name in found if name not in _SECTIONS]
    require(not strange, f"numpydoc has no section {', '.join(strange)}")
    for name in cls.parameter_specs():
        require(re.search(rf"^ *{name} : ", text, re.MULTILINE), f"the docstring does not describe {name}")


@check("analysis", "study")
def check_refuses_parameters(cls, kit):
    """A parameter that is unknown, of another type or out of range is refused by an InputError."""
    _refused(cls, kit, "no_such_parameter", 1)
    for name, spec in cls.parameter_specs().items():
        for value in unfit_values(spec):
            _refused(cls, kit, name, value)


def unfit_values(spec) -> list:
    """Return values that a parameter may not have: by what it declares, whatever its type allows."""
    found: list[Any] = [object()]
    if spec.param.minimum is not None:
        found.append(spec.param.minimum - 1)
    if spec.param.maximum is not None and np.isfinite(spec.param.maximum):
        found.append(spec.param.maximum + 1)
    found += [value for value in (spec.param.exclusive_minimum, spec.param.exclusive_maximum) if value is not None]
    if spec.choices:
        found.append("no-such-choice")

    def fits(value) -> bool:
        try:
            spec.validate(value)
        except InputError:
            return False
        return True

    return [value for value in found if not fits(value)]


def _refused(cls, kit, name, value) -> None:
    try:
        cls(None, **{**kit.given, name: value})
    except InputError:
        return
    require(False, f"{name} = {value!r} is not refused: pass **base on to super().__init__, which checks it")


@check("analysis")
def check_base_is_passed_on(cls, kit):
    """What the host gives besides the parameters reaches pelplug.Analysis, by **base."""
    marks = {"model": kit.registry(cls).model("kob-andersen"), "inputs": {"x": xr.Dataset()}, "verbose": True}
    made = cls(None, **kit.given, **marks, label="passed on")
    lost = [name for name in ("model", "inputs") if getattr(made, name) != marks[name]]
    lost += [] if made._verbose else ["verbose"]
    lost += [] if made.conditions.label == "passed on" else ["label"]
    require(not lost, f"{', '.join(lost)} never reach pelplug.Analysis: pass **base on to super().__init__")


@check("analysis", "study")
def check_runs(cls, kit):
    """It runs, and no frame and no part of it fails."""
    dataset = kit.attempt(cls).datasets[cls.name]
    require(dataset.data_vars, "the result has no variable")
    for what in ("frames", "parts"):
        failed = json.loads(dataset.attrs.get(f"failed_{what}") or "{}")
        require(not failed, f"{what} failed: {failed}")


@check("analysis", "study")
def check_units(cls, kit):
    """Each variable has units and a long name, and a value for each particle if it says so."""
    run = kit.result(cls)
    for name, array in run.datasets[cls.name].data_vars.items():
        require(array.attrs.get("units"), f"the variable {name} has no units")
        require(array.attrs.get("long_name"), f"the variable {name} has no long_name")
        if "particle" in array.dims:
            n = array.sizes["particle"]
            require(n == run.trajectory.n, f"{name} is not one value a particle: {n} of {run.trajectory.n}")


@check("analysis", "study")
def check_provenance(cls, kit):
    """The result says what was computed from what, with every parameter and the model where one is needed."""
    run = kit.result(cls)
    dataset = run.datasets[cls.name]
    sources = ("collection",) if issubclass(cls, Study) else ("input_file", "input_sha256")
    lacking = [key for key in (*_PROVENANCE, *sources) if not dataset.attrs.get(key)]
    require(not lacking, f"the provenance lacks {', '.join(lacking)}")
    recorded = json.loads(dataset.attrs["parameters"])
    missing = sorted(set(cls.parameter_specs()) ^ set(recorded))
    require(not missing, f"the provenance does not hold exactly the parameters: {', '.join(missing)} differ")
    if not issubclass(cls, Study) and Need.POTENTIAL in run.analyses[cls.name].needs:
        require(dataset.attrs["model"], "the provenance lacks the model")


@check("analysis", "study")
def check_errors_say_how(cls, kit):
    """Each error or interval says how it was found, on how many samples it rests, and how often it holds."""
    dataset = kit.result(cls).datasets[cls.name]
    errors = [name for name in dataset.data_vars if str(name).endswith(("_error", "_interval"))]
    stated = [name for name in errors if dataset[name].notnull().any()]
    for name in stated:
        said = dataset[name].attrs
        lacking = [key for key in _OF_ERRORS if not said.get(key)]
        require(not lacking, f"{name} does not say its {', '.join(lacking)}: write them with pelplug.state_errors")
        samples, confidence = said["effective_samples"], said["confidence"]
        if isinstance(samples, str):
            require(samples in dataset.variables, f"{name} rests on {samples}, which is no variable of the result")
        else:
            require(samples > 0, f"{name} rests on {samples} samples")
        require(0 < confidence < 1, f"{name} has a confidence of {confidence}, which is no probability")
    if not stated:
        raise unittest.SkipTest("it states no error of this trajectory")


@check("analysis")
def check_pickles(cls, kit):
    """It pickles with its result, so that processes can share it."""
    run = kit.result(cls)
    copy = _pickled(run.analyses[cls.name])
    same = copy.to_dataset().identical(run.datasets[cls.name])
    require(same, "a pickled analysis comes back with another result")


def _pickled(analysis):
    try:
        return pickle.loads(pickle.dumps(analysis))
    except Exception as error:
        raise AssertionError(f"the analysis cannot be pickled, so processes cannot share it: {error}") from error


@check("analysis", when=lambda cls: "multiprocessing" in cls.get_supported_backends())
def check_several_processes(cls, kit):
    """Several processes give what one gives, to rounding."""
    run = kit.result(cls)
    try:
        _pickled(run.analyses[cls.name])
    except AssertionError as error:
        raise unittest.SkipTest(str(error)) from error
    other = kit.run(cls, backend="multiprocessing", workers=kit.workers).datasets[cls.name]
    hint = "; seed random numbers from the frame, not from their order"
    require_same(run.datasets[cls.name], other, "one process", "several", hint)


@check("analysis", "study")
def check_round_trip(cls, kit):
    """The result comes back from NetCDF as it was, and an analysis is made from it again."""
    dataset = kit.result(cls).datasets[cls.name]
    again = cls.from_dataset(_read_back(cls, kit, dataset))
    require(again.to_dataset().equals(dataset), "the result read back from NetCDF differs")


@check("analysis", "study")
def check_draws(cls, kit):
    """The figure, and the panels that lie over each other, are drawn from a result that was read."""
    from matplotlib.figure import Figure

    again = cls.from_dataset(_read_back(cls, kit, kit.result(cls).datasets[cls.name]))
    figure = again.figure()
    figure.savefig(kit.folder / "figure.png", dpi=50)
    require(figure.axes, "figure() has no panel")
    for panel in again.panels():
        axes = Figure().add_subplot()
        require(panel(ax=axes, color="black", label="a") is axes, "a panel does not draw into the axes it is given")


@check("analysis", "study")
def check_figure_says(cls, kit):
    """The figure names the model, N and T of its states, and every axis has a label."""
    dataset = kit.result(cls).datasets[cls.name]
    try:
        again = cls.from_dataset(_read_back(cls, kit, dataset))
        figure = entitle(again.figure(), [again.to_dataset()])
    except Exception as error:  # check_draws says it
        raise unittest.SkipTest(f"it is not drawn: {error}") from error
    conditions, title = Conditions.of(dataset), figure.get_suptitle().replace("\n", " ")
    record = {} if conditions.model is None else conditions.model
    wanted = [("the model", str(record.get("name", ""))), ("N", "" if conditions.n is None else f"{conditions.n}")]
    if (temperature := conditions.liquid_temperature) is not None:
        wanted.append(("the temperature", f"{temperature:.6g}"))
    lacking = [what for what, text in wanted if text not in title]
    require(not lacking, f"the title {title!r} lacks {', '.join(lacking)}; make the figure with pelplug.Panel.figure")
    for place, ax in enumerate(figure.axes):
        if not ax.axison or not (ax.lines or ax.collections or ax.patches):
            continue
        bar = getattr(ax, "_colorbar", None) is not None
        sides = [one for one, label in (("x", ax.get_xlabel()), ("y", ax.get_ylabel())) if not label]
        require(not sides or (bar and len(sides) < 2), f"panel {place} has no label on its {' and '.join(sides)} axis")


def _read_back(cls, kit, dataset) -> xr.Dataset:
    def write():
        file = kit.folder / "result.nc"
        write_netcdf(file, dataset)
        return read_results(file)[cls.name]

    return kit.once(("read back", cls), write)


def require_same(
    one: xr.Dataset, other: xr.Dataset, this: str, that: str, hint: str = "", *, tolerance=1e-8, attributes=True
) -> None:
    """Require that two results agree, their attributes too but for the time at which they were made."""
    strange = set(one.variables) ^ set(other.variables)
    require(not strange, f"{', '.join(sorted(map(str, strange)))} is there with {this} or {that} alone{hint}")
    for name in one.variables:
        agree = same_numbers(one[name], other[name], tolerance)
        require(agree, f"{name} differs between {this} and {that}{hint}")
    if attributes:
        mine, theirs = ({k: v for k, v in each.attrs.items() if k != "created"} for each in (one, other))
        differ = sorted(name for name in mine | theirs if mine.get(name) != theirs.get(name))
        require(not differ, f"the provenance differs between {this} and {that}: {', '.join(differ)}")


def same_numbers(one: xr.DataArray, other: xr.DataArray, tolerance: float) -> bool:
    """Tell whether two variables agree, numbers but for rounding: libraries with more threads sum in another order."""
    if (one.dims, one.shape, one.dtype, one.attrs) != (other.dims, other.shape, other.dtype, other.attrs):
        return False
    if one.dtype.kind not in "fc":
        return np.array_equal(one, other)
    scale = np.nan_to_num(float(abs(one).max())) if one.size else 0.0
    return np.allclose(one, other, rtol=tolerance, atol=0.01 * tolerance * scale, equal_nan=True)


def check_analysis(
    cls: type,
    trajectory: Any = None,
    *,
    model: Any = None,
    parameters: Mapping[str, Any] | None = None,
    also: tuple[type, ...] = (),
    workers: int = 2,
) -> xr.Dataset:
    """Run an analysis, check that it keeps the contract of pelplug, and return its result.

    These are the checks of this module; `parametrize_with_checks` has more, and an item for each.

    Parameters
    ----------
    cls : type
        The analysis.
    trajectory : path or Trajectory, optional
        What to run on; a Kob-Andersen liquid of 100 particles if None.
    model : str or Model, optional
        Model, where the trajectory does not record one.
    parameters : mapping, optional
        Parameters to run with.
    also : tuple of type, optional
        Analyses it uses that are not installed.
    workers : int, optional
        Number of processes of the parallel run.

    Returns
    -------
    Dataset
        The result, for tests of its numbers.

    Raises
    ------
    AssertionError
        With a sentence, if something is not kept.
    """
    kit = Kit(parameters or {}, trajectory, model, also=also, workers=workers)
    for one in checks_of(cls, "analysis"):
        if one.function.__module__ == __name__:
            try:
                one(cls, kit)
            except unittest.SkipTest:  # for what another one has failed, or will
                continue
    return kit.result(cls).datasets[cls.name]
