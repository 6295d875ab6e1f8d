"""One process at a time writes an output: from before the work starts until the file has its name."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shlex
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pelplug.errors import InputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # not everywhere

__all__ = ["PATIENCE", "command_line", "is_locked", "lock_outputs"]

PATIENCE = 10.0
"""How long to wait for the workers of a run that was killed: they end by themselves [s]."""

# What a file system without locks answers: some network disks. Renaming is all that protects a file there.
_NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL})
_held = threading.local()


def is_locked(path) -> bool:
    """Return whether this thread has a lock on `path`, one that the file system keeps."""
    return _held.__dict__.get("paths", {}).get(_lock_of(path), False)


def _lock_of(path) -> Path:
    """Return the file that is locked while `path` is being written: ``.NAME.lock`` beside what the path leads to."""
    path = Path(os.path.realpath(path))
    return path.with_name(f".{path.name}.lock")


@contextlib.contextmanager
def lock_outputs(*paths: Any, patience: float = 0.0) -> Iterator[None]:
    """Keep other processes from writing some files while the block runs.

    The system gives a lock back when its process ends, however that ends, so none is ever stale; the empty file that a
    kill leaves goes with the next run. What a thread has locked already it may lock again. Where a lock cannot be made,
    in a folder that cannot be written or on a disk that knows none, the block runs without.

    Parameters
    ----------
    *paths : path_like
        Outputs; two names that lead to one file are one. None is left out.
    patience : float
        How long to wait for another process [s].

    Raises
    ------
    InputError
        If another process, or another thread, is writing one of them.
    """
    ours = _held.__dict__.setdefault("paths", {})
    wanted = {_lock_of(path): path for path in paths if path is not None}
    with contextlib.ExitStack() as stack:
        for lock in sorted(set(wanted) - set(ours)):
            ours[lock] = _acquire(lock, wanted[lock], patience, stack)
            stack.callback(ours.pop, lock)
        yield


def command_line() -> str:
    """Return what this process was started with, the program without its folder."""
    program, *arguments = sys.argv or [""]
    name = Path(program).parent.name if os.path.basename(program) == "__main__.py" else os.path.basename(program)
    return shlex.join([name, *arguments])


def _acquire(lock: Path, path, patience: float, stack: contextlib.ExitStack) -> bool:
    """Lock a file and have the stack give it back; return False where there can be no lock."""
    begun = time.monotonic()
    while fcntl is not None:
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError:  # what is wrong with the folder is told by who checks the output
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who held it may have removed the file just now.
            if _is(descriptor, lock):
                stack.callback(_release, lock, descriptor)
                _sign(descriptor)
                return True
        except OSError as error:
            if error.errno in _NO_LOCKS:
                os.close(descriptor)
                return False
            if not isinstance(error, BlockingIOError):
                os.close(descriptor)
                raise
        owner = _owner(descriptor)
        os.close(descriptor)
        if time.monotonic() - begun > patience:
            raise InputError(
                f"Another process is writing {path}{owner}; wait for it, end it, or choose another output name."
            )
        time.sleep(min(0.1, patience))
    return False


def _release(lock: Path, descriptor: int) -> None:
    with contextlib.suppress(OSError):
        if _is(descriptor, lock):
            lock.unlink()
    os.close(descriptor)


def _is(descriptor: int, lock: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(lock))
    except FileNotFoundError:
        return False


def _sign(descriptor: int) -> None:
    """Write into the locked file who has it, for those that find it locked."""
    with contextlib.suppress(OSError):
        text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "command": command_line()})
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, text.encode(errors="replace"), 0)


def _owner(descriptor: int) -> str:
    try:
        owner = json.loads(os.pread(descriptor, 1 << 16, 0))
        return f" (process {owner['pid']} on {owner['host']}: {owner['command'][:200]})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
