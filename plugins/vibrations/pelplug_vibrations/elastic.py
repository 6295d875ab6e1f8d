"""Moduli, the first phonon and the Debye level: what sound waves alone would give."""

from __future__ import annotations

import itertools
from math import gamma, pi

import numpy as np

__all__ = ["beta_harmonic", "bulk_modulus", "debye_level", "first_phonon", "power_law"]

# Relative change of length for central differences of forces and stress.
STRAIN = 1e-5


def bulk_modulus(response) -> float:
    """Return the athermal bulk modulus K = V d2U/dV2 at relaxed positions [energy / length**d].

    With x -> (1 + s) x of cell and particles, K = (U_ss - U_sx . M^-1 . U_xs) / (V d**2) - (d - 1)/d**2 tr(stress);
    the derivatives with respect to s are central differences of forces and stress.

    Parameters
    ----------
    response : LinearResponse
        The state and its factorised Hessian.
    """
    state, d, volume = response.backbone, response.backbone.dimension, response.configuration.volume
    slopes, forces = [], []
    for s in (STRAIN, -STRAIN):
        scaled = state.replace(positions=state.positions * (1.0 + s), cell=state.cell * (1.0 + s))
        slopes.append(scaled.volume * np.trace(response.potential.stress(scaled)) / (1.0 + s))
        forces.append(response.potential.forces(scaled) * (1.0 + s))
    second = (slopes[0] - slopes[1]) / (2.0 * STRAIN)
    mixed = -((forces[0] - forces[1]) / (2.0 * STRAIN)).ravel()
    relaxed = second - mixed @ response.factor.solve(mixed)
    return float((relaxed / volume - (d - 1) * np.trace(response.potential.stress(state))) / d**2)


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
    whole = [np.array(m) @ reciprocal for m in itertools.product((-1, 0, 1), repeat=len(cell)) if any(m)]
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


def power_law(omega: np.ndarray, limit: float) -> tuple[float, float, int]:
    """Fit D(omega) ~ omega**s to all modes below a limit, without bins.

    The cumulative share (omega / limit)**(s + 1) of its modes is fitted by maximum likelihood:
    s + 1 = (n - 1) / sum ln(limit / omega), with relative standard error 1 / sqrt(n - 2).

    Returns
    -------
    exponent, error : float
        s and its standard error; NaN below three modes.
    n : int
        Modes below the limit.
    """
    low = omega[omega < limit]
    n = low.size
    if n < 3:
        return np.nan, np.nan, n
    slope = (n - 1) / np.log(limit / low).sum()
    return float(slope - 1.0), float(slope / np.sqrt(n - 2)), n


def beta_harmonic(exponent: float) -> float:
    """Return beta of v(t) ~ t**-beta for harmonic descent from equilibrium in a spectrum D ~ omega**exponent.

    v**2 ~ int D(omega) omega**2 exp(-2 omega**2 t) domega, so beta = (exponent + 3) / 4: d/4 + 1/2 for Debye.

    References
    ----------
    Y. Nishikawa et al., Phys. Rev. X 12, 021001 (2022), Appendix B.
    """
    return (exponent + 3.0) / 4.0
