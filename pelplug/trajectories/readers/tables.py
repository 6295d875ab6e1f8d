"""Tables of numbers with a header: CSV, columns, and the tables that simulation programs write."""

from __future__ import annotations

import csv
import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np

from pelplug.errors import InputError
from pelplug.trajectories.energy_file import EnergyFile, EnergyRows, EnergyRun

__all__ = ["read_cp2k", "read_energy_table", "read_xvg"]

_NAMES = ("potential_energy", "potential", "poteng", "pe", "epot", "e_pot", "u", "energy", "c_thermo_pe", "v_pe")
_TOTAL, _EACH = ("total", "extensive"), ("per_particle", "per_atom", "/n", "/atom", "/particle")
_STEPS, _TIMES = ("step", "timestep"), ("time", "t", "time/ps", "time/fs", "time/ns")
_NO_ENERGY = ("temp", "press", "volume", "density", "box-", "pres-", "vir-")
_AVERAGED = "# Time-averaged data for fix"
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+([eE][-+]?\d+)?")
_LOOSE = 1e-3


@dataclasses.dataclass
class _Layout:
    """How the rows of a table are read."""

    path: Path
    names: list[str]
    delimiter: str | None
    clock: int
    energy: int
    skip: int
    second: int | None = None
    comma: bool = False


def read_energy_table(path: Path, head: str, column: str, instantaneous: bool = False) -> EnergyFile:
    """Read a table: comma, semicolon, tab or blanks between columns, names in the first line or after a ``#``.

    Parameters
    ----------
    path : Path
    head : str
        How the file begins.
    column : str
        Name of the energy's column; ``auto`` for what is called a potential energy.
    instantaneous : bool
        Whether the entries of a file of LAMMPS's `fix ave/time` are of single steps.

    Raises
    ------
    InputError
        If there is no header, no such column, or a row is damaged.
    """
    if head.startswith(_AVERAGED):
        _check_averages(path, head, instantaneous)
    names, delimiter, skip = _header(path, head)
    bare = [re.sub(r"[(\[].*", "", name).strip().lower() for name in names]
    # The names of HOOMD-blue's tables begin with where a quantity is from.
    last = [name.rpartition(".")[2] for name in bare]
    steps = [k for k, name in enumerate(last) if name in _STEPS]
    times = [k for k, name in enumerate(bare) if name in _TIMES]
    if not steps and not times:
        raise InputError(f"{path} has no column step or time among {', '.join(names)}; add one.")
    energy = _energy(path, names, bare, last, column)
    layout = _Layout(path, names, delimiter, (steps or times)[0], energy, skip)
    if steps and times:
        layout.second = times[0]
    runs = _runs(layout)
    label = names[energy].lower().replace(" ", "_")
    extensive = None
    if any(word in label for word in (*_TOTAL, *_EACH)):
        extensive = not any(word in label for word in _EACH)
    elif "thermodynamicquantities" in label or {"epot[ev]", "etot[ev]", "ekin[ev]", "t[k]"} <= {
        n.lower() for n in names
    }:
        extensive = True  # HOOMD-blue's own log and ASE's
    unit = re.search(r"[(\[](.*?)[)\]]", names[energy])
    time_unit = re.search(r"[(\[](.*?)[)\]]|/(\w+)$", names[times[0]]) if times else None
    for run in runs:
        run.extensive, run.units = extensive, unit.group(1) if unit else run.units
        run.energy_unit = unit.group(1) if unit else None
        run.time_unit = (time_unit.group(1) or time_unit.group(2)) if time_unit and run.time_step is not None else None
    return EnergyFile(str(path), runs)


def _check_averages(path: Path, head: str, instantaneous: bool) -> None:
    if "Number-of-rows" in head.partition("\n")[2].partition("\n")[0]:
        raise InputError(f"{path} holds vectors of fix ave/time, no energies; give a file of scalars.")
    if not instantaneous:
        raise InputError(
            f"{path} is of LAMMPS's fix ave/time, which averages over Nrepeat steps, and averages fluctuate less; if "
            "Nrepeat was 1, say so with --instantaneous, else give the log of the run."
        )


def _header(path: Path, head: str) -> tuple[list[str], str | None, int]:
    """Return the names of the columns, what divides them, and how many lines come before the first row."""
    lines = head.splitlines()
    filled = [k for k, line in enumerate(lines) if line.strip()]
    if not filled:
        raise InputError(f"{path} is empty; check that the run got so far.")
    comments = []
    for k in filled:
        if not lines[k].lstrip().startswith("#"):
            break
        comments.append(k)
    first = next((k for k in filled if k not in comments), None)
    if comments and first is not None:
        width = len(_split(lines[first], _delimiter(lines[first])))
        for k in reversed(comments):
            names = _names(lines[k])
            if len(names) == width:
                return names, _delimiter(lines[first]), first
        if all(_number(word) is not None for word in _split(lines[first], _delimiter(lines[first]))):
            k = comments[-1]
            return _names(lines[k]), _delimiter(lines[first]), first
    k = filled[0] if first is None else first
    names = _names(lines[k])
    if not names or all(_number(name) is not None for name in names):
        raise InputError(
            f"{path} has no header; write the names of its columns into the first line, such as step,potential_energy."
        )
    return names, _delimiter(lines[k]), k + 1


