"""Diameters to draw particles with, on crystals whose neighbours are known."""

import numpy as np
import pytest

import pelplug


def salt(distance):
    """A rock salt shaken a little: unlike neighbours at the distance, like ones at sqrt(2) of it."""
    at = np.stack(np.meshgrid(*[np.arange(6)] * 3, indexing="ij"), -1).reshape(-1, 3)
    shaken = distance * (at + np.random.default_rng(0).normal(scale=0.03, size=at.shape))
    return pelplug.Configuration(shaken, [6 * distance] * 3, np.where(at.sum(axis=1) % 2, "Na", "Cl"))


def test_ions_touch_where_unlike_ones_are_nearest():
    sizes = pelplug.particle_sizes(salt(2.8))
    assert sizes.rule == "g(r)"  # each by itself would have sqrt(2) of that, and overlap
    np.testing.assert_allclose(sizes.diameters, 2.8, rtol=0.03)


def test_a_single_particle_of_a_species_has_a_size():
    state = salt(2.8)
    species = np.full(state.n, "A", dtype="U1")
    species[7] = "B"
    sizes = pelplug.particle_sizes(state.replace(species=species))
    assert sizes.rule in ("g(r)", "density") and np.all(np.isfinite(sizes.diameters)) and sizes.diameters.min() > 0


def test_what_is_known_comes_first():
    model = pelplug.model("kob-andersen")
    state = model.random_configuration(50, 0)
    sizes = pelplug.particle_sizes(state, model.potential(state))
    assert sizes.rule == "potential"
    np.testing.assert_array_equal(sizes.diameters, np.where(state.species == "A", 1.0, 0.88))
    own = state.replace(diameters=np.linspace(0.5, 1.5, 50))
    assert pelplug.particle_sizes(own, model.potential(state)).rule == "configuration"


@pytest.mark.parametrize("d", [3, 4])
def test_without_peaks_it_is_the_mean_distance(d):
    gas = pelplug.Configuration(np.random.default_rng(1).uniform(size=(30, d)) * 5, [5.0] * d, ["A"] * 30)
    sizes = pelplug.particle_sizes(gas)
    assert sizes.rule == "density"
    np.testing.assert_allclose(sizes.diameters, (5.0**d / 30) ** (1 / d))
