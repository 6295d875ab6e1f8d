"""The checks of a form: its derivatives, its other spellings, its end, and that it compiles and pickles.

They look at the parameters that the kit has, by name, and at its ``cutoff`` [sigma_ij]; without, at parameters about 1
and the form's own cutoff, or 2.5.
"""

from __future__ import annotations

import json
import pickle
import re
import unittest
from collections.abc import Iterator

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.potentials.differences import extrapolated
from pelplug.potentials.expressions import evaluated
from pelplug.potentials.form import Form
from pelplug.potentials.pair import PairPotential
from pelplug.potentials.truncations import TRUNCATIONS, truncated
from pelplug.testing.checks import check, require

__all__ = []

_SAMPLES = 60
_SAME = 1e-10  # relative: two ways to write one formula differ by rounding


def _cutoff(form: Form, kit) -> float:
    return float(kit.parameters.get("cutoff", form.cutoff or 2.5))


def _parameters(form: Form, kit) -> list[dict[str, float]]:
    """Return the parameters to look at: those of the kit, else ones and random ones."""
    given = {name: value for name, value in kit.parameters.items() if name != "cutoff"}
    if given:
        return [given]
    rng = np.random.default_rng(kit.seed)
    return [dict.fromkeys(form.parameters, 1.0), *(
        dict(zip(form.parameters, rng.uniform(0.5, 1.5, len(form.parameters)), strict=True)) for _ in range(2)
    )]  # fmt: skip


def _looked_at(form: Form, kit) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
    """Yield distances, numbers of the form there, and what the function takes as p."""
    end = _cutoff(form, kit)
    # Distances that no formula is likely to have a kink at.
    x = 0.4 + (end - 0.4) * (np.arange(_SAMPLES) + 0.5 + 0.31 * np.sin(np.arange(_SAMPLES))) / _SAMPLES
    for parameters in _parameters(form, kit):
        p = form.numbers([parameters[name] for name in form.parameters], end)
        for one in x:
            values = _called(form, float(one), p)
            yield float(one), values, p


def _called(form: Form, x: float, p: np.ndarray) -> np.ndarray:
    values = np.array(form.function(x, p), dtype=float)
    require(values.shape == (3,), f"its function returns {values.size} numbers, not (u, du, ddu)")
    require(np.all(np.isfinite(values)), f"its function gives {values} at x = {x:.5g}")
    return values


@check("form")
def check_form_derivatives(form, kit):
    """Du and ddu are the derivatives of u, by differences."""
    for order, name, of in ((1, "du", "u"), (2, "ddu", "du")):
        compared = 0
        for x, values, p in _looked_at(form, kit):
            h = min(0.05 * x, 0.9 * (_cutoff(form, kit) - x))
            found, error = extrapolated(lambda t, x=x, p=p, order=order: form.function(x + t, p)[order - 1], h)
            scale = max(abs(values[order]), 1e-3 * abs(values[order - 1]) / x)
            if error > 1e-6 * scale:  # a branch ends nearby
                continue
            compared += 1
            rounding = 1e3 * np.finfo(float).eps * abs(values[order - 1]) / h
            require(
                abs(found - values[order]) <= 30 * error + _SAME * scale + rounding,
                f"at x = {x:.5g} it gives {name} = {values[order]:.10g}, and differences of {of} give {found:.10g}",
            )
        require(compared > _SAMPLES / 2, f"{of} is too rough for differences: jumps, or noise")


@check("form", when=lambda form: form.squared is not None)
def check_form_squared(form, kit):
    """The function of the square of the distance is the same form."""
    for x, values, p in _looked_at(form, kit):
        u, w = form.squared(x * x, p)
        close = _SAME * (abs(values[0]) + abs(values[1]) * x + _size(form, x, p))
        require(abs(u - values[0]) <= close, f"at x = {x:.5g} u is {values[0]:.10g}, and squared gives {u:.10g}")
        slope = values[1] / x
        require(abs(w - slope) <= close / x**2, f"at x = {x:.5g} u'/x is {slope:.10g}, and squared gives {w:.10g}")


@check("form", when=lambda form: form.expression is not None)
def check_form_expression(form, kit):
    """The expression is the same energy."""
    for x, values, p in _looked_at(form, kit):
        try:
            u = evaluated(form.expression, x, p)
        except (ArithmeticError, ValueError, SyntaxError, NameError, IndexError) as error:
            raise AssertionError(f"the expression {form.expression!r} cannot be evaluated: {error}") from None
        close = _SAME * (abs(values[0]) + abs(values[1]) * x + _size(form, x, p))
        require(abs(u - values[0]) <= close, f"at x = {x:.5g} u is {values[0]:.10g}, and the expression gives {u:.10g}")


def _size(form: Form, x: float, p: np.ndarray) -> float:
    """Return how large the terms are that cancel in the energy, about: those a little nearer."""
    return abs(float(form.function(0.8 * x, p)[0])) * 1e-2


