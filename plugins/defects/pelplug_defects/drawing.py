"""Maps of defects and of D2min, and g(x) with the cutoffs."""

from __future__ import annotations

import functools

import numpy as np
from matplotlib.lines import Line2D

import pelplug

__all__ = ["draw_distribution", "draw_figure", "draw_map", "draw_shares"]

DEFECT, CALM = "#d1495b", "#dfe6ec"


def draw_map(dataset, ax=None, *, frame: int = 0, colour: str = "phi", **keywords):
    """Draw the particles of a frame at their size.

    In three dimensions a layer one mean particle distance thick, parallel to the first two cell vectors, through the
    particle of largest D2min; in two dimensions everything. Above three dimensions phi over time.

    Parameters
    ----------
    dataset : Dataset
        Result of the analysis.
    ax : Axes, optional
        Where; a new figure if None.
    frame : int
        Place of the frame in the dataset.
    colour : {"phi", "d2min"}
        What is shown.
    **keywords
        Passed to the collection of circles.

    Returns
    -------
    Axes
    """
    if dataset.sizes["dimension"] not in (2, 3):
        return draw_shares(dataset, ax)
    panel, state = pelplug.Panel(dataset, ax), dataset.isel(frame=frame)
    where = f"frame {int(state['frame'])}{'' if dataset.sizes['dimension'] == 2 else ', layer'}"
    # The largest rearrangement in the middle of the picture.
    centre = int(np.argmax(np.nan_to_num(state["d2min"].values, nan=-1.0)))
    if colour != "phi":
        panel.title(where)
        symbol = r"$D^2_{\mathrm{min},i}$"
        return panel.particles(state, centre, values=state["d2min"], symbol=symbol, spread=(0.02, 0.995), **keywords).ax
    panel.title(rf"defects: $\varphi = {float(state['phi_frame']):.3g}$, {where}")
    panel.particles(state, centre, colours=np.where(state["phi"].values > 0, DEFECT, CALM), **keywords)
    marks = [Line2D([], [], marker="o", linestyle="", color=c) for c in (DEFECT, CALM)]
    panel.ax.legend(marks, ["lost or gained a neighbour", "same neighbours"], loc="upper center", ncols=2,
                    frameon=False, bbox_to_anchor=(0.5, 0.02), fontsize="small", handletextpad=0.2)  # fmt: skip
    return panel.ax


def draw_shares(dataset, ax=None, **keywords):
    """Draw phi, the share of particles in defects, over time; see `draw_map`."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    over = panel.frames()
    panel.axes(over, r"$\varphi$").curve(over[1], dataset["phi_frame"], markersize=4)
    mean = panel.number(r"mean $\varphi$", dataset["phi_mean"], dataset["phi_mean_error"])
    panel.level(float(dataset["phi_mean"]), r"mean $\varphi$" if panel.beside else mean)
    panel.ax.set_ylim(bottom=0)
    return panel.finish()


def draw_distribution(dataset, ax=None, parameters=None, **keywords):
    """Draw g(x) of the frames and of the inherent structures, averaged, with x_EQ and the two other cutoffs."""
    panel = pelplug.Panel(dataset, ax, **keywords).axes("$x = r_{ij}/d_{ij}$", "$g(x)$")
    for kind, (name, label) in enumerate((("g", "frames"), ("g_is", "inherent structures"))):
        panel.curve(dataset["x"], dataset[name].mean("frame"), kind=kind, label=label, marker="")
    x_eq = dataset["x_eq"].values
    if not panel.beside:
        span = rf"$x_\mathrm{{EQ}}$ = {x_eq.mean():.3f}"
        panel.ax.axvspan(x_eq.min() - 0.002, x_eq.max() + 0.002, color=DEFECT, alpha=0.35, linewidth=0, label=span)
        given = dict(parameters or {})
        if "x_broken" in dataset:  # of results of earlier versions it is a parameter
            given["x_broken"] = float(dataset["x_broken"].mean())
        for name, style in (("x_inserted", ":"), ("x_broken", "--")):
            if name in given:
                label = rf"$x_\mathrm{{{name[2:]}}}$ = {given[name]:.4g}"
                panel.level(given[name], label, axis="x", linestyle=style)
    top = float(max(dataset[name].mean("frame").max() for name in ("g", "g_is")))
    top = max(1.08 * top if top > 0 else 1.0, panel.ax.get_ylim()[1] if panel.beside else 0.0)
    panel.ax.set(xlim=(0.5, float(dataset["x"][-1])), ylim=(0, top))
    return panel.finish()


def panels(dataset, parameters) -> list:
    """Return what draws results over each other: maps would hide one another."""
    return [
        functools.partial(draw_shares, dataset),
        functools.partial(draw_distribution, dataset, parameters=parameters),
    ]


def draw_figure(dataset, parameters=None):
    """Draw the frame with most defects and D2min, and g(x) with the cutoffs; above three dimensions no map."""
    if dataset.sizes["dimension"] not in (2, 3):
        return pelplug.Panel.figure(dataset, panels(dataset, parameters))
    frame = int(np.argmax(dataset["phi_frame"].values))
    maps = [functools.partial(draw_map, dataset, frame=frame, colour=colour) for colour in ("phi", "d2min")]
    return pelplug.Panel.figure(dataset, [*maps, panels(dataset, parameters)[1]], widths=(1.0, 1.15, 1.0))
