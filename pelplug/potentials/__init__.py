"""Forms, neighbour lists, kernels, providers: energy, forces, Hessian. For models, and authors of potentials."""

import pluggy

hookimpl = pluggy.HookimplMarker("pelplug")


@hookimpl
def pelplug_forms():
    """Offer the functional forms that come with pelplug."""
    from pelplug.potentials.forms import FORMS

    return list(FORMS.values())


@hookimpl
def pelplug_potentials():
    """Offer the providers of the room `external`, whose libraries may be installed or not."""
    from pelplug.core import room
    from pelplug.potentials.provider import Provider

    return room.classes("pelplug.potentials.external", Provider)
