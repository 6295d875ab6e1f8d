"""Local and structural events of a trajectory, and how second events follow first ones."""

from __future__ import annotations

import numpy as np
import xarray as xr

import pelplug
from pelplug_propensity.event_results import BY_DISTANCE, CITES, COMMON, TIMES, EventResult, by_distance, dataset_of
from pelplug_propensity.options import (
    BinWidth,
    Delay,
    HalfWindow,
    HopThreshold,
    Matrix,
    Separation,
    Shell,
    ShellRadius,
    StructuralThreshold,
)
from pelplug_propensity.second_events import detect, pair_counts, residual_waiting_time, successive_pairs
from pelplug_propensity.settings import distance_bins, matrix_species, settle_detection, window_frames
from pelplug_propensity.waiting import unresolved

__all__ = ["HopEvents"]

_SAMPLES = 10  # frames for g(r)
_BLOCKS = 20  # of the trajectory, for errors
_FEWEST = 5  # waiting times in a block, and of which a mean is told
_THRESHOLDS = ("--hop-threshold", "--structural-threshold")


class HopEvents(pelplug.Analysis):
    """Hops of particles, which of them change the structure, and where and when the next one happens.

    Frames are evenly spaced in time, about a tenth of the half window apart.

    Notes
    -----
    Every event is a first event to the one that follows it; see ``isoconfigurational-events`` for runs that start
    from one configuration.
    """

    name = "hop-events"
    summary = "Local and structural events of a trajectory; second events by distance and waiting time"
    needs = pelplug.Need.POSITIONS | pelplug.Need.CELL | pelplug.Need.TIME | pelplug.Need.IDENTITY
    reads_frames = False
    provides = {  # noqa: RUF012 - the base class declares it a ClassVar
        "event_particle": pelplug.Field(("event",), "1", "particle that hopped"),
        "event_frame": pelplug.Field(("event",), "1", "frame of the trajectory, the first after the hop"),
        "event_time": pelplug.Field(("event",), "time", "time of that frame"),
        "event_hop": pelplug.Field(("event",), "length**2", "p_hop, its maximum"),
        "event_displacement": pelplug.Field(
            ("event",), "length**2", "squared displacement of the particle and its shell; NaN where frames do not reach"
        ),
        "event_structural": pelplug.Field(("event",), "1", "1 structural, 0 not, -1 where frames do not reach"),
        "event_place": pelplug.Field(("event", "dimension"), "length", "where the particle was before, unwrapped"),
        "events": pelplug.Field(("event_type",), "1", "number of events"),
        **COMMON,
    }
    cites = CITES
    trial = {  # noqa: RUF012
        "n": 260,
        "frames": 60,
        "parameters": {"hop_threshold": 0.01, "structural_threshold": 0.02, "shell_radius": 1.2},
        "exempt": {f"check_cell_vectors.{name}": "distances end at half the least height" for name in BY_DISTANCE},
        "expected_failures": {"check_permutation": "events of one frame are in the order of their particles"},
    }

    _analysis_algorithm_is_parallelizable = False  # events are found in the series of all frames

    def __init__(
        self,
        trajectory,
        *,
        half_window: HalfWindow = "auto",
        hop_threshold: HopThreshold = "auto",
        structural_threshold: StructuralThreshold = "auto",
        delay: Delay = 0.0,
        shell: Shell = "all",
        shell_radius: ShellRadius = "auto",
        matrix: Matrix = "auto",
        separation: Separation = 0.0,
        bin_width: BinWidth = "auto",
        **base,
    ):
        super().__init__(trajectory, **base)
        self.separation, self.bin_width = separation, bin_width

    def check_before(self, frames) -> None:
        """Refuse frames that are too few for the window, or not in the order of time, by the first and the last.

        Raises
        ------
        InputError
            With the remedy.
        """
        labels = np.asarray(frames, dtype=int)
        self._check_order(labels)
        try:
            first, last = (self.trajectory.configuration(int(labels[k])) for k in (0, -1))
        except pelplug.PelplugError:
            return
        if first.time is None or last.time is None or not last.time > first.time:
            return  # what times lack is said where they are read
        matrix_species(first.species_names, first.species, self.parameters["matrix"])
        half = window_frames(self.parameters["half_window"], (last.time - first.time) / (len(labels) - 1))
        self._check_number(len(labels), half)

    def _check_order(self, labels: np.ndarray) -> None:
        if len(labels) < 2 or np.any(np.diff(labels) <= 0):
            raise pelplug.InputError(
                f"The analysis {self.name} needs frames in the order of time; give two or more, by a positive --step."
            )

    def _check_number(self, frames: int, half: int) -> None:
        if frames < 2 * half:
            raise pelplug.InputError(
                f"{self.trajectory.path} gives {frames} frames, fewer than the {2 * half} of the window; select more, "
                "or shorten --half-window."
            )

    def summarize(self, dataset: xr.Dataset) -> xr.Dataset:
        """Read the series, find events, and count pairs of them.

        Raises
        ------
        InputError
            If frames are too few, unevenly spaced or too far apart, or the cell changes.
        """
        labels = np.asarray(self.frames, dtype=int)
        positions, times, first = self._series(labels)
        spacing = (times[-1] - times[0]) / (len(times) - 1)
        samples = positions[np.unique(np.linspace(0, len(times) - 1, _SAMPLES).astype(int))]
        what = settle_detection(self, first, spacing, samples)
        self._check_number(len(times), what.half)
        events = detect(positions, first.cell, what)
        width, bins = distance_bins(first, self.bin_width)
        separation = round(self.separation / spacing)
        results, number = [], []
        for structural in (False, True):
            chosen = events.chosen(structural)
            pairs = successive_pairs(events.frames[chosen], separation)
            counts = [pair_counts(positions, first.cell, events, chosen[[one]], chosen[[other]], what, width, bins)
                      for one, other in zip(*pairs, strict=True)]  # fmt: skip
            results.append(_result(counts, events.frames[chosen], pairs, spacing, bins, _THRESHOLDS[structural]))
            number.append(len(chosen))
        judged = np.isfinite(events.displacement)
        variables = {
            "event_particle": ("event", events.particles),
            "event_frame": ("event", labels[events.frames]),
            "event_time": ("event", times[events.frames]),
            "event_hop": ("event", events.p_hop),
            "event_displacement": ("event", events.displacement),
            "event_structural": ("event", np.where(judged, events.structural, -1).astype(np.int8)),
            "event_place": (("event", "dimension"), events.places),
            "events": ("event_type", number),
            "hop_threshold": ((), what.threshold),
            "structural_threshold": ((), what.structural_threshold),
            "shell_radius": ((), what.radius),
            "half_window": ((), what.half * spacing),
        }
        return dataset_of(dataset, results, width, variables)

    def _series(self, labels: np.ndarray):
        """Return positions less the motion of the centre of mass, times, and the first configuration."""
        self._check_order(labels)
        wanted, positions, times, first = set(labels.tolist()), [], [], None
        begin, end = int(labels[0]), int(labels[-1]) + 1
        for label, state in enumerate(self.trajectory.unwrapped(begin, end), start=begin):
            if label not in wanted:
                continue
            first = state if first is None else first
            if not np.allclose(state.cell, first.cell, rtol=1e-9, atol=0.0):
                raise pelplug.InputError(
                    f"The cell of {self.trajectory.path} changes; hops are found at constant volume."
                )
            moved = state.unwrapped_positions()
            centre = np.average(moved, axis=0, weights=state.masses)
            positions.append(moved - centre)
            times.append(state.time)
            if len(times) == 1:
                origin = centre
        self.trajectory.check_times(sorted(wanted), times)
        times = np.array(times, dtype=float)
        steps = np.diff(times)
        if not np.all(np.isfinite(steps)) or np.any(steps <= 0) or np.ptp(steps) > 0.01 * steps.mean():
            raise pelplug.InputError(
                f"Frames of {self.trajectory.path} are not evenly spaced in time; simulate with --frames NUMBER, or "
                "select such frames."
            )
        return np.array(positions) + origin, times, first

    def plot(self, ax=None, **keywords):
        """Draw N(d) of local and structural events."""
        from pelplug_propensity.event_drawing import draw_second_events

        return draw_second_events(self.to_dataset(), ax, **keywords)

    def panels(self):
        """Return what draws N(d) and tau_12(d)."""
        from pelplug_propensity.event_drawing import event_panels

        return event_panels(self.to_dataset())

    def figure(self):
        """Draw N(d) beside tau_12(d)."""
        from pelplug_propensity.event_drawing import draw_event_figure

        return draw_event_figure(self.to_dataset())


