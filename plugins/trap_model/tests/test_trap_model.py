"""The trap model over temperature: published exponents, errors of parameters, what is said and what is refused."""

import json

import numpy as np
import pytest
from pelplug_trap_model.trap_model import WITH_ERRORS, TrapModel
from scipy import integrate

import pelplug
from pelplug.testing import parametrize_with_checks

NUMBERS = (0.4, 0.45, 0.5, 0.6)


@parametrize_with_checks([TrapModel])
def test_contract(check):
    check()


def study(temperatures=NUMBERS, **parameters):
    return pelplug.study("trap-model", temperatures=temperatures, **parameters)


def remarks(dataset):
    return json.loads(dataset.attrs["remarks"])


def test_exponents_of_table_i():
    ds = study()
    assert ds["temperature"].values.tolist() == list(NUMBERS)
    assert ds["exponent"].values == pytest.approx([0.172, 0.378, 0.506, 0.615], abs=1e-3)
    assert ds["limit_exponent"].item() == 0.4
    assert ds["closed_form_deviation"].item() < 1e-6


def test_exponents_without_cutoff():
    ds = study((0.01, 0.03, 0.05), cutoff=-np.inf)
    assert ds["exponent"].values == pytest.approx([0.4] * 3, abs=0.01)
    assert np.isnan(ds["relaxation_time"]).all() and np.isnan(ds["diffusion_coefficient"][:2]).all()
    assert "No tau_alpha at T = 0.01, 0.03, 0.05: tau_alpha is up to exp(" in remarks(ds)[0]
    assert any("No <tau> and no D at T = 0.01, 0.03" in one for one in remarks(ds))
    broad = study((0.5,), sigma_gamma=40.0)
    assert "No tau_alpha at T = 0.5: tau_alpha is up to exp(1603)" in remarks(broad)[0]
    assert np.isfinite(ds["persistence"]).all()


def test_times_are_integrals_over_the_landscape():
    """Written plainly for Table I at T = 0.5: sigma_gamma multiplies tau_alpha alone."""
    slope = 0.5 * (2 - 0.56 * 11.9 / 2.9**2)

    def moment(n):
        def weight(e):
            return np.exp(-((e + 2.9**2 / 0.5) ** 2) / (2 * 2.9**2))

        def powers(e):
            return weight(e) * (4.82 * np.exp(slope * min(e + 11.9, 0))) ** n

        whole = integrate.quad(weight, -25, 15, points=[-16.8], epsabs=0, epsrel=1e-12)[0]
        return integrate.quad(powers, -25, 15, points=[-16.8, -11.9], epsabs=0, epsrel=1e-12)[0] / whole

    ds = study((0.5,), squared_jump=2.0, particles=100, dimension=2)
    assert ds["mean_waiting_time"].item() == pytest.approx(1 / moment(1), rel=1e-9)
    assert ds["relaxation_time"].item() == pytest.approx(np.e * moment(-1), rel=1e-9)
    assert ds["diffusion_coefficient"].item() == pytest.approx(2 * moment(1) / (2 * 2 * 100), rel=1e-9)
    assert ds["decoupling"].item() == pytest.approx(moment(1) * moment(-1), rel=1e-9)
    narrow = study((0.5,), sigma_gamma=0.0)
    assert narrow["relaxation_time"].item() == pytest.approx(16.1, abs=0.05)
    for name in ("mean_waiting_time", "exponent", "decoupling"):
        assert narrow[name].item() == pytest.approx(ds[name].item(), rel=1e-12)


def test_what_decides_is_told_with_both_values():
    ds = study((0.3, 0.6))
    assert ds["relaxation_near_cutoff"].values == pytest.approx([0.83, 0.009], abs=0.005)
    assert ds["jumps_above_crossover"].values == pytest.approx([0.012, 0.471], abs=0.002)
    assert np.all(ds["near_cutoff"] < ds["relaxation_near_cutoff"])
    tau, mean = ds["relaxation_time"].values, ds["closed_relaxation_time"].values
    cutoff = f"where the cutoff decides: {tau[0]:.4g} by integration, {mean[0]:.4g} in closed form at T = 0.3."
    assert f"The closed form of tau_alpha does not hold {cutoff}" in remarks(ds)
    assert any("<tau> does not hold where the crossover decides" in one and "T = 0.6." in one for one in remarks(ds))
    free = study((0.3, 0.6), cutoff=-np.inf, plateau=False)
    for name in ("relaxation_time", "mean_waiting_time", "diffusion_coefficient", "exponent"):
        assert free[name].values == pytest.approx(free[f"closed_{name}"].values, rel=1e-9)
    assert not any("closed form" in one for one in remarks(free))
    assert np.all(free["near_cutoff"] == 0)
    beyond = study((0.04,))
    assert (
        np.isnan(beyond["closed_relaxation_time"]) and "more than a number holds in closed form" in remarks(beyond)[0]
    )
    assert "deeper metabasins are not left more slowly" in " ".join(remarks(study((0.5, 2.0))))


