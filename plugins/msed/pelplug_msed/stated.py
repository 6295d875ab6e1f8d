"""Which errors of msed are stated, on what they rest, and why others are not."""

from __future__ import annotations

import json

import numpy as np

import pelplug
from pelplug_msed.blocks import Runs
from pelplug_msed.relaxation import slow_time
from pelplug_msed.trend import BLOCKS, Trend, find_trend

__all__ = ["OF_THE_LIMIT", "honest", "say_errors", "trend_of"]

OF_THE_LIMIT = ("long_time_limit_error", "v_total_error", "heat_capacity_error")


def trend_of(accumulator, share: float, times: np.ndarray, curve: np.ndarray, errors: np.ndarray, t_min) -> Trend:
    """Test the energies for a trend.

    Parameters
    ----------
    accumulator : Accumulator
        Has their means in blocks.
    share : float
        What energies are multiplied by.
    times, curve, errors : ndarray, shape (K,)
        Lags [time], mean-squared differences and their errors [energy**2].
    t_min : "auto" or float
        Where the fit begins [time].

    Returns
    -------
    Trend
        Not tested where a drift cannot be told from the slow relaxation itself.
    """
    means, entries = accumulator.course(BLOCKS)
    means, length = share * means, entries * times[0]
    line = find_trend(means, 0.0)
    # A drift adds the square of what it changes in a lag, which is no relaxation.
    tau = slow_time(times, curve - (line.change / length * times) ** 2, errors, length, t_min)
    return find_trend(means, tau * len(means) / length) if np.isfinite(tau) else Trend(line.change)


def honest(values: dict, fit, trend: Trend, remedy: str, at_constant_energy: bool) -> tuple[dict, dict[str, str]]:
    """Take away errors that do not hold.

    Parameters
    ----------
    values : dict
        Variables of the dataset.
    fit : Relaxation
        Of Eq. 11.
    trend : Trend
        Of the energies.
    remedy : str
        What can be done about a trend.
    at_constant_energy : bool
        Whether runs differ in their energy, so that they are not analysed together.

    Returns
    -------
    values : dict
        With NaN for such errors.
    said : dict
        Attributes ``remarks`` and ``not_found``: lists of sentences, as JSON.
    """
    remarks, missing, without = [], [], set()
    errors = {name for name in values if name.endswith("_error")}
    if trend.found:
        without = errors
        remarks.append(
            f"The energies are not stationary: they change by {trend.change:.3g} a particle from the beginning to the "
            f"end (no trend has a probability of {trend.probability:.2g}), and have values without errors; {remedy}."
        )
    elif fit.unfinished:
        without = {name for name in errors if name != "msed_error"}
        which = "the long-time limit and of the fit" if fit.variables else "the long-time limit"
        more = (
            "join the results of several runs: pelplug study energy-entropies"
            if at_constant_energy
            else "analyse several independent runs together: pelplug analyze --plugin msed run-*.gsd"
        )
        missing.append(f"There are no errors of {which}: {fit.unfinished}; simulate longer, or {more}.")
    if not fit.variables:
        missing.insert(0, f"No tau*: {fit.words.removeprefix('none: ')}.")
    blank = {name: (values[name][0], np.full(np.shape(values[name][1]), np.nan)) for name in without}
    return values | blank, {"remarks": json.dumps(remarks), "not_found": json.dumps(missing)}


def say_errors(dataset, samples: dict[str, int], blocks):
    """Write into each error how it was found, and into that of the curve where it ends and why."""
    runs = isinstance(blocks, Runs)
    of = "runs" if runs else "blocks of the series"
    pelplug.state_errors(dataset, ["msed_error"], f"jackknife over {of}", "msed_blocks")
    for name, number in samples.items():
        method = "jackknife" if name in OF_THE_LIMIT else "bootstrap"
        pelplug.state_errors(dataset, [name], f"{method} over {of}", number)
    known = np.isfinite(dataset["msed_error"].values)
    last = float(dataset["lag"].values[known][-1]) if known.any() else 0.0
    reason = f"beyond a lag of {last:.4g} " + (
        "the runs are shorter than two lags" if runs else "there are fewer than ten blocks as long as two lags"
    )
    if json.loads(dataset.attrs["remarks"]):
        reason = "the energies are not stationary"
    dataset["msed_error"].attrs.update(last_lag=last, ends=reason)
    return dataset
