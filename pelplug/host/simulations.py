"""What users call to simulate: `simulate` and `isoconfigurational`, on the engines and models that plugins offer."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from pelplug.core.arguments import keywords_of, takes
from pelplug.core.units import REDUCED
from pelplug.engines.request import Isoconfigurational, Program, Recording, Replication, Request
from pelplug.errors import InputError
from pelplug.host.functions import default_registry
from pelplug.models.given import GivenModel
from pelplug.potentials.answers import is_foreign
from pelplug.potentials.base import Potential
from pelplug.potentials.derivatives import check_potential
from pelplug.tasks.interactions import Interactions
from pelplug.tasks.observation import Observation

if TYPE_CHECKING:
    from pelplug.configuration import Configuration
    from pelplug.engines.isoconfigurational import IsoconfigurationalRuns
    from pelplug.engines.run import SimulationResult
    from pelplug.host.registry import Registry
    from pelplug.models.base import Model
    from pelplug.tasks.in_situ import Plan

__all__ = ["isoconfigurational", "simulate"]


@takes(
    interactions=Interactions,
    request=Request,
    recording=Recording,
    program=Program,
    replication=Replication,
    observation=Observation,
)
def simulate(
    interactions: Interactions,
    request: Request,
    *,
    recording: Recording,
    program: Program,
    replication: Replication,
    observation: Observation,
    registry: Registry | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    announce: Callable[[str], None] | None = None,
    **of_engine: Any,
) -> SimulationResult | list[SimulationResult]:
    """Simulate a model liquid: build, melt, equilibrate, produce, and write a GSD trajectory.

    The same call again finishes a run that was interrupted or killed. With a potential in place of a model the
    particles come from a start.

    Parameters
    ----------
    interactions : Interactions
        By what the particles interact.
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
    liquid = interactions.resolved(registry).model
    if liquid is None:
        raise InputError(
            "Say what to simulate: a model (`pelplug models` lists them), or a potential with a start that has the "
            "particles (--potential PROVIDER:FILE --start FILE)."
        )
    inputs = [request.start] if isinstance(request.start, str | os.PathLike) else []
    if request.start is None and isinstance(liquid, GivenModel):
        liquid.random_configuration()  # says that it cannot
    if inputs:
        start, began, liquid = read_start(request.start, liquid)
        request = dataclasses.replace(request, start=start)
        if request.minimise is not None and request.parent_temperature is None:
            request = dataclasses.replace(request, parent_temperature=began.quenched().parent_temperature)
    liquid = _looked_at(liquid, request.start)
    try:
        engine = program.started(registry.engines(), of_engine, keywords_of(simulate), getattr(liquid, "given", None))
    except InputError:
        if of_model := sorted(set(of_engine) & set(liquid.parameters)):
            raise InputError(
                f"{of_model[0]} is a parameter of the model {liquid.name}; pass "
                f"model_parameters={{{of_model[0]!r}: {of_engine[of_model[0]]!r}}}, or build the model with it."
            ) from None
        raise
    if replication.workers > 1 and engine.ranks.size > 1:
        raise InputError("With MPI one replica runs at a time, on all processes; leave --workers out.")
    what = (liquid, engine, recording, request, _plan(observation, registry))
    told: dict[str, Any] = {"inputs": [*inputs, *interactions.files()], "progress": progress, "announce": announce}
    if replication.replicas == 1:
        return on_the_fly.simulate_watched(*what, **told)
    return on_the_fly.simulate_replicas(*what, replication, **told)


def _looked_at(model: Model, start: Configuration | None) -> Model:
    """Return a model whose units are known: reduced, where a potential and its start state none.

    Raises
    ------
    InputError
        If the potential is somebody else's, and wrong at the start.
    """
    if start is not None and is_foreign(model):
        check_potential(model.potential(start), start)
    unstated = isinstance(model, GivenModel) and not model.units.is_stated
    return model.in_units(REDUCED) if unstated else model


def _plan(observation: Observation, registry: Registry) -> Plan:
    """Return which analyses look at a simulation, and with which parameters."""
    from pelplug.host.named_files import take_files
    from pelplug.host.pipeline import share_parameters
    from pelplug.tasks.in_situ import Plan

    classes = [registry.analysis(name) for name in take_files(observation.in_situ, registry)]
    given = observation.in_situ_parameters or {}
    shares = share_parameters(classes, given) if classes or given else {}
    analyses = tuple((cls, shares[cls.name]) for cls in classes)
    return Plan(analyses, observation.in_situ_every, observation.in_situ_output)


@takes(asked=Isoconfigurational, program=Program)
def isoconfigurational(
    configuration: Configuration,
    model: str | os.PathLike | Model | Potential,
    temperature: float,
    times: npt.ArrayLike,
    *,
    asked: Isoconfigurational,
    program: Program,
    registry: Registry | None = None,
    **of_engine: Any,
) -> IsoconfigurationalRuns:
    """Run many simulations from one configuration, each with its own Maxwell–Boltzmann velocities.

    Parameters
    ----------
    configuration : Configuration
        Where all begin.
    model : str, path, Model or Potential
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
    given: dict[str, Any] = {"potential" if isinstance(model, Potential) else "model": model}
    liquid = _looked_at(Interactions(**given).resolved(registry).model, configuration)
    potential = getattr(liquid, "given", None)
    engine = program.started(registry.engines(), of_engine, keywords_of(isoconfigurational), potential)
    return run_isoconfigurational(configuration, liquid, engine, temperature, times, asked)
