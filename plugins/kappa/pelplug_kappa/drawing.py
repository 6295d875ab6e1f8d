"""P(kappa/<kappa>), and a slice of an inherent structure coloured by its dipole stiffness."""

from __future__ import annotations

import itertools
import json

import matplotlib as mpl
import matplotlib.ticker
import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon

from pelplug_kappa.slices import layer
from pelplug_kappa.soft_mode_drawing import draw_soft_mode

__all__ = ["draw_distribution", "draw_figure", "draw_slice"]

INK = "#17324d"
# Soft spots are few: the map glows there and recedes into the dark where the state is stiff. Its palest end, which
# white paper would swallow, is left out.
COLOURS = ListedColormap(mpl.colormaps["inferno"](np.linspace(0.93, 0.08, 256)), "soft to stiff")


def draw_distribution(dataset, ax=None, **keywords):
    """Draw P(kappa/<kappa>), both axes logarithmic, with the mean and its interval in the corner.

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
    # Several results over each other: the numbers of one would be taken for all, so they are not written.
    alone = not ax.lines
    limits = (np.inf, 0.0) if alone else ax.get_ylim()
    edges, counts = dataset["kappa_ratio_edges"].values, dataset["kappa_counts"].values
    density, ratio = dataset["kappa_distribution"].values, dataset["kappa_ratio"].values
    filled = counts > 0
    if "label" not in keywords:  # beside others, areas would hide each other
        ax.stairs(np.where(filled, density, np.nan), edges, color=INK, alpha=0.12, fill=True)
    style = {"color": INK, "marker": "o", "markersize": 3.5, "linewidth": 1.0, **keywords}
    ax.plot(ratio[filled], density[filled], **style)
    # Poisson error of the counts: what the scatter of the rare soft pairs is worth.
    error = density[filled] / np.sqrt(counts[filled])
    ax.fill_between(ratio[filled], np.maximum(density[filled] - error, density[filled] / 10), density[filled] + error,
                    color=style["color"], alpha=0.25, linewidth=0)  # fmt: skip
    if alone:
        ax.axvline(1.0, ymin=0.22, color="0.6", linewidth=0.8, linestyle=(0, (4, 3)), zorder=0, gid="reference")
    ax.set(xscale="log", yscale="log", xlabel=r"$\kappa_{ij}\,/\,\langle\kappa\rangle$")
    ax.set_ylabel(r"$P(\kappa_{ij}/\langle\kappa\rangle)$")
    ax.set_ylim(min(limits[0], 0.3 * density[filled].min()), max(limits[1], 3.0 * density[filled].max()))
    corner = {"transform": ax.transAxes, "ha": "center", "va": "bottom", "fontsize": "small", "linespacing": 1.5}
    if alone:
        ax.text(0.5, 0.05, _caption(dataset), **corner)
    for text in [] if alone else list(ax.texts):
        text.remove()
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax


def draw_slice(dataset, ax, frame: int = 0):
    """Draw the particles around the softest one, at their size, coloured by kappa_i.

    In three dimensions a layer one mean particle distance thick, parallel to the first two cell vectors, through the
    softest particle; in two dimensions everything. Particles at the border are drawn on both sides.

    Parameters
    ----------
    dataset : Dataset
        Result of the analysis.
    ax : Axes
        Where.
    frame : int
        Place of the frame in the dataset.

    Returns
    -------
    Axes
    """
    state = dataset.isel(frame=frame)
    cell, kappa = state["cell"].values, state["kappa"].values
    d = cell.shape[0]
    softest = int(np.nanargmin(kappa))
    fractional, shown, plane = layer(state, softest)
    # From the back to the front, so that the layer looks solid.
    shown = shown[np.argsort(fractional[shown, -1])] if d == 3 else shown
    radii = 0.5 * state["diameter"].values[shown]
    circles, values = [], []
    margin = radii.max() / np.linalg.norm(plane, axis=1)
    for shift in itertools.product((-1, 0, 1), repeat=2):
        moved = fractional[shown, :2] + shift
        near = np.all((moved > -margin) & (moved < 1.0 + margin), axis=1)
        circles += [Circle(centre, radius) for centre, radius in zip(moved[near] @ plane, radii[near], strict=True)]
        values.append(kappa[shown[near]])
    colours = COLOURS.with_extremes(bad="0.85")
    low, high = np.nanquantile(kappa, [0.005, 0.99])
    if not low < high:  # one value, as with a sample of one pair
        low, high = 0.9 * low, 1.1 * high
    drawn = PatchCollection(circles, cmap=colours, norm=LogNorm(low, high), edgecolor="white", linewidth=0.5)
    drawn.set_array(np.ma.masked_invalid(np.concatenate(values)))
    ax.add_collection(drawn)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) @ plane
    border = Polygon(corners, closed=True, fill=False, edgecolor="0.35", linewidth=0.8, zorder=3)
    ax.add_patch(border)
    drawn.set_clip_path(border)
    lower, upper = corners.min(axis=0), corners.max(axis=0)
    room = 0.01 * (upper - lower)
    ax.set(xlim=(lower[0] - room[0], upper[0] + room[0]), ylim=(lower[1] - room[1], upper[1] + room[1]), aspect="equal")
    ax.set_axis_off()
    bar = ax.figure.colorbar(drawn, ax=ax, extend="both", shrink=0.9, pad=0.03, aspect=30)
    bar.set_label(r"$\kappa_i$ (energy / length$^2$), soft to stiff")
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 1.5, 2, 3, 4, 5, 7)))
    bar.ax.yaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    bar.ax.yaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    where = "layer through the softest particle" if d == 3 else "inherent structure"
    ax.set_title(f"{where}, frame {int(state['frame'])}", fontsize="medium")
    return ax


def draw_figure(dataset) -> Figure:
    """Draw the distribution, the slice, and the softest mode if there is one; above three dimensions the first only."""
    d = dataset.sizes["dimension"]
    if d not in (2, 3):
        figure = Figure(figsize=(5.0, 4.0), layout="constrained")
        draw_distribution(dataset, figure.add_subplot())
        return figure
    modes = dataset.sizes.get("soft_mode", 0) > 0
    figure = Figure(figsize=(13.6 if modes else 9.6, 4.2), layout="constrained")
    left, right, *rest = figure.subplots(1, 3 if modes else 2, width_ratios=(1.0, 1.15, 1.0)[: 3 if modes else 2])
    draw_distribution(dataset, left)
    if modes:
        draw_soft_mode(dataset, rest[0])
    # The frame with the softest particle of all.
    draw_slice(dataset, right, frame=int(np.argmin(dataset["kappa"].min("particle").values)))
    return figure


def _caption(dataset) -> str:
    mean, (low, high) = float(dataset["kappa_mean"]), dataset["kappa_interval"].values
    share = json.loads(dataset.attrs.get("parameters") or "{}").get("confidence", 0.9)
    lines = [rf"$\langle\kappa\rangle = {mean:.4g}$  ({100 * share:g}%: {low:.4g} to {high:.4g})"]
    modulus, (low, high) = float(dataset["shear_modulus_mean"]), dataset["shear_modulus_interval"].values
    interval = f"  ({100 * share:g}%: {low:.4g} to {high:.4g})" if np.isfinite(low) else ""
    lines.append(rf"$G = {modulus:.4g}${interval}")
    frames = dataset.sizes["frame"]
    lines.append(f"{dataset.sizes['pair']:,} pairs, {frames} inherent structure{'s' if frames > 1 else ''}")
    rattlers = int(dataset["n_rattlers"].sum())
    return "\n".join([*lines, f"{rattlers} rattlers left out"] if rattlers else lines)
