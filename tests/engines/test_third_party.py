"""An engine that imports nothing but ``pelplug`` does all that a bundled one does."""

import ast
import itertools
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from oracles.installed import SOURCES, install

import pelplug
from pelplug.host.registry import Registry
from pelplug.testing import states

ENGINE = SOURCES / "pelplug_verlet" / "engine.py"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the engine's distribution, as an environment variable has it."""
    folder = tmp_path_factory.mktemp("site")
    install(folder, verlet="1.0")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))}


@pytest.fixture(scope="module")
def registry():
    """The registry of a process in which it is installed."""
    sys.path.insert(0, str(SOURCES))
    try:
        import pelplug_verlet
    finally:
        sys.path.remove(str(SOURCES))
    found = Registry(third_party=False)
    assert found.register(pelplug_verlet, "verlet").error is None
    return found


@pytest.fixture(scope="module")
def model():
    return pelplug.model("kob-andersen", truncation="smooth", cutoff=1.8)


@pytest.fixture(scope="module")
def liquid(model):
    start = model.random_configuration(80, 3)
    return pelplug.thermalised(states.without_overlaps(start, model.potential(start)), model, 1.0, 5).replace(step=0)


def command(site, folder, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "pelplug", *map(str, arguments)], capture_output=True, text=True, env=site, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_has_sixty_lines_and_imports_the_public_face_alone():
    assert len(ENGINE.read_text().splitlines()) <= 60
    names = [
        alias.name
        for file in ENGINE.parent.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in (node.names if isinstance(node, ast.Import) else [ast.alias(node.module)])
    ]
    assert {name.partition(".")[0] for name in names} == {"numpy", "pelplug", "pelplug_verlet"}
    assert "pelplug" in names and not [name for name in names if name.startswith("pelplug.")]


def test_it_is_listed(site, tmp_path):
    rows = [line.split() for line in command(site, tmp_path, "engines").splitlines() if line.strip()]
    assert ["verlet", "ready", "cpu"] in [row[:3] for row in rows]


def accelerations(model, start):
    """Forces in plain numpy, of the Lennard-Jones tables that Kob and Andersen printed."""
    epsilon, sigma = np.array([[1.0, 1.5], [1.5, 0.5]]), np.array([[1.0, 0.8], [0.8, 0.88]])
    kind = (start.species == "B").astype(int)
    i, j = np.triu_indices(start.n, 1)
    e, s = epsilon[kind[i], kind[j]], sigma[kind[i], kind[j]]
    c = 1.8  # the tail c0 + c2 x^2 + c4 x^4 makes U, U', U'' vanish there
    rows = [[1, c**2, c**4], [0, 2 * c, 4 * c**3], [0, 2, 12 * c**2]]
    u, du, ddu = 4 * (c**-12 - c**-6), 4 * (-12 * c**-13 + 6 * c**-7), 4 * (156 * c**-14 - 42 * c**-8)
    _, c2, c4 = np.linalg.solve(rows, [-u, -du, -ddu])

    def forces(x):
        r = x[j] - x[i]
        r -= start.cell[0, 0] * np.rint(r / start.cell[0, 0])
        length = np.sqrt(np.sum(r**2, axis=1))
        q = length / s
        slope = e / s * (4 * (-12 * q**-13 + 6 * q**-7) + 2 * c2 * q + 4 * c4 * q**3) * (q < c)
        pull = (slope / length)[:, None] * r
        out = np.zeros_like(x)
        np.add.at(out, i, pull)
        np.add.at(out, j, -pull)
        return out

    return forces


def test_its_trajectory_is_that_of_another_integrator(registry, model, liquid, tmp_path):
    """Stoermer's form of the same algorithm, on forces in plain numpy: equal but for the growth of rounding."""
    dt, steps = 0.004, 200
    pelplug.simulate(
        model, temperature=1.0, steps=steps, engine="verlet", ensemble="nve", start=liquid, equilibration=0,
        frames=50, time_step=dt, output=tmp_path / "a.gsd", registry=registry,
    )  # fmt: skip
    forces = accelerations(model, liquid)
    before = np.array(liquid.positions)
    now = before + dt * liquid.velocities + 0.5 * dt**2 * forces(before)
    path = [before, now]
    for _ in range(steps - 1):
        path.append(2 * path[-1] - path[-2] + dt**2 * forces(path[-1]))
    with pelplug.open_trajectory(tmp_path / "a.gsd") as trajectory:
        assert [state.step for state in trajectory] == [0, 50, 100, 150, 200]
        first = trajectory[0].unwrapped_positions()
        for state in trajectory:  # in single precision, as GSD files are
            moved = state.unwrapped_positions() - first
            np.testing.assert_allclose(moved, path[state.step] - path[0], atol=2e-6)
    engine = registry.engines()["verlet"]()
    with engine.session(liquid, model, pelplug.EquationsOfMotion("nve", dt), seed=0) as session:
        session.run(steps)
        assert np.abs(session.configuration().positions - path[-1]).max() < 1e-9
    assert np.linalg.norm(path[-1] - before, axis=1).mean() > 0.2


def test_its_energy_is_conserved_to_second_order(registry, model, liquid):
    engine, spreads = registry.engines()["verlet"](), []
    for dt in (0.004, 0.002, 0.001):
        with engine.session(liquid, model, pelplug.EquationsOfMotion("nve", dt), seed=0, log_every=1) as session:
            log = session.run(round(1.0 / dt))
        total = log.potential_energy + 1.5 * (liquid.n - 1) * log.kinetic_temperature
        spreads.append(np.std(total))
    ratios = [one / other for one, other in itertools.pairwise(spreads)]
    assert ratios == pytest.approx([4.0, 4.0], rel=0.15)