def test_small_errors_are_those_of_linear_propagation():
    errors = {"sigma": 0.01, "lambda": 0.002, "crossover": 0.03, "sigma_gamma": 0.01, "squared_jump": 0.01}
    ds = study(errors=errors, draws=2000)
    names = {"lambda": "lam"}
    start = {"sigma": 2.9, "lambda": 0.5, "crossover": -11.9, "sigma_gamma": 1.0, "squared_jump": 1.0}
    expected = dict.fromkeys(WITH_ERRORS, 0.0)
    for key, error in errors.items():
        up, down = (study(**{names.get(key, key): start[key] + sign * error}) for sign in (1, -1))
        for name in WITH_ERRORS:
            expected[name] = expected[name] + (0.5 * (up[name] - down[name]).values) ** 2
    for name in WITH_ERRORS:
        assert ds[f"{name}_error"].values == pytest.approx(np.sqrt(expected[name]), rel=0.1)
        assert ds[f"{name}_error"].attrs["effective_samples"] == 2000
        assert ds[f"{name}_error"].attrs["confidence"] == pytest.approx(0.6827)
    assert "sigma 2.9 +- 0.01, lam 0.5 +- 0.002" in remarks(ds)[-1]
    assert remarks(ds)[-1].endswith("independently of each other; other parameters count as exact.")
    without = study()
    assert "diffusion_coefficient_error" not in without and "No errors" in remarks(without)[-1]


NAMES = ("sigma", "lam", "crossover")
COVARIANCE = np.array([[1e-4, -8e-6, 1.5e-4], [-8e-6, 1e-6, -6e-6], [1.5e-4, -6e-6, 4e-4]])


def test_small_correlated_errors_are_those_of_linear_propagation():
    """J C J^T, the derivatives by differences of the study itself."""
    start = {"sigma": 2.9, "lam": 0.5, "crossover": -11.9}
    slopes = {name: [] for name in WITH_ERRORS}
    for key, value in start.items():
        up, down = (study(**{key: value * (1 + sign * 1e-4)}) for sign in (1, -1))
        for name in WITH_ERRORS:
            slopes[name].append((up[name] - down[name]).values / (2e-4 * value))
    errors = np.sqrt(np.diag(COVARIANCE))
    table = {"parameters": ["sigma", "lambda", "crossover"]}
    by_covariance = study(errors={"covariance": table | {"matrix": COVARIANCE.tolist()}}, draws=1000)
    correlation = table | {"matrix": (COVARIANCE / np.outer(errors, errors)).tolist()}
    by_correlation = study(errors=dict(zip(NAMES, errors, strict=True)) | {"correlation": correlation}, draws=1000)
    without = study(errors=dict(zip(NAMES, errors, strict=True)), draws=1000)
    ratio = []
    for name in WITH_ERRORS:
        jacobian = np.array(slopes[name])
        expected = np.sqrt(np.einsum("jt,jk,kt->t", jacobian, COVARIANCE, jacobian))
        assert by_covariance[f"{name}_error"].values == pytest.approx(expected, rel=0.12)
        assert by_correlation[f"{name}_error"].values == pytest.approx(expected, rel=0.12)
        ratio.append(without[f"{name}_error"].values / expected)
    assert np.max(np.abs(np.log(ratio))) > 0.2  # what correlations change
    assert "with correlations of sigma and lam -0.8, sigma and crossover 0.75" in remarks(by_covariance)[-1]


def test_parameters_that_go_together_wholly_are_drawn_together():
    both = {"parameters": ["rate_prefactor", "squared_jump"], "matrix": [[1, -1], [-1, 1]]}
    errors = {"rate_prefactor": 0.0482, "squared_jump": 0.01}
    ds = study(errors={**errors, "correlation": both})  # D ~ both, of which the relative errors are the same
    assert np.all(ds["diffusion_coefficient_error"] < 3e-4 * ds["diffusion_coefficient"])
    assert np.all(ds["relaxation_time_error"] > 0.008 * ds["relaxation_time"])


def matrix(*rows, kind="correlation", parameters=("sigma", "lam"), **errors):
    return {kind: {"parameters": list(parameters), "matrix": [list(row) for row in rows]}, **errors}


GIVEN = {"sigma": 0.1, "lam": 0.01}


