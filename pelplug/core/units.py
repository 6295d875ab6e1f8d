"""Units: what a length, an energy, a mass, a time and a temperature are, as names and as numbers."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import re
from collections.abc import Mapping
from typing import Any

from scipy import constants as si

from pelplug.core.parameters import closest
from pelplug.errors import InputError

__all__ = ["REDUCED", "SYSTEMS", "Units"]

_AMU = 1e-3 / si.N_A  # kg; one g/mol, as simulation programs mean it
_NAMES: dict[str, dict[str, tuple[float, tuple[str, ...]]]] = {
    # dimension: {unit: (size in SI, other spellings)}
    "length": {
        "Angstrom": (1e-10, ("A", "Å", "Ang", "angstroms")),
        "nm": (1e-9, ("nanometer", "nanometre", "nanometers")),
        "pm": (1e-12, ()),
        "um": (1e-6, ("micrometer", "micrometre", "µm", "μm")),
        "cm": (1e-2, ()),
        "m": (1.0, ("meter", "metre")),
        "Bohr": (si.physical_constants["Bohr radius"][0], ("a0", "a_0")),
    },
    "energy": {
        "eV": (si.e, ("electronvolt",)),
        "meV": (1e-3 * si.e, ()),
        "kJ/mol": (1e3 / si.N_A, ("kJ mol-1", "kJ mol^-1", "kilojoule/mol")),
        "kcal/mol": (1e3 * si.calorie / si.N_A, ("kcal mol-1", "kcal mol^-1", "Kcal/mol")),
        "J": (1.0, ("joule",)),
        "erg": (1e-7, ()),
        "Hartree": (si.physical_constants["Hartree energy"][0], ("Ha", "Eh", "E_h")),
        "Rydberg": (0.5 * si.physical_constants["Hartree energy"][0], ("Ry",)),
        "ag nm**2 / ns**2": (1e-21 * 1e-18 / 1e-18, ()),
        "pg um**2 / us**2": (1e-15 * 1e-12 / 1e-12, ()),
    },
    "mass": {
        "g/mol": (_AMU, ("amu", "Da", "u", "dalton", "g mol-1", "g mol^-1")),
        "kg": (1.0, ()),
        "g": (1e-3, ("gram",)),
        "pg": (1e-15, ()),
        "ag": (1e-21, ()),
        "m_e": (si.m_e, ("me",)),
    },
    "time": {
        "ps": (1e-12, ("picosecond", "picoseconds")),
        "fs": (1e-15, ("femtosecond", "femtoseconds")),
        "ns": (1e-9, ("nanosecond",)),
        "us": (1e-6, ("µs", "μs")),
        "s": (1.0, ("second", "sec")),
        "AKMA": (1e-10 * (_AMU / (1e3 * si.calorie / si.N_A)) ** 0.5, ()),
        "atomic time": (si.physical_constants["atomic unit of time"][0], ("a.u. of time",)),
    },
}
_DIMENSIONS = tuple(_NAMES)
_KEYS = (*_DIMENSIONS, "boltzmann")


@dataclasses.dataclass(frozen=True)
class Units:
    """What the numbers of a model, a file or a result are in.

    Parameters
    ----------
    length, energy, mass, time : str, optional
        Names of units (``"Angstrom"``, ``"eV"``, ``"g/mol"``, ``"ps"``), also with a factor before them
        (``"3.405 Angstrom"``). Reduced units have the words themselves, ``"length"`` and so on. None: not stated, as
        in a file that says what its lengths are in and nothing else.
    boltzmann : float, optional
        k_B: a temperature times this is an energy [energy / temperature]. By default that of kelvin.

    Raises
    ------
    InputError
        If a unit is unknown.

    Examples
    --------
    >>> Units.of("metal").text("energy / length**2")
    'eV / Angstrom**2'
    >>> round(Units.of("metal").mass_unit**-0.5, 4)  # sqrt(eV / Angstrom**2 / (g/mol)) [rad / ps]
    98.2269
    """

    length: str | None = None
    energy: str | None = None
    mass: str | None = None
    time: str | None = None
    boltzmann: float | None = None

    def __post_init__(self) -> None:
        for dimension in _DIMENSIONS:
            name = getattr(self, dimension)
            if name is not None and name != dimension:
                object.__setattr__(self, dimension, _canonical(name, dimension))
        if self.boltzmann is None and self.energy is not None:
            size = self.size("energy")
            object.__setattr__(self, "boltzmann", 1.0 if size is None else si.k / size)

    # --- making --------------------------------------------------------------------------------------------

    @classmethod
    def of(cls, value: Units | str | Mapping) -> Units:
        """Return the units that a name or a table stands for.

        Parameters
        ----------
        value : Units, str or mapping
            A name of `SYSTEMS`, or ``length``, ``energy``, ``mass``, ``time`` (names of units, or their sizes in SI)
            and, if wanted, ``boltzmann``.

        Raises
        ------
        InputError
            If there are no such units.
        """
        if isinstance(value, Units):
            return value
        if isinstance(value, Mapping):
            return cls._of_table(value)
        key = str(value).strip().lower()
        if key in SYSTEMS:
            return SYSTEMS[key]
        if key.startswith("reduced"):
            return REDUCED
        raise InputError(
            f"there are no units {str(value)!r}; give one of {', '.join(SYSTEMS)}, or a table such as "
            '{ length = "Angstrom", energy = "kJ/mol", mass = "g/mol", time = "ps" }.'
        )

    @classmethod
    def _of_table(cls, table: Mapping) -> Units:
        for key in table:
            if key not in _KEYS:
                hint = closest(str(key), _KEYS) or f"; it has {', '.join(_KEYS)}"
                raise InputError(f"the table of units has no {key!r}{hint}.")
        missing = [key for key in _DIMENSIONS if key not in table]
        if missing:
            raise InputError(f"the table of units lacks {missing[0]!r}; give for example {_EXAMPLES[missing[0]]}.")
        given = {key: table[key] for key in _DIMENSIONS}
        k = table.get("boltzmann")
        if k is not None and not (_is_number(k) and k > 0):
            raise InputError(f"boltzmann is a positive number [energy / temperature], not {k!r}.")
        words = {key: value for key, value in given.items() if isinstance(value, str)}
        if all(given[key] == key for key in words) and all(
            _is_number(v) and v == 1 for v in given.values() if not isinstance(v, str)
        ):
            return cls(**dict(zip(_DIMENSIONS, _DIMENSIONS, strict=True)), boltzmann=1.0 if k is None else float(k))
        names: dict[str, Any] = {}
        for key, value in given.items():
            if _is_number(value) and value > 0:
                names[key] = f"{float(value)!r} {_SI[key]}"
            elif isinstance(value, str) and value != key:
                names[key] = value
            else:
                raise InputError(
                    f"{key} is the name of a unit or its size in SI, not {value!r}; give {_EXAMPLES[key]}."
                )
        return cls(**names, boltzmann=None if k is None else float(k))

    @classmethod
    def known(cls, **names: str) -> Units:
        """Return units of which those with a name that nobody knows are left out."""
        found: dict[str, Any] = {}
        for dimension, name in names.items():
            with contextlib.suppress(InputError):
                found[dimension] = _canonical(name, dimension)
        return cls(**found)

    def to_dict(self) -> dict:
        """Return the names and k_B; what is not stated is left out."""
        return {key: value for key, value in dataclasses.asdict(self).items() if value is not None}

    # --- numbers -------------------------------------------------------------------------------------------

    @property
    def is_reduced(self) -> bool:
        """Whether these are reduced units, whose sizes nobody states."""
        return self.length == "length"

    @property
    def is_stated(self) -> bool:
        """Whether anything is stated."""
        return self != Units()

    @property
    def is_complete(self) -> bool:
        """Whether length, energy, mass and time are all stated."""
        return None not in (self.length, self.energy, self.mass, self.time)

    def size(self, dimension: str) -> float | None:
        """Return the size in SI of the unit of length, energy, mass or time; None where it is not known."""
        name = getattr(self, dimension)
        return None if name in (None, dimension) else _size(name, dimension)

    @functools.cached_property
    def mass_unit(self) -> float:
        """``m v**2`` of mass 1 and velocity 1 [energy]; 1 in reduced units.

        A frequency ``sqrt(curvature / mass)`` over the square root of this is in 1 / time.

        Raises
        ------
        InputError
            If the units are not stated.
        """
        if self.is_reduced:
            return 1.0
        mass, length, time, energy = (self._stated(key, self.size(key)) for key in ("mass", "length", "time", "energy"))
        return mass * length**2 / (time**2 * energy)

    def _stated(self, what: str, value: float | None) -> float:
        """Return a number that follows from the units; InputError where nobody stated them."""
        if value is None:
            missing = next((key for key in _DIMENSIONS if getattr(self, key) is None), what)
            raise InputError(
                f"The unit of {missing} is not known, so masses, times and temperatures cannot be combined; say "
                'it: units = "metal" in a model file, --model-param units=metal, or --units metal for the file.'
            )
        return value

    def for_atoms(self) -> tuple[Units, float]:
        """Return units in which the numbers of atoms are near one, and how many of their lengths one of these is.

        Minimisers have steps and tolerances that suit such numbers. Lengths become Angstrom where theirs is another
        order of magnitude, as the nm; reduced units stay.

        Raises
        ------
        InputError
            If the unit of energy is far from that of atoms.
        """
        length, energy = self.size("length"), self.size("energy")
        if energy is not None and not 1e-23 < energy < 2e-17:
            raise InputError(
                f"Energies of particles in {self.energy} are numbers too small or too large to minimise; give the "
                'model in other units, as units = "metal" (eV) or "gromacs" (kJ/mol).'
            )
        if length is None or 3e-11 < length < 5e-10:
            return self, 1.0
        new = dataclasses.replace(self, length="Angstrom")
        return new, self.factor(new, "length")

    def thermal(self, temperature: float) -> float:
        """Return k_B T [energy]."""
        return self._stated("energy", self.boltzmann) * temperature

    def thermal_speed(self, temperature: float, mass: float) -> float:
        """Return sqrt(k_B T / m) [length / time]; temperatures are in kelvin where nobody states an energy."""
        if self.is_complete:
            return math.sqrt(self.thermal(temperature) / (self.mass_unit * mass))
        if self == Units():
            return math.sqrt(temperature / mass)
        sizes = [self._stated(dimension, self.size(dimension)) for dimension in ("mass", "length", "time")]
        return math.sqrt(si.k * temperature / (mass * sizes[0])) * sizes[2] / sizes[1]

    def factor(self, other: Units, dimension: str) -> float:
        """Return the number by which a ``dimension`` of these units is multiplied to be in those of ``other``.

        1 where either does not state its unit.
        """
        if getattr(self, dimension) == getattr(other, dimension):
            return 1.0
        mine, theirs = self.size(dimension), other.size(dimension)
        return 1.0 if mine is None or theirs is None else _clean(mine / theirs)

    # --- words ---------------------------------------------------------------------------------------------

    @functools.cached_property
    def temperature(self) -> str | None:
        """Name of the unit of temperature: ``"K"``, or the energy's where k_B is 1."""
        size = self.size("energy")
        if size is None:
            return None if self.energy is None else "temperature"
        kelvin = self._stated("energy", self.boltzmann) * size / si.k
        if abs(kelvin - 1.0) < 1e-3:
            return "K"
        return self.energy if self.boltzmann == 1.0 else f"{kelvin:.6g} K"

    def text(self, expression: str, dimension: int | None = None) -> str:
        """Return the unit of a physical dimension: ``"energy / length**2"`` becomes ``"eV / Angstrom**2"``.

        Parameters
        ----------
        expression : str
            Of the words length, energy, mass, time, temperature and dimension (of space).
        dimension : int, optional
            What "dimension" in an exponent is.
        """
        if dimension is not None:
            expression = expression.replace("(dimension - 1)", str(dimension - 1))
            expression = re.sub(r"\*\*\(?(-?)(dimension|d)\b\)?", rf"**\g<1>{dimension}", expression)
        if self.is_reduced:
            return expression
        names = {key: getattr(self, key) for key in (*_DIMENSIONS, "temperature")}
        if names["temperature"] is not None:
            expression = re.sub(r"\benergy / k_B\b", "temperature", expression)

        def name(match: re.Match) -> str:
            found = names[match[0]]
            if found is None:
                return match[0]
            before, after = expression[: match.start()].rstrip(), expression[match.end() :]
            compound = not re.fullmatch(r"\w+", found)
            tight = after.startswith("**") or before.endswith(("/", "*"))
            return f"({found})" if compound and tight else found

        return re.sub(r"\b(length|energy|mass|time|temperature)\b", name, expression)

    def __str__(self) -> str:
        name = next((name for name, units in SYSTEMS.items() if units == self), None)
        if self.is_reduced:
            return "reduced: lengths, energies and masses in units of the model's own, k_B = 1"
        words = [f"{key} {getattr(self, key)}" for key in _DIMENSIONS if getattr(self, key) is not None]
        if self.temperature is not None:
            words.append(f"temperature {self.temperature}")
        text = ", ".join(words) or "not stated"
        return f"{name}: {text}" if name else text


