"""The record of a result: what is written fits its schema, and the schema is read as others read it."""

import json
import re
from typing import Annotated, ClassVar

import numpy as np
import pytest
import xarray as xr

import pelplug
from pelplug.core.schema import faults
from pelplug.errors import InputError
from pelplug.files.record import VERSION, record_of, schema, version_of

PLACES = np.arange(1.0, 13.0).reshape(4, 3) / 6
STATES = [pelplug.Configuration(PLACES + 0.1 * k, [5.0] * 3, ["A"] * 4, step=k) for k in range(3)]


class Height(pelplug.Analysis):
    """Mean first coordinate."""

    name = "height"
    summary = "Mean height"
    provides: ClassVar = {"height": pelplug.Field(("frame",), "length", "height")}

    def __init__(
        self,
        trajectory,
        *,
        factor: Annotated[float, pelplug.Param("a factor")] = 1.0,
        seed: Annotated[int, pelplug.Param("a seed", meaning=False)] = 0,
        **base,
    ):
        super().__init__(trajectory, **base)

    def compute(self, configuration):
        return {"height": configuration.positions[:, 0].mean()}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    path = tmp_path_factory.mktemp("record") / "t.gsd"
    pelplug.write_trajectory(path, STATES, conditions=pelplug.Conditions(temperature=np.inf, seed=3))
    return Height(path).run().to_dataset()


def test_what_is_written_fits_and_can_be_read_as_a_record(dataset, tmp_path):
    pelplug.write_netcdf(tmp_path / "d.nc", dataset)
    again = pelplug.read_results(tmp_path / "d.nc")["height"]
    record = record_of(again)
    assert version_of(again) == record["provenance_version"] == VERSION
    assert faults(record, schema()) == []
    assert record["conditions"]["temperature"] == "inf" and record["conditions"]["seed"] == 3
    assert record["trajectories"] == [{"file": "t.gsd", "sha256": again.attrs["input_sha256"], "frames": "0:3:1"}]
    assert record["free_parameters"] == ["seed"] and set(record["parameters"]) == {"factor", "seed"}
    assert record["variables"]["height"]["units"] == "length"
    json.dumps(record)


@pytest.mark.parametrize(
    "attribute, value, sentence",
    [
        ("parameters", "{half", r"\(parameters is '{half', not names with values\)"),
        ("created", "yesterday", "created is 'yesterday', which is not of the form"),
        ("conditions", '{"n": 0}', r"conditions.n is 0, below 1"),
        ("trajectories", '[{"file": "t.gsd"}]', r"trajectories\[0\] lacks sha256"),
        ("task", "guess", "task is 'guess', not 'analysis' or 'study'"),
        ("fingerprint", "", "the record lacks fingerprint"),
    ],
)
def test_a_damaged_record_is_not_written(dataset, tmp_path, attribute, value, sentence):
    damaged = dataset.assign_attrs({attribute: value})
    with pytest.raises(InputError, match=sentence):
        pelplug.write_netcdf(tmp_path / "d.nc", damaged)
    assert not list(tmp_path.iterdir())
    del damaged.attrs["provenance_version"]  # the remedy
    pelplug.write_netcdf(tmp_path / "d.nc", damaged)


def test_an_error_says_all_or_nothing_of_how_it_was_found(dataset, tmp_path):
    made = dataset.assign(one_error=((), 0.1))
    made["one_error"].attrs = {"error_method": "bootstrap over runs"}
    with pytest.raises(InputError, match=r"variables\.one_error has error_method without effective_samples"):
        pelplug.write_netcdf(tmp_path / "d.nc", made)
    pelplug.write_netcdf(tmp_path / "d.nc", pelplug.state_errors(made, ["one_error"], "bootstrap over runs", 5))
    found = record_of(pelplug.read_results(tmp_path / "d.nc")["height"])
    said = {name: found["variables"]["one_error"][name] for name in ("effective_samples", "confidence")}
    assert said == {"effective_samples": 5.0, "confidence": 0.6827}


