"""Integrals over 1/T and T that make entropies, of many sets at once."""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicSpline

__all__ = ["anharmonic", "integral_over_beta", "kauzmann"]


def integral_over_beta(beta, energy, power: float) -> tuple[np.ndarray, float, float]:
    """Return ``int_0^beta U dbeta'`` at each beta.

    Of particles that repel as r^-n, U goes as beta^(p-1) for beta to 0, p = d/n, so that ``U beta^(1-p)`` is finite and
    smooth in x = beta^p: a spline through it is integrated, and beyond the highest temperature ``c_0 + c_1 x + c_2
    x^(1/p - 1)``, whose last term is a constant of U, as the mean attraction is one (c_2 x^2 for p = 1).

    Parameters
    ----------
    beta : ndarray, shape (T,)
        Decreasing [1 / energy].
    energy : ndarray, shape (R, T)
        U [energy].
    power : float
        p.

    Returns
    -------
    integral : ndarray, shape (R, T)
    share : float
        Of the integral at the largest beta, what lies above the highest temperature.
    off : float
        By how much that differs without c_1.
    """
    x = beta[::-1] ** power  # increasing
    y = energy[:, ::-1] * beta[::-1] ** (1.0 - power)
    spline = CubicSpline(x, y, axis=1)
    inside = spline.antiderivative()(x) / power
    last = 2.0 if power == 1.0 else 1.0 / power - 1.0
    beyond = [_to_zero(x, y, exponents) / power for exponents in ((0.0, 1.0, last), (0.0, last))]
    whole = inside - inside[:, :1] + beyond[0][:, None]
    share = abs(float(beyond[0][0] / whole[0, -1])) if whole[0, -1] else np.nan
    return whole[:, ::-1], share, abs(float(beyond[0][0] - beyond[1][0]))


def _to_zero(x, y, exponents) -> np.ndarray:
    """Return the integral from 0 to the first of x of sums of powers through as many of the first values."""
    exponents = np.array(exponents)
    some = x[: exponents.size, None] ** exponents
    coefficients = np.linalg.solve(some, y[:, : exponents.size].T)
    return (x[0] ** (exponents + 1) / (exponents + 1)) @ coefficients


def anharmonic(thermal, energy, fitted) -> np.ndarray:
    """Return the entropy of ``c_2 T^2 + c_3 T^3``, fitted where it is said and used everywhere.

    Parameters
    ----------
    thermal : ndarray, shape (T,)
        k_B T [energy].
    energy : ndarray, shape (R, T)
        Anharmonic energy [energy].
    fitted : ndarray of bool, shape (T,)

    Returns
    -------
    ndarray, shape (R, T)
        ``int_0^T dU/T = 2 c_2 T + 3/2 c_3 T^2``.
    """
    design = np.stack([thermal**2, thermal**3], axis=1)
    coefficients = np.linalg.lstsq(design[fitted], energy[:, fitted].T, rcond=None)[0]
    return (np.stack([2.0 * thermal, 1.5 * thermal**2], axis=1) @ coefficients).T


def kauzmann(temperature, entropy, fitted) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return s_0, s_1 and T_K of ``s_0 - s_1 / T^2``, of a Gaussian landscape; NaN where it has no zero.

    Parameters
    ----------
    temperature : ndarray, shape (T,)
    entropy : ndarray, shape (R, T)
    fitted : ndarray of bool, shape (T,)
    """
    design = np.stack([np.ones(fitted.sum()), -(temperature[fitted] ** -2)], axis=1)
    limit, slope = np.linalg.lstsq(design, entropy[:, fitted].T, rcond=None)[0]
    good = (limit > 0) & (slope > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        point = np.sqrt(slope / limit)
    return tuple(np.where(good, one, np.nan) for one in (limit, slope, point))
