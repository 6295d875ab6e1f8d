"""The metabasins of all records at one temperature, in bins that are the same at all, and resampled."""

from __future__ import annotations

import dataclasses

import numpy as np

import pelplug
from pelplug_metabasins.resampling import Samples

__all__ = ["Record", "binned", "record_of"]

_BINS = 120


@dataclasses.dataclass(frozen=True)
class Record:
    """Metabasins of all runs at one temperature.

    Attributes
    ----------
    temperature, beta : float
        T [temperature] and 1 / (k_B T) [1 / energy].
    energy, stay, ends : ndarray, shape (n,)
        Energy [energy], what was seen of the waiting time [time], and the share of its two ends that was seen.
    run : ndarray of int, shape (n,)
        Number of the run.
    samples : Samples
        Runs, or blocks of metabasins, and choices among them.
    """

    temperature: float
    beta: float
    energy: np.ndarray
    stay: np.ndarray
    ends: np.ndarray
    run: np.ndarray
    samples: Samples


def record_of(group, blocks: int, resamples: int, seed: int) -> Record:
    """Return the record of the results at one temperature.

    Raises
    ------
    InputError
        If one has frames too far apart to tell waiting times, or there is no jump.
    """
    parts: list[tuple[np.ndarray, ...]] = []
    runs = 0
    for one in group:
        if "single_frame_share" in one and float(one["single_frame_share"]) > 0.5:
            raise pelplug.InputError(
                f"{one.source} tells no waiting times, for most of its metabasins last one frame; make it anew of "
                "frames that are written more often, or leave it out."
            )
        read = one.read(*_READ, *(["metabasin_run"] if "metabasin_run" in one else []))
        energy, stay, whole = (np.asarray(read[name].values, dtype=float) for name in _READ)
        run = np.asarray(read["metabasin_run"].values if "metabasin_run" in read else np.zeros(energy.size), dtype=int)
        first, last = np.r_[True, run[1:] != run[:-1]], np.r_[run[1:] != run[:-1], True]
        ends = np.where(whole == 1, 1.0, 1.0 - 0.5 * first - 0.5 * last)
        parts.append((energy, stay, ends, run + runs))
        runs += int(run.max()) + 1
    energy, stay, ends, run = (np.concatenate(column) for column in zip(*parts, strict=True))
    temperature = float(group.value("temperature"))
    if not ends.sum() >= _FEWEST:
        raise pelplug.InputError(
            f"The results at T = {temperature:g} have {ends.sum():.0f} jumps between metabasins, fewer than {_FEWEST}; "
            "give those of longer records, or leave them out."
        )
    thermal = next(iter(group)).conditions.units.thermal(temperature)
    independent = int(ends.sum() / pelplug.statistical_inefficiency(energy) / _LONGER)
    samples = Samples(run, max(min(blocks, independent), pelplug.FEWEST_FOR_INTERVAL), resamples, seed)
    return Record(temperature, 1.0 / thermal, energy, stay, ends, run, samples)


def binned(records: list[Record]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean energies of fine bins, and in each the jumps and the time of each temperature and each choice.

    Returns
    -------
    energy : ndarray, shape (bins,)
    number, time : ndarray, shape (temperatures, 1 + R, bins)
    """
    every = np.concatenate([one.energy for one in records])
    low, width = every.min(), max(np.ptp(every), 1e-9) / _BINS
    place = [np.minimum(((one.energy - low) / width).astype(int), _BINS - 1) for one in records]
    here = np.bincount(np.concatenate(place), minlength=_BINS)
    used = here > 0
    energy = np.bincount(np.concatenate(place), every, minlength=_BINS)[used] / here[used]
    pairs = [
        [one.samples.histogram(at, _BINS, some)[:, used] for some in (one.ends, one.stay)]
        for one, at in zip(records, place, strict=True)
    ]
    number, time = (np.stack(some) for some in zip(*pairs, strict=True))
    return energy, number, time


_READ = ("metabasin_energy", "waiting_time", "complete")
_FEWEST = 20
_LONGER = 2.0  # blocks, than what is correlated
