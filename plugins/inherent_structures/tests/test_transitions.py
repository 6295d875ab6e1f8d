"""inherent-structure-transitions: the search on known series, and the analysis on shaken minima in a known order."""

import json
import signal
import time

import gsd.hoomd
import MDAnalysis
import numpy as np
import pytest
import xarray as xr
from pelplug_inherent_structures.bisection import Search, count_transitions, search_by_bisection
from pelplug_inherent_structures.identity import Catalogue, displacements
from pelplug_inherent_structures.inherent_structures import InherentStructures
from pelplug_inherent_structures.statistics import EnergySamples, density_of, energy_moments, miss_rate, transition_rate
from pelplug_inherent_structures.throughput import analyze_many
from pelplug_inherent_structures.transitions import InherentStructureTransitions as Transitions
from scipy import stats
from scipy.signal import lfilter

import pelplug
from pelplug.testing import parametrize_with_checks, unfinished_store

N = 60
ORDER = [0] * 9 + [1] * 14 + [0] * 12 + [2] + [0] * 5 + [2] * 21 + [3, 1] + [3] * 16


@pytest.fixture(scope="module")
def model():
    return pelplug.model("kob-andersen", truncation="smooth", cutoff=1.8)


@pytest.fixture(scope="module")
def minima(model):
    rng = np.random.default_rng(3)
    start = model.random_configuration(N, rng)
    found = [pelplug.quench(start, model.potential(start), "lbfgs").require_converged()]
    while len(found) < 4:  # neighbours: from an inherent structure, shaken hard
        last = found[-1].configuration
        shaken = last.replace(positions=last.positions + rng.normal(scale=0.15, size=(N, 3)))
        new = pelplug.quench(shaken, model.potential(start), "lbfgs").require_converged()
        if min(abs(new.energy - one.energy) for one in found) > 1e-3:
            found.append(new)
    return found


def write(path, minima, order, model, damaged=()):
    """Frames near minima in a given order, the whole system travelling through images."""
    rng = np.random.default_rng(8)

    def frames():
        for k, which in enumerate(order):
            one = minima[which].configuration
            travelled = one.positions + rng.normal(scale=0.01, size=(N, 3)) + 0.37 * k * np.array([1.0, -0.4, 0.1])
            if k in damaged:
                travelled = rng.uniform(0, one.cell[0, 0], size=(N, 3))
            yield one.replace(positions=travelled, frame=k, step=10 * k, time=None).wrapped()

    pelplug.write_trajectory(path, frames(), model_record=model.to_dict())
    return path


@pytest.fixture(scope="module")
def path(tmp_path_factory, minima, model):
    return write(tmp_path_factory.mktemp("transitions") / "known.gsd", minima, ORDER, model)


@pytest.fixture(scope="module")
def dense(path):
    return pelplug.analyze(Transitions.name, path, dt=0.005, search="all", temperature=0.5)


# --- identity -----------------------------------------------------------------------------------------------------


def test_displacements_know_neither_images_nor_translations():
    rng = np.random.default_rng(0)
    cell = np.array([[4.0, 0, 0], [0.7, 5.0, 0], [-0.4, 0.9, 4.5]])
    before = rng.uniform(0, 4, size=(50, 3))
    moved = rng.normal(scale=0.05, size=(50, 3))
    moved[0] += [0.9, 0.0, -0.6]  # the particle the images are first taken from is itself the one that jumps
    for translation in (np.zeros(3), cell[0] / 2, 0.5 * cell.sum(axis=0), [17.3, -2.0, 8.1]):
        after = before + moved + translation + rng.integers(-3, 4, size=(50, 3)) @ cell
        np.testing.assert_allclose(displacements(before, after, cell), moved - moved.mean(axis=0), atol=1e-12)


def test_catalogue_tells_by_energy_and_then_by_displacement():
    rng = np.random.default_rng(1)
    cell, x = np.eye(2) * 3.0, rng.uniform(0, 3, size=(9, 2))
    other = x.copy()
    other[4] += 0.3
    catalogue = Catalogue(1e-6, 1e-2)
    assert catalogue.identify(-5.0, x, cell) == 0
    assert catalogue.identify(-5.0 + 9e-7, x + 1.5 + rng.integers(-1, 2, size=x.shape) * 3.0, cell) == 0
    assert catalogue.identify(-5.0 - 9e-7, x, cell) == 0  # in another bin of the hash
    assert catalogue.identify(-5.0, other, cell) == 1  # same energy, other place
    assert catalogue.identify(-5.0 + 3e-6, x, cell) == 2
    with pytest.raises(pelplug.InputError, match="cell changes"):
        catalogue.identify(-5.0, x, 1.01 * cell)


