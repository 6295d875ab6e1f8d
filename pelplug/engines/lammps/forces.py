"""What LAMMPS is told so that its forces are those of a potential: commands, and a file where they need one.

A potential is asked ``native("lammps")`` and answers with plain data, which becomes commands here;
docs/hooks/engines.md says what may be in it. Nothing here goes by the name or kind of a potential or of its form.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from pelplug.configuration import Configuration
from pelplug.engines.native import NativeData, is_number
from pelplug.errors import InputError
from pelplug.execution.lammps_input import Expression, FileName, line
from pelplug.models.base import Model
from pelplug.potentials.base import Capability, Potential, potential_name

__all__ = ["Forces", "forces_of"]


@dataclasses.dataclass(frozen=True)
class Forces:
    """How LAMMPS computes the forces of a model.

    Attributes
    ----------
    route : str
        ``native: STYLE``, or ``kernel: pelplug`` where LAMMPS has no such form.
    commands : tuple of tuple
        Pair styles and coefficients, as words of `pelplug.execution.lammps_input`.
    files : dict of str to str
        Text of the files that the commands name, which hold nothing but numbers and words.
    potential : Potential or None
        Evaluated by `fix external`; None where LAMMPS computes the forces.
    """

    route: str
    commands: tuple[tuple, ...]
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    potential: Potential | None = None


# Styles that are faster than pelplug's kernels, as `benchmarks/engines_lammps.py` found them.
_FASTER = ("lj/smooth/linear",)
_FILE = FileName("model.potential")
_KNOWN = ("style", "pairs", "file", "modify", "diameters", "sets_masses")


def forces_of(model: Model, configuration: Configuration, route: str = "auto", virial: bool = False) -> Forces:
    """Translate a model.

    Parameters
    ----------
    model : Model
        The interactions.
    configuration : Configuration
        The particles; types are numbered in the order of `Configuration.species_names`.
    route : {"auto", "native", "kernel"}
        LAMMPS's own style, pelplug's kernel, or the faster of the two: the kernel where the potential has an evaluator,
        but for one style and for what is LAMMPS's anyhow.
    virial : bool
        Whether it must give the virial too, for a barostat: LAMMPS's own styles do, and most kernels.

    Returns
    -------
    Forces

    Raises
    ------
    InputError
        If `route` is native and LAMMPS has no such form, or the potential's answer is malformed.
    """
    potential = model.potential(configuration)
    able = potential.can(Capability.EVALUATOR) and (
        not virial or potential.evaluator(configuration.wrapped()).gives_virial
    )
    answer = None if route == "kernel" else NativeData.asked(potential, "lammps", _KNOWN)
    if answer is not None:
        style = answer.list("style")[0]
        taken = route == "native" or style in _FASTER or potential.foreign or not able
        if taken and (found := _translated(answer, potential.reach(configuration), configuration)) is not None:
            return found
    if route == "native":
        raise InputError(f"LAMMPS has no form for {model.name}; leave the route to the engine, or ask for kernel.")
    if virial and not able:
        known = answer is None and route == "auto"
        more = "" if known else " (leave out --route kernel, so that LAMMPS's own forces are tried)"
        raise InputError(
            f"A pressure needs the virial, which pelplug's kernel does not give for {potential_name(potential)}{more}; "
            "leave out --pressure."
        )
    # No neighbour list of LAMMPS's own is needed; the ghosts that it asks for are never used.
    nothing = (("pair_style", "zero", 0.1), ("pair_coeff", "*", "*"))
    return Forces("kernel: pelplug by fix external", nothing, potential=potential)


def _translated(answer: NativeData, reach: float | None, configuration: Configuration) -> Forces | None:
    """Return the commands of an answer, None where LAMMPS cannot follow them with particles like these."""
    if answer.flag("diameters") and configuration.diameters is None:
        return None
    if answer.flag("sets_masses") and _masses_by_particle(configuration):
        return None
    if ("pairs" in answer) == ("file" in answer):
        raise answer.wrong("both or neither of pairs and file, of which LAMMPS needs one")
    style = _words(answer, "style", reach)
    if not isinstance(style[0], str):
        raise answer.wrong(f"style = {style!r}, which does not begin with the name of a pair style")
    commands: list[tuple] = [("pair_style", *style)]
    names, files = configuration.species_names, {}
    if "file" in answer:
        text, elements = _file(answer.part("file", ("rows", "elements")), names)
        files[_FILE.name] = text
        commands.append(("pair_coeff", "*", "*", _FILE, *elements))
    else:
        for (a, b), entry in answer.pairs(names, ("coefficients", "cutoff"), several=True):
            commands.append(("pair_coeff", a + 1, b + 1, *_words(entry, "coefficients")))
    if "modify" in answer:
        commands.append(("pair_modify", *_words(answer, "modify")))
    return Forces(f"native: {style[0]}", tuple(commands), files)


def _masses_by_particle(configuration: Configuration) -> bool:
    """Whether LAMMPS has a mass for each particle, where some styles set one for each type."""
    if configuration.diameters is not None:
        return True
    if configuration.masses is None:
        return False
    return any(
        np.unique(configuration.masses[configuration.species == name]).size > 1 for name in configuration.species_names
    )


def _words(of: NativeData, name: str, reach: float | None = None) -> list:
    """Return words of LAMMPS's language: each a number, a text that is one word, or a formula."""
    found: list = []
    for value in of.list(name):
        word = value
        if isinstance(value, Mapping) and len(value) == 1:
            (kind, content), *_ = value.items()
            if kind == "formula" and isinstance(content, str):
                word = Expression(content)
            elif kind == "reach" and is_number(content) and reach is not None:
                word = float(content) * reach
        found.append(word)
    _line(of, name, found)
    return found


def _file(file: NativeData, names: Sequence[str]) -> tuple[str, list[str]]:
    """Return the text of a file of numbers and words, and the word in it for each species."""
    text = []
    for row in file.list("rows"):
        if isinstance(row, str | bytes) or not isinstance(row, Sequence):
            raise file.wrong(f"the row {row!r:.60}, which is no list of words and numbers")
        text.append(_line(file, "rows", row))
    if file.is_word("elements"):
        elements = [file.word("elements")] * len(names)
    else:
        known = file.mapping("elements")
        if missing := [name for name in names if name not in known]:
            raise file.wrong(f"elements without the species {', '.join(missing)}")
        elements = [known[name] for name in names]
    _line(file, "elements", elements)
    return "".join(f"{one}\n" for one in text), elements


def _line(of: NativeData, name: str, words: Sequence) -> str:
    try:
        return line(*words)
    except InputError as error:
        raise of.wrong(f"{name} that LAMMPS cannot be told ({str(error).rstrip('.')})") from None
