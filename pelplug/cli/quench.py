"""``pelplug quench``: the inherent structures of a trajectory as a GSD file."""

from __future__ import annotations

from pathlib import Path

import click

from pelplug.cli.options import (
    common,
    frame_options,
    input_options,
    model_options,
    open_input,
    output_options,
    parallel_options,
    registry,
    resolve_model,
    trajectory_options,
    trust_option,
)
from pelplug.errors import InputError

__all__ = ["quench"]


@click.command()
@trajectory_options
@model_options
@trust_option
@click.option("--method", metavar="fire|cg|lbfgs|sd", help="Minimiser.  [default: fire]")
@click.option("--force-tolerance", metavar="FORCE", help="Largest force component left.  [default: 1e-10]")
@click.option("--max-evaluations", metavar="N", help="Force evaluations allowed a frame.  [default: 100000]")
@frame_options
@parallel_options
@click.option("-o", "--output", required=True, type=click.Path(), metavar="IS.gsd", help="GSD file to write.")
@output_options
@common
def quench(file, output, overwrite, quiet, **options):
    """Write the inherent structures of a trajectory to GSD.

    Every selected frame of FILE is quenched; positions are kept in float64. After Ctrl-C the same command goes on.
    """
    from pelplug.cli.quenching import QuenchRegistry
    from pelplug.cli.run import execute, summarise, tell_failures
    from pelplug.core.outputs import check_output
    from pelplug.files.exporters import export

    source = input_options(options)
    described = [options.pop(key) for key in ("model", "potential", "model_parameters")]
    parameters = {key: options.pop(key) for key in ("method", "force_tolerance", "max_evaluations")}
    trajectory = open_input(file, **source)
    check_output(output, overwrite, [path for path in (file, source["topology"], described[1]) if path is not None])
    if Path(output).suffix.lower() != ".gsd":
        raise InputError(f"Inherent structures are written to GSD; call the output {Path(output).stem}.gsd.")
    if trajectory.dimension not in (2, 3):
        raise InputError(
            f"A GSD file holds two or three dimensions, but {file} has {trajectory.dimension}; "
            "use pelplug.quench in Python."
        )
    run, store = execute(
        ["quench"],
        trajectory,
        output,
        quiet=quiet,
        plugins=QuenchRegistry(registry()),
        model=resolve_model(*described),
        parameters={key: value for key, value in parameters.items() if value is not None},
        **options,
    )
    export(run.datasets, output, run.trajectory, overwrite)
    store.discard()
    code = tell_failures(run)
    if not quiet:
        summarise(run, [output], store)
    return code
