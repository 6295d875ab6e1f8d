"""Who simulates: the contract of an engine, the protocol on it, pelplug's own. For engine authors."""

from __future__ import annotations

import pluggy

__all__ = ["pelplug_engines"]

hookimpl = pluggy.HookimplMarker("pelplug")


@hookimpl
def pelplug_engines() -> list[type]:
    """Return the engines that come with pelplug, installed or not: this package is itself a pelplug plugin."""
    from pelplug.engines.hoomd.engine import HoomdEngine
    from pelplug.engines.lammps.engine import LammpsEngine

    return [HoomdEngine, LammpsEngine]
