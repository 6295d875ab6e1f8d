"""The variables of metabasins."""

from __future__ import annotations

import pelplug

__all__ = ["PROVIDES"]

_LIST, _BIN, _TIME, _WAIT = ("metabasin",), ("energy_bin",), ("lag_time",), ("waiting_bin",)


def _scalar(unit: str, name: str) -> pelplug.Field:
    return pelplug.Field((), unit, name)


PROVIDES = {
    "metabasin_first": pelplug.Field(_LIST, "1", "first frame of the metabasin"),
    "metabasin_last": pelplug.Field(_LIST, "1", "last frame of the metabasin"),
    "start_time": pelplug.Field(_LIST, "time", "time at which it was entered, half way between two frames"),
    "end_time": pelplug.Field(_LIST, "time", "time at which it was left, half way between two frames"),
    "waiting_time": pelplug.Field(_LIST, "time", "waiting time; of an unfinished metabasin what was seen of it"),
    "metabasin_run": pelplug.Field(_LIST, "1", "run in which it is, where there are several"),
    "complete": pelplug.Field(
        _LIST, "1", "1 if it was entered and left in the record, 0 if it is the first or last of a run"
    ),
    "metabasin_energy": pelplug.Field(_LIST, "energy", "lowest inherent-structure energy in it"),
    "metabasin_structure": pelplug.Field(_LIST, "1", "number of the inherent structure of lowest energy"),
    "metabasin_frame": pelplug.Field(_LIST, "1", "frame that began the first visit of this inherent structure"),
    "metabasin_visits": pelplug.Field(_LIST, "1", "visits of inherent structures in it"),
    "metabasin_structures": pelplug.Field(_LIST, "1", "distinct inherent structures in it"),
    "positions": pelplug.Field(
        ("metabasin", "particle", "dimension"),
        "length",
        "positions of the inherent structure of lowest energy, unwrapped, without drift",
    ),
    "cell": pelplug.Field(("vector", "dimension"), "length", "cell vectors"),
    "jump_length": pelplug.Field(("jump",), "length", "distance in configuration space from a metabasin to the next"),
    "metabasins": _scalar("1", "metabasins, the unfinished ones at both ends of each run included"),
    "censored_share": _scalar("1", "share of the record in the unfinished metabasins"),
    "longest_share": _scalar("1", "share of <tau^2> in the longest metabasin"),
    "single_frame_share": _scalar("1", "share of the complete metabasins that last one frame"),
    "jump_rate": _scalar("1 / time", "1 / <tau> as jumps over the length of the record"),
    "jump_rate_error": _scalar("1 / time", "its standard error"),
    "mean_waiting_time": _scalar("time", "mean waiting time, the length of the record over jumps"),
    "mean_waiting_time_error": _scalar("time", "its standard error"),
    "mean_square_waiting_time": _scalar("time**2", "mean square of the waiting time, 2 <tau> tau_alpha"),
    "mean_square_waiting_time_error": _scalar("time**2", "its standard error"),
    "relaxation_time": _scalar("time", "tau_alpha = <tau^2> / (2 <tau>), the integral of S0"),
    "relaxation_time_error": _scalar("time", "its standard error"),
    "fitted_mean_waiting_time": _scalar("time", "mean of 1 / Gamma(e) over the fitted density of energies"),
    "fitted_mean_waiting_time_error": _scalar("time", "its standard error"),
    "fitted_mean_square_waiting_time": _scalar("time**2", "mean of 2 exp(sigma_gamma^2) / Gamma(e)^2 over it"),
    "fitted_mean_square_waiting_time_error": _scalar("time**2", "its standard error"),
    "fitted_relaxation_time": _scalar("time", "tau_alpha = <tau^2> / (2 <tau>) of the fitted law"),
    "fitted_relaxation_time_error": _scalar("time", "its standard error"),
    "fitted_sigma_gamma_squared": _scalar("1", "broadening of the rates, by maximum likelihood of log-normal ones"),
    "fitted_sigma_gamma_squared_error": _scalar("1", "its standard error"),
    "fitted_unseen_share": _scalar("1", "share of the fitted <tau^2> at energies below the lowest seen"),
    "waiting_density": pelplug.Field(_WAIT, "1 / time", "probability density of the waiting time"),
    "waiting_density_error": pelplug.Field(_WAIT, "1 / time", "its standard error"),
    "waiting_edges": pelplug.Field(("waiting_edge",), "time", "edges of the bins of the waiting time"),
    "persistence": pelplug.Field(_TIME, "1", "S0(t), chance that no metabasin is left within t"),
    "persistence_error": pelplug.Field(_TIME, "1", "its standard error"),
    "scattering": pelplug.Field(("wave_number", *_TIME), "1", "S_MB(k, t) of the walk between metabasins"),
    "jump_lag": pelplug.Field(("lag",), "1", "number of jumps"),
    "squared_displacement": pelplug.Field(
        ("lag",), "length**2", "mean squared displacement in configuration space over that many jumps"
    ),
    "squared_displacement_error": pelplug.Field(("lag",), "length**2", "its standard error"),
    "jump_correlation": _scalar("1", "cosine between successive jumps, weighted by their length"),
    "jump_correlation_error": _scalar("1", "its standard error"),
    "squared_jump": _scalar("length**2", "a^2, mean squared displacement at long times per jump"),
    "squared_jump_error": _scalar("length**2", "its standard error"),
    "jump_window": pelplug.Field(("bound",), "1", "first and last number of jumps from which a^2 was taken"),
    "diffusion_coefficient": _scalar("length**2 / time", "D = a^2 / (2 d N <tau>), 1 / <tau> the jump rate"),
    "diffusion_coefficient_error": _scalar("length**2 / time", "its standard error"),
    "energy_edges": pelplug.Field(("energy_edge",), "energy", "edges of the bins of energy"),
    "bin_energy": pelplug.Field(_BIN, "energy", "centre of a bin"),
    "metabasins_by_energy": pelplug.Field(_BIN, "1", "complete metabasins in the bin"),
    "waiting_time_by_energy": pelplug.Field(_BIN, "time", "mean waiting time <tau(e)>"),
    "waiting_time_by_energy_error": pelplug.Field(_BIN, "time", "its standard error"),
    "sigma_gamma_squared": pelplug.Field(_BIN, "1", "broadening of the rates, ln(<tau^2(e)> / (2 <tau(e)>^2))"),
    "sigma_gamma_squared_error": pelplug.Field(_BIN, "1", "its standard error"),
    "sigma_gamma_squared_mean": _scalar("1", "mean broadening, each bin weighted by its metabasins"),
    "sigma_gamma_squared_mean_error": _scalar("1", "its standard error"),
    "energy_density": pelplug.Field(_BIN, "1 / energy", "p_eq(e), density of the time spent at energy e"),
    "energy_density_error": pelplug.Field(_BIN, "1 / energy", "its standard error"),
    "rate_plateau": _scalar("1 / time", "Gamma_0 exp(-V_0 / T), escape rate above the crossover"),
    "rate_plateau_error": _scalar("1 / time", "its standard error"),
    "rate_slope": _scalar("1 / energy", "lambda (1 / T - kappa k_entro), d ln Gamma / d e below the crossover"),
    "rate_slope_error": _scalar("1 / energy", "its standard error"),
    "crossover_energy": _scalar("energy", "e_c, crossover from activated to fast escape"),
    "crossover_energy_error": _scalar("energy", "its standard error"),
    "reduced_slope": _scalar("1", "slope times temperature, lambda (1 - kappa k_entro T)"),
    "reduced_slope_error": _scalar("1", "its standard error"),
}
