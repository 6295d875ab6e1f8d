"""Errors of <phi> and chi hold as often as they say, on shares of a known law."""

import numpy as np
import pytest
import xarray as xr
from pelplug_defects.averages import averaged

N, MEAN, WIDTH, SETS = 1000, 0.2, 0.02, 300


def frames(phi):
    shares = {f"{name}_frame": ("frame", phi) for name in ("phi", "broken", "inserted")}
    return xr.Dataset(
        {**shares, "phi": (("frame", "particle"), np.zeros((phi.size, N)))}, coords={"frame": np.arange(phi.size)}
    )


@pytest.mark.parametrize("n", [5, 15])
def test_errors_of_few_frames_hold_and_chi_has_no_bias(n):
    rng, held, values = np.random.default_rng(n), [], []
    truth = N * WIDTH**2
    for _ in range(SETS):
        one, few = averaged(frames(rng.normal(MEAN, WIDTH, n)), "defects")
        chi, error = float(one["chi"]), float(one["chi_error"])
        off, of_mean = abs(float(one["phi_mean"]) - MEAN), float(one["phi_mean_error"])
        held.append([off < of_mean, abs(chi - truth) < error, off < of_mean / 2, abs(chi - truth) < error / 2])
        values.append(chi)
        assert not few
    mean, fluctuation, mean_half, fluctuation_half = np.mean(held, axis=0)
    assert 0.58 < mean < 0.78 and 0.58 < fluctuation < 0.82
    assert max(mean_half, fluctuation_half) < 0.55
    # The variance of a normal variable from n values scatters by sqrt(2 / (n - 1)) of itself.
    assert np.mean(values) == pytest.approx(truth, rel=4 * np.sqrt(2 / (n - 1) / SETS))
    said = one["chi_error"].attrs["error_method"]
    assert said == "jackknife over frames; at least that of the variance of a normal variable"
    assert one["phi_mean_error"].attrs["error_method"] == "jackknife over frames"


def test_one_frame_tells_no_fluctuations():
    one, said = averaged(frames(np.array([0.2])), "defects")
    assert np.isnan(one["chi"]) and np.isnan(one["chi_error"]) and float(one["phi_mean"]) == 0.2
    assert said[0].startswith("No chi") and "--plugin defects run-*.gsd" in said[1]
