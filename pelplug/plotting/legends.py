"""The end of each panel: its legend, what its bands are, and ticks that can be read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pelplug.plotting.text import error_sentence, shortened, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["KEY", "OF_FIT", "REASON", "REFERENCE", "STATES", "UNSTATED", "finish", "has_data"]

KEY, OF_FIT, REASON, REFERENCE = "key", "fit", "reason", "reference"  # gids of what results over each other share
STATES = "_pelplug_states"  # attribute of a band: what its errors say of themselves
UNSTATED = "no error stated"
_MOST = 24  # entries that fit beside a panel
_WIDTH = 44  # characters in a line of a legend
_SHORT = 12  # characters of a symbol that is repeated in a sentence
_LETTER = 0.058  # width of a small letter [inches]


def finish(ax: Axes, first: Sequence[str] = (), *, legend: bool = True) -> Axes:
    """Give a panel its legend, ticks and open sides.

    Parameters
    ----------
    ax : Axes
        Drawn.
    first : sequence of str, optional
        Labels that come first.
    legend : bool, optional
        False where more is drawn later.

    Returns
    -------
    Axes
    """
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    if any(text.get_gid() == REASON for text in ax.texts) and not has_data(ax):
        ax.set(xscale="linear", yscale="linear")  # before the ticks, which a scale brings with it
        ax.set(xticks=[], yticks=[])
        return ax
    for axis in (ax.xaxis, ax.yaxis):
        _readable(axis)
    if legend:
        _legend(ax, first)
    return ax


def has_data(ax: Axes) -> bool:
    """Tell whether a panel shows more than lines for reference."""
    lines = (line for line in ax.lines if line.get_gid() != REFERENCE)
    return any(np.size(line.get_xdata()) for line in lines) or bool(ax.collections) or bool(ax.patches)


def _legend(ax: Axes, first: Sequence[str]) -> None:
    handles, labels = ax.get_legend_handles_labels()
    found = dict(zip(reversed(labels), reversed(handles), strict=True))
    order = [label for label in dict.fromkeys(first) if label in found]
    order += [label for label in dict.fromkeys(labels) if label not in order]
    # Kinds and references behind curves.
    order.sort(key=lambda label: getattr(found[label], "get_gid", lambda: None)() in (KEY, REFERENCE))
    entries = [(found[label], label if "$" in label else shortened(label)) for label in order]
    if len(entries) > _MOST:
        entries = [*entries[:_MOST], (_blank(), f"and {len(entries) - _MOST} more")]
    said = bands(ax)
    if said and not ax.get_title():  # above the panel: sentences are too wide for a legend
        text = wrapped("; ".join(sentence for _, sentence in said), max(int(_size(ax)[0] / _LETTER), 30))
        ax.set_title(text, loc="left", fontsize="x-small", color="0.3", wrap=True)  # at the edge of the figure
    else:
        entries += [(handle, wrapped(sentence, _WIDTH)) for handle, sentence in said]
    if not entries:
        return
    style: dict[str, Any] = {"fontsize": "small", "frameon": True, "framealpha": 0.8, "edgecolor": "none",
                             "borderpad": 0.2, "handlelength": 1.6}  # fmt: skip
    lines = [line for _, text in entries for line in text.splitlines()]
    place = _free_corner(ax, *_inches(lines))
    if place:
        style["loc"] = place
    else:
        style |= {"loc": "upper left", "bbox_to_anchor": (1.0, 1.0)}
    ax.legend([handle for handle, _ in entries], [text for _, text in entries], **style)


def _size(ax: Axes) -> np.ndarray:
    """Return about how large a panel is, before its figure is laid out [inches]."""
    figure, place = ax.get_figure(root=True), ax.get_subplotspec()
    size = np.zeros(2) if figure is None else np.asarray(figure.get_size_inches())
    if place is None:
        return size * ax.get_position().size
    rows, columns = place.get_gridspec().get_geometry()
    return np.array([size[0] / columns - 0.75, size[1] / rows - 0.85])


def _inches(lines: list[str]) -> tuple[float, float]:
    """Return about how large a legend is."""
    return 0.066 * max(map(_length, lines)) + 0.42, 0.185 * len(lines) + 0.08


def _length(line: str) -> int:
    """Return about how many letters wide a line is."""
    return len(re.sub(r"\\(mathrm|langle|rangle|[a-z]+)", "x", re.sub(r"[${}^_,]", "", line)))


def _free_corner(ax: Axes, wide: float, high: float) -> str:
    """Return where a legend hides no data, empty if nowhere."""
    wide, high = (wide, high) / np.maximum(_size(ax), 1.0)
    if wide > 0.9 or high > 0.75:
        return ""
    points = _places(ax)
    found = {}
    for name, left, bottom in (
        ("upper right", 1 - wide, 1 - high), ("upper left", 0, 1 - high), ("lower left", 0, 0),
        ("lower right", 1 - wide, 0), ("center right", 1 - wide, 0.5 - high / 2), ("center left", 0, 0.5 - high / 2),
        ("upper center", 0.5 - wide / 2, 1 - high), ("lower center", 0.5 - wide / 2, 0),
    ):  # fmt: skip
        inside = (points >= (left, bottom)) & (points <= (left + wide, bottom + high))
        found[name] = int(inside.all(axis=1).sum())
    best = min(found, key=lambda name: found[name])
    return best if found[best] <= 0.002 * len(points) else ""


def _places(ax: Axes) -> np.ndarray:
    """Return where data are, in shares of the panel: points along curves, and the upper ends of histograms."""
    from matplotlib.patches import StepPatch

    pieces = [line.get_xydata() for line in ax.lines if line.get_gid() != REFERENCE and np.size(line.get_xdata()) > 0
              and line.get_transform() == ax.transData]  # fmt: skip
    for heights, edges, _ in (one.get_data() for one in ax.patches if isinstance(one, StepPatch)):
        pieces.append(np.column_stack([0.5 * (edges[1:] + edges[:-1]), heights]))
    ax.get_xlim(), ax.get_ylim()  # limits are found when asked for
    shares = [np.zeros((0, 2))]
    for piece in pieces:
        with np.errstate(all="ignore"):
            at = ax.transLimits.transform(ax.transScale.transform(np.asarray(piece, dtype=float)))
        at = at[np.isfinite(at).all(axis=1)]
        if len(at) > 1:  # a curve hides what is between its points too
            along = np.linspace(0, len(at) - 1, max(16 * len(at), 2))
            at = np.column_stack([np.interp(along, np.arange(len(at)), column) for column in at.T])
        shares.append(at)
    every = np.concatenate(shares)
    return every[((every > -0.01) & (every < 1.01)).all(axis=1)]


def bands(ax: Axes) -> list[tuple[Any, str]]:
    """Return a handle and a sentence for each kind of error in a panel."""
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    groups: dict = {}
    ends: dict[str, list[float]] = {"below": [], "beyond": []}
    symbol, why = "x", ""
    for one in ax.get_children():
        states = getattr(one, STATES, None)
        if states is None:
            continue
        for side, found in ends.items():
            if states[side] is not None:
                found.append(states[side])
                symbol, why = states["symbol"] or symbol, states["why"] or why
        if (said := states["error"]) is not None:
            spans = said["samples"] or (None,)
            bar = isinstance(one, LineCollection)
            group = groups.setdefault((said["error_method"], round(said["confidence"], 2), bar), [])
            group += [{**said, "samples": number} for number in spans]
    entries: list[tuple[Any, str]] = []
    for (_, _, bar), group in groups.items():
        word = "bars" if bar else "band"
        handle = Line2D([], [], color="0.4", marker="|", linestyle="", markersize=8) if bar else Patch(color="0.82")
        entries.append((handle, f"{word}: {error_sentence(group)}"))
    where = [f"{side} {_span(found)}" for side, found in ends.items() if found]
    if all(ends.values()) and max(ends["below"]) >= min(ends["beyond"]):  # of kinds that lie apart
        where, symbol = ["where no band is"], " " * (_SHORT + 1)
    if where:
        if len(symbol) <= _SHORT:
            where[0] = where[0].replace(" ", f" {symbol}\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}", 1)
        entries.append((_blank(), f"no errors {' and '.join(where)}" + (f" ({why})" if why else "")))
    return entries


def _span(values: list[float]) -> str:
    low, high = (f"{value:.3g}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"


def _blank() -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="")


def _readable(axis: Any) -> None:
    """Write more numbers than the powers of ten where a logarithmic axis has few of them."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    if axis.get_scale() != "log":
        if axis.axis_name == "x":
            axis.get_major_locator().set_params(nbins=6) if hasattr(axis.get_major_locator(), "_nbins") else None
        return
    low, high = sorted(axis.get_view_interval())
    if not 0 < low < high < np.inf or np.log10(high / low) >= 2.2:
        return
    subs = (1, 2, 5) if np.log10(high / low) > 0.7 else (1, 1.5, 2, 3, 4, 5, 7)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
