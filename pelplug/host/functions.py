"""The host: one registry of plugins, `analyze`, which runs analyses and all they use, and `simulate`."""

from __future__ import annotations

import dataclasses
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pelplug.core.arguments import keywords_of, takes
from pelplug.core.given import Given
from pelplug.engines.request import Isoconfigurational, Program, Recording, Replication, Request
from pelplug.errors import InputError
from pelplug.execution.placement import Placement
from pelplug.host.registry import Registry
from pelplug.tasks.interactions import Interactions
from pelplug.tasks.observation import Observation
from pelplug.tasks.provenance import failed_parts
from pelplug.trajectories.source import Frames, Source

if TYPE_CHECKING:
    import xarray as xr

    from pelplug.configuration import Configuration
    from pelplug.engines.isoconfigurational import IsoconfigurationalRuns
    from pelplug.engines.run import SimulationResult
    from pelplug.host.pipeline import AnalysisRun
    from pelplug.models.base import Model

__all__ = [
    "analyze",
    "default_registry",
    "engines",
    "isoconfigurational",
    "model",
    "models",
    "plugins",
    "run_analyses",
    "simulate",
    "use_registry",
]

_default: Registry | None = None


def default_registry() -> Registry:
    """Return the registry of the installed plugins; they are loaded at the first call."""
    if _default is None:
        use_registry(Registry())
    return _default


def use_registry(registry: Registry | None) -> None:
    """Make a registry the default one; None has the plugins loaded anew."""
    global _default
    _default = registry


def plugins() -> list:
    """Return a `PluginRecord` of every plugin: name, distribution, version, status, summary, errors, provides."""
    return default_registry().plugins()


def models(registry: Registry | None = None) -> dict[str, type]:
    """Return every model class by name, the bundled ones first."""
    return (registry or default_registry()).models()


@takes()
def model(name: str | os.PathLike, *, registry: Registry | None = None, **parameters) -> Model:
    """Build a model by name, alias, or from a TOML file.

    Parameters
    ----------
    name : str or path
        As ``pelplug models`` lists them, or a file ``my-model.toml``.
    registry : Registry, optional
        Where to look; the installed plugins by default.
    **parameters
        Its parameters, as ``truncation="shift"``.

    Raises
    ------
    InputError
        If there is no such model or parameter.

    Examples
    --------
    >>> import pelplug
    >>> pelplug.model("kob-andersen").density
    1.2
    """
    return (registry or default_registry()).model(name, **parameters)


@takes(
    interactions=Interactions,
    source=Source,
    given=Given,
    selection=Frames,
    placement=Placement,
)
def analyze(
    names: str | Iterable[str],
    trajectory: Any,
    *,
    interactions: Interactions,
    source: Source,
    given: Given,
    selection: Frames,
    placement: Placement,
    store: Any = None,
    verbose: bool = False,
    **parameters,
) -> xr.Dataset | dict[str, xr.Dataset]:
    """Run analyses on a trajectory; what they use is run first, once.

    Parameters
    ----------
    names : str or iterable of str
        Analyses, as ``pelplug plugins`` lists them.
    trajectory : path or Trajectory
        Any file MDAnalysis reads.
    interactions : Interactions
        By what the particles interact.
    source : Source
        How the file is read.
    given : Given
        At what conditions its states were sampled.
    selection : Frames
        Which frames.
    placement : Placement
        Where they are computed.
    store : PartialStore, optional
        Where finished frames are kept, so that an interrupted run goes on.
    verbose : bool, optional
        Show progress.
    **parameters
        Each goes to every analysis of the run that has it; ``**{"kappa.pairs": 100}`` goes to one.

    Returns
    -------
    Dataset or dict of str to Dataset
        A Dataset if `names` is one name, else one for each name.

    Raises
    ------
    InputError
        If a name, parameter, frame or file is wrong, or something an analysis needs is missing.
    RunError
        If an analysis failed in every frame.
    """
    run = run_analyses(
        names,
        trajectory,
        interactions=interactions,
        source=source,
        given=given,
        selection=selection,
        placement=placement,
        parameters=parameters,
        others=keywords_of(analyze),
        store=store,
        verbose=verbose,
    )
    for name, error in run.failed.items():
        warnings.warn(f"{name} failed, the rest is there: {error}", RuntimeWarning, stacklevel=3)
    for name, dataset in run.datasets.items():
        for part, why in failed_parts(dataset).items():
            warnings.warn(f"{name} left out {part}, which failed ({why})", RuntimeWarning, stacklevel=3)
    if isinstance(names, str):
        return run.datasets[names]
    return {name: run.datasets[name] for name in run.requested}


