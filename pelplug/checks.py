"""Whether what a plugin hands over keeps its contract."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pelplug.analysis import Analysis
from pelplug.fields import Field, Need

__all__ = ["NAME_PATTERN", "check_class"]

NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def check_class(cls: object) -> None:
    """Raise TypeError with one sentence if `cls` does not keep the contract of an analysis."""
    if not (isinstance(cls, type) and issubclass(cls, Analysis)):
        raise TypeError(f"{cls!r} is not a subclass of pelplug.Analysis")
    where = f"the class {cls.__name__}"
    if not (isinstance(cls.name, str) and NAME_PATTERN.fullmatch(cls.name)):
        raise TypeError(f"{where} has the name {cls.name!r}; use lower-case words joined by hyphens")
    if not (isinstance(cls.summary, str) and cls.summary.strip()):
        raise TypeError(f"{where} has no summary")
    if not isinstance(cls.needs, Need):
        raise TypeError(f"{where} must set needs to pelplug.Need flags, not {cls.needs!r}")
    for attribute in ("uses", "cites"):
        value = getattr(cls, attribute)
        if isinstance(value, str) or not all(isinstance(entry, str) for entry in value):
            raise TypeError(f"{where} must set {attribute} to a tuple of strings, not {value!r}")
    if not isinstance(cls.provides, Mapping) or not cls.provides:
        raise TypeError(f"{where} must declare its variables in provides")
    dims = {dim for field in cls.provides.values() if isinstance(field, Field) for dim in field.dims}
    for name, field in cls.provides.items():
        if not isinstance(field, Field):
            raise TypeError(f"{where} must give provides[{name!r}] as a pelplug.Field, not {field!r}")
        if not str(name).isidentifier() or name in dims or name in ("frame", "step", "time"):
            raise TypeError(f"{where} cannot call a variable {name!r}: that is a dimension, or not a name")
    if cls.reads_frames and cls.compute is Analysis.compute:
        raise TypeError(f"{where} has no compute(); write it, or set reads_frames = False")
    cls.parameter_specs()
