"""Each check finds the thing that has its fault, and no other check does; no check finds fault with good things."""

import collections
import re

import pytest
from faulty import analyses, engines, every_fault, exporters, forms, models, potentials, providers, readers, studies

from pelplug.testing import Kit, make_trajectory, run_checks
from pelplug.testing.checks import called, every_check


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
    assert found["failed"].keys() == {fault.check, *fault.also}, found["failed"]
    assert re.search(fault.words, found["failed"][fault.check])
    assert found["passed"]


GOOD = [*analyses.GOOD, *studies.GOOD, engines.GOOD, forms.GOOD, models.GOOD, potentials.GOOD, providers.GOOD]
GOOD += [*exporters.GOOD, *readers.GOOD]


@pytest.mark.parametrize("thing", GOOD, ids=called)
def test_no_check_finds_fault_with_a_good_one(thing, few):
    found = outcomes(thing, Kit(**{"trajectory": few, **getattr(thing, "trial", {})}))
    assert not found["failed"] and len(found["passed"]) > (2 if thing is providers.GOOD else 5)


def test_every_check_has_a_thing_that_fails_it():
    found, checks = {fault.check for fault in every_fault()}, set(every_check())
    # A rule of potentials is one of models too, by the same function.
    twice = {f"check_potential_{name.removeprefix('check_')}" for name in checks}
    assert checks - twice <= found <= checks
