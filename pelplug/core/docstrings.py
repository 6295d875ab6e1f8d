"""Words for declared parameters: one line each for help and pages, and the part "Parameters" of docstrings."""

from __future__ import annotations

import inspect
import os
import pathlib
import re
import textwrap
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Union

from pelplug.core.parameters import ParameterSpec

__all__ = ["default_of", "entry_of", "explanation", "listing", "with_parameters"]

_WIDTH = 116
_SECTION = re.compile(r"^([A-Z][A-Za-z ]+)\n-{3,}$", re.MULTILINE)


def explanation(spec: ParameterSpec) -> str:
    """Return all that is said of a parameter, its range and unit too, without a full stop."""
    words = spec.help[:1].upper() + spec.help[1:].rstrip(".")
    limits = [text for text in (spec.bounds, f"in units of {spec.unit}" if spec.unit else "") if text]
    return f"{words} ({', '.join(limits)})" if limits else words


def default_of(spec: ParameterSpec) -> str:
    """Return the default of a parameter as it would be given on the command line."""
    if spec.required:
        return "required"
    if isinstance(spec.default, (tuple, list, dict)):
        return ",".join(map(str, spec.default)) or "none"
    return "none" if spec.default is None or spec.default == "" else str(spec.default)


def listing(specs: Mapping[str, ParameterSpec], values: Mapping[str, Any] | None = None) -> list[str]:
    """Return a line for each parameter: its value where there are some, what it is, which values it takes."""
    return [
        f"{name}{'' if values is None else f' = {values[name]}'}: {explanation(spec)} "
        f"[{spec.metavar}, {default_of(spec) if spec.required else f'default {default_of(spec)}'}]"
        for name, spec in specs.items()
    ]


def with_parameters(
    docstring: str, specs: Mapping[str, ParameterSpec], first: Iterable[str] = (), last: Iterable[str] = ()
) -> str:
    """Return a numpydoc docstring with its parameters described; one that has the section already stays as it is.

    Parameters
    ----------
    docstring : str
        Of the class; the section goes before its first other one.
    specs : dict of str to ParameterSpec
        The declared parameters.
    first, last : iterable of str, optional
        Entries, name line and text, that stand before and after those of `specs`.
    """
    text = inspect.cleandoc(docstring)
    sections = list(_SECTION.finditer(text))
    if any(found[1] == "Parameters" for found in sections):
        return text
    body = "\n".join(["Parameters", "----------", *first, *map(entry_of, specs.values()), *last])
    at = sections[0].start() if sections else len(text)
    return "\n\n".join(part for part in (text[:at].rstrip(), body, text[at:]) if part)


def entry_of(spec: ParameterSpec) -> str:
    """Return the lines of a docstring on a parameter: name, type, default, and what is said of it."""
    kind = "{" + ", ".join(map(_quoted, spec.choices)) + "}" if spec.choices else _name(spec.type)
    head = f"{spec.name} : {kind}" if spec.required else f"{spec.name} : {kind}, default {_quoted(spec.default)}"
    text = f"{explanation(spec)}. {spec.param.details}".rstrip()
    return f"{head}\n" + textwrap.fill(text, _WIDTH, initial_indent="    ", subsequent_indent="    ")


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _name(kind: Any) -> str:
    """Return a type as docstrings name it: ``"auto" or float``, ``tuple of int``."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(map(_name, inner))
    if origin is Literal:
        return " or ".join(map(_quoted, inner))
    if origin is dict:
        return "dict"
    if origin in (tuple, list):
        kinds = [_name(kind) for kind in inner if kind is not Ellipsis]
        return f"{origin.__name__} of {kinds[0] if len(set(kinds)) == 1 else '(' + ', '.join(kinds) + ')'}"
    names = {pathlib.Path: "path", os.PathLike: "path_like", dict: "mapping", Any: "object", type(None): "None"}
    return names.get(origin or kind, getattr(kind, "__name__", str(kind)))
