"""The check of an analysis that is given two trajectories."""

from __future__ import annotations

import unittest
from typing import Any

import numpy as np
import xarray as xr

from pelplug.configuration import Configuration
from pelplug.errors import InputError, PelplugError
from pelplug.tasks.provenance import failed_frames
from pelplug.testing.checks import check, require
from pelplug.testing.kit import Kit

__all__ = []

_SHAKEN = 0.01  # of the distance between particles


@check("analysis")
def check_several_trajectories(cls: Any, kit: Kit) -> None:
    """Of two trajectories it gives the frames of both in order, or what they give together, or refuses before work."""
    if failed_frames(kit.result(cls).datasets[cls.name]):
        raise unittest.SkipTest("frames fail anyway")
    rng = np.random.default_rng(8)

    def shake(one: Configuration) -> Configuration:
        size = _SHAKEN * one.density ** (-1.0 / one.dimension)
        moved = one.positions + rng.normal(scale=size, size=one.positions.shape)
        # Another run has other velocities, too: some analyses read nothing else.
        turned = {} if one.velocities is None else {"velocities": -0.9 * one.velocities}
        return one.replace(positions=moved, **turned)

    paths = [kit.altered("nothing", lambda one: one), kit.altered("another run", shake)]
    try:
        found = kit.run(cls, paths).datasets[cls.name]
    except InputError:
        return
    except PelplugError as error:
        raise AssertionError(f"of two trajectories it fails where it should refuse: {error}") from error
    failed = failed_frames(found)
    require(not failed, f"of two trajectories frames fail: {failed}")
    if cls.reads_frames:
        _require_frames_of_both(found, kit.opened.n_frames)
        return
    alone = kit.run(cls, paths[0]).datasets[cls.name]
    numbers = [name for name, one in found.data_vars.items() if one.dtype.kind in "fiu"]
    other = any(name not in alone or not _same(alone[name], found[name]) for name in numbers)
    require(
        other, "of two trajectories it gives what the first gives alone; read self.trajectories, or take pools away"
    )


def _require_frames_of_both(found: xr.Dataset, frames: int) -> None:
    hint = "summarize() must keep the coordinates of the dataset"
    expected = {
        "frame": np.arange(2 * frames),
        "run": np.repeat([0, 1], frames),
        "frame_in_run": np.tile(np.arange(frames), 2),
    }
    for name, numbers in expected.items():
        there = name in found.coords and np.array_equal(found[name], numbers)
        require(there, f"of two trajectories {name} does not tell the frames of both in order: {hint}")
    values = [name for name, one in found.data_vars.items() if one.dims[:1] == ("frame",) and one.dtype.kind == "f"]
    runs = (found.isel(frame=found["run"].values == run) for run in (0, 1))
    first, second = ([each[name].values for name in values] for each in runs)
    other = any(not np.array_equal(one, two, equal_nan=True) for one, two in zip(first, second, strict=True))
    require(
        other or not values, "of two trajectories the second gives what the first gives: compute() reads its own file"
    )


def _same(one: xr.DataArray, other: xr.DataArray) -> bool:
    return one.shape == other.shape and np.array_equal(one.values, other.values, equal_nan=one.dtype.kind == "f")
