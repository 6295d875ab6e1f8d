"""The checks of an analysis that need another run: symmetries, interruption, a running simulation, bad input."""

from __future__ import annotations

import dataclasses
import pickle
import unittest

import h5py
import numpy as np
import xarray as xr

from pelplug.configuration import Configuration
from pelplug.core.fields import Need
from pelplug.engines.engine import EnergyLog
from pelplug.errors import InputError, PelplugError, RunError
from pelplug.files.finished_frames import PartialStore
from pelplug.tasks.in_situ import InSitu
from pelplug.tasks.provenance import failed_frames
from pelplug.tasks.series import Series
from pelplug.testing.analyses import require_same, same_numbers
from pelplug.testing.checks import check, require
from pelplug.testing.samples import make_trajectory
from pelplug.testing.states import in_other_images, renumbered, rotation, turned, with_other_vectors

__all__ = []


# --- symmetries -------------------------------------------------------------------------------------------------------


def _compare(cls, kit, check_name, name, change, order=None) -> None:
    """Require that a changed trajectory gives the same numbers, each particle its own; `order` says who is who now."""
    exempt = {key.removeprefix(f"{check_name}.") for key in kit.exempt}
    unknown = [key for key in kit.exempt if key.rpartition(".")[2] not in cls.provides]
    require(not unknown, f"what is exempt is no variable: {', '.join(unknown)}")
    reference = _as_written(cls, kit)
    found = kit.run(cls, kit.altered(name, change)).datasets[cls.name]
    wrong = []
    for key in reference.data_vars:
        one = reference[key]
        if "dimension" in one.dims or key in exempt:  # vectors turn and positions move
            continue
        if key not in found:
            wrong.append(str(key))
            continue
        if order is not None and "particle" in one.dims:
            one = one.isel(particle=order)
        if not same_numbers(_sorted(one), _sorted(found[key]), kit.tolerance):
            wrong.append(str(key))
    require(not wrong, f"{', '.join(wrong)} changes with {name}")


def _as_written(cls, kit) -> xr.Dataset:
    """Return the result of the trajectory written as the changed ones are: without logs, with its precision."""
    kit.result(cls)
    return kit.once(("as written", cls), lambda: kit.run(cls, kit.altered("nothing", lambda one: one))).datasets[
        cls.name
    ]


def _sorted(array: xr.DataArray) -> xr.DataArray:
    """Return a list of pairs and the like in an order of its own: what comes first in it says nothing."""
    listed = [dim for dim in array.dims if f"{dim}_frame" in array.coords]
    if not listed or array.ndim > 1:
        return array.drop_vars(array.coords)
    label = array.coords[f"{listed[0]}_frame"].values
    return array.drop_vars(array.coords).isel({listed[0]: np.lexsort((array.values, label))})


@check("analysis")
def check_translation(cls, kit):
    """Moving all particles by one vector changes nothing."""

    def move(one: Configuration) -> Configuration:
        shift = np.linspace(0.21, 0.43, one.dimension) @ one.cell
        return one.replace(positions=one.positions + shift)

    _compare(cls, kit, "check_translation", "a translation", move)


@check("analysis")
def check_images(cls, kit):
    """Moving particles by whole cells, counted in their image flags, changes nothing."""
    _compare(cls, kit, "check_images", "whole cells", in_other_images)  # each by its own number, the same in all frames


@check("analysis")
def check_permutation(cls, kit):
    """Numbering the particles in another order changes nothing but the order of what is given for each."""
    kit.result(cls)
    order = np.random.default_rng(12).permutation(kit.opened.n)
    _compare(cls, kit, "check_permutation", "the order of the particles", lambda one: renumbered(one, order), order)


@check("analysis")
def check_rotation(cls, kit):
    """Turning all of space, the cell too, changes nothing: no direction is special, and no cell vector lies along x."""
    _compare(cls, kit, "check_rotation", "a rotation", lambda one: turned(one, rotation(one.dimension, 5)))


@check("analysis")
def check_cell_vectors(cls, kit):
    """Other vectors that span a cell of the same periodic state change nothing."""
    _compare(cls, kit, "check_cell_vectors", "the choice of the cell vectors", with_other_vectors)


# --- other ways to run ------------------------------------------------------------------------------------------------


