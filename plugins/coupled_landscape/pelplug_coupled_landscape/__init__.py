"""The coupled landscape model: a liquid as a lattice of elementary systems, each with its own energy landscape."""

import pelplug

__all__ = ["pelplug_studies"]


@pelplug.hookimpl
def pelplug_studies():
    """Offer the study."""
    from pelplug_coupled_landscape.study import CoupledLandscape

    return [CoupledLandscape]