_SI = {"length": "m", "energy": "J", "mass": "kg", "time": "s"}
_EXAMPLES = {
    "length": 'length = "Angstrom"',
    "energy": 'energy = "kJ/mol"',
    "mass": 'mass = "g/mol"',
    "time": 'time = "ps"',
}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@functools.cache
def _spellings(dimension: str) -> dict[str, str]:
    found = {}
    for name, (_, others) in _NAMES[dimension].items():
        for spelling in (name, *others):
            found[spelling.replace(" ", "")] = name
    lower: dict[str, set[str]] = {}
    for spelling, name in found.items():  # where case does not matter: "angstrom", "EV"; never "Ag" for "ag"
        lower.setdefault(spelling.lower(), set()).add(name)
    return {**{spelling: names.pop() for spelling, names in lower.items() if len(names) == 1}, **found}


@functools.cache
def _parse(text: str, dimension: str) -> tuple[float, str]:
    """Return the number before a unit's name and the name as the table spells it."""
    match = re.match(r"\s*([0-9.]+(?:[eE][-+]?[0-9]+)?)[ *]+(?=\S)", text)
    number, rest = (float(match[1]), text[match.end() :]) if match else (1.0, text)
    spellings = _spellings(dimension)
    compact = rest.replace(" ", "").replace("⁻¹", "-1")
    name = spellings.get(compact) or spellings.get(compact.lower())
    if name is None or not number > 0:
        known = ", ".join(_NAMES[dimension])
        raise InputError(f"there is no unit of {dimension} {text!r}; the names are {known}, or a size in SI.")
    return number, name


