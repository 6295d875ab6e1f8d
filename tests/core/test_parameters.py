"""Parameters declared once: reading the declaration, converting and refusing values."""

from pathlib import Path
from typing import Annotated, Literal, Optional

import numpy as np
import pytest

from pelplug.core.parameters import Param, read_parameters, validate_parameters
from pelplug.errors import InputError


class Declared:
    def __init__(
        self,
        trajectory,
        *,
        pairs: Annotated[int | Literal["all"], Param("how many", minimum=1)] = "all",
        flag: Annotated[bool, Param("on or off")] = False,
        cutoffs: Annotated[tuple[float, ...], Param("some lengths", exclusive_minimum=0)] = (1.0,),
        window: Annotated[tuple[float, float], Param("from, to")] = (0.0, 1.0),
        method: Annotated[Literal["fire", "cg"], Param("minimiser")] = "fire",
        tolerance: Annotated[Optional[float], Param("force", maximum=1, exclusive_maximum=1)] = None,  # noqa: UP045
        path: Annotated[Path | None, Param("file")] = None,
        label: Annotated[str, Param("text", choices=("a", "b"))] = "a",
        must: Annotated[int, Param("no default")],
        **base,
    ):
        pass


SPECS = read_parameters(Declared)


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("pairs", "3", 3),
        ("pairs", "all", "all"),
        ("pairs", np.int64(7), 7),
        ("pairs", "1e3", 1000),
        ("flag", "yes", True),
        ("flag", "off", False),
        ("flag", np.bool_(True), True),
        ("cutoffs", "1,2.5", (1.0, 2.5)),
        ("cutoffs", [1, 2], (1.0, 2.0)),
        ("cutoffs", np.array([0.5]), (0.5,)),
        ("window", "0, 2", (0.0, 2.0)),
        ("method", "cg", "cg"),
        ("tolerance", "none", None),
        ("tolerance", "1e-8", 1e-8),
        ("tolerance", 0, 0.0),
        ("path", "a/b", Path("a/b")),
        ("label", "b", "b"),
    ],
)
def test_values_become_what_is_declared(name, given, value):
    result = validate_parameters(SPECS, {"must": 1, name: given}, "analysis x")[name]
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("pairs", 0, "at least 1"),
        ("pairs", "many", "an integer or all"),
        ("pairs", True, "an integer or all"),
        ("pairs", 1.5, "an integer or all"),
        ("flag", 3, "true or false"),
        ("cutoffs", "1,-2", "above 0"),
        ("cutoffs", "1,x", "comma-separated list"),
        ("window", "1", "2 values"),
        ("method", "newton", "one of fire, cg"),
        ("tolerance", 1, "below 1"),
        ("tolerance", float("nan"), "not a number"),
        ("tolerance", "abc", "a number"),
        ("label", "c", "one of a, b"),
        ("must", "x", "an integer"),
    ],
)
def test_values_that_do_not_fit_are_refused_in_a_sentence(name, given, words):
    with pytest.raises(InputError) as caught:
        validate_parameters(SPECS, {"must": 1, name: given}, "analysis x")
    sentence = str(caught.value)
    assert words in sentence and name in sentence and "analysis x" in sentence and sentence.endswith(".")


def test_unknown_and_missing_parameters():
    with pytest.raises(InputError, match=r"no parameter 'pair' \(did you mean pairs\?\); its parameters are cut"):
        validate_parameters(SPECS, {"must": 1, "pair": 3}, "analysis x")
    with pytest.raises(InputError, match="its parameters are cutoffs"):
        validate_parameters(SPECS, {"must": 1, "zzzz": 3}, "analysis x")
    with pytest.raises(InputError, match=r"needs the parameter must: no default; pass --must \(must= in Python\)\.$"):
        validate_parameters(SPECS, {}, "analysis x")


def test_what_help_shows():
    assert SPECS["pairs"].metavar == "INTEGER|all"
    assert SPECS["method"].choices == ("fire", "cg")
    assert SPECS["method"].metavar == "fire|cg"
    assert SPECS["cutoffs"].bounds == "above 0"
    assert SPECS["flag"].is_flag
    assert SPECS["must"].required
    assert SPECS["tolerance"].metavar == "NUMBER"


def _declare(kind, default):
    class Bad:
        def __init__(self, trajectory, *, depth=default, **base):
            pass

    if kind is not None:
        Bad.__init__.__annotations__["depth"] = kind
    return Bad


@pytest.mark.parametrize(
    ("kind", "default", "words"),
    [
        (None, 3, "Annotated"),
        (int, 3, "Annotated"),
        (Annotated[int, "text"], 3, "Annotated"),
        (Annotated[int, Param("")], 3, "empty help"),
        (Annotated[dict, Param("map")], {}, "cannot read"),
        (Annotated[int, Param("depth", minimum=1)], 0, "default"),
    ],
)
def test_a_bad_declaration_is_a_type_error(kind, default, words):
    with pytest.raises(TypeError, match=words):
        read_parameters(_declare(kind, default))


def test_reserved_names_and_positional_parameters():
    with pytest.raises(TypeError, match="reserved"):
        read_parameters(Declared, reserved={"method"})

    class Positional:
        def __init__(self, trajectory, depth: Annotated[int, Param("depth")] = 1, **base):
            pass

    with pytest.raises(TypeError, match="keyword-only"):
        read_parameters(Positional)
