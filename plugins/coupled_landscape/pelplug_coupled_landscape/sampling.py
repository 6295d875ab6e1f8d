"""One run of the model at one point: what worker processes do, and what of it is kept."""

from __future__ import annotations

import hashlib

import numpy as np

import pelplug
from pelplug_coupled_landscape.kernels import bin_edges
from pelplug_coupled_landscape.lattice import Coupling, Lattice
from pelplug_coupled_landscape.simulation import Simulation

__all__ = ["jump_factors", "lags_between", "sample", "seed_of"]

RUN_IN = 0.2  # of the simulated time, where the start is not of equilibrium


def jump_factors(wave_numbers) -> np.ndarray:
    """Return by what an active process multiplies S(k, t): of Gaussian jumps in space, of mean squared length 1.

    Parameters
    ----------
    wave_numbers : array_like
        k times the jump length.
    """
    return np.exp(-np.square(np.asarray(wave_numbers, dtype=float)) / 6.0)


def lags_between(first: float, last: float) -> np.ndarray:
    """Return the times at which the core has S0, from the first to the last [time]."""
    edges = bin_edges(int(np.floor(np.log2(first))) + 23)  # in any unit of time: those of the core begin a bit earlier
    return edges[(edges >= first) & (edges <= last)]


def seed_of(seed: int, run: int, point: tuple) -> list[int]:
    """Return the seed of a run at a point: one that no other point shares, whichever points are asked for."""
    text = hashlib.sha256(repr(point).encode()).digest()
    return [seed, run, int.from_bytes(text[:8], "little")]


def sample(
    landscape: dict,
    temperature: float,
    lattice: tuple[int, int],
    coupling: dict,
    passive_rates: str,
    time: float,
    lags: tuple[float, float],
    wave_numbers: tuple[float, ...],
    seed: tuple[int, int],
) -> dict[str, np.ndarray]:
    """Return what one run shows.

    Parameters
    ----------
    landscape, coupling : dict
        Arguments of `pelplug.TrapLandscape` and `Coupling`.
    temperature : float
        [temperature]
    lattice : (int, int)
        Side and dimension.
    passive_rates : str
        As of `Simulation`.
    time : float
        Of the simulation [time].
    lags : (float, float)
        Between which S0 is kept [time].
    wave_numbers : tuple of float
        k times the jump length.
    seed : (int, int)
        Of the study, and number of the run.

    Returns
    -------
    dict
    """
    made = pelplug.TrapLandscape(**landscape)
    point = (sorted(landscape.items()), temperature, lattice, sorted(coupling.items()), passive_rates)
    simulation = Simulation(
        made,
        temperature,
        Lattice(*lattice),
        Coupling(**coupling),
        seed=seed_of(*seed, point),
        factors=jump_factors(wave_numbers),
        passive_rates=passive_rates,
    )
    if made.sigma_gamma > 0.0 and coupling["q"] > 0.0 and passive_rates == "entered":
        simulation.run(until=RUN_IN * time).begin()
    observed = simulation.run(until=simulation.time + time).observed()
    grid = lags_between(*lags)
    curves = np.full((1 + len(wave_numbers), grid.size), np.nan)
    both, mine, theirs = np.intersect1d(grid, observed.lag_times, assume_unique=True, return_indices=True)
    if both.size:
        curves[:, mine] = np.vstack([observed.persistence[None], observed.scattering])[:, theirs]
    active = observed.active
    return {
        "active": np.int64(active),
        "passive": np.int64(observed.passive),
        "mean_waiting_time": np.float64(observed.mean_waiting_time if active else np.nan),
        "relaxation_time": np.float64(observed.relaxation_time if active else np.nan),
        "scattering_times": np.asarray(observed.scattering_times, dtype=float),
        "persistence": curves[0],
        "scattering": curves[1:],
    }
