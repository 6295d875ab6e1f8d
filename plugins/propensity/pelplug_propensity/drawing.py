"""Distributions of the dipole stiffness of mobile and immobile particles."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

__all__ = ["draw_distributions", "draw_figure", "draw_ranks"]

COLOURS = {"mobile": "#c8553d", "immobile": "#2b6a99", "all": "0.35"}


def draw_distributions(dataset, ax=None, **keywords):
    """Draw P(kappa_i/<kappa>) of each group.

    Parameters
    ----------
    dataset : Dataset
        Result of the analysis.
    ax : Axes, optional
        Where; a new figure if None.
    **keywords
        Passed to `Axes.stairs`.

    Returns
    -------
    Axes
    """
    ax = Figure(layout="constrained").add_subplot() if ax is None else ax
    edges = dataset["kappa_bin_edges"].values
    for name in dataset["group"].values:
        density = dataset["kappa_distribution"].sel(group=name).values
        _stairs(ax, density, edges, str(name), keywords)
    ax.set(xscale="log", xlabel=r"$\kappa_i\,/\,\langle\kappa\rangle$", ylabel=r"$P(\kappa_i/\langle\kappa\rangle)$")
    # Often less than a decade: plain numbers, and no labels between them that would run into each other.
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_ylim(bottom=0)
    _finish(ax)
    return ax


def draw_ranks(dataset, ax=None, **keywords):
    """Draw the density of the rank of kappa_i in each group; see `draw_distributions`."""
    ax = Figure(layout="constrained").add_subplot() if ax is None else ax
    edges = np.linspace(0.0, 1.0, dataset.sizes["rank_bin"] + 1)
    for name in dataset["group"].values:
        _stairs(ax, dataset["rank_distribution"].sel(group=name).values, edges, str(name), keywords)
    ax.set(xlabel=r"rank of $\kappa_i$ in its species", ylabel="density", xlim=(0, 1))
    ax.set_ylim(bottom=0)
    mean, error = float(dataset["spearman_mean"]), float(dataset["spearman_error"])
    spread = f" ± {error:.2f}" if np.isfinite(error) else ""
    ax.set_title(rf"$C_\mathrm{{s}} = {mean:.2f}${spread}", fontsize="medium")
    _finish(ax)
    return ax


def draw_figure(dataset) -> Figure:
    """Draw both panels."""
    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_distributions(dataset, left)
    draw_ranks(dataset, right)
    return figure


def _stairs(ax, density, edges, name, keywords) -> None:
    style = {"color": COLOURS.get(name, "k"), "linewidth": 1.6, "label": name, **keywords}
    ax.stairs(density, edges, fill=name != "all", alpha=0.18 if name != "all" else 1.0, **{**style, "label": None})
    if name != "all":
        ax.stairs(density, edges, **style)
    else:
        ax.plot([], [], color=style["color"], linewidth=1.6, label=name)


def _finish(ax) -> None:
    ax.legend(frameon=False, fontsize="small")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
