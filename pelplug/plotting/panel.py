"""One panel of a figure: axes with units, curves with bands, histograms, fits in their windows, a legend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pelplug.plotting.conditions import COLOURS, temperature_colours
from pelplug.plotting.legends import KEY, OF_FIT, REASON, REFERENCE, STATES, UNSTATED, finish, has_data
from pelplug.plotting.limits import WithLimits
from pelplug.plotting.maps import draw_particles
from pelplug.plotting.text import number_label, stated, unit_label

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "FIT", "GREY", "Panel"]

LINES = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (4, 1.5, 1, 1.5)))
FIT, GREY = "#d1495b", "0.45"


class Panel:
    """One panel of a figure in the style of all figures of pelplug; what `plot` of an analysis or study draws with.

    It draws a result alone, or beside others if `plot` was given ``color`` and ``label``: then everything has the
    colour of the result, kinds (species, groups) differ in their lines, and numbers of fits are left to the files.

    Parameters
    ----------
    dataset : Dataset
        The result.
    ax : Axes, optional
        Where; if None a figure of its own, with the model, N and T in its title.
    **keywords
        What `plot` was given: ``color`` and ``label`` where results lie over each other, others for its curves.

    Attributes
    ----------
    ax : Axes
        Where it draws.
    beside : bool
        Whether other results are drawn into the same axes.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> t = xr.DataArray(np.arange(1.0, 5.0), dims="t", attrs={"units": "ps"})
    >>> panel = Panel(xr.Dataset()).axes(("$t$", t), ("$r$", (2 * t).assign_attrs(units="nm")), log="x")
    >>> panel.curve(t, 2 * t).finish().get_xlabel()
    '$t$ (ps)'
    """

    def __init__(self, dataset: xr.Dataset, ax: Axes | None = None, **keywords: Any):
        if ax is None:
            ax = Panel.figure(dataset, [None]).axes[0]
        self.dataset, self.ax = dataset, ax
        self.beside = "label" in keywords
        self._result = keywords.pop("label", None)
        self._colour = keywords.pop("color", None)
        self._keywords, self._led, self._empty = keywords, False, ""

    @staticmethod
    def figure(
        dataset: xr.Dataset,
        draws: Sequence[Callable | None],
        *,
        columns: int = 0,
        widths: Any = None,
        count: str = "",
    ) -> Figure:
        """Return a Figure with a panel for each function, called as ``draw(ax=...)``, and the title of the conditions.

        Parameters
        ----------
        dataset : Dataset
            The result, whose model, number of particles and temperature the title says.
        draws : sequence of callable
            As the methods `plot` of an analysis or study.
        columns : int, optional
            Panels in a row; at most three by default.
        widths : sequence of float, optional
            Of the columns, one to another.
        count : str, optional
            What the result is an average of, for the title: ``"500 time origins"``; by default its frames.

        Returns
        -------
        Figure
        """
        from pelplug.plotting.figures import figure_of

        return figure_of([dataset], draws, columns, widths, count)

    @staticmethod
    def colours(temperatures: Sequence[float]) -> list:
        """Return a colour for each temperature, from cold to hot: the one map of all figures."""
        return temperature_colours(temperatures)

    # --- axes -----------------------------------------------------------------------------------------------------

    def axes(self, x: Any, y: Any, log: str = "", **limits: Any) -> Panel:
        """Label the axes with their units, and make those in `log` (``"x"``, ``"y"``, ``"xy"``) logarithmic.

        Parameters
        ----------
        x, y : str, or tuple of (str, DataArray)
            What stands on the axis, and the variable whose unit it has; a text alone where there is none.
        log : str, optional
            Logarithmic axes.
        **limits
            Passed to `Axes.set`.
        """
        labels = {
            f"{side}label": one if isinstance(one, str) else unit_label(*one) for side, one in (("x", x), ("y", y))
        }
        self.ax.set(**labels, **{f"{side}scale": "log" for side in log}, **limits)
        return self

    def frames(self) -> tuple[str, xr.DataArray]:
        """Return what stands on the axis of one number a frame: its time, else (as of several runs) its number."""
        times, frames = self.dataset.coords.get("time"), self.dataset["frame"]
        if "run" in self.dataset.coords:
            return "frame", self.dataset["run"].copy(data=np.arange(frames.size)).assign_attrs(units="1")
        if times is not None and times.dims == ("frame",) and np.isfinite(times).all():
            return "$t$", times
        return "frame", frames

    def title(self, text: str) -> Panel:
        """Write what is particular to this panel above it."""
        self.ax.set_title(text, fontsize="medium")
        return self

    # --- what is drawn --------------------------------------------------------------------------------------------

    def curve(
        self,
        x: Any,
        y: Any,
        error: Any = None,
        *,
        kind: int = 0,
        label: str = "",
        bars: bool = False,
        why: str = "",
        **keywords: Any,
    ) -> Panel:
        """Draw values and their errors.

        Parameters
        ----------
        x, y : array_like, shape (K,)
            Values that are no numbers, or not positive on a logarithmic axis, are left out.
        error : DataArray, optional
            Shape (K,), or (2, K) of an interval's lower and upper bound. No band where there is none. Of its
            attributes ``error_method``, ``effective_samples`` and ``confidence`` a line above the panel says it.
        kind : int, optional
            Which of several kinds: its colour, beside other results its line.
        label : str, optional
            Name of the kind.
        bars : bool, optional
            Errors as bars instead of a band: for values that are no curve.
        why : str, optional
            Why some values have no error; it is said where that is.
        **keywords
            Passed to `Axes.plot`.
        """
        x_all, y_all = (np.asarray(getattr(one, "values", one), dtype=float) for one in (x, y))
        shown = self._drawable(x_all, y_all)
        style = self._style(kind, label, {"marker": "o", "markersize": 3.0, "linewidth": 1.2, **keywords})
        self._note_empty(y_all, shown)
        self.ax.plot(x_all[shown], y_all[shown], **style)
        if error is not None:
            self._errors(x_all, y_all, error, shown, style["color"], bars, label, why)
        return self

    def histogram(
        self,
        edges: Any,
        density: Any,
        error: Any = None,
        *,
        kind: int = 0,
        label: str = "",
        fill: bool = True,
        why: str = "",
        **keywords: Any,
    ) -> Panel:
        """Draw a histogram and its errors, an area below it where it is alone.

        Parameters
        ----------
        edges : array_like, shape (K + 1,)
            Edges of the bins.
        density : array_like, shape (K,)
            Their heights; bins without a number, or empty ones on a logarithmic axis, are left out.
        error, kind, label, why
            As of `curve`.
        fill : bool, optional
            False for no area.
        **keywords
            Passed to `Axes.stairs`.
        """
        edges, height = (np.asarray(getattr(one, "values", one), dtype=float) for one in (edges, density))
        shown = self._drawable(edges[1:], height)
        style = self._style(kind, label, {"linewidth": 1.4, **keywords})
        self._note_empty(height, shown)
        heights = np.where(shown, height, np.nan)
        if fill and not self.beside and shown.any():
            bottom = height[shown].min() * 1e-3 if self.ax.get_yscale() == "log" else 0.0
            self.ax.stairs(heights, edges, baseline=bottom, fill=True, color=style["color"], alpha=0.12, label="_")
        self.ax.stairs(heights, edges, baseline=None, **style)
        if error is not None:
            low, high, known = self._bounds(height, error, shown)
            if known.any():
                with WithLimits(self.ax, np.repeat(edges[1:][known], 2), np.r_[high[known], low[known]]):
                    band = self.ax.stairs(
                        np.where(known, high, np.nan),
                        edges,
                        baseline=np.where(known, low, np.nan),
                        fill=True,
                        color=style["color"],
                        alpha=0.25,
                        linewidth=0,
                    )
                self._state(band, error, known, edges[1:], shown, why)
        return self

    def fit(self, x: Any, y: Any, label: str = "", *, kind: int | None = None, **keywords: Any) -> Panel:
        """Draw a fit as a solid line where it was fitted: `x` begins and ends with the window.

        Parameters
        ----------
        x, y : array_like
            Of the line.
        label : str, optional
            What was found, with its error; `number` writes it. Left out beside other results.
        kind : int, optional
            The kind of which it is: it has its colour, with a black rim, as beside other results that of the result.
        **keywords
            Passed to `Axes.plot`.
        """
        from matplotlib.patheffects import withStroke

        style = {"color": FIT, "linewidth": 2.0, "zorder": 3, **keywords}
        if self.beside or kind is not None:  # on a curve of its colour it has a rim
            rim = [withStroke(linewidth=2.6, foreground="black")]
            style |= {"color": self.colour(kind or 0), "linewidth": 1.2, "path_effects": rim}
        self.ax.plot(x, y, **style, linestyle="-", gid=OF_FIT, label="_" if self.beside else label)
        return self.key("fit", color="black", linewidth=2.6) if self.beside else self

    def level(self, value: float, label: str = "", *, axis: str = "y", shared: bool = False, **keywords: Any) -> Panel:
        """Draw a line across the panel at a value of an axis, which is no fit; nothing where it is not finite.

        Parameters
        ----------
        value : float
            Where.
        label : str, optional
            For the legend; beside other results it stands there once, so it has no numbers.
        axis : str, optional
            Of the value: ``"x"`` or ``"y"``.
        shared : bool, optional
            Whether results that lie over each other have the same line: it is grey.
        **keywords
            Passed to `Axes.axhline`.
        """
        if not np.isfinite(value):
            return self
        own = self.beside and not shared
        colour = self.colour(0) if own else GREY
        style = {"color": colour, "linewidth": 1.0, "linestyle": ":", "zorder": 0, **keywords}
        draw = self.ax.axhline if axis == "y" else self.ax.axvline
        draw(value, label="_" if own else label or "_", gid=None if own else REFERENCE, **style)
        return self.key(label, style["linestyle"]) if own else self

    def key(self, label: str, linestyle: Any = "-", **keywords: Any) -> Panel:
        """Say in the legend, once, what a line of a style is."""
        if label and label not in [one.get_label() for one in self.ax.lines]:
            style = {"color": "0.35", "linewidth": 1.2, "linestyle": linestyle, **keywords}
            self.ax.plot([], [], label=label, gid=KEY, **style)
        return self

    def particles(self, state: xr.Dataset, centre: int, **keywords: Any) -> Panel:
        """Draw the particles of one state at their size: all in two dimensions, a layer in three; with a scale.

        Parameters
        ----------
        state : Dataset
            One frame, with ``positions``, ``cell`` and ``diameter``.
        centre : int
            The particle in the middle, through which the layer goes; it is one mean particle distance thick and
            parallel to the first two cell vectors.
        **keywords
            ``colours`` of all particles; or ``values``, a DataArray, with ``symbol`` for the bar beside it,
            ``colour_map``, and ``spread``, the quantiles between which colours differ; ``arrows``, shape (N, d), in the
            plane, the longest 1.5 particle distances; ``forces`` likewise, black, from the middle of the particle that
            each acts on; ``reach``, half the width of the picture in place of the whole
            cell [length]. Others are passed to the collection of circles.
        """
        draw_particles(self.ax, state, centre, **keywords)
        return self

    def note(self, text: str) -> Panel:
        """Write a line into the legend, as a number that was found; left out beside other results."""
        return self if self.beside else self.key(text, "")

    def nothing(self, why: str) -> Panel:
        """Say in the panel why there is nothing to draw."""
        if not any(text.get_gid() == REASON for text in self.ax.texts):
            self.ax.text(0.5, 0.5, why, transform=self.ax.transAxes, ha="center", va="center", color="0.4", gid=REASON,
                         wrap=True)  # fmt: skip
        if not self.beside:  # numbers along an axis of nothing mean nothing
            self.ax.tick_params(which="both", left=False, bottom=False, labelleft=False, labelbottom=False)
        return self

    def finish(self) -> Axes:
        """Make the legend (of results over each other after the last), say what bands are, and return the Axes."""
        if self._empty and not self.beside and not has_data(self.ax):
            self.nothing(self._empty)
        return finish(self.ax, legend=not self.beside)

    # --- what it is drawn with ------------------------------------------------------------------------------------

    def colour(self, kind: int = 0) -> Any:
        """Return the colour of a kind; beside other results that of the result."""
        return COLOURS[kind % len(COLOURS)] if self._colour is None else self._colour

    @staticmethod
    def number(symbol: str, value: xr.DataArray, error: xr.DataArray | None = None) -> str:
        """Return a symbol, its number and error to the digits that these have, and the unit, for a legend."""
        return number_label(symbol, value, error)

    def _style(self, kind: int, label: str, keywords: dict) -> dict:
        style = {**keywords, "color": self.colour(kind)}
        if not self.beside:
            turn = LINES[kind // len(COLOURS) % len(LINES)]
            return {"linestyle": turn, **style, "label": label or "_", **self._keywords}
        line = style.setdefault("linestyle", LINES[kind % len(LINES)])
        if label:
            self.key(label, line, marker="" if line else style.get("marker", ""))
            if "marker" in style and line:
                style["marker"] = ""
        style["label"] = f"_{self._result}" if self._led else self._result
        self._led = True
        return {**style, **self._keywords}

    def _drawable(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        shown = np.isfinite(x) & np.isfinite(y)
        shown &= (x > 0) | (self.ax.get_xscale() != "log")
        return shown & ((y > 0) | (self.ax.get_yscale() != "log"))

    def _bounds(self, y: np.ndarray, error: Any, shown: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        spread = np.asarray(getattr(error, "values", error), dtype=float)
        low, high = spread if spread.ndim == 2 else (y - spread, y + spread)
        known = shown & np.isfinite(low) & np.isfinite(high)
        if self.ax.get_yscale() == "log":  # what reaches below zero goes out of the panel
            low = np.maximum(low, 1e-4 * np.abs(y))
        return low, high, known

    def _errors(
        self, x: np.ndarray, y: np.ndarray, error: Any, shown: np.ndarray, colour: Any, bars: bool, label: str, why: str
    ) -> None:
        low, high, known = self._bounds(y, error, shown)
        if not known.any():
            if shown.any():
                of = self._result if self.beside else label.partition(":")[0]  # without its numbers
                self.key(f"{UNSTATED} for {of}" if of else UNSTATED, "")
            return
        with WithLimits(self.ax, np.r_[x[known], x[known]], np.r_[high[known], np.maximum(low, 0.5 * np.abs(y))[known]]
                          if self.ax.get_yscale() == "log" else np.r_[high[known], low[known]]):  # fmt: skip
            if bars:
                band: Any = self.ax.vlines(x[known], low[known], high[known], color=colour, linewidth=1.0)
            else:
                band = self.ax.fill_between(x[shown], low[shown], high[shown], where=known[shown], color=colour,
                                            alpha=0.22, linewidth=0)  # fmt: skip
                seen = known[shown]  # of a point between two unknown ones no area
                alone = np.flatnonzero(shown)[seen & ~np.r_[False, seen[:-1]] & ~np.r_[seen[1:], False]]
                if alone.size:
                    self.ax.vlines(x[alone], low[alone], high[alone], color=colour, alpha=0.22, linewidth=3.0)
        self._state(band, error, known, x, shown, why)
        band.set_label("_")

    def _state(self, band: Any, error: Any, known: np.ndarray, x: np.ndarray, shown: np.ndarray, why: str) -> None:
        """Keep with a band what its errors say of themselves, and below and beyond where there are none, and why."""
        said = stated(error, self.dataset, known) if hasattr(error, "attrs") else None
        low, high = float(x[known].min()), float(x[known].max())
        below, beyond = (shown & (x < low)).any(), (shown & (x > high)).any()
        symbol = self.ax.get_xlabel().partition(" (")[0]
        says = {"below": low if below else None, "beyond": high if beyond else None, "symbol": symbol, "why": why}
        setattr(band, STATES, {"error": said, **says})

    def _note_empty(self, y: np.ndarray, shown: np.ndarray) -> None:
        """Keep why a curve has no point, for a panel that stays without any."""
        if not shown.any():
            self._empty = "nothing above zero" if np.isfinite(y).any() else "no value is known"
