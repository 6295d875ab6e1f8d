"""What of a fragment the engine lammps can take as it is: one pair style, in whose numbers no unit is hidden."""

from __future__ import annotations

from typing import Any

from pelplug.potentials.lammps_fragment import Command, Fragment

__all__ = ["pair_style_of"]

# The engine computes in units "lj", where nothing is converted. Styles with constants of nature in them are left out.
_OF_FILES = ("sw", "tersoff", "tersoff/mod", "vashishta", "edip", "eam/alloy", "eam/fs")
_OF_NUMBERS = (
    *("lj/cut", "lj/smooth/linear", "lj/smooth", "lj/expand", "lj96/cut", "mie/cut", "morse", "buck", "born", "gauss"),
    *("soft", "yukawa", "lepton", "harmonic/cut"),
)
_PASSED = ("units", "dimension", "atom_style", "newton", "boundary", "mass", "pair_style", "pair_coeff", "pair_modify")
_TITLE_LINES = 3  # of files of the embedded-atom method


def pair_style_of(fragment: Fragment, names: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the answer to ``native("lammps")``, docs/hooks/engines.md; None where there is more to the fragment.

    Parameters
    ----------
    fragment : Fragment
        The force field.
    names : tuple of str
        Species of each type.
    """
    styles, coefficients = list(fragment.all("pair_style")), list(fragment.all("pair_coeff"))
    if len(styles) != 1 or any(one.name not in _PASSED for one in fragment.commands) or fragment.charged or not names:
        return None
    style, *more = styles[0].words[1:]
    answer: dict[str, Any] = {"style": [style, *map(_value, more)]}
    if modify := [_value(word) for one in fragment.all("pair_modify") for word in one.words[1:]]:
        answer["modify"] = modify
    if style in _OF_FILES:
        found = _file(fragment, style, coefficients, names)
        return None if found is None else answer | found
    if style not in _OF_NUMBERS:
        return None
    pairs = []
    for one in coefficients:
        a, b, *numbers = one.words[1:]
        if a == b == "*":
            species = None
        elif a.isdecimal() and b.isdecimal() and max(int(a), int(b)) <= len(names):
            species = [names[int(a) - 1], names[int(b) - 1]]
        else:
            return None
        values = [{"formula": word.replace(" ", "")} if style == "lepton" and k == 0 else _value(word)
                  for k, word in enumerate(numbers)]  # fmt: skip
        pairs.append({"species": species, "coefficients": values})
    return answer | {"pairs": pairs}


def _file(fragment: Fragment, style: str, coefficients: list[Command], names: tuple[str, ...]) -> dict[str, Any] | None:
    if len(coefficients) != 1 or coefficients[0].words[1:3] != ("*", "*"):
        return None
    file, *elements = coefficients[0].words[3:]
    if file not in fragment.files or len(elements) != len(names) or "NULL" in elements:
        return None
    lines = fragment.files[file].decode("utf-8", "replace").splitlines()
    if style.startswith("eam"):
        lines[:_TITLE_LINES] = ["title"] * _TITLE_LINES
    rows = [words for text in lines if (words := text.split("#")[0].split())]
    found: dict[str, Any] = {"file": {"rows": rows, "elements": dict(zip(names, elements, strict=True))}}
    return found | ({"sets_masses": True} if style.startswith("eam") else {})


def _value(word: str) -> float | str:
    try:
        return float(word)
    except ValueError:
        return word
