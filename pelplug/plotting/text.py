"""What a figure says in words: units, numbers with errors, what a band is, and of which states it is."""

from __future__ import annotations

import json
import math
import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pelplug.core.conditions import Conditions
from pelplug.errors import PelplugError
from pelplug.plotting.conditions import of_minima

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

__all__ = ["axis_label", "literal_labels", "number_label", "title_of", "unit_label"]

_LONGEST = 48  # characters of a name from outside
_REDUCED = {"length", "energy", "mass", "time", "rad", "zeta", "dimension", "beta", "k_B"}  # words of reduced units
_SIGMA = (0.68, 0.69)  # probabilities that are called one standard error


def literal_labels(figure: Figure) -> None:
    """Let names that matplotlib would take for broken formulas stand as they are written: species, files, labels.

    Between two dollar signs matplotlib reads a language of its own, and a name from outside may have any character.
    """
    from matplotlib.mathtext import MathTextParser
    from matplotlib.text import Text

    parser = MathTextParser("path")
    for text in figure.findobj(Text):
        try:
            for line in text.get_text().splitlines():  # as matplotlib draws them
                if "$" in line:
                    parser.parse(line)
        except ValueError:
            text.set_parse_math(False)


def shortened(name: str, most: int = _LONGEST) -> str:
    """Return a name from outside, without its middle if it is long."""
    half = (most - 1) // 2
    return name if len(name) <= most else f"{name[:half]}…{name[-half:]}"


# --- units and numbers ------------------------------------------------------------------------------------------


def axis_label(array: xr.DataArray) -> str:
    """Return ``long_name (units)`` of a DataArray."""
    return unit_label(str(array.attrs.get("long_name", array.name)), array)


def unit_label(symbol: str, array: xr.DataArray, what: str = "") -> str:
    """Return a symbol with the unit of a DataArray, for an axis: ``omega (rad / ps)``.

    Parameters
    ----------
    symbol : str
        What stands on the axis.
    array : DataArray
        Whose ``units`` are taken.
    what : str, optional
        More words for behind the unit, such as ``"per particle"``.
    """
    unit = _unit(array)
    return f"{symbol} ({unit}{f' {what}' if what else ''})" if unit else symbol


def number_label(symbol: str, value: xr.DataArray, error: xr.DataArray | None = None) -> str:
    """Return a symbol, its number with as many digits as the error allows, the error, and the unit.

    Parameters
    ----------
    symbol : str
        As ``"$D$"``.
    value : DataArray
        One number.
    error : DataArray, optional
        Of it; without one, or where it is not a number, four digits are written and no error.

    Returns
    -------
    str
        The words of reduced units, which say nothing beside a number, are left out.
    """
    number = float(value)
    wide = math.nan if error is None else float(error)
    exact = not (math.isfinite(number) and math.isfinite(wide) and wide > 0)
    text = (f"{number:.4g}" if exact else _with_error(number, wide)).replace("-", "−", 1 if number < 0 else 0)
    unit = "" if set(re.findall(r"[^\W\d_]+", str(value.attrs.get("units", "")))) <= _REDUCED else _unit(value)
    return f"{symbol} = {text}" + (f" {unit}" if unit else "")


def _with_error(number: float, error: float) -> str:
    """Return both to two digits of the error: ``0.1234 ± 0.0056``."""
    exponent = math.floor(math.log10(max(abs(number), error)))
    last = math.floor(math.log10(error)) - 1
    if -4 < exponent < 5 and last > -8:
        digits = max(-last, 0)
        return f"{number:.{digits}f} ± {error:.{digits}f}"
    scale, digits = 10.0**exponent, max(exponent - last, 0)
    return rf"({number / scale:.{digits}f} ± {error / scale:.{digits}f})$\,\times 10^{{{exponent}}}$"


def _unit(array: xr.DataArray) -> str:
    units = str(array.attrs.get("units", ""))
    return "" if units in ("", "1") else pretty_unit(units)


def pretty_unit(units: str) -> str:
    """Return a unit as it is printed: ``Å$^{2}$ / ps``."""
    raised = re.sub(r"\*\*(?:\(([^()]*)\)|(-?\w+))", lambda found: f"$^{{{found[1] or found[2]}}}$", units)
    return raised.replace("zeta", r"$\zeta$").replace("Angstrom", "Å").replace(" * ", " ")


# --- what a band is ---------------------------------------------------------------------------------------------


