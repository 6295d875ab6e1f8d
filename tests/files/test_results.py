import json
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
import xarray as xr

from pelplug.core import outputs as files
from pelplug.errors import InputError, RunError
from pelplug.files.results import check_output, read_results, write_netcdf


@pytest.fixture
def dataset():
    rng = np.random.default_rng(3)
    kappa = rng.lognormal(size=(3, 50))
    kappa[1, 4] = np.nan
    return xr.Dataset(
        {
            "kappa": (("frame", "particle"), kappa, {"units": "energy / length**2", "long_name": "dipole stiffness"}),
            "note": ("frame", np.array(["a", "bc", "δ"])),
            "count": ("frame", np.array([1, 2, 3])),
            "minimum": ("frame", np.array([True, False, True])),
            "pair_kappa": ("pair", rng.normal(size=0)),
            "G": ((), 21.5),
        },
        coords={
            "frame": [0, 2, 5],
            "step": ("frame", [0, 200, 500]),
            "time": ("frame", [0.0, np.nan, 1.0]),
            "species": ("particle", np.array(["A", "B"] * 25)),
        },
        attrs={"analysis": "kappa", "parameters": {"pairs": "all", "seed": None}, "converged": True, "empty": ""},
    )


def test_one_dataset_round_trip(tmp_path, dataset):
    path = write_netcdf(tmp_path / "kappa.nc", dataset)
    back = read_results(path)
    assert list(back) == ["kappa"]
    xr.testing.assert_equal(back["kappa"], dataset)
    assert back["kappa"].kappa.values.tobytes() == dataset.kappa.values.tobytes()
    assert back["kappa"].minimum.dtype == bool
    assert back["kappa"].kappa.attrs == dataset.kappa.attrs
    assert json.loads(back["kappa"].attrs["parameters"]) == {"pairs": "all", "seed": None}
    assert back["kappa"].attrs["empty"] == ""
    with xr.open_dataset(path, engine="h5netcdf") as plain:
        assert plain.kappa.shape == (3, 50)
    assert [entry.name for entry in tmp_path.iterdir()] == ["kappa.nc"]


def test_several_datasets_are_groups(tmp_path, dataset):
    other = xr.Dataset({"energy": ("frame", [1.0, 2.0])}, coords={"frame": [2, 5]})
    path = write_netcdf(tmp_path / "both.nc", {"kappa": dataset, "inherent-structures": other})
    with xr.open_dataset(path, group="kappa", engine="h5netcdf") as group:
        assert group.kappa.attrs["units"] == "energy / length**2"
    back = read_results(path)
    assert list(back) == ["kappa", "inherent-structures"]
    xr.testing.assert_equal(back["kappa"], dataset)
    xr.testing.assert_equal(back["inherent-structures"], other)
    assert "species" not in back["inherent-structures"]


def test_results_are_compressed(tmp_path, dataset):
    path = write_netcdf(tmp_path / "a.nc", dataset.assign(zeros=("x", np.zeros(100000))))
    with h5py.File(path) as file:
        assert file["kappa"].compression == "gzip"
    assert path.stat().st_size < 100_000


def test_the_dataset_given_is_not_changed(tmp_path, dataset):
    before = dataset.copy(deep=True)
    write_netcdf(tmp_path / "a.nc", dataset)
    xr.testing.assert_identical(dataset, before)


def test_an_existing_file_is_kept_unless_overwrite(tmp_path, dataset):
    path = tmp_path / "a.nc"
    path.write_text("precious")
    with pytest.raises(InputError, match="--overwrite"):
        write_netcdf(path, dataset)
    assert path.read_text() == "precious"
    path.chmod(0o640)
    write_netcdf(path, dataset, overwrite=True)
    assert path.stat().st_mode & 0o777 == 0o640
    xr.testing.assert_equal(read_results(path)["kappa"], dataset)


def test_a_new_file_has_the_usual_permissions(tmp_path, dataset):
    path = write_netcdf(tmp_path / "a.nc", dataset)
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode


@pytest.mark.parametrize("link", ["same", "symlink", "hardlink", "dotted"])
def test_the_input_is_never_the_output(tmp_path, link):
    source = tmp_path / "traj.gsd"
    source.write_text("trajectory")
    target = {"same": source, "dotted": tmp_path / "." / ".." / tmp_path.name / "traj.gsd"}.get(link, tmp_path / "out")
    if link == "symlink":
        target.symlink_to(source)
    elif link == "hardlink":
        os.link(source, target)
    with pytest.raises(InputError, match="never modified"):
        check_output(target, overwrite=True, inputs=(None, source))
    assert source.read_text() == "trajectory"


