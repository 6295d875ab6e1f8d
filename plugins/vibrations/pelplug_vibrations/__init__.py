"""Vibrational modes of inherent structures."""

import pelplug

__all__ = ["pelplug_analyses"]


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analysis."""
    from pelplug_vibrations.vibrations import Vibrations

    return [Vibrations]
