"""Things with one fault each, which one check finds and no other: a module for each kind, found without a list.

``FAULTY`` of a module has a `Faulty` for each; `tests/testing/test_faulty.py` runs them and wants one for every check.
"""

from __future__ import annotations

import dataclasses
import importlib
import pathlib
from collections.abc import Mapping
from typing import Any

__all__ = ["Faulty", "every_fault"]


@dataclasses.dataclass(frozen=True)
class Faulty:
    """A thing, the check that it fails, and a pattern of the sentence; `kit` has keywords of `pelplug.testing.Kit`.

    `also` has the names of checks that cannot but fail with it.
    """

    thing: Any
    check: str
    words: str
    kind: str | None = None
    kit: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    also: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Name of the test."""
        own = self.thing if isinstance(self.thing, type) else type(self.thing)
        return f"{self.check}-{own.__name__}"


def every_fault() -> list[Faulty]:
    """Return the faulty things of all kinds."""
    names = sorted(path.stem for path in pathlib.Path(__file__).parent.glob("[a-z]*.py"))
    return [one for name in names for one in importlib.import_module(f"faulty.{name}").FAULTY]