@pytest.mark.parametrize(
    "errors, said",
    [
        (matrix((1, 0.5), (0.4, 1), **GIVEN), "must be symmetric, and it has 0.5 and 0.4 for sigma and lam"),
        (matrix((1, 1.2), (1.2, 1), **GIVEN), "must have no negative eigenvalue, and one is -0.2"),
        (matrix((1, 0.9, 0.9), (0.9, 1, -0.9), (0.9, -0.9, 1), parameters=(*GIVEN, "cutoff"), cutoff=1, **GIVEN),
         "no negative eigenvalue"),
        (matrix((0.01, 0), (0, 1e-4), **GIVEN), "must be 1 on its diagonal; .* is a covariance"),
        (matrix((0.01, 0), (0, -1e-4), kind="covariance"), "no negative eigenvalue"),
        (matrix((0.01, 0.1), (0.1, 0), kind="covariance"), "no negative eigenvalue"),
        (matrix((1, 0), (0, 1), sigma=0.1), "names lam, which has no error; give it one"),
        (matrix((0.01, 0), (0, 1e-4), kind="covariance", sigma=0.1), "sigma has an error, and another in the covar"),
        (matrix((1, 0), **GIVEN), "must be 2 rows of 2 numbers"),
        (matrix((1, 0), (0,), **GIVEN), "must be 2 rows of 2 numbers"),
        (matrix((1, "x"), ("x", 1), **GIVEN), "must be 2 rows of 2 numbers"),
        (matrix((1, 0), (0, 1), parameters=("sigma", "sgma"), **GIVEN), "no parameter sgma"),
        (matrix((1, 0), (0, 1), parameters=("lambda", "lam"), **GIVEN), "names lam twice"),
        ({"correlation": 0.5, **GIVEN}, "must have parameters, a list of names, and matrix"),
        (matrix((1, 0), (0, 1), **GIVEN) | matrix((1, 0), (0, 1), kind="covariance"), "give one of both"),
    ],
)  # fmt: skip
def test_correlations_that_there_cannot_be_are_refused(errors, said):
    with pytest.raises(pelplug.InputError, match=said) as error:
        study(temperatures=(0.5,), errors=errors)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_one_temperature_is_seen_in_the_panels_of_lines():
    axes = pelplug.plot(study(temperatures=(0.5,))).axes
    for ax, number in ((axes[0], 2), (axes[1], 2), (axes[2], 2), (axes[-1], 5)):
        alone = [line for line in ax.get_lines() if np.size(line.get_xdata()) == 1]
        assert len(alone) == number and all(line.get_marker() not in ("None", "") for line in alone)
        for line in alone:
            (x, y), (left, right), (low, high) = np.ravel(line.get_data()), ax.get_xlim(), ax.get_ylim()
            assert left < x < right and low < y < high


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"temperatures": ()}, "There is no temperature"),
        ({"temperatures": (0.5, 0.0)}, "temperatures of the study trap-model must be above 0"),
        ({"sigma": 0.0}, "sigma of the study trap-model must be above 0"),
        ({"lam": -0.5}, r"lam \(--lambda\) of the study trap-model must be at least 0"),
        ({"cutoff": 3.0}, "must lie below the centre"),
        ({"sigma": np.inf}, "too large"),
        ({"errors": {"sgma": 0.1}}, "no parameter sgma"),
        ({"errors": {"sigma": -0.1}}, "error of sigma must be a number that is at least 0"),
        ({"errors": {"sigma": "wide"}}, "error of sigma must be a number"),
        ({"errors": {"cutoff": 1.0}, "cutoff": -np.inf}, "has no error; leave it out"),
        ({"errors": {"sigma": 3.0}}, "give smaller errors"),
        ({"errors": "sigma"}, "pairs key=value"),
        ({"errors": {"lam": 0.1, "lambda": 0.2}}, "lam has two errors, one as lambda; leave one"),
        ({"errors": {"cutoff": 50.0}}, "give smaller errors"),
    ],
)
def test_what_has_no_meaning_is_refused(parameters, said):
    with pytest.raises(pelplug.InputError, match=said):
        study(**{"temperatures": (0.5,), **parameters})


def test_the_command_prints_both_values_and_reads_a_file(pelplug_command):
    (pelplug_command.folder / "p.toml").write_text(
        "temperatures = [0.6, 0.3]\n[trap-model]\nlambda = 0.4\n[trap-model.errors]\nsigma = 0.05\nlambda = 0.01\n"
        '[trap-model.errors.correlation]\nparameters = ["sigma", "lambda"]\nmatrix = [[1, 0.5], [0.5, 1]]\n'
    )
    command = (
        "study",
        "trap-model",
        "--parameters",
        "p.toml",
        "--draws",
        "100",
        "--plot",
        "t.png",
        "--export",
        "t.csv",
    )
    done = pelplug_command(*command, code=0)
    assert "with correlations of sigma and lam 0.5" in done.stdout
    lines = done.stdout.splitlines()
    place = next(k for k, line in enumerate(lines) if line.rstrip().endswith("closed_exponent"))
    assert lines[place].split()[0] == "temperature" and lines[place + 1].split()[0] == "0.3"
    assert len(lines) < 32 and "does not hold where the cutoff decides" in done.stdout
    ds = pelplug.read_results(pelplug_command.folder / "trap-model.nc")["trap-model"]
    assert ds["temperature"].values.tolist() == [0.3, 0.6] and ds["limit_exponent"].item() == pytest.approx(1 / 3)
    assert "diffusion_coefficient" in (pelplug_command.folder / "t.csv").read_text()
    told = pelplug_command("study", "trap-model", "--cutoff", "5", "-o", "no.nc", code=2)
    assert told.stderr.startswith("pelplug: The cutoff, 5, must lie below the centre") and told.stderr.count("\n") == 1
    assert pelplug_command("study", "trap-model", "--cutoff", "-inf", "-o", "free.nc", "--quiet", code=0).stderr == ""
