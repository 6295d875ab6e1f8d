"""The study of energy differences over temperature: numbers of a known law come back, and what it refuses."""

import json

import numpy as np
import pytest
import xarray as xr
from pelplug_msed.study import EnergyEntropies

import pelplug
from pelplug.testing import parametrize_with_checks

N = 200
FITTED = ("tau", "u0", "um", "heat_capacity_fast", "heat_capacity_slow")
MODEL = {"name": "kob-andersen", "parameters": {}}


def result(temperature, values, errors, seed=1, heat="constant energy", **more):
    """A result of msed with the numbers of its fit."""
    ds = xr.Dataset()
    for name, value in values.items():
        ds[name] = ((), value, {"units": "1"})
    for name, error in errors.items():
        key = f"{name}_squared_error" if name in ("u0", "um") else f"{name}_error"
        ds[key] = ((), 2 * values[name] * error if name in ("u0", "um") else error, {"units": "1"})
    said = pelplug.Conditions(
        **{"model": MODEL, "n": N, "density": 1.2, "temperature": temperature, "seed": seed} | more
    )
    file = f"{temperature}-{seed}"
    ds.attrs = {"analysis": "msed", "heat": heat, "parameters": "{}", "created": file, "model": json.dumps(MODEL)}
    ds.attrs |= {"trajectories": json.dumps([{"file": file, "sha256": file, "frames": ""}])}
    ds.attrs |= {"units": json.dumps(said.units.to_dict()), **said.to_attributes()}
    return ds


def law(t, turn=0.0, freeze=0.0):
    """Harmonic vibrations and a Gaussian landscape; Um falls faster below `turn`, tau* is Arrhenius below `freeze`."""
    um = 0.02 * (0.6 + 0.4 * t) - np.where(t < turn, 0.05 * (turn - t), 0.0)
    slow = 0.3 / t**2
    x = 1.0 / t
    y = np.where(x < 1.0 / freeze, x**2, (2.0 * x - 1.0 / freeze) / freeze) if freeze else x**2
    return {
        "tau": np.exp(1.0 + 1.5 * y),
        "u0": t * np.sqrt(1.5 / N),
        "um": um,
        "heat_capacity_fast": 1.5 + 0 * t,
        "heat_capacity_slow": slow,
        "u0_harmonic": t * np.sqrt(1.5 / N),
        "kinetic_temperature": t,
    }


def drawn(rng, temperatures, relative=0.03, runs=1, **of):
    """Results whose numbers scatter about the law as their errors say."""
    made = []
    for t in temperatures:
        true = law(np.float64(t), **of)
        for seed in range(runs):
            errors = {name: relative * true[name] for name in FITTED}
            values = {name: value + errors.get(name, 0.0) * rng.normal() for name, value in true.items()}
            made.append(result(float(t), {k: float(v) for k, v in values.items()}, errors, seed=seed))
    return made


def study(results, **parameters):
    return EnergyEntropies(results, **{"resamples": 200} | parameters).run().to_dataset()


def said(dataset):
    return " ".join(json.loads(dataset.attrs["not_found"]))


COLD = np.linspace(0.35, 0.8, 10)


def within(share, number):
    """Whether a share of standard errors that held is within the binomial 99.9 % band of 68.27 %."""
    from scipy import stats

    low, high = stats.binom.interval(0.999, number, 0.6827)
    return low <= share * number <= high


@parametrize_with_checks([EnergyEntropies])
def test_keeps_the_contract(check):
    check()


