"""Output files: checked before the work starts, written to a temporary name, renamed when complete."""

from __future__ import annotations

import contextlib
import difflib
import errno
import io
import os
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

from pelplug.core.lock import is_locked, lock_outputs
from pelplug.errors import InputError, RunError

__all__ = [
    "DISK_FULL",
    "atomic_output",
    "check_output",
    "check_outputs",
    "close_at_exit",
    "disk_errors",
    "move_new",
    "near_name",
    "open_for_library",
    "replacing",
    "sync_file",
]

# EFBIG is what a quota set by `ulimit -f` answers.
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The errors by which a system says that nothing more can be written."""


def check_output(path, overwrite: bool = False, inputs=()) -> Path:
    """Refuse an output path that could not be written at the end of a long calculation.

    Parameters
    ----------
    path : path_like
        Where the output will go.
    overwrite : bool, optional
        Whether an existing file may be replaced.
    inputs : iterable of path_like, optional
        Files the calculation reads; none of them is ever replaced, under whatever name.

    Returns
    -------
    pathlib.Path
        `path`.

    Raises
    ------
    InputError
        If the folder is missing or not writable, the file exists and `overwrite` is false, the path is a
        folder, or it is one of `inputs` (also through a symbolic or hard link).
    """
    path = Path(path)
    for source in inputs:
        if source is not None and _same_file(path, source):
            raise InputError(f"{path} is the input file {source}, which is never modified; choose another output name.")
    folder = path.parent
    if len(os.fsencode(path.name)) + _ROOM > _longest_name(folder):
        raise InputError(f"{path.name[:40]}... cannot be written: the name is too long; choose a shorter one (-o).")
    try:
        if path.is_dir():
            raise InputError(f"{path} is a folder; give the name of a file in it.")
        if not folder.is_dir():
            raise InputError(f"There is no folder {folder} to write {path.name} in; create it or choose another one.")
        if os.path.lexists(path) and not overwrite:
            raise InputError(f"{path} exists already; pass --overwrite (overwrite=True) or choose another output name.")
        # Permission bits do not tell the truth for root, network disks and read-only mounts: try it.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        if error.errno in DISK_FULL:
            raise RunError(f"The disk of {folder} is full; free some space or choose another folder.") from error
        raise InputError(
            f"{path.name} cannot be written in {folder} ({_reason(error)}); choose a folder that is writable."
        ) from error
    return path


def check_outputs(paths, overwrite: bool = False, inputs=()) -> None:
    """Refuse outputs of one command as `check_output` does, and two names of one file."""
    paths = list(paths)
    if len({os.path.realpath(path) for path in paths}) < len(paths):
        raise InputError("Two outputs have the same name; give each its own.")
    for path in paths:
        check_output(path, overwrite, inputs)


_ROOM = 32  # what the folder of finished frames has besides the name of the output


def _longest_name(folder: Path) -> int:
    try:
        return os.pathconf(folder, "PC_NAME_MAX")
    except (OSError, ValueError):
        return 255


def near_name(path) -> str:
    """Return the end of a sentence about a file that is not there: a name in its folder that is close, if any is."""
    path = os.fspath(path)
    folder, name = os.path.split(path)
    try:
        near = difflib.get_close_matches(name, os.listdir(folder or "."), n=1, cutoff=0.7)
    except (OSError, ValueError):
        near = []
    return f"did you mean {os.path.join(folder, near[0])}?" if near else "check its name and folder."


@contextlib.contextmanager
def atomic_output(path, overwrite: bool = False, inputs=()) -> Iterator[Path]:
    """Give a temporary name in the same folder; rename it to `path` when the block ends without an error.

    Parameters
    ----------
    path, overwrite, inputs
        As in `check_output`, which runs first.

    Yields
    ------
    pathlib.Path
        An empty file with the ending of `path`. It is removed if the block raises anything, KeyboardInterrupt included.

    Raises
    ------
    InputError
        From `check_output`, or if another process is writing it.
    RunError
        If the disk is full or the folder is lost while writing.
    """
    with lock_outputs(path):
        path = check_output(path, overwrite, inputs)
        # Writing through a symbolic link replaces what it points to, not the link.
        target = Path(os.path.realpath(path))
        if is_locked(path):
            _remove_left(target)
        with replacing(target, path, move=None if overwrite else move_new) as temporary:
            yield temporary


@contextlib.contextmanager
def replacing(path, named=None, *, move: Callable[[Path, Path], None] | None = None, sync: bool = True):
    """Give a temporary name beside a file of our own, and put what was written there in its place, whole or not at all.

    Parameters
    ----------
    path : path_like
        What is replaced, or made.
    named : path_like, optional
        What to call it if the disk is full; `path` by default.
    move : callable, optional
        ``move(temporary, path)`` in place of `os.replace`.
    sync : bool
        Wait until the content is on the disk, so that not even a loss of power leaves an empty file.

    Yields
    ------
    pathlib.Path
        An empty file with the ending of `path`, removed if the block raises.
    """
    target = Path(path)
    before, after = _around(target)
    with disk_errors(target if named is None else named):
        descriptor, name = tempfile.mkstemp(prefix=before, suffix=after, dir=target.parent)
        os.close(descriptor)
        temporary = Path(name)
        try:
            yield temporary
            if sync:
                sync_file(temporary)
            os.chmod(temporary, _mode(target))
            (move or os.replace)(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)


def _around(target: Path) -> tuple[str, str]:
    """Return what a temporary name of a file begins with and ends in."""
    return f".{target.stem[:40]}.", f".tmp{target.suffix}"


def _remove_left(target: Path) -> None:
    """Remove what a writer left that was killed; only who has the lock may."""
    before, after = _around(target)
    if len(target.stem) > 40:  # another file could have the same
        return
    with contextlib.suppress(OSError):
        for path in target.parent.iterdir():
            middle = path.name.removeprefix(before).removesuffix(after)
            if path.name == before + middle + after and len(middle) == 8 and middle.replace("_", "a").isalnum():
                path.unlink(missing_ok=True)


@contextlib.contextmanager
def disk_errors(path) -> Iterator[None]:
    """Turn an OSError of the block into one sentence about `path` (RunError)."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise RunError(
                f"The disk is full: {path} was not written; free some space and run the same command again."
            ) from error
        raise RunError(
            f"{path} could not be written ({_reason(error)}); check the folder and run the same command again."
        ) from error


