"""Observation: which analyses look at a simulation while it runs, as a user says it."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Annotated, Any

from pelplug.core.arguments import Arguments
from pelplug.core.parameters import Param

__all__ = ["Observation"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Observation(Arguments):
    """Which analyses look at a simulation while it runs."""

    in_situ: Annotated[tuple[str, ...], Param("analyses to run while simulating, in production", metavar="NAME")] = ()
    in_situ_every: Annotated[
        int | None,
        Param(
            "steps between the states that they see",
            metavar="N",
            minimum=1,
            details="Those of energies see every one that is logged.",
        ),
    ] = None
    in_situ_output: Annotated[
        pathlib.Path | None,
        Param(
            "their results; on the command line the trajectory's name with the ending .nc by default",
            metavar="OUT.nc",
            details="They are in ``datasets`` of what is returned too.",
        ),
    ] = None
    in_situ_parameters: Annotated[
        dict[str, Any] | None, Param("parameter of such an analysis", metavar="KEY=VALUE", option="in-situ-param")
    ] = None
