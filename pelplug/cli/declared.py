"""Options made of declarations, and what a declaration reads of them; no option is spelled besides."""

from __future__ import annotations

import functools
import typing
from collections.abc import Callable, Iterable

import click

from pelplug.core.arguments import Arguments
from pelplug.core.docstrings import default_of, explanation

__all__ = ["ONLY_COMMAND", "ONLY_PYTHON", "declared", "described", "stack", "taken"]

# All else is the same in both, and the names of options are those of keywords.
ONLY_COMMAND = {
    "analyze": {"output", "plot", "export", "overwrite", "quiet", "debug", "no_plugins"},
    "simulate": {"named", "quiet", "debug", "no_plugins"},
    "study": {"output", "plot", "export", "overwrite", "quiet", "debug", "no_plugins"},
}
"""What only the command has: MODEL without --model, what it makes of the result, how it talks, plugins left out."""
ONLY_PYTHON = {
    "analyze": {"store", "verbose"},
    "simulate": {"registry", "progress", "announce"},
    "study": {"registry", "store", "verbose"},
}
"""What only the function has: objects, besides the fields of declarations that have no option."""


def stack(*options: Callable) -> Callable:
    """Make one decorator of several, in the order they are to be listed."""
    return lambda function: functools.reduce(lambda inner, option: option(inner), reversed(options), function)


def declared(*groups: type[Arguments], only: Iterable[str] | None = None) -> Callable:
    """Give a command the options of declarations, or only some of them; `taken` reads what was typed."""
    specs = [spec for group in groups for spec in group.parameter_specs().values() if spec.option]
    return stack(*(_option(spec) for spec in specs if only is None or spec.name in only))


def taken(group: type[Arguments], options: dict) -> Arguments:
    """Take the values of a declaration out of those of a command and return it."""
    values = {name: options.pop(name) for name in group.parameter_specs() if name in options}
    return group(**{name: value for name, value in values.items() if value not in (None, (), False)})


def described(spec) -> dict:
    """Return what click is told of a parameter; values stay text, which the declaration reads and refuses."""
    default = default_of(spec) if spec.required else f"default: {default_of(spec)}"
    told = {"help": f"{explanation(spec)}.  [{default}]"}
    if spec.is_flag:
        return {**told, "default": None}
    return {**told, "metavar": spec.metavar, "type": str, "multiple": spec.is_mapping}


def _option(spec) -> Callable:
    flags = ([f"-{spec.param.short}"] if spec.param.short else []) + [f"--{spec.option}"]
    told = described(spec)
    if spec.required or spec.default in (None, False, ()):
        told["help"] = f"{explanation(spec)}."
    if spec.is_flag:
        told = {"help": told["help"], "is_flag": True}
    elif _is_list(spec):
        told["multiple"] = True
    return click.option(*flags, spec.name, required=spec.required, **told)


def _is_list(spec) -> bool:
    """Whether an option may be repeated: a tuple of any length."""
    return typing.get_origin(spec.type) is tuple and Ellipsis in typing.get_args(spec.type)
