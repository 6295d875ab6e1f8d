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

N, SAMPLES, DELTA, NEAR = 512, 3, 0.1, 0.3
SWEEPS = {0.1: 1000, 0.06: 1000, 0.04: 1000, 0.03: 1000, 0.022: 1000}
SWEEPS |= {0.018: 2000, 0.015: 2000, 0.012: 4000, 0.010: 8000}
HOT = 4  # temperatures of the line through ln(tau) against 1/T


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    folder = Path(os.environ.get("PELPLUG_VALIDATION_FOLDER") or tmp_path_factory.mktemp("moves"))
    taus = {}
    for temperature, sweeps in SWEEPS.items():
        found, energies = [], []
        for seed in range(1, SAMPLES + 1):
            model, start = pelplug.model("mari-kurchan").planted(N, temperature, seed)
            every = max(1, sweeps // 1000)
            path = folder / f"moves-{temperature}-{seed}.nc"
            run = pelplug.swap_monte_carlo(
                start, model, temperature, sweeps, sample_every=every, delta=DELTA, seed=seed, output=path, resume=True
            )
            energies.append([run.energies[: sweeps // 10].mean() / N, run.energies[-sweeps // 2 :].mean() / N])
            with pelplug.open_trajectory(path) as trajectory:
                frames = [trajectory.configuration(k).unwrapped_positions() for k in range(len(trajectory))]
            found.append(every * relaxation_time(np.array([start.positions, *frames])))
        first, last = np.mean(energies, axis=0)
        error = pelplug.standard_error(np.diff(energies, axis=1)[:, 0])
        value, spread = taus[temperature] = np.log(found).mean(), pelplug.standard_error(np.log(found))
        print(
            f"T = {temperature}: tau = {np.exp(value):.1f} sweeps, relative error {spread:.3f}; U/N of the first tenth "
            f"{first:.6f}, of the second half {last:.6f}, error of the difference {error:.6f}, accepted "
            f"{run.displacement_acceptance:.2f}"
        )
    return taus


def relaxation_time(path):
    """Frames after which 1/e of the particles are within 0.3 of where they were, over all origins; NaN if later."""
    lags = np.unique(np.geomspace(1, len(path) // 2, 40).astype(int))
    share = np.array([np.mean(np.linalg.norm(path[lag:] - path[:-lag], axis=2) < NEAR) for lag in lags])
    below = np.flatnonzero(share < np.exp(-1))
    if not len(below) or below[0] == 0:
        return np.nan
    k = below[0]
    place = (share[k - 1] - np.exp(-1)) / (share[k - 1] - share[k])
    return np.exp(np.log(lags[k - 1]) + place * np.log(lags[k] / lags[k - 1]))


@pytest.mark.xfail(reason="0.3 diameters are inside the cage, and tau grows less than by Arrhenius's law")
def test_onset(measured):
    temperatures = np.array(list(measured))
    logs = np.array([value for value, _ in measured.values()])
    line = np.polyfit(1.0 / temperatures[:HOT], logs[:HOT], 1)
    excess = logs - np.polyval(line, 1.0 / temperatures)
    for temperature, one in zip(temperatures, excess, strict=True):
        print(f"T = {temperature}: tau over the Arrhenius law of the hot ones {np.exp(one):.3f}")
    over = np.flatnonzero((excess > np.log(1.1)) & (temperatures < temperatures[HOT - 1]))
    assert len(over), "no onset within the temperatures measured"
    k = over[0]
    weight = (np.log(1.1) - excess[k - 1]) / (excess[k] - excess[k - 1])
    onset = temperatures[k - 1] + weight * (temperatures[k] - temperatures[k - 1])
    print(f"onset, where tau is 10 % above: T = {onset:.4f}")
    assert 0.01 < onset < 0.02
