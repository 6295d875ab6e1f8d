"""Read eam/fs and eam/alloy (setfl) files: tables of an embedded-atom potential."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np

from pelplug.core.arguments import takes
from pelplug.core.outside import read_outside
from pelplug.core.parameters import Param
from pelplug.errors import InputError

__all__ = ["EAMTables", "read_eam", "setfl_rows"]

_KINDS = {"fs": "eam/fs", "alloy": "eam/alloy"}
_SUFFIXES = {".fs": "fs", ".alloy": "alloy", ".setfl": "alloy"}


@dataclasses.dataclass(frozen=True)
class EAMTables:
    """An embedded-atom potential as its file tabulates it; the first value of each table is at 0.

    Attributes
    ----------
    path : str
        The file.
    kind : {"fs", "alloy"}
        Whether the density depends on both elements (Finnis-Sinclair) or on the one that makes it.
    elements : tuple of str
        Names, length S.
    masses : ndarray, shape (S,)
        Atomic masses [mass].
    cutoff : float
        Interaction range [length].
    dr, drho : float
        Distance between values in r [length] and in the density.
    embedding : ndarray, shape (S, n_rho)
        F(rho) [energy].
    density : ndarray, shape (S, S, n_r)
        ``density[a, b]``: what an atom of element a adds to the density at one of element b.
    pair : ndarray, shape (S, S, n_r)
        r phi(r), symmetric in the elements [energy * length].
    units : str
        Units of LAMMPS that the first line names; ``metal`` where it names none.
    checksum : str
        SHA-256 of the file.
    """

    path: str
    kind: str
    elements: tuple[str, ...]
    masses: np.ndarray
    cutoff: float
    dr: float
    drho: float
    embedding: np.ndarray
    density: np.ndarray
    pair: np.ndarray
    units: str
    checksum: str


@takes()
def read_eam(
    path: str | os.PathLike,
    kind: Annotated[Literal["auto", "fs", "alloy"], Param("what the file is")] = "auto",
    sha256: Annotated[str | None, Param("SHA-256 that the file must have", file=False)] = None,
) -> EAMTables:
    """Read an eam/fs or eam/alloy file.

    Parameters
    ----------
    path : path-like
        The file.
    kind : {"auto", "fs", "alloy"}
        What it is; ``auto`` goes by the file's ending (``.fs``, ``.alloy``, ``.setfl``), else by how many numbers it
        holds.
    sha256 : str, optional
        SHA-256 that the file must have.

    Returns
    -------
    EAMTables

    Raises
    ------
    InputError
        If the file cannot be read, is damaged or cut off, is of another kind, or is another one than `sha256` says.
    """
    path = os.fspath(path)
    content = read_outside(path, "EAM file", sha256=sha256)
    lines = content.decode("latin-1").splitlines()
    units = re.search(r"UNITS:\s*(\S+)", lines[0]) if lines else None
    # After three lines of comment, empty lines and what follows # do not count.
    numbered = [(k, line.split("#")[0].split()) for k, line in enumerate(lines[3:], start=4)]
    numbered = [(k, words) for k, words in numbered if words]
    reader = _TableReader(path, numbered)
    elements = reader.elements()
    n_rho, drho, n_r, dr, cutoff = reader.grid()
    of_kind: str = kind
    if kind == "auto":
        of_kind = _SUFFIXES.get(os.path.splitext(path)[1].lower()) or reader.guess(len(elements), n_rho, n_r)
    size = len(elements)
    per_element = n_rho + n_r * (size if of_kind == "fs" else 1)
    masses = np.empty(size)
    embedding, density, pair = np.empty((size, n_rho)), np.empty((size, size, n_r)), np.empty((size, size, n_r))
    for a, name in enumerate(elements):
        masses[a] = reader.mass(name, of_kind)
        values = reader.values(per_element, f"of {name}")
        embedding[a] = values[:n_rho]
        density[a] = values[n_rho:].reshape(-1, n_r)
    for a in range(size):
        for b in range(a + 1):
            pair[a, b] = pair[b, a] = reader.values(n_r, f"of the pair {elements[a]}-{elements[b]}")
    reader.end(of_kind)
    return EAMTables(
        path,
        of_kind,
        elements,
        masses,
        cutoff,
        dr,
        drho,
        embedding,
        density,
        pair,
        units[1] if units else "metal",
        hashlib.sha256(content).hexdigest(),
    )


class _TableReader:
    """Lines of a file, split into words, taken from the front."""

    def __init__(self, path: str, lines: list[tuple[int, list[str]]]):
        self.path, self.lines, self.at = path, lines, 0

    def next(self, what: str) -> list[str]:
        if self.at == len(self.lines):
            raise InputError(f"The EAM file {self.path} is cut off: it ends before {what}; get a complete copy.")
        self.at += 1
        return self.lines[self.at - 1][1]

    def damaged(self, what: str) -> InputError:
        line = self.lines[self.at - 1][0]
        return InputError(f"The EAM file {self.path} is damaged at line {line}: {what}; get an intact copy.")

    def elements(self) -> tuple[str, ...]:
        count, *names = self.next("the line of elements")
        if not count.isdigit() or int(count) < 1:
            raise InputError(
                f"{self.path} is not an eam/fs or eam/alloy file: line {self.lines[self.at - 1][0]} should give the "
                "number of elements and their names; check the file."
            )
        if int(count) != len(names) or len(set(names)) != len(names):
            # Words that are no names of elements are of some other file, and nobody's business.
            named = ", ".join(names) if all(re.fullmatch(r"[A-Z][a-z]?", name) for name in names) else f"{len(names)}"
            raise self.damaged(f"it announces {int(count):.6g} elements and names {named or 'none'}")
        return tuple(names)

    def grid(self) -> tuple[int, float, int, float, float]:
        words = self.next("the line of table sizes")
        try:
            n_rho, drho, n_r, dr, cutoff = int(words[0]), float(words[1]), int(words[2]), *map(float, words[3:5])
        except (ValueError, IndexError):
            raise self.damaged("it should hold N_rho, d_rho, N_r, d_r and the cutoff") from None
        if not (n_rho >= 5 and n_r >= 5 and all(np.isfinite(v) and v > 0 for v in (drho, dr, cutoff))):
            raise self.damaged("tables need at least five values, and positive spacings and cutoff")
        if n_rho + n_r > sum(len(line) for _, line in self.lines[self.at :]):
            raise InputError(
                f"The EAM file {self.path} is cut off: it announces tables of {n_rho} and {n_r} values and ends "
                "before; get a complete copy."
            )
        return n_rho, drho, n_r, dr, cutoff

    def mass(self, name: str, kind: str) -> float:
        words = self.next(f"the line of the atomic number and mass of {name}")
        try:
            int(words[0])
            mass = float(words[1])
        except (ValueError, IndexError):
            raise self.damaged(
                f"it should hold the atomic number and mass of {name} (the tables before it have other lengths than "
                f"announced, or the file is not {_KINDS[kind]})"
            ) from None
        if not (np.isfinite(mass) and mass > 0):
            raise self.damaged(f"the mass of {name} must be positive")
        return mass

    def values(self, count: int, what: str) -> np.ndarray:
        """Return ``count`` numbers from whole lines."""
        found: list[float] = []
        while len(found) < count:
            words = self.next(f"all {count} table values {what}")
            try:
                found += map(float, words)
            except ValueError:
                raise self.damaged(f"a table value {what} is not a number") from None
            if not np.isfinite(found[-1]):
                raise self.damaged(f"a table value {what} is not finite")
        if len(found) > count:
            raise self.damaged(f"the tables {what} do not end with a line after {count} values as announced")
        values = np.array(found)
        if not np.all(np.isfinite(values)):
            raise self.damaged(f"a table value {what} is not finite")
        return values

    def guess(self, size: int, n_rho: int, n_r: int) -> str:
        """Tell the kind by the number of words left."""
        words = sum(len(line) for _, line in self.lines[self.at :])
        pairs = size * (size + 1) // 2 * n_r
        # An element's line has up to a handful of words besides the tables.
        fs = size * (n_rho + size * n_r) + pairs
        return "fs" if words >= fs else "alloy"

    def end(self, kind: str) -> None:
        if self.at < len(self.lines):
            line = self.lines[self.at][0]
            other = "alloy" if kind == "fs" else "fs"
            raise InputError(
                f"The EAM file {self.path} goes on at line {line} after the tables of an {_KINDS[kind]} file; if it is "
                f"of kind {_KINDS[other]}, say kind={other}."
            )


def setfl_rows(tables: EAMTables, names: Sequence[str]) -> list[list]:
    """Return the tables as the rows of an eam/fs or eam/alloy file, words and numbers.

    Parameters
    ----------
    tables : EAMTables
        What to write.
    names : sequence of str
        For the elements, in the place of their own: without blanks or ``#``.

    Returns
    -------
    list of list
        Without a comment, and so without units: whoever reads it takes the numbers as they stand.
    """
    size, n_rho, n_r = len(tables.elements), tables.embedding.shape[-1], tables.pair.shape[-1]
    rows: list[list] = [["tables"], ["of", "an"], ["embedded-atom", "potential"], [size, *names]]
    rows.append([n_rho, tables.drho, n_r, tables.dr, tables.cutoff])

    def add(values: np.ndarray) -> None:
        numbers = values.tolist()
        rows.extend(numbers[k : k + 5] for k in range(0, len(numbers), 5))

    for a in range(size):
        rows.append([1, float(tables.masses[a]), 0.0, "fcc"])
        add(tables.embedding[a])
        for b in range(size if tables.kind == "fs" else 1):
            add(tables.density[a, b])
    for a in range(size):
        for b in range(a + 1):
            add(tables.pair[a, b])
    return rows
