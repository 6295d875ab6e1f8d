"""What somebody else's potential answers, looked at once before work starts: kinds, shapes, and who it says it is."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.python_files import is_pelplugs
from pelplug.core.units import Units
from pelplug.errors import InputError, PelplugError, reason_of
from pelplug.potentials.base import Capability, Evaluator, Pairs, Potential, StrainDerivatives, potential_name

__all__ = [
    "asked",
    "check_answers",
    "check_told_apart",
    "check_what_is_declared",
    "energy_and_forces",
    "is_foreign",
    "plain_record",
]

METHODS = {
    Capability.HESSIAN: "hessian",
    Capability.PAIRS: "pairs",
    Capability.STRAIN: "strain_derivatives",
    Capability.EVALUATOR: "evaluator",
    Capability.CONSTRAINTS: "constraints",
}
"""The method that each capability stands for."""

_SAME = 1e-6  # relative: numbers of one function, asked in two ways
_ROUNDED = 1e-10  # of a particle's energy over the spacing of particles

_known: dict[str, tuple[Configuration, float, np.ndarray]] = {}
"""What the first potential of each record gave, and where."""


def is_foreign(part: Any) -> bool:
    """Whether a potential, or any that it asks, is not pelplug's own."""
    named = part if inspect.isroutine(part) else type(part)
    return (
        getattr(part, "foreign", False) or not is_pelplugs(named) or any(map(is_foreign, getattr(part, "made_of", ())))
    )


def energy_and_forces(potential: Potential, state: Configuration) -> tuple[float, np.ndarray]:
    """Return U [energy] and a copy of the forces, shape (N, d) [energy / length], as numbers of the right kind.

    Raises
    ------
    InputError
        If the potential fails, or returns anything else.
    """
    name, shape = potential_name(potential), state.positions.shape
    found = asked(potential, "energy_forces", state)
    due = f"energy_forces() returns the energy, a number, and the forces, an array of shape {shape}"
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise InputError(f"The potential {name} gives {type(found).__name__} where two things are due: {due}.")
    energy, forces = found
    if forces is None:
        raise InputError(f"The potential {name} gives no forces, and everything needs them: {due}.")
    if not _is_real(energy, ()):
        raise InputError(f"The potential {name} gives the energy {_shown(energy)}: {due}.")
    if not _is_real(forces, shape):
        raise InputError(f"The potential {name} gives as forces {_shown(forces)}: {due}.")
    return float(energy), np.array(forces, dtype=np.float64)


def plain_record(potential: Potential) -> dict[str, Any]:
    """Return the record of a potential as JSON keeps it.

    Raises
    ------
    InputError
        If it fails, is empty, or is no plain data.
    """
    owner = f"The record() of the potential {potential_name(potential)}"
    record = asked(potential, "record")
    try:
        if not isinstance(record, Mapping) or not record:
            raise TypeError(f"it is {record!r}, not a dictionary with something in it")
        return json.loads(json.dumps(dict(record), default=_of_numpy))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"{owner} is not plain data ({reason_of(error)}); return a dictionary of numbers, texts, lists and "
            "dictionaries."
        ) from None


def check_answers(potential: Potential, state: Configuration) -> bool:
    """Refuse a potential whose energy or forces are none, and tell whether they are finite: overlaps may be there.

    Raises
    ------
    InputError
        With what is wrong: of what it declares, of the kind and shape of an answer, numbers that are none, forces that
        do not last.
    """
    _check_attributes(potential, state)
    energy, forces = energy_and_forces(potential, state)
    if np.isnan(energy) or np.any(np.isnan(forces)):
        count = int(np.isnan(forces).any(axis=1).sum())
        what = "an energy that is" if np.isnan(energy) else f"forces on {count} of {state.n} particles that are"
        raise InputError(
            f"The potential {potential_name(potential)} gives {what} no number (nan) at frame {state.frame or 0}; "
            "correct energy_forces(), or look for particles at one place."
        )
    if not (np.isfinite(energy) and np.all(np.isfinite(forces))):
        return False
    _check_kept(potential, state)
    return True


