"""The decorator `analysis`: one function of a configuration is a whole analysis."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

import numpy as np
import xarray as xr

from pelplug.configuration import Configuration
from pelplug.core.entry_points import NAME_PATTERN
from pelplug.core.fields import Field, Need
from pelplug.errors import RunError
from pelplug.tasks.analysis import Analysis

__all__ = ["FunctionAnalysis", "analysis"]

F = TypeVar("F", bound=Callable[..., Mapping[str, Any]])


class FunctionAnalysis(Analysis):
    """What `analysis` makes of a function: each frame is one call.

    Attributes
    ----------
    function : callable
        The function.
    takes_potential : bool
        Whether its second argument is the potential.
    """

    function: ClassVar[Callable[..., Mapping[str, Any]]]
    takes_potential: ClassVar[bool] = False

    @classmethod
    def of_result(cls, dataset: xr.Dataset) -> FunctionAnalysis:
        """Return what holds the result of a function, for drawing it: that takes nothing that the function says."""
        provides = {}
        for name, variable in dataset.data_vars.items():
            unit, words = variable.attrs.get("units", "1"), variable.attrs.get("long_name", str(name))
            provides[str(name)] = Field(tuple(map(str, variable.dims)), unit, words)
        said = {"name": dataset.attrs["analysis"], "summary": dataset.attrs["title"], "provides": provides}
        holder: type[FunctionAnalysis] = type("OfResult", (cls,), said)
        return holder.from_dataset(dataset)

    def compute(self, configuration: Configuration) -> Mapping[str, Any]:
        """Call the function."""
        potential = (self.potential_of(configuration),) if self.takes_potential else ()
        return type(self).function(configuration, *potential, **self.parameters)

    def as_declared(self, values: Any, n: int) -> dict[str, np.ndarray]:
        """Refuse values of which one is missing too: a function gives all that it provides."""
        arrays = super().as_declared(values, n)
        if missing := [name for name in self.provides if name not in arrays]:
            raise RunError(f"The {self._owner} did not return {missing[0]!r}, which it provides; tell its author.")
        return arrays


def analysis(
    *,
    provides: Mapping[str, Field],
    name: str | None = None,
    summary: str | None = None,
    needs: Need = Need.POSITIONS,
    cites: tuple[str, ...] = (),
) -> Callable[[F], F]:
    """Make an analysis of a function of one configuration; the function itself stays what it is.

    Parameters
    ----------
    provides : dict of str to Field
        What the function returns, all of it in every frame; dimensions begin with ``"frame"``.
    name : str, optional
        What ``--plugin`` takes; the function's name with hyphens for underscores by default.
    summary : str, optional
        One line; the first of the function's docstring by default.
    needs : Need, optional
        What must be given; a function with the argument `potential` needs one without saying so.
    cites : tuple of str, optional
        Papers to cite.

    Returns
    -------
    callable
        A decorator. The function that it returns can be called as before, and has the analysis, a subclass of
        `pelplug.Analysis`, as its attribute ``analysis``.

    Raises
    ------
    TypeError
        If the function's arguments or what is said of it cannot make an analysis, in one sentence.

    Notes
    -----
    The function's first argument is a `Configuration`, the second, if it has one called ``potential``, the `Potential`
    of that configuration; its parameters follow after a ``*``, each as ``Annotated[type, pelplug.Param("help")]``.
    In several processes the function is found by its module and name, so it must be defined in a module.

    Examples
    --------
    >>> @pelplug.analysis(
    ...     provides={"r2": pelplug.Field(("frame", "particle"), "length**2", "distance squared")},
    ...     summary="Squared distance of every particle from the origin",
    ... )
    ... def distances(configuration, *, scale: Annotated[float, pelplug.Param("a factor")] = 1.0):
    ...     return {"r2": scale * (configuration.positions**2).sum(axis=1)}
    """

    def decorate(function: F) -> F:
        function.analysis = _made(function, name, summary, provides, needs, cites)  # type: ignore[attr-defined]  # where pickle finds it
        return function

    return decorate


def _made(
    function: Callable,
    name: str | None,
    summary: str | None,
    provides: Mapping[str, Field],
    needs: Need,
    cites: tuple[str, ...],
) -> type[FunctionAnalysis]:
    if not inspect.isfunction(function):
        raise TypeError(f"@pelplug.analysis(...) stands above a function, not above {function!r}")
    called = function.__name__
    name = called.replace("_", "-") if name is None else name
    if not (isinstance(name, str) and NAME_PATTERN.fullmatch(name)):
        raise TypeError(f'{called} cannot be called {name!r} on a command line; give name="lower-case-words"')
    summary = (inspect.getdoc(function) or "").partition("\n")[0] if summary is None else summary
    if not summary:
        raise TypeError(f"{called} has no docstring, whose first line says what it computes; write one")
    if not isinstance(provides, Mapping) or not provides:
        raise TypeError(f"{called} must say what it returns: provides={{name: pelplug.Field(...)}}")
    for variable, field in provides.items():
        if not isinstance(field, Field):
            raise TypeError(f"{called} must give provides[{variable!r}] as a pelplug.Field, not {field!r}")
        if not field.per_frame:
            raise TypeError(f'{called} computes one frame, so the dims of {variable!r} begin with "frame"')
    init, potential = _init(function)
    made: type[FunctionAnalysis] = type(
        "".join(part.capitalize() for part in name.split("-")),
        (FunctionAnalysis,),
        {
            "__module__": function.__module__,
            # Where pickle looks for it: the function is found by its name, and has it as an attribute.
            "__qualname__": f"{function.__qualname__}.analysis",
            "__doc__": function.__doc__ or summary,
            "__init__": init,
            "function": staticmethod(function),
            "takes_potential": potential,
            "name": name,
            "summary": summary.rstrip("."),
            "provides": dict(provides),
            "needs": needs | Need.POTENTIAL if potential else needs,
            "cites": cites,
        },
    )
    made.parameter_specs()
    return made


def _init(function: Callable) -> tuple[Callable, bool]:
    """Return an ``__init__`` that declares the parameters of a function, and whether that takes a potential."""
    called, kinds = function.__name__, inspect.Parameter
    takes = list(inspect.signature(function).parameters.values())
    first = [one.name for one in takes if one.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    for one in takes:
        if one.kind in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD):
            raise TypeError(f"{called} must name each of its parameters, with no *{one.name}")
    if not first:
        raise TypeError(f"{called} must take a configuration as its first argument")
    if extra := [name for name in first[1:] if name != "potential"] or first[2:]:
        raise TypeError(f"the parameter {extra[0]!r} of {called} must be keyword-only: put it after a *")
    own = [one for one in takes if one.kind is kinds.KEYWORD_ONLY]
    if given := [one.name for one in own if one.name in FunctionAnalysis.not_parameters]:
        place = "put it before the *, as the second argument" if given[0] == "potential" else "choose another"
        raise TypeError(f"the name {given[0]!r} of a parameter of {called} is reserved by pelplug; {place}")
    said: Any = types.SimpleNamespace(__annotations__={one.name: one.annotation for one in own})
    try:
        hints = typing.get_type_hints(said, function.__globals__, include_extras=True)
    except Exception as error:
        raise TypeError(f"the annotations of {called} cannot be read ({error})") from error

    def __init__(self: Any, trajectory: Any, **base: Any) -> None:  # noqa: N807
        given = {name: value for name, value in base.items() if name not in self.parameters}
        super(FunctionAnalysis, self).__init__(trajectory, **given)
        self.attributes["function"] = function.__qualname__

    before = [kinds(name, kinds.POSITIONAL_OR_KEYWORD) for name in ("self", "trajectory")]
    made: Any = __init__
    made.__signature__ = inspect.Signature([*before, *own, kinds("base", kinds.VAR_KEYWORD)])
    made.__annotations__ = hints
    return made, "potential" in first[1:]
