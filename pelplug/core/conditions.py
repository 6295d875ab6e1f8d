"""Conditions: of what, and where in the phase diagram, the states of a trajectory or a result are.

What the words mean, everywhere in pelplug:

temperature
    Of the ensemble the states were sampled from: what the thermostat was set to, or the T of swap Monte Carlo and of
    planting. In a run at constant energy it is that of the thermostat before it. In the unit of temperature of
    `Units`: ``units.thermal(temperature)`` is an energy, so in reduced units it is k_B T. A ramp has none.
kinetic temperature
    What velocities give, ``sum m v**2 / (d (N - 1) k_B)``: measured, and no condition.
parent temperature
    Of the liquid that an inherent structure, or a glass, came from. Inherent structures have no temperature.
"""

from __future__ import annotations

import dataclasses
import json
import math
import numbers
from collections.abc import Iterable, Mapping
from typing import Any

from pelplug.core.given import Given
from pelplug.core.units import Units
from pelplug.errors import InputError

__all__ = ["Conditions", "Ramp", "same_value"]

_SAME = 1e-6  # two statements of one number, in files that keep six digits
_DIGITS = {"temperature": 9, "parent_temperature": 9, "pressure": 6, "density": 5}  # a cell may be in float32
_WORDS = {"parent_temperature": "parent temperature", "n": "number of particles"}


@dataclasses.dataclass(frozen=True)
class Ramp:
    """A thermostat that was cooled or heated linearly.

    Parameters
    ----------
    start, end : float
        [temperature].
    rate : float, optional
        Positive [temperature / time].
    """

    start: float
    end: float
    rate: float | None = None

    def __str__(self) -> str:
        return f"{self.start:g} to {self.end:g}" + ("" if self.rate is None else f" at a rate of {self.rate:.3g}")


