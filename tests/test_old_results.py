"""Results that outlive the program: those of each release and of each version of their record, read, drawn and studied.

The archives lie in ``tests/data/results``, with the script by which a release adds its own.
"""

import pathlib
import tarfile
from typing import ClassVar

import numpy as np
import pytest
from matplotlib import pyplot

import pelplug
from pelplug.cli import cli
from pelplug.core.schema import faults
from pelplug.files.record import VERSION, record_of, schema
from pelplug.host.functions import default_registry
from pelplug.tasks.collection import Collection

HERE = pathlib.Path(__file__).parent / "data" / "results"
ARCHIVES = {path.name.removesuffix(".tar.xz"): path for path in sorted(HERE.glob("*.tar.xz"))}
ANALYSES = (
    *("defects", "dynamics", "inherent-structure-transitions", "inherent-structures", "kappa", "kappa-cold"),
    *("metabasins", "msed", "relaxation", "vibrations"),
)
RECORDED = {"provenance-1": 1, "provenance-2": 2}  # a release says its own


@pytest.fixture(scope="module", params=ARCHIVES)
def kept(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    with tarfile.open(ARCHIVES[request.param]) as archive:
        archive.extractall(folder, filter="data")
    return folder


def version(kept):
    return next((number for name, number in RECORDED.items() if kept.name.startswith(name)), None)


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        cli.main([str(one) for one in arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return end.value.code, out, err


def test_there_is_one_of_each_version_and_they_are_small():
    assert {"provenance-1", "provenance-2"} < set(ARCHIVES)
    assert all(path.stat().st_size < 150_000 for path in ARCHIVES.values())


def test_all_are_there_and_pelplug_info_tells_of_them(kept, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    files = sorted(kept.glob("*.nc"))
    assert sorted(path.stem for path in files) == sorted(ANALYSES)
    monkeypatch.chdir(kept)
    code, out, err = run(capsys, "info", *(path.name for path in files))
    assert code == 0 and err == "" and "no result" not in out
    rows = {line.split()[0]: line.split() for line in out.splitlines()[1:]}
    assert set(rows) == {path.name for path in files} and all("kob-andersen" in row for row in rows.values())


def test_the_record_is_what_its_version_says(kept):
    for path in kept.glob("*.nc"):
        ((name, dataset),) = pelplug.read_results(path).items()
        record = record_of(dataset)
        assert record.get("provenance_version", 1) == version(kept) or version(kept) is None
        if record.get("provenance_version") == VERSION:
            assert faults(record, schema()) == [], path.stem
        assert record["analysis"] == name and record["model"]["name"] == "kob-andersen"


def test_each_is_held_again_by_its_analysis(kept):
    registry = default_registry()
    for path in kept.glob("*.nc"):
        ((name, dataset),) = pelplug.read_results(path).items()
        held = registry.analysis(name).from_dataset(dataset)
        assert held.to_dataset() is dataset and held.parameters.keys() <= held.parameter_specs().keys()


def test_each_is_written_again_as_it_is(kept, tmp_path):
    for path in kept.glob("*.nc"):
        before = pelplug.read_results(path)
        pelplug.write_netcdf(tmp_path / path.name, before)
        ((_, again),) = pelplug.read_results(tmp_path / path.name).items()
        assert again.identical(next(iter(before.values()))), path.stem


@pytest.mark.parametrize("name", ANALYSES)
def test_each_is_drawn(kept, name, capsys, tmp_path):
    code, _, err = run(capsys, "plot", kept / f"{name}.nc", "-o", tmp_path / "figure.png")
    assert (code, err) == (0, "") and pyplot.imread(tmp_path / "figure.png").std() > 0.01


def test_results_of_two_temperatures_are_drawn_over_each_other(kept, capsys, tmp_path):
    figure = pelplug.plot([kept / "kappa.nc", kept / "kappa-cold.nc"])
    assert len(figure.axes) >= 1


@pytest.mark.parametrize("name", sorted({one.removesuffix("-cold") for one in ANALYSES}))
def test_each_is_studied(kept, name):
    class Sizes(pelplug.Study):
        """How many numbers results have."""

        name = "sizes"
        summary = "Numbers in results"
        uses = (name,)
        varies = ("n",)
        provides: ClassVar = {"numbers": pelplug.Field((), "1", "numbers in all results")}

        def compute(self, collection):
            return {"numbers": sum(one[name].size for one in collection for name in one.sizes if name in one)}

    Sizes.uses, Sizes.varies = (name,), ()
    dataset = Sizes(kept / f"{name}.nc").run().to_dataset()
    assert int(dataset["numbers"]) >= 0 and dataset.attrs["collection"].count('"sha256": "sha256:') == 1


def test_stiffness_over_temperature_or_the_sentence_why_not(kept, capsys, tmp_path):
    files = (kept / "kappa.nc", kept / "kappa-cold.nc")
    code, _, err = run(capsys, "study", "stiffness", *files, "-o", tmp_path / "s.nc", "--quiet")
    if version(kept) == 1:  # which did not say the temperature
        assert code == 2 and "does not say its liquid temperature" in err and err.count("\n") == 1
        return
    assert (code, err) == (0, "")
    found = pelplug.read_results(tmp_path / "s.nc")["stiffness"]
    assert found["temperature"].values.tolist() == [0.5, 1.0]
    for place, one in enumerate(reversed(files)):
        dataset = pelplug.read_results(one)["kappa"]
        np.testing.assert_allclose(found["kappa_mean"][place], dataset["kappa_ij"].mean())


def test_versions_are_not_mixed(tmp_path):
    for name in ("provenance-1", "provenance-2"):
        with tarfile.open(ARCHIVES[name]) as archive:
            archive.extract("kappa.nc", tmp_path / name, filter="data")
    both = [tmp_path / name / "kappa.nc" for name in ("provenance-1", "provenance-2")]
    with pytest.raises(pelplug.InputError, match=r"earlier version of pelplug \(provenance 1\) than .* \(2\), without"):
        pelplug.study("stiffness", both)
    assert "earlier version" in Collection(both).table().apart[0]
