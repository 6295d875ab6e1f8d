"""Studies: results by their conditions, what they may not mix, and theories."""

import os

import numpy as np
import pytest
import xarray as xr
from oracles.studies import FIELD, KOB, RUNS, Slope, Square, files, registry, result  # noqa: F401 (fixtures)

import pelplug
from pelplug.core.conditions import Conditions
from pelplug.core.units import Units
from pelplug.errors import InputError, RunError
from pelplug.host.checks import check_study_contract
from pelplug.tasks.collection import Collection


def refused(results, study=Slope, **parameters):
    with pytest.raises(InputError) as error:
        study(results, **parameters).run()
    sentence = str(error.value)
    assert sentence.endswith(".") and "\n" not in sentence
    return sentence


def test_independent_runs_are_averaged_at_each_temperature_in_its_order():
    dataset = Slope(RUNS).run().to_dataset()
    assert dataset["temperature"].values.tolist() == [0.5, 1.0]
    np.testing.assert_allclose(dataset["mean"], [4.0, 8.25])
    np.testing.assert_allclose(dataset["mean_error"], [1.0, 0.25])
    assert dataset["mean"].dims == ("temperature",) and "temperature" in dataset.coords
    assert float(dataset["largest"]) == 8.25


def test_files_patterns_mappings_and_datasets_give_the_same(files):  # noqa: F811
    expected = Slope(RUNS).run().to_dataset()
    paths = [files / f"run-{k}.nc" for k in range(4)]
    pattern = os.fspath(files / "run-[0-3].nc")
    for given in (paths, map(str, paths), pattern, [pattern, paths[0]], dict(enumerate(RUNS)), Collection(RUNS)):
        dataset = Slope(given).run().to_dataset()
        xr.testing.assert_equal(dataset, expected)


def test_values_of_a_file_are_read_when_they_are_asked_for(files, monkeypatch):  # noqa: F811
    import pelplug.tasks.collection as module

    read = []
    monkeypatch.setattr(module, "read_results", lambda path: read.append(path) or pelplug.read_results(path))
    found = Collection(files / "run-*.nc")
    assert len(found) == 4 and found.analyses == ("height",) and read == []
    assert [len(group) for group in found.groups()] == [2, 2]
    assert found.results[1].dataset["height"].values.tolist() == [7.0, 9.0] and len(read) == 1


def test_a_file_that_changes_meanwhile_is_refused(files):  # noqa: F811
    found = Collection(files / "run-0.nc")
    changed = RUNS[0].copy()
    changed.attrs["created"] = "later"
    pelplug.write_netcdf(files / "run-0.nc", changed, overwrite=True)
    with pytest.raises(InputError, match=r"run-0.nc was written anew while it was read"):
        _ = found.results[0].dataset


def test_a_variable_that_is_not_there_is_told(files):  # noqa: F811
    partial = RUNS[0].copy()
    partial.attrs["failed_parts"] = '{"the depth": "ValueError: deep"}'
    one = Collection(partial).results[0]
    assert one["height"].values.tolist() == [2.0, 4.0]
    with pytest.raises(InputError, match=r"dataset 1 has no depth .* of height; the depth was left out, which failed"):
        one["depth"]


def test_the_result_says_where_it_comes_from(files):  # noqa: F811
    study = Slope([files / f"run-{k}.nc" for k in range(4)], factor=2).run()
    dataset = study.to_dataset()
    assert dataset.attrs["task"] == "study" and dataset.attrs["analysis"] == "slope"
    assert dataset.attrs["title"] == Slope.summary and '"factor": 2.0' in dataset.attrs["parameters"]
    assert dataset.attrs["collection"].count('"sha256": "sha256:') == 4
    shared = Conditions.of(dataset)
    assert (shared.n, shared.density, shared.model["name"]) == (100, 1.2, "kob-andersen")
    assert set(shared.several) == {"temperature", "seed"}
    other = Slope([files / f"run-{k}.nc" for k in range(3)], factor=2)
    again = Slope([files / f"./run-{k}.nc" for k in (3, 1, 2, 0)], factor=2)
    assert other.fingerprint() != study.fingerprint() == again.fingerprint()


def test_units_are_those_of_the_results():
    metal = Units.of("metal")
    both = [result(1.0, 300.0, units=metal, seed=1), result(3.0, 400.0, units=metal, seed=1)]
    dataset = Slope(both).run().to_dataset()
    assert dataset["temperature"].attrs["units"] == "K" and dataset["mean"].attrs["units"] == "eV / Angstrom**2"


def test_a_study_is_drawn_again_from_its_file(tmp_path, registry):  # noqa: F811
    dataset = pelplug.study("slope", RUNS, factor=3)
    pelplug.write_netcdf(tmp_path / "slope.nc", dataset)
    for given in (dataset, tmp_path / "slope.nc"):
        (ax,) = pelplug.plot(given).axes
        line = ax.lines[0]
        np.testing.assert_allclose(line.get_xydata(), [[0.5, 12.0], [1.0, 24.75]])
        assert ax.get_title() == Slope.summary and ax.get_xlabel() == "temperature (temperature)"
    again = Slope.from_dataset(dataset)
    assert again.factor == 3.0 and again.to_dataset() is dataset
    assert pelplug.plot(dataset)._repr_png_().startswith(b"\x89PNG")


