"""The host: one registry of plugins, `analyze`, which runs analyses and all they use, and `simulate`."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pelplug.core.arguments import keywords_of, takes
from pelplug.core.given import Given
from pelplug.errors import InputError
from pelplug.execution.placement import Placement
from pelplug.host.registry import Registry
from pelplug.tasks.interactions import Interactions
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


def simulate(
    model: str | os.PathLike | Model,
    n: int | None = None,
    temperature: float | None = None,
    steps: int | None = None,
    *,
    output: str | os.PathLike,
    engine: str = "auto",
    device: str = "auto",
    threads: int | None = None,
    seed: int = 0,
    replicas: int = 1,
    workers: int = 1,
    start: Any = None,
    engine_options: dict | None = None,
    in_situ: str | Iterable[str] = (),
    in_situ_every: int | None = None,
    in_situ_output: str | os.PathLike | None = None,
    in_situ_parameters: dict | None = None,
    registry: Registry | None = None,
    **protocol,
) -> SimulationResult | list[SimulationResult]:
    """Simulate a model liquid: build, melt, equilibrate, produce, and write a GSD trajectory.

    The same call again finishes a run that was interrupted or killed.

    Parameters
    ----------
    model : str, path or Model
        Name, TOML file, or model.
    n : int, optional
        Number of particles, unless there is a `start`.
    temperature : float, optional
        T of the thermostat, in the units of the model.
    steps : int, optional
        To produce after equilibration; a ramp may give a `rate` instead.
    output : path_like
        Trajectory to write, ``.gsd``.
    engine : str
        ``auto`` takes HOOMD-blue if it is installed, else LAMMPS.
    device : {"auto", "cpu", "gpu", "mpi"}
        What the engine runs on.
    threads : int, optional
        Threads on a CPU.
    seed : int
        The first replica's; makes start and velocities repeatable.
    replicas : int
        Independent runs with seeds `seed`, `seed` + 1, ...; ``traj.gsd`` becomes ``traj-seed0.gsd`` and so on.
    workers : int
        How many replicas to run at once, each in a process of its own.
    start : path_like or Configuration, optional
        State, or the file whose last frame it is, to begin with instead of a melt.
    engine_options : dict, optional
        Further arguments of the engine's class, such as ``{"route": "kernel"}`` of HOOMD-blue.
    in_situ : str or iterable of str
        Analyses that run while the simulation does, in production.
    in_situ_every : int, optional
        Steps between the states that they see; those of energies see every one that is logged.
    in_situ_output : path_like, optional
        Their results, ``.nc``; also in ``datasets`` of what is returned.
    in_situ_parameters : dict, optional
        Their parameters, as in `analyze`.
    registry : Registry, optional
        Where to look for engines, models and analyses.
    **protocol
        ``ensemble`` ("nvt", "nve", "langevin", "steepest-descent", "fire"); ``time_step``, ``thermostat_time``
        [time]; ``friction`` [1 / time]; ``density`` [length**-d]; ``frames`` (steps between frames, ``"log:10"``,
        ``"blocks:10000:10"``); ``log_every`` (steps); ``equilibration`` (steps; None: until MSD and F_s are
        stationary); ``longest_equilibration``, ``melt_steps`` (steps); ``end_temperature`` and ``rate`` [temperature
        / time] of a ramp; ``force_tolerance`` [energy / length]; ``overwrite``; ``checkpoint_seconds``; ``progress``
        and ``announce`` (callables).

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
    from pelplug.engines.run import choose_engine, output_of_replica
    from pelplug.host.pipeline import share_parameters
    from pelplug.tasks import in_situ as on_the_fly
    from pelplug.trajectories.matching import read_start

    registry = registry or default_registry()
    engine_class = choose_engine(engine, registry.engines())
    liquid = registry.model(model) if isinstance(model, str | os.PathLike) else model
    from_file = isinstance(start, str | os.PathLike)
    protocol["inputs"] = [start] if from_file else []
    protocol["start"] = read_start(start, liquid) if from_file else start
    if replicas < 1 or workers < 1:
        raise InputError("There must be at least one replica and one worker.")
    program = engine_class(device=device, threads=threads, **(engine_options or {}))
    if workers > 1 and program.ranks.size > 1:
        raise InputError("With MPI one replica runs at a time, on all processes; leave --workers out.")
    common = {"n": n, "temperature": temperature, "steps": steps, **protocol}
    classes = [registry.analysis(one) for one in ((in_situ,) if isinstance(in_situ, str) else in_situ)]
    shares = share_parameters(classes, in_situ_parameters or {}) if classes or in_situ_parameters else {}
    plan = on_the_fly.Plan(tuple((cls, shares[cls.name]) for cls in classes), in_situ_every, in_situ_output)
    if replicas == 1:
        return on_the_fly.simulate_watched(liquid, program, output, plan, seed=seed, **common)
    jobs = [(output_of_replica(output, one), plan.of_replica(one), one) for one in range(seed, seed + replicas)]
    if workers == 1:
        return [on_the_fly.simulate_watched(liquid, program, path, own, seed=one, **common) for path, own, one in jobs]
    return on_the_fly.simulate_several(liquid, program, jobs, workers, **common)


def isoconfigurational(
    configuration: Configuration,
    model: str | os.PathLike | Model,
    temperature: float,
    times,
    *,
    replicas: int = 20,
    seed=0,
    ensemble: str = "nve",
    time_step: float | None = None,
    thermostat_time: float | None = None,
    friction: float = 1.0,
    together: bool = True,
    engine: str = "auto",
    device: str = "auto",
    threads: int | None = None,
    engine_options: dict | None = None,
    registry: Registry | None = None,
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
    replicas : int
        How many runs.
    seed : int or sequence of int
        Of the velocities.
    ensemble : {"nve", "nvt", "langevin"}
        Equations of motion.
    time_step, thermostat_time, friction
        As in `Dynamics`.
    together : bool
        Run all replicas in one simulation, in which no force acts between them: one start of the engine for all.
        Never with nvt, whose thermostat would tie them together.
    engine, device, threads, engine_options, registry
        As in `simulate`.

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
    from pelplug.engines.run import choose_engine

    registry = registry or default_registry()
    engine_class = choose_engine(engine, registry.engines())
    liquid = registry.model(model) if isinstance(model, str | os.PathLike) else model
    return run_isoconfigurational(
        configuration,
        liquid,
        engine_class(device=device, threads=threads, **(engine_options or {})),
        temperature,
        times,
        replicas=replicas,
        seed=seed,
        ensemble=ensemble,
        time_step=time_step,
        thermostat_time=thermostat_time,
        friction=friction,
        together=together,
    )
