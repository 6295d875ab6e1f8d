"""Models rebuilt from what a file records of them, of which nothing is believed that a stranger could misuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from pelplug.core.outside import parse_record, read_outside, shown
from pelplug.errors import InputError, PelplugError
from pelplug.models.base import Model
from pelplug.models.user import UserModel
from pelplug.potentials.form import Form

__all__ = ["rebuild"]

_DAMAGED = "The model recorded in the file is damaged; name the model with --model."


def rebuild(
    record: Mapping | np.ndarray | bytes | str,
    find: Callable[[str], type[Model]],
    forms: Mapping[str, Form] | None,
    trust: bool,
) -> Model:
    """Rebuild a model from its record; see `pelplug.models.from_record`.

    A record can name files. They are opened if it is the file that comes with an installed package and has the
    recorded SHA-256, or at the user's word (`trust`) if it has the recorded SHA-256: nothing else is.
    """
    found = record if isinstance(record, Mapping) else parse_record(record)
    if found is not None and isinstance(found.get("record"), Mapping) and isinstance(found.get("potential"), str):
        raise InputError(_of_potential(found["potential"], found["record"]))
    if found is None or not isinstance(found.get("parameters"), Mapping) or not isinstance(found.get("name"), str):
        raise InputError(_DAMAGED)
    parameters = dict(found["parameters"])
    try:
        if "definition" in found:
            if not isinstance(found["definition"], Mapping):
                raise InputError(_DAMAGED)
            return UserModel(found["definition"], forms)
        cls = find(found["name"])
        return cls(**_checked(cls, parameters, found, trust))
    except PelplugError:
        raise
    except (TypeError, ValueError, KeyError, OverflowError, RecursionError, MemoryError):
        raise InputError(_DAMAGED) from None


def _of_potential(name: str, record: Mapping) -> str:
    """Word that a file was made with a potential, which a file's word does not open."""
    said = [one for key in ("provider", "file", "name") if isinstance(one := record.get(key), str)]
    words = shown(":".join(said)) if len(said) > 1 else "PROVIDER:FILE"
    return (
        f"The file records the potential {shown(name)}, which no model can stand for; give it again: --potential "
        f"{words} (potential= in Python), or another by --model."
    )


def _checked(cls: type[Model], parameters: dict, record: Mapping, trust: bool) -> dict:
    """Return the parameters with every path replaced by one that may be opened."""
    shipped = cls.shipped_file(parameters)
    for name, spec in cls.parameter_specs().items():
        value = parameters.get(name)
        if value is None or not spec.may_be_file:
            continue
        if not isinstance(value, str) or "\0" in value:
            raise InputError(_DAMAGED)
        if shipped is not None and spec.is_file:
            parameters[name] = None
            continue
        if not trust:
            raise InputError(
                f"The model recorded in the file ({cls.name}) names {shown(value)} as its {name}, which is "
                f"opened only on your word: pass --trust-model (trust_model=True), or --model {cls.name} --model-param "
                f"{name}=PATH with a file of your own."
            )
        if spec.is_file:
            _same_content(cls, name, value, parameters, record)
    return parameters


def _same_content(cls, name: str, path: str, parameters: dict, record: Mapping) -> None:
    files = record.get("files")
    wanted = files.get(name) if isinstance(files, Mapping) else parameters.get("sha256")
    if not isinstance(wanted, str) or len(wanted) != 64:
        raise InputError(
            f"The model recorded in the file ({cls.name}) names {shown(path)} without its SHA-256, so that nobody can "
            f"tell whether it is the same; pass --model {cls.name} --model-param {name}=PATH."
        )
    try:
        read_outside(path, f"{name} of {cls.name}", sha256=wanted)
    except InputError as error:
        reason = str(error).split(";")[0]
        raise InputError(
            f"{reason}; that is what the model recorded in the trajectory names: pass --model {cls.name} --model-param "
            f"{name}=PATH with the right file."
        ) from None
