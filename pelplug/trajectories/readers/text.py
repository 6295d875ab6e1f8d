"""Tables of numbers in text files: opened also when compressed, parsed in C."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import warnings
import zlib

import numpy as np

from pelplug.errors import InputError

__all__ = ["DAMAGED", "TEXT", "connect", "copy_or_unpack", "open_binary", "read_table", "text_of"]

_OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_UNPACKERS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz"}
DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError)  # what reading a damaged compressed file raises
TEXT = object  # the dtype of a column of names, of whatever length


def open_binary(path):
    """Open a file for reading bytes; .gz, .bz2 and .xz are decompressed on the way."""
    return _OPENERS.get(os.path.splitext(path)[1].lower(), open)(path, "rb")


def copy_or_unpack(path) -> str:
    """Return what can be done about a file that is cut off: if it is compressed, some of it can still be unpacked."""
    stem, ending = os.path.splitext(os.fspath(path))
    program = _UNPACKERS.get(ending.lower())
    if program is None:
        return "copy it again"
    name = os.path.basename(stem)
    return f"copy it again, or take what can still be unpacked: {program} -dc '{name}{ending}' > 'part-{name}'"


def text_of(data: bytes) -> str:
    """Return bytes as text: UTF-8, else Latin-1, so that different names stay different."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def connect(path):
    """Open a file as `open_binary` does; an error of the system becomes one sentence (InputError)."""
    try:
        return open_binary(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); check the file.") from None


def read_table(lines, n: int, kinds, places=None, width: int | None = None) -> np.ndarray:
    """Parse lines of columns.

    Parameters
    ----------
    lines : iterable of bytes or str
        At most `n` lines.
    n : int
        How many lines there must be.
    kinds : list of (str, dtype)
        Names and types of the columns to read.
    places : list of int, optional
        Which columns those are; by default the first ones, and there must be no more.
    width : int, optional
        How many columns a line has; by default as many as the first.

    Returns
    -------
    ndarray, shape (n,)
        Structured array.

    Raises
    ------
    InputError
        If a line cannot be read or is longer or shorter than the others, or there are fewer than `n`.
    """
    lines = _lines(lines)
    if places is not None:
        _check_widths(lines, width)
    # numpy parses in C: a Python loop over particles would take most of the time of an analysis.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # "input contained no data": counted below
            table = np.loadtxt(lines, dtype=kinds, usecols=places, comments=None, ndmin=1, encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(
            "its particles have names that are not UTF-8; convert the file (iconv -t UTF-8) or number the types."
        ) from None
    except (ValueError, *DAMAGED) as error:
        reason = str(error).partition(";")[0].splitlines()[0].rstrip(".")
        raise InputError(
            f"its particles cannot be read ({reason}): it is cut off or damaged, use the frames before it."
        ) from None
    if len(table) != n:
        raise InputError(f"only {len(table)} of {n} particles are there: it is cut off, use the frames before it.")
    return table


def _lines(lines) -> list:
    try:
        return list(lines)
    except DAMAGED as error:
        raise InputError(f"its particles cannot be read ({error}): it is damaged, use the frames before it.") from None


def _check_widths(lines: list, width: int | None) -> None:
    """Refuse a table in which a line has another number of columns: what is behind the fault would be read shifted."""
    if not lines:
        return
    ending = "\n" if isinstance(lines[0], str) else b"\n"
    whole = [line if line.endswith(ending) else line + ending for line in lines]
    text = ending[:0].join(whole)
    # Columns are counted where one begins, without a Python loop over particles.
    characters = np.frombuffer(text.encode() if isinstance(text, str) else text, dtype=np.uint8)
    blank = (characters <= 32) & (characters != 0)
    begins = ~blank
    begins[1:] &= blank[:-1]
    ends = np.flatnonzero(characters == 10)
    counts = np.add.reduceat(begins, np.concatenate(([0], ends[:-1] + 1)), dtype=np.int64)
    width = int(counts[0]) if width is None else width
    if np.any(counts != width):
        row = int(np.argmax(counts != width))
        raise InputError(
            f"its particles cannot be read (line {row + 1} has {counts[row]} columns instead of {width}): it is cut "
            "off or damaged, use the frames before it."
        )
