"""Whether what a plugin hands over keeps its contract."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from pelplug.core.entry_points import NAME_PATTERN
from pelplug.core.fields import Field, Need
from pelplug.core.parameters import closest

__all__ = [
    "analysis_class",
    "check_analysis_contract",
    "check_engine_contract",
    "check_exporter_contract",
    "check_form_contract",
    "check_model_contract",
    "check_provider_contract",
    "check_reader_contract",
    "check_study_contract",
]


def analysis_class(item: Any) -> Any:
    """Return the class that a function under `pelplug.analysis` carries; anything else as it is."""
    made = None if isinstance(item, type | ModuleType) else inspect.getattr_static(item, "analysis", None)
    return made if isinstance(made, type) else item


def check_analysis_contract(cls: Any) -> None:
    """Raise TypeError with one sentence if `cls` does not keep the contract of an analysis."""
    from pelplug.tasks.analysis import Analysis

    where = _check_task(cls, Analysis)
    if not isinstance(cls.needs, Need):
        raise TypeError(f"{where} must set needs to pelplug.Need flags, not {cls.needs!r}")
    dims = {dim for field in cls.provides.values() for dim in field.dims}
    for name in cls.provides:
        if name in dims or name in ("frame", "step", "time"):
            raise TypeError(f"{where} cannot call a variable {name!r}: that is a dimension, or not a name")
    if cls.reads_frames and cls.compute is Analysis.compute:
        raise TypeError(f"{where} has no compute(); write it, or set reads_frames = False")
    cls.parameter_specs()


def check_study_contract(cls: Any) -> None:
    """Raise TypeError with one sentence if `cls` does not keep the contract of a study."""
    from pelplug.tasks.mixing import CONDITIONS
    from pelplug.tasks.study import Study

    where = _check_task(cls, Study)
    if inspect.isabstract(cls):
        raise TypeError(f"{where} lacks {', '.join(sorted(cls.__abstractmethods__))}()")
    for attribute in ("needs", "varies", "allows"):
        for name in _texts(cls, attribute, where):
            if attribute == "varies" and re.fullmatch(r"[a-z0-9-]+\.[a-z]\w*", name):
                continue  # a parameter of an analysis
            if name not in CONDITIONS:
                near = closest(name, CONDITIONS) or f"; there are {', '.join(CONDITIONS)}"
                raise TypeError(f"{where} names {name!r} in {attribute}, which is no condition{near}")
    if odd := [name for name in _texts(cls, "takes", where) if name in cls.uses]:
        raise TypeError(f"{where} takes {odd[0]!r}, which it uses already; name it once")
    if odd := [name for name in _texts(cls, "compares", where) if name not in cls.varies]:
        raise TypeError(f"{where} compares {odd[0]!r}, which is not among those that it says may vary")
    if odd := [name for name in _texts(cls, "prints", where) if name not in cls.provides]:
        raise TypeError(f"{where} prints {odd[0]!r}, which is not among the variables that it provides")
    dims = {dim for field in cls.provides.values() for dim in field.dims}
    for name, field in cls.provides.items():
        if field.ragged:
            raise TypeError(f"{where} declares {name!r} ragged, which variables of frames are alone")
        if name in dims and field.dims != (name,):
            raise TypeError(f"{where} calls {name!r} what is a dimension; a coordinate has that one alone, ({name!r},)")
    cls.parameter_specs()


def _check_task(cls: Any, base: type[Any]) -> str:
    """Check what an analysis and a study have in common, and return what the class is called in a sentence."""
    given = cls
    if not (isinstance(given, type) and issubclass(given, base)):
        raise TypeError(f"{cls!r} is not a subclass of pelplug.{base.__name__}")
    where = f"the class {cls.__name__}"
    if not (isinstance(cls.name, str) and NAME_PATTERN.fullmatch(cls.name)):
        raise TypeError(f"{where} has the name {cls.name!r}; use lower-case words joined by hyphens")
    if not (isinstance(cls.summary, str) and cls.summary.strip()):
        raise TypeError(f"{where} has no summary")
    for attribute in ("uses", "cites"):
        _texts(cls, attribute, where)
    if not isinstance(cls.provides, Mapping) or not cls.provides:
        raise TypeError(f"{where} must declare its variables in provides")
    for name, field in cls.provides.items():
        if not isinstance(field, Field):
            raise TypeError(f"{where} must give provides[{name!r}] as a pelplug.Field, not {field!r}")
        if not str(name).isidentifier():
            raise TypeError(f"{where} cannot call a variable {name!r}: that is a dimension, or not a name")
    parameters = inspect.signature(inspect.unwrap(cls.__init__)).parameters.values()
    if cls.__init__ is not base.__init__ and not any(one.kind is one.VAR_KEYWORD for one in parameters):
        raise TypeError(f"the __init__ of {cls.__name__} must take **base and pass it on to super().__init__")
    return where


def _texts(cls: type, attribute: str, where: str) -> tuple[str, ...]:
    value = getattr(cls, attribute)
    if isinstance(value, str) or not all(isinstance(entry, str) for entry in value):
        raise TypeError(f"{where} must set {attribute} to a tuple of strings, not {value!r}")
    return tuple(value)


def check_model_contract(item: Any) -> None:
    """Raise TypeError with one sentence if `item` does not keep the contract of a model."""
    from pelplug.models.base import Model

    if not (isinstance(item, type) and issubclass(item, Model)):
        raise TypeError(f"{item!r} is not a subclass of pelplug.Model")
    if inspect.isabstract(item):
        raise TypeError(f"{item.__name__} lacks {', '.join(sorted(item.__abstractmethods__))}")
    _check_name(item)
    if isinstance(item.aliases, str):
        raise TypeError(f"the aliases of {item.name} must be a tuple of strings")
    item.parameter_specs()


def check_form_contract(item: Any) -> None:
    """Raise TypeError with one sentence if `item` does not keep the contract of a functional form."""
    from pelplug.potentials.form import Form

    if not isinstance(item, Form):
        raise TypeError(f"{item!r} is not a pelplug.Form")
    _check_name(item)


def check_provider_contract(item: Any) -> None:
    """Raise TypeError with one sentence if `item` does not keep the contract of a provider of potentials."""
    from pelplug.potentials.form import Form
    from pelplug.potentials.provider import Provider

    if isinstance(item, Form):
        raise TypeError(
            "functional forms moved to the hook pelplug_forms; give the function pelplug_potentials, which returned "
            "them, that name"
        )
    if not (isinstance(item, type) and issubclass(item, Provider)):
        raise TypeError(f"{item!r} is not a subclass of pelplug.Provider")
    if inspect.isabstract(item):
        raise TypeError(f"{item.__name__} lacks {', '.join(sorted(item.__abstractmethods__))}")
    _check_name(item)
    if not (isinstance(getattr(item, "summary", None), str) and item.summary.strip()):
        raise TypeError(f"the provider {item.name} has no summary")
    item.parameter_specs()


def check_engine_contract(item: Any) -> None:
    """Raise TypeError with one sentence if `item` does not keep the contract of a simulation engine."""
    _check_name(item)
    for method in ("available", "status", "session"):
        if not callable(getattr(item, method, None)):
            raise TypeError(f"the engine {item.name} has no {method}(); derive it from pelplug.Engine")
    if callable(specs := getattr(item, "parameter_specs", None)):
        specs()


def check_reader_contract(item: Any) -> None:
    """Raise TypeError with one sentence if `item` does not keep the contract of a reader."""
    from pelplug.trajectories.readers.formats import holder
    from pelplug.trajectories.readers.reader import Reader

    if not (isinstance(item, type) and issubclass(item, Reader)):
        raise TypeError(f"{item!r} is not a subclass of pelplug.Reader")
    if inspect.isabstract(item):
        raise TypeError(f"{item.__name__} lacks {', '.join(sorted(item.__abstractmethods__))}")
    _check_name(item)
    if not (isinstance(item.summary, str) and item.summary.strip()):
        raise TypeError(f"the reader {item.name} has no summary")
    suffixes = _texts(item, "suffixes", f"the reader {item.name}")
    if wrong := [one for one in suffixes if not re.fullmatch(r"\.[a-z0-9_+-]+", one)]:
        raise TypeError(f"the reader {item.name} has the ending {wrong[0]!r}; write endings as '.particles'")
    if not suffixes and item.recognises.__func__ is Reader.recognises.__func__:
        raise TypeError(f"the reader {item.name} has no suffixes and no recognises(), so that no file is its")
    if whose := holder(item.name.upper()):
        raise TypeError(f"the name {item.name!r} of a reader is taken, {whose} reads a format of that name")
    for suffix in suffixes:
        if whose := holder("", suffix):
            raise TypeError(f"the ending {suffix!r} of the reader {item.name} is taken, {whose} reads files with it")


def check_exporter_contract(item: Any) -> None:
    """Raise TypeError with one sentence if `item` does not keep the contract of an exporter."""
    from pelplug.files.exporters import BUNDLED

    _check_name(item)
    suffixes = getattr(item, "suffixes", None)
    if isinstance(suffixes, str) or not suffixes or not all(str(suffix).startswith(".") for suffix in suffixes):
        raise TypeError(f"the exporter {item.name} must have suffixes such as ('.vtk',)")
    if not callable(getattr(item, "export", None)):
        raise TypeError(f"the exporter {item.name} has no export(datasets, trajectory, path)")
    for own in (one for one in BUNDLED if one is not item):
        if shared := [suffix for suffix in suffixes if suffix.lower() in own.suffixes]:
            raise TypeError(f"the ending {shared[0]!r} of the exporter {item.name} is taken, pelplug writes such files")


def _check_name(item: Any) -> None:
    name = getattr(item, "name", None)
    if not (isinstance(name, str) and NAME_PATTERN.fullmatch(name)):
        raise TypeError(f"{item!r} has the name {name!r}; use lower-case words joined by hyphens")