def test_a_known_law_comes_back_over_many_seeds(pelplug_seed):
    rng, off = np.random.default_rng(pelplug_seed), []
    for _ in range(100):
        ds = study(drawn(rng, COLD, turn=0.5, freeze=0.5))
        last, first = COLD[-1], COLD[0]
        truth = {
            "s1": 1.5 * np.log(last / first),
            "s2": 0.15 * (first**-2 - last**-2),
            "u0_exponent": 1.0,
            "um_turn": 0.5,
            "tau_turn": 0.5,
        }
        row = []
        for name, true in truth.items():
            value, error = (float(ds[key][-1] if key.startswith("s") else ds[key]) for key in (name, f"{name}_error"))
            row.append((value - true) / error)
        off.append(row)
    off = np.array(off)
    known = np.isfinite(off)
    assert known[:, :3].all() and known.mean(axis=0).min() > 0.85, known.mean(axis=0)
    for column, have in zip(off.T, known.T, strict=True):
        assert within(np.mean(np.abs(column[have]) < 1.0), have.sum()), np.mean(np.abs(column[have]) < 1.0)
    assert np.sum(np.abs(off[known]) > 3) <= 3 and not np.any(np.abs(off[known]) > 5), np.abs(off[known]).max()


def test_no_turn_is_found_where_there_is_none():
    rng, found = np.random.default_rng(5), []
    for _ in range(50):
        ds = study(drawn(rng, COLD))
        found.append([np.isfinite(ds["um_turn"]), np.isfinite(ds["tau_turn"])])
    assert np.mean(found, axis=0).max() <= 0.06, np.mean(found, axis=0)  # asked: one in a hundred
    assert "No turn of Um: one straight line describes the values as well" in said(ds)


def test_the_relation_of_adam_and_gibbs_comes_back():
    rng, offs = np.random.default_rng(7), []
    t = np.linspace(0.45, 1.0, 8)
    entropy = 0.15 * (t[0] ** -2 - t**-2)
    for _ in range(30):
        made = drawn(rng, t, relative=0.01)
        for one, at, s in zip(made, t, entropy, strict=True):
            true = np.exp(-2.0 + 2.0 / (at * (s + 0.6)))
            one["tau"] = ((), true * (1 + 0.01 * rng.normal()), {"units": "1"})
            one["tau_error"] = ((), 0.01 * true, {"units": "1"})
        ds = study(made)
        truth = {"reference_entropy": 0.6, "adam_gibbs_slope": 2.0}
        offs.append([(float(ds[name]) - true) / float(ds[f"{name}_error"]) for name, true in truth.items()])
    offs = np.array(offs)
    known = np.isfinite(offs)
    assert known.mean() > 0.9
    share = np.mean(np.abs(offs[known]) < 1.0)
    assert 0.45 < share < 0.92 and np.abs(offs[known]).max() < 4, (share, np.abs(offs[known]).max())
    parabola = study(drawn(rng, t, relative=0.01))
    assert np.isnan(parabola["adam_gibbs_slope"]) and "Adam and Gibbs: the times do not" in said(parabola)
    given = study(made, reference_entropy=0.6)
    assert float(given["reference_entropy"]) == 0.6 and np.isnan(given["reference_entropy_error"])
    assert abs(float(given["adam_gibbs_slope"]) - 2.0) < 4 * float(given["adam_gibbs_slope_error"])


def test_five_results_of_a_temperature_give_errors_by_their_scatter():
    rng = np.random.default_rng(3)
    made = [one.drop_vars("tau_error") for one in drawn(rng, [0.5, 0.7, 1.0], runs=6)]
    for one in made:
        one["tau_error"] = ((), np.nan, {"units": "1"})
    ds = study(made)
    assert ds["samples"].values.tolist() == [6, 6, 6] == ds["runs"].values.tolist()
    assert np.isfinite(ds["tau_error"]).all()
    few = study(made[4:6] + made[10:])
    assert np.isnan(few["tau_error"][0]) and "No errors at T = 0.5" in said(few)
    # The mean, and its standard error with Student's factor of six.
    taus = np.array([float(one["tau"]) for one in made[:6]])
    assert float(ds["tau"][0]) == pytest.approx(taus.mean())
    assert float(ds["tau_error"][0]) == pytest.approx(float(pelplug.standard_error(taus)))


