"""What a panel and a figure say: conditions, units, what a band is and where it ends, numbers of fits."""

import json

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import pelplug
from pelplug.core.conditions import Conditions
from pelplug.plotting.figures import figure_of
from pelplug.plotting.style import overlay, plot_variable
from pelplug.plotting.text import literal_labels, title_of

METAL = json.dumps(pelplug.Units.of("metal").to_dict())
T = xr.DataArray(np.arange(1.0, 11.0), dims="lag", attrs={"units": "ps"}, name="lag")


def result(units="", quench="", model="kob-andersen", **known):
    attrs = {"model": json.dumps({"name": model}), **({"units": units} if units else {})}
    attrs |= Conditions(**known).to_attributes() | ({"quench": quench} if quench else {})
    return xr.Dataset({"x": ("frame", np.arange(3.0))}, {"frame": np.arange(3)}, attrs)


def error(values, samples=20.0, method="bootstrap over blocks", confidence=0.6827):
    attrs = {"error_method": method, "effective_samples": samples, "confidence": confidence}
    return xr.DataArray(np.asarray(values, dtype=float), dims="lag", attrs=attrs)


def legend(ax):
    """Return what a panel says of its curves, then above it of their errors."""
    entries = [] if ax.get_legend() is None else [text.get_text() for text in ax.get_legend().get_texts()]
    above = ax.get_title(loc="left").replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ")
    return [*entries, *(above.split("; ") if above else [])]


def test_a_title_names_model_number_temperature_density_and_how_many():
    assert title_of([result(n=150, temperature=0.5, density=1.2)]) == (
        r"kob-andersen, $N$ = 150, $T$ = 0.5, $\rho$ = 1.2, 3 frames"
    )
    minima = result(quench="{}", n=150, temperature=0.5)
    assert title_of([minima]) == "kob-andersen, $N$ = 150, $T_p$ = 0.5, 3 inherent structures"
    runs = minima.assign_coords(run=("frame", [0, 0, 1]))
    assert title_of([runs]).endswith("$T_p$ = 0.5, 2 runs, 3 inherent structures")
    assert "1,500" not in title_of([result(METAL, n=1500, temperature=1500.0)])
    assert "$T$ = 1500 K" in title_of([result(METAL, n=1500, temperature=1500.0)])
    assert title_of([result()]) == "kob-andersen, N not stated, $T$ not stated, 3 frames"
    assert "model not stated" in title_of([xr.Dataset()])
    theory = xr.Dataset(attrs={"analysis": "trap-model", "collection": "[]"})
    assert title_of([theory, theory], count="two of them") == "trap-model, two of them"


def test_a_title_of_several_results_says_the_range_of_what_differs():
    several = [result(n=n, temperature=t) for n, t in ((100, 0.5), (100, 0.45), (200, 1.0))]
    assert title_of(several) == "kob-andersen, $N$ = 100 to 200, $T$ = 0.45 to 1, 3 frames each"
    names = [result(model="x" * 200, n=1, temperature=1.0)]
    assert len(title_of(names, 40).splitlines()[0]) < 60


def test_axes_have_the_units_of_their_variables():
    panel = pelplug.Panel(result(), None).axes(("$t$", T), ("$v$", T.assign_attrs(units="Angstrom**2 / ps")), log="x")
    ax = panel.curve(T, T).finish()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$t$ (ps)", "$v$ (Å$^{2}$ / ps)") and ax.get_xscale() == "log"
    assert ax.figure.get_suptitle().startswith("kob-andersen")


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({}, "band: one standard error, bootstrap over 20 blocks"),
        ({"samples": 5.0, "method": "bootstrap over inherent structures", "confidence": 0.9},
         "band: 90 %, bootstrap over 5 inherent structures"),
        ({"method": "standard error over independent runs"}, "band: one standard error, 20 independent runs"),
        ({"method": "bootstrap over 20 blocks of it"}, "band: one standard error, bootstrap over 20 blocks of it"),
        ({"method": "jackknife over blocks of the run, each as long as the lag; none beyond a quarter"},
         "band: one standard error, jackknife over 20 blocks of the run, each as long as the lag"),
        ({"samples": "origins"}, "band: one standard error, bootstrap over 4 to 13 blocks"),
    ],
)  # fmt: skip
def test_the_legend_says_what_a_band_is(attributes, words):
    dataset = result().assign(origins=("lag", np.r_[13.0, np.arange(12.0, 3.0, -1)]))
    ax = pelplug.Panel(dataset).axes(("$t$", T), "$y$").curve(T, T, error(np.full(10, 0.5), **attributes)).finish()
    assert legend(ax) == [words]


