"""A fragment of LAMMPS's input that says a force field, and nothing else: which commands it may have, and its files."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import pathlib
import re
from collections.abc import Iterator, Sequence

import numpy as np

from pelplug.errors import InputError, reason_of
from pelplug.execution.lammps import shipped_potential

__all__ = ["Command", "Fragment", "read_fragment"]

# Said before the box is there; what of the rest needs one waits for it.
_SETTINGS = ("units", "dimension", "atom_style", "boundary", "newton")
_STYLES = ("pair_style", "bond_style", "angle_style", "dihedral_style", "improper_style", "special_bonds")
_FIELD = (
    *_STYLES,
    *("pair_coeff", "pair_modify", "bond_coeff", "angle_coeff", "dihedral_coeff", "improper_coeff"),
    *("kspace_style", "kspace_modify", "dielectric", "labelmap", "mass", "set", "read_data", "comm_modify"),
)
# What changes neither forces nor energies: those of pelplug's own take their place.
_HARMLESS = (
    *("neighbor", "neigh_modify", "thermo", "thermo_style", "thermo_modify", "timestep", "processors", "atom_modify"),
    *("log", "echo", "reset_timestep", "clear"),
)
_WHY_NOT = {
    "fix": "what moves or constrains particles is no force field (rigid molecules go through the provider openmm)",
    "include": "a fragment reads no other input, so write its lines here",
    "jump": "a fragment reads no other input",
    "shell": "nothing in a fragment runs a program",
    "python": "nothing in a fragment runs a program",
    "plugin": "nothing in a fragment loads code",
    "variable": "write the numbers themselves",
    "region": "the cell comes from the trajectory",
    "lattice": "the cell comes from the trajectory",
    "create_box": "the cell comes from the trajectory",
    "create_atoms": "particles come from the trajectory",
    "velocity": "velocities come from the trajectory",
    "read_restart": "write its topology by write_data, and read_data FILE",
    "run": "pelplug moves the particles",
    "minimize": "pelplug moves the particles",
}
_WORD = re.compile(r"[A-Za-z0-9_./*+=,:;@()\[\]|^<>~ -]+")
_TOKEN = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s\"']+|[\"']")
# Pair styles and models that run Python code out of a file.
_RUNS_CODE = re.compile(r"(python|mliap|kim)(/.*)?|mliappy|unified")
_RANGE = re.compile(r"\d*\*?\d*")
_COULOMB = re.compile(r"coul|born/gauss/none|tip4p|/long|/msm|thole")


@dataclasses.dataclass(frozen=True)
class Command:
    """A command of a fragment.

    Attributes
    ----------
    words : tuple of str
        The command and what follows it; the name of a file is a key of `Fragment.files`.
    line : int
        Number of the line, from 1.
    """

    words: tuple[str, ...]
    line: int

    @property
    def name(self) -> str:
        """The command itself."""
        return self.words[0]


@dataclasses.dataclass(frozen=True)
class Fragment:
    """A force field as LAMMPS is told it.

    Attributes
    ----------
    name : str
        Name of the file, for sentences.
    commands : tuple of Command
        In order, without those that change nothing.
    files : dict of str to bytes
        Content of every file that it reads, by the name that it has in LAMMPS's folder.
    """

    name: str
    commands: tuple[Command, ...]
    files: dict[str, bytes]

    def all(self, name: str) -> Iterator[Command]:
        """Yield the commands of one name."""
        return (one for one in self.commands if one.name == name)

    def setting(self, name: str, default: str = "") -> str:
        """Return the first word of the last command of a name."""
        found = [one.words[1] for one in self.all(name) if len(one.words) > 1]
        return found[-1] if found else default

    @functools.cached_property
    def data(self) -> Data | None:
        """The data file that it reads, if any."""
        name = self.setting("read_data")
        return Data(name, self.files[name]) if name else None

    @functools.cached_property
    def charged(self) -> bool:
        """Whether its forces come from charges too."""
        pair = any(_COULOMB.search(word) for one in self.all("pair_style") for word in one.words[1:])
        return pair or self.setting("kspace_style", "none") != "none"

    @functools.cached_property
    def bonded(self) -> bool:
        """Whether it has bonds, angles, dihedrals or impropers."""
        return any(
            self.setting(f"{kind}_style", "none") != "none" for kind in ("bond", "angle", "dihedral", "improper")
        )

    @functools.cached_property
    def type_names(self) -> tuple[str, ...]:
        """The species of each type, where it says so: by labels, or by the elements after a file of coefficients."""
        for one in self.all("labelmap"):
            if len(one.words) > 3 and one.words[1] == "atom":
                pairs = dict(zip(one.words[2::2], one.words[3::2], strict=False))
                return tuple(pairs.get(str(k + 1), "") for k in range(len(pairs)))
        if self.data is not None and self.data.labels:
            return self.data.labels
        for one in self.all("pair_coeff"):
            places = [k for k, word in enumerate(one.words) if word in self.files]
            if one.words[1:3] == ("*", "*") and places and "NULL" not in one.words:
                return one.words[places[-1] + 1 :]
        return ()

    @functools.cached_property
    def number_of_types(self) -> int:
        """The most types that it speaks of; 0 where it names none."""
        numbers = [0, len(self.type_names), self.data.types if self.data is not None else 0]
        for one in self.commands:
            places = {"pair_coeff": (1, 2), "mass": (1,), "set": (2,)}.get(one.name, ())
            for word in (one.words[k] for k in places if k < len(one.words)):
                numbers += [int(number) for number in re.findall(r"\d+", word) if _RANGE.fullmatch(word)]
        return max(numbers)

    def checksums(self) -> dict[str, str]:
        """Return the SHA-256 of every file that it reads."""
        return {name: hashlib.sha256(content).hexdigest() for name, content in sorted(self.files.items())}


class Data:
    """A data file: which particles are bonded to which; positions and box come from the trajectory.

    Parameters
    ----------
    name : str
        For sentences.
    content : bytes
        What is in it.
    """

    def __init__(self, name: str, content: bytes):
        self.name = name
        self._lines = content.decode("utf-8", "replace").splitlines()
        numbers = {}
        for text in self._lines[1:]:
            if found := re.match(r"\s*(\d+)\s+(atoms|atom types|bonds)\s*(#.*)?$", text):
                numbers[found[2]] = int(found[1])
        self._n_bonds = numbers.get("bonds", 0)
        self.n, self.types = numbers.get("atoms", 0), numbers.get("atom types", 0)
        places = [k for k, text in enumerate(self._lines) if re.match(r"\s*Atoms\b", text)]
        if not places or not self.n:
            raise InputError(f"{name} is no LAMMPS data file: it has no section Atoms; give one made by write_data.")
        begin = places[0] + 1
        while begin < len(self._lines) and not self._lines[begin].strip():
            begin += 1
        self._rows = slice(begin, begin + self.n)
        self.style = (re.search(r"#\s*(\w+)", self._lines[places[0]]) or ["", ""])[1]
        self._table = [text.split("#")[0].split() for text in self._lines[self._rows]]
        if len(self._table) != self.n or len({len(row) for row in self._table}) != 1:
            raise InputError(f"{name} has not the {self.n} rows of the section Atoms that its header says; repair it.")
        self.order = np.argsort([int(row[0]) for row in self._table], kind="stable")
        self.labels = self._labels()

    def _labels(self) -> tuple[str, ...]:
        for k, text in enumerate(self._lines):
            if text.strip().startswith("Atom Type Labels"):
                rows = [row.split() for row in self._lines[k + 1 :] if row.strip()][: self.types]
                return tuple(row[1] for row in rows)
        return ()

    def check_width(self, width: int) -> None:
        """Refuse a section Atoms that has not so many columns, or three image flags more."""
        found = len(self._table[0])
        if found not in (width, width + 3):
            raise InputError(
                f"The atoms in {self.name} have {found} columns, and {width} or {width + 3} by their style; state the "
                "style as write_data does ('Atoms # full')."
            )

    def column(self, place: int) -> list[str]:
        """Return a column of the section Atoms in the order of the ids."""
        return [self._table[k][place] for k in self.order]

    def bonds(self) -> np.ndarray:
        """Return the particles of each bond, numbered from 0 in the order of the ids, shape (B, 2)."""
        places = [k for k, text in enumerate(self._lines) if re.match(r"\s*Bonds\b", text)]
        if not places or not self._n_bonds:
            return np.empty((0, 2), dtype=np.int64)
        rows = [row.split("#")[0].split() for row in self._lines[places[0] + 1 :] if row.strip()][: self._n_bonds]
        ids = [int(self._table[k][0]) for k in self.order]
        return np.searchsorted(ids, [[int(row[2]), int(row[3])] for row in rows])

    def text(self, box: Sequence[str], positions: np.ndarray, place: int) -> str:
        """Return the file with another box and other positions, and without velocities and image flags.

        Parameters
        ----------
        box : sequence of str
            Lines of the header.
        positions : ndarray, shape (N, 3)
            In the order of the ids [length].
        place : int
            Column of x.
        """
        rows = [""] * self.n
        for number, k in enumerate(self.order):
            x, y, z = positions[number].tolist()
            rows[k] = " ".join([*self._table[k][:place], repr(x), repr(y), repr(z)])
        kept: list[str] = []
        skipped = False
        for text in [*self._lines[: self._rows.start], *rows, *self._lines[self._rows.stop :]]:
            if re.match(r"\s*[A-Z]", text) and len(kept) > 0:
                skipped = text.strip().startswith("Velocities")
            if not skipped and not re.search(r"\b([xyz]lo [xyz]hi|xy xz yz|[abc]vec|abc origin)\b", text):
                kept.append(text)
        header = next(k for k, text in enumerate(kept) if re.search(r"\d+\s+atoms", text)) + 1
        return "\n".join([*kept[:header], *box, *kept[header:]]) + "\n"


def read_fragment(path: str | os.PathLike[str]) -> Fragment:
    """Read a fragment and every file that it names.

    Raises
    ------
    InputError
        With the line, for a command that is none of a force field, or a file that is not there.
    """
    path = pathlib.Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(
            f"{path} is no text; give a fragment of LAMMPS's input (pair_style, pair_coeff, ...)."
        ) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({reason_of(error)}); give a fragment of LAMMPS's input.") from None
    commands: list[Command] = []
    files: dict[str, bytes] = {}
    for number, words in _lines(text, path.name):
        _check(words, number, path.name)
        if words[0] not in _HARMLESS:
            commands.append(Command(_with_files(words, number, path, files), number))
    fragment = Fragment(path.name, tuple(commands), files)
    if not any(True for one in commands if one.name == "pair_style" and len(one.words) > 1) and not fragment.bonded:
        raise InputError(f"{path.name} has no pair_style; give the lines of LAMMPS's input that say the force field.")
    return fragment


def _lines(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the words of each command with the number of its first line."""
    joined, first = "", 0
    for number, one in enumerate(text.splitlines(), start=1):
        first = first or number
        content = one.split("#", 1)[0].rstrip()
        if content.endswith("&"):
            joined += content[:-1] + " "
            continue
        words, begin = [_unquoted(word) for word in _TOKEN.findall(joined + content)], first
        joined, first = "", 0
        for word in words:
            if not _WORD.fullmatch(word):
                raise InputError(
                    f"Line {begin} of {name}: {word!r} is no word or number; a fragment has no variables, so write "
                    "what it stands for."
                )
        if words:
            yield begin, words