def test_the_reference_may_be_the_highest():
    ds = study(drawn(np.random.default_rng(1), [0.5, 0.7, 1.0]), reference="highest")
    assert float(ds["reference_temperature"]) == 1.0 and ds["s1"].values[-1] == 0 and (ds["s1"].values[:-1] < 0).all()
    assert np.isnan(ds["s1_error"].values[-1])


def test_what_it_refuses_and_leaves_out():
    rng = np.random.default_rng(2)
    made = drawn(rng, [0.5, 0.7, 1.0])
    bare = made[0].drop_vars([name for name in made[0] if str(name).startswith("heat")])
    bare.attrs["heat"] = "none: the temperature is not known"
    with pytest.raises(pelplug.InputError, match="no heat capacities: the temperature is not known; make it anew"):
        study([bare, *made[1:]])
    with pytest.raises(pelplug.InputError, match="more than one temperature"):
        study(made[:1])
    with pytest.raises(pelplug.InputError, match="differ"):
        study([*made, result(0.6, {}, {}, n=100)])
    empty = result(0.6, {}, {})
    ds = study([*made, empty])
    assert "The entropies leave T = 0.6 out" in said(ds) and np.isfinite(ds["s1"].values[[0, 2, 3]]).all()
    assert "No entropies" in said(study([made[0], empty]))


def test_a_heat_capacity_without_error_takes_that_of_the_entropies():
    """As of a slow part that rises by little beyond its error; everything else is told."""
    results = drawn(np.random.default_rng(3), COLD)
    results[4]["heat_capacity_slow_error"] = ((), np.nan, {"units": "1"})
    found = study(results)
    assert (
        np.isfinite(found["s2"]).all()
        and np.isnan(found["s2_error"]).any()
        and np.isfinite(found["s1_error"][1:]).all()
    )
    assert "Entropies that rest on T = 0.55 have no error" in said(found)
    assert np.isnan(found["adam_gibbs_slope"]) and "slow heat capacity of a temperature has no error" in said(found)


def test_tau_alpha_of_dynamics(tmp_path):
    made = drawn(np.random.default_rng(4), [0.5, 0.7, 1.0])
    kinds = ["all", "A", "B"]

    def of_dynamics(temperature, taus):
        ds = xr.Dataset(
            {
                "tau_alpha": (("kind", "wave_number"), np.array(taus)[:, None], {"units": "time"}),
                "tau_alpha_error": (("kind", "wave_number"), np.full((3, 1), 0.1), {"units": "time"}),
            },
            {"kind": kinds, "wave_number": [7.2]},
        )
        one = result(temperature, {}, {})
        ds.attrs = one.attrs | {"analysis": "dynamics", "created": f"d{temperature}"}
        return ds

    ds = study([*made, of_dynamics(0.5, [3.0, 4.0, 5.0])])
    assert float(ds["tau_alpha"][0]) == 4.0 and np.isnan(ds["tau_alpha"][1:]).all()
    assert float(study([*made, of_dynamics(0.5, [3.0, 4.0, 5.0])], species="all")["tau_alpha"][0]) == 3.0
    with pytest.raises(pelplug.InputError, match="not of C; give --species"):
        study([*made, of_dynamics(0.5, [3.0, 4.0, 5.0])], species="C")
    with pytest.raises(pelplug.InputError, match=r"T = 0\.9 and none of msed"):
        study([*made, of_dynamics(0.9, [3.0, 4.0, 5.0])])


def test_its_figure_says_what_it_shows():
    figure = pelplug.plot(study(drawn(np.random.default_rng(6), COLD, turn=0.5, freeze=0.5)))
    labels = [ax.get_ylabel() for ax in figure.axes]
    assert labels[0].startswith(r"$\tau$") and labels[1].startswith("$U_0$") and labels[2].startswith("$U_m$")
    legend = [text.get_text() for text in figure.axes[2].get_legend().get_texts()]
    assert any("turn at $T$" in one for one in legend)
