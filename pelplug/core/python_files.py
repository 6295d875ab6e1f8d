"""Python files that users name: each is loaded as a module that other processes find again, by its path and content.

The name of such a module says where its file lies and what was in it. Whoever unpickles something from it imports this
module first, as the one above it, and so has what finds the file.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import re
import sys
import traceback
import urllib.parse
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import NamedTuple

from pelplug.core.checksum import checksum
from pelplug.core.entry_points import ANY_FAILURE
from pelplug.core.outputs import near_name
from pelplug.errors import InputError, reason_of

__all__ = ["PythonFile", "changed_file", "file_of", "is_pelplugs", "load_file", "split_file"]

__path__: list[str] = []  # a module with a path may have others below it


class PythonFile(NamedTuple):
    """A file that was loaded: its absolute path, and the SHA-256 of its content, ``"sha256:..."``."""

    path: str
    checksum: str


def split_file(text: str | os.PathLike) -> tuple[str, str] | None:
    """Return the path and the name in ``"mine.py:NAME"``, an empty name for ``"mine.py"``; None for anything else."""
    found = re.fullmatch(r"(.*\.py)(?::([^:/]*))?", os.fspath(text), re.DOTALL)
    return None if found is None else (found[1], found[2] or "")


def load_file(path: str | os.PathLike) -> ModuleType:
    """Return the module that a Python file makes, run once for each content that it has.

    What it defines can be pickled: another process runs the same file, if its content is the same.

    Parameters
    ----------
    path : path_like

    Raises
    ------
    InputError
        If it is not there, or raises; with the line.
    """
    given = os.fspath(path)
    if not os.path.isfile(given):
        raise InputError(f"There is no file {given}; {near_name(given)}")
    try:
        digest = checksum(given)
    except OSError as error:
        raise InputError(f"{given} cannot be read ({error.strerror}); check its permissions.") from None
    try:
        return importlib.import_module(_module_name(os.path.abspath(given), digest))
    except ANY_FAILURE as error:
        raise InputError(
            f"{given} cannot be run{_line(error, given)}: {_said(error)}{_beside(error, given)}."
        ) from error


def file_of(named: object) -> PythonFile | None:
    """Return the file that a class, function or module was loaded from by `load_file`, None if it was not."""
    name = named.__name__ if isinstance(named, ModuleType) else getattr(named, "__module__", None)
    if not isinstance(name, str) or not name.startswith(f"{__name__}."):
        return None
    path, _, digest = name.removeprefix(f"{__name__}.").rpartition(":sha256:")
    if not path:  # what a relative import asks for
        return None
    return PythonFile(urllib.parse.unquote(path, errors="surrogateescape"), f"sha256:{digest}")


def is_pelplugs(named: object) -> bool:
    """Return whether a class or function is pelplug's own, not of a user's file or another package."""
    module = getattr(named, "__module__", None)
    return isinstance(module, str) and module.partition(".")[0] == "pelplug" and file_of(named) is None


def changed_file(pickled: bytes) -> str | None:
    """Return the path of a file that is not as it was when something from it was pickled; None if all are."""
    for name in list(sys.modules):
        file = file_of(ModuleType(name))
        if file is not None and name.encode(errors="surrogatepass") in pickled:
            try:
                if checksum(file.path) != file.checksum:
                    return file.path
            except OSError:
                return file.path
    return None


def _module_name(path: str, digest: str) -> str:
    # What is below a dot is looked for below what stands before it.
    quoted = urllib.parse.quote(path, errors="surrogateescape").replace(".", "%2E")
    return f"{__name__}.{quoted}:{digest}"


def _line(error: BaseException, path: str) -> str:
    """Return ``" (line 7)"`` where an exception tells a line of the file."""
    if isinstance(error, SyntaxError) and error.filename == os.path.abspath(path):
        return f" (line {error.lineno})" if error.lineno else ""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == os.path.abspath(path)]
    return f" (line {lines[-1]})" if lines else ""


def _said(error: BaseException) -> str:
    if isinstance(error, InputError):
        return reason_of(error)
    said = error.msg if isinstance(error, SyntaxError) else reason_of(error)
    return f"{type(error).__name__}: {said}".removesuffix(f": {type(error).__name__}")


def _beside(error: BaseException, path: str) -> str:
    """Tell who misses a module that lies beside the file."""
    missing = (getattr(error, "name", None) or "") if isinstance(error, ImportError) else ""
    wanted = missing.removeprefix(f"{__name__}.").partition(".")[0]
    there = os.path.join(os.path.dirname(os.path.abspath(path)), wanted)
    if not wanted or not (os.path.isfile(f"{there}.py") or os.path.isdir(there)):
        return ""
    return f"; it is run alone, without {wanted} beside it: put all into one file, or make a package of both"


class _Loader(Loader):
    """Runs a file, if its content is still that of its name; nothing is written beside it."""

    def __init__(self, file: PythonFile):
        self._file = file

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to Python."""

    def exec_module(self, module: ModuleType) -> None:
        """Run it."""
        path, digest = self._file
        with open(path, "rb") as file:
            source = file.read()
        if f"sha256:{hashlib.sha256(source).hexdigest()}" != digest:
            raise ImportError(f"{path} has changed since it was loaded first")
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)


class _Finder:
    """Finds the modules that `load_file` makes, in any process."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        file = file_of(ModuleType(name))
        if file is None:
            return None
        return importlib.util.spec_from_file_location(name, file.path, loader=_Loader(file))


sys.meta_path.append(_Finder)
