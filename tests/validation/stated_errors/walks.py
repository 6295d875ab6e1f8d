"""Free Brownian walks: everything that dynamics says of them is known."""

from __future__ import annotations

import pathlib
import tempfile

import gsd.hoomd
import numpy as np
from scipy import stats
from validation.stated_errors.judged import Stated, Subject, error

import pelplug

__all__ = ["SUBJECTS"]

D = 0.02
"""Diffusion coefficient in units of the time between frames."""
N, LENGTH = 60, 5.0
Q, THRESHOLD = 3.0, 0.2
FRAMES = 800
SHORT, RUNS = 120, 20
EFFECTIVE = D * (1.0 - 1.0 / N)
"""Displacements are from the centre of mass, which takes its own motion off."""
OVERLAP = 0.3 * (N / LENGTH**3) ** (-1.0 / 3.0)
MSD_TARGET = 1.0
AT = {"msd": (1, 10, 40, 80), "alpha_2": (1, 10, 40), "fs": (1, 10, 20), "overlap": (1, 4), "chi_4": (1, 4, 10)}


def walk(rng: np.random.Generator, frames: int) -> np.ndarray:
    """Return positions, shape (frames, N, 3), about a centre of mass at rest."""
    steps = rng.normal(0.0, np.sqrt(2.0 * D), (frames - 1, N, 3))
    steps -= steps.mean(axis=1, keepdims=True)
    start = rng.uniform(0.0, LENGTH, (N, 3))
    return np.concatenate([start[None], start + np.cumsum(steps, axis=0)])


def write(path: pathlib.Path, positions: np.ndarray) -> pathlib.Path:
    """Write a walk with images, a frame every 100 steps of 0.01."""
    with gsd.hoomd.open(path, "w") as file:
        for k, x in enumerate(positions):
            image = np.floor(x / LENGTH).astype(int)
            frame = gsd.hoomd.Frame()
            frame.configuration.step, frame.configuration.box = 100 * k, [LENGTH] * 3 + [0.0] * 3
            frame.particles.N, frame.particles.types = N, ["A"]
            frame.particles.position, frame.particles.image = x - image * LENGTH - LENGTH / 2, image
            file.append(frame)
    return path


def overlap(t) -> np.ndarray:
    """Return the probability that a particle is displaced by less than the overlap length."""
    return stats.chi2.cdf(OVERLAP**2 / (2.0 * EFFECTIVE * np.asarray(t)), 3)


def susceptibility(t) -> np.ndarray:
    """Return chi_4 of the overlap.

    That of independent particles, p (1 - p), and what the centre of mass at rest adds: displacements of two particles
    have the correlation -1/(N - 1), whose square is the first power that counts (Mehler's series; the second Hermite
    coefficient of each axis).
    """
    reach = OVERLAP**2 / (2.0 * EFFECTIVE * np.asarray(t))
    p = stats.chi2.cdf(reach, 3)
    second = stats.chi2.cdf(reach, 5) - p  # of (x^2 - 1) with the indicator
    return p * (1.0 - p) + 3.0 * second**2 / 2.0 / (N - 1)


LAWS = {
    "msd": lambda t: 6.0 * EFFECTIVE * t,
    "alpha_2": lambda t: 0.0 * t,
    "fs": lambda t: np.exp(-(Q**2) * EFFECTIVE * t),
    "overlap": overlap,
    "chi_4": susceptibility,
}


def reads(lags: np.ndarray, curve: np.ndarray, level: float) -> float:
    """Return where a curve crosses a level, linear in ln t between lags, which is what dynamics says that it gives."""
    k = int(np.flatnonzero((curve[1:] - level) * (curve[:-1] - level) <= 0)[0])
    share = (level - curve[k]) / (curve[k + 1] - curve[k])
    return float(np.exp(np.log(lags[k]) + share * np.log(lags[k + 1] / lags[k])))


def stated(paths) -> dict[str, Stated]:
    """Return what dynamics says of walks."""
    given = {"dt": 0.01, "quantities": "msd,fs,alpha_2,chi_4", "wave_number": Q}
    ds = pelplug.analyze("dynamics", paths[0], **given, **({"more": paths[1:]} if paths[1:] else {}))
    ds = ds.sel(kind="A").isel(wave_number=0)
    lags = ds["lag_time"].values
    found = {}
    for name, times in AT.items():
        for t in times:
            one = ds.sel(lag_time=t, method="nearest")
            found[f"{name}({t})"] = error(one[name], one[f"{name}_error"], LAWS[name](float(one["lag_time"])))
    reduced = {
        "diffusion_coefficient": EFFECTIVE,
        "tau_alpha": reads(lags, LAWS["fs"](lags), THRESHOLD),
        "msd_time": MSD_TARGET / (6.0 * EFFECTIVE),
        "kww_time": 1.0 / (Q**2 * EFFECTIVE),
        "kww_beta": 1.0,
        "kww_mean_time": 1.0 / (Q**2 * EFFECTIVE),
    }
    return found | {name: error(ds[name], ds[f"{name}_error"], truth) for name, truth in reduced.items()}


def alone(seed: int) -> dict[str, Stated]:
    """Return what is said of one long walk."""
    with tempfile.TemporaryDirectory() as folder:
        return stated([write(pathlib.Path(folder, "walk.gsd"), walk(np.random.default_rng(seed), FRAMES))])


def together(seed: int) -> dict[str, Stated]:
    """Return what is said of several short walks together."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        return stated([write(pathlib.Path(folder, f"walk-{k}.gsd"), walk(rng, SHORT)) for k in range(RUNS)])


QUANTITIES = (
    *(f"{name}({t})" for name, times in AT.items() for t in times),
    *("diffusion_coefficient", "tau_alpha", "msd_time", "kww_time", "kww_beta", "kww_mean_time"),
)
SUBJECTS = (
    Subject(
        "dynamics-one-walk",
        "dynamics",
        f"one free Brownian walk of {N} particles, {FRAMES} frames",
        400,
        1000,
        QUANTITIES,
        alone,
    ),
    Subject(
        "dynamics-several-walks",
        "dynamics",
        f"{RUNS} free Brownian walks of {N} particles, {SHORT} frames each, together",
        50,
        2000,
        QUANTITIES,
        together,
    ),
)
