"""``pelplug simulate``: from a model's name to a trajectory, on any engine."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from pelplug.cli.declared import declared, taken
from pelplug.cli.options import common, model_param, named_model, output_options, registry
from pelplug.cli.output import RunInterruptedError, note, show_progress
from pelplug.execution.placement import Computing

__all__ = ["simulate"]


@click.command()
@click.argument("model")
@click.option("-N", "--particles", "n", type=int, metavar="N", help="Number of particles; not with --start.")
@click.option("-T", "--temperature", type=float, metavar="T", help="Temperature, in the units of the model.")
@click.option("--steps", type=int, metavar="N", help="Steps to produce; with --to, the length of the ramp.")
@click.option("--to", "end_temperature", type=float, metavar="T", help="Cool or heat linearly to this temperature.")
@click.option("--rate", type=float, metavar="R", help="Temperature per time of the ramp, in place of --steps.")
@click.option(
    "--ensemble",
    type=click.Choice(["nvt", "nve", "langevin", "steepest-descent", "fire"]),
    default="nvt",
    show_default=True,
    help="Equations of motion.",
)
@click.option("--engine", default="auto", show_default=True, metavar="auto|hoomd|lammps", help="What simulates.")
@declared(Computing)
@click.option("--route", metavar="NAME", help="Whose forces: auto, native, table (hoomd) or kernel.  [default: auto]")
@click.option("--mpi", is_flag=True, help="All processes that mpirun has started run it together (hoomd).")
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Makes the run repeatable.")
@click.option(
    "--frames",
    metavar="SPEC",
    help="Steps between frames, log[:PER_DECADE], or blocks:LENGTH[:PER_DECADE].  [default: about 1000 frames]",
)
@click.option("--log-every", type=int, metavar="N", help="Steps between energies.  [default: 100, or a 1000th]")
@click.option(
    "--equilibration",
    metavar="auto|N",
    default="auto",
    show_default=True,
    help="Steps before; auto: until MSD and F_s are stationary.",
)
@click.option("--longest-equilibration", type=int, metavar="N", help="Where auto gives up.")
@click.option("--melt-steps", type=int, metavar="N", help="Steps at 5 T, and to cool.  [default: 5000]")
@click.option("--start", type=click.Path(), metavar="FILE", help="Begin with the last frame of a file.")
@click.option("--density", type=float, metavar="RHO", help="Number density.  [default: the model's]")
@click.option("--time-step", type=float, metavar="DT", help="[default: the model's]")
@click.option("--thermostat-time", type=float, metavar="TAU", help="[default: 40 time steps]")
@click.option("--friction", type=float, metavar="GAMMA", help="Of Langevin dynamics.  [default: 1]")
@click.option("--force-tolerance", type=float, metavar="F", help="Where fire stops.  [default: 1e-6]")
@click.option("--replicas", type=int, default=1, metavar="N", help="Independent runs: seeds, files -seedN.gsd.")
@click.option("--workers", type=int, default=1, metavar="N", help="Replicas to run at once.")
@click.option("--checkpoint", "checkpoint_seconds", type=float, metavar="SECONDS", help="[default: 60]")
@model_param
@click.option("--in-situ", multiple=True, metavar="NAME", help="Analysis to run while simulating; may be repeated.")
@click.option("--in-situ-every", type=int, metavar="N", help="Steps between the states that it sees.")
@click.option("--in-situ-output", type=click.Path(), metavar="OUT.nc", help="[default: the trajectory's name, .nc]")
@click.option("--in-situ-param", multiple=True, metavar="KEY=VALUE", help="Parameter of such an analysis.")
@click.option("-o", "--output", required=True, type=click.Path(), metavar="TRAJ.gsd", help="Trajectory to write.")
@output_options
@common
def simulate(model, model_parameters, output, equilibration, route, mpi, quiet, in_situ, in_situ_param, **options):
    """Simulate MODEL: build at its density, melt, equilibrate, produce.

    The same command again goes on with an unfinished run. The trajectory carries model, seed, engine and the energies
    logged, so that other commands need no --model.

    \b
    pelplug simulate kob-andersen -N 1000 -T 0.8 --steps 60000 --seed 5 -o traj.gsd
    pelplug simulate kob-andersen -N 1000 -T 1.0 --to 0.4 --rate 1e-3 -o cooling.gsd
    """  # noqa: D301
    from pelplug.host.functions import simulate as run

    liquid = named_model(model, model_parameters)
    computing = taken(Computing, options)
    options = {key: value for key, value in options.items() if value is not None}
    if in_situ:
        options.setdefault("in_situ_output", Path(output).with_suffix(".nc"))
    options["engine_options"] = {
        name: value for name, value in (("route", route), ("mpi", mpi or None)) if value is not None
    }
    with _progress(quiet) as progress:
        try:
            results = run(
                liquid,
                output=output,
                equilibration=_equilibration(equilibration),
                registry=registry(),
                progress=progress,
                announce=None if quiet else note,
                device=computing.device,
                threads=computing.threads,
                in_situ=in_situ,
                in_situ_parameters=_pairs(in_situ_param),
                **options,
            )
        except KeyboardInterrupt:
            raise RunInterruptedError(
                f"interrupted; what was simulated is kept, the same command goes on to {output}."
            ) from None
    if not quiet:
        for result in results if isinstance(results, list) else [results]:
            _summarise(result)


def _pairs(entries) -> dict[str, str]:
    from pelplug.errors import InputError

    for entry in entries:
        if "=" not in entry:
            raise InputError(f"--in-situ-param is KEY=VALUE, such as force_tolerance=1e-8, not {entry!r}.")
    return dict(entry.split("=", 1) for entry in entries)


def _equilibration(text: str) -> int | None:
    from pelplug.errors import InputError

    if text == "auto":
        return None
    try:
        return int(text)
    except ValueError:
        raise InputError(f"--equilibration is auto or a number of steps, not {text!r}.") from None


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
