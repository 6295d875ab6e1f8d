"""From the values of single frames to one xarray dataset with units."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from pelplug.core.fields import Field
from pelplug.core.units import Units
from pelplug.errors import InputError, NotAMinimumError, NotConvergedError, PelplugError, RunError

__all__ = [
    "COORDINATES",
    "FrameFailure",
    "FrameRecord",
    "check_dataset",
    "check_values",
    "frame_of",
    "frames_of",
    "join_frames",
    "name_units",
    "raise_all_failed",
    "sentence_of",
    "with_runs",
]

COORDINATES = {
    "frame": {"long_name": "frame number in the trajectory", "units": "1"},
    "step": {"long_name": "simulation step", "units": "1"},
    "time": {"long_name": "time", "units": "time"},
    "run": {"long_name": "which of the trajectories", "units": "1"},
    "frame_in_run": {"long_name": "frame number in its trajectory", "units": "1"},
}

_KINDS = (InputError, NotAMinimumError, NotConvergedError, RunError)


@dataclasses.dataclass(frozen=True)
class FrameRecord:
    """What was computed in one frame, and what was found of derivatives by differences, as JSON."""

    label: int
    step: int | None
    time: float | None
    values: dict[str, np.ndarray]
    derivatives: str | None = None

    def to_store(self) -> dict[str, np.ndarray]:
        """Return the record as arrays only, for a store of partial results."""
        extra = {"_step": self.step, "_time": self.time, "_derivatives": self.derivatives}
        return {**self.values, **{key: np.asarray(value) for key, value in extra.items() if value is not None}}

    @classmethod
    def from_store(cls, label: int, stored: Mapping) -> FrameRecord:
        """Undo `to_store`."""
        values = {key: np.asarray(value) for key, value in stored.items()}
        step, time, derivatives = (values.pop(key, None) for key in ("_step", "_time", "_derivatives"))
        return cls(
            label,
            None if step is None else int(step),
            None if time is None else float(time),
            values,
            None if derivatives is None else str(derivatives),
        )


@dataclasses.dataclass(frozen=True)
class FrameFailure:
    """Why one frame has no result."""

    label: int
    sentence: str
    kind: type[Exception]
    traceback: str

    @classmethod
    def of(cls, label: int, error: Exception, where: str = "") -> FrameFailure:
        """Record an exception that is being handled, of a frame that is told by its file where there are several."""
        # Only our own kinds go back to the parent process: a plugin's may not pickle.
        kind = type(error) if type(error) in _KINDS else InputError if isinstance(error, InputError) else RunError
        sentence = sentence_of(error)
        if where and where.lower() not in sentence.lower():
            sentence = f"{where}: {sentence}"
        return cls(label, sentence, kind, "".join(traceback.format_exception(error)))


def check_values(
    values: object, provides: Mapping[str, Field], n: int | None, owner: str, per_frame: bool = True
) -> dict[str, np.ndarray]:
    """Return what ``compute`` gave as arrays, after comparing it with what is declared.

    Parameters
    ----------
    values : object
        By the names of variables.
    provides : mapping of str to Field
        What is declared.
    n : int or None
        Number of particles, where there is one.
    owner : str
        Whose they are, for sentences.
    per_frame : bool, optional
        Whether they are those of one frame, without the dimension of frames.

    Raises
    ------
    RunError
        Names the owner and the variable that is unknown, or has another number of dimensions, or disagrees in length
        with the others.
    """
    if not isinstance(values, Mapping):
        raise RunError(
            f"The {owner} must return a dict of variables from compute(), not {type(values).__name__}; tell its author."
        )
    sizes: dict[str, tuple[int, str]] = {} if n is None else {"particle": (n, "the configuration")}
    result = {}
    for name, value in values.items():
        field = provides.get(name)
        if field is None or (per_frame and not field.per_frame):
            known = ", ".join(key for key, one in provides.items() if one.per_frame or not per_frame) or "none"
            raise RunError(
                f"The {owner} returned the variable {name!r}, which it does not declare{' per frame' * per_frame} "
                f"(declared: {known}); tell its author."
            )
        array, dims = np.asarray(value), field.dims[1:] if per_frame else field.dims
        if array.dtype == object:
            raise RunError(f"The {owner} returned {name!r} with entries that are not numbers or text; tell its author.")
        if array.ndim != len(dims):
            raise RunError(
                f"The {owner} returned {name!r} with shape {array.shape}{' for a frame' * per_frame}, but it declares "
                f"the dimensions ({', '.join(dims)}); tell its author."
            )
        for dim, size in zip(dims, array.shape, strict=True):
            known_size, source = sizes.setdefault(dim, (size, name))
            if size != known_size:
                raise RunError(
                    f"The {owner} returned {name!r} with length {size} along {dim}, but {source} has {known_size}; "
                    "tell its author."
                )
        result[name] = array
    return result


def join_frames(records: Iterable[FrameRecord], provides: Mapping[str, Field], owner: str) -> xr.Dataset:
    """Return one dataset with the coordinates frame, step and time from the values of its frames.

    Ragged variables are laid end to end; the coordinate ``<dim>_frame`` holds the frame label of each entry.

    Raises
    ------
    RunError
        If a variable is missing in some frames or changes its shape from frame to frame.
    """
    records = list(records)
    labels = np.array([record.label for record in records], dtype=np.int64)
    coords = {"frame": ("frame", labels, COORDINATES["frame"])}
    for key in ("step", "time"):
        column = [getattr(record, key) for record in records]
        if records and all(value is not None for value in column):
            coords[key] = ("frame", np.array(column), COORDINATES[key])
    variables, ragged_sizes = {}, {}
    for name, field in provides.items():
        present = [record.label for record in records if name in record.values]
        if not present:
            continue
        if len(present) < len(records):
            missing = next(record.label for record in records if name not in record.values)
            raise RunError(f"The {owner} returned {name!r} in frame {present[0]} but not in frame {missing}.")
        # Taken out of the records, which are not needed again: else everything would be in memory twice.
        arrays = [record.values.pop(name) for record in records]
        attrs = {"units": field.unit, "long_name": field.long_name}
        if field.ragged:
            dim, sizes = field.dims[1], [len(array) for array in arrays]
            ragged_sizes[dim] = sizes
            _same_shape(name, [array[:0] for array in arrays], records, owner)
            variables[name] = (field.dims[1:], np.concatenate(arrays), attrs)
        else:
            _same_shape(name, arrays, records, owner)
            variables[name] = (field.dims, np.stack(arrays), attrs)
    for dim, sizes in ragged_sizes.items():
        attrs = {"long_name": f"frame number of each {dim}", "units": "1"}
        coords[f"{dim}_frame"] = (dim, np.repeat(labels, sizes), attrs)
    try:
        return xr.Dataset(variables, coords)
    except ValueError as error:
        raise RunError(f"The variables of the {owner} do not fit together ({error}); tell its author.") from error


def with_runs(dataset: xr.Dataset, trajectories: Any) -> xr.Dataset:
    """Return a dataset of the frames of several trajectories with the coordinates that tell which frame is whose.

    Parameters
    ----------
    dataset : Dataset
        As `join_frames` gives it.
    trajectories : SeveralTrajectories
        Of which they are.
    """
    places = [trajectories.place(int(label)) for label in dataset["frame"].values]
    columns = np.array(places, dtype=np.int64).reshape(-1, 2).T
    names = ("run", "frame_in_run")
    coords = {name: ("frame", column, COORDINATES[name]) for name, column in zip(names, columns, strict=True)}
    dataset = dataset.assign_coords(coords)
    dataset["frame"].attrs["long_name"] = "frame number through all trajectories"
    return dataset


def check_dataset(dataset: object, provides: Mapping[str, Field], owner: str) -> xr.Dataset:
    """Return a finished dataset with ``units`` and ``long_name`` on each variable.

    Raises
    ------
    RunError
        If a variable is not declared, or has other dimensions than declared.
    """
    if not isinstance(dataset, xr.Dataset):
        raise RunError(
            f"The {owner} must return a Dataset from summarize(), not {type(dataset).__name__}; tell its author."
        )
    dataset = dataset.copy()
    for name in dataset.data_vars:
        field = provides.get(str(name))
        if field is None:
            raise RunError(
                f"The {owner} added the variable {name!r}, which is not among those it declares "
                f"({', '.join(provides)}); tell its author."
            )
        declared = field.dims[1:] if field.ragged else field.dims
        if tuple(dataset[name].dims) != tuple(declared):
            raise RunError(
                f"The {owner} gave {name!r} the dimensions ({', '.join(map(str, dataset[name].dims))}), but declares "
                f"({', '.join(declared)}); tell its author."
            )
        dataset[name].attrs.setdefault("units", field.unit)
        dataset[name].attrs.setdefault("long_name", field.long_name)
    return dataset


def name_units(dataset: xr.Dataset, units: Units, dimension: int | None) -> xr.Dataset:
    """Return a dataset whose ``units`` are those of the numbers: eV / Angstrom**2 where it said energy / length**2."""
    dataset = dataset.copy()
    for variable in dataset.variables:
        if isinstance(text := dataset[variable].attrs.get("units"), str):
            dataset[variable].attrs["units"] = units.text(text, dimension)
    return dataset


def frame_of(dataset: xr.Dataset, label: int) -> xr.Dataset:
    """Return the part of a dataset that belongs to one frame, ragged variables included.

    Raises
    ------
    KeyError
        If the dataset has no such frame.
    """
    if "frame" not in dataset.coords:
        return dataset
    return dataset.isel(_ragged_indices(dataset, [label])).sel(frame=label)


def frames_of(dataset: xr.Dataset, labels) -> xr.Dataset:
    """Return the part of a dataset that belongs to some frames; those it does not have are left out."""
    if "frame" not in dataset.coords:
        return dataset
    frames = np.flatnonzero(np.isin(dataset["frame"].values, labels))
    return dataset.isel({"frame": frames, **_ragged_indices(dataset, labels)})


def sentence_of(error: BaseException) -> str:
    """Word an exception in one line; the kind is named unless pelplug raised it on purpose."""
    text = " ".join(str(error).split())
    return text if isinstance(error, PelplugError) and text else f"{type(error).__name__}: {text}".rstrip(": ")


def raise_all_failed(owner: str, failures: list[FrameFailure]) -> None:
    """Raise for a run in which every frame failed, as the kind of error they share."""
    first = failures[0]
    kind = first.kind if all(failure.kind is first.kind for failure in failures) else RunError
    many = f"all {len(failures)} frames" if len(failures) > 1 else "its only frame"
    error = kind(f"The {owner} failed in {many}; frame {first.label}: {first.sentence}")
    error.add_note(first.traceback)
    raise error


def _ragged_indices(dataset: xr.Dataset, labels) -> dict[str, np.ndarray]:
    return {
        coord.dims[0]: np.flatnonzero(np.isin(coord.values, labels))
        for name, coord in dataset.coords.items()
        if coord.ndim == 1 and name == f"{coord.dims[0]}_frame"
    }


def _same_shape(name: str, arrays: list, records: list, owner: str) -> None:
    for array, record in zip(arrays, records, strict=True):
        if array.shape != arrays[0].shape:
            raise RunError(
                f"The {owner} returned {name!r} with shape {arrays[0].shape} in frame {records[0].label} but "
                f"{array.shape} in frame {record.label}; a variable whose length changes is declared ragged."
            )
