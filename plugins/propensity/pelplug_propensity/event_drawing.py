"""Second events by their distance from the first, and by their waiting time."""

from __future__ import annotations

import functools

import numpy as np

import pelplug

__all__ = ["draw_event_figure", "draw_second_events", "draw_waiting_times", "event_panels"]


def draw_second_events(dataset, ax=None, **keywords):
    """Draw N(d), and the level of independent events.

    Arguments are those of `pelplug.Panel`; its Axes is returned.
    """
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(("$d$", dataset["distance"]), r"$N(d)\,/\,N_\mathrm{av}(d)$")
    panel.level(1.0, "independent events", shared=True)
    return _draw(panel, dataset, "second_events")


def draw_waiting_times(dataset, ax=None, **keywords):
    """Draw tau_12(d), and tau_01 as a line of the same colour; see `draw_second_events`."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(("$d$", dataset["distance"]), (r"$\langle\tau_{1,2}\rangle(d)$", dataset["waiting_time"]))
    for k, name in enumerate(dataset["event_type"].values):
        first = dataset["first_waiting_time"].sel(event_type=name)
        label = panel.number(rf"{name}: $\tau_{{0,1}}$", first)
        if panel.beside:
            panel.level(float(first), r"$\tau_{0,1}$" if k == 0 else "", linestyle="--")
        else:
            panel.level(float(first), label, linestyle="--", color=panel.colour(k))
    return _draw(panel, dataset, "waiting_time")


def event_panels(dataset) -> list:
    """Return what draws both."""
    draws = (draw_second_events, draw_waiting_times)
    return [functools.partial(draw, dataset) for draw in draws]


def draw_event_figure(dataset):
    """Draw both panels."""
    count = f"{dataset.sizes['event']:,} events" if "event" in dataset.sizes else ""
    return pelplug.Panel.figure(dataset, event_panels(dataset), count=count)


def _draw(panel, dataset, name):
    for k, kind in enumerate(dataset["event_type"].values):
        one = dataset.sel(event_type=kind)
        # An empty bin far away is an answer, one in which no particle can be is none.
        value = one[name].where(one["second_events_expected"].values > 0)
        panel.curve(one["distance"], value, one[f"{name}_error"], kind=k, label=str(kind), bars=True, markersize=4)
    panel.ax.set_xlim(left=0)
    panel.ax.set_ylim(bottom=0)
    if not np.isfinite(dataset[name]).any():
        known = np.isfinite(dataset["second_events"]).any()
        panel.nothing("no waiting time is told" if known else "no second events")
    return panel.finish()
