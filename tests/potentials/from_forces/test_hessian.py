"""Hessians from forces against analytic ones: springs, pairs of particles, crystals, small and oblique cells."""

import itertools

import numpy as np
import oracles
import pytest
import scipy.sparse
from oracles.forces_only import Only

import pelplug
from pelplug.potentials.from_forces.colouring import colours_of
from pelplug.testing import states


class Springs(pelplug.Potential):
    """Harmonic springs between given particles, the nearest images; their number in a row is the stiffness."""

    def __init__(self, bonds, stiffness, lengths):
        self.bonds, self.stiffness, self.lengths = np.array(bonds), np.array(stiffness), np.array(lengths)

    def record(self):
        return {"springs": len(self.bonds)}

    def vectors(self, configuration):
        i, j = self.bonds.T
        s = configuration.fractional()[j] - configuration.fractional()[i]
        return (s - np.rint(s)) @ configuration.cell

    def energy_forces(self, configuration):
        v = self.vectors(configuration)
        r = np.linalg.norm(v, axis=1)
        pull = (self.stiffness * (r - self.lengths) / r)[:, None] * v
        forces = np.zeros_like(configuration.positions)
        np.add.at(forces, self.bonds[:, 0], pull)
        np.add.at(forces, self.bonds[:, 1], -pull)
        return 0.5 * np.sum(self.stiffness * (r - self.lengths) ** 2), forces

    def matrix(self, configuration):
        """The Hessian by hand: k u u + (k (r - l) / r) (1 - u u)."""
        n, d = configuration.positions.shape
        h = np.zeros((n, d, n, d))
        for (i, j), k, length, v in zip(
            self.bonds, self.stiffness, self.lengths, self.vectors(configuration), strict=True
        ):
            r = np.linalg.norm(v)
            u = v / r
            block = k * np.outer(u, u) + k * (r - length) / r * (np.eye(d) - np.outer(u, u))
            for a, b, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
                h[a, :, b] += sign * block
        return h.reshape(n * d, n * d)


def settings(reach):
    return {} if reach is None else {"reach": reach}


@pytest.mark.parametrize("reach", ["auto", "all", None])
def test_springs(reach):
    rng = np.random.default_rng(4)
    state = pelplug.Configuration(rng.uniform(0, 6, (20, 3)), [6.0] * 3, ["A"] * 20)
    bonds = [pair for pair in itertools.combinations(range(20), 2) if rng.random() < 0.2]
    potential = Springs(bonds, rng.uniform(1, 5, len(bonds)), rng.uniform(0.5, 2, len(bonds)))
    found = pelplug.FromForces(potential, **settings(reach)).hessian(state)
    assert scipy.sparse.issparse(found) and found.format == "bsr" and found.blocksize == (3, 3)
    expected = potential.matrix(state)
    np.testing.assert_allclose(found.toarray(), expected, atol=1e-8 * np.abs(expected).max())
    assert abs(found - found.T).max() == 0.0


def test_a_diatomic():
    potential = Springs([(0, 1)], [7.0], [1.5])
    state = pelplug.Configuration([[1.0, 1, 1], [2.5, 1, 1]], [9.0] * 3, ["A", "A"])
    made = pelplug.FromForces(potential)
    values = np.linalg.eigvalsh(made.hessian(state).toarray())
    np.testing.assert_allclose(values, [0, 0, 0, 0, 0, 14.0], atol=1e-7)
    pairs = made.pairs(state)
    assert (list(pairs.i), list(pairs.j)) == ([0], [1]) and made.found()["pairs"] == "central"
    assert pairs.distances[0] == pytest.approx(1.5) and pairs.second[0] == pytest.approx(7.0, rel=1e-8)
    assert pairs.first[0] == pytest.approx(0.0, abs=1e-7)


