"""Analysis: frames apart from each other, joined by label, the same in one process and in several."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import pelplug
from pelplug.errors import InputError, NotConvergedError, RunError
from pelplug.files.finished_frames import PartialStore
from pelplug.testing import make_trajectory

SOURCES = Path(__file__).parents[1] / "data" / "thirdparty"
sys.path.insert(0, str(SOURCES))  # worker processes import the classes by name

import pelplug_awkward as awkward  # noqa: E402
from pelplug_good.analyses import Busiest, Drift, Near  # noqa: E402


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_trajectory(tmp_path_factory.mktemp("analysis") / "t.gsd", n=60, frames=7)


@pytest.fixture(scope="module")
def trajectory(path):
    return pelplug.open_trajectory(path, dt=0.005)


def identical(one, other):
    for dataset in (one := one.copy(), other := other.copy()):
        dataset.attrs = {key: value for key, value in dataset.attrs.items() if key != "created"}
    return one.identical(other)


# --- frames ----------------------------------------------------------------------------------------------------


def test_dataset_has_units_labels_and_every_shape(trajectory):
    analysis = Near(trajectory, distance=1.1).run(start=1, step=2)
    dataset = analysis.to_dataset()
    assert dataset["frame"].values.tolist() == [1, 3, 5]
    assert dataset["step"].values.tolist() == [100, 300, 500]
    np.testing.assert_allclose(dataset["time"], [0.5, 1.5, 2.5], rtol=1e-15)
    assert dataset["count"].dims == ("frame", "particle") and dataset["count"].shape == (3, 60)
    assert dataset["separation"].dims == ("pair",) and dataset["pair_particles"].dims == ("pair", "end")
    assert dataset["separation"].attrs == {"units": "length", "long_name": "distance of a near pair"}
    assert dataset["mean_count"].attrs["units"] == "1"
    for label, total in zip([1, 3, 5], dataset["total"].values, strict=True):
        assert np.count_nonzero(dataset["pair_frame"] == label) == total
    assert (dataset["separation"] < 1.1).all()
    np.testing.assert_array_equal(analysis.results.total, dataset["total"])
    assert analysis.frames.tolist() == [1, 3, 5] and analysis.results.dataset is dataset


def test_values_against_freud(trajectory):
    import freud

    dataset = Near(trajectory, distance=1.2).run(frames=[4]).to_dataset()
    conf = trajectory.configuration(4)
    query = freud.locality.AABBQuery(*conf.freud())
    found = query.query(query.points, {"r_max": 1.2, "exclude_ii": True})
    counts = found.toNeighborList().neighbor_counts
    np.testing.assert_array_equal(dataset["count"].values[0], counts)


def test_a_failing_frame_is_recorded_and_the_others_kept(trajectory):
    dataset = Near(trajectory, fail_at=(2, 5)).run().to_dataset()
    assert dataset["frame"].values.tolist() == [0, 1, 3, 4, 6]
    assert json.loads(dataset.attrs["failed_frames"]) == {
        "2": "ZeroDivisionError: told to fail",
        "5": "ZeroDivisionError: told to fail",
    }
    whole = Near(trajectory).run().to_dataset()
    xr.testing.assert_equal(whole["count"].sel(frame=dataset["frame"]), dataset["count"])


@pytest.mark.parametrize(
    ("backend", "frames"), [("multiprocessing", [6, 0, 3, 2, 5]), ("multiprocessing", [4]), ("dask", None)]
)
def test_parallel_equals_serial(trajectory, backend, frames):
    serial = Near(trajectory, fail_at=(2,)).run(frames=frames).to_dataset()
    parallel = Near(trajectory, fail_at=(2,)).run(frames=frames, backend=backend, n_workers=2).to_dataset()
    assert identical(serial, parallel)


def test_inputs_are_joined_by_label_not_by_position(trajectory):
    near = Near(trajectory, fail_at=(2,)).run(frames=[6, 5, 2, 1, 0]).to_dataset()
    serial = Busiest(trajectory, inputs={"near": near}).run(frames=[0, 1, 2, 3, 6])
    dataset = serial.to_dataset()
    assert dataset["frame"].values.tolist() == [0, 1, 6]
    for label in (0, 1, 6):
        expected = near["separation"].values[near["pair_frame"].values == label].min()
        assert float(dataset["shortest"].sel(frame=label)) == expected
    failed = json.loads(dataset.attrs["failed_frames"])
    assert failed["2"] == "near has no result for this frame: ZeroDivisionError: told to fail"
    assert failed["3"] == "near has no result for this frame: it was not analysed"
    other = Busiest(trajectory, inputs={"near": near}).run(
        frames=[0, 1, 2, 3, 6], backend="multiprocessing", n_workers=2
    )
    assert identical(dataset, other.to_dataset())


def test_an_analysis_of_results_reads_no_frames(trajectory):
    near = Near(trajectory).run().to_dataset()
    dataset = Drift(trajectory, inputs={"near": near}).run(backend="multiprocessing").to_dataset()
    np.testing.assert_array_equal(dataset["change"], np.diff(near["total"]))
    with pytest.raises(InputError, match="uses near, which was not given"):
        Drift(trajectory).run()


def test_a_frame_that_cannot_be_read_fails_alone(tmp_path):
    text = ""
    for k in range(3):
        x = "nan" if k == 1 else f"{0.5 + 0.1 * k}"
        text += f'2\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3\nA {x} 1 1\nB 2 2 2\n'
    (tmp_path / "t.xyz").write_text(text)
    dataset = Near(tmp_path / "t.xyz").run().to_dataset()
    assert dataset["frame"].values.tolist() == [0, 2]
    assert "NaN" in json.loads(dataset.attrs["failed_frames"])["1"]


@pytest.mark.parametrize(
    ("how", "kind", "words"),
    [
        ("input", InputError, "The species are wrong; map them."),
        ("converge", NotConvergedError, "raise max_evaluations"),
        ("bug", RunError, "IndexError: list index out of range"),
    ],
)
def test_all_frames_failing_is_an_error_of_their_kind(trajectory, how, kind, words):
    backend = "multiprocessing" if how == "converge" else "serial"
    with pytest.raises(kind, match="failed in all 7 frames; frame 0: ") as caught:
        awkward.Fails(trajectory, how=how).run(backend=backend)
    assert type(caught.value) is kind and words in str(caught.value)
    assert "Traceback" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("list", "must return a dict"),
        ("unknown", "variable 'y', which it does not declare per frame"),
        ("not per frame", "variable 'late', which it does not declare per frame"),
        ("length", "'v' with length 59 along particle"),
        ("dimensions", r"'v' with shape \(60, 3\) for a frame"),
        ("object", "not numbers or text"),
        ("changes", "declared ragged"),
        ("sometimes", "in frame 1 but not in frame 0"),
    ],
)
def test_what_compute_returns_is_checked(trajectory, what, words):
    with pytest.raises(RunError, match=words) as caught:
        awkward.Returns(trajectory, what=what).run()
    assert "analysis returns" in str(caught.value)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("nothing", "NoneType"),
        ("undeclared", "'z'"),
        ("dims", "'late' the dim"),
    ],
)
def test_what_summarize_returns_is_checked(trajectory, how, words):
    with pytest.raises(RunError, match=words) as caught:
        awkward.Summary(trajectory, how=how).run()
    assert "analysis summary" in str(caught.value)


def test_frames_stay_where_summarize_fails(trajectory):
    found = awkward.Summary(trajectory, how="bug").run().to_dataset()
    assert found.sizes["frame"] == 7 and float(found.x.sum()) == 7.0
    assert json.loads(found.attrs["failed_parts"]) == {"what is taken over all frames": "IndexError: bug"}


def test_a_worker_that_dies_ends_the_run_in_a_sentence(trajectory):
    with pytest.raises(RunError, match="A worker process died"):
        awkward.Dies(trajectory).run(backend="multiprocessing", n_workers=2)


# --- selection and needs ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        ({"start": 7}, "start = 7 is out of range.*has 7 frames, 0 to 6"),
        ({"start": -8}, "out of range"),
        ({"step": 0}, "step is 0"),
        ({"start": 3, "stop": 3}, "No frame is selected by start = 3, stop = 3"),
        ({"start": 1.5}, r"start \(--start\) must be an integer"),
        ({"frames": []}, "empty"),
        ({"frames": [9]}, "Frame 9 is out of range"),
        ({"frames": [1, -6]}, "named twice"),
        ({"frames": [True]}, "1 truth values"),
        ({"frames": [False] * 7}, "selects no frame"),
        ({"frames": [0.5]}, "list of integers"),
        ({"frames": [0], "stop": 2}, "not both"),
    ],
)
def test_frames_that_do_not_exist_are_refused(trajectory, selection, words):
    with pytest.raises(InputError, match=words):
        Near(trajectory).run(**selection)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"step": -1}, [6, 5, 4, 3, 2, 1, 0]),
        ({"start": -2}, [5, 6]),
        ({"stop": 100, "step": 3}, [0, 3, 6]),
        ({"frames": [-1, 2]}, [6, 2]),
        ({"frames": np.arange(7) % 3 == 1}, [1, 4]),
    ],
)
def test_selections(trajectory, selection, expected):
    assert Near(trajectory).run(**selection).to_dataset()["frame"].values.tolist() == expected


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"backend": "threads"}, "no backend 'threads'; use serial"),
        ({"backend": "multiprocessing", "n_workers": 0}, "positive integer"),
        ({"scheduler": "tcp://x:1"}, "needs the dask backend"),
    ],
)
def test_backends_that_do_not_exist_are_refused(trajectory, arguments, words):
    with pytest.raises(InputError, match=words):
        Near(trajectory).run(**arguments)


NEED = pelplug.Need


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        (NEED.HESSIAN, "needs a Hessian of .*: pass model= or potential="),
        (NEED.POTENTIAL, "needs the potential energy"),
        (NEED.VELOCITIES, "needs velocities, which .* does not have; write them"),
        (NEED.IMAGES, "needs image flags"),
        (NEED.DIAMETERS, "needs the diameter of each particle"),
        (NEED.TIME, "pass --frame-interval"),
        (NEED.SERIES, "needs a logged series"),
    ],
)
def test_needs_are_checked_before_anything_runs(tmp_path, monkeypatch, needs, words):
    (tmp_path / "t.xyz").write_text('1\nLattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3\nA 1 1 1\n')
    monkeypatch.setattr(awkward.Hungry, "needs", needs)
    with pytest.raises(InputError, match=words):
        awkward.Hungry(tmp_path / "t.xyz").run()


def test_hessian_implies_potential():
    assert NEED.POTENTIAL in NEED.HESSIAN and NEED.HESSIAN not in NEED.POTENTIAL


def test_potential_from_model_or_given(trajectory):
    model = pelplug.model("kob-andersen")
    by_model = awkward.Hungry(trajectory, model=model).run(stop=2).to_dataset()
    potential = model.potential(trajectory.configuration(0))
    by_potential = awkward.Hungry(trajectory, potential=potential).run(stop=2).to_dataset()
    np.testing.assert_array_equal(by_model["x"], by_potential["x"])
    assert json.loads(by_model.attrs["model"])["name"] == "kob-andersen"
    assert json.loads(by_potential.attrs["model"]) != json.loads(by_model.attrs["model"])
    with pytest.raises(InputError, match="Pass a model, not its name"):
        awkward.Hungry(trajectory, model="kob-andersen")


# --- parameters ------------------------------------------------------------------------------------------------


def test_parameters_are_checked_however_the_class_is_made(trajectory):
    analysis = Near(trajectory, distance="1.5")
    assert analysis.distance == 1.5 and analysis.parameters == {"distance": 1.5, "fail_at": ()}
    with pytest.raises(InputError, match="above 0"):
        Near(trajectory, distance=0)
    with pytest.raises(InputError, match=r"no parameter 'distence' \(did you mean distance\?\)"):
        Near(trajectory, distence=1)
    with pytest.raises(InputError, match="The analysis busiest has no parameter 'pairs'; it has none"):
        Busiest(trajectory, pairs=1)


def test_inherited_parameters(trajectory):
    child = awkward.Child(trajectory, depth="2")
    assert child.parameters == {"depth": 2, "what": "fine"} and child.what == "fine"
    with pytest.raises(InputError, match="analysis child must be at least 0"):
        awkward.Child(trajectory, depth=-1)


# --- provenance, pickling, plotting ----------------------------------------------------------------------------


def test_provenance(trajectory, path):
    import hashlib

    attrs = Near(trajectory, distance=1.3).run(stop=1).to_dataset().attrs
    assert attrs["analysis"] == "near" and json.loads(attrs["parameters"]) == {"distance": 1.3, "fail_at": []}
    assert attrs["input_file"] == "t.gsd"
    assert attrs["input_sha256"].removeprefix("sha256:") == hashlib.sha256(path.read_bytes()).hexdigest()
    assert attrs["cites"] == "A. Author, J. Examples 1, 1 (2020)"
    versions = json.loads(attrs["versions"])
    assert versions["numpy"] == np.__version__ and {"python", "MDAnalysis", "numba", "pelplug"} <= set(versions)
    assert attrs["pelplug_version"] == pelplug.__version__ and attrs["created"].endswith("+00:00")


def test_the_fingerprint_changes_with_what_changes_the_result(path, trajectory, tmp_path):
    model = pelplug.model("kob-andersen")
    base = Near(trajectory, model=model).fingerprint()
    assert Near(pelplug.open_trajectory(path, dt=0.005), model=model).fingerprint() == base
    other_file = make_trajectory(tmp_path / "t.gsd", n=60, frames=7, seed=1)
    near = Near(trajectory).run(stop=1).to_dataset()
    far = Near(trajectory, distance=2).run(stop=1).to_dataset()
    different = [
        base,
        Near(trajectory, model=model, distance=1.21).fingerprint(),
        Near(trajectory, model=pelplug.model("kob-andersen", truncation="smooth")).fingerprint(),
        Near(trajectory).fingerprint(),
        Near(other_file, model=model).fingerprint(),
        Near(path, model=model).fingerprint(),  # another time step
        Near(pelplug.open_trajectory(path, species={"A": "X"}, dt=0.005), model=model).fingerprint(),
        Busiest(trajectory, inputs={"near": near}).fingerprint(),
        Busiest(trajectory, inputs={"near": far}).fingerprint(),
    ]
    assert len(set(different)) == len(different)


def test_from_dataset_plots_again(trajectory):
    dataset = Near(trajectory, distance=1.1).run(stop=3).to_dataset()
    again = Near.from_dataset(dataset)
    assert again.distance == 1.1 and again.to_dataset() is dataset
    axes = again.figure().axes[0]
    assert axes.get_xlabel() == "number of near particles" and axes.get_title() == Near.summary
    with pytest.raises(InputError, match="no trajectory"):
        again.run()
    busiest = Busiest(trajectory, inputs={"near": dataset}).run(stop=3)
    assert busiest.plot().get_xlabel() == "$t$ (time)"
    with pytest.raises(RunError, match=r"call run\(\) first"):
        Busiest(trajectory).to_dataset()


# --- stopping and going on -------------------------------------------------------------------------------------


def test_finished_frames_are_not_computed_again(trajectory, tmp_path, monkeypatch):
    whole = Near(trajectory).run().to_dataset()
    store = PartialStore(tmp_path / "out.nc")
    Near(trajectory, store=store).run(stop=4)
    seen = []
    compute = Near.compute
    monkeypatch.setattr(Near, "compute", lambda self, c: seen.append(c.frame) or compute(self, c))
    dataset = Near(trajectory, store=store).run().to_dataset()
    assert seen == [4, 5, 6]
    assert identical(dataset, whole)
    Near(trajectory, store=store, distance=1.0).run(stop=1)
    assert seen == [4, 5, 6, 0]


SCRIPT = """
import sys
sys.path.insert(0, {sources!r})
import pelplug
from pelplug.files.finished_frames import PartialStore
from pelplug_awkward import Slow
store = PartialStore({out!r})
print("started", flush=True)
analysis = Slow(pelplug.open_trajectory({path!r}, dt=0.005), store=store)
analysis.run(backend={backend!r}, n_workers={workers})
"""


@pytest.mark.parametrize("backend", ["serial", "multiprocessing"])
def test_ctrl_c_keeps_finished_frames(tmp_path, backend):
    path = make_trajectory(tmp_path / "t.gsd", n=60, frames=40)
    out = tmp_path / "out.nc"
    code = SCRIPT.format(
        sources=str(SOURCES), out=str(out), path=str(path), backend=backend, workers=2 if backend != "serial" else None
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    store = PartialStore(out)
    frames = store.for_analysis("slow", awkward.Slow(pelplug.open_trajectory(path, dt=0.005)).fingerprint())
    deadline = time.monotonic() + 60
    while len(frames) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as the terminal does: to every process of the group
    stopped = time.monotonic()
    _, errors = process.communicate(timeout=30)
    assert time.monotonic() - stopped < 10
    assert process.returncode != 0 and errors.rstrip().endswith("KeyboardInterrupt"), errors
    assert errors.count("Traceback") == 1  # the workers say nothing
    assert 2 <= len(frames) < 40
    labels = [label for label in range(40) if frames.get(label) is not None]
    trajectory = pelplug.open_trajectory(path)
    assert float(frames.get(labels[0])["x"]) == trajectory.configuration(labels[0]).positions[0, 0]


def test_an_unguarded_script_may_use_processes(path, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(SOURCES)!r})\n"
        "from pelplug_good.analyses import Near\n"
        f"dataset = Near({str(path)!r}).run(backend='multiprocessing', n_workers=2).to_dataset()\n"
        "print('frames', dataset.sizes['frame'])\n"
    )
    out = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=60)
    assert out.stdout == "frames 7\n", out.stderr
