"""Means over pairs and inherent structures, and P(kappa / <kappa>), with errors over independent samples."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

import pelplug

__all__ = ["averaged", "log_histogram", "resampled_densities"]


def averaged(dataset, *, bins: int, confidence: float, resamples: int, seed: int):
    """Add kappa's mean and distribution and the mean moduli, with errors and intervals.

    Parameters
    ----------
    dataset : Dataset
        Changed: of its frames ``kappa_ij`` with ``pair_frame``, ``kappa_frame``, ``shear_modulus`` and the elastic
        constants.
    bins : int
        Of the distribution.
    confidence : float
        Probability inside the intervals.
    resamples, seed : int
        Of the bootstrap.

    Returns
    -------
    dataset : Dataset
        The same.
    few : list of str
        What to say if there are too few samples.
    """
    kappa = dataset["kappa_ij"].values
    sizes = np.array([np.count_nonzero(dataset["pair_frame"].values == label) for label in dataset["frame"].values])
    # Pairs of one inherent structure share its Hessian: structures, or runs, are the independent things.
    unit, of = pelplug.independent_samples(dataset, dataset["kappa_frame"].values)
    bootstrap = pelplug.Bootstrap(int(unit.max()) + 1, resamples=resamples, seed=seed)
    sample = np.repeat(unit, sizes)
    means = bootstrap.means(np.bincount(sample, kappa), np.bincount(sample))
    density, counts, edges = log_histogram(kappa / means[0], bins)
    by_sample = pelplug.sample_histograms(kappa / means[0], sample, edges)
    densities = resampled_densities(by_sample, np.bincount(sample), means, bootstrap, edges)
    distribution_error, distribution_interval = pelplug.bin_errors(densities, by_sample, bootstrap, confidence)
    shear = dataset["shear_modulus"].mean("plane")
    moduli = {f"{name}_mean": dataset[name] for name in pelplug.ElasticConstants.MODULI}
    dataset = pelplug.average_frames(dataset, {"shear_modulus_mean": shear, **moduli}, unit, of, bootstrap)
    shears = bootstrap.means(np.bincount(unit, shear.values), np.bincount(unit))
    over = ("kappa_ratio",)
    dataset = dataset.assign(
        kappa_mean=((), means[0]),
        kappa_mean_error=((), bootstrap.error(means)),
        kappa_interval=("bound", bootstrap.interval(means, confidence, positive=True)),
        kappa_distribution=(over, density),
        kappa_distribution_error=(over, distribution_error),
        kappa_distribution_interval=(("bound", *over), distribution_interval),
        kappa_counts=(over, counts),
        kappa_samples=(over, np.count_nonzero(by_sample, axis=0)),
        kappa_ratio_edges=("edge", edges),
        shear_modulus_interval=("bound", bootstrap.interval(shears, confidence, positive=True)),
    ).assign_coords(kappa_ratio=(over, np.sqrt(edges[1:] * edges[:-1])), bound=("bound", ["lower", "upper"]))
    dataset["kappa_ratio"].attrs = {"long_name": "kappa / <kappa>, geometric middle of the bin", "units": "1"}
    error, interval = bootstrap.attributes(of), bootstrap.attributes(of, confidence)
    pelplug.state_errors(dataset, ["kappa_mean_error", "kappa_distribution_error"], error)
    intervals = ("kappa_interval", "kappa_distribution_interval", "shear_modulus_interval")
    pelplug.state_errors(dataset, intervals, interval)
    return dataset, pelplug.too_few_samples("kappa", bootstrap.samples, of)


def log_histogram(values: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return density, counts and edges of a histogram with bins equal in the logarithm.

    Parameters
    ----------
    values : ndarray
        Positive values.
    bins : int
        Number of bins, from the smallest to the largest value.

    Returns
    -------
    density, counts : ndarray, shape (bins,)
        The density integrates to one over the edges.
    edges : ndarray, shape (bins + 1,)
    """
    low, high = values.min(), values.max()
    if not low < high:
        low, high = low * (1.0 - 1e-6), high * (1.0 + 1e-6)
    edges = np.geomspace(low, high, bins + 1)
    edges[[0, -1]] = low, high
    counts, _ = np.histogram(values, edges)
    return counts / (values.size * np.diff(edges)), counts, edges


def resampled_densities(counts: np.ndarray, pairs: np.ndarray, means: np.ndarray, bootstrap, edges) -> np.ndarray:
    """Return P(kappa / <kappa>) of all samples and of the resamples, each over its own mean.

    What another mean does to P is linear in its logarithm, ``d(x P)/dx``, of P smoothed over a bin: bins that moved
    over the few pairs of a tail would count the noise of these twice.

    Parameters
    ----------
    counts : ndarray, shape (samples, bins)
        Pairs in each bin of kappa over the mean of all.
    pairs : ndarray, shape (samples,)
        Pairs of each sample.
    means : ndarray, shape (1 + R,)
        Mean of all pairs, and of those of each resample.
    bootstrap : pelplug.Bootstrap
        R resamples.
    edges : ndarray, shape (bins + 1,)
        Of kappa / <kappa>, equal in the logarithm.

    Returns
    -------
    ndarray, shape (1 + R, bins)
    """
    shares = bootstrap.means(counts, pairs)
    moved = (
        np.log(means / means[0])[:, None] * np.gradient(gaussian_filter1d(shares[0], 1.0)) / np.log(edges[1] / edges[0])
    )
    return (shares + moved) / np.diff(edges)
