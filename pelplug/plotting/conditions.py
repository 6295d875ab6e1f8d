"""Colours and legends of several results over each other: by the conditions of their states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from pelplug.core.conditions import Conditions

__all__ = ["COLOURS", "Entry", "by_conditions", "of_minima", "temperature_colours"]

COLOURS = ("#17324d", "#c8553d", "#4f8a5b", "#8a6fb0", "#b8862c", "#2b9a99", "#9a3d6a", "#6b6b2b")
_MAP, _COLD, _HOT = "plasma", 0.0, 0.83  # beyond, the map is too pale for lines on white
_UNKNOWN = ("0.35", "#4f8a5b", "#2b9a99", "#8a8a2b", "0.65")  # not in the map
_SYMBOLS = {"density": r"\rho", "pressure": "p", "n": "N"}  # what tells apart results of one temperature


class Entry(NamedTuple):
    """How one of several results is drawn: its place among them, its label in the legend, its colour."""

    place: int
    label: str
    colour: object


def by_conditions(datasets: Sequence, names: Sequence[str]) -> list[Entry]:
    """Return how to draw results over each other: in the order of temperature, one colour for each group.

    A group is what `Conditions.group` has in common: replicas share it. Colours go from cold to hot along a map;
    results that are all of one temperature have a colour each.

    Parameters
    ----------
    datasets : sequence of Dataset
        Results of one analysis.
    names : sequence of str
        Label where a result says neither its label nor its temperature, and to tell results of one label apart.

    Returns
    -------
    list of Entry
        The label is the one that was given, else the temperature (of inherent structures their parent's), with the
        density, pressure, number of particles or seed where results of one temperature differ in those. What has no
        temperature comes last.
    """
    found = [Conditions.of(dataset) for dataset in datasets]
    groups = [
        (one.quenched() if of_minima(dataset) else one).group for one, dataset in zip(found, datasets, strict=True)
    ]
    known = sorted(
        (k for k, group in enumerate(groups) if _temperature(group) is not None), key=lambda k: groups[k].rank
    )
    ordered = list(dict.fromkeys(groups[k] for k in known))
    colours: dict = dict(zip(ordered, temperature_colours(range(len(ordered))), strict=True))
    rest = [k for k in range(len(groups)) if k not in known]
    # Of results that say nothing nobody knows whether they are of one group.
    others = list(dict.fromkeys(k if groups[k].label is None else groups[k] for k in rest))
    colours |= {one: _UNKNOWN[i % len(_UNKNOWN)] for i, one in enumerate(others)}
    labels = _labels(groups, [one.seed for one in found], names)
    order = (*known, *rest)
    own = [colours[groups[k] if groups[k] in colours else k] for k in order]
    if not rest and len({_temperature(group) for group in groups}) == 1 < len(order):
        own = list(COLOURS) if len(order) <= len(COLOURS) else temperature_colours(range(len(order)))
    return [Entry(k, labels[k], colour) for k, colour in zip(order, own, strict=False)]


def temperature_colours(temperatures: Sequence[float]) -> list:
    """Return a colour for each temperature, equal ones alike: equal steps along the map in the order from cold to hot.

    Parameters
    ----------
    temperatures : sequence of float
        In any order.
    """
    from matplotlib import colormaps

    order = sorted(set(temperatures))
    shares = dict(zip(order, np.linspace(_COLD, _HOT, len(order)), strict=True))
    return [colormaps[_MAP](shares[one]) for one in temperatures]


def of_minima(dataset: Any) -> bool:
    """Tell whether what a result is of are the inherent structures of the states of its trajectory."""
    if not dataset.attrs.get("quench"):
        return False
    return "positions" not in dataset or dataset["positions"].attrs.get("of") != "frame"


def _temperature(group: Conditions) -> float | None:
    found = group.liquid_temperature
    return found if found is not None and np.isfinite(found) else None


def _labels(groups: Sequence[Conditions], seeds: Sequence[int | None], names: Sequence[str]) -> list[str]:
    """Return a label for each result, different ones for different results."""
    labels = [_label(group, name) for group, name in zip(groups, names, strict=True)]
    for field, symbol in _SYMBOLS.items():
        values, before = [getattr(group, field) for group in groups], list(labels)
        for k in _not_alone(before):
            alike = {value for value, label in zip(values, before, strict=True) if label == before[k]}
            if len(alike) > 1 and values[k] is not None:
                labels[k] += f", ${symbol} = {values[k]:g}$"
    of_seeds = [label if seed is None else f"{label}, seed {seed}" for label, seed in zip(labels, seeds, strict=True)]
    named = set(_not_alone(of_seeds))
    for k in _not_alone(labels):
        labels[k] = f"{labels[k]} ({names[k]})" if k in named or seeds[k] is None else of_seeds[k]
    return labels


def _not_alone(labels: Sequence[str]) -> list[int]:
    return [k for k, label in enumerate(labels) if labels.count(label) > 1]


def _label(group: Conditions, name: str) -> str:
    if group.label is not None:
        return group.label
    if (temperature := _temperature(group)) is None:
        return name
    return f"${'T' if group.temperature is not None else 'T_p'} = {temperature:g}$"
