"""Which visits of inherent structures belong to one metabasin: exact arithmetic on integer intervals."""

from __future__ import annotations

import numpy as np

import pelplug

__all__ = ["group_visits"]


def group_visits(structure: np.ndarray, first: np.ndarray, last: np.ndarray, merge: str = "overlap") -> np.ndarray:
    """Return where metabasins begin in a sequence of visits.

    Parameters
    ----------
    structure : ndarray of int, shape (n,)
        Inherent structure of each visit; successive ones differ.
    first, last : ndarray of int, shape (n,)
        First and last frame of each visit.
    merge : {"overlap", "half"}
        The rule; see Notes.

    Returns
    -------
    ndarray of int, shape (metabasins,)
        First visit of each metabasin; it goes on to the visit before the next one begins.

    Notes
    -----
    Each inherent structure has the interval from its first visit to its last, excursions included. A visit ends, and
    the next begins, half way between two frames, so that twice the times are integers in units of frames, and no
    comparison is rounded.

    ``overlap``: intervals that overlap belong to one metabasin. No structure is visited in two metabasins.

    ``half``: two intervals are linked if what they share is longer than half the shorter of them; a metabasin is what
    links connect, directly or over others. This does not depend on the order in which intervals are looked at. What
    successive metabasins still share is cut at the transition nearest to its middle, the earlier of two.

    Both take a sort and one sweep. For ``half`` that is enough because with intervals in the order of their starts, a
    later interval is linked to one of a metabasin before it if, and only if, the latest end of that metabasin lies
    beyond the middle of the interval, or the latest middle of its intervals lies beyond the start of the interval.
    A metabasin between two that become linked lies inside what they cover, and is then linked itself; so it is
    enough to look at the last one.
    """
    n = len(structure)
    _, begins, inverse = np.unique(structure, return_index=True, return_inverse=True)
    ends = np.empty(len(begins), dtype=np.int64)
    ends[inverse] = np.arange(n)  # of several assignments the last one stays
    if merge == "overlap":
        reach = np.maximum.accumulate(ends[inverse])
        return np.flatnonzero(np.r_[True, reach[:-1] == np.arange(n - 1)])
    first, last = np.asarray(first, dtype=np.int64), np.asarray(last, dtype=np.int64)
    edges = np.r_[2 * first[0], last[:-1] + first[1:], 2 * last[-1]]
    order = np.argsort(begins)
    begins, ends = begins[order], ends[order]
    heads = _linked(edges[begins], edges[ends + 1])
    start, stop = begins[heads], np.maximum.reduceat(ends, heads)
    return _cut(edges, start, stop)


@pelplug.kernel
def _linked(start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Return the first interval of each linked group; intervals are in the order of their starts."""
    heads = np.empty(len(start), np.int64)
    latest = np.empty(len(start), np.int64)
    middle = np.empty(len(start), np.int64)  # twice the latest middle
    top = -1
    for k in range(len(start)):
        head, reach, mid = k, stop[k], start[k] + stop[k]
        while top >= 0 and (2 * latest[top] > start[k] + stop[k] or middle[top] > 2 * start[k]):
            head, reach, mid = heads[top], max(reach, latest[top]), max(mid, middle[top])
            top -= 1
        top += 1
        heads[top], latest[top], middle[top] = head, reach, mid
    return heads[: top + 1].copy()


def _cut(edges: np.ndarray, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Return the first visit of each group, where successive groups may share visits ``start[1:]`` to ``stop[:-1]``."""
    low, high = start[1:], stop[:-1]
    target = edges[low] + edges[high + 1]  # twice the middle of what is shared
    after = np.searchsorted(2 * edges, target)
    nearer = np.where(2 * edges[after] - target < target - 2 * edges[after - 1], after, after - 1)
    return np.r_[0, np.where(high > low, np.clip(nearer, low + 1, high), low)]
