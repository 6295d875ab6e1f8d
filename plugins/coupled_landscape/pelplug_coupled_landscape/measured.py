"""Measured finite-size effects, from options or results, corrected as the paper corrects them."""

from __future__ import annotations

import numpy as np

__all__ = ["measured_ratios"]


def measured_ratios(given, temperatures) -> tuple[np.ndarray, np.ndarray]:
    """Return tau_alpha of the small over that of the large system, and its error.

    Parameters
    ----------
    given : sequence of ndarray, shape (temperatures,)
        Ratio of tau_alpha, its error, D of the large over that of the small system, its error; NaN where unknown.
    temperatures : ndarray

    Returns
    -------
    ratio, error : ndarray, shape (temperatures,)

    Notes
    -----
    The walls of a periodic cell slow down a small system by hydrodynamics, which the model does not have. The paper
    multiplies tau_alpha of the large system by D_N/D_min; the ratio is divided by it.
    """
    tau, tau_error, diffusion, diffusion_error = given
    corrected = np.where(np.isfinite(diffusion), diffusion, 1.0)
    # the error of a ratio of D that is unknown makes that of the corrected ratio unknown
    other = np.where(np.isfinite(diffusion), diffusion_error / corrected, 0.0)
    ratio = tau / corrected
    return ratio, ratio * np.hypot(tau_error / tau, other)
