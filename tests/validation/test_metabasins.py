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

ONE_CUTOFF = """
name = "kob-andersen-rc18"
form = "lennard-jones"
dimension = 3
species = ["A", "B"]
truncation = "shifted-force"
cutoff = 1.8
density = 1.2
time_step = 0.005
composition = {A = 0.8, B = 0.2}

[[pair]]
species = ["A", "A"]
sigma = 1.0
epsilon = 1.0

[[pair]]
species = ["A", "B"]
sigma = 0.8
epsilon = 1.5
cutoff = 2.25

[[pair]]
species = ["B", "B"]
sigma = 0.88
epsilon = 0.5
cutoff = 2.0454545454545454
"""
"""1.8 sigma_AA for every pair; the shorter reading is 1.8 sigma_ij, which the bundled model has."""

RUNS = {
    "rc06": {"temperature": 0.6, "steps": 800_000, "frames": 10, "equilibration": 200_000, "seed": 21, "step": 2},
    "mb06": {"temperature": 0.6, "steps": 400_000, "frames": 10, "equilibration": 200_000, "seed": 12, "step": 2},
}
BLOCKS, SCATTERING_BLOCKS = 20, 10
K_C = 15.0
WAVE_NUMBERS = np.arange(8.0, 27.0)


@pytest.fixture(scope="module", params=list(RUNS))
def run(request, tmp_path_factory):
    """Name, result of metabasins, times and unwrapped positions of the continuous trajectory."""
    return make(request.param, tmp_path_factory)


def make(name: str, tmp_path_factory=None):
    """Simulate, quench every frame and find the metabasins; what is already there is read."""
    made = dict(RUNS[name])
    step, temperature = made.pop("step"), made.pop("temperature")
    kept = os.environ.get("PELPLUG_VALIDATION_FOLDER")
    folder = pathlib.Path(kept) if kept else tmp_path_factory.mktemp("metabasins")
    path, transitions = folder / f"{name}.gsd", folder / f"it-{name}.nc"
    if name.startswith("rc"):
        (folder / "abs.toml").write_text(ONE_CUTOFF)
        model = pelplug.models.from_file(folder / "abs.toml")
    else:
        model = pelplug.model("kob-andersen", cutoff=1.8, truncation="shifted-force")
    if not path.exists():
        pelplug.simulate(model, n=65, temperature=temperature, output=path, engine="lammps", **made)
    if not transitions.exists():
        found = pelplug.analyze(INPUT, path, model=model, search="all", step=step)
        pelplug.results.write_netcdf({INPUT: found}, transitions)
    source = pelplug.read_results(transitions)[INPUT]
    ds = Metabasins(None, inputs={INPUT: source}, temperature=temperature, k=(400.0, 15.0)).summarize(xr.Dataset())
    trajectory = pelplug.open_trajectory(path)
    positions = np.stack([trajectory.configuration(k).unwrapped_positions() for k in source["frame"].values])
    positions -= positions.mean(axis=1, keepdims=True)
    print(f"\n{name}: {ds.attrs['statistics']}; {source.sizes['visit']} visits, {int(source['structures'])} "
          f"structures; censored {float(ds['censored_share']):.2f}; 1 / jump rate "
          f"{1 / float(ds['jump_rate']):.2f}, <tau> "
          f"{float(ds['mean_waiting_time']):.2f} +- {float(ds['mean_waiting_time_error']):.2f}; a^2 "
          f"{float(ds['squared_jump']):.3f} +- {float(ds['squared_jump_error']):.3f}; jump correlation "
          f"{float(ds['jump_correlation']):.3f}; {ds.attrs['rate_fit']}")  # fmt: skip
    return name, ds, source["time"].values, positions


def blocks_of(values: np.ndarray, blocks: int = BLOCKS) -> np.ndarray:
    """Mean over each block of time origins."""
    return np.array([part.mean(axis=0) for part in np.array_split(values, blocks)])


