"""Inherent-structure energies over time, with transitions, and their distribution."""

from __future__ import annotations

import functools

import numpy as np

import pelplug

__all__ = [
    "draw_energies",
    "draw_energy_distribution",
    "draw_figure",
    "draw_frequencies",
    "draw_transition_figure",
    "draw_transitions",
]

_ENERGY = r"$e_\mathrm{IS}$"


def draw_energies(dataset, ax=None, **keywords):
    """Draw the inherent-structure energy per particle over time, with its mean and standard deviation.

    Arguments are those of `pelplug.Panel`; its Axes is returned.
    """
    panel, energy = pelplug.Panel(dataset, ax, **keywords), dataset["energy_per_particle"]
    over = panel.frames()
    _curves(panel.axes(over, _label(energy)), over[1], energy, markersize=4, linewidth=1.0)
    if not panel.beside:
        mean = energy.mean().assign_attrs(energy.attrs)
        panel.level(float(mean), panel.number("mean", mean), linestyle="-", color="0.6")
        if energy.size > 1:
            low, high = (float(mean + sign * energy.std(ddof=1)) for sign in (-1, 1))
            panel.ax.axhspan(low, high, color="0.93", zorder=-1, label="one standard deviation of the energies")
    return panel.finish()


def draw_frequencies(dataset, ax=None, **keywords):
    """Draw the mean of ln omega over the modes of each structure against its energy; see `draw_energies`."""
    panel, energy = pelplug.Panel(dataset, ax, **keywords), dataset["energy_per_particle"]
    mean, unit = dataset["log_frequency_sum"] / dataset["modes"], dataset["log_frequency_sum"].attrs["frequency_unit"]
    panel.axes(_label(energy), rf"mean of $\ln\,\omega$ over modes ($\omega$ in {unit})")
    panel.curve(energy, mean, linestyle="", markersize=4)
    return panel.finish()


def draw_figure(dataset):
    """Draw the energies over time, and the frequencies against them where they are known."""
    draws = [draw_energies] + [draw_frequencies] * ("log_frequency_sum" in dataset)
    return pelplug.Panel.figure(dataset, [functools.partial(draw, dataset) for draw in draws])


def draw_transitions(dataset, ax=None, **keywords):
    """Draw the inherent-structure energy per particle over time, a mark at every transition; see `draw_energies`."""
    panel, energy = pelplug.Panel(dataset, ax, **keywords), dataset["energy_per_particle"]
    panel.axes(("$t$", dataset["time"]), _label(energy))
    _curves(panel, dataset["time"], energy, marker="", linewidth=0.8, drawstyle="steps-mid")
    times = dataset["transition_time"].values
    if not panel.beside:
        low, high = float(energy.min()), float(energy.max())
        level = np.full(len(times), low - 0.05 * ((high - low) or 1e-3))
        label = f"{len(times):,} transitions"
        panel.ax.plot(times, level, "|", color="0.4", markersize=5, label=label)
    return panel.finish()


def draw_energy_distribution(dataset, ax=None, **keywords):
    """Draw P(e_IS); see `draw_energies`."""
    panel, density = pelplug.Panel(dataset, ax, **keywords), dataset["density"]
    centres = dataset["bin_energy"].values
    width = 1 / density.values.sum()
    edges = np.append(centres - width / 2, centres[-1] + width / 2)
    panel.axes(_label(dataset["bin_energy"]), (r"$P(e_\mathrm{IS})$", density))
    panel.histogram(edges, density, dataset.get("density_error"))
    panel.ax.set_ylim(bottom=0)
    return panel.finish()


def panels(dataset) -> list:
    """Return what draws transitions, and P(e_IS)."""
    draws = (draw_transitions, draw_energy_distribution)
    return [functools.partial(draw, dataset) for draw in draws]


def draw_transition_figure(dataset):
    """Draw both, the energies over time wider."""
    return pelplug.Panel.figure(dataset, panels(dataset), widths=(1.6, 1.0))


def _curves(panel, x, energy, **style) -> None:
    """Draw a line for each run: from the end of one to the start of the next nothing went."""
    run = panel.dataset["run"].values if "run" in panel.dataset.coords else np.zeros(energy.size, dtype=int)
    for one in np.unique(run):
        panel.curve(x[run == one], energy[run == one], **style)


def _label(energy) -> str:
    return pelplug.unit_label(_ENERGY, energy, "per particle")
