"""The plot an analysis has before its author draws a better one, and several results over each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pelplug.plotting.legends import KEY, OF_FIT, REASON, REFERENCE, UNSTATED, finish
from pelplug.plotting.panel import Panel

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["overlay", "plot_curve", "plot_variable"]

_MOST_BINS = 200


def plot_variable(dataset: xr.Dataset, name: str, ax: Axes | None = None, **keywords: Any) -> Axes:
    """Draw a variable: over time (or frames) if it is one number a frame, as a histogram if it is more.

    Parameters
    ----------
    dataset : Dataset
    name : str
        Variable.
    ax : Axes, optional
        Where to draw; a new figure if None.
    **keywords
        Passed to `Axes.plot` or `Axes.hist`.

    Returns
    -------
    Axes
    """
    panel, array, title = Panel(dataset, ax, **keywords), dataset[name], str(dataset.attrs.get("title", ""))
    what = str(array.attrs.get("long_name", name))
    if array.dims == ("frame",):
        over, error = panel.frames(), dataset.get(f"{name}_error")
        return panel.axes(over, (what, array)).curve(over[1], array, error).title(title).finish()
    values = np.asarray(array.values, dtype=float).ravel()
    values = values[np.isfinite(values)]
    panel.axes((what, array), ("probability density", per(array)))
    if not values.size:
        return panel.nothing("no value is a number").finish()
    density, edges = np.histogram(values, bins=_bins(values), density=True)
    return panel.histogram(edges, density).title(title).finish()


def plot_curve(dataset: xr.Dataset, name: str, ax: Axes | None = None, **keywords: Any) -> Axes:
    """Draw a variable over the coordinate of its only dimension, with errors where ``NAME_error`` is there.

    Parameters
    ----------
    dataset : Dataset
    name : str
        Variable; drawn as `plot_variable` does if it has no such coordinate.
    ax : Axes, optional
        Where to draw; a new figure if None.
    **keywords
        Passed to `Axes.plot`.

    Returns
    -------
    Axes
    """
    array = dataset[name]
    if len(array.dims) != 1 or array.dims[0] not in dataset.coords or dataset[array.dims[0]].dtype.kind not in "iuf":
        return plot_variable(dataset, name, ax, **keywords)
    over, error = dataset[array.dims[0]], dataset.get(f"{name}_error")
    panel = Panel(dataset, ax, **keywords)
    x, y = ((str(one.attrs.get("long_name", one.name)), one) for one in (over, array))
    panel.axes(x, y)
    panel.curve(over, array, error, bars=True, markersize=4.0)
    return panel.title(str(dataset.attrs.get("title", ""))).finish()


def per(array: xr.DataArray) -> xr.DataArray:
    """Return a variable that has the unit of a density over another: its inverse."""
    units = str(array.attrs.get("units", "1"))
    if units in ("", "1"):
        return array
    return array.assign_attrs(units=f"1 / {units}" if units.isidentifier() else f"1 / ({units})")


def _bins(values: np.ndarray) -> Any:
    """Return a rule for bins, of which there are never thousands: a few far values make them narrow."""
    edges = np.histogram_bin_edges(values, "auto") if np.ptp(values) > 0 else np.array([])
    return edges if 1 < len(edges) <= _MOST_BINS else (_MOST_BINS if len(edges) else 1)


def overlay(ax: Axes, draws: Sequence[tuple[Callable, str, object]]) -> Axes:
    """Draw several results into one panel.

    Parameters
    ----------
    ax : Axes
    draws : sequence of (callable, str, colour)
        What draws (the face of `Analysis.plot`), label and colour of each result.

    Returns
    -------
    Axes
        Each result has one entry in the legend. Further lines have the colour of their result and are dashed, fits of
        `Panel` solid; numbers written into the panel are left out, as they would cover each other.
    """
    limits = []
    for draw, label, colour in draws:
        before = set(ax.get_children())
        ax.autoscale(True)
        _draw_one(draw, ax, label, colour)
        _tell_apart([one for one in ax.get_children() if one not in before], label, colour)
        if ax.dataLim.width != 0 or ax.dataLim.height != 0:
            limits.append((*ax.get_xlim(), *ax.get_ylim()))
    if limits:
        x_low, x_high, y_low, y_high = np.transpose(limits)
        ax.set(xlim=(x_low.min(), x_high.max()), ylim=(y_low.min(), y_high.max()))
    _join_unstated(ax, len(draws))
    return finish(ax, [label for _, label, _ in draws])


def _join_unstated(ax: Axes, results: int) -> None:
    """Say once that there is no error, where none of the results has one."""
    unstated = [line for line in ax.lines if str(line.get_label()).startswith(f"{UNSTATED} for ")]
    if len(unstated) == results > 0:
        unstated[0].set_label(UNSTATED)
        for line in unstated[1:]:
            line.remove()


def _draw_one(draw: Callable, ax: Axes, label: str, colour: Any) -> None:
    import inspect

    keywords = inspect.signature(draw).parameters
    if {"color", "label"} <= set(keywords) or any(one.kind is one.VAR_KEYWORD for one in keywords.values()):
        draw(ax=ax, color=colour, label=label)
    else:
        draw(ax=ax)


def _tell_apart(added: Sequence, label: str, colour: Any) -> None:
    """Give what one result added its colour, and one entry in the legend."""
    from matplotlib.collections import PolyCollection
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.text import Text

    for one in added:
        if isinstance(one, Text) and one.get_gid() != REASON:
            one.remove()
    drawn = [one for one in added if not isinstance(one, Text) and hasattr(one, "set_label") and _is_data(one)]
    own = [one for one in drawn if one.get_label() == label]
    lead = (
        own[:1] or [one for one in drawn if isinstance(one, Line2D) and np.size(one.get_xdata()) > 2][:1] or drawn[:1]
    )
    for one in drawn:
        explains = isinstance(one, Line2D) and not np.size(one.get_xdata())  # a style
        if explains or one.get_gid() in (KEY, OF_FIT, REFERENCE):
            continue
        one.set_color(colour)
        if isinstance(one, PolyCollection | Patch):
            one.set_alpha(0.3 if one in lead else 0.15)
        if isinstance(one, Line2D) and one not in lead and one.get_label() not in (label, f"_{label}"):
            one.set_linewidth(1.0)
            if one.get_linestyle() == "-":
                one.set_linestyle("--")
        one.set_label(label if one in lead else f"_{label}")


def _is_data(artist: Any) -> bool:
    """Tell curves from the frame of the panel."""
    from matplotlib.collections import Collection
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return isinstance(artist, Collection | Line2D | Patch)
