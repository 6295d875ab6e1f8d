"""Dynamics: motions with known answers, freud, schedules of frames, and trajectories that do not show a number."""

import json

import freud
import numpy as np
import pytest
from pelplug_dynamics import spectral
from pelplug_dynamics import times as characteristic
from pelplug_dynamics.correlate import isotropic_average
from pelplug_dynamics.dynamics import Dynamics
from pelplug_dynamics.lags import Clock, count_lags, frame_pairs, pool_lags, select_lags
from pelplug_dynamics.statistics import Estimates, Samples, units_in, units_of
from pelplug_dynamics.structure import first_peak, structure_factor
from pelplug_dynamics.sums import Asked, Run, sums_by_kind
from scipy.special import gamma
from scipy.stats import chi2

import pelplug

L = 6.0


def write(path, walk, times, steps=None, species=None, images=False):
    """Write unwrapped positions, shape (F, N, d), as a trajectory of wrapped ones."""
    n = walk.shape[1]
    start = pelplug.Configuration(
        walk[0],
        np.full(walk.shape[2], L),
        ["A"] * n if species is None else species,
        images=np.zeros(walk[0].shape, int),
    )
    states = []
    for k, (positions, time) in enumerate(zip(walk, times, strict=True)):
        state = start.replace(positions=positions, step=None if steps is None else int(steps[k]), time=time).wrapped()
        states.append(state if images else state.replace(images=None))
    pelplug.write_trajectory(path, states)
    return path


def run(path, **parameters):
    return Dynamics(path, **{"structure_frames": 1, "remove_drift": False, **parameters}).run().to_dataset()


def brownian(frames, n, scale, rng, dimension=3):
    steps = rng.normal(scale=scale, size=(frames, n, dimension))
    steps[0] = rng.uniform(0, L, (n, dimension))
    return np.cumsum(steps, axis=0)


@pytest.fixture(scope="module")
def diffusing(tmp_path_factory):
    walk = brownian(200, 600, 0.1, np.random.default_rng(1))
    path = tmp_path_factory.mktemp("brownian") / "traj.gsd"
    species = np.array(["A"] * 400 + ["B"] * 200)
    return write(path, walk, 0.05 * np.arange(200), 10 * np.arange(200), species), walk


D, Q = 0.1**2 / 2 / 0.05, 5.0


def within(found, error, exact, sigmas=4.0):
    return np.all(np.abs(found - exact) < sigmas * error + 1e-12)


# --- motions with known answers -----------------------------------------------------------------------------------


def test_free_diffusion(diffusing):
    data = run(diffusing[0], wave_number=Q).sel(kind="all")
    t = data["lag_time"].values
    few = t < 3.0
    # What the walk itself scatters: 600 particles and 199 origins, of which 10 / t are independent.
    relative = np.sqrt(2.0 / (3 * 600) / (10.0 / t))
    assert np.all(np.abs(data["msd"] / (6 * D * t) - 1) < 4 * relative)
    assert np.all(np.abs(data["fs"][0] - np.exp(-(Q**2) * D * t))[few] < 0.01)
    assert np.all(np.abs(data["alpha_2"])[few] < 4 * np.sqrt(8 / 15 / 600 * t[few] / 10) + 0.003)
    assert within(data["diffusion_coefficient"], 0.03 * D, D, 1.0)
    assert float(data["tau_alpha"][0]) == pytest.approx(np.log(5) / (Q**2 * D), rel=0.03)
    assert float(data["kww_beta"][0]) == pytest.approx(1.0, abs=0.03)
    assert float(data["kww_mean_time"][0]) == pytest.approx(1 / (Q**2 * D), rel=0.05)
    assert float(data["msd_time"]) == pytest.approx(1 / (6 * D), rel=0.03)
    assert np.isnan(data["tau_beta"]) and "no plateau" in data.attrs["not_found"]
    # Gaussian van Hove function, normalised over space.
    r, edge = data["displacement"].values, 0.5 * float(data["displacement"].diff("displacement")[0])
    time = float(data["van_hove_time"][0])
    exact = np.exp(-(r**2) / (4 * D * time)) / (4 * np.pi * D * time) ** 1.5
    there = exact > 0.02 * exact[0]
    volume = 4 / 3 * np.pi * ((r + edge) ** 3 - (r - edge) ** 3)
    drawn = 600 * 190 * exact * volume
    found = data["van_hove"].values[0]
    assert np.all(np.abs(found / exact - 1)[there] < 5 / np.sqrt(drawn[there]) + 0.02)


# --- errors ---------------------------------------------------------------------------------------------------------

WALK, PARTICLES, STEP = 160, 30, 0.1


def free(rng, lags, runs, wave_number, overlap, mobility=1.0, length=0.3):
    """Curves and errors of free walks about their centre of mass, through the plugin's sums."""
    ticks, made = np.arange(WALK), []
    for number in range(runs):
        walk = np.cumsum(rng.normal(scale=STEP, size=(WALK, PARTICLES, 3)) * mobility, axis=0)
        walk -= walk.mean(axis=1, keepdims=True)
        made.append(Run(walk.transpose(0, 2, 1).copy(), ticks, units_of(ticks, number, runs), lags))
    asked = Asked((wave_number,), overlap, False)
    sums = sums_by_kind(made, {"A": np.arange(PARTICLES)}, asked, units_in(runs))["A"]
    return Estimates(Samples(made, sums[0] / PARTICLES, length), sums, PARTICLES, 3)


