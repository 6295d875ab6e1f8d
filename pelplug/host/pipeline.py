"""The order in which analyses run, what each is given, and the run itself."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from pelplug import models
from pelplug.core.conditions import Conditions
from pelplug.core.fields import Need, check_needs
from pelplug.core.given import Given
from pelplug.core.parameters import present_name, unknown_parameter, validate_parameters
from pelplug.engines.run import choose_engine
from pelplug.errors import InputError, PelplugError, RunError
from pelplug.execution.device import device_in_use
from pelplug.execution.placement import Placement
from pelplug.host.named_files import take_files
from pelplug.host.registry import Registry
from pelplug.host.told import told
from pelplug.models.base import Model, stated_masses
from pelplug.potentials.derivatives import check_derivatives
from pelplug.tasks.analysis import Analysis
from pelplug.tasks.interactions import FileInteractions
from pelplug.tasks.provenance import take_request
from pelplug.trajectories.matching import can_be_of, check_together, matched, units_of, with_units_of
from pelplug.trajectories.several import opened
from pelplug.trajectories.source import Frames, Source

__all__ = ["AnalysisRun", "execute", "order", "share_parameters"]


@dataclasses.dataclass(frozen=True)
class AnalysisRun:
    """What a run gave.

    Attributes
    ----------
    requested : tuple of str
        The analyses asked for that did not fail.
    datasets : dict of str to Dataset
        Results by name, those of used analyses included, in the order they ran.
    analyses : dict of str to Analysis
        The analyses themselves, for plotting.
    trajectory : Trajectory
    model : Model or None
    failed : dict of str to PelplugError
        Those that failed, where others did not.
    """

    requested: tuple[str, ...]
    datasets: dict[str, xr.Dataset]
    analyses: dict[str, Analysis]
    trajectory: Any
    model: Model | None
    failed: dict[str, PelplugError] = dataclasses.field(default_factory=dict)


def order(names: Iterable[str], registry: Registry) -> list[type[Analysis]]:
    """Return the classes of some analyses and all they use, each after what it uses.

    Raises
    ------
    InputError
        If one is not there, or analyses use each other in a circle.
    """
    done: dict[str, type[Analysis]] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circle = " -> ".join((*path[path.index(name) :], name))
            raise InputError(f"The analyses use each other in a circle, {circle}; tell the author of one of them.")
        if name in done:
            return
        try:
            cls = registry.analysis(name)
        except InputError as error:
            if not path:
                raise
            raise InputError(f"The analysis {path[-1]} uses {name}. {error}") from None
        for used in cls.uses:
            visit(used, (*path, name))
        done[name] = cls

    for name in names:
        visit(name, ())
    return list(done.values())


def share_parameters(
    classes: Iterable[type[Analysis]], given: Mapping[str, Any], others: Iterable[str] = ()
) -> dict[str, dict[str, Any]]:
    """Return the parameters of each analysis, checked, defaults included.

    Parameters
    ----------
    classes : iterable of Analysis classes
    given : mapping
        ``{"pairs": 100}`` goes to every analysis that has it, ``{"kappa.pairs": 100}`` to one and before the others.
    others : iterable of str, optional
        Other arguments of the call, which may have been meant.

    Raises
    ------
    InputError
        If no analysis has a parameter of that name, or a value does not fit.
    """
    specs = {cls.name: cls.parameter_specs() for cls in classes}
    shares: dict[str, dict[str, Any]] = {name: {} for name in specs}
    for key in sorted(given, key=lambda key: "." in key):  # those for one analysis last, as they win
        target, _, parameter = key.rpartition(".")
        parameter = parameter.replace("-", "_")
        if target and target not in specs:
            raise InputError(
                f"The parameter {key} is for {target}, which is not run here; these are: {', '.join(specs)}."
            )
        takers = [
            name for name in ([target] if target else specs) if present_name(parameter, specs[name]) in specs[name]
        ]
        if not takers:
            owner = f"the analysis {target}" if target else _either(specs)
            known = specs[target] if target else {name for one in specs.values() for name in one}
            raise InputError(unknown_parameter(parameter, known, owner, others))
        for name in takers:
            shares[name][parameter] = given[key]
    return {name: validate_parameters(specs[name], share, f"the analysis {name}") for name, share in shares.items()}


def execute(
    names: str | Iterable[str],
    trajectory: Any,
    *,
    registry: Registry,
    source: Source,
    given: Given,
    selection: Frames,
    interactions: FileInteractions,
    placement: Placement,
    parameters: Mapping[str, Any],
    others: Iterable[str] = (),
    store: Any = None,
    verbose: bool = False,
    command: str | None = None,
    kept: Callable[[str, str, Any], xr.Dataset | None] | None = None,
    finished: Callable[[dict[str, str]], dict[str, xr.Dataset] | None] | None = None,
) -> AnalysisRun:
    """Check everything, then run; see `pelplug.host.functions.run_analyses` for the arguments.

    ``finished`` is asked, by the digest of what decides each result, for the datasets if they are all there; it may
    refuse. ``others`` are arguments of the call, any of which a parameter that no analysis has may have meant.
    """
    named = names if isinstance(names, Iterable) and not isinstance(names, str) else (names,)
    requested = tuple(dict.fromkeys(take_files(named, registry)))
    if not requested:
        raise InputError("No analysis is named; `pelplug plugins` lists them.")
    classes = order(requested, registry)
    shares = share_parameters(classes, parameters, others)
    demands = {cls.name: cls.demands(shares[cls.name]) for cls in classes}
    classes = _asked_for(classes, requested, {name: uses for name, (uses, _) in demands.items()})
    needs = {cls.name: demands[cls.name][1] for cls in classes}
    if not any(Need.ENGINE in one for one in needs.values()):  # only engines have kernels for a GPU
        device_in_use().require_cpu(f"{_either(requested)[:1].upper()}{_either(requested)[1:]}")
    trajectory = opened(trajectory, source).under(Conditions(**given.given()))
    if (count := len(trajectory.trajectories)) > 1:
        for cls in classes:
            cls.check_several(count)
    selected = trajectory.select(selection)
    needed = any(Need.POTENTIAL in one for one in needs.values())
    interactions = _recorded(interactions.resolved(registry), trajectory, registry, needed)
    model = with_units_of(interactions.model, trajectory)
    trajectory = matched(trajectory, model)
    sampled = trajectory.conditions_of(selected)
    for cls in classes:
        fitting = None
        if Need.POTENTIAL in needs[cls.name] and model is None:
            fitting = _fitting_models(trajectory, registry)
        has_engine = Need.ENGINE not in needs[cls.name] or registry.has_engine()
        for one in trajectory.trajectories:
            check_needs(cls.name, needs[cls.name], one, model is not None, fitting, has_engine)
        if Need.IDENTITY in needs[cls.name]:
            trajectory.check_identity(selected)
    if needed:
        massive = any(Need.MASSES in one for one in needs.values())
        _check_model(model, trajectory, int(selected[0]), massive)
        hessian = any(Need.HESSIAN in one for one in needs.values())
        check_derivatives(model, trajectory, selected, hessian)
    datasets: dict[str, xr.Dataset] = {}
    analyses: dict[str, Analysis] = {}
    failed: dict[str, PelplugError] = {}
    frames: dict[str, np.ndarray] = {}

    def fail(name: str, error: PelplugError) -> None:
        failed[name] = error
        if set(requested) <= set(failed):  # none of the others can be had
            raise next(iter(failed.values()))

    for cls in classes:
        with told(cls, registry):
            analyses[cls.name] = cls(trajectory, model=model, store=store, verbose=verbose, **shares[cls.name])
            if command:
                analyses[cls.name].attributes["command"] = command
            if Need.ENGINE in needs[cls.name]:
                wanted = str(shares[cls.name].get("engine", "auto"))
                with contextlib.suppress(InputError):  # the analysis says so itself
                    found = choose_engine(wanted, registry.engines(), getattr(model, "given", None))
                    analyses[cls.name].engines = (found,)
    # What any of them refuses it refuses now, not after hours of those that it uses.
    for cls in classes:
        with told(cls, registry):
            analysis = analyses[cls.name]
            frames[cls.name] = numbers = analysis.joined.select(selection)
            analysis.note_frames(numbers, sampled if len(analysis.trajectories) == count else None)
            analysis.check_before(numbers if analysis.reads_frames else analysis.selections[0])
    asked = _requests(classes, analyses, {name: uses for name, (uses, _) in demands.items()}, frames)
    if finished is not None and (there := finished({name: asked[name] for name in requested})) is not None:
        return AnalysisRun(requested, there, {}, trajectory, model)
    for cls in classes:
        if lost := [name for name in demands[cls.name][0] if name in failed]:
            fail(cls.name, RunError(f"The analysis {cls.name} uses {lost[0]}, which failed: {failed[lost[0]]}"))
            continue
        try:
            with told(cls, registry):
                analysis = analyses[cls.name]
                analysis.inputs = {name: datasets[name] for name in demands[cls.name][0]}
                if kept is not None and cls.keeps and cls.name not in requested:
                    found = kept(cls.name, analysis.fingerprint(), frames[cls.name])
                    if found is not None:
                        datasets[cls.name], analyses[cls.name] = found, cls.from_dataset(found)
                        continue
                analysis.run(frames=frames[cls.name], **_where(cls, placement))
                datasets[cls.name] = analysis.to_dataset()
        except PelplugError as error:
            fail(cls.name, error)
    there = tuple(name for name in requested if name in datasets)
    analyses = {name: analyses[name] for name in datasets}
    return AnalysisRun(there, datasets, analyses, trajectory, model, failed)


def _requests(classes: list, analyses: Mapping[str, Analysis], uses: Mapping[str, tuple[str, ...]], frames) -> dict:
    """Return, and record with each analysis, a digest of all that decides its result: another one asks for another."""
    asked: dict[str, str] = {}
    for cls in classes:
        analysis = analyses[cls.name]
        # What it uses has no fingerprint before it has run, but is decided as well.
        analysis.inputs = {name: xr.Dataset(attrs={"fingerprint": asked[name]}) for name in uses[cls.name]}
        asked[cls.name] = take_request(analysis, frames[cls.name])
        analysis.inputs = {}
    return asked


def _asked_for(classes: list, requested: tuple[str, ...], uses: Mapping[str, tuple[str, ...]]) -> list:
    """Leave out what nobody uses with these parameters."""
    wanted = set(requested)
    for cls in reversed(classes):  # each comes after what it uses
        if cls.name in wanted:
            wanted.update(uses[cls.name])
    return [cls for cls in classes if cls.name in wanted]


def _where(cls: type[Analysis], placement: Placement) -> dict[str, Any]:
    """Return what `Analysis.run` is told; an analysis that cannot be split runs serially among others that can."""
    if placement.chosen != "serial" and placement.chosen not in cls.get_supported_backends():
        return {"backend": "serial", "n_workers": placement.workers}
    return {"backend": placement.chosen, "n_workers": placement.workers, "scheduler": placement.scheduler}


def _either(names: Iterable[str]) -> str:
    names = list(names)
    return f"the analysis {names[0]}" if len(names) == 1 else f"this run of {', '.join(names)}"


def _recorded(interactions: FileInteractions, trajectory: Any, registry: Registry, needed: bool) -> FileInteractions:
    """Take the model that the trajectory records where none is given."""
    if interactions.model is not None or not trajectory.model_record:
        return interactions
    try:
        classes, forms = registry.models().values(), registry.forms()
        model = models.from_record(trajectory.model_record, classes, forms, trust=interactions.trust_model)
    except InputError:
        if needed:
            raise
        return interactions
    return dataclasses.replace(interactions, model=model)


def _fitting_models(trajectory: Any, registry: Registry) -> list[str]:
    known = registry.models()
    names = models.suggest(trajectory.species_names, trajectory.dimension, trajectory.has("diameters"), known.values())
    fitting = [name for name in names if can_be_of(known[name](), trajectory)]
    scaled = [name for name in names if name not in fitting and issubclass(known[name], models.ScaledModel)]
    return fitting + [f"{name} with --model-param sigma=... --model-param epsilon=..." for name in scaled]


def _check_model(model: Model, trajectory: Any, frame: int, massive: bool) -> None:
    """Refuse a model that does not fit before any work is done; a damaged frame is left to the run to record."""
    try:
        configuration = trajectory.configuration(frame)
    except PelplugError:
        return
    model.check(configuration)
    check_together(trajectory, model, configuration)
    if massive:
        stated_masses(configuration, configuration.masses, units_of(model, trajectory))
