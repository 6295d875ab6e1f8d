"""Forms, neighbour lists, kernels: energy, forces, stress, Hessian. For models, and authors of forms."""

import pluggy

hookimpl = pluggy.HookimplMarker("pelplug")


@hookimpl
def pelplug_potentials():
    """Offer the functional forms that come with pelplug."""
    from pelplug.potentials.forms import FORMS

    return list(FORMS.values())
