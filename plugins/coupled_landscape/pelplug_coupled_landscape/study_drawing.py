"""Figures 6 to 10 of Rehwald and Heuer: the model over q and temperature, beside what was measured."""

from __future__ import annotations

import numpy as np

import pelplug

__all__ = [
    "draw_couplings",
    "draw_matched",
    "draw_persistence",
    "draw_relaxation",
    "draw_stokes_einstein",
    "draw_stretching",
    "draw_study",
]

TAU, DIFFUSION = r"$\tau_\alpha$", "$D$"
NO_TAU = "no $\\tau_\\alpha$ is known:\nraise --events or --time"
MOST = 7  # curves in a panel
SHOWN = 4  # couplings in a line
NO_RATIO = "no measured ratio of $\\tau_\\alpha$:\ngive --tau-ratio,\nor results of dynamics"


def _by_temperature(panel, dataset):
    """Yield each temperature's part of the first coupling, with a panel of its colour, its place and its label.

    Beside other results temperatures differ in their lines, by their place.
    """
    temperatures = dataset["temperature"].values
    for k, colour in enumerate(pelplug.Panel.colours(temperatures)):
        own = panel if panel.beside else pelplug.Panel(dataset, panel.ax, color=colour)
        style = {"label": f"$T = {temperatures[k]:g}$", **({"kind": k} if panel.beside else {"linestyle": ""})}
        yield dataset.isel(coupling=0, temperature=k), own, colour, style


def _number(panel, dataset, number: int, more: str = "") -> None:
    """Write above the right edge which figure of the paper it is; on the left it says what its errors are."""
    coupling = "" if dataset.sizes["coupling"] == 1 or number == 10 else f", {dataset['coupling'].values[0]}"
    place = {"transform": panel.ax.transAxes, "ha": "right", "va": "bottom", "fontsize": "small"}
    panel.ax.text(1.0, 1.01, f"Fig. {number}{more}{coupling}", **place)


def _room(panel, axis: str, share: float) -> None:
    """Leave a share of the length of a logarithmic axis free for the legend, at its lower end if it is negative."""
    low, high = (np.log10(one) for one in getattr(panel.ax, f"get_{axis}lim")())
    more = abs(share) / (1.0 - abs(share)) * (high - low)
    limits = (low - more, high) if share < 0 else (low, high + more)
    getattr(panel.ax, f"set_{axis}lim")(*np.power(10.0, limits))


def _middle(dataset) -> int:
    """Return the place of the temperature that panels of one temperature are of."""
    return (dataset.sizes["temperature"] - 1) // 2


def _missing(panel, values) -> None:
    """Say in the panel at which q a coupling or temperature has no tau_alpha."""
    for name, one in values:
        if beyond := [f"{float(q):.3g}" for q in one["q"][~np.isfinite(one.values)]]:
            shown = beyond if len(beyond) <= SHOWN else [beyond[0], "...", beyond[-1]]
            panel.note(rf"no {TAU} at {name}: $q = {', '.join(shown)}$")


