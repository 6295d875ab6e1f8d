"""The forms of pelplug keep the contract of a form, one item a rule; models say with which parameters they are used."""

from __future__ import annotations

import pytest

import pelplug
from pelplug.potentials.forms import FORMS
from pelplug.testing import Kit, parametrize_with_checks

USED = {"inverse-power-law-smooth": "inverse-power-law", "sticky-spheres": "sticky-spheres",
        "soft-spheres-12": "polydisperse-soft-spheres"}  # fmt: skip


def items():
    for form in FORMS.values():
        kit = Kit()
        if form.name in USED:
            model = pelplug.model(USED[form.name])
            potential = model.potential(model.random_configuration(30, 1))
            parameters = {name: float(table[0, 0]) for name, table in potential.parameters.items()}
            kit = Kit(parameters={**parameters, "cutoff": float(potential.pair_cutoff[0, 0] / potential.sigma[0, 0])})
        yield from parametrize_with_checks([form], kit=kit).args[1]


@pytest.mark.parametrize("check", list(items()))
def test_contract(check):
    check()
