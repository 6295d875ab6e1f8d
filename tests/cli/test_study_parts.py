"""Parts of a study: in any number of processes, kept when finished; and results that a theory can use."""

from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
import pytest
from oracles.studies import FIELD, KOB, result

import pelplug
from pelplug.errors import InputError, RunError
from pelplug.files.finished_frames import PartialStore
from pelplug.host import functions as host
from pelplug.host.checks import check_study_contract
from pelplug.host.registry import Registry


def power(folder, x, n):
    """x**n, which leaves a trace, and is interrupted where a file says so."""
    if (Path(folder) / f"stop-{x}").exists():
        raise KeyboardInterrupt
    with open(Path(folder) / f"done-{x}-{n}", "a") as trace:
        trace.write(".")
    return {"value": x**n, "both": np.array([x, n]) / 3.0}


class Powers(pelplug.Study):
    """Squares, and then cubes."""

    name = "powers"
    summary = "Squares and cubes"
    takes = ("height",)
    varies = ("temperature",)
    provides: ClassVar = {
        "x": FIELD(("x",), "1", "x"),
        "square": FIELD(("x",), "1", "square"),
        "cube": FIELD(("x",), "1", "cube"),
        "both": FIELD(("x", "which"), "1", "both"),
        "height": FIELD((), "1", "height"),
    }

    def __init__(self, collection=None, *, folder: Annotated[str, pelplug.Param("folder")] = ".", **base):
        super().__init__(collection, **base)
        self.folder = folder

    def compute(self, collection):
        squares = self.each_part(power, [(self.folder, x, 2) for x in range(4)])
        cubes = self.each_part(power, [(self.folder, x, 3) for x in range(4)], "cubes")
        both = [one["both"] for one in squares]
        values = {name: [one["value"] for one in some] for name, some in (("square", squares), ("cube", cubes))}
        heights = [float(one["height"].mean()) for one in collection]
        return {"x": range(4), "both": both, "height": np.mean(heights) if heights else np.nan, **values}


@pytest.fixture(autouse=True)
def registry():
    class Plugin:
        """A study."""

        @staticmethod
        @pelplug.hookimpl
        def pelplug_studies():
            return [Powers]

    made = Registry(third_party=False)
    assert made.register(Plugin(), "mine", "pelplug-mine", "1.0").error is None
    host.use_registry(made)
    yield made
    host.use_registry(None)


def traces(folder):
    return {path.name: len(path.read_text()) for path in Path(folder).glob("done-*")}


def test_any_number_of_processes_gives_the_same(tmp_path):
    folder = str(tmp_path)
    here = pelplug.study("powers", folder=folder, workers=1)
    there = pelplug.study("powers", folder=folder, workers=2)
    assert here.equals(there)
    assert here["square"].values.tolist() == [0, 1, 4, 9] and here["cube"].values.tolist() == [0, 1, 8, 27]
    np.testing.assert_array_equal(here["both"], [[x / 3.0, 2 / 3.0] for x in range(4)])


def test_an_interrupted_study_goes_on(tmp_path, run):
    folder, output = str(tmp_path), tmp_path / "powers.nc"
    (tmp_path / "stop-2").touch()
    command = ("study", "powers", "--folder", folder, "-o", str(output), "--workers", "1")
    err = run(*command, code=130).err
    assert "2 finished parts are kept, and the same command goes on" in err and not output.exists()
    (tmp_path / "stop-2").unlink()
    assert "2 finished parts of powers found" in run(*command).err
    assert set(traces(folder).values()) == {1} and len(traces(folder)) == 8  # none was computed twice
    assert not list(tmp_path.glob(".powers*"))
    assert pelplug.read_results(output)["powers"].equals(pelplug.study("powers", folder=folder, workers=1))


def test_parts_of_other_parameters_are_not_taken(tmp_path):
    store, other = PartialStore(tmp_path / "out.nc"), tmp_path / "other"
    other.mkdir()
    pelplug.study("powers", folder=str(tmp_path), workers=1, store=store)
    assert store.found() == {"powers": 8}
    pelplug.study("powers", folder=str(other), workers=1, store=store)
    assert len(traces(other)) == 8
    store.discard()
    assert not list(tmp_path.glob(".out*"))


def test_a_theory_may_take_results_and_needs_none(tmp_path):
    both = ((), [result(3.0), result(5.0)])
    alone, beside = (pelplug.study("powers", some, folder=str(tmp_path), workers=1) for some in both)
    assert np.isnan(alone["height"]) and float(beside["height"]) == 4.0
    with pytest.raises(InputError, match=r"holds a result of width, and the study powers reads those of height"):
        pelplug.study("powers", [result(3.0, analysis="width")], folder=str(tmp_path))
    mixed = [result(3.0), result(4.0, model={**KOB, "name": "kob-andersen-2d"})]
    with pytest.raises(InputError, match="model"):
        pelplug.study("powers", mixed, folder=str(tmp_path))


def test_what_is_used_is_not_taken_besides():
    class Both(Powers):
        uses = ("height",)

    with pytest.raises(TypeError, match="takes 'height', which it uses already"):
        check_study_contract(Both)


def test_workers_are_counted():
    with pytest.raises(InputError, match="workers"):
        pelplug.study("powers", workers=0)


def test_a_part_that_fails_ends_the_study_by_a_sentence(tmp_path):
    with pytest.raises(RunError, match="powers"):
        pelplug.study("powers", folder=str(tmp_path / "none"), workers=1)
