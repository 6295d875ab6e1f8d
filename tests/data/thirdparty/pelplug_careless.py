# ruff: noqa: RUF012
"""A plugin with the mistakes authors make: a hook that does not exist, one without its mark, bad classes."""

import pelplug


@pelplug.hookimpl
def pelplug_analysis():
    return []


def pelplug_models():
    return []


@pelplug.hookimpl
def pelplug_analyses():
    class BadName(pelplug.Analysis):
        name = "Bad Name"

    class NoHelp(pelplug.Analysis):
        name = "no-help"
        summary = "Its parameter has no Param"
        provides = {"x": pelplug.Field(("frame",), "1", "x")}

        def __init__(self, trajectory, *, depth: int = 3, **base):
            super().__init__(trajectory, **base)

        def compute(self, configuration):
            return {"x": 0.0}

    class Fine(pelplug.Analysis):
        name = "fine"
        summary = "Nothing wrong with it"
        provides = NoHelp.provides
        compute = NoHelp.compute

    return [BadName, NoHelp, int, Fine]
