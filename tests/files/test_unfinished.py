import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from pelplug.errors import RunError
from pelplug.files.finished_frames import PartialStore

FINGERPRINT = "0123456789abcdef"


@pytest.fixture
def store(tmp_path):
    return PartialStore(tmp_path / "kappa.nc")


@pytest.fixture
def frames(store):
    return store.for_analysis("kappa", FINGERPRINT)


def test_values_come_back_to_the_last_bit(frames):
    rng = np.random.default_rng(1)
    values = {
        "file": rng.normal(size=(7, 3)),  # a name numpy.savez uses itself
        "a/b": np.array([np.nan, -0.0, np.inf]),
        "pairs": np.arange(6, dtype=np.uint32).reshape(3, 2),
        "scalar": np.float64(0.1) + np.float64(0.2),
        "python": 0.1 + 0.2,
        "nan": float("nan"),
        "flag": np.bool_(True),
        "names": np.array(["A", "βγ"]),
        "objects": np.array(["long", "x"], dtype=object),
        "nested": {"method": "dense", "notes": ["a", None, 3, (1.5, True)], "array": np.zeros(0)},
        "none": None,
        "complex": np.array([1 + 2j]),
    }
    frames.put(3, values)
    back = frames.get(3)
    assert set(back) == set(values)
    for key in ("file", "a/b", "pairs", "names", "complex"):
        assert back[key].dtype == values[key].dtype
        assert back[key].tobytes() == values[key].tobytes()
    assert back["scalar"] == values["scalar"] and type(back["scalar"]) is np.float64
    assert back["python"] == 0.1 + 0.2 and type(back["python"]) is float
    assert np.isnan(back["nan"])
    assert back["flag"] is np.True_ or back["flag"] == np.True_
    assert back["objects"].tolist() == ["long", "x"]
    assert back["nested"]["notes"] == ["a", None, 3, (1.5, True)]
    assert back["nested"]["array"].shape == (0,)
    assert back["none"] is None
    assert frames.get(4) is None
    assert frames.frames() == [3]


def test_a_value_that_cannot_be_kept_is_refused(frames):
    with pytest.raises(TypeError, match="thing"):
        frames.put(0, {"thing": object()})
    assert frames.get(0) is None


def test_another_fingerprint_sees_nothing(store, frames):
    frames.put(0, {"x": 1})
    same_start = store.for_analysis("kappa", FINGERPRINT[:8] + "ffffffff")
    assert same_start.folder == frames.folder
    assert same_start.get(0) is None
    assert store.for_analysis("kappa", "f" * 16).get(0) is None


@pytest.mark.parametrize("damage", ["truncated", "empty", "flipped", "text"])
def test_a_damaged_entry_is_done_again(frames, damage):
    frames.put(0, {"x": np.arange(100.0)})
    (path,) = frames.folder.glob("frame-*.npz")
    data = bytearray(path.read_bytes())
    if damage == "truncated":
        data = data[: len(data) // 2]
    elif damage == "empty":
        data = b""
    elif damage == "flipped":
        data[300] ^= 0xFF
    else:
        data = b"not a zip file"
    path.write_bytes(data)
    assert frames.get(0) is None
    frames.put(0, {"x": np.arange(3.0)})
    assert frames.get(0)["x"].tolist() == [0, 1, 2]


def test_discard_removes_the_folder_and_nothing_else(tmp_path, store, frames):
    other = tmp_path / "other.nc"
    other.write_text("keep")
    frames.put(0, {"x": 1})
    assert store.found() == {"kappa": 1}
    assert len(list(tmp_path.iterdir())) == 2
    store.discard()
    assert list(tmp_path.iterdir()) == [other]
    store.discard()


def test_frames_of_other_settings_are_told_and_kept(tmp_path, store, frames):
    other = PartialStore(store.output).for_analysis("kappa", "f" * 16)
    other.put(0, {"x": 1})
    frames.put(0, {"x": 2})
    PartialStore(tmp_path / "another.nc").for_analysis("kappa", FINGERPRINT).put(0, {"x": 3})
    assert store.leftovers() == [other.folder]
    store.discard()
    assert other.get(0) == {"x": 1}


def test_frames_found_are_announced_once(store, frames):
    frames.put(0, {"x": 1})
    heard = []
    again = PartialStore(store.output, announce=lambda *what: heard.append(what))
    for _ in range(2):
        again.for_analysis("kappa", FINGERPRINT)
        again.for_analysis("kappa", "f" * 16)
    assert heard == [("kappa", 1)]


def _put_many(frames, first):
    for frame in range(first, first + 20):
        frames.put(frame, {"x": np.full(50, frame)})


def test_several_processes_share_it(frames):
    frames = pickle.loads(pickle.dumps(frames))
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_put_many, args=(frames, first)) for first in (0, 10)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert frames.frames() == list(range(30))
    assert all((frames.get(frame)["x"] == frame).all() for frame in range(30))


def test_a_killed_process_leaves_whole_frames_only(tmp_path):
    program = (
        "import numpy as np, sys; from pelplug.files.finished_frames import PartialStore\n"
        f"frames = PartialStore(sys.argv[1]).for_analysis('x', {FINGERPRINT!r})\n"
        "for frame in range(100000): frames.put(frame, {'x': np.full(200000, frame)})\n"
    )
    process = subprocess.Popen([sys.executable, "-B", "-c", program, str(tmp_path / "out.nc")])
    frames = PartialStore(tmp_path / "out.nc").for_analysis("x", FINGERPRINT)
    deadline = time.monotonic() + 60
    while len(frames) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    labels = frames.frames()
    assert len(labels) >= 5
    for label in labels:
        assert (frames.get(label)["x"] == label).all()


def test_a_full_disk_is_one_sentence(tmp_path):
    program = (
        "import numpy as np, sys, resource; from pelplug.files.finished_frames import PartialStore\n"
        "from pelplug.errors import RunError\n"
        f"frames = PartialStore(sys.argv[1]).for_analysis('x', {FINGERPRINT!r})\n"
        "frames.put(0, {'x': np.zeros(10)})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "try: frames.put(1, {'x': np.random.rand(100000)})\n"
        "except RunError as error: print(error)\n"
    )
    command = [sys.executable, "-B", "-c", program, str(tmp_path / "out.nc")]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.startswith("The disk is full")
    frames = PartialStore(tmp_path / "out.nc").for_analysis("x", FINGERPRINT)
    assert frames.frames() == [0]
    assert not list(frames.folder.glob("*.tmp"))


def test_a_folder_that_is_gone(tmp_path):
    (tmp_path / "file").write_text("")
    frames = PartialStore(tmp_path / "file" / "out.nc").for_analysis("x", FINGERPRINT)
    assert frames.get(0) is None
    with pytest.raises(RunError, match="could not be written"):
        frames.put(0, {"x": 1})
