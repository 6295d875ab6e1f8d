"""A third-party plugin that keeps the contract."""

import pelplug


@pelplug.hookimpl
def pelplug_analyses():
    from pelplug_good.analyses import Busiest, Drift, Near

    return [Near, Busiest, Drift]


@pelplug.hookimpl
def pelplug_models():
    class Wahnstrom(pelplug.models.KobAndersen):
        name = "wahnstrom"
        aliases = ("wahn",)
        summary = "A stand-in under another name"

    return [Wahnstrom]


@pelplug.hookimpl
def pelplug_commands(group):
    import click

    group.add_command(click.Command("good", help="From a plugin."))
