"""Frequencies of inherent structures: units, masses, rattlers, what is refused, and the figure."""

import json

import numpy as np
import pytest
from pelplug_inherent_structures.inherent_structures import InherentStructures

import pelplug
from pelplug.testing import make_trajectory

# Argon: the dynamical matrix of eV, Angstrom and g/mol has frequencies that are not those of a clock in ps.
ARGON = {"sigma": 3.4, "epsilon": 0.0103, "mass": 39.948, "units": "metal", "truncation": "smooth"}
PER_PICOSECOND = 98.22694  # sqrt(eV / (Angstrom^2 g/mol)) in rad / ps, by the constants of CODATA


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_trajectory(tmp_path_factory.mktemp("frequencies") / "states.gsd", n=80, frames=3, minima=3)


def by_eigenvalues(one, path, potential):
    state = pelplug.read_configuration(path, frame=int(one["frame"]))
    state = state.replace(positions=one["positions"].values, images=None)
    return np.linalg.eigvalsh(potential(state).hessian(state).toarray())[3:]


def test_every_structure_agrees_with_its_eigenvalues(path):
    model = pelplug.model("kob-andersen", truncation="smooth")
    dataset = pelplug.analyze("inherent-structures", path, model=model, log_frequency_sum=True)
    for label in dataset["frame"].values:
        one = dataset.sel(frame=label)
        expected = 0.5 * np.log(by_eigenvalues(one, path, model.potential)).sum()
        assert float(one["log_frequency_sum"]) == pytest.approx(expected, abs=1e-6)
        assert int(one["modes"]) == 237 and int(one["n_rattlers"]) == 0
    mean = float(dataset["mean_log_frequency_sum"])
    assert mean == pytest.approx(float(dataset["log_frequency_sum"].mean()))
    assert dataset["log_frequency_sum"].attrs["units"] == "1"
    analysis = InherentStructures.from_dataset(dataset)
    labels = [ax.get_ylabel() for ax in analysis.figure().axes]
    assert labels[1].endswith(r"($\omega$ in rad / time)")


def test_in_metal_units_frequencies_are_per_picosecond(tmp_path):
    model = pelplug.model("kob-andersen", **ARGON)
    start = model.random_configuration(60, 2)
    pelplug.write_trajectory(tmp_path / "argon.gsd", [start])
    dataset = pelplug.analyze("inherent-structures", tmp_path / "argon.gsd", model=model, log_frequency_sum=True)
    squares = (
        by_eigenvalues(dataset.isel(frame=0), tmp_path / "argon.gsd", model.potential) / 39.948 * PER_PICOSECOND**2
    )
    assert float(dataset["log_frequency_sum"][0]) == pytest.approx(0.5 * np.log(squares).sum(), abs=1e-3)
    assert dataset["log_frequency_sum"].attrs["frequency_unit"] == "rad / ps"


def test_it_is_off_by_default(path):
    dataset = pelplug.analyze("inherent-structures", path, model="kob-andersen", stop=1)
    assert not {"log_frequency_sum", "modes", "n_rattlers", "mean_log_frequency_sum"} & set(dataset.data_vars)


def test_a_structure_that_is_no_minimum_is_refused(path):
    """A quench that ends early leaves forces."""
    model = pelplug.model("kob-andersen", truncation="smooth")
    with pytest.raises(pelplug.RunError, match="not a minimum"):
        pelplug.analyze("inherent-structures", path, model=model, log_frequency_sum=True, force_tolerance=0.1)


def test_rattlers_have_none(tmp_path):
    model = pelplug.model("harmonic-spheres", dimension=2, volume_fraction=0.86)
    pelplug.write_trajectory(tmp_path / "spheres.gsd", [model.random_configuration(60, 4)])
    dataset = pelplug.analyze("inherent-structures", tmp_path / "spheres.gsd", model=model, log_frequency_sum=True)
    rattlers = int(dataset["n_rattlers"][0])
    assert rattlers > 0 and int(dataset["modes"][0]) == 2 * (60 - rattlers - 1)
    assert json.loads(dataset.attrs["failed_frames"]) == {}
