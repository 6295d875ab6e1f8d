"""HOOMD-blue and LAMMPS give the same Kob-Andersen liquid; a run killed on either goes on as if it had not been.

    PELPLUG_HOOMD_PATH=... pytest tests/validation/test_engines.py -m validation -s

PELPLUG_RUNS names a folder that keeps the trajectories: those that are there are not simulated again.
"""

import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from scipy.stats import t as student

import pelplug

pytestmark = [pytest.mark.validation, pytest.mark.hoomd]

SEEDS = (1, 2, 3, 4)
# Written while the runs were under way and before any was opened: these numbers, each compared by Welch's test,
# together at 1 % (Bonferroni).
TIMES = (0.05, 0.5, 5.0, 50.0)
LEVEL = 0.01
COMMAND = ["kob-andersen", "-N", "500", "-T", "0.6", "--steps", "30000", "--frames", "blocks:3000:10", "--quiet"]


def simulate(*arguments, **keywords):
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [environment.get("PELPLUG_HOOMD_PATH"), environment.get("PYTHONPATH")])
    )
    return subprocess.Popen([sys.executable, "-m", "pelplug", "simulate", *arguments], env=environment, **keywords)


@pytest.fixture(scope="module")
def liquids(tmp_path_factory):
    """Return the results of the dynamics plugin by engine and seed."""
    folder = pathlib.Path(os.environ.get("PELPLUG_RUNS") or tmp_path_factory.mktemp("runs"))
    found = {}
    for engine in ("hoomd", "lammps"):
        for seed in SEEDS:
            path = folder / f"{engine}-{seed}.gsd"
            if not path.exists():
                assert simulate(*COMMAND, "--seed", str(seed), "--engine", engine, "-o", str(path)).wait() == 0
            with pelplug.open_trajectory(path) as trajectory:
                assert trajectory.simulation_record["engine"] == engine
            found.setdefault(engine, []).append(pelplug.analyze("dynamics", path, wave_number=7.25))
    return found


def test_structure_and_dynamics_are_the_same(liquids):
    def numbers(data):
        values = {}
        for kind in ("A", "B"):
            one = data.sel(kind=kind)
            for time_ in TIMES:
                at = one.sel(lag_time=time_, method="nearest")
                assert float(at["lag_time"]) == pytest.approx(time_, rel=0.15)
                values[f"MSD {kind} at {float(at['lag_time']):.3g}"] = float(at["msd"])
                values[f"F_s {kind} at {float(at['lag_time']):.3g}"] = float(at["fs"][0])
        for pair in ("AA", "AB"):
            g = data["rdf"].sel(species_a=pair[0], species_b=pair[1])
            values[f"g_{pair} largest"] = float(g.max())
            values[f"g_{pair} position"] = float(
                (g * g["r"]).where(g > 0.9 * g.max()).sum() / g.where(g > 0.9 * g.max()).sum()
            )
        return values

    table = {engine: [numbers(data) for data in each] for engine, each in liquids.items()}
    names = list(table["hoomd"][0])
    level, failed = LEVEL / len(names), []
    for name in names:
        a, b = (np.array([row[name] for row in table[engine]]) for engine in ("hoomd", "lammps"))
        va, vb = a.var(ddof=1) / a.size, b.var(ddof=1) / b.size
        freedom = (va + vb) ** 2 / (va**2 / (a.size - 1) + vb**2 / (b.size - 1))
        difference = (a.mean() - b.mean()) / np.sqrt(va + vb)
        chance = 2 * student.sf(abs(difference), freedom)
        print(
            f"{name:18s} hoomd {a.mean():.5f} +- {np.sqrt(va):.5f} lammps {b.mean():.5f} +- {np.sqrt(vb):.5f} "
            f"difference {difference:+.2f} sigma, p = {chance:.3f}"
        )
        if chance < level:
            failed.append(name)
    assert not failed


@pytest.mark.parametrize("engine", ["hoomd", "lammps"])
def test_killed_at_random_moments_it_goes_on(engine, tmp_path):
    command = ["kob-andersen", "-N", "200", "-T", "1.0", "--steps", "6000", "--frames", "blocks:500:4", "--quiet",
               "--equilibration", "1000", "--melt-steps", "1000", "--log-every", "50", "--checkpoint", "0",
               "--seed", "3", "--engine", engine]  # fmt: skip
    whole, broken = tmp_path / "whole.gsd", tmp_path / "broken.gsd"
    assert simulate(*command, "-o", str(whole)).wait() == 0
    rng, kills = random.Random(5), 0

    def checkpoint():
        found = list(tmp_path.glob(".broken.gsd.*.partial/checkpoint.npz"))
        return found[0].stat().st_mtime_ns if found else None

    while not broken.exists():
        process = simulate(*command, "-o", str(broken))
        seen, left = checkpoint(), rng.randrange(1, 6)
        # Some checkpoints and a little later: how long a step takes on this machine does not matter.
        while kills < 4 and left and process.poll() is None:
            time.sleep(0.005)
            now = checkpoint()
            left, seen = left - (now != seen), now
        if kills < 4 and process.poll() is None:
            time.sleep(rng.uniform(0.0, 0.1))
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        assert process.wait() in (0, -signal.SIGKILL)
    print(f"{engine}: {kills} kills")
    assert kills >= 2

    def read(path):
        with pelplug.open_trajectory(path) as trajectory:
            steps = [state.step for state in trajectory]
            logs = [trajectory.log(k) for k in range(len(trajectory))]
            energies = [np.atleast_1d(log["pelplug/energies/step"]) for log in logs if "pelplug/energies/step" in log]
            return steps, np.concatenate(energies).tolist(), trajectory.model_record, sorted(logs[0])

    one, two = read(whole), read(broken)
    assert one == two
    assert len(set(two[0])) == len(two[0]) and len(set(two[1])) == len(two[1])
    assert not list(tmp_path.glob(".*.partial"))
