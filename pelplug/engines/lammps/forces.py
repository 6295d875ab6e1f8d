"""What LAMMPS is told so that its forces are those of a model: commands, and files where they need one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from pelplug.configuration import Configuration
from pelplug.engines.lammps.input import Expression, FileName, line
from pelplug.errors import InputError
from pelplug.models.base import Model
from pelplug.models.harmonic_spheres import additive
from pelplug.models.polydisperse_soft_spheres import non_additive
from pelplug.potentials.base import Potential
from pelplug.potentials.eam import EAMPotential
from pelplug.potentials.eam_file import setfl_text
from pelplug.potentials.expressions import filled
from pelplug.potentials.forms.lennard_jones import lennard_jones
from pelplug.potentials.pair import PairPotential
from pelplug.potentials.stillinger_weber import StillingerWeberPotential
from pelplug.potentials.truncations import shift, shifted_force

__all__ = ["Forces", "forces_of"]


@dataclasses.dataclass(frozen=True)
class Forces:
    """How LAMMPS computes the forces of a model.

    Attributes
    ----------
    route : str
        ``native: STYLE``, or ``kernel: pelplug`` where LAMMPS has no such form.
    commands : tuple of tuple
        Pair styles and coefficients, as words of `pelplug.engines.lammps.input`.
    files : dict of str to str
        Text of the files that the commands name, which hold nothing but numbers and names of pelplug's own.
    potential : Potential or None
        Evaluated by `fix external`; None where LAMMPS computes the forces.
    """

    route: str
    commands: tuple[tuple, ...]
    files: dict[str, str] = dataclasses.field(default_factory=dict)
    potential: Potential | None = None


_FASTER = "native: lj/smooth/linear"
_MIXING = {
    additive: "dij=radi+radj",
    non_additive: "dij=(radi+radj)*(1-0.2*abs(2*radi-2*radj))",
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
    nothing = (("pair_style", "zero", 0.1), ("pair_coeff", "*", "*"))
    return Forces("kernel: pelplug by fix external", nothing, potential=potential)


def _pair(potential: PairPotential, configuration: Configuration) -> Forces | None:
    if potential.per_particle:
        return _by_diameter(potential, configuration)
    names = configuration.species_names
    number = {name: potential.species.index(name) if potential.species else 0 for name in names}
    pairs = [(a, b) for a in range(len(names)) for b in range(a, len(names))]
    form = potential.form
    style = {shift(form): "lj/cut", shifted_force(form): "lj/smooth/linear"}.get(potential.truncated)
    if form.function is lennard_jones and style is not None:
        commands = [("pair_style", style, float(potential.cutoff))]
        for a, b in pairs:
            i, j = number[names[a]], number[names[b]]
            values = potential.parameters["epsilon"][i, j], potential.sigma[i, j], potential.pair_cutoff[i, j]
            commands.append(("pair_coeff", a + 1, b + 1, *map(float, values)))
        if style == "lj/cut":
            commands.append(("pair_modify", "shift", "yes"))
        return Forces(f"native: {style}", tuple(commands))
    if potential.truncated.expression is None:
        return None
    commands = [("pair_style", "lepton", float(potential.cutoff))]
    for a, b in pairs:
        i, j = number[names[a]], number[names[b]]
        expression = f"{_expression(potential, i, j)};x=r/{float(potential.sigma[i, j])!r}"
        commands.append(("pair_coeff", a + 1, b + 1, Expression(expression), float(potential.pair_cutoff[i, j])))
    return Forces("native: lepton", tuple(commands))


def _by_diameter(potential: PairPotential, configuration: Configuration) -> Forces | None:
    mixing = _MIXING.get(potential.mixing)
    if mixing is None or potential.truncated.expression is None:
        return None
    cutoff = float(potential.pair_cutoff[0, 0])
    low, high = float(configuration.diameters.min()), float(configuration.diameters.max())
    reach = float(cutoff * max(potential.mixing(high, high), potential.mixing(low, high)))
    inside = f"select(step({cutoff!r}-x),{_expression(potential, 0, 0)},0)"
    formula = Expression(f"{inside};x=r/dij;{mixing}")
    return Forces("native: lepton/sphere", (("pair_style", "lepton/sphere", reach), ("pair_coeff", "*", "*", formula)))


def _expression(potential: PairPotential, i: int, j: int) -> str:
    return filled(potential.truncated.expression, potential.numbers[i, j])


def _stillinger_weber(potential: StillingerWeberPotential, configuration: Configuration) -> Forces:
    names = ("epsilon", "sigma", "a", "three_body", "gamma", "cos_theta0", "A", "B", "p", "q")
    # LAMMPS wants an element's name for each type, and a tolerance last.
    text = line("Si", "Si", "Si", *(float(potential.parameters[name]) for name in names), 0.0) + "\n"
    elements = ["Si" for _ in configuration.species_names]
    file = FileName("model.sw")
    commands = (("pair_style", "sw"), ("pair_coeff", "*", "*", file, *elements))
    return Forces("native: sw", commands, {file.name: text})


def _eam(potential: EAMPotential, configuration: Configuration) -> Forces | None:
    species, masses = configuration.species, configuration.masses
    by_type = (
        [np.unique(masses[species == name]).size for name in configuration.species_names] if masses is not None else []
    )
    if configuration.diameters is not None or max(by_type, default=1) > 1:
        return None  # LAMMPS has a metal's masses by type only
    # LAMMPS is not given the user's file, but its tables under names that LAMMPS's input can hold.
    tables = potential.tables
    names = [f"E{k}" for k in range(len(tables.elements))]
    elements = [names[tables.elements.index(name)] for name in configuration.species_names]
    file = FileName(f"model.eam.{tables.kind}")
    commands = (("pair_style", f"eam/{tables.kind}"), ("pair_coeff", "*", "*", file, *elements))
    return Forces(f"native: eam/{tables.kind}", commands, {file.name: setfl_text(tables, names)})


_TRANSLATORS: tuple[tuple[type, Callable], ...] = (
    (PairPotential, _pair),
    (StillingerWeberPotential, _stillinger_weber),
    (EAMPotential, _eam),
)
