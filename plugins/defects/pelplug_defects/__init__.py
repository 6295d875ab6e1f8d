"""Bonds that break and form between a frame and its inherent structure, or a second trajectory."""

import pelplug

__all__ = ["pelplug_analyses"]


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analyses."""
    from pelplug_defects.defects import Defects, DefectsBetween

    return [Defects, DefectsBetween]
