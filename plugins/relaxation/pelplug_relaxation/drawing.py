"""v(t) on logarithmic axes with its fit; local slope; energy."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import pelplug

__all__ = ["draw_energy", "draw_figure", "draw_slope", "draw_velocity"]

INK = "#17324d"
FIT = "#c8553d"


def draw_velocity(dataset, ax=None, **keywords):
    """Draw v(t), its standard error and the fitted power law.

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
    if ax is None:
        ax = Figure(layout="constrained").add_subplot()
    times, mean = dataset["descent_time"].values, dataset["mean_velocity"].values
    moving = mean > 0
    style = {"color": INK, "marker": "o", "markersize": 3, "linewidth": 1, **keywords}
    ax.plot(times[moving], mean[moving], **style)
    error = dataset["mean_velocity_error"].values[moving]
    if np.isfinite(error).any():
        low = np.maximum(mean[moving] - error, 0.1 * mean[moving])
        ax.fill_between(times[moving], low, mean[moving] + error, color=style["color"], alpha=0.25, linewidth=0)
    if "beta" in dataset:
        first, last = dataset["fit_window"].values
        line = np.array([first, last])
        beta, beta_error = float(dataset["beta"]), float(dataset["beta_error"])
        label = rf"$t^{{-\beta}}$, $\beta = {beta:.3f} \pm {beta_error:.3f}$, {first:.3g} to {last:.3g}"
        ax.plot(line, 1.6 * float(dataset["amplitude"]) * line**-beta, color=FIT, linewidth=1.5, label=label)
        ax.legend(frameon=False, fontsize="small", loc="lower left")
    at_rest = not any(np.size(line.get_ydata()) for line in ax.lines)
    if at_rest:
        # A logarithmic axis needs a positive value; frames that are minima already have none.
        ax.set(xlim=times[[0, -1]] if times.size > 1 else None, ylim=(0, 1))
        ax.text(0.5, 0.5, "every frame is at rest", transform=ax.transAxes, ha="center", color="0.4")
    scale = "linear" if at_rest else "log"
    ax.set(
        xscale="log",
        yscale=scale,
        xlabel=pelplug.unit_label("$t$", dataset["descent_time"]),
        ylabel=pelplug.unit_label("$v(t)$", dataset["mean_velocity"]),
    )
    return ax


def draw_slope(dataset, ax=None, **keywords):
    """Draw the local slope -d ln v / d ln t; beta in its window."""
    if ax is None:
        ax = Figure(layout="constrained").add_subplot()
    ax.plot(dataset["descent_time"], dataset["local_slope"], **{"color": INK, "linewidth": 1.2, **keywords})
    top = 2.0
    if "beta" in dataset:
        beta = float(dataset["beta"])
        ax.plot(dataset["fit_window"], [beta, beta], color=FIT, linewidth=1.5)
        top = max(top, 1.5 * beta)
    ax.set(
        xscale="log",
        ylim=(0, top),
        xlabel=pelplug.unit_label("$t$", dataset["descent_time"]),
        ylabel=r"$-d\ln v\,/\,d\ln t$",
    )
    return ax


def draw_energy(dataset, ax=None, **keywords):
    """Draw the energy above that of the inherent structures."""
    if ax is None:
        ax = Figure(layout="constrained").add_subplot()
    above = (dataset["energy_per_particle"] - dataset["inherent_energy_per_particle"]).mean("frame").values
    if not np.isfinite(above).any():
        above = dataset["mean_energy_per_particle"].values
        label = r"$e(t)$"
    else:
        label = r"$e(t) - e_\mathrm{IS}$"
    good = above > 1e-14
    ax.plot(dataset["descent_time"].values[good], above[good], **{"color": INK, "linewidth": 1.2, **keywords})
    ax.set(
        xscale="log",
        yscale="log" if good.any() else "linear",
        xlabel=pelplug.unit_label("$t$", dataset["descent_time"]),
        ylabel=pelplug.unit_label(label, dataset["energy_per_particle"]),
    )
    return ax


def draw_figure(dataset) -> Figure:
    """Return a figure of v(t), the local slope and the energy."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    panels = figure.subplot_mosaic([["v", "s"], ["v", "e"]], width_ratios=[1.5, 1])
    draw_velocity(dataset, panels["v"])
    draw_slope(dataset, panels["s"])
    draw_energy(dataset, panels["e"])
    return figure
