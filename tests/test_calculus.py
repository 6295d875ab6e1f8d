"""Forces, Hessians, stresses and strain derivatives of every model against differences, in 2 to 8 dimensions."""

from __future__ import annotations

import itertools

import numpy as np
import oracles
import pytest

import pelplug.models as models
from pelplug.testing import states

CALCULUS = [
    ("kob-andersen", {}, 30),
    ("kob-andersen", {"truncation": "shifted-force"}, 30),
    ("kob-andersen", {"truncation": "smooth", "cutoff": 1.8}, 30),
    ("kob-andersen-2d", {"truncation": "smooth"}, 20),
    ("modified-kob-andersen", {}, 30),
    ("inverse-power-law", {}, 30),
    ("inverse-power-law-2d", {}, 20),
    ("sticky-spheres", {}, 30),
    ("polydisperse-soft-spheres", {}, 30),
    ("polydisperse-soft-spheres-2d", {}, 20),
    ("harmonic-spheres", {"dimension": 2}, 20),
    ("harmonic-spheres", {"dimension": 3}, 20),
    ("harmonic-spheres", {"dimension": 4, "volume_fraction": 0.8}, 16),
    ("harmonic-spheres", {"dimension": 5, "volume_fraction": 0.8}, 12),
    ("harmonic-spheres", {"dimension": 6, "volume_fraction": 0.35}, 12),
    ("harmonic-spheres", {"dimension": 8, "volume_fraction": 0.03}, 10),
]


