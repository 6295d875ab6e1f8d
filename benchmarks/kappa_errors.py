"""How often the errors of kappa, G and P(kappa/<kappa>) hold, in small sets of the inherent structures of one result.

    python benchmarks/kappa_errors.py kappa.nc [--sets 400] [--sizes 5 8]

The truth is the mean over all structures of the result, so that sets should be a small part of them. Beside them stand
the plain percentiles of a bootstrap, and Poisson errors of the pairs of a bin.
"""

from __future__ import annotations

import argparse

import numpy as np
import xarray as xr
from pelplug_kappa.statistics import averaged

import pelplug

CONFIDENCE = 0.9


def chosen(result: xr.Dataset, members: np.ndarray) -> xr.Dataset:
    """Return some frames of a result, with what the errors are made of."""
    names = ("kappa_frame", "shear_modulus", *pelplug.ElasticConstants.MODULI)
    owner = result["pair_frame"].values
    pairs = [result["kappa_ij"].values[owner == result["frame"].values[k]] for k in members]
    part = result[list(names)].isel(frame=members).assign_coords(frame=np.arange(members.size))
    part["kappa_ij"] = ("pair", np.concatenate(pairs))
    return part.assign_coords(pair_frame=("pair", np.repeat(part["frame"].values, [len(one) for one in pairs])))


def percentiles(sums: np.ndarray, counts: np.ndarray, rng) -> np.ndarray:
    """Return the plain bootstrap interval of a ratio of sums."""
    picked = rng.integers(sums.size, size=(1000, sums.size))
    means = sums[picked].sum(axis=1) / counts[picked].sum(axis=1)
    return np.quantile(means, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])


def inside(bounds, truth) -> bool:
    """Return whether an interval holds."""
    return bool(bounds[0] < truth < bounds[1])


def one_set(result: xr.Dataset, size: int, rng) -> tuple[dict[str, bool], np.ndarray]:
    """Return what held in one set, and how many bins have an error, and within how many errors and Poisson ones."""
    kappa, shear = result["kappa_ij"].values, float(result["shear_modulus"].mean())
    part = chosen(result, rng.choice(result.sizes["frame"], size, replace=False))
    one, _ = averaged(part, bins=40, confidence=CONFIDENCE, resamples=300, seed=int(rng.integers(2**31)))
    mean = kappa.mean()
    counts = np.bincount(part["pair_frame"].values)
    own = part["shear_modulus"].mean("plane").values
    held = {
        "interval of kappa": inside(one["kappa_interval"], mean),
        "percentiles of kappa": inside(percentiles(counts * part["kappa_frame"].values, counts, rng), mean),
        "interval of G": inside(one["shear_modulus_interval"], shear),
        "percentiles of G": inside(percentiles(own, np.ones(size), rng), shear),
        "error of kappa": bool(abs(one["kappa_mean"] - mean) < one["kappa_mean_error"]),
        "error of G": bool(abs(one["shear_modulus_mean"] - shear) < one["shear_modulus_mean_error"]),
    }
    edges, density = one["kappa_ratio_edges"].values, one["kappa_distribution"].values
    law = np.histogram(kappa / mean, edges)[0] / (kappa.size * np.diff(edges))
    error, pairs = one["kappa_distribution_error"].values, np.maximum(one["kappa_counts"].values, 1)
    known, off = np.isfinite(error), np.abs(density - law)
    return held, np.array([known.sum(), (off < error).sum(), (off < density / np.sqrt(pairs))[known].sum()])


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("result", help="of pelplug analyze --plugin kappa, 40 structures or more")
    parser.add_argument("--sets", type=int, default=400)
    parser.add_argument("--sizes", type=int, nargs="+", default=[5, 8])
    options = parser.parse_args()
    result = pelplug.read_results(options.result)["kappa"]
    for size in options.sizes:
        rng = np.random.default_rng(size)
        rows = [one_set(result, size, rng) for _ in range(options.sets)]
        print(f"{options.sets} sets of {size} of {result.sizes['frame']} structures")
        for name in rows[0][0]:
            print(f"  {name:22} holds in {100 * np.mean([row[0][name] for row in rows]):.0f} %")
        known, held, poisson = np.sum([row[1] for row in rows], axis=0)
        print(
            f"  error of a bin of P    holds in {100 * held / known:.0f} %, Poisson's in {100 * poisson / known:.0f} %"
        )


if __name__ == "__main__":
    main()
