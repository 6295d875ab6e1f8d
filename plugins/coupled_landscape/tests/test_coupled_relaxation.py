"""The coupled landscape model of Rehwald and Heuer, Phys. Rev. E 86, 051504 (2012), with Table I and no broadening."""

import numpy as np
import pytest
from pelplug_coupled_landscape.lattice import Coupling, Lattice
from pelplug_coupled_landscape.simulation import Simulation

import pelplug

PLAIN = pelplug.TrapLandscape(sigma_gamma=0.0)


def relaxation_time(coupling, side=3, temperature=0.5, until=40_000.0, seeds=4):
    runs = [
        Simulation(PLAIN, temperature, Lattice(side, 3), coupling, seed=seed).run(until=until).observed()
        for seed in range(seeds)
    ]
    return np.mean([o.relaxation_time for o in runs]), np.mean([o.diffusivity for o in runs])


def test_tau_alpha_falls_with_the_root_of_q():
    """tau_alpha(0)/(1 + c sqrt q): c as a trial found it, and constant within 10 % (paper 2, Sec. IV A)."""
    trial = {0.003: 11.3, 0.01: 12.5, 0.03: 12.8, 0.1: 12.0}
    times = [relaxation_time(Coupling(q=q), until=max(20_000.0, 300.0 / q))[0] for q in trial]
    c = [(16.12 / tau - 1.0) / np.sqrt(q) for q, tau in zip(trial, times, strict=True)]
    assert c == pytest.approx(list(trial.values()), rel=0.08)
    assert c == pytest.approx([np.mean(c)] * 4, rel=0.1)


@pytest.mark.parametrize(("q", "c"), [(0.3, 10.4), (1.0, 8.0)])
def test_strong_coupling_does_less_than_the_root(q, c):
    tau, _ = relaxation_time(Coupling(q=q), until=10_000.0)
    assert (16.12 / tau - 1.0) / np.sqrt(q) == pytest.approx(c, rel=0.03)


@pytest.mark.parametrize("effective", [0.06, 0.6])
def test_couplings_near_and_far_are_one_curve_over_q_eff(effective):
    """Fig. 10: within a few per cent only q N_eff matters."""
    lattice = Lattice(11, 3)
    couplings = [
        Coupling(q=1.0),
        *(Coupling(1.0, exponent=n, reach=r) for n, r in ((3.0, 2.0), (3.0, 5.0), (6.0, 5.0))),
    ]
    taus = []
    for one in couplings:
        q = effective / one.effective_neighbours(lattice)
        taus.append(relaxation_time(Coupling(q, exponent=one.exponent, reach=one.reach), 11, until=500.0, seeds=2)[0])
    assert taus == pytest.approx([np.mean(taus)] * 4, rel=0.06)


def test_the_stokes_einstein_exponent_at_q_1_is_small():
    """D tau_alpha ~ tau_alpha^xi: about 0.175 (Sec. IV A), where one system has 0.5."""
    hot, cold = (relaxation_time(Coupling(q=1.0), temperature=t, until=5000.0) for t in (0.6, 0.5))
    (tau_0, d_0), (tau_1, d_1) = hot, cold
    assert 1.0 + np.log(d_1 / d_0) / np.log(tau_1 / tau_0) == pytest.approx(0.175, abs=0.02)
    alone = [float(PLAIN.moment(1, t) * PLAIN.moment(-1, t)) for t in (0.6, 0.5)]
    times = [float(PLAIN.relaxation_time(t)) for t in (0.6, 0.5)]
    assert np.log(alone[1] / alone[0]) / np.log(times[1] / times[0]) > 0.5
