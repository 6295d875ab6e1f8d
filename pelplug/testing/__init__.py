"""A kit to make small trajectories and to check an analysis. For plugin authors.

In a test module::

    import pelplug.testing
    from pelplug_foo.foo import Foo

    def test_contract(tmp_path):
        trajectory = pelplug.testing.make_trajectory(tmp_path / "traj.gsd")
        dataset = pelplug.testing.check_analysis(Foo, trajectory, parameters={"depth": 2})
        assert float(dataset["foo"].mean()) > 0

With ``pytest_plugins = ["pelplug.testing"]`` in the root ``conftest.py`` the path of such a trajectory is the fixture
``pelplug_trajectory``. Analyses are sent to other processes by the name of their class, so define them in an
importable module, not inside the test.
"""

from __future__ import annotations

import json
import os
import pickle
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from pelplug.core.conditions import Conditions
from pelplug.core.fields import Need
from pelplug.errors import InputError
from pelplug.files.results import read_results, write_netcdf
from pelplug.host.checks import check_analysis_contract
from pelplug.host.functions import run_analyses
from pelplug.host.hookspecs import hookimpl
from pelplug.host.registry import Registry
from pelplug.trajectories.readers.write import write_trajectory

__all__ = ["check_analysis", "make_trajectory", "pelplug_trajectory", "registry_with"]

_PROVENANCE = ("analysis", "plugin", "parameters", "versions", "input_file", "input_sha256", "fingerprint", "created")


@pytest.fixture(scope="session")
def pelplug_trajectory(tmp_path_factory) -> Path:
    """Path of a small trajectory made by `make_trajectory`."""
    return make_trajectory(tmp_path_factory.mktemp("pelplug") / "trajectory.gsd")


def make_trajectory(path, model: str = "kob-andersen", n: int = 100, frames: int = 4, seed: int = 0) -> Path:
    """Write a small disordered trajectory with velocities, images, steps and the record of its model.

    Parameters
    ----------
    path : path_like
        File to write, ``.gsd`` or (any dimension) ``.nc``.
    model : str, optional
        Model whose composition and density to use.
    n : int, optional
        Number of particles.
    frames : int, optional
        Number of frames; particles move by about 0.02 of their distance between two.
    seed : int, optional
        Seed of the random numbers.

    Returns
    -------
    pathlib.Path
        The file.
    """
    rng = np.random.default_rng(seed)
    built = Registry().model(model)
    start = built.random_configuration(n, rng)
    spacing = (start.volume / n) ** (1 / start.dimension)
    walk = np.cumsum(rng.normal(scale=0.02 * spacing, size=(frames, n, start.dimension)), axis=0)
    configurations = (
        start.replace(
            positions=start.positions + walk[k],
            velocities=rng.normal(size=start.positions.shape),
            images=np.zeros(start.positions.shape, dtype=int),
            frame=k,
            step=100 * k,
        ).wrapped()
        for k in range(frames)
    )
    # What the velocities have stands for the temperature, for analyses that need one.
    said = Conditions(temperature=1.0, seed=seed, units=built.units)
    write_trajectory(path, configurations, model_record=built.to_dict(), conditions=said, overwrite=True)
    return Path(path)


def registry_with(*classes: type) -> Registry:
    """Return a registry of the installed plugins and of some analyses that need not be installed."""
    registry = Registry()
    extra = [cls for cls in classes if registry.analyses().get(getattr(cls, "name", None)) is not cls]

    class Plugin:
        """Analyses under test."""

        @staticmethod
        @hookimpl
        def pelplug_analyses():
            return extra

    if extra:
        record = registry.register(Plugin(), "under-test")
        registry.analyses()
        _require(record.error is None, f"the analysis is refused: {record.error}")
    return registry


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
        _require(copy.to_dataset().identical(dataset), "a pickled analysis comes back with another result")
        if "multiprocessing" in cls.get_supported_backends():
            other = run_analyses(cls.name, trajectory, **common, backend="multiprocessing", workers=workers)
            _check_same(dataset, other.datasets[cls.name])
        file = Path(folder) / "result.nc"
        write_netcdf(file, dataset)
        again = cls.from_dataset(read_results(file)[cls.name])
        _require(again.to_dataset().equals(dataset), "the result read back from NetCDF differs")
        figure = again.figure()
        figure.savefig(os.path.join(folder, "figure.png"))
        _require(figure.axes, "figure() has no panel")
    return dataset


def _check_dataset(cls: type, dataset: xr.Dataset, trajectory: Any) -> None:
    _require(dataset.data_vars, "the result has no variable")
    for name, array in dataset.data_vars.items():
        _require(array.attrs.get("units"), f"the variable {name} has no units")
        _require(array.attrs.get("long_name"), f"the variable {name} has no long_name")
        _require(array.sizes.get("particle", trajectory.n) == trajectory.n, f"{name} is not one value a particle")
    for key in _PROVENANCE:
        _require(key in dataset.attrs, f"the provenance lacks {key}")
    if cls.reads_frames:
        _require(dataset.sizes.get("frame") == trajectory.n_frames, f"frames failed: {dataset.attrs['failed_frames']}")
    if Need.POTENTIAL in cls.needs:
        _require(dataset.attrs["model"], "the provenance lacks the model")


def _check_parameters(cls: type, dataset: xr.Dataset, trajectory: Any, parameters: Mapping[str, Any]) -> None:
    recorded = json.loads(dataset.attrs["parameters"])
    _require(set(recorded) == set(cls.parameter_specs()), "the provenance does not hold every parameter")
    try:
        cls(trajectory, **{**parameters, "no_such_parameter": 1})
    except InputError:
        return
    raise AssertionError("an unknown parameter is not refused: pass **base on to super().__init__")


def _check_same(serial: xr.Dataset, parallel: xr.Dataset) -> None:
    for name in serial.variables:
        _require(
            name in parallel.variables and _equal_but_for_rounding(serial[name], parallel[name]),
            f"{name} differs between one process and several; seed random numbers from the frame, not from their order",
        )
    same = {key: value for key, value in serial.attrs.items() if key != "created"}
    other = {key: value for key, value in parallel.attrs.items() if key != "created"}
    _require(same == other, "the provenance differs between one process and several")


def _equal_but_for_rounding(one: xr.DataArray, other: xr.DataArray) -> bool:
    # Workers have one thread each: a linear algebra library with more of them sums in another order.
    if (one.dims, one.shape, one.dtype, one.attrs) != (other.dims, other.shape, other.dtype, other.attrs):
        return False
    if one.dtype.kind != "f":
        return np.array_equal(one, other)
    scale = np.nan_to_num(float(abs(one).max())) if one.size else 0.0
    return np.allclose(one, other, rtol=1e-8, atol=1e-10 * scale, equal_nan=True)


def _require(condition: Any, sentence: str) -> None:
    if not condition:
        raise AssertionError(sentence)
