"""Heat capacities and entropies: harmonic oscillators and a Gaussian landscape, sampled at constant energy or T.

Samples are drawn by a seed: ``pytest plugins/msed/tests/test_heat.py --pelplug-seed 7``.
"""

import numpy as np
import pytest
from pelplug_msed.heat import heat_capacity
from pelplug_msed.msed import MSED

import pelplug

N = 150


def run(tmp_path, energy, n=N, **parameters):
    path = tmp_path / "energies.csv"
    np.savetxt(path, np.c_[np.arange(len(energy)), energy], delimiter=",", header="step,potential_energy_total",
               comments="", fmt=["%d", "%.17g"])  # fmt: skip
    given = {"time_step": 1.0, "particles": n, "resamples": 100, **parameters}
    return MSED(None, energies=str(path), **given).run().to_dataset()


def vibrations(total, rng, d=3, n=N):
    """Potential energy of n oscillators in d dimensions with the energy ``total``, of a microcanonical ensemble."""
    return total * rng.beta(d * n / 2, d * n / 2, size=np.shape(total))


@pytest.mark.parametrize("d", [2, 3])
def test_oscillators_at_constant_energy(tmp_path, d, pelplug_seed):
    rng, temperature = np.random.default_rng([pelplug_seed, d]), 0.7
    energy = vibrations(np.full(20_000, d * N * temperature), rng, d)
    found = run(tmp_path, energy, temperature=temperature, ensemble="nve", dimension=d)
    assert float(found["v_total"]) == pytest.approx(d / 4, rel=0.045)  # 3/4 for d = 3
    assert abs(float(found["v_total"]) - d / 4) < 4 * float(found["v_total_error"])
    assert float(found["heat_capacity"]) == pytest.approx(d / 2, rel=0.09)
    # dc/dv of c(v) = (d/2)^2 / (d/2 - v).
    slope = (d / 2) ** 2 / (d / 2 - float(found["v_total"])) ** 2
    assert float(found["heat_capacity_error"]) == pytest.approx(slope * float(found["v_total_error"]), rel=1e-9)
    assert "constant energy" in found.attrs["heat"] and "Eq. 12" in found.attrs["heat"]


def test_oscillators_at_constant_temperature(tmp_path, pelplug_seed):
    rng, temperature = np.random.default_rng([pelplug_seed, 7]), 0.4
    # The variance of 20,000 energies is known to 1 %.
    energy = temperature * rng.gamma(1.5 * N, size=20_000)  # canonical: 3N squares
    found = run(tmp_path, energy, temperature=temperature, ensemble="nvt")
    assert float(found["heat_capacity"]) == float(found["v_total"]) == pytest.approx(1.5, rel=0.045)
    # Intensive: energies per particle, and a system twice as large.
    double = run(tmp_path, temperature * rng.gamma(3.0 * N, size=20_000), n=2 * N, temperature=temperature,
                 ensemble="nvt")  # fmt: skip
    assert float(double["heat_capacity"]) == pytest.approx(1.5, rel=0.045)


def test_heat_capacity_by_formula():
    assert heat_capacity(0.75, "nve") == pytest.approx(1.5)  # all of it, 9/4 / (3/2 - 3/4) = 3, less 3/2
    assert heat_capacity(0.75, "nvt") == 0.75
    assert heat_capacity(0.5, "nve", 2) == pytest.approx(1.0)
    assert np.isinf(heat_capacity(1.5, "nve")) and np.isinf(heat_capacity(np.array([2.0, 1.5]), "nve")).all()


SPREAD = 0.3 * N  # variance of the energies of the basins of a Gaussian landscape, e_0 = 0


def landscape(temperature, rng, ensemble, entries=60_000, tau=15.0):
    """Potential energy of N oscillators in basins of energy e, which change now and then."""
    switch = rng.random(entries) < 1.0 / tau
    basin = np.cumsum(switch)
    mean = -SPREAD / temperature
    if ensemble == "nvt":
        e = rng.normal(mean, np.sqrt(SPREAD), size=basin[-1] + 1)
        return e[basin] + temperature * rng.gamma(1.5 * N, size=entries), temperature
    total = 3 * N * temperature + mean
    grid = np.linspace(mean - 60, mean + 60, 20_001)
    log = -(grid**2) / (2 * SPREAD) + (3 * N - 1) * np.log(total - grid)
    weight = np.cumsum(np.exp(log - log.max()))
    e = np.interp(rng.random(basin[-1] + 1) * weight[-1], weight, grid)[basin]
    potential = e + vibrations(total - e, rng)
    return potential, (total - potential).mean() / (1.5 * N)


