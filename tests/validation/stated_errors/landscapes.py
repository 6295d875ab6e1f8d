"""Walks between metabasins of a Gaussian landscape, after C. Rehwald and A. Heuer, Phys. Rev. E 86, 051504 (2012)."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import xarray as xr
from pelplug_inherent_structures.statistics import EnergySamples, transition_rate
from validation.stated_errors.judged import Stated, Subject, error

import pelplug

__all__ = ["SUBJECTS", "Landscape"]

N, STEP = 12, 0.05
"""Particles, and the standard deviation of each coordinate's move from one metabasin to the next, about the centre."""
SQUARED_JUMP = 3 * (N - 1) * STEP**2
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(61)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()


@dataclasses.dataclass(frozen=True)
class Landscape:
    """Metabasins of energy e, at equilibrium Gaussian about 0, left at the rate Gamma(e) exp(s^2/2 - s n), n normal.

    Attributes
    ----------
    sigma, slope, crossover, broadening : float
        Standard deviation of p_eq(e), d ln Gamma/de below the crossover, where it is, and s; Gamma is 1 above it.
    """

    sigma: float
    slope: float
    crossover: float
    broadening: float

    def rate(self, e) -> np.ndarray:
        """Return Gamma(e), one over the mean waiting time."""
        return np.exp(self.slope * np.minimum(np.asarray(e) - self.crossover, 0.0))

    @functools.cached_property
    def grid(self) -> tuple[np.ndarray, np.ndarray]:
        """Energies, and the weight that each has at equilibrium."""
        e = np.linspace(-8.0, 8.0, 4001) * self.sigma
        weight = np.exp(-0.5 * (e / self.sigma) ** 2)
        return e, weight / weight.sum()

    def mean(self, function, low=-np.inf, high=np.inf) -> float:
        """Return the mean of a function of the energy at equilibrium; that part of it between two energies."""
        e, weight = self.grid
        inside = (e >= low) & (e < high)
        return float((weight * function(e))[inside].sum())

    def over_rates(self, function) -> float:
        """Return the mean over the metabasins that are visited, one after the other, of a function of their rate."""
        e, weight = self.grid
        visited = weight * self.rate(e)
        s = self.broadening
        rates = self.rate(e)[:, None] * np.exp(0.5 * s**2 - s * _NODES)
        return float(((visited / visited.sum())[:, None] * _WEIGHTS * function(rates)).sum())

    @functools.cached_property
    def jump_rate(self) -> float:
        """One over the mean waiting time."""
        return self.mean(self.rate)

    @functools.cached_property
    def relaxation_time(self) -> float:
        """<tau^2> / (2 <tau>)."""
        return float(np.exp(self.broadening**2)) * self.mean(lambda e: 1.0 / self.rate(e))

    def persistence(self, t: float) -> float:
        """Return S0(t)."""
        return self.over_rates(lambda rate: np.exp(-rate * t) / rate) * self.jump_rate

    def _entered(self, rng: np.random.Generator, most: int) -> np.ndarray:
        """Return energies of metabasins that are entered one after the other."""
        e = self.sigma * rng.normal(size=8 * (most + 1))
        return e[rng.random(e.size) < self.rate(e) / self.rate(self.crossover)][:most]

    def _stays(self, rng: np.random.Generator, energy: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """Return waiting times of metabasins, by their energies and how much slower they are."""
        s = self.broadening
        return rng.exponential(size=energy.size) / self.rate(energy) * np.exp(s * shift - 0.5 * s**2)

    def walk(self, rng: np.random.Generator, metabasins: int) -> xr.Dataset:
        """Return the visits of a stationary record that is as long as so many metabasins are on average."""
        duration = metabasins / self.jump_rate
        s, number = self.broadening, 2 * metabasins + 200
        entered = self._entered(rng, number - 1)
        # The first is one that is met at a random time: at equilibrium, with the broadening of long stays.
        energy = np.r_[self.sigma * rng.normal(), entered]
        shift = np.r_[s + rng.normal(), rng.normal(size=entered.size)]
        stay = self._stays(rng, energy, shift)
        while stay.sum() < duration:
            more = self._entered(rng, number)
            energy = np.r_[energy, more]
            stay = np.r_[stay, self._stays(rng, more, rng.normal(size=more.size))]
        end = np.cumsum(stay)
        last = int(np.searchsorted(end, duration)) + 1
        end, energy = np.minimum(end[:last], duration), energy[:last]
        moves = STEP * rng.normal(size=(last, N, 3))
        moves -= moves.mean(axis=1, keepdims=True)
        visit = np.arange(last)
        return xr.Dataset(
            {
                "visit_structure": ("visit", visit),
                "visit_first": ("visit", 2 * visit),
                "visit_last": ("visit", 2 * visit + 1),
                "visit_energy": ("visit", energy),
                "positions": (("visit", "particle", "dimension"), np.cumsum(moves, axis=0)),
                "cell": (("vector", "dimension"), 50.0 * np.eye(3)),
            },
            # Two frames for a visit, at its beginning and at its end, where the next begins.
            {
                "frame": ("frame", np.arange(2 * last)),
                "time": ("frame", np.column_stack([np.r_[0.0, end[:-1]], end]).ravel()),
            },
        )


def metabasins(landscape: Landscape, number: int):
    """Return what draws a walk and gives it to metabasins."""

    def draw(seed: int) -> dict[str, Stated]:
        source = landscape.walk(np.random.default_rng(seed), number)
        nothing = {name: error(np.nan, np.nan, 1.0) for name in QUANTITIES}
        analysis = pelplug.analyses.Metabasins(None, inputs={"inherent-structure-transitions": source})
        try:
            ds = analysis.summarize(xr.Dataset())
        except pelplug.InputError:  # one metabasin in the whole record, which is refused
            return nothing
        truths = {
            "jump_rate": landscape.jump_rate,
            "mean_waiting_time": 1.0 / landscape.jump_rate,
            "relaxation_time": landscape.relaxation_time,
            "squared_jump": SQUARED_JUMP,
            "jump_correlation": 0.0,
            "diffusion_coefficient": SQUARED_JUMP * landscape.jump_rate / (6 * N),
            "sigma_gamma_squared_mean": landscape.broadening**2,
            "rate_plateau": 1.0,
            "rate_slope": landscape.slope,
            "crossover_energy": landscape.crossover,
        }
        found = {
            name: error(ds.get(name, np.nan), ds.get(f"{name}_error", np.nan), truth) for name, truth in truths.items()
        }
        fitted = {
            "fitted_mean_waiting_time": 1.0 / landscape.jump_rate,
            "fitted_relaxation_time": landscape.relaxation_time,
            "fitted_sigma_gamma_squared": landscape.broadening**2,
        }
        found |= {
            name: error(ds.get(name, np.nan), ds.get(f"{name}_error", np.nan), truth) for name, truth in fitted.items()
        }
        if "lag_time" not in ds:  # hardly a jump in the whole record: it tells nothing of the rest
            return nothing | found
        time = 2.0 / landscape.jump_rate
        k = int(np.argmin(abs(ds["lag_time"].values - time)))
        found["persistence"] = error(
            ds["persistence"][k], ds["persistence_error"][k], landscape.persistence(float(ds["lag_time"][k]))
        )
        edges = ds["energy_edges"].values
        k = int(np.searchsorted(edges, 0.0) - 1)
        low, high = edges[k : k + 2]
        share, visited = landscape.mean(np.ones_like, low, high), landscape.mean(landscape.rate, low, high)
        density = share / (high - low)
        for name, truth in (
            ("energy_density", density),
            ("waiting_time_by_energy", share / visited),
            ("sigma_gamma_squared", landscape.broadening**2),
        ):
            found[name] = error(ds[name][k], ds[f"{name}_error"][k], truth)
        edges = ds["waiting_edges"].values
        k = int(np.clip(np.searchsorted(edges, 1.0 / landscape.jump_rate) - 1, 0, len(edges) - 2))
        low, high = edges[k : k + 2]
        truth = landscape.over_rates(lambda rate: np.exp(-rate * low) - np.exp(-rate * high)) / (high - low)
        found["waiting_density"] = error(ds["waiting_density"][k], ds["waiting_density_error"][k], truth)
        return found

    return draw


def transitions(landscape: Landscape, number: int, per_stay: int):
    """Return what draws a walk that is looked at so many times a mean stay, and counts its transitions."""

    def draw(seed: int) -> dict[str, Stated]:
        source = landscape.walk(np.random.default_rng(seed), number)
        step = 1.0 / (per_stay * landscape.jump_rate)
        times = np.arange(0.0, float(source["time"][-1]), step)
        visit = np.searchsorted(source["time"].values[1::2], times, side="right")
        energy = source["visit_energy"].values[np.minimum(visit, source.sizes["visit"] - 1)]
        samples = EnergySamples(xr.Dataset(coords={"frame": np.arange(times.size)}), energy)
        run = np.zeros(times.size, dtype=int)
        value, stated = transition_rate(times, run, np.flatnonzero(np.diff(visit)), samples)
        # Frames between which there are two transitions show one.
        return {"transition_rate": error(value, stated, (1.0 - landscape.persistence(step)) / step)}

    return draw


QUANTITIES = (
    "jump_rate",
    "mean_waiting_time",
    "relaxation_time",
    "squared_jump",
    "jump_correlation",
    "diffusion_coefficient",
    "sigma_gamma_squared_mean",
    "rate_plateau",
    "rate_slope",
    "crossover_energy",
    "fitted_mean_waiting_time",
    "fitted_relaxation_time",
    "fitted_sigma_gamma_squared",
    "persistence",
    "energy_density",
    "waiting_time_by_energy",
    "sigma_gamma_squared",
    "waiting_density",
)
WARM = Landscape(sigma=2.9, slope=0.44, crossover=2.1, broadening=0.6)
COLD = Landscape(sigma=2.9, slope=0.55, crossover=4.0, broadening=1.0)
WALKS = tuple(
    Subject(
        f"metabasins-{words}-{number}",
        "metabasins",
        f"a record as long as {number} metabasins on average, slope {one.slope} and broadening {one.broadening}",
        sets,
        115_000 + 1000 * k,
        QUANTITIES,
        metabasins(one, number),
    )
    for k, (words, one, number, sets) in enumerate(
        (("warm", WARM, 300, 400), ("warm", WARM, 3000, 100), ("cold", COLD, 300, 400), ("cold", COLD, 3000, 100))
    )
)
SUBJECTS = (
    *WALKS,
    Subject(
        "transitions-of-a-walk",
        "inherent-structure-transitions",
        "a record as long as 1000 structures on average, broad waiting times, four frames in a mean one",
        400,
        20_000,
        ("transition_rate",),
        transitions(WARM, 1000, 4),
    ),
)
