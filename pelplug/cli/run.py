"""What `analyze` and `quench` share: partial results, Ctrl-C, and the summary."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import shlex
from collections.abc import Iterator

import click
import numpy as np

from pelplug.cli.options import registry
from pelplug.cli.output import RunInterruptedError, console, note, print_table, say_found, show_progress

__all__ = ["execute", "print_result", "resumable", "summarise", "tell_failures", "tell_finished", "tell_parts"]

FAILED = 1  # exit code: the results are written, but a part of one failed
LEFT_OUT = 3  # exit code: the results are written, but a frame of the file was damaged
_MOST_SHOWN, _MOST_OF_STUDIES = 8, 20  # numbers of an array


def execute(names, trajectory, output, overwrite, *, quiet, plugins=None, **arguments):
    """Run analyses with partial results kept beside `output`.

    Parameters
    ----------
    names : list of str
    trajectory : Trajectory
    output : path_like
        What the command will write; finished frames are kept beside it until then.
    overwrite, quiet : bool
    plugins : Registry, optional
        Where to look for analyses.
    **arguments
        Of `pelplug.host.functions.run_analyses`.

    Returns
    -------
    run : AnalysisRun
    store : PartialStore
        To be discarded when the output is safely written.

    Raises
    ------
    RunInterruptedError
        At Ctrl-C, with the sentence that says how to go on.
    """
    from pelplug.host.functions import run_analyses

    with resumable(output, overwrite, quiet) as store:
        run = run_analyses(
            names,
            trajectory,
            registry=plugins or registry(),
            store=store,
            verbose=show_progress(quiet),
            command=shlex.join(["pelplug", *(click.get_current_context().obj or ())]),
            **arguments,
        )
    return run, store


@contextlib.contextmanager
def resumable(output, overwrite: bool, quiet: bool, noun: str = "frame") -> Iterator:
    """Keep what is finished beside an output, and say at Ctrl-C how to go on.

    Parameters
    ----------
    output : path_like
        What the command will write.
    overwrite, quiet : bool
    noun : str
        What the work is made of: frames of an analysis, parts of a study.

    Yields
    ------
    PartialStore
        To be discarded when the output is safely written.

    Raises
    ------
    RunInterruptedError
        At Ctrl-C.
    """
    from pelplug.files.finished_frames import PartialStore

    store = PartialStore(output, announce=None if quiet else functools.partial(say_found, noun=noun))
    store.claim(overwrite)
    try:
        yield store
    except KeyboardInterrupt:
        kept = sum(store.found().values())
        are = f"{noun} is" if kept == 1 else f"{noun}s are"
        raise RunInterruptedError(
            f"interrupted; {kept} finished {are} kept, and the same command goes on from there."
            if kept
            else f"interrupted before the first {noun} was finished; the same command starts again."
        ) from None


def tell_failures(run) -> int:
    """Write one line to stderr for each analysis that left frames out, and return the exit code.

    It is 1 where a part of a result failed and was left out, 3 where a frame was left out because the file is damaged
    there, else 0.
    """
    from pelplug.tasks.provenance import failed_frames

    for name, error in run.failed.items():
        note(f"{name} failed, the rest is there: {error}")
    parts = max((tell_parts(name, dataset) for name, dataset in run.datasets.items()), default=0)
    for name in run.requested:
        failures = failed_frames(run.datasets[name])
        if not failures:
            continue
        count = len(failures) + run.datasets[name].sizes.get("frame", 0)
        several = len(run.trajectory.trajectories) > 1  # the reason says which file's frame
        told = [why if several else f"frame {label}: {why}" for label, why in list(failures.items())[:3]]
        shown = "; ".join(one.rstrip(".") for one in told)
        more = f"; and {len(failures) - 3} more" if len(failures) > 3 else ""
        note(f"{name} left out {len(failures)} of {count} frames that failed ({shown}{more}).")
    # What could not be read is told by a sentence about the file, what could not be computed by another.
    reasons = [why for dataset in run.datasets.values() for why in failed_frames(dataset).values()]
    damaged = any(why.startswith("Frame ") for why in reasons)
    if run.failed:
        return max(error.exit_code for error in run.failed.values())
    return parts or (LEFT_OUT if damaged else 0)


def tell_parts(name: str, dataset) -> int:
    """Write one line to stderr for each part of a result that failed, and return the exit code."""
    from pelplug.tasks.provenance import failed_parts

    found = failed_parts(dataset)
    for part, why in found.items():
        note(f"{name} left out {part}, which failed ({why.rstrip('.')}); the rest is there.")
    return FAILED if found else 0


def tell_finished(run, output, quiet: bool) -> int:
    """Say that nothing was left to do, and return the exit code that the command had."""
    from pelplug.files.finished_frames import PartialStore

    if not quiet:
        note(f"{output} was finished by this command already; nothing is left to do")
    store = PartialStore(output)
    for name, dataset in run.datasets.items():  # what a kill after the end has left
        used = json.loads(dataset.attrs.get("inputs") or "{}")
        for one, attributes in ({name: dataset.attrs} | used).items():
            store.for_analysis(one, attributes["fingerprint"])
    store.discard()
    if not quiet:
        _tell_leftovers(store)
    return tell_failures(run)


def summarise(run, written, store) -> None:
    """Print the numbers of a run, the files it wrote, and what interrupted runs have left."""
    for name in run.requested:
        frames = run.datasets[name].sizes.get("frame")
        of = "" if frames is None else f"{frames} {'frame' if frames == 1 else 'frames'} of "
        count = len(run.trajectory.trajectories)
        whose = run.trajectory.path.name if count == 1 else f"{count} trajectories"
        print_result(f"{name}: {of}{whose}", run.datasets[name])
    for path in written:
        click.echo(f"wrote {path}")
    _tell_leftovers(store)


def print_result(heading: str, dataset, prints: tuple[str, ...] = ()) -> None:
    """Print the numbers of a result, and what it says of itself.

    Parameters
    ----------
    heading : str
    dataset : Dataset
    prints : tuple of str, optional
        Variables to print, those over the same conditions beside each other; by default all short ones, a row a number.
    """
    click.echo(heading)
    # An error stands behind its value; what it rests on is in the file.
    behind = {f"{name}_error" for name in dataset.data_vars}
    behind |= {str(one.attrs.get("effective_samples")) for one in dataset.data_vars.values()}
    shown = [str(name) for name in dataset.data_vars if name not in behind]
    chosen = [name for name in prints if name in dataset.data_vars]
    several = [name for name in chosen if dataset[name].size > 1]
    single = [name for name in chosen or shown if name not in several]
    if rows := [row for name in single for row in _summary(dataset, name)]:
        print_table(("  quantity", "value", "units", "meaning"), rows)
    _print_beside(dataset, several)
    said = [json.loads(dataset.attrs.get(key) or "[]") for key in ("remarks", "not_found")]
    for sentence in itertools.chain(*said):
        click.echo(f"  {sentence}")


def _print_beside(dataset, names: list[str]) -> None:
    """Print a table for each set of dimensions: a row a place where one is known, a column a variable."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        groups.setdefault(tuple(dim for dim in dataset[name].dims if dataset.sizes[dim] > 1), []).append(name)
    for dims, own in groups.items():
        places = list(np.ndindex(*(dataset.sizes[dim] for dim in dims)))
        arrays = [dataset[name].squeeze() for name in own]
        known = np.any([np.isfinite(one.values) for one in arrays], axis=0)
        places = [place for place in places if known[place]]
        at = [[_short(dataset[dim].values[place[k]]) for place in places] for k, dim in enumerate(dims)]
        columns = [[dim, *values] for dim, values in zip(dims, at, strict=True)]
        columns[0] = [f"  {text}" for text in columns[0]]
        room = console().width - sum(len(max(one, key=len)) + 1 for one in columns)
        beside: list[list[str]] = []
        for name, one in zip(own, arrays, strict=True):
            error = dataset[f"{name}_error"].squeeze() if f"{name}_error" in dataset else None
            unit = dataset[name].attrs.get("units", "1")
            title = name if unit == "1" else f"{name} ({unit})"
            column = [title, *(_with_error(float(one.values[place]), error, place) for place in places)]
            if beside and sum(len(max(some, key=len)) + 1 for some in (*beside, column)) > room:
                _print_columns([*columns, *beside])
                beside = []
            beside.append(column)
        if places:
            _print_columns([*columns, *beside])


