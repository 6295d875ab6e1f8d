"""Words made from declarations: docstrings, help and pages say the same of a parameter."""

import pathlib
from typing import Annotated, Literal

import pytest

import pelplug
from pelplug.core.docstrings import default_of, explanation
from pelplug.core.parameters import read_parameters


class Toy(pelplug.Analysis):
    """What it is.

    More of it.

    Notes
    -----
    At the end.
    """

    name = "toy"
    summary = "a toy"

    def __init__(
        self,
        trajectory,
        *,
        radius: Annotated[
            Literal["auto"] | float, pelplug.Param("how far", exclusive_minimum=0, unit="length")
        ] = "auto",
        mode: Annotated[str, pelplug.Param("which way.", choices=("up", "down"))] = "up",
        times: Annotated[tuple[float, ...], pelplug.Param("when", minimum=0, maximum=9, unit="time")] = (1.0, 2.0),
        pair: Annotated[tuple[int, str], pelplug.Param("two")] = (1, "a"),
        file: Annotated[pathlib.Path | None, pelplug.Param("from where", unit="1")] = None,
        seed: Annotated[int, pelplug.Param("seed of it " * 20)],
        **base,
    ):
        super().__init__(trajectory, **base)


TEXT = """What it is.

More of it.

Parameters
----------
trajectory : Trajectory
    What to analyse.
radius : "auto" or float, default "auto"
    How far (above 0, in units of length).
mode : {"up", "down"}, default "up"
    Which way.
times : tuple of float, default (1.0, 2.0)
    When (at least 0 and at most 9, in units of time).
pair : tuple of (int, str), default (1, 'a')
    Two.
file : path or None, default None
    From where.
seed : int
"""


def test_the_docstring_has_each_parameter_with_type_default_range_and_unit():
    assert Toy.__doc__.startswith(TEXT)
    assert Toy.__doc__.endswith("**base\n    Of `pelplug.Analysis`.\n\nNotes\n-----\nAt the end.")
    assert max(map(len, Toy.__doc__.splitlines())) <= 116


def test_defaults_are_words_for_the_command_line():
    specs = read_parameters(Toy)
    assert [default_of(spec) for spec in specs.values()] == ["auto", "up", "1.0,2.0", "1,a", "none", "required"]


def test_a_section_written_by_hand_stays_and_a_missing_docstring_is_made_of_the_summary():
    class ByHand(Toy):
        """Mine.

        Parameters
        ----------
        radius
            As I say.
        """

    class Silent(Toy):
        summary = "No words"

    assert ByHand.__doc__.endswith("Parameters\n----------\nradius\n    As I say.")
    assert Silent.__doc__.startswith("No words.\n\nParameters\n----------\n") and "mode : " in Silent.__doc__


def test_a_declaration_that_cannot_be_read_is_no_fault_of_the_docstring():
    class Wrong(pelplug.Analysis):
        """Mine."""

        name = "wrong"

        def __init__(self, trajectory, *, depth=1, **base):
            super().__init__(trajectory, **base)

    assert Wrong.__doc__ == "Mine."
    with pytest.raises(TypeError, match="Annotated"):
        Wrong.parameter_specs()


def test_help_says_range_and_unit_in_the_same_words():
    from pelplug.cli.options import further_option

    spec = read_parameters(Toy)["radius"]
    assert explanation(spec) == "How far (above 0, in units of length)"
    assert further_option(spec, "radius", "radius", hidden=False).help == f"{explanation(spec)}.  [default: auto]"