def test_a_face_centred_crystal_against_matscipy():
    pytest.importorskip("matscipy")
    model = pelplug.model("kob-andersen", truncation="smooth")
    base = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]) * 0.75
    crystal = states.supercell(pelplug.Configuration(base, [1.5] * 3, ["A"] * 4), 4)
    rng = np.random.default_rng(1)
    crystal = crystal.replace(positions=crystal.positions + rng.normal(scale=0.02, size=crystal.positions.shape))
    found = pelplug.FromForces(Only(model.potential(crystal))).hessian(crystal).toarray()
    calculator = oracles.matscipy_calculator("kob-andersen", truncation="smooth")
    expected = oracles.matscipy_hessian(crystal, model.species, calculator)
    np.testing.assert_allclose(found, expected, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("tilted", [False, True])
@pytest.mark.parametrize(
    ("name", "n", "parameters"),
    [
        ("kob-andersen", 400, {"truncation": "smooth"}),
        ("kob-andersen", 30, {"truncation": "smooth"}),  # several images of each other within reach
        ("kob-andersen", 10, {"truncation": "smooth"}),  # their own images too
        ("kob-andersen-2d", 40, {"truncation": "smooth"}),
        ("stillinger-weber", 216, {}),
        ("stillinger-weber", 20, {}),
    ],
)
@pytest.mark.parametrize("with_cutoff", [False, True])
def test_liquids(name, n, parameters, tilted, with_cutoff):
    model = pelplug.model(name, **parameters)
    state = model.random_configuration(n, n)
    state = states.without_overlaps(states.tilted(state, rng=1) if tilted else state, model.potential(state))
    potential = model.potential(state)
    made = pelplug.FromForces(Only(potential, potential.cutoff if with_cutoff else None))
    found, expected = made.hessian(state), potential.hessian(state)
    assert abs(found - expected).max() < 1e-7 * abs(expected).max()
    report = made.found()
    assert max(report[k] for k in ("asymmetry", "acoustic_sum", "second_step", "energy")) < 1e-5
    assert report["colours"] <= n


@pytest.mark.parametrize("dimension", [2, 3, 4, 8])
def test_dimensions(dimension):
    model = pelplug.model("harmonic-spheres", dimension=dimension)
    state = model.random_configuration({2: 60, 3: 60, 4: 40, 5: 40, 8: 40}[dimension], 1)
    potential = model.potential(state)
    made = pelplug.FromForces(Only(potential))
    expected = potential.hessian(state)
    assert abs(made.hessian(state) - expected).max() < 1e-6 * abs(expected).max()


def test_few_colours_in_a_large_system():
    model = pelplug.model("stillinger-weber")
    state = states.without_overlaps(
        model.random_configuration(1500, 2), model.potential(model.random_configuration(8, 1))
    )
    potential = model.potential(state)
    made = pelplug.FromForces(Only(potential, potential.cutoff))
    expected = potential.hessian(state)
    assert abs(made.hessian(state) - expected).max() < 1e-7 * abs(expected).max()
    assert made.found()["reach_origin"] == "neighbours of neighbours within the cutoff"
    assert made.found()["colours"] < 500 and made.found()["evaluations"] < 7 * 500


@pytest.mark.parametrize("n", [1, 30, 200])
def test_no_two_of_a_colour_act_on_one_particle(n):
    rng = np.random.default_rng(n)
    pattern = scipy.sparse.random(n, n, 0.05, random_state=rng, format="csr")
    pattern = ((pattern + pattern.T + scipy.sparse.eye(n)) != 0).astype(np.int32).tocsr()
    groups = colours_of(pattern)
    assert sorted(np.concatenate(groups)) == list(range(n))
    for group in groups:
        assert np.asarray(pattern[:, group].sum(axis=1)).max() <= 1


def test_a_pair_that_crosses_a_jump_of_the_force_within_the_step():
    """Its block is found by a smaller step: that of the side on which it is."""
    model = pelplug.model("kob-andersen")
    state = model.random_configuration(300, 3)
    state = states.without_overlaps(state, model.potential(state))
    pairs = model.potential(state).pairs(state)
    like = (state.species[pairs.i] == "A") & (state.species[pairs.j] == "A") & (pairs.distances < 2.45)
    pair = np.flatnonzero(like)[np.argmax(pairs.distances[like])]
    for gap in (1e-8, -1e-8):
        positions = state.positions.copy()
        positions[pairs.j[pair]] += (2.5 - gap - pairs.distances[pair]) * pairs.vectors[pair] / pairs.distances[pair]
        moved = state.replace(positions=positions)
        potential = model.potential(moved)
        made = pelplug.FromForces(Only(potential))
        expected = potential.hessian(moved)
        found = made.hessian(moved)
        assert abs(found - expected).max() < 1e-3 * abs(expected).max()
        assert abs(found - expected).max() < 0.1 * 0.039 / (2 * made.found()["step"])  # what the jump would have made
        assert made.found()["refined_columns"] >= 2
        assert len(made.pairs(moved)) == len(potential.pairs(moved))
