"""Swap Monte Carlo forgets where it started: soft discs, from a lattice and from T = infinity."""

import numpy as np
import pytest

import pelplug

pytestmark = pytest.mark.validation


@pytest.mark.parametrize("temperature", [0.35, 0.25, 0.15, 0.1])
def test_two_starts_reach_one_energy(temperature):
    model, n, sweeps = pelplug.model("pss-2d"), 500, 20_000
    lattice = model.random_configuration(n, 7)
    positions = model.random_configuration(n, 8, arrangement="random").positions
    runs = [
        pelplug.swap_monte_carlo(start, model, temperature, sweeps, equilibration=sweeps, seed=1)
        for start in (lattice, lattice.replace(positions=positions))
    ]
    for run in runs:
        first, second = (half.mean() / n for half in np.array_split(run.energies, 2))
        print(
            f"T = {temperature}: {run.mean_energy / n:.5f} +- {run.mean_energy_error / n:.5f} "
            f"(halves {first:.4f}, {second:.4f}), displacements {run.displacement_acceptance:.3f}, "
            f"swaps {run.swap_acceptance:.3f}, delta {run.delta:.3f}, drift {run.drift:.1e}"
        )
    error = np.hypot(runs[0].mean_energy_error, runs[1].mean_energy_error)
    assert abs(runs[0].mean_energy - runs[1].mean_energy) < 4.0 * error
    assert error < 0.005 * runs[0].mean_energy
