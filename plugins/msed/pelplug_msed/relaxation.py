"""The relaxation time of the mean-squared energy difference, or why it shows none."""

from __future__ import annotations

import dataclasses

import numpy as np

from pelplug_msed.blocks import Runs
from pelplug_msed.fits import fast_end, fit_rise, fit_with_errors, vibration_end

__all__ = ["FEWEST", "Relaxation", "relaxation", "slow_time"]

FEWEST = 40.0
"""Relaxation times in a series from which on errors hold; see the page of msed."""

_LAGS = 6  # the fewest of a fit


@dataclasses.dataclass
class Relaxation:
    """What the fit gave.

    Attributes
    ----------
    words : str
        Window and errors, or why there is none.
    variables : dict
        Empty if there is no fit.
    samples : dict
        Of each error how many blocks it is from.
    tau : float
        Best guess of the relaxation time, also where it is not worth stating; NaN if there is not even that [time].
    unfinished : str
        Why the record does not hold enough of the relaxation for errors; empty if it does, or there is none.
    """

    words: str
    variables: dict = dataclasses.field(default_factory=dict)
    samples: dict = dataclasses.field(default_factory=dict)
    tau: float = np.nan
    unfinished: str = ""


def relaxation(blocks, times, curve, errors, scale, heat, *, t_min, t_max, resamples, seed) -> Relaxation:
    """Fit Eq. 11.

    Parameters
    ----------
    blocks : Correlator or SeriesBlocks
        Gives the sums in blocks.
    times, curve, errors : ndarray, shape (K,)
        Lags [time], mean-squared differences per particle and their errors [energy**2].
    scale : float
        What a squared difference of the blocks is multiplied by.
    heat : Heat or None
        Turns squares into heat capacities.
    t_min, t_max : "auto" or float
        Window [time].
    resamples, seed : int
        Of the bootstrap.
    """
    length = blocks.n * times[0]
    known = np.isfinite(errors)
    if np.count_nonzero(known) < _LAGS:
        return Relaxation(f"none: fewer than {_LAGS} lags with an error; the series is too short")
    longest = (blocks.shortest if isinstance(blocks, Runs) else blocks.n) * times[0] / 8.0
    last = min(times[known][-1], longest) if t_max == "auto" else t_max
    first = _begin(times, curve, errors, last) if t_min == "auto" else t_min
    chosen = _window(times, errors, first, last)
    fit = None if chosen is None else fit_rise(times[chosen], curve[chosen], errors[chosen])
    if t_max == "auto" and (fit is None or fit.tau > times[chosen][-1] / 2.0):
        last, extended = longest, _extended(times, errors)
        first = _begin(times, curve, extended, last) if t_min == "auto" else t_min
        longer = _window(times, extended, first, last)
        if longer is not None:
            chosen, errors = longer, extended
            fit = fit_rise(times[chosen], curve[chosen], errors[chosen])
    if fit is None:
        return Relaxation(
            f"none: fewer than {_LAGS} lags with an error from {first:.4g} to {last:.4g}; the series is too short"
        )
    t, window = times[chosen], f"lags {times[chosen][0]:.4g} to {times[chosen][-1]:.4g}"
    flags = np.zeros(len(blocks.lags()), bool)
    flags[: len(times)] = chosen
    fit, spread, samples = fit_with_errors(
        blocks, flags, t, curve[chosen], errors[chosen], scale, resamples, seed, heat and heat.columns
    )
    none = Relaxation("", tau=fit.tau, unfinished="the relaxation time is not known")
    off = np.abs(curve[chosen] - fit(t))
    if not np.all(np.isfinite(spread[:3])):
        none.words = f"none: too few blocks of the series for errors ({window})"
    elif not fit.um_squared > 3.0 * spread[1]:
        none.words, none.unfinished = f"none: no rise beyond three errors in {window}", ""
    elif fit.u0_squared < -3.0 * spread[0]:  # no background of vibrations, but their own rise
        none.words, none.unfinished = f"none: U_0^2 is negative in {window}, the rise of vibrations; raise t_min", ""
    elif np.any((off > 4.0 * errors[chosen]) & (off > 0.2 * curve[chosen])):
        none.words = f"none: Eq. 11 is not the shape of the curve in {window}; set t_min past the vibrations"
    elif fit.tau > t[-1] / 2.0:
        none.words = f"none: the rise does not come to its end in {window}; the series is too short, tau is not reached"
        none.unfinished = "the relaxation does not come to its end within the record"
    elif fit.tau < t[0] / 2.0:
        none.words, none.unfinished = f"none: the rise is over before the first lag of {window}", ""
    if none.words:
        return none
    number = length / fit.tau
    of = f"{blocks.number} runs" if isinstance(blocks, Runs) else "10 and 20 blocks"
    unfinished, words = "", f"{window}; the series is {number:.3g} tau long"
    if number < FEWEST:
        unfinished = f"the record holds {number:.3g} relaxation times, and errors hold from {FEWEST:g} on"
        words += ", too short for errors"
        spread = np.full_like(spread, np.nan)
    else:
        words += f"; errors by {resamples} bootstrap resamples of {of}"
    root = np.sqrt(fit.u0_squared) if fit.u0_squared >= 0 else np.nan
    variables = {
        "u0_squared": ((), fit.u0_squared),
        "u0_squared_error": ((), spread[0]),
        "um_squared": ((), fit.um_squared),
        "um_squared_error": ((), spread[1]),
        "u0": ((), root),
        "um": ((), np.sqrt(fit.um_squared)),
        "tau": ((), fit.tau),
        "tau_error": ((), spread[2]),
        "fit_window": ("bound", t[[0, -1]]),
        **(heat.of_fit(fit, spread) if heat else {}),
    }
    names = ("u0_squared", "um_squared", "tau", "heat_capacity_fast", "heat_capacity_slow", "v0", "vm")
    blocks_of = dict(zip(names, [*samples, *samples[:2]] if len(samples) > 3 else samples, strict=False))
    return Relaxation(words, variables, {f"{k}_error": int(v) for k, v in blocks_of.items()}, fit.tau, unfinished)