def test_several_are_drawn_over_each_other_each_with_its_errors(registry):  # noqa: F811
    some = [pelplug.study("slope", RUNS, factor=factor) for factor in (1, 2)]
    for one, label in zip(some, "ab", strict=True):
        one.attrs["conditions"] = one.attrs["conditions"].replace('"n": 100', f'"label": "{label}", "n": 100')
    (ax,) = pelplug.plot(some).axes
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    heights = [line.get_ydata().tolist() for line in ax.lines if line.get_marker() == "o"]
    assert heights == [[4.0, 8.25], [8.0, 16.5]] and len(ax.collections) == 2  # bars


def test_a_theory_reads_nothing(registry):  # noqa: F811
    dataset = pelplug.study("square", points=3)
    assert dataset["y"].values.tolist() == [0.0, 0.25, 1.0]
    assert "is a theory, which reads no results; leave dataset 1 out" in refused(RUNS[:1], Square)


def test_what_is_not_there_is_told(registry, files):  # noqa: F811
    assert "reads results of height, and there are none; give the files" in refused([])
    assert "reads results of height, and there are none" in refused(None)
    sentence = refused([RUNS[0], result(1.0, analysis="depth")])
    assert sentence == "Dataset 2 holds a result of depth, and the study slope reads those of height; leave it out."

    class Two(Slope):
        name = "two"
        uses = ("height", "depth")

    assert "there is none of depth; give one (pelplug analyze --plugin depth)" in refused(RUNS, Two)
    with pytest.raises(InputError, match=r"No file fits .*none-.*nc; check the pattern"):
        Slope(files / "none-*.nc")
    with pytest.raises(InputError, match=r"is a folder; give the results in it: '.*\*.nc'"):
        Slope(files)
    with pytest.raises(InputError, match="There is no file"):
        Slope("nowhere.nc")
    with pytest.raises(InputError, match="Dataset 1 is no result of pelplug"):
        Slope(xr.Dataset())
    with pytest.raises(InputError, match="There are no results to draw; give some"):
        pelplug.plot([])
    with pytest.raises(InputError, match="Results are files, datasets or lists of them, not 3"):
        Slope(3)
    with pytest.raises(InputError, match=r"There is no study 'slpe' \(did you mean slope\?\)"):
        pelplug.study("slpe", RUNS)
    with pytest.raises(InputError, match="'dynamics': it is the analysis `pelplug analyze --plugin dynamics`"):
        pelplug.study("dynamics", RUNS)
    with pytest.raises(InputError, match="'slope': it is the study `pelplug study slope`"):
        pelplug.analyze("slope", "traj.gsd")
    with pytest.raises(InputError, match="study slope has no parameter 'facto'"):
        pelplug.study("slope", RUNS, facto=1)


def test_one_file_of_several_analyses_gives_those_that_are_used(tmp_path):
    pelplug.write_netcdf(tmp_path / "both.nc", {"depth": result(9.0, analysis="depth"), "height": RUNS[0]})
    assert float(Slope(tmp_path / "both.nc").run().to_dataset()["largest"]) == 3.0


@pytest.mark.parametrize(
    "other, sentence",
    [
        (result(1.0, 2.0, units=Units.of("metal")), "in different units, length (unsaid in dataset 1, Angstrom in"),
        (result(1.0, 2.0, model={**KOB, "parameters": {"truncation": "smooth"}}), "models, truncation (shift in"),
        (result(1.0, 2.0, model=None), "of different models, name (kob-andersen in dataset 1, unsaid in dataset 2)"),
        (result(1.0, 2.0, density=1.1), "differ in the density (1.2 in dataset 1, 1.1 in dataset 2)"),
        (result(1.0, 2.0, n=99), "differ in the number of particles (100 in dataset 1, 99 in dataset 2)"),
        (result(1.0, 2.0, label="mine"), "differ in the label (unsaid in dataset 1, mine in dataset 2)"),
        (result(1.0, 2.0, density=None, several=("density",)), "differ in the density (1.2 in dataset 1, unsaid"),
        (result(1.0, 2.0, version=1), "written by an earlier version of pelplug (provenance 1) than dataset 1 (2)"),
        (result(1.0, 2.0, version=4), "update pelplug"),
        (result(1.0, None), "Dataset 2 does not say its temperature, which the study slope needs; make it anew with"),
        (result(1.0, None, several=("temperature",)), "Dataset 2 is of states of more than one temperature"),
        (result(1.0, request=RUNS[0].attrs["request"]), "are one result of height, which would count twice"),
    ],
)
def test_what_is_mixed_or_missing_is_refused_and_left_out_it_works(other, sentence):
    assert sentence in refused([RUNS[0], other])
    assert Slope([RUNS[0]]).run().to_dataset().sizes["temperature"] == 1


