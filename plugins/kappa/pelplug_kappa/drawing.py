"""P(kappa/<kappa>), a slice of an inherent structure coloured by its dipole stiffness, and the softest mode."""

from __future__ import annotations

import functools

import matplotlib as mpl
import numpy as np
from matplotlib.colors import ListedColormap

import pelplug

__all__ = ["draw_distribution", "draw_figure", "draw_response", "draw_slice", "draw_soft_mode"]

# Soft spots are few: the map glows there and recedes into the dark where the state is stiff. Its palest end, which
# white paper would swallow, is left out.
COLOURS = ListedColormap(mpl.colormaps["inferno"](np.linspace(0.93, 0.08, 256)), "soft to stiff")
BODY, CORE = "#dfe5ea", "#f4c095"
_REACH = 6.0  # half the width of the picture of a mode, in mean particle distances


def draw_distribution(dataset, ax=None, **keywords):
    """Draw P(kappa/<kappa>), both axes logarithmic, with the mean and its interval in the legend.

    Arguments are those of `pelplug.Panel`; its Axes is returned.
    """
    panel = pelplug.Panel(dataset, ax, **keywords)
    density, ratio = dataset["kappa_distribution"], dataset["kappa_ratio"]
    panel.axes(r"$\kappa_{ij}\,/\,\langle\kappa\rangle$", r"$P(\kappa_{ij}/\langle\kappa\rangle)$", log="xy")
    error = next((dataset[name] for name in _ERRORS if name in dataset), None)
    if error is not None and error.ndim == 2:
        error = error.transpose("bound", ...)
    fewest = pelplug.FEWEST_FOR_ERROR if error is None or error.ndim < 2 else pelplug.FEWEST_FOR_INTERVAL
    panel.curve(ratio, density, error, markersize=3.5, why=f"seen in fewer than {fewest} of them")
    seen = density.values[density.values > 0]
    if seen.size:
        low, high = panel.ax.get_ylim() if panel.beside and len(panel.ax.lines) > 1 else (np.inf, 0.0)
        panel.ax.set_ylim(min(low, 0.3 * seen.min()), max(high, 3.0 * seen.max()))
    for line in _found(dataset):
        panel.note(line)
    panel.level(1.0, axis="x", shared=True)
    return panel.finish()


_ERRORS = ("kappa_distribution_interval", "kappa_distribution_error")


def draw_slice(dataset, ax=None, frame: int = 0):
    """Draw the particles around the softest one, at their size, coloured by kappa_i.

    In three dimensions a layer one mean particle distance thick, parallel to the first two cell vectors, through the
    softest particle; in two dimensions everything. Particles at the border are drawn on both sides.

    Parameters
    ----------
    dataset : Dataset
        Result of the analysis.
    ax : Axes, optional
        Where; a new figure if None.
    frame : int
        Place of the frame in the dataset.

    Returns
    -------
    Axes
    """
    state = dataset.isel(frame=frame)
    kappa = state["kappa"]
    where = "layer through the softest particle" if dataset.sizes["dimension"] == 3 else "inherent structure"
    panel = pelplug.Panel(dataset, ax).title(f"{where}, frame {int(state['frame'])}")
    if not np.isfinite(kappa).any():
        return panel.nothing("no particle has a stiffness").finish()
    softest = int(np.nanargmin(kappa.values))
    return panel.particles(
        state, softest, values=kappa, symbol=r"$\kappa_i$", colour_map=COLOURS, spread=(0.005, 0.99)
    ).ax


