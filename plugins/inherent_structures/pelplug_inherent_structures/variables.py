"""The variables of inherent-structure-transitions."""

from __future__ import annotations

import pelplug

__all__ = ["PROVIDES"]

_FRAME, _VISIT, _TRANSITION = ("frame",), ("visit",), ("transition",)

PROVIDES = {
    "structure": pelplug.Field(_FRAME, "1", "number of the inherent structure, in the order of first visits"),
    "energy": pelplug.Field(_FRAME, "energy", "inherent-structure energy"),
    "energy_per_particle": pelplug.Field(_FRAME, "energy", "inherent-structure energy per particle"),
    "quenched": pelplug.Field(_FRAME, "1", "1 if the frame was quenched, 0 if it was filled in from its interval"),
    "transition_before": pelplug.Field(_TRANSITION, "1", "last frame before the transition"),
    "transition_after": pelplug.Field(_TRANSITION, "1", "first frame after the transition"),
    "transition_time": pelplug.Field(_TRANSITION, "time", "time half way between the two frames"),
    "transition_distance": pelplug.Field(
        _TRANSITION, "length", "distance between the two structures in configuration space, without drift"
    ),
    "transition_largest": pelplug.Field(_TRANSITION, "length", "largest displacement of a particle, without drift"),
    "visit_structure": pelplug.Field(_VISIT, "1", "structure visited"),
    "visit_first": pelplug.Field(_VISIT, "1", "first frame of the visit"),
    "visit_last": pelplug.Field(_VISIT, "1", "last frame of the visit"),
    "visit_energy": pelplug.Field(_VISIT, "energy", "inherent-structure energy of the visit"),
    "visit_run": pelplug.Field(_VISIT, "1", "which of the trajectories, where there are several"),
    "positions": pelplug.Field(
        ("visit", "particle", "dimension"), "length", "inherent-structure positions, unwrapped, without drift"
    ),
    "cell": pelplug.Field(("vector", "dimension"), "length", "cell vectors"),
    "quenches": pelplug.Field((), "1", "frames quenched"),
    "structures": pelplug.Field((), "1", "distinct inherent structures"),
    "transition_rate": pelplug.Field((), "1 / time", "transitions found per time"),
    "transition_rate_error": pelplug.Field((), "1 / time", "its standard error"),
    "ballistic_time": pelplug.Field((), "time", "end of ballistic motion, 0.1 a0 sqrt(m / T)"),
    "reduced_rate": pelplug.Field((), "1", "transitions per ballistic time and 1000 particles"),
    "reduced_rate_error": pelplug.Field((), "1", "its standard error"),
    "skipped": pelplug.Field((), "1", "frames that the search did not quench before the sample"),
    "sampled": pelplug.Field((), "1", "of these, quenched at random"),
    "missed": pelplug.Field((), "1", "of these, in another structure than was filled in"),
    "miss_rate": pelplug.Field((), "1", "chance that a skipped frame is in another structure than was filled in"),
    "miss_rate_low": pelplug.Field((), "1", "lower end of its 95% binomial interval"),
    "miss_rate_high": pelplug.Field((), "1", "upper end of its 95% binomial interval"),
    "missed_transitions": pelplug.Field((), "1", "estimated number of transitions missed before the sample"),
    "missed_transitions_error": pelplug.Field((), "1", "its standard error"),
    "missed_transitions_high": pelplug.Field((), "1", "upper bound of it, from that of the miss rate"),
    "recovered_transitions": pelplug.Field((), "1", "of these, found by following the sample up"),
    "mean_energy": pelplug.Field((), "energy", "mean inherent-structure energy"),
    "mean_energy_error": pelplug.Field((), "energy", "its standard error"),
    "variance_energy": pelplug.Field((), "energy**2", "variance of the inherent-structure energy"),
    "variance_energy_error": pelplug.Field((), "energy**2", "its standard error"),
    "skewness_energy": pelplug.Field((), "1", "skewness of the inherent-structure energy"),
    "skewness_energy_error": pelplug.Field((), "1", "its standard error"),
    "bin_energy": pelplug.Field(("bin",), "energy", "centre of a bin, energy per particle"),
    "density": pelplug.Field(("bin",), "1 / energy", "probability density P(e_IS) of the energy per particle"),
    "density_error": pelplug.Field(("bin",), "1 / energy", "its standard error"),
}
