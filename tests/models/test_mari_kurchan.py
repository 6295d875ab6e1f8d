"""The Mari-Kurchan model: its shifts, its planted equilibrium, and its energy against a sum over a matrix of shifts."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from scipy import integrate, stats

import pelplug
from pelplug.cli import cli
from pelplug.engines.swap import shifted
from pelplug.engines.swap.run import swap_monte_carlo
from pelplug.errors import InputError
from pelplug.host.functions import run_analyses
from pelplug.landscape import LinearResponse, dipole_stiffness, shear_modulus
from pelplug.potentials.shifted_pairs import ShiftedPairPotential


def build(n, **parameters):
    """A model and its reference configuration, with its potential."""
    model = pelplug.model("mari-kurchan", **parameters)
    start = model.planted_configuration(n)
    return model, start, model.potential(start)


# --- the generator and the shifts, written again in plain Python ------------------------------------------------------


def philox(counter, key):
    """Philox4x32-10 with Python's integers."""
    c, k = list(counter), list(key)
    for _ in range(10):
        high, low = divmod(0xD2511F53 * c[0], 2**32)
        further_high, further_low = divmod(0xCD9E8D57 * c[2], 2**32)
        c = [further_high ^ c[1] ^ k[0], further_low, high ^ c[3] ^ k[1], low]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return c


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ],
)
def test_philox_gives_the_published_words(counter, key, words):
    import numba

    from pelplug.potentials import random_shifts

    counter, key, words = ([int(word, 16) for word in text.split()] for text in (counter, key, words))
    assert philox(counter, key) == words
    compiled = numba.njit(random_shifts.philox)
    for step, k in (((0, 0), 0), ((1, 0), 5), ((0, 1), 7)):
        first = (counter[0] - k * step[0], counter[1] - k * step[1])
        if min(first) < 0:
            continue
        out = np.zeros((4, 16), dtype=np.uint32)
        compiled(first, step, out, 0, k + 1, counter[2], counter[3], np.array(key, dtype=np.uint64))
        assert out[:, k].tolist() == words


def energy_at(r, cutoff):
    """The pair term, from its definition."""
    c0, c1, c2 = -28 * cutoff**-12.0, 48 * cutoff**-14.0, -21 * cutoff**-16.0
    r = np.asarray(r, dtype=float)
    with np.errstate(all="ignore"):  # far away or on top of each other: not within the cutoff, or infinite
        return np.where(r < cutoff, r**-12.0 + c0 + c1 * r**2 + c2 * r**4, 0.0)


def slope_at(r, cutoff):
    c1, c2 = 48 * cutoff**-14.0, -21 * cutoff**-16.0
    return np.where(r < cutoff, -12 * r**-13.0 + 2 * c1 * r + 4 * c2 * r**3, 0.0)


def images(vectors, length, cutoff):
    """All images of pair vectors within the cutoff, shape (images, P, d)."""
    vectors = vectors - length * np.rint(vectors / length)
    most = int(np.floor(cutoff / length + 0.5))
    shifts = itertools.product(range(-most, most + 1), repeat=vectors.shape[-1])
    return np.array([vectors + length * np.array(shift) for shift in shifts])


def shift_by_hand(i, j, n, d, seed, temperature, length, cutoff):
    """A_ij in units of the box for i < j, by rejection in plain Python."""
    key = (seed % 2**32, seed >> 32)
    blocks = d // 4 + 1

    def words(one, other, draw):
        return list(itertools.chain(*(philox((one, other, draw, block), key) for block in range(blocks))))

    place = [np.array(words(k, k, 0)[:d]) for k in (i, j)]
    for draw in range(1000):
        found = words(i, j, draw)
        vector = np.array(found[:d]) / 2.0**32 * length
        u = energy_at(np.linalg.norm(images(vector[None], length, cutoff), axis=-1), cutoff).sum()
        if temperature is None or (found[d] + 0.5) / 2.0**32 < np.exp(-u / temperature):
            return ((np.array(found[:d]) - place[0] + place[1]) % 2**32) / 2.0**32
    raise AssertionError


