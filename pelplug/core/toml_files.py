"""Files in TOML that a user names."""

from __future__ import annotations

import os
import tomllib
from typing import Any

from pelplug.core.outside import read_outside
from pelplug.errors import InputError

__all__ = ["read_toml"]

_MOST = 16 * 2**20


def read_toml(path: str | os.PathLike, what: str) -> dict[str, Any]:
    """Return what a TOML file says.

    Parameters
    ----------
    path : path-like
        The file.
    what : str
        What it is, for sentences: ``"model file"``.

    Raises
    ------
    InputError
        If it is missing, no text, or not TOML.
    """
    try:
        return tomllib.loads(read_outside(path, what, _MOST).decode("utf-8"))
    except UnicodeDecodeError:
        raise InputError(f"The {what} {path} is not text in UTF-8; write it as a text file.") from None
    except RecursionError:
        name = what.removesuffix(" file")
        raise InputError(f"The {what} {path} is nested too deeply to be a {name}; check its name.") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"The {what} {path} is not valid TOML: {error}.") from None
