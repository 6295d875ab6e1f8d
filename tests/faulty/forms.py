"""Forms with one fault each."""

import dataclasses

import pelplug
from faulty import Faulty
from pelplug.potentials.forms.lennard_jones import LENNARD_JONES


def bell(x, p):
    """Return u, du/dx, d2u/dx2 of k (1 - x^2)^4."""
    left = 1.0 - x * x
    return p[0] * left**4, -8.0 * p[0] * x * left**3, -8.0 * p[0] * left**3 + 48.0 * p[0] * x * x * left**2


def bell_squared(s, p):
    left = 1.0 - s
    return p[0] * left**4, -8.0 * p[0] * left**3


GOOD = pelplug.Form(
    "bell", bell, ("k",), "k (1 - x^2)^4", cutoff=1.0, squared=bell_squared, expression="p[0]*(1-x^2)^4", repulsive=True
)


def twice_curved(x, p):
    """u'' is twice what it should be."""
    u, du, ddu = bell(x, p)
    return u, du, 2.0 * ddu


def squared_of_another(s, p):
    u, w = bell_squared(s, p)
    return u, 0.5 * w


def spelled(x, p):
    """What no compiler takes."""
    return bell(float(repr(float(x))), p)


def shy(x, p):
    """It has nothing to say of close pairs."""
    if x < 0.35:
        raise ValueError("too close")
    return bell(x, p)


def infinite(p, cutoff):
    return (float("inf"),)


IN_A_POTENTIAL = ("check_form_compiles", "check_form_in_potential")
NEITHER = {"squared": None, "expression": None}
# What is changed of the right one, the check that finds it, its words, and those that cannot but fail too.
CHANGES = [
    ({"function": twice_curved}, "check_form_derivatives", "ddu", *IN_A_POTENTIAL),
    ({"squared": squared_of_another}, "check_form_squared", "squared gives", *IN_A_POTENTIAL),
    ({"expression": "p[0]*(1-x^2)^3"}, "check_form_expression", "expression gives", *IN_A_POTENTIAL),
    ({"cutoff": 0.8}, "check_form_ends", "where it is to end"),
    ({"constants": infinite, "adds": 1}, "check_form_constants", "not all its constants are finite"),
    ({"function": spelled, **NEITHER}, "check_form_compiles", "string to float"),
    ({"constants": lambda p, cutoff: ()}, "check_form_pickles", "cannot be pickled"),
    ({"name": "My Bell"}, "check_form_describes_itself", "lower-case words"),
    ({"function": shy, **NEITHER}, "check_form_in_potential", "too close", "check_form_compiles"),
]
FAULTY = [
    *(
        Faulty(dataclasses.replace(GOOD, **changes), check, words, also=also)
        for changes, check, words, *also in CHANGES
    ),
    Faulty(dataclasses.replace(LENNARD_JONES, repulsive=True), "check_form_repels", "it attracts"),
]
