"""The msed plugin: known stochastic processes, the direct double loop, energy files of other programs, bad input."""

import json
import pathlib
import re
import sys
import tempfile
import types

import matplotlib as mpl
import numpy as np
import pytest
import scipy.signal
from pelplug_msed.accumulator import Accumulator
from pelplug_msed.blocks import FINEST, SeriesBlocks
from pelplug_msed.correlator import Correlator, squared_differences
from pelplug_msed.fits import fit_rise, vibration_end
from pelplug_msed.msed import MSED
from pelplug_msed.trend import find_trend

import pelplug
import pelplug.testing
from pelplug.testing import parametrize_with_checks

mpl.use("Agg")
RUNS = 30


def ornstein_uhlenbeck(n, tau, rng, spread=1.0):
    """Exact samples, so that <Delta^2> = 2 spread^2 (1 - exp(-t / tau))."""
    a = np.exp(-1.0 / tau)
    noise = spread * np.sqrt(1.0 - a * a) * rng.normal(size=n)
    noise[0] = spread * rng.normal()
    return scipy.signal.lfilter([1.0], [1.0, -a], noise)


def telegraph(n, tau, rng, size=1.0):
    """+-size, switching so that the correlation is exp(-t / tau): <Delta^2> = 2 size^2 (1 - exp(-t / tau))."""
    flips = rng.random(n) < 0.5 * -np.expm1(-1.0 / tau)
    return size * np.where((np.cumsum(flips) + rng.integers(2)) % 2, 1.0, -1.0)


def direct(x, lag):
    total = 0.0
    for i in range(len(x) - lag):
        total += (x[i + lag] - x[i]) ** 2
    return total / (len(x) - lag)


def write_csv(path, energy, at=None, header="step,potential_energy_total"):
    at = np.arange(len(energy)) if at is None else at
    path.write_text("\n".join([header, *(f"{a},{float(e)!r}" for a, e in zip(at, energy, strict=True))]) + "\n")
    return path


def of(path, **parameters):
    return MSED(None, energies=str(path), **{"time_step": 1.0, "particles": 100, **parameters}).run().to_dataset()


# --- the estimators -----------------------------------------------------------------------------------------------


