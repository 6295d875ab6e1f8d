"""Running analyses together: order, shared parameters, needs, models, and what the results record."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import pelplug
from pelplug.errors import InputError, RunError
from pelplug.files.finished_frames import PartialStore
from pelplug.host import functions as host
from pelplug.host.functions import run_analyses
from pelplug.host.pipeline import order, share_parameters
from pelplug.testing import make_trajectory, registry_with

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "thirdparty"))

import pelplug_awkward as awkward
from pelplug_good.analyses import Busiest, Drift, Near


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_trajectory(tmp_path_factory.mktemp("host") / "t.gsd", n=60, frames=5)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The same kind of liquid in a file that records no model."""
    path = tmp_path_factory.mktemp("host") / "plain.gsd"
    conf = pelplug.model("kob-andersen").random_configuration(60, 1)
    pelplug.write_trajectory(path, [conf])
    return path


REGISTRY = registry_with(
    Near, Busiest, Drift, awkward.Hungry, awkward.Circle1, awkward.Circle2, awkward.Orphan, awkward.Child,
    awkward.Returns, awkward.Fails,
)  # fmt: skip


@pytest.fixture(autouse=True)
def registry():
    before = host.default_registry()
    host.use_registry(REGISTRY)
    yield REGISTRY
    host.use_registry(before)


def test_one_name_gives_a_dataset_several_a_dict(path):
    one = pelplug.analyze("near", path, stop=2)
    assert isinstance(one, xr.Dataset) and one["frame"].values.tolist() == [0, 1]
    two = pelplug.analyze(["drift", "near"], path, frames=[4, 2])
    assert list(two) == ["drift", "near"] and two["near"]["frame"].values.tolist() == [4, 2]
    np.testing.assert_array_equal(two["drift"]["change"], np.diff(two["near"]["total"]))


def test_what_is_used_runs_first_and_once(path, monkeypatch):
    count = []
    compute = Near.compute
    monkeypatch.setattr(Near, "compute", lambda self, c: count.append(c.frame) or compute(self, c))
    run = run_analyses(["drift", "busiest"], path, parameters={"distance": 1.1})
    assert list(run.datasets) == ["near", "drift", "busiest"] and run.requested == ("drift", "busiest")
    assert count == [0, 1, 2, 3, 4]
    assert run.analyses["busiest"].inputs["near"] is run.datasets["near"]
    inputs = json.loads(run.datasets["busiest"].attrs["inputs"])
    assert inputs["near"]["parameters"]["distance"] == 1.1
    assert inputs["near"]["fingerprint"] == run.datasets["near"].attrs["fingerprint"]


def test_a_failed_frame_fails_in_what_uses_it_and_nowhere_else(path):
    datasets = pelplug.analyze(["near", "busiest"], path, fail_at=[1])
    for dataset in datasets.values():
        assert dataset["frame"].values.tolist() == [0, 2, 3, 4]
    reason = json.loads(datasets["busiest"].attrs["failed_frames"])["1"]
    assert reason == "near has no result for this frame: ZeroDivisionError: told to fail"


def test_order_circles_and_orphans():
    names = [cls.name for cls in order(["drift", "near", "busiest"], REGISTRY)]
    assert names == ["near", "drift", "busiest"]
    with pytest.raises(InputError, match="in a circle, circle1 -> circle2 -> circle1"):
        order(["circle1"], REGISTRY)
    with pytest.raises(InputError, match=r"The analysis orphan uses inherent-structure\. There is no analysis"):
        order(["orphan"], REGISTRY)


def test_parameters_go_to_all_that_have_them_or_to_one():
    classes = [awkward.Returns, awkward.Child, Near]
    shares = share_parameters(
        classes, {"what": "list", "child.what": "length", "child.depth": "3", "near.fail-at": "1"}
    )
    assert shares["returns"] == {"what": "list"}
    assert shares["child"] == {"what": "length", "depth": 3}
    assert shares["near"] == {"distance": 1.2, "fail_at": (1,)}


@pytest.mark.parametrize(
    ("names", "parameters", "words"),
    [
        ("near", {"pairs": 1}, "The analysis near has no parameter 'pairs'"),
        ("busiest", {"distence": 1}, r"This run of near, busiest has no parameter 'distence' \(did you mean distance"),
        ("near", {"kappa.pairs": 1}, "is for kappa, which is not run here"),
        ("busiest", {"busiest.distance": 1}, "The analysis busiest has no parameter 'distance'"),
        ("near", {"distance": "far"}, "The parameter distance of the analysis near must be a number, not 'far'"),
        ("near", {"distance": -1}, "must be above 0"),
    ],
)
def test_parameters_are_checked_before_the_file_is_opened(names, parameters, words):
    with pytest.raises(InputError, match=words):
        run_analyses(names, "no-such-file.gsd", parameters=parameters)


def test_bad_input_is_refused_in_one_sentence(path, tmp_path):
    for arguments, words in [
        (("naer", path), "did you mean near"),
        (([], path), "No analysis is named"),
        (("near", tmp_path / "missing.gsd"), "missing.gsd"),
    ]:
        with pytest.raises(InputError, match=words) as caught:
            pelplug.analyze(*arguments)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="start = 9 is out of range"):
        pelplug.analyze("near", path, start=9)
    with pytest.raises(InputError, match="The trajectory is open already; give dt"):
        pelplug.analyze("near", pelplug.open_trajectory(path), dt=0.1)


