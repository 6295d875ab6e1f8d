"""The figures of the paper: two runs, distributions of energies, the collapse, S_conf, D(T) and <D><1/D>."""

from __future__ import annotations

import numpy as np

import pelplug

__all__ = ["draw_collapse", "draw_study"]

_ENERGY = r"$e_\mathrm{IS}$"
_SLOWER = r"$k_\mathrm{B}T\,\ln(D_i/D_\infty)$"


def _energy_label(array) -> str:
    return pelplug.unit_label(_ENERGY, array, "per particle")


def _by_temperature(dataset):
    """Yield each temperature that has runs with energies, its colour, and where its runs are."""
    temperatures = np.unique(dataset["run_temperature"].values)
    for one, colour in zip(temperatures, pelplug.Panel.colours(temperatures), strict=True):
        yield one, colour, dataset["run_temperature"].values == one


def draw_examples(dataset, ax=None):
    """Draw the MSD of two runs at the lowest temperature, and the mean over all: Fig. 2a."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes(("$t$", dataset["example_lag"]), (r"$\langle\Delta r^2(t)\rangle$", dataset["example_msd"]))
    for kind, name in enumerate(dataset["example"].values):
        panel.curve(dataset["example_lag"], dataset["example_msd"].sel(example=name), kind=kind, label=f"{name} run",
                    marker="")  # fmt: skip
    panel.curve(dataset["example_lag"], dataset["example_mean_msd"], kind=2, label="mean over runs", marker="",
                linestyle="--")  # fmt: skip
    cold = float(np.nanmin(dataset["run_temperature"]))
    time = float(dataset["msd_time"].sel(temperature=cold, method="nearest"))
    return panel.level(time, r"$t_{\langle\mathrm{MSD}\rangle}$", axis="x").note(f"$T = {cold:g}$").finish()


def draw_example_energies(dataset, ax=None):
    """Draw the inherent-structure energies of these two runs over time: Fig. 2b."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes(("$t$", dataset["example_time"]), _energy_label(dataset["example_energy"]))
    for kind, name in enumerate(dataset["example"].values):
        energy = dataset["example_energy"].sel(example=name)
        panel.curve(dataset["example_time"], energy, kind=kind, label=f"{name} run",
                    marker="")  # fmt: skip
    return panel.finish()


def draw_distributions(dataset, ax=None):
    """Draw P(e_IS, T), and dashed P(<e_IS>_i, T), from cold to hot: Fig. 1."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes(_energy_label(dataset["bin_energy"]), (r"$P(e_\mathrm{IS}, T)$", dataset["energy_density"]))
    for one, colour, _ in _by_temperature(dataset):
        at = dataset.sel(temperature=one, method="nearest")
        of_one = pelplug.Panel(at, panel.ax, color=colour)
        why = f"in fewer than {pelplug.FEWEST_FOR_ERROR} runs"
        values = at["energy_density"], at["energy_density_error"]
        of_one.curve(at["bin_energy"], *values, label=f"$T = {one:g}$", marker="", why=why)
        panel.ax.plot(at["bin_energy"], at["local_energy_density"], color=colour, linestyle="--", linewidth=1.0)
    panel.key(r"$P(\langle e_\mathrm{IS}\rangle_i, T)$", "--")
    panel.ax.set_ylim(bottom=0)
    return panel.finish()


def draw_local(dataset, ax=None):
    """Draw the diffusivity of each run over its energy: Fig. 3a."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes(_energy_label(dataset["local_energy"]), ("$D_i$", dataset["local_diffusivity"]), log="y")
    _points(panel, dataset, dataset["local_diffusivity"])
    return panel.finish()


def draw_collapse(dataset, ax=None, **keywords):
    """Draw the collapse of all temperatures, and the law: Fig. 3b."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(_energy_label(dataset["local_energy"]), (_SLOWER, dataset["scaled_diffusivity"]))
    if panel.beside:
        panel.curve(dataset["local_energy"], dataset["scaled_diffusivity"], linestyle="", markersize=3.0)
    else:
        _points(panel, dataset, dataset["scaled_diffusivity"])
    known = np.isfinite(dataset["law"].values)
    if known.any():
        panel.fit(dataset["law_energy"][known], dataset["law"][known], r"$-1/(a_0 - a_1(e - a_2)^2)$")
    limit = panel.number(r"$D_\infty$", dataset["diffusion_limit"], dataset["diffusion_limit_error"])
    return panel.note(limit).finish()


def _points(panel, dataset, values) -> None:
    for one, colour, here in _by_temperature(dataset):
        of_one = pelplug.Panel(dataset, panel.ax, color=colour)
        of_one.curve(dataset["local_energy"][here], values[here], label=f"$T = {one:g}$", linestyle="", markersize=3.0)


def draw_entropy(dataset, ax=None):
    """Draw S_conf at the mean energy of each temperature: Fig. 4."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes(_energy_label(dataset["mean_energy"]), r"$S_\mathrm{conf}/(N k_\mathrm{B})$")
    panel.curve(dataset["mean_energy"], dataset["configurational_entropy"], dataset["configurational_entropy_error"],
                bars=True, linestyle="")  # fmt: skip
    for symbol, name in (("$B$", "adam_gibbs"), (r"$\alpha$", "landscape_alpha"), ("$E_0$", "landscape_center"),
                         (r"$\sigma^2$", "landscape_variance"), (r"$e_\mathrm{K}$", "least_energy")):  # fmt: skip
        if np.isfinite(dataset[name]):
            panel.note(panel.number(symbol, dataset[name], dataset[f"{name}_error"]))
    return panel.finish()


def draw_diffusion(dataset, ax=None):
    """Draw D(T) of the mean MSD and of Eq. 5: Fig. 5a."""
    panel = pelplug.Panel(dataset, ax)
    inverse = (1.0 / dataset["temperature"]).assign_attrs(units="1 / temperature")
    panel.axes(("$1/T$", inverse), ("$D$", dataset["diffusion_coefficient"]), log="y")
    for kind, (name, label) in enumerate(
        (("diffusion_coefficient", "mean MSD"), ("predicted_diffusion", r"$\int D(e,T)\,P(e,T)\,de$"))
    ):
        panel.curve(inverse, dataset[name], dataset[f"{name}_error"], kind=kind, label=label, bars=True,
                    linestyle="")  # fmt: skip
    return panel.finish()


def draw_product(dataset, ax=None):
    """Draw <D><1/D> over temperature: Fig. 5b."""
    panel = pelplug.Panel(dataset, ax)
    panel.axes(("$T$", dataset["temperature"]), r"$\langle D\rangle\langle 1/D\rangle$")
    panel.curve(dataset["temperature"], dataset["diffusion_product"], dataset["diffusion_product_error"], bars=True)
    return panel.level(1.0, shared=True).finish()


def draw_study(dataset):
    """Draw all of it."""
    draws = (draw_examples, draw_example_energies, draw_distributions, draw_local, draw_collapse, draw_entropy,
             draw_diffusion, draw_product)  # fmt: skip
    panels = [lambda ax, draw=draw: draw(dataset, ax) for draw in draws]
    return pelplug.Panel.figure(dataset, panels, columns=3, count=f"{int(dataset['runs'].sum())} runs")
