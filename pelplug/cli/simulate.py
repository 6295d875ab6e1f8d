"""``pelplug simulate``: from a model's name to a trajectory, on any engine."""

from __future__ import annotations

import contextlib
import dataclasses

import click

from pelplug.cli.declared import declared, taken
from pelplug.cli.options import EngineCommand, common, further_options, model_argument, named, quiet_option, registry
from pelplug.cli.output import RunInterruptedError, note, show_progress
from pelplug.engines.request import Program, Recording, Replication, Request
from pelplug.tasks.interactions import Interactions
from pelplug.tasks.observation import Observation

__all__ = ["simulate"]

_DECLARED = {
    "request": Request,
    "program": Program,
    "replication": Replication,
    "observation": Observation,
    "recording": Recording,
}


@click.command(cls=EngineCommand)
@model_argument
@declared(Interactions, Request, Program)
@declared(Replication, Observation)
@declared(Recording)
@quiet_option
@common
@click.pass_context
def simulate(ctx, quiet, **options):
    """Simulate MODEL (or --model): build at its density, melt, equilibrate, produce.

    With --potential in place of a model the particles come from --start.

    The same command again goes on with an unfinished run. The trajectory carries model, seed, engine and the energies
    logged, so that other commands need no --model.

    \b
    pelplug simulate kob-andersen -N 1000 -T 0.8 --steps 60000 --seed 5 -o traj.gsd
    pelplug simulate kob-andersen -N 1000 -T 1.0 --to 0.4 --rate 1e-3 -o cooling.gsd
    pelplug simulate --potential python:calc.py --start a.gsd -T 0.5 --steps 1000 --time-step 0.005 -o b.gsd
    """  # noqa: D301
    from pelplug.host.simulations import simulate as run

    asked = {"interactions": named(options)}
    if asked["interactions"].potential is None:
        asked["interactions"].resolved(registry())  # a wrong model is told before what is to be done with it
    asked |= {name: taken(kind, options) for name, kind in _DECLARED.items()}
    recording, observation = asked["recording"], asked["observation"]
    if observation.in_situ and observation.in_situ_output is None:
        asked["observation"] = dataclasses.replace(observation, in_situ_output=recording.output.with_suffix(".nc"))
    with _progress(quiet) as progress:
        try:
            results = run(
                registry=registry(),
                progress=progress,
                announce=None if quiet else note,
                **asked,
                **further_options(ctx),
            )
        except KeyboardInterrupt:
            raise RunInterruptedError(
                f"interrupted; what was simulated is kept, the same command goes on to {recording.output}."
            ) from None
    if not quiet:
        for result in results if isinstance(results, list) else [results]:
            _summarise(result)


@contextlib.contextmanager
def _progress(quiet: bool):
    """Give a callback that shows the stage, steps a second and the time left."""
    from pelplug.execution.progress import Progress

    bars = {}

    def show(stage: str, done: int, total: int) -> None:
        if stage not in bars:
            for bar in bars.values():
                bar.close()
            bars[stage] = Progress(total=total, initial=done, desc=stage, unit="step", disable=not show_progress(quiet))
        bars[stage].update(done - bars[stage].n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()


def _summarise(result) -> None:
    from pelplug.trajectories.opening import open_trajectory

    record = result.record
    with open_trajectory(result.path) as trajectory:
        frames, n = len(trajectory), trajectory.n
        done = trajectory.configuration(frames - 1).step
    # A minimisation ends where it has converged.
    steps = (
        f"{done} of {record['steps']}" if record["method"] == "fire" and done != record["steps"] else record["steps"]
    )
    if record.get("converged") is False:
        note(f"warning: the minimisation has not converged in {record['steps']} steps; give it more (--steps)")
    click.echo(
        f"{result.path}: {frames} frames of {n} particles, {steps} steps by {record['engine']} "
        f"{record['engine_version']} ({record['route']}; {record['device']})"
    )
    for name, dataset in result.datasets.items():
        seen = dataset.attrs.get("series") or f"{dataset.sizes.get('frame', 0)} states"
        click.echo(f"in situ: {name}, {seen}")
    report = record["equilibration_report"]
    click.echo(f"equilibration: {report['steps']} steps, {report['verdict']}{_departure(report)}")


def _departure(report: dict) -> str:
    if not report.get("blocks"):
        return ""
    last = report["blocks"][-1]
    return (
        f" (last two blocks of {last['steps']} steps: ratio of MSD {last['msd_ratio']:.3f}, "
        f"difference of F_s {last['fs_difference']:+.3f} at q = {report['wave_number']:.3g})"
    )
