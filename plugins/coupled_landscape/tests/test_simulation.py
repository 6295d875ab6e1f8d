"""The coupled landscape model against another algorithm, and against what is known of it."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
from pelplug_coupled_landscape.kernels import bin_edges
from pelplug_coupled_landscape.lattice import Coupling, Lattice
from pelplug_coupled_landscape.simulation import Simulation

import pelplug

T = 0.5
PLAIN = {"sigma_gamma": 0.0}
RING = [(1, 2), (2, 0), (0, 1)]  # neighbours of three systems
EVERY_RULE = [
    Coupling(),
    Coupling(q=0.5),
    Coupling(q=1.0),
    Coupling(q=0.8, rule="gaussian", width=1.5),
    Coupling(q=0.2, rule="rate"),
]
every_rule = pytest.mark.parametrize("coupling", EVERY_RULE, ids=lambda c: f"{c.rule}-{c.q:g}")


def law(**changed):
    return pelplug.TrapLandscape(**(PLAIN | changed))


def mean_and_error(values):
    values = np.asarray(values)
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))


def agree(ours, theirs, sigmas=4.0):
    """Two means over independent runs are the same within their errors."""
    (a, error_a), (b, error_b) = mean_and_error(ours), mean_and_error(theirs)
    assert np.all(np.abs(a - b) < sigmas * np.hypot(error_a, error_b)), (a, b, error_a, error_b)


def rejecting(landscape, coupling, duration, lag_times, factor, rng):
    """The model by trials that are refused: any system may be tried at the largest rate there is.

    The waiting times of all systems, one after the other, in plain Python; S by the share of time origins on a grid.
    """
    fastest = float(landscape.rate(landscape.crossover, T))
    pools = {weight: iter(landscape.draw(200_000, T, rng, weight=weight)) for weight in (0, 1)}
    beta_peak = landscape.centre - landscape.sigma**2 / T
    e = list(landscape.draw(3, T, rng))
    rate = [float(landscape.rate(x, T)) for x in e]
    trials = rng.poisson(3 * fastest * duration)
    times = np.sort(rng.uniform(0.0, duration, trials))
    which, chance = rng.integers(3, size=trials), rng.random(trials)
    relaxed, passive, energy_time, last = [[], [], []], 0, 0.0, 0.0

    def put(i, energy):
        e[i] = energy
        rate[i] = landscape.rate_prefactor * np.exp(slope * min(energy - landscape.crossover, 0.0))

    slope = float(landscape.slope(T))
    for t, i, u in zip(times.tolist(), which.tolist(), chance.tolist(), strict=True):
        if u * fastest >= rate[i]:
            continue
        energy_time += (t - last) * sum(e)
        last = t
        relaxed[i].append(t)
        put(i, next(pools[1]))
        for j in RING[i]:
            if coupling.rule == "boltzmann" and rng.random() < coupling.q:
                put(j, next(pools[0]))
            elif coupling.rule == "rate" and rng.random() < coupling.q * rate[j]:
                put(j, next(pools[1]))
            elif coupling.rule == "gaussian" and rng.random() < coupling.q:
                a = np.sqrt(1.0 - (coupling.width / landscape.sigma) ** 2)
                moved = beta_peak + a * (e[j] - beta_peak) + coupling.width * rng.standard_normal()
                if moved < landscape.cutoff:
                    continue
                put(j, moved)
            else:
                continue
            passive += 1
    origins = np.linspace(0.0, duration - lag_times.max(), 20_000)
    number = [
        np.searchsorted(one, origins[:, None] + lag_times) - np.searchsorted(one, origins)[:, None] for one in relaxed
    ]
    active = sum(map(len, relaxed))
    waits = np.concatenate([np.diff(one) for one in relaxed])
    return [
        active / (6.0 * 3.0 * duration),
        3.0 * duration / active,
        3.0 * duration / (active + passive),
        np.mean(waits**2) / (2.0 * np.mean(waits)),
        energy_time / last / 3.0,
        *np.mean(np.array(number) == 0, axis=(0, 1)),
        *np.mean(factor ** np.array(number), axis=(0, 1)),
    ]


@every_rule
def test_another_algorithm_gives_the_same(coupling):
    landscape, duration, factor = law(cutoff=-20.0), 1500.0, 0.7
    places = np.searchsorted(bin_edges(), [0.25, 1.0, 4.0, 16.0])
    rng = np.random.default_rng(4)
    theirs = [rejecting(landscape, coupling, duration, bin_edges()[places], factor, rng) for _ in range(8)]
    ours = []
    for seed in range(40):
        o = (
            Simulation(landscape, T, Lattice(3, 1), coupling, seed=seed, factors=(factor,))
            .run(until=duration)
            .observed()
        )
        at = np.searchsorted(o.lag_times, bin_edges()[places])
        ours.append(
            [o.diffusivity, o.mean_waiting_time, o.change_time, o.relaxation_time, o.mean_energy, *o.persistence[at],
             *o.scattering[0, at]]
        )  # fmt: skip
    agree(ours, theirs)


# --- what the model must not change -----------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma_gamma", [0.0, 1.0])
@every_rule
def test_energies_stay_in_equilibrium_and_d_is_that_of_one_system(coupling, sigma_gamma):
    landscape = law(sigma_gamma=sigma_gamma)
    shares, rest = [], []
    for seed in range(8):
        o = Simulation(landscape, T, Lattice(3, 2), coupling, seed=seed).run(until=6000.0).observed()
        shares.append(o.energy_share.reshape(16, -1).sum(axis=1))
        rest.append([o.mean_waiting_time, 1.0 / o.diffusivity, o.mean_energy])
        assert o.energy_share.sum() == pytest.approx(1.0, rel=1e-12)
    edges = o.energy_edges[::8]
    exact = [float(landscape.share(*pair, T)) for pair in itertools.pairwise(edges)]
    mean, error = mean_and_error(shares)
    seen = np.array(exact) > 1e-3
    assert seen.sum() >= 7
    assert np.all(np.abs(mean - exact)[seen] < 6.0 * error[seen])
    wait = float(landscape.mean_waiting_time(T))
    mean, error = mean_and_error(rest)
    assert np.all(np.abs(mean - [wait, 6.0 * wait, float(landscape.mean_energy(T))]) < 6.0 * error)


def test_passive_rates_as_of_systems_that_were_just_entered_move_the_waiting_time():
    landscape = law(sigma_gamma=1.0)
    simulation = Simulation(landscape, T, Lattice(3, 3), Coupling(q=1.0), passive_rates="entered")
    o = simulation.run(until=300.0).begin().run(until=6000.0).observed()
    assert o.duration == 5700.0
    assert o.mean_waiting_time / landscape.mean_waiting_time(T) == pytest.approx(0.517, abs=0.02)
    assert 1.0 / np.e < 0.517  # what it would be if all draws were passive


@pytest.mark.parametrize("sigma_gamma", [0.0, 1.0])
def test_one_system_is_the_trap_model(sigma_gamma):
    """tau_alpha = exp(sigma_gamma^2) <1/Gamma>, and S0(t) = <exp(-gamma t)> over p_eq(e, gamma)."""
    landscape = law(sigma_gamma=sigma_gamma, cutoff=-20.0)
    rng = np.random.default_rng(3)
    rates = landscape.draw_rates(landscape.draw(400_000, T, rng), T, rng)
    found, curves = [], []
    for seed in range(10):
        o = Simulation(landscape, T, Lattice(), seed=seed).run(until=2e5).observed()
        found.append([o.relaxation_time, o.waiting_moments[1] / (2.0 * o.waiting_moments[0])])
        at = np.searchsorted(o.lag_times, [0.5, 2.0, 16.0, 64.0])
        curves.append(o.persistence[at])
    mean, error = mean_and_error(found)
    assert np.all(np.abs(mean - float(landscape.relaxation_time(T))) < 5.0 * error)
    assert np.all(error < 0.08 * mean)
    mean, error = mean_and_error(curves)
    for t, value, uncertain in zip(o.lag_times[at], mean, error, strict=True):
        exact = np.exp(-rates * t)
        assert abs(value - exact.mean()) < 5.0 * np.hypot(uncertain, exact.std() / np.sqrt(exact.size))


def test_one_system_with_table_i_relaxes_in_16_1():
    assert float(law().relaxation_time(T)) == pytest.approx(16.1, abs=0.05)
    taus = [Simulation(law(), T, Lattice(), seed=seed).run(until=4e5).observed().relaxation_time for seed in range(8)]
    mean, error = mean_and_error(taus)
    assert abs(mean - 16.12) < 4.0 * error
    assert error < 1.0


# --- where all is known: one rate for all energies --------------------------------------------------------------------


@pytest.mark.parametrize("duration", [2.0, 300.0])
def test_a_poisson_process_has_its_exponentials_however_short_the_run(duration):
    landscape = law(lam=0.0, rate_prefactor=1.5)
    factors, runs = (0.25, 0.8), int(1000 / duration) + 10
    shown = np.searchsorted(bin_edges(), [0.25, 0.5, 1.0, 1.75])
    curves, rates, times, changes = [], [], [], []
    for seed in range(runs):
        o = (
            Simulation(landscape, T, Lattice(3, 2), Coupling(q=0.5), seed=seed, factors=factors)
            .run(until=duration)
            .observed()
        )
        at = np.searchsorted(o.lag_times, bin_edges()[shown])
        curves.append([o.persistence[at], *o.scattering[:, at]])
        rates.append(o.mean_rate)
        changes.append([o.change_time, *o.change_moments])
        times.append([o.relaxation_time, *o.scattering_times])
    t = bin_edges()[shown]
    exact = np.exp(-1.5 * t * (1.0 - np.array([0.0, *factors]))[:, None])
    mean, error = mean_and_error(curves)
    assert np.all(np.abs(mean - exact) < 4.5 * error)
    assert abs(np.mean(rates) - 1.5) < 5.0 * np.sqrt(1.5 / (9 * duration * runs))
    if duration > 100.0:
        whole = 1.5 * (1.0 + 4 * 0.5)  # relaxations, and those of four neighbours
        mean, error = mean_and_error(changes)
        assert np.all(np.abs(mean - [1.0 / whole, 1.0 / whole, 2.0 / whole**2, 6.0 / whole**3]) < 5.0 * error)
        mean, error = mean_and_error(times)
        assert np.all(np.abs(mean - 1.0 / (1.5 * (1.0 - np.array([0.0, *factors])))) < 5.0 * error)
    else:
        assert np.isnan(times).all()  # a quarter of the run is not enough for them to decay


@pytest.mark.parametrize("rate", [1e-40, 1e12])
def test_any_unit_of_time_will_do(rate):
    landscape = law(lam=0.0, rate_prefactor=rate)
    o = Simulation(landscape, T, Lattice(3, 3), seed=1).run(until=1000.0 / rate).observed()
    assert o.relaxation_time * rate == pytest.approx(1.0, rel=0.03)
    assert np.interp(1.0, o.lag_times * rate, o.persistence) == pytest.approx(np.exp(-1.0), abs=0.01)
    assert o.effective_intervals == pytest.approx(27 * 1000 / 6.0, rel=0.1)  # <g^2>^2 / <g^4> = 4/24


# --- how it is done ---------------------------------------------------------------------------------------------------


@every_rule
def test_a_run_cut_into_parts_gives_the_same_bits(coupling):
    def made():
        return Simulation(law(sigma_gamma=1.0), T, Lattice(3, 2), coupling, seed=(1, 2), factors=(0.5,))

    whole = made().run(until=500.0)
    parts = made()
    for end in (0.001, 1.0, 77.7, 78.0):
        parts.run(until=end)
        parts.observed()
    parts.run(events=100)
    state = {name: one.copy() for name, one in parts.state().items()}
    parts.run(until=200.0)  # and thrown away
    parts = made().restore(state).run(until=500.0)
    for name, one in whole.state().items():
        assert one.tobytes() == parts.state()[name].tobytes(), name
    assert made().run(until=500.0).observed().persistence.tobytes() == whole.observed().persistence.tobytes()
    other = Simulation(law(sigma_gamma=1.0), T, Lattice(3, 2), coupling, seed=(1, 3), factors=(0.5,)).run(until=500.0)
    assert other.state()["clock"][1] != whole.state()["clock"][1]


def test_another_process_goes_on_with_the_same_bits(tmp_path):
    begin = (
        "import numpy as np, pelplug\n"
        "from pelplug_coupled_landscape.lattice import Coupling, Lattice\n"
        "from pelplug_coupled_landscape.simulation import Simulation\n"
        "s = Simulation(pelplug.TrapLandscape(), 0.5, Lattice(3, 2), Coupling(q=0.5), seed=9, factors=(0.5,))\n"
    )
    own: dict = {}
    exec(f"{begin}s.run(until=300.0)", own)
    np.savez(tmp_path / "state.npz", **own["s"].state())
    own["s"].run(until=1000.0)
    end = "s.restore(dict(np.load('state.npz'))).run(until=1000.0)\nnp.savez('end.npz', **s.state())"
    subprocess.run([sys.executable, "-c", begin + end], check=True, cwd=tmp_path)
    theirs = np.load(tmp_path / "end.npz")
    for name, one in own["s"].state().items():
        assert one.tobytes() == theirs[name].tobytes(), name


def test_a_state_of_another_lattice_is_refused():
    state = Simulation(law(), T, Lattice(3, 2)).state()
    with pytest.raises(pelplug.InputError, match="made with the same arguments"):
        Simulation(law(), T, Lattice(3, 3)).restore(state)


@pytest.mark.parametrize("systems", [1, 3, 8, 9, 64, 65, 512, 513, 4096, 32768, 32769])
def test_nodes_visited_grow_as_the_logarithm_of_the_lattice(systems):
    simulation = Simulation(law(), T, Lattice(systems, 1), Coupling(q=1.0 if systems > 2 else 0.0))
    o = simulation.run(events=200).observed()
    assert o.active == 200
    levels = max(int(np.ceil(np.log2(systems) / 3.0 - 1e-9)), 1)
    assert o.visited_nodes == levels * (2 * o.active + o.passive)


def test_every_rate_is_found_as_often_as_it_is_large():
    """The sums of the tree stay those of its leaves."""
    simulation = Simulation(law(), T, Lattice(5, 3), Coupling(q=1.0)).run(events=50_000)
    state, landscape = simulation.state(), law()
    leaves = state["tree"][:125]
    assert leaves == pytest.approx(landscape.rate(state["rows"][:, 0], T), rel=1e-12)
    assert state["tree"][128:144].sum() == pytest.approx(leaves.sum(), rel=1e-13)
    assert state["tree"][144:].sum() == pytest.approx(leaves.sum(), rel=1e-13)
