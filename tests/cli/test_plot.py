"""`pelplug plot`: several results over each other, in the order of their temperatures."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

import pelplug
from pelplug.cli import cli
from pelplug.files.gsd import GSDWriter
from pelplug.files.results import read_results
from pelplug.host import functions as host
from pelplug.host.figures import draw
from pelplug.plotting.conditions import by_conditions
from pelplug.plotting.style import overlay

TEMPERATURES = (1.0, 0.45, 0.7)


def walk(path, temperature, record=None):
    """Diffusion with D = T / 100, as a simulation at that temperature would record it."""
    rng = np.random.default_rng(3)
    steps = rng.normal(scale=np.sqrt(2 * temperature / 100 * 0.1), size=(60, 40, 3))
    steps[0] = rng.uniform(0, 8, (40, 3))
    positions = np.cumsum(steps, axis=0)
    species = ["A"] * 30 + ["B"] * 10
    record = {"temperature": temperature, "end_temperature": None} if record is None else record
    with GSDWriter(path, {"simulation": record} if record else None) as writer:
        for k, one in enumerate(positions):
            images = np.zeros((40, 3), int)
            state = pelplug.Configuration(one, np.full(3, 8.0), species, images=images, step=k)
            writer.write(state.wrapped())
    return path


def run(*arguments):
    with pytest.raises(SystemExit) as end:
        cli.main([str(one) for one in arguments])
    return end.value.code


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plot")
    for name, temperature in zip("abc", TEMPERATURES, strict=True):
        walk(folder / f"{name}.gsd", temperature)
        more = ("--wave-number", "5", "--quantities", "msd,fs,alpha_2", "--dt", "0.1", "--quiet")
        assert run("analyze", "--plugin", "dynamics", folder / f"{name}.gsd", "-o", folder / f"{name}.nc", *more) == 0
    walk(folder / "d.gsd", 0.7, {})
    assert run("analyze", "--plugin", "dynamics", folder / "d.gsd", "-o", folder / "d.nc", *more) == 0
    return folder


def figure_of(folder, names):
    analysis = host.default_registry().analysis("dynamics")
    return draw({"dynamics": [(n, analysis.from_dataset(read_results(folder / f"{n}.nc")["dynamics"])) for n in names]})


def legend(ax):
    """Return its entries; walks as short as these have no errors, which it says as well."""
    return [text.get_text() for text in ax.get_legend().get_texts() if text.get_text() != "no error stated"]


def luminance(colour):
    return np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722))


def test_legend_is_in_the_order_of_temperature(results):
    figure = figure_of(results, "abc")
    assert [ax.get_ylabel().split("(")[0] for ax in figure.axes] == [
        r"$F_\mathrm{s}", r"$\langle\Delta r^2", r"$\alpha_2"
    ]  # fmt: skip
    for ax in figure.axes:
        assert legend(ax)[:5] == ["$T = 0.45$", "$T = 0.7$", "$T = 1$", "A", "B"]
        assert ax.get_xscale() == "log" and ax.get_xlabel() == "$t$ (time)"
        handles = {one.get_label(): one for one in ax.get_legend().legend_handles}
        light = [luminance(handles[f"$T = {one}$"].get_color()) for one in ("0.45", "0.7", "1")]
        assert light == sorted(light) and len(set(light)) == 3
        assert handles["A"].get_linestyle() == "-" and handles["B"].get_linestyle() != "-"
    fs, msd, _ = figure.axes
    assert msd.get_yscale() == "log" and "length$^{2}$" in msd.get_ylabel() and fs.get_yscale() == "linear"
    # Each curve has the colour of its temperature: the hottest moves furthest.
    last = {line.get_label(): line.get_ydata()[-1] for line in msd.lines if line.get_label().startswith("$T")}
    assert last["$T = 0.45$"] < last["$T = 0.7$"] < last["$T = 1$"]
    for ax in figure.axes:  # and all of it is seen
        low, high = ax.get_ylim()
        drawn = np.concatenate([line.get_ydata() for line in ax.lines if line.get_gid() != "reference"])
        assert low <= np.nanmin(drawn) and np.nanmax(drawn) <= high


def test_without_a_temperature_the_file_is_named(results):
    assert legend(figure_of(results, "adb").axes[0])[:5] == ["$T = 0.45$", "$T = 1$", "d", "A", "B"]
    assert "temperature" not in read_results(results / "d.nc")["dynamics"].attrs
    assert read_results(results / "b.nc")["dynamics"].attrs["temperature"] == 0.45


def test_command_writes_the_legend(results, tmp_path, monkeypatch):
    monkeypatch.setitem(mpl.rcParams, "svg.fonttype", "none")
    assert run("plot", *(results / f"{name}.nc" for name in "abcd"), "-o", tmp_path / "all.svg") == 0
    text = (tmp_path / "all.svg").read_text()
    assert "0.45" in text and ">d<" in text


def test_one_temperature_twice_is_told_apart_by_name():
    datasets = [xr.Dataset(attrs={"temperature": 0.5}) for _ in range(2)] + [xr.Dataset({"temperature": 0.4})]
    found = by_conditions(datasets, ["one", "two", "three"])
    assert [(place, label) for place, label, _ in found] == [
        (2, "$T = 0.4$"), (0, "$T = 0.5$ (one)"), (1, "$T = 0.5$ (two)")
    ]  # fmt: skip
    assert found[1][2] == found[2][2] != found[0][2]
    found = by_conditions([xr.Dataset(), xr.Dataset()], ["a", "b"])
    assert [label for _, label, _ in found] == ["a", "b"] and found[0][2] != found[1][2]


def test_files_of_one_name_are_told_apart_by_their_folders():
    from pelplug.host.figures import _labels

    assert _labels(["/a/long/way/x.nc", "/a/long/way/y.nc"]) == {"/a/long/way/x.nc": "x", "/a/long/way/y.nc": "y"}
    apart = _labels(["/a/long/way/1/x.nc", "/a/long/way/2/x.nc", "/a/long/way/2/y.nc"])
    assert list(apart.values()) == ["1/x.nc", "2/x.nc", "2/y.nc"]
    assert _labels(["data/x.nc", "x.nc"]) == {"data/x.nc": "data/x.nc", "x.nc": "x.nc"}


def test_a_ramp_has_no_temperature(tmp_path):
    ramp = {"temperature": 1.0, "end_temperature": 0.4}
    for record, expected in ((ramp, None), ({"temperature": 0.6}, 0.6), ({"temperature": None}, None)):
        with pelplug.open_trajectory(walk(tmp_path / "t.gsd", 1.0, record)) as trajectory:
            assert trajectory.conditions.temperature == expected
            assert (trajectory.conditions.ramp is not None) == (record is ramp)
        (tmp_path / "t.gsd").unlink()


def test_analyses_in_situ_say_the_temperature_too():
    cls = host.default_registry().analysis("inherent-structures")
    for temperature in (0.6, None):
        watch = pelplug.InSitu(cls(None, model=pelplug.model("kob-andersen")))
        watch.begin(100, 0.005, 10, pelplug.Conditions(temperature=temperature))
        assert watch.analyses[0].conditions.temperature == temperature


def test_an_author_who_takes_no_keywords_is_drawn_too():
    ax = Figure().add_subplot()

    def own(ax=None):
        ax.plot([1, 2, 3], [1, 2, 3], color="green")
        ax.text(1, 1, "a number")
        ax.legend(["mine"])

    def with_limits(ax, **keywords):
        ax.plot([1, 2, 30], [1, 2, 50], **keywords)
        ax.axhline(7.0, color="0.5")
        ax.set_ylim(0, 60)

    overlay(ax, [(own, "x", "#ff0000"), (with_limits, "y", "#0000ff")])
    assert legend(ax) == ["x", "y"] and not ax.texts
    assert [line.get_color() for line in ax.lines] == ["#ff0000", "#0000ff", "#0000ff"]
    assert ax.lines[2].get_linestyle() == "--" and ax.get_ylim()[1] == 60 and ax.get_xlim()[1] > 30