@pytest.mark.parametrize("ensemble", ["nve", "nvt"])
def test_entropies_of_a_gaussian_landscape(tmp_path, ensemble, pelplug_seed):
    rng, results = np.random.default_rng([pelplug_seed, 3]), {}
    for aim in np.geomspace(0.5, 1.0, 6):
        energy, temperature = landscape(aim, rng, ensemble)
        assert temperature == pytest.approx(aim, rel=0.01)
        results[temperature] = run(tmp_path, energy, temperature=temperature, ensemble=ensemble)
    found = pelplug.study("energy-entropies", list(results.values()))
    t, s1, s2 = (found[name].values for name in ("temperature", "s1", "s2"))
    assert t[0] == float(found["reference_temperature"]) and s1[0] == s2[0] == 0.0
    error = float(found["s1_error"][-1])
    assert s1[-1] == pytest.approx(1.5 * np.log(t[-1] / t[0]), abs=3 * error) and error < 0.06
    law = SPREAD / N / 2 * (t[0] ** -2 - t[-1] ** -2)  # of a Gaussian density of basins
    error = float(found["s2_error"][-1])
    assert law == pytest.approx(0.45, rel=0.03)
    assert s2[-1] == pytest.approx(law, abs=3 * error) and error < 0.1
    np.testing.assert_allclose(found["u0_over_harmonic"], 1.0, rtol=0.03)
    assert found["u0_exponent"] == pytest.approx(1.0, abs=3 * float(found["u0_exponent_error"]))
    if ensemble == "nvt":  # Eq. 12 as printed has neither the size nor the dimension of an entropy
        assert float(found["paper_s2"][-1]) < 1e-3 * s2[-1]
    coldest = results[min(results)]
    assert float(coldest["heat_capacity_slow"]) == pytest.approx(SPREAD / N / t[0] ** 2, rel=0.25)
    if ensemble == "nve":  # term by term it would be far too small
        assert float(coldest["vm"]) < 0.35 * float(coldest["heat_capacity_slow"])
        both = float(coldest["v0"]) + float(coldest["vm"])
        assert float(coldest["v_total"]) == pytest.approx(both, rel=0.05)


@pytest.mark.parametrize("d", [2, 3])
def test_entropy_of_a_harmonic_solid_at_constant_energy(tmp_path, d, pelplug_seed):
    """U0 alone, as there is no slow part, and S1 = d/2 k ln(T2/T1) a particle."""
    rng, results = np.random.default_rng([pelplug_seed, d]), []
    for temperature in np.geomspace(0.3, 0.9, 5):
        entries, switch = 40_000, 15.0
        energy = vibrations(np.full(entries, d * N * temperature), rng, d)
        # A slow part so small that it is nearly nothing, for a fit: msed gives none without.
        slow = np.cumsum(rng.random(entries) < 1.0 / switch)
        energy += 0.15 * temperature * np.sqrt(d * N / 4) * rng.normal(size=slow[-1] + 1)[slow]
        results.append(run(tmp_path, energy, temperature=temperature, ensemble="nve", dimension=d))
    found = pelplug.study("energy-entropies", results)
    last = int(np.flatnonzero(np.isfinite(found["s1_error"]))[-1])  # a rise so small is not always beyond its error
    assert last >= 3, found.attrs["not_found"]
    s1, error = float(found["s1"][last]), float(found["s1_error"][last])
    growth = float(found["temperature"][last] / found["temperature"][0])
    assert s1 == pytest.approx(d / 2 * np.log(growth), abs=3 * error)
    assert error < 0.06 and abs(float(found["s2"][last])) < 0.15 * s1


def test_errors_are_the_scatter_of_repetitions(tmp_path, pelplug_seed):
    rng, found = np.random.default_rng([pelplug_seed, 5]), []
    for _ in range(25):
        energy, temperature = landscape(0.55, rng, "nve", 12_000)
        one = run(tmp_path, energy, temperature=temperature, ensemble="nve")
        names = ("v0", "vm", "heat_capacity_fast", "heat_capacity_slow", "heat_capacity")
        if "vm" in one:
            found.append([[float(one[name]), float(one[f"{name}_error"])] for name in names])
    found = np.array(found)
    assert len(found) > 20
    ratio = np.sqrt(np.nanmean(found[:, :, 1] ** 2, axis=0)) / found[:, :, 0].std(axis=0, ddof=1)
    assert np.all((ratio > 0.6) & (ratio < 1.7)), ratio


def test_units_of_the_temperature_and_of_energies(tmp_path):
    rng = np.random.default_rng(9)
    kelvin, boltzmann = 600.0, 8.617333262e-5
    energy = boltzmann * kelvin * rng.gamma(1.5 * N, size=20_000)
    log = tmp_path / "log.lammps"
    rows = "\n".join(f"{10 * k} {e:.15g}" for k, e in enumerate(energy))
    log.write_text(
        f"LAMMPS (1 Jan 2026)\nunits metal\ntimestep 0.001\nthermo 10\nthermo_style custom step pe\n"
        f"run 199990\nStep PotEng\n{rows}\nLoop time of 1 on 1 procs for 199990 steps with {N} atoms\n"
    )
    found = MSED(None, energies=str(log), temperature=kelvin, ensemble="nvt").run().to_dataset()
    assert float(found["heat_capacity"]) == pytest.approx(1.5, rel=0.03)


def test_what_is_not_known_is_said(tmp_path):
    energy = vibrations(np.full(2000, 3.0 * N), np.random.default_rng(1))
    assert "--temperature" in run(tmp_path, energy).attrs["heat"]
    only = run(tmp_path, energy, temperature=1.0)
    assert "v_total" in only and "heat_capacity" not in only and "--ensemble" in only.attrs["heat"]
    # Far from constant energy: there is no such heat capacity.
    wide = run(tmp_path, np.random.default_rng(2).normal(scale=2 * np.sqrt(N), size=2000), temperature=1.0,
               ensemble="nve")  # fmt: skip
    assert float(wide["v_total"]) > 1.5 and np.isnan(wide["heat_capacity"])
