"""Mean squared displacement, self-intermediate scattering, relaxation times and structure."""

import pelplug

__all__ = ["pelplug_analyses"]


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analyses."""
    from pelplug_dynamics.dynamics import Dynamics
    from pelplug_dynamics.radial import RadialDistribution

    return [Dynamics, RadialDistribution]
