"""Parts of a study that stand alone: computed in worker processes, and each kept when it is finished."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent import futures

from pelplug.execution.device import available_cores
from pelplug.execution.processes import WorkerPool
from pelplug.execution.progress import Progress
from pelplug.files.finished_frames import FrameStore, PartialStore

__all__ = ["Parts"]


class Parts:
    """What computes the parts of one run of a study, and keeps the finished ones.

    Parameters
    ----------
    workers : int, optional
        Number of processes; all usable cores by default, never more than parts.
    store : PartialStore, optional
        Keeps finished parts beside the output.
    verbose : bool
        Show progress.
    """

    def __init__(self, workers: int | None = None, store: PartialStore | None = None, verbose: bool = False):
        self._workers, self._store, self._verbose = workers, store, verbose
        self._kept: FrameStore | None = None
        self.number = 0  # so far, which is the label of the next: a study may ask several times

    def open(self, name: str, fingerprint: str) -> None:
        """Look for the parts that the same run of the study `name` has finished before."""
        self._kept = None if self._store is None else self._store.for_analysis(name, fingerprint)
        self.number = 0

    def run(self, function: Callable[..., dict], calls: Iterable[tuple], desc: str) -> list[dict]:
        """Return what `function` gives for each of `calls`, in their order."""
        calls = list(calls)
        labels = range(self.number, self.number + len(calls))
        self.number += len(calls)
        found = {label: None if self._kept is None else self._kept.get(label) for label in labels}
        left = [(label, call) for label, call in zip(labels, calls, strict=True) if found[label] is None]
        workers = min(self._workers or available_cores(), len(left))
        bar = Progress(
            total=len(calls), initial=len(calls) - len(left), verbose=self._verbose, desc=desc, settle=workers
        )

        def finish(label: int, values: dict) -> None:
            found[label] = values
            if self._kept is not None:
                self._kept.put(label, values)
            bar.update(1)

        with bar:
            if workers <= 1:
                for label, call in left:
                    finish(label, function(*call))
                return [found[label] for label in labels]  # type: ignore[misc]  # all are there
            with WorkerPool(workers, compiling=bar.compiling) as pool:
                running = dict(zip(pool.submit((function, *call) for _, call in left), left, strict=True))
                for future in futures.as_completed(running):
                    finish(running[future][0], future.result())
        return [found[label] for label in labels]  # type: ignore[misc]  # all are there