@contextlib.contextmanager
def open_for_library(path) -> Iterator[io.RawIOBase]:
    """Open `path` for a C library that may not see a write fail.

    HDF5 cannot close a file whose writes failed and crashes at exit. This file swallows what comes after the
    first failure and raises that failure when the block ends.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    file = _QuietFile(descriptor)
    try:
        try:
            yield file
        except Exception:
            if file.error is None:
                raise
        if file.error is not None:
            raise file.error
    finally:
        os.close(descriptor)


def close_at_exit(owner, close: Callable[[], None]) -> None:
    """Close a library's file when its owner goes, and at the latest before the interpreter takes itself apart.

    A file that is left to the interpreter may find its library's own modules gone: GSD then complains at every exit.

    Parameters
    ----------
    owner : object
        Which uses the file.
    close : callable
        Closes it; may be called when it is closed already. It must not refer to `owner`.
    """
    weakref.finalize(owner, close)


class _QuietFile(io.RawIOBase):
    """Read-write file by descriptor; the first exception of a write is kept in `error`."""

    def __init__(self, descriptor: int):
        self._descriptor = descriptor
        self._position = 0
        self.error: BaseException | None = None

    def readable(self):
        return True

    def writable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        return self._position

    def seek(self, offset, whence=os.SEEK_SET):
        if whence == os.SEEK_CUR:
            offset += self._position
        elif whence == os.SEEK_END:
            offset += os.fstat(self._descriptor).st_size
        self._position = offset
        return offset

    def write(self, data):
        view = memoryview(data).cast("B")
        self._attempt(self._write_all, view, self._position)
        self._position += len(view)
        return len(view)

    def truncate(self, size=None):
        size = self._position if size is None else size
        self._attempt(os.ftruncate, self._descriptor, size)
        return size

    def readinto(self, buffer):
        view = memoryview(buffer).cast("B")
        data = os.pread(self._descriptor, len(view), self._position)
        view[: len(data)] = data
        if self.error is None:
            read = len(data)
        else:
            view[len(data) :] = bytes(len(view) - len(data))
            read = len(view)
        self._position += read
        return read

    def _write_all(self, view, position):
        while view:
            written = os.pwrite(self._descriptor, view, position)
            view, position = view[written:], position + written

    def _attempt(self, function, *arguments):
        if self.error is None:
            try:
                function(*arguments)
            except BaseException as error:  # KeyboardInterrupt too: it is raised again when HDF5 has closed
                self.error = error


def _same_file(path: Path, source) -> bool:
    try:
        return os.path.samefile(path, source)
    except OSError:
        return os.path.realpath(path) == os.path.realpath(source)


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).splitlines()[0]


def sync_file(path: Path) -> None:
    """Wait until the system has put a file's content on the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _mode(target: Path) -> int:
    """Permission bits of the file to be replaced, or those a plain open() would give a new one."""
    try:
        return target.stat().st_mode & 0o777
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def move_new(temporary: Path, target: Path) -> None:
    """Rename without replacing a file that appeared while we were writing."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise InputError(
            f"{target} was made by another program meanwhile; pass --overwrite or choose another output name."
        ) from None
    except OSError:  # a file system without hard links
        os.replace(temporary, target)
