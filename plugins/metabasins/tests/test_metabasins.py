"""metabasins: merge rules against known answers and a quadratic reference; walks of known numbers."""

import itertools

import numpy as np
import pytest
import xarray as xr
from pelplug_metabasins.hopping import scattering
from pelplug_metabasins.intervals import group_visits
from pelplug_metabasins.landscape import density_of_states, rate_parameters
from pelplug_metabasins.metabasins import INPUT, Metabasins
from pelplug_metabasins.moments import reach
from pelplug_metabasins.rates import fit_rate
from pelplug_metabasins.resampling import Samples
from pelplug_metabasins.waiting import persistence

import pelplug

DT = 0.5


def visits_of(series):
    """Structure, first and last frame of each stay in a sequence given frame by frame."""
    series = np.asarray(series)
    changes = np.flatnonzero(np.diff(series))
    starts, ends = np.r_[0, changes + 1], np.r_[changes, len(series) - 1]
    return series[starts], starts, ends


def transitions(series, energies, positions, dt=DT):
    """What inherent-structure-transitions gives for a sequence, with the energy and place of each structure."""
    structure, first, last = visits_of(series)
    energies, positions = np.asarray(energies, dtype=float), np.asarray(positions, dtype=float)
    return from_visits(structure, first, last, energies[structure], positions[structure], dt)


def from_visits(structure, first, last, energy, positions, dt=DT):
    frames = np.arange(last[-1] + 1)
    return xr.Dataset(
        {
            "visit_structure": ("visit", structure),
            "visit_first": ("visit", first),
            "visit_last": ("visit", last),
            "visit_energy": ("visit", energy),
            "positions": (("visit", "particle", "dimension"), positions),
            "cell": (("vector", "dimension"), 50.0 * np.eye(positions.shape[2])),
        },
        {"frame": ("frame", frames), "time": ("frame", dt * frames)},
    )


def metabasins_of(source, **parameters):
    return Metabasins(None, inputs={INPUT: source}, **parameters).summarize(xr.Dataset())


def samples_of(n, blocks=20, resamples=200, seed=0):
    return Samples(np.zeros(n, dtype=int), blocks, resamples, seed)


def groups(series, merge):
    structure, first, last = visits_of([ord(c) for c in series])
    begin = group_visits(structure, first, last, merge)
    words = ["".join(chr(c) for c in structure[a:b]) for a, b in itertools.pairwise([*begin, len(structure)])]
    return " ".join(words)


# --- the merge rules -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("series", "overlap", "half"),
    [
        ("aaabbbccc", "a b c", "a b c"),  # touching
        ("aab", "a b", "a b"),  # single visits
        ("abababcc", "ababab c", "ababab c"),  # back and forth
        ("aabbbbaac", "aba c", "aba c"),  # nested
        ("abcbadd", "abcba d", "abcba d"),  # nested in nested
        ("xyxzwzxq", "xyxzwzx q", "xyxzwzx q"),  # two excursions
        # Twice the times: a from 0 to 19, b from 15 to 35, shared 4; cut at 17, the middle.
        ("aaaaaaaababbbbbbbbcc", "abab c", "ab ab c"),
        # a from 0 to 15, b from 7 to 17: 8 of 10 are shared.
        ("aaaabaaabc", "abab c", "abab c"),
        # a from 1 to 9, b from 5 to 13: 4 of 8, not more than half; one frame less of b is.
        ("zaababbc", "z abab c", "z ab ab c"),
        ("zaababc", "z abab c", "z abab c"),
        # A chain: a with b and b with c share little, a and c nothing.
        ("aaaaaaabaabbbbbbbbcbbcccccccccd", "ababcbc d", "ab abc bc d"),
    ],
)
def test_sequences_with_known_answers(series, overlap, half):
    assert groups(series, "overlap") == overlap
    assert groups(series, "half") == half


def reference(structure, first, last, merge):
    """The definition, pair by pair: links, connected components, cuts; times are twice those of the frames."""
    border = [2 * first[0], *(last[:-1] + first[1:]), 2 * last[-1]]
    visits = {s: np.flatnonzero(structure == s) for s in dict.fromkeys(structure)}
    spans = [(v[0], v[-1]) for v in visits.values()]
    times = [(border[a], border[b + 1]) for a, b in spans]
    component = list(range(len(spans)))

    def linked(one, other):
        shared = min(one[1], other[1]) - max(one[0], other[0])
        if merge == "overlap":
            return shared > 0
        return 2 * shared > min(one[1] - one[0], other[1] - other[0])

    for i, j in itertools.combinations(range(len(spans)), 2):
        if linked(times[i], times[j]) and component[i] != component[j]:
            old, new = component[j], component[i]
            component = [new if c == old else c for c in component]
    members = [[spans[i] for i, c in enumerate(component) if c == name] for name in dict.fromkeys(component)]
    hulls = sorted((min(a for a, _ in m), max(b for _, b in m)) for m in members)
    begin = [0]
    for (_, stop), (start, _) in itertools.pairwise(hulls):
        if start > stop:
            begin.append(start)
            continue
        middle = border[start] + border[stop + 1]
        begin.append(min(range(start + 1, stop + 1), key=lambda c: (abs(2 * border[c] - middle), c)))
    return begin, hulls, border


