"""The study coupled-landscape against limits and published numbers, its refusals, and what it says of itself."""

import json
import time

import numpy as np
import pytest
from pelplug_coupled_landscape.estimates import exponent, prefactor, with_error
from pelplug_coupled_landscape.results import growth
from pelplug_coupled_landscape.study import CoupledLandscape
from pelplug_coupled_landscape.tails import expected_scatter

import pelplug

QUICK = {"temperatures": (0.6,), "q": (0.1, 1.0), "events": 2000, "runs": 3}


def study(**parameters):
    return pelplug.study("coupled-landscape", workers=1, **{**QUICK, **parameters})


def test_one_system_is_the_trap_model():
    ds = study(side=1, q=(0.0,), temperatures=(0.8, 1.0), events=40_000, runs=8, sigma_gamma=0.3)
    landscape = pelplug.TrapLandscape(sigma_gamma=0.3)
    for k, temperature in enumerate((0.8, 1.0)):
        for name, truth in (
            ("mean_waiting_time", landscape.mean_waiting_time(temperature)),
            ("relaxation_time", landscape.relaxation_time(temperature)),
        ):
            at = ds[name].values[0, k, 0], ds[f"{name}_error"].values[0, k, 0]
            assert abs(at[0] - truth) < 4.0 * at[1] and at[1] < 0.05 * truth
    assert "scaled_q" not in ds and ds["neighbours"].values.tolist() == [0.0]


def test_diffusion_does_not_depend_on_the_coupling():
    for sigma_gamma, rates in ((0.0, "entered"), (1.0, "found")):
        ds = study(sigma_gamma=sigma_gamma, passive_rates=rates, q=(0.01, 0.1, 1.0), events=20_000, runs=6)
        shift = ds["waiting_time_shift"] / ds["waiting_time_shift_error"]
        assert np.abs(shift).max() < 4.5 and ds["waiting_time_shift_error"].max() < 0.03
    moved = study(passive_rates="entered", q=(0.03, 1.0), events=20_000)
    assert (moved["waiting_time_shift"] < -5.0 * moved["waiting_time_shift_error"]).all()  # what the option says


def test_the_prefactor_of_the_square_root_at_half():
    """Trial numbers of another program: c at T = 0.5, 27 systems, sigma_gamma = 0."""
    q = (0.01, 0.03, 0.1, 0.3, 1.0)
    ds = study(temperatures=(0.5,), sigma_gamma=0.0, q=q, events=150_000, runs=5)
    assert ds["uncoupled_relaxation_time"].item() == pytest.approx(16.1, abs=0.05)
    c, error = (ds[name].values[0, 0] for name in ("prefactor", "prefactor_error"))
    np.testing.assert_array_less(np.abs(c - (12.5, 12.8, 12.0, 10.4, 8.0)), 0.2 + 3.0 * error)
    assert error.max() < 0.6
    assert ds["mean_prefactor"].item() == pytest.approx(12.4, abs=0.6)


def test_exponents_of_power_laws():
    tau = np.array([1.0, 10.0, 300.0])
    assert exponent(3.0 * tau**-0.6, tau) == pytest.approx(0.4)
    assert prefactor([0.0, 0.04], [2.0, 3.0])[1] == pytest.approx(10.0)
    rate = np.array([0.1, 1.0, 2.0])
    n, error = growth(rate, 0.3 * rate**0.7, np.array([0.03, 0.03, np.nan]))
    assert n == pytest.approx(0.7) and error > 0
    assert np.isnan(growth(rate, rate, np.array([0.1, np.nan, np.nan]))).all()


def test_errors_are_over_runs_and_one_run_has_none():
    value, error = with_error([[1.0], [2.0], [3.0]])
    assert value == [2.0] and error == pytest.approx(1.0 / 3**0.5 * pelplug.student_factor(3))
    ds = study(runs=1)
    assert np.isfinite(ds["relaxation_time"]).all() and np.isnan(ds["relaxation_time_error"]).all()
    assert "No errors: fewer than three independent runs; raise --runs." in json.loads(ds.attrs["not_found"])
    ds = study()
    assert ds["relaxation_time_error"].attrs["error_method"] == "standard error over independent runs"