@pytest.mark.parametrize(("runs", "sets"), [(1, 150), (3, 60), (6, 60)])
def test_errors_hold_as_often_as_they_say(runs, sets):
    """Free walks, all known: 68 % within one error; were errors half as large, it would be 38 %."""
    rng, lags = np.random.default_rng(5), np.array([1, 4, 10, 16, 28, 39, 90])
    variance = STEP**2 * (1 - 1 / PARTICLES) * lags
    near = chi2.cdf(0.9**2 / variance, 3)
    exact = {
        "msd": 3 * variance,
        "alpha_2": 0 * variance,
        "fs": np.exp(-variance / 2 * 2.0**2),
        "overlap": near,
        # What is taken out with the centre of mass makes it 1.01 of that.
        "chi_4": near * (1 - near),
    }
    hold = {name: [] for name in (*exact, "crossing")}
    for _ in range(sets):
        found = free(rng, lags, runs, 2.0, 0.9)
        for name, truth in exact.items():
            value, error = (getattr(one, name).reshape(lags.size) for one in (found.curves, found.errors))
            told = (lags < 40) | (runs > 4)  # no error beyond a quarter of the run
            if name == "chi_4":  # nor of chi_4 where the overlap is gone
                told &= found.curves.overlap >= 0.2
            assert np.array_equal(np.isfinite(error), told)
            hold[name].append(np.where(np.isfinite(error), np.abs(value - truth) < error, np.nan))

        def crossing(one):
            return characteristic.reaching(lags * 1.0, one.msd, 0.87)[0]

        hold["crossing"].append([abs(crossing(found.curves) - 30.0) < found.read(crossing, 5)])
    # The overlap is nearly always 1 at the first lags.
    share = {
        name: np.nanmean(np.array(one)[:, 2 if name in ("overlap", "chi_4") else 0 :]) for name, one in hold.items()
    }
    assert np.mean(list(share.values())) == pytest.approx(0.683, abs=0.06), share
    assert all(0.55 < one < 0.82 for name, one in share.items()), share


def test_errors_hold_where_motion_comes_in_spells():
    """All particles are mobile for 6 frames on average, then still for as long: blocks of 8 frames would agree."""
    rng, lags, hold = np.random.default_rng(8), np.array([1, 4, 10]), []
    exact = 3 * STEP**2 * (1 - 1 / PARTICLES) * lags / 2
    for _ in range(200):
        mobile = (np.cumsum(rng.random(WALK) < 1 / 6) + rng.integers(2)) % 2
        found = free(rng, lags, 1, 2.0, 0.9, mobile[:, None, None], length=0.6)  # by half of which in 6 frames
        hold.append(np.abs(found.curves.msd - exact) < found.errors.msd)
    assert np.all(np.abs(np.mean(hold, axis=0) - 0.683) < 0.11), np.mean(hold, axis=0)


def test_a_run_in_which_nothing_is_forgotten_has_no_errors(tmp_path):
    rng = np.random.default_rng(17)
    paths = [write(tmp_path / f"{k}.gsd", rng.uniform(0, L, (50, 3)) + rng.normal(scale=0.1, size=(80, 50, 3)),
                   np.arange(80.0), images=True) for k in range(5)]  # fmt: skip
    data = run(paths[0], wave_number=Q)
    assert all(np.isnan(data[name]).all() for name in data.data_vars if name.endswith("_error"))
    assert "do not move by half their mean distance" in data.attrs["remarks"]
    together = pelplug.analyze("dynamics", paths, wave_number=Q, remove_drift=False, structure_frames=1)
    assert np.isfinite(together["msd_error"]).all() and "No error" not in together.attrs["remarks"]
    assert np.all(np.abs(together["msd"] - 0.06) < 5 * together["msd_error"])


