"""Forms that are not pelplug's own, checked by differences at their first use.

A wrong second derivative ends no run and leaves no trace but wrong numbers.
"""

from __future__ import annotations

import numpy as np

from pelplug.errors import InputError
from pelplug.potentials.differences import STEPS, WRONG, key_of, known, remember, settled
from pelplug.potentials.expressions import evaluated
from pelplug.potentials.form import Form

__all__ = ["check_form"]

_SAMPLES, _MOST_SETS = 300, 64
_OWN = ("pelplug.potentials.forms.", "pelplug.potentials.truncations", "pelplug.potentials.pair_table")


def check_form(form: Form, parameters: np.ndarray, cutoff: np.ndarray) -> None:
    """Refuse a third party's form whose derivatives are not those of its energy.

    Parameters
    ----------
    form : Form
    parameters : ndarray, shape (S, S, P)
        What its functions take as ``p``, for every pair.
    cutoff : ndarray, shape (S, S)
        In units of sigma_ij.

    Raises
    ------
    InputError
        With the distance at which it is wrong, and by how much.
    """
    made_by = form.origin[0] if form.origin is not None else None
    if all(one is None or one.__module__.startswith(_OWN) for one in (form.function, form.squared, made_by)):
        return
    size = len(cutoff)
    every = {(float(cutoff[a, b]), *map(float, parameters[a, b])) for a in range(size) for b in range(a, size)}
    sets = sorted(every)[:_MOST_SETS]
    key = key_of("form", [form.function, form.squared, form.expression, sets])
    if known(key):
        return
    for end, *values in sets:
        _check_function(form, np.array(values), end)
    remember(key)


def _check_function(form: Form, p: np.ndarray, end: float) -> None:
    if not np.isfinite(end):
        return
    low = 0.3 * min(1.0, end)
    # Points that no formula is likely to have a kink at.
    samples = low + (end - low) * (np.arange(_SAMPLES) + 0.5 + 0.31 * np.sin(np.arange(_SAMPLES))) / _SAMPLES
    wrong: dict[int, list] = {1: [], 2: []}
    with np.errstate(all="ignore"):
        for x in samples:
            values = _called(form, x, p)
            if not np.all(np.isfinite(values)):
                continue
            steps = [x * h for h in STEPS[:5] if x + x * h < end]
            around = [(_called(form, x - h, p), _called(form, x + h, p)) for h in steps]
            for order in (1, 2):
                numbers = [(after[order - 1] - before[order - 1]) / (2 * h)
                           for h, (before, after) in zip(steps, around, strict=True)]  # fmt: skip
                scale = max(abs(values[order]), 1e-3 * abs(values[order - 1]) / x, 1e-9 * abs(values[0]) / x**order)
                found = settled(numbers, scale)
                if found is not None and abs(found - values[order]) > WRONG * max(scale, abs(found)):
                    wrong[order].append((x, values[order], found))
            if form.squared is not None:
                _check_squared(form, x, p, values)
            if form.expression is not None:
                _check_expression(form, x, p, values)
    for order, name in ((1, "first"), (2, "second")):
        if len(wrong[order]) >= 2:
            x, given, found = max(wrong[order], key=lambda one: abs(one[1] - one[2]) / (abs(one[1]) + abs(one[2])))
            of = "the energy" if order == 1 else "the first derivative"
            raise InputError(
                f"The form {form.name} has a wrong {name} derivative: at x = r / sigma = {x:.5g} it gives {given:.6g}, "
                f"and differences of {of} give {found:.6g} ({len(wrong[order])} of {_SAMPLES} distances up to "
                f"the cutoff {end:.4g}); correct its function."
            )


def _called(form: Form, x: float, p: np.ndarray) -> np.ndarray:
    try:
        values = np.array(form.function(float(x), p), dtype=float)
    except ArithmeticError:
        return np.full(3, np.nan)
    except Exception as error:
        raise InputError(
            f"The form {form.name} fails at x = r / sigma = {x:.5g} ({type(error).__name__}: {error}); correct its "
            "function."
        ) from error
    if values.shape != (3,):
        raise InputError(
            f"The form {form.name} does not return (u, du, ddu), three numbers, but {len(np.ravel(values))}; correct "
            "its function."
        )
    return values


def _check_squared(form: Form, x: float, p: np.ndarray, values: np.ndarray) -> None:
    u, w = (float(value) for value in form.squared(float(x * x), p))
    _check_same(form, x, u, values[0], abs(values[1]) * x, "energy", "squared")
    _check_same(form, x, w, values[1] / x, abs(values[0]) / x**2, "first derivative over x", "squared")


def _check_expression(form: Form, x: float, p: np.ndarray, values: np.ndarray) -> None:
    try:
        u = evaluated(form.expression, x, p)
    except (ArithmeticError, ValueError):
        return
    except Exception as error:
        raise InputError(
            f"The expression {form.expression!r} of the form {form.name} is no formula of x and p[0], p[1], ... in "
            f"Lepton's language ({type(error).__name__}: {error}); correct it or leave it out."
        ) from error
    _check_same(form, x, u, values[0], abs(values[1]) * x, "energy", "expression")


def _check_same(form: Form, x: float, given, wanted, larger: float, what: str, where: str) -> None:
    if np.isfinite(given) and abs(given - wanted) > WRONG * max(abs(wanted), 1e-3 * larger, 1e-300):
        raise InputError(
            f"The form {form.name} is two things: at x = r / sigma = {x:.5g} its function gives the {what} "
            f"{wanted:.6g}, its {where} {given:.6g}; correct one of them."
        )
