"""Compiled kernels on disk, in the user's cache folder; nothing is ever written beside the sources.

numba's own cache writes into ``__pycache__``, so that an uninstalled package leaves a folder behind; it numbers its
files in an index that two processes may overwrite; and it ends the program where it cannot write. Here each kernel is a
file of its own, named after all that its machine code is made of and checked when it is read. Whatever goes wrong,
the kernel is compiled in memory.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import hashlib
import importlib.metadata
import multiprocessing
import os
import pickle
import sys
import tempfile
import time
import types
from pathlib import Path

import llvmlite
import numba
import numpy as np
from numba.core import config, event, sigutils
from numba.core.compiler import CompileResult
from numba.core.dispatcher import Dispatcher
from numba.core.serialize import dumps

from pelplug.execution.compile_events import begin, end

__all__ = ["KernelCache", "cache_folder", "check_folder", "content_of"]

_FORMAT = 1  # a new number where kernels are compiled otherwise than before, from the same code
_KEPT = 90 * 86400  # seconds for which a kernel that nobody loads is kept
_SAID = "PELPLUG_KERNELS_IN_MEMORY"  # set for this process and its children when the user has been told
_LIBRARIES = frozenset({"numba", "numpy", "llvmlite", "math", "cmath", "operator", "builtins"})
_PLAIN = bool | int | float | complex | str | bytes | np.generic | np.dtype
_SETTINGS = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "BOUNDSCHECK", "DEBUGINFO_DEFAULT", "DISABLE_INTEL_SVML")


def cache_folder() -> Path | None:
    """Return where kernels are kept: below NUMBA_CACHE_DIR if that is set, else in the user's cache folder.

    Returns
    -------
    pathlib.Path or None
        None where there is no home. The folder need not exist.
    """
    root = config.CACHE_DIR
    if not root:
        import platformdirs  # where it is missing kernels can still be compiled, as benchmarks/gpu.py does

        root = platformdirs.user_cache_dir("pelplug", appauthor=False)
    if not config.CACHE_DIR and not os.path.isabs(root):  # a user without an entry and without HOME
        return None
    return Path(os.path.abspath(root)) / "kernels" / f"{_versions()[0]}-numba-{numba.__version__}"


def check_folder() -> None:
    """Say, once, that kernels cannot be kept, before worker processes find out, each for itself."""
    folder = cache_folder()
    with contextlib.suppress(OSError):
        if folder is not None and any(folder.iterdir()):  # filled by somebody, such as who made a container's image
            return
    try:
        if folder is None:
            raise FileNotFoundError(2, "there is no home folder")
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        _say(folder, error)


class KernelCache:
    """What a numba dispatcher asks for compiled code, in place of `numba.core.caching.FunctionCache`.

    Parameters
    ----------
    dispatcher : numba.core.dispatcher.Dispatcher
        The compiled function.
    """

    def __init__(self, dispatcher):
        self._dispatcher = dispatcher
        self._enabled = True

    @property
    def cache_path(self) -> str:
        """The folder, for `Dispatcher.stats`."""
        return str(cache_folder())

    def enable(self) -> None:
        """Read and write files."""
        self._enabled = True

    def disable(self) -> None:
        """Leave files alone."""
        self._enabled = False

    def flush(self) -> None:
        """Remove the files of this function in every version."""
        if (folder := cache_folder()) is not None:
            for path in folder.glob(f"*/{self._name()}-*.nbc"):
                path.unlink(missing_ok=True)

    def load_overload(self, sig, target_context):
        """Return the compiled function for a signature, None if it has to be compiled."""
        target_context.refresh()
        path = self._path(sig, target_context.codegen())
        if path is None:
            return None
        try:
            content = path.read_bytes()
            digest, payload = content[:32], content[32:]
            if hashlib.sha256(payload).digest() != digest:
                return None
            result = CompileResult._rebuild(target_context, *pickle.loads(payload))
        except Exception:  # a file that is missing, or was written by who knows what
            return None
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > 86400:
                os.utime(path)
        return result

    def save_overload(self, sig, data) -> None:
        """Keep a compiled function."""
        if data.lifted or data.library.has_dynamic_globals:
            return
        path = self._path(sig, data.codegen)
        folder = cache_folder()
        if path is None:
            if self._enabled and folder is None:
                _say(folder, None)
            return
        try:
            payload = dumps(data._reduce())
        except Exception:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, hashlib.sha256(payload).digest() + payload)
        except OSError as error:
            _say(folder, error)
        else:
            _remove_old(path.parent)

    def _name(self) -> str:
        function = self._dispatcher.py_func
        return f"{function.__module__}.{function.__qualname__}".replace("<locals>.", "")[-120:]

    def _path(self, sig, codegen) -> Path | None:
        folder = cache_folder()
        if not self._enabled or folder is None:
            return None
        machine = codegen.magic_tuple()
        text = str(sigutils.normalize_signature(sig))
        if " at 0x" in text:  # a type that this process made
            return None
        try:
            code = _Content().of(self._dispatcher)
        except _UnknownError:
            return None
        key = repr((_FORMAT, _versions(), machine, [getattr(config, name, None) for name in _SETTINGS], text, code))
        processor = f"{machine[1]}-{_hash(repr(machine))[:12]}"
        return folder / processor / f"{self._name()}-{_hash(key)[:32]}.nbc"


class _Compilations(event.Listener):
    """Passes on what numba says when it compiles."""

    def on_start(self, event) -> None:
        begin()

    def on_end(self, event) -> None:
        end()


event.register("numba:compile", _Compilations())


def content_of(value, versioned: bool = True) -> str | None:
    """Return the SHA-256 of what functions and numbers are made of, and of the versions they run on.

    Parameters
    ----------
    value : object
        Functions with all that they call and use, numbers, texts, arrays, and lists, tuples and dictionaries of these.
    versioned : bool
        Whether the versions count: not for what is recorded to last.

    Returns
    -------
    str or None
        None where something has no name that survives the process.
    """
    try:
        return _hash(repr((_versions() if versioned else (), _Content().of(value))))
    except (_UnknownError, ValueError):
        return None


class _UnknownError(Exception):
    """A kernel uses something that has no name which survives the process."""


class _Content:
    """All that a kernel's machine code is made of: its code, the functions it calls and the constants it uses.

    numba looks at the file that holds the kernel; a function or constant of another file may change unnoticed.
    """

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}

    def of(self, value):
        """Describe a value by what has a ``repr`` that is the same in every process."""
        if value is None or value is ... or isinstance(value, _PLAIN):
            return type(value).__name__, repr(value)
        if isinstance(value, tuple | list):
            return type(value).__name__, [self.of(item) for item in value]
        if isinstance(value, set | frozenset):
            return "set", sorted(repr(self.of(item)) for item in value)
        if isinstance(value, dict):
            return "dict", sorted(repr((self.of(key), self.of(item))) for key, item in value.items())
        if isinstance(value, np.ndarray) and not value.dtype.hasobject:
            return "array", str(value.dtype), value.shape, hashlib.sha256(value.tobytes()).hexdigest()
        if isinstance(value, types.CodeType):
            return "code", self._code(value)
        if isinstance(value, types.ModuleType):
            return "module", value.__name__
        if isinstance(value, types.BuiltinFunctionType | type | np.ufunc | numba.types.Type):
            return "name", str(value).partition(" at 0x")[0]
        if id(value) in self._seen:
            return "again", self._seen[id(value)]
        self._seen[id(value)] = len(self._seen)
        if isinstance(value, Dispatcher):
            return "compiled", self.of(value.targetoptions), self.of(value.py_func)
        if isinstance(value, types.FunctionType):
            return self._function(value)
        raise _UnknownError(repr(value))

    def _function(self, function):
        name = (function.__module__, function.__qualname__)
        if _is_library(function.__module__):
            return name
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        used = [self.of(value) for value in self._globals(function.__code__, function.__globals__)]
        return name, self._code(function.__code__), self.of(function.__defaults__), self.of(cells), used

    def _code(self, code: types.CodeType):
        names = (code.co_names, code.co_varnames, code.co_freevars, code.co_argcount, code.co_flags)
        return code.co_code.hex(), self.of(code.co_consts), names

    def _globals(self, code: types.CodeType, scope: dict):
        """Return what a function finds in its module, and in modules it names."""
        found = []
        for name in [i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL"]:
            if name in scope:
                value = scope[name]
                found.append(value)
                if isinstance(value, types.ModuleType) and not _is_library(value.__name__):
                    found.extend(getattr(value, part) for part in code.co_names if hasattr(value, part))
        for inner in code.co_consts:
            if isinstance(inner, types.CodeType):
                found.extend(self._globals(inner, scope))
        return found


def _is_library(module: str | None) -> bool:
    return (module or "").partition(".")[0] in _LIBRARIES


@functools.cache
def _versions() -> tuple[str, ...]:
    try:
        own = importlib.metadata.version("pelplug")
    except importlib.metadata.PackageNotFoundError:
        own = "0"
    return own, numba.__version__, llvmlite.__version__, np.__version__, sys.version, getattr(sys, "abiflags", "")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Put a file in place at once, so that no other process sees a part of it."""
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


@functools.cache
def _remove_old(folder: Path) -> None:
    """Remove what no process has loaded for months, once in each process that writes."""
    now = time.time()
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if entry.name.endswith((".nbc", ".tmp")) and now - entry.stat().st_mtime > _KEPT:
                os.unlink(entry.path)


def _say(folder: Path | None, error: OSError | None) -> None:
    """Tell the user once; workers leave it to the process that started them."""
    if os.environ.get(_SAID) or multiprocessing.parent_process() is not None:
        return
    os.environ[_SAID] = "said"
    place = "there is no home folder" if folder is None else f"{folder} cannot be written"
    reason = f" ({error.strerror or error})" if folder is not None and error is not None else ""
    print(
        f"pelplug: kernels are compiled in memory, since {place}{reason}; set NUMBA_CACHE_DIR to a folder that can be "
        "written, and they are compiled once for all.",
        file=sys.stderr,
    )