def _result(counts, frames, pairs, spacing: float, bins: int, option: str) -> EventResult:
    """Return the numbers of one event type, with errors over blocks of the trajectory.

    Parameters
    ----------
    counts : list of PairCounts
        One a pair.
    frames : ndarray of int
        Of the events.
    pairs : (ndarray, ndarray)
        Which of them follow each other.
    spacing : float
        From one frame to the next [time].
    bins : int
        Of the distance.
    option : str
        Which threshold made them events.
    """
    waits = (frames[pairs[1]] - frames[pairs[0]]) * spacing
    blocks = max(1, min(_BLOCKS, len(waits) // _FEWEST))
    # Of equal length in time, so that a burst of events is one sample.
    lasts = int(frames[-1] - frames[0]) + 1 if len(frames) else 1
    unit = (frames[pairs[0]] - frames[0]) * blocks // lasts if len(waits) else np.empty(0, dtype=int)
    resampling = pelplug.Bootstrap(blocks)

    def summed(values):
        sums = np.zeros((blocks, *np.shape(values)[1:]))
        np.add.at(sums, unit, values)
        return sums

    observed, expected, time = (
        summed(np.array([getattr(one, name) for one in counts]).reshape(len(counts), bins))
        for name in ("observed", "expected", "time_sum")
    )
    numbers = by_distance(resampling, observed, expected)
    by_bin = spacing * resampling.means(time, observed)
    overall = resampling.means(summed(waits), summed(np.ones(len(waits))))
    # From any moment to the next event.
    gaps = np.diff(frames)
    blocks_of_gaps = (frames[:-1] - frames[0]) * blocks // lasts if len(gaps) else gaps
    squares, plain = (np.bincount(blocks_of_gaps, gaps.astype(float) ** k, minlength=blocks) for k in (2, 1))
    first = resampling.means(spacing * squares, 2.0 * plain)
    first[0] = spacing * residual_waiting_time(frames)
    having = numbers["second_events_samples"]
    result = EventResult(
        numbers | {
            "waiting_time": by_bin[0],
            "waiting_time_error": resampling.error(by_bin, samples=having),
            "mean_waiting_time": overall[0],
            "mean_waiting_time_error": resampling.error(overall),
            "first_waiting_time": first[0],
            "first_waiting_time_error": resampling.error(first),
            "event_samples": blocks,
            "same_particle": np.mean([one.same for one in counts]) if counts else np.nan,
        },
        [],
        "bootstrap over blocks of the trajectory",
    )  # fmt: skip
    longer = "give a longer trajectory"
    if not len(waits):
        there = "there is one, which no second follows" if len(frames) else "there are none"
        result.withdraw(
            ("second_events", *TIMES), f"{there}: N(d), tau_12 and tau_01 are not known; {longer}, or lower {option}."
        )
    elif unresolved(waits):
        result.withdraw(
            TIMES,
            f"more than half have the next one in the same frame, so that tau_12 and tau_01 are shorter than the "
            f"{spacing:.4g} between frames; save frames more often, or count second events only from a time on with "
            "--separation.",
        )
    elif len(waits) < _FEWEST:
        result.withdraw(
            ("first_waiting_time",),
            f"there are {len(frames)}, too few for tau_01 and for errors; {longer}, or lower {option}.",
        )
    return result