def draw_relaxation(dataset, ax=None, **keywords):
    """Draw tau_alpha over q at each temperature, the law 1/(1 + c sqrt q), and the q of measured ratios: Fig. 6."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    _number(panel, dataset, 6)
    panel.axes(("$q$", dataset["q"]), (TAU, dataset["relaxation_time"]), log="xy")
    if not np.isfinite(dataset["relaxation_time"].isel(coupling=0)).any():
        return panel.nothing(NO_TAU).finish()
    law = measured = False
    for at, own, colour, style in _by_temperature(panel, dataset):
        tau, zero = at["relaxation_time"], float(at["uncoupled_relaxation_time"])
        own.curve(at["q"], tau, at["relaxation_time_error"], bars=True, **style)
        if panel.beside:
            continue
        q = at["q"].values[at["q"].values > 0]
        if q.size and "mean_prefactor" in at:
            fine = np.geomspace(q.min(), q.max(), 200)
            curve = zero / (1.0 + float(at["mean_prefactor"]) * np.sqrt(fine))
            panel.ax.plot(fine, curve, color=colour, linewidth=1.0, label="_", zorder=1)
            law = True
        if "matched_q" in at and np.isfinite(at["matched_q"]):
            x, y = float(at["matched_q"]), zero / float(at["measured_ratio"])
            panel.ax.plot([x], [y], "D", markersize=7, color=colour, markeredgecolor="black", label="_", zorder=4)
            measured = True
    each = [dataset["relaxation_time"].isel(coupling=0, temperature=k) for k in range(dataset.sizes["temperature"])]
    empty = sum(not np.isfinite(one).all() for one in each)
    _room(panel, "y", -0.4 - 0.05 * empty)
    _missing(panel, [(f"$T = {float(one['temperature']):g}$", one) for one in each])
    if law:
        panel.key(r"$\tau_\alpha(0)/(1 + c\sqrt{q})$", "-", linewidth=1.0)
    if measured:
        panel.key("measured ratio", "", marker="D", markersize=6, markeredgecolor="black")
    return panel.finish()


def draw_matched(dataset, ax=None, **keywords):
    """Draw the q of measured ratios over 1/<tau>, with the power law through them: Fig. 7."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    rate = 1.0 / dataset["uncoupled_waiting_time"]
    rate.attrs["units"] = "1 / time"
    _number(panel, dataset, 7)
    panel.axes((r"$1/\langle\tau\rangle$", rate), "$q$ of the measured ratio")
    if "matched_q" not in dataset:
        return panel.nothing(NO_RATIO).finish()
    if not np.isfinite(dataset["matched_q"]).any():
        return panel.nothing("no q has the measured ratio").finish()
    panel.ax.set(xscale="log", yscale="log")
    measured = "measured_waiting_time" in dataset and np.isfinite(dataset["measured_waiting_time"]).any()
    kind = 0
    for c, name in enumerate(dataset["coupling"].values):
        at = dataset.isel(coupling=c)
        coupling = f", {name}" if dataset.sizes["coupling"] > 1 else ""
        of_model = rf"$\langle\tau\rangle$ of the model{coupling}" if measured else coupling.removeprefix(", ")
        _over_rate(panel, at, rate, "matched_growth", kind, of_model)
        kind += 1
        if measured and not panel.beside:
            own = (1.0 / dataset["measured_waiting_time"]).assign_attrs(units="1 / time")
            label = rf"$\langle\tau\rangle$ of measured metabasins{coupling}"
            _over_rate(panel, at, own, "measured_growth", kind, label, dataset["measured_waiting_time_error"] * own**2)
            kind += 1
    _room(panel, "y", 0.12 + 0.08 * kind)
    return panel.finish()


def _over_rate(panel, at, rate, growth: str, kind: int, label: str, spread=None) -> None:
    """Draw q over a rate: with its error or interval, or as one bound where that is all there is; and the power law."""
    q, error = at["matched_q"].values, at["matched_q_error"].values
    low, high = at["matched_q_interval"].values.T
    low, high = (np.where(np.isfinite(error), q + sign * error, one) for sign, one in ((-1, low), (1, high)))
    bounds = at["matched_q_interval"].T.copy(data=[low, high])
    marker = "os^v"[kind % 4]
    panel.curve(rate, q, bounds, kind=kind, label=label, bars=True, linestyle="", marker=marker, markersize=5)
    for sign, bound, other in (("^", low, high), ("v", high, low)):  # one bound alone
        one = np.isfinite(bound) & ~np.isfinite(other) & np.isfinite(rate.values)
        if one.any():
            style = {"color": panel.colour(kind), "linestyle": "", "markersize": 7, "fillstyle": "none"}
            panel.ax.plot(rate.values[one], bound[one], marker=sign, label="_", **style)
            panel.key("bound of $q$ alone, " + ("from below" if sign == "^" else "from above"), "", marker=sign,
                      markersize=7, fillstyle="none")  # fmt: skip
    open_q = np.isfinite(at["measured_ratio"].values) & ~(np.isfinite(q) | np.isfinite(low) | np.isfinite(high))
    if spread is None and open_q.any():
        panel.note("no $q$ at $T = $" + ", ".join(f"{one:g}" for one in at["temperature"].values[open_q]))
    if spread is not None:
        shown = np.isfinite(q) & np.isfinite(spread.values)
        at_rate, wide = rate.values[shown], spread.values[shown]
        panel.ax.hlines(q[shown], np.maximum(at_rate - wide, 0.1 * at_rate), at_rate + wide, color=panel.colour(kind),
                        linewidth=1.0)  # fmt: skip
    if growth not in at or not np.isfinite(at[growth]):
        return
    known = np.isfinite(error) & np.isfinite(rate.values)
    x, n = np.log(rate.values[known]), float(at[growth])
    y, weight = np.log(q[known]), (q[known] / error[known]) ** 2
    middle = np.average(x, weights=weight), np.average(y, weights=weight)
    ends = np.array([x.min(), x.max()])
    text = pelplug.Panel.number(r"$n$ of $q \sim \langle\tau\rangle^{-n}$", at[growth], at[f"{growth}_error"])
    own = {} if spread is None else {"kind": kind}
    panel.fit(np.exp(ends), np.exp(middle[1] + n * (ends - middle[0])), text, **own)


