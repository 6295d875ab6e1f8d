"""The study of kappa over temperature: weights, errors over runs, what it refuses, its figure."""

import json

import numpy as np
import pytest
import xarray as xr
from pelplug_kappa.study import Stiffness

import pelplug
from pelplug.testing import make_trajectory

MODEL = {"name": "kob-andersen", "parameters": {"truncation": "smooth"}}


def result(temperature, kappa, modulus, seed=1, runs=None, **more):
    """A result of kappa: `kappa` has a list of pairs and `modulus` a number for each inherent structure."""
    pairs = [np.asarray(one, dtype=float) for one in kappa]
    frame = np.repeat(np.arange(len(pairs)), [one.size for one in pairs])
    dataset = xr.Dataset(
        {
            "kappa_ij": ("pair", np.concatenate(pairs), {"units": "energy / length**2"}),
            "shear_modulus": (("frame", "plane"), np.repeat(np.asarray(modulus, dtype=float)[:, None], 3, axis=1)),
        },
        {"frame": np.arange(len(pairs)), "pair_frame": ("pair", frame), "plane": ["xy", "xz", "yz"]},
    )
    files = [f"{temperature}-{seed}-{k}" for k in range(1 if runs is None else max(runs) + 1)]
    if runs is not None:
        dataset = dataset.assign_coords(run=("frame", list(runs)))
    said = pelplug.Conditions(
        **{"model": MODEL, "n": 100, "density": 1.2, "temperature": temperature, "seed": seed} | more
    )
    read = [{"file": one, "sha256": one, "frames": ""} for one in files]
    dataset.attrs = {"analysis": "kappa", "trajectories": json.dumps(read), "model": json.dumps(said.model or "")}
    dataset.attrs |= {"units": json.dumps(said.units.to_dict()), "parameters": "{}", "created": str(files)}
    dataset.attrs |= said.to_attributes()
    return dataset


def sampled(rng, temperature, mean, runs, frames=4, **more):
    """Runs whose means scatter about a mean."""
    made = []
    for seed in range(runs):
        own = mean * (1.0 + 0.1 * rng.normal())
        kappa = [own * np.exp(0.5 * rng.normal(size=30) - 0.125) for _ in range(frames)]
        made.append(result(temperature, kappa, own / 2 + 0.01 * rng.normal(size=frames), seed=seed, **more))
    return made


def study(results, **parameters):
    return Stiffness(results, **parameters).run().to_dataset()


def test_each_pair_and_each_structure_counts_once():
    cold = [result(0.5, [[1.0, 2.0, 3.0], [6.0]], [4.0, 8.0]), result(0.5, [[8.0]], [3.0], seed=2)]
    ds = study([*cold, result(1.0, [[1.0], [3.0]], [1.0, 2.0])])
    assert ds["temperature"].values.tolist() == [0.5, 1.0]
    np.testing.assert_allclose(ds["kappa_mean"], [20.0 / 5, 2.0])
    np.testing.assert_allclose(ds["shear_modulus_mean"], [5.0, 1.5])
    np.testing.assert_allclose(ds["kappa_relative"], [2.0, 1.0])
    assert ds["runs"].values.tolist() == [2, 1] and ds["structures"].values.tolist() == [3, 2]
    assert np.isnan(ds["kappa_mean_error"][1]) and ds["kappa_mean"].attrs["units"] == "energy / length**2"


