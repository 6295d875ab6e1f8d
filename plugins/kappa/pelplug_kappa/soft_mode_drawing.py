"""The softest mode: how the particles around its core move."""

from __future__ import annotations

import itertools

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from pelplug_kappa.slices import layer

__all__ = ["draw_soft_mode"]

BODY, CORE, ARROW = "#dfe5ea", "#f4c095", "#8c2f39"
# Half the width of the picture, and the longest arrow, in mean particle distances; shorter arrows are left out.
REACH, LONGEST, SHORTEST = 6.0, 1.5, 0.12


def draw_soft_mode(dataset, ax=None):
    """Draw the displacements of the softest mode of all frames around its core.

    In three dimensions a layer one mean particle distance thick through the core, parallel to the first two cell
    vectors, and the part of the displacements in its plane.

    Parameters
    ----------
    dataset : Dataset
        Result of the analysis, with soft modes.
    ax : Axes, optional
        Where; a new figure if None.

    Returns
    -------
    Axes
    """
    if ax is None:
        ax = Figure(layout="constrained").add_subplot()
    place = int(np.argmin(dataset["soft_mode_stiffness"].values))
    label, core = int(dataset["soft_mode_frame"].values[place]), int(dataset["soft_mode_core"].values[place])
    state = dataset.sel(frame=label)
    cell, field = state["cell"].values, state["softest_mode"].values
    d, n = cell.shape[0], len(field)
    spacing = (abs(np.linalg.det(cell)) / n) ** (1.0 / d)
    fractional, shown, plane = layer(state, core)
    # The coordinates of the plane: its first axis along the first cell vector.
    axes = np.linalg.solve(plane, cell[:2])
    moves = field @ axes.T * (LONGEST * spacing / np.linalg.norm(field, axis=1).max())
    radii = 0.5 * state["diameter"].values
    # Not more than one period is shown: each particle once.
    reach = min(REACH * spacing, 0.5 * np.linalg.norm(plane, axis=1).min())
    circles, colours, tails, heads = [], [], [], []
    for shift in itertools.product((-1, 0, 1), repeat=2):
        for particle in shown:
            centre = (fractional[particle, :2] + shift - 0.5) @ plane
            if np.abs(centre).max() > reach + radii[particle]:
                continue
            circles.append(Circle(centre, radii[particle]))
            colours.append(CORE if particle == core else BODY)
            if np.linalg.norm(moves[particle]) > SHORTEST * spacing:
                tails.append(centre)
                heads.append(moves[particle])
    order = np.argsort([colour == CORE for colour in colours], kind="stable")
    bodies = PatchCollection([circles[k] for k in order], edgecolor="white", linewidth=0.6)
    bodies.set_facecolor([colours[k] for k in order])
    ax.add_collection(bodies)
    if tails:
        (x, y), (u, v) = np.transpose(tails), np.transpose(heads)
        ax.quiver(x - u / 2, y - v / 2, u, v, color=ARROW, angles="xy", scale_units="xy", scale=1.0, width=0.006,
                  headwidth=3.6, headlength=4.2, headaxislength=3.8, zorder=3)  # fmt: skip
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
    ax.set_axis_off()
    values = {name: float(dataset[f"soft_mode_{name}"].values[place]) for name in ("frequency", "participation_ratio")}
    moving = n - int(state["n_rattlers"])
    where = "layer through its core" if d == 3 else "around its core"
    ax.set_title(f"softest mode, {where}, frame {label}", fontsize="medium")
    text = rf"$\omega = {values['frequency']:.3g}$,  $N e = {moving * values['participation_ratio']:.0f}$"
    ax.text(0.5, -0.02, text, transform=ax.transAxes, ha="center", va="top", fontsize="small")
    return ax
