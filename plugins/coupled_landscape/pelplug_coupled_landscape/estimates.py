"""From independent runs at one point to values with errors over the runs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import gamma

import pelplug
from pelplug_coupled_landscape.kww import stretched

__all__ = ["exponent", "prefactor", "stretched_exponential", "with_error"]


def with_error(runs, statistic: Callable | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean over runs, or a statistic of the mean, and its standard error over runs.

    Parameters
    ----------
    runs : array_like, shape (runs, ...)
        Of each independent run.
    statistic : callable, optional
        Of what one run has, as of the mean; its scatter over runs makes the error.
    """
    runs = np.asarray(runs, dtype=float)
    each = runs if statistic is None else np.array([statistic(one) for one in runs])
    value = runs.mean(axis=0) if statistic is None else np.asarray(statistic(runs.mean(axis=0)))
    return value, np.where(np.isfinite(value), pelplug.standard_error(each), np.nan)


def stretched_exponential(times, persistence) -> np.ndarray:
    """Return beta, tau_0 and ``tau_0/beta Gamma(1/beta)`` of ``exp(-(t/tau_0)**beta)``, shape (3,)."""
    tau, beta = stretched(times, persistence)
    return np.array([beta, tau, tau / beta * gamma(1.0 / beta)])


def prefactor(q, slowdown) -> np.ndarray:
    """Return c of ``tau_alpha(q) = tau_alpha(0) / (1 + c sqrt q)`` at each q; NaN at q = 0.

    Parameters
    ----------
    q : array_like, shape (K,)
        Couplings.
    slowdown : array_like, shape (..., K)
        tau_alpha(0) / tau_alpha(q).
    """
    q = np.asarray(q, dtype=float)
    return (np.asarray(slowdown, dtype=float) - 1.0) / np.sqrt(np.where(q > 0, q, np.nan))


def exponent(diffusion, relaxation) -> np.ndarray:
    """Return xi of ``D tau ~ tau**xi``: the slope of ln(D tau) against ln tau along the first axis.

    Parameters
    ----------
    diffusion, relaxation : array_like, shape (temperatures, ...)
        D and tau_alpha.
    """
    x, y = np.log(relaxation), np.log(np.asarray(diffusion) * relaxation)
    x = x - x.mean(axis=0)
    return (x * y).sum(axis=0) / (x * x).sum(axis=0)
