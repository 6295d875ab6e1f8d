"""The relaxation time of the mean-squared energy difference, or why it shows none."""

from __future__ import annotations

import numpy as np

from pelplug_msed.fits import fit_with_errors, vibration_end

__all__ = ["relaxation"]


def relaxation(blocks, times, curve, errors, scale, heat, *, t_min, t_max, resamples, seed):
    """Return the variables of the fit and what is to be said of it.

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

    Returns
    -------
    variables : dict
        Empty if there is no fit.
    words : str
        Window and errors, or why there is none.
    """
    first = vibration_end(times, curve, errors) if t_min == "auto" else t_min
    last = blocks.n * times[0] / 8.0 if t_max == "auto" else t_max
    known = np.isfinite(errors)
    chosen = (times >= first * (1 - 1e-9)) & (times <= last * (1 + 1e-9)) & known
    if np.count_nonzero(chosen) < 6:
        return {}, f"none: fewer than 6 lags with an error from {first:.4g} to {last:.4g}; the series is too short"
    t = times[chosen]
    flags = np.zeros(len(blocks.lags()), bool)
    flags[: len(times)] = chosen
    fit, spread = fit_with_errors(
        blocks, flags, t, curve[chosen], errors[chosen], scale, resamples, seed, heat and heat.columns
    )
    window = f"lags {t[0]:.4g} to {t[-1]:.4g}"
    if not np.all(np.isfinite(spread[:3])):
        return {}, f"none: too few blocks of the series for errors ({window})"
    if not fit.um_squared > 3.0 * spread[1]:
        return {}, f"none: no rise beyond three errors in {window}"
    apart = np.abs(curve[chosen] - fit(t))
    if np.any((apart > 4.0 * errors[chosen]) & (apart > 0.2 * curve[chosen])):
        return {}, f"none: Eq. 11 is not the shape of the curve in {window}; set t_min past the vibrations"
    if fit.tau > t[-1] / 2.0:
        return (
            {},
            f"none: the rise does not come to its end in {window}; the series is too short, tau is not reached",
        )
    if fit.tau < t[0] / 2.0:
        return {}, f"none: the rise is over before the first lag of {window}"
    length = blocks.n * times[0]
    words = (
        f"{window}; errors by {resamples} bootstrap resamples of 10 to 40 blocks; "
        f"the series is {length / fit.tau:.3g} tau long"
    )
    root = np.sqrt(fit.u0_squared) if fit.u0_squared >= 0 else np.nan
    return {
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
    }, words
