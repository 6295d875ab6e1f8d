"""The coupled landscape model against another algorithm, and against what is known of it."""

import numpy as np
import pytest
from pelplug_coupled_landscape.kernels import bin_edges
from pelplug_coupled_landscape.lattice import Coupling, Lattice
from pelplug_coupled_landscape.simulation import Simulation

import pelplug

T = 0.5
PLAIN = {"sigma_gamma": 0.0}
RING = [(1, 2), (2, 0), (0, 1)]  # neighbours of three systems


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


@pytest.mark.parametrize(
    "coupling",
    [
        Coupling(),
        Coupling(q=0.5),
        Coupling(q=1.0),
        Coupling(q=0.8, rule="gaussian", width=1.5),
        Coupling(q=0.2, rule="rate"),
    ],
    ids=lambda c: f"{c.rule}-{c.q:g}",
)
def test_another_algorithm_gives_the_same(coupling):
    landscape, duration, factor = law(cutoff=-20.0), 2000.0, 0.7
    places = np.searchsorted(bin_edges(), [0.25, 1.0, 4.0, 16.0])
    rng = np.random.default_rng(4)
    theirs = [rejecting(landscape, coupling, duration, bin_edges()[places], factor, rng) for _ in range(12)]
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
