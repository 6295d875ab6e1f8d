"""The variables of the result."""

from __future__ import annotations

import pelplug

__all__ = ["ERRORS", "fields"]

AT, BIN, RUN = ("temperature",), ("temperature", "bin"), ("trajectory",)

_STATES = {
    "mean_energy": ("energy", "mean inherent-structure energy per particle"),
    "variance_energy": ("energy**2", "variance of the inherent-structure energy of all particles"),
    "local_variance": ("energy**2", "variance of the runs' means of the inherent-structure energy of all particles"),
    "local_skewness": ("1", "skewness of the runs' means of the inherent-structure energy"),
    "diffusion_coefficient": ("length**2 / time", "slope of the mean MSD over 2 d"),
    "predicted_diffusion": ("length**2 / time", "integral of D(e, T) P(e, T)"),
    "diffusion_ratio": ("1", "predicted_diffusion over diffusion_coefficient"),
    "diffusion_product": ("1", "<D><1/D> over the runs"),
    "configurational_entropy": ("1", "configurational entropy per particle at the mean energy, in k_B"),
}
_LANDSCAPE = {
    "diffusion_limit": ("length**2 / time", "D_inf"),
    "law_a0": ("1 / energy", "a0 of k_B T ln(D/D_inf) = -1/(a0 - a1 (e - a2)^2), e per particle"),
    "law_a1": ("1 / energy**3", "a1 of the law"),
    "law_a2": ("energy", "a2 of the law"),
    "landscape_variance": ("energy**2", "sigma^2, variance of the energies of all basins"),
    "adam_gibbs": ("energy", "B of ln(D/D_inf) = -B / (T S_conf/N)"),
    "landscape_alpha": ("1", "alpha: exp(alpha N) basins"),
    "landscape_center": ("energy", "E_0, mean energy of all basins, of all particles"),
    "center_from_means": ("energy", "E_0 from the mean energies: <E> + sigma^2 / k_B T"),
    "least_energy": ("energy", "e_K, energy per particle where S_conf is zero and nothing moves"),
}
_DENSITIES = {
    "energy_density": "P(e_IS, T)",
    "local_energy_density": "P(<e_IS>_i, T)",
}

ERRORS = tuple(f"{name}_error" for name in (*_STATES, *_LANDSCAPE, *_DENSITIES))


def _with_error(name, dims, unit, text) -> dict:
    return {
        name: pelplug.Field(dims, unit, text),
        f"{name}_error": pelplug.Field(dims, unit, f"standard error of {name}"),
    }


def fields() -> dict:
    """Return the fields by name."""
    found = {"temperature": pelplug.Field(AT, "temperature", "temperature of the liquid")}
    for name, (unit, text) in _STATES.items():
        found |= _with_error(name, AT, unit, text)
    for name, (unit, text) in _LANDSCAPE.items():
        found |= _with_error(name, (), unit, text)
    for name, text in _DENSITIES.items():
        found |= _with_error(name, BIN, "1 / energy", text)
    return found | {
        "runs": pelplug.Field(AT, "1", "independent runs"),
        "resting_runs": pelplug.Field(AT, "1", "of these, with a slope of zero or less, which have no logarithm"),
        "msd_time": pelplug.Field(AT, "time", "when the mean MSD reaches its target"),
        "bin_energy": pelplug.Field(("bin",), "energy", "middle of a bin, energy per particle"),
        "run_temperature": pelplug.Field(RUN, "temperature", "temperature of a run"),
        "local_diffusivity": pelplug.Field(RUN, "length**2 / time", "D_i, slope of the MSD of a run over 2 d"),
        "local_energy": pelplug.Field(RUN, "energy", "<e_IS>_i, mean inherent-structure energy per particle of a run"),
        "scaled_diffusivity": pelplug.Field(RUN, "energy", "k_B T ln(D_i / D_inf)"),
        "law_energy": pelplug.Field(("point",), "energy", "energies per particle at which the law is drawn"),
        "law": pelplug.Field(("point",), "energy", "the law -1/(a0 - a1 (e - a2)^2)"),
        "example_lag": pelplug.Field(("lag",), "time", "lags of the two runs at the lowest temperature"),
        "example_msd": pelplug.Field(("example", "lag"), "length**2", "MSD of the slowest and the fastest of them"),
        "example_mean_msd": pelplug.Field(("lag",), "length**2", "mean over all runs there"),
        "example_time": pelplug.Field(("moment",), "time", "times of their inherent structures"),
        "example_energy": pelplug.Field(("example", "moment"), "energy", "their energies per particle"),
    }
