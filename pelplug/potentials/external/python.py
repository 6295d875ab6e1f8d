"""python: a potential that stands in a Python file of the user's own, or in an installed module."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from pelplug.core.checksum import checksum
from pelplug.core.parameters import closest
from pelplug.core.python_files import load_file, split_file
from pelplug.errors import InputError, reason_of
from pelplug.potentials.base import Potential
from pelplug.potentials.given import as_potential
from pelplug.potentials.provider import Provider

__all__ = ["NamedObject", "PythonProvider", "made_by", "named_object", "own_objects", "required_arguments"]

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
        named = named_object(file, self.name, _candidates, "potential", _WANTED)
        found = named.value
        if inspect.isfunction(found) and not required_arguments(found):
            found = made_by(named)
        return as_potential(found, named.source)


class NamedObject(NamedTuple):
    """What a Python file or a module has of some name.

    Attributes
    ----------
    value : object
    name, path : str
        How it is called there, and where it stands: as it was given.
    source : dict
        What it is recorded by: provider, file, name and the SHA-256 of the file.
    """

    value: Any
    name: str
    path: str
    source: dict[str, str]


def named_object(
    file: str, provider: str, candidates: Callable[[ModuleType], dict[str, Any]], noun: str, wanted: str
) -> NamedObject:
    """Return what ``FILE.py``, ``FILE.py:NAME`` or ``package.module:NAME`` stands for.

    Parameters
    ----------
    file : str
    provider : str
        Name of the provider that asks, for sentences.
    candidates : callable
        What of a module may be meant where no name is given, by name.
    noun, wanted : str
        What is looked for, in a word, and what to write, in a clause.

    Raises
    ------
    InputError
        If the file is not there or fails, has nothing of that name, or, without a name, none or several candidates.
    """
    split = split_file(file)
    path, name = split or ((file, "") if ":" not in file else tuple(file.rsplit(":", 1)))
    module = load_file(path) if split else _imported(path, provider)
    found = candidates(module)
    choice = f"; write {wanted}"
    if found:
        names = ", ".join(f"{provider}:{path}:{one}" for one in found)
        choice = f"; it has {', '.join(found)}, so give one of {names}"
    if name:
        if (value := getattr(module, name, None)) is None:
            hint = closest(name, [one for one in vars(module) if not one.startswith("_")])
            raise InputError(f"{path} defines no {name}{hint or choice}.")
    elif not found:
        raise InputError(f"{path} defines no {noun}; write {wanted}.")
    elif len(found) > 1:
        raise InputError(f"{path} defines several {noun}s{choice}.")
    else:
        name, value = found.popitem()
    source = {"provider": provider, "file": path.replace("\\", "/").rpartition("/")[2], "name": name}
    if (at := getattr(module, "__file__", None)) is not None:
        source["sha256"] = checksum(at).rpartition(":")[2]
    return NamedObject(value, name, path, source)


def _imported(name: str, provider: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise InputError(f"The module {name} cannot be imported: {reason_of(error)}.") from error
        raise InputError(
            f"There is no module {name}; a file is given with its ending, as {provider}:calc.py, and a module has to "
            "be installed (or on PYTHONPATH)."
        ) from None
    except Exception as error:
        raise InputError(
            f"The module {name} cannot be imported: {type(error).__name__}: {reason_of(error)}."
        ) from error


def own_objects(module: ModuleType) -> dict[str, Any]:
    """Return what is public in a module and was defined by it, not imported, by name."""
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    }


def _candidates(module: ModuleType) -> dict[str, Any]:
    """Return the potentials of a module: objects, else classes, else functions of a configuration."""
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    objects = {name: value for name, value in public.items() if isinstance(value, Potential)}
    here = own_objects(module)
    classes = {
        name: value
        for name, value in here.items()
        if inspect.isclass(value) and issubclass(value, Potential) and not inspect.isabstract(value)
    }
    functions = {
        name: value
        for name, value in here.items()
        if inspect.isfunction(value) and required_arguments(value) == ["configuration"]
    }
    return objects or classes or functions


def required_arguments(function: Callable) -> list[str]:
    """Return the names of the arguments that must be given."""
    return [
        name
        for name, one in inspect.signature(function).parameters.items()
        if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]


def made_by(named: NamedObject) -> Any:
    """Return what a function or class makes without arguments.

    Raises
    ------
    InputError
        If it fails.
    """
    try:
        return named.value()
    except Exception as error:
        raise InputError(f"{named.name} of {named.path} fails: {type(error).__name__}: {reason_of(error)}.") from error
