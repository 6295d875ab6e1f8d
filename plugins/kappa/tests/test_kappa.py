"""The kappa plugin on real quenched frames: contract, numbers, statistics, figure, and what it refuses."""

import json

import matplotlib as mpl
import numpy as np
import pytest
from pelplug_kappa.drawing import draw_slice
from pelplug_kappa.kappa import Kappa
from pelplug_kappa.statistics import log_histogram

import pelplug
import pelplug.testing
from pelplug.testing import parametrize_with_checks

mpl.use("Agg")
SMOOTH = {"truncation": "smooth"}


@pytest.fixture(scope="module")
def model():
    return pelplug.model("kob-andersen", **SMOOTH)


@pytest.fixture(scope="module")
def trajectory(tmp_path_factory):
    return pelplug.testing.make_trajectory(tmp_path_factory.mktemp("kappa") / "traj.gsd", n=200, frames=3)


@pytest.fixture(scope="module")
def dataset(trajectory, model):
    return pelplug.analyze("kappa", trajectory, model=model)


@parametrize_with_checks([Kappa])
def test_keeps_the_contract(check):
    check()


def test_every_pair_agrees_with_a_pseudo_inverse(dataset, model):
    one = dataset.sel(frame=1)
    mine = dataset["pair_frame"].values == 1
    state = pelplug.Configuration(one["positions"].values, one["cell"].values, one["species"].values)
    potential = model.potential(state)
    inverse = np.linalg.pinv(potential.hessian(state).toarray(), hermitian=True, rcond=1e-10)
    pairs = potential.pairs(state)
    reference = {}
    for p in range(0, len(pairs), 50):
        dipole = np.zeros((state.n, 3))
        dipole[pairs.j[p]] = pairs.vectors[p] / pairs.distances[p] / np.sqrt(2)
        dipole[pairs.i[p]] = -dipole[pairs.j[p]]
        z = inverse @ dipole.ravel()
        reference[pairs.i[p], pairs.j[p]] = (dipole.ravel() @ z) / (z @ z)
    computed = dict(
        zip(
            zip(dataset["pair_i"].values[mine], dataset["pair_j"].values[mine], strict=True),
            dataset["kappa_ij"].values[mine],
            strict=True,
        )
    )
    assert len(computed) == int(one["n_pairs"]) == len(pairs)
    for pair, value in reference.items():
        assert computed[pair] == pytest.approx(value, rel=1e-8)


def test_means_belong_to_their_pairs(dataset):
    frames = dataset["pair_frame"].values
    for label in dataset["frame"].values:
        mine = dataset["kappa_ij"].values[frames == label]
        assert float(dataset["kappa_frame"].sel(frame=label)) == pytest.approx(mine.mean(), rel=1e-12)
        touching = (dataset["pair_i"].values == 5) | (dataset["pair_j"].values == 5)
        own = dataset["kappa_ij"].values[touching & (frames == label)]
        assert float(dataset["kappa"].sel(frame=label, particle=5)) == pytest.approx(own.mean(), rel=1e-12)
    assert float(dataset["kappa_mean"]) == pytest.approx(dataset["kappa_ij"].values.mean(), rel=1e-12)
    # Three structures: a standard error, with Student's factor of two degrees of freedom, but no interval.
    assert float(dataset["kappa_mean_error"]) > 0
    assert np.isnan(dataset["kappa_interval"].values).all()
    assert dataset["kappa_mean_error"].attrs["error_method"] == "bootstrap over inherent structures"
    assert dataset["kappa_mean_error"].attrs["effective_samples"] == 3
    (sentence,) = json.loads(dataset.attrs["not_found"])
    assert sentence.startswith("No intervals: 3 inherent structures") and "--plugin kappa run-*.gsd" in sentence


def test_distribution_is_normalised(dataset):
    edges = dataset["kappa_ratio_edges"].values
    assert np.sum(dataset["kappa_distribution"].values * np.diff(edges)) == pytest.approx(1.0, rel=1e-12)
    assert int(dataset["kappa_counts"].sum()) == dataset.sizes["pair"]


def test_shear_modulus_is_its_parts(dataset):
    parts = dataset["shear_modulus_born"] - dataset["shear_modulus_nonaffine"]
    np.testing.assert_allclose(dataset["shear_modulus"], parts, rtol=1e-12)
    assert dataset["plane"].values.tolist() == ["xy", "xz", "yz"]
    assert float(dataset["shear_modulus_mean"]) == pytest.approx(float(dataset["shear_modulus"].mean()))
    assert dataset["shear_modulus"].attrs["units"] == "energy / length**3"


def test_elastic_constants_are_in_the_result(dataset):
    assert dataset["elastic_constants"].shape == (3, 6, 6)
    np.testing.assert_allclose(
        dataset["bulk_modulus"],
        dataset["stress_strain_coefficients"].values[:, :3, :3].sum(axis=(1, 2)) / 9,
        rtol=1e-12,
    )
    # C_abab + stress_bb of the Green-Lagrange constants is the simple shear's modulus.
    xy = dataset.sel(plane="xy")
    stress = dataset["stress"].sel(stress_component="yy")
    constant = dataset["elastic_constants"].sel(stress_component="xy", strain_component="xy")
    np.testing.assert_allclose(xy["shear_modulus"], constant + stress, rtol=1e-8)


def test_the_record_says_how_it_was_made(dataset):
    assert dataset.attrs["solver"] == "dense"
    assert json.loads(dataset.attrs["quench"])["method"] == "fire"
    assert json.loads(dataset.attrs["model"])["parameters"]["truncation"] == "smooth"
    assert (dataset["n_rattlers"].values == 0).all()
    np.testing.assert_array_equal(np.unique(dataset["diameter"]), [0.88, 1.0])


