"""``pelplug models``: the model liquids, and what one of them is."""

from __future__ import annotations

from typing import Any

import click

from pelplug.cli.declared import declared
from pelplug.cli.options import common, named, registry
from pelplug.cli.output import print_table
from pelplug.core.docstrings import listing
from pelplug.tasks.interactions import Interactions

__all__ = ["models"]


@click.command()
@click.argument("named", metavar="[NAME]", required=False)
@declared(Interactions, only=("model_parameters",))
@common
def models(**options: Any) -> None:
    """List the models, the forms that model files may name, and the providers of potentials; or describe a model.

    With NAME, or a model file: formula, parameters, composition, units, time step and source.
    """
    if (liquid := named(options).resolved(registry()).model) is not None:
        click.echo(liquid.describe())
        return
    rows = []
    for cls in registry().models().values():
        model = cls()
        dimension = "any" if model.dimension is None else model.dimension
        density = "" if model.density is None else f"{model.density:g}"
        species = ", ".join(model.species) or ("diameters" if model.needs_diameters else "any")
        rows.append((model.name, ", ".join(model.aliases), dimension, species, density, model.summary))
    print_table(("name", "aliases", "d", "species", "density", "summary"), rows)
    click.echo()
    forms = [(name, ", ".join(form.parameters), form.formula) for name, form in registry().forms().items()]
    print_table(("form of --model FILE.toml", "parameters", "energy, x = r / sigma"), forms)
    click.echo()
    _list_providers()


def _list_providers() -> None:
    rows, options = [], []
    for name, provider in registry().potentials().items():
        missing = provider.missing()
        rows.append((f"{name}:{provider.takes}", "missing" if missing else "ready", missing or provider.summary))
        options += [(name, line) for line in listing(provider.parameter_specs())]
    print_table(("--potential", "status", "summary, or what is missing"), rows)
    if options:
        click.echo()
        print_table(("provider", "--potential-param"), options)
