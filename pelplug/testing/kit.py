"""What checks run a thing on: a trajectory, parameters, a model; made when first asked for, once for all checks."""

from __future__ import annotations

import dataclasses
import functools
import tempfile
import unittest
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pelplug.host.functions import run_analyses
from pelplug.testing.samples import make_trajectory, registry_with

__all__ = ["Kit", "kit_for"]


@dataclasses.dataclass(eq=False)
class Kit:
    """What checks run a thing on. Give what the default does not suit; a thing may do so itself, see `trial`.

    Attributes
    ----------
    parameters : mapping
        Parameters to run an analysis or study with, or to build a model with.
    trajectory : path_like, Trajectory or callable, optional
        A trajectory, or a function that writes one into a folder and returns its path; by default the one that
        `make_trajectory` makes of `model`, `n`, `frames` and `seed`.
    model : str or Model, optional
        Of the particles; Kob-Andersen by default.
    n, frames, seed : int
        Of the trajectory that is made.
    configuration : Configuration, optional
        The state that a model, form or potential is tried on.
    also : tuple
        What is used and not installed: analyses.
    expected_failures : mapping
        Checks that fail, and the reason of each.
    """

    parameters: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    trajectory: Any = None
    model: Any = None
    n: int = 100
    frames: int = 4
    seed: int = 0
    configuration: Any = None
    also: tuple = ()
    expected_failures: Mapping[str, str] = dataclasses.field(default_factory=dict)
    _made: dict = dataclasses.field(default_factory=dict, repr=False)

    @functools.cached_property
    def folder(self) -> Path:
        """A folder for files, removed with the kit."""
        self._temporary = tempfile.TemporaryDirectory(prefix="pelplug-checks-", ignore_cleanup_errors=True)
        return Path(self._temporary.name)

    @functools.cached_property
    def path(self) -> Any:
        """The trajectory, as `pelplug.analyze` takes it: a path where nothing else was given."""
        if callable(self.trajectory):
            return self.trajectory(self.folder)
        if self.trajectory is not None:
            return self.trajectory
        model = self.model or "kob-andersen"
        return make_trajectory(self.folder / "trajectory.gsd", model, self.n, self.frames, self.seed)

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what a function makes, calling it for the first check that asks; an error is raised to each."""
        if key not in self._made:
            try:
                self._made[key] = (make(), None)
            except Exception as error:
                self._made[key] = (None, error)
        value, error = self._made[key]
        if error is not None:
            raise error
        return value

    def run(self, cls: type, trajectory: Any = None, **keywords):
        """Run an analysis, used and not installed ones known; see `pelplug.host.functions.run_analyses`."""
        registry = self.once(("registry", cls), lambda: registry_with(*self.also, cls))
        given = {"model": self.model, "parameters": dict(self.parameters), **keywords}
        return run_analyses(cls.name, self.path if trajectory is None else trajectory, registry=registry, **given)

    def result(self, cls: type):
        """Return the `AnalysisRun` that checks share; skip the check if there is none: another one says so."""
        try:
            return self.once(("run", cls), lambda: self.run(cls))
        except Exception as error:
            raise unittest.SkipTest(f"it does not run: {error}") from error


def kit_for(thing: Any, kit: Kit | None) -> Kit:
    """Return a kit for one thing: the one given, what the thing declares in `trial`, or the default."""
    return Kit(**getattr(thing, "trial", {})) if kit is None else dataclasses.replace(kit, _made={})
