"""Energies and entropies over temperature, and the extrapolation to T_K."""

from __future__ import annotations

import numpy as np

import pelplug

__all__ = ["draw_entropy", "draw_study"]


def draw_entropy(dataset, ax=None, **keywords):
    """Draw the configurational entropy at the temperatures that T_K is from, and its extrapolation."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(("$T$", dataset["temperature"]), r"$S_\mathrm{conf}/(N k_\mathrm{B})$")
    one = dataset.isel(temperature=np.flatnonzero(dataset["fitted"].values))
    values, error = one["configurational_entropy"], one["configurational_entropy_error"]
    panel.curve(one["temperature"], values, error, bars=True, linestyle="")
    point = float(dataset["kauzmann_temperature"])
    if np.isfinite(point):
        line = np.linspace(point, float(one["temperature"].max()), 200)
        curve = float(dataset["entropy_limit"]) - float(dataset["entropy_slope"]) / line**2
        number = panel.number(r"$T_\mathrm{K}$", dataset["kauzmann_temperature"], dataset["kauzmann_temperature_error"])
        panel.fit(line, curve, f"$s_0 - s_1/T^2$, {number}")
    panel.level(0.0, shared=True)
    return panel.finish()


def draw_parts(dataset, ax=None):
    """Draw the entropies of the liquid and of vibrations."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes(("$T$", dataset["temperature"]), r"$S/(N k_\mathrm{B})$, $\hbar = 1$", log="x")
    vibrations = dataset["harmonic_entropy"] + dataset["anharmonic_entropy"]
    for kind, (values, label) in enumerate(
        ((dataset["liquid_entropy"], "liquid"), (dataset["harmonic_entropy"], "harmonic"), (vibrations, "vibrations"))
    ):
        panel.curve(dataset["temperature"], values, kind=kind, label=label)
    return panel.finish()


def draw_energies(dataset, ax=None):
    """Draw the energies of the liquid and of its inherent structures."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes(("$T$", dataset["temperature"]), ("energy per particle", dataset["potential_energy"]), log="x")
    for kind, (name, label) in enumerate((("potential_energy", "liquid"), ("inherent_energy", "inherent structures"))):
        panel.curve(dataset["temperature"], dataset[name], dataset[f"{name}_error"], kind=kind, label=label, bars=True)
    return panel.finish()


def draw_study(dataset):
    """Draw all of it."""
    draws = (draw_energies, draw_parts, draw_entropy)
    count = f"{int(dataset['samples'].sum())} independent samples"
    return pelplug.Panel.figure(dataset, [lambda ax, draw=draw: draw(dataset, ax) for draw in draws], count=count)
