"""``pelplug analyze``: from a trajectory to results, a plot, and fields for other programs."""

from __future__ import annotations

from pathlib import Path

import click

from pelplug.cli.declared import declared, taken
from pelplug.cli.options import (
    PluginCommand,
    common,
    file_argument,
    further_options,
    output_options,
    plugin_names,
    registry,
)
from pelplug.core.given import Given
from pelplug.errors import InputError, PelplugError
from pelplug.execution.placement import Placement
from pelplug.tasks.interactions import FileInteractions
from pelplug.trajectories.source import Frames, Source

__all__ = ["analyze"]


@click.command(cls=PluginCommand)
@file_argument
@declared(Source, Given)
@click.option(
    "--plugin",
    "names",
    multiple=True,
    required=True,
    metavar="NAME",
    help="Analysis, or a Python file; may be repeated.",
)
@declared(FileInteractions, Frames, Placement)
@click.option("-o", "--output", type=click.Path(), metavar="OUT.nc", help="Results.  [default: FILE.PLUGIN.nc]")
@click.option("--plot", type=click.Path(), metavar="OUT.png", help="Figure (.png, .pdf, .svg, ...).")
@click.option(
    "--export",
    multiple=True,
    type=click.Path(),
    metavar="OUT.gsd",
    help="Per-particle fields (.gsd, .xyz) or curves (.csv); may be repeated.",
)
@output_options
@common
@click.pass_context
def analyze(ctx, trajectory, names, output, plot, export, overwrite, quiet, **options):
    """Run analyses on a trajectory.

    FILE is anything MDAnalysis reads. Analyses named together share their work. After Ctrl-C the same command goes on.
    """
    from pelplug.cli.finished import FinishedOutput
    from pelplug.cli.one_task import check_endings, check_results_name
    from pelplug.core.lock import lock_outputs
    from pelplug.trajectories.opening import open_trajectory

    names = plugin_names(names)
    if not names:
        raise InputError("--plugin needs the name of an analysis; `pelplug plugins` lists them.")
    source, interactions = taken(Source, options), taken(FileInteractions, options)
    where = {
        "given": taken(Given, options),
        "selection": taken(Frames, options),
        "placement": taken(Placement, options),
        "interactions": interactions,
    }
    output = Path(output) if output else Path(f"{Path(trajectory).stem}.{'.'.join(names)}.nc")
    inputs = [path for path in (trajectory, source.topology, *interactions.files()) if path is not None]
    outputs = [output, *([plot] if plot else []), *export]
    with lock_outputs(*outputs):
        trajectory = open_trajectory(trajectory, source=source)
        where["finished"] = FinishedOutput(output, outputs[1:], overwrite, inputs)
        exporters = list(registry().exporters().values())
        check_results_name(output)
        check_endings(plot, export, exporters, trajectory.dimension)
        return _run(ctx, names, trajectory, where, (output, plot, export, exporters), inputs, overwrite, quiet)


def _run(ctx, names, trajectory, where, destinations, inputs, overwrite, quiet) -> int:
    from pelplug.cli.kept import KeptResults
    from pelplug.cli.output import save_figure
    from pelplug.cli.run import execute, summarise, tell_failures, tell_finished
    from pelplug.files.exporters import export as write_export
    from pelplug.files.results import write_netcdf
    from pelplug.host.figures import draw

    output, plot, export, exporters = destinations
    kept = KeptResults(output, quiet)
    run, store = execute(
        names, trajectory, output, overwrite, quiet=quiet, parameters=further_options(ctx), kept=kept, **where
    )
    if not run.analyses:
        return tell_finished(run, output, quiet)
    requested = {name: run.datasets[name] for name in run.requested}
    write_netcdf(output, requested, overwrite, inputs)
    beside = kept.write(run, overwrite)
    try:
        if plot:
            curves = {name: [(name, run.analyses[name])] for name in requested}
            save_figure(lambda: draw(curves), plot, overwrite, inputs)
        for path in export:
            # Fields of the analyses that others use come along: inherent structures bring their positions.
            write_export({**requested, **run.datasets}, path, run.trajectory, overwrite, exporters)
    except PelplugError as error:
        hint = f"the results are in {output}; with --overwrite the rest is made again from the finished frames"
        raise type(error)(f"{str(error).rstrip('.')} ({hint}).") from error
    if not run.failed:  # their finished frames are of use yet
        store.discard()
    code = tell_failures(run)
    if not quiet:
        summarise(run, [output, *beside, *([plot] if plot else []), *export], store)
    return code
