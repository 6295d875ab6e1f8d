"""The kit to check what plugins offer, with small trajectories and a command runner. For plugin authors.

In a test module::

    from pelplug.testing import parametrize_with_checks
    from pelplug_foo.foo import Foo

    @parametrize_with_checks([Foo], expected_failures={"check_rotation": "it looks along x"})
    def test_contract(check):
        check()

    def test_numbers(pelplug_trajectory):
        ...

gives one item a rule, ``foo-check_pickles`` and so on; ``pelplug plugins check foo`` does the same without pytest. The
fixtures are there without being imported. Analyses are sent to other processes by the name of their class, so define
them in an importable module, not inside the test.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pelplug.testing.analyses import check_analysis
    from pelplug.testing.checks import (
        Check,
        CheckResult,
        check,
        checks_of,
        parametrize_with_checks,
        require,
        run_checks,
    )
    from pelplug.testing.crystals import CRYSTALS, Crystal, crystal
    from pelplug.testing.kit import Kit
    from pelplug.testing.plugin import pelplug_trajectory
    from pelplug.testing.samples import make_trajectory, registry_with
    from pelplug.testing.toy_engine import ToyEngine

__all__ = [
    "CRYSTALS",
    "Check",
    "CheckResult",
    "Crystal",
    "Kit",
    "ToyEngine",
    "check",
    "check_analysis",
    "checks_of",
    "crystal",
    "make_trajectory",
    "parametrize_with_checks",
    "pelplug_trajectory",
    "registry_with",
    "require",
    "run_checks",
]

# The plugin of pytest lies in this package: every run of pytest imports it, and nothing else from here.
_HOMES = {
    "analyses": ("check_analysis",),
    "checks": ("Check", "CheckResult", "check", "checks_of", "parametrize_with_checks", "require", "run_checks"),
    "crystals": ("CRYSTALS", "Crystal", "crystal"),
    "kit": ("Kit",),
    "plugin": ("pelplug_trajectory",),
    "samples": ("make_trajectory", "registry_with"),
    "toy_engine": ("ToyEngine",),
}
_MODULES = ("states",)


def __getattr__(name: str):
    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"pelplug.testing.{home}"), name)
    if name in _MODULES:
        return importlib.import_module(f"pelplug.testing.{name}")
    raise AttributeError(f"module 'pelplug.testing' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
