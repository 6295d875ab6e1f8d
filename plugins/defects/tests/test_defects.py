"""Defects on hand-made configurations, against direct sums over images and freud, and on quenched liquids."""

import itertools
import json

import freud
import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from pelplug_defects.defects import Defects, DefectsBetween
from pelplug_defects.fields import (
    BIN,
    X_RANGE,
    bond_changes,
    d2min,
    first_minimum_of_mean,
    scaled_distribution,
)
from pelplug_defects.neighbours import nearest_images

import pelplug
import pelplug.testing
from pelplug.testing import parametrize_with_checks

mpl.use("Agg")
TRICLINIC = {2: np.array([[7.0, 0.0], [2.6, 6.1]]), 3: np.array([[5.2, 0.0, 0.0], [1.9, 4.8, 0.0], [-1.1, 1.4, 5.0]])}


def direct_pairs(positions, cell, reach):
    """Every pair i < j over many images, by brute force: {(i, j, image): distance}."""
    found = {}
    d = positions.shape[1]
    for image in itertools.product(range(-6, 7), repeat=d):
        vectors = positions[None, :] - positions[:, None] + np.array(image) @ cell
        distances = np.linalg.norm(vectors, axis=-1)
        for i, j in zip(*np.nonzero(distances < reach), strict=True):
            if i < j:
                found[int(i), int(j), image] = distances[i, j]
    return found


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("reach", [1.6, 3.7])
def test_pairs_in_a_triclinic_cell_beyond_half_the_box(d, reach):
    cell = TRICLINIC[d]
    rng = np.random.default_rng(d)
    positions = rng.uniform(-1.0, 2.0, size=(22, d)) @ cell  # some outside the cell
    expected = direct_pairs(positions, cell, reach)
    pairs = pelplug.near_pairs(positions, cell, reach)
    found = {(i, j, tuple(m)): r for i, j, m, r in zip(pairs.i.tolist(), pairs.j.tolist(), pairs.images.tolist(),
                                                      pairs.distances, strict=True)}  # fmt: skip
    assert found.keys() == expected.keys() and len(found) == len(pairs.i) > 10
    np.testing.assert_allclose([found[key] for key in expected], list(expected.values()), rtol=1e-12)
    np.testing.assert_allclose(positions[pairs.j] - positions[pairs.i] + pairs.images @ cell, pairs.vectors, atol=1e-12)
    nearest = nearest_images(pairs)
    best = {}
    for (i, j, _), r in expected.items():
        best[i, j] = min(r, best.get((i, j), np.inf))
    np.testing.assert_allclose(nearest.distances, [best[pair] for pair in sorted(best)])


def test_four_dimensions():
    rng = np.random.default_rng(4)
    positions, cell = rng.uniform(size=(40, 4)) * 3.0, np.diag([3.0, 3.1, 3.2, 3.3])
    delta = positions[None] - positions[:, None]
    delta -= np.round(delta / np.diag(cell)) * np.diag(cell)
    distances = np.linalg.norm(delta, axis=-1)[np.triu_indices(40, 1)]
    pairs = pelplug.near_pairs(positions, cell, 1.2)
    np.testing.assert_allclose(np.sort(pairs.distances), np.sort(distances[distances < 1.2]))


def ring(radii):
    """A particle in the middle of a large cell, and others around it at the given distances."""
    angle = 2 * np.pi * np.arange(len(radii)) / len(radii)
    around = np.array(radii)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return np.concatenate([[[0.0, 0.0]], around]) + 10.0


def changes(before, after, cell=(20.0, 20.0), cutoffs=(1.4, 1.5, 1.23), scale=1.0):
    pairs = [nearest_images(pelplug.near_pairs(p, np.diag(cell), 2.0 * scale)) for p in (before, after)]
    (a, b) = pairs
    return bond_changes(a, a.distances / scale, b, b.distances / scale, len(before), cutoffs)


