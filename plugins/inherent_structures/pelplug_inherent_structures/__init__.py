"""The inherent structure of every selected frame."""

import pelplug

__all__ = ["pelplug_analyses"]


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analysis."""
    from pelplug_inherent_structures.inherent_structures import InherentStructures

    return [InherentStructures]
