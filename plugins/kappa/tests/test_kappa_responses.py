"""Responses z_ij that kappa keeps: which pairs, export, figure, and what is refused."""

import json

import gsd.hoomd
import numpy as np
import pytest
from pelplug_kappa.kappa import Kappa

import pelplug
from pelplug.testing import make_trajectory

MODEL = "inverse-power-law-2d"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_trajectory(tmp_path_factory.mktemp("responses") / "flat.gsd", model=MODEL, n=150, frames=2, minima=2)


@pytest.fixture(scope="module")
def dataset(path):
    first = pelplug.analyze("kappa", path, model=MODEL, stop=1)
    pair = f"{first['pair_j'].values[7]}-{first['pair_i'].values[7]}"
    return pelplug.analyze("kappa", path, model=MODEL, response=("softest", "stiffest", pair, "0-1"))


def test_each_answers_the_dipole_of_its_pair(dataset):
    model = pelplug.model(MODEL)
    for label in dataset["frame"].values:
        one = dataset.sel(frame=label)
        kappa = dataset["kappa_ij"].values[dataset["pair_frame"].values == label]
        assert float(one["response_kappa"][0]) == pytest.approx(kappa.min(), rel=1e-9)
        assert float(one["response_kappa"][1]) == pytest.approx(kappa.max(), rel=1e-9)
        state = pelplug.Configuration(one["positions"].values, one["cell"].values, one["species"].values)
        hessian = model.potential(state).hessian(state).toarray()
        for k in np.flatnonzero(one["response_i"] >= 0):
            force = (hessian @ one["response_field"].values[k].ravel()).reshape(-1, 2)
            i, j = int(one["response_i"][k]), int(one["response_j"][k])
            apart = state.fractional()[j] - state.fractional()[i]
            apart = (apart - np.rint(apart)) @ state.cell
            expected = np.zeros_like(force)
            expected[j] = apart / np.linalg.norm(apart) / np.sqrt(2.0)
            expected[i] = -expected[j]
            np.testing.assert_allclose(force, expected, atol=1e-9)
            np.testing.assert_allclose(one["response_direction"].values[k], apart / np.linalg.norm(apart), atol=1e-12)
    assert dataset["response_field"].attrs["units"] == "length**2 / energy"
    assert f"{int(dataset['response_i'][0, 2])}-{int(dataset['response_j'][0, 2])}" == str(
        dataset["response"][2].values
    )


def test_a_pair_that_does_not_interact_says_so(dataset):
    without = dataset["response_i"].values[:, 3] < 0
    assert without.any() and np.isnan(dataset["response_field"].values[without, 3]).all()
    assert np.isnan(dataset["response_kappa"].values[without, 3]).all()
    said = [one for one in json.loads(dataset.attrs["not_found"]) if one.startswith("No response of 0-1 in ")]
    assert len(said) == 1 and "choose an interacting pair" in said[0]


def test_they_are_exported_as_vectors(pelplug_command, dataset, path):
    asked = ("--plugin", "kappa", "--model", MODEL, "--response", "softest,stiffest", "--overwrite", "--quiet")
    for export in ("out.gsd", "out.extxyz"):
        pelplug_command("analyze", str(path), *asked, "-o", "out.nc", "--export", export, code=0)
    with gsd.hoomd.open(pelplug_command.folder / "out.gsd") as file:
        vectors = file[1].log["particles/response_field_softest"]
    np.testing.assert_allclose(vectors[:, :2], dataset["response_field"].values[1, 0], atol=1e-6)
    header = (pelplug_command.folder / "out.extxyz").read_text().splitlines()[1]
    assert "response_field_stiffest:R:2" in header


def test_they_are_drawn_each_in_its_panel(dataset):
    figure = Kappa.from_dataset(dataset).figure()
    titles = [ax.get_title() for ax in figure.axes]
    assert sum(title.startswith("response of the softest pair") for title in titles) == 1
    softest = next(ax for ax in figure.axes if ax.get_title().startswith("response of the softest"))
    colours = [one.get_facecolor()[0] for one in softest.collections if hasattr(one, "U")]
    assert len(colours) == 2 and not np.allclose(colours[0], colours[1])  # displacements, and the dipole


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("weakest", "A response is of the softest or the stiffest pair, or of two particles as 17-42, not 'weakest'"),
        ("3-3", "3-3 is no pair of these 150 particles, which are numbered from 0 to 149"),
        ("3-150", "3-150 is no pair of these 150 particles"),
        ("softest,softest", "A response is asked for twice; name each once"),
    ],
)
def test_what_names_no_pair_is_refused_before_work(pelplug_command, path, given, said):
    done = pelplug_command("analyze", str(path), "--plugin", "kappa", "--model", MODEL, "--response", given, code=2)
    assert said in done.stderr and done.stderr.count("\n") == 1
