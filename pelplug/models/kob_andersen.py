"""The Kob-Andersen mixture in three and two dimensions, and its crystallisation-resistant modification."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.parameters import Param
from pelplug.models.scales import ScaledModel
from pelplug.potentials.base import Potential
from pelplug.potentials.forms.lennard_jones import LENNARD_JONES

__all__ = ["KobAndersen", "KobAndersen2D", "ModifiedKobAndersen"]

_KOB_ANDERSEN = "W. Kob and H. C. Andersen, Phys. Rev. E 51, 4626 (1995)"

Truncation = Annotated[
    Literal["shift", "shifted-force", "smooth"],
    Param("what is done at the cutoff: U shifted; U and U' shifted; U, U', U'' made to vanish"),
]


class _LennardJonesMixture(ScaledModel):
    """80:20 pair parameters; subclasses say where and how the interactions end."""

    species = ("A", "B")
    formula = "4 epsilon (x^-12 - x^-6) + truncation for x < cutoff, x = r / sigma_ij"
    time_step = 0.005

    @property
    def epsilon(self) -> np.ndarray:
        """Energy scale of each pair of species [energy]."""
        return self.energy_scale * np.array([[1.0, 1.5], [1.5, 0.5]])

    @property
    def sigma(self) -> np.ndarray:
        """Length scale of each pair of species [length]."""
        return self.length_scale * np.array([[1.0, 0.8], [0.8, 0.88]])

    def _reduced_cutoffs(self) -> np.ndarray:
        """Cutoffs in units of sigma_ij, shape (2, 2)."""
        raise NotImplementedError

    @property
    def constants(self) -> dict:
        """Energy scales, sizes and cutoffs by pair."""
        tables = {"epsilon": self.epsilon, "sigma": self.sigma, "cutoff": self._reduced_cutoffs() * self.sigma}
        return {
            name: {"AA": float(table[0, 0]), "AB": float(table[0, 1]), "BB": float(table[1, 1])}
            for name, table in tables.items()
        }

    def potential_of(self, configuration: Configuration) -> Potential:
        """Return the truncated Lennard-Jones potential of the mixture."""
        from pelplug.potentials.pair import PairPotential

        return PairPotential(
            LENNARD_JONES,
            species=self.species,
            sigma=self.sigma,
            cutoff=self._reduced_cutoffs() * self.sigma,
            parameters={"epsilon": self.epsilon},
            truncation=self.parameters["truncation"],
        )


class KobAndersen(_LennardJonesMixture):
    """80:20 Lennard-Jones mixture in three dimensions."""

    name = "kob-andersen"
    aliases: ClassVar[tuple[str, ...]] = ("kalj", "bmlj")
    summary = "80:20 Lennard-Jones mixture in three dimensions, the standard model of a glass-forming liquid"
    cites = (_KOB_ANDERSEN,)
    density = 1.2
    composition: ClassVar = {"A": 0.8, "B": 0.2}
    other_dimensions: ClassVar = {2: "kob-andersen-2d"}

    def __init__(
        self,
        *,
        truncation: Truncation = "shift",
        cutoff: Annotated[
            float,
            Param("cutoff of every pair; 1.8 in the papers' N = 65 system", exclusive_minimum=0.0, unit="sigma_ij"),
        ] = 2.5,
        **scales: Any,
    ) -> None:
        super().__init__(**scales)

    def _reduced_cutoffs(self) -> np.ndarray:
        return np.full((2, 2), self.parameters["cutoff"])


class KobAndersen2D(KobAndersen):
    """65:35 Lennard-Jones mixture in two dimensions."""

    name = "kob-andersen-2d"
    aliases = ("kalj-2d", "bmlj-2d")
    summary = "65:35 Lennard-Jones mixture in two dimensions, with the pair parameters of kob-andersen"
    cites = (
        _KOB_ANDERSEN,
        "R. Bruening, D. A. St-Onge, S. Patterson and W. Kob, J. Phys.: Condens. Matter 21, 035117 (2009)",
    )
    dimension = 2
    composition: ClassVar = {"A": 0.65, "B": 0.35}
    other_dimensions: ClassVar = {3: "kob-andersen"}


class ModifiedKobAndersen(_LennardJonesMixture):
    """Kob-Andersen mixture whose like pairs attract less, so that it does not crystallise."""

    name = "modified-kob-andersen"
    aliases = ("mblj", "mka")
    summary = "Kob-Andersen mixture with short like-pair attractions, which resists crystallisation"
    cites = (
        "T. B. Schroder and J. C. Dyre, J. Chem. Phys. 152, 141101 (2020)",
        "G. Kapteijns et al., J. Chem. Phys. 155, 074502 (2021)",
    )
    density = 1.2
    composition: ClassVar = {"A": 0.8, "B": 0.2}

    def __init__(
        self,
        *,
        truncation: Truncation = "shifted-force",
        like_cutoff: Annotated[float, Param("cutoff of AA and BB pairs", exclusive_minimum=0.0, unit="sigma_ij")] = 1.5,
        unlike_cutoff: Annotated[float, Param("cutoff of AB pairs", exclusive_minimum=0.0, unit="sigma_AB")] = 2.5,
        **scales: Any,
    ) -> None:
        super().__init__(**scales)

    def _reduced_cutoffs(self) -> np.ndarray:
        like, unlike = self.parameters["like_cutoff"], self.parameters["unlike_cutoff"]
        return np.array([[like, unlike], [unlike, like]])
