"""Exponents of the steepest descent of harmonic spheres from random starts (T = infinity) in 2, 3 and 4 dimensions.

Published: Nishikawa et al., Phys. Rev. X 12, 021001 (2022), Fig. 2(a): v ~ t^-beta with beta = 0.92, 0.85, 0.75 from
N = 64,000 to 65,536. Run: ``pytest -m validation tests/validation/test_relaxation.py -s``.
"""

from __future__ import annotations

import time

import numpy as np
import pytest
from pelplug_relaxation.fits import fit_decay
from pelplug_relaxation.relaxation import Relaxation

import pelplug

pytestmark = pytest.mark.validation

N = 16_000
FRAMES = 3


# With N = 16,000 the four-dimensional exponent is still falling with time where the finite system begins to matter.
SHORT = pytest.mark.xfail(reason="0.801 +- 0.009 from N = 16,000, 0.051 above the published value of N = 65,536")


@pytest.mark.parametrize(
    ("d", "published", "tolerance", "window"),
    [
        (2, 0.92, 0.04, (10.0, 300.0)),
        (3, 0.85, 0.04, (100.0, 1000.0)),
        pytest.param(4, 0.75, 0.05, (100.0, 1000.0), marks=SHORT),
    ],
)
def test_exponent_from_random_starts(d, published, tolerance, window, tmp_path):
    model = pelplug.model("harmonic-spheres", dimension=d)
    frames = [model.random_configuration(N, seed, arrangement="random") for seed in range(1, FRAMES + 1)]
    if d == 2:  # a trajectory has one set of diameters
        frames = [frame.replace(diameters=frames[0].diameters) for frame in frames]
    frames = [frame.replace(frame=k, step=k) for k, frame in enumerate(frames)]
    pelplug.write_trajectory(tmp_path / "random.nc", frames, model_record=model.to_dict())
    options = {"t_end": window[1], "to_minimum": False, "rtol": 1e-2, "t_min": window[0], "t_max": window[1]}
    clock = time.perf_counter()
    dataset = Relaxation(tmp_path / "random.nc", model=model, **options).run().to_dataset()
    wall = time.perf_counter() - clock
    beta, error = float(dataset["beta"]), float(dataset["beta_error"])
    times, mean = dataset["descent_time"].values, dataset["mean_velocity"].values
    print(
        f"\nd = {d}, N = {N}, {FRAMES} starts: beta = {beta:.3f} +- {error:.3f} for t = {window[0]:g} to {window[1]:g}"
    )
    for low, high in ((3, 30), (10, 100), (30, 300), (10, 300), (30, 1000), (100, 1000)):
        inside = (times > 0.99 * low) & (times < 1.01 * high)
        if high <= 1.01 * times[-1]:
            print(f"  {low} to {high}: {fit_decay(times[inside], mean[inside]).beta:.3f}")
    print(f"  {dataset.attrs['decay']}, AIC difference {float(dataset['aic_difference']):.0f}, energy defect "
          f"{np.abs(dataset['energy_defect'].values).max():.1e}, {dataset['evaluations'].values.tolist()} evaluations, "
          f"{wall:.0f} s")  # fmt: skip
    assert dataset.attrs["decay"] == "power law"
    assert abs(beta - published) < tolerance
