"""Who wants to know that kernels are being compiled: progress lines, here and in the process that started this one."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator

__all__ = ["begin", "end", "watch"]

_watchers: list[Callable[[bool], None]] = []
_lock = threading.Lock()
_depth = 0


@contextlib.contextmanager
def watch(watcher: Callable[[bool], None]) -> Iterator[None]:
    """Call ``watcher(True)`` when compiling begins and ``watcher(False)`` when it ends, in the thread that compiles."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


def begin() -> None:
    """Say that a kernel is being compiled, possibly for another one."""
    _change(1)


def end() -> None:
    """Say that it is finished."""
    _change(-1)


def _change(by: int) -> None:
    global _depth
    with _lock:
        _depth += by
        turns = _depth == (1 if by > 0 else 0)
    if turns:
        for watcher in list(_watchers):
            watcher(by > 0)
