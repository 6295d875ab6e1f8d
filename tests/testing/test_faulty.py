"""Each check finds the thing that has its fault, and no other check does; no check finds fault with good things."""

import collections
import re

import pytest
from faulty import analyses, every_fault

from pelplug.testing import Kit, make_trajectory, run_checks
from pelplug.testing.checks import every_check


@pytest.fixture(scope="session")
def few(tmp_path_factory):
    """A trajectory of few particles, which all of them share."""
    return make_trajectory(tmp_path_factory.mktemp("faulty") / "few.gsd", n=30, minima=1)


def outcomes(thing, kit, kind=None):
    found = collections.defaultdict(dict)
    for one in run_checks(thing, kit=kit, kind=kind):
        found[one.outcome][one.check.name] = one.sentence
    return found


@pytest.mark.parametrize("fault", every_fault(), ids=lambda fault: fault.id)
def test_one_check_finds_it(fault, few):
    found = outcomes(fault.thing, Kit(**{"trajectory": few, **fault.kit}), fault.kind)
    assert found["failed"].keys() == {fault.check}, found["failed"]
    assert re.search(fault.words, found["failed"][fault.check])
    assert found["passed"]


@pytest.mark.parametrize("thing", analyses.GOOD, ids=lambda thing: thing.name)
def test_no_check_finds_fault_with_a_good_one(thing, few):
    found = outcomes(thing, Kit(trajectory=few))
    assert not found["failed"] and len(found["passed"]) > 15


def test_every_check_has_a_thing_that_fails_it():
    assert {fault.check for fault in every_fault()} == set(every_check())