def test_fft_and_multi_tau_against_a_double_loop():
    rng = np.random.default_rng(1)
    x = ornstein_uhlenbeck(700, 30, rng) - 4000.0
    correlator = Correlator()
    for piece in np.split(x, [3, 100, 101, 450]):
        correlator.add(piece)
    lags = correlator.lags()
    assert lags[:18].tolist() == [*range(1, 17), 18, 20] and lags[-1] < 700
    sums, counts = squared_differences(x, lags)
    loop = [direct(x, lag) for lag in lags]
    np.testing.assert_allclose(sums / counts, loop, rtol=1e-10)
    sums, counts = correlator.totals()
    np.testing.assert_allclose((sums / counts)[:16], loop[:16], rtol=1e-11)  # every origin up to lag 16
    for level in range(1, 5):  # then every 2^level-th
        chosen = [16 * 2 ** (level - 1) < lag <= 16 * 2**level for lag in lags]
        decimated = x[:: 2**level]
        expected = [direct(decimated, lag // 2**level) for lag in lags[chosen]]
        np.testing.assert_allclose((sums / counts)[chosen], expected, rtol=1e-11)
    assert correlator.variance() == pytest.approx(np.var(x), rel=1e-9)
    assert correlator.mean() == pytest.approx(np.mean(x), rel=1e-12)
    blocks = correlator.blocks(at_most=20)
    assert len(blocks[0]) <= 20 and np.all(blocks[2][:, 0] == blocks[2][0, 0])


def test_sums_in_blocks_have_every_origin_once():
    x = ornstein_uhlenbeck(1003, 30, np.random.default_rng(6))
    lags = np.array([1, 3, 24, 200, 900])
    for segments in ([x], [x[:400], x[400:]]):
        blocks = SeriesBlocks(segments, lags)
        sums, counts = blocks.blocks(at_most=FINEST)
        length, end = 1003 // FINEST, 1003 // FINEST * FINEST
        for k, lag in enumerate(lags):
            pairs = [(i, x[i] - x[i - lag]) for i in range(lag, end) if len(segments) == 1 or not i - lag < 400 <= i]
            expected = np.zeros(FINEST)
            np.add.at(expected, [i // length for i, _ in pairs], [d * d for _, d in pairs])
            np.testing.assert_allclose(sums[:, k], expected, rtol=1e-12)
            assert counts[:, k].sum() == len(pairs)
        joined = blocks.blocks(at_most=10)
        np.testing.assert_allclose(joined[0], sums.reshape(10, 4, -1).sum(axis=1), rtol=1e-13)


def test_multi_tau_has_no_averaging_bias():
    # White noise: a correlator that averages blocks would give less than 2 s^2 at long lags.
    x = np.random.default_rng(2).normal(size=400_000)
    correlator = Correlator()
    correlator.add(x)
    sums, counts = correlator.totals()
    chosen = correlator.lags() < 2000
    np.testing.assert_allclose((sums / counts)[chosen], 2.0, rtol=5.0 / np.sqrt(counts[chosen].min()))


def test_a_stored_correlator_goes_on_to_the_same_end():
    x = np.random.default_rng(3).normal(size=5000)
    whole, one = Correlator([1, 50]), Correlator([1, 50])
    whole.add(x)
    one.add(x[:1234])
    two = Correlator.restore({name: value.copy() for name, value in one.state().items()})
    two.add(x[1234:])
    for name, value in whole.state().items():
        assert np.array_equal(value, two.state()[name]), name


def test_distribution_of_differences_is_the_histogram():
    x = ornstein_uhlenbeck(20_000, 20, np.random.default_rng(4))
    correlator = Correlator([1, 16])
    correlator.add(x)
    counts, edges = correlator.histograms()
    for lag, count, edge in zip([1, 16], counts, edges, strict=True):
        differences = x[lag:] - x[:-lag]
        assert count.sum() == len(differences)
        # A difference within rounding of an edge may be on either side.
        assert np.abs(count - np.histogram(differences, edge)[0]).sum() <= 4
    assert edges[1, -1] < 4 * np.abs(x[16:] - x[:-16]).max()


# --- known processes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["fft", "multi-tau"])
@pytest.mark.parametrize("process", [ornstein_uhlenbeck, telegraph])
def test_known_processes_within_errors_over_many_seeds(process, method):
    """Where Eq. 11 is exact, the errors cover the truth as often as they should."""
    n, tau, particles = 20_000, 50.0, 10
    curve, numbers = [], []
    for seed in range(RUNS):
        rng = np.random.default_rng([seed, 7])
        series = particles * (process(n, tau, rng) + 0.5 * rng.normal(size=n) - 7.0)
        analysis = MSED(None, method=method, particles=particles, time_step=0.1, resamples=100)
        found = feed(analysis, series) if method == "multi-tau" else fft_of(analysis, series)
        truth = 2.0 * -np.expm1(-found.lag / (0.1 * tau)) + 0.5
        known = np.isfinite(found.msed_error) & (found.lag < 10.0 * tau * 0.1)
        curve.append(((found.msed - truth) / found.msed_error)[known].values)
        if "tau" not in found:  # chance may bend the curve; never more than a few series
            continue
        exact = {"tau": 0.1 * tau, "um_squared": 2.0, "u0_squared": 0.5}
        numbers.append([(float(found[name]) - value) / float(found[f"{name}_error"]) for name, value in exact.items()])
        assert float(found.long_time_limit) == pytest.approx(2.0 * np.var(series / particles), rel=1e-9)
        assert float(found.paper_limit) == pytest.approx(np.var(series / particles), rel=1e-9)
        np.testing.assert_allclose(found.energy_diffusion, found.msed / (2 * found.lag))
    assert len(numbers) >= RUNS - 4
    for z in (np.array(numbers), np.array(curve)):
        inside = [np.mean(np.abs(z) < width) for width in (1.0, 2.0)]
        assert 0.55 < inside[0] < 0.85, inside
        assert inside[1] > 0.87, inside
        assert np.all(np.abs(z.mean(axis=0)) < 4.0 / np.sqrt(RUNS) + 0.2)


def test_slow_part_under_large_fast_fluctuations():
    """In the energy of a liquid the slow part is a tenth: time origins left out would hide it in the fast noise."""
    n, tau = 40_000, 100.0
    found = []
    for seed in range(10):
        rng = np.random.default_rng([seed, 9])
        series = ornstein_uhlenbeck(n, tau, rng) + 3.0 * rng.normal(size=n)
        found.append(fft_of(MSED(None, particles=1, time_step=1.0, resamples=100), series))
    assert sum("tau" in one for one in found) >= 9
    z = np.array([(float(one.um_squared) - 2.0) / float(one.um_squared_error) for one in found if "tau" in one])
    assert np.abs(z).max() < 4.0 and np.mean(np.abs(z) < 2.0) > 0.7
    assert np.mean([float(one.um_squared_error) for one in found if "tau" in one]) < 0.5


def feed(analysis, series):
    analysis.begin_series(analysis.parameters["particles"], analysis.parameters["time_step"], 1)
    for start in range(0, len(series), 3333):
        piece = series[start : start + 3333]
        analysis.add_energies(np.arange(start, start + len(piece)), piece)
    return analysis.conclude().to_dataset()


def fft_of(analysis, series):
    with tempfile.TemporaryDirectory() as folder:
        path = write_csv(pathlib.Path(folder) / "e.csv", series)
        return MSED(None, **{**analysis.parameters, "energies": str(path)}).run().to_dataset()


def test_fit_finds_its_own_curve():
    times = np.geomspace(1, 1e4, 90)
    fit = fit_rise(times, 0.3 + 1.7 * -np.expm1(-times / 210.0))
    assert (fit.u0_squared, fit.um_squared, fit.tau) == pytest.approx((0.3, 1.7, 210.0), rel=1e-5)
    np.testing.assert_allclose(fit([0.0, 1e9]), [0.3, 2.0], rtol=1e-5)


def test_vibrations_are_left_out_of_the_fit():
    # As in a crystal: the curve oscillates to 1 - cos, then rises slowly.
    times = np.arange(1, 20_000) * 0.01
    curve = 1.0 - np.cos(2 * np.pi * times) * np.exp(-times) + 0.5 * -np.expm1(-times / 60.0)
    start = vibration_end(times, curve, np.full(len(times), 1e-3))
    assert 4.0 < start < 7.0
    assert vibration_end(times, -np.expm1(-times), np.full(len(times), 1e-3)) == times[0]


def test_a_low_maximum_of_the_vibrations_is_seen():
    # As in a hot liquid at constant energy (Kob-Andersen, T = 0.8), where the curve falls by 6 % after its maximum.
    times = np.arange(1, 20_000) * 0.025
    curve = 1.0 - np.exp(-((times / 0.03) ** 2)) + 0.07 * np.exp(-(((times - 0.075) / 0.06) ** 2))
    curve += 0.1 * -np.expm1(-times / 3.0)
    assert 0.4 < vibration_end(times, curve, np.full(len(times), 0.01)) < 1.1


@pytest.mark.parametrize("n", [60, 800, 4000])
def test_a_series_shorter_than_tau_gives_no_number(n, tmp_path):
    series = ornstein_uhlenbeck(n, 5000, np.random.default_rng(5))
    found = of(write_csv(tmp_path / "e.csv", series))
    assert "tau" not in found and found.attrs["fit"].startswith("none")
    assert "msed" in found
    # Where the numbers are printed it says so too.
    assert json.loads(found.attrs["not_found"])[0] == f"No tau*: {found.attrs['fit'].removeprefix('none: ')}."


def test_a_series_too_short_to_see_past_the_vibrations_gives_no_number(tmp_path):
    rng = np.random.default_rng(12)
    swing = scipy.signal.lfilter([1.0], [1.0, -1.9, 0.98], rng.normal(size=800))  # a damped oscillator
    found = of(write_csv(tmp_path / "e.csv", swing))
    assert "tau" not in found and found.attrs["fit"].startswith("none")


def test_the_rise_of_damped_vibrations_is_no_relaxation(tmp_path):
    """It begins as the square of time, which Eq. 11 follows only from below 0, and has no maximum to be left out by."""
    rng = np.random.default_rng(12)
    swing = scipy.signal.lfilter([1.0], [1.0, -1.6, 0.64], rng.normal(size=20_000))  # critically damped
    found = of(write_csv(tmp_path / "e.csv", swing))
    assert "tau" not in found and "the rise of vibrations; raise t_min" in found.attrs["fit"]
    slow = ornstein_uhlenbeck(20_000, 60.0, rng, spread=4.0 * swing.std())
    found = of(write_csv(tmp_path / "slow.csv", swing + slow), t_min=20.0)
    assert abs(float(found["tau"]) - 60.0) < 4 * float(found["tau_error"])


def test_noise_has_no_relaxation_time(tmp_path):
    for seed in range(5):
        found = of(write_csv(tmp_path / f"{seed}.csv", np.random.default_rng(seed).normal(size=5000)))
        assert "tau" not in found and found.attrs["fit"].startswith("none")


# --- restarts and gaps --------------------------------------------------------------------------------------------


def test_restarts_and_gaps(tmp_path):
    x = ornstein_uhlenbeck(3000, 20, np.random.default_rng(6))
    other = ornstein_uhlenbeck(500, 20, np.random.default_rng(8))
    step = 10 * np.arange(3000)
    # The last entry of a run repeated by the next one: one series as before.
    again = of(write_csv(tmp_path / "a.csv", np.r_[x[:1000], x[999:]], np.r_[step[:1000], step[999:]]))
    plain = of(write_csv(tmp_path / "b.csv", x, step))
    np.testing.assert_allclose(again.msed, plain.msed, rtol=1e-9)
    assert "1 segment; 1 left out" in again.attrs["series"]
    assert plain.lag.values[0] == 10.0
    # A run taken up from an earlier state: its repeated steps are another course of events.
    killed = of(write_csv(tmp_path / "c.csv", np.r_[x[:1000], other], np.r_[step[:1000], step[800:1300]]))
    sums = sum(squared_differences(piece, np.arange(1, 17))[0] for piece in (x[:1000], other[200:]))
    np.testing.assert_allclose(killed.msed[:16] * 100**2, sums / (1298 - 2 * np.arange(16)), rtol=1e-9)
    assert "2 segments; 200 left out" in killed.attrs["series"]
    # Entries missing: no difference over the gap is taken for one of another lag.
    kept = np.r_[0:1200, 1500:3000]
    gap = of(write_csv(tmp_path / "d.csv", x[kept], step[kept]))
    sums = sum(squared_differences(piece, np.arange(1, 17))[0] for piece in (x[:1200], x[1500:]))
    np.testing.assert_allclose(gap.msed[:16] * 100**2, sums / (2698 - 2 * np.arange(16)), rtol=1e-9)
    assert "2 segments; 0 left out" in gap.attrs["series"]


# --- where energies come from -------------------------------------------------------------------------------------


def lammps_log(energies, starts, thermo=50, norm="", unit="lj"):
    lines = ["LAMMPS (22 Jul 2025)", f"units           {unit}", *([f"thermo_modify {norm}"] if norm else [])]
    for energy, start in zip(energies, starts, strict=True):
        lines += ["timestep        0.004", "Per MPI rank memory allocation = 3.1 Mbytes"]
        lines += ["   Step          Temp         c_mine         PotEng"]
        for k, value in enumerate(energy):
            lines.append(f"{start + thermo * k:8d} 0.5 {2 * value!r} {value!r}")
            if k == 3:
                lines.append("WARNING: something or other (src/run.cpp:1)")
        lines += [f"Loop time of 1.2 on 1 procs for {thermo * (len(energy) - 1)} steps with 400 atoms", ""]
    return "\n".join(lines)


def test_lammps_logs(tmp_path):
    x = ornstein_uhlenbeck(4000, 20, np.random.default_rng(9)).astype(float) - 5.0
    path = tmp_path / "log.lammps"
    path.write_text(lammps_log([x[:1500].tolist(), x[1499:].tolist()], [0, 50 * 1499]))
    found = MSED(None, energies=str(path)).run().to_dataset()
    assert found.lag.values[0] == pytest.approx(0.2)
    sums, counts = squared_differences(x, np.arange(1, 17))
    np.testing.assert_allclose(found.msed[:16], sums / counts, rtol=1e-9)  # units lj: per particle already
    assert found.attrs["energy_unit"] == "LAMMPS units lj"
    total = tmp_path / "total.log"
    total.write_text(lammps_log([x.tolist()], [0], norm="norm no"))
    scaled = MSED(None, energies=str(total), column="c_mine").run().to_dataset()
    np.testing.assert_allclose(scaled.msed[:16], 4 * sums / counts / 400**2, rtol=1e-9)
    # What LAMMPS takes where no time step is given.
    total.write_text(lammps_log([x.tolist()], [0], norm="norm no").replace("timestep", "variable"))
    assert MSED(None, energies=str(total)).run().to_dataset().lag.values[0] == pytest.approx(0.25)
    # Two runs that both count from 0: which one must be said.
    path.write_text(lammps_log([x[:500].tolist(), x[500:].tolist()], [0, 0]))
    with pytest.raises(pelplug.InputError, match="--block"):
        MSED(None, energies=str(path)).run()
    sums, counts = squared_differences(x[500:], np.arange(1, 17))
    for block in (1, -1):
        found = MSED(None, energies=str(path), block=block).run().to_dataset()
        np.testing.assert_allclose(found.msed[:16], sums / counts, rtol=1e-9)
    with pytest.raises(pelplug.InputError, match="has 2 runs"):
        MSED(None, energies=str(path), block=2).run()
    with pytest.raises(pelplug.InputError, match="not 99"):
        MSED(None, energies=str(path), block=1, particles=99).run()


def test_edr_files(tmp_path, monkeypatch):
    path = tmp_path / "ener.edr"
    path.write_bytes(b"\0")
    monkeypatch.setitem(sys.modules, "pyedr", None)
    with pytest.raises(pelplug.InputError, match="pip install pyedr"):
        of(path)
    x = ornstein_uhlenbeck(2000, 20, np.random.default_rng(10))
    terms = {"Time": 0.02 * np.arange(2000), "Potential": x, "Total Energy": 0 * x}
    units = {"Time": "ps", "Potential": "kJ/mol", "Total Energy": "kJ/mol"}
    module = types.SimpleNamespace(edr_to_dict=lambda name: terms, get_unit_dictionary=lambda name: units)
    monkeypatch.setitem(sys.modules, "pyedr", module)
    found = MSED(None, energies=str(path), particles=10).run().to_dataset()
    assert found.lag.values[0] == pytest.approx(0.02)
    sums, counts = squared_differences(x, np.arange(1, 17))
    np.testing.assert_allclose(found.msed[:16], sums / counts / 100, rtol=1e-9)
    with pytest.raises(pelplug.InputError, match="no term"):
        of(path, column="Enthalpy")


def gromacs_file(name):
    """Return a file that GROMACS wrote, and what its own `gmx energy` prints of it: time and terms by name."""
    pyedr = pytest.importorskip("pyedr", reason="reads EDR files; pip install pyedr")
    folder = pathlib.Path(pyedr.__file__).parent / "tests" / "data"
    if not (folder / f"{name}.edr").is_file():
        pytest.skip("this version of pyedr comes without the files of GROMACS that it is tested with")
    text = (folder / f"{name}.xvg").read_text()
    names = ["Time", *re.findall(r'^@ s\d+ legend "(.*)"', text, re.MULTILINE)]
    rows = [line.split() for line in text.splitlines() if line and line[0] not in "#@"]
    return folder / f"{name}.edr", dict(zip(names, np.array(rows, dtype=float).T, strict=True))


@pytest.mark.filterwarnings("ignore:Note. enx file_version")
@pytest.mark.parametrize(("name", "spacing"), [("1", 0.0002), ("double", 10.0)])
def test_edr_files_of_gromacs(name, spacing):
    path, terms = gromacs_file(name)
    found = MSED(None, energies=str(path), particles=50).run().to_dataset()
    energy = terms["Potential"]
    assert found.attrs["energy_unit"].startswith("kJ/mol")
    assert found.lag.values[0] == pytest.approx(spacing, rel=1e-3)
    assert float(found.mean_energy) == pytest.approx(energy.mean() / 50, rel=1e-6)
    lags = np.arange(1, 9)
    sums, counts = squared_differences(energy, lags)
    # Both are single precision, printed with six decimals.
    np.testing.assert_allclose(found.msed[:8], sums / counts / 50**2, rtol=1e-4)
    if name == "1":  # of a version of GROMACS that wrote no units
        return
    with pytest.raises(pelplug.InputError, match="no energy"):
        MSED(None, energies=str(path), particles=50, column="Temperature").run()


@pytest.mark.filterwarnings("ignore:Note. enx file_version")
def test_edr_file_of_gromacs_with_gaps_is_taken_apart():
    path, terms = gromacs_file("irregular")
    found = MSED(None, energies=str(path), particles=50).run().to_dataset()
    gaps = np.count_nonzero(np.abs(np.diff(terms["Time"]) - 2000.0) > 1.0)
    assert gaps == 3 and "4 segments" in found.attrs["series"]
    pairs = np.count_nonzero(np.abs(np.diff(terms["Time"]) - 2000.0) < 1.0)
    assert float(found.lag[0]) == 2000.0 and int(found["pairs"][0]) == pairs


def test_trajectories(tmp_path):
    """Energies from the frames with the model are those that the trajectory logs."""
    path = pelplug.testing.make_trajectory(tmp_path / "a.gsd", frames=24)
    by_model = pelplug.analyze("msed", path, dt=0.005)
    with pelplug.open_trajectory(path) as trajectory:
        model = pelplug.model("kob-andersen")
        energy = np.array([model.potential(state).energy(state) for state in trajectory])
    sums, counts = squared_differences(energy, np.arange(1, 12))
    np.testing.assert_allclose(by_model.msed[:11], sums / counts / 100**2, rtol=1e-9)
    assert by_model.lag.values[0] == 0.5
    part = pelplug.analyze("msed", path, dt=0.005, start=2, stop=20)
    sums, counts = squared_differences(energy[2:20], np.arange(1, 9))
    np.testing.assert_allclose(part.msed[:8], sums / counts / 100**2, rtol=1e-9)
    csv = write_csv(tmp_path / "e.csv", energy, 100 * np.arange(24))
    by_file = pelplug.analyze("msed", path, energies=str(csv), time_step=0.005)
    np.testing.assert_allclose(by_file.msed, by_model.msed, rtol=1e-9)
    assert by_file.attrs["energies_sha256"].startswith("sha256:")
    with pytest.raises(pelplug.InputError, match="logs no potential energy"):
        pelplug.analyze("msed", path, energies="log")


@parametrize_with_checks([MSED])
def test_keeps_the_contract(check):
    check()


# --- bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("energy", "at", "header", "parameters", "match"),
    [
        ([3.0] * 50, None, None, {}, "constant"),
        ([3.0], None, None, {}, "one entry"),
        (range(40), np.cumsum(np.arange(40)), None, {}, "not equally spaced"),
        ([1.0, 2.0, np.nan, 4.0, 1.0], None, None, {}, "not a finite number"),
        (range(40), None, "step,potential_energy", {}, "--normalisation"),
        (range(40), None, None, {"particles": "auto"}, "--particles"),
        (range(40), None, None, {"time_step": "auto"}, "--time-step"),
        (range(40), None, "step,pressure", {}, "no column potential_energy"),
        (range(40), None, "row,energy", {}, "no column step or time"),
        (range(40), None, "1,2", {}, "no header"),
        (range(40), None, None, {"column": "etot"}, "no column 'etot'"),
        (range(40), None, None, {"t_min": 5.0, "t_max": 2.0}, "raise t_max"),
        (["x"] * 3, None, None, {}, "Line 2"),
    ],
)
def test_bad_input_is_one_sentence(energy, at, header, parameters, match, tmp_path):
    path = tmp_path / "e.csv"
    energy = list(energy)
    at = range(len(energy)) if at is None else at
    text = "\n".join([header or "step,potential_energy_total", *(f"{a},{e}" for a, e in zip(at, energy, strict=True))])
    path.write_text(text)
    with pytest.raises(pelplug.InputError, match=match) as error:
        of(path, **parameters)
    assert str(error.value).count(". ") == 0


def test_units_in_the_header_are_recorded(tmp_path):
    energy = ornstein_uhlenbeck(100, 5, np.random.default_rng(0))
    found = of(write_csv(tmp_path / "e.csv", energy, 0.1 * np.arange(100), "time,energy per particle (eV)"))
    assert found.attrs["energy_unit"] == "eV"
    assert found.lag.values[0] == pytest.approx(0.1)
    assert float(found.paper_limit) == pytest.approx(np.var(energy))


# --- command and figures ------------------------------------------------------------------------------------------


def test_the_command_reads_a_file_without_a_trajectory(tmp_path, pelplug_command):
    series = ornstein_uhlenbeck(20_000, 50, np.random.default_rng(11))
    path = write_csv(tmp_path / "e.csv", series)
    out, figure = tmp_path / "out.nc", tmp_path / "out.png"
    arguments = ["msed", str(path), "--particles", "10", "--time-step", "0.1", "--phi-lags", "0.1,5", "-o", str(out)]
    done = pelplug_command(*arguments, "--plot", figure, code=0)
    assert "tau* = " in done.stdout and figure.stat().st_size > 10_000
    found = pelplug.read_results(out)["msed"]
    assert float(found.tau) == pytest.approx(5.0, rel=0.4)
    assert found.phi_lag.values[0] == pytest.approx(0.1) and found.phi_lag.values[1] == pytest.approx(5.0, rel=0.05)
    width = np.diff(found.phi_edges, axis=1)
    np.testing.assert_allclose((found.phi * width).sum("bin"), 1.0)
    assert found.attrs["input_file"] == "e.csv"
    assert "nothing is left to do" in pelplug_command(*arguments, code=0).stderr
    # The file exists, and is another's.
    assert "overwrite" in pelplug_command(*arguments, "--particles", "20", code=2).stderr


def test_curves_drawn_over_each_other_are_seen_whole(tmp_path):
    """Limits fixed for the first curve cut off a second one twice as high."""
    small, large = (
        MSED(None, energies=str(path), time_step=1.0, particles=100)
        for path in (
            write_csv(tmp_path / f"{spread}.csv", ornstein_uhlenbeck(2000, 20, np.random.default_rng(5), spread))
            for spread in (1.0, 2.0)
        )
    )
    ax = large.run().plot(ax=small.run().plot())
    bottom, top = ax.get_ylim()
    drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in ax.lines])
    assert bottom == 0.0 < drawn.min() and drawn.max() < top < 1.2 * drawn.max()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--plot", "a.xyzzy"), "use one of the endings"),
        (("-o", "e.csv"), "e.csv"),
        (("-o", "b.nc", "--plot", "b.nc"), "same name"),
        (("-o", "no/such/folder.nc"), "no/such"),
    ],
)
def test_outputs_that_cannot_be_are_refused_before_the_file_is_read(words, sentence, pelplug_command):
    file = pelplug_command.folder / "e.csv"
    file.write_text("nothing that can be read")
    unread = pelplug_command("msed", "e.csv", "-o", "c.nc", code=2).stderr
    done = pelplug_command("msed", "e.csv", *words, code=2)
    assert sentence in done.stderr and done.stderr != unread
    assert file.read_text() == "nothing that can be read"
    assert [path.name for path in pelplug_command.folder.iterdir()] == ["e.csv"]


