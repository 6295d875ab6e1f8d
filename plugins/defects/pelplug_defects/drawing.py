"""Maps of defects and of D2min, and g(x) with the cutoffs."""

from __future__ import annotations

import itertools

import matplotlib as mpl
import matplotlib.ticker
import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Polygon

import pelplug

__all__ = ["draw_distribution", "draw_figure", "draw_map"]

INK = "#17324d"
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
    if ax is None:
        ax = Figure(layout="constrained").add_subplot()
    state = dataset.isel(frame=frame)
    cell, positions = state["cell"].values, state["positions"].values
    n, d = positions.shape
    if d not in (2, 3):
        return _draw_shares(dataset, ax)
    fractional = positions @ np.linalg.inv(cell)
    amount = np.nan_to_num(state["d2min"].values, nan=-1.0)
    # The largest rearrangement in the middle of the picture: the cell is periodic.
    fractional = (fractional - fractional[np.argmax(amount)] + 0.5) % 1.0
    spacing = (abs(np.linalg.det(cell)) / n) ** (1.0 / d)
    shown = np.arange(n)
    if d == 3:
        height = abs(np.linalg.det(cell)) / np.linalg.norm(np.cross(cell[0], cell[1]))
        shown = np.flatnonzero(np.abs(fractional[:, 2] - 0.5) * height <= spacing / 2)
        shown = shown[np.argsort(fractional[shown, 2])]  # from the back to the front
    plane = _in_plane(cell[:2])
    radii = 0.5 * state["diameter"].values[shown]
    margin = radii.max() / np.linalg.norm(plane, axis=1)
    circles, members = [], []
    for shift in itertools.product((-1, 0, 1), repeat=2):
        moved = fractional[shown, :2] + shift
        near = np.all((moved > -margin) & (moved < 1.0 + margin), axis=1)
        circles += [Circle(centre, radius) for centre, radius in zip(moved[near] @ plane, radii[near], strict=True)]
        members.append(shown[near])
    members = np.concatenate(members)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) @ plane
    border = Polygon(corners, closed=True, fill=False, edgecolor="0.35", linewidth=0.8, zorder=3)
    width = 0.5 if len(circles) < 3000 else 0.15
    drawn = PatchCollection(circles, **{"edgecolor": "white", "linewidth": width, **keywords})
    where = "" if d == 2 else ", layer"
    if colour == "phi":
        drawn.set_facecolor(np.where(state["phi"].values[members] > 0, DEFECT, CALM))
        ax.set_title(rf"defects: $\varphi = {float(state['phi_frame']):.3g}$, frame {int(state['frame'])}{where}",
                     fontsize="medium")  # fmt: skip
    else:
        values = state["d2min"].values
        positive = values[np.isfinite(values) & (values > 0)]
        low, high = np.quantile(positive, [0.02, 0.995]) if positive.size else (1e-3, 1.0)
        drawn.set_cmap(mpl.colormaps["viridis"].with_extremes(bad="0.85"))
        drawn.set_norm(LogNorm(low, high if high > low else 1.1 * low))
        drawn.set_array(np.ma.masked_invalid(np.where(values > 0, values, low)[members]))
        ax.set_title(f"frame {int(state['frame'])}{where}", fontsize="medium")
    ax.add_collection(drawn)
    ax.add_patch(border)
    drawn.set_clip_path(border)
    lower, upper = corners.min(axis=0), corners.max(axis=0)
    room = 0.01 * (upper - lower)
    ax.set(xlim=(lower[0] - room[0], upper[0] + room[0]), ylim=(lower[1] - room[1], upper[1] + room[1]), aspect="equal")
    ax.set_axis_off()
    if colour == "phi":
        marks = [Line2D([], [], marker="o", linestyle="", color=c) for c in (DEFECT, CALM)]
        ax.legend(marks, ["lost or gained a neighbour", "same neighbours"], loc="upper center", ncols=2, frameon=False,
                  bbox_to_anchor=(0.5, 0.02), fontsize="small", handletextpad=0.2, columnspacing=1.2)  # fmt: skip
    else:
        bar = ax.figure.colorbar(drawn, ax=ax, extend="both", shrink=0.85, pad=0.03, aspect=30)
        bar.set_label(r"$D^2_{\mathrm{min},i}$ (length$^2$)")
        bar.outline.set_visible(False)
        bar.ax.yaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    return ax


def draw_distribution(dataset, ax, parameters=None):
    """Draw g(x) of the frames and of the inherent structures, averaged, with x_EQ and the two other cutoffs."""
    x = dataset["x"].values
    ax.plot(x, dataset["g_is"].mean("frame"), color="0.65", linewidth=1.2, label="inherent structures")
    ax.plot(x, dataset["g"].mean("frame"), color=INK, linewidth=1.4, label="frames")
    x_eq = dataset["x_eq"].values
    ax.axvspan(x_eq.min() - 0.002, x_eq.max() + 0.002, color=DEFECT, alpha=0.35, linewidth=0,
               label=rf"$x_\mathrm{{EQ}} = {x_eq.mean():.3f}$")  # fmt: skip
    for name, style in (("x_inserted", ":"), ("x_broken", "--")):
        if name in (parameters or {}):
            label = rf"$x_\mathrm{{{name[2:]}}} = {parameters[name]:g}$"
            ax.axvline(parameters[name], color="0.4", linewidth=0.9, linestyle=style, label=label)
    top = float(max(dataset[name].mean("frame").max() for name in ("g", "g_is")))
    ax.set(xlabel=r"$x = r_{ij}/d_{ij}$", ylabel=r"$g(x)$", xlim=(0.5, x[-1]), ylim=(0, 1.08 * top if top > 0 else 1))
    ax.legend(fontsize="small", loc="upper right", facecolor="white", edgecolor="none", framealpha=0.9)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax


def draw_figure(dataset, parameters=None) -> Figure:
    """Draw the frame with most defects and D2min, and g(x) with the cutoffs; above three dimensions no map."""
    if dataset.sizes["dimension"] not in (2, 3):
        figure = Figure(figsize=(8.4, 3.8), layout="constrained")
        left, right = figure.subplots(1, 2)
        _draw_shares(dataset, left)
        draw_distribution(dataset, right, parameters)
        return figure
    figure = Figure(figsize=(13.2, 4.2), layout="constrained")
    one, two, three = figure.subplots(1, 3, width_ratios=(1.0, 1.2, 1.0))
    frame = int(np.argmax(dataset["phi_frame"].values))
    draw_map(dataset, one, frame=frame)
    draw_map(dataset, two, frame=frame, colour="d2min")
    draw_distribution(dataset, three, parameters)
    return figure


def _draw_shares(dataset, ax):
    over = dataset["time"] if "time" in dataset.coords else dataset["frame"]
    ax.plot(over, dataset["phi_frame"], marker="o", markersize=4, linewidth=1, color=DEFECT)
    ax.set(xlabel=pelplug.unit_label(over.name, over), ylabel=r"$\varphi$", ylim=(0, None))
    return ax


def _in_plane(vectors: np.ndarray) -> np.ndarray:
    """Return two cell vectors in the coordinates of their own plane, the first along x."""
    first = vectors[0] / np.linalg.norm(vectors[0])
    rest = vectors[1] - (vectors[1] @ first) * first
    return np.array([[np.linalg.norm(vectors[0]), 0.0], [vectors[1] @ first, np.linalg.norm(rest)]])
