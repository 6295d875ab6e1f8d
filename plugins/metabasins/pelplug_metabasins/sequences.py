"""Sequences of inherent structures from elsewhere: results of pelplug, other NetCDF files, and tables."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import xarray as xr

import pelplug

__all__ = ["INPUT", "check_steps", "checksum", "from_frames", "read_sequence"]

INPUT = "inherent-structure-transitions"
FRAMES = "inherent-structures"
TOLERANCE = 1e-6
"""Structures without numbers are one if their total energies differ by no more [energy]."""
_LONGEST_STEP = 0.45  # of a cell vector, between inherent structures that follow each other
_VISITS = ("visit_structure", "visit_first", "visit_last", "visit_energy", "time", "frame")
_NAMES = {
    "time": ("time", "t"),
    "start": ("start", "start_time", "begin"),
    "end": ("end", "end_time", "stop"),
    "energy": ("energy", "u_is", "energy_total", "total_energy", "inherent_structure_energy", "potential_energy"),
    "run": ("run", "trajectory", "replica"),
    "structure": ("structure", "index", "is", "id", "inherent_structure", "state"),
}


def checksum(path) -> str:
    """Return the SHA-256 of a file."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise pelplug.InputError(f"{path} cannot be read: {error.strerror or error}.") from None


def read_sequence(path) -> xr.Dataset:
    """Return visits of inherent structures in time.

    Parameters
    ----------
    path : path_like
        A result of ``inherent-structure-transitions`` or ``inherent-structures``; another NetCDF file with ``time``,
        ``energy`` and perhaps ``structure``, ``positions`` (frame, particle, dimension) and ``cell``; or a table with a
        header: a row for each time, or for each visit with ``start`` and ``end``; ``run`` numbers several runs.

    Returns
    -------
    Dataset
        As ``inherent-structure-transitions`` gives it; without ``positions`` and ``cell`` if the file has none.

    Raises
    ------
    InputError
        If the file is none of these, or its numbers do not follow each other in time.
    """
    path = Path(path)
    checksum(path)  # says what is wrong with a file that cannot be read
    with open(path, "rb") as file:
        start = file.read(8)
    if start.startswith((b"\x89HDF", b"CDF")):
        return _of_netcdf(path)
    return _of_table(path)


_MADE_BY = ("analysis", "plugin", "fingerprint", "parameters", "free_parameters", "failed_frames")


def _of_netcdf(path: Path) -> xr.Dataset:
    try:
        results = pelplug.read_results(path)
    except pelplug.InputError:
        results = {}
    if INPUT in results:
        return results[INPUT]
    found = results.get(FRAMES)
    if found is None:
        try:
            found = xr.load_dataset(path)
        except (OSError, ValueError, KeyError) as error:
            raise pelplug.InputError(f"{path} cannot be read as NetCDF ({error}); give one that can.") from None
    if all(name in found.variables for name in _VISITS):
        return found
    columns = _named({str(name): found[name].values for name in found.variables if found[name].ndim == 1}, path)
    more = {name: found[name].values for name in ("positions", "cell") if name in found.variables}
    if "cell" in more and more["cell"].ndim == 3:
        if not np.allclose(more["cell"], more["cell"][0], rtol=1e-6, atol=0):
            raise pelplug.InputError(f"The cell of {path} changes in time; metabasins need a constant one.")
        more["cell"] = more["cell"][0]
    if "positions" in more and "cell" not in more:
        raise pelplug.InputError(
            f"{path} has positions without a cell; add its vectors (cell), or leave positions out."
        )
    dataset = from_frames(**columns, **more, source=path)
    return dataset.assign_attrs(
        {
            name: found.attrs[name]
            for name in ("model", "quench", "units", "conditions", "temperature", *_MADE_BY)
            if name in found.attrs
        }
    )