@takes(interactions=Interactions, source=Source, given=Given, selection=Frames, placement=Placement)
def run_analyses(
    names: str | Iterable[str],
    trajectory: Any,
    *,
    interactions: Interactions,
    source: Source,
    given: Given,
    selection: Frames,
    placement: Placement,
    parameters: Mapping[str, Any] | None = None,
    registry: Registry | None = None,
    others: Iterable[str] = (),
    store: Any = None,
    verbose: bool = False,
    command: str | None = None,
    kept: Callable[[str, str, Any], xr.Dataset | None] | None = None,
    finished: Callable[[dict[str, str]], dict[str, xr.Dataset] | None] | None = None,
) -> AnalysisRun:
    """Run analyses and return all there is: datasets of used analyses too, and the analyses, for plotting.

    Parameters
    ----------
    names, trajectory
        As in `analyze`.
    interactions : Interactions
        By what the particles interact.
    source : Source
        How the file is read.
    given : Given
        At what conditions its states were sampled.
    selection : Frames
        Which frames.
    placement : Placement
        Where they are computed.
    parameters : mapping, optional
        Parameters of the analyses, as in `analyze`.
    registry : Registry, optional
        The plugins to use.
    others : iterable of str, optional
        What a parameter that no analysis has may have meant.
    store, verbose
        As in `analyze`.
    command : str, optional
        The command line, recorded in the results.
    kept : callable, optional
        Asked, by name, fingerprint and frames, for the result of an analysis that others use.
    finished : callable, optional
        Asked, before work starts, with a digest of what decides the result of each of `names`: returns their datasets
        if they are there already, else None. What it raises ends the run.

    Returns
    -------
    AnalysisRun
        With `datasets`, `analyses` (both by name, in the order they ran), `requested`, `trajectory` and `model`.
        `analyses` is empty if nothing ran, since all was there.
    """
    from pelplug.host.pipeline import execute

    with placement.used():
        return execute(
            names,
            trajectory,
            registry=registry or default_registry(),
            interactions=interactions,
            source=source,
            given=given,
            selection=selection,
            placement=placement,
            parameters=parameters or {},
            others=others,
            store=store,
            verbose=verbose,
            command=command,
            kept=kept,
            finished=finished,
        )


def engines(registry: Registry | None = None) -> dict[str, type]:
    """Return every simulation engine class by name, usable here or not."""
    return (registry or default_registry()).engines()


