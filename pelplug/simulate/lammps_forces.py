"""What LAMMPS is told so that its forces are those of a model: commands, and files where they need one."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.models.base import Model
from pelplug.potentials.base import Potential
from pelplug.potentials.eam import EAMPotential
from pelplug.potentials.pair import PairPotential
from pelplug.potentials.stillinger_weber import StillingerWeberPotential

__all__ = ["Forces", "forces_of"]


@dataclasses.dataclass(frozen=True)
class Forces:
    """How LAMMPS computes the forces of a model.

    Attributes
    ----------
    route : str
        ``native: STYLE``, or ``kernel: pelplug`` where LAMMPS has no such form.
    commands : str
        Pair styles and coefficients; ``{folder}`` stands for where `files` are.
    files : dict of str to str
        Text of the files that the commands name.
    potential : Potential or None
        Evaluated by `fix external`; None where LAMMPS computes the forces.
    """

    route: str
    commands: str
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    potential: Potential | None = None


# Each form as an expression of x = r / sigma_ij in Lepton's language; numbers by name in braces.
_EXPRESSIONS = {
    "lennard-jones": "{epsilon}*4*(x^(-12)-x^(-6))",
    "inverse-power-law": "{epsilon}*x^(-{exponent})",
    "inverse-power-law-smooth": "{epsilon}*(x^(-10)+{c0}+{c2}*x^2+{c4}*x^4+{c6}*x^6)",
    "sticky-spheres": (
        "{epsilon}*select(step(1.122462048309373-x),4*(x^(-12)-x^(-6)),"
        "{a}*x^(-12)-{b}*x^(-6)+{c0}+{c2}*x^2+{c4}*x^4+{c6}*x^6)"
    ),
    "soft-spheres-12": "{epsilon}*(x^(-12)+{c0}+{c1}*x^2+{c2}*x^4)",
    "harmonic": "{epsilon}*0.5*(1-x)^2",
}
_FASTER = "native: lj/smooth/linear"
_MIXING = {
    "additive": "dij=radi+radj",
    "non_additive": "dij=(radi+radj)*(1-0.2*abs(2*radi-2*radj))",
}


def forces_of(model: Model, configuration: Configuration, route: str = "auto") -> Forces:
    """Translate a model.

    Parameters
    ----------
    model : Model
        The interactions.
    configuration : Configuration
        The particles; types are numbered in the order of `Configuration.species_names`.
    route : {"auto", "native", "kernel"}
        LAMMPS's own style, pelplug's kernel, or the faster of the two as `benchmarks/engines_lammps.py` found them:
        the kernel, but for one style.

    Returns
    -------
    Forces

    Raises
    ------
    InputError
        If `route` is native and LAMMPS has no such form.
    """
    potential = model.potential(configuration)
    if route != "kernel":
        for kind, translate in _TRANSLATORS:
            if type(potential) is not kind or (found := translate(potential, configuration)) is None:
                continue
            if route == "native" or found.route == _FASTER:
                return found
        if route == "native":
            raise InputError(f"LAMMPS has no form for {model.name}; leave the route to the engine, or ask for kernel.")
    # No neighbour list of LAMMPS's own is needed; the ghosts that it asks for are never used.
    return Forces("kernel: pelplug by fix external", "pair_style zero 0.1\npair_coeff * *", potential=potential)


def _pair(potential: PairPotential, configuration: Configuration) -> Forces | None:
    if potential.per_particle:
        return _by_diameter(potential, configuration)
    names = configuration.species_names
    number = {name: potential.species.index(name) if potential.species else 0 for name in names}
    pairs = [(a, b) for a in range(len(names)) for b in range(a, len(names))]
    style = {"shift": "lj/cut", "shifted-force": "lj/smooth/linear"}.get(potential.truncation)
    if potential.form.name == "lennard-jones" and style is not None:
        lines = [f"pair_style {style} {potential.cutoff!r}"]
        for a, b in pairs:
            i, j = number[names[a]], number[names[b]]
            values = potential.parameters["epsilon"][i, j], potential.sigma[i, j], potential.pair_cutoff[i, j]
            lines.append(f"pair_coeff {a + 1} {b + 1} " + " ".join(repr(float(value)) for value in values))
        shift = ["pair_modify shift yes"] if potential.truncation == "shift" else []
        return Forces(f"native: {style}", "\n".join(lines + shift))
    if potential.form.name not in _EXPRESSIONS:
        return None
    lines = [f"pair_style lepton {potential.cutoff!r}"]
    for a, b in pairs:
        i, j = number[names[a]], number[names[b]]
        expression = f"{_expression(potential, i, j)};x=r/{float(potential.sigma[i, j])!r}"
        lines.append(f'pair_coeff {a + 1} {b + 1} "{expression}" {float(potential.pair_cutoff[i, j])!r}')
    return Forces("native: lepton", "\n".join(lines))


def _by_diameter(potential: PairPotential, configuration: Configuration) -> Forces | None:
    mixing = _MIXING.get(getattr(potential.mixing, "__name__", ""))
    if mixing is None or potential.form.name not in _EXPRESSIONS:
        return None
    cutoff = float(potential.pair_cutoff[0, 0])
    low, high = float(configuration.diameters.min()), float(configuration.diameters.max())
    reach = float(cutoff * max(potential.mixing(high, high), potential.mixing(low, high)))
    inside = f"select(step({cutoff!r}-x),{_expression(potential, 0, 0)},0)"
    commands = f'pair_style lepton/sphere {reach!r}\npair_coeff * * "{inside};x=r/dij;{mixing}"'
    return Forces("native: lepton/sphere", commands)


def _expression(potential: PairPotential, i: int, j: int) -> str:
    numbers = {name: f"({float(table[i, j])!r})" for name, table in potential.parameters.items()}
    terms = [_EXPRESSIONS[potential.form.name].format(**numbers)]
    for power, value in zip((0, 1, 2, 4), potential.truncation_terms[i, j].tolist(), strict=True):
        if value != 0.0:
            terms.append(f"({value!r})" + (f"*x^{power}" if power else ""))
    return "+".join(terms)


def _stillinger_weber(potential: StillingerWeberPotential, configuration: Configuration) -> Forces:
    names = ("epsilon", "sigma", "a", "lambda", "gamma", "cos_theta0", "A", "B", "p", "q")
    numbers = " ".join(repr(float(potential.parameters[name])) for name in names)
    # LAMMPS wants an element's name for each type, and a tolerance last.
    text = f"Si Si Si {numbers} 0.0\n"
    elements = " ".join("Si" for _ in configuration.species_names)
    return Forces("native: sw", f'pair_style sw\npair_coeff * * "{{folder}}/model.sw" {elements}', {"model.sw": text})


def _eam(potential: EAMPotential, configuration: Configuration) -> Forces | None:
    tables = potential.tables
    if not os.path.exists(tables.path):
        return None
    elements = " ".join(configuration.species_names)
    commands = f'pair_style eam/{tables.kind}\npair_coeff * * "{tables.path}" {elements}'
    return Forces(f"native: eam/{tables.kind}", commands)


_TRANSLATORS: tuple[tuple[type, Callable], ...] = (
    (PairPotential, _pair),
    (StillingerWeberPotential, _stillinger_weber),
    (EAMPotential, _eam),
)
