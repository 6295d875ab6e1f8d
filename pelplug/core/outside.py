"""What comes from outside: the one way to open a small file that a user, or another file, names."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping

from pelplug.errors import InputError

__all__ = ["MOST", "parse_record", "read_outside", "refuse_links", "shown", "sure_file"]

MOST = 256 * 2**20
"""Bytes that a model's file or a table of numbers may have: no potential in use comes near it."""
_MOST_OF_A_RECORD = 64 * 2**20
_SHOWN = 120


def shown(name) -> str:
    """Return a name that came from outside as it may stand in a sentence: one line, printable, not too long."""
    text = repr(str(name))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...'"


def sure_file(path, what: str, most: int | None = None) -> int:
    """Open a file for reading if it is a regular one of sane size; return its descriptor.

    Parameters
    ----------
    path : path_like
        Its name; a symbolic link is followed, and what it leads to is looked at.
    what : str
        What it should be, as the sentence calls it: "EAM file".
    most : int, optional
        Bytes that it may have.

    Raises
    ------
    InputError
        If it is missing, cannot be read, is a device, a pipe, a socket or a folder, or is too large.
    """
    path = os.fspath(path)
    try:
        # A pipe without a writer must not make us wait; what was opened is looked at, not what the name led to before.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name has a null byte"
        raise InputError(f"The {what} {path} cannot be read ({reason}); check its name.") from None
    state = os.fstat(descriptor)
    if not stat.S_ISREG(state.st_mode):
        os.close(descriptor)
        raise InputError(
            f"The {what} {path} is {_kind(state.st_mode)}, not a file; give a regular file (a copy on disk)."
        )
    if most is not None and state.st_size > most:
        os.close(descriptor)
        raise InputError(
            f"The {what} {path} has {state.st_size / 2**20:.0f} MiB, more than the {most // 2**20} MiB that such a "
            "file may have; check its name."
        )
    return descriptor


def read_outside(path, what: str, most: int = MOST, sha256: str | None = None) -> bytes:
    """Read a whole file that a user or another file names: every model's file comes in here.

    Parameters
    ----------
    path, what, most
        As in `sure_file`.
    sha256 : str, optional
        What the content must have as SHA-256; compared before anybody looks at the content.

    Returns
    -------
    bytes

    Raises
    ------
    InputError
        As in `sure_file`, and if the content is another one.
    """
    with os.fdopen(sure_file(path, what, most), "rb") as file:
        try:
            content = file.read(most + 1)
        except OSError as error:
            raise InputError(f"The {what} {path} cannot be read ({error.strerror}); check the disk.") from None
    if len(content) > most:
        raise InputError(f"The {what} {path} grows while it is read; wait until it is written.")
    if sha256 is not None:
        found = hashlib.sha256(content).hexdigest()
        if found != sha256:
            raise InputError(
                f"The {what} {path} is another one than was asked for: its SHA-256 begins with {found[:12]}, not "
                f"{str(sha256)[:12]}; pass the right file as file=PATH."
            )
    return content


def parse_record(content) -> dict | None:
    """Return the JSON object that a file carries as text or bytes; None where it is none, or is damaged.

    Parameters
    ----------
    content : str, bytes or ndarray of uint8
        As it was read.
    """
    try:
        if not isinstance(content, str | bytes):
            content = bytes(content)
        if len(content) > _MOST_OF_A_RECORD:
            return None
        record = json.loads(content.rstrip(b"\0") if isinstance(content, bytes) else content)
    except (ValueError, TypeError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def refuse_links(file, path) -> None:
    """Raise `InputError` if an open HDF5 file takes data out of other files, by links or external storage.

    Parameters
    ----------
    file : h5py.File
    path : path_like
        Its name, for the sentence.
    """
    import h5py

    def link(name, info):
        return name if info.type == h5py.h5l.TYPE_EXTERNAL else None

    def data(name, item):
        if isinstance(item, h5py.Dataset):
            if item.external:
                return name
            if item.is_virtual and any(
                source.file_name not in (".", file.filename) for source in item.virtual_sources()
            ):
                return name
        return None

    try:
        found = file.id.links.visit(link, info=True) or file.visititems(data)
    except (RuntimeError, KeyError, OSError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path} is damaged ({reason}); copy it again or write it anew.") from None
    if found is not None:
        found = found.decode(errors="replace") if isinstance(found, bytes) else found
        raise InputError(
            f"{path} takes {shown(found)} out of another file, which pelplug does not open on a file's word; make one "
            "file of them (h5repack, or h5copy) and give that."
        )


def _kind(mode: int) -> str:
    kinds: Mapping = {
        stat.S_ISDIR: "a folder",
        stat.S_ISCHR: "a device",
        stat.S_ISBLK: "a device",
        stat.S_ISFIFO: "a pipe",
        stat.S_ISSOCK: "a socket",
    }
    return next((word for test, word in kinds.items() if test(mode)), "something else")