def _of_table(path: Path) -> xr.Dataset:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise pelplug.InputError(f"{path} is neither NetCDF nor text; give a table with a header or NetCDF.") from None
    lines = [line for line in lines if line]
    comments = [k for k, line in enumerate(lines) if line.startswith("#")]
    first = next((k for k, line in enumerate(lines) if not line.startswith("#")), len(lines))
    head = comments and first > 0 and _numbers(lines[first]) if first < len(lines) else None
    header, rows = (
        (lines[first - 1].lstrip("# "), lines[first:])
        if head
        else ("".join(lines[first : first + 1]), lines[first + 1 :])
    )
    rows = [row for row in rows if not row.startswith("#")]
    names = _split(header)
    if not rows or _numbers(header):
        raise pelplug.InputError(
            f"{path} has no header and numbers below it; begin with a line such as time,energy,structure."
        )
    values = np.empty((len(rows), len(names)))
    for k, row in enumerate(rows):
        parts = _numbers(row)
        if parts is None or len(parts) != len(names):
            raise pelplug.InputError(
                f"Row {k + 1} of {path} is not {len(names)} numbers, as its header has names ({row[:60]!r}); mend it."
            )
        values[k] = parts
    return from_frames(**_named(dict(zip(names, values.T, strict=True)), path), source=path)


def _split(line: str) -> list[str]:
    for separator in (",", ";", "\t"):
        if separator in line:
            return [part.strip() for part in line.split(separator)]
    return line.split()


def _numbers(line: str) -> list[float] | None:
    try:
        return [float(part) for part in _split(line)]
    except ValueError:
        return None


def _named(columns: dict[str, np.ndarray], path) -> dict[str, np.ndarray]:
    """Return the columns that are known, by what they are."""
    plain = {re.sub(r"\s*[\[(].*", "", name).strip().lower().replace(" ", "_"): name for name in columns}
    found = {}
    for kind, words in _NAMES.items():
        for word in words:
            if word in plain:
                found[kind] = columns[plain[word]]
                break
    if "energy" not in found or not ("time" in found or {"start", "end"} <= found.keys()):
        raise pelplug.InputError(
            f"{path} has {', '.join(columns) or 'no columns'}; an IS sequence needs time (or start and end) and "
            "energy, the total energy of the inherent structure, and perhaps structure, its number."
        )
    return found


