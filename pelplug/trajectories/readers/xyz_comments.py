"""Comment lines of XYZ files in the dialects of several programs, put into the words of extended XYZ.

Read are what ASE, OVITO, QUIP and GPUMD write (``Lattice="..." Properties=... Time=...``), atooms
(``step:10 columns:id,x,y,z dt:0.001 cell:8.0,8.0,8.0``), RUMD (``ioformat=2 timeStepIndex=10
sim_box=RectangularSimulationBox,8,8,8 columns=type,x,y,z,imx,imy,imz``), CP2K (``i = 10, time = 0.500, E = -1.0``),
LAMMPS (``Atoms. Timestep: 10``) and i-PI (``# CELL(abcABC): ... Step: 10 Bead: 0 positions{angstrom}``).
"""

from __future__ import annotations

import re

import numpy as np
from MDAnalysis.lib.mdamath import triclinic_vectors

from pelplug.errors import InputError

__all__ = ["describe_comment", "masses_of", "parse_comment", "step_of", "time_of"]

_PAIR = re.compile(r"""([A-Za-z_][\w-]*)\s*=\s*("(?:\\.|[^"\\])*"|'[^']*'|\{[^}]*\}|\[[^\]]*\]|\S+)""")
# Only these are read where a colon stands for the sign: text may hold other colons.
_COLON = re.compile(
    r"\b(step|timestep|time|dt|cell|side|columns|mass|md iter|iteration|ndim)\s*:\s*([^\s:]+)", re.IGNORECASE
)
_TIMESTEP = re.compile(r"timestep\s+(\d+)", re.IGNORECASE)
_IPI_CELL = re.compile(r"CELL[({](abcABC|H|GENH)[)}]:?\s*((?:[-+.\deE]+\s+){5,8}[-+.\deE]+)")
_IPI_UNIT = re.compile(r"\b([A-Za-z_]+)\{(\w+)\}")
_BOHR = 0.529177210903  # Å, CODATA 2018
_LENGTHS = {"angstrom": 1.0, "atomic_unit": _BOHR, "nanometer": 10.0}
_STEPS = ("step", "timestep", "timestepindex", "md iter", "iteration", "i")  # i: CP2K's
_TIMES = ("time", "t")
# Columns of atooms and RUMD: the name in `Properties`, its kind, and how many of them (0: as many as dimensions).
_AXES = ("x", "y", "z")
_WORDS = {
    "species": "species:S:1",
    "name": "species:S:1",
    "type": "type:S:1",
    "position": "pos:R:0",
    "pos": "pos:R:0",
    "position_unfolded": "unwrapped_position:R:0",
    "velocity": "velo:R:0",
    "vel": "velo:R:0",
    "radius": "radius:R:1",
    "diameter": "diameter:R:1",
    "mass": "mass:R:1",
}
_VECTORS = {"x": "pos", "vx": "velo", "imx": "map_shift"}


def parse_comment(comment: str) -> dict[str, str]:
    """Return the ``key=value`` and ``key:value`` pairs of a comment line, keys in lower case, quotes taken off."""
    pairs = {}
    for key, value in _PAIR.findall(comment):
        if len(value) > 1 and value[0] in "\"'{[":
            value = value[1:-1]
        pairs[_lower(key)] = value.rstrip(",;")
    outside = _PAIR.sub(" ", comment)
    for key, value in _COLON.findall(outside):
        pairs.setdefault(_lower(key), value.rstrip(",;"))
    if match := _TIMESTEP.search(outside):
        pairs.setdefault("timestep", match.group(1))
    return pairs


def _lower(key: str) -> str:
    """Return a key in lower case; single letters stay as they are, since t is a time and T a temperature."""
    return key if len(key) == 1 else key.lower()


def describe_comment(comment: str) -> dict[str, str]:
    """Return the pairs of a comment line with the cell as ``lattice`` and the columns as ``properties``.

    Raises
    ------
    InputError
        If a box or a list of columns is there and cannot be understood, or the frame does not hold positions.
    """
    pairs = parse_comment(comment)
    if "lattice" not in pairs:
        cell = _cell_of_dialect(comment, pairs)
        if cell is not None:
            pairs["lattice"] = " ".join(repr(float(one)) for one in cell.ravel())
    if "columns" in pairs and "properties" not in pairs:
        pairs["properties"] = _properties(pairs)
    return pairs


def step_of(pairs: dict[str, str]) -> int | None:
    """Return the simulation step, None if the comment has none."""
    for key in _STEPS:
        if key in pairs and (key != "i" or "E" in pairs or "time" in pairs):
            value = _number(pairs[key])
            return None if value is None or value != int(value) else int(value)
    return None


def time_of(pairs: dict[str, str]) -> float | None:
    """Return the time: recorded itself, else the step times the time step that stands beside it; None without."""
    for key in _TIMES:
        if (value := _number(pairs.get(key))) is not None:
            return value
    integrator = pairs.get("integrator", "").split(",")
    step = step_of(pairs)
    time_step = _number(pairs.get("dt", integrator[1] if len(integrator) > 1 else None))
    return None if time_step is None or step is None or time_step <= 0 else time_step * step


