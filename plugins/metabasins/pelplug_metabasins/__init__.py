"""Metabasins, their waiting times and the random walk between them."""

import pelplug

__all__ = ["pelplug_analyses", "pelplug_commands"]


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analysis."""
    from pelplug_metabasins.metabasins import Metabasins

    return [Metabasins]


@pelplug.hookimpl
def pelplug_commands(group):
    """Offer the command for a sequence of inherent structures without a trajectory."""
    from pelplug_metabasins.command import metabasins

    group.add_command(metabasins)
