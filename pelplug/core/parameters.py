"""Parameters declared once, as annotated keyword-only arguments; read here for options, help, docs and provenance."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import math
import numbers
import pathlib
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Union

from pelplug.errors import InputError

__all__ = ["Param", "ParameterSpec", "closest", "read_parameters", "unknown_parameter", "validate_parameters"]

REQUIRED = inspect.Parameter.empty

_LARGEST = 2**53  # whole numbers beyond are not all numbers in double precision


@dataclasses.dataclass(frozen=True)
class Param:
    """What a parameter means and which values it takes: ``pairs: Annotated[int, Param("how many", minimum=1)] = 100``.

    Parameters
    ----------
    help : str
        One line, shown by ``--help`` and in the docs.
    minimum, maximum : float, optional
        Smallest and largest value allowed (of each entry, for a tuple).
    exclusive_minimum, exclusive_maximum : float, optional
        The value must lie above, or below, this one.
    choices : tuple, optional
        The only values allowed.
    metavar : str, optional
        What ``--help`` writes for the value.
    unit : str, optional
        Physical dimension of the value, as ``"length"``.
    """

    help: str
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    exclusive_maximum: float | None = None
    choices: tuple | None = None
    metavar: str | None = None
    unit: str | None = None


@dataclasses.dataclass(frozen=True)
class ParameterSpec:
    """One parameter as declared in a signature.

    Attributes
    ----------
    name : str
    type : type
        The annotation without its `Param`.
    default : object
        `inspect.Parameter.empty` if the parameter must be given.
    param : Param
    """

    name: str
    type: Any
    default: Any
    param: Param

    @property
    def help(self) -> str:
        """The line that explains the parameter."""
        return self.param.help

    @property
    def required(self) -> bool:
        """True if there is no default."""
        return self.default is REQUIRED

    @property
    def choices(self) -> tuple | None:
        """The only values allowed, from `Param.choices` or a `Literal`; None if any value may be given."""
        if self.param.choices is not None:
            return tuple(self.param.choices)
        members = _members(self.type)
        if all(typing.get_origin(member) is Literal for member in members):
            return tuple(value for member in members for value in typing.get_args(member))
        return None

    @property
    def bounds(self) -> str:
        """The allowed range in words, empty if there is none."""
        param, words = self.param, []
        for limit, text in (
            (param.minimum, "at least"),
            (param.exclusive_minimum, "above"),
            (param.maximum, "at most"),
            (param.exclusive_maximum, "below"),
        ):
            if limit is not None:
                words.append(f"{text} {limit:g}")
        return " and ".join(words)

    @property
    def is_flag(self) -> bool:
        """True for a plain bool, which the command line shows as ``--name/--no-name``."""
        return self.type is bool

    @property
    def metavar(self) -> str:
        """What ``--help`` writes for the value."""
        if self.param.metavar:
            return self.param.metavar
        return "|".join(str(value) for value in self.choices) if self.choices else _describe(self.type)

    def validate(self, value: Any, owner: str = "") -> Any:
        """Return `value` (or the text of it) as the declared type.

        Raises
        ------
        InputError
            If it is of another type, out of range or not among the choices.
        """
        whose = f"The parameter {self.name}{f' of {owner}' if owner else ''}"
        try:
            result = _convert(value, self.type)
        except (TypeError, ValueError, OverflowError):
            wanted = f"one of {', '.join(map(str, self.choices))}" if self.choices else _describe(self.type, words=True)
            raise InputError(f"{whose} must be {wanted}, not {value!r}.") from None
        if self.choices is not None and result is not None and result not in self.choices:
            raise InputError(f"{whose} must be one of {', '.join(map(str, self.choices))}, not {value!r}.")
        for number in _numbers(result):
            if not self._in_range(number):
                raise InputError(f"{whose} must be {self.bounds}, not {value!r}.")
            if math.isnan(number):
                raise InputError(f"{whose} is not a number; give a value.")
            if math.isinf(number) or (isinstance(number, int) and abs(number) > _LARGEST):
                raise InputError(f"{whose} is too large, {value!r}; give a number below {_LARGEST:.0g}.")
        return result

    def _in_range(self, number) -> bool:
        param = self.param
        return not (
            (param.minimum is not None and number < param.minimum)
            or (param.maximum is not None and number > param.maximum)
            or (param.exclusive_minimum is not None and number <= param.exclusive_minimum)
            or (param.exclusive_maximum is not None and number >= param.exclusive_maximum)
        )


def read_parameters(cls: type, stop: type = object, reserved: Iterable[str] = ()) -> dict[str, ParameterSpec]:
    """Return the parameters declared by `cls` and the bases it passes ``**keywords`` on to, by name.

    Parameters
    ----------
    cls : type
        Class whose ``__init__`` declares parameters as keyword-only ``Annotated[type, Param(...)]``.
    stop : type, optional
        Base class at which to stop reading.
    reserved : iterable of str, optional
        Names that a parameter may not have.

    Raises
    ------
    TypeError
        If a parameter is not declared that way, has a reserved name or an unfit default.
    """
    specs: dict[str, ParameterSpec] = {}
    for base in cls.__mro__:
        if base is stop or base is object:
            break
        if "__init__" not in base.__dict__:
            continue
        found, passes_on = _read_init(base)
        for spec in found:
            specs.setdefault(spec.name, spec)
        if not passes_on:
            break
    for name in specs:
        if name in reserved:
            raise TypeError(f"the parameter name {name!r} is reserved by pelplug; choose another")
    return specs


def validate_parameters(specs: Mapping[str, ParameterSpec], values: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Return every parameter's value, defaults included, each as its declared type.

    Raises
    ------
    InputError
        If a name is unknown, a value unfit, or a required one missing.
    """
    for name in values:
        if name not in specs:
            raise InputError(unknown_parameter(name, specs, owner))
    result = {}
    for name, spec in specs.items():
        if name in values:
            result[name] = spec.validate(values[name], owner)
        elif spec.required:
            what = f"{owner[:1].upper()}{owner[1:]} needs the parameter {name}: {spec.help.rstrip('.')}"
            if "analysis" in owner:  # whose parameters are options; a model's are not
                what += f"; pass --{name.replace('_', '-')} ({name}= in Python)"
            raise InputError(f"{what}.")
        else:
            result[name] = spec.default
    return result


