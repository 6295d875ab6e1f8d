"""One declaration for every kind: analyses, models, minimisers and engines read, check, refuse and record alike."""

from typing import Annotated, Literal

import pytest

import pelplug
from pelplug.core.parameters import read_parameters
from pelplug.core.parametrised import Parametrised
from pelplug.host.functions import engines
from pelplug.landscape.minimise.fire import Fire
from pelplug.testing.toy_engine import ToyEngine

Width = Annotated[float, pelplug.Param("how wide", exclusive_minimum=0, unit="length")]
Sort = Annotated[Literal["wide", "narrow"], pelplug.Param("which")]


class Analysis(pelplug.Analysis):
    name = "declared"
    provides = {"x": pelplug.Field(("frame",), "1", "x")}  # noqa: RUF012

    def __init__(self, trajectory, *, width: Width = 2.0, sort: Sort = "wide", **base):
        super().__init__(trajectory, **base)
        self.seen = width, sort

    def compute(self, configuration):
        return {"x": 0.0}


class Model(pelplug.models.KobAndersen):
    name = "declared"

    def __init__(self, *, width: Width = 2.0, sort: Sort = "wide", **base):
        super().__init__(**base)
        self.seen = width, sort


class Minimiser(Fire):
    name = "declared"

    def __init__(self, *, width: Width = 2.0, sort: Sort = "wide", **base):
        super().__init__(**base)
        self.seen = width, sort


class Engine(ToyEngine):
    name = "declared"

    def __init__(self, device="auto", threads=None, *, width: Width = 2.0, sort: Sort = "wide"):
        super().__init__(device, threads)
        self.seen = width, sort


KINDS = {
    "analysis": lambda **values: Analysis(None, **values),
    "model": Model,
    "minimiser": Minimiser,
    "engine": Engine,
}
CLASSES = {"analysis": Analysis, "model": Model, "minimiser": Minimiser, "engine": Engine}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


def test_every_kind_is_read_from_its_init(kind):
    cls = CLASSES[kind]
    assert issubclass(cls, Parametrised)
    specs = read_parameters(cls)
    assert list(specs)[:2] == ["width", "sort"] and specs == cls.parameter_specs()
    assert specs["width"].unit == "length" and specs["sort"].choices == ("wide", "narrow")
    inherited = {"model": {"cutoff", "sigma"}, "minimiser": {"dt_max"}}.get(kind, set())
    assert inherited <= set(specs) and {"device", "threads", "trajectory", "model"}.isdisjoint(specs)
    assert "width : float, default 2.0\n    How wide (above 0, in units of length)." in cls.__doc__


def test_every_kind_converts_and_records(kind):
    made = KINDS[kind](width="3", sort="narrow")
    assert made.seen == (3.0, "narrow")
    assert (made.parameters["width"], made.parameters["sort"]) == (3.0, "narrow")
    assert set(made.parameters) == set(made.parameter_specs())
    assert KINDS[kind]().parameters["width"] == 2.0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"widht": 1.0}, "has no parameter 'widht' (did you mean width?)"),
        ({"colour": 1.0}, "has no parameter 'colour'"),
        ({"width": 0.0}, "must be above 0 (in units of length), not 0.0."),
        ({"width": float("inf")}, "is too large"),
        ({"width": "far"}, "must be a number, not 'far'."),
        ({"width": True}, "must be a number, not True."),
        ({"sort": "long"}, "must be one of wide, narrow, not 'long'."),
    ],
)
def test_every_kind_refuses_in_one_sentence(kind, given, words):
    with pytest.raises(pelplug.InputError) as caught:
        KINDS[kind](**given)
    sentence = str(caught.value)
    assert words in sentence and f"the {kind} declared" in sentence.lower()
    assert sentence.endswith(".") and "\n" not in sentence


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        (
            "lammps",
            {"rout": "kernel"},
            "The engine lammps has no parameter 'rout' (did you mean route?); its",
        ),
        ("lammps", {"route": "table"}, "route of the engine lammps must be one of auto, native, kernel, not 'table'"),
        ("lammps", {"mpi": True}, "The engine lammps has no parameter 'mpi'; its parameters are route."),
        (
            "hoomd",
            {"route": "fast"},
            "route of the engine hoomd must be one of auto, native, table, kernel, not 'fast'",
        ),
        ("hoomd", {"mpi": "perhaps"}, "mpi of the engine hoomd must be true or false, not 'perhaps'"),
    ],
)
def test_options_of_the_engines_are_checked_wherever_they_are_installed(name, given, words):
    cls = engines()[name]
    with pytest.raises(pelplug.InputError) as caught:
        cls(**given)
    assert words in str(caught.value)
