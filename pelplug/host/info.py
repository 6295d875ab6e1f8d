"""What files hold: each kind of file has a function that tells of those it knows."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from typing import Any

from pelplug.errors import InputError
from pelplug.files.record import record_of
from pelplug.files.results import read_outlines
from pelplug.tasks.collection import Collection, Result, files_of
from pelplug.tasks.contents import Contents

__all__ = ["Info", "info_of"]


@dataclasses.dataclass(frozen=True)
class Info:
    """What is known of files.

    Attributes
    ----------
    results : Contents
        Results of analyses and studies.
    others : dict of str to str
        Files that are none, and why.
    records : list of dict
        What each result says of where it comes from, with its ``file``; `provenance.schema.json` describes them.
    """

    results: Contents
    others: dict[str, str]
    records: list[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Return all as plain values for JSON."""
        return {"results": self.records, "apart": list(self.results.apart), "others": self.others}


def info_of(names: Iterable[str | os.PathLike[str]]) -> Info:
    """Return what files hold; what cannot be read is told and stops nothing.

    Parameters
    ----------
    names : iterable of path_like
        Files, or patterns of their names.
    """
    found: list[Result] = []
    records: list[dict[str, Any]] = []
    others: dict[str, str] = {}
    for name in names:
        try:
            paths = files_of(os.fspath(name))
        except InputError as error:
            others[os.fspath(name)] = str(error)
            continue
        for path in paths:
            try:
                found += Collection(path)
                records += [{"file": path, **record_of(one)} for one in read_outlines(path).values()]
            except InputError as error:
                others[path] = str(error)
    return Info(Collection(found).table(), others, records)