def slow_time(times, curve, errors, length: float, t_min) -> float:
    """Return a guess of the relaxation time; NaN if the record is shorter than 20 of it or has too few lags [time].

    Parameters
    ----------
    times, curve, errors : ndarray, shape (K,)
        Lags, mean-squared differences and their errors.
    length : float
        Of the series [time].
    t_min : "auto" or float
        Where the fit begins.
    """
    known = np.isfinite(errors)
    if np.count_nonzero(known) < _LAGS:
        return np.nan
    extended = _extended(times, errors)
    first = _begin(times, curve, extended, length / 8.0) if t_min == "auto" else t_min
    chosen = _window(times, extended, first, length / 8.0)
    if chosen is None:
        return np.nan
    fit = fit_rise(times[chosen], curve[chosen], extended[chosen])
    rises = fit.um_squared > 3.0 * float(extended[chosen].min())
    tau = fit.tau if rises else min(fit.tau, length / 20.0)
    return tau if tau <= length / 16.0 else np.nan


def _extended(times, errors) -> np.ndarray:
    """Longer lags have a value and no error; for its weight it is taken to grow as the root of the lag."""
    known = np.isfinite(errors)
    return np.where(known, errors, errors[known][-1] * np.sqrt(times / times[known][-1]))


def _begin(times, curve, errors, last) -> float:
    """Return where the fit begins if nobody says: past the vibrations, or a fast part that rises without a maximum."""
    first = vibration_end(times, curve, errors)
    inside = (times <= last) & np.isfinite(errors)
    if first > times[0] or np.count_nonzero(inside) < 2 * _LAGS:
        return first
    return fast_end(times[inside], curve[inside], errors[inside])


def _window(times, errors, first, last) -> np.ndarray | None:
    """Return which lags are fitted, None if they are too few."""
    chosen = (times >= first * (1 - 1e-9)) & (times <= last * (1 + 1e-9)) & np.isfinite(errors)
    return chosen if np.count_nonzero(chosen) >= _LAGS else None
