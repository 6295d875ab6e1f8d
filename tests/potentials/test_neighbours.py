"""Neighbour lists against a direct sum over periodic images, and energies against a replicated supercell."""

import itertools

import numpy as np
import pytest

from pelplug.configuration import Configuration
from pelplug.potentials.forms import FORMS
from pelplug.potentials.neighbours import build_neighbour_list
from pelplug.potentials.pair import PairPotential


def mixed(a, b):
    return (a + b) / 2 * (1 - 0.2 * abs(a - b))


def count_directly(positions, cell, reach_of_pair, shells):
    """Count the sites within reach of every particle by trying all images."""
    n, d = positions.shape
    count = np.zeros(n, dtype=int)
    for shift in itertools.product(range(-shells, shells + 1), repeat=d):
        distance = np.linalg.norm(positions[None] + np.array(shift) @ cell - positions[:, None], axis=2)
        near = distance < reach_of_pair
        if not any(shift):
            np.fill_diagonal(near, False)
        count += near.sum(axis=1)
    return count


# (d, N, edge, tilted): dense and dilute, cutoffs up to nearly the whole box, both ways of searching.
CASES = [
    (2, 60, 7.0, True),
    (3, 65, 3.78, False),
    (3, 40, 2.4, True),
    (3, 300, 8.0, True),
    (3, 10, 60.0, False),
    (4, 80, 2.9, True),
    (5, 60, 2.2, False),
    (6, 20, 1.8, False),
]


@pytest.mark.parametrize(("d", "n", "edge", "tilted"), CASES)
@pytest.mark.parametrize("polydisperse", [False, True])
def test_every_image_within_reach_is_listed_once(d, n, edge, tilted, polydisperse):
    rng = np.random.default_rng(d * n)
    cell = np.diag([edge] * d) + (np.tril(rng.normal(0, 0.3 * edge, (d, d)), -1) if tilted else 0)
    positions = rng.uniform(0, 1, (n, d)) @ cell
    groups = (np.arange(n) >= 0.8 * n).astype(np.int64)
    skin = 0.2
    if polydisperse:
        diameters = rng.uniform(0.7, 1.3, n)
        groups[:] = 0
        neighbours = build_neighbour_list(positions, cell, groups, 1, np.array([[1.1]]), skin, diameters, mixed)
        reach_of_pair = 1.1 * mixed(diameters[:, None], diameters[None])
    else:
        reach = np.array([[1.5, 1.2], [1.2, 1.3]])
        neighbours = build_neighbour_list(positions, cell, groups, 2, reach, skin)
        reach_of_pair = reach[groups][:, groups]
    listed = np.empty(n, dtype=int)
    listed[neighbours.rows] = neighbours.start[:, -1] - neighbours.start[:, 0]
    shells = int(np.ceil((1.8 + edge) * np.abs(np.linalg.inv(cell)).sum(axis=0).max())) if d < 5 else 2
    assert np.array_equal(listed, count_directly(positions, cell, reach_of_pair + skin, min(shells, 4)))


@pytest.mark.parametrize("d", [2, 3])
def test_list_does_not_depend_on_wrapping(d):
    rng = np.random.default_rng(5)
    cell = np.diag([6.0] * d) + np.tril(rng.normal(0, 1.5, (d, d)), -1)
    positions = rng.uniform(0, 1, (90, d)) @ cell
    elsewhere = positions + rng.integers(-3, 4, (90, d)) @ cell
    groups = np.zeros(90, dtype=np.int64)
    lists = [build_neighbour_list(x, cell, groups, 1, np.array([[1.7]]), 0.1) for x in (positions, elsewhere)]
    counts = []
    for neighbours in lists:
        count = np.empty(90, dtype=int)
        count[neighbours.rows] = np.diff(neighbours.start[:, [0, -1]], axis=1)[:, 0]
        counts.append(count)
    assert np.array_equal(*counts)


