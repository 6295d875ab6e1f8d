"""``pelplug plugins``: what is installed, and why something does not work."""

from __future__ import annotations

import click

from pelplug.cli.options import common, registry
from pelplug.cli.output import print_table
from pelplug.core.docstrings import default_of, explanation

__all__ = ["plugins"]


@click.command()
@click.option("-v", "--verbose", is_flag=True, help="Show what each plugin offers, with the parameters of analyses.")
@common
def plugins(verbose):
    """List the plugins, and why one failed."""
    found = registry()
    records = found.plugins()
    if verbose:
        _load_commands(found)
    rows = [(one.name, one.distribution, one.version, one.status, one.summary) for one in records]
    print_table(("name", "distribution", "version", "status", "summary"), rows)
    failed = [one for one in records if one.errors]
    if failed:
        click.echo()
        print_table(("plugin", "what went wrong"), [(one.owner, " ".join(one.errors)) for one in failed])
    if verbose:
        for record in records:
            for kind, names in record.provides.items():
                click.echo(f"\n{record.name}: {kind} {', '.join(names)}")
            for name in record.provides.get("analyses", ()):
                _show_parameters(found.analysis(name))
            for name in record.provides.get("studies", ()):
                _show_parameters(found.study(name))
        _show_minimisers()
    elif not records:
        click.echo("No plugin is installed, not even pelplug's own; install pelplug again.")


def _load_commands(found) -> None:
    found.add_commands(click.Group(commands=dict(click.get_current_context().find_root().command.commands)))


def _show_parameters(cls) -> None:
    click.echo(f"\n  {cls.name}: {cls.summary}")
    if cls.uses:
        click.echo(f"  uses {', '.join(cls.uses)}")
    _table({f"--{spec.option}": spec for spec in cls.parameter_specs().values()})


def _show_minimisers() -> None:
    from pelplug.landscape import MINIMISERS

    for name, cls in MINIMISERS.items():
        click.echo(f"\n  {name}: {cls.summary}, by --method {name} where frames are quenched; with --minimiser-param:")
        _table(cls.parameter_specs())


def _table(specs: dict) -> None:
    rows = [(f"  {name}", spec.metavar, default_of(spec), explanation(spec)) for name, spec in specs.items()]
    if rows:
        print_table(("  parameter", "value", "default", "meaning"), rows)
