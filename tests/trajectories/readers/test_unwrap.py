"""Unwrapping: wrapped or not without a column that says so, and cells that change, against numpy on the raw data."""

import sys

import gsd.hoomd
import MDAnalysis
import numpy as np
import pytest

import pelplug
from pelplug import InputError, open_trajectory
from pelplug.trajectories.readers.unwrap import continued

N, L = 24, 10.0
TILTED = np.array([[L, 0, 0], [2.5, 9, 0], [-1.5, 1.0, 11]])


def write_xyz(path, positions, cells):
    with open(path, "w") as file:
        for k, state in enumerate(positions):
            lattice = " ".join(f"{x:.12g}" for x in np.ravel(np.broadcast_to(cells, (len(positions), 3, 3))[k]))
            file.write(f'{N}\nLattice="{lattice}" Properties=species:S:1:pos:R:3 Time={k}\n')
            file.writelines(f"A {x:.10f} {y:.10f} {z:.10f}\n" for x, y, z in state)
    return path


def wrapped(positions, cell, low=0.0):
    fractional = positions @ np.linalg.inv(cell)
    return (fractional - np.floor(fractional - low)) @ cell


def path_of(trajectory):
    return np.array([state.unwrapped_positions() for state in trajectory.unwrapped()])


def walk(steps, size, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, L, (1, N, 3)) + np.cumsum(rng.normal(0, size, (steps, N, 3)), axis=0)


def moves(path):
    return path - path[0]


# --- wrapped or not ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [np.diag([L] * 3), TILTED], ids=["straight", "tilted"])
@pytest.mark.parametrize("low", [0.0, -0.5, 0.03], ids=["0 to 1", "-1/2 to 1/2", "between neighbour lists"])
def test_wrapped_files_of_every_convention(tmp_path, cell, low):
    true = walk(40, 0.5)
    found = path_of(open_trajectory(write_xyz(tmp_path / "a.xyz", wrapped(true, cell, low), cell)))
    np.testing.assert_allclose(moves(found), moves(true), atol=1e-8)


def test_unwrapped_files_are_what_they_are(tmp_path):
    far = walk(30, 6.0)  # frames far apart
    np.testing.assert_allclose(
        moves(path_of(open_trajectory(write_xyz(tmp_path / "far.xyz", far, TILTED)))), moves(far), atol=1e-8
    )
    hop = walk(12, 0.02)
    hop[:, 3] += 0.7 * L * np.arange(12)[:, None] * [1, 0, 0]
    cell = np.diag([L] * 3)
    found = path_of(open_trajectory(write_xyz(tmp_path / "hop.xyz", hop, cell)))
    np.testing.assert_allclose(moves(found), moves(hop), atol=1e-8)
    near = walk(12, 0.1)  # nobody moves far: the same either way
    path = write_xyz(tmp_path / "near.xyz", near, cell)
    for said in ("auto", "wrapped", "unwrapped"):
        np.testing.assert_allclose(moves(path_of(open_trajectory(path, positions=said))), moves(near), atol=1e-8)