# --- errors that hold, and those that are not stated ----------------------------------------------------------------

ENTRIES = 20  # in a relaxation time


def measured(*runs):
    """Return the result for the energies of one particle in each run, by FFT and without a file."""
    analysis = StoredMSED(None, particles=1, resamples=100, temperature=2.0, ensemble="nvt")
    analysis.begin_series(1, 1.0, 1, 2.0)
    for k, series in enumerate(runs):
        if k:
            analysis.segments.begin_run(analysis.origin)
            analysis.begin_run()
        analysis.add_energies(np.arange(len(series)), series)
    return analysis.conclude().to_dataset()


class StoredMSED(MSED):
    """Keeps the series, as for a file."""

    def begin(self):
        self._accumulator = Accumulator(self.origin, self.segments, self.phi_lags, keep=True)


def two_scales(relaxation_times, rng):
    n = relaxation_times * ENTRIES
    return ornstein_uhlenbeck(n, ENTRIES, rng) + ornstein_uhlenbeck(n, 1.0, rng)


def test_errors_of_a_series_of_two_time_scales_hold():
    """Of 80 series of 100 relaxation times; 400 of several lengths are on the page of msed."""
    exact = {"um_squared": 2.0, "u0_squared": 2.0, "tau": 20.0, "long_time_limit": 4.0, "heat_capacity_slow": 0.25}
    off = []
    for seed in range(80):
        found = measured(two_scales(100, np.random.default_rng([seed, 41])))
        truth = 4.0 - 2.0 * np.exp(-found.lag / 20.0) - 2.0 * np.exp(-found.lag)
        for lag in (2, 20):
            k = int(np.argmin(np.abs(found.lag.values - lag)))
            off.append(float((found.msed[k] - truth[k]) / found.msed_error[k]))
        off += [
            (float(found[name]) - value) / float(found[f"{name}_error"])
            for name, value in exact.items()
            if name in found and np.isfinite(found[f"{name}_error"])
        ]
    # Numbers of one series go together: a few hundred of them are worth about a hundred.
    off = np.abs(off)
    assert len(off) > 450 and 0.6 < np.mean(off < 1.0) < 0.77
    assert np.mean(off < 0.5) < 0.55  # errors of half the size would be found out


