"""The contract, and numbers known from crystals."""

import numpy as np
import pytest
from pelplug_coordination.coordination import Coordination

import pelplug
import pelplug.testing


def write(path, positions, cell):
    configuration = pelplug.Configuration(positions, cell, ["A"] * len(positions), frame=0, step=0)
    pelplug.write_trajectory(path, [configuration])
    return path


def lattice(basis, cells):
    d = np.shape(basis)[1]
    corners = np.stack(np.meshgrid(*[np.arange(cells)] * d, indexing="ij"), axis=-1).reshape(-1, 1, d)
    return (corners + np.asarray(basis)).reshape(-1, d).astype(float)


def test_contract():
    pelplug.testing.check_analysis(Coordination, parameters={"distance": 1.5})


FCC = [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]
CRYSTALS = {
    "simple cubic": ([(0, 0, 0)], 1.1, 6),
    "simple cubic, second shell": ([(0, 0, 0)], 1.5, 18),
    "face-centred cubic": (FCC, 0.8, 12),
    "square": ([(0, 0)], 1.1, 4),
}


@pytest.mark.parametrize("name", CRYSTALS)
def test_crystals(tmp_path, name):
    basis, distance, expected = CRYSTALS[name]
    path = write(tmp_path / "t.gsd", lattice(basis, 4) + 0.1, [4.0] * len(basis[0]))
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
    path = write(tmp_path / "t.gsd", lattice([(0, 0, 0)], 4), [4.0] * 3)
    with pytest.raises(pelplug.InputError, match="less than half the box height"):
        Coordination(path, distance=2.5).run()
