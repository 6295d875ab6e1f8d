"""g(r) of frames and of their minima against plain counts of pairs, U(r) against its formula, and what is refused."""

import json

import numpy as np
import pytest
from pelplug_dynamics.radial import RadialDistribution

import pelplug
from pelplug.testing import make_trajectory, parametrize_with_checks


@pytest.fixture(scope="module")
def liquid(tmp_path_factory):
    path = make_trajectory(tmp_path_factory.mktemp("liquid") / "a.gsd", n=120, frames=4)
    return path, pelplug.analyze("radial-distribution", path, model="kob-andersen", bins=60)


def counted(positions, cell, species, first, second, edges):
    """g_ab(r) of one state: all ordered pairs by their nearest image, over those of an ideal gas."""
    a, b = positions[species == first], positions[species == second]
    apart = a[:, None] - b[None]
    apart -= np.rint(apart @ np.linalg.inv(cell)) @ cell
    r = np.linalg.norm(apart, axis=2)
    pairs = len(a) * (len(b) - (first == second))
    counts, _ = np.histogram(r[r > 1e-9], edges)
    return counts / (pairs * 4 / 3 * np.pi * np.diff(edges**3) / np.linalg.det(cell))


def test_of_frames_and_minima_against_counts_of_pairs(liquid):
    path, found = liquid
    trajectory = pelplug.open_trajectory(path)
    states = list(trajectory)
    potential = pelplug.model("kob-andersen").potential(states[0])
    edges = np.linspace(0, 2 * found.r.values[0] * found.sizes["r"], found.sizes["r"] + 1)
    assert edges[-1] == pytest.approx(0.499 * states[0].heights.min(), rel=1e-6)
    minima = [pelplug.quench(one, potential).configuration for one in states]
    for name, of in (("rdf", states), ("rdf_inherent", minima)):
        for a, b in (("A", "A"), ("A", "B"), ("B", "B")):
            expected = [counted(one.positions, one.cell, one.species, a, b, edges) for one in of]
            g = found[name].sel(species_a=a, species_b=b).values
            # A distance may fall on the other side of an edge in single precision.
            assert np.abs(g - np.mean(expected, axis=0)).max() < 0.05 * g.max()
            assert np.mean(np.abs(g - np.mean(expected, axis=0))) < 2e-3
            np.testing.assert_array_equal(g, found[name].sel(species_a=b, species_b=a).values)
    # Minima are more sharply ordered than the liquid.
    assert float(found["rdf_inherent"].sel(species_a="A", species_b="A").max()) > float(found["rdf"][0, 0].max())
    assert found["rdf_error"].attrs["error_method"] == "jackknife over frames" and (found["rdf_error"] >= 0).all()


def test_the_pair_potential_is_that_of_the_formula(liquid):
    r, energy = liquid[1]["r"].values, liquid[1]["pair_energy"]

    def lennard_jones(x):
        return 4 * (x**-12.0 - x**-6.0)

    for a, b, epsilon, sigma in (("A", "A", 1.0, 1.0), ("A", "B", 1.5, 0.8), ("B", "B", 0.5, 0.88)):
        exact = epsilon * (lennard_jones(r / sigma) - lennard_jones(2.5))
        np.testing.assert_allclose(energy.sel(species_a=a, species_b=b), np.where(r < 2.5 * sigma, exact, 0), rtol=1e-9)
    assert energy.attrs["units"] == "energy"


def test_what_is_refused_and_what_is_said(liquid, tmp_path):
    with pytest.raises(pelplug.InputError, match=r"smaller --r-max"):
        pelplug.analyze("radial-distribution", liquid[0], model="kob-andersen", r_max=3.0)
    rng = np.random.default_rng(0)
    state = pelplug.Configuration(rng.uniform(0, 3, (20, 4)), np.full(4, 3.0), ["A"] * 20, diameters=np.ones(20))
    pelplug.write_trajectory(tmp_path / "four.nc", [state])
    with pytest.raises(pelplug.InputError, match="two and three dimensions"):
        pelplug.analyze("radial-distribution", tmp_path / "four.nc", model="harmonic-spheres")
    one = pelplug.analyze("radial-distribution", liquid[0], model="kob-andersen", stop=1, bins=20)
    assert np.isnan(one["rdf_error"]).all() and "No errors" in json.loads(one.attrs["not_found"])[0]


def test_the_figure_has_a_panel_for_each_pair_and_says_the_axis(liquid):
    figure = RadialDistribution.from_dataset(liquid[1]).figure()
    labels = [ax.get_ylabel() for ax in figure.axes]
    assert [one for one in labels if "g_" in one] == [rf"$g_\mathrm{{{pair}}}(r)$" for pair in ("AA", "AB", "BB")]
    assert sum("$U(r)$" in one for one in labels) == 3 and "$T$" in figure.get_suptitle()


@parametrize_with_checks([RadialDistribution])
def test_keeps_the_contract(check):
    check()
