"""The variables of the study random-walk, and paper 2's Table I."""

from __future__ import annotations

import pelplug

__all__ = ["MEASURED", "PARAMETERS", "PREDICTED", "PUBLISHED", "fields"]

AT = ("temperature",)
ENERGY, TIME, D = "energy", "time", "length**2 / time"
PARAMETERS = {
    "centre": (ENERGY, "e_0, energy at which metabasins are densest"),
    "sigma": (ENERGY, "sigma, width of G(e)"),
    "lam": ("1", "lambda, share of the depth that is barrier"),
    "crossover": (ENERGY, "e_c, from e_0"),
    "entropic_factor": ("1", "kappa"),
    "rate_prefactor": ("1 / time", "Gamma_0"),
    "last_barrier": (ENERGY, "V_0, height of the last barrier"),
}
PUBLISHED = {
    "sigma": 2.9,
    "lam": 0.50,
    "crossover": -11.9,
    "entropic_factor": 0.56,
    "rate_prefactor": 4.82,
    "cutoff": -25.0,
    "sigma_gamma": 1.0,
}
"""Table I of Rehwald and Heuer: Kob-Andersen, N = 65."""
PREDICTED = {
    "predicted_diffusion_coefficient": (D, "D of the landscape, with the measured a^2"),
    "predicted_waiting_time": (TIME, "<tau> of the landscape"),
    "predicted_relaxation_time": (TIME, "tau_alpha of the landscape"),
    "exponent": ("1", "xi = d ln(D tau_alpha) / d ln tau_alpha along the temperature"),
}
MEASURED = {
    "measured_diffusion_coefficient": "diffusion_coefficient",
    "measured_waiting_time": "mean_waiting_time",
    "measured_relaxation_time": "relaxation_time",
}
"""What metabasins say, by the name of their variable."""


def _pair(name: str, dims: tuple[str, ...], unit: str, what: str) -> dict[str, pelplug.Field]:
    return {name: pelplug.Field(dims, unit, what), f"{name}_error": pelplug.Field(dims, unit, "its standard error")}


def fields() -> dict[str, pelplug.Field]:
    """Return the fields by name."""
    found = {"temperature": pelplug.Field(AT, "temperature", "temperature")}
    for name, (unit, what) in PARAMETERS.items():
        found |= _pair(name, (), unit, what)
    found |= {
        "cutoff": pelplug.Field((), ENERGY, "e_cut, from e_0, by the lowest energy without its bias"),
        "cutoff_interval": pelplug.Field(("bound",), ENERGY, "interval of e_cut, from e_0"),
        "cutoff_bias": pelplug.Field((), ENERGY, "how far above e_cut the lowest energy lies on average"),
        "lowest_energy": pelplug.Field((), ENERGY, "lowest energy of a metabasin, from e_0"),
        **_pair("sigma_gamma", (), "1", "width of the logarithm of the rates at one energy"),
        **_pair("sigma_gamma_squared", AT, "1", "its square at each temperature"),
        "parameter": pelplug.Field(("parameter",), "1", "name of a parameter"),
        "other_parameter": pelplug.Field(("other_parameter",), "1", "name of another"),
        "correlation": pelplug.Field(("parameter", "other_parameter"), "1", "correlation of their errors"),
        "energy": pelplug.Field(("energy",), ENERGY, "energy of a metabasin, from e_0"),
        **_pair("density", ("energy",), "1 / energy", "G(e) by reweighting, normalised over the energies seen"),
    }
    for name, (unit, what) in PREDICTED.items():
        found |= _pair(name, AT, unit, what)
    for name, like in zip(MEASURED, list(PREDICTED)[:3], strict=True):
        found |= _pair(name, AT, PREDICTED[like][0], "the same of the metabasins")
    return found | {
        **_pair("limit_exponent", (), "1", "2 lambda / (2 + lambda), xi for T to 0 without cutoff"),
        "lag_time": pelplug.Field(("lag_time",), TIME, "time"),
        **_pair("persistence", (*AT, "lag_time"), "1", "S_0(t) of the metabasins"),
        "predicted_persistence": pelplug.Field((*AT, "lag_time"), "1", "S_0(t) of the landscape"),
        "hopping": pelplug.Field((*AT, "lag_time"), "1", "S_MB(k, t) at the largest k"),
        "continuous": pelplug.Field((*AT, "lag_time"), "1", "F_s(k_c, t) over the amplitude of its final decay"),
        "wave_number": pelplug.Field(("wave_number",), "1 / length", "wave number of F_s"),
        **_pair("scattering_time", (*AT, "wave_number"), TIME, "tau_0/beta Gamma(1/beta) of F_s(k, t)"),
        "scattering_beta": pelplug.Field((*AT, "wave_number"), "1", "beta of F_s(k, t)"),
        **_pair("k_c", AT, "1 / length", "k at which F_s decays in tau_alpha of the metabasins"),
        "metabasins": pelplug.Field(AT, "1", "jumps between metabasins"),
        "runs": pelplug.Field(AT, "1", "independent runs"),
        "samples": pelplug.Field(AT, "1", "independent samples"),
    }
