"""The engines of pelplug, and one of a third party, keep the contract of an engine, one item a rule."""

from __future__ import annotations

import sys

import pytest
from oracles.installed import SOURCES

from pelplug.engines.hoomd.engine import HoomdEngine
from pelplug.engines.lammps.engine import LammpsEngine
from pelplug.testing import Kit, ToyEngine, parametrize_with_checks

sys.path.insert(0, str(SOURCES))
from pelplug_verlet.engine import Verlet

sys.path.remove(str(SOURCES))


@parametrize_with_checks([ToyEngine, Verlet])
def test_small_ones(check):
    check()


@pytest.mark.parametrize("check", [
    one for route in ("native", "kernel")
    for one in parametrize_with_checks([LammpsEngine], kit=Kit(parameters={"route": route})).args[1]
])  # fmt: skip
def test_lammps(check):
    check()


@pytest.mark.hoomd
@parametrize_with_checks([HoomdEngine])
def test_hoomd(check):
    check()