def unknown_parameter(name: str, known: Iterable[str], owner: str) -> str:
    """Word the sentence for a parameter that does not exist."""
    known = sorted(known)
    has = f"its parameters are {', '.join(known)}" if known else "it has none"
    return f"{owner[:1].upper()}{owner[1:]} has no parameter {name!r}{closest(name, known) or f'; {has}'}."


def closest(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean a or b?"`` (without the question mark's full stop) or an empty string."""
    matches = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f" (did you mean {' or '.join(matches)}?)" if matches else ""


def _read_init(cls: type) -> tuple[list[ParameterSpec], bool]:
    init = inspect.unwrap(cls.__dict__["__init__"])
    signature = inspect.signature(init)
    try:
        hints = typing.get_type_hints(init, include_extras=True)
    except Exception as error:
        raise TypeError(f"the annotations of {cls.__name__}.__init__ cannot be read ({error})") from error
    specs, passes_on = [], False
    for position, (name, parameter) in enumerate(signature.parameters.items()):
        if parameter.kind is parameter.VAR_KEYWORD:
            passes_on = True
        elif position < 2 and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:  # self, trajectory
            continue
        elif parameter.kind is not parameter.KEYWORD_ONLY:
            raise TypeError(f"the parameter {name!r} of {cls.__name__} must be keyword-only: put it after a *")
        else:
            specs.append(_spec(cls, name, hints.get(name), parameter.default))
    return specs, passes_on


def _spec(cls: type, name: str, hint: Any, default: Any) -> ParameterSpec:
    param = next((extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Param)), None)
    if param is None:
        raise TypeError(
            f"the parameter {name!r} of {cls.__name__} must be annotated as "
            f'Annotated[<type>, pelplug.Param("<help>")], so that it can be shown'
        )
    if not param.help:
        raise TypeError(f"the parameter {name!r} of {cls.__name__} has an empty help text")
    spec = ParameterSpec(name, hint.__origin__, default, param)
    if not all(_is_supported(member) for member in _members(spec.type)):
        raise TypeError(f"the parameter {name!r} of {cls.__name__} has a type pelplug cannot read: {spec.type}")
    if default is not REQUIRED:
        try:
            spec.validate(default)
        except InputError as error:
            raise TypeError(f"the default of {cls.__name__} does not fit its own declaration: {error}") from None
    return spec


