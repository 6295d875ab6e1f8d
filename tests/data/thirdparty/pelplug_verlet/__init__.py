"""An engine of a third party."""

import pelplug


@pelplug.hookimpl
def pelplug_engines():
    from pelplug_verlet.engine import Verlet

    return [Verlet]
