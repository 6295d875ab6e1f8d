"""N(d) and tau_12(d) from counted pairs of events, as variables of a dataset."""

from __future__ import annotations

import numpy as np

import pelplug
from pelplug_propensity.second_events import PairCounts
from pelplug_propensity.settings import EVENT_TYPES

__all__ = ["BY_DISTANCE", "CITES", "COMMON", "pair_variables"]

_BINNED = ("event_type", "distance")
COMMON = {
    "second_events": pelplug.Field(_BINNED, "1", "N(d): second events over those of independent particles"),
    "second_events_error": pelplug.Field(_BINNED, "1", "standard error of second_events, as of a Poisson count"),
    "second_events_found": pelplug.Field(_BINNED, "1", "pairs of a first and a second event found"),
    "second_events_expected": pelplug.Field(_BINNED, "1", "pairs if all particles were as likely to be second"),
    "waiting_time": pelplug.Field(_BINNED, "time", "tau_12(d), from a first to a second event at a distance"),
    "waiting_time_error": pelplug.Field(_BINNED, "time", "standard error of waiting_time"),
    "mean_waiting_time": pelplug.Field(("event_type",), "time", "tau_12, over all distances"),
    "first_waiting_time": pelplug.Field(("event_type",), "time", "tau_01, from the start to the first event"),
    "same_particle": pelplug.Field(("event_type",), "1", "share of pairs of events of one particle, not in N(d)"),
    "hop_threshold": pelplug.Field((), "length**2", "threshold of p_hop used"),
    "structural_threshold": pelplug.Field((), "length**2", "threshold of the displacement of the shell used"),
    "shell_radius": pelplug.Field((), "length", "radius of the first shell used"),
    "half_window": pelplug.Field((), "time", "time averaged on each side of an event"),
}

# What is told by distance, which ends at half the smallest height of the cell.
BY_DISTANCE = tuple(name for name, field in COMMON.items() if field.dims == _BINNED)
CITES = (
    "C. Rehwald and A. Heuer, Phys. Rev. E 86, 051504 (2012)",
    "R. Candelier, O. Dauchot and G. Biroli, Phys. Rev. Lett. 102, 088001 (2009)",
)


def pair_variables(counts: list[PairCounts], width: float, spacing: float, waits: list[np.ndarray]) -> dict:
    """Return variables of a dataset, with the coordinates ``event_type`` and ``distance``.

    Parameters
    ----------
    counts : list of PairCounts
        One an event type.
    width : float
        Of a bin [length].
    spacing : float
        From one frame to the next [time].
    waits : list of ndarray
        tau_12 of every pair, of each event type [time].
    """
    observed, expected, sums, squares = (
        np.array([getattr(one, name) for one in counts]) for name in ("observed", "expected", "time_sum", "time_square")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(expected > 0, observed / expected, np.nan)
        error = np.where(expected > 0, np.sqrt(observed) / expected, np.nan)
        mean = np.where(observed > 0, sums / observed, np.nan)
        variance = np.maximum(squares / observed - mean**2, 0.0) * observed / (observed - 1)
        mean_error = np.where(observed > 1, np.sqrt(variance / observed), np.nan)
    pairs = [len(times) for times in waits]
    return {
        "event_type": ("event_type", list(EVENT_TYPES)),
        "distance": ("distance", (np.arange(observed.shape[1]) + 0.5) * width),
        "second_events": (_BINNED, ratio),
        "second_events_error": (_BINNED, error),
        "second_events_found": (_BINNED, observed),
        "second_events_expected": (_BINNED, expected),
        "waiting_time": (_BINNED, mean * spacing),
        "waiting_time_error": (_BINNED, mean_error * spacing),
        "mean_waiting_time": ("event_type", [times.mean() if len(times) else np.nan for times in waits]),
        "same_particle": (
            "event_type",
            [one.same / number if number else np.nan for one, number in zip(counts, pairs, strict=True)],
        ),
    }
