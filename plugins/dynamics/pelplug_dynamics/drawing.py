"""F_s, MSD, non-Gaussian parameter, chi_4 and motion against neighbours over the logarithm of time; g(r)."""

from __future__ import annotations

import functools
import json

import numpy as np

import pelplug

__all__ = [
    "draw_bonds",
    "draw_cage_displacement",
    "draw_cage_scattering",
    "draw_displacement",
    "draw_figure",
    "draw_non_gaussian",
    "draw_rdf",
    "draw_scattering",
    "draw_susceptibility",
    "panels",
]

_TAIL = "where few particles overlap"
_MOST_PAIRS = 10  # of species in g(r); of more those of like species


def _kinds(dataset) -> list[str]:
    return [str(kind) for kind in dataset["kind"].values if kind != "all"]


def _in_tail(one) -> bool:
    """Tell whether chi_4 of a species has errors for fewer lags than the MSD."""
    return int(np.isfinite(one["chi_4_error"]).sum()) < int(np.isfinite(one["msd_error"]).sum())


def _curves(panel, dataset, name, symbol, log="x", label_of=str, **selection):
    """Draw a quantity of each species over the lag."""
    array, error = dataset[name].isel(selection), dataset[f"{name}_error"].isel(selection)
    panel.axes(("$t$", dataset["lag_time"]), (symbol, array), log=log)
    kinds = _kinds(dataset)
    for k, kind in enumerate(kinds):
        # Beside other results a kind is said once, without numbers.
        label = kind if panel.beside and len(kinds) > 1 else "" if panel.beside else label_of(kind)
        why = _TAIL if name == "chi_4" and _in_tail(dataset.sel(kind=kind)) else ""
        panel.curve(dataset["lag_time"], array.sel(kind=kind), error.sel(kind=kind), kind=k, label=label, why=why)
    return panel


def draw_scattering(dataset, ax=None, **keywords):
    """Draw F_s(q, t) of each species at the first wave number, and the stretched exponential of its final decay.

    Arguments are those of `pelplug.Panel`; its Axes is returned.
    """
    panel = pelplug.Panel(dataset, ax, **keywords)
    before = panel.ax.get_ylabel()
    # q_max of several temperatures differs in the third digit.
    q = float(dataset["wave_number"].values[0])
    digits = rf"q \approx {q:.2g}" if panel.beside else f"q = {q:.3g}"
    symbol = rf"$F_\mathrm{{s}}({digits},\, t)$"
    symbol = symbol if before in ("", symbol) else r"$F_\mathrm{s}(q, t)$"

    def with_time(kind):
        one = dataset.sel(kind=kind).isel(wave_number=0)
        known = np.isfinite(float(one["tau_alpha"]))
        number = panel.number(r"$\tau_\alpha$", one["tau_alpha"], one["tau_alpha_error"])
        return f"{kind}: {number}" if known else kind

    _curves(panel, dataset, "fs", symbol, label_of=with_time, wave_number=0)
    for k, kind in enumerate([] if panel.beside else _kinds(dataset)):  # fits of all would hide the curves
        one = dataset.sel(kind=kind).isel(wave_number=0)
        if "kww_window" in one and np.isfinite(one["kww_window"]).all():
            times = np.geomspace(*one["kww_window"].values, 100)
            stretched = (times / float(one["kww_time"])) ** float(one["kww_beta"])
            number = panel.number(r"$\beta$", one["kww_beta"], one["kww_beta_error"])
            panel.fit(times, float(one["kww_amplitude"]) * np.exp(-stretched), f"{kind}, stretched: {number}", kind=k)
    lowest = float(dataset["fs"].isel(wave_number=0).min())
    panel.ax.set_ylim(min(0.0, 1.05 * lowest), 1.02)
    threshold = json.loads(dataset.attrs.get("parameters") or "{}").get("threshold")
    panel.level(float(threshold or np.nan), r"threshold of $\tau_\alpha$", shared=True)
    return panel.finish()


