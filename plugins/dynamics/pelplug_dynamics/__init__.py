"""Mean squared displacement, self-intermediate scattering, relaxation times and structure."""

import pelplug

__all__ = ["pelplug_analyses"]


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analysis."""
    from pelplug_dynamics.dynamics import Dynamics

    return [Dynamics]
