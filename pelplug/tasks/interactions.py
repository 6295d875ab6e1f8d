"""Interactions: by what model or potential the particles of a trajectory interact, as a user says it."""

from __future__ import annotations

import dataclasses
import os
from typing import Annotated, Any

from pelplug.core.arguments import Arguments
from pelplug.core.parameters import Param
from pelplug.errors import InputError

__all__ = ["Interactions"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Interactions(Arguments):
    """By what the particles interact."""

    model: Annotated[
        Any,
        Param(
            "model of the particles; `pelplug models` lists them",
            metavar="NAME",
            details="A name, a TOML file or a `Model`; a file that pelplug wrote carries its own.",
        ),
    ] = None
    potential: Annotated[
        Any,
        Param(
            "your own pair potential instead",
            metavar="FILE.toml",
            details="A TOML file, or a `Potential` of whatever kind.",
        ),
    ] = None
    model_parameters: Annotated[
        dict[str, Any] | None, Param("parameter of the model", metavar="KEY=VALUE", option="model-param")
    ] = None
    trust_model: Annotated[
        bool, Param("open files that the model recorded in the trajectory names (SHA-256 must agree)")
    ] = False

    def __post_init__(self):
        super().__post_init__()
        if self.model is not None and self.potential is not None:
            raise InputError("Give either --model or --potential, not both (model= or potential= in Python).")
        if isinstance(self.potential, str | os.PathLike) and not os.fspath(self.potential).endswith(".toml"):
            raise InputError(f"The potential {self.potential} must be a TOML file (name.toml); a model takes a name.")
        named = self.potential if self.model is None else self.model
        if self.model_parameters and not isinstance(named, str | os.PathLike):
            raise InputError("--model-param needs --model: it sets a parameter of a model that you name.")

    def resolved(self, registry) -> Interactions:
        """Return the same with the model or the potential's file built.

        Parameters
        ----------
        registry : Registry
            Knows the models.

        Raises
        ------
        InputError
            If there is no such model or parameter.
        """
        from pelplug.models.base import Model

        named = self.potential if self.model is None else self.model
        if isinstance(named, str | os.PathLike):
            built = registry.model(named, **(self.model_parameters or {}))
            return dataclasses.replace(self, model=built, potential=None, model_parameters=None)
        if self.model is not None and not isinstance(self.model, Model):
            raise InputError(f"The model must be a name or a pelplug.Model, not {self.model!r}.")
        return self
