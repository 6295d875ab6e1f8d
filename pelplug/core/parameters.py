"""Parameters declared once, as annotated keyword-only arguments; read here for options, help, docs and provenance."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import math
import pathlib
import types
import typing
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from pelplug.core.values import convert, is_supported, members, numbers_in, type_in_words
from pelplug.errors import InputError

__all__ = [
    "Param",
    "ParameterSpec",
    "closest",
    "present_name",
    "read_arguments",
    "read_parameters",
    "unknown_parameter",
    "validate_parameters",
]

REQUIRED = inspect.Parameter.empty

_MANY = 12  # more names than that are no help where one of them is near
_LARGEST = 2**53  # whole numbers beyond are not all numbers in double precision


@dataclasses.dataclass(frozen=True)
class Param:
    """What a parameter means and which values it takes: ``pairs: Annotated[int, Param("how many", minimum=1)] = 100``.

    Parameters
    ----------
    help : str
        One line, shown by ``--help`` and in the docs.
    minimum, maximum : float, optional
        Smallest and largest value allowed (of each entry, for a tuple). A number may be infinite if the largest is.
    exclusive_minimum, exclusive_maximum : float, optional
        The value must lie above, or below, this one.
    choices : tuple, optional
        The only values allowed.
    metavar : str, optional
        What ``--help`` writes for the value.
    unit : str, optional
        Physical dimension of the value, as ``"length"``.
    option : str, optional
        What the option of the command line is called, if not as the parameter: ``"minimiser-param"``; empty if there
        is none.
    short : str, optional
        Its short form, ``"N"``.
    details : str, optional
        What docstrings say besides, in sentences.
    formerly : tuple of str, optional
        Names it had before, which are taken with a note.
    file : bool, optional
        Whether a text is the path of a file, as a `pathlib.Path` always is. What a record of a file names is opened
        only at the user's word, and so is a text of which this is not said.
    meaning : bool, optional
        False where another value leaves what the results mean as it is: a seed, a number of resamples, a solver. A
        study reads results together that differ in such parameters and in files alone.
    """

    help: str
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    exclusive_maximum: float | None = None
    choices: tuple | None = None
    metavar: str | None = None
    unit: str | None = None
    option: str | None = None
    short: str = ""
    details: str = ""
    formerly: tuple[str, ...] = ()
    file: bool | None = None
    meaning: bool = True


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
        kinds = [kind for kind in members(self.type) if kind is not type(None)]
        if all(typing.get_origin(kind) is Literal for kind in kinds):
            return tuple(value for kind in kinds for value in typing.get_args(kind))
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
            if limit is not None and math.isfinite(limit):
                words.append(f"{text} {limit:g}")
        return " and ".join(words)

    @property
    def unit(self) -> str:
        """Physical dimension of the value; empty where it has none."""
        return "" if self.param.unit in (None, "1") else self.param.unit

    @property
    def option(self) -> str:
        """What the option of the command line is called, without its dashes; empty if there is none."""
        return self.name.replace("_", "-") if self.param.option is None else self.param.option

    @property
    def is_file(self) -> bool:
        """True if a value is the path of a file."""
        return pathlib.Path in members(self.type) if self.param.file is None else self.param.file

    @property
    def is_free(self) -> bool:
        """True if results that were made with other values mean the same."""
        return self.is_file or not self.param.meaning

    @property
    def may_be_file(self) -> bool:
        """True if a value could be the path of a file: a free text of which nothing else is said."""
        return self.is_file or (self.param.file is None and self.choices is None and str in members(self.type))

    @property
    def is_mapping(self) -> bool:
        """True for names with values, ``name=value``, which the command line takes several times."""
        return any(typing.get_origin(member) is dict for member in members(self.type))

    @property
    def is_flag(self) -> bool:
        """True for a plain bool, which the command line shows as ``--name/--no-name``."""
        return self.type is bool

    @property
    def metavar(self) -> str:
        """What ``--help`` writes for the value."""
        if self.param.metavar:
            return self.param.metavar
        return "|".join(str(value) for value in self.choices) if self.choices else type_in_words(self.type)

    def validate(self, value: Any, owner: str = "") -> Any:
        """Return `value` (or the text of it) as the declared type.

        Raises
        ------
        InputError
            If it is of another type, out of range or not among the choices.
        """
        option = f" (--{self.option})" if self.option else ""
        known = owner and self.option == self.name.replace("_", "-")  # the owner's option is called as the parameter
        whose = f"The parameter {self.name}{'' if known else option}{f' of {owner}' if owner else ''}"
        try:
            result = convert(value, self.type)
        except (TypeError, ValueError, OverflowError):
            wanted = (
                f"one of {', '.join(map(str, self.choices))}" if self.choices else type_in_words(self.type, words=True)
            )
            if self.is_mapping:
                wanted = wanted.removesuffix(" or none") + (f" (--{self.option} {self.metavar})" if self.option else "")
            shown = ",".join(map(str, value)) if self.is_mapping and isinstance(value, tuple) else value
            raise InputError(f"{whose} must be {wanted}, not {shown!r}.") from None
        if self.choices is not None and result is not None and result not in self.choices:
            raise InputError(f"{whose} must be one of {', '.join(map(str, self.choices))}, not {value!r}.")
        for number in numbers_in(result):
            if not self._in_range(number):
                unit = f" (in units of {self.unit})" if self.unit else ""
                raise InputError(f"{whose} must be {self.bounds}{unit}, not {value!r}.")
            if math.isnan(number):
                raise InputError(f"{whose} is not a number; give a value.")
            endless = math.isinf(number) and self.param.maximum != math.inf
            if endless or (isinstance(number, int) and abs(number) > _LARGEST and self._is_open(number)):
                raise InputError(f"{whose} is too large, {value!r}; give a number below {_LARGEST:.0g}.")
        return result

    def _is_open(self, number: int) -> bool:
        """Whether nothing is said of how large a whole number may be."""
        return (self.param.maximum if number > 0 else self.param.minimum) is None

    def _in_range(self, number: Any) -> bool:
        param = self.param
        return not (
            (param.minimum is not None and number < param.minimum)
            or (param.maximum is not None and number > param.maximum)
            or (param.exclusive_minimum is not None and number <= param.exclusive_minimum)
            or (param.exclusive_maximum is not None and number >= param.exclusive_maximum)
        )


def read_parameters(cls: type, reserved: Iterable[str] = ()) -> dict[str, ParameterSpec]:
    """Return the parameters declared by `cls` and the bases it passes ``**keywords`` on to, by name.

    Parameters
    ----------
    cls : type
        Class whose ``__init__`` declares parameters as keyword-only ``Annotated[type, Param(...)]``. A dataclass
        declares them as fields. Arguments named in its attribute ``not_parameters`` are left out.
    reserved : iterable of str, optional
        Names that a parameter may not have.

    Raises
    ------
    TypeError
        If a parameter is not declared that way, has a reserved name or an unfit default.
    """
    specs: dict[str, ParameterSpec] = {}
    for base in cls.__mro__:
        if base is object:
            break
        if "__init__" not in base.__dict__:
            continue
        found, passes_on = _read_init(base, getattr(cls, "not_parameters", ()))
        for spec in found:
            specs.setdefault(spec.name, spec)
        if not passes_on:
            break
    for name in specs:
        if name in reserved:
            raise TypeError(f"the parameter name {name!r} is reserved by pelplug; choose another")
        if name.startswith("_"):
            raise TypeError(f"the parameter name {name!r} cannot be an option; let it begin with a letter")
    return specs


def read_arguments(function: Callable) -> dict[str, ParameterSpec]:
    """Return the arguments of a function that are annotated with `Param`, by name."""
    specs, written = {}, inspect.unwrap(function)
    for name, parameter in inspect.signature(written).parameters.items():
        one = types.SimpleNamespace(__annotations__={name: written.__annotations__.get(name)})
        try:
            hint = typing.get_type_hints(one, written.__globals__, include_extras=True)[name]
        except NameError:  # what is imported for type checkers alone declares nothing
            continue
        if _param_of(hint) is not None:
            specs[name] = _spec(function, name, hint, parameter.default)
    return specs


def validate_parameters(
    specs: Mapping[str, ParameterSpec], values: Mapping[str, Any], owner: str, others: Iterable[str] = ()
) -> dict[str, Any]:
    """Return every parameter's value, defaults included, each as its declared type.

    Raises
    ------
    InputError
        If a name is unknown, a value unfit, or a required one missing.
    """
    given = {}
    for name, value in values.items():
        now = present_name(name, specs, owner)
        if now not in specs:
            raise InputError(unknown_parameter(name, specs, owner, others))
        given[now] = value
    result = {}
    for name, spec in specs.items():
        if name in given:
            result[name] = spec.validate(given[name], owner)
        elif spec.required:
            what = f"{owner[:1].upper()}{owner[1:]} needs the parameter {name}: {spec.help.rstrip('.')}"
            if any(word in owner for word in ("analysis", "study")):  # whose parameters are options; a model's are not
                what += f"; pass --{spec.option} ({name}= in Python)"
            raise InputError(f"{what}.")
        else:
            result[name] = spec.default
    return result


def present_name(name: str, specs: Mapping[str, ParameterSpec], owner: str = "") -> str:
    """Return what a parameter is called now, with a warning if that is not `name` and there is an owner to name."""
    if name not in specs:
        for now, spec in specs.items():
            if name in spec.param.formerly:
                if owner:
                    warnings.warn(
                        f"the parameter {name} of {owner} is called {now} now (--{spec.option}); the old name goes "
                        "with the next version",
                        stacklevel=2,
                    )
                return now
    return name


def unknown_parameter(name: str, known: Iterable[str], owner: str, others: Iterable[str] = ()) -> str:
    """Word the sentence for a parameter that does not exist; what was meant may be among other arguments of a call."""
    known = sorted(known)
    near = closest(name, (*known, *others))
    has = f"its parameters are {', '.join(known)}" if known else "it has none"
    has = "" if near and len(known) > _MANY else f"; {has}"
    return f"{owner[:1].upper()}{owner[1:]} has no parameter {name!r}{near}{has}."


def closest(name: str, known: Iterable[str]) -> str:
    """Return ``" (did you mean a or b?)"``, or an empty string where no known name is near."""
    matches = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f" (did you mean {' or '.join(matches)}?)" if matches else ""


def _read_init(cls: type, left_out: Iterable[str]) -> tuple[list[ParameterSpec], bool]:
    init = inspect.unwrap(cls.__dict__["__init__"])
    signature = inspect.signature(init)
    try:
        hints = typing.get_type_hints(init, include_extras=True)
    except Exception as error:
        raise TypeError(f"the annotations of {cls.__name__}.__init__ cannot be read ({error})") from error
    specs, passes_on = [], False
    fields = dataclasses.is_dataclass(cls)
    for position, (name, parameter) in enumerate(signature.parameters.items()):
        if parameter.kind is parameter.VAR_KEYWORD:
            passes_on = True
            continue
        first = position < (1 if fields else 2) and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        if first or parameter.kind is parameter.POSITIONAL_ONLY:  # self, trajectory
            continue
        if name in left_out and _param_of(hints.get(name)) is None:
            continue
        if parameter.kind is not parameter.KEYWORD_ONLY and not fields:
            raise TypeError(f"the parameter {name!r} of {cls.__name__} must be keyword-only: put it after a *")
        specs.append(_spec(cls, name, hints.get(name), parameter.default))
    return specs, passes_on


def _param_of(hint: Any) -> Param | None:
    return next((extra for extra in getattr(hint, "__metadata__", ()) if isinstance(extra, Param)), None)


def _spec(cls: Callable, name: str, hint: Any, default: Any) -> ParameterSpec:
    param = _param_of(hint)
    if param is None:
        raise TypeError(
            f"the parameter {name!r} of {cls.__name__} must be annotated as "
            f'Annotated[<type>, pelplug.Param("<help>")], so that it can be shown'
        )
    if not param.help:
        raise TypeError(f"the parameter {name!r} of {cls.__name__} has an empty help text")
    spec = ParameterSpec(name, hint.__origin__, default, param)
    if not all(is_supported(member) for member in members(spec.type)):
        raise TypeError(f"the parameter {name!r} of {cls.__name__} has a type pelplug cannot read: {spec.type}")
    if default is not REQUIRED:
        try:
            spec.validate(default)
        except InputError as error:
            raise TypeError(f"the default of {cls.__name__} does not fit its own declaration: {error}") from None
    return spec
