"""The variables of msed."""

from __future__ import annotations

import pelplug

__all__ = ["PROVIDES"]


def _scalar(unit: str, name: str) -> pelplug.Field:
    return pelplug.Field((), unit, name)


PROVIDES = {
    "msed": pelplug.Field(("lag",), "energy**2", "mean-squared energy difference per particle squared"),
    "msed_error": pelplug.Field(("lag",), "energy**2", "standard error of msed"),
    "msed_blocks": pelplug.Field(("lag",), "1", "blocks or runs that msed_error is from, 0 where there are too few"),
    "pairs": pelplug.Field(("lag",), "1", "differences in the mean"),
    "energy_diffusion": pelplug.Field(("lag",), "energy**2 / time", "energy diffusion coefficient D_E"),
    "phi": pelplug.Field(("phi_lag", "bin"), "1 / energy", "distribution of the energy difference per particle"),
    "phi_edges": pelplug.Field(("phi_lag", "edge"), "energy", "edges of the bins of phi"),
    "mean_energy": _scalar("energy", "mean potential energy per particle"),
    "energy_drift": _scalar("energy", "change of the mean energy per particle over the series, by a straight line"),
    "energy_drift_probability": _scalar("1", "probability of such a trend in a stationary series; NaN if not tested"),
    "long_time_limit": _scalar("energy**2", "2 Var(E)/N^2 of the same series"),
    "long_time_limit_error": _scalar("energy**2", "standard error of long_time_limit"),
    "paper_limit": _scalar("energy**2", "Var(E)/N^2, Eq. 9 of the paper, which drops the 2"),
    "u0_squared": _scalar("energy**2", "U0^2 of Eq. 11"),
    "u0_squared_error": _scalar("energy**2", "standard error of u0_squared"),
    "um_squared": _scalar("energy**2", "Um^2 of Eq. 11"),
    "um_squared_error": _scalar("energy**2", "standard error of um_squared"),
    "u0": _scalar("energy", "U0 of Eq. 11, the fast part; NaN if its square came out negative"),
    "u0_harmonic": _scalar("energy", "U0 of harmonic vibrations at this T in this ensemble"),
    "um": _scalar("energy", "Um of Eq. 11, between metabasins"),
    "tau": _scalar("time", "relaxation time tau* of Eq. 11"),
    "tau_error": _scalar("time", "standard error of tau"),
    "fit_window": pelplug.Field(("bound",), "time", "first and last lag of the fit"),
    "temperature": _scalar("energy / k_B", "temperature of the simulation, where the file says"),
    "kinetic_temperature": _scalar("energy / k_B", "mean kinetic temperature, where the energies were logged with it"),
    "v_total": _scalar("1", "Var(E) / (N k^2 T^2), of the long-time limit"),
    "v_total_error": _scalar("1", "standard error of v_total"),
    "heat_capacity": _scalar("1", "potential part of the heat capacity per particle over k, of the long-time limit"),
    "heat_capacity_error": _scalar("1", "standard error of heat_capacity"),
    "v0": _scalar("1", "N U0^2 / (2 k^2 T^2)"),
    "v0_error": _scalar("1", "standard error of v0"),
    "vm": _scalar("1", "N Um^2 / (2 k^2 T^2)"),
    "vm_error": _scalar("1", "standard error of vm"),
    "heat_capacity_fast": _scalar("1", "potential part of the heat capacity per particle over k, of v0"),
    "heat_capacity_fast_error": _scalar("1", "standard error of heat_capacity_fast"),
    "heat_capacity_slow": _scalar("1", "what vm adds to the heat capacity per particle over k"),
    "heat_capacity_slow_error": _scalar("1", "standard error of heat_capacity_slow"),
}
