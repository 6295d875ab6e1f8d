"""The first phonon and the Debye level: what sound waves alone would give."""

from __future__ import annotations

import itertools
from math import gamma, pi

import numpy as np

__all__ = ["beta_harmonic", "debye_level", "first_phonon"]


def first_phonon(cell: np.ndarray, shear: float, density: float) -> float:
    """Return the frequency of the lowest transverse sound wave the cell can hold, |k| sqrt(G / rho) [1 / time].

    Parameters
    ----------
    cell : ndarray, shape (d, d)
        Cell vectors as rows [length].
    shear : float
        G [energy / length**d].
    density : float
        Mass density [mass / length**d].
    """
    if shear <= 0:
        return np.nan
    reciprocal = 2.0 * pi * np.linalg.inv(cell).T
    # k.a_i = 2 pi m_i bounds the multiples of a wave vector no longer than the shortest of the reciprocal cell.
    most = np.linalg.norm(reciprocal, axis=1).min() * np.linalg.norm(cell, axis=1) / (2.0 * pi)
    ranges = [range(-n, n + 1) for n in np.floor(most + 1e-9).astype(int)]
    whole = [np.array(m) @ reciprocal for m in itertools.product(*ranges) if any(m)]
    return float(np.linalg.norm(whole, axis=1).min() * np.sqrt(shear / density))


def debye_level(d: int, volume: float, modes: int, shear: float, bulk: float, density: float) -> float:
    """Return A in Debye's D(omega) = A omega**(d - 1), D normalised to one over all modes.

    A = d V B_d / ((2 pi)**d n_modes) [(d - 1) / c_T**d + 1 / c_L**d], B_d the volume of the unit ball, c_T**2 = G / rho
    and c_L**2 = (K + 2 (d - 1) G / d) / rho.
    """
    longitudinal = bulk + 2.0 * (d - 1) / d * shear
    if shear <= 0 or longitudinal <= 0:
        return np.nan
    ball = pi ** (d / 2) / gamma(d / 2 + 1)
    speeds = (d - 1) * (density / shear) ** (d / 2) + (density / longitudinal) ** (d / 2)
    return float(d * volume * ball / ((2.0 * pi) ** d * modes) * speeds)


def beta_harmonic(exponent: float) -> float:
    """Return beta of v(t) ~ t**-beta for harmonic descent from equilibrium in a spectrum D ~ omega**exponent.

    v**2 ~ int D(omega) omega**2 exp(-2 omega**2 t) domega, so beta = (exponent + 3) / 4: d/4 + 1/2 for Debye.

    References
    ----------
    Y. Nishikawa et al., Phys. Rev. X 12, 021001 (2022), Appendix B.
    """
    return (exponent + 3.0) / 4.0
