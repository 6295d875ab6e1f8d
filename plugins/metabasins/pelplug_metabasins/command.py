"""``pelplug metabasins``: a sequence of inherent structures without a trajectory."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["metabasins"]

# The parameters of the analysis, so that its modules need not be imported to show the help of other commands.
_OPTIONS = {
    "merge": "overlap or half.  [default: overlap]",
    "k": "Wave numbers of S_MB, separated by commas.",
    "per-decade": "Times of S0 in a decade.",
    "waiting-per-decade": "Bins of the waiting times in a decade.",
    "energy-bins": "Bins of energy.",
    "minimum": "Fewest metabasins of an average.",
    "first-jump": "Start of the fit of a^2.",
    "last-jump": "End of the fit of a^2.",
    "temperature": "For the reduced slope of the rate.",
    "blocks": "Of the bootstrap.",
    "samples": "Of the bootstrap.",
    "seed": "Of the bootstrap.",
}


@click.command()
@click.argument("file", type=click.Path())
@click.option("-o", "--output", type=click.Path(), metavar="OUT.nc", help="Results.  [default: FILE.metabasins.nc]")
@click.option("--plot", type=click.Path(), metavar="OUT.png", help="Figure.")
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
def metabasins(file, output, plot, overwrite, **options):
    """Metabasins of a FILE of inherent structures: a result of pelplug, other NetCDF, or a table with a header.

    A table has time and energy, and structure if it numbers them. From a trajectory use `pelplug analyze`.
    """
    import pelplug
    from pelplug_metabasins.metabasins import Metabasins

    output = Path(output) if output else Path(f"{Path(file).stem}.metabasins.nc")
    for path in (output, *([Path(plot)] if plot else [])):
        if path.exists() and not overwrite:
            raise pelplug.InputError(f"{path} exists; pass --overwrite to replace it.")
    given = {name: value for name, value in options.items() if value is not None}
    analysis = Metabasins(None, inherent_structures=str(file), **given)
    dataset = analysis.run().to_dataset()
    pelplug.write_netcdf(dataset, output, overwrite, [file])
    if plot:
        try:
            analysis.figure().savefig(plot, dpi=200)
        except (OSError, ValueError) as error:
            raise pelplug.InputError(f"The figure {plot} cannot be written ({error}); choose another name.") from None
    click.echo(f"{dataset.attrs['statistics']}; wrote {output}{f' and {plot}' if plot else ''}")


for _name, _help in _OPTIONS.items():
    metabasins = click.option(f"--{_name}", metavar=_name.rpartition("-")[2].upper(), help=_help)(metabasins)