def _print_columns(columns: list[list[str]]) -> None:
    head, *rows = zip(*columns, strict=True)
    print_table(head, rows)


def _short(value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _tell_leftovers(store) -> None:
    for folder in store.leftovers():
        click.echo(f"kept {folder}: finished frames of other settings or versions; remove it if you do not need them")


def _summary(dataset, name: str):
    """Rows for numbers and texts, and for series of numbers their mean over frames."""
    variable = dataset[name]
    meaning, units = variable.attrs.get("long_name", ""), variable.attrs.get("units", "")
    numbers = dataset.attrs.get("task") == "study"  # of which a row is a condition
    units, error = "" if units == "1" else units, dataset.get(f"{name}_error")
    if variable.ndim == 0 and variable.dtype.kind in "biufUO":
        value = variable.item()
        yield f"  {name}", _with_error(value, error, ()) if isinstance(value, float) else value, units, meaning
    elif _is_short(variable, numbers):
        for place in np.ndindex(variable.shape):
            one, value = variable[place], variable.values[place]
            whose = ", ".join(_place(one[dim]) for dim in variable.dims if one[dim].dtype.kind in "UO" or numbers)
            yield f"  {name}" + (f" ({whose})" if whose else ""), _with_error(value, error, place), units, meaning
    elif variable.dims == ("frame",) and variable.dtype.kind in "iuf" and variable.size:
        values = variable.values[np.isfinite(variable.values)]
        if values.size == 1:
            yield f"  {name}", f"{values[0]:.6g}", units, meaning
        elif values.size:
            spread = f"{values.mean():.6g} ({values.min():.6g} to {values.max():.6g})"
            yield f"  {name}", spread, units, f"{meaning}, mean over frames (range)"


def _with_error(value: float, error, place: tuple[int, ...]) -> str:
    text = f"{value:.6g}" if np.isfinite(value) else "none"
    known = error is not None and error.ndim == len(place) and np.isfinite(error.values[place])
    return f"{text} +- {error.values[place]:.2g}" if known else text


def _place(coordinate) -> str:
    value = coordinate.item()
    return f"{coordinate.name} {value:g}" if isinstance(value, float) else str(value)


def _is_short(variable, numbers: bool) -> bool:
    """Tell whether an array is a few numbers that are named: by species, or by numbers where these name them too."""
    named = all(
        dim in variable.coords and (variable[dim].dtype.kind in "UO" or numbers or variable.sizes[dim] == 1)
        for dim in variable.dims
        if dim != "frame"
    )
    few = 0 < variable.size <= (_MOST_OF_STUDIES if numbers else _MOST_SHOWN)
    return named and few and "frame" not in variable.dims and variable.dtype.kind in "iuf"
