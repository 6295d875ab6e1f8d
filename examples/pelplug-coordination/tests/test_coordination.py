"""The contract, and numbers known from crystals."""

import numpy as np
import pytest
from pelplug_coordination.coordination import Coordination

import pelplug
import pelplug.testing
from pelplug.testing import crystal


def test_contract():
    pelplug.testing.check_analysis(Coordination, parameters={"distance": 1.5})


@pytest.mark.parametrize(
    ("name", "distance", "expected"), [("sc", 1.1, 6), ("sc", 1.5, 18), ("fcc", 1.1, 12), ("square", 1.1, 4)]
)
def test_crystals(tmp_path, name, distance, expected):
    path = tmp_path / "t.gsd"
    pelplug.write_trajectory(path, [crystal(name, 4, spacing=1.0)])
    dataset = Coordination(path, distance=distance).run().to_dataset()
    assert (dataset["coordination"] == expected).all()
    assert dataset["number"].values.tolist() == [expected] and dataset["probability"].values.tolist() == [1.0]


def test_tilted_cell_in_any_orientation():
    rng = np.random.default_rng(3)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    cell = np.array([[6.0, 0.0, 0.0], [2.5, 6.0, 0.0], [-1.5, 2.0, 6.0]]) @ turn
    positions = rng.uniform(size=(150, 3)) @ cell
    configuration = pelplug.Configuration(positions, cell, ["A"] * 150)
    counts = Coordination(None, distance=1.3).compute(configuration)["coordination"]
    images = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), axis=-1).reshape(-1, 3) @ cell
    distances = np.linalg.norm(positions[:, None, None] - positions[None, :, None] + images, axis=-1)
    np.testing.assert_array_equal(counts, (distances < 1.3).sum(axis=(1, 2)) - 1)


def test_a_distance_beyond_half_the_box_is_refused(tmp_path):
    path = tmp_path / "t.gsd"
    pelplug.write_trajectory(path, [crystal("sc", 4, spacing=1.0)])
    with pytest.raises(pelplug.InputError, match="less than half the box height"):
        Coordination(path, distance=2.5).run()
