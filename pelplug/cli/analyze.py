"""``pelplug analyze``: from a trajectory to results, a plot, and fields for other programs."""

from __future__ import annotations

import os
from pathlib import Path

import click

from pelplug.cli.declared import declared, taken
from pelplug.cli.options import (
    PluginCommand,
    common,
    files_argument,
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
@files_argument
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
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="OUT.nc",
    help="Results.  [default: FILE.PLUGIN.nc, of several NAME-N-runs.PLUGIN.nc]",
)
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
    """Run analyses on a trajectory, or on several independent runs together.

    FILE is anything MDAnalysis reads, or a pattern of such names; options are for each. Several are runs of one system
    at one state point. Analyses named together share their work. After Ctrl-C the same command goes on.
    """
    from pelplug.cli.finished import FinishedOutput
    from pelplug.cli.one_task import check_endings, check_results_name
    from pelplug.core.lock import lock_outputs
    from pelplug.trajectories.several import opened

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
    files = _found(trajectory, [one for one in (output, plot, *export) if one])
    output = Path(output) if output else Path(f"{_stem(files)}.{'.'.join(names)}.nc")
    inputs = [path for path in (*files, source.topology, *interactions.files()) if path is not None]
    outputs = [output, *([plot] if plot else []), *export]
    with lock_outputs(*outputs):
        trajectory = opened(files, source)
        where["finished"] = FinishedOutput(output, outputs[1:], overwrite, inputs)
        exporters = list(registry().exporters().values())
        check_results_name(output)
        check_endings(plot, export, exporters, trajectory.dimension)
        return _run(ctx, names, trajectory, where, (output, plot, export, exporters), inputs, overwrite, quiet)


def _found(files: tuple[str, ...], written: list[str]) -> list[str]:
    """Return the files that were named, without what the command itself has written where a pattern finds that too."""
    from pelplug.trajectories.several import fitting_files

    own = {os.path.realpath(path) for path in written}
    found = []
    for name in files:
        fitting = [os.fspath(path) for path in fitting_files(name)]
        if fitting != [name]:
            found += [path for path in fitting if os.path.realpath(path) not in own]
        elif len(files) > 1 and os.path.realpath(name) in own:
            raise InputError(
                f"{name} is among the files to read and is to be written; call the output otherwise, put it elsewhere, "
                "or write the pattern in quotes."
            )
        else:
            found.append(name)
    return found


def _stem(files: list[str]) -> str:
    """Return the name of a file without its ending; of several what their names begin with, and how many they are."""
    stems = sorted(Path(path).stem for path in files)
    if len(stems) == 1:
        return stems[0]
    pairs = enumerate(zip(stems[0], stems[-1], strict=False))
    same = next((place for place, (one, other) in pairs if one != other), len(stems[0]))
    common = stems[0][:same]
    if same < len(stems[0]) and common[-1:].isdigit():  # within a number
        common = common.rstrip("0123456789")
    return f"{common.rstrip('-_. ') or stems[0]}-{len(stems)}-runs"


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
