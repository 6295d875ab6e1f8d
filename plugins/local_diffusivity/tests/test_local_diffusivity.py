"""Local diffusivities: random walks in a Gaussian landscape of known law, what is refused, what is not told.

The landscapes are drawn by a seed: ``pytest plugins/local_diffusivity --pelplug-seed 7``.
"""

import json

import numpy as np
import pytest
from pelplug_local_diffusivity.averages import Means
from pelplug_local_diffusivity.landscape import extrapolated, landscape
from pelplug_local_diffusivity.law import fit_law
from pelplug_local_diffusivity.study import LocalDiffusivity
from pelplug_local_diffusivity.trajectories import Run, State
from pelplug_local_diffusivity.trial import Landscape
from scipy.stats import binom

import pelplug
from pelplug.testing import parametrize_with_checks

COLD, HOT = (0.45, 0.5, 0.55, 0.6, 0.65), (2.0, 3.0, 5.0)
TOLD = {
    "diffusion_limit": "limit",
    "landscape_variance": "variance",
    "adam_gibbs": "strength",
    "landscape_alpha": "alpha",
    "landscape_center": "center",
    "center_from_means": "center",
}


def drawn(rng):
    """A landscape about that of the paper, whose least energy is five standard deviations below any mean."""
    one = Landscape(
        n=int(rng.integers(150, 200)),
        variance=rng.uniform(14, 19),
        alpha=rng.uniform(0.75, 0.9),
        strength=rng.uniform(1.5, 2.2),
        limit=rng.uniform(0.1, 0.2),
    )
    one.center = -7.355 * one.n + rng.uniform(-5, 5)
    return one


def study(results, **parameters):
    return LocalDiffusivity(results, **parameters).run().to_dataset()


def test_walks_in_a_gaussian_landscape_give_back_its_law(pelplug_seed):
    rng = np.random.default_rng(pelplug_seed)
    one, walks = drawn(rng), {"walkers": 100, "frames": 26}
    cold = [result for temperature in COLD for result in one.results(rng, temperature, 25, **walks)]
    hot = [result for temperature in HOT for result in one.results(rng, temperature, 10, **walks, hot=True)]
    found = study([*cold, *hot])
    off = {name: (float(found[name]) - getattr(one, of)) / float(found[f"{name}_error"]) for name, of in TOLD.items()}
    least = (one.center - np.sqrt(2 * one.n * one.variance * one.alpha)) / one.n
    off["least_energy"] = (float(found["least_energy"]) - least) / float(found["least_energy_error"])
    assert max(map(abs, off.values())) < 5 and sum(abs(value) > 3 for value in off.values()) <= 1, off
    known = found.isel(temperature=slice(len(COLD)))
    entropy = one.entropy(one.center - one.variance / known["temperature"])
    assert np.all(np.abs(known["configurational_entropy"] - entropy) < 4 * known["configurational_entropy_error"])
    assert np.all(np.abs(known["diffusion_ratio"] - 1) < 5 * known["diffusion_ratio_error"] + 0.02)
    # <D><1/D> of a Gaussian landscape grows on cooling.
    assert np.all(known["diffusion_product"] > 1) and known["diffusion_product"][0] > known["diffusion_product"][-1]
    mean = (one.center - one.variance / known["temperature"]) / one.n
    assert np.all(np.abs(known["mean_energy"] - mean) < 4 * known["mean_energy_error"])
    width = float(np.diff(found["bin_energy"])[0])
    np.testing.assert_allclose(known["energy_density"].sum("bin") * width, 1.0)
    assert json.loads(found.attrs["not_found"]) == []
    assert np.isnan(found["mean_energy"][len(COLD) :]).all() and np.isfinite(found["diffusion_coefficient"]).all()
    # The law alone tells D_inf too.
    alone = study(cold, diffusion_limit="fit")
    assert abs(float(alone["diffusion_limit"]) - one.limit) < 4 * float(alone["diffusion_limit_error"])


def cheap(rng, one, runs=100, walkers=120):
    """What is told by runs whose MSD is a line, with the scatter that so many walkers give its slope."""
    states = []
    for temperature in (*COLD, *HOT):
        hot = temperature in HOT
        energies = one.energies(rng, temperature, runs)
        local = one.diffusivity(energies, temperature)
        if hot:
            local = np.full(runs, one.limit * np.exp(-one.strength / (temperature * one.alpha)))
        time = 1 / (6 * local.mean())
        lags = np.linspace(0.05, 1.2, 12) * time
        slopes = local * rng.chisquare(3 * walkers, runs) / (3 * walkers)
        made = []
        for slope, energy in zip(slopes, energies, strict=True):
            minima = (None, None) if hot else (lags, np.full(4, energy / one.n))
            made.append(Run(lags, 6 * slope * lags, np.ones(lags.size), *minima, ""))
        states.append(State(temperature, made, time))
    means = Means(states, one.n, pelplug.Units.of("lj"), 0.1, 3, 100, 0)
    cold, warm = states[: len(COLD)], states[len(COLD) :]
    _, rows = landscape(means, cold, extrapolated(means, warm))
    rests = {name: warm if name == "diffusion_limit" else cold for name in TOLD}
    return {name: (rows[name][0], float(means.error(rows[name], rests[name]))) for name in TOLD}


