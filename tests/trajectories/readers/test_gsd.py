"""The GSD reader against what gsd.hoomd wrote, and against MDAnalysis's own reader where that is right."""

import json
import pickle
import warnings

import gsd.fl
import gsd.hoomd
import MDAnalysis
import numpy as np
import pytest
from MDAnalysis.analysis.base import AnalysisBase
from MDAnalysis.lib.mdamath import triclinic_vectors

from pelplug import Configuration, InputError, open_trajectory, read_configuration, write_trajectory
from pelplug.trajectories.readers.gsd import MODEL_LOG, POSITION_LOG

N = 24
BOX = (5.0, 6.0, 7.0, 0.31, -0.22, 0.43)


def frame(rng, step, box=BOX, n=N, **particles):
    state = gsd.hoomd.Frame()
    state.configuration.step = step
    state.configuration.box = box
    state.particles.N = n
    state.particles.types = ["A", "B"]
    state.particles.typeid = (np.arange(n) % 5 == 0).astype(int)
    state.particles.position = rng.uniform(-2, 2, (n, 3))
    for name, value in particles.items():
        setattr(state.particles, name, value)
    return state


def write(path, frames):
    with gsd.hoomd.open(path, "w") as file:
        file.extend(frames)
    return path


@pytest.fixture
def full(tmp_path):
    """Three frames with everything, and the frames themselves."""
    rng = np.random.default_rng(3)
    frames = []
    for k in range(3):
        state = frame(
            rng,
            1000 * k + 7,
            velocity=rng.normal(size=(N, 3)),
            image=rng.integers(-4, 5, (N, 3)),
            diameter=rng.uniform(0.8, 1.2, N),
            mass=rng.uniform(1, 2, N),
        )
        state.log["particles/energy"] = rng.normal(size=N)
        state.log["pressure"] = np.array([float(k)])
        frames.append(state)
    return write(tmp_path / "full.gsd", frames), frames


def test_everything_in_the_file_is_read(full):
    path, frames = full
    traj = open_trajectory(path, dt=0.005)
    assert (len(traj), traj.n, traj.dimension, traj.species_names) == (3, N, 3, ("A", "B"))
    assert traj.length_unit == "file" and traj.model_record is None
    for k, (conf, state) in enumerate(zip(traj, frames, strict=True)):
        particles = state.particles
        assert conf.positions.dtype == np.float64
        np.testing.assert_array_equal(conf.positions, particles.position.astype(np.float32))
        np.testing.assert_array_equal(conf.velocities, np.float32(particles.velocity))
        np.testing.assert_array_equal(conf.images, particles.image)
        np.testing.assert_array_equal(conf.diameters, np.float32(particles.diameter))
        np.testing.assert_array_equal(conf.masses, np.float32(particles.mass))
        np.testing.assert_array_equal(conf.species, np.array(["A", "B"])[particles.typeid])
        assert conf.frame == k and conf.step == 1000 * k + 7
        assert conf.time == pytest.approx(0.005 * (1000 * k + 7), rel=1e-15)
        np.testing.assert_array_equal(traj.log(k)["particles/energy"], state.log["particles/energy"])
    assert all(
        traj.has(what) for what in ("positions", "velocities", "images", "diameters", "masses", "steps", "times")
    )
    assert open_trajectory(path)[1].time is None and not open_trajectory(path).has("times")


def test_triclinic_cell_is_right_to_the_last_digit_and_mdanalysis_is_wrong(full):
    path, _ = full
    lx, ly, lz, xy, xz, yz = np.float32(BOX).astype(np.float64)
    expected = np.array([[lx, 0, 0], [xy * ly, ly, 0], [xz * lz, yz * lz, lz]])
    traj = open_trajectory(path)
    np.testing.assert_array_equal(traj[0].cell, expected)
    # The box that MDAnalysis analyses get from our reader is the same one.
    np.testing.assert_allclose(triclinic_vectors(traj.reader[0].dimensions), expected, atol=2e-5)
    # MDAnalysis's reader takes xy for the cosine of an angle: its volume is not that of the cell.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = MDAnalysis.Universe(str(path)).trajectory[0]
    assert traj[0].volume == pytest.approx(lx * ly * lz, rel=1e-12)
    assert abs(theirs.volume / traj[0].volume - 1) > 0.01


