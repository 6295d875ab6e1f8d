"""Every model that comes with pelplug, in every truncation, dimension and rule of sizes, as a state for an engine."""

from __future__ import annotations

import functools
import itertools

import numpy as np

import pelplug
from oracles.metals import SHIPPED
from pelplug.engines.velocities import thermalised
from pelplug.host.functions import default_registry
from pelplug.potentials.forms import FORMS
from pelplug.potentials.truncations import TRUNCATIONS

_FILES = {"eam": "Al_zhou.eam.alloy"}
_SIZES = {"mari-kurchan": 100, "stillinger-weber": 216}  # of states that need not be large
_VARIED = ("truncation", "dimension", "sizes", "density")


def _variants():
    """Go through the models as ``pelplug models`` lists them, with every choice of what changes the function."""
    for name, kind in sorted(default_registry().models().items()):
        choices = {}
        for varied, spec in kind.parameter_specs().items():
            if varied in _VARIED and spec.choices:
                # Engines live in two and three dimensions.
                choices[varied] = [one for one in spec.choices if varied != "dimension" or one in (2, 3)]
        for values in itertools.product(*choices.values()):
            given = dict(zip(choices, values, strict=True))
            yield ", ".join([name, *map(str, values)]), name, given


CASES = {label: (name, given) for label, name, given in _variants()}
TEMPERATURE = 1e-3
# Numbers that each form may have, after the strength: those of its models or near them.
_NUMBERS = {
    "inverse-power-law": (9.0,),
    "inverse-power-law-smooth": (-1.11, 1.27, -0.5, 0.066),
    "soft-spheres-12": (-1.92, 2.11, -0.59),
    "sticky-spheres": (-106.99, -304.92, -939.39, 1190.71, -541.3, 85.87),
}
FORM_CASES = list(itertools.product(FORMS, TRUNCATIONS))


@functools.cache
def state_of(label):
    """Return model, state and potential of a case; nothing overlaps, and everything moves a little."""
    name, given = CASES[label]
    given = {**given, **({"file": str(SHIPPED / _FILES[name])} if name in _FILES else {})}
    model = pelplug.model(name, **given)
    two = (model.dimension or 3) == 2
    state = model.random_configuration(_SIZES.get(name, 225 if two else 400), 1, model.density or 0.7)
    return model, *eased(model, state)


def eased(model, state):
    """Return a state of the model without overlaps but with forces, everything moving a little, and its potential."""
    rested = pelplug.quench(state, model.potential(state), force_tolerance=0.05, max_evaluations=300).configuration
    step = 0.02 * (rested.volume / rested.n) ** (1 / rested.dimension)
    shaken = rested.positions + step * np.random.default_rng(3).standard_normal(rested.positions.shape)
    warm = TEMPERATURE * (1.0 if model.units.is_reduced else 1e6)
    moving = thermalised(rested.replace(positions=shaken).wrapped(), model, warm, 1).replace(step=0)
    return moving, model.potential(moving)


@functools.cache
def state_of_form(form, truncation):
    """Return model, state and potential of a mixture by a form and a truncation, as a user's file has them."""
    names = FORMS[form].parameters
    pairs = []
    for two, sigma, epsilon in (("AA", 1.0, 1.0), ("AB", 0.9, 1.4), ("BB", 0.85, 0.6)):
        numbers = dict(zip(names, (epsilon, *_NUMBERS.get(form, ())), strict=True))
        pairs.append({"species": list(two), "sigma": sigma, **numbers})
    definition = {
        "name": f"{form}, {truncation}", "form": form, "truncation": truncation, "dimension": 3, "species": ["A", "B"],
        "composition": {"A": 0.7, "B": 0.3}, "density": 1.0, "time_step": 0.002, "pair": pairs,
    }  # fmt: skip
    if not FORMS[form].ends:
        definition["cutoff"] = 1.7
    model = pelplug.models.UserModel(definition)
    return model, *eased(model, model.random_configuration(300, 2))


def assert_agree(found, exact, energy=1e-9, force=1e-9):
    """Compare energy and forces with those of the potential, relative to the energy and the largest force."""
    assert np.abs(exact[1]).max() > 1e-3  # where nothing pulls everything agrees
    assert abs(found[0] - exact[0]) <= energy * abs(exact[0])
    assert np.abs(found[1] - exact[1]).max() <= force * np.abs(exact[1]).max()