def test_broken_inserted_and_neither():
    #            stays  breaks  just out: not broken  inserted  approaches to 1.3: not inserted
    before = ring([1.0, 1.0, 1.35, 1.6, 1.6])
    after = ring([1.1, 1.55, 1.45, 1.1, 1.3])
    # The ones around are too far from each other to be bonded, except those the angles bring near.
    broken, inserted = changes(before, after, cutoffs=(1.4, 1.5, 1.23))
    around = [np.linalg.norm(p[1:, None] - p[None, 1:], axis=-1) for p in (before, after)]
    lost = (around[0] < 1.4) & (around[1] >= 1.5)
    gained = (around[1] < 1.23) & (around[0] >= 1.4)
    assert broken[0] == 1 and inserted[0] == 1
    np.testing.assert_array_equal(broken[1:], np.array([0, 1, 0, 0, 0]) + lost.sum(axis=1))
    np.testing.assert_array_equal(inserted[1:], np.array([0, 0, 0, 1, 0]) + gained.sum(axis=1))


def test_a_bond_across_the_border_and_reversal():
    before = np.array([[0.1, 5.0], [9.2, 5.0], [3.0, 3.0], [4.7, 3.0]])
    after = np.array([[0.1, 5.0], [8.4, 5.0], [3.0, 3.0], [4.1, 3.0]])
    broken, inserted = changes(before, after, cell=(10.0, 10.0))
    np.testing.assert_array_equal(broken, [1, 1, 0, 0])
    np.testing.assert_array_equal(inserted, [0, 0, 1, 1])
    # With equal cutoffs, back in time what broke is inserted.
    back = changes(after, before, cell=(10.0, 10.0), cutoffs=(1.4, 1.4, 1.4))
    forth = changes(before, after, cell=(10.0, 10.0), cutoffs=(1.4, 1.4, 1.4))
    np.testing.assert_array_equal(back[0], forth[1])
    np.testing.assert_array_equal(back[1], forth[0])


def test_polydisperse_counts_against_a_direct_double_loop():
    model = pelplug.model("pss-2d")
    start = model.random_configuration(120, 3)
    rng = np.random.default_rng(0)
    end = start.positions + rng.normal(scale=0.25, size=start.positions.shape)
    scale = pelplug.length_scale(start, model.potential(start), "auto")
    d = start.diameters
    mixed = 0.5 * (d[:, None] + d) * (1 - 0.2 * abs(d[:, None] - d))
    edge = start.cell[0, 0]

    def scaled(positions):
        delta = positions[None] - positions[:, None]
        delta -= np.round(delta / edge) * edge
        return np.linalg.norm(delta, axis=-1) / mixed

    x0, x1 = scaled(start.positions), scaled(end)
    np.fill_diagonal(x0, np.inf)
    np.fill_diagonal(x1, np.inf)
    a, b = (nearest_images(pelplug.near_pairs(p, start.cell, X_RANGE * scale.largest)) for p in (start.positions, end))
    broken, inserted = bond_changes(
        a, a.distances / scale.of(a.i, a.j), b, b.distances / scale.of(b.i, b.j), 120, (1.4, 1.5, 1.23)
    )
    np.testing.assert_array_equal(broken, ((x0 < 1.4) & ~(x1 < 1.5)).sum(axis=1))
    np.testing.assert_array_equal(inserted, ((x1 < 1.23) & ~(x0 < 1.4)).sum(axis=1))
    assert broken.sum() > 20 and inserted.sum() > 20
    off = ~np.eye(120, dtype=bool)
    assert scale.mean_power(2) == pytest.approx((mixed**2)[off].mean(), rel=1e-12)
    assert scale.largest == mixed.max()


