"""Export of results to formats other programs read: GSD and extended XYZ for each particle, CSV for curves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pelplug.configuration import Configuration
from pelplug.core.conditions import Conditions
from pelplug.core.outputs import atomic_output
from pelplug.errors import InputError, PelplugError, RunError
from pelplug.files.drawing import Drawing
from pelplug.files.gsd import GSDWriter, pad

__all__ = ["CSVExporter", "ExtXYZExporter", "GSDExporter", "export", "find_exporter"]


_PARTICLE = ("frame", "particle")

ORIGIN = "frame_labels"
"""Attribute of positions that do not belong to frames: the variable that holds the frame each state comes from."""


def find_exporter(path, exporters: Iterable[Any] = (), dimension: int | None = None):
    """Return the exporter for the ending of `path`.

    Parameters
    ----------
    path : path_like
        File to be written.
    exporters : iterable, optional
        Third-party exporters, with `name`, `summary`, `suffixes` and ``export(datasets, trajectory, path)``.
    dimension : int, optional
        Dimension of space of what will be exported.

    Raises
    ------
    InputError
        If nobody writes that ending (the endings known are listed), or the format does not hold that dimension.
    """
    known = {suffix.lower(): one for one in (*BUNDLED, *exporters)[::-1] for suffix in one.suffixes}
    name = Path(path).name.lower()
    for suffix in sorted(known, key=len, reverse=True):
        if name.endswith(suffix):
            found, possible = known[suffix], getattr(known[suffix], "dimensions", None)
            if dimension is not None and possible is not None and dimension not in possible:
                raise InputError(
                    f"{Path(path).name} cannot hold {dimension} dimensions, only {' or '.join(map(str, possible))}; "
                    "leave the export out and use the NetCDF file."
                )
            return found
    raise InputError(f"Nothing exports to {Path(path).name}; use one of the endings {', '.join(sorted(known))}.")


def export(datasets, path, trajectory=None, overwrite: bool = False, exporters: Iterable[Any] = ()) -> Path:
    """Write results in the format that the ending of `path` names.

    Parameters
    ----------
    datasets : xarray.Dataset or dict of str to xarray.Dataset
        Results by analysis name. Fields of the same name are told apart as ``<analysis>.<field>``.
    path : path_like
        ``.gsd``, ``.xyz`` and ``.extxyz`` take per-particle fields, ``.csv`` curves and series.
    trajectory : pelplug.Trajectory, optional
        Where boxes, species and positions come from. A variable ``positions`` of the results (frame, particle,
        dimension) replaces its positions, as inherent structures do. If positions are a list of other states, their
        attribute ``frame_labels`` names the variable that holds the frame of each, and a frame is written for each.
    overwrite : bool, optional
        Replace an existing file.
    exporters : iterable, optional
        Third-party exporters (hook ``pelplug_exporters``).

    Returns
    -------
    pathlib.Path
        The file written, complete or not at all.

    Raises
    ------
    InputError
        If the ending is unknown, there is nothing to export, or the file exists.
    RunError
        If the disk is full or the exporter fails.
    """
    exporter = find_exporter(path, exporters, getattr(trajectory, "dimension", None))
    if isinstance(datasets, xr.Dataset):
        datasets = {str(datasets.attrs.get("analysis", "results")): datasets}
    read = [one.path for one in getattr(trajectory, "trajectories", ())]
    with atomic_output(path, overwrite, read) as temporary:
        try:
            exporter.export(datasets, trajectory, temporary)
        except (PelplugError, OSError):
            raise
        except Exception as error:
            if exporter in BUNDLED:
                raise
            raise RunError(f"The exporter {exporter.name} failed ({error}); tell its author.") from error
    return Path(path)


class GSDExporter:
    """Per-particle fields as ``log/particles/<name>``, which OVITO can colour by; diameters and bonds, as it draws."""

    name = "gsd"
    summary = "per-particle fields in a GSD trajectory (OVITO, HOOMD-blue)"
    suffixes = (".gsd",)
    dimensions = (2, 3)

    def export(self, datasets: Mapping[str, xr.Dataset], trajectory, path) -> None:
        """Write every frame of `datasets` that has per-particle fields or positions to `path`."""
        vectors = [name for name, field in _named(datasets, _PARTICLE).items() if field.dims[-1] == "dimension"]
        text = {name for name, one in _named(datasets, ("frame",)).items() if one.dtype.kind not in "biuf"}
        records, drawing = _records(datasets, trajectory), Drawing(datasets)
        if said := drawing.record():
            records["drawn"] = said
        with GSDWriter(path, records) as writer:
            for conf, fields, scalars in _frames(datasets, trajectory, self.name):
                numbers = {key: value for key, value in scalars.items() if key not in text}
                writer.write(conf, fields, numbers, vectors, drawing.of(conf.frame))


class ExtXYZExporter:
    """Per-particle fields as columns of extended XYZ, in full precision."""

    name = "extxyz"
    summary = "per-particle fields in extended XYZ (OVITO, ASE)"
    suffixes = (".xyz", ".extxyz")
    dimensions = (2, 3)

    def export(self, datasets: Mapping[str, xr.Dataset], trajectory, path) -> None:
        """Write every frame of `datasets` that has per-particle fields or positions to `path`."""
        unfollowed = _records(datasets, trajectory).get("unfollowed", {}).get("reason", "")
        with open(path, "w", encoding="utf-8") as file:
            for conf, fields, scalars in _frames(datasets, trajectory, self.name):
                if conf.dimension not in (2, 3):
                    raise InputError(
                        f"Extended XYZ holds two or three dimensions, not {conf.dimension}; keep the NetCDF file."
                    )
                self._write(file, conf, fields, scalars, unfollowed)

    @staticmethod
    def _write(file, conf: Configuration, fields: Mapping, scalars: Mapping, unfollowed: str) -> None:
        lattice = np.eye(3)
        lattice[: conf.dimension, : conf.dimension] = conf.cell
        columns = [pad(conf.positions)]
        properties = ["species:S:1", "pos:R:3"]
        for name, values in fields.items():
            columns.append(np.asarray(values, dtype=float).reshape(conf.n, -1))
            properties.append(f"{_word(name)}:R:{columns[-1].shape[1]}")
        comment = [
            f'Lattice="{" ".join(f"{value:.17g}" for value in lattice.ravel())}"',
            f"Properties={':'.join(properties)}",
            f'pbc="T T {"T" if conf.dimension == 3 else "F"}"',
        ]
        labels = {"frame": conf.frame, "step": conf.step, "time": conf.time} | dict(scalars)
        labels["unfollowed"] = unfollowed or None
        comment += [f"{_word(key)}={_text(value)}" for key, value in labels.items() if value is not None]
        file.write(f"{conf.n}\n{' '.join(comment)}\n")
        table = np.concatenate(columns, axis=1)
        line = "%s" + " %.17g" * table.shape[1] + "\n"
        written = _single_words(conf.species_names)
        names = [written[name] for name in conf.species.tolist()]
        file.writelines(line % (name, *row) for name, row in zip(names, table.tolist(), strict=True))


class CSVExporter:
    """One-dimensional curves and series side by side, each group led by its own coordinates."""

    name = "csv"
    summary = "curves and per-frame series as columns (spreadsheets, pandas)"
    suffixes = (".csv",)

    def export(self, datasets: Mapping[str, xr.Dataset], trajectory, path) -> None:
        """Write every variable with one dimension, except per-particle and per-pair ones, to `path`."""
        import pandas

        tables = []
        for analysis, dataset in datasets.items():
            prefix = f"{analysis}." if len(datasets) > 1 else ""
            for dim in dict.fromkeys(name for variable in dataset.data_vars.values() for name in variable.dims):
                curves = [name for name, variable in dataset.data_vars.items() if variable.dims == (dim,)]
                # Lists of pairs or particles are not curves: they have no coordinate of their own.
                if not curves or dim == "particle" or f"{dim}_frame" in dataset.coords:
                    continue
                coords = [name for name, coord in dataset.coords.items() if coord.dims == (dim,)]
                coords.sort(key=lambda name, dim=dim: name != dim)
                columns = {f"{prefix}{_with_unit(dataset, name)}": dataset[name].values for name in (*coords, *curves)}
                tables.append(pandas.DataFrame(columns))
        if not tables:
            raise InputError("These results have no curves for a CSV file; export them to .gsd instead.")
        # repr of a double is the shortest text that gives the same double back.
        pandas.concat(tables, axis=1).to_csv(path, index=False)


BUNDLED = (GSDExporter(), ExtXYZExporter(), CSVExporter())
"""The exporters that come with pelplug."""


def _frames(datasets: Mapping[str, xr.Dataset], trajectory, kind: str) -> Iterator[tuple[Configuration, dict, dict]]:
    """Yield for each frame label its configuration, per-particle fields and whole-frame numbers."""
    fields, scalars = _named(datasets, _PARTICLE), _named(datasets, ("frame",))
    # Of several trajectories: which one, and its frame.
    scalars |= {name: one[name] for one in datasets.values() for name in ("run", "frame_in_run") if name in one.coords}
    moved = next((one for one in datasets.values() if "positions" in one and "frame" in one["positions"].dims), None)
    carriers = list(fields.values()) + ([] if moved is None else [moved["positions"]])
    visits = None if carriers else _visited(datasets)
    if visits is not None:
        yield from _visits(visits, trajectory)
        return
    if not carriers:
        raise InputError(f"These results have no per-particle fields for {kind}; export curves to .csv.")
    labels = sorted({int(label) for array in carriers for label in array["frame"].values})
    if not labels:
        raise RunError(f"No frame of these results is complete, so there is nothing to export to {kind}.")
    for label in labels:
        conf = _configuration(trajectory, datasets, moved, label)
        particle = {name: _at(array, label) for name, array in fields.items()}
        for name, values in particle.items():
            if values is None:  # this analysis has no such frame
                particle[name] = np.full((conf.n, *fields[name].shape[2:]), np.nan)
            elif len(values) != conf.n:
                raise InputError(
                    f"The field {name} has {len(values)} particles, but frame {label} has {conf.n}; "
                    "give the trajectory the results were made from."
                )
        whole = {name: _at(array, label) for name, array in scalars.items()}
        yield conf, particle, {name: np.nan if value is None else value.item() for name, value in whole.items()}


def _visited(datasets: Mapping[str, xr.Dataset]) -> xr.Dataset | None:
    """Return the dataset whose positions are a list of states, each with the frame it came from."""
    return next((one for one in datasets.values() if "positions" in one and ORIGIN in one["positions"].attrs), None)


def _visits(dataset: xr.Dataset, trajectory) -> Iterator[tuple[Configuration, dict, dict]]:
    """Yield for each of these states its configuration, no per-particle fields, and the numbers of its list."""
    positions = dataset["positions"]
    if trajectory is None:
        raise InputError("An export needs the boxes and species of the trajectory; give the trajectory file too.")
    lists = {
        name: one.values
        for name, one in dataset.data_vars.items()
        if one.dims == positions.dims[:1] and one.dtype.kind in "biuf"
    }
    for k, label in enumerate(dataset[positions.attrs[ORIGIN]].values):
        conf = trajectory.configuration(int(label))
        # They are continuous from state to state, and not with the images of the trajectory.
        conf = _moved(conf.replace(images=None), positions.values[k])
        yield conf, {}, {str(name): values[k].item() for name, values in lists.items()}


def _named(datasets: Mapping[str, xr.Dataset], dims: tuple[str, ...]) -> dict[str, xr.DataArray]:
    """Variables with the given leading dimensions and numbers or text in them, under names that differ."""
    found = [
        (analysis, name, variable)
        for analysis, dataset in datasets.items()
        for name, variable in _labelled(dataset)
        if variable.dims[: len(dims)] == dims
        and variable.ndim <= (3 if "particle" in dims else 1)
        and name not in ("positions", "cell")
        and (variable.dtype.kind in "biuf" or "particle" not in dims)
    ]
    names = [name for _, name, _ in found]
    return {name if names.count(name) == 1 else f"{analysis}.{name}": variable for analysis, name, variable in found}


def _labelled(dataset: xr.Dataset) -> Iterator[tuple[str, xr.DataArray]]:
    """Yield variables by name; per-particle ones of several labels (frame, label, particle) one by one."""
    for name, variable in dataset.data_vars.items():
        by = variable.dims[1] if variable.dims[::2][:2] == _PARTICLE else None
        if by in dataset.coords and dataset[by].dtype.kind in "USOT":
            yield from ((f"{name}_{label}", variable.isel({by: k})) for k, label in enumerate(dataset[by].values))
        else:
            yield str(name), variable


def _at(array: xr.DataArray, label: int) -> np.ndarray | None:
    index = np.flatnonzero(array["frame"].values == label)
    return array.values[index[0]] if len(index) else None


def _configuration(trajectory, datasets: Mapping, moved: xr.Dataset | None, label: int) -> Configuration:
    index = None if moved is None else _at(moved["positions"], label)
    if trajectory is not None:
        conf = trajectory.configuration(label)
        return conf if index is None else _moved(conf, index)
    cell = None if moved is None or "cell" not in moved else _at(moved["cell"], label)
    if index is None or cell is None or "species" not in moved:
        raise InputError("An export needs the boxes and species of the trajectory; give the trajectory file too.")
    return Configuration(index, cell, moved["species"].values, frame=label)


def _moved(conf: Configuration, positions: np.ndarray) -> Configuration:
    """Replace positions; images are of the old ones, so those of the new ones are found from the displacement."""
    if positions.shape != conf.positions.shape:
        raise InputError(
            f"The results have positions of shape {positions.shape}, but the trajectory {conf.positions.shape}; "
            "give the trajectory the results were made from."
        )
    if conf.images is None:  # continuous, so that images count from here
        return conf.replace(positions=positions, velocities=None, images=np.zeros(positions.shape, dtype=np.int64))
    shift = np.rint((positions - conf.positions) @ np.linalg.inv(conf.cell)).astype(np.int64)
    return conf.replace(positions=positions, velocities=None, images=conf.images - shift)


def _records(datasets: Mapping[str, xr.Dataset], trajectory) -> dict[str, Mapping]:
    """Return the model of the results, and where each of them comes from."""
    records: dict[str, Mapping] = {}
    labels = {int(label) for one in datasets.values() if "frame" in one.coords for label in one["frame"].values}
    if reason := getattr(trajectory, "why_not_followed", lambda labels: "")(sorted(labels) or None):
        records["unfollowed"] = {"reason": f"it was made from other frames: {reason}"}
    records |= {
        "provenance": {
            name: {str(key): value if isinstance(value, str) else str(value) for key, value in dataset.attrs.items()}
            for name, dataset in datasets.items()
        }
    }
    if (conditions := _conditions(datasets)) is not None:
        records["conditions"] = conditions.to_record(model=False)
    model = getattr(trajectory, "model_record", None)
    for dataset in datasets.values():
        try:
            given = json.loads(dataset.attrs.get("model") or "null")
        except (TypeError, ValueError):
            continue
        if isinstance(given, Mapping) and "name" in given:
            model = given
    # How these positions were made; what a program that reads only the first frame's log wants to know.
    for dataset in datasets.values():
        if _has_minima(dataset):
            records["quench"] = json.loads(dataset.attrs["quench"])
    return records if model is None else records | {"model": model}


def _conditions(datasets: Mapping[str, xr.Dataset]) -> Conditions | None:
    """Return the conditions of the states of an export, which may be the minima of those that results are of."""
    if not datasets:
        return None
    found = Conditions.of(next(iter(datasets.values())))  # results that go into one file are of one trajectory
    return found.quenched() if any(map(_has_minima, datasets.values())) else found


def _has_minima(dataset: xr.Dataset) -> bool:
    """Tell whether positions are those of minima: of a dataset that says how it was quenched, unless it says more."""
    quenched = bool(dataset.attrs.get("quench")) and "positions" in dataset
    return quenched and dataset["positions"].attrs.get("of") != "frame"


def _with_unit(dataset: xr.Dataset, name) -> str:
    unit = dataset[name].attrs.get("units")
    return f"{name} [{unit}]" if unit not in (None, "", "1") else str(name)


def _single_words(names) -> dict[str, str]:
    """Names of species without blanks, which divide the columns of XYZ; different names stay different."""
    found: dict[str, str] = {}
    for name in sorted(names, key=lambda one: any(map(str.isspace, one))):
        word = "".join("_" if char.isspace() else char for char in name) or "_"
        while word in found.values():
            word += "_"
        found[name] = word
    return found


def _word(value) -> str:
    """Text without what extended XYZ takes as separators."""
    return "".join("_" if char.isspace() or char in '=":{}[],' else char for char in str(value)) or "_"


def _text(value) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "T" if value else "F"
    if isinstance(value, (float, np.floating)):
        return f"{value:.17g}"
    return str(value) if isinstance(value, (int, np.integer)) else '"' + str(value).replace('"', "'") + '"'
