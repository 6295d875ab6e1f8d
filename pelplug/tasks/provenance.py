"""Where a result comes from: versions, parameters, checksums, and the fingerprint of a calculation."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from pelplug.core.checksum import checksum
from pelplug.core.python_files import file_of
from pelplug.core.versions import code_of, distribution_of, versions
from pelplug.errors import InputError
from pelplug.files.record import VERSION, version_of

__all__ = [
    "attributes",
    "check_version",
    "failed_frames",
    "failed_parts",
    "fingerprint",
    "frames_in_words",
    "frames_of_words",
    "free_parameters_of",
    "input_checksum",
    "input_files",
    "input_record",
    "joined_derivatives",
    "named_files",
    "parameters_of",
    "readable",
    "said_of",
    "take_request",
    "to_json",
]


def to_json(value: Any) -> str:
    """Return `value` as JSON with sorted keys; paths become text, NumPy values plain ones."""
    return json.dumps(value, sort_keys=True, default=_plain)


def joined_derivatives(measured: dict[int, str]) -> str:
    """Return what was measured of derivatives in each frame as one JSON: how, and the ``frames`` by their labels."""
    frames = {label: json.loads(text) for label, text in measured.items()}
    methods = [frame.pop("method", None) for frame in frames.values()]
    return to_json({"method": methods[0], "frames": frames})


def fingerprint(**parts: Any) -> str:
    """Return the sha256 of what defines a calculation; equal fingerprints mean equal results."""
    return hashlib.sha256(to_json(parts).encode()).hexdigest()


def take_request(analysis: Any, frames: Any = ()) -> str:
    """Return, and record with an analysis, a digest of all that decides its result: the same asks for nothing new."""
    said = {name: value for name, value in analysis.attributes.items() if name not in ("command", "request")}
    conditions = analysis.conditions.to_attributes()
    digest = fingerprint(analysis=analysis.fingerprint(), frames=frames, said=said, conditions=conditions)
    analysis.attributes["request"] = digest
    return digest


def named_files(parameters: dict[str, Any]) -> dict[str, str]:
    """Return the checksums of the files that parameters name."""
    return {
        name: checksum(value)
        for name, value in parameters.items()
        if isinstance(value, str | pathlib.PurePath) and os.path.isfile(value)
    }


def input_checksum(trajectory: Any) -> str:
    """Return the checksum of a trajectory's file, of several that of their checksums in order."""
    found = [one.checksum() for one in trajectory.trajectories]
    return found[0] if len(found) == 1 else f"sha256:{hashlib.sha256(to_json(found).encode()).hexdigest()}"


def input_record(trajectory: Any) -> dict[str, Any]:
    """Return what the configurations of a trajectory depend on: the file, and how it was asked to be read."""
    if len(trajectory.trajectories) > 1:
        return {"trajectories": [input_record(one) for one in trajectory.trajectories]}
    record = {
        "checksum": input_checksum(trajectory),
        "species": hashlib.sha256("\n".join(map(str, trajectory.species)).encode()).hexdigest(),
        "dt": trajectory.dt,
        "frame_interval": trajectory.frame_interval,
        "format": trajectory.format,
    }
    record["units"] = trajectory.units.to_dict()
    record["masses"] = trajectory.given_masses
    record |= said_of(trajectory)
    if code := getattr(trajectory.reader, "code", tuple)():  # a plugin's reader
        record["reader"] = code_of(*code)
    if trajectory.topology is not None:
        state = os.stat(trajectory.topology)
        record["topology"] = [os.path.abspath(trajectory.topology), state.st_size, state.st_mtime_ns]
    return record


def frames_in_words(frames: Any) -> str:
    """Return numbers of frames as ``first:last+1:step`` where they are equally spaced, else each row of neighbours."""
    numbers = np.unique(np.asarray(() if frames is None else frames, dtype=int))
    if not numbers.size:
        return ""
    steps = np.diff(numbers)
    if numbers.size > 2 and np.all(steps == steps[0]):
        return f"{numbers[0]}:{numbers[-1] + 1}:{steps[0]}"
    rows = np.split(numbers, np.flatnonzero(steps != 1) + 1)
    return ",".join(str(row[0]) if row.size == 1 else f"{row[0]}:{row[-1] + 1}:1" for row in rows)


