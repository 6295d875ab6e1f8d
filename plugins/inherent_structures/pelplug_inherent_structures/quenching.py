"""Quenches of single frames on demand, in this process or in several, kept in a store as they finish."""

from __future__ import annotations

import atexit
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from typing import Any

import numpy as np

import pelplug

__all__ = ["Quencher", "reason_of"]

_LARGEST_GROUP = 32

_worker = None


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
        self._pool: pelplug.WorkerPool | None = None

    def __enter__(self) -> Quencher:
        if self.n_workers > 1:
            self._pool = pelplug.WorkerPool(self.n_workers, _start_worker, (self.analysis,))
        else:
            self.analysis.prepare()
        return self

    def __exit__(self, kind, error, trace) -> None:
        if self._pool is not None:
            self._pool.__exit__(kind, error, trace)
            self._pool = None

    def quench(self, labels: Sequence[int]) -> list[dict[str, Any] | None]:
        """Return the variables of `InherentStructures.compute` for some frames, None where one failed.

        Raises
        ------
        RunError
            If a worker process dies.
        """
        values = {label: self._stored(label) for label in labels}
        missing = [label for label in labels if values[label] is None]
        settle = self.n_workers if self._pool is not None else 0
        with pelplug.Progress(total=len(missing), verbose=self.verbose, desc=self.analysis.name, settle=settle) as bar:
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
        if self._pool is None:
            for label in labels:
                yield label, _one(self.analysis, label)
            return
        size = max(1, min(_LARGEST_GROUP, len(labels) // (4 * self.n_workers)))
        groups = [labels[k : k + size] for k in range(0, len(labels), size)]
        for future in as_completed(self._pool.submit((_group, group) for group in groups)):
            yield from future.result()


def reason_of(error: Exception) -> str:
    """Word an exception in one line; the kind is named unless pelplug raised it on purpose."""
    text = " ".join(str(error).split())
    return text if isinstance(error, pelplug.PelplugError) else f"{type(error).__name__}: {text}"


def _start_worker(analysis) -> None:
    global _worker
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
