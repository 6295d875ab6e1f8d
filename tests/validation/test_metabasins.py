"""Metabasins of 65 Kob-Andersen particles against the continuous trajectory they come from.

Run: ``pytest -m validation tests/validation/test_metabasins.py -s``. The environment variable PELPLUG_VALIDATION_FOLDER
names a folder in which trajectories and transitions are kept, so that they are made once. Protocol, windows and what
is asked were declared in docs/reproduction.md before the runs.
"""

from __future__ import annotations

import os
import pathlib

import numpy as np
import pytest
import xarray as xr
from pelplug_metabasins.metabasins import INPUT, Metabasins
from scipy import optimize, special

import pelplug

pytestmark = pytest.mark.validation

RUNS = {0.5: (1_200_000, 20, 400_000, 11), 0.6: (400_000, 10, 200_000, 12)}
BLOCKS = 20
K_C = 15.0
MISSED = "misses what is asked: 0.12 and 0.54 times that of F_s; see docs/reproduction.md"


@pytest.fixture(scope="module", params=[0.5, 0.6], ids=["T=0.5", "T=0.6"])
def run(request, tmp_path_factory):
    """Result of metabasins, times and unwrapped positions of the continuous trajectory."""
    temperature = request.param
    steps, every, settle, seed = RUNS[temperature]
    kept = os.environ.get("PELPLUG_VALIDATION_FOLDER")
    folder = pathlib.Path(kept) if kept else tmp_path_factory.mktemp("metabasins")
    name = f"{round(10 * temperature):02d}"
    path, transitions = folder / f"mb{name}.gsd", folder / f"it{name}.nc"
    model = pelplug.model("kob-andersen", cutoff=1.8, truncation="shifted-force")
    if not path.exists():
        protocol = {"steps": steps, "frames": every, "equilibration": settle, "seed": seed, "engine": "lammps"}
        pelplug.simulate(model, n=65, temperature=temperature, output=path, **protocol)
    if not transitions.exists():
        pelplug.results.write_netcdf({INPUT: pelplug.analyze(INPUT, path)}, transitions)
    source = pelplug.read_results(transitions)[INPUT]
    ds = Metabasins(None, inputs={INPUT: source}, temperature=temperature).summarize(xr.Dataset())
    trajectory = pelplug.open_trajectory(path)
    positions = np.stack([trajectory.configuration(k).unwrapped_positions() for k in source["frame"].values])
    positions -= positions.mean(axis=1, keepdims=True)
    print(f"\nT = {temperature}: {ds.attrs['statistics']}; {source.sizes['visit']} visits, miss rate "
          f"{float(source['miss_rate']):.3f}; censored {float(ds['censored_share']):.2f}; 1 / jump rate "
          f"{1 / float(ds['jump_rate']):.2f}, <tau> {float(ds['mean_waiting_time']):.2f} +- "
          f"{float(ds['mean_waiting_time_error']):.2f}; a^2 {float(ds['squared_jump']):.3f} +- "
          f"{float(ds['squared_jump_error']):.3f}; jump correlation {float(ds['jump_correlation']):.3f}; "
          f"{ds.attrs['rate_fit']}")  # fmt: skip
    return temperature, ds, source["time"].values, positions


def blocks_of(values: np.ndarray) -> np.ndarray:
    """Mean over each block of time origins."""
    return np.array([part.mean() for part in np.array_split(values, BLOCKS)])


def test_diffusion_coefficient(run):
    temperature, ds, times, positions = run
    n, dt = len(times), times[1] - times[0]
    lags = np.unique(np.geomspace(n / 200, n / 20, 15).astype(int))
    squares = np.stack(
        [blocks_of(np.square(positions[lag:] - positions[:-lag]).sum(axis=2).mean(axis=1)) for lag in lags]
    )
    t = lags * dt
    centred = t - np.average(t, weights=t**-2.0)
    slope = (t**-2.0 * centred) @ squares / np.sum(t**-2.0 * centred**2) / 6
    value, error = slope.mean(), slope.std(ddof=1) / np.sqrt(BLOCKS)
    hopping, hopping_error = (float(ds[f"diffusion_coefficient{end}"]) for end in ("", "_error"))
    print(f"T = {temperature}: D {hopping:.3e} +- {hopping_error:.1e} (hopping), {value:.3e} +- {error:.1e} (MSD), "
          f"ratio {hopping / value:.2f}")  # fmt: skip
    assert abs(hopping - value) < 2 * np.hypot(error, hopping_error)


def test_scattering_of_metabasins_is_their_persistence(run):
    temperature, ds, *_ = run
    apart = float(np.abs(ds["scattering"].sel(wave_number=400.0) - ds["persistence"]).max())
    print(f"T = {temperature}: S_MB(k = 400) and S0 at most {apart:.4f} apart")
    assert apart < 0.03


def test_relaxation_time(run, request):
    temperature, ds, times, positions = run
    request.applymarker(pytest.mark.xfail(reason=MISSED))
    n, dt = len(times), times[1] - times[0]
    lags = np.unique(np.geomspace(1, n // 2, 60).astype(int))
    curves = []
    for lag in lags:
        origins = np.arange(0, n - lag, max(1, (n - lag) // 4000))
        distance = np.sqrt(np.square(positions[origins + lag] - positions[origins]).sum(axis=2))
        curves.append(np.sinc(K_C * distance / np.pi).mean())
    t, curve = lags * dt, np.array(curves)
    low = np.flatnonzero(curve < 0.02)
    window = (t >= 1) & (np.arange(len(t)) < (low[0] if len(low) else len(t)))
    fit, _ = optimize.curve_fit(
        lambda t, a, tau, beta: a * np.exp(-((t / tau) ** beta)),
        t[window], curve[window], p0=(0.7, t[window][-1] / 10, 0.5), bounds=([0, 0, 0.05], [1, np.inf, 1.5]),
    )  # fmt: skip
    tau = fit[1] / fit[2] * special.gamma(1 / fit[2])
    value, error = float(ds["relaxation_time"]), float(ds["relaxation_time_error"])
    print(f"T = {temperature}: tau_alpha {value:.1f} +- {error:.1f} (metabasins), {tau:.1f} (F_s at k = {K_C:g}, "
          f"amplitude {fit[0]:.2f}, beta {fit[2]:.2f}, {window.sum()} times to {t[window][-1]:.0f}, last value "
          f"{curve[window][-1]:.3f}), ratio {value / tau:.2f}")  # fmt: skip
    assert abs(value - tau) < max(2 * error, 0.25 * tau)