# --- search -------------------------------------------------------------------------------------------------------


def telegraph(rng, n, stay, structures=6):
    """A series that leaves with probability 1 - stay a frame, often back to where it came from."""
    series = [0]
    while len(series) < n:
        series.append(series[-1] if rng.random() < stay else int(rng.integers(structures)))
    return np.array(series)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("interval", [1, 7, 64, 10_000])
def test_bisection_finds_all_but_excursions(seed, interval):
    truth = telegraph(np.random.default_rng(seed), 1000, 0.97)
    search = Search(1000, lambda places: truth[places])
    sampled = search_by_bisection(search, interval, 0, 0)
    filled = search.filled()
    known = np.array(sorted(search.known))
    np.testing.assert_array_equal(filled[known], truth[known])
    dense = {int(k) for k in np.flatnonzero(np.diff(truth))}
    found = {int(k) for k in np.flatnonzero(np.diff(filled))}
    assert found <= dense
    for k in dense - found:  # inside an interval with one structure at both ends
        left, right = known[known <= k].max(), known[known > k].min()
        assert right - left > 1 and truth[left] == truth[right]
    assert sampled.skipped == 1000 - len(known)
    if interval == 1:
        assert found == dense


def test_no_frame_is_quenched_twice_and_few_where_nothing_happens():
    asked = []
    truth = np.zeros(1025, dtype=int)
    truth[700:] = 1
    search = Search(1025, lambda places: asked.extend(places) or truth[places])
    search_by_bisection(search, 1024, 0, 0)
    assert len(asked) == len(set(asked)) == 2 + 10  # both ends, and log2(1024) halvings
    assert count_transitions(search.filled()) == 1


def test_the_sampled_rates_are_true_on_average():
    truth = telegraph(np.random.default_rng(4), 4000, 0.96, structures=3)
    plain = Search(4000, lambda places: truth[places])
    search_by_bisection(plain, 32, 0, 0)
    wrong = plain.filled() != truth
    skipped = len(plain.skipped())
    lost = count_transitions(truth) - count_transitions(plain.filled())
    assert wrong.sum() > 50 and lost > 20
    rates, transitions, errors, covered, bounded = [], [], [], 0, 0
    for seed in range(400):
        search = Search(4000, lambda places: truth[places])
        sampled = search_by_bisection(search, 32, 150, seed)
        assert (sampled.skipped, sampled.size) == (skipped, 150)
        rates.append(sampled.missed / sampled.size)
        transitions.append(sampled.transitions)
        errors.append(sampled.error)
        low, high = miss_rate(sampled.missed, sampled.size)[1:]
        covered += low <= wrong.sum() / skipped <= high
        bounded += lost <= 2 * high * skipped
        assert count_transitions(search.filled()) == count_transitions(plain.filled()) + sampled.found
    assert np.mean(rates) == pytest.approx(wrong.sum() / skipped, abs=4 * np.std(rates) / np.sqrt(400))
    assert covered >= 376 and bounded >= 376  # 95% intervals, and these are wider
    assert np.mean(transitions) == pytest.approx(lost, abs=4 * np.std(transitions) / np.sqrt(400))
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(transitions), rel=0.15)


def test_a_run_of_misses_is_quenched_whole():
    truth = np.zeros(200, dtype=int)
    truth[81:89] = [
        1,
        1,
        2,
        3,
        0,
        4,
        4,
        4,
    ]  # two runs in one interval: c / r is 4 / 4 and 2 / 3
    found = set()
    for seed in range(60):
        search = Search(200, lambda places: truth[places])
        sampled = search_by_bisection(search, 50, 12, seed)
        weights = {0: [0.0], 1: [4 / 4, 2 / 3]}.get(sampled.missed, [])
        if weights:
            assert any(sampled.transitions == pytest.approx(sampled.skipped / 12 * one) for one in weights)
            found.add(round(sampled.transitions, 6))
        if sampled.missed:
            assert set(range(81, 85)) <= search.known.keys() or set(range(86, 89)) <= search.known.keys()
    assert len(found) == 3


