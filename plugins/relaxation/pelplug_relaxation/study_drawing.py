"""v(t) by temperature, beta between its two limits, the collapse of sizes, and distances between minima."""

from __future__ import annotations

import functools

import numpy as np

import pelplug

__all__ = ["draw_beta", "draw_collapse", "draw_distances", "draw_study", "draw_velocities", "panels"]

FEWER = f"fewer than {pelplug.FEWEST_FOR_ERROR} samples"


def _finite(temperatures: np.ndarray) -> np.ndarray:
    """Return temperatures for a map of colours: infinity a little above the others."""
    known = temperatures[np.isfinite(temperatures)]
    return np.where(np.isfinite(temperatures), temperatures, 1.5 * known.max() if known.size else 1.0)


def draw_velocities(dataset, ax=None, **keywords):
    """Draw v(t) of the largest system at each temperature, from cold to hot."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(("$t$", dataset["descent_time"]), ("$v(t)$", dataset["velocity"]), log="xy")
    temperatures = dataset["temperature"].values
    for k, colour in enumerate(pelplug.Panel.colours(_finite(temperatures))):
        known = np.flatnonzero(dataset["descents"].values[k])
        at = dataset.isel(temperature=k, particles=int(known[-1]))
        of_one = pelplug.Panel(at, panel.ax, color=colour)
        label = f"$T = {temperatures[k]:g}$" if np.isfinite(temperatures[k]) else r"$T = \infty$"
        of_one.curve(at["descent_time"], at["velocity"], at["velocity_error"], label=label, marker="", why=FEWER)
    return panel.finish()


def draw_beta(dataset, ax=None, **keywords):
    """Draw beta over temperature for each size, and its two limits; infinity is a level."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    finite = np.isfinite(dataset["temperature"].values)
    if not np.isfinite(dataset["beta"]).any():
        return panel.nothing("no window for beta").finish()
    if not finite.any():
        panel.axes(("$N$", dataset["particles"]), r"$\beta$", log="x")
        hot = dataset.isel(temperature=0)
        panel.curve(dataset["particles"], hot["beta"], hot["beta_error"], bars=True, label=r"$T = \infty$", why=FEWER)
    else:
        panel.axes(("$T$", dataset["temperature"]), r"$\beta$", log="x")
        for kind, n in enumerate(dataset["particles"].values):
            one = dataset.isel(particles=kind, temperature=finite)
            label = f"$N = {n}$"
            panel.curve(
                one["temperature"], one["beta"], one["beta_error"], kind=kind, bars=True, label=label, why=FEWER
            )
    if "beta_hot" in dataset:
        panel.level(float(dataset["beta_hot"]), r"$T = \infty$, published", shared=True)
    if "beta_harmonic" in dataset:
        panel.level(float(dataset["beta_harmonic"]), "$d/4 + 1/2$", shared=True, linestyle="--")
    if np.isfinite(dataset["t_sf_lower"]):
        for name in ("t_sf_lower", "t_sf_upper"):
            panel.level(float(dataset[name]), r"$T_\mathrm{SF}$ between" if name == "t_sf_lower" else "", axis="x")
    return panel.finish()


def draw_collapse(dataset, ax=None, **keywords):
    """Draw v N^(beta z) over t / N^z at the hottest temperature of which z is known."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    k = int(np.flatnonzero(np.isfinite(dataset["z"].values))[-1])
    at = dataset.isel(temperature=k)
    z, beta = float(at["z"]), float(at["collapse_beta"])
    panel.axes("$t / N^z$", r"$v N^{\beta z}$", log="xy")
    for kind, n in enumerate(at["particles"].values):
        one = at.isel(particles=kind)
        if not int(one["descents"]):
            continue
        panel.curve(
            one["descent_time"] / float(n) ** z, one["velocity"] * float(n) ** (beta * z), kind=kind, marker="",
            label=f"$N = {n}$",
        )  # fmt: skip
    which = f"$T = {float(at['temperature']):g}$: " if dataset.sizes["temperature"] > 1 else ""
    panel.title(which + panel.number("$z$", at["z"], at["z_error"]))
    return panel.finish()


def draw_distances(dataset, ax=None, **keywords):
    """Draw the distances between minima that algorithms reach from one start, after Fig. S5 of Nishikawa et al."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    names = [name for name in dataset.data_vars if name.startswith("distance_") and not name.endswith("_error")]
    panel.axes(("$T$", dataset["temperature"]), ("distance", dataset[names[0]]), log="xy")
    for kind, name in enumerate(names):
        for k in range(dataset.sizes["particles"]):
            one = dataset.isel(particles=k)
            label = " and ".join(name.split("_")[1:]) if k == 0 else ""
            panel.curve(
                one["temperature"], one[name], one[f"{name}_error"], kind=kind, bars=True, label=label, why=FEWER
            )
    return panel.finish()


def panels(dataset) -> list:
    """Return what draws v(t), beta, and where there are any the collapse and the distances."""
    draws = [draw_velocities, draw_beta]
    draws += [draw_collapse] if "z" in dataset and np.isfinite(dataset["z"]).any() else []
    draws += [draw_distances] if "distance_sd_cg" in dataset and np.isfinite(dataset["distance_sd_cg"]).any() else []
    return [functools.partial(draw, dataset) for draw in draws]


def draw_study(dataset):
    """Draw all of it."""
    draws = panels(dataset)
    count = f"{int(dataset['runs'].sum())} runs, {int(dataset['descents'].sum())} descents"
    return pelplug.Panel.figure(dataset, draws, columns=2, count=count)
