"""Functional forms given twice, by x and by its square, are the same function."""

import numpy as np
import pytest

from pelplug.potentials.forms import FORMS

TWICE = [form for form in FORMS.values() if form.squared is not None]


@pytest.mark.parametrize("form", TWICE, ids=lambda form: form.name)
def test_a_form_by_the_square_is_the_form(form):
    rng = np.random.default_rng(0)
    for x in rng.uniform(0.7, 2.5, size=200):
        p = rng.normal(size=len(form.parameters))
        u, du, _ = form.function(x, p)
        energy, pull = form.squared(x * x, p)
        size = float(np.abs(p).max()) * 100 * (1 + x**-14)
        assert energy == pytest.approx(u, rel=1e-13, abs=1e-13 * size)
        assert pull == pytest.approx(du / x, rel=1e-13, abs=1e-13 * size)
        step = 1e-6  # and its derivative is that of its energy
        slope = (form.squared(x * x + step, p)[0] - form.squared(x * x - step, p)[0]) / (2 * step)
        if abs(x - 2 ** (1 / 6)) > 1e-3:  # where sticky spheres of random numbers have a jump
            assert pull == pytest.approx(2 * slope, rel=1e-6, abs=1e-6 * size)


def test_the_forms_of_even_powers_are_given_twice():
    assert {form.name for form in TWICE} == {
        "lennard-jones",
        "inverse-power-law-smooth",
        "sticky-spheres",
        "soft-spheres-12",
    }