def test_the_budget_is_spent_near_transitions():
    rng = np.random.default_rng(6)
    truth = np.zeros(8000, dtype=int)
    truth[2000:4000] = telegraph(rng, 2000, 0.93, structures=3)  # a busy stretch, flickering, in a quiet run
    truth[4000:] = truth[3999]
    results = {}
    for budget in (0.0, 0.2):
        search = Search(8000, lambda places: truth[places])
        search_by_bisection(search, 32, 0, 0, budget)
        results[budget] = (len(search.known), count_transitions(search.filled()))
    for interval in range(32, 0, -1):  # against spending the same by a shorter interval
        search = Search(8000, lambda places: truth[places])
        search_by_bisection(search, interval, 0, 0)
        if len(search.known) >= results[0.2][0]:
            break
    assert 1500 < results[0.2][0] < 1640
    there = count_transitions(truth)
    assert results[0.2][1] > 0.95 * there > 0.92 * there > count_transitions(search.filled()) > results[0.0][1]
    sampled = search_by_bisection(search := Search(8000, lambda places: truth[places]), 32, 200, 0, 0.2)
    assert sampled.size == 200 and len(search.known) <= 0.2 * 8000
    # Where nothing happens, what the budget allows is spent evenly; it may exceed what there is.
    calm = Search(500, lambda places: np.zeros(len(places), dtype=int))
    search_by_bisection(calm, 32, 0, 0, 1.0)
    assert len(calm.known) == 500 and not calm.failed


def test_failed_frames_are_passed_over():
    truth = np.repeat([0, 1, 0], [40, 30, 30])
    bad = {0, 16, 99, 39, 40, 41}
    search = Search(100, lambda places: [None if k in bad else truth[k] for k in places])
    search_by_bisection(search, 16, 10, 0)
    filled = search.filled()
    good = filled >= 0
    assert set(np.flatnonzero(~good)) == bad
    np.testing.assert_array_equal(filled[good], truth[good])


def test_every_frame_fails():
    search = Search(20, lambda places: [None] * len(places))
    assert search_by_bisection(search, 8, 10, 0).size == 0
    assert not search.known and len(search.failed) == 20


# --- statistics ---------------------------------------------------------------------------------------------------


def samples_of(series, run=None):
    """Independent samples of a series, of one run or several."""
    coords = {"frame": np.arange(len(series))} | ({} if run is None else {"run": ("frame", run)})
    return EnergySamples(xr.Dataset(coords=coords), series)


def correlated(rng, n, inefficiency):
    """A Gaussian series of variance 1 whose correlation decays as exp(-2 k / inefficiency)."""
    a = np.exp(-2.0 / inefficiency)
    noise = rng.normal(size=n) * np.r_[1.0, np.full(n - 1, np.sqrt(1 - a**2))]
    return lfilter([1.0], [1.0, -a], noise)


def test_moments_and_their_errors():
    rng = np.random.default_rng(2)
    x = rng.gamma(4.0, size=4000)
    got = energy_moments(x, samples_of(x))
    assert got["mean"] == (pytest.approx(x.mean()), pytest.approx(2 / np.sqrt(4000), rel=0.1))
    # variance of a sample variance: sigma^4 (excess + 2) / n, with excess 6 / 4
    assert got["variance"] == (pytest.approx(x.var(ddof=1)), pytest.approx(4 * np.sqrt(3.5 / 4000), rel=0.15))
    assert got["skewness"][0] == pytest.approx(stats.skew(x))
    shifted = energy_moments(x - 1e6, samples_of(x))
    assert shifted["skewness"][0] == pytest.approx(stats.skew(x), rel=1e-6)


# Share of 400 series within one stated error, and the 99.9 % band of 68.3 % of them.
BAND = (0.606, 0.760)
SERIES = {
    "not correlated": lambda rng: rng.normal(size=100),
    "one time": lambda rng: correlated(rng, 500, 10),
    "two times": lambda rng: np.sqrt(0.7) * correlated(rng, 1000, 4) + np.sqrt(0.3) * correlated(rng, 1000, 25),
}


@pytest.fixture(scope="module", params=list(SERIES))
def many_series(request):
    """Deviation from the truth over the stated error of the three moments, and of the density, of 400 series."""
    rng = np.random.default_rng(13)
    edges = np.linspace(-2, 2, 9)
    truth = np.diff(stats.norm.cdf(np.r_[-np.inf, edges[1:-1], np.inf])) / np.diff(edges)
    moments, densities = [], []
    for _ in range(400):
        x = SERIES[request.param](rng)
        samples = samples_of(x)
        found = energy_moments(x, samples)
        moments.append([(found[name][0] - value) / found[name][1] for name, value in (("mean", 0), ("variance", 1),
                                                                                   ("skewness", 0))])  # fmt: skip
        density, error = density_of(np.clip(x, -1.99, 1.99), edges, samples)
        densities.append((density - truth) / error)
    return np.array(moments), np.array(densities)