@check("form")
def check_form_ends(form, kit):
    """Where it ends by itself its energy is zero there; each truncation makes it end, as smoothly as it says."""
    end = _cutoff(form, kit)
    for parameters in _parameters(form, kit)[:1]:
        values = [parameters[name] for name in form.parameters]
        inside = np.abs([_called(form, x, form.numbers(values, end)) for x in np.linspace(0.6, 0.95, 8) * end])
        size = inside.max(axis=0) + 1e-300
        if form.cutoff is not None:
            u = _called(form, end * (1 - 1e-9), form.numbers(values, end))[0]
            require(abs(u) <= 1e-7 * size[0], f"its energy is {u:.3g} at its cutoff, where it is to end")
        for name, smooth in (("shift", 1), ("shifted-force", 2), ("smooth", 3)):
            one = truncated(form, name)
            left = np.abs(_called(one, end * (1 - 1e-12), one.numbers(values, end)))[:smooth]
            # What is subtracted of itself leaves rounding, of itself and what it was divided by.
            worst = float(np.max(left / size[:smooth]))
            require(worst <= 1e-8, f"truncated by {name!r} it does not end: u, u', ... are {left} at the cutoff")


@check("form")
def check_form_constants(form, kit):
    """It has as many parameters and constants as it says, all finite."""
    require(len(set(form.parameters)) == len(form.parameters), "a parameter is named twice")
    for parameters in _parameters(form, kit):
        p = form.numbers([parameters[name] for name in form.parameters], _cutoff(form, kit))
        require(p.shape == (form.size,), f"its functions get {p.size} numbers, and it says {form.size}")
        require(np.all(np.isfinite(p)), f"not all its constants are finite: {p}")


@check("form")
def check_form_compiles(form, kit):
    """Compiled into the loop over pairs it gives what its function gives, for itself and truncated."""
    end, parameters = _cutoff(form, kit), _parameters(form, kit)[0]
    truncation = "cut" if form.ends else "shift"
    potential = PairPotential(form, sigma=1.0, cutoff=end, parameters=parameters, truncation=truncation)
    for x in np.array([0.55, 0.83, 0.97]) * end:
        pair = Configuration([[0.0] * 3, [x, 0.0, 0.0]], np.full(3, 4.0 * end), ["A", "A"])
        energy, forces = potential.energy_forces(pair)
        pairs = potential.pairs(pair)
        found = np.array([energy, forces[0, 0], pairs.second[0]])
        u, du, ddu = potential.truncated.function(x, potential.numbers[0, 0])
        require(
            np.allclose(found, [u, du, ddu], rtol=1e-11, atol=_SAME * _size(form, x, potential.numbers[0, 0])),
            f"compiled it gives u, du, ddu = {found} at x = {x:.5g}, and its function {u, du, ddu}",
        )


@check("form")
def check_form_pickles(form, kit):
    """It pickles, truncated too, and is the same form again."""
    for one in (form, *(truncated(form, name) for name in TRUNCATIONS)):
        try:
            copy = pickle.loads(pickle.dumps(one))
        except Exception as error:
            raise AssertionError(f"it cannot be pickled ({error}): define its functions in a module") from error
        require(copy == one, "a pickled copy is another form")


@check("form")
def check_form_describes_itself(form, kit):
    """Name, formula and parameters are words, and its function says what it is."""
    require(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", form.name), f"{form.name!r} is not lower-case words and hyphens")
    require(form.formula.strip(), "it has no formula")
    require(all(name.isidentifier() for name in form.parameters), "a parameter is no name")
    require((form.function.__doc__ or "").strip(), "its function has no docstring")
    require(form.cutoff is None or form.cutoff > 0, f"its cutoff is {form.cutoff!r}")


@check("form", when=lambda form: form.repulsive)
def check_form_repels(form, kit):
    """A form that says so only repels."""
    if not kit.parameters and len(form.parameters) > 1:
        raise unittest.SkipTest("whether it repels depends on its parameters; give the kit those that it is used with")
    for x, values, _ in _looked_at(form, kit):
        require(values[1] <= 1e-12 * abs(values[0]) + 1e-300, f"it attracts at x = {x:.5g}: du = {values[1]:.6g}")


@check("form")
def check_form_in_potential(form, kit):
    """A potential of it has a record in JSON that has the form and its numbers."""
    records = []
    for parameters in _parameters(form, kit):
        given = {"sigma": 1.0, "cutoff": _cutoff(form, kit), "parameters": parameters}
        try:
            records.append(json.dumps(PairPotential(form, **given).record(), sort_keys=True))
        except InputError as error:
            raise AssertionError(f"no potential can be made of it: {error}") from error
        require(form.name in records[-1], "the record of a potential does not name the form")
    different = len(form.parameters) == 0 or len(set(records)) == len(records)
    require(different, "potentials with other parameters have the same record")