@takes(request=Request, recording=Recording, program=Program, replication=Replication, observation=Observation)
def simulate(
    model: str | os.PathLike | Model,
    request: Request,
    *,
    recording: Recording,
    program: Program,
    replication: Replication,
    observation: Observation,
    model_parameters: Mapping[str, Any] | None = None,
    registry: Registry | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    announce: Callable[[str], None] | None = None,
    **of_engine,
) -> SimulationResult | list[SimulationResult]:
    """Simulate a model liquid: build, melt, equilibrate, produce, and write a GSD trajectory.

    The same call again finishes a run that was interrupted or killed.

    Parameters
    ----------
    model : str, path or Model
        Name, TOML file, or model.
    request : Request
        What is simulated.
    recording : Recording
        Where it goes.
    program : Program
        What simulates.
    replication : Replication
        How many of it.
    observation : Observation
        Analyses that look at it while it runs.
    model_parameters : mapping, optional
        Parameters of the model, where it is given by name.
    registry : Registry, optional
        Where to look for engines, models and analyses.
    progress : callable, optional
        Called as ``progress(stage, done, total)`` about twice a second.
    announce : callable, optional
        Called with what is to be told: that an unfinished run was found.
    **of_engine
        Options of the engine, such as ``route="kernel"``; the same as in `engine_options`.

    Returns
    -------
    SimulationResult, or a list of them for several replicas
        With ``path`` and ``record``.

    Raises
    ------
    InputError
        If the engine, model or a number is wrong, or an unfinished run of another command is in the way.
    RunError
        If the simulation failed.
    """
    from pelplug.tasks import in_situ as on_the_fly
    from pelplug.trajectories.matching import read_start

    registry = registry or default_registry()
    liquid = Interactions(model=model, model_parameters=model_parameters).resolved(registry).model
    inputs = [request.start] if isinstance(request.start, str | os.PathLike) else []
    if inputs:
        start, began = read_start(request.start, liquid)
        request = dataclasses.replace(request, start=start)
        if request.minimise is not None and request.parent_temperature is None:
            request = dataclasses.replace(request, parent_temperature=began.quenched().parent_temperature)
    engine = program.started(registry.engines(), of_engine, keywords_of(simulate))
    if replication.workers > 1 and engine.ranks.size > 1:
        raise InputError("With MPI one replica runs at a time, on all processes; leave --workers out.")
    run = on_the_fly.simulate_watched, ()
    if replication.replicas > 1:
        run = on_the_fly.simulate_replicas, (replication,)
    told = {"inputs": inputs, "progress": progress, "announce": announce}
    return run[0](liquid, engine, recording, request, _plan(observation, registry), *run[1], **told)


def _plan(observation: Observation, registry: Registry):
    """Return which analyses look at a simulation, and with which parameters."""
    from pelplug.host.pipeline import share_parameters
    from pelplug.tasks.in_situ import Plan

    classes = [registry.analysis(name) for name in observation.in_situ]
    given = observation.in_situ_parameters or {}
    shares = share_parameters(classes, given) if classes or given else {}
    analyses = tuple((cls, shares[cls.name]) for cls in classes)
    return Plan(analyses, observation.in_situ_every, observation.in_situ_output)


@takes(asked=Isoconfigurational, program=Program)
def isoconfigurational(
    configuration: Configuration,
    model: str | os.PathLike | Model,
    temperature: float,
    times,
    *,
    asked: Isoconfigurational,
    program: Program,
    registry: Registry | None = None,
    **of_engine,
) -> IsoconfigurationalRuns:
    """Run many simulations from one configuration, each with its own Maxwell–Boltzmann velocities.

    Parameters
    ----------
    configuration : Configuration
        Where all begin.
    model : str, path or Model
        The interactions.
    temperature : float
        Of the velocities, in the units of the model.
    times : float or array_like, shape (S,)
        When displacements are measured [time].
    asked : Isoconfigurational
        How the runs are made.
    program : Program
        What simulates.
    registry : Registry, optional
        Where to look for engines and models.
    **of_engine
        Options of the engine, as in `simulate`.

    Returns
    -------
    IsoconfigurationalRuns
        With `times` and `displacements`, shape (replicas, S, N, d).

    Raises
    ------
    InputError
        If there is no engine, or a number is out of range.
    RunError
        If the engine failed.

    References
    ----------
    A. Widmer-Cooper, P. Harrowell and H. Fynewever, Phys. Rev. Lett. 93, 135701 (2004).
    """
    from pelplug.engines.isoconfigurational import run_isoconfigurational

    registry = registry or default_registry()
    liquid = Interactions(model=model).resolved(registry).model
    engine = program.started(registry.engines(), of_engine, keywords_of(isoconfigurational))
    return run_isoconfigurational(configuration, liquid, engine, temperature, times, asked)
