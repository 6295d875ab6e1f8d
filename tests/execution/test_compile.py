"""Kernels cached by one process and loaded by another are the right ones."""

import os
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


def test_a_form_without_a_name_of_its_own_is_compiled_but_not_cached():
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
