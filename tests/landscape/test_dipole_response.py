"""Responses to dipoles: M z = d, a pseudo-inverse, the decay in an elastic medium, rattlers, refusals."""

import itertools

import numpy as np
import pytest

import pelplug
from pelplug.landscape import LinearResponse, dipole_response, dipole_stiffness
from pelplug.testing.crystals import crystal


@pytest.fixture(scope="module")
def glass():
    model = pelplug.model("kob-andersen", truncation="smooth")
    start = model.random_configuration(150, 3)
    potential = model.potential(start)
    return pelplug.quench(start, potential).require_converged().configuration, potential


@pytest.mark.parametrize("solver", ["dense", "sparse", "cg"])
def test_it_is_the_force_that_it_answers(glass, solver):
    state, potential = glass
    response = LinearResponse(state, potential, solver=solver, pairs=5)
    stiffness = dipole_stiffness(response, 5)
    found = dipole_response(response, stiffness.i, stiffness.j, stiffness.unit)
    hessian = potential.hessian(state).toarray()
    inverse = np.linalg.pinv(hessian, rcond=1e-10, hermitian=True)
    for k, (field, forces) in enumerate(zip(found.fields, found.forces, strict=True)):
        assert np.linalg.norm(forces) == pytest.approx(1.0)
        i, j = found.i[k], found.j[k]
        assert forces[j] @ found.unit[k] > 0 > forces[i] @ found.unit[k]  # they push the two apart
        np.testing.assert_allclose(hessian @ field.ravel(), forces.ravel(), atol=1e-9)
        np.testing.assert_allclose(field.sum(axis=0), 0.0, atol=1e-10)
        np.testing.assert_allclose(field.ravel(), inverse @ forces.ravel(), atol=1e-9)
    np.testing.assert_allclose(found.kappa, stiffness.kappa_ij, rtol=1e-8)
    named = dipole_response(response, stiffness.j, stiffness.i)
    np.testing.assert_allclose(named.fields, found.fields, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "cells", "model"), [("triangular", 30, "kob-andersen-2d"), ("fcc", 9, "kob-andersen")]
)
def test_far_off_it_decays_as_in_an_elastic_medium(name, cells, model):
    """A point force moves a medium as r^-(d-2), two opposite ones as its derivative."""
    state = crystal(name, cells, density=1.2)
    d = state.dimension
    response = LinearResponse(state, pelplug.model(model, truncation="smooth").potential(state), solver="cg", pairs=1)
    one = np.argmin(response.pairs.distances)
    pair = response.pairs.i[one], response.pairs.j[one]
    field = dipole_response(response, *pair).fields[0]
    middle = state.positions[pair[0]] + 0.5 * response.pairs.vectors[one]
    fractional = (state.positions - middle) @ np.linalg.inv(state.cell)
    radius = np.linalg.norm((fractional - np.rint(fractional)) @ state.cell, axis=1)
    edges = np.geomspace(2.5, 0.4 * state.heights.min(), 5)
    shells = [(radius >= a) & (radius < b) for a, b in itertools.pairwise(edges)]
    size = [np.sqrt(np.mean(np.sum(field[shell] ** 2, axis=1))) for shell in shells]
    middle_radius = [np.exp(np.log(radius[shell]).mean()) for shell in shells]
    slope = np.polyfit(np.log(middle_radius), np.log(size), 1)[0]
    assert slope == pytest.approx(1 - d, abs=0.2)


def test_what_has_no_dipole_is_refused(glass):
    state, potential = glass
    response = LinearResponse(state, potential)
    far = int(np.argmax(np.linalg.norm((lambda f: f - np.rint(f))(state.fractional() - state.fractional()[0]), axis=1)))
    with pytest.raises(pelplug.InputError, match=r"have no dipole: they do not interact .* choose an interacting pair"):
        dipole_response(response, 0, far)
    with pytest.raises(pelplug.InputError, match="have no dipole"):
        dipole_response(response, 5, 5)


def test_rattlers_do_not_move():
    model = pelplug.model("harmonic-spheres", dimension=2, volume_fraction=0.86)
    start = model.random_configuration(60, 4)
    state = pelplug.quench(start, model.potential(start)).require_converged().configuration
    response = LinearResponse(state, model.potential(state))
    stiffness = dipole_stiffness(response)
    found = dipole_response(response, stiffness.i[0], stiffness.j[0])
    assert found.fields.shape == (1, 60, 2) and response.n_rattlers > 0
    assert (found.fields[0, response.rattlers] == 0).all()
    assert (np.linalg.norm(found.fields[0, ~response.rattlers], axis=1) > 0).all()
