"""What freud is handed: its neighbours, bonds and order are those of a sum over images, in any cell."""

import freud
import numpy as np
import pytest

from pelplug import Configuration, InputError
from pelplug.core.cells import compact, heights_of
from pelplug.testing.states import rotation

SQUARE = np.diag([6.0, 7.0])
OBLIQUE = np.array([[6.0, 0.0], [2.9, 6.5]])
CUBE = np.diag([6.0, 7.0, 8.0])
TILTED = np.array([[6.0, 0.0, 0.0], [2.5, 6.0, 0.0], [-1.5, 2.0, 6.5]])
OTHER = np.array([[1, 0, 0], [4, 1, 0], [-7, 5, 1]])  # vectors of the same lattice, far from perpendicular
CELLS = {
    "square": SQUARE,
    "oblique": OBLIQUE,
    "oblique, turned": OBLIQUE @ rotation(2, 1),
    "oblique, left-handed": OBLIQUE[::-1],
    "oblique, skewed": np.array([[1, 0], [9, 1]]) @ OBLIQUE,
    "straight": CUBE,
    "straight, downwards": np.diag([6.0, 7.0, -8.0]),
    "tilted": TILTED,
    "tilted, turned": TILTED @ rotation(3, 2),
    "tilted, left-handed": TILTED[[1, 0, 2]] @ rotation(3, 3),
    "straight, skewed": OTHER @ CUBE,
    "tilted, skewed, turned, left-handed": (OTHER @ TILTED @ rotation(3, 4))[::-1],
}


def state_in(cell, n=60):
    d = len(cell)
    fractional = np.random.default_rng(5).uniform(-3, 4, size=(n, d))  # not wrapped
    return Configuration(fractional @ cell, cell, ["A"] * n)


def bonds_over_images(state, r_max):
    """All i, j and vectors from i to j nearer than r_max, over more images of the compact cell than can be so near."""
    d, cell = state.dimension, compact(state.cell)
    fractional = state.positions @ np.linalg.inv(cell)
    wrapped = (fractional - np.floor(fractional)) @ cell
    images = np.stack(np.meshgrid(*[np.arange(-2, 3)] * d, indexing="ij"), axis=-1).reshape(-1, d) @ cell
    vectors = wrapped[None, :, None] - wrapped[:, None, None] + images
    distances = np.linalg.norm(vectors, axis=-1)
    i, j, k = np.nonzero((distances < r_max) & (distances > 0))
    return i, j, vectors[i, j, k], np.sort(distances.ravel())


def distance_in_a_gap(state):
    """Return a distance close below half the least height that no pair has within single precision."""
    half = 0.499 * heights_of(compact(state.cell)).min()
    all_distances = bonds_over_images(state, 0.0)[3]
    near = all_distances[(all_distances > 0.8 * half) & (all_distances < half)]
    widest = np.argmax(np.diff(near))
    assert near[widest + 1] - near[widest] > 1e-3
    return 0.5 * (near[widest] + near[widest + 1])


@pytest.mark.parametrize(("kind", "width"), [("AABBQuery", ()), ("LinkCell", (2.0,))])
@pytest.mark.parametrize("name", CELLS)
def test_neighbours_and_bonds_are_those_of_a_sum_over_images(name, kind, width):
    state = state_in(CELLS[name])
    r_max = distance_in_a_gap(state)
    query = getattr(freud.locality, kind)(*state.freud(), *width)
    found = query.query(query.points, {"r_max": r_max, "exclude_ii": True}).toNeighborList()
    i, j, vectors, _ = bonds_over_images(state, r_max)
    assert len(i) > 60
    order = np.lexsort((j, i))
    np.testing.assert_array_equal(found[:], np.stack([i, j], axis=1)[order])
    np.testing.assert_allclose(state.from_freud(found.vectors), vectors[order], atol=5e-6)


@pytest.mark.parametrize("name", CELLS)
def test_the_box_is_the_cell_in_freuds_convention(name):
    state = state_in(CELLS[name])
    box, points = state.freud()
    matrix, d = box.to_matrix()[: state.dimension, : state.dimension], state.dimension
    assert box.dimensions == d and box.volume == pytest.approx(state.volume, rel=1e-6)
    assert np.all(np.tril(matrix, -1) == 0) and np.all(np.diag(matrix) > 0)
    # The rows of the cell are whole numbers of the box's vectors, and space is turned, not mirrored.
    turned_back = state.from_freud(np.pad(matrix.T, ((0, 0), (0, 3 - d))))
    whole = state.cell @ np.linalg.inv(turned_back)
    np.testing.assert_allclose(whole, np.rint(whole), atol=1e-5)
    assert np.linalg.det(state.from_freud(np.eye(3)[:d])) == pytest.approx(1.0)
    np.testing.assert_allclose(box.wrap(points), points, atol=1e-5)
    fractions = (state.from_freud(points) - state.positions) @ np.linalg.inv(state.cell)
    np.testing.assert_allclose(fractions, np.rint(fractions), atol=1e-9)
    assert points.shape == (state.n, 3) and (d == 3 or np.all(points[:, 2] == 0))


def test_a_cell_that_is_right_stays_as_it_is():
    for cell in (CUBE, TILTED):
        np.testing.assert_allclose(state_in(cell).freud()[0].to_matrix().T, cell, rtol=1e-6)


def test_a_compact_cell_lets_freud_see_as_far_as_the_lattice_allows():
    skewed = OTHER @ CUBE
    assert heights_of(skewed).min() < 1.0
    assert heights_of(compact(skewed)).min() == pytest.approx(6.0)
    far = np.array([[1, 0, 0], [1_000_003, 1, 0], [0, -777, 1]]) @ CUBE
    assert heights_of(compact(far)).min() == pytest.approx(6.0)


@pytest.mark.parametrize("turn", [np.eye(3), rotation(3, 6), OTHER])
def test_order_of_a_crystal_is_the_textbooks(turn):
    """P. J. Steinhardt, D. R. Nelson and M. Ronchetti, Phys. Rev. B 28, 784 (1983): fcc has q4 0.191 and q6 0.575."""
    basis = np.array([(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)])
    corners = np.stack(np.meshgrid(*[np.arange(4)] * 3), axis=-1).reshape(-1, 1, 3)
    positions, cell = (corners + basis).reshape(-1, 3), 4.0 * np.eye(3)
    skewed = turn is OTHER
    state = Configuration(
        positions if skewed else positions @ turn, turn @ cell if skewed else cell @ turn, ["A"] * 256
    )
    for order, known in ((4, np.sqrt(7 / 192)), (6, 0.57452)):
        found = freud.order.Steinhardt(order).compute(state.freud(), neighbors={"num_neighbors": 12}).particle_order
        np.testing.assert_allclose(found, known, atol=1e-5)


@pytest.mark.parametrize("d", [1, 4, 8])
def test_other_dimensions_are_refused(d):
    state = Configuration(np.random.default_rng(1).uniform(size=(5, d)), [1.0] * d, ["A"] * 5)
    with pytest.raises(InputError, match=f"freud works in two and three dimensions, and the configuration has {d}"):
        state.freud()
