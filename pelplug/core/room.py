"""What stands in a room is found without a list: a new file or folder is all that a new thing needs."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
from types import ModuleType

__all__ = ["classes", "modules"]


def modules(room: str, inside: str | None = None) -> list[ModuleType]:
    """Import the modules of a room, in the order of their names.

    Parameters
    ----------
    room : str
        Name of a package, such as ``pelplug.models``; it may be the one that is being imported.
    inside : str, optional
        With it, what is found are the modules of this name in the folders of the room.
    """
    names = [f"{room}.{one.name}" for one in pkgutil.iter_modules(importlib.import_module(room).__path__)]
    if inside is not None:
        names = [f"{name}.{inside}" for name in names if importlib.util.find_spec(name).submodule_search_locations]
        names = [name for name in names if importlib.util.find_spec(name) is not None]
    return [importlib.import_module(name) for name in sorted(names)]


def classes(room: str, kind: type, inside: str | None = None) -> list[type]:
    """Return the complete public classes of a kind that the modules of a room define, file by file as they stand there.

    Parameters
    ----------
    room, inside : str
        See `modules`.
    kind : type
        Their base; itself and what is abstract below it are left out.
    """
    return [
        cls
        for module in modules(room, inside)
        for name, cls in vars(module).items()
        if inspect.isclass(cls) and issubclass(cls, kind) and cls.__module__ == module.__name__
        if not name.startswith("_") and not inspect.isabstract(cls)
    ]
