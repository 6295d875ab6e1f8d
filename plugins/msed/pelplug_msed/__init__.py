"""Mean-squared energy difference: diffusion in the potential energy landscape."""

import pelplug

__all__ = ["pelplug_analyses", "pelplug_commands", "pelplug_studies"]


@pelplug.hookimpl
def pelplug_analyses():
    """Offer the analysis."""
    from pelplug_msed.msed import MSED

    return [MSED]


@pelplug.hookimpl
def pelplug_studies():
    """Offer the study."""
    from pelplug_msed.study import EnergyEntropies

    return [EnergyEntropies]


@pelplug.hookimpl
def pelplug_commands(group):
    """Offer the command for a file of energies without a trajectory."""
    from pelplug_msed.command import msed

    group.add_command(msed)
