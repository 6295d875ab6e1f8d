"""Parameters of studies in a file: one for several theories of the same system."""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Collection, Mapping
from typing import Annotated, Any, TypeAlias

from pelplug.core.arguments import Arguments
from pelplug.core.parameters import Param, ParameterSpec, present_name, unknown_parameter
from pelplug.core.toml_files import read_toml
from pelplug.errors import InputError

__all__ = ["ParameterFile"]

_File: TypeAlias = Annotated[
    pathlib.Path | None,
    Param(
        "file with values of its parameters; what is given besides counts instead",
        metavar="FILE.toml",
        details="A table named as a study is for that study alone.",
    ),
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ParameterFile(Arguments):
    """Where parameters of a study are written."""

    parameters: _File = None  # type: ignore[assignment]  # a declaration records no parameters of its own

    def values(self, study: str, specs: Mapping[str, ParameterSpec], others: Collection[str]) -> dict[str, Any]:
        """Return the values for a study, checked, by the names of its parameters.

        Parameters
        ----------
        study : str
            Its name.
        specs : mapping of str to ParameterSpec
            Its parameters; the file may call them as their options.
        others : collection of str
            Names of all studies, whose tables are not for this one.

        Raises
        ------
        InputError
            If the file cannot be read, or has an unknown parameter or an unfit value.
        """
        if self.parameters is None:
            return {}
        said = read_toml(self.parameters, "parameter file")
        own = said.get(study, {})
        if study not in specs and not isinstance(own, dict):
            raise InputError(
                f"In the parameter file {self.parameters}: {study} is a study; write its parameters under [{study}]."
            )
        common = {key: value for key, value in said.items() if key in specs or key not in others}
        names = {spec.option: name for name, spec in specs.items() if spec.option}
        found: dict[str, Any] = {}
        before: dict[str, tuple[int, str]] = {}
        for table, key, value in [(0, *one) for one in common.items()] + [(1, *one) for one in own.items()]:
            name = names.get(key, present_name(key, specs, f"the study {study}"))
            if name not in specs:
                owner = f"the study {study}"
                raise InputError(f"In the parameter file {self.parameters}: {unknown_parameter(key, specs, owner)}")
            if name in before and before[name][0] == table:  # what stands in the study's own table counts
                raise InputError(
                    f"In the parameter file {self.parameters}: {before[name][1]} and {key} are the same parameter; "
                    "leave one of them out."
                )
            before[name] = (table, key)
            try:
                found[name] = specs[name].validate(value, f"the study {study}")
            except InputError as error:
                raise InputError(f"In the parameter file {self.parameters}: {error}") from None
        return found
