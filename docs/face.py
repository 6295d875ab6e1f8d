"""The public names by whom they are for, as the groups of pelplug/__init__.pyi say; docs/api.md is made of them."""

from __future__ import annotations

import ast
import enum
import importlib
import inspect
import itertools
import pathlib
import re
import types

import pelplug

STUB = pathlib.Path(pelplug.__file__).with_suffix(".pyi")


def groups() -> dict[str, dict[str, list[str]]]:
    """Return the names of each part of each group, in the order of the file: ``for engines`` has one part, ``""``."""
    found: dict[str, dict[str, list[str]]] = {}
    for line in STUB.read_text(encoding="utf-8").splitlines():
        if title := re.match(r"# --- (.+)", line):
            part = found.setdefault(title[1], {}).setdefault("", [])
        elif title := re.match(r"# -- (.+)", line):
            part = next(reversed(found.values())).setdefault(title[1], [])
        elif name := re.match(r"(?:from \S+ import \w+ as )?(\w+)(?:: str)?$", line):
            part.append(name[1])
    return {group: {title: names for title, names in parts.items() if names} for group, parts in found.items()}


def directive(name: str, module: types.ModuleType = pelplug) -> str:
    """Return the directive of autodoc that documents a public name, with the members that pelplug defines."""
    value, name = getattr(module, name), f"{module.__name__}.{name}".removeprefix("pelplug.")
    if isinstance(value, str):
        return f".. data:: pelplug.{name}\n\n   The version, a str.\n"
    if isinstance(value, types.ModuleType):
        own = sorted(value.__all__, key=str.casefold) if value.__name__ == "pelplug.testing" else ()  # has a face too
        inside = "\n".join(directive(one, value) for one in own)
        return f".. automodule:: pelplug.{name}\n\n.. py:currentmodule:: None\n\n{inside}"
    if inspect.isfunction(value):
        return f".. autofunction:: pelplug.{name}\n"
    if isinstance(value, dict | tuple | list):  # says nothing of itself
        return f".. data:: pelplug.{name}\n\n   {_comment(name)}\n"
    if not inspect.isclass(value):
        return f".. autodata:: pelplug.{name}\n   :no-value:\n"
    if issubclass(value, BaseException):
        return f".. autoexception:: pelplug.{name}\n   :show-inheritance:\n"
    if issubclass(value, enum.Enum):
        return f".. autoclass:: pelplug.{name}\n   :members:\n   :undoc-members:\n"
    shown = f"   :members: {', '.join(members(value))}\n" if members(value) else ""
    return f".. autoclass:: pelplug.{name}\n{shown}"


def _comment(name: str) -> str:
    """Return what stands below a constant, where it is defined."""
    *modules, constant = ("pelplug", *name.split("."))
    home = re.search(
        rf"from (\S+) import {constant} as", STUB.parent.joinpath(*modules[1:], "__init__.pyi").read_text()
    )
    source = importlib.import_module(home[1], ".".join(modules)).__file__
    body = ast.parse(pathlib.Path(source).read_text(encoding="utf-8")).body
    (found,) = (
        after.value.value
        for before, after in itertools.pairwise(body)
        if ast.unparse(before).startswith((f"{constant} =", f"{constant}:")) and isinstance(after, ast.Expr)
    )
    return " ".join(found.split())


def members(cls: type) -> list[str]:
    """Return the public methods and properties of a class that pelplug defines, those of its bases included."""
    own = [base for base in cls.__mro__ if base.__module__.startswith("pelplug")]
    found = {name: value for base in reversed(own) for name, value in vars(base).items()}
    kinds = (types.FunctionType, classmethod, staticmethod, property)
    public = {name: value for name, value in found.items() if not name.startswith("_") or name == "__call__"}
    return [name for name, value in public.items() if isinstance(value, kinds)]


def reference(whom: str) -> str:
    """Return the Markdown of one group, by a word of its title: each part with its names, in one order."""
    (parts,) = (parts for title, parts in groups().items() if whom in title.partition(":")[0].split())
    text = []
    for title, names in parts.items():
        text += [f"### {title[:1].upper()}{title[1:]}\n"] if title else []
        text += ["```{eval-rst}", *(directive(name) for name in sorted(names, key=str.casefold)), "```\n"]
    return "\n".join(text)