def image_distances(configuration, reach):
    """All distances below ``reach``, directly: every pair, every image."""
    cell = configuration.cell
    fractional = configuration.fractional()
    fractional -= np.floor(fractional)
    x = fractional @ cell
    most = np.ceil(reach / configuration.heights).astype(int)
    shifts = np.array(list(itertools.product(*(range(-m, m + 1) for m in most)))) @ cell
    i, j = np.triu_indices(len(x))
    out = []
    for a, b in zip(i, j, strict=True):
        r = np.linalg.norm(x[b] - x[a] + shifts, axis=1)
        r = r[(r < reach) & (r > 1e-12)]
        out.append((a, b, r if a != b else np.sort(r)[: len(r) // 2]))
    return out


def reach_of(potential, configuration, i, j):
    if potential.per_particle:
        d = configuration.diameters
        return potential.cutoff * potential.mixing(d[i], d[j])
    index = [potential.species.index(name) for name in configuration.species[[i, j]]]
    return potential.pair_cutoff[index[0], index[1]]


def calculus_case(name, parameters, n, margin=1e-3):
    """A small configuration in a tilted box, no pair nearer than ``margin`` to its cutoff, where U'' or U' may jump."""
    model = models.build(name, **parameters)
    for seed in range(2000):
        c = states.tilted(model.random_configuration(n, rng=seed), rng=seed, tilt=0.2)
        potential = model.potential(c)
        if model.dimension < 4:
            c = states.without_overlaps(c, potential, steps=30)
        largest = potential.cutoff * (1.7 if potential.per_particle else 1.0)
        gaps = [
            np.min(np.abs(r - reach_of(potential, c, a, b)))
            for a, b, r in image_distances(c, largest + margin)
            if len(r)
        ]
        if min(gaps) > margin:
            return c, potential
        margin = max(0.8 * margin, 5e-5)
    raise AssertionError("no configuration without a pair at its cutoff")


@pytest.mark.parametrize(("name", "parameters", "n"), CALCULUS)
def test_derivatives_by_differences(name, parameters, n):
    c, potential = calculus_case(name, parameters, n)
    h = 1e-5
    energy, forces = potential.energy_forces(c)
    evaluate = potential.evaluator(c)

    def energy_at(x):
        return evaluate(np.ascontiguousarray(x), np.empty_like(x))

    def forces_at(x):
        out = np.empty_like(x)
        evaluate(np.ascontiguousarray(x), out)
        return out

    scale = np.sqrt(np.mean(forces**2))
    assert scale > 1e-4 and energy == pytest.approx(energy_at(c.positions), rel=1e-12)
    gradient = oracles.numerical_gradient(energy_at, np.array(c.positions), h)
    np.testing.assert_allclose(-forces, gradient, atol=2e-7 * max(scale, abs(energy)))
    hessian = potential.hessian(c).toarray()
    stiffest = np.abs(hessian).max()
    numerical = oracles.numerical_hessian(forces_at, np.array(c.positions), h)
    np.testing.assert_allclose(hessian, numerical, atol=2e-7 * stiffest)
    np.testing.assert_allclose(hessian, hessian.T, rtol=0, atol=1e-13 * stiffest)
    for axis in range(c.dimension):
        shift = np.zeros_like(c.positions)
        shift[:, axis] = 1.0
        assert np.abs(hessian @ shift.ravel()).max() < 1e-11 * stiffest
    np.testing.assert_allclose(forces.sum(axis=0), 0.0, atol=1e-11 * scale * n)


@pytest.mark.parametrize(("name", "parameters", "n"), CALCULUS)
def test_strain_derivatives_by_differences(name, parameters, n):
    c, potential = calculus_case(name, parameters, n)
    d = c.dimension
    h = 2e-6

    def strained(a, b, g):
        f = np.eye(d)
        f[a, b] += g
        return c.replace(positions=c.positions @ f.T, cell=c.cell @ f.T)

    def five(function, a, b):
        values = [function(strained(a, b, k * h)) for k in (-2, -1, 1, 2)]
        return (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)

    exact = potential.strain_derivatives(c)
    stress = potential.stress(c)
    assert stress == pytest.approx(exact.first / c.volume)
    directions = list(itertools.product(range(d), repeat=2)) if d < 4 else [(0, 0), (0, 1), (2, 1), (d - 1, d - 2)]
    size = np.abs(exact.first).max() + abs(potential.energy(c))
    for a, b in directions:
        assert exact.first[a, b] == pytest.approx(five(potential.energy, a, b), abs=3e-7 * size)
    assert list(exact.planes) == list(itertools.combinations(range(d), 2))
    planes = range(len(exact.planes)) if d < 4 else (0, len(exact.planes) - 1)
    for k in planes:
        a, b = exact.planes[k]
        # dU/dg of the sheared state is not its dU/dF_ab = sum U' u_a r_b: that derivative is of a further
        # deformation of the sheared state; they agree because (1 + g e_a e_b) shears add: F(g + h) = F(h) F(g).
        second = five(lambda state, a=a, b=b: potential.strain_derivatives(state).first[a, b], a, b)
        assert exact.second[k] == pytest.approx(second, rel=1e-6, abs=1e-6 * size)
        mixed = five(lambda state: -potential.forces(state).ravel(), a, b)
        np.testing.assert_allclose(exact.mixed[k], mixed, atol=3e-7 * np.abs(exact.mixed).max())


@pytest.mark.parametrize(
    ("d", "fraction", "n"), [(4, 0.8, 20), (5, 0.8, 14), (6, 0.35, 12), (7, 0.1, 10), (8, 0.03, 9)]
)
def test_harmonic_energy_in_high_dimensions_is_the_sum_over_images(d, fraction, n):
    model = models.build("harmonic", dimension=d, volume_fraction=fraction)
    c = states.tilted(model.random_configuration(n, rng=d), rng=d, tilt=0.15)
    distances = np.concatenate([r for _, _, r in image_distances(c, 1.0)])
    assert len(distances) > 3
    potential = model.potential(c)
    assert potential.energy(c) == pytest.approx(0.5 * np.sum((1 - distances) ** 2), rel=1e-12)
    np.testing.assert_allclose(np.sort(potential.pairs(c).distances), np.sort(distances), rtol=1e-12)