@pytest.mark.parametrize(
    ("n", "parameters"),
    [
        (30, {"seed": 3}),
        (30, {"seed": 2**40 + 17, "planted_temperature": 0.02, "cutoff": 1.3}),
        (30, {"seed": 3, "planted_temperature": 0.5, "cutoff": 4.0}),  # images beyond the nearest
        (25, {"seed": 1, "planted_temperature": 0.3, "dimension": 2}),
        (12, {"seed": 1, "planted_temperature": 0.3, "dimension": 4, "cutoff": 1.5}),
    ],
)
def test_shifts_are_those_of_plain_python(n, parameters):
    model, start, potential = build(n, **parameters)
    d, length = model.dimension, model.edge(n)
    i, j = np.triu_indices(n, 1)
    found = potential.shifts(i, j, d)
    seed, temperature, cutoff = (model.parameters[name] for name in ("seed", "planted_temperature", "cutoff"))
    pairs = zip(i.tolist(), j.tolist(), strict=True)
    by_hand = [shift_by_hand(a, b, n, d, seed, temperature, length, cutoff) for a, b in pairs]
    np.testing.assert_array_equal(found, by_hand)
    assert np.all((found >= 0) & (found < 1))
    np.testing.assert_array_equal(potential.shifts(j, i, d), -found)
    key = (model.parameters["seed"] % 2**32, model.parameters["seed"] >> 32)
    np.testing.assert_array_equal(start.positions[7], np.array(philox((7, 7, 0, 0), key)[:d]) / 2.0**32 * length)


def test_uniform_shifts_are_uniform_and_independent():
    _, _, potential = build(500, seed=11)
    i, j = np.triu_indices(500, 1)
    a = potential.shifts(i, j, 3)
    for c in range(3):
        assert stats.kstest(a[:, c], "uniform").pvalue > 1e-3
    counts = np.histogramdd(a, bins=(8, 8, 8), range=[(0, 1)] * 3)[0]
    assert stats.chisquare(counts.ravel()).pvalue > 1e-3
    # Pairs with a particle in common, and the same pair under another seed.
    of_first, of_next = a[i == 0][:-1], a[i == 1]
    other = build(500, seed=12)[2].shifts(i, j, 3)
    for one, two in ((of_first, of_next), (a, other), (a[:-1], a[1:])):
        both = np.column_stack((one[:, 0], two[:, 1]))
        counts = np.histogram2d(*both.T, bins=5, range=[(0, 1)] * 2)[0]
        assert stats.chisquare(counts.ravel()).pvalue > 1e-3


# --- energy and its derivatives ---------------------------------------------------------------------------------------


def brute_force(start, potential, model, strain=None):
    """Energy, forces, sum of r dU/dr and pair list from the whole matrix of shifts; pair vectors may be strained."""
    cutoff, length, d = model.parameters["cutoff"], start.cell[0, 0], start.dimension
    i, j = np.triu_indices(start.n, 1)
    x = start.positions
    vectors = images(x[i] - x[j] + length * potential.shifts(i, j, d), length, cutoff)
    if strain is not None:
        vectors = vectors @ strain.T
    r = np.linalg.norm(vectors, axis=-1)
    pull = slope_at(r, cutoff) / r
    forces = np.zeros_like(x)
    on_i = -(pull[..., None] * vectors).sum(axis=0)
    np.add.at(forces, i, on_i)
    np.add.at(forces, j, -on_i)
    virial = np.einsum("mp,mpa,mpb->ab", pull, vectors, vectors)
    return energy_at(r, cutoff).sum(), forces, virial, np.count_nonzero(r < cutoff)


CASES = [
    (600, {"planted_temperature": 0.01}),
    (600, {"planted_temperature": 0.0003}),
    (60, {"planted_temperature": 0.1}),  # box of less than two cutoffs
    (8, {"planted_temperature": 1.0}),
    (60, {"planted_temperature": 0.1, "dimension": 2}),
    (40, {"planted_temperature": 0.1, "dimension": 4, "cutoff": 1.5, "volume_fraction": 0.3}),
]


