"""The command of an analysis that reads a file of its own in place of a trajectory, for `pelplug_commands`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import click

from pelplug.cli.declared import declared
from pelplug.core.given import Given

__all__ = ["file_command"]


def file_command(
    name: str,
    analysis: str,
    parameter: str,
    options: Mapping[str, str],
    say: Callable[..., Iterable[str]],
    *,
    help: str,
) -> click.Command:
    """Make the command ``pelplug NAME FILE``.

    Parameters
    ----------
    name : str
        Of the command; the result is ``FILE.NAME.nc`` where no other is asked for.
    analysis : str
        ``"module:Class"`` of the analysis, imported when the command runs; it is made with None for the trajectory.
    parameter : str
        The one of its parameters that takes FILE.
    options : mapping of str to str
        Help of those parameters that are options, by name with hyphens; ``"this/no-this"`` is a switch.
    say : callable
        Takes the dataset and returns the lines to print; the first says what was written as well.
    help : str
        Of the command.

    Returns
    -------
    click.Command
    """

    def run(file, output, plot, overwrite, **given):
        from pelplug.cli.finished import FinishedOutput
        from pelplug.cli.output import check_figure, note, save_figure
        from pelplug.core.lock import lock_outputs
        from pelplug.files.results import write_netcdf
        from pelplug.tasks.provenance import take_request

        output = Path(output) if output else Path(f"{Path(file).stem}.{name}.nc")
        outputs = [output, *([Path(plot)] if plot else [])]
        with lock_outputs(*outputs):
            finished = FinishedOutput(output, outputs[1:], overwrite, [file])
            if plot:
                check_figure(plot)
            module, _, cls = analysis.partition(":")
            given = {key: value for key, value in given.items() if value is not None}
            ready = getattr(importlib.import_module(module), cls)(None, **{parameter: str(file)}, **given)
            if finished({ready.name: take_request(ready)}) is not None:
                note(f"{output} was finished by this command already; nothing is left to do")
                return
            dataset = ready.run().to_dataset()
            write_netcdf(output, dataset, overwrite, [file])
            if plot:
                save_figure(ready.figure, plot, overwrite, [file])
        first, *rest = say(dataset)
        click.echo(f"{first}; wrote {' and '.join(map(str, outputs))}")
        for line in rest:
            click.echo(line)

    command = click.command(name, help=help)(declared(Given)(run))
    command.params[:0] = [
        click.Argument(["file"], type=click.Path()),
        click.Option(
            ["-o", "--output"], type=click.Path(), metavar="OUT.nc", help=f"Results.  [default: FILE.{name}.nc]"
        ),
        click.Option(["--plot"], type=click.Path(), metavar="OUT.png", help="Figure."),
        click.Option(["--overwrite"], is_flag=True, help="Replace existing files."),
    ]
    for key, text in options.items():
        on, slash, off = key.partition("/")
        if slash:
            command.params.append(click.Option([f"--{on}/--{off}"], default=None, help=text))
        else:
            command.params.append(click.Option([f"--{key}"], metavar=key.rpartition("-")[2].upper(), help=text))
    return command