def test_an_error_that_says_nothing_of_itself_is_drawn_without_a_word():
    ax = pelplug.Panel(result()).axes(("$t$", T), "$y$").curve(T, T, np.full(10, 0.5)).finish()
    assert len(ax.collections) == 1 and ax.get_legend() is None


def test_a_band_ends_where_the_errors_end_and_the_figure_says_so():
    spread = np.where(np.arange(10) < 6, 0.5, np.nan)
    ax = pelplug.Panel(result()).axes(("$t$", T), "$y$").curve(T, T, error(spread)).finish()
    assert ax.collections[0].get_paths()[0].vertices[:, 0].max() == 6.0 and ax.lines[0].get_xdata()[-1] == 10.0
    assert legend(ax)[-1] == "no errors beyond $t$ = 6"
    none = pelplug.Panel(result()).axes(("$t$", T), "$y$").curve(T, T, error(np.full(10, np.nan))).finish()
    assert legend(none) == ["no error stated"] and not none.collections


def test_where_errors_begin_is_said_and_why():
    spread = np.where((np.arange(10) > 1) & (np.arange(10) < 6), 0.5, np.nan)
    panel = pelplug.Panel(result()).axes(("$t$", T), "$y$")
    ax = panel.curve(T, T, error(spread), why="seen in fewer than 5 of them").finish()
    assert legend(ax)[-1] == "no errors below $t$ = 3 and beyond 6 (seen in fewer than 5 of them)"


def test_errors_of_kinds_that_lie_apart_are_where_bands_are():
    panel = pelplug.Panel(result()).axes(("$t$", T), "$y$")
    for k in (2, 6):
        panel.curve(T, T, error(np.where(np.abs(np.arange(10) - k) < 2, 0.5, np.nan)), kind=k)
    assert legend(panel.finish())[-1] == "no errors where no band is"


def test_a_panel_without_data_says_why_and_has_no_ticks():
    for y, words in ((0.0 * T, "nothing above zero"), (np.nan * T, "no value is known")):
        ax = pelplug.Panel(result()).axes(("$t$", T), "$y$", log="xy").curve(T, y).level(1.0).finish()
        assert [text.get_text() for text in ax.texts] == [words]
        assert not len(ax.get_xticks()) and not len(ax.get_yticks())


def test_an_error_between_two_that_are_not_known_is_seen():
    spread = np.where(np.isin(np.arange(10), (1, 4, 5, 6)), 0.5, np.nan)
    ax = pelplug.Panel(result()).axes(("$t$", T), "$y$").curve(T, T, error(spread)).finish()
    (alone,) = ax.collections[1].get_segments()
    np.testing.assert_allclose(alone, [[2.0, 1.5], [2.0, 2.5]])


def test_the_number_of_samples_is_that_of_the_kind_that_is_drawn():
    kinds = ("kind", ["rare", "common"])
    spread = xr.DataArray(
        np.full((2, 10), 0.5), dims=("kind", "t"), coords={"kind": kinds},
        attrs={"error_method": "bootstrap over blocks", "confidence": 0.6827, "effective_samples": "samples"},
    )  # fmt: skip
    data = result().assign(samples=(("kind", "t"), np.array([np.zeros(10), np.full(10, 8.0)])))
    data = data.assign_coords(kind=kinds)
    ax = pelplug.Panel(data).axes(("$t$", T), "$y$").curve(T, T, spread.sel(kind="common")).finish()
    assert legend(ax) == ["band: one standard error, bootstrap over 8 blocks"]


