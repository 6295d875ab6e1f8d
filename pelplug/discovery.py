"""Finding plugins among the installed distributions, and the record kept of each."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import re
import traceback
from typing import Any

__all__ = [
    "ANY_FAILURE",
    "GROUP",
    "PluginRecord",
    "describe",
    "first_line",
    "installed",
    "normalise",
    "package_summary",
]

GROUP = "pelplug"
# A plugin may fail in any way but Ctrl-C; sys.exit() at import is a known one.
ANY_FAILURE = (Exception, SystemExit)


@dataclasses.dataclass
class PluginRecord:
    """One plugin and what became of it.

    Attributes
    ----------
    name : str
        Name of its entry point.
    distribution, version : str
        The package it was installed from.
    bundled : bool
        Whether it came with pelplug.
    status : {"loaded", "failed", "disabled"}
        "failed" if anything it did went wrong; what worked is in `provides` all the same.
    summary : str
        First line of its docstring, or of its package.
    errors : list of str
        What went wrong, a sentence each.
    tracebacks : list of str
        The same for its author.
    provides : dict of str to list of str
        Names of its analyses, models, potentials, engines, exporters and commands.
    """

    name: str
    distribution: str = ""
    version: str = ""
    bundled: bool = False
    status: str = "loaded"
    summary: str = ""
    errors: list[str] = dataclasses.field(default_factory=list)
    tracebacks: list[str] = dataclasses.field(default_factory=list)
    provides: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    @property
    def error(self) -> str | None:
        """All that went wrong, None if nothing did."""
        return " ".join(self.errors) or None

    @property
    def owner(self) -> str:
        """Name, distribution and version, for sentences."""
        return f"{self.name} ({f'{self.distribution} {self.version}'.strip()})"

    def fail(self, sentence: str, error: BaseException | None = None) -> None:
        """Record a failure of this plugin."""
        self.status = "failed"
        self.errors.append(sentence if sentence.endswith(".") else f"{sentence}.")
        self.tracebacks.append("".join(traceback.format_exception(error)) if error is not None else "")


def installed() -> tuple[list, list[PluginRecord]]:
    """Return the entry points of all distributions; one with unreadable metadata must not hide the others."""
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
            record = PluginRecord("?", name)
            record.fail(f"Its entry points cannot be read: {describe(error)}", error)
            problems.append(record)
    return entries, problems


def normalise(name: str) -> str:
    """Return a distribution or plugin name as packaging tools compare it."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def describe(error: BaseException) -> str:
    """Word an exception in one line, its kind first."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def first_line(text: Any) -> str:
    """Return the first line of a docstring, empty if there is none."""
    return text.strip().partition("\n")[0].strip() if isinstance(text, str) else ""


def package_summary(entry: Any) -> str:
    """Return the summary of the distribution that an entry point is from."""
    try:
        return first_line(entry.dist.metadata["Summary"]) if entry.dist is not None else ""
    except ANY_FAILURE:
        return ""
