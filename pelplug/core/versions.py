"""Which code computes: versions of what is installed, and the content of what can be edited."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import inspect
import os
import platform
import sys
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pelplug.core.checksum import checksum
from pelplug.core.python_files import file_of

__all__ = ["code_of", "distribution_of", "versions"]

_LIBRARIES = ("numpy", "scipy", "numba", "MDAnalysis", "xarray", "freud-analysis", "gsd")
_COMPUTING = ("numpy", "scipy", "numba", "MDAnalysis", "freud-analysis")


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries results depend on."""
    found = {"python": platform.python_version()}
    for name in ("pelplug", *_LIBRARIES):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


@functools.cache
def distribution_of(cls: type) -> tuple[str, str]:
    """Return name and version of the distribution whose pelplug entry point leads to a class's package.

    A class that no entry point leads to (written in a notebook) gives its module's name and an empty version; one of a
    file that was named, the file's name and the SHA-256 of its content.
    """
    if (file := file_of(cls)) is not None:
        return os.path.basename(file.path), file.checksum
    package = cls.__module__.partition(".")[0]
    dist = _distribution(package)
    return (package, "") if dist is None else (dist.name, dist.version)


def code_of(*objects: Any) -> dict[str, str]:
    """Return what identifies the code of pelplug, of the libraries that compute, and of some objects' packages.

    Parameters
    ----------
    *objects
        Instances, classes or functions; None is left out. The functional form of a model or potential counts too, and
        what it is made of (``made_of``).

    Returns
    -------
    dict of str to str
        By library or package: its version and, of a package, a digest of the content of its files. Other numbers may
        come out where it differs.
    """
    found = {name: version for name, version in versions().items() if name in _COMPUTING}
    found["pelplug"] = _package("pelplug")
    for one in _with_parts(objects):
        named = one if inspect.isclass(one) or inspect.isroutine(one) else type(one)
        if (file := file_of(named)) is not None:
            found[os.path.basename(file.path)] = file.checksum
            continue
        package = (named.__module__ or "").partition(".")[0]
        if package in ("", "pelplug", "builtins", *_COMPUTING):
            continue
        if getattr(sys.modules.get(package), "__file__", None) is None and not _folders(package):
            found[f"{package}.{named.__qualname__}"] = _compiled(named)  # written in a notebook
        else:
            found[package] = _package(package)
    return found


def _with_parts(objects: Iterable[Any]) -> Iterator[Any]:
    for one in objects:
        if one is not None:
            yield one
            yield from _with_parts((getattr(getattr(one, "form", None), "function", None),))  # of a pair potential
            yield from _with_parts(getattr(one, "made_of", ()))


def _distribution(package: str) -> importlib.metadata.Distribution | None:
    if package == "pelplug":
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return importlib.metadata.distribution("pelplug")
    for entry in importlib.metadata.entry_points(group="pelplug"):
        if entry.value.partition(":")[0].partition(".")[0] == package and entry.dist is not None:
            return entry.dist
    return None


@functools.cache
def _package(package: str) -> str:
    """Return the version of a package and a digest of its files: from its list if a wheel brought them, else read."""
    dist = _distribution(package)
    digest = None if dist is None else _digest_of_record(dist, package)
    return f"{'' if dist is None else dist.version}+{(digest or _digest_of_files(package))[:16]}"


def _digest_of_record(dist: importlib.metadata.Distribution, package: str) -> str | None:
    """Return the digest of the sums that a wheel came with; None if the package does not lie where it put one."""
    with contextlib.suppress(Exception):  # a list that cannot be read is none
        files = [one for one in dist.files or () if one.hash is not None and one.parts[0] in (package, f"{package}.py")]
        main = getattr(sys.modules.get(package), "__file__", None)
        if main is not None and any(os.path.samefile(one.locate(), main) for one in files if one.suffix == ".py"):
            return hashlib.sha256("\n".join(sorted(f"{one} {one.hash.value}" for one in files)).encode()).hexdigest()
    return None


def _digest_of_files(package: str) -> str:
    digest = hashlib.sha256()
    for folder in _folders(package):
        for path in sorted(folder.rglob("*")):
            hidden = any(part == "__pycache__" or part.startswith(".") for part in path.relative_to(folder).parts)
            if not hidden and path.suffix != ".pyc" and path.is_file():
                digest.update(f"{path.relative_to(folder).as_posix()} {checksum(path)}\n".encode())
    if not _folders(package) and (file := getattr(sys.modules.get(package), "__file__", None)):
        with contextlib.suppress(OSError):
            digest.update(checksum(file).encode())
    return digest.hexdigest()


def _folders(package: str) -> list[Path]:
    return [Path(folder) for folder in getattr(sys.modules.get(package), "__path__", ())]


def _compiled(named) -> str:
    """Return a digest of what a class or function was compiled to: of one in a notebook there is no file."""
    parts = vars(named) if inspect.isclass(named) else {"": named}
    content = []
    for name, value in sorted(parts.items()):
        code = getattr(inspect.unwrap(value), "__code__", None) if callable(value) else None
        if code is not None:
            content.append((name, _content(code)))
        elif isinstance(value, int | float | str | tuple) and not name.startswith("__"):
            content.append((name, repr(value)))
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


def _content(code: types.CodeType) -> tuple:
    constants = [_content(one) if isinstance(one, types.CodeType) else repr(one) for one in code.co_consts]
    return code.co_code.hex(), constants, code.co_names
