"""Bisection against the dense quench of a supercooled Kob-Andersen liquid of 65 particles, run with LAMMPS.

Run: ``pytest -m validation tests/validation/test_inherent_structure_transitions.py -s``. The number of frames is 6000
unless the environment variable PELPLUG_VALIDATION_FRAMES says otherwise.
"""

from __future__ import annotations

import os
import time

import oracles
import pytest

import pelplug

pytestmark = pytest.mark.validation

TEMPERATURE = 0.5


def test_bisection_gives_the_transitions_of_the_dense_quench(tmp_path):
    frames = int(os.environ.get("PELPLUG_VALIDATION_FRAMES", "6000"))
    path = oracles.supercooled_run(tmp_path / "ka65.gsd", 65, TEMPERATURE, every=10, frames=frames, settle=400_000)
    options = {"dt": 0.005, "temperature": TEMPERATURE}
    name = "inherent-structure-transitions"
    began = time.perf_counter()
    dense = pelplug.analyze(name, path, search="all", **options)
    between = time.perf_counter()
    pure = pelplug.analyze(name, path, sample=0, **options)
    found = pelplug.analyze(name, path, sample=100, **options)
    after = time.perf_counter()
    lost, rate = oracles.compare_searches(dense, pure)
    low, high = float(found["miss_rate_low"]), float(found["miss_rate_high"])
    print(
        f"\n{frames} frames, e_IS {float(dense['energy_per_particle'].mean()):.4f}, {int(dense['structures'])} "
        f"structures, {dense.sizes['transition']} transitions; reduced rate {float(dense['reduced_rate']):.3f} +- "
        f"{float(dense['reduced_rate_error']):.3f}; variance {float(dense['variance_energy']):.2f} +- "
        f"{float(dense['variance_energy_error']):.2f}; skewness {float(dense['skewness_energy']):.2f} +- "
        f"{float(dense['skewness_energy_error']):.2f}"
    )
    for label, one in (("bisection", pure), ("with sample", found)):
        share = int(one["quenches"]) / frames
        print(f"{label}: {int(one['quenches'])} quenches ({share:.1%}), {one.sizes['transition']} transitions")
    print(
        f"lost in excursions {lost}, estimated {float(found['missed_transitions']):.0f} +- "
        f"{float(found['missed_transitions_error']):.0f}; true miss rate {rate:.4f}, sampled "
        f"{float(found['miss_rate']):.4f} ({low:.4f} to {high:.4f}); wall: dense {between - began:.0f} s, "
        f"both bisections {after - between:.0f} s"
    )
    assert int(found["quenches"]) <= 0.2 * frames
    assert low <= rate <= high
