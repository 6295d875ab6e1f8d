"""Motion against neighbours: plain numpy, lattices with known waves, free walkers, crystals, and what is refused."""

import itertools
import json

import numpy as np
import pytest
from pelplug_dynamics.around import AroundEstimates
from pelplug_dynamics.dynamics import Dynamics
from pelplug_dynamics.statistics import Samples, units_in, units_of
from pelplug_dynamics.sums import Asked, Run, sums_by_kind
from pelplug_dynamics.surroundings import Around, Source, sums_around

import pelplug

AROUND = ("cage_relative_msd", "cage_relative_fs", "bond_breaking")
Q = 3.0


def write(path, walk, cell, species=None, steps=None):
    """Write unwrapped positions, shape (F, N, d), as a trajectory with images."""
    cells = np.broadcast_to(cell, (len(walk), *np.shape(cell)[-2:]))
    states = []
    for k, (positions, vectors) in enumerate(zip(walk, cells, strict=True)):
        start = pelplug.Configuration(
            positions,
            vectors,
            ["A"] * len(positions) if species is None else species,
            images=np.zeros(positions.shape, int),
            step=k if steps is None else steps[k],
            time=float(k),
            masses=np.ones(len(positions)),
        )
        states.append(start.wrapped())
    pelplug.write_trajectory(path, states)
    return path


def run(path, quantities=AROUND, **parameters):
    given = {"wave_number": Q, "min_origins": 1, "per_decade": 1000, "remove_drift": False, "sigma": 1.0, **parameters}
    return Dynamics(path, quantities=quantities, **given).run().to_dataset()


def lattice(edges, d):
    return np.stack(np.meshgrid(*[np.arange(n) * 1.0 for n in edges], indexing="ij"), axis=-1).reshape(-1, d)


def by_hand(path, radius, bonded, broken, lag):
    """CR-MSD, CR-F_s and C_B of each species at a lag, by loops over particles and images."""
    trajectory = pelplug.open_trajectory(path)
    states = list(trajectory.unwrapped(0, trajectory.n_frames))
    walk = [state.unwrapped_positions() for state in states]
    names = trajectory.species_names
    kind = np.array([names.index(name) for name in trajectory.species])
    sums = {name: np.zeros(5) for name in (*names, "all")}
    for first, second in zip(range(len(walk) - lag), range(lag, len(walk)), strict=True):
        moved, cell, d = walk[second] - walk[first], states[first].cell, walk[0].shape[1]
        images = [np.array(one) @ cell for one in itertools.product((-1, 0, 1), repeat=d)]
        inside = states[first].wrapped().positions
        for i in range(len(kind)):
            near, bonds, last = [], 0, 0
            for j, image in itertools.product(range(len(kind)), images):
                apart = inside[j] + image - inside[i]
                r = np.linalg.norm(apart)
                if j != i and r < radius[kind[i], kind[j]]:
                    near.append(moved[j])
                if j != i and r < bonded:
                    bonds += 1
                    last += np.linalg.norm(apart + moved[j] - moved[i]) < broken
            own = np.zeros(5)
            if near:
                relative = moved[i] - np.mean(near, axis=0)
                own[:3] = 1, relative @ relative, np.cos(Q * relative).mean()
            own[3:] = bonds, last
            sums[names[kind[i]]] += own
            sums["all"] += own
    return {name: (one[1] / one[0], one[2] / one[0], one[4] / one[3]) for name, one in sums.items()}


@pytest.mark.parametrize("d", [2, 3])
def test_against_loops_over_particles(tmp_path, d):
    rng, n = np.random.default_rng(d), 36
    cell = {2: np.array([[6.0, 0.0], [1.7, 5.4]]), 3: np.array([[3.4, 0, 0], [0.9, 3.3, 0], [-0.6, 0.8, 3.2]])}[d]
    steps = rng.normal(scale=0.12, size=(6, n, d))
    steps[0] = rng.uniform(0, 1, (n, d)) @ cell
    path = write(tmp_path / "a.nc", np.cumsum(steps, axis=0), cell, ["A"] * 24 + ["B"] * 12)
    radius = (1.1, 0.95, 0.8)  # AA, AB, BB: some B have nobody
    found = run(path, cage_radius=radius, x_bonded=0.9, x_broken=1.0, sigma=1.05)
    for lag in (1, 3):
        expected = by_hand(path, np.array([[1.1, 0.95], [0.95, 0.8]]), 0.9 * 1.05, 1.0 * 1.05, lag)
        at = found.sel(lag_time=float(lag)).isel(wave_number=0)
        for kind, (msd, fs, bonds) in expected.items():
            one = at.sel(kind=kind)
            assert float(one["cage_relative_msd"]) == pytest.approx(msd, rel=1e-9)
            assert float(one["cage_relative_fs"]) == pytest.approx(fs, rel=1e-9)
            assert float(one["bond_breaking"]) == pytest.approx(bonds, rel=1e-12) and bonds < 1.0
    np.testing.assert_allclose(found["cage_radius"], [[1.1, 0.95], [0.95, 0.8]])


