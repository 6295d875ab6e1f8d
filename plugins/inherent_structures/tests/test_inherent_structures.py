"""inherent-structures on a small Kob-Andersen trajectory with image flags."""

import json

import gsd.hoomd
import numpy as np
import pytest
from pelplug_inherent_structures import pelplug_analyses
from pelplug_inherent_structures.inherent_structures import InherentStructures

import pelplug
from pelplug.testing import parametrize_with_checks

N = 150


@pytest.fixture(scope="module")
def model():
    return pelplug.model("kob-andersen", truncation="smooth")


@pytest.fixture(scope="module")
def path(tmp_path_factory, model):
    """Four frames of one system: three shaken far from a minimum, one (frame 2) within float32 of it."""
    path = tmp_path_factory.mktemp("is") / "shaken.gsd"
    rng = np.random.default_rng(5)
    start = model.random_configuration(N, rng)
    minimum = pelplug.quench(start, model.potential(start), "lbfgs").require_converged().configuration
    edge = minimum.cell[0, 0]
    with gsd.hoomd.open(path, "w") as file:
        for k, shake in enumerate((0.1, 0.1, 0.0, 0.15)):
            travelled = minimum.positions + rng.normal(scale=shake, size=(N, 3)) + k * edge * np.array([1.0, 0.0, -2.0])
            image = np.floor(travelled / edge + 0.5).astype(int)
            frame = gsd.hoomd.Frame()
            frame.configuration.step = 1000 * k
            frame.configuration.box = [edge, edge, edge, 0, 0, 0]
            frame.particles.N = N
            frame.particles.types = ["A", "B"]
            frame.particles.typeid = (minimum.species == "B").astype(int)
            frame.particles.position = travelled - image * edge
            frame.particles.image = image
            file.append(frame)
    return path


@pytest.fixture(scope="module")
def dataset(path, model):
    trajectory = pelplug.open_trajectory(path, dt=0.005)
    return InherentStructures(trajectory, model=model).run().to_dataset()


def test_every_frame_is_quenched(dataset, path, model):
    assert dataset["frame"].values.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(dataset["time"], [0.0, 5.0, 10.0, 15.0])
    trajectory = pelplug.open_trajectory(path)
    for frame in range(4):
        start = trajectory.configuration(frame)
        one = dataset.sel(frame=frame)
        potential = model.potential(start)
        state = start.replace(positions=one["positions"].values, images=None)
        energy, forces = potential.energy_forces(state)
        assert np.abs(forces).max() < 1.5e-10
        assert float(one["energy"]) == pytest.approx(energy, rel=1e-12)
        assert float(one["energy_per_particle"]) == pytest.approx(energy / N, rel=1e-12)
        assert float(one["initial_energy"]) == pytest.approx(potential.energy(start), rel=1e-12)
        assert float(one["max_force"]) < 1e-10
        np.testing.assert_array_equal(one["cell"], start.cell)


def test_positions_go_on_from_the_unwrapped_frame(dataset, path):
    trajectory = pelplug.open_trajectory(path)
    for frame in range(4):
        moved = dataset["positions"].sel(frame=frame).values - trajectory.configuration(frame).unwrapped_positions()
        assert np.abs(moved).max() < 1.5
        np.testing.assert_allclose(moved.sum(axis=0), 0.0, atol=1e-9)
        rms = np.sqrt((moved**2).sum(axis=1).mean())
        assert float(dataset["displacement"].sel(frame=frame)) == pytest.approx(rms, abs=1e-9)
    assert float(dataset["displacement"].sel(frame=2)) < 1e-5 < 0.05 < float(dataset["displacement"].sel(frame=3))


def test_mean_and_variance_of_the_total_energy(dataset):
    energy = dataset["energy"].values
    assert float(dataset["mean_energy"]) == pytest.approx(np.mean(energy))
    assert float(dataset["variance_energy"]) == pytest.approx(np.sum((energy - energy.mean()) ** 2) / 3)
    assert dataset["variance_energy"].attrs["units"] == "energy**2"


