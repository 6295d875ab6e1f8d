"""Parameters that several analyses of this plugin have."""

from __future__ import annotations

from typing import Annotated, Literal

import pelplug

__all__ = [
    "BinWidth",
    "Delay",
    "EngineName",
    "HalfWindow",
    "HopThreshold",
    "Matrix",
    "Separation",
    "Shell",
    "ShellRadius",
    "StructuralThreshold",
    "TimeStep",
    "VelocityTemperature",
]

VelocityTemperature = Annotated[
    Literal["auto"] | float,
    pelplug.Param(
        "temperature of the velocities; auto: what the trajectory was simulated at",
        exclusive_minimum=0,
        unit="temperature",
    ),
]
TimeStep = Annotated[
    float | None,
    pelplug.Param("time of one step of the runs, the model's by default", exclusive_minimum=0, unit="time"),
]
EngineName = Annotated[str, pelplug.Param("simulation engine")]
HalfWindow = Annotated[
    Literal["auto"] | float,
    pelplug.Param("time averaged over on each side of an event; auto: 10 frames", exclusive_minimum=0, unit="time"),
]
HopThreshold = Annotated[
    Literal["auto"] | float,
    pelplug.Param(
        "frames in a row with p_hop above this are one event; auto: 0.2 (1.2/rho)^(2/d)",
        exclusive_minimum=0,
        unit="length**2",
    ),
]
StructuralThreshold = Annotated[
    Literal["auto"] | float,
    pelplug.Param(
        "structural if the particle and its shell move by more, squared; auto: 2 (1.2/rho)^(2/d)",
        exclusive_minimum=0,
        unit="length**2",
    ),
]
Delay = Annotated[
    float,
    pelplug.Param("time from the event to the frames averaged on each side for the structure", minimum=0, unit="time"),
]
Shell = Annotated[str, pelplug.Param("who counts as the first shell", choices=("all", "matrix"))]
ShellRadius = Annotated[
    Literal["auto"] | float,
    pelplug.Param(
        "radius of the first shell; auto: first minimum of g(r) of the matrix", exclusive_minimum=0, unit="length"
    ),
]
Matrix = Annotated[str, pelplug.Param("species whose hops count; auto: the most abundant")]
Separation = Annotated[float, pelplug.Param("least time from a first to a second event", minimum=0, unit="time")]
BinWidth = Annotated[
    Literal["auto"] | float,
    pelplug.Param("width of the bins of the distance; auto: rho^(-1/d) / 4", exclusive_minimum=0, unit="length"),
]
