"""Bad input of `dynamics`, `metabasins` and `msed`: one sentence and exit code 2, or a number said to be missing."""

import json

import numpy as np
import pytest

import pelplug
from pelplug.cli import cli
from pelplug.files.results import read_results
from pelplug.host.functions import default_registry

SIDE = 6.0
DYNAMICS = ("--wave-number", "5", "--quantities", "msd,fs", "--average", "axes")
TIMES = ("tau_alpha", "kww_time", "kww_beta", "kww_mean_time", "diffusion_coefficient", "msd_time", "tau_beta")


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run pelplug in an empty folder; gives exit code, output and the sentences on stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main([str(one) for one in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return end.value.code, out, err

    return run


def write(path, positions, times, images=None):
    """Write positions, shape (F, N, 3), wrapped, with images or without."""
    states = []
    for k, one in enumerate(positions):
        state = pelplug.Configuration(
            one, np.full(3, SIDE), ["A"] * len(one), images=np.zeros(one.shape, int), step=k, time=float(times[k])
        ).wrapped()
        states.append(state if images else state.replace(images=None))
    pelplug.write_trajectory(path, states)
    return path


def walk(frames, scale, n=40, seed=1):
    rng = np.random.default_rng(seed)
    steps = rng.normal(scale=scale, size=(frames, n, 3))
    steps[0] = rng.uniform(0, SIDE, (n, 3))
    return np.cumsum(steps, axis=0)


def refused(result, *words):
    code, out, err = result
    assert code == 2 and out == "" and len(err.splitlines()) == 1, err
    for word in words:
        assert word in err, err


def visits(positions):
    """A result of inherent-structure-transitions in which each frame is a structure of its own."""
    import xarray as xr

    count = len(positions)
    time, numbers = np.arange(count, dtype=float), np.arange(count)
    return xr.Dataset(
        {
            "visit_structure": ("visit", numbers),
            "visit_first": ("visit", numbers),
            "visit_last": ("visit", numbers),
            "visit_energy": ("visit", -np.arange(count, dtype=float)),
            "positions": (("visit", "particle", "dimension"), positions),
            "cell": (("vector", "dimension"), SIDE * np.eye(3)),
        },
        {"frame": numbers, "time": ("frame", time)},
    )


# --- trajectories ---------------------------------------------------------------------------------------------------


def test_one_frame(run):
    write("one.gsd", walk(1, 0.1), [0.0])
    refused(run("analyze", "--plugin", "dynamics", "one.gsd", "-o", "d.nc"), "one frame", "at least two")
    more = ("--model", "harmonic-spheres", "-o", "m.nc")
    code, out, err = run("analyze", "--plugin", "metabasins", "one.gsd", *more)
    assert code == 2 and out == "" and "one" in err.splitlines()[-1], err


def test_a_trajectory_shorter_than_tau_alpha_gives_no_number(run):
    """A cage: nothing that needs the particles to leave it is invented, and each missing number is explained."""
    rng = np.random.default_rng(2)
    cage = rng.uniform(0, SIDE, (60, 3)) + rng.normal(scale=0.05, size=(60, 60, 3))
    write("cage.gsd", cage, np.arange(60.0))
    code, out, err = run("analyze", "--plugin", "dynamics", "cage.gsd", *DYNAMICS, "-o", "d.nc")
    assert code == 0, err
    dataset = read_results("d.nc")["dynamics"]
    reasons = json.loads(dataset.attrs["not_found"])
    for name in TIMES:
        assert np.isnan(dataset[name]).all(), name
        assert name in ("kww_beta", "kww_mean_time") or any(one.startswith(f"{name} of A:") for one in reasons), name
    assert np.isnan(dataset["diffusion_window"]).all()
    for one in reasons:  # the user need not look into the file
        assert one in out
    assert "tau_alpha (A)" in out and "none" in out
    assert float(dataset["fs"].min()) > 0.9


def test_a_run_that_ends_in_the_decay_gives_no_tau_alpha(run):
    # exp(-q^2 D t) comes down to 0.4 at the last lag: an extrapolation would find tau_alpha.
    write("short.gsd", walk(12, 0.08, n=400), 0.1 * np.arange(12))
    code, out, err = run("analyze", "--plugin", "dynamics", "short.gsd", *DYNAMICS, "--min-origins", "1", "-o", "d.nc")
    assert code == 0, err
    dataset = read_results("d.nc")["dynamics"]
    assert 0.3 < float(dataset["fs"].min()) < 0.5 and np.isnan(dataset["tau_alpha"]).all()
    assert np.isnan(dataset["kww_time"]).all() and "simulate longer" in out


def test_wrapped_coordinates_are_unwrapped_or_refused(run):
    frequent = walk(40, 0.1)
    write("frequent.gsd", frequent, np.arange(40.0))
    code, _, err = run("analyze", "--plugin", "dynamics", "frequent.gsd", *DYNAMICS, "--no-remove-drift", "-o", "d.nc")
    assert code == 0, err
    msd = read_results("d.nc")["dynamics"]["msd"].sel(kind="A")
    lag = round(float(msd["lag_time"][-1]))
    assert float(msd[-1]) == pytest.approx(np.square(frequent[lag:] - frequent[:-lag]).sum(axis=2).mean(), rel=1e-5)
    rare = walk(40, 1.2)
    write("rare.gsd", rare, np.arange(40.0))
    command = ("analyze", "--plugin", "dynamics", "rare.gsd", *DYNAMICS, "-o", "rare.nc")
    refused(run(*command), "wrapped", "image flags", "write frames more often")
    write("images.gsd", rare, np.arange(40.0), images=True)
    assert run("analyze", "--plugin", "dynamics", "images.gsd", *DYNAMICS, "-o", "i.nc")[0] == 0


def test_metabasins_of_steps_round_half_the_cell():
    metabasins = default_registry().analysis("metabasins")
    wide = np.zeros((4, 5, 3))
    wide[2:, 1, 0] = 0.48 * SIDE
    with pytest.raises(pelplug.InputError, match=r"0\.48 of the cell from frame 1 to 2.*write frames more often"):
        metabasins(None, inputs={"inherent-structure-transitions": visits(wide)}).conclude()


def test_times_that_do_not_increase(run):
    write("joined.gsd", walk(6, 0.1), [0.0, 1.0, 2.0, 0.0, 1.0, 2.0])
    command = ("analyze", "--plugin", "dynamics", "joined.gsd", *DYNAMICS, "-o", "d.nc")
    refused(run(*command), "do not increase", "frame 3", "restarted")


def test_frames_at_any_times_are_taken_as_they_are(run):
    positions = walk(60, 0.1, n=200)
    times = np.cumsum(np.random.default_rng(5).choice([1, 2, 5], size=60))
    write("any.gsd", positions, times)
    code, _, err = run("analyze", "--plugin", "dynamics", "any.gsd", *DYNAMICS, "--no-remove-drift", "-o", "d.nc")
    assert code == 0, err
    dataset = read_results("d.nc")["dynamics"].sel(kind="A")
    for lag, found, origins in zip(dataset["lag_time"].values, dataset["msd"].values, dataset["origins"], strict=True):
        a, b = np.nonzero(np.isclose(times[None] - times[:, None], lag))
        assert len(a) == int(origins)
        assert found == pytest.approx(np.square(positions[b] - positions[a]).sum(axis=2).mean(), rel=1e-5)


# --- energies -------------------------------------------------------------------------------------------------------

COLUMN = "step,potential_energy_total"
KNOWN = ("--particles", "10", "--time-step", "0.1")
LAMMPS = """LAMMPS (22 Jul 2025)
{units}
thermo 10
Per MPI rank memory allocation (min/avg/max) = 3 | 3 | 3 Mbytes
   Step          Temp          PotEng
{rows}
Loop time of 0.1 on 1 procs for 100 steps with 100 atoms
"""


@pytest.mark.parametrize(
    ("header", "rows", "options", "words"),
    [
        (COLUMN, [(k, -3.5) for k in range(100)], KNOWN, ["constant"]),
        (COLUMN, [(0, -3.5)], KNOWN, ["one entry"]),
        (COLUMN, [(k * k, np.sin(k)) for k in range(100)], KNOWN, ["not equally spaced"]),
        ("step,potential_energy", [(k, np.sin(k)) for k in range(100)], KNOWN, ["--normalisation", "per particle"]),
        (COLUMN, [(k, np.sin(k)) for k in range(100)], ("--particles", "10"), ["--time-step"]),
        (COLUMN, [(k, np.sin(k)) for k in range(100)], ("--time-step", "1"), ["--particles"]),
        ("step,pressure", [(k, np.sin(k)) for k in range(100)], KNOWN, ["--column", "pressure"]),
    ],
)
def test_energies_of_a_table(run, header, rows, options, words):
    with open("e.csv", "w") as file:
        file.write("\n".join([header, *(f"{step},{energy}" for step, energy in rows)]) + "\n")
    refused(run("msed", "e.csv", *options, "-o", "m.nc"), *words)


def test_energies_of_a_log_that_does_not_say_its_units(run):
    rows = "\n".join(f"{10 * k} 1.0 {np.sin(k)}" for k in range(100))
    with open("log.lammps", "w") as file:
        file.write(LAMMPS.format(units="", rows=rows))
    refused(run("msed", "log.lammps", "-o", "m.nc"), "--normalisation", "whole system or per particle")
    refused(run("msed", "log.lammps", "--normalisation", "total", "-o", "m.nc"), "--time-step")
    with open("log.metal", "w") as file:
        file.write(LAMMPS.format(units="units metal", rows=rows))
    code, _, err = run("msed", "log.metal", "-o", "m.nc")
    assert code == 0, err
    found = read_results("m.nc")["msed"]
    # metal: energies of the whole system, time steps of 0.001 ps.
    assert found.attrs["energy_unit"] == "LAMMPS units metal" and float(found["lag"][0]) == pytest.approx(0.01)
    energy = np.sin(np.arange(100))
    assert float(found["msed"][0]) == pytest.approx(np.square(np.diff(energy)).mean() / 100**2, rel=1e-9)
