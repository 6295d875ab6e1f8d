"""The checks of an exporter, by results of few particles."""

from __future__ import annotations

import unittest
from typing import Any

import numpy as np
import xarray as xr

from pelplug.errors import InputError
from pelplug.files.exporters import export
from pelplug.host.checks import check_exporter_contract
from pelplug.testing.checks import check, require
from pelplug.testing.kit import Kit
from pelplug.trajectories.opening import open_trajectory
from pelplug.trajectories.readers.formats import ENDINGS

__all__: list[str] = []


def _datasets(kit: Kit) -> dict[str, xr.Dataset]:
    """Return results with all that an exporter may take: fields of particles, numbers of frames, a curve."""
    if kit.read is not None:
        return kit.read if isinstance(kit.read, dict) else {"results": kit.read}
    trajectory = kit.opened
    n, frames = trajectory.n, trajectory.n_frames
    rng = np.random.default_rng(kit.seed)
    field = {"units": "length", "long_name": "a field"}
    return {
        "made": xr.Dataset(
            {
                "field": (("frame", "particle"), rng.normal(size=(frames, n)), field),
                "number": (("frame",), rng.normal(size=frames), {"units": "energy", "long_name": "a number"}),
                "curve": (("r",), rng.normal(size=8), {"units": "1", "long_name": "a curve"}),
            },
            {
                "frame": np.arange(frames),
                "step": ("frame", [one.step for one in trajectory]),
                "r": ("r", np.linspace(0, 1, 8), {"units": "length", "long_name": "distance"}),
            },
            {"analysis": "made"},
        )
    }


def _written(exporter: Any, kit: Kit) -> dict:
    """Return the file of each ending, in a folder of its own; skip the check where that fails: another one says so."""

    def write() -> dict:
        paths: dict[str, Any] = {}
        for suffix in exporter.suffixes:
            folder = kit.folder / f"written{len(paths)}"
            folder.mkdir()
            paths[suffix] = export(_datasets(kit), folder / f"out{suffix}", kit.opened, exporters=[exporter])
        return paths

    return kit.once("written", write)


def _files(exporter: Any, kit: Kit) -> dict:
    try:
        return _written(exporter, kit)
    except Exception as error:
        raise unittest.SkipTest("it writes nothing, see check_exporter_writes") from error


@check("exporter")
def check_exporter_declared(exporter: Any, kit: Kit) -> None:
    """Name, summary, endings and export() are there as the host wants them."""
    try:
        check_exporter_contract(exporter)
    except TypeError as error:
        raise AssertionError(str(error)) from error
    summary = getattr(exporter, "summary", "")
    require(isinstance(summary, str) and summary.strip(), f"the exporter {exporter.name} has no summary")


@check("exporter")
def check_exporter_writes(exporter: Any, kit: Kit) -> None:
    """It writes a file for each of its endings."""
    for suffix, path in _written(exporter, kit).items():
        require(path.stat().st_size > 0, f"the file with the ending {suffix} is empty")


@check("exporter")
def check_exporter_writes_one_file(exporter: Any, kit: Kit) -> None:
    """It writes to the path that it is given and nowhere else, so that a file is there whole or not at all."""
    for suffix, path in _files(exporter, kit).items():
        beside = sorted(one.name for one in path.parent.iterdir() if one != path)
        require(not beside, f"with the ending {suffix} it also writes {', '.join(beside)}")


@check("exporter")
def check_exporter_leaves_results(exporter: Any, kit: Kit) -> None:
    """The results that it writes are left as they are."""
    _files(exporter, kit)
    datasets = _datasets(kit)
    before = {name: one.copy(deep=True) for name, one in datasets.items()}
    export(datasets, kit.folder / f"again{exporter.suffixes[0]}", kit.opened, exporters=[exporter], overwrite=True)
    changed = [name for name, one in before.items() if name not in datasets or not one.identical(datasets[name])]
    require(not changed, f"it changes the results that it writes: {', '.join(changed)}")


@check("exporter")
def check_exporter_refuses_nothing(exporter: Any, kit: Kit) -> None:
    """Results without anything that it writes are refused by an InputError."""
    _files(exporter, kit)
    odd = xr.Dataset({"name": ((), "text")}, attrs={"analysis": "odd"})
    try:
        export(odd, kit.folder / f"nothing{exporter.suffixes[0]}", kit.opened, exporters=[exporter], overwrite=True)
    except InputError:
        return
    require(False, "it writes a file of results that have nothing for it")


@check("exporter")
def check_exporter_without_trajectory(exporter: Any, kit: Kit) -> None:
    """Results without a trajectory, as a study has them, are written or refused by an InputError."""
    _files(exporter, kit)
    path = kit.folder / f"study{exporter.suffixes[0]}"
    try:
        export(_datasets(kit), path, exporters=[exporter], overwrite=True)
    except InputError:
        return


@check("exporter", when=lambda exporter: any(suffix in ENDINGS for suffix in exporter.suffixes))
def check_exporter_round_trip(exporter: Any, kit: Kit) -> None:
    """A file that is a trajectory is read as the states that were written."""
    for suffix, path in _files(exporter, kit).items():
        if suffix in ENDINGS:
            read = open_trajectory(path)
            require(read.n_frames == kit.opened.n_frames, f"{read.n_frames} of {kit.opened.n_frames} frames are read")
            for one, other in zip(kit.opened, read, strict=True):
                require(np.array_equal(one.species, other.species), "species are read as others")
                apart = (one.positions - other.positions) @ np.linalg.inv(one.cell)
                apart = np.linalg.norm((apart - np.rint(apart)) @ one.cell, axis=1).max()
                scale = np.abs(one.cell).max()
                require(apart < 1e-6 * scale, f"positions are read as others, by {apart:.1e}")