def test_length_of_a_mixture_and_of_a_rule_written_for_numbers():
    model = pelplug.model("kob-andersen")
    state = model.random_configuration(50, 0)
    scale = pelplug.length_scale(state, model.potential(state), "auto")
    kinds = (state.species == "B").astype(int)
    table = np.array([[1.0, 0.8], [0.8, 0.88]])
    i, j = np.triu_indices(50, 1)
    np.testing.assert_array_equal(scale.of(i, j), table[kinds[i], kinds[j]])
    assert scale.mean_power(3) == pytest.approx((table[kinds[i], kinds[j]] ** 3).mean(), rel=1e-12)
    np.testing.assert_array_equal(scale.diameters, np.diag(table)[kinds])
    plain = pelplug.LengthScale(np.zeros(3, int), None, np.array([1.0, 2.0, 3.0]), lambda a, b: a if a > b else b)
    np.testing.assert_array_equal(plain.of(np.array([0, 0, 1]), np.array([1, 2, 2])), [2.0, 3.0, 3.0])
    with pytest.raises(pelplug.InputError, match="--sigma"):
        pelplug.length_scale(state, None, "auto")
    assert pelplug.length_scale(state, None, 1.7).largest == 1.7
    silicon = pelplug.model("stillinger-weber")
    state = silicon.random_configuration(64, 0)
    assert pelplug.length_scale(state, silicon.potential(state), "auto").largest == 1.0


def salt(edge=6, distance=1.0, noise=0.03, seed=0):
    """A rock salt: unlike neighbours at the given distance, like ones at sqrt(2) of it, shaken a little."""
    at = np.stack(np.meshgrid(*[np.arange(edge)] * 3, indexing="ij"), -1).reshape(-1, 3)
    shaken = distance * at + np.random.default_rng(seed).normal(scale=noise * distance, size=at.shape)
    return pelplug.Configuration(shaken, [edge * distance] * 3, np.where(at.sum(axis=1) % 2, "Na", "Cl"))


def test_lengths_of_any_material_are_the_first_peaks_of_g():
    state = salt(distance=2.8)
    scale = pelplug.length_scale(state, None, "auto", pelplug.first_shells([state]))
    sodium, chlorine = (np.flatnonzero(state.species == name) for name in ("Na", "Cl"))
    spacing = 2.8  # rho**(-1/3); bins are a hundredth of it
    for i, j, factor in ((sodium, sodium, 2**0.5), (chlorine, chlorine, 2**0.5), (sodium, chlorine, 1.0)):
        np.testing.assert_allclose(scale.of(i[:2], j[:2]), factor * 2.8, atol=0.03 * spacing)
    np.testing.assert_allclose(scale.diameters, 2**0.5 * 2.8, atol=0.03 * spacing)


def test_a_second_file_needs_neither_model_nor_sigma(tmp_path, pelplug_command):
    """Of one species d_ij is one length, and the same bonds break as where it is given."""
    states = [salt(noise=0.05, seed=seed) for seed in range(4)]
    one = [state.replace(species=["A"] * state.n, frame=k, step=k) for k, state in enumerate(states)]
    # A quarter of a lattice constant off in two frames: there bonds break.
    moved = [state.replace(positions=state.positions + 0.4 * np.eye(3)[k % 2] * (np.arange(state.n) == 7)[:, None])
             for k, state in enumerate(one)]  # fmt: skip
    pelplug.write_trajectory(tmp_path / "a.gsd", one)
    pelplug.write_trajectory(tmp_path / "b.gsd", moved)
    cutoffs = ("--x-eq", "1.2", "--x-broken", "1.2", "--x-inserted", "1.2")
    done = pelplug_command(
        "analyze", "--plugin", "defects-between", "a.gsd", "--reference", "b.gsd", *cutoffs, "-o", "found.nc"
    )
    assert done.code == 0, done.stderr
    found = xr.load_dataset(tmp_path / "found.nc")
    words, _, length = found.attrs["pair_lengths"].rpartition(" A-A ")
    assert words == "first peaks of g(r):" and float(length) == pytest.approx(1.0, abs=0.03)
    given = pelplug.analyze("defects-between", str(tmp_path / "a.gsd"), reference=str(tmp_path / "b.gsd"),
                            x_eq=1.2, x_broken=1.2, x_inserted=1.2, sigma=float(length))  # fmt: skip
    for name in ("phi", "broken", "inserted"):
        np.testing.assert_array_equal(found[name], given[name])
    assert found["broken"].values.sum() > 0 and given.attrs["pair_lengths"] == f"{float(length):g}, as given"