def test_it_runs_the_whole_protocol(registry, tmp_path):
    result = pelplug.simulate(
        "kob-andersen", 155, 2.0, 200, engine="verlet", output=tmp_path / "a.gsd", melt_steps=100, equilibration=100,
        log_every=10, registry=registry,
    )  # fmt: skip
    assert result.record["engine"] == "verlet" and result.record["route"] == "kernel: pelplug"
    with pelplug.open_trajectory(tmp_path / "a.gsd") as trajectory:
        logged = [trajectory.log(frame)["pelplug/energies/step"] for frame in range(len(trajectory))]
    assert np.concatenate(logged).tolist() == list(range(0, 201, 10))
    last = pelplug.read_configuration(tmp_path / "a.gsd")
    assert pelplug.kinetic_temperature(last, pelplug.model("kob-andersen")) == pytest.approx(2.0, rel=1e-5)


def test_analyses_look_on_while_it_runs(registry, model, liquid, tmp_path):
    path = tmp_path / "a.gsd"
    result = pelplug.simulate(
        model, temperature=1.0, steps=200, engine="verlet", start=liquid, equilibration=0, frames=50, log_every=5,
        output=path, registry=registry, in_situ=("inherent-structures", "msed"), in_situ_every=50,
        in_situ_parameters={"force_tolerance": 1e-8, "resamples": 100},
    )  # fmt: skip
    inside = result.datasets["inherent-structures"]
    after = pelplug.analyze("inherent-structures", path, force_tolerance=1e-8)
    assert inside.step.values.tolist() == [0, 50, 100, 150, 200]
    np.testing.assert_allclose(inside.initial_energy, after.initial_energy, rtol=1e-6)
    assert "41 entries" in result.datasets["msed"].attrs["series"]


def test_isoconfigurational_runs_and_propensity(site, registry, model, liquid, tmp_path):
    """At short times <dr^2> = d T t^2 / m; together or one by one the runs are the same."""
    given = {"replicas": 6, "seed": 2, "engine": "verlet", "time_step": 1e-4, "registry": registry}
    runs = pelplug.isoconfigurational(liquid, model, 0.7, [2e-3], **given)
    apart = pelplug.isoconfigurational(liquid, model, 0.7, [2e-3], together=False, **given)
    np.testing.assert_allclose(runs.displacements, apart.displacements, atol=1e-12)
    squared = np.sum(runs.displacements**2, axis=-1).mean()
    assert squared == pytest.approx(3 * 0.7 * 4e-6 * (1 - 1 / liquid.n), rel=0.02)
    assert runs.engine == "verlet"
    # The analysis takes it by its name, in a program of its own.
    pelplug.write_trajectory(tmp_path / "a.gsd", [liquid], model_record=model.to_dict())
    command(
        site, tmp_path, "analyze", "--plugin", "propensity", "a.gsd", "--engine", "verlet", "--replicas", 3,
        "--duration", 0.05, "--velocity-temperature", 0.7, "-o", "p.nc",
    )  # fmt: skip
    result = pelplug.read_results(tmp_path / "p.nc")["propensity"]
    assert np.all(result.propensity > 0) and str(result.route.values[0]) == "verlet: kernel: pelplug"


def test_a_killed_run_goes_on(site, registry, model, liquid, tmp_path):
    """Killed at any moment, again and again, it ends as one that was left alone."""
    pelplug.write_trajectory(tmp_path / "start.gsd", [liquid], model_record=model.to_dict())
    asked = (
        "kob-andersen --start start.gsd --model-param truncation=smooth --model-param cutoff=1.8 --engine verlet "
        "--quiet --ensemble nve --steps 1000 --time-step 0.001 --frames 50 --equilibration 0 --log-every 10"
    )
    arguments = [sys.executable, "-m", "pelplug", "simulate", *asked.split(), "--checkpoint", "0", "-o"]
    pelplug.simulate(
        model, steps=1000, engine="verlet", ensemble="nve", start=tmp_path / "start.gsd", equilibration=0, frames=50,
        time_step=0.001, log_every=10, output=tmp_path / "whole.gsd", registry=registry,
    )  # fmt: skip
    kills = 0
    while not (tmp_path / "broken.gsd").exists() and kills < 2:
        run = subprocess.Popen([*arguments, "broken.gsd"], env=site, cwd=tmp_path)
        before = {file: file.stat().st_mtime_ns for file in checkpoints(tmp_path)}
        while run.poll() is None and before == {file: file.stat().st_mtime_ns for file in checkpoints(tmp_path)}:
            time.sleep(0.01)
        time.sleep(0.05)
        if run.poll() is None:
            run.send_signal(signal.SIGKILL)
            kills += 1
        run.wait()
    subprocess.run([*arguments, "broken.gsd"], check=True, env=site, cwd=tmp_path)
    assert kills
    with (
        pelplug.open_trajectory(tmp_path / "whole.gsd") as one,
        pelplug.open_trajectory(tmp_path / "broken.gsd") as two,
    ):
        assert [state.step for state in one] == [state.step for state in two] == list(range(0, 1001, 50))
        np.testing.assert_allclose(two[-1].unwrapped_positions(), one[-1].unwrapped_positions(), atol=1e-5)
    assert not list(tmp_path.glob(".*.partial"))


def checkpoints(folder: pathlib.Path):
    return [file for file in folder.glob(".broken.gsd.*.partial/checkpoint.npz") if file.exists()]
