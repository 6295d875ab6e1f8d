"""The rules of an analysis, an item each, and what is known of crystals."""

import pytest
from pelplug_bond_order import bond_order

from pelplug.testing import Kit, crystal, parametrize_with_checks


@parametrize_with_checks([bond_order], kit=Kit(tolerance=1e-5))  # freud computes in single precision
def test_contract(check):
    check()


@pytest.mark.parametrize(("name", "q6"), [("fcc", 13 / 512**0.5), ("sc", 1 / 8**0.5)])
def test_first_shell_of_a_crystal(name, q6):
    assert bond_order(crystal(name, 4, spacing=1.0), r_max=1.2)["q6"] == pytest.approx(q6, abs=1e-5)
