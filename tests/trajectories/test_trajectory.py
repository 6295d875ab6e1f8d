"""Trajectory: access to frames, unwrapping, streaming, what is refused."""

import hashlib
import pickle
import shutil
import subprocess
import sys
import tracemalloc
import warnings

import gsd.hoomd
import numpy as np
import pytest
from MDAnalysis.transformations import NoJump

import pelplug
from pelplug import Configuration, InputError, open_trajectory, read_configuration
from pelplug.trajectories.readers.write import write_trajectory

CELL = np.array([[5.0, 0, 0], [1.5, 6.0, 0], [-1.0, 0.7, 7.0]])


def gas(frames, n=30, cell=CELL, seed=0, step=1.0, **more):
    """Unwrapped paths of a gas with steps below half a cell, and its wrapped configurations."""
    rng = np.random.default_rng(seed)
    d = len(cell)
    paths = rng.random((n, d)) @ cell + np.cumsum(rng.uniform(-step, step, (frames, n, d)), axis=0)
    species = ["A"] * (n - n // 5) + ["B"] * (n // 5)
    confs = [Configuration(x, cell, species, step=10 * k, **more).wrapped() for k, x in enumerate(paths)]
    return paths, confs


@pytest.fixture
def path(tmp_path):
    _, confs = gas(7)
    write_trajectory(tmp_path / "gas.gsd", confs)
    return tmp_path / "gas.gsd"


def test_access(path):
    with open_trajectory(path) as traj:
        assert len(traj) == traj.n_frames == 7
        assert traj.configuration(-1).frame == 6 and traj[-7].frame == 0
        assert [conf.frame for conf in traj[1:6:2]] == [1, 3, 5]
        assert [conf.frame for conf in traj[-2:]] == [5, 6]
        assert [conf.frame for conf in traj[::-3]] == [6, 3, 0]
        assert [conf.frame for conf in traj] == list(range(7))
        assert [conf.step for conf in traj] == list(range(0, 70, 10))
        for ts in traj.reader[2:5]:
            assert traj.configuration_of(ts).frame == ts.frame
        for wrong in (7, -8, 100):
            with pytest.raises(InputError, match=rf"no frame {wrong} in .*gas\.gsd, which has 7 frames"):
                traj.configuration(wrong)
        with pytest.raises(InputError, match="whole number"):
            traj.configuration(1.5)
        assert "7 frames, N = 30, d = 3, species A, B" in repr(traj)


def test_read_configuration(path):
    assert read_configuration(path).frame == 6
    conf = read_configuration(path, frame=2, species={"A": "large"}, dt=0.5)
    assert conf.species_names == ("B", "large") and conf.time == 10.0
    with pytest.raises(InputError, match="no frame 9"):
        read_configuration(path, frame=9)


def test_checksum(path, tmp_path, monkeypatch):
    traj = open_trajectory(path)
    assert traj.checksum() == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr("pelplug.core.checksum.SAMPLED_ABOVE", 1000)
    monkeypatch.setattr("pelplug.core.checksum.SAMPLE", 400)
    data = path.read_bytes()
    expected = hashlib.sha256(str(len(data)).encode() + data[:400] + data[-400:]).hexdigest()
    other = open_trajectory(shutil.copy(path, tmp_path / f"copy{path.suffix}"))  # that of the first is kept
    assert other.checksum() == f"sha256-sampled:{expected}"


# Unwrapping


@pytest.mark.parametrize("ending", ["gsd", "nc"])
@pytest.mark.parametrize("d", [2, 3])
def test_unwrapping_without_image_flags(tmp_path, ending, d):
    paths, confs = gas(60, cell=CELL[:d, :d], step=1.2)
    bare = [conf.replace(images=None) for conf in confs]
    write_trajectory(tmp_path / f"bare.{ending}", bare)
    traj = open_trajectory(tmp_path / f"bare.{ending}")
    assert not traj.has("images")
    moved = np.array([conf.unwrapped_positions() for conf in traj.unwrapped()])
    np.testing.assert_allclose(moved - moved[0], paths - paths[0], atol=1e-12)
    # Several crossings, in both directions.
    images = np.array([conf.images for conf in traj.unwrapped()])
    assert np.ptp(images, axis=0).max() >= 3
    # A stride reads the frames in between all the same.
    strided = np.array([conf.unwrapped_positions() for conf in traj.unwrapped(step=7)])
    np.testing.assert_array_equal(strided, moved[::7])
    part = [conf.unwrapped_positions() for conf in traj.unwrapped(20, 40, 5)]
    np.testing.assert_allclose(np.array(part) - part[0], (paths - paths[20])[20:40:5], atol=1e-12)


def test_unwrapping_agrees_with_nojump(tmp_path):
    _, confs = gas(40, step=1.2)
    write_trajectory(tmp_path / "bare.gsd", [conf.replace(images=None) for conf in confs])
    ours = [conf.unwrapped_positions() for conf in open_trajectory(tmp_path / "bare.gsd").unwrapped()]
    traj = open_trajectory(tmp_path / "bare.gsd")
    traj.reader.add_transformations(NoJump())
    theirs = [ts.positions.copy() for ts in traj.reader]
    np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_image_flags_are_used_where_the_file_has_them(tmp_path):
    paths, confs = gas(30, step=1.2)
    write_trajectory(tmp_path / "full.gsd", confs)
    traj = open_trajectory(tmp_path / "full.gsd")
    # Every tenth frame is too far apart to follow particles; the flags need no following.
    for conf in traj.unwrapped(step=10):
        np.testing.assert_allclose(conf.unwrapped_positions(), paths[conf.frame], atol=1e-12)


def test_one_particle_around_the_cell(tmp_path):
    """A particle that runs around a tilted cell three times, and one that rests."""
    runs = np.linspace(0, 3, 46)[:, None] * CELL.sum(0)
    confs = [Configuration([x, [1.0, 1, 1]], CELL, ["A", "A"]).wrapped().replace(images=None) for x in runs]
    write_trajectory(tmp_path / "run.nc", confs)
    last = list(open_trajectory(tmp_path / "run.nc").unwrapped())[-1]
    np.testing.assert_allclose(last.unwrapped_positions(), [3 * CELL.sum(0), [1, 1, 1]], atol=1e-12)


def test_unwrapping_goes_forward(path):
    with pytest.raises(InputError, match="positive step"):
        list(open_trajectory(path).unwrapped(step=-1))


# Streaming


def peak(path, **kwargs):
    tracemalloc.start()
    try:
        total = sum(conf.positions[0, 0] for conf in open_trajectory(path, **kwargs))
        assert np.isfinite(total)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["gsd", "nc", "dump", "extxyz"])