def test_isotropic_average_is_of_the_length(tmp_path):
    rng = np.random.default_rng(4)
    walk = lattice((9, 9, 9), 3) + rng.normal(scale=0.3, size=(2, 729, 3))
    path = write(tmp_path / "a.nc", walk, 9.0 * np.eye(3))
    found = run(path, cage_radius=4.4, average="isotropic")  # as many as fit into half the box
    assert float(found["cage_size"].sel(kind="A")) > 300
    moved = np.linalg.norm(np.diff(walk - walk.mean(axis=1, keepdims=True), axis=0)[0], axis=1)
    # Of so many particles the mean displacement is nearly that of the centre.
    assert float(found["cage_relative_fs"].squeeze()) == pytest.approx(np.sinc(Q * moved / np.pi).mean(), abs=0.02)


def test_a_rigid_translation_is_no_motion(tmp_path):
    walk = lattice((5, 5, 5), 3) + np.array([0.17, -0.3, 0.05]) * np.arange(6)[:, None, None]
    found = run(write(tmp_path / "a.nc", walk, 5.0 * np.eye(3)), cage_radius=1.2)
    assert float(found["msd"].max()) > 2.0 and float(found["cage_relative_msd"].max()) < 1e-12
    assert np.all(found["cage_relative_fs"] > 1 - 1e-12) and np.all(found["bond_breaking"] == 1.0)
    assert float(found["cage_size"].sel(kind="A")) == 6.0


@pytest.mark.parametrize(("d", "edge"), [(2, 24), (3, 16)])
@pytest.mark.parametrize("waves", [1, 3])
def test_waves_are_reduced_by_the_structure_factor_of_the_shell(tmp_path, d, edge, waves):
    """``u - <u> = u (1 - sum cos(k.b) / n)`` over the shell's vectors b: 2 (1 - cos(k a)) / (2 d), about (k a)^2/2d."""
    grid = lattice((edge,) * d, d)
    k = 2 * np.pi * waves / edge
    shear = np.zeros((2, *grid.shape))
    shear[1, :, 1] = 0.2 * np.sin(k * grid[:, 0])
    found = run(write(tmp_path / "a.nc", grid + shear, edge * np.eye(d)), cage_radius=1.3)
    reduced = (1 - np.cos(k)) / d
    ratio = float((found["cage_relative_msd"] / found["msd"]).squeeze())
    assert ratio == pytest.approx(reduced**2, rel=1e-4) and reduced == pytest.approx(k**2 / (2 * d), rel=0.12)


def test_of_free_walkers_it_is_larger_by_one_over_the_number_of_neighbours(tmp_path):
    rng, n, edge = np.random.default_rng(11), 500, 8.0
    steps = rng.normal(scale=0.15, size=(60, n, 3))
    steps[0] = rng.uniform(0, edge, (n, 3))
    path = write(tmp_path / "a.nc", np.cumsum(steps, axis=0), edge * np.eye(3))
    found = run(path, cage_radius=1.6, per_decade=5, min_origins="auto")
    positions = [state.positions for state in pelplug.open_trajectory(path)][::10]
    inverse = []
    for state in positions:
        apart = state[:, None] - state[None]
        apart -= edge * np.rint(apart / edge)
        number = np.count_nonzero((apart**2).sum(axis=2) < 1.6**2, axis=1) - 1
        inverse.append(np.mean(1.0 / number[number > 0]))
    exact = (1 + np.mean(inverse)) * 3 * 0.15**2 * found["lag_time"].values
    few = found["lag_time"].values <= 15
    value, error = (found[f"cage_relative_msd{end}"].sel(kind="A").values for end in ("", "_error"))
    assert np.all(np.abs(value - exact)[few] < 4 * error[few] + 0.003 * exact[few])
    np.testing.assert_allclose(value[few], exact[few], rtol=0.05)
    assert np.mean(inverse) > 0.05


