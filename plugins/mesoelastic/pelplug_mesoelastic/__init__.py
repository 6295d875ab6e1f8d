"""The mesoelastic law: relaxation times against the dipole stiffness of the inherent structures."""

import pelplug

__all__ = ["pelplug_studies"]


@pelplug.hookimpl
def pelplug_studies():
    """Offer the study."""
    from pelplug_mesoelastic.study import Mesoelastic

    return [Mesoelastic]
