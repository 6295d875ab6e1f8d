"""Interactions: by what model or potential particles interact, as a user says it."""

from __future__ import annotations

import dataclasses
import os
import warnings
from typing import Annotated, Any, ClassVar

from pelplug.core.arguments import Arguments
from pelplug.core.parameters import Param
from pelplug.errors import InputError

__all__ = ["FileInteractions", "Interactions"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Interactions(Arguments):
    """By what the particles interact."""

    in_order: ClassVar[tuple[str, ...]] = ("model",)

    model: Annotated[
        Any,
        Param(
            "model of the particles; `pelplug models` lists them",
            metavar="NAME|FILE.toml",
            details="A name, a TOML file or a `Model`; a file that pelplug wrote carries its own.",
        ),
    ] = None
    potential: Annotated[
        Any,
        Param(
            "somebody else's force field instead, by a provider that `pelplug models` lists",
            metavar="PROVIDER:FILE",
            details="These words, or what `pelplug.potential` takes: a `Potential`, a function of a configuration.",
        ),
    ] = None
    model_parameters: Annotated[
        dict[str, Any] | None, Param("parameter of the model", metavar="KEY=VALUE", option="model-param")
    ] = None
    potential_parameters: Annotated[
        dict[str, Any] | None,
        Param("parameter of the provider of the potential", metavar="KEY=VALUE", option="potential-param"),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.model is not None and self.potential is not None:
            raise InputError("Give either --model or --potential, not both (model= or potential= in Python).")
        if isinstance(self.potential, str | os.PathLike):
            self._read_potential(os.fspath(self.potential))
        if self.model_parameters and not isinstance(self.model, str | os.PathLike):
            raise InputError("--model-param needs --model: it sets a parameter of a model that you name.")
        if self.potential_parameters and not isinstance(self.potential, str):
            raise InputError("--potential-param needs --potential PROVIDER:FILE: it sets a parameter of the provider.")

    def _read_potential(self, text: str) -> None:
        """Take a TOML file for the model that it holds, as it was given once, and refuse other words."""
        if text.endswith(".toml") and ":" not in text:
            warnings.warn(
                f"a file of a model is given as --model {text} now (model= in Python); --potential is for somebody "
                "else's force field, PROVIDER:FILE",
                stacklevel=2,
            )
            self._set("model", text)
            self._set("potential", None)
        elif not all(text.partition(":")):
            word = "A Python file is python:FILE.py" if text.endswith(".py") else "A model or its TOML file is --model"
            raise InputError(
                f"The potential {text} lacks its provider: give PROVIDER:FILE, as in --potential python:calc.py "
                f"(potential= in Python). {word}."
            )

    def files(self) -> list[str]:
        """Return what was named that may be a file, which no output must replace."""
        named = [self.model, str(self.potential).partition(":")[2] if isinstance(self.potential, str) else None]
        paths = [os.fspath(one) for one in named if isinstance(one, str | os.PathLike)]
        return [path for text in paths for path in (text, text.rpartition(":")[0]) if os.path.isfile(path)]

    def resolved(self, registry) -> Interactions:
        """Return the same with the model built; a potential is the model's that is made around it.

        Parameters
        ----------
        registry : Registry
            Knows models and providers of potentials.

        Raises
        ------
        InputError
            If there is no such model, provider, file or parameter.
        """
        from pelplug.models.base import Model
        from pelplug.models.given import either
        from pelplug.potentials.base import Potential

        built = self.model
        if isinstance(built, str | os.PathLike):
            built = registry.model(built, **(self.model_parameters or {}))
        elif isinstance(built, Potential):
            raise InputError(f"{type(built).__name__} is a potential, not a model; pass it as potential=.")
        elif built is not None and not isinstance(built, Model):
            raise InputError(f"The model must be a name or a pelplug.Model, not {built!r}.")
        if self.potential is not None:
            built = either(None, registry.potential(self.potential, **(self.potential_parameters or {})))
        plain = {"potential": None, "model_parameters": None, "potential_parameters": None}
        return dataclasses.replace(self, model=built, **plain)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FileInteractions(Interactions):
    """By what the particles of a file interact, which may say it itself."""

    trust_model: Annotated[
        bool, Param("open files that the model recorded in the trajectory names (SHA-256 must agree)")
    ] = False