def test_lengths_that_g_does_not_show_are_refused(tmp_path, pelplug_command):
    rng = np.random.default_rng(3)
    gas = [
        pelplug.Configuration(rng.uniform(size=(30, 3)) * 5, [5.0] * 3, ["A"] * 30, frame=k, step=k) for k in range(2)
    ]
    pelplug.write_trajectory(tmp_path / "gas.gsd", gas)
    done = pelplug_command(
        "analyze", "--plugin", "defects-between", "gas.gsd", "--reference", "gas.gsd", "-o", "found.nc"
    )
    assert done.code == 2 and "g(r) of A-A has no first minimum" in done.stderr and "--sigma LENGTH" in done.stderr


@pytest.mark.parametrize("d", [2, 3])
def test_d2min_of_affine_maps_is_zero_and_of_noise_is_not(d):
    cell = TRICLINIC[d] * 1.3
    rng = np.random.default_rng(7)
    positions = rng.uniform(size=(60, d)) @ cell
    pairs = nearest_images(pelplug.near_pairs(positions, cell, 2.6))
    strain = np.eye(d) + 0.3 * rng.normal(size=(d, d))
    angle = 0.7
    rotation = np.eye(d)
    rotation[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    for map_ in (strain, rotation):
        moved = (positions @ map_.T)[pairs.j] - (positions @ map_.T)[pairs.i] + pairs.images @ (cell @ map_.T)
        value = d2min(pairs.i, pairs.j, pairs.vectors, moved, 60)
        assert np.nanmax(value) < 1e-24
    noise = positions + rng.normal(scale=0.05, size=positions.shape)
    moved = noise[pairs.j] - noise[pairs.i] + pairs.images @ cell
    value = d2min(pairs.i, pairs.j, pairs.vectors, moved, 60)
    # Directly: least squares for each particle.
    for k in range(60):
        of = (pairs.i == k) | (pairs.j == k)
        fit, *_ = np.linalg.lstsq(pairs.vectors[of], moved[of], rcond=None)
        rest = moved[of] - pairs.vectors[of] @ fit
        assert value[k] == pytest.approx((rest**2).sum() / of.sum(), rel=1e-9)
    few = d2min(np.array([0, 0]), np.array([1, 2]), np.eye(2), np.eye(2), 3)
    assert np.isnan(few).all()


def test_g_is_freuds_for_one_size(tmp_path):
    rng = np.random.default_rng(2)
    edge, n = 12.0, 900
    positions = rng.uniform(size=(n, 3)) * edge
    pairs = pelplug.near_pairs(positions, np.eye(3) * edge, X_RANGE)
    g = scaled_distribution(pairs.distances, n, edge**3, 1.0, 3)
    rdf = freud.density.RDF(bins=round(X_RANGE / BIN), r_max=X_RANGE)
    rdf.compute((freud.box.Box.cube(edge), (positions - edge / 2).astype(np.float32)))
    counts, mine = rdf.bin_counts, g * 0.5 * n * (n - 1) / edge**3
    # float32 moves a pair over the border of its bin now and then.
    assert (
        np.abs(np.cumsum(rdf.rdf * np.diff(rdf.bin_edges**3)) - np.cumsum(g * np.diff(rdf.bin_edges**3))).max() < 0.02
    )
    assert counts.sum() == pytest.approx(2 * len(pairs.i), abs=4)
    assert mine.sum() > 0


def test_g_of_unlike_sizes_is_one_without_correlation():
    model = pelplug.model("pss")
    state = model.random_configuration(1500, 5, arrangement="random")
    scale = pelplug.length_scale(state, model.potential(state), "auto")
    pairs = pelplug.near_pairs(state.positions, state.cell, X_RANGE * scale.largest)
    x = pairs.distances / scale.of(pairs.i, pairs.j)
    g = scaled_distribution(x[x < X_RANGE], state.n, state.volume, scale.mean_power(3), 3)
    # Weighted by the shells, the mean of g scatters as the square root of the pairs counted.
    shells = np.diff(np.linspace(0, X_RANGE, g.size + 1) ** 3)
    mean, error = np.average(g, weights=shells), 1 / np.sqrt(np.count_nonzero(x < X_RANGE))
    assert error < 0.007 and mean == pytest.approx(1.0, abs=3 * error)
    analysis = DefectsBetween(None, reference="none.gsd", sigma=1.0)
    with pytest.raises(pelplug.RunError, match="no first minimum"):
        analysis._cutoff(g, state.n, state.density * scale.mean_power(3), 3)


def test_first_minimum_of_known_curves():
    x = BIN * (np.arange(round(X_RANGE / BIN)) + 0.5)
    liquid = 1 + 1.7 * np.exp(-((x - 1.07) ** 2) / 0.012) - 0.4 * np.exp(-((x - 1.437) ** 2) / 0.02)
    assert pelplug.first_minimum(liquid, BIN, 0.0) == pytest.approx(1.437, abs=0.003)
    assert pelplug.first_minimum(liquid, BIN, 0.04) == pytest.approx(1.437, abs=0.01)
    noisy = liquid + np.random.default_rng(1).normal(scale=0.05, size=x.size)
    assert pelplug.first_minimum(noisy, BIN, 0.04, noise=0.05) == pytest.approx(1.437, abs=0.03)
    # A triangular lattice: shells at 1 and 1.732, nothing between.
    crystal = 30 * np.exp(-((x - 1.0) ** 2) / 2e-4) + 30 * np.exp(-((x - 1.732) ** 2) / 2e-4)
    assert pelplug.first_minimum(crystal, BIN, 0.02) == pytest.approx(1.366, abs=0.02)


def test_minimum_of_the_mean_is_not_moved_by_the_flank_of_the_peak():
    x = BIN * (np.arange(round(X_RANGE / BIN)) + 0.5)

    def curve(x):  # as in soft discs: a steep flank on the left, a slow rise on the right
        return 0.2 + 2.8 * np.exp(-((x - 1.09) ** 2) / 0.02) + 1.2 * np.exp(-((x - 1.8) ** 2) / 0.06)

    fine = np.linspace(1.25, 1.6, 35001)
    truth = fine[np.argmin(curve(fine))]
    assert pelplug.first_minimum(curve(x), BIN, 0.04) > truth + 0.01
    assert first_minimum_of_mean(curve(x), 0.04) == pytest.approx(truth, abs=0.005)
    noise = np.random.default_rng(3).normal(scale=0.01, size=(50, x.size))
    found = [first_minimum_of_mean(curve(x) + row, 0.04) for row in noise]
    assert np.std(found) < 0.01 and np.mean(found) == pytest.approx(truth, abs=0.005)
    crystal = 30 * np.exp(-((x - 1.0) ** 2) / 2e-4) + 30 * np.exp(-((x - 1.732) ** 2) / 2e-4)
    assert first_minimum_of_mean(crystal, 0.02) == pytest.approx(1.366, abs=0.02)
    assert np.isnan(first_minimum_of_mean(np.ones(x.size), 0.04))


def test_minimum_of_g_in_a_liquid_is_where_freud_has_it(tmp_path):
    # A soft-sphere liquid: an inherent structure shaken by thermal amounts.
    rng = np.random.default_rng(11)
    model = pelplug.model("harmonic-spheres", dimension=3)
    state = model.random_configuration(1500, rng, arrangement="random")
    state = pelplug.quench(state, model.potential(state), force_tolerance=1e-3).configuration
    state = state.replace(positions=state.positions + rng.normal(scale=0.06, size=state.positions.shape)).wrapped()
    analysis = DefectsBetween(None, reference="none.gsd", sigma=1.0)
    _, g = analysis._near(state.positions, state.cell, pelplug.length_scale(state, None, 1.0), X_RANGE, 1.0)
    found = analysis._cutoff(g, state.n, state.density, 3)
    rdf = freud.density.RDF(bins=30, r_max=2.1)
    rdf.compute(state.freud())
    peak = np.argmax(rdf.rdf)
    window = (rdf.bin_centers > rdf.bin_centers[peak]) & (rdf.bin_centers < 1.7)
    coarse = np.polynomial.Polynomial.fit(rdf.bin_centers[window], rdf.rdf[window], 4)
    grid = np.linspace(1.2, 1.65, 200)
    assert found == pytest.approx(grid[np.argmin(coarse(grid))], abs=0.05)


@pytest.fixture(scope="module")
def shaken(tmp_path_factory):
    """Four frames of a quenched 2D polydisperse system, shaken ever more."""
    path = tmp_path_factory.mktemp("defects") / "shaken.gsd"
    model = pelplug.model("pss-2d")
    rng = np.random.default_rng(8)
    start = model.random_configuration(300, rng)
    minimum = pelplug.quench(start, model.potential(start), "lbfgs").require_converged().configuration.wrapped()
    frames = []
    for k, shake in enumerate((1e-3, 0.07, 0.14, 0.2)):
        moved = minimum.positions + rng.normal(scale=shake, size=minimum.positions.shape) + 0.3
        frames.append(minimum.replace(positions=moved, frame=k, step=10 * k).wrapped())
    pelplug.write_trajectory(path, frames, model_record=model.to_dict())
    return path


@pytest.fixture(scope="module")
def small_frames(tmp_path_factory):
    """Twelve states of 60 soft discs, too few for a minimum that stands out in each of them; shaken minima."""
    path = tmp_path_factory.mktemp("small") / "small.gsd"
    model = pelplug.model("pss-2d")
    rng, frames = np.random.default_rng(3), []
    start = model.random_configuration(60, rng)
    for k in range(12):
        mixed = start.replace(positions=rng.uniform(size=(60, 2)) @ start.cell)
        minimum = pelplug.quench(mixed, model.potential(mixed), "lbfgs", force_tolerance=1e-6).configuration
        moved = minimum.positions + rng.normal(scale=0.05, size=(60, 2))
        frames.append(minimum.replace(positions=moved, frame=k, step=10 * k).wrapped())
    pelplug.write_trajectory(path, frames, model_record=model.to_dict())
    return path


def test_one_cutoff_of_all_frames_and_none_dropped(small_frames):
    model = pelplug.model("pss-2d")
    own = DefectsBetween(small_frames, reference=str(small_frames), model=model)
    states = [own.trajectory.configuration(k) for k in range(12)]
    found, mean = [], 0.0
    for state in states:
        scale = pelplug.length_scale(state, model.potential(state), "auto")
        power = scale.mean_power(2)
        _, g = own._near(state.positions, state.cell, scale, X_RANGE * scale.largest, power)
        mean = mean + g / 12
        try:
            found.append(own._cutoff(g, state.n, state.density * power, 2))
        except pelplug.PelplugError:
            found.append(np.nan)
    assert np.nanmax(found) - np.nanmin(found) > 0.1 and np.nanmax(found) > 1.5  # what their own g(x) would do
    dataset = own.run().to_dataset()
    assert dataset.sizes["frame"] == 12 and json.loads(dataset.attrs["failed_frames"]) == {}
    x_eq = np.unique(dataset["x_eq"])
    assert x_eq.size == 1 and 1.3 < x_eq[0] < 1.5
    smooth = np.convolve(mean, np.ones(9) / 9, "same")
    window = np.arange(115, 165)
    assert x_eq[0] == pytest.approx(BIN * (window[np.argmin(smooth[window])] + 0.5), abs=0.06)
    np.testing.assert_allclose(dataset["g"].mean("frame"), mean, rtol=1e-9)
    # Frames chosen otherwise have another cutoff, and the stored results of these are not taken for those.
    half = DefectsBetween(small_frames, reference=str(small_frames), model=model)
    half.run(step=2)
    assert half.attributes["fingerprint"] != own.attributes["fingerprint"]
    several = DefectsBetween(small_frames, reference=str(small_frames), model=model)
    several.run(backend="multiprocessing", n_workers=2)
    np.testing.assert_array_equal(several.to_dataset()["x_eq"], dataset["x_eq"])


def test_cutoff_of_all_frames_that_no_g_shows(tmp_path):
    model = pelplug.model("pss-2d")
    rng = np.random.default_rng(5)
    start = model.random_configuration(40, rng)
    frames = [start.replace(positions=rng.uniform(size=(40, 2)) @ start.cell, frame=k) for k in range(3)]
    pelplug.write_trajectory(tmp_path / "gas.gsd", frames, model_record=model.to_dict())
    with pytest.raises(pelplug.RunError, match=r"3 frames together has no first minimum.*--x-eq"):
        DefectsBetween(tmp_path / "gas.gsd", reference=str(tmp_path / "gas.gsd"), model=model).run()
    given = DefectsBetween(tmp_path / "gas.gsd", reference=str(tmp_path / "gas.gsd"), model=model, x_eq=1.4)
    assert given.run().to_dataset().sizes["frame"] == 3


@pytest.fixture(scope="module")
def dataset(shaken):
    return pelplug.analyze("defects", shaken, x_eq=1.4)


@parametrize_with_checks([Defects])
def test_keeps_the_contract(check):
    check()


def test_harder_shaking_makes_more_defects(dataset):
    phi = dataset["phi_frame"].values
    assert phi[0] == 0 < phi[2] < phi[3] < 1
    np.testing.assert_array_equal(dataset["phi"], (dataset["broken"] + dataset["inserted"]) > 0)
    assert float(dataset["phi_mean"]) == pytest.approx(phi.mean())
    assert float(dataset["chi"]) == pytest.approx(300 * phi.var(ddof=1))
    assert float(dataset["chi_error"]) > 0
    # Each bond has two ends.
    assert (dataset["broken"].sum("particle").values % 2 == 0).all()
    assert (dataset["inserted"].sum("particle").values % 2 == 0).all()
    defect = dataset["phi"].values.astype(bool)
    assert np.nanmean(dataset["d2min"].values[defect]) > 2 * np.nanmean(dataset["d2min"].values[~defect])
    assert json.loads(dataset.attrs["quench"])["method"] == "fire"
    np.testing.assert_allclose(dataset["displacement"].values.mean(axis=1), 0.0, atol=1e-12)
    magnitude = np.linalg.norm(dataset["displacement"].values, axis=-1)
    np.testing.assert_allclose(dataset["displacement_magnitude"], magnitude)
    assert magnitude[0].max() < 0.02


def test_a_second_trajectory_gives_the_same_as_its_inherent_structures(dataset, shaken, tmp_path):
    trajectory = pelplug.open_trajectory(shaken)
    structures = [
        trajectory.configuration(k).replace(images=None, positions=trajectory.configuration(k).unwrapped_positions()
                                            - dataset["displacement"].values[k]).wrapped()
        for k in (2, 0, 3, 1)
    ]  # fmt: skip
    other = tmp_path / "is.gsd"
    pelplug.write_trajectory(other, sorted(structures, key=lambda c: c.step))
    between = DefectsBetween(trajectory, reference=str(other), x_eq=1.4, model=pelplug.model("pss-2d"))
    result = between.run().to_dataset()
    for name in ("phi", "broken", "inserted"):
        np.testing.assert_array_equal(result[name], dataset[name])
    np.testing.assert_allclose(result["displacement"], dataset["displacement"], atol=1e-5)
    np.testing.assert_allclose(result["d2min"], dataset["d2min"], rtol=1e-3, atol=1e-9)
    # Fewer frames with steps: the others fail alone.
    pelplug.write_trajectory(other, [c for c in sorted(structures, key=lambda c: c.step) if c.step != 10],
                             overwrite=True)  # fmt: skip
    part = DefectsBetween(trajectory, reference=str(other), x_eq=1.4, sigma=1.0).run().to_dataset()
    assert part["frame"].values.tolist() == [0, 2, 3]
    assert "step 10" in json.loads(part.attrs["failed_frames"])["1"]
    assert part.attrs["fingerprint"] != result.attrs["fingerprint"]


@parametrize_with_checks([DefectsBetween])
def test_between_keeps_the_contract(check):
    check()


def test_a_frame_without_inherent_structure_is_recorded(shaken):
    one = pelplug.analyze("inherent-structures", shaken).isel(frame=[0, 1, 3])
    one.attrs["failed_frames"] = json.dumps({"2": "did not converge"})
    analysis = Defects(shaken, x_eq=1.4, model=pelplug.model("pss-2d"), inputs={"inherent-structures": one})
    result = analysis.run().to_dataset()
    assert result["frame"].values.tolist() == [0, 1, 3]
    assert "did not converge" in json.loads(result.attrs["failed_frames"])["2"]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"x_eq": 1.1}, "below x_inserted"),
        ({"x_eq": 1.8, "x_broken": 1.5}, "above x_broken"),
        ({"x_eq": -1.0}, "x_eq"),
        ({"sigma": 0.0}, "sigma"),
    ],
)
def test_senseless_cutoffs_are_refused(shaken, parameters, words):
    with pytest.raises(pelplug.InputError, match=words):
        Defects(shaken, **parameters)


