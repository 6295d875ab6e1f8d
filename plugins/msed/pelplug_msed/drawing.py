"""Plots of the mean-squared energy difference."""

from __future__ import annotations

import functools

import numpy as np

import pelplug

__all__ = ["draw_diffusion", "draw_distributions", "draw_figure", "draw_msed"]

_FEWEST = 300  # differences in a distribution that is drawn


def draw_msed(dataset, ax=None, **keywords):
    """Draw <Delta^2>(t) over the logarithm of time, with the fit and the long-time limit.

    Arguments are those of `pelplug.Panel`; its Axes is returned.
    """
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(("$t$", dataset["lag"]), (r"$\langle\Delta^2\rangle(t)$", dataset["msed"]), log="x")
    panel.curve(dataset["lag"], dataset["msed"], dataset["msed_error"], marker=".", linewidth=0.9)
    panel.level(float(dataset["long_time_limit"]), r"$2\,\mathrm{Var}(E)/N^2$")
    if "tau" in dataset and np.isfinite(dataset["fit_window"]).all():
        t = np.geomspace(*dataset["fit_window"].values, 200)
        rise = -np.expm1(-t / float(dataset["tau"]))
        line = float(dataset["u0_squared"]) + float(dataset["um_squared"]) * rise
        panel.fit(t, line, "Eq. 11: " + panel.number(r"$\tau^*$", dataset["tau"], dataset["tau_error"]))
    # Fixed limits would cut off what is drawn over this one later.
    panel.ax.autoscale(axis="y")
    panel.ax.set_ylim(bottom=0.0)
    return panel.finish()


def draw_distributions(dataset, ax=None):
    """Draw phi(Delta) at each lag."""
    panel = pelplug.Panel(dataset, ax)
    if "phi" not in dataset or not dataset.sizes["phi_lag"]:
        return panel.nothing("no distribution of energy differences").finish()
    panel.axes((r"$\Delta$", dataset["phi_edges"]), (r"$\varphi(\Delta)$", dataset["phi"]), log="y")
    lags = dataset["phi_lag"].values
    # The correlator leaves entries out: at a lag of k entries it takes about 12/k of all. A handful of differences
    # would be as many dots at the same height.
    taken = 12.0 * float(dataset["pairs"][0]) * float(dataset["lag"][0]) / lags
    chosen = np.flatnonzero((taken > _FEWEST) | (np.arange(len(lags)) == 0))
    for place, k in enumerate(chosen):
        edges = dataset["phi_edges"].values[k]
        label = panel.number("$t$", dataset["phi_lag"][k])
        middle = 0.5 * (edges[1:] + edges[:-1])
        panel.curve(middle, dataset["phi"].values[k], kind=place, label=label, linestyle="", marker=".", markersize=4)
    return panel.finish()


def draw_diffusion(dataset, ax=None, **keywords):
    """Draw D_E(t) = <Delta^2>/(2t)."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(("$t$", dataset["lag"]), ("$D_E(t)$", dataset["energy_diffusion"]), log="xy")
    # It is <Delta^2> over 2 t: so is its error.
    error = dataset["msed_error"] / (2.0 * dataset["lag"].values)
    return panel.curve(
        dataset["lag"], dataset["energy_diffusion"], error.assign_attrs(dataset["msed_error"].attrs), marker=""
    ).finish()


def draw_figure(dataset):
    """Draw all three."""
    draws = (draw_msed, draw_distributions, draw_diffusion)
    return pelplug.Panel.figure(dataset, [functools.partial(draw, dataset) for draw in draws])
