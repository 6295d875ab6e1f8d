"""LandscapeTheory: the base of theories on a landscape of traps, whose parameters are declared here."""

from __future__ import annotations

from typing import Any

from pelplug.landscape.trap_parameters import (
    Centre,
    Crossover,
    Cutoff,
    EntropicFactor,
    Lambda,
    LastBarrier,
    Plateau,
    RatePrefactor,
    Sigma,
    SigmaGamma,
)
from pelplug.landscape.traps import TrapLandscape
from pelplug.tasks.study import Study

__all__ = ["LandscapeTheory"]


class LandscapeTheory(Study):
    """Base of studies that follow from a `pelplug.TrapLandscape`: it has an option for each of its parameters.

    Attributes
    ----------
    landscape : TrapLandscape
        That of the parameters.

    Raises
    ------
    InputError
        If they do not fit together.
    """

    def __init__(
        self,
        collection: Any = None,
        *,
        sigma: Sigma = TrapLandscape.sigma,
        lam: Lambda = TrapLandscape.lam,
        crossover: Crossover = TrapLandscape.crossover,
        entropic_factor: EntropicFactor = TrapLandscape.entropic_factor,
        rate_prefactor: RatePrefactor = TrapLandscape.rate_prefactor,
        last_barrier: LastBarrier = TrapLandscape.last_barrier,
        cutoff: Cutoff = TrapLandscape.cutoff,
        sigma_gamma: SigmaGamma = TrapLandscape.sigma_gamma,
        centre: Centre = TrapLandscape.centre,
        plateau: Plateau = TrapLandscape.plateau,
        **base: Any,
    ) -> None:
        super().__init__(collection, **base)
        self.landscape = TrapLandscape(
            sigma=sigma,
            lam=lam,
            crossover=crossover,
            entropic_factor=entropic_factor,
            rate_prefactor=rate_prefactor,
            last_barrier=last_barrier,
            cutoff=cutoff,
            sigma_gamma=sigma_gamma,
            centre=centre,
            plateau=plateau,
        )
