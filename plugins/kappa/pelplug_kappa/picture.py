"""What a drawing of an inherent structure needs besides positions: sizes of particles, and bonds as sticks."""

from __future__ import annotations

from typing import Any

import numpy as np

import pelplug

__all__ = ["FIELDS", "as_given", "picture"]

FIELDS = {
    "diameter": pelplug.Field(("frame", "particle"), "length", "particle diameter"),
    "diameter_rule": pelplug.Field(
        ("frame",), "1", "where diameters are from: configuration, potential, peaks of g(r), or mean distance (density)"
    ),
    "bond_i": pelplug.Field(("frame", "bond"), "1", "first particle of the bond", ragged=True),
    "bond_j": pelplug.Field(("frame", "bond"), "1", "second particle of the bond", ragged=True),
    "bond_rule": pelplug.Field(("frame",), "1", "where bonds are from: the force field, or the rule for pairs"),
}


def as_given(potential: pelplug.Potential) -> pelplug.Potential:
    """Return a potential without the derivatives that are made from its forces: what it lists itself."""
    return potential.potential if isinstance(potential, pelplug.FromForces) else potential


def picture(response: pelplug.LinearResponse, potential: pelplug.Potential) -> dict[str, Any]:
    """Return diameters, and bonds: of the force field, else pairs by a rule that means neighbours.

    Pairs that interact, or share a block of the Hessian, reach beyond neighbours and would hide all else; of such there
    are no bonds, and no variables of them where the potential lists its pairs.

    Parameters
    ----------
    response : LinearResponse
        Of the inherent structure, with its pairs chosen.
    potential : Potential
        As given: the response's own may list pairs that this one does not.

    Returns
    -------
    dict of str to values
        Of some of `FIELDS`.
    """
    state, rule = response.configuration, response.pair_rule
    sizes = pelplug.particle_sizes(state, potential)
    found = {"diameter": sizes.diameters, "diameter_rule": sizes.rule}
    bonds, origin = potential.bonds(state), "force field"
    if bonds is None and rule not in ("interacting", "hessian"):
        bonds, origin = response.members[np.stack([response.pairs.i, response.pairs.j], axis=1)], rule
    if bonds is None and potential.can(pelplug.Capability.PAIRS):
        return found
    if bonds is None:
        bonds, origin = np.zeros((0, 2), dtype=np.int64), "none"
    # A pair through several images is one stick.
    bonds = np.unique(np.sort(np.asarray(bonds, dtype=np.int64), axis=1), axis=0)
    return found | {"bond_i": bonds[:, 0], "bond_j": bonds[:, 1], "bond_rule": origin}