def test_results_without_errors_are_named_beside_others():
    def draw(spread):
        def panel(ax, **keywords):
            of = pelplug.Panel(result(), ax, **keywords).axes(("$t$", T), "$y$")
            return of.curve(T, T, error(np.full(10, spread)), label="A").finish()

        return panel

    some = overlay(Figure().add_subplot(), [(draw(np.nan), "$T = 0.5$", "C0"), (draw(0.5), "$T = 0.6$", "C1")])
    assert legend(some)[:4] == ["$T = 0.5$", "$T = 0.6$", "A", "no error stated for $T = 0.5$"]
    none = overlay(Figure().add_subplot(), [(draw(np.nan), f"$T = {k}$", f"C{k}") for k in range(3)])
    assert legend(none) == ["$T = 0$", "$T = 1$", "$T = 2$", "A", "no error stated"]


def test_bands_of_several_results_are_said_in_one_line():
    def draw(k):
        def panel(ax, **keywords):
            of = pelplug.Panel(result(), ax, **keywords).axes(("$t$", T), "$y$")
            of.curve(T, k * T, error(np.where(np.arange(10) < 3 + k, 0.5, np.nan), 4.0 + k), kind=0, label="A")
            return of.fit([2.0, 3.0], [2.0 * k, 3.0 * k], f"slope {k}").finish()

        return panel

    ax = overlay(Figure().add_subplot(), [(draw(k), f"T = {k}", f"C{k}") for k in (1, 2, 3, 4, 5)])
    assert legend(ax)[:7] == [*(f"T = {k}" for k in (1, 2, 3, 4, 5)), "A", "fit"]
    assert legend(ax)[7:] == [
        "band: one standard error, bootstrap over 5 to 9 blocks",
        "no errors beyond $t$ = 4 to 8",
    ]
    fits = [line for line in ax.lines if line.get_gid() == "fit"]
    assert [(line.get_linestyle(), line.get_color()) for line in fits] == [("-", f"C{k}") for k in (1, 2, 3, 4, 5)]


def test_numbers_have_the_digits_of_their_errors_and_units_that_say_something():
    def number(value, error=None, units="ps"):
        error = None if error is None else xr.DataArray(error)
        return pelplug.Panel.number("$D$", xr.DataArray(value, attrs={"units": units}), error)

    assert number(0.123456, 0.0123) == "$D$ = 0.123 ± 0.012 ps"
    assert number(12345.678, 130.0) == "$D$ = 12346 ± 130 ps"
    assert number(1.23456e-6, 1.2e-7) == r"$D$ = (1.23 ± 0.12)$\,\times 10^{-6}$ ps"
    assert number(-7.5, np.nan, "energy") == "$D$ = −7.5" and number(7.5, units="length**2 / time") == "$D$ = 7.5"
    assert number(0.5, 0.1, "Angstrom**2 / ps") == "$D$ = 0.50 ± 0.10 Å$^{2}$ / ps"


def test_logarithmic_axes_leave_out_what_is_not_positive():
    y = xr.DataArray([0.0, -1.0, 1.0, 10.0], dims="x")
    x = xr.DataArray([1.0, 2.0, 3.0, 4.0], dims="x")
    panel = pelplug.Panel(result()).axes("$x$", "$y$", log="y").curve(x, y, np.array([1.0, 1.0, 5.0, 1.0]))
    ax = panel.finish()
    assert ax.lines[0].get_xdata().tolist() == [3.0, 4.0] and 0.1 < ax.get_ylim()[0] < 1.0
    steps = pelplug.Panel(result()).axes("$x$", "$y$", log="y").histogram(np.arange(5.0), y).finish()
    steps.figure.savefig("/dev/null", format="png")
    empty = pelplug.Panel(result()).axes("$x$", "$y$", log="xy").curve(x, -x, np.ones(4)).finish()
    empty.figure.savefig("/dev/null", format="png")


def test_names_from_outside_are_shortened_and_need_no_formula():
    names = ["Ca$_", "x" * 90, "{", "Å b"]
    panel = pelplug.Panel(result()).axes("$x$", "$y$")
    for k, name in enumerate(names):
        panel.curve(T, T + k, kind=k, label=name)
    said = legend(panel.finish())
    assert said[0] == names[0] and len(said[1]) < 60 and said[2:] == names[2:]
    literal_labels(panel.ax.figure)
    panel.ax.figure.savefig("/dev/null", format="png")


