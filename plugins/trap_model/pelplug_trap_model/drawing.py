"""The trap model over temperature: D, tau_alpha and xi beside their closed forms, S_0(t), and what decides."""

from __future__ import annotations

import json

import numpy as np

import pelplug

__all__ = ["draw_exponent", "draw_shares", "draw_stokes_einstein", "draw_study", "draw_times"]

CLOSED = "closed form"
PUBLISHED = (0.45, 0.6)  # temperatures between which the paper compares with simulations
SHOWN = 5  # temperatures of S_0(t)
SYMBOLS = {"diffusion_coefficient": "$D$", "relaxation_time": r"$\tau_\alpha$"}


def _marker(dataset, symbol: str) -> str:
    """Return the marker of what is a line over several temperatures; one alone would not be seen."""
    return "" if dataset.sizes["temperature"] > 1 else symbol


def _smooth(panel, x, dataset, name, **style):
    """Draw a variable and its closed form over x."""
    error = dataset.get(f"{name}_error")
    panel.curve(x, dataset[name], error, label="by integration", **style)
    if not panel.beside:
        marker = _marker(dataset, "x")
        panel.curve(x, dataset[f"closed_{name}"], kind=1, label=CLOSED, marker=marker, linestyle="--")


def draw_times(dataset, ax=None, name="diffusion_coefficient", **keywords):
    """Draw D or tau_alpha over the inverse temperature: the model's side of Fig. 1 of Rehwald and Heuer."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    inverse = (1.0 / dataset["temperature"]).assign_attrs(units="1 / temperature")
    panel.axes(("$1/T$", inverse), (SYMBOLS[name], dataset[name]), log="y")
    _smooth(panel, inverse, dataset, name)
    panel.ax.set_ylim(*_limits(_in_sight(dataset, name)))
    if not panel.beside:
        for k, temperature in enumerate(PUBLISHED):
            label = "range of the paper" if k == 0 else ""
            panel.level(1.0 / temperature, label, axis="x", shared=True)
    return panel.finish()


def draw_exponent(dataset, ax=None, **keywords):
    """Draw xi over temperature, with its limit."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(("$T$", dataset["temperature"]), r"$\xi = d\,\ln(D\tau_\alpha)\,/\,d\,\ln\tau_\alpha$")
    _smooth(panel, dataset["temperature"], dataset, "exponent")
    limit = float(dataset["limit_exponent"])
    panel.level(limit, rf"$2\lambda/(2+\lambda) = {limit:.3g}$", shared=True)
    panel.ax.set_ylim(max(-0.6, float(np.nanmin([*_in_sight(dataset, "exponent"), limit])) - 0.1), 1.05)
    return panel.finish()


def draw_stokes_einstein(dataset, ax=None, **keywords):
    """Draw <Gamma><1/Gamma> over tau_alpha: Fig. 8 of Rehwald and Heuer without coupling."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    time, product = dataset["relaxation_time"], dataset["decoupling"]
    label = r"$\langle\Gamma\rangle\langle 1/\Gamma\rangle \propto D\tau_\alpha$"
    panel.axes((SYMBOLS["relaxation_time"], time), label, log="xy")
    error = dataset.get("decoupling_error")
    panel.curve(time, product, error, label="by integration")
    limit = float(dataset["limit_exponent"])
    ends = np.array([float(time.min()), float(time.max())])
    middle = int(np.argmin(np.abs(dataset["temperature"].values - PUBLISHED[1])))
    if not panel.beside:
        line = float(product[middle]) * (ends / float(time[middle])) ** limit
        panel.curve(ends, line, kind=1, label=f"slope {limit:.3g}", marker="", linestyle="--")
    panel.ax.set_ylim(*_limits(product.values))
    return panel.finish()


def draw_persistence(dataset, ax=None):
    """Draw S_0(t) at some temperatures: the model's side of Fig. 2 of Rehwald and Heuer."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes(("$t$", dataset["lag_time"]), "$S_0(t)$", log="x")
    temperatures = dataset["temperature"].values
    chosen = np.unique(np.linspace(0, temperatures.size - 1, min(SHOWN, temperatures.size)).round().astype(int))
    for k, colour in zip(chosen, pelplug.Panel.colours(temperatures[chosen]), strict=True):
        at = dataset.isel(temperature=k)
        one = pelplug.Panel(at, panel.ax, color=colour)
        one.curve(at["lag_time"], at["persistence"], label=f"$T = {temperatures[k]:g}$", marker="")
    return panel.finish()


def draw_shares(dataset, ax=None):
    """Draw how much of p_eq(e) and of <1/Gamma> lies near the cutoff and above the crossover."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes(("$T$", dataset["temperature"]), "share", ylim=(-0.03, 1.03))
    near = json.loads(dataset.attrs["parameters"])["near"]
    rows = (
        ("relaxation_near_cutoff", rf"$\langle 1/\Gamma\rangle$ within {near:g} of the cutoff", 0, "-"),
        ("near_cutoff", rf"$p_\mathrm{{eq}}$ within {near:g} of the cutoff", 0, "--"),
        ("jumps_above_crossover", r"$\langle\Gamma\rangle$ above the crossover", 1, "-"),
        ("above_crossover", r"$p_\mathrm{eq}$ above the crossover", 1, "--"),
        ("relaxation_above_crossover", r"$\langle 1/\Gamma\rangle$ above the crossover", 1, ":"),
    )
    for (name, label, kind, line), symbol in zip(rows, "osD^x", strict=True):
        marker = _marker(dataset, symbol)
        panel.curve(dataset["temperature"], dataset[name], kind=kind, label=label, linestyle=line, marker=marker)
    return panel.finish()


def draw_study(dataset):
    """Draw all of it."""
    draws = [
        lambda ax: draw_times(dataset, ax),
        lambda ax: draw_times(dataset, ax, "relaxation_time"),
        lambda ax: draw_exponent(dataset, ax),
        lambda ax: draw_stokes_einstein(dataset, ax),
        lambda ax: draw_persistence(dataset, ax),
        lambda ax: draw_shares(dataset, ax),
    ]
    return pelplug.Panel.figure(dataset, draws, columns=3, count=in_words(json.loads(dataset.attrs["parameters"])))


def in_words(given):
    """Return the parameters of the landscape, for the title."""
    symbols = (
        (r"$\sigma$", "sigma"),
        (r"$\lambda$", "lam"),
        ("$e_c$", "crossover"),
        (r"$\kappa$", "entropic_factor"),
        (r"$\Gamma_0$", "rate_prefactor"),
        ("$V_0$", "last_barrier"),
        (r"$e_\mathrm{cut}$", "cutoff"),
        (r"$\sigma_\gamma$", "sigma_gamma"),
        ("$e_0$", "centre"),
    )
    return ", ".join(f"{symbol} = {given[name]:g}" for symbol, name in symbols)


def _in_sight(dataset, name):
    """Return what must lie within the axes: what was integrated, and at one temperature alone the closed form too.

    Lines of closed forms over several temperatures may go far outside.
    """
    names = [name, f"closed_{name}"] if dataset.sizes["temperature"] == 1 else [name]
    return np.concatenate([dataset[one].values for one in names])


def _limits(values):
    """Return limits of a logarithmic axis about some values."""
    low, high = np.log10(np.nanmin(values)), np.log10(np.nanmax(values))
    margin = 0.08 * (high - low) + 0.05
    return 10.0 ** (low - margin), 10.0 ** (high + margin)
