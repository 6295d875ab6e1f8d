"""The only way by which text reaches LAMMPS: a command is made of words, each of which LAMMPS takes as one.

LAMMPS's input is a language: blanks part words, ``$`` is replaced, ``#`` begins a comment, ``&`` joins lines, quotes
of three kinds keep a word together, and a line may be ``shell``. So nothing that comes from outside is put into a
line. Species are numbers there, files have names that pelplug chose, in a folder whose path is looked at first;
`line` refuses what the language could take for anything else.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
import os
import pathlib
import re
import tempfile
from typing import Any

from pelplug.errors import InputError

__all__ = ["Expression", "FileName", "line", "lines", "send", "temporary_folder"]

_WORD = re.compile(r"[A-Za-z0-9_./*\[\]-]+")
_COMPARISONS = ("<", ">")  # a word of them alone is no redirection
_EXPRESSION = re.compile(r"[A-Za-z0-9_.()^*/+;=,-]+")
# In a path ``*`` and ``%`` are replaced by LAMMPS, ``$``, quotes and what is not ASCII may be.
_PATH = re.compile(r"[A-Za-z0-9_./+=,:@~() -]+")


@dataclasses.dataclass(frozen=True)
class Expression:
    """A formula in Lepton's language, made of numbers and words of pelplug's own."""

    text: str


@dataclasses.dataclass(frozen=True)
class FileName:
    """A file in the temporary folder of the session, by a name that pelplug chose."""

    name: str


def line(*words: Any, folder: str | os.PathLike | None = None) -> str:
    """Return a line of LAMMPS's input.

    Parameters
    ----------
    *words : str, number, Expression or FileName
        A text is a word of LAMMPS's own, as pelplug writes it down: letters, digits and ``_ . / * [ ] -``.
    folder : path-like, optional
        Where files are.

    Returns
    -------
    str
        Without a line feed.

    Raises
    ------
    InputError
        If a word is not one, or a number is not finite.
    """
    return " ".join(_word(word, folder) for word in words)


def lines(commands, folder: str | os.PathLike | None = None) -> list[str]:
    """Return a line for each command, which is a tuple of words."""
    return [line(*words, folder=folder) for words in commands]


def send(lmp, *commands, folder: str | os.PathLike | None = None) -> None:
    """Give commands to LAMMPS, each a tuple of words; all are checked before the first is run."""
    for text in lines(commands, folder):
        lmp.command(text)


def temporary_folder() -> tempfile.TemporaryDirectory:
    """Make a folder whose path LAMMPS's input can hold.

    Raises
    ------
    InputError
        If there is none.
    """
    usual = tempfile.gettempdir()
    for parent in (usual, "/tmp", "/var/tmp"):
        if _PATH.fullmatch(os.path.abspath(parent)) and os.access(parent, os.W_OK | os.X_OK):
            return tempfile.TemporaryDirectory(prefix="pelplug-lammps-", dir=parent)
    raise InputError(
        f"The folder for temporary files, {usual!r}, has a name that LAMMPS cannot be told; set TMPDIR to one of "
        "letters, digits and blanks."
    )


def _word(word, folder) -> str:
    if isinstance(word, FileName):
        path = str(pathlib.Path(os.path.abspath(folder), word.name))
        if not (_WORD.fullmatch(word.name) and _PATH.fullmatch(path)):
            raise InputError(f"The file name {path!r} cannot be told to LAMMPS; set TMPDIR to another folder.")
        return f'"{path}"'
    if isinstance(word, Expression):
        if not _EXPRESSION.fullmatch(word.text) or re.search(r"\b(nan|inf)\b", word.text):
            raise InputError(f"LAMMPS cannot be told the formula {word.text[:200]!r}: a number in it is not finite.")
        return f'"{word.text}"'
    if isinstance(word, numbers.Integral) and not isinstance(word, bool):
        return str(int(word))
    if isinstance(word, numbers.Real) and not isinstance(word, bool):
        if not math.isfinite(word):
            raise InputError(f"LAMMPS cannot be told a number that is not finite ({float(word)!r}).")
        return repr(float(word))
    if isinstance(word, str) and (_WORD.fullmatch(word) or word in _COMPARISONS):
        return word
    raise InputError(f"LAMMPS cannot be told {word!r}: it is not a word of its language.")
