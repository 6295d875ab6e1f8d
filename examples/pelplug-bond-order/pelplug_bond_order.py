"""Bond-orientational order, by freud."""

from typing import Annotated

import freud

import pelplug


@pelplug.analysis(provides={"q6": pelplug.Field(("frame", "particle"), "1", "bond-orientational order q6")})
def bond_order(configuration, *, r_max: Annotated[float, pelplug.Param("longest bond", unit="length")] = 1.4):
    """Steinhardt's q6 of every particle."""
    return {"q6": freud.order.Steinhardt(6).compute(configuration.freud(), {"r_max": r_max}).particle_order}


@pelplug.hookimpl
def pelplug_analyses():
    return [bond_order]
