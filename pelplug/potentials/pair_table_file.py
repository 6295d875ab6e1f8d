"""Read tables of pair energies and forces as LAMMPS's ``pair_style table`` reads them: sections of numbered rows."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re

import numpy as np

from pelplug.core.outside import read_outside
from pelplug.errors import InputError

__all__ = ["Section", "TableFile", "read_pair_tables"]

_FEWEST = 8  # rows of which a spline of fifth degree has something to say
_ELSEWHERE = 0.01  # of the distance of two rows: a column of distances that is another grid than the header says


@dataclasses.dataclass(frozen=True)
class Section:
    """One table of a file.

    Attributes
    ----------
    keyword : str
        Its name.
    distances, energies, forces : ndarray, shape (K,)
        [length], [energy] and [energy / length], with growing distance.
    squared : bool
        Whether squares of distances are equally far apart, not distances.
    """

    keyword: str
    distances: np.ndarray
    energies: np.ndarray
    forces: np.ndarray
    squared: bool = False


@dataclasses.dataclass(frozen=True)
class TableFile:
    """All tables of a file.

    Attributes
    ----------
    path : str
        The file.
    sections : dict of str to Section
        By keyword.
    units : str or None
        Units of LAMMPS that a comment at its head names (``UNITS: metal``).
    sha256 : str
        Of the file.
    """

    path: str
    sections: dict[str, Section]
    units: str | None
    sha256: str


def read_pair_tables(path: str) -> TableFile:
    """Read all sections of a file.

    Parameters
    ----------
    path : str

    Raises
    ------
    InputError
        If the file is missing, is no such table, or is damaged or cut off; with the line.
    """
    content = read_outside(path, "table")
    text = content.decode("latin-1")
    units = re.search(r"^#.*UNITS:\s*(\S+)", text, re.MULTILINE)
    lines = [(number, line.split("#")[0].split()) for number, line in enumerate(text.splitlines(), start=1)]
    lines = [(number, words) for number, words in lines if words]
    sections: dict[str, Section] = {}
    at = 0
    while at < len(lines):
        section, at = _section(path, lines, at)
        if section.keyword in sections:
            raise InputError(f"{path} has two sections {section.keyword}; give each a name of its own.")
        sections[section.keyword] = section
    if not sections:
        raise InputError(f"{path} has no table: a section is a line with its name, one with N and the rows; check it.")
    digest = hashlib.sha256(content).hexdigest()
    return TableFile(os.fspath(path), sections, units[1] if units else None, digest)


def _section(path: str, lines: list[tuple[int, list[str]]], at: int) -> tuple[Section, int]:
    """Return the section that begins at one of the lines, and where the next does."""
    keyword = lines[at][1][0]
    header = _Header.read(path, lines[at + 1] if at + 1 < len(lines) else None, keyword)
    rows = lines[at + 2 : at + 2 + header.n]
    if len(rows) < header.n:
        raise InputError(
            f"The table {path} is cut off: its section {keyword} announces {header.n} rows and has {len(rows)}; get a "
            "complete copy."
        )
    values = np.empty((header.n, 3))
    for k, (number, words) in enumerate(rows):
        try:
            values[k] = [float(word) for word in words[1:4]]
        except ValueError:
            raise InputError(
                f"The table {path} is damaged at line {number}: a row of the section {keyword} is a number, a "
                "distance, an energy and a force; get an intact copy."
            ) from None
    if not np.all(np.isfinite(values)):
        number = rows[int(np.flatnonzero(~np.isfinite(values).all(axis=1))[0])][0]
        raise InputError(f"The table {path} has a value that is no number at line {number}; get an intact copy.")
    distances = header.distances(values[:, 0])
    wrong = np.abs(distances - values[:, 0]) > _ELSEWHERE * np.gradient(distances)
    if not (np.all(np.diff(distances) > 0) and distances[0] > 0) or np.any(wrong):
        number = rows[int(np.flatnonzero(wrong)[0]) if np.any(wrong) else 0][0]
        raise InputError(
            f"The distances of the section {keyword} of {path} are not those that its header says, or do not grow "
            f"(line {number}); write the table again."
        )
    return Section(keyword, distances, values[:, 1], values[:, 2], header.squared), at + 2 + header.n


@dataclasses.dataclass(frozen=True)
class _Header:
    """The line of parameters of a section."""

    n: int
    ends: tuple[float, float] | None
    squared: bool

    @classmethod
    def read(cls, path: str, line: tuple[int, list[str]] | None, keyword: str) -> _Header:
        number, words = line if line is not None else (0, [])
        n, ends, squared = 0, None, False
        try:
            if words[0] != "N":
                raise ValueError
            while words:
                word, *words = words
                if word == "N":
                    n, words = int(words[0]), words[1:]
                elif word in ("R", "RSQ"):
                    ends, squared, words = (float(words[0]), float(words[1])), word == "RSQ", words[2:]
                elif word == "FPRIME":
                    float(words[0]), float(words[1])
                    words = words[2:]
                elif word == "BITMAP":
                    raise InputError(
                        f"The section {keyword} of {path} is a BITMAP table; write it with R or RSQ (pair_write does)."
                    )
                else:
                    raise ValueError
        except (ValueError, IndexError):
            where = f"at line {number}" if line is not None else "at its end"
            raise InputError(
                f"{path} is no table of LAMMPS, or damaged {where}: below the name of a section ({keyword[:40]}) "
                "stands N, the number of rows, and perhaps R or RSQ with two distances; check the file."
            ) from None
        if n < _FEWEST or (ends is not None and not 0 < ends[0] < ends[1] < np.inf):
            span = "" if ends is None else f" from {ends[0]:g} to {ends[1]:g}"
            raise InputError(
                f"The section {keyword} of {path} says {n} rows{span}; a table has {_FEWEST} or more, from a positive "
                "distance to a larger one."
            )
        return cls(n, ends, squared)

    def distances(self, column: np.ndarray) -> np.ndarray:
        """Return the distances of the rows: by R or RSQ, as LAMMPS takes them, else those of the column."""
        if self.ends is None:
            return column
        if self.squared:
            return np.sqrt(np.linspace(self.ends[0] ** 2, self.ends[1] ** 2, self.n))
        return np.linspace(*self.ends, self.n)
