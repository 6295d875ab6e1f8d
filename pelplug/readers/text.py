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

__all__ = ["DAMAGED", "TEXT", "connect", "open_binary", "read_table"]

_OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError)  # what reading a damaged compressed file raises
TEXT = object  # the dtype of a column of names, of whatever length


def open_binary(path):
    """Open a file for reading bytes; .gz, .bz2 and .xz are decompressed on the way."""
    return _OPENERS.get(os.path.splitext(path)[1].lower(), open)(path, "rb")


def connect(path):
    """Open a file as `open_binary` does; an error of the system becomes one sentence (InputError)."""
    try:
        return open_binary(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}); check the file.") from None


def read_table(lines, n: int, kinds, places=None) -> np.ndarray:
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

    Returns
    -------
    ndarray, shape (n,)
        Structured array.

    Raises
    ------
    InputError
        If a line cannot be read, or there are fewer than `n`.
    """
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
