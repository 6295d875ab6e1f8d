"""Processes that work for another one."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor

from pelplug.execution.compile_events import watch
from pelplug.execution.device import available_cores

__all__ = ["WorkerPool", "check_kernel_folder", "start_worker", "workers_start"]

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def start_worker() -> None:
    """Leave Ctrl-C to the process that started this one, and end when that does; initialises workers of a pool.

    A worker of `concurrent.futures` whose master was killed would go on with its task and then wait for ever for the
    next one, since it holds the other end of the queue itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow():
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, name="follow-parent", daemon=True).start()


def check_kernel_folder() -> None:
    """Say, in place of the workers that start after this, where compiled kernels cannot be kept."""
    if "numba" in sys.modules:
        from pelplug.execution.kernel_cache import check_folder

        check_folder()


class WorkerPool:
    """Fresh worker processes, so that threads and libraries of this one cannot break them; use it in a ``with`` block.

    A worker that dies (killed for memory) raises `concurrent.futures.process.BrokenProcessPool` where its result is
    asked for. When the block ends in an error, or by Ctrl-C, workers are ended at once; when the process is killed,
    they end too.

    Parameters
    ----------
    n_workers : int
        Number of processes.
    initializer : callable, optional
        Runs first in each worker, after `start_worker`.
    arguments : tuple
        Of the initializer.
    script : bool
        Whether workers need what the user's script defines. Else they do not run it, as they otherwise would to look
        for its classes.
    compiling : callable, optional
        Called with True when a worker begins to compile kernels, with False when none does any more, in another thread.
    """

    def __init__(
        self,
        n_workers: int,
        initializer: Callable | None = None,
        arguments: tuple = (),
        script=False,
        compiling: Callable[[bool], None] | None = None,
    ):
        self.n_workers, self._script = n_workers, script
        context = multiprocessing.get_context("spawn")
        self._hears, says = context.Pipe(duplex=False) if compiling is not None else (None, None)
        self._says = says
        if compiling is not None:
            threading.Thread(target=_listen, args=(self._hears, compiling), name="compiling", daemon=True).start()
        self._executor = ProcessPoolExecutor(
            n_workers,
            mp_context=context,
            initializer=_start,
            initargs=(initializer, arguments, says),
        )

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, kind, error, trace) -> None:
        processes = list((self._executor._processes or {}).values())
        manager = self._executor._executor_manager_thread
        self._executor.shutdown(wait=kind is None, cancel_futures=True)
        if kind is not None:
            for process in processes:
                process.terminate()
            for process in processes:
                process.join(5)
            if manager is not None:  # it closes the queues
                manager.join(5)
        if self._says is not None:
            self._says.close()  # the last writer: the thread that listens ends

    def submit(self, calls: Iterable[tuple]) -> list[Future]:
        """Start calls, each a tuple of a function and its arguments; workers start here, with their share of cores."""
        with workers_start(self.n_workers, self._script):
            return [self._executor.submit(*call) for call in calls]


def _listen(hears, tell: Callable[[bool], None]) -> None:
    """Follow how many workers compile, until none is left that could."""
    busy = 0
    with hears, contextlib.suppress(EOFError, OSError):
        while True:
            begins = hears.recv_bytes() == b"+"
            busy += 1 if begins else -1
            if busy == (1 if begins else 0):
                tell(begins)


_watching = contextlib.ExitStack()


def _start(initializer: Callable | None, arguments: tuple, says) -> None:
    start_worker()
    if says is not None:
        # A few bytes are written to a pipe at once, so workers need no lock, which one that is killed might hold.
        def tell(begins: bool) -> None:
            with contextlib.suppress(OSError):
                says.send_bytes(b"+" if begins else b"-")

        _watching.enter_context(watch(tell))
    if initializer is not None:
        initializer(*arguments)


@contextlib.contextmanager
def workers_start(n_workers: int, script: bool = False) -> Iterator[None]:
    """Give processes that start here their share of the cores, unless the user has said how many threads to use.

    Parameters
    ----------
    n_workers, script
        As of `WorkerPool`.
    """
    share = str(max(1, available_cores() // n_workers))
    ours = [name for name in _THREAD_VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(ours, share))
    check_kernel_folder()
    main = sys.modules["__main__"]
    if not script:
        sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name in ours:
            os.environ.pop(name, None)
