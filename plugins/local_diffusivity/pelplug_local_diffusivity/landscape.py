"""What the law of the runs tells of the landscape, and D(T) as a sum over its basins."""

from __future__ import annotations

import numpy as np

from pelplug_local_diffusivity.law import Law, fit_law

__all__ = ["extrapolated", "landscape"]


def extrapolated(means, warm) -> np.ndarray:
    """Return ln D_inf, shape (1 + R,): where a line through ln D of hot temperatures over 1 / k_B T meets zero."""
    inverse = np.array([1.0 / means.thermal(one) for one in warm])
    with np.errstate(invalid="ignore"):
        logarithms = np.log(np.stack([means.rows(one, "diffusivity") for one in warm], axis=1))
    moved = inverse - inverse.mean()
    return logarithms.mean(axis=1) - logarithms @ moved / (moved @ moved) * inverse.mean()


def landscape(means, cold, limit, variance: float | None = None) -> tuple[Law, dict[str, np.ndarray]]:
    """Return the law, and what it tells, the value first and those of the resamples behind it.

    Parameters
    ----------
    means : Means
    cold : list of State
        Temperatures with inherent structures.
    limit : ndarray, shape (1 + R,), or None
        ln D_inf; None fits it with the law.
    variance : float, optional
        sigma^2, if it is not to be measured [energy**2].

    Returns
    -------
    law : Law
    rows : dict of str to ndarray, shape (1 + R,) or (1 + R, T)
    """
    n, thermal = means.n, np.array([means.thermal(one) for one in cold])
    energy, of_runs, found, group, weights = means.pooled(cold)
    law = fit_law(energy, of_runs, found, group, weights, limit)
    spread = means.variance(cold) if variance is None else np.full(len(weights), float(variance))
    energies = n * np.stack([means.rows(one, "energy") for one in cold], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        strength = n / (2.0 * spread * law.a1)
        alpha, center = law.a0 * strength, n * law.a2
        entropy = alpha[:, None] - (energies - center[:, None]) ** 2 / (2.0 * n * spread[:, None])
        return law, {
            "diffusion_limit": np.exp(law.limit),
            "law_a0": law.a0,
            "law_a1": law.a1,
            "law_a2": law.a2,
            "landscape_variance": spread,
            "adam_gibbs": strength,
            "landscape_alpha": alpha,
            "landscape_center": center,
            "center_from_means": (energies + spread[:, None] / thermal) @ means.shares(cold),
            "least_energy": law.edge(),
            "configurational_entropy": entropy,
            "predicted_diffusion": _predicted(means, cold, law),
        }


def _predicted(means, states, law) -> np.ndarray:
    """Return D(T) of Eq. 5, shape (1 + R, T): the law over a Gaussian of the mean and variance there."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    found = []
    for one in states:
        with np.errstate(invalid="ignore"):
            spread = np.sqrt(means.variance([one])) / means.n
        energy = means.rows(one, "energy")[:, None] + spread[:, None] * nodes
        height = np.maximum(law.a0[:, None] - law.a1[:, None] * (energy - law.a2[:, None]) ** 2, 0.0)
        with np.errstate(divide="ignore"):
            local = np.exp(law.limit[:, None] - 1.0 / (means.thermal(one) * height))
        found.append(np.where(np.isfinite(law.a1), local @ weights / weights.sum(), np.nan))
    return np.stack(found, axis=1)
