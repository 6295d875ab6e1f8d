"""200 runs of 155 Kob-Andersen particles: what twenty of them say together, and what one says alone.

The environment variable PELPLUG_VALIDATION_FOLDER names a folder in which the runs are kept, so that they are made once
(half an hour of one core).
"""

from __future__ import annotations

import os
import pathlib
from typing import Any

import gsd.hoomd
import numpy as np
import xarray as xr
from validation.stated_errors.judged import Stated, error

import pelplug

__all__ = ["ALONE", "ALONE_AT", "ASKED", "GROUPS", "RATIO", "alone", "analysed", "energies", "ratios", "runs"]

RUNS, GROUPS, ALONE, SEED = 200, 10, 50, 13_000
TEMPERATURE = 0.8
WORDS = f"Kob-Andersen liquids of 155 particles at T = {TEMPERATURE}, 80 time units"
RATIO = (0.45, 1.6)
"""What the scatter of the ten groups over their mean stated error must lie between."""
AT = (2.0, 6.6, 20.0)
CURVES = ("msd", "fs", "alpha_2", "chi_4")
ASKED = ("diffusion_coefficient", "tau_alpha", "alpha_2(2)", "alpha_2(6.6)", "chi_4(2)", "chi_4(6.6)")
"""Of all particles; the others are reported."""
ALONE_AT = (1.0, 2.0, 6.6)


def runs() -> list[str]:
    """Return the files, which are made where they are not there."""
    folder = pathlib.Path(os.environ["PELPLUG_VALIDATION_FOLDER"])
    paths = [str(folder / f"run-seed{SEED + k}.gsd") for k in range(RUNS)]
    if not all(map(os.path.exists, paths)):
        pelplug.simulate(
            "kob-andersen", n=155, temperature=TEMPERATURE, steps=16_000, frames="100", log_every=100, melt_steps=2000,
            equilibration=6000, engine="lammps", threads=1, seed=SEED, replicas=RUNS, output=folder / "run.gsd",
        )  # fmt: skip
    return paths


def analysed(paths: list[str]) -> xr.Dataset:
    """Return what dynamics says of some runs together."""
    return pelplug.analyze("dynamics", paths, wave_number=7.25, quantities="msd,fs,alpha_2,chi_4").isel(wave_number=0)


def numbers(ds: xr.Dataset, times=AT) -> dict[str, tuple[float, float]]:
    """Return value and stated error of all that is compared, of one kind of particle."""
    found = {name: (ds[name], ds[f"{name}_error"]) for name in ("diffusion_coefficient", "tau_alpha")}
    for name in CURVES:
        for t in times:
            one = ds.sel(lag_time=t, method="nearest")
            found[f"{name}({t:g})"] = one[name], one[f"{name}_error"]
    return {name: (float(value), float(stated)) for name, (value, stated) in found.items()}


def ratios(groups: list[xr.Dataset], kind: str) -> dict[str, dict[str, Any]]:
    """Return mean, scatter and mean stated error of groups of runs, by quantity."""
    each = [numbers(ds.sel(kind=kind)) for ds in groups]
    found = {}
    for name in each[0]:
        value, stated = np.array([one[name] for one in each]).T
        known = np.isfinite(value) & np.isfinite(stated)
        scatter = value[known].std(ddof=1) if known.sum() > 1 else np.nan
        mean_stated = stated[known].mean() if known.any() else np.nan
        found[name] = {
            "mean": float(value[known].mean()) if known.any() else np.nan,
            "error": float(mean_stated),
            "ratio": float(scatter / mean_stated),
            "unstated": int((~known).sum()),
            "asked": kind == "all" and name in ASKED,
        }
    return found


def alone(each: list[xr.Dataset], together: xr.Dataset) -> dict[str, list[Stated]]:
    """Return what runs state one by one, against what all of them say."""
    truth = numbers(together.sel(kind="all"), ALONE_AT)
    found: dict[str, list[Stated]] = {name: [] for name in truth}
    for ds in each:
        for name, (value, stated) in numbers(ds.sel(kind="all"), ALONE_AT).items():
            found[name].append(error(value, stated, truth[name][0]))
    return found


def energies(paths: list[str]) -> np.ndarray:
    """Return the mean potential energies of the first and the second half of each run, shape (runs, 2)."""
    found = []
    for path in paths:
        with gsd.hoomd.open(path) as file:
            logged = [frame.log["pelplug/energies/potential_energy"] for frame in file]
        found.append([half.mean() for half in np.array_split(np.concatenate(logged), 2)])
    return np.array(found)
