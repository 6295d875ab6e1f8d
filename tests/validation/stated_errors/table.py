"""The table of the documentation, docs/coverage.json: one entry a subject, with the day and the program it is of."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import pathlib
import subprocess
from collections.abc import Mapping
from typing import Any

from validation.stated_errors import energies, landscapes, structures, theories, walks
from validation.stated_errors.judged import POOLED, Row, Subject

import pelplug

__all__ = ["ROOT", "SUBJECTS", "TABLE", "entry_of", "plain_rows", "pooled", "read", "update"]

ROOT = pathlib.Path(__file__).parents[3]
TABLE = ROOT / "docs" / "coverage.json"
SUBJECTS = (*walks.SUBJECTS, *energies.SUBJECTS, *landscapes.SUBJECTS, *structures.SUBJECTS, *theories.SUBJECTS)


def read(path: pathlib.Path = TABLE) -> dict[str, Any]:
    """Return the entries of the table, by subject."""
    return json.loads(path.read_text(encoding="utf-8"))["subjects"] if path.exists() else {}


def update(path: pathlib.Path, name: str, entry: Mapping[str, Any]) -> None:
    """Write the entry of a subject, with the day and the program, into a table."""
    table = read(path)
    table[name] = {
        "date": datetime.date.today().isoformat(),
        "version": pelplug.__version__,
        "commit": COMMIT,
        **entry,
    }
    ordered = {one.name: table[one.name] for one in SUBJECTS if one.name in table}
    share, number, _ = pooled(ordered)
    whole = {"pooled": {"share": share if number else 0.0, "number": number}, "subjects": ordered | table}
    path.write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def entry_of(subject: Subject, found: Mapping[str, Row], exceptions: Mapping[str, str]) -> dict[str, Any]:
    """Return what the table has of a subject; `exceptions` are reasons by quantity."""
    return {
        "analysis": subject.analysis,
        "law": subject.law,
        "sets": subject.sets,
        "seed": subject.seed,
        "quantities": plain_rows(found, exceptions),
    }


def plain_rows(found: Mapping[str, Row], exceptions: Mapping[str, str]) -> dict[str, Any]:
    """Return rows as JSON has them, by quantity."""
    return {name: _plain(row) | {"exception": exceptions.get(name, "")} for name, row in found.items()}


def pooled(table: Mapping[str, Any]) -> tuple[float, int, bool]:
    """Return the share of all stated standard errors that hold, how many they are, and whether it is in its band."""
    held = number = 0.0
    for entry in table.values():
        for row in entry["quantities"].values():
            if row["share"] is not None and row["confidence"] < 0.7:
                stated = row["sets"] - row["unstated"]
                held, number = held + row["share"] * stated, number + stated
    share = held / number if number else math.nan
    return share, int(number), POOLED[0] <= share <= POOLED[1]


def _plain(row: Row) -> dict[str, Any]:
    values = dataclasses.asdict(row)
    return {
        name: (None if math.isnan(value) else round(value, 4)) if isinstance(value, float) else value
        for name, value in values.items()
    } | {"holds": row.holds}


def _commit() -> str:
    try:
        found = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return found.stdout.strip()


COMMIT = _commit()
"""When this began, whatever is checked out meanwhile."""
