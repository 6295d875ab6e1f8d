"""Second events by their distance from the first, and by their waiting time."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import pelplug

__all__ = ["draw_event_figure", "draw_second_events", "draw_waiting_times"]

_STYLES = {"local": ("#2b6a99", "o"), "structural": ("#c8553d", "s")}


def draw_second_events(dataset, ax=None, **keywords):
    """Draw N(d), and the level of independent events.

    Parameters
    ----------
    dataset : Dataset
        Result of the analysis.
    ax : Axes, optional
        Where; a new figure if None.
    **keywords
        Passed to `Axes.errorbar`.

    Returns
    -------
    Axes
    """
    ax = Figure(layout="constrained").add_subplot() if ax is None else ax
    ax.axhline(1.0, color="0.6", linewidth=0.8, linestyle=":", zorder=0)
    _draw(ax, dataset, "second_events", keywords)
    ax.set(xlabel=pelplug.unit_label("$d$", dataset["distance"]), ylabel=r"$N(d)\,/\,N_\mathrm{av}(d)$", xlim=(0, None))
    ax.set_ylim(bottom=0)
    _finish(ax)
    return ax


def draw_waiting_times(dataset, ax=None, **keywords):
    """Draw tau_12(d), and tau_01 as a line of the same colour; see `draw_second_events`."""
    ax = Figure(layout="constrained").add_subplot() if ax is None else ax
    _draw(ax, dataset, "waiting_time", keywords)
    for name in dataset["event_type"].values:
        level = float(dataset["first_waiting_time"].sel(event_type=name))
        if np.isfinite(level):
            ax.axhline(level, color=_STYLES[str(name)][0], linewidth=1.0, linestyle="--", zorder=0)
    ax.plot([], [], color="0.4", linewidth=1.0, linestyle="--", label=r"$\tau_{0,1}$")
    ax.set(
        xlabel=pelplug.unit_label("$d$", dataset["distance"]),
        ylabel=pelplug.unit_label(r"$\langle\tau_{1,2}\rangle(d)$", dataset["waiting_time"]),
        xlim=(0, None),
    )
    ax.set_ylim(bottom=0)
    _finish(ax)
    return ax


def draw_event_figure(dataset) -> Figure:
    """Draw both panels."""
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_second_events(dataset, left)
    draw_waiting_times(dataset, right)
    return figure


def _draw(ax, dataset, name, keywords) -> None:
    result = f"{label}, " if (label := keywords.get("label")) else ""
    for kind in dataset["event_type"].values:
        one = dataset.sel(event_type=kind)
        found = np.isfinite(one[name].values)
        # An empty bin far away is an answer, one in which no particle can be is none.
        found &= one["second_events_expected"].values > 0
        colour, marker = _STYLES[str(kind)]
        style = {"color": colour, "marker": marker, "markersize": 4, "linewidth": 1.2, "capsize": 2, **keywords}
        style["label"] = f"{result}{kind}"
        ax.errorbar(
            one["distance"].values[found],
            one[name].values[found],
            yerr=np.nan_to_num(one[f"{name}_error"].values[found]),
            **style,
        )


def _finish(ax) -> None:
    ax.legend(frameon=False, fontsize="small")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
