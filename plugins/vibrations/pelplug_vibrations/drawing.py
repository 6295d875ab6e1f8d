"""D(omega) with what sound waves and the omega**4 law would give, and participation ratios."""

from __future__ import annotations

import functools

import numpy as np

import pelplug

__all__ = ["draw_density", "draw_figure", "draw_participation"]

_SOUND, _POWER = "#2a9d8f", "#8a6fb0"


def draw_density(dataset, ax=None, dimension: int = 3, **keywords):
    """Draw D(omega), both axes logarithmic, its fits below the limit of the fit, and Debye's law.

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
    panel = pelplug.Panel(dataset, ax, **keywords)
    density = dataset["density_of_states"]
    panel.axes((r"$\omega$", dataset["omega"]), (r"$D(\omega)$", density), log="xy")
    panel.curve(dataset["omega_bin"], density, dataset.get("density_of_states_error"), markersize=3.5,
                why=f"seen in fewer than {pelplug.FEWEST_FOR_ERROR} of them")  # fmt: skip
    _fits(panel, dataset)
    level, edges = float(dataset["debye_mean"]), dataset["omega_edges"].values
    if np.isfinite(level) and not panel.beside:
        over = np.array([edges[0], min(edges[-1], (dimension / level) ** (1 / dimension))])
        power = "" if dimension == 2 else f"^{{{dimension - 1}}}"
        label = rf"Debye: $A\,\omega{power}$, {panel.number('$A$', dataset['debye_mean'])}"
        panel.ax.plot(over, level * over ** (dimension - 1), color=_SOUND, linewidth=1.2, linestyle="--", label=label,
                      zorder=1)  # fmt: skip
    phonon = dataset["omega_phonon"]
    number = panel.number("first phonon: $\\omega$", phonon.mean().assign_attrs(phonon.attrs))
    panel.level(float(phonon.mean()), "first phonon" if panel.beside else number, axis="x")
    seen = density.values[density.values > 0]
    if seen.size:
        low, high = panel.ax.get_ylim() if panel.beside else (np.inf, 0.0)
        panel.ax.set_ylim(min(low, 0.3 * seen.min()), max(high, 3.0 * seen.max()))
    return panel.finish()


def _fits(panel, dataset):
    """Draw A_4 omega**4 and the free power law, from the lowest mode to the limit up to which both were fitted."""
    n, limit = int(dataset["n_fitted"]), float(dataset["fit_limit"])
    omega = dataset["omega"].values
    low = omega[np.isfinite(omega) & (omega > 0)].min(initial=np.inf)
    if n < 3 or not low < limit:
        return
    over = np.geomspace(low, limit, 20)
    quartic = dataset["quartic"]
    panel.fit(
        over, float(quartic) * over**4, panel.number(r"$A_4\,\omega^4$: $A_4$", quartic, dataset["quartic_error"])
    )
    exponent = float(dataset["exponent"])
    if np.isfinite(exponent) and exponent > -1 and not panel.beside:
        # Both hold the same number of modes below the limit: A_4 limit^5 / 5 = A limit^(s + 1) / (s + 1).
        amplitude = float(quartic) * limit**5 / 5 * (exponent + 1) / limit ** (exponent + 1)
        label = rf"$\omega^s$, {n} modes: {panel.number('$s$', dataset['exponent'], dataset['exponent_error'])}"
        panel.fit(over, amplitude * over**exponent, label, color=_POWER, linewidth=1.2)


def draw_participation(dataset, ax=None):
    """Draw the participation ratio of each mode over its frequency."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes((r"$\omega$", dataset["omega"]), "participation ratio", log="x", ylim=(0, None))
    panel.curve(dataset["omega"].values.ravel(), dataset["participation_ratio"].values.ravel(), linestyle="",
                markersize=2.2, alpha=0.35, markeredgewidth=0, rasterized=True)  # fmt: skip
    panel.ax.set_ylim(bottom=0)
    return panel.level(float(dataset["omega_phonon"].mean()), "first phonon", axis="x").finish()


def draw_figure(dataset, dimension: int):
    """Draw both."""
    density = functools.partial(draw_density, dataset, dimension=dimension)
    draws = [density, functools.partial(draw_participation, dataset)]
    return pelplug.Panel.figure(dataset, draws)
