"""Derivatives by strain from energies and forces against analytic ones, with errors that hold."""

import numpy as np
import pytest
from oracles.forces_only import Only

import pelplug
from pelplug.testing import states


@pytest.mark.parametrize("minimum", [False, True])
@pytest.mark.parametrize("tilted", [False, True])
@pytest.mark.parametrize(
    ("name", "n", "parameters"),
    [
        ("kob-andersen", 200, {"truncation": "smooth"}),
        ("kob-andersen", 20, {"truncation": "smooth"}),
        ("kob-andersen-2d", 60, {"truncation": "smooth"}),
        ("stillinger-weber", 64, {}),
        ("inverse-power-law", 100, {}),
    ],
)
def test_all_of_them(name, n, parameters, tilted, minimum):
    model = pelplug.model(name, **parameters)
    state = model.random_configuration(n, n)
    state = states.tilted(state, rng=2) if tilted else state
    potential = model.potential(state)
    if minimum:
        state = pelplug.quench(state, potential, force_tolerance=1e-8).require_converged().configuration
    else:
        state = states.without_overlaps(state, potential)
    made = pelplug.FromForces(Only(potential))
    found, exact = made.strain_derivatives(state), potential.strain_derivatives(state)
    assert found.planes == exact.planes and found.errors == made.found()["strain_errors"]
    for of, names in {"first": ["first"], "second": ["second", "curvature"], "mixed": ["mixed", "coupling"]}.items():
        for variable in names:
            given, true = getattr(found, variable), getattr(exact, variable)
            off = np.abs(given - true)
            off = np.linalg.norm(off, axis=1).max() if of == "mixed" else off.max()
            assert off <= 3.0 * found.errors[of]  # what is stated with moduli is three times these
    assert found.errors["first"] < 1e-6 * np.linalg.norm(exact.curvature)
    assert found.errors["second"] < 1e-5 * np.linalg.norm(exact.curvature)
    possible = np.linalg.norm(exact.curvature) / np.sqrt(n)  # crystals have none
    assert found.errors["mixed"] < 1e-5 * max(np.linalg.norm(exact.coupling), possible)
    np.testing.assert_allclose(
        made.stress(state), potential.stress(state), atol=1e-6 * np.abs(potential.stress(state)).max()
    )


def test_eight_dimensions():
    model = pelplug.model("harmonic-spheres", dimension=8)
    state = model.random_configuration(12, 1)
    potential = model.potential(state)
    state = states.without_overlaps(state, potential)
    made = pelplug.FromForces(Only(potential))
    found, exact = made.strain_derivatives(state), potential.strain_derivatives(state)
    size = np.linalg.norm(exact.curvature)
    assert np.abs(found.curvature - exact.curvature).max() < 3.0 * found.errors["second"] < 1e-3 * size
    off = np.linalg.norm(found.coupling - exact.coupling, axis=1).max()
    assert off < 3.0 * found.errors["mixed"] < 1e-3 * np.linalg.norm(exact.coupling)


def test_an_energy_that_jumps_is_refused_with_the_remedy():
    form = pelplug.model("kob-andersen").potential(pelplug.model("kob-andersen").random_configuration(200, 1)).form
    cut = pelplug.PairPotential(
        form, species=("A", "B"), sigma=[[1, 0.8], [0.8, 0.88]], cutoff=[[2.5, 2.0], [2.0, 2.2]],
        parameters={"epsilon": [[1.0, 1.5], [1.5, 0.5]]}, truncation="cut",
    )  # fmt: skip
    state = states.without_overlaps(pelplug.model("kob-andersen").random_configuration(200, 1), cut)
    made = pelplug.FromForces(Only(cut))
    assert made.hessian(state).shape == (600, 600)  # forces are right all the same
    with pytest.raises(pelplug.InputError, match=r"continuous where a particle crosses a cutoff.*declare STRAIN"):
        made.strain_derivatives(state)