def test_memory_does_not_grow_with_the_number_of_frames(tmp_path, kind):
    n = 500
    confs = gas(2, n=n)[1]

    def many(frames):
        path = tmp_path / f"{frames}.{kind}"
        if kind in ("gsd", "nc"):
            write_trajectory(path, (confs[k % 2].replace(step=k) for k in range(frames)))
            return path
        rows = "\n".join(f"{i} 1 {x:.5f} {y:.5f} {z:.5f}" for i, (x, y, z) in enumerate(confs[0].positions, 1))
        head = f'{n}\nLattice="9 0 0 0 9 0 0 0 9" Properties=id:I:1:type:I:1:pos:R:3\n'
        if kind == "dump":
            head = f"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n{n}\nITEM: BOX BOUNDS pp pp pp\n0 9\n0 9\n0 9\n"
            head += "ITEM: ATOMS id type x y z\n"
        path.write_text((head + rows + "\n") * frames)
        return path

    peak(many(5))  # caches of the libraries
    few, lots = peak(many(50)), peak(many(250))
    one = 500 * 3 * 8
    # 200 frames more would be 200 * 12 kB; offsets and indices are a few bytes a frame.
    assert lots - few < 30 * one


def test_writing_streams_too(tmp_path):
    confs = gas(2, n=500)[1]

    def cost(ending, frames):
        tracemalloc.start()
        try:
            written = write_trajectory(
                tmp_path / f"s{frames}.{ending}", (confs[k % 2].replace(step=k) for k in range(frames))
            )
            assert written == frames
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    for ending in ("gsd", "nc"):
        cost(ending, 5)
        assert cost(ending, 200) - cost(ending, 20) < 30 * 12000


# Writing and reading back


