"""Arguments declared once: a dataclass of `Param` fields from which functions, commands, checks and docs come.

A declaration is passed down whole; a function that users call takes its fields as keywords::

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Source(Arguments):
        dt: Annotated[float | None, Param("time of one step", exclusive_minimum=0.0, unit="time")] = None

    @takes(source=Source)
    def open_trajectory(path, source): ...

    open_trajectory("traj.dump", dt=0.005)         # the same as source=Source(dt=0.005)
"""

from __future__ import annotations

import functools
import inspect
import re
import textwrap
import warnings
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar, overload

from pelplug.core.docstrings import entry_of
from pelplug.core.parameters import ParameterSpec, closest, read_arguments
from pelplug.core.parametrised import Parametrised
from pelplug.errors import InputError

__all__ = ["Arguments", "keywords_of", "takes"]

_R = TypeVar("_R")
_F = TypeVar("_F", bound=Callable[..., Any])


class Arguments(Parametrised):
    """Base of a declaration: a frozen dataclass of keyword-only fields annotated with `Param`, each with a default.

    Values are read as their types and checked when one is made; what concerns several fields a subclass checks in
    ``__post_init__``, after this one's.

    Attributes
    ----------
    in_order : tuple of str or None
        Fields that may be given by position where a function takes the declaration by position; all if None.

    Raises
    ------
    InputError
        If a value does not fit its declaration.
    """

    in_order: ClassVar[tuple[str, ...] | None] = None

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return the names of the fields, former ones and those of their options."""
        specs = cls.parameter_specs().values()
        return tuple(
            dict.fromkeys(
                name
                for spec in specs
                for name in (spec.name, *spec.param.formerly, spec.option.replace("-", "_"))
                if name
            )
        )

    def __post_init__(self) -> None:
        for name, spec in self.parameter_specs().items():
            value = getattr(self, name)
            if value is not spec.default:
                self._set(name, spec.validate(value))

    def _set(self, name: str, value: Any) -> None:
        """Put what was read of a value in its place, while one is made."""
        object.__setattr__(self, name, value)

    def given(self) -> dict[str, Any]:
        """Return the values that are not the defaults."""
        values = {name: getattr(self, name) for name in self.parameter_specs()}
        return {name: value for name, value in values.items() if value is not self.parameter_specs()[name].default}


@overload
def takes(owner: str = "", /, *, renamed: Mapping[str, str] | None = None) -> Callable[[_F], _F]: ...


@overload
def takes(
    owner: str = "", /, *, renamed: Mapping[str, str] | None = None, **groups: type[Arguments]
) -> Callable[[Callable[..., _R]], Callable[..., _R]]: ...


def takes(
    owner: str = "", /, *, renamed: Mapping[str, str] | None = None, **groups: type[Arguments]
) -> Callable[[Callable[..., _R]], Callable[..., _R]]:
    """Check the arguments of a function that users call; any that are wrong are one sentence.

    Its own arguments that are annotated with `Param` are checked and converted. The fields of declarations become
    keywords of their own: signature and docstring show them, in the place of the declaration's own entry, the function
    gets the declaration whole, and so may its caller pass it.

    Parameters
    ----------
    owner : str, optional
        What the function does, for sentences: ``"the quench"``; its name by default.
    renamed : mapping of str to str, optional
        Former names of its own arguments, which still work and warn; those of declarations are in their `Param`.
    **groups
        By the name of the function's parameter, what it declares.
    """

    def decorate(function: Callable[..., _R]) -> Callable[..., _R]:
        public = _flattened(inspect.signature(function), groups)
        fields = {name: spec for group in groups.values() for name, spec in group.parameter_specs().items()}
        former = {name: spec.name for spec in fields.values() for name in spec.param.formerly} | dict(renamed or {})
        who = owner or function.__qualname__
        subject = f"{owner[:1].upper()}{owner[1:]}" or who

        @functools.cache
        def own() -> dict[str, ParameterSpec]:  # read at the first call: annotations may name what comes later
            return read_arguments(function)

        @functools.wraps(function)
        def call(*positional: Any, **keywords: Any) -> Any:
            for name in former.keys() & keywords.keys():
                _tell_renamed(who, name, former[name], keywords)
            whole = {name: keywords.pop(name) for name, kind in groups.items() if isinstance(keywords.get(name), kind)}
            left = public
            for name in whole:
                parts = groups[name].parameter_specs()
                for part in keywords.keys() & parts.keys():
                    raise InputError(f"{part} is part of {name}, which is given whole; give one of them.")
                others = [one for one in left.parameters.values() if one.name not in parts]
                left = left.replace(parameters=others)
            arguments = dict(_bound(left, subject, positional, keywords).arguments)
            for name, group in groups.items():
                if name not in whole:
                    given = {field: arguments.pop(field) for field in group.parameter_specs() if field in arguments}
                    whole[name] = group(**given)
            for name, spec in own().items():
                if name in arguments:
                    arguments[name] = spec.validate(arguments[name], who)
            extra = {}
            for parameter in public.parameters.values():
                if parameter.kind is parameter.VAR_KEYWORD:
                    extra = arguments.pop(parameter.name, {})
            return function(**arguments, **whole, **extra)

        call.__signature__ = public
        call.__doc__ = _documented(function.__doc__, groups)
        return call

    return decorate


def keywords_of(function: Callable) -> tuple[str, ...]:
    """Return the names under which a function takes arguments, those it passes on left out."""
    parameters = inspect.signature(function).parameters.values()
    return tuple(one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY))


def _flattened(written: inspect.Signature, groups: Mapping[str, type[Arguments]]) -> inspect.Signature:
    parameters = []
    for name, parameter in written.parameters.items():
        if name not in groups:
            parameters.append(parameter)
            continue
        first = groups[name].in_order
        for spec in groups[name].parameter_specs().values():
            kind = parameter.kind if first is None or spec.name in first else parameter.KEYWORD_ONLY
            parameters.append(inspect.Parameter(spec.name, kind, default=spec.default, annotation=spec.type))
    return written.replace(parameters=sorted(parameters, key=lambda one: one.kind))  # in place among their kind


def _bound(
    public: inspect.Signature, who: str, positional: tuple[Any, ...], keywords: Mapping[str, Any]
) -> inspect.BoundArguments:
    """Bind the arguments of a call, or say in one sentence what is wrong with them."""
    parameters = [one for one in public.parameters.values() if one.name != "self"]
    open_end = any(one.kind is one.VAR_KEYWORD for one in parameters)
    names = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    for name in () if open_end else keywords:
        if name not in names:
            raise InputError(
                f"{who} has no argument {name!r}{closest(name, names) or '; its arguments are ' + ', '.join(names)}."
            )
    try:
        return public.bind(*positional, **keywords)
    except TypeError as error:
        given = {*keywords, *list(public.parameters)[: len(positional)]}
        missing = [one.name for one in parameters if one.name in names and one.default is one.empty]
        if missing := [name for name in missing if name not in given]:
            raise InputError(f"{who} needs {' and '.join(missing)}; give {missing[0]}=...") from None
        raise InputError(f"{who} cannot be called so ({error}); its arguments are {', '.join(names)}.") from None


def _tell_renamed(who: str, former: str, name: str, keywords: dict[str, Any]) -> None:
    if name in keywords:
        raise InputError(f"{former} is the former name of {name}; give {name} alone.")
    keywords[name] = keywords.pop(former)
    warnings.warn(f"{former} of {who} is called {name} now", FutureWarning, stacklevel=3)


def _documented(doc: str | None, groups: Mapping[str, type[Arguments]]) -> str | None:
    """Put the fields of each declaration where a docstring has an entry of its name."""
    for name, group in groups.items():
        if doc is not None:
            fields = "\n".join(map(entry_of, group.parameter_specs().values()))
            entry = re.compile(rf"^(?P<margin> *){name} : .*(\n(?P=margin)    .*)*", re.MULTILINE)
            doc = entry.sub(lambda found, fields=fields: textwrap.indent(fields, found["margin"]), doc, count=1)
    return doc
