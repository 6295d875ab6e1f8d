"""Replica liquid theory of the Mari-Kurchan model: T_MCT, the size of the cage, and the free energy against it."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import numpy as np

import pelplug
from pelplug_replica.solving import Cages

__all__ = ["Replica"]

AT, CURVES, BOUND = ("temperature",), ("curve_temperature", "alpha"), ("bound",)
LENGTH2, TEMPERATURE = "length**2", "temperature"
CAGES_AT = (0.01, 0.03, 0.1, 0.2, 0.4, 0.7, 0.9, 0.97, 0.99, 0.999, 0.9999)  # of T_MCT
CURVES_AT = (0.2, 0.4, 0.7, 1.0, 1.3)
BEYOND = 6.0  # curves go so far beyond the cages, as a factor


class Replica(pelplug.Study):
    """Cages of the Mari-Kurchan model by replica liquid theory: the highest temperature that has one, and all below.

    Notes
    -----
    A cage of size alpha is a root of Eq. S1 of Nishikawa et al.. Below T_MCT there are two: the smaller is the local
    minimum of the free energy against alpha, the glass; the larger its local maximum, over which the liquid lies.
    """

    name = "replica"
    summary = "Replica theory of the Mari-Kurchan model: T_MCT and the size of cages"
    uses = ()
    provides = {  # noqa: RUF012 - the base class declares it a ClassVar
        "temperature": pelplug.Field(AT, TEMPERATURE, "temperature"),
        "cage": pelplug.Field(AT, LENGTH2, "size of the cage, at the local minimum of the free energy"),
        "cage_unstable": pelplug.Field(AT, LENGTH2, "size at the local maximum of the free energy"),
        "barrier": pelplug.Field(AT, "1", "free energy a particle from the minimum to the maximum, over T"),
        "curve_temperature": pelplug.Field(("curve_temperature",), TEMPERATURE, "temperature of a curve"),
        "alpha": pelplug.Field(("alpha",), LENGTH2, "size of the cage"),
        "free_energy": pelplug.Field(CURVES, "1", "free energy a particle over T, from that at transition_cage"),
        "criterion": pelplug.Field(CURVES, "1", "alpha times the right side of the equation of the cage"),
        "transition_temperature": pelplug.Field((), TEMPERATURE, "T_MCT, the highest temperature with a cage"),
        "transition_temperature_bracket": pelplug.Field(BOUND, TEMPERATURE, "one with a cage, and one without"),
        "transition_criterion": pelplug.Field(BOUND, "1", "largest criterion at both, within its error"),
        "transition_cage": pelplug.Field((), LENGTH2, "size of the cage at T_MCT"),
        "transition_cage_bracket": pelplug.Field(BOUND, LENGTH2, "between which it lies"),
        "singularity": pelplug.Field((), "1", "A of ln(alpha_MCT / alpha) = A (1 - T / T_MCT)**(1/2) below T_MCT"),
        "accuracy": pelplug.Field((), "1", "largest numerical error of the criterion on its curves"),
    }
    trial = {"parameters": {"tolerance": 1e-3, "temperatures": (0.005, 0.01), "points": 6}}  # noqa: RUF012
    cites = (
        "Y. Nishikawa et al., Phys. Rev. X 12, 021001 (2022)",
        "R. Mari and J. Kurchan, J. Chem. Phys. 135, 124504 (2011)",
        "G. Parisi and F. Zamponi, Rev. Mod. Phys. 82, 789 (2010)",
    )

    def __init__(
        self,
        collection=None,
        *,
        volume_fraction: Annotated[
            float, pelplug.Param("volume of the spheres over that of the box", exclusive_minimum=0, maximum=1e3)
        ] = 0.5,
        cutoff: Annotated[
            float, pelplug.Param("cutoff of every pair", minimum=0.1, maximum=100, unit="diameter")
        ] = 4.0,
        dimension: Annotated[Literal[2, 3, 4, 5, 6, 7, 8], pelplug.Param("dimension of space")] = 3,
        temperatures: Annotated[
            tuple[float, ...] | Literal["auto"],
            pelplug.Param(
                "temperatures of cages and curves; auto: shares of T_MCT", exclusive_minimum=0, unit="temperature"
            ),
        ] = "auto",
        points: Annotated[int, pelplug.Param("sizes of the cage on a curve", minimum=4, maximum=1000)] = 48,
        tolerance: Annotated[
            float, pelplug.Param("width of the bracket of T_MCT over itself", minimum=1e-7, maximum=0.05)
        ] = 1e-5,
        **base,
    ):
        super().__init__(collection, **base)
        self.volume_fraction, self.cutoff, self.dimension = volume_fraction, cutoff, dimension
        self.temperatures, self.points, self.tolerance = temperatures, points, tolerance
        if temperatures != "auto" and not 0 < len(temperatures) <= 100:
            raise pelplug.InputError(f"Give between 1 and 100 temperatures, not {len(temperatures)}.")

    def compute(self, collection):
        """Find T_MCT from both sides, then the cages and the curves."""
        model = pelplug.model(
            "mari-kurchan", volume_fraction=self.volume_fraction, cutoff=self.cutoff, dimension=self.dimension
        )
        cages = Cages(model.pair_energy, cutoff=self.cutoff, density=model.density, dimension=self.dimension)
        found = cages.transition(self.tolerance)
        at, curves_at = self._temperatures(found)
        roots = np.array([cages.roots(one) for one in at])
        known = roots[np.isfinite(roots)]
        alpha = np.geomspace(
            min(known.min(), found.cage) / BEYOND, max(found.cage, np.nanmax(roots[:, 0])) * BEYOND**2, self.points
        )
        smeared = [[cages.at(one).smeared(a) for a in alpha] for one in curves_at]
        zero = np.array([[cages.at(one).smeared(found.cage).free_energy] for one in curves_at])
        self.missing = at[~np.isfinite(roots[:, 0])]
        return {
            "temperature": at,
            "cage": roots[:, 0],
            "cage_unstable": roots[:, 1],
            "barrier": [self._barrier(cages.at(one), *pair) for one, pair in zip(at, roots, strict=True)],
            "curve_temperature": curves_at,
            "alpha": alpha,
            "free_energy": np.array([[one.free_energy for one in curve] for curve in smeared]) - zero,
            "criterion": [[one.criterion for one in curve] for curve in smeared],
            "transition_temperature": found.temperature,
            "transition_temperature_bracket": found.bracket,
            "transition_criterion": found.peaks,
            "transition_cage": found.cage,
            "transition_cage_bracket": found.cage_bracket,
            "singularity": found.amplitude,
            "accuracy": max(one.criterion_error for curve in smeared for one in curve),
        }

    def summarize(self, dataset):
        """Name the bounds, and say at which temperatures there is no cage."""
        if self.missing.size:
            many = ", ".join(f"{one:g}" for one in self.missing)
            above = f"T_MCT = {float(dataset['transition_temperature']):.5g}"
            dataset.attrs["not_found"] = json.dumps([f"No cage at T = {many}: there is none above {above}."])
        return dataset.assign_coords(bound=["lower", "upper"])

    def plot(self, ax=None, **keywords):
        """Draw the size of the cage over temperature."""
        from pelplug_replica.drawing import draw_cages

        return draw_cages(self.to_dataset(), self.parameters, ax, **keywords)

    def figure(self):
        """Return a Figure of the free energy, of the equation of the cage, of the cages and of their singularity."""
        from pelplug_replica.drawing import draw_theory

        return draw_theory(self.to_dataset(), self.parameters)

    # --- helpers --------------------------------------------------------------------------------------------------

    def _temperatures(self, found):
        """Return the temperatures of cages and of curves; some must have a cage."""
        if self.temperatures == "auto":
            return np.multiply(CAGES_AT, found.temperature), np.multiply(CURVES_AT, found.temperature)
        at = np.unique(np.asarray(self.temperatures, dtype=float))
        if at[0] >= found.temperature:
            raise pelplug.InputError(
                f"There is no cage at T = {', '.join(f'{one:g}' for one in at)}: the highest temperature that has one "
                f"is T_MCT = {found.temperature:.6g}; give a lower temperature too."
            )
        return at, at

    @staticmethod
    def _barrier(one, cage, unstable):
        if not np.isfinite(cage):
            return np.nan
        return one.smeared(unstable).free_energy - one.smeared(cage).free_energy