def test_a_run_does_not_depend_on_what_else_is_asked_for():
    both, one = study(q=(0.1, 1.0), temperatures=(0.6, 0.8)), study(q=(0.1,))
    name = "relaxation_time"
    assert both[name].sel(temperature=0.6, q=0.1).item() == one[name].sel(temperature=0.6, q=0.1).item()
    assert study(seed=5)[name].values[0, 0, 0] != one[name].values[0, 0, 0]
    assert study(temperatures=(0.8, 0.6), tau_ratio=(0, 2.0))["temperature"].values.tolist() == [0.6, 0.8]


def test_a_measured_ratio_of_a_known_q_gives_it_back():
    asked = {"temperatures": (0.6, 0.8), "sigma_gamma": 0.0, "events": 30_000, "runs": 5}
    truth = study(**asked, q=(0.06,), seed=77)
    ratio, error = (truth[name].values[0, :, 0] for name in ("slowdown", "slowdown_error"))
    given = {"tau_ratio": tuple(ratio * 1.1), "tau_ratio_error": tuple(error * 1.1)}
    ds = study(**asked, **given, q=(0.01, 0.03, 0.1, 0.3), d_ratio=(1.1, 1.1), d_ratio_error=(1e-6, 1e-6))
    np.testing.assert_allclose(ds["measured_ratio"], ratio)
    pull = (ds["matched_q"].values[0] - 0.06) / ds["matched_q_error"].values[0]
    assert (np.abs(pull) < 3.5).all() and (ds["matched_q_error"] < 0.02).all()
    tau = ds["matched_relaxation_time"].values[0] / ds["uncoupled_relaxation_time"].values
    np.testing.assert_allclose(tau, 1.0 / ratio, rtol=0.1)
    assert np.isfinite(ds["matched_growth"]).all()


def test_all_couplings_lie_on_one_curve_of_the_effective_coupling():
    ds = study(temperatures=(0.6,), coupling=("nearest", "power"), r_max=(2.0,), side=5, q=(0.01, 0.1), events=30_000)
    assert ds["coupling"].values.tolist() == ["nearest", "r^-2 to 2"]
    squares = [one for one in np.ndindex(5, 5, 5) for one in [sum((x - 2) ** 2 for x in one)] if 0 < one <= 4]
    assert ds["neighbours"].values.tolist() == pytest.approx([6.0, sum(1.0 / one for one in squares)])
    near, far = (np.log(ds["relaxation_time"].values[c, 0]) for c in (0, 1))
    x = np.log(ds["effective_q"].values)
    between = np.interp(x[1, 0], x[0], near)
    assert far[0] == pytest.approx(between, abs=0.08) and abs(far[0] - near[0]) > 0.15  # not by q itself


@pytest.mark.parametrize(
    "given, sentence",
    [
        ({"q": (0.1, 1.5)}, "is a probability, not 1.5; give --q between 0 and 1"),
        ({"q": (-0.1,)}, "at least 0"),
        ({"q": (0.1, 0.1)}, "The q 0.1 is given twice"),
        ({"q": ()}, "No q is given"),
        ({"rule": "rate", "q": (1.0,)}, "give q~ up to 0.2075"),
        ({"side": 1}, "is coupled to nothing; give --q 0, or --side 3"),
        ({"side": 2}, "smaller than the range of the coupling, 1: .* give a side of 3 or more"),
        ({"coupling": ("power",), "r_max": (5.0,)}, "smaller than the range of the coupling, 5: .* side of 11"),
        ({"coupling": ()}, "No coupling is named"),
        ({"time": 1e-3}, "has 0.064 active processes to expect at T = 0.6, too few .* give --time 1.57 or more"),
        ({"scaled_q": 0.9, "scaled_power": -1.0, "temperatures": (0.45, 0.6)}, r"give --scaled-q 0.10\d or less"),
        ({"tau_ratio": (2.0, 3.0)}, "--tau-ratio has 2 values for 1 temperatures"),
        ({"tau_ratio": (0.4,)}, "no coupling makes the large system slower; give .* 2.5 if it is the inverse"),
        ({"d_ratio": (1.1,)}, "--d-ratio is given where there is no --tau-ratio"),
        ({"tau_ratio": (2.0,), "d_ratio_error": (0.1,)}, "--d-ratio-error is given where there is no --d-ratio;"),
        ({"rule": "rate", "q": (0.1,), "scaled_q": 0.2}, "--scaled-q is a probability, which the rule rate has not"),
        ({"width": 1.0}, "--width goes with --rule gaussian"),
        ({"r_max": (3.0,)}, "--r-max goes with --coupling power"),
        ({"exponent": (3.0,)}, "--exponent goes with --coupling power"),
        ({"temperatures": (1e-9,)}, "is more than a number holds; give higher --temperatures"),
        ({"rule": "gaussian", "width": 3.0}, "is not between 0 and sigma"),
        ({"sigma_gamma": 40.0}, "or a smaller --sigma-gamma"),
        ({"cutoff": 1.0}, "must lie below the centre"),
        ({"temperatures": (0.6, 0.6)}, "The temperature 0.6 is given twice"),
        ({"temperatures": (0.6, 0.02)}, r"At T = 0.02 rates are exp\(-\d+\).* give a higher temperature"),
        ({"sigma": 1e-5}, "too far to be simulated; give a larger sigma"),
        ({"wave_number": (1e-9,)}, "wave_number of the study coupled-landscape must be at least 1e-06"),
    ],
)
def test_what_cannot_be_is_refused_before_any_work(given, sentence):
    with pytest.raises(pelplug.InputError, match=sentence) as error:
        CoupledLandscape(**{**QUICK, **given})
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


