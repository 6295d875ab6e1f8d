"""The closed forms of paper 2's Appendix A beside the integrals: how far they agree, and what decides where not."""

from __future__ import annotations

import dataclasses

import numpy as np

import pelplug

__all__ = ["LARGEST", "ClosedForms", "number"]

_SHOWN = 4  # temperatures named in a sentence
LARGEST = 600.0
"""Logarithm of the largest number that is told: its inverse and its square are numbers too, or nearly."""


def number(log: np.ndarray) -> np.ndarray:
    """Return exponentials, NaN where these are more or less than a number holds."""
    return np.exp(np.where(np.abs(log) <= LARGEST, log, np.nan))


class ClosedForms:
    """Closed forms of a landscape at several temperatures, NaN where no number holds them.

    Parameters
    ----------
    landscape : TrapLandscape
        With whatever cutoff and crossover.
    temperature : ndarray, shape (K,)
        [temperature]
    """

    def __init__(self, landscape: pelplug.TrapLandscape, temperature: np.ndarray):
        self.landscape, self.temperature = landscape, temperature
        self.logs = {n: landscape.closed_log_moment(n, temperature) for n in (1, -1)}

    def times(self) -> dict[str, np.ndarray]:
        """Return <tau> and tau_alpha [time]."""
        broadening = self.landscape.sigma_gamma**2
        logs = {"mean_waiting_time": -self.logs[1], "relaxation_time": self.logs[-1] + broadening}
        return {name: number(log) for name, log in logs.items()}

    def exponent(self) -> np.ndarray:
        """Return xi."""
        return self.landscape.closed_exponent(self.temperature)

    def deviation(self) -> float:
        """Return how far they are from quadrature without cutoff and crossover, as a share of either."""
        free = dataclasses.replace(self.landscape, cutoff=-np.inf, plateau=False)
        apart = [np.abs(np.expm1(free.log_moment(n, self.temperature) - log)) for n, log in self.logs.items()]
        return float(np.max(apart))

    def remarks(self, values: dict[str, np.ndarray], tolerance: float) -> list[str]:
        """Return a sentence for each quantity whose closed form does not hold, by what decides there, with both values.

        Parameters
        ----------
        values : dict of str to ndarray
            ``exponent``, ``mean_waiting_time``, ``relaxation_time``, and the latter with ``closed_`` before.
        tolerance : float
            Relative difference.
        """
        said = []
        for n, name, symbol in ((-1, "relaxation_time", "tau_alpha"), (1, "mean_waiting_time", "<tau>")):
            whole = self.landscape.log_moment(n, self.temperature)
            if np.any(none := np.isnan(values[name])):
                log = (self.landscape.sigma_gamma**2 if n < 0 else 0.0) - n * whole[none]
                where, lost = self._numbers(self.temperature[none]), symbol if n < 0 else f"{symbol} and no D"
                said.append(
                    f"No {lost} at T = {where}: {symbol} is up to exp({log.max():.0f}), more than a number holds."
                )
            without = {
                "cutoff": dataclasses.replace(self.landscape, cutoff=-np.inf),
                "crossover": dataclasses.replace(self.landscape, plateau=False),
            }
            moved = {why: np.abs(whole - one.log_moment(n, self.temperature)) for why, one in without.items()}
            differs = (np.abs(whole - self.logs[n]) > np.log1p(tolerance)) & np.isfinite(values[name])
            cutoff = moved["cutoff"] >= moved["crossover"]
            for why, here in (("cutoff", differs & cutoff), ("crossover", differs & ~cutoff)):
                if here.any():
                    said.append(self._sentence(symbol, why, here, values[name], values[f"closed_{name}"]))
        if np.any(none := np.isnan(values["exponent"])):
            where = self._numbers(self.temperature[none])
            said.append(f"No xi at T = {where}: <1/Gamma> does not change with the temperature there.")
        steep = self.landscape.slope(self.temperature) <= 0.0
        if steep.any() and self.landscape.lam > 0.0:
            said.append(
                f"At T = {self._numbers(self.temperature[steep])} deeper metabasins are not left more slowly: 1/T is "
                "below kappa (e_0 - e_c) / sigma^2, where the model means nothing."
            )
        return said

    def _sentence(self, symbol: str, why: str, here: np.ndarray, value: np.ndarray, closed: np.ndarray) -> str:
        rows = [
            f"{one:.4g} by integration, {_text(other)} in closed form at T = {t:g}"
            for one, other, t in zip(value[here], closed[here], self.temperature[here], strict=True)
        ]
        more = f"; and at {len(rows) - _SHOWN} more temperatures up to {self.temperature[here].max():g}"
        rest = more if len(rows) > _SHOWN else ""
        shown = "; ".join(rows[:_SHOWN])
        return f"The closed form of {symbol} does not hold where the {why} decides: {shown}{rest}."

    @staticmethod
    def _numbers(values: np.ndarray) -> str:
        shown = ", ".join(f"{one:g}" for one in values[:_SHOWN])
        return f"{shown}, ... {values[-1]:g}" if values.size > _SHOWN else shown


def _text(value: float) -> str:
    return "more than a number holds" if np.isnan(value) else f"{value:.4g}"
