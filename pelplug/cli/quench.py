"""``pelplug quench``: the inherent structures of a trajectory as a GSD file."""

from __future__ import annotations

from pathlib import Path

import click

from pelplug.cli.declared import declared, taken
from pelplug.cli.options import common, file_argument, output_options, registry
from pelplug.core.given import Given
from pelplug.core.minimisation import Quenching
from pelplug.errors import InputError
from pelplug.execution.placement import Placement
from pelplug.tasks.interactions import FileInteractions
from pelplug.trajectories.source import Frames, Source

__all__ = ["quench"]


@click.command()
@file_argument
@declared(Source, Given, FileInteractions)
@declared(Quenching, Frames, Placement)
@click.option("-o", "--output", required=True, type=click.Path(), metavar="IS.gsd", help="GSD file to write.")
@output_options
@common
def quench(trajectory, output, overwrite, quiet, **options):
    """Write the inherent structures of a trajectory to GSD.

    Every selected frame of FILE is quenched; positions are kept in float64. After Ctrl-C the same command goes on.
    """
    from pelplug.cli.finished import FinishedOutput
    from pelplug.cli.quenching import QuenchRegistry
    from pelplug.cli.run import execute, summarise, tell_failures, tell_finished
    from pelplug.core.lock import lock_outputs
    from pelplug.files.exporters import export
    from pelplug.trajectories.opening import open_trajectory

    source, interactions, minimisation = (taken(one, options) for one in (Source, FileInteractions, Quenching))
    where = {"selection": taken(Frames, options), "placement": taken(Placement, options), "interactions": interactions}
    where["given"] = taken(Given, options)
    with lock_outputs(output):
        inputs = [path for path in (trajectory, source.topology, *interactions.files()) if path is not None]
        trajectory = open_trajectory(trajectory, source=source)
        finished = FinishedOutput(output, (), overwrite, inputs)
        if Path(output).suffix.lower() != ".gsd":
            raise InputError(f"Inherent structures are written to GSD; call the output {Path(output).stem}.gsd.")
        if trajectory.dimension not in (2, 3):
            raise InputError(
                f"A GSD file holds two or three dimensions, but {trajectory.path} has {trajectory.dimension}; "
                "use pelplug.quench in Python."
            )
        run, store = execute(
            ["quench"],
            trajectory,
            output,
            overwrite,
            quiet=quiet,
            plugins=QuenchRegistry(registry()),
            parameters=minimisation.given(),
            finished=finished,
            **where,
        )
        if not run.analyses:
            return tell_finished(run, output, quiet)
        export(run.datasets, output, run.trajectory, overwrite)
        store.discard()
        code = tell_failures(run)
        if not quiet:
            summarise(run, [output], store)
        return code
