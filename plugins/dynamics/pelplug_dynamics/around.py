"""From what is asked of motion against neighbours to its curves: what is refused, how far shells reach, errors."""

from __future__ import annotations

import dataclasses

import numpy as np

import pelplug
from pelplug_dynamics.statistics import Averages, Rows, units_in
from pelplug_dynamics.structure import first_shells, largest_distance, radial_distributions, sampled_states
from pelplug_dynamics.surroundings import (
    BONDS,
    CAGED,
    FIRST_FS,
    LASTING,
    NEIGHBOURS,
    SQUARES,
    Around,
    Source,
    sums_around,
)
from pelplug_dynamics.variables import CAGES

__all__ = ["AroundCurves", "AroundEstimates", "asked_around", "cage_radii", "check_around", "estimates_around"]


@dataclasses.dataclass(frozen=True)
class AroundCurves(Rows):
    """Functions of the lag.

    Attributes
    ----------
    msd : ndarray, shape (..., L)
        Cage-relative mean squared displacement [length**2].
    fs : ndarray, shape (..., Q, L)
        Cage-relative self-intermediate scattering function.
    bonds : ndarray, shape (..., L)
        Share of the bonds at the origin that last.
    """

    msd: np.ndarray
    fs: np.ndarray
    bonds: np.ndarray


class AroundEstimates(Averages):
    """The curves of one species against its surroundings: ratios of sums, of all samples and without each.

    Parameters
    ----------
    samples : Samples
    sums : ndarray, shape (5 + Q, L, U)
        Of `sums_around`.

    Attributes
    ----------
    cage_size : float
        Mean number of neighbours of a particle that has any.
    """

    def __init__(self, samples, sums: np.ndarray):
        super().__init__(samples, sums)
        total = sums[:2].sum(axis=(1, 2))
        self.cage_size = float(total[NEIGHBOURS] / total[CAGED]) if total[CAGED] > 0 else np.nan

    def _curves(self, sums, counts) -> AroundCurves:
        with np.errstate(invalid="ignore", divide="ignore"):
            msd, scattering = sums[:, SQUARES] / sums[:, CAGED], sums[:, FIRST_FS:] / sums[:, CAGED, None]
            return AroundCurves(msd, scattering, sums[:, LASTING] / sums[:, BONDS])


def check_around(analysis, first, names) -> None:
    """Refuse neighbours that cannot be told, before any work is done.

    Parameters
    ----------
    analysis : Dynamics
    first : Configuration
        Its first frame.
    names : sequence of str
        Species.

    Raises
    ------
    InputError
        With the remedy.
    """
    radius, pairs = analysis.cage_radius, len(names) * (len(names) + 1) // 2
    if analysis.quantities & set(CAGES):
        if radius == "auto" and first.dimension not in (2, 3):
            raise pelplug.InputError(
                f"g(r) is not computed in {first.dimension} dimensions; give how far the first shell reaches with "
                "--cage-radius (cage_radius= in Python)."
            )
        if np.size(radius) not in (1, pairs):
            raise pelplug.InputError(
                f"The cage radius has {np.size(radius)} values, and {', '.join(names)} make {pairs} pairs of species; "
                "give one, or one for each pair (AA, AB, BB)."
            )
    bonded, broken = analysis.bonds
    if "bond_breaking" in analysis.quantities and broken < bonded:
        raise pelplug.InputError(
            f"Bonds are broken beyond x_broken = {broken:g}, which is below x_bonded = {bonded:g}; give a larger "
            "--x-broken (x_broken= in Python)."
        )
    potential = analysis.potential_or_none(first)
    bonds = "bond_breaking" in analysis.quantities
    # Cages need no sigma, but distances in space, which it refuses to give where there are none.
    scale = pelplug.length_scale(first, potential, analysis.sigma if bonds else 1.0)
    reaches = {}
    if analysis.quantities & set(CAGES) and radius != "auto":
        reaches["--cage-radius"] = float(np.max(radius))
    if bonds:
        reaches["--x-bonded"] = bonded * scale.largest  # beyond that a bond is followed, not looked for
    for option, reach in reaches.items():
        if reach > first.half_box:
            raise pelplug.InputError(
                f"Neighbours up to {reach:.4g} are beyond half the box, {first.half_box:.4g}: one is met twice; "
                f"give a smaller {option}, or a larger system."
            )


def cage_radii(radius, dataset, trajectory, frames, names, count: int) -> np.ndarray:
    """Return how far the first shell of each pair of species reaches, shape (S, S); NaN where g(r) does not show it.

    Parameters
    ----------
    radius : "auto", float or sequence of float
        What was given [length].
    dataset : Dataset
        That may have ``rdf`` already.
    trajectory : Trajectory
    frames : ndarray of int
        Numbers of the frames to choose from.
    names : sequence of str
        Species.
    count : int
        How many frames g(r) is of.
    """
    kinds = len(names)
    if radius == "auto":
        states = sampled_states(trajectory, frames, count)
        if "rdf" in dataset:
            r, g = dataset["r"].values, dataset["rdf"].values
        else:
            r, g = radial_distributions(states, names, largest_distance(states), 250)
        return first_shells(r, g, states, names)
    found = np.zeros((kinds, kinds))
    found[np.triu_indices(kinds)] = radius
    return np.maximum(found, found.T)


def asked_around(analysis, dataset, wave_numbers):
    """Return the dataset with how far the first shells reach, and what is to be summed; None if that is nothing.

    Parameters
    ----------
    analysis : Dynamics
    dataset : Dataset
        That may have ``rdf`` already.
    wave_numbers : sequence of float
        [1 / length].
    """
    radii, names = None, analysis.trajectory.species_names
    if analysis.quantities & set(CAGES):
        frames, count = analysis.joined_frames, analysis.structure_frames
        radii = cage_radii(analysis.cage_radius, dataset, analysis.joined, frames, names, count)
        dataset = dataset.assign(cage_radius=(("species_a", "species_b"), radii))
        dataset = dataset.assign_coords(species_a=list(names), species_b=list(names))
        if np.isnan(radii).any():
            where = (f"{names[a]}-{names[b]}" for a, b in np.argwhere(np.isnan(radii)) if a <= b)
            analysis.reasons.append(
                f"cage-relative displacements: g(r) of {', '.join(where)} has no clear first minimum; give "
                "--cage-radius, or more --structure-frames."
            )
            radii = None
    bonds = analysis.bonds if "bond_breaking" in analysis.quantities else None
    if radii is None and bonds is None:
        return dataset, None
    scattered = "cage_relative_fs" in analysis.quantities and radii is not None
    return dataset, Around(radii, bonds, wave_numbers if scattered else (), analysis.average == "isotropic")


def estimates_around(analysis, runs, samples, members, around) -> dict[str, AroundEstimates]:
    """Return the curves against neighbours of each species, and of all."""
    sources = []
    for trajectory, frames, cells in analysis.read_frames:
        scale = None
        if around.bonds is not None:
            first = trajectory.configuration(frames[0])
            scale = pelplug.length_scale(first, analysis.potential_or_none(first), analysis.sigma)
        sources.append(Source(trajectory, frames, cells, scale))
    sums = sums_around(runs, sources, members, around, units_in(len(runs)))
    return {kind: AroundEstimates(samples, one) for kind, one in sums.items()}
