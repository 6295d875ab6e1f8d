"""Making configurations: engines for dynamics, and Monte Carlo.

``pelplug.simulate(model, n, temperature, steps, output=...)`` runs a simulation: this package can be called.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Callable

import pluggy

__all__ = ["pelplug_engines", "set_provider"]

hookimpl = pluggy.HookimplMarker("pelplug")


@hookimpl
def pelplug_engines() -> list[type]:
    """Return the engines that come with pelplug, installed or not: this package is itself a pelplug plugin."""
    from pelplug.simulate.hoomd import HoomdEngine
    from pelplug.simulate.lammps import LammpsEngine

    return [HoomdEngine, LammpsEngine]


_provider: Callable | None = None


def set_provider(provider: Callable) -> None:
    """Let ``provider`` run simulations (the host's task: it knows the engines; this room never looks up to it)."""
    global _provider
    _provider = provider


class _CallableModule(types.ModuleType):
    def __call__(self, *arguments, **keywords):
        """Run a simulation; see `pelplug.host.simulate`."""
        if _provider is None:
            importlib.import_module("pelplug").__getattr__("simulate")  # the public face sets the provider
        return _provider(*arguments, **keywords)


sys.modules[__name__].__class__ = _CallableModule
