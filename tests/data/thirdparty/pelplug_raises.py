"""A plugin whose hook fails when it is called."""

import pelplug


@pelplug.hookimpl
def pelplug_analyses():
    raise KeyError("PELPLUG_RAISES_HOME")


@pelplug.hookimpl
def pelplug_commands(group):
    group.commands.clear()
    raise RuntimeError("half way")
