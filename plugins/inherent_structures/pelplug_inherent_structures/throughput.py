"""Many small systems at once: one analysis on many trajectories, a process for each."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Iterable
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

import pelplug
from pelplug_inherent_structures.quenching import reason_of

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["analyze_many"]


def analyze_many(
    trajectories: Iterable[str | os.PathLike],
    name: str = "inherent-structure-transitions",
    *,
    workers: int | None = None,
    verbose: bool = False,
    **arguments,
) -> list[xr.Dataset]:
    """Run an analysis on many trajectories, each as a whole in one of several processes.

    For small systems this is the fastest way to share work: processes start once, and a search by bisection never waits
    for another process.

    Parameters
    ----------
    trajectories : iterable of path
        Files.
    name : str
        The analysis.
    workers : int, optional
        Processes; all usable cores by default.
    verbose : bool
        Show progress.
    **arguments
        Of `pelplug.analyze`: ``model``, ``dt``, ``start``, parameters of the analysis.

    Returns
    -------
    list of Dataset
        In the order of the trajectories.

    Raises
    ------
    RunError
        Names the first trajectory that failed, and why; the others are not waited for.
    """
    paths = [os.fspath(path) for path in trajectories]
    if "n_workers" in arguments:
        warnings.warn("n_workers of analyze_many is called workers now", FutureWarning, stacklevel=2)
        workers = arguments.pop("n_workers")
    workers = max(1, min(workers or pelplug.available_cores(), len(paths)))
    with (
        pelplug.Progress(total=len(paths), verbose=verbose, desc=name, settle=workers) as bar,
        pelplug.WorkerPool(workers, compiling=bar.compiling) as pool,
    ):
        started = pool.submit((functools.partial(pelplug.analyze, **arguments), name, path) for path in paths)
        futures = dict(zip(started, paths, strict=True))
        for future in as_completed(futures):
            _raise_for(future, futures[future])
            bar.update()
        return [future.result() for future in futures]


def _raise_for(future, path: str) -> None:
    error = future.exception()
    if isinstance(error, BrokenProcessPool):
        raise error  # the pool says what it means
    if error is not None:
        raise pelplug.RunError(f"The trajectory {path} could not be analysed: {reason_of(error)}") from error
