"""Entry points of the installed distributions: which packages offer plugins."""

from __future__ import annotations

import importlib.metadata
import re

__all__ = ["ANY_FAILURE", "GROUP", "NAME_PATTERN", "installed", "normalise"]

GROUP = "pelplug"
# Names become options, file suffixes and dataset names.
NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
# A plugin may fail in any way but Ctrl-C; sys.exit() at import is a known one.
ANY_FAILURE = (Exception, SystemExit)


def installed() -> tuple[list, list[tuple[str, BaseException]]]:
    """Return the entry points of all distributions; one with unreadable metadata must not hide the others.

    Returns
    -------
    entries : list of importlib.metadata.EntryPoint
    problems : list of tuple
        Name of a distribution and why its entry points cannot be read.
    """
    try:
        return list(importlib.metadata.entry_points(group=GROUP)), []
    except ANY_FAILURE:
        pass
    entries, problems, seen = [], [], set()
    for distribution in importlib.metadata.distributions():
        name = "?"
        try:
            name = distribution.metadata["Name"] or "?"
            if normalise(name) not in seen:
                entries.extend(entry for entry in distribution.entry_points if entry.group == GROUP)
            seen.add(normalise(name))
        except ANY_FAILURE as error:
            problems.append((name, error))
    return entries, problems


def normalise(name: str) -> str:
    """Return a distribution or plugin name as packaging tools compare it."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
