"""Isoconfigurational propensity of motion, and its correlation with the dipole stiffness."""

import pelplug

__all__ = ["pelplug_analyses"]


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analysis."""
    from pelplug_propensity.propensity import Propensity

    return [Propensity]
