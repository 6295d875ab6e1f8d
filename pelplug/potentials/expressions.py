"""Energies of forms as formulas in Lepton's language, for engines that compile one: filled with numbers, and evaluated.

A formula has ``x``, and ``p[0]``, ``p[1]``, ... for the numbers that the form's functions find there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

__all__ = ["evaluated", "filled"]

_FUNCTIONS = {name: getattr(math, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "erf", "erfc")}
_FUNCTIONS |= {"abs": abs, "min": min, "max": max, "step": lambda value: float(value >= 0.0)}
_FUNCTIONS |= {"select": lambda which, one, other: one if which else other}


def filled(expression: str, p: Sequence[float]) -> str:
    """Return the formula with numbers in the place of ``p[0]``, ``p[1]``, ..."""
    return re.sub(r"p\[(\d+)\]", lambda found: f"({float(p[int(found[1])])!r})", expression)


def evaluated(expression: str, x: float, p: Sequence[float]) -> float:
    """Return the value of the formula as an engine's interpreter finds it.

    Formulas come from the code of plugins, never from a file: Python reads them.
    """
    text = filled(expression, p).replace("^", "**")
    return float(eval(text, {"__builtins__": {}}, {**_FUNCTIONS, "x": float(x)}))
