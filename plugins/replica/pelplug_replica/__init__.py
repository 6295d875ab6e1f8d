"""Replica liquid theory of the Mari-Kurchan model: its cages and T_MCT."""

import pelplug

__all__ = ["pelplug_studies"]


@pelplug.hookimpl
def pelplug_studies():
    """Offer the theory."""
    from pelplug_replica.study import Replica

    return [Replica]