@pytest.mark.parametrize(("n", "parameters"), CASES)
@pytest.mark.parametrize("moved", [0.0, 0.15])
def test_energy_forces_and_stress_are_sums_over_the_matrix_of_shifts(n, parameters, moved):
    model, start, potential = build(n, seed=5, **parameters)
    rng = np.random.default_rng(2)
    far = rng.integers(-3, 4, size=start.positions.shape) * start.cell[0, 0]
    start = start.replace(positions=start.positions + rng.uniform(-moved, moved, size=far.shape) + far)
    energy, forces, virial, count = brute_force(start, potential, model)
    found, found_forces = potential.energy_forces(start)
    assert found == pytest.approx(energy, rel=1e-11)
    np.testing.assert_allclose(found_forces, forces, rtol=1e-9, atol=1e-11 * np.abs(forces).max())
    np.testing.assert_allclose(found_forces.sum(axis=0), 0.0, atol=1e-13 * np.abs(forces).max() * n)
    np.testing.assert_allclose(potential.stress(start) * start.volume, virial, rtol=1e-9, atol=1e-9 * abs(virial).max())
    pairs = potential.pairs(start)
    assert len(pairs) == count and np.all(pairs.i < pairs.j)
    a = potential.shifts(pairs.i, pairs.j, start.dimension)
    off = (pairs.vectors - start.positions[pairs.j] + start.positions[pairs.i]) / start.cell[0, 0] + a
    np.testing.assert_allclose(off, np.rint(off), atol=1e-12)


@pytest.mark.parametrize(("n", "parameters"), [CASES[0], CASES[2], CASES[5]])
def test_forces_and_hessian_are_differences(n, parameters):
    _, start, potential = build(n, seed=6, **parameters)
    hessian, forces, h = potential.hessian(start), potential.forces(start), 1e-5
    assert abs(hessian - hessian.T).max() < 1e-12 * abs(hessian).max()
    rng = np.random.default_rng(1)
    for direction in rng.normal(size=(3, *start.positions.shape)):
        ahead, behind = (start.replace(positions=start.positions + s * h * direction) for s in (1, -1))
        slope = (potential.energy(ahead) - potential.energy(behind)) / (2 * h)
        assert -np.sum(forces * direction) == pytest.approx(slope, rel=1e-6, abs=1e-8 * n)
        change = -(potential.forces(ahead) - potential.forces(behind)).ravel() / (2 * h)
        np.testing.assert_allclose(hessian @ direction.ravel(), change, rtol=1e-5, atol=1e-6 * np.abs(change).max())


def test_strain_carries_the_shifts_along():
    model, start, potential = build(600, seed=6, planted_temperature=0.01)
    strain, h = potential.strain_derivatives(start), 1e-4
    for k, (a, b) in enumerate(strain.planes):
        energies, forces = [], []
        for g in (-h, 0.0, h):
            shear = np.eye(3)
            shear[a, b] = g
            energy, force, _, _ = brute_force(start, potential, model, shear)
            energies.append(energy)
            forces.append(force @ shear)  # by the positions before the strain
        assert (energies[2] - energies[0]) / (2 * h) == pytest.approx(strain.first[a, b], rel=1e-5, abs=1e-6)
        assert (energies[2] - 2 * energies[1] + energies[0]) / h**2 == pytest.approx(strain.second[k], rel=1e-4)


def test_list_follows_the_particles():
    _, start, potential = build(300, seed=2, planted_temperature=0.01)
    evaluate = potential.evaluator(start)
    x, forces = np.array(start.positions), np.empty_like(start.positions)
    rng = np.random.default_rng(4)
    drift = rng.normal(scale=0.03, size=x.shape)
    for _ in range(40):
        x += drift + rng.normal(scale=0.01, size=x.shape)
        energy = evaluate(x, forces)
        fresh, fresh_forces = potential.energy_forces(start.replace(positions=x))
        assert energy == pytest.approx(fresh, rel=1e-12)
        np.testing.assert_allclose(forces, fresh_forces, rtol=1e-10, atol=1e-10 * np.abs(fresh_forces).max())
    assert evaluate.rebuilds > 3


def test_threads_change_nothing(monkeypatch):
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("PELPLUG_NUM_THREADS", threads)
        _, start, potential = build(2300, seed=2, planted_temperature=0.01)
        found.append((potential.energy_forces(start), potential.shifts(np.zeros(5), np.arange(1, 6), 3)))
    (one, one_shifts), (three, three_shifts) = found
    assert one[0] == pytest.approx(three[0], rel=1e-14)
    np.testing.assert_array_equal(one[1], three[1])
    np.testing.assert_array_equal(one_shifts, three_shifts)


