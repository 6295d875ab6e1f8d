"""``pelplug models``: the model liquids, and what one of them is."""

from __future__ import annotations

import click

from pelplug.cli.options import common, model_param, named_model, registry
from pelplug.cli.output import print_table

__all__ = ["models"]


@click.command()
@click.argument("name", required=False)
@model_param
@common
def models(name, model_parameters):
    """List the models, or describe one.

    With NAME: its formula, parameters, composition, units, time step and source.
    """
    if name is not None:
        click.echo(named_model(name, model_parameters).describe())
        return
    rows = []
    for cls in registry().models().values():
        model = cls()
        dimension = "any" if model.dimension is None else model.dimension
        density = "" if model.density is None else f"{model.density:g}"
        species = ", ".join(model.species) or ("diameters" if model.needs_diameters else "any")
        rows.append((model.name, ", ".join(model.aliases), dimension, species, density, model.summary))
    print_table(("name", "aliases", "d", "species", "density", "summary"), rows)
