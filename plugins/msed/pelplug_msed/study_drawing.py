"""Figures of energy differences over temperature, after the paper's Figs. 3 and 4."""

from __future__ import annotations

import functools
import textwrap

import numpy as np

import pelplug

__all__ = ["draw_adam_gibbs", "draw_capacities", "draw_entropies", "draw_fast", "draw_slow", "draw_study", "draw_times"]

_TIMES = {"tau": r"$\tau^*$", "tau_alpha": r"$\tau_\alpha$"}


def _panel(dataset, ax, keywords):
    return pelplug.Panel(dataset, ax, **keywords)


def _inverse(dataset):
    temperature = dataset["temperature"]
    unit = temperature.attrs.get("units", "1")
    return (1.0 / temperature).assign_attrs(units=f"1 / {unit}")


def draw_times(dataset, ax=None, **keywords):
    """Draw tau* and tau_alpha over 1/T: Fig. 3."""
    panel, x = _panel(dataset, ax, keywords), _inverse(dataset)
    panel.axes(("$1/T$", x), (r"$\tau$", dataset["tau"]), log="y")
    for kind, (name, symbol) in enumerate(_TIMES.items()):
        if name == "tau" or np.isfinite(dataset[name]).any():
            panel.curve(x, dataset[name], dataset[f"{name}_error"], kind=kind, label=symbol, bars=True)
    turn = float(dataset["tau_turn"])
    panel.level(1.0 / turn, "turn to strong", axis="x")
    return panel.finish()


def draw_fast(dataset, ax=None, **keywords):
    """Draw U0 over T, with that of harmonic vibrations: Fig. 4b."""
    panel, t = _panel(dataset, ax, keywords), dataset["temperature"]
    panel.axes(("$T$", t), ("$U_0$", dataset["u0"]))
    panel.curve(t, dataset["u0"], dataset["u0_error"], bars=True, label="$U_0$")
    harmonic = dataset["u0"] / dataset["u0_over_harmonic"]
    panel.curve(t, harmonic, kind=7, label="harmonic", marker="", linestyle=":")
    if not panel.beside and np.isfinite(dataset["u0_exponent"]):
        panel.note(panel.number("exponent", dataset["u0_exponent"], dataset["u0_exponent_error"]))
    return panel.finish()


def draw_slow(dataset, ax=None, **keywords):
    """Draw Um over T, with its turn: Fig. 4c."""
    panel, t = _panel(dataset, ax, keywords), dataset["temperature"]
    panel.axes(("$T$", t), ("$U_m$", dataset["um"]))
    panel.curve(t, dataset["um"], dataset["um_error"], bars=True, linestyle="")
    known = np.isfinite(dataset["um_line"].values)
    if known.any():
        place = float(dataset["um_turn"])
        line, at = dataset["um_line"].values[known], t.values[known]
        # Through the place where the two lines meet, which is no temperature of a result.
        below, above = at < place, at > place
        meet = np.polyval(np.polyfit(at[below], line[below], 1), place) if below.sum() > 1 else np.nan
        x, y = np.r_[at[below], place, at[above]], np.r_[line[below], meet, line[above]]
        label = panel.number("turn at $T$", dataset["um_turn"], dataset["um_turn_error"])
        panel.fit(x, y, label)
    return panel.finish()


def draw_capacities(dataset, ax=None):
    """Draw the heat capacities of both parts over T."""
    panel, t = pelplug.Panel(dataset, ax), dataset["temperature"]
    panel.axes(("$T$", t), "$c / k$ a particle")
    for kind, (name, symbol) in enumerate({"heat_capacity_fast": "of $U_0$", "heat_capacity_slow": "of $U_m$"}.items()):
        panel.curve(t, dataset[name], dataset[f"{name}_error"], kind=kind, label=symbol, bars=True)
    return panel.finish()


def draw_entropies(dataset, ax=None, **keywords):
    """Draw S1 and S2 over T, from the reference temperature."""
    panel, t = _panel(dataset, ax, keywords), dataset["temperature"]
    panel.axes(("$T$", t), r"$[S - S(T_\mathrm{ref})]\,/\,N k$")
    for kind, (name, symbol) in enumerate({"s1": "$S_1$", "s2": "$S_2$"}.items()):
        why = "it is 0 there by choice"
        panel.curve(t, dataset[name], dataset[f"{name}_error"], kind=kind, label=symbol, bars=True, why=why)
    panel.level(float(dataset["reference_temperature"]), r"$T_\mathrm{ref}$", axis="x")
    return panel.finish()


def draw_adam_gibbs(dataset, ax=None):
    """Draw the relaxation times over 1 / (T S), S with the entropy at the reference."""
    panel, t = pelplug.Panel(dataset, ax), dataset["temperature"]
    offset = float(dataset["reference_entropy"])
    if not np.isfinite(offset):
        why = textwrap.fill(dataset.attrs.get("adam_gibbs", "no entropy at the reference"), 36)
        return panel.nothing(why).finish()
    x = 1.0 / (t * (dataset["s2"] + offset))
    x.attrs["units"] = f"1 / {t.attrs.get('units', '1')}"
    panel.axes((r"$1 / T (S_2/N + S_\mathrm{ref})$", x), (r"$\tau$", dataset["tau"]), log="y")
    for kind, (name, symbol) in enumerate(_TIMES.items()):
        if name == "tau" or np.isfinite(dataset[name]).any():
            panel.curve(x, dataset[name], dataset[f"{name}_error"], kind=kind, label=symbol, bars=True, linestyle="")
    known = np.isfinite(x.values)
    at = np.sort(x.values[known])[[0, -1]]
    line = float(dataset["adam_gibbs_time"]) * np.exp(float(dataset["adam_gibbs_slope"]) * at)
    label = panel.number(r"$S_\mathrm{ref}$", dataset["reference_entropy"], dataset["reference_entropy_error"])
    panel.fit(at, line, label)
    return panel.finish()


def draw_study(dataset):
    """Draw all of it."""
    draws = [
        functools.partial(draw, dataset)
        for draw in (draw_times, draw_fast, draw_slow, draw_capacities, draw_entropies, draw_adam_gibbs)
    ]
    count = f"{int(dataset['runs'].sum())} runs"
    return pelplug.Panel.figure(dataset, draws, columns=3, count=count)
