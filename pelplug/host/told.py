"""What a plugin did not mean to raise, as one sentence with its owner."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pelplug.errors import PelplugError, RunError
from pelplug.tasks.assembly import sentence_of

if TYPE_CHECKING:
    from pelplug.host.registry import Registry
    from pelplug.tasks.task import Task

__all__ = ["told"]


@contextlib.contextmanager
def told(cls: type[Task], registry: Registry) -> Iterator[None]:
    """Turn what a plugin did not mean to raise into a sentence with its owner."""
    try:
        yield
    except PelplugError:
        raise
    except MemoryError as error:
        frames = "fewer frames (--stop, --step) or fewer --workers" if cls.noun == "analysis" else "fewer results"
        raise RunError(f"The {cls.noun} {cls.name} ran out of memory; take {frames}.") from error
    except Exception as error:
        owner = registry.owner_of({"analysis": "analyses", "study": "studies"}[cls.noun], cls.name).owner
        raise RunError(
            f"The {cls.noun} {cls.name} of the plugin {owner} failed: {sentence_of(error)}; tell its author."
        ) from error
