"""Distributions of the dipole stiffness of mobile and immobile particles."""

from __future__ import annotations

import functools

import numpy as np

import pelplug

__all__ = ["draw_distributions", "draw_figure", "draw_ranks"]

_ORDER = {"mobile": 1, "immobile": 0, "all": 4}  # the colours of the panel


def draw_distributions(dataset, ax=None, **keywords):
    """Draw P(kappa_i/<kappa>) of each group.

    Arguments are those of `pelplug.Panel`; its Axes is returned.
    """
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(r"$\kappa_i\,/\,\langle\kappa\rangle$", r"$P(\kappa_i/\langle\kappa\rangle)$", log="x")
    return _groups(panel, dataset, "kappa_distribution", dataset["kappa_bin_edges"].values)


def draw_ranks(dataset, ax=None, **keywords):
    """Draw the density of the rank of kappa_i in each group; see `draw_distributions`."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(r"rank of $\kappa_i$ in its species", "probability density", xlim=(0, 1))
    if not panel.beside:
        panel.title(panel.number(r"$C_\mathrm{s}$", dataset["spearman_mean"], dataset["spearman_error"]))
    return _groups(panel, dataset, "rank_distribution", np.linspace(0.0, 1.0, dataset.sizes["rank_bin"] + 1))


def panels(dataset) -> list:
    """Return what draws both."""
    return [functools.partial(draw, dataset) for draw in (draw_distributions, draw_ranks)]


def draw_figure(dataset):
    """Draw both panels."""
    return pelplug.Panel.figure(dataset, panels(dataset))


def _groups(panel, dataset, name, edges):
    error = dataset.get(f"{name}_error")
    for group in dataset["group"].values:
        kind = _ORDER.get(str(group), 2)
        of_group = None if error is None else error.sel(group=group)
        why = f"seen in fewer than {pelplug.FEWEST_FOR_ERROR} of them"
        values = dataset[name].sel(group=group)
        panel.histogram(edges, values, of_group, kind=kind, label=str(group), fill=kind < 2, why=why)
    panel.ax.set_ylim(bottom=0)
    return panel.finish()
