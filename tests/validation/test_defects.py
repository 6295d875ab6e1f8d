"""phi(T) and chi(T) of the two-dimensional polydisperse soft spheres, from swap Monte Carlo to inherent structures.

Published: Nishikawa et al., Phys. Rev. X 12, 021001 (2022), Fig. 4: phi varies most, and chi has its peak, near
T_def = 0.25. Run: ``pytest -m validation tests/validation/test_defects.py -s``.
"""

import json

import numpy as np
import pytest

import pelplug

pytestmark = pytest.mark.validation
N, FRAMES = 500, 80
TEMPERATURES = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.60, 0.80)


def test_defects_of_the_two_dimensional_soft_spheres(tmp_path):
    model = pelplug.model("polydisperse-soft-spheres-2d")
    state = model.random_configuration(N, 1)
    rows = []
    # From hot to cold, each temperature starting from the one above.
    for temperature in reversed(TEMPERATURES):
        path = tmp_path / f"{temperature}.gsd"
        run = pelplug.swap_monte_carlo(state, model, temperature, 150 * FRAMES, equilibration=3000, sample_every=150,
                                       p_swap=0.2, seed=int(1000 * temperature), output=path)  # fmt: skip
        state = run.configuration
        # A first look at one frame in four for x_EQ, from their averaged g(x).
        trial = pelplug.analyze("defects", path, step=4, force_tolerance=1e-2, x_eq=1.4)
        x_eq = float(np.clip(trial["x_eq_mean_g"], 1.23, 1.5))
        result = pelplug.analyze("defects", path, x_eq=x_eq, force_tolerance=1e-6)
        failed = len(json.loads(result.attrs["failed_frames"]))
        names = ("phi_mean", "phi_mean_error", "chi", "chi_error", "broken_mean", "inserted_mean")
        rows.append((temperature, float(trial["x_eq_mean_g"]), *(float(result[name]) for name in names), failed))
        line = "T {:.2f} x_EQ {:.3f} phi {:.4f} +- {:.4f} chi {:.3f} +- {:.3f} B {:.3f} I {:.3f} failed {}"
        print(line.format(*rows[-1]))
    table = np.array(rows[::-1])
    temperature, phi, error = table[:, 0], table[:, 2], table[:, 3]
    assert phi[0] < 0.15 and phi[-1] > 0.6
    assert (np.diff(phi) > -2 * np.hypot(error[1:], error[:-1])).all()
    slope = np.diff(phi) / np.diff(temperature)
    steepest = 0.5 * (temperature[1:] + temperature[:-1])[np.argmax(slope)]
    peak = temperature[np.argmax(table[:, 4])]
    print(f"steepest at {steepest:.3f}, chi largest at {peak:.2f}")
    # A sigmoid, and the peak of chi within 0.05 of the published T_def.
    assert max(slope[0], slope[-1]) < 0.5 * slope.max()
    assert 0.20 <= peak <= 0.30
