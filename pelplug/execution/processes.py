"""Processes that work for another one."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import re
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from pelplug.core.arguments import takes
from pelplug.core.python_files import changed_file
from pelplug.errors import InputError, RunError
from pelplug.execution.compile_events import watch
from pelplug.execution.device import LIBRARY_VARIABLES, Device, available_cores, device_in_use

__all__ = ["WorkerPool", "prepare_worker", "workers_start"]

_GUARD = re.compile(r"""__name__\s*==\s*["']__main__["']""")
_BELOW_GUARD = "start them below `if __name__ == '__main__':`"


def _follow_master() -> None:
    """Leave Ctrl-C to the process that started this one, and end when that does.

    A worker of `concurrent.futures` whose master was killed would go on with its task and then wait for ever for the
    next one, since it holds the other end of the queue itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, name="follow-parent", daemon=True).start()


def _check_kernel_folder() -> None:
    """Say, in place of the workers that start after this, where compiled kernels cannot be kept."""
    if "numba" in sys.modules:
        from pelplug.execution.kernel_cache import check_folder

        check_folder()


class WorkerPool:
    """Fresh worker processes, so that threads and libraries of this one cannot break them; use it in a ``with`` block.

    They compute on the `Device` in use, with the threads that were asked for, else with their share of the cores. They
    do not run the user's script, but where they are sent something that it defines.

    A worker that dies (killed for memory) ends the block by a `RunError`. When the block ends in an error, or by
    Ctrl-C, workers are ended at once; when the process is killed, they end too.

    Parameters
    ----------
    workers : int
        Number of processes.
    initializer : callable, optional
        Runs first in each worker.
    arguments : tuple
        Of the initializer.
    compiling : callable, optional
        Called with True when a worker begins to compile kernels, with False when none does any more, in another thread.
    """

    @takes("WorkerPool", renamed={"n_workers": "workers"})
    def __init__(
        self,
        workers: int,
        initializer: Callable | None = None,
        arguments: tuple = (),
        compiling: Callable[[bool], None] | None = None,
    ):
        self.workers, self._first, self._script = workers, (initializer, arguments), False
        self._sent: tuple = (self._first,)
        # As text, because a process keeps what it is started with to its end, beyond where readers can close files.
        first = _pickled(self._first)
        context = multiprocessing.get_context("spawn")
        hears: Any
        says: Any
        hears, says = context.Pipe(duplex=False) if compiling is not None else (None, None)
        self._hears, self._says = hears, says
        if compiling is not None:
            threading.Thread(target=_listen, args=(self._hears, compiling), name="compiling", daemon=True).start()
        self._executor = ProcessPoolExecutor(
            workers,
            mp_context=context,
            initializer=_start,
            initargs=(first, says, device_in_use(), "numba" in sys.modules),
        )

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        processes = list((self._executor._processes or {}).values())
        manager: Any = self._executor._executor_manager_thread
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
        if isinstance(error, BrokenProcessPool):
            _refuse_changed(_pickled(self._sent))
            script = f"; a script that defines what workers need must {_BELOW_GUARD}" if self._script else ""
            raise RunError(
                "A worker process died, most likely for lack of memory; use fewer workers (what is finished is kept if "
                f"the run has an output){script}."
            ) from error

    def submit(self, calls: Iterable[tuple]) -> list[Future]:
        """Start calls, each a tuple of a function and its arguments; workers start here.

        Raises
        ------
        InputError
            If a call cannot be sent to another process.
        """
        calls = list(calls)
        self._sent = (self._first, *calls[:1])
        with workers_start(self.workers, *self._sent) as self._script:
            return [self._executor.submit(*call) for call in calls]


def _listen(hears: Any, tell: Callable[[bool], None]) -> None:
    """Follow how many workers compile, until none is left that could."""
    busy = 0
    with hears, contextlib.suppress(EOFError, OSError):
        while True:
            begins = hears.recv_bytes() == b"+"
            busy += 1 if begins else -1
            if busy == (1 if begins else 0):
                tell(begins)


_watching = contextlib.ExitStack()


def prepare_worker(compiles: bool) -> None:
    """Have numba keep what it compiles in the user's cache folder, before code of plugins is imported.

    Parameters
    ----------
    compiles : bool
        Whether the process that started this one has numba.
    """
    if compiles:
        import pelplug.execution.compile  # noqa: F401


def _start(first: bytes, says: Any, device: Device, compiles: bool) -> None:
    _follow_master()
    device.__enter__()  # to its end
    prepare_worker(compiles)
    if says is not None:
        # A few bytes are written to a pipe at once, so workers need no lock, which one that is killed might hold.
        def tell(begins: bool) -> None:
            with contextlib.suppress(OSError):
                says.send_bytes(b"+" if begins else b"-")

        _watching.enter_context(watch(tell))
    initializer, arguments = pickle.loads(first)
    if initializer is not None:
        initializer(*arguments)


@contextlib.contextmanager
def workers_start(n_workers: int, *work: Any) -> Iterator[bool]:
    """Give processes that start here their share of the cores, unless it is said how many threads each is to use.

    Parameters
    ----------
    n_workers : int
        How many processes.
    *work
        What they are sent: an example of each kind.

    Yields
    ------
    bool
        Whether they run the user's script.

    Raises
    ------
    InputError
        If they cannot be sent it.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        # A worker that runs the script, on its way to what it is to find there, comes to where workers are started.
        raise SystemExit(1)
    script = _needs_script(work)
    share = str(device_in_use().threads or max(1, available_cores() // n_workers))
    ours = [name for name in LIBRARY_VARIABLES if name not in os.environ]
    os.environ.update(dict.fromkeys(ours, share))
    _check_kernel_folder()
    try:
        with contextlib.nullcontext() if script else _no_script():
            yield script
    finally:
        for name in ours:
            os.environ.pop(name, None)


@contextlib.contextmanager
def _no_script() -> Iterator[None]:
    """Hide the user's script: processes that start run what they find in its place."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _needs_script(work: Any) -> bool:
    """Tell whether only those can read something who have run the user's script."""
    buffers: list[pickle.PickleBuffer] = []
    text = _pickled(work, buffers.append)  # arrays are not copied
    _refuse_changed(text)
    if b"__main__" not in text:
        return False
    try:
        with _no_script():
            pickle.loads(text, buffers=buffers)
        return False
    except AttributeError as error:
        found = re.search(r"'(\w+)[\w.]*' on <module '__main__'", str(error))
        if found is None:
            raise
        _check_script(found[1])
    return True


def _refuse_changed(text: bytes) -> None:
    """Refuse to send what other processes cannot read: something from a file that is not there as it was."""
    if (file := changed_file(text)) is not None:
        raise RunError(
            f"{file} was changed while worker processes needed it as it was; start again (what is finished is kept if "
            "the run has an output)."
        )


def _pickled(work: Any, buffer_callback: Callable | None = None) -> bytes:
    try:
        return pickle.dumps(work, protocol=5, buffer_callback=buffer_callback)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise InputError(
            f"Worker processes cannot be sent what they are to compute ({' '.join(str(error).split())}); define its "
            "functions and classes in a module, or use one process (no --workers)."
        ) from error


def _check_script(name: str) -> None:
    """Refuse a script that would start workers again in each worker, and what is no script that a worker could run."""
    file = getattr(sys.modules["__main__"], "__file__", None)
    if file is None or not os.path.isfile(file):
        raise InputError(
            f"{name} is defined in a notebook or at a prompt, where worker processes cannot find it; put it into a "
            "module (a file that you import), or use one process (no --workers)."
        )
    with open(file, encoding="utf-8", errors="replace") as script:
        if not _GUARD.search(script.read()):
            raise InputError(
                f"{name} is defined in {os.path.basename(file)}, which each worker process has to run to find it; "
                f"{_BELOW_GUARD}, or put {name} into a module (a file that you import)."
            )
