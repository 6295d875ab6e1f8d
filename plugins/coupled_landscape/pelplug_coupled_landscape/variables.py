"""The variables of the study coupled-landscape."""

from __future__ import annotations

import pelplug

__all__ = ["POINT", "fields"]

T, C, Q, LAG = "temperature", "coupling", "q", "lag_time"
AT, CURVE, SMALL = (C, T, Q), (C, T), (T, "source")
LENGTH2, TIME = "length**2 / time", "time"
D = "D = l^2 / (6 <tau>), l the jump length"
# what is found at one point: dimensions after those of the point, unit, words
POINT = {
    "mean_waiting_time": ((), TIME, "<tau> of a system between active processes"),
    "waiting_time_shift": ((), "1", "<tau> over that at q = 0, less 1"),
    "diffusion_coefficient": ((), LENGTH2, D),
    "relaxation_time": ((), TIME, "tau_alpha, the integral of S0"),
    "slowdown": ((), "1", "tau_alpha(0) / tau_alpha(q)"),
    "prefactor": ((), "1", "c of tau_alpha(q) = tau_alpha(0) / (1 + c sqrt q)"),
    "kww_beta": ((), "1", "beta of the stretched exponential through S0"),
    "kww_time": ((), TIME, "tau_0 of the stretched exponential through S0"),
    "kww_mean_time": ((), TIME, "tau_0/beta Gamma(1/beta)"),
    "persistence": ((LAG,), "1", "S0(t), chance of no active process within t"),
    "scattering": (("wave_number", LAG), "1", "S(k, t)"),
    "scattering_time": (("wave_number",), TIME, "integral of S(k, t)"),
}
_OF_CURVES = ("diffusion_coefficient", "relaxation_time", "kww_beta", "persistence")


def _pair(name: str, dims: tuple[str, ...], unit: str, what: str) -> dict[str, pelplug.Field]:
    return {
        name: pelplug.Field(dims, unit, what),
        f"{name}_error": pelplug.Field(dims, unit, f"standard error of {name}"),
    }


def _curve(name: str, where: str) -> dict[str, pelplug.Field]:
    found = {}
    for one in _OF_CURVES:
        more, unit, what = POINT[one]
        found |= _pair(f"{name}_{one}", (*CURVE, *more), unit, f"{what}, {where}")
    return found


def fields() -> dict[str, pelplug.Field]:
    """Return the fields by name."""
    found = {
        T: pelplug.Field((T,), "temperature", "temperature"),
        C: pelplug.Field((C,), "1", "which systems an active process may touch"),
        Q: pelplug.Field((Q,), "1", "coupling constant; of the rule rate q~ [time]"),
        LAG: pelplug.Field((LAG,), TIME, "time"),
        "wave_number": pelplug.Field(("wave_number",), "1 / length", "k, in units of the inverse jump length"),
        "neighbours": pelplug.Field((C,), "1", "N_eff, sum of p(r)/q over the systems that one may touch"),
        "effective_q": pelplug.Field((C, Q), "1", "q_eff = q N_eff"),
        "uncoupled_waiting_time": pelplug.Field((T,), TIME, "<tau> at q = 0, by quadrature"),
        "uncoupled_diffusion_coefficient": pelplug.Field((T,), LENGTH2, f"{D}, at q = 0 by quadrature"),
        "uncoupled_relaxation_time": pelplug.Field((T,), TIME, "tau_alpha at q = 0, by quadrature"),
        "closed_relaxation_time": pelplug.Field(
            (T,), TIME, "tau_alpha at q = 0, closed form without cutoff and plateau"
        ),
        "events": pelplug.Field(AT, "1", "active processes in all runs together"),
        "duration": pelplug.Field((T,), TIME, "of one run"),
    }
    for name, (more, unit, what) in POINT.items():
        found |= _pair(name, (*AT, *more), unit, what)
    found |= {
        **_pair("mean_prefactor", CURVE, "1", "mean of c over q = 0.003 to 0.1"),
        **_pair("stokes_einstein_exponent", (C, Q), "1", "xi of D tau_alpha ~ tau_alpha^xi over all temperatures"),
        "uncoupled_exponent": pelplug.Field((), "1", "xi over all temperatures at q = 0, by quadrature"),
        "colder": pelplug.Field(("colder",), "temperature", "the colder of two successive temperatures"),
        **_pair("local_exponent", (C, "colder", Q), "1", "xi between two successive temperatures"),
        "uncoupled_local_exponent": pelplug.Field(("colder",), "1", "xi between two of them at q = 0, by quadrature"),
        "scaled_q": pelplug.Field(CURVE, "1", "q that is proportional to a power of <Gamma>"),
        **_curve("scaled", "where q is proportional to a power of <Gamma>"),
        **_pair("scaled_exponent", (C,), "1", "xi over all temperatures where q is proportional to a power of <Gamma>"),
        "source": pelplug.Field(("source",), "1", "analysis whose results tell it of the small system"),
        **_pair("small_relaxation_time", SMALL, TIME, "measured tau_alpha of the small system"),
        **_pair("small_diffusion_coefficient", SMALL, LENGTH2, "measured D of the small system"),
        **_pair("measured_relaxation_time", (T,), TIME, "that of both measured tau_alpha which is compared"),
        **_pair("measured_waiting_time", (T,), TIME, "measured <tau> of the metabasins of the small system"),
        **_pair("measured_ratio", (T,), "1", "measured tau_alpha of the small over the large system, corrected by D"),
        "measured_time": pelplug.Field((T, "measured_lag"), TIME, "lag of the measured F_s"),
        "measured_scattering": pelplug.Field(
            (T, "measured_lag"), "1", "measured F_s(k_c, t) of the large system over the amplitude of its final decay"
        ),
        "measured_scale": pelplug.Field(
            (T,), "1", "what turns measured times into the model's: tau_alpha at q = 0 over that of the small system"
        ),
        **_pair("matched_q", CURVE, "1", "q at which the model has the measured ratio"),
        "matched_q_interval": pelplug.Field((*CURVE, "bound"), "1", "q of the ratio less and plus its error"),
        **_curve("matched", "at the q of the measured ratio"),
        **_pair("matched_growth", (C,), "1", "n of q ~ <Gamma>^n, the q of the measured ratios"),
        **_pair("measured_growth", (C,), "1", "n of q ~ <tau>^-n, the measured <tau>"),
    }  # fmt: skip
    return found
