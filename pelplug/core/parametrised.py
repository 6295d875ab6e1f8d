"""What has parameters: classes that check them whenever one is made."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from pelplug.core.docstrings import with_parameters
from pelplug.core.parameters import ParameterSpec, present_name, read_parameters, validate_parameters

__all__ = ["Parametrised"]


class Parametrised:
    """Base of analyses, models, minimisers, engines and potentials: what a user may set is declared once.

    A parameter is a keyword-only argument of ``__init__``, annotated as ``Annotated[type, pelplug.Param("help")]``;
    further ones of a base class are passed on as ``**base``. In a dataclass the fields are the parameters. Before
    ``__init__`` runs they have been checked and converted, however the object is made.

    Attributes
    ----------
    noun : str
        What such a thing is called in a sentence: ``"model"``.
    name : str
        Its own name.
    not_parameters : tuple of str
        Arguments of ``__init__`` that are no parameters.
    reserved : frozenset of str
        Names that no parameter may have.
    entries_before, entries_after : tuple of str
        What stands in the docstring before and after the parameters.
    parameters : dict
        Value of every parameter, defaults included: what is recorded.
    trial : mapping
        What ``pelplug plugins check`` and tests try it with: keywords of `pelplug.testing.Kit`.
    """

    noun: ClassVar[str] = "class"
    parameters: dict[str, Any]
    name: ClassVar[str] = ""
    not_parameters: ClassVar[tuple[str, ...]] = ()
    reserved: ClassVar[frozenset[str]] = frozenset()
    entries_before: ClassVar[tuple[str, ...]] = ()
    entries_after: ClassVar[tuple[str, ...]] = ()
    _specs: ClassVar[dict[str, ParameterSpec]]
    trial: ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "__init__" in cls.__dict__:
            cls.__init__ = _validated(cls.__init__)  # type: ignore[method-assign]  # the same, checked
        with contextlib.suppress(TypeError):  # a declaration that cannot be read is told of where the plugin is loaded
            cls.__doc__ = _documented(cls)

    def __post_init__(self) -> None:
        """Check the fields of a dataclass."""
        for name, spec in self.parameter_specs().items():
            object.__setattr__(self, name, spec.validate(getattr(self, name), f"the {self._owner}"))

    @classmethod
    def parameter_specs(cls) -> dict[str, ParameterSpec]:
        """Return the declared parameters by name."""
        if "_specs" not in cls.__dict__:
            cls._specs = read_parameters(cls, cls.reserved)
        return dict(cls._specs)

    @property
    def _owner(self) -> str:
        return f"{self.noun} {self.name or ('' if dataclasses.is_dataclass(self) else type(self).__name__)}".strip()


def _documented(cls: type[Parametrised]) -> str | None:
    """Return the docstring with its parameters described, as it is where there are none."""
    own, specs = cls.__dict__.get("__doc__"), read_parameters(cls, cls.reserved)
    if not (specs or cls.entries_before):
        return own
    summary = getattr(cls, "summary", "") or cls.name or cls.__name__
    return with_parameters(own or f"{summary.rstrip('.')}.", specs, cls.entries_before, cls.entries_after)


def _validated(init: Callable) -> Callable:
    """Wrap ``__init__`` so that every way of making an object checks its parameters."""

    @functools.wraps(init)
    def __init__(self: Any, /, *positional: Any, **values: Any) -> None:  # noqa: N807
        specs, owner = self.parameter_specs(), f"the {self._owner}"
        given = {name: value for name, value in values.items() if name not in self.not_parameters}
        if "parameters" not in self.__dict__:
            self.parameters = validate_parameters(specs, given, owner, self.not_parameters)
            checked = {now: self.parameters[now] for now in (present_name(name, specs) for name in given)}
        else:  # a base class: some values are set by the subclass
            checked = {n: specs[n].validate(v, owner) if n in specs else v for n, v in given.items()}
            self.parameters.update((name, value) for name, value in checked.items() if name in specs)
        rest = {name: value for name, value in values.items() if name not in given}
        init(self, *positional, **rest, **checked)

    return __init__
