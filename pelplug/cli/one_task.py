"""From one analysis or study to its files, for commands that make one thing at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import xarray as xr

from pelplug.cli.finished import FinishedOutput
from pelplug.cli.output import check_figure, note, save_figure
from pelplug.cli.run import resumable
from pelplug.errors import InputError, PelplugError

__all__ = ["check_endings", "check_results_name", "write_task"]


def write_task(
    make: Callable[[], Any],
    run: Callable[[Any, Any], Any],
    output: Path,
    *,
    inputs: Iterable[Any],
    plot: str | None = None,
    export: Iterable[str] = (),
    exporters: Iterable[Any] = (),
    overwrite: bool = False,
    quiet: bool = False,
) -> xr.Dataset | None:
    """Make a task, run it and write its result, figure and exports, each whole or not at all.

    Parameters
    ----------
    make, run : callable
        Return the task, and the task after it has run; `run` also gets the `PartialStore` that keeps finished parts.
    output : Path
        Results, ``.nc``.
    inputs : iterable of path_like
        Files that are read, and never replaced.
    plot, export, exporters
        The figure, and other formats with who writes them.
    overwrite : bool
        Whether existing files are replaced.
    quiet : bool
        Whether parts of an interrupted run are taken up without a word.

    Returns
    -------
    Dataset or None
        None if the same command has written all before, which is said.
    """
    from pelplug.core.lock import lock_outputs
    from pelplug.files.exporters import export as write_export
    from pelplug.files.results import write_netcdf
    from pelplug.tasks.provenance import take_request

    inputs, export = list(inputs), list(export)
    outputs = [output, *([Path(plot)] if plot else []), *map(Path, export)]
    with lock_outputs(*outputs):
        finished = FinishedOutput(output, outputs[1:], overwrite, inputs)
        check_endings(plot, export, exporters)
        task = make()
        if finished({task.name: take_request(task)}) is not None:
            note(f"{output} was finished by this command already; nothing is left to do")
            return None
        with resumable(output, overwrite, quiet, "part") as store:
            task = run(task, store)
            dataset = task.to_dataset()
            write_netcdf(output, dataset, overwrite, inputs)
        store.discard()
        try:
            if plot:
                save_figure(task.figure, plot, overwrite, inputs)
            for path in export:
                write_export(dataset, path, None, overwrite, exporters)
        except PelplugError as error:
            hint = f"the results are in {output}; pass --overwrite to make all anew"
            raise type(error)(f"{str(error).rstrip('.')} ({hint}).") from error
    return dataset


def check_results_name(output: Path) -> None:
    """Refuse a name that does not say what kind of file results are."""
    if output.suffix != ".nc":
        raise InputError(f"Results are NetCDF files; call the output {output.stem}.nc, not {output.name}.")


def check_endings(plot, export: Iterable[str], exporters, dimension: int | None = None) -> None:
    """Refuse an ending nobody can write before hours of work."""
    from pelplug.files.exporters import find_exporter

    if plot:
        check_figure(plot)
    for path in export:
        find_exporter(path, exporters, dimension)