def masses_of(pairs: dict[str, str], labels: np.ndarray | None) -> np.ndarray | None:
    """Return masses that the comment lists type by type, for each particle; None if it does not.

    RUMD counts types from zero; atooms lists masses in the order of the sorted names.
    """
    values = [_number(word) for word in pairs.get("mass", "").split(",") if word]
    if labels is None or not values or None in values or not {"numtypes", "columns"} & set(pairs):
        return None
    names, index = np.unique(labels, return_inverse=True)
    if all(name.isdigit() and int(name) < len(values) for name in names.tolist()):
        return np.array([values[int(name)] for name in names])[index]
    return np.array(values)[index] if len(values) == len(names) else None


def _number(text: str | None) -> float | None:
    try:
        value = float(text)
    except (TypeError, ValueError):
        return None
    return value if np.isfinite(value) else None


def _cell_of_dialect(comment: str, pairs: dict[str, str]) -> np.ndarray | None:
    """Cell vectors (rows) of atooms, RUMD and i-PI."""
    if match := _IPI_CELL.search(comment):
        return _ipi_cell(match, comment)
    for key in ("boxlengths", "sim_box", "cell", "side"):
        if key not in pairs:
            continue
        words = [word for word in re.split(r"[\s,]+", pairs[key].strip("[]() ")) if word]
        kind = words.pop(0) if key == "sim_box" and words and _number(words[0]) is None else "RectangularSimulationBox"
        numbers = [_number(word) for word in words]
        if kind != "RectangularSimulationBox" or None in numbers or len(numbers) not in (2, 3, 4, 5, 6, 9):
            if key == "cell":  # a word of another program, not a box
                continue
            raise InputError(
                f"its box {key}={pairs[key]} is not understood; pass a topology with a box (--topology), or write the "
                'frames as extxyz with Lattice="...".'
            )
        return np.array(numbers).reshape(3, 3) if len(numbers) == 9 else np.diag(numbers)
    return None


def _ipi_cell(match, comment: str) -> np.ndarray:
    kind, numbers = match.group(1), np.array(match.group(2).split(), dtype=np.float64)
    units = {name.lower(): unit.lower() for name, unit in _IPI_UNIT.findall(comment)}
    holds = [name for name in units if name != "cell"]
    if holds and not any(name in ("positions", "position", "x_centroid") for name in holds):
        raise InputError(f"it holds {holds[0]} of i-PI, not positions; give the file of positions.")
    scale = 1.0
    if holds and "cell" in units and units["cell"] != units[holds[0]]:
        known = [_LENGTHS.get(units["cell"]), _LENGTHS.get(units[holds[0]])]
        if None in known:
            raise InputError(f"its units {units['cell']} and {units[holds[0]]} are not known; write both in angstrom.")
        scale = known[0] / known[1]
    if kind == "abcABC":
        if numbers.size != 6:
            raise InputError("CELL(abcABC) needs three lengths and three angles; repair the comment line.")
        lengths = np.array([*(scale * numbers[:3]), *numbers[3:]])
        cell = triclinic_vectors(lengths, dtype=np.float64)
        cell[np.abs(cell) < 1e-14 * lengths[:3].max()] = 0.0
        return cell
    if numbers.size != 9:
        raise InputError(f"CELL({kind}) needs nine numbers; repair the comment line.")
    return scale * numbers.reshape(3, 3).T  # its columns are the cell vectors


def _properties(pairs: dict[str, str]) -> str:
    """Columns of atooms and RUMD as the ``Properties`` of extended XYZ."""
    words = [word.rpartition(".")[2] for word in re.split(r"[\s,]+", pairs["columns"].strip("[]() ")) if word]
    dimension = _dimension(pairs, words)
    named = {"species", "name", "type"} & set(words)
    found, place = [], 0
    while place < len(words):
        word = words[place]
        if word in _VECTORS:
            prefix = word[:-1]
            axes = [f"{prefix}{axis}" for axis in _AXES]
            width = sum(1 for one, axis in zip(words[place : place + 3], axes, strict=False) if one == axis)
            found.append(f"{_VECTORS[word]}:{'I' if prefix == 'im' else 'R'}:{width}")
            place += width
            continue
        if word == "id" and not named:  # atooms calls the species so
            found.append("species:S:1")
        elif word in _WORDS:
            found.append(re.sub(":0$", f":{dimension}", _WORDS[word]))
        else:
            found.append(f"{'id' if word == 'id' else 'other_' + word}:{'I' if word == 'id' else 'R'}:1")
        place += 1
    return ":".join(found)


def _dimension(pairs: dict[str, str], words) -> int:
    """How many coordinates a vector has: as many as the box has lengths, where columns do not say."""
    if (value := _number(pairs.get("ndim"))) is not None:
        return int(value)
    numbers = len(pairs["lattice"].split()) if "lattice" in pairs else 9
    return {4: 2, 9: 3}.get(numbers, round(numbers**0.5))
