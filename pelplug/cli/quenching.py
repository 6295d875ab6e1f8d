"""The work of ``pelplug quench`` as an analysis, so that frames, workers and partial results are as in all others."""

from __future__ import annotations

import types

from pelplug.core.fields import Field, Need
from pelplug.tasks.quenching import QuenchingAnalysis

__all__ = ["Quench", "QuenchRegistry"]


class Quench(QuenchingAnalysis):
    """Quench every selected frame to its inherent structure."""

    name = "quench"
    summary = "Inherent structure of every frame"
    needs = Need.POSITIONS | Need.CELL | Need.POTENTIAL
    provides = {  # noqa: RUF012 (as in every analysis)
        "positions": Field(("frame", "particle", "dimension"), "length", "position in the inherent structure"),
        "energy": Field(("frame",), "energy", "energy of the inherent structure"),
        "initial_energy": Field(("frame",), "energy", "energy before the quench"),
        "max_force": Field(("frame",), "energy / length", "largest force component left"),
        "displacement": Field(("frame",), "length", "root mean square displacement in the quench"),
        "evaluations": Field(("frame",), "1", "force evaluations"),
    }

    def compute(self, configuration):
        """Return the inherent structure of one frame."""
        result = self.quench(configuration)
        return {
            "positions": result.configuration.positions,
            **{name: getattr(result, name) for name in self.provides if name != "positions"},
        }


class QuenchRegistry:
    """A registry that knows `Quench` too, whatever plugins are called."""

    def __init__(self, registry):
        self._registry = registry

    def analysis(self, name):
        """Return the one analysis there is."""
        return Quench

    def owner_of(self, kind, name):
        """Return who answers for it."""
        return types.SimpleNamespace(owner="pelplug")

    def __getattr__(self, name):
        return getattr(self._registry, name)
