"""Steepest descent from every frame, as a function of time."""

import pelplug

__all__ = ["pelplug_analyses", "pelplug_studies"]


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analysis."""
    from pelplug_relaxation.relaxation import Relaxation

    return [Relaxation]


@pelplug.hookimpl
def pelplug_studies():
    """Offer the study."""
    from pelplug_relaxation.study import DescentExponents

    return [DescentExponents]