def scattering_of_blocks(positions: np.ndarray, lags: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Self-intermediate scattering function, mean over directions; shape (blocks of origins, lags, wave numbers)."""
    n = len(positions)
    curves = []
    for lag in lags:
        origins = np.arange(0, n - lag, max(1, (n - lag) // 4000))
        distance = np.sqrt(np.square(positions[origins + lag] - positions[origins]).sum(axis=2))
        values = np.stack([np.sinc(wave * distance / np.pi).mean(axis=1) for wave in k], axis=1)
        curves.append(blocks_of(values, SCATTERING_BLOCKS))
    return np.stack(curves, axis=1)


def stretched(t: np.ndarray, curve: np.ndarray, begin: float = 1.0) -> tuple[float, np.ndarray, int]:
    """Relaxation time, (amplitude, tau_0, beta) and number of times of the fit, until the curve is below 0.02."""
    low = np.flatnonzero(curve < 0.02)
    window = (t >= begin) & (np.arange(len(t)) < (low[0] if len(low) else len(t)))
    fit, _ = optimize.curve_fit(
        lambda t, a, tau, beta: a * np.exp(-((t / tau) ** beta)),
        t[window], curve[window], p0=(0.7, t[window][-1] / 10, 0.5), bounds=([0, 0, 0.05], [1, np.inf, 1.5]),
    )  # fmt: skip
    return fit[1] / fit[2] * special.gamma(1 / fit[2]), fit, int(window.sum())


def relaxation_times(positions: np.ndarray, dt: float, k: np.ndarray, begin: float = 1.0):
    """tau_alpha at each wave number, without and with each block left out, shape (1 + blocks, k), and the fits."""
    n = len(positions)
    lags = np.unique(np.geomspace(1, n // 2, 60).astype(int))
    curves = scattering_of_blocks(positions, lags, k)
    sums = curves.sum(axis=0)
    means = [sums / len(curves), *((sums - one) / (len(curves) - 1) for one in curves)]
    fits = [[stretched(lags * dt, mean[:, j], begin) for j in range(len(k))] for mean in means]
    return np.array([[tau for tau, *_ in row] for row in fits]), fits[0]


def jackknife(values: np.ndarray) -> np.ndarray:
    """Standard error from values that leave one block out each."""
    return np.sqrt((len(values) - 1) * values.var(axis=0))


def wave_number_of(tau: float, times: np.ndarray, k: np.ndarray) -> float:
    """Wave number at which the relaxation time is tau; NaN outside."""
    order = np.argsort(times)
    return float(np.exp(np.interp(np.log(tau), np.log(times[order]), np.log(k[order]), left=np.nan, right=np.nan)))


def test_diffusion_coefficient(run):
    name, ds, times, positions = run
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
    print(f"{name}: D {hopping:.3e} +- {hopping_error:.1e} (hopping), {value:.3e} +- {error:.1e} (MSD), "
          f"ratio {hopping / value:.2f}")  # fmt: skip
    assert abs(hopping - value) < 2 * np.hypot(error, hopping_error)


def test_scattering_of_metabasins_is_their_persistence(run):
    name, ds, *_ = run
    apart = float(np.abs(ds["scattering"].sel(wave_number=400.0) - ds["persistence"]).max())
    print(f"{name}: S_MB(k = 400) and S0 at most {apart:.4f} apart")
    assert apart < 0.03


def test_relaxation_time(run):
    """(a) of the protocol: at one wave number."""
    name, ds, times, positions = run
    tau, ((_, fit, number),) = relaxation_times(positions, times[1] - times[0], np.array([K_C]))
    error = jackknife(tau[1:])[0]
    value, value_error = float(ds["relaxation_time"]), float(ds["relaxation_time_error"])
    print(f"{name}: tau_alpha {value:.2f} +- {value_error:.2f} (metabasins), {tau[0, 0]:.2f} +- {error:.2f} (F_s at "
          f"k = {K_C:g}, amplitude {fit[0]:.2f}, beta {fit[2]:.2f}, {number} times), ratio "
          f"{value / tau[0, 0]:.2f}")  # fmt: skip
    assert abs(value - tau[0, 0]) < max(2 * np.hypot(value_error, error), 0.25 * tau[0, 0])


def test_wave_number_at_which_relaxation_times_agree(run):
    """(b) of the protocol: the paper's k_c."""
    name, ds, times, positions = run
    tau, _ = relaxation_times(positions, times[1] - times[0], WAVE_NUMBERS)
    value, value_error = float(ds["relaxation_time"]), float(ds["relaxation_time_error"])
    found = wave_number_of(value, tau[0], WAVE_NUMBERS)
    of_scattering = jackknife(np.array([wave_number_of(value, one, WAVE_NUMBERS) for one in tau[1:]]))
    of_metabasins = abs(wave_number_of(value + value_error, tau[0], WAVE_NUMBERS) - found)
    error = float(np.hypot(of_scattering, of_metabasins))
    rows = ", ".join(f"{k:g}: {one:.2f}" for k, one in zip(WAVE_NUMBERS, tau[0], strict=True))
    print(f"{name}: k_c {found:.1f} +- {error:.1f} (paper 14 +- 2); tau of F_s: {rows}")
    assert abs(found - 14) < 2 + error
