"""ase: any calculator of ASE, the Atomic Simulation Environment.

Larsen et al., J. Phys.: Condens. Matter 29, 273002 (2017).
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import inspect
import json
import os
import pickle
import weakref
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.checksum import checksum
from pelplug.core.parameters import Param
from pelplug.errors import InputError
from pelplug.potentials.base import Capability, Potential
from pelplug.potentials.external.python import made_by, named_object, own_objects, required_arguments
from pelplug.potentials.given import is_calculator
from pelplug.potentials.provider import Provider

if TYPE_CHECKING:
    from ase import Atoms

__all__ = ["ASEProvider", "CalculatorPotential"]

INSTALL = "Install ASE with `pip install 'pelplug[ase]'`."
_WANTED = "a function without arguments that returns a calculator of ASE"
_CACHES = ("atoms", "results", "timer", "neighbor_list", "nl")  # what a calculator keeps of the last atoms it saw


class ASEProvider(Provider):
    """Makes a potential of a calculator of ASE: energies in eV, lengths in Angstrom, masses in g/mol."""

    name = "ase"
    summary = "a calculator of ASE, by the function or class that makes it"
    takes = "MODULE|FILE.py:FACTORY"

    def __init__(
        self,
        *,
        cutoff: Annotated[
            float | None,
            Param("largest range of any interaction, where it is known", exclusive_minimum=0.0, unit="length"),
        ] = None,
    ):
        super().__init__()

    @classmethod
    def missing(cls) -> str:
        """Return how to install ASE, where it is not."""
        return "" if importlib.util.find_spec("ase") else f"ASE is not installed. {INSTALL}"

    def potential(self, file: str) -> Potential:
        """Return the potential of what a factory returns.

        Parameters
        ----------
        file : str
            ``"calc.py:FACTORY"``, ``"calc.py"`` where it has one only, or ``"package.module:FACTORY"``, as in
            ``"ase.calculators.emt:EMT"``. FACTORY is called without arguments and returns a calculator, or is one.

        Raises
        ------
        InputError
            If there is no such file, module or name, or the factory fails or returns no calculator.
        """
        named = named_object(file, self.name, _candidates, "calculator", _WANTED)
        found, made = named.value, None
        if inspect.isclass(found) or not is_calculator(found):
            if not callable(found):
                raise InputError(f"{named.name} of {named.path} is {found!r}, no calculator of ASE; write {_WANTED}.")
            found, made = made_by(named), found
        if not is_calculator(found):
            raise InputError(f"{named.name} of {named.path} returns {found!r}, no calculator of ASE; write {_WANTED}.")
        return CalculatorPotential(found, named.source, made, self.parameters["cutoff"])


def _candidates(module: ModuleType) -> dict[str, Any]:
    """Return the calculators of a module, else its classes of them, else its functions without arguments."""
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    objects = {name: value for name, value in public.items() if is_calculator(value) and not inspect.isclass(value)}
    here = own_objects(module)
    functions = {
        name: value for name, value in here.items() if inspect.isfunction(value) and not required_arguments(value)
    }
    classes = {name: value for name, value in here.items() if inspect.isclass(value) and is_calculator(value)}
    return objects or functions or classes


class CalculatorPotential(Potential):
    """What a calculator of ASE computes, with its own Hessian where it has one (matscipy's do).

    Parameters
    ----------
    calculator : ase.calculators.calculator.Calculator
        Or any object with its ``get_potential_energy(atoms)`` and ``get_forces(atoms)``.
    source : mapping, optional
        Where it comes from, which is recorded.
    factory : callable, optional
        Makes the same one in another process; without it the calculator itself is sent.
    cutoff : float, optional
        Largest range of any interaction [Angstrom], which says what pairs are where forces act on more than pairs.

    Raises
    ------
    InputError
        If ASE is not installed, or nothing tells this calculator from others.
    """

    foreign = True
    knows = ("charged atoms",)
    units = "metal"  # type: ignore[assignment]  # the name becomes Units when the class is made

    def __init__(
        self,
        calculator: Any,
        source: Mapping[str, str] | None = None,
        factory: Callable[[], Any] | None = None,
        cutoff: float | None = None,
    ):
        if missing := ASEProvider.missing():
            raise InputError(missing)
        self.calculator, self._factory = calculator, factory
        self.made_of = (type(calculator),)
        self.label = type(calculator).__name__
        implemented = getattr(calculator, "implemented_properties", ())
        self._own_hessian = "hessian" in implemented
        self._free_energy = "free_energy" in implemented
        self.capabilities = Capability.HESSIAN if self._own_hessian else Capability(0)
        self.cutoff = cutoff
        self._record = _record_of(calculator, source) | ({} if cutoff is None else {"cutoff": cutoff})

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ if self._factory is None else self.__dict__ | {"calculator": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._factory is not None:
            self.calculator = self._factory()

    def record(self) -> dict[str, Any]:
        """Return class, parameters and versions of the calculator, and the SHA-256 of what it was made of."""
        return self._record

    def energy_forces(self, configuration: Configuration) -> tuple[float, np.ndarray]:
        """Return U [eV] and the forces, shape (N, 3) [eV / Angstrom].

        The energy is the one that forces are the derivative of ("free_energy" of ASE) where the calculator has both.

        Raises
        ------
        InputError
            If a species is no chemical element, or the configuration is not three-dimensional.
        """
        atoms = self._atoms(configuration)
        energy = self.calculator.get_property("free_energy", atoms) if self._free_energy else None
        if energy is None:
            energy = self.calculator.get_potential_energy(atoms)
        return float(energy), np.array(self.calculator.get_forces(atoms), dtype=np.float64)

    def masses(self, configuration: Configuration) -> np.ndarray | None:
        """Return the standard masses of the elements, shape (N,) [g/mol]; None where a species is none."""
        from ase.data import atomic_masses, atomic_numbers

        numbers = [atomic_numbers.get(str(name), 0) for name in configuration.species]
        return np.array(atomic_masses[numbers]) if all(numbers) else None

    def hessian(self, configuration: Configuration) -> Any:
        """Return the calculator's own Hessian, shape (3 N, 3 N) [eV / Angstrom**2], where it has one."""
        if not self._own_hessian:
            return super().hessian(configuration)
        found = self.calculator.get_property("hessian", self._atoms(configuration))
        return found if hasattr(found, "tocsr") else np.asarray(found).reshape(2 * (3 * configuration.n,))

    def _atoms(self, configuration: Configuration) -> Atoms:
        """Return the atoms of a configuration, wrapped into the cell, with the charges and masses that it has."""
        from ase import Atoms

        numbers = _atomic_numbers(configuration)
        if configuration.dimension != 3:
            raise InputError(
                f"Calculators of ASE are three-dimensional, and the configuration has d = {configuration.dimension}; "
                "use a potential of pelplug's own (--model)."
            )
        inside = configuration.wrapped()
        atoms = Atoms(numbers=numbers, positions=inside.positions, cell=inside.cell, pbc=True, masses=inside.masses)
        if configuration.charges is not None:
            atoms.set_initial_charges(configuration.charges)
        return atoms


def _atomic_numbers(configuration: Configuration) -> np.ndarray:
    from ase.data import atomic_numbers

    names, inverse = np.unique(configuration.species, return_inverse=True)
    unknown = [str(name) for name in names if not atomic_numbers.get(str(name))]
    if unknown:
        example = ",".join(f"{name}={element}" for name, element in zip(unknown, ("Ar", "Kr", "Xe"), strict=False))
        others = [str(name) for name in names if str(name) not in unknown]
        told = f" ({', '.join(others)} would be the element of that name)" if others else ""
        raise InputError(
            f"A calculator of ASE takes chemical elements, and {', '.join(unknown)} "
            f"{'is none' if len(unknown) == 1 else 'are none'}{told}; say which they are, for example --species "
            f"{example} (species= in Python)."
        )
    return np.array([atomic_numbers[str(name)] for name in names])[inverse]


def _record_of(calculator: Any, source: Mapping[str, str] | None) -> dict[str, Any]:
    """Return what tells a calculator from others.

    Raises
    ------
    InputError
        If nothing does.
    """
    cls = type(calculator)
    record: dict[str, Any] = {"potential": cls.__name__, **(source or {"provider": "ase"})}
    record["calculator"] = cls.__qualname__
    record["parameters"] = {name: _plain(value) for name, value in _parameters(calculator).items()}
    packages = {"ase", cls.__module__.partition(".")[0]}
    record["versions"] = {name: version for name in sorted(packages) if (version := _version(name)) is not None}
    content = _content(calculator)
    if content is not None:
        record["content"] = content
    elif source is None:
        raise InputError(
            f"Nothing identifies the calculator {cls.__name__}, which holds what has no content to look at; write a "
            "function that makes it into a file, and give that: pelplug.potential('ase:calc.py:FUNCTION')."
        )
    return record


def _parameters(calculator: Any) -> dict[str, Any]:
    found = getattr(calculator, "parameters", None)
    return {str(name): value for name, value in found.items()} if isinstance(found, Mapping) else {}


def _plain(value: Any) -> Any:
    """Return a value as JSON keeps it, files by their content, and what it has no form for by its class."""
    if isinstance(value, str | os.PathLike) and os.path.isfile(value):
        return {"file": os.path.basename(value), "sha256": checksum(value).rpartition(":")[2]}
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError):
        return type(value).__qualname__


def _content(calculator: Any) -> str | None:
    """Return the SHA-256 of what a calculator holds when it is first given; None if there is nothing to look at.

    What it keeps of the last atoms counts too, where it has no name that says so: another digest is no other potential.
    """
    with contextlib.suppress(TypeError):  # of what cannot be a key
        if (known := _contents.get(calculator)) is not None:
            return known
    pickled, lost = [], False
    for name, value in sorted(vars(calculator).items()):
        if name not in _CACHES:
            try:
                pickled.append(pickle.dumps((name, value), protocol=4))
            except Exception:  # a handle of a library, or something of a notebook
                lost = True
    # What is of a file is named by its path there, and recorded by its SHA-256.
    pickled = [one for one in pickled if b"pelplug.core.python_files." not in one]
    if lost and not _parameters(calculator):
        return None
    found = hashlib.sha256(b"".join([type(calculator).__qualname__.encode(), *pickled])).hexdigest()
    with contextlib.suppress(TypeError):
        _contents[calculator] = found
    return found


_contents: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
"""Of calculators that were given: they change while they are used."""


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
