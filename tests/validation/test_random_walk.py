"""How often the errors of the study random-walk hold: 100 landscapes drawn from a seed that is an option."""

import numpy as np
import pytest
from pelplug_metabasins.walk_samples import walks
from pelplug_metabasins.walk_variables import PARAMETERS
from scipy import stats

import pelplug

pytestmark = pytest.mark.validation
SEEDS, TEMPERATURES = 100, (0.45, 0.5, 0.6, 0.75)


def test_each_parameter_lies_within_its_error_as_often_as_it_should(pelplug_seed):
    """Within the binomial 99.9 % band of 100 seeds; the cutoff within its interval, and its bias as stated."""
    pulls, cutoffs, bias = [], [], []
    for k in range(SEEDS):
        rng = np.random.default_rng([pelplug_seed, k])
        law = pelplug.TrapLandscape(
            sigma=rng.uniform(2.5, 3.2), lam=rng.uniform(0.4, 0.6), crossover=rng.uniform(-13.0, -11.0),
            entropic_factor=rng.uniform(0.3, 0.7), rate_prefactor=rng.uniform(3.0, 7.0),
            last_barrier=rng.uniform(0.0, 0.6), cutoff=rng.uniform(-21.0, -18.0), sigma_gamma=rng.uniform(0.3, 1.0),
        )  # fmt: skip
        results = walks(law, TEMPERATURES, 1500, pelplug_seed + k, analysed=False)
        ds = pelplug.study("random-walk", results, bins=20, times=10)
        pulls.append([(float(ds[name]) - getattr(law, name)) / float(ds[f"{name}_error"]) for name in PARAMETERS])
        low, high = ds["cutoff_interval"].values
        cutoffs.append(not low > law.cutoff and high > law.cutoff)
        lowest = float(ds["lowest_energy"] + ds["centre"])
        bias.append((lowest - law.cutoff, float(ds["cutoff_bias"])))
    away = np.abs(pulls)
    inside = np.count_nonzero(away < 1, axis=0)
    for name, count, column in zip(PARAMETERS, inside, np.transpose(pulls), strict=True):
        print(f"{name}: within one error {count}, mean {column.mean():.2f}, farthest {np.abs(column).max():.2f}")
    above, stated = np.transpose(bias)
    print(f"{np.count_nonzero(away > 3)} of {away.size} beyond three errors; cutoff within its interval {sum(cutoffs)}")
    print(f"lowest energy above the cutoff {above.mean():.3f}, stated {stated.mean():.3f}")
    assert np.isfinite(away).all() and np.count_nonzero(away > 3) <= 3 and away.max() < 5
    low, high = stats.binom.ppf([0.0005, 0.9995], SEEDS, pelplug.ONE_SIGMA)
    assert np.all((low <= inside) & (inside <= high)) and low <= sum(cutoffs) <= high
    assert abs((above - stated).mean()) < 3.3 * (above - stated).std() / SEEDS**0.5
