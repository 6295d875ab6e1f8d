"""Configuration: what it accepts, what it refuses, and its geometry."""

import numpy as np
import pytest

from pelplug.configuration import Configuration, natural_order
from pelplug.errors import InputError


def make(**changes):
    values = {"positions": [[0.5, 0.5], [1.5, 2.5]], "cell": [2.0, 3.0], "species": ["A", "B"]}
    return Configuration(**{**values, **changes})


def test_lengths_become_a_cell_matrix():
    state = make()
    assert state.n == 2
    assert state.dimension == 2
    assert np.array_equal(state.cell, np.diag([2.0, 3.0]))
    assert state.volume == 6.0
    assert state.density == pytest.approx(1 / 3)
    assert state.species_names == ("A", "B")


def test_heights_of_a_tilted_cell():
    # A rhombus of edge 2 and angle 60 degrees: both heights are 2 sin 60.
    state = make(cell=[[2.0, 0.0], [1.0, np.sqrt(3.0)]])
    np.testing.assert_allclose(state.heights, np.sqrt(3.0))


def test_wrapping_and_unwrapping_are_inverse():
    rng = np.random.default_rng(1)
    cell = np.array([[3.0, 0, 0], [0.7, 2.0, 0], [-0.4, 0.9, 2.5]])
    positions = rng.normal(0, 20, (50, 3))
    state = Configuration(positions, cell, ["A"] * 50)
    wrapped = state.wrapped()
    fractional = wrapped.fractional()
    assert fractional.min() >= -1e-12
    assert fractional.max() < 1 + 1e-12
    np.testing.assert_allclose(wrapped.unwrapped_positions(), positions, atol=1e-12)
    np.testing.assert_allclose(wrapped.wrapped().unwrapped_positions(), positions, atol=1e-12)


def test_arrays_are_copies_and_read_only():
    positions = np.zeros((1, 3)) + 0.5
    state = Configuration(positions, [1.0] * 3, ["A"])
    positions[:] = 7
    assert np.all(state.positions == 0.5)
    with pytest.raises(ValueError, match="read-only"):
        state.positions[0, 0] = 1.0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"positions": [[0.5, np.nan], [1, 1]]}, "NaN"),
        ({"positions": [0.5, 0.5]}, "shape"),
        ({"positions": np.empty((0, 2)), "species": []}, "shape"),
        ({"cell": None}, "no periodic cell"),
        ({"cell": [2.0, 0.0]}, "no volume"),
        ({"cell": [[1.0, 2.0], [2.0, 4.0]]}, "no volume"),
        ({"cell": [2.0, 3.0, 4.0]}, "shape"),
        ({"species": ["A"]}, "one name a particle"),
        ({"diameters": [1.0]}, "diameters"),
        ({"diameters": [1.0, -1.0]}, "positive"),
        ({"masses": [-1.0, 1.0]}, "positive"),
        ({"masses": [0.0, 0.0]}, "positive"),  # a site without mass stands beside others that have one
        ({"velocities": [[0.0, 0.0]]}, "velocities"),
        ({"images": [[0], [1]]}, "images"),
        ({"positions": [["a", "b"], ["c", "d"]]}, "not numbers"),
    ],
)
def test_refusals_are_one_sentence(changes, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        make(**changes)
    assert "\n" not in str(caught.value)


def test_names_in_the_order_people_count():
    assert natural_order({"10", "2", "1"}) == ["1", "2", "10"]
    assert natural_order(["B10", "B2", "A", "b1", "10", "9a"]) == ["9a", "10", "A", "B2", "B10", "b1"]
    assert natural_order([]) == []


@pytest.mark.parametrize("model", ["kob-andersen", "stillinger-weber", "mari-kurchan", "harmonic-spheres"])
def test_hints_count_types_from_1_to_10(model):
    import pelplug

    cell = np.eye(3) * 6.0
    positions = np.random.default_rng(1).uniform(0, 6, (100, 3))
    state = Configuration(positions, cell, [str(1 + k % 10) for k in range(100)])
    build = pelplug.model(model, dimension=3) if model == "harmonic-spheres" else pelplug.model(model)
    with pytest.raises(InputError, match="1, 2, 3, 4, 5, 6, 7, 8, 9, 10") as caught:
        build.check(state)
    if "--species" in str(caught.value):  # what it says is accepted
        advice = str(caught.value).rpartition("--species ")[2].rstrip(".")
        mapping = dict(part.split("=") for part in advice.split(","))
        build.check(state.replace(species=[mapping.get(name, name) for name in state.species]))


def test_labels_of_a_mapping_that_does_not_fit_are_counted_too():
    from pelplug.trajectories.readers.labels import choose_labels

    labels = np.array([str(1 + k % 12) for k in range(24)])
    with pytest.raises(InputError, match=r"'9', '10', '11', '12'; map"):
        choose_labels({"pelplug_types": labels}, {"13": "A"}, "file.dump")
