"""Exponents of the steepest descent: from random starts (T = infinity) in 2, 3 and 4 dimensions, and from low T.

Published: Nishikawa et al., Phys. Rev. X 12, 021001 (2022), Fig. 2: v ~ t^-beta with beta = 0.92, 0.85, 0.75 from
T = infinity (N = 64,000 to 65,536), d/4 + 1/2 from low T.
Run: ``pytest -m validation tests/validation/test_relaxation.py -s``.
Protocols, declared before they were run, and results are in docs/records/2026-11-20-steepest-descent-exponent.md.
"""

from __future__ import annotations

import functools
import time

import numpy as np
import pytest
from pelplug_relaxation.fits import fit_decay
from pelplug_relaxation.harmonic import harmonic_velocity, stiffnesses
from pelplug_relaxation.relaxation import Relaxation
from pelplug_relaxation.scaling import best_collapse

import pelplug
from pelplug.models.polydisperse_soft_spheres import LARGEST_DIAMETER, SMALLEST_DIAMETER

pytestmark = pytest.mark.validation

N = 16_000
FRAMES = 3


@pytest.mark.parametrize(
    ("d", "published", "tolerance", "window"),
    [(2, 0.92, 0.04, (10.0, 300.0)), (3, 0.85, 0.04, (100.0, 1000.0))],
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
        if high <= 1.01 * times[-1]:
            print(f"  {low} to {high}: {exponent(times, mean, low, high):.3f}")
    print(f"  {dataset.attrs['decay']}, AIC difference {float(dataset['aic_difference']):.0f}, energy defect "
          f"{np.abs(dataset['energy_defect'].values).max():.1e}, {dataset['evaluations'].values.tolist()} evaluations, "
          f"{wall:.0f} s")  # fmt: skip
    assert dataset.attrs["decay"] == "power law"
    assert abs(beta - published) < tolerance


def exponent(times, velocity, low, high):
    inside = (times > 0.99 * low) & (times < 1.01 * high)
    return fit_decay(times[inside], velocity[inside]).beta


@functools.cache
def descents(d, n, seeds, end):
    """Times and v of each start; to the minimum, with v = 0 after it, if ``end`` is None."""
    model = pelplug.model("harmonic-spheres", dimension=d)
    times = 10.0 ** (np.arange(-20, 1 + round(10 * np.log10(end or 1e6))) / 10)
    curves = np.zeros((len(seeds), len(times)))
    for curve, seed in zip(curves, seeds, strict=True):
        start = model.random_configuration(n, seed, arrangement="random")
        result = pelplug.steepest_descent(
            start, model.potential(start), times, rtol=0.03, max_evaluations=10**8, to_minimum=end is None
        )
        assert result.converged or end is not None
        curve[: len(result.times)] = result.rms_velocity
        print(f"  d = {d}, N = {n}, seed {seed}: t = {result.end_time:.5g}, {result.evaluations} evaluations")
    return times, curves


def cutoff(times, velocity, quarter):
    """The last time before a system of a quarter of the size departs by 5 % (mean of five times)."""
    apart = np.log(velocity / quarter)
    apart = np.array([abs(apart[max(0, k - 2) : k + 3].mean()) for k in range(len(apart))])
    departed = np.flatnonzero((times > 3.0) & (apart > 0.05))
    return times[departed[0] - 1] if len(departed) else times[-1]


MISSED_3 = pytest.mark.xfail(reason="0.806 for t = 100 to 1000, 0.044 below the published value")
MISSED_4 = pytest.mark.xfail(reason="0.811 for t = 63 to 631: the exponent of d = 4 still falls with time there")


@pytest.mark.parametrize(
    ("d", "n", "seeds", "small_seeds", "published", "tolerance"),
    [
        (2, 64_000, (11,), (11,), 0.92, 0.04),
        pytest.param(3, 32_768, (11,), (11, 12), 0.85, 0.04, marks=MISSED_3),
        pytest.param(4, 32_768, (11, 12), (11, 12, 13), 0.75, 0.05, marks=MISSED_4),
    ],
)
def test_exponent_in_the_last_decade_before_the_cutoff(d, n, seeds, small_seeds, published, tolerance):
    times, curves = descents(d, n, seeds, 1000.0)
    quarter = descents(d, n // 4, small_seeds, 1000.0)[1].mean(axis=0)
    last = cutoff(times, curves.mean(axis=0), quarter)
    beta = exponent(times, curves.mean(axis=0), last / 10, last)
    print(f"\nd = {d}, N = {n}: beta = {beta:.3f} for t = {last / 10:.3g} to {last:.3g}")
    assert abs(beta - published) < tolerance


def test_exponent_of_four_dimensions_in_the_first_protocols_window():
    times, curves = descents(4, 32_768, (11, 12), 1000.0)
    beta = exponent(times, curves.mean(axis=0), 100.0, 1000.0)
    print(f"\nd = 4, N = 32768: beta = {beta:.3f} for t = 100 to 1000")
    assert abs(beta - 0.75) < 0.05


SMALL = {1000: tuple(range(11, 23)), 4000: (11, 12, 13, 14), 16_000: (11,)}


def test_finite_size_collapse():
    curves = {}
    for n, seeds in SMALL.items():
        times, each = descents(2, n, seeds, None)
        curves[n] = (times, each.mean(axis=0))
    z, spread = best_collapse(curves, 0.92, 10.0)
    print(f"\nz = {z:.2f}, spread {spread:.3f}")
    assert 0.4 < z < 0.8  # "roughly 0.6"


LOW = {
    2: ("polydisperse-soft-spheres-2d", (0.6, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.035)),
    3: ("polydisperse-soft-spheres", (0.4, 0.2, 0.15, 0.12, 0.1, 0.08, 0.062)),
}


@pytest.mark.parametrize("d", [2, 3])
def test_low_temperature_gives_the_harmonic_exponent(d, tmp_path):
    n, (name, ladder) = 2000, LOW[d]
    model = pelplug.model(name)
    share, least, largest = (np.arange(n) + 0.5) / n, SMALLEST_DIAMETER**-2, LARGEST_DIAMETER**-2
    diameters = np.random.default_rng(0).permutation((least - share * (least - largest)) ** -0.5)
    state = model.random_configuration(n, 11).replace(diameters=diameters)
    for temperature in ladder[:-1]:
        state = pelplug.swap_monte_carlo(
            state, model, temperature, 100, equilibration=500, sample_every=100, p_swap=0.2, seed=11
        ).configuration
    run = pelplug.swap_monte_carlo(
        state, model, ladder[-1], 1000, equilibration=2000, sample_every=50, p_swap=0.2, seed=11
    )
    frames = [frame.replace(frame=k, step=k) for k, frame in enumerate(run.configurations)]
    pelplug.write_trajectory(tmp_path / "low.nc", frames, model_record=model.to_dict())
    potential = model.potential(frames[0])
    minimum = pelplug.quench(frames[0], potential).require_converged().configuration
    modes = stiffnesses(potential.hessian(minimum), d)
    last = 1.0 / modes[0]
    options = {"t_start": 1e-3, "t_end": 10 * last, "to_minimum": False, "rtol": 1e-2, "t_min": last / 10}
    dataset = Relaxation(tmp_path / "low.nc", model=model, t_max=last, **options).run().to_dataset()
    beta, error = float(dataset["beta"]), float(dataset["beta_error"])
    print(f"\nd = {d}, T = {ladder[-1]}: beta = {beta:.3f} +- {error:.3f} for t = {last / 10:.3g} to {last:.3g}")
    times = dataset["descent_time"].values
    predicted = harmonic_velocity(modes, times, n) * np.sqrt(ladder[-1])
    for k in np.flatnonzero(times < last)[::4]:
        print(f"  t = {times[k]:.3g}: v over the harmonic one {float(dataset['mean_velocity'][k]) / predicted[k]:.3f}")
    assert dataset.attrs["decay"] == "power law"
    assert abs(beta - (d / 4 + 0.5)) < max(2 * error, 0.1)