@check("analysis", when=lambda cls: cls.reads_frames)
def check_resumes(cls, kit):
    """A run that is killed goes on with the frames that were finished, and gives the same."""
    whole = kit.result(cls).datasets[cls.name]
    path = kit.folder / "unfinished.nc"
    first = _Watched(path, cls.name, kit.opened.n_frames // 2)
    try:
        kit.run(cls, store=first)
    except _KilledError:
        pass
    else:
        require(False, "no finished frame is kept: pass **base on to super().__init__")
    second = _Watched(path, cls.name)
    again = kit.run(cls, store=second).datasets[cls.name]
    require(second.found == first.put, f"of {first.put} finished frames {second.found} are taken up again")
    require_same(whole, again, "a run at once", "one that was killed", "; what summarize() uses belongs in the dataset")


class _KilledError(KeyboardInterrupt):
    """Stands for the signal."""


class _Watched:
    """A `PartialStore` that kills the run after some frames of an analysis, and counts those that it had."""

    def __init__(self, path, name: str, last: int | None = None):
        self._store, self._name, self._last = PartialStore(path), name, last
        self.put = self.found = 0

    def for_analysis(self, name, fingerprint):
        frames = self._store.for_analysis(name, fingerprint)
        return _WatchedFrames(self, frames) if name == self._name else frames


class _WatchedFrames:
    def __init__(self, owner, frames):
        self._owner, self._frames = owner, frames

    def get(self, frame):
        found = self._frames.get(frame)
        self._owner.found += found is not None
        return found

    def put(self, frame, values):
        self._frames.put(frame, values)
        self._owner.put += 1
        if self._owner.put == self._owner._last:
            raise _KilledError


@check("analysis", when=lambda cls: not cls.uses and (cls.reads_frames or issubclass(cls, Series)))
def check_in_situ(cls, kit):
    """Inside a running simulation it gives what it gives of the file, or refuses to be there."""
    found, whole = _inside(cls, kit), kit.result(cls).datasets[cls.name]
    if not {"time"} <= set(whole.coords) & set(found.coords):  # the file does not say how long a step is
        whole, found = (one.drop_vars("time", errors="ignore") for one in (whole, found))
    failed = failed_frames(found)
    require(failed == failed_frames(whole), f"in a running simulation states fail: {failed}; there is no trajectory")
    require_same(whole, found, "the file", "the running simulation", tolerance=kit.tolerance, attributes=False)


@check("analysis", when=lambda cls: not cls.uses and (cls.reads_frames or issubclass(cls, Series)))
def check_in_situ_resumes(cls, kit):
    """A simulation that is killed and goes on loses nothing of what was computed inside it."""
    try:
        whole = _inside(cls, kit)
    except Exception as error:
        raise unittest.SkipTest(f"it cannot be in a simulation: {error}") from error
    states = _states(cls, kit)
    first, second = _watch(cls, kit), _watch(cls, kit)
    for one in states[: len(states) // 2]:
        _look(first, *one)
    second.restore(pickle.loads(pickle.dumps(first.state())))
    for one in states[len(states) // 2 :]:
        _look(second, *one)
    again = second.datasets()[cls.name]
    hint = "; state() has to keep it"
    require_same(whole, again, "a simulation at once", "one that was killed", hint, attributes=False)


def _inside(cls, kit) -> xr.Dataset:
    """Return what it gives in a simulation that visits the states of the trajectory."""

    def watched():
        watch = _watch(cls, kit)
        for one in _states(cls, kit):
            _look(watch, *one)
        return watch.datasets()[cls.name]

    return kit.once(("inside", cls), watched)


def _watch(cls, kit) -> InSitu:
    run = kit.result(cls)
    try:
        watch = InSitu(cls(None, model=run.model, **kit.given))
    except InputError as error:
        raise unittest.SkipTest(f"it refuses to be in a simulation: {error}") from error
    states = [one for one, _ in _states(cls, kit)]
    steps = [one.step for one in states]
    if None in steps or len(set(np.diff(steps))) != 1 or (issubclass(cls, Series) and run.model is None):
        raise unittest.SkipTest("the states of the trajectory are not those of a simulation: no steps, or no model")
    time_step = kit.given.get("time_step", 1.0)
    if states[0].time is not None:
        time_step = (states[-1].time - states[0].time) / (steps[-1] - steps[0])
    watch.begin(run.trajectory.n, time_step, steps[1] - steps[0], run.trajectory.conditions)
    return watch


def _states(cls, kit) -> list[tuple[Configuration, float]]:
    run = kit.result(cls)

    def energy(one: Configuration) -> float:
        return run.model.potential(one).energy(one) if run.model is not None else 0.0

    return kit.once(("states", cls), lambda: [(one, energy(one)) for one in run.trajectory])


def _look(watch: InSitu, state: Configuration, energy: float) -> None:
    watch(state, energy)
    watch.energies(EnergyLog(np.array([state.step]), np.array([energy]), np.full(1, np.nan)))


@check("analysis")
def check_two_dimensions(cls, kit):
    """It runs in two dimensions, or refuses before work starts."""
    if kit.result(cls).trajectory.dimension == 2:
        raise unittest.SkipTest("it runs in two dimensions anyway")
    path = kit.once("flat", lambda: make_trajectory(kit.folder / "flat.gsd", "kob-andersen-2d", kit.n, kit.frames))
    _runs_or_refuses(cls, kit, "in two dimensions", path, model=None)


# --- bad input --------------------------------------------------------------------------------------------------------


@check("analysis")
def check_declares_needs(cls, kit):
    """What a file lacks is refused before work starts: everything that it needs is declared in `needs`."""

    def strip(one: Configuration) -> Configuration:
        usual = dataclasses.fields(Configuration)[3:]
        return one.replace(**{field.name: None for field in usual})

    run = kit.result(cls)
    model = run.model if Need.POTENTIAL in run.analyses[cls.name].needs else None
    path = kit.altered("bare", strip, bare=True)
    _runs_or_refuses(cls, kit, "on a file of positions, cell and species alone", path, model=model)


def _runs_or_refuses(cls, kit, where, path, **keywords) -> None:
    if failed_frames(kit.result(cls).datasets[cls.name]):
        raise unittest.SkipTest("frames fail anyway")
    try:
        dataset = kit.run(cls, path, **keywords).datasets[cls.name]
    except InputError:
        return
    except PelplugError as error:
        raise AssertionError(f"{where} it fails where it should refuse: {error}") from error
    failed = failed_frames(dataset)
    require(not failed, f"{where} frames fail: {failed}; declare what is needed, or refuse it in check_before()")


@check("analysis", when=lambda cls: Need.POSITIONS in cls.needs)
def check_refuses_nan(cls, kit):
    """A frame with a position that is not a number fails, or the run is refused: it has no part in a result."""
    kit.result(cls)
    last = kit.opened.n_frames - 1

    def damage():
        path = kit.altered("not a number", lambda one: one)
        with h5py.File(path, "r+") as file:
            file["positions"][last, 0] = np.nan
        return path

    path = kit.once("damaged", damage)
    try:
        datasets = kit.run(cls, path).datasets  # of what it uses too, which may have left the frame out
    except PelplugError:
        return
    found = any(last in failed_frames(dataset) for dataset in datasets.values())
    require(found, "a frame with a position that is not a number has passed")


@check("analysis")
def check_refuses_no_frames(cls, kit):
    """A selection without frames is refused."""
    run = kit.result(cls)
    analysis = cls(run.trajectory, model=run.model, **kit.given)
    for selection in ({"stop": 0}, {"frames": []}):
        try:
            analysis.run(**selection)
        except InputError:
            continue
        require(False, f"run({selection}) is not refused, though it selects no frame")


@check("analysis", when=lambda cls: Need.POTENTIAL in cls.needs)
def check_refuses_another_model(cls, kit):
    """A model of another dimension than the file is refused."""
    run = kit.result(cls)
    other = kit.registry(cls).model("kob-andersen" if run.trajectory.dimension == 2 else "kob-andersen-2d")
    inputs = {name: run.datasets[name] for name in run.analyses[cls.name].inputs}
    try:
        cls(run.trajectory, model=other, inputs=inputs, **kit.given).run()
    except (InputError, RunError):
        return
    require(False, f"it runs with the model {other.name}, of which the particles cannot be")
