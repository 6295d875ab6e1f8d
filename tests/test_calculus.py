"""Energies in high dimensions against a sum over every pair and every image; derivatives are in tests/testing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import pelplug.models as models
from pelplug.testing import states


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
