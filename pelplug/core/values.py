"""The kinds of value that a parameter may have: read from text or Python, named in words, taken apart into numbers."""

from __future__ import annotations

import numbers
import os
import pathlib
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, Union

__all__ = ["convert", "is_supported", "members", "numbers_in", "type_in_words"]

_SIMPLE = {bool: "BOOLEAN", int: "INTEGER", float: "NUMBER", str: "TEXT", pathlib.Path: "PATH"}
_WORDS = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "text",
    pathlib.Path: "a path",
    type(None): "none",
    Any: "anything",
}


def members(kind: Any) -> tuple:
    """Return the members of a union, or the kind itself alone."""
    return typing.get_args(kind) if typing.get_origin(kind) in (Union, types.UnionType) else (kind,)


def is_supported(kind: Any) -> bool:
    """Return whether values of this kind can be read."""
    origin = typing.get_origin(kind)
    if origin is dict:
        return typing.get_args(kind) == (str, Any)
    if origin in (tuple, list):
        inner = [entry for entry in typing.get_args(kind) if entry is not Ellipsis]
        return bool(inner) and all(all(is_supported(member) for member in members(entry)) for entry in inner)
    return kind in (*_WORDS, Any) or origin is Literal


def type_in_words(kind: Any, words: bool = False) -> str:
    """Return what ``--help`` writes for a value of this kind, or the words for it in a sentence."""
    parts = members(kind)
    if len(parts) > 1:
        if not words:
            parts = tuple(part for part in parts if part is not type(None))
        return (" or " if words else "|").join(type_in_words(part, words) for part in parts)
    origin = typing.get_origin(kind)
    if origin is Literal:
        return (" or " if words else "|").join(str(value) for value in typing.get_args(kind))
    if origin is dict:
        return "pairs key=value with commas between them, each key once" if words else "KEY=VALUE"
    if origin in (tuple, list):
        inner = typing.get_args(kind)
        if origin is list or Ellipsis in inner:
            one = type_in_words(inner[0], words)
            return f"a comma-separated list, each {one}" if words else f"{one},..."
        each = ", ".join(type_in_words(entry, words) for entry in inner)
        return f"{len(inner)} values ({each})" if words else each.replace(" ", "")
    return _WORDS[kind] if words else _SIMPLE.get(kind, "VALUE")


def numbers_in(value: Any) -> list:
    """Return the numbers in a value, those of a sequence one by one."""
    if isinstance(value, tuple | list):
        return [number for entry in value for number in numbers_in(entry)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []


def convert(value: Any, kind: Any) -> Any:
    """Return `value` as `kind`; raise TypeError or ValueError if it is not one."""
    parts = members(kind)
    if len(parts) > 1:
        if isinstance(value, str) and not value and {str, pathlib.Path} & set(parts):
            return convert(value, str if str in parts else pathlib.Path)  # an empty text is not "none"
        # Narrow members first, so that "all" is not taken as text nor "3" as a word.
        order = sorted(parts, key=lambda part: {str: 3, pathlib.Path: 3, float: 2}.get(part, 1))
        for part in order:
            try:
                return convert(value, part)
            except (TypeError, ValueError, OverflowError):
                continue
        raise ValueError(value)
    origin = typing.get_origin(kind)
    if kind is Any:  # whoever uses it checks it
        return value
    if origin is Literal:
        return _convert_choice(value, typing.get_args(kind))
    if origin is dict:
        return _convert_mapping(value)
    if origin in (tuple, list):
        return _convert_sequence(value, origin, typing.get_args(kind))
    return _CONVERTERS[kind](value)


def _convert_choice(value: Any, choices: tuple) -> Any:
    for choice in choices:
        if isinstance(value, str):
            if value == str(choice):
                return choice
        elif _is_bool(value) == isinstance(choice, bool) and value == choice:
            return choice
    raise ValueError(value)


def _convert_mapping(value: Any) -> dict[str, Any]:
    """Read ``{"a": 1}``, ``"a=1,b=2"`` or ``("a=1", "b=2")``; what the values may be is for whoever has the names."""
    if isinstance(value, Mapping):
        return {_to_str(key): entry for key, entry in value.items()}
    texts = [value] if isinstance(value, str) else list(value)
    result: dict[str, Any] = {}
    for text in (part.strip() for one in texts for part in re.split(r",(?=[^,=]*=)", _to_str(one))):
        name, sign, entry = (part.strip() for part in text.partition("="))
        if text and not (name and sign and entry):
            raise ValueError(text)
        if text and result.setdefault(name, entry) != entry:
            raise ValueError(text)
    return result


def _convert_sequence(value: Any, origin: type, inner: tuple) -> Any:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")] if value.strip() else []
    entries = list(value)
    if origin is list or Ellipsis in inner:
        return origin(convert(entry, inner[0]) for entry in entries)
    if len(entries) != len(inner):
        raise ValueError(value)
    return tuple(convert(entry, one) for entry, one in zip(entries, inner, strict=True))


def _is_bool(value: Any) -> bool:
    return type(value).__name__ in ("bool", "bool_")  # numpy's too, without importing numpy


def _to_bool(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "yes", "on", "1", "false", "no", "off", "0"):
        return value.lower() in ("true", "yes", "on", "1")
    if _is_bool(value):
        return bool(value)
    raise TypeError(value)


def _to_int(value: Any) -> int:
    if _is_bool(value):
        raise TypeError(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            value = float(value)  # 1e5 is a fine way to write 100000
    if isinstance(value, numbers.Real) and float(value).is_integer() and abs(value) < 2**53:
        return int(value)
    raise ValueError(value)


def _to_float(value: Any) -> float:
    if _is_bool(value) or not isinstance(value, str | numbers.Real):
        raise TypeError(value)
    return float(value)


def _to_str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return str(value)


def _to_path(value: Any) -> pathlib.Path:
    if not os.fspath(value):
        raise ValueError(value)
    return pathlib.Path(value)


def _to_none(value: Any) -> None:
    if value is not None and not (isinstance(value, str) and value.lower() in ("none", "")):
        raise ValueError(value)


_CONVERTERS = {
    bool: _to_bool,
    int: _to_int,
    float: _to_float,
    str: _to_str,
    pathlib.Path: _to_path,
    type(None): _to_none,
}
