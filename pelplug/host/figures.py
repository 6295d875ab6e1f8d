"""`plot`: figures of results, of one or of several over each other."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pelplug.core.arguments import takes
from pelplug.errors import InputError
from pelplug.host.functions import default_registry
from pelplug.host.named_files import holder_of, take_files

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from pelplug.host.registry import Registry
    from pelplug.tasks.task import Task

__all__ = ["draw", "plot", "task_of"]


@takes()
def plot(results: Any, names: Iterable[str] = (), *, registry: Registry | None = None) -> Figure:
    """Draw results of analyses and studies; several of one over each other, by their conditions.

    Parameters
    ----------
    results : path, Dataset, mapping, or an iterable of these
        What `pelplug.analyze` or `pelplug.study` returns, files of it, or patterns of their names.
    names : iterable of str, optional
        Analyses and studies to draw, one of a file as ``"mine.py"``; all that there are by default.
    registry : Registry, optional
        Where to look for them; the installed plugins by default.

    Returns
    -------
    matplotlib.figure.Figure
        A notebook shows it; ``savefig(path)`` writes it.

    Raises
    ------
    InputError
        If there are no such results, or their analysis is not installed.
    """
    from pelplug.tasks.collection import Collection

    found = Collection(results)
    present = found.analyses
    if not present:
        raise InputError("There are no results to draw; give some, files or what pelplug.analyze returns.")
    registry = registry or default_registry()
    names = take_files([names] if isinstance(names, str) else names, registry) or list(present)
    for name in names:
        if name not in present:
            raise InputError(f"There are no results of {name} in the files; they have {', '.join(present)}.")
    labels = _labels([one.source for one in found])
    figure = draw(
        {name: [(labels[one.source], task_of(one.dataset, registry)) for one in found.of(name)] for name in names}
    )
    figure._repr_png_ = functools.partial(_png_of, figure)  # without pyplot a notebook does not know figures
    return figure


def task_of(dataset: xr.Dataset, registry: Registry) -> Task:
    """Return the analysis or study that made a result, holding it."""
    name, kind = str(dataset.attrs.get("analysis", "")), dataset.attrs.get("task", "analysis")
    return registry.study(name).from_dataset(dataset) if kind == "study" else holder_of(name, dataset, registry)


def draw(curves: dict) -> Figure:
    """Return a figure: a result's own if there is one, else the panels of each analysis or study.

    Parameters
    ----------
    curves : dict of str to list of (str, Task)
        Analyses and studies by name, with the names of their files; those of one name share panels.
    """
    from pelplug.plotting.conditions import by_conditions
    from pelplug.plotting.figures import entitle, figure_of
    from pelplug.plotting.style import overlay

    tasks = [task for found in curves.values() for _, task in found]
    if len(tasks) == 1:
        return entitle(tasks[0].figure(), [tasks[0].to_dataset()])
    panels: list[Callable] = []
    for analyses in curves.values():
        if len(analyses) == 1:
            panels.append(analyses[0][1].plot)
            continue
        datasets = [analysis.to_dataset() for _, analysis in analyses]
        entries = by_conditions(datasets, [label for label, _ in analyses])
        for row in zip(*(analyses[k][1].panels() for k, _, _ in entries), strict=False):
            draws = [(one, label, colour) for one, (_, label, colour) in zip(row, entries, strict=True)]
            panels.append(lambda ax, draws=draws: overlay(ax, draws))
    return figure_of([task.to_dataset() for task in tasks], panels)


def _labels(sources: list[str]) -> dict[str, str]:
    """Names that tell the sources apart, as short as that allows."""
    stems = {source: Path(source).stem for source in sources}
    if len(set(stems.values())) == len(stems):
        return stems
    absolute = {source: os.path.abspath(source) for source in sources}
    common = os.path.commonpath([os.path.dirname(path) for path in absolute.values()])
    return {source: os.path.relpath(path, common) for source, path in absolute.items()}


def _png_of(figure: Figure) -> bytes:
    with io.BytesIO() as file:
        figure.savefig(file, format="png", dpi=100)
        return file.getvalue()
