"""Local and structural events of a trajectory, and how second events follow first ones."""

from __future__ import annotations

from typing import NamedTuple

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
from pelplug_propensity.second_events import PairCounts, detect, pair_counts, successive_pairs
from pelplug_propensity.settings import distance_bins, matrix_species, settle_detection, window_frames
from pelplug_propensity.waiting import unresolved

__all__ = ["HopEvents"]

_SAMPLES = 10  # frames for g(r)
_BLOCKS = 20  # of all trajectories, for errors
_RUNS = 5  # so many are samples themselves
_FEWEST = 5  # waiting times in a block, and of which a mean is told
_THRESHOLDS = ("--hop-threshold", "--structural-threshold")
_EVENT_DIMS = dict.fromkeys(
    ("event_particle", "event_frame", "event_time", "event_hop", "event_displacement", "event_structural"), ("event",)
) | {"event_place": ("event", "dimension")}


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
    pools = True
    provides = {  # noqa: RUF012 - the base class declares it a ClassVar
        "event_particle": pelplug.Field(("event",), "1", "particle that hopped"),
        "event_run": pelplug.Field(("event",), "1", "which of the trajectories"),
        "event_frame": pelplug.Field(("event",), "1", "frame of its trajectory, the first after the hop"),
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
        for trajectory, labels in zip(self.trajectories, self.selections, strict=True):
            self._check_order(labels)
            try:
                first, last = (trajectory.configuration(int(labels[k])) for k in (0, -1))
            except pelplug.PelplugError:
                continue
            if first.time is None or last.time is None or not last.time > first.time:
                continue  # what times lack is said where they are read
            matrix_species(first.species_names, first.species, self.parameters["matrix"])
            half = window_frames(self.parameters["half_window"], (last.time - first.time) / (len(labels) - 1))
            self._check_number(trajectory, len(labels), half)

    def _check_order(self, labels: np.ndarray) -> None:
        if len(labels) < 2 or np.any(np.diff(labels) <= 0):
            raise pelplug.InputError(
                f"The analysis {self.name} needs frames in the order of time; give two or more, by a positive --step."
            )

    def _check_number(self, trajectory, frames: int, half: int) -> None:
        if frames < 2 * half:
            raise pelplug.InputError(
                f"{trajectory.path} gives {frames} frames, fewer than the {2 * half} of the window; select more, "
                "or shorten --half-window."
            )

    def summarize(self, dataset: xr.Dataset) -> xr.Dataset:
        """Read each trajectory, find its events, and count pairs of them.

        Raises
        ------
        InputError
            If frames are too few, unevenly spaced or too far apart, or the cell changes.
        """
        runs: list[_Run] = []
        width, bins = self._bins()
        what = spacing = None
        for trajectory, selected in zip(self.trajectories, self.selections, strict=True):
            labels = np.asarray(selected, dtype=int)
            positions, times, first = self._series(trajectory, labels)
            between = (times[-1] - times[0]) / (len(times) - 1)
            if spacing is None:
                spacing = between
                samples = positions[np.unique(np.linspace(0, len(times) - 1, _SAMPLES).astype(int))]
                what = settle_detection(self, first, spacing, samples)
            elif abs(between - spacing) > 0.01 * spacing:
                raise pelplug.InputError(
                    f"Frames of {trajectory.path} are {between:.4g} apart, those of {self.trajectory.path} "
                    f"{spacing:.4g}; give trajectories of one spacing, or analyse them apart."
                )
            self._check_number(trajectory, len(times), what.half)
            events = detect(positions, first.cell, what)
            runs.append(self._read(positions, first.cell, events, what, labels, times, width, bins, spacing))
        results = [
            _result([one.pairs[structural] for one in runs], spacing, bins, _THRESHOLDS[structural])
            for structural in (False, True)
        ]
        number = [sum(len(one.pairs[structural].frames) for one in runs) for structural in (False, True)]
        lengths = [len(one.variables["event_frame"]) for one in runs]
        variables = {
            name: (dims, np.concatenate([one.variables[name] for one in runs])) for name, dims in _EVENT_DIMS.items()
        } | {
            "event_run": ("event", np.repeat(np.arange(len(runs)), lengths)),
            "events": ("event_type", number),
            "hop_threshold": ((), what.threshold),
            "structural_threshold": ((), what.structural_threshold),
            "shell_radius": ((), what.radius),
            "half_window": ((), what.half * spacing),
        }  # fmt: skip
        return dataset_of(dataset, results, width, variables)

    def _bins(self) -> tuple[float, int]:
        """Return the width of a bin of the distance, and how many fit into half of each cell."""
        states = [one.configuration(int(own[0])) for one, own in zip(self.trajectories, self.selections, strict=True)]
        width, _ = distance_bins(states[0], self.bin_width)
        return width, min(distance_bins(state, width)[1] for state in states)

    def _read(self, positions, cell, events, what, labels, times, width, bins, spacing) -> _Run:
        """Return the events of one trajectory, and the pairs of them that follow each other."""
        pairs = []
        for structural in (False, True):
            chosen = events.chosen(structural)
            first, second = successive_pairs(events.frames[chosen], round(self.separation / spacing))
            counts = [pair_counts(positions, cell, events, chosen[[one]], chosen[[other]], what, width, bins)
                      for one, other in zip(first, second, strict=True)]  # fmt: skip
            pairs.append(_Pairs(counts, events.frames[chosen], (first, second)))
        judged = np.isfinite(events.displacement)
        variables = {
            "event_particle": events.particles,
            "event_frame": labels[events.frames],
            "event_time": times[events.frames],
            "event_hop": events.p_hop,
            "event_displacement": events.displacement,
            "event_structural": np.where(judged, events.structural, -1).astype(np.int8),
            "event_place": events.places,
        }
        return _Run(variables, tuple(pairs))

    def _series(self, trajectory, labels: np.ndarray):
        """Return positions less the motion of the centre of mass, times, and the first configuration."""
        self._check_order(labels)
        wanted, positions, times, first = set(labels.tolist()), [], [], None
        begin, end = int(labels[0]), int(labels[-1]) + 1
        for label, state in enumerate(trajectory.unwrapped(begin, end), start=begin):
            if label not in wanted:
                continue
            first = state if first is None else first
            if not np.allclose(state.cell, first.cell, rtol=1e-9, atol=0.0):
                raise pelplug.InputError(f"The cell of {trajectory.path} changes; hops are found at constant volume.")
            moved = state.unwrapped_positions()
            centre = np.average(moved, axis=0, weights=state.masses)
            positions.append(moved - centre)
            times.append(state.time)
            if len(times) == 1:
                origin = centre
        trajectory.check_times(sorted(wanted), times)
        times = np.array(times, dtype=float)
        steps = np.diff(times)
        if not np.all(np.isfinite(steps)) or np.any(steps <= 0) or np.ptp(steps) > 0.01 * steps.mean():
            raise pelplug.InputError(
                f"Frames of {trajectory.path} are not evenly spaced in time; simulate with --frames NUMBER, or "
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


class _Pairs(NamedTuple):
    """Events of one type in one trajectory: their frames, which of them follow each other, and counts of such pairs."""

    counts: list[PairCounts]
    frames: np.ndarray
    indices: tuple[np.ndarray, np.ndarray]


class _Run(NamedTuple):
    """One trajectory: variables along ``event``, and the pairs of local and of structural events."""

    variables: dict[str, np.ndarray]
    pairs: tuple[_Pairs, ...]


def _result(runs: list[_Pairs], spacing: float, bins: int, option: str) -> EventResult:
    """Return the numbers of one event type, with errors over blocks of trajectories, or over these.

    Parameters
    ----------
    runs : list of _Pairs
        One a trajectory.
    spacing : float
        From one frame to the next [time].
    bins : int
        Of the distance.
    option : str
        Which threshold made them events.
    """
    counts = [one for run in runs for one in run.counts]
    each = [run.frames[run.indices[1]] - run.frames[run.indices[0]] for run in runs]
    waits = np.concatenate(each) * spacing
    whole = len(runs) >= _RUNS
    blocks = 1 if whole else max(1, min(_BLOCKS, len(waits) // _FEWEST) // len(runs))
    resampling = pelplug.Bootstrap(blocks * len(runs))

    def block(number: int, frames: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        # Of equal length in time, so that a burst of events is one sample.
        lasts = int(frames[-1] - frames[0]) + 1 if len(frames) else 1
        return number * blocks + (frames[chosen] - frames[0]) * blocks // lasts if len(chosen) else chosen

    unit = np.concatenate([block(k, run.frames, run.indices[0]) for k, run in enumerate(runs)])

    def summed(values):
        sums = np.zeros((resampling.samples, *np.shape(values)[1:]))
        np.add.at(sums, unit, values)
        return sums

    observed, expected, time = (
        summed(np.array([getattr(one, name) for one in counts]).reshape(len(counts), bins))
        for name in ("observed", "expected", "time_sum")
    )
    numbers = by_distance(resampling, observed, expected)
    by_bin = spacing * resampling.means(time, observed)
    overall = resampling.means(summed(waits), summed(np.ones(len(waits))))
    # From any moment to the next event: <tau**2> / (2 <tau>).
    gaps = np.concatenate([np.diff(run.frames) for run in runs]).astype(float)
    of_gaps = np.concatenate([block(k, run.frames, np.arange(len(run.frames) - 1)) for k, run in enumerate(runs)])
    squares, plain = (np.bincount(of_gaps, gaps**k, minlength=resampling.samples) for k in (2, 1))
    first = resampling.means(spacing * squares, 2.0 * plain)
    having = numbers["second_events_samples"]
    result = EventResult(
        numbers | {
            "waiting_time": by_bin[0],
            "waiting_time_error": resampling.error(by_bin, samples=having),
            "mean_waiting_time": overall[0],
            "mean_waiting_time_error": resampling.error(overall),
            "first_waiting_time": first[0],
            "first_waiting_time_error": resampling.error(first),
            "event_samples": resampling.samples,
            "same_particle": np.mean([one.same for one in counts]) if counts else np.nan,
        },
        [],
        "bootstrap over runs" if whole else f"bootstrap over blocks of the {_plural('trajectory', runs)}",
    )  # fmt: skip
    _withdraw(result, waits, sum(len(run.frames) for run in runs), len(runs), spacing, option)
    return result


def _withdraw(result: EventResult, waits: np.ndarray, events: int, runs: int, spacing: float, option: str) -> None:
    """Take back what so few waits, or waits so short, do not tell."""
    longer = f"give {'a longer trajectory' if runs == 1 else 'longer trajectories'}"
    if not len(waits):
        there = "there are none" if not events else "there is one, which no second follows"
        there = there if events < 2 else f"there are {events}, and no second follows in the same trajectory"
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
    elif runs > 1 and len(waits) < _FEWEST * runs:
        result.withdraw(
            TIMES,
            f"there are fewer than {_FEWEST} waiting times a trajectory, whose ends cut off the longest, so that "
            f"tau_12 and tau_01 would be too short; {longer}, or lower {option}.",
        )
    elif len(waits) < _FEWEST:
        result.withdraw(
            ("first_waiting_time",),
            f"there are {events}, too few for tau_01 and for errors; {longer}, or lower {option}.",
        )


def _plural(word: str, several: list) -> str:
    return word if len(several) == 1 else f"{word[:-1]}ies"