def test_the_algorithm_is_part_of_the_result(path, model):
    analysis = InherentStructures(
        path, model=model, method="lbfgs", minimiser_parameters={"memory": 6, "max_step": 0.05}
    )
    record = json.loads(analysis.run(stop=1).to_dataset().attrs["quench"])
    assert record["method"] == "lbfgs"
    assert (record["memory"], record["max_step"]) == (6, 0.05)
    assert record["force_tolerance"] == 1e-10
    assert {"decrease", "slope_ratio", "max_evaluations"} <= set(record)
    recorded = json.loads(analysis.to_dataset().attrs["parameters"])["minimiser_parameters"]
    assert {"memory", "max_step", "decrease", "slope_ratio"} <= set(recorded)
    assert recorded == {name: record[name] for name in recorded}


def test_the_former_name_of_the_minimisers_parameters_is_taken_with_a_note(path, model):
    with pytest.warns(UserWarning, match="settings of the analysis inherent-structures is called minimiser_parameters"):
        analysis = InherentStructures(path, model=model, method="lbfgs", settings="memory=6, max_step=0.05")
    used = analysis.parameters["minimiser_parameters"]
    assert (used["memory"], used["max_step"]) == (6, 0.05)


def test_results_of_the_last_version_are_still_drawn(dataset):
    """Version 0.1 recorded the minimiser's parameters as the text settings."""
    old = dataset.copy()
    parameters = json.loads(old.attrs["parameters"])
    del parameters["minimiser_parameters"]
    old.attrs["parameters"] = json.dumps({**parameters, "settings": "dt_max=0.05, half_step_back=false"})
    analysis = InherentStructures.from_dataset(old)
    used = analysis.parameters["minimiser_parameters"]
    assert (used["dt_max"], used["half_step_back"]) == (0.05, False)
    assert len(analysis.plot().lines) > 0


def test_a_frame_that_does_not_converge_is_left_out(dataset, path, model):
    needed = dataset["evaluations"].values
    limit = int(np.median(needed))
    few = InherentStructures(path, model=model, max_evaluations=limit).run().to_dataset()
    failed = json.loads(few.attrs["failed_frames"])
    kept = np.flatnonzero(needed <= limit)
    assert 0 < len(kept) < 4
    assert few["frame"].values.tolist() == kept.tolist()
    assert sorted(int(label) for label in failed) == np.flatnonzero(needed > limit).tolist()
    for sentence in failed.values():
        assert f"limit of {limit} force evaluations" in sentence
    np.testing.assert_array_equal(few["energy"], dataset["energy"].values[kept])


def test_no_frame_converged(path, model):
    with pytest.raises(pelplug.RunError, match="limit of 5 force evaluations"):
        InherentStructures(path, model=model, max_evaluations=5).run()


def test_parallel_equals_serial(dataset, path, model):
    parallel = InherentStructures(pelplug.open_trajectory(path, dt=0.005), model=model)
    parallel = parallel.run(backend="multiprocessing", n_workers=2).to_dataset()
    for name in dataset.data_vars:
        np.testing.assert_array_equal(parallel[name], dataset[name])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "newton"}, "newton"),
        ({"force_tolerance": 0.0}, "force_tolerance"),
        ({"max_evaluations": 1}, "max_evaluations"),
        ({"minimiser_parameters": "dt_max"}, "key=value"),
        ({"minimiser_parameters": "dt_max=1,dt_max=2"}, "key=value"),
        ({"minimiser_parameters": "dt_max=fast"}, "dt_max of the minimiser fire must be a number"),
        ({"minimiser_parameters": {"memory": 5}}, "minimiser fire has no parameter 'memory'; its parameters are alpha"),
        ({"minimiser_parameters": {"dtmax": 5}}, r"has no parameter 'dtmax' \(did you mean dt_max"),
        ({"minimiser_parameters": "f_inc=0.9"}, "f_inc of the minimiser fire must be above 1"),
    ],
)
def test_wrong_parameters_are_refused(options, words, path, model):
    with pytest.raises(pelplug.InputError, match=words):
        InherentStructures(path, model=model, **options)


def test_it_needs_a_potential(path):
    with pytest.raises(pelplug.InputError, match="needs the potential energy"):
        InherentStructures(path).run()


def test_plot(dataset):
    axes = InherentStructures.from_dataset(dataset).plot()
    x, y = axes.lines[0].get_data()
    np.testing.assert_allclose(x, dataset["time"])
    np.testing.assert_allclose(y, dataset["energy_per_particle"])


def test_the_plugin_offers_it():
    assert InherentStructures in pelplug_analyses()
    assert InherentStructures.name == "inherent-structures"


@parametrize_with_checks([InherentStructures])
def test_keeps_the_contract(check):
    check()