_SIMPLE = {bool: "BOOLEAN", int: "INTEGER", float: "NUMBER", str: "TEXT", pathlib.Path: "PATH"}
_WORDS = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "text",
    pathlib.Path: "a path",
    type(None): "none",
}


def _members(kind: Any) -> tuple:
    return typing.get_args(kind) if typing.get_origin(kind) in (Union, types.UnionType) else (kind,)


def _is_supported(kind: Any) -> bool:
    origin = typing.get_origin(kind)
    if origin in (tuple, list):
        inner = [entry for entry in typing.get_args(kind) if entry is not Ellipsis]
        return bool(inner) and all(all(_is_supported(member) for member in _members(entry)) for entry in inner)
    return kind in _WORDS or origin is Literal


def _describe(kind: Any, words: bool = False) -> str:
    members = _members(kind)
    if len(members) > 1:
        if not words:
            members = tuple(member for member in members if member is not type(None))
        return (" or " if words else "|").join(_describe(member, words) for member in members)
    origin = typing.get_origin(kind)
    if origin is Literal:
        return (" or " if words else "|").join(str(value) for value in typing.get_args(kind))
    if origin in (tuple, list):
        inner = typing.get_args(kind)
        if origin is list or Ellipsis in inner:
            one = _describe(inner[0], words)
            return f"a comma-separated list, each {one}" if words else f"{one},..."
        each = ", ".join(_describe(entry, words) for entry in inner)
        return f"{len(inner)} values ({each})" if words else each.replace(" ", "")
    return _WORDS[kind] if words else _SIMPLE.get(kind, "VALUE")


def _convert(value: Any, kind: Any) -> Any:
    """Return `value` as `kind`; raise TypeError or ValueError if it is not one."""
    members = _members(kind)
    if len(members) > 1:
        # Narrow members first, so that "all" is not taken as text nor "3" as a word.
        order = sorted(members, key=lambda member: {str: 3, pathlib.Path: 3, float: 2}.get(member, 1))
        for member in order:
            try:
                return _convert(value, member)
            except (TypeError, ValueError, OverflowError):
                continue
        raise ValueError(value)
    origin = typing.get_origin(kind)
    if origin is Literal:
        for choice in typing.get_args(kind):
            same_type = type(value) is type(choice) and value == choice
            if same_type or (isinstance(value, str) and value == str(choice)):
                return choice
        raise ValueError(value)
    if origin in (tuple, list):
        return _convert_sequence(value, origin, typing.get_args(kind))
    return _CONVERTERS[kind](value)


def _convert_sequence(value: Any, origin: type, inner: tuple) -> Any:
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",")] if value.strip() else []
    entries = list(value)
    if origin is list or Ellipsis in inner:
        return origin(_convert(entry, inner[0]) for entry in entries)
    if len(entries) != len(inner):
        raise ValueError(value)
    return tuple(_convert(entry, one) for entry, one in zip(entries, inner, strict=True))


def _to_bool(value: Any) -> bool:
    if isinstance(value, str) and value.lower() in ("true", "yes", "on", "1", "false", "no", "off", "0"):
        return value.lower() in ("true", "yes", "on", "1")
    if type(value).__name__ in ("bool", "bool_"):  # numpy's too, without importing numpy
        return bool(value)
    raise TypeError(value)


def _to_int(value: Any) -> int:
    if type(value).__name__ in ("bool", "bool_"):
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
    if type(value).__name__ in ("bool", "bool_") or not isinstance(value, str | numbers.Real):
        raise TypeError(value)
    return float(value)


def _to_str(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return str(value)


def _to_path(value: Any) -> pathlib.Path:
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


def _numbers(value: Any) -> list:
    if isinstance(value, tuple | list):
        return [number for entry in value for number in _numbers(entry)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []
