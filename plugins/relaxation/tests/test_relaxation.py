"""The relaxation plugin: contract, numbers against the ODE and the spectrum, fits and scaling on known curves."""

import json

import matplotlib as mpl
import numpy as np
import pytest
import scipy.sparse
import xarray as xr
from pelplug_relaxation import pelplug_analyses
from pelplug_relaxation.fits import fit_decay, local_slope
from pelplug_relaxation.harmonic import harmonic_velocity, low_frequency_exponent, stiffnesses
from pelplug_relaxation.relaxation import Relaxation
from pelplug_relaxation.scaling import best_collapse, collapse_spread, finite_size_collapse

import pelplug
from pelplug.testing import parametrize_with_checks

mpl.use("Agg")


@pytest.fixture(scope="module")
def model():
    return pelplug.model("harmonic-spheres", dimension=2)


@pytest.fixture(scope="module")
def path(tmp_path_factory, model):
    """Four uncorrelated random starts of 150 harmonic discs."""
    path = tmp_path_factory.mktemp("relaxation") / "random.gsd"
    frames = [model.random_configuration(150, seed, arrangement="random") for seed in range(4)]
    diameters = frames[0].diameters
    frames = [frame.replace(diameters=diameters, frame=k, step=k) for k, frame in enumerate(frames)]
    pelplug.write_trajectory(path, frames, model_record=model.to_dict())
    return path


@pytest.fixture(scope="module")
def dataset(path, model):
    return Relaxation(path, model=model, compare=True, spectrum=True, t_min=1.0, t_max=30.0).run().to_dataset()


@parametrize_with_checks([Relaxation])
def test_keeps_the_contract(check):
    check()


def test_curves_are_those_of_the_ode(dataset, path, model):
    for frame in (0, 3):
        start = pelplug.read_configuration(path, frame)
        potential = model.potential(start)
        one = dataset.sel(frame=frame)
        descent = pelplug.steepest_descent(start, potential, dataset["descent_time"].values).require_converged()
        reached = len(descent.times)
        velocity = one["rms_velocity"].values
        np.testing.assert_allclose(velocity[:reached], descent.rms_velocity, rtol=1e-3)
        assert np.all(velocity[reached:] == 0)
        np.testing.assert_allclose(one["energy_per_particle"][:reached], descent.energy / 150, rtol=1e-4)
        end = start.replace(positions=one["positions"].values, images=None)
        energy, forces = potential.energy_forces(end)
        assert np.abs(forces).max() < 1.1e-10
        assert float(one["inherent_energy_per_particle"]) == pytest.approx(energy / 150, rel=1e-10)
        assert abs(float(one["energy_defect"])) < 1e-3
    np.testing.assert_allclose(dataset["mean_velocity"], dataset["rms_velocity"].values.mean(axis=0))
    # Standard error of four, 1.197 by Student's distribution with three degrees of freedom; of 500 resamples.
    spread = dataset["energy_per_particle"].values.std(axis=0, ddof=1) / 2 * 1.197
    np.testing.assert_allclose(dataset["mean_energy_per_particle_error"], spread, rtol=0.15)
    for name in ("beta_error", "mean_velocity_error", "mean_energy_per_particle_error"):
        said = dataset[name].attrs
        assert (said["error_method"], said["effective_samples"]) == ("bootstrap over frames", 4.0)
    assert json.loads(dataset.attrs["not_found"]) == []


def test_energy_lost_is_what_the_velocity_dissipates(dataset):
    # dE/dt = -N v^2, from the output alone: trapezoidal rule in ln t.
    times = dataset["descent_time"].values
    power = times * dataset["rms_velocity"].values ** 2
    spent = np.sum(0.5 * (power[:, 1:] + power[:, :-1]) * np.diff(np.log(times)), axis=1)
    energy = dataset["energy_per_particle"].values
    np.testing.assert_allclose(spent, energy[:, 0] - energy[:, -1], rtol=0.02)


def test_the_exponent_is_that_of_the_window(dataset):
    times, mean = dataset["descent_time"].values, dataset["mean_velocity"].values
    inside = (times > 0.999) & (times < 30.001)
    slope = np.polyfit(np.log(times[inside]), np.log(mean[inside]), 1)[0]
    assert float(dataset["beta"]) == pytest.approx(-slope, rel=1e-10)
    assert 0.6 < -slope < 1.2
    assert 0.001 < float(dataset["beta_error"]) < 0.3
    assert dataset["fit_window"].values.tolist() == pytest.approx([1.0, times[inside][-1]])
    assert dataset.attrs["decay"] == "power law"
    assert "4 frames" in dataset.attrs["fit"]
    assert json.loads(dataset.attrs["steepest_descent"])["rtol"] == 1e-3