def test_errors_of_correlated_energies_hold_as_often_as_they_say(many_series):
    moments, densities = many_series
    known = np.isfinite(moments)
    assert known.mean() > 0.9
    for k in range(3):
        one = np.abs(moments[known[:, k], k])
        assert BAND[0] < np.mean(one < 1) < BAND[1]
        assert np.mean(one < 0.5) < BAND[0]  # half the error holds too seldom
    one = np.abs(densities[np.isfinite(densities)])
    assert 0.63 < np.mean(one < 1) < 0.74 and np.mean(one < 0.5) < 0.5


def test_variance_of_a_short_record_is_not_too_small():
    rng = np.random.default_rng(14)
    series = [correlated(rng, 300, 10) for _ in range(400)]
    found = np.array([energy_moments(x, samples_of(x))["variance"][0] for x in series])
    plain = np.array([x.var(ddof=1) for x in series])
    scatter = found.std() / 20
    assert abs(found.mean() - 1) < 3 * scatter < 1 - plain.mean()


def test_errors_over_runs_see_what_one_run_does_not():
    """Eight runs about means of their own: each alone says nothing of their scatter."""
    rng = np.random.default_rng(15)
    run = np.repeat(np.arange(8), 50)
    centres = rng.normal(size=8)
    x = centres[run] + 0.01 * rng.normal(size=400)
    error = energy_moments(x, samples_of(x, run))["mean"][1]
    assert error == pytest.approx(centres.std(ddof=1) / np.sqrt(8) * pelplug.student_factor(8), rel=1e-2)
    samples = samples_of(x, run)
    assert samples.samples == 8 and samples.attributes(samples.of)["error_method"] == "jackknife over runs"


def test_transitions_in_bursts_have_the_error_of_bursts():
    """Bursts of ten transitions at random times: the count scatters as ten times the root of the bursts."""
    rng = np.random.default_rng(16)
    ratios = []
    for _ in range(100):
        busy = np.flatnonzero(rng.random(4000) < 0.01)
        changed = np.unique(np.minimum((busy[:, None] + np.arange(10)).ravel(), 3998))
        level = np.zeros(4000)
        level[changed] = 1.0
        samples = samples_of(np.convolve(level, np.ones(5), "same") + 0.1 * rng.normal(size=4000))
        rate, error = transition_rate(np.arange(4000.0), np.zeros(4000, dtype=int), changed, samples)
        assert rate == pytest.approx(len(changed) / 3999)
        ratios.append([rate, error])
    rates, errors = np.array(ratios).T
    assert 0.8 < np.median(errors) / rates.std(ddof=1) < 1.3
    assert np.median(errors) > 2 * np.sqrt(np.mean(rates) / 3999)


def test_short_series_have_no_errors():
    one = np.array([-3.0])
    assert np.isnan(energy_moments(one, samples_of(one))["variance"]).all()
    four = np.array([-3.0, -2.0, -4.5, -3.3])
    found = energy_moments(four, samples_of(four))
    assert np.isfinite(found["mean"]).all() and found["variance"][0] == pytest.approx(four.var(ddof=1))
    assert np.isnan(found["variance"][1]) and np.isnan(found["skewness"][1])
    constant = np.full(10, -3.0)
    found = energy_moments(constant, samples_of(constant))
    assert found["mean"] == (-3.0, 0.0) and np.isnan(found["skewness"][0])
    slow = correlated(np.random.default_rng(17), 200, 100)  # two times its correlation
    found = energy_moments(slow, samples_of(slow))
    assert np.isfinite(found["mean"][0]) and np.isnan([error for _, error in found.values()]).all()