def test_the_remedies_of_refusals_work():
    CoupledLandscape(**{**QUICK, "time": 1.57})
    CoupledLandscape(**{**QUICK, "rule": "rate", "q": (0.2074,)})
    CoupledLandscape(**{**QUICK, "coupling": ("power",), "r_max": (5.0,), "side": 11})
    CoupledLandscape(**{**QUICK, "side": 1, "q": (0.0,)})
    for rule in ("gaussian", "rate"):
        assert CoupledLandscape(**{**QUICK, "q": "auto", "rule": rule}).q.size == 6


def test_a_ratio_that_no_q_has_is_said_with_what_can_be_reached():
    ds = study(tau_ratio=(50.0,), tau_ratio_error=(1.0,), q=(0.03, 0.1, 1.0))
    (said,) = [one for one in json.loads(ds.attrs["not_found"]) if "50" in one]
    assert "a ratio of 50 has no q among those simulated" in said and "no q of a probability gives more" in said
    assert np.isnan(ds["matched_q"]).all()


def test_runs_too_short_to_see_what_is_slow_are_said():
    ds = study(temperatures=(0.5,), q=(0.0, 0.3), events=60_000)
    said = " ".join(json.loads(ds.attrs["not_found"]))
    assert "q = 0: no error of tau_alpha, which rests on few long waiting times" in said
    assert np.isfinite(ds["relaxation_time"]).all() and np.isfinite(ds["mean_waiting_time_error"]).all()
    assert np.isfinite(ds["relaxation_time_error"][0, 0]).values.tolist() == [False, True]
    assert np.isfinite(ds["prefactor_error"][0, 0]).values.tolist() == [False, True]
    ds = study(temperatures=(0.4,), q=(1.0,), events=100)
    assert "no tau_alpha, for S0 has not fallen to 0.02 within a quarter of a run" in ds.attrs["not_found"]
    assert np.isnan(ds["relaxation_time"]).all()


@pytest.mark.parametrize("sigma_gamma, q, seen", [(0.0, 0.01, 0.080), (1.0, 0.01, 0.087), (0.0, 0.1, 0.025)])
def test_the_scatter_to_expect_is_that_of_runs(sigma_gamma, q, seen):
    """Standard deviation over thirty runs of 20,000 active processes at T = 0.5, relative; known to 13 %."""
    landscape = pelplug.TrapLandscape(sigma_gamma=sigma_gamma)
    assert expected_scatter(landscape, 0.5, 6 * q, 20_000) == pytest.approx(seen, rel=0.3)


