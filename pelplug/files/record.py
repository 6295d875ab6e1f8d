"""The record that a result carries of where it comes from: its version, and the schema that each written one fits."""

from __future__ import annotations

import functools
import importlib.resources
import json
from typing import Any

import numpy as np
import xarray as xr

from pelplug.core.schema import faults
from pelplug.errors import InputError

__all__ = ["CHANGES", "VERSION", "record_of", "require_record", "schema", "version_of"]

VERSION = 3
"""Of the record that a result carries; those without a number are 1."""

CHANGES = {2: "conditions of the states", 3: "errors over independent samples"}
"""What each version says that the one before did not, by which their numbers do not mean the same."""


@functools.cache
def schema() -> dict[str, Any]:
    """Return the JSON schema of the record of this version."""
    return json.loads(importlib.resources.files(__package__).joinpath("provenance.schema.json").read_text())


def version_of(dataset: xr.Dataset) -> int:
    """Return in which way the attributes of a result are written: `VERSION`, or an earlier or later one."""
    found = dataset.attrs.get("provenance_version", 1)
    return int(found) if isinstance(found, int | np.integer) else 1


def record_of(dataset: xr.Dataset) -> dict[str, Any]:
    """Return the attributes of a result and of its variables as plain values, what is JSON text decoded."""
    record = {str(name): _decoded(str(name), value) for name, value in dataset.attrs.items()}
    variables = {
        str(name): {"dims": list(map(str, one.dims)), **{str(key): _plain(value) for key, value in one.attrs.items()}}
        for name, one in dataset.variables.items()
    }
    return {name: value for name, value in record.items() if value != ""} | {"variables": variables}


def require_record(dataset: xr.Dataset, name: str) -> None:
    """Refuse to write a result whose record is not as the schema of its version says; others are left as they are.

    Raises
    ------
    InputError
        With the first fault.
    """
    if version_of(dataset) == VERSION and (found := faults(record_of(dataset), schema())):
        raise InputError(
            f"The record of where the result of {name} comes from is damaged ({found[0]}); write the dataset as "
            "pelplug gave it, or without its attribute provenance_version."
        )


def _decoded(name: str, value: Any) -> Any:
    said = schema()["properties"].get(name, {})
    said = schema()["$defs"][said["$ref"].rpartition("/")[2]] if "$ref" in said else said
    if said.get("type") in ("object", "array") and isinstance(value, str) and value:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return _plain(value)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value
