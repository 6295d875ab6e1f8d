"""First and second events of many runs from one configuration."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np

import pelplug
from pelplug_propensity.event_results import BY_DISTANCE, CITES, COMMON, TIMES, EventResult, by_distance, dataset_of
from pelplug_propensity.options import (
    BinWidth,
    Delay,
    EngineName,
    HalfWindow,
    HopThreshold,
    Matrix,
    Separation,
    Shell,
    ShellRadius,
    StructuralThreshold,
    TimeStep,
    VelocityTemperature,
)
from pelplug_propensity.relaxation_time import relaxation_time
from pelplug_propensity.second_events import detect, pair_counts, successive_pairs
from pelplug_propensity.settings import (
    EVENT_TYPES,
    distance_bins,
    matrix_species,
    settle_detection,
    step_of_runs,
    velocity_temperature,
    window_frames,
)
from pelplug_propensity.waiting import censored_mean, truncated_mean, unresolved

__all__ = ["IsoconfigurationalEvents"]

_BATCH_BYTES = 2**28  # positions of one batch of replicas
_FEWEST_STARTS = 5  # configurations, for errors over them
_RESAMPLES = 300
_LONGER = "raise --duration"
_SEEN = 0.5  # share of the runs that must have had an event, for its waiting time
_EACH = ("frame", "replica", "event_type")
_BINNED = ("frame", "replica", "event_type", "distance")


class IsoconfigurationalEvents(pelplug.Analysis):
    """Where and when the second event of a run follows the first one, over many runs from each frame.

    Notes
    -----
    Only runs in which two events happened count in N(d). Waiting times allow for the runs that end before, as those of
    events with a constant rate; where more than half do, they are not told, and `duration` is to be raised.
    """

    name = "isoconfigurational-events"
    summary = "First and second events of many runs from each frame: N(d), tau_12(d), tau_01"
    needs = (
        pelplug.Need.POSITIONS | pelplug.Need.CELL | pelplug.Need.MASSES | pelplug.Need.POTENTIAL | pelplug.Need.ENGINE
    )
    provides = {  # noqa: RUF012 - the base class declares it a ClassVar
        "first_time": pelplug.Field(_EACH, "time", "time of the first event; NaN where there is none"),
        "second_time": pelplug.Field(_EACH, "time", "time of the second event; NaN where there is none"),
        "first_particle": pelplug.Field(_EACH, "1", "particle of the first event, -1 where there is none"),
        "second_particle": pelplug.Field(_EACH, "1", "particle of the second event, -1 where there is none"),
        "observed": pelplug.Field(_BINNED, "1", "pairs found by distance"),
        "expected": pelplug.Field(_BINNED, "1", "pairs if all particles were as likely to be second"),
        "pairs_of_one": pelplug.Field(_EACH, "1", "pairs of events of one particle"),
        "settings": pelplug.Field(
            ("frame", "setting"), "1", "thresholds of p_hop and of the shell, shell radius, half window, bin width"
        ),
        "route": pelplug.Field(("frame",), "1", "what simulated, with whose forces"),
        "runs_with_one": pelplug.Field(("event_type",), "1", "share of the runs with an event"),
        "runs_with_two": pelplug.Field(("event_type",), "1", "share of the runs with two events"),
        "duration": pelplug.Field((), "time", "length of each run"),
        "velocity_temperature": pelplug.Field((), "energy / k_B", "temperature of the velocities"),
        **COMMON,
    }
    cites = CITES
    trial = {  # noqa: RUF012
        "model": "inverse-power-law",
        "n": 260,
        "frames": 2,
        "parameters": {
            "replicas": 2,
            "duration": 0.5,
            "spacing": 0.05,
            "half_window": 0.1,
            "hop_threshold": 0.001,
            "structural_threshold": 0.002,
            "shell_radius": 1.2,
            "separation": 0.1,
            "matrix": "L",
        },
        "exempt": {
            f"check_cell_vectors.{name}": "distances end at half the least height"
            for name in (*BY_DISTANCE, "observed", "expected")
        },
        "expected_failures": dict.fromkeys(
            ("check_permutation", "check_rotation"), "velocities are drawn one after the other, along fixed axes"
        ),
    }

    def __init__(
        self,
        trajectory,
        *,
        replicas: Annotated[int, pelplug.Param("runs from each frame", minimum=1)] = 20,
        duration: Annotated[
            Literal["auto"] | float,
            pelplug.Param(
                "length of each run; auto: tau_alpha of the trajectory, where F_s falls to 0.2",
                exclusive_minimum=0,
                unit="time",
            ),
        ] = "auto",
        spacing: Annotated[
            Literal["auto"] | float,
            pelplug.Param(
                "time between the frames in which events are looked for; auto: rho^(-1/d) / (2 v_T)",
                exclusive_minimum=0,
                unit="time",
            ),
        ] = "auto",
        velocity_temperature: VelocityTemperature = "auto",
        ensemble: Annotated[str, pelplug.Param("equations of motion", choices=("nve", "nvt", "langevin"))] = "nve",
        time_step: TimeStep = None,
        engine: EngineName = "auto",
        seed: Annotated[int, pelplug.Param("seed of the velocities", minimum=0, meaning=False)] = 0,
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
        _, self.needs = self.demands(self.parameters)
        self.replicas, self.ensemble, self.engine, self.seed = replicas, ensemble, engine, seed
        self.separation, self.bin_width = separation, bin_width
        self._settled: dict[str, float] = {}

    @classmethod
    def demands(cls, parameters) -> tuple[tuple[str, ...], pelplug.Need]:
        """Return what it uses and needs: the temperature of the states, where that of the velocities is not given."""
        own = parameters["velocity_temperature"] != "auto"
        return cls.uses, cls.needs if own else cls.needs | pelplug.Need.TEMPERATURE

    def settle(self) -> dict[str, float]:
        """Return temperature, duration and spacing, from the trajectory where they were not given.

        Raises
        ------
        InputError
            If the trajectory does not say.
        """
        if self._settled:
            return self._settled
        if self.trajectory is None:
            raise pelplug.InputError(f"The analysis {self.name} starts runs from the frames of a file; run it on one.")
        step, first, model = step_of_runs(self), self.trajectory.configuration(0), self.model
        temperature = velocity_temperature(self)
        spaced = first.density ** (-1.0 / first.dimension)
        spacing, duration = self.parameters["spacing"], self.parameters["duration"]
        if spacing == "auto":
            mass = float(model.masses_of(first).mean())
            spacing = 0.5 * spaced / model.units.thermal_speed(temperature, mass)
        spacing = max(1, round(spacing / step)) * step
        if duration == "auto":
            kind = matrix_species(first.species_names, first.species, self.parameters["matrix"])
            duration = relaxation_time(self.trajectory, kind, 2.0 * np.pi / spaced, 0.2)
        self._settled = {"velocity_temperature": temperature, "spacing": float(spacing), "duration": float(duration)}
        return self._settled

    def check_before(self, frames) -> None:
        """Find temperature, duration and spacing before anything is simulated; refuse runs shorter than the window.

        Raises
        ------
        InputError
            With the remedy.
        """
        if self.parameters["matrix"] != "auto" and self.parameters["matrix"] not in self.trajectory.species_names:
            names = ", ".join(self.trajectory.species_names)
            raise pelplug.InputError(f"There is no species {self.parameters['matrix']}; there are {names}.")
        settled = self.settle()
        spacing = settled["spacing"]
        half = window_frames(self.parameters["half_window"], spacing)
        states = int(settled["duration"] / spacing * (1 + 1e-9)) + 1
        if states < 2 * half:
            raise pelplug.InputError(
                f"A duration of {settled['duration']:g} gives {states} states every {spacing:g}, fewer than the "
                f"{2 * half} of the window of p_hop; raise --duration to {2 * half * spacing:.4g} or more, or shorten "
                "--half-window."
            )

    def prepare(self) -> None:
        """Find temperature, duration and spacing."""
        self.settle()

    def compute(self, configuration) -> dict[str, Any]:
        """Run the replicas of one frame and look at their first two events."""
        settled = self.settle()
        start = configuration.wrapped()
        spacing = settled["spacing"]
        times = spacing * np.arange(1, int(settled["duration"] / spacing * (1 + 1e-9)) + 1)
        per_run = 8 * start.positions.size * (len(times) + 1)
        batch = int(max(1, min(self.replicas, _BATCH_BYTES // per_run)))
        what = width = bins = None
        shape = (self.replicas, len(EVENT_TYPES))
        found = {name: np.full(shape, np.nan) for name in ("first_time", "second_time")}
        found |= {name: np.full(shape, -1, dtype=np.int64) for name in ("first_particle", "second_particle")}
        counts: list[list[Any]] = [[], []]
        route = ""
        for begin in range(0, self.replicas, batch):
            runs = pelplug.isoconfigurational(
                start, self.model, settled["velocity_temperature"], times, replicas=min(batch, self.replicas - begin),
                seed=(self.seed, configuration.frame or 0, begin), ensemble=self.ensemble, engine=self.engine,
                time_step=step_of_runs(self),
            )  # fmt: skip
            route = f"{runs.engine}: {runs.route}"
            origin = start.unwrapped_positions()
            for replica, moved in enumerate(runs.displacements, start=begin):
                positions = np.concatenate([origin[None], origin + moved])
                if what is None:
                    what = settle_detection(self, start, spacing, [start.positions])
                    width, bins = distance_bins(start, self.bin_width)
                    if len(positions) < 2 * what.half:
                        raise pelplug.InputError(
                            f"Runs of {settled['duration']:g} are shorter than the window of p_hop; raise --duration."
                        )
                events = detect(positions, start.cell, what)
                for kind, structural in enumerate((False, True)):
                    chosen = events.chosen(structural)
                    frames = events.frames[chosen]
                    one, other = successive_pairs(frames, round(self.separation / spacing))
                    one, other = chosen[one[:1]], chosen[other[:1]]
                    for name, index in (("first", chosen[:1]), ("second", other)):
                        if len(index):
                            found[f"{name}_time"][replica, kind] = events.frames[index[0]] * spacing
                            found[f"{name}_particle"][replica, kind] = events.particles[index[0]]
                    counts[kind].append(pair_counts(positions, start.cell, events, one, other, what, width, bins))
        each = {
            name: np.moveaxis(np.array([[getattr(part, name) for part in parts] for parts in counts]), 0, 1)
            for name in ("observed", "expected", "same")
        }
        return found | {
            "observed": each["observed"],
            "expected": each["expected"],
            "pairs_of_one": each["same"],
            "settings": [what.threshold, what.structural_threshold, what.radius, what.half * spacing, width],
            "route": route,
        }

    def summarize(self, dataset):
        """Add N(d), tau_12(d) and tau_01 over all runs of all frames."""
        settled = self.settle()
        first, second = (dataset[name].values for name in ("first_time", "second_time"))
        frames, replicas = first.shape[:2]
        settings = dataset["settings"].values.mean(axis=0)
        unit, of = pelplug.independent_samples(dataset, of="starting configurations")
        if unit.max() + 1 < _FEWEST_STARTS:  # of few configurations the runs tell what these few do
            unit, of = np.arange(frames * replicas), "runs"
        else:
            unit = np.repeat(unit, replicas)
        results = [
            _result(
                unit, of, *(part[:, :, kind].reshape(frames * replicas, *part.shape[3:]) for part in (
                    first, second, *(dataset[name].values for name in ("observed", "expected", "pairs_of_one"))
                )), opens=settings[3], ends=self._last(settled, settings[3]), separation=self.separation,
            )
            for kind in range(len(EVENT_TYPES))
        ]  # fmt: skip
        variables = {
            "runs_with_one": ("event_type", np.isfinite(first).mean(axis=(0, 1))),
            "runs_with_two": ("event_type", np.isfinite(second).mean(axis=(0, 1))),
            "hop_threshold": ((), settings[0]),
            "structural_threshold": ((), settings[1]),
            "shell_radius": ((), settings[2]),
            "half_window": ((), settings[3]),
            "duration": ((), settled["duration"]),
            "velocity_temperature": ((), settled["velocity_temperature"]),
        }
        names = ("hop_threshold", "structural_threshold", "shell_radius", "half_window", "bin_width")
        dataset = dataset.assign_coords(setting=("setting", list(names)))
        return dataset_of(dataset, results, settings[4], variables)

    def _last(self, settled, half: float) -> float:
        """Return the time of the last frame in which an event can be seen."""
        spacing = settled["spacing"]
        return int(settled["duration"] / spacing * (1 + 1e-9)) * spacing + spacing - half

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


def _result(unit, of: str, first, second, observed, expected, same, *, opens: float, ends: float, separation: float):
    """Return the numbers of one event type.

    Parameters
    ----------
    unit : ndarray of int, shape (runs,)
        Independent sample of each run.
    of : str
        What the samples are.
    first, second : ndarray, shape (runs,)
        Times of both events, NaN where there is none [time].
    observed, expected : ndarray, shape (runs, B)
        Pairs by distance.
    same : ndarray, shape (runs,)
        Pairs of one particle.
    opens, ends : float
        Between which times events are seen [time].
    separation : float
        Second events count from that time on after the first [time].

    Returns
    -------
    EventResult
    """
    resampling = pelplug.Bootstrap(int(unit.max()) + 1, resamples=_RESAMPLES)

    def summed(values):
        return pelplug.unit_sums(np.asarray(values, dtype=float), unit)

    one, two = np.isfinite(first), np.isfinite(second)
    numbers = by_distance(resampling, summed(observed), summed(expected))
    start = np.where(one, first, ends) - opens
    wait = np.where(one, np.where(two, second, ends) - first, 0.0)
    to_first = censored_mean(resampling, summed(start), summed(one))
    # Waiting for the second begins when it may count.
    to_second = separation + censored_mean(resampling, summed(np.maximum(wait - separation, 0.0)), summed(two))
    placed = np.flatnonzero(two & (observed.sum(axis=1) > 0))
    by_bin = separation + truncated_mean(
        resampling, unit[placed], np.argmax(observed[placed], axis=1), wait[placed] - separation,
        ends - first[placed] - separation, observed.shape[1],
    )  # fmt: skip
    result = EventResult(
        numbers | {
            "waiting_time": by_bin[0],
            "waiting_time_error": resampling.error(by_bin, samples=numbers["second_events_samples"]),
            "mean_waiting_time": to_second[0],
            "mean_waiting_time_error": resampling.error(to_second, samples=np.count_nonzero(summed(two))),
            "first_waiting_time": to_first[0],
            "first_waiting_time_error": resampling.error(to_first, samples=np.count_nonzero(summed(one))),
            "event_samples": np.count_nonzero(summed(two)),
            "same_particle": same.sum() / two.sum() if two.any() else np.nan,
        },
        [],
        f"bootstrap over {of}",
    )  # fmt: skip
    share = two.sum() / max(one.sum(), 1)
    if not one.any():
        result.withdraw(("second_events", *TIMES), f"no run has one; {_LONGER}, or lower its threshold.")
        return result
    if one.mean() < _SEEN:
        result.withdraw(
            ("first_waiting_time",),
            f"only {one.mean():.0%} of the runs have one, so that tau_01 is not known; {_LONGER}.",
        )
    elif unresolved(start[one]):
        result.withdraw(
            ("first_waiting_time",),
            "more than half of the runs have one in the first frame in which any can be seen, so that tau_01 is not "
            "known; shorten --spacing, or start from fewer particles.",
        )
    if not two.any():
        result.withdraw(("second_events", *TIMES[:2]), f"no run has a second one; {_LONGER}.")
    elif share < _SEEN:
        result.withdraw(
            TIMES[:2],
            f"only {share:.0%} of the runs with one have a second one, so that tau_12 is not known; {_LONGER}.",
        )
    elif unresolved(wait[two]):
        result.withdraw(
            TIMES[:2],
            "more than half have the second one in the same frame, so that tau_12 is not known; shorten --spacing, or "
            "count second events only from a time on with --separation.",
        )
    return result
