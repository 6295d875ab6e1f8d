"""``pelplug info``: what files hold."""

from __future__ import annotations

import json
import math
from typing import Any

import click

from pelplug.cli.options import common
from pelplug.cli.output import note, print_table

__all__ = ["info"]


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(), metavar="FILE.nc...")
@click.option("--json", "as_json", is_flag=True, help="Print the whole record of each result as JSON.")
@common
def info(files: tuple[str, ...], as_json: bool) -> int:
    """Tell what results hold: of which states, by what made, and which cannot be read together and why.

    Each FILE has results of analyses or studies, or is a pattern of such names.
    """
    from pelplug.host.info import info_of
    from pelplug.tasks.contents import COLUMNS

    found = info_of(files)
    if as_json:
        click.echo(json.dumps(_finite(found.to_dict()), indent=1))
    else:
        rows = found.results.rows
        shown = [name for name in COLUMNS if any(row[name] for row in rows)]
        if rows:
            print_table(shown, [[row[name] for name in shown] for row in rows])
        if found.others:
            if rows:
                click.echo()
            print_table(("file", "no result of pelplug, because"), found.others.items())
        for sentence in found.results.apart:
            note(sentence)
    return 0 if found.records else 2


def _finite(value: Any) -> Any:
    """Return plain values without the numbers that JSON has no word for."""
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
