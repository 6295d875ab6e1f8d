"""Waiting times, their mean at each energy, persistence, and jumps; axes as in the papers."""

from __future__ import annotations

import functools

import numpy as np

import pelplug

__all__ = ["draw_by_energy", "draw_figure", "draw_jumps", "draw_persistence", "draw_waiting_times"]

_FEW = "too few metabasins"


def draw_waiting_times(dataset, ax=None, **keywords):
    """Draw the distribution of waiting times on logarithmic axes.

    Arguments are those of `pelplug.Panel`; its Axes is returned.
    """
    panel = pelplug.Panel(dataset, ax, **keywords)
    if "waiting_density" not in dataset:
        return panel.nothing(_FEW).finish()
    height = dataset["waiting_density"]
    panel.axes((r"$\tau$", dataset["waiting_time"]), (r"$\varphi(\tau)$", height), log="xy")
    edges = dataset["waiting_edges"].values
    middle = np.sqrt(edges[1:] * edges[:-1])
    return panel.curve(middle, height, dataset["waiting_density_error"], bars=True, markersize=4).finish()


def draw_by_energy(dataset, ax=None, **keywords):
    """Draw <tau(e)> with the fit of 1 / Gamma(e) over the bins that it was fitted to, and p_eq(e) behind it."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    if "waiting_time_by_energy" not in dataset:
        return panel.nothing(_FEW).finish()
    energy, mean = dataset["bin_energy"], dataset["waiting_time_by_energy"]
    panel.axes(("$e$", energy), (r"$\langle\tau(e)\rangle$", mean), log="y")
    behind = "" if panel.beside else r"$\langle\tau(e)\rangle$"
    panel.curve(energy, mean, dataset["waiting_time_by_energy_error"], bars=True, label=behind, linestyle="",
                markersize=4)  # fmt: skip
    crossover = float(dataset["crossover_energy"])
    if np.isfinite(crossover):
        fitted = dataset["metabasin_energy"].values[dataset["complete"].values == 1]  # of all of these, not of bins
        line = np.sort(
            np.r_[np.linspace(fitted.min(), fitted.max(), 50), np.clip(crossover, fitted.min(), fitted.max())]
        )
        slope, plateau = float(dataset["rate_slope"]), float(dataset["rate_plateau"])
        curve = np.exp(-slope * np.minimum(line - crossover, 0)) / plateau
        number = panel.number("$e_c$", dataset["crossover_energy"], dataset["crossover_energy_error"])
        panel.fit(line, curve, rf"$1/\Gamma(e)$, {number}")
        panel.level(crossover, "$e_c$", axis="x")
    if panel.beside or not np.isfinite(mean).any():  # the distributions would cover each other
        return panel.finish()
    behind = panel.ax.twinx()
    behind.stairs(dataset["energy_density"].values, dataset["energy_edges"].values, fill=True, color="0.9")
    behind.set(ylim=(0, None))
    behind.set_axis_off()
    behind.set_zorder(panel.ax.get_zorder() - 1)
    panel.ax.patch.set_visible(False)
    return panel.key(r"$p_\mathrm{eq}(e)$, not to scale", color="0.85", linewidth=6).finish()


def draw_persistence(dataset, ax=None, **keywords):
    """Draw S0(t), and S_MB(k, t) of every wave number."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    if "persistence" not in dataset:
        return panel.nothing(_FEW).finish()
    times, persistence = dataset["lag_time"][1:], dataset["persistence"][1:]
    others = [] if panel.beside or "scattering" not in dataset else dataset["wave_number"].values
    panel.axes(("$t$", dataset["lag_time"]), "$S_0(t)$" if not len(others) else "$S(t)$", log="x", ylim=(-0.02, 1.02))
    error = dataset["persistence_error"][1:] if "persistence_error" in dataset else None
    panel.curve(times, persistence, error, label="" if panel.beside else "$S_0(t)$", marker="", linewidth=1.8)
    for row, k in enumerate(others):  # beside other results that of every wave number would be a maze
        label = rf"$S_\mathrm{{MB}}(k={k:g}, t)$"
        panel.curve(times, dataset["scattering"][row, 1:], kind=row + 1, label=label, linestyle="", markersize=3.5)
    number = panel.number(r"$\tau_\alpha$", dataset["relaxation_time"], dataset["relaxation_time_error"])
    return panel.level(
        float(dataset["relaxation_time"]), r"$\tau_\alpha$" if panel.beside else number, axis="x"
    ).finish()


def draw_jumps(dataset, ax=None, **keywords):
    """Draw the squared displacement per jump against the number of jumps, and a^2 + c/n where a^2 n + c was fitted."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    if "squared_displacement" not in dataset:
        return panel.nothing(_FEW if "positions" in dataset else "no positions").finish()
    lags, squared = dataset["jump_lag"], dataset["squared_displacement"]
    panel.axes("$n$ (jumps)", (r"$\langle|R_{m+n}-R_m|^2\rangle/n$", squared), log="x")
    error = dataset["squared_displacement_error"]
    per_jump = (error / lags.values).assign_attrs(error.attrs)
    panel.curve(lags, squared / lags.values, per_jump, bars=True, markersize=4)
    if "squared_jump" in dataset and np.isfinite(float(dataset["squared_jump"])):
        number = panel.number("$a^2$", dataset["squared_jump"], dataset["squared_jump_error"])
        panel.fit(*_line(dataset), f"$a^2 + c/n$, {number}")
    panel.ax.set_ylim(bottom=0)
    return panel.finish()


def _line(dataset):
    """Return n and (a^2 n + c) / n from the first to the last lag of the fit, whose errors grow as the lag."""
    first, last = dataset["jump_window"].values
    slope, lags = float(dataset["squared_jump"]), dataset["jump_lag"].values
    inside = (lags >= first) & (lags <= last)
    rest = dataset["squared_displacement"].values[inside] - slope * lags[inside]
    n = np.geomspace(first, last, 50)
    return n, slope + np.average(rest, weights=1.0 / np.square(lags[inside].astype(float))) / n


def draw_figure(dataset):
    """Return a figure of the four panels."""
    draws = (draw_waiting_times, draw_by_energy, draw_persistence, draw_jumps)
    found = dataset["metabasins"] if "metabasins" in dataset else dataset["metabasin"].size
    panels = [functools.partial(draw, dataset) for draw in draws]
    return pelplug.Panel.figure(dataset, panels, count=f"{int(found):,} metabasins")