def test_a_record_of_few_relaxation_times_has_values_and_no_errors():
    told = []
    for seed in range(12):
        found = measured(ornstein_uhlenbeck(25 * 40, 40.0, np.random.default_rng([seed, 42])))
        if "tau" in found and len(found.attrs["not_found"]) > 2:
            told.append(found)
    assert len(told) >= 3
    for found in told:
        assert 10.0 < float(found.tau) < 70.0
        for name in ("tau", "um_squared", "u0_squared", "long_time_limit", "heat_capacity", "heat_capacity_slow", "v0"):
            assert np.isfinite(found[name]) and np.isnan(found[f"{name}_error"])
        assert "too short for errors" in found.attrs["fit"] and "run-*.gsd" in found.attrs["not_found"]
        assert np.isfinite(found["msed_error"][:5]).all()


def test_errors_over_runs_hold():
    """Of 60 sets of six runs of 30 relaxation times, which alone would have no errors."""
    exact, off = {"um_squared": 2.0, "u0_squared": 0.5, "tau": 20.0, "long_time_limit": 2.5}, []
    for seed in range(60):
        rng = np.random.default_rng([seed, 46])
        found = measured(*(ornstein_uhlenbeck(600, 20.0, rng) + 0.5 * rng.normal(size=600) for _ in range(6)))
        if "not stationary" in found.attrs["remarks"]:  # one in a hundred, as stated
            continue
        assert found.msed_error.attrs["error_method"] == "jackknife over runs"
        assert np.isfinite(found.msed_error[found.lag <= 300]).all() and set(found.msed_blocks.values) <= {0, 6}
        for lag in (2, 20, 200):
            k = int(np.argmin(np.abs(found.lag.values - lag)))
            truth = 2.5 - 2.0 * np.exp(-float(found.lag[k]) / 20.0)
            off.append(float((found.msed[k] - truth) / found.msed_error[k]))
        off += [
            (float(found[name]) - value) / float(found[f"{name}_error"])
            for name, value in exact.items()
            if name in found and np.isfinite(found[f"{name}_error"])
        ]
    off = np.abs(off)
    assert len(off) > 350 and 0.58 < np.mean(off < 1.0) < 0.79
    assert np.mean(off < 0.5) < 0.55


