"""Potentials of what somebody hands over: a function of a configuration, or an object that is none of ours."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.checksum import checksum
from pelplug.core.units import Units
from pelplug.errors import InputError, reason_of
from pelplug.execution.kernel_cache import content_of
from pelplug.potentials.base import Capability, Evaluator, Pairs, Potential, StrainDerivatives
from pelplug.potentials.constraints import Constraints

__all__ = ["BorrowedPotential", "FunctionPotential", "as_potential", "is_calculator"]

_KINDS = (
    "give a pelplug.Potential, a function f(configuration) that returns the energy and the forces, a calculator of "
    "ASE, or an object with energy_forces(configuration) and record()"
)


def as_potential(given: Any, source: Mapping[str, Any] | None = None) -> Potential:
    """Return the potential that an object is, or stands for.

    Parameters
    ----------
    given : Potential, class, callable or object
        A class is called without arguments; a callable takes a configuration and returns energy and forces; any other
        object has ``energy_forces`` and ``record``, or is a calculator of ASE.
    source : mapping, optional
        Where it comes from, which is recorded with it.

    Raises
    ------
    InputError
        If it is none of these.
    """
    if inspect.isclass(given):
        try:
            given = given()
        except Exception as error:
            raise InputError(
                f"The class {given.__name__} cannot be made without arguments ({reason_of(error)}); give one that is "
                "made."
            ) from error
    if isinstance(given, Potential):
        return given if source is None else BorrowedPotential(given, source)
    if hasattr(given, "positions") and hasattr(given, "get_atomic_numbers"):
        raise InputError(
            f"{type(given).__name__} of ASE are a state, not a potential; give their calculator, atoms.calc."
        )
    if is_calculator(given):
        from pelplug.potentials.external.ase_calculator import CalculatorPotential

        return CalculatorPotential(given, source)
    if hasattr(given, "potential") and hasattr(given, "parameters"):
        raise InputError(f"{given!r} is a model, not a potential; pass it as model=.")
    if callable(getattr(given, "energy_forces", None)) and callable(getattr(given, "record", None)):
        return BorrowedPotential(given, source)
    if callable(given):
        return FunctionPotential(given, source)
    raise InputError(f"{given!r} is no potential; {_KINDS}.")


def is_calculator(given: Any) -> bool:
    """Return whether an object, or what a class makes, computes as a calculator of ASE; ASE is not imported."""
    return all(callable(getattr(given, name, None)) for name in ("get_potential_energy", "get_forces")) and not hasattr(
        given, "get_atomic_numbers"
    )


class FunctionPotential(Potential):
    """The potential that a function gives: energy and forces of a configuration, nothing else.

    Parameters
    ----------
    function : callable
        Takes a `Configuration`; returns U [energy] and the forces, shape (N, d) [energy / length].
    source : mapping, optional
        What it is recorded by; a digest of its code by default.
    """

    def __init__(self, function: Callable[[Configuration], tuple[float, np.ndarray]], source=None):
        self.function, self.made_of = function, (function,)
        self.label = getattr(function, "__qualname__", type(function).__qualname__)
        self._source = {"code": _digest(function)} if source is None else dict(source)

    def record(self) -> dict[str, Any]:
        """Return its name, and where it is from or what its code is."""
        return {"potential": self.label, **self._source}

    def energy_forces(self, configuration: Configuration) -> tuple[float, np.ndarray]:
        """Return U [energy] and the forces, shape (N, d) [energy / length].

        Raises
        ------
        InputError
            If the function does not return two things.
        """
        found = self.function(configuration)
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise InputError(f"The function {self.label} returns {type(found).__name__}, not (energy, forces).")
        return found[0], found[1]


class BorrowedPotential(Potential):
    """What another object computes, with where it is from.

    Parameters
    ----------
    asked : object
        It has ``energy_forces`` and ``record``, and what else a `Potential` has as far as it likes.
    source : mapping, optional
        Recorded with its own record.
    """

    def __init__(self, asked: Any, source: Mapping[str, Any] | None = None):
        self.asked, self.made_of, self._source = asked, (asked,), source
        self.label = getattr(asked, "label", type(asked).__qualname__)
        for name in (
            "capabilities",
            "cutoff",
            "shifted",
            "repulsive",
            "force_jumps",
            "smoother",
            "flexible",
            "knows",
            "foreign",
            "rough",
        ):
            if (value := getattr(asked, name, None)) is not None:
                setattr(self, name, value)
        if not isinstance(self.capabilities, Capability):
            raise InputError(
                f"The capabilities of {self.label} are pelplug.Capability flags, not {self.capabilities!r}; leave them "
                "out where it has only energy and forces."
            )
        try:
            self.units = Units.of(getattr(asked, "units", Units()))
        except InputError as error:
            raise InputError(f"The units of {self.label}: {error}") from None

    def record(self) -> dict[str, Any]:
        """Return its own record, below where it is from."""
        record = self.asked.record()
        if self._source is None:
            return record
        named = record.get("potential") if isinstance(record, dict) else None
        return {"potential": named or self.label, **self._source, "record": record}

    def energy_forces(self, configuration: Configuration) -> tuple[float, np.ndarray]:
        """Return U [energy] and the forces, shape (N, d) [energy / length]."""
        return self.asked.energy_forces(configuration)

    def evaluator(self, configuration: Configuration) -> Evaluator:
        """Return its evaluator, where it has one."""
        if self.can(Capability.EVALUATOR):
            return self.asked.evaluator(configuration)
        return super().evaluator(configuration)

    def hessian(self, configuration: Configuration):
        """Return d2U/dxdx [energy / length**2], shape (N * d, N * d)."""
        return self._asked("hessian", Capability.HESSIAN, configuration)

    def pairs(self, configuration: Configuration) -> Pairs:
        """Return the interacting pairs."""
        return self._asked("pairs", Capability.PAIRS, configuration)

    def constraints(self, configuration: Configuration) -> Constraints:
        """Return the distances that are constant."""
        return self._asked("constraints", Capability.CONSTRAINTS, configuration)

    def strain_derivatives(self, configuration: Configuration) -> StrainDerivatives:
        """Return the derivatives of U with respect to strain."""
        return self._asked("strain_derivatives", Capability.STRAIN, configuration)

    def sizes(self, configuration: Configuration) -> np.ndarray | None:
        """Return the diameter of each particle, shape (N,) [length], where it knows them."""
        return getattr(self.asked, "sizes", super().sizes)(configuration)

    def masses(self, configuration: Configuration) -> np.ndarray | None:
        """Return the masses, shape (N,) [mass], where it knows them."""
        return getattr(self.asked, "masses", super().masses)(configuration)

    def bonds(self, configuration: Configuration) -> np.ndarray | None:
        """Return who is bonded to whom, shape (B, 2), where it knows."""
        return getattr(self.asked, "bonds", super().bonds)(configuration)

    def ranges(self, configuration: Configuration) -> np.ndarray | None:
        """Return how far each particle sees its own kind, shape (N,) [length], where it knows it."""
        return getattr(self.asked, "ranges", super().ranges)(configuration)

    def reach(self, configuration: Configuration) -> float | None:
        """Return the largest distance at which two particles interact [length], where it knows it."""
        return getattr(self.asked, "reach", super().reach)(configuration)

    def native(self, engine: str) -> Mapping[str, Any] | None:
        """Return what a simulation program computes its forces with, where it says so."""
        return getattr(self.asked, "native", super().native)(engine)

    def _asked(self, method: str, capability: Capability, configuration: Configuration):
        if self.can(capability):
            return getattr(self.asked, method)(configuration)
        return getattr(super(), method)(configuration)


def _digest(function: Callable) -> str:
    """Return the SHA-256 of a function's code and of all that it uses, or of the file that it is in."""
    if (found := content_of(function, versioned=False)) is not None:
        return found
    if inspect.isfunction(function):
        closed = content_of([cell.cell_contents for cell in function.__closure__ or ()], versioned=False)
        with contextlib.suppress(OSError, TypeError):
            if closed is not None:
                parts = [function.__qualname__, content_of(function.__code__, versioned=False), closed]
                return hashlib.sha256("\n".join([*parts, checksum(inspect.getfile(function))]).encode()).hexdigest()
    else:
        with contextlib.suppress(Exception):  # an object with all that it holds
            return hashlib.sha256(pickle.dumps(function)).hexdigest()
    name = getattr(function, "__qualname__", type(function).__qualname__)
    raise InputError(
        f"Nothing identifies the function {name}, which uses what has no content to look at; write a class below "
        "pelplug.Potential, of which record() says what it is."
    )
