"""Pictures of particles: a layer of a state at their size, with colours, values or displacements."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pelplug.plotting.text import unit_label

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

__all__ = ["draw_particles", "layer"]

ARROW, FORCE = "#8c2f39", "#111111"
_SHORTEST = 0.08  # arrows below this share of the longest are left out
_LONGEST = 1.5  # the longest arrow in mean particle distances
_MANY = 3000  # circles, of which borders would be all


def layer(cell: np.ndarray, positions: np.ndarray, centre: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return which particles to draw around one of them, and where.

    Parameters
    ----------
    cell : ndarray, shape (d, d)
        Cell vectors in rows [length].
    positions : ndarray, shape (N, d)
        [length].
    centre : int
        The particle in the middle of the picture.

    Returns
    -------
    fractional : ndarray, shape (N, d)
        Positions in units of the cell vectors, the particle at one half.
    shown : ndarray of int
        In three dimensions those in a layer one mean particle distance thick, from the back to the front; else all.
    plane : ndarray, shape (2, 2)
        The first two cell vectors in the coordinates of their plane [length].
    """
    fractional = positions @ np.linalg.inv(cell)
    fractional = (fractional - fractional[centre] + 0.5) % 1.0  # the cell is periodic
    shown = np.arange(len(fractional))
    if len(cell) == 3:
        volume = abs(np.linalg.det(cell))
        spacing = (volume / len(fractional)) ** (1.0 / 3.0)
        height = volume / np.linalg.norm(np.cross(cell[0], cell[1]))
        shown = np.flatnonzero(np.abs(fractional[:, 2] - 0.5) * height <= spacing / 2)
        shown = shown[np.argsort(fractional[shown, 2], kind="stable")]
    first = cell[0] / np.linalg.norm(cell[0])
    rest = cell[1] - (cell[1] @ first) * first
    plane = np.array([[np.linalg.norm(cell[0]), 0.0], [cell[1] @ first, np.linalg.norm(rest)]])
    return fractional, shown, plane


