"""Truncations: what is done to a form so that it ends at a cutoff, each a function from form to form.

The functions of the form that comes out close over those of the form that goes in, and find what is constant for a
pair of species behind its parameters. Every route (kernels of the processor and of CUDA, Monte Carlo, tables and
formulas for engines) takes the form that comes out; what is added to a form stands here and nowhere else.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from pelplug.core.parameters import closest
from pelplug.errors import InputError
from pelplug.potentials.form import Form, label_of, made

__all__ = ["TRUNCATIONS", "cut", "name_of", "shift", "shifted_force", "smooth", "truncated"]


def cut(form: Form) -> Form:
    """Add nothing: for forms that end smoothly by themselves, or to let U jump at the cutoff."""
    return form


@functools.cache
def shift(form: Form) -> Form:
    """Make U vanish at the cutoff: ``u(x) - u(x_c)``."""
    n, inner, inner_squared = form.size, form.function, form.squared

    def function(x, p):
        u, du, ddu = inner(x, p)
        return u + p[n], du, ddu

    def squared(s, p):
        u, w = inner_squared(s, p)
        return u + p[n], w

    def constants(p, cutoff):
        return (-inner(cutoff, p)[0],)

    expression = f"{form.expression}+p[{n}]"
    native = form.ended("shift")
    return form.derived(shift, function, constants, 1, squared=squared, expression=expression, native=native)


@functools.cache
def shifted_force(form: Form) -> Form:
    """Make U and U' vanish at the cutoff: ``u(x) - u(x_c) - u'(x_c) (x - x_c)``."""
    n, inner, inner_squared = form.size, form.function, form.squared

    def function(x, p):
        u, du, ddu = inner(x, p)
        return u + p[n] + p[n + 1] * x, du + p[n + 1], ddu

    def squared(s, p):
        u, w = inner_squared(s, p)
        inverse = math.sqrt(1.0 / s)
        return u + p[n] + p[n + 1] * (s * inverse), w + p[n + 1] * inverse

    def constants(p, cutoff):
        u, du, _ = inner(cutoff, p)
        return du * cutoff - u, -du

    expression = f"{form.expression}+p[{n}]+p[{n + 1}]*x"
    native = form.ended("shifted-force")
    return form.derived(shifted_force, function, constants, 2, squared=squared, expression=expression, native=native)


@functools.cache
def smooth(form: Form) -> Form:
    """Make U, U' and U'' vanish at the cutoff: ``u(x) + c0 + c2 x**2 + c4 x**4``."""
    n, inner, inner_squared = form.size, form.function, form.squared

    def function(x, p):
        u, du, ddu = inner(x, p)
        s = x * x
        u += p[n] + s * (p[n + 1] + p[n + 2] * s)
        du += x * (2.0 * p[n + 1] + 4.0 * p[n + 2] * s)
        ddu += 2.0 * p[n + 1] + 12.0 * p[n + 2] * s
        return u, du, ddu

    def squared(s, p):
        u, w = inner_squared(s, p)
        return u + p[n] + s * (p[n + 1] + p[n + 2] * s), w + 2.0 * p[n + 1] + 4.0 * p[n + 2] * s

    def constants(p, cutoff):
        u, du, ddu = inner(cutoff, p)
        matrix = [[1, cutoff**2, cutoff**4], [0, 2 * cutoff, 4 * cutoff**3], [0, 2, 12 * cutoff**2]]
        return np.linalg.solve(matrix, [-u, -du, -ddu])

    expression = f"{form.expression}+p[{n}]+p[{n + 1}]*x^2+p[{n + 2}]*x^4"
    return form.derived(smooth, function, constants, 3, squared=squared, expression=expression)


TRUNCATIONS: dict[str, Callable[[Form], Form]] = {
    "cut": cut,
    "shift": shift,
    "shifted-force": shifted_force,
    "smooth": smooth,
}
"""The truncations that come with pelplug, by the names that models and files use."""


def name_of(truncation: str | Callable[[Form], Form]) -> str:
    """Return the name of a truncation, as models and records have it."""
    known = {function: name for name, function in TRUNCATIONS.items()}
    return truncation if isinstance(truncation, str) else known.get(truncation) or label_of(truncation)


def truncated(form: Form, truncation: str | Callable[[Form], Form]) -> Form:
    """Return a form with a truncation; the same object for the same two.

    Parameters
    ----------
    form : Form
    truncation : str or callable
        A name in `TRUNCATIONS`, or a function from form to form.

    Raises
    ------
    InputError
        If there is no such truncation, or what it returns is no form with the same parameters.
    """
    if not callable(truncation):
        if not isinstance(truncation, str) or truncation not in TRUNCATIONS:
            raise InputError(
                f"Unknown truncation {truncation!r}{closest(str(truncation), TRUNCATIONS)}; choose one of "
                f"{', '.join(TRUNCATIONS)}, or give a function from form to form."
            )
        truncation = TRUNCATIONS[truncation]
    return made(truncation, form)
