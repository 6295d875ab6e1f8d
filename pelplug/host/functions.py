"""The host: one registry of plugins, and `analyze`, which runs analyses and all they use."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, overload

from pelplug.core.arguments import keywords_of, takes
from pelplug.core.given import Given
from pelplug.core.offers import answering
from pelplug.execution.placement import Placement
from pelplug.host.registry import Registry
from pelplug.tasks.interactions import FileInteractions
from pelplug.tasks.provenance import failed_parts
from pelplug.trajectories.source import Frames, Source

if TYPE_CHECKING:
    import xarray as xr

    from pelplug.host.pipeline import AnalysisRun
    from pelplug.models.base import Model
    from pelplug.potentials.base import Potential
    from pelplug.potentials.form import Form

__all__ = [
    "analyze",
    "default_registry",
    "engines",
    "form",
    "model",
    "models",
    "plugins",
    "potential",
    "run_analyses",
    "use_registry",
]

_default: Registry | None = None


def default_registry() -> Registry:
    """Return the registry of the installed plugins; they are loaded at the first call."""
    global _default
    if _default is None:
        _default = Registry()
    return _default


def use_registry(registry: Registry | None) -> None:
    """Make a registry the default one; None has the plugins loaded anew."""
    global _default
    _default = registry


def offered_by_plugins(kind: str) -> dict[str, tuple[Any, str]]:
    """Return what the plugins of the default registry offer of a kind, with their owners; see `core.offers`."""
    return default_registry().offers(kind)


def plugins() -> list:
    """Return a `PluginRecord` of every plugin: name, distribution, version, status, summary, errors, provides."""
    return default_registry().plugins()


def models(registry: Registry | None = None) -> dict[str, type[Any]]:
    """Return every model class by name, the bundled ones first."""
    return (registry or default_registry()).models()


@takes()
def model(name: str | os.PathLike, *, registry: Registry | None = None, **parameters: Any) -> Model:
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


@takes()
def form(name: str, *, registry: Registry | None = None) -> Form:
    """Return an installed functional form, for a `PairPotential` of one's own.

    Parameters
    ----------
    name : str
        As a model file names it: ``"lennard-jones"``.
    registry : Registry, optional
        Where to look; the installed plugins by default.

    Raises
    ------
    InputError
        If there is no such form.

    Examples
    --------
    >>> import pelplug
    >>> pelplug.form("lennard-jones").parameters
    ('epsilon',)
    """
    return (registry or default_registry()).form(name)


@takes()
def potential(given: Any, *, registry: Registry | None = None, **parameters: Any) -> Potential:
    """Make a potential of somebody else's file, or of an object.

    Parameters
    ----------
    given : str or object
        ``"PROVIDER:FILE"``, as ``pelplug models`` lists the providers: ``"python:calc.py"``. Or a `Potential`, a class
        of them, a function that takes a `Configuration` and returns its energy and forces, a calculator of ASE, or any
        object with ``energy_forces(configuration)`` and ``record()``.
    registry : Registry, optional
        Where to look; the installed plugins by default.
    **parameters
        Of the provider.

    Raises
    ------
    InputError
        If there is no such provider, file or parameter, or the object is no potential.

    Examples
    --------
    >>> import pelplug
    >>> pelplug.potential("python:calc.py").energy(configuration)
    """
    return (registry or default_registry()).potential(given, **parameters)


@overload
def analyze(names: str, trajectory: Any, **options: Any) -> xr.Dataset: ...  # type: ignore[overload-overlap]  # one name


@overload
def analyze(names: Iterable[str], trajectory: Any, **options: Any) -> dict[str, xr.Dataset]: ...


@takes(
    interactions=FileInteractions,
    source=Source,
    given=Given,
    selection=Frames,
    placement=Placement,
)
def analyze(
    names: str | Iterable[str],
    trajectory: Any,
    *,
    interactions: FileInteractions,
    source: Source,
    given: Given,
    selection: Frames,
    placement: Placement,
    store: Any = None,
    verbose: bool = False,
    **parameters: Any,
) -> xr.Dataset | dict[str, xr.Dataset]:
    """Run analyses on a trajectory; what they use is run first, once.

    Parameters
    ----------
    names : str or iterable of str
        Analyses, as ``pelplug plugins`` lists them.
    trajectory : path, Trajectory, Configuration, ase.Atoms, or a list of these
        Any file MDAnalysis reads, or states that are in memory: several of these are the frames of one trajectory.
    interactions : FileInteractions
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
    if isinstance(names, str | os.PathLike):
        return run.datasets[run.requested[0]]
    return {name: run.datasets[name] for name in run.requested}


@takes(interactions=FileInteractions, source=Source, given=Given, selection=Frames, placement=Placement)
def run_analyses(
    names: str | Iterable[str],
    trajectory: Any,
    *,
    interactions: FileInteractions,
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
    interactions : FileInteractions
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

    registry = registry or default_registry()
    with placement.used(), answering(registry.offers):
        return execute(
            names,
            trajectory,
            registry=registry,
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


def engines(registry: Registry | None = None) -> dict[str, type[Any]]:
    """Return every simulation engine class by name, usable here or not."""
    return (registry or default_registry()).engines()
