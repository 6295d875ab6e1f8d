"""Which forms there are, and what they say of themselves; their functions are checked in tests/testing."""

import re
import sys

import numpy as np
import pytest

import pelplug
from pelplug.potentials import forms
from pelplug.potentials.forms import FORMS

TWICE = [form for form in FORMS.values() if form.squared is not None]


def test_the_forms_of_even_powers_are_given_twice():
    assert {form.name for form in TWICE} == {
        "lennard-jones",
        "inverse-power-law-smooth",
        "sticky-spheres",
        "soft-spheres-12",
    }


def test_a_file_dropped_into_the_room_is_a_form(tmp_path, monkeypatch):
    """Without a list, in the order of the files' names; a form that a file only imports is not found twice."""
    (tmp_path / "gaussian.py").write_text(
        "import math\nfrom pelplug.potentials.form import Form\n"
        "from pelplug.potentials.forms.lennard_jones import LENNARD_JONES as OTHER\n"
        "def gaussian(x, p):\n"
        "    u = p[0] * math.exp(-x * x)\n"
        "    return u, -2 * x * u, (4 * x * x - 2) * u\n"
        "GAUSSIAN = Form('gaussian', gaussian, ('epsilon',), 'epsilon exp(-x^2)')\n"
    )
    monkeypatch.setattr(forms, "__path__", [*forms.__path__, str(tmp_path)])
    found = forms._found()
    monkeypatch.delitem(sys.modules, "pelplug.potentials.forms.gaussian")
    assert list(found) == sorted([*FORMS, "gaussian"])
    state = pelplug.Configuration([[0.0, 0.0], [0.5, 0.0]], [9.0, 9.0], ["A", "A"])
    potential = pelplug.PairPotential(found["gaussian"], sigma=1.0, cutoff=3.0, parameters={"epsilon": 2.0})
    assert potential.energy(state) == pytest.approx(2.0 * np.exp(-0.25))


@pytest.mark.parametrize("form", FORMS.values(), ids=lambda form: form.name)
def test_every_form_says_where_it_comes_from(form):
    module = sys.modules[form.function.__module__]
    assert re.search(r"\((19|20)\d\d\)", module.__doc__) and form.function.__doc__.startswith("Return u, du/dx")
    assert form.expression is not None and form.repulsive == (form.name not in ("lennard-jones", "sticky-spheres"))
