"""The analysis classes that are installed, as a namespace that notebooks complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pelplug.core.parameters import closest
from pelplug.host.functions import default_registry

if TYPE_CHECKING:
    from pelplug.tasks.analysis import Analysis

__all__ = ["analyses"]


class InstalledAnalyses:
    """The installed analyses by the names of their classes, each of MDAnalysis's kind (``run().results``).

    Plugins are loaded when a name is asked for, or by completion.

    Examples
    --------
    >>> import pelplug
    >>> pelplug.analyses.Dynamics.name
    'dynamics'
    """

    def __getattr__(self, name: str) -> type[Analysis]:
        if name.startswith("_"):  # what Python, copy and notebooks ask of any object
            raise AttributeError(name)
        classes = self._classes()
        if len(classes.get(name, ())) == 1:
            return classes[name][0]
        raise AttributeError(f"pelplug.analyses has no {name}{self._why(name, classes)}", name=name, obj=self)

    def __dir__(self) -> list[str]:
        return sorted(name for name, found in self._classes().items() if len(found) == 1)

    def __repr__(self) -> str:
        classes = self._classes()
        width = max((len(name) for name in dir(self)), default=0)
        lines = [f"  {name:<{width}}  {classes[name][0].summary}" for name in dir(self)]
        return "\n".join(["pelplug.analyses: the classes of what is installed", *lines])

    @staticmethod
    def _classes() -> dict[str, list[type[Analysis]]]:
        """Return the classes of each name: of two plugins, two classes may have one."""
        found: dict[str, list[type[Analysis]]] = {}
        for cls in default_registry().analyses().values():
            found.setdefault(cls.__name__, []).append(cls)
        return found

    @staticmethod
    def _why(name: str, classes: dict[str, list[type[Analysis]]]) -> str:
        """Return how the sentence on a missing name ends: what to write instead."""
        if name in classes:
            homes = " and ".join(f"{cls.name} ({cls.__module__})" for cls in classes[name])
            return f", for {homes} both have a class of this name; import it from its module."
        by_name = {cls.name: cls.__name__ for found in classes.values() for cls in found}
        if name in by_name:
            return f"; the class of {name} is pelplug.analyses.{by_name[name]}."
        failed = [record.owner for record in default_registry().failures()]
        broken = f" Failed to load: {', '.join(failed)}." if failed else ""
        near = closest(name, classes)
        return f"{near}; `pelplug plugins` lists what is installed, and what failed to load and why.{broken}"


analyses = InstalledAnalyses()
"""The analysis classes that are installed: ``pelplug.analyses.Kappa``."""
