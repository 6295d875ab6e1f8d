"""A third party's potential of energy and forces only gives what the built-in form gives, with errors that hold."""

import ast
import json
import sys

import numpy as np
import pytest
from oracles.installed import SOURCES

import pelplug

sys.path.insert(0, str(SOURCES))
from pelplug_calculator import Calculator

sys.path.remove(str(SOURCES))

MODEL = pelplug.model("kob-andersen", truncation="smooth")


def glass(n, seed=1):
    start = MODEL.random_configuration(n, np.random.default_rng(seed))
    return pelplug.quench(start, MODEL.potential(start)).require_converged().configuration.wrapped()


@pytest.fixture(scope="module")
def state():
    return glass(500)


def test_the_package_is_small_and_imports_only_pelplug():
    tree = ast.parse((SOURCES / "pelplug_calculator" / "__init__.py").read_text())
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert imported == {"numpy", "pelplug"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    (method,) = [node for node in ast.walk(tree) if getattr(node, "name", "") == "energy_forces"]
    assert method.end_lineno - method.lineno <= 20
    assert Calculator.capabilities == pelplug.Capability(0)


def test_its_function_is_that_of_the_built_in_form(state):
    energy, forces = MODEL.potential(state).energy_forces(state)
    found = Calculator().energy_forces(state)
    assert found[0] == pytest.approx(energy, rel=1e-13)
    np.testing.assert_allclose(found[1], forces, atol=1e-11)


def test_kappa_moduli_and_softest_mode_of_500(state):
    built_in, calculator = MODEL.potential(state), Calculator()
    exact, response = pelplug.LinearResponse(state, built_in), pelplug.LinearResponse(state, calculator)
    assert len(response.pairs) == len(exact.pairs)
    assert set(zip(response.pairs.i, response.pairs.j, strict=True)) == set(
        zip(exact.pairs.i, exact.pairs.j, strict=True)
    )
    kappa, true_kappa = pelplug.dipole_stiffness(response), pelplug.dipole_stiffness(exact)
    mean = abs(kappa.mean / true_kappa.mean - 1.0)
    of_each = np.abs(kappa.kappa_i / true_kappa.kappa_i - 1.0).max()
    assert mean < 1e-5 and of_each < 1e-4
    assert mean < kappa.errors["kappa_mean"] < 1e-5 and of_each < kappa.errors["kappa_i"] < 1e-4
    shear, true_shear = pelplug.shear_modulus(response), pelplug.shear_modulus(exact)
    off = np.abs(shear.values - true_shear.values)
    assert np.all(off < 1e-6 * true_shear.mean) and np.all(off < shear.errors) and shear.errors.max() < 1e-5
    constants, true_constants = pelplug.elastic_constants(response), pelplug.elastic_constants(exact)
    errors = response.potential.found()["errors"]
    size = np.abs(true_constants.green_lagrange).max()
    off = np.abs(constants.green_lagrange - true_constants.green_lagrange).max()
    assert constants.origin == "differences" and off < errors["elastic_constants"] * size < 1e-5 * size
    logarithms, true_logarithms = (pelplug.log_frequency_sum(one, np.ones(state.n)) for one in (response, exact))
    off = abs(logarithms - true_logarithms) / response.n_modes
    assert off < response.potential.found()["errors"]["geometric_mean_frequency"] < 1e-5
    field, true_field = (pelplug.dipole_response(one, kappa.i[:3], kappa.j[:3]).fields for one in (response, exact))
    off = np.linalg.norm(field - true_field) / np.linalg.norm(true_field)
    assert off < response.potential.found()["errors"]["response_field"] < 1e-4
    modes = pelplug.soft_modes(response, kappa, 4)
    true_modes = pelplug.soft_modes(exact, true_kappa, 4)
    stated = response.potential.found()["errors"]["softest_mode"]
    assert abs(modes.stiffness[0] / true_modes.stiffness[0] - 1.0) < stated < 1e-4
    print(f"kappa {mean:.1e} ({kappa.errors['kappa_mean']:.1e} stated), G {off / size:.1e}, softest mode {stated:.1e}")


def test_quench_of_500(state):
    rng = np.random.default_rng(3)
    moved = state.replace(positions=state.positions + rng.normal(scale=0.02, size=state.positions.shape))
    end = pelplug.quench(moved, Calculator(), "cg", force_tolerance=1e-8).require_converged()
    expected = pelplug.quench(moved, MODEL.potential(state), "cg", force_tolerance=1e-8).require_converged()
    assert end.energy == pytest.approx(expected.energy, abs=1e-9)
    np.testing.assert_allclose(end.configuration.positions, expected.configuration.positions, atol=1e-6)


def test_analyses_record_what_was_measured(tmp_path):
    """The commands' own way, of a smaller glass: kappa and vibrations, and what they say of their derivatives."""
    state = glass(200, 2)
    file = tmp_path / "glass.nc"
    pelplug.write_trajectory(file, [state.replace(step=0)])
    for name, value, error in (("kappa", "kappa_mean", "kappa_mean"), ("vibrations", "omega", "softest_mode")):
        found = pelplug.analyze(name, file, potential=Calculator())
        exact = pelplug.analyze(name, file, model=MODEL)
        off = np.abs(found[value].values / exact[value].values - 1.0)
        derivatives = json.loads(found.attrs["derivatives"])
        assert derivatives["method"]["method"] == "differences of forces"
        (frame,) = derivatives["frames"].values()
        assert (
            frame["pairs"] == "central" and max(frame[k] for k in ("asymmetry", "acoustic_sum", "second_step")) < 1e-7
        )
        assert off.flat[0] < frame["errors"][error] < 1e-4
        assert off.max() < 1e-5
        np.testing.assert_allclose(found["shear_modulus"], exact["shear_modulus"], rtol=1e-6)
        assert "derivatives" not in exact.attrs
