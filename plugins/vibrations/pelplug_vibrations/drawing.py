"""D(omega) with what sound waves and the omega**4 law would give, and participation ratios."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

import pelplug

__all__ = ["draw_density", "draw_figure", "draw_participation"]

INK, SOUND, QUARTIC = "#17324d", "#2a9d8f", "#d1495b"


def draw_density(dataset, ax=None, dimension: int = 3, **keywords):
    """Draw D(omega), both axes logarithmic.

    Parameters
    ----------
    dataset : Dataset
        Result of the analysis.
    ax : Axes, optional
        Where; a new figure if None.
    dimension : int
        d: Debye's law is omega**(d - 1).
    **keywords
        Passed to `Axes.plot`.

    Returns
    -------
    Axes
    """
    if ax is None:
        ax = Figure(layout="constrained").add_subplot()
    edges, counts = dataset["omega_edges"].values, dataset["counts"].values
    density, omega = dataset["density_of_states"].values, dataset["omega_bin"].values
    filled = counts > 0
    style = {"color": INK, "marker": "o", "markersize": 3.5, "linewidth": 1.0, **keywords}
    error = density[filled] / np.sqrt(counts[filled])
    ax.plot(omega[filled], density[filled], **style)
    ax.fill_between(omega[filled], np.maximum(density[filled] - error, 0.1 * density[filled]), density[filled] + error,
                    color=style["color"], alpha=0.2, linewidth=0)  # fmt: skip
    level, limit = float(dataset["debye_mean"]), float(dataset["fit_limit"])
    phonon = float(dataset["omega_phonon"].mean())
    if np.isfinite(level):
        over = np.array([edges[0], min(edges[-1], (dimension / level) ** (1 / dimension))])
        label = "Debye" + rf": $A\,\omega^{{{dimension - 1}}}$, $A$ = {level:.3g}"
        ax.plot(over, level * over ** (dimension - 1), color=SOUND, linewidth=1.4, linestyle="--", label=label)
    quartic, n = float(dataset["quartic"]), int(dataset["n_fitted"])
    if n >= 3:
        over = np.geomspace(max(edges[0], 0.3 * limit), limit, 20)
        slope = f"fit of {n} modes: s = {float(dataset['exponent']):.2f} ± {float(dataset['exponent_error']):.2f}"
        ax.plot(over, quartic * over**4, color=QUARTIC, linewidth=1.6, label=rf"$A_4\,\omega^4$ ({slope})")
    if np.isfinite(phonon):
        ax.axvline(phonon, color="0.5", linewidth=0.9, linestyle=":", label="first phonon")
    low, high = 0.3 * density[filled].min(), 3.0 * density[filled].max()
    over, height = pelplug.unit_label(r"$\omega$", dataset["omega"]), dataset["density_of_states"]
    ax.set(xscale="log", yscale="log", xlabel=over, ylabel=pelplug.unit_label(r"$D(\omega)$", height), ylim=(low, high))
    ax.legend(frameon=False, fontsize="small", loc="best")
    _tidy(ax)
    return ax


def draw_participation(dataset, ax):
    """Draw the participation ratio of each mode over its frequency."""
    ax.plot(dataset["omega"], dataset["participation_ratio"], linestyle="", marker="o", markersize=2.2, color=INK,
            alpha=0.35, markeredgewidth=0, rasterized=True)  # fmt: skip
    phonon = float(dataset["omega_phonon"].mean())
    if np.isfinite(phonon):
        ax.axvline(phonon, color="0.5", linewidth=0.9, linestyle=":")
    ax.set(
        xscale="log",
        ylim=(0, None),
        xlabel=pelplug.unit_label(r"$\omega$", dataset["omega"]),
        ylabel="participation ratio",
    )
    _tidy(ax)
    return ax


def draw_figure(dataset, dimension: int) -> Figure:
    """Draw both."""
    figure = Figure(figsize=(9.6, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_density(dataset, left, dimension)
    draw_participation(dataset, right)
    return figure


def _tidy(ax) -> None:
    # Less than two decades: whole powers of ten alone would leave one label.
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