def test_one_result_of_several_runs_weighs_as_they_do_by_themselves():
    rng = np.random.default_rng(3)
    apart = sampled(rng, 0.5, 30.0, 6) + sampled(rng, 1.0, 20.0, 6)
    kappa = [one["kappa_ij"].values.reshape(4, 30) for one in apart[:6]]
    modulus = np.concatenate([one["shear_modulus"].values[:, 0] for one in apart[:6]])
    pooled = result(0.5, np.concatenate(kappa), modulus, runs=np.repeat(np.arange(6), 4))
    one, other = study(apart), study([pooled, *apart[6:]])
    assert one["runs"].values.tolist() == other["runs"].values.tolist() == [6, 6]
    for name in ("kappa_mean", "kappa_mean_error", "kappa_mean_interval", "shear_modulus_mean_error"):
        np.testing.assert_allclose(one[name], other[name], err_msg=name)
    said = one["kappa_mean_error"].attrs
    assert (said["error_method"], said["effective_samples"], said["confidence"]) == (
        "bootstrap over runs",
        "samples",
        0.6827,
    )
    assert one["kappa_mean_interval"].attrs["confidence"] == 0.9


def test_two_files_of_one_trajectory_are_one_run():
    rng = np.random.default_rng(4)
    runs = sampled(rng, 0.5, 30.0, 5)
    again = runs[0].assign_attrs(created="later")
    for one, frames in ((runs[0], "0:4:1"), (again, "4:8:1")):
        read = json.loads(one.attrs["trajectories"])
        one.attrs["trajectories"] = json.dumps([{**read[0], "frames": frames}])
    ds = study([*runs, again, *sampled(rng, 1.0, 20.0, 1)])
    assert ds["runs"].values.tolist() == [5, 1] and ds["structures"].values.tolist() == [24, 4]


def test_errors_are_what_the_means_scatter_by():
    rng = np.random.default_rng(6)
    inside, many, runs = 0, 100, 6
    hot = sampled(rng, 1.0, 20.0, 5)
    for _ in range(many):
        ds = study([*sampled(rng, 0.5, 30.0, runs), *hot], resamples=200)
        off = float(ds["kappa_mean"][0]) - 30.0
        inside += abs(off) < float(ds["kappa_mean_error"][0])
    assert 0.55 < inside / many < 0.81, inside / many  # 0.683 within three of its own errors


def test_the_distribution_is_a_density_with_errors_of_its_own():
    rng = np.random.default_rng(5)
    ds = study(sampled(rng, 0.5, 30.0, 8, frames=40) + sampled(rng, 1.0, 20.0, 8, frames=40), bins=20)
    widths = np.diff(ds["kappa_ratio_edges"])
    np.testing.assert_allclose((ds["kappa_distribution"] * widths).sum("kappa_ratio"), 1.0)
    # The law that the pairs were drawn from, log-normal of mean one within a run.
    x = ds["kappa_ratio"].values
    law = np.exp(-((np.log(x) + 0.125) ** 2) / 0.5) / (x * 0.5 * np.sqrt(2 * np.pi))
    middle = law > 0.1
    off = (ds["kappa_distribution"] - law) / ds["kappa_distribution_error"]
    assert np.abs(off.values[:, middle]).max() < 6 and np.isfinite(off.values[:, middle]).all()


def refused(results):
    with pytest.raises(pelplug.InputError) as error:
        study(results)
    assert str(error.value).count(". ") == 0
    return str(error.value)


def test_refusals():
    cold, hot = result(0.5, [[1.0]], [1.0]), result(1.0, [[1.0]], [1.0])
    assert (
        "compares results of more than one temperature, and all of these are of 0.5; give results of another"
        in refused([cold, result(0.5, [[2.0]], [1.0], seed=2)])
    )
    shift = {**MODEL, "parameters": {"truncation": "shift"}}
    assert "models, truncation (smooth in dataset 1, shift in dataset 2)" in refused(
        [cold, result(1.0, [[1.0]], [1.0], model=shift)]
    )
    metal = pelplug.Units.of("metal")
    assert "in different units" in refused([cold, result(1.0, [[1.0]], [1.0], units=metal)])
    assert (
        "does not say its liquid temperature, which the study stiffness needs; make it anew with --temperature"
        in refused([cold, result(None, [[1.0]], [1.0])])
    )
    study([cold, hot])
    study([cold, result(None, [[1.0]], [1.0], parent_temperature=1.0)])