def _exponent(at, name: str) -> str:
    """Return xi for a legend."""
    if not np.isfinite(at[name]):
        return r"no $\xi$, $\tau_\alpha$ is not known at every $T$"
    return pelplug.Panel.number(r"$\xi$", at[name], at[f"{name}_error"])


def draw_stokes_einstein(dataset, ax=None, **keywords):
    """Draw D over tau_alpha: without coupling, at each q, and where q is a power of <Gamma>: Fig. 8."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    one = dataset.isel(coupling=0)
    _number(panel, dataset, 8)
    panel.axes((TAU, dataset["relaxation_time"]), (DIFFUSION, dataset["diffusion_coefficient"]))
    if dataset.sizes["temperature"] < 2:
        return panel.nothing("one temperature alone:\ngive several --temperatures").finish()
    panel.ax.set(xscale="log", yscale="log")
    zero, free = one["uncoupled_relaxation_time"], one["uncoupled_diffusion_coefficient"]
    panel.curve(zero, free, label=rf"$q = 0$: $\xi = {float(one['uncoupled_exponent']):.3f}$", color="black", marker="")
    shades = np.linspace(0.7, 0.0, dataset.sizes["q"])
    for k, q in enumerate(dataset["q"].values):
        at = one.isel(q=k)
        xi = _exponent(at, "stokes_einstein_exponent")
        own = panel if panel.beside else pelplug.Panel(dataset, panel.ax, color=str(shades[k]))
        label = f"$q = {q:.3g}$: {xi}" if k in (0, dataset.sizes["q"] - 1) else ""
        own.curve(at["relaxation_time"], at["diffusion_coefficient"], at["diffusion_coefficient_error"], bars=True,
                  label=label, linestyle="--")  # fmt: skip
    if "scaled_q" in one:
        text = _exponent(one, "scaled_exponent")
        own = panel if panel.beside else pelplug.Panel(dataset, panel.ax, color="#c8553d")
        x, y, error = (one[f"scaled_{name}"] for name in ("relaxation_time", "diffusion_coefficient",
                                                          "diffusion_coefficient_error"))  # fmt: skip
        own.curve(x, y, error, bars=True, label=rf"$q \sim \langle\Gamma\rangle^n$: {text}")
    if "matched_q" in one and np.isfinite(one["matched_q"]).any():
        panel.ax.plot(zero / one["measured_ratio"], free, "D", color="#4f8a5b", markersize=6, markeredgecolor="black",
                      label="measured ratio", zorder=4)  # fmt: skip
    if not panel.beside and "measured_waiting_time" in one and np.isfinite(one["measured_waiting_time"]).any():
        measured = 1.0 / (6.0 * one["measured_waiting_time"])
        style = {"color": "#4f8a5b", "marker": "s", "markersize": 6, "linestyle": "", "zorder": 4}
        own = pelplug.Panel(dataset, panel.ax, color="#4f8a5b")
        spread = measured * one["measured_waiting_time_error"] / one["measured_waiting_time"]
        spread.attrs |= one["measured_waiting_time_error"].attrs
        own.curve(one["measured_relaxation_time"], measured, spread, bars=True, fillstyle="none",
                  label=r"small system, $\langle\tau\rangle$ of its metabasins", **style)  # fmt: skip
        if "measured_ratio" in one:
            own.curve(one["measured_relaxation_time"] / one["measured_ratio"], measured, label="large system, the same "
                      r"$\langle\tau\rangle$", **style)  # fmt: skip
    _room(panel, "x", 0.45)
    return panel.finish()


def draw_persistence(dataset, ax=None, **keywords):
    """Draw S0(t) at each temperature at the q of its measured ratio, else at each q at one temperature: Fig. 9."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(("$t$", dataset["lag_time"]), "$S_0(t)$", log="x")
    if "matched_persistence" in dataset and np.isfinite(dataset["matched_persistence"]).any():
        _number(panel, dataset, 9)
        for at, own, _, style in _by_temperature(panel, dataset):
            if np.isfinite(at["matched_q"]):
                numbers = rf"$q = {float(at['matched_q']):.2g}$, $\beta = {float(at['matched_kww_beta']):.2f}$"
                text = f"{style['label']}, {numbers}"
                _survival(own, at["lag_time"], at["matched_persistence"], at["matched_persistence_error"], text)
                if "measured_scattering" in at and not panel.beside:
                    shown = (at["measured_scattering"] > 1e-3) & (at["measured_scattering"] < 1.05)
                    scaled = at["measured_time"][shown] * at["measured_scale"]
                    own.curve(scaled, at["measured_scattering"][shown], linestyle="", marker="o")
        if "measured_scattering" in dataset and not panel.beside:
            panel.key(r"$F_s(k_c, t)$, $\tau_\alpha$ of the small as $\tau_\alpha(0)$", "", marker="o", markersize=3)
        elif not panel.beside:
            panel.key("no measured $F_s(k_c, t)$", "")
    else:
        at_one = dataset.isel(coupling=0, temperature=_middle(dataset))
        _number(panel, dataset, 9, f", $T = {float(at_one['temperature']):g}$")
        panel.key("no measured ratio", "")
        shown = np.unique(np.linspace(0, dataset.sizes["q"] - 1, min(MOST, dataset.sizes["q"])).round().astype(int))
        shades = np.linspace(0.7, 0.0, shown.size)
        for shade, at in zip(shades, (at_one.isel(q=k) for k in shown), strict=True):
            own = panel if panel.beside else pelplug.Panel(dataset, panel.ax, color=str(shade))
            text = rf"$q = {float(at['q']):.2g}$, $\beta = {float(at['kww_beta']):.2f}$"
            _survival(own, at["lag_time"], at["persistence"], at["persistence_error"], text)
    _room(panel, "x", -0.15)
    return panel.finish()


