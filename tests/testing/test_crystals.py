"""Crystals and states of the kit: neighbours and lattice sums counted by hand, and published energies."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.special import zeta

import pelplug
from pelplug.potentials.forms.lennard_jones import LENNARD_JONES
from pelplug.testing import states
from pelplug.testing.crystals import CRYSTALS, crystal, hypercubic

ALL = [*CRYSTALS.values(), *(hypercubic(d) for d in (4, 5, 6))]


def squares(state, reach):
    """Squared distances of everything within so many cells of the first particle."""
    shifts = np.array(list(itertools.product(range(-reach, reach + 1), repeat=state.dimension))) @ state.cell
    vectors = (state.positions - state.positions[0])[None] + shifts[:, None]
    found = np.sum(vectors**2, axis=-1).ravel()
    return found[found > 1e-9]


@pytest.mark.parametrize("primitive", [False, True])
@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_neighbours_of_a_crystal_in_either_cell(one, primitive):
    state = one.configuration(1, spacing=1.1, primitive=primitive)
    found = squares(state, 4 if one.dimension < 4 else 2) / 1.1**2
    for shell in one.shells:
        assert np.count_nonzero(np.abs(found - shell.squared) < 1e-9) == shell.count
    assert np.count_nonzero(found < one.shells[-1].squared + 1e-9) == sum(shell.count for shell in one.shells)
    dense = one.configuration(2, density=0.7, primitive=primitive, species=("A", "B"))
    assert dense.density == pytest.approx(0.7, rel=1e-12) and dense.n == 2**one.dimension * state.n


def test_two_species_on_the_centred_cube_are_caesium_chloride():
    state = crystal("bcc", 3, density=1.0, species=("A", "B"))
    unlike = state.species != state.species[0]
    assert np.count_nonzero(unlike) == state.n // 2
    inside = state.positions[:, None] - state.positions[None]
    inside -= np.rint(inside @ np.linalg.inv(state.cell)) @ state.cell
    distance = np.linalg.norm(inside, axis=2)
    nearest = np.abs(distance - distance[distance > 1e-9].min()) < 1e-9
    assert np.all(nearest.sum(axis=1) == 8) and not np.any(nearest & (state.species[:, None] == state.species))


def test_lattice_sums_in_two_dimensions_are_products_of_zeta_functions():
    for s in (3, 6):
        beta = 4.0**-s * (zeta(s, 0.25) - zeta(s, 0.75))
        character = 3.0**-s * (zeta(s, 1 / 3) - zeta(s, 2 / 3))
        assert CRYSTALS["square"].sums[2 * s] == pytest.approx(4 * zeta(s) * beta, rel=1e-11)
        assert CRYSTALS["triangular"].sums[2 * s] == pytest.approx(6 * zeta(s) * character, rel=1e-11)


@pytest.mark.parametrize("name", ["sc", "bcc", "fcc", "hcp"])
def test_lattice_sums_in_three_dimensions(name):
    one = CRYSTALS[name]
    state = one.configuration(1, spacing=1.0)
    found = squares(state, 12)
    reach = 12 * state.heights.min()
    found = found[found < reach**2]
    for power, tolerance in ((6, 2e-5), (12, 1e-9)):
        beyond = 4 * np.pi * state.density * reach ** (3 - power) / (power - 3)
        assert one.sums[power] == pytest.approx(np.sum(found ** (-power / 2)) + beyond, rel=tolerance)


def test_published_energies_of_lennard_jones_crystals():
    """-8.610 epsilon of fcc, -8.237 of bcc, hcp 0.01 % below fcc (C. Kittel, Introduction to Solid State Physics)."""
    energies = {name: CRYSTALS[name].lennard_jones_energy(CRYSTALS[name].lennard_jones_spacing) for name in
                ("fcc", "hcp", "bcc")}  # fmt: skip
    assert energies["fcc"] == pytest.approx(-8.610, abs=5e-4) and energies["bcc"] == pytest.approx(-8.237, abs=5e-4)
    assert energies["hcp"] / energies["fcc"] - 1 == pytest.approx(1e-4, rel=0.2)
    assert CRYSTALS["fcc"].lennard_jones_spacing == pytest.approx(1.0902, abs=1e-4)


@pytest.mark.parametrize("name", ["sc", "bcc", "fcc", "hcp", "square", "triangular"])
def test_the_potential_has_the_energy_of_the_lattice_sum(name):
    """Cut at 8 sigma, and what is beyond by an integral."""
    one = CRYSTALS[name]
    reach, spacing = 8.0, 1.09
    state = one.configuration(4, spacing=spacing)
    cut = pelplug.PairPotential(LENNARD_JONES, sigma=1.0, cutoff=reach, parameters={"epsilon": 1.0})
    d, area = one.dimension, 2 * np.pi * (one.dimension - 1)
    tail = 0.5 * state.density * area * 4 * (reach ** (d - 12) / (12 - d) - reach ** (d - 6) / (6 - d))
    assert cut.energy(state) / state.n + tail == pytest.approx(one.lennard_jones_energy(spacing), rel=3e-4)


def test_one_crystal_whichever_way_it_is_told():
    cut = pelplug.PairPotential(LENNARD_JONES, sigma=1.0, cutoff=2.0, parameters={"epsilon": 1.0})
    whole = crystal("fcc", 3, density=1.1)
    moved = whole.replace(positions=whole.positions + np.random.default_rng(1).normal(0, 0.03, whole.positions.shape))
    energy = cut.energy(moved)
    turn = states.rotation(3, 4)
    order = np.random.default_rng(0).permutation(moved.n)
    assert turn @ turn.T == pytest.approx(np.eye(3)) and np.linalg.det(turn) == pytest.approx(1.0)
    for other in (
        states.turned(moved, turn),
        states.with_other_vectors(moved, 3),
        states.in_other_images(moved, 2),
        states.renumbered(moved, order),
    ):
        assert cut.energy(other) == pytest.approx(energy, rel=1e-13)
        assert other.volume == pytest.approx(whole.volume)
    assert cut.energy(states.supercell(moved, 2)) == pytest.approx(8 * energy, rel=1e-13)
    assert not np.allclose(states.with_other_vectors(moved, 3).cell, moved.cell)
    small = crystal("fcc", 5, density=1.1, primitive=True)
    assert cut.energy(small) / small.n == pytest.approx(cut.energy(whole) / whole.n, rel=1e-13)
    # Tilted it is another state.
    assert cut.energy(states.tilted(moved, 1)) != pytest.approx(energy, rel=1e-3)


@pytest.mark.parametrize("d", [2, 3, 4])
def test_a_liquid_has_no_close_pairs_and_no_order(d):
    state = states.liquid(100, d, density=1.3, species=("A", "B"), seed=3)
    spacing = 1.3 ** (-1 / d)
    assert state.density == pytest.approx(1.3) and np.count_nonzero(state.species == "B") == 50
    inside = state.positions[:, None] - state.positions[None]
    inside -= np.rint(inside @ np.linalg.inv(state.cell)) @ state.cell
    distance = np.linalg.norm(inside, axis=2)[np.triu_indices(100, 1)]
    assert distance.min() > 0.6 * spacing
    assert np.std(distance[distance < 1.2 * spacing]) > 0.02 * spacing  # no lattice
    again = states.liquid(100, d, density=1.3, species=("A", "B"), seed=3)
    assert np.array_equal(again.positions, state.positions)
    assert not np.allclose(states.liquid(100, d, density=1.3, seed=4).positions, state.positions)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: crystal("fc"), "did you mean fcc"),
        (lambda: crystal("fcc", density=1.0, spacing=1.0), "either a density or a spacing"),
        (lambda: crystal("fcc", density=0.0), "must be positive"),
    ],
)
def test_what_is_no_crystal(call, words):
    with pytest.raises(pelplug.InputError, match=words):
        call()