def _delimiter(line: str) -> str | None:
    return next((mark for mark in ";\t," if mark in line), None)


def _names(line: str) -> list[str]:
    text, delimiter = line.strip().lstrip("\ufeff").lstrip("#").strip(), _delimiter(line)
    if delimiter is None:
        # A unit in brackets may stand apart from its name.
        return [name.strip("\"'") for name in re.findall(r"\S+(?:\s+\[[^\]]*\]|\s+\([^)]*\))?", text)]
    if line.startswith(delimiter):  # an index column without a name, as pandas writes it
        text = line.rstrip("\n")
    return [name.strip().strip("\"'") for name in next(csv.reader([text], delimiter=delimiter))]


def _split(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return line.split()
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter))]


def _energy(path: Path, names: list[str], bare: list[str], last: list[str], column: str) -> int:
    if column != "auto":
        if column not in names:
            raise InputError(f"{path} has no column {column!r}; it has {', '.join(names)}.")
        return names.index(column)
    found = [k for k, name in enumerate(last) if name == "potential_energy"]
    if len(found) > 1 and len({names[k] for k in found}) > 1:
        several = ", ".join(names[k] for k in found)
        raise InputError(f"{path} has several potential energies, {several}; choose one with --column.")
    found = found or [k for wanted in _NAMES for k, name in enumerate(bare) if _plain(name) == wanted]
    if not found:
        raise InputError(
            f"{path} has no column potential_energy among {', '.join(names)}; name the column with --column."
        )
    return found[0]


def _plain(name: str) -> str:
    """Return a column's name without the words that say whether it is per particle."""
    name = name.replace(" ", "_")
    for word in (*_TOTAL, *_EACH):
        name = name.replace(word, "")
    return re.sub("_+", "_", name).strip("_")


