"""The record kept of each plugin, and how what went wrong is worded."""

from __future__ import annotations

import dataclasses
import traceback
from typing import Any

from pelplug.core.entry_points import ANY_FAILURE
from pelplug.core.parameters import closest
from pelplug.core.python_files import PythonFile
from pelplug.errors import InputError

__all__ = [
    "PluginRecord",
    "describe_error",
    "first_line",
    "offered_by",
    "package_summary",
    "unreadable",
]


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
    file : PythonFile or None
        What it was loaded from, if a user named a file.
    provides : dict of str to list of str
        Names of its analyses, studies, models, forms, potentials, engines, exporters, readers and commands.
    """

    name: str
    distribution: str = ""
    version: str = ""
    bundled: bool = False
    status: str = "loaded"
    summary: str = ""
    errors: list[str] = dataclasses.field(default_factory=list)
    tracebacks: list[str] = dataclasses.field(default_factory=list)
    file: PythonFile | None = None
    provides: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    @property
    def error(self) -> str | None:
        """All that went wrong, None if nothing did."""
        return " ".join(self.errors) or None

    @property
    def owner(self) -> str:
        """Name, distribution and version, for sentences."""
        return self.name if self.file else f"{self.name} ({f'{self.distribution} {self.version}'.strip()})"

    def fail(self, sentence: str, error: BaseException | None = None) -> None:
        """Record a failure of this plugin, once."""
        self.status = "failed"
        sentence = sentence if sentence.endswith(".") else f"{sentence}."
        if sentence in self.errors:
            return
        self.errors.append(sentence)
        self.tracebacks.append("".join(traceback.format_exception(error)) if error is not None else "")


def unreadable(distribution: str, error: BaseException) -> PluginRecord:
    """Return the record of a distribution whose entry points cannot be read."""
    record = PluginRecord("?", distribution)
    record.fail(f"Its entry points cannot be read: {describe_error(error)}", error)
    return record


def describe_error(error: BaseException) -> str:
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


def offered_by(registry: Any, name: str) -> list[Any]:
    """Return all that the plugin of a name offers, and what else has that name, of whatever kind.

    Parameters
    ----------
    registry : Registry
        The plugins.
    name : str
        Of a plugin, or of an analysis, model, engine ... of one.

    Raises
    ------
    InputError
        If there is nothing of that name.
    """
    records, known, found = registry.plugins(), set(), []
    for record in records:
        known.add(record.name)
        for kind in set(record.provides) - {"commands"}:
            offered = getattr(registry, kind)()
            for own in record.provides[kind]:
                names = {record.name, own, *getattr(offered[own], "aliases", ())}
                known |= names
                found += [offered[own]] if name in names else []
    if not found:
        why = closest(name, known) or "; `pelplug plugins -v` shows what there is"
        for record in records:
            if record.name == name:
                why = f", for it is {record.status}; {record.error or 'leave out --no-plugins'}".rstrip(".")
        raise InputError(f"No plugin offers anything of the name {name!r}{why}.")
    return found