def wandering(rng, n):
    """A series that goes back to where it was often, and on now and then."""
    pool = max(2, int(rng.integers(2, 40)))
    reach = int(rng.integers(2, 8))
    centre = np.sort(rng.integers(0, pool, size=n))
    return np.repeat(np.clip(centre + rng.integers(-reach, reach + 1, size=n), 0, pool), rng.geometric(0.4, size=n))


@pytest.mark.parametrize("merge", ["overlap", "half"])
def test_against_a_reference_that_looks_at_every_pair(merge):
    rng = np.random.default_rng(1)
    seen = set()
    for _ in range(600):
        structure, first, last = visits_of(wandering(rng, int(rng.integers(2, 60))))
        stride = int(rng.integers(1, 4))
        first, last = first * stride, last * stride  # not every frame was selected
        expected, hulls, _ = reference(structure, first, last, merge)
        found = group_visits(structure, first, last, merge)
        assert found.tolist() == expected
        seen.add(len(found))
        if merge == "overlap":
            belongs = np.searchsorted(found, np.arange(len(structure)), side="right")
            for s in np.unique(structure):
                assert len(set(belongs[structure == s])) == 1
        for one, other in itertools.pairwise(hulls):
            assert other[0] > one[0] and other[1] > one[1]  # none inside another
    assert len(seen) > 10


def test_rules_do_not_depend_on_names_and_half_is_finer():
    rng = np.random.default_rng(2)
    finer = 0
    for _ in range(100):
        structure, first, last = visits_of(wandering(rng, 50))
        renamed = rng.permutation(1000)[structure]
        both = {}
        for merge in ("overlap", "half"):
            both[merge] = group_visits(structure, first, last, merge)
            np.testing.assert_array_equal(group_visits(renamed, first, last, merge), both[merge])
        assert set(both["overlap"]) <= set(both["half"])
        finer += len(both["half"]) > len(both["overlap"])
    assert finer > 20


# --- the list --------------------------------------------------------------------------------------------


def test_list_of_metabasins():
    #         0 0 1 0 | 2 2 | 3 4 3 3 | 5
    series = [0, 0, 1, 0, 2, 2, 3, 4, 3, 3, 5]
    energies = [-3.0, -3.5, -4.0, -2.0, -1.0, -7.0]
    positions = np.arange(6)[:, None, None] * np.array([[[1.0, 0.0], [0.0, 2.0]]])
    ds = metabasins_of(transitions(series, energies, positions))
    assert ds["metabasin_first"].values.tolist() == [0, 4, 6, 10]
    assert ds["metabasin_last"].values.tolist() == [3, 5, 9, 10]
    np.testing.assert_allclose(ds["start_time"], [0.0, 1.75, 2.75, 4.75])
    np.testing.assert_allclose(ds["end_time"], [1.75, 2.75, 4.75, 5.0])
    np.testing.assert_allclose(ds["waiting_time"], [1.75, 1.0, 2.0, 0.25])
    assert ds["complete"].values.tolist() == [0, 1, 1, 0]
    assert ds["metabasin_energy"].values.tolist() == [-3.5, -4.0, -2.0, -7.0]
    assert ds["metabasin_structure"].values.tolist() == [1, 2, 3, 5]
    assert ds["metabasin_frame"].values.tolist() == [2, 4, 6, 10]
    assert ds["metabasin_visits"].values.tolist() == [3, 1, 3, 1]
    assert ds["metabasin_structures"].values.tolist() == [2, 1, 2, 1]
    np.testing.assert_allclose(ds["jump_length"], np.sqrt(5.0) * np.array([1, 1, 2]))
    np.testing.assert_array_equal(ds["positions"], positions[[1, 2, 3, 5]])
    assert float(ds["jump_rate"]) == pytest.approx(3 / 5.0)
    assert float(ds["censored_share"]) == pytest.approx(2.0 / 5.0)
    assert ds.attrs["statistics"].startswith("none: 2 complete") and "mean_waiting_time" not in ds


def test_persistence_of_a_known_record():
    stay = np.array([2.0, 1.0, 3.0])
    value, _ = persistence(stay, np.zeros(3, dtype=int), np.array([0.0, 0.5, 1.0, 2.5, 3.0]), samples_of(3, 3, 10))
    np.testing.assert_allclose(value, [1.0, 4.5 / 5.5, 3.0 / 5.0, 0.5 / 3.5, 0.0])