def _runs(layout: _Layout) -> list[EnergyRun]:
    """Read all rows; where the clock goes back, or the header comes again, another run begins."""
    runs: list[EnergyRun] = []
    times: list[float] = []
    rows, short = EnergyRows(), None

    def end() -> None:
        nonlocal rows, times
        if len(rows):
            runs.append(_run(layout, *rows.arrays(), np.array(times)))
        rows, times = EnergyRows(), []

    with open(layout.path, encoding="utf-8-sig", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if number <= layout.skip or not line.strip():
                continue
            if short is not None:
                raise InputError(short)
            if line.lstrip().startswith("#"):
                continue
            words = _split(line, layout.delimiter)
            if words == layout.names or _names(line) == layout.names:
                end()
                continue
            values = _values(layout, words)
            if values is None:
                short = f"Line {number} of {layout.path} is not {len(layout.names)} numbers; mend or remove it."
                if line.endswith("\n") or len(words) >= len(layout.names):
                    raise InputError(short)
                continue  # the last line of a run that was killed
            at, energy, time = values
            if len(rows) and at <= rows.last:
                end()
            rows.add(at, energy)
            if time is not None:
                times.append(time)
    end()
    if not runs:
        runs = [_run(layout, np.array([]), np.array([]), np.array([]))]
    return runs


def _values(layout: _Layout, words: list[str]) -> tuple[float, float, float | None] | None:
    if len(words) != len(layout.names):
        return None
    wanted = [layout.clock, layout.energy, *([] if layout.second is None else [layout.second])]
    cells = [words[k] for k in wanted]
    if layout.delimiter != ",":
        cells = [cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell for cell in cells]
    values: list[Any] = [_number(cell) for cell in cells]
    if any(value is None for value in values):
        return None
    return values[0], values[1], values[2] if len(values) > 2 else None


def _run(layout: _Layout, at, energy, times) -> EnergyRun:
    bare = re.sub(r"[(\[].*", "", layout.names[layout.clock]).strip().lower()
    if bare.rpartition(".")[2] not in _STEPS:
        return EnergyRun(at, energy, time_step=1.0)
    if len(times) > 1 and at[-1] > at[0]:
        step = (times[-1] - times[0]) / (at[-1] - at[0])
        spacing = step * (at[1] - at[0])
        if step > 0 and np.all(np.abs(times - times[0] - step * (at - at[0])) < _LOOSE + 0.05 * spacing):
            return EnergyRun(at, energy, time_step=float(f"{step:.7g}"))
        return EnergyRun(times, energy, time_step=1.0)
    return EnergyRun(at, energy)


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


# --- programs ---------------------------------------------------------------------------------------------------------


def read_xvg(path: Path, column: str) -> EnergyFile:
    """Read an XVG file of ``gmx energy``: names from its legends, units from the labels of its axes.

    Raises
    ------
    InputError
        If it has no such legend, or is not of energies over time.
    """
    legends, axes, rows, molecules, sets = {}, {}, [], 1, 1
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            text = line.strip()
            if text.startswith("#"):
                if found := re.search(r"\bgmx\S* energy\b.*\s-nmol\s+(\d+)", text):
                    molecules = int(found.group(1))
            elif text.startswith("@"):
                if found := re.match(r'@\s*s(\d+)\s+legend\s+"(.*)"', text):
                    legends[int(found.group(1))] = found.group(2)
                elif found := re.match(r'@\s*([xy])axis\s+label\s+"(.*)"', text):
                    axes[found.group(1)] = found.group(2)
            elif text == "&":
                sets += 1
            elif text:
                values = [_number(word) for word in text.split()]
                if None in values or (rows and len(values) != len(rows[0])):
                    if not line.endswith("\n"):
                        continue  # cut off
                    raise InputError(f"Line {number} of {path} is not a row of numbers; write the file anew.")
                rows.append(values)
    if sets > 1 and rows and len(rows[0]) == 2 and len(legends) > 1:
        raise InputError(f"{path} holds its sets one after the other; write it with gmx energy.")
    names = [legends.get(k, "") for k in range(len(rows[0]) - 1)] if rows else []
    wanted = "Potential" if column == "auto" else column
    if wanted not in names:
        known = ", ".join(name for name in names if name) or "none"
        raise InputError(
            f"{path} has no legend {wanted!r}; it has {known}: name another with --column, or write Potential with gmx "
            "energy."
        )
    clock = re.match(r"Time\s*\((\w+)\)", axes.get("x", ""))
    if clock is None:
        raise InputError(f"The x axis of {path} is {axes.get('x', 'not labelled')!r}, not a time; give another.")
    if "kJ/mol" not in axes.get("y", "") or wanted.lower().startswith(_NO_ENERGY):
        raise InputError(f"{wanted} of {path} is no energy in kJ/mol; name another with --column.")
    table = np.array(rows, dtype=float)
    run = EnergyRun(table[:, 0], molecules * table[:, 1 + names.index(wanted)], time_step=1.0, extensive=True)
    run.units = f"kJ/mol, times in {clock.group(1)}"
    run.energy_unit, run.time_unit = "kJ/mol", clock.group(1)
    return EnergyFile(str(path), [run])


def read_cp2k(path: Path, column: str) -> EnergyFile:
    """Read the ``.ener`` file of CP2K: total energies in Hartree, times in fs.

    Raises
    ------
    InputError
        If it has no such column, or a row is damaged.
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        header = file.readline()
        # Names have single blanks in them, and a number in their bracket belongs to them.
        names = [name.strip() for name in re.split(r"\s{2,}|(?<=\])\s+", header.lstrip("# ").strip()) if name.strip()]
        wanted = "Pot.[a.u.]" if column == "auto" else column
        if wanted not in names or "[a.u.]" not in wanted:
            raise InputError(f"{path} has no energy {wanted!r}; it has {', '.join(names)}.")
        clock = next((k for k, name in enumerate(names) if name.startswith("Time")), None)
        unit = re.search(r"\[(\w+)\]", names[clock]) if clock is not None else None
        if unit is None:
            raise InputError(f"{path} has no column of times with its unit; give the .ener file as CP2K wrote it.")
        place, runs, rows = names.index(wanted), [], EnergyRows()
        for number, line in enumerate(file, 2):
            values: list[Any] = [_number(word) for word in line.split()]
            if not values or line.lstrip().startswith("#"):
                continue
            if None in values or len(values) != len(names):
                if not line.endswith("\n"):
                    continue  # cut off
                raise InputError(f"Line {number} of {path} is not {len(names)} numbers; mend or remove it.")
            if len(rows) and values[clock] <= rows.last:
                runs.append(rows)
                rows = EnergyRows()
            rows.add(values[clock], values[place])
        runs.append(rows)
    made = [EnergyRun(*one.arrays(), time_step=1.0, extensive=True) for one in runs]
    for run in made:
        run.units = f"Hartree, times in {unit.group(1)}"
        run.energy_unit, run.time_unit = "Hartree", unit.group(1)
    return EnergyFile(str(path), made)
