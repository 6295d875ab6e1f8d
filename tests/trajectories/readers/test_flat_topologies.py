"""A plain XYZ file of a two-dimensional system has its box from a topology."""

import numpy as np
import pytest

import pelplug

POSITIONS = np.array([[0.5, 0.5, 0.0], [2.5, 1.0, 0.0], [4.0, 3.5, 0.0], [7.5, 6.5, 0.0]])


def write_xyz(path, positions):
    frames = []
    for number in range(2):
        rows = "".join(f"A {x + 0.25 * number} {y} {z}\n" for x, y, z in positions)
        frames.append(f"{len(positions)}\nAtoms. Timestep: {10 * number}\n{rows}")
    path.write_text("".join(frames))
    return path


def write_data(path, low, high):
    rows = "".join(f"{i} 1 {x} {y} {z}\n" for i, (x, y, z) in enumerate(POSITIONS, 1))
    path.write_text(
        f"LAMMPS data file\n\n4 atoms\n1 atom types\n\n0 8 xlo xhi\n0 9 ylo yhi\n{low} {high} zlo zhi\n\n"
        f"Atoms # atomic\n\n{rows}"
    )
    return path


@pytest.fixture(params=["data", "gsd", "gro"])
def topology(request, tmp_path):
    if request.param == "data":  # as LAMMPS writes it after "dimension 2"
        return write_data(tmp_path / "flat.data", -0.5, 0.5)
    if request.param == "gsd":
        flat = pelplug.Configuration(POSITIONS[:, :2], np.diag([8.0, 9.0]), ["A"] * 4)
        pelplug.write_trajectory(tmp_path / "flat.gsd", [flat])
        return tmp_path / "flat.gsd"
    rows = "".join(f"    1LJ       A{i:5d}{x:8.3f}{y:8.3f}{z:8.3f}\n" for i, (x, y, z) in enumerate(POSITIONS / 10, 1))
    (tmp_path / "flat.gro").write_text(f"flat\n    4\n{rows}   0.80000   0.90000   0.10000\n")
    return tmp_path / "flat.gro"


def test_the_box_of_the_topology_tells_two_dimensions(tmp_path, topology):
    trajectory = pelplug.open_trajectory(write_xyz(tmp_path / "flat.xyz", POSITIONS), topology=topology)
    assert trajectory.dimension == 2
    last = trajectory[1]
    np.testing.assert_allclose(last.cell, np.diag([8.0, 9.0]))
    np.testing.assert_allclose(last.positions, POSITIONS[:, :2] + [0.25, 0.0])
    moved = [state.unwrapped_positions() for state in trajectory.unwrapped()]
    np.testing.assert_allclose(moved[1] - moved[0], np.tile([0.25, 0.0], (4, 1)), atol=1e-12)


def test_a_box_with_height_stays_three_dimensional(tmp_path):
    deep = write_data(tmp_path / "deep.data", 0, 10)
    trajectory = pelplug.open_trajectory(write_xyz(tmp_path / "deep.xyz", POSITIONS), topology=deep)
    assert trajectory.dimension == 3
    np.testing.assert_allclose(trajectory[0].cell, np.diag([8.0, 9.0, 10.0]))


def test_particles_outside_the_plane_of_the_topology_are_refused(tmp_path):
    flat = pelplug.Configuration(POSITIONS[:, :2], np.diag([8.0, 9.0]), ["A"] * 4)
    pelplug.write_trajectory(tmp_path / "flat.gsd", [flat])
    xyz = write_xyz(tmp_path / "deep.xyz", POSITIONS + np.outer(np.arange(4), [0, 0, 1.0]))
    with pytest.raises(pelplug.InputError, match="leave the plane"):
        pelplug.open_trajectory(xyz, topology=tmp_path / "flat.gsd")
