"""Who simulates: the engines, and what each of them must be able to do. For users, and authors of engines."""

from __future__ import annotations

import pluggy

__all__ = ["pelplug_engines"]

hookimpl = pluggy.HookimplMarker("pelplug")


@hookimpl
def pelplug_engines() -> list[type]:
    """Return the engines of the folders of this room, installed or not: this package is itself a pelplug plugin."""
    from pelplug.core import room
    from pelplug.engines.engine import Engine

    return room.classes(__name__, Engine, inside="engine")
