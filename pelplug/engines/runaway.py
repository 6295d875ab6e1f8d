"""Cells at constant pressure that grow or shrink without end: said before they kill an engine or pass for a liquid."""

from __future__ import annotations

from pelplug.errors import RunError

__all__ = ["MOST_GROWN", "refuse_runaway"]

MOST_GROWN = 8.0
"""Times the volume at the start of a session, and its inverse: within it any liquid comes to its pressure."""


def refuse_runaway(before: float, volume: float, pressure: float, step: int) -> None:
    """Raise RunError where a cell has grown or shrunk beyond what a liquid does at a pressure that it can have.

    Parameters
    ----------
    before, volume : float
        At the start and now [length**d].
    pressure : float
        Of the barostat [energy / length**d].
    step : int
        Now.
    """
    if before / MOST_GROWN < volume < before * MOST_GROWN:
        return
    grown, what, remedy = ("grown", "the liquid boils or tears", "raise") if volume > before else (
        "shrunk", "it collapses", "lower"
    )  # fmt: skip
    raise RunError(
        f"The cell has {grown} from a volume of {before:.4g} to {volume:.4g} by step {step}: {what} at a pressure of "
        f"{pressure:g}; {remedy} it, or begin with another temperature or density."
    )
