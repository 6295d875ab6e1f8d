"""Bonds that break and form between a frame and its inherent structure, or a second trajectory."""

import pelplug

__all__ = ["pelplug_analyses", "pelplug_studies"]


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analyses."""
    from pelplug_defects.defects import Defects, DefectsBetween

    return [Defects, DefectsBetween]


@pelplug.hookimpl
def pelplug_studies():
    """Offer the study."""
    from pelplug_defects.study import DefectsOfTemperature

    return [DefectsOfTemperature]
