"""Coordination number of every particle, found by freud."""

import pelplug


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analysis; it is imported here, so that ``pelplug --help`` does not wait for freud."""
    from pelplug_coordination.coordination import Coordination

    return [Coordination]