def frames_of_words(text: str) -> set[int]:
    """Undo `frames_in_words`."""
    return {number for row in text.split(",") if row for number in _row(*map(int, row.split(":")))}


def _row(first: int, end: int | None = None, step: int = 1) -> range:
    return range(first, first + 1 if end is None else end, step)


def said_of(trajectory: Any) -> dict[str, Any]:
    """Return what was said of the particles of a file, besides the usual."""
    usual = {"positions": "auto", "order_is_kept": False}
    said = {name: getattr(trajectory, name, value) for name, value in usual.items()}
    return {name: value for name, value in said.items() if value != usual[name]}


def input_files(trajectory: Any, selections: Sequence[Any] = ()) -> dict[str, str]:
    """Return the attributes of a result that say of which files it is made, and of which of their frames."""
    each = trajectory.trajectories
    paths = [os.path.abspath(one.path) for one in each]
    folder = os.path.commonpath([os.path.dirname(path) for path in paths])
    names = [readable(os.path.relpath(path, folder)) for path in paths]
    listed = [
        {"file": name, "sha256": one.checksum(), "frames": frames_in_words(frames)}
        for name, one, frames in zip(names, each, selections or (None,) * len(each), strict=True)
    ]
    return {
        "input_file": ", ".join(names),
        "input_sha256": input_checksum(trajectory),
        "trajectories": to_json(listed),
    }


def attributes(task: Any) -> dict[str, Any]:
    """Return the attributes of the dataset of a task: what was computed, with what, by whom."""
    distribution, version = distribution_of(type(task))
    record = task.conditions.model
    return {
        **task.conditions.to_attributes(),
        "provenance_version": VERSION,
        "analysis": task.name,
        "task": task.noun,
        "title": task.summary,
        "plugin": f"{distribution} {version}".strip(),
        **({"plugin_file": file.path} if (file := file_of(type(task))) else {}),
        "pelplug_version": versions().get("pelplug", ""),
        "parameters": to_json(task.parameters),
        "free_parameters": to_json([name for name, spec in type(task).parameter_specs().items() if spec.is_free]),
        "model": to_json(record) if record else "",
        "units": to_json(task.units.to_dict()),
        "versions": to_json(versions()),
        "cites": "\n".join(task.cites),
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def readable(value: Any) -> Any:
    """Return a text without the bytes of a file name that are no letters in any encoding; anything else as it is."""
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace") if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, pathlib.PurePath):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def parameters_of(dataset: Any) -> dict[str, Any]:
    """Return the parameters recorded in a dataset's attributes."""
    return json.loads(dataset.attrs.get("parameters") or "{}")


def free_parameters_of(dataset: Any) -> list[str]:
    """Return the parameters that change no meaning, as recorded in a dataset's attributes; before version 3 none is."""
    return json.loads(dataset.attrs.get("free_parameters") or "[]")


def check_version(dataset: Any) -> None:
    """Refuse a result whose attributes a later pelplug wrote in a way of its own.

    Raises
    ------
    InputError
        If its version is above `VERSION`.
    """
    if (found := version_of(dataset)) > VERSION:
        raise InputError(
            f"The result was written by pelplug {dataset.attrs.get('pelplug_version', '')} (provenance {found}), and "
            f"this one knows provenance up to {VERSION}; update pelplug."
        )


def failed_parts(dataset: Any) -> dict[str, str]:
    """Return the parts of a result that failed and were left out, with the reason, as recorded in its attributes."""
    return json.loads(dataset.attrs.get("failed_parts") or "{}")


def failed_frames(dataset: Any) -> dict[int, str]:
    """Return the frames that failed, with the reason, as recorded in a dataset's attributes."""
    return {int(label): reason for label, reason in json.loads(dataset.attrs.get("failed_frames") or "{}").items()}
