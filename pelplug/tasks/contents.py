"""What a collection holds, as a table: each result with its conditions, and which of them no study reads together."""

from __future__ import annotations

import dataclasses
import html

from pelplug.core.conditions import Conditions
from pelplug.errors import InputError
from pelplug.tasks.collection import Collection, Result
from pelplug.tasks.mixing import CONDITIONS, readable_by

__all__ = ["COLUMNS", "Contents", "contents_of"]

COLUMNS = ("file", "analysis", "model", "N", "density", "T", "runs", "frames", "units", "pelplug", "record", "group")

_MAY_DIFFER = tuple(name for name in CONDITIONS if name != "model")


@dataclasses.dataclass(frozen=True)
class Contents:
    """A table of results; it shows itself in a terminal and in a notebook.

    Attributes
    ----------
    rows : tuple of dict
        A result each, by the names of `COLUMNS`. Those of an analysis with one ``group`` may be read together.
    apart : tuple of str
        Why not all may, a sentence for each further group.
    """

    rows: tuple[dict[str, str], ...]
    apart: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [COLUMNS, *(tuple(row[name] for name in COLUMNS) for row in self.rows)]
        widths = [max(len(line[k]) for line in lines) for k in range(len(COLUMNS))]
        shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        return "\n".join([*(line.rstrip() for line in shown), *self.apart])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in COLUMNS)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(row[name])}</td>" for name in COLUMNS) + "</tr>" for row in self.rows
        )
        below = "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self.apart)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"


def contents_of(collection: Collection) -> Contents:
    """Return the table of a collection; nothing but attributes is read."""
    groups, apart = _groups(collection)
    return Contents(tuple(_row(one, groups.get(id(one), "")) for one in collection), tuple(apart))


def _row(one: Result, group: str) -> dict[str, str]:
    at, units = one.conditions, one.conditions.units
    record = at.model or {}
    return {
        "file": one.source,
        "analysis": one.analysis,
        "model": str(record.get("name") or record.get("potential") or ""),
        "N": _said(at, "n") or str(one.sizes.get("particle", "")),
        "density": _said(at, "density"),
        "T": _said(at, "temperature") or (f"{parent} (parent)" if (parent := _said(at, "parent_temperature")) else ""),
        "runs": str(len(one.trajectories) or ""),
        "frames": _frames(one),
        "units": "reduced" if units.is_reduced else str(units),
        "pelplug": str(one.attributes.get("pelplug_version", "")),
        "record": str(one.provenance_version),
        "group": group,
    }


def _said(at: Conditions, name: str) -> str:
    value = getattr(at, name)
    if value is None:
        return "several" if name in at.several else ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _frames(one: Result) -> str:
    """Return how many frames it is of, as its dimension says or else its record."""
    if (number := one.sizes.get("frame")) is not None:
        return str(number)
    read = [frames for _, _, frames in one.trajectories]
    return str(sum(map(len, read))) if read and None not in read else ""  # type: ignore[arg-type]  # none is None


def _groups(collection: Collection) -> tuple[dict[int, str], list[str]]:
    """Return the group of each result whose analysis has more than one, and why these are apart."""
    found: dict[int, str] = {}
    apart: list[str] = []
    for name in collection.analyses:
        if collection.of(name).results[0].attributes.get("task") == "study":
            continue
        groups: list[list[Result]] = []
        for one in collection.of(name):
            why = ""
            for group in groups:
                if not (refusal := _refusal(name, group[0], one)):
                    group.append(one)
                    break
                why = why or refusal
            else:
                groups.append([one])
                apart += [why] if why else []
        if len(groups) > 1:
            found |= {id(one): str(k) for k, group in enumerate(groups, 1) for one in group}
        apart += [why for group in groups if (why := _refusal(name, *group))]  # one twice, frames in common
    return found, list(dict.fromkeys(apart))


def _refusal(name: str, *results: Result) -> str:
    """Return why no study whatever reads some results together; empty if one may."""
    try:
        readable_by(Collection(list(results)), "study", (name,), (), (), _MAY_DIFFER)
    except InputError as error:
        return str(error).replace("the study", "a study")  # there is none yet
    return ""
