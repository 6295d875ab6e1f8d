"""The checks of a potential that do not look at its numbers: what it declares and records, and what it refuses."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.units import Units
from pelplug.errors import InputError
from pelplug.potentials.base import Capability, Potential
from pelplug.testing.checks import check, require
from pelplug.testing.potentials import spacing_of, state_of

__all__ = ["same_physics"]

_METHODS = {
    Capability.HESSIAN: "hessian",
    Capability.PAIRS: "pairs",
    Capability.STRAIN: "strain_derivatives",
    Capability.EVALUATOR: "evaluator",
    Capability.CONSTRAINTS: "constraints",
}


@check("potential")
def check_capabilities(potential, kit):
    """What is declared can be asked, and what can be asked is declared."""
    state = state_of(potential, kit)
    require(isinstance(potential.capabilities, Capability), "capabilities are no pelplug.Capability")
    for capability, method in _METHODS.items():
        own = getattr(type(potential), method) is not getattr(Potential, method)
        if potential.can(capability):
            require(own, f"it declares {capability.name} and has no {method}() of its own")
            getattr(potential, method)(state)
        elif own and capability is not Capability.EVALUATOR:  # which everything has
            try:
                getattr(potential, method)(state)
            except InputError:  # it only passes the question on
                continue
            raise AssertionError(f"it has {method}() and does not declare {capability.name}")


@check("potential")
def check_describes_itself(potential, kit):
    """It has a docstring, units, a cutoff or None, and sizes and ranges of every particle or None."""
    state = state_of(potential, kit)
    require((type(potential).__doc__ or "").strip(), f"{type(potential).__name__} has no docstring")
    require(isinstance(potential.units, Units), "its units are no pelplug.Units")
    cutoff = potential.cutoff
    require(cutoff is None or cutoff > 0, f"the cutoff is {cutoff!r}; it is a positive length, or None")
    for name in ("sizes", "ranges"):
        values = getattr(potential, name)(state)
        right = values is None or (np.shape(values) == (state.n,) and np.all(np.asarray(values) > 0))
        require(right, f"{name}() gives neither a positive number for each particle nor None")
    jumps = potential.force_jumps
    require(len(jumps) == 2 and min(jumps) >= 0, f"force_jumps is {jumps!r}, not two numbers of at least 0")


@check("potential")
def check_native_is_plain(potential, kit):
    """What it tells an engine is plain data, or None."""
    for engine in ("lammps", "hoomd", "an-engine-nobody-has"):
        given = potential.native(engine)
        require(given is None or _is_plain(given), f"native({engine!r}) is not plain data: names, numbers, arrays")
    require(potential.native("an-engine-nobody-has") is None, "it has an answer for an engine that does not exist")


def _is_plain(value) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(one) for key, one in value.items())
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | bool | int | float | np.ndarray | np.generic)


@check("potential")
def check_record(potential, kit):
    """The record is JSON, says the same each time, and another potential has another one."""
    record = potential.record()
    require(isinstance(record, dict) and record, "the record is no mapping, or empty")
    try:
        text = json.dumps(record, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"the record is not JSON: {error}") from None
    require(json.loads(text) == record, "the record does not come back from JSON as it was")
    potential.energy_forces(state_of(potential, kit))
    require(potential.record() == record, "the record changes when forces are asked for")
    require(_copied(potential).record() == record, "a pickled copy has another record")
    state = state_of(potential, kit)
    for other in (*kit.others, *changed(potential)):
        if other.record() == record and not same_physics(potential, other, state):
            raise AssertionError(f"{other!r} has other forces and the same record: it leaves a parameter out")


def changed(potential: Potential) -> Iterator[Potential]:
    """Yield potentials that differ from one by one of its declared parameters."""
    specs = getattr(type(potential), "parameter_specs", dict)()
    values = getattr(potential, "parameters", {})
    for name in specs:
        if isinstance(values.get(name), float):
            try:
                yield type(potential)(**{**values, name: 1.05 * values[name] + 0.01 * (values[name] == 0)})
            except (InputError, TypeError):  # out of its range, or made of more than parameters
                continue


def same_physics(one: Potential, other: Potential, state: Configuration) -> bool:
    """Return whether two potentials have the same energy and forces."""
    try:
        answers = [potential.energy_forces(state) for potential in (one, other)]
    except InputError:
        return False
    (energy, forces), (energy_2, forces_2) = answers
    return bool(np.isclose(energy, energy_2, rtol=1e-12) and np.allclose(forces, forces_2, rtol=1e-12))


def _copied(potential: Potential) -> Potential:
    try:
        return pickle.loads(pickle.dumps(potential))
    except Exception as error:
        raise AssertionError(f"it cannot be pickled, so processes cannot share it: {error}") from error


@check("potential")
def check_pickled_copy(potential, kit):
    """It pickles, and the copy gives the same numbers."""
    state = state_of(potential, kit)
    require(same_physics(potential, _copied(potential), state), "a pickled copy gives other numbers")


# --- what it refuses --------------------------------------------------------------------------------------------------


def _refuses(call: Callable[[], object], what: str) -> None:
    """Require an InputError, or an answer in finite numbers."""
    try:
        with np.errstate(all="ignore"):
            energy, forces = call()
    except InputError as error:
        require(str(error).strip(), f"{what} is refused without a sentence")
        return
    except Exception as error:
        raise AssertionError(f"{what} ends in {type(error).__name__} ({error}); refuse it by an InputError") from error
    finite = np.isfinite(energy) and np.all(np.isfinite(forces))
    require(finite, f"{what} gives numbers that are not finite; refuse it by an InputError")


@check("potential")
def check_refuses_overlap(potential, kit):
    """Two particles at one point have finite forces, or are refused by an InputError."""
    state = state_of(potential, kit)
    positions = np.array(state.positions)
    positions[1] = positions[0]
    _refuses(lambda: potential.energy_forces(state.replace(positions=positions)), "two particles at one point")


@check("potential")
def check_refuses_strangers(potential, kit):
    """A species it does not know, and another dimension, are refused by an InputError if it minds."""
    state = state_of(potential, kit)
    strange = np.array(state.species, dtype="U32")
    strange[: state.n // 2] = "unheard-of"
    _refuses(lambda: potential.energy_forces(state.replace(species=strange)), "an unknown species")
    for d in (1, 2 if state.dimension == 3 else 3, 9):
        keep = min(d, state.dimension)
        positions = np.zeros((state.n, d))
        positions[:, :keep] = state.positions[:, :keep]
        positions[:, keep:] = (
            np.linspace(0, 1, state.n, endpoint=False)[:, None] * 3 * spacing_of(state) * state.n ** (1 / 3)
        )
        cell = np.eye(d) * 3 * spacing_of(state) * state.n ** (1 / 3)
        cell[:keep, :keep] = state.cell[:keep, :keep]
        other = Configuration(positions, cell, state.species, diameters=state.diameters)
        _refuses(lambda other=other: potential.energy_forces(other), f"a state in {d} dimensions")


@check("potential")
def check_evaluator_refuses_nan(potential, kit):
    """The evaluator does not make a number of positions that are none."""
    state = state_of(potential, kit)
    evaluate, forces = potential.evaluator(state), np.zeros_like(state.positions)
    evaluate(np.array(state.positions), forces)
    positions = np.array(state.positions)
    positions[0, 0] = np.nan
    try:
        with np.errstate(all="ignore"):
            energy = evaluate(positions, forces)
    except InputError:
        return
    except Exception as error:
        raise AssertionError(f"positions with nan end in {type(error).__name__} ({error}); use InputError") from error
    require(not np.isfinite(energy), f"of positions with nan it makes the energy {energy:.6g}")