def _survival(panel, lag, curve, error, label) -> None:
    """Draw a curve where it falls."""
    shown = (curve.values < 0.995) & (curve.values > 1e-3)
    panel.curve(lag[shown], curve[shown], error[shown], label=label, marker="")


def draw_couplings(dataset, ax=None, **keywords):
    """Draw tau_alpha over q_eff = q N_eff for all couplings at one temperature: Fig. 10."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    at_one = dataset.isel(temperature=_middle(dataset))
    _number(panel, dataset, 10, f", $T = {float(at_one['temperature']):g}$")
    if not np.isfinite(at_one["relaxation_time"]).any():
        return panel.nothing(NO_TAU).finish()
    x = (r"$q_\mathrm{eff} = q N_\mathrm{eff}$", dataset["effective_q"])
    panel.axes(x, (TAU, dataset["relaxation_time"]), log="xy")
    for c, name in enumerate(dataset["coupling"].values):
        at = at_one.isel(coupling=c)
        label = rf"{name}, $N_\mathrm{{eff}} = {float(at['neighbours']):.3g}$"
        panel.curve(
            at["effective_q"], at["relaxation_time"], at["relaxation_time_error"], kind=c, label=label, bars=True
        )
    panel.level(float(at_one["uncoupled_relaxation_time"]), "$q = 0$")
    names = [str(one) for one in dataset["coupling"].values]
    _missing(panel, [(name, at_one["relaxation_time"].isel(coupling=c)) for c, name in enumerate(names)])
    return panel.finish()


def draw_stretching(dataset, ax=None, **keywords):
    """Draw beta of the stretched exponential through S0 over q at each temperature."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(("$q$", dataset["q"]), r"$\beta_\mathrm{KWW}$ of $S_0(t)$", log="x")
    for at, own, _, style in _by_temperature(panel, dataset):
        own.curve(at["q"], at["kww_beta"], at["kww_beta_error"], label=style["label"], bars=True)
    return panel.finish()


def draw_study(dataset, title: str):
    """Draw all of it, with what the model was run with above."""
    draws = [draw_relaxation, draw_matched, draw_stokes_einstein, draw_persistence, draw_couplings, draw_stretching]
    figure = pelplug.Panel.figure(dataset, [lambda ax, draw=draw: draw(dataset, ax) for draw in draws])
    figure.suptitle(title, fontsize="medium")
    return figure
