"""What checks run a thing on: a trajectory, parameters, a model; made when first asked for, once for all checks."""

from __future__ import annotations

import dataclasses
import functools
import shutil
import tempfile
import types
import unittest
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pelplug.configuration import Configuration
from pelplug.core.fields import Need
from pelplug.host.functions import run_analyses
from pelplug.tasks.parts import Parts
from pelplug.tasks.study import Study
from pelplug.testing.samples import make_trajectory, registry_with
from pelplug.trajectories.opening import open_trajectory
from pelplug.trajectories.readers.write import write_trajectory
from pelplug.trajectories.trajectory import Trajectory

__all__ = ["Kit", "kit_for"]


@dataclasses.dataclass(eq=False)
class Kit:
    """What checks run a thing on. Give what the default does not suit; a thing may do so itself, in its `trial`.

    Parameters
    ----------
    parameters : mapping or callable
        Parameters to run an analysis or study with, or to build a model with; or a function that writes the files that
        they name into a folder and returns them.
    trajectory : path_like, Trajectory or callable, optional
        A trajectory, or a function that writes one into a folder and returns it; by default the one that
        `make_trajectory` makes.
    model : str or Model, optional
        Of the particles, where the trajectory does not record it.
    n, frames, seed, minima : int
        Of the trajectory that is made, as of `make_trajectory`.
    results : Dataset, mapping, list or callable, optional
        Results that a study reads or an exporter writes, or a function that writes files of them into a folder and
        returns what `pelplug.study` takes.
    configuration : Configuration, optional
        The state that a model, form or potential is tried on.
    also : tuple
        What is used and not installed: analyses.
    others : tuple
        Potentials that are not the one under test: their records are to be others too.
    workers : int
        Processes of a run in several.
    tolerance : float
        By how much a number may differ where it comes by another order of operations.
    exempt : mapping
        Variables that are not compared under symmetries, and the reason of each; ``check_rotation.c11`` names one of a
        single check.
    expected_failures : mapping
        Checks that fail, and the reason of each.
    """

    parameters: Any = dataclasses.field(default_factory=dict)
    trajectory: Any = None
    model: Any = None
    n: int = 100
    frames: int = 4
    seed: int = 0
    minima: int = 1
    results: Any = None
    configuration: Any = None
    also: tuple = ()
    others: tuple = ()
    workers: int = 2
    tolerance: float = 1e-6
    exempt: Mapping[str, str] = dataclasses.field(default_factory=dict)
    expected_failures: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        self._made: dict = {}

    @functools.cached_property
    def folder(self) -> Path:
        """A folder for files, removed with the kit."""
        path = tempfile.mkdtemp(prefix="pelplug-checks-")
        weakref.finalize(self, shutil.rmtree, path, ignore_errors=True)
        return Path(path)

    @functools.cached_property
    def given(self) -> Mapping[str, Any]:
        """The parameters."""
        return self.parameters(self.folder) if callable(self.parameters) else self.parameters

    @functools.cached_property
    def read(self) -> Any:
        """The results that a study reads."""
        return self.results(self.folder) if callable(self.results) else self.results

    @functools.cached_property
    def opened(self) -> Trajectory:
        """The trajectory."""
        found = self.trajectory(self.folder) if callable(self.trajectory) else self.trajectory
        if found is None:
            model = self.model or "kob-andersen"
            path = self.folder / "trajectory.gsd"
            found = make_trajectory(path, model, self.n, self.frames, self.seed, self.minima, time_step=0.005)
        return found if isinstance(found, Trajectory) else open_trajectory(found)

    def altered(self, name: str, change: Callable[[Configuration], Configuration], *, bare: bool = False) -> Path:
        """Return the path of the trajectory with each state changed; `bare` leaves out what else the file says."""

        def write() -> Path:
            path, one = self.folder / f"{name}.nc", self.opened
            record, said = (None, None) if bare else (one.model_record, one.conditions)
            write_trajectory(path, map(change, one), model_record=record, conditions=said)
            return path

        return self.once(("altered", name), write)

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

    def registry(self, cls: type):
        """Return the registry that runs an analysis; skip the check if it refuses it: another one says so."""
        try:
            return self.once(("registry", cls), lambda: registry_with(*self.also, cls))
        except AssertionError as error:
            raise unittest.SkipTest(str(error)) from error

    def run(self, cls: type, trajectory: Any = None, **keywords):
        """Run an analysis and return its `AnalysisRun`; keywords as of `pelplug.analyze`."""
        given = {"model": self.model, "parameters": dict(self.given), **keywords}
        return run_analyses(
            cls.name, self.opened if trajectory is None else trajectory, registry=self.registry(cls), **given
        )

    def study(self, cls: type[Study], results: Any, workers: int = 1):
        """Run a study of some results; what comes has ``datasets`` and ``analyses``, as a run of analyses has."""
        self.registry(cls)
        made = cls(() if results is None else results, **self.given).run(Parts(workers))
        return types.SimpleNamespace(datasets={cls.name: made.to_dataset()}, analyses={cls.name: made})

    def attempt(self, cls: type):
        """Return the run that checks share, of an analysis an `AnalysisRun`, or raise why there is none."""
        if issubclass(cls, Study):
            return self.once(("run", cls), lambda: self.study(cls, self.read))
        if Need.ENGINE in cls.needs and not self.registry(cls).has_engine():
            raise unittest.SkipTest("it simulates, and no engine can be used here")
        return self.once(("run", cls), lambda: self.run(cls))

    def result(self, cls: type):
        """Return the run that checks share; skip the check if there is none: another one says so."""
        try:
            return self.attempt(cls)
        except unittest.SkipTest:
            raise
        except Exception as error:
            raise unittest.SkipTest("it does not run, see check_runs") from error


def kit_for(thing: Any, kit: Kit | None) -> Kit:
    """Return a kit for one thing: the one given, what the thing declares in `trial`, or the default."""
    return Kit(**getattr(thing, "trial", {})) if kit is None else dataclasses.replace(kit)