@dataclasses.dataclass(frozen=True)
class Conditions:
    """What a calculation was made of; None is what nobody said.

    Parameters
    ----------
    model : mapping, optional
        Record of the model or potential, as `Model.to_dict` gives it.
    n : int, optional
        Number of particles.
    density : float, optional
        Number density N / V, where it is the same in all states [1 / length**dimension].
    temperature : float, optional
        Of the ensemble that the states were sampled from; may be infinite [temperature].
    pressure : float, optional
        That a barostat was set to [energy / length**dimension].
    parent_temperature : float, optional
        Of the liquid that inherent structures, or a glass, came from [temperature].
    ramp : Ramp, optional
        Of the thermostat, in place of a temperature.
    replica : int, optional
        Which of several independent runs at the same conditions.
    seed : int, optional
        Of the run.
    label : str, optional
        A name for plots; results of other labels are not averaged with it.
    units : Units, optional
        What the numbers are in.
    several : tuple of str, optional
        Those of the above that are not the same in all states.

    Raises
    ------
    InputError
        If a value cannot be what it says.

    Examples
    --------
    >>> one, other = (Conditions(n=1000, temperature=0.5, seed=seed) for seed in (1, 2))
    >>> one == other, one.group == other.group
    (False, True)
    """

    model: Mapping[str, Any] | None = None
    n: int | None = None
    density: float | None = None
    temperature: float | None = None
    pressure: float | None = None
    parent_temperature: float | None = None
    ramp: Ramp | None = None
    replica: int | None = None
    seed: int | None = None
    label: str | None = None
    units: Units = Units()  # noqa: RUF009 (frozen)
    several: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("temperature", "parent_temperature"):
            self._set(name, _number(name, getattr(self, name), positive=True, infinite=True))
        for name in ("density", "pressure"):
            self._set(name, _number(name, getattr(self, name), positive=name == "density"))
        for name in ("n", "replica", "seed"):
            self._set(name, _whole(name, getattr(self, name)))
        if self.label is not None:
            label = str(self.label).strip()
            if not label or not label.isprintable():
                raise InputError(f"A label is a short line of text, not {self.label!r}.")
            self._set("label", label)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def __hash__(self) -> int:
        return hash(json.dumps(self.to_record(), sort_keys=True))

    # --- records ------------------------------------------------------------------------------------------------

    def to_record(self, model: bool = True) -> dict[str, Any]:
        """Return what is known as plain numbers and text for JSON; an infinite temperature is the text "inf".

        ``model`` leaves that one out, for files that hold its record beside this.
        """
        record: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value in (None, (), Units()) or (field.name == "model" and not model):
                continue
            if isinstance(value, Units):
                value = value.to_dict()
            elif isinstance(value, Ramp):
                value = {key: one for key, one in dataclasses.asdict(value).items() if one is not None}
            elif isinstance(value, Mapping | tuple):
                value = json.loads(json.dumps(value))
            elif isinstance(value, float) and math.isinf(value):
                value = str(value)
            record[field.name] = value
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any], **known: Any) -> Conditions:
        """Undo `to_record`; what a later version may have added is left out.

        Parameters
        ----------
        record : mapping
            From a file.
        **known
            Fields that stand elsewhere in it: ``model``, ``units``.

        Raises
        ------
        InputError
            If a value cannot be what it says.
        """
        found = {field.name: record[field.name] for field in dataclasses.fields(cls) if field.name in record} | known
        if isinstance(units := found.get("units"), Mapping):
            names = {field.name for field in dataclasses.fields(Units)}
            found["units"] = Units(**{key: value for key, value in units.items() if key in names})
        if isinstance(ramp := found.get("ramp"), Mapping):
            found["ramp"] = Ramp(
                *(_number(f"{key} of the ramp", ramp.get(key), positive=True) for key in ("start", "end", "rate"))
            )
        if "several" in found:
            found["several"] = tuple(map(str, found["several"]))
        return cls(**found)

    @classmethod
    def of(cls, dataset: Any) -> Conditions:
        """Return what a result of an analysis says of its states.

        Parameters
        ----------
        dataset : xarray.Dataset
            As an analysis gives it; one that an early version wrote says its temperature only.

        Raises
        ------
        InputError
            If what it says is damaged, or it says two temperatures.
        """
        attrs = dataset.attrs
        record, model, units = (_json(attrs, name) for name in ("conditions", "model", "units"))
        found = cls.from_record(record or {}, **{k: v for k, v in (("model", model), ("units", units)) if v})
        plain = attrs.get("temperature")
        if plain is None and record is None and "temperature" in dataset.variables and not dataset["temperature"].ndim:
            plain = dataset["temperature"].item()
        try:
            plain = _number("temperature", plain, positive=True, infinite=True)
        except InputError:
            plain = None
        if plain is None:
            return found
        return found.merged(cls(temperature=plain), "The result", "its attribute temperature", "remove that attribute")

    def to_attributes(self) -> dict[str, Any]:
        """Return the attributes of a dataset that say this; `of` reads them with those of model and units."""
        record = {name: value for name, value in self.to_record(model=False).items() if name != "units"}
        plain = {} if self.temperature is None else {"temperature": self.temperature}
        return plain | {"conditions": json.dumps(record, sort_keys=True)}

    # --- putting together ---------------------------------------------------------------------------------------

    def merged(self, given: Conditions, source: str, whose: str = "", remedy: str = "leave it out") -> Conditions:
        """Return these, as recorded, with what was given where nothing is recorded; a given label names it anew.

        Parameters
        ----------
        given : Conditions
            Those of its fields that `Given` has.
        source : str
            What recorded these: a file, or what else begins the sentence.
        whose, remedy : str, optional
            Who says the others, the user if it is empty, and what is to be done about a contradiction.

        Raises
        ------
        InputError
            If they contradict each other.
        """
        changes: dict[str, Any] = {}
        for name in Given.parameter_specs():
            value, mine = getattr(given, name), getattr(self, name)
            if value is None:
                continue
            words = _WORDS.get(name, name)
            says = whose or f"--{name.replace('_', '-')} ({name}= in Python)"
            if name == "label":
                changes[name] = value
                continue
            if name in self.several:
                raise InputError(
                    f"{source} has states of more than one {words}, and {says} gives one; select those of one with "
                    f"--start and --stop (start=, stop=), or {remedy}."
                )
            if name == "temperature" and self.ramp is not None:
                raise InputError(
                    f"{source} was made with a ramp of the temperature, {self.ramp}, and {says} gives one "
                    f"temperature; {remedy}."
                )
            if mine is not None and not same_value(mine, value):
                raise InputError(
                    f"{source} records the {words} {_text(mine)}, and {says} says {_text(value)}; {remedy}."
                )
            if mine is None:
                changes[name] = value
        return dataclasses.replace(self, **changes)

    @classmethod
    def joined(cls, parts: Iterable[Conditions]) -> Conditions:
        """Return the conditions of states that were made at these, one or more: what differs is in `several`."""
        first, *others = parts
        differing = [
            field.name
            for field in dataclasses.fields(cls)
            if field.name != "several"
            and any(not same_value(getattr(first, field.name), getattr(one, field.name)) for one in others)
        ]
        several = dict.fromkeys((*(name for one in (first, *others) for name in one.several), *differing))
        if "ramp" in several:  # of which each has its temperatures
            several["temperature"] = None
        blank: dict[str, Any] = {name: Units() if name == "units" else None for name in differing}
        return dataclasses.replace(first, **blank, several=tuple(sorted(several)))

    def quenched(self) -> Conditions:
        """Return the conditions of the inherent structures of these states: their temperature is the parent's."""
        if self.parent_temperature is not None:
            return dataclasses.replace(self, temperature=None)
        several = {"parent_temperature" if name == "temperature" else name for name in self.several}
        return dataclasses.replace(
            self, temperature=None, parent_temperature=self.temperature, several=tuple(sorted(several))
        )

    def in_units(self, units: Units, dimension: int = 3) -> Conditions:
        """Return the same in other units, in a space of so many dimensions; numbers stay where either says nothing."""
        mine = self.units
        if mine == units or not mine.is_stated or not units.is_stated:
            return dataclasses.replace(self, units=units if units.is_stated else mine)
        volume = mine.factor(units, "length") ** dimension
        energy, time = mine.factor(units, "energy"), mine.factor(units, "time")
        kelvin = 1.0
        if mine.temperature != units.temperature and mine.boltzmann is not None and units.boltzmann is not None:
            kelvin = float(f"{mine.boltzmann * energy / units.boltzmann:.14g}")
        factors = {
            "temperature": kelvin,
            "parent_temperature": kelvin,
            "density": 1.0 / volume,
            "pressure": energy / volume,
        }
        changes: dict[str, Any] = {
            name: factor * getattr(self, name) for name, factor in factors.items() if getattr(self, name) is not None
        }
        if self.ramp is not None:
            rate = None if self.ramp.rate is None else self.ramp.rate * kelvin / time
            changes["ramp"] = Ramp(kelvin * self.ramp.start, kelvin * self.ramp.end, rate)
        return dataclasses.replace(self, **changes, units=units)

    # --- asking -------------------------------------------------------------------------------------------------

    @property
    def liquid_temperature(self) -> float | None:
        """Temperature of the liquid: of its states, or of what their inherent structures came from [temperature]."""
        return self.parent_temperature if self.temperature is None else self.temperature

    @property
    def group(self) -> Conditions:
        """What independent runs at the same conditions have in common; a key, equal to rounding of their files.

        Replica and seed are left out, the seed of a model's disorder too, and the temperature at which it was planted
        where that is the temperature of the states.
        """
        model = self.model
        if model is not None and isinstance(parameters := model.get("parameters"), Mapping):
            same = {"seed"}
            if parameters.get("planted_temperature") in (None, self.liquid_temperature):
                same.add("planted_temperature")
            model = {**model, "parameters": {name: one for name, one in parameters.items() if name not in same}}
        rounded: dict[str, Any] = {
            name: None if (value := getattr(self, name)) is None else float(f"{value:.{digits}g}")
            for name, digits in _DIGITS.items()
        }
        several = tuple(name for name in self.several if name not in ("replica", "seed"))
        return dataclasses.replace(self, model=model, replica=None, seed=None, several=several, **rounded)

    @property
    def rank(self) -> tuple:
        """A key by which results are put in order: temperature, density, pressure, N; what is not known comes first."""
        numbers = (self.liquid_temperature, self.density, self.pressure, self.n)
        return (*(-1.0 if number is None else number for number in numbers), self.label or "", str(self))

    def __str__(self) -> str:
        words = [] if self.label is None else [self.label]
        if self.model is not None:
            words.append(str(self.model.get("name") or self.model.get("potential") or "potential"))
        for name in ("n", "density", "temperature", "parent_temperature", "pressure", "ramp", "replica", "seed"):
            if (value := getattr(self, name)) is not None:
                words.append(f"{_WORDS.get(name, name)} {_text(value)}")
        if self.several:
            words.append(f"more than one {', '.join(_WORDS.get(name, name) for name in self.several)}")
        return "; ".join(words) or "nothing is known"


