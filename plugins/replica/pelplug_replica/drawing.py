"""Figure of the replica theory: the free energy and the equation of the cage, cages over T, and their singularity."""

from __future__ import annotations

import numpy as np

import pelplug

__all__ = ["PUBLISHED", "draw_cages", "draw_criterion", "draw_free_energy", "draw_singularity", "draw_theory"]

PUBLISHED = {"volume_fraction": 0.5, "cutoff": 4.0, "dimension": 3, "T_MCT": 0.0084, "cage": 0.13}
"""Nishikawa et al. (2022), supplement: parameters, T_MCT [v0] and alpha there [diameter**2]."""

FREE_ENERGY = r"$\beta F(\alpha)/N$ from that at $\alpha_\mathrm{MCT}$"
CRITERION = r"$-\alpha\,(\rho/d)\int d\mathbf{r}\;\partial_\alpha Q\,\ln Q$"


def is_published(parameters):
    """Return whether the parameters are those of the paper."""
    return all(parameters[name] == PUBLISHED[name] for name in ("volume_fraction", "cutoff", "dimension"))


def draw_free_energy(dataset, ax=None):
    """Draw the free energy against the size of the cage at several temperatures, with its minima and maxima."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes((r"$\alpha$", dataset["alpha"]), FREE_ENERGY, log="x")
    _curves(dataset, panel, "free_energy")
    _stationary(dataset, panel, lambda at, alpha: _between(dataset, at, alpha))
    return panel.title("Free energy of a cage").finish()


def draw_criterion(dataset, ax=None):
    """Draw alpha times the right side of Eq. S1: a cage is where it is 1."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes((r"$\alpha$", dataset["alpha"]), CRITERION, log="x")
    _curves(dataset, panel, "criterion")
    panel.level(1.0, "a cage", shared=True)
    return panel.title("Equation of the cage").finish()


def draw_cages(dataset, parameters, ax=None, **keywords):
    """Draw both sizes over temperature, and the published point."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(("$T$", dataset["temperature"]), (r"$\alpha$", dataset["cage"]), log="y")
    for kind, (name, label) in enumerate({"cage": "cage: minimum of $F$", "cage_unstable": "maximum of $F$"}.items()):
        panel.curve(dataset["temperature"], dataset[name], kind=kind, label=label)
    transition, size = dataset["transition_temperature"], dataset["transition_cage"]
    ours = f"{_number('T', transition)}, {_number('alpha', size)}"
    panel.curve([float(transition)], [float(size)], kind=2, label=ours, marker="s", markersize=6, linestyle="")
    if is_published(parameters) and not panel.beside:
        label = rf"published: $T_\mathrm{{MCT}}$ = {PUBLISHED['T_MCT']}, $\alpha$ = {PUBLISHED['cage']}"
        panel.curve([PUBLISHED["T_MCT"]], [PUBLISHED["cage"]], kind=1, label=label, marker="x", markersize=9,
                    markeredgewidth=2, linestyle="")  # fmt: skip
    return panel.title(f"mari-kurchan, {_of(parameters)}").finish()


def draw_singularity(dataset, ax=None):
    """Draw how far both sizes are from that at T_MCT, over the distance from T_MCT."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes(r"$1 - T/T_\mathrm{MCT}$", r"$|\ln(\alpha/\alpha_\mathrm{MCT})|$", log="xy")
    below = 1.0 - dataset["temperature"].values / float(dataset["transition_temperature"])
    if not np.any(below > 0):
        return panel.nothing("no temperature below $T_\\mathrm{MCT}$").finish()
    for kind, (name, label) in enumerate({"cage": "cage", "cage_unstable": "maximum of $F$"}.items()):
        distance = np.abs(np.log(dataset[name].values / float(dataset["transition_cage"])))
        panel.curve(below, distance, kind=kind, label=label, linestyle="")
    at = np.array([below[below > 0].min(), below.max()])
    amplitude = float(dataset["singularity"])
    label = rf"{amplitude:.3f} $(1 - T/T_\mathrm{{MCT}})^{{1/2}}$, from derivatives"
    panel.key(label, "--")
    panel.ax.plot(at, amplitude * np.sqrt(at), color="0.35", linestyle="--", linewidth=1.2, label="_")
    return panel.title(r"Square-root singularity at $T_\mathrm{MCT}$").finish()


def draw_theory(dataset, parameters):
    """Draw all of it."""
    draws = [
        lambda ax: draw_free_energy(dataset, ax),
        lambda ax: draw_criterion(dataset, ax),
        lambda ax: draw_cages(dataset, parameters, ax),
        lambda ax: draw_singularity(dataset, ax),
    ]
    figure = pelplug.Panel.figure(dataset, draws, columns=2)
    transition = f"{_number('T', dataset['transition_temperature'])}, {_number('alpha', dataset['transition_cage'])}"
    figure.suptitle(f"mari-kurchan, replica theory, {_of(parameters)}: {transition} there", fontsize="medium")
    return figure


def _of(parameters):
    said = {"volume_fraction": r"$\varphi$", "cutoff": "$x_c$", "dimension": "$d$"}
    return ", ".join(f"{symbol} = {parameters[name]:g}" for name, symbol in said.items())


def _number(symbol, value):
    names = {"T": r"$T_\mathrm{MCT}$", "alpha": r"$\alpha$"}
    return f"{names[symbol]} = {float(value):.5g}"


def _curves(dataset, panel, name):
    temperatures = dataset["curve_temperature"].values
    for k, colour in enumerate(pelplug.Panel.colours(temperatures)):
        share = temperatures[k] / float(dataset["transition_temperature"])
        panel.ax.plot(dataset["alpha"], dataset[name][k], color=colour, label=rf"{share:.3g} $T_\mathrm{{MCT}}$")


def _stationary(dataset, panel, height):
    """Mark both sizes of a cage on the curves whose temperature has them."""
    for name, marker, label in (("cage", "o", "minimum: the cage"), ("cage_unstable", "^", "maximum")):
        at, sizes = dataset["temperature"].values, dataset[name].values
        marks = [(a, height(t, a)) for t, a in zip(at, sizes, strict=True) if np.isfinite(a)]
        shown = [(a, y) for a, y in marks if y is not None]
        if shown:
            panel.ax.plot(*zip(*shown, strict=True), marker, color="black", markersize=5, label="_", zorder=4)
            panel.key(label, "", marker=marker, color="black", markersize=5)


def _between(dataset, temperature, alpha):
    """Return the free energy at an alpha on the curve of a temperature, None where it has none."""
    row = np.flatnonzero(np.isclose(dataset["curve_temperature"].values, temperature, rtol=1e-9))
    sizes = dataset["alpha"].values
    if not row.size or not sizes[0] <= alpha <= sizes[-1]:
        return None
    return float(np.interp(np.log(alpha), np.log(sizes), dataset["free_energy"].values[row[0]]))
