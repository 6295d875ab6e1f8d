"""`pelplug info` and `Collection.table`: what files hold, what is none, and what cannot be read together."""

import json

import pytest
from oracles.studies import KOB, RUNS, files, registry, result  # noqa: F401 (fixtures)

import pelplug
from pelplug.cli import cli


@pytest.fixture(autouse=True)
def here(files, monkeypatch):  # noqa: F811
    monkeypatch.chdir(files)
    monkeypatch.setenv("COLUMNS", "250")


def info(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        cli.main(["info", *map(str, arguments)])
    out, err = capsys.readouterr()
    return end.value.code, out, err


def test_each_result_has_a_row(capsys):
    code, out, err = info(capsys, "run-*.nc")
    head, *rows = out.splitlines()
    assert (code, err) == (0, "") and len(rows) == 4 and "group" not in head
    assert head.split() == ["file", "analysis", "model", "N", "density", "T", "frames", "units", "record"]
    assert " ".join(rows[1].split()) == "run-1.nc height kob-andersen 100 1.2 1 2 not stated 2"


def test_what_is_no_result_is_said_in_its_row(capsys):
    with open("notes.nc", "w") as file:
        file.write("nothing")
    code, out, _ = info(capsys, "notes.nc", "run-0.nc", "run-9.nc", "none-*.nc", ".")
    assert code == 0 and "run-0.nc" in out
    below = out[out.index("no result of pelplug, because") :]
    for words in ("notes.nc cannot be read", "There is no file run-9.nc", "No file fits none-*.nc", ". is a folder"):
        assert words in below
    code, out, err = info(capsys, "notes.nc")
    assert code == 2 and "cannot be read as results" in out and "Traceback" not in out + err


def test_what_cannot_be_read_together_is_told_with_the_reason(capsys):
    smooth = result(1.0, 2.0, model={**KOB, "parameters": {"truncation": "smooth"}})
    pelplug.write_netcdf("smooth.nc", smooth)
    pelplug.write_netcdf("again.nc", RUNS[0])
    code, out, err = info(capsys, "run-*.nc", "smooth.nc", "again.nc")
    groups = {line.split()[0]: line.split()[-1] for line in out.splitlines()[1:]}
    assert code == 0 and groups["run-0.nc"] == groups["run-3.nc"] != groups["smooth.nc"]
    truncation, twice = sorted(err.splitlines(), key=lambda line: "count twice" in line)
    assert "truncation (shift in run-0.nc, smooth in smooth.nc)" in truncation
    assert "run-0.nc and again.nc are one result of height" in twice


def test_json_has_the_records(capsys):
    code, out, _ = info(capsys, "run-0.nc", "run-9.nc", "--json")
    found = json.loads(out)
    assert code == 0 and list(found["others"]) == ["run-9.nc"]
    (record,) = found["results"]
    assert record["file"] == "run-0.nc" and record["conditions"]["temperature"] == 0.5
    assert record["parameters"] == {"pairs": 3}


def test_the_table_of_a_collection_shows_itself():
    from pelplug.tasks.collection import Collection

    odd = result(1.0, None, parent_temperature=0.5, label="<old>", several=("density",), density=None)
    table = Collection([*RUNS, odd]).table()
    assert [row["T"] for row in table.rows] == ["0.5", "1", "0.5", "1", "0.5 (parent)"]
    assert table.rows[-1]["density"] == "several" and table.apart == ()
    assert str(table).splitlines()[1].startswith("dataset 1  height") and repr(table) == str(table)
    assert table._repr_html_().count("<tr>") == 6
