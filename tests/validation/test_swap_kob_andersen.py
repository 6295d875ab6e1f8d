"""How cold swap Monte Carlo equilibrates the Kob-Andersen mixture with a few particles between A and B.

``PELPLUG_VALIDATION_FOLDER=... pytest -m validation tests/validation/test_swap_kob_andersen.py -s``; runs are kept
there, and go on where they were interrupted. Protocol: docs/records/2026-11-30-kob-andersen-swap.md.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import pelplug

pytestmark = pytest.mark.validation

MODEL = Path(__file__).parents[2] / "examples" / "ternary-kob-andersen.toml"
N = 303
LADDER = {0.60: 20_000, 0.50: 40_000, 0.45: 80_000, 0.41: 150_000, 0.37: 150_000}  # sweeps to equilibrate; to sample
P_SWAP = 0.4


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return Path(os.environ.get("PELPLUG_VALIDATION_FOLDER") or tmp_path_factory.mktemp("swap"))


def both(temperature, folder, model):
    """Return what two independent starts sample: one cooled through the ladder, one quenched from T = 2."""
    warm = [one for one in LADDER if one > temperature]
    cooled = both(warm[-1], folder, model)[0].configuration if warm else liquid(model, 1)
    starts = {"cooled": cooled, "quenched": liquid(model, 2)}
    sweeps = LADDER[temperature]
    return [
        pelplug.swap_monte_carlo(
            start.replace(step=None),
            model,
            temperature,
            sweeps,
            equilibration=sweeps,
            p_swap=P_SWAP,
            seed=seed,
            sample_every=sweeps // 100,
            output=folder / f"{name}-{temperature}.nc",
            resume=True,
        )
        for seed, (name, start) in enumerate(starts.items(), 1)
    ]


def liquid(model, seed):
    start = model.random_configuration(N, seed)
    return pelplug.swap_monte_carlo(start, model, 2.0, 1, equilibration=2000, seed=seed).configuration


@pytest.mark.parametrize("temperature", LADDER)
def test_two_starts_agree(temperature, folder):
    runs = both(temperature, folder, pelplug.model(MODEL))
    means, errors, correlated = [], [], []
    for run in runs:
        one, other = (half.mean() / N for half in np.array_split(run.energies, 2))
        inefficiency = pelplug.statistical_inefficiency(run.energies)
        means.append(run.mean_energy / N)
        errors.append(run.energies.std() / N * np.sqrt(inefficiency / len(run.energies)))
        correlated.append(inefficiency)
        print(
            f"T = {temperature}: {means[-1]:.5f} +- {errors[-1]:.5f} (halves {one:.5f}, {other:.5f}), "
            f"{inefficiency:.0f} of {len(run.energies)} sweeps an independent energy, "
            f"swaps accepted {100 * run.swap_acceptance:.4f} %, displacements {run.displacement_acceptance:.2f}"
        )
    apart = abs(means[0] - means[1]) / np.hypot(*errors)
    print(f"T = {temperature}: the two starts are {apart:.1f} errors apart")
    assert max(correlated) < LADDER[temperature] / 20
    assert apart < 3.0
