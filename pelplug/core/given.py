"""Given: what a user says of the conditions of a file that does not say them."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from pelplug.core.arguments import Arguments
from pelplug.core.parameters import Param

__all__ = ["Given", "Label", "ParentTemperature"]

# Those that a simulation takes too, to record them.
ParentTemperature = Annotated[
    float | None,
    Param(
        "temperature of the liquid that inherent structures or a glass came from, where the file does not say",
        metavar="T",
        exclusive_minimum=0.0,
        unit="temperature",
    ),
]
Label = Annotated[str | None, Param("name of the conditions in plots", metavar="TEXT")]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Given(Arguments):
    """At what conditions the states of a file were sampled, where the file does not say; see `pelplug.Conditions`."""

    temperature: Annotated[
        float | None,
        Param(
            "temperature of the ensemble that the states were sampled from, where the file does not say",
            metavar="T",
            exclusive_minimum=0.0,
            unit="temperature",
            details="In the units of the model, or else of the file: K, or k_B T where k_B is 1.",
        ),
    ] = None
    parent_temperature: ParentTemperature = None
    pressure: Annotated[
        float | None, Param("pressure of the barostat", metavar="P", unit="energy / length**dimension")
    ] = None
    replica: Annotated[
        int | None, Param("which of several independent runs, where the file does not say", metavar="N", minimum=0)
    ] = None
    label: Label = None
