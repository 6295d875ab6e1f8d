"""LAMMPS logs in every thermo style: a run for each table, with what was set when it was printed."""

from __future__ import annotations

import array
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from pelplug.errors import InputError
from pelplug.trajectories.energy_file import EnergyFile, EnergyRun
from pelplug.trajectories.readers.lammps_columns import Columns
from pelplug.trajectories.readers.lammps_settings import ThermoSettings

__all__ = ["is_lammps_log", "read_lammps_log"]

_SIGNS = re.compile(
    r"^(LAMMPS \(|Per MPI rank memory|Memory usage per processor|thermo(_style|_modify)?\s|Loop time of)"
    r"|^-{4,} Step\s+\d+ -+ CPU =|^keywords: \[\s*['\"]?Step",
    re.MULTILINE,
)
_VERSION = re.compile(r"LAMMPS \(\d+ \w+ \d{4}")
_MULTI = re.compile(r"-{4,} Step\s+(-?\d+) -+ CPU =")
_PAIR = re.compile(r"(\S+)\s*=\s*(\S+)")
_MEMORY = ("Per MPI rank memory allocation", "Memory usage per processor")


def is_lammps_log(head: str) -> bool:
    """Tell whether the beginning of a text file looks like a LAMMPS log."""
    return _SIGNS.search(head) is not None


def read_lammps_log(path: Path, column: str = "auto") -> EnergyFile:
    """Read a log of LAMMPS, in any of its thermo styles, of one session or of several one after the other.

    Parameters
    ----------
    path : Path
    column : str
        Name in the header; ``auto`` for the potential energy.

    Returns
    -------
    EnergyFile
        One run a table, minimisations included.

    Raises
    ------
    InputError
        If there is no table of thermo output.
    """
    reader = _LogReader(path, column)
    with open(path, encoding="utf-8", errors="replace") as file:
        reader.read(file)
    if not reader.runs:
        raise InputError(
            f"{path} is a LAMMPS log without a table of thermo output that has a column Step; check that the run began."
        )
    return EnergyFile(str(path), reader.runs)


