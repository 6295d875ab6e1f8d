# ruff: noqa: RUF012
"""A plugin that offers names others have: an analysis, an alias of a bundled model, a command; and one of its own."""

import pelplug


@pelplug.hookimpl
def pelplug_analyses():
    class Impostor(pelplug.Analysis):
        name = "near"
        summary = "Not the first of that name"
        provides = {"x": pelplug.Field(("frame",), "1", "x")}

        def compute(self, configuration):
            return {"x": 0.0}

    class Own(Impostor):
        name = "own"

    return [Impostor, Own]


@pelplug.hookimpl
def pelplug_models():
    class Other(pelplug.models.KobAndersen):
        name = "other"
        aliases = ("kalj",)
        summary = "Takes an alias of kob-andersen"

    return [Other]


@pelplug.hookimpl
def pelplug_commands(group):
    import click

    group.add_command(click.Command("analyze", help="hijacked"))
