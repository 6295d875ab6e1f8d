"""<phi> and chi over temperature, after Fig. 4 of Nishikawa et al., with T_def."""

from __future__ import annotations

import functools

import numpy as np

import pelplug

__all__ = ["draw_chi", "draw_phi", "draw_study", "panels"]

FEWER = f"fewer than {pelplug.FEWEST_FOR_ERROR} samples"


def _mark(panel, dataset, name, symbol, linestyle=":"):
    if np.isfinite(dataset[name]):
        value, error = (dataset[one].assign_attrs(units="1") for one in (name, f"{name}_error"))  # the axis has it
        panel.level(float(value), panel.number(symbol, value, error), axis="x", linestyle=linestyle)


def draw_phi(dataset, ax=None, **keywords):
    """Draw <phi>, the fit and its steepest points."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    panel.axes(("$T$", dataset["temperature"]), (r"$\langle\varphi\rangle$", dataset["phi"]), log="x")
    panel.curve(dataset["temperature"], dataset["phi"], dataset["phi_error"], bars=True, linestyle="", why=FEWER)
    if "phi_fit" in dataset:
        panel.fit(dataset["fitted_temperature"], dataset["phi_fit"], "polynomial of the logit")
    _mark(panel, dataset, "t_def_slope", r"steepest in $T$", "--")
    _mark(panel, dataset, "t_def_log_slope", r"steepest in $\ln T$")
    return panel.finish()


def draw_chi(dataset, ax=None, **keywords):
    """Draw chi, the fit and its maximum."""
    panel = pelplug.Panel(dataset, ax, **keywords)
    if not np.isfinite(dataset["chi"]).any():
        return panel.nothing("one sample at each temperature").finish()
    panel.axes(("$T$", dataset["temperature"]), (r"$\chi$", dataset["chi"]), log="x")
    panel.curve(dataset["temperature"], dataset["chi"], dataset["chi_error"], bars=True, linestyle="", why=FEWER)
    if "chi_fit" in dataset:
        panel.fit(dataset["chi_fitted_temperature"], dataset["chi_fit"], r"polynomial of $\ln\chi$")
    _mark(panel, dataset, "t_def_chi", "largest")
    return panel.finish()


def panels(dataset) -> list:
    """Return what draws <phi> and chi."""
    return [functools.partial(draw, dataset) for draw in (draw_phi, draw_chi)]


def draw_study(dataset):
    """Draw both beside each other."""
    count = f"{int(dataset['runs'].sum())} runs, {int(dataset['frames'].sum())} frames"
    return pelplug.Panel.figure(dataset, panels(dataset), count=count)
