"""D(omega) and its law at low frequencies, over all inherent structures, with errors over independent samples."""

from __future__ import annotations

from typing import Literal

import numpy as np

import pelplug

__all__ = ["averaged", "logarithmic_edges", "power_law"]

CONFIDENCE = 0.9
"""Probability inside the interval of D(omega)."""
MEANS = ("debye", "shear_modulus", *pelplug.ElasticConstants.MODULI)
BELOW_PHONON = 0.9
"""Of the first phonon, where the fit ends: phonon bands have a width."""


def averaged(dataset, *, bins: int, fit_below: Literal["auto"] | float):
    """Add D(omega), the power law of its low end and mean moduli, with their errors.

    Parameters
    ----------
    dataset : Dataset
        Of its frames ``omega`` with ``mode_frame``, ``n_modes``, ``omega_known``, ``omega_phonon`` and the moduli.
    bins : int
        Of D(omega).
    fit_below : "auto" or float
        Frequency below which the law is fitted [1 / time].

    Returns
    -------
    dataset : Dataset
        With the new variables.
    few : list of str
        What to say if there are too few samples.
    """
    omega = dataset["omega"].values
    place = {label: k for k, label in enumerate(dataset["frame"].values.tolist())}
    frame = np.array([place[label] for label in dataset["mode_frame"].values.tolist()], dtype=int)
    # Modes of one structure share its Hessian. The softest is what varies most between structures.
    softest = np.full(len(place), np.inf)
    np.minimum.at(softest, frame, omega)
    unit, of = pelplug.independent_samples(dataset, softest)
    bootstrap = pelplug.Bootstrap(int(unit.max()) + 1)
    sample, total = unit[frame], pelplug.unit_sums(dataset["n_modes"].values, unit)
    # Above the lowest of the frames' last modes some are missing.
    complete = float(dataset["omega_known"].min())
    known = omega <= complete
    edges = logarithmic_edges(omega[known], bins, complete)
    counts = pelplug.sample_histograms(omega[known], sample[known], edges, bootstrap.samples)
    densities = bootstrap.means(counts, total) / np.diff(edges)
    density_error, density_interval = pelplug.bin_errors(densities, counts, bootstrap, CONFIDENCE)
    limit = min(_limit(dataset["omega_phonon"].values, fit_below), complete)  # NaN stays so
    low = omega < limit
    fitted = np.bincount(sample[low], minlength=bootstrap.samples)
    logarithms = np.bincount(sample[low], np.log(limit / omega[low]), minlength=bootstrap.samples)
    exponents = power_law(bootstrap.sums(fitted), bootstrap.sums(logarithms))
    number = int(fitted.sum())
    quartics = 5.0 * bootstrap.means(fitted, total) / limit**5 if number else np.full(2, np.nan)
    dataset = pelplug.average_frames(dataset, {f"{name}_mean": dataset[name] for name in MEANS}, unit, of, bootstrap)
    dataset = dataset.assign(
        density_of_states=("omega_bin", densities[0]),
        density_of_states_error=("omega_bin", density_error),
        density_of_states_interval=(("bound", "omega_bin"), density_interval),
        counts=("omega_bin", counts.sum(axis=0).astype(int)),
        omega_samples=("omega_bin", np.count_nonzero(counts, axis=0)),
        omega_edges=("edge", edges),
        fit_limit=((), limit),
        n_fitted=((), number),
        exponent=((), exponents[0]),
        exponent_error=((), _error(exponents, fitted, bootstrap)),
        quartic=((), quartics[0]),
        quartic_error=((), _error(quartics, fitted, bootstrap)),
    ).assign_coords(omega_bin=("omega_bin", (edges[1:] + edges[:-1]) / 2), bound=("bound", ["lower", "upper"]))
    said = ("density_of_states_error", "exponent_error", "quartic_error")
    pelplug.state_errors(dataset, said, bootstrap.attributes(of))
    pelplug.state_errors(dataset, ["density_of_states_interval"], bootstrap.attributes(of, CONFIDENCE))
    return dataset, pelplug.too_few_samples("vibrations", bootstrap.samples, of)


def logarithmic_edges(omega: np.ndarray, bins: int, complete: float) -> np.ndarray:
    """Return edges of bins equal in the logarithm that hold all of ``omega``.

    The grid passes through 1, wherever the first mode is: bins that began at it would have one too many there.

    Parameters
    ----------
    omega : ndarray
        The modes, at least one.
    bins : int
        How many bins, at least 2.
    complete : float
        Above this frequency modes are missing: the last bin ends there.

    Returns
    -------
    ndarray, shape (bins + 1,)
    """
    low, high = np.log(omega.min()), np.log(omega.max())
    width = max((high - low) / (bins - 1), 1e-6)
    edges = np.exp((np.floor(low / width) + np.arange(bins + 1)) * width)
    edges[0] = min(edges[0], omega.min() * (1 - 1e-9))
    edges[-1] = max(min(edges[-1], complete * (1 + 1e-9)), omega.max() * (1 + 1e-9))
    return edges


def power_law(number, logarithms) -> np.ndarray:
    """Fit D(omega) ~ omega**s to all modes below a limit, without bins.

    The cumulative share (omega / limit)**(s + 1) of its modes is fitted by maximum likelihood, without its bias:
    s + 1 = (n - 1) / sum ln(limit / omega).

    Parameters
    ----------
    number : array_like
        n, modes below the limit.
    logarithms : array_like
        Sum of ln(limit / omega) over them.

    Returns
    -------
    ndarray
        s; NaN below three modes.
    """
    n, total = np.broadcast_arrays(np.asarray(number, dtype=float), np.asarray(logarithms, dtype=float))
    return np.divide(n - 1.0, total, out=np.full(n.shape, np.nan), where=(n >= 3) & (total > 0)) - 1.0


def _limit(phonons: np.ndarray, fit_below: Literal["auto"] | float) -> float:
    if fit_below != "auto":
        return float(fit_below)
    return BELOW_PHONON * float(np.nanmin(phonons)) if np.isfinite(phonons).any() else np.nan


def _error(values: np.ndarray, fitted: np.ndarray, bootstrap) -> float:
    """Return the standard error; NaN where fewer than three samples have fitted modes."""
    return float(bootstrap.error(values)) if np.count_nonzero(fitted) >= pelplug.FEWEST_FOR_ERROR else np.nan