def test_temperatures_of_too_few_samples_are_named():
    cold = [result(0.5, [[1.0, 2.0]], [1.0], seed=k) for k in range(2)]
    few = study([*cold, *sampled(np.random.default_rng(7), 1.0, 20.0, 6)])
    assert np.isnan(few["kappa_mean_error"][0]) and np.isfinite(few["kappa_mean_error"][1])
    (said,) = json.loads(few.attrs["not_found"])
    assert said.startswith("No errors at T = 0.5: fewer than 3") and "results of more runs there" in said


def test_its_figure_says_what_it_shows():
    rng = np.random.default_rng(6)
    ds = study(sampled(rng, 0.5, 30.0, 6) + sampled(rng, 1.0, 20.0, 6))
    figure = pelplug.plot(ds)
    labels = [ax.get_ylabel() for ax in figure.axes]
    assert labels[0].startswith(r"$\langle\kappa\rangle$ (energy / length") and labels[1].startswith("$G$ (energy")
    assert figure.axes[0].get_xlabel() == "$T$ (temperature)"
    legend = [text.get_text() for text in figure.axes[3].get_legend().get_texts()]
    assert legend[:2] == ["$T = 0.5$", "$T = 1$"]


def test_the_remedy_of_each_refusal_works(pelplug_command):
    def analyze(name, *more):
        pelplug_command("analyze", f"{name}.gsd", "--plugin", "kappa", "-o", f"{name}.nc", "--quiet", *more, code=0)

    def study(*names, code=0):
        files = [f"{name}.nc" for name in names]
        done = pelplug_command("study", "stiffness", *files, "--overwrite", "--quiet", code=code)
        assert done.stderr.count("\n") == (code != 0)
        return done.stderr

    folder = pelplug_command.folder
    states = pelplug.open_trajectory(make_trajectory(folder / "all.gsd", n=60, frames=4, minima=4))
    model = pelplug.model("kob-andersen", truncation="smooth")
    for k, (name, temperature) in enumerate({"a": 0.5, "b": 0.5, "c": 1.0, "silent": None}.items()):
        said = None if temperature is None else pelplug.Conditions(temperature=temperature, model=model.to_dict())
        pelplug.write_trajectory(folder / f"{name}.gsd", [states.configuration(k)], conditions=said)
    smooth = ("--model", "kob-andersen", "--model-param", "truncation=smooth")
    analyze("a", *smooth)
    analyze("b", *smooth)
    assert "more than one temperature, and all of these are of 0.5; give results of another too" in study(
        "a", "b", code=2
    )
    analyze("c", "--model", "kob-andersen")
    study_of_two = study("a", "b", "c", code=2)
    assert "truncation (smooth in a.nc, shift in c.nc)" in study_of_two and "give those of one model" in study_of_two
    analyze("c", *smooth, "--overwrite")
    study("a", "b", "c")
    analyze("silent", *smooth)
    assert "make it anew with --temperature (temperature= in Python) and --overwrite" in study("a", "silent", code=2)
    analyze("silent", *smooth, "--temperature", "0.8", "--overwrite")
    study("a", "silent")
    analyze("c", *smooth, "--pairs", "20", "--overwrite")
    assert "pairs (all in a.nc, 20 in c.nc)" in study("a", "c", code=2)
    analyze("a", *smooth, "--pairs", "20", "--overwrite")
    study("a", "c")
    analyze("a", *smooth, "--pairs", "20", "--force-tolerance", "1e-8", "--overwrite")
    assert "inherent-structures, which kappa uses: force_tolerance (1e-08 in a.nc" in study("a", "c", code=2)
    analyze("c", *smooth, "--pairs", "20", "--force-tolerance", "1e-8", "--overwrite")
    study("a", "c")
    dataset = pelplug.read_results(folder / "stiffness.nc")["stiffness"]
    assert dataset["temperature"].values.tolist() == [0.5, 1.0] and (dataset["kappa_mean"] > 0).all()
