"""Steepest descent of the Mari-Kurchan model from planted equilibrium: power law above, exponential below.

Published: Nishikawa et al., Phys. Rev. X 12, 021001 (2022), Fig. 1: at T = 0.015 v ~ t^-beta with beta = 0.75, cut off
by the size of the system, with z = 0.75 in v = N^(-beta z) F(t / N^z) (its Eq. S3); at T = 0.0001 an exponential decay
that does not depend on N; sizes up to N = 16,384.
Run: ``pytest -m validation tests/validation/test_mari_kurchan.py -s``.

Sizes, seeds and windows were fixed before these runs, after one exploratory sample (N = 1024, seed 1001). The cold
runs are a third protocol, with new seeds: in the windows 100 to 1000 and 300 to 2500 of the first two neither fit was
decidedly the better, nor is it in the third's, 2000 to 10,000. At T = 0.0001 the Hessian has a gap, with the softest
modes at 0.001 (N = 512): one exponential is alone only far beyond t = 1000.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import time

import numpy as np
import pytest
from pelplug_relaxation.fits import fit_decay, local_slope

import pelplug

pytestmark = pytest.mark.validation

HOT, COLD = 0.015, 0.0001
SAMPLES = {2048: (4, 3000.0), 8192: (1, 1000.0)}  # N: (seeds from 1, last time)
COLD_SAMPLES = {512: (8, 10_000.0), 2048: (4, 10_000.0)}
COLD_SEED = 201
HOT_WINDOW, COLD_WINDOW = (1.0, 100.0), (2000.0, 10_000.0)
RTOL = 1e-2


def one(n: int, temperature: float, seed: int, last: float) -> dict:
    """Times and velocities of one sample; written down as soon as they are there if PELPLUG_RECORD names a folder."""
    folder = os.environ.get("PELPLUG_RECORD")
    record = pathlib.Path(folder, f"mk-{n}-{temperature:g}-{seed}.json") if folder else None
    if record and record.exists():
        return json.loads(record.read_text())
    clock = time.process_time()
    model, start = pelplug.model("mari-kurchan").planted(n, temperature, seed)
    times = 0.01 * 10.0 ** (np.arange(int(10 * np.log10(last / 0.01) + 1e-9) + 1) / 10)
    found = pelplug.steepest_descent(start, model.potential(start), times, rtol=RTOL, to_minimum=False)
    assert len(found.times) == len(times)
    result = {
        "n": n, "temperature": temperature, "seed": seed, "times": times.tolist(),
        "velocity": found.rms_velocity.tolist(), "energy": [found.initial_energy / n, found.final_energy / n],
        "defect": found.final_energy_defect, "evaluations": found.evaluations, "cpu": time.process_time() - clock,
    }  # fmt: skip
    print(f"\nN = {n}, T = {temperature:g}, seed {seed}: {found.evaluations} evaluations, {result['cpu']:.0f} s")
    if record:
        record.write_text(json.dumps(result))
    return result


@functools.cache
def mean_decay(n: int, temperature: float, samples: int, last: float):
    """Times, mean velocity and velocity of every sample."""
    first = COLD_SEED if temperature == COLD else 1
    found = [one(n, temperature, seed, last) for seed in range(first, first + samples)]
    print(f"\n  largest energy defect {max(abs(f['defect']) for f in found):.1e}")
    curves = np.array([f["velocity"] for f in found])
    return np.array(found[0]["times"]), curves.mean(axis=0), curves


def fit(times, mean, window):
    """Fits in a window, and which of the two describes it: the rule of the relaxation plugin."""
    inside = (times >= 0.999 * window[0]) & (times <= 1.001 * window[1]) & (mean > 0)
    found = fit_decay(times[inside], mean[inside])
    decided = abs(found.aic_difference) > 10.0
    return found, ("power law" if found.aic_difference > 0 else "exponential") if decided else "undecided"


def report(n, temperature, times, mean):
    """Print the fits in several windows and v(t)."""
    for window in ((1.0, 100.0), (3.0, 300.0), (10.0, 100.0), (30.0, 300.0), (100.0, 1000.0), COLD_WINDOW):
        if window[1] > 1.01 * times[-1]:
            continue
        found, decay = fit(times, mean, window)
        print(
            f"  N = {n}, T = {temperature:g}, {window[0]:g} to {window[1]:g}: {decay}, AIC difference "
            f"{found.aic_difference:.0f}, beta {found.beta:.3f}, rate {found.rate:.3g}"
        )
    slope = local_slope(times, mean)
    print("  " + ", ".join(f"v({t:.3g}) {v:.3g} (slope {s:.2f})" for t, v, s in
                           list(zip(times, mean, slope, strict=True))[10::5]))  # fmt: skip


@pytest.mark.xfail(reason="the slope grows without end, but one exponential is not decidedly better than a power law")
@pytest.mark.parametrize("n", COLD_SAMPLES)
def test_cold_decay_is_exponential(n):
    times, mean, _ = mean_decay(n, COLD, *COLD_SAMPLES[n])
    report(n, COLD, times, mean)
    assert fit(times, mean, COLD_WINDOW)[1] == "exponential"


def test_cold_decay_does_not_depend_on_size():
    at = {n: float(np.interp(300.0, *mean_decay(n, COLD, *COLD_SAMPLES[n])[:2])) for n in COLD_SAMPLES}
    print(f"\n  v(300) at T = {COLD:g}: {at}")
    assert max(at.values()) < 1.3 * min(at.values())


@pytest.mark.parametrize("n", SAMPLES)
def test_hot_decay_is_a_power_law(n):
    times, mean, _ = mean_decay(n, HOT, *SAMPLES[n])
    report(n, HOT, times, mean)
    found, decay = fit(times, mean, HOT_WINDOW)
    assert decay == "power law"
    assert found.beta == pytest.approx(0.75, abs=0.08)


@pytest.mark.parametrize(("temperature", "cut_off"), [(COLD, True), (HOT, False)])
@pytest.mark.parametrize("seed", [401, 402])
def test_only_cold_decays_are_cut_off_at_a_finite_rate(temperature, cut_off, seed):
    """Held-out samples: v ~ t^-b exp(-lambda t) against a power law, from t = 100 to 2500, each sample by itself."""
    found = one(2048, temperature, seed, 2511.9)
    times, velocity = np.array(found["times"]), np.array(found["velocity"])
    inside = (times >= 99.9) & (velocity > 0)
    fits = fit_decay(times[inside], velocity[inside])
    print(f"  lambda {fits.cutoff_rate:.2e}, b {fits.cutoff_exponent:.2f}, AIC difference {fits.aic_cutoff:.1f}")
    assert (fits.aic_cutoff > 10.0 and fits.cutoff_rate > 0.0) == cut_off


def test_larger_hot_systems_are_slower():
    late = {n: float(np.interp(1000.0, *mean_decay(n, HOT, *SAMPLES[n])[:2])) for n in SAMPLES}
    print(f"\n  v(1000) at T = {HOT:g}: {late}")
    assert late[2048] < late[8192]
