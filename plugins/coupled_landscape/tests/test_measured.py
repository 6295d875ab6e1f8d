"""Finite-size effects from results of dynamics: ratios, their errors, the paper's correction, and what is refused."""

import json

import numpy as np
import pytest
import xarray as xr
from pelplug_coupled_landscape.measured import Measured, measured_ratios
from pelplug_coupled_landscape.study import CoupledLandscape

import pelplug

QUICK = {"temperatures": (0.5, 0.6), "q": (0.01, 0.1, 1.0), "events": 15_000, "runs": 3, "scaled_q": "none"}
LAGS = np.geomspace(0.1, 100.0, 20)


def result(temperature, n, tau, diffusion, seed=1, error=0.05, wave_number=15.0):
    """A result of dynamics: F_s is 0.4 exp(-t/tau)."""
    by_q, by_kind = ("kind", "wave_number"), ("kind",)
    dataset = xr.Dataset(
        {
            "kww_mean_time": (by_q, [[1.0], [tau]]),
            "kww_mean_time_error": (by_q, [[1.0], [error * tau]]),
            "kww_amplitude": (by_q, [[1.0], [0.4]]),
            "fs": ((*by_q, "lag_time"), 0.4 * np.exp(-LAGS / np.array([[[1.0]], [[tau]]]))),
            "diffusion_coefficient": (by_kind, [1.0, diffusion]),
            "diffusion_coefficient_error": (by_kind, [1.0, error * diffusion]),
        },
        {"kind": ["A", "all"], "wave_number": [wave_number], "lag_time": LAGS},
    )
    said = pelplug.Conditions(model={"name": "kob-andersen", "parameters": {}}, n=n, density=1.2,
                              temperature=temperature, seed=seed)  # fmt: skip
    name = f"{temperature}-{n}-{seed}"
    dataset.attrs = {
        "analysis": "dynamics", "parameters": json.dumps({"wave_number": wave_number}), "created": name,
        "trajectories": json.dumps([{"file": name, "sha256": name, "frames": ""}]),
        "model": json.dumps(said.model), "units": json.dumps(said.units.to_dict()), **said.to_attributes(),
    }  # fmt: skip
    return dataset


MEASURED = [result(0.5, 65, 60.0, 1.0), result(0.5, 8320, 10.0, 1.2), result(0.6, 65, 3.3, 2.0),
            result(0.6, 8320, 1.1, 2.2)]  # fmt: skip


def study(results, **parameters):
    return pelplug.study("coupled-landscape", results, workers=1, **{**QUICK, **parameters})


def test_ratios_are_corrected_by_diffusion_with_all_errors():
    one = np.array([4.0, 4.0, np.nan])
    ratio, error = measured_ratios(Measured(one, 0.1 * one, np.array([1.25, np.nan, np.nan]), np.array([0.05] * 3)))
    np.testing.assert_allclose(ratio, [3.2, 4.0, np.nan])
    np.testing.assert_allclose(error, [3.2 * np.hypot(0.1, 0.04), 0.4, np.nan])


def test_results_of_two_sizes_give_q_and_stand_beside_the_model():
    ds = study(MEASURED[::-1])
    np.testing.assert_allclose(ds["measured_ratio"], [60.0 / 10.0 / 1.2, 3.3 / 1.1 / 1.1])
    np.testing.assert_allclose(ds["measured_ratio_error"] / ds["measured_ratio"], 0.05 * np.sqrt(4.0))
    assert np.isfinite(ds["matched_q"]).all() and np.isfinite(ds["matched_q_error"]).all()
    np.testing.assert_allclose(ds["measured_scattering"][0], np.exp(-LAGS / 10.0))
    given = study((), tau_ratio=(6.0, 3.0), tau_ratio_error=(6.0 * 0.05 * 2**0.5, 3.0 * 0.05 * 2**0.5),
                  d_ratio=(1.2, 1.1), d_ratio_error=(1.2 * 0.05 * 2**0.5, 1.1 * 0.05 * 2**0.5))  # fmt: skip
    np.testing.assert_allclose(ds["matched_q"], given["matched_q"])
    np.testing.assert_allclose(ds["matched_q_error"], given["matched_q_error"])
    ax = pelplug.plot(ds).axes[3]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert any("F_s" in label for label in labels) and not any("no measured" in label for label in labels)


def test_three_runs_of_a_size_have_an_error_over_runs():
    runs = [result(0.6, 65, tau, 2.0, seed=k, error=0.0) for k, tau in enumerate((3.0, 3.3, 3.6))]
    ds = study([*runs, result(0.6, 8320, 1.1, 2.0, error=0.0)])
    expected = float(pelplug.standard_error([3.0, 3.3, 3.6])) / 1.1
    np.testing.assert_allclose(ds["measured_ratio_error"], [np.nan, expected])
    assert np.isnan(ds["matched_q"][0, 0]) and np.isfinite(ds["matched_q"][0, 1])


