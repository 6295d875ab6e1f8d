"""python: a potential that stands in a Python file of the user's own, or in an installed module."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType
from typing import Any

from pelplug.core.checksum import checksum
from pelplug.core.parameters import closest
from pelplug.core.python_files import load_file, split_file
from pelplug.errors import InputError, reason_of
from pelplug.potentials.base import Potential
from pelplug.potentials.given import as_potential
from pelplug.potentials.provider import Provider

__all__ = ["PythonProvider"]

_WANTED = "a class below pelplug.Potential, or a function f(configuration) that returns the energy and the forces"


class PythonProvider(Provider):
    """Loads a potential, or a function of a configuration, from a Python file."""

    name = "python"
    summary = "a class or function of your own Python file, or of a module"
    takes = "FILE.py[:NAME]"

    def potential(self, file: str) -> Potential:
        """Return what a file defines: the one potential in it, or that of a name.

        Parameters
        ----------
        file : str
            ``"calc.py"``, ``"calc.py:NAME"`` or ``"package.module:NAME"``. NAME is a `Potential`, a class of them or a
            function that makes one, both called without arguments, or a function of a configuration.

        Raises
        ------
        InputError
            If the file is not there, fails, or does not define one potential of that name.
        """
        split = split_file(file)
        path, name = split or ((file, "") if ":" not in file else tuple(file.rsplit(":", 1)))
        module = load_file(path) if split else _imported(path)
        found, name = _named(module, name, path)
        source = {"provider": self.name, "file": path.replace("\\", "/").rpartition("/")[2], "name": name}
        if (at := getattr(module, "__file__", None)) is not None:
            source["sha256"] = checksum(at).rpartition(":")[2]
        if inspect.isfunction(found) and not _required(found):
            found = _called(found, name, path)
        return as_potential(found, source)


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise InputError(f"The module {name} cannot be imported: {reason_of(error)}.") from error
        raise InputError(
            f"There is no module {name}; a file is given with its ending, as python:calc.py, and a module has to be "
            "installed (or on PYTHONPATH)."
        ) from None
    except Exception as error:
        raise InputError(
            f"The module {name} cannot be imported: {type(error).__name__}: {reason_of(error)}."
        ) from error


def _named(module: ModuleType, name: str, path: str) -> tuple[Any, str]:
    """Return what is called so in a module, or the one potential in it, and its name."""
    found = _candidates(module)
    if name:
        if (value := getattr(module, name, None)) is None:
            hint = closest(name, [one for one in vars(module) if not one.startswith("_")])
            raise InputError(f"{path} defines no {name}{hint or _choice(path, found)}.")
        return value, name
    if not found:
        raise InputError(f"{path} defines no potential; write {_WANTED}.")
    if len(found) > 1:
        raise InputError(f"{path} defines several potentials{_choice(path, found)}.")
    return found.popitem()[::-1]


def _choice(path: str, found: dict[str, Any]) -> str:
    names = ", ".join(f"python:{path}:{name}" for name in found)
    return f"; it has {', '.join(found)}, so give one of {names}" if found else f"; write {_WANTED}"


def _candidates(module: ModuleType) -> dict[str, Any]:
    """Return the potentials of a module: objects, else classes, else functions of a configuration."""
    own = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    objects = {name: value for name, value in own.items() if isinstance(value, Potential)}
    here = {name: value for name, value in own.items() if getattr(value, "__module__", None) == module.__name__}
    classes = {
        name: value
        for name, value in here.items()
        if inspect.isclass(value) and issubclass(value, Potential) and not inspect.isabstract(value)
    }
    functions = {
        name: value
        for name, value in here.items()
        if inspect.isfunction(value) and _required(value) == ["configuration"]
    }
    return objects or classes or functions


def _required(function) -> list[str]:
    """Return the names of the arguments that must be given."""
    return [
        name
        for name, one in inspect.signature(function).parameters.items()
        if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]


def _called(factory, name: str, path: str) -> Any:
    try:
        return factory()
    except Exception as error:
        raise InputError(f"{name} of {path} fails: {type(error).__name__}: {reason_of(error)}.") from error