def draw_displacement(dataset, ax=None, **keywords):
    """Draw the mean squared displacement of each species and, in its window, the fit 2 d D t + c."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    _curves(panel, dataset, "msd", r"$\langle\Delta r^2(t)\rangle$", log="xy")
    for k, kind in enumerate(_kinds(dataset)):
        one = dataset.sel(kind=kind)
        window = one["diffusion_window"].values
        found, error = one["diffusion_coefficient"], one["diffusion_coefficient_error"]
        if np.isfinite(window).all() and np.isfinite(float(found)):
            times, line = _fitted(one)
            panel.fit(times, line, panel.number(f"{kind}, $2dDt + c$: $D$", found, error), kind=k)
    return panel.finish()


def _fitted(one):
    """Return the line 2 d D t + c where it was fitted."""
    first, last = one["diffusion_window"].values
    t = np.geomspace(first, last, 50)
    if "diffusion_line" in one:
        return t, np.interp(t, one["diffusion_window"].values, one["diffusion_line"].values)
    # Results of earlier versions do not have it: least squares of relative deviations, as D was found.
    times, msd = one["lag_time"].values, one["msd"].values
    inside = (times >= first * (1 - 1e-9)) & (times <= last * (1 + 1e-9)) & np.isfinite(msd)
    return t, np.polyval(np.polyfit(times[inside], msd[inside], 1, w=1.0 / times[inside]), t)


def draw_non_gaussian(dataset, ax=None, **keywords):
    """Draw the non-Gaussian parameter of each species; see `draw_scattering`."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    return _curves(panel, dataset, "alpha_2", r"$\alpha_2(t)$").level(0.0, shared=True).finish()


def draw_susceptibility(dataset, ax=None, **keywords):
    """Draw chi_4 of each species; see `draw_scattering`."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    return _curves(panel, dataset, "chi_4", r"$\chi_4(t)$").finish()


def draw_cage_scattering(dataset, ax=None, **keywords):
    """Draw the cage-relative F_s(q, t) of each species at the first wave number; see `draw_scattering`."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    _curves(panel, dataset, "cage_relative_fs", r"cage-relative $F_\mathrm{s}(q, t)$", wave_number=0)
    panel.level(0.0, shared=True)
    return panel.finish()


def draw_cage_displacement(dataset, ax=None, **keywords):
    """Draw the cage-relative mean squared displacement of each species; see `draw_scattering`."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    return _curves(panel, dataset, "cage_relative_msd", r"cage-relative $\langle\Delta r^2(t)\rangle$", "xy").finish()


def draw_bonds(dataset, ax=None, **keywords):
    """Draw the share of bonds that are not broken, of each species; see `draw_scattering`."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    _curves(panel, dataset, "bond_breaking", r"$C_\mathrm{B}(t)$").level(np.exp(-1.0), "1/e", shared=True)
    panel.ax.set_ylim(0.0, 1.02)
    return panel.finish()


def draw_rdf(dataset, ax=None, **keywords):
    """Draw g(r) of every pair of species; see `draw_scattering`."""
    panel = pelplug.Panel(dataset, ax, **keywords).axes(("$r$", dataset["r"]), "$g(r)$")
    names = dataset["species_a"].values
    pairs = [(a, b) for k, a in enumerate(names) for b in names[k:]]
    pairs = pairs if len(pairs) <= _MOST_PAIRS else [(a, a) for a in names]
    joint = "" if all(len(str(name)) == 1 for name in names) else "–"
    for k, (a, b) in enumerate(pairs):
        g = dataset["rdf"].sel(species_a=a, species_b=b)
        panel.curve(dataset["r"], g, kind=k, label=f"{a}{joint}{b}" if len(pairs) > 1 else "", marker="")
    panel.ax.set_xlim(left=0)
    return panel.finish()


def panels(dataset) -> list:
    """Return what draws each quantity over time, of what there is."""
    wanted = {
        "fs": draw_scattering,
        "msd": draw_displacement,
        "alpha_2": draw_non_gaussian,
        "chi_4": draw_susceptibility,
        "cage_relative_fs": draw_cage_scattering,
        "cage_relative_msd": draw_cage_displacement,
        "bond_breaking": draw_bonds,
    }
    there = [name for name in wanted if name in dataset and np.isfinite(dataset[name]).any()]
    return [functools.partial(wanted[name], dataset) for name in there or list(wanted)[:1]]


def draw_figure(dataset):
    """Draw a panel of each quantity that there is."""
    draws = panels(dataset)
    draws += [functools.partial(draw_rdf, dataset)] if "rdf" in dataset else []
    # Origins of the longest lag drawn are few, and those of the shortest are not independent: both are said.
    origins = dataset["origins"].values if "origins" in dataset else np.zeros(1)
    count = f"{origins.min():,.0f} to {origins.max():,.0f} time origins a lag" if origins.max() > 0 else ""
    return pelplug.Panel.figure(dataset, draws, count=count)
