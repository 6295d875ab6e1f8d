"""Results that a study must not read together, for what they were computed with and of which frames."""

import json
import tracemalloc

import numpy as np
import pytest
from oracles.studies import Slope, result

import pelplug
from pelplug.errors import InputError
from pelplug.tasks.collection import Collection
from pelplug.tasks.provenance import frames_in_words, frames_of_words

SHA = "sha256:" + 64 * "0"


def made_with(seed, parameters, inputs=None, free=("resamples",), frames=None, **more):
    one = result(1.0, 0.5, seed=seed, **{"request": f"run {seed}", **more})
    one.attrs["parameters"] = json.dumps(parameters)
    one.attrs["free_parameters"] = json.dumps(list(free))
    if inputs is not None:
        one.attrs["inputs"] = json.dumps({"minima": {"parameters": inputs, "free_parameters": list(free)}})
    if frames is not None:
        one.attrs["trajectories"] = json.dumps([{"file": "t.gsd", "sha256": SHA, "frames": frames}])
    return one


def refused(results, study=Slope):
    with pytest.raises(InputError) as error:
        study(results).run()
    sentence = str(error.value)
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence


def test_parameters_that_change_a_meaning_are_not_mixed_and_others_are():
    one = made_with(1, {"wave_number": 7.2, "resamples": 100})
    assert "parameters of height: wave_number (7.2 in dataset 1, 6 in dataset 2), with which" in refused(
        [one, made_with(2, {"wave_number": 6.0, "resamples": 100})]
    )
    Slope([one, made_with(2, {"wave_number": 7.2, "resamples": 200})]).run()
    Slope([one, made_with(2, {"wave_number": 7.2, "later": 3})]).run()  # which the first did not know


def test_neither_are_those_of_what_was_used():
    one = made_with(1, {}, {"force_tolerance": 1e-10, "minimiser": {"dt": 0.1}, "resamples": 3})
    other = made_with(2, {}, {"force_tolerance": 1e-6, "minimiser": {"dt": 0.1}})
    assert "parameters of minima, which height uses: force_tolerance (1e-10 in dataset 1, 1e-06 in" in refused(
        [one, other]
    )
    other = made_with(2, {}, {"force_tolerance": 1e-10, "minimiser": {"dt": 0.2}})
    assert "minima, which height uses: dt (0.1 in dataset 1, 0.2 in dataset 2)" in refused([one, other])
    Slope([one, made_with(2, {}, {"force_tolerance": 1e-10, "minimiser": {"dt": 0.1}, "resamples": 4})]).run()


def test_a_study_may_compare_a_parameter():
    class Waves(Slope):
        name = "waves"
        varies = ("temperature", "height.wave_number")

    both = [made_with(1, {"wave_number": q}, frames="0:9:1", request=str(q)) for q in (6.0, 7.2)]
    assert "wave_number" in refused(both)
    Waves(both).run()  # of the same frames, which are no two samples
    assert [one.parameters["wave_number"] for one in Waves(both).collection] == [6.0, 7.2]


def test_frames_that_two_results_share_are_refused_and_others_are_not():
    first = made_with(1, {}, frames="0:50:10", request="a")
    sentence = refused([first, made_with(1, {}, frames="45:60:1,40", request="b")])
    assert sentence == (
        "Dataset 1 and dataset 2 are of the same frames of t.gsd, which would count twice; leave one of them out."
    )
    Slope([first]).run()
    Slope([first, made_with(1, {}, frames="50:60:1", request="b")]).run()
    assert "the same frames of t.gsd" in refused([first, made_with(1, {}, frames="", request="b")])  # all of them


def test_one_result_without_request_is_known_twice():
    one = result(1.0)
    del one.attrs["request"]
    again = one.copy(deep=True)
    assert "are one result of height, which would count twice" in refused([one, again])
    again.attrs["created"] = "later"
    Slope([one, again]).run()


def test_numbers_of_frames_in_words():
    for frames in ([], [3], [3, 5], [0, 1, 2], [0, 10, 20, 30], [0, 1, 2, 7, 9, 10], [5, 5, 4]):
        assert frames_of_words(frames_in_words(frames)) == set(frames)
    assert frames_in_words(np.arange(0, 101, 10)) == "0:101:10" and frames_in_words(None) == ""


def test_a_study_of_many_files_has_one_variable_in_memory(tmp_path):
    megabyte = 2**17
    for k in range(30):
        one = result(float(k), 0.5, seed=k)
        one["large"] = ("entry", np.random.default_rng(k).random(megabyte))
        pelplug.write_netcdf(tmp_path / f"{k}.nc", one)
    tracemalloc.start()
    found = Collection(tmp_path / "*.nc")
    assert all("height" in one and "deep" not in one for one in found)
    heights = [float(one["height"].mean()) for one in found]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sorted(heights) == list(range(30)) and peak < 2**22  # of 30 MB


def test_what_is_compared_needs_more_than_one_value():
    class Compares(Slope):
        name = "compares"
        compares = ("temperature",)

    one, other = result(1.0, 0.5, seed=1), result(3.0, 1.0, seed=1)
    assert refused([one], Compares) == (
        "The study compares compares results of more than one temperature, and all of these are of 0.5; give results "
        "of another too (pelplug analyze --plugin height)."
    )
    Compares([one, other]).run()


def test_frames_of_all_results_with_the_run_of_each():
    def pooled(frames, sha, runs=None, request="a"):
        one = result(1.0, 0.5, request=request)
        one = one.isel(frame=[0] * frames).assign_coords(frame=np.arange(frames))
        one["height"] = ("frame", np.arange(float(frames)))
        one.attrs["trajectories"] = json.dumps([{"file": name, "sha256": name, "frames": ""} for name in sha])
        return one if runs is None else one.assign_coords(run=("frame", runs))

    found = Collection([pooled(3, "xy", [0, 0, 1]), pooled(2, "z"), pooled(1, "y"), pooled(2, "")])
    frames = found.frames(lambda one: {"height": one["height"].values, "wide": np.ones((one.sizes["frame"], 4))})
    assert frames["run"].values.tolist() == [0, 0, 1, 2, 2, 1, 3, 3]
    assert frames["height"].values.tolist() == [0, 1, 2, 0, 1, 0, 0, 1] and frames["wide"].shape == (8, 4)
