"""What the figure says: where the errors end, and the fit in its window with its error."""

import numpy as np
import xarray as xr
from pelplug_msed.drawing import draw_msed


def result(**more):
    lag = np.geomspace(1.0, 1000.0, 31)
    error = {"units": "eV**2", "error_method": "standard error over stretches", "confidence": 0.6827}
    values = {
        "msed": ("lag", 2.0 - np.exp(-lag / 20.0), {"units": "eV**2"}),
        "msed_error": ("lag", np.where(lag <= 100.0, 0.1, np.nan), error | {"effective_samples": 12.0}),
        "long_time_limit": ((), 2.0),
    }
    return xr.Dataset(values | more, {"lag": ("lag", lag, {"units": "ps"})})


FIT = {
    "tau": ((), 20.0, {"units": "ps"}), "tau_error": ((), 1.5), "u0_squared": ((), 1.0), "um_squared": ((), 1.0),
    "fit_window": ("bound", [5.0, 60.0]),
}  # fmt: skip


def said(ax):
    return ax.get_title(loc="left").replace("\n", " ").replace("\N{NO-BREAK SPACE}", " ").split("; ")


def test_the_band_ends_with_the_errors_and_the_legend_says_where():
    ax = draw_msed(result())
    assert max(one.vertices[:, 0].max() for one in ax.collections[0].get_paths()) <= 100.0 + 1e-9
    assert "no errors beyond $t$ = 100" in said(ax) and "band: one standard error, 12 stretches" in said(ax)
    assert (ax.get_xlabel(), ax.get_ylabel().split(" ")[1]) == ("$t$ (ps)", "(eV$^{2}$)")


def test_the_fit_is_drawn_in_its_window_with_its_error():
    (fit,) = (line for line in draw_msed(result(**FIT)).lines if line.get_gid() == "fit")
    t, y = fit.get_data()
    np.testing.assert_allclose(t[[0, -1]], [5.0, 60.0])
    np.testing.assert_allclose(y, 2.0 - np.exp(-t / 20.0))
    assert fit.get_label() == r"Eq. 11: $\tau^*$ = 20.0 ± 1.5 ps" and fit.get_linestyle() == "-"
    assert not [line for line in draw_msed(result()).lines if line.get_gid() == "fit"]