def test_several_trajectories_are_pooled(tmp_path):
    energies, paths = [], []
    for seed in range(6):
        paths.append(pelplug.testing.make_trajectory(tmp_path / f"{seed}.gsd", frames=24, seed=seed))
        with pelplug.open_trajectory(paths[-1]) as trajectory:
            model = pelplug.model("kob-andersen")
            energies.append(np.array([model.potential(state).energy(state) for state in trajectory]))
    for number, of in ((6, "runs"), (3, "blocks of the series")):
        pooled = pelplug.analyze("msed", paths[:number], dt=0.005)
        sums, counts = zip(*(squared_differences(one, np.arange(1, 12)) for one in energies[:number]), strict=True)
        np.testing.assert_allclose(pooled.msed[:11], np.sum(sums, axis=0) / np.sum(counts, axis=0) / 100**2, rtol=1e-9)
        assert float(pooled.long_time_limit) == pytest.approx(2 * np.var(np.concatenate(energies[:number])) / 100**2)
        assert pooled.msed_error.attrs["error_method"] == f"jackknife over {of}"
        assert f"{number} segments" in pooled.attrs["series"]
    with pytest.raises(pelplug.InputError, match="multi-tau takes one"):
        pelplug.analyze("msed", paths, dt=0.005, method="multi-tau")
    with pytest.raises(pelplug.InputError, match="are of one run"):
        pelplug.analyze("msed", paths, energies=str(write_csv(tmp_path / "e.csv", energies[0])), time_step=1.0)


