"""The models of pelplug keep the contract of a model, one item a rule."""

from __future__ import annotations

import pytest
from oracles.metals import SHIPPED, needs_shipped

import pelplug
from pelplug.testing import Kit, parametrize_with_checks
from pelplug.testing.checks import every_check
from pelplug.testing.models import disordered

CUBIC = "its shifts are drawn in a cubic cell: a strained one has no energy"
KNOTS = "U'' of a table jumps at each of its knots by about 1e-5 of itself, and differences see it"
KITS = {
    "harmonic-spheres": {"parameters": {"dimension": 3}},
    "mari-kurchan": {
        "expected_failures": {
            "check_potential_strain_is_derivative": CUBIC,
            "check_potential_strain_curvature": CUBIC,
        }
    },
    "cu50zr50": {
        "expected_failures": {
            "check_potential_hessian_is_derivative": KNOTS,
            "check_potential_strain_curvature": KNOTS,
        }
    },
}
NEEDS = {"eam": False, "cu50zr50": (SHIPPED / "CuZr_mm.eam.fs").exists()}
CLASSES = [cls for cls in pelplug.models.BUNDLED if NEEDS.get(cls.name, True)]
ITEMS = [one for cls in CLASSES for one in parametrize_with_checks([cls], kit=Kit(**KITS.get(cls.name, {}))).args[1]]


@pytest.mark.parametrize("check", ITEMS)
def test_contract(check):
    check()


@needs_shipped
@pytest.mark.parametrize("rule", [name.replace("potential_", "") for name in KITS["cu50zr50"]["expected_failures"]])
def test_what_a_table_says_of_second_derivatives_is_right_to_its_knots(rule):
    model = pelplug.model("cu50zr50")
    state = disordered(model)
    every_check()[rule](model.potential(state), Kit(configuration=state, tolerance=0.3))
