"""How often the errors of the study random-walk hold: 100 landscapes drawn from a seed that is an option."""

import numpy as np
import pytest
from pelplug_metabasins.walk_samples import walks
from pelplug_metabasins.walk_variables import PARAMETERS

import pelplug

pytestmark = pytest.mark.validation
SEEDS, TEMPERATURES = 100, (0.45, 0.5, 0.6, 0.75)


def test_each_parameter_lies_within_its_error_as_often_as_it_should(pelplug_seed):
    """Within the binomial 99.9 % band of 100 seeds; the cutoff within its interval."""
    pulls, cutoffs, bias = [], [], []
    for k in range(SEEDS):
        rng = np.random.default_rng([pelplug_seed, k])
        law = pelplug.TrapLandscape(
            sigma=rng.uniform(2.5, 3.2), lam=rng.uniform(0.4, 0.6), crossover=rng.uniform(-13.0, -11.0),
            entropic_factor=rng.uniform(0.3, 0.7), rate_prefactor=rng.uniform(3.0, 7.0),
            last_barrier=rng.uniform(0.0, 0.6), cutoff=rng.uniform(-21.0, -18.0), sigma_gamma=rng.uniform(0.3, 1.0),
        )  # fmt: skip
        results = walks(law, TEMPERATURES, 1500, pelplug_seed + k, analysed=False)
        ds = pelplug.study("random-walk", results, resamples=60, bins=20, times=10)
        pulls.append([(float(ds[name]) - getattr(law, name)) / float(ds[f"{name}_error"]) for name in PARAMETERS])
        low, high = ds["cutoff_interval"].values
        cutoffs.append(not low > law.cutoff and high > law.cutoff)
        bias.append((float(ds["lowest_energy"]) - law.cutoff, float(ds["cutoff_bias"])))
    away = np.abs(pulls)
    half = 3.29 * np.sqrt(pelplug.ONE_SIGMA * (1 - pelplug.ONE_SIGMA) / SEEDS)
    for name, share in zip(PARAMETERS, np.mean(away < 1, axis=0), strict=True):
        print(f"{name}: within one error {share:.2f}, farthest {away[:, list(PARAMETERS).index(name)].max():.2f}")
    print(f"cutoff: within its interval {np.mean(cutoffs):.2f}; lowest energy above it {np.nanmean(bias, axis=0)}")
    assert np.all(np.abs(np.mean(away < 1, axis=0) - pelplug.ONE_SIGMA) < half)
    assert abs(np.mean(cutoffs) - pelplug.ONE_SIGMA) < half
    above, stated = np.nanmean(bias, axis=0)
    assert above == pytest.approx(stated, rel=0.5)
