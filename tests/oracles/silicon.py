"""States of the Stillinger-Weber liquid and its crystal."""

from __future__ import annotations

from pelplug import models
from pelplug.testing import states
from pelplug.testing.crystals import crystal

MODEL = models.build("stillinger-weber")


def state(n, cell="orthorhombic", seed=None, potential=None, density=None):
    """A liquid-like configuration; particles of the triclinic one are also moved by whole cell vectors."""
    c = MODEL.random_configuration(n, rng=n if seed is None else seed, density=density)
    if cell == "triclinic":
        c = states.tilted(c, rng=n)
    return states.without_overlaps(c, potential or MODEL.potential(c))


def diamond(cells):
    """The crystal at the distance where its pairs have energy -epsilon: 2**(1/6) sigma."""
    return crystal("diamond", cells, spacing=2.0 ** (1 / 6), species="Si")
