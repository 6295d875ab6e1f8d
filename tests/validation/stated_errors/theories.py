"""Theories: the coupled landscape model where it is known by quadrature."""

from __future__ import annotations

import numpy as np
from validation.stated_errors.judged import Stated, Subject, error

import pelplug

__all__ = ["SUBJECTS"]

COUPLINGS = (0.0, 0.1)
WARM = 0.8
LANDSCAPE = pelplug.TrapLandscape(sigma_gamma=0.5)


def coupled(seed: int) -> dict[str, Stated]:
    """Return what five short runs say: D at any coupling, and all without coupling, are known."""
    ds = pelplug.study(
        "coupled-landscape", temperatures=(WARM,), q=COUPLINGS, sigma_gamma=LANDSCAPE.sigma_gamma, scaled_q="none",
        events=20_000, runs=5, seed=seed, workers=1,
    ).isel(coupling=0, temperature=0)  # fmt: skip
    truth = float(LANDSCAPE.moment(1.0, WARM)) / 6.0
    found = {
        f"diffusion_coefficient({q:g})": error(
            ds["diffusion_coefficient"].sel(q=q), ds["diffusion_coefficient_error"].sel(q=q), truth
        )
        for q in COUPLINGS
    }
    free = ds.sel(q=0.0)
    found["relaxation_time(0)"] = error(
        free["relaxation_time"], free["relaxation_time_error"], LANDSCAPE.relaxation_time(WARM)
    )
    k = int(np.argmin(np.abs(free["persistence"].values - 0.3)))
    truth = LANDSCAPE.persistence(float(ds["lag_time"][k]), WARM)
    found["persistence(0)"] = error(free["persistence"][k], free["persistence_error"][k], truth)
    return found


SUBJECTS = (
    Subject(
        "coupled-landscape",
        "coupled-landscape",
        "five runs of 20,000 active processes of 27 systems, T = 0.8, Table I with sigma_gamma = 0.5",
        400,
        120_000,
        (*(f"diffusion_coefficient({q:g})" for q in COUPLINGS), "relaxation_time(0)", "persistence(0)"),
        coupled,
    ),
)
