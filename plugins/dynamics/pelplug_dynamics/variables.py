"""The variables of the result."""

from __future__ import annotations

import pelplug

__all__ = ["AROUND", "BY_Q", "CAGES", "CURVES", "fields", "rests_on"]

LAG = ("kind", "lag_time")
FS = ("kind", "wave_number", "lag_time")
CURVES = ("msd", "fs", "alpha_2", "overlap", "chi_4")
CAGES = {"cage_relative_msd": "msd", "cage_relative_fs": "fs"}
AROUND = {**CAGES, "bond_breaking": "bonds"}
"""Quantities that are told by neighbours, and which of the curves they are."""
BY_Q = ("tau_alpha", "kww_amplitude", "kww_time", "kww_beta", "kww_mean_time")


def fields() -> dict:
    """Return the fields by name."""

    def with_error(name, dims, unit, long_name):
        return {
            name: pelplug.Field(dims, unit, long_name),
            f"{name}_error": pelplug.Field(dims, unit, f"standard error of {name}"),
        }

    def with_samples(name, dims, unit, long_name):
        return {
            **with_error(name, dims, unit, long_name),
            f"{name}_samples": pelplug.Field(dims, "1", f"independent samples that the error of {name} rests on"),
        }

    by_q = ("kind", "wave_number")
    return {
        **with_error("msd", LAG, "length**2", "mean squared displacement"),
        **with_error("fs", FS, "1", "F_s(q, t)"),
        **with_error("alpha_2", LAG, "1", "non-Gaussian parameter"),
        **with_error("overlap", LAG, "1", "share of particles displaced less than the overlap length"),
        **with_error("chi_4", LAG, "1", "dynamic susceptibility of the overlap"),
        **with_error("cage_relative_msd", LAG, "length**2", "mean squared displacement against the first shell's mean"),
        **with_error("cage_relative_fs", FS, "1", "F_s(q, t) of displacements against the first shell's mean"),
        **with_samples("cage_relative_tau_alpha", by_q, "time", "when the cage-relative F_s falls to the threshold"),
        "cage_radius": pelplug.Field(("species_a", "species_b"), "length", "how far the first shell reaches"),
        "cage_size": pelplug.Field(("kind",), "1", "mean number of neighbours in the first shell"),
        **with_error("bond_breaking", LAG, "1", "C_B(t), share of the bonds at the origin that are not broken"),
        **with_samples("bond_breaking_time", ("kind",), "time", "when C_B falls to 1/e"),
        "msd_slope": pelplug.Field(LAG, "1", "d ln MSD / d ln t"),
        "drift_msd": pelplug.Field(("lag_time",), "length**2", "mean squared displacement of the centre of mass"),
        "origins": pelplug.Field(("lag_time",), "1", "time origins"),
        "independent_samples": pelplug.Field(("lag_time",), "1", "independent samples that an error at a lag rests on"),
        **with_error(
            "van_hove",
            ("kind", "van_hove_time", "displacement"),
            "1 / length**dimension",
            "self part of the van Hove function",
        ),
        "van_hove_samples": pelplug.Field(("van_hove_time",), "1", "independent samples of the van Hove function"),
        **with_samples("diffusion_coefficient", ("kind",), "length**2 / time", "D from MSD = 2 d D t + c"),
        "diffusion_window": pelplug.Field(("kind", "bound"), "time", "first and last lag of the fit of D"),
        "diffusion_line": pelplug.Field(("kind", "bound"), "length**2", "2 d D t + c at these lags"),
        **with_samples("tau_beta", ("kind",), "time", "inflection of ln MSD in ln t"),
        **with_samples("msd_time", ("kind",), "time", "when the MSD reaches its target"),
        **with_samples("tau_alpha", by_q, "time", "when F_s falls to the threshold"),
        **with_error("kww_amplitude", by_q, "1", "A of A exp(-(t/tau_0)^beta)"),
        **with_error("kww_time", by_q, "time", "tau_0 of the stretched exponential"),
        **with_error("kww_beta", by_q, "1", "beta of the stretched exponential"),
        **with_error("kww_mean_time", by_q, "time", "tau_0/beta Gamma(1/beta)"),
        "kww_window": pelplug.Field((*by_q, "bound"), "time", "first and last lag of the stretched exponential's fit"),
        "kww_samples": pelplug.Field(by_q, "1", "independent samples that the errors of the fit rest on"),
        "length_unit": pelplug.Field((), "length", "a0 = rho^(-1/d)"),
        "time_unit": pelplug.Field((), "time", "t0 = a0 sqrt(m/T)"),
        **with_error("reduced_tau_alpha", by_q, "1", "tau_alpha/t0"),
        **with_error("reduced_diffusion_coefficient", ("kind",), "1", "D t0/a0^2"),
        "q_max": pelplug.Field((), "1 / length", "first peak of S(q) of the largest species"),
        "structure_factor": pelplug.Field(("q",), "1", "S(q) among the largest species"),
        "rdf": pelplug.Field(("species_a", "species_b", "r"), "1", "radial distribution function g_ab(r)"),
        "overlap_length": pelplug.Field((), "length", "displacement below which a particle counts as where it was"),
    }


def rests_on() -> dict[str, str]:
    """Return for each error the variable that has the number of independent samples."""
    found = {name: "independent_samples" for name in (*CURVES, *AROUND)}
    found |= {name: "kww_samples" for name in BY_Q}
    found |= {name: f"{name}_samples" for name in ("diffusion_coefficient", "tau_beta", "msd_time", "tau_alpha")}
    found |= {name: f"{name}_samples" for name in ("cage_relative_tau_alpha", "bond_breaking_time")}
    for name in ("diffusion_coefficient", "tau_alpha"):
        found[f"reduced_{name}"] = found[name]
    found["van_hove"] = "van_hove_samples"
    return {f"{name}_error": samples for name, samples in found.items()}
