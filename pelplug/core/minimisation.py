"""What a quench is asked for, by a command, an analysis or a call: which minimiser, its parameters, how far it goes."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, Literal

from pelplug.core.arguments import Arguments
from pelplug.core.parameters import Param

__all__ = ["ForceTolerance", "MaxEvaluations", "Method", "MinimiserParameters", "Quenching"]

Method = Annotated[
    Literal["fire", "cg", "lbfgs", "sd"],
    Param("minimiser: cg is conjugate gradients, lbfgs limited-memory BFGS, sd steepest descent (slow)"),
]
ForceTolerance = Annotated[
    float, Param("largest force component of a converged state", exclusive_minimum=0.0, unit="energy / length")
]
MaxEvaluations = Annotated[int, Param("force evaluations allowed for a frame", minimum=2, meaning=False)]
MinimiserParameters = Annotated[
    dict[str, Any] | None,
    Param(
        "parameter of the minimiser, as dt_max=0.05; `pelplug plugins -v` lists them",
        option="minimiser-param",
        formerly=("settings",),
    ),
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Quenching(Arguments):
    """By what, and how far, the energy is minimised."""

    method: Method = "fire"
    force_tolerance: ForceTolerance = 1e-10
    max_evaluations: MaxEvaluations = 100_000
    minimiser_parameters: MinimiserParameters = None
