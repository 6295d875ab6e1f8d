"""Small trajectories, and registries with analyses that are not installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from pelplug.core.conditions import Conditions
from pelplug.files.finished_frames import PartialStore
from pelplug.host.hookspecs import hookimpl
from pelplug.host.registry import Registry
from pelplug.landscape import quench
from pelplug.trajectories.readers.write import write_trajectory

__all__ = ["make_trajectory", "registry_with", "unfinished_store"]


def make_trajectory(
    path,
    model: Any = "kob-andersen",
    n: int = 100,
    frames: int = 4,
    seed: int = 0,
    minima: int = 0,
    time_step: float | None = None,
) -> Path:
    """Write a small disordered trajectory with velocities, images, steps and the record of its model.

    Parameters
    ----------
    path : path_like
        File to write, ``.gsd`` or (any dimension) ``.nc``.
    model : str or Model, optional
        Model whose composition and density to use.
    n : int, optional
        Number of particles.
    frames : int, optional
        Number of frames; particles move by about 0.02 of their distance between two.
    seed : int, optional
        Seed of the random numbers.
    minima : int, optional
        Let the particles move about a minimum of the model, of which all frames are then a little off; with several,
        each frame belongs to one of them. Without, from random places, from which a minimiser may go anywhere.
    time_step : float, optional
        Time of one of the 100 steps from frame to frame [time]; without it the file has no times.

    Returns
    -------
    pathlib.Path
        The file.
    """
    rng = np.random.default_rng(seed)
    built = Registry().model(model) if isinstance(model, str) else model
    start = built.random_configuration(n, rng)
    spacing = (start.volume / n) ** (1 / start.dimension)
    starts = [start]
    if minima:
        potential = built.potential(start)
        for k in range(minima):  # each from the one before, shaken until it cannot go back
            shaken = starts[-1].positions + rng.normal(scale=0.2 * spacing * (k > 0), size=start.positions.shape)
            starts.append(quench(start.replace(positions=shaken), potential, force_tolerance=1e-6).configuration)
        starts = starts[1:]
    moved = rng.normal(scale=0.02 * spacing, size=(frames, n, start.dimension))
    if minima < 2:
        moved = np.cumsum(moved, axis=0)
    visited = rng.integers(len(starts), size=frames) if minima > 1 else np.zeros(frames, dtype=int)
    configurations = (
        start.replace(
            positions=starts[visited[k]].positions + moved[k],
            velocities=rng.normal(size=start.positions.shape),
            images=np.zeros(start.positions.shape, dtype=int),
            frame=k,
            step=100 * k,
            time=None if time_step is None else 100 * k * time_step,
        ).wrapped()
        for k in range(frames)
    )
    # What the velocities have stands for the temperature, for analyses that need one.
    said = Conditions(temperature=1.0, seed=seed, units=built.units)
    write_trajectory(path, configurations, model_record=built.to_dict(), conditions=said, overwrite=True)
    return Path(path)


def unfinished_store(path) -> PartialStore:
    """Return where finished frames are kept until a result is written, as ``pelplug.analyze(..., store=)`` takes it.

    Parameters
    ----------
    path : path_like
        The result; the frames lie beside it. A second store of the same path finds them.
    """
    return PartialStore(path)


# The hook of each kind, and the registry's word for it.
_HOOKS = {
    "analysis": "analyses",
    "study": "studies",
    "model": "models",
    "engine": "engines",
    "exporter": "exporters",
    "reader": "readers",
}


def registry_with(*things: Any) -> Registry:
    """Return a registry of the installed plugins and of some things that need not be installed.

    Parameters
    ----------
    *things : object
        Analyses, studies, models, engines, exporters and readers.
    """
    from pelplug.testing.checks import kind_of

    registry = Registry()
    extra: dict[str, list] = {word: [] for word in _HOOKS.values()}
    for thing in things:
        word = _HOOKS[kind_of(thing)]
        if getattr(registry, word)().get(getattr(thing, "name", None)) is not thing:
            extra[word].append(thing)

    def offer(word):
        return staticmethod(hookimpl(lambda: extra[word], specname=f"pelplug_{word}"))

    if any(extra.values()):
        hooks = {f"offer_{word}": offer(word) for word, some in extra.items() if some}
        record = registry.register(type("UnderTest", (), {"__doc__": "What is under test.", **hooks})(), "under-test")
        registry.plugins()
        if record.error is not None:
            raise AssertionError(f"{things[-1]!r} is refused: {record.error}")
    return registry
