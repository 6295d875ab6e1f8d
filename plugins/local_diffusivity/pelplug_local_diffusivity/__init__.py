"""Local diffusivity against inherent-structure energy, and the landscape that it tells."""

import pelplug

__all__ = ["pelplug_studies"]


@pelplug.hookimpl
def pelplug_studies():
    """Offer the studies."""
    from pelplug_local_diffusivity.entropy import ConfigurationalEntropy
    from pelplug_local_diffusivity.study import LocalDiffusivity

    return [LocalDiffusivity, ConfigurationalEntropy]