def test_errors_hold_over_many_landscapes(pelplug_seed):
    rng, sets = np.random.default_rng(pelplug_seed + 1), 100
    off = {name: [] for name in TOLD}
    for _ in range(sets):
        one = drawn(rng)
        for name, (value, error) in cheap(rng, one).items():
            off[name].append((value - getattr(one, TOLD[name])) / error)
    off = {name: np.array(values) for name, values in off.items()}
    every = np.abs(np.concatenate(list(off.values())))
    low, high = binom.ppf([0.0005, 0.9995], sets, pelplug.ONE_SIGMA)
    inside = {name: int(np.count_nonzero(np.abs(values) < 1)) for name, values in off.items()}
    assert all(low <= number <= high for number in inside.values()), inside
    assert np.isfinite(every).all() and every.max() < 5 and np.count_nonzero(every > 3) <= 3, np.sort(every)[-8:]


def test_the_law_is_found_exactly_where_nothing_scatters():
    one = Landscape()
    energies = np.linspace(-1185.0, -1160.0, 40)
    temperature = np.repeat([0.45, 0.6], 20)
    found = one.diffusivity(energies, temperature)
    for limit in (None, np.full(1, np.log(one.limit))):
        law = fit_law(energies / one.n, temperature, found, np.repeat([0, 1], 20), np.ones((1, 40)), limit)
        assert law.a0[0] == pytest.approx(one.alpha / one.strength, rel=1e-5)
        assert law.a1[0] == pytest.approx(one.n / (2 * one.variance * one.strength), rel=1e-5)
        assert law.a2[0] == pytest.approx(one.center / one.n, rel=1e-6)
        assert np.exp(law.limit[0]) == pytest.approx(one.limit, rel=1e-4)
    # As in the paper, whose numbers these are, nothing moves below about -7.8.
    assert law.edge()[0] == pytest.approx(-7.78, abs=0.005)


@pytest.fixture(scope="module")
def few():
    rng, one = np.random.default_rng(3), Landscape(n=60, variance=12.0, center=-441.0)
    return [result for temperature in (0.6, 0.8) for result in one.results(rng, temperature, 5, walkers=30, frames=20)]


def changed(result, **attributes):
    return result.assign_attrs(created="anew", fingerprint="anew", **attributes)


def refused(results, words, **parameters):
    with pytest.raises(pelplug.InputError, match=words) as error:
        study(results, **parameters)
    assert str(error.value).count(". ") == 0


def test_what_is_refused(few):
    refused(few[1:], r"no result of dynamics of the same trajectory.*--plugin dynamics 0\.6-0\.gsd")
    refused(few[:1] + few[2:], r"no result of inherent-structures of .*--plugin inherent-structures 0\.6-0\.gsd")
    refused(few[:10], "more than one temperature")
    both = [*json.loads(few[0].attrs["trajectories"]), {"file": "b", "sha256": "b", "frames": ""}]
    refused([changed(few[0], trajectories=json.dumps(both)), *few[1:]], r"2 runs together.*one by one")
    refused(few, r"reaches 1.* only.*simulate longer", msd_target=7.0)
    refused(few, r"first lag.*write frames more often", msd_target=0.001)
    refused(few, "no species B; it has A", kind="B")
    refused(few, "1 temperatures have inherent structures and are below hot", hot=0.7)
    other = few[0].assign_coords(lag_time=2 * few[0]["lag_time"])
    refused([other, *few[1:]], "other lags")
    mixed = changed(few[0], units=json.dumps(pelplug.Units.of("metal").to_dict()))
    refused([mixed, *few[1:]], "unit")
    own, apart = (
        json.dumps([{"file": "0.6-0.gsd", "sha256": "0.6-0", "frames": words}]) for words in ("0:40:1", "50:90:1")
    )
    pair = [changed(few[0], trajectories=own), changed(few[1], trajectories=apart)]
    refused([*pair, *few[2:]], "one --start and --stop")


def said(found):
    return json.loads(found.attrs["not_found"])


def test_what_the_runs_do_not_tell_is_not_told(few):
    found = study(few)
    assert any(one.startswith("diffusion_limit: fitted with the law") for one in said(found))
    assert np.isnan(found["adam_gibbs"])
    assert any("how the law bends" in one or "no maximum" in one for one in said(found))
    single = study([few[k] for k in (0, 1, 10, 11)], diffusion_limit=0.155)
    assert np.isnan(single["mean_energy_error"]).all() and any("No errors" in one for one in said(single))
    slowest = int(np.argmin([float(few[k]["msd"].max()) for k in range(0, 10, 2)])) * 2
    rests = list(few)
    rests[slowest] = few[slowest].assign(msd=few[slowest]["msd"].copy(data=few[slowest]["msd"].values[:, ::-1]))
    rests = study(rests, msd_target=0.5)
    assert rests["resting_runs"].values.tolist() == [1, 0] and np.isnan(rests["diffusion_product"][0])
    assert np.isnan(rests["scaled_diffusivity"]).sum() == 1
    assert any("1 of 5 runs have a slope of zero or less" in one for one in said(rests))


@parametrize_with_checks([LocalDiffusivity])
def test_keeps_the_contract(check):
    check()
