"""What engines are told of a pair potential: their own name for its form, a formula, or a table; plain data.

It comes from what the form says of itself (`Form.native`, `Form.expression`, its function), never from its name.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from pelplug.execution.compile import Family
from pelplug.potentials.expressions import filled, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pelplug.potentials.pair import PairPotential

__all__ = ["INTERVALS", "evaluate_pair", "pair_native"]

INTERVALS = 80_000
"""Of a table between its first distance and the cutoff: an engine takes every few, and sees its error at the others."""

_HARD = 1e4  # a table begins where the energy is this many times the largest one beyond sigma


def pair_native(potential: PairPotential, engine: str) -> dict[str, Any] | None:
    """Return what `PairPotential.native` returns."""
    if engine == "table":
        return (
            None if potential.per_particle else {"pairs": [_tabulated(potential, *pair) for pair in _pairs(potential)]}
        )
    own = potential.truncated.native.get(engine)
    if own is not None and not potential.per_particle:
        return _by_name(potential, own)
    if engine == "lammps" and potential.truncated.expression is not None:
        return _by_diameter(potential) if potential.per_particle else _by_formula(potential)
    return None


def _pairs(potential: PairPotential) -> Iterator[tuple[list[str] | None, tuple[int, int]]]:
    """Go through the pairs of species, and their places in the tables; None is any pair."""
    if not potential.species:
        yield None, (0, 0)
    for a, first in enumerate(potential.species):
        for b, second in enumerate(potential.species[a:], start=a):
            yield [first, second], (a, b)


def _by_name(potential: PairPotential, own) -> dict[str, Any]:
    """Put numbers into what the form says: its formulas are of the parameters of a pair, sigma and cutoff."""
    kept = {name: value for name, value in own.items() if name not in ("coefficients", "parameters", "ends")}
    data = {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}
    if "style" in own:
        word, *numbers = own["style"]
        data["style"] = [word, *(value_of(formula, {"cutoff": potential.cutoff}) for formula in numbers)]
    pairs = []
    for species, at in _pairs(potential):
        numbers = {name: table[at] for name, table in potential.parameters.items()}
        numbers |= {"sigma": potential.sigma[at], "cutoff": potential.pair_cutoff[at]}
        entry: dict[str, Any] = {"species": species, "cutoff": float(potential.pair_cutoff[at])}
        if "coefficients" in own:
            entry["coefficients"] = [value_of(formula, numbers) for formula in own["coefficients"]]
        if "parameters" in own:
            entry["parameters"] = {name: value_of(formula, numbers) for name, formula in own["parameters"].items()}
        pairs.append(entry)
    return data | {"pairs": pairs}


def _by_formula(potential: PairPotential) -> dict[str, Any]:
    pairs = []
    for species, at in _pairs(potential):
        formula = f"{_formula(potential, at)};x=r/{float(potential.sigma[at])!r}"
        pairs.append({"species": species, "coefficients": [{"formula": formula}, float(potential.pair_cutoff[at])]})
    return {"style": ["lepton", potential.cutoff], "pairs": pairs}


def _by_diameter(potential: PairPotential) -> dict[str, Any] | None:
    mixing = getattr(potential.mixing, "expression", None)
    if mixing is None:
        return None
    inside = f"select(step({potential.cutoff!r}-x),{_formula(potential, (0, 0))},0)"
    formula = f"{inside};x=r/d_ij;d_ij={mixing};d_i=2*radi;d_j=2*radj"
    return {
        "style": ["lepton/sphere", {"reach": 1.0}],
        "diameters": True,
        "pairs": [{"species": None, "coefficients": [{"formula": formula}]}],
    }


def _formula(potential: PairPotential, at: tuple[int, int]) -> str:
    return filled(potential.truncated.expression, potential.numbers[at])


def _tabulated(potential: PairPotential, species: list[str] | None, at: tuple[int, int]) -> dict[str, Any]:
    sigma, cutoff = float(potential.sigma[at]), float(potential.pair_cutoff[at])
    first = _table_start(potential, at) * sigma
    energy, force = evaluate_pair(potential, at, np.linspace(first, cutoff, INTERVALS + 1))
    numbers = {"energy": energy.tolist(), "force": force.tolist()}
    return {"species": species, "length": sigma, "first": first, "cutoff": cutoff, **numbers}


def _table_start(potential: PairPotential, at: tuple[int, int]) -> float:
    """Where the table begins [sigma]: at 0 for a form that is finite there, else deep in the core."""
    sigma = float(potential.sigma[at])
    grid = np.linspace(1.0, potential.pair_cutoff[at] / sigma, 50)
    scale = float(np.abs(evaluate_pair(potential, at, grid * sigma)[0]).max())
    scale = scale or float(np.abs(potential.numbers[at]).max())
    inside = np.linspace(0.999, 0.001, 999)
    with np.errstate(all="ignore"):
        energies = np.abs(evaluate_pair(potential, at, inside * sigma)[0])
    hard = np.flatnonzero(~(energies < _HARD * scale))
    return float(inside[hard[0]]) if len(hard) else 0.0


def evaluate_pair(potential: PairPotential, at: tuple[int, int], r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return energy and force -U'(r) of a pair by the truncated form, as below the cutoff.

    Parameters
    ----------
    potential : PairPotential
        Between species.
    at : tuple of int
        The pair's place in the tables.
    r : ndarray, shape (K,)
        Distances [length].

    Returns
    -------
    tuple of ndarray, shape (K,)
        u [energy] and -u' [energy / length].
    """
    sigma = potential.sigma[at]
    x = np.maximum(r / sigma, 1e-9)
    energy, slope = np.empty_like(x), np.empty_like(x)
    _form_kernel(potential.truncated.function)(x, potential.numbers[at], energy, slope)
    return energy, -slope / sigma


@functools.cache
def _form_kernel(function):
    family = Family(function, constants=("table",))
    form = family.use(function)

    @family.kernel(error_model="numpy")
    def tabulate(x, p, energy, slope):
        for k in range(len(x)):
            u, du, _ = form(x[k], p)
            energy[k] = u
            slope[k] = du

    return tabulate
