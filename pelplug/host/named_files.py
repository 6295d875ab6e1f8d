"""Analyses in a Python file that a user names, ``--plugin ./mine.py``: a plugin without packaging."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Container, Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pelplug.core.parameters import closest
from pelplug.core.python_files import file_of, load_file, split_file
from pelplug.errors import InputError
from pelplug.host.checks import analysis_class
from pelplug.host.discovery import PluginRecord
from pelplug.host.hookspecs import hookimpl

if TYPE_CHECKING:
    import xarray as xr

    from pelplug.host.registry import Registry
    from pelplug.tasks.analysis import Analysis

__all__ = ["analyses_in", "holder_of", "register_file", "take_files"]


def take_files(names: Iterable[str | os.PathLike], registry: Registry) -> list[str]:
    """Return the names of analyses; those of files, ``mine.py`` or ``mine.py:NAME``, are registered as they are now.

    Parameters
    ----------
    names : iterable of str or path
        Names of analyses, or Python files; the name of an analysis from a file stands for that file again.
    registry : Registry
        Where they are put. What a file offered before it changed goes, and so do files of an earlier call.

    Raises
    ------
    InputError
        If a file is not there, raises, has no analysis or several and none is named, or a name in it is taken.
    """
    known = {
        name: record.file.path
        for record in registry.from_files()
        for name in record.provides.get("analyses", ())
        if record.file is not None
    }
    wanted = []
    for given in names:
        if not isinstance(given, str | os.PathLike):
            raise InputError(f"{given!r} is no name of an analysis; give its name, or the file that it is in.")
        name = os.fspath(given)
        wanted.append(split_file(name) or ((known[name], name) if name in known else (None, name)))
    together = {os.path.abspath(path) for path, _ in wanted if path is not None}
    return [name if path is None else _taken(path, name, registry, together) for path, name in wanted]


def analyses_in(module: ModuleType) -> list[type[Analysis]]:
    """Return the analyses that a module defines: classes with a name, and those of decorated functions."""
    from pelplug.tasks.analysis import Analysis

    found = []
    for name, value in vars(module).items():
        cls = analysis_class(value)
        own = isinstance(cls, type) and issubclass(cls, Analysis) and cls.__module__ == module.__name__
        if own and not name.startswith("_") and cls not in found:
            found.append(cls)
    return [cls for cls in found if cls.name or not any(cls in one.__mro__[1:] for one in found)]


def holder_of(name: str, dataset: xr.Dataset, registry: Registry) -> Analysis:
    """Return the analysis that holds a result it once made, for drawing it.

    A file that a result names is run at the user's word only: where it was named to this command or in this session.

    Parameters
    ----------
    name : str
        The analysis.
    dataset : Dataset
        What it made.
    registry : Registry
        Where to look for it.

    Raises
    ------
    InputError
        If its code is needed, and not there.
    """
    path = dataset.attrs.get("plugin_file")
    if path and name not in registry.analyses():
        for module in list(sys.modules.values()):
            if (file := file_of(module)) is not None and file.path == path and file.checksum in dataset.attrs["plugin"]:
                return {cls.name: cls for cls in analyses_in(module)}[name].from_dataset(dataset)
    try:
        cls: Any = registry.analysis(name)
    except InputError:
        if "function" in dataset.attrs:
            from pelplug.tasks.from_function import FunctionAnalysis

            return FunctionAnalysis.of_result(dataset)
        if not path:
            raise
        if os.path.isfile(path):
            remedy = f"; name it (--plugin {path}:{name}, names= in Python)"
        else:
            remedy = f", and is gone; name where it is now (--plugin FILE.py:{name}, names= in Python)"
        raise InputError(f"The results of {name} were made by {path}, whose code draws them{remedy}.") from None
    return cls.from_dataset(dataset)


def _taken(path: str, name: str, registry: Registry, together: set[str]) -> str:
    record = register_file(path, registry, together)
    names = record.provides.get("analyses", [])
    if record.errors and name not in names:
        registry.unregister(record)
        raise InputError(f"{path} cannot be used as a plugin. {record.error}")
    if not names:
        registry.unregister(record)
        raise InputError(
            f"There is no analysis in {path}; write @pelplug.analysis(...) above a function of a configuration, or "
            "derive a class from pelplug.Analysis."
        )
    if name and name not in names:
        raise InputError(f"There is no analysis {name!r} in {path}{closest(name, names)}; it has {', '.join(names)}.")
    if not name and len(names) > 1:
        raise InputError(f"{path} has the analyses {', '.join(names)}; say which, as {path}:{names[0]}.")
    return name or names[0]


def register_file(path: str, registry: Registry, together: Container[str] = ()) -> PluginRecord:
    """Return the record of a file's plugin, a new one where it is not there with this content.

    Parameters
    ----------
    path : str
        The file.
    registry : Registry
        Where it is put.
    together : container of str, optional
        Absolute paths of the files that stay there beside it.

    Raises
    ------
    InputError
        If it is not there, or raises.
    """
    importlib.import_module("pelplug.execution.compile")  # numba's caching is told where before the file uses it
    module = load_file(path)
    file = file_of(module)
    assert file is not None
    for old in registry.from_files():
        if old.file == file:
            return old
    for old in registry.from_files():
        if old.file is not None and (old.file.path == file.path or old.file.path not in together):
            registry.unregister(old)
    record = registry.register(_plugin(module), path, file=file)
    registry.analyses()
    return record


def _plugin(module: ModuleType) -> ModuleType:
    """Return the hooks of a module, with one for its analyses where it has none."""
    plugin = ModuleType(module.__name__, module.__doc__)
    vars(plugin).update(
        (n, one) for n, one in vars(module).items() if n.startswith("pelplug_") and inspect.isroutine(one)
    )

    @hookimpl
    def pelplug_analyses() -> list[type[Analysis]]:
        return analyses_in(module)

    vars(plugin).setdefault("pelplug_analyses", pelplug_analyses)
    return plugin