def check_what_is_declared(potential: Potential, state: Configuration, derivatives: bool) -> None:
    """Refuse what a potential declares and does not do; the Hessian and all numbers are looked at by differences.

    Parameters
    ----------
    potential : Potential
    state : Configuration
        Where it is asked.
    derivatives : bool
        Whether pairs and strain derivatives are going to be used.

    Raises
    ------
    InputError
        With what is wrong.
    """
    if potential.can(Capability.EVALUATOR):
        _check_evaluator(potential, state)
    if derivatives and potential.can(Capability.PAIRS):
        _check_pairs(potential, state)
    if derivatives and potential.can(Capability.STRAIN):
        _check_strain_shapes(potential, state)


def check_told_apart(potential: Potential, state: Configuration) -> None:
    """Refuse a record that another potential of this process has: results of the two could not be told apart.

    Raises
    ------
    InputError
        If the two give other numbers for one state, or the record is none.
    """
    record, name = plain_record(potential), potential_name(potential)
    if plain_record(potential) != record:
        raise InputError(
            f"The record() of the potential {name} is another one each time; return what the potential is, not when or "
            "where."
        )
    key = json.dumps(record, sort_keys=True)
    if key not in _known:
        _known[key] = state, *energy_and_forces(potential, state)
        return
    where, before, others = _known[key]
    try:
        now, found = energy_and_forces(potential, where)
    except InputError:  # a potential of another number of particles
        return
    apart = np.abs(found - others).max()
    spacing = (where.volume / where.n) ** (1.0 / where.dimension)
    rounding = _ROUNDED * (abs(now) + abs(before)) / (where.n * spacing)  # in a minimum nothing else is left of forces
    if abs(now - before) > _SAME * (abs(now) + abs(before)):
        what = f"the energy {before:.8g} by that and {now:.8g}"
    elif apart > rounding + _SAME * (np.abs(others).max() + np.abs(found).max()):
        what = f"forces that are up to {apart:.3g} larger or smaller by that than"
    else:
        return
    raise InputError(
        f"The potential {name} has the record of another one: one state has {what} by this; let record() hold every "
        "number that the two differ by."
    )


def asked(potential: Any, method: str, *arguments: Any, owner: Any = None) -> Any:
    """Call a method of a potential, or of the evaluator that an ``owner`` made, and return its answer.

    Raises
    ------
    InputError
        One sentence in place of what it raises.
    """
    try:
        return getattr(potential, method)(*arguments)
    except PelplugError:
        raise
    except Exception as error:
        who = f"potential {potential_name(potential)} fails in {method}()"
        if owner is not None:
            who, method = f"evaluator of the potential {potential_name(owner)} fails", "evaluator"
        raise InputError(
            f"The {who} ({type(error).__name__}: {reason_of(error)}); correct it{_leave_out(method)}."
        ) from error


def _leave_out(method: str) -> str:
    named = [one.name for one, its in METHODS.items() if its == method]
    return f", or leave {named[0]} out of its capabilities" if named else ""


def _check_attributes(potential: Potential, state: Configuration) -> None:
    name = potential_name(potential)
    if not isinstance(potential.capabilities, Capability):
        raise InputError(
            f"The capabilities of the potential {name} are {potential.capabilities!r}; give pelplug.Capability flags."
        )
    for capability, method in METHODS.items():
        if potential.can(capability) and getattr(type(potential), method) is getattr(Potential, method):
            raise InputError(
                f"The potential {name} declares {capability.name} and has no {method}(); write it, or leave "
                f"{capability.name} out of its capabilities."
            )
    if not isinstance(potential.units, Units):
        raise InputError(f"The units of the potential {name} are {potential.units!r}; give pelplug.Units.of(NAME).")
    cutoff = potential.cutoff
    if cutoff is not None and not (_is_real(cutoff, ()) and cutoff > 0):
        raise InputError(f"The cutoff of the potential {name} is {cutoff!r}; it is a positive length, or None.")
    for method in ("sizes", "ranges"):
        found = asked(potential, method, state)
        if found is not None and not (_is_real(found, (state.n,)) and np.all(np.asarray(found) > 0)):
            raise InputError(
                f"The potential {name} gives as {method}() {_shown(found)}; return a positive number for each "
                "particle, or None."
            )


