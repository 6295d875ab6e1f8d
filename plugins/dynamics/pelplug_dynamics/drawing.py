"""F_s, MSD, non-Gaussian parameter and chi_4 over the logarithm of time; g(r)."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

import pelplug

__all__ = ["draw_correlations", "draw_displacement", "draw_figure", "draw_rdf", "draw_scattering"]

COLOURS = ("#17324d", "#c8553d", "#4f8a5b", "#8a6fb0", "#b8862c")
LINES = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (4, 1.5, 1, 1.5)))


def _axes(ax):
    return Figure(layout="constrained").add_subplot() if ax is None else ax


def _curves(dataset, name, ax, keywords, **selection):
    array, error = dataset[name].isel(selection), dataset[f"{name}_error"].isel(selection)
    times, kinds = dataset["lag_time"].values, [kind for kind in dataset["kind"].values if kind != "all"]
    # Beside other results the colour is that of the result, so that species differ in their lines.
    shared = "label" in keywords
    for k, kind in enumerate(kinds):
        y, e = array.sel(kind=kind).values, error.sel(kind=kind).values
        style = {
            "color": COLOURS[k % len(COLOURS)],
            "marker": "o",
            "markersize": 2.5,
            "linewidth": 1,
            "label": str(kind),
        }
        if shared:
            style |= {"linestyle": LINES[k % len(LINES)], "marker": ""} | keywords
            style["label"] = keywords["label"] if k == 0 else f"_{keywords['label']}"
            if len(kinds) > 1 and str(kind) not in ax.get_legend_handles_labels()[1]:
                ax.plot([], [], color="0.35", linewidth=1, linestyle=style["linestyle"], label=str(kind))
        ax.plot(times, y, **{**style, **({} if shared else keywords)})
        # Where a lag has no error none is drawn, and no band across it.
        ax.fill_between(times, y - e, y + e, where=np.isfinite(e), color=style["color"], alpha=0.2, linewidth=0)
    ax.set(xscale="log", xlabel=pelplug.unit_label("$t$", dataset["lag_time"]))
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
    # q_max of several temperatures differs in the third digit.
    digits = f"q \\approx {q:.2g}" if "label" in keywords else f"q = {q:.3g}"
    label = rf"$F_\mathrm{{s}}({digits},\, t)$"
    if ax.get_ylabel() not in ("", label):
        label = r"$F_\mathrm{s}(q, t)$"
    ax.set(ylabel=label, ylim=(min(0.0, 1.05 * float(dataset["fs"].isel(wave_number=0).min())), 1.02))
    ax.legend(frameon=False, fontsize="small")
    return ax


def draw_displacement(dataset, ax=None, **keywords):
    """Draw the mean squared displacement of each species and 2 d D t in the window of D; see `draw_scattering`."""
    ax = _axes(ax)
    _curves(dataset, "msd", ax, keywords)
    for k, kind in enumerate(dataset["kind"].values if "label" not in keywords else ()):
        window = dataset["diffusion_window"].sel(kind=kind).values
        if kind == "all" or not np.isfinite(window).all():
            continue
        msd = dataset["msd"].sel(kind=kind)
        end = float(msd.sel(lag_time=window[1], method="nearest"))
        label = rf"$D_\mathrm{{{kind}}} = {float(dataset['diffusion_coefficient'].sel(kind=kind)):.3g}$"
        ax.plot(window, 1.5 * end * window / window[1], "--", color=COLOURS[k % len(COLOURS)], linewidth=1, label=label)
    ax.set(yscale="log", ylabel=pelplug.unit_label(r"$\langle\Delta r^2(t)\rangle$", dataset["msd"]))
    ax.legend(frameon=False, fontsize="small")
    return ax


def draw_correlations(dataset, ax=None, **keywords):
    """Draw the non-Gaussian parameter (lines) and chi_4 (dots, right axis); see `draw_scattering`."""
    ax = _axes(ax)
    _curves(dataset, "alpha_2", ax, {**keywords, "marker": ""})
    ax.set(ylabel=r"$\alpha_2(t)$")
    if "label" not in keywords and "chi_4" in dataset and np.isfinite(dataset["chi_4"]).any():
        ax.set(ylabel=r"$\alpha_2(t)$ (lines)")
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
    ax.set(xlabel=pelplug.unit_label("$r$", dataset["r"]), ylabel="$g(r)$")
    ax.set_xlim(left=0)
    ax.legend(frameon=False, fontsize="small")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax


def draw_figure(dataset) -> Figure:
    """Draw a panel of each quantity that there is."""
    wanted = [("fs", draw_scattering), ("msd", draw_displacement), ("alpha_2", draw_correlations), ("rdf", draw_rdf)]
    draws = [draw for name, draw in wanted if name in dataset]
    rows = 1 if len(draws) < 3 else 2
    columns = -(-len(draws) // rows)
    figure = Figure(figsize=(4.8 * columns, 3.5 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, draw in zip(panels, draws, strict=False):
        draw(dataset, ax)
    for ax in panels[len(draws) :]:
        ax.set_axis_off()
    return figure
