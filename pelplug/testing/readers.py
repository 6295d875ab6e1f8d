"""The checks of a reader, by a file that its author gives: ``Kit(trajectory=...)``, or `trial` of the class."""

from __future__ import annotations

import contextlib
import sys
import unittest
from pathlib import Path
from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.offers import answering
from pelplug.errors import PelplugError
from pelplug.host.checks import check_reader_contract
from pelplug.testing.checks import check, require
from pelplug.testing.kit import Kit
from pelplug.trajectories.opening import open_trajectory
from pelplug.trajectories.trajectory import Trajectory

__all__: list[str] = []

_FIELDS = ("positions", "cell", "species", "diameters", "masses", "charges", "velocities", "images", "step", "time")
# What files of other formats begin with.
_HEADS = (
    b"\x89HDF\r\n\x1a\n" + bytes(56),
    b"CDF\x02" + bytes(60),
    b"ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n",
    b'108\nLattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3\n',
    b"\x65\xdf\x65\xdf\x65\xdf\x65\xdf" + bytes(56),
    b"time,energy\n0,-1.0\n1,-1.1\n",
    b"",
)


def _file(kit: Kit) -> Path:
    if kit.trajectory is None:
        raise unittest.SkipTest("there is no file to read; give Kit(trajectory=path), or a function that writes one")
    return kit.once("file", lambda: Path(kit.trajectory(kit.folder) if callable(kit.trajectory) else kit.trajectory))


def _open(cls: Any, kit: Kit, path: Path) -> Trajectory:
    with answering(kit.registry(cls).offers):
        return open_trajectory(path, format=cls.name)


def _states(cls: Any, kit: Kit) -> list[Configuration]:
    """Return all frames, one after the other; skip the check where that fails: another one says so."""
    path = _file(kit)
    try:
        return kit.once("read", lambda: list(_open(cls, kit, path)))
    except Exception as error:
        raise unittest.SkipTest("it does not read its file, see check_reader_reads") from error


def _same(one: Configuration, other: Configuration) -> bool:
    pairs = ((getattr(one, name), getattr(other, name)) for name in _FIELDS)
    return all((a is None) == (b is None) and (a is None or np.array_equal(a, b)) for a, b in pairs)


@check("reader")
def check_reader_declared(cls: Any, kit: Kit) -> None:
    """Name, summary and endings are declared as the host wants them."""
    try:
        check_reader_contract(cls)
    except TypeError as error:
        raise AssertionError(str(error)) from error


@check("reader")
def check_reader_is_importable(cls: Any, kit: Kit) -> None:
    """The class is found by its module and name, as processes that read the file look for it."""
    found = sys.modules.get(cls.__module__)
    for name in cls.__qualname__.split("."):
        found = getattr(found, name, None)
    require(found is cls, f"{cls.__module__}.{cls.__qualname__} is not the class; define it in a module")


@check("reader")
def check_reader_reads(cls: Any, kit: Kit) -> None:
    """Every frame of its file is read, and all have as many particles."""
    path = _file(kit)
    kit.registry(cls)
    states = kit.once("read", lambda: list(_open(cls, kit, path)))
    require(states, "the file has no frame")


@check("reader")
def check_reader_reads_in_any_order(cls: Any, kit: Kit) -> None:
    """A frame is the same whichever was read before it, also the second time."""
    states, trajectory = _states(cls, kit), _open(cls, kit, _file(kit))
    order = [*range(len(states))[::-1], 0, len(states) - 1, 0]
    wrong = sorted({k for k in order if not _same(states[k], trajectory.configuration(k))})
    require(not wrong, f"frame {', '.join(map(str, wrong))} is another when others were read before")


@check("reader")
def check_reader_shares_nothing(cls: Any, kit: Kit) -> None:
    """Two that read, one a shorter file, do not disturb each other: each keeps what it has of its own file."""
    states, path = _states(cls, kit), _file(kit)
    first = _open(cls, kit, path)
    other = kit.folder / f"other{path.suffix}"
    other.write_bytes(path.read_bytes()[:1])
    with contextlib.suppress(PelplugError):
        _open(cls, kit, other)
    try:
        kept = all(_same(one, first.configuration(k)) for k, one in enumerate(states))
    except PelplugError:
        kept = False
    require(kept, "a file that is open is read as another once a second one was opened")


@check("reader")
def check_reader_leaves_the_file(cls: Any, kit: Kit) -> None:
    """The file is left as it is."""
    _states(cls, kit)
    path = _file(kit)
    before = path.read_bytes()
    list(_open(cls, kit, path))
    require(path.read_bytes() == before, "reading changes the file")


@check("reader")
def check_reader_refuses_a_torn_file(cls: Any, kit: Kit) -> None:
    """A file that is cut short gives no frame that is other than it was."""
    states, path = _states(cls, kit), _file(kit)
    whole = path.read_bytes()
    for part in (0.3, 0.62, 0.97):
        torn = kit.folder / f"torn{path.suffix}"
        torn.write_bytes(whole[: int(part * len(whole))])
        try:
            trajectory = _open(cls, kit, torn)
        except PelplugError:
            continue
        for k in range(trajectory.n_frames):
            try:
                found = trajectory.configuration(k)
            except PelplugError:
                continue
            same = k < len(states) and _same(states[k], found)
            require(same, f"of a file that ends after {part:.0%} frame {k} is read, and is another")


@check("reader")
def check_reader_leaves_others_alone(cls: Any, kit: Kit) -> None:
    """It does not take files of other formats for its own."""
    taken = [head[:12] for head in _HEADS if cls.recognises("other.unknown", head)]
    require(not taken, f"recognises() takes for its own what begins with {', '.join(map(repr, taken))}")
