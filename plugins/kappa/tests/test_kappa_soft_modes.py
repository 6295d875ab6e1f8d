"""Soft modes as an option of the kappa plugin: variables, export, figure, and the same in every worker."""

import json

import gsd.hoomd
import matplotlib as mpl
import numpy as np
import pytest
from pelplug_kappa.drawing import draw_soft_mode
from pelplug_kappa.kappa import Kappa

import pelplug
import pelplug.testing
from pelplug.testing import Kit, parametrize_with_checks

mpl.use("Agg")


@pytest.fixture(scope="module")
def model():
    return pelplug.model("inverse-power-law-2d")


@pytest.fixture(scope="module")
def trajectory(tmp_path_factory):
    path = tmp_path_factory.mktemp("soft") / "traj.gsd"
    return pelplug.testing.make_trajectory(path, model="inverse-power-law-2d", n=150, frames=3)


@pytest.fixture(scope="module")
def dataset(trajectory, model):
    return pelplug.analyze("kappa", trajectory, model=model, soft_modes=25, soft_mode_vectors=True)


SOFT = Kit(
    model="inverse-power-law-2d",
    n=150,
    frames=2,
    parameters={"soft_modes": 10, "resamples": 100, "soft_mode_vectors": True},
    exempt={**Kappa.trial["exempt"], "soft_mode_core": "it numbers a particle"},
)


@parametrize_with_checks([Kappa], kit=SOFT)
def test_keeps_the_contract(check):
    check()


def test_without_the_option_there_are_none(trajectory, model):
    plain = pelplug.analyze("kappa", trajectory, model=model, stop=1)
    assert not [name for name in plain.variables if "soft" in str(name)]
    assert "soft_modes" not in plain.attrs


def test_modes_of_every_frame(dataset, model):
    frames = dataset["soft_mode_frame"].values
    assert set(frames) == {0, 1, 2}
    for label in frames:
        state, mine = dataset.sel(frame=label), frames == label
        vectors, core = dataset["soft_mode_vectors"].values[mine], dataset["soft_mode_core"].values[mine]
        stiffness = dataset["soft_mode_stiffness"].values[mine]
        assert (np.diff(stiffness) >= 0).all()
        conf = pelplug.Configuration(state["positions"].values, state["cell"].values, dataset["species"].values)
        hessian = model.potential(conf).hessian(conf)
        for z, value in zip(vectors, stiffness, strict=True):
            assert z.ravel() @ (hessian @ z.ravel()) == pytest.approx(value, rel=1e-8)
        np.testing.assert_array_equal(state["softest_mode"].values, vectors[0])
        np.testing.assert_array_equal(core, np.argmax(np.sum(vectors**2, axis=2), axis=1))
        positions = state["positions"].values[core]
        np.testing.assert_array_equal(dataset["soft_mode_core_position"].values[mine], positions)
        np.testing.assert_array_equal(state["soft_mode_cores"].values, np.bincount(core, minlength=150))
        assert int(state["n_soft_mode_starts"]) == 25
        assert dataset["soft_mode_starts"].values[mine].sum() + int(state["n_soft_mode_unconverged"]) == 25
    assert "25 softest" in dataset.attrs["soft_modes"]
    assert json.loads(dataset.attrs["parameters"])["soft_modes"] == 25


def test_workers_find_the_same(trajectory, model, dataset):
    other = pelplug.analyze(
        "kappa", trajectory, model=model, soft_modes=25, soft_mode_vectors=True, backend="multiprocessing", workers=2
    )
    np.testing.assert_array_equal(other["soft_mode_core"], dataset["soft_mode_core"])
    np.testing.assert_allclose(other["soft_mode_stiffness"], dataset["soft_mode_stiffness"], rtol=1e-10)


def test_starts_come_from_a_sample_too(trajectory, model):
    some = pelplug.analyze("kappa", trajectory, model=model, stop=1, pairs=30, soft_modes="all")
    assert int(some["n_soft_mode_starts"][0]) == 30 == int(some["soft_mode_starts"].sum())


def test_cores_are_exported_for_ovito(dataset, trajectory, pelplug_command):
    options = ("--model", "inverse-power-law-2d", "--soft-modes", 25, "--soft-mode-vectors")
    outputs = ("-o", "kappa.nc", "--export", "kappa.gsd")
    pelplug_command("analyze", trajectory, "--plugin", "kappa", *options, *outputs, code=0)
    with gsd.hoomd.open(pelplug_command.folder / "kappa.gsd") as file:
        log = file[1].log
        np.testing.assert_allclose(log["particles/softest_mode"][:, :2], dataset["softest_mode"].values[1], rtol=1e-6)
        np.testing.assert_array_equal(log["particles/soft_mode_cores"], dataset["soft_mode_cores"].values[1])


def test_the_figure_shows_the_softest_mode(dataset, tmp_path):
    figure = Kappa.from_dataset(dataset).figure()
    figure.savefig(tmp_path / "modes.png", dpi=60)
    place = int(np.argmin(dataset["soft_mode_stiffness"].values))
    axes = draw_soft_mode(dataset)
    assert f"frame {dataset['soft_mode_frame'].values[place]}" in axes.get_title()
    arrows = axes.collections[1]
    # The longest arrow, through the middle of the picture, is that of the core, along its displacement.
    field = dataset["softest_mode"].sel(frame=dataset["soft_mode_frame"].values[place]).values
    core = field[int(dataset["soft_mode_core"].values[place])]
    longest = int(np.argmax(np.hypot(arrows.U, arrows.V)))
    along = np.array([arrows.U[longest], arrows.V[longest]])
    np.testing.assert_allclose(along / np.linalg.norm(along), core / np.linalg.norm(core), atol=1e-9)
    assert arrows.pivot == "middle"
    np.testing.assert_allclose(arrows.XY[longest], 0.0, atol=1e-9)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [({"soft_modes": -1}, "soft_modes"), ({"soft_modes": "some"}, "soft_modes"), ({"soft_mode_overlap": 1.0}, "below")],
)
def test_senseless_parameters_are_refused(trajectory, model, parameters, words):
    with pytest.raises(pelplug.InputError, match=words):
        pelplug.analyze("kappa", trajectory, model=model, stop=1, **parameters)