def test_molecules_that_are_kept_whole_are_wrapped(tmp_path):
    # trjconv -pbc mol: centres of molecules of four atoms in the cell, atoms up to 0.3 cells outside.
    rng = np.random.default_rng(1)
    centres = rng.uniform(0, L, (1, N // 4, 3)) + np.cumsum(rng.normal(0, 0.4, (60, N // 4, 3)), axis=0)
    arms = rng.uniform(-3, 3, (N // 4, 4, 3))
    true = (centres[:, :, None] + arms).reshape(60, N, 3)
    shift = np.floor(centres / L)[:, :, None] * L + np.zeros((1, 1, 4, 1))
    file = true - shift.reshape(60, N, 3)
    assert file.min() < -0.15 * L and file.max() > 1.15 * L
    path = write_xyz(tmp_path / "mol.xyz", file, np.diag([L] * 3))
    np.testing.assert_allclose(moves(path_of(open_trajectory(path))), moves(true), atol=1e-8)


def test_what_the_frames_do_not_tell_is_refused_and_the_remedy_works(tmp_path):
    hop = walk(6, 0.02)
    hop[:, 0] = hop[:1, 0]
    hop[:, 0, 0] = 0.55 * L
    hop[3:, 0, 0] = 1.25 * L  # or -0.3, and a molecule's arm
    path = write_xyz(tmp_path / "a.xyz", hop, np.diag([L] * 3))
    with pytest.raises(InputError, match=r"frame 3.*particle 0 moves 0.70.*--positions wrapped or .*unwrapped"):
        path_of(open_trajectory(path))
    np.testing.assert_allclose(moves(path_of(open_trajectory(path, positions="unwrapped"))), moves(hop), atol=1e-8)
    hop[3:, 0, 0] -= L
    found = moves(path_of(open_trajectory(path, positions="wrapped")))
    np.testing.assert_allclose(found, moves(hop), atol=1e-8)
    with pytest.raises(InputError, match="auto, wrapped, unwrapped"):
        open_trajectory(path, positions="folded")


def test_wrapped_frames_far_apart_are_refused(tmp_path):
    path = write_xyz(tmp_path / "a.xyz", walk(8, 6.0) % L, np.diag([L] * 3))
    with pytest.raises(InputError, match="wrapped positions without image flags"):
        path_of(open_trajectory(path))


def test_positions_that_leave_the_cell_late(tmp_path):
    # More frames than are sampled; molecules or not, the sample sees one cell.
    true = walk(300, 0.05)
    true[:, 5, 0] = 0.5 * L + 0.02 * np.arange(300)
    file = wrapped(true, np.diag([L] * 3))
    file[151, 5, 0] += 2 * L  # one frame that is put elsewhere
    path = write_xyz(tmp_path / "a.xyz", file, np.diag([L] * 3))
    with pytest.raises(InputError, match="--positions wrapped or --positions unwrapped"):
        path_of(open_trajectory(path))
    found = moves(path_of(open_trajectory(path, positions="wrapped")))
    np.testing.assert_allclose(found, moves(true), atol=1e-8)


@pytest.mark.parametrize("kind", ["xtc", "dcd", "trr"])
def test_unwrapped_binary_trajectories(tmp_path, kind):
    far = walk(20, 8.0)
    universe = MDAnalysis.Universe.empty(N, trajectory=True)
    universe.add_TopologyAttr("names", ["A"] * N)
    path = str(tmp_path / f"a.{kind}")
    with MDAnalysis.Writer(path, n_atoms=N) as writer:
        for state in far:
            universe.atoms.positions, universe.dimensions = state, [L, L, L, 90, 90, 90]
            writer.write(universe.atoms)
    universe.atoms.positions = far[0]
    universe.atoms.write(str(tmp_path / "top.gro"))
    found = path_of(open_trajectory(path, topology=tmp_path / "top.gro"))
    np.testing.assert_allclose(moves(found), moves(far), atol=0.02 if kind == "xtc" else 1e-3)


def test_the_option_on_the_command_line(tmp_path, monkeypatch):
    from pelplug.cli.main import main

    far = walk(12, 6.0)
    path = write_xyz(tmp_path / "a.xyz", far, np.diag([L] * 3))
    command = ["analyze", "--plugin", "dynamics", str(path), "--quantities", "msd", "--min-origins", "1"]
    command += ["--no-remove-drift", "--quiet", "--positions", "unwrapped", "-o", str(tmp_path / "o.nc")]
    monkeypatch.setattr(sys, "argv", ["pelplug", *command])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    found = pelplug.read_results(tmp_path / "o.nc")["dynamics"]
    expected = np.mean(np.sum((far[1:] - far[:-1]) ** 2, axis=2))
    assert float(found.msd.isel(kind=0)[0]) == pytest.approx(expected, rel=1e-6)


# --- cells that change ---------------------------------------------------------------------------------------------


def toroidal(inside, cells):
    """Displacements of wrapped positions by the nearest image in the later cell, added up (JCP 153, 021101)."""
    total = [np.zeros_like(inside[0])]
    for k in range(1, len(inside)):
        moved = (inside[k] - inside[k - 1]) @ np.linalg.inv(cells[k])
        total.append(total[-1] + (moved - np.rint(moved)) @ cells[k])
    return np.array(total)


def breathing(steps, cell, seed=3):
    """Cells whose size fluctuates by a percent, and fractional positions of a walk in them."""
    rng = np.random.default_rng(seed)
    cells = cell * (1 + 0.01 * rng.normal(size=(steps, 1, 1)))
    fractional = rng.uniform(0, 1, (1, N, 3)) + np.cumsum(rng.normal(0, 0.05, (steps, N, 3)), axis=0)
    return cells, fractional


@pytest.mark.parametrize("cell", [np.diag([L] * 3), TILTED], ids=["straight", "tilted"])
@pytest.mark.parametrize("how", ["no images", "images", "images far away", "unwrapped"])
def test_displacements_in_a_changing_cell_do_not_depend_on_images(tmp_path, cell, how):
    cells, fractional = breathing(50, cell)
    inside = np.array([(f - np.floor(f)) @ h for f, h in zip(fractional, cells, strict=True)])
    images = np.floor(fractional).astype(int)
    if how == "images far away":
        images = images + np.random.default_rng(4).integers(-20, 21, (N, 3))
    states = []
    for k in range(50):
        positions, own = inside[k], images[k]
        if how == "unwrapped":
            positions, own = fractional[k] @ cells[k], None
        states.append(
            pelplug.Configuration(
                positions, cells[k], ["A"] * N, images=None if how == "no images" else own, step=k, time=float(k)
            )
        )
    if how in ("no images", "unwrapped"):
        path = write_xyz(tmp_path / "a.xyz", [state.positions for state in states], cells)
    else:
        path = tmp_path / "a.nc"
        pelplug.write_trajectory(path, states)
    trajectory = open_trajectory(path, positions="unwrapped" if how == "unwrapped" else "auto")
    np.testing.assert_allclose(moves(path_of(trajectory)), toroidal(inside, cells), atol=1e-7)


def test_msd_of_a_breathing_cell_against_numpy(tmp_path):
    cells, fractional = breathing(40, np.diag([L] * 3))
    fractional += np.random.default_rng(5).integers(-30, 30, (N, 3))  # long after the start of the run
    states = [
        pelplug.Configuration(
            (f - np.floor(f)) @ h, h, ["A"] * N, images=np.floor(f).astype(int), step=k, time=float(k)
        )
        for k, (f, h) in enumerate(zip(fractional, cells, strict=True))
    ]
    pelplug.write_trajectory(tmp_path / "a.nc", states)
    found = pelplug.analyze("dynamics", tmp_path / "a.nc", quantities=("msd",), min_origins=1, per_decade=1000)
    path = toroidal(np.array([state.positions for state in states]), cells)
    path -= path.mean(axis=1, keepdims=True)
    for lag in (1, 5, 20):
        expected = np.mean(np.sum((path[lag:] - path[:-lag]) ** 2, axis=2))
        assert float(found.msd.isel(kind=0).sel(lag_time=lag)) == pytest.approx(expected, rel=1e-6)


def test_diffusion_in_a_breathing_cell_is_that_of_the_walk(tmp_path):
    """Each step moves wrapped positions with the cell, as a barostat does, and adds Gaussian displacements."""
    steps, n, size, rng = 500, 150, 0.3, np.random.default_rng(8)
    noise, edges = rng.normal(size=steps), np.empty(steps)
    edges[0] = 0.0
    for k in range(1, steps):  # remembered for 50 steps
        edges[k] = 0.98 * edges[k - 1] + np.sqrt(1 - 0.98**2) * noise[k]
    edges = L * np.exp(0.01 * edges)
    inside, images, states = rng.uniform(0, edges[0], (n, 3)), rng.integers(-50, 51, (n, 3)), []
    for k, edge in enumerate(edges):
        if k:
            inside = inside * edge / edges[k - 1] + rng.normal(0, size, (n, 3))
            turns = np.floor(inside / edge).astype(int)
            inside, images = inside - turns * edge, images + turns
        states.append(pelplug.Configuration(inside, [edge] * 3, ["A"] * n, images=images, step=k, time=float(k)))
    pelplug.write_trajectory(tmp_path / "a.nc", states)
    path = path_of(open_trajectory(tmp_path / "a.nc"))
    np.testing.assert_allclose(
        moves(continued(np.array([s.unwrapped_positions() for s in states]), np.array([s.cell for s in states]))),
        moves(path),
        atol=1e-3,  # the file is in single precision
    )
    for lag in (10, 100):
        moved = path[lag:] - path[:-lag]
        squares = np.sum((moved - moved.mean(axis=1, keepdims=True)) ** 2, axis=2)
        error = 2.0 * squares.mean(axis=0).std() / np.sqrt(n)
        assert abs(squares.mean() - 3 * size**2 * lag * (1 - 1 / n)) < 2 * error + 0.02 * squares.mean()
        naive = np.array([s.unwrapped_positions() for s in states])
        naive = naive[lag:] - naive[:-lag]
        assert np.mean(np.sum((naive - naive.mean(axis=1, keepdims=True)) ** 2, axis=2)) > 1.5 * squares.mean()


# --- two dimensions ------------------------------------------------------------------------------------------------


def plane(noise, height, seed=6, steps=6):
    rng = np.random.default_rng(seed)
    true = walk(steps, 0.1)
    true[..., 2] = noise * rng.normal(size=true.shape[:2])
    return true, np.diag([L, L, height])


def test_rounding_errors_are_no_third_dimension(tmp_path):
    true, cell = plane(1e-8, 1.0)
    assert open_trajectory(write_xyz(tmp_path / "a.xyz", true, cell)).dimension == 2
    around = true.copy()
    around[..., 2] %= 1.0  # zero and minus rounding stand at both ends of the cell
    assert open_trajectory(write_xyz(tmp_path / "b.xyz", around, cell)).dimension == 2
    found = pelplug.analyze(
        "dynamics", tmp_path / "b.xyz", quantities=("msd",), frame_interval=1.0, min_origins=1, per_decade=1000
    )
    flat = true[..., :2] - true[..., :2].mean(axis=1, keepdims=True)
    expected = np.mean(np.sum((flat[1:] - flat[:-1]) ** 2, axis=2))
    assert float(found.msd.isel(kind=0)[0]) == pytest.approx(expected, rel=1e-6)


def test_thin_slabs_stay_slabs(tmp_path):
    slab, cell = plane(0.02, 1.0)
    assert open_trajectory(write_xyz(tmp_path / "a.xyz", slab, cell)).dimension == 3
    slab[0, :, 2] = 0.5  # that starts from particles in a plane
    slab[1:, :, 2] += 0.5
    assert open_trajectory(write_xyz(tmp_path / "b.xyz", slab, cell)).dimension == 3


@pytest.mark.parametrize(("noise", "good"), [(1e-7, True), (3e-4, True), (0.1, False)])
def test_files_that_say_that_they_are_two_dimensional(tmp_path, noise, good):
    true, _ = plane(noise, 1.0)
    path = tmp_path / "a.gsd"
    with gsd.hoomd.open(path, "w") as file:
        for k, state in enumerate(true):
            frame = gsd.hoomd.Frame()
            frame.configuration.step, frame.configuration.dimensions = k, 2
            frame.configuration.box = [L, L, 1, 0, 0, 0]
            frame.particles.N, frame.particles.types = N, ["A"]
            frame.particles.position = state - [L / 2, L / 2, 0] - L * np.floor(state / L) * [1, 1, 0]
            file.append(frame)
    if good:
        trajectory = open_trajectory(path)
        assert trajectory.dimension == 2 and trajectory[5].positions.shape == (N, 2)
    else:
        with pytest.raises(InputError, match="leave the plane"):
            open_trajectory(path)
