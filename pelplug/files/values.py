"""Nested values in one ``.npz`` file, arrays and numbers equal to the last bit."""

from __future__ import annotations

import contextlib
import json
import zipfile
from collections.abc import Mapping

import numpy as np

__all__ = ["UNREADABLE", "read_values", "write_values"]

UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile)
"""What `read_values` raises for a file that is missing, cut off or damaged."""

_MANIFEST = "manifest"


def write_values(path, values: Mapping) -> None:
    """Write values to a file that `read_values` reads.

    Parameters
    ----------
    path : path_like or binary file
        Temporary name, as `pelplug.core.outputs.replacing` gives.
    values : mapping
        Arrays (no objects), numbers, strings, None, and lists or mappings of these.

    Raises
    ------
    TypeError
        If a value is of another type.
    """
    arrays: dict[str, np.ndarray] = {}
    manifest = {str(key): _encode(value, arrays, str(key)) for key, value in values.items()}
    arrays[_MANIFEST] = np.frombuffer(json.dumps(manifest).encode(), dtype=np.uint8)
    with _opened(path, "wb") as file:
        np.savez(file, **arrays)


def read_values(path) -> dict:
    """Return what `write_values` was given; one of `UNREADABLE` for a file that is damaged."""
    # np.load would leave a damaged file open.
    with _opened(path, "rb") as file, np.load(file, allow_pickle=False) as entries:
        manifest = json.loads(entries[_MANIFEST].tobytes())
        return {key: _decode(item, entries) for key, item in manifest.items()}


def _opened(path, mode: str):
    return contextlib.nullcontext(path) if hasattr(path, "write") else open(path, mode)


def _encode(value, arrays: dict, where: str) -> dict:
    """Describe a value in JSON; arrays go to `arrays` and are named by their index."""
    if value is None or (isinstance(value, (bool, int, str)) and not isinstance(value, np.generic)):
        return {"json": value}
    if isinstance(value, float) and not isinstance(value, np.generic):
        return {"json": value}  # repr round-trips every double; NaN and infinity by Python's extension
    if isinstance(value, (list, tuple)):
        return {"list": [_encode(item, arrays, where) for item in value], "tuple": isinstance(value, tuple)}
    if isinstance(value, Mapping):
        return {"dict": {str(key): _encode(item, arrays, f"{where}/{key}") for key, item in value.items()}}
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype.kind == "O":
            array = np.asarray(array.tolist())
        if array.dtype.kind in "biufcUSmM":
            key = f"array-{len(arrays)}"
            arrays[key] = array
            return {"array": key, "scalar": isinstance(value, np.generic)}
    raise TypeError(f"{where} is a {type(value).__name__}; arrays, numbers, strings, lists and dicts can be kept.")


def _decode(item, entries):
    if "json" in item:
        return item["json"]
    if "list" in item:
        values = [_decode(entry, entries) for entry in item["list"]]
        return tuple(values) if item["tuple"] else values
    if "dict" in item:
        return {key: _decode(entry, entries) for key, entry in item["dict"].items()}
    array = entries[item["array"]]
    return array[()] if item["scalar"] else array
