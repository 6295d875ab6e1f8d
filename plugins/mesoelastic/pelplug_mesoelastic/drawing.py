"""The mesoelastic law over kappa/T, the growth of kappa and G, D over tau_alpha, transition rate and C_s."""

from __future__ import annotations

import functools

import numpy as np

import pelplug

__all__ = ["draw_diffusion", "draw_figure", "draw_growth", "draw_law", "draw_over_tau", "panels"]

TAU, RELATIVE = r"$\tau_\alpha / t_0$", {"kappa_relative": r"$\langle\kappa\rangle$", "shear_modulus_relative": "$G$"}
OVER_TAU = {"reduced_rate": r"$\Gamma\, t_\mathrm{ballistic} \cdot 1000/N$", "spearman": "$C_s$"}
WHY = "too few runs"


def draw_law(dataset, ax=None, **keywords):
    """Draw tau_alpha/t0 over kappa a0^2 / k_B T with the law where it was fitted.

    Arguments are those of `pelplug.Panel`; its Axes is returned.
    """
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(r"$\kappa\, a_0^2 / k_B T$", TAU, log="y")
    for kind, one, density in _densities(dataset):
        x, tau, error = (one[name] for name in ("reduced_stiffness", "reduced_tau_alpha", "reduced_tau_alpha_error"))
        _bars(panel, one, kind)
        panel.curve(x, tau, error, kind=kind, label=density, bars=True, why=WHY, linestyle="", markersize=4.5)
        if np.isfinite(one["reduced_length"]):
            ends = x.values[one["fitted"].values == 1]
            ends = np.array([ends.min(), ends.max()])
            law = np.exp(float(one["log_reduced_time"]) + float(one["reduced_length"]) ** 2 * ends)
            time, length = (
                panel.number(symbol, one[name], one[f"{name}_error"])
                for symbol, name in ((r"$\tilde t$", "reduced_time"), (r"$\tilde\ell$", "reduced_length"))
            )
            panel.fit(ends, law, f"{time}, {length}", kind=kind if dataset.sizes["density"] > 1 else None)
    return panel.finish()


def draw_growth(dataset, ax=None, **keywords):
    """Draw kappa and G over those at the highest temperature, over 1/T: Fig. 4 (a3) of Kapteijns et al."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    inverse = (1.0 / dataset["temperature"]).assign_attrs(
        units="1 / temperature" if dataset["temperature"].attrs.get("units") == "temperature" else "1"
    )
    panel.axes(("$1/T$", inverse), "over that at the highest $T$")
    for place, one, density in _densities(dataset):
        for number, (name, symbol) in enumerate(RELATIVE.items()):
            label = f"{symbol}, {density}" if density else symbol
            panel.curve(
                inverse, one[name], one[f"{name}_error"], kind=2 * place + number, label=label, bars=True,
                why="it is 1 there",
            )  # fmt: skip
    return panel.finish()


def draw_diffusion(dataset, ax=None, **keywords):
    """Draw D t0/a0^2 over tau_alpha/t0 with its power law: Fig. 9 (b) of Kapteijns et al."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(TAU, r"$D\, t_0 / a_0^2$", log="xy")
    for kind, one, density in _densities(dataset):
        tau, diffusion = one["reduced_tau_alpha"], one["reduced_diffusion"]
        error = one["reduced_diffusion_error"]
        panel.curve(tau, diffusion, error, kind=kind, label=density, bars=True, why=WHY, linestyle="", markersize=4.5)
        xi = float(one["stokes_einstein_exponent"])
        if np.isfinite(xi):
            known = (one["fitted"].values == 1) & np.isfinite(diffusion.values)
            x, y = tau.values[known], diffusion.values[known]
            ends = np.array([x.min(), x.max()])
            level = np.exp(np.mean(np.log(y) + xi * np.log(x)))
            label = panel.number(r"$\xi$", one["stokes_einstein_exponent"], one["stokes_einstein_exponent_error"])
            panel.fit(ends, level * ends**-xi, label, kind=kind if dataset.sizes["density"] > 1 else None)
    return panel.finish()


def draw_over_tau(dataset, name, ax=None, **keywords):
    """Draw the reduced transition rate, or C_s, over tau_alpha/t0, with the states of equal relaxation time."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(TAU, OVER_TAU[name], log="xy" if name == "reduced_rate" else "x")
    for kind, one, density in _densities(dataset):
        values, error = one[name], one[f"{name}_error"]
        if not np.isfinite(values).any():
            continue
        panel.curve(one["reduced_tau_alpha"], values, error, kind=kind, label=density, bars=True, why=WHY)
    for level in dataset["tau_level"].values if "tau_level" in dataset.coords else ():
        panel.level(float(level), r"equal $\tau_\alpha / t_0$", axis="x", shared=True)
    return panel.finish()


def panels(dataset) -> list:
    """Return what draws every panel."""
    more = [name for name in OVER_TAU if np.isfinite(dataset[name]).any()]
    draws = [functools.partial(draw, dataset) for draw in (draw_law, draw_growth, draw_diffusion)]
    return draws + [functools.partial(draw_over_tau, dataset, name) for name in more]


def draw_figure(dataset):
    """Draw all of it."""
    count = f"{int(dataset['runs'].sum())} runs, {int(dataset['structures'].sum())} inherent structures"
    return pelplug.Panel.figure(dataset, panels(dataset), count=count)


def _densities(dataset):
    """Yield number, values and label of each density; no label where there is one."""
    several = dataset.sizes["density"] > 1
    for place in range(dataset.sizes["density"]):
        one = dataset.isel(density=place)
        label = pelplug.Panel.number(r"$\rho$", one["density"]) if several else ""
        yield place, one.assign_attrs(dataset.attrs), label


def _bars(panel, one, kind: int) -> None:
    """Draw errors along the first axis, which `Panel.curve` has no word for."""
    x, error, y = (one[name].values for name in ("reduced_stiffness", "reduced_stiffness_error", "reduced_tau_alpha"))
    known = np.isfinite(x + error + y)
    if known.any():
        panel.ax.hlines(
            y[known], (x - error)[known], (x + error)[known], color=panel.colour(kind), linewidth=1.0, label="_"
        )
