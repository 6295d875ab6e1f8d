"""``pelplug plot``: results drawn again, several files over each other."""

from __future__ import annotations

import click

from pelplug.cli.options import common, plugin_names, registry
from pelplug.cli.output import check_figure, save_figure

__all__ = ["plot"]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE.nc...")
@click.option("-o", "--output", required=True, type=click.Path(), metavar="OUT.png", help="Figure to write.")
@click.option(
    "--plugin", "plugin", multiple=True, metavar="NAME", help="Draw this analysis or study of the files only."
)
@click.option("--overwrite", is_flag=True, help="Replace an existing figure.")
@common
def plot(files, output, plugin, overwrite):
    """Draw results again; several files over each other, coloured and named by their conditions."""
    from pelplug.core.lock import lock_outputs
    from pelplug.core.outputs import check_output
    from pelplug.host.figures import plot as figure_of

    check_figure(output)
    with lock_outputs(output):
        check_output(output, overwrite, files)
        save_figure(lambda: figure_of(files, plugin_names(plugin), registry=registry()), output, overwrite, files)
    click.echo(f"wrote {output}")