def test_moments_of_few_runs_without_errors_say_why():
    energies = np.random.default_rng(18).normal(size=60)
    for runs, words in ((5, "No error of the skewness of the energy: the 5 runs are fewer than the 10"), (10, "")):
        samples = samples_of(energies, np.repeat(np.arange(runs), 60 // runs))
        found, said = energy_moments(energies, samples), samples.remarks("inherent-structures")
        assert np.isfinite(found["skewness"][1]) == (not words) and np.isfinite(found["variance"][1])
        assert said == [] if not words else said[0].startswith(words) and "10 or more" in said[0]


def test_miss_rate_interval():
    rate, low, high = miss_rate(0, 50)
    assert (rate, low) == (0.0, 0.0)
    assert high == pytest.approx(1 - 0.025 ** (1 / 50))  # exact binomial: (1 - p)**50 = 2.5%
    assert np.isnan(miss_rate(0, 0)).all()


# --- the analysis -------------------------------------------------------------------------------------------------


def test_the_order_of_structures_is_found(dense, minima, path):
    assert dense["structure"].values.tolist() == ORDER
    energies = np.array([one.energy for one in minima])
    np.testing.assert_allclose(dense["energy"], energies[ORDER], atol=1e-9)
    changes = np.flatnonzero(np.diff(ORDER))
    assert dense["transition_before"].values.tolist() == changes.tolist()
    assert dense["transition_after"].values.tolist() == (changes + 1).tolist()
    np.testing.assert_allclose(dense["transition_time"], 0.05 * (changes + 0.5))
    assert dense["visit_structure"].values.tolist() == [0, 1, 0, 2, 0, 2, 3, 1, 3]
    assert (dense["visit_first"].values[1:] == dense["transition_after"].values).all()
    duration = 0.05 * (len(ORDER) - 1)
    assert float(dense["transition_rate"]) == pytest.approx(8 / duration)
    assert np.isnan(dense["transition_rate_error"])  # structures follow each other too slowly for the length of the run
    (said,) = json.loads(dense.attrs["not_found"])
    assert "fewer than 20 independent" in said and "run-*.gsd" in said
    ballistic = 0.1 * 1.2 ** (-1 / 3) * np.sqrt(1 / 0.5)
    assert float(dense["ballistic_time"]) == pytest.approx(ballistic)
    assert float(dense["reduced_rate"]) == pytest.approx(8 / duration * ballistic * 1000 / N)
    assert int(dense["quenches"]) == len(ORDER) and int(dense["structures"]) == 4
    assert float(dense["variance_energy"]) == pytest.approx(energies[ORDER].var(ddof=1))
    assert float(dense["density"].sum() * np.diff(dense["bin_energy"])[0]) == pytest.approx(1.0)


def test_positions_are_continuous_states_without_drift(dense, minima, path, model):
    start = pelplug.open_trajectory(path).configuration(0)
    x = dense["positions"].values
    np.testing.assert_allclose(x.mean(axis=1), np.broadcast_to(x[0].mean(axis=0), (9, 3)), atol=1e-9)
    steps = np.diff(x, axis=0)
    np.testing.assert_allclose(np.sqrt((steps**2).sum(axis=(1, 2))), dense["transition_distance"], rtol=1e-12)
    np.testing.assert_allclose(np.sqrt((steps**2).sum(axis=2)).max(axis=1), dense["transition_largest"], rtol=1e-12)
    np.testing.assert_allclose(x[2], x[0], atol=1e-6)  # back in the first structure, without an image between
    for k, which in enumerate(dense["visit_structure"].values):
        energy, forces = model.potential(start).energy_forces(start.replace(positions=x[k], images=None))
        assert energy == pytest.approx(minima[which].energy, abs=1e-9)
        assert np.abs(forces).max() < 1e-5
    known = displacements(minima[0].configuration.positions, minima[1].configuration.positions, start.cell)
    assert float(dense["transition_distance"][0]) == pytest.approx(np.sqrt((known**2).sum()), abs=1e-6)


def exchange(minima, way):
    """Two A particles about half a cell apart take each other's places: one goes about `way` of the cell, one the rest.

    Returns a minimum, the positions before, half way and after, and the largest move along the first cell vector.
    """
    one = minima[0].configuration
    alike = np.flatnonzero(one.species == "A")
    apart = (one.positions[alike] - one.positions[alike, None]) @ np.linalg.inv(one.cell)
    apart[..., 0] %= 1.0
    apart[..., 1:] -= np.round(apart[..., 1:])
    off = np.abs(apart - [way, 0, 0]).sum(axis=2)
    i, j = np.unravel_index(off.argmin(), off.shape)
    moves = np.zeros((N, 3))
    moves[alike[i]], moves[alike[j]] = apart[i, j], [1, 0, 0] - apart[i, j]
    return one, one.positions + np.array([0.0, 0.5, 1.0])[:, None, None] * (moves @ one.cell), moves[:, 0].max()


@pytest.mark.parametrize(("way", "flags"), [(0.46, True), (0.54, True), (0.5, False)])
def test_hops_half_way_round_the_cell_go_the_way_of_the_frames(minima, model, tmp_path, way, flags):
    """Of hops by about half the cell the nearest image tells nothing: frames do, by image flags or by their number."""
    one, paths, most = exchange(minima, way)
    assert 0.5 < most < 0.6
    drift = np.array([0.3, -0.2, 0.1])
    frames = [one.replace(positions=x + k * drift, frame=k, step=10 * k).wrapped() for k, x in enumerate(paths)]
    frames = [frame if flags else frame.replace(images=None) for frame in frames]
    pelplug.write_trajectory(tmp_path / "hop.gsd", frames, model_record=model.to_dict())
    found = pelplug.analyze(Transitions.name, tmp_path / "hop.gsd", dt=0.005, search="all")
    assert found.attrs["images"] == "followed from frame to frame"
    moved, expected = found["positions"].values[-1] - found["positions"].values[0], paths[2] - paths[0]
    np.testing.assert_allclose(moved, expected - expected.mean(axis=0), atol=1e-3)


def test_where_frames_do_not_tell_it_is_the_nearest_image(minima, model, tmp_path):
    one, paths, most = exchange(minima, 0.5)
    drift = (0.5 - most) * one.cell[0]  # in the frames one particle moves by half the cell
    frames = [
        one.replace(positions=x, frame=k, step=10 * k).wrapped().replace(images=None)
        for k, x in enumerate((paths[0], paths[2] + drift))
    ]
    pelplug.write_trajectory(tmp_path / "hop.gsd", frames, model_record=model.to_dict())
    found = pelplug.analyze(Transitions.name, tmp_path / "hop.gsd", dt=0.005, search="all")
    assert "nobody can tell which way" in found.attrs["images"]
    assert np.abs(np.diff(found["positions"].values, axis=0) @ np.linalg.inv(one.cell)).max() <= 0.51


def test_bisection_equals_dense_but_for_excursions(dense, path):
    found = pelplug.analyze(Transitions.name, path, dt=0.005, interval=16, sample=0)
    missing = sorted(set(dense["transition_before"].values) - set(found["transition_before"].values))
    assert set(found["transition_before"].values) <= set(dense["transition_before"].values)
    assert missing == [34, 35, 62, 63]  # the visits of one frame, 35 and 63
    same = ~np.isin(np.arange(len(ORDER)), (35, 63))
    np.testing.assert_allclose(found["energy"].values[same], dense["energy"].values[same], atol=1e-9)
    assert float(found["miss_rate"]) != float(found["miss_rate"])  # no sample, no rate
    assert int(found["quenches"]) < 0.6 * len(ORDER)
    assert int(found["quenched"].sum()) == int(found["quenches"])
    all_sampled = pelplug.analyze(Transitions.name, path, dt=0.005, interval=16, sample=1000)
    assert (int(all_sampled["missed"]), int(all_sampled["recovered_transitions"])) == (2, 4)
    assert float(all_sampled["missed_transitions"]) == pytest.approx(4.0)
    assert all_sampled["structure"].values.tolist() == ORDER


@parametrize_with_checks([Transitions])
def test_contract(check):
    check()


def test_a_temperature_gives_a_reduced_rate(path):
    ds = pelplug.analyze(Transitions.name, path, dt=0.005, temperature=0.5, sample=5)
    assert "reduced_rate" in ds and ds.attrs["temperature"] == 0.5


def test_one_structure_has_no_transition(tmp_path, minima, model):
    path = write(tmp_path / "one.gsd", minima, [2] * 12, model)
    ds = pelplug.analyze(Transitions.name, path, dt=0.005)
    assert ds.sizes["transition"] == 0 and ds.sizes["visit"] == 1
    assert float(ds["transition_rate"]) == 0.0 and "reduced_rate" not in ds
    single = pelplug.analyze(Transitions.name, path, dt=0.005, stop=1)
    assert np.isnan(single["transition_rate"]) and int(single["quenches"]) == 1


def test_a_frame_that_fails_is_left_out(tmp_path, minima, model):
    path = write(tmp_path / "bad.gsd", minima, [0] * 9 + [1] * 9, model, damaged=(0, 8, 17))
    needed = pelplug.analyze("inherent-structures", path, dt=0.005)["evaluations"].values
    bad = np.isin(np.arange(18), (0, 8, 17))
    limit = int(needed[~bad].max())
    assert needed[bad].min() > limit
    ds = pelplug.analyze(Transitions.name, path, dt=0.005, interval=4, max_evaluations=limit)
    assert sorted(json.loads(ds.attrs["failed_frames"]), key=int) == ["0", "8", "17"]
    assert ds["frame"].values.tolist() == [*range(1, 8), *range(9, 17)]
    assert (int(ds["transition_before"][0]), int(ds["transition_after"][0])) == (7, 9)
    with pytest.raises(pelplug.RunError, match="in every frame"):
        pelplug.analyze(Transitions.name, path, dt=0.005, max_evaluations=3)


@pytest.fixture
def counted(monkeypatch):
    """Quenches made, by frame; the run is interrupted when `stop_after` of them are done."""
    state = {"frames": [], "stop_after": None}
    compute = InherentStructures.compute

    def counting(self, configuration):
        if len(state["frames"]) == state["stop_after"]:
            raise KeyboardInterrupt
        state["frames"].append(configuration.frame)
        return compute(self, configuration)

    monkeypatch.setattr(InherentStructures, "compute", counting)
    return state


def test_an_interrupted_run_goes_on(counted, path, tmp_path):
    options = {"dt": 0.005, "interval": 16, "sample": 10}
    whole = pelplug.analyze(Transitions.name, path, **options)
    asked, counted["frames"] = counted["frames"], []
    counted["stop_after"] = 11
    with pytest.raises(KeyboardInterrupt):
        pelplug.analyze(Transitions.name, path, **options, store=unfinished_store(tmp_path / "a.nc"))
    assert counted["frames"] == asked[:11]
    counted["stop_after"] = None
    resumed = pelplug.analyze(Transitions.name, path, **options, store=unfinished_store(tmp_path / "a.nc"))
    assert counted["frames"] == asked
    xr_same = {name for name in whole.data_vars if whole[name].equals(resumed[name])}
    assert xr_same == set(whole.data_vars)
    # The plain analysis finds these frames too, and other frames only are quenched.
    pelplug.analyze("inherent-structures", path, dt=0.005, store=unfinished_store(tmp_path / "a.nc"))
    assert sorted(counted["frames"]) == list(range(len(ORDER)))


def test_many_trajectories(path, tmp_path, minima, model):
    other = write(tmp_path / "other.gsd", minima, [3] * 6 + [0] * 6, model)
    results = analyze_many([path, other], workers=2, dt=0.005, search="all")
    assert [len(one["frame"]) for one in results] == [len(ORDER), 12]
    assert results[0]["structure"].values.tolist() == ORDER
    assert results[1].sizes["transition"] == 1
    with pytest.raises(pelplug.RunError, match=r"absent\.gsd could not be analysed"):
        analyze_many([tmp_path / "absent.gsd"], dt=0.005)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"search": "some"}, "search"),
        ({"interval": 0}, "interval"),
        ({"temperature": 0.0}, "temperature"),
        ({"minimiser_parameters": "memory=5"}, "fire has no parameter 'memory'"),
        ({"method": "newton"}, "newton"),
    ],
)
def test_wrong_parameters_are_refused(options, words, path):
    with pytest.raises(pelplug.InputError, match=words):
        Transitions(path, **options)


