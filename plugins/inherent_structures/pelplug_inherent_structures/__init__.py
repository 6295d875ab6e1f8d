"""The inherent structure of every selected frame, and the transitions between them."""

import pelplug

__all__ = ["pelplug_analyses"]


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analyses."""
    from pelplug_inherent_structures.inherent_structures import InherentStructures
    from pelplug_inherent_structures.transitions import InherentStructureTransitions

    return [InherentStructures, InherentStructureTransitions]