def test_methods_reach_different_minima_from_random_starts(dataset):
    names = ("distance_sd_cg", "distance_sd_fire", "distance_cg_fire")
    apart = np.array([dataset[name].values for name in names])
    assert apart.max() > 0.05
    # A distance, so the triangle inequality holds.
    assert np.all(2 * apart.max(axis=0) <= apart.sum(axis=0) + 1e-12)


def test_thermal_vibrations_decay_as_the_spectrum_says(tmp_path):
    # Each mode of an inherent structure displaced as at temperature T: v(t) is known from the Hessian alone.
    model = pelplug.model("polydisperse-soft-spheres-2d")
    n, temperature = 150, 1e-9
    start = model.random_configuration(n, 3)
    potential = model.potential(start)
    minimum = pelplug.quench(start, potential).require_converged().configuration
    values, vectors = np.linalg.eigh(potential.hessian(minimum).toarray())
    rng = np.random.default_rng(1)
    frames = []
    for k in range(12):
        size = np.sqrt(temperature / np.where(values > 1e-9, values, np.inf)) * rng.normal(size=2 * n)
        frames.append(minimum.replace(positions=minimum.positions + (vectors @ size).reshape(n, 2), frame=k, step=k))
    path = tmp_path / "thermal.nc"  # float64
    pelplug.write_trajectory(path, frames, model_record=model.to_dict())
    options = {"t_start": 1e-4, "t_end": 10.0, "spectrum": True, "compare": True}
    dataset = Relaxation(path, model=model, **options).run().to_dataset()
    expected = dataset["harmonic_velocity"].values[0] * np.sqrt(temperature)
    measured = np.sqrt(np.mean(dataset["rms_velocity"].values ** 2, axis=0))
    times = dataset["descent_time"].values
    np.testing.assert_allclose(measured[times < 0.1], expected[times < 0.1], rtol=0.1)
    np.testing.assert_allclose(measured[(times > 0.1) & (times < 1)], expected[(times > 0.1) & (times < 1)], rtol=0.4)
    # All methods fall into the minimum that is so near.
    for name in ("distance_sd_cg", "distance_sd_fire", "distance_cg_fire"):
        assert dataset[name].values.max() < 1e-6
    np.testing.assert_allclose(dataset["inherent_energy_per_particle"], potential.energy(minimum) / n, rtol=1e-10)


def test_stiffnesses_leave_out_translations_and_rattlers():
    block = np.array([[2.0, -1.0, -1.0], [-1.0, 2.0, -1.0], [-1.0, -1.0, 2.0]])
    hessian = np.kron(block, np.eye(2))
    with_rattler = np.zeros((8, 8))
    with_rattler[:6, :6] = hessian
    np.testing.assert_allclose(stiffnesses(scipy.sparse.csr_matrix(hessian), 2), [3.0] * 4)
    np.testing.assert_allclose(stiffnesses(scipy.sparse.csr_matrix(with_rattler), 2), [3.0] * 4)


@pytest.mark.parametrize("d", [2, 3])
def test_an_elastic_lattice_gives_d_over_4_plus_half(d):
    # Scalar springs on a hypercubic lattice: lambda = sum 4 sin^2(k/2), which is Debye's omega^(d - 1) at low omega.
    side = {2: 300, 3: 60}[d]
    one = 4 * np.sin(np.pi * np.arange(side) / side) ** 2
    values = np.sort(sum(np.meshgrid(*[one] * d, indexing="ij")).ravel())[1:]
    s, error = low_frequency_exponent(values, {2: 0.03, 3: 0.003}[d])
    assert s == pytest.approx(d - 1, abs=0.1)
    assert error < 0.2
    times = np.geomspace(5.0, 50.0, 15)
    velocity = harmonic_velocity(values, times, len(values) + 1)
    assert fit_decay(times, velocity).beta == pytest.approx(d / 4 + 0.5, abs=0.02)


def test_low_frequency_exponent_of_drawn_frequencies():
    rng = np.random.default_rng(2)
    for s in (1.0, 2.0, 4.0):
        values = np.sort(rng.random(20_000) ** (1 / (s + 1))) ** 2
        found, error = low_frequency_exponent(values, 0.05)
        assert abs(found - s) < 4 * error < 1.0
    assert np.isnan(low_frequency_exponent(values[:10], 0.05)[0])


