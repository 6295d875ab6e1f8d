"""``pelplug msed``: energies from a file without a trajectory."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["msed"]

# The parameters of the analysis, so that its modules need not be imported to show the help of other commands.
_OPTIONS = {
    "particles": "N, where the file does not say.",
    "time-step": "Time of one step, where the file does not say; 1 gives times in steps.",
    "normalisation": "What energies are of, where the file does not say: total or per-particle.",
    "column": "Name of the column of the potential energy.",
    "block": "Which run of a log: 0 the first, -1 the last.  [default: all of molecular dynamics]",
    "method": "fft or multi-tau.  [default: fft]",
    "phi-lags": "Lags of phi(Delta), separated by commas.",
    "t-min": "Start of the fit.",
    "t-max": "End of the fit.",
    "temperature": "T, for heat capacities, where the file does not say.",
    "ensemble": "Constant energy (nve) or temperature (nvt), for heat capacities.",
    "dimension": "Of space.  [default: 3]",
    "resamples": "Bootstrap resamples.",
    "seed": "Of the bootstrap.",
}


@click.command()
@click.argument("file", type=click.Path())
@click.option("-o", "--output", type=click.Path(), metavar="OUT.nc", help="Results.  [default: FILE.msed.nc]")
@click.option("--plot", type=click.Path(), metavar="OUT.png", help="Figure.")
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
def msed(file, output, plot, overwrite, **options):
    """Mean-squared energy difference of a FILE of energies: LAMMPS log, EDR, XVG, CP2K .ener, or a table with a header.

    With a trajectory, `pelplug analyze --plugin msed` needs no file of energies but its own.
    """
    import pelplug
    from pelplug_msed.msed import MSED

    output = Path(output) if output else Path(f"{Path(file).stem}.msed.nc")
    for path in (output, *([Path(plot)] if plot else [])):
        if path.exists() and not overwrite:
            raise pelplug.InputError(f"{path} exists; pass --overwrite to replace it.")
    given = {name: value for name, value in options.items() if value is not None}
    analysis = MSED(None, energies=file, **given)
    dataset = analysis.run().to_dataset()
    pelplug.write_netcdf(dataset, output, overwrite, [file])
    if plot:
        _save(analysis.figure(), Path(plot))
    click.echo(f"{dataset.attrs['series']}; wrote {output}{f' and {plot}' if plot else ''}")
    if "tau" in dataset:
        click.echo(f"tau* = {float(dataset.tau):.6g} +- {float(dataset.tau_error):.2g} ({dataset.attrs['fit']})")
    else:
        click.echo(f"fit: {dataset.attrs['fit']}")


msed = click.option(
    "--instantaneous/--no-instantaneous", default=None, help="Entries of fix ave/time are no averages."
)(msed)
for _name, _help in _OPTIONS.items():
    msed = click.option(f"--{_name}", metavar=_name.rpartition("-")[2].upper(), help=_help)(msed)


def _save(figure, path: Path) -> None:
    """Write a figure whole or not at all."""
    import os

    import pelplug

    temporary = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        figure.savefig(temporary, dpi=200)
        os.replace(temporary, path)
    except (OSError, ValueError) as error:
        raise pelplug.InputError(f"The figure {path} cannot be written ({error}); choose another name.") from None
    finally:
        temporary.unlink(missing_ok=True)
