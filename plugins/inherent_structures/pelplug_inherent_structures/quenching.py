"""Quenches of single frames on demand, in this process or in several, kept in a store as they finish."""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import signal
import sys
import types
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

import numpy as np
from MDAnalysis.lib.log import ProgressBar

import pelplug

__all__ = ["Quencher", "fresh_processes", "reason_of", "stop", "usable_cores", "workers_start"]

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_LARGEST_GROUP = 32

_worker = None


def usable_cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Quencher:
    """Quenches frames with an `InherentStructures` analysis; use it in a ``with`` block.

    Parameters
    ----------
    analysis : InherentStructures
        What quenches a frame.
    store : FrameStore, optional
        Where finished frames are kept and looked for; it is that of `analysis`, which shares them.
    n_workers : int
        Processes. They live as long as the block: a search asks for few frames at a time.
    verbose : bool
        Show progress.

    Attributes
    ----------
    computed : int
        Quenches made here, as against found in the store.
    failures : dict of int to str
        Why a frame has no inherent structure.
    """

    def __init__(self, analysis, store=None, n_workers: int = 1, verbose: bool = False):
        self.analysis, self.store = analysis, store
        self.n_workers, self.verbose = n_workers, verbose
        self.computed = 0
        self.failures: dict[int, str] = {}
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> Quencher:
        if self.n_workers > 1:
            self._executor = fresh_processes(self.n_workers, _start_worker, (pickle.dumps(self.analysis),))
        else:
            self.analysis.prepare()
        return self

    def __exit__(self, kind, error, trace) -> None:
        if self._executor is not None:
            stop(self._executor, kind is not None)
            self._executor = None

    def quench(self, labels: Sequence[int]) -> list[dict[str, Any] | None]:
        """Return the variables of `InherentStructures.compute` for some frames, None where one failed.

        Raises
        ------
        RunError
            If a worker process dies.
        """
        values = {label: self._stored(label) for label in labels}
        missing = [label for label in labels if values[label] is None]
        with ProgressBar(total=len(missing), verbose=self.verbose, desc=self.analysis.name) as bar:
            for label, outcome in self._outcomes(missing):
                bar.update()
                if isinstance(outcome, str):
                    self.failures[label] = outcome
                    continue
                self.computed += 1
                values[label] = outcome
                if self.store is not None:
                    self.store.put(label, outcome)
        return [values[label] for label in labels]

    def _stored(self, label: int) -> dict[str, Any] | None:
        return self.store.get(label) if self.store is not None else None

    def _outcomes(self, labels: list[int]) -> Iterator[tuple[int, dict[str, Any] | str]]:
        if self._executor is None:
            for label in labels:
                yield label, _one(self.analysis, label)
            return
        size = max(1, min(_LARGEST_GROUP, len(labels) // (4 * self.n_workers)))
        groups = [labels[k : k + size] for k in range(0, len(labels), size)]
        try:
            with workers_start(self.n_workers):
                futures = [self._executor.submit(_group, group) for group in groups]
            for future in as_completed(futures):
                yield from future.result()
        except BrokenProcessPool as error:
            raise pelplug.RunError(
                "A worker process died, most likely for lack of memory; use fewer workers (finished frames are kept "
                "when the run has an output)."
            ) from error


def fresh_processes(n_workers: int, initializer=None, arguments: tuple = ()) -> ProcessPoolExecutor:
    """Return new worker processes that leave Ctrl-C to this one; start them inside `workers_start`."""
    return ProcessPoolExecutor(
        n_workers, mp_context=get_context("spawn"), initializer=initializer or _ignore_interrupt, initargs=arguments
    )


def stop(executor: ProcessPoolExecutor, at_once: bool) -> None:
    """End the processes; at once if the work is not wanted any more."""
    processes = list((executor._processes or {}).values())
    executor.shutdown(wait=not at_once, cancel_futures=True)
    if at_once:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(5)


@contextlib.contextmanager
def workers_start(n_workers: int) -> Iterator[None]:
    """Let processes that start here have their share of the cores, and not run the user's script again."""
    share = str(max(1, usable_cores() // n_workers))
    ours = [name for name in _THREAD_VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(ours, share))
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name in ours:
            os.environ.pop(name, None)


def reason_of(error: Exception) -> str:
    """Word an exception in one line; the kind is named unless pelplug raised it on purpose."""
    text = " ".join(str(error).split())
    return text if isinstance(error, pelplug.PelplugError) else f"{type(error).__name__}: {text}"


def _ignore_interrupt() -> None:
    # Ctrl-C reaches the whole process group; only the parent answers it, by ending the workers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _start_worker(pickled: bytes) -> None:
    # Bytes, because the process keeps its arguments to its end, beyond the point where readers can close their files.
    global _worker
    _ignore_interrupt()
    analysis = pickle.loads(pickled)
    analysis.prepare()
    _worker = analysis
    atexit.register(_end_worker)


def _end_worker() -> None:
    global _worker
    _worker = None


def _group(labels: list[int]) -> list[tuple[int, dict[str, Any] | str]]:
    return [(label, _one(_worker, label)) for label in labels]


def _one(analysis, label: int) -> dict[str, Any] | str:
    """Return the variables of one frame with its step and time, or why there are none."""
    try:
        configuration = analysis.trajectory.configuration(label)
        values = {name: np.asarray(value) for name, value in analysis.compute(configuration).items()}
    except Exception as error:  # as in every analysis, a frame fails alone
        return reason_of(error)
    # As the store of a run of this analysis has them: both runs then share finished frames.
    for name, value in (("_step", configuration.step), ("_time", configuration.time)):
        if value is not None:
            values[name] = np.asarray(value)
    return values
