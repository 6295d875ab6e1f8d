"""Analyses that look at a simulation while it runs: no trajectory on disk."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
from collections.abc import Callable, Mapping
from concurrent.futures import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from MDAnalysis.analysis.results import Results

from pelplug import errors
from pelplug.configuration import Configuration
from pelplug.core.conditions import Conditions
from pelplug.core.fields import Need
from pelplug.core.python_files import file_of
from pelplug.engines.engine import EnergyLog
from pelplug.engines.request import Recording, Replication, Request, output_of_replica
from pelplug.engines.run import SimulationResult, run_simulation
from pelplug.errors import InputError
from pelplug.execution.processes import WorkerPool
from pelplug.models.base import Model
from pelplug.tasks.analysis import Analysis
from pelplug.tasks.assembly import FrameFailure, FrameRecord
from pelplug.tasks.provenance import to_json
from pelplug.tasks.series import Series

if TYPE_CHECKING:
    from pelplug.engines.engine import Engine
    from pelplug.models.base import Model

__all__ = ["InSitu", "Plan", "simulate_replicas", "simulate_watched"]


class InSitu:
    """Let analyses compute the states of a running simulation; an observer for `pelplug.engines.engine.Session`.

    Each state is a frame, numbered from 0; its step and time are coordinates of the datasets. A state that an
    analysis cannot compute is recorded as a failed frame, as in a run over a file, and the simulation goes on.

    Parameters
    ----------
    *analyses : Analysis
        Made without a trajectory: ``InherentStructures(None, model=model)``. They read one frame at a time and use no
        other analysis, or they are a `Series` of the energies that are logged, as ``msed`` is.
    every : int, optional
        Steps between states, where `pelplug simulate` drives the session.

    Raises
    ------
    InputError
        If an analysis reads the results of others or another series, or needs a potential and has none.

    Examples
    --------
    >>> watch = pelplug.InSitu(InherentStructures(None, model=model))
    >>> session.observe(1000, watch)
    >>> session.advance(1_000_000)
    >>> watch.datasets()["inherent-structures"].energy_per_particle
    """

    def __init__(self, *analyses: Analysis, every: int | None = None):
        if not analyses:
            raise InputError("No analysis was given to look at the simulation; pass at least one.")
        for analysis in analyses:
            series = isinstance(analysis, Series)
            if analysis.uses or not (series or analysis.reads_frames) or Need.SERIES in analysis.needs:
                raise InputError(
                    f"The analysis {analysis.name} works on a series or on other results, not on one state at a time; "
                    "write a trajectory and run it on that."
                )
            if Need.POTENTIAL in analysis.needs and analysis.interactions() is None:
                raise InputError(f"The analysis {analysis.name} needs the model of the simulation; pass model= to it.")
            analysis.results = Results(records=[], failures=[])
            analysis.attributes["fingerprint"] = analysis.fingerprint()
            if analysis.reads_frames:
                analysis.prepare()
        self.analyses = analyses
        self._frames = [analysis for analysis in analyses if analysis.reads_frames]
        self._series = [analysis for analysis in analyses if not analysis.reads_frames]
        if every is not None and every < 1:
            raise InputError(f"A simulation is looked at every so many steps, at least 1, not {every}.")
        self.every = every if self._frames else None
        self._label = 0
        self._time_step: float | None = None

    def __call__(self, configuration: Configuration, potential_energy: float) -> None:
        """Compute one state."""
        time = configuration.time
        if time is None and self._time_step is not None and configuration.step is not None:
            time = self._time_step * configuration.step
        configuration = configuration.replace(frame=self._label, time=time)
        for analysis in self._frames:
            try:
                values = analysis.compute(configuration)
            except Exception as error:
                analysis.results.failures.append(FrameFailure.of(self._label, error))
                continue
            values = analysis.as_declared(values, configuration.n)
            found = analysis.take_derivatives()
            record = FrameRecord(self._label, configuration.step, configuration.time, values, found)
            analysis.results.records.append(record)
        self._label += 1

    def begin(
        self,
        n: int,
        time_step: float,
        log_every: int,
        conditions: Conditions | float | None,
        simulation: dict | None = None,
    ) -> None:
        """Tell all what comes: particles, time of a step, steps between energies, conditions or a temperature.

        ``simulation`` is what a trajectory's record would say: ``method`` (the ensemble), and ``dimension``.
        """
        self._time_step = time_step
        if not isinstance(conditions, Conditions):
            conditions = Conditions(temperature=conditions)
        for analysis in self.analyses:
            analysis.sampled_at(conditions)
        for analysis in self._series:
            analysis.simulation = dict(simulation or {})
            analysis.begin_series(n, time_step, log_every, conditions.temperature)

    def energies(self, log: EnergyLog) -> None:
        """Hand on what was logged."""
        for analysis in self._series:
            analysis.add_energies(log.step, log.potential_energy, log.kinetic_temperature)

    def record(self) -> dict[str, Any]:
        """Return what defines the observation, for the record of a simulation."""
        record = {"every": self.every, **{one.name: json.loads(to_json(one.parameters)) for one in self.analyses}}
        files = {one.name: file_of(type(one)) for one in self.analyses}
        changing = {name: file.checksum for name, file in files.items() if file is not None}
        return {**record, **({"files": changing} if changing else {})}

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that was computed, as arrays; `restore` undoes it."""
        state: dict[str, Any] = {}
        failures: dict[str, list] = {}
        for analysis in self._frames:
            for record in analysis.results.records:
                prefix = f"{analysis.name}/{record.label}"
                state |= {f"{prefix}/{name}": value for name, value in record.to_store().items()}
            failures[analysis.name] = [
                [one.label, one.sentence, one.kind.__name__, one.traceback] for one in analysis.results.failures
            ]
        for analysis in self._series:
            state |= {f"{analysis.name}/series/{name}": value for name, value in analysis.series_state().items()}
        state["in_situ"] = np.array(json.dumps({"label": self._label, "failures": failures}))
        return state

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on where another process was; after `begin`."""
        meta = json.loads(str(state["in_situ"]))
        self._label = meta["label"]
        stored: dict[str, dict[str, dict[str, np.ndarray]]] = {one.name: {} for one in self.analyses}
        for key, value in state.items():
            if key != "in_situ":
                name, label, variable = key.split("/", 2)
                stored[name].setdefault(label, {})[variable] = value
        for analysis in self._frames:
            own = stored[analysis.name]
            analysis.results.records = [FrameRecord.from_store(int(k), own[k]) for k in sorted(own, key=int)]
            analysis.results.failures = [
                FrameFailure(label, sentence, getattr(errors, kind), text)
                for label, sentence, kind, text in meta["failures"][analysis.name]
            ]
        for analysis in self._series:
            analysis.restore_series(stored[analysis.name]["series"])

    def datasets(self) -> dict[str, xr.Dataset]:
        """Join what was computed and return one dataset an analysis, by its name; the end of the observation.

        Raises
        ------
        RunError
            If an analysis failed on every state.
        """
        for analysis in self.analyses:
            if "dataset" not in analysis.results:
                analysis.conclude()
        return {analysis.name: analysis.results.dataset for analysis in self.analyses}


@dataclasses.dataclass(frozen=True)
class Plan:
    """Which analyses run inside a simulation; it goes to other processes.

    Attributes
    ----------
    analyses : tuple of (type, dict)
        Classes and parameters.
    every : int or None
        Steps between states.
    output : path_like or None
        Results.
    """

    analyses: tuple[tuple[type[Analysis], dict[str, Any]], ...] = ()
    every: int | None = None
    output: Any = None

    def of_replica(self, seed: int) -> Plan:
        """Return the plan with the output of one replica."""
        output = None if self.output is None else output_of_replica(self.output, seed)
        return dataclasses.replace(self, output=output)

    def watch(self, model: Model) -> InSitu | None:
        """Return the observer; None if there is nothing to observe.

        Raises
        ------
        InputError
            If the parts do not go together.
        """
        if not self.analyses:
            if self.every is not None or self.output is not None:
                raise InputError("Which analyses are to run in the simulation is not said; name them with --in-situ.")
            return None
        if self.output is not None and Path(self.output).suffix != ".nc":
            raise InputError(f"Results in situ are a NetCDF file; give {self.output} the ending .nc.")
        frames = [cls.name for cls, _ in self.analyses if cls.reads_frames]
        if frames and self.every is None:
            raise InputError(f"Say how often {', '.join(frames)} is to look at the simulation (--in-situ-every STEPS).")
        return InSitu(*(cls(None, model=model, **given) for cls, given in self.analyses), every=self.every)


def simulate_watched(
    model: Model, engine: Engine, recording: Recording, request: Request, plan: Plan, **told: Any
) -> SimulationResult:
    """Run one simulation with its analyses; see `pelplug.simulate`."""
    return run_simulation(
        model, engine, recording=recording, request=request, watch=plan.watch(model), watch_output=plan.output, **told
    )


def simulate_replicas(
    model: Model,
    engine: Engine,
    recording: Recording,
    request: Request,
    plan: Plan,
    replication: Replication,
    **told: Any,
) -> list[SimulationResult]:
    """Run replicas, one after the other or several at once, each then in a process of its own.

    Ctrl-C stops all at their next checkpoint.

    Parameters
    ----------
    model, engine, recording, request, plan, **told
        Of `simulate_watched`; each replica has its own seed and outputs.
    replication : Replication
        How many, and how many at once.
    """
    calls = [
        functools.partial(
            simulate_watched,
            model,
            engine,
            recording.of_replica(seed),
            dataclasses.replace(request, seed=seed, replica=seed - request.seed),
            plan.of_replica(seed),
            **{**told, "announce": None if replication.workers > 1 else told.get("announce")},
        )
        for seed in range(request.seed, request.seed + replication.replicas)
    ]
    if replication.workers == 1:
        return [call() for call in calls]
    with WorkerPool(min(replication.workers, len(calls))) as pool:
        futures = pool.submit((_heard, functools.partial(call, progress=None)) for call in calls)
        wait(futures)  # one that fails does not end the others
        ends = [future.result() for future in futures]
    if (announce := told.get("announce")) is not None:
        for sentence in itertools.chain(*(said for _, said in ends)):
            announce(sentence)
    return [result for result, _ in ends]


def _heard(call: Callable[..., SimulationResult]) -> tuple[SimulationResult, list[str]]:
    """Return what a simulation gives and what it announces: in another process nobody hears that."""
    said: list[str] = []
    return call(announce=said.append), said
