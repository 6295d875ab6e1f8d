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
    "Temperature",
]

Temperature = Annotated[
    Literal["auto"] | float,
    pelplug.Param("of the velocities; auto: the simulation's", exclusive_minimum=0, unit="temperature"),
]
EngineName = Annotated[str, pelplug.Param("simulation engine")]
HalfWindow = Annotated[
    Literal["auto"] | float, pelplug.Param("averaged on each side; auto: 10 frames", exclusive_minimum=0, unit="time")
]
HopThreshold = Annotated[
    Literal["auto"] | float, pelplug.Param("of p_hop; auto: 0.2 (1.2/rho)^(2/d)", exclusive_minimum=0, unit="length**2")
]
StructuralThreshold = Annotated[
    Literal["auto"] | float,
    pelplug.Param(
        "of the shell's squared displacement; auto: 2 (1.2/rho)^(2/d)", exclusive_minimum=0, unit="length**2"
    ),
]
Delay = Annotated[float, pelplug.Param("to the frames compared on each side", minimum=0, unit="time")]
Shell = Annotated[str, pelplug.Param("who counts as the first shell", choices=("all", "matrix"))]
ShellRadius = Annotated[
    Literal["auto"] | float,
    pelplug.Param("auto: first minimum of g(r) of the matrix", exclusive_minimum=0, unit="length"),
]
Matrix = Annotated[str, pelplug.Param("species whose hops count; auto: the most abundant")]
Separation = Annotated[float, pelplug.Param("least time between two events", minimum=0, unit="time")]
BinWidth = Annotated[
    Literal["auto"] | float, pelplug.Param("of the distance; auto: rho^(-1/d) / 4", exclusive_minimum=0, unit="length")
]
