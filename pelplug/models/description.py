"""A model in some lines of text, for `pelplug models NAME`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pelplug.core.docstrings import listing

if TYPE_CHECKING:
    from pelplug.models.base import Model

__all__ = ["describe"]


def describe(model: Model) -> str:
    """Return the model in some lines of text: formula, numbers, parameters, sources."""
    lines = [f"{model.name}: {model.summary}", ""]
    facts = {
        "aliases": ", ".join(model.aliases),
        "formula": model.formula,
        "dimension": "any" if model.dimension is None else str(model.dimension),
        "density": _text(model.density),
        "composition": ", ".join(f"{name} {fraction:g}" for name, fraction in model.composition.items()),
        "time step": _text(model.time_step),
        "units": f"reduced: {model.scales}" if model.units.is_reduced else str(model.units),
        **{name: _text(value) for name, value in model.constants.items()},
    }
    width = max(map(len, facts))
    lines += [f"  {key:<{width}}  {value}" for key, value in facts.items() if value]
    if specs := model.parameter_specs():
        values = {name: _text(value) or "unset" for name, value in model.parameters.items()}
        lines += ["", "Parameters:", *(f"  {line}" for line in listing(specs, values))]
    if model.cites:
        lines += ["", "From:", *(f"  {cite}" for cite in model.cites)]
    return "\n".join(lines)


def _text(value) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_text(item)}" for key, item in value.items())
    if isinstance(value, str):
        return value
    if isinstance(value, Iterable):
        return "(" + ", ".join(_text(item) for item in value) + ")"
    return f"{value:.12g}" if isinstance(value, float) else str(value)
