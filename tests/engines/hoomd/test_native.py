"""What potentials answer to `native` is what HOOMD-blue then computes, for everything that comes with pelplug."""

import json

import pytest
from oracles.native_models import CASES, FORM_CASES, assert_agree, state_of, state_of_form

import pelplug
from pelplug.engines.engine import EquationsOfMotion
from pelplug.engines.hoomd.engine import HoomdEngine

pytestmark = pytest.mark.hoomd


def begin(model, state, route, **options):
    dynamics = EquationsOfMotion(options.pop("method", "nve"), 1e-4, **options)
    return HoomdEngine("cpu", route=route).session(state, model, dynamics, seed=1)


def errs_no_more_than_it_says(run, exact):
    energy, force = run.table_error
    found = run.energy_forces()
    assert abs(found[0] - exact[0]) <= energy + 1e-9 * abs(exact[0])
    assert abs(found[1] - exact[1]).max() <= force + 1e-9 * abs(exact[1]).max()
    return energy / abs(exact[0]), force / abs(exact[1]).max()


@pytest.mark.parametrize("label", CASES)
def test_every_model_by_its_kernel(label):
    model, state, potential = state_of(label)
    with begin(model, state, "kernel") as run:
        assert run.agreement is None and not run.own_forces
        assert_agree(run.energy_forces(), potential.energy_forces(state))


@pytest.mark.parametrize("label", CASES)
def test_every_model_natively(label):
    model, state, potential = state_of(label)
    exact, answer = potential.energy_forces(state), potential.native("hoomd")
    if answer is None:
        with pytest.raises(pelplug.InputError, match="no pair force of exactly this form"):
            begin(model, state, "native")
        return
    assert json.loads(json.dumps(answer)) == answer  # plain data
    with begin(model, state, "native") as run:
        assert run.route == f"native: hoomd.md.{answer['force']}"
        assert_agree(run.energy_forces(), exact)
        assert run.agreement[0] <= 1e-9 * abs(exact[0])


@pytest.mark.parametrize("label", CASES)
def test_every_model_by_a_table(label):
    model, state, potential = state_of(label)
    exact, answer = potential.energy_forces(state), potential.native("table")
    if answer is None:
        with pytest.raises(pelplug.InputError, match="A table serves a pair potential"):
            begin(model, state, "table")
        return
    assert json.loads(json.dumps(answer)) == answer
    with begin(model, state, "table") as run:
        stated = errs_no_more_than_it_says(run, exact)
        assert stated[0] < 1e-3 and run.route.startswith("table: hoomd.md.pair.Table, 20000 values")


@pytest.mark.parametrize(("form", "truncation"), FORM_CASES)
def test_every_form_in_every_truncation(form, truncation):
    model, state, potential = state_of_form(form, truncation)
    exact = potential.energy_forces(state)
    native = form == "lennard-jones" and truncation in ("cut", "shift")
    assert (potential.native("hoomd") is not None) == native
    with begin(model, state, "table") as run:
        errs_no_more_than_it_says(run, exact)
    if native:
        with begin(model, state, "native") as run:
            assert_agree(run.energy_forces(), exact)
