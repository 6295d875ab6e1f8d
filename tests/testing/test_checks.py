"""The frame of the checks: which apply, how they fail, how one is expected to fail."""

import unittest

import pytest

from pelplug import InputError
from pelplug.testing import Check, Kit, check, checks_of, parametrize_with_checks, require, run_checks
from pelplug.testing.checks import KINDS, every_check, kind_of


class Thing:
    """Stands for what a hook takes."""

    def __init__(self, name="thing", even=True, **declared):
        self.name, self.even = name, even
        self.__dict__.update(declared)


def holds(thing, kit):
    """It holds."""


def fails(thing, kit):
    """It is good."""
    require(thing is None, "it is bad.")


def breaks(thing, kit):
    """It does not break."""
    raise ZeroDivisionError("by\nzero")


def skips(thing, kit):
    """It is skipped."""
    raise unittest.SkipTest("not here")


@pytest.fixture
def few(monkeypatch):
    """Checks of their own in place of those there are."""
    made = [Check(("exporter",), function) for function in (holds, fails, breaks, skips)]
    made.append(Check(("exporter",), lambda thing, kit: None, when=lambda thing: not thing.even))
    made.append(Check(("reader",), holds))
    monkeypatch.setattr("pelplug.testing.checks.every_check", lambda: dict(enumerate(made)))


def test_each_outcome_has_its_sentence(few):
    found = {one.check.name: (one.outcome, one.sentence) for one in run_checks(Thing(), kind="exporter")}
    assert found == {
        "holds": ("passed", ""),
        "fails": ("failed", "it is bad."),
        "breaks": ("failed", "ZeroDivisionError: by zero"),
        "skips": ("skipped", "not here"),
    }


def test_an_expected_failure_has_to_fail(few):
    expected = {"fails": "so it is", "holds": "who knows"}
    for given in ({"expected_failures": expected}, {"kit": Kit(expected_failures=expected)}):
        found = {one.check.name: one for one in run_checks(Thing(), kind="exporter", **given)}
        assert (found["fails"].outcome, found["fails"].sentence, found["fails"].is_failure) == (
            "expected",
            "so it is",
            0,
        )
        assert found["holds"].outcome == "unexpected" and found["holds"].is_failure
    declared = Thing(trial={"expected_failures": expected})
    assert [one.outcome for one in run_checks(declared, kind="exporter")][:2] == ["unexpected", "expected"]


def test_an_expected_failure_names_a_check_and_a_reason(few):
    with pytest.raises(InputError, match=r"No check 'fail' applies to thing \(did you mean fails\?\)"):
        list(run_checks(Thing(), kind="exporter", expected_failures={"fail": "x"}))
    with pytest.raises(InputError, match="Give the reason why thing"):
        parametrize_with_checks([Thing()], {"fails": " "}, kind="exporter")


def test_items_have_readable_names_and_strict_marks(few):
    mark = parametrize_with_checks([Thing("a"), Thing("b", even=False)], {"fails": "so it is"}, kind="exporter")
    names, items = mark.args
    assert names == "check"
    first = ["holds", "fails", "breaks", "skips"]
    assert [one.id for one in items] == [*(f"a-{one}" for one in first), *(f"b-{one}" for one in (*first, "<lambda>"))]
    assert [[mark.kwargs for mark in one.marks] for one in items[:2]] == [
        [],
        [{"reason": "so it is", "strict": True, "raises": AssertionError}],
    ]
    with pytest.raises(AssertionError, match="it is bad"):
        items[1].values[0]()


def test_what_is_not_a_check_is_refused():
    def plain(thing, kit):
        """Its name begins otherwise."""

    def check_silent(thing, kit):
        pass

    def check_declared(thing, kit):
        """A name that is taken."""

    every_check()
    for kind, function in (("exporter", plain), ("exporter", check_silent), ("exporters", check_declared)):
        with pytest.raises(TypeError, match="is no check: it needs a kind of analysis, study"):
            check(kind)(function)
    with pytest.raises(TypeError, match="there is a check check_declared already"):
        check("exporter")(check_declared)


def test_the_kind_of_a_thing_is_found_out():
    import pelplug
    from pelplug.files.exporters import GSDExporter
    from pelplug.models import KobAndersen
    from pelplug.potentials.forms.harmonic import HARMONIC

    assert kind_of(pelplug.Analysis) == "analysis"
    assert kind_of(KobAndersen) == kind_of(KobAndersen()) == "model"
    assert (kind_of(HARMONIC), kind_of(GSDExporter())) == ("form", "exporter")
    with pytest.raises(TypeError, match="is none of analysis, study, model"):
        checks_of(3)


def test_every_check_states_a_rule_of_one_line():
    for name, one in every_check().items():
        assert one.name == name and set(one.kinds) <= set(KINDS)
        assert one.rule.endswith(".") and 10 < len(one.rule) < 160, name


def test_a_kit_makes_a_thing_once_also_where_that_fails():
    kit, calls = Kit(), []

    def make():
        calls.append(1)
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            kit.once("key", make)
    assert calls == [1]
    assert kit.once("other", lambda: 3) == 3
