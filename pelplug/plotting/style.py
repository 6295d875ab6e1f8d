"""The plot an analysis has before its author draws a better one, and several results over each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["axis_label", "literal_labels", "one_panel", "overlay", "plot_curve", "plot_variable", "unit_label"]

_MOST_INSIDE = 6  # entries of a legend that fit into a panel


def literal_labels(figure: Figure) -> None:
    """Let names that matplotlib would take for broken formulas stand as they are written: species, files, labels.

    Between two dollar signs matplotlib reads a language of its own, and a name from outside may have any character.
    """
    from matplotlib.mathtext import MathTextParser
    from matplotlib.text import Text

    parser = MathTextParser("path")
    for text in figure.findobj(Text):
        try:
            for line in text.get_text().splitlines():  # as matplotlib draws them
                if "$" in line:
                    parser.parse(line)
        except ValueError:
            text.set_parse_math(False)


def axis_label(array: xr.DataArray) -> str:
    """Return ``long_name (units)`` of a DataArray."""
    units = array.attrs.get("units", "")
    name = array.attrs.get("long_name", array.name)
    return f"{name} ({units})" if units not in ("", "1") else str(name)


def unit_label(symbol: str, array: xr.DataArray, what: str = "") -> str:
    """Return a symbol with the unit of a DataArray, for an axis: ``omega (rad / ps)``.

    Parameters
    ----------
    symbol : str
        What stands on the axis.
    array : DataArray
        Whose ``units`` are taken.
    what : str, optional
        More words for behind the unit, such as ``"per particle"``.
    """
    units = array.attrs.get("units", "")
    if units in ("", "1"):
        return symbol
    pretty = re.sub(r"\*\*\(?(-?[\w/]+)\)?", r"$^{\1}$", units).replace("zeta", r"$\zeta$")
    return f"{symbol} ({pretty.replace('Angstrom', 'Å')}{f' {what}' if what else ''})"


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
        Passed to `Axes.errorbar`.

    Returns
    -------
    Axes
    """
    array = dataset[name]
    if len(array.dims) != 1 or array.dims[0] not in dataset.coords or dataset[array.dims[0]].dtype.kind not in "iuf":
        return plot_variable(dataset, name, ax, **keywords)
    if ax is None:
        from matplotlib.figure import Figure

        ax = Figure(layout="constrained").add_subplot()
    over, error = dataset[array.dims[0]], dataset.get(f"{name}_error")
    ax.errorbar(over, array, yerr=None if error is None else error.values, **{"marker": "o", "capsize": 3, **keywords})
    ax.set(xlabel=axis_label(over), ylabel=axis_label(array), title=dataset.attrs.get("title", ""))
    return ax


def one_panel(draw: Callable) -> Figure:
    """Return a Figure with the one panel that ``draw(ax=...)`` makes."""
    from matplotlib.figure import Figure

    figure = Figure(layout="constrained")
    draw(ax=figure.add_subplot())
    return figure


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
        Each result has one entry in the legend. Fits have the colour of their result, dashed; numbers written into
        the panel are left out, as they would cover each other. What has the gid "reference" stays as it is.
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
    handles, labels = ax.get_legend_handles_labels()
    first = dict(zip(reversed(labels), reversed(handles), strict=True))
    own = [label for _, label, _ in draws]
    wanted = [label for label in own if label in first] + [label for label in dict.fromkeys(labels) if label not in own]
    if wanted:
        style: dict[str, Any] = {"frameon": False, "fontsize": "small"}
        if len(wanted) > _MOST_INSIDE:
            style |= {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)}
        ax.legend([first[label] for label in wanted], wanted, **style)
    if ax.get_xscale() == "linear":
        ax.locator_params(axis="x", nbins=6)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax


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
        if isinstance(one, Text):
            one.remove()
    drawn = [one for one in added if not isinstance(one, Text) and hasattr(one, "set_label") and _is_data(one)]
    own = [one for one in drawn if one.get_label() == label]
    lead = (
        own[:1] or [one for one in drawn if isinstance(one, Line2D) and np.size(one.get_xdata()) > 2][:1] or drawn[:1]
    )
    for one in drawn:
        if one.get_gid() == "reference" or (
            isinstance(one, Line2D) and not np.size(one.get_xdata())
        ):  # explains a style
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
