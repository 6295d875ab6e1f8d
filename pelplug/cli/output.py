"""What commands print, and figures."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from pelplug.errors import InputError, PelplugError, RunError

__all__ = [
    "RunInterruptedError",
    "check_figure",
    "console",
    "note",
    "print_table",
    "printable",
    "save_figure",
    "say_found",
    "show_progress",
]


class RunInterruptedError(Exception):
    """Ctrl-C, with the sentence that says how to go on."""


def printable(text: str) -> str:
    """Return text without what a terminal would take for a command: names in files may have any character."""
    return "".join(char if char.isprintable() or char.isspace() else f"\\x{ord(char):02x}" for char in text)


def note(text: str) -> None:
    """Write one line, a sentence, to stderr."""
    line = " ".join(printable(str(text)).split())
    click.echo(f"pelplug: {line}{'' if line.endswith(('.', '!', '?', '?)')) else '.'}", err=True)


def show_progress(quiet: bool) -> bool:
    """Whether there is anybody to see a progress bar."""
    return not quiet and sys.stderr.isatty()


def say_found(name: str, count: int, noun: str = "frame") -> None:
    """Tell that frames of an interrupted run are used, or parts of a study."""
    frames = noun if count == 1 else f"{noun}s"
    note(f"{count} finished {frames} of {name} found from an interrupted run; going on from there.")


def console():
    """Return a rich console for stdout that does not squeeze tables when piped."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else shutil.get_terminal_size((140, 24)).columns
    return Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)


def print_table(columns, rows, title: str | None = None) -> None:
    """Print rows of text as a table."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, title=title, title_justify="left", header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=index == 0)
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    console().print(table)


def check_figure(path) -> None:
    """Raise InputError if matplotlib cannot write a file of that ending."""
    from matplotlib.backend_bases import FigureCanvasBase

    known = FigureCanvasBase.get_supported_filetypes()
    if Path(path).suffix.lower().removeprefix(".") not in known:
        raise InputError(f"No figure can be written to {path}; use one of the endings .{', .'.join(sorted(known))}.")


def save_figure(make, path, overwrite: bool, inputs=()) -> None:
    """Save the figure that `make` returns, whole or not at all.

    Parameters
    ----------
    make : callable
        Returns a matplotlib Figure.
    path, overwrite, inputs
        As in `pelplug.core.outputs.atomic_output`.
    """
    from pelplug.core.outputs import atomic_output
    from pelplug.plotting.text import literal_labels

    with atomic_output(path, overwrite, inputs) as temporary:
        try:
            figure = make()
            literal_labels(figure)
            figure.savefig(temporary, dpi=200)
        except (PelplugError, OSError, MemoryError):
            raise
        except Exception as error:
            raise RunError(
                f"The figure could not be drawn ({error}); run again with --debug and tell the author."
            ) from error
