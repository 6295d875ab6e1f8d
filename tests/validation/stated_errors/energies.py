"""Series of energies of known law: msed, and the moments of inherent-structure energies."""

from __future__ import annotations

import pathlib
import tempfile

import numpy as np
import scipy.signal
import xarray as xr
from validation.stated_errors.judged import Stated, Subject, error

import pelplug

__all__ = ["SUBJECTS", "correlated"]

N = 100
FAST, SLOW = 40.0, 90.0
"""Variances of the total energy: of vibrations, independent from one entry to the next, and of the landscape."""
LAGS = (1, 10, 100)


def correlated(rng: np.random.Generator, n: int, tau: float) -> np.ndarray:
    """Return an Ornstein-Uhlenbeck process of variance 1 at n times; its correlation is exp(-t / tau)."""
    a = np.exp(-1.0 / tau)
    noise = np.sqrt(1.0 - a * a) * rng.normal(size=n)
    noise[0] = rng.normal()
    return scipy.signal.lfilter([1.0], [1.0, -a], noise)


def differences(n: int, tau: float, seed: int) -> dict[str, Stated]:
    """Return what msed says of a series of two time scales."""
    rng = np.random.default_rng(seed)
    energy = -700.0 + np.sqrt(FAST) * rng.normal(size=n) + np.sqrt(SLOW) * correlated(rng, n, tau)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "energies.csv")
        path.write_text("step,potential_energy_total\n" + "".join(f"{k},{float(e)!r}\n" for k, e in enumerate(energy)))
        ds = pelplug.analyses.MSED(None, energies=str(path), time_step=1.0, particles=N).run().to_dataset()
    limit, u0, um = (2.0 * one / N**2 for one in (FAST + SLOW, FAST, SLOW))
    truths = {"long_time_limit": limit, "u0_squared": u0, "um_squared": um, "tau": tau}
    found = {
        name: error(ds.get(name, np.nan), ds.get(f"{name}_error", np.nan), truth) for name, truth in truths.items()
    }
    for lag in LAGS:
        one = ds.sel(lag=lag, method="nearest")
        truth = u0 - um * np.expm1(-float(one["lag"]) / tau)
        found[f"msed({lag})"] = error(one["msed"], one["msed_error"], truth)
    return found


MSED = ("long_time_limit", "u0_squared", "um_squared", "tau", *(f"msed({lag})" for lag in LAGS))


def series(n: int, tau: float):
    """Return what draws a series of n entries."""
    return lambda seed: differences(n, tau, seed)


def skewed(rng: np.random.Generator, n: int, tau: float, runs: int = 1) -> tuple[np.ndarray, tuple[float, ...]]:
    """Return a correlated series z + c (z^2 - 1) of a Gaussian z, and its mean, variance and skewness."""
    c = 0.15
    z = np.concatenate([correlated(rng, n, tau) for _ in range(runs)])
    variance = 1.0 + 2.0 * c**2
    return 3.0 * (z + c * (z * z - 1.0)) - 1000.0, (-1000.0, 9.0 * variance, (6 * c + 8 * c**3) / variance**1.5)


def quenched(n: int, tau: float, runs: int = 1):
    """Return what draws energies of inherent structures in time, and gives them to the analysis's summary."""

    def draw(seed: int) -> dict[str, Stated]:
        energy, truths = skewed(np.random.default_rng(seed), n, tau, runs)
        frames = np.arange(len(energy))
        coords = {"frame": frames} | ({"run": ("frame", np.repeat(np.arange(runs), n))} if runs > 1 else {})
        given = xr.Dataset(
            {"energy": ("frame", energy), "energy_per_particle": ("frame", energy / 155)},
            {"time": ("frame", 1.0 * frames), **coords},
        )
        ds = pelplug.analyses.InherentStructures(None).summarize(given)
        return {
            name: error(ds[name], ds.get(f"{name}_error", np.nan), truth)
            for name, truth in zip(("mean_energy", "variance_energy"), truths, strict=False)
        }

    return draw


def in_time(n: int, tau: float):
    """Return what draws energies along a trajectory of inherent structures, and gives them to its moments."""

    def draw(seed: int) -> dict[str, Stated]:
        energy, truths = skewed(np.random.default_rng(seed), n, tau)
        found = {
            name: value
            for name, (_, value) in pelplug.analyses.InherentStructureTransitions(None)
            ._distribution(energy, 155)
            .items()
        }
        names = ("mean_energy", "variance_energy", "skewness_energy")
        return {
            name: error(found[name], found[f"{name}_error"], truth) for name, truth in zip(names, truths, strict=True)
        }

    return draw


SUBJECTS = (
    Subject(
        "msed-400-times",
        "msed",
        "energies of two time scales, vibrations and an Ornstein-Uhlenbeck process, 400 relaxation times long",
        400,
        3000,
        MSED,
        series(20_000, 50.0),
    ),
    Subject(
        "msed-60-times",
        "msed",
        "the same, 60 relaxation times long",
        400,
        4000,
        MSED,
        series(6000, 100.0),
    ),
    Subject(
        "inherent-structures-apart",
        "inherent-structures",
        "30 independent energies of inherent structures, skewed",
        400,
        5000,
        ("mean_energy", "variance_energy"),
        quenched(30, 1e-3),
    ),
    Subject(
        "inherent-structures-in-time",
        "inherent-structures",
        "500 energies of inherent structures, skewed, correlated over 5 frames",
        400,
        5500,
        ("mean_energy", "variance_energy"),
        quenched(500, 5.0),
    ),
    Subject(
        "inherent-structures-of-runs",
        "inherent-structures",
        "10 runs of 30 energies of inherent structures, skewed, correlated over 5 frames",
        400,
        6000,
        ("mean_energy", "variance_energy"),
        quenched(30, 5.0, 10),
    ),
    Subject(
        "transitions",
        "inherent-structure-transitions",
        "2000 energies along a trajectory, skewed, correlated over 10 frames",
        400,
        6500,
        ("mean_energy", "variance_energy", "skewness_energy"),
        in_time(2000, 10.0),
    ),
)