def _canonical(text: str, dimension: str) -> str:
    number, name = _parse(str(text), dimension)
    return name if number == 1.0 else f"{number!r} {name}"


def _size(text: str, dimension: str) -> float:
    number, name = _parse(text, dimension)
    return number * _NAMES[dimension][name][0]


def _clean(factor: float) -> float:
    """Take rounding off powers of ten: 1e-10 / 1e-9 is 0.1."""
    return float(f"{factor:.15g}")


REDUCED = Units("length", "energy", "mass", "time", 1.0)
"""Reduced (Lennard-Jones) units: the model's own, with k_B = 1."""

SYSTEMS: dict[str, Units] = {
    "metal": Units("Angstrom", "eV", "g/mol", "ps"),
    "real": Units("Angstrom", "kcal/mol", "g/mol", "fs"),
    "lj": REDUCED,
    "reduced": REDUCED,
    "gromacs": Units("nm", "kJ/mol", "g/mol", "ps"),
    "si": Units("m", "J", "kg", "s"),
    "cgs": Units("cm", "erg", "g", "s"),
    "electron": Units("Bohr", "Hartree", "g/mol", "fs"),
    "micro": Units("um", "pg um**2 / us**2", "pg", "us"),
    "nano": Units("nm", "ag nm**2 / ns**2", "ag", "ns"),
}
"""Units by name: those of LAMMPS (metal, real, lj, si, cgs, electron, micro, nano) and GROMACS's."""
