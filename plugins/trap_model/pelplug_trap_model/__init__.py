"""The trap model: diffusion and relaxation from the parameters of an energy landscape."""

import pelplug

__all__ = ["pelplug_studies"]


@pelplug.hookimpl
def pelplug_studies():
    """Offer the study."""
    from pelplug_trap_model.trap_model import TrapModel

    return [TrapModel]