def test_the_model_is_the_one_given_or_the_files_own(path, plain):
    own = pelplug.analyze("hungry", path, stop=1)
    assert json.loads(own.attrs["model"])["name"] == "kob-andersen"
    given = pelplug.analyze("hungry", plain, model="kob-andersen")
    smooth = pelplug.analyze("hungry", plain, model=pelplug.model("kob-andersen", truncation="smooth"))
    assert json.loads(smooth.attrs["model"])["parameters"]["truncation"] == "smooth"
    assert float(given["x"][0]) != float(smooth["x"][0])
    conf = pelplug.read_configuration(plain)
    assert float(given["x"][0]) == pelplug.model("kob-andersen").potential(conf).energy(conf)
    with pytest.raises(InputError, match=r"not both \(model= or potential= in Python\)"):
        pelplug.analyze("hungry", plain, model="kob-andersen", potential=object())


def test_a_missing_model_names_those_that_fit(plain):
    with pytest.raises(InputError) as caught:
        pelplug.analyze(["near", "hungry"], plain)
    sentence = str(caught.value)
    assert "The analysis hungry needs a Hessian of" in sentence and "pass --model NAME (fits this file:" in sentence
    fitting = sentence.partition("fits this file: ")[2].partition(")")[0].split(", ")
    assert "kob-andersen" in fitting and "modified-kob-andersen" in fitting
    assert "kob-andersen-2d" not in fitting and "inverse-power-law" not in fitting


def test_no_model_fits_strange_species(tmp_path):
    conf = pelplug.model("kob-andersen").random_configuration(60, 1)
    conf = conf.replace(species=np.where(conf.species == "A", "Xx", "Yy"))
    pelplug.write_trajectory(tmp_path / "t.gsd", [conf])
    with pytest.raises(InputError, match="--species"):
        pelplug.analyze("hungry", tmp_path / "t.gsd")
    dataset = pelplug.analyze("hungry", tmp_path / "t.gsd", model="kob-andersen", species={"Xx": "A", "Yy": "B"})
    assert dataset.sizes["frame"] == 1


def test_a_model_that_does_not_fit_is_refused_before_work(plain):
    with pytest.raises(InputError, match="kob-andersen-2d") as caught:
        pelplug.analyze("hungry", plain, model="kob-andersen-2d")
    assert "failed" not in str(caught.value)


def test_the_command_is_recorded_when_there_is_one(path):
    run = run_analyses("near", path, frames=[0], command="pelplug analyze --plugin near t.gsd")
    assert run.datasets["near"].attrs["command"] == "pelplug analyze --plugin near t.gsd"
    assert "command" not in pelplug.analyze("near", path, frames=[0]).attrs


def test_parallel_run_of_a_chain_equals_serial(path):
    serial = run_analyses(["busiest", "drift"], path, parameters={"fail_at": (3,)})
    names = ["busiest", "drift"]
    parallel = run_analyses(names, path, parameters={"fail_at": (3,)}, backend="multiprocessing", workers=2)
    for name, dataset in serial.datasets.items():
        other = parallel.datasets[name]
        del dataset.attrs["created"], other.attrs["created"]
        assert dataset.identical(other)


def test_a_stopped_run_goes_on(path, tmp_path, monkeypatch):
    store = PartialStore(tmp_path / "out.nc")
    compute = Busiest.compute

    def stop(self, configuration):
        if configuration.frame == 2:
            raise KeyboardInterrupt
        return compute(self, configuration)

    monkeypatch.setattr(Busiest, "compute", stop)
    with pytest.raises(KeyboardInterrupt):
        pelplug.analyze("busiest", path, store=store)
    assert store.found() == {"near": 5, "busiest": 2}
    seen = []
    monkeypatch.setattr(Busiest, "compute", lambda self, c: seen.append(c.frame) or compute(self, c))
    resumed = pelplug.analyze("busiest", path, store=store)
    assert seen == [2, 3, 4]
    assert resumed.drop_attrs().identical(pelplug.analyze("busiest", path).drop_attrs())


def test_a_bug_outside_the_frames_names_the_plugin(path, monkeypatch):
    def prepare(self):
        raise OSError("no licence server")

    monkeypatch.setattr(Near, "prepare", prepare)
    with pytest.raises(RunError, match=r"analysis near of the plugin under-test .* failed: OSError: no licence server"):
        pelplug.analyze("near", path)


def test_running_out_of_memory_names_the_remedy(path, monkeypatch):
    def summarize(self, dataset):
        raise MemoryError

    monkeypatch.setattr(Near, "summarize", summarize)
    with pytest.raises(RunError, match="ran out of memory; take fewer frames"):
        pelplug.analyze("near", path)


def test_an_analysis_that_cannot_be_split_runs_serially(path, monkeypatch):
    monkeypatch.setattr(Near, "_analysis_algorithm_is_parallelizable", False)
    assert pelplug.analyze("near", path, backend="multiprocessing", workers=2).sizes["frame"] == 5
    with pytest.raises(InputError, match="cannot be split"):
        Near(path).run(backend="multiprocessing")
    with pytest.raises(InputError, match=r"backend .* must be one of serial, .* not 'gpu'"):
        pelplug.analyze("near", path, backend="gpu")


def test_a_form_by_its_name_is_the_one_that_models_use():
    form = pelplug.form("lennard-jones")
    state = pelplug.model("kob-andersen").random_configuration(50, 1)
    assert pelplug.model("kob-andersen").potential(state).form is form
    with pytest.raises(InputError, match=r"no functional form 'lenard-jones' \(did you mean lennard-jones\?\)"):
        pelplug.form("lenard-jones")