@pytest.mark.parametrize("ending", ["gsd", "nc"])
@pytest.mark.parametrize("d", [2, 3, 4, 8])
def test_round_trip_is_exact(tmp_path, ending, d):
    rng = np.random.default_rng(d)
    cell = np.tril(rng.random((d, d)), -1) + np.diag(4 + rng.random(d))
    n = 17
    confs = [
        Configuration(
            (rng.random((n, d)) - 0.5) @ cell,
            cell * (1 + 0.01 * k),
            rng.permutation(["A"] * 12 + ["long name"] * 5),
            diameters=1 + rng.random(n),
            masses=1 + rng.random(n),
            velocities=rng.normal(size=(n, d)),
            images=rng.integers(-3, 4, (n, d)),
            step=100 * k,
            time=0.1 * k,
        )
        for k in range(4)
    ]
    path = tmp_path / f"t.{ending}"
    if ending == "gsd" and d > 3:
        with pytest.raises(InputError, match=rf"two or three dimensions, not {d}; .*NetCDF"):
            write_trajectory(path, confs)
        assert list(tmp_path.iterdir()) == []
        return
    assert write_trajectory(path, iter(confs), model_record={"name": "x", "parameters": {}}) == 4
    traj = open_trajectory(path)
    assert traj.model_record == {"name": "x", "parameters": {}} and traj.dimension == d
    for conf, original in zip(traj, confs, strict=True):
        for field in ("positions", "cell", "species", "diameters", "masses", "velocities", "images", "step", "time"):
            np.testing.assert_array_equal(getattr(conf, field), getattr(original, field), err_msg=field)
    shown = np.zeros((n, 3))
    shown[:, : min(d, 3)] = confs[0].positions[:, :3]
    np.testing.assert_array_equal(traj.reader[0].positions, np.float32(shown))
    again = pickle.loads(pickle.dumps(traj))
    np.testing.assert_array_equal(again[2].positions, confs[2].positions)


def test_gsd_is_what_others_expect(tmp_path):
    """gsd.hoomd reads the file; positions lie in the centred box and unwrap to what was written."""
    paths, confs = gas(3)
    write_trajectory(tmp_path / "t.gsd", confs)
    with gsd.hoomd.open(tmp_path / "t.gsd") as file:
        assert len(file) == 3
        for state, path in zip(file, paths, strict=True):
            np.testing.assert_allclose(state.configuration.box, [5, 6, 7, 1.5 / 6, -1 / 7, 0.7 / 7], rtol=1e-6)
            assert state.particles.types == ["A", "B"] and state.configuration.dimensions == 3
            fractional = state.particles.position @ np.linalg.inv(CELL)
            assert np.abs(fractional).max() <= 0.5 + 1e-6
            np.testing.assert_allclose(state.particles.position + state.particles.image @ CELL, path, atol=1e-5)


def test_writing_refuses(tmp_path):
    _, confs = gas(2)
    for ending in ("gsd", "nc"):
        path = tmp_path / f"w.{ending}"
        with pytest.raises(InputError, match="no configurations"):
            write_trajectory(path, [])
        with pytest.raises(InputError, match="Configuration 1"):
            write_trajectory(path, [confs[0], gas(1, n=31)[1][0]])
        with pytest.raises(InputError, match="same fields"):
            write_trajectory(path, [confs[0], confs[1].replace(images=None)])
        with pytest.raises(InputError, match="Configuration 1"):
            write_trajectory(path, [confs[0], gas(1, cell=CELL[:2, :2])[1][0]])
        assert list(tmp_path.iterdir()) == []
    write_trajectory(path, confs)
    with pytest.raises(InputError, match="exists already"):
        write_trajectory(path, confs)
    write_trajectory(path, confs[:1], overwrite=True)
    assert len(open_trajectory(path)) == 1
    with pytest.raises(InputError, match=r"\.gsd .* or \.nc"):
        write_trajectory(tmp_path / "w.xtc", confs)


