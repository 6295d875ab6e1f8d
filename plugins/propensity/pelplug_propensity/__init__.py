"""Isoconfigurational propensity of motion and its correlation with the dipole stiffness; events of hopping."""

import pelplug

__all__ = ["pelplug_analyses"]


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analyses."""
    from pelplug_propensity.hop_events import HopEvents
    from pelplug_propensity.isoconfigurational_events import IsoconfigurationalEvents
    from pelplug_propensity.propensity import Propensity

    return [HopEvents, IsoconfigurationalEvents, Propensity]
