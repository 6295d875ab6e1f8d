"""The random walk over temperature: Figs. 1 to 3 of Rehwald and Heuer, G(e), the parameters over Table I, and xi."""

from __future__ import annotations

import numpy as np

import pelplug
from pelplug_metabasins.walk_variables import PUBLISHED

__all__ = ["draw_diagonal", "draw_study"]

SYMBOLS = {"sigma": r"$\sigma$", "lam": r"$\lambda$", "crossover": "$e_c$", "entropic_factor": r"$\kappa$",
           "rate_prefactor": r"$\Gamma_0$", "cutoff": "$e_{cut}$", "sigma_gamma": r"$\sigma_\gamma$"}  # fmt: skip


def draw_diagonal(dataset, ax=None, **keywords):
    """Draw D and tau_alpha of the landscape over those of the metabasins, with the diagonal: Fig. 1."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes("of the metabasins", "of the landscape", log="xy")
    low, high = np.inf, 0.0
    for kind, (name, symbol) in enumerate((("diffusion_coefficient", "$D$"), ("relaxation_time", r"$\tau_\alpha$"))):
        x, y = dataset[f"measured_{name}"], dataset[f"predicted_{name}"]
        if not np.isfinite(x * y).any():
            continue
        panel.curve(x, y, dataset[f"predicted_{name}_error"], kind=kind, label=symbol, bars=True, linestyle="")
        if not panel.beside:
            spread = np.nan_to_num(dataset[f"measured_{name}_error"].values)
            left = np.maximum(x.values - spread, 0.3 * x.values)
            panel.ax.hlines(y, left, x.values + spread, color=panel.colour(kind), linewidth=1.0)
        low, high = min(low, float(x.min()), float(y.min())), max(high, float(x.max()), float(y.max()))
    if high > 0 and not panel.beside:
        panel.ax.plot([low, high], [low, high], color="0.45", linewidth=1.0, linestyle=":", label="equal", zorder=0)
    return panel.finish()


def draw_persistence(dataset, ax=None):
    """Draw S_0 of the landscape and of the metabasins, S_MB and F_s at k_c: Fig. 2."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes(("$t$", dataset["lag_time"]), "$S(t)$", log="x", ylim=(-0.03, 1.03))
    temperatures, time = dataset["temperature"].values, dataset["lag_time"]
    for k, colour in enumerate(pelplug.Panel.colours(temperatures)):
        at = dataset.isel(temperature=k)
        one = pelplug.Panel(at, panel.ax, color=colour)
        one.curve(time, at["predicted_persistence"], label=f"$T = {temperatures[k]:g}$", marker="")
        one.curve(time, at["persistence"], at["persistence_error"], linestyle="", marker="o")
        one.curve(time, at["hopping"], linestyle="--", marker="")
        if "continuous" in at:
            one.curve(time, at["continuous"], linestyle="", marker="x")
    panel.key("$S_0$ of the landscape", "-")
    panel.key("$S_0$ of the metabasins", "", marker="o", markersize=3)
    if np.isfinite(dataset["hopping"]).any():
        panel.key("$S_{MB}$ at the largest $k$", "--")
    if "continuous" in dataset:
        panel.key("$F_s$ near $k_c$, over its amplitude", "", marker="x", markersize=3)
    return panel.finish()


def draw_wave_numbers(dataset, ax=None):
    """Draw the decay of F_s over the wave number, with the relaxation of the metabasins and k_c: Fig. 3."""
    panel = pelplug.Panel(dataset, ax)
    if "wave_number" not in dataset:
        panel.axes("$k$", r"$\tau_\alpha$ of $F_s(k, t)$")
        return panel.nothing("no results of dynamics\nat several wave numbers").finish()
    panel.axes(("$k$", dataset["wave_number"]), (r"$\tau_\alpha$ of $F_s(k, t)$", dataset["scattering_time"]), log="xy")
    temperatures = dataset["temperature"].values
    for k, colour in enumerate(pelplug.Panel.colours(temperatures)):
        at = dataset.isel(temperature=k)
        one = pelplug.Panel(at, panel.ax, color=colour)
        label = f"$T = {temperatures[k]:g}$"
        if np.isfinite(at["k_c"]):
            label += ": " + pelplug.Panel.number("$k_c$", at["k_c"], at["k_c_error"])
        one.curve(at["wave_number"], at["scattering_time"], at["scattering_time_error"], label=label, bars=True)
        if np.isfinite(at["measured_relaxation_time"]):
            panel.ax.axhline(float(at["measured_relaxation_time"]), color=colour, linewidth=1.0, linestyle=":")
    panel.key("of the metabasins", ":", linewidth=1.0)
    return panel.finish()


