"""``pelplug engines``: what can simulate here, on which device, and what is missing."""

from __future__ import annotations

import click

from pelplug.cli.options import common, registry
from pelplug.cli.output import note, print_table
from pelplug.core.docstrings import listing

__all__ = ["engines"]


def _options_of(engine) -> list[str]:
    """Return a line for each option that an engine declares."""
    specs = getattr(engine, "parameter_specs", None)
    return listing(specs()) if callable(specs) else []


@click.command()
@common
def engines() -> None:
    """List the simulation engines: what is installed, on which device it can run, its options, and what is missing."""
    from pelplug.engines.run import AUTOMATIC, NO_ENGINE

    rows, missing, usable = [], [], []
    for name, engine in registry().engines().items():
        status = engine.status()
        state = "ready" if status.available else "missing"
        rows.append((name, status.version, state, ", ".join(status.devices), engine.summary))
        if status.missing:
            missing.append((name, status.missing))
        if status.available:
            usable.append(name)
    print_table(("name", "version", "status", "devices", "summary"), rows)
    options = [(name, line) for name, engine in registry().engines().items() for line in _options_of(engine)]
    if options:
        click.echo()
        print_table(("engine", "option of pelplug simulate, keyword in Python"), options)
    if missing:
        click.echo()
        print_table(("engine", "what is missing"), missing)
    if usable:
        first = next((name for name in AUTOMATIC if name in usable), usable[0])
        click.echo(f"\n--engine auto takes {first}.")
    else:
        note(NO_ENGINE)