def triangular(edge, frames, rng, temperature=0.02):
    """Independent states of a harmonic crystal of discs on springs, and mean squares of u and of u against its shell.

    Exact, from the dynamical matrix ``D(k) = sum_b (1 - cos k.b) b b`` over the six vectors b of the shell.
    """
    basis = np.array([[1.0, 0.0], [0.5, np.sqrt(3) / 2]])
    bonds = np.array([[1, 0], [0, 1], [-1, 1], [-1, 0], [0, -1], [1, -1]]) @ basis
    waves = np.stack(np.meshgrid(*[np.fft.fftfreq(edge)] * 2, indexing="ij"), axis=-1) @ (
        2 * np.pi * np.linalg.inv(basis).T
    )
    phase = waves @ bonds.T
    matrix = np.einsum("xyb,bi,bj->xyij", 1 - np.cos(phase), bonds, bonds)
    values, vectors = np.linalg.eigh(matrix)
    with np.errstate(divide="ignore"):
        weight = np.where(values > 1e-9, temperature / values, 0.0)
    shell = 1 - np.cos(phase).mean(axis=-1)
    exact = [2 * (weight.sum(axis=-1) * factor).mean() for factor in (1.0, shell**2)]
    noise = np.fft.fft2(rng.normal(size=(frames, edge, edge, 2)), axes=(1, 2))
    modes = np.einsum("xyij,xyj,xylj,fxyl->fxyi", vectors, np.sqrt(weight), vectors, noise)
    moved = np.fft.ifft2(modes, axes=(1, 2)).real.reshape(frames, -1, 2)
    sites = np.stack(np.meshgrid(*[np.arange(edge)] * 2, indexing="ij"), axis=-1).reshape(-1, 2) @ basis
    return sites + moved, edge * basis, exact


def test_in_two_dimensions_a_crystal_is_bounded_against_its_cages_where_its_msd_grows(tmp_path):
    found, exact = [], []
    for edge, frames in ((6, 60), (12, 30), (24, 15), (48, 8)):
        walk, cell, known = triangular(edge, frames, np.random.default_rng(edge))
        data = run(write(tmp_path / f"{edge}.nc", walk, cell)).sel(kind="A").isel(wave_number=0)
        assert 1.2 < float(data["cage_radius"].squeeze()) < 1.7 and float(data["cage_size"]) == pytest.approx(
            6.0, abs=0.05
        )
        found.append(
            [float((data[name] * data["origins"]).sum() / data["origins"].sum()) for name in ("msd", AROUND[0])]
        )
        exact.append(known)
    found, exact = np.array(found), np.array(exact)
    np.testing.assert_allclose(found[:, 0], exact[:, 0], rtol=0.15)
    np.testing.assert_allclose(found[:, 1], exact[:, 1], rtol=0.04)
    growth = np.diff(exact[:, 0])  # by each doubling of the edge: as log N
    np.testing.assert_allclose(growth, growth.mean(), rtol=0.1)
    assert found[-1, 0] > 1.7 * found[0, 0] and np.ptp(found[:, 1]) < 0.05 * found[:, 1].mean()


class Blob:
    """States of particles that all are neighbours, far from their images."""

    def __init__(self, walk):
        self.walk = walk

    def configuration(self, frame):
        return pelplug.Configuration(self.walk[frame], np.full(3, 1000.0), ["A"] * len(self.walk[frame]))


def test_errors_hold_as_often_as_they_say():
    """Of n particles that all are neighbours a displacement against the others is n/(n-1) that from the centre."""
    rng, n, frames, lags = np.random.default_rng(3), 8, 80, np.array([1, 4, 10, 18])
    variance = 0.1**2 * lags * (1 + 1 / (n - 1))
    exact = {"msd": 3 * variance, "fs": np.exp(-variance * Q**2 / 2)}
    hold = []
    for _ in range(80):
        walk = 500 + np.cumsum(rng.normal(scale=0.1, size=(frames, n, 3)), axis=0)
        runs = [Run(walk.transpose(0, 2, 1).copy(), np.arange(frames), units_of(np.arange(frames), 0, 1), lags)]
        members = {"A": np.arange(n)}
        squares = sums_by_kind(runs, members, Asked((), None, False), units_in(1))["A"][0] / n
        around = Around(np.full((1, 1), 400.0), None, (Q,), False)
        sums = sums_around(
            runs, [Source(Blob(walk), range(frames), np.zeros((1, 3, 3)), None)], members, around, units_in(1)
        )["A"]
        found = AroundEstimates(Samples(runs, squares, 0.3), sums)
        assert found.cage_size == n - 1
        hold.append([np.abs(getattr(found.curves, name) - truth).ravel() < getattr(found.errors, name).ravel()
                     for name, truth in exact.items()])  # fmt: skip
    assert np.mean(hold) == pytest.approx(0.683, abs=0.08), np.mean(hold, axis=0)


