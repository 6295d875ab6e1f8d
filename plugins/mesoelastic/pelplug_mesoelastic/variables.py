"""The variables of the study."""

from __future__ import annotations

import pelplug

__all__ = ["COUNTS", "FITTED", "INTERPOLATED", "PROVIDES", "QUANTITIES"]

COUNTS = ("runs", "structures", "samples", "motion_runs", "rate_runs", "spearman_runs")

AT, EACH, EQUAL = ("density", "temperature"), ("density",), ("density", "tau_level")
STIFFNESS, MODULUS = "energy / length**2", "energy / length**dimension"

QUANTITIES = {
    "reduced_stiffness": ("1", "kappa a0^2 / k_B T, a0 = rho^(-1/d)"),
    "reduced_tau_alpha": ("1", "tau_alpha / t0, t0 = a0 sqrt(m/T)"),
    "reduced_diffusion": ("1", "D t0 / a0^2"),
    "kappa": (STIFFNESS, "mean dipole stiffness"),
    "shear_modulus": (MODULUS, "mean shear modulus of the inherent structures"),
    "kappa_relative": ("1", "kappa over that at the highest temperature"),
    "shear_modulus_relative": ("1", "shear modulus over that at the highest temperature"),
    "reduced_rate": ("1", "transitions between inherent structures per ballistic time and 1000 particles"),
    "spearman": ("1", "C_s: rank correlation of 1/kappa_i with propensity"),
}
"""What is known at each density and temperature: unit and meaning."""
FITTED = {
    "reduced_length": "l of ln(tau_alpha/t0) = l^2 kappa a0^2 / k_B T + ln t, in a0",
    "log_reduced_time": "ln t of that, t in t0",
    "reduced_time": "t of that, in t0",
    "stokes_einstein_exponent": "xi of D t0/a0^2 ~ (tau_alpha/t0)^-xi",
    "kappa_growth": "kappa over that at the highest temperature where the shear modulus has grown by modulus_growth",
}
INTERPOLATED = {
    "temperature": "temperature",
    "reduced_stiffness": "1",
    "kappa": STIFFNESS,
    "reduced_rate": "1",
    "spearman": "1",
}


def _with_error(name: str, dims: tuple[str, ...], unit: str, what: str) -> dict[str, pelplug.Field]:
    return {
        name: pelplug.Field(dims, unit, what),
        f"{name}_error": pelplug.Field(dims, unit, f"standard error of {name}"),
    }


PROVIDES = {
    "density": pelplug.Field(EACH, "1 / length**dimension", "number density"),
    "temperature": pelplug.Field(("temperature",), "temperature", "temperature of the liquid"),
    "tau_level": pelplug.Field(("tau_level",), "1", "tau_alpha/t0 of the states that are compared"),
}
for _name, (_unit, _what) in QUANTITIES.items():
    PROVIDES |= _with_error(_name, AT, _unit, _what)
for _name, _what in FITTED.items():
    PROVIDES |= _with_error(_name, EACH, "1", _what)
for _name, _unit in INTERPOLATED.items():
    _what = QUANTITIES[_name][1] if _name in QUANTITIES else "temperature"
    PROVIDES |= _with_error(f"equal_{_name}", EQUAL, _unit, f"{_what}, where tau_alpha/t0 is the same")
PROVIDES |= {
    "fitted": pelplug.Field(AT, "1", "1 if the state is part of the fits"),
    "chi_square": pelplug.Field(EACH, "1", "chi-square of the mesoelastic law"),
    "freedom": pelplug.Field(EACH, "1", "its degrees of freedom"),
    "probability": pelplug.Field(EACH, "1", "chance of so large a chi-square if the law holds"),
    "points": pelplug.Field(EACH, "1", "states in the fits"),
    "runs": pelplug.Field(AT, "1", "independent runs of kappa"),
    "motion_runs": pelplug.Field(AT, "1", "independent runs of dynamics"),
    "rate_runs": pelplug.Field(AT, "1", "independent runs of inherent-structure-transitions"),
    "spearman_runs": pelplug.Field(AT, "1", "independent runs of propensity"),
    "structures": pelplug.Field(AT, "1", "inherent structures"),
    "samples": pelplug.Field(AT, "1", "independent samples of kappa"),
}