def test_a_study_may_let_conditions_differ():
    class Anywhere(Slope):
        name = "anywhere"
        varies = ("temperature", "n")

    both = [RUNS[0], result(1.0, 2.0, n=99)]
    assert Anywhere(both).run().to_dataset().sizes["temperature"] == 2
    assert [group.value("n") for group in Collection(both).groups("n")] == [99, 100]
    smooth = result(3.0, 0.5, seed=1, model={**KOB, "parameters": {"truncation": "smooth"}})
    assert [len(group) for group in Collection([*RUNS, smooth]).groups()] == [2, 1, 2]


def test_liquid_temperature_is_that_of_the_parent_too():
    class Liquid(Slope):
        name = "liquid"
        varies = ("liquid_temperature",)

        def compute(self, collection):
            groups = collection.groups("liquid_temperature")
            return {
                "temperature": [group.value("liquid_temperature") for group in groups],
                "mean": [len(group) for group in groups],
            }

    minima = result(1.0, None, parent_temperature=0.5)
    dataset = Liquid([RUNS[1], minima, RUNS[0]]).run().to_dataset()
    assert dataset["temperature"].values.tolist() == [0.5, 1.0] and dataset["mean"].values.tolist() == [2, 1]


def test_a_value_is_what_all_share():
    found = Collection(RUNS)
    assert found.value("n") == 100 and found.parameter("height", "pairs") == 3
    with pytest.raises(InputError, match=r"temperature is 0.5 in dataset 1 and 1.0 in dataset 2; give results of one"):
        found.value("temperature")
    with pytest.raises(InputError, match="does not say its pressure; make it anew with --pressure"):
        found.value("pressure")
    with pytest.raises(InputError, match="There are no results"):
        found.parameter("depth", "pairs")


def test_what_a_study_gives_is_checked():
    class Careless(Slope):
        name = "careless"

        def compute(self, collection):
            return self.gives

    for gives, sentence in (
        ({"meen": 1.0}, "returned the variable 'meen', which it does not declare"),
        ({"mean": 1.0}, "'mean' with shape (), but it declares the dimensions (temperature)"),
        ({"temperature": [1.0, 2.0], "mean": [1.0]}, "'mean' with length 1 along temperature, but temperature has 2"),
        ({}, "gave no values"),
        ([1.0], "must return a dict of variables from compute(), not list"),
    ):
        study = Careless(RUNS)
        study.gives = gives
        with pytest.raises(RunError) as error:
            study.run()
        assert sentence in str(error.value)


def test_what_an_author_did_not_mean_to_raise_has_its_owner(registry, monkeypatch):  # noqa: F811
    monkeypatch.setattr(Slope, "compute", lambda self, collection: collection.nothing)
    with pytest.raises(RunError, match=r"The study slope of the plugin mine \(pelplug-mine 1.0\) failed: Attr.*author"):
        pelplug.study("slope", RUNS)


def test_a_part_may_fail_alone(registry, monkeypatch):  # noqa: F811
    whole = Slope.compute

    def compute(self, collection):
        with self.part("the largest"):
            raise ValueError("no largest")
        return {name: value for name, value in whole(self, collection).items() if name != "largest"}

    monkeypatch.setattr(Slope, "compute", compute)
    with pytest.warns(RuntimeWarning, match="slope left out the largest, which failed"):
        dataset = pelplug.study("slope", RUNS)
    assert "largest" not in dataset and "mean" in dataset


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        ({"name": "No Name"}, "use lower-case words joined by hyphens"),
        ({"summary": ""}, "has no summary"),
        ({"uses": "height"}, "must set uses to a tuple of strings"),
        ({"varies": ("temprature",)}, r"names 'temprature' in varies, which is no condition \(did you mean temp"),
        ({"needs": ("units",)}, "names 'units' in needs, which is no condition"),
        ({"provides": {}}, "must declare its variables in provides"),
        ({"provides": {"x": 3}}, "as a pelplug.Field, not 3"),
        ({"provides": {"x": FIELD(("x", "y"), "1", "x")}}, "a coordinate has that one alone"),
        ({"provides": {"x": FIELD(("frame", "pair"), "1", "x", ragged=True)}}, "ragged"),
        ({"compute": pelplug.Study.compute}, r"lacks compute\(\)"),
    ],
)
def test_the_contract_is_checked_when_it_is_offered(wrong, sentence):
    with pytest.raises(TypeError, match=sentence):
        check_study_contract(type("Wrong", (Slope,), wrong))
    check_study_contract(Slope)


def test_an_analysis_is_no_study():
    with pytest.raises(TypeError, match=r"is not a subclass of pelplug.Study"):
        check_study_contract(pelplug.Analysis)


def test_files_and_parameters_said_to_change_no_meaning_are_free():
    from pathlib import Path
    from typing import Annotated

    class Any(Slope):
        def __init__(
            self,
            collection=None,
            *,
            seed: Annotated[int, pelplug.Param("of the bootstrap", meaning=False)] = 0,
            more: Annotated[Path | None, pelplug.Param("a file")] = None,
            **base,
        ):
            super().__init__(collection, **base)

    specs = Any.parameter_specs()
    assert {name for name, spec in specs.items() if spec.is_free} == {"seed", "more"} and "factor" in specs