def test_the_schema_of_a_study_fits_too(tmp_path):
    from oracles.studies import RUNS, Slope

    study = Slope(RUNS).run().to_dataset()
    assert faults(record_of(study), schema()) == []
    pelplug.write_netcdf(tmp_path / "s.nc", study)


def test_what_has_no_version_is_written_as_it_is(tmp_path):
    pelplug.write_netcdf(tmp_path / "x.nc", xr.Dataset(attrs={"analysis": "x", "parameters": "{half"}))


def test_keywords_that_are_not_known_are_not_passed_over():
    with pytest.raises(ValueError, match="keyword uniqueItems of a schema is not known"):
        faults([1], {"uniqueItems": True})


KEYWORDS = {
    "type": [({"type": "integer"}, (1, 1.0, 1.5, True, "1")), ({"type": ["null", "object"]}, (None, {}, [], 0))],
    "const": [({"const": 3}, (3, 3.0, True, "3")), ({"const": True}, (True, 1))],
    "enum": [({"enum": ["a", 1]}, ("a", 1, "b", True))],
    "pattern": [({"pattern": "^[a-z]+$"}, ("ab", "aB", 3))],
    "range": [({"minimum": 0, "maximum": 1}, (0, 1, 0.5, -1, 2, "x", True))],
    "properties": [
        (
            {"properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "number"}, "required": ["a"]},
            ({"a": "x"}, {"a": 1}, {"b": 1}, {"a": "x", "b": "y"}, {"a": "x", "b": 2}, 3),
        ),
        (
            {"patternProperties": {"_error$": {"type": "number"}}, "additionalProperties": {"type": "string"}},
            ({"a_error": 1, "a": "x"}, {"a_error": "x"}, {"a": 1}),
        ),
    ],
    "dependentRequired": [({"dependentRequired": {"a": ["b"]}}, ({}, {"a": 1}, {"a": 1, "b": 2}, {"b": 2}))],
    "items": [({"items": {"type": "number"}}, ([], [1, 2], [1, "x"], "text"))],
    "anyOf": [({"anyOf": [{"type": "string"}, {"minimum": 3}]}, ("x", 4, 2, None))],
    "$ref": [({"$defs": {"x": {"type": "string"}}, "items": {"$ref": "#/$defs/x"}}, (["a"], [1]))],
}


@pytest.mark.parametrize("keyword", KEYWORDS)
def test_the_validator_agrees_with_jsonschema(keyword):
    jsonschema = pytest.importorskip("jsonschema")
    for rule, values in KEYWORDS[keyword]:
        other = jsonschema.Draft202012Validator(rule)
        said = [(not faults(value, rule), other.is_valid(value)) for value in values]
        assert all(mine == theirs for mine, theirs in said), (rule, list(zip(values, said, strict=True)))
        assert {mine for mine, _ in said} == {True, False}


def test_records_are_judged_as_jsonschema_judges_them(dataset):
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(schema())
    other = jsonschema.Draft202012Validator(schema())
    record = json.loads(json.dumps(record_of(dataset)))
    assert other.is_valid(record)
    rng = np.random.default_rng(5)
    places = [*record, *((key, inner) for key in record if isinstance(record[key], dict) for inner in record[key])]
    judged = set()
    for _ in range(300):
        damaged = json.loads(json.dumps(record))
        place = places[rng.integers(len(places))]
        holder, name = (damaged[place[0]], place[1]) if isinstance(place, tuple) else (damaged, place)
        if rng.random() < 0.3:
            del holder[name]
        else:
            holder[name] = [3, -1.5, "x", None, True, [], {}, ["x"], {"x": 1}][rng.integers(9)]
        mine, theirs = not faults(damaged, schema()), other.is_valid(damaged)
        assert mine == theirs, (place, holder.get(name))
        judged.add(mine)
    assert judged == {True, False}


def test_every_kind_of_json_text_is_named_in_the_schema():
    assert re.fullmatch(r"\d+", str(schema()["properties"]["provenance_version"]["const"]))
    assert schema()["properties"]["provenance_version"]["const"] == VERSION