def test_a_sample_is_repeatable_and_part_of_the_whole(trajectory, model, dataset):
    first, again, other = (
        pelplug.analyze("kappa", trajectory, model=model, pairs=40, seed=seed, stop=2) for seed in (1, 1, 2)
    )
    assert first.sizes["pair"] == 80
    np.testing.assert_array_equal(first["pair_i"], again["pair_i"])
    np.testing.assert_array_equal(first["kappa_ij"], again["kappa_ij"])
    assert not np.array_equal(first["pair_i"], other["pair_i"])
    # Frames draw their own samples.
    assert not np.array_equal(first["pair_i"][:40], first["pair_i"][40:])
    keys = ("pair_frame", "pair_i", "pair_j")
    whole = dict(zip(zip(*(dataset[key].values for key in keys), strict=True), dataset["kappa_ij"].values, strict=True))
    mine = zip(*(first[key].values for key in keys), strict=True)
    np.testing.assert_allclose(first["kappa_ij"], [whole[key] for key in mine], rtol=1e-8)
    assert np.isnan(first["kappa"].values).any()


@pytest.mark.parametrize("solver", ["sparse", "cg"])
def test_the_solver_can_be_told(trajectory, model, dataset, solver):
    pairs = "all" if solver == "sparse" else 20
    told = pelplug.analyze("kappa", trajectory, model=model, stop=1, solver=solver, pairs=pairs)
    assert told.attrs["solver"] == solver
    np.testing.assert_allclose(told["shear_modulus"][0], dataset["shear_modulus"][0], rtol=1e-7)
    if pairs == "all":
        np.testing.assert_allclose(told["kappa"][0], dataset["kappa"][0], rtol=1e-8)


def test_a_sample_of_one_pair_still_has_a_figure(trajectory, model, tmp_path):
    one = pelplug.analyze("kappa", trajectory, model=model, stop=1, pairs=1)
    assert np.isfinite(one["kappa"].values).sum() == 2
    Kappa.from_dataset(one).figure().savefig(tmp_path / "one.png", dpi=50)


def test_one_structure_tells_no_error(trajectory, model):
    one = pelplug.analyze("kappa", trajectory, model=model, stop=1)
    for name in ("kappa_mean", "shear_modulus_mean", "bulk_modulus_mean", "kappa_distribution"):
        assert np.isfinite(one[name]).all() and np.isnan(one[f"{name}_error"]).all()
    for name in ("kappa_interval", "shear_modulus_interval", "kappa_distribution_interval"):
        assert np.isnan(one[name]).all()
    assert json.loads(one.attrs["not_found"])[0].startswith("No errors and intervals: one of the inherent structures")


def test_two_dimensions(tmp_path):
    path = pelplug.testing.make_trajectory(tmp_path / "flat.gsd", model="inverse-power-law-2d", n=150, frames=1)
    model = pelplug.model("inverse-power-law-2d")
    result = pelplug.analyze("kappa", path, model=model)
    assert result["plane"].values.tolist() == ["xy"]
    assert float(result["kappa_mean"]) > 0
    figure = Kappa.from_dataset(result).figure()
    figure.savefig(tmp_path / "flat.png", dpi=60)
    assert (tmp_path / "flat.png").stat().st_size > 5000


def test_the_figure_shows_distribution_and_slice(dataset, tmp_path):
    analysis = Kappa.from_dataset(dataset)
    figure = analysis.figure()
    figure.savefig(tmp_path / "kappa.png", dpi=60)
    left, right = figure.axes[:2]
    assert left.get_xscale() == left.get_yscale() == "log"
    circles = right.collections[0]
    assert len(circles.get_paths()) >= 10
    # Colours are the particles' own values.
    shown = np.asarray(circles.get_array())
    assert np.isin(np.round(shown, 9), np.round(dataset["kappa"].values, 9)).all()
    assert shown.min() == dataset["kappa"].values.min()
    axes = analysis.plot()
    assert "kappa" in axes.get_xlabel()
    said = [text.get_text() for text in axes.get_legend().get_texts()]
    assert any(r"$\langle\kappa\rangle$ = " in text for text in said)
    # Drawn over each other, the numbers of one result would be taken for both.
    beside = analysis.plot(ax=axes.figure.add_subplot(), color="red", label="a")
    shown = [line.get_label() for line in beside.lines if line.get_label()[0] != "_"]
    assert not beside.texts and [one for one in shown if one != "no error stated for a"] == ["a"]
    assert draw_slice(dataset, figure.add_subplot(), frame=2).get_title().endswith("frame 2")


def test_a_state_that_is_no_minimum_is_refused(trajectory, model):
    quenched = pelplug.analyze("inherent-structures", trajectory, model=model, stop=1, force_tolerance=1e-2)
    analysis = Kappa(pelplug.open_trajectory(trajectory), model=model, inputs={"inherent-structures": quenched})
    with pytest.raises(pelplug.NotAMinimumError, match="not a minimum"):
        analysis.run(stop=1)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"pairs": 0}, "pairs"),
        ({"pairs": "some"}, "pairs"),
        ({"solver": "lu"}, "solver"),
        ({"confidence": 1.0}, "confidence"),
    ],
)
def test_senseless_parameters_are_refused(trajectory, model, parameters, words):
    with pytest.raises(pelplug.InputError, match=words):
        pelplug.analyze("kappa", trajectory, model=model, stop=1, **parameters)


def test_histogram_of_equal_values():
    density, counts, edges = log_histogram(np.full(7, 3.0), 4)
    assert counts.sum() == 7
    assert np.sum(density * np.diff(edges)) == pytest.approx(1.0)
