"""The vibrations plugin on glasses: quasilocalised modes below the first phonon, D(omega) = A_4 omega**4.

E. Lerner, G. During and E. Bouchbinder, Phys. Rev. Lett. 117, 035501 (2016). Soft spheres of continuous size in three
dimensions, equilibrated by swap Monte Carlo. Run: ``pytest -m validation tests/validation/test_low_frequency_modes.py
-s``; with PELPLUG_VALIDATION_OUTPUT=FOLDER the datasets are kept there and read again.

Declared before the first run: N = 500, T = 0.12, two sets of diameters (seeds 1 and 2; at first four, made fewer
before there was any result), 10,000 sweeps of
equilibration, then 50 frames each, 500 sweeps apart; all modes; the exponent of all modes below half the lowest first
phonon; windows of 0.4, 0.6 and 0.9 are told beside it. Error: bootstrap over inherent structures.
"""

from __future__ import annotations

import os
import pathlib
import time

import numpy as np
import pytest
from pelplug_vibrations.spectrum import power_law

import pelplug

pytestmark = pytest.mark.validation

N, TEMPERATURE, SEEDS, FRAMES = 500, 0.12, (1, 2), 50


def glasses(folder: pathlib.Path, seed: int):
    """Return the vibrations of the inherent structures of one liquid."""
    kept = folder / f"vibrations-{seed}.nc"
    if not kept.exists():
        model = pelplug.model("polydisperse-soft-spheres")
        start = model.random_configuration(N, seed)
        liquid = folder / f"liquid-{seed}.gsd"
        run = pelplug.swap_monte_carlo(start, model, TEMPERATURE, 500 * FRAMES, equilibration=10_000, sample_every=500,
                                       seed=seed, output=liquid, overwrite=True)  # fmt: skip
        print(f"seed {seed}: {run}")
        pelplug.write_netcdf(kept, pelplug.analyze("vibrations", liquid, model=model))
    return pelplug.read_results(kept)["vibrations"]


def exponent(by_structure, limit, rng) -> tuple[float, float, int]:
    """Fit the modes of all structures below ``limit``; bootstrap over structures: s, its error, modes."""

    def fitted(chosen):
        low = np.concatenate([by_structure[k][by_structure[k] < limit] for k in chosen])
        return float(power_law(low.size, np.log(limit / low).sum())), low.size

    found, n = fitted(range(len(by_structure)))
    again = [fitted(rng.integers(len(by_structure), size=len(by_structure)))[0] for _ in range(300)]
    return found, float(np.std(again)), n


def test_quasilocalised_modes_follow_omega_to_the_fourth(tmp_path):
    folder = pathlib.Path(os.environ.get("PELPLUG_VALIDATION_OUTPUT") or tmp_path)
    began, by_structure, phonon, total = time.perf_counter(), [], [], 0
    for seed in SEEDS:
        dataset = glasses(folder, seed)
        phonon.append(dataset["omega_phonon"].values)
        total += int(dataset["n_modes"].sum())
        omega, frame = dataset["omega"].values, dataset["mode_frame"].values
        by_structure += [omega[frame == label] for label in np.unique(frame)]
    phonon = np.concatenate(phonon)
    print(f"\n{len(by_structure)} structures, {total} modes, first phonon {phonon.min():.3f} to {phonon.max():.3f}, "
          f"softest mode {min(map(np.min, by_structure)):.3f}, {time.perf_counter() - began:.0f} s")  # fmt: skip
    fits = {}
    for share in (0.4, 0.5, 0.6, 0.9):
        limit = share * phonon.min()
        s, error, n = fits[share] = exponent(by_structure, limit, np.random.default_rng(0))
        print(f"below {share} phonon ({limit:.3f}): s = {s:.2f} +- {error:.2f}, {n} modes, "
              f"A_4 = {5 * n / (total * limit**5):.3g}")  # fmt: skip
    s, error, n = fits[0.5]
    assert n >= 30
    assert abs(s - 4.0) < 3.0 * error


def test_modes_beside_the_debye_level(tmp_path):
    """A quench from infinite temperature, Kob-Andersen, N = 2000: modes below multiples of the first phonon."""
    model = pelplug.model("kob-andersen", truncation="smooth")
    start = model.random_configuration(2000, 1).replace(frame=0, step=0)
    pelplug.write_trajectory(tmp_path / "start.gsd", [start], model_record=model.to_dict())
    dataset = pelplug.analyze("vibrations", tmp_path / "start.gsd", model=model, modes=200)
    omega, phonon = dataset["omega"].values, float(dataset["omega_phonon"][0])
    total, level = int(dataset["n_modes"][0]), float(dataset["debye"][0])
    print(f"\nG {float(dataset['shear_modulus'][0]):.2f}, K {float(dataset['bulk_modulus'][0]):.2f}, A {level:.4g}, "
          f"first phonon {phonon:.3f}")  # fmt: skip
    for share in (0.9, 1.2, 1.5, 2.0):
        modes, waves = np.count_nonzero(omega < share * phonon), total * level * (share * phonon) ** 3 / 3
        print(f"below {share} phonon: {modes} modes, Debye {waves:.1f}")
        # A glass has all its sound waves, 12 transverse ones of the shortest wave vectors, and more.
        assert modes > waves and (share < 1.2 or modes >= 12)
