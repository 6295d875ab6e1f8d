"""Stiffness over temperature: means of kappa and G, how they grow, and the distribution at each temperature."""

from __future__ import annotations

import pelplug

__all__ = ["draw_distributions", "draw_growth", "draw_mean", "draw_study"]

SYMBOLS = {"kappa": r"$\langle\kappa\rangle$", "shear_modulus": "$G$"}


def draw_mean(dataset, name, ax=None, **keywords):
    """Draw the mean of kappa or of G over temperature, with its standard error."""
    mean, error = dataset[f"{name}_mean"], dataset[f"{name}_mean_error"]
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(("$T$", dataset["temperature"]), (SYMBOLS[name], mean))
    return panel.curve(dataset["temperature"], mean, error, bars=True).finish()


def draw_growth(dataset, ax=None, **keywords):
    """Draw both means over those at the highest temperature: Fig. 3 of Kapteijns et al."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(("$T$", dataset["temperature"]), "over that at the highest $T$")
    for kind, (name, symbol) in enumerate(SYMBOLS.items()):
        ratio, error = dataset[f"{name}_relative"], dataset[f"{name}_relative_error"]
        panel.curve(dataset["temperature"], ratio, error, kind=kind, label=symbol, bars=True, why="it is 1 there")
    return panel.finish()


def draw_distributions(dataset, ax=None):
    """Draw P(kappa/<kappa>) at each temperature, from cold to hot."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes(r"$\kappa_{ij}\,/\,\langle\kappa\rangle$", r"$P(\kappa_{ij}/\langle\kappa\rangle)$", log="xy")
    temperatures = dataset["temperature"].values
    for k, colour in enumerate(pelplug.Panel.colours(temperatures)):
        at = dataset.isel(temperature=k)
        of_one = pelplug.Panel(at, panel.ax, color=colour)
        label = f"$T = {temperatures[k]:g}$"
        why = f"seen in fewer than {pelplug.FEWEST_FOR_ERROR} of them"
        values, error = at["kappa_distribution"], at["kappa_distribution_error"]
        of_one.curve(at["kappa_ratio"], values, error, label=label, why=why)
    return panel.finish()


def draw_study(dataset):
    """Draw all of it."""
    draws = [
        lambda ax: draw_mean(dataset, "kappa", ax),
        lambda ax: draw_mean(dataset, "shear_modulus", ax),
        lambda ax: draw_growth(dataset, ax),
        lambda ax: draw_distributions(dataset, ax),
    ]
    count = f"{int(dataset['runs'].sum())} runs, {int(dataset['structures'].sum())} inherent structures"
    return pelplug.Panel.figure(dataset, draws, columns=2, count=count)