def error_sentence(found: Sequence[dict[str, Any]]) -> str:
    """Return what errors say of themselves, those of several results in one: ``90 %, bootstrap over 5 to 8 runs``.

    Parameters
    ----------
    found : sequence of dict
        ``error_method``, ``confidence`` and ``samples``, the least and the largest number; all of one method.
    """
    first = found[0]
    confidence = float(first["confidence"])
    wide = "one standard error" if _SIGMA[0] <= confidence <= _SIGMA[1] else f"{100 * confidence:.3g} %"
    numbers = np.array([one["samples"] for one in found if one["samples"] is not None], dtype=float)
    # What stands behind a semicolon is for the file.
    method, over, what = str(first["error_method"]).partition(";")[0].partition(" over ")
    if wide == "one standard error" and method == "standard error":
        method = ""
    if over and numbers.size and not re.match(r"\d", what):
        low, high = (f"{number:.0f}" if number >= 10 else f"{number:.2g}" for number in (numbers.min(), numbers.max()))
        what = f"{low if low == high else f'{low} to {high}'} {what}"
    how = f"{method} over {what}" if method and over else what if over else method
    return f"{wide}, {how}" if how else wide


def stated(error: xr.DataArray | Any, dataset: xr.Dataset, shown: np.ndarray | None = None) -> dict[str, Any] | None:
    """Return what a variable says of the errors in it; None where it says nothing."""
    attributes = getattr(error, "attrs", {})
    if not attributes.get("error_method"):
        return None
    samples: Any = attributes.get("effective_samples")
    if isinstance(samples, str):
        array = dataset.get(samples)
        if array is not None:  # the part of it that the error is of: one kind, one frequency
            there = {dim: error.coords[dim].values for dim in array.dims if dim in error.coords}
            array = array.sel({dim: at for dim, at in there.items() if at.ndim == 0})
        values = np.array([]) if array is None else np.asarray(array.values, dtype=float)
        if shown is not None and values.shape == shown.shape:  # by lag or bin
            values = values[shown]
        values = values[np.isfinite(values)]
        samples = (values.min(), values.max()) if values.size else None
    elif samples is not None:
        samples = (float(samples), float(samples)) if np.isfinite(float(samples)) else None
    return {
        "error_method": str(attributes["error_method"]),
        "confidence": float(attributes.get("confidence", 0.6827)),
        "samples": samples,
    }


# --- of which states --------------------------------------------------------------------------------------------


def title_of(datasets: Sequence[xr.Dataset], width: int = 0, count: str = "") -> str:
    """Return one line that says of which states results are: model, N, temperature, density, how many.

    Parameters
    ----------
    datasets : sequence of Dataset
        Results; what they do not share is given as a range, or left to the legend.
    width : int, optional
        Characters in a line.
    count : str, optional
        How many states, where the result does not say.
    """
    conditions = [_conditions(one) for one in datasets]
    minima = [of_minima(one) for one in datasets]
    theory = {str(one.attrs.get("analysis")) for one in datasets if one.attrs.get("collection") == "[]"}  # of no states
    names = ", ".join(sorted(theory)) if theory else _name(conditions)
    sizes = [size for one, said in zip(datasets, conditions, strict=True) for size in _sizes(one, said)]
    several = any("n" in one.several for one in conditions)
    parts = [names, _number("$N$", sizes, "" if theory else "several $N$" if several else "N not stated")]
    temperatures = [_temperatures(one, said) for one, said in zip(datasets, conditions, strict=True)]
    units = conditions[0].units
    stated_units = units.is_stated and all(one.units == units for one in conditions)
    kelvin = f" {units.temperature}" if stated_units and units.temperature != "temperature" else ""
    kelvin = " K" if kelvin and units.temperature == "K" else kelvin
    parents = [
        of_minima or (said.temperature is None and said.parent_temperature is not None)
        for of_minima, said in zip(minima, conditions, strict=True)
    ]
    symbol = "$T_p$" if all(parents) else "$T$"
    ramps = {str(one.ramp) for one in conditions if one.ramp is not None}
    if ramps:
        parts.append(f"{symbol} from {ramps.pop()}" if len(ramps) == 1 else f"{symbol} ramped")
    else:
        several = any("temperature" in one.several or "parent_temperature" in one.several for one in conditions)
        none = f"{symbol} differs" if several else "" if theory else f"{symbol} not stated"
        parts.append(_number(symbol, [value for some in temperatures for value in some], none, kelvin))
    volume = f" / {pretty_unit(units.length)}" if stated_units and units.length not in (None, "length") else ""
    densities = [one.density for one in conditions]
    dimension = {_dimension(one) for one in datasets}
    power = dimension.pop() if len(dimension) == 1 else None
    if None not in densities and not (volume and power is None):  # without its unit a density would be another
        parts.append(_number(r"$\rho$", densities, "", f"{volume}$^{{{power}}}$" if volume else ""))
    parts.append(_runs(datasets))
    parts.append(count or _count(datasets, all(minima)))
    labels = {one.label for one in conditions if one.label}
    if len(datasets) == 1 and labels:
        parts.insert(0, shortened(labels.pop()))
    parts = [part for part in parts if part]
    return _lines(parts, width)


