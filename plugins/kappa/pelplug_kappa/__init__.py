"""The local dipole stiffness of every interacting pair, and the shear modulus."""

import pelplug

__all__ = ["pelplug_analyses", "pelplug_studies"]


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analysis."""
    from pelplug_kappa.kappa import Kappa

    return [Kappa]


@pelplug.hookimpl
def pelplug_studies():
    """Offer the study."""
    from pelplug_kappa.study import Stiffness

    return [Stiffness]
