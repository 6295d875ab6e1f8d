"""Figures: panels side by side, and above them of which states they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pelplug.plotting.text import title_of

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

__all__ = ["entitle", "figure_of"]

_SEVERAL, _ONE = (4.8, 3.6), (6.0, 4.4)  # width and height of a panel [inches]


def figure_of(
    datasets: Sequence[xr.Dataset],
    draws: Sequence[Callable | None],
    columns: int = 0,
    widths: Any = None,
    count: str = "",
) -> Figure:
    """Return a figure of panels with the conditions of some results for its title; see `Panel.figure`."""
    from matplotlib.figure import Figure

    number = max(len(draws), 1)
    columns = columns or (2 if number == 4 else min(number, 3))
    rows = -(-number // columns)
    width, height = _SEVERAL if columns > 1 else _ONE
    figure = Figure(figsize=(width * columns, height * rows + 0.35), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, width_ratios=widths).ravel()
    entitle(figure, datasets, count)
    for ax, draw in zip(panels, draws, strict=False):
        if draw is not None:
            draw(ax=ax)
    for ax in panels[number:]:
        ax.remove()
    return figure


def entitle(figure: Figure, datasets: Sequence[xr.Dataset], count: str = "") -> Figure:
    """Say above a figure of which states it is, unless its author has."""
    if not figure.get_suptitle():
        figure.suptitle(title_of(datasets, int(13.5 * figure.get_figwidth()), count), fontsize="medium")
    return figure