def _unquoted(word: str) -> str:
    return word[1:-1] if len(word) > 2 and word[0] in "\"'" and word[-1] == word[0] else word


def _check(words: Sequence[str], number: int, name: str) -> None:
    command, where = words[0], f"Line {number} of {name}"
    if command not in (*_SETTINGS, *_FIELD, *_HARMLESS):
        why = _WHY_NOT.get(command, "it is none that a force field needs, so leave it out")
        raise InputError(f"{where}: the command {command} is not accepted: {why}.")
    if len(words) < 2 and command != "clear":
        raise InputError(f"{where}: the command {command} says nothing; complete it, or leave it out.")
    if command.endswith(("_style", "_coeff")) and (bad := [one for one in words[1:] if _RUNS_CODE.fullmatch(one)]):
        raise InputError(f"{where}: {bad[0]} runs code of a file, and nothing in a fragment does; use another style.")
    if command == "neigh_modify" and "exclude" in words:
        raise InputError(f"{where}: neigh_modify exclude leaves out forces; use special_bonds, or leave it out.")
    if command == "set" and not (len(words) == 5 and words[1] == "type" and words[3] == "charge"):
        raise InputError(f"{where}: of the command set only `set type K charge Q` is accepted; leave others out.")
    if command == "read_data" and len(words) != 2:
        raise InputError(f"{where}: read_data takes a file here and nothing else, not {' '.join(words[2:])}.")
    if command == "boundary" and words[1:] != ["p", "p", "p"]:
        raise InputError(f"{where}: pelplug treats periodic systems; write boundary p p p, or leave it out.")