@pytest.mark.parametrize("tilted", [False, True])
def test_cutoff_beyond_the_box_equals_a_replicated_cell(tilted):
    """r_c = 2.5 in boxes of edge 2: the energy a particle and the forces are those of the 3x3x3 supercell."""
    rng = np.random.default_rng(3)
    grid = np.stack(np.meshgrid(*[np.arange(2)] * 3, indexing="ij"), -1).reshape(-1, 3)
    cell = np.diag([2.0, 2.1, 2.23])
    if tilted:
        cell[1, 0], cell[2, 0], cell[2, 1] = 0.5, -0.3, 0.4
    positions = ((grid + 0.5) / 2 + rng.normal(0, 0.02, grid.shape)) @ cell
    species = np.array(["A"] * 6 + ["B"] * 2)
    sigma = np.array([[1.0, 0.8], [0.8, 0.88]])
    potential = PairPotential(
        FORMS["lennard-jones"],
        species=("A", "B"),
        sigma=sigma,
        cutoff=2.5 * sigma,
        parameters={"epsilon": [[1.0, 1.5], [1.5, 0.5]]},
        truncation="shift",
    )
    small = Configuration(positions, cell, species)
    copies = np.array(list(itertools.product(range(4), repeat=3)))
    large = Configuration(
        (positions[None] + (copies @ cell)[:, None]).reshape(-1, 3), 4 * cell, np.tile(species, len(copies))
    )
    energy, forces = potential.energy_forces(small)
    energy_large, forces_large = potential.energy_forces(large)
    assert energy_large == pytest.approx(len(copies) * energy, rel=1e-12)
    np.testing.assert_allclose(forces_large[:8], forces, rtol=1e-10, atol=1e-9)
    # The supercell's Hessian, folded onto the first copy, is the small cell's.
    folded = potential.hessian(large).toarray().reshape(len(copies), 24, len(copies), 24)[0].sum(axis=1)
    np.testing.assert_allclose(potential.hessian(small).toarray(), folded, rtol=1e-9, atol=1e-7)
    np.testing.assert_allclose(potential.stress(small), potential.stress(large), rtol=1e-10, atol=1e-10)


def test_evaluator_follows_motion_as_fresh_lists_do():
    """A random walk far beyond the skin: the kept list and a list made anew give the same forces."""
    rng = np.random.default_rng(11)
    sigma = np.array([[1.0]])
    potential = PairPotential(FORMS["harmonic"], sigma=sigma, cutoff=sigma, parameters={"epsilon": 1.0}, species=("A",))
    n = 200
    state = Configuration(rng.uniform(0, 5, (n, 3)), [5.0] * 3, ["A"] * n)
    evaluate = potential.evaluator(state)
    positions = np.array(state.positions)
    forces = np.empty_like(positions)
    for step in range(120):
        positions += rng.normal(0, 0.05 if step % 60 < 10 else 0.0005, positions.shape)
        energy = evaluate(positions, forces)
        expected, expected_forces = potential.energy_forces(state.replace(positions=positions))
        assert energy == pytest.approx(expected, rel=1e-12)
        np.testing.assert_allclose(forces, expected_forces, atol=1e-11)
    assert evaluate.evaluations == 120
    assert 2 < evaluate.rebuilds < 60


def test_threads_do_not_change_the_result(monkeypatch):
    rng = np.random.default_rng(2)
    n = 4096
    grid = np.stack(np.meshgrid(*[np.arange(16)] * 3, indexing="ij"), -1).reshape(-1, 3)
    state = Configuration(grid * 1.05 + rng.normal(0, 0.05, (n, 3)), [16 * 1.05] * 3, ["A"] * n)
    one = np.array([[1.0]])
    potential = PairPotential(
        FORMS["lennard-jones"], sigma=one, cutoff=2.5 * one, parameters={"epsilon": 1.0}, truncation="shift"
    )
    results = []
    for threads in ("1", "2", "3"):
        monkeypatch.setenv("PELPLUG_NUM_THREADS", threads)
        results.append(potential.energy_forces(state))
    for energy, forces in results[1:]:
        assert energy == results[0][0]
        assert np.array_equal(forces, results[0][1])