def draw_density(dataset, ax=None):
    """Draw G(e) by reweighting, with the Gaussian and the cutoff that were fitted."""
    panel = pelplug.Panel(dataset, ax)
    if "density" not in dataset:
        panel.axes("$e - e_0$", "$G(e)$")
        return panel.nothing("a temperature shares no energies\nwith the others").finish()
    panel.axes(("$e - e_0$", dataset["energy"]), ("$G(e)$", dataset["density"]), log="y")
    why = f"fewer than {pelplug.FEWEST_FOR_ERROR} metabasins"
    panel.curve(dataset["energy"], dataset["density"], dataset["density_error"], bars=True, linestyle="", why=why,
                label="by reweighting")  # fmt: skip
    e, sigma = dataset["energy"].values, float(dataset["sigma"])
    shape = np.exp(-0.5 * (e / sigma) ** 2)
    known = np.isfinite(dataset["density"].values)
    shape *= np.nansum(dataset["density"].values) / shape[known].sum()
    panel.fit(e, shape, pelplug.Panel.number(r"$\sigma$", dataset["sigma"], dataset["sigma_error"]))
    panel.level(float(dataset["cutoff"]), "$e_{cut}$", axis="x")
    if not np.isfinite(dataset["cutoff"]):
        panel.note("no cutoff is seen")
    return panel.finish()


def draw_table(dataset, ax=None):
    """Draw the parameters over those of Table I."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes("parameter", "over Table I (Kob-Andersen, $N = 65$)")
    places, values, errors = [], [], []
    for k, (name, published) in enumerate(PUBLISHED.items()):
        value = float(dataset[name])
        if name == "cutoff":
            bounds = np.sort(dataset["cutoff_interval"].values / published)
        else:
            bounds = value / published + np.array([-1.0, 1.0]) * abs(float(dataset[f"{name}_error"]) / published)
        places.append(k)
        values.append(value / published)
        errors.append(bounds)
    interval = dataset["cutoff_interval"].copy(deep=False)
    both = interval.expand_dims(name=len(places)).T.copy(data=np.array(errors).T)
    both.attrs = dict(dataset["sigma_error"].attrs)
    panel.curve(np.array(places, dtype=float), np.array(values), both, bars=True, linestyle="", markersize=5)
    panel.level(1.0, shared=True)
    panel.ax.set_xticks(places, [SYMBOLS[name] for name in PUBLISHED])
    panel.ax.set_xlim(-0.6, len(places) - 0.4)
    lost = [SYMBOLS[name] for name, value in zip(PUBLISHED, values, strict=True) if not np.isfinite(value)]
    if lost:
        panel.note(f"not fixed: {', '.join(lost)}")
    return panel.finish()


def draw_exponent(dataset, ax=None):
    """Draw xi over temperature."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes(("$T$", dataset["temperature"]), r"$\xi = d\,\ln(D\tau_\alpha)\,/\,d\,\ln\tau_\alpha$")
    panel.curve(dataset["temperature"], dataset["exponent"], dataset["exponent_error"], bars=True, label="landscape")
    text = pelplug.Panel.number(r"$2\lambda/(2+\lambda)$", dataset["limit_exponent"], dataset["limit_exponent_error"])
    panel.level(float(dataset["limit_exponent"]), text)
    return panel.finish()


def draw_study(dataset):
    """Draw all of it."""
    draws = [draw_diagonal, draw_persistence, draw_wave_numbers, draw_density, draw_table, draw_exponent]
    count = f"{int(dataset['runs'].sum())} runs, {int(dataset['metabasins'].sum())} jumps"
    return pelplug.Panel.figure(dataset, [lambda ax, draw=draw: draw(dataset, ax) for draw in draws], count=count)
