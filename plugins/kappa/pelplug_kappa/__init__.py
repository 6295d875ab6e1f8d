"""The local dipole stiffness of every interacting pair, and the shear modulus."""

import pelplug

__all__ = ["pelplug_analyses"]


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analysis."""
    from pelplug_kappa.kappa import Kappa

    return [Kappa]
