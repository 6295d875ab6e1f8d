"""Whether a row of a file is the same particle in every frame: the one place where readers and analyses ask."""

from __future__ import annotations

import dataclasses

import numpy as np

from pelplug.errors import InputError

__all__ = ["Rows", "check_same_particles", "explain_unknown", "order_by_id"]

_SHOWN = 3


@dataclasses.dataclass(frozen=True)
class Rows:
    """Who the rows of one frame are.

    Parameters
    ----------
    frame : int
        Number of the frame.
    ids : ndarray of int, shape (N,), or None
        Ids in the order of the rows, which is ascending; None where the frame has none.
    species : ndarray of str, shape (N,), or None
        Their species; None where nothing in the frame tells.
    """

    frame: int
    ids: np.ndarray | None
    species: np.ndarray | None


def order_by_id(ids) -> np.ndarray:
    """Return the order that sorts the rows of a frame by id.

    Raises
    ------
    InputError
        If an id is not a whole number, or two particles have the same.
    """
    ids = np.asarray(ids)
    if ids.dtype.kind == "f" and not np.array_equal(ids, np.rint(ids)):
        raise InputError("an id is not a whole number; write the file again")
    order = np.argsort(ids, kind="stable")
    repeated = np.flatnonzero(np.diff(ids[order]) == 0)
    if repeated.size:
        raise InputError(f"two atoms have the same id, {int(ids[order][repeated[0]])}; write the file again")
    return order


def explain_unknown(path, reason: str) -> str:
    """Return the sentence for a file that does not say which particle a row is, from its reader's reason."""
    return (
        f"No particle of {path} can be followed from frame to frame: {reason}; or, if rows are the same particles in "
        "every frame all the same, say so with --order-is-kept (order_is_kept=True in Python)."
    )


def check_same_particles(first: Rows, other: Rows, path, second_path=None) -> None:
    """Refuse two frames whose rows are not the same particles.

    Parameters
    ----------
    first, other : Rows
        Of two frames.
    path : path_like
        File of the first.
    second_path : path_like, optional
        File of the other, if that is another one.

    Raises
    ------
    InputError
        If ids have come or gone, if only one of them has ids, or if the species of a particle differs.
    """
    where = f"of {path}" if second_path is None else f"of {second_path}"
    against = f"frame {first.frame}" + ("" if second_path is None else f" of {path}")
    stop = ""
    if second_path is None and other.frame > first.frame + 1:
        stop = f"analyse the frames before it (--stop {other.frame}), or "
    if (first.ids is None) != (other.ids is None):
        one, two = f"frame {other.frame} {where}", against
        lacks, has = (two, one) if first.ids is None else (one, two)
        raise InputError(
            f"{lacks[0].upper()}{lacks[1:]} has no ids although {has} has, so particles cannot be followed; "
            f"{stop}write ids in every frame."
        )
    if first.ids is not None and other.ids is not None and not np.array_equal(first.ids, other.ids):
        gone, come = np.setdiff1d(first.ids, other.ids), np.setdiff1d(other.ids, first.ids)
        change = " and ".join(
            f"{_listed(some)} {verb}" for some, verb in ((gone, "is gone"), (come, "has come")) if some.size
        )
        raise InputError(
            f"The ids of frame {other.frame} {where} are not those of {against} ({change}), so particles cannot be "
            f"followed; {stop}write the same atoms in every frame."
        )
    if first.species is None or other.species is None or np.array_equal(first.species, other.species):
        return
    if len(first.species) != len(other.species):
        raise InputError(
            f"Frame {other.frame} {where} has {len(other.species)} particles, and {against} {len(first.species)}; "
            f"{stop}write the same atoms in every frame."
        )
    row = int(np.flatnonzero(first.species != other.species)[0])
    name = f"particle {row}" if first.ids is None else f"id {int(first.ids[row])}"
    raise InputError(
        f"Species change at frame {other.frame} {where} ({name} is {other.species[row]}, and {first.species[row]} in "
        f"{against}), so motion by species has no meaning; {stop}give a trajectory in which each particle stays "
        "what it is and where it is in the list."
    )


def _listed(ids: np.ndarray) -> str:
    shown = ", ".join(str(int(one)) for one in ids[:_SHOWN])
    more = f" and {ids.size - _SHOWN} more" if ids.size > _SHOWN else ""
    return f"id {shown}{more}"
