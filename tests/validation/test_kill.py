"""Simulations killed ten times by SIGKILL at random moments and taken up again, on the real engines.

    PELPLUG_HOOMD_PATH=... pytest -m validation tests/validation/test_kill.py -s

One replica, three in a row, and two at a time; blocks and logarithmic frames. Results:
docs/records/2026-11-21-killed-simulations.md.
"""

import os
import random
import signal
import subprocess
import sys
import time

import gsd.fl
import gsd.hoomd
import MDAnalysis
import numpy as np
import pytest

import pelplug

pytestmark = pytest.mark.validation

KILLS = 10
SEED = 3
# Stages are reported as they pass: what this does but for that is what `pelplug simulate` does.
PROGRAM = """
import json, sys
import pelplug, pelplug.engines.driver
pelplug.engines.driver._SECONDS = 0.05  # so that it tells more often
def tell(stage, done, total):
    print(stage, done, flush=True)
given = json.loads(sys.argv[1])
pelplug.simulate("kob-andersen", 100, 1.0, 3000, seed={seed}, melt_steps=600, longest_equilibration=4000, log_every=10,
                 checkpoint_seconds=0.2, progress=tell, **given)
"""
CASES = {
    "one": {"frames": "blocks:500:4"},
    "three-in-a-row": {"frames": "log:8", "replicas": 3},
    "two-at-a-time": {"frames": "blocks:500:4", "replicas": 2, "workers": 2},
}
ENGINES = ["lammps", pytest.param("hoomd", marks=pytest.mark.hoomd)]


def start(path, engine, case):
    import json

    given = json.dumps({"output": str(path), "engine": engine, **CASES[case]})
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(seed=SEED), given], stdout=subprocess.PIPE, text=True, bufsize=1
    )


def outputs(path, case):
    number = CASES[case].get("replicas", 1)
    return [path] if number == 1 else [path.with_name(f"{path.stem}-seed{SEED + k}.gsd") for k in range(number)]


def reported(process):
    """Yield (replica, stage, steps) as the program says them."""
    replica, before = 0, -1
    stages = ("melt", "cool", "equilibrate", "produce")
    for line in process.stdout:
        name, done = line.split()
        stage = stages.index(name)
        if stage < before:
            replica += 1
        before = stage
        yield replica, stage, int(done)


def timeline(path, engine, case):
    """Run to the end; return when each report came, from the first one on."""
    process = start(path, engine, case)
    found, begun = [], None
    for where in reported(process):
        begun = begun or time.monotonic()
        found.append((time.monotonic() - begun, where))
    assert process.wait() == 0
    return found


def killed_at_reports(path, engine, case, moments):
    """Kill at these moments, each so long after a report; finished replicas are not reported again."""
    stages, missed = [], 0
    for offset, where in moments:
        finished = sum(one.exists() for one in outputs(path, case))
        process = start(path, engine, case)
        for replica, *rest in reported(process):
            if (replica + finished, *rest) >= where:
                break
        time.sleep(offset)
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            stages.append(where[1:])
        else:
            missed += 1
        process.stdout.close()
        assert process.wait() in (0, -signal.SIGKILL)
    return stages, missed


def killed_at_checkpoints(path, engine, case, rng):
    """Kill the master after some checkpoints of its workers and a little later; workers have to end by themselves."""

    def checkpoints():
        return {(p, p.stat().st_mtime_ns) for p in path.parent.glob(f".{path.stem}-*.partial/checkpoint.npz")}

    kills = 0
    while kills < KILLS and not all(one.exists() for one in outputs(path, case)):
        process = start(path, engine, case)
        seen, left = checkpoints(), rng.randrange(1, 4)
        while left and process.poll() is None:
            time.sleep(0.005)
            try:
                now = checkpoints()
            except FileNotFoundError:  # renamed between the listing and the look
                continue
            left, seen = left - (now != seen), now
        time.sleep(rng.uniform(0.0, 0.1))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.stdout.close()
        process.wait()
    return kills


def contents(path):
    """Return steps, energies' steps, and the names, types and shapes of all that each frame has."""
    with gsd.hoomd.open(path) as file:
        steps = [int(frame.configuration.step) for frame in file]
        energies = np.concatenate([frame.log["pelplug/energies/step"] for frame in file])
    with gsd.fl.open(str(path), "r") as file:
        chunks = []
        for k in range(file.nframes):
            # What is as in the first frame, GSD does not write again: images may be so by chance.
            frame = dict(chunks[0]) if chunks else {}
            for name in sorted(file.find_matching_chunk_names("")):
                if file.chunk_exists(frame=k, name=name):
                    data = file.read_chunk(frame=k, name=name)
                    # How long the report of the equilibration is depends on when the liquid was found stationary.
                    frame[name] = (str(data.dtype), None if name.endswith("simulation") else data.shape)
            chunks.append(frame)
        return steps, energies.tolist(), chunks, (file.schema, file.schema_version, file.application)


def same_but_for_chance(whole, broken):
    one, two = contents(whole), contents(broken)
    assert one == two
    assert len(set(two[0])) == len(two[0]) and two[1] == list(range(0, 3001, 10))
    universe = MDAnalysis.Universe(str(broken))
    assert len(universe.trajectory) == len(two[0])
    assert all(np.isfinite(ts.positions).all() for ts in universe.trajectory)
    with pelplug.open_trajectory(whole) as a, pelplug.open_trajectory(broken) as b:
        assert a.model_record == b.model_record
        chance = "equilibration_report"
        assert {k: v for k, v in a.simulation_record.items() if k != chance} == {
            k: v for k, v in b.simulation_record.items() if k != chance
        }
        # Each frame goes with its own energies: none is of another part of the run.
        model = pelplug.model("kob-andersen")
        for k, state in enumerate(b):
            log = b.log(k)
            at = np.flatnonzero(np.atleast_1d(log["pelplug/energies/step"]) == state.step)
            if at.size:
                logged = np.atleast_1d(log["pelplug/energies/potential_energy"])[at[0]]
                assert model.potential(state).energy(state) == pytest.approx(logged, rel=1e-9)
            assert state.time == pytest.approx(state.step * model.time_step)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("case", CASES)
def test_killed_ten_times(engine, case, tmp_path):
    rng = random.Random(f"{engine} {case}")
    whole, broken = tmp_path / "whole.gsd", tmp_path / "broken.gsd"
    reports = timeline(whole, engine, case)
    if reports:
        moments = [rng.uniform(0.0, reports[-1][0]) for _ in range(KILLS - 1)]
        # One always after the last step: files are closed and renamed there.
        moments.append(reports[-1][0] + rng.uniform(0.0, 0.03))
        found = []
        for moment in sorted(moments):
            last = max(k for k, (when, _) in enumerate(reports) if when <= moment)
            found.append((moment - reports[last][0], reports[last][1]))
        stages, missed = killed_at_reports(broken, engine, case, found)
        kills = len(stages)
        print(f"\n{engine}, {case}: {kills} kills, {missed} too late; after (stage, steps): {stages}")
    else:
        kills = killed_at_checkpoints(broken, engine, case, rng)
        print(f"\n{engine}, {case}: {kills} kills of the master")
    process = start(broken, engine, case)
    process.communicate()
    assert process.returncode == 0
    assert kills >= KILLS - 1  # the one while files are closed may come too late
    for one, two in zip(outputs(whole, case), outputs(broken, case), strict=True):
        same_but_for_chance(one, two)
    assert sorted(tmp_path.iterdir()) == sorted(outputs(whole, case) + outputs(broken, case))
