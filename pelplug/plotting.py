"""The plot an analysis has before its author draws a better one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["axis_label", "one_panel", "plot_variable"]


def axis_label(array) -> str:
    """Return ``long_name (units)`` of a DataArray."""
    units = array.attrs.get("units", "")
    name = array.attrs.get("long_name", array.name)
    return f"{name} ({units})" if units not in ("", "1") else str(name)


def plot_variable(dataset, name: str, ax=None, **keywords):
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
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(layout="constrained").add_subplot()
    array = dataset[name]
    if array.dims == ("frame",):
        over = dataset["time"] if "time" in dataset.coords else dataset["frame"]
        ax.plot(over, array, **{"marker": "o", **keywords})
        ax.set(xlabel=axis_label(over), ylabel=axis_label(array))
    else:
        values = np.asarray(array.values, dtype=float).ravel()
        values = values[np.isfinite(values)]
        ax.hist(values, **{"bins": "auto", "density": True, "histtype": "stepfilled", **keywords})
        ax.set(xlabel=axis_label(array), ylabel="probability density")
    ax.set_title(dataset.attrs.get("title", ""))
    return ax


def one_panel(draw: Callable):
    """Return a Figure with the one panel that ``draw(ax=...)`` makes."""
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    draw(ax=figure.add_subplot())
    return figure
