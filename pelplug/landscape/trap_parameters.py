"""Parameters of a landscape of traps, declared once: for `TrapLandscape` and the options of theories on it."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import numpy as np

from pelplug.core.parameters import Param

__all__ = [
    "Centre",
    "Crossover",
    "Cutoff",
    "EntropicFactor",
    "Lambda",
    "LastBarrier",
    "Plateau",
    "RatePrefactor",
    "Sigma",
    "SigmaGamma",
]

Sigma: TypeAlias = Annotated[
    float, Param("sigma: width of the density of metabasins", exclusive_minimum=0.0, unit="energy")
]
Lambda: TypeAlias = Annotated[
    float, Param("lambda: share of the depth below the crossover that is barrier", minimum=0.0, option="lambda")
]
Crossover: TypeAlias = Annotated[float, Param("e_c: below it a metabasin is left over a barrier", unit="energy")]
EntropicFactor: TypeAlias = Annotated[
    float,
    Param("kappa: how much of k = (e_0 - e_c) / sigma^2 more ways out of deep ones take off 1/T", minimum=0.0),
]
RatePrefactor: TypeAlias = Annotated[
    float, Param("Gamma_0: rate above the crossover without the last barrier", exclusive_minimum=0.0, unit="1 / time")
]
LastBarrier: TypeAlias = Annotated[
    float, Param("V_0: height of the last barrier on any way out", minimum=0.0, unit="energy")
]
Cutoff: TypeAlias = Annotated[
    float, Param("e_cut: no metabasin lies below; -inf for none", maximum=np.inf, unit="energy")
]
SigmaGamma: TypeAlias = Annotated[
    float, Param("sigma_gamma: width of the logarithm of the rates at one energy", minimum=0.0)
]
Centre: TypeAlias = Annotated[float, Param("e_0: energy at which metabasins are densest", unit="energy")]
Plateau: TypeAlias = Annotated[
    bool, Param("the rate is one above the crossover; else it goes on as below, as in the closed forms")
]