class _LogReader:
    """Goes through the lines once; a `ThermoSettings` holds what LAMMPS has been told."""

    def __init__(self, path: Path, column: str):
        self.path, self.column = path, column
        self.runs: list[EnergyRun] = []
        self.session = ThermoSettings()
        self.table: _Table | None = None
        self.candidate: list[str] | None = None
        self.after_memory = False

    def read(self, lines: Iterable[str]) -> None:
        """Take all lines."""
        pending = ""
        for line in lines:
            complete = line.endswith("\n")
            text = line.rstrip()
            if text.endswith("&") and self.table is None:
                pending += text[:-1] + " "
                continue
            self._line(pending + text, complete)
            pending = ""
        self._end_table()

    def _line(self, text: str, complete: bool) -> None:
        if _VERSION.search(text):
            self._end_table()
            self.session = ThermoSettings(begun=True)
            return
        words = text.split()
        if self.session.swallows(text) or not words or self._row(text, words, complete) or self._header(text, words):
            return
        if words[:2] == ["Loop", "time"]:
            self._loop_time(words)
        elif text.startswith("Minimization stats") and self.runs:
            self.runs[-1].minimisation = True
        elif self.table is not None and text.startswith("WARNING: Lost atoms"):
            self.table.lost = True
        else:
            self.session.take(text, words)

    def _row(self, text: str, words: list[str], complete: bool) -> bool:
        """Take the line as a row of the table, if it is one."""
        if self.candidate is not None:
            names, self.candidate = self.candidate, None
            if _numbers(words, len(names)) is not None:
                self._begin_table(names, "one")
        table = self.table
        if table is None:
            return False
        if table.style == "multi":
            pairs = [] if _MULTI.search(text) else _PAIR.findall(text)
            values = _numbers([value for _, value in pairs], len(pairs)) if pairs else None
            if values is not None:
                table.gather([name for name, _ in pairs], values, complete)
            return values is not None
        if table.style == "yaml":
            if text == "...":
                self._end_table()
                return True
            if not text.startswith("  - ["):
                return False
            words = text[5:].rstrip("] ").replace(",", " ").split()
            complete = complete and text.endswith("]")
        values = _numbers(words, len(table.names))
        if values is not None and complete:  # the last line of a run that was killed may end within a number
            table.add(values)
        return values is not None

    def _header(self, text: str, words: list[str]) -> bool:
        if text.startswith("keywords: ["):
            self._begin_table(re.findall(r"[^\s,\[\]'\"]+", text.partition("[")[2]), "yaml")
            return True
        if step := _MULTI.search(text):
            if self.table is None or self.table.style != "multi":
                self._begin_table([], "multi")
            self.table.begin_entry(float(step.group(1)))
            return True
        if text.startswith(_MEMORY):
            self._end_table()
            self.after_memory = True
            return True
        looks = self.after_memory or words[0] == "Step" or ("Step" in words and "PotEng" in words)
        if looks and len(words) > 1 and not any(_number(word) is not None for word in words):
            # A table begins only if a row follows: what print writes can look like a header.
            self.candidate, self.after_memory = words, False
            return True
        return False

    def _begin_table(self, names: list[str], style: str) -> None:
        self._end_table()
        self.after_memory = False
        self.table = _Table(names, style, self.session.snapshot(), self.column, self.path)

    def _end_table(self) -> None:
        table, self.table = self.table, None
        run = None if table is None else table.run()
        if run is not None:
            self.runs.append(run)
            self.session.command = None

    def _loop_time(self, words: list[str]) -> None:
        ends = self.table is not None or (self.runs and self.runs[-1].open)
        self._end_table()
        if "atoms" in words:
            self.session.n = int(words[words.index("atoms") - 1])
            if ends and self.runs:
                self.runs[-1].n = self.session.n
        if self.runs:
            self.runs[-1].open = False


class _Table:
    """The rows of one run."""

    def __init__(self, names, style, known, column, path):
        self.names, self.style, self.known, self.lost = names, style, known, False
        self._column, self._path = column, path
        self._columns: Columns | None = None
        self._values = array.array("d")
        self._entry: tuple[list[str], list[float]] | None = None
        self._whole = True

    def add(self, values: list[float]) -> None:
        """Take a row."""
        if self._columns is None:
            self._columns = Columns(self.names, self.known, self._column, self._path)
        self._values.extend([values[k] for k in self._columns.places])

    def begin_entry(self, step: float) -> None:
        """Begin an entry of thermo style multi."""
        self._finish_entry()
        self._entry, self._whole = (["Step"], [step]), True

    def gather(self, names: list[str], values: list[float], complete: bool) -> None:
        """Take a line of an entry of thermo style multi."""
        if self._entry is not None:
            self._entry[0].extend(names)
            self._entry[1].extend(values)
            self._whole = self._whole and complete

    def _finish_entry(self) -> None:
        entry, self._entry = self._entry, None
        if entry is None or len(entry[0]) == 1 or not self._whole:
            return
        self.names = self.names or entry[0]
        if entry[0] == self.names:  # else cut off
            self.add(entry[1])

    def run(self) -> EnergyRun | None:
        """Return the run; None if there is not one row."""
        self._finish_entry()
        if self._columns is None:
            return None
        values = np.array(self._values).reshape(-1, len(self._columns.places))
        run = self._columns.run(values)
        if self.lost:
            run.problem = (
                "atoms are lost while it runs, so that energies are of changing numbers of them; take another run"
            )
        return run


def _numbers(words: list[str], width: int) -> list[float] | None:
    if len(words) != width:
        return None
    values = [_number(word) for word in words]
    return None if any(value is None for value in values) else values


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
