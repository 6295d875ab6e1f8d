"""From the runs at all points to the variables of the result."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import pelplug
from pelplug_coupled_landscape.estimates import exponent, prefactor, stretched_exponential, with_error
from pelplug_coupled_landscape.tails import LARGEST

__all__ = ["Grid", "Runs", "growth"]

LAW = (0.003, 0.1)  # couplings over which c is averaged


class Runs:
    """The independent runs at one point.

    Parameters
    ----------
    parts : sequence of dict
        What `sample` gave of each.
    q : float
        Coupling.
    waiting, relaxation : float
        <tau> and tau_alpha at q = 0 [time].
    lags : ndarray, shape (L,)
        Times of S0 [time].
    scatter : float
        Relative standard deviation to expect of tau_alpha.

    Attributes
    ----------
    told : bool
        Whether scatter over the runs tells the error of tau_alpha.
    """

    def __init__(
        self,
        parts: Sequence[dict],
        q: float,
        waiting: float,
        relaxation: float,
        lags: np.ndarray,
        scatter: float = 0.0,
    ):
        self.of = {name: np.array([one[name] for one in parts], dtype=float) for name in parts[0]}
        if not self.of["active"].all():  # a run without one shows nothing
            self.of = {name: one if name == "active" else np.full_like(one, np.nan) for name, one in self.of.items()}
        self.q, self.waiting, self.relaxation, self.lags = q, waiting, relaxation, lags
        self.scatter, self.told = scatter, bool(scatter <= LARGEST)

    @property
    def slowdown(self) -> np.ndarray:
        """tau_alpha(0) / tau_alpha(q) of each run."""
        return self.relaxation / self.of["relaxation_time"]

    def values(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return values and standard errors by the names of `variables.POINT`."""
        wait, wait_error = with_error(self.of["mean_waiting_time"])
        tau, tau_error = with_error(self.of["relaxation_time"])
        times, times_error = with_error(self.of["scattering_times"])
        if not self.told:
            tau_error, times_error = tau_error * np.nan, times_error * np.nan
        diffusion = 1.0 / (6.0 * wait)
        slowdown = self.relaxation / tau
        root = np.sqrt(self.q) if self.q > 0 else np.nan
        kww, kww_error = with_error(self.of["persistence"], lambda one: stretched_exponential(self.lags, one))
        return {
            "mean_waiting_time": (wait, wait_error),
            "waiting_time_shift": (wait / self.waiting - 1.0, wait_error / self.waiting),
            "diffusion_coefficient": (diffusion, diffusion * wait_error / wait),
            "relaxation_time": (tau, tau_error),
            "slowdown": (slowdown, slowdown * tau_error / tau),
            "prefactor": (prefactor(self.q, slowdown), slowdown * tau_error / tau / root),
            "kww_beta": (kww[0], kww_error[0]),
            "kww_time": (kww[1], kww_error[1]),
            "kww_mean_time": (kww[2], kww_error[2]),
            "persistence": with_error(self.of["persistence"]),
            "scattering": with_error(self.of["scattering"]),
            "scattering_time": (times, times_error),
        }


class Grid:
    """Runs at points of a table, such as couplings by temperatures by q; an entry may be missing.

    Parameters
    ----------
    shape : tuple of int
    runs : dict
        `Runs` by place.
    """

    def __init__(self, shape: tuple[int, ...], runs: dict[tuple[int, ...], Runs]):
        self.shape, self.runs = shape, runs

    def values(self, names: Sequence[str], start: str = "") -> dict[str, np.ndarray]:
        """Return arrays of values and of errors by name, NaN where there are no runs."""
        made: dict[str, np.ndarray] = {}
        for place, runs in self.runs.items():
            found = runs.values()
            for name in names:
                for end, value in zip(("", "_error"), found[name], strict=True):
                    array = made.setdefault(f"{start}{name}{end}", np.full((*self.shape, *np.shape(value)), np.nan))
                    array[place] = value
        return made

    def runs_of(self, name: str) -> np.ndarray:
        """Return what each run has of a number, shape (runs, ...)."""
        number = len(next(iter(self.runs.values())).of[name])
        array = np.full((number, *self.shape), np.nan)
        for place, runs in self.runs.items():
            array[(slice(None), *place)] = runs.of[name]
        return array

    @property
    def told(self) -> np.ndarray:
        """Where errors of tau_alpha are told."""
        array = np.zeros(self.shape, dtype=bool)
        for place, runs in self.runs.items():
            array[place] = runs.told
        return array

    def exponents(self) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """Return xi over all temperatures, and between successive ones, with errors; temperatures are the second axis.

        Runs at different temperatures are independent, so that any of one may stand beside any of the other.
        """
        tau, diffusion = self.runs_of("relaxation_time"), 1.0 / (6.0 * self.runs_of("mean_waiting_time"))

        def of(some) -> tuple[np.ndarray, np.ndarray]:
            d, t = (np.moveaxis(one, 2, 0)[some] for one in (diffusion, tau))
            told = np.moveaxis(self.told, 1, 0)[some].all(axis=0)
            whole = exponent(d.mean(axis=1), t.mean(axis=1))
            return whole, np.where(told, pelplug.standard_error(exponent(d, t)), np.nan)

        every = of(slice(None))
        pairs = [of(slice(k, k + 2)) for k in range(self.shape[1] - 1)]
        local = tuple(np.stack([one[part] for one in pairs], axis=1) for part in (0, 1))
        return every, (local[0], local[1])

    def mean_prefactor(self, q: np.ndarray, zero: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the mean of c over the couplings in `LAW` with its error; None where none is there."""
        inside = (q >= LAW[0] * (1 - 1e-9)) & (q <= LAW[1] * (1 + 1e-9))
        if not inside.any():
            return None
        tau = self.runs_of("relaxation_time")[..., inside]
        value, error = with_error(tau, lambda one: prefactor(q[inside], zero[:, None] / one).mean(axis=-1))
        return value, np.where(self.told[..., inside].all(axis=-1), error, np.nan)


def growth(rate, q, error, rate_error=None) -> tuple[float, float]:
    """Return n of ``q ~ rate**n`` by weighted least squares, with its error; NaN where fewer than two q are known.

    Parameters
    ----------
    rate, q, error : ndarray, shape (temperatures,)
        <Gamma> [1 / time]; q with its standard error, NaN where unknown.
    rate_error : ndarray, shape (temperatures,), optional
        Of a measured rate, whose points without one are left out.

    Notes
    -----
    The error of a rate counts as n times as large a one of q, both relative. Points that lie further from the line than
    their errors allow make its error larger, by the root of chi-square a degree of freedom.
    """
    wide = np.zeros_like(q) if rate_error is None else rate_error / rate
    known = np.isfinite(q) & np.isfinite(error) & (error > 0) & np.isfinite(rate) & np.isfinite(wide)
    if known.sum() < 2:
        return np.nan, np.nan
    x, y, own, other = np.log(rate[known]), np.log(q[known]), (error / q)[known], wide[known]
    n = 0.0
    for _ in range(50):
        weight = 1.0 / (own**2 + (n * other) ** 2)
        apart = x - np.average(x, weights=weight)
        spread = (weight * apart**2).sum()
        last, n = n, float((weight * apart * y).sum() / spread)
        if abs(n - last) < 1e-9:
            break
    free = x.size - 2
    away = y - np.average(y, weights=weight) - n * apart
    chi = (weight * away**2).sum() / free if free else 1.0
    return n, float((max(chi, 1.0) / spread) ** 0.5)