def test_agrees_with_mdanalysis_on_an_orthorhombic_file(tmp_path):
    rng = np.random.default_rng(4)
    path = write(tmp_path / "o.gsd", [frame(rng, k, box=(5, 6, 7, 0, 0, 0)) for k in range(4)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = MDAnalysis.Universe(str(path))
    ours = open_trajectory(path).universe
    for a, b in zip(ours.trajectory, theirs.trajectory, strict=True):
        np.testing.assert_array_equal(a.positions, b.positions)
        np.testing.assert_allclose(a.dimensions, b.dimensions, rtol=1e-6)
    assert list(ours.atoms.types) == list(theirs.atoms.types)


class MeanOfSquares(AnalysisBase):
    """Uses the float64 positions of the timestep, as the host does."""

    @classmethod
    def get_supported_backends(cls):
        return ("serial", "multiprocessing")

    _analysis_algorithm_is_parallelizable = True

    def __init__(self, traj, **kwargs):
        super().__init__(traj.reader, **kwargs)
        self.traj = traj

    def _prepare(self):
        self.results.sums = []

    def _single_frame(self):
        conf = self.traj.configuration_of(self._ts)
        self.results.sums.append([conf.frame, (conf.positions**2).sum(), conf.step])

    def _get_aggregator(self):
        from MDAnalysis.analysis.results import ResultsGroup

        return ResultsGroup(lookup={"sums": ResultsGroup.flatten_sequence})


def test_analysis_base_runs_serial_and_in_processes(tmp_path):
    rng = np.random.default_rng(5)
    path = write(tmp_path / "p.gsd", [frame(rng, 10 * k) for k in range(6)])
    traj = open_trajectory(path, dt=0.1)
    expected = [[k, (traj[k].positions ** 2).sum(), 10 * k] for k in range(6)]
    serial = MeanOfSquares(traj).run()
    np.testing.assert_array_equal(serial.results.sums, expected)
    np.testing.assert_allclose(serial.times, np.arange(6.0))
    parallel = MeanOfSquares(traj).run(backend="multiprocessing", n_workers=2)
    np.testing.assert_array_equal(parallel.results.sums, expected)


def test_pickles_at_its_frame(full):
    path, _ = full
    traj = open_trajectory(path, dt=0.005, species={"A": "big"})
    traj.configuration(2)
    copy = pickle.loads(pickle.dumps(traj))
    assert copy.reader.ts.frame == 2 and copy.species_names == ("B", "big")
    np.testing.assert_array_equal(copy[1].images, traj[1].images)
    assert copy.reader.copy().n_frames == 3


def test_velocities_and_images_that_hoomd_wrote_only_once_are_not_passed_on(tmp_path):
    rng = np.random.default_rng(6)
    path = tmp_path / "hoomd.gsd"

    def write_as(application):
        with gsd.fl.open(str(path), "w", application=application, schema="hoomd", schema_version=[1, 4]) as file:
            for k in range(3):
                file.write_chunk("configuration/step", np.array([k], dtype=np.uint64))
                file.write_chunk("particles/position", rng.uniform(-2, 2, (N, 3)).astype(np.float32))
                if k == 0:
                    file.write_chunk("configuration/box", np.array(BOX, dtype=np.float32))
                    file.write_chunk("particles/N", np.array([N], dtype=np.uint32))
                    file.write_chunk("particles/velocity", rng.normal(size=(N, 3)).astype(np.float32))
                    file.write_chunk("particles/image", np.ones((N, 3), dtype=np.int32))
                file.end_frame()

    write_as("HOOMD-blue 5.0.0")
    traj = open_trajectory(path)
    assert traj[2].velocities is None and traj[2].images is None and not traj.has("velocities")
    # gsd's Python writer leaves out what is as in frame 0: a copy of that file says no more than the file does.
    write_as("gsd.hoomd 4.0.0")
    traj = open_trajectory(path)
    assert traj[2].images is None and traj[2].velocities is None


def test_images_that_pelplug_wrote_only_once_are_those_of_every_frame(tmp_path):
    state = Configuration(np.full((2, 3), 0.5), [4.0] * 3, ["A", "A"], images=np.ones((2, 3), dtype=int))
    write_trajectory(tmp_path / "own.gsd", [state, state.replace(positions=state.positions + 0.1, step=1)])
    np.testing.assert_array_equal(open_trajectory(tmp_path / "own.gsd")[1].images, np.ones((2, 3)))


def test_images_that_are_zero_at_first(tmp_path):
    rng = np.random.default_rng(7)
    images = rng.integers(-1, 2, (N, 3))
    path = write(tmp_path / "i.gsd", [frame(rng, 0), frame(rng, 1, image=images)])
    traj = open_trajectory(path)
    np.testing.assert_array_equal(traj[0].images, 0)
    np.testing.assert_array_equal(traj[1].images, images)


def test_types_that_change_between_frames(tmp_path):
    rng = np.random.default_rng(8)
    path = write(tmp_path / "t.gsd", [frame(rng, 0), frame(rng, 1, typeid=np.arange(N) % 2)])
    traj = open_trajectory(path)
    assert list(traj[1].species) == ["A", "B"] * (N // 2) and list(traj[0].species[:2]) == ["B", "A"]


@pytest.mark.parametrize(("lz", "dimensions"), [(0.0, 2), (1.0, 2), (1.0, None), (0.0, None)])
def test_two_dimensions(tmp_path, lz, dimensions):
    rng = np.random.default_rng(9)
    positions = rng.uniform(-2, 2, (N, 3))
    positions[:, 2] = 0.0
    state = frame(rng, 0, box=(5, 6, lz, 0.3, 0, 0), position=positions, velocity=positions, image=np.int32(positions))
    if dimensions is not None:
        state.configuration.dimensions = dimensions
    conf = read_configuration(write(tmp_path / "d.gsd", [state]))
    assert conf.dimension == 2
    np.testing.assert_array_equal(conf.positions, np.float32(positions[:, :2]))
    np.testing.assert_array_equal(conf.cell, [[5, 0], [np.float64(np.float32(0.3)) * 6, 6]])
    assert conf.velocities.shape == conf.images.shape == (N, 2)


def test_particles_of_equal_height_in_a_cube_stay_three_dimensional(tmp_path):
    rng = np.random.default_rng(10)
    state = frame(rng, 0, box=(5, 5, 5, 0, 0, 0), n=2, position=[[0, 0, 0], [1, 0, 0]])
    assert read_configuration(write(tmp_path / "pair.gsd", [state])).dimension == 3


def test_float64_positions_beside_float32_ones(tmp_path):
    rng = np.random.default_rng(11)
    exact = rng.uniform(-2, 2, (N, 3))
    state = frame(rng, 0, position=exact)
    state.log[POSITION_LOG] = exact
    moved = frame(rng, 1)  # another program moved the particles and kept the log
    moved.log[POSITION_LOG] = exact
    traj = open_trajectory(write(tmp_path / "f64.gsd", [state, moved]))
    np.testing.assert_array_equal(traj[0].positions, exact)
    with pytest.raises(InputError, match=r"particles/position and log/particles/pelplug/position disagree .*24 of 24"):
        traj.configuration(1)
    del moved.log[POSITION_LOG]  # as the sentence says
    traj = open_trajectory(write(tmp_path / "f32.gsd", [state, moved]))
    np.testing.assert_array_equal(traj[1].positions, np.float32(moved.particles.position))


def test_model_record(tmp_path):
    rng = np.random.default_rng(12)
    record = {"name": "kob-andersen", "parameters": {"truncation": "shift"}}
    state = frame(rng, 0)
    state.log[MODEL_LOG] = np.frombuffer(json.dumps(record).encode(), dtype=np.uint8)
    traj = open_trajectory(write(tmp_path / "m.gsd", [state, frame(rng, 1)]))
    assert traj.model_record == record


def refused(path, match, **kwargs):
    with pytest.raises(InputError, match=match) as caught:
        open_trajectory(path, **kwargs)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400 and str(caught.value).endswith((".", "?"))


def test_text_called_gsd(tmp_path):
    path = tmp_path / "text.gsd"
    path.write_text("3\n\nA 0 0 0\n" * 40)
    refused(path, "not a GSD file but a text file")
    path.write_bytes(bytes(range(256)) * 10)
    refused(path, "not a GSD file")


def test_truncated_gsd_never_gives_a_wrong_frame(tmp_path):
    rng = np.random.default_rng(13)
    frames = [frame(rng, k, n=200) for k in range(12)]
    whole = write(tmp_path / "whole.gsd", frames).read_bytes()
    path = tmp_path / "cut.gsd"
    complaints = 0
    for size in (20, 200, 300, len(whole) // 10, len(whole) // 3, len(whole) // 2, len(whole) - 3000, len(whole) - 64):
        path.write_bytes(whole[:size])
        try:
            for k, conf in enumerate(open_trajectory(path)):
                np.testing.assert_array_equal(conf.positions, np.float32(frames[k].particles.position))
        except InputError as error:
            complaints += 1
            assert "\n" not in str(error)
    assert complaints >= 5


def test_no_frames_no_box_other_schema(tmp_path):
    path = tmp_path / "e.gsd"
    gsd.hoomd.open(path, "w").close()
    refused(path, "no frames")
    with gsd.fl.open(str(path), "w", application="x", schema="hoomd", schema_version=[1, 4]) as file:
        file.write_chunk("particles/N", np.array([2], dtype=np.uint32))
        file.write_chunk("particles/position", np.zeros((2, 3), dtype=np.float32))
        file.end_frame()
    refused(path, "no periodic box")
    with gsd.fl.open(str(path), "w", application="x", schema="other", schema_version=[1, 4]) as file:
        file.end_frame()
    refused(path, "schema 'other'")


def test_a_box_of_edge_1_is_left_out_by_gsd(tmp_path):
    """Packings are often in the unit cube, which is the schema's default."""
    points = np.random.default_rng(3).random((20, 3)) - 0.5
    frame = gsd.hoomd.Frame()
    frame.configuration.box = [1, 1, 1, 0, 0, 0]
    frame.particles.N, frame.particles.types, frame.particles.position = 20, ["A"], points
    with gsd.hoomd.open(tmp_path / "a.gsd", "w") as file:
        file.append(frame)
    conf = open_trajectory(tmp_path / "a.gsd").configuration(0)
    assert np.array_equal(conf.cell, np.eye(3))
    apart = conf.positions - points
    assert np.abs(apart - np.round(2 * apart.mean(axis=0)) / 2).max() < 1e-6


def test_number_of_particles_changes(tmp_path):
    rng = np.random.default_rng(14)
    traj = open_trajectory(write(tmp_path / "n.gsd", [frame(rng, 0), frame(rng, 1, n=N + 1)]))
    with pytest.raises(InputError, match=f"Frame 1 .* has {N + 1} particles, but frame 0 has {N}"):
        traj.configuration(1)
    assert traj[0].n == N


def test_nan_names_the_frame(tmp_path):
    rng = np.random.default_rng(15)
    bad = frame(rng, 1)
    bad.particles.position[3, 1] = np.nan
    traj = open_trajectory(write(tmp_path / "nan.gsd", [frame(rng, 0), bad]))
    with pytest.raises(InputError, match=r"Frame 1 of .*nan\.gsd: .*NaN"):
        traj.configuration(1)


def test_file_without_steps_has_no_times(tmp_path):
    path = tmp_path / "s.gsd"
    with gsd.fl.open(str(path), "w", application="x", schema="hoomd", schema_version=[1, 4]) as file:
        for _ in range(2):
            file.write_chunk("particles/N", np.array([2], dtype=np.uint32))
            file.write_chunk("particles/position", np.array([[0, 0, 0], [1, 1, 1]], dtype=np.float32))
            file.write_chunk("configuration/box", np.array(BOX, dtype=np.float32))
            file.end_frame()
    assert open_trajectory(path)[1].step is None
    refused(path, "no simulation steps", dt=0.005)
