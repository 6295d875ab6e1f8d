"""Metabasins, their waiting times and the random walk between them."""

import pelplug

__all__ = ["pelplug_analyses", "pelplug_commands", "pelplug_studies"]


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analysis."""
    from pelplug_metabasins.metabasins import Metabasins

    return [Metabasins]


@pelplug.hookimpl
def pelplug_studies():
    """Offer the study."""
    from pelplug_metabasins.random_walk import RandomWalk

    return [RandomWalk]


@pelplug.hookimpl
def pelplug_commands(group):
    """Offer the command for a sequence of inherent structures without a trajectory."""
    from pelplug_metabasins.command import metabasins

    group.add_command(metabasins)