def from_frames(
    energy, time=None, structure=None, positions=None, cell=None, start=None, end=None, run=None, source="the sequence"
) -> xr.Dataset:
    """Return the visits of a sequence given frame by frame, or visit by visit.

    Parameters
    ----------
    energy : ndarray, shape (F,)
        Total energy of the inherent structure [energy].
    time : ndarray, shape (F,), optional
        When [time]; or ``start`` and ``end`` of each visit.
    structure : ndarray of int, shape (F,), optional
        Its number; without it structures are told by their energies.
    positions : ndarray, shape (F, N, d), optional
        [length]
    cell : ndarray, shape (d, d), optional
        [length]
    start, end : ndarray, shape (F,), optional
        Of each visit [time].
    run : ndarray of int, shape (F,), optional
        Run of each, where there are several, one after the other.
    source : path_like
        For messages.
    """
    energy = np.asarray(energy, dtype=float)
    if time is None:
        # Two frames for a visit, at its beginning and at its end: the border between two is where they meet.
        time, repeat = np.column_stack([start, end]).astype(float).ravel(), 2
    else:
        time, repeat = np.asarray(time, dtype=float), 1
    if not (np.all(np.isfinite(energy)) and np.all(np.isfinite(time))):
        raise pelplug.InputError(f"{source} has energies or times that are no numbers; leave those rows out.")
    number_of_run = _runs(run, len(energy), source)
    here = np.repeat(number_of_run, repeat)
    backwards = np.diff(time) < 0 if repeat == 2 else np.diff(time) <= 0
    late = np.flatnonzero(backwards & (here[1:] == here[:-1]))
    if late.size:
        k = int(late[0])
        raise pelplug.InputError(
            f"Times of {source} do not increase: {time[k + 1]:g} after {time[k]:g}; sort its rows by time, one a time, "
            "or number runs in a column run."
        )
    if structure is None:
        order = np.argsort(energy, kind="stable")
        number = np.empty(len(energy), dtype=np.int64)
        number[order] = np.r_[0, np.cumsum(np.diff(energy[order]) > TOLERANCE)]
        how = f"told by their total energies, to {TOLERANCE:g}"
    else:
        number = np.asarray(structure)
        if not np.all(np.isfinite(number)) or np.any(number != np.round(number)):
            raise pelplug.InputError(f"Structures of {source} must be whole numbers.")
        number, how = number.astype(np.int64), "numbered in the file"
    # Numbers by first visit; the energy of a structure is the lowest that any quench of it gave.
    _, first, number = np.unique(number, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first))
    number = rank[number]
    own = np.full(number.max() + 1, np.inf)
    np.minimum.at(own, number, energy)
    changes = np.flatnonzero((np.diff(number) != 0) | (np.diff(number_of_run) != 0))
    starts, ends = np.r_[0, changes + 1], np.r_[changes, len(number) - 1]
    labels = np.arange(len(time))
    values = {
        "visit_structure": ("visit", number[starts]),
        "visit_first": ("visit", labels[starts * repeat]),
        "visit_last": ("visit", labels[ends * repeat + repeat - 1]),
        "visit_energy": ("visit", own[number[starts]]),
    }
    if positions is not None:
        values["positions"] = (
            ("visit", "particle", "dimension"),
            _path(np.asarray(positions)[starts], cell, number_of_run[starts]),
        )
        values["cell"] = (("vector", "dimension"), np.asarray(cell, dtype=float))
    coords = {"frame": ("frame", labels), "time": ("frame", time)}
    if number_of_run[-1] > 0:
        values["visit_run"] = ("visit", number_of_run[starts])
        coords["run"] = ("frame", here)
    return xr.Dataset(values, coords, {"structures": f"{own.size}, {how}"})


def _runs(run, number: int, source) -> np.ndarray:
    """Return the number of the run of each row, from 0 and rising."""
    if run is None:
        return np.zeros(number, dtype=np.int64)
    run = np.asarray(run)
    border = np.r_[True, run[1:] != run[:-1]]
    if not np.all(np.isfinite(run)) or len(np.unique(run)) != border.sum():
        raise pelplug.InputError(f"Runs of {source} must be numbers, with all rows of one run together; sort its rows.")
    return np.cumsum(border) - 1


def check_steps(source: xr.Dataset) -> None:
    """Refuse visits between which a particle goes half way round the cell, where frames do not tell which way.

    Raises
    ------
    InputError
    """
    images = str(source.attrs.get("images", ""))
    if "positions" not in source or source.sizes["visit"] < 2 or images.startswith("followed"):
        return
    steps = np.abs(np.diff(source["positions"].values, axis=0) @ np.linalg.inv(source["cell"].values))
    if steps.max() > _LONGEST_STEP:
        k = int(steps.max(axis=(1, 2)).argmax())
        raise pelplug.InputError(
            f"A particle moves {steps[k].max():.2f} of the cell from frame {int(source['visit_last'][k])} to "
            f"{int(source['visit_first'][k + 1])}, so nobody can tell which way round the cell; "
            "write frames more often or with image flags, or end before it (--stop)."
        )


def _path(positions: np.ndarray, cell, run: np.ndarray) -> np.ndarray:
    """Return positions along the visits of a run, each the nearest image of the one before, without drift."""
    steps = np.diff(positions, axis=0)
    cell = np.asarray(cell, dtype=float)
    steps = steps - np.round(steps @ np.linalg.inv(cell)) @ cell
    steps = steps - steps.mean(axis=1, keepdims=True)
    path = np.array(positions, dtype=float)
    for number in range(run[-1] + 1):
        mine = np.flatnonzero(run == number)
        path[mine[1:]] = path[mine[0]] + steps[mine[:-1]].cumsum(axis=0)
    return path