def test_a_cell_that_shrinks_moves_nobody_against_a_symmetric_cage(tmp_path):
    grid, scale = lattice((6, 6, 6), 3), np.linspace(1.0, 0.98, 5)[:, None, None]
    found = run(write(tmp_path / "a.nc", scale * (grid + 0.5), scale * 6.0 * np.eye(3)), cage_radius=1.2)
    assert float(found["cage_relative_msd"].max()) < 1e-8 and np.all(found["bond_breaking"] == 1.0)


def test_several_runs_are_pooled(tmp_path):
    rng, paths = np.random.default_rng(6), []
    for k in range(6):
        steps = rng.normal(scale=0.2, size=(20, 60, 2))
        steps[0] = rng.uniform(0, 8, (60, 2))
        paths.append(write(tmp_path / f"{k}.nc", np.cumsum(steps, axis=0), 8.0 * np.eye(2)))
    given = {"quantities": AROUND, "wave_number": Q, "min_origins": 1, "sigma": 1.0, "cage_radius": 1.5}
    together = pelplug.analyze("dynamics", paths, **given).sel(kind="A")
    apart = [pelplug.analyze("dynamics", path, **given).sel(kind="A") for path in paths]
    assert together["cage_relative_msd_error"].attrs["error_method"] == "jackknife over independent runs"
    at = float(together["lag_time"][2])
    one = np.array([float(data["cage_relative_msd"].sel(lag_time=at)) for data in apart])
    # All walkers have neighbours nearly always: every run counts the same.
    assert float(together["cage_relative_msd"].sel(lag_time=at)) == pytest.approx(one.mean(), rel=2e-3)
    error = pelplug.standard_error(one)
    assert float(together["cage_relative_msd_error"].sel(lag_time=at)) == pytest.approx(float(error), rel=0.05)
    bonds = together["bond_breaking"].values
    assert bonds[0] > 0.8 > bonds[-1]
    assert (float(together["bond_breaking_time"]) > 1) == (bonds[-1] < np.exp(-1))


def test_what_cannot_be_told_is_said(tmp_path):
    rng = np.random.default_rng(7)
    steps = rng.normal(scale=0.1, size=(12, 300, 3))
    steps[0] = rng.uniform(0, 7, (300, 3))
    path = write(tmp_path / "gas.nc", np.cumsum(steps, axis=0), 7.0 * np.eye(3))
    found = run(path)
    assert "cage_relative_msd" not in found and "bond_breaking" in found
    (said,) = (one for one in json.loads(found.attrs["not_found"]) if "cage" in one)
    assert "g(r) of A-A has no clear first minimum" in said and "--cage-radius" in said
    for given, words in (
        ({"sigma": "auto"}, "pass --sigma"),
        ({"cage_radius": (1.0, 2.0)}, "2 values, and A make 1 pairs"),
        ({"x_bonded": 1.8}, "larger --x-broken"),
        ({"cage_radius": 3.6}, "beyond half the box, 3.5.*smaller --cage-radius"),
        ({"x_bonded": 3.6, "x_broken": 4.0}, "beyond half the box, 3.5.*smaller --x-bonded"),
    ):
        with pytest.raises(pelplug.InputError, match=words):
            run(path, **given)
    four = write(tmp_path / "four.nc", rng.uniform(0, 3, (3, 40, 4)), 3.0 * np.eye(4))
    with pytest.raises(pelplug.InputError, match="not computed in 4 dimensions; give how far"):
        run(four)
    assert "cage_relative_msd" in run(four, cage_radius=1.0)


def test_the_figure_has_a_panel_each(tmp_path):
    walk, cell, _ = triangular(6, 12, np.random.default_rng(1))
    found = run(write(tmp_path / "a.nc", walk, cell))
    labels = [ax.get_ylabel() for ax in Dynamics.from_dataset(found).figure().axes]
    assert sum("cage-relative" in one for one in labels) == 2 and any("mathrm{B}" in one for one in labels)
