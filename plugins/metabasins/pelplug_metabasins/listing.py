"""From visits of inherent structures to the list of metabasins."""

from __future__ import annotations

import numpy as np
import xarray as xr

import pelplug
from pelplug_metabasins.intervals import group_visits
from pelplug_metabasins.sequences import INPUT, check_steps

__all__ = ["list_metabasins", "spacing_of", "visits_of"]

_READ = ("visit_structure", "visit_first", "visit_last", "visit_energy", "time", "frame")


def visits_of(source: xr.Dataset, merge: str) -> list[dict]:
    """Return the visits of inherent structures in time, checked, run by run: what was visited, when, at which energy.

    Raises
    ------
    InputError
        If they cannot be grouped into metabasins.
    """
    missing = [name for name in _READ if name not in source.variables]
    if missing:
        raise pelplug.InputError(
            f"The result of {INPUT} has no {', '.join(missing)}; run that analysis again with this version."
        )
    energy = source["visit_energy"].values
    if not np.all(np.isfinite(energy)):
        raise pelplug.InputError(
            f"{np.count_nonzero(~np.isfinite(energy))} of {len(energy)} visits have no inherent-structure energy; "
            f"run {INPUT} again."
        )
    of_visit = source["visit_run"].values if "visit_run" in source.variables else np.zeros(len(energy), dtype=int)
    of_frame = source["run"].values if "run" in source.variables else np.zeros(source.sizes["frame"], dtype=int)
    runs = [
        _visits_of_run(source.isel(visit=np.flatnonzero(of_visit == run), frame=np.flatnonzero(of_frame == run)), merge)
        for run in np.unique(of_visit)
    ]
    if sum(len(one["structure"]) for one in runs) == len(runs):
        raise pelplug.InputError(
            "The trajectory stays in one inherent structure, so there are no metabasins; use a longer one."
        )
    return runs


def _visits_of_run(source: xr.Dataset, merge: str) -> dict:
    structure, energy = source["visit_structure"].values.astype(np.int64), source["visit_energy"].values
    first, last = (source[name].values.astype(np.int64) for name in ("visit_first", "visit_last"))
    if np.any(structure[1:] == structure[:-1]) or np.any(last < first) or np.any(first[1:] <= last[:-1]):
        raise pelplug.InputError(f"The visits of {INPUT} do not follow each other in time; run that analysis again.")
    check_steps(source)
    labels, times = source["frame"].values, source["time"].values
    at_first, at_last = times[np.searchsorted(labels, first)], times[np.searchsorted(labels, last)]
    border = np.r_[at_first[0], (at_last[:-1] + at_first[1:]) / 2, at_last[-1]]
    spacing = np.diff(times) / np.diff(labels)
    uniform = bool(np.allclose(spacing, spacing.mean(), rtol=1e-4))
    if merge == "half" and not uniform:
        raise pelplug.InputError(
            "The frames are not equally spaced in time, so lengths of intervals cannot be compared; use "
            "merge=overlap, or select equally spaced frames."
        )
    return {
        "structure": structure,
        "first": first,
        "last": last,
        "energy": energy,
        "border": border,
        "spacing": float(spacing.mean() * np.diff(labels).min()) if uniform else None,
    }


def spacing_of(runs: list[dict]) -> float | None:
    """Return the time between frames, the same in all runs; None if they are not equally spaced [time]."""
    spacings = [one["spacing"] for one in runs]
    return spacings[0] if None not in spacings and np.allclose(spacings, spacings[0], rtol=1e-4) else None


def list_metabasins(source: xr.Dataset, runs: list[dict], merge: str) -> dict[str, np.ndarray]:
    """Return one entry a metabasin of everything that is known of it, run after run."""
    parts, before = [], 0
    for number, visits in enumerate(runs):
        part, lowest = _of_run(visits, merge)
        part["run"] = np.full(len(lowest), number)
        if "positions" in source:
            part["positions"] = source["positions"].values[before + lowest]
        before += len(visits["structure"])
        parts.append(part)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _of_run(visits: dict, merge: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the metabasins of one run, and the visit of the lowest energy of each."""
    structure, energy = visits["structure"], visits["energy"]
    begin = group_visits(structure, visits["first"], visits["last"], merge)
    end = np.r_[begin[1:], len(structure)]
    group = np.repeat(np.arange(len(begin)), end - begin)
    # By metabasin, then energy, then time: the first of each metabasin is the first visit of its lowest energy.
    order = np.lexsort((np.arange(len(structure)), energy, group))
    lowest = order[begin]
    distinct = np.unique(np.stack([group, structure]), axis=1)[0]
    start, stop = visits["border"][begin], visits["border"][end]
    ends = np.full(len(begin), 2.0)  # seen ones: it was entered, and left
    ends[0] -= 1.0
    ends[-1] -= 1.0
    return {
        "metabasin_first": visits["first"][begin],
        "metabasin_last": visits["last"][end - 1],
        "start_time": start,
        "end_time": stop,
        "waiting_time": stop - start,
        "ends": ends / 2,
        "complete": (ends == 2.0).astype(np.int8),
        "metabasin_energy": energy[lowest],
        "metabasin_structure": structure[lowest],
        "metabasin_frame": visits["first"][lowest],
        "metabasin_visits": end - begin,
        "metabasin_structures": np.bincount(distinct, minlength=len(begin)),
    }, lowest
