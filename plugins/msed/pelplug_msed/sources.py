"""Where energies come from: the log of a trajectory, a LAMMPS log, a GROMACS EDR file, a table, or a model."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import pelplug
from pelplug_msed.series import Chunk, Origin

__all__ = ["open_file", "open_trajectory_log"]

_ROWS = 65_536
_POTENTIAL = ("PotEng", "c_thermo_pe", "v_pe", "pe")
_NAMES = ("potential_energy", "potential", "poteng", "pe", "epot", "e_pot", "u", "energy")
_TOTAL, _EACH = ("total", "extensive"), ("per_particle", "per_atom")
_ENERGIES = "pelplug/energies"
_TIME_STEPS = {"lj": 0.005, "real": 1.0, "metal": 0.001, "si": 1e-8, "cgs": 1e-8, "electron": 0.001}  # LAMMPS's own


def open_trajectory_log(trajectory, labels, column: str) -> tuple[Origin, Iterator[Chunk]] | None:
    """Return the energies that a trajectory has logged, None if it has none.

    Parameters
    ----------
    trajectory : Trajectory
        A file of `pelplug simulate`, or one that logs an energy with each frame, as HOOMD-blue does.
    labels : ndarray of int
        Frames. The series that pelplug logs between frames is taken from the first to the last of them; of others,
        these frames alone.
    column : str
        Name of the logged quantity; ``auto`` for what is called a potential energy.
    """
    record = trajectory.simulation_record or {}
    origin = Origin(str(trajectory.path), time_step=trajectory.dt or record.get("time_step"), n=trajectory.n)
    origin.extensive = True
    if record.get("end_temperature") is None:
        origin.temperature = record.get("temperature")
    first = trajectory.log(int(labels[0]))
    if f"{_ENERGIES}/step" in first and column == "auto":
        return origin, _pelplug_log(trajectory, labels)
    known = [
        name
        for name, value in first.items()
        if not name.startswith(("pelplug/", "particles/"))
        and np.size(value) == 1
        and np.asarray(value).dtype.kind in "fiu"
    ]
    if column != "auto":
        if column not in known:
            raise pelplug.InputError(
                f"{trajectory.path} logs no number {column!r}; it logs {', '.join(known) or 'none'}."
            )
        return origin, _frame_log(trajectory, labels, column)
    found = [name for name in known if name.rpartition("/")[2] == "potential_energy"]
    if len(found) > 1:
        raise pelplug.InputError(
            f"{trajectory.path} logs several potential energies, {', '.join(found)}; choose one with --column."
        )
    return (origin, _frame_log(trajectory, labels, found[0])) if found else None


def _pelplug_log(trajectory, labels) -> Iterator[Chunk]:
    start, stop = int(labels[0]), int(labels[-1]) + 1
    least = None if start == 0 else trajectory.configuration(start).step
    for label in range(start, stop):
        log = trajectory.log(label)
        step, energy = np.asarray(log[f"{_ENERGIES}/step"]), np.asarray(log[f"{_ENERGIES}/potential_energy"])
        kept = slice(None) if least is None else step >= least
        yield Chunk(step[kept], energy[kept])


def _frame_log(trajectory, labels, name) -> Iterator[Chunk]:
    for label in labels:
        step, value = trajectory.configuration(int(label)).step, trajectory.log(int(label)).get(name)
        if step is None or value is None:
            raise pelplug.InputError(f"Frame {label} of {trajectory.path} has no step or no {name}; leave it out.")
        yield Chunk(np.array([step]), np.asarray(value, dtype=float).reshape(1))


def open_file(path, column: str, block: str | int) -> tuple[Origin, Iterator[Chunk]]:
    """Return the energies of a file that holds no particles.

    Parameters
    ----------
    path : Path
        LAMMPS log, GROMACS EDR, or a table of numbers with a header (CSV, or columns divided by blanks).
    column : str
        Name of the column; ``auto`` for the potential energy.
    block : "all" or int
        Which run of a LAMMPS log.

    Raises
    ------
    InputError
        If the file cannot be read, or has no such column.
    """
    path = Path(path)
    if not path.is_file():
        raise pelplug.InputError(f"There is no file {path}; check its name.")
    if path.suffix.lower() == ".edr":
        return _edr(path, column)
    try:
        with open(path, encoding="utf-8", errors="strict") as file:
            head = file.read(100_000)
    except UnicodeDecodeError:
        raise pelplug.InputError(
            f"{path} is not a text file; energies are read from LAMMPS logs, EDR files, and tables with a header."
        ) from None
    except OSError as error:
        raise pelplug.InputError(f"{path} cannot be read ({error.strerror}); check its permissions.") from None
    if re.search(r"^(LAMMPS \(|Per MPI rank memory|thermo(_style|_modify)?\s|Loop time of)", head, re.MULTILINE):
        origin = Origin(str(path), unit="that of the LAMMPS run")
        return origin, _lammps(path, column, block, origin)
    origin = Origin(str(path), unit="that of the file")
    return origin, _table(path, head, column, origin)


# --- LAMMPS -----------------------------------------------------------------------------------------------------------


def _lammps(path: Path, column: str, block, origin: Origin) -> Iterator[Chunk]:
    norm, runs, header, rows, at, begins, default = None, 0, None, [], None, True, None

    def wanted():
        return block == "all" or block == runs or (block < 0 and runs - total == block)

    total = _count_runs(path) if block != "all" and block < 0 else 0
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            words = line.split()
            if header is not None:
                values = _numbers(words, len(header))
                if values is not None:
                    rows.append((values[at[0]], values[at[1]]))
                    if len(rows) == _ROWS and wanted():
                        yield _chunk(rows, begins)
                        rows, begins = [], False
                    continue
                if words[:2] == ["Loop", "time"] or _is_header(words):
                    if rows and wanted():
                        yield _chunk(rows, begins)
                    header, rows, runs = None, [], runs + 1
                # Warnings, and whatever else is printed between two rows, is passed over.
            if words[:1] == ["units"] and len(words) > 1:
                origin.unit, default = f"LAMMPS units {words[1]}", _TIME_STEPS.get(words[1])
                norm = norm if norm is not None else words[1] == "lj"
            elif words[:1] == ["thermo_modify"] and "norm" in words[:-1]:
                norm = words[words.index("norm") + 1] in ("yes", "on", "true")
            elif words[:3] == ["Time", "step", ":"] or (words[:1] == ["timestep"] and len(words) == 2):
                origin.time_step = _one_time_step(origin, words[-1], path)
            elif words[:2] == ["Loop", "time"] and "atoms" in words:
                origin.n = _one_size(origin, words[words.index("atoms") - 1], path)
            elif _is_header(words):
                header, rows, begins = words, [], True
                at = 0, _column(words, column, path, _POTENTIAL)
    if header is not None and rows and wanted():
        yield _chunk(rows, begins)
        runs += 1
    if runs == 0:
        raise pelplug.InputError(f"{path} is a LAMMPS log without a table of thermo output that starts with Step.")
    if block != "all" and not -runs <= block < runs:
        raise pelplug.InputError(f"{path} has {runs} runs; --block is from 0 to {runs - 1}, or negative from the end.")
    origin.extensive = None if norm is None else not norm
    origin.time_step = default if origin.time_step is None else origin.time_step


def _is_header(words) -> bool:
    return words[:1] == ["Step"] and len(words) > 1 and not any(_number(word) is not None for word in words)


def _count_runs(path: Path) -> int:
    with open(path, encoding="utf-8", errors="replace") as file:
        return sum(_is_header(line.split()) for line in file)


def _column(names, column: str, path, known) -> int:
    if column != "auto":
        if column not in names:
            raise pelplug.InputError(f"{path} has no column {column!r}; it has {', '.join(names)}.")
        return names.index(column)
    for name in known:
        if name in names:
            return names.index(name)
    raise pelplug.InputError(
        f"{path} has no potential energy ({' or '.join(known[:2])}) among its columns {', '.join(names)}; name the "
        "column with --column."
    )


def _one_size(origin: Origin, word: str, path) -> int:
    n = int(word)
    if origin.n is not None and origin.n != n:
        raise pelplug.InputError(f"{path} has runs of {origin.n} and of {n} particles; give each a log of its own.")
    return n


def _one_time_step(origin: Origin, word: str, path) -> float | None:
    value = _number(word)
    if value is None:
        return origin.time_step
    if origin.time_step is not None and abs(origin.time_step - value) > 1e-9 * value:
        raise pelplug.InputError(f"{path} changes its time step; choose one run and pass --time-step.")
    return value


# --- GROMACS ----------------------------------------------------------------------------------------------------------


def _edr(path: Path, column: str) -> tuple[Origin, Iterator[Chunk]]:
    try:
        import pyedr
    except ImportError:
        raise pelplug.InputError(
            f"Energies of GROMACS ({path}) are read by the package pyedr, which is not installed; "
            "run: pip install pyedr"
        ) from None
    try:
        terms = pyedr.edr_to_dict(str(path))
    except Exception as error:
        raise pelplug.InputError(
            f"{path} cannot be read as an EDR file ({error}); check that it is complete."
        ) from None
    name = "Potential" if column == "auto" else column
    if name not in terms:
        raise pelplug.InputError(f"{path} has no term {name!r}; it has {', '.join(terms)}.")
    unit = pyedr.get_unit_dictionary(str(path)).get(name, "kJ/mol")
    if unit != "kJ/mol":
        raise pelplug.InputError(
            f"{name} of {path} is in {unit or 'no unit'}, so it is no energy; choose another term."
        )
    origin = Origin(str(path), time_step=1.0, extensive=True, unit="kJ/mol, times in ps")
    return origin, iter([Chunk(np.asarray(terms["Time"], dtype=float), np.asarray(terms[name], dtype=float), True)])


# --- tables -----------------------------------------------------------------------------------------------------------


def _table(path: Path, head: str, column: str, origin: Origin) -> Iterator[Chunk]:
    first = next((line for line in head.splitlines() if line.strip()), "")
    comma = "," in first
    names = [name.strip().strip('"') for name in next(csv.reader([first.lstrip("#")]))] if comma else first.split()
    names = names[1:] if names[:1] == ["#"] else [name.lstrip("#") for name in names]
    if not names or all(_number(name) is not None for name in names):
        raise pelplug.InputError(
            f"{path} has no header; write the names of its columns into the first line, such as step,potential_energy."
        )
    bare = [re.sub(r"[(\[].*", "", name).strip().lower() for name in names]
    clocks = [k for k, name in enumerate(bare) if name in ("step", "timestep", "time", "t", "time/ps")]
    if not clocks:
        raise pelplug.InputError(f"{path} has no column step or time among {', '.join(names)}; add one.")
    clock = clocks[0]
    if column != "auto":
        energy = _column(names, column, path, ())
    else:
        found = [k for wanted in _NAMES for k, name in enumerate(bare) if _plain(name) == wanted]
        if not found:
            raise pelplug.InputError(
                f"{path} has no column potential_energy among {', '.join(names)}; name the column with --column."
            )
        energy = found[0]
    label = names[energy].lower().replace(" ", "_")
    if any(word in label for word in (*_TOTAL, *_EACH)):
        origin.extensive = not any(word in label for word in _EACH)
    if unit := re.search(r"[(\[](.*?)[)\]]", names[energy]):
        origin.unit = unit.group(1)
    if bare[clock] not in ("step", "timestep"):
        origin.time_step = 1.0
    return _table_rows(path, comma, (clock, energy), len(names))


def _plain(name: str) -> str:
    """Return a column's name without the words that say whether it is per particle."""
    name = name.replace(" ", "_")
    for word in (*_TOTAL, *_EACH):
        name = name.replace(word, "")
    return re.sub("_+", "_", name).strip("_")


def _table_rows(path: Path, comma: bool, at, width: int) -> Iterator[Chunk]:
    rows, begins, headed = [], True, False
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            if not headed:
                headed = True
                continue
            if line.lstrip().startswith("#"):
                continue
            values = _numbers(line.split(",") if comma else line.split(), width)
            if values is None:
                raise pelplug.InputError(f"Line {number} of {path} is not {width} numbers; mend or remove it.")
            if rows and values[at[0]] <= rows[-1][0]:
                yield _chunk(rows, begins)
                rows, begins = [], True
            rows.append((values[at[0]], values[at[1]]))
            if len(rows) == _ROWS:
                last = rows.pop()  # so that the next row is compared with one
                yield _chunk(rows, begins)
                rows, begins = [last], False
    if rows:
        yield _chunk(rows, begins)


def _chunk(rows, begins: bool) -> Chunk:
    at, energy = np.array(rows, dtype=float).T
    return Chunk(at, energy, begins)


def _numbers(words, width: int) -> list[float] | None:
    if len(words) != width:
        return None
    values = [_number(word) for word in words]
    return None if any(value is None for value in values) else values


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