def test_an_x_eq_above_the_cutoff_of_the_paper(shaken):
    # Few discs have it by chance; the order of the cutoffs stays, and the result says what was taken.
    between = DefectsBetween(shaken, reference=str(shaken), x_eq=1.55, sigma=1.0)
    high = between.run().to_dataset()
    assert (high["x_broken"] == 1.55).all() and (high["broken"] == 0).all()  # of states that do not move
    assert "1.55 is above 1.5" in high.attrs["remarks"]
    labels = [one.get_text() for one in between.panels()[1]().get_legend().get_texts()]
    assert any(one.endswith("= 1.55") and "broken" in one for one in labels)
    usual = DefectsBetween(shaken, reference=str(shaken), x_eq=1.4, sigma=1.0).run().to_dataset()
    assert (usual["x_broken"] == 1.5).all() and json.loads(usual.attrs["remarks"]) == []


def test_another_system_as_reference_is_refused(shaken, tmp_path):
    other = pelplug.testing.make_trajectory(tmp_path / "other.gsd", n=50)
    with pytest.raises(pelplug.InputError, match="same particles"):
        DefectsBetween(shaken, reference=str(other), x_eq=1.4).run()


def test_figures(dataset, tmp_path):
    analysis = Defects.from_dataset(dataset)
    figure = analysis.figure()
    figure.savefig(tmp_path / "defects.png", dpi=50)
    colours = figure.axes[0].collections[0].get_facecolor()
    assert len(np.unique(colours, axis=0)) == 2
    assert "defects" in analysis.plot(frame=1).get_title()


def test_three_dimensional_liquid(tmp_path):
    model = pelplug.model("kob-andersen", truncation="smooth")
    path = pelplug.testing.make_trajectory(tmp_path / "three.gsd", n=200, frames=2)
    result = pelplug.analyze("defects", path, model=model, x_eq=1.42, force_tolerance=1e-5)
    assert 0 < float(result["phi_mean"]) <= 1
    Defects.from_dataset(result).figure().savefig(tmp_path / "three.png", dpi=50)