def draw_soft_mode(dataset, ax=None):
    """Draw the displacements of the softest mode of all frames around its core, in the plane of the first cell vectors.

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
    place = int(np.argmin(dataset["soft_mode_stiffness"].values))
    label, core = int(dataset["soft_mode_frame"].values[place]), int(dataset["soft_mode_core"].values[place])
    state = dataset.sel(frame=label)
    cell, n = state["cell"].values, dataset.sizes["particle"]
    spacing = (abs(np.linalg.det(cell)) / n) ** (1.0 / len(cell))
    colours = [CORE if particle == core else BODY for particle in range(n)]
    frequency = dataset["soft_mode_frequency"]
    moving = (n - int(state["n_rattlers"])) * float(dataset["soft_mode_participation_ratio"].values[place])
    number = pelplug.Panel.number(r"$\omega$", frequency[place].assign_attrs(frequency.attrs))
    where = "layer through its core" if len(cell) == 3 else "around its core"
    panel = pelplug.Panel(dataset, ax).title(f"softest mode, {where}, frame {label}\n{number}, $N e$ = {moving:.0f}")
    return panel.particles(state, core, colours=colours, arrows=state["softest_mode"].values, reach=_REACH * spacing).ax


def draw_response(dataset, place=0, ax=None):
    """Draw a response z_ij around its pair, whose dipole is black, in the plane of the first two cell vectors.

    Of several frames the one where the pair is softest, or stiffest where that was asked for.

    Parameters
    ----------
    dataset : Dataset
        Result of the analysis, with responses.
    place : int
        Which of the responses.
    ax : Axes, optional
        Where; a new figure if None.

    Returns
    -------
    Axes
    """
    one = dataset.isel(response=place)
    name, kappa = str(one["response"].values), one["response_kappa"]
    if not np.isfinite(kappa).any():
        return pelplug.Panel(dataset, ax).title(f"response of {name}").nothing("the two do not interact").finish()
    state = one.isel(frame=int((np.nanargmax if name == "stiffest" else np.nanargmin)(kappa.values)))
    cell, pair = state["cell"].values, (int(state["response_i"]), int(state["response_j"]))
    n, direction = dataset.sizes["particle"], state["response_direction"].values
    spacing = (abs(np.linalg.det(cell)) / n) ** (1.0 / len(cell))
    number = pelplug.Panel.number(r"$\kappa_{ij}$", state["response_kappa"].assign_attrs(kappa.attrs))
    which = f"{name} pair" if name in ("softest", "stiffest") else "pair"
    where = f"response of the {which} {pair[0]}-{pair[1]}, frame {int(state['frame'])}"
    panel = pelplug.Panel(dataset, ax).title(f"{where}\n{'layer through the first, ' * (len(cell) == 3)}{number}")
    colours = [CORE if particle in pair else BODY for particle in range(n)]
    forces = np.zeros((n, len(cell)))
    forces[pair[0]] -= direction
    forces[pair[1]] += direction
    arrows = state["response_field"].values
    return panel.particles(state, pair[0], colours=colours, arrows=arrows, forces=forces, reach=_REACH * spacing).ax


def draw_figure(dataset):
    """Draw the distribution, the slice, the softest mode and the responses; above three dimensions the first only."""
    draws = [functools.partial(draw_distribution, dataset)]
    if dataset.sizes["dimension"] in (2, 3):
        # The frame with the softest particle of all.
        softest = dataset["kappa"].min("particle").values
        frame = int(np.nanargmin(softest)) if np.isfinite(softest).any() else 0
        draws.append(functools.partial(draw_slice, dataset, frame=frame))
        if dataset.sizes.get("soft_mode", 0) > 0:
            draws.append(functools.partial(draw_soft_mode, dataset))
        if "response_field" in dataset:
            draws += [functools.partial(draw_response, dataset, k) for k in range(dataset.sizes["response"])]
    return pelplug.Panel.figure(dataset, draws, widths=(1.0, 1.15, 1.0)[: len(draws)])


def _found(dataset) -> list[str]:
    lines = []
    for symbol, name in ((r"$\langle\kappa\rangle$", "kappa"), ("$G$", "shear_modulus")):
        if f"{name}_mean" not in dataset:
            continue
        mean, interval = dataset[f"{name}_mean"], dataset[f"{name}_interval"]
        text = pelplug.Panel.number(symbol, mean)
        low, high = interval.values
        if np.isfinite(low):
            text += f" ({100 * float(interval.attrs.get('confidence', 0.9)):.3g} %: {low:.4g} to {high:.4g})"
        lines.append(text)
    rattlers = int(dataset["n_rattlers"].sum())
    left_out = f", {rattlers:,} rattlers left out" if rattlers else ""
    return [*lines, f"{dataset.sizes['pair']:,} pairs{left_out}"]