def test_time_and_order_are_needed(path, model):
    with pytest.raises(pelplug.InputError, match="the time of each frame"):
        pelplug.analyze(Transitions.name, path)
    with pytest.raises(pelplug.InputError, match="order of time"):
        pelplug.analyze(Transitions.name, path, dt=0.005, frames=[3, 2])
    with pytest.raises(pelplug.InputError, match="cannot use the backend dask"):
        Transitions(pelplug.open_trajectory(path, dt=0.005), model=model).run(backend="dask")


def test_plot(dense):
    figure = Transitions.from_dataset(dense).figure()
    left, right = figure.axes
    np.testing.assert_allclose(left.lines[0].get_ydata(), dense["energy_per_particle"])
    np.testing.assert_allclose(left.lines[1].get_xdata(), dense["transition_time"])
    values, edges, _ = right.patches[0].get_data()
    np.testing.assert_allclose(values, dense["density"])
    np.testing.assert_allclose((edges[1:] + edges[:-1]) / 2, dense["bin_energy"])


def test_no_line_goes_from_one_run_to_the_next(dense):
    frames = dense.sizes["frame"]
    run = np.repeat([0, 1], [10, frames - 10])
    two = dense.assign_coords(run=("frame", run, {"units": "1"}))
    for analysis in (Transitions, InherentStructures):
        lines = [line for line in analysis.from_dataset(two).plot().lines if len(line.get_xdata()) >= 10]
        assert [len(line.get_xdata()) for line in lines[:2]] == [10, frames - 10], analysis.name
        np.testing.assert_allclose(lines[1].get_ydata(), dense["energy_per_particle"][10:])
        assert lines[0].get_color() == lines[1].get_color()


