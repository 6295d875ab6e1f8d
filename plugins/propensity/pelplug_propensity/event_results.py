"""N(d) and waiting times from counted pairs of events, as variables of a dataset, with what is not told and why."""

from __future__ import annotations

import dataclasses
import json

import numpy as np

import pelplug
from pelplug_propensity.settings import EVENT_TYPES

__all__ = ["BY_DISTANCE", "CITES", "COMMON", "TIMES", "EventResult", "by_distance", "dataset_of"]

_BINNED = ("event_type", "distance")
COMMON = {
    "second_events": pelplug.Field(_BINNED, "1", "N(d): second events over those of independent particles"),
    "second_events_error": pelplug.Field(_BINNED, "1", "standard error of second_events"),
    "second_events_found": pelplug.Field(_BINNED, "1", "pairs of a first and a second event found"),
    "second_events_expected": pelplug.Field(_BINNED, "1", "pairs if all particles were as likely to be second"),
    "second_events_samples": pelplug.Field(_BINNED, "1", "independent samples that have such a pair"),
    "waiting_time": pelplug.Field(_BINNED, "time", "tau_12(d), from a first to a second event at a distance"),
    "waiting_time_error": pelplug.Field(_BINNED, "time", "standard error of waiting_time"),
    "mean_waiting_time": pelplug.Field(("event_type",), "time", "tau_12, over all distances"),
    "mean_waiting_time_error": pelplug.Field(("event_type",), "time", "standard error of mean_waiting_time"),
    "first_waiting_time": pelplug.Field(("event_type",), "time", "tau_01, from the start to the first event"),
    "first_waiting_time_error": pelplug.Field(("event_type",), "time", "standard error of first_waiting_time"),
    "event_samples": pelplug.Field(("event_type",), "1", "independent samples that the waiting times are from"),
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
TIMES = ("waiting_time", "mean_waiting_time", "first_waiting_time")


@dataclasses.dataclass
class EventResult:
    """The numbers of one event type.

    Attributes
    ----------
    numbers : dict
        By the names of `COMMON`.
    reasons : list of str
        Why some are NaN: clauses that the name of the event type is put before.
    method : str
        Of the errors.
    """

    numbers: dict
    reasons: list[str]
    method: str

    def withdraw(self, names, reason: str) -> None:
        """Take numbers and their errors back, for a reason."""
        for name in names:
            for key in (name, f"{name}_error"):
                self.numbers[key] = np.full(np.shape(self.numbers[key]), np.nan)
        self.reasons.append(reason)


def by_distance(resampling, observed, expected) -> dict:
    """Return N(d) with its error, of samples that have each so many pairs.

    Parameters
    ----------
    resampling : Resampling
        Over samples.
    observed, expected : ndarray, shape (S, B)
        Pairs found, and expected if all particles were as likely to be second.
    """
    ratio = resampling.means(observed, expected)
    # What a bin is worth is the samples with a pair in it: of a rare one, all others say the same.
    having = np.count_nonzero(observed, axis=0)
    return {
        "second_events": ratio[0],
        "second_events_error": resampling.error(ratio, samples=having),
        "second_events_found": observed.sum(axis=0),
        "second_events_expected": expected.sum(axis=0),
        "second_events_samples": having,
    }


def dataset_of(dataset, results: list[EventResult], width: float, variables: dict):
    """Return the dataset with the variables of each event type, further ones, and what is not told.

    Parameters
    ----------
    dataset : Dataset
    results : list of EventResult
        One an event type.
    width : float
        Of a bin of the distance [length].
    variables : dict
        Further ones.
    """
    names = [name for name in COMMON if name in results[0].numbers]
    joined = {name: (COMMON[name].dims, np.array([one.numbers[name] for one in results])) for name in names}
    bins = len(results[0].numbers["second_events"])
    dataset = dataset.assign_coords(
        event_type=("event_type", list(EVENT_TYPES)), distance=("distance", (np.arange(bins) + 0.5) * width)
    ).assign(joined | variables)
    dataset["distance"].attrs = {"units": "length", "long_name": "distance of the second event from the first"}
    dataset.attrs["not_found"] = json.dumps(
        [f"Of {kind} events {reason}" for kind, one in zip(EVENT_TYPES, results, strict=True) for reason in one.reasons]
    )
    method = results[0].method
    pelplug.state_errors(dataset, ["second_events_error", "waiting_time_error"], method, "second_events_samples")
    return pelplug.state_errors(
        dataset, ["mean_waiting_time_error", "first_waiting_time_error"], method, "event_samples"
    )
