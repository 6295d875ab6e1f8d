"""F_s, MSD, non-Gaussian parameter and chi_4 over the logarithm of time; g(r)."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

__all__ = ["draw_correlations", "draw_displacement", "draw_figure", "draw_rdf", "draw_scattering"]

COLOURS = ("#17324d", "#c8553d", "#4f8a5b", "#8a6fb0", "#b8862c")


def _axes(ax):
    return Figure(layout="constrained").add_subplot() if ax is None else ax


def _curves(dataset, name, ax, keywords, **selection):
    array, error = dataset[name].isel(selection), dataset[f"{name}_error"].isel(selection)
    times = dataset["lag_time"].values
    for k, kind in enumerate(dataset["kind"].values):
        if kind == "all":
            continue
        y, e = array.sel(kind=kind).values, error.sel(kind=kind).values
        style = {
            "color": COLOURS[k % len(COLOURS)],
            "marker": "o",
            "markersize": 2.5,
            "linewidth": 1,
            "label": str(kind),
        }
        ax.plot(times, y, **{**style, **keywords})
        there = np.isfinite(e)
        ax.fill_between(times[there], (y - e)[there], (y + e)[there], color=style["color"], alpha=0.2, linewidth=0)
    ax.set(xscale="log", xlabel=r"$t$")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def draw_scattering(dataset, ax=None, **keywords):
    """Draw F_s(q, t) of each species at the first wave number, with tau_alpha.

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
    _curves(dataset, "fs", ax, keywords, wave_number=0)
    q = float(dataset["wave_number"][0])
    ax.set(ylabel=rf"$F_\mathrm{{s}}(q = {q:.3g},\, t)$", ylim=(min(0.0, 1.05 * float(dataset["fs"].min())), 1.02))
    ax.legend(frameon=False, fontsize="small")
    return ax


def draw_displacement(dataset, ax=None, **keywords):
    """Draw the mean squared displacement of each species and 2 d D t in the window of D; see `draw_scattering`."""
    ax = _axes(ax)
    _curves(dataset, "msd", ax, keywords)
    for k, kind in enumerate(dataset["kind"].values):
        window = dataset["diffusion_window"].sel(kind=kind).values
        if kind == "all" or not np.isfinite(window).all():
            continue
        msd = dataset["msd"].sel(kind=kind)
        end = float(msd.sel(lag_time=window[1], method="nearest"))
        label = rf"$D_\mathrm{{{kind}}} = {float(dataset['diffusion_coefficient'].sel(kind=kind)):.3g}$"
        ax.plot(window, 1.5 * end * window / window[1], "--", color=COLOURS[k % len(COLOURS)], linewidth=1, label=label)
    ax.set(yscale="log", ylabel=r"$\langle\Delta r^2(t)\rangle$")
    ax.legend(frameon=False, fontsize="small")
    return ax


def draw_correlations(dataset, ax=None, **keywords):
    """Draw the non-Gaussian parameter (lines) and chi_4 (dots, right axis); see `draw_scattering`."""
    ax = _axes(ax)
    _curves(dataset, "alpha_2", ax, {**keywords, "marker": ""})
    ax.set(ylabel=r"$\alpha_2(t)$ (lines)")
    if np.isfinite(dataset["chi_4"]).any():
        right = ax.twinx()
        for k, kind in enumerate(dataset["kind"].values):
            if kind != "all":
                y = dataset["chi_4"].sel(kind=kind).values
                right.plot(dataset["lag_time"].values, y, "o", color=COLOURS[k % len(COLOURS)], markersize=3)
        right.set(ylabel=r"$\chi_4(t)$ (dots)")
        right.spines["top"].set_visible(False)
    return ax


def draw_rdf(dataset, ax=None, **keywords):
    """Draw g(r) of every pair of species; see `draw_scattering`."""
    ax = _axes(ax)
    names = dataset["species_a"].values
    k = 0
    for a, first in enumerate(names):
        for second in names[a:]:
            g = dataset["rdf"].sel(species_a=first, species_b=second)
            style = {"color": COLOURS[k % len(COLOURS)], "linewidth": 1.2, "label": f"{first}{second}", **keywords}
            ax.plot(dataset["r"].values, g.values, **style)
            k += 1
    ax.set(xlabel=r"$r$", ylabel=r"$g(r)$")
    ax.set_xlim(left=0)
    ax.legend(frameon=False, fontsize="small")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax


def draw_figure(dataset) -> Figure:
    """Draw all panels."""
    figure = Figure(figsize=(9.6, 7.0), layout="constrained")
    panels = figure.subplots(2, 2)
    draw_scattering(dataset, panels[0, 0])
    draw_displacement(dataset, panels[0, 1])
    draw_correlations(dataset, panels[1, 0])
    if "rdf" in dataset:
        draw_rdf(dataset, panels[1, 1])
    else:
        panels[1, 1].set_axis_off()
    return figure