def test_folders_that_cannot_take_the_output(tmp_path):
    (tmp_path / "file").write_text("x")
    for path, words in (
        (tmp_path / "missing" / "a.nc", "no folder"),
        (tmp_path / "file" / "a.nc", "no folder"),
        (tmp_path, "is a folder"),
        ("/proc/a.nc", "cannot be written"),
        (tmp_path / ("x" * 300), "cannot be written"),
    ):
        with pytest.raises(InputError, match=words):
            check_output(path)
            write_netcdf(path, xr.Dataset())
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
def test_nothing_is_left_when_the_writer_stops(tmp_path, error):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(error), files.atomic_output(target, overwrite=True) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_made_meanwhile_is_not_replaced(tmp_path):
    target = tmp_path / "a.txt"
    with pytest.raises(InputError, match="meanwhile"), files.atomic_output(target) as temporary:
        temporary.write_text("mine")
        target.write_text("theirs")
    assert target.read_text() == "theirs"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_writing_through_a_symbolic_link_keeps_the_link(tmp_path, dataset):
    (tmp_path / "real").mkdir()
    link = tmp_path / "a.nc"
    (tmp_path / "real" / "a.nc").write_text("old")
    link.symlink_to(tmp_path / "real" / "a.nc")
    write_netcdf(link, dataset, overwrite=True)
    assert link.is_symlink()
    assert "kappa" in read_results(tmp_path / "real" / "a.nc")


DISK_FULL = """
import os, resource, sys
import numpy as np, xarray as xr
from pelplug.errors import RunError
from pelplug.files.results import read_results, write_netcdf
path = sys.argv[1]
small = xr.Dataset({"a": ("x", np.arange(3.0))}, attrs={"analysis": "test"})
write_netcdf(path, small)
resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000))
big = xr.Dataset({name: (("frame", "x"), np.random.rand(20, 5000)) for name in "abc"}, attrs={"analysis": "test"})
try:
    write_netcdf(path, {"one": big, "two": big}, overwrite=True)
except RunError as error:
    print(error)
xr.testing.assert_equal(read_results(path)["test"], small)
print(os.listdir(os.path.dirname(path)))
"""


def test_disk_full_while_writing(tmp_path):
    """In a process of its own: HDF5 crashes at exit if it ever sees a write fail; -B, or Python's own files are cut."""
    path = tmp_path / "a.nc"
    result = subprocess.run([sys.executable, "-B", "-c", DISK_FULL, str(path)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].startswith("The disk is full") and "run the same command again" in lines[0]
    assert lines[1] == "['a.nc']"
    assert result.stderr == ""


@pytest.fixture
def tiny_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_disk_that_is_really_full(tiny_disk):
    big = xr.Dataset({"a": ("x", np.random.default_rng(1).random(50000))}, attrs={"analysis": "test"})
    with pytest.raises(RunError, match="disk is full"):
        write_netcdf(tiny_disk / "a.nc", big)
    assert list(tiny_disk.iterdir()) == []


def test_ctrl_c_inside_the_library_is_raised_after_it_closed(tmp_path, dataset, monkeypatch):
    real, calls = os.pwrite, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(os, "pwrite", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_netcdf(tmp_path / "a.nc", dataset)
    assert len(calls) == 4
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", ["text", "hdf5", "netcdf", "empty", "truncated", "missing"])
def test_reading_something_else_is_one_sentence(tmp_path, dataset, content):
    path = tmp_path / "a.nc"
    if content == "text":
        path.write_text("not a NetCDF file")
    elif content == "hdf5":
        with h5py.File(path, "w") as file:
            file["x"] = [1, 2]
    elif content == "netcdf":
        xr.Dataset({"x": 1}).to_netcdf(path, engine="h5netcdf")
    elif content == "empty":
        path.touch()
    elif content == "truncated":
        write_netcdf(path, dataset)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError) as error:
        read_results(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


def test_no_results(tmp_path):
    with pytest.raises(InputError, match="no results"):
        write_netcdf(tmp_path / "a.nc", {})