# --- coordinates for other programs ---------------------------------------------------------------------------------


def analyse(run, path, folder, name, *more):
    arguments = [path, "--plugin", name, "--dt", 0.005, "-o", folder / "is.nc", "--export", folder / "is.gsd", *more]
    run("analyze", *arguments, code=0)
    return pelplug.read_results(folder / "is.nc")[name]


def unwrapped(frame):
    assert (frame.configuration.box[3:] == 0).all()
    return frame.particles.position + frame.particles.image * frame.configuration.box[:3]


@pytest.mark.parametrize("name", [Transitions.name, "inherent-structures"])
def test_coordinates_are_written_unwrapped(name, path, tmp_path, model, pelplug_command):
    dataset = analyse(pelplug_command, path, tmp_path, name, *(["--search", "all"] if name == Transitions.name else []))
    visits = name == Transitions.name
    labels = dataset["visit_first" if visits else "frame"].values
    energies = dataset["visit_energy" if visits else "energy"].values
    positions = dataset["positions"].values
    start = pelplug.open_trajectory(path).configuration(0)
    with gsd.hoomd.open(str(tmp_path / "is.gsd")) as file:
        assert len(file) == len(labels) == len(positions)
        record = json.loads(file[0].log["pelplug/quench"].tobytes())
        assert (record["method"], record["force_tolerance"]) == ("fire", 1e-10)
        assert json.loads(file[0].log["pelplug/model"].tobytes())["name"] == "kob-andersen"
        for k, frame in enumerate(file):
            length = np.abs(positions[k]).max() + frame.configuration.box[0]
            np.testing.assert_allclose(unwrapped(frame), positions[k], atol=2 * np.finfo(np.float32).eps * length)
            log = frame.log
            assert (int(log["pelplug/frame"][0]), frame.configuration.step) == (labels[k], 10 * labels[k])
            assert log["pelplug/visit_energy" if visits else "pelplug/energy"][0] == energies[k]
            if visits:
                assert int(log["pelplug/visit_last"][0]) == dataset["visit_last"].values[k]
                assert int(log["pelplug/visit_structure"][0]) == dataset["visit_structure"].values[k]
    # Other programs read float32, which leaves forces; a few steps of a minimiser take them away.
    universe = MDAnalysis.Universe(str(tmp_path / "is.gsd"))
    assert len(universe.trajectory) == len(labels)
    for k in (0, len(labels) - 1):
        rough = start.replace(positions=universe.trajectory[k].positions.astype(float), images=None)
        potential = model.potential(rough)
        force = np.abs(potential.forces(rough)).max()
        assert 1e-7 < force < 1e-3
        polished = pelplug.quench(rough, potential, "lbfgs", force_tolerance=1e-11).require_converged()
        assert polished.energy == pytest.approx(energies[k], abs=1e-10)
    # pelplug reads what it wrote in float64.
    exact = pelplug.open_trajectory(tmp_path / "is.gsd").configuration(len(labels) - 1)
    assert np.abs(model.potential(exact).forces(exact)).max() < 1e-9


def test_a_killed_command_goes_on(path, pelplug_command):
    """SIGKILL in the middle: what was finished is found, and the result is that of a run in one go."""
    arguments = ("analyze", path, "--plugin", Transitions.name, "--dt", 0.005, "--search", "all", "-o")
    process, folder = pelplug_command.start(*arguments, "a.nc"), pelplug_command.folder
    deadline = time.monotonic() + 120
    while len(kept := list(folder.glob(".a.nc.*.partial/frame-*.npz"))) < 5 and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL and not (folder / "a.nc").exists()
    assert 5 <= len(kept) < len(ORDER)
    assert "found from an interrupted run" in pelplug_command(*arguments, "a.nc", code=0).stderr
    pelplug_command(*arguments, "b.nc", code=0)
    one, other = (pelplug.read_results(folder / f"{k}.nc")[Transitions.name] for k in "ab")
    assert {name for name in one.data_vars if one[name].equals(other[name])} == set(one.data_vars)
    assert {"mean_energy", "variance_energy", "skewness_energy", "density"} <= set(one.data_vars)
    assert not list(folder.glob(".*.partial"))
