"""Waiting times, their mean at each energy, persistence, and jumps; axes as in the papers."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import pelplug

__all__ = ["draw_by_energy", "draw_figure", "draw_jumps", "draw_persistence", "draw_waiting_times"]

INK = "#17324d"
FIT = "#c8553d"


def draw_waiting_times(dataset, ax=None, **keywords):
    """Draw the distribution of waiting times on logarithmic axes.

    Parameters
    ----------
    dataset : Dataset
        Result of the analysis.
    ax : Axes, optional
        Where; a new figure if None.
    **keywords
        Passed to `Axes.plot`.

    Returns
    -------
    Axes
    """
    ax = _axes(ax)
    if "waiting_density" not in dataset:
        return _nothing(ax, dataset)
    edges, density = dataset["waiting_edges"].values, dataset["waiting_density"].values
    error = dataset["waiting_density_error"].values
    middle = np.sqrt(edges[1:] * edges[:-1])
    good = density > 0
    style = {"color": INK, "marker": "o", "markersize": 4, "linewidth": 1, **keywords}
    ax.plot(middle[good], density[good], **style)
    low = np.maximum(density - np.nan_to_num(error), 0.2 * density)[good]
    ax.vlines(middle[good], low, (density + np.nan_to_num(error))[good], color=style["color"], linewidth=1)
    ax.set(
        xscale="log",
        yscale="log",
        xlabel=pelplug.unit_label(r"$\tau$", dataset["waiting_time"]),
        ylabel=pelplug.unit_label(r"$\varphi(\tau)$", dataset["waiting_density"]),
    )
    return ax


def draw_by_energy(dataset, ax=None, **keywords):
    """Draw <tau(e)> with the fit of 1 / Gamma(e), and p_eq(e) behind it."""
    ax = _axes(ax)
    if "waiting_time_by_energy" not in dataset:
        return _nothing(ax, dataset)
    energy, mean = dataset["bin_energy"].values, dataset["waiting_time_by_energy"].values
    error = np.nan_to_num(dataset["waiting_time_by_energy_error"].values)
    style = {"color": INK, "marker": "o", "markersize": 4, "linestyle": "", **keywords}
    ax.plot(energy, mean, **{"label": r"$\langle\tau(e)\rangle$", **style})
    ax.vlines(energy, np.maximum(mean - error, 0.2 * mean), mean + error, color=style["color"], linewidth=1)
    ax.set_yscale("log")
    shown = ax.get_ylim()
    crossover = float(dataset["crossover_energy"])
    if np.isfinite(crossover):
        line = np.sort(np.r_[energy, crossover])
        slope, plateau = float(dataset["rate_slope"]), float(dataset["rate_plateau"])
        curve = np.exp(-slope * np.minimum(line - crossover, 0)) / plateau
        ax.plot(line, curve, color=FIT, linewidth=1.5, label=r"$1/\Gamma(e)$")
        ax.axvline(crossover, color=FIT, linewidth=0.8, linestyle=":")
    if np.isfinite(mean).any():  # the curve goes beyond what was seen
        ax.set_ylim(shown)
    ax.set(
        xlabel=pelplug.unit_label("$e$", dataset["bin_energy"]),
        ylabel=pelplug.unit_label(r"$\langle\tau(e)\rangle$", dataset["waiting_time_by_energy"]),
    )
    if "label" in keywords:  # beside other results, whose distributions would cover each other
        return ax
    behind = ax.twinx()
    behind.stairs(dataset["energy_density"].values, dataset["energy_edges"].values, fill=True, color="0.88")
    behind.set(ylim=(0, None), yticks=[])
    behind.set_zorder(ax.get_zorder() - 1)
    ax.patch.set_visible(False)
    ax.plot([], [], color="0.85", linewidth=6, label=r"$p_\mathrm{eq}(e)$")
    ax.legend(frameon=False, fontsize="small")
    return ax


def draw_persistence(dataset, ax=None, **keywords):
    """Draw S0(t), and S_MB(k, t) of every wave number."""
    ax = _axes(ax)
    if "persistence" not in dataset:
        return _nothing(ax, dataset)
    times = dataset["lag_time"].values[1:]
    ax.plot(
        times, dataset["persistence"].values[1:], **{"color": INK, "linewidth": 1.8, "label": "$S_0(t)$", **keywords}
    )
    if "label" in keywords:  # S_MB of every wave number would be a maze
        ax.set(
            xscale="log", ylim=(-0.02, 1.02), xlabel=pelplug.unit_label("$t$", dataset["lag_time"]), ylabel="$S_0(t)$"
        )
        return ax
    for row, k in enumerate(dataset["wave_number"].values if "scattering" in dataset else ()):
        colour = FIT if row == 0 else f"C{row}"
        label = rf"$S_\mathrm{{MB}}(k={k:g}, t)$"
        ax.plot(times, dataset["scattering"].values[row, 1:], "o", color=colour, markersize=3.5, label=label)
    ax.set(xscale="log", ylim=(-0.02, 1.02), xlabel=pelplug.unit_label("$t$", dataset["lag_time"]), ylabel=r"$S(t)$")
    ax.axvline(float(dataset["relaxation_time"]), color="0.6", linewidth=0.8, linestyle=":", label=r"$\tau_\alpha$")
    ax.legend(frameon=False, fontsize="small")
    return ax


def draw_jumps(dataset, ax=None, **keywords):
    """Draw the squared displacement per jump against the number of jumps, and a^2 where it was taken."""
    ax = _axes(ax)
    if "squared_displacement" not in dataset:
        return _nothing(ax, dataset, "too few metabasins" if "positions" in dataset else "no positions")
    lags = dataset["jump_lag"].values
    value = dataset["squared_displacement"].values / lags
    error = np.nan_to_num(dataset["squared_displacement_error"].values / lags)
    style = {"color": INK, "marker": "o", "markersize": 4, "linewidth": 1, **keywords}
    ax.plot(lags, value, **style)
    ax.vlines(lags, value - error, value + error, color=style["color"], linewidth=1)
    if "squared_jump" in dataset:
        level = float(dataset["squared_jump"])
        ax.plot(dataset["jump_window"].values, [level, level], color=FIT, linewidth=2, label="$a^2$")
        ax.legend(frameon=False, fontsize="small")
    height = pelplug.unit_label(r"$\langle|R_{m+n}-R_m|^2\rangle/n$", dataset["squared_displacement"])
    ax.set(xscale="log", xlabel="$n$ (jumps)", ylabel=height)
    ax.set_ylim(bottom=0)
    return ax


def draw_figure(dataset) -> Figure:
    """Return a figure of the four panels."""
    figure = Figure(figsize=(10, 7.4), layout="constrained")
    panels = figure.subplots(2, 2).ravel()
    for ax, draw in zip(panels, (draw_waiting_times, draw_by_energy, draw_persistence, draw_jumps), strict=True):
        draw(dataset, ax)
    return figure


def _axes(ax):
    return Figure(layout="constrained").add_subplot() if ax is None else ax


def _nothing(ax, dataset, why: str = "too few metabasins"):
    """Say in the panel why there is nothing to draw."""
    ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center", color="0.4")
    ax.set(xticks=[], yticks=[])
    return ax