def test_runs_of_unlike_energy_are_not_of_one_ensemble(tmp_path):
    """At constant energy; at constant temperature energies of runs may differ by chance."""
    paths = []
    made = pelplug.testing.make_trajectory(tmp_path / "made.gsd", frames=1, minima=1)
    minimum = pelplug.read_configuration(made)
    for seed, amplitude in enumerate((0.02, 0.02, 0.04)):
        rng = np.random.default_rng(seed)
        moves = amplitude * rng.normal(size=(24, *minimum.positions.shape))
        states = [minimum.replace(positions=minimum.positions + one, step=k) for k, one in enumerate(moves)]
        paths.append(tmp_path / f"{seed}.gsd")
        pelplug.write_trajectory(paths[-1], states)
    given = {"dt": 0.005, "model": "kob-andersen", "temperature": 1.0}
    with pytest.raises(pelplug.InputError, match=r"differ in it: their mean .* study energy-entropies"):
        pelplug.analyze("msed", paths, ensemble="nve", **given)
    for path in paths:
        pelplug.analyze("msed", path, ensemble="nve", **given)
    pelplug.analyze("msed", paths, ensemble="nvt", **given)


def test_lags_of_two_runs_end_at_half_of_one():
    """Of the sum of both they went to the whole of each, where one difference of a run is left."""
    rng = np.random.default_rng(45)
    one, two = (measured(*rng.normal(size=(number, 400))) for number in (1, 2))
    assert float(two.lag[-1]) == float(one.lag[-1]) <= 200.0
    assert two.pairs.values.min() >= 2 * 200


