"""Results of runs in a Gaussian landscape of known law, to try the study with."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

import pelplug

__all__ = ["Landscape", "Solid", "minima", "results"]


class Landscape:
    """A Gaussian landscape in which particles walk at random, at a rate that the depth of a run decides.

    Parameters
    ----------
    n : int
        Number of particles.
    variance, center : float
        sigma^2 and E_0 of the energies of all particles [energy**2], [energy].
    alpha, strength, limit : float
        alpha, B [energy] and D_inf [length**2 / time].
    """

    def __init__(self, n=155, variance=18.0, center=-1140.0, alpha=0.78, strength=1.85, limit=0.155):
        self.n, self.variance, self.center = n, variance, center
        self.alpha, self.strength, self.limit = alpha, strength, limit

    def entropy(self, energy):
        """Return S_conf per particle at energies of all particles."""
        return self.alpha - (energy - self.center) ** 2 / (2 * self.n * self.variance)

    def diffusivity(self, energy, temperature: float):
        """Return D [length**2 / time]."""
        return self.limit * np.exp(-self.strength / (temperature * self.entropy(energy)))

    def energies(self, rng, temperature: float, runs: int):
        """Draw energies of all particles from P(e, T), none below e_K."""
        least = self.center - np.sqrt(2 * self.n * self.variance * self.alpha)
        found = np.empty(0)
        while found.size < runs:
            drawn = rng.normal(self.center - self.variance / temperature, self.variance**0.5, 2 * runs)
            found = np.append(found, drawn[drawn > least + 1.0])
        return found[:runs]

    def results(self, rng, temperature: float, runs: int, walkers=124, frames=40, hot=False) -> list:
        """Return results of `dynamics` and `inherent-structures` of runs that each stay where they are.

        With ``hot`` those of `dynamics` alone, of particles that move as fast as D_inf exp(-B / (T alpha)).
        """
        energies = self.energies(rng, temperature, runs)
        found = self.diffusivity(energies, temperature)
        if hot:
            found = np.full(runs, self.limit * np.exp(-self.strength / (temperature * self.alpha)))
        # The time in which the mean MSD reaches one, and a third more.
        step = 1.3 / (6 * found.mean()) / frames
        made = []
        for seed, (energy, one) in enumerate(zip(energies, found, strict=True)):
            walk = np.cumsum(rng.normal(scale=np.sqrt(2 * one * step), size=(frames, walkers, 3)), axis=0)
            made.append(_dynamics(walk, step, self.n, temperature, seed))
            if not hot:
                made.append(_minima(energy / self.n, step, frames, self.n, temperature, seed))
        return made


def results(folder) -> list:
    """Return results to try the study with."""
    rng, landscape = np.random.default_rng(1), Landscape(n=30, variance=9.0, center=-220.0)
    made = [one for temperature in (0.6, 0.9) for one in landscape.results(rng, temperature, 4, walkers=20)]
    return made + [one for temperature in (2.0, 4.0) for one in landscape.results(rng, temperature, 3, 20, hot=True)]


class Solid:
    """Particles whose energies are sums of powers of T, integrated in closed form; k_B = 1.

    ``U/N = a T^(3/4) + e_0 + c T^(1/2)``, as of a core r^-12 in three dimensions at high T, ``e_IS = e_0 - s/T``, and
    the same ln omega everywhere.

    Parameters
    ----------
    n : int
        Number of particles.
    core, center, spread, vibrations : float
        a, e_0, s and c.
    logarithm : float
        Mean ln omega.
    """

    def __init__(self, n=155, core=2.0, center=-7.3, spread=0.1, vibrations=0.05, logarithm=2.5):
        self.n, self.core, self.center, self.spread = n, core, center, spread
        self.vibrations, self.logarithm = vibrations, logarithm

    def energy(self, temperature):
        """Return U of all particles, a sum of powers of T that is integrated in closed form."""
        return self.n * (self.core * temperature**0.75 + self.center + self.vibrations * temperature**0.5)

    def integral(self, temperature):
        """Return ``int_0^(1/T) U d(1/T')``."""
        beta = 1.0 / temperature
        return self.n * (4 * self.core * beta**0.25 + self.center * beta + 2 * self.vibrations * beta**0.5)

    def inherent(self, temperature):
        """Return the inherent-structure energy of all particles."""
        return self.n * (self.center - self.spread / temperature)

    def results(self, rng, temperature: float, runs: int, frames=4, scatter=0.5) -> list:
        """Return results of `inherent-structures` with the sums of ln omega."""
        made = []
        for seed in range(runs):
            noise = scatter * rng.normal(size=(3, frames))
            one = {
                "initial_energy": (self.energy(temperature) + noise[0], "energy"),
                "energy": (self.inherent(temperature) + noise[1], "energy"),
                "log_frequency_sum": (self.logarithm * 3 * (self.n - 1) + noise[2], "1"),
                "modes": (np.full(frames, 3 * (self.n - 1)), "1"),
                "n_rattlers": (np.zeros(frames, dtype=int), "1"),
            }
            data = {name: ("frame", values, {"units": unit}) for name, (values, unit) in one.items()}
            attributes = _attributes("inherent-structures", self.n, temperature, seed)
            made.append(xr.Dataset(data, {"frame": np.arange(frames)}, attributes))
        return made


def minima(folder) -> list:
    """Return results to try the study of the configurational entropy with."""
    rng, solid = np.random.default_rng(2), Solid()
    return [one for temperature in (0.5, 0.6, 0.8, 1.0, 3.0, 20.0) for one in solid.results(rng, temperature, 3)]


def _attributes(analysis: str, n: int, temperature: float, seed: int) -> dict:
    said = pelplug.Conditions(
        model={"name": "kob-andersen", "parameters": {}},
        n=n,
        density=1.2,
        temperature=temperature,
        seed=seed,
        units=pelplug.Units.of("lj"),
    )
    name = f"{temperature}-{seed}"
    return {
        **said.to_attributes(),
        "model": json.dumps(said.model),
        "units": json.dumps(said.units.to_dict()),
        "analysis": analysis,
        "parameters": "{}",
        "created": f"{analysis} {name}",
        "fingerprint": f"{analysis} {name}",
        "trajectories": json.dumps([{"file": f"{name}.gsd", "sha256": name, "frames": ""}]),
    }


def _dynamics(walk, step: float, n: int, temperature: float, seed: int) -> xr.Dataset:
    lags = np.arange(1, len(walk))
    msd = np.array([np.mean(np.sum((walk[lag:] - walk[:-lag]) ** 2, axis=2)) for lag in lags])
    return xr.Dataset(
        {"msd": (("kind", "lag_time"), msd[None], {"units": "length**2"}), "origins": ("lag_time", len(walk) - lags)},
        {"kind": ["A"], "lag_time": ("lag_time", lags * step, {"units": "time"})},
        _attributes("dynamics", n, temperature, seed),
    )


def _minima(energy: float, step: float, frames: int, n: int, temperature: float, seed: int) -> xr.Dataset:
    return xr.Dataset(
        {"energy_per_particle": ("frame", np.full(frames, energy), {"units": "energy"})},
        {"frame": np.arange(frames), "time": ("frame", step * np.arange(frames), {"units": "time"})},
        _attributes("inherent-structures", n, temperature, seed),
    )
