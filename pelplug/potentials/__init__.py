"""Functional forms, neighbour lists and kernels for energy, forces, stress and Hessian."""

import pluggy

hookimpl = pluggy.HookimplMarker("pelplug")


@hookimpl
def pelplug_potentials():
    """Offer the functional forms that come with pelplug."""
    from pelplug.potentials.forms import FORMS

    return list(FORMS.values())
