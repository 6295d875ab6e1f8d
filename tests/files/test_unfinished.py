import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from pelplug.errors import InputError, RunError
from pelplug.files.finished_frames import PartialStore
from pelplug.files.unfinished import Unfinished

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


# --- whose a folder is ------------------------------------------------------------------------------------------------

CODE = {"pelplug": "0.1.0+aaaa", "numba": "0.60"}


def simulation(path, temperature=1.0, code=CODE):
    return Unfinished(path, "simulation", {"temperature": temperature}, code=code)


@pytest.fixture
def begun(tmp_path):
    run = simulation(tmp_path / "t.gsd")
    run.save({"step": 7})
    return run


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_manifest_says_what_run_it_is(begun):
    manifest = json.loads(begun.path("manifest.json").read_text())
    assert manifest["kind"] == "simulation" and manifest["identity"] == {"temperature": 1.0}
    assert manifest["code"] == CODE and manifest["pid"] == os.getpid() and manifest["versions"]["numpy"]
    assert {"command", "begun", "user", "host", "fingerprint", "layout"} <= set(manifest)


def test_the_same_run_goes_on(tmp_path, begun):
    again = simulation(tmp_path / "t.gsd")
    again.claim()
    assert again.load() == {"step": 7}
    again.discard()
    assert list(tmp_path.iterdir()) == []


def test_other_code_does_not_go_on_and_loses_nothing(tmp_path, begun):
    before = content(begun.folder)
    newer = simulation(tmp_path / "t.gsd", code={**CODE, "numba": "0.61"})
    with pytest.raises(InputError, match=r"begun by other code \(numba 0\.60 then, 0\.61 now\)"):
        newer.claim()
    newer.release()
    assert content(begun.folder) == before
    newer.claim(overwrite=True)  # as the sentence says
    assert newer.load() is None
    newer.save({"step": 1})
    newer.claim()


def test_another_command_is_refused_and_with_overwrite_takes_its_place_at_the_end(tmp_path, begun):
    other = simulation(tmp_path / "t.gsd", temperature=2.0)
    with pytest.raises(InputError, match=r"unfinished simulation for .* made by another command"):
        other.claim()
    other.claim(overwrite=True)
    other.save({"step": 2})
    assert begun.load() == {"step": 7}  # until the other is complete
    other.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_the_last_version_is_refused_and_stays_as_it_is(tmp_path):
    """That had a command and a checkpoint of another form."""
    run = simulation(tmp_path / "t.gsd")
    for folder in (run.folder, tmp_path / ".t.gsd.00000000.partial"):
        folder.mkdir()
        (folder / "command.json").write_text('{"temperature": 1.0}')
        np.savez(folder / "checkpoint.npz", meta=np.array("{}"))
        before = content(folder)
        with pytest.raises(InputError, match=r"another version of pelplug.*; (finish|repeat).* or pass --overwrite"):
            run.claim()
        run.release()
        assert content(folder) == before
        run.claim(overwrite=True)
        run.discard()
        assert list(tmp_path.iterdir()) == []


def test_a_kill_between_folder_and_manifest_is_in_nobodys_way(tmp_path):
    run = simulation(tmp_path / "t.gsd")
    run.folder.mkdir()
    simulation(tmp_path / "t.gsd", temperature=2.0).claim()
    run.claim()
    run.save({"step": 1})
    run.claim()


def test_frames_stand_in_nobodys_way_but_of_a_simulation(tmp_path):
    """An analysis does not replace what an unfinished simulation is to write."""
    path = tmp_path / "t.gsd"
    store = PartialStore(path)
    store.for_analysis("quench", FINGERPRINT).put(0, {"x": 1})
    PartialStore(path).claim()
    with pytest.raises(InputError, match="unfinished analysis"):
        simulation(path).claim()
    store.discard()
    simulation(path).save({"step": 1})
    with pytest.raises(InputError, match="unfinished simulation"):
        PartialStore(path).claim()


def test_a_link_and_what_it_leads_to_share_a_folder(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "link.gsd").symlink_to(tmp_path / "there" / "t.gsd")
    assert simulation(tmp_path / "link.gsd").folder == simulation(tmp_path / "there" / "t.gsd").folder
