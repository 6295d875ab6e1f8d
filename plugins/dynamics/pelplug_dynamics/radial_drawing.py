"""g(r) of the liquid and of its inherent structures, over U(r)."""

from __future__ import annotations

import functools

import numpy as np

import pelplug

__all__ = ["draw_pair", "panels"]

_DEPTH = 1.5  # of U(r) above its least value, in units of that; g(r) begins where U is about as high


def draw_pair(dataset, a, b, ax=None, **keywords):
    """Draw g(r) of two species, of the liquid and of its inherent structures, and U(r) on the right.

    Other arguments are those of `pelplug.Panel`; its Axes is returned.
    """
    panel = pelplug.Panel(dataset, ax, **keywords)
    one = dataset.sel(species_a=a, species_b=b)
    several = dataset.sizes["species_a"] > 1
    panel.axes(("$r$", dataset["r"]), rf"$g_\mathrm{{{a}{b}}}(r)$" if several else "$g(r)$")
    panel.curve(one["r"], one["rdf"], one["rdf_error"], label="liquid", marker="")
    panel.curve(
        one["r"], one["rdf_inherent"], one["rdf_inherent_error"], kind=1, label="inherent structures", marker=""
    )
    panel.ax.set(xlim=(0, None), ylim=(0, None))
    if not panel.beside and "pair_energy" in dataset and np.ptp(one["pair_energy"].values) > 0:
        _potential(panel, one)
    return panel.finish()


def _potential(panel, one) -> None:
    """Draw U(r) against an axis on the right, from its depth to as much above the g(r) as is seen."""
    behind = panel.ax.twinx()
    behind.set_xlabel(panel.ax.get_xlabel())  # the same axis, whose label is drawn once
    energy = one["pair_energy"]
    seen = one["rdf"].values > 0.01
    least = float(energy.values.min())
    top = max(float(energy.values[seen].max()) if seen.any() else 0.0, _DEPTH * abs(least))
    behind.plot(one["r"], energy, color="0.4", linestyle=(0, (4, 1.5)), linewidth=1.2)
    behind.set(ylabel=pelplug.unit_label("$U(r)$", energy), ylim=(1.1 * min(least, 0.0) - 0.02 * top, top))
    behind.spines["right"].set_visible(True)
    panel.key("$U(r)$, right axis", (0, (4, 1.5)), color="0.4")


def panels(dataset) -> list:
    """Return what draws each pair of species."""
    names = [str(name) for name in dataset["species_a"].values]
    return [functools.partial(draw_pair, dataset, a, b) for k, a in enumerate(names) for b in names[k:]]
