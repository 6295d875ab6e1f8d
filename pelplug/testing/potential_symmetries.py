"""The checks of a potential that look at one state told in another way: moved, turned, renumbered, repeated."""

from __future__ import annotations

import numpy as np

from pelplug.testing.checks import check, require
from pelplug.testing.potentials import scale_of, state_of
from pelplug.testing.states import in_other_images, renumbered, rotation, supercell, turned, with_other_vectors

__all__ = []

_MANY = 20_000  # particles: more are not looked at


def _in_any_cell(potential) -> bool:
    """Whether the disorder of the pairs, if there is any, is not bound to the cell and the numbers of the particles."""
    return not potential.shifted


def _require_same(potential, kit, other, expected, what: str, copies: int = 1) -> None:
    """Require energy and forces of another state, `expected` being the forces there as made of those here."""
    state = state_of(potential, kit)
    energy, forces = potential.energy_forces(state)
    found, theirs = potential.energy_forces(other)
    close = kit.tolerance * 1e-3
    require(
        abs(found / copies - energy) <= close * (abs(energy) + scale_of(forces)),
        f"the energy is {energy:.10g}, and {found / copies:.10g} {what}",
    )
    off = float(np.abs(theirs - expected(forces)).max())
    require(off <= close * max(scale_of(forces), 1e-3 * np.abs(forces).max()), f"forces differ by {off:.3g} {what}")


@check("potential")
def check_energy_translation(potential, kit):
    """Moving all particles by one vector changes neither energy nor forces, and these add to nothing."""
    state = state_of(potential, kit)
    shift = np.linspace(0.21, 0.43, state.dimension) @ state.cell
    other = state.replace(positions=state.positions + shift)
    _require_same(potential, kit, other, lambda forces: forces, "with all particles moved by one vector")
    forces = potential.forces(state)
    left = float(np.abs(forces.sum(axis=0)).max())
    require(
        left <= kit.tolerance * 1e-3 * np.sqrt(state.n) * np.abs(forces).max(), f"the forces add to {left:.3g}, not 0"
    )


@check("potential", when=_in_any_cell)
def check_energy_rotation(potential, kit):
    """Turning particles and cell turns the forces with them."""
    state = state_of(potential, kit)
    turn = rotation(state.dimension, kit.seed)
    _require_same(potential, kit, turned(state, turn), lambda forces: forces @ turn, "with space turned")


@check("potential")
def check_energy_images(potential, kit):
    """Moving particles by whole cell vectors changes nothing."""
    state = state_of(potential, kit)
    _require_same(potential, kit, in_other_images(state, kit.seed), lambda forces: forces, "in other images")


@check("potential", when=_in_any_cell)
def check_energy_cell(potential, kit):
    """Other cell vectors of the same crystal of copies change nothing, in another order or left-handed either."""
    state = state_of(potential, kit)
    slanted = with_other_vectors(state, kit.seed)
    reversed_one = state.cell * np.where(np.arange(state.dimension) == 1, -1.0, 1.0)[:, None]
    for other, what in (
        (slanted, "by other cell vectors of the same state"),
        (state.replace(cell=state.cell[::-1]), "with the cell vectors in another order"),
        (state.replace(cell=reversed_one), "with a cell vector reversed"),
    ):
        _require_same(potential, kit, other, lambda forces: forces, what)


@check("potential", when=_in_any_cell)
def check_energy_permutation(potential, kit):
    """Numbering the particles anew changes nothing."""
    state = state_of(potential, kit)
    order = np.random.default_rng(kit.seed).permutation(state.n)
    _require_same(potential, kit, renumbered(state, order), lambda forces: forces[order], "in another order")


@check("potential", when=_in_any_cell)
def check_energy_supercell(potential, kit):
    """Several copies of the cell have the energy of one, each."""
    state = state_of(potential, kit)
    copies = 2**state.dimension
    if state.n * copies <= _MANY:
        _require_same(
            potential,
            kit,
            supercell(state, 2),
            lambda forces: np.tile(forces, (copies, 1)),
            "a cell of several",
            copies,
        )
