"""The checks of an analysis."""

from __future__ import annotations

import json
import os
import pickle
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pelplug.core.fields import Need
from pelplug.errors import InputError
from pelplug.files.results import read_results, write_netcdf
from pelplug.host.checks import check_analysis_contract
from pelplug.host.functions import run_analyses
from pelplug.testing.checks import check, require
from pelplug.testing.samples import make_trajectory, registry_with

__all__ = ["check_analysis"]

_PROVENANCE = ("analysis", "plugin", "parameters", "versions", "input_file", "input_sha256", "fingerprint", "created")


@check("analysis")
def check_declared(cls, kit):
    """Name, summary, variables and parameters are declared as the host wants them."""
    try:
        check_analysis_contract(cls)
    except TypeError as error:
        raise AssertionError(str(error)) from error


def check_analysis(
    cls: type,
    trajectory: Any = None,
    *,
    model: Any = None,
    parameters: Mapping[str, Any] | None = None,
    also: tuple[type, ...] = (),
    workers: int = 2,
) -> xr.Dataset:
    """Run an analysis and check that it keeps the contract of pelplug.

    Checked are: name, summary, variables and parameters; that two worker processes give what one gives, to the last
    bit; pickling; units and provenance; writing to NetCDF and reading back; drawing the figure from what was read;
    refusal of an unknown parameter.

    Parameters
    ----------
    cls : type
        The analysis.
    trajectory : path or Trajectory, optional
        What to run on; a Kob-Andersen liquid of 100 particles if None.
    model : str or Model, optional
        Model, where the trajectory does not record one.
    parameters : mapping, optional
        Parameters to run with.
    also : tuple of type, optional
        Analyses it uses that are not installed.
    workers : int, optional
        Number of processes of the parallel run.

    Returns
    -------
    Dataset
        The result, for tests of its numbers.

    Raises
    ------
    AssertionError
        With a sentence, if something is not kept.
    """
    try:
        check_analysis_contract(cls)
    except TypeError as error:
        raise AssertionError(str(error)) from error
    parameters = dict(parameters or {})
    registry = registry_with(*also, cls)
    with tempfile.TemporaryDirectory() as folder:
        trajectory = make_trajectory(Path(folder) / "trajectory.gsd") if trajectory is None else trajectory
        common = {"model": model, "parameters": parameters, "registry": registry}
        run = run_analyses(cls.name, trajectory, **common)
        dataset = run.datasets[cls.name]
        _check_dataset(cls, dataset, run.trajectory)
        _check_parameters(cls, dataset, run.trajectory, parameters)
        try:
            copy = pickle.loads(pickle.dumps(run.analyses[cls.name]))
        except Exception as error:
            raise AssertionError(f"the analysis cannot be pickled, so processes cannot share it: {error}") from error
        require(copy.to_dataset().identical(dataset), "a pickled analysis comes back with another result")
        if "multiprocessing" in cls.get_supported_backends():
            other = run_analyses(cls.name, trajectory, **common, backend="multiprocessing", workers=workers)
            _check_same(dataset, other.datasets[cls.name])
        file = Path(folder) / "result.nc"
        write_netcdf(file, dataset)
        again = cls.from_dataset(read_results(file)[cls.name])
        require(again.to_dataset().equals(dataset), "the result read back from NetCDF differs")
        figure = again.figure()
        figure.savefig(os.path.join(folder, "figure.png"))
        require(figure.axes, "figure() has no panel")
    return dataset


def _check_dataset(cls: type, dataset: xr.Dataset, trajectory: Any) -> None:
    require(dataset.data_vars, "the result has no variable")
    for name, array in dataset.data_vars.items():
        require(array.attrs.get("units"), f"the variable {name} has no units")
        require(array.attrs.get("long_name"), f"the variable {name} has no long_name")
        require(array.sizes.get("particle", trajectory.n) == trajectory.n, f"{name} is not one value a particle")
    for key in _PROVENANCE:
        require(key in dataset.attrs, f"the provenance lacks {key}")
    if cls.reads_frames:
        require(dataset.sizes.get("frame") == trajectory.n_frames, f"frames failed: {dataset.attrs['failed_frames']}")
    if Need.POTENTIAL in cls.needs:
        require(dataset.attrs["model"], "the provenance lacks the model")


def _check_parameters(cls: type, dataset: xr.Dataset, trajectory: Any, parameters: Mapping[str, Any]) -> None:
    recorded = json.loads(dataset.attrs["parameters"])
    require(set(recorded) == set(cls.parameter_specs()), "the provenance does not hold every parameter")
    try:
        cls(trajectory, **{**parameters, "no_such_parameter": 1})
    except InputError:
        return
    raise AssertionError("an unknown parameter is not refused: pass **base on to super().__init__")


def _check_same(serial: xr.Dataset, parallel: xr.Dataset) -> None:
    for name in serial.variables:
        require(
            name in parallel.variables and _equal_but_for_rounding(serial[name], parallel[name]),
            f"{name} differs between one process and several; seed random numbers from the frame, not from their order",
        )
    same = {key: value for key, value in serial.attrs.items() if key != "created"}
    other = {key: value for key, value in parallel.attrs.items() if key != "created"}
    require(same == other, "the provenance differs between one process and several")


def _equal_but_for_rounding(one: xr.DataArray, other: xr.DataArray) -> bool:
    # Workers have one thread each: a linear algebra library with more of them sums in another order.
    if (one.dims, one.shape, one.dtype, one.attrs) != (other.dims, other.shape, other.dtype, other.attrs):
        return False
    if one.dtype.kind != "f":
        return np.array_equal(one, other)
    scale = np.nan_to_num(float(abs(one).max())) if one.size else 0.0
    return np.allclose(one, other, rtol=1e-8, atol=1e-10 * scale, equal_nan=True)