def draw_particles(
    ax: Axes,
    state: xr.Dataset,
    centre: int,
    *,
    colours: Sequence[Any] | None = None,
    values: xr.DataArray | None = None,
    symbol: str = "",
    colour_map: Any = "viridis",
    spread: tuple[float, float] = (0.01, 0.99),
    arrows: Any = None,
    forces: Any = None,
    reach: float | None = None,
    **keywords: Any,
) -> Axes:
    """Draw the particles of one frame; see `Panel.particles`."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Circle, Polygon

    cell, positions = state["cell"].values, state["positions"].values
    n, d = positions.shape
    fractional, shown, plane = layer(cell, positions, centre)
    radii = 0.5 * state["diameter"].values
    spacing = (abs(np.linalg.det(cell)) / n) ** (1.0 / d)
    widths = np.linalg.norm(plane, axis=1)
    half = None if reach is None else min(reach, 0.5 * widths.min())
    circles, members, places = [], [], []
    for shift in itertools.product((-1, 0, 1), repeat=2):
        moved = (fractional[shown, :2] + shift - 0.5) @ plane
        margin = radii[shown].max() / widths
        inside = np.all(np.abs(fractional[shown, :2] + shift - 0.5) < 0.5 + margin, axis=1)
        if half is not None:
            inside = np.abs(moved).max(axis=1) <= half + radii[shown]
        circles += [Circle(tuple(at), size) for at, size in zip(moved[inside], radii[shown][inside], strict=True)]
        members.append(shown[inside])
        places.append(moved[inside])
    member, place = np.concatenate(members), np.concatenate(places)
    width = 0.5 if len(circles) < _MANY else 0.15
    drawn = PatchCollection(circles, **{"edgecolor": "white", "linewidth": width, **keywords})
    if colours is not None:
        drawn.set_facecolor([colours[k] for k in member])
    elif values is not None:
        _colour_by(drawn, np.asarray(values.values, dtype=float), member, colour_map, spread)
        bar = ax.figure.colorbar(drawn, ax=ax, extend="both", shrink=0.9, pad=0.03, aspect=30)
        bar.set_label(unit_label(symbol, values))
        bar.outline.set_visible(False)
        _few_ticks(bar, drawn.norm)
    ax.add_collection(drawn)
    moved_by = []
    if arrows is not None:
        moved_by = _draw_arrows(ax, np.asarray(arrows), cell, plane, member, place, spacing)
    if forces is not None:  # from the middle of a particle outwards, so that they do not hide what it does
        moved_by += _draw_arrows(ax, np.asarray(forces), cell, plane, member, place, spacing, FORCE, "tail", 1.0)
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    corners = corners @ plane if half is None else 2.0 * half * corners
    border = Polygon(corners, closed=True, fill=False, edgecolor="0.35", linewidth=0.8, zorder=3)
    ax.add_patch(border)
    for one in (drawn, *moved_by):
        one.set_clip_path(border)
    lower, upper = corners.min(axis=0), corners.max(axis=0)
    _scale_bar(ax, lower, upper, state["positions"])
    ax.set_axis_off()
    return ax


def _colour_by(drawn: Any, values: np.ndarray, member: np.ndarray, colour_map: Any, spread: tuple) -> None:
    import matplotlib as mpl
    from matplotlib.colors import LogNorm

    positive = values[np.isfinite(values) & (values > 0)]
    low, high = np.quantile(positive, spread) if positive.size else (1e-3, 1.0)
    if not low < high:  # one value
        low, high = 0.9 * low, 1.1 * high
    drawn.set_cmap(mpl.colormaps.get_cmap(colour_map).with_extremes(bad="0.85"))
    drawn.set_norm(LogNorm(low, high))
    drawn.set_array(np.ma.masked_invalid(np.where(values > 0, values, np.where(values <= 0, low, np.nan))[member]))


def _few_ticks(bar: Any, norm: Any) -> None:
    import matplotlib.ticker as ticks

    if norm.vmax / norm.vmin < 100:
        subs = (1, 1.5, 2, 3, 4, 5, 7) if norm.vmax / norm.vmin < 10 else (1, 2, 5)
        bar.ax.yaxis.set_major_locator(ticks.LogLocator(subs=subs))
        bar.ax.yaxis.set_major_formatter(ticks.FuncFormatter(lambda value, _: f"{value:g}"))
    bar.ax.yaxis.set_minor_formatter(ticks.NullFormatter())


def _draw_arrows(ax: Axes, field: np.ndarray, cell: np.ndarray, plane: np.ndarray, member: np.ndarray,
                 place: np.ndarray, spacing: float, colour: str = ARROW, pivot: str = "middle",
                 longest: float = _LONGEST) -> list:  # fmt: skip
    # The coordinates of the plane: its first axis along the first cell vector.
    along = np.linalg.solve(plane, cell[:2])
    length = np.linalg.norm(field, axis=1)
    moves = field @ along.T * (longest * spacing / (length.max() or 1.0))
    long = np.linalg.norm(moves[member], axis=1) > _SHORTEST * longest * spacing
    if not long.any():
        return []
    (x, y), (u, v) = place[long].T, moves[member][long].T
    return [ax.quiver(x, y, u, v, color=colour, angles="xy", scale_units="xy", scale=1.0, width=0.006, pivot=pivot,
              headwidth=3.6, headlength=4.2, headaxislength=3.8, zorder=3)]  # fmt: skip


def _scale_bar(ax: Axes, lower: np.ndarray, upper: np.ndarray, positions: xr.DataArray) -> None:
    """Draw a length below the picture, which has no axes."""
    wide, high = upper - lower
    power = 10.0 ** np.floor(np.log10(0.3 * wide))
    length = power * max(one for one in (1, 2, 5) if one * power <= 0.3 * wide)
    level = lower[1] - 0.04 * high
    ax.plot([lower[0], lower[0] + length], [level, level], color="0.2", linewidth=2.0, solid_capstyle="butt", label="_")
    unit = unit_label("", positions).strip(" ()")
    text = f"{length:g} {unit if unit and unit != 'length' else '(length)'}"
    ax.text(lower[0] + length + 0.02 * wide, level, text, va="center", fontsize="small")
    ax.set(
        xlim=(lower[0] - 0.01 * wide, upper[0] + 0.01 * wide), ylim=(lower[1] - 0.09 * high, upper[1] + 0.01 * high),
        aspect="equal",
    )  # fmt: skip
