"""Metropolis dynamics of the Mari-Kurchan model from planted equilibrium, and where it slows down.

``PELPLUG_VALIDATION_FOLDER=... pytest -m validation tests/validation/test_mari_kurchan_dynamics.py -s``; runs are kept
there, and go on where they were interrupted. Protocol: docs/records/2026-11-30-mari-kurchan-dynamics.md.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import pelplug

pytestmark = pytest.mark.validation

N, SAMPLES, NEAR = 512, 3, 0.3
FIRST = {0.1: 1000, 0.06: 1000, 0.04: 1000, 0.03: 1000, 0.022: 1000}
FIRST |= {0.018: 2000, 0.015: 2000, 0.012: 4000, 0.010: 8000}
THIRD = {0.1: 1000, 0.06: 1500, 0.04: 2000, 0.03: 3000, 0.022: 5000, 0.018: 8000, 0.015: 16_000, 0.012: 32_000}
HOT = 4  # temperatures of the line through ln(tau) against 1/T


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Path(os.environ.get("PELPLUG_VALIDATION_FOLDER") or tmp_path_factory.mktemp("moves"))


def measure(folder, lengths, delta, time_of):
    """Mean and error of the logarithm of a time [sweep] at each temperature."""
    times = {}
    for temperature, sweeps in lengths.items():
        found, energies = [], []
        for seed in range(1, SAMPLES + 1):
            model, start = pelplug.model("mari-kurchan").planted(N, temperature, seed)
            every = max(1, sweeps // 1000)
            path = folder / f"moves-{delta}-{temperature}-{seed}.nc"
            run = pelplug.swap_monte_carlo(
                start, model, temperature, sweeps, sample_every=every, delta=delta, seed=seed, output=path, resume=True
            )
            energies.append([run.energies[: sweeps // 10].mean() / N, run.energies[-sweeps // 2 :].mean() / N])
            with pelplug.open_trajectory(path) as trajectory:
                frames = [trajectory.configuration(k).unwrapped_positions() for k in range(len(trajectory))]
            found.append(every * time_of(np.array([start.positions, *frames])))
        first, last = np.mean(energies, axis=0)
        error = pelplug.standard_error(np.diff(energies, axis=1)[:, 0])
        value, spread = times[temperature] = np.log(found).mean(), pelplug.standard_error(np.log(found))
        print(
            f"T = {temperature}: {np.exp(value):.1f} sweeps, relative error {spread:.3f}; U/N of the first tenth "
            f"{first:.6f}, of the second half {last:.6f}, error of the difference {error:.6f}, accepted "
            f"{run.displacement_acceptance:.2f}"
        )
    return times


def lags_of(path):
    return np.unique(np.geomspace(1, len(path) // 2, 40).astype(int))


def relaxation_time(path):
    """Frames after which 1/e of the particles are within 0.3 of where they were, over all origins; NaN if later."""
    lags = lags_of(path)
    share = np.array([np.mean(np.linalg.norm(path[lag:] - path[:-lag], axis=2) < NEAR) for lag in lags])
    return first_below(lags, share, np.exp(-1))


def time_of_a_diameter(path):
    """Frames after which the mean squared displacement is 1, over all origins; NaN if later."""
    lags = lags_of(path)
    squared = np.array([np.mean(np.sum((path[lag:] - path[:-lag]) ** 2, axis=2)) for lag in lags])
    return first_below(lags, -np.log(squared), 0.0)


def first_below(lags, values, level):
    below = np.flatnonzero(values < level)
    if not len(below) or below[0] == 0:
        return np.nan
    k = below[0]
    place = (values[k - 1] - level) / (values[k - 1] - values[k])
    return np.exp(np.log(lags[k - 1]) + place * np.log(lags[k] / lags[k - 1]))


def check_onset(times):
    temperatures = np.array(list(times))
    logs = np.array([value for value, _ in times.values()])
    line = np.polyfit(1.0 / temperatures[:HOT], logs[:HOT], 1)
    excess = logs - np.polyval(line, 1.0 / temperatures)
    print(f"Arrhenius law of the hot ones: {np.exp(line[1]):.3g} exp({line[0]:.4f} / T)")
    for temperature, one in zip(temperatures, excess, strict=True):
        print(f"T = {temperature}: over the Arrhenius law of the hot ones {np.exp(one):.3f}")
    over = np.flatnonzero((excess > np.log(1.1)) & (temperatures < temperatures[HOT - 1]))
    assert len(over), "no onset within the temperatures measured"
    k = over[0]
    weight = (np.log(1.1) - excess[k - 1]) / (excess[k] - excess[k - 1])
    onset = temperatures[k - 1] + weight * (temperatures[k] - temperatures[k - 1])
    print(f"onset, where the time is 10 % above: T = {onset:.4f}")
    assert 0.01 < onset < 0.02


@pytest.mark.xfail(reason="0.3 diameters are inside the cage, and the time grows less than by Arrhenius's law")
def test_onset(folder):
    check_onset(measure(folder, FIRST, 0.1, relaxation_time))


@pytest.mark.xfail(reason="the time to move a diameter grows less than by Arrhenius's law down to 0.012")
def test_onset_by_the_time_to_move_a_diameter(folder):
    check_onset(measure(folder, THIRD, 0.3, time_of_a_diameter))
