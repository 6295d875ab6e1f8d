"""Metabasins, their waiting times and the random walk between them."""

import pelplug

__all__ = ["pelplug_analyses"]


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analysis."""
    from pelplug_metabasins.metabasins import Metabasins

    return [Metabasins]