def test_fits_tell_power_law_from_exponential():
    rng = np.random.default_rng(3)
    times = np.geomspace(1.0, 100.0, 21)
    noise = np.exp(0.02 * rng.normal(size=21))
    power = fit_decay(times, 3.0 * times**-0.85 * noise)
    assert power.beta == pytest.approx(0.85, abs=4 * power.beta_error)
    assert power.beta_error < 0.01
    assert power.amplitude == pytest.approx(3.0, rel=0.05)
    assert power.aic_difference > 50
    exponential = fit_decay(times, np.exp(-0.05 * times) * noise)
    assert exponential.rate == pytest.approx(0.05, abs=0.001)
    assert exponential.aic_difference < -50
    assert power.aic_cutoff < 10 and exponential.aic_cutoff > 10
    # Modes above a gap: a power law that is cut off, at the rate of the gap.
    gapped = fit_decay(times, times**-0.6 * np.exp(-0.03 * times) * noise)
    assert gapped.aic_cutoff > 10
    assert gapped.cutoff_rate == pytest.approx(0.03, abs=0.001)
    assert gapped.cutoff_exponent == pytest.approx(0.6, abs=0.02)
    exact = fit_decay(times, times**-0.5)
    assert exact.residual_power < 1e-14 < exact.residual_exponential


def test_errors_hold_for_curves_of_a_known_exponent(path, model):
    """Of 300 sets of six frames whose exponents scatter about 0.9, two thirds of the errors of beta hold."""
    analysis = Relaxation(path, model=model, t_start=1.0, t_end=100.0, t_min=1.0, t_max=100.0, resamples=100)
    times, rng, held, half, runs = analysis.descent_times, np.random.default_rng(4), 0, 0, 300
    # The mean over frames of t^-b with Gaussian b is t^-(0.9 - 0.05^2 ln t / 2): a line through it in ln t.
    truth = -np.polyfit(np.log(times), -0.9 * np.log(times) + 0.00125 * np.log(times) ** 2, 1)[0]
    for _ in range(runs):
        raw = xr.Dataset(
            {
                "rms_velocity": (("frame", "descent_time"), times ** -(0.9 + 0.05 * rng.normal(size=(6, 1)))),
                "energy_per_particle": (("frame", "descent_time"), rng.normal(size=(6, 1)) + 0.0 * times),
                "end_time": ("frame", np.full(6, 1e6)),
            }
        )
        found = analysis.summarize(raw)
        off = abs(float(found["beta"]) - truth)
        held, half = held + (off < float(found["beta_error"])), half + (off < 0.5 * float(found["beta_error"]))
    low, high = (0.6827 + sign * 3.3 * np.sqrt(0.6827 * 0.3173 / runs) for sign in (-1, 1))
    assert low < held / runs < high
    assert half / runs < low  # an error of half the size would be found out


def test_two_frames_tell_no_error(path, model):
    dataset = Relaxation(path, model=model, rtol=1e-2, t_end=100.0, t_min=1.0, t_max=30.0).run(stop=2).to_dataset()
    assert np.isfinite(dataset["beta"]) and np.isnan(dataset["beta_error"])
    assert np.isnan(dataset["mean_velocity_error"]).all()
    assert "pelplug analyze --plugin relaxation run-*.gsd" in dataset.attrs["not_found"]


def test_local_slope():
    times = np.concatenate([[0.0], np.geomspace(0.1, 10, 30), [100.0]])
    velocity = np.concatenate([[1.0], np.geomspace(0.1, 10, 30) ** -0.7, [0.0]])
    slope = local_slope(times, velocity)
    np.testing.assert_allclose(slope[1:-1], 0.7)
    assert np.isnan(slope[[0, -1]]).all()


def test_finite_size_collapse():
    beta, z = 0.9, 0.6
    curves = {}
    for n in (500, 2000, 8000):
        times = np.geomspace(1.0, 30 * n**z, 200)
        curves[n] = (times, times**-beta * np.exp(-times / n**z))
    scaled = finite_size_collapse(curves, beta, z)
    for x, y in scaled.values():
        np.testing.assert_allclose(y, x**-beta * np.exp(-x))
    assert collapse_spread(curves, beta, z, from_time=3.0) < 1e-2
    assert collapse_spread(curves, beta, 1.0, from_time=3.0) > 1.0
    found, spread = best_collapse(curves, beta, from_time=3.0)
    assert found == pytest.approx(z, abs=0.02)
    assert spread < 0.2
    with pytest.raises(pelplug.InputError, match="overlap"):
        best_collapse({500: curves[500]}, beta)


