"""Plots of the mean-squared energy difference."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.figure import Figure

import pelplug

__all__ = ["draw_diffusion", "draw_distributions", "draw_figure", "draw_msed"]

INK, FIT = "#2b6a99", "#c8553d"
_FEWEST = 300  # differences in a distribution that is drawn


def draw_msed(dataset, ax=None, **keywords):
    """Draw <Delta^2>(t) over the logarithm of time, with the fit and the long-time limit.

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
    ax = Figure(layout="constrained").add_subplot() if ax is None else ax
    times, curve = dataset["lag"].values, dataset["msed"].values
    (line,) = ax.plot(times, curve, **{"color": INK, "marker": ".", "markersize": 3.5, "linewidth": 0.9, **keywords})
    error = dataset["msed_error"].values
    known = np.isfinite(error)
    if known.any():
        low, high = (curve - error)[known], (curve + error)[known]
        ax.fill_between(times[known], low, high, color=line.get_color(), alpha=0.25, linewidth=0)
    ax.axhline(
        float(dataset["long_time_limit"]), color="0.5", linewidth=0.9, linestyle=":", label=r"$2\,\mathrm{Var}(E)/N^2$"
    )
    if "tau" in dataset:
        first, last = dataset["fit_window"].values
        t = np.geomspace(first, last, 200)
        rise = -np.expm1(-t / float(dataset["tau"]))
        fit = float(dataset["u0_squared"]) + float(dataset["um_squared"]) * rise
        tau, spread = float(dataset["tau"]), float(dataset["tau_error"])
        ax.plot(t, fit, color=FIT, linewidth=1.6, label=rf"Eq. 11, $\tau^* = {tau:.3g} \pm {spread:.1g}$")
    ax.set(
        xscale="log",
        xlabel=pelplug.unit_label("$t$", dataset["lag"]),
        ylabel=pelplug.unit_label(r"$\langle\Delta^2\rangle(t)$", dataset["msed"]),
    )
    # Fixed limits would cut off what is drawn over this one later.
    ax.autoscale(axis="y")
    ax.set_ylim(bottom=0.0)
    ax.legend(frameon=False, fontsize="small")
    _tidy(ax)
    return ax


def draw_distributions(dataset, ax=None):
    """Draw phi(Delta) at each lag."""
    ax = Figure(layout="constrained").add_subplot() if ax is None else ax
    if "phi" in dataset:
        lags = dataset["phi_lag"].values
        # The correlator leaves entries out: at a lag of k entries it takes about 12/k of all. A handful of differences
        # would be as many dots at the same height.
        taken = 12.0 * float(dataset["pairs"][0]) * float(dataset["lag"][0]) / lags
        lags = lags[(taken > _FEWEST) | (np.arange(len(lags)) == 0)]
        colours = colormaps["viridis"](np.linspace(0.0, 0.85, len(lags)))
        for lag, colour in zip(lags, colours, strict=True):
            one = dataset.sel(phi_lag=lag)
            edges, density = one["phi_edges"].values, one["phi"].values
            middle = 0.5 * (edges[1:] + edges[:-1])
            seen = density > 0
            ax.plot(middle[seen], density[seen], ".", color=colour, markersize=4, label=f"$t$ = {lag:.3g}")
        ax.set_yscale("log")
        ax.legend(frameon=False, fontsize="x-small")
        ax.set(
            xlabel=pelplug.unit_label(r"$\Delta$", dataset["phi_edges"]),
            ylabel=pelplug.unit_label(r"$\varphi(\Delta)$", dataset["phi"]),
        )
    _tidy(ax)
    return ax


def draw_diffusion(dataset, ax=None, **keywords):
    """Draw D_E(t) = <Delta^2>/(2t)."""
    ax = Figure(layout="constrained").add_subplot() if ax is None else ax
    ax.plot(dataset["lag"], dataset["energy_diffusion"], **{"color": INK, "linewidth": 1.2, **keywords})
    ax.set(
        xscale="log",
        yscale="log",
        xlabel=pelplug.unit_label("$t$", dataset["lag"]),
        ylabel=pelplug.unit_label("$D_E(t)$", dataset["energy_diffusion"]),
    )
    _tidy(ax)
    return ax


def draw_figure(dataset) -> Figure:
    """Draw all three."""
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    panels = figure.subplot_mosaic([["m", "p"], ["m", "d"]], width_ratios=[1.5, 1])
    draw_msed(dataset, panels["m"])
    draw_distributions(dataset, panels["p"])
    draw_diffusion(dataset, panels["d"])
    return figure


def _tidy(ax) -> None:
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
