"""Backends that spread the frames of an analysis over processes, for MDAnalysis's split-apply-combine."""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
from collections.abc import Callable
from concurrent import futures as concurrent

import tqdm
from MDAnalysis.analysis.backends import BackendBase

from pelplug.errors import InputError
from pelplug.execution.device import Device, available_cores, device_in_use
from pelplug.execution.processes import WorkerPool, prepare_worker, workers_start
from pelplug.execution.progress import Progress

__all__ = ["DaskBackend", "ProcessBackend", "make_backend"]


def make_backend(
    name: str, n_workers: int | None, n_frames: int, verbose: bool, scheduler: str | None = None, label: str = ""
) -> BackendBase | None:
    """Return the backend for a name, None for serial.

    Parameters
    ----------
    name : {"serial", "multiprocessing", "dask"}
    n_workers : int or None
        Processes; all usable cores if None, never more than frames.
    n_frames : int
        Number of frames to share out.
    verbose : bool
        Whether to show a progress bar.
    scheduler : str, optional
        Address of a running dask scheduler.
    label : str, optional
        What the progress bar is called.

    Raises
    ------
    InputError
        If the name is unknown, the number of workers is not positive or dask is missing.
    """
    if name not in ("serial", "multiprocessing", "dask"):
        raise InputError(f"There is no backend {name!r}; use serial, multiprocessing or dask.")
    if n_workers is not None and (isinstance(n_workers, bool) or not isinstance(n_workers, int) or n_workers < 1):
        raise InputError(f"The number of workers must be a positive integer, not {n_workers!r}.")
    if scheduler is not None and name != "dask":
        raise InputError("A scheduler address needs the dask backend; add --backend dask.")
    if name == "serial":
        return None
    n_workers = max(1, min(n_workers or available_cores(), n_frames))
    if name == "dask":
        return DaskBackend(n_workers, scheduler, verbose, label)
    return ProcessBackend(n_workers, verbose, label)


class ProcessBackend(BackendBase):
    """Fresh worker processes, so that threads and libraries of this one cannot break them.

    Unlike `multiprocessing.Pool`, a worker that dies (killed for memory) ends the run with a sentence
    instead of hanging it, and Ctrl-C stops at once; finished frames are in the store by then.
    """

    def __init__(self, n_workers: int, verbose: bool = False, label: str = ""):
        self.verbose, self.label = verbose, label
        super().__init__(n_workers)

    def apply(self, func: Callable, computations: list) -> list:
        """Run ``func`` on each group of frames and return the results in the order of the groups."""
        tasks = _split(func, computations)
        total, settle = sum(map(len, computations)), self.n_workers
        with (
            Progress(total=total, verbose=self.verbose, desc=self.label, settle=settle) as bar,
            WorkerPool(self.n_workers, _start_worker, compiling=bar.compiling) as pool,
        ):
            futures = pool.submit(zip(tasks, computations, strict=True))
            for future in concurrent.as_completed(futures):
                bar.update(len(future.result().frames))
            return [future.result() for future in futures]


class DaskBackend(BackendBase):
    """dask processes on this machine, or a running dask cluster given by the address of its scheduler."""

    def __init__(self, n_workers: int, scheduler: str | None = None, verbose: bool = False, label: str = ""):
        self.scheduler, self.verbose, self.label = scheduler, verbose, label
        super().__init__(n_workers)

    def _validate(self) -> None:
        try:
            import dask  # noqa: F401
        except ImportError:
            raise InputError("The backend dask is not installed; run: pip install 'pelplug[dask]'.") from None
        super()._validate()

    def apply(self, func: Callable, computations: list) -> list:
        """Run ``func`` on each group of frames and return the results in the order of the groups."""
        import dask

        tasks = [
            dask.delayed(_on, pure=False)(device_in_use(), task, group)
            for task, group in zip(_split(func, computations), computations, strict=True)
        ]
        if self.scheduler is not None:
            return self._on_cluster(tasks)
        progress = contextlib.nullcontext()
        if self.verbose:
            from tqdm.dask import TqdmCallback

            progress = TqdmCallback(desc=self.label, tqdm_class=Progress, settle=self.n_workers)
        with workers_start(self.n_workers, func), progress:
            where = {"scheduler": "processes", "chunksize": 1, "num_workers": self.n_workers}
            first = functools.partial(prepare_worker, "numba" in sys.modules)
            return list(dask.compute(*tasks, **where, initializer=first))

    def _on_cluster(self, tasks: list) -> list:
        try:
            from distributed import Client, as_completed
        except ImportError:
            raise InputError("A dask scheduler needs dask.distributed; run: pip install 'pelplug[dask]'.") from None
        try:
            client = Client(self.scheduler, timeout="10s", set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"No dask scheduler answers at {self.scheduler} ({error}); start one with `dask scheduler`."
            ) from error
        with client, client.as_current():
            futures = client.compute(tasks)
            with Progress(total=len(futures), verbose=self.verbose, desc=self.label, settle=self.n_workers) as bar:
                for _ in as_completed(futures):
                    bar.update()
            return list(client.gather(futures))


def _split(func: Callable, computations: list) -> list[Callable]:
    """Give each group of frames a copy of the analysis that carries only its own part of the inputs."""
    method = func.func
    analysis = method.__self__
    if not hasattr(analysis, "_part"):
        return [func] * len(computations)
    return [
        functools.partial(getattr(analysis._part(group[:, 1]), method.__name__), **func.keywords)
        for group in computations
    ]


def _on(device: Device, task: Callable, group):
    with device:
        return task(group)


def _start_worker() -> None:
    # tqdm makes a lock between processes, a semaphore that would be left behind when a worker is ended.
    tqdm.tqdm.set_lock(threading.RLock())