def _with_files(words: list[str], number: int, path: pathlib.Path, files: dict[str, bytes]) -> tuple[str, ...]:
    """Return the words with files by the names that they get in LAMMPS's folder; their content goes into ``files``."""
    found = list(words)
    if words[0] == "read_data":
        places: Sequence[int] = (1,)
    elif words[0] in ("pair_style", "bond_style", "angle_style", "dihedral_style", "improper_style") or words[
        0
    ].endswith("_coeff"):
        places = range(2, len(words))
    else:
        return tuple(words)
    for place in places:
        if (at := _path_of(words[place], path.parent, place, words)) is None:
            continue
        try:
            content = at.read_bytes()
        except OSError as error:
            raise InputError(f"Line {number} of {path.name}: {at} cannot be read: {reason_of(error)}.") from None
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", at.name)
        while name in files and files[name] != content:
            name = f"_{name}"
        files[name], found[place] = content, name
    if words[0] == "read_data" and found[1] not in files:
        raise InputError(f"Line {number} of {path.name}: there is no file {words[1]}; correct its path.")
    return tuple(found)


def _path_of(word: str, folder: pathlib.Path, place: int, words: Sequence[str]) -> pathlib.Path | None:
    """Return the file that a word names: beside the fragment, in this folder, or where LAMMPS looks."""
    if _RANGE.fullmatch(word) or re.fullmatch(r"[-+]?[0-9.]+(e[-+]?\d+)?|[A-Z][a-z]?|NULL", word):
        return None
    shared = os.environ.get("LAMMPS_POTENTIALS", "")
    for parent in (folder, pathlib.Path(), *map(pathlib.Path, filter(None, shared.split(os.pathsep)))):
        if (at := parent / word).is_file():
            return at
    shipped = shipped_potential(pathlib.PurePath(word).name) if "." in word or "/" in word else None
    return pathlib.Path(shipped) if shipped is not None and "/" not in word else None
