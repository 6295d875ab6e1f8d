"""Kernels cached by one process and loaded by another are the right ones."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

import pelplug

MODELS = ("kob-andersen", "polydisperse-soft-spheres", "kob-andersen-2d")

SCRIPT = """
import sys, pelplug
for name in sys.argv[1:]:
    model = pelplug.model(name)
    state = model.random_configuration(40, 1)
    potential = model.potential(state)
    print(repr(potential.energy(state)), len(potential.pairs(state)))
"""


def run(cache, *models):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run([sys.executable, "-c", SCRIPT, *models], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_specialisations_cached_by_different_processes_do_not_mix(tmp_path):
    """numba numbers functions by process, so kernels of different processes may carry the same number."""
    apart = [line for name in MODELS for line in run(tmp_path, name)]
    assert len(set(apart)) == len(MODELS)
    assert run(tmp_path, *MODELS) == apart
    assert run(tmp_path, *reversed(MODELS)) == apart[::-1]


def test_forms_without_a_name_of_their_own_do_not_mix():
    def make(strength):
        def form(x, p):
            return strength * (1 - x) ** 2, -2 * strength * (1 - x), 2 * strength

        return form

    state = pelplug.Configuration([[0.0, 0.0], [0.5, 0.0]], [4.0, 4.0], ["A", "A"])
    for strength in (1.0, 3.0):
        potential = pelplug.PairPotential(
            pelplug.Form("parabola", make(strength), (), "s (1 - x)^2"), sigma=1.0, cutoff=1.0, parameters={}
        )
        energy, forces = potential.energy_forces(state)
        assert energy == pytest.approx(0.25 * strength)
        np.testing.assert_allclose(forces, [[-strength, 0.0], [strength, 0.0]])


TRUNCATED = """
import sys, numpy as np, pelplug
def parabola(x, p):
    return p[0] * (2 - x) ** 2, -2 * p[0] * (2 - x), 2 * p[0]
form = pelplug.Form("parabola", parabola, ("k",), "k (2 - x)^2")
state = pelplug.Configuration([[0.0, 0.0], [0.5, 0.0]], [4.0, 4.0], ["A", "A"])
for name in sys.argv[1:]:
    potential = pelplug.PairPotential(form, sigma=1.0, cutoff=1.5, parameters={"k": 3.0}, truncation=name)
    print(name, *potential.energy_forces(state)[1][0], potential.energy(state))
    kernel = potential._system(state).kernels.energy_forces
    print("compiled" if kernel.stats.cache_misses else "loaded", file=sys.stderr)
"""


def test_truncations_are_cached_by_what_they_close_over(tmp_path):
    """All of them are functions inside functions, of the same form: one of the user's script."""

    def run_truncated(*names):
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
        script = tmp_path / "script.py"
        script.write_text(TRUNCATED)
        done = subprocess.run([sys.executable, script, *names], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines(), done.stderr.split()

    names = ("shift", "shifted-force", "smooth", "cut")
    apart = [run_truncated(name) for name in names]
    assert [how for _, how in apart] == [["compiled"]] * 4
    files = sorted(pathlib.Path(tmp_path).rglob("*.nbc"))
    together, how = run_truncated(*reversed(names))
    assert how == ["loaded"] * 4 and sorted(pathlib.Path(tmp_path).rglob("*.nbc")) == files
    assert together == [lines[0] for lines, _ in reversed(apart)]
    values = {line.split()[0]: [float(value) for value in line.split()[1:]] for line in together}
    # u = 3 (2 - x)**2 at x = 0.5 with an end at 1.5, where u = 0.75, u' = -3, u'' = 6.
    assert values["cut"] == pytest.approx([-9.0, 0.0, 6.75])
    assert values["shift"] == pytest.approx([-9.0, 0.0, 6.0])
    assert values["shifted-force"] == pytest.approx([-6.0, 0.0, 3.0])
    c4 = -(6 - -3 / 1.5) / (8 * 1.5**2)
    c2 = (3 - 4 * c4 * 1.5**3) / (2 * 1.5)
    c0 = -0.75 - c2 * 1.5**2 - c4 * 1.5**4
    slope = -9.0 + 2 * c2 * 0.5 + 4 * c4 * 0.5**3
    assert values["smooth"] == pytest.approx([slope, 0.0, 6.75 + c0 + c2 * 0.25 + c4 * 0.0625])
