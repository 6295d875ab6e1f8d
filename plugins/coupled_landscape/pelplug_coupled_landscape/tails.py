"""How far the mean of squared waiting times rests on a few long ones, by quadrature: where runs tell no error of it."""

from __future__ import annotations

import numpy as np

import pelplug

__all__ = ["LARGEST", "expected_scatter"]

LARGEST = 0.25  # relative; beyond, one record in two lacks the long waits that make the mean
_HERMITE = np.polynomial.hermite_e.hermegauss(64)


def expected_scatter(
    landscape: pelplug.TrapLandscape, temperature: float, effective_q: float, events: float, by_rate: bool = False
) -> float:
    """Return the relative standard deviation of tau_alpha that so many active processes leave.

    Parameters
    ----------
    landscape : TrapLandscape
    temperature : float
        [temperature]
    effective_q : float
        q N_eff; passive processes end the long waits.
    events : float
        Active processes in all.
    by_rate : bool
        Whether the chance of a passive process is proportional to Gamma(e), as of the rule ``rate``: `effective_q` is
        then its mean, and deep systems have far less of it.

    Returns
    -------
    float

    Notes
    -----
    tau_alpha is half the mean of tau**2 over that of tau, so that its variance is that of tau**2: with independent
    exponential waits ``6 <gamma^-3> / (n <gamma> <gamma^-1>**2)``, averages over p_eq. Passive processes are taken as a
    second way out, with the rate ``q N_eff <Gamma>``.
    """
    slope = abs(float(landscape.slope(temperature)))
    low = float(landscape.peak(temperature)) - (3.0 * slope * landscape.sigma + 9.0) * landscape.sigma
    high = float(landscape.peak(temperature)) + 9.0 * landscape.sigma
    edges = np.linspace(max(low, landscape.cutoff), max(high, landscape.cutoff + 9.0 * landscape.sigma), 8001)
    energy = 0.5 * (edges[1:] + edges[:-1])
    weight = landscape.equilibrium(energy, temperature)
    z, share = _HERMITE
    spread = landscape.sigma_gamma
    rate = np.exp(landscape.log_rate(energy, temperature)[:, None] + spread * z - 0.5 * spread**2)
    way_out = landscape.rate(energy, temperature)[:, None] if by_rate else float(landscape.moment(1.0, temperature))
    left = rate + effective_q * way_out
    both = weight[:, None] * share
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        one, three, mean = ((both * value).sum() / both.sum() for value in (1.0 / left, left**-3.0, rate))
        return float(np.sqrt(6.0 * three / (events * mean * one**2)))
