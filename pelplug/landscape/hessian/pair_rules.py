"""Whose pairs have dipoles: rules for potentials that are no sums over pairs, or act between everybody."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.potentials.base import Pairs, Potential
from pelplug.potentials.first_shells import FirstShells, first_shells
from pelplug.potentials.from_forces.potential import FromForces
from pelplug.potentials.near_pairs import near_pairs

__all__ = ["PAIR_RULES", "pairs_by_rule", "resolved"]

PAIR_RULES = ("auto", "interacting", "first-shell", "bonds", "hessian")
# Norm of a block below which it counts as zero, as a fraction of the largest: potentials may end exponentially.
_FAINT = 1e-6


def resolved(rule: str | float, potential: Potential) -> str | float:
    """Return the rule that ``auto`` stands for.

    Pairs that interact are few where the potential lists them, where forces are sums over pairs, or where its cutoff is
    known. Everywhere else neighbours of neighbours, or all particles, share a block of the Hessian, and the first shell
    counts.

    Parameters
    ----------
    rule : str or float
    potential : Potential
        Which was asked for its pairs.
    """
    if rule != "auto":
        return rule
    everybody = isinstance(potential, FromForces) and potential.found().get("pairs") == "blocks"
    return "first-shell" if everybody else "interacting"


def pairs_by_rule(
    rule: str | float, state: Configuration, potential: Potential, hessian: Any, shells: FirstShells | None
) -> Pairs:
    """Return the pairs of a state by a rule other than ``interacting``; ``first`` and ``second`` are zero.

    Parameters
    ----------
    rule : {"first-shell", "bonds", "hessian"} or float
        A number is a distance [length].
    state : Configuration
    potential : Potential
    hessian : bsr_matrix or operator
        Of ``state`` [energy / length**2].
    shells : FirstShells, optional
        Of the state itself by default.

    Raises
    ------
    InputError
        If there are no bonds, no first shell that is clear, no blocks, or no pairs.
    """
    if rule == "first-shell":
        return _within_shells(state, first_shells([state]) if shells is None else shells)
    if not isinstance(rule, str):
        near = near_pairs(state.positions, state.cell, float(rule))
        if not len(near.i):
            raise InputError(f"No two particles are nearer than {rule:g}; give a longer distance (--pair-rule).")
        return _pairs(near.i, near.j, near.vectors)
    if rule == "bonds":
        bonds = potential.bonds(state)
        if bonds is None:
            raise InputError(
                "The force field has no bonds; take another rule for pairs, as --pair-rule first-shell "
                "(pair_rule= in Python)."
            )
        return _nearest(state, np.sort(np.unique(np.sort(bonds, axis=1), axis=0), axis=1))
    if not hasattr(hessian, "indptr"):
        raise InputError(
            "Without the matrix of the Hessian nobody can tell whose block is not zero; choose the solver dense or "
            "sparse, or another rule for pairs (--pair-rule first-shell)."
        )
    return _nearest(state, _blocks(hessian, potential, state))


def _within_shells(state: Configuration, shells: FirstShells) -> Pairs:
    shells.require("a length for all pairs (--pair-rule 3.2), or another rule (--pair-rule interacting)")
    near = near_pairs(state.positions, state.cell, float(shells.minima.max()))
    kind = shells.numbers(state)
    inside = near.distances < shells.minima[kind[near.i], kind[near.j]]
    return _pairs(near.i[inside], near.j[inside], near.vectors[inside])


def _blocks(hessian: Any, potential: Potential, state: Configuration) -> np.ndarray:
    size = np.linalg.norm(hessian.data, axis=(1, 2))
    noise = potential.hessian_noise(state) if isinstance(potential, FromForces) else 0.0
    rows = np.repeat(np.arange(state.n), np.diff(hessian.indptr))
    there = (rows < hessian.indices) & (size > max(noise, _FAINT * size.max()))
    return np.stack([rows[there], hessian.indices[there]], axis=1).astype(np.int64)


def _nearest(state: Configuration, pairs: np.ndarray) -> Pairs:
    """Return pairs at their nearest images."""
    i, j = pairs.T
    fractional = state.fractional()
    step = fractional[j] - fractional[i]
    step -= np.rint(step)
    best = np.full(len(i), np.inf)
    vectors = np.zeros((len(i), state.dimension))
    for corner in itertools.product((-1, 0, 1), repeat=state.dimension):
        tried = (step + np.array(corner)) @ state.cell
        length = np.linalg.norm(tried, axis=1)
        vectors[length < best] = tried[length < best]
        best = np.minimum(best, length)
    return _pairs(i, j, vectors)


def _pairs(i: np.ndarray, j: np.ndarray, vectors: np.ndarray) -> Pairs:
    nothing = np.zeros(len(i))
    distances = np.linalg.norm(vectors, axis=1)
    return Pairs(i, j, vectors, distances, nothing, nothing, np.full(len(i), np.nan), central=False)