@pytest.mark.parametrize(
    "results, given, sentence",
    [
        (MEASURED, {"tau_ratio": (2.0, 2.0)}, "--tau-ratio is given, and results from which it follows"),
        (MEASURED[:1], {}, "between two sizes, and the results at T = 0.5 are of N = 65; give those of a small and"),
        (MEASURED, {"temperatures": (0.5,)}, "results at T = 0.6, where the model is not asked for; .* 0.5,0.6"),
        (MEASURED, {"k_c": 12.0}, r"has F_s at k = 15, not at 12; make it anew with .*--wave-number 12, or give --k-c"),
    ],
)
def test_results_that_do_not_measure_it_are_refused(results, given, sentence):
    with pytest.raises(pelplug.InputError, match=sentence):
        study(results, **given)


def test_what_results_do_not_have_is_said():
    ds = study([result(0.6, 65, np.nan, 2.0), result(0.6, 8320, 1.1, 2.2)])
    assert "N = 65 at T = 0.6 has no kww_mean_time; simulate longer." in json.loads(ds.attrs["not_found"])
    ds = study([result(0.6, 65, 1.0, 2.0), result(0.6, 8320, 2.0, 2.0)])
    assert "the large system is slower than the small one, by 2, which no q makes it" in ds.attrs["not_found"]
    assert CoupledLandscape.takes == ("dynamics", "metabasins")


def walk(temperature, tau, diffusion, waiting, n=65, error=0.05, seed=1):
    """A result of metabasins."""
    numbers = {"relaxation_time": tau, "diffusion_coefficient": diffusion, "mean_waiting_time": waiting}
    numbers |= {f"{name}_error": error * value for name, value in numbers.items()}
    dataset = xr.Dataset({name: ((), value) for name, value in numbers.items()})
    one, name = result(temperature, n, 1.0, 1.0), f"walk-{temperature}-{n}-{seed}"
    dataset.attrs = {**one.attrs, "analysis": "metabasins", "parameters": "{}", "created": name,
                     "trajectories": json.dumps([{"file": name, "sha256": name, "frames": ""}])}  # fmt: skip
    return dataset


def test_metabasins_of_the_small_system_stand_beside_dynamics():
    both = [*MEASURED, walk(0.5, 58.0, 1.0, 12.0), walk(0.6, 2.0, 2.1, 3.0)]
    ds, of_walk = study(both), study(both, small="metabasins")
    np.testing.assert_allclose(ds["small_relaxation_time"], [[60.0, 58.0], [3.3, 2.0]])
    np.testing.assert_allclose(ds["measured_ratio"], [6.0 / 1.2, 3.0 / 1.1])
    np.testing.assert_allclose(of_walk["measured_ratio"], [5.8 / 1.2, 2.0 / 1.1 / (2.2 / 2.1)])
    np.testing.assert_allclose(ds["measured_waiting_time"], [12.0, 3.0])
    said = json.loads(ds.attrs["remarks"])
    apart = 1.3 / (0.05 * np.hypot(3.3, 2.0))
    told = "At T = 0.6 tau_alpha of the small system is 3.3 +- 0.17 by dynamics and 2 +- 0.1 by metabasins, "
    told += f"which differ by {apart:.2g} errors; that of dynamics counts (--small)."
    assert told in said
    assert any("which agree, they differ by 0.48 errors" in one and "At T = 0.5 tau_alpha" in one for one in said)
    assert "that of metabasins counts" in of_walk.attrs["remarks"]
    # q ~ <tau>^-n between the two temperatures
    q = ds["matched_q"].values[0]
    np.testing.assert_allclose(ds["measured_growth"], [np.log(q[1] / q[0]) / np.log(12.0 / 3.0)], rtol=1e-6)
    spread = np.linalg.norm([*(ds["matched_q_error"].values[0] / q), 0.05 * ds["measured_growth"].item() * 2**0.5])
    np.testing.assert_allclose(ds["measured_growth_error"], [spread / np.log(4.0)], rtol=1e-6)
    labels = [[one.get_text() for one in ax.get_legend().get_texts()] for ax in pelplug.plot(ds).axes[1:3]]
    assert all(any("metabasins" in label for label in some) for some in labels)


def test_metabasins_alone_and_as_the_only_ones_of_the_small_system():
    alone = study([walk(0.6, 3.3, 2.0, 3.0)], tau_ratio=(0.0, 3.0), tau_ratio_error=(0.0, 0.3))
    np.testing.assert_allclose(alone["measured_ratio"], [np.nan, 3.0])
    np.testing.assert_allclose(alone["measured_waiting_time"], [np.nan, 3.0])
    assert "At T = 0.6 tau_alpha and D of the small system are of metabasins." in alone.attrs["remarks"]
    large = study([MEASURED[3], walk(0.6, 3.3, 2.0, 3.0)])
    np.testing.assert_allclose(large["measured_ratio"], [np.nan, 3.0 / 1.1])
    for results, sentence in (
        ([*MEASURED[2:], walk(0.6, 1.0, 1.0, 1.0, n=8320)], "Metabasins at T = 0.6 are of N = 8320, the larger"),
        ([MEASURED[2], walk(0.6, 3.3, 2.0, 3.0)], "are of N = 65; give those of a small and of a large system"),
        ([*MEASURED[2:], walk(0.6, 1.0, 1.0, 1.0, n=130)], "are of N = 65, N = 130, N = 8320"),
    ):
        with pytest.raises(pelplug.InputError, match=sentence):
            study(results)
