"""The command of an analysis that reads a file of its own in place of a trajectory, for `pelplug_commands`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

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

    def run(file: str, output: str | None, plot: str | None, overwrite: bool, **given: Any) -> None:
        from pelplug.cli.one_task import write_task

        output = Path(output) if output else Path(f"{Path(file).stem}.{name}.nc")

        def make() -> Any:
            module, _, cls = analysis.partition(":")
            values = {key: value for key, value in given.items() if value is not None}
            return getattr(importlib.import_module(module), cls)(None, **{parameter: str(file)}, **values)

        dataset = write_task(make, lambda task, _: task.run(), output, inputs=[file], plot=plot, overwrite=overwrite)
        if dataset is None:
            return
        first, *rest = say(dataset)
        click.echo(f"{first}; wrote {f'{output} and {plot}' if plot else output}")
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
