"""The host: one registry of plugins, and `analyze`, which runs analyses and all they use."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pelplug.registry import Registry

if TYPE_CHECKING:
    import xarray as xr

    from pelplug.models.base import Model
    from pelplug.pipeline import AnalysisRun

__all__ = ["analyze", "default_registry", "model", "model_classes", "plugins", "run_analyses", "use_registry"]

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
    if "pelplug.models" in sys.modules:  # so that pelplug.models() lists those of plugins too
        sys.modules["pelplug.models"].set_provider(model_classes)


def plugins() -> list:
    """Return a `PluginRecord` of every plugin: name, distribution, version, status, summary, errors, provides."""
    return default_registry().plugins()


def model_classes() -> list[type]:
    """Return every model class, the bundled ones first."""
    return list(default_registry().models().values())


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


def analyze(
    names: str | Iterable[str],
    trajectory: Any,
    *,
    model: str | Model | None = None,
    potential: Any = None,
    topology: str | os.PathLike | None = None,
    species: dict | None = None,
    dt: float | None = None,
    start: int | None = None,
    stop: int | None = None,
    step: int | None = None,
    frames=None,
    backend: str | None = None,
    n_workers: int | None = None,
    scheduler: str | None = None,
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
    model : str or Model, optional
        Model of the particles; a file that pelplug wrote carries its own.
    potential : Potential, optional
        Interactions in place of a model.
    topology, species, dt
        As in `pelplug.open_trajectory`.
    start, stop, step, frames
        Which frames, as in `Analysis.run`.
    backend, n_workers, scheduler
        Where frames are computed, as in `Analysis.run`.
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
        model=model,
        potential=potential,
        topology=topology,
        species=species,
        dt=dt,
        start=start,
        stop=stop,
        step=step,
        frames=frames,
        backend=backend,
        n_workers=n_workers,
        scheduler=scheduler,
        store=store,
        verbose=verbose,
        parameters=parameters,
    )
    if isinstance(names, str):
        return run.datasets[names]
    return {name: run.datasets[name] for name in run.requested}


def run_analyses(names: str | Iterable[str], trajectory: Any, **arguments) -> AnalysisRun:
    """Run analyses and return all there is: datasets of used analyses too, and the analyses, for plotting.

    Arguments are those of `analyze`, but `parameters` is a dict, and there are `registry` (the plugins to use) and
    `command` (the command line, recorded in the results).

    Returns
    -------
    AnalysisRun
        With `datasets`, `analyses` (both by name, in the order they ran), `requested`, `trajectory` and `model`.
    """
    from pelplug.pipeline import execute

    arguments.setdefault("registry", None)
    arguments["registry"] = arguments["registry"] or default_registry()
    return execute(names, trajectory, **arguments)
