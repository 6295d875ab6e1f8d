"""Energies of forms as formulas in Lepton's language, for engines that compile one: filled with numbers, and evaluated.

A formula has ``x``, and ``p[0]``, ``p[1]``, ... for the numbers that the form's functions find there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence

__all__ = ["evaluated", "expressed", "filled", "value_of"]

_FUNCTIONS = {name: getattr(math, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "erf", "erfc")}
_FUNCTIONS |= {"abs": abs, "min": min, "max": max, "step": lambda value: float(value >= 0.0)}
_FUNCTIONS |= {"select": lambda which, one, other: one if which else other}


def filled(expression: str, p: Sequence[float]) -> str:
    """Return the formula with numbers in the place of ``p[0]``, ``p[1]``, ..."""
    return re.sub(r"p\[(\d+)\]", lambda found: f"({float(p[int(found[1])])!r})", expression)


def evaluated(expression: str, x: float, p: Sequence[float]) -> float:
    """Return the value of the formula as an engine's interpreter finds it."""
    return value_of(filled(expression, p), {"x": x})


def value_of(expression: str, numbers: Mapping[str, float]) -> float:
    """Return the value of a formula of named numbers.

    Formulas come from the code of plugins, never from a file: Python reads them.
    """
    names = {name: float(number) for name, number in numbers.items()}
    return float(eval(expression.replace("^", "**"), {"__builtins__": {}}, {**_FUNCTIONS, **names}))


def expressed(expression: str) -> Callable[[Callable], Callable]:
    """Write a function down as a formula of its arguments too; it is the function's ``expression``."""

    def with_expression(function: Callable) -> Callable:
        setattr(function, "expression", expression)  # noqa: B010 (no attribute of functions that type checkers know)
        return function

    return with_expression