def test_many_kinds_have_a_legend_that_ends():
    panel = pelplug.Panel(result()).axes("$x$", "$y$")
    for k in range(40):
        panel.curve(T, T + k, kind=k, label=f"S{k}")
    assert legend(panel.finish())[-1] == "and 16 more"
    styles = {(line.get_color(), str(line._dash_pattern)) for line in panel.ax.lines[:24]}
    assert len(styles) == 24


def test_a_legend_hides_no_curve():
    panel = pelplug.Panel(result()).axes("$x$", "$y$")
    for k in range(4):  # over the whole panel
        panel.curve(T, np.tile([0.0, 1.0], 5) + 0.01 * k, kind=k, label=f"kind {k}")
    ax = panel.finish()
    ax.figure.canvas.draw()
    assert ax.get_legend().get_window_extent().x0 >= ax.get_window_extent().x1 - 10


def test_frames_of_several_runs_are_numbered():
    one = result().assign_coords(time=("frame", [0.0, 1.0, 2.0], {"units": "ps"}))
    assert pelplug.Panel(one).frames()[0] == "$t$"
    many = pelplug.Panel(one.assign_coords(run=("frame", [0, 0, 1]))).frames()
    assert many[0] == "frame" and many[1].values.tolist() == [0, 1, 2]
    assert plot_variable(one, "x").get_xlabel() == "$t$ (ps)"


def test_a_figure_has_panels_and_no_empty_axes():
    figure = figure_of([result(n=5, temperature=1.0)], [lambda ax: ax.plot([1, 2])] * 5)
    assert len(figure.axes) == 5 and "$N$ = 5" in figure.get_suptitle()


def test_a_layer_of_particles_with_its_scale():
    cell, positions = np.diag([5.0, 5.0, 5.0]), np.random.default_rng(1).uniform(0, 5, (100, 3))
    one = xr.Dataset(
        {
            "cell": (("vector", "dimension"), cell),
            "positions": (("particle", "dimension"), positions, {"units": "Angstrom"}),
            "diameter": ("particle", np.ones(100)),
            "v": ("particle", np.linspace(1.0, 2.0, 100), {"units": "eV"}),
        }
    )
    panel = pelplug.Panel(result()).particles(one, 3, values=one["v"], symbol="$v$", arrows=positions)
    bar = panel.ax.figure.axes[1]
    assert bar.get_ylabel() == "$v$ (eV)" and [text.get_text() for text in panel.ax.texts] == ["1 Å"]
    height = 5.0 * np.abs(((positions[:, 2] - positions[3, 2]) / 5.0 + 0.5) % 1.0 - 0.5)
    layer = height <= 0.5 * (125 / 100) ** (1 / 3)
    assert len(set(panel.ax.collections[0].get_array().data.tolist())) <= layer.sum()


def test_one_map_of_colours_for_temperatures():
    colours = pelplug.Panel.colours([0.5, 1.0, 0.5, 0.7])
    assert colours[0] == colours[2] and len(set(colours)) == 3
    light = [np.dot(colour[:3], (0.2126, 0.7152, 0.0722)) for colour in (colours[0], colours[3], colours[1])]
    assert light == sorted(light)


def test_what_a_band_is_stays_inside_the_figure():
    """A legend beside another panel makes this one narrower than its share of the figure."""
    x = np.arange(1.0, 9.0)
    spread = error(np.ones(8), 5.0, "bootstrap over independent runs of one T")

    def wide(ax):
        panel = pelplug.Panel(xr.Dataset(), ax)
        many = np.arange(400.0)
        panel.curve(many, np.where(many % 2, -many, many), label="one standard deviation of the energies")
        panel.curve(many, np.where(many % 2, many - 400, 400 - many), kind=1, label="mean")
        return panel.finish()

    figure = pelplug.Panel.figure(
        xr.Dataset(), [wide, lambda ax: pelplug.Panel(xr.Dataset(), ax).curve(x, x, spread).finish()]
    )
    figure.draw_without_rendering()
    (title,) = (ax._left_title for ax in figure.axes if ax.get_title(loc="left"))
    assert "bootstrap over 5 independent runs of one T" in title.get_text()
    assert title.get_window_extent().x1 <= figure.bbox.x1
