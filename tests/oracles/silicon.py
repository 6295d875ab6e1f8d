"""States of the Stillinger-Weber liquid and its crystal."""

from __future__ import annotations

import numpy as np

import oracles
import pelplug
from pelplug import models

MODEL = models.build("stillinger-weber")


def state(n, cell="orthorhombic", seed=None, potential=None, density=None):
    """A liquid-like configuration; particles of the triclinic one are also moved by whole cell vectors."""
    c = MODEL.random_configuration(n, rng=n if seed is None else seed, density=density)
    if cell == "triclinic":
        c = oracles.tilted(c, rng=n)
    return oracles.settle(c, potential or MODEL.potential(c))


def diamond(cells):
    """The crystal at the distance where its pairs have energy -epsilon: 2**(1/6) sigma."""
    a = 2.0 ** (1 / 6) * 4 / 3**0.5
    base = np.array([[0, 0, 0], [0, 2, 2], [2, 0, 2], [2, 2, 0], [1, 1, 1], [1, 3, 3], [3, 1, 3], [3, 3, 1]]) / 4
    c = pelplug.Configuration(base * a, [a, a, a], ["Si"] * 8)
    return oracles.replicated(c, cells)
