"""The models of pelplug keep the contract of a model, one item a rule."""

from __future__ import annotations

import pytest
from oracles.metals import SHIPPED, needs_shipped

import pelplug
from pelplug.testing import Kit, parametrize_with_checks
from pelplug.testing.checks import every_check
from pelplug.testing.models import disordered

NEEDS = {"eam": False, "cu50zr50": (SHIPPED / "CuZr_mm.eam.fs").exists()}
CLASSES = [cls for cls in pelplug.models.BUNDLED if NEEDS.get(cls.name, True)]


@parametrize_with_checks(CLASSES)
def test_contract(check):
    check()


@needs_shipped
@pytest.mark.parametrize("rule", ["check_hessian_is_derivative", "check_strain_curvature"])
def test_what_a_table_says_of_second_derivatives_is_right_to_its_knots(rule):
    model = pelplug.model("cu50zr50")
    state = disordered(model)
    every_check()[rule](model.potential(state), Kit(configuration=state, tolerance=0.3))