def _lines(parts: list[str], width: int) -> str:
    lines = [""]
    for part in parts:
        joined = f"{lines[-1]}, {part}" if lines[-1] else part
        if width and lines[-1] and len(re.sub(r"[$\\{}^]|rho", "", joined)) > width:
            lines[-1] += ","
            joined = part
            lines.append("")
        lines[-1] = joined
    return "\n".join(lines)


def wrapped(text: str, width: int) -> str:
    """Return a sentence in lines of a width."""
    return "\n".join(textwrap.wrap(text, width, break_long_words=False))


def _conditions(dataset: xr.Dataset) -> Conditions:
    try:
        return Conditions.of(dataset)
    except PelplugError:  # a figure is drawn of a damaged record too
        return Conditions()


def _name(conditions: Sequence[Conditions]) -> str:
    names = []
    for one in conditions:
        record = one.model or {}
        name = record.get("name") or record.get("provider") or record.get("model")
        unknown = "several models" if "model" in one.several else "model not stated"
        names.append(shortened(str(name)) if name else unknown)
    names = list(dict.fromkeys(names))
    return ", ".join(names) if len(names) < 4 else f"{len(names)} models"


def _temperatures(dataset: xr.Dataset, conditions: Conditions) -> list[float]:
    if conditions.liquid_temperature is not None:
        return [conditions.liquid_temperature]
    for name in ("temperature", "parent_temperature"):  # a study over them
        if name in dataset.variables and dataset[name].ndim == 1 and dataset[name].dtype.kind in "fiu":
            return [float(value) for value in dataset[name].values]
    return []


def _sizes(dataset: xr.Dataset, conditions: Conditions) -> list[int | None]:
    """Return N, or those of a study over several."""
    if conditions.n is None and "particles" in dataset.coords and dataset["particles"].ndim == 1:
        return [int(value) for value in dataset["particles"].values]
    return [conditions.n]


def _number(symbol: str, values: Sequence[Any], none: str, unit: str = "") -> str:
    known = sorted({float(f"{value:.6g}") for value in values if value is not None})
    if not known:
        return none
    if len(known) == 1:
        return f"{symbol} = {known[0]:.10g}{unit}"
    return f"{symbol} = {known[0]:.10g} to {known[-1]:.10g}{unit}"


def _count(datasets: Sequence[xr.Dataset], minima: bool) -> str:
    if any(one.attrs.get("task") == "study" for one in datasets):
        return ""
    if len(datasets) > 1:
        counts = {_count([one], minima) for one in datasets}
        return f"{counts.pop()} each" if len(counts) == 1 and counts != {""} else ""
    (dataset,) = datasets
    parts = []
    if "frame" in dataset.sizes:
        number = dataset.sizes["frame"]
        parts.append(_plural(number, "inherent structure" if minima else "frame"))
    if "replica" in dataset.sizes:
        parts.append(f"{_plural(dataset.sizes['replica'], 'run')} each")
    return ", ".join(parts)


def _runs(datasets: Sequence[xr.Dataset]) -> str:
    """Return of how many trajectories each result is, where that is more than one."""
    if any(one.attrs.get("task") == "study" for one in datasets):
        return ""
    numbers = {_trajectories(one) for one in datasets}
    number = numbers.pop() if len(numbers) == 1 else 0
    return f"{_plural(number, 'run')}{' each' if len(datasets) > 1 else ''}" if number > 1 else ""


def _trajectories(dataset: xr.Dataset) -> int:
    if "run" in dataset.coords and dataset["run"].dims == ("frame",):
        return len(np.unique(dataset["run"].values))
    try:
        return len(json.loads(dataset.attrs.get("trajectories") or "[]"))
    except (TypeError, ValueError):  # a damaged record
        return 0


def _plural(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _dimension(dataset: xr.Dataset) -> int | None:
    return dataset.sizes.get("dimension")