def test_gsd_of_a_rotated_cell(tmp_path):
    """GSD cannot hold the orientation; distances with periodic images are kept, NetCDF keeps everything."""
    rng = np.random.default_rng(2)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    conf = Configuration(rng.random((9, 3)) @ CELL @ turn, CELL @ turn, ["A"] * 9)
    shifts = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), -1).reshape(-1, 3)

    def distances(c):
        separations = c.positions[:, None, None] - c.positions[None, :, None] + shifts @ c.cell
        return np.sort(np.linalg.norm(separations, axis=-1), axis=None)

    for ending in ("gsd", "nc"):
        write_trajectory(tmp_path / f"r.{ending}", [conf.wrapped().replace(images=None)])
        back = read_configuration(tmp_path / f"r.{ending}").wrapped()
        np.testing.assert_allclose(distances(back), distances(conf.wrapped()), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(back.cell, conf.cell)


def test_an_interrupted_writer_leaves_nothing(tmp_path):
    _, confs = gas(2)

    def interrupted():
        yield confs[0]
        raise KeyboardInterrupt

    for ending in ("gsd", "nc"):
        with pytest.raises(KeyboardInterrupt):
            write_trajectory(tmp_path / f"k.{ending}", interrupted())
    assert list(tmp_path.iterdir()) == []


# What is refused


def test_files_that_cannot_be_read(path, tmp_path):
    def sentence(match, *args, **kwargs):
        with pytest.raises(InputError, match=match) as caught:
            open_trajectory(*args, **kwargs)
        assert "\n" not in str(caught.value)

    sentence(r"There is no trajectory file .*gsa\.gsd; did you mean .*gas\.gsd\?", tmp_path / "gsa.gsd")
    sentence("check its name", tmp_path / "nothing" / "far.away")
    sentence("is a folder", tmp_path)
    sentence("no topology file", path, topology=tmp_path / "top.gro")
    sentence("name of a file", 3.5)
    (tmp_path / "empty.xyz").touch()
    sentence("is empty", tmp_path / "empty.xyz")
    (tmp_path / "what.ever").write_text("hello")
    sentence("--format", tmp_path / "what.ever")
    sentence("not a GSD file", tmp_path / "what.ever", format="GSD")
    sentence("NOSUCH", path, format="nosuch")
    (tmp_path / "broken.pdb").write_text("hello")
    sentence(r"broken\.pdb", tmp_path / "broken.pdb")
    (tmp_path / "results.nc").write_bytes(b"not netcdf at all")
    sentence(r"results\.nc", tmp_path / "results.nc")
    for dt in (0, -1, float("nan"), "fast"):
        sentence(r"dt \(--dt\) (must be|is not) a(bove 0| number)", path, dt=dt)
    for species in ({}, "A", {"A": ""}, ["A"]):
        sentence("[Ss]pecies", path, species=species)
    sentence(r"'C', but .* has 'A', 'B'", path, species={"C": "A"})


def test_a_result_is_not_a_trajectory(tmp_path):
    import xarray

    xarray.Dataset({"kappa": ("frame", [1.0, 2.0])}).to_netcdf(tmp_path / "kappa.nc", engine="h5netcdf")
    with pytest.raises(InputError, match="not a trajectory that pelplug wrote"):
        open_trajectory(tmp_path / "kappa.nc")


def test_global_state_is_left_alone(path):
    """MDAnalysis keeps its own readers for everybody else, and the warning filters stay."""
    code = (
        "import warnings, MDAnalysis; before = (dict(MDAnalysis._READERS), dict(MDAnalysis._PARSERS))\n"
        "filters = list(warnings.filters)\n"
        "import pelplug.trajectories.readers.gsd, pelplug.trajectories.readers.lammps"
        ", pelplug.trajectories.readers.xyz, pelplug.trajectories.readers.h5md\n"
        "import pelplug.trajectories.readers.netcdf, pelplug.trajectories.readers.lammps_data, pelplug\n"
        f"pelplug.read_configuration({str(path)!r})\n"
        "assert before == (MDAnalysis._READERS, MDAnalysis._PARSERS)\n"
        "assert [f for f in warnings.filters if f[0] == 'ignore' and f[2] is Warning and f[1] is None] == "
        "[f for f in filters if f[0] == 'ignore' and f[2] is Warning and f[1] is None]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_pelplug_does_not_import_mdanalysis():
    code = "import sys, pelplug; assert not {'MDAnalysis', 'gsd', 'h5py', 'h5netcdf'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_names(path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(pelplug.open_trajectory(path), pelplug.Trajectory)


def test_one_frame_of_a_file_takes_what_the_whole_file_takes(tmp_path):
    path = tmp_path / "one.dump"
    path.write_text(
        "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS pp pp pp\n0 5\n0 5\n0 5\n"
        "ITEM: ATOMS id type x y z\n1 1 1 2 3\n"
    )
    state = pelplug.read_configuration(path, units="metal", masses={"Cu": 63.5}, species={"1": "Cu"})
    assert state.masses.tolist() == [63.5] and state.time is None


def test_one_configuration_is_a_trajectory_of_one_frame(tmp_path):
    state = pelplug.model("kob-andersen").random_configuration(50, 1)
    assert pelplug.write_trajectory(tmp_path / "one.gsd", state) == 1
    with pelplug.open_trajectory(tmp_path / "one.gsd") as trajectory:
        assert len(trajectory) == 1 and trajectory.n == 50
