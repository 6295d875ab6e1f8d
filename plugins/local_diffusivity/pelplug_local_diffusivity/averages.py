"""Means over the runs of each temperature, of all runs and of resamples of them, the same for every number."""

from __future__ import annotations

import numpy as np

import pelplug

__all__ = ["Means", "densities"]


class Means:
    """Runs of several temperatures and random choices among those of each.

    Parameters
    ----------
    states : list of State
    n : int
        Number of particles.
    units : Units
    begin : float
        Share of t_<MSD> from which on slopes are.
    dimension : int
        d.
    resamples, seed : int
        Of the bootstrap.
    """

    def __init__(self, states, n: int, units, begin: float, dimension: int, resamples: int, seed: int):
        self.n, self._units, self._states = n, units, states
        self._slopes = {one.temperature: one.slopes(begin, dimension) for one in states}
        self._boots = {
            one.temperature: pelplug.Bootstrap(len(one.runs), resamples=resamples, seed=seed + k)
            for k, one in enumerate(states)
        }
        self._energies = {
            one.temperature: np.array([run.energies.mean() for run in one.runs]) for one in states if one.sampled
        }

    def diffusivity(self, state) -> np.ndarray:
        """Return D_i of the runs, shape (runs,) [length**2 / time]."""
        return self._slopes[state.temperature]

    def rows(self, state, what: str) -> np.ndarray:
        """Return a mean over the runs, "diffusivity" or "energy", of all and of the resamples, shape (1 + R,)."""
        values = self._slopes if what == "diffusivity" else self._energies
        return self._boots[state.temperature].means(values[state.temperature])

    def error(self, rows: np.ndarray, states) -> np.ndarray:
        """Return the standard errors of numbers with their resamples behind them.

        Parameters
        ----------
        rows : ndarray, shape (1 + R, ...)
        states : list of State
            On whose runs each rests, one for each entry of the last axis; or of one number all.
        """
        number = np.array([len(one.runs) for one in states])
        if rows.ndim == 1:
            number = number.min()
        boot = next(iter(self._boots.values()))
        return boot.error(rows, number)

    def product(self, state) -> tuple[float, float]:
        """Return <D><1/D> and its error; NaN where a run rests."""
        found, boot = self._slopes[state.temperature], self._boots[state.temperature]
        if np.any(found <= 0):
            return np.nan, np.nan
        rows = boot.means(found) * boot.means(1.0 / found)
        return float(rows[0]), float(boot.error(rows))

    def moments(self, state) -> dict[str, tuple[float, float]]:
        """Return moments of the energies at a temperature, each with its error."""
        boot = self._boots[state.temperature]
        local = self.n * self._energies[state.temperature]
        rows, variance = self.rows(state, "energy"), self.variance([state])
        found = {
            "mean_energy": (float(rows[0]), float(boot.error(rows))),
            "variance_energy": (float(variance[0]), float(boot.error(variance))),
        }
        off = local - local.mean()
        first, second, third = boot.means(np.stack([off, off**2, off**3], axis=1)).T
        square = second - first**2
        cube = third - 3 * first * second + 2 * first**3
        unbiased = square * (local.size / (local.size - 1) if local.size > 1 else np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            skewness = np.where(square > 1e-12 * (square[0] or 1.0), cube / square**1.5, np.nan)
        for name, rows in (("local_variance", unbiased), ("local_skewness", skewness)):
            found[name] = (float(rows[0]), float(boot.error(rows)))
        return found

    def shares(self, states) -> np.ndarray:
        """Return how much each temperature counts in a mean over them, shape (T,): as many as it has runs."""
        number = np.array([len(one.runs) for one in states], dtype=float)
        return number / number.sum()

    def variance(self, states) -> np.ndarray:
        """Return the variance of the total energy about the mean of its temperature, mean over some, shape (1 + R,).

        That about the mean of few runs is too small by the variance of that mean, which is added.
        """
        found = 0.0
        for state, share in zip(states, self.shares(states), strict=True):
            boot, center = self._boots[state.temperature], self._energies[state.temperature].mean()
            parts = [self.n * (run.energies - center) for run in state.runs]
            counts = np.array([one.size for one in parts], dtype=float)
            mean = boot.means([one.sum() for one in parts], counts)
            square = boot.means([(one**2).sum() for one in parts], counts) - mean**2
            local = self.n * self._energies[state.temperature]
            missing = np.var(local, ddof=1) / local.size if local.size > 1 else np.nan
            found = found + share * square * (1.0 + missing / (square[0] or 1.0))
        return found

    def pooled(self, states, resting: bool = False):
        """Return energies, k_B T, D_i, the temperature of each, and how often each counts, shape (1 + R, runs).

        Runs at rest are left out unless `resting`.
        """
        energy = np.concatenate([self._energies[one.temperature] for one in states])
        found = np.concatenate([self._slopes[one.temperature] for one in states])
        group = np.repeat(np.arange(len(states)), [len(one.runs) for one in states])
        thermal = np.array([self._units.thermal(one.temperature) for one in states])[group]
        weights = np.concatenate([self._boots[one.temperature].weights for one in states], axis=1)
        weights = np.concatenate([np.ones((1, group.size)), weights])
        keep = np.ones(group.size, dtype=bool) if resting else found > 0
        return energy[keep], thermal[keep], found[keep], group[keep], weights[:, keep]

    def thermal(self, state) -> float:
        """Return k_B T [energy]."""
        return self._units.thermal(state.temperature)

    def frame_counts(self, state, edges) -> np.ndarray:
        """Return how many of the energies of each run are in each bin, shape (runs, bins)."""
        return np.array([np.histogram(run.energies, edges)[0] for run in state.runs], dtype=float)

    def run_counts(self, state, edges) -> np.ndarray:
        """Return in which bin the mean of each run is, shape (runs, bins)."""
        energies = self._energies[state.temperature]
        return pelplug.sample_histograms(energies, np.arange(energies.size), edges, energies.size)

    def boot(self, state):
        """Return the bootstrap of a temperature."""
        return self._boots[state.temperature]


def densities(means: Means, states, bins: int) -> dict:
    """Return P(e_IS, T) and P(<e_IS>_i, T) over common bins, with errors."""
    every = np.concatenate([run.energies for one in states for run in one.runs])
    low, high = float(every.min()), float(every.max())
    if not low < high:
        low, high = low - 1e-6 * abs(low) - 1e-9, high + 1e-6 * abs(high) + 1e-9
    edges = np.linspace(low, high, bins + 1)
    values: dict[str, list] = {name: [] for name in ("energy_density", "local_energy_density")}
    errors: dict[str, list] = {name: [] for name in values}
    for one in states:
        boot = means.boot(one)
        for name, counts in zip(values, (means.frame_counts(one, edges), means.run_counts(one, edges)), strict=True):
            rows = boot.means(counts, counts.sum(axis=1)) / np.diff(edges)
            values[name].append(rows[0])
            errors[name].append(pelplug.bin_errors(rows, counts, boot, pelplug.ONE_SIGMA)[0])
    found = {name: np.array(one) for name, one in values.items()}
    found |= {f"{name}_error": np.array(one) for name, one in errors.items()}
    return {**found, "bin_energy": 0.5 * (edges[1:] + edges[:-1])}
