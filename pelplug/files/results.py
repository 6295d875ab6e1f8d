"""Results on disk: xarray datasets with units and provenance as compressed NetCDF4 files."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import xarray as xr

from pelplug.core.arguments import takes
from pelplug.core.outputs import atomic_output, check_output, open_for_library
from pelplug.core.outside import refuse_links
from pelplug.errors import InputError
from pelplug.files.record import require_record

__all__ = ["check_output", "read_outlines", "read_results", "read_variables", "write_netcdf"]

# Names of what pelplug itself writes into the root of a file.
_NAME = "analysis"
_GROUPS = "pelplug_analyses"


@takes()
def write_netcdf(
    path: str | os.PathLike[str],
    datasets: Mapping[str, xr.Dataset],
    overwrite: bool = False,
    inputs: Iterable[str | os.PathLike[str]] = (),
) -> Path:
    """Write results to a NetCDF4 file that appears under its name only when it is complete.

    Parameters
    ----------
    path : path_like
        File to write.
    datasets : xarray.Dataset or dict of str to xarray.Dataset
        One dataset goes to the root group, several to one group each under the analysis's name:
        ``xarray.open_dataset(path, group="kappa")``.
    overwrite : bool, optional
        Replace an existing file.
    inputs : iterable of path_like, optional
        Files read by the calculation, which are never replaced.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    InputError
        If the file exists and `overwrite` is false, or its folder cannot be written; if a result does not say where it
        comes from as its version does.
    RunError
        If the disk is full; nothing half-written is left and an older file stays as it was.
    """
    if isinstance(path, xr.Dataset | Mapping):
        raise InputError("The name of a file comes before what is written: write_netcdf(path, datasets).")
    if isinstance(datasets, xr.Dataset):
        datasets = {str(datasets.attrs.get(_NAME, "results")): datasets}
    if not datasets:
        raise InputError("There are no results to write; select at least one analysis.")
    ready = {str(name): _storable(dataset, str(name)) for name, dataset in datasets.items()}
    for name, dataset in ready.items():
        require_record(dataset, name)
    if len(ready) == 1:
        tree = xr.DataTree(next(iter(ready.values())))
        encoding = {"/": _encoding(tree.to_dataset())}
    else:
        for name in ready:
            if "/" in name or name in {".", ".."}:
                raise InputError(f"The analysis name {name!r} cannot name a group of a NetCDF file; leave out '/'.")
        root = xr.Dataset(attrs={_GROUPS: json.dumps(list(ready))})
        tree = xr.DataTree.from_dict({"/": root} | {f"/{name}": dataset for name, dataset in ready.items()})
        encoding = {f"/{name}": _encoding(dataset) for name, dataset in ready.items()}
    with atomic_output(path, overwrite, inputs) as temporary, open_for_library(temporary) as file:
        tree.to_netcdf(file, engine="h5netcdf", encoding=encoding)
    return Path(path)


@takes()
def read_results(path: str | os.PathLike[str]) -> dict[str, xr.Dataset]:
    """Read a file that `write_netcdf` wrote.

    Parameters
    ----------
    path : path_like
        NetCDF4 file.

    Returns
    -------
    dict of str to xarray.Dataset
        The datasets by analysis name, in memory; the file is closed.

    Raises
    ------
    InputError
        If the file is missing, is not NetCDF4, or holds no results.
    """
    with _opened(path) as found:
        return {name: dataset.load() for name, dataset in found.items()}


def read_outlines(path: str | os.PathLike[str]) -> dict[str, xr.Dataset]:
    """Return what `read_results` does with the attributes and the single numbers only, which are read in no time.

    The names of all variables are in ``encoding["variables"]``, the lengths of dimensions in ``encoding["sizes"]``.
    """
    with _opened(path) as found:
        return {name: _outline(dataset) for name, dataset in found.items()}


def _outline(dataset: xr.Dataset) -> xr.Dataset:
    outline = dataset.drop_dims(list(dataset.sizes)).load()
    outline.encoding = {"variables": tuple(dataset.variables), "sizes": dict(dataset.sizes)}
    return outline


def read_variables(path: str | os.PathLike[str], analysis: str, names: Iterable[str]) -> xr.Dataset:
    """Return variables of a result in a file with their coordinates and the attributes of all, and nothing else."""
    with _opened(path) as found:
        dataset = found.get(analysis, xr.Dataset())
        return dataset[[name for name in names if name in dataset]].load()


@contextlib.contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[dict[str, xr.Dataset]]:
    """Give the datasets of a file by analysis name; their values are read when they are asked for."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"There is no file {path}; check the name.")
    try:
        with h5py.File(path, "r") as file:
            refuse_links(file, path)
        with xr.open_datatree(path, engine="h5netcdf", phony_dims="sort") as tree:
            names = tree.attrs.get(_GROUPS)
            if names is not None:
                groups: dict[str, Any] = {name: tree[name] for name in json.loads(names)}
                yield {name: group.to_dataset(inherit=False) for name, group in groups.items()}
                return
            dataset = tree.to_dataset(inherit=False)
            if _NAME not in dataset.attrs:
                raise InputError(
                    f"{path} is a NetCDF file without results of pelplug; give a .nc file that pelplug wrote."
                )
            yield {str(dataset.attrs[_NAME]): dataset}
    except InputError:
        raise
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"{path} cannot be read as results of pelplug ({first}); give a .nc file that pelplug wrote."
        ) from error


def _storable(dataset: xr.Dataset, name: str) -> xr.Dataset:
    """Return the dataset with attributes NetCDF can hold and the analysis's name."""
    dataset = dataset.copy()
    dataset.attrs = {_NAME: name} | dict(dataset.attrs)
    dataset.attrs = {str(key): _attribute(value) for key, value in dataset.attrs.items()}
    for variable in dataset.variables.values():
        variable.attrs = {str(key): _attribute(value) for key, value in variable.attrs.items()}
        variable.encoding = {}
    return dataset


def _attribute(value: Any) -> Any:
    """Numbers, strings and number arrays as they are; everything else as JSON text."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bool, np.bool_)) or value is None:
        return json.dumps(None if value is None else bool(value))
    if isinstance(value, (int, float, np.integer, np.floating)):
        return value
    if isinstance(value, np.ndarray) and value.dtype.kind in "iuf" and value.ndim <= 1:
        return value
    if isinstance(value, (list, tuple)) and value and all(type(item) in (int, float) for item in value):
        return np.array(value)
    return json.dumps(value, default=_plain, sort_keys=isinstance(value, Mapping))


def _plain(value: Any) -> Any:
    """Give json what it does not know."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    return str(value)


def _encoding(dataset: xr.Dataset) -> dict:
    """Lossless compression of every array of numbers; no fill value, so that NaN and integers stay what they are."""
    encoding: dict[Any, dict[str, Any]] = {}
    for name, variable in dataset.variables.items():
        if variable.dtype.kind in "biuf":
            encoding[name] = {"_FillValue": None}
            if variable.ndim and variable.size:
                encoding[name] |= {"zlib": True, "complevel": 4, "shuffle": True}
    return encoding