def test_the_command_says_that_a_series_ages(tmp_path, pelplug_command):
    series = two_scales(100, np.random.default_rng(43)) - 3.0 * np.linspace(0.0, 1.0, 2000)
    path = write_csv(tmp_path / "e.csv", series)
    done = pelplug_command("msed", str(path), "--particles", "1", "--time-step", "1", "-o", tmp_path / "e.nc", code=0)
    assert "not stationary" in done.stdout and "--block" in done.stdout and "+-" not in done.stdout


@pytest.mark.parametrize("course", ["drift", "settling"])
def test_a_series_that_ages_has_no_errors(course):
    rng = np.random.default_rng(43)
    series = two_scales(100, rng)
    at = np.arange(len(series)) / len(series)
    series += -2.5 * at if course == "drift" else 10.0 * np.exp(-at / 0.04)
    found = measured(series)
    assert float(found.energy_drift_probability) < 0.01 and float(found.energy_drift) < 0
    assert "not stationary" in found.attrs["remarks"] and "equilibrate longer" in found.attrs["remarks"]
    assert not any(np.isfinite(found[name]).any() for name in found if name.endswith("_error"))
    assert "not stationary" in found.msed_error.attrs["ends"]
    if course == "settling":  # the remedy
        kept = measured(series[len(series) // 4 :])
        assert "no trend" in kept.attrs["trend"] and np.isfinite(kept.long_time_limit_error)


def test_a_stationary_series_is_taken_for_one_that_ages_as_often_as_stated():
    """400 Ornstein-Uhlenbeck series of 20 to 400 relaxation times; means of blocks alone, as exact as the series."""
    alarms, rng = 0, np.random.default_rng(44)
    for k in range(400):
        length = (20, 40, 100, 400)[k % 4]
        series = ornstein_uhlenbeck(length * 10, 10.0, rng)
        means = series.reshape(20, -1).mean(axis=1)
        alarms += find_trend(means, 20.0 / length).found
    assert alarms <= 11  # 99.9 % of all draws at one in a hundred
    # Taken to be independent, they would be found to age far too often.
    wrong = [ornstein_uhlenbeck(200, 10.0, rng).reshape(20, -1).mean(axis=1) for _ in range(200)]
    assert sum(find_trend(means, 0.0).found for means in wrong) > 11


def test_errors_say_how_they_were_found():
    found = measured(two_scales(100, np.random.default_rng(45)))
    for name in (name for name in found if name.endswith("_error")):
        said = found[name].attrs
        assert "over blocks of the series" in said["error_method"] and said["confidence"] == 0.6827
        assert said["effective_samples"] == "msed_blocks" or 6 <= said["effective_samples"] <= 20
    ends = found.msed_error.attrs
    known = np.isfinite(found.msed_error.values)
    assert ends["last_lag"] == found.lag.values[known][-1] == pytest.approx(100, rel=0.1)
    assert "blocks as long as two lags" in ends["ends"]
    assert np.all((found.msed_blocks.values > 0) == known)
