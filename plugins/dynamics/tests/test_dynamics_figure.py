"""What the figure says: the line labelled D is the fit, in its window; each quantity has axes of its own."""

import numpy as np
import pytest
from pelplug_dynamics.dynamics import Dynamics

import pelplug

SIDE, STEP = 8.0, 0.1


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """Free walks of two species with D = 0.5 and 0.1."""
    path = tmp_path_factory.mktemp("walk") / "walk.nc"
    rng = np.random.default_rng(3)
    species = ["A"] * 30 + ["B"] * 20
    spread = np.sqrt(2 * STEP * np.where(np.array(species) == "A", 0.5, 0.1))
    steps = rng.normal(size=(400, 50, 3)) * spread[None, :, None]
    steps[0] = rng.uniform(0, SIDE, (50, 3))
    states = [
        pelplug.Configuration(one, np.full(3, SIDE), species, images=np.zeros((50, 3), int), step=k).wrapped()
        for k, one in enumerate(np.cumsum(steps, axis=0))
    ]
    pelplug.write_trajectory(path, states, conditions=pelplug.Conditions(temperature=0.7, n=50))
    return pelplug.analyze("dynamics", path, wave_number=[2.0], dt=STEP, remove_drift=False)


def test_the_line_labelled_d_is_the_fit_in_its_window(dataset):
    figure = Dynamics.from_dataset(dataset).figure()
    (ax,) = (one for one in figure.axes if "Delta r" in one.get_ylabel())
    fits = [line for line in ax.lines if line.get_gid() == "fit"]
    assert [line.get_label()[0] for line in fits] == ["A", "B"]
    for line, kind in zip(fits, "AB", strict=True):
        t, y = line.get_data()
        d = float(dataset["diffusion_coefficient"].sel(kind=kind))
        np.testing.assert_allclose(t[[0, -1]], dataset["diffusion_window"].sel(kind=kind))
        np.testing.assert_allclose(np.diff(y), 6 * d * np.diff(t), rtol=1e-6)  # 2 d D t + c
        window = dataset["msd"].sel(kind=kind, lag_time=slice(t[0] * (1 - 1e-9), t[-1] * (1 + 1e-9)))
        msd, y, t = window.values, np.interp(window["lag_time"], t, y), window["lag_time"].values
        assert abs(np.sum((msd - y) / t**2)) < 1e-9 * np.sum(msd / t**2)  # c of the same least squares
        assert np.abs(y / msd - 1).max() < 0.5 and line.get_linestyle() == "-"  # on the curve, not beside it
        assert f"{d:.2g}"[:3] in line.get_label()


def test_the_stretched_exponential_is_drawn_where_it_was_fitted(dataset):
    ax = Dynamics.from_dataset(dataset).plot()
    fits = [line for line in ax.lines if line.get_gid() == "fit"]
    assert len(fits) == 2
    for line, kind in zip(fits, "AB", strict=True):
        one = dataset.sel(kind=kind).isel(wave_number=0)
        t, y = line.get_data()
        np.testing.assert_allclose(t[[0, -1]], one["kww_window"])
        # Of free walks it is exp(-q^2 D t), and F_s itself lies on it.
        fs = np.interp(np.log(t), np.log(one["lag_time"]), one["fs"])
        assert np.abs(y - fs).max() < 0.03 and y[-1] > 0.01
        assert abs(float(one["kww_beta"]) - 1.0) < 0.2 and rf"{kind}, stretched: $\beta$" in line.get_label()


def test_the_title_says_how_many_runs_and_origins(dataset):
    title = Dynamics.from_dataset(dataset).figure().get_suptitle()
    origins = dataset["origins"].values
    assert f"{origins.min()} to {origins.max()} time origins a lag" in title and "run" not in title
    several = dataset.assign_attrs(trajectories='[{"file": "a"}, {"file": "b"}]')
    assert ", 2 runs, " in Dynamics.from_dataset(several).figure().get_suptitle()


def test_a_panel_of_an_msd_that_is_nothing_says_so(dataset):
    still = dataset.assign(msd=0.0 * dataset["msd"], diffusion_window=np.nan * dataset["diffusion_window"])
    (ax,) = (one for one in Dynamics.from_dataset(still).figure().axes if "Delta r" in one.get_ylabel())
    assert [text.get_text() for text in ax.texts] == ["nothing above zero"]


def test_alpha_2_and_chi_4_have_axes_of_their_own(dataset):
    figure = Dynamics.from_dataset(dataset).figure()
    labels = [ax.get_ylabel() for ax in figure.axes]
    assert r"$\alpha_2(t)$" in labels and r"$\chi_4(t)$" in labels and len(labels) == 5
    assert all(len(ax.get_shared_x_axes().get_siblings(ax)) == 1 for ax in figure.axes)
    assert "$N$ = 50" in figure.get_suptitle() and "$T$ = 0.7" in figure.get_suptitle()


def test_without_a_fit_no_line_is_drawn(dataset):
    none = dataset.assign(diffusion_window=dataset["diffusion_window"] * np.nan)
    (ax,) = (one for one in Dynamics.from_dataset(none).figure().axes if "Delta r" in one.get_ylabel())
    assert not [line for line in ax.lines if line.get_gid() == "fit"]