def test_a_crystal_that_only_drifts_has_no_times(tmp_path):
    """In single precision its positions go to and fro by rounding, in which an inflection was found."""
    grid = np.stack(np.meshgrid(*[np.arange(4.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3) - 1.4
    walk = grid + 0.013 * np.arange(40)[:, None, None]
    data = run(write(tmp_path / "t.gsd", walk, np.arange(40.0), images=True), wave_number=Q, remove_drift=True)
    for name in ("tau_beta", "msd_time", "diffusion_coefficient", "tau_alpha"):
        assert np.isnan(data[name]).all() and np.isnan(data[f"{name}_error"]).all(), name
    assert any("rounding" in one for one in json.loads(data.attrs["not_found"]))
    assert "at most 100 % of the MSD" in data.attrs["remarks"]


def test_chi_4_of_few_origins_is_not_low():
    """``<Q^2> - <Q>^2`` of few independent origins is on average too small by the variance of <Q>."""
    rng, lags = np.random.default_rng(2), np.array([16, 39])
    near = chi2.cdf(1.1**2 / (STEP**2 * (1 - 1 / PARTICLES) * lags), 3)
    found = np.array([free(rng, lags, 1, 2.0, 1.1).curves.chi_4 for _ in range(400)])
    scatter = found.std(axis=0) / np.sqrt(len(found))
    assert np.all(np.abs(found.mean(axis=0) - 1.01 * near * (1 - near)) < 3.5 * scatter)
    assert np.all(scatter < 0.03 * near * (1 - near))


def test_chi_4_has_no_error_in_its_tail_unless_samples_are_many(tmp_path):
    """What is left of the overlap is of few slow stretches, which one run has or has not."""
    rng, lags = np.random.default_rng(9), np.array([3, 36])
    one, many = (free(rng, lags, runs, 2.0, 0.5) for runs in (1, 20))
    assert one.curves.overlap[0] > 0.5 > 0.2 > one.curves.overlap[1]
    assert np.isfinite(one.errors.chi_4).tolist() == [True, False] and np.isfinite(one.errors.overlap).all()
    assert np.isfinite(many.errors.chi_4).all() and not many.in_tail.any()
    walk = brownian(400, 100, 0.1, rng)
    data = run(write(tmp_path / "t.gsd", walk, 0.05 * np.arange(400), images=True), wave_number=2.0, overlap_length=0.3)
    without = data["lag_time"].values[
        np.isnan(data["chi_4_error"].values[0]) & np.isfinite(data["msd_error"].values[0])
    ]
    said = [one for one in json.loads(data.attrs["remarks"]) if one.startswith("No error of chi_4")]
    assert len(said) == 1 and f"from t = {without.min():.4g} (A)" in said[0] and "20 or more" in said[0]


def test_fits_end_where_the_statistics_do_and_errors_at_a_quarter(tmp_path):
    walk = brownian(800, 100, 0.1, np.random.default_rng(3))
    path = write(tmp_path / "t.gsd", walk, 0.05 * np.arange(800), images=True)
    whole = 0.05 * 799
    data = run(path, wave_number=2.0, per_decade=20, van_hove_times=(1.0, 15.0))
    one = data.sel(kind="A")
    assert 0.8 * 0.1 * whole < float(one["diffusion_window"][1]) <= 0.1 * whole
    longer = run(path, wave_number=2.0, per_decade=20, fit_end=0.2)["diffusion_window"].sel(kind="A", bound="upper")
    assert 0.8 * 0.2 * whole < float(longer) <= 0.2 * whole
    known = data["lag_time"].values <= 0.25 * whole
    for name in ("msd", "fs", "alpha_2", "overlap", "chi_4"):
        tail = (one["overlap"] < 0.2) & (data["independent_samples"] < 20) if name == "chi_4" else 0
        assert np.array_equal(
            np.isfinite(one[f"{name}_error"].values.ravel()), known & ~np.asarray(tail, dtype=bool)
        ), name
        assert data[f"{name}_error"].attrs["effective_samples"] == "independent_samples"
        assert "blocks of the run" in data[f"{name}_error"].attrs["error_method"]
    samples = data["independent_samples"].values[known]
    t = data["lag_time"].values[known]
    assert np.all((samples >= 3) & (samples * t <= 1.1 * (whole - t) + 0.3 * t)) and samples[0] > 14
    assert np.isfinite(one["van_hove_error"][0]).any() and np.isnan(one["van_hove_error"][1]).all()
    assert np.isfinite(one["van_hove"]).all()
    # Read at a quarter and beyond: the value stays, its error goes, and what to do is said.
    late = run(path, wave_number=0.6, msd_target=6 * D * 0.4 * whole)
    assert np.isfinite(late["msd_time"]).all() and np.isnan(late["msd_time_error"]).all()
    assert np.isfinite(late["diffusion_coefficient_error"]).all()
    said = json.loads(late.attrs["remarks"])
    remark = [one for one in said if one.startswith("No error of") and not one.startswith("No error of chi_4")]
    assert len(remark) == 1 and "msd_time of A" in remark[0] and "five or more independent runs" in remark[0]


def test_a_short_run_gives_its_slope_without_an_error_and_several_runs_give_it(tmp_path):
    """The slope over the whole of a run too short for more, as the local diffusivities of the first paper are."""
    rng = np.random.default_rng(21)
    paths = [
        write(tmp_path / f"{k}.gsd", brownian(60, 100, 0.2, rng), 0.05 * np.arange(60), images=True) for k in range(6)
    ]
    few = {"quantities": ("msd",), "per_decade": 40, "min_origins": 1}
    data = run(paths[0], **few)
    assert float(data["diffusion_window"].sel(kind="A", bound="upper")) > 0.25 * 59 * 0.05
    assert float(data["diffusion_coefficient"].sel(kind="A")) == pytest.approx(4 * D, rel=0.4)
    assert np.isnan(data["diffusion_coefficient_error"]).all()
    assert "diffusion_coefficient of A" in data.attrs["remarks"] and "independent runs" in data.attrs["remarks"]
    together = run(paths[0], more=tuple(paths[1:]), **few).sel(kind="A")
    assert float(together["diffusion_coefficient_error"]) > 0 and int(together["diffusion_coefficient_samples"]) == 6
    assert np.isfinite(together["msd_error"]).all()
    assert together["msd_error"].attrs["error_method"] == "jackknife over independent runs"
    two = run(paths[0], more=(paths[1],), **few).sel(kind="A")
    known = two["lag_time"].values <= 0.25 * 59 * 0.05
    assert np.array_equal(np.isfinite(two["msd_error"].values), known)
    assert np.all(two["independent_samples"].values[known] >= 6)


# --- motions of two species, of oscillators and of jumps -----------------------------------------------------------


def test_two_species_that_diffuse_apart(tmp_path):
    """Each species has its own D; of both together, alpha_2 = <D^2>/<D>^2 - 1 and F_s is a mean of exponentials."""
    rng, share = np.random.default_rng(15), np.array([500, 300]) / 800
    both = [brownian(120, n, scale, rng) for n, scale in ((500, 0.05), (300, 0.15))]
    species = np.array(["A"] * 500 + ["B"] * 300)
    path = write(tmp_path / "t.gsd", np.concatenate(both, axis=1), 0.05 * np.arange(120), species=species)
    data = run(path, wave_number=Q, temperature=0.5)
    t, exact = data["lag_time"].values, np.array([0.05, 0.15]) ** 2 / 2 / 0.05
    early = t < 1.0
    for kind, d, n in (("A", exact[0], 500), ("B", exact[1], 300)):
        one = data.sel(kind=kind)
        assert np.all(np.abs(one["msd"] / (6 * d * t) - 1) < 4 * np.sqrt(2 / (3 * n) / np.maximum(1, 5.95 / t)) + 1e-3)
        assert float(one["tau_alpha"][0]) == pytest.approx(np.log(5) / (Q**2 * d), rel=0.05)
        assert float(one["diffusion_coefficient"]) == pytest.approx(d, rel=0.06)
        assert np.all(np.abs(one["alpha_2"])[early] < 0.05)
    together = data.sel(kind="all")
    assert np.allclose(together["msd"], share @ data["msd"].sel(kind=["A", "B"]).values, rtol=1e-12)
    expected = share @ exact**2 / (share @ exact) ** 2 - 1
    assert np.allclose(together["alpha_2"][early], expected, atol=0.05) and expected > 0.5
    assert np.allclose(together["fs"][0], share @ np.exp(-(Q**2) * exact[:, None] * t), atol=0.02)
    # a0 = rho^(-1/3) and t0 = a0 sqrt(m/T), m = 1.
    a0 = (L**3 / 800) ** (1 / 3)
    assert float(data["length_unit"]) == pytest.approx(a0)
    assert float(data["time_unit"]) == pytest.approx(a0 * np.sqrt(1 / 0.5))
    assert np.allclose(data["reduced_tau_alpha"], data["tau_alpha"] / data["time_unit"])
    reduced = data["diffusion_coefficient"] * float(data["time_unit"]) / a0**2
    assert np.allclose(data["reduced_diffusion_coefficient"], reduced)


def test_free_flight(tmp_path):
    rng, temperature = np.random.default_rng(2), 0.7
    velocities = rng.normal(scale=np.sqrt(temperature), size=(4000, 3))
    times = 0.02 * np.arange(30)
    walk = rng.uniform(0, L, (4000, 3)) + velocities * times[:, None, None]
    data = run(write(tmp_path / "t.gsd", walk, times), wave_number=Q).sel(kind="A")
    t = data["lag_time"].values
    assert np.allclose(data["msd"], (velocities**2).sum(axis=1).mean() * t**2, rtol=1e-4)
    assert np.allclose(data["fs"][0], np.exp(-(Q**2) * temperature * t**2 / 2), atol=0.03)
    assert np.isnan(data["diffusion_coefficient"]) and "not as t" in data.attrs["not_found"]


def test_einstein_crystal_has_a_plateau_and_no_relaxation_time(tmp_path):
    rng, width = np.random.default_rng(3), 0.05
    walk = rng.uniform(0, L, (500, 3)) + rng.normal(scale=width, size=(80, 500, 3))
    data = run(write(tmp_path / "t.gsd", walk, 1.0 * np.arange(80)), wave_number=Q).sel(kind="A")
    relative = np.sqrt(2 / 1500 / data["origins"].values) * 1.4  # pairs that share a frame are not independent
    assert np.all(np.abs(data["msd"] / (6 * width**2) - 1) < 4 * relative)
    assert np.allclose(data["fs"], np.exp(-((Q * width) ** 2)), atol=0.005)
    for name in ("tau_alpha", "kww_time", "diffusion_coefficient", "msd_time", "tau_beta"):
        assert np.isnan(data[name]).all()
    reasons = " ".join(json.loads(data.attrs["not_found"]))
    for words in ("tau_alpha of A", "simulate longer", "diffusion_coefficient of A", "time_unit: the temperature"):
        assert words in reasons


def test_harmonic_oscillators(tmp_path):
    """Gaussian amplitudes of variance s^2: <dx^2> = 2 s^2 (1 - cos wt), and everything is Gaussian."""
    rng, s, w, n = np.random.default_rng(16), 0.2, 2 * np.pi / 40, 3000
    times = np.arange(81.0)
    a, b = rng.normal(scale=s, size=(2, n, 3))
    walk = rng.uniform(0, L, (n, 3)) + a * np.cos(w * times)[:, None, None] + b * np.sin(w * times)[:, None, None]
    data = run(write(tmp_path / "t.gsd", walk, times), wave_number=Q, per_decade=100_000, van_hove_times=(10.0, 20.0))
    data, t = data.sel(kind="A"), data["lag_time"].values
    width = 2 * s**2 * (1 - np.cos(w * t))
    moving = width > 1e-6
    assert np.allclose(data["msd"], 3 * width, rtol=0.06, atol=1e-6)
    assert np.allclose(data["fs"][0], np.exp(-(Q**2) * width / 2), atol=0.02)
    assert np.all(np.abs(data["alpha_2"])[moving] < 0.1)
    assert data["fs"].sel(lag_time=40.0).item() == pytest.approx(1.0, abs=1e-6)  # back after a period
    r, edge = data["displacement"].values, 0.5 * float(data["displacement"].diff("displacement")[0])
    volume = 4 / 3 * np.pi * ((r + edge) ** 3 - (r - edge) ** 3)
    for row, width in enumerate((2 * s**2, 4 * s**2)):
        exact = np.exp(-(r**2) / (2 * width)) / (2 * np.pi * width) ** 1.5
        drawn = n * exact * volume  # an oscillator goes through the same displacements again and again
        there = drawn > 20
        assert there.sum() > 15
        assert np.all(np.abs(data["van_hove"].values[row] / exact - 1)[there] < 4.5 / np.sqrt(drawn[there]))


def test_jumps_between_two_sites(tmp_path):
    # Jumps between 0 and a at rate k each way: F_s = (1 + cos qa)/2 + (1 - cos qa)/2 exp(-2kt).
    rng, rate, a, dt = np.random.default_rng(4), 0.5, 0.4, 0.1
    flips = rng.random((400, 500, 3)) < 0.5 * (1 - np.exp(-2 * rate * dt))
    walk = rng.uniform(0, L, (500, 3)) + a * (np.cumsum(flips, axis=0) % 2)
    q = np.pi / (2 * a)  # then F_s = (1 + exp(-2kt))/2
    path = write(tmp_path / "t.gsd", walk, dt * np.arange(400))
    data = run(path, wave_number=q, threshold=0.6).sel(kind="A")
    t = data["lag_time"].values
    error = 1 / np.sqrt(1500 * np.maximum(1, data["origins"].values * dt * rate))
    assert np.all(np.abs(data["fs"][0] - 0.5 * (1 + np.exp(-2 * rate * t))) < 4 * error)
    assert float(data["tau_alpha"][0]) == pytest.approx(np.log(5) / (2 * rate), rel=0.06)


def test_chi_4_of_particles_that_move_together_and_alone(tmp_path):
    # All jump at once with probability p: Q is 0 or 1 and chi_4 = n p (1 - p). Alone: chi_4 = p (1 - p).
    rng, n, p = np.random.default_rng(6), 200, 0.3
    for together, scale in ((True, n), (False, 1)):
        jumps = rng.random((600, 1 if together else n, 1)) < p
        walk = rng.uniform(0, L, (n, 3)) + np.cumsum(np.broadcast_to(jumps, (600, n, 3)) * 1.0, axis=0)
        path = write(tmp_path / f"{together}.gsd", walk, np.arange(600.0), images=True)
        data = run(path, wave_number=Q, overlap_length=0.5).sel(kind="A").isel(lag_time=0)
        assert float(data["overlap"]) == pytest.approx(1 - p, abs=0.075)
        assert float(data["chi_4"]) == pytest.approx(scale * p * (1 - p), rel=0.15)


# --- every lag by correlations --------------------------------------------------------------------------------------


def double_loop(walk, q, starts):
    """MSD and F_s sums over origins of each stretch, lag after lag, from differences."""
    frames = len(walk)
    msd, fs = np.zeros((2, frames - 1, len(starts)))
    for lag in range(1, frames):
        moved = walk[lag:] - walk[:-lag]
        unit = np.searchsorted(starts, np.arange(frames - lag), side="right") - 1
        msd[lag - 1] = np.bincount(unit, (moved**2).sum(axis=(1, 2)), minlength=len(starts))
        fs[lag - 1] = np.bincount(unit, np.cos(q * moved).sum(axis=(1, 2)), minlength=len(starts))
    return msd, fs / walk.shape[2]


@pytest.fixture(params=["products", "transforms"])
def way(request, monkeypatch):
    monkeypatch.setattr(spectral, "_FEW", 10_000 if request.param == "products" else 0)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("frames", "dimension", "starts"), [(150, 3, np.arange(20) * 150 // 20), (97, 2, [0, 1, 40]), (5, 3, [0, 1, 2, 3])]
)
def test_correlations_give_the_sums_of_the_double_loop(frames, dimension, starts, monkeypatch):
    rng, starts = np.random.default_rng(frames), np.asarray(starts)
    walk = brownian(frames, 30, 0.1, rng, dimension) + 50.0  # the mean must not cost digits
    monkeypatch.setattr(spectral, "_BLOCK_BYTES", 8 * frames * dimension * 7)  # blocks of 7 particles, the last of 1
    array, some = walk.transpose(0, 2, 1).copy(), np.arange(1, 30)
    msd, fs = double_loop(walk[:, some], Q, starts)
    lags = np.arange(1, frames)
    assert np.allclose(spectral.squares_by_lag(array, some, starts, lags), msd, rtol=1e-9, atol=1e-9)
    assert np.allclose(spectral.scattering_by_lag(array, some, starts, lags, Q), fs, rtol=0, atol=1e-9)
    few = lags[::3]
    assert np.allclose(spectral.squares_by_lag(array, some, starts, few), msd[::3], rtol=1e-9, atol=1e-9)


@pytest.mark.usefixtures("way")
def test_small_steps_of_a_long_flight_keep_their_digits():
    # Free flight over 1e4 lengths and a rattling of 1e-3: by transforms alone, the first lags would keep 4 digits.
    rng = np.random.default_rng(12)
    walk = 2e-3 * rng.normal(size=(400, 20, 3))
    walk[:, ::2] += 25.0 * np.maximum(np.arange(400.0) - 200, 0)[:, None, None]
    starts, lags = np.arange(20) * 20, np.array([1, 2, 5, 300])
    still = np.arange(1, 20, 2)
    both = spectral.squares_by_lag(walk.transpose(0, 2, 1).copy(), np.arange(20), starts, lags).sum(axis=1)
    alone = spectral.squares_by_lag(walk.transpose(0, 2, 1).copy(), still, starts, lags).sum(axis=1)
    for found, chosen in ((both, np.arange(20)), (alone, still)):
        exact = [((walk[lag:, chosen] - walk[:-lag, chosen]) ** 2).sum() for lag in lags]
        assert np.allclose(found, exact, rtol=1e-9)


@pytest.mark.usefixtures("way")
def test_results_from_correlations_are_those_of_pairs(tmp_path, monkeypatch):
    walk, species = brownian(250, 30, 0.1, np.random.default_rng(14)), np.array(["A"] * 20 + ["B"] * 10)
    path = write(tmp_path / "t.gsd", walk, 0.05 * np.arange(250), species=species)
    every = {"wave_number": (Q, 2.0), "per_decade": 100_000, "min_origins": 1, "van_hove_times": (0.5, 2.0)}
    quick = ("msd", "fs", "van_hove")
    with monkeypatch.context() as patch:
        patch.setattr("pelplug_dynamics.sums.cost", lambda frames: np.inf)
        reference = run(path, quantities=(*quick, "alpha_2", "chi_4"), **every)
    assert np.isfinite(reference["chi_4"]).any() and np.isfinite(reference["alpha_2"]).any()
    monkeypatch.setattr("pelplug_dynamics.sums.pair_sums", None)  # then no pair of frames is summed
    found = run(path, quantities=quick, memory=1e-3, **every)
    assert "chi_4" not in found and "alpha_2" not in found and "rdf" not in found
    for name in ("msd", "msd_error", "fs", "fs_error", "origins", "tau_alpha", "tau_alpha_error", "van_hove",
                 "diffusion_coefficient", "diffusion_coefficient_error"):  # fmt: skip
        assert np.allclose(found[name], reference[name], rtol=1e-8, atol=1e-10, equal_nan=True), name
    only = run(path, quantities=("msd",), **{**every, "wave_number": "auto"})
    assert np.array_equal(only["msd"], found["msd"]) and "fs" not in only and "tau_alpha" not in only


def test_whole_trajectories_are_resampled_with_correlations_too(tmp_path, monkeypatch):
    rng = np.random.default_rng(13)
    paths = [write(tmp_path / f"{k}.gsd", brownian(220, 20, 0.1, rng), 0.05 * np.arange(220)) for k in range(4)]
    every = {"wave_number": Q, "per_decade": 100_000, "min_origins": 1, "more": tuple(paths[1:])}
    found = run(paths[0], quantities=("msd", "fs"), **every)
    monkeypatch.setattr("pelplug_dynamics.sums.cost", lambda frames: np.inf)
    reference = run(paths[0], quantities=("msd", "fs"), **every)
    for name in ("msd", "msd_error", "fs", "fs_error", "origins"):
        assert np.allclose(found[name], reference[name], rtol=1e-8, equal_nan=True), name


# --- beside freud ---------------------------------------------------------------------------------------------------


def test_every_lag_of_the_msd_is_that_of_freud(diffusing):
    path, walk = diffusing
    data = run(path, wave_number=Q, per_decade=100_000, min_origins=1)
    assert data.sizes["lag_time"] == 199
    msd = freud.msd.MSD(mode="window").compute(walk).msd[1:]
    assert np.allclose(data["msd"].sel(kind="all"), msd, rtol=2e-4)


@pytest.mark.parametrize(
    "cell",
    [np.diag([6.0, 6.0, 6.0]), np.diag([6.0, 5.0, 7.0]), np.array([[6.0, 0, 0], [1.5, 5.0, 0], [0.5, -1.0, 7.0]])],
)
def test_structure_factor_is_the_sum_over_vectors(cell):
    rng = np.random.default_rng(7)
    state = pelplug.Configuration(rng.random((60, 3)) @ cell, cell, ["A"] * 60)
    _, s = structure_factor([state], "A", 9.0, 45)
    most, sums, counts = 14, np.zeros((2, 45)), np.zeros((2, 45))
    for m in np.ndindex(2 * most + 1, 2 * most + 1, 2 * most + 1):
        m = np.array(m) - most
        k = 2 * np.pi * np.linalg.inv(cell) @ m
        if 0 < (length := np.linalg.norm(k)) < 9.0:
            strength = np.abs(np.exp(1j * state.positions @ k).sum()) ** 2 / 60
            for row in range(2 if np.all(m >= 0) else 1):
                sums[row, int(length / 9.0 * 45)] += strength
                counts[row, int(length / 9.0 * 45)] += 1
    with np.errstate(invalid="ignore"):
        whole, octant = sums / counts
    assert np.allclose(s, whole, equal_nan=True)
    # freud takes the vectors of one octant only, those on its faces as often as those inside; in a tilted cell it
    # leaves out some of the longest.
    box, points = state.freud()
    direct = freud.diffraction.StaticStructureFactorDirect(45, 9.0)
    direct.compute((box, points[state.species == "A"]))
    both = np.isfinite(direct.S_k) & np.isfinite(octant) & (direct.bin_centers < 8.0)
    assert both.sum() > 30 and np.allclose(direct.S_k[both], octant[both], rtol=1e-3)


def test_first_peak_is_found_between_the_bins():
    q = np.linspace(0.05, 20, 200)
    s = 1 + 1.8 * np.exp(-((q - 7.23) ** 2) / 0.3) + 0.9 * np.exp(-((q - 12.5) ** 2) / 0.8)
    assert first_peak(q, s, 6.7) == pytest.approx(7.23, abs=0.03)
    assert np.isnan(first_peak(q, np.ones_like(q), 6.7))


def test_first_peak_and_structure_of_a_liquid_are_those_of_freud():
    """Over some states freud's octant and all directions agree within the scatter of the states."""
    model = pelplug.model("kob-andersen", cutoff=1.8)
    states = [model.random_configuration(150, seed) for seed in range(10)]
    states = [pelplug.quench(one, model.potential(one), method="lbfgs").configuration for one in states]
    around = 2 * np.pi * states[0].density ** (1 / 3)
    q, s = structure_factor(states, "A", 2.5 * around, 60)
    each = []
    for one in states:
        direct = freud.diffraction.StaticStructureFactorDirect(60, 2.5 * around)
        box, points = one.freud()
        each.append(direct.compute((box, points[one.species == "A"])).S_k)
    there = np.isfinite(s) & np.isfinite(each).all(axis=0)
    mean, error = np.mean(each, axis=0), np.std(each, axis=0, ddof=1) / np.sqrt(len(each))
    assert there.sum() > 40 and np.mean((np.abs(s - mean) < 2.5 * error)[there]) > 0.9
    assert first_peak(q, s, around) == pytest.approx(first_peak(q, mean, around), rel=0.02)


# --- schedules ------------------------------------------------------------------------------------------------------


def per_decades(last, per_decade):
    """Whole numbers up to the last, so many in a decade, and 0."""
    points = int(per_decade * np.log10(last) + 1e-9) + 1
    return np.union1d([0], np.rint(10.0 ** (np.arange(points) / per_decade)).astype(int))


def in_blocks(period, per_decade, total):
    """Steps of `per_decades` from the beginning of each period, and the last step."""
    steps = np.arange(0, total + 1, period)[:, None] + per_decades(period, per_decade)
    return np.union1d(steps[steps <= total], [total])


@pytest.mark.parametrize("kind", ["blocks", "log"])
def test_other_schedules_give_what_linear_frames_give(diffusing, tmp_path, kind):
    path, walk = diffusing
    steps = in_blocks(50, 6, 199) if kind == "blocks" else np.union1d(per_decades(199, 6), [199])
    species = np.array(["A"] * 400 + ["B"] * 200)
    if kind == "log":  # its long intervals cannot be unwrapped
        with pytest.raises(pelplug.InputError, match="which way round the cell; write frames more often"):
            run(write(tmp_path / "bare.gsd", walk[steps], 0.05 * steps, steps, species), wave_number=Q)
    other = write(tmp_path / "t.gsd", walk[steps], 0.05 * steps, steps, species, images=True)
    linear = run(path, wave_number=Q, per_decade=100_000, min_origins=1)
    data = run(other, wave_number=Q)
    assert data.sizes["lag_time"] >= 8
    same = linear.sel(lag_time=data["lag_time"].values, method="nearest")
    assert np.allclose(same["lag_time"], data["lag_time"])
    t = data["lag_time"].values
    relative = np.sqrt(2.0 / (3 * 600) / data["origins"].values)
    assert np.all(np.abs(data["msd"].sel(kind="all").values / same["msd"].sel(kind="all").values - 1) < 4.5 * relative)
    assert np.all(np.abs(data["fs"].sel(kind="all")[0] - np.exp(-(Q**2) * D * t)) < 0.06)
    # The pairs are those that the frames have, by hand.
    differences = (steps[None] - steps[:, None]).ravel()
    counts = [np.count_nonzero(differences == round(one / 0.05)) for one in t]
    assert data["origins"].values.tolist() == counts


def test_origins_of_all_trajectories_count():
    lags, counts = pool_lags([count_lags(np.array([0, 1, 2])), count_lags(np.array([0, 2, 7]))])
    assert lags.tolist() == [1, 2, 5, 7] and counts.tolist() == [2, 2, 1, 1]
    assert select_lags(lags, counts, 100, 2).tolist() == [1, 2]


def test_lags_with_many_origins_are_chosen():
    ticks = in_blocks(1000, 5, 20_000)
    lags, counts = count_lags(ticks)
    chosen = select_lags(lags, counts, 5, None)
    pairs = frame_pairs(ticks, chosen)
    assert np.all(np.bincount(pairs.lag) >= 10)
    assert np.array_equal(ticks[pairs.second] - ticks[pairs.first], chosen[pairs.lag])
    assert chosen[0] == 1 and chosen[-1] >= 10_000


def test_wrapped_frames_images_and_a_file_of_positions_agree(diffusing, tmp_path, monkeypatch):
    path, walk = diffusing
    data = run(path, wave_number=Q)
    steps = 10 * np.arange(200)
    stored = write(
        tmp_path / "images.gsd", walk, 0.05 * np.arange(200), steps, np.array(["A"] * 400 + ["B"] * 200), True
    )
    for other in (run(stored, wave_number=Q), run(path, wave_number=Q, memory=1e-3)):
        for name in ("msd", "fs", "chi_4", "van_hove"):
            assert np.allclose(data[name], other[name], rtol=1e-9, equal_nan=True)


def test_trajectories_are_averaged(tmp_path):
    rng, paths, walks = np.random.default_rng(8), [], []
    for k in range(5):
        walks.append(brownian(40, 100, 0.1, rng))
        paths.append(write(tmp_path / f"{k}.gsd", walks[-1], 0.05 * np.arange(40)))
    data = run(paths[0], more=tuple(paths[1:]), wave_number=Q)
    single = [run(path, wave_number=Q) for path in paths]
    assert np.allclose(data["msd"], np.mean([one["msd"] for one in single], axis=0))
    each = np.std([one["msd"].values for one in single], axis=0, ddof=1) / np.sqrt(5)
    assert np.allclose(data["msd_error"], pelplug.student_factor(5) * each)


def logarithmic(tmp_path, frames=25):
    """One origin at nearly every lag."""
    steps = np.unique(np.round(np.geomspace(1, 5000, frames)).astype(int))
    steps = np.r_[0, steps]
    rng = np.random.default_rng(3)
    jumps = rng.normal(scale=np.sqrt(2 * D * 0.05 * np.diff(steps))[:, None, None], size=(steps.size - 1, 200, 3))
    walk = rng.uniform(0, L, (200, 3)) + np.concatenate([np.zeros((1, 200, 3)), np.cumsum(jumps, axis=0)])
    return write(tmp_path / "log.gsd", walk, 0.05 * steps, steps, images=True)


def test_no_error_where_one_or_two_origins_tell_none(tmp_path):
    whole = run(logarithmic(tmp_path), wave_number=2.0, threshold=0.2)
    data = whole.sel(kind="A")
    few = data["origins"].values < 3
    assert few.sum() > 10
    for name in ("msd", "fs", "alpha_2", "overlap", "chi_4"):
        error = np.atleast_2d(data[f"{name}_error"].values)
        assert np.isnan(error[:, few]).all() and not (np.abs(error[np.isfinite(error)]) < 1e-12).any()
    # What is read off such lags has a value and no error.
    for name in ("tau_alpha", "msd_time", "diffusion_coefficient", "kww_time"):
        value, error = data[name].values, data[f"{name}_error"].values
        assert np.isfinite(value).all() or name == "kww_time", name
        assert np.isnan(error).all(), name
    ax = Dynamics.from_dataset(whole).plot()
    ends = [path.vertices[:, 0].max() for band in ax.collections for path in band.get_paths()]
    assert max(ends, default=0.0) <= data["lag_time"].values[~few].max()


def test_no_error_from_two_frames_or_at_the_ends_of_a_run(tmp_path):
    walk = brownian(3, 100, 0.1, np.random.default_rng(4))
    data = run(write(tmp_path / "three.gsd", walk, np.arange(3.0)), wave_number=Q)
    assert all(np.isnan(data[name]).all() for name in data.data_vars if name.endswith("_error"))
    walk = brownian(60, 200, 0.3, np.random.default_rng(4))
    data = run(write(tmp_path / "all.gsd", walk, np.arange(60.0), images=True), wave_number=1.0, min_origins=1,
               per_decade=1000).sel(kind="A")  # fmt: skip
    error = data["msd_error"].values
    assert np.isnan(error[-2:]).all() and np.isfinite(error[:14]).all()
    assert np.nanmin(error / data["msd"].values) > 1e-4
    assert float(data["diffusion_coefficient_error"]) > 1e-4 * float(data["diffusion_coefficient"])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", ["step", "noise", "flat", "steep", "slow"])
def test_stretched_exponentials_of_awkward_curves_give_no_warning(shape):
    t = np.geomspace(1e-3, 1e5, 60)
    rng = np.random.default_rng(1)
    curve = {
        "step": np.where(t < 3.0, 0.9, 0.021),
        "noise": rng.uniform(0.03, 1.0, t.size),
        "flat": np.full(t.size, 0.7),
        "steep": np.exp(-((t / 50.0) ** 4.5)),
        "slow": np.exp(-((t / 1e9) ** 0.06)),
    }[shape]
    for start in (t[0], 1.0, 1e3):
        values, reason = characteristic.stretched_exponential(t, curve, start)
        assert reason or np.isfinite(values).all()
    if shape == "steep":
        assert characteristic.stretched_exponential(t, curve, 1.0)[0][1:3] == pytest.approx((50.0, 4.5), rel=1e-6)


def test_the_centre_of_mass_is_taken_out(tmp_path):
    walk = np.random.default_rng(9).uniform(0, L, (50, 3)) + 0.1 * np.arange(30)[:, None, None]
    path = write(tmp_path / "t.gsd", walk, np.arange(30.0))
    assert np.all(run(path, wave_number=Q, remove_drift=True)["msd"] < 1e-9)
    assert np.all(run(path, wave_number=Q)["msd"] > 1e-2)


def test_isotropic_average(diffusing):
    x = np.array([0.0, 1e-9, 0.5, 7.0])
    assert np.allclose(isotropic_average(x, 3), np.sinc(x / np.pi))
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    assert np.allclose(isotropic_average(x, 2), np.cos(x[:, None] * np.cos(angles)).mean(axis=1))
    assert isotropic_average(x, 4)[0] == 1.0
    axes = run(diffusing[0], wave_number=Q, per_decade=2)
    isotropic = run(diffusing[0], wave_number=Q, per_decade=2, average="isotropic")
    assert np.allclose(axes["fs"].sel(kind="all"), isotropic["fs"].sel(kind="all"), atol=0.02)


def test_two_dimensions(tmp_path):
    walk = brownian(60, 500, 0.1, np.random.default_rng(10), 2)
    data = run(write(tmp_path / "t.gsd", walk, 0.05 * np.arange(60)), wave_number=Q, min_origins=20)
    assert np.allclose(data["msd"].sel(kind="A") / (4 * D * data["lag_time"]), 1.0, atol=0.15)
    assert np.isfinite(data["rdf"]).all()


# --- what is not there ------------------------------------------------------------------------------------------------


def test_bad_input_is_one_sentence(tmp_path, diffusing):
    walk = brownian(4, 20, 0.1, np.random.default_rng(11))
    one = write(tmp_path / "one.gsd", walk[:1], [0.0])
    with pytest.raises(pelplug.InputError, match="one frame"):
        run(one)
    back = write(tmp_path / "back.gsd", walk, [0.0, 0.1, 0.05, 0.2])
    with pytest.raises(pelplug.InputError, match="do not increase"):
        run(back, wave_number=Q)
    none = write(tmp_path / "none.gsd", walk, [None] * 4)
    with pytest.raises(pelplug.InputError, match="time"):
        run(none, wave_number=Q)
    with pytest.raises(pelplug.InputError, match="no species X"):
        run(diffusing[0], largest="X")
    with pytest.raises(pelplug.InputError, match="beyond the lags"):
        run(diffusing[0], wave_number=Q, van_hove_times=(1e6,))
    with pytest.raises(pelplug.InputError, match="has 20 particles"):
        run(diffusing[0], wave_number=Q, more=(back,))


def test_a_number_that_is_not_shown_is_not_invented():
    times = np.array([1.0, 2.0, 4.0])
    assert characteristic.crossing_down(times, np.array([0.9, 0.8, 0.3]), 0.2)[1].startswith("falls to 0.3 only")
    assert "first lag" in characteristic.crossing_down(times, np.array([0.1, 0.05, 0.0]), 0.2)[1]
    value, reason = characteristic.crossing_down(times, np.array([0.9, 0.4, 0.0]), 0.2)
    assert value == pytest.approx(2 * np.sqrt(2)) and not reason
    assert "first lag" in characteristic.reaching(times, np.array([2.0, 3.0, 4.0]), 1.0)[1]
    apart = np.array([1.0, 8.0, 200.0])
    value, reason = characteristic.crossing_down(apart, np.array([0.9, 0.8, 0.1]), 0.2)
    assert np.isnan(value) and "between the lags 8 and 200, too far apart" in reason
    value, reason = characteristic.reaching(apart, np.array([0.1, 0.2, 3.0]), 1.0)
    assert np.isnan(value) and "too far apart" in reason


def test_the_amplitude_of_a_decay_seen_late_is_at_most_one():
    """Without that bound the same noisy curves gave amplitudes up to 1.33, and times down to 0.59."""
    t = np.geomspace(0.2, 60.0, 40)
    found = []
    for seed in range(40):
        noise = np.random.default_rng(seed).normal(0.0, 0.003, t.size)
        found.append(characteristic.stretched_exponential(t, np.exp(-(t**0.5)) + noise, 1.0)[0])
    amplitude, time, beta, mean = np.transpose(found)
    assert amplitude.max() == 1.0 and 10 < np.count_nonzero(amplitude == 1.0) < 30  # half of them by the noise
    at_one = amplitude == 1.0
    assert time[at_one].min() > 0.97 and beta[at_one].min() > 0.47 and mean[at_one].max() < 2.15  # 1, 0.5 and 2


def test_a_final_decay_is_fitted_where_the_inflection_before_it_is_not_seen():
    """Frames too far apart: the first lags are still of the decay to the plateau, which spoils the fit from there."""
    times = np.geomspace(0.2, 300.0, 60)
    msd = 0.02 * (1.0 - np.exp(-((times / 0.1) ** 0.7))) + 2e-4 * times
    curve = 0.6 * np.exp(-((times / 0.1) ** 0.7)) + 0.4 * np.exp(-((times / 20.0) ** 0.6))
    tau_beta, reason = characteristic.beta_time(times, msd)
    assert np.isnan(tau_beta) or tau_beta > 1.0, reason
    start = characteristic.decay_start(times, msd, np.nan)
    assert 0.5 < start < 10.0
    (amplitude, tau, beta, _), reason = characteristic.stretched_exponential(times, curve, start)
    assert not reason and (amplitude, tau, beta) == pytest.approx((0.4, 20.0, 0.6), rel=0.05)
    assert characteristic.stretched_exponential(times, curve, times[0])[0][0] != pytest.approx(0.4, rel=0.2)
    assert characteristic.decay_start(times, 6.0 * times, np.nan) == times[0]  # no plateau: all is the final decay


def test_stretched_exponential_and_inflection_of_known_curves():
    times = np.geomspace(0.1, 1000, 41)
    (a, tau, beta, mean), reason = characteristic.stretched_exponential(
        times, 0.8 * np.exp(-((times / 30.0) ** 0.6)), 1.0
    )
    assert not reason and np.allclose((a, tau, beta), (0.8, 30.0, 0.6))
    assert mean == pytest.approx(50 * gamma(5 / 3))
    msd = 1 / (1 / times**2 + 1) + 1e-3 * times  # slope least where the cage ends
    x = np.linspace(np.log(0.2), np.log(500), 4001)
    fine = np.log(1 / (np.exp(-2 * x) + 1) + 1e-3 * np.exp(x))
    exact = np.exp(x[np.argmin(np.gradient(fine, x))])
    assert characteristic.beta_time(times, msd)[0] == pytest.approx(exact, rel=0.1)
    # A run that ends in the plateau does not show it.
    assert "after it is flattest" in characteristic.beta_time(times[:28], msd[:28])[1]
    assert "end of the lags" in characteristic.beta_time(times[:23], msd[:23])[1]


def test_times_in_single_precision_are_whole_steps():
    steps = 100 * np.arange(1000)
    clock = Clock.of(np.float32(0.005) * steps.astype(np.float32), steps.tolist(), "x")
    assert np.array_equal(clock.ticks, steps) and clock.tick == pytest.approx(0.005)
    clock = Clock.of([0.0, 0.1, 0.3, 0.4], [None] * 4, "x")
    assert clock.ticks.tolist() == [0, 100, 300, 400]


def test_plots_draw_something(diffusing):
    data = run(diffusing[0], wave_number=Q)
    analysis = Dynamics.from_dataset(data)
    assert analysis.plot().get_xscale() == "log"
    assert len(analysis.figure().axes) == 5


@pytest.mark.parametrize("average", ["axes", "isotropic"])
def test_threads_change_nothing(diffusing, average):
    found = []
    for threads in (1, 3):
        with pelplug.Device(threads=threads):
            found.append(run(diffusing[0], wave_number=Q, average=average, quantities=("msd", "fs", "chi_4")))
    for name, values in found[0].data_vars.items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(found[1][name], values, rtol=1e-12, err_msg=name)
