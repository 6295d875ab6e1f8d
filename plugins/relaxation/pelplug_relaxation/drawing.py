"""v(t) on logarithmic axes with its fit; local slope; energy."""

from __future__ import annotations

import functools

import numpy as np

import pelplug

__all__ = ["draw_amplification", "draw_distance", "draw_energy", "draw_figure", "draw_slope", "draw_velocity", "panels"]

_AT_REST = "every frame is at rest"
_NOTHING_ABOVE = 1e-14  # of an energy, the rounding of its difference


def draw_velocity(dataset, ax=None, **keywords):
    """Draw v(t), its standard error and the fitted power law.

    Arguments are those of `pelplug.Panel`; its Axes is returned.
    """
    panel = pelplug.Panel(dataset, ax, **keywords)
    times, mean = dataset["descent_time"], dataset["mean_velocity"]
    if not (mean > 0).any():  # a logarithmic axis needs a positive value; frames that are minima already have none
        return panel.nothing(_AT_REST).finish()
    panel.axes(("$t$", times), ("$v(t)$", mean), log="xy")
    panel.curve(times, mean, dataset["mean_velocity_error"])
    if "beta" in dataset and np.isfinite(float(dataset["beta"])):
        line = np.geomspace(*dataset["fit_window"].values, 50)
        curve = float(dataset["amplitude"]) * line ** -float(dataset["beta"])
        number = panel.number(r"$\beta$", dataset["beta"], dataset["beta_error"])
        panel.fit(line, curve, rf"$t^{{-\beta}}$, {number}")
    return panel.finish()


def draw_slope(dataset, ax=None, **keywords):
    """Draw the local slope -d ln v / d ln t; beta in its window."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    if not np.isfinite(dataset["local_slope"]).any():
        return panel.nothing("no slope of v").finish()
    panel.axes(("$t$", dataset["descent_time"]), r"$-d\ln v\,/\,d\ln t$", log="x")
    panel.curve(dataset["descent_time"], dataset["local_slope"], marker="")
    top = 2.0  # at the end of the descent, where it is exponential, the slope grows without bound
    if "beta" in dataset and np.isfinite(float(dataset["beta"])):
        beta = float(dataset["beta"])
        panel.fit(dataset["fit_window"].values, [beta, beta], r"$\beta$")
        top = max(top, 1.5 * beta)
    panel.ax.set_ylim(0, top)
    return panel.finish()


def draw_energy(dataset, ax=None, **keywords):
    """Draw the energy per particle above that of the inherent structures."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    energy = dataset["energy_per_particle"]
    above = (energy - dataset["inherent_energy_per_particle"]).mean("frame").values
    symbol = r"$e(t) - e_\mathrm{IS}$"
    known = np.isfinite(above).any()
    if not known:
        above, symbol = dataset["mean_energy_per_particle"].values, "$e(t)$"
    good = np.where(above > _NOTHING_ABOVE, above, np.nan) if known else above
    if not np.isfinite(good).any():
        return panel.nothing(_AT_REST).finish()
    log = "xy" if known else "x"
    panel.axes(("$t$", dataset["descent_time"]), pelplug.unit_label(symbol, energy, "per particle"), log=log)
    return panel.curve(dataset["descent_time"], good, marker="").finish()


def draw_distance(dataset, ax=None, **keywords):
    """Draw the distance to the end, after Fig. S4 of Nishikawa et al., and its standard error."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    times, mean = dataset["descent_time"], dataset["mean_distance_to_end"]
    if not (mean > 0).any():
        return panel.nothing(_AT_REST).finish()
    panel.axes(("$t$", times), (r"$|r(t) - r(\infty)|$", mean), log="xy")
    return panel.curve(times, mean, dataset["mean_distance_to_end_error"]).finish()


def draw_amplification(dataset, ax=None, **keywords):
    """Draw how far displaced starts have gone apart: exp of the mean logarithm, and how often minima differ."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    times = dataset["descent_time"]
    panel.axes(("$t$", times), r"$\exp\langle\ln(|\delta(t)|\,/\,|\delta(0)|)\rangle$", log="xy")
    grown = np.exp(dataset["mean_log_amplification"])
    share = panel.number("other minimum", dataset["different_minima"], dataset["different_minima_error"])
    panel.curve(times, grown, grown * dataset["mean_log_amplification_error"], label=share)
    return panel.finish()


def panels(dataset) -> list:
    """Return what draws v(t), the local slope, the energy, and where they are known distances."""
    draws = [draw_velocity, draw_slope, draw_energy]
    draws += [draw_distance] if "mean_distance_to_end" in dataset else []
    draws += [draw_amplification] if "mean_log_amplification" in dataset else []
    return [functools.partial(draw, dataset) for draw in draws]


def draw_figure(dataset):
    """Return a figure of all of them."""
    return pelplug.Panel.figure(dataset, panels(dataset))