def same_value(one: Any, other: Any) -> bool:
    """Tell whether two statements of a condition say the same, to the digits that files keep."""
    if isinstance(one, float) and isinstance(other, float):
        return one == other or abs(one - other) <= _SAME * max(abs(one), abs(other))
    return one == other


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _number(name: str, value: Any, positive: bool = False, infinite: bool = False) -> float | None:
    if value is None:
        return None
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if math.isnan(number) or (positive and not number > 0) or (math.isinf(number) and not infinite):
        kind = "a positive number" if positive else "a number"
        raise InputError(f"The {_WORDS.get(name, name.replace('_', ' '))} is {kind}, not {value!r}.")
    return number


def _whole(name: str, value: Any) -> int | None:
    if value is None:
        return None
    try:
        number = int(value) if not isinstance(value, bool | numbers.Real) or float(value).is_integer() else -1
    except (TypeError, ValueError):
        number = -1
    if number < (1 if name == "n" else 0) or isinstance(value, bool):
        raise InputError(f"The {_WORDS.get(name, name)} is a whole number from {int(name == 'n')} up, not {value!r}.")
    return number


def _json(attrs: Mapping, name: str) -> Mapping | None:
    text = attrs.get(name)
    if not text:
        return None
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        found = None
    if name == "conditions" and not isinstance(found, Mapping):
        raise InputError("The conditions of a result are damaged (attribute conditions); compute it again.")
    return found if isinstance(found, Mapping) else None