def test_scattering_of_a_known_record():
    end = np.array([2.0, 3.0, 6.0])
    start = np.r_[0.0, end[:-1]]
    positions = np.array([[[0.0, 0, 0], [1, 0, 0]], [[0.3, 0, 0], [1, 0, 0]], [[0.3, 0.4, 0], [1, 2, 0]]])
    k, t = np.array([1.7]), 1.5

    def pair(i, j):
        return np.sinc(1.7 * np.linalg.norm(positions[i] - positions[j], axis=1) / np.pi).mean()

    # Origins: 0 to 0.5 in the first all along; to 1.5 first and second; to 2 first and third; to 3 second and third.
    expected = (0.5 * 1 + 1.0 * pair(0, 1) + 0.5 * pair(0, 2) + 1.0 * pair(1, 2) + 1.5 * 1) / 4.5
    assert scattering(start, end, positions, np.zeros(3, dtype=int), k, np.array([t]))[0, 0] == pytest.approx(
        expected, rel=1e-14
    )


# --- random walks with known numbers ---------------------------------------------------------------------


def walk(rng, stays, energies, step, particles=8, dimension=3):
    """Visits of a walk: jumps independent of each other and of the stays, back and forth between IS inside each MB."""
    structure, lengths, energy, place = [], [], [], []
    centres = np.cumsum(rng.normal(scale=step, size=(len(stays), particles, dimension)), axis=0)
    name = 0
    for stay, lowest, centre in zip(stays, energies, centres, strict=True):
        excursions = int(min(rng.integers(0, 4), (stay - 1) // 2))
        cuts = np.sort(rng.choice(stay - 1, 2 * excursions, replace=False)) + 1
        lengths.extend(np.diff(np.r_[0, cuts, stay]))
        for part in range(2 * excursions + 1):
            away = part % 2
            structure.append(name + (part if away else 0))
            energy.append(lowest + 0.7 * away)
            place.append(centre + 0.3 * away * rng.normal(size=centre.shape))
        name += 2 * excursions + 2
    ends = np.cumsum(lengths) - 1
    return from_visits(np.array(structure), np.r_[0, ends[:-1] + 1], ends, np.array(energy), np.array(place)), centres


def near(ds, name, truth, share, sigmas=3.0):
    """Within three errors of the truth, and the error itself small."""
    value, error = float(ds[name]), float(ds[f"{name}_error"])
    assert 0 < error < share * abs(truth), (name, value, error, truth)
    assert abs(value - truth) < sigmas * error, (name, value, error, truth)


@pytest.fixture(scope="module")
def poisson():
    """Exponential waiting times of mean 40 frames (geometric, as frames are integers)."""
    rng = np.random.default_rng(3)
    stays = rng.geometric(1 / 40, size=4000)
    source, _ = walk(rng, stays, rng.normal(-50, 1, size=4000), 0.2)
    return source, metabasins_of(source, k=(400.0, 3.0, 8.0)), stays


def test_metabasins_of_a_walk_are_those_it_was_made_of(poisson):
    source, ds, stays = poisson
    assert ds.sizes["metabasin"] == 4000 < source.sizes["visit"] / 2
    np.testing.assert_allclose(ds["waiting_time"].values[1:-1], DT * stays[1:-1])


def test_poisson_walk(poisson):
    _, ds, _ = poisson
    mean = 40 * DT
    near(ds, "mean_waiting_time", mean, 0.05)
    near(ds, "jump_rate", 1 / mean, 0.05)
    near(ds, "mean_square_waiting_time", (2 * 40**2 - 40) * DT**2, 0.1)
    near(ds, "relaxation_time", mean - DT / 2, 0.08)
    near(ds, "squared_jump", 3 * 8 * 0.2**2, 0.05)
    near(ds, "diffusion_coefficient", 3 * 8 * 0.2**2 / (6 * 8 * mean), 0.08)
    assert abs(float(ds["sigma_gamma_squared_mean"])) < 0.08
    assert ds.attrs["rate_fit"].startswith("none")  # no dependence on the energy
    edges, density = ds["waiting_edges"].values, ds["waiting_density"].values
    # Frames are integers: bins have their edges between them.
    truth = -np.diff((1 - 1 / 40) ** np.floor(edges / DT)) / np.diff(edges)
    counts = truth * np.diff(edges) * 3998
    many = counts > 30
    assert np.all(np.abs(density / truth - 1)[many] < 4 / np.sqrt(counts[many]))
    assert (density * np.diff(edges)).sum() == pytest.approx(1)


def test_poisson_walk_has_no_memory_once_metabasins_are_found(poisson):
    source, ds, _ = poisson
    value, error = float(ds["jump_correlation"]), float(ds["jump_correlation_error"])
    assert abs(value) < 3 * error and error < 0.01
    steps = np.diff(source["positions"].values, axis=0).reshape(source.sizes["visit"] - 1, -1)
    raw = (steps[1:] * steps[:-1]).sum() / (steps**2).sum()
    assert raw < -0.2  # the inherent structures themselves go back and forth


def test_persistence_and_scattering_of_a_poisson_walk(poisson):
    _, ds, _ = poisson
    t, tau = ds["lag_time"].values, 40 * DT
    assert t[0] == 0 and ds["persistence"].values[0] == 1
    assert np.abs(ds["persistence"] - np.exp(-t / tau)).max() < 4 * ds["persistence_error"].max() < 0.1
    # Each jump multiplies exp(ikr) by exp(-k^2 step^2 / 2) on average, and the number of jumps is Poissonian.
    for k in (3.0, 8.0):
        truth = np.exp(-(1 - np.exp(-(k**2) * 0.2**2 / 2)) * t / tau)
        assert np.abs(ds["scattering"].sel(wave_number=k) - truth).max() < 0.03
    assert np.abs(ds["scattering"].sel(wave_number=400.0) - ds["persistence"]).max() < 0.005


@pytest.mark.parametrize("dimension", [2, 4])
def test_scattering_in_other_dimensions(dimension):
    rng = np.random.default_rng(4)
    stays = rng.exponential(2.0, size=3000)
    end = np.cumsum(stays)
    positions = np.cumsum(rng.normal(scale=0.3, size=(3000, 6, dimension)), axis=0)
    t = np.array([0.5, 2.0, 6.0])
    value = scattering(np.r_[0, end[:-1]], end, positions, np.zeros(3000, dtype=int), np.array([0.0, 2.5]), t)
    np.testing.assert_allclose(value[0], 1.0, rtol=1e-12)
    np.testing.assert_allclose(value[1], np.exp(-(1 - np.exp(-(2.5**2) * 0.09 / 2)) * t / 2), atol=0.03)


def test_unfinished_metabasins_do_not_bias_the_diffusion_coefficient():
    """Records shorter than many stays: what is left of the complete ones is short, the jumps are as many as ever."""
    rng = np.random.default_rng(11)
    found = []
    for _ in range(60):
        stays = np.ceil(np.where(rng.random(4000) < 0.02, rng.exponential(3000, 4000), rng.exponential(20, 4000)))
        stays = stays.astype(int)
        end = np.cumsum(stays)
        begin = int(rng.integers(40_000, 100_000))  # far from where the walk began: a stationary record
        inside = np.flatnonzero((end > begin) & (end - stays < begin + 20_000))
        stays = np.minimum(end[inside], begin + 20_000) - np.maximum(end[inside] - stays[inside], begin)
        source, _ = walk(rng, stays, np.zeros(len(stays)), 0.2, particles=2)
        ds = metabasins_of(source)
        found.append([float(ds["jump_rate"]), 1 / ds["waiting_time"].values[1:-1].mean()])
    found = np.array(found)
    truth = 1 / (0.98 * 20.5 + 0.02 * 3000.5) / DT
    error = found.std(axis=0) / np.sqrt(len(found))
    assert abs(found[:, 0].mean() - truth) < 3 * error[0] < 0.3 * truth
    assert found[:, 1].mean() - truth > 3 * error[1]


def test_two_independent_parts_go_back_and_forth_beyond_what_the_rule_removes():
    """One part flips between two sites for ever, the other never comes back: no rule on recurrence sees the flips.

    Of the events a share p are flips. Between two steps of the other part, one flip makes two metabasins, any other
    number one, whose lowest energy is on site 0 if there are two flips or more; the rest is a Markov chain.
    """
    rng = np.random.default_rng(8)
    p, events, mean, flip, step = 0.4, 40_000, 6, 1.5, 0.5
    flips = rng.random(events) < p
    site = np.r_[0, np.cumsum(flips)] % 2
    basin = np.r_[0, np.cumsum(~flips)]
    other = np.cumsum(rng.normal(scale=step, size=(basin[-1] + 1, 3)), axis=0)
    positions = np.stack([np.outer(flip * site, [1.0, 0, 0]), other[basin]], axis=1)
    ends = np.cumsum(rng.geometric(1 / mean, size=events + 1)) - 1
    source = from_visits(2 * basin + site, np.r_[0, ends[:-1] + 1], ends, 1.0 * site, positions)
    ds = metabasins_of(source)

    near(ds, "jump_rate", (1 - p) * (1 + p * (1 - p)) / (mean * DT), 0.02)
    near(ds, "diffusion_coefficient", 3 * step**2 * (1 - p) / (mean * DT) / (6 * 2), 0.06)
    # States: alone on site 0 or 1; first of two; second of two; many visits that end on 0 or 1.
    place, end = np.array([0, 1, 0, 1, 0, 1, 0, 0]), np.array([0, 1, 1, 0, 0, 1, 0, 1])
    follow = np.zeros((8, 8))
    for state, last in enumerate(end):
        if state in (2, 3):
            follow[state, 4 + last] = 1.0
            continue
        follow[state, last] += 1 - p
        follow[state, 2 + last] += p * (1 - p)
        follow[state, 6 + last] += p**2 / (1 + p)
        follow[state, 7 - last] += p**3 / (1 + p)
    share = np.linalg.matrix_power(follow, 200)[0]
    jump = flip * (place[None] - place[:, None])
    square = share @ (follow * jump**2).sum(axis=1) + 3 * step**2 / (1 + p * (1 - p))
    product = np.einsum("i,ij,ij,jk,jk", share, follow, jump, follow, jump)
    assert product < -0.1 * square
    near(ds, "jump_correlation", product / square, 0.05)


@pytest.fixture(scope="module")
def glassy():
    """Broadened rates over Gaussian energies, with a crossover."""
    rng = np.random.default_rng(5)
    truth = {"plateau": 1 / 60, "slope": 0.9, "crossover": -11.0, "sigma": 0.7}
    energy = rng.normal(-12.0, 2.0, size=10_000)
    rate = truth["plateau"] * np.exp(truth["slope"] * np.minimum(energy - truth["crossover"], 0))
    rate *= np.exp(truth["sigma"] * rng.normal(size=len(energy)) + truth["sigma"] ** 2 / 2)
    stays = np.ceil(rng.exponential(1 / rate)).astype(int)
    source, _ = walk(rng, stays, energy, 0.2, particles=2)
    return metabasins_of(source, temperature=0.5, energy_bins=16), truth


def test_rate_of_broadened_waiting_times(glassy):
    ds, truth = glassy
    assert ds.attrs["rate_fit"].startswith("10000 metabasins")
    # Waiting times are rounded up to frames, half a frame on average.
    near(ds, "rate_plateau", 1 / DT / (60 + 0.5), 0.08)
    near(ds, "rate_slope", truth["slope"], 0.06)
    near(ds, "crossover_energy", truth["crossover"], 0.03)
    assert float(ds["reduced_slope"]) == pytest.approx(0.5 * float(ds["rate_slope"]))


def test_broadening_and_mean_waiting_time_by_energy(glassy):
    ds, truth = glassy
    near(ds, "sigma_gamma_squared_mean", truth["sigma"] ** 2, 0.2)
    energy, number = ds["bin_energy"].values, ds["metabasins_by_energy"].values
    good = number > 300
    expected = 60 * np.exp(-truth["slope"] * np.minimum(energy - truth["crossover"], 0)) * DT
    width = np.diff(ds["energy_edges"])[0]
    expected *= np.where(energy < truth["crossover"] - width, np.sinh(0.45 * width) / (0.45 * width), 1.0)
    deviation = (ds["waiting_time_by_energy"] / expected - 1).values[good]
    # What a bin's mean differs by from its centre is not more than this.
    assert np.abs(deviation).max() < 0.25 and np.abs(deviation.mean()) < 0.08
    assert np.isnan(ds["waiting_time_by_energy"].values[number < 20]).all()


def test_time_spent_at_each_energy(glassy):
    ds, truth = glassy
    fine = np.linspace(-22, -2, 4001)
    weight = np.exp(-((fine + 12) ** 2) / 8) * np.exp(-truth["slope"] * np.minimum(fine + 11, 0))
    expected, edges = [], ds["energy_edges"].values
    for low, high in itertools.pairwise(edges):
        expected.append(weight[(fine >= low) & (fine < high)].sum() / weight.sum() / (high - low))
    error = ds["energy_density_error"].values
    good = ds["metabasins_by_energy"].values > 100
    assert np.all(np.abs(ds["energy_density"].values - expected)[good] < 4 * error[good])
    assert (ds["energy_density"] * np.diff(edges)).sum() == pytest.approx(1)


def test_errors_are_those_of_repeated_walks():
    """Many walks of the same kind scatter by what the bootstrap of each says."""
    rng = np.random.default_rng(6)
    found = []
    for seed in range(40):
        energy = rng.normal(-12, 2, size=1500)
        rate = np.exp(0.9 * np.minimum(energy + 12, 0))
        waiting = rng.exponential(1 / rate)
        fit = fit_rate(energy, waiting, samples_of(len(energy), 20, 60, seed))
        found.append([fit.plateau, fit.slope, fit.crossover, fit.plateau_error, fit.slope_error, fit.crossover_error])
    found = np.array(found)
    assert np.isfinite(found).all()
    scatter, claimed = found[:, :3].std(axis=0), np.median(found[:, 3:], axis=0)
    assert np.all((claimed > 0.65 * scatter) & (claimed < 1.6 * scatter)), (scatter, claimed)
    assert np.all(np.abs(found[:, :3].mean(axis=0) - [1.0, 0.9, -12.0]) < 4 * scatter / np.sqrt(40) + 0.02)


def test_without_a_crossover_none_is_reported():
    rng = np.random.default_rng(7)
    energy = rng.normal(-20, 2, size=5000)
    waiting = rng.exponential(np.exp(-0.8 * (energy + 20)))
    fit = fit_rate(energy, waiting, samples_of(len(energy), 20, 100, 0))
    assert fit.outcome.startswith("exponential only") and np.isnan(fit.crossover) and np.isnan(fit.plateau)
    assert abs(fit.slope - 0.8) < 3 * fit.slope_error < 0.1


# --- over temperatures -----------------------------------------------------------------------------------


def test_rate_of_two_energies_is_that_of_their_means():
    """Many metabasins share the lowest energy, so that no energy lies below the first crossover tried."""
    rng = np.random.default_rng(9)
    energy = np.repeat([-3.0, -1.0], 2000)[rng.permutation(4000)]
    waiting = rng.exponential(np.where(energy < -2, 20.0, 2.0))
    with np.errstate(invalid="raise", divide="raise"):
        fit = fit_rate(energy, waiting, samples_of(len(energy), 20, 100, 0))
    rates = fit.plateau * np.exp(fit.slope * np.minimum(np.array([-3.0, -1.0]) - fit.crossover, 0.0))
    means = [waiting[energy == e].mean() for e in (-3.0, -1.0)]
    np.testing.assert_allclose(1 / rates, means, rtol=1e-6)


def test_density_of_states_from_three_temperatures():
    rng = np.random.default_rng(8)
    results = {}
    for temperature in (1.25, 1.5, 2.0):
        # Trap model: metabasins drawn from G, mean stays exp(-e/T); time is spent as G exp(-e/T).
        energy = rng.normal(-1.0, 2.9, size=20_000)
        stay = rng.exponential(np.exp(-(energy + 1.0) / temperature))
        results[temperature] = xr.Dataset(
            {"metabasin_energy": ("metabasin", energy), "waiting_time": ("metabasin", stay)}
        )
    states = density_of_states(results, 0.5)
    middle, sigma = states.gaussian()
    assert middle == pytest.approx(-1.0, abs=0.15) and sigma == pytest.approx(2.9, abs=0.1)
    assert (states.density * 0.5).sum() == pytest.approx(1)
    hot, cold = 2.0, 1.25
    expected = 2.9**2 / 2 * (1 / cold**2 - 1 / hot**2) + 1.0 * (1 / cold - 1 / hot)
    assert states.log_partition[cold] - states.log_partition[hot] == pytest.approx(expected, abs=0.15)
    with pytest.raises(pelplug.InputError, match="shares no energies"):
        far = results[cold].assign(metabasin_energy=results[cold]["metabasin_energy"] + 500)
        density_of_states({1.0: results[cold], 2.0: far}, 0.5)


def test_parameters_of_the_rate_from_temperatures():
    lam, entropic, prefactor, barrier, crossover = 0.5, 0.8, 4.82, 1.3, -11.9
    results = {}
    for temperature in (0.45, 0.5, 0.6):
        values = {
            "rate_slope": lam * (1 / temperature - entropic),
            "rate_slope_error": 0.01,
            "rate_plateau": prefactor * np.exp(-barrier / temperature),
            "rate_plateau_error": 0.001,
            "crossover_energy": crossover,
            "crossover_energy_error": 0.3,
        }
        results[temperature] = xr.Dataset({name: ((), value) for name, value in values.items()})
    found = rate_parameters(results)
    for (value, error), truth in zip(
        (found.lam, found.entropic, found.rate_prefactor, found.last_barrier, found.crossover),
        (lam, entropic, prefactor, barrier, crossover),
        strict=True,
    ):
        assert value == pytest.approx(truth, rel=1e-9) and error > 0
    beta = 1 / np.array([0.45, 0.5, 0.6])
    assert found.lam[1] == pytest.approx(0.01 / np.sqrt(((beta - beta.mean()) ** 2).sum()))
    assert found.crossover[1] == pytest.approx(0.3 / np.sqrt(3))
    with pytest.raises(pelplug.InputError, match="two or more temperatures"):
        rate_parameters({0.5: results[0.5]})


def test_sign_of_the_entropic_term_is_that_of_the_closed_forms():
    """Appendix A2 and A3 of Rehwald and Heuer are Gaussian integrals of exp[s (e - e_c)] for one sign only."""
    lam, kappa, sigma, crossover = 0.50, 0.56, 2.9, -11.9
    entropy = (0 - crossover) / sigma**2
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    results = {}
    for temperature in (0.5, 0.6, 0.8):
        beta = 1 / temperature
        slope = lam * (beta - kappa * entropy)
        energy = -beta * sigma**2 + sigma * nodes  # p_eq(e)
        for sign in (1, -1):  # of <Gamma> and of <1 / Gamma>
            mean = weights @ np.exp(sign * slope * (energy - crossover)) / weights.sum()
            bracket = beta * (lam - sign * 2) - entropy * (lam * kappa - sign * 2)
            assert np.log(mean) == pytest.approx(lam * sigma**2 * (beta - entropy * kappa) * bracket / 2, rel=1e-9)
        values = {"rate_slope": slope, "rate_plateau": 4.82, "crossover_energy": crossover}
        errors = {f"{name}_error": 0.01 for name in values}
        results[temperature] = xr.Dataset({name: ((), value) for name, value in (values | errors).items()})
    assert rate_parameters(results).entropic[0] == pytest.approx(kappa * entropy, rel=1e-9)


# --- bad input -------------------------------------------------------------------------------------------


def three_states():
    return transitions([0, 0, 1, 1, 2, 2], [-1.0, -2.0, -3.0], np.zeros((3, 2, 3)))


def test_one_inherent_structure_only():
    with pytest.raises(pelplug.InputError, match="one inherent structure"):
        metabasins_of(transitions([0] * 9, [-1.0], np.zeros((1, 2, 3))))


def test_missing_energies_and_variables():
    source = three_states()
    with pytest.raises(pelplug.InputError, match="1 of 3 visits have no inherent-structure energy"):
        metabasins_of(source.assign(visit_energy=("visit", [-1.0, np.nan, -3.0])))
    with pytest.raises(pelplug.InputError, match="no visit_energy"):
        metabasins_of(source.drop_vars("visit_energy"))
    with pytest.raises(pelplug.InputError, match="do not follow each other"):
        metabasins_of(source.assign(visit_first=("visit", [0, 5, 4])))


def test_everything_in_one_metabasin_gives_no_number():
    ds = metabasins_of(transitions([0, 1, 0, 1, 0], [-1.0, -2.0], np.zeros((2, 2, 3))))
    assert ds.sizes["metabasin"] == 1 and ds["complete"].values.tolist() == [0]
    assert ds.attrs["statistics"].startswith("none: 0 complete metabasins") and "jump_length" not in ds


def test_too_few_metabasins_give_no_average():
    rng = np.random.default_rng(9)
    source, _ = walk(rng, rng.geometric(0.1, size=21), rng.normal(size=21), 0.2)
    ds = metabasins_of(source)
    assert ds.attrs["statistics"].startswith("none: 19 complete")
    assert not {"mean_waiting_time", "diffusion_coefficient", "persistence", "rate_slope"} & set(ds.data_vars)
    assert "mean_waiting_time" in metabasins_of(source, minimum=19)


def test_steps_round_half_the_cell_are_refused():
    positions = np.array([[[0.0, 0.0]], [[24.0, 0.0]], [[26.0, 0.0]]])
    with pytest.raises(pelplug.InputError, match=r"0\.48 of the cell from frame 0 to 1.*write frames more often"):
        metabasins_of(transitions([0, 1, 2], [0.0, 1.0, 2.0], positions))
    positions += np.array([[[0.0, 0.0]], [[3.0, 0.0]], [[3.0, 0.0]]])  # 0.54 of it, which frames followed
    ds = metabasins_of(transitions([0, 1, 2], [0.0, 1.0, 2.0], positions).assign_attrs(images="followed from frame to"))
    assert ds["jump_length"].values.tolist() == [27.0, 2.0]


def test_frames_not_equally_spaced():
    source = three_states()
    uneven = source.assign_coords(time=("frame", [0.0, 1.0, 2.0, 4.0, 8.0, 16.0]))
    ds = metabasins_of(uneven)
    np.testing.assert_allclose(ds["waiting_time"], [1.5, 4.5, 10.0])
    with pytest.raises(pelplug.InputError, match="equally spaced"):
        metabasins_of(uneven, merge="half")
    with pytest.raises(pelplug.InputError, match="raise last_jump"):
        Metabasins(None, first_jump=9, last_jump=3)


# --- as a user runs it -----------------------------------------------------------------------------------


def test_from_a_trajectory(tmp_path):
    """Frames near minima in a known order; the list of metabasins is the order's."""
    model = pelplug.model("kob-andersen", truncation="smooth", cutoff=1.8)
    rng = np.random.default_rng(10)
    start = model.random_configuration(60, rng)
    minima = [pelplug.quench(start, model.potential(start), "lbfgs").require_converged()]
    while len(minima) < 4:
        last = minima[-1].configuration
        shaken = last.replace(positions=last.positions + rng.normal(scale=0.15, size=(60, 3)))
        new = pelplug.quench(shaken, model.potential(start), "lbfgs").require_converged()
        if min(abs(new.energy - one.energy) for one in minima) > 1e-3:
            minima.append(new)
    order = [0, 0, 1, 0, 0, 2, 2, 2, 3, 2, 3, 3]

    def frames():
        for k, which in enumerate(order):
            one = minima[which].configuration
            shaken = one.positions + rng.normal(scale=0.01, size=(60, 3))
            yield one.replace(positions=shaken, frame=k, step=10 * k, time=None).wrapped()

    path = tmp_path / "known.gsd"
    pelplug.write_trajectory(path, frames(), model_record=model.to_dict())
    ds = pelplug.analyze("metabasins", path, dt=0.005, search="all")
    assert ds["metabasin_first"].values.tolist() == [0, 5]
    np.testing.assert_allclose(ds["waiting_time"], [0.225, 0.325])
    lowest = [min(minima[0].energy, minima[1].energy), min(minima[2].energy, minima[3].energy)]
    np.testing.assert_allclose(ds["metabasin_energy"], lowest, atol=1e-6)
    assert all(ds[name].attrs["units"] for name in ds.data_vars)
    assert "inherent-structure-transitions" in ds.attrs["inputs"]


def test_figures(poisson, glassy, tmp_path):
    for ds in (poisson[1], glassy[0]):
        analysis = Metabasins(None)
        analysis.results.dataset = ds
        analysis.figure().savefig(tmp_path / "figure.png")
        assert len(analysis.figure().axes) >= 4 and analysis.plot().get_yscale() == "log"
    analysis.results.dataset = metabasins_of(three_states())
    assert "too few" in analysis.figure().axes[0].texts[0].get_text()


def test_the_rate_is_drawn_over_the_complete_metabasins_of_all_runs(glassy):
    """The unfinished ones of several runs are not only the first and the last of the list."""
    ds = glassy[0].copy(deep=True)
    ds["complete"].values[[10, 11]] = 0
    ds["metabasin_energy"].values[[10, 11]] -= 100.0
    complete = ds["metabasin_energy"].values[ds["complete"].values == 1]
    panels = Metabasins.from_dataset(ds).figure().axes
    (line,) = (one for ax in panels for one in ax.lines if one.get_gid() == "fit" and "Gamma" in one.get_label())
    np.testing.assert_allclose(line.get_xdata()[[0, -1]], [complete.min(), complete.max()])


def test_the_line_of_jumps_is_the_one_that_was_fitted_where_it_was(glassy):
    ds = glassy[0]
    panels = Metabasins.from_dataset(ds).figure().axes
    (line,) = (one for ax in panels for one in ax.lines if one.get_gid() == "fit" and "$a^2$" in one.get_label())
    n, per_jump = line.get_data()
    np.testing.assert_allclose(n[[0, -1]], ds["jump_window"])
    inside = (ds["jump_lag"] >= n[0]) & (ds["jump_lag"] <= n[-1])
    lags, squared = ds["jump_lag"].values[inside], ds["squared_displacement"].values[inside]
    slope, rest = np.polyfit(lags, squared, 1, w=1.0 / lags) if len(lags) > 1 else (squared[0] / lags[0], 0.0)
    assert slope == pytest.approx(float(ds["squared_jump"]), rel=1e-6)
    np.testing.assert_allclose(n * per_jump, slope * n + rest, rtol=1e-6)


def test_waits_of_one_length_show_no_rate_whatever_their_rounding():
    """Twenty waits of one frame: times in picoseconds differ in the last digit, and a crossover was found in it."""
    energy = np.random.default_rng(1).normal(-10.0, 1.0, 20)
    for unit in (1.0, 0.0107817811):
        waiting = np.diff(unit * np.arange(21))
        fit = fit_rate(energy, waiting, samples_of(len(energy), 20, 60, 0))
        assert np.isnan(fit.plateau) and np.isnan(fit.slope) and "the same" in fit.outcome


@pytest.mark.parametrize(("value", "fitted", "spread"), [(1.0, 1.0, 0.1), (0.4, 1.0, 0.7), (1.0, 1.1, 0.05)])
def test_how_far_the_truth_lies_is_the_quantile_of_drawn_truths(value, fitted, spread):
    drawn = fitted * np.exp(spread * np.random.default_rng(7).normal(size=200_000))
    assert reach(value, fitted, spread, 0.68) == pytest.approx(np.quantile(np.abs(drawn - value), 0.68), rel=0.01)
    assert reach(value, fitted, 0.0, 0.68) == pytest.approx(abs(fitted - value))
    assert np.isnan(reach(value, np.nan, spread, 0.68))