def test_without_the_minimum(path, model):
    options = {"t_end": 10.0, "to_minimum": False, "t_min": 1.0}
    dataset = Relaxation(path, model=model, **options).run().to_dataset()
    np.testing.assert_allclose(dataset["end_time"], 10.0)
    assert np.isnan(dataset["inherent_energy_per_particle"]).all()
    assert dataset["fit_window"].values.tolist() == pytest.approx([1.0, 10.0])


def test_automatic_window_ends_before_the_first_frame_stops(path, model):
    dataset = Relaxation(path, model=model, rtol=1e-2).run().to_dataset()
    first, last = dataset["fit_window"].values
    assert last <= 0.1 * float(dataset["end_time"].min()) * 1.001
    assert first >= last / 30 * 0.999
    assert first < last


def test_a_window_without_points_gives_no_exponent(path, model):
    dataset = Relaxation(path, model=model, rtol=1e-2, t_min=2.0, t_max=2.1).run(stop=1).to_dataset()
    assert "beta" not in dataset
    assert "fewer than 4 output times" in dataset.attrs["fit"]
    assert dataset.attrs["decay"] == "undecided"
    assert Relaxation.from_dataset(dataset).figure().axes


def test_a_frame_that_does_not_arrive_is_left_out(path, model):
    with pytest.raises(pelplug.RunError, match="limit of 50 force evaluations"):
        Relaxation(path, model=model, max_evaluations=50).run()


def test_forces_that_jump_at_the_cutoff_are_crossed_or_reported(tmp_path):
    model = pelplug.model("kob-andersen")  # shifted: the energy is continuous, the force is not
    far = model.random_configuration(108, 1)
    minimum = pelplug.quench(far, model.potential(far), force_tolerance=1e-2).configuration
    shaken = minimum.positions + np.random.default_rng(1).normal(scale=0.03, size=(108, 3))
    frames = [far.replace(positions=shaken, frame=0, step=0), far.replace(frame=1, step=1)]
    pelplug.write_trajectory(tmp_path / "shifted.nc", frames, model_record=model.to_dict())
    options = {"rtol": 1e-2, "t_end": 10.0, "max_evaluations": 15_000}
    dataset = Relaxation(tmp_path / "shifted.nc", model=model, **options).run().to_dataset()
    assert dataset["frame"].values.tolist() == [0]
    assert dataset["max_force"].item() < 1e-10
    assert abs(dataset["energy_defect"].item()) < 0.01
    (label, reason), *others = json.loads(dataset.attrs["failed_frames"]).items()
    assert (label, others) == ("1", [])
    assert "limit of 15000 force evaluations" in reason
    assert "forces jumped in" in reason


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"t_start": 10.0, "t_end": 1.0}, "raise t_end"),
        ({"t_min": 10.0, "t_max": 1.0}, "raise t_max"),
        ({"t_start": 0.0}, "t_start"),
        ({"rtol": 0.2}, "rtol"),
        ({"t_min": "soon"}, "t_min"),
        ({"to_minimum": False, "compare": True}, "to_minimum"),
    ],
)
def test_wrong_parameters_are_refused(options, words, path, model):
    with pytest.raises(pelplug.InputError, match=words):
        Relaxation(path, model=model, **options)


def test_plot(dataset):
    analysis = Relaxation.from_dataset(dataset)
    x, y = analysis.plot().lines[0].get_data()
    moving = dataset["mean_velocity"].values > 0
    np.testing.assert_array_equal(x, dataset["descent_time"].values[moving])
    np.testing.assert_array_equal(y, dataset["mean_velocity"].values[moving])
    assert len(analysis.figure().axes) == 4


def test_the_plugin_offers_it():
    assert pelplug_analyses() == [Relaxation]


def test_exponent_of_few_modes_has_no_bias():
    rng = np.random.default_rng(2)
    found = [low_frequency_exponent(np.sort(rng.random(60) ** (2 / 3)), 0.1) for _ in range(20_000)]  # D ~ omega**2
    values, errors = np.array(found).T
    assert values.mean() == pytest.approx(2.0, abs=0.05)  # m / sum would give 2.6 of 6 modes
    # The relative error (m - 2)**-1/2 is that of a Gamma variable's inverse.
    assert values.std() == pytest.approx(3 / np.sqrt(4), rel=0.1) and errors.mean() == pytest.approx(3 / 2, rel=0.05)