def _check_kept(potential: Potential, state: Configuration) -> None:
    """Refuse an array of forces that the next call changes: differences of it would vanish."""
    first = asked(potential, "energy_forces", state)[1]
    kept = np.array(first)
    moved = state.positions.copy()
    moved[0] += 1e-3 * (state.volume / state.n) ** (1.0 / state.dimension)
    asked(potential, "energy_forces", state.replace(positions=moved))
    if not np.array_equal(kept, first, equal_nan=True):
        raise InputError(
            f"The potential {potential_name(potential)} changes the array of forces that it returned before; return a "
            "copy from energy_forces()."
        )


def _check_evaluator(potential: Potential, state: Configuration) -> None:
    energy, forces = energy_and_forces(potential, state)
    name, found = potential_name(potential), np.full(forces.shape, np.nan)
    evaluate = asked(potential, "evaluator", state)
    if not isinstance(evaluate, Evaluator):
        raise InputError(
            f"The potential {name} gives as evaluator() {_shown(evaluate)}; return a pelplug.Evaluator, or leave "
            "EVALUATOR out of its capabilities."
        )
    value = asked(evaluate, "__call__", np.array(state.positions), found, owner=potential)
    scale = np.abs(forces).max()
    right = _is_real(value, ()) and abs(float(value) - energy) <= _SAME * (abs(energy) + scale)
    if not right or not np.all(np.abs(found - forces) <= _SAME * (np.abs(forces) + scale)):
        raise InputError(
            f"The evaluator of the potential {name} does not give what energy_forces() does: the energy "
            f"{_shown(value)} in place of {energy:.8g}, or other forces; it fills the array that it is given."
        )


def _check_pairs(potential: Potential, state: Configuration) -> None:
    name, pairs = potential_name(potential), asked(potential, "pairs", state)
    due = "return pelplug.Pairs of arrays as its page says, or leave PAIRS out of its capabilities"
    if not isinstance(pairs, Pairs):
        raise InputError(f"The potential {name} gives as pairs() {_shown(pairs)}; {due}.")
    count = np.shape(pairs.i)
    shapes = {one: count for one in ("i", "j", "distances", "first", "second", "gap")}
    shapes["vectors"] = (*count, state.dimension)
    for attribute, shape in shapes.items():
        value = getattr(pairs, attribute)
        if len(count) != 1 or not _is_real(value, shape) or not np.all(np.isfinite(value)):
            raise InputError(f"The potential {name} gives as {attribute} of its pairs {_shown(value)}; {due}.")
    both = np.array([pairs.i, pairs.j])
    if both.size and not (both.dtype.kind in "iu" and both.min() >= 0 and both.max() < state.n):
        raise InputError(f"The potential {name} gives pairs of particles that are not 0 to {state.n - 1}; {due}.")


def _check_strain_shapes(potential: Potential, state: Configuration) -> None:
    name, strain = potential_name(potential), asked(potential, "strain_derivatives", state)
    due = "return pelplug.StrainDerivatives as its page says, or leave STRAIN out of its capabilities"
    if not isinstance(strain, StrainDerivatives):
        raise InputError(f"The potential {name} gives as strain_derivatives() {_shown(strain)}; {due}.")
    n, d, planes = state.n, state.dimension, len(strain.planes)
    shapes: dict[str, tuple[int, ...]] = {"first": (d, d), "second": (planes,), "mixed": (planes, n * d)}
    optional = {"curvature": (d,) * 4, "coupling": (d * (d + 1) // 2, n * d)}
    shapes |= {one: shape for one, shape in optional.items() if getattr(strain, one) is not None}
    for attribute, shape in shapes.items():
        value = getattr(strain, attribute)
        if not _is_real(value, shape) or not np.all(np.isfinite(value)):
            raise InputError(
                f"The potential {name} gives as {attribute} of its strain derivatives {_shown(value)}, where an array "
                f"of shape {shape} is due; {due}."
            )
    first = np.asarray(strain.first)
    if np.abs(first - first.T).max() > _SAME * np.abs(first).max():
        raise InputError(f"The potential {name} gives a dU/dF that is not symmetric; correct strain_derivatives().")


def _is_real(value: Any, shape: tuple[int, ...]) -> bool:
    """Whether something is one real number, or an array of them."""
    if isinstance(value, bool | str) or value is None:
        return False
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        return False
    return array.dtype.kind in "iuf" and array.shape == shape


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    return repr(value) if isinstance(value, int | float | complex | str | None) else f"a {type(value).__name__}"


def _of_numpy(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{value!r} has no JSON form")