def test_the_rule_rate_does_not_free_the_deep_ones():
    """Records of 80,000 active processes had 10.7 +- 1.1 at q~ = 0.2, T = 0.5, where one of 12 million had 11.6(1)."""
    landscape = pelplug.TrapLandscape()
    share = 6 * 0.2 * float(landscape.moment(1, 0.5))
    assert expected_scatter(landscape, 0.5, share, 80_000, by_rate=True) > 0.25
    # without broadening q~ Gamma(e) makes all changes faster by one factor, which is as a longer run
    plain = pelplug.TrapLandscape(sigma_gamma=0.0)
    longer = expected_scatter(plain, 0.5, 0.0, 1e6 * (1.0 + share))
    assert expected_scatter(plain, 0.5, share, 1e6, by_rate=True) == pytest.approx(longer, rel=1e-9)
    ds = study(rule="rate", temperatures=(0.5,), q=(0.2,), events=20_000)
    assert np.isnan(ds["relaxation_time_error"]).all() and "rests on few long waiting times" in ds.attrs["not_found"]


@pytest.mark.parametrize("scale", [2.0**-120, 2.0**90])
def test_any_unit_of_time_has_its_lags(scale):
    ds, other = study(), study(rate_prefactor=4.82 * scale)
    np.testing.assert_allclose(other["lag_time"], ds["lag_time"] / scale, rtol=1e-12)
    np.testing.assert_allclose(other["relaxation_time"], ds["relaxation_time"] / scale, rtol=0.3)  # other seeds
    np.testing.assert_allclose(other["persistence"], ds["persistence"], atol=0.15)


def test_runs_of_a_moment_tell_what_they_can():
    ds = study(side=30, events=100, q=(0.1,))
    assert np.isfinite(ds["mean_waiting_time"]).all() and np.isnan(ds["relaxation_time"]).all()
    assert "no tau_alpha" in ds.attrs["not_found"]
    legend = pelplug.plot(study(side=30, events=100, q=(0.1,), temperatures=(0.6, 0.7))).axes[2].get_legend()
    texts = [text.get_text() for text in legend.get_texts()]
    assert any("no $\\xi$" in one for one in texts) and not any("nan" in one for one in texts)


def test_panels_without_data_say_so():
    ds = study()
    texts = [text.get_text() for ax in pelplug.plot(ds).axes for text in ax.texts]
    assert any("no measured ratio" in one for one in texts) and any("one temperature alone" in one for one in texts)
    figure = pelplug.plot(study(temperatures=(0.6, 0.8), tau_ratio=(2.5, 2.0), tau_ratio_error=(0.1, 0.1)))
    assert "coupled landscape model, $3^3$ systems" in figure.get_suptitle() and "sigma_" in figure.get_suptitle()
    assert not any("no measured" in text.get_text() for ax in figure.axes for text in ax.texts)
    assert [ax.texts[0].get_text()[:7].rstrip(",") for ax in figure.axes[:5]] == [
        "Fig. 6",
        "Fig. 7",
        "Fig. 8",
        "Fig. 9",
        "Fig. 10",
    ]


def test_no_relaxation_time_and_many_couplings_are_drawn():
    short = study(events=200, q=(0.01, 0.1))
    assert np.isnan(short["relaxation_time"]).all()
    texts = [text.get_text() for ax in pelplug.plot(short).axes for text in ax.texts]
    assert sum("is known" in one and "raise --events" in one for one in texts) == 2
    many = study(events=2000, q=tuple(np.linspace(0.01, 1.0, 30)), runs=3)
    fourth = pelplug.plot(many).axes[3]
    assert 7 <= sum(not line.get_label().startswith("_") for line in fourth.lines) <= 8


def test_a_killed_run_goes_on_to_the_same_bits(pelplug_command):
    asked = ["--temperatures", "0.6", "--q", "0.1,0.3,1", "--events", "150000", "--scaled-q", "none", "--runs", "4"]
    command = ["study", "coupled-landscape", *asked, "-o", "out.nc", "--quiet", "--workers", "1"]
    running = pelplug_command.start(*command)
    deadline = time.monotonic() + 120.0
    while len(list(pelplug_command.folder.glob(".out.nc*/*"))) < 4 and running.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.kill()
    running.communicate()
    assert not (pelplug_command.folder / "out.nc").exists()
    pelplug_command(*command, code=0)
    assert not list(pelplug_command.folder.glob(".out.nc*/*"))
    found = pelplug.read_results(pelplug_command.folder / "out.nc")["coupled-landscape"]
    whole = study(q=(0.1, 0.3, 1.0), events=150_000, scaled_q="none", runs=4)
    for name in ("relaxation_time", "persistence", "scattering", "relaxation_time_error"):
        np.testing.assert_array_equal(found[name], whole[name])