# --- planting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.0001, 0.015, 1.0])
def test_planted_distances_follow_boltzmann(temperature):
    n = 700  # nearly all of a sphere of half the box is inside it
    model, start, potential = build(n, seed=8, planted_temperature=temperature)
    length = model.edge(n)
    i, j = np.triu_indices(n, 1)
    vectors = start.positions[i] - start.positions[j] + length * potential.shifts(i, j, 3)
    vectors -= length * np.rint(vectors / length)
    r = np.linalg.norm(vectors, axis=1)
    edges = np.linspace(0.5, 0.5 * length, 60)
    weight = lambda x: 4 * np.pi * x**2 * np.exp(-energy_at(x, 4.0) / temperature)  # noqa: E731
    core = 4 / 3 * np.pi * 0.5**3
    missing = integrate.quad(lambda x: 4 * np.pi * x**2 - weight(x), 0.5, 4.0, limit=200)[0]
    room = length**3 - core - missing  # below 0.5 the weight is below e^-4000 (T = 1)
    shares = np.array([integrate.quad(weight, *ends)[0] for ends in itertools.pairwise(edges)]) / room
    expected = np.append(shares, 1 - shares.sum()) * len(r)
    counts = np.histogram(r, edges)[0]
    counts = np.append(counts, len(r) - counts.sum())
    assert counts[expected < 1e-3].sum() == 0
    rare = expected < 20
    counts = np.append(counts[~rare], counts[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    good = expected > 0
    assert stats.chisquare(counts[good], expected[good] * counts[good].sum() / expected[good].sum()).pvalue > 1e-3
    # The direction is isotropic where the whole shell is inside the box.
    near = vectors[(r < 0.5 * length)]
    assert stats.kstest((near[:, 2] / np.linalg.norm(near, axis=1) + 1) / 2, "uniform").pvalue > 1e-3


def averages(n, temperature, model):
    """Exact means over disorder: energy a particle, and r dU/dr a particle, from one pair in the box."""
    length, cutoff = model.edge(n), model.parameters["cutoff"]
    weight = lambda r: 4 * np.pi * r**2 * np.exp(-energy_at(r, cutoff) / temperature)  # noqa: E731
    whole = lambda f: integrate.quad(f, 0.3, cutoff, limit=400, epsabs=1e-13)[0]  # noqa: E731
    room = length**3 - 4 / 3 * np.pi * cutoff**3 + whole(weight)
    energy = whole(lambda r: energy_at(r, cutoff) * weight(r)) / room
    virial = whole(lambda r: r * slope_at(r, cutoff) * weight(r)) / room
    # The same by parts: minus d T times the second virial coefficient's integral.
    excluded = whole(lambda r: 4 * np.pi * r**2 - weight(r)) + 4 / 3 * np.pi * 0.3**3
    assert virial == pytest.approx(-3 * temperature * excluded / room, rel=1e-6)
    return (n - 1) / 2 * energy, (n - 1) / 2 * virial


@pytest.mark.parametrize("temperature", [0.0001, 0.003, 0.015, 0.3])
def test_planted_energy_and_pressure_are_the_exact_ones(temperature):
    n, samples = 600, 12
    energies, virials = [], []
    for seed in range(samples):
        model, start, potential = build(n, seed=100 + seed, planted_temperature=temperature)
        energies.append(potential.energy(start) / n)
        virials.append(np.trace(potential.stress(start)) * start.volume / n)
    for found, exact in zip((energies, virials), averages(n, temperature, model), strict=True):
        error = np.std(found, ddof=1) / np.sqrt(samples)
        assert error < 0.05 * abs(exact)
        assert abs(np.mean(found) - exact) < 4.5 * error


def metropolis(start, potential, model, temperature, sweeps, rng):
    """Mean energy a particle of every sweep, with moves of one particle and the whole matrix of shifts."""
    n, length, cutoff = start.n, start.cell[0, 0], model.parameters["cutoff"]
    i, j = np.triu_indices(n, 1)
    shifts = np.zeros((n, n, 3))
    shifts[i, j] = length * potential.shifts(i, j, 3)
    shifts[j, i] = -shifts[i, j]
    x = np.array(start.positions)

    def of(k, place):
        vectors = place - x + shifts[k]
        vectors -= length * np.rint(vectors / length)
        r = np.sqrt((vectors**2).sum(axis=1))
        r[k] = np.inf
        return energy_at(r, cutoff).sum()

    energy, series = potential.energy(start), []
    for _ in range(sweeps):
        for k in rng.integers(n, size=n):
            place = x[k] + rng.uniform(-0.15, 0.15, size=3)
            change = of(k, place) - of(k, x[k])
            if rng.random() < np.exp(min(0.0, -change / temperature)):
                x[k] = place
                energy += change
        series.append(energy / n)
    assert energy == pytest.approx(potential.energy(start.replace(positions=x)), rel=1e-8)
    return np.array(series)


def test_a_planted_configuration_is_in_equilibrium():
    # At the temperature of planting the energy stays at the exact mean; at twice that temperature, and from positions
    # that were not planted, it leaves at once.
    n, temperature, sweeps, samples = 64, 0.2, 40, 8
    rng = np.random.default_rng(3)
    runs = {name: [] for name in ("planted", "hotter", "not planted")}
    for seed in range(samples):
        model, start, potential = build(n, seed=seed, planted_temperature=temperature, cutoff=1.6)
        runs["planted"].append(metropolis(start, potential, model, temperature, sweeps, rng))
        runs["hotter"].append(metropolis(start, potential, model, 2 * temperature, sweeps, rng))
        elsewhere = start.replace(positions=rng.uniform(0, model.edge(n), size=start.positions.shape))
        elsewhere = pelplug.steepest_descent(elsewhere, potential, [0.001], to_minimum=False).configuration
        runs["not planted"].append(metropolis(elsewhere, potential, model, temperature, sweeps, rng))
    exact = averages(n, temperature, model)[0]
    late = {name: np.array(series)[:, -10:].mean(axis=1) for name, series in runs.items()}
    early = {name: np.array(series)[:, :2].mean(axis=1) for name, series in runs.items()}
    error = {name: values.std(ddof=1) / np.sqrt(samples) for name, values in late.items()}
    assert abs(late["planted"].mean() - exact) < 4 * error["planted"]
    assert error["planted"] < 0.1 * exact
    assert late["hotter"].mean() - exact > 6 * error["hotter"]
    assert early["not planted"].mean() - exact > 6 * early["not planted"].std(ddof=1) / np.sqrt(samples)
    assert early["not planted"].mean() > 1.5 * late["not planted"].mean()


def test_metropolis_moves_of_the_program_are_those_of_the_whole_matrix():
    """Planted positions keep the exact mean energy, others come down to it; what is added up is that of the state."""
    n, temperature, samples = 64, 0.2, 12

    def sampled(state, model, equilibration, seed):
        given = {"equilibration": equilibration, "sample_every": 20, "seed": seed}
        run = swap_monte_carlo(state, model, temperature, 60, **given)
        assert run.energies[-1] == pytest.approx(model.potential(state).energy(run.configuration), rel=1e-10)
        assert run.p_swap == 0 and 0.2 < run.displacement_acceptance < 0.7
        return run.mean_energy / n

    planted = []
    for seed in range(samples):
        model, start, _ = build(n, seed=seed, planted_temperature=temperature, cutoff=1.6)
        planted.append(sampled(start, model, 60, seed))
    exact = averages(n, temperature, model)[0]
    error = np.std(planted, ddof=1) / np.sqrt(samples)
    assert abs(np.mean(planted) - exact) < 4 * error and error < 0.05 * exact
    elsewhere = model.random_configuration(n, 100, arrangement="random")
    late = [sampled(elsewhere, model, equilibration, 1) for equilibration in (20, 60, 180)]
    assert late[0] > late[1] > late[2] > exact - 0.05


@pytest.mark.parametrize("dimension", [2, 3, 4])
def test_lists_of_all_pairs_and_of_near_ones_give_the_same_moves(monkeypatch, dimension):
    # They share the kernel and nothing of how neighbours are found; the matrix of shifts is the judge of both.
    model, start, potential = build(64, seed=2, planted_temperature=0.3, cutoff=1.2, dimension=dimension)
    runs = []
    for most in (0, 2048):
        monkeypatch.setattr(shifted, "_COMPLETE", most)
        runs.append(swap_monte_carlo(start, model, 0.3, 300, delta=0.2, seed=4, sample_every=7))
    assert np.array_equal(*(one.configuration.positions for one in runs))
    np.testing.assert_allclose(runs[0].energies, runs[1].energies, rtol=1e-9)
    assert np.abs(runs[0].configuration.positions - start.positions).max() > 1.5  # further than a list reaches
    for state in runs[0].configurations[::10]:
        i, j = np.triu_indices(64, 1)
        vectors = state.positions[i] - state.positions[j] + model.edge(64) * potential.shifts(i, j, dimension)
        vectors -= model.edge(64) * np.rint(vectors / model.edge(64))
        expected = energy_at(np.linalg.norm(vectors, axis=1), 1.2).sum()
        assert runs[0].energies[state.step - 1] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("most", [0, 2048])
def test_a_chain_goes_on_from_a_checkpoint_to_the_last_bit(monkeypatch, most):
    monkeypatch.setattr(shifted, "_COMPLETE", most)
    monkeypatch.setattr(shifted, "_CHECKED", 64 * 9)
    model, start, _ = build(64, seed=2, planted_temperature=0.3, cutoff=1.2)

    def chain():
        return shifted.ShiftedChain(start, model, 0.3, None, None, 0.2, np.random.default_rng(1))

    straight, killed, resumed = chain(), chain(), chain()
    for tuned in (False, True, False):
        for sweeps in (1, 4, 2, 7):
            straight.advance(sweeps)
        if tuned:
            straight.tune()
    for tuned in (False, True):
        for sweeps in (1, 4, 2, 7):
            killed.advance(sweeps)
        if tuned:
            killed.tune()
    killed.advance(1)
    killed.advance(4)
    resumed.restore(killed.state(0))
    resumed.advance(2)
    resumed.advance(7)
    assert np.array_equal(np.concatenate(straight.energies), np.concatenate(resumed.energies))
    assert np.array_equal(straight.positions, resumed.positions)


def test_one_pair_has_the_distances_of_its_temperature():
    # Two particles in a box: r of the shifted vector has the density of exp(-u / T) in the cell.
    model, start, potential = build(2, seed=3, cutoff=1.6)
    length, temperature = model.edge(2), 0.5
    run = swap_monte_carlo(start, model, temperature, 60_000, equilibration=200, sample_every=20, delta=0.4, seed=1)
    shift = length * potential.shifts([0], [1], 3)[0]
    vectors = np.array([one.positions[0] - one.positions[1] + shift for one in run.configurations])
    vectors -= length * np.rint(vectors / length)
    # Of each axis alone: the exact marginal by a grid of the cell.
    axis = (np.arange(80) + 0.5) / 80 * length - length / 2
    grid = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    images = np.stack(np.meshgrid(*[[-length, 0.0, length]] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    energy = sum(energy_at(np.linalg.norm(grid + image, axis=-1), 1.6) for image in images)
    exact = np.exp(-energy / temperature).sum(axis=(1, 2))
    exact = exact.reshape(8, 10).sum(axis=1) / exact.sum()
    counts = np.histogram(vectors[:, 0], np.linspace(-length / 2, length / 2, 9))[0]
    independent = len(vectors) / pelplug.statistical_inefficiency(vectors[:, 0])
    assert independent > 300
    chi_squared = independent * np.sum((counts / counts.sum() - exact) ** 2 / exact)
    assert chi_squared < 24.3  # of 7 degrees of freedom: one in a thousand is larger


def test_a_cell_without_room_is_refused():
    model = pelplug.model("mari-kurchan", seed=1, planted_temperature=0.001, cutoff=2.0)
    with pytest.raises(InputError, match="no room to plant 3 particles"):
        model.potential(start := model.planted_configuration(3)).energy(start)


# --- landscape --------------------------------------------------------------------------------------------------------


def test_steepest_descent_is_that_of_scipy():
    model, start, potential = build(30, seed=4, planted_temperature=0.2, cutoff=1.55)
    shape = start.positions.shape

    def velocity(_, y):
        return brute_force(start.replace(positions=y.reshape(shape)), potential, model)[1].ravel()

    def jacobian(_, y):
        return -potential.hessian(start.replace(positions=y.reshape(shape))).toarray()

    found = integrate.solve_ivp(
        velocity, (0, 20.0), start.positions.ravel(), "BDF", [1.0, 20.0], jac=jacobian, rtol=1e-8, atol=1e-10
    )
    assert found.success
    mine = pelplug.steepest_descent(start, potential, [1.0], rtol=1e-6, to_minimum=False)
    np.testing.assert_allclose(mine.configuration.positions, found.y[:, 0].reshape(shape), atol=1e-5)
    end = pelplug.steepest_descent(start, potential, rtol=1e-6).require_converged().configuration
    other = start.replace(positions=found.y[:, 1].reshape(shape))
    other = pelplug.steepest_descent(other, potential, rtol=1e-6).require_converged().configuration
    assert np.linalg.norm(end.positions - start.positions, axis=1).max() > 0.1
    np.testing.assert_allclose(end.positions, other.positions, atol=1e-4)


def test_stiffness_and_shear_modulus_see_the_shifted_vectors():
    _, start, potential = build(60, seed=4, planted_temperature=0.05, cutoff=1.95)
    minimum = pelplug.quench(start, potential, "lbfgs").require_converged().configuration
    response = LinearResponse(minimum, potential)
    found = dipole_stiffness(response, 20, seed=1)
    inverse = np.linalg.pinv(potential.hessian(minimum).toarray(), rcond=1e-10)
    length = minimum.cell[0, 0]
    for i, j, kappa in zip(found.i, found.j, found.kappa_ij, strict=True):
        vector = minimum.positions[j] - minimum.positions[i] - length * potential.shifts([i], [j], 3)[0]
        vector -= length * np.rint(vector / length)
        dipole = np.zeros_like(minimum.positions)
        dipole[j] = vector / np.linalg.norm(vector) / np.sqrt(2)
        dipole[i] = -dipole[j]
        z = inverse @ dipole.ravel()
        assert kappa == pytest.approx((dipole.ravel() @ z) / (z @ z), rel=1e-8)
    modulus = shear_modulus(response)
    strain = potential.strain_derivatives(minimum)
    nonaffine = np.einsum("px,xy,py->p", strain.mixed, inverse, strain.mixed)
    np.testing.assert_allclose(modulus.values, (strain.second - nonaffine) / minimum.volume, rtol=1e-8)


# --- the model, files, what is refused --------------------------------------------------------------------------------


def test_numbers_of_the_model():
    model = pelplug.model("mk")
    assert model.name == "mari-kurchan" and model.dimension == 3
    assert model.density == pytest.approx(0.5 / (np.pi / 6))
    assert model.coefficients == pytest.approx((-28 * 4**-12, 48 * 4**-14, -21 * 4**-16))
    start = model.planted_configuration(100)
    potential = model.potential(start)
    assert isinstance(potential, ShiftedPairPotential) and potential.cutoff == 4.0
    r = np.linspace(0.4, 4.0, 4000)
    assert np.all(energy_at(r[:-1], 4.0) > 0) and np.all(np.diff(energy_at(r, 4.0)) < 0)  # what rejection needs


def test_seeds_are_kept_exactly():
    model = pelplug.model("mk", seed=str(2**62 + 1), planted_temperature="0.003")
    assert model.parameters["seed"] == 2**62 + 1
    again = pelplug.models.from_record(model.to_log())
    assert again == model and json.loads(model.to_log().tobytes())["parameters"]["seed"] == 2**62 + 1
    start = model.planted_configuration(50)
    np.testing.assert_array_equal(start.positions, again.planted_configuration(50).positions)


@pytest.mark.parametrize("suffix", ["gsd", "nc"])
def test_a_file_rebuilds_the_model(tmp_path, suffix):
    model, start = pelplug.model("mk").planted(400, 0.01, seed=9)
    pelplug.write_trajectory(tmp_path / f"planted.{suffix}", [start.replace(step=0)], model_record=model.to_dict())
    dataset = run_analyses("inherent-structures", str(tmp_path / f"planted.{suffix}")).datasets["inherent-structures"]
    assert float(dataset["initial_energy"][0]) == pytest.approx(model.potential(start).energy(start), rel=1e-5)


def run_command(capsys, *arguments, code=0):
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        cli.main(list(arguments))
    captured = capsys.readouterr()
    assert stop.value.code == code, captured.err
    return captured


def test_command_plants(tmp_path, capsys):
    where = str(tmp_path / "planted.gsd")
    common = ("prepare", "mari-kurchan", "-T", "0.01", "--start", "planted")
    assert (
        "planted at T = 0.01 with seed 3" in run_command(capsys, *common, "-N", "300", "--seed", "3", "-o", where).out
    )
    end = str(tmp_path / "inherent.gsd")
    assert "energy" in run_command(capsys, "quench", where, "-o", end).out
    start = pelplug.model("mk").planted(300, 0.01, 3)[1]
    np.testing.assert_allclose(
        pelplug.read_configuration(where).positions % start.cell[0, 0], start.positions, atol=1e-5
    )
    for arguments, words in (
        ((), "-N"),
        (("-N", "300", "--sweeps", "5"), "--sweeps is for Monte Carlo"),
        (("-N", "300", "--p-swap", "0.1"), "--p-swap is for Monte Carlo"),
        (("-N", "300", "--model-param", "seed=4"), "--seed and -T"),
        (("-N", "1",), "at least two"),
    ):  # fmt: skip
        assert words in run_command(capsys, *common, *arguments, "-o", str(tmp_path / "x.gsd"), code=2).err
    err = run_command(capsys, "prepare", "mk", "-N", "300", "-T", "0.01", "-o", where, "--overwrite", code=2).err
    assert "--sweeps" in err
    # Not planted, it is brought to its temperature by Metropolis dynamics.
    run_command(capsys, "prepare", "mk", "-N", "300", "-T", "0.01", "--sweeps", "5", "-o", where, "--overwrite", code=0)
    other = ("prepare", "pss", "-N", "9", "-T", "1", "--start", "planted")
    err = run_command(capsys, *other, "-o", str(tmp_path / "y.gsd"), code=2).err
    assert "no disorder" in err


def test_what_does_not_fit_is_refused():
    model, start = pelplug.model("mk").planted(100, 0.1, 1)
    length = start.cell[0, 0]
    for changed, words in (
        ({"cell": [length, length, 1.01 * length]}, "cubic box"),
        ({"cell": [[length, 0, 0], [0.1, length, 0], [0, 0, length]]}, "cubic box"),
        ({"cell": [1.01 * length] * 3}, "planted in a box of edge"),
        ({"species": ["A"] * 50 + ["B"] * 50}, "of one kind"),
        ({"diameters": np.linspace(0.8, 1.2, 100)}, "other diameters"),
    ):
        with pytest.raises(InputError, match=words):
            model.potential(start.replace(**changed))
    with pytest.raises(InputError, match="at least two"):
        model.potential(pelplug.Configuration(np.zeros((1, 3)), [length] * 3, ["A"]))
    with pytest.raises(InputError, match="3-dimensional"):
        model.potential(pelplug.Configuration(np.zeros((100, 2)), [length] * 2, ["A"] * 100))
    potential = model.potential(start)
    fewer = start.replace(positions=start.positions[:-1], species=start.species[:-1])
    with pytest.raises(InputError, match="belong to 100 numbered particles"):
        potential.energy(fewer)
    for i, j in ((3, 3), (0, 100), (-1, 2)):
        with pytest.raises(InputError, match="two different particles"):
            potential.shifts([i], [j], 3)
    with pytest.raises(InputError, match="nothing to swap"):
        swap_monte_carlo(start, model, 0.1, 10, p_swap=0.2)
    with pytest.raises(InputError, match="defects are not defined"):
        pelplug.length_scale(start, potential, 1.0)
    # Uniform shifts belong to no box: any density will do.
    free = pelplug.model("mk")
    assert free.potential(start.replace(cell=[2 * length] * 3)).energy(start.replace(cell=[2 * length] * 3)) > 0


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"seed": -1}, "at least 0"),
        ({"seed": 2**63}, "at most"),
        ({"seed": 1.5}, "must be an integer"),
        ({"planted_temperature": 0.0}, "above 0"),
        ({"planted_temperature": -1.0}, "above 0"),
        ({"planted_temperature": float("inf")}, "too large"),
        ({"volume_fraction": 0.0}, "above 0"),
        ({"cutoff": -4.0}, "above 0"),
        ({"dimension": 9}, "one of 2, 3"),
    ],
)
def test_parameters_out_of_range(parameters, words):
    with pytest.raises(InputError, match=words):
        pelplug.model("mari-kurchan", **parameters)


def test_it_is_never_suggested_for_a_file_without_shifts():
    assert "mari-kurchan" not in pelplug.models.suggest({"A"}, 3)
