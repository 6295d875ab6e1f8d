"""The checks of a model: its start, its potential, its record, its units, and what it refuses.

The model is built with the parameters of the kit, and looked at in the kit's configuration or in a start of its own.
"""

from __future__ import annotations

import json
import pickle
import re
import unittest
from collections.abc import Iterator

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.parameters import ParameterSpec
from pelplug.core.units import Units
from pelplug.errors import InputError
from pelplug.models import from_record
from pelplug.models.base import Model
from pelplug.testing import potential_symmetries, potentials  # noqa: F401 (whose checks are those of models too)
from pelplug.testing.checks import Check, check, every_check_of, require
from pelplug.testing.kit import Kit
from pelplug.testing.potential_declarations import same_physics
from pelplug.testing.states import tilted, without_overlaps

__all__ = ["disordered"]

_N = 60


def _built(cls: type[Model], kit) -> Model:
    return kit.once("model", lambda: cls(**kit.parameters))


def _start(cls: type[Model], kit) -> Configuration:
    """Return a state of the model."""

    def make() -> Configuration:
        return kit.configuration or _built(cls, kit).random_configuration(_N, kit.seed)

    try:
        return kit.once("state", make)
    except InputError as error:
        raise unittest.SkipTest(f"it has no state without parameters ({error}); give the kit some") from error


def disordered(model: Model, n: int = _N, seed: int = 0) -> Configuration:
    """Return a state of a model that is no lattice, in a tilted cell where the model allows one.

    Parameters
    ----------
    model : Model
    n : int
        Number of particles.
    seed : int
        Of the state.
    """
    state = model.random_configuration(n, seed)
    slanted = tilted(state, seed, tilt=0.2, rotate=False)
    try:
        model.check(slanted)
    except InputError:
        slanted = state
    return without_overlaps(slanted, model.potential(slanted), steps=30)


@check("model")
def check_model_declared(cls, kit):
    """Name, summary, formula, sources and numbers are declared as lists and files want them."""
    model = _built(cls, kit)
    for name in (cls.name, *cls.aliases):
        require(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name), f"{name!r} is not lower-case words joined by hyphens")
    require(cls.summary.strip() and "\n" not in cls.summary, "its summary is not one line")
    require(cls.formula.strip(), "it has no formula")
    require((cls.__doc__ or "").strip(), "it has no docstring")
    require(all(isinstance(one, str) and one for one in cls.cites), "cites is not a tuple of sources")
    require(isinstance(model.units, Units), "its units are no pelplug.Units")
    require(model.dimension is None or model.dimension in range(2, 9), f"its dimension is {model.dimension!r}")
    require(model.density is None or model.density > 0, f"its density is {model.density!r}")
    require(model.time_step is None or model.time_step > 0, f"its time step is {model.time_step!r}")
    require(json.dumps(model.constants), "its constants are not plain numbers and words")
    require(cls.name in model.describe(), "describe() does not say its name")


@check("model")
def check_model_start(cls, kit):
    """A start has the composition and density that it states, is drawn from its seed, and passes its own check."""
    model = _built(cls, kit)
    if model.dimension is None or model.density is None:
        return
    for n, arrangement in ((_N, "lattice"), (_N + 7, "random")):
        start = model.random_configuration(n, 3, arrangement=arrangement)
        require(start.n == n and start.dimension == model.dimension, f"a start of {n} particles is {start!r}")
        require(np.isclose(start.density, model.density), f"it has density {start.density}, not {model.density}")
        for species, fraction in (model.composition or {}).items():
            count = np.count_nonzero(start.species == species)
            require(abs(count - n * fraction) < 1, f"{count} of {n} are {species}, where it states {fraction}")
        known = not model.species or set(start.species_names) <= set(model.species)
        require(known, f"a start has the species {start.species_names}")
        again, other = (model.random_configuration(n, seed, arrangement=arrangement) for seed in (3, 4))
        same = np.array_equal(again.positions, start.positions) and np.array_equal(again.species, start.species)
        require(same, "the same seed gives another start")
        require(not np.array_equal(other.positions, start.positions), "another seed gives the same start")
        model.check(start)
        denser = model.random_configuration(n, 3, density=1.1 * model.density)
        require(np.isclose(denser.density, 1.1 * model.density), "density= is not the density of a start")


def _of_potential(one: Check):
    """Return a check of a model: that its potential keeps a rule of potentials."""

    def of_model(cls, kit):
        model = _built(cls, kit)

        _start(cls, kit)

        def make():
            state = kit.configuration or disordered(model, _N, kit.seed)
            return model.potential(state), Kit(configuration=state, tolerance=kit.tolerance, seed=kit.seed)

        potential, own = kit.once("potential", make)
        if not one.applies(potential):
            raise unittest.SkipTest("its potential does not declare what this looks at")
        one(potential, own)

    of_model.__name__ = f"check_potential_{one.name.removeprefix('check_')}"
    of_model.__doc__ = f"Of its potential: {one.rule}"
    return of_model


for _one in every_check_of("potential"):
    check("model")(_of_potential(_one))


@check("model")
def check_model_record(cls, kit):
    """From its record, in JSON, comes an equal model, and another one has another record."""
    model = _built(cls, kit)
    text = json.dumps(model.to_dict(), sort_keys=True, allow_nan=False)
    trusted = any(spec.may_be_file for spec in cls.parameter_specs().values())
    again = from_record(json.loads(text), classes=[cls], trust=trusted)
    stored = from_record(model.to_log(), classes=[cls], trust=trusted)
    require(stored == again, "to_log() is not the record in JSON")
    require(again == model and again.parameters == model.parameters, "the model that its record gives is another one")
    require(hash(again) == hash(model), "equal models have different hashes")
    state = _start(cls, kit)
    require(
        same_physics(model.potential(state), again.potential(state), state),
        "the model that its record gives has another potential",
    )
    for name, other in _changed(cls, model):
        require(other.to_dict() != model.to_dict(), f"with another {name} it has the same record")
        back = from_record(json.loads(json.dumps(other.to_dict())), classes=[cls], trust=trusted)
        require(back == other, f"with another {name} the model that its record gives is another one")


