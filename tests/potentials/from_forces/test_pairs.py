"""Who interacts, from forces alone: the exact set, in small and oblique cells, and what is not a sum over pairs."""

import numpy as np
import pytest
from oracles.forces_only import Only

import pelplug
from pelplug.testing import states


def liquid(name, n, tilted=False, **parameters):
    model = pelplug.model(name, **parameters)
    state = model.random_configuration(n, n)
    state = states.without_overlaps(states.tilted(state, rng=1) if tilted else state, model.potential(state))
    return state, model.potential(state)


def in_order(pairs):
    order = np.lexsort((pairs.distances, pairs.j, pairs.i))
    return pairs.i[order], pairs.j[order], pairs.distances[order], pairs.first[order], pairs.second[order]


@pytest.mark.parametrize("with_cutoff", [False, True])
@pytest.mark.parametrize("tilted", [False, True])
@pytest.mark.parametrize(
    ("name", "n", "parameters"),
    [
        ("kob-andersen", 300, {"truncation": "smooth"}),
        ("kob-andersen", 300, {}),
        ("kob-andersen", 30, {"truncation": "smooth"}),  # several images within reach
        ("kob-andersen", 9, {"truncation": "smooth"}),  # a particle and its own images
        ("kob-andersen-2d", 30, {"truncation": "smooth"}),
        ("inverse-power-law", 60, {}),
        ("polydisperse-soft-spheres", 80, {}),
    ],
)
def test_pairs_of_a_pair_potential(name, n, parameters, tilted, with_cutoff):
    state, potential = liquid(name, n, tilted, **parameters)
    cutoff = potential.cutoff * (state.diameters.max() if state.diameters is not None else 1.0)
    made = pelplug.FromForces(Only(potential, cutoff if with_cutoff else None))
    found, expected = made.pairs(state), potential.pairs(state)
    assert made.found()["pairs"] == "central"
    assert abs(len(found) - len(expected)) <= found.uncertain
    if len(found) == len(expected):
        i, j, r, first, second = in_order(found)
        ei, ej, er, efirst, esecond = in_order(expected)
        np.testing.assert_array_equal(i, ei)
        np.testing.assert_array_equal(j, ej)
        np.testing.assert_allclose(r, er, rtol=1e-12)
        np.testing.assert_allclose(first, efirst, atol=1e-6 * np.abs(esecond).max())
        np.testing.assert_allclose(second, esecond, atol=1e-6 * np.abs(esecond).max())
    assert found.uncertain <= 0.01 * len(found) + 1


@pytest.mark.parametrize("n", [216, 20])
def test_many_bodies_with_a_cutoff_are_those_within_it(n):
    state, potential = liquid("stillinger-weber", n)
    made = pelplug.FromForces(Only(potential, potential.cutoff))
    found, expected = made.pairs(state), potential.pairs(state)
    assert made.found()["pairs"] == "cutoff" and found.uncertain == 0
    for one, other in zip(in_order(found)[:3], in_order(expected)[:3], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    np.testing.assert_allclose(np.sort(found.gap), np.sort(expected.gap), atol=1e-12)


def test_many_bodies_without_a_cutoff_are_those_with_a_block_and_the_record_says_so():
    state, potential = liquid("stillinger-weber", 216)
    made = pelplug.FromForces(Only(potential))
    found = made.pairs(state)
    assert made.found()["pairs"] == "blocks"
    assert len(found) > 1.5 * len(potential.pairs(state))  # neighbours of neighbours have blocks too


def test_a_pair_next_to_its_cutoff_is_on_the_right_side():
    """The smooth function's force and curvature vanish there: 1e-5 inside counts, 1e-5 outside does not."""
    model = pelplug.model("kob-andersen", truncation="smooth")
    state, potential = liquid("kob-andersen", 300, truncation="smooth")
    pairs = potential.pairs(state)
    like = (state.species[pairs.i] == "A") & (state.species[pairs.j] == "A")
    pair = np.flatnonzero(like)[np.argmax(pairs.distances[like])]
    i, j = pairs.i[pair], pairs.j[pair]
    for gap, there in ((1e-5, True), (-1e-5, False)):
        positions = state.positions.copy()
        positions[j] += (2.5 - gap - pairs.distances[pair]) * pairs.vectors[pair] / pairs.distances[pair]
        moved = state.replace(positions=positions)
        found = pelplug.FromForces(Only(model.potential(moved))).pairs(moved)
        near = (found.i == i) & (found.j == j) & (np.abs(found.distances - 2.5) < 1e-3)
        assert np.any(near) is np.bool_(there)
        assert len(found) == len(potential.pairs(moved))


@pytest.mark.parametrize(
    ("name", "parameters"), [("kob-andersen", {"truncation": "smooth"}), ("kob-andersen", {}), ("stillinger-weber", {})]
)
def test_pairs_at_the_cutoff_are_counted(name, parameters):
    model = pelplug.model(name, **parameters)
    start = model.random_configuration(216 if name == "stillinger-weber" else 300, 3)
    state = pelplug.quench(start, model.potential(start)).require_converged().configuration.wrapped()
    potential = model.potential(state)
    exact = pelplug.LinearResponse(state, potential)
    response = pelplug.LinearResponse(state, Only(potential, potential.cutoff))
    for tolerance in (1e-4, 1e-3):
        found, expected = pelplug.pairs_near_cutoff(response, tolerance), pelplug.pairs_near_cutoff(exact, tolerance)
        assert abs(found - expected) <= 1 + 0.1 * expected
    assert expected > 5 or name == "stillinger-weber"


class Network(pelplug.Potential):
    """Springs between some particles by their numbers, which a repeated cell does not have."""

    def record(self):
        return {"potential": "network"}

    def energy_forces(self, configuration):
        i, j = np.arange(9), np.arange(1, 10)
        step = configuration.fractional()[j] - configuration.fractional()[i]
        apart = (step - np.rint(step)) @ configuration.cell
        r = np.linalg.norm(apart, axis=1)
        forces = np.zeros_like(configuration.positions)
        np.add.at(forces, i, ((r - 1.0) / r)[:, None] * apart)
        np.add.at(forces, j, -((r - 1.0) / r)[:, None] * apart)
        return 0.5 * np.sum((r - 1.0) ** 2), forces


def test_images_that_cannot_be_told_apart_are_refused():
    state = states.liquid(10, density=0.1)
    made = pelplug.FromForces(Network())
    assert made.hessian(state).shape == (30, 30)
    with pytest.raises(pelplug.InputError, match="another energy and other forces a particle; declare PAIRS"):
        made.pairs(state)


class OwnTopology(Network):
    """The same, for the number of particles that it was made for."""

    def energy_forces(self, configuration):
        if configuration.n != 10:
            raise pelplug.InputError("melt.data has other particles; give its own.")
        return super().energy_forces(configuration)


def test_a_potential_of_one_number_of_particles_asks_for_a_larger_system():
    with pytest.raises(pelplug.InputError, match=r"give its own\); analyse a larger system, over \d\.\d+ high"):
        pelplug.FromForces(OwnTopology()).pairs(states.liquid(10, density=0.1))


def test_quenched_shifts_are_refused():
    model = pelplug.model("mari-kurchan")
    state = model.random_configuration(40, 1)
    potential = Only(model.potential(state))
    potential.shifted = True
    with pytest.raises(pelplug.InputError, match=r"shifted places.*declare PAIRS"):
        pelplug.FromForces(potential).pairs(state)