def _changed(cls: type[Model], model: Model) -> Iterator[tuple[str, Model]]:
    """Yield models that differ by one parameter, and which."""
    for name, spec in cls.parameter_specs().items():
        for value in _others(spec, model.parameters[name]):
            try:
                yield name, cls(**{**model.parameters, name: value})
                break
            except InputError:  # out of its range, or not with the others
                continue


def _others(spec: ParameterSpec, value) -> list:
    if spec.choices:
        return [choice for choice in spec.choices if choice != value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return []
    return (
        [value + 1]
        if isinstance(value, int)
        else [one for one in (1.03 * value, 0.97 * value, value + 1.0) if one != value]
    )


@check("model")
def check_model_record_of_potential(cls, kit):
    """Where a parameter changes the forces, it changes the record of the potential."""
    model, state = _built(cls, kit), _start(cls, kit)
    potential = model.potential(state)
    for name, other in _changed(cls, model):
        try:
            another = other.potential(state)
        except InputError:  # a state of the one may be none of the other
            continue
        if another.record() == potential.record():
            same = same_physics(potential, another, state)
            require(same, f"with another {name} the potential has other forces and the same record")


@check("model")
def check_model_pickles(cls, kit):
    """It pickles and is equal to its copy."""
    model = _built(cls, kit)
    try:
        copy = pickle.loads(pickle.dumps(model))
    except Exception as error:
        raise AssertionError(f"it cannot be pickled, so processes cannot share it: {error}") from error
    require(copy == model and copy.parameters == model.parameters, "a pickled copy is another model")


@check("model")
def check_model_masses(cls, kit):
    """Masses are positive, or asked for; a temperature is an energy."""
    model, state = _built(cls, kit), _start(cls, kit)
    require(model.boltzmann > 0 and model.mass_unit > 0, "k_B or the unit of mass is not positive")
    unknown = set(model.masses) - set(model.species) if model.species else set()
    require(not unknown, f"it has masses of {', '.join(sorted(unknown))}, which are none of its species")
    try:
        masses = model.masses_of(state.replace(masses=None))
    except InputError:
        require(not model.units.is_reduced, "in reduced units a mass is 1 where none is stated")
    else:
        require(np.shape(masses) == (state.n,) and np.all(masses > 0), "masses_of() is not a mass of each particle")


@check("model")
def check_model_refuses_states(cls, kit):
    """Another dimension, an unknown species, missing diameters and a box too small for a particle are refused."""
    model, state = _built(cls, kit), _start(cls, kit)
    strangers = {"a state without diameters": state.replace(diameters=None)} if model.needs_diameters else {}
    if model.dimension is not None:
        d = model.dimension + (1 if model.dimension < 8 else -1)
        edge = float(state.volume) ** (1 / state.dimension)
        positions = np.random.default_rng(kit.seed).uniform(0, edge, (state.n, d))
        other = Configuration(positions, np.full(d, edge), state.species, diameters=state.diameters)
        strangers[f"a state in {d} dimensions"] = other
    if model.species:
        strangers["an unknown species"] = state.replace(species=np.full(state.n, "unheard-of"))
    if model.largest_size > 0:
        small = 0.9 * model.largest_size / float(state.heights.min())
        strangers["a box too small for a particle"] = state.replace(
            positions=small * state.positions, cell=small * state.cell
        )
    for what, stranger in strangers.items():
        try:
            model.potential(stranger)
        except InputError:
            continue
        raise AssertionError(f"{what} is not refused: call super().check(configuration)")


@check("model", when=lambda cls: "truncation" in cls.parameter_specs())
def check_model_truncations(cls, kit):
    """With each truncation U, U' or U'' end at the cutoff as it says."""
    spec = cls.parameter_specs()["truncation"]
    for truncation, smooth in (("shift", 1), ("shifted-force", 2), ("smooth", 3)):
        if truncation not in (spec.choices or ()):
            continue
        model = cls(**{**kit.parameters, "truncation": truncation})
        d = model.dimension or 3
        for a, b in {(a, b) for a in model.species for b in model.species if a <= b}:
            ends = _pair_at_its_cutoff(model, a, b, d)
            require(ends is not None, f"with {truncation} a pair {a}{b} is not felt at any distance")
            near, inside = ends
            left = np.abs(near[:smooth]) / (np.abs(inside[:smooth]) + 1e-300)
            require(np.all(left < 1e-4), f"with {truncation} U, U', ... of {a}{b} end at {near}")


def _pair_at_its_cutoff(model: Model, a: str, b: str, d: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return U, U', U'' of a pair just within its cutoff, and well within."""
    cell = np.full(d, 6.0 * (model.largest_size or 1.0))
    pair = Configuration(np.zeros((2, d)), cell, [a, b])

    def at(distance: float):
        positions = np.zeros((2, d))
        positions[1, 0] = distance
        state = pair.replace(positions=positions)
        potential = model.potential(state)
        found = potential.pairs(state)
        return potential, state, found

    close = 0.9 * (model.largest_size or 1.0)
    potential, state, found = at(close)
    if len(found) != 1:
        return None
    numbers = np.array([potential.energy(state), found.first[0], found.second[0]])
    cutoff = close + float(found.gap[0])
    potential, state, found = at(cutoff * (1 - 1e-7))
    return np.array([potential.energy(state), found.first[0], found.second[0]]), numbers
